/*
 * Parameters as evt.arg shows them (rule-language.md 3.3), evt.args, and a dump for people. Called
 * by field getters and templates; writes into the caller's buffer, keeps nothing.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "haetae/text.h"
#include "event_private.h"

/* Inode of the first pid namespace: PROC_PID_INIT_INO, include/linux/proc_ns.h */
#define INITIAL_PID_NAMESPACE 0xeffffffcu

static uint64_t number_of(const struct event *event, int param)
{
	uint64_t value = 0;

	if (param >= 0)
		(void)event_number(event, (unsigned)param, &value);
	return value;
}

static void put_error(int64_t value, struct buf *out)
{
	const char *name = value < 0 && value > -4096 ? errno_name((int)-value) : NULL;

	if (name)
		buf_puts(out, name);
	else
		buf_put_s64(out, value);
}

static void put_fd(const struct event *event, unsigned param, int64_t fd, struct buf *out)
{
	if (fd == AT_FDCWD)
		buf_puts(out, "AT_FDCWD");
	else if (fd < 0)
		put_error(fd, out);
	else if (!descriptor_format(event, param, out))
		buf_put_s64(out, fd);
}

/* ---- strings, paths, vectors ----------------------------------------------------------------- */

/* The directory that a relative name starts from; exec has its own working directory, too. */
static int directory_param(const struct event *event, unsigned path_param)
{
	int param = event_roles_of(event->schema)->beside[path_param];

	if (param < 0 || !event->params[param].p)
		param = schema_param_find(event->schema, "cwd");
	return param;
}

/* Absolute: as given. Relative: joined, where the directory is known. */
static void put_path(const struct event *event, unsigned param, struct buf *out)
{
	struct str path = event_string(event, param), joined = STR_NONE;

	if (path.n > 0 && path.p[0] != '/' && event->scratch)
		joined = event_passed_path(event, param, directory_param(event, param));
	if (joined.p)
		path = joined;
	if (path.n == 0)
		buf_puts(out, "<NA>");
	else
		buf_put_str(out, path);
}

/* A process's root is "/" to itself: it is shown from the root of the mount namespace. */
static void put_kpath(const struct event *event, unsigned param, struct buf *out)
{
	bool is_root = strcmp(event->schema->params[param].name, "root") == 0;
	struct str path = event_kpath(event, param, kpath_ino_param(event->schema, param), is_root);

	if (path.p)
		buf_put_str(out, path);
	else
		buf_puts(out, "<NA>");
}

static void put_vector(struct str bytes, struct buf *out)
{
	for (uint32_t i = 0; i + 1 < bytes.n; i++)
		buf_putc(out, bytes.p[i] ? bytes.p[i] : ' ');
}

static void put_bytes(struct str bytes, struct buf *out)
{
	for (uint32_t i = 0; i < bytes.n; i++)
		buf_putc(out, bytes.p[i] >= 0x20 && bytes.p[i] < 0x7f ? bytes.p[i] : '.');
}

/* An address is one end: the remote one where it is known. */
static void put_tuple(const struct event *event, unsigned param, struct buf *out)
{
	struct wire_tuple tuple;
	struct str path;

	if (!event_tuple(event, param, &tuple, &path))
		return;
	if (event->schema->params[param].type == PARAM_ADDRESS && tuple.flags & WIRE_TUPLE_REMOTE)
		tuple.flags &= (__u8)~WIRE_TUPLE_LOCAL;
	tuple_format(&tuple, path, out);
}

/* ---- one parameter --------------------------------------------------------------------------- */

/* A flag word as its vocabulary takes it. */
static uint64_t vocabulary_value(const struct event *event, const struct vocabulary *vocabulary,
				 uint64_t value)
{
	if (vocabulary == &vocabulary_open_flags)
		return open_flags_with(value,
				       number_of(event, event_roles_of(event->schema)->file_bits));
	return value;
}

bool event_portable_number(const struct event *event, unsigned param, uint64_t *ret)
{
	const struct vocabulary *vocabulary;
	uint64_t value;

	if (!event_number(event, param, &value))
		return false;
	vocabulary = event->schema->params[param].vocabulary;
	*ret = vocabulary
		       ? vocabulary_portable(vocabulary, vocabulary_value(event, vocabulary, value))
		       : value;
	return true;
}

static void put_flags(const struct event *event, const struct vocabulary *vocabulary,
		      uint64_t value, struct buf *out)
{
	if (vocabulary)
		vocabulary_format(vocabulary, vocabulary_value(event, vocabulary, value), out);
	else
		buf_put_u64(out, value);
}

