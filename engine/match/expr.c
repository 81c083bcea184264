/*
 * Expressions: negation-normal form, folded, equal ones made once. Owns nothing; nodes live in the
 * ruleset's arena. Called by compile.c and plan.c.
 */
#include "compile.h"

static struct expr *constant(struct compilation *c, bool is_true)
{
	return is_true ? c->true_expr : c->false_expr;
}

/* A value that the language fixes: evt.num starts at 1, evt.dir is always "<". */
static bool fold_leaf(const struct predicate *predicate, bool *ret)
{
	const struct operand *left = predicate->left;
	const struct literal *literal = predicate->literals;
	enum op op = predicate->op;

	if (predicate->literal_cnt == 0 && !predicate->right && op != OP_EXISTS && !left->is_list) {
		/* in (), anyof (): nothing to be equal to. */
		*ret = false;
		return true;
	}
	if (left->kind != OPERAND_FIELD || predicate->right ||
	    predicate->modifier != MODIFIER_NONE || predicate->literal_cnt > 1)
		return false;
	if (strcmp(left->field->name, "evt.dir") == 0 &&
	    (op == OP_EQ || op == OP_NE || op == OP_EXISTS)) {
		*ret = op == OP_EXISTS || str_eq_text(literal->value.str, "<") == (op == OP_EQ);
		return true;
	}
	if (predicate->class == CLASS_UNSIGNED && op == OP_LT && literal->value.u64 == 0) {
		*ret = false;
		return true;
	}
	if (strcmp(left->field->name, "evt.num") != 0)
		return false;
	if (op == OP_EXISTS) {
		*ret = true;
		return true;
	}
	if (literal->value.u64 > 1 || (op != OP_EQ && op != OP_NE && op < OP_LT) || op > OP_GE)
		return false;
	/* At least 1: what holds for 1 and for all above it, or for none. */
	*ret = op == OP_NE || op == OP_GE || op == OP_GT;
	return literal->value.u64 == 0 || op == OP_GE || op == OP_LT;
}

static struct expr *new_expr(struct compilation *c, enum expr_kind kind)
{
	struct expr *expr = arena_new(c->arena, struct expr);

	if (!expr)
		return NULL;
	expr->kind = kind;
	expr->id = c->expr_cnt++;
	expr->unit = expr->entry = expr->simplified_for = expr->root_of = PLAN_NONE;
	return expr;
}

static struct expr *keep(struct compilation *c, struct expr *expr)
{
	return expr && compilation_remember(c, expr) == 0 ? expr : NULL;
}

struct expr *expr_leaf(struct compilation *c, const struct predicate *predicate, bool is_negated)
{
	struct expr *expr;
	bool value;

	if (fold_leaf(predicate, &value))
		return constant(c, value != is_negated);
	buf_clear(&c->key);
	buf_printf(&c->key, "E%c%u", is_negated ? '!' : ' ', predicate->slot);
	expr = compilation_find(c);
	if (expr)
		return expr;
	expr = new_expr(c, EXPR_LEAF);
	if (!expr)
		return NULL;
	expr->predicate = predicate;
	expr->is_negated = is_negated;
	expr->cost = predicate->cost;
	expr->has_type_test = predicate->is_type_test;
	expr->needs = predicate->left->needs | (predicate->right ? predicate->right->needs : 0);
	infer_leaf(c, predicate, is_negated, &expr->events);
	infer_named(predicate, is_negated, &expr->events, &expr->named);
	((struct predicate *)c->predicates.items[predicate->slot])->expr_cnt++;
	return keep(c, expr);
}

/* ---- and, or --------------------------------------------------------------------------------- */

/* Cheap tests first; by number where they cost the same, so that "a and b" is "b and a". The order
 * cannot be observed: tests have no effects. */
static int compare_exprs(const void *a, const void *b)
{
	const struct expr *left = *(struct expr *const *)a, *right = *(struct expr *const *)b;

	if (left->cost != right->cost)
		return left->cost < right->cost ? -1 : 1;
	return (left->id > right->id) - (left->id < right->id);
}

/* x and not x. The two readings of a path are two predicates: no contradiction. */
static bool are_opposite(const struct expr *a, const struct expr *b)
{
	return a->kind == EXPR_LEAF && b->kind == EXPR_LEAF && a->predicate == b->predicate &&
	       a->is_negated != b->is_negated;
}

static bool has_literal(const struct predicate *predicate, const struct value *value)
{
	for (uint32_t i = 0; i < predicate->literal_cnt; i++) {
		const struct value *other = &predicate->literals[i].value;

		if (predicate->class == CLASS_BYTES ? str_eq(other->str, value->str)
						    : other->u64 == value->u64)
			return true;
	}
	return false;
}

