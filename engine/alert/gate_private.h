/*
 * One key of the gate, and its closing alert. Inside the alert stage only.
 */
#ifndef HAETAE_GATE_PRIVATE_H
#define HAETAE_GATE_PRIVATE_H

#include "haetae/container.h"

#include "alert_private.h"

#define GATE_SAMPLES_MAX 5
#define GATE_SAMPLE_MAX	 512  /* bytes of one */
#define GATE_TRIES_MAX	 64   /* suppressed hits that are rendered to look for distinct ones */
#define GATE_PATH_MAX	 1024 /* bytes of the executable's path that are kept */

struct gate_entry {
	uint64_t hash;
	const struct rule *rule; /* of the key; of several rules the most urgent suppressed one */
	char container_id[CONTAINER_ID_MAX + 1]; /* "" where it is no part of the key */
	char container_name[CONTAINER_ID_MAX + 1];
	bool is_rest;	    /* of a container with too many keys: no executable, throttle only */
	struct str exepath; /* in storage[]; p NULL: no part of the key */

	uint64_t credit_ns, credited_ns; /* token bucket: a token is rate_ns */
	uint64_t window_end_ns;
	bool is_due; /* its window ended before a tick saw it */

	uint64_t throttled, deduplicated;		/* not yet told of */
	uint64_t first_ns, first_wall_ns, last_wall_ns; /* of those */
	char uuid[37];					/* of the closing alert */
	struct str samples[GATE_SAMPLES_MAX];		/* owned */
	uint32_t sample_cnt, try_cnt;
	char storage[];
};

/* Remembers the message of a suppressed hit where it is a new one. Out of memory: it is not. */
void gate_sample(struct gate_entry *entry, const struct rule *rule,
		 const struct alert_context *context);
void gate_samples_done(struct gate_entry *entry);
/* NULL where memory is exhausted. */
struct alert *gate_summary(const struct gate_entry *entry, const struct alert_context *context);

#endif
