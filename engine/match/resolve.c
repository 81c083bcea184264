/*
 * Macros, lists and exceptions of all rules. Owns nothing; trees and expanded lists live in the
 * ruleset's arena. Called by program_compile() in the loading thread.
 */
#include "resolve.h"

#include <errno.h>

#include "lex.h"
#include "parse.h"

/* Lists in lists. */
#define LIST_DEPTH_MAX 200
/* Values that stand in for lists' names, over all rules: lists that double each other end here. */
#define LIST_VALUES_MAX 1000000u

enum list_state {
	LIST_NEW,
	LIST_ON_PATH,
	LIST_DONE
};

struct resolver {
	struct arena *arena;
	struct defs *defs;
	struct diags *diags;
	struct ast_values *lists; /* parallel to defs->lists */
	uint8_t *list_states;
	struct ast_node **macros; /* parallel to defs->macros; NULL: syntax error */
	/* Who is being bound: */
	const struct macro_def *in_macro; /* or, NULL: */
	const struct rule_def *in_rule;
	bool has_errors, has_limit; /* has_limit: LIST_VALUES_MAX was reported */
	uint32_t spliced_cnt;
	unsigned undefined_cnt;
};

/* Undefined macros beyond this get no "did you mean": the search reads every name. */
#define NEAR_NAMES_MAX 50

/* ---- lists ---------------------------------------------------------------------------------- */

static int expand_list(struct resolver *r, struct list_def *list, unsigned depth);

static struct list_def *find_list(const struct resolver *r, const struct ast_value *value)
{
	return value->kind == AST_VALUE_BARE ? defs_find_list(r->defs, value->text) : NULL;
}

/* Appends the value, or the values of the list it names. */
static int splice(struct resolver *r, struct ast_values *out, const struct ast_value *value,
		  const struct list_def *holder, unsigned depth)
{
	struct list_def *list = find_list(r, value);
	struct ast_value copy = *value;
	const struct ast_values *values;
	int error;

	/* A list may hold a program of its own name. */
	if (!list || list == holder) {
		if (holder && !copy.list)
			copy.list = holder;
		return ast_values_add(r->arena, out, &copy) ? 0 : -ENOMEM;
	}
	list->is_used = true;
	error = expand_list(r, list, depth + 1);
	if (error < 0)
		return error;
	values = &r->lists[list - r->defs->lists];
	if (values->cnt > LIST_VALUES_MAX - r->spliced_cnt) {
		if (!r->has_limit)
			diags_error(r->diags, value->at, "E0319",
				    "lists within lists count as often as they are named",
				    "lists have more than %u values", LIST_VALUES_MAX);
		r->has_errors = r->has_limit = true;
		return 0;
	}
	r->spliced_cnt += values->cnt;
	for (uint32_t i = 0; i < values->cnt; i++)
		if (!ast_values_add(r->arena, out, &values->items[i]))
			return -ENOMEM;
	return 0;
}

static int expand_item(struct resolver *r, struct list_def *list, const struct text *item,
		       unsigned depth, struct ast_values *out)
{
	struct ast_values parsed = { 0 };
	struct text source;
	int error;

	if (!text_quote_blanks(r->arena, item, &source))
		return -ENOMEM;
	error = parse_list_item(r->arena, &source, r->diags, &parsed);
	if (error < 0)
		return error;
	r->has_errors |= error > 0;
	for (uint32_t i = 0; i < parsed.cnt; i++) {
		error = splice(r, out, &parsed.items[i], list, depth);
		if (error < 0)
			return error;
	}
	return 0;
}

