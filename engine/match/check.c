/*
 * Checks of a condition, bound and typed: operands, operator against type, constants, lints; the
 * result is a predicate, made once for all equal checks. Owns nothing. Called by compile.c.
 */
#include <errno.h>
#include <stdarg.h>

#include "compile.h"

/* Literals of `in` beyond this are hashed. */
#define LINEAR_MAX 4

enum value_class value_class_of(enum value_type type)
{
	switch (type) {
	case VALUE_S64:
		return CLASS_SIGNED;
	case VALUE_BOOL:
		return CLASS_BOOL;
	case VALUE_STRING:
	case VALUE_PATH:
	case VALUE_BYTES:
		return CLASS_BYTES;
	case VALUE_IP:
		return CLASS_IP;
	case VALUE_NET:
		return CLASS_NET;
	case VALUE_U64:
	case VALUE_PORT:
	case VALUE_RELTIME:
	case VALUE_ABSTIME:
	case VALUE_FLAGS:
	case VALUE_TYPE__COUNT:
		break;
	}
	return CLASS_UNSIGNED;
}

struct problem *problem_add(struct compilation *c, struct check_result *result, struct span at,
			    const char *code, const char *hint, const char *format, ...)
{
	struct problem *problem = arena_new(c->arena, struct problem), **end = &result->problems;
	_cleanup_(buf_done) struct buf text;
	va_list args;

	if (!problem)
		return NULL;
	buf_init(&text, 4096);
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	problem->code = code;
	problem->at = at;
	problem->is_warning = *code == 'W';
	problem->text = arena_str(c->arena, buf_str(&text));
	problem->hint = hint ? str_from(hint) : STR_NONE;
	if (!problem->text.p)
		return NULL;
	result->is_invalid |= !problem->is_warning;
	while (*end)
		end = &(*end)->next;
	*end = problem;
	return problem;
}

/* ---- types ---------------------------------------------------------------------------------- */

static bool same_type(enum value_type a, enum value_type b)
{
	/* A path is a string with a meaning. */
	return (a == VALUE_PATH ? VALUE_STRING : a) == (b == VALUE_PATH ? VALUE_STRING : b);
}

/* "it takes exists = != in", for the hint. */
static struct str fitting_operators(struct arena *arena, const struct operand *left)
{
	struct str text = arena_printf(arena, "it takes");

	for (unsigned op = 0; op < OP__COUNT; op++)
		if (op_fits((enum op)op, MODIFIER_NONE, left->type, left->is_list))
			text = arena_printf(arena, "%.*s %s", STR_ARG(text),
					    op_info((enum op)op)->name);
	return text;
}

/* What is compared is addresses. */
static bool fits_host_name(enum op op)
{
	return op == OP_EXISTS || op == OP_EQ || op == OP_NE || op == OP_IN;
}

static int check_operator(struct compilation *c, const struct ast_check *check,
			  const struct operand *left, struct check_result *result)
{
	bool is_host_name = left->kind == OPERAND_FIELD && left->field->flags & FIELD_IS_HOST_NAME;
	struct problem *problem;

	if (is_host_name && !fits_host_name(check->op))
		return problem_add(c, result, check->op_at, "E0309", "it takes exists = != in",
				   "operator '%s' does not take host names",
				   op_info(check->op)->name)
			       ? 0
			       : -ENOMEM;
	if (op_fits(check->op, check->modifier, left->type, left->is_list))
		return 0;
	problem = problem_add(c, result, check->op_at, "E0309", NULL,
			      "operator '%s%s%s' does not take %s%s", op_info(check->op)->name,
			      check->modifier ? " " : "", op_modifier_name(check->modifier),
			      left->is_list ? "a list of type " : "type ",
			      value_type_name(left->type));
	if (!problem)
		return -ENOMEM;
	problem->hint = fitting_operators(c->arena, left);
	return 0;
}

static int check_right(struct compilation *c, const struct ast_check *check,
		       const struct operand *left, struct check_result *result,
		       const struct operand **ret)
{
	bool is_set = op_info(check->op)->form == OP_FORM_LIST;
	const char *left_name = value_type_name(left->type);
	struct problem *problem;
	int r;

	if (!op_info(check->op)->takes_right_side) {
		problem =
			problem_add(c, result, check->right->at, "E0315", NULL,
				    "operator '%s' takes constants only", op_info(check->op)->name);
		return problem ? OPERAND_E_INVALID : -ENOMEM;
	}
	r = operand_bind(c, check->right, true, result, ret);
	if (r != 0)
		return r;
	if (same_type(left->type, (*ret)->type) && (is_set || !(*ret)->is_list))
		return 0;
	problem = problem_add(c, result, check->right->at, "E0314", NULL,
			      "the left side is %s%s, the right side %s%s",
			      left->is_list ? "a list of " : "", left_name,
			      (*ret)->is_list ? "a list of " : "", value_type_name((*ret)->type));
	return problem ? OPERAND_E_INVALID : -ENOMEM;
}

