/*
 * Fields of the descriptor that an event makes or uses, fd.*, where it is a file; and their table.
 * No descriptor table is kept: all is in the event's record (architecture.md, conviction 1). Owns
 * nothing. Engine thread.
 */
#include "fields_fd.h"

#define GETTER(name) static FD_GETTER(name)

static bool makes_fd(const struct event *event)
{
	return event->schema->flags & EVENT_CREATES_FD;
}

/* Whether a file is behind the descriptor that the event made or used. What is a socket has its
 * ends in the record. */
static bool has_file(const struct event *event)
{
	if (!schema_has_file(event->schema) || has_socket(event))
		return false;
	return makes_fd(event) ? event->header->result >= 0
			       : event_kpath_head(event, (unsigned)roles_of(event)->path) != NULL;
}

/* ---- the descriptor ------------------------------------------------------------------------- */

/* The number as the call made or took it. False on events without one. */
static bool fd_number(const struct event *event, int64_t *ret)
{
	uint64_t number;

	if (!schema_has_fd(event->schema))
		return false;
	if (makes_fd(event) && event->header->result < 0) {
		*ret = -1;
		return true;
	}
	if (!event_number(event, (unsigned)roles_of(event)->fd, &number))
		return false;
	*ret = (int64_t)number;
	return true;
}

GETTER(get_num)
{
	int64_t number;

	if (fd_number(context->event, &number))
		give_s64(context, number, ret);
}

GETTER(get_uid)
{
	int64_t number;

	if (fd_number(context->event, &number))
		give_str(context,
			 arena_printf(context->event->scratch, "%u:%lld",
				      (unsigned)context->event->header->pid, (long long)number),
			 ret);
}

/* Of an open that succeeded the file may not be known: the descriptor is io_uring's own, or another
 * thread closed it before the call ended. It is taken for a file, or that would hide it. */
static struct descriptor_kind kind_of_file(const struct event *event)
{
	if (event_is_open(event) && !event_kpath_head(event, (unsigned)roles_of(event)->path))
		return (struct descriptor_kind){ .type = "file", .character = 'f' };
	return event_file_kind(event, (unsigned)roles_of(event)->path);
}

GETTER(get_type)
{
	if (has_file(context->event))
		give_text(context, kind_of_file(context->event).type, ret);
	else
		give_text(context, socket_type(context->event), ret);
}

/* A call that made no descriptor has a character all the same, and it differs between calls: T17 of
 * rule-language.md. */
static char typechar_of_failed(enum event_type type)
{
	switch ((int)type) {
	case EVENT_OPENAT:
	case EVENT_OPENAT2:
	case EVENT_CREAT:
		return 'f';
	case EVENT_SOCKET:
	case EVENT_ACCEPT:
	case EVENT_ACCEPT4:
		return '4';
	default:
		return 'o';
	}
}

GETTER(get_typechar)
{
	const struct event *event = context->event;
	char typechar;

	if (!schema_has_fd(event->schema))
		return;
	if (has_file(event))
		typechar = kind_of_file(event).character;
	else if (makes_fd(event) && event->header->result < 0)
		typechar = typechar_of_failed(event->schema->type);
	else
		typechar = socket_typechar(event);
	give_str(context, arena_str(event->scratch, (struct str){ &typechar, 1 }), ret);
}

/* ---- names ---------------------------------------------------------------------------------- */

/* Readings of the name of a descriptor of a file, or of one that could not be made. */
static bool name_readings(const struct event *event, struct readings *ret)
{
	ret->cnt = 0;
	if (schema_has_file(event->schema) && !has_socket(event))
		descriptor_readings(event, VALUE_PATH, ret);
	return ret->cnt > 0;
}

GETTER(get_name)
{
	struct readings readings;

	if (name_readings(context->event, &readings))
		give_values(context, readings.values, readings.cnt, ret);
	else
		net_get_name(context, argument, ret);
}

/* Bytes of the path before its last component: with the slash; 0 where there is none. */
static uint32_t prefix_length(struct str path)
{
	uint32_t n = path.n;

	while (n && path.p[n - 1] != '/')
		n--;
	return n;
}

/* memfd:x and pipe:[1] are in no directory. */
static struct str directory_of(struct str path)
{
	uint32_t n = prefix_length(path);

	if (!n || path.p[0] != '/')
		return STR_NONE;
	return (struct str){ path.p, n > 1 ? n - 1 : 1 };
}

