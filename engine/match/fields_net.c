/*
 * Fields of sockets: fd.* on network events. Everything comes from the event's own record: the two
 * ends as the kernel connected them (decision 3). Owns nothing. Engine thread.
 */
#include "fields_fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_MAX 512 /* two addresses with ports, or a unix path of 108 bytes */

enum end {
	END_LOCAL,
	END_REMOTE,
	END_CLIENT,
	END_SERVER
};

static bool is_connect(const struct event *event)
{
	return event->schema->type == EVENT_CONNECT;
}

/* The event's two ends; of a connect whose ends the kernel doesn't know, the address as passed. */
static bool find_tuple(const struct event *event, struct wire_tuple *ret, struct str *ret_path)
{
	const struct event_roles *roles = roles_of(event);

	if (!schema_is_socket(event->schema))
		return false;
	return event_tuple(event, (unsigned)roles->tuple, ret, ret_path) ||
	       (is_connect(event) && event_tuple(event, (unsigned)roles->address, ret, ret_path));
}

bool has_socket(const struct event *event)
{
	struct wire_tuple tuple;
	struct str path;

	return find_tuple(event, &tuple, &path);
}

static bool is_ip(const struct wire_tuple *tuple)
{
	return tuple->family == AF_INET || tuple->family == AF_INET6;
}

static bool find_ip_tuple(const struct event *event, struct wire_tuple *ret)
{
	struct str path;

	return find_tuple(event, ret, &path) && is_ip(ret);
}

/* Which end is the server's: END_LOCAL, END_REMOTE, or neither known (END_SERVER). What the probes
 * have not seen begin is guessed by the ports: the lower one is the service's. */
static enum end server_end(const struct event *event, const struct wire_tuple *tuple)
{
	if (tuple->flags & WIRE_TUPLE_SERVER)
		return END_LOCAL;
	if (tuple->flags & WIRE_TUPLE_CLIENT || is_connect(event))
		return END_REMOTE;
	if (!(tuple->flags & WIRE_TUPLE_REMOTE))
		return tuple->flags & WIRE_TUPLE_LOCAL ? END_LOCAL : END_SERVER;
	if (!is_ip(tuple) || tuple->local_port == tuple->remote_port)
		return END_SERVER;
	return tuple->local_port < tuple->remote_port ? END_LOCAL : END_REMOTE;
}

/* Makes END_LOCAL or END_REMOTE of an end that is told by its role. False: it is not known. */
static bool find_end(const struct event *event, const struct wire_tuple *tuple, enum end *end)
{
	enum end server;

	if (*end == END_CLIENT || *end == END_SERVER) {
		server = server_end(event, tuple);
		if (server == END_SERVER)
			return false;
		if (*end == END_CLIENT)
			*end = server == END_LOCAL ? END_REMOTE : END_LOCAL;
		else
			*end = server;
	}
	return tuple->flags & (*end == END_LOCAL ? WIRE_TUPLE_LOCAL : WIRE_TUPLE_REMOTE);
}

/* ---- kind ----------------------------------------------------------------------------------- */

static const struct family_kind {
	uint16_t family;
	char typechar;
	const char *type;
} family_kinds[] = {
	{ AF_INET, '4', "ipv4" },	{ AF_INET6, '6', "ipv6" },    { AF_UNIX, 'u', "unix" },
	{ AF_NETLINK, 'n', "netlink" }, { AF_PACKET, 'o', "packet" }, { AF_VSOCK, 'o', "vsock" },
};

static const struct family_kind *find_kind(const struct event *event)
{
	struct wire_tuple tuple;
	struct str path;

	if (!find_tuple(event, &tuple, &path))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(family_kinds); i++)
		if (family_kinds[i].family == tuple.family)
			return &family_kinds[i];
	return NULL;
}

const char *socket_type(const struct event *event)
{
	const struct family_kind *kind = find_kind(event);

	return kind ? kind->type : NULL;
}

char socket_typechar(const struct event *event)
{
	const struct family_kind *kind = find_kind(event);

	return kind ? kind->typechar : 'o';
}

