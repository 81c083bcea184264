/*
 * matcher_* of rules.h: an evaluator bound to a ruleset. Owns the evaluator. Called by the engine
 * thread; templates read values on their own.
 */
#include <errno.h>

#include "defs.h"
#include "eval.h"

struct matcher {
	const struct ruleset *ruleset; /* borrowed */
	struct evaluator *evaluator;   /* owned */
};

struct delivery {
	const struct ruleset *ruleset;
	matcher_hit_fn hit;
	void *data;
};

int matcher_new(const struct ruleset *ruleset, struct matcher **ret)
{
	struct matcher *matcher = calloc(1, sizeof(*matcher));
	int r;

	if (!matcher)
		return -ENOMEM;
	matcher->ruleset = ruleset;
	r = evaluator_new(ruleset_program(ruleset), &matcher->evaluator);
	if (r < 0) {
		free(matcher);
		return r;
	}
	*ret = matcher;
	return 0;
}

struct matcher *matcher_free(struct matcher *matcher)
{
	if (!matcher)
		return NULL;
	evaluator_free(matcher->evaluator);
	free(matcher);
	return NULL;
}

static void deliver(uint32_t rule, void *data)
{
	const struct delivery *delivery = data;

	delivery->hit(ruleset_rule(delivery->ruleset, rule), delivery->data);
}

unsigned matcher_run(struct matcher *matcher, const struct field_context *context,
		     matcher_hit_fn hit, void *data)
{
	struct delivery delivery = { matcher->ruleset, hit, data };

	return evaluator_run(matcher->evaluator, context, deliver, &delivery);
}

void matcher_stats(const struct matcher *matcher, struct matcher_stats *ret)
{
	evaluator_stats(matcher->evaluator, ret);
}
