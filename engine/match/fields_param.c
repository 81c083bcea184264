/*
 * Parameters of the event as fields: evt.arg, evt.rawarg, evt.args. What needs the process table or
 * the names of users is written here, the rest by the event stage. Engine thread.
 */
#include "fields_evt.h"
#include "fields_meta.h"

/* Room for a parameter as text: names of flags are the longest that is not in the record. */
#define PARAM_TEXT_MAX(event) ((size_t)(event)->header->length * 2 + 2048)
/* Of all parameters together, with their names. */
#define PARAMS_TEXT_MAX(event) ((size_t)(event)->header->length * 4 + 8192)

/* The number of the parameter that the argument names, -1 where this event has none such. */
static int find_param(const struct event *event, const struct field_argument *argument)
{
	if (!argument)
		return -1;
	if (argument->kind == FIELD_ARG_INDEX)
		return argument->index < event->schema->param_cnt ? (int)argument->index : -1;
	if (argument->kind == FIELD_ARG_KEY && argument->param_of_type)
		return argument->param_of_type[event->schema->type];
	return -1;
}

/* ---- evt.arg -------------------------------------------------------------------------------- */

/* The tables of this stage, as the event stage asks for names. */
static struct str find_id_name(enum param_type type, uint32_t id, const void *data)
{
	const struct field_context *context = data;
	const struct proc *proc;
	const char *name = NULL;
	struct users *users;

	if (type == PARAM_PID) {
		proc = context->procs ? proc_table_find_pid(context->procs, id) : NULL;
		return proc && proc->comm[0] ? str_from(proc->comm) : STR_NONE;
	}
	/* Not worth a wait: the number is there, too. */
	(void)meta_users(context, &users);
	if (users)
		name = type == PARAM_UID ? users_name(users, id) : users_group_name(users, id);
	if (!name && id == 0 && type == PARAM_UID)
		name = "root";
	return name ? str_from(name) : STR_NONE;
}

static bool is_id(enum param_type type)
{
	return type == PARAM_PID || type == PARAM_NSPID || type == PARAM_UID || type == PARAM_GID;
}

static bool format_param(const struct field_context *context, unsigned number, struct buf *out)
{
	const struct event_names names = { find_id_name, context };
	struct event named;

	if (!is_id(context->event->schema->params[number].type))
		return event_param_format(context->event, number, out);
	named = *context->event;
	named.names = &names;
	return event_param_format(&named, number, out);
}

static bool is_path(enum param_type type)
{
	return type == PARAM_PATH || type == PARAM_RELPATH;
}

/* The text as passed comes first and is what outputs print: fd.name prints the resolved one. */
static void give_path_param(const struct field_context *context, unsigned number, struct str text,
			    struct value_set *ret)
{
	const struct event *event = context->event;
	const struct path_role *role = path_role_of(event, number);
	struct readings readings = { 0 }, file;

	readings_add(&readings, VALUE_STRING, text);
	if (role) {
		path_readings(event, role, VALUE_STRING, &file);
		for (uint32_t i = 0; i < file.cnt; i++)
			readings_add(&readings, VALUE_STRING, file.values[i].str);
	}
	give_values(context, readings.values, readings.cnt, ret);
}

void evt_get_arg(const struct field_context *context, const struct field_argument *argument,
		 struct value_set *ret)
{
	const struct event *event = context->event;
	int number = find_param(event, argument);
	struct buf text;

	if (number < 0)
		return;
	text = scratch_buf(context, PARAM_TEXT_MAX(event));
	if (!format_param(context, (unsigned)number, &text))
		return;
	if (is_path(event->schema->params[number].type) && !text.failed)
		give_path_param(context, (unsigned)number, buf_str(&text), ret);
	else
		give_buf(context, &text, ret);
}

void evt_get_args(const struct field_context *context, const struct field_argument *argument,
		  struct value_set *ret)
{
	const struct event_names names = { find_id_name, context };
	struct buf text = scratch_buf(context, PARAMS_TEXT_MAX(context->event));
	struct event named = *context->event;

	named.names = &names;
	event_args_format(&named, &text);
	give_buf(context, &text, ret);
}

/* ---- evt.rawarg ----------------------------------------------------------------------------- */

static void give_number_param(const struct field_context *context, unsigned number,
			      struct value_set *ret)
{
	enum param_type type = context->event->schema->params[number].type;
	uint64_t value;

	if (!event_portable_number(context->event, number, &value))
		return;
	/* A call's "no id" is -1 in a register of any width. */
	if (type == PARAM_UID || type == PARAM_GID)
		value = (uint32_t)value;
	give_u64(context, VALUE_U64, value, ret);
}

/* A flat switch: the type of the value follows the parameter's, as the compiler expects it. */
void evt_get_rawarg(const struct field_context *context, const struct field_argument *argument,
		    struct value_set *ret)
{
	const struct event *event = context->event;
	int number = find_param(event, argument);
	uint64_t value;

	if (number < 0)
		return;
	switch (event->schema->params[number].type) {
	case PARAM_FD:
	case PARAM_PID:
	case PARAM_NSPID:
	case PARAM_ERROR:
	case PARAM_S64:
		if (event_number(event, (unsigned)number, &value))
			give_s64(context, (int64_t)value, ret);
		return;
	case PARAM_STRING:
	case PARAM_PATH:
	case PARAM_RELPATH:
		give_str(context, event_string(event, (unsigned)number), ret);
		return;
	case PARAM_KPATH:
		give_str(context, event_kpath(event, (unsigned)number, -1, false), ret);
		return;
	case PARAM_VECTOR:
	case PARAM_BUFFER:
	case PARAM_TUPLE:
	case PARAM_ADDRESS:
		if (event->params[number].p)
			give_value(
				context,
				(struct value){ .type = VALUE_BYTES, .str = event->params[number] },
				ret);
		return;
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
		give_number_param(context, (unsigned)number, ret);
		return;
	case PARAM_TYPE__COUNT:
		return;
	}
}
