/*
 * fd.* of sockets: which end is the client's and which the server's, on every kind of call; what a
 * fresh, a bound and a unix socket show.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <criterion/criterion.h>

#include "fields_fixture.h"

#define BOTH   (WIRE_TUPLE_LOCAL | WIRE_TUPLE_REMOTE)
#define LOCAL  WIRE_TUPLE_LOCAL
#define REMOTE WIRE_TUPLE_REMOTE
#define RAW    WIRE_TUPLE_RAW
#define SERVER WIRE_TUPLE_SERVER
#define CLIENT WIRE_TUPLE_CLIENT
#define JOINED WIRE_TUPLE_CONNECTED
#define NEW    WIRE_TUPLE_NEW

static struct fields_fixture fixture;
static const struct fixture_program program = { .pid = 100,
						.parent_pid = 1,
						.comm = "program",
						.exe = "program",
						.exepath = "/usr/bin/program" };

static void setup(void)
{
	fixture_init(&fixture);
	fixture_run(&fixture, &program);
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(fields_net, .init = setup, .fini = teardown);

static const char *const columns[] = { "fd.cip",       "fd.cport",     "fd.sip",
				       "fd.sport",     "fd.lip",       "fd.rport",
				       "fd.ip",	       "fd.sproto",    "fd.name",
				       "fd.is_server", "fd.connected", "fd.name_changed",
				       "fd.typechar" };

#define NO "<absent>"
#define A  "10.0.0.1"
#define B  "8.8.8.8"

/* clang-format off */
static const struct {
	const char *name;
	enum event_type type;
	int64_t result;
	unsigned flags, local_port, remote_port;
	const char *wants[ARRAY_LEN(columns)];
} cases[] = {
	{ "accept", EVENT_ACCEPT4, 5, BOTH | SERVER | NEW | JOINED, 22, 50000,
	  { B, "50000", A, "22", A, "50000", B " | " A, "ssh", A ":22->" B ":50000", "true", "true", "true", "4" } },
	{ "accept: none", EVENT_ACCEPT, -EAGAIN, 0, 0, 0,
	  { NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, "4" } },
	{ "connect refused", EVENT_CONNECT, -ECONNREFUSED, BOTH | CLIENT, 50000, 443,
	  { A, "50000", B, "443", A, "443", A " | " B, "https", A ":50000->" B ":443", "false", "false", "false", "4" } },
	{ "connect, interrupted", EVENT_CONNECT, -EINTR, BOTH | CLIENT | NEW, 50000, 443,
	  { A, "50000", B, "443", A, "443", A " | " B, "https", A ":50000->" B ":443", "false", "false", "true", "4" } },
	{ "bind", EVENT_BIND, 0, LOCAL | SERVER | NEW, 80, 0,
	  { NO, NO, A, "80", A, NO, A, "http", A ":80", "true", "false", "true", "4" } },
	{ "listen", EVENT_LISTEN, 0, LOCAL | SERVER, 80, 0,
	  { NO, NO, A, "80", A, NO, A, "http", A ":80", "true", "false", "false", "4" } },
	{ "first datagram", EVENT_SENDTO, 9, BOTH | RAW | CLIENT | NEW, 50000, 53,
	  { A, "50000", B, "53", A, "53", A " | " B, "domain", A ":50000->" B ":53", "false", "false", "true", "4" } },
	{ "an answer", EVENT_SENDTO, 9, BOTH | RAW | SERVER, 53, 50000,
	  { B, "50000", A, "53", A, "50000", B " | " A, "domain", A ":53->" B ":50000", "true", "false", "false", "4" } },
	{ "a datagram that comes", EVENT_RECVFROM, 9, BOTH | RAW | SERVER | NEW, 53, 50000,
	  { B, "50000", A, "53", A, "50000", B " | " A, "domain", A ":53->" B ":50000", "true", "false", "true", "4" } },
	{ "read of a connection that was there before", EVENT_READ, 9, BOTH | JOINED, 50000, 5432,
	  { A, "50000", B, "5432", A, "5432", A " | " B, "postgresql", A ":50000->" B ":5432", "false", "true", "false", "4" } },
	{ "the same of a server", EVENT_WRITE, 9, BOTH | JOINED, 5432, 50000,
	  { B, "50000", A, "5432", A, "50000", B " | " A, "postgresql", A ":5432->" B ":50000", "true", "true", "false", "4" } },
	{ "equal ports say nothing", EVENT_WRITE, 9, BOTH | JOINED, 123, 123,
	  { NO, NO, NO, NO, A, "123", A " | " B, NO, A ":123->" B ":123", "false", "true", "false", "4" } },
	{ "a fresh socket", EVENT_SOCKET, 5, 0, 0, 0,
	  { NO, NO, NO, NO, NO, NO, NO, NO, "", "false", "false", "false", "4" } },
	{ "dup", EVENT_DUP2, 0, BOTH | CLIENT | JOINED, 50000, 4444,
	  { A, "50000", B, "4444", A, "4444", A " | " B, "4444", A ":50000->" B ":4444", "false", "true", "false", "4" } },
};
/* clang-format on */

