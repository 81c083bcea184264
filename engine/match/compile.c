/*
 * program_compile(): every rule resolved, checked, turned into an expression and, where it is
 * active, into a plan. Owns the working tables of one compilation; what remains lives in the
 * ruleset's arena. Called by the loader, in the loading thread.
 */
#include "compile.h"

#include <errno.h>

#include "lint.h"
#include "resolve.h"

/* Distinct operands, predicates and expressions together. */
#define NODES_MAX 20000000u
#define KEY_MAX	  (64u << 20)

struct keyed {
	struct str key;
	void *node;
};

bool pointers_add(struct pointers *pointers, void *item)
{
	if (pointers->cnt == pointers->cap) {
		uint32_t cap = pointers->cap ? pointers->cap * 2 : 64;
		void **items = realloc(pointers->items, cap * sizeof(*items));

		if (!items)
			return false;
		pointers->items = items;
		pointers->cap = cap;
	}
	pointers->items[pointers->cnt++] = item;
	return true;
}

void *const *pointers_keep(const struct pointers *pointers, struct arena *arena)
{
	void **copy = arena_new_array(arena, void *, pointers->cnt);

	if (copy && pointers->cnt)
		memcpy(copy, pointers->items, pointers->cnt * sizeof(*copy));
	return copy;
}

/* ---- nodes that are made once ---------------------------------------------------------------- */

static bool key_equal(const void *node, const void *key)
{
	return str_eq(((const struct keyed *)node)->key, *(const struct str *)key);
}

void *compilation_find(struct compilation *c)
{
	struct str key = buf_str(&c->key);
	struct keyed *keyed = table_find(&c->keys, str_hash(key), &key);

	return keyed && !c->key.failed ? keyed->node : NULL;
}

int compilation_remember(struct compilation *c, void *node)
{
	struct keyed *keyed = arena_new(c->arena, struct keyed);
	int r;

	if (!keyed || c->key.failed)
		return -ENOMEM;
	keyed->key = arena_str(c->arena, buf_str(&c->key));
	keyed->node = node;
	if (!keyed->key.p)
		return -ENOMEM;
	r = table_insert(&c->keys, str_hash(keyed->key), &keyed->key, keyed);
	return r ? -ENOMEM : 0;
}

static struct expr *new_constant(struct compilation *c, bool is_true)
{
	struct expr *expr = arena_new(c->arena, struct expr);

	if (!expr)
		return NULL;
	expr->kind = is_true ? EXPR_TRUE : EXPR_FALSE;
	expr->id = c->expr_cnt++;
	expr->unit = expr->entry = expr->simplified_for = expr->root_of = PLAN_NONE;
	if (is_true)
		expr->events = c->all_events;
	return expr;
}

int compilation_init(struct compilation *c, struct arena *arena, struct defs *defs,
		     struct diags *diags)
{
	*c = (struct compilation){ .arena = arena, .defs = defs, .diags = diags };
	table_init(&c->keys, NODES_MAX, key_equal);
	buf_init(&c->key, KEY_MAX);
	event_set_all(&c->all_events);
	c->false_expr = new_constant(c, false);
	c->true_expr = new_constant(c, true);
	return c->false_expr && c->true_expr ? 0 : -ENOMEM;
}

void compilation_done(struct compilation *c)
{
	table_done(&c->keys);
	buf_done(&c->key);
	free(c->operands.items);
	free(c->predicates.items);
}

/* ---- checking -------------------------------------------------------------------------------- */

static void report(struct compilation *c, const struct rule_def *rule, struct problem *problem)
{
	struct diags *diags = c->diags;
	const char *hint = NULL;
	struct str copy;

	if (problem->is_reported)
		return;
	problem->is_reported = true;
	if (problem->hint.p) {
		copy = arena_str(c->arena, problem->hint);
		hint = copy.p;
	}
	if (problem->is_warning)
		diags_warning(diags, problem->at, problem->code, hint, "%.*s",
			      STR_ARG(problem->text));
	else
		diags_error(diags, problem->at, problem->code, hint, "%.*s",
			    STR_ARG(problem->text));
	diags_related(diags, text_whole(&rule->name), "in rule '%.*s'", STR_ARG(rule->name.s));
}

static bool is_forgiven(const struct ast_check *check)
{
	for (const struct problem *problem = check->result->problems; problem;
	     problem = problem->next)
		if (!problem->is_warning && !problem->is_unknown)
			return false;
	return true;
}

