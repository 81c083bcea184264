/*
 * The operators. Owns nothing; allocates nothing but copies of invalid UTF-8 for regex, in scratch.
 * Called by the evaluator, and by the compiler for what it can decide.
 */
#include "ops.h"

#include "glob.h"

/* ---- one value against one constant ---------------------------------------------------------- */

static bool ordered(enum op op, int order)
{
	switch (op) {
	case OP_EQ:
	case OP_IN:
	case OP_INTERSECTS:
		return order == 0;
	case OP_NE:
		return order != 0;
	case OP_LT:
		return order < 0;
	case OP_LE:
		return order <= 0;
	case OP_GT:
		return order > 0;
	case OP_GE:
		return order >= 0;
	case OP_EXISTS:
	case OP_PMATCH:
	case OP_CONTAINS:
	case OP_ICONTAINS:
	case OP_BCONTAINS:
	case OP_STARTSWITH:
	case OP_BSTARTSWITH:
	case OP_ENDSWITH:
	case OP_GLOB:
	case OP_IGLOB:
	case OP_REGEX:
	case OP__COUNT:
		break;
	}
	return false;
}

static unsigned char fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool icontains(struct str s, struct str part)
{
	if (part.n == 0)
		return true;
	for (uint32_t i = 0; i + part.n <= s.n; i++) {
		uint32_t n = 0;

		while (n < part.n && fold(s.p[i + n]) == fold(part.p[n]))
			n++;
		if (n == part.n)
			return true;
	}
	return false;
}

/* A flat switch. */
static bool compare_bytes(enum op op, struct str left, const struct literal *right,
			  struct op_context *context)
{
	struct str constant = right->value.str;

	switch (op) {
	case OP_EQ:
	case OP_IN:
	case OP_INTERSECTS:
		return str_eq(left, constant);
	case OP_NE:
		return !str_eq(left, constant);
	case OP_CONTAINS:
	case OP_BCONTAINS:
		return str_contains(left, constant);
	case OP_ICONTAINS:
		return icontains(left, constant);
	case OP_STARTSWITH:
	case OP_BSTARTSWITH:
		return str_starts_with(left, constant);
	case OP_ENDSWITH:
		return str_ends_with(left, constant);
	case OP_GLOB:
		return glob_match(constant, left, false);
	case OP_IGLOB:
		return glob_match(constant, left, true);
	case OP_REGEX:
		return regex_match(right->regex, context->regex, left, context->scratch,
				   &context->counters) == REGEX_YES;
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		return ordered(op, str_cmp(left, constant));
	case OP_EXISTS:
	case OP_PMATCH:
	case OP__COUNT:
		break;
	}
	return false;
}

