/*
 * The sides of checks as operands: fields found in the registry, arguments parsed, transformers
 * type-checked; equal ones made once. Owns nothing. Part of check.c.
 */
#include <errno.h>

#include "compile.h"

/* Unknown fields beyond this get no "did you mean": the search reads the whole registry. */
#define NEAR_NAMES_MAX 200

#define IS_TEXT(type) ((type) == VALUE_STRING || (type) == VALUE_PATH)
#define NEEDS_MASK    (FIELD_NEEDS_ENV | FIELD_NEEDS_SWAP)

static int bind(struct compilation *c, const struct ast_operand *source, bool is_nested,
		struct check_result *result, const struct operand **ret);

/* The operand with the key that the caller has put together, made where it is new. */
static int keep(struct compilation *c, const struct operand *prototype, const struct operand **ret)
{
	struct operand *operand = compilation_find(c);
	int r;

	if (operand) {
		*ret = operand;
		return 0;
	}
	operand = arena_new(c->arena, struct operand);
	if (!operand)
		return -ENOMEM;
	*operand = *prototype;
	operand->slot = c->operands.cnt;
	if (!pointers_add(&c->operands, operand))
		return -ENOMEM;
	r = compilation_remember(c, operand);
	*ret = operand;
	return r;
}

/* ---- fields --------------------------------------------------------------------------------- */

static int unknown_field(struct compilation *c, const struct ast_operand *source,
			 struct check_result *result)
{
	struct near_name near;
	struct problem *problem = problem_add(c, result, source->at, "E0301", NULL,
					      "unknown field '%.*s'", STR_ARG(source->name));

	if (!problem)
		return -ENOMEM;
	problem->is_unknown = true;
	if (++c->near_name_cnt > NEAR_NAMES_MAX)
		return OPERAND_E_INVALID;
	near_name_init(&near, source->name);
	for (unsigned i = 0; field_at(i); i++)
		near_name_offer(&near, field_at(i)->name);
	if (near.best)
		problem->hint = arena_printf(c->arena, "did you mean '%s'?", near.best);
	return OPERAND_E_INVALID;
}

static int bad_argument(struct compilation *c, const struct ast_operand *source,
			const struct field *field, int error, struct check_result *result)
{
	static const struct {
		const char *code, *text;
	} errors[] = {
		[FIELD_ARG_E_MISSING] = { "E0305", "needs an argument" },
		[FIELD_ARG_E_FORBIDDEN] = { "E0306", "takes no such argument" },
		[FIELD_ARG_E_INDEX] = { "E0307", "takes a number as its argument" },
		[FIELD_ARG_E_PARAM] = { "E0308", "names an unknown event argument" },
	};
	struct problem *problem;

	if (error < 0)
		return error;
	problem = problem_add(c, result, source->has_argument ? source->argument_at : source->at,
			      errors[error].code, NULL, "'%.*s' %s", STR_ARG(source->name),
			      errors[error].text);
	if (problem && field->example && *field->example)
		problem->hint = arena_printf(c->arena, "for example: %s", field->example);
	return problem ? OPERAND_E_INVALID : -ENOMEM;
}

/* The parameter of the first event that has it; NULL where none does. */
static const struct param_schema *first_param(const struct field_argument *argument)
{
	for (unsigned type = 0; type < EVENT__COUNT; type++)
		if (argument->param_of_type[type] >= 0)
			return &event_schema_get((enum event_type)type)
					->params[argument->param_of_type[type]];
	return NULL;
}

