/*
 * The condition parser: precedence climbing over or, and, not; one function a grammar row of
 * rule-language.md 2.1. Owns nothing; trees live in the ruleset's arena. Called by resolve.c.
 */
#include "parse.h"

#include <errno.h>

#include "lex.h"
#include "parse_operand.h"

struct parser {
	struct lexer lexer;
	unsigned depth;
	bool has_errors;
};

/* Binds looser than what follows it. */
enum level {
	LEVEL_OR,
	LEVEL_AND,
	LEVEL_NOT
};

static struct ast_node *parse_level(struct parser *p, enum level level);

static struct arena *arena_of(struct parser *p)
{
	return p->lexer.arena;
}

static struct ast_node *invalid(struct parser *p, uint32_t begin)
{
	p->has_errors = true;
	return ast_new(arena_of(p), AST_INVALID, lex_span(&p->lexer, begin));
}

static bool at_connective(const struct parser *p)
{
	struct lexer probe = p->lexer;

	return lex_keyword(&probe, "and", "(") || lex_keyword(&probe, "or", "(");
}

/* After an error: to where a check may follow again, past quotes and parentheses of its own. */
static void skip_broken_check(struct parser *p)
{
	struct lexer *lexer = &p->lexer;
	unsigned open = 0;
	bool is_word_start = false;

	for (int c; (c = lex_peek(lexer)) >= 0; lexer->pos++) {
		if (open == 0 && (c == ')' || (is_word_start && at_connective(p))))
			return;
		open += c == '(';
		open -= c == ')';
		is_word_start = lex_is_blank(c) || c == ')';
	}
}

/* What people write who come from other languages. */
static const char *connective_hint(struct str word)
{
	static const char *const hints[][2] = {
		{ "AND", "keywords are lower case: and" },
		{ "OR", "keywords are lower case: or" },
		{ "NOT", "keywords are lower case: not" },
		{ "&&", "write and" },
		{ "||", "write or" },
		{ "not", "'not' stands before the field: not f in (a, b)" },
		{ "!", "write not" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(hints); i++)
		if (str_eq_text(word, hints[i][0]))
			return hints[i][1];
	return NULL;
}

static const char *unexpected_hint(struct str next)
{
	if (connective_hint(next))
		return connective_hint(next);
	return strchr("=(\"',", *next.p) ? "put the value in quotes where it holds ( ) \" ' = or ,"
					 : NULL;
}

static void report_unexpected(struct parser *p, const char *expected)
{
	struct lexer *lexer = &p->lexer;
	struct str next = lex_next_text(lexer);
	struct span at = text_span(lexer->text, lexer->pos, next.n);

	p->has_errors = true;
	if (next.n == 0)
		diags_error(lexer->diags, at, "E0201", NULL, "%s expected at the end", expected);
	else
		diags_error(lexer->diags, at, "E0201", unexpected_hint(next),
			    "%s expected, not '%.*s'", expected, STR_ARG(next));
}

/* ---- checks --------------------------------------------------------------------------------- */

static void report_operator(struct parser *p)
{
	struct lexer *lexer = &p->lexer;
	struct str next = lex_next_text(lexer);
	struct span at = text_span(lexer->text, lexer->pos, next.n);
	const char *hint = connective_hint(next);

	p->has_errors = true;
	if (next.n == 0 || *next.p == ')' || at_connective(p)) {
		diags_error(lexer->diags, at, "E0206",
			    "a field alone is no condition: write field = true or field exists",
			    "operator expected behind the field");
		return;
	}
	diags_error(lexer->diags, at, "E0206", hint, "unknown operator '%.*s'", STR_ARG(next));
	if (!hint && op_near(next))
		diags_hint(lexer->diags, "did you mean '%s'?", op_near(next));
}

/* Operators are tried by prefix: "existsand" is exists and "and"; a word operator needs a blank. */
static bool parse_operator(struct parser *p, enum op *ret)
{
	/* Longer before shorter. */
	static const enum op order[] = {
		OP_EXISTS,    OP_LE,	     OP_LT,	    OP_GE,	    OP_GT,
		OP_EQ,	      OP_NE,	     OP_GLOB,	    OP_IGLOB,	    OP_CONTAINS,
		OP_ICONTAINS, OP_BCONTAINS,  OP_STARTSWITH, OP_BSTARTSWITH, OP_ENDSWITH,
		OP_REGEX,     OP_INTERSECTS, OP_IN,	    OP_PMATCH,
	};
	struct lexer *lexer = &p->lexer;

	_Static_assert(ARRAY_LEN(order) == OP__COUNT, "an entry an operator");
	for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
		const struct op_info *info = op_info(order[i]);

		if (info->form == OP_FORM_WORD ? !lex_keyword(lexer, info->name, "")
					       : !lex_literal(lexer, info->name))
			continue;
		if (order[i] == OP_EQ)
			(void)lex_char(lexer, '=');
		*ret = order[i];
		return true;
	}
	return false;
}

