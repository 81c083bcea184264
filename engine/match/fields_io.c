/*
 * Fields of what kind of call it was, and of the data that it moved: evt.is_io, evt.category,
 * evt.buffer, evt.buflen. Owns nothing. Engine thread.
 */
#include <sys/socket.h>

#include "fields_evt.h"

#define EVT_GETTER(name)                                                                      \
	void name(const struct field_context *context, const struct field_argument *argument, \
		  struct value_set *ret)

#define CALL_READS  (1u << 0)
#define CALL_WRITES (1u << 1)
#define CALL_WAITS  (1u << 2)

/* A table: calls that move data or wait, by name, because most of them have no row of their own. */
static unsigned call_traits(const struct event *event)
{
	static const struct {
		const char *name;
		unsigned traits;
	} calls[] = {
		{ "read", CALL_READS },
		{ "pread64", CALL_READS },
		{ "readv", CALL_READS },
		{ "preadv", CALL_READS },
		{ "preadv2", CALL_READS },
		{ "recvfrom", CALL_READS },
		{ "recvmsg", CALL_READS },
		{ "recvmmsg", CALL_READS },
		{ "write", CALL_WRITES },
		{ "pwrite64", CALL_WRITES },
		{ "writev", CALL_WRITES },
		{ "pwritev", CALL_WRITES },
		{ "pwritev2", CALL_WRITES },
		{ "sendto", CALL_WRITES },
		{ "sendmsg", CALL_WRITES },
		{ "sendmmsg", CALL_WRITES },
		{ "poll", CALL_WAITS },
		{ "ppoll", CALL_WAITS },
		{ "select", CALL_WAITS },
		{ "pselect6", CALL_WAITS },
		{ "epoll_wait", CALL_WAITS },
		{ "epoll_pwait", CALL_WAITS },
		{ "epoll_pwait2", CALL_WAITS },
		{ "nanosleep", CALL_WAITS },
		{ "clock_nanosleep", CALL_WAITS },
		{ "wait4", CALL_WAITS },
		{ "waitid", CALL_WAITS },
		{ "pause", CALL_WAITS },
	};
	const char *name = event_code_name(event->code);

	for (size_t i = 0; i < ARRAY_LEN(calls) && name; i++)
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].traits;
	return 0;
}

EVT_GETTER(evt_get_is_io)
{
	give_bool(context, call_traits(context->event) & (CALL_READS | CALL_WRITES), ret);
}

EVT_GETTER(evt_get_is_io_read)
{
	give_bool(context, call_traits(context->event) & CALL_READS, ret);
}

EVT_GETTER(evt_get_is_io_write)
{
	give_bool(context, call_traits(context->event) & CALL_WRITES, ret);
}

EVT_GETTER(evt_get_is_wait)
{
	give_bool(context, call_traits(context->event) & CALL_WAITS, ret);
}

static bool is_io(const struct event *event)
{
	return call_traits(event) & (CALL_READS | CALL_WRITES);
}

EVT_GETTER(evt_get_buffer)
{
	const struct event *event = context->event;
	int data = roles_of(event)->data;

	if (data < 0 || !is_io(event) || !event->params[data].p)
		return;
	give_value(context, (struct value){ .type = VALUE_BYTES, .str = event->params[data] }, ret);
}

/* Calls for several messages return how many, and say apart how long this one was. */
static bool moved_bytes(const struct event *event, uint64_t *ret)
{
	switch ((int)event->schema->type) {
	case EVENT_SENDMMSG:
		return event_number(event, PARAM_SENDMMSG_bytes, ret);
	case EVENT_RECVMMSG:
		return event_number(event, PARAM_RECVMMSG_bytes, ret);
	default:
		*ret = (uint64_t)event->header->result;
		return event->header->result >= 0;
	}
}

/* traits: those of which the call must have one. */
static void give_length(const struct field_context *context, unsigned traits, struct value_set *ret)
{
	uint64_t bytes;

	if (call_traits(context->event) & traits && moved_bytes(context->event, &bytes))
		give_u64(context, VALUE_U64, bytes, ret);
}

static bool is_about_socket(const struct event *event)
{
	struct wire_tuple tuple;
	struct str path;
	int param = roles_of(event)->tuple;

	return param >= 0 && event_tuple(event, (unsigned)param, &tuple, &path) &&
	       (tuple.family == AF_INET || tuple.family == AF_INET6);
}

