/*
 * A lifecycle ring that nobody reads (decision 20): exec leaves out its environment above half,
 * cuts its arguments above three quarters, says so, and above seven eighths is lost and counted.
 */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "program.h"

#define RING_BYTES  131072
#define ENTRY_HEAD  8	/* of a ring's entry: kernel/bpf/ringbuf.c */
#define SHORT_BYTES 128 /* what is left of argv[0], and of the rest */
#define FAILURES    40
#define CHILDREN    40

struct pressure_notes {
	char zero[201], one[701], variable[901];
};

static void prepare(void *data)
{
	struct pressure_notes *notes = data;

	memset(notes->zero, 'z', 200);
	memset(notes->one, 'o', 700);
	memset(notes->variable, 'V', 900);
	program_make("program", 0755);
}

static void act(void *data)
{
	struct pressure_notes *notes = data;
	char *argv[] = { notes->zero, notes->one, NULL }, *env[] = { notes->variable, NULL };

	for (int i = 0; i < FAILURES; i++)
		syscall(SYS_execve, "./none", argv, env);
	for (int i = 0; i < CHILDREN; i++) {
		int fds[2];
		pid_t pid = pipe2(fds, O_CLOEXEC) == 0 ? fork() : -1;
		char none;

		if (pid == 0) {
			alarm(30);
			execve("./program", argv, env);
			_exit(1);
		}
		if (pid < 0)
			return;
		/* Its exec is what counts, and must not be cut short by the end that follows. */
		close(fds[1]);
		(void)!read(fds[0], &none, 1);
		close(fds[0]);
		usleep(5000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static void check_exec(const struct event *event, const struct pressure_notes *notes,
		       uint64_t pending, uint32_t index)
{
	bool is_half = pending > RING_BYTES / 2, is_short = pending > RING_BYTES / 4 * 3;
	uint32_t flags = event->header->flags;
	struct str exe = event->params[PARAM_EXECVE_exe];
	struct str args = event->params[PARAM_EXECVE_args];
	struct str env = event->params[PARAM_EXECVE_env];

	cr_expect(!!(flags & WIRE_ENV_DROPPED) == is_half, "event %u, %llu pending: flags 0x%x",
		  index, (unsigned long long)pending, flags);
	cr_expect(!!(flags & WIRE_ARGV_SHORT) == is_short, "event %u, %llu pending: flags 0x%x",
		  index, (unsigned long long)pending, flags);
	cr_expect(!!(flags & WIRE_CUT) == is_short, "event %u: flags 0x%x", index, flags);
	cr_expect(env.n == (is_half ? 0 : sizeof(notes->variable)), "event %u: env of %u bytes",
		  index, env.n);
	cr_expect(exe.n == (is_short ? SHORT_BYTES : sizeof(notes->zero)),
		  "event %u: argv[0] of %u bytes", index, exe.n);
	cr_expect(args.n == (is_short ? SHORT_BYTES : sizeof(notes->one)),
		  "event %u: args of %u bytes", index, args.n);
	cr_assert(exe.n && args.n, "event %u", index);
	cr_expect(memcmp(exe.p, notes->zero, exe.n - 1) == 0 && !exe.p[exe.n - 1]);
	cr_expect(memcmp(args.p, notes->one, args.n - 1) == 0 && !args.p[args.n - 1]);
}

Test(live_pressure, exec_gets_shorter_before_it_is_lost, .timeout = 300)
{
	static const char *const names[] = { "execve", "procexit", NULL };
	struct live live;
	const struct wire_counters *execs;
	uint64_t pending = 0, lost = 0;
	unsigned dropped = 0, cut = 0;

	live_run(&live,
		 &(struct live_options){ .syscalls = names,
					 .prepare = prepare,
					 .want_env = true,
					 .lifecycle_ring_bytes = RING_BYTES,
					 .is_unread = true },
		 act);
	for (uint32_t i = 0; i < live.event_cnt; i++) {
		const struct event *event = live.events[i];

		if (event->header->ring != 0)
			continue;
		/* Nobody reads: what is pending is all that came before. */
		if (event->code == EVENT_EXECVE) {
			check_exec(event, live.shared, pending, i);
			dropped += !!(event->header->flags & WIRE_ENV_DROPPED);
			cut += !!(event->header->flags & WIRE_ARGV_SHORT);
		}
		pending += ENTRY_HEAD + event->header->length;
	}
	execs = &live.counters.types[EVENT_EXECVE];
	cr_expect(dropped > 5 && cut > 5 && cut < dropped, "%u without env, %u cut", dropped, cut);
	/* One group, so it is heavy: the last eighth is for others. */
	cr_expect(pending > RING_BYTES / 8 * 7 && pending <= RING_BYTES / 16 * 15, "%llu",
		  (unsigned long long)pending);
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		lost += live.counters.types[type].lost[WIRE_LOST_SHARE];
		cr_expect(live.counters.types[type].lost[WIRE_LOST_RING_FULL] == 0);
	}
	cr_expect(lost > 0, "the ring is full at the end");
	cr_expect(execs->generated >= FAILURES && execs->generated <= FAILURES + CHILDREN, "%llu",
		  execs->generated);
	live_done(&live);
}

/* ---- both rings, both kinds -------------------------------------------------------------------
 */

/* A storm of files must not cost an exec: they are in different rings. */
static void storm_act(void *data)
{
	(void)data;
	for (int i = 0; i < 20; i++) {
		pid_t pid;

		for (int call = 0; call < 1000; call++)
			syscall(SYS_unlinkat, -1, "none", 0);
		pid = fork();
		if (pid == 0)
			_exit(i);
		live_wait(pid);
	}
}

Test(live_pressure, files_do_not_push_out_processes, .timeout = 300)
{
	static const char *const names[] = { "unlinkat", "procexit", NULL };
	struct live live;
	const struct event *event;

	live_run(&live,
		 &(struct live_options){ .syscalls = names, .ring_bytes = 4096, .is_unread = true },
		 storm_act);
	cr_expect(live.counters.types[EVENT_UNLINKAT].lost[WIRE_LOST_RING_FULL] > 10000, "%llu",
		  live.counters.types[EVENT_UNLINKAT].lost[WIRE_LOST_RING_FULL]);
	cr_expect(live_count(&live, EVENT_TASK_NEW) == 20, "%u", live_count(&live, EVENT_TASK_NEW));
	cr_expect(live_count(&live, EVENT_PROCEXIT) == 21, "%u", live_count(&live, EVENT_PROCEXIT));
	for (unsigned i = 0; i < 20; i++) {
		event = live_find(&live, EVENT_PROCEXIT, i);
		cr_assert(event != NULL);
		expect_number(event, PARAM_PROCEXIT_ret, i, "exit code");
	}
	live_done(&live);
}

/* Calls on credentials share the ring with the processes, up to half of it: who makes them in a
 * loop fills the other ring. */
static void credentials_act(void *data)
{
	(void)data;
	for (int i = 0; i < 10; i++) {
		pid_t pid;

		for (int call = 0; call < 1000; call++)
			syscall(SYS_setuid, -1);
		pid = fork();
		if (pid == 0)
			_exit(i);
		live_wait(pid);
	}
}

Test(live_pressure, credentials_do_not_push_out_processes, .timeout = 300)
{
	static const char *const names[] = { "setuid", "procexit", NULL };
	struct live live;
	const struct wire_counters *calls;
	uint64_t seen[2] = { 0 }, bytes = 0;

	live_run(&live,
		 &(struct live_options){ .syscalls = names,
					 .ring_bytes = 65536,
					 .lifecycle_ring_bytes = RING_BYTES,
					 .is_unread = true },
		 credentials_act);
	for (uint32_t i = 0; i < live.event_cnt; i++) {
		const struct wire_header *header = live.events[i]->header;

		if (header->type != EVENT_SETUID)
			continue;
		seen[header->ring != 0]++;
		if (header->ring == 0)
			bytes += ENTRY_HEAD + header->length;
	}
	calls = &live.counters.types[EVENT_SETUID];
	cr_expect_eq(calls->generated, 10000);
	cr_expect_gt(calls->lost[WIRE_LOST_RING_FULL], 5000);
	cr_expect(seen[0] > 10 && seen[1] > 10, "%llu %llu", (unsigned long long)seen[0],
		  (unsigned long long)seen[1]);
	cr_expect(bytes <= RING_BYTES / 2 + WIRE_RECORD_MAX, "%llu", (unsigned long long)bytes);
	cr_expect_eq(live_count(&live, EVENT_TASK_NEW), 10);
	cr_expect_eq(live_count(&live, EVENT_PROCEXIT), 11);
	live_done(&live);
}
