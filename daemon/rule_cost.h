/*
 * What each rule costs, from a sample of events.
 */
#ifndef HAETAE_DAEMON_RULE_COST_H
#define HAETAE_DAEMON_RULE_COST_H

#include "engine.h"

struct rule_cost {
	struct matcher *matcher; /* owned: rules by themselves, without what they share */
	struct engine *engine;	 /* borrowed */
	uint32_t countdown;
};

/* Another ruleset, or the first; where memory is exhausted nothing is measured. */
void rule_cost_install(struct rule_cost *cost, struct engine *engine);
/* After each event that the rules have seen. */
void rule_cost_sample(struct rule_cost *cost, const struct field_context *fields);
void rule_cost_done(struct rule_cost *cost);

#endif
