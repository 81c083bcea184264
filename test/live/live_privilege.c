/*
 * Calls that change credentials: what the thread was before, what it is after, per thread, and
 * what is known when nobody saw the thread begin, or when calls in between are not wanted.
 */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "haetae/buf.h"

#define USER	   1000
#define OTHER	   2000
#define NO_ID	   ((uint64_t)-1)
#define TEXT_MAX   16384
#define ADDRESS(x) ((uint64_t)(uintptr_t)(x))

#define FD_OWN_NETWORK 90
#define FD_USER_SPACE  91
#define FD_NONE	       999

static gid_t groups[] = { USER, OTHER };
static struct __user_cap_header_struct capability_header = { .version =
								     _LINUX_CAPABILITY_VERSION_3 };
static struct __user_cap_data_struct few[2], all[2] = { { ~0u, ~0u, ~0u }, { ~0u, ~0u, ~0u } };

/* What the child is when it makes the call. */
enum state {
	STATE_ROOT,
	STATE_USER,	  /* uid and gid of USER, no capability */
	STATE_EFFECTIVE,  /* only the effective user is USER */
	STATE_OTHER_ROOT, /* uid USER, effective 0 */
};

/* clang-format off */
static const struct {
	const char *name;
	long nr;
	uint64_t arguments[3];
	enum state state;
	bool fails;
	bool has_before;
	const char *args; /* evt.args up to what was before; %r is the result */
} cases[] = {
	{ "setuid", SYS_setuid, { USER }, STATE_ROOT, false, true, "res=0 uid=1000" },
	{ "setuid: back to root", SYS_setuid, { 0 }, STATE_EFFECTIVE, false, true, "res=0 uid=0" },
	{ "setuid: not allowed", SYS_setuid, { 0 }, STATE_USER, true, true, "res=%r uid=0" },
	{ "setuid: no user", SYS_setuid, { NO_ID }, STATE_ROOT, true, true, "res=%r uid=4294967295(<NONE>)" },
	{ "setgid", SYS_setgid, { OTHER }, STATE_ROOT, false, true, "res=0 gid=2000" },
	{ "setgid: not allowed", SYS_setgid, { 0 }, STATE_USER, true, true, "res=%r gid=0" },
	{ "setreuid", SYS_setreuid, { USER, OTHER }, STATE_ROOT, false, true, "res=0 ruid=1000 euid=2000" },
	{ "setreuid: one", SYS_setreuid, { NO_ID, USER }, STATE_ROOT, false, true, "res=0 ruid=4294967295(<NONE>) euid=1000" },
	{ "setreuid: not allowed", SYS_setreuid, { 0, 0 }, STATE_USER, true, true, "res=%r ruid=0 euid=0" },
	{ "setregid", SYS_setregid, { USER, OTHER }, STATE_ROOT, false, true, "res=0 rgid=1000 egid=2000" },
	{ "setregid: not allowed", SYS_setregid, { 0, NO_ID }, STATE_USER, true, true, "res=%r rgid=0 egid=4294967295(<NONE>)" },
	{ "setresuid", SYS_setresuid, { USER, OTHER, 0 }, STATE_ROOT, false, true, "res=0 ruid=1000 euid=2000 suid=0" },
	{ "setresuid: to root", SYS_setresuid, { 0, 0, 0 }, STATE_OTHER_ROOT, false, true, "res=0 ruid=0 euid=0 suid=0" },
	{ "setresuid: not allowed", SYS_setresuid, { NO_ID, 0, NO_ID }, STATE_USER, true, true, "res=%r ruid=4294967295(<NONE>) euid=0 suid=4294967295(<NONE>)" },
	{ "setresgid", SYS_setresgid, { USER, OTHER, 0 }, STATE_ROOT, false, true, "res=0 rgid=1000 egid=2000 sgid=0" },
	{ "setresgid: not allowed", SYS_setresgid, { 0, 0, 0 }, STATE_USER, true, true, "res=%r rgid=0 egid=0 sgid=0" },
	{ "setfsuid", SYS_setfsuid, { USER }, STATE_ROOT, false, true, "res=%r fsuid=1000" },
	{ "setfsuid: not allowed", SYS_setfsuid, { 0 }, STATE_USER, false, true, "res=1000 fsuid=0" },
	{ "setfsgid", SYS_setfsgid, { USER }, STATE_ROOT, false, true, "res=%r fsgid=1000" },
	{ "setfsgid: no group", SYS_setfsgid, { NO_ID }, STATE_USER, false, true, "res=1000 fsgid=4294967295(<NONE>)" },
	{ "setgroups", SYS_setgroups, { 2, ADDRESS(groups) }, STATE_ROOT, false, false, "res=0 size=2 gid=1000" },
	{ "setgroups: not allowed", SYS_setgroups, { 1, ADDRESS(groups + 1) }, STATE_USER, true, false, "res=%r size=1 gid=2000" },
	{ "capset", SYS_capset, { ADDRESS(&capability_header), ADDRESS(few) }, STATE_ROOT, false, true,
	  "res=0 cap_inheritable=2 cap_permitted=3 cap_effective=1" },
	{ "capset: not allowed", SYS_capset, { ADDRESS(&capability_header), ADDRESS(all) }, STATE_USER, true, true,
	  "res=%r cap_inheritable=0 cap_permitted=0 cap_effective=0" },
	{ "unshare", SYS_unshare, { CLONE_NEWUTS | CLONE_NEWNS }, STATE_ROOT, false, true, "res=0 flags=160(CLONE_NEWNS|CLONE_NEWUTS)" },
	{ "unshare: a user namespace", SYS_unshare, { CLONE_NEWUSER }, STATE_USER, false, true, "res=0 flags=1048576(CLONE_NEWUSER)" },
	{ "unshare: not allowed", SYS_unshare, { CLONE_NEWNET }, STATE_USER, true, true, "res=%r flags=16(CLONE_NEWNET)" },
	{ "setns: network", SYS_setns, { FD_OWN_NETWORK, CLONE_NEWNET }, STATE_ROOT, false, true,
	  "res=0 fd=90(<f>net:[%n]) nstype=16(CLONE_NEWNET)" },
	{ "setns: user", SYS_setns, { FD_USER_SPACE, 0 }, STATE_ROOT, false, true, "res=0 fd=91(<f>user:[%u]) nstype=0" },
	{ "setns: no such descriptor", SYS_setns, { FD_NONE, CLONE_NEWUSER }, STATE_USER, true, true,
	  "res=%r fd=999 nstype=1048576(CLONE_NEWUSER)" },
	{ "setsid", SYS_setsid, { 0 }, STATE_ROOT, false, false, "res=%r" },
	{ "setpgid", SYS_setpgid, { 0, 0 }, STATE_ROOT, false, false, "res=0 pid=0 pgid=0" },
};
/* clang-format on */

