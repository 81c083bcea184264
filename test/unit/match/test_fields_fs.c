/*
 * fs.path.* and evt.abspath.*: calls that name paths, and which of two is the source.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "fields_fixture.h"

static struct fields_fixture fixture;
static const struct fixture_program mover = { .pid = 50, .parent_pid = 40, .comm = "mv" };

static void setup(void)
{
	fixture_init(&fixture);
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(fields_fs, .init = setup, .fini = teardown);

/* Texts, and the directories that relative ones start from; NULL ends. */
struct put {
	const char *param, *text;
};

static bool is_kpath(enum event_type type, const char *param)
{
	const struct event_schema *schema = event_schema_get(type);

	for (uint32_t i = 0; i < schema->param_cnt; i++)
		if (strcmp(schema->params[i].name, param) == 0)
			return schema->params[i].type == PARAM_KPATH;
	return false;
}

static void make(enum event_type type, const struct put *puts, int64_t result)
{
	fixture_begin(&fixture, type, &mover);
	fixture.record.header->result = result;
	for (; puts->param; puts++) {
		if (is_kpath(type, puts->param))
			record_put_path(&fixture.record, puts->param, puts->text);
		else
			record_put_text(&fixture.record, puts->param, puts->text);
	}
	fixture_event(&fixture);
}

/* T18: a link's source is the new name. */
static const struct {
	enum event_type type;
	struct put puts[5];
	const char *source, *source_raw, *target, *target_raw, *abspath_src;
} pairs[] = {
	{ EVENT_RENAME,
	  { { "oldpath", "a" }, { "newpath", "/etc/./b" }, { "olddirpath", "/tmp" } },
	  "/tmp/a",
	  "a",
	  "/etc/b",
	  "/etc/./b",
	  "<absent>" },
	{ EVENT_RENAMEAT2,
	  { { "oldpath", "a" },
	    { "newpath", "../b" },
	    { "olddirpath", "/one" },
	    { "newdirpath", "/two/three" } },
	  "/one/a",
	  "a",
	  "/two/b",
	  "../b",
	  "/one/a" },
	/* T18: a link's source is the new name. */
	{ EVENT_LINK,
	  { { "oldpath", "/etc/shadow" }, { "newpath", "x" }, { "newdirpath", "/tmp" } },
	  "/tmp/x",
	  "x",
	  "/etc/shadow",
	  "/etc/shadow",
	  "<absent>" },
	{ EVENT_LINKAT,
	  { { "oldpath", "shadow" },
	    { "newpath", "x" },
	    { "olddirpath", "/etc" },
	    { "newdirpath", "/tmp" } },
	  "/tmp/x",
	  "x",
	  "/etc/shadow",
	  "shadow",
	  "/tmp/x" },
	{ EVENT_SYMLINK,
	  { { "target", "../etc/shadow" }, { "linkpath", "x" }, { "linkdirpath", "/tmp" } },
	  "/tmp/x",
	  "x",
	  "/etc/shadow",
	  "../etc/shadow",
	  "<absent>" },
	{ EVENT_SYMLINKAT,
	  { { "target", "/etc//shadow" }, { "linkpath", "x" }, { "linkdirpath", "/tmp" } },
	  "/tmp/x",
	  "x",
	  "/etc/shadow",
	  "/etc//shadow",
	  "/tmp/x" },
};

