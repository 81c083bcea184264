/*
 * haetae explain RULE EVENT: why a rule matches an event, or does not.
 */
#ifndef CLI_EXPLAIN_EVENT_H
#define CLI_EXPLAIN_EVENT_H

#include "haetae/diag.h"
#include "haetae/rules.h"

/* event: FILE, FILE:N (the Nth event, from 1; of a capture the one whose evt.num is N) or "-". The
 * ruleset was loaded with is_match_all and diags still has its files. Returns an exit_code; what is
 * wrong went to stderr. */
int explain_event(const struct ruleset *ruleset, struct diags *diags, const struct rule *rule,
		  const char *event, bool want_json);

#endif
