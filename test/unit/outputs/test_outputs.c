/*
 * The outputs thread with a pipe, a file or nobody at its end: order, whole lines, counters that
 * add up, and an end in time. Criterion forks for each test, so each has a standard output of its
 * own.
 */
#include <criterion/criterion.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "haetae/clock.h"
#include "haetae/sink.h"

#define SECOND NS_PER_SEC

static const struct sink_config json_sink = {
	.name = "stdout", .type = "stdout", .format = SINK_JSON, .min_priority = PRIORITY_DEBUG
};

/* ---- helpers -------------------------------------------------------------------------------- */

/* JSON is "{number:xxxx}" of `size` bytes, text the same with T in front. */
static struct alert *make_alert(unsigned number, size_t size, enum priority priority)
{
	struct alert *alert = calloc(1, sizeof(*alert) + 2 * size + 64);
	char *text = alert->storage;
	int n = snprintf(text, 64, "T{%u:", number);

	alert->priority = priority;
	while ((size_t)n < size)
		text[n++] = 'x';
	text[n++] = '}';
	alert->text = (struct str){ text, (uint32_t)n };
	alert->json = (struct str){ text + 1, (uint32_t)n - 1 };
	alert->rule = STR("r");
	return alert;
}

/* A pipe behind standard output; its reading end. */
static int pipe_stdout(int bytes)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	if (bytes)
		cr_assert(fcntl(fds[1], F_SETPIPE_SZ, bytes) >= 0);
	cr_assert_eq(dup2(fds[1], STDOUT_FILENO), STDOUT_FILENO);
	close(fds[1]);
	return fds[0];
}

static struct outputs *start(const struct sink_config *config, uint32_t queue_length)
{
	struct outputs *outputs = NULL;

	cr_assert_eq(outputs_start(&(struct outputs_config){ config, 1, queue_length }, &outputs),
		     0);
	return outputs;
}

static uint64_t refused_cnt(const struct outputs_stats *stats)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < PRIORITY__COUNT; i++)
		sum += stats->refused[i];
	return sum;
}

/* After the stop everything has its place. */
static void stop(struct outputs *outputs, uint64_t within_ns, struct outputs_stats *ret)
{
	outputs_stop(outputs, clock_boot_ns() + within_ns);
	outputs_stats(outputs, ret);
	cr_expect_eq(ret->accepted, ret->delivered + ret->failed + ret->filtered,
		     "%lu accepted, %lu delivered, %lu failed, %lu below", ret->accepted,
		     ret->delivered, ret->failed, ret->filtered);
	cr_expect_eq(ret->queued, 0);
	outputs_free(outputs);
	/* The reader sees the end, and no other descriptor gets this number. */
	cr_assert(freopen("/dev/null", "w", stdout));
}

/* Reads to the end and checks each line: whole, of ascending numbers. Returns how many. */
static unsigned read_lines(int fd)
{
	FILE *in = fdopen(fd, "r");
	char *line = NULL;
	size_t capacity = 0;
	unsigned cnt = 0, number, before = 0;
	ssize_t n;

	while ((n = getline(&line, &capacity, in)) > 0) {
		cr_assert_eq(sscanf(line, "{%u:", &number), 1, "%.80s", line);
		cr_assert(n > 2 && line[n - 2] == '}' && line[n - 1] == '\n', "half a line");
		cr_assert(cnt == 0 || number > before, "%u behind %u", number, before);
		before = number;
		cnt++;
	}
	free(line);
	fclose(in);
	return cnt;
}

struct reader {
	pthread_t thread;
	int fd;
	unsigned delay_us; /* before each read of 1000 bytes, for the first 50 */
	unsigned line_cnt;
};

