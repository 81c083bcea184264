/*
 * Which parameter of an event plays which part, by the names that events.def lists at its top. Owns
 * one table, made before main() and constant from then on; any thread.
 */
#include "event_private.h"

#include <stdio.h>

static struct event_roles roles_of_type[EVENT__COUNT];

const struct event_roles *event_roles_of(const struct event_schema *schema)
{
	return &roles_of_type[schema->type];
}

static bool is_path_text(enum param_type type)
{
	return type == PARAM_PATH || type == PARAM_RELPATH;
}

/* The parameter of that name and type, or -1. */
static int8_t find(const struct event_schema *schema, const char *name, enum param_type type)
{
	int param = schema_param_find(schema, name);

	return param >= 0 && schema->params[param].type == type ? (int8_t)param : -1;
}

static int8_t find_any(const struct event_schema *schema, const char *name)
{
	return (int8_t)schema_param_find(schema, name);
}

/* The KPATH with a name of three parts, of which the first has n bytes; -1: none. */
static int8_t find_kpath(const struct event_schema *schema, const char *first, size_t n,
			 const char *second, const char *third)
{
	char name[32];
	int length = snprintf(name, sizeof(name), "%.*s%s%s", (int)n, first, second, third);

	return length < (int)sizeof(name) ? find(schema, name, PARAM_KPATH) : -1;
}

/* What a descriptor is of: `fd` in its name becomes `path`, so dirfd has dirpath and fd_in has
 * path_in; olddir has olddirpath. */
static int8_t descriptor_object(const struct event_schema *schema, const char *name)
{
	const char *fd = strstr(name, "fd");

	if (!fd)
		return find_kpath(schema, name, strlen(name), "path", "");
	return find_kpath(schema, name, (size_t)(fd - name), "path", fd + 2);
}

/* X of the string Xpath; a string of another name has none. */
static size_t stem_length(const char *name)
{
	size_t n = strlen(name);

	return n >= 4 && strcmp(name + n - 4, "path") == 0 ? n - 4 : 0;
}

/* The directory that a relative string starts from: oldpath has olddirpath, others dirpath; exec
 * has its own working directory instead. */
static int8_t string_directory(const struct event_schema *schema, const char *name)
{
	int8_t param = find_kpath(schema, name, stem_length(name), "dirpath", "");

	if (param < 0)
		param = find(schema, "dirpath", PARAM_KPATH);
	if (param < 0)
		param = find(schema, "cwd", PARAM_KPATH);
	return param;
}

static int8_t beside(const struct event_schema *schema, unsigned param)
{
	const struct param_schema *own = &schema->params[param];

	if (is_path_text(own->type))
		return string_directory(schema, own->name);
	if (own->type == PARAM_FD)
		return descriptor_object(schema, own->name);
	return -1;
}

/* ---- paths that a call names ---------------------------------------------------------------- */

static struct path_role path_role(const struct event_schema *schema, int8_t text)
{
	struct path_role role = { text, -1, -1 };
	const char *name;

	if (text < 0)
		return role;
	name = schema->params[text].name;
	role.directory = string_directory(schema, name);
	role.object = find_kpath(schema, name, stem_length(name), "object", "");
	return role;
}

static int8_t find_path_text(const struct event_schema *schema, const char *const *names)
{
	for (; *names; names++) {
		int param = schema_param_find(schema, *names);

		if (param >= 0 && is_path_text(schema->params[param].type))
			return (int8_t)param;
	}
	return -1;
}

/* rule-language.md 4.4: a link's source is the new name. */
static void find_pair(const struct event_schema *schema, struct event_roles *roles)
{
	int8_t from = find_any(schema, "oldpath"), to = find_any(schema, "newpath");
	bool is_link = strncmp(schema->name, "link", 4) == 0;

	if (from < 0 || to < 0 || !is_path_text(schema->params[from].type)) {
		from = find_any(schema, "linkpath");
		to = find(schema, "target", PARAM_STRING);
	}
	if (from < 0 || to < 0) {
		from = find(schema, "dev", PARAM_STRING);
		to = find_any(schema, "dir");
	}
	if (from < 0 || to < 0)
		from = to = -1;
	roles->source = path_role(schema, is_link ? to : from);
	roles->target = path_role(schema, is_link ? from : to);
}

static void find_paths(const struct event_schema *schema, struct event_roles *roles)
{
	static const char *const names[] = { "name", "path", "filename", "pathname", NULL };

	find_pair(schema, roles);
	roles->name =
		path_role(schema, roles->source.text < 0 ? find_path_text(schema, names) : -1);
	/* What a call opened is both the descriptor's file and the one that it named. */
	if (roles->name.text >= 0 && roles->name.object < 0 && schema->flags & EVENT_CREATES_FD)
		roles->name.object = roles->path;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static int8_t find_descriptor(const struct event_schema *schema)
{
	int8_t param = find(schema, "fd", PARAM_FD);

	/* dup, eventfd, timerfd_create, … */
	return param < 0 && schema->flags & EVENT_CREATES_FD ? find_any(schema, "res") : param;
}

static void fill(const struct event_schema *schema, struct event_roles *roles)
{
	*roles = (struct event_roles){
		.fd = find_descriptor(schema),
		.dirfd = find(schema, "dirfd", PARAM_FD),
		.flags = find(schema, "flags", PARAM_FLAGS),
		.mode = find_any(schema, "mode"),
		.path = find(schema, "path", PARAM_KPATH),
		.dev = find_any(schema, "dev"),
		.ino = find_any(schema, "ino"),
		.file_mode = find_any(schema, "file_mode"),
		.file_bits = find_any(schema, "file_bits"),
		.tuple = find(schema, "tuple", PARAM_TUPLE),
		.address = find(schema, "addr", PARAM_ADDRESS),
		.socket_type = find_any(schema, "socket_type"),
		.data = find(schema, "data", PARAM_BUFFER),
		.size = find_any(schema, "size"),
	};
	if (roles->file_bits < 0)
		roles->file_bits = find_any(schema, "creat_flags");
	find_paths(schema, roles);
	for (unsigned i = 0; i < WIRE_PARAM_MAX; i++)
		roles->beside[i] = i < schema->param_cnt ? beside(schema, i) : -1;
	if (roles->fd >= 0 && roles->beside[roles->fd] < 0)
		roles->beside[roles->fd] = roles->path;
}

__attribute__((constructor)) static void fill_all(void)
{
	for (unsigned type = 0; type < EVENT__COUNT; type++)
		fill(event_schema_get((enum event_type)type), &roles_of_type[type]);
}