struct walk {
	struct compilation *c;
	struct compiled_rule *rule;
	/* The first thing unknown in a rule with skip-if-unknown-filter. */
	const struct problem *unknown;
};

static int check_leaf(struct walk *walk, struct ast_check *check)
{
	int r;

	if (check->is_broken) {
		walk->rule->is_invalid = true;
		return 0;
	}
	r = check->result ? 0 : check_check(walk->c, check);
	if (r < 0)
		return r;
	if (check->result->is_invalid && walk->rule->def->skip_if_unknown_filter &&
	    is_forgiven(check)) {
		walk->rule->is_skipped = true;
		for (const struct problem *problem = check->result->problems;
		     problem && !walk->unknown; problem = problem->next)
			walk->unknown = problem->is_unknown ? problem : NULL;
		return 0;
	}
	walk->rule->is_invalid |= check->result->is_invalid;
	for (struct problem *problem = check->result->problems; problem; problem = problem->next)
		report(walk->c, walk->rule->def, problem);
	return 0;
}

/* Every check below, once a rule; below macros that are known to be clean not even that. As deep as
 * resolve.c lets trees be. */
static int check_tree(struct walk *walk, struct ast_node *node)
{
	bool is_clean = true;
	int r;

	if (node->is_clean || node->checked_for == walk->rule->def)
		return 0;
	node->checked_for = walk->rule->def;
	/* A broken macro: reported where it stands. */
	if (node->kind == AST_INVALID || (node->kind == AST_MACRO && node->child_cnt == 0)) {
		walk->rule->is_invalid = true;
		return 0;
	}
	if (node->kind == AST_CHECK) {
		r = check_leaf(walk, node->check);
		node->is_clean =
			r == 0 && !node->check->is_broken && !node->check->result->problems;
		return r;
	}
	for (uint32_t i = 0; i < node->child_cnt; i++) {
		r = check_tree(walk, node->children[i]);
		if (r < 0)
			return r;
		is_clean &= node->children[i]->is_clean;
	}
	node->is_clean = is_clean;
	return 0;
}

/* ---- to expressions -------------------------------------------------------------------------- */

static struct expr *build(struct compilation *c, struct ast_node *node, bool is_negated);

static struct expr *build_check(struct compilation *c, struct ast_check *check, bool is_negated)
{
	const struct predicate *predicate =
		check_predicate(c, check, is_negated ? QUANTIFIER_ALL : QUANTIFIER_ANY);

	return predicate ? expr_leaf(c, predicate, is_negated) : NULL;
}

static struct expr *build_join(struct compilation *c, struct ast_node *node, bool is_negated)
{
	_cleanup_(freep) struct expr **children = malloc(node->child_cnt * sizeof(*children));
	bool is_and = (node->kind == AST_AND) != is_negated;

	if (!children)
		return NULL;
	for (uint32_t i = 0; i < node->child_cnt; i++) {
		children[i] = build(c, node->children[i], is_negated);
		if (!children[i])
			return NULL;
	}
	return expr_join(c, is_and ? EXPR_AND : EXPR_OR, children, node->child_cnt);
}

/* `not` moves down to the leaves: De Morgan. NULL: out of memory. */
static struct expr *build(struct compilation *c, struct ast_node *node, bool is_negated)
{
	struct expr *expr = node->compiled[is_negated];

	if (expr)
		return expr;
	switch (node->kind) {
	case AST_CHECK:
		expr = build_check(c, node->check, is_negated);
		break;
	case AST_NOT:
		expr = build(c, node->children[0], !is_negated);
		break;
	case AST_MACRO:
		expr = build(c, node->children[0], is_negated);
		break;
	case AST_AND:
	case AST_OR:
		expr = build_join(c, node, is_negated);
		break;
	case AST_INVALID:
		break;
	}
	node->compiled[is_negated] = expr;
	return expr;
}

/* ---- rules ----------------------------------------------------------------------------------- */

static int compile_rule(struct compilation *c, const struct resolved *resolved,
			struct compiled_rule *rule, struct expr **ret)
{
	struct ast_node *node = resolved->node;
	struct walk walk = { c, rule, NULL };
	int r;

