/*
 * Alerts: templates compiled, hits rendered. An alert is one allocation with trailing storage;
 * the engine makes it, the outputs thread frees it after the last sink is done.
 */
#ifndef HAETAE_ALERT_H
#define HAETAE_ALERT_H

#include "haetae/rules.h"

/* An output text with its %fields resolved; in the arena given at compile time. */
struct template;

/* For rules_options.compile_output. Diagnostics: unknown field (near name as hint), missing or
 * forbidden argument, a lone %. */
const struct template *template_compile(struct arena *arena, struct str text, const struct span *at,
					struct diags *diags);
/* FIELD_NEEDS_… of its fields. */
uint32_t template_needs(const struct template *compiled);
/* The message alone, as for %-tokens; missing values print <NA>. */
void template_format(const struct template *compiled, const struct field_context *context,
		     struct buf *out);
/* The output_fields object: every field token plus evt.time, typed, missing as null. */
void template_format_fields(const struct template *compiled, const struct field_context *context,
			    struct buf *out);

struct alert {
	uint64_t wall_ns;
	enum priority priority;
	uint32_t extra_refs; /* see alert_ref() */
	char uuid[37];
	struct str rule;
	struct str tags; /* of the rule, each ended by a NUL */
	struct str text; /* one line without newline: "HH:MM:SS.nnnnnnnnn: Warning message" */
	struct str json; /* one line without newline, architecture.md section 7 */
	char storage[];
};

/* A field that every alert carries with the same text, such as a cluster's name (decision 31). */
struct constant_field {
	struct str key, value;
};

/* How much was known of the container and the pod when the alert was made. */
enum alert_metadata {
	ALERT_METADATA_RESOLVED, /* all that its rule and its text ask for, and that exists */
	ALERT_METADATA_PARTIAL, /* a source that is configured is not healthy, or had less to say */
	ALERT_METADATA_TIMEOUT, /* held until the deadline */
	ALERT_METADATA_OVERFLOW /* not held: too many were */
};

/* Alerts that wait for metadata (decisions 23 and 24). */
struct hold_config {
	uint64_t deadline_ns;	    /* default 2 s */
	uint32_t max_held;	    /* events; default 4096 */
	uint32_t max_per_container; /* default 256 */
	uint64_t max_bytes;	    /* default 64 MiB */
};
void hold_config_default(struct hold_config *config);

/* Throttle and dedupe (architecture.md section 7, decision 36): one mechanism, off by default. */
enum gate_key {
	GATE_RULE,
	GATE_CONTAINER,
	GATE_EXEPATH,
	GATE_KEY__COUNT
};
struct gate_config {
	uint64_t rate_ns; /* one token each; 0: no throttle */
	uint32_t burst;
	uint64_t window_ns;			   /* dedupe; 0: off */
	bool by[GATE_KEY__COUNT];		   /* default: all */
	uint32_t max_keys, max_keys_per_container; /* default 16384, 1024 */
};
void gate_config_default(struct gate_config *config);

/* Of the process table and its images, for an event that was held: they have moved on. */
struct alert_kept {
	struct str ancestors; /* as rendered */
	struct str exepath;   /* of the process; p NULL: not known */
	bool is_args_cut, is_env_cut;
};

/* What an alert says beyond the event. */
struct alert_context {
	const struct field_context *fields;
	const struct constant_field *constants; /* in output_fields, behind the rule's own */
	uint32_t constant_cnt;
	const char *version;
	const char *boot_id;		    /* of /proc/sys/kernel/random/boot_id */
	uint64_t lost_10s, lost_cgroup_10s; /* completeness */
	enum alert_metadata metadata;
	bool has_source[METADATA_SOURCE__COUNT]; /* is configured (metadata_has_source()) */
	const struct alert_kept *kept;		 /* NULL: the event is at hand */
};

/* Renders. 0, or -ENOMEM: the caller counts a lost alert. The uuid is derived from (boot id, host,
 * ring, cpu, sequence, time, rule), so that a replay gives the same one (decision 34), and another
 * daemon of this boot, whose sequences begin anew, others. */
int alert_new(const struct rule *rule, const struct alert_context *context, struct alert **ret);
/* ---- the gate: throttle and dedupe (decision 36) --------------------------------------------- */

struct gate; /* opaque; engine thread */

struct gate_stats {
	uint64_t hits; /* = passed + throttled + deduplicated */
	uint64_t passed, throttled, deduplicated;
	uint64_t summaries;  /* closing alerts that were made */
	uint64_t summarised; /* suppressed hits that they told of; all of them after gate_flush() */
	uint64_t no_room;    /* of passed: too many keys, so it was not held against others */
	uint64_t keys;	     /* now */
};

/* Takes a closing alert over. It has the rule's name, tells how many were suppressed between when
 * and when, and lists distinct ones of them. NULL: it found no memory. */
typedef void (*gate_raise_fn)(const struct rule *rule, struct alert *alert, void *data);

/* *ret is NULL where neither throttle nor dedupe is on. The configuration is copied; fn may be
 * called by gate_tick() and gate_flush() only. 0 or -ENOMEM. */
int gate_new(const struct gate_config *config, gate_raise_fn fn, void *data, struct gate **ret);
struct gate *gate_free(struct gate *gate);
/* Whether an alert of this hit is to be raised. Suppressed hits are counted under their key, which
 * will have a closing alert. The clock is the event's, so that a replay decides the same. Fine
 * with NULL: all pass. */
bool gate_check(struct gate *gate, const struct rule *rule, const struct alert_context *context);
/* Once a second: closing alerts of windows that are over, and of throttled keys that are quiet, at
 * the latest after a minute. */
void gate_tick(struct gate *gate, const struct alert_context *context, uint64_t now_ns);
/* All closing alerts that are open: at the end, and before a ruleset goes. */
void gate_flush(struct gate *gate, const struct alert_context *context);
/* The same, and all keys are forgotten, as after a reload. */
void gate_clear(struct gate *gate, const struct alert_context *context);
/* Zeroes for NULL. */
void gate_stats(const struct gate *gate, struct gate_stats *ret);

/* Another owner: each calls alert_free(). All of them in one thread. */
struct alert *alert_ref(struct alert *alert);
/* Frees it where this was the last owner. */
struct alert *alert_free(struct alert *alert);

/* What an alert is made of, for one that was kept elsewhere. */
struct alert_parts {
	uint64_t wall_ns;
	enum priority priority;
	struct str uuid; /* at most 36 characters */
	struct str rule, tags, text, json;
};
/* NULL where memory is exhausted. */
struct alert *alert_restore(const struct alert_parts *parts);

#endif
