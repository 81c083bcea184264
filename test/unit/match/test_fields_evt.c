/*
 * evt.*: results, opening, parameters, times.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "fields_fixture.h"

static struct fields_fixture fixture;
static const struct fixture_program cat = { .pid = 50, .parent_pid = 40, .comm = "cat" };

static void setup(void)
{
	setenv("TZ", "UTC", 1);
	fixture_init(&fixture);
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(fields_evt, .init = setup, .fini = teardown);

static void open_at(int64_t result, uint64_t flags, uint64_t mode)
{
	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	fixture.record.header->result = result;
	record_put_number(&fixture.record, "fd", result);
	record_put_number(&fixture.record, "dirfd", AT_FDCWD);
	record_put_text(&fixture.record, "name", "/etc/../etc/shadow");
	record_put_number(&fixture.record, "flags", (int64_t)flags);
	record_put_number(&fixture.record, "mode", (int64_t)mode);
	if (result >= 0) {
		record_put_number(&fixture.record, "file_bits", 0);
		record_put_number(&fixture.record, "file_mode", S_IFREG | 0640);
		record_put_path(&fixture.record, "path", "/etc/shadow");
	}
	fixture_event(&fixture);
}

Test(fields_evt, success)
{
	static const struct fixture_case cases[] = {
		{ "evt.num", "7" },
		{ "evt.type", "openat" },
		{ "syscall.type", "openat" },
		{ "evt.dir", "<" },
		{ "evt.res", "SUCCESS" },
		{ "evt.rawres", "3" },
		{ "evt.failed", "false" },
		{ "evt.count", "1" },
		{ "evt.count.error", "<absent>" },
		{ "evt.category", "file" },
		{ "evt.is_open_read", "true" },
		{ "evt.is_open_write", "false" },
		{ "evt.is_open_exec", "false" },
		{ "evt.is_open_create", "false" },
		{ "evt.is_io", "false" },
		{ "evt.io_dir", "<absent>" },
		{ "evt.is_wait", "false" },
		{ "evt.source", "syscall" },
		{ "evt.hostname", "host-1" },
		{ "evt.cpu", "0" },
		{ "evt.via", "syscall" },
		{ "evt.peer_mismatch", "<absent>" },
		{ "evt.latency", "0" },
		{ "evt.latency.human", "0ns" },
		{ "evt.abspath", "/etc/shadow" },
		{ NULL, NULL },
	};

	open_at(3, O_RDONLY, 0);
	fixture_expect(&fixture, "openat", cases);
	fixture.record.header->flags = WIRE_IO_URING;
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "evt.via"), "io_uring");
}

Test(fields_evt, failure)
{
	static const struct fixture_case cases[] = {
		{ "evt.res", "EACCES" },
		{ "evt.rawres", "-13" },
		{ "evt.failed", "true" },
		{ "evt.count.error", "1" },
		{ "evt.count.error.file", "1" },
		{ "evt.count.error.net", "<absent>" },
		{ "evt.is_open_write", "true" },
		{ "evt.is_open_read", "true" },
		{ "evt.is_open_create", "false" },
		{ "evt.arg.fd", "EACCES" },
		{ NULL, NULL },
	};

	open_at(-EACCES, O_RDWR | O_CREAT, 0644);
	fixture_expect(&fixture, "failed openat", cases);
	/* Numbers without a name, and beyond all errors. */
	fixture.record.header->result = -4000;
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "evt.res"), "-4000");
	fixture.record.header->result = INT64_MIN;
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "evt.res"), "-9223372036854775808");
}

