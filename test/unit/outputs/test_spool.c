/*
 * The spool, without a sink: what is written is read back by each user, whatever a crash or a bad
 * disk did to the files in between.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "haetae/clock.h"
#include "haetae/dead_letter.h"
#include "spool.h"

/* ---- helpers -------------------------------------------------------------------------------- */

#define USERS 2

struct fixture {
	char dir[64];
	struct spool *spool;
	struct spool_config config;
	uint64_t found[USERS], evicted[PRIORITY__COUNT];
};

static const char *const names[USERS] = { "one", "two" };

static void on_found(void *data, uint32_t user, const struct spool_frame *frame)
{
	struct fixture *fixture = data;

	(void)frame;
	fixture->found[user]++;
}

static void on_evicted(void *data, uint32_t user, const struct spool_frame *frame)
{
	struct fixture *fixture = data;

	(void)user;
	fixture->evicted[frame->parts.priority]++;
}

static int open_spool(struct fixture *fixture)
{
	const struct spool_events events = { on_found, on_evicted, fixture };

	memset(fixture->found, 0, sizeof(fixture->found));
	return spool_open(&fixture->config, names, USERS, &events, &fixture->spool);
}

static void start(struct fixture *fixture)
{
	*fixture = (struct fixture){ 0 };
	strcpy(fixture->dir, "/tmp/haetae-spool-XXXXXX");
	cr_assert(mkdtemp(fixture->dir));
	fixture->config.dir = fixture->dir;
	fixture->config.fsync = SPOOL_FSYNC_NEVER;
	cr_assert_eq(open_spool(fixture), 0);
}

static void close_spool(struct fixture *fixture)
{
	fixture->spool = spool_free(fixture->spool);
}

static void end(struct fixture *fixture)
{
	char command[128];

	close_spool(fixture);
	snprintf(command, sizeof(command), "rm -rf %s", fixture->dir);
	cr_assert_eq(system(command), 0);
}

static struct alert *make_alert(unsigned number, size_t size, enum priority priority)
{
	char uuid[37], *json = calloc(1, size + 32);
	struct alert *alert;
	int n = snprintf(json, 32, "{\"n\":%u,\"x\":\"", number);

	snprintf(uuid, sizeof(uuid), "%08x-0000-8000-8000-000000000000", number);
	memset(json + n, 'x', size);
	strcat(json, "\"}");
	alert = alert_restore(&(struct alert_parts){
		.wall_ns = 1000 + number,
		.priority = priority,
		.uuid = str_from(uuid),
		.rule = STR("A rule"),
		.tags = { "t1\0t2", 6 },
		.text = STR("text"),
		.json = str_from(json),
	});
	free(json);
	cr_assert(alert);
	return alert;
}

static int put(struct fixture *fixture, unsigned number, size_t size, enum priority priority)
{
	struct alert *alert = make_alert(number, size, priority);
	bool is_added = spool_add(fixture->spool, alert, STR_NONE);

	alert_free(alert);
	cr_assert(is_added);
	return spool_write(fixture->spool);
}

/* The number of the user's next alert; -1: none. */
static int next(struct fixture *fixture, uint32_t user)
{
	struct spool_position start_of;
	struct spool_frame frame;
	unsigned number;

	if (spool_read(fixture->spool, user, &frame, &start_of) != 0)
		return -1;
	cr_assert_eq(sscanf(frame.parts.uuid.p, "%8x", &number), 1);
	cr_assert_eq(frame.parts.wall_ns, 1000 + number);
	cr_assert(str_eq_text(frame.parts.rule, "A rule"));
	cr_assert_eq(frame.parts.tags.n, 6);
	return (int)number;
}

static struct spool_stats stats_of(struct fixture *fixture)
{
	struct spool_stats stats;

	spool_read_stats(fixture->spool, &stats);
	return stats;
}

static void path_of(const struct fixture *fixture, const char *name, char ret[128])
{
	snprintf(ret, 128, "%s/%s", fixture->dir, name);
}

