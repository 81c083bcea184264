/*
 * A held event, as hold_event.c makes it and hold.c keeps it. Inside the alert stage only.
 */
#ifndef HAETAE_ALERT_HOLD_PRIVATE_H
#define HAETAE_ALERT_HOLD_PRIVATE_H

#include "alert_private.h"
#include "haetae/hold.h"

/* A rule that waits. */
struct open_rule {
	const struct rule *rule;
	bool is_true; /* only its alert waits, or an earlier rule */
};

/* A field as it was at the event; a pending one is read again. */
struct frozen_value {
	struct frozen_value *next;	   /* of its bucket */
	struct frozen_value *next_pending; /* of held_event.pending */
	const struct field *field;
	const struct field_argument *argument; /* of the ruleset, or static */
	struct value_set set;
};

#define HELD_BUCKETS 64

struct held_event {
	struct held_event *next, *previous; /* in the order of events */
	struct matcher *matcher;	    /* borrowed; stands for the generation of its ruleset */
	struct container *container;	    /* a reference, or NULL */
	uint64_t deadline_ns;
	size_t bytes;
	struct arena arena; /* owns what is below */
	struct event event;
	struct field_context fields;
	struct alert_context alert;
	struct alert_kept kept;
	struct open_rule *rules; /* those still open, in order */
	uint32_t rule_cnt;
	struct frozen_value *buckets[HELD_BUCKETS];
	struct frozen_value *pending;
	/* What was known of the container when it was looked at last: while that is so, nothing has
	 * come. Not where other things are waited for too. */
	bool is_by_container;
	struct container_info *seen_info; /* a reference, so that no other can have its address */
	enum metadata_state seen_state[METADATA_SOURCE__COUNT];
	/* What gave values by hand before. */
	field_override_fn override;
	void *override_data;
};

/* A copy of alert->fields->event and of what its rules and their alerts read, at most max_bytes.
 * NULL where that is not enough. Takes no reference. scratch: for what is read again. */
struct held_event *held_event_new(struct matcher *matcher, const struct alert_context *alert,
				  const struct open_rule *rules, uint32_t rule_cnt,
				  size_t max_bytes, struct arena *scratch);
struct held_event *held_event_free(struct held_event *held);
/* Everything that was pending still is. */
bool held_event_is_waiting(struct held_event *held);

#endif
