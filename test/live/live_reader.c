/*
 * The reader's side: seeds, wake-ups, limits, a changed want, refusals. A helper process, which the
 * actor makes before it is watched, makes calls when the test says so.
 */
#include "live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "haetae/clock.h"

/* To the helper: how many calls of which kind. Answered when they are made. */
struct order {
	long nr;
	unsigned cnt;
	int cpu; /* -1: any */
};

/* Made before the run, so that both sides have them. */
static int order_pipe[2], done_pipe[2];

struct reader_notes {
	struct facts actor, helper;
	struct stat exe;
	pid_t helper_pid, threaded_pid;
};

static void helper_run(struct reader_notes *notes)
{
	struct order order;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	facts_read(&notes->helper);
	while (read(order_pipe[0], &order, sizeof(order)) == sizeof(order) && order.nr >= 0) {
		cpu_set_t cpus;

		if (order.cpu >= 0) {
			CPU_ZERO(&cpus);
			CPU_SET((size_t)order.cpu, &cpus);
			sched_setaffinity(0, sizeof(cpus), &cpus);
		}
		for (unsigned i = 0; i < order.cnt; i++)
			syscall(order.nr, -1, 0, 0, 0);
		(void)!write(done_pipe[1], "d", 1);
	}
	_exit(0);
}

static void *sleep_run(void *data)
{
	pause();
	return data;
}

/* A process with two threads. */
static void threaded_run(void)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pthread_create(&thread, NULL, sleep_run, NULL) == 0)
		(void)!write(done_pipe[1], "t", 1);
	pause();
	_exit(0);
}

static void reader_prepare(void *data)
{
	struct reader_notes *notes = data;
	char byte;
	pid_t pid = fork();

	if (pid == 0)
		helper_run(notes);
	notes->helper_pid = pid;
	pid = fork();
	if (pid == 0)
		threaded_run();
	notes->threaded_pid = pid;
	ACTOR_CHECK(read(done_pipe[0], &byte, 1) == 1 && byte == 't');
	facts_read(&notes->actor);
	ACTOR_CHECK(stat("/proc/self/exe", &notes->exe) == 0);
}

static void reader_act(void *data)
{
	struct reader_notes *notes = data;

	/* The orders' end; the helper then ends, watched. */
	kill(notes->threaded_pid, SIGKILL);
	live_wait(notes->threaded_pid);
	live_wait(notes->helper_pid);
}

static void order(long nr, unsigned cnt, int cpu)
{
	struct order order = { nr, cnt, cpu };
	char byte;

	cr_assert(write(order_pipe[1], &order, sizeof(order)) == sizeof(order));
	if (nr >= 0)
		cr_assert(read(done_pipe[0], &byte, 1) == 1);
}

static void reader_run(struct live *live, const char *const *names,
		       void (*ready)(struct live *live, struct probes *probes), uint32_t ring_bytes)
{
	cr_assert(pipe2(order_pipe, O_CLOEXEC) == 0 && pipe2(done_pipe, O_CLOEXEC) == 0);
	live_run(live,
		 &(struct live_options){ .syscalls = names,
					 .prepare = reader_prepare,
					 .ready = ready,
					 .ring_bytes = ring_bytes,
					 .is_unread = true },
		 reader_act);
	for (int i = 0; i < 2; i++) {
		close_fdp(&order_pipe[i]);
		close_fdp(&done_pipe[i]);
	}
}

static const char *const getsid_only[] = { "getsid", NULL };

/* ---- seeds (decision 17) ----------------------------------------------------------------------
 */

static void end_orders(struct live *live, struct probes *probes)
{
	(void)live;
	(void)probes;
	order(-1, 0, -1);
}

static const struct event *seed_of(const struct live *live, uint32_t pid)
{
	for (uint32_t i = 0; i < live->seed_cnt; i++)
		if (live->seeds[i]->header->pid == pid)
			return live->seeds[i];
	return NULL;
}

static uint64_t stamp_ns(struct timespec stamp)
{
	return (uint64_t)stamp.tv_sec * 1000000000ULL + (uint64_t)stamp.tv_nsec;
}

