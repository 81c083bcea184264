/*
 * Parsing of the two sides of a check (rule-language.md 2.1, rows Lhs to Str), and of the texts
 * that lists and exceptions hold. Owns nothing. Called by parse.c and resolve.c.
 */
#include "parse_operand.h"

#include <errno.h>

#include "parse.h"
#include "transform.h"

/* Transformers in transformers; bounds the recursion here and in the evaluator. */
#define OPERAND_DEPTH_MAX 32

static int parse_operand_at(struct lexer *lexer, unsigned depth, struct ast_operand *ret);

static int syntax_error(struct lexer *lexer, const char *code, const char *hint,
			const char *expected)
{
	struct str next = lex_next_text(lexer);
	struct span at = text_span(lexer->text, lexer->pos, next.n);

	if (next.n == 0)
		diags_error(lexer->diags, at, code, hint, "%s expected at the end", expected);
	else
		diags_error(lexer->diags, at, code, hint, "%s expected, not '%.*s'", expected,
			    STR_ARG(next));
	return PARSE_E_SYNTAX;
}

static int quoted_error(const struct lexer *lexer)
{
	return lexer->is_out_of_memory ? -ENOMEM : PARSE_E_SYNTAX;
}

bool at_transformer(const struct lexer *lexer)
{
	struct lexer probe = *lexer;
	enum transform transform;
	struct str name;

	return lex_identifier(&probe, &name) && lex_peek(&probe) == '(' &&
	       transform_find(name, &transform);
}

/* "[" ( Quoted | ArgBare ) "]", directly behind the name. */
static int parse_brackets(struct lexer *lexer, struct ast_operand *ret)
{
	uint32_t begin = lexer->pos;
	enum lex_result quoted;

	if (!lex_char(lexer, '['))
		return 0;
	quoted = lex_quoted(lexer, &ret->argument);
	if (quoted == LEX_ERROR)
		return quoted_error(lexer);
	if (quoted == LEX_NONE && !lex_bare_argument(lexer, &ret->argument))
		return syntax_error(lexer, "E0201", "no blanks inside the brackets", "an argument");
	if (!lex_char(lexer, ']'))
		return syntax_error(lexer, "E0201", "quote an argument that has blanks", "']'");
	ret->has_argument = true;
	ret->argument_at = lex_span(lexer, begin);
	return 0;
}

static int parse_field(struct lexer *lexer, struct ast_operand *ret)
{
	ret->kind = AST_FIELD;
	if (!lex_field_name(lexer, &ret->name))
		return syntax_error(lexer, "E0201", NULL, "a field");
	return parse_brackets(lexer, ret);
}

/* ---- transformers --------------------------------------------------------------------------- */

struct operand_list {
	struct ast_operand *items;
	uint32_t cnt, cap;
};

static struct ast_operand *add_operand(struct arena *arena, struct operand_list *list)
{
	if (list->cnt == list->cap) {
		uint32_t cap = list->cap ? list->cap * 2 : 2;
		struct ast_operand *items = arena_new_array(arena, struct ast_operand, cap);

		if (!items)
			return NULL;
		if (list->cnt)
			memcpy(items, list->items, list->cnt * sizeof(*items));
		list->items = items;
		list->cap = cap;
	}
	return &list->items[list->cnt++];
}

/* ( a, b, … ): the arguments of a transformer, or a list among them. */
static int parse_arguments(struct lexer *lexer, unsigned depth, struct ast_operand *ret)
{
	struct operand_list list = { 0 };
	struct ast_operand *item;
	int r;

	(void)lex_char(lexer, '(');
	lex_skip_blanks(lexer);
	if (ret->kind == AST_LIST && lex_char(lexer, ')'))
		return 0;
	do {
		uint32_t begin;

		lex_skip_blanks(lexer);
		begin = lexer->pos;
		item = add_operand(lexer->arena, &list);
		if (!item)
			return -ENOMEM;
		r = parse_operand_at(lexer, depth + 1, item);
		if (r != 0)
			return r;
		item->at = lex_span(lexer, begin);
		lex_skip_blanks(lexer);
	} while (lex_char(lexer, ','));
	if (!lex_char(lexer, ')'))
		return syntax_error(lexer, "E0201", NULL, "',' or ')'");
	ret->items = list.items;
	ret->item_cnt = list.cnt;
	return 0;
}