/* A unix socket's readings: as Falco shows it, its path alone, and the path as passed. */
FD_GETTER(net_get_name)
{
	const struct event *event = context->event;
	struct buf text = scratch_buf(context, ADDRESS_TEXT_MAX);
	struct readings readings = { 0 };
	struct wire_tuple tuple;
	struct str path;

	if (!find_tuple(event, &tuple, &path))
		return;
	tuple_format(&tuple, path, &text);
	if (text.failed)
		return;
	readings_add(&readings, VALUE_PATH, buf_str(&text));
	if (path.n) {
		readings_add(&readings, VALUE_PATH, path);
		if (roles_of(event)->address >= 0 &&
		    event_tuple(event, (unsigned)roles_of(event)->address, &tuple, &path) && path.n)
			readings_add(&readings, VALUE_PATH, path);
	}
	give_values(context, readings.values, readings.cnt, ret);
}

/* A connect tells by its result, because another socket may be behind the descriptor by now. */
FD_GETTER(net_get_connected)
{
	struct wire_tuple tuple;
	struct str path;

	if (is_connect(context->event))
		give_bool(context, context->event->header->result >= 0, ret);
	else if (find_tuple(context->event, &tuple, &path))
		give_bool(context, tuple.flags & WIRE_TUPLE_CONNECTED, ret);
}

/* A connect that succeeded or goes on gave the socket its peer. */
FD_GETTER(net_get_name_changed)
{
	int64_t result = context->event->header->result;
	struct wire_tuple tuple;
	struct str path;

	if (is_connect(context->event))
		give_bool(context, result >= 0 || result == -EINPROGRESS || result == -EINTR, ret);
	else if (find_tuple(context->event, &tuple, &path))
		give_bool(context, tuple.flags & WIRE_TUPLE_NEW, ret);
}

FD_GETTER(net_get_is_server)
{
	struct wire_tuple tuple;
	struct str path;

	if (is_connect(context->event))
		give_bool(context, false, ret);
	else if (find_tuple(context->event, &tuple, &path))
		give_bool(context, server_end(context->event, &tuple) == END_LOCAL, ret);
}

FD_GETTER(net_get_l4proto)
{
	struct wire_tuple tuple;
	struct str path;
	int type_param = roles_of(context->event)->socket_type;
	uint64_t type = 0;

	if (!find_tuple(context->event, &tuple, &path))
		return;
	if (is_ip(&tuple) && type_param >= 0 &&
	    event_number(context->event, (unsigned)type_param, &type) && type == SOCK_RAW)
		give_text(context, "raw", ret);
	else if (is_ip(&tuple) && tuple.l4_protocol == IPPROTO_TCP)
		give_text(context, "tcp", ret);
	else if (is_ip(&tuple) && tuple.l4_protocol == IPPROTO_UDP)
		give_text(context, "udp", ret);
	else if (is_ip(&tuple) &&
		 (tuple.l4_protocol == IPPROTO_ICMP || tuple.l4_protocol == IPPROTO_ICMPV6))
		give_text(context, "icmp", ret);
	else /* a real value: rule-language.md 4.3 */
		give_text(context, "<NA>", ret);
}

FD_GETTER(net_get_sockfamily)
{
	struct wire_tuple tuple;
	struct str path;

	if (!find_tuple(context->event, &tuple, &path))
		return;
	if (is_ip(&tuple))
		give_text(context, "ip", ret);
	else if (tuple.family == AF_UNIX)
		give_text(context, "unix", ret);
}

/* ---- values of one end ---------------------------------------------------------------------- */

static struct value address_value(const struct wire_tuple *tuple, enum end end,
				  enum value_type type)
{
	const uint8_t *from = end == END_LOCAL ? tuple->local_address : tuple->remote_address;
	struct value value = { .type = type };

	value.ip.family = (uint8_t)tuple->family;
	memcpy(value.ip.bytes, from, tuple->family == AF_INET ? 4 : 16);
	return value;
}

static uint16_t port_of(const struct wire_tuple *tuple, enum end end)
{
	return end == END_LOCAL ? tuple->local_port : tuple->remote_port;
}

static struct value port_value(const struct wire_tuple *tuple, enum end end, enum value_type type)
{
	return (struct value){ .type = type, .u64 = port_of(tuple, end) };
}

typedef struct value (*end_value_fn)(const struct wire_tuple *tuple, enum end end,
				     enum value_type type);

