/*
 * Fields of calls on descriptors: the data that they move, and copies of descriptors.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "fields_fixture.h"

static struct fields_fixture fixture;
static const struct fixture_program worker = { .pid = 50, .parent_pid = 40, .comm = "worker" };

static void setup(void)
{
	fixture_init(&fixture);
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(fields_io, .init = setup, .fini = teardown);

static void move_data(enum event_type type, int64_t result)
{
	fixture_begin(&fixture, type, &worker);
	fixture.record.header->result = result;
	record_put_number(&fixture.record, "fd", 4);
	record_put_number(&fixture.record, "file_mode", 0100600);
	record_put_path(&fixture.record, "path", "/etc/shadow");
	if (result > 0)
		record_put_bytes(&fixture.record, "data", "root:\x01", 6);
	fixture_event(&fixture);
}

Test(fields_io, data)
{
	static const struct {
		enum event_type type;
		const char *read, *write, *direction, *length_in, *length_out, *category;
	} cases[] = {
		{ EVENT_READ, "true", "false", "read", "500", "<absent>", "io-read" },
		{ EVENT_PREADV2, "true", "false", "read", "500", "<absent>", "io-read" },
		{ EVENT_WRITE, "false", "true", "write", "<absent>", "500", "io-write" },
		{ EVENT_PWRITE64, "false", "true", "write", "<absent>", "500", "io-write" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *name = event_schema_get(cases[i].type)->name;
		const struct fixture_case wants[] = {
			{ "evt.is_io", "true" },
			{ "evt.is_io_read", cases[i].read },
			{ "evt.is_io_write", cases[i].write },
			{ "evt.io_dir", cases[i].direction },
			{ "evt.category", cases[i].category },
			{ "evt.buffer", "root:\001" },
			{ "evt.arg.data", "root:." },
			{ "evt.buflen", "500" },
			{ "evt.buflen.in", cases[i].length_in },
			{ "evt.buflen.out", cases[i].length_out },
			{ "evt.buflen.file", "500" },
			{ "evt.buflen.file.in", cases[i].length_in },
			{ "evt.buflen.file.out", cases[i].length_out },
			{ "evt.buflen.net", "<absent>" },
			{ "evt.is_syslog", "false" },
			{ "fd.name", "/etc/shadow" },
			{ "fd.num", "4" },
			{ NULL, NULL },
		};

		move_data(cases[i].type, 500);
		fixture_expect(&fixture, name, wants);
		move_data(cases[i].type, -EIO);
		cr_expect_str_eq(fixture_read(&fixture, "evt.buflen"), "<absent>", "%s", name);
		cr_expect_str_eq(fixture_read(&fixture, "evt.buffer"), "<absent>", "%s", name);
		cr_expect_str_eq(fixture_read(&fixture, "evt.is_io"), "true", "%s", name);
		cr_expect_str_eq(fixture_read(&fixture, "fd.name"), "/etc/shadow", "%s", name);
	}
}

/* The new descriptor, and its file. */
Test(fields_io, copies)
{
	static const struct fixture_case wants[] = {
		{ "fd.num", "7" },
		{ "fd.name", "/dev/pts/0" },
		{ "fd.typechar", "f" },
		{ "evt.is_io", "false" },
		{ "evt.arg.res", "<f>/dev/pts/0" },
		{ NULL, NULL },
	};
	static const struct fixture_case failed[] = {
		{ "fd.num", "-1" },	   { "fd.name", "<absent>" },  { "fd.typechar", "o" },
		{ "fd.type", "<absent>" }, { "evt.arg.res", "EBADF" }, { NULL, NULL },
	};

	fixture_begin(&fixture, EVENT_DUP2, &worker);
	fixture.record.header->result = 7;
	record_put_number(&fixture.record, "res", 7);
	record_put_number(&fixture.record, "file_mode", 0020620);
	record_put_path(&fixture.record, "path", "/dev/pts/0");
	fixture_event(&fixture);
	fixture_expect(&fixture, "dup2", wants);

	fixture_begin(&fixture, EVENT_DUP2, &worker);
	fixture.record.header->result = -EBADF;
	record_put_number(&fixture.record, "res", -EBADF);
	fixture_event(&fixture);
	fixture_expect(&fixture, "dup2", failed);
}

/* Decision 8: at its end the file is gone. */
Test(fields_io, close)
{
	static const struct fixture_case wants[] = {
		{ "fd.num", "<absent>" },
		{ "fd.name", "<absent>" },
		{ "fd.typechar", "<absent>" },
		{ "evt.rawarg.fd", "5" },
		{ NULL, NULL },
	};

	fixture_begin(&fixture, EVENT_CLOSE, &worker);
	record_put_number(&fixture.record, "fd", 5);
	fixture_event(&fixture);
	fixture_expect(&fixture, "close", wants);
}

/* What has no path has a kind. */
Test(fields_io, kinds)
{
	static const struct {
		enum event_type type;
		const char *name, *typechar, *kind;
	} cases[] = {
		{ EVENT_EVENTFD2, "[eventfd]", "e", "event" },
		{ EVENT_EPOLL_CREATE1, "[eventpoll]", "l", "eventpoll" },
		{ EVENT_TIMERFD_CREATE, "[timerfd]", "t", "timerfd" },
		{ EVENT_SIGNALFD4, "[signalfd]", "s", "signalfd" },
		{ EVENT_INOTIFY_INIT1, "inotify", "i", "inotify" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fixture_begin(&fixture, cases[i].type, &worker);
		fixture.record.header->result = 3;
		record_put_number(&fixture.record, "res", 3);
		record_put_object(&fixture.record, "path", cases[i].name,
				  WIRE_KIND_ANON << WIRE_PATH_KIND_SHIFT, 0);
		fixture_event(&fixture);
		cr_expect_str_eq(fixture_read(&fixture, "fd.typechar"), cases[i].typechar, "%s",
				 cases[i].name);
		cr_expect_str_eq(fixture_read(&fixture, "fd.type"), cases[i].kind, "%s",
				 cases[i].name);
		cr_expect_str_eq(fixture_read(&fixture, "fd.num"), "3", "%s", cases[i].name);
		cr_expect_str_eq(fixture_read(&fixture, "fd.directory"), "<absent>", "%s",
				 cases[i].name);
	}
}
