/*
 * clone, clone3, fork, vfork: both ends of the call, and a call that fails.
 */
#include "live.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const char *const clone_calls[] = { "clone", "clone3",
#ifdef SYS_fork
					   "fork", "vfork",
#endif
					   NULL };

static struct clone_args new_uts = { .flags = CLONE_NEWUTS | CLONE_FILES, .exit_signal = SIGCHLD };
static struct clone_args wrong = { .flags = CLONE_THREAD };

/* clang-format off */
static const struct {
	const char *name;
	unsigned code;
	long nr;
	uint64_t arguments[2];
	int error;
	const char *flags;
} cases[] = {
	{ "clone", EVENT_CLONE, SYS_clone, { CLONE_FS | SIGCHLD }, 0, "CLONE_FS" },
	{ "clone: wrong flags", EVENT_CLONE, SYS_clone, { CLONE_THREAD | SIGCHLD }, EINVAL, "CLONE_THREAD" },
	{ "clone3", EVENT_CLONE3, SYS_clone3, { (uint64_t)(uintptr_t)&new_uts, sizeof(new_uts) }, 0,
	  "CLONE_FILES|CLONE_NEWUTS" },
	{ "clone3: wrong flags", EVENT_CLONE3, SYS_clone3, { (uint64_t)(uintptr_t)&wrong, sizeof(wrong) }, EINVAL,
	  "CLONE_THREAD" },
#ifdef SYS_fork
	{ "fork", EVENT_FORK, SYS_fork, { 0 }, 0, "0" },
	{ "vfork", EVENT_VFORK, SYS_vfork, { 0 }, 0, "0" },
#endif
};
/* clang-format on */

struct clone_notes {
	struct facts facts;
	char cwd[256];
	uint64_t fd_limit;
	int64_t results[ARRAY_LEN(cases)];
};

/* The child shares the stack: only libc can make the call, and nothing may follow it. */
static __attribute__((noinline)) pid_t make_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static void clone_act(void *data)
{
	struct clone_notes *notes = data;
	struct rlimit limit;

	facts_read(&notes->facts);
	ACTOR_CHECK(getcwd(notes->cwd, sizeof(notes->cwd)));
	ACTOR_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	notes->fd_limit = limit.rlim_cur;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const uint64_t *a = cases[i].arguments;
		long result;

		live_mark(i);
		if (cases[i].code == EVENT_VFORK)
			result = make_vfork();
		else
			result = syscall(cases[i].nr, a[0], a[1], 0, 0, 0);
		if (result == 0)
			_exit(0);
		live_mark(LIVE_NO_MARK);
		notes->results[i] = result < 0 ? -errno : result;
		if (result > 0)
			live_wait((pid_t)result);
	}
}

static void expect_text(const struct event *event, unsigned param, const char *want,
			const char *what)
{
	_cleanup_(buf_done) struct buf got;

	buf_init(&got, 1024);
	event_param_format(event, param, &got);
	cr_expect_str_eq(got.p, want, "%s: parameter %u", what, param);
}

/* What both ends have in common. */
static void check_image(const struct event *event, const struct clone_notes *notes, size_t i)
{
	const char *name = cases[i].name;

	expect_text(event, PARAM_CLONE_flags, cases[i].flags, name);
	expect_kpath(event, PARAM_CLONE_cwd, notes->cwd, name);
	expect_number(event, PARAM_CLONE_fdlimit, (int64_t)notes->fd_limit, name);
	cr_expect(event_string(event, PARAM_CLONE_exe).n > 0, "%s", name);
	expect_number(event, PARAM_CLONE_uid, notes->facts.euid, name);
	cr_expect_eq(event->params[PARAM_CLONE_vm_size].n, 8, "%s", name);
	cr_expect_eq(event->params[PARAM_CLONE_pidns_init_start_ts].n, 8, "%s", name);
}

static const struct event *find_child(struct live *live, unsigned code, int64_t pid)
{
	for (uint32_t i = 0; i < live->event_cnt; i++) {
		const struct event *event = live->events[i];

		if (event->code == code && event->header->pid == pid)
			return event;
	}
	return NULL;
}

static const struct event *find_parent(struct live *live, const struct clone_notes *notes, size_t i)
{
	for (uint32_t n = 0; n < live->event_cnt; n++) {
		const struct event *event = live->events[n];

		if (event->code == cases[i].code && event->header->pid == notes->facts.pid &&
		    event->header->result == notes->results[i])
			return event;
	}
	return NULL;
}

Test(live_clone, both_ends_of_the_call, .timeout = 300)
{
	const struct clone_notes *notes;
	struct live live;

	live_run(&live,
		 &(struct live_options){ .syscalls = clone_calls,
					 .shared_bytes = sizeof(struct clone_notes) },
		 clone_act);
	notes = live.shared;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct event *parent = find_parent(&live, notes, i), *child;

		cr_assert_not_null(parent, "%s", cases[i].name);
		cr_expect_eq(notes->results[i] < 0 ? -notes->results[i] : 0, cases[i].error, "%s",
			     cases[i].name);
		expect_header(parent, &notes->facts, notes->results[i], cases[i].name);
		expect_number(parent, PARAM_CLONE_res, notes->results[i], cases[i].name);
		expect_number(parent, PARAM_CLONE_vpid, parent->header->ns_pid, cases[i].name);
		check_image(parent, notes, i);
		if (notes->results[i] < 0)
			continue;
		child = find_child(&live, cases[i].code, notes->results[i]);
		cr_assert_not_null(child, "%s: child", cases[i].name);
		expect_number(child, PARAM_CLONE_res, 0, cases[i].name);
		expect_number(child, PARAM_CLONE_ptid, notes->facts.pid, cases[i].name);
		expect_number(child, PARAM_CLONE_vtid, child->header->ns_tid, cases[i].name);
		check_image(child, notes, i);
	}
	live_done(&live);
}