struct privilege_notes {
	struct facts before[ARRAY_LEN(cases)], after[ARRAY_LEN(cases)];
	int64_t results[ARRAY_LEN(cases)];
	uint32_t network, user_space;
};

/* By raw calls: libc would make them in every thread. */
static void enter_state(enum state state)
{
	switch (state) {
	case STATE_ROOT:
		return;
	case STATE_USER:
		ACTOR_CHECK(syscall(SYS_setgroups, 0, NULL) == 0);
		ACTOR_CHECK(syscall(SYS_setresgid, USER, USER, USER) == 0);
		ACTOR_CHECK(syscall(SYS_setresuid, USER, USER, USER) == 0);
		/* A process that may not be dumped does not own its /proc files. */
		ACTOR_CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
		return;
	case STATE_EFFECTIVE:
		ACTOR_CHECK(syscall(SYS_setresuid, 0, USER, 0) == 0);
		return;
	case STATE_OTHER_ROOT:
		ACTOR_CHECK(syscall(SYS_setresuid, USER, 0, 0) == 0);
		return;
	}
}

static void run_case(struct privilege_notes *notes, size_t i)
{
	const uint64_t *a = cases[i].arguments;
	long result;

	enter_state(cases[i].state);
	facts_read(&notes->before[i]);
	live_mark(i);
	result = syscall(cases[i].nr, a[0], a[1], a[2]);
	notes->results[i] = result == -1 ? -errno : result;
	live_mark(LIVE_NO_MARK);
	facts_read(&notes->after[i]);
	/* In a new user namespace nobody is mapped, but outside the ids are what they were. */
	if (notes->after[i].user_ns != notes->before[i].user_ns) {
		notes->after[i].uid = notes->before[i].uid;
		notes->after[i].euid = notes->before[i].euid;
		notes->after[i].gid = notes->before[i].gid;
		notes->after[i].egid = notes->before[i].egid;
	}
}

