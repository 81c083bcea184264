/*
 * Live tests: the real probes on the running kernel, with a child process as the actor. The probes
 * record only that child and what it starts (scope_pid), so nothing of the machine's other
 * processes is seen. The actor writes what libc and /proc say into shared memory, and the test
 * compares every parameter and header member with it.
 */
#ifndef HAETAE_TEST_LIVE_H
#define HAETAE_TEST_LIVE_H

#include <criterion/criterion.h>
#include <sys/types.h>

#include "haetae/event.h"
#include "haetae/probes.h"

/* What a task says of itself. */
struct facts {
	uint32_t pid, tid, parent_pid, session_id, group_id;
	uint32_t uid, euid, gid, egid, loginuid, tty;
	uint32_t pid_ns, mnt_ns, user_ns;
	uint64_t cap_effective, cap_permitted, cap_inheritable;
	uint64_t start_ticks; /* of the process, USER_HZ since boot */
	char comm[16];
};
void facts_read(struct facts *ret);

#define LIVE_SHARED_BYTES 65536

typedef void (*live_actor_fn)(void *shared);
struct live;

struct live_options {
	const char *const *syscalls; /* names that are wanted, ended by NULL; getppid always is */
	live_actor_fn prepare;	     /* run by the actor before it is watched; NULL: nothing */
	size_t shared_bytes;	     /* 0: LIVE_SHARED_BYTES */
	/* Called while the actor waits to be let go, when the probes are ready; or NULL. */
	void (*ready)(struct live *live, struct probes *probes);
	/* Called with everything drained, before the probes are freed; or NULL. */
	void (*finished)(struct live *live, struct probes *probes);
	bool want_env, want_path_swapped;
	uint32_t ring_bytes, lifecycle_ring_bytes; /* 0: default */
	const char *scope_cgroup;		   /* instead of scope_pid */
	bool is_unread;				   /* drain only when the actor is done: overload */
	bool is_not_self_scoped; /* scope is the test itself: for the own-pid filter */
};

/* What happened. One arena holds copies of all records; events point into it. */
struct live {
	struct arena arena;
	char directory[32]; /* empty, the actor's working directory; removed by live_done() */
	struct live_failure *failure; /* shared with the actor */
	size_t shared_bytes;
	struct event **seeds; /* as events */
	uint32_t seed_cnt, seed_cap;
	struct event **events; /* in the arena; an event holds pointers into itself */
	uint32_t event_cnt, event_cap;
	uint32_t undecodable;
	struct probes_counters counters;
	uint64_t delivered[EVENT__COUNT];
	uint64_t max_sequence[2][64], seen[2][64]; /* [is bulk][cpu] */
	void *shared;				   /* what the actor wrote */
	pid_t actor;
};

/* Forks the actor, loads, lets it act, waits, detaches, drains. Fails the test where loading fails,
 * where the accounts don't add up, or where a descriptor leaked. */
void live_run(struct live *live, const struct live_options *options, live_actor_fn actor);
void live_done(struct live *live);
/* For `ready`: takes what is there now, at most max_records (0: all). Returns how many. */
uint64_t live_drain(struct live *live, struct probes *probes, uint64_t max_records);
/* What the run wants, of these names. */
void live_want(const char *const *names, struct probes_want *ret);

/* The n-th event (from 0) of that type by the actor's process tree; NULL: none. Generic events are
 * found by the syscall's number in EVENT_CODE_SYSCALL + nr. */
const struct event *live_find(const struct live *live, unsigned code, unsigned n);
unsigned live_count(const struct live *live, unsigned code);

/* ---- in the actor: what fails there fails the test ---------------------------------------------
 */

_Noreturn void live_actor_fail(const char *file, int line, const char *what);
#define ACTOR_CHECK(condition)                                           \
	do {                                                             \
		if (!(condition))                                        \
			live_actor_fail(__FILE__, __LINE__, #condition); \
	} while (0)
/* Waits for a child; its wait status. A child that failed so ends the actor, too. */
int live_wait(pid_t pid);
/* A getppid that live_marked() finds: what the actor does from here on belongs to the number. */
void live_mark(uint64_t number);
#define LIVE_NO_MARK UINT64_MAX /* ends the last one's */

/* The first event of that code between the mark and the next one; EVENT_CODE_NEVER: of any. NULL:
 * there is none. */
const struct event *live_marked(const struct live *live, uint64_t number, unsigned code);
unsigned live_count_marked(const struct live *live, uint64_t number, unsigned code);

/* Compare one parameter; `what` names the case in the message. */
void expect_number(const struct event *event, unsigned param, int64_t want, const char *what);
void expect_string(const struct event *event, unsigned param, const char *want, const char *what);
void expect_kpath(const struct event *event, unsigned param, const char *want, const char *what);
void expect_absent(const struct event *event, unsigned param, const char *what);
/* The path as /proc/PID/fd says it; ino_param as for event_kpath(). */
void expect_proc_path(const struct event *event, unsigned param, int ino_param, const char *want,
		      const char *what);
/* Nothing is cut and nothing was unreadable. */
void expect_whole(const struct event *event, const char *what);
/* Whether the text is `want`, in which a star stands for anything up to the next blank or to what
 * follows the star. */
bool text_is_like(const char *text, const char *want);
/* Every member of the header that the task itself knows. */
void expect_header(const struct event *event, const struct facts *facts, int64_t result,
		   const char *what);

/* Skips, with a line that says why, where the host can't: not root, or no BTF. */
void live_require(void);
/* The same where the kernel's tracepoints don't give io_uring's requests. */
void live_require_uring(void);

#endif
