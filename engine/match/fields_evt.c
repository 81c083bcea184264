/*
 * Fields of the event itself: evt.* and syscall.type. Owns nothing; getters run on the engine
 * thread, arguments are in fields_param.c, times in fields_time.c.
 */
#include "fields_evt.h"

#include <fcntl.h>
#include <sys/stat.h>

/* ---- type and result ------------------------------------------------------------------------ */

#define EVT_GETTER(name)                                      \
	static void name(const struct field_context *context, \
			 const struct field_argument *argument, struct value_set *ret)

EVT_GETTER(get_num)
{
	give_u64(context, VALUE_U64, context->event->number, ret);
}

EVT_GETTER(get_type)
{
	const char *name = event_code_name(context->event->code);

	if (name)
		give_text(context, name, ret);
	else /* a call that is younger than our table */
		give_str(context,
			 arena_printf(context->event->scratch, "syscall_%u",
				      (unsigned)context->event->header->syscall_nr),
			 ret);
}

EVT_GETTER(get_syscall_type)
{
	if (schema_has_result(context->event->schema))
		get_type(context, argument, ret);
}

EVT_GETTER(get_dir)
{
	give_text(context, "<", ret);
}

EVT_GETTER(get_res)
{
	int64_t result = context->event->header->result;
	const char *name;

	if (!event_has_result(context->event))
		return;
	name = result >= 0 ? "SUCCESS" : errno_name(result < -4095 ? 0 : (int)-result);
	if (name && result >= -4095) {
		give_text(context, name, ret);
		return;
	}
	give_str(context, arena_printf(context->event->scratch, "%lld", (long long)result), ret);
}

EVT_GETTER(get_rawres)
{
	if (event_has_result(context->event))
		give_s64(context, context->event->header->result, ret);
}

EVT_GETTER(get_failed)
{
	if (event_has_result(context->event))
		give_bool(context, context->event->header->result < 0, ret);
}

static void give_error_count(const struct field_context *context, bool is_of_class,
			     struct value_set *ret)
{
	const struct event *event = context->event;

	if (is_of_class && event_has_result(event) && event->header->result < 0)
		give_u64(context, VALUE_U64, 1, ret);
}

EVT_GETTER(get_count)
{
	give_u64(context, VALUE_U64, 1, ret);
}

EVT_GETTER(get_count_error)
{
	give_error_count(context, true, ret);
}

EVT_GETTER(get_count_error_file)
{
	give_error_count(context, context->event->schema->class == CLASS_FILE, ret);
}

EVT_GETTER(get_count_error_net)
{
	give_error_count(context, context->event->schema->class == CLASS_NETWORK, ret);
}

EVT_GETTER(get_count_error_other)
{
	enum event_class class = context->event->schema->class;

	give_error_count(context, class != CLASS_FILE && class != CLASS_NETWORK, ret);
}

/* ---- opening -------------------------------------------------------------------------------- */

/* False where the event has no flags of open(2), or they could not be read. */
static bool open_flags(const struct event *event, uint64_t *ret)
{
	const struct event_roles *roles = roles_of(event);

	return roles->flags >= 0 && event_is_open(event) &&
	       event_number(event, (unsigned)roles->flags, ret);
}

/* Flags that could not be read (openat2 with a bad pointer) are no answer. */
static bool flags_are_lost(const struct event *event)
{
	const struct event_roles *roles = roles_of(event);
	uint64_t flags;

	return roles->flags >= 0 && event_is_open(event) && !open_flags(event, &flags);
}

/* access: what else than O_RDWR asks for it. */
static void give_access(const struct field_context *context, uint64_t access, struct value_set *ret)
{
	uint64_t flags;
	bool has = open_flags(context->event, &flags) &&
		   ((flags & O_ACCMODE) == access || (flags & O_ACCMODE) == O_RDWR);

	if (!flags_are_lost(context->event))
		give_bool(context, has, ret);
}

EVT_GETTER(get_is_open_read)
{
	give_access(context, O_RDONLY, ret);
}

EVT_GETTER(get_is_open_write)
{
	give_access(context, O_WRONLY, ret);
}

static bool is_new_file(const struct event *event)
{
	uint64_t flags;

	if (event->schema->type == EVENT_CREAT)
		return true;
	return open_flags(event, &flags) && ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE);
}