static void *read_slowly(void *data)
{
	struct reader *reader = data;
	/* Through a file, so that lines are checked as they came. */
	FILE *copy = tmpfile();
	char bytes[1000];
	ssize_t n;
	int fd;

	for (unsigned i = 0; (n = read(reader->fd, bytes, sizeof(bytes))) > 0; i++) {
		fwrite(bytes, 1, (size_t)n, copy);
		if (i < 50)
			usleep(reader->delay_us);
	}
	fflush(copy);
	fd = dup(fileno(copy));
	lseek(fd, 0, SEEK_SET);
	reader->line_cnt = read_lines(fd);
	fclose(copy);
	return NULL;
}

/* ---- the good case -------------------------------------------------------------------------- */

Test(outputs, order, .timeout = 60)
{
	enum {
		CNT = 20000
	};
	struct reader reader = { .fd = pipe_stdout(0) };
	struct outputs *outputs = start(&json_sink, 1024);
	struct outputs_stats stats;
	unsigned accepted = 0;

	pthread_create(&reader.thread, NULL, read_slowly, &reader);
	for (unsigned i = 0; i < CNT; i++) {
		while (!outputs_put(outputs, make_alert(i, 200, PRIORITY_NOTICE)))
			usleep(100); /* a refused one is gone; the next has the same number */
		accepted++;
	}
	stop(outputs, 30 * SECOND, &stats);
	pthread_join(reader.thread, NULL);
	cr_expect_eq(accepted, CNT);
	cr_expect_eq(stats.accepted, CNT);
	cr_expect_eq(stats.delivered, CNT);
	cr_expect_eq(reader.line_cnt, CNT);
}

/* A lone alert does not wait for a batch. */
Test(outputs, latency, .timeout = 60)
{
	int fd = pipe_stdout(0);
	struct outputs *outputs = start(&json_sink, 64);
	struct outputs_stats stats;
	char line[64];

	for (unsigned i = 0; i < 20; i++) {
		uint64_t before_ns = clock_boot_ns();

		usleep(1000);
		cr_assert(outputs_put(outputs, make_alert(i, 10, PRIORITY_NOTICE)));
		cr_assert(read(fd, line, sizeof(line)) > 0);
		cr_expect(clock_boot_ns() - before_ns < 5 * SECOND);
	}
	stop(outputs, 30 * SECOND, &stats);
	cr_expect_eq(stats.delivered, 20);
	close(fd);
}