static void put_tuple(unsigned family, unsigned flags, unsigned local_port, unsigned remote_port)
{
	struct wire_tuple tuple = { .family = (uint16_t)family,
				    .l4_protocol = IPPROTO_TCP,
				    .flags = (uint8_t)flags,
				    .local_port = (uint16_t)local_port,
				    .remote_port = (uint16_t)remote_port };

	if (flags & LOCAL)
		memcpy(tuple.local_address, "\x0a\0\0\1", 4);
	if (flags & REMOTE)
		memcpy(tuple.remote_address, "\x08\x08\x08\x08", 4);
	record_put_bytes(&fixture.record, "tuple", &tuple, sizeof(tuple));
}

static void begin(enum event_type type, int64_t result)
{
	const struct event_schema *schema = event_schema_get(type);
	bool creates_fd = schema->flags & EVENT_CREATES_FD;

	fixture_begin(&fixture, type, &program);
	fixture.record.header->result = result;
	if (event_roles_of(schema)->fd >= 0)
		record_put_number(&fixture.record, schema->params[event_roles_of(schema)->fd].name,
				  creates_fd ? (uint64_t)result : 5);
}

Test(fields_net, ends)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin(cases[i].type, cases[i].result);
		if (cases[i].flags || cases[i].type == EVENT_SOCKET)
			put_tuple(AF_INET, cases[i].flags, cases[i].local_port,
				  cases[i].remote_port);
		fixture_event(&fixture);
		for (size_t at = 0; at < ARRAY_LEN(columns); at++) {
			const char *text = fixture_read(&fixture, columns[at]);

			cr_expect_str_eq(text, cases[i].wants[at], "%s: %s is '%s', not '%s'",
					 cases[i].name, columns[at], text, cases[i].wants[at]);
		}
	}
}

/* A file that is read has no fields of a socket, and they are no false ones. */
Test(fields_net, no_socket)
{
	static const struct fixture_case wants[] = {
		{ "fd.connected", NO },	 { "fd.name_changed", NO },
		{ "fd.is_server", NO },	 { "fd.ip", NO },
		{ "fd.l4proto", NO },	 { "fd.typechar", "f" },
		{ "fd.name", "/etc/x" }, { NULL, NULL },
	};

	begin(EVENT_READ, 3);
	record_put_path(&fixture.record, "path", "/etc/x");
	record_put_number(&fixture.record, "file_mode", 0100644);
	fixture_event(&fixture);
	fixture_expect(&fixture, "a file", wants);
}

static void put_unix(const char *param, unsigned flags, uint64_t local, uint64_t remote,
		     const char *path)
{
	uint8_t bytes[sizeof(struct wire_tuple) + 64];
	struct wire_tuple tuple = { .family = AF_UNIX, .flags = (uint8_t)flags };

	memcpy(tuple.local_address, &local, sizeof(local));
	memcpy(tuple.remote_address, &remote, sizeof(remote));
	memcpy(bytes, &tuple, sizeof(tuple));
	strcpy((char *)bytes + sizeof(tuple), path);
	record_put_bytes(&fixture.record, param, bytes,
			 (uint32_t)(sizeof(tuple) + strlen(path) + 1));
}

/* As Falco shows it, but with inodes; the path alone; and the path as passed. */
Test(fields_net, unix_readings)
{
	static const struct fixture_case wants[] = {
		{ "fd.name", "11->12 /run/docker.sock | /run/docker.sock | ../run/docker.sock" },
		{ "fd.type", "unix" },
		{ "fd.sockfamily", "unix" },
		{ "fd.ip", NO },
		{ "fd.sip", NO },
		{ "evt.arg.tuple", "11->12 /run/docker.sock" },
		{ "evt.arg.addr", "../run/docker.sock" },
		{ "evt.arg.fd", "<u>11->12 /run/docker.sock" },
		{ NULL, NULL },
	};

	begin(EVENT_CONNECT, 0);
	put_unix("tuple", BOTH | CLIENT, 11, 12, "/run/docker.sock");
	put_unix("addr", REMOTE | RAW, 0, 0, "../run/docker.sock");
	fixture_event(&fixture);
	fixture_expect(&fixture, "unix", wants);
	begin(EVENT_ACCEPT, 5);
	put_unix("tuple", LOCAL | SERVER, 11, 0, "");
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "fd.name"), "11->0");
}