/* include/uapi/linux/stat.h: the type of a file is a number, the rest are bits. */
static void put_mode(uint64_t mode, struct buf *out)
{
	static const struct {
		uint64_t type;
		const char *name;
	} types[] = {
		{ S_IFREG, "S_IFREG" }, { S_IFCHR, "S_IFCHR" },	  { S_IFBLK, "S_IFBLK" },
		{ S_IFIFO, "S_IFIFO" }, { S_IFSOCK, "S_IFSOCK" }, { S_IFDIR, "S_IFDIR" },
		{ S_IFLNK, "S_IFLNK" },
	};
	uint64_t bits = mode & 07777;
	const char *type = NULL;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if ((mode & S_IFMT) == types[i].type)
			type = types[i].name;
	}
	if (bits || !type)
		vocabulary_format(&vocabulary_mode_bits, bits, out);
	if (type)
		buf_printf(out, "%s%s", bits ? "|" : "", type);
}

/* A name that a later stage knows; a user without one is "<NA>", no user "<NONE>". */
static void put_id(const struct event *event, enum param_type type, uint64_t value, struct buf *out)
{
	uint32_t id = (uint32_t)value;
	struct str name = STR_NONE;

	if (type != PARAM_PID && id == UINT32_MAX) {
		buf_puts(out, "<NONE>");
		return;
	}
	/* A number of 64 bits that no process can have must not pass for the one in its low half.
	 */
	if (event->names && (type != PARAM_PID || value <= UINT32_MAX))
		name = event->names->find(type, id, event->names->data);
	if (name.p)
		buf_put_str(out, name);
	else if (event->names && type != PARAM_PID)
		buf_puts(out, "<NA>");
	else
		buf_put_s64(out, (int64_t)value);
}

/* A number of the caller's pid namespace. That of another one than the initial is only known of the
 * caller itself; it must not pass for the process that has this number outside. */
static void put_namespace_pid(const struct event *event, uint64_t value, struct buf *out)
{
	const struct wire_header *header = event->header;

	if (header->pid_ns == INITIAL_PID_NAMESPACE)
		put_id(event, PARAM_PID, value, out);
	else if (value == header->ns_pid)
		put_id(event, PARAM_PID, header->pid, out);
	else
		buf_put_s64(out, (int64_t)value);
}

static void put_signal(uint64_t value, struct buf *out)
{
	const char *name = value <= INT32_MAX ? signal_name((int)value) : NULL;

	if (name)
		buf_puts(out, name);
	else
		buf_put_s64(out, (int64_t)value);
}

/* A flat switch: one case a type. */
static void put_number(const struct event *event, const struct param_schema *schema, uint64_t value,
		       struct buf *out)
{
	switch ((int)schema->type) {
	case PARAM_FD:
		put_fd(event, (unsigned)(schema - event->schema->params), (int64_t)value, out);
		break;
	case PARAM_ERROR:
		put_error((int64_t)value, out);
		break;
	case PARAM_OCTAL:
		buf_printf(out, "%llo", (unsigned long long)value);
		break;
	case PARAM_HEX:
		buf_printf(out, "%llX", (unsigned long long)value);
		break;
	case PARAM_MODE:
		put_mode(value, out);
		break;
	case PARAM_PID:
	case PARAM_UID:
	case PARAM_GID:
		put_id(event, schema->type, value, out);
		break;
	case PARAM_NSPID:
		put_namespace_pid(event, value, out);
		break;
	case PARAM_SIGNAL:
		put_signal(value, out);
		break;
	case PARAM_RELTIME:
		buf_printf(out, "%llu.%09llus", (unsigned long long)(value / 1000000000),
			   (unsigned long long)(value % 1000000000));
		break;
	case PARAM_FLAGS:
	case PARAM_ENUM:
		put_flags(event, schema->vocabulary, value, out);
		break;
	default:
		buf_put_s64(out, (int64_t)value);
	}
}

/* As Falco shows them. */
static void put_absent(enum param_type type, struct buf *out)
{
	bool is_bytes = type == PARAM_BUFFER || type == PARAM_VECTOR || type == PARAM_TUPLE ||
			type == PARAM_ADDRESS;

	buf_puts(out, is_bytes ? "NULL" : "<NA>");
}

