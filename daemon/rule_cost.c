/*
 * Measures rules one by one on each so-many-th event, as `haetae replay --stats` does on all. Owns
 * its matcher; the sums are in the engine's counters. Engine thread.
 */
#include "rule_cost.h"

#include "haetae/clock.h"

/* A prime, so that what comes in a rhythm is not met, or missed, each time. A hundred rules take
 * some 20 us: 20 ns an event. */
#define PERIOD 1021

void rule_cost_install(struct rule_cost *cost, struct engine *engine)
{
	rule_cost_done(cost);
	cost->engine = engine;
	cost->countdown = PERIOD;
	if (matcher_new(engine->ruleset, &cost->matcher) < 0)
		cost->matcher = NULL;
}

void rule_cost_done(struct rule_cost *cost)
{
	cost->matcher = matcher_free(cost->matcher);
}

static void measure(struct rule_cost *cost, const struct field_context *fields)
{
	struct engine *engine = cost->engine;

	for (uint32_t i = 0; i < ruleset_rule_cnt(engine->ruleset); i++) {
		const struct rule *rule = ruleset_rule(engine->ruleset, i);
		uint64_t before_ns;

		if (!rule->is_enabled || !event_set_has(&rule->events, fields->event->code))
			continue;
		before_ns = clock_boot_ns();
		(void)matcher_decide(cost->matcher, fields, rule);
		engine->rules[i].cost_ns += (clock_boot_ns() - before_ns) * PERIOD;
	}
}

void rule_cost_sample(struct rule_cost *cost, const struct field_context *fields)
{
	if (--cost->countdown > 0)
		return;
	cost->countdown = PERIOD;
	if (cost->matcher)
		measure(cost, fields);
}