static void check_seed(const struct live *live, const struct facts *facts, const char *what)
{
	const struct reader_notes *notes = live->shared;
	const struct event *seed = seed_of(live, facts->pid);

	cr_assert(seed != NULL, "%s", what);
	expect_header(seed, facts, 0, what);
	cr_expect(seed->header->flags & WIRE_STATE, "%s: flags 0x%x", what, seed->header->flags);
	cr_expect(!(seed->header->flags & WIRE_MULTITHREADED), "%s", what);
	expect_number(seed, PARAM_TASK_SEED_reader_pid, facts->pid, what);
	expect_number(seed, PARAM_TASK_SEED_exe_ino, (int64_t)notes->exe.st_ino, what);
	expect_number(seed, PARAM_TASK_SEED_exe_ino_ctime, (int64_t)stamp_ns(notes->exe.st_ctim),
		      what);
	expect_number(seed, PARAM_TASK_SEED_exe_ino_mtime, (int64_t)stamp_ns(notes->exe.st_mtim),
		      what);
}

/* Each process of /proc that was there before and is there after must have been given. */
static void check_all_processes(const struct live *live)
{
	DIR *directory = opendir("/proc");
	const struct dirent *entry;

	cr_assert_not_null(directory);
	while ((entry = readdir(directory))) {
		int pid = atoi(entry->d_name);
		char path[64], text[512] = "";
		unsigned long long start = 0;
		int fd;

		/* Some machines keep their init from BPF. */
		if (pid <= 1)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (read(fd, text, sizeof(text) - 1) > 0 && strrchr(text, ')'))
			sscanf(strrchr(text, ')') + 2,
			       "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
			       "%*d %*d %*d %llu",
			       &start);
		close(fd);
		/* Of the last ten seconds: may be younger than the seeds. */
		if (start == 0 || start + 1000 > clock_boot_ns() / 10000000)
			continue;
		cr_expect(seed_of(live, (uint32_t)pid) != NULL, "process %d has no seed", pid);
	}
	closedir(directory);
}

Test(live_reader, seeds_are_all_processes, .timeout = 300)
{
	struct live live;
	const struct reader_notes *notes;
	const struct event *seed;

	reader_run(&live, getsid_only, end_orders, 0);
	notes = live.shared;
	check_seed(&live, &notes->actor, "the actor");
	check_seed(&live, &notes->helper, "its child");
	seed = seed_of(&live, (uint32_t)notes->threaded_pid);
	cr_assert(seed != NULL);
	cr_expect(seed->header->flags & WIRE_MULTITHREADED, "two threads");
	seed = seed_of(&live, (uint32_t)getpid());
	cr_assert(seed != NULL, "the reader itself, outside of the scope: an ancestor");
	cr_expect(seed->header->start_ns ==
			  seed_of(&live, notes->actor.pid)->header->parent_start_ns,
		  "parents are found by pid and start");
	check_all_processes(&live);
	for (uint32_t i = 0; i < live.seed_cnt; i++)
		for (uint32_t j = 0; j < i; j++)
			cr_expect(live.seeds[i]->header->pid != live.seeds[j]->header->pid,
				  "process %u is given twice", live.seeds[i]->header->pid);
	live_done(&live);
}

/* ---- wake-ups (decision 19) -------------------------------------------------------------------
 */

static bool is_woken(const struct probes *probes, int timeout_ms)
{
	struct pollfd fd = { .fd = probes_poll_fd(probes), .events = POLLIN };

	return poll(&fd, 1, timeout_ms) == 1;
}

static void drain_all(struct live *live, struct probes *probes)
{
	while (live_drain(live, probes, 0) > 0)
		;
	/* epoll looks again and finds nothing. */
	cr_expect(!is_woken(probes, 0), "readable with nothing to read");
}

static void check_wakes(struct live *live, struct probes *probes)
{
	struct probes_want want;

	drain_all(live, probes);
	for (int i = 0; i < 20; i++) { /* each time anew: the first is easy */
		order(SYS_getsid, 1, -1);
		cr_expect(is_woken(probes, 5000), "round %d: not woken", i);
		cr_expect(live_drain(live, probes, 0) == 1, "round %d", i);
	}
	drain_all(live, probes);
	/* What no rule looks at wakes nobody and is there all the same. */
	live_want(getsid_only, &want);
	want.is_evaluated[EVENT_GENERIC] = false;
	cr_assert(probes_want(probes, &want) == 0);
	order(SYS_getsid, 3, -1);
	cr_expect(!is_woken(probes, 200), "woken for what no rule looks at");
	cr_expect(live_drain(live, probes, 0) == 3);
	/* Until a quarter of the ring is full. */
	order(SYS_getsid, 500, -1);
	cr_expect(is_woken(probes, 5000), "a ring that fills wakes");
	drain_all(live, probes);
	order(-1, 0, -1);
}

