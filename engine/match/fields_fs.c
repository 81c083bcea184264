/*
 * Paths that a call names, fs.path.*: only on success, whether or not there is a descriptor. Owns
 * nothing. Engine thread.
 */
#include "fields.h"

/* Falco's rule: a call that failed did nothing to a path. */
static void give_path(const struct field_context *context, const struct path_role *role,
		      struct value_set *ret)
{
	struct readings readings;

	if (context->event->header->result < 0)
		return;
	path_readings(context->event, role, VALUE_PATH, &readings);
	give_values(context, readings.values, readings.cnt, ret);
}

static void give_raw(const struct field_context *context, const struct path_role *role,
		     struct value_set *ret)
{
	const struct event *event = context->event;

	if (role->text >= 0 && event->header->result >= 0)
		give_str(context, event_string(event, (unsigned)role->text), ret);
}

#define FS_GETTER(name)                                       \
	static void name(const struct field_context *context, \
			 const struct field_argument *argument, struct value_set *ret)

FS_GETTER(get_name)
{
	if (schema_has_path(context->event->schema))
		give_path(context, &roles_of(context->event)->name, ret);
}

FS_GETTER(get_nameraw)
{
	if (schema_has_path(context->event->schema))
		give_raw(context, &roles_of(context->event)->name, ret);
}

FS_GETTER(get_source)
{
	give_path(context, &roles_of(context->event)->source, ret);
}

FS_GETTER(get_sourceraw)
{
	give_raw(context, &roles_of(context->event)->source, ret);
}

FS_GETTER(get_target)
{
	give_path(context, &roles_of(context->event)->target, ret);
}

FS_GETTER(get_targetraw)
{
	give_raw(context, &roles_of(context->event)->target, ret);
}

#define NO_NAME "On a failed call, and on every other event."

/* clang-format off */
static const struct field fields[] = {
	FIELD_ROW("fs.path.name", PATH, FIELD_IS_READINGS, schema_has_path, get_name,
		"Absolute path of what the call was about, where it names one path. Readings: of the kernel's object, and as passed.", NO_NAME, "fs.path.name startswith /etc/"),
	FIELD_ROW("fs.path.nameraw", STRING, 0, schema_has_path, get_nameraw,
		"The path as the program passed it.", NO_NAME, "fs.path.nameraw contains ../"),
	FIELD_ROW("fs.path.source", PATH, FIELD_IS_READINGS, schema_has_two_paths, get_source,
		"First path of a call that names two: the old name of a rename, the new one of a link, the symbolic link, the device of a mount.", NO_NAME, "fs.path.source startswith /etc/"),
	FIELD_ROW("fs.path.sourceraw", STRING, 0, schema_has_two_paths, get_sourceraw,
		"The same as the program passed it.", NO_NAME, "fs.path.sourceraw contains ../"),
	FIELD_ROW("fs.path.target", PATH, FIELD_IS_READINGS, schema_has_two_paths, get_target,
		"Second path of a call that names two: the new name of a rename, the old one of a link, what a symbolic link leads to, the directory of a mount.", NO_NAME, "fs.path.target startswith /etc/"),
	FIELD_ROW("fs.path.targetraw", STRING, 0, schema_has_two_paths, get_targetraw,
		"The same as the program passed it.", NO_NAME, "fs.path.targetraw contains ../"),
};
/* clang-format on */

const struct field_family fields_fs = { fields, ARRAY_LEN(fields) };