static void give_end(const struct field_context *context, enum end end, end_value_fn make,
		     enum value_type type, struct value_set *ret)
{
	struct wire_tuple tuple;

	if (find_ip_tuple(context->event, &tuple) && find_end(context->event, &tuple, &end))
		give_value(context, make(&tuple, end, type), ret);
}

/* The known ends, client first where that is known. */
static uint32_t known_ends(const struct event *event, const struct wire_tuple *tuple,
			   enum end ret[2])
{
	bool is_server = server_end(event, tuple) == END_LOCAL;
	enum end ends[] = { is_server ? END_REMOTE : END_LOCAL,
			    is_server ? END_LOCAL : END_REMOTE };
	uint32_t cnt = 0;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (find_end(event, tuple, &ends[i]))
			ret[cnt++] = ends[i];
	return cnt;
}

static void give_both_ends(const struct field_context *context, end_value_fn make,
			   enum value_type type, struct value_set *ret)
{
	struct wire_tuple tuple;
	struct value values[2];
	enum end ends[2];
	uint32_t cnt;

	if (!find_ip_tuple(context->event, &tuple))
		return;
	cnt = known_ends(context->event, &tuple, ends);
	for (uint32_t i = 0; i < cnt; i++)
		values[i] = make(&tuple, ends[i], type);
	give_values(context, values, cnt, ret);
}

FD_GETTER(net_get_ip)
{
	give_both_ends(context, address_value, VALUE_IP, ret);
}

FD_GETTER(net_get_net)
{
	give_both_ends(context, address_value, VALUE_NET, ret);
}

FD_GETTER(net_get_port)
{
	give_both_ends(context, port_value, VALUE_PORT, ret);
}

FD_GETTER(net_get_local_ip)
{
	give_end(context, END_LOCAL, address_value, VALUE_IP, ret);
}

FD_GETTER(net_get_local_net)
{
	give_end(context, END_LOCAL, address_value, VALUE_NET, ret);
}

FD_GETTER(net_get_local_port)
{
	give_end(context, END_LOCAL, port_value, VALUE_PORT, ret);
}

FD_GETTER(net_get_remote_ip)
{
	give_end(context, END_REMOTE, address_value, VALUE_IP, ret);
}

FD_GETTER(net_get_remote_net)
{
	give_end(context, END_REMOTE, address_value, VALUE_NET, ret);
}

FD_GETTER(net_get_remote_port)
{
	give_end(context, END_REMOTE, port_value, VALUE_PORT, ret);
}

FD_GETTER(net_get_client_ip)
{
	give_end(context, END_CLIENT, address_value, VALUE_IP, ret);
}

FD_GETTER(net_get_client_net)
{
	give_end(context, END_CLIENT, address_value, VALUE_NET, ret);
}

FD_GETTER(net_get_client_port)
{
	give_end(context, END_CLIENT, port_value, VALUE_PORT, ret);
}

FD_GETTER(net_get_server_ip)
{
	give_end(context, END_SERVER, address_value, VALUE_IP, ret);
}

FD_GETTER(net_get_server_net)
{
	give_end(context, END_SERVER, address_value, VALUE_NET, ret);
}

FD_GETTER(net_get_server_port)
{
	give_end(context, END_SERVER, port_value, VALUE_PORT, ret);
}

/* ---- names of ports ------------------------------------------------------------------------- */

/* A table: the services that are met most, by the IANA registry. Asking the host would be NSS, and
 * so files and the network, for each event. */
