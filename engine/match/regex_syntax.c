/*
 * One pass over a pattern: a recursive structure is not needed, since groups only need counting.
 * Owns nothing. Called by the checker.
 */
#include "regex_syntax.h"

#include "haetae/text.h"

/* RE2's own limit (re2/parse.cc, maximum_repeat_count). */
#define REPEAT_MAX 1000

struct translator {
	struct str in;
	uint32_t pos;
	struct buf *out;
	/* Where the last atom begins in the output: a second operator on it needs a group. */
	size_t atom;
	bool has_atom, has_operator;
	uint32_t group_cnt;
	/* Start of the atom that each open group will be. */
	size_t groups[256];
	struct regex_syntax_error *error;
};

static bool fail(struct translator *t, uint32_t offset, uint32_t length, const char *reason,
		 const char *hint)
{
	*t->error = (struct regex_syntax_error){ offset, length, reason, hint };
	return false;
}

static int peek(const struct translator *t, uint32_t ahead)
{
	return ahead < t->in.n - t->pos ? (unsigned char)t->in.p[t->pos + ahead] : -1;
}

static void begin_atom(struct translator *t)
{
	t->atom = t->out->n;
	t->has_atom = true;
	t->has_operator = false;
}

static void put_code_point(struct translator *t, uint32_t code)
{
	buf_printf(t->out, "\\x{%x}", code);
}

static bool is_word(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_';
}

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \x41 or \x{10ffff}; the position is behind the x. */
static bool parse_hex(struct translator *t, uint32_t begin, uint32_t *ret)
{
	bool has_brace = peek(t, 0) == '{';
	uint32_t code = 0, digits = 0;

	t->pos += has_brace;
	while (hex_digit(peek(t, 0)) >= 0 && (has_brace || digits < 2) && digits < 7) {
		code = code * 16 + (uint32_t)hex_digit(peek(t, 0));
		t->pos++;
		digits++;
	}
	if (has_brace ? digits == 0 || peek(t, 0) != '}' || code > 0x10ffff ||
				(code >= 0xd800 && code < 0xe000)
		      : digits != 2)
		return fail(t, begin, t->pos - begin, "bad hexadecimal escape",
			    "write \\x41 or \\x{1f600}");
	t->pos += has_brace;
	*ret = code;
	return true;
}

/* The code point of an escape; the position is at the backslash. */
static bool parse_escape(struct translator *t, uint32_t *ret)
{
	static const char names[] = "aftnrv", codes[] = "\a\f\t\n\r\v";
	uint32_t begin = t->pos++;
	int c = peek(t, 0);
	const char *name = c > 0 ? strchr(names, c) : NULL;

	if (c < 0)
		return fail(t, begin, 1, "the pattern ends with a backslash", NULL);
	t->pos++;
	if (name) {
		*ret = (uint32_t)codes[name - names];
		return true;
	}
	if (c == 'x')
		return parse_hex(t, begin, ret);
	/* \0 is octal; so is \1 to \7 where another octal digit follows. */
	if (c == '0' || (c >= '1' && c <= '7' && peek(t, 0) >= '0' && peek(t, 0) <= '7')) {
		*ret = (uint32_t)(c - '0');
		for (int i = 0; i < 2 && peek(t, 0) >= '0' && peek(t, 0) <= '7'; i++, t->pos++)
			*ret = *ret * 8 + (uint32_t)(peek(t, 0) - '0');
		return true;
	}
	if (c < 0x80 && !is_word(c)) {
		*ret = (uint32_t)c;
		return true;
	}
	if (c >= '1' && c <= '9')
		return fail(t, begin, 2, "back-references are not supported", NULL);
	if (strchr("dDsSwW", c))
		return fail(t, begin, 2, "Perl classes are not supported",
			    "write [[:digit:]], [[:space:]] or [[:alnum:]_]");
	return fail(t, begin, 2, "unknown escape", "POSIX syntax has no such escape");
}

/* ---- bracket expressions -------------------------------------------------------------------- */