Test(fields_net, other_families)
{
	static const struct {
		unsigned family, flags, local_port;
		uint32_t local[2], remote[2];
		const char *type, *typechar, *name;
	} rows[] = {
		{ AF_NETLINK, BOTH, 0, { 77, 0x11 }, { 0, 0 }, "netlink", "n", "77/11->0" },
		{ AF_NETLINK, 0, 0, { 0 }, { 0 }, "netlink", "n", "AF_ROUTE|AF_NETLINK" },
		{ AF_PACKET, LOCAL, 3, { 2 }, { 0 }, "packet", "o", "if2:0003" },
		{ AF_VSOCK, BOTH, 0, { 0xffffffff, 1024 }, { 2, 9 }, "vsock", "o", "-1:1024->2:9" },
		{ AF_ALG, 0, 0, { 0 }, { 0 }, NO, "o", "AF_ALG" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_tuple tuple = { .family = (uint16_t)rows[i].family,
					    .flags = (uint8_t)rows[i].flags,
					    .local_port = (uint16_t)rows[i].local_port };

		memcpy(tuple.local_address, rows[i].local, sizeof(rows[i].local));
		memcpy(tuple.remote_address, rows[i].remote, sizeof(rows[i].remote));
		begin(EVENT_SETSOCKOPT, 0);
		record_put_bytes(&fixture.record, "tuple", &tuple, sizeof(tuple));
		fixture_event(&fixture);
		cr_expect_str_eq(fixture_read(&fixture, "fd.name"), rows[i].name);
		cr_expect_str_eq(fixture_read(&fixture, "fd.type"), rows[i].type);
		cr_expect_str_eq(fixture_read(&fixture, "fd.typechar"), rows[i].typechar);
		cr_expect_str_eq(fixture_read(&fixture, "fd.ip"), NO);
		cr_expect_str_eq(fixture_read(&fixture, "fd.l4proto"), "<NA>");
	}
}

/* Numbers of one option mean another thing at another level. */
Test(fields_net, options)
{
	static const struct {
		uint64_t level, option;
		const char *level_text, *text, *number;
	} rows[] = {
		{ SOL_SOCKET, 1, "SOL_SOCKET", "SO_DEBUG", "1" },
		{ IPPROTO_TCP, 1, "SOL_TCP", "TCP_NODELAY", "1" },
		{ IPPROTO_TCP, 9999, "SOL_TCP", "9999", "9999" },
		{ 4321, 1, "4321", "1", "1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin(EVENT_SETSOCKOPT, 0);
		record_put_number(&fixture.record, "level", rows[i].level);
		record_put_number(&fixture.record, "optname", rows[i].level << 32 | rows[i].option);
		fixture_event(&fixture);
		cr_expect_str_eq(fixture_read(&fixture, "evt.arg.level"), rows[i].level_text);
		cr_expect_str_eq(fixture_read(&fixture, "evt.arg.optname"), rows[i].text);
		cr_expect_str_eq(fixture_read(&fixture, "evt.rawarg.optname"), rows[i].number);
	}
}

/* A call for several messages returns how many there were. */
Test(fields_net, lengths)
{
	begin(EVENT_SENDMMSG, 2);
	record_put_number(&fixture.record, "bytes", 77);
	put_tuple(AF_INET, BOTH | CLIENT, 1, 2);
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "evt.buflen"), "77");
	cr_expect_str_eq(fixture_read(&fixture, "evt.buflen.net.out"), "77");
	begin(EVENT_SENDTO, 5);
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "evt.buflen"), "5");
}

/* ---- names by DNS --------------------------------------------------------------------------- */

static void expect_name(const char *what, const char *field, const char *want)
{
	cr_expect_str_eq(fixture_read(&fixture, field), want, "%s: %s is %s", what, field,
			 fixture_read(&fixture, field));
}

Test(fields_net, host_names)
{
	static const struct str rules_names[] = { { "one.test", 8 }, { "two.test", 8 } };
	struct host_address server;
	struct host_names *table = NULL;

	begin(EVENT_CONNECT, 0);
	record_put_tuple(&fixture.record, "tuple", A ":40000", B ":443", IPPROTO_TCP);
	fixture_event(&fixture);
	expect_name("nothing is resolved", "fd.sip.name", NO);
	cr_assert_eq(host_names_new(rules_names, 2, &table), 0);
	fixture.context.host_names = table;
	expect_name("not asked yet", "fd.sip.name", "<pending>");
	fixture.context.is_final = true;
	expect_name("not asked in time", "fd.sip.name", "");
	fixture.context.is_final = false;
	cr_assert(host_address_from((const uint8_t[]){ 8, 8, 8, 8 }, 4, &server));
	host_names_set(table, 1, &server, 1);
	expect_name("one is not asked yet", "fd.sip.name", "<pending>");
	host_names_set(table, 0, NULL, 0);
	expect_name("all are known", "fd.sip.name", "two.test");
	expect_name("all are known", "fd.rip.name", "two.test");
	expect_name("all are known", "fd.cip.name", "");
	expect_name("all are known", "fd.lip.name", "");
	host_names_set(table, 0, &server, 1);
	expect_name("two names", "fd.sip.name", "one.test | two.test");
	begin(EVENT_CONNECT, 0);
	record_put_unix(&fixture.record, "tuple", "/run/x");
	fixture_event(&fixture);
	expect_name("no address", "fd.sip.name", NO);
	host_names_free(table);
}
