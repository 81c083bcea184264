/*
 * Processes made and ended: each way to make one, each way to end, and who inherits whom.
 */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const char *const lifetime_only[] = { "procexit", NULL };

static const struct event *end_of(const struct live *live, pid_t pid)
{
	const struct event *event;

	for (unsigned n = 0; (event = live_find(live, EVENT_PROCEXIT, n)); n++)
		if (event->header->pid == (uint32_t)pid)
			return event;
	return NULL;
}

static const struct event *birth_of(const struct live *live, pid_t pid)
{
	const struct event *event;
	uint64_t child;

	for (unsigned n = 0; (event = live_find(live, EVENT_TASK_NEW, n)); n++)
		if (event_number(event, PARAM_TASK_NEW_child_pid, &child) && child == (uint64_t)pid)
			return event;
	return NULL;
}

/* ---- wait status ------------------------------------------------------------------------------
 */

/* clang-format off */
static const struct {
	int code, signal; /* one of the two */
	bool by_thread; /* exit_group of a thread that is not the leader */
	bool may_dump;
} ends[] = {
	{ 0, 0 }, { 1, 0 }, { 42, 0 }, { 127, 0 }, { 128, 0 }, { 255, 0 }, { 7, 0, true },
	{ 0, SIGKILL }, { 0, SIGTERM }, { 0, SIGHUP }, { 0, SIGPIPE }, { 0, SIGSEGV }, { 0, SIGABRT },
	{ 0, SIGSYS }, { 0, 34 }, { 0, 64 }, { 0, SIGKILL, true },
	{ 0, SIGABRT, .may_dump = true },
};
/* clang-format on */

struct end_notes {
	struct facts facts;
	pid_t pids[ARRAY_LEN(ends)];
	int statuses[ARRAY_LEN(ends)];
};

static void *end_run(void *data)
{
	size_t i = *(size_t *)data;

	if (ends[i].signal)
		syscall(SYS_tgkill, getpid(), getpid(), ends[i].signal);
	else
		syscall(SYS_exit_group, ends[i].code);
	return NULL;
}

/* Into the actor's own directory, and not into a program of the host. */
static bool is_dump_a_file(void)
{
	char pattern[128] = "";
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);
	bool is_file = fd >= 0 && read(fd, pattern, sizeof(pattern) - 1) > 0 && pattern[0] != '|' &&
		       pattern[0] != '/' && pattern[0] != '@';

	close_fdp(&fd);
	return is_file;
}

static void end_child(size_t i)
{
	rlim_t size = ends[i].may_dump && is_dump_a_file() ? 1 << 20 : 0;
	struct rlimit limit = { size, size };
	pthread_t thread;

	setrlimit(RLIMIT_CORE, &limit);
	signal(ends[i].signal ? ends[i].signal : SIGTERM, SIG_DFL);
	if (!ends[i].by_thread)
		end_run(&i);
	else if (pthread_create(&thread, NULL, end_run, &i) == 0)
		for (;;)
			pause();
	_exit(99);
}

static void ends_act(void *data)
{
	struct end_notes *notes = data;

	facts_read(&notes->facts);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		pid_t pid = fork();

		if (pid == 0)
			end_child(i);
		notes->pids[i] = pid;
		ACTOR_CHECK(waitpid(pid, &notes->statuses[i], 0) == pid);
	}
}

Test(live_lifetime, wait_statuses, .timeout = 300)
{
	struct live live;
	const struct end_notes *notes;

	live_run(&live, &(struct live_options){ .syscalls = lifetime_only }, ends_act);
	notes = live.shared;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		const struct event *event = end_of(&live, notes->pids[i]);
		int status = notes->statuses[i];
		char what[64];

		snprintf(what, sizeof(what), "code %d, signal %d", ends[i].code, ends[i].signal);
		cr_assert(event != NULL, "%s", what);
		cr_expect(WIFSIGNALED(status) ? WTERMSIG(status) == ends[i].signal
					      : WEXITSTATUS(status) == ends[i].code,
			  "%s: the case itself: 0x%x", what, status);
		expect_number(event, PARAM_PROCEXIT_status, status, what);
		expect_number(event, PARAM_PROCEXIT_core, WCOREDUMP(status) ? 1 : 0, what);
		if (WIFSIGNALED(status)) {
			expect_number(event, PARAM_PROCEXIT_sig, WTERMSIG(status), what);
			expect_absent(event, PARAM_PROCEXIT_ret, what);
		} else {
			expect_number(event, PARAM_PROCEXIT_ret, WEXITSTATUS(status), what);
			expect_absent(event, PARAM_PROCEXIT_sig, what);
		}
		expect_number(event, PARAM_PROCEXIT_reaper_tid, 0, what);
		cr_expect(event->header->parent_pid == notes->facts.pid, "%s", what);
		cr_expect(birth_of(&live, notes->pids[i]) != NULL, "%s", what);
	}
	cr_expect(live_count(&live, EVENT_PROCEXIT) == ARRAY_LEN(ends) + 1, "one each: %u",
		  live_count(&live, EVENT_PROCEXIT));
	live_done(&live);
}

