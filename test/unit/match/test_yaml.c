/*
 * The YAML reader: trees, places, recovery, limits.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "yaml_tree.h"

struct read {
	struct arena nodes, texts;
	struct diags diags;
	uint32_t source;
	struct yaml_entry *items;
};

static void read_text(struct read *read, struct str text)
{
	*read = (struct read){ 0 };
	arena_init(&read->nodes, 1u << 28);
	arena_init(&read->texts, 1u << 28);
	diags_init(&read->diags);
	read->source = diags_add_source(&read->diags, STR("t.yaml"), text);
	cr_assert_eq(
		yaml_read(&read->nodes, &read->texts, read->source, &read->diags, &read->items), 0);
}

static void read_done(struct read *read)
{
	arena_done(&read->nodes);
	arena_done(&read->texts);
	diags_done(&read->diags);
}

/* {key: value, …}, [a, b], text, ~ for null, ! in front of what is broken */
static void dump(const struct yaml_node *node, struct buf *out)
{
	const char *brackets = node->kind == YAML_MAP ? "{}" : "[]";

	buf_puts(out, node->is_broken ? "!" : "");
	if (node->kind == YAML_SCALAR) {
		buf_put_str(out, node->is_null ? STR("~") : node->text.s);
		return;
	}
	buf_putc(out, brackets[0]);
	for (const struct yaml_entry *e = node->entries; e; e = e->next) {
		if (e->key) {
			dump(e->key, out);
			buf_puts(out, ": ");
		}
		dump(e->value, out);
		buf_puts(out, e->next ? ", " : "");
	}
	buf_putc(out, brackets[1]);
}

static void dump_items(const struct read *read, struct buf *out)
{
	buf_clear(out);
	for (const struct yaml_entry *e = read->items; e; e = e->next) {
		dump(e->value, out);
		buf_puts(out, e->next ? "; " : "");
	}
}

/* "4:2 E0105, …" */
static void dump_diags(const struct read *read, struct buf *out)
{
	buf_clear(out);
	for (uint32_t i = 0; i < read->diags.item_cnt; i++) {
		const struct diag *diag = &read->diags.items[i];
		struct diag_position position = diags_position(&read->diags, diag->at);

		if (diag->is_related)
			continue;
		buf_printf(out, "%s%u:%u %s", out->n ? ", " : "", position.line, position.column,
			   diag->code);
		cr_expect(diag->hint.p != NULL, "%s has no hint", diag->code);
	}
}

struct tree_case {
	const char *name;
	struct str text;
	const char *tree, *diags;
};

static void run_cases(const struct tree_case *cases, size_t cnt)
{
	_cleanup_(buf_done) struct buf got;

	buf_init(&got, 1u << 20);
	for (size_t i = 0; i < cnt; i++) {
		struct read read;

		read_text(&read, cases[i].text);
		dump_items(&read, &got);
		cr_expect_str_eq(buf_str(&got).p, cases[i].tree, "%s: tree '%s', not '%s'",
				 cases[i].name, buf_str(&got).p, cases[i].tree);
		dump_diags(&read, &got);
		cr_expect_str_eq(buf_str(&got).p, cases[i].diags, "%s: diags '%s', not '%s'",
				 cases[i].name, buf_str(&got).p, cases[i].diags);
		read_done(&read);
	}
}

