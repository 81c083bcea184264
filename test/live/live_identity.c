/*
 * Who made the call: every member of the header, for tasks of each kind, against what libc, /proc
 * and the parent say.
 */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>

static const char *const getpgid_only[] = { "getpgid", NULL };

/* ---- tasks of many kinds ----------------------------------------------------------------------
 */

static void be_plain(void)
{
}

static void be_users(void)
{
	ACTOR_CHECK(setgroups(0, NULL) == 0);
	ACTOR_CHECK(setresgid(3000, 4000, 5000) == 0 && setresuid(1000, 2000, 3000) == 0);
	/* Else /proc/self is root's. */
	ACTOR_CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
}

static void be_large_user(void)
{
	ACTOR_CHECK(setresgid(4294967294u, 4294967294u, 4294967294u) == 0);
	ACTOR_CHECK(setresuid(4294967294u, 4294967294u, 4294967294u) == 0);
	ACTOR_CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
}

static void be_capable(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { 0 };

	ACTOR_CHECK(syscall(SYS_capget, &header, sets) == 0);
	sets[0].effective &= 1u << CAP_KILL | 1u << CAP_CHOWN;
	sets[0].inheritable = 1u << CAP_NET_RAW | 1u << CAP_KILL;
	sets[0].permitted |= 1u << CAP_NET_RAW;
	sets[1].effective = 0;
	sets[1].inheritable = 1u << (CAP_BPF - 32);
	ACTOR_CHECK(syscall(SYS_capset, &header, sets) == 0);
}

static void be_session_leader(void)
{
	ACTOR_CHECK(setsid() == getpid());
}

static void be_group_leader(void)
{
	ACTOR_CHECK(setpgid(0, 0) == 0);
}

static void be_at_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	char name[64];

	ACTOR_CHECK(setsid() == getpid());
	if (master < 0) /* no devpts */
		return;
	ACTOR_CHECK(grantpt(master) == 0 && unlockpt(master) == 0);
	ACTOR_CHECK(ptsname_r(master, name, sizeof(name)) == 0);
	slave = open(name, O_RDWR | O_NOCTTY);
	ACTOR_CHECK(slave >= 0 && ioctl(slave, TIOCSCTTY, 0) == 0);
}

static void be_named_hostile(void)
{
	ACTOR_CHECK(prctl(PR_SET_NAME, "\x01\n\x1b[2J\x7f\xff\xc0)(") == 0);
}

static void be_named_long(void)
{
	ACTOR_CHECK(prctl(PR_SET_NAME, "123456789012345678") == 0);
}

static void be_named_empty(void)
{
	ACTOR_CHECK(prctl(PR_SET_NAME, "") == 0);
}

/* May be refused (no audit, or already set for good); then it stays what it was. */
static void be_logged_in(void)
{
	int fd = open("/proc/self/loginuid", O_WRONLY);

	if (fd >= 0)
		(void)!write(fd, "4242", 4);
	close_fdp(&fd);
}

static void be_in_mount_namespace(void)
{
	ACTOR_CHECK(unshare(CLONE_NEWNS) == 0);
}

static const struct kind {
	const char *name;
	void (*be)(void);
} kinds[] = {
	{ "a child", be_plain },
	{ "another user, four ids", be_users },
	{ "a user of 32 bits", be_large_user },
	{ "some capabilities", be_capable },
	{ "a session leader", be_session_leader },
	{ "a group leader", be_group_leader },
	{ "at a terminal", be_at_terminal },
	{ "a name of control characters", be_named_hostile },
	{ "a name that was cut", be_named_long },
	{ "no name", be_named_empty },
	{ "logged in", be_logged_in },
	{ "a mount namespace of its own", be_in_mount_namespace },
};

struct identities {
	struct facts rows[ARRAY_LEN(kinds)];
	struct facts thread;
	struct facts outer, inner;
	pid_t inner_pid; /* as its parent sees it */
	uint32_t inner_ns;
};