static size_t read_file(const char *path, uint8_t *ret, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, ret, max);

	cr_assert(fd >= 0 && n >= 0, "%s: %s", path, strerror(errno));
	close(fd);
	return (size_t)n;
}

static void write_file(const char *path, const uint8_t *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	close(fd);
}

#define FIRST "0000000000000001.spool"

/* Three small alerts in the first segment, and nobody has read them. */
static size_t make_three(struct fixture *fixture, uint8_t *ret, size_t max)
{
	char path[128];

	start(fixture);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(put(fixture, i, 10, PRIORITY_NOTICE), 0);
	close_spool(fixture);
	path_of(fixture, FIRST, path);
	return read_file(path, ret, max);
}

/* ---- frames --------------------------------------------------------------------------------- */

Test(spool, frame)
{
	struct alert *alert = make_alert(7, 100, PRIORITY_CRITICAL);
	struct spool_frame frame;
	struct buf bytes;
	uint8_t *copy;

	buf_init(&bytes, 1u << 20);
	cr_assert(spool_frame_put(&bytes, alert, STR("sink")));
	copy = malloc(bytes.n);
	memcpy(copy, bytes.p, bytes.n);
	cr_assert_eq(spool_frame_decode(copy, bytes.n, &frame), 0);
	cr_expect_eq(frame.size, bytes.n);
	cr_expect(str_eq(frame.parts.json, alert->json) && str_eq(frame.parts.text, alert->text) &&
		  str_eq(frame.parts.tags, alert->tags) && str_eq_text(frame.sink, "sink"));
	cr_expect_eq(frame.parts.priority, PRIORITY_CRITICAL);
	for (size_t n = 0; n < bytes.n; n++)
		cr_expect_eq(spool_frame_decode(copy, n, &frame), SPOOL_FRAME_E_SHORT, "%zu", n);
	for (size_t i = 0; i < bytes.n * 8; i++) {
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
		cr_expect_neq(spool_frame_decode(copy, bytes.n, &frame), 0, "bit %zu", i);
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	free(copy);
	buf_done(&bytes);
	alert_free(alert);
}

/* A text that looks like a frame can't be one: its sync is no UTF-8. */
Test(spool, frame_too_large)
{
	struct alert *alert = make_alert(7, SPOOL_PAYLOAD_MAX, PRIORITY_CRITICAL);
	struct buf bytes;

	buf_init(&bytes, 64u << 20);
	cr_expect_not(spool_frame_put(&bytes, alert, STR_NONE));
	cr_expect_eq(bytes.n, 0);
	buf_init(&bytes, 100);
	alert_free(alert);
	alert = make_alert(7, 1000, PRIORITY_CRITICAL);
	cr_expect_not(spool_frame_put(&bytes, alert, STR_NONE));
	cr_expect_eq(bytes.n, 0);
	cr_expect_not(bytes.failed);
	buf_done(&bytes);
	alert_free(alert);
}

/* ---- crashes and bad disks ------------------------------------------------------------------ */

/* Cut off at every byte: all whole frames before are found, and what is written next as well. */
Test(spool, torn_tail, .timeout = 60)
{
	static uint8_t bytes[4096];
	struct fixture fixture;
	size_t n = make_three(&fixture, bytes, sizeof(bytes));
	size_t frame = (n - SPOOL_HEADER_BYTES) / 3;
	char path[128], command[128];

	path_of(&fixture, FIRST, path);
	for (size_t cut = 0; cut < n; cut++) {
		size_t whole = cut < SPOOL_HEADER_BYTES ? 0 : (cut - SPOOL_HEADER_BYTES) / frame;
		bool is_torn = cut > SPOOL_HEADER_BYTES && (cut - SPOOL_HEADER_BYTES) % frame != 0;
		int number;

		snprintf(command, sizeof(command), "rm -f %s/*.spool", fixture.dir);
		cr_assert_eq(system(command), 0);
		write_file(path, bytes, cut);
		cr_assert_eq(open_spool(&fixture), 0, "cut at %zu", cut);
		cr_expect_eq(fixture.found[0], whole, "cut at %zu: %lu", cut, fixture.found[0]);
		cr_expect_eq(stats_of(&fixture).torn, is_torn, "cut at %zu", cut);
		cr_expect_eq(stats_of(&fixture).damaged, 0, "cut at %zu", cut);
		cr_assert_eq(put(&fixture, 9, 10, PRIORITY_NOTICE), 0);
		for (size_t i = 0; i < whole; i++)
			cr_expect_eq(next(&fixture, 0), (int)i, "cut at %zu", cut);
		number = next(&fixture, 0);
		cr_expect_eq(number, 9, "cut at %zu: %d", cut, number);
		cr_expect_eq(next(&fixture, 0), -1);
		close_spool(&fixture);
		unlink("cursor-one");
	}
	end(&fixture);
}

/* Each byte of the middle frame changed: the others are found, the place is counted. */
Test(spool, damage_in_the_middle, .timeout = 60)
{
	static uint8_t bytes[4096];
	struct fixture fixture;
	size_t n = make_three(&fixture, bytes, sizeof(bytes));
	size_t frame = (n - SPOOL_HEADER_BYTES) / 3;
	char path[128];

	path_of(&fixture, FIRST, path);
	for (size_t i = 0; i < frame; i++) {
		size_t at = SPOOL_HEADER_BYTES + frame + i;

		bytes[at] ^= 0x41;
		write_file(path, bytes, n);
		bytes[at] ^= 0x41;
		cr_assert_eq(open_spool(&fixture), 0);
		cr_expect_eq(fixture.found[1], 2, "byte %zu: %lu", at, fixture.found[1]);
		cr_expect_eq(stats_of(&fixture).damaged, 1, "byte %zu", at);
		cr_expect_eq(stats_of(&fixture).torn, 0);
		cr_expect_eq(next(&fixture, 1), 0);
		cr_expect_eq(next(&fixture, 1), 2);
		cr_expect_eq(next(&fixture, 1), -1);
		close_spool(&fixture);
	}
	end(&fixture);
}

/* Far beyond a window of the reader. */
Test(spool, long_damage, .timeout = 60)
{
	struct fixture fixture;
	uint8_t *bytes = malloc(8 << 20);
	char path[128];
	size_t n;

	start(&fixture);
	for (unsigned i = 0; i < 40; i++)
		cr_assert_eq(put(&fixture, i, 50000, PRIORITY_NOTICE), 0);
	close_spool(&fixture);
	path_of(&fixture, FIRST, path);
	n = read_file(path, bytes, 8 << 20);
	memset(bytes + 60000, 0xff, 1000000);
	write_file(path, bytes, n);
	cr_assert_eq(open_spool(&fixture), 0);
	cr_expect_eq(fixture.found[0], 40 - 21, "%lu", fixture.found[0]);
	cr_expect_eq(next(&fixture, 0), 0);
	cr_expect_eq(next(&fixture, 0), 22);
	free(bytes);
	end(&fixture);
}

Test(spool, version_and_lock, .timeout = 60)
{
	static uint8_t bytes[4096];
	struct fixture fixture, other;
	size_t n = make_three(&fixture, bytes, sizeof(bytes));
	uint8_t header[SPOOL_HEADER_BYTES];
	char path[128];

	cr_assert_eq(open_spool(&fixture), 0);
	other = fixture;
	cr_expect_eq(open_spool(&other), SPOOL_E_LOCKED);
	cr_expect_eq(next(&fixture, 0), 0, "the first is not disturbed");
	close_spool(&fixture);
	/* A later version, with its checksum: nothing is touched. */
	path_of(&fixture, "00000000000000ff.spool", path);
	spool_header_make(0xff, header);
	cr_expect_eq(spool_header_check(header, sizeof(header), 0xff), 0);
	header[8] = 2;
	write_file(path, header, sizeof(header));
	cr_expect_eq(open_spool(&fixture), 0, "a wrong checksum says nothing about the version");
	close_spool(&fixture);
	header[24] = 0;
	for (unsigned i = 0; i < 24; i++)
		header[i] = bytes[i];
	cr_expect_eq(spool_header_check(bytes, n, 2), SPOOL_HEADER_E_DAMAGED);
	end(&fixture);
}

/* ---- bounds --------------------------------------------------------------------------------- */

Test(spool, eviction, .timeout = 60)
{
	struct fixture fixture;
	struct spool_stats stats;
	uint64_t warnings = 0, read_cnt = 0;
	int number, before = -1;

	start(&fixture);
	close_spool(&fixture);
	fixture.config.max_bytes = 1u << 20;
	fixture.config.segment_bytes = 64u << 10;
	cr_assert_eq(open_spool(&fixture), 0);
	/* Up to 90 % everything is admitted. */
	while (spool_admits(fixture.spool, PRIORITY_NOTICE))
		cr_assert_eq(put(&fixture, (unsigned)++before, 1000, PRIORITY_NOTICE), 0);
	stats = stats_of(&fixture);
	cr_expect(stats.bytes >= stats.max_bytes / 10 * 9 && stats.bytes <= stats.max_bytes);
	cr_expect_eq(stats.refused[PRIORITY_NOTICE], 1);
	/* Beyond, warnings; then the oldest go. */
	for (; warnings < 2000; warnings++) {
		cr_assert(spool_admits(fixture.spool, PRIORITY_WARNING));
		cr_assert_eq(put(&fixture, (unsigned)++before, 1000, PRIORITY_WARNING), 0);
		cr_assert(stats_of(&fixture).bytes <= stats.max_bytes);
	}
	stats = stats_of(&fixture);
	cr_expect_eq(stats.evicted[PRIORITY_NOTICE], fixture.evicted[PRIORITY_NOTICE]);
	cr_expect_gt(stats.evicted[PRIORITY_NOTICE], 0);
	cr_expect_gt(stats.evicted[PRIORITY_WARNING], 0);
	before = -1;
	while ((number = next(&fixture, 0)) >= 0) {
		cr_assert(before < 0 || number == before + 1);
		before = number;
		read_cnt++;
	}
	/* Both users lost the same: what is left and what went is what was written. */
	cr_expect_eq(read_cnt +
			     (stats.evicted[PRIORITY_NOTICE] + stats.evicted[PRIORITY_WARNING]) / 2,
		     stats.written);
	end(&fixture);
}

/* A monster does not push everything else out for nothing. */
Test(spool, larger_than_all, .timeout = 60)
{
	struct fixture fixture;

	start(&fixture);
	close_spool(&fixture);
	fixture.config.max_bytes = 1u << 20;
	cr_assert_eq(open_spool(&fixture), 0);
	cr_assert_eq(put(&fixture, 0, 10, PRIORITY_ALERT), 0);
	cr_expect_eq(put(&fixture, 1, 2u << 20, PRIORITY_ALERT), -EFBIG);
	cr_expect_eq(put(&fixture, 2, 10, PRIORITY_ALERT), 0);
	cr_expect_eq(next(&fixture, 0), 0);
	cr_expect_eq(next(&fixture, 0), 2);
	end(&fixture);
}

/* Nothing more fits: said, nothing half is left, and it works again. RLIMIT_FSIZE is the disk. */
Test(spool, disk_full, .timeout = 60)
{
	struct rlimit small = { 20000, RLIM_INFINITY }, large = { RLIM_INFINITY, RLIM_INFINITY };
	struct fixture fixture;
	unsigned cnt = 0;

	signal(SIGXFSZ, SIG_IGN);
	start(&fixture);
	setrlimit(RLIMIT_FSIZE, &small);
	while (put(&fixture, cnt, 1000, PRIORITY_NOTICE) == 0)
		cnt++;
	cr_expect(cnt >= 10 && cnt < 20, "%u", cnt);
	cr_expect(stats_of(&fixture).is_failing);
	cr_expect_not(spool_works(fixture.spool));
	cr_expect_lt(put(&fixture, 99, 1000, PRIORITY_NOTICE), 0);
	setrlimit(RLIMIT_FSIZE, &large);
	cr_expect_eq(put(&fixture, cnt, 1000, PRIORITY_NOTICE), 0);
	cr_expect(spool_works(fixture.spool));
	for (unsigned i = 0; i <= cnt; i++)
		cr_expect_eq(next(&fixture, 0), (int)i);
	cr_expect_eq(next(&fixture, 0), -1);
	end(&fixture);
}

/* ---- cursors -------------------------------------------------------------------------------- */

static unsigned count_segments(const struct fixture *fixture)
{
	char command[160];
	unsigned cnt = 0;
	FILE *pipe;

	snprintf(command, sizeof(command), "ls %s/*.spool 2>/dev/null | wc -l", fixture->dir);
	pipe = popen(command, "r");
	cr_assert_eq(fscanf(pipe, "%u", &cnt), 1);
	pclose(pipe);
	return cnt;
}

Test(spool, cursors, .timeout = 60)
{
	struct fixture fixture;

	start(&fixture);
	for (unsigned i = 0; i < 5; i++)
		cr_assert_eq(put(&fixture, i, 10, PRIORITY_NOTICE), 0);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_eq(next(&fixture, 0), (int)i);
	spool_commit(fixture.spool, 0, spool_at(fixture.spool, 0));
	cr_expect_eq(next(&fixture, 0), 3, "read, and not committed");
	cr_expect_eq(next(&fixture, 1), 0);
	close_spool(&fixture);
	cr_assert_eq(open_spool(&fixture), 0);
	cr_expect_eq(fixture.found[0], 2);
	cr_expect_eq(fixture.found[1], 5);
	cr_expect_eq(next(&fixture, 0), 3);
	cr_expect_eq(next(&fixture, 0), 4);
	cr_assert_eq(put(&fixture, 5, 10, PRIORITY_NOTICE), 0);
	cr_expect_eq(next(&fixture, 0), 5, "over the segment's end");
	spool_commit(fixture.spool, 0, spool_at(fixture.spool, 0));
	spool_tick(fixture.spool, clock_boot_ns() + NS_PER_SEC);
	cr_expect_eq(count_segments(&fixture), 2, "the other user needs it");
	for (int i = 0; i < 6; i++)
		cr_expect_eq(next(&fixture, 1), i);
	spool_commit(fixture.spool, 1, spool_at(fixture.spool, 1));
	spool_tick(fixture.spool, clock_boot_ns() + 2 * NS_PER_SEC);
	cr_expect_eq(count_segments(&fixture), 1, "all have passed the first");
	close_spool(&fixture);
	cr_assert_eq(open_spool(&fixture), 0);
	spool_tick(fixture.spool, clock_boot_ns() + 3 * NS_PER_SEC);
	cr_expect_eq(count_segments(&fixture), 0);
	/* Numbers are not used again, so that no cursor is behind what comes. */
	cr_assert_eq(put(&fixture, 6, 10, PRIORITY_NOTICE), 0);
	cr_expect_eq(next(&fixture, 0), 6);
	cr_expect_eq(next(&fixture, 1), 6);
	end(&fixture);
}

static void deliver(struct fixture *fixture, unsigned cnt, uint64_t now_ns)
{
	for (unsigned i = 0; i < cnt; i++) {
		(void)next(fixture, 0);
		spool_commit(fixture->spool, 0, spool_at(fixture->spool, 0));
		spool_tick(fixture->spool, now_ns);
	}
}

/* A start of the daemon that is killed: nothing is written that was not written before. All of it
 * happens at one time. */
static void deliver_and_die(struct fixture *fixture, unsigned cnt)
{
	pid_t child = fork();
	int status;

	cr_assert_geq(child, 0);
	if (child == 0) {
		uint64_t now_ns = clock_boot_ns();

		if (open_spool(fixture) != 0)
			_exit(1);
		spool_tick(fixture->spool, now_ns);
		deliver(fixture, cnt, now_ns);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
}

/* However short its life: what it has delivered does not all come again. */
Test(spool, killed_again_and_again, .timeout = 60)
{
	enum {
		ALERTS = 3000,
		SIZE = 300
	};
	const uint64_t few = (64u << 10) / SIZE;
	struct fixture fixture;

	start(&fixture);
	for (unsigned i = 0; i < ALERTS; i++)
		cr_assert_eq(put(&fixture, i, SIZE, PRIORITY_NOTICE), 0);
	close_spool(&fixture);
	deliver_and_die(&fixture, 10);
	deliver_and_die(&fixture, 10);
	cr_assert_eq(open_spool(&fixture), 0);
	/* The first of each is written at once. */
	cr_expect_leq(fixture.found[0], ALERTS - 2, "%lu", fixture.found[0]);
	cr_expect_geq(fixture.found[0], ALERTS - 20, "%lu", fixture.found[0]);
	close_spool(&fixture);
	deliver_and_die(&fixture, 1000);
	cr_assert_eq(open_spool(&fixture), 0);
	cr_expect_leq(fixture.found[0], ALERTS - 2 - 1000 + few, "%lu", fixture.found[0]);
	cr_expect_eq(fixture.found[1], ALERTS, "which has delivered nothing");
	end(&fixture);
}

/* One slot torn: the one before counts. Both: everything again, rather than nothing. */
Test(spool, damaged_cursor, .timeout = 60)
{
	static uint8_t bytes[4096];
	struct fixture fixture;
	char path[128];
	size_t n;

	start(&fixture);
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_eq(put(&fixture, i, 10, PRIORITY_NOTICE), 0);
		cr_expect_eq(next(&fixture, 0), (int)i);
		spool_commit(fixture.spool, 0, spool_at(fixture.spool, 0));
		spool_tick(fixture.spool, clock_boot_ns() + (i + 1) * NS_PER_SEC);
	}
	close_spool(&fixture);
	path_of(&fixture, "cursor-one", path);
	n = read_file(path, bytes, sizeof(bytes));
	cr_assert_eq(n, 512 + 32);
	bytes[8] ^= 1; /* the newest is generation 4: the first slot */
	write_file(path, bytes, n);
	cr_assert_eq(open_spool(&fixture), 0);
	cr_expect_eq(fixture.found[0], 1, "%lu", fixture.found[0]);
	close_spool(&fixture);
	memset(bytes, 0x55, n);
	write_file(path, bytes, n);
	cr_assert_eq(open_spool(&fixture), 0);
	cr_expect_eq(fixture.found[0], 3, "%lu", fixture.found[0]);
	cr_expect_eq(stats_of(&fixture).damaged, 1);
	end(&fixture);
}

/* A new sink gets what comes; one that is gone keeps nothing. */
Test(spool, sinks_come_and_go, .timeout = 60)
{
	static const char *const others[USERS] = { "two", "three" };
	struct fixture fixture;
	struct spool_events events = { on_found, on_evicted, &fixture };
	char path[128];

	start(&fixture);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(put(&fixture, i, 10, PRIORITY_NOTICE), 0);
	close_spool(&fixture);
	cr_assert_eq(spool_open(&fixture.config, others, USERS, &events, &fixture.spool), 0);
	cr_expect_eq(fixture.found[0], 3, "two");
	cr_expect_eq(fixture.found[1], 0, "three");
	cr_assert_eq(put(&fixture, 3, 10, PRIORITY_NOTICE), 0);
	cr_expect_eq(next(&fixture, 1), 3);
	path_of(&fixture, "cursor-one", path);
	cr_expect_eq(access(path, F_OK), -1);
	for (int i = 0; i < 4; i++)
		cr_expect_eq(next(&fixture, 0), i);
	end(&fixture);
}

/* ---- who may ------------------------------------------------------------------------------- */

Test(spool, modes_and_links, .timeout = 60)
{
	struct fixture fixture;
	struct stat status;
	char path[128], link[128];

	umask(0);
	start(&fixture);
	cr_assert_eq(put(&fixture, 0, 10, PRIORITY_NOTICE), 0);
	cr_assert_eq(stat(fixture.dir, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0700);
	path_of(&fixture, FIRST, path);
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0600);
	path_of(&fixture, "cursor-one", path);
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0600);
	close_spool(&fixture);
	/* Somebody's symlink is not followed. */
	path_of(&fixture, "victim", link);
	write_file(link, (const uint8_t *)"keep", 4);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(symlink(link, path), 0);
	cr_expect_eq(open_spool(&fixture), -ELOOP);
	cr_assert_eq(stat(link, &status), 0);
	cr_expect_eq(status.st_size, 4);
	end(&fixture);
}