Test(yaml, trees)
{
	static const struct tree_case cases[] = {
		{ "empty", STR(""), "", "" },
		{ "comment", STR("# nothing\n"), "", "" },
		{ "null documents", STR("---\n---\n~\n...\n---\n- a: b\n"), "{a: b}", "" },
		{ "two documents", STR("- a: b\n---\n- c: d\n- e: f\n"), "{a: b}; {c: d}; {e: f}",
		  "" },
		{ "flow", STR("[{a: [1, true, 0x1f], b: {}}]"), "{a: [1, true, 0x1f], b: {}}", "" },
		{ "null values", STR("- {a: , b: ~, c: null, d: 'null', e: ''}"),
		  "{a: ~, b: ~, c: ~, d: null, e: }", "" },
		{ "byte order mark", STR("\xef\xbb\xbf- a: b\n"), "{a: b}", "" },
		{ "carriage returns", STR("- a: b\r\n  c: >\r\n    d\r\n    e\r\n"),
		  "{a: b, c: d e\n}", "" },
		{ "folded", STR("- a: >\n    b\n    c\n\n    d\n"), "{a: b c\nd\n}", "" },
		{ "literal", STR("- a: |-\n    b\n      c\n"), "{a: b\n  c}", "" },
		{ "alias", STR("- {a: &x [b, c], d: *x}\n- *x\n"), "{a: [b, c], d: [b, c]}; [b, c]",
		  "" },
		{ "key twice", STR("- {a: b, c: d, a: e}\n"), "{a: b, c: d, a: e}", "1:16 W0101" },
		{ "item is a text", STR("- a\n- b: c\n"), "a; {b: c}", "" },
		{ "file is a text", STR("hello\n"), "", "1:1 E0111" },
		{ "file is a map", STR("rule: x\ndesc: y\n"), "", "1:1 E0111" },
		{ "unknown alias", STR("- {a: *b}\n"), "{a: !~}", "1:7 E0109" },
		{ "alias of itself", STR("- &a {b: [*a]}\n"), "{b: [!~]}", "1:11 E0109" },
		{ "list as key", STR("- {[a]: b}\n"), "{[a]: b}", "1:4 E0113" },
	};

	run_cases(cases, ARRAY_LEN(cases));
}

Test(yaml, recovery)
{
	static const struct tree_case cases[] = {
		{ "key too far left", STR("- a: b\n  c: d\n e: f\n  g: h\n\n- i: j\n"),
		  "!{a: b}; {i: j}", "3:2 E0105" },
		{ "key at the margin", STR("- a: b\n  c: d\ne: f\n- i: j\n"), "!{a: b}; {i: j}",
		  "3:1 E0105" },
		{ "key too far right", STR("- a: b\n  c: d\n    e: f\n- i: j\n"), "!{a: b}; {i: j}",
		  "3:5 E0105" },
		{ "tab", STR("- a: b\n  c: d\n\te: f\n- i: j\n"), "!{a: b}; {i: j}", "3:1 E0106" },
		{ "percent", STR("- a: b\n  c: %d\n- i: j\n"), "!{a: b}; {i: j}", "2:6 E0104" },
		{ "colon", STR("- a: b\n  c: d: e\n- i: j\n"), "!{a: b}; {i: j}", "2:7 E0104" },
		{ "no colon", STR("- a: b\n  c d\n  e: f\n- i: j\n"), "!{a: b}; {i: j}",
		  "2:3 E0104" },
		{ "quote open to the end", STR("- a: b\n  c: \"d\n- i: j\n- k: l\n"),
		  "!{a: b}; {i: j}; {k: l}", "2:6 E0107" },
		{ "quote closed by a later one", STR("- a: b\n  c: 'd\n- i: 'j'\n- k: l\n"),
		  "!{a: b}; {i: j}; {k: l}", "2:6 E0107" },
		{ "text behind a quote", STR("- a: b\n  c: 'd' e\n- i: j\n"), "!{a: b}; {i: j}",
		  "2:10 E0107" },
		{ "bracket", STR("- a: b\n  c: [d, e\n  f: g\n- i: j\n"), "!{a: b}; {i: j}",
		  "2:6 E0108" },
		{ "escape", STR("- a: \"\\d\"\n- i: j\n"), "!{}; {i: j}", "1:7 E0104" },
		{ "star", STR("- a: *.so\n- i: j\n"), "!{}; {i: j}", "1:7 E0104" },
		{ "two mistakes", STR("- a: b\n c: d\n- e: %f\n- i: j\n"), "!{a: b}; !{}; {i: j}",
		  "2:2 E0105, 3:6 E0104" },
		{ "mistake before the first item", STR("a: b\n- i: j\n"), "{i: j}", "1:1 E0111" },
		{ "mistake in the last item", STR("- i: j\n- a: b\n c: d\n"), "{i: j}; !{a: b}",
		  "3:2 E0105" },
		{ "block text too far left", STR("- a: b\n  c: >\n    d\n   e\n  f: g\n- i: j\n"),
		  "!{a: b}; {i: j}", "4:4 E0105" },
		{ "key of a nested list too far left",
		  STR("- a: b\n  c:\n    - d: e\n   f: g\n- i: j\n"), "!{a: b}; {i: j}",
		  "4:4 E0105" },
		{ "comment within a value", STR("- a: b\n  c: d # e\n    f\n- i: j\n"),
		  "!{a: b}; {i: j}", "3:5 E0104" },
		{ "text behind a list", STR("- a: b\n  c: [d]]\n- i: j\n"), "!{a: b}; {i: j}",
		  "2:9 E0108" },
		{ "tag", STR("- a: !b c\n  d: !!str e\n"), "{a: c, d: e}", "1:6 W0103" },
		{ "no blank behind the dash", STR("-a: b\n c: d\n- i: j\n"), "{i: j}",
		  "1:1 E0111" },
		{ "anchor before a mistake", STR("- &x {a: b}\n- c: %\n- *x\n"),
		  "{a: b}; !{}; {a: b}", "2:6 E0104" },
		{ "NUL", STR("- a: b\0c\n- i: j\n"), "{a: b?c}; {i: j}", "1:7 E0103" },
		{ "control character", STR("- a: \x1b[0m\n"), "{a: ?[0m}", "1:6 E0103" },
		{ "not UTF-8", STR("- a: b\xff\xfe\n- c: \xc3\xa9\n"), "{a: b??}; {c: \xc3\xa9}",
		  "1:7 E0103" },
		{ "UTF-16", STR("\xff\xfe-\0 \0"), "", "1:1 E0103" },
	};

	run_cases(cases, ARRAY_LEN(cases));
}

