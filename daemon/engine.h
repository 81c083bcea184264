/*
 * The engine: one record through the stages, ring to alert. One per daemon, engine thread only.
 */
#ifndef HAETAE_DAEMON_ENGINE_H
#define HAETAE_DAEMON_ENGINE_H

#include "haetae/container_table.h"
#include "haetae/daemon.h"
#include "haetae/hold.h"
#include "haetae/host_names.h"
#include "tap.h"

struct engine_counters {
	uint64_t delivered[EVENT__COUNT]; /* decoded, by type; state records too */
	uint64_t undecodable;		  /* refused by the decoder */
	uint64_t undecodable_seeds;	  /* the same of the task iterator's records */
	uint64_t seeds;			  /* from the task iterator, decoded */
	uint64_t own_records;		  /* of EVENT_OWN: a record each, recorded as such */
	uint64_t own;			  /* haetae's own events: made here, in no account */
	uint64_t evaluated;		  /* given to the matcher */
	uint64_t unwanted;		  /* the kernel filter would have kept them back */
	uint64_t unwanted_matches;	  /* and a rule matched: a mistake of the filter */
	uint64_t alerts[PRIORITY__COUNT]; /* raised */
	uint64_t alerts_lost_memory;	  /* a hit that could not be rendered */
	uint64_t alerts_refused;	  /* a hit that the full output queue refused */
};

/* Of one rule. */
struct engine_rule_counters {
	uint64_t matches; /* events that it matched */
	uint64_t alerts;  /* raised */
	uint64_t cost_ns; /* estimated from a sample of events; 0: not measured */
};

/* Takes ownership. False: it has no room for it. */
typedef bool (*engine_alert_fn)(struct alert *alert, void *data);
typedef void (*engine_hit_fn)(const struct rule *rule, const struct alert_context *context,
			      void *data);

typedef void (*engine_event_fn)(const struct field_context *fields, void *data);

/*
 * All that the engine takes in comes through the functions below, and what it makes of it depends
 * on nothing else: no clock, no file, no other thread. So whoever is told of each of these inputs
 * in their order (the tap), and gives them to another engine with the same rules, gets the same
 * alerts from it, byte by byte.
 */
struct engine {
	struct ruleset *ruleset;	    /* borrowed */
	struct matcher *matcher;	    /* owned */
	struct proc_table *procs;	    /* owned */
	struct container_table *containers; /* owned */
	struct pod_table *pods;		    /* owned */
	struct users *users;		    /* owned */
	struct host_names *host_names;	    /* borrowed from the daemon; NULL: no rule has any */
	struct hold *hold;		    /* owned */
	struct gate *gate;		    /* owned; NULL: off */
	struct outputs *outputs;	    /* borrowed from the daemon */
	engine_alert_fn on_alert;	    /* takes alerts instead; or NULL */
	engine_hit_fn on_hit;	  /* takes hits instead, before they are alerts; or NULL */
	engine_event_fn on_event; /* sees each event that rules look at, after them; or NULL */
	void *data;		  /* of all three */
	/* Told of each alert before it goes on; or NULL. */
	void (*on_raised)(const struct rule *rule, const struct alert *alert, void *data);
	void *raised_data;
	/* The rule of the self-test has matched; its alert, NULL where none was to be made. Or
	 * NULL. */
	void (*on_self_test)(const struct alert_context *context, const struct alert *alert,
			     void *data);
	void *self_test_data;
	bool want_self_test_alert;
	struct tap tap;	      /* is told of each input */
	struct arena scratch; /* one event's memory */
	struct event event;   /* the event at hand */
	struct field_context fields;
	struct alert_context alert;
	uint64_t next_number;
	uint64_t own_sequence; /* of records made here */
	uint64_t now_ns;       /* boot time of the newest decision or tick: the engine's clock */
	int64_t wall_offset_ns;
	struct loss_numbers loss; /* around the events at hand */
	bool has_news;		  /* metadata came since the last decision */
	char hostname[256], boot_id[40];
	char proc_root[512], etc_root[512]; /* of the host */
	struct engine_counters counters;
	struct engine_rule_counters *rules; /* owned; by rule->index */
	uint32_t install_cnt;		    /* rulesets taken over so far */
};

/* Who and where: on this host as it is, or as a recording tells it. */
struct engine_host {
	const char *name, *boot_id; /* copied */
	int64_t wall_offset_ns;
	bool is_replayed; /* nothing is asked of this host: */
	struct proc_inputs procs;
	struct container_inputs containers;
};
/* This host. hostname and boot_id point into the given memory. */
void engine_host_read(struct engine_host *host, char hostname[256], char boot_id[40]);

/* Another ruleset (the same one: as if it were) from the next event on. Held events are decided
 * and closing alerts raised by the old one; counters go on by the names of rules. The old one, and
 * its host names, are not used any more. 0, or -ENOMEM: nothing has changed. */
int engine_install(struct engine *engine, struct ruleset *ruleset, struct host_names *host_names);

/* From here on each input is written there. NULL: no longer. */
void engine_record(struct engine *engine, struct capture_writer *writer);

/* config and ruleset outlive the engine. 0 or a negative errno; on failure everything is released.
 */
int engine_init(struct engine *engine, const struct daemon_config *config,
		const struct proc_table_config *procs, const struct engine_host *host,
		struct ruleset *ruleset);
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
/* An answer of the metadata thread; takes what it keeps, the caller frees it. */
void engine_answer(struct engine *engine, struct metadata_answer *answer);
/* So many of the container table's questions, oldest first, have been taken. */
void engine_asked(struct engine *engine, uint32_t cnt);
/* Addresses of a host name; fine where no rule has it. */
void engine_host_name(struct engine *engine, struct str name, const struct host_address *addresses,
		      uint32_t cnt);
/* Which sources of metadata are configured. */
void engine_sources(struct engine *engine, const bool has_source[METADATA_SOURCE__COUNT]);
/* What was lost around the events that follow. */
void engine_loss(struct engine *engine, const struct loss_numbers *loss);
/* The host's users, as users_put() gives them. */
void engine_users(struct engine *engine, struct str passwd, struct str group);
/* A process that has gone without a record, and a step of a walk over the cgroups. */
void engine_gone(struct engine *engine, struct proc_key key);
void engine_take_walk(struct engine *engine, const struct cgroup_walk *walk);
/* Between batches: decides held events whose deadline has come and, where metadata have changed,
 * all that now can be. */
void engine_decide(struct engine *engine, uint64_t now_ns);
/* Boot time of the next such deadline; UINT64_MAX: none. */
uint64_t engine_deadline_ns(const struct engine *engine);
/* Decides all that is held: nothing more will come. */
void engine_flush(struct engine *engine);
/* Housekeeping between batches: wall clock, grace periods. */
void engine_tick(struct engine *engine, uint64_t now_ns, int64_t wall_offset_ns);
/* Behind it, but not in a replay: asks this host for what no record tells. What it finds comes in
 * like everything else. */
void engine_look(struct engine *engine);

uint64_t engine_delivered(const struct engine *engine);
uint64_t engine_alerts(const struct engine *engine);

#endif
