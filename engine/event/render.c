/*
 * Parameters as evt.arg shows them (rule-language.md 3.3), evt.args, and a dump for people. Called
 * by field getters and templates; writes into the caller's buffer, keeps nothing.
 */
#include "haetae/event.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "vocabularies.h"

const char *errno_name(int number)
{
	return strerrorname_np(number < 0 ? -number : number);
}

const char *signal_name(int number)
{
	static const char *const names[] = {
		"SIGHUP",  "SIGINT",	"SIGQUIT", "SIGILL",  "SIGTRAP",   "SIGABRT", "SIGBUS",
		"SIGFPE",  "SIGKILL",	"SIGUSR1", "SIGSEGV", "SIGUSR2",   "SIGPIPE", "SIGALRM",
		"SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP",   "SIGTSTP", "SIGTTIN",
		"SIGTTOU", "SIGURG",	"SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH",
		"SIGIO",   "SIGPWR",	"SIGSYS",
	};

	return number >= 1 && number <= (int)ARRAY_LEN(names) ? names[number - 1] : NULL;
}

static int find_param(const struct event *event, const char *name)
{
	for (unsigned i = 0; i < event->schema->param_cnt; i++)
		if (strcmp(event->schema->params[i].name, name) == 0)
			return (int)i;
	return -1;
}

static uint64_t number_of(const struct event *event, const char *name)
{
	int param = find_param(event, name);
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

/* ---- descriptors --------------------------------------------------------------------------- */

/* Falco's type character of a file by its mode. */
static char mode_character(uint64_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return 'f';
	case S_IFDIR:
		return 'd';
	case S_IFIFO:
		return 'p';
	default:
		return 'o';
	}
}

static bool put_opened_file(const struct event *event, struct buf *out)
{
	int path_param = find_param(event, "path"), ino_param = find_param(event, "ino");
	struct str path = STR_NONE;

	if (path_param >= 0 && event->schema->params[path_param].type == PARAM_KPATH)
		path = event_kpath(event, (unsigned)path_param, ino_param, false);
	if (!path.p)
		return false;
	buf_printf(out, "<%c>", mode_character(number_of(event, "file_mode")));
	buf_put_str(out, path);
	return true;
}

static bool put_socket(const struct event *event, struct buf *out)
{
	int param = find_param(event, "tuple");
	struct wire_tuple tuple;
	struct str path;
	char family;

	if (param < 0 || !event_tuple(event, (unsigned)param, &tuple, &path))
		return false;
	family = tuple.family == AF_INET ? '4' : tuple.family == AF_INET6 ? '6' : 'u';
	buf_printf(out, "<%c", family);
	if (family != 'u' && tuple.l4_protocol == IPPROTO_TCP)
		buf_putc(out, 't');
	else if (family != 'u' && tuple.l4_protocol == IPPROTO_UDP)
		buf_putc(out, 'u');
	buf_putc(out, '>');
	tuple_format(&tuple, path, out);
	return true;
}

static void put_fd(const struct event *event, const char *name, int64_t fd, struct buf *out)
{
	int directory = find_param(event, "dirpath");

	if (fd == AT_FDCWD) {
		buf_puts(out, "AT_FDCWD");
	} else if (fd < 0) {
		put_error(fd, out);
	} else if (strcmp(name, "dirfd") == 0) {
		struct str path = directory < 0
					  ? STR_NONE
					  : event_kpath(event, (unsigned)directory, -1, false);

		if (path.p) {
			buf_puts(out, "<d>");
			buf_put_str(out, path);
		} else {
			buf_put_s64(out, fd);
		}
	} else if (!put_opened_file(event, out) && !put_socket(event, out)) {
		buf_put_s64(out, fd);
	}
}

/* ---- strings, paths, vectors ----------------------------------------------------------------- */