/* A flat switch. */
static enum value_type param_value_type(enum param_type type)
{
	switch (type) {
	case PARAM_FD:
	case PARAM_PID:
	case PARAM_NSPID:
	case PARAM_ERROR:
	case PARAM_S64:
		return VALUE_S64;
	case PARAM_STRING:
	case PARAM_PATH:
	case PARAM_RELPATH:
	case PARAM_KPATH:
		return VALUE_STRING;
	case PARAM_VECTOR:
	case PARAM_BUFFER:
	case PARAM_TUPLE:
	case PARAM_ADDRESS:
		return VALUE_BYTES;
	case PARAM_U64:
	case PARAM_OCTAL:
	case PARAM_HEX:
	case PARAM_MODE:
	case PARAM_UID:
	case PARAM_GID:
	case PARAM_SIGNAL:
	case PARAM_FLAGS:
	case PARAM_ENUM:
	case PARAM_TIME_NS:
	case PARAM_RELTIME:
	case PARAM_TYPE__COUNT:
		break;
	}
	return VALUE_U64;
}

/* evt.rawarg has the type of the parameter. */
static void take_param_type(struct operand *operand)
{
	const struct param_schema *param = first_param(&operand->argument);

	operand->is_param = true;
	operand->type = param ? param_value_type(param->type) : VALUE_U64;
	if (param && (param->type == PARAM_UID || param->type == PARAM_GID))
		operand->flags |= FIELD_IS_U32;
}

static int keep_field(struct compilation *c, const struct field *field,
		      const struct field_argument *argument, const struct operand **ret)
{
	struct operand operand = {
		.kind = OPERAND_FIELD,
		.type = field->type,
		.is_list = field->flags & FIELD_IS_LIST,
		.flags = field->flags &
			 (FIELD_IS_READINGS | FIELD_IS_ANY | FIELD_ALL_DIFFER | FIELD_IS_U32),
		.needs = field->flags & NEEDS_MASK,
		.field = field,
		.argument = *argument,
	};

	operand.is_type_name = strcmp(field->name, "evt.type") == 0;
	if (strcmp(field->name, "evt.rawarg") == 0 && argument->param_of_type)
		take_param_type(&operand);
	buf_clear(&c->key);
	buf_printf(&c->key, "F%p %d %llu %.*s", (const void *)field, (int)argument->kind,
		   (unsigned long long)argument->index, STR_ARG(argument->key));
	return keep(c, &operand, ret);
}

/* The field of a name, and what stands behind its dot: "evt.arg.flags". */
static const struct field *find_field(struct str name, struct str *ret_dotted)
{
	const struct field *field = field_find(name);
	uint32_t length;

	*ret_dotted = STR_NONE;
	if (field)
		return field;
	field = field_find_prefix(name);
	if (!field || !(field->flags & FIELD_ARG_DOTTED))
		return NULL;
	length = (uint32_t)strlen(field->name);
	if (name.n <= length + 1 || name.p[length] != '.')
		return NULL;
	*ret_dotted = (struct str){ name.p + length + 1, name.n - length - 1 };
	return field;
}

static int bind_field(struct compilation *c, const struct ast_operand *source, bool is_nested,
		      struct check_result *result, const struct operand **ret)
{
	struct field_argument argument = { 0 };
	const struct field *field;
	const struct str *text;
	struct str dotted;
	int r;

	field = find_field(source->name, &dotted);
	if (!field)
		return unknown_field(c, source, result);
	text = dotted.p ? &dotted : source->has_argument ? &source->argument : NULL;
	r = field_argument_parse(c->arena, field, text, dotted.p != NULL, &argument);
	if (r != 0)
		return bad_argument(c, source, field, r, result);
	if (dotted.p && source->has_argument)
		return bad_argument(c, source, field, FIELD_ARG_E_FORBIDDEN, result);
	if ((field->flags & FIELD_DEPRECATED) &&
	    !problem_add(c, result, source->at, "W0405", NULL, "field '%s' is deprecated",
			 field->name))
		return -ENOMEM;
	if (is_nested && (field->flags & FIELD_NO_RIGHT_SIDE))
		return problem_add(c, result, source->at, "E0315", NULL,
				   "'%s' cannot stand in val() or under a transformer", field->name)
			       ? OPERAND_E_INVALID
			       : -ENOMEM;
	return keep_field(c, field, &argument, ret);
}