/* ---- ways to make a process -------------------------------------------------------------------
 */

enum maker {
	MAKE_FORK,
	MAKE_VFORK,
	MAKE_CLONE_VM,
	MAKE_CLONE_PARENT,
	MAKE_CLONE3,
	MAKE_CLONE3_PIDNS,
	MAKE__COUNT
};

struct maker_notes {
	struct facts facts;
	pid_t pids[MAKE__COUNT];
};

static char clone_stack[2][65536] __attribute__((aligned(16)));

static int clone_run(void *data)
{
	(void)data;
	return 5;
}

static pid_t make_clone3(uint64_t flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		syscall(SYS_exit_group, 5);
	return pid;
}

static pid_t make_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(5);
	return pid;
}

static void makers_act(void *data)
{
	struct maker_notes *notes = data;
	pid_t pid;

	facts_read(&notes->facts);
	pid = fork();
	if (pid == 0)
		_exit(5);
	notes->pids[MAKE_FORK] = pid;
	notes->pids[MAKE_VFORK] = make_vfork();
	notes->pids[MAKE_CLONE_VM] =
		clone(clone_run, clone_stack[0] + sizeof(clone_stack[0]), CLONE_VM | SIGCHLD, NULL);
	notes->pids[MAKE_CLONE_PARENT] = clone(clone_run, clone_stack[1] + sizeof(clone_stack[1]),
					       CLONE_PARENT | SIGCHLD, NULL);
	notes->pids[MAKE_CLONE3] = make_clone3(0);
	notes->pids[MAKE_CLONE3_PIDNS] = make_clone3(CLONE_NEWPID);
	while (wait(NULL) > 0)
		;
	usleep(100000); /* the sibling is not ours to wait for */
}

Test(live_lifetime, every_way_to_make_a_process, .timeout = 300)
{
	static const char *const makers[] = { "fork",	      "vfork",	"clone with shared memory",
					      "CLONE_PARENT", "clone3", "clone3 with a namespace" };
	struct live live;
	const struct maker_notes *notes;

	live_run(&live, &(struct live_options){ .syscalls = lifetime_only }, makers_act);
	notes = live.shared;
	for (unsigned i = 0; i < MAKE__COUNT; i++) {
		const struct event *event = birth_of(&live, notes->pids[i]);
		const struct event *end = end_of(&live, notes->pids[i]);
		bool is_sibling = i == MAKE_CLONE_PARENT, is_init = i == MAKE_CLONE3_PIDNS;
		uint64_t start = 0, init_start = 0;

		cr_assert(event != NULL, "%s: no event for %d", makers[i], notes->pids[i]);
		expect_header(event, &notes->facts, 0, makers[i]);
		cr_expect(event->header->flags & WIRE_STATE, "%s", makers[i]);
		expect_number(event, PARAM_TASK_NEW_parent_pid,
			      is_sibling ? notes->facts.parent_pid : notes->facts.pid, makers[i]);
		expect_number(event, PARAM_TASK_NEW_parent_start,
			      (int64_t)(is_sibling ? event->header->parent_start_ns
						   : event->header->start_ns),
			      makers[i]);
		expect_number(event, PARAM_TASK_NEW_child_ns_pid, is_init ? 1 : notes->pids[i],
			      makers[i]);
		expect_number(event, PARAM_TASK_NEW_child_exec_id, (int64_t)event->header->exec_id,
			      makers[i]);
		if (!is_init)
			expect_number(event, PARAM_TASK_NEW_child_pid_ns, notes->facts.pid_ns,
				      makers[i]);
		cr_expect(event_number(event, PARAM_TASK_NEW_child_start, &start) &&
				  start >= event->header->start_ns,
			  "%s", makers[i]);
		cr_expect(event_number(event, PARAM_TASK_NEW_pidns_init_start, &init_start) &&
				  (is_init || (init_start > 0 && init_start <= start)),
			  "%s: init %llu", makers[i], (unsigned long long)init_start);
		cr_assert(end != NULL, "%s: no end", makers[i]);
		cr_expect(end->header->start_ns == start, "%s: two identities", makers[i]);
		expect_number(end, PARAM_PROCEXIT_ret, 5, makers[i]);
	}
	live_done(&live);
}