static void put_path(const struct event *event, unsigned param, struct buf *out)
{
	struct str path = event_string(event, param);

	/* Absolute: as given. Relative: joined, where the directory is known. */
	if (path.n > 0 && path.p[0] != '/')
		path = event_passed_path(event, param, find_param(event, "dirpath"));
	if (path.n == 0)
		buf_puts(out, "<NA>");
	else
		buf_put_str(out, path);
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

static void put_tuple(const struct event *event, unsigned param, bool is_one_end, struct buf *out)
{
	struct wire_tuple tuple;
	struct str path;

	if (!event_tuple(event, param, &tuple, &path))
		return;
	if (is_one_end)
		tuple.flags &= (__u8)~WIRE_TUPLE_LOCAL;
	tuple_format(&tuple, path, out);
}

/* ---- one parameter --------------------------------------------------------------------------- */

bool event_portable_number(const struct event *event, unsigned param, uint64_t *ret)
{
	const struct param_schema *schema = &event->schema->params[param];

	if (!event_number(event, param, ret))
		return false;
	if (schema->vocabulary == &open_flags)
		*ret = open_flags_value(*ret, number_of(event, "file_bits"));
	if (schema->vocabulary)
		*ret = vocabulary_portable(schema->vocabulary, *ret);
	return true;
}

static void put_flags(const struct event *event, const struct vocabulary *vocabulary,
		      uint64_t value, struct buf *out)
{
	if (vocabulary == &open_flags)
		value = open_flags_value(value, number_of(event, "file_bits"));
	if (vocabulary)
		vocabulary_format(vocabulary, value, out);
	else
		buf_put_u64(out, value);
}

static void put_user_id(uint64_t id, struct buf *out)
{
	/* Names are the next stage's: it knows the user tables. */
	if ((uint32_t)id == UINT32_MAX)
		buf_puts(out, "<NONE>");
	else
		buf_put_u64(out, (uint32_t)id);
}

/* A flat switch: one case a type. */
static void put_number(const struct event *event, const struct param_schema *schema, uint64_t value,
		       struct buf *out)
{
	const char *name;

	switch ((int)schema->type) {
	case PARAM_FD:
		put_fd(event, schema->name, (int64_t)value, out);
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
		vocabulary_format(&mode_bits, value & 07777, out);
		break;
	case PARAM_UID:
	case PARAM_GID:
		put_user_id(value, out);
		break;
	case PARAM_SIGNAL:
		name = value <= INT32_MAX ? signal_name((int)value) : NULL;
		if (name)
			buf_puts(out, name);
		else
			buf_put_s64(out, (int64_t)value);
		break;
	case PARAM_FLAGS:
	case PARAM_ENUM:
		put_flags(event, schema->vocabulary, value, out);
		break;
	default:
		buf_put_s64(out, (int64_t)value);
	}
}

bool event_param_format(const struct event *event, unsigned param, struct buf *out)
{
	const struct param_schema *schema;
	uint64_t value;

	if (param >= event->schema->param_cnt)
		return false;
	schema = &event->schema->params[param];
	if (!event->params[param].p) {
		buf_puts(out, schema->type == PARAM_BUFFER || schema->type == PARAM_TUPLE ? "NULL"
											  : "<NA>");
		return true;
	}
	if (event_number(event, param, &value) && schema->type <= PARAM_RELTIME) {
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
		buf_put_str(out, event_kpath(event, param, find_param(event, "ino"), false));
		break;
	case PARAM_TUPLE:
	case PARAM_ADDRESS:
		put_tuple(event, param, schema->type == PARAM_ADDRESS, out);
		break;
	case PARAM_BUFFER:
		put_bytes(event->params[param], out);
		break;
	default:
		buf_put_str(out, event_string(event, param));
	}
	return true;
}

/* ---- all of them -------------------------------------------------------------------------------
 */

/* The raw form of evt.args where it differs from the resolved one. */
static bool put_raw(const struct event *event, unsigned param, struct buf *out)
{
	const struct param_schema *schema = &event->schema->params[param];
	uint64_t value;

	switch ((int)schema->type) {
	case PARAM_FD:
	case PARAM_ERROR:
		if (!event_number(event, param, &value))
			return false;
		buf_put_s64(out, (int64_t)value);
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

void event_args_format(const struct event *event, struct buf *out)
{
	/* A generic event has no parameters of its own. */
	if (event->schema->type == EVENT_GENERIC)
		return;
	for (unsigned i = 0; i < event->schema->param_cnt; i++) {
		buf_printf(out, "%s%s=", i ? " " : "", event->schema->params[i].name);
		put_raw_and_resolved(event, i, out);
	}
}

void event_dump(const struct event *event, struct buf *out)
{
	const struct wire_header *header = event->header;
	const char *name = event_code_name(event->code);

	buf_printf(out,
		   "%llu.%09llu cpu %u ring %u #%llu %s pid %u tid %u ppid %u exec %llu comm %.*s",
		   header->time_ns / 1000000000ULL, header->time_ns % 1000000000ULL, header->cpu,
		   header->ring, header->sequence, name ? name : "?", header->pid, header->tid,
		   header->parent_pid, header->exec_id, (int)strnlen(header->comm, WIRE_COMM_LEN),
		   header->comm);
	buf_printf(out, " result %lld flags %x\n  ", header->result, header->flags);
	event_args_format(event, out);
	buf_putc(out, '\n');
}