static int expand_list(struct resolver *r, struct list_def *list, unsigned depth)
{
	uint32_t index = (uint32_t)(list - r->defs->lists);
	struct ast_values values = { 0 };
	int error;

	if (r->list_states[index] == LIST_DONE)
		return 0;
	if (r->list_states[index] == LIST_ON_PATH || depth > LIST_DEPTH_MAX) {
		diags_error(r->diags, text_whole(&list->name), "E0304", NULL,
			    "list '%.*s' refers to itself through other lists",
			    STR_ARG(list->name.s));
		r->has_errors = true;
		return 0;
	}
	r->list_states[index] = LIST_ON_PATH;
	for (uint32_t i = 0; i < list->item_cnt; i++) {
		error = expand_item(r, list, &list->items[i], depth, &values);
		if (error < 0)
			return error;
	}
	r->list_states[index] = LIST_DONE;
	r->lists[index] = values;
	return 0;
}

/* Falco would put a list's items into the middle of a quoted string. */
static void warn_quoted_list_name(struct resolver *r, const struct ast_value *value)
{
	static const char delimiters[] = " \t\r\n(),=";
	struct str text = value->text;
	uint32_t begin = 0;
	bool is_inner = false;

	if (value->kind != AST_VALUE_QUOTED || value->list)
		return;
	for (uint32_t i = 0; i < text.n; i++) {
		struct str word = { text.p + begin, i - begin };

		if (!text.p[i] || !strchr(delimiters, text.p[i]))
			continue;
		if (is_inner && word.n && defs_find_list(r->defs, word)) {
			diags_warning(r->diags, value->at, "W0412", NULL,
				      "'%.*s' in this string is the name of a list; the text stays "
				      "as it is",
				      STR_ARG(word));
			return;
		}
		begin = i + 1;
		is_inner = true;
	}
}

/* A list's name where one value stands: legal for a list of one. */
static int resolve_single(struct resolver *r, struct ast_check *check)
{
	struct list_def *list = find_list(r, &check->values[0]);
	struct ast_values values = { 0 };
	int error;

	if (!list)
		return 0;
	error = splice(r, &values, &check->values[0], NULL, 0);
	if (error < 0)
		return error;
	if (values.cnt == 1) {
		check->values = values.items;
		return 0;
	}
	diags_error(r->diags, check->values[0].at, "E0210", NULL,
		    "'%.*s' is a list of %u items where one value is needed", STR_ARG(list->name.s),
		    values.cnt);
	diags_hint(r->diags, "write in (%.*s)", STR_ARG(list->name.s));
	check->is_broken = true;
	r->has_errors = true;
	return 0;
}

static int resolve_values(struct resolver *r, struct ast_check *check)
{
	struct ast_values values = { 0 };
	struct list_def *list;
	bool has_list = false;
	int error;

	for (uint32_t i = 0; i < check->value_cnt; i++) {
		warn_quoted_list_name(r, &check->values[i]);
		has_list |= find_list(r, &check->values[i]) != NULL;
	}
	if (!has_list)
		return 0;
	if (!op_takes_list(check->op, check->modifier))
		return resolve_single(r, check);
	/* The usual case, one list and nothing beside it, shares the expanded values. */
	list = check->value_cnt == 1 ? find_list(r, &check->values[0]) : NULL;
	if (list) {
		list->is_used = true;
		error = expand_list(r, list, 0);
		if (error < 0)
			return error;
		check->values = r->lists[list - r->defs->lists].items;
		check->value_cnt = r->lists[list - r->defs->lists].cnt;
		return 0;
	}
	for (uint32_t i = 0; i < check->value_cnt; i++) {
		error = splice(r, &values, &check->values[i], NULL, 0);
		if (error < 0)
			return error;
	}
	check->values = values.items;
	check->value_cnt = values.cnt;
	return 0;
}

/* ---- macros --------------------------------------------------------------------------------- */

static int bind_node(struct resolver *r, struct ast_node *node, unsigned depth);