/* ---- threads ----------------------------------------------------------------------------------
 */

struct thread_notes {
	pid_t leader_first, many;
};

static void *outlive(void *data)
{
	(void)data;
	usleep(100000);
	syscall(SYS_exit_group, 9);
	return NULL;
}

static void *end_soon(void *data)
{
	(void)data;
	usleep(1000);
	return NULL;
}

/* The leader goes, a thread stays a while and ends the process. */
static void leader_first_child(void)
{
	pthread_t thread;

	ACTOR_CHECK(pthread_create(&thread, NULL, outlive, NULL) == 0);
	syscall(SYS_exit, 1);
}

/* All at once: two last threads may both look like the last. */
static void many_child(void)
{
	pthread_t threads[16];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		ACTOR_CHECK(pthread_create(&threads[i], NULL, end_soon, NULL) == 0);
	usleep(500);
	syscall(SYS_exit, 3);
}

static void threads_act(void *data)
{
	struct thread_notes *notes = data;
	pid_t pid = fork();

	if (pid == 0)
		leader_first_child();
	notes->leader_first = pid;
	live_wait(pid);
	for (int i = 0; i < 50; i++) {
		pid = fork();
		if (pid == 0)
			many_child();
		notes->many = pid;
		live_wait(pid);
	}
}

Test(live_lifetime, one_end_however_many_threads, .timeout = 300)
{
	struct live live;
	const struct thread_notes *notes;
	const struct event *event;

	live_run(&live, &(struct live_options){ .syscalls = lifetime_only }, threads_act);
	notes = live.shared;
	event = end_of(&live, notes->leader_first);
	cr_assert(event != NULL);
	expect_number(event, PARAM_PROCEXIT_status, 9 << 8, "the leader first");
	cr_expect(event->header->pid == (uint32_t)notes->leader_first);
	cr_expect(live_count(&live, EVENT_PROCEXIT) == 52, "%u", live_count(&live, EVENT_PROCEXIT));
	cr_expect(live_count(&live, EVENT_TASK_NEW) == 51, "%u", live_count(&live, EVENT_TASK_NEW));
	live_done(&live);
}

/* ---- orphans ----------------------------------------------------------------------------------
 */

struct orphan_notes {
	struct facts orphan; /* after its parent's end */
	pid_t parent;
	bool is_subreaper;
	volatile bool is_done;
};

static void orphan_child(struct orphan_notes *notes)
{
	pid_t parent = getppid();

	for (int i = 0; i < 5000 && getppid() == parent; i++)
		usleep(1000);
	facts_read(&notes->orphan);
	notes->is_done = true;
	_exit(0);
}

static void orphan_act(void *data)
{
	struct orphan_notes *notes = data;
	pid_t pid;

	/* Else it is the init of this pid namespace that inherits. */
	if (notes->is_subreaper)
		ACTOR_CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	pid = fork();
	if (pid == 0) {
		if (fork() == 0)
			orphan_child(notes);
		usleep(20000);
		_exit(0);
	}
	notes->parent = pid;
	live_wait(pid);
	for (int i = 0; i < 5000 && !notes->is_done; i++)
		usleep(1000);
	usleep(50000);
}

static void be_subreaper(void *data)
{
	((struct orphan_notes *)data)->is_subreaper = true;
}

Test(live_lifetime, who_inherits_the_children, .timeout = 300)
{
	for (int is_subreaper = 0; is_subreaper < 2; is_subreaper++) {
		const char *what = is_subreaper ? "a subreaper" : "init";
		struct live live;
		const struct orphan_notes *notes;
		const struct event *event;

		live_run(&live,
			 &(struct live_options){ .syscalls = lifetime_only,
						 .prepare = is_subreaper ? be_subreaper : NULL },
			 orphan_act);
		notes = live.shared;
		event = end_of(&live, notes->parent);
		cr_assert(event != NULL && notes->is_done, "%s", what);
		cr_expect(!is_subreaper || notes->orphan.parent_pid == (uint32_t)live.actor,
			  "%s: the case itself", what);
		expect_number(event, PARAM_PROCEXIT_reaper_tid, notes->orphan.parent_pid, what);
		event = end_of(&live, (pid_t)notes->orphan.pid);
		cr_assert(event != NULL, "%s: an orphan stays in the scope", what);
		cr_expect(event->header->parent_pid == notes->orphan.parent_pid,
			  "%s: the present parent: %u", what, event->header->parent_pid);
		live_done(&live);
	}
}
