/* Unit tests of the base toolkit: limits, escaping, positions. */
#include <criterion/criterion.h>

#include "haetae/arena.h"
#include "haetae/buf.h"
#include "haetae/clock.h"
#include "haetae/diag.h"
#include "haetae/queue.h"
#include "haetae/table.h"
#include "haetae/text.h"

Test(arena, bounds_and_reset)
{
	struct arena arena;
	void *first, *again;

	arena_init(&arena, 20000);
	first = arena_alloc(&arena, 100);
	cr_assert_not_null(first);
	cr_expect_eq((uintptr_t)first % 8, 0);
	cr_expect_null(arena_alloc(&arena, 30000), "beyond the limit");
	cr_expect(arena.failed);
	cr_expect_null(arena_zalloc_array(&arena, SIZE_MAX / 2, 4), "the product overflows");
	arena_reset(&arena);
	cr_expect_not(arena.failed);
	again = arena_alloc(&arena, 100);
	cr_expect_eq(first, again, "reset keeps the block");
	arena_done(&arena);
	cr_expect_eq(arena.used_bytes, 0);
	arena_done(&arena);
}

static void count_up(void *data)
{
	++*(int *)data;
}

Test(arena, cleanups_run_once)
{
	struct arena arena;
	int runs = 0;

	arena_init(&arena, 20000);
	cr_assert_eq(arena_on_done(&arena, count_up, &runs), 0);
	arena_done(&arena);
	arena_done(&arena);
	cr_expect_eq(runs, 1);
}

Test(buf, without_max)
{
	struct buf buf;

	buf_init(&buf, SIZE_MAX);
	for (int i = 0; i < 1000; i++)
		buf_puts(&buf, "0123456789");
	cr_expect_not(buf.failed);
	cr_expect_eq(buf.n, 10000);
	buf_done(&buf);
}

Test(buf, refuses_beyond_max)
{
	struct buf buf;

	buf_init(&buf, 10);
	buf_puts(&buf, "0123456789");
	cr_expect_not(buf.failed);
	buf_putc(&buf, 'x');
	cr_expect(buf.failed);
	cr_expect_str_eq(buf.p, "0123456789");
	buf_clear(&buf);
	buf_put_s64(&buf, INT64_MIN);
	cr_expect(buf.failed, "twenty characters do not fit into ten");
	buf_done(&buf);
	buf_init(&buf, 100);
	buf_put_s64(&buf, INT64_MIN);
	buf_printf(&buf, " %d", 7);
	cr_expect_str_eq(buf.p, "-9223372036854775808 7");
	buf_done(&buf);
}

