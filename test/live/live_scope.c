/* What is recorded and what is not: scopes, the daemon itself, calls without a program of their
 * own; and the accounts when more happens than the rings hold. */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "haetae/clock.h"

/* ---- generic
 * -------------------------------------------------------------------------------------- */

struct shared {
	struct facts facts;
	pid_t outsider, grandchild;
	uint64_t calls;
};

static void act_generic(void *data)
{
	struct shared *shared = data;

	facts_read(&shared->facts);
	syscall(SYS_getppid);
	syscall(SYS_fadvise64, -1, 0123, 0, 0);
	syscall(SYS_sched_getattr, -1, NULL, 0x1ffff);
	syscall(SYS_getpgid, 0); /* nobody wants this one */
}

Test(live_scope, generic_calls, .timeout = 300)
{
	static const char *const names[] = { "getppid", "fadvise64", "sched_getattr", NULL };
	const struct event *event;
	struct live live;
	struct shared *shared;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_generic);
	shared = live.shared;
	event = live_find(&live, EVENT_CODE_SYSCALL + SYS_getppid, 0);
	cr_assert(event != NULL);
	expect_header(event, &shared->facts, shared->facts.parent_pid, "getppid");
	event = live_find(&live, EVENT_CODE_SYSCALL + SYS_fadvise64, 0);
	cr_assert(event != NULL);
	expect_header(event, &shared->facts, -EBADF, "fadvise64");
	expect_number(event, PARAM_GENERIC_a1, 0123, "fadvise64");
	event = live_find(&live, EVENT_CODE_SYSCALL + SYS_sched_getattr, 0);
	cr_assert(event != NULL);
	expect_header(event, &shared->facts, -EINVAL, "sched_getattr");
	expect_number(event, PARAM_GENERIC_a1, 0, "sched_getattr");
	expect_number(event, PARAM_GENERIC_a2, 0x1ffff, "sched_getattr");
	cr_expect(live_count(&live, EVENT_CODE_SYSCALL + SYS_getpgid) == 0, "not wanted");
	live_done(&live);
}

/* ---- scopes
 * --------------------------------------------------------------------------------------- */

static void open_marked(const char *name)
{
	(void)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY);
}

static unsigned count_name(const struct live *live, const char *name)
{
	const struct event *event;
	unsigned cnt = 0;

	for (unsigned n = 0; (event = live_find(live, EVENT_OPENAT, n)); n++)
		cnt += str_eq_text(event_string(event, PARAM_OPENAT_name), name);
	return cnt;
}