	if (!node)
		return 0;
	rule->condition = node;
	rule->is_invalid = resolved->is_broken;
	r = check_tree(&walk, node);
	if (r < 0)
		return r;
	if (rule->is_invalid) {
		rule->is_skipped = false;
		return 0;
	}
	if (rule->is_skipped) {
		diags_warning(c->diags, text_whole(&rule->def->name), "W0411", NULL,
			      "rule '%.*s' is skipped: %.*s", STR_ARG(rule->def->name.s),
			      STR_ARG(walk.unknown ? walk.unknown->text : STR("")));
		if (walk.unknown)
			diags_related(c->diags, walk.unknown->at, "named here");
		return 0;
	}
	*ret = build(c, node, false);
	if (!*ret)
		return -ENOMEM;
	if (rule->def->sees_all)
		rule->events = (*ret)->events;
	else
		infer_rule(*ret, &rule->events);
	rule->needs = (*ret)->needs;
	lint_rule(c, rule, *ret);
	return 0;
}

static bool has_host_names(const struct predicate *predicate)
{
	const struct operand *left = predicate->left;

	return left->kind == OPERAND_FIELD && left->field->flags & FIELD_IS_HOST_NAME;
}

static bool is_in(const struct str *names, uint32_t cnt, struct str name)
{
	for (uint32_t i = 0; i < cnt; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

/* 0, RULES_E_INVALID (reported) or -ENOMEM. */
static int collect_host_names(struct compilation *c, struct program *program)
{
	struct str *names = NULL;
	uint32_t cnt = 0;

	for (uint32_t i = 0; i < program->predicate_cnt; i++) {
		const struct predicate *predicate = program->predicates[i];

		if (!has_host_names(predicate))
			continue;
		if (!names)
			names = arena_new_array(c->arena, struct str, HOST_NAMES_MAX);
		if (!names)
			return -ENOMEM;
		for (uint32_t j = 0; j < predicate->literal_cnt; j++) {
			struct str name = predicate->literals[j].value.str;

			if (is_in(names, cnt, name))
				continue;
			if (cnt == HOST_NAMES_MAX) {
				diags_error(c->diags, SPAN_NONE, "E0319", NULL,
					    "more than %d host names are compared with addresses",
					    HOST_NAMES_MAX);
				return RULES_E_INVALID;
			}
			names[cnt++] = name;
		}
	}
	program->host_names = names;
	program->host_name_cnt = cnt;
	return 0;
}

static int finish(struct compilation *c, struct compiled_rule *rules, struct expr **expressions,
		  const bool *is_active, bool is_match_all, struct program **ret)
{
	struct program *program = arena_new(c->arena, struct program);
	void *const *operands = pointers_keep(&c->operands, c->arena);
	void *const *predicates = pointers_keep(&c->predicates, c->arena);
	int r;

	if (!program || !operands || !predicates)
		return -ENOMEM;
	program->operands = (const struct operand *const *)operands;
	program->operand_cnt = c->operands.cnt;
	program->predicates = (const struct predicate *const *)predicates;
	program->predicate_cnt = c->predicates.cnt;
	for (uint32_t i = 0; i < program->predicate_cnt; i++)
		program->has_regex |= program->predicates[i]->op == OP_REGEX;
	program->is_match_all = is_match_all;
	program->rules = rules;
	program->rule_cnt = c->defs->rule_cnt;
	program->expressions = expressions;
	r = collect_host_names(c, program);
	if (r == 0)
		r = plan_build(c, expressions, is_active, program);
	program->expr_cnt = c->expr_cnt;
	if (r == 0)
		*ret = program;
	return r;
}

int program_compile(struct arena *arena, struct defs *defs, const bool *is_active,
		    bool is_match_all, struct diags *diags, struct compiled_rule **ret_rules,
		    struct program **ret)
{
	_cleanup_(compilation_done) struct compilation c;
	struct compiled_rule *rules = arena_new_array(arena, struct compiled_rule, defs->rule_cnt);
	struct expr **expressions = arena_new_array(arena, struct expr *, defs->rule_cnt);
	struct resolved *resolved;
	int r = compilation_init(&c, arena, defs, diags);

	if (r < 0 || !rules || !expressions)
		return -ENOMEM;
	r = resolve_all(arena, defs, diags, &resolved);
	for (uint32_t i = 0; i < defs->rule_cnt && r == 0; i++) {
		rules[i].def = &defs->rules[i];
		r = compile_rule(&c, &resolved[i], &rules[i], &expressions[i]);
	}
	if (r < 0)
		return r;
	lint_unused(&c);
	if (!is_match_all)
		lint_shadowed(&c, rules, expressions, is_active);
	*ret_rules = rules;
	if (diags_has_errors(diags))
		return diags->failed ? -ENOMEM : RULES_E_INVALID;
	return finish(&c, rules, expressions, is_active, is_match_all, ret);
}