static bool is_equality(const struct expr *expr)
{
	const struct predicate *predicate = expr->predicate;

	return expr->kind == EXPR_LEAF && !expr->is_negated && !predicate->right &&
	       predicate->modifier == MODIFIER_NONE && predicate->class <= CLASS_BYTES &&
	       predicate->class != CLASS_BOOL && predicate->literal_cnt <= 64 &&
	       (predicate->op == OP_EQ || predicate->op == OP_IN) && !predicate->left->is_list &&
	       !(predicate->left->flags & (FIELD_IS_READINGS | FIELD_IS_ANY));
}

/* f = a and f = b: one value cannot be both. */
static bool are_disjoint(const struct expr *a, const struct expr *b)
{
	if (!is_equality(a) || !is_equality(b) || a->predicate->left != b->predicate->left)
		return false;
	for (uint32_t i = 0; i < a->predicate->literal_cnt; i++)
		if (has_literal(b->predicate, &a->predicate->literals[i].value))
			return false;
	return true;
}

/* Pairs are compared among this many children: a thousand exceptions are not worth a million. */
#define PAIRS_MAX 32

static bool is_decided(enum expr_kind kind, struct expr *const *children, uint32_t cnt)
{
	for (uint32_t i = 0; i < MIN(cnt, (uint32_t)PAIRS_MAX); i++)
		for (uint32_t j = i + 1; j < MIN(cnt, (uint32_t)PAIRS_MAX); j++)
			if (are_opposite(children[i], children[j]) ||
			    (kind == EXPR_AND && are_disjoint(children[i], children[j])))
				return true;
	return false;
}

/* Drops neutral and repeated children. Returns false where one decides the whole. */
static bool reduce(enum expr_kind kind, struct expr **children, uint32_t *cnt)
{
	enum expr_kind neutral = kind == EXPR_AND ? EXPR_TRUE : EXPR_FALSE;
	enum expr_kind deciding = kind == EXPR_AND ? EXPR_FALSE : EXPR_TRUE;
	uint32_t kept = 0;

	qsort(children, *cnt, sizeof(struct expr *), compare_exprs);
	for (uint32_t i = 0; i < *cnt; i++) {
		if (children[i]->kind == deciding)
			return false;
		if (children[i]->kind != neutral &&
		    (kept == 0 || children[kept - 1] != children[i]))
			children[kept++] = children[i];
	}
	*cnt = kept;
	return !is_decided(kind, children, kept);
}

static void combine(struct expr *expr)
{
	bool is_and = expr->kind == EXPR_AND;
	uint64_t cost = 1;

	expr->events = expr->children[0]->events;
	expr->named = expr->children[0]->named;
	for (uint32_t i = 0; i < expr->child_cnt; i++) {
		const struct expr *child = expr->children[i];

		for (unsigned j = 0; j < ARRAY_LEN(expr->events.bits); j++)
			expr->events.bits[j] =
				is_and ? expr->events.bits[j] & child->events.bits[j]
				       : expr->events.bits[j] | child->events.bits[j];
		event_set_join(&expr->named, &child->named);
		expr->has_type_test |= child->has_type_test;
		expr->needs |= child->needs;
		/* Of `and` most end at the first or second test: cheap ones come first. */
		cost += is_and ? child->cost >> MIN(i, 31u) : child->cost;
	}
	expr->cost = (uint32_t)MIN(cost, (uint64_t)UINT32_MAX / 2);
}

static struct expr *keep_join(struct compilation *c, enum expr_kind kind, struct expr **children,
			      uint32_t child_cnt)
{
	struct expr *expr;

	buf_clear(&c->key);
	buf_putc(&c->key, kind == EXPR_AND ? '&' : '|');
	for (uint32_t i = 0; i < child_cnt; i++)
		buf_printf(&c->key, " %u", children[i]->id);
	expr = compilation_find(c);
	if (expr)
		return expr;
	expr = new_expr(c, kind);
	if (!expr)
		return NULL;
	expr->children = arena_new_array(c->arena, struct expr *, child_cnt);
	if (!expr->children)
		return NULL;
	memcpy(expr->children, children, child_cnt * sizeof(*children));
	expr->child_cnt = child_cnt;
	combine(expr);
	return keep(c, expr);
}

struct expr *expr_join(struct compilation *c, enum expr_kind kind, struct expr *const *children,
		       uint32_t child_cnt)
{
	_cleanup_(freep) struct expr **sorted = malloc(child_cnt * sizeof(*sorted) + 1);

	if (!sorted)
		return NULL;
	memcpy(sorted, children, child_cnt * sizeof(*sorted));
	if (!reduce(kind, sorted, &child_cnt))
		return constant(c, kind == EXPR_OR);
	if (child_cnt == 0)
		return constant(c, kind == EXPR_AND);
	return child_cnt == 1 ? sorted[0] : keep_join(c, kind, sorted, child_cnt);
}