/* [:alpha:] or [:^alpha:] at the position; false and no error where none stands here. */
static bool parse_class_name(struct translator *t, bool *ret_found)
{
	static const char *const names[] = { "alnum", "alpha", "ascii", "blank", "cntrl",
					     "digit", "graph", "lower", "print", "punct",
					     "space", "upper", "word",	"xdigit" };
	struct str rest = { t->in.p + t->pos, t->in.n - t->pos };
	const char *end = rest.n > 2 ? memmem(rest.p + 2, rest.n - 2, ":]", 2) : NULL;
	struct str name;
	bool is_negated;

	*ret_found = rest.n >= 2 && rest.p[0] == '[' && rest.p[1] == ':' && end;
	if (!*ret_found)
		return true;
	is_negated = rest.p[2] == '^';
	name = (struct str){ rest.p + 2 + is_negated, 0 };
	name.n = end > name.p ? (uint32_t)(end - name.p) : 0;
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (!str_eq_text(name, names[i]))
			continue;
		buf_printf(t->out, "[:%s%s:]", is_negated ? "^" : "", names[i]);
		t->pos += (uint32_t)(end + 2 - rest.p);
		return true;
	}
	return fail(t, t->pos, (uint32_t)(end + 2 - rest.p), "unknown character class", NULL);
}

/* One character of a class or of the pattern: an escape or a UTF-8 sequence. */
static bool parse_character(struct translator *t, uint32_t *ret)
{
	const char *p = t->in.p + t->pos;
	unsigned length = utf8_sequence(p, t->in.p + t->in.n);
	uint32_t code;

	if (*p == '\\')
		return parse_escape(t, ret);
	if (length == 0)
		return fail(t, t->pos, 1, "the pattern is not valid UTF-8", NULL);
	code = (unsigned char)p[0] & (length == 1 ? 0x7fu : 0xffu >> (length + 1));
	for (unsigned i = 1; i < length; i++)
		code = code << 6 | ((unsigned char)p[i] & 0x3fu);
	t->pos += length;
	*ret = code;
	return true;
}

static bool parse_range(struct translator *t)
{
	uint32_t begin = t->pos, low, high;

	if (!parse_character(t, &low))
		return false;
	high = low;
	if (peek(t, 0) == '-' && peek(t, 1) >= 0 && peek(t, 1) != ']') {
		t->pos++;
		if (!parse_character(t, &high))
			return false;
	}
	if (high < low)
		return fail(t, begin, t->pos - begin, "bad range", NULL);
	put_code_point(t, low);
	if (high != low) {
		buf_putc(t->out, '-');
		put_code_point(t, high);
	}
	return true;
}

static bool parse_bracket(struct translator *t)
{
	uint32_t begin = t->pos++, first;

	begin_atom(t);
	buf_putc(t->out, '[');
	if (peek(t, 0) == '^') {
		buf_putc(t->out, '^');
		t->pos++;
	}
	for (first = t->pos; peek(t, 0) >= 0 && (peek(t, 0) != ']' || t->pos == first);) {
		bool is_class;

		/* A '-' stands first, last, or between two. */
		if (peek(t, 0) == '-' && t->pos != first && peek(t, 1) != ']')
			return fail(t, t->pos, 1, "bad range", "put '-' first or last");
		if (!parse_class_name(t, &is_class) || (!is_class && !parse_range(t)))
			return false;
	}
	if (peek(t, 0) < 0)
		return fail(t, begin, 1, "missing ]", NULL);
	t->pos++;
	buf_putc(t->out, ']');
	return true;
}

/* ---- operators ------------------------------------------------------------------------------ */

/* {m}, {m,} or {m,n} at the position; length 0 where '{' is a plain character. */
static uint32_t repeat_length(const struct translator *t, uint32_t *ret_min, int32_t *ret_max)
{
	uint32_t i = 1, min = 0, max = 0, digits;

	for (digits = 0; peek(t, i) >= '0' && peek(t, i) <= '9'; i++, digits++)
		min = MIN(min * 10 + (uint32_t)(peek(t, i) - '0'), 100000u);
	if (digits == 0)
		return 0;
	*ret_min = min;
	*ret_max = (int32_t)min;
	if (peek(t, i) == ',') {
		i++;
		for (digits = 0; peek(t, i) >= '0' && peek(t, i) <= '9'; i++, digits++)
			max = MIN(max * 10 + (uint32_t)(peek(t, i) - '0'), 100000u);
		*ret_max = digits ? (int32_t)max : -1;
	}
	return peek(t, i) == '}' ? i + 1 : 0;
}

