/*
 * Paths that a call names, fs.path.*: only on success, whether or not there is a descriptor. Owns
 * nothing. Engine thread.
 */
#include "fields.h"

static bool has_path(const struct event *event)
{
	return file_params_of(event) && event->header->result >= 0;
}

static void get_name(const struct field_context *context, const struct field_argument *argument,
		     struct value_set *ret)
{
	struct readings readings;

	if (!has_path(context->event))
		return;
	file_readings(context->event, VALUE_PATH, &readings);
	give_values(context, readings.values, readings.cnt, ret);
}

static void get_nameraw(const struct field_context *context, const struct field_argument *argument,
			struct value_set *ret)
{
	const struct event *event = context->event;

	if (has_path(event))
		give_str(context, event_string(event, (unsigned)file_params_of(event)->name), ret);
}

#define NO_NAME	 "On a failed call, and on every other event."
#define NO_VALUE "Always, until its event exists."

/* clang-format off */
static const struct field fields[] = {
	FIELD_ROW("fs.path.name", PATH, FIELD_IS_READINGS, schema_has_path, get_name,
		"Absolute path of what was opened or removed. Readings: of the opened file, and as passed.", NO_NAME, "fs.path.name startswith /etc/"),
	FIELD_ROW("fs.path.nameraw", STRING, 0, schema_has_path, get_nameraw,
		"The path as the program passed it.", NO_NAME, "fs.path.nameraw contains ../"),
	FIELD_ROW_RESERVED("fs.path.source", PATH, FIELD_IS_READINGS,
		"Absolute path that a rename or link starts from.", NO_VALUE, "fs.path.source startswith /etc/"),
	FIELD_ROW_RESERVED("fs.path.sourceraw", STRING, 0,
		"The same as the program passed it.", NO_VALUE, "fs.path.sourceraw contains ../"),
	FIELD_ROW_RESERVED("fs.path.target", PATH, FIELD_IS_READINGS,
		"Absolute path that a rename or link leads to.", NO_VALUE, "fs.path.target startswith /etc/"),
	FIELD_ROW_RESERVED("fs.path.targetraw", STRING, 0,
		"The same as the program passed it.", NO_VALUE, "fs.path.targetraw contains ../"),
};
/* clang-format on */

const struct field_family fields_fs = { fields, ARRAY_LEN(fields) };
