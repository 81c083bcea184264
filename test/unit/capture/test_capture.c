/*
 * Captures: every kind of frame there and back, what may not be written over, limits, and files
 * that are damaged, cut, foreign or of another version.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "capture_sample.h"
#include "haetae/crc32c.h"

static char folder[64], path[128];

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/haetae-capture-XXXXXX");
	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/x.hcap", folder);
}

static void teardown(void)
{
	unlink(path);
	rmdir(folder);
}

TestSuite(capture, .init = setup, .fini = teardown);

static struct capture_writer *make(const struct capture_writer_config *config)
{
	struct capture_head head = sample_head();
	struct capture_writer *writer = NULL;
	int r = capture_writer_new(config, &head, &writer);

	cr_assert_eq(r, 0, "%s", strerror(-r));
	return writer;
}

/* `rounds` samples and the end. */
static void make_file(unsigned rounds)
{
	struct capture_writer *writer =
		make(&(struct capture_writer_config){ .path = path, .may_overwrite = true });
	const struct capture_end end = { .delivered = 1, .evaluated = 2, .alerts = 3 };

	for (unsigned i = 0; i < rounds; i++)
		sample_put(writer);
	cr_assert_eq(capture_writer_finish(writer, &end), 0);
	capture_writer_free(writer);
}

/* Frames before the end of what can be read, each compared. */
static unsigned read_all(int *ret_outcome, struct capture_end *ret_end,
			 char message[CAPTURE_MESSAGE_MAX])
{
	struct capture_reader *reader;
	const struct capture_frame *frame;
	unsigned cnt = 0;
	int r = capture_reader_new(path, &reader, message);

	*ret_outcome = r;
	if (r)
		return 0;
	message[0] = '\0';
	while ((r = capture_reader_next(reader, &frame)) == 0) {
		if (frame->kind == CAPTURE_END) {
			*ret_end = frame->end;
			continue;
		}
		cr_assert_null(sample_compare(frame), "%s: %s", capture_kind_name(frame->kind),
			       sample_compare(frame));
		cnt++;
	}
	cr_expect_eq(capture_reader_next(reader, &frame), r, "an outcome comes again");
	*ret_outcome = r;
	strcpy(message, capture_reader_message(reader));
	capture_reader_free(reader);
	return cnt;
}

Test(capture, there_and_back)
{
	char message[CAPTURE_MESSAGE_MAX];
	struct capture_end end = { 0 };
	int outcome;

	make_file(2);
	cr_expect_eq(read_all(&outcome, &end, message), 36);
	cr_expect_eq(outcome, CAPTURE_E_END, "%s", message);
	cr_expect_str_eq(message, "");
	cr_expect_eq(end.frames, 38);
	cr_expect_eq(end.records, 6);
	cr_expect_eq(end.reason, CAPTURE_ENDED);
	cr_expect(end.delivered == 1 && end.evaluated == 2 && end.alerts == 3);
}

Test(capture, head)
{
	char message[CAPTURE_MESSAGE_MAX];
	struct capture_reader *reader;
	const struct capture_head *head;

	make_file(0);
	cr_assert_eq(capture_reader_new(path, &reader, message), 0, "%s", message);
	head = capture_reader_head(reader);
	cr_expect_eq(head->major, CAPTURE_MAJOR);
	cr_expect_str_eq(head->version, HAETAE_VERSION);
	cr_expect_str_eq(head->hostname, "host");
	cr_expect_str_eq(head->scope, "pid 17");
	cr_expect_eq(head->wall_offset_ns, -5);
	cr_expect_eq(head->start_ns, SAMPLE_START_NS);
	cr_expect_not(head->is_snapshot);
	capture_reader_free(reader);
}

/* Captures hold what others did: nobody else may read them, and no link leads one elsewhere. */
Test(capture, file_is_guarded)
{
	const struct capture_writer_config config = { .path = path };
	struct capture_head head = sample_head();
	struct capture_writer *writer = NULL;
	char victim[160];
	struct stat info;

	make_file(0);
	cr_assert_eq(stat(path, &info), 0);
	cr_expect_eq(info.st_mode & 07777, 0600);
	cr_expect_eq(capture_writer_new(&config, &head, &writer), -EEXIST);
	unlink(path);
	snprintf(victim, sizeof(victim), "%s/victim", folder);
	cr_assert_eq(symlink(victim, path), 0);
	cr_expect_eq(capture_writer_new(&config, &head, &writer), -EEXIST);
	cr_expect_eq(capture_writer_new(
			     &(struct capture_writer_config){ .path = path, .may_overwrite = true },
			     &head, &writer),
		     -EEXIST);
	cr_expect_neq(access(victim, F_OK), 0);
}

