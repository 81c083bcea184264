/*
 * fd.* and fs.path.*: files, failed opens, sockets.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "fields_fixture.h"

static struct fields_fixture fixture;
static const struct fixture_program cat = { .pid = 50, .parent_pid = 40, .comm = "cat" };

static void setup(void)
{
	fixture_init(&fixture);
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(fields_fd, .init = setup, .fini = teardown);

/* An open of /run/secret by the link /var/run/secret. */
static void open_file(enum event_type type, int64_t result, const char *name, unsigned mode)
{
	const char *bits = type == EVENT_CREAT ? "creat_flags" : "file_bits";

	fixture_begin(&fixture, type, &cat);
	fixture.record.header->result = result;
	record_put_number(&fixture.record, "fd", result);
	record_put_text(&fixture.record, "name", name);
	if (result < 0)
		return;
	record_put_number(&fixture.record, bits, WIRE_FILE_UPPER_LAYER);
	record_put_number(&fixture.record, "file_mode", mode);
	record_put_number(&fixture.record, "dev", 8 << 20 | 1);
	record_put_number(&fixture.record, "ino", 99);
	record_put_path(&fixture.record, "path", "/run/secret");
}

Test(fields_fd, file)
{
	static const struct fixture_case cases[] = {
		{ "fd.num", "3" },
		{ "fd.type", "file" },
		{ "fd.typechar", "f" },
		{ "fd.name", "/run/secret | /var/run/secret" },
		{ "fd.nameraw", "/var/../var/run/secret" },
		{ "fd.directory", "/run | /var/run" },
		{ "fd.filename", "secret" },
		{ "fd.hostname_path", "/run/secret" },
		{ "fd.name_truncated", "false" },
		{ "fd.dev", "8388609" },
		{ "fd.dev.major", "8" },
		{ "fd.dev.minor", "1" },
		{ "fd.ino", "99" },
		{ "fd.is_upper_layer", "true" },
		{ "fd.is_lower_layer", "false" },
		{ "fd.uid", "50:3" },
		{ "fs.path.name", "/run/secret | /var/run/secret" },
		{ "fs.path.nameraw", "/var/..//var/run/secret" },
		{ "fd.sip", "<absent>" },
		{ "fd.ip", "<absent>" },
		{ "fd.net", "<absent>" },
		{ "fd.l4proto", "<absent>" },
		{ "fd.sockfamily", "<absent>" },
		{ "fd.connected", "<absent>" },
		{ "fd.is_server", "<absent>" },
		{ NULL, NULL },
	};

	open_file(EVENT_OPEN, 3, "/var/..//var/run/secret", S_IFREG | 0600);
	fixture_event(&fixture);
	fixture_expect(&fixture, "open", cases);
	/* Both readings equal: one. */
	open_file(EVENT_OPEN, 3, "/run/./secret", S_IFREG | 0600);
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "fd.name"), "/run/secret");
	cr_expect_str_eq(fixture_read(&fixture, "fd.directory"), "/run");
}

/* T17, and the absent values of a failed open. */
Test(fields_fd, failed)
{
	static const struct {
		enum event_type type;
		const char *typechar;
	} calls[] = {
		{ EVENT_OPEN, "o" },
		{ EVENT_OPENAT, "f" },
		{ EVENT_OPENAT2, "f" },
		{ EVENT_CREAT, "f" },
	};

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		const struct fixture_case wants[] = {
			{ "fd.num", "-1" },
			{ "fd.typechar", calls[i].typechar },
			{ "fd.type", "<absent>" },
			{ "fd.name", "/etc/shadow" },
			{ "fd.nameraw", "/etc/./shadow" },
			{ "fd.directory", "/etc" },
			{ "fd.filename", "<absent>" },
			{ "fd.ino", "<absent>" },
			{ "fd.dev", "<absent>" },
			{ "fd.is_upper_layer", "<absent>" },
			{ "fd.hostname_path", "<absent>" },
			{ "fs.path.name", "<absent>" },
			{ "fs.path.nameraw", "<absent>" },
			{ NULL, NULL },
		};

		open_file(calls[i].type, -EACCES, "/etc/./shadow", 0);
		fixture_event(&fixture);
		fixture_expect(&fixture, event_schema_get(calls[i].type)->name, wants);
	}
	/* A name that could not be read is absent, not empty. */
	fixture_begin(&fixture, EVENT_OPEN, &cat);
	fixture.record.header->result = -EFAULT;
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "fd.name"), "<absent>");
	cr_expect_str_eq(fixture_read(&fixture, "fd.nameraw"), "<absent>");
	cr_expect_str_eq(fixture_read(&fixture, "fd.num"), "-1");
}

