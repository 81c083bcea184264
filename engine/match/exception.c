/*
 * Exceptions as condition trees: what "(C) and not (F op (v, …))" means as text
 * (rule-language.md 1.8). Every value is condition source of its own. Owns nothing; called by
 * resolve.c.
 */
#include "resolve.h"

#include <errno.h>

#include "lex.h"
#include "parse.h"

struct builder {
	struct arena *arena;
	struct diags *diags;
	bool has_errors;
};

bool text_quote_blanks(struct arena *arena, const struct text *text, struct text *ret)
{
	struct text_segment *segments;
	bool has_blank = false;
	struct str s = text->s;

	for (uint32_t i = 0; i < s.n && !has_blank; i++)
		has_blank = lex_is_blank((unsigned char)s.p[i]);
	*ret = *text;
	if (!has_blank || *s.p == '"' || *s.p == '\'')
		return true;
	ret->s = arena_printf(arena, "\"%.*s\"", STR_ARG(s));
	segments = arena_new_array(arena, struct text_segment, text->segment_cnt);
	if (!ret->s.p || !segments)
		return false;
	for (uint32_t i = 0; i < text->segment_cnt; i++) {
		segments[i] = text->segments[i];
		segments[i].text_offset++;
	}
	ret->segments = segments;
	return true;
}

static struct ast_node *parent(struct builder *b, enum ast_kind kind, struct span at,
			       struct ast_node **children, uint32_t child_cnt)
{
	struct ast_node *node = ast_new(b->arena, kind, at);

	if (!node)
		return NULL;
	node->children = arena_new_array(b->arena, struct ast_node *, child_cnt);
	if (!node->children)
		return NULL;
	memcpy(node->children, children, child_cnt * sizeof(*children));
	node->child_cnt = child_cnt;
	return node;
}

static struct ast_node *check_node(struct builder *b, const struct ast_check *check, struct span at)
{
	struct ast_node *node = ast_new(b->arena, AST_CHECK, at);

	if (!node)
		return NULL;
	node->check = arena_new(b->arena, struct ast_check);
	if (!node->check)
		return NULL;
	*node->check = *check;
	return node;
}

static int note(struct builder *b, int r)
{
	b->has_errors |= r > 0;
	return r < 0 ? r : 0;
}

/* Left side and operator of one column. */
static int parse_column(struct builder *b, const struct exception_def *exception, uint32_t column,
			struct ast_check *ret)
{
	const struct text *comp = &exception->comps[column];

	*ret = (struct ast_check){ 0 };
	if (!parse_operator_text(comp->s, &ret->op, &ret->modifier) || ret->op == OP_EXISTS) {
		diags_error(b->diags, text_whole(comp), "E0318", NULL,
			    "'%.*s' is not a supported comparison operator", STR_ARG(comp->s));
		b->has_errors = true;
		ret->op = OP_EQ;
	} else if (exception->is_single && !op_takes_list(ret->op, ret->modifier)) {
		diags_error(b->diags, text_whole(comp), "E0318",
			    "write fields as a list, and each value as a list of one",
			    "with one field the operator must take a list");
		b->has_errors = true;
	}
	ret->op_at = text_whole(comp);
	return note(b, parse_left(b->arena, &exception->fields[column], b->diags, &ret->left));
}

