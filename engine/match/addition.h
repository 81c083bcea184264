/*
 * What the configuration appends to outputs (rule-language.md 5.4). Private to the ruleset.
 */
#ifndef HAETAE_MATCH_ADDITION_H
#define HAETAE_MATCH_ADDITION_H

#include "defs.h"

/* Compiles each text alone, so that a mistake is reported once and not for each rule; sets
 * is_good[i]. */
void additions_check(const struct rules_options *options, struct arena *arena, struct diags *diags,
		     bool *is_good);
/* Joins those that match to the rule's output, in order. False where memory is exhausted. */
bool additions_apply(const struct rules_options *options, const bool *is_good, struct arena *arena,
		     struct rule_def *rule);

#endif