static struct str filename_of(struct str path)
{
	uint32_t n = prefix_length(path);

	return (struct str){ path.p + n, path.n - n };
}

static bool is_file_or_directory(const struct event *event)
{
	char typechar = kind_of_file(event).character;

	return typechar == 'f' || typechar == 'd' || typechar == 'm';
}

static void give_part(const struct field_context *context, struct str (*part)(struct str path),
		      struct value_set *ret)
{
	struct readings readings, parts = { 0 };

	if (!name_readings(context->event, &readings))
		return;
	for (uint32_t i = 0; i < readings.cnt; i++)
		readings_add(&parts, VALUE_PATH, part(readings.values[i].str));
	give_values(context, parts.values, parts.cnt, ret);
}

static bool is_failed(const struct event *event)
{
	return makes_fd(event) && schema_has_file(event->schema) && event->header->result < 0;
}

GETTER(get_directory)
{
	const struct event *event = context->event;

	if (is_failed(event) || (has_file(event) && is_file_or_directory(event)))
		give_part(context, directory_of, ret);
}

GETTER(get_filename)
{
	if (has_file(context->event) && is_file_or_directory(context->event))
		give_part(context, filename_of, ret);
}

/* The container's id, a colon, and what another field prints. */
static void give_with_container(const struct field_context *context, field_get_fn get,
				const struct field_argument *argument, struct value_set *ret)
{
	const struct container *container = context->event->container;

	if (!container)
		return;
	get(context, argument, ret);
	if (ret->state != FIELD_VALUE || ret->cnt == 0)
		return;
	give_str(context,
		 arena_printf(context->event->scratch, "%s:%.*s", container->id,
			      STR_ARG(ret->values[0].str)),
		 ret);
}

GETTER(get_containername)
{
	give_with_container(context, get_name, argument, ret);
}

GETTER(get_containerdirectory)
{
	give_with_container(context, get_directory, argument, ret);
}

/* Runs of slashes become one, nothing else is touched. */
static struct str collapse_slashes(struct arena *scratch, struct str path)
{
	char *p = path.p ? arena_alloc(scratch, path.n + 1u) : NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < path.n && p; i++)
		if (path.p[i] != '/' || n == 0 || p[n - 1] != '/')
			p[n++] = path.p[i];
	return p ? (struct str){ p, n } : STR_NONE;
}

GETTER(get_nameraw)
{
	const struct event *event = context->event;
	int text = roles_of(event)->name.text;

	if (makes_fd(event) && schema_has_fd(event->schema) && text >= 0)
		give_str(context,
			 collapse_slashes(event->scratch, event_string(event, (unsigned)text)),
			 ret);
	else if (schema_has_fd(event->schema))
		give_text(context, "", ret);
}

/* Decision 7. */
GETTER(get_hostname_path)
{
	const struct event *event = context->event;
	const struct event_roles *roles = roles_of(event);
	struct str path;

	if (!has_file(event))
		return;
	path = event_kpath(event, (unsigned)roles->path, roles->ino, true);
	if (path.p)
		give_value(context, (struct value){ .type = VALUE_PATH, .str = path }, ret);
}

GETTER(get_name_truncated)
{
	const struct event *event = context->event;
	const struct wire_path *head = NULL;

	_Static_assert((int)PARAM_EXECVE_trusted_exepath == (int)PARAM_EXECVEAT_trusted_exepath,
		       "both events begin alike");
	if (schema_has_file(event->schema))
		head = event_kpath_head(event, (unsigned)roles_of(event)->path);
	else if (schema_is_exec(event->schema))
		head = event_kpath_head(event, PARAM_EXECVE_trusted_exepath);
	if (head)
		give_bool(context, head->flags & WIRE_PATH_TRUNCATED, ret);
}

/* ---- the file ------------------------------------------------------------------------------- */

#define MINOR_BITS 20 /* include/linux/kdev_t.h */

/* A number of the file; false where the event has none, or no file. */
static bool file_number(const struct event *event, int param, uint64_t *ret)
{
	return param >= 0 && has_file(event) && event_number(event, (unsigned)param, ret);
}

static bool device(const struct event *event, uint64_t *ret)
{
	return file_number(event, roles_of(event)->dev, ret);
}

GETTER(get_dev)
{
	uint64_t number;

	if (device(context->event, &number))
		give_u64(context, VALUE_U64, number, ret);
}