static struct str port_name(struct arena *scratch, uint16_t port)
{
	static const struct {
		uint16_t port;
		const char *name;
	} services[] = {
		{ 20, "ftp-data" },	 { 21, "ftp" },		  { 22, "ssh" },
		{ 23, "telnet" },	 { 25, "smtp" },	  { 53, "domain" },
		{ 67, "bootps" },	 { 68, "bootpc" },	  { 69, "tftp" },
		{ 80, "http" },		 { 88, "kerberos" },	  { 110, "pop3" },
		{ 111, "sunrpc" },	 { 119, "nntp" },	  { 123, "ntp" },
		{ 143, "imap2" },	 { 161, "snmp" },	  { 179, "bgp" },
		{ 194, "irc" },		 { 389, "ldap" },	  { 443, "https" },
		{ 445, "microsoft-ds" }, { 465, "submissions" },  { 514, "shell" },
		{ 587, "submission" },	 { 631, "ipp" },	  { 636, "ldaps" },
		{ 853, "domain-s" },	 { 873, "rsync" },	  { 993, "imaps" },
		{ 995, "pop3s" },	 { 1194, "openvpn" },	  { 1433, "ms-sql-s" },
		{ 2049, "nfs" },	 { 3306, "mysql" },	  { 3389, "ms-wbt-server" },
		{ 5060, "sip" },	 { 5222, "xmpp-client" }, { 5353, "mdns" },
		{ 5432, "postgresql" },	 { 5672, "amqp" },	  { 6379, "redis" },
		{ 6667, "ircd" },	 { 8080, "http-alt" },
	};

	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		if (services[i].port == port)
			return str_from(services[i].name);
	return arena_printf(scratch, "%u", (unsigned)port);
}

static void give_proto(const struct field_context *context, const enum end *ends, uint32_t end_cnt,
		       const struct wire_tuple *tuple, struct value_set *ret)
{
	struct value values[2];

	for (uint32_t i = 0; i < end_cnt; i++) {
		values[i] = (struct value){ .type = VALUE_STRING,
					    .str = port_name(context->event->scratch,
							     port_of(tuple, ends[i])) };
		if (!values[i].str.p)
			return;
	}
	give_values(context, values, end_cnt, ret);
}

FD_GETTER(net_get_proto)
{
	struct wire_tuple tuple;
	enum end ends[2];

	if (find_ip_tuple(context->event, &tuple))
		give_proto(context, ends, known_ends(context->event, &tuple, ends), &tuple, ret);
}

static void give_end_proto(const struct field_context *context, enum end end, struct value_set *ret)
{
	struct wire_tuple tuple;

	if (find_ip_tuple(context->event, &tuple) && find_end(context->event, &tuple, &end))
		give_proto(context, &end, 1, &tuple, ret);
}

FD_GETTER(net_get_local_proto)
{
	give_end_proto(context, END_LOCAL, ret);
}

FD_GETTER(net_get_remote_proto)
{
	give_end_proto(context, END_REMOTE, ret);
}

FD_GETTER(net_get_client_proto)
{
	give_end_proto(context, END_CLIENT, ret);
}

FD_GETTER(net_get_server_proto)
{
	give_end_proto(context, END_SERVER, ret);
}

/* ---- names by DNS --------------------------------------------------------------------------- */

#define NAMES_MAX 64 /* that share one address, and are told */

/* The rules' host names that have the address; the empty text, which is no name, where none has it,
 * so that `!=` holds. Pending until each name has been asked for once. */
static void give_host_names(const struct field_context *context, enum end end,
			    struct value_set *ret)
{
	const struct host_names *table = context->host_names;
	struct value values[NAMES_MAX] = { { .type = VALUE_STRING, .str = STR("") } };
	uint32_t names[NAMES_MAX], cnt;
	struct host_address address;
	struct wire_tuple tuple;
	struct value value;

	if (!table || !find_ip_tuple(context->event, &tuple) ||
	    !find_end(context->event, &tuple, &end))
		return;
	if (host_names_are_waited_for(table) && !context->is_final) {
		ret->state = FIELD_PENDING;
		return;
	}
	value = address_value(&tuple, end, VALUE_IP);
	host_address_from(value.ip.bytes, tuple.family == AF_INET ? 4 : 16, &address);
	cnt = host_names_find(table, &address, names, NAMES_MAX);
	for (uint32_t i = 0; i < cnt; i++)
		values[i] = (struct value){ .type = VALUE_STRING,
					    .str = host_names_at(table, names[i]) };
	give_values(context, values, MAX(cnt, 1u), ret);
}

FD_GETTER(net_get_local_host_name)
{
	give_host_names(context, END_LOCAL, ret);
}

FD_GETTER(net_get_remote_host_name)
{
	give_host_names(context, END_REMOTE, ret);
}

FD_GETTER(net_get_client_host_name)
{
	give_host_names(context, END_CLIENT, ret);
}

FD_GETTER(net_get_server_host_name)
{
	give_host_names(context, END_SERVER, ret);
}