static void parse_modifier(struct lexer *lexer, enum op op, enum op_modifier *ret)
{
	enum op_form form = op_info(op)->form;

	*ret = MODIFIER_NONE;
	if (form != OP_FORM_SYMBOL && form != OP_FORM_WORD)
		return;
	for (unsigned i = MODIFIER_ONEOF; i < MODIFIER__COUNT; i++) {
		if (!lex_keyword(lexer, op_modifier_name((enum op_modifier)i), ""))
			continue;
		*ret = (enum op_modifier)i;
		lex_skip_blanks(lexer);
		return;
	}
}

static int parse_check_body(struct parser *p, struct ast_check *check)
{
	struct lexer *lexer = &p->lexer;
	uint32_t begin;
	int r;

	r = parse_operand(lexer, &check->left);
	if (r != 0)
		return r;
	lex_skip_blanks(lexer);
	begin = lexer->pos;
	if (!parse_operator(p, &check->op)) {
		report_operator(p);
		return PARSE_E_SYNTAX;
	}
	check->op_at = lex_span(lexer, begin);
	if (check->op == OP_EXISTS)
		return 0;
	lex_skip_blanks(lexer);
	parse_modifier(lexer, check->op, &check->modifier);
	return parse_right_side(lexer, check);
}

/* NULL: out of memory. */
static struct ast_node *parse_check(struct parser *p)
{
	uint32_t begin = p->lexer.pos;
	struct ast_check *check = arena_new(arena_of(p), struct ast_check);
	struct ast_node *node;
	int r;

	if (!check)
		return NULL;
	r = parse_check_body(p, check);
	if (r < 0)
		return NULL;
	if (r > 0) {
		skip_broken_check(p);
		return invalid(p, begin);
	}
	node = ast_new(arena_of(p), AST_CHECK, lex_span(&p->lexer, begin));
	if (node)
		node->check = check;
	return node;
}

static struct ast_node *parse_macro(struct parser *p)
{
	uint32_t begin = p->lexer.pos;
	struct ast_node *node;
	struct str name;

	(void)lex_identifier(&p->lexer, &name);
	node = ast_new(arena_of(p), AST_MACRO, lex_span(&p->lexer, begin));
	if (node)
		node->name = name;
	return node;
}

/* ---- or, and, not --------------------------------------------------------------------------- */

static struct ast_node *too_deep(struct parser *p, uint32_t begin)
{
	diags_error(p->lexer.diags, lex_span(&p->lexer, begin), "E0205", NULL,
		    "condition is nested more than %d deep", AST_DEPTH_MAX);
	/* Whatever follows would only repeat it. */
	p->lexer.pos = p->lexer.text->s.n;
	return invalid(p, begin);
}

static struct ast_node *parse_parentheses(struct parser *p)
{
	struct lexer *lexer = &p->lexer;
	uint32_t begin = lexer->pos;
	struct ast_node *node;

	(void)lex_char(lexer, '(');
	if (p->depth >= AST_DEPTH_MAX)
		return too_deep(p, begin);
	p->depth++;
	node = parse_level(p, LEVEL_OR);
	p->depth--;
	if (!node)
		return NULL;
	lex_skip_blanks(lexer);
	if (lex_char(lexer, ')'))
		return node;
	if (lex_peek(lexer) < 0) {
		if (!p->has_errors || p->depth == 0)
			diags_error(lexer->diags, text_span(lexer->text, begin, 1), "E0202",
				    "add the ')' that belongs to it", "'(' is never closed");
		p->has_errors = true;
		return node;
	}
	report_unexpected(p, "'and', 'or' or ')'");
	skip_broken_check(p);
	(void)lex_char(lexer, ')');
	return node;
}

static struct ast_node *parse_primary(struct parser *p)
{
	struct lexer *lexer = &p->lexer;
	struct lexer probe = *lexer;
	struct str word;

	if (lex_peek(lexer) == '(')
		return parse_parentheses(p);
	if (lex_field_name(&probe, &word) || at_transformer(lexer))
		return parse_check(p);
	if (lex_identifier(&probe, &word) && !connective_hint(word) && !at_connective(p))
		return parse_macro(p);
	if (lex_peek(lexer) < 0 && lexer->pos > 0 && p->has_errors)
		return invalid(p, lexer->pos);
	report_unexpected(p, "a check, a macro or '('");
	if (lex_peek(lexer) >= 0 && lex_peek(lexer) != ')')
		lexer->pos++;
	skip_broken_check(p);
	return invalid(p, lexer->pos);
}