static uint32_t inode_of(int fd, const char *path, int to)
{
	char text[64] = "";
	uint32_t number = 0;

	ACTOR_CHECK(fd >= 0 && dup2(fd, to) == to);
	ACTOR_CHECK(readlink(path, text, sizeof(text) - 1) > 0);
	ACTOR_CHECK(sscanf(strchr(text, '['), "[%u]", &number) == 1);
	close(fd);
	return number;
}

/* A process in a user namespace of its own, whose file is kept when it has gone. */
static void open_user_namespace(struct privilege_notes *notes)
{
	char path[64];
	int ready[2], go[2];
	char byte = 0;
	pid_t child;

	ACTOR_CHECK(pipe(ready) == 0 && pipe(go) == 0);
	child = fork();
	ACTOR_CHECK(child >= 0);
	if (child == 0) {
		(void)!write(ready[1], unshare(CLONE_NEWUSER) == 0 ? "y" : "n", 1);
		(void)!read(go[0], &byte, 1);
		_exit(0);
	}
	ACTOR_CHECK(read(ready[0], &byte, 1) == 1 && byte == 'y');
	snprintf(path, sizeof(path), "/proc/%d/ns/user", child);
	notes->user_space = inode_of(open(path, O_RDONLY), path, FD_USER_SPACE);
	ACTOR_CHECK(write(go[1], "", 1) == 1);
	live_wait(child);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
	}
}

static void privilege_prepare(void *data)
{
	struct privilege_notes *notes = data;

	few[0] = (struct __user_cap_data_struct){ 1, 3, 2 };
	notes->network =
		inode_of(open("/proc/self/ns/net", O_RDONLY), "/proc/self/ns/net", FD_OWN_NETWORK);
	open_user_namespace(notes);
}

static void privilege_act(void *data)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		pid_t child = fork();

		ACTOR_CHECK(child >= 0);
		if (child == 0) {
			run_case(data, i);
			_exit(0);
		}
		ACTOR_CHECK(live_wait(child) == 0);
	}
}

/* `text` with the result and the namespaces in their places. */
static void expand(const char *text, const struct privilege_notes *notes, int64_t result,
		   struct buf *out)
{
	for (; *text; text++) {
		if (*text != '%') {
			buf_putc(out, *text);
			continue;
		}
		text++;
		if (*text == 'n')
			buf_printf(out, "%u", notes->network);
		else if (*text == 'u')
			buf_printf(out, "%u", notes->user_space);
		else if (result < 0)
			buf_printf(out, "%lld(%s)", (long long)result,
				   strerrorname_np((int)-result));
		else
			buf_printf(out, "%lld", (long long)result);
	}
}

static void expect_before(const struct event *event, const struct facts *facts, const char *what)
{
	const struct {
		const char *name;
		uint64_t want;
	} params[] = {
		{ "uid_before", facts->uid },
		{ "euid_before", facts->euid },
		{ "gid_before", facts->gid },
		{ "egid_before", facts->egid },
		{ "cap_inheritable_before", facts->cap_inheritable },
		{ "cap_permitted_before", facts->cap_permitted },
		{ "cap_effective_before", facts->cap_effective },
	};
	unsigned param = 0;

	while (param < event->schema->param_cnt &&
	       strcmp(event->schema->params[param].name, "uid_before") != 0)
		param++;
	cr_assert_leq(param + ARRAY_LEN(params), event->schema->param_cnt, "%s", what);
	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		cr_expect_str_eq(event->schema->params[param + i].name, params[i].name);
		expect_number(event, param + (unsigned)i, (int64_t)params[i].want, what);
	}
}