static bool is_about_file(const struct event *event)
{
	int param = roles_of(event)->path;

	return param >= 0 && event_kpath_head(event, (unsigned)param) &&
	       event_file_kind(event, (unsigned)param).character == 'f';
}

#define BUFLEN_GETTER(name, traits, condition)              \
	EVT_GETTER(name)                                    \
	{                                                   \
		const struct event *event = context->event; \
                                                            \
		if (condition)                              \
			give_length(context, traits, ret);  \
		(void)event;                                \
	}
BUFLEN_GETTER(evt_get_buflen, CALL_READS | CALL_WRITES, true)
BUFLEN_GETTER(evt_get_buflen_in, CALL_READS, true)
BUFLEN_GETTER(evt_get_buflen_out, CALL_WRITES, true)
BUFLEN_GETTER(evt_get_buflen_file, CALL_READS | CALL_WRITES, is_about_file(event))
BUFLEN_GETTER(evt_get_buflen_file_in, CALL_READS, is_about_file(event))
BUFLEN_GETTER(evt_get_buflen_file_out, CALL_WRITES, is_about_file(event))
BUFLEN_GETTER(evt_get_buflen_net, CALL_READS | CALL_WRITES, is_about_socket(event))
BUFLEN_GETTER(evt_get_buflen_net_in, CALL_READS, is_about_socket(event))
BUFLEN_GETTER(evt_get_buflen_net_out, CALL_WRITES, is_about_socket(event))

/* A program that logs writes to a socket that is connected to /dev/log, wherever that leads. */
EVT_GETTER(evt_get_is_syslog)
{
	static const char *const places[] = { "/dev/log", "/run/systemd/journal/dev-log" };
	const struct event *event = context->event;
	int param = roles_of(event)->tuple;
	struct wire_tuple tuple;
	struct str path;
	bool is_syslog = false;

	if (call_traits(event) & CALL_WRITES && param >= 0 &&
	    event_tuple(event, (unsigned)param, &tuple, &path))
		for (size_t i = 0; i < ARRAY_LEN(places); i++)
			is_syslog |= str_eq_text(path, places[i]);
	give_bool(context, is_syslog, ret);
}

EVT_GETTER(evt_get_io_dir)
{
	unsigned traits = call_traits(context->event);

	if (traits & (CALL_READS | CALL_WRITES))
		give_text(context, traits & CALL_READS ? "read" : "write", ret);
}

/* What Falco files elsewhere than the class that counts the event says; NULL: there. */
static const char *category_of_type(enum event_type type)
{
	switch ((int)type) {
	case EVENT_KILL:
	case EVENT_TKILL:
	case EVENT_TGKILL:
	case EVENT_PIDFD_SEND_SIGNAL:
	case EVENT_SIGNALDELIVER:
		return "signal";
	case EVENT_MOUNT:
	case EVENT_UMOUNT2:
	case EVENT_PIVOT_ROOT:
	case EVENT_MOVE_MOUNT:
	case EVENT_MOUNT_SETATTR:
	case EVENT_OPEN_TREE:
	case EVENT_FSOPEN:
	case EVENT_FSCONFIG:
	case EVENT_FSMOUNT:
		return "file";
	case EVENT_CAPSET:
	case EVENT_CHROOT:
	case EVENT_UNSHARE:
	case EVENT_SETNS:
		return "process";
	default:
		return NULL;
	}
}

EVT_GETTER(evt_get_category)
{
	static const char *const of_class[] = {
		[CLASS_UNKNOWN] = "other", [CLASS_PROCESS] = "process", [CLASS_FILE] = "file",
		[CLASS_NETWORK] = "net",   [CLASS_PRIVILEGE] = "user",	[CLASS_KERNEL] = "system",
		[CLASS_OTHER] = "other",
	};
	const char *category = category_of_type(context->event->schema->type);
	unsigned traits = call_traits(context->event);

	if (traits & CALL_WAITS)
		give_text(context, "wait", ret);
	else if (traits)
		give_text(context, traits & CALL_READS ? "io-read" : "io-write", ret);
	else if (category)
		give_text(context, category, ret);
	else
		give_text(context, of_class[context->event->schema->class], ret);
}