Test(fields_fd, kinds)
{
	static const struct {
		unsigned mode;
		const char *type, *typechar, *filename;
	} cases[] = {
		{ S_IFREG, "file", "f", "secret" },   { S_IFDIR, "directory", "d", "secret" },
		{ S_IFCHR, "file", "f", "secret" },   { S_IFBLK, "file", "f", "secret" },
		{ S_IFIFO, "pipe", "p", "<absent>" }, { S_IFSOCK, "unix", "u", "<absent>" },
		{ 0, "<absent>", "o", "<absent>" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct fixture_case wants[] = {
			{ "fd.type", cases[i].type },
			{ "fd.typechar", cases[i].typechar },
			{ "fd.filename", cases[i].filename },
			{ NULL, NULL },
		};

		open_file(EVENT_OPENAT, 3, "/run/secret", cases[i].mode | 0600);
		fixture_event(&fixture);
		fixture_expect(&fixture, cases[i].type, wants);
	}
	open_file(EVENT_OPENAT, 3, "/proc/self/fd/4", S_IFREG | 0700);
	record_put_object(&fixture.record, "path", "memfd:payload",
			  WIRE_KIND_MEMFD << WIRE_PATH_KIND_SHIFT, 0);
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "fd.type"), "memfd");
	cr_expect_str_eq(fixture_read(&fixture, "fd.typechar"), "m");
	cr_expect_str_eq(fixture_read(&fixture, "fd.name"), "memfd:payload | /proc/self/fd/4");
}

Test(fields_fd, directories_and_names)
{
	static const struct {
		const char *path, *directory, *filename;
	} cases[] = {
		{ "/x", "/", "x" },
		{ "/etc/x", "/etc", "x" },
		{ "/", "/", "" },
		{ "/a/b/c", "/a/b", "c" },
		{ "relative", "<absent>", "relative" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fixture_begin(&fixture, EVENT_OPENAT, &cat);
		record_put_number(&fixture.record, "fd", 3);
		record_put_number(&fixture.record, "file_mode", S_IFREG);
		record_put_text(&fixture.record, "name", cases[i].path);
		fixture_event(&fixture);
		cr_expect_str_eq(fixture_read(&fixture, "fd.directory"), cases[i].directory, "%s",
				 cases[i].path);
		cr_expect_str_eq(fixture_read(&fixture, "fd.filename"), cases[i].filename, "%s",
				 cases[i].path);
	}
}

/* Decisions 4 and 7: what the kernel could not walk to the end, and a chroot. */
Test(fields_fd, truncated_and_chroot)
{
	open_file(EVENT_OPENAT, 3, "/secret", S_IFREG);
	record_put_object(&fixture.record, "path", "/srv/jail/secret", WIRE_PATH_TRUNCATED, 2);
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "fd.name_truncated"), "true");
	open_file(EVENT_OPENAT, 3, "/secret", S_IFREG);
	record_put_object(&fixture.record, "path", "/srv/jail/secret", 0, 2);
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "fd.name"), "/secret | /srv/jail/secret");
	cr_expect_str_eq(fixture_read(&fixture, "fd.hostname_path"), "/srv/jail/secret");
}