/* ---- files that somebody changed ----------------------------------------------------------- */

Test(spool, frame_with_a_bad_uuid)
{
	static const char *const uuids[] = { "", "x\r\nHost: evil", "a b", "ok-1" };

	for (size_t i = 0; i < ARRAY_LEN(uuids); i++) {
		_cleanup_(buf_done) struct buf bytes;
		struct alert *alert = make_alert(1, 10, PRIORITY_NOTICE);
		struct spool_frame frame;

		buf_init(&bytes, 1u << 20);
		memset(alert->uuid, 0, sizeof(alert->uuid));
		strcpy(alert->uuid, uuids[i]);
		cr_assert(spool_frame_put(&bytes, alert, STR_NONE));
		cr_expect_eq(spool_frame_decode((const uint8_t *)bytes.p, bytes.n, &frame),
			     i == 3 ? 0 : SPOOL_FRAME_E_DAMAGED, "%s", uuids[i]);
		alert_free(alert);
	}
}

static bool count_letter(const struct dead_letter *letter, void *data)
{
	if (!letter)
		return false;
	++*(unsigned *)data;
	return str_eq_text(letter->parts.uuid, "ok-1") || str_eq_text(letter->parts.uuid, "ok-2");
}

#define LETTER(uuid, tags)                                                                        \
	"{\"time\":\"t\",\"reason\":\"r\",\"attempts\":1,\"uuid\":\"" uuid                        \
	"\",\"rule\":\"x\",\"priority\":\"Notice\",\"wall_ns\":1,\"tags\":" tags ",\"text\":\"\"" \
	",\"alert\":{}}\n"