Test(capture, nothing_beyond_limits)
{
	const struct capture_end none = { 0 };
	struct capture_writer *writer =
		make(&(struct capture_writer_config){ .path = path, .max_bytes = 1 });
	char message[CAPTURE_MESSAGE_MAX];
	struct capture_end end = { 0 };
	struct capture_stats stats;
	struct stat info;
	unsigned cnt;
	int outcome;

	for (int i = 0; i < 2000; i++)
		sample_put(writer);
	cr_expect_not(capture_writer_is_open(writer));
	cr_expect_eq(capture_writer_finish(writer, &none), 0);
	capture_writer_stats(writer, &stats);
	capture_writer_free(writer);
	cr_assert_eq(stat(path, &info), 0);
	cr_expect_leq(info.st_size, CAPTURE_MIN_BYTES);
	cr_expect_gt(info.st_size, CAPTURE_MIN_BYTES / 2);
	cnt = read_all(&outcome, &end, message);
	cr_expect_eq(outcome, CAPTURE_E_END, "%s", message);
	cr_expect_eq(end.reason, CAPTURE_MAX_SIZE);
	cr_expect_eq(cnt + end.lost, 2000 * 18, "%u written, %llu lost", cnt,
		     (unsigned long long)end.lost);
	cr_expect_eq(stats.lost, end.lost);
}

Test(capture, time_is_limited)
{
	struct capture_writer *writer =
		make(&(struct capture_writer_config){ .path = path, .max_ns = 100 });
	struct capture_stats stats;

	capture_put_decide(writer, SAMPLE_START_NS + 99);
	cr_expect(capture_writer_is_open(writer));
	capture_put_decide(writer, SAMPLE_START_NS + 100);
	cr_expect_not(capture_writer_is_open(writer));
	capture_writer_stats(writer, &stats);
	cr_expect_eq(stats.reason, CAPTURE_MAX_TIME);
	cr_expect_eq(stats.lost, 1);
	capture_writer_free(writer);
}

/* A limit on file sizes fails writes as a full disk does: half a buffer must not stay behind. */
Test(capture, disk_full)
{
	const struct rlimit limit = { 600000, RLIM_INFINITY };
	const struct capture_end none = { 0 };
	struct capture_writer *writer = make(&(struct capture_writer_config){ .path = path });
	char message[CAPTURE_MESSAGE_MAX];
	struct capture_end end = { 0 };
	struct capture_stats stats;
	unsigned cnt;
	int outcome;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 2000; i++)
		sample_put(writer);
	capture_writer_stats(writer, &stats);
	cr_expect_eq(stats.reason, CAPTURE_FAILED);
	cr_expect_eq(stats.error, EFBIG);
	cr_expect_eq(capture_writer_finish(writer, &none), 0, "what was taken back leaves room");
	capture_writer_free(writer);
	cnt = read_all(&outcome, &end, message);
	cr_expect_eq(outcome, CAPTURE_E_END, "%s", message);
	cr_expect_eq(end.reason, CAPTURE_FAILED);
	cr_expect_eq(cnt + end.lost, 2000 * 18);
}

/* ---- damage ---- */

static size_t load(uint8_t **ret)
{
	_cleanup_(close_fdp) int fd = open(path, O_RDONLY);
	struct stat info;

	cr_assert_eq(fstat(fd, &info), 0);
	*ret = malloc((size_t)info.st_size);
	cr_assert_eq(read(fd, *ret, (size_t)info.st_size), info.st_size);
	return (size_t)info.st_size;
}

static void store(const uint8_t *bytes, size_t n)
{
	_cleanup_(close_fdp) int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);

	cr_assert_eq(write(fd, bytes, n), (ssize_t)n);
}

/* Frames for the caller, but END, that end at or before each offset of the file: what must be read
 * when the byte there is damaged. */
static unsigned frames_before(const uint8_t *bytes, size_t n, size_t at)
{
	unsigned cnt = 0;
	size_t offset = 0;

	while (offset < n) {
		uint32_t length = (uint32_t)bytes[offset + 8] | (uint32_t)bytes[offset + 9] << 8 |
				  (uint32_t)bytes[offset + 10] << 16;
		unsigned kind = bytes[offset + 4];

		offset += 16 + ((length + 7) & ~7u);
		if (offset > at)
			break;
		cnt += kind > CAPTURE_SCHEMA && kind != CAPTURE_END && kind != CAPTURE_INDEX &&
		       kind != CAPTURE_TRAILER;
	}
	return cnt;
}