Test(fields_fs, two_paths)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		const char *name = event_schema_get(pairs[i].type)->name;
		const struct fixture_case wants[] = {
			{ "fs.path.source", pairs[i].source },
			{ "fs.path.sourceraw", pairs[i].source_raw },
			{ "fs.path.target", pairs[i].target },
			{ "fs.path.targetraw", pairs[i].target_raw },
			{ "evt.abspath.src", pairs[i].abspath_src },
			{ "fs.path.name", "<absent>" },
			{ "fs.path.nameraw", "<absent>" },
			{ "evt.abspath", "<absent>" },
			{ "fd.name", "<absent>" },
			{ "fd.num", "<absent>" },
			{ NULL, NULL },
		};

		make(pairs[i].type, pairs[i].puts, 0);
		fixture_expect(&fixture, name, wants);
		make(pairs[i].type, pairs[i].puts, -EACCES);
		cr_expect_str_eq(fixture_read(&fixture, "fs.path.source"), "<absent>", "%s", name);
		cr_expect_str_eq(fixture_read(&fixture, "fs.path.targetraw"), "<absent>", "%s",
				 name);
		cr_expect_str_eq(fixture_read(&fixture, "evt.abspath.src"), pairs[i].abspath_src,
				 "%s", name);
	}
}

Test(fields_fs, one_path)
{
	static const struct {
		enum event_type type;
		struct put puts[4];
		const char *name, *raw;
	} cases[] = {
		{ EVENT_MKDIR, { { "path", "x" }, { "dirpath", "/etc" } }, "/etc/x", "x" },
		{ EVENT_RMDIR, { { "path", "/x/." } }, "/x", "/x/." },
		{ EVENT_CHMOD, { { "filename", "s" }, { "dirpath", "/bin" } }, "/bin/s", "s" },
		{ EVENT_FCHOWNAT, { { "pathname", "" }, { "dirpath", "/bin/s" } }, "/bin/s", "" },
		{ EVENT_TRUNCATE,
		  { { "path", "/var/log/wtmp" } },
		  "/var/log/wtmp",
		  "/var/log/wtmp" },
		{ EVENT_SETXATTR,
		  { { "path", "s" }, { "name", "security.capability" }, { "dirpath", "/bin" } },
		  "/bin/s",
		  "s" },
		/* Only the kernel's object is known of a relative chdir that succeeded. */
		{ EVENT_CHDIR,
		  { { "path", "/proc/self/root/etc" }, { "object", "/etc" } },
		  "/etc | /proc/self/root/etc",
		  "/proc/self/root/etc" },
		{ EVENT_UTIMENSAT, { { "object", "/bin/s" } }, "/bin/s", "<absent>" },
		{ EVENT_UNLINK, { { "path", "x" }, { "dirpath", "/etc" } }, "/etc/x", "x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *name = event_schema_get(cases[i].type)->name;
		const struct fixture_case wants[] = {
			{ "fs.path.name", cases[i].name },
			{ "fs.path.nameraw", cases[i].raw },
			{ "fs.path.source", "<absent>" },
			{ "fd.name", "<absent>" },
			{ NULL, NULL },
		};

		make(cases[i].type, cases[i].puts, 0);
		fixture_expect(&fixture, name, wants);
		make(cases[i].type, cases[i].puts, -EPERM);
		cr_expect_str_eq(fixture_read(&fixture, "fs.path.name"), "<absent>", "%s", name);
	}
}

/* A call on a descriptor: the file is the kernel's, and there is no path that it names. */
Test(fields_fs, descriptors)
{
	static const enum event_type types[] = { EVENT_FCHMOD, EVENT_FCHOWN, EVENT_FTRUNCATE,
						 EVENT_FSETXATTR, EVENT_FCHDIR };
	static const struct fixture_case wants[] = {
		{ "fd.num", "4" },
		{ "fd.name", "/etc/shadow" },
		{ "fd.directory", "/etc" },
		{ "fd.filename", "shadow" },
		{ "fd.type", "file" },
		{ "fd.typechar", "f" },
		{ "fd.nameraw", "" },
		{ "fs.path.name", "<absent>" },
		{ NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		fixture_begin(&fixture, types[i], &mover);
		fixture.record.header->result = -EPERM;
		record_put_number(&fixture.record, "fd", 4);
		record_put_number(&fixture.record, "file_mode", 0100600);
		record_put_path(&fixture.record, "path", "/etc/shadow");
		fixture_event(&fixture);
		fixture_expect(&fixture, event_schema_get(types[i])->name, wants);
	}
}