static void report_undefined(struct resolver *r, const struct ast_node *node)
{
	struct near_name near;

	near_name_init(&near, node->name);
	r->undefined_cnt++;
	for (uint32_t i = 0; i < r->defs->macro_cnt && r->undefined_cnt <= NEAR_NAMES_MAX; i++) {
		struct str name = arena_str(r->arena, r->defs->macros[i].name.s);

		if (name.p && &r->defs->macros[i] != r->in_macro)
			near_name_offer(&near, name.p);
	}
	diags_error(r->diags, node->at, "E0302", NULL, "undefined macro '%.*s'",
		    STR_ARG(node->name));
	if (defs_find_list(r->defs, node->name))
		diags_hint(r->diags, "this is a list: write field in (%.*s)", STR_ARG(node->name));
	else if (near.best)
		diags_hint(r->diags, "did you mean '%s'?", near.best);
	else
		diags_hint(r->diags, "a bare word is a macro: define it with '- macro: %.*s'",
			   STR_ARG(node->name));
	r->has_errors = true;
}

/* Whether the macro may be mentioned here; reports where not. */
static bool is_visible(struct resolver *r, const struct ast_node *node,
		       const struct macro_def *macro)
{
	bool is_late;

	if (!macro || (macro == r->in_macro && macro->order.index >= macro->order.visibility)) {
		report_undefined(r, node);
		return false;
	}
	is_late = r->in_macro ? macro->order.index >= r->in_macro->order.visibility
			      : macro->order.first_file > r->in_rule->order.last_file;
	if (!is_late)
		return true;
	diags_error(r->diags, node->at, "E0317",
		    r->in_macro ? "move its definition before this macro"
				: "load its file before this one",
		    "macro '%.*s' is defined later", STR_ARG(node->name));
	diags_related(r->diags, text_whole(&macro->name), "defined here");
	r->has_errors = true;
	return false;
}

static int bind_macro(struct resolver *r, struct ast_node *node, unsigned depth)
{
	struct macro_def *macro = defs_find_macro(r->defs, node->name);
	const struct macro_def *outer = r->in_macro;
	struct ast_node *tree;
	int error;

	if (!is_visible(r, node, macro))
		return 0;
	macro->is_used = true;
	tree = r->macros[macro - r->defs->macros];
	if (!tree) {
		r->has_errors = true;
		return 0;
	}
	if (tree->is_on_path) {
		diags_error(r->diags, node->at, "E0303", NULL, "reference loop in macro '%.*s'",
			    STR_ARG(node->name));
		r->has_errors = true;
		return 0;
	}
	r->in_macro = macro;
	error = bind_node(r, tree, depth);
	r->in_macro = outer;
	if (error < 0)
		return error;
	node->children = arena_new_array(r->arena, struct ast_node *, 1);
	if (!node->children)
		return -ENOMEM;
	node->children[0] = tree;
	node->child_cnt = 1;
	node->macro = macro;
	node->height = tree->height + 1;
	return 0;
}

static int bind_children(struct resolver *r, struct ast_node *node, unsigned depth)
{
	for (uint32_t i = 0; i < node->child_cnt; i++) {
		int error = bind_node(r, node->children[i], depth + 1);

		if (error < 0)
			return error;
		node->height = MAX(node->height, node->children[i]->height + 1);
	}
	return 0;
}

/* Binds a tree once; its height bounds every later walk over it. */
static int bind_node(struct resolver *r, struct ast_node *node, unsigned depth)
{
	int error = 0;

	if (node->is_visited)
		return 0;
	if (depth > AST_HEIGHT_MAX) {
		diags_error(r->diags, node->at, "E0205", NULL, "macros are nested too deeply");
		r->has_errors = true;
		return 0;
	}
	node->is_on_path = true;
	if (node->kind == AST_MACRO)
		error = bind_macro(r, node, depth + 1);
	else if (node->kind == AST_CHECK)
		error = resolve_values(r, node->check);
	else
		error = bind_children(r, node, depth);
	node->is_on_path = false;
	node->is_visited = true;
	if (error == 0 && node->height > AST_HEIGHT_MAX && !r->has_errors) {
		diags_error(r->diags, node->at, "E0205", NULL, "macros are nested too deeply");
		r->has_errors = true;
	}
	return error;
}

