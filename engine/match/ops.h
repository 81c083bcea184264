/*
 * One predicate over the values of its operands (rule-language.md 2.4 to 2.6).
 */
#ifndef HAETAE_MATCH_OPS_H
#define HAETAE_MATCH_OPS_H

#include "program.h"

/* What operators need beside values; one a thread. */
struct op_context {
	struct regex_scratch *regex; /* NULL where the program has no regex */
	struct arena *scratch;
	struct regex_counters counters;
};

/* `right` is ignored where the predicate has literals. Absent and pending values make it false. */
bool predicate_match(const struct predicate *predicate, const struct value_set *left,
		     const struct value_set *right, struct op_context *context);

#endif