/* The mark first: facts_read() makes calls, but none that is wanted. */
static void identities_act(void *data)
{
	struct identities *notes = data;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		pid_t pid = fork();

		if (pid == 0) {
			kinds[i].be();
			facts_read(&notes->rows[i]);
			live_mark(i);
			syscall(SYS_getpgid, 0);
			_exit(0);
		}
		live_wait(pid);
	}
}

Test(live_identity, tasks_of_many_kinds, .timeout = 300)
{
	struct live live;
	const struct identities *notes;

	live_run(&live,
		 &(struct live_options){ .syscalls = getpgid_only,
					 .shared_bytes = sizeof(struct identities) },
		 identities_act);
	notes = live.shared;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct facts *facts = &notes->rows[i];
		const struct event *event = live_marked(&live, i, EVENT_CODE_SYSCALL + SYS_getpgid);

		cr_assert(event != NULL, "%s: no event", kinds[i].name);
		expect_header(event, facts, facts->group_id, kinds[i].name);
		cr_expect(!(event->header->flags & WIRE_MULTITHREADED), "%s", kinds[i].name);
		cr_expect(event->header->syscall_nr == SYS_getpgid, "%s", kinds[i].name);
	}
	cr_expect(notes->rows[1].uid != notes->rows[1].euid, "the case itself");
	cr_expect(notes->rows[3].cap_inheritable != 0, "the case itself");
	live_done(&live);
}

/* ---- a thread ---------------------------------------------------------------------------------
 */

static void *thread_run(void *data)
{
	struct identities *notes = data;

	ACTOR_CHECK(prctl(PR_SET_NAME, "the thread") == 0);
	facts_read(&notes->thread);
	live_mark(1);
	syscall(SYS_getpgid, 0);
	return NULL;
}

static void thread_act(void *data)
{
	pthread_t thread;

	ACTOR_CHECK(pthread_create(&thread, NULL, thread_run, data) == 0);
	ACTOR_CHECK(pthread_join(thread, NULL) == 0);
}

Test(live_identity, a_thread, .timeout = 300)
{
	struct live live;
	const struct identities *notes;
	const struct event *event;

	live_run(&live,
		 &(struct live_options){ .syscalls = getpgid_only,
					 .shared_bytes = sizeof(struct identities) },
		 thread_act);
	notes = live.shared;
	event = live_marked(&live, 1, EVENT_CODE_SYSCALL + SYS_getpgid);
	cr_assert(event != NULL);
	expect_header(event, &notes->thread, notes->thread.group_id, "a thread");
	cr_expect(event->header->tid != event->header->pid);
	cr_expect(event->header->flags & WIRE_MULTITHREADED);
	cr_expect(live_count(&live, EVENT_TASK_NEW) == 0, "a thread is no process");
	live_done(&live);
}

/* ---- pid and user namespaces ------------------------------------------------------------------
 */

/* Of init's session, in a group of its own: all numbers of it differ. */
static void inner_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		ACTOR_CHECK(getpid() == 2 && setpgid(0, 0) == 0);
		live_mark(2);
		syscall(SYS_getpgid, 0);
		_exit(0);
	}
	live_wait(pid);
}

static void inner_run(struct identities *notes)
{
	char text[64] = "";

	ACTOR_CHECK(getpid() == 1);
	ACTOR_CHECK(setsid() == 1);
	ACTOR_CHECK(readlink("/proc/self/ns/pid", text, sizeof(text) - 1) > 0);
	ACTOR_CHECK(sscanf(text, "pid:[%u]", &notes->inner_ns) == 1);
	facts_read(&notes->inner);
	live_mark(1);
	syscall(SYS_getpgid, 0);
	inner_child();
	_exit(0);
}

static void namespaces_act(void *data)
{
	struct identities *notes = data;
	pid_t pid;

	facts_read(&notes->outer);
	ACTOR_CHECK(unshare(CLONE_NEWPID | CLONE_NEWNS) == 0);
	pid = fork();
	if (pid == 0)
		inner_run(notes);
	notes->inner_pid = pid;
	live_wait(pid);
}