static int parse_transformer(struct lexer *lexer, unsigned depth, struct ast_operand *ret)
{
	int r;

	ret->kind = AST_TRANSFORM;
	(void)lex_identifier(lexer, &ret->name);
	r = parse_arguments(lexer, depth, ret);
	return r ? r : parse_brackets(lexer, ret);
}

/* TArg. A list holds no lists; depth 0 is a side of a check: a field or a transformer. */
static int parse_operand_at(struct lexer *lexer, unsigned depth, struct ast_operand *ret)
{
	enum lex_result quoted;

	*ret = (struct ast_operand){ .kind = AST_CONSTANT };
	if (depth > OPERAND_DEPTH_MAX) {
		diags_error(lexer->diags, text_span(lexer->text, lexer->pos, 1), "E0205", NULL,
			    "transformers are nested more than %d deep", OPERAND_DEPTH_MAX);
		return PARSE_E_SYNTAX;
	}
	if (at_transformer(lexer))
		return parse_transformer(lexer, depth, ret);
	if (depth == 0)
		return parse_field(lexer, ret);
	quoted = lex_quoted(lexer, &ret->name);
	if (quoted != LEX_NONE)
		return quoted == LEX_OK ? 0 : quoted_error(lexer);
	ret->is_number = lex_number(lexer, &ret->name);
	if (ret->is_number)
		return 0;
	if (lex_peek(lexer) != '(')
		return parse_field(lexer, ret);
	ret->kind = AST_LIST;
	return parse_arguments(lexer, depth, ret);
}

int parse_operand(struct lexer *lexer, struct ast_operand *ret)
{
	uint32_t begin = lexer->pos;
	int r = parse_operand_at(lexer, 0, ret);

	ret->at = lex_span(lexer, begin);
	return r;
}

/* ---- the right side ------------------------------------------------------------------------- */

/* Str. */
static int parse_value(struct lexer *lexer, struct ast_value *ret)
{
	uint32_t begin = lexer->pos;
	enum lex_result quoted = lex_quoted(lexer, &ret->text);

	if (quoted == LEX_ERROR)
		return quoted_error(lexer);
	ret->kind = quoted == LEX_OK ? AST_VALUE_QUOTED : AST_VALUE_BARE;
	if (quoted == LEX_NONE && !lex_bare(lexer, &ret->text))
		return syntax_error(lexer, "E0207",
				    lex_peek(lexer) == '(' ? "for a list use in (a, b)" : NULL,
				    "a value");
	ret->at = lex_span(lexer, begin);
	return 0;
}

static int add_value(struct lexer *lexer, struct ast_values *values)
{
	struct ast_value value = { 0 };
	int r = parse_value(lexer, &value);

	if (r != 0)
		return r;
	return ast_values_add(lexer->arena, values, &value) ? 0 : -ENOMEM;
}

static int parse_values(struct lexer *lexer, struct ast_values *values)
{
	int r;

	do {
		lex_skip_blanks(lexer);
		r = add_value(lexer, values);
		if (r != 0)
			return r;
		lex_skip_blanks(lexer);
	} while (lex_char(lexer, ','));
	return 0;
}

/* List or, for a name in the place of one, Ident. */
static int parse_list(struct lexer *lexer, struct ast_check *check, struct ast_values *values)
{
	struct ast_value value = { .kind = AST_VALUE_BARE };
	uint32_t begin = lexer->pos;
	struct str word;
	int r;

	check->is_list = lex_char(lexer, '(');
	if (check->is_list) {
		lex_skip_blanks(lexer);
		if (lex_char(lexer, ')'))
			return 0;
		r = parse_values(lexer, values);
		if (r != 0)
			return r;
		return lex_char(lexer, ')') ? 0 : syntax_error(lexer, "E0201", NULL, "',' or ')'");
	}
	if (!lex_bare(lexer, &word))
		return syntax_error(lexer, "E0207", "a list is written (a, b)", "a list");
	value.at = lex_span(lexer, begin);
	lexer->pos = begin;
	if (!lex_identifier(lexer, &value.text) || value.text.n != word.n) {
		diags_error(lexer->diags, value.at, "E0207", "put it in parentheses",
			    "a list operator takes a list");
		return PARSE_E_SYNTAX;
	}
	return ast_values_add(lexer->arena, values, &value) ? 0 : -ENOMEM;
}

