/*
 * The engine: one record through the stages, ring to alert. One per daemon, engine thread only.
 */
#ifndef HAETAE_DAEMON_ENGINE_H
#define HAETAE_DAEMON_ENGINE_H

#include "haetae/container_table.h"
#include "haetae/daemon.h"
#include "haetae/hold.h"

struct engine_counters {
	uint64_t delivered[EVENT__COUNT]; /* decoded, by type; state records too */
	uint64_t undecodable;		  /* refused by the decoder */
	uint64_t undecodable_seeds;	  /* the same of the task iterator's records */
	uint64_t own;			  /* haetae's own events: made here, in no account */
	uint64_t evaluated;		  /* given to the matcher */
	uint64_t alerts[PRIORITY__COUNT]; /* raised */
	uint64_t alerts_lost_memory;	  /* a hit that could not be rendered */
	uint64_t alerts_refused;	  /* a hit that the full output queue refused */
};

/* Of one rule. */
struct engine_rule_counters {
	uint64_t matches; /* events that it matched */
	uint64_t alerts;  /* raised */
};

struct engine {
	struct ruleset *ruleset;	    /* owned */
	struct matcher *matcher;	    /* owned */
	struct proc_table *procs;	    /* owned */
	struct container_table *containers; /* owned */
	struct pod_table *pods;		    /* owned */
	struct users *users;		    /* owned */
	struct hold *hold;		    /* owned */
	struct gate *gate;		    /* owned; NULL: off */
	struct outputs *outputs;	    /* borrowed from the daemon */
	struct arena scratch;		    /* one event's memory */
	struct event event;		    /* the event at hand */
	struct field_context fields;
	struct alert_context alert;
	uint64_t next_number;
	uint64_t own_sequence; /* of records made here */
	int64_t wall_offset_ns;
	/* How much was lost around this event, in all and of its cgroup; set by the daemon. */
	void (*completeness)(const struct wire_header *header, struct alert_context *alert,
			     void *data);
	void *completeness_data;
	char hostname[256], boot_id[40];
	char proc_root[512], etc_root[512]; /* of the host */
	struct engine_counters counters;
	struct engine_rule_counters *rules; /* owned; by rule->index */
};

/* Takes ownership of the ruleset in every case; config outlives the engine. 0 or a negative errno;
 * on failure everything is released. */
int engine_init(struct engine *engine, const struct daemon_config *config,
		const struct proc_table_config *procs, struct ruleset *ruleset);
/* Fine on a zeroed engine. */
void engine_done(struct engine *engine);

/* Reads the cgroups there are; between attaching the probes and seeding. 0 or a negative errno:
 * the daemon goes on, containers that run are learned from their processes. */
int engine_walk(struct engine *engine);
/* Both are a probes_record_fn: data is the engine. Seeds come from the task iterator, not through a
 * ring, so they take no part in the accounts. */
void engine_seed(const void *record, uint32_t length, void *data);
void engine_handle(const void *record, uint32_t length, void *data);
/* A record of haetae's own making (EVENT_OWN), from here on an event like others. */
void engine_own(struct engine *engine, const void *record, uint32_t length);
/* Between batches: decides held events whose deadline has come and, where metadata have changed,
 * all that now can be. */
void engine_decide(struct engine *engine, bool has_news);
/* Boot time of the next such deadline; UINT64_MAX: none. */
uint64_t engine_deadline_ns(const struct engine *engine);
/* Decides all that is held: nothing more will come. */
void engine_flush(struct engine *engine);
/* Housekeeping between batches: wall clock, grace periods. */
void engine_tick(struct engine *engine);

uint64_t engine_delivered(const struct engine *engine);
uint64_t engine_alerts(const struct engine *engine);

#endif