static void check_message(const char *message, size_t at)
{
	cr_expect(strncmp(message, path, strlen(path)) == 0, "at %zu: '%s'", at, message);
	cr_expect_null(strchr(message, '\n'), "at %zu: '%s'", at, message);
	cr_expect_gt(strlen(message), strlen(path) + 10, "at %zu: '%s'", at, message);
}

Test(capture, damaged_anywhere, .timeout = 60)
{
	char message[CAPTURE_MESSAGE_MAX];
	struct capture_end end;
	uint8_t *bytes;
	size_t n;

	make_file(20);
	n = load(&bytes);
	srandom(7);
	for (int i = 0; i < 1000; i++) {
		size_t at = (size_t)random() % n;
		uint8_t change = (uint8_t)(1 + random() % 255);
		unsigned expected = frames_before(bytes, n, at);
		unsigned cnt;
		int outcome;

		bytes[at] ^= change;
		store(bytes, n);
		cnt = read_all(&outcome, &end, message);
		bytes[at] ^= change;
		/* The table of events is not looked at where the head says that it is ours. */
		cr_expect(outcome == CAPTURE_E_DAMAGED || outcome == CAPTURE_E_FOREIGN ||
				  (outcome == CAPTURE_E_END && expected == 0),
			  "at %zu: %d '%s'", at, outcome, message);
		if (outcome == CAPTURE_E_END)
			continue;
		check_message(message, at);
		cr_expect_eq(cnt, expected, "at %zu: '%s'", at, message);
	}
	free(bytes);
}

Test(capture, cut_anywhere, .timeout = 60)
{
	char message[CAPTURE_MESSAGE_MAX];
	struct capture_end end;
	uint8_t *bytes;
	size_t n;

	make_file(2);
	n = load(&bytes);
	srandom(8);
	for (int i = 0; i < 300; i++) {
		size_t at = (size_t)random() % n;
		unsigned cnt;
		int outcome;

		store(bytes, at);
		cnt = read_all(&outcome, &end, message);
		cr_expect_neq(outcome, 0, "at %zu", at);
		cr_expect_eq(cnt, frames_before(bytes, n, at), "at %zu: '%s'", at, message);
		if (outcome != CAPTURE_E_END)
			check_message(message, at);
	}
	free(bytes);
}

/* ---- other versions ---- */

/* Changes the frame that begins there, and makes its checksum right. */
static void change(uint8_t *frame, size_t at, uint8_t value)
{
	uint32_t length = (uint32_t)frame[8] | (uint32_t)frame[9] << 8 | (uint32_t)frame[10] << 16;
	uint32_t crc;

	frame[at] = value;
	crc = crc32c(crc32c(0, frame + 4, 8), frame + 16, (length + 7) & ~7u);
	for (unsigned i = 0; i < 4; i++)
		frame[12 + i] = (uint8_t)(crc >> 8 * i);
}

static size_t frame_bytes(const uint8_t *frame)
{
	return 16 + ((((size_t)frame[8] | (size_t)frame[9] << 8 | (size_t)frame[10] << 16) + 7) &
		     ~(size_t)7);
}

Test(capture, other_versions)
{
	static const struct {
		const char *name;
		size_t at; /* in the head's frame: behind 16 bytes of frame and 8 of magic */
		uint8_t value;
		int outcome;
		const char *text;
	} cases[] = {
		{ "newer minor", 16 + 8 + 2, CAPTURE_MINOR + 1, CAPTURE_E_END, "" },
		{ "newer major", 16 + 8, CAPTURE_MAJOR + 1, CAPTURE_E_FOREIGN,
		  "format version 2.0" },
		{ "another digest, the same events", 16 + 16, 1, CAPTURE_E_END, "" },
		{ "another magic", 16, 'X', CAPTURE_E_FOREIGN, "not a capture" },
	};
	char message[CAPTURE_MESSAGE_MAX];
	struct capture_end end;
	uint8_t *bytes;
	size_t n;

	make_file(1);
	n = load(&bytes);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t old = bytes[cases[i].at];
		int outcome;

		change(bytes, cases[i].at, cases[i].value);
		store(bytes, n);
		read_all(&outcome, &end, message);
		cr_expect_eq(outcome, cases[i].outcome, "%s: %d '%s'", cases[i].name, outcome,
			     message);
		cr_expect(strstr(message, cases[i].text), "%s: '%s'", cases[i].name, message);
		change(bytes, cases[i].at, old);
	}
	free(bytes);
}