static void check_inner_child(const struct live *live, const struct wire_header *init)
{
	const struct event *event = live_marked(live, 2, EVENT_CODE_SYSCALL + SYS_getpgid);
	const struct wire_header *header;

	cr_assert(event != NULL);
	header = event->header;
	cr_expect(header->ns_pid == 2 && header->ns_tid == 2, "%u", header->ns_pid);
	cr_expect(header->ns_parent_pid == 1, "%u", header->ns_parent_pid);
	cr_expect(header->ns_session_id == 1, "%u", header->ns_session_id);
	cr_expect(header->ns_group_id == 2, "%u", header->ns_group_id);
	cr_expect(header->parent_pid == init->pid && header->session_id == init->pid);
	cr_expect(header->group_id == header->pid && header->pid != init->pid);
	cr_expect(header->parent_start_ns == init->start_ns && header->pid_ns == init->pid_ns);
}

Test(live_identity, the_init_of_a_pid_namespace, .timeout = 300)
{
	struct live live;
	const struct identities *notes;
	const struct wire_header *header;
	const struct event *event;
	uint64_t start = 0;

	live_run(&live,
		 &(struct live_options){ .syscalls = getpgid_only,
					 .shared_bytes = sizeof(struct identities) },
		 namespaces_act);
	notes = live.shared;
	event = live_marked(&live, 1, EVENT_CODE_SYSCALL + SYS_getpgid);
	cr_assert(event != NULL);
	header = event->header;
	cr_expect(header->pid == (uint32_t)notes->inner_pid, "%u", header->pid);
	cr_expect(header->tid == (uint32_t)notes->inner_pid, "%u", header->tid);
	cr_expect(header->parent_pid == (uint32_t)live.actor, "%u", header->parent_pid);
	cr_expect(header->session_id == (uint32_t)notes->inner_pid, "%u", header->session_id);
	cr_expect(header->group_id == (uint32_t)notes->inner_pid, "%u", header->group_id);
	cr_expect(header->ns_pid == 1 && header->ns_tid == 1, "%u", header->ns_pid);
	cr_expect(header->ns_parent_pid == 0, "nobody in there: %u", header->ns_parent_pid);
	cr_expect(header->ns_session_id == 1 && header->ns_group_id == 1);
	cr_expect(header->pid_ns == notes->inner_ns && header->pid_ns != notes->outer.pid_ns);
	cr_expect(header->mnt_ns != notes->outer.mnt_ns && header->mnt_ns == notes->inner.mnt_ns);
	start = header->start_ns;
	check_inner_child(&live, header);
	event = live_find(&live, EVENT_TASK_NEW, 0);
	cr_assert(event != NULL);
	expect_number(event, PARAM_TASK_NEW_child_pid, notes->inner_pid, "fork");
	expect_number(event, PARAM_TASK_NEW_child_ns_pid, 1, "fork");
	expect_number(event, PARAM_TASK_NEW_child_pid_ns, notes->inner_ns, "fork");
	expect_number(event, PARAM_TASK_NEW_child_start, (int64_t)start, "fork");
	live_done(&live);
}

static void user_act(void *data)
{
	struct identities *notes = data;
	pid_t pid = fork();

	if (pid == 0) {
		facts_read(&notes->outer);
		if (unshare(CLONE_NEWUSER))
			_exit(0); /* not allowed here: there is no mark */
		facts_read(&notes->inner);
		live_mark(1);
		syscall(SYS_getpgid, 0);
		_exit(0);
	}
	live_wait(pid);
}

