/*
 * Constants, converted once to the type of the field that they are compared with
 * (rule-language.md 2.2). Owns nothing. Part of check.c.
 */
#include <netdb.h>

#include "compile.h"

#define LITERAL_LENGTH_MAX 255

static bool bad(struct compilation *c, const struct ast_value *value, struct check_result *result,
		const char *code, const char *what, const char *hint)
{
	(void)problem_add(c, result, value->at, code, hint, "'%.*s' is not %s",
			  STR_ARG(value->text), what);
	return false;
}

/* Decimal digits with a sign. */
static bool parse_decimal(struct str text, bool is_signed, uint64_t *ret)
{
	bool is_negative = text.n && *text.p == '-';
	uint64_t number = 0, limit;

	if (text.n && (*text.p == '-' || *text.p == '+')) {
		text.p++;
		text.n--;
	}
	if (text.n == 0)
		return false;
	limit = is_signed || is_negative ? (uint64_t)INT64_MAX + is_negative : UINT64_MAX;
	for (uint32_t i = 0; i < text.n; i++) {
		uint64_t digit = (uint64_t)(text.p[i] - '0');

		if (text.p[i] < '0' || text.p[i] > '9' || number > (limit - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	/* A negative constant of an unsigned field wraps. */
	*ret = is_negative ? -number : number;
	return true;
}

/* 32 bits wide in the field, a constant is so too: user.uid = -1. */
static bool parse_number(const struct operand *left, struct str text, uint64_t *ret)
{
	if (!parse_decimal(text, left->type == VALUE_S64, ret))
		return false;
	if ((left->flags & FIELD_IS_U32) && *text.p == '-')
		*ret = (uint32_t)*ret;
	return true;
}

/* /etc/services through libc; only while rules are loaded. */
static bool parse_port(struct str text, uint64_t *ret)
{
	char name[LITERAL_LENGTH_MAX + 1], buffer[2048];
	struct servent entry, *found = NULL;

	if (parse_decimal(text, false, ret))
		return *ret <= UINT16_MAX;
	if (text.n == 0 || text.n >= sizeof(name) || memchr(text.p, '\0', text.n))
		return false;
	memcpy(name, text.p, text.n);
	name[text.n] = '\0';
	if (getservbyname_r(name, NULL, &entry, buffer, sizeof(buffer), &found) != 0 || !found)
		return false;
	*ret = __builtin_bswap16((uint16_t)found->s_port);
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_hex(struct compilation *c, struct str text, struct str *ret)
{
	char *bytes = arena_alloc(c->arena, text.n / 2 + 1);

	if (!bytes || text.n % 2 != 0)
		return false;
	for (uint32_t i = 0; i < text.n; i++) {
		int digit = hex_digit(text.p[i]);

		if (digit < 0)
			return false;
		bytes[i / 2] = (char)(i % 2 ? bytes[i / 2] | digit : digit << 4);
	}
	*ret = (struct str){ bytes, text.n / 2 };
	return true;
}

static bool convert_regex(struct compilation *c, const struct ast_value *value,
			  struct check_result *result, struct literal *ret)
{
	struct regex_syntax_error error = { 0 };
	struct regex *regex = NULL;
	int r = regex_compile(c->arena, value->text, &regex, &error);

	if (r > 0)
		(void)problem_add(c, result, value->at, "E0313", error.hint,
				  "bad regular expression: %s at '%.*s'", error.reason,
				  (int)error.length, value->text.p + error.offset);
	else if (r == 0 && regex_is_literal(value->text))
		(void)problem_add(c, result, value->at, "W0406",
				  "use = , or contains, startswith, endswith",
				  "'%.*s' is a regex without metacharacters", STR_ARG(value->text));
	if (r < 0)
		c->arena->failed = true;
	ret->regex = regex;
	return r == 0;
}

static bool convert_bytes(struct compilation *c, const struct operand *left, enum op op,
			  const struct ast_value *value, struct check_result *result,
			  struct literal *ret)
{
	if (op == OP_BCONTAINS || op == OP_BSTARTSWITH)
		return parse_hex(c, value->text, &ret->value.str) ||
		       bad(c, value, result, "E0310", "an even number of hex digits", NULL);
	if (left->type != VALUE_BYTES && value->text.n &&
	    memchr(value->text.p, '\0', value->text.n))
		return bad(c, value, result, "E0310", "a string without \\x00", NULL);
	ret->value.str = value->text;
	return op == OP_REGEX ? convert_regex(c, value, result, ret) : true;
}

/* evt.type: a name that nobody knows is a mistake; another name of a call (pread, setuid32) becomes
 * the one that events have. */
static bool check_event_name(struct compilation *c, const struct ast_value *value,
			     struct check_result *result, struct literal *ret)
{
	int found = event_code_find(value->text);
	struct problem *problem;
	struct near_name near;

	if (found >= 0 && found < EVENT_CODE_NEVER)
		ret->value.str = str_from(event_code_name((unsigned)found));
	if (found >= 0)
		return true;
	problem = problem_add(c, result, value->at, "E0312", NULL, "unknown event type '%.*s'",
			      STR_ARG(value->text));
	if (!problem)
		return false;
	problem->is_unknown = true;
	near_name_init(&near, value->text);
	for (unsigned code = 0; code < EVENT_CODE__COUNT; code++)
		if (event_code_name(code))
			near_name_offer(&near, event_code_name(code));
	if (near.best)
		problem->hint = arena_printf(c->arena, "did you mean '%s'?", near.best);
	return false;
}

/* syscall.type: a misspelt name only never matches. */
static bool lint_syscall_name(struct compilation *c, const struct ast_value *value,
			      struct check_result *result)
{
	return event_code_find(value->text) >= 0 ||
	       problem_add(c, result, value->at, "W0413", NULL, "no syscall is named '%.*s'",
			   STR_ARG(value->text));
}

static bool is_syscall_name(const struct operand *operand)
{
	return operand->kind == OPERAND_FIELD && strcmp(operand->field->name, "syscall.type") == 0;
}

static bool is_equality(enum op op)
{
	return op == OP_EQ || op == OP_NE || op == OP_IN || op == OP_INTERSECTS;
}

static bool lint(struct compilation *c, const struct ast_value *value, struct check_result *result)
{
	const char *paren = value->text.n ? memchr(value->text.p, '(', value->text.n) : NULL;
	enum transform transform;
	struct problem *problem;

	if (memchr(value->text.p, '.', value->text.n) && field_find(value->text)) {
		problem = problem_add(c, result, value->at, "W0407", NULL,
				      "'%.*s' is compared as text, not as the field of that name",
				      STR_ARG(value->text));
		if (problem)
			problem->hint =
				arena_printf(c->arena, "to compare two fields write val(%.*s)",
					     STR_ARG(value->text));
		return problem;
	}
	if (paren &&
	    transform_find((struct str){ value->text.p, (uint32_t)(paren - value->text.p) },
			   &transform))
		return problem_add(c, result, value->at, "W0408", "write it without quotes",
				   "'%.*s' is compared as text, not as a transformer",
				   STR_ARG(value->text));
	return true;
}

/* By the class of the field; a flat switch. */
static bool convert(struct compilation *c, const struct operand *left, enum op op,
		    const struct ast_value *value, struct check_result *result, struct literal *ret)
{
	struct str text = value->text;

	switch (value_class_of(left->type)) {
	case CLASS_SIGNED:
	case CLASS_UNSIGNED:
		if (left->type == VALUE_PORT)
			return parse_port(text, &ret->value.u64) ||
			       bad(c, value, result, "E0310", "a port or the name of a service",
				   NULL);
		return parse_number(left, text, &ret->value.u64) ||
		       bad(c, value, result, "E0310", "a valid number",
			   "decimal digits without a unit; times are nanoseconds");
	case CLASS_BOOL:
		ret->value.is_true = str_eq_text(text, "true");
		return ret->value.is_true || str_eq_text(text, "false") ||
		       bad(c, value, result, "E0310", "true or false", NULL);
	case CLASS_BYTES:
		return convert_bytes(c, left, op, value, result, ret);
	case CLASS_IP:
		return ip_parse(text, &ret->value.ip) ||
		       bad(c, value, result, "E0310", "an IP address",
			   memchr(text.p, '/', text.n) ? "networks go with fd.net and its kind"
						       : NULL);
	case CLASS_NET:
		return cidr_parse(text, &ret->net) ||
		       bad(c, value, result, "E0310", "a network in CIDR notation",
			   "write the prefix length too: 10.0.0.0/8");
	}
	return false;
}

bool literal_convert(struct compilation *c, const struct operand *left, enum op op,
		     const struct ast_value *value, struct check_result *result,
		     struct literal *ret)
{
	*ret = (struct literal){ .value.type = left->type };
	if (value->text.n > LITERAL_LENGTH_MAX) {
		(void)problem_add(c, result, value->at, "E0311", NULL,
				  "constant has %u bytes, the most is %d", value->text.n,
				  LITERAL_LENGTH_MAX);
		return false;
	}
	if (!convert(c, left, op, value, result, ret))
		return false;
	if (left->is_type_name && is_equality(op) && !check_event_name(c, value, result, ret))
		return false;
	if (is_syscall_name(left) && is_equality(op) && !lint_syscall_name(c, value, result))
		return false;
	if (value_class_of(left->type) == CLASS_BYTES && !lint(c, value, result))
		return false;
	return true;
}