bool event_param_format(const struct event *event, unsigned param, struct buf *out)
{
	const struct param_schema *schema;
	uint64_t value;

	if (param >= event->schema->param_cnt)
		return false;
	schema = &event->schema->params[param];
	if (!event->params[param].p) {
		put_absent(schema->type, out);
		return true;
	}
	if (param_is_number(schema->type) && event_number(event, param, &value)) {
		put_number(event, schema, value, out);
		return true;
	}
	switch ((int)schema->type) {
	case PARAM_PATH:
	case PARAM_RELPATH:
		put_path(event, param, out);
		break;
	case PARAM_VECTOR:
		put_vector(event->params[param], out);
		break;
	case PARAM_KPATH:
		put_kpath(event, param, out);
		break;
	case PARAM_TUPLE:
	case PARAM_ADDRESS:
		put_tuple(event, param, out);
		break;
	case PARAM_BUFFER:
		put_bytes(event->params[param], out);
		break;
	default:
		buf_put_str(out, event_string(event, param));
	}
	return true;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* The raw form of evt.args where it differs from the resolved one. */
static bool put_raw(const struct event *event, unsigned param, struct buf *out)
{
	const struct param_schema *schema = &event->schema->params[param];
	uint64_t value;

	switch ((int)schema->type) {
	case PARAM_FD:
	case PARAM_PID:
	case PARAM_NSPID:
	case PARAM_ERROR:
	case PARAM_UID:
	case PARAM_GID:
	case PARAM_SIGNAL:
		if (!event_number(event, param, &value))
			return false;
		buf_put_s64(out, (int64_t)value);
		return true;
	case PARAM_MODE:
		if (!event_number(event, param, &value))
			return false;
		buf_printf(out, "%llo", (unsigned long long)value);
		return true;
	case PARAM_FLAGS:
	case PARAM_ENUM:
		if (!event_portable_number(event, param, &value))
			return false;
		buf_put_s64(out, (int64_t)value);
		return true;
	case PARAM_PATH:
	case PARAM_RELPATH:
		buf_put_str(out, event_string(event, param));
		return event->params[param].p != NULL;
	default:
		return false;
	}
}

static void put_raw_and_resolved(const struct event *event, unsigned param, struct buf *out)
{
	size_t start = out->n, middle;

	if (!put_raw(event, param, out)) {
		event_param_format(event, param, out);
		return;
	}
	middle = out->n;
	buf_putc(out, '(');
	event_param_format(event, param, out);
	/* The same text twice says nothing. */
	if (!out->failed && out->n - middle - 1 == middle - start &&
	    memcmp(out->p + start, out->p + middle + 1, middle - start) == 0) {
		out->n = middle;
		out->p[out->n] = '\0';
	} else {
		buf_putc(out, ')');
	}
}

static void put_all(const struct event *event, struct buf *out)
{
	for (unsigned i = 0; i < event->schema->param_cnt; i++) {
		buf_printf(out, "%s%s=", i ? " " : "", event->schema->params[i].name);
		put_raw_and_resolved(event, i, out);
	}
}

void event_args_format(const struct event *event, struct buf *out)
{
	/* A call without a schema has no parameters that have a name. */
	if (event->schema->type != EVENT_GENERIC)
		put_all(event, out);
}

static void put_header(const struct event *event, struct buf *out)
{
	const struct wire_header *header = event->header;
	const char *name = event_code_name(event->code);

	buf_printf(out, "%llu.%09llu cpu %u ring %u #%llu ",
		   (unsigned long long)header->time_ns / 1000000000,
		   (unsigned long long)header->time_ns % 1000000000, header->cpu, header->ring,
		   (unsigned long long)header->sequence);
	if (name)
		buf_puts(out, name);
	else
		buf_printf(out, "call %u", header->syscall_nr);
	buf_printf(out, " pid %u tid %u ppid %u exec %llu uid %u comm ", header->pid, header->tid,
		   header->parent_pid, (unsigned long long)header->exec_id, header->uid);
	text_put_line(out,
		      (struct str){ header->comm, (uint32_t)strnlen(header->comm, WIRE_COMM_LEN) });
	buf_printf(out, " result %lld flags %x", (long long)header->result, header->flags);
}

void event_dump(const struct event *event, struct buf *out)
{
	/* An escaped byte takes at most 10 characters; args have paths twice. */
	_cleanup_(buf_done) struct buf args;

	buf_init(&args, 8 * WIRE_RECORD_MAX);
	put_all(event, &args);
	put_header(event, out);
	buf_puts(out, "\n  ");
	text_put_line(out, buf_str(&args));
	buf_puts(out, args.failed ? "…\n" : "\n");
}
