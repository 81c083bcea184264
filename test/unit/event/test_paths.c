/*
 * Paths as text: what the kernel walked, and what was passed.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "record_builder.h"

static struct record_builder builder;
static struct arena scratch;
static struct event event = { .scratch = &scratch };

static void setup(void)
{
	arena_init(&scratch, 1 << 20);
}

static void teardown(void)
{
	arena_done(&scratch);
}

TestSuite(paths, .init = setup, .fini = teardown);

Test(paths, walked)
{
	static const struct {
		const char *name, *path;
		unsigned flags, root_cnt;
		const char *text, *full;
	} cases[] = {
		{ "file", "/etc/shadow", 0, 0, "/etc/shadow", "/etc/shadow" },
		{ "root", "/", 0, 0, "/", "/" },
		{ "one", "/a", 0, 0, "/a", "/a" },
		{ "deleted", "/tmp/x", WIRE_PATH_DELETED, 0, "/tmp/x", "/tmp/x" },
		{ "chroot", "/srv/jail/etc/passwd", 0, 2, "/etc/passwd", "/srv/jail/etc/passwd" },
		{ "root of a chroot", "/srv/jail", 0, 2, "/", "/srv/jail" },
		{ "detached", "/a/b", WIRE_PATH_DETACHED, 0, "/a/b", "/a/b" },
		{ "walk that did not arrive", "/a/b", WIRE_PATH_TRUNCATED, 0, "/.../a/b",
		  "/.../a/b" },
		{ "the root was found before", "/x/a/b", WIRE_PATH_TRUNCATED, 1, "/a/b",
		  "/.../x/a/b" },
		{ "pipe", "", WIRE_KIND_PIPE << 8, 0, "pipe:[77]", "pipe:[77]" },
		{ "socket", "TCP", WIRE_KIND_SOCKET << 8, 0, "socket:[77]", "socket:[77]" },
		{ "anonymous", "[eventpoll]", WIRE_KIND_ANON << 8, 0, "anon_inode:[eventpoll]",
		  "anon_inode:[eventpoll]" },
		{ "memfd", "memfd:payload", WIRE_KIND_MEMFD << 8, 0, "memfd:payload",
		  "memfd:payload" },
		{ "memfd with slashes", "memfd:/usr/bin/ls", WIRE_KIND_MEMFD << 8, 0,
		  "memfd:/usr/bin/ls", "memfd:/usr/bin/ls" },
		/* Whatever its name is, it must not look like a file. */
		{ "memfd without prefix", "/usr/bin/ls", WIRE_KIND_MEMFD << 8, 0,
		  "memfd:/usr/bin/ls", "memfd:/usr/bin/ls" },
		{ "namespace", "mnt", WIRE_KIND_NSFS << 8, 0, "mnt:[77]", "mnt:[77]" },
		{ "other", "SYSV00000000", WIRE_KIND_OTHER << 8, 0, "SYSV00000000",
		  "SYSV00000000" },
		{ "other like a path", "/bin/sh", WIRE_KIND_OTHER << 8, 0, "other:[77]",
		  "other:[77]" },
		{ "other without a name", "", WIRE_KIND_OTHER << 8, 0, "other:[77]", "other:[77]" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str text, full;

		record_begin(&builder, EVENT_OPEN);
		record_put_number(&builder, "ino", 77);
		record_put_object(&builder, "path", cases[i].path, cases[i].flags,
				  cases[i].root_cnt);
		cr_assert_eq(record_decode(&builder, &event), 0, "%s", cases[i].name);
		text = event_kpath(&event, PARAM_OPEN_path, PARAM_OPEN_ino, false);
		full = event_kpath(&event, PARAM_OPEN_path, PARAM_OPEN_ino, true);
		cr_expect(str_eq_text(text, cases[i].text), "%s: %.*s", cases[i].name,
			  STR_ARG(text));
		cr_expect(str_eq_text(full, cases[i].full), "%s: %.*s", cases[i].name,
			  STR_ARG(full));
		cr_expect_eq(text.p[text.n], '\0', "%s", cases[i].name);
	}
}