/* ---- predicates ----------------------------------------------------------------------------- */

static int compare_values(const void *a, const void *b)
{
	const struct ast_value *left = a, *right = b;

	return str_cmp(left->text, right->text);
}

/* `in` does not care for order and repetition: sorted and unique, more of them are equal. */
static uint32_t normalise(struct ast_value *values, uint32_t cnt)
{
	uint32_t kept = 0;

	qsort(values, cnt, sizeof(*values), compare_values);
	for (uint32_t i = 0; i < cnt; i++)
		if (kept == 0 || !str_eq(values[kept - 1].text, values[i].text))
			values[kept++] = values[i];
	return kept;
}

static void put_key(struct compilation *c, const struct predicate *predicate,
		    const struct ast_value *values, uint32_t value_cnt)
{
	buf_clear(&c->key);
	buf_printf(&c->key, "P%u %d %d", predicate->left->slot, (int)predicate->op,
		   (int)predicate->modifier);
	if (predicate->right)
		buf_printf(&c->key, " val %u", predicate->right->slot);
	for (uint32_t i = 0; i < value_cnt; i++) {
		buf_printf(&c->key, " %u:", values[i].text.n);
		buf_put_str(&c->key, values[i].text);
	}
}

/* The bytes that identify a value in a hashed set. */
static struct str set_key(enum value_class class, const struct value *value)
{
	switch (class) {
	case CLASS_BYTES:
		return value->str;
	case CLASS_IP:
		return (struct str){ (const char *)&value->ip, 1 + ip_length(&value->ip) };
	case CLASS_SIGNED:
	case CLASS_UNSIGNED:
	case CLASS_BOOL:
	case CLASS_NET:
		break;
	}
	return (struct str){ (const char *)&value->u64, sizeof(value->u64) };
}

static bool build_strings(struct compilation *c, struct predicate *predicate)
{
	struct strset *set = arena_new(c->arena, struct strset);
	struct str *keys = arena_new_array(c->arena, struct str, predicate->literal_cnt);

	if (!set || !keys)
		return false;
	for (uint32_t i = 0; i < predicate->literal_cnt; i++)
		keys[i] = set_key(predicate->class, &predicate->literals[i].value);
	predicate->strings = set;
	return strset_build(set, c->arena, keys, predicate->literal_cnt);
}

static bool build_nets(struct compilation *c, struct predicate *predicate)
{
	struct cidr_set *set = arena_new(c->arena, struct cidr_set);
	struct cidr *nets = arena_new_array(c->arena, struct cidr, predicate->literal_cnt);

	if (!set || !nets)
		return false;
	for (uint32_t i = 0; i < predicate->literal_cnt; i++)
		nets[i] = predicate->literals[i].net;
	predicate->nets = set;
	return cidr_set_build(set, c->arena, nets, predicate->literal_cnt);
}

static bool build_paths(struct compilation *c, struct predicate *predicate)
{
	struct pmatch_set *set = arena_new(c->arena, struct pmatch_set);
	struct str *paths = arena_new_array(c->arena, struct str, predicate->literal_cnt);

	if (!set || !paths)
		return false;
	for (uint32_t i = 0; i < predicate->literal_cnt; i++)
		paths[i] = predicate->literals[i].value.str;
	predicate->paths = set;
	return pmatch_build(set, c->arena, paths, predicate->literal_cnt);
}

static bool build_sets(struct compilation *c, struct predicate *predicate)
{
	if (predicate->right || predicate->modifier != MODIFIER_NONE)
		return true;
	if (predicate->op == OP_PMATCH)
		return build_paths(c, predicate);
	if ((predicate->op != OP_IN && predicate->op != OP_INTERSECTS) ||
	    predicate->literal_cnt <= LINEAR_MAX)
		return true;
	return predicate->class == CLASS_NET ? build_nets(c, predicate)
					     : build_strings(c, predicate);
}

static uint8_t estimate_cost(const struct predicate *predicate)
{
	unsigned cost = op_info(predicate->op)->cost + 1u;

	if (predicate->modifier != MODIFIER_NONE)
		cost *= MAX(predicate->literal_cnt, 1u);
	if (predicate->left->flags & FIELD_IS_ANY)
		cost += 60;
	if (predicate->left->kind != OPERAND_FIELD)
		cost += 8;
	return (uint8_t)MIN(cost, 200u);
}

/* Files the predicate under c->key. */
static int keep(struct compilation *c, struct predicate *predicate)
{
	int r;

	predicate->cost = estimate_cost(predicate);
	predicate->slot = c->predicates.cnt;
	predicate->is_type_test = predicate->left->is_type_name && !predicate->right;
	if (!build_sets(c, predicate))
		return -ENOMEM;
	if (predicate->is_type_test)
		infer_type_set(c, predicate, &predicate->type_set);
	r = pointers_add(&c->predicates, predicate) ? 0 : -ENOMEM;
	return r ? r : compilation_remember(c, predicate);
}

