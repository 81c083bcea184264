/*
 * Calls without a program of their own: six raw arguments; calls that are restarted; numbers that
 * are none; and everything at once.
 */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

/* clang-format off */
static const struct {
	const char *name;
	long nr;
	uint64_t arguments[6]; /* all go into registers, whatever the call takes */
	int error; /* 0: success */
} cases[] = {
	{ "lseek", SYS_lseek, { (uint64_t)-100, 8, 0777, 4, 5, 6 }, EBADF },
	{ "fadvise64", SYS_fadvise64, { 999, 0, 998, 0, 0x123456789abcdef0, 0xf }, EBADF },
	{ "setpriority", SYS_setpriority, { 9, 0x1122334455667788, 3, 0, 0, 0xffffffffffffffff }, EINVAL },
	{ "getsid", SYS_getsid, { 0, 1, 2, 3, 4, 5 }, 0 },
	{ "timer_delete", SYS_timer_delete, { (uint64_t)-1, 04777, 0, 0, 0, 0 }, EINVAL },
	{ "sched_setparam", SYS_sched_setparam, { 8, 8, 8, 8, 8, 8 }, EFAULT },
	{ "mlock", SYS_mlock, { (uint64_t)-4096, 8192, 2, 3, 4, 5 }, 1 },
	{ "semget", SYS_semget, { 9999, 0xffffffff, 0, 0, 0, 0 }, 1 },
};
/* clang-format on */

struct call_notes {
	struct facts facts;
	int64_t results[ARRAY_LEN(cases)];
};

static void calls_act(void *data)
{
	struct call_notes *notes = data;

	facts_read(&notes->facts);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const uint64_t *a = cases[i].arguments;
		long result;

		live_mark(i);
		result = syscall(cases[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		notes->results[i] = result < 0 ? -errno : result;
		live_mark(LIVE_NO_MARK);
	}
}

Test(live_calls, six_arguments_as_passed, .timeout = 300)
{
	const char *names[ARRAY_LEN(cases) + 1] = { 0 };
	struct live live;
	const struct call_notes *notes;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		names[i] = cases[i].name;
	live_run(&live, &(struct live_options){ .syscalls = names }, calls_act);
	notes = live.shared;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct event *event =
			live_marked(&live, i, EVENT_CODE_SYSCALL + (unsigned)cases[i].nr);

		cr_assert(event != NULL, "%s", cases[i].name);
		cr_expect(live_count_marked(&live, i, EVENT_CODE_NEVER) == 1, "%s", cases[i].name);
		cr_expect((notes->results[i] < 0) == (cases[i].error != 0), "%s: %lld",
			  cases[i].name, (long long)notes->results[i]);
		expect_header(event, &notes->facts, notes->results[i], cases[i].name);
		cr_expect(event->header->syscall_nr == cases[i].nr, "%s", cases[i].name);
		for (unsigned at = 0; at < 6; at++)
			expect_number(event, PARAM_GENERIC_a0 + at, (int64_t)cases[i].arguments[at],
				      cases[i].name);
	}
	live_done(&live);
}

/* ---- calls that a signal interrupts (decision 9) ----------------------------------------------
 */

static int signal_pipe[2];

static void on_alarm(int number)
{
	(void)number;
	/* Only now can the read that goes on afterwards end. */
	(void)!write(signal_pipe[1], "x", 1);
}

static void restart_act(void *data)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct itimerval soon = { .it_value = { .tv_usec = 50000 } };
	char byte;

	(void)data;
	ACTOR_CHECK(pipe(signal_pipe) == 0);
	ACTOR_CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	live_mark(1);
	ACTOR_CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	ACTOR_CHECK(syscall(SYS_read, signal_pipe[0], &byte, 1) == 1);
	live_mark(LIVE_NO_MARK);
}

Test(live_calls, a_restarted_call_is_one_event, .timeout = 300)
{
	static const char *const names[] = { "read", NULL };
	const struct wire_counters *own;
	const struct event *event;
	struct live live;

	live_run(&live, &(struct live_options){ .syscalls = names }, restart_act);
	event = live_marked(&live, 1, EVENT_READ);
	cr_assert(event != NULL);
	cr_expect(live_count_marked(&live, 1, EVENT_READ) == 1, "%u",
		  live_count_marked(&live, 1, EVENT_READ));
	cr_expect(event->header->result == 1, "%lld", event->header->result);
	own = &live.counters.types[EVENT_READ];
	cr_expect(own->filtered[WIRE_FILTER_RESTARTED] == 1, "%llu",
		  own->filtered[WIRE_FILTER_RESTARTED]);
	live_done(&live);
}