Test(paths, absent)
{
	struct event bare = { 0 };

	record_begin(&builder, EVENT_OPEN);
	cr_assert_eq(record_decode(&builder, &event), 0);
	cr_expect_null(event_kpath(&event, PARAM_OPEN_path, -1, false).p);
	cr_expect_null(event_kpath(&event, 1000, -1, false).p);
	cr_expect_null(event_kpath(&event, PARAM_OPEN_name, -1, false).p);
	cr_expect_null(event_passed_path(&event, PARAM_OPEN_name, PARAM_OPEN_dirpath).p);

	/* A number that is not known. */
	record_begin(&builder, EVENT_OPEN);
	record_put_object(&builder, "path", "", WIRE_KIND_PIPE << 8, 0);
	cr_assert_eq(record_decode(&builder, &event), 0);
	cr_expect(str_eq_text(event_kpath(&event, PARAM_OPEN_path, PARAM_OPEN_ino, false),
			      "pipe:[]"));
	cr_expect(str_eq_text(event_kpath(&event, PARAM_OPEN_path, -1, false), "pipe:[]"));

	/* Nowhere to write. */
	cr_assert_eq(record_decode(&builder, &bare), 0);
	cr_expect_null(event_kpath(&bare, PARAM_OPEN_path, -1, false).p);
	record_put_text(&builder, "name", "x");
	cr_assert_eq(record_decode(&builder, &bare), 0);
	cr_expect_null(event_passed_path(&bare, PARAM_OPEN_name, -1).p);
}

Test(paths, out_of_memory)
{
	struct arena tiny;
	struct event poor = { .scratch = &tiny };

	arena_init(&tiny, 8);
	record_begin(&builder, EVENT_OPEN);
	record_put_text(&builder, "name", "x");
	record_put_path(&builder, "path", "/a/b");
	record_put_path(&builder, "dirpath", "/a");
	cr_assert_eq(record_decode(&builder, &poor), 0);
	cr_expect_null(event_kpath(&poor, PARAM_OPEN_path, -1, false).p);
	cr_expect_null(event_passed_path(&poor, PARAM_OPEN_name, PARAM_OPEN_dirpath).p);
	cr_expect_null(path_normalise(&tiny, STR("/a")).p);
	cr_expect(tiny.failed);
	arena_done(&tiny);
}

/* /c0/c1/…: the kernel keeps the first 56 from the leaf and the last 8. */
static void put_long(unsigned cnt, unsigned skipped, unsigned root_at)
{
	static char bytes[4096];
	struct wire_path head = { .flags = WIRE_PATH_TRUNCATED,
				  .component_cnt = (uint16_t)cnt,
				  .root_at = (uint16_t)root_at,
				  .skipped_cnt = (uint16_t)skipped };
	uint32_t n = sizeof(head);

	memcpy(bytes, &head, sizeof(head));
	for (unsigned i = 0; i < cnt; i++)
		n += (uint32_t)sprintf(bytes + n, "%u", i) + 1;
	record_begin(&builder, EVENT_OPEN);
	record_put_bytes(&builder, "path", bytes, n);
	cr_assert_eq(record_decode(&builder, &event), 0);
}

Test(paths, left_out_components)
{
	struct str text;

	put_long(64, 100, 64);
	text = event_kpath(&event, PARAM_OPEN_path, -1, false);
	cr_expect(str_starts_with(text, STR("/63/62/61/60/59/58/57/56/.../55/54/")), "%.*s",
		  STR_ARG(text));
	cr_expect(str_ends_with(text, STR("/2/1/0")), "%.*s", STR_ARG(text));

	/* The process's root lies in the gap, or below it, or above. */
	put_long(64, 100, 56);
	text = event_kpath(&event, PARAM_OPEN_path, -1, false);
	cr_expect(str_starts_with(text, STR("/.../55/54/")), "%.*s", STR_ARG(text));
	put_long(64, 100, 2);
	cr_expect(str_eq_text(event_kpath(&event, PARAM_OPEN_path, -1, false), "/1/0"));
	put_long(64, 100, 57);
	text = event_kpath(&event, PARAM_OPEN_path, -1, false);
	cr_expect(str_starts_with(text, STR("/56/.../55/")), "%.*s", STR_ARG(text));

	/* There was space for nothing but the last ones: the leaf is missing. */
	put_long(3, 5, 3);
	cr_expect(str_eq_text(event_kpath(&event, PARAM_OPEN_path, -1, false), "/2/1/0/..."));
	put_long(0, 5, 0);
	cr_expect(str_eq_text(event_kpath(&event, PARAM_OPEN_path, -1, false), "/..."));
}