GETTER(get_dev_major)
{
	uint64_t number;

	if (device(context->event, &number))
		give_u64(context, VALUE_U64, number >> MINOR_BITS, ret);
}

GETTER(get_dev_minor)
{
	uint64_t number;

	if (device(context->event, &number))
		give_u64(context, VALUE_U64, number & ((1u << MINOR_BITS) - 1), ret);
}

GETTER(get_ino)
{
	const struct event *event = context->event;
	uint64_t number;

	if (file_number(event, roles_of(event)->ino, &number))
		give_u64(context, VALUE_U64, number, ret);
}

static void give_bit(const struct field_context *context, uint32_t bit, struct value_set *ret)
{
	const struct event *event = context->event;
	uint64_t bits;

	if (file_number(event, roles_of(event)->file_bits, &bits))
		give_bool(context, bits & bit, ret);
}

GETTER(get_is_upper_layer)
{
	give_bit(context, WIRE_FILE_UPPER_LAYER, ret);
}

GETTER(get_is_lower_layer)
{
	give_bit(context, WIRE_FILE_LOWER_LAYER, ret);
}

/* ---- the table ------------------------------------------------------------------------------ */

#define EITHER	  (FIELD_IS_ANY | FIELD_ALL_DIFFER | FIELD_FILTER_ONLY | FIELD_NO_RIGHT_SIDE)
#define HOST_NAME (FIELD_IS_ANY | FIELD_ALL_DIFFER | FIELD_NO_RIGHT_SIDE | FIELD_IS_HOST_NAME)
#define ONE_NET	  (FIELD_FILTER_ONLY | FIELD_NO_RIGHT_SIDE)
#define NO_VALUE  "Always, until its source exists."
#define NO_FD	  "On events without a descriptor."
#define NO_FILE	  "Where no file is behind the descriptor."
#define NO_SOCKET "On events without an internet socket, or where that end is not known."