/* Wraps the last atom, so that a second operator applies to the first one's result. */
static void wrap_atom(struct translator *t)
{
	struct str out = buf_str(t->out);
	_cleanup_(freep) char *copy = NULL;
	uint32_t n = out.n - (uint32_t)t->atom;

	copy = malloc((size_t)n + 1);
	if (!copy || t->out->failed) {
		t->out->failed = true;
		return;
	}
	memcpy(copy, out.p + t->atom, n);
	t->out->n = t->atom;
	buf_puts(t->out, "(?:");
	buf_put(t->out, copy, n);
	buf_putc(t->out, ')');
}

static bool parse_operator(struct translator *t, uint32_t length)
{
	uint32_t begin = t->pos;

	if (!t->has_atom)
		return fail(t, begin, length, "nothing to repeat", "quote it with a backslash");
	if (t->has_operator && t->in.p[begin] == '?')
		return fail(t, begin, 1, "lazy operators are not supported",
			    "the whole value is matched: lazy and greedy are the same");
	if (t->has_operator)
		wrap_atom(t);
	buf_put(t->out, t->in.p + begin, length);
	t->pos += length;
	t->has_operator = true;
	return true;
}

static bool parse_brace(struct translator *t)
{
	uint32_t min = 0, length;
	int32_t max = 0;

	length = repeat_length(t, &min, &max);
	if (length == 0) {
		begin_atom(t);
		buf_puts(t->out, "\\{");
		t->pos++;
		return true;
	}
	if (min > REPEAT_MAX || max > REPEAT_MAX || (max >= 0 && (uint32_t)max < min))
		return fail(t, t->pos, length, "bad repetition count", "at most 1000, lower first");
	return parse_operator(t, length);
}

static bool open_group(struct translator *t)
{
	if (peek(t, 1) == '?')
		return fail(t, t->pos, 2, "(?…) is not supported", "plain ( ) groups");
	if (t->group_cnt == ARRAY_LEN(t->groups))
		return fail(t, t->pos, 1, "too many groups", NULL);
	t->groups[t->group_cnt++] = t->out->n;
	buf_puts(t->out, "(?:");
	t->has_atom = false;
	t->has_operator = false;
	t->pos++;
	return true;
}

static bool close_group(struct translator *t)
{
	if (t->group_cnt == 0)
		return fail(t, t->pos, 1, "unexpected )", "quote it with a backslash");
	buf_putc(t->out, ')');
	t->pos++;
	t->atom = t->groups[--t->group_cnt];
	t->has_atom = true;
	t->has_operator = false;
	return true;
}

static bool put_plain(struct translator *t, const char *text)
{
	begin_atom(t);
	buf_puts(t->out, text);
	t->pos++;
	return true;
}

/* One element. A flat switch. */
static bool step(struct translator *t)
{
	uint32_t code;

	switch (peek(t, 0)) {
	case '(':
		return open_group(t);
	case ')':
		return close_group(t);
	case '|':
		buf_putc(t->out, '|');
		t->pos++;
		t->has_atom = false;
		return true;
	case '[':
		return parse_bracket(t);
	case '*':
	case '+':
	case '?':
		return parse_operator(t, 1);
	case '{':
		return parse_brace(t);
	/* Without RE2's one-line flag these match at line ends too. */
	case '^':
		return put_plain(t, "(?:^)");
	case '$':
		return put_plain(t, "(?:$)");
	case '.':
		return put_plain(t, ".");
	default:
		begin_atom(t);
		if (!parse_character(t, &code))
			return false;
		put_code_point(t, code);
		return true;
	}
}

bool regex_translate(struct str pattern, struct buf *out, struct regex_syntax_error *reterr_error)
{
	struct translator t = { .in = pattern, .out = out, .error = reterr_error };

	while (t.pos < pattern.n)
		if (!step(&t))
			return false;
	if (t.group_cnt)
		return fail(&t, pattern.n ? pattern.n - 1 : 0, 1, "missing )", NULL);
	return true;
}

bool regex_is_literal(struct str pattern)
{
	for (uint32_t i = 0; i < pattern.n; i++)
		if (strchr("\\^$.|?*+()[]{}", pattern.p[i]) && pattern.p[i])
			return false;
	return true;
}
