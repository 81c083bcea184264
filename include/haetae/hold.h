/*
 * Alerts that wait for metadata (decisions 23 and 24). An event whose verdict, or whose alert,
 * needs what a source has not said yet is kept with all that is known of it, and decided when the
 * answer comes, at its deadline, or at once where too much is kept already. Engine thread.
 */
#ifndef HAETAE_HOLD_H
#define HAETAE_HOLD_H

#include "haetae/alert.h"
#include "haetae/container_table.h"

struct hold; /* opaque */

/* What the hold asks of its owner. */
struct hold_calls {
	/* Completes what an alert says of the event at hand, before it is raised or kept. Or NULL.
	 */
	void (*complete)(struct alert_context *alert, void *data);
	/* alert->metadata is set; everything else is as at the event. */
	void (*raise)(const struct rule *rule, const struct alert_context *alert, void *data);
	uint64_t (*now_ns)(void *data); /* boot time; asked only where events are held */
	void *data;
};

/* One event can wait for this many rules; where there are more, all are decided at once. */
#define HOLD_RULES_MAX 256

/* 0 or -ENOMEM. containers: whose references a held event takes. */
int hold_new(const struct hold_config *config, struct container_table *containers,
	     const struct hold_calls *calls, struct hold **ret);
/* What is still held is forgotten: flush first. Fine with NULL. */
struct hold *hold_free(struct hold *hold);

/* Runs the rules over alert->fields->event: raises what is decided, keeps the rest. Allocates
 * nothing where nothing is pending. What alert->fields names, but the event and its process, stays
 * where it is as long as something is held; so does the matcher. */
void hold_run(struct hold *hold, struct matcher *matcher, struct alert_context *alert);

/* Metadata have changed, of this container or (NULL) of any: decides what now can be, in the order
 * of events. */
void hold_update(struct hold *hold, const struct container *container);
/* Decides what has reached its deadline. */
void hold_tick(struct hold *hold);
/* Boot time of the first deadline; UINT64_MAX: nothing is held. */
uint64_t hold_deadline_ns(const struct hold *hold);
/* Decides all that waits for rules of this matcher (NULL: of any): before a reload, at the end. */
void hold_flush(struct hold *hold, const struct matcher *matcher);

enum hold_overflow {
	HOLD_OVERFLOW_EVENTS,
	HOLD_OVERFLOW_CONTAINER, /* max_per_container, or that share of max_bytes */
	HOLD_OVERFLOW_BYTES,	 /* exhausted memory counts as the nearer of the two limits */
	HOLD_OVERFLOW_RULES,	 /* HOLD_RULES_MAX */
	HOLD_OVERFLOW__COUNT
};
/* "events", "container", … */
const char *hold_overflow_name(enum hold_overflow reason);

/* Events. held = released + timed_out + stopped + now; overflowed ones were never held. */
struct hold_stats {
	uint64_t held;	    /* so far */
	uint64_t released;  /* decided because metadata came, or their source failed */
	uint64_t timed_out; /* decided at the deadline */
	uint64_t stopped;   /* decided by hold_flush() */
	uint64_t overflowed[HOLD_OVERFLOW__COUNT];
	uint64_t now, bytes;
};
void hold_stats(const struct hold *hold, struct hold_stats *ret);

#endif