/* A grandchild whose parent has gone stays in the scope. */
static void act_orphan(void *data)
{
	pid_t pid = fork();
	struct shared *shared = data;

	if (pid == 0) {
		if (fork() == 0) {
			usleep(100000);
			open_marked("/haetae/by-orphan");
			shared->calls = 1;
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	open_marked("/haetae/by-actor");
	for (int i = 0; i < 100 && !shared->calls; i++)
		usleep(10000);
	usleep(50000);
}

Test(live_scope, process_tree, .timeout = 300)
{
	static const char *const names[] = { "openat", NULL };
	struct live live;
	pid_t outsider = fork();

	if (outsider == 0) {
		for (int i = 0; i < 100; i++) {
			open_marked("/haetae/by-outsider");
			usleep(10000);
		}
		_exit(0);
	}
	live_run(&live, &(struct live_options){ .syscalls = names }, act_orphan);
	waitpid(outsider, NULL, 0);
	cr_expect(count_name(&live, "/haetae/by-actor") == 1);
	cr_expect(count_name(&live, "/haetae/by-orphan") == 1);
	cr_expect(count_name(&live, "/haetae/by-outsider") == 0);
	live_done(&live);
}

/* The scope is the tester itself and its children: what the tester does is the daemon's own. */
static void act_one(void *data)
{
	(void)data;
	open_marked("/haetae/by-actor");
}

Test(live_scope, not_the_daemon_itself, .timeout = 300)
{
	static const char *const names[] = { "openat", "read", "poll", NULL };
	struct live live;

	live_run(&live, &(struct live_options){ .syscalls = names, .is_not_self_scoped = true },
		 act_one);
	cr_expect(count_name(&live, "/haetae/by-actor") == 1);
	for (uint32_t i = 0; i < live.event_cnt; i++)
		cr_expect(live.events[i]->header->pid != (uint32_t)getpid(), "event %u is our own",
			  i);
	live_done(&live);
}

static char cgroup_path[256];

static void enter_cgroup(const char *below)
{
	char path[300], text[16];
	int fd;

	snprintf(path, sizeof(path), "%s%s/cgroup.procs", cgroup_path, below);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	snprintf(text, sizeof(text), "%d", getpid());
	(void)!write(fd, text, strlen(text));
	close(fd);
}

static void act_in_cgroup(void *data)
{
	struct shared *shared = data;
	pid_t pid;

	open_marked("/haetae/outside");
	pid = fork();
	if (pid == 0) {
		struct stat stat_buffer;

		enter_cgroup("");
		stat(cgroup_path, &stat_buffer);
		shared->calls = stat_buffer.st_ino;
		open_marked("/haetae/inside");
		enter_cgroup("/below");
		open_marked("/haetae/below");
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	open_marked("/haetae/outside");
}

static void run_in_cgroup(const char *root)
{
	static const char *const names[] = { "openat", NULL };
	struct live live;
	struct shared *shared;
	char below[300];

	snprintf(cgroup_path, sizeof(cgroup_path), "%s/haetae-live-%d", root, getpid());
	cr_assert(mkdir(cgroup_path, 0755) == 0, "%s: %s", cgroup_path, strerror(errno));
	snprintf(below, sizeof(below), "%s/below", cgroup_path);
	cr_assert(mkdir(below, 0755) == 0, "%s: %s", below, strerror(errno));
	live_run(&live, &(struct live_options){ .syscalls = names, .scope_cgroup = cgroup_path },
		 act_in_cgroup);
	rmdir(below);
	rmdir(cgroup_path);
	shared = live.shared;
	cr_expect(count_name(&live, "/haetae/below") == 1, "%s: a group in the group", root);
	cr_expect(count_name(&live, "/haetae/inside") == 1, "%s", root);
	cr_expect(count_name(&live, "/haetae/outside") == 0, "%s", root);
	for (uint32_t i = 0; i < live.event_cnt; i++)
		if (live.events[i]->code == EVENT_OPENAT &&
		    str_eq_text(event_string(live.events[i], PARAM_OPENAT_name), "/haetae/inside"))
			cr_expect(live.events[i]->header->cgroup_id == shared->calls,
				  "%s: cgroup %llu, want %llu", root,
				  live.events[i]->header->cgroup_id,
				  (unsigned long long)shared->calls);
	live_done(&live);
}

/* Where a hierarchy is mounted differs from host to host; at least one always is. */
Test(live_scope, cgroup, .timeout = 300)
{
	static const char *const roots[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup/memory",
					     "/sys/fs/cgroup" };
	unsigned cnt = 0;

	live_require();
	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		char procs[128];

		snprintf(procs, sizeof(procs), "%s/cgroup.procs", roots[i]);
		if (access(procs, W_OK) != 0)
			continue;
		run_in_cgroup(roots[i]);
		cnt++;
	}
	cr_expect(cnt > 0, "no cgroup hierarchy is mounted");
}

/* ---- overload
 * ------------------------------------------------------------------------------------- */

#define STORM_CALLS 200000

static void act_storm(void *data)
{
	struct shared *shared = data;
	pid_t pid;

	for (shared->calls = 0; shared->calls < STORM_CALLS; shared->calls++) {
		long fd = syscall(SYS_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);

		if (fd >= 0)
			close((int)fd);
	}
	pid = fork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	shared->grandchild = pid;
}

Test(live_scope, storm_of_opens, .timeout = 300)
{
	static const char *const names[] = { "openat", "procexit", NULL };
	const struct wire_counters *own;
	struct live live;
	struct shared *shared;
	uint64_t gaps = 0;

	live_run(&live,
		 &(struct live_options){
			 .syscalls = names, .ring_bytes = 262144, .is_unread = true },
		 act_storm);
	shared = live.shared;
	own = &live.counters.types[EVENT_OPENAT];
	cr_expect(own->generated >= STORM_CALLS, "generated %llu", own->generated);
	cr_expect(own->lost[WIRE_LOST_RING_FULL] > 0, "the ring is too small for them");
	for (unsigned cpu = 0; cpu < 64; cpu++)
		gaps += live.max_sequence[1][cpu] - live.seen[1][cpu];
	/* What was lost behind the last delivered record shows no gap. */
	cr_expect(gaps <= own->lost[WIRE_LOST_RING_FULL], "gaps %llu, lost %llu",
		  (unsigned long long)gaps, own->lost[WIRE_LOST_RING_FULL]);
	/* The storm cannot fill the ring of exec, fork and exit. */
	cr_expect(live.counters.types[EVENT_TASK_NEW].lost[WIRE_LOST_RING_FULL] == 0);
	cr_expect(live_count(&live, EVENT_PROCEXIT) >= 1);
	cr_expect(live_count(&live, EVENT_TASK_NEW) >= 1);
	(void)shared;
	live_done(&live);
}
