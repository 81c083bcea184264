/*
 * One rule over one event as a tree, for people: every part of the condition as its author wrote
 * it, what it says of the event, and which values made it so. A slow way of its own, beside the
 * plan that detects; both say the same, but that the plan knows "x and not x" to be false while
 * x is pending.
 */
#ifndef HAETAE_TRACE_H
#define HAETAE_TRACE_H

#include "haetae/rules.h"

enum trace_kind {
	TRACE_AND,
	TRACE_OR,
	TRACE_NOT,
	TRACE_MACRO,
	TRACE_EXCEPTION, /* what is below says whether the event is excepted */
	TRACE_CHECK,
};

struct trace_node {
	enum trace_kind kind;
	enum verdict verdict;
	bool is_decisive; /* the whole would be otherwise if it was; a check */
	struct str text;  /* CHECK: as written; MACRO, EXCEPTION: its name */
	/* CHECK: the values on the left as outputs print them, joined by ", "; p NULL: absent. */
	struct str actual;
	struct str right; /* the same of val() and a transformer on the right */
	bool has_right;
	struct span at;
	const struct trace_node *const *children;
	uint32_t child_cnt;
};

/* Parts of one tree; macros stand in it as often as they are mentioned. */
#define TRACE_NODES_MAX 100000

/* In the arena. 0, -ENOMEM, or TRACE_E_LARGE; TRACE_E_NONE: the rule has no condition that could
 * be compiled. */
#define TRACE_E_LARGE 1
#define TRACE_E_NONE  2
int rule_trace(const struct ruleset *ruleset, const struct rule *rule,
	       const struct field_context *context, struct arena *arena,
	       const struct trace_node **ret);

#endif