static int convert_values(struct compilation *c, struct predicate *predicate,
			  const struct ast_value *values, uint32_t cnt, struct check_result *result)
{
	struct literal *literals = arena_new_array(c->arena, struct literal, cnt);

	if (!literals)
		return -ENOMEM;
	for (uint32_t i = 0; i < cnt; i++)
		if (!literal_convert(c, predicate->left, predicate->op, &values[i], result,
				     &literals[i]) &&
		    c->arena->failed)
			return -ENOMEM;
	predicate->literals = literals;
	predicate->literal_cnt = cnt;
	return 0;
}

/* The predicate of values that may be in another order than the source's. */
static int make_predicate(struct compilation *c, const struct predicate *prototype,
			  const struct ast_value *values, uint32_t value_cnt,
			  struct check_result *result)
{
	struct predicate *predicate;
	int r;

	put_key(c, prototype, values, value_cnt);
	predicate = compilation_find(c);
	if (predicate || c->key.failed) {
		result->predicates[QUANTIFIER_ANY] = predicate;
		return predicate ? 0 : -ENOMEM;
	}
	predicate = arena_new(c->arena, struct predicate);
	if (!predicate)
		return -ENOMEM;
	*predicate = *prototype;
	r = convert_values(c, predicate, values, value_cnt, result);
	if (r < 0 || result->is_invalid)
		return r;
	result->predicates[QUANTIFIER_ANY] = predicate;
	return keep(c, predicate);
}

/* A word behind an ordering operator could only be the name of a list. */
static int check_number(struct compilation *c, const struct ast_check *check,
			struct check_result *result)
{
	const struct ast_value *value = check->values;

	if (op_info(check->op)->form != OP_FORM_NUMBER || check->value_cnt == 0 ||
	    value->kind != AST_VALUE_BARE || value->list)
		return 0;
	return problem_add(c, result, value->at, "E0207", NULL, "a number expected, not '%.*s'",
			   STR_ARG(value->text))
		       ? 0
		       : -ENOMEM;
}

static int check_values(struct compilation *c, const struct ast_check *check,
			struct predicate *prototype, struct check_result *result)
{
	_cleanup_(freep) struct ast_value *sorted = NULL;
	uint32_t cnt = check->value_cnt;

	if (prototype->op == OP_INTERSECTS && !prototype->left->is_list)
		prototype->op = OP_IN;
	if ((prototype->op != OP_IN && prototype->op != OP_PMATCH &&
	     prototype->op != OP_INTERSECTS) ||
	    cnt == 0)
		return make_predicate(c, prototype, check->values, cnt, result);
	sorted = malloc(cnt * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, check->values, cnt * sizeof(*sorted));
	cnt = normalise(sorted, cnt);
	if (cnt == 1 && prototype->op == OP_IN && !prototype->left->is_list)
		prototype->op = OP_EQ;
	return make_predicate(c, prototype, sorted, cnt, result);
}

int check_check(struct compilation *c, struct ast_check *check)
{
	struct check_result *result = arena_new(c->arena, struct check_result);
	struct predicate prototype = { .op = check->op, .modifier = check->modifier };
	int r;

	if (!result)
		return -ENOMEM;
	check->result = result;
	r = operand_bind(c, &check->left, false, result, &prototype.left);
	if (r != 0)
		return r < 0 ? r : 0;
	prototype.class = value_class_of(prototype.left->type);
	r = check_operator(c, check, prototype.left, result);
	if (r == 0 && check->right)
		r = check_right(c, check, prototype.left, result, &prototype.right);
	if (r == 0)
		r = check_number(c, check, result);
	if (r != 0 || result->is_invalid)
		return r < 0 ? r : 0;
	return check_values(c, check, &prototype, result);
}

const struct predicate *check_predicate(struct compilation *c, struct ast_check *check,
					enum quantifier quantifier)
{
	const struct predicate **predicates = check->result->predicates;
	const struct predicate *any = predicates[QUANTIFIER_ANY];
	uint32_t flags = any->left->flags | (any->right ? any->right->flags : 0);
	struct predicate *all;

	if (quantifier == QUANTIFIER_ANY || !(flags & FIELD_IS_READINGS))
		return any;
	if (any->sibling)
		return any->sibling;
	all = arena_new(c->arena, struct predicate);
	if (!all)
		return NULL;
	*all = *any;
	all->quantifier = QUANTIFIER_ALL;
	all->slot = c->predicates.cnt;
	if (!pointers_add(&c->predicates, all))
		return NULL;
	((struct predicate *)c->predicates.items[any->slot])->sibling = all;
	return all;
}