/* clang-format off */
static const struct field fields[] = {
	FIELD_ROW("fd.cip", IP, 0, schema_is_socket, net_get_client_ip, "Address of the client.", NO_SOCKET, "fd.cip = 10.0.0.1"),
	FIELD_ROW("fd.cip.name", STRING, HOST_NAME, schema_is_socket, net_get_client_host_name, "The host names in rules whose address, by DNS, is the client's one; empty where there is none. A constant is a host name, resolved at start and each 30 seconds.", NO_SOCKET, "fd.cip.name = example.org"),
	FIELD_ROW("fd.cnet", NET, ONE_NET, schema_is_socket, net_get_client_net, "Network of the client.", NO_SOCKET, "fd.cnet = 10.0.0.0/8"),
	FIELD_ROW("fd.connected", BOOL, 0, schema_is_socket, net_get_connected,
		"Whether the socket is connected after the call; one that is still in progress is not.", "On events without a socket.", "fd.connected = true"),
	FIELD_ROW("fd.containerdirectory", STRING, 0, schema_has_file, get_containerdirectory, "container.id and fd.directory with a colon between.", "Where either is.", "fd.containerdirectory endswith :/etc"),
	FIELD_ROW("fd.containername", STRING, 0, schema_has_fd, get_containername, "container.id and fd.name with a colon between.", "Where either is.", "fd.containername endswith :/etc/shadow"),
	FIELD_ROW("fd.cport", PORT, 0, schema_is_socket, net_get_client_port, "Port of the client.", NO_SOCKET, "fd.cport > 32767"),
	FIELD_ROW("fd.cproto", STRING, 0, schema_is_socket, net_get_client_proto, "Service name of the client's port, or its number.", NO_SOCKET, "fd.cproto = ntp"),
	FIELD_ROW("fd.dev", U64, 0, schema_has_file, get_dev, "Device of the file, as the kernel numbers it.", NO_FILE, "fd.dev = 8388609"),
	FIELD_ROW("fd.dev.major", U64, 0, schema_has_file, get_dev_major, "Major number of the device.", NO_FILE, "fd.dev.major = 8"),
	FIELD_ROW("fd.dev.minor", U64, 0, schema_has_file, get_dev_minor, "Minor number of the device.", NO_FILE, "fd.dev.minor = 1"),
	FIELD_ROW("fd.directory", PATH, FIELD_IS_READINGS, schema_has_file, get_directory,
		"Directory of fd.name, without a slash at its end unless it is the root.", "Where it is neither a file nor a directory.", "fd.directory = /etc"),
	FIELD_ROW("fd.filename", PATH, FIELD_IS_READINGS, schema_has_file, get_filename,
		"Last component of fd.name.", NO_FILE, "fd.filename = authorized_keys"),
	FIELD_ROW("fd.hostname_path", PATH, 0, schema_has_file, get_hostname_path,
		"Path of the file from the root of its mount namespace: the same as fd.name, but for a process in a chroot.", NO_FILE, "fd.hostname_path startswith /srv/jail/"),
	FIELD_ROW("fd.ino", U64, 0, schema_has_file, get_ino, "Inode of the file.", NO_FILE, "fd.ino = 1234"),
	FIELD_ROW("fd.ip", IP, EITHER, schema_is_socket, net_get_ip, "Address of either end; != asks that both differ.", NO_SOCKET, "fd.ip = 10.0.0.1"),
	FIELD_ROW("fd.is_lower_layer", BOOL, 0, schema_has_file, get_is_lower_layer, "Whether the file lies in the lower layer of an overlay: in the image.", NO_FILE, "fd.is_lower_layer = true"),
	FIELD_ROW("fd.is_server", BOOL, 0, schema_is_socket, net_get_is_server, "Whether the process owns the server's end. Of a connection whose begin was not seen the lower port is taken for the server's.", "On events without a socket.", "fd.is_server = true"),
	FIELD_ROW("fd.is_upper_layer", BOOL, 0, schema_has_file, get_is_upper_layer, "Whether the file lies in the upper layer of an overlay.", NO_FILE, "fd.is_upper_layer = true"),
	FIELD_ROW("fd.l4proto", STRING, 0, schema_is_socket, net_get_l4proto, "tcp, udp, icmp, raw, or <NA> for another.", "On events without a socket.", "fd.l4proto = udp"),
	FIELD_ROW("fd.lip", IP, 0, schema_is_socket, net_get_local_ip, "Local address.", NO_SOCKET, "fd.lip = 10.0.0.1"),
	FIELD_ROW("fd.lip.name", STRING, HOST_NAME, schema_is_socket, net_get_local_host_name, "The host names in rules whose address, by DNS, is the local one; empty where there is none. A constant is a host name, resolved at start and each 30 seconds.", NO_SOCKET, "fd.lip.name = example.org"),
	FIELD_ROW("fd.lnet", NET, ONE_NET, schema_is_socket, net_get_local_net, "Local network.", NO_SOCKET, "fd.lnet = 10.0.0.0/8"),
	FIELD_ROW("fd.lport", PORT, 0, schema_is_socket, net_get_local_port, "Local port.", NO_SOCKET, "fd.lport > 32767"),
	FIELD_ROW("fd.lproto", STRING, 0, schema_is_socket, net_get_local_proto, "Service name of the local port, or its number.", NO_SOCKET, "fd.lproto = ntp"),
	FIELD_ROW("fd.name", PATH, FIELD_IS_READINGS, schema_has_fd, get_name,
		"Path of the file, or the two ends of a socket. A path has readings: of the file itself, as passed to an open, and beyond a chroot. On a failed open the path as passed. A unix socket shows the inodes of both ends and the name that one is bound to, 11->12 /run/x; the name alone is a reading too.", NO_FD, "fd.name = /etc/shadow"),
	FIELD_ROW("fd.name_changed", BOOL, 0, schema_is_socket, net_get_name_changed, "Whether the call gave the socket its peer: a connect, an accept, the first datagram to or from somebody. bind gives it its own name.", "On events without a socket.", "fd.name_changed = true"),
	FIELD_ROW("fd.name_truncated", BOOL, 0, schema_has_file_path, get_name_truncated,
		"Whether the kernel's path of the file, or of the executed one, was too long to be read whole.", "Where there is no such path.", "fd.name_truncated = true"),
	FIELD_ROW("fd.nameraw", STRING, 0, schema_has_fd, get_nameraw, "The path as the program passed it, with runs of slashes made one; empty for a socket.", NO_FD, "fd.nameraw contains ../"),
	FIELD_ROW("fd.net", NET, EITHER, schema_is_socket, net_get_net, "Network of either end; != asks that both differ.", NO_SOCKET, "fd.net = 10.0.0.0/8"),
	FIELD_ROW("fd.num", S64, 0, schema_has_fd, get_num, "The descriptor; -1 where the call that should have made it failed.", NO_FD, "fd.num >= 0"),
	FIELD_ROW("fd.port", PORT, EITHER, schema_is_socket, net_get_port, "Port of either end; != asks that both differ.", NO_SOCKET, "fd.port = 22"),
	FIELD_ROW("fd.proto", STRING, EITHER, schema_is_socket, net_get_proto, "Service name of either end's port, or its number.", NO_SOCKET, "fd.proto = ssh"),
	FIELD_ROW("fd.rip", IP, 0, schema_is_socket, net_get_remote_ip, "Remote address.", NO_SOCKET, "fd.rip = 10.0.0.1"),
	FIELD_ROW("fd.rip.name", STRING, HOST_NAME, schema_is_socket, net_get_remote_host_name, "The host names in rules whose address, by DNS, is the remote one; empty where there is none. A constant is a host name, resolved at start and each 30 seconds.", NO_SOCKET, "fd.rip.name = example.org"),
	FIELD_ROW("fd.rnet", NET, ONE_NET, schema_is_socket, net_get_remote_net, "Remote network.", NO_SOCKET, "fd.rnet = 10.0.0.0/8"),
	FIELD_ROW("fd.rport", PORT, 0, schema_is_socket, net_get_remote_port, "Remote port.", NO_SOCKET, "fd.rport = 22"),
	FIELD_ROW("fd.rproto", STRING, 0, schema_is_socket, net_get_remote_proto, "Service name of the remote port, or its number.", NO_SOCKET, "fd.rproto = ssh"),
	FIELD_ROW("fd.sip", IP, 0, schema_is_socket, net_get_server_ip, "Address of the server.", NO_SOCKET, "fd.sip = 169.254.169.254"),
	FIELD_ROW("fd.sip.name", STRING, HOST_NAME, schema_is_socket, net_get_server_host_name, "The host names in rules whose address, by DNS, is the server's one; empty where there is none. A constant is a host name, resolved at start and each 30 seconds.", NO_SOCKET, "fd.sip.name = example.org"),
	FIELD_ROW("fd.snet", NET, ONE_NET, schema_is_socket, net_get_server_net, "Network of the server.", NO_SOCKET, "fd.snet in (10.0.0.0/8, 192.168.0.0/16)"),
	FIELD_ROW("fd.sockfamily", STRING, 0, schema_is_socket, net_get_sockfamily, "ip or unix.", "On every other event.", "fd.sockfamily = ip"),
	FIELD_ROW("fd.sport", PORT, 0, schema_is_socket, net_get_server_port, "Port of the server.", NO_SOCKET, "fd.sport = 443"),
	FIELD_ROW("fd.sproto", STRING, 0, schema_is_socket, net_get_server_proto, "Service name of the server's port, or its number.", NO_SOCKET, "fd.sproto = https"),
	FIELD_ROW("fd.type", STRING, 0, schema_has_fd, get_type, "Kind: file, directory, pipe, memfd, event, eventpoll, signalfd, timerfd, inotify, bpf, io_uring, userfaultfd, pidfd, ipv4, ipv6, unix, netlink, packet or vsock.", "On events without a descriptor, and where the call failed to make one.", "fd.type = ipv4"),
	FIELD_ROW("fd.typechar", STRING, 0, schema_has_fd, get_typechar,
		"Kind as one character: f file, d directory, p pipe, m memfd, e event, l eventpoll, s signalfd, t timerfd, i inotify, b bpf, r io_uring, u userfaultfd, P pidfd, 4 and 6 internet, u unix, n netlink, o another. On a failed openat, openat2 and creat f, on a failed socket and accept 4, on another failed call o.", NO_FD, "fd.typechar = f"),
	FIELD_ROW_RESERVED("fd.types", STRING, FIELD_IS_LIST | FIELD_NO_RIGHT_SIDE | FIELD_ARG_ALLOWED_INDEX | FIELD_ARG_ALLOWED_KEY,
		"Kinds of all descriptors that the process has open.", NO_VALUE, "fd.types intersects (ipv4, ipv6)"),
	FIELD_ROW("fd.uid", STRING, 0, schema_has_fd, get_uid, "Process id and descriptor with a colon between.", NO_FD, "fd.uid = 1234:3"),
};
/* clang-format on */

const struct field_family fields_fd = { fields, ARRAY_LEN(fields) };