EVT_GETTER(get_is_open_exec)
{
	const struct event *event = context->event;
	const struct event_roles *roles = roles_of(event);
	uint64_t mode = 0;

	if (flags_are_lost(event))
		return;
	if (!event_is_open(event) || roles->mode < 0 || !is_new_file(event)) {
		give_bool(context, false, ret);
		return;
	}
	if (event_number(event, (unsigned)roles->mode, &mode))
		give_bool(context, mode & (S_IXUSR | S_IXGRP | S_IXOTH), ret);
}

EVT_GETTER(get_is_open_create)
{
	const struct event *event = context->event;
	const struct event_roles *roles = roles_of(event);
	uint64_t bits = 0, flags = 0;

	if (!event_is_open(event) || event->header->result < 0) {
		give_bool(context, false, ret);
		return;
	}
	if (open_flags(event, &flags) && (flags & O_TMPFILE) == O_TMPFILE)
		give_bool(context, true, ret);
	else if (event_number(event, (unsigned)roles->file_bits, &bits))
		give_bool(context, bits & WIRE_FILE_CREATED, ret);
}

/* ---- where and how -------------------------------------------------------------------------- */

EVT_GETTER(get_cpu)
{
	if (context->event->header->ring != WIRE_RING_OWN)
		give_u64(context, VALUE_U64, context->event->header->cpu, ret);
}

EVT_GETTER(get_source)
{
	give_text(context, context->source, ret);
}

EVT_GETTER(get_hostname)
{
	give_text(context, context->hostname, ret);
}

EVT_GETTER(get_false)
{
	give_bool(context, false, ret);
}

EVT_GETTER(get_zero)
{
	give_u64(context, VALUE_RELTIME, 0, ret);
}

EVT_GETTER(get_zero_text)
{
	give_text(context, "0ns", ret);
}

/* Those that give a socket its peer, or are given it. */
static bool schema_has_peer(const struct event_schema *schema)
{
	switch ((int)schema->type) {
	case EVENT_CONNECT:
	case EVENT_ACCEPT:
	case EVENT_ACCEPT4:
	case EVENT_SENDTO:
	case EVENT_SENDMSG:
	case EVENT_SENDMMSG:
		return true;
	default:
		return false;
	}
}

EVT_GETTER(get_peer_mismatch)
{
	const struct event *event = context->event;

	if (schema_has_peer(event->schema))
		give_bool(context, event->header->flags & WIRE_PEER_MISMATCH, ret);
}

EVT_GETTER(get_path_swapped)
{
	if (event_has_result(context->event))
		give_bool(context, context->event->header->flags & WIRE_PATH_SWAPPED, ret);
}

EVT_GETTER(get_via)
{
	const struct event *event = context->event;

	if (schema_has_result(event->schema))
		give_text(context, event->header->flags & WIRE_IO_URING ? "io_uring" : "syscall",
			  ret);
}

static void give_abspath(const struct field_context *context, const struct path_role *role,
			 struct value_set *ret)
{
	struct readings readings;

	path_readings(context->event, role, VALUE_PATH, &readings);
	give_values(context, readings.values, readings.cnt, ret);
}

static bool is_at(const struct event_schema *schema, const struct path_role *role)
{
	return role->text >= 0 && schema->params[role->text].type == PARAM_RELPATH;
}

static bool schema_is_at(const struct event_schema *schema)
{
	return is_at(schema, &event_roles_of(schema)->name);
}

static bool schema_is_at_twice(const struct event_schema *schema)
{
	return is_at(schema, &event_roles_of(schema)->source);
}

EVT_GETTER(get_abspath)
{
	if (schema_is_at(context->event->schema))
		give_abspath(context, &roles_of(context->event)->name, ret);
}

EVT_GETTER(get_abspath_src)
{
	if (schema_is_at_twice(context->event->schema))
		give_abspath(context, &roles_of(context->event)->source, ret);
}

EVT_GETTER(get_abspath_dst)
{
	if (schema_is_at_twice(context->event->schema))
		give_abspath(context, &roles_of(context->event)->target, ret);
}

/* ---- the table ------------------------------------------------------------------------------ */