static const struct {
	const char *name;
	struct str in;
	const char *json, *line;
} renderings[] = {
	{ "plain", { "abc", 3 }, "abc", "abc" },
	{ "newline and quote", { "a\n\"\\", 4 }, "a\\n\\\"\\\\", "a\\n\"\\" },
	{ "NUL and escape", { "\0\x1b", 2 }, "\\u0000\\u001b", "\\x00\\x1b" },
	{ "DEL", { "\x7f", 1 }, "\\u007f", "\\x7f" },
	{ "two bytes", { "\xc3\xa9", 2 }, "\xc3\xa9", "\xc3\xa9" },
	{ "lone continuation", { "\x80", 1 }, "\\\\x80", "\\x80" },
	{ "overlong slash", { "\xc0\xaf", 2 }, "\\\\xc0\\\\xaf", "\\xc0\\xaf" },
	{ "surrogate", { "\xed\xa0\x80", 3 }, "\\\\xed\\\\xa0\\\\x80", "\\xed\\xa0\\x80" },
	{ "beyond U+10FFFF",
	  { "\xf4\x90\x80\x80", 4 },
	  "\\\\xf4\\\\x90\\\\x80\\\\x80",
	  "\\xf4\\x90\\x80\\x80" },
	{ "cut sequence", { "\xe2\x82", 2 }, "\\\\xe2\\\\x82", "\\xe2\\x82" },
	{ "four bytes", { "\xf0\x9f\x98\x80", 4 }, "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
	{ "C1", { "\xc2\x9b", 2 }, "\xc2\x9b", "\\u{9b}" },
	{ "right-to-left override", { "\xe2\x80\xae", 3 }, "\xe2\x80\xae", "\\u{202e}" },
	{ "line separator", { "\xe2\x80\xa8", 3 }, "\xe2\x80\xa8", "\\u{2028}" },
};

Test(text, renderings)
{
	for (size_t i = 0; i < ARRAY_LEN(renderings); i++) {
		struct buf json, line;

		buf_init(&json, 1000);
		buf_init(&line, 1000);
		text_put_json(&json, renderings[i].in);
		text_put_line(&line, renderings[i].in);
		cr_expect_str_eq(buf_str(&json).p, renderings[i].json, "%s: JSON %s",
				 renderings[i].name, buf_str(&json).p);
		cr_expect_str_eq(buf_str(&line).p, renderings[i].line, "%s: line %s",
				 renderings[i].name, buf_str(&line).p);
		buf_done(&json);
		buf_done(&line);
	}
}

struct item {
	uint64_t key;
};

static bool item_equal(const void *node, const void *key)
{
	return ((const struct item *)node)->key == *(const uint64_t *)key;
}

/* A small hash space makes long probe runs, where a wrong deletion loses entries. */
static uint64_t weak_hash(uint64_t key)
{
	return key % 37;
}

Test(table, against_a_model)
{
	static struct item items[200];
	bool is_in[200] = { false };
	struct table table;
	uint32_t seed = 1, count = 0, cursor = 0, seen = 0;

	table_init(&table, 150, item_equal);
	for (int step = 0; step < 100000; step++) {
		uint64_t key;

		seed = seed * 1664525 + 1013904223;
		key = (seed >> 8) % 200;
		items[key].key = key;
		if (seed >> 31) {
			int r = table_insert(&table, weak_hash(key), &key, &items[key]);

			cr_assert_eq(r, is_in[key]     ? TABLE_E_EXISTS
					: count == 150 ? TABLE_E_FULL
						       : 0);
			count += r == 0;
			is_in[key] |= r == 0;
		} else {
			void *node = table_remove(&table, weak_hash(key), &key);

			cr_assert_eq(node, is_in[key] ? &items[key] : NULL);
			count -= node != NULL;
			is_in[key] = false;
		}
		key = (key * 7 + 3) % 200;
		cr_assert_eq(table_find(&table, weak_hash(key), &key) != NULL, is_in[key]);
	}
	while (table_next(&table, &cursor))
		seen++;
	cr_expect_eq(seen, count);
	table_done(&table);
}

Test(queue, refuses_when_full_and_keeps_order)
{
	struct queue queue;
	int items[5];

	cr_assert_eq(queue_init(&queue, 4), 0);
	for (int i = 0; i < 4; i++)
		cr_expect(queue_put(&queue, &items[i]));
	cr_expect_not(queue_put(&queue, &items[4]));
	for (int i = 0; i < 4; i++)
		cr_expect_eq(queue_take(&queue), &items[i]);
	cr_expect_null(queue_take(&queue));
	queue_done(&queue);
}

Test(clock, durations)
{
	static const struct {
		const char *text;
		bool is_valid;
		uint64_t ns;
	} cases[] = {
		{ "20s", true, 20 * NS_PER_SEC },
		{ "500ms", true, 500 * NS_PER_MS },
		{ "5", true, 5 * NS_PER_SEC },
		{ "2h", true, 7200 * NS_PER_SEC },
		{ "", false, 0 },
		{ "s", false, 0 },
		{ "-1s", false, 0 },
		{ "1x", false, 0 },
		{ "99999999999999999999s", false, 0 },
		{ "9999999999999d", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t ns = 0;

		cr_expect_eq(clock_parse_duration(str_from(cases[i].text), &ns), cases[i].is_valid,
			     "%s", cases[i].text);
		if (cases[i].is_valid)
			cr_expect_eq(ns, cases[i].ns, "%s", cases[i].text);
	}
}

Test(clock, rfc3339)
{
	struct buf buf;

	buf_init(&buf, 100);
	clock_put_rfc3339(&buf, 1735787045000000006ULL);
	cr_expect_str_eq(buf.p, "2025-01-02T03:04:05.000000006Z");
	buf_done(&buf);
}

Test(diag, positions_and_print)
{
	struct diags diags;
	uint32_t source;
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	diags_init(&diags);
	source = diags_add_source(&diags, STR("a.yaml"), STR("one\n\ttwo nmae\nthree"));
	diags_error(&diags, (struct span){ source, 9, 4 }, "E0301", "did you mean 'name'?",
		    "unknown field '%s'", "nmae");
	diags_related(&diags, (struct span){ source, 14, 5 }, "used here");
	diags_print(&diags, out, false);
	fclose(out);
	cr_expect_str_eq(text, "a.yaml:2:6: error[E0301]: unknown field 'nmae'\n"
			       "    2 |  two nmae\n"
			       "      |      ^^^^\n"
			       "      = hint: did you mean 'name'?\n"
			       "a.yaml:3:1: note: used here\n"
			       "    3 | three\n"
			       "      | ^^^^^\n");
	free(text);
	cr_expect(diags_has_errors(&diags));
	diags_done(&diags);
}

Test(diag, near_names)
{
	struct near_name near;

	near_name_init(&near, STR("proc.nmae"));
	near_name_offer(&near, "proc.cmdline");
	near_name_offer(&near, "proc.name");
	near_name_offer(&near, "proc.pname");
	cr_expect_str_eq(near.best, "proc.name");
	near_name_init(&near, STR("chekc"));
	near_name_offer(&near, "check");
	cr_expect_str_eq(near.best, "check", "two letters exchanged are one slip");
	cr_expect_eq(near.distance, 1);
	near_name_init(&near, STR("zzzz"));
	near_name_offer(&near, "proc.name");
	cr_expect_null(near.best);
}