/* ---- all ------------------------------------------------------------------------------------ */

static int parse_macros(struct resolver *r)
{
	for (uint32_t i = 0; i < r->defs->macro_cnt; i++) {
		struct parse_result parsed;
		int error;

		if (r->defs->macros[i].is_broken)
			continue;
		error = parse_condition(r->arena, &r->defs->macros[i].condition, r->diags, &parsed);
		if (error < 0)
			return error;
		r->macros[i] = parsed.has_errors ? NULL : parsed.node;
	}
	for (uint32_t i = 0; i < r->defs->macro_cnt; i++) {
		int error;

		if (!r->macros[i])
			continue;
		r->in_macro = &r->defs->macros[i];
		r->has_errors = false;
		error = bind_node(r, r->macros[i], 0);
		r->in_macro = NULL;
		if (error < 0)
			return error;
		if (r->has_errors)
			r->macros[i] = NULL;
	}
	return 0;
}

static int resolve_rule(struct resolver *r, const struct rule_def *rule, struct resolved *ret)
{
	struct parse_result parsed;
	struct ast_node *node;
	int error = parse_condition(r->arena, &rule->condition, r->diags, &parsed);

	if (error < 0)
		return error;
	error = exception_apply(r->arena, rule, parsed.node, r->diags, &node);
	if (error < 0)
		return error;
	r->in_rule = rule;
	r->has_errors = parsed.has_errors;
	/* Names in a broken condition are looked up too, for their diagnostics. */
	*ret = (struct resolved){ .node = node ?: parsed.node };
	error = bind_node(r, ret->node, 0);
	ret->is_broken = !node || r->has_errors;
	return error;
}

/* A rule of another source is not compiled; what it mentions is in use. */
static int resolve_foreign(struct resolver *r, const struct rule_def *rule)
{
	_cleanup_(diags_done) struct diags unheard;
	struct diags *diags = r->diags;
	struct resolved ignored;
	int error;

	diags_init(&unheard);
	r->diags = &unheard;
	error = resolve_rule(r, rule, &ignored);
	r->diags = diags;
	return error;
}

/* A list counts as used by a list that nobody uses. */
static void mark_lists_in_lists(struct defs *defs)
{
	for (uint32_t i = 0; i < defs->list_cnt; i++) {
		for (uint32_t j = 0; j < defs->lists[i].item_cnt; j++) {
			struct list_def *list = defs_find_list(defs, defs->lists[i].items[j].s);

			if (list && list != &defs->lists[i])
				list->is_used = true;
		}
	}
}

int resolve_all(struct arena *arena, struct defs *defs, struct diags *diags, struct resolved **ret)
{
	struct resolver r = { .arena = arena, .defs = defs, .diags = diags };
	struct resolved *resolved = arena_new_array(arena, struct resolved, defs->rule_cnt);
	int error;

	r.lists = arena_new_array(arena, struct ast_values, defs->list_cnt);
	r.list_states = arena_zalloc(arena, defs->list_cnt);
	r.macros = arena_new_array(arena, struct ast_node *, defs->macro_cnt);
	if (!resolved || !r.lists || !r.list_states || !r.macros)
		return -ENOMEM;
	mark_lists_in_lists(defs);
	error = parse_macros(&r);
	for (uint32_t i = 0; i < defs->rule_cnt && error == 0; i++)
		if (!defs->rules[i].is_foreign)
			error = resolve_rule(&r, &defs->rules[i], &resolved[i]);
	/* Last: what they expand silently has been reported by then. */
	for (uint32_t i = 0; i < defs->rule_cnt && error == 0; i++)
		if (defs->rules[i].is_foreign)
			error = resolve_foreign(&r, &defs->rules[i]);
	if (error == 0)
		*ret = resolved;
	return error;
}