Test(fields_evt, opening)
{
	static const struct {
		const char *what;
		uint64_t flags, mode, bits;
		const char *read, *write, *exec, *create;
	} cases[] = {
		{ "write only", O_WRONLY, 0, 0, "false", "true", "false", "false" },
		{ "created", O_WRONLY | O_CREAT, 0644, WIRE_FILE_CREATED, "false", "true", "false",
		  "true" },
		{ "was there", O_WRONLY | O_CREAT, 0755, 0, "false", "true", "true", "false" },
		{ "x of others", O_RDWR | O_CREAT, 0001, 0, "true", "true", "true", "false" },
		{ "mode without O_CREAT", O_RDONLY, 0755, 0, "true", "false", "false", "false" },
		{ "O_TMPFILE", O_RDWR | O_TMPFILE, 0700, 0, "true", "true", "true", "true" },
		/* O_TMPFILE contains O_DIRECTORY: one bit of two is not it. */
		{ "O_DIRECTORY", O_RDONLY | O_DIRECTORY, 0700, 0, "true", "false", "false",
		  "false" },
		{ "neither", 3, 0, 0, "false", "false", "false", "false" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct fixture_case wants[] = {
			{ "evt.is_open_read", cases[i].read },
			{ "evt.is_open_write", cases[i].write },
			{ "evt.is_open_exec", cases[i].exec },
			{ "evt.is_open_create", cases[i].create },
			{ NULL, NULL },
		};

		open_at(3, cases[i].flags, cases[i].mode);
		record_put_number(&fixture.record, "file_bits", (int64_t)cases[i].bits);
		fixture_event(&fixture);
		fixture_expect(&fixture, cases[i].what, wants);
	}
}

/* T15: false, not missing; and missing where flags could not be read. */
Test(fields_evt, opening_elsewhere)
{
	static const struct fixture_case others[] = {
		{ "evt.is_open_read", "false" }, { "evt.is_open_write", "false" },
		{ "evt.is_open_exec", "false" }, { "evt.is_open_create", "false" },
		{ "evt.is_io_write", "false" },	 { NULL, NULL },
	};
	static const struct fixture_case creat[] = {
		{ "evt.is_open_read", "false" }, { "evt.is_open_write", "false" },
		{ "evt.is_open_exec", "true" },	 { "evt.is_open_create", "true" },
		{ "evt.abspath", "<absent>" },	 { NULL, NULL },
	};
	static const struct fixture_case unread[] = {
		{ "evt.is_open_read", "<absent>" },
		{ "evt.is_open_write", "<absent>" },
		{ "evt.is_open_exec", "<absent>" },
		{ "evt.arg.flags", "<NA>" },
		{ NULL, NULL },
	};

	fixture_begin(&fixture, EVENT_CONNECT, &cat);
	fixture_event(&fixture);
	fixture_expect(&fixture, "connect", others);

	fixture_begin(&fixture, EVENT_CREAT, &cat);
	record_put_number(&fixture.record, "fd", 3);
	record_put_number(&fixture.record, "mode", 0755);
	record_put_number(&fixture.record, "creat_flags", WIRE_FILE_CREATED);
	fixture_event(&fixture);
	fixture_expect(&fixture, "creat", creat);

	fixture_begin(&fixture, EVENT_OPENAT2, &cat);
	fixture.record.header->result = -EFAULT;
	fixture_event(&fixture);
	fixture_expect(&fixture, "openat2 without its flags", unread);
}

Test(fields_evt, no_syscall)
{
	static const struct fixture_case cases[] = {
		{ "evt.type", "procexit" },
		{ "syscall.type", "<absent>" },
		{ "evt.res", "<absent>" },
		{ "evt.rawres", "<absent>" },
		{ "evt.failed", "<absent>" },
		{ "evt.count.error", "<absent>" },
		{ "evt.via", "<absent>" },
		{ "evt.arg.status", "0" },
		{ "evt.arg.flags", "<absent>" },
		{ "evt.category", "process" },
		{ NULL, NULL },
	};

	fixture_begin(&fixture, EVENT_PROCEXIT, &cat);
	fixture.record.header->result = -1;
	record_put_number(&fixture.record, "status", 0);
	fixture_event(&fixture);
	fixture_expect(&fixture, "procexit", cases);
}

Test(fields_evt, generic)
{
	static const struct {
		const char *name, *category, *io_dir, *is_wait;
	} cases[] = {
		{ "read", "io-read", "read", "false" },
		{ "sendmmsg", "io-write", "write", "false" },
		{ "nanosleep", "wait", "<absent>", "true" },
		{ "getpid", "other", "<absent>", "false" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct fixture_case wants[] = {
			{ "evt.type", cases[i].name },
			{ "syscall.type", cases[i].name },
			{ "evt.category", cases[i].category },
			{ "evt.io_dir", cases[i].io_dir },
			{ "evt.is_wait", cases[i].is_wait },
			{ "fd.num", "<absent>" },
			{ NULL, NULL },
		};

		fixture_begin(&fixture, EVENT_GENERIC, &cat);
		fixture.record.header->syscall_nr =
			(uint16_t)syscall_number(str_from(cases[i].name));
		fixture_event(&fixture);
		fixture_expect(&fixture, cases[i].name, wants);
	}
	fixture_begin(&fixture, EVENT_GENERIC, &cat);
	fixture.record.header->syscall_nr = 511;
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "evt.type"), "syscall_511");
}

