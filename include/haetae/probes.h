/*
 * The probes as the daemon sees them: load, attach, seed, drain, count. One object per daemon, used
 * from the engine thread only. Knows the wire format and nothing of rules or processes.
 */
#ifndef HAETAE_PROBES_H
#define HAETAE_PROBES_H

#include "haetae/buf.h"
#include "haetae/filter.h"

struct kernel_filter;

struct probes; /* opaque */

struct probes_config {
	uint32_t ring_bytes; /* one bulk ring; rounded up to a power of two of pages */
	uint32_t lifecycle_ring_bytes;
	uint32_t cpus_per_ring;
	uint32_t scope_pid;	  /* record only this process and its descendants, by its pid in
				     the daemon's pid namespace; 0: everything */
	const char *scope_cgroup; /* a directory below a mounted cgroup hierarchy: record only
				     tasks in it or below; NULL: everything */
	bool want_env;		  /* exec events carry the environment (decision 29) */
	bool want_path_swapped;	  /* attach the enter program (decision 2) */
};

void probes_config_default(struct probes_config *config);

/* What the rules want: the event type to raise for each native syscall number, EVENT_UNKNOWN (0)
 * for none; and whether records of a type may match a rule (then they wake the reader). */
struct probes_want {
	uint16_t type_of_syscall[WIRE_SYSCALL_MAX];
	bool is_evaluated[EVENT__COUNT];
};

/* Why the host can't. `what` says what failed, `fix` what to do; both one line. */
struct probes_error {
	char what[256], fix[256];
};

#define PROBES_E_HOST  1 /* the host cannot run the probes: *reterr says why (exit code 3) */
#define PROBES_E_USAGE 2 /* a scope that does not exist: *reterr says why (exit code 2) */

/* Loads the programs. 0, PROBES_E_HOST, PROBES_E_USAGE, or a negative errno. */
int probes_open(const struct probes_config *config, const struct probes_want *want,
		struct probes **ret, struct probes_error *reterr);
/* Replaces what is wanted; takes effect on the next syscall. No event is lost. */
int probes_want(struct probes *probes, const struct probes_want *want);
/* Installs what the kernel keeps back (kernel_filter.h), in place of what it kept back before;
 * NULL: nothing. Meanwhile every event passes, so that no rule misses one. 0, -E2BIG (it names too
 * many values), or another negative errno; all pass then. */
int probes_filter(struct probes *probes, const struct kernel_filter *filter, enum filter_mode mode);
/* Attaches all programs. From here on records arrive. Call probes_seed() next. */
int probes_attach(struct probes *probes, struct probes_error *reterr);

/* A record; valid during the call only. The bytes are what the kernel wrote; length has been
 * checked against the ring's, nothing else. */
typedef void (*probes_record_fn)(const void *record, uint32_t length, void *data);

/* Gives a TASK_SEED record for each process there is, and learns the daemon's own tgid and the
 * scope's tree from the same walk (decision 17). Before it returns, no event of the daemon itself
 * is recorded any more. Processes outside the scope are given too: they are ancestors. */
int probes_seed(struct probes *probes, probes_record_fn fn, void *data,
		struct probes_error *reterr);

/* The one call of the daemon itself that is recorded: fanotify_mark(2) of a path and of no
 * descriptor, which does nothing but fail. By the thread that seeded, which is the process's first.
 */
void probes_self_test(struct probes *probes, const char *path);

/* Readable when records wait. */
int probes_poll_fd(const struct probes *probes);
/* Gives the records that are there now, merged by time (decision 16), at most max_records
 * (0: no limit). Returns how many. */
uint64_t probes_drain(struct probes *probes, probes_record_fn fn, void *data, uint64_t max_records);

/* Takes all programs off; records already written can still be drained. */
void probes_detach(struct probes *probes);
/* Fine with NULL. */
struct probes *probes_free(struct probes *probes);
static inline void probes_freep(struct probes **probes)
{
	*probes = probes_free(*probes);
}

static inline void wire_counters_add(struct wire_counters *sum, const struct wire_counters *one)
{
	sum->generated += one->generated;
	sum->submitted += one->submitted;
	for (unsigned i = 0; i < WIRE_FILTER__COUNT; i++)
		sum->filtered[i] += one->filtered[i];
	for (unsigned i = 0; i < WIRE_LOST__COUNT; i++)
		sum->lost[i] += one->lost[i];
}

/* Sums over cpus; recursion misses are in EVENT_UNKNOWN, both as generated and as lost. */
struct probes_counters {
	struct wire_counters types[EVENT__COUNT];
	uint64_t malformed; /* ring entries with an impossible length: lost in user space */
};
int probes_read_counters(struct probes *probes, struct probes_counters *ret);
/* How often the programs ran and for how long, since the kernel counts that
 * (kernel.bpf_stats_enabled, Documentation/admin-guide/sysctl/kernel.rst); else 0. */
void probes_read_runs(const struct probes *probes, uint64_t *ret_runs, uint64_t *ret_run_ns);
/* Records lost of one cgroup so far; `other` collects cgroups beyond the table (decision 18). */
struct probes_cgroup_loss {
	uint64_t cgroup_id, lost;
	enum wire_hierarchy hierarchy; /* whose cgroup_id it is */
};
/* Fills up to max entries, largest first; *ret_other is the rest. Returns how many. */
uint32_t probes_read_cgroup_loss(struct probes *probes, struct probes_cgroup_loss *ret,
				 uint32_t max, uint64_t *ret_other);

/* What the kernel offers, for `haetae doctor`; also used to explain a failure. */
enum probes_feature_state {
	FEATURE_MISSING,
	FEATURE_PRESENT,
	FEATURE_OPTIONAL_MISSING
};
struct probes_feature {
	const char
		*name; /* "BTF", "tp_btf", "ring buffer", "task iterator", "bpf_rdonly_cast", … */
	enum probes_feature_state state;
	char detail[256]; /* what was found, or why not */
	const char *fix;  /* what to do; NULL where nothing is to be done */
};
#define PROBES_FEATURE_MAX 32
/* Probes the running host without loading the real programs. Returns how many were filled. */
unsigned probes_check_host(struct probes_feature ret[PROBES_FEATURE_MAX]);

#endif