/* Where each word of the value of key `a` stands: "line:column" in the order of the words. */
Test(yaml, places)
{
	static const struct {
		const char *name, *text, *places;
	} cases[] = {
		{ "plain", "- a: one two", "1:6 1:10" },
		{ "plain over lines", "- a: one\n    two\n\n    three", "1:6 2:5 4:5" },
		{ "folded", "- a: > # comment\n    one two\n    three\n", "2:5 2:9 3:5" },
		{ "folded with more indented lines", "- a: >-\n    one\n      two\n    three\n",
		  "2:5 3:7 4:5" },
		{ "literal", "- a: |2\n    one\n\n    two\n", "2:5 4:5" },
		{ "single quotes", "- a: 'it''s two\n    three'\n", "1:7 1:13 2:5" },
		{ "double quotes", "- a: \"one\\ttwo \\\n    three\\x20four\n\n  five \\\"six\"",
		  "1:7 1:12 2:5 2:14 4:3 4:8" },
		{ "escapes of wide characters", "- a: \"\\u00e9 two \\U0001f600 \\N four\"",
		  "1:7 1:14 1:18 1:29 1:32" },
		{ "behind wide characters", "- b: \xc3\xa9\xe2\x82\xac\n  a: \xc3\xa9 two",
		  "2:6 2:9" },
		{ "an escape behind folded breaks", "- a: \"one\n\n\n  \\n\\ntwo\"", "1:7 4:7" },
		{ "behind an anchor and a tag", "- a: &x !!str\n   one 'two'", "2:4 2:8" },
		{ "CRLF", "- a: >\r\n    one\r\n    two\r\n", "2:5 3:5" },
	};
	_cleanup_(buf_done) struct buf got;

	buf_init(&got, 4096);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct text *text;
		struct read read;

		read_text(&read, str_from(cases[i].text));
		cr_assert(read.items && yaml_get(read.items->value, "a"), "%s", cases[i].name);
		text = &yaml_get(read.items->value, "a")->text;
		buf_clear(&got);
		for (uint32_t at = 0; at < text->s.n; at++) {
			struct diag_position position =
				diags_position(&read.diags, text_span(text, at, 1));

			if ((at == 0 || strchr(" \t\n", text->s.p[at - 1])) &&
			    !strchr(" \t\n", text->s.p[at]))
				buf_printf(&got, "%s%u:%u", got.n ? " " : "", position.line,
					   position.column);
		}
		cr_expect_str_eq(buf_str(&got).p, cases[i].places, "%s: %s, not %s", cases[i].name,
				 buf_str(&got).p, cases[i].places);
		read_done(&read);
	}
}