/* The first frame behind the table of events becomes one of a kind that nobody knows. */
Test(capture, unknown_kind_is_passed_over)
{
	char message[CAPTURE_MESSAGE_MAX];
	struct capture_end end;
	uint8_t *bytes, *frame;
	int outcome;
	size_t n;

	make_file(1);
	n = load(&bytes);
	frame = bytes + frame_bytes(bytes);
	frame += frame_bytes(frame);
	change(frame, 4, 200);
	store(bytes, n);
	cr_expect_eq(read_all(&outcome, &end, message), 17);
	cr_expect_eq(outcome, CAPTURE_E_END, "%s", message);
	free(bytes);
}

/* Changes the table of events in place, without changing its length. */
static void with_schema(const char *from, const char *to, int *ret_outcome,
			char message[CAPTURE_MESSAGE_MAX])
{
	struct capture_end end;
	uint8_t *bytes, *schema, *found;
	size_t n;

	make_file(1);
	n = load(&bytes);
	change(bytes, 16 + 16, (uint8_t)~bytes[16 + 16]);
	schema = bytes + frame_bytes(bytes);
	found = memmem(schema, frame_bytes(schema), from, strlen(from));
	cr_assert(found, "%s", from);
	memcpy(found, to, strlen(to));
	change(schema, 4, CAPTURE_SCHEMA);
	store(bytes, n);
	read_all(ret_outcome, &end, message);
	free(bytes);
}

Test(capture, other_schemas)
{
	static const struct {
		const char *name, *from, *to;
		int outcome;
		const char *text;
	} cases[] = {
		{ "an event has another name", "\nexecve ", "\nexecvi ", CAPTURE_E_FOREIGN,
		  "its event 'execvi' is 'execve' here" },
		{ "a parameter has another name", "\nopenat fd:", "\nopenat ff:", CAPTURE_E_FOREIGN,
		  "parameter 0 of event openat is ff:" },
		{ "a parameter has another type", "\nopenat fd:0", "\nopenat fd:9",
		  CAPTURE_E_FOREIGN, "parameter 0 of event openat is fd:9 in it and fd:0 here" },
	};
	char message[CAPTURE_MESSAGE_MAX];
	int outcome;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		with_schema(cases[i].from, cases[i].to, &outcome, message);
		cr_expect_eq(outcome, cases[i].outcome, "%s: %d '%s'", cases[i].name, outcome,
			     message);
		cr_expect(strstr(message, cases[i].text), "%s: '%s'", cases[i].name, message);
	}
}

/* The engine believes in records of its own making; a file's are looked at first. */
Test(capture, own_records_are_own)
{
	struct sample_record record = sample_record(EVENT_OPENAT, 1);
	struct capture_writer *writer = make(&(struct capture_writer_config){ .path = path });
	const struct capture_frame *frame;
	char message[CAPTURE_MESSAGE_MAX];
	struct capture_reader *reader;

	capture_put_record(writer, CAPTURE_OWN, &record, sizeof(record));
	capture_writer_free(writer);
	cr_assert_eq(capture_reader_new(path, &reader, message), 0, "%s", message);
	cr_expect_eq(capture_reader_next(reader, &frame), CAPTURE_E_DAMAGED);
	capture_reader_free(reader);
}

/* ---- memory instead of a file ---- */

struct kept {
	uint8_t bytes[1 << 16];
	uint32_t n, cnt;
};

static void keep(enum capture_kind kind, const void *frame, uint32_t length, void *data)
{
	struct kept *kept = data;

	memcpy(kept->bytes + kept->n, frame, length);
	kept->n += length;
	kept->cnt++;
}

Test(capture, frames_kept_in_memory_make_the_same_file)
{
	struct kept *kept = calloc(1, sizeof(*kept));
	struct capture_writer *to, *writer;
	const struct capture_end none = { 0 };
	char message[CAPTURE_MESSAGE_MAX];
	struct capture_end end;
	int outcome;

	cr_assert_eq(capture_writer_new_to(keep, kept, &to), 0);
	sample_put(to);
	capture_writer_free(to);
	cr_expect_eq(kept->cnt, 18);
	writer = make(&(struct capture_writer_config){ .path = path });
	for (uint32_t at = 0; at < kept->n; at += (uint32_t)frame_bytes(kept->bytes + at))
		capture_put_frame(writer, kept->bytes + at,
				  (uint32_t)frame_bytes(kept->bytes + at));
	cr_expect_eq(capture_writer_finish(writer, &none), 0);
	capture_writer_free(writer);
	cr_expect_eq(read_all(&outcome, &end, message), 18);
	cr_expect_eq(outcome, CAPTURE_E_END, "%s", message);
	free(kept);
}