/* ---- numbers that are none --------------------------------------------------------------------
 */

static const long odd_numbers[] = {
	WIRE_SYSCALL_MAX - 1, WIRE_SYSCALL_MAX, 575,	    576, 1000, 0x3fffffff,
	0x40000000 + 511,     0x40000000 + 600, 0x7fffffff, -1,	 -2
};

static void odd_act(void *data)
{
	(void)data;
	for (size_t i = 0; i < ARRAY_LEN(odd_numbers); i++) {
		live_mark(i);
		ACTOR_CHECK(syscall(odd_numbers[i], 1, 2, 3, 4, 5, 6) == -1 && errno == ENOSYS);
	}
	live_mark(1000);
	ACTOR_CHECK(syscall(SYS_getsid, 0) > 0);
	live_mark(LIVE_NO_MARK);
}

/* All that has a name is wanted, and still none of these is an event. */
static void name_all(const char **ret)
{
	unsigned cnt = 0;

	for (unsigned nr = 0; nr < WIRE_SYSCALL_MAX; nr++)
		if (syscall_name(nr) && nr != SYS_getppid)
			ret[cnt++] = syscall_name(nr);
	ret[cnt] = NULL;
}

Test(live_calls, numbers_that_are_none, .timeout = 300)
{
	const char *names[WIRE_SYSCALL_MAX + 1];
	struct live live;

	name_all(names);
	live_run(&live, &(struct live_options){ .syscalls = names }, odd_act);
	for (size_t i = 0; i < ARRAY_LEN(odd_numbers); i++)
		cr_expect(live_count_marked(&live, i, EVENT_CODE_NEVER) == 0, "%ld",
			  odd_numbers[i]);
	cr_expect(live_count_marked(&live, 1000, EVENT_CODE_SYSCALL + SYS_getsid) == 1);
	live_done(&live);
}

/* ---- everything that a program does -----------------------------------------------------------
 */

struct busy_notes {
	uint32_t children;
};

static void busy_child(unsigned seed)
{
	char *argv[] = { "none", NULL };

	for (unsigned i = 0; i < 300; i++) {
		char name[32];
		int fd;

		snprintf(name, sizeof(name), "f%u", (seed + i) % 7);
		fd = open(name, O_CREAT | O_RDWR, 0600);
		if (fd >= 0)
			(void)!write(fd, name, sizeof(name));
		fchmod(fd, 0644);
		close(fd);
		unlink(name);
		execve("./none", argv, argv);
		if (i % 100 == 0 && fork() == 0)
			_exit((int)i);
	}
	while (wait(NULL) > 0)
		;
	_exit(0);
}

static void busy_act(void *data)
{
	struct busy_notes *notes = data;

	for (notes->children = 0; notes->children < 4; notes->children++) {
		pid_t pid = fork();

		if (pid == 0)
			busy_child(notes->children);
		ACTOR_CHECK(pid > 0);
	}
	while (wait(NULL) > 0)
		;
}

/* Several processes at once on all CPUs: nothing may be lost, nothing may be counted twice, and
 * what one process does must come in its order. */
Test(live_calls, everything_at_once_adds_up, .timeout = 300)
{
	const char *names[WIRE_SYSCALL_MAX + 1];
	struct live live;
	uint64_t lost = 0;

	name_all(names);
	live_run(&live,
		 &(struct live_options){
			 .syscalls = names, .ring_bytes = 16u << 20, .is_unread = true },
		 busy_act);
	for (unsigned type = 0; type < EVENT__COUNT; type++)
		for (unsigned i = 0; i < WIRE_LOST__COUNT; i++)
			lost += live.counters.types[type].lost[i];
	cr_expect(lost == 0, "%llu", (unsigned long long)lost);
	cr_expect(live_count(&live, EVENT_UNLINK) == 1200, "%u", live_count(&live, EVENT_UNLINK));
	cr_expect(live_count(&live, EVENT_EXECVE) == 1200, "%u", live_count(&live, EVENT_EXECVE));
	cr_expect(live_count(&live, EVENT_TASK_NEW) == 4 + 12, "%u",
		  live_count(&live, EVENT_TASK_NEW));
	cr_expect(live_count(&live, EVENT_PROCEXIT) == 4 + 12 + 1, "%u",
		  live_count(&live, EVENT_PROCEXIT));
	for (uint32_t i = 1; i < live.event_cnt; i++) {
		const struct wire_header *last = live.events[i - 1]->header,
					 *own = live.events[i]->header;

		cr_expect(last->tid != own->tid || last->time_ns <= own->time_ns, "event %u", i);
	}
	live_done(&live);
}