static void repeat(struct buf *out, const char *text, unsigned cnt)
{
	for (unsigned i = 0; i < cnt; i++)
		buf_puts(out, text);
}

static void expect_code(struct buf *text, const char *code, const char *name)
{
	struct read read;
	bool found = false;

	read_text(&read, buf_str(text));
	for (uint32_t i = 0; i < read.diags.item_cnt; i++)
		found |= strcmp(read.diags.items[i].code, code) == 0;
	cr_expect(found, "%s: no %s", name, code);
	read_done(&read);
}

Test(yaml, limits)
{
	_cleanup_(buf_done) struct buf text;

	buf_init(&text, YAML_FILE_MAX);
	repeat(&text, "- [", 1);
	repeat(&text, "[", 100);
	expect_code(&text, "E0110", "depth");

	/* 10^9 nodes if aliases were copied, or counted once. */
	buf_clear(&text);
	buf_puts(&text, "- &a [x, x, x, x, x, x, x, x, x, x]\n");
	for (char c = 'b'; c <= 'j'; c++)
		buf_printf(&text, "- &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c,
			   c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
	expect_code(&text, "E0110", "aliases");

	/* 3 GB of text, from 1 MB. */
	buf_clear(&text);
	buf_puts(&text, "- &a \"");
	repeat(&text, "0123456789", 100000);
	buf_puts(&text, "\"\n");
	repeat(&text, "- *a\n", 3000);
	expect_code(&text, "E0110", "long text");

	buf_clear(&text);
	repeat(&text, "- x\n", YAML_NODES_MAX + 10);
	expect_code(&text, "E0110", "nodes");

	/* Each of these makes libyaml read to the end. */
	buf_clear(&text);
	repeat(&text, "- a: [\n", 100000);
	expect_code(&text, "E0110", "syntax errors");
}

Test(yaml, joined_text)
{
	struct text_segment first[] = { { 0, 1, 10, 3 } }, second[] = { { 0, 2, 40, 2 } };
	struct text a = { STR("abc"), first, 1 }, b = { STR("de"), second, 1 }, joined;
	struct arena arena;
	struct span span;

	arena_init(&arena, 4096);
	joined = text_join(&arena, &a, &b);
	cr_assert(str_eq_text(joined.s, "abc de"));
	span = text_span(&joined, 1, 1);
	cr_expect(span.source == 1 && span.offset == 11 && span.length == 1);
	span = text_span(&joined, 4, 2);
	cr_expect(span.source == 2 && span.offset == 40 && span.length == 2);
	span = text_span(&joined, 1, 5); /* over both: as far as the first goes */
	cr_expect(span.source == 1 && span.offset == 11 && span.length == 2);
	span = text_span(&joined, 3, 1); /* the joining blank */
	cr_expect(span.source == 1 && span.offset == 13);
	arena_done(&arena);
}

Test(yaml, trimmed_text)
{
	struct text_segment segments[] = { { 0, 1, 10, 4 }, { 5, 1, 20, 3 } };
	struct text text = { STR("  ab cd\n"), segments, 2 };
	struct arena arena;

	arena_init(&arena, 4096);
	cr_assert(text_trim(&arena, &text));
	cr_expect(str_eq_text(text.s, "ab cd"));
	cr_expect_eq(text_span(&text, 0, 2).offset, 12);
	cr_expect_eq(text_span(&text, 3, 2).offset, 20);
	arena_done(&arena);
}
