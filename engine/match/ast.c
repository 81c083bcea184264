/*
 * Making and printing condition trees. Owns nothing; nodes live in the ruleset's arena. Called by
 * the parser and by explain.
 */
#include "ast.h"

struct ast_node *ast_new(struct arena *arena, enum ast_kind kind, struct span at)
{
	struct ast_node *node = arena_new(arena, struct ast_node);

	if (!node)
		return NULL;
	node->kind = kind;
	node->at = at;
	return node;
}

/* Room for one more of `size` bytes. */
static bool reserve(struct arena *arena, void **items, uint32_t cnt, uint32_t *cap, size_t size)
{
	uint32_t larger = *cap ? *cap * 2 : 4;
	void *copy;

	if (cnt < *cap)
		return true;
	copy = arena_zalloc_array(arena, larger, size);
	if (!copy)
		return false;
	if (cnt)
		memcpy(copy, *items, cnt * size);
	*items = copy;
	*cap = larger;
	return true;
}

bool ast_list_add(struct arena *arena, struct ast_list *list, struct ast_node *node)
{
	void *items = list->items;

	if (!reserve(arena, &items, list->cnt, &list->cap, sizeof(*list->items)))
		return false;
	list->items = items;
	list->items[list->cnt++] = node;
	return true;
}

bool ast_values_add(struct arena *arena, struct ast_values *values, const struct ast_value *value)
{
	void *items = values->items;

	if (!reserve(arena, &items, values->cnt, &values->cap, sizeof(*values->items)))
		return false;
	values->items = items;
	values->items[values->cnt++] = *value;
	return true;
}

/* ---- printing ------------------------------------------------------------------------------- */

static bool is_bare(struct str text)
{
	for (uint32_t i = 0; i < text.n; i++)
		if (strchr("()\"'=, \t\b\r\n", text.p[i]) || (unsigned char)text.p[i] < 0x20)
			return false;
	return text.n > 0;
}

static void format_quoted(struct str text, struct buf *out)
{
	static const char escapes[] = "b\bf\fn\nr\rt\t";

	buf_putc(out, '"');
	for (uint32_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		const char *escape = NULL;

		for (const char *e = escapes; *e && !escape; e += 2)
			escape = e[1] == c ? e : NULL;
		if (escape)
			buf_printf(out, "\\%c", *escape);
		else if (c == '\\' || c == '"' || (unsigned char)c < 0x20)
			buf_printf(out, "\\x%02x", (unsigned char)c);
		else
			buf_putc(out, c);
	}
	buf_putc(out, '"');
}

static void format_text(struct str text, struct buf *out)
{
	if (is_bare(text))
		buf_put_str(out, text);
	else
		format_quoted(text, out);
}

/* Nested as deep as the parser allows transformers to be. */
static void format_items(const struct ast_operand *operand, struct buf *out)
{
	buf_putc(out, '(');
	for (uint32_t i = 0; i < operand->item_cnt; i++) {
		if (i)
			buf_puts(out, ", ");
		ast_format_operand(&operand->items[i], out);
	}
	buf_putc(out, ')');
}

void ast_format_operand(const struct ast_operand *operand, struct buf *out)
{
	if (operand->kind == AST_CONSTANT) {
		if (operand->is_number)
			buf_put_str(out, operand->name);
		else
			format_quoted(operand->name, out);
		return;
	}
	buf_put_str(out, operand->name);
	if (operand->kind == AST_TRANSFORM || operand->kind == AST_LIST)
		format_items(operand, out);
	if (!operand->has_argument)
		return;
	buf_putc(out, '[');
	if (is_bare(operand->argument) && !memchr(operand->argument.p, '[', operand->argument.n) &&
	    !memchr(operand->argument.p, ']', operand->argument.n))
		buf_put_str(out, operand->argument);
	else
		format_quoted(operand->argument, out);
	buf_putc(out, ']');
}

static void format_values(const struct ast_check *check, bool with_origin, struct buf *out)
{
	const struct list_def *list = NULL;

	buf_putc(out, '(');
	for (uint32_t i = 0; i < check->value_cnt; i++) {
		const struct ast_value *value = &check->values[i];

		if (i)
			buf_puts(out, ", ");
		if (with_origin && value->list && value->list != list)
			buf_printf(out, "/* %.*s */ ", STR_ARG(value->list->name.s));
		list = value->list;
		format_text(value->text, out);
	}
	buf_putc(out, ')');
}

void ast_format_check(const struct ast_check *check, bool with_origin, struct buf *out)
{
	ast_format_operand(&check->left, out);
	buf_printf(out, " %s", op_info(check->op)->name);
	if (check->modifier != MODIFIER_NONE)
		buf_printf(out, " %s", op_modifier_name(check->modifier));
	if (check->op == OP_EXISTS)
		return;
	buf_putc(out, ' ');
	if (check->right) {
		buf_puts(out, check->is_val ? "val(" : "");
		ast_format_operand(check->right, out);
		buf_puts(out, check->is_val ? ")" : "");
	} else if (op_takes_list(check->op, check->modifier)) {
		format_values(check, with_origin, out);
	} else if (check->value_cnt) {
		format_text(check->values[0].text, out);
	}
}

static void format_node(const struct ast_node *node, bool with_origin, int level, struct buf *out);

static void format_children(const struct ast_node *node, bool with_origin, int level,
			    struct buf *out)
{
	bool is_or = node->kind == AST_OR;
	bool has_parens = level > (is_or ? 0 : 1);

	buf_puts(out, has_parens ? "(" : "");
	for (uint32_t i = 0; i < node->child_cnt; i++) {
		if (i)
			buf_puts(out, is_or ? " or " : " and ");
		format_node(node->children[i], with_origin, is_or ? 1 : 2, out);
	}
	buf_puts(out, has_parens ? ")" : "");
}

/* level: 0 inside "or", 1 inside "and", 2 under an operator that binds closer. Recursion is as deep
 * as the tree is high: AST_DEPTH_MAX macros and parentheses. */
static void format_node(const struct ast_node *node, bool with_origin, int level, struct buf *out)
{
	/* Macros that double each other expand without bound; the buffer's limit ends it. */
	if (out->failed)
		return;
	switch (node->kind) {
	case AST_INVALID:
		buf_puts(out, "<invalid>");
		return;
	case AST_OR:
	case AST_AND:
		format_children(node, with_origin, level, out);
		return;
	case AST_NOT:
		buf_puts(out, "not ");
		format_node(node->children[0], with_origin, 2, out);
		return;
	case AST_MACRO:
		if (with_origin || node->child_cnt == 0)
			buf_printf(out, node->child_cnt ? "/* %.*s */ " : "%.*s",
				   STR_ARG(node->name));
		if (node->child_cnt)
			format_node(node->children[0], with_origin, level, out);
		return;
	case AST_CHECK:
		ast_format_check(node->check, with_origin, out);
		return;
	}
}

void ast_format(const struct ast_node *node, bool with_origin, struct buf *out)
{
	if (node)
		format_node(node, with_origin, 0, out);
}