Test(paths, normalise)
{
	static const struct {
		const char *path, *text;
	} cases[] = {
		{ "/", "/" },
		{ "//", "/" },
		{ "/etc/passwd", "/etc/passwd" },
		{ "//etc///passwd//", "/etc/passwd" },
		{ "/etc/./passwd/.", "/etc/passwd" },
		{ "/etc/../etc/passwd", "/etc/passwd" },
		{ "/../../etc", "/etc" },
		{ "/..", "/" },
		{ "/a/b/../..", "/" },
		{ "/a/...", "/a/..." },
		{ "/a/..b/.c", "/a/..b/.c" },
		{ "", "" },
		{ ".", "." },
		{ "./x", "x" },
		{ "a/..", "." },
		{ "a/b/../c", "a/c" },
		{ "..", ".." },
		{ "../..", "../.." },
		{ "../../x", "../../x" },
		{ "a/../../x", "../x" },
		{ "a/../..", ".." },
		{ "..a/..", "." },
		{ "a../..", "." },
		{ "x/a../../y", "x/y" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str text = path_normalise(&scratch, str_from(cases[i].path));

		cr_expect(str_eq_text(text, cases[i].text), "%s: %.*s", cases[i].path,
			  STR_ARG(text));
	}
}

Test(paths, passed)
{
	static const struct {
		const char *name, *passed, *directory, *text;
	} cases[] = {
		{ "absolute", "/etc//passwd", "/home", "/etc/passwd" },
		{ "relative", "x/y", "/home/u", "/home/u/x/y" },
		{ "up", "../../etc/shadow", "/home/u", "/etc/shadow" },
		{ "up beyond the root", "../../../../etc", "/home", "/etc" },
		{ "in the root", "etc", "/", "/etc" },
		{ "the directory itself", ".", "/home/u", "/home/u" },
		{ "empty (AT_EMPTY_PATH)", "", "/home/u", "/home/u" },
		{ "directory not known", "x/../y", NULL, "y" },
		{ "directory not known, up", "../y", NULL, "../y" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str text;

		record_begin(&builder, EVENT_OPENAT);
		record_put_text(&builder, "name", cases[i].passed);
		if (cases[i].directory)
			record_put_path(&builder, "dirpath", cases[i].directory);
		cr_assert_eq(record_decode(&builder, &event), 0);
		text = event_passed_path(&event, PARAM_OPENAT_name, PARAM_OPENAT_dirpath);
		cr_expect(str_eq_text(text, cases[i].text), "%s: %.*s", cases[i].name,
			  STR_ARG(text));
	}
	/* Without a directory parameter at all. */
	cr_expect(str_eq_text(event_passed_path(&event, PARAM_OPENAT_name, -1), "../y"));
}

/* Both may be as long as a record has room for. */
Test(paths, long_names)
{
	static char name[4096], directory[4000];
	struct str text;

	memset(name, 'n', sizeof(name) - 1);
	memset(directory, 'd', sizeof(directory) - 1);
	directory[0] = '/';
	for (size_t i = 1; i < sizeof(name) - 1; i += 2)
		name[i] = '/';
	record_begin(&builder, EVENT_OPENAT);
	record_put_text(&builder, "name", name);
	record_put_path(&builder, "dirpath", directory);
	cr_assert_eq(record_decode(&builder, &event), 0);
	text = event_passed_path(&event, PARAM_OPENAT_name, PARAM_OPENAT_dirpath);
	cr_expect_eq(text.n, sizeof(directory) - 1 + sizeof(name), "%u", text.n);
}
