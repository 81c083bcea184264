/*
 * What the files of the kernel filter share: a leaf of a condition as boxes, and a whole condition.
 */
#ifndef HAETAE_MATCH_PUSHDOWN_H
#define HAETAE_MATCH_PUSHDOWN_H

#include "filter_set.h"
#include "ops.h"

/* Texts that sets name by number: of BOX_COMM a name, of BOX_PATH a part of a path, of BOX_ADDRESS
 * a struct cidr. */
struct push_text {
	uint64_t hash;
	enum filter_part part; /* of BOX_PATH */
	struct str text;
};

/* A call's argument that clauses may ask for. */
struct push_argument {
	enum event_type type;
	uint8_t param, argument;
	enum filter_width width;
};

/* One event type at a time. */
struct pusher {
	struct arena *arena; /* of this event type */
	const struct event_schema *schema;
	struct push_text *texts; /* owned; id i + 1 is texts[i] */
	uint32_t text_cnt, text_cap;
	const struct push_argument *arguments[FILTER_ARGUMENTS];
	uint32_t argument_cnt;
	const struct push_argument *bits; /* or NULL */
	struct op_context op;
	/* For people: called with each leaf that is left out, and why; or NULL. */
	void (*on_left_out)(const struct predicate *predicate, bool is_negated, const char *why,
			    void *data);
	void *data;
};

/* Of an event type that is filtered at all: seen at a call's end, and no part of what the process
 * table lives on. */
bool push_has_filter(const struct event_schema *schema);
/* Of a file that is opened by its name: the kernel has its path. */
bool push_is_open(const struct event_schema *schema);
/* The part of a name: its id, 0 where memory is out. */
uint64_t push_text(struct pusher *p, enum filter_part part, struct str text);
/* What must hold of an event for the leaf to be true, as far as the kernel can tell. */
void push_leaf(struct pusher *p, const struct predicate *predicate, bool is_negated,
	       struct boxes *ret);
/* In filter_path.c. False: nothing can be said of it, *ret_why tells why. */
bool push_path(struct pusher *p, const struct predicate *predicate, bool is_negated,
	       struct boxes *ret, const char **ret_why);

/* In filter_socket.c: whether the kernel has the event's two ends when it decides; and what a leaf
 * asks of them, as push_path(). */
bool push_is_socket(const struct event_schema *schema);
bool push_socket(struct pusher *p, const struct predicate *predicate, bool is_negated,
		 struct boxes *ret, const char **ret_why);

/* In pushdown.c: the same of an expression whose tests of evt.type are decided. 0 or -ENOMEM. */
int push_expr(struct pusher *p, const struct expr *expr, struct boxes *ret);
void pusher_done(struct pusher *p);

#endif