Test(fields_fd, relative)
{
	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	fixture.record.header->result = -ENOENT;
	record_put_number(&fixture.record, "dirfd", 5);
	record_put_text(&fixture.record, "name", "../passwd");
	record_put_path(&fixture.record, "dirpath", "/etc/ssl");
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "fd.name"), "/etc/passwd");
	cr_expect_str_eq(fixture_read(&fixture, "fd.nameraw"), "../passwd");
}

Test(fields_fd, removal)
{
	static const struct fixture_case cases[] = {
		{ "fs.path.name", "/var/log/x" }, { "fs.path.nameraw", "log/x" },
		{ "fd.name", "<absent>" },	  { "fd.num", "<absent>" },
		{ "fd.typechar", "<absent>" },	  { "evt.abspath", "/var/log/x" },
		{ "evt.arg.name", "/var/log/x" }, { NULL, NULL },
	};

	fixture_begin(&fixture, EVENT_UNLINKAT, &cat);
	record_put_number(&fixture.record, "res", 0);
	record_put_number(&fixture.record, "dirfd", 7);
	record_put_text(&fixture.record, "name", "log/x");
	record_put_path(&fixture.record, "dirpath", "/var");
	fixture_event(&fixture);
	fixture_expect(&fixture, "unlinkat", cases);
	fixture.record.header->result = -ENOENT;
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "fs.path.name"), "<absent>");
}

/* ---- sockets -------------------------------------------------------------------------------- */

static void connect_to(int64_t result, const char *local, const char *remote, unsigned protocol)
{
	fixture_begin(&fixture, EVENT_CONNECT, &cat);
	fixture.record.header->result = result;
	record_put_number(&fixture.record, "res", result);
	record_put_number(&fixture.record, "fd", 5);
	record_put_number(&fixture.record, "socket_type", SOCK_STREAM);
	record_put_tuple(&fixture.record, "tuple", local, remote, protocol);
}

Test(fields_fd, connect)
{
	static const struct fixture_case cases[] = {
		{ "fd.num", "5" },
		{ "fd.type", "ipv4" },
		{ "fd.typechar", "4" },
		{ "fd.name", "10.0.0.1:40000->8.8.8.8:53" },
		{ "fd.nameraw", "" },
		{ "fd.directory", "<absent>" },
		{ "fd.filename", "<absent>" },
		{ "fd.ip", "10.0.0.1 | 8.8.8.8" },
		{ "fd.net", "10.0.0.1 | 8.8.8.8" },
		{ "fd.port", "40000 | 53" },
		{ "fd.proto", "40000 | domain" },
		{ "fd.cip", "10.0.0.1" },
		{ "fd.sip", "8.8.8.8" },
		{ "fd.cport", "40000" },
		{ "fd.sport", "53" },
		{ "fd.cnet", "10.0.0.1" },
		{ "fd.snet", "8.8.8.8" },
		{ "fd.sproto", "domain" },
		{ "fd.lip", "10.0.0.1" },
		{ "fd.rip", "8.8.8.8" },
		{ "fd.lport", "40000" },
		{ "fd.rport", "53" },
		{ "fd.l4proto", "tcp" },
		{ "fd.sockfamily", "ip" },
		{ "fd.is_server", "false" },
		{ "fd.connected", "true" },
		{ "fd.name_changed", "true" },
		{ "fd.ino", "<absent>" },
		{ "fs.path.name", "<absent>" },
		{ NULL, NULL },
	};

	connect_to(0, "10.0.0.1:40000", "8.8.8.8:53", IPPROTO_TCP);
	fixture_event(&fixture);
	fixture_expect(&fixture, "connect", cases);
}

