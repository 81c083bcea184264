/*
 * Where the parameters that fields are made of stand in each event, and which events have them.
 * Constant tables; the engine thread and compilation read them.
 */
#include "fields.h"

#define NONE -1

/* A table: one row an event. */
/* clang-format off */
#define OPEN_ROW(ID, dirfd_param, flags_param, bits_param)                                      \
	[EVENT_##ID] = {                                                                        \
		.fd = PARAM_##ID##_fd, .dirfd = dirfd_param, .name = PARAM_##ID##_name,         \
		.flags = flags_param, .mode = PARAM_##ID##_mode, .dev = PARAM_##ID##_dev,       \
		.ino = PARAM_##ID##_ino, .bits = bits_param,                                    \
		.file_mode = PARAM_##ID##_file_mode, .path = PARAM_##ID##_path,                 \
		.dirpath = PARAM_##ID##_dirpath,                                                \
	}
#define NAME_ROW(ID, dirfd_param, name_param)                                                   \
	[EVENT_##ID] = {                                                                        \
		.fd = NONE, .dirfd = dirfd_param, .name = name_param, .flags = NONE,            \
		.mode = NONE, .dev = NONE, .ino = NONE, .bits = NONE, .file_mode = NONE,        \
		.path = NONE, .dirpath = PARAM_##ID##_dirpath,                                  \
	}
static const struct file_params params_of_type[EVENT__COUNT] = {
	OPEN_ROW(OPEN, NONE, PARAM_OPEN_flags, PARAM_OPEN_file_bits),
	OPEN_ROW(OPENAT, PARAM_OPENAT_dirfd, PARAM_OPENAT_flags, PARAM_OPENAT_file_bits),
	OPEN_ROW(OPENAT2, PARAM_OPENAT2_dirfd, PARAM_OPENAT2_flags, PARAM_OPENAT2_file_bits),
	OPEN_ROW(CREAT, NONE, NONE, PARAM_CREAT_creat_flags),
	NAME_ROW(UNLINK, NONE, PARAM_UNLINK_path),
	NAME_ROW(UNLINKAT, PARAM_UNLINKAT_dirfd, PARAM_UNLINKAT_name),
};
/* clang-format on */

static bool type_is_open(enum event_type type)
{
	return type == EVENT_OPEN || type == EVENT_OPENAT || type == EVENT_OPENAT2 ||
	       type == EVENT_CREAT;
}

/* A row that is not in the table is all zero, and no event has all of it in parameter 0. */
static bool type_has_row(enum event_type type)
{
	return params_of_type[type].fd != 0 || params_of_type[type].name != 0;
}

const struct file_params *file_params_of(const struct event *event)
{
	enum event_type type = event->schema->type;

	return type_has_row(type) ? &params_of_type[type] : NULL;
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

void file_readings(const struct event *event, enum value_type type, struct readings *ret)
{
	const struct file_params *params = file_params_of(event);

	ret->cnt = 0;
	if (!params)
		return;
	if (params->path >= 0)
		readings_add(ret, type,
			     event_kpath(event, (unsigned)params->path, params->ino, false));
	readings_add(ret, type, event_passed_path(event, (unsigned)params->name, params->dirpath));
	if (params->path >= 0)
		readings_add(ret, type,
			     event_kpath(event, (unsigned)params->path, params->ino, true));
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

bool schema_is_socket(const struct event_schema *schema)
{
	return schema->type == EVENT_CONNECT;
}

bool schema_has_fd(const struct event_schema *schema)
{
	return schema_is_open(schema) || schema_is_socket(schema);
}

bool schema_has_path(const struct event_schema *schema)
{
	return type_has_row(schema->type);
}

bool schema_has_file_path(const struct event_schema *schema)
{
	return schema_is_open(schema) || schema_is_exec(schema);
}