Test(outputs, formats, .timeout = 60)
{
	static const struct {
		enum sink_format format;
		bool want_color;
		enum priority priority;
		const char *want;
	} cases[] = {
		{ SINK_JSON, false, PRIORITY_WARNING, "{1:}\n" },
		/* Colour would not be JSON. */
		{ SINK_JSON, true, PRIORITY_WARNING, "{1:}\n" },
		{ SINK_TEXT, false, PRIORITY_WARNING, "T{1:}\n" },
		{ SINK_TEXT, true, PRIORITY_WARNING, "\033[33mT{1:}\033[0m\n" },
		{ SINK_TEXT, true, PRIORITY_CRITICAL, "\033[1;31mT{1:}\033[0m\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sink_config config = json_sink;
		struct outputs_stats stats;
		struct outputs *outputs;
		char line[64] = "";
		int fd = pipe_stdout(0);

		config.format = cases[i].format;
		config.want_color = cases[i].want_color;
		outputs = start(&config, 4);
		outputs_put(outputs, make_alert(1, 0, cases[i].priority));
		stop(outputs, SECOND, &stats);
		cr_expect(read(fd, line, sizeof(line) - 1) > 0);
		cr_expect_str_eq(line, cases[i].want, "%zu: %s", i, line);
		close(fd);
	}
}

Test(outputs, minimum_priority, .timeout = 60)
{
	struct sink_config config = json_sink;
	struct outputs_stats stats;
	struct outputs *outputs;
	int fd = pipe_stdout(0);

	config.min_priority = PRIORITY_WARNING;
	outputs = start(&config, 16);
	for (unsigned i = 0; i < PRIORITY__COUNT; i++)
		cr_assert(outputs_put(outputs, make_alert(i, 10, i)));
	stop(outputs, SECOND, &stats);
	cr_expect_eq(stats.delivered, 5, "%lu", stats.delivered);
	cr_expect_eq(stats.filtered, 3, "%lu", stats.filtered);
	cr_expect_eq(read_lines(fd), 5);
}

/* ---- readers that do not read --------------------------------------------------------------- */

/* Alerts larger than the pipe, read in bits: partial writes are continued. */
static void partial_writes(bool is_nonblocking)
{
	struct reader reader = { .fd = pipe_stdout(4096), .delay_us = 2000 };
	struct outputs *outputs;
	struct outputs_stats stats;

	if (is_nonblocking)
		fcntl(STDOUT_FILENO, F_SETFL, O_WRONLY | O_NONBLOCK);
	outputs = start(&json_sink, 64);
	for (unsigned i = 0; i < 10; i++)
		cr_assert(outputs_put(outputs, make_alert(i, 100000 + i, PRIORITY_NOTICE)));
	pthread_create(&reader.thread, NULL, read_slowly, &reader);
	stop(outputs, 30 * SECOND, &stats);
	pthread_join(reader.thread, NULL);
	cr_expect_eq(stats.delivered, 10);
	cr_expect_eq(reader.line_cnt, 10);
}

Test(outputs, partial_writes, .timeout = 60)
{
	partial_writes(false);
}

Test(outputs, partial_writes_nonblocking, .timeout = 60)
{
	partial_writes(true);
}

/* The full queue refuses, by priority; nothing that was accepted is lost when the reader returns.
 */
Test(outputs, stalled_reader, .timeout = 60)
{
	struct reader reader = { .fd = pipe_stdout(4096) };
	struct outputs *outputs = start(&json_sink, 16);
	struct outputs_stats stats;
	unsigned put_cnt = 0;

	do {
		outputs_put(outputs, make_alert(put_cnt++, 50000, PRIORITY_ERROR));
		usleep(200);
		outputs_stats(outputs, &stats);
	} while (refused_cnt(&stats) < 5 && put_cnt < 5000);
	cr_expect_eq(stats.refused[PRIORITY_ERROR], refused_cnt(&stats));
	cr_expect_eq(stats.accepted + refused_cnt(&stats), put_cnt);
	cr_expect_eq(stats.delivered + stats.failed + stats.queued, stats.accepted);
	cr_expect(stats.queued >= 16, "%lu", stats.queued);
	/* Longer than a flush waits at a time: still nothing is given up. */
	usleep(300000);
	pthread_create(&reader.thread, NULL, read_slowly, &reader);
	stop(outputs, 30 * SECOND, &stats);
	pthread_join(reader.thread, NULL);
	cr_expect_eq(stats.failed, 0);
	cr_expect_eq(reader.line_cnt, stats.accepted);
}

/* Nobody reads: the stop keeps its deadline, and what was not out has failed. */
Test(outputs, stop_while_stalled, .timeout = 60)
{
	int fd = pipe_stdout(4096);
	struct outputs *outputs;
	struct outputs_stats stats;
	uint64_t before_ns;

	outputs = start(&json_sink, 64);
	for (unsigned i = 0; i < 40; i++)
		outputs_put(outputs, make_alert(i, 30000, PRIORITY_NOTICE));
	usleep(50000);
	before_ns = clock_boot_ns();
	stop(outputs, SECOND / 2, &stats);
	cr_expect(clock_boot_ns() - before_ns < 5 * SECOND);
	cr_expect_eq(stats.failed, 40, "%lu", stats.failed);
	close(fd);
}

/* The reader has gone: counted, and no signal ends us. */
Test(outputs, broken_pipe, .timeout = 60)
{
	int fd = pipe_stdout(0);
	struct outputs *outputs = start(&json_sink, 64);
	struct outputs_stats stats;
	char line[64];

	outputs_put(outputs, make_alert(0, 10, PRIORITY_NOTICE));
	cr_assert(read(fd, line, sizeof(line)) > 0);
	close(fd);
	for (unsigned i = 1; i < 10; i++)
		outputs_put(outputs, make_alert(i, 10, PRIORITY_NOTICE));
	stop(outputs, 5 * SECOND, &stats);
	cr_expect_eq(stats.delivered, 1);
	cr_expect_eq(stats.failed, 9, "%lu", stats.failed);
}

/* ---- files ---------------------------------------------------------------------------------- */

static int file_stdout(char *path)
{
	int fd;

	strcpy(path, "/tmp/haetae-outputs-XXXXXX");
	fd = mkostemp(path, O_CLOEXEC);
	cr_assert(fd >= 0);
	cr_assert_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	return fd;
}

Test(outputs, file, .timeout = 60)
{
	char path[64];
	int fd = file_stdout(path);
	struct outputs *outputs = start(&json_sink, 4096);
	struct outputs_stats stats;

	for (unsigned i = 0; i < 1000; i++)
		outputs_put(outputs, make_alert(i, 1000, PRIORITY_NOTICE));
	stop(outputs, 30 * SECOND, &stats);
	lseek(fd, 0, SEEK_SET);
	cr_expect_eq(read_lines(fd), stats.delivered);
	cr_expect_eq(stats.delivered, 1000);
	unlink(path);
}

/* A full disk in the middle of a line; when there is space again, the next alert has a line of its
 * own. RLIMIT_FSIZE stands in for the disk. */
Test(outputs, torn_line, .timeout = 60)
{
	struct rlimit small = { 25, RLIM_INFINITY }, large = { RLIM_INFINITY, RLIM_INFINITY };
	char path[64], content[128] = "";
	struct outputs_stats stats;
	struct outputs *outputs;
	int fd = file_stdout(path);

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	outputs = start(&json_sink, 16);
	for (unsigned i = 0; i < 2; i++) { /* 21 bytes each */
		outputs_put(outputs, make_alert(i, 20, PRIORITY_NOTICE));
		do
			outputs_stats(outputs, &stats);
		while (stats.queued);
	}
	cr_expect_eq(stats.delivered, 1);
	cr_expect_eq(stats.failed, 1);
	setrlimit(RLIMIT_FSIZE, &large);
	outputs_put(outputs, make_alert(2, 5, PRIORITY_NOTICE));
	stop(outputs, 30 * SECOND, &stats);
	cr_expect_eq(stats.delivered, 2);
	lseek(fd, 0, SEEK_SET);
	cr_expect(read(fd, content, sizeof(content) - 1) > 0);
	cr_expect(strstr(content, "\n{1:x\n{2:x}\n"), "%s", content);
	unlink(path);
}

/* A terminal of somebody else, where a descriptor of our own can't be had, so that writes block.
 * Nobody reads it. Without the interruption the daemon would never end. */
Test(outputs, stopped_terminal, .timeout = 60)
{
	struct outputs_stats stats;
	struct outputs *outputs;
	int main_fd = posix_openpt(O_RDWR | O_NOCTTY), fd;
	uint64_t before_ns;

	cr_assert(main_fd >= 0 && grantpt(main_fd) == 0 && unlockpt(main_fd) == 0);
	fd = open(ptsname(main_fd), O_RDWR | O_NOCTTY);
	cr_assert(fd >= 0 && fchmod(fd, 0) == 0);
	cr_assert_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	close(fd);
	setfsuid(65534); /* root may open everything; it also loses that capability by this */
	outputs = start(&json_sink, 4096);
	for (unsigned i = 0; i < 2000; i++)
		outputs_put(outputs, make_alert(i, 100, PRIORITY_NOTICE));
	usleep(300000);
	before_ns = clock_boot_ns();
	stop(outputs, SECOND / 2, &stats);
	cr_expect(clock_boot_ns() - before_ns < 5 * SECOND);
	cr_expect(stats.delivered > 0 && stats.failed > 0, "%lu delivered, %lu failed",
		  stats.delivered, stats.failed);
	close(main_fd);
}

/* ---- the spool ------------------------------------------------------------------------------ */

/* How often a cursor was written (spool_cursor.c: in turn into two slots). */
static uint64_t generation_of(const char *dir, const char *sink)
{
	uint64_t slots[2] = { 0, 0 };
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/cursor-%s", dir, sink);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert(fd >= 0);
	for (unsigned i = 0; i < 2; i++)
		cr_assert(pread(fd, &slots[i], sizeof(slots[i]), 512 * i) >= 0);
	close(fd);
	return MAX(le64toh(slots[0]), le64toh(slots[1]));
}

static void remove_folder(const char *dir)
{
	char command[80];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

/* While there is always more in the queue, cursors are written and the disk is flushed all the
 * same: a crash after an hour of that must not repeat an hour. */
Test(outputs, cursors_under_load, .timeout = 60)
{
	enum {
		CNT = 20000,
		SIZE = 1000
	};
	char dir[] = "/tmp/haetae-outputs-XXXXXX", path[64];
	struct sink_config sink = json_sink;
	struct outputs_config config = { .sinks = &sink, .sink_cnt = 1, .queue_length = 32768 };
	struct outputs *outputs = NULL;
	struct outputs_stats stats;

	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/alerts", dir);
	sink.name = "f";
	sink.type = "file";
	sink.file.path = path;
	sink.is_durable = true;
	config.spool.dir = dir;
	cr_assert_eq(outputs_prepare(&config, &outputs), 0);
	for (unsigned i = 0; i < CNT; i++) {
		struct alert *alert = make_alert(i, SIZE, PRIORITY_NOTICE);

		snprintf(alert->uuid, sizeof(alert->uuid), "%08x-0000-8000-8000-000000000000", i);
		cr_assert(outputs_put(outputs, alert));
	}
	cr_assert_eq(outputs_run(outputs), 0);
	stop(outputs, 30 * SECOND, &stats);
	cr_expect_eq(stats.delivered, CNT);
	/* 40 MB, of which a batch has a quarter of one. */
	cr_expect_geq(generation_of(dir, "f"), 50, "%lu", generation_of(dir, "f"));
	remove_folder(dir);
}

/* ---- starting and stopping ------------------------------------------------------------------ */

Test(outputs, bad_configuration, .timeout = 60)
{
	struct sink_config unknown = json_sink;
	struct outputs *outputs = NULL;

	unknown.type = "pigeon";
	cr_expect_eq(outputs_start(&(struct outputs_config){ &unknown, 1, 16 }, &outputs), -EINVAL);
	cr_expect_eq(outputs_start(&(struct outputs_config){ &json_sink, 0, 16 }, &outputs),
		     -EINVAL);
	cr_expect_eq(outputs_start(&(struct outputs_config){ &json_sink, 99, 16 }, &outputs),
		     -EINVAL);
	cr_expect_null(outputs);
	outputs_stop(NULL, 0);
	cr_expect_null(outputs_free(NULL));
}

/* Freed without a stop, with and without alerts; stopped twice. */
Test(outputs, ends, .timeout = 60)
{
	struct outputs_stats stats;
	struct outputs *outputs;
	int fd = pipe_stdout(0);

	outputs_free(start(&json_sink, 16));
	outputs = start(&json_sink, 16);
	outputs_put(outputs, make_alert(0, 10, PRIORITY_NOTICE));
	outputs_free(outputs);
	outputs = start(&json_sink, 16);
	outputs_stop(outputs, clock_boot_ns() + SECOND);
	stop(outputs, SECOND, &stats);
	cr_expect_eq(stats.accepted, 0);
	close(fd);
}