static void check_case(struct live *live, size_t i)
{
	const struct privilege_notes *notes = live->shared;
	int code = event_code_find(str_from(syscall_name((unsigned)cases[i].nr)));
	const struct event *event = live_marked(live, i, (unsigned)code);
	_cleanup_(buf_done) struct buf want, got;

	buf_init(&want, TEXT_MAX);
	buf_init(&got, TEXT_MAX);
	cr_assert_not_null(event, "%s", cases[i].name);
	cr_expect((notes->results[i] < 0) == cases[i].fails, "%s: the call gave %lld",
		  cases[i].name, (long long)notes->results[i]);
	expect_header(event, &notes->after[i], notes->results[i], cases[i].name);
	cr_expect((event->header->ring == 0) == !!(event->schema->flags & EVENT_LIFECYCLE), "%s",
		  cases[i].name);
	expand(cases[i].args, notes, notes->results[i], &want);
	event_args_format(event, &got);
	cr_expect(strncmp(got.p, want.p, want.n) == 0 && (got.p[want.n] == ' ' || !got.p[want.n]),
		  "%s:\n got  %s\n want %s", cases[i].name, got.p, want.p);
	if (cases[i].has_before)
		expect_before(event, &notes->before[i], cases[i].name);
}

Test(live_privilege, before_and_after, .timeout = 300)
{
	const char *names[ARRAY_LEN(cases) + 1] = { 0 };
	struct live live;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		names[i] = syscall_name((unsigned)cases[i].nr);
	live_run(&live,
		 &(struct live_options){ .syscalls = names,
					 .prepare = privilege_prepare,
					 .shared_bytes = sizeof(struct privilege_notes) },
		 privilege_act);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_case(&live, i);
	live_done(&live);
}

/* ---- what is between ------------------------------------------------------------------------ */

enum {
	STEP_OLD_THREAD,   /* a thread that is older than the probes */
	STEP_NEW_THREAD,   /* a thread, whose process has other credentials by then */
	STEP_OTHER_THREAD, /* the process's first one: the others' calls did not change it */
	STEP_UNWANTED,	   /* another call changed them, which no rule wants */
	STEP_CHILD,	   /* a child begins with its creator's */
	STEP_CNT,
};

struct thread_notes {
	struct facts before[STEP_CNT];
	int ready[2], go[2];
	pthread_t old_thread;
};

static struct thread_notes *thread_notes;

static void set_user(unsigned step, long uid)
{
	facts_read(&thread_notes->before[step]);
	live_mark(step);
	ACTOR_CHECK(syscall(SYS_setuid, uid) == 0);
	live_mark(LIVE_NO_MARK);
}

static void *old_thread(void *data)
{
	char byte;

	(void)data;
	ACTOR_CHECK(syscall(SYS_setresuid, -1, OTHER, -1) == 0);
	ACTOR_CHECK(write(thread_notes->ready[1], "", 1) == 1);
	ACTOR_CHECK(read(thread_notes->go[0], &byte, 1) == 1);
	set_user(STEP_OLD_THREAD, 0);
	return NULL;
}

static void *new_thread(void *data)
{
	(void)data;
	/* The thread's creator was root. */
	set_user(STEP_NEW_THREAD, USER);
	return NULL;
}

/* The thread stands in its read before the probes are there. */
static void threads_prepare(void *data)
{
	char byte;

	thread_notes = data;
	ACTOR_CHECK(pipe(thread_notes->ready) == 0 && pipe(thread_notes->go) == 0);
	ACTOR_CHECK(pthread_create(&thread_notes->old_thread, NULL, old_thread, NULL) == 0);
	ACTOR_CHECK(read(thread_notes->ready[0], &byte, 1) == 1);
}

static void threads_act(void *data)
{
	struct thread_notes *notes = data;
	pthread_t thread;
	pid_t child;

	ACTOR_CHECK(write(notes->go[1], "", 1) == 1);
	ACTOR_CHECK(pthread_join(notes->old_thread, NULL) == 0);
	ACTOR_CHECK(pthread_create(&thread, NULL, new_thread, NULL) == 0);
	ACTOR_CHECK(pthread_join(thread, NULL) == 0);
	set_user(STEP_OTHER_THREAD, 0);
	ACTOR_CHECK(syscall(SYS_setresgid, USER, OTHER, USER) == 0);
	ACTOR_CHECK(syscall(SYS_setresuid, USER, USER, 0) == 0);
	set_user(STEP_UNWANTED, 0);
	child = fork();
	ACTOR_CHECK(child >= 0);
	if (child == 0) {
		set_user(STEP_CHILD, USER);
		_exit(0);
	}
	ACTOR_CHECK(live_wait(child) == 0);
}

