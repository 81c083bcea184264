/*
 * What the families of fields ask of an event and of its schema. Owns nothing; the engine thread
 * and compilation call it.
 */
#include "fields.h"

static bool type_is_open(enum event_type type)
{
	return type == EVENT_OPEN || type == EVENT_OPENAT || type == EVENT_OPENAT2 ||
	       type == EVENT_CREAT || type == EVENT_OPEN_BY_HANDLE_AT;
}

const struct event_roles *roles_of(const struct event *event)
{
	return event_roles_of(event->schema);
}

bool event_is_open(const struct event *event)
{
	return type_is_open(event->schema->type);
}

struct str event_comm(const struct event *event)
{
	const char *comm = event->header->comm;

	return (struct str){ comm, (uint32_t)strnlen(comm, WIRE_COMM_LEN) };
}

/* ---- readings ------------------------------------------------------------------------------- */

static void add_object(const struct event *event, int object, bool to_namespace_root,
		       enum value_type type, struct readings *ret)
{
	const struct event_roles *roles = roles_of(event);
	int ino = object == roles->path ? roles->ino : -1;

	if (object >= 0)
		readings_add(ret, type,
			     event_kpath(event, (unsigned)object, ino, to_namespace_root));
}

/* A path that is no parameter of a path's type: what a symbolic link leads to, from where the link
 * lies; the device of a mount, which may be any word. */
static struct str text_reading(const struct event *event, const struct path_role *role)
{
	const struct event_roles *roles = roles_of(event);
	struct str text = event_string(event, (unsigned)role->text), link, joined;

	if (text.n > 0 && text.p[0] == '/')
		return path_normalise(event->scratch, text);
	if (role != &roles->target || roles->source.text < 0)
		return text;
	link = event_passed_path(event, (unsigned)roles->source.text, roles->source.directory);
	if (!link.p || !text.p)
		return text;
	joined = arena_printf(event->scratch, "%.*s/../%.*s", STR_ARG(link), STR_ARG(text));
	return joined.p ? path_normalise(event->scratch, joined) : STR_NONE;
}

void path_readings(const struct event *event, const struct path_role *role, enum value_type type,
		   struct readings *ret)
{
	ret->cnt = 0;
	if (role->text < 0)
		return;
	add_object(event, role->object, false, type, ret);
	if (event->schema->params[role->text].type == PARAM_STRING)
		readings_add(ret, type, text_reading(event, role));
	else
		readings_add(ret, type,
			     event_passed_path(event, (unsigned)role->text, role->directory));
	add_object(event, role->object, true, type, ret);
}

void descriptor_readings(const struct event *event, enum value_type type, struct readings *ret)
{
	const struct event_roles *roles = roles_of(event);

	ret->cnt = 0;
	if (event->schema->flags & EVENT_CREATES_FD && roles->name.text >= 0) {
		path_readings(event, &roles->name, type, ret);
		return;
	}
	add_object(event, roles->path, false, type, ret);
	add_object(event, roles->path, true, type, ret);
}

const struct path_role *path_role_of(const struct event *event, unsigned param)
{
	const struct event_roles *roles = roles_of(event);
	const struct path_role *const all[] = { &roles->name, &roles->source, &roles->target };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i]->text == (int)param)
			return all[i];
	return NULL;
}

/* ---- predicates over the schema ------------------------------------------------------------- */

bool schema_has_result(const struct event_schema *schema)
{
	return schema->flags & EVENT_SYSCALL;
}

bool event_has_result(const struct event *event)
{
	return schema_has_result(event->schema) && !(event->header->flags & WIRE_NO_RESULT);
}

bool schema_is_open(const struct event_schema *schema)
{
	return type_is_open(schema->type);
}

bool schema_is_exec(const struct event_schema *schema)
{
	return schema->type == EVENT_EXECVE || schema->type == EVENT_EXECVEAT;
}

bool schema_has_file(const struct event_schema *schema)
{
	const struct event_roles *roles = event_roles_of(schema);

	return roles->fd >= 0 && roles->path >= 0;
}

bool schema_is_socket(const struct event_schema *schema)
{
	const struct event_roles *roles = event_roles_of(schema);

	return roles->fd >= 0 && roles->tuple >= 0;
}

bool schema_has_fd(const struct event_schema *schema)
{
	return schema_has_file(schema) || schema_is_socket(schema) ||
	       (event_roles_of(schema)->fd >= 0 && schema->flags & EVENT_CREATES_FD);
}

bool schema_has_path(const struct event_schema *schema)
{
	return event_roles_of(schema)->name.text >= 0 && !schema_is_exec(schema);
}

bool schema_has_two_paths(const struct event_schema *schema)
{
	return event_roles_of(schema)->source.text >= 0;
}

bool schema_has_file_path(const struct event_schema *schema)
{
	return schema_has_file(schema) || schema_is_exec(schema);
}