Test(live_reader, wakes_for_what_rules_look_at, .timeout = 300)
{
	struct live live;
	unsigned state_cnt = 0;

	reader_run(&live, getsid_only, check_wakes, 262144);
	cr_expect(live_count(&live, EVENT_CODE_SYSCALL + SYS_getsid) == 523, "%u",
		  live_count(&live, EVENT_CODE_SYSCALL + SYS_getsid));
	for (uint32_t i = 0; i < live.event_cnt; i++)
		state_cnt += live.events[i]->code == EVENT_CODE_SYSCALL + SYS_getsid &&
			     live.events[i]->header->flags & WIRE_STATE;
	cr_expect(state_cnt == 503, "%u", state_cnt);
	live_done(&live);
}

/* ---- a limit of records, a changed want -------------------------------------------------------
 */

static void check_limits(struct live *live, struct probes *probes)
{
	static const char *const none[] = { NULL };
	struct probes_want want;

	order(SYS_getsid, 10, -1);
	cr_expect(live_drain(live, probes, 3) == 3);
	cr_expect(live_drain(live, probes, 1) == 1);
	cr_expect(is_woken(probes, 1000), "there is more");
	cr_expect(live_drain(live, probes, 0) == 6);
	cr_expect(live_drain(live, probes, 0) == 0);

	live_want(none, &want);
	cr_assert(probes_want(probes, &want) == 0);
	order(SYS_getsid, 10, -1);
	cr_expect(live_drain(live, probes, 0) == 0, "not wanted any more");
	live_want(getsid_only, &want);
	cr_assert(probes_want(probes, &want) == 0);
	order(SYS_getsid, 2, -1);
	cr_expect(live_drain(live, probes, 0) == 2, "wanted again");
	order(-1, 0, -1);
}

Test(live_reader, takes_no_more_than_asked, .timeout = 300)
{
	struct live live;

	reader_run(&live, getsid_only, check_limits, 0);
	cr_expect(live_count(&live, EVENT_CODE_SYSCALL + SYS_getsid) == 12);
	cr_expect(live.counters.types[EVENT_GENERIC].generated == 12, "%llu",
		  live.counters.types[EVENT_GENERIC].generated);
	live_done(&live);
}

/* ---- refusals ---------------------------------------------------------------------------------
 */

static void no_record(const void *record, uint32_t length, void *data)
{
	(void)record;
	(void)length;
	(void)data;
}

static bool is_one_line(const char *text)
{
	return *text && !strchr(text, '\n');
}

static unsigned count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned cnt = 0;

	while (directory && readdir(directory))
		cnt++;
	closedir(directory);
	return cnt;
}

Test(live_reader, refuses_scopes_that_are_none, .timeout = 300)
{
	static const struct {
		const char *name, *cgroup;
		uint32_t pid;
	} refusals[] = {
		{ "no such process", NULL, 0x7ffffff0 },
		{ "no such directory", "/haetae/none", 0 },
		{ "no control group", "/tmp", 0 },
		{ "no directory", "/proc/self/stat", 0 },
	};
	unsigned before;

	live_require();
	before = count_descriptors();
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct probes_error error = { "", "" };
		struct probes *probes = NULL;
		struct probes_config config;
		struct probes_want want;

		probes_config_default(&config);
		config.scope_pid = refusals[i].pid;
		config.scope_cgroup = refusals[i].cgroup;
		live_want(getsid_only, &want);
		cr_expect(probes_open(&config, &want, &probes, &error) == PROBES_E_USAGE, "%s",
			  refusals[i].name);
		cr_expect(probes == NULL, "%s", refusals[i].name);
		cr_expect(is_one_line(error.what) && is_one_line(error.fix), "%s: %s; %s",
			  refusals[i].name, error.what, error.fix);
	}
	cr_expect(count_descriptors() == before, "descriptors are left open");
}

/* The scope's process ends between open and seed. */
Test(live_reader, says_when_the_scope_has_ended, .timeout = 300)
{
	struct probes_error error = { "", "" };
	struct probes *probes = NULL;
	struct probes_config config;
	struct probes_want want;
	pid_t pid;

	live_require();
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	probes_config_default(&config);
	config.scope_pid = (uint32_t)pid;
	live_want(getsid_only, &want);
	cr_assert(probes_open(&config, &want, &probes, &error) == 0, "%s", error.what);
	cr_assert(probes_attach(probes, &error) == 0, "%s", error.what);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	cr_expect(probes_seed(probes, no_record, NULL, &error) == PROBES_E_USAGE);
	cr_expect(is_one_line(error.what) && is_one_line(error.fix), "%s", error.what);
	probes_free(probes);
}