Test(fields_fd, connect_results)
{
	static const struct {
		int64_t result;
		const char *connected, *changed;
	} cases[] = {
		{ 0, "true", "true" },
		{ -EINPROGRESS, "false", "true" },
		{ -ECONNREFUSED, "false", "false" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		connect_to(cases[i].result, "10.0.0.1:4", "10.0.0.2:1", IPPROTO_TCP);
		fixture_event(&fixture);
		cr_expect_str_eq(fixture_read(&fixture, "fd.connected"), cases[i].connected);
		cr_expect_str_eq(fixture_read(&fixture, "fd.name_changed"), cases[i].changed);
		cr_expect_str_eq(fixture_read(&fixture, "fd.sip"), "10.0.0.2");
		cr_expect_str_eq(fixture_read(&fixture, "fd.num"), "5");
	}
}

Test(fields_fd, other_families)
{
	connect_to(0, "[2001:db8::1]:1", "[::1]:443", IPPROTO_UDP);
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "fd.typechar"), "6");
	cr_expect_str_eq(fixture_read(&fixture, "fd.sip"), "::1");
	cr_expect_str_eq(fixture_read(&fixture, "fd.l4proto"), "udp");
	cr_expect_str_eq(fixture_read(&fixture, "fd.sproto"), "https");

	fixture_begin(&fixture, EVENT_CONNECT, &cat);
	record_put_number(&fixture.record, "fd", 5);
	record_put_unix(&fixture.record, "tuple", "/run/docker.sock");
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "fd.type"), "unix");
	cr_expect_str_eq(fixture_read(&fixture, "fd.typechar"), "u");
	cr_expect_str_eq(fixture_read(&fixture, "fd.name"), "/run/docker.sock");
	cr_expect_str_eq(fixture_read(&fixture, "fd.sockfamily"), "unix");
	cr_expect_str_eq(fixture_read(&fixture, "fd.l4proto"), "<NA>");
	cr_expect_str_eq(fixture_read(&fixture, "fd.ip"), "<absent>");

	/* A bad descriptor: nothing is known but its number. */
	fixture_begin(&fixture, EVENT_CONNECT, &cat);
	fixture.record.header->result = -EBADF;
	record_put_number(&fixture.record, "fd", 99);
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "fd.num"), "99");
	cr_expect_str_eq(fixture_read(&fixture, "fd.typechar"), "o");
	cr_expect_str_eq(fixture_read(&fixture, "fd.type"), "<absent>");
	cr_expect_str_eq(fixture_read(&fixture, "fd.name"), "<absent>");
	cr_expect_str_eq(fixture_read(&fixture, "fd.l4proto"), "<absent>");
	cr_expect_str_eq(fixture_read(&fixture, "fd.connected"), "false");
}

/* One end alone: the other has no value, and fd.ip is the known one. */
Test(fields_fd, one_end)
{
	connect_to(-ECONNREFUSED, NULL, "127.0.0.1:1", IPPROTO_TCP);
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "fd.ip"), "127.0.0.1");
	cr_expect_str_eq(fixture_read(&fixture, "fd.cip"), "<absent>");
	cr_expect_str_eq(fixture_read(&fixture, "fd.lport"), "<absent>");
	cr_expect_str_eq(fixture_read(&fixture, "fd.sport"), "1");
	cr_expect_str_eq(fixture_read(&fixture, "fd.sproto"), "1");
	cr_expect_str_eq(fixture_read(&fixture, "fd.name"), "127.0.0.1:1");
}

/* Where the kernel's ends are not known, the address as passed stands in. */
Test(fields_fd, address_as_passed)
{
	fixture_begin(&fixture, EVENT_CONNECT, &cat);
	fixture.record.header->result = -ENETUNREACH;
	record_put_tuple(&fixture.record, "addr", NULL, "9.9.9.9:9", 0);
	record_put_number(&fixture.record, "socket_type", SOCK_RAW);
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "fd.sip"), "9.9.9.9");
	cr_expect_str_eq(fixture_read(&fixture, "fd.l4proto"), "raw");
}