/* Items of a YAML list, or the values of a single form: ( a, b ). */
static int add_items(struct builder *b, const struct exception_value *value,
		     struct ast_values *values)
{
	for (uint32_t i = 0; i < value->item_cnt; i++) {
		struct text item;
		int r;

		if (!text_quote_blanks(b->arena, &value->items[i], &item))
			return -ENOMEM;
		r = note(b, parse_list_item(b->arena, &item, b->diags, values));
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_values(struct ast_check *check, const struct ast_values *values, int r)
{
	check->values = values->items;
	check->value_cnt = values->cnt;
	check->is_list = true;
	return r;
}

/* Value of one cell: behind the operator of its column. */
static int parse_cell(struct builder *b, const struct exception_value *cell,
		      struct ast_check *check)
{
	struct ast_values values = { 0 };
	struct text text;

	if (cell->is_list && !op_takes_list(check->op, check->modifier)) {
		diags_error(b->diags, cell->item_cnt ? text_whole(cell->items) : check->op_at,
			    "E0207", "use in, or an operator with anyof",
			    "'%s' does not take a list", op_info(check->op)->name);
		b->has_errors = true;
		return 0;
	}
	if (cell->is_list)
		return set_values(check, &values, add_items(b, cell, &values));
	if (cell->item_cnt == 0)
		return 0;
	if (!op_takes_list(check->op, check->modifier)) {
		if (!text_quote_blanks(b->arena, cell->items, &text))
			return -ENOMEM;
		return note(b, parse_right(b->arena, &text, b->diags, check));
	}
	if (cell->items->s.n && *cell->items->s.p == '(')
		return note(b, parse_right(b->arena, cell->items, b->diags, check));
	return set_values(check, &values,
			  note(b, parse_list_item(b->arena, cell->items, b->diags, &values)));
}

static int build_single(struct builder *b, const struct exception_def *exception,
			struct ast_node **ret)
{
	struct ast_values values = { 0 };
	struct ast_check check;
	int r = parse_column(b, exception, 0, &check);

	for (uint32_t i = 0; i < exception->row_cnt && r == 0; i++)
		for (uint32_t j = 0; j < exception->rows[i].value_cnt && r == 0; j++)
			r = add_items(b, &exception->rows[i].values[j], &values);
	if (r < 0)
		return r;
	(void)set_values(&check, &values, 0);
	*ret = check_node(b, &check, text_whole(&exception->name));
	return *ret ? 0 : -ENOMEM;
}

/* F1 op1 v1 and F2 op2 v2 … */
static int build_row(struct builder *b, const struct exception_row *row,
		     const struct ast_check *columns, struct ast_node **ret)
{
	struct ast_list checks = { 0 };

	for (uint32_t i = 0; i < row->value_cnt; i++) {
		struct ast_check check = columns[i];
		struct ast_node *node;
		int r = parse_cell(b, &row->values[i], &check);

		if (r < 0)
			return r;
		node = check_node(b, &check, row->at);
		if (!node || !ast_list_add(b->arena, &checks, node))
			return -ENOMEM;
	}
	*ret = checks.cnt == 1 ? checks.items[0]
			       : parent(b, AST_AND, row->at, checks.items, checks.cnt);
	return *ret ? 0 : -ENOMEM;
}

static int build_tuple(struct builder *b, const struct exception_def *exception,
		       struct ast_node **ret)
{
	struct ast_check *columns =
		arena_new_array(b->arena, struct ast_check, exception->field_cnt);
	struct ast_list rows = { 0 };
	int r = columns ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < exception->field_cnt && r == 0; i++)
		r = parse_column(b, exception, i, &columns[i]);
	for (uint32_t i = 0; i < exception->row_cnt && r == 0; i++) {
		const struct exception_row *row = &exception->rows[i];
		struct ast_node *node = NULL;

		if (row->value_cnt != exception->field_cnt || row->value_cnt == 0) {
			diags_error(b->diags, row->at, "E0211", NULL,
				    "fields and values lists must have equal length: %u fields, "
				    "%u values",
				    exception->field_cnt, row->value_cnt);
			b->has_errors = true;
			continue;
		}
		r = build_row(b, row, columns, &node);
		if (r == 0 && !ast_list_add(b->arena, &rows, node))
			r = -ENOMEM;
	}
	if (r < 0 || rows.cnt == 0)
		return r;
	*ret = rows.cnt == 1
		       ? rows.items[0]
		       : parent(b, AST_OR, text_whole(&exception->name), rows.items, rows.cnt);
	return *ret ? 0 : -ENOMEM;
}

int exception_apply(struct arena *arena, const struct rule_def *rule, struct ast_node *condition,
		    struct diags *diags, struct ast_node **ret)
{
	struct builder b = { arena, diags, false };
	struct ast_list parts = { 0 };

	if (!ast_list_add(arena, &parts, condition))
		return -ENOMEM;
	for (uint32_t i = 0; i < rule->exception_cnt; i++) {
		const struct exception_def *exception = &rule->exceptions[i];
		struct ast_node *node = NULL;
		int r;

		if (exception->row_cnt == 0)
			continue;
		r = exception->is_single ? build_single(&b, exception, &node)
					 : build_tuple(&b, exception, &node);
		if (r < 0)
			return r;
		if (!node)
			continue;
		node = parent(&b, AST_NOT, node->at, &node, 1);
		if (!node || !ast_list_add(arena, &parts, node))
			return -ENOMEM;
	}
	if (b.has_errors) {
		*ret = NULL;
		return 0;
	}
	*ret = parts.cnt == 1 ? condition
			      : parent(&b, AST_AND, condition->at, parts.items, parts.cnt);
	return *ret ? 0 : -ENOMEM;
}
