/*
 * Which event codes can satisfy a leaf (rule-language.md 6.4); expr.c combines the sets. And which
 * of them a rule looks at: not calls that are made all the time, unless it names them. Owns
 * nothing. Called by the compiler.
 */
#include "compile.h"
#include "ops.h"

static void complement(const struct compilation *c, struct event_set *set)
{
	for (unsigned i = 0; i < ARRAY_LEN(set->bits); i++)
		set->bits[i] = c->all_events.bits[i] & ~set->bits[i];
}

void infer_type_set(const struct compilation *c, const struct predicate *predicate,
		    struct event_set *ret)
{
	struct op_context context = { 0 };

	*ret = (struct event_set){ 0 };
	for (unsigned code = 0; code < EVENT_CODE__COUNT; code++) {
		const char *name =
			event_set_has(&c->all_events, code) ? event_code_name(code) : NULL;
		struct value value = { .type = VALUE_STRING };
		struct value_set set = { FIELD_VALUE, 1, &value };

		if (!name)
			continue;
		value.str = str_from(name);
		if (predicate_match(predicate, &set, NULL, &context))
			event_set_add(ret, code);
	}
}

void infer_leaf(const struct compilation *c, const struct predicate *predicate, bool is_negated,
		struct event_set *ret)
{
	enum op op = predicate->op;

	*ret = c->all_events;
	/* Other tests of the name stay "any event": they get the warning that says so. */
	if (!predicate->is_type_test ||
	    (op != OP_EQ && op != OP_NE && op != OP_IN && op != OP_EXISTS))
		return;
	*ret = predicate->type_set;
	if (is_negated)
		complement(c, ret);
}

void infer_named(const struct predicate *predicate, bool is_negated, const struct event_set *events,
		 struct event_set *ret)
{
	enum op op = predicate->op;
	bool is_name = is_negated ? op == OP_NE : op == OP_EQ || op == OP_IN;

	*ret = (struct event_set){ 0 };
	if (predicate->is_type_test && is_name)
		*ret = *events;
}

void infer_rule(const struct expr *expr, struct event_set *ret)
{
	*ret = expr->events;
	for (unsigned code = 0; code < EVENT_CODE__COUNT; code++)
		if (event_set_has(ret, code) && !event_set_has(&expr->named, code) &&
		    !event_code_is_usual(code))
			ret->bits[code / 64] &= ~(1ULL << (code % 64));
}

void event_set_join(struct event_set *set, const struct event_set *other)
{
	for (unsigned i = 0; i < ARRAY_LEN(set->bits); i++)
		set->bits[i] |= other->bits[i];
}

uint32_t event_set_count(const struct event_set *set)
{
	uint32_t cnt = 0;

	for (unsigned i = 0; i < ARRAY_LEN(set->bits); i++)
		cnt += (uint32_t)__builtin_popcountll(set->bits[i]);
	return cnt;
}

bool event_set_is_empty(const struct event_set *set)
{
	return event_set_count(set) == 0;
}