static int compare_unsigned(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_signed(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static bool compare(const struct predicate *predicate, const struct value *left,
		    const struct literal *right, struct op_context *context)
{
	enum op op = predicate->op;

	switch (predicate->class) {
	case CLASS_SIGNED:
		return ordered(op, compare_signed(left->s64, right->value.s64));
	case CLASS_UNSIGNED:
		return ordered(op, compare_unsigned(left->u64, right->value.u64));
	case CLASS_BOOL:
		return ordered(op, left->is_true != right->value.is_true);
	case CLASS_BYTES:
		return compare_bytes(op, left->str, right, context);
	case CLASS_IP:
		return ordered(op, !ip_equal(&left->ip, &right->value.ip));
	case CLASS_NET:
		/* An address on the right side is a network of one. */
		return ordered(op, predicate->right ? !ip_equal(&left->ip, &right->value.ip)
						    : !cidr_has(&right->net, &left->ip));
	}
	return false;
}

/* ---- one value against all that stands on the right ------------------------------------------ */

static bool in_literals(const struct predicate *predicate, const struct value *value,
			struct op_context *context)
{
	uint64_t number = value->u64;

	if (predicate->nets)
		return cidr_set_has(predicate->nets, &value->ip);
	if (predicate->strings && predicate->class == CLASS_BYTES)
		return strset_has(predicate->strings, value->str);
	if (predicate->strings && predicate->class == CLASS_IP)
		return strset_has(predicate->strings, (struct str){ (const char *)&value->ip,
								    1 + ip_length(&value->ip) });
	if (predicate->strings)
		return strset_has(predicate->strings,
				  (struct str){ (const char *)&number, sizeof(number) });
	for (uint32_t i = 0; i < predicate->literal_cnt; i++)
		if (compare(predicate, value, &predicate->literals[i], context))
			return true;
	return false;
}

static bool compare_right(const struct predicate *predicate, const struct value *value,
			  const struct value_set *right, struct op_context *context)
{
	bool is_set = predicate->op == OP_IN || predicate->op == OP_INTERSECTS;
	bool wants_all = !is_set && predicate->quantifier == QUANTIFIER_ALL;

	for (uint32_t i = 0; i < right->cnt; i++) {
		struct literal literal = { .value = right->values[i] };

		if (compare(predicate, value, &literal, context) != wants_all)
			return !wants_all;
	}
	return wants_all;
}

static bool apply_modifier(enum op_modifier modifier, uint32_t hits, uint32_t cnt)
{
	switch (modifier) {
	case MODIFIER_ONEOF:
		return hits == 1;
	case MODIFIER_ANYOF:
		return hits > 0;
	case MODIFIER_ALLOF:
		return cnt > 0 && hits == cnt;
	case MODIFIER_NONE:
	case MODIFIER__COUNT:
		break;
	}
	return hits > 0;
}

static bool match_value(const struct predicate *predicate, const struct value *value,
			const struct value_set *right, struct op_context *context)
{
	uint32_t hits = 0;

	if (predicate->right)
		return compare_right(predicate, value, right, context);
	if (predicate->modifier != MODIFIER_NONE) {
		for (uint32_t i = 0; i < predicate->literal_cnt; i++)
			hits += compare(predicate, value, &predicate->literals[i], context);
		return apply_modifier(predicate->modifier, hits, predicate->literal_cnt);
	}
	if (predicate->op == OP_PMATCH)
		return pmatch_has(predicate->paths, value->str);
	return in_literals(predicate, value, context);
}

/* ---- several values -------------------------------------------------------------------------- */

static bool match_all(const struct predicate *predicate, const struct value_set *left,
		      const struct value_set *right, struct op_context *context)
{
	for (uint32_t i = 0; i < left->cnt; i++)
		if (!match_value(predicate, &left->values[i], right, context))
			return false;
	return true;
}

static bool match_any(const struct predicate *predicate, const struct value_set *left,
		      const struct value_set *right, struct op_context *context)
{
	for (uint32_t i = 0; i < left->cnt; i++)
		if (match_value(predicate, &left->values[i], right, context))
			return true;
	return false;
}

/* fd.ip: "f != x" is a statement about both ends, and the modifier counts such statements. */
static bool match_either(const struct predicate *predicate, const struct value_set *left,
			 const struct value_set *right, struct op_context *context)
{
	bool wants_all = predicate->op == OP_NE;
	uint32_t hits = 0;

	if (predicate->modifier == MODIFIER_NONE)
		return wants_all ? match_all(predicate, left, right, context)
				 : match_any(predicate, left, right, context);
	for (uint32_t i = 0; i < predicate->literal_cnt; i++) {
		bool holds = wants_all;

		for (uint32_t v = 0; v < left->cnt && holds == wants_all; v++)
			holds = compare(predicate, &left->values[v], &predicate->literals[i],
					context);
		hits += holds;
	}
	return apply_modifier(predicate->modifier, hits, predicate->literal_cnt);
}

/* A parameter of evt.rawarg whose type in this event is not the one that was compiled. */
static bool is_of_other_class(const struct predicate *predicate, const struct value_set *left)
{
	enum value_class class;

	if (!predicate->left->is_param || left->cnt == 0)
		return false;
	class = value_class_of(left->values[0].type);
	return (class <= CLASS_UNSIGNED) != (predicate->class <= CLASS_UNSIGNED) ||
	       (class > CLASS_UNSIGNED && class != predicate->class);
}

bool predicate_match(const struct predicate *predicate, const struct value_set *left,
		     const struct value_set *right, struct op_context *context)
{
	if (left->state != FIELD_VALUE)
		return false;
	if (predicate->op == OP_EXISTS)
		return true;
	if ((predicate->right && right->state != FIELD_VALUE) || is_of_other_class(predicate, left))
		return false;
	if (predicate->left->is_list)
		return predicate->op == OP_IN ? match_all(predicate, left, right, context)
					      : match_any(predicate, left, right, context);
	if ((predicate->left->flags & FIELD_ALL_DIFFER) && left->cnt > 1)
		return match_either(predicate, left, right, context);
	return left->cnt > 0 && (predicate->quantifier == QUANTIFIER_ALL
					 ? match_all(predicate, left, right, context)
					 : match_any(predicate, left, right, context));
}