Test(fields_evt, times)
{
	static const struct fixture_case cases[] = {
		{ "evt.rawtime", "1700000100000000009" },
		{ "evt.rawtime.s", "1700000100" },
		{ "evt.rawtime.ns", "9" },
		{ "evt.time", "22:15:00.000000009" },
		{ "evt.time.s", "22:15:00" },
		{ "evt.time.iso8601", "2023-11-14T22:15:00.000000009+0000" },
		{ "evt.datetime", "2023-11-14 22:15:00.000000009" },
		{ "evt.datetime.s", "2023-11-14 22:15:00" },
		{ NULL, NULL },
	};

	open_at(3, O_RDONLY, 0);
	fixture.record.header->time_ns += 9;
	fixture_event(&fixture);
	fixture_expect(&fixture, "times", cases);
}

/* The text as passed is printed; the file and the normalised text are readings. */
Test(fields_evt, path_parameters)
{
	open_at(3, O_RDONLY, 0);
	cr_expect_str_eq(fixture_read(&fixture, "evt.arg.name"),
			 "/etc/../etc/shadow | /etc/shadow");
	cr_expect_str_eq(fixture_read(&fixture, "evt.rawarg.name"), "/etc/../etc/shadow");
	record_put_path(&fixture.record, "path", "/run/secret");
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "evt.arg.name"),
			 "/etc/../etc/shadow | /run/secret | /etc/shadow");
	cr_expect_str_eq(fixture_read(&fixture, "evt.arg[2]"),
			 "/etc/../etc/shadow | /run/secret | /etc/shadow");
	cr_expect_str_eq(fixture_read(&fixture, "evt.arg[99]"), "<absent>");
	cr_expect_str_eq(fixture_read(&fixture, "evt.arg.res"), "<absent>");
}

Test(fields_evt, parameters)
{
	static const struct fixture_program child = {
		.pid = 60,
		.parent_pid = 50,
		.comm = "sh",
		.exe = "/bin/sh",
		.exepath = "/bin/sh",
		.args = { "-c", "x" },
	};
	static const struct fixture_case cases[] = {
		{ "evt.arg.uid", "alice" },	  { "evt.arg.gid", "staff" },
		{ "evt.arg.loginuid", "<NONE>" }, { "evt.arg.pid", "sh" },
		{ "evt.arg.ptid", "50" },	  { "evt.rawarg.uid", "1000" },
		{ "evt.rawarg.pid", "60" },	  { "evt.rawarg.res", "0" },
		{ "evt.arg.res", "0" },		  { "evt.arg.args", "-c x" },
		{ "evt.arg.vm_rss", "2048" },	  { NULL, NULL },
	};

	fixture_run(&fixture, &child);
	fixture.record.header->euid = 1000;
	fixture.record.header->egid = 50;
	fixture_event(&fixture);
	fixture_expect(&fixture, "execve", cases);
	fixture.record.header->euid = 4242;
	fixture.record.header->egid = 4242;
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "evt.arg.uid"), "<NA>");
	cr_expect_str_eq(fixture_read(&fixture, "evt.arg.gid"), "<NA>");
	cr_expect(strstr(fixture_read(&fixture, "evt.args"), "exe=/bin/sh"));
}

Test(fields_evt, peer_mismatch)
{
	fixture_begin(&fixture, EVENT_CONNECT, &cat);
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "evt.peer_mismatch"), "false");
	fixture.record.header->flags = WIRE_PEER_MISMATCH;
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "evt.peer_mismatch"), "true");
}
