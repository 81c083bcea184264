/*
 * Arguments of fields: proc.aname[2], proc.env[HOME], evt.arg.flags. Owns nothing; results live in
 * the caller's arena. Called when conditions and output templates are compiled.
 */
#include "haetae/field.h"

#include <errno.h>

/* More digits than any index needs; keeps the number inside 64 bits. */
#define INDEX_DIGITS_MAX 9

static bool parse_index(struct str text, uint64_t *ret)
{
	uint64_t number = 0;

	if (text.n == 0 || text.n > INDEX_DIGITS_MAX)
		return false;
	for (uint32_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(text.p[i] - '0');
	}
	*ret = number;
	return true;
}

/* Parameters of events that this version does not read (rule-language.md 3.2): rules that name them
 * load, and the value is absent. A name a line, so that lists merge. */
/* clang-format off */
static const char *const reserved_params[] = {
	"vpid",
	"vtid",
};
/* clang-format on */

static bool is_reserved(struct str name)
{
	for (unsigned i = 0; i < ARRAY_LEN(reserved_params); i++)
		if (str_eq_text(name, reserved_params[i]))
			return true;
	return false;
}

static bool is_param_field(const struct field *field)
{
	return strcmp(field->name, "evt.arg") == 0 || strcmp(field->name, "evt.rawarg") == 0;
}

/* The number of the parameter in each event type that has one of that name. */
static int resolve_param(struct arena *arena, struct str name, const int8_t **ret)
{
	int8_t *param_of_type = arena_alloc(arena, EVENT__COUNT);
	bool is_known = is_reserved(name);

	if (!param_of_type)
		return -ENOMEM;
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		const struct event_schema *schema = event_schema_get((enum event_type)type);

		param_of_type[type] = -1;
		if (schema->flags & EVENT_STATE)
			continue;
		for (uint32_t i = 0; i < schema->param_cnt; i++) {
			if (!str_eq_text(name, schema->params[i].name))
				continue;
			param_of_type[type] = (int8_t)i;
			is_known = true;
		}
	}
	if (!is_known)
		return FIELD_ARG_E_PARAM;
	*ret = param_of_type;
	return 0;
}

static int parse_dotted(struct arena *arena, const struct field *field, struct str text,
			struct field_argument *ret)
{
	if (!(field->flags & FIELD_ARG_DOTTED))
		return FIELD_ARG_E_FORBIDDEN;
	ret->kind = FIELD_ARG_KEY;
	ret->key = arena_str(arena, text);
	if (!ret->key.p)
		return -ENOMEM;
	return is_param_field(field) ? resolve_param(arena, text, &ret->param_of_type) : 0;
}

static int parse_bracket(struct arena *arena, const struct field *field, struct str text,
			 struct field_argument *ret)
{
	if ((field->flags & FIELD_ARG_ALLOWED_INDEX) && parse_index(text, &ret->index)) {
		ret->kind = FIELD_ARG_INDEX;
		return 0;
	}
	if (field->flags & FIELD_ARG_ALLOWED_KEY) {
		ret->kind = FIELD_ARG_KEY;
		ret->key = arena_str(arena, text);
		return ret->key.p ? 0 : -ENOMEM;
	}
	return field->flags & FIELD_ARG_ALLOWED_INDEX ? FIELD_ARG_E_INDEX : FIELD_ARG_E_FORBIDDEN;
}

int field_argument_parse(struct arena *arena, const struct field *field, const struct str *text,
			 bool is_dotted, struct field_argument *ret)
{
	struct field_argument argument = { .kind = FIELD_ARG_NONE };
	int r = 0;

	if (!text && (field->flags & FIELD_ARG_REQUIRED))
		return FIELD_ARG_E_MISSING;
	if (text && is_dotted)
		r = parse_dotted(arena, field, *text, &argument);
	else if (text)
		r = parse_bracket(arena, field, *text, &argument);
	if (r == 0)
		*ret = argument;
	return r;
}
