/*
 * The snapshot of the engine's counters, and how it is served.
 */
#ifndef HAETAE_DAEMON_METRICS_H
#define HAETAE_DAEMON_METRICS_H

#include <pthread.h>

#include "haetae/kernel_filter.h"
#include "haetae/hold.h"
#include "haetae/metrics.h"

#include "engine.h"
#include "reload.h"
#include "self_test.h"

#define METRICS_CGROUPS_SHOWN	 16
#define METRICS_CONTAINERS_SHOWN 32

/* A container that has many events; texts are cut. */
struct metrics_container {
	char id[16], name[64], pod[64], pod_namespace[64];
	struct container_activity activity;
};

/* What only the engine thread may read, copied each second. */
struct metrics_snapshot {
	uint64_t boot_ns;	/* when */
	uint64_t caught_up_ns;	/* when the rings were last found empty */
	uint64_t start_wall_ns; /* of the daemon */
	uint64_t cpu_ns, resident_bytes;
	bool has_probes;
	uint64_t rules_loaded, rules_enabled;
	struct probes_counters kernel;
	uint64_t program_runs, program_run_ns;
	struct probes_cgroup_loss cgroups[METRICS_CGROUPS_SHOWN];
	uint32_t cgroup_cnt;
	uint64_t cgroups_other;
	struct engine_counters engine;
	struct matcher_stats matcher;
	struct gate_stats gate;
	struct proc_table_stats procs;
	struct container_table_stats containers;
	uint64_t pods;
	struct metrics_container active[METRICS_CONTAINERS_SHOWN]; /* most events first */
	uint32_t active_cnt;
	struct metadata_stats metadata;
	struct hold_stats hold;
	struct reload_counters reload;
	struct self_test_state self_test;
	struct kernel_filter_state filter;
	const struct ruleset *ruleset; /* borrowed: outlives the thread that serves */
	uint32_t rule_cnt;
	struct engine_rule_counters *rules; /* [rule_cnt], owned by the metrics */
};

struct metrics {
	pthread_mutex_t lock;
	struct metrics_snapshot collected; /* engine thread; its rules are the engine's */
	struct metrics_snapshot published; /* under the lock */
	struct metrics_snapshot served;	   /* thread that serves */
	bool is_initialised;
};

struct metrics_sources {
	const struct engine *engine;
	struct probes *probes;
	const struct metadata *metadata; /* NULL: none */
	const struct probes_counters *counters;
	uint64_t caught_up_ns;
	struct reload *reload;			 /* NULL: none */
	const struct self_test_state *self_test; /* NULL: none */
	const struct kernel_filter_state *filter;
};

/* 0 or a negative errno. */
int metrics_init(struct metrics *metrics, uint32_t rule_cnt);
void metrics_done(struct metrics *metrics);
/* Engine thread: another ruleset, which stays until metrics_uses() says no. 0 or -ENOMEM: nothing
 * has changed. */
int metrics_install(struct metrics *metrics, const struct ruleset *ruleset);
/* Whether the thread that serves may still look at it. */
bool metrics_uses(struct metrics *metrics, const struct ruleset *ruleset);
/* Engine thread, once a second. */
void metrics_publish(struct metrics *metrics, const struct metrics_sources *sources);
/* The thread that serves: the newest snapshot, valid until it takes the next. boot_ns 0: there is
 * none yet. */
const struct metrics_snapshot *metrics_take(struct metrics *metrics);

/* Prometheus' text format 0.0.4, or OpenMetrics 1.0. outputs may be NULL. */
void metrics_format(const struct metrics_snapshot *snapshot, struct outputs *outputs,
		    bool is_openmetrics, struct buf *out);

#endif
