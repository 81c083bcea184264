/*
 * matcher_* of rules.h: an evaluator bound to a ruleset, and the walk over a condition's fields.
 * Owns both. Called by the engine thread; templates read values on their own.
 */
#include <errno.h>

#include "defs.h"
#include "eval.h"

/* Marks and stack of a walk: an expression is pushed once, so that neither can overflow. */
struct field_walk {
	uint32_t *marks;	   /* by expression: the walk that met it; owned */
	const struct expr **stack; /* owned */
	uint32_t cnt, number;
};

struct matcher {
	const struct ruleset *ruleset; /* borrowed */
	const struct program *program; /* the ruleset's */
	struct evaluator *evaluator;   /* owned */
	struct field_walk walk;
};

struct delivery {
	const struct ruleset *ruleset;
	matcher_hit_fn hit;
	matcher_open_fn open;
	void *data;
};

int matcher_new(const struct ruleset *ruleset, struct matcher **ret)
{
	struct matcher *matcher = calloc(1, sizeof(*matcher));
	size_t expr_cnt;
	int r;

	if (!matcher)
		return -ENOMEM;
	matcher->ruleset = ruleset;
	matcher->program = ruleset_program(ruleset);
	expr_cnt = (size_t)matcher->program->expr_cnt + 1;
	matcher->walk.marks = calloc(expr_cnt, sizeof(*matcher->walk.marks));
	matcher->walk.stack = calloc(expr_cnt, sizeof(*matcher->walk.stack));
	r = matcher->walk.marks && matcher->walk.stack
		    ? evaluator_new(matcher->program, &matcher->evaluator)
		    : -ENOMEM;
	if (r < 0) {
		matcher_free(matcher);
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
	free(matcher->walk.marks);
	free(matcher->walk.stack);
	free(matcher);
	return NULL;
}

/* ---- evaluation ----------------------------------------------------------------------------- */

static void deliver_hit(uint32_t rule, void *data)
{
	const struct delivery *delivery = data;

	delivery->hit(ruleset_rule(delivery->ruleset, rule), delivery->data);
}

static void deliver_open(uint32_t rule, enum verdict verdict, void *data)
{
	const struct delivery *delivery = data;

	if (delivery->open)
		delivery->open(ruleset_rule(delivery->ruleset, rule), verdict, delivery->data);
}

unsigned matcher_run(struct matcher *matcher, const struct field_context *context,
		     matcher_hit_fn hit, matcher_open_fn open, void *data)
{
	struct delivery delivery = { matcher->ruleset, hit, open, data };
	const struct evaluator_calls calls = { deliver_hit, deliver_open, &delivery };

	return evaluator_run(matcher->evaluator, context, &calls);
}

enum verdict matcher_decide(struct matcher *matcher, const struct field_context *context,
			    const struct rule *rule)
{
	return evaluator_decide(matcher->evaluator, context, rule->index);
}

enum verdict matcher_decide_again(struct matcher *matcher, const struct field_context *context,
				  const struct rule *rule)
{
	return evaluator_decide_again(matcher->evaluator, context, rule->index);
}

bool matcher_is_match_all(const struct matcher *matcher)
{
	return matcher->program->is_match_all;
}

void matcher_stats(const struct matcher *matcher, struct matcher_stats *ret)
{
	evaluator_stats(matcher->evaluator, ret);
}

/* ---- fields of a condition ------------------------------------------------------------------ */

static void push(struct field_walk *walk, const struct expr *expr)
{
	if (walk->marks[expr->id] == walk->number)
		return;
	walk->marks[expr->id] = walk->number;
	walk->stack[walk->cnt++] = expr;
}

static void visit_operand(const struct operand *operand, matcher_field_fn visit, void *data)
{
	for (uint32_t i = 0; operand && i < operand->order_cnt; i++)
		if (operand->order[i]->kind == OPERAND_FIELD)
			visit(operand->order[i]->field, &operand->order[i]->argument, data);
	if (operand && operand->kind == OPERAND_FIELD)
		visit(operand->field, &operand->argument, data);
}

void matcher_fields(struct matcher *matcher, unsigned event_code, const struct rule *rule,
		    matcher_field_fn visit, void *data)
{
	struct field_walk *walk = &matcher->walk;
	const struct plan_entry *entry =
		event_code < EVENT_CODE__COUNT
			? plan_find(&matcher->program->plans[event_code], rule->index)
			: NULL;

	if (!entry)
		return;
	if (++walk->number == 0) {
		memset(walk->marks, 0, matcher->program->expr_cnt * sizeof(*walk->marks));
		walk->number = 1;
	}
	push(walk, entry->expr);
	while (walk->cnt) {
		const struct expr *expr = walk->stack[--walk->cnt];

		for (uint32_t i = 0; i < expr->child_cnt; i++)
			push(walk, expr->children[i]);
		if (expr->kind != EXPR_LEAF)
			continue;
		visit_operand(expr->predicate->left, visit, data);
		visit_operand(expr->predicate->right, visit, data);
	}
}