/* A number, or a word that may turn out to be a list of one number. */
static int parse_number(struct lexer *lexer, struct ast_values *values)
{
	struct ast_value value = { .kind = AST_VALUE_NUMBER };
	uint32_t begin = lexer->pos;

	if (!lex_number(lexer, &value.text)) {
		value.kind = AST_VALUE_BARE;
		if (!lex_identifier(lexer, &value.text))
			return syntax_error(lexer, "E0207", NULL, "a number");
	}
	value.at = lex_span(lexer, begin);
	return ast_values_add(lexer->arena, values, &value) ? 0 : -ENOMEM;
}

/* val( field ) or a transformer. */
static int parse_operand_side(struct lexer *lexer, struct ast_check *check)
{
	int r;

	check->right = arena_new(lexer->arena, struct ast_operand);
	if (!check->right)
		return -ENOMEM;
	if (!lex_literal(lexer, "val("))
		return parse_operand(lexer, check->right);
	check->is_val = true;
	lex_skip_blanks(lexer);
	if (at_transformer(lexer))
		return syntax_error(lexer, "E0201", "write the transformer without val()",
				    "a field");
	r = parse_operand(lexer, check->right);
	if (r != 0)
		return r;
	lex_skip_blanks(lexer);
	return lex_char(lexer, ')') ? 0 : syntax_error(lexer, "E0201", NULL, "')'");
}

static bool at_operand_side(const struct lexer *lexer)
{
	struct lexer probe = *lexer;

	return lex_literal(&probe, "val(") || at_transformer(lexer);
}

int parse_right_side(struct lexer *lexer, struct ast_check *check)
{
	struct ast_values values = { 0 };
	int r;

	if (check->modifier == MODIFIER_NONE && at_operand_side(lexer))
		return parse_operand_side(lexer, check);
	if (op_takes_list(check->op, check->modifier))
		r = parse_list(lexer, check, &values);
	else if (op_info(check->op)->form == OP_FORM_NUMBER)
		r = parse_number(lexer, &values);
	else
		r = add_value(lexer, &values);
	check->values = values.items;
	check->value_cnt = values.cnt;
	return r;
}

/* ---- texts of lists and exceptions ---------------------------------------------------------- */

static int expect_end(struct lexer *lexer, int r)
{
	if (r != 0)
		return r;
	lex_skip_blanks(lexer);
	if (lex_peek(lexer) < 0)
		return 0;
	return syntax_error(lexer, "E0209",
			    "put the value in quotes, inside the YAML quotes: '\"a b\"'",
			    "the end of the value");
}

int parse_left(struct arena *arena, const struct text *text, struct diags *diags,
	       struct ast_operand *ret)
{
	struct lexer lexer;

	lexer_init(&lexer, text, arena, diags);
	lex_skip_blanks(&lexer);
	return expect_end(&lexer, parse_operand(&lexer, ret));
}

int parse_right(struct arena *arena, const struct text *text, struct diags *diags,
		struct ast_check *check)
{
	struct lexer lexer;

	lexer_init(&lexer, text, arena, diags);
	lex_skip_blanks(&lexer);
	return expect_end(&lexer, parse_right_side(&lexer, check));
}

int parse_list_item(struct arena *arena, const struct text *text, struct diags *diags,
		    struct ast_values *values)
{
	struct lexer lexer;

	lexer_init(&lexer, text, arena, diags);
	return expect_end(&lexer, parse_values(&lexer, values));
}