/* Without rights: an outcome with words, not a crash; in a child, because they don't come back. */
Test(live_reader, says_what_rights_are_missing, .timeout = 300)
{
	pid_t pid;
	int status;

	live_require();
	pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0) {
		struct probes_error error = { "", "" };
		struct probes *probes = NULL;
		struct probes_config config;
		struct probes_want want = { 0 };

		if (setgroups(0, NULL) || setresgid(1000, 1000, 1000) ||
		    setresuid(1000, 1000, 1000))
			_exit(1);
		probes_config_default(&config);
		if (probes_open(&config, &want, &probes, &error) != PROBES_E_HOST)
			_exit(2);
		if (!strstr(error.what, "CAP_BPF") || !is_one_line(error.what))
			_exit(3);
		_exit(is_one_line(error.fix) ? 0 : 4);
	}
	cr_assert(waitpid(pid, &status, 0) == pid);
	cr_expect(status == 0, "0x%x", status);
}

/* ---- losses: each one leaves a gap in a sequence ----------------------------------------------
 */

/* The ring is full; then it is empty, and one record of each CPU closes what is missing. */
static void check_gaps(struct live *live, struct probes *probes)
{
	for (int round = 0; round < 3; round++) {
		order(SYS_getsid, 2000, -1);
		drain_all(live, probes);
	}
	for (int cpu = 0; cpu < (int)sysconf(_SC_NPROCESSORS_CONF); cpu++) {
		order(SYS_getsid, 1, cpu);
		drain_all(live, probes);
	}
	order(-1, 0, -1);
}

static uint64_t reported_loss;

static void read_loss(struct live *live, struct probes *probes)
{
	struct probes_cgroup_loss top[4];
	uint64_t other = 0;
	uint32_t cnt = probes_read_cgroup_loss(probes, top, ARRAY_LEN(top), &other);
	const struct event *seed = seed_of(live, (uint32_t)live->actor);

	cr_assert(cnt >= 1);
	cr_expect(seed && top[0].cgroup_id == seed->header->cgroup_id, "the helper's group");
	for (uint32_t i = 1; i < cnt; i++)
		cr_expect(top[i - 1].lost >= top[i].lost, "largest first");
	reported_loss = other;
	for (uint32_t i = 0; i < cnt; i++)
		reported_loss += top[i].lost;
	/* No room: all of it is in the rest. */
	cr_expect(probes_read_cgroup_loss(probes, NULL, 0, &other) == 0);
	cr_expect(other == reported_loss, "%llu", (unsigned long long)other);
}

Test(live_reader, gaps_are_the_losses, .timeout = 300)
{
	struct live live;
	const struct wire_counters *own;
	uint64_t missing = 0;

	cr_assert(pipe2(order_pipe, O_CLOEXEC) == 0 && pipe2(done_pipe, O_CLOEXEC) == 0);
	live_run(&live,
		 &(struct live_options){ .syscalls = getsid_only,
					 .prepare = reader_prepare,
					 .ready = check_gaps,
					 .finished = read_loss,
					 .ring_bytes = 65536,
					 .is_unread = true },
		 reader_act);
	own = &live.counters.types[EVENT_GENERIC];
	cr_expect(own->generated == 6000 + (uint64_t)sysconf(_SC_NPROCESSORS_CONF), "%llu",
		  own->generated);
	cr_expect(own->lost[WIRE_LOST_RING_FULL] > 3000, "%llu", own->lost[WIRE_LOST_RING_FULL]);
	for (unsigned cpu = 0; cpu < ARRAY_LEN(live.seen[1]); cpu++)
		missing += live.max_sequence[1][cpu] - live.seen[1][cpu];
	cr_expect(missing == own->lost[WIRE_LOST_RING_FULL], "%llu numbers missing, %llu lost",
		  (unsigned long long)missing, own->lost[WIRE_LOST_RING_FULL]);
	cr_expect(reported_loss == own->lost[WIRE_LOST_RING_FULL], "%llu by control group",
		  (unsigned long long)reported_loss);
	/* The lifecycle ring has nothing to do with it. */
	cr_expect(live.max_sequence[0][0] + live.max_sequence[0][1] >= 1);
	cr_expect(live.counters.types[EVENT_PROCEXIT].lost[WIRE_LOST_RING_FULL] == 0);
	live_done(&live);
}