Test(live_privilege, threads_and_calls_that_no_rule_wants, .timeout = 300)
{
	static const char *const names[] = { "setuid", NULL };
	static const char *const steps[] = { "old thread", "new thread", "first thread", "unwanted",
					     "child" };
	struct live live;

	live_run(&live,
		 &(struct live_options){ .syscalls = names,
					 .prepare = threads_prepare,
					 .shared_bytes = sizeof(struct thread_notes) },
		 threads_act);
	for (unsigned i = 0; i < STEP_CNT; i++) {
		const struct event *event = live_marked(&live, i, EVENT_SETUID);

		cr_assert_not_null(event, "%s", steps[i]);
		expect_before(event, &((struct thread_notes *)live.shared)->before[i], steps[i]);
	}
	cr_expect_eq(live_count(&live, EVENT_CODE_SYSCALL + SYS_setresuid), 0);
	cr_expect_eq(live_count(&live, EVENT_SETRESUID), 0);
	live_done(&live);
}

/* ---- exec ----------------------------------------------------------------------------------- */

enum {
	EXEC_SETUID,	/* a user starts a program of root's */
	EXEC_OF_THREAD, /* by a thread that is not the first, with credentials of its own */
	EXEC_CNT,
};

struct exec_notes {
	struct facts before[EXEC_CNT];
};

static struct exec_notes *exec_notes;

static void copy_program(const char *to, mode_t mode)
{
	int in = open("/bin/true", O_RDONLY), out = open(to, O_CREAT | O_WRONLY, 0700);
	char bytes[4096];
	ssize_t n;

	ACTOR_CHECK(in >= 0 && out >= 0);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		ACTOR_CHECK(write(out, bytes, (size_t)n) == n);
	ACTOR_CHECK(n == 0 && fchmod(out, mode) == 0);
	close(in);
	close(out);
}

_Noreturn static void start_program(unsigned number)
{
	char *argv[] = { "true", NULL }, *envp[] = { NULL };

	facts_read(&exec_notes->before[number]);
	live_mark(number);
	execve("./setuid", argv, envp);
	ACTOR_CHECK(!"executed");
	_exit(1);
}

static void *exec_thread(void *data)
{
	(void)data;
	ACTOR_CHECK(syscall(SYS_setresuid, -1, OTHER, -1) == 0);
	start_program(EXEC_OF_THREAD);
}

static void exec_child(unsigned number)
{
	pthread_t thread;

	if (number == EXEC_SETUID) {
		enter_state(STATE_USER);
		start_program(number);
	}
	ACTOR_CHECK(pthread_create(&thread, NULL, exec_thread, NULL) == 0);
	for (;;)
		pause();
}

static void exec_act(void *data)
{
	exec_notes = data;
	ACTOR_CHECK(chmod(".", 0755) == 0);
	copy_program("setuid", 04755);
	for (unsigned i = 0; i < EXEC_CNT; i++) {
		pid_t child = fork();

		ACTOR_CHECK(child >= 0);
		if (child == 0)
			exec_child(i);
		ACTOR_CHECK(live_wait(child) == 0);
	}
}

Test(live_privilege, the_image_before, .timeout = 300)
{
	static const char *const names[] = { "execve", NULL };
	struct live live;

	live_run(&live,
		 &(struct live_options){ .syscalls = names,
					 .shared_bytes = sizeof(struct exec_notes) },
		 exec_act);
	for (unsigned i = 0; i < EXEC_CNT; i++) {
		const struct facts *before = &((struct exec_notes *)live.shared)->before[i];
		const struct event *event = live_marked(&live, i, EVENT_EXECVE);
		const char *what = i == EXEC_SETUID ? "setuid program" : "a thread's exec";

		cr_assert_not_null(event, "%s", what);
		cr_expect_eq(event->header->euid, 0, "%s", what);
		cr_expect_neq(before->euid, 0, "%s", what);
		expect_number(event, PARAM_EXECVE_euid_before, before->euid, what);
		expect_number(event, PARAM_EXECVE_cap_effective_before,
			      (int64_t)before->cap_effective, what);
	}
	live_done(&live);
}