/* ---- constants and lists -------------------------------------------------------------------- */

static int bind_constant(struct compilation *c, const struct ast_operand *source,
			 const struct operand **ret)
{
	struct operand operand = { .kind = OPERAND_CONSTANT };
	struct value *value = arena_new(c->arena, struct value);

	if (!value)
		return -ENOMEM;
	operand.type = source->is_number ? VALUE_S64 : VALUE_STRING;
	*value = (struct value){ .type = operand.type, .str = source->name };
	operand.constant = (struct value_set){ FIELD_VALUE, 1, value };
	buf_clear(&c->key);
	buf_printf(&c->key, "C%d %.*s", source->is_number, STR_ARG(source->name));
	return keep(c, &operand, ret);
}

/* Binds all items; their number is checked by the caller. */
static int bind_items(struct compilation *c, const struct ast_operand *source,
		      struct check_result *result, struct operand *operand)
{
	const struct operand **items =
		arena_new_array(c->arena, const struct operand *, source->item_cnt);
	bool is_invalid = false;

	if (!items)
		return -ENOMEM;
	for (uint32_t i = 0; i < source->item_cnt; i++) {
		int r = bind(c, &source->items[i], true, result, &items[i]);

		if (r < 0)
			return r;
		is_invalid |= r != 0;
		if (r != 0)
			continue;
		operand->flags |= items[i]->flags;
		operand->needs |= items[i]->needs;
	}
	operand->items = items;
	operand->item_cnt = source->item_cnt;
	return is_invalid ? OPERAND_E_INVALID : 0;
}

static int misuse(struct compilation *c, const struct ast_operand *source,
		  struct check_result *result, const char *text)
{
	return problem_add(c, result, source->at, "E0316", NULL, "%.*s: %s", STR_ARG(source->name),
			   text)
		       ? OPERAND_E_INVALID
		       : -ENOMEM;
}

static void put_items_key(struct compilation *c, char kind, unsigned number,
			  const struct operand *operand)
{
	buf_clear(&c->key);
	buf_printf(&c->key, "%c%u", kind, number);
	for (uint32_t i = 0; i < operand->item_cnt; i++)
		buf_printf(&c->key, " %u", operand->items[i]->slot);
	if (operand->has_option)
		buf_printf(&c->key, " [%.*s]", STR_ARG(operand->option));
}

/* The order of evaluation: what the items need, then the item, one after the other. */
static bool set_order(struct compilation *c, struct operand *operand)
{
	const struct operand **order;
	uint32_t cnt = 0, n = 0;

	for (uint32_t i = 0; i < operand->item_cnt; i++)
		cnt += operand->items[i]->order_cnt + 1;
	order = arena_new_array(c->arena, const struct operand *, cnt);
	if (!order)
		return false;
	for (uint32_t i = 0; i < operand->item_cnt; i++) {
		const struct operand *item = operand->items[i];

		for (uint32_t j = 0; j < item->order_cnt; j++)
			order[n++] = item->order[j];
		order[n++] = item;
	}
	operand->order = order;
	operand->order_cnt = cnt;
	return true;
}

static int bind_list(struct compilation *c, const struct ast_operand *source,
		     struct check_result *result, const struct operand **ret)
{
	struct operand operand = { .kind = OPERAND_LIST, .type = VALUE_STRING, .is_list = true };
	int r;

	if (source->item_cnt > OPERAND_ITEMS_MAX)
		return misuse(c, source, result, "list has too many items");
	r = bind_items(c, source, result, &operand);
	if (r != 0)
		return r;
	for (uint32_t i = 0; i < operand.item_cnt; i++)
		if (!IS_TEXT(operand.items[i]->type) || operand.items[i]->is_list)
			return misuse(c, source, result, "list items must be strings");
	put_items_key(c, 'L', 0, &operand);
	if (!set_order(c, &operand))
		return -ENOMEM;
	return keep(c, &operand, ret);
}