static struct ast_node *parse_not(struct parser *p)
{
	struct lexer *lexer = &p->lexer;
	uint32_t begin = lexer->pos;
	struct ast_node *child, *node;
	bool is_negated = false;

	/* "not not x" is x; any number of them costs no depth. */
	while (lex_keyword(lexer, "not", "(")) {
		is_negated = !is_negated;
		lex_skip_blanks(lexer);
	}
	child = parse_primary(p);
	if (!child || !is_negated)
		return child;
	node = ast_new(arena_of(p), AST_NOT, lex_span(lexer, begin));
	if (!node)
		return NULL;
	node->children = arena_new_array(arena_of(p), struct ast_node *, 1);
	if (!node->children)
		return NULL;
	node->children[0] = child;
	node->child_cnt = 1;
	return node;
}

/* One level of the climb: operands of the next level joined by this level's keyword. */
static struct ast_node *parse_level(struct parser *p, enum level level)
{
	const char *keyword = level == LEVEL_OR ? "or" : "and";
	struct lexer *lexer = &p->lexer;
	struct ast_list list = { 0 };
	struct ast_node *node;
	uint32_t begin;

	lex_skip_blanks(lexer);
	begin = lexer->pos;
	do {
		lex_skip_blanks(lexer);
		node = level == LEVEL_OR ? parse_level(p, LEVEL_AND) : parse_not(p);
		if (!node || !ast_list_add(arena_of(p), &list, node))
			return NULL;
		lex_skip_blanks(lexer);
	} while (lex_keyword(lexer, keyword, "("));
	if (list.cnt == 1)
		return node;
	node = ast_new(arena_of(p), level == LEVEL_OR ? AST_OR : AST_AND, lex_span(lexer, begin));
	if (!node)
		return NULL;
	node->children = list.items;
	node->child_cnt = list.cnt;
	return node;
}

/* ---- entry points --------------------------------------------------------------------------- */

/* The first problem is reported; then parsing goes on behind it, for the problems further on. */
static bool parse_rest(struct parser *p)
{
	struct lexer *lexer = &p->lexer;

	while (lex_peek(lexer) >= 0) {
		if (lex_peek(lexer) == ')') {
			diags_error(lexer->diags, text_span(lexer->text, lexer->pos, 1), "E0202",
				    "take it out, or add its '('", "')' without '('");
			p->has_errors = true;
			lexer->pos++;
		} else if (!at_connective(p)) {
			report_unexpected(p, "'and' or 'or'");
			skip_broken_check(p);
		}
		lex_skip_blanks(lexer);
		if (!lex_keyword(lexer, "and", "(") && !lex_keyword(lexer, "or", "("))
			continue;
		if (!parse_level(p, LEVEL_OR))
			return false;
		lex_skip_blanks(lexer);
	}
	return true;
}

int parse_condition(struct arena *arena, const struct text *text, struct diags *diags,
		    struct parse_result *ret)
{
	struct parser p = { 0 };
	struct ast_node *node;

	lexer_init(&p.lexer, text, arena, diags);
	lex_skip_blanks(&p.lexer);
	if (lex_peek(&p.lexer) < 0) {
		diags_error(diags, text_whole(text), "E0208", NULL, "condition is empty");
		node = invalid(&p, 0);
	} else {
		node = parse_level(&p, LEVEL_OR);
		lex_skip_blanks(&p.lexer);
		if (node && !parse_rest(&p))
			node = NULL;
	}
	if (!node || p.lexer.is_out_of_memory)
		return -ENOMEM;
	ret->node = node;
	ret->has_errors = p.has_errors;
	return 0;
}

bool parse_operator_text(struct str text, enum op *ret_op, enum op_modifier *ret_modifier)
{
	const char *blank = text.n ? memchr(text.p, ' ', text.n) : NULL;
	struct str name = text, modifier;

	*ret_modifier = MODIFIER_NONE;
	if (blank) {
		name.n = (uint32_t)(blank - text.p);
		modifier = (struct str){ blank, text.n - name.n };
		while (modifier.n && *modifier.p == ' ') {
			modifier.p++;
			modifier.n--;
		}
		if (!op_modifier_find(modifier, ret_modifier))
			return false;
	}
	if (!op_find(name, ret_op))
		return false;
	return *ret_modifier == MODIFIER_NONE || op_info(*ret_op)->form == OP_FORM_SYMBOL ||
	       op_info(*ret_op)->form == OP_FORM_WORD;
}
