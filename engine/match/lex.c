/*
 * Scanning of condition text (rule-language.md 2.1). Owns nothing; decoded strings live in the
 * ruleset's arena. Called by the parser.
 */
#include "lex.h"

#include "ast.h"

void lexer_init(struct lexer *lexer, const struct text *text, struct arena *arena,
		struct diags *diags)
{
	*lexer = (struct lexer){ .text = text, .arena = arena, .diags = diags };
}

int lex_peek_at(const struct lexer *lexer, uint32_t ahead)
{
	struct str s = lexer->text->s;

	return ahead < s.n - lexer->pos ? (unsigned char)s.p[lexer->pos + ahead] : -1;
}

int lex_peek(const struct lexer *lexer)
{
	return lex_peek_at(lexer, 0);
}

bool lex_is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\b' || c == '\r' || c == '\n';
}

bool lex_is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static int hex_digit(int c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void lex_skip_blanks(struct lexer *lexer)
{
	while (lex_is_blank(lex_peek(lexer)))
		lexer->pos++;
}

bool lex_char(struct lexer *lexer, char c)
{
	if (lex_peek(lexer) != (unsigned char)c)
		return false;
	lexer->pos++;
	return true;
}

bool lex_literal(struct lexer *lexer, const char *literal)
{
	struct str rest = { lexer->text->s.p + lexer->pos, lexer->text->s.n - lexer->pos };

	if (!str_starts_with(rest, str_from(literal)))
		return false;
	lexer->pos += (uint32_t)strlen(literal);
	return true;
}

bool lex_keyword(struct lexer *lexer, const char *keyword, const char *others)
{
	uint32_t begin = lexer->pos;
	int next;

	if (!lex_literal(lexer, keyword))
		return false;
	next = lex_peek(lexer);
	if (lex_is_blank(next) || (next > 0 && strchr(others, next)))
		return true;
	lexer->pos = begin;
	return false;
}

static struct str taken(const struct lexer *lexer, uint32_t begin)
{
	return (struct str){ lexer->text->s.p + begin, lexer->pos - begin };
}

bool lex_identifier(struct lexer *lexer, struct str *ret)
{
	uint32_t begin = lexer->pos;

	if (!lex_is_letter(lex_peek(lexer)))
		return false;
	while (lex_is_letter(lex_peek(lexer)) || is_digit(lex_peek(lexer)) ||
	       lex_peek(lexer) == '_')
		lexer->pos++;
	*ret = taken(lexer, begin);
	return true;
}

bool lex_field_name(struct lexer *lexer, struct str *ret)
{
	uint32_t begin = lexer->pos;
	struct str part;
	bool has_dot = false;

	if (!lex_identifier(lexer, &part))
		return false;
	while (lex_peek(lexer) == '.' && lex_is_letter(lex_peek_at(lexer, 1))) {
		has_dot = true;
		lexer->pos++;
		(void)lex_identifier(lexer, &part);
	}
	if (!has_dot) {
		lexer->pos = begin;
		return false;
	}
	*ret = taken(lexer, begin);
	return true;
}

bool lex_word(struct lexer *lexer, struct str *ret)
{
	uint32_t begin = lexer->pos;

	while (lex_is_letter(lex_peek(lexer)))
		lexer->pos++;
	*ret = taken(lexer, begin);
	return ret->n > 0;
}

static bool lex_until(struct lexer *lexer, const char *stop, struct str *ret)
{
	uint32_t begin = lexer->pos;

	for (;;) {
		int c = lex_peek(lexer);

		if (c < 0 || lex_is_blank(c) || (c > 0 && strchr(stop, c)))
			break;
		lexer->pos++;
	}
	*ret = taken(lexer, begin);
	return ret->n > 0;
}

bool lex_bare(struct lexer *lexer, struct str *ret)
{
	return lex_until(lexer, "()\"'=,", ret);
}

bool lex_bare_argument(struct lexer *lexer, struct str *ret)
{
	return lex_until(lexer, "[]\"'", ret);
}

static uint32_t skip_digits(struct lexer *lexer)
{
	uint32_t begin = lexer->pos;

	while (is_digit(lex_peek(lexer)))
		lexer->pos++;
	return lexer->pos - begin;
}

static bool lex_hex_number(struct lexer *lexer)
{
	uint32_t begin = lexer->pos, digits;

	if (!lex_literal(lexer, "0x"))
		return false;
	digits = lexer->pos;
	while (hex_digit(lex_peek(lexer)) >= 0)
		lexer->pos++;
	if (lexer->pos > digits)
		return true;
	lexer->pos = begin;
	return false;
}

bool lex_number(struct lexer *lexer, struct str *ret)
{
	uint32_t begin = lexer->pos, exponent;

	if (!lex_hex_number(lexer)) {
		if (!lex_char(lexer, '+'))
			(void)lex_char(lexer, '-');
		if (skip_digits(lexer) == 0) {
			lexer->pos = begin;
			return false;
		}
		if (lex_char(lexer, '.'))
			(void)skip_digits(lexer);
		exponent = lexer->pos;
		if ((lex_char(lexer, 'e') || lex_char(lexer, 'E')) &&
		    !((lex_char(lexer, '+') || lex_char(lexer, '-')) && skip_digits(lexer)))
			lexer->pos = exponent;
	}
	*ret = taken(lexer, begin);
	return true;
}

/* ---- quoted strings ------------------------------------------------------------------------- */

/* A quote right behind a backslash never closes, whatever stands before the backslash. */
static bool find_close(const struct lexer *lexer, char quote, uint32_t *ret)
{
	struct str s = lexer->text->s;

	for (uint32_t i = lexer->pos; i < s.n; i++) {
		if (s.p[i] != quote || (i > lexer->pos && s.p[i - 1] == '\\'))
			continue;
		*ret = i;
		return true;
	}
	return false;
}

/* The escape behind a backslash: its byte and how many bytes of source it takes, 0 for none. */
static uint32_t decode_escape(const char *p, uint32_t n, char quote, char *ret)
{
	static const char names[] = "bfnrt\\/", bytes[] = "\b\f\n\r\t\\/";
	const char *name;

	if (n == 0)
		return 0;
	name = p[0] ? strchr(names, p[0]) : NULL;
	if (name)
		*ret = bytes[name - names];
	else if (p[0] == quote)
		*ret = quote;
	else if (p[0] == ' ') /* a backslash; the blank is dropped */
		*ret = '\\';
	else if (n >= 3 && p[0] == 'x' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0)
		*ret = (char)(hex_digit(p[1]) * 16 + hex_digit(p[2]));
	else
		return 0;
	return p[0] == 'x' ? 3 : 1;
}

static enum lex_result decode(struct lexer *lexer, uint32_t begin, uint32_t end, char quote,
			      struct str *ret)
{
	const char *p = lexer->text->s.p;
	char *out = arena_alloc(lexer->arena, (size_t)(end - begin) + 1);
	uint32_t n = 0, used;

	if (!out) {
		lexer->is_out_of_memory = true;
		return LEX_ERROR;
	}
	for (uint32_t i = begin; i < end; i++) {
		if (p[i] != '\\') {
			out[n++] = p[i];
			continue;
		}
		used = decode_escape(p + i + 1, end - i - 1, quote, &out[n++]);
		if (used == 0) {
			diags_error(lexer->diags, text_span(lexer->text, i, i + 1 < end ? 2 : 1),
				    "E0204", "write \\\\ for a backslash",
				    "unsupported string escape sequence");
			return LEX_ERROR;
		}
		i += used;
	}
	out[n] = '\0';
	*ret = (struct str){ out, n };
	return LEX_OK;
}

enum lex_result lex_quoted(struct lexer *lexer, struct str *ret)
{
	uint32_t begin = lexer->pos, end;
	int quote = lex_peek(lexer);
	enum lex_result result;

	if (quote != '"' && quote != '\'')
		return LEX_NONE;
	lexer->pos++;
	if (!find_close(lexer, (char)quote, &end)) {
		lexer->pos = lexer->text->s.n;
		diags_error(lexer->diags, text_span(lexer->text, begin, 1), "E0203",
			    "a quote behind a backslash does not close: write \\x5c for a last "
			    "backslash",
			    "string has no closing %c", quote);
		return LEX_ERROR;
	}
	result = decode(lexer, begin + 1, end, (char)quote, ret);
	lexer->pos = end + 1;
	return result;
}

/* ---- places --------------------------------------------------------------------------------- */

struct span lex_span(const struct lexer *lexer, uint32_t begin)
{
	return text_span(lexer->text, begin, lexer->pos - begin);
}

struct str lex_next_text(const struct lexer *lexer)
{
	struct str s = lexer->text->s, next = { s.p + lexer->pos, 0 };

	while (lexer->pos + next.n < s.n && next.n < 40 &&
	       !lex_is_blank((unsigned char)next.p[next.n]) &&
	       (next.n == 0 || !strchr("()\"',", next.p[next.n])))
		next.n++;
	return next;
}
