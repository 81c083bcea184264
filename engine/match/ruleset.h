/*
 * The ruleset's insides, for explain.c.
 */
#ifndef HAETAE_MATCH_RULESET_H
#define HAETAE_MATCH_RULESET_H

#include "defs.h"

struct ruleset {
	struct arena arena; /* everything below, and what it points to */
	struct defs defs;
	struct compiled_rule *compiled; /* one for each rule of defs */
	struct program *program;
	struct rule *rules; /* the same */
	uint32_t rule_cnt;
	struct event_set events; /* of enabled rules */
	uint32_t needs;
};

#endif