#define KEYED	  FIELD_ARG_ALLOWED_KEY
#define NO_VALUE  "Always, until its event exists."
#define NO_RESULT "On events that are no syscalls."
#define NO_DATA	  "On every other call, and where it failed."
#define NEVER	  "Never."

/* clang-format off */
static const struct field fields[] = {
	FIELD_ROW("evt.abspath", PATH, FIELD_IS_READINGS, schema_is_at, get_abspath,
		"Absolute path of a call that takes a directory's descriptor; fs.path.name covers more calls.",
		"On every other call.", "evt.abspath startswith /etc/"),
	FIELD_ROW("evt.abspath.dst", PATH, FIELD_IS_READINGS, schema_is_at_twice, get_abspath_dst,
		"The same as fs.path.target on renameat, renameat2, linkat and symlinkat, on failed calls too.", "On every other call.", "evt.abspath.dst startswith /etc/"),
	FIELD_ROW("evt.abspath.src", PATH, FIELD_IS_READINGS, schema_is_at_twice, get_abspath_src,
		"The same as fs.path.source on renameat, renameat2, linkat and symlinkat, on failed calls too.", "On every other call.", "evt.abspath.src startswith /etc/"),
	FIELD_ROW("evt.arg", STRING, FIELD_ARG_DOTTED | FIELD_ARG_ALLOWED_INDEX | FIELD_ARG_REQUIRED | FIELD_IS_READINGS,
		NULL, evt_get_arg,
		"A parameter of the event as text, by its name or its number from 0: flags as names, ids as names of users, paths joined with their directory. A path has readings: as passed, normalised, and the file that was opened.",
		"On events that have no such parameter.", "evt.arg.flags contains O_TRUNC"),
	FIELD_ROW("evt.args", STRING, 0, NULL, evt_get_args,
		"All parameters as name=value with blanks between.", NEVER, "evt.args contains O_TMPFILE"),
	FIELD_ROW_RESERVED("evt.around", U64, KEYED | FIELD_NO_RIGHT_SIDE,
		"Whether the event is near a moment: evt.around[TIME]=MILLISECONDS. Meant for reading captures.",
		NO_VALUE, "evt.around[1700000000000000000] = 500"),
	FIELD_ROW_RESERVED("evt.asynctype", STRING, 0,
		"Name of an asynchronous event.", NO_VALUE, "evt.asynctype = container"),
	FIELD_ROW("evt.buffer", BYTES, 0, schema_has_result, evt_get_buffer, "The data that an I/O call moved, its first 80 bytes.", NO_DATA, "evt.buffer contains PRIVATE"),
	FIELD_ROW("evt.buflen", U64, 0, schema_has_result, evt_get_buflen, "How many bytes an I/O call moved.", NO_DATA, "evt.buflen > 4096"),
	FIELD_ROW("evt.buflen.file", U64, 0, schema_has_result, evt_get_buflen_file, "The same, on files only.", NO_DATA, "evt.buflen.file > 4096"),
	FIELD_ROW("evt.buflen.file.in", U64, 0, schema_has_result, evt_get_buflen_file_in, "The same, reads of files only.", NO_DATA, "evt.buflen.file.in > 4096"),
	FIELD_ROW("evt.buflen.file.out", U64, 0, schema_has_result, evt_get_buflen_file_out, "The same, writes to files only.", NO_DATA, "evt.buflen.file.out > 4096"),
	FIELD_ROW("evt.buflen.in", U64, 0, schema_has_result, evt_get_buflen_in, "The same, reads only.", NO_DATA, "evt.buflen.in > 4096"),
	FIELD_ROW("evt.buflen.net", U64, 0, schema_has_result, evt_get_buflen_net, "The same, on internet sockets only.", NO_DATA, "evt.buflen.net > 4096"),
	FIELD_ROW("evt.buflen.net.in", U64, 0, schema_has_result, evt_get_buflen_net_in, "The same, reads of internet sockets only.", NO_DATA, "evt.buflen.net.in > 4096"),
	FIELD_ROW("evt.buflen.net.out", U64, 0, schema_has_result, evt_get_buflen_net_out, "The same, writes to internet sockets only.", NO_DATA, "evt.buflen.net.out > 4096"),
	FIELD_ROW("evt.buflen.out", U64, 0, schema_has_result, evt_get_buflen_out, "The same, writes only.", NO_DATA, "evt.buflen.out > 4096"),
	FIELD_ROW("evt.category", STRING, 0, NULL, evt_get_category,
		"Kind of event: process, file, net, user, system, io-read, io-write, wait or other.",
		NEVER, "evt.category = file"),
	FIELD_ROW("evt.count", U64, 0, NULL, get_count, "1, for sums.", NEVER, "evt.count = 1"),
	FIELD_ROW("evt.count.error", U64, 0, schema_has_result, get_count_error,
		"1 on a call that failed.", "On success, and on events that are no syscalls.", "evt.count.error = 1"),
	FIELD_ROW("evt.count.error.file", U64, 0, schema_has_result, get_count_error_file,
		"1 on a call about files that failed.", "On every other event.", "evt.count.error.file = 1"),
	FIELD_ROW_RESERVED("evt.count.error.memory", U64, 0,
		"1 on a call about memory that failed.", NO_VALUE, "evt.count.error.memory = 1"),
	FIELD_ROW("evt.count.error.net", U64, 0, schema_has_result, get_count_error_net,
		"1 on a call about sockets that failed.", "On every other event.", "evt.count.error.net = 1"),
	FIELD_ROW("evt.count.error.other", U64, 0, schema_has_result, get_count_error_other,
		"1 on a call about neither files nor sockets that failed.", "On every other event.", "evt.count.error.other = 1"),
	FIELD_ROW("evt.count.exit", U64, 0, NULL, get_count,
		"1: every event is raised at the end of what happened.", NEVER, "evt.count.exit = 1"),
	FIELD_ROW_RESERVED("evt.count.procinfo", U64, 0,
		"1 on events that only describe a process.", NO_VALUE, "evt.count.procinfo = 1"),
	FIELD_ROW_RESERVED("evt.count.threadinfo", U64, 0,
		"1 on events that only describe a thread.", NO_VALUE, "evt.count.threadinfo = 1"),
	FIELD_ROW("evt.cpu", U64, 0, NULL, get_cpu, "Number of the processor.",
		  "Of events of haetae's own.", "evt.cpu = 0"),
	FIELD_ROW("evt.datetime", STRING, 0, NULL, evt_get_datetime,
		"Local date and time with nanoseconds.", NEVER, "evt.datetime startswith 2026-"),
	FIELD_ROW("evt.datetime.s", STRING, 0, NULL, evt_get_datetime_s,
		"Local date and time in whole seconds.", NEVER, "evt.datetime.s startswith 2026-"),
	FIELD_ROW_RESERVED("evt.deltatime", RELTIME, 0,
		"Time since the event before.", NO_VALUE, "evt.deltatime > 1000000000"),
	FIELD_ROW_RESERVED("evt.deltatime.ns", RELTIME, 0,
		"Its part below a second.", NO_VALUE, "evt.deltatime.ns > 1000"),
	FIELD_ROW_RESERVED("evt.deltatime.s", RELTIME, 0,
		"Its whole seconds.", NO_VALUE, "evt.deltatime.s > 1"),
	FIELD_ROW("evt.dir", STRING, FIELD_DEPRECATED, NULL, get_dir,
		"Always <: only the end of a call is an event.", NEVER, "evt.dir = <"),
	FIELD_ROW("evt.failed", BOOL, 0, schema_has_result, get_failed,
		"Whether the call returned an error.", NO_RESULT, "evt.failed = true"),
	FIELD_ROW("evt.hostname", STRING, 0, NULL, get_hostname,
		"Name of the host; in a pod the node's, where NODE_NAME gives it.", NEVER, "evt.hostname = web-1"),
	FIELD_ROW("evt.info", STRING, 0, NULL, evt_get_args,
		"The same as evt.args.", NEVER, "evt.info contains O_TMPFILE"),
	FIELD_ROW("evt.io_dir", STRING, 0, schema_has_result, evt_get_io_dir,
		"read or write, on calls that move data.", "On every other event.", "evt.io_dir = write"),
	FIELD_ROW("evt.is_async", BOOL, 0, NULL, get_false,
		"Whether the event is none of the kernel's.", NEVER, "evt.is_async = false"),
	FIELD_ROW("evt.is_io", BOOL, 0, NULL, evt_get_is_io,
		"Whether the call moves data.", NEVER, "evt.is_io = true"),
	FIELD_ROW("evt.is_io_read", BOOL, 0, NULL, evt_get_is_io_read,
		"Whether the call reads data.", NEVER, "evt.is_io_read = true"),
	FIELD_ROW("evt.is_io_write", BOOL, 0, NULL, evt_get_is_io_write,
		"Whether the call writes data.", NEVER, "evt.is_io_write = true"),
	FIELD_ROW("evt.is_open_create", BOOL, 0, NULL, get_is_open_create,
		"Whether the call made a new file. False on every other event.",
		"Where the kernel's answer could not be read.", "evt.is_open_create = true"),
	FIELD_ROW("evt.is_open_exec", BOOL, 0, NULL, get_is_open_exec,
		"Whether the call asks for a new file that can be executed. False on every other event.",
		"Where the flags could not be read.", "evt.is_open_exec = true"),
	FIELD_ROW("evt.is_open_read", BOOL, 0, NULL, get_is_open_read,
		"Whether an open, openat or openat2 asks to read. False on every other event, creat included; says nothing about success.",
		"Where the flags could not be read.", "evt.is_open_read = true"),
	FIELD_ROW("evt.is_open_write", BOOL, 0, NULL, get_is_open_write,
		"Whether an open, openat or openat2 asks to write. False on every other event, creat included; says nothing about success.",
		"Where the flags could not be read.", "evt.is_open_write = true"),
	FIELD_ROW("evt.is_privilege_gain", BOOL, 0, evt_has_before, evt_get_is_privilege_gain,
		"Whether the call made its thread effectively root, or gave it an effective capability, that it was not or had not before: by execve, set*id, capset, unshare or setns. In a new user namespace the capabilities hold only there.",
		"On other events, and where the thread was not seen before.", "evt.is_privilege_gain = true"),
	FIELD_ROW("evt.is_syslog", BOOL, 0, NULL, evt_get_is_syslog,
		"Whether the call writes to the socket of the system log. False on every other event.", NEVER, "evt.is_syslog = true"),
	FIELD_ROW("evt.is_wait", BOOL, 0, NULL, evt_get_is_wait,
		"Whether the call waits (poll, select, nanosleep and their like).", NEVER, "evt.is_wait = true"),
	FIELD_ROW("evt.latency", RELTIME, FIELD_DEPRECATED, NULL, get_zero, "Always 0.", NEVER, "evt.latency = 0"),
	FIELD_ROW("evt.latency.human", STRING, FIELD_DEPRECATED, NULL, get_zero_text, "Always 0ns.", NEVER, "evt.latency.human = 0ns"),
	FIELD_ROW("evt.latency.ns", RELTIME, FIELD_DEPRECATED, NULL, get_zero, "Always 0.", NEVER, "evt.latency.ns = 0"),
	FIELD_ROW("evt.latency.quantized", RELTIME, FIELD_DEPRECATED, NULL, get_zero, "Always 0.", NEVER, "evt.latency.quantized = 0"),
	FIELD_ROW("evt.latency.s", RELTIME, FIELD_DEPRECATED, NULL, get_zero, "Always 0.", NEVER, "evt.latency.s = 0"),
	FIELD_ROW("evt.num", U64, 0, NULL, get_num,
		"The event's number, from 1. evt.num = 0 is the idiom for never.", NEVER, "evt.num >= 0"),
	FIELD_ROW("evt.path_swapped", BOOL, FIELD_NEEDS_SWAP, schema_has_result, get_path_swapped,
		"Whether a string in the caller's memory, a path above all, was another when the call ended than when it began.", NO_RESULT, "evt.path_swapped = true"),
	FIELD_ROW("evt.peer_mismatch", BOOL, 0, schema_has_peer, get_peer_mismatch,
		"Whether the address in the caller's memory, or the socket behind the descriptor, is another than the one that was connected or accepted. fd.* is the connected one; of an accepted socket it is what the descriptor leads to.",
		"On every event but connect, accept and those that send.", "evt.peer_mismatch = true"),
	FIELD_ROW_RESERVED("evt.plugininfo", STRING, 0, "What a plugin says of its event.", NO_VALUE, "evt.plugininfo exists"),
	FIELD_ROW_RESERVED("evt.pluginname", STRING, 0, "Name of the plugin that raised the event.", NO_VALUE, "evt.pluginname exists"),
	/* The type in the table is that of most parameters; the compiler takes each parameter's own. */
	FIELD_ROW("evt.rawarg", U64, FIELD_ARG_DOTTED | FIELD_ARG_REQUIRED | FIELD_NO_RIGHT_SIDE, NULL, evt_get_rawarg,
		"A parameter by its name, with its own type: flags as numbers that are the same on every architecture, paths as the caller passed them.",
		"On events that have no such parameter, or where it could not be read.", "evt.rawarg.cmd = 5"),
	FIELD_ROW("evt.rawres", S64, 0, schema_has_result, get_rawres,
		"What the call returned.", NO_RESULT, "evt.rawres >= 0"),
	FIELD_ROW("evt.rawtime", ABSTIME, 0, NULL, evt_get_rawtime,
		"Time in nanoseconds since 1970.", NEVER, "evt.rawtime > 1700000000000000000"),
	FIELD_ROW("evt.rawtime.ns", ABSTIME, 0, NULL, evt_get_rawtime_ns,
		"Its part below a second.", NEVER, "evt.rawtime.ns >= 0"),
	FIELD_ROW("evt.rawtime.s", ABSTIME, 0, NULL, evt_get_rawtime_s,
		"Its whole seconds.", NEVER, "evt.rawtime.s > 1700000000"),
	FIELD_ROW_RESERVED("evt.reltime", RELTIME, 0, "Time since the first event.", NO_VALUE, "evt.reltime > 1000000000"),
	FIELD_ROW_RESERVED("evt.reltime.ns", RELTIME, 0, "Its part below a second.", NO_VALUE, "evt.reltime.ns > 1000"),
	FIELD_ROW_RESERVED("evt.reltime.s", RELTIME, 0, "Its whole seconds.", NO_VALUE, "evt.reltime.s > 1"),
	FIELD_ROW("evt.res", STRING, 0, schema_has_result, get_res,
		"SUCCESS, or the name of the error.", NO_RESULT, "evt.res = EACCES"),
	FIELD_ROW("evt.source", STRING, 0, NULL, get_source, "Where the event comes from: syscall.", NEVER, "evt.source = syscall"),
	FIELD_ROW("evt.time", STRING, 0, NULL, evt_get_time,
		"Local time of day with nanoseconds; a number of nanoseconds since 1970 in output_fields.", NEVER, "evt.time startswith 03:"),
	FIELD_ROW("evt.time.iso8601", STRING, 0, NULL, evt_get_time_iso8601,
		"Date and time in UTC with nanoseconds, as ISO 8601.", NEVER, "evt.time.iso8601 startswith 2026-"),
	FIELD_ROW("evt.time.s", STRING, 0, NULL, evt_get_time_s, "Local time of day in whole seconds.", NEVER, "evt.time.s startswith 03:"),
	FIELD_ROW("evt.type", STRING, 0, NULL, get_type,
		"Name of the syscall or of the event.", NEVER, "evt.type in (open, openat)"),
	FIELD_ROW_RESERVED("evt.type.is", U64, FIELD_ARG_DOTTED | FIELD_ARG_REQUIRED,
		"1 where the event has this internal number, which differs from program to program; use evt.type.", NO_VALUE, "evt.type.is.42 = 1"),
	FIELD_ROW("evt.via", STRING, 0, schema_has_result, get_via,
		"How the call was made: syscall or io_uring.", NO_RESULT, "evt.via = io_uring"),
	FIELD_ROW("evt.wait_latency", RELTIME, FIELD_DEPRECATED, NULL, get_zero, "Always 0.", NEVER, "evt.wait_latency = 0"),
	FIELD_ROW("syscall.type", STRING, 0, schema_has_result, get_syscall_type,
		"The same as evt.type.", NO_RESULT, "syscall.type = openat"),
};
/* clang-format on */

const struct field_family fields_evt = { fields, ARRAY_LEN(fields) };