/* ---- transformers --------------------------------------------------------------------------- */

/* What is wrong with the arguments, or NULL. */
static const char *check_signature(enum transform transform, const struct operand *operand)
{
	const struct operand *first = operand->items[0];
	bool is_text = IS_TEXT(first->type) && !first->is_list;

	switch (transform) {
	case TRANSFORM_TOLOWER:
	case TRANSFORM_TOUPPER:
	case TRANSFORM_BASENAME:
		return operand->item_cnt == 1 && is_text ? NULL : "takes one string";
	case TRANSFORM_B64:
		return operand->item_cnt == 1 && !first->is_list &&
				       (is_text || first->type == VALUE_BYTES)
			       ? NULL
			       : "takes one string or buffer";
	case TRANSFORM_LEN:
		return operand->item_cnt == 1 &&
				       (is_text || first->is_list || first->type == VALUE_BYTES)
			       ? NULL
			       : "takes one string, buffer or list";
	case TRANSFORM_CONCAT:
		for (uint32_t i = 0; i < operand->item_cnt; i++)
			if (!IS_TEXT(operand->items[i]->type) || operand->items[i]->is_list)
				return "takes strings";
		return operand->item_cnt >= 2 ? NULL : "takes at least two strings";
	case TRANSFORM_JOIN:
		return operand->item_cnt == 2 && is_text && operand->items[1]->is_list
			       ? NULL
			       : "takes a separator and a list";
	case TRANSFORM_GETOPT:
		return operand->item_cnt == 2 && first->is_list &&
				       IS_TEXT(operand->items[1]->type) &&
				       !operand->items[1]->is_list
			       ? NULL
			       : "takes a list and an option string";
	case TRANSFORM__COUNT:
		break;
	}
	return "unknown transformer";
}

static int bind_transform(struct compilation *c, const struct ast_operand *source,
			  struct check_result *result, const struct operand **ret)
{
	struct operand operand = { .kind = OPERAND_TRANSFORM, .type = VALUE_STRING };
	const char *wrong;
	int r;

	if (!transform_find(source->name, &operand.transform))
		return misuse(c, source, result, "unknown transformer");
	if (source->item_cnt == 0 || source->item_cnt > OPERAND_ITEMS_MAX)
		return misuse(c, source, result, "wrong number of arguments");
	r = bind_items(c, source, result, &operand);
	if (r != 0)
		return r;
	wrong = check_signature(operand.transform, &operand);
	if (wrong)
		return misuse(c, source, result, wrong);
	if (source->has_argument && operand.transform != TRANSFORM_GETOPT)
		return misuse(c, source, result, "takes no argument in brackets");
	operand.has_option = source->has_argument;
	operand.option = source->argument;
	operand.is_list = operand.transform == TRANSFORM_GETOPT && !operand.has_option;
	if (operand.transform == TRANSFORM_LEN)
		operand.type = VALUE_U64;
	put_items_key(c, 'T', operand.transform, &operand);
	if (!set_order(c, &operand))
		return -ENOMEM;
	return keep(c, &operand, ret);
}

/* As deep as the parser lets transformers nest. */
static int bind(struct compilation *c, const struct ast_operand *source, bool is_nested,
		struct check_result *result, const struct operand **ret)
{
	switch (source->kind) {
	case AST_FIELD:
		return bind_field(c, source, is_nested, result, ret);
	case AST_TRANSFORM:
		return bind_transform(c, source, result, ret);
	case AST_CONSTANT:
		return bind_constant(c, source, ret);
	case AST_LIST:
		return bind_list(c, source, result, ret);
	}
	return OPERAND_E_INVALID;
}

int operand_bind(struct compilation *c, const struct ast_operand *source, bool is_right,
		 struct check_result *result, const struct operand **ret)
{
	return bind(c, source, is_right, result, ret);
}
