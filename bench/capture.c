/*
 * How fast captures are written and read, and in how much memory: makes a file of so many MiB
 * (1024 where none is given) in the folder that is given (/tmp), reads it, removes it unless there
 * is a third argument. Fails where memory grew with the file.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "haetae/capture.h"
#include "haetae/clock.h"

#define RSS_MAX_KIB (16 << 10)

static long rss_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void say(const char *what, uint64_t frames, uint64_t bytes, uint64_t begin_ns)
{
	double seconds = (double)(clock_boot_ns() - begin_ns) / (double)NS_PER_SEC;

	printf("%s: %" PRIu64 " frames, %.0f MiB, %.2f s, %.0f frames/s, %.0f MiB/s, RSS %ld KiB\n",
	       what, frames, (double)bytes / (1 << 20), seconds, (double)frames / seconds,
	       (double)bytes / (1 << 20) / seconds, rss_kib());
}

static int make(const char *path, uint64_t max_bytes)
{
	const struct capture_writer_config config = { .path = path,
						      .may_overwrite = true,
						      .max_bytes = max_bytes };
	const struct capture_head head = { .hostname = "bench", .start_ns = 1 };
	const struct capture_end end = { 0 };
	_Alignas(8) uint8_t record[512] = { 0 };
	struct wire_header header = { .length = sizeof(record), .type = EVENT_OPENAT };
	struct capture_writer *writer;
	struct capture_stats stats;
	uint64_t begin_ns = clock_boot_ns();
	int r = capture_writer_new(&config, &head, &writer);

	if (r < 0)
		return r;
	for (uint64_t i = 1; capture_writer_is_open(writer); i++) {
		header.time_ns = i * 1000;
		memcpy(record, &header, sizeof(header));
		capture_put_record(writer, CAPTURE_RECORD, record, sizeof(record));
		if (i % 1000 == 0)
			capture_put_tick(writer, header.time_ns, 0);
	}
	capture_writer_stats(writer, &stats);
	r = capture_writer_finish(writer, &end);
	capture_writer_free(writer);
	say("written", stats.frames, stats.bytes, begin_ns);
	return r;
}

static int read_back(const char *path)
{
	_cleanup_(capture_reader_freep) struct capture_reader *reader = NULL;
	const struct capture_frame *frame;
	char message[CAPTURE_MESSAGE_MAX];
	uint64_t cnt = 0, at = 0, begin_ns = clock_boot_ns();
	int r = capture_reader_new(path, &reader, message);

	if (r) {
		fprintf(stderr, "%s\n", message);
		return r;
	}
	for (; (r = capture_reader_next(reader, &frame)) == 0; cnt++)
		at = frame->offset;
	say("read", cnt, at, begin_ns);
	if (r != CAPTURE_E_END)
		fprintf(stderr, "%s\n", capture_reader_message(reader));
	return r == CAPTURE_E_END ? 0 : r;
}

int main(int argc, char **argv)
{
	uint64_t mib = argc > 1 ? strtoull(argv[1], NULL, 10) : 1024;
	char path[4096];
	int r;

	snprintf(path, sizeof(path), "%s/haetae-bench-%d.hcap", argc > 2 ? argv[2] : "/tmp",
		 (int)getpid());
	r = make(path, mib << 20);
	if (r == 0)
		r = read_back(path);
	if (argc > 3)
		printf("%s\n", path);
	else
		unlink(path);
	if (r)
		fprintf(stderr, "failed: %s\n", strerror(r < 0 ? -r : 0));
	if (rss_kib() > RSS_MAX_KIB)
		fprintf(stderr, "memory grew: %ld KiB, at most %d are expected\n", rss_kib(),
			RSS_MAX_KIB);
	return r != 0 || rss_kib() > RSS_MAX_KIB;
}