/* Ids are those of the initial namespace, where nobody can rename himself. */
Test(live_identity, a_user_namespace, .timeout = 300)
{
	struct live live;
	const struct identities *notes;
	const struct event *event;
	struct facts want;

	live_run(&live,
		 &(struct live_options){ .syscalls = getpgid_only,
					 .shared_bytes = sizeof(struct identities) },
		 user_act);
	notes = live.shared;
	event = live_marked(&live, 1, EVENT_CODE_SYSCALL + SYS_getpgid);
	if (!event) {
		live_done(&live);
		cr_skip_test("this host makes no user namespaces");
	}
	want = notes->inner;
	cr_expect(want.uid != notes->outer.uid, "the case itself: not mapped");
	want.uid = notes->outer.uid;
	want.euid = notes->outer.euid;
	want.gid = notes->outer.gid;
	want.egid = notes->outer.egid;
	want.loginuid = notes->outer.loginuid;
	expect_header(event, &want, want.group_id, "a user namespace");
	cr_expect(event->header->user_ns != notes->outer.user_ns);
	live_done(&live);
}

/* ---- control groups (decision 25) -------------------------------------------------------------
 */

static const struct {
	const char *roots[2]; /* where such a hierarchy is mounted, by host */
	uint8_t hierarchy;
} groups[] = {
	{ { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" }, WIRE_HIERARCHY_V2 },
	{ { "/sys/fs/cgroup/memory", NULL }, WIRE_HIERARCHY_MEMORY },
	{ { "/sys/fs/cgroup/pids", NULL }, WIRE_HIERARCHY_PIDS },
	{ { "/sys/fs/cgroup/cpu", NULL }, WIRE_HIERARCHY_CPU },
};

struct group_notes {
	bool is_there[ARRAY_LEN(groups)];
	uint64_t ids[ARRAY_LEN(groups)];
};

static const char *group_root(size_t i)
{
	char path[128];

	for (size_t at = 0; at < 2 && groups[i].roots[at]; at++) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", groups[i].roots[at]);
		if (access(path, W_OK) == 0)
			return groups[i].roots[at];
	}
	return NULL;
}

static void enter_group(const char *directory)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	fd = open(path, O_WRONLY);
	ACTOR_CHECK(fd >= 0);
	ACTOR_CHECK(write(fd, "0", 1) == 1);
	close(fd);
}

/* In the roots of all hierarchies before this one, and in a group of its own in this one. */
static void group_child(struct group_notes *notes, size_t i, const char *directory)
{
	struct stat info;

	for (size_t at = 0; at < i; at++)
		if (group_root(at))
			enter_group(group_root(at));
	enter_group(directory);
	ACTOR_CHECK(stat(directory, &info) == 0);
	notes->ids[i] = info.st_ino;
	live_mark(i);
	syscall(SYS_getpgid, 0);
	_exit(0);
}

static void groups_act(void *data)
{
	struct group_notes *notes = data;

	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		char directory[128];
		pid_t pid;

		if (!group_root(i))
			continue;
		snprintf(directory, sizeof(directory), "%s/haetae-live-%d", group_root(i),
			 getpid());
		ACTOR_CHECK(mkdir(directory, 0755) == 0);
		pid = fork();
		if (pid == 0)
			group_child(notes, i, directory);
		waitpid(pid, NULL, 0);
		ACTOR_CHECK(rmdir(directory) == 0);
		notes->is_there[i] = true;
	}
}

Test(live_identity, control_groups, .timeout = 300)
{
	struct live live;
	const struct group_notes *notes;
	unsigned cnt = 0;

	live_run(&live, &(struct live_options){ .syscalls = getpgid_only }, groups_act);
	notes = live.shared;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		const struct event *event = live_marked(&live, i, EVENT_CODE_SYSCALL + SYS_getpgid);

		if (!notes->is_there[i])
			continue;
		cnt++;
		cr_assert(event != NULL, "%s", groups[i].roots[0]);
		cr_expect(event->header->cgroup_id == notes->ids[i], "%s: %llu, want %llu",
			  groups[i].roots[0], event->header->cgroup_id,
			  (unsigned long long)notes->ids[i]);
		cr_expect(event->header->cgroup_hierarchy == groups[i].hierarchy, "%s: %u",
			  groups[i].roots[0], event->header->cgroup_hierarchy);
	}
	cr_expect(cnt > 0, "no hierarchy is mounted");
	live_done(&live);
}