Test(capture, no_writer_is_fine)
{
	struct capture_stats stats;

	sample_put(NULL);
	capture_writer_flush(NULL);
	capture_writer_stats(NULL, &stats);
	cr_expect_eq(stats.frames, 0);
	cr_expect_not(capture_writer_is_open(NULL));
}

/* ---- the index ---- */

/* `cnt` decisions, a second apart. */
static void make_decisions(unsigned cnt)
{
	struct capture_writer *writer = make(&(struct capture_writer_config){ .path = path });
	const struct capture_end end = { .alerts = 5 };

	for (unsigned i = 1; i <= cnt; i++)
		capture_put_decide(writer, SAMPLE_START_NS + i);
	cr_assert_eq(capture_writer_finish(writer, &end), 0);
	capture_writer_free(writer);
}

Test(capture, summary)
{
	char message[CAPTURE_MESSAGE_MAX];
	struct capture_summary summary;
	const struct capture_frame *frame;
	struct capture_reader *reader;

	make_decisions(5000);
	cr_assert_eq(capture_reader_new(path, &reader, message), 0, "%s", message);
	cr_assert(capture_reader_summary(reader, &summary));
	cr_expect_eq(summary.end.frames, 5002);
	cr_expect_eq(summary.end.alerts, 5);
	cr_expect_eq(summary.first_ns, SAMPLE_START_NS);
	cr_expect_eq(summary.last_ns, SAMPLE_START_NS + 5000);
	cr_expect_eq(summary.index_cnt, 4);
	cr_assert_eq(capture_reader_next(reader, &frame), 0);
	cr_expect_eq(frame->number, 3, "the first frame is still the first: %s",
		     capture_reader_message(reader));
	capture_reader_free(reader);
	cr_assert_eq(truncate(path, 60000), 0);
	cr_assert_eq(capture_reader_new(path, &reader, message), 0, "%s", message);
	cr_expect_not(capture_reader_summary(reader, &summary));
	cr_expect_not(capture_reader_seek(reader, UINT64_MAX));
	cr_expect_eq(capture_reader_next(reader, &frame), 0, "a file without index is readable");
	capture_reader_free(reader);
}

Test(capture, seek)
{
	static const uint64_t times[] = { 1100, 2000, 2047, 2048, 4999, 6000 };
	char message[CAPTURE_MESSAGE_MAX];
	const struct capture_frame *frame;
	struct capture_reader *reader;
	int r;

	make_decisions(5000);
	cr_assert_eq(capture_reader_new(path, &reader, message), 0, "%s", message);
	cr_expect_not(capture_reader_seek(reader, SAMPLE_START_NS), "nothing is earlier");
	capture_reader_free(reader);
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		uint64_t time_ns = SAMPLE_START_NS + times[i], last = 0;

		cr_assert_eq(capture_reader_new(path, &reader, message), 0, "%s", message);
		cr_assert(capture_reader_seek(reader, time_ns));
		cr_assert_eq(capture_reader_next(reader, &frame), 0);
		cr_expect_leq(frame->kind == CAPTURE_DECIDE ? frame->time.now_ns : 0, time_ns);
		do {
			if (frame->kind == CAPTURE_DECIDE)
				last = frame->time.now_ns;
		} while ((r = capture_reader_next(reader, &frame)) == 0);
		cr_expect_eq(r, CAPTURE_E_END, "%s", capture_reader_message(reader));
		cr_expect_eq(last, SAMPLE_START_NS + 5000);
		capture_reader_free(reader);
	}
}

/* More frames than the index has room for: entries become fewer, not the range. */
Test(capture, index_is_bounded, .timeout = 60)
{
	const unsigned cnt = 4096 * 1024 + 5000;
	char message[CAPTURE_MESSAGE_MAX];
	struct capture_summary summary;
	struct capture_reader *reader;
	const struct capture_frame *frame;

	make_decisions(cnt);
	cr_assert_eq(capture_reader_new(path, &reader, message), 0, "%s", message);
	cr_assert(capture_reader_summary(reader, &summary));
	cr_expect(summary.index_cnt > 2000 && summary.index_cnt <= 4096, "%u", summary.index_cnt);
	cr_assert(capture_reader_seek(reader, SAMPLE_START_NS + cnt - 1));
	cr_assert_eq(capture_reader_next(reader, &frame), 0);
	cr_expect_gt(frame->number, cnt - 5000);
	capture_reader_free(reader);
}