Test(spool, letters_that_are_none)
{
	static const char lines[] =
		LETTER("ok-1", "[null,1,{},\"a\"]") LETTER("x\\r\\nHost: evil", "[]")
			LETTER("ok-2", "7") "{\"half\":1\n\n[]\n" LETTER("", "[]");
	struct fixture fixture;
	uint64_t skipped = 0, cnt = 0;
	unsigned seen = 0;
	char path[128];
	int dir_fd;

	start(&fixture);
	dir_fd = spool_dir_fd(fixture.spool);
	path_of(&fixture, "dead-one.jsonl", path);
	write_file(path, (const uint8_t *)lines, sizeof(lines) - 1);
	cr_assert_eq(dead_letters_each(dir_fd, "one", count_letter, &seen, &skipped), 0);
	cr_expect_eq(seen, 2, "%u", seen);
	cr_expect_eq(skipped, 4, "%u", (unsigned)skipped);
	/* Taken are the two; what nobody could choose stays. */
	cr_assert_eq(dead_letters_retry(dir_fd, "one", count_letter, &seen, &cnt), 0);
	cr_expect_eq(cnt, 2);
	seen = 0;
	cr_assert_eq(dead_letters_each(dir_fd, "one", count_letter, &seen, &skipped), 0);
	cr_expect_eq(seen, 0);
	cr_expect_eq(skipped, 4, "%u", (unsigned)skipped);
	cr_assert_eq(dead_letters_take_retries(dir_fd, "one", count_letter, &seen, &skipped), 0);
	cr_expect_eq(seen, 2);
	cr_expect_eq(skipped, 0);
	end(&fixture);
}
