/*
 * Which rules take part (rule-language.md 6.2, decision 31). Private to the ruleset.
 */
#ifndef HAETAE_MATCH_SELECT_H
#define HAETAE_MATCH_SELECT_H

#include "defs.h"

/* The whole text, `*` for any bytes. */
bool select_matches(struct str pattern, struct str text);
/* By its tags; of several the least mature. */
enum maturity select_maturity(const struct rule_def *rule);
enum selection {
	SELECTION_OFF,
	SELECTION_IMMATURE, /* it would be on, were its maturity enough */
	SELECTION_ON
};
/* By its key `enabled` and its maturity, the selectors in order, its source and the minimum
 * priority. Sets is_used[i] for each selector that matched. */
enum selection select_rule(const struct rules_options *options, const struct rule_def *rule,
			   bool *is_used);
/* Warns of selectors that no rule matched. */
void select_warn_unused(const struct rules_options *options, const bool *is_used,
			struct diags *diags);

#endif
