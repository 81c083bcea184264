/*
 * Conditions from text to verdict where test/lang does not reach: what is shared, what explain
 * prints, and that the index of a plan changes no answer.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "language.h"
#include "parse.h"

/* ---- structure ------------------------------------------------------------------------------- */

static void nest(char *out, size_t size, unsigned depth)
{
	size_t n = 0;

	for (unsigned i = 0; i < depth; i++)
		out[n++] = '(';
	n += (size_t)snprintf(out + n, size - n, "evt.type=openat");
	for (unsigned i = 0; i < depth; i++)
		out[n++] = ')';
	out[n] = '\0';
}

Test(match_language, depth)
{
	char text[4096];

	for (unsigned depth = 999; depth < 1003; depth++) {
		struct language language;

		language_init(&language, 1u << 26);
		nest(text, sizeof(text), depth);
		language_rule(&language, text);
		cr_expect_eq(language_compile(&language), depth <= 1000 ? 0 : RULES_E_INVALID, "%u",
			     depth);
		cr_expect_eq(language_diag(&language, "E0205") != NULL, depth > 1000, "%u", depth);
		language_done(&language);
	}
}

/* Macros that double each other: two to the power of 60 paths, 60 nodes. */
Test(match_language, doubling_macros)
{
	struct language language;
	struct buf out;

	language_init(&language, 1u << 26);
	language_macro(&language, "m0", "proc.name = a");
	for (unsigned i = 1; i < 60; i++) {
		char name[16], condition[128];

		snprintf(name, sizeof(name), "m%u", i);
		snprintf(condition, sizeof(condition),
			 "(m%u and proc.pid = %u) or (m%u and proc.ppid = %u)", i - 1, i, i - 1, i);
		language_macro(&language, name, condition);
	}
	language_rule(&language, "evt.type = openat and m59");
	cr_assert_eq(language_compile(&language), 0);
	cr_expect_eq(language_run(&language, "openat",
				  (struct given[]){ { "proc.name", "a" }, { 0 } }, NULL),
		     0u);
	buf_init(&out, 1u << 16);
	ast_format(language.rules[0].condition, true, &out);
	cr_expect(out.failed, "the text is cut, not written for ever");
	buf_done(&out);
	language_done(&language);
}

/* A chain of macros longer than any path may be. */
Test(match_language, deep_macros)
{
	struct language language;

	language_init(&language, 1u << 28);
	language_macro(&language, "m0", "proc.name = a");
	for (unsigned i = 1; i < 2000; i++) {
		char name[16], condition[128];

		snprintf(name, sizeof(name), "m%u", i);
		snprintf(condition, sizeof(condition), "not (proc.pid = 1 or m%u)", i - 1);
		language_macro(&language, name, condition);
	}
	language_rule(&language, "m1999");
	cr_expect_eq(language_compile(&language), RULES_E_INVALID);
	cr_expect_not_null(language_diag(&language, "E0205"));
	language_done(&language);
}

Test(match_language, equal_parts_are_one)
{
	struct language language;

	language_init(&language, 1u << 26);
	language_macro(&language, "m", "proc.name = a or proc.pname = b");
	language_rule(&language, "evt.type = openat and m and proc.pid = 1");
	language_rule(&language,
		      "evt.type = openat and proc.pid=1 and (proc.pname=b or proc.name==a)");
	language_rule(&language, "evt.type = openat and not m and proc.name in (b, a)");
	language_rule(&language, "evt.type = openat and proc.name in (a, \"b\", a)");
	cr_assert_eq(language_compile(&language), 0);
	/* evt.type, proc.name, proc.pname, proc.pid */
	cr_expect_eq(language.program->operand_cnt, 4u);
	/* evt.type = openat, name = a, pname = b, pid = 1, name in (a, b) */
	cr_expect_eq(language.program->predicate_cnt, 5u);
	cr_expect_eq(language.program->expressions[0], language.program->expressions[1]);
	language_done(&language);
}

/* The two readings of a path: what is asked inside `not` is another question. */
Test(match_language, readings_have_two_tests)
{
	static const struct given both[] = { { "fd.name", "/run/x" },
					     { "fd.name", "/var/run/x" },
					     { 0 } };
	struct language language;
	uint64_t hits;

	language_init(&language, 1u << 26);
	language.is_match_all = true;
	language_rule(&language, "evt.type = openat and fd.name startswith /var");
	language_rule(&language, "evt.type = openat and not fd.name startswith /var");
	language_rule(&language, "evt.type = openat and basename(fd.name) = x");
	language_rule(&language, "evt.type = openat and not tolower(fd.name) startswith /var");
	language_rule(&language, "evt.type = openat and concat(fd.name, \"y\") = \"/var/run/xy\"");
	cr_assert_eq(language_compile(&language), 0);
	language_run(&language, "openat", both, &hits);
	cr_expect_eq(hits, 0x1fULL, "%llx", (unsigned long long)hits);
	language_done(&language);
}

Test(match_language, events_of_a_rule)
{
	static const struct {
		const char *condition, *in, *out;
	} cases[] = {
		{ "evt.type = openat", "openat", "openat2" },
		{ "evt.type in (openat, openat2) and proc.name = a", "openat2", "execve" },
		{ "not evt.type = openat", "mkdirat", "openat" },
		{ "not (evt.type = openat or proc.name = a)", "openat2", "openat" },
		{ "not (evt.type != openat)", "openat", "openat2" },
		{ "evt.type = openat or (evt.type = connect and evt.num = 0)", "openat",
		  "connect" },
		{ "evt.type != openat and evt.type exists", "openat2", "openat" },
		{ "evt.type startswith openat", "execve", NULL },
		{ "proc.name = a", "mkdirat", "read" },
		/* What is made all the time, and haetae's own, only by name. */
		{ "proc.name = a", "openat2", "loss" },
		{ "evt.type = loss", "loss", "openat" },
		{ "evt.type != openat", "openat2", "mmap" },
		{ "evt.type exists", "openat2", "close" },
		{ "evt.type = read and proc.name = a", "read", "write" },
		{ "proc.name = a or evt.type in (read, openat)", "read", "write" },
		{ "not evt.type != close", "close", "openat" },
		{ "not evt.type = close", "openat", "close" },
		{ "not evt.type = close", "openat", "read" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct language language;

		language_init(&language, 1u << 26);
		language_rule(&language, cases[i].condition);
		cr_assert_eq(language_compile(&language), 0, "%s", cases[i].condition);
		cr_expect(event_set_has(&language.rules[0].events,
					(unsigned)event_code_find(str_from(cases[i].in))),
			  "%s on %s", cases[i].condition, cases[i].in);
		if (cases[i].out)
			cr_expect_not(
				event_set_has(&language.rules[0].events,
					      (unsigned)event_code_find(str_from(cases[i].out))),
				"%s not on %s", cases[i].condition, cases[i].out);
		language_done(&language);
	}
}

/* What explain prints is a condition again, and means the same. */
Test(match_language, format_is_source)
{
	static const char *const cases[] = {
		"proc.name = a and (proc.pid > 1 or not (fd.name exists or evt.num=0))",
		"not not proc.name = a",
		"proc.name in (shells, \"a b\", 'c\"d', \"\\x5c\\n\")",
		"proc.name startswith anyof (a, b) and proc.name in ()",
		"proc.aname[2] = \"x)\" or proc.env[\"A B\"] = val(proc.cwd)",
		"getopt((proc.args[0], \"-a\"), \"ab:\")[a] = concat(proc.name, \"x\")",
		"is_shell or is_shell and proc.name = a",
		"len(proc.name) > 3 and join(\",\", (\"a\", \"b\")) = \"a,b\"",
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct language language, again;
		struct buf first, second;

		language_init(&language, 1u << 26);
		language_init(&again, 1u << 26);
		buf_init(&first, 1u << 16);
		buf_init(&second, 1u << 16);
		language_list(&language, "shells", "bash|my sh|\"(x)\"");
		language_macro(&language, "is_shell", "proc.name in (shells) or proc.pid = 1");
		language_rule(&language, cases[i]);
		cr_assert_eq(language_compile(&language), 0, "%s", cases[i]);
		ast_format(language.rules[0].condition, false, &first);
		language_rule(&again, buf_str(&first).p);
		cr_assert_eq(language_compile(&again), 0, "%s", first.p);
		ast_format(again.rules[0].condition, false, &second);
		cr_expect(str_eq(buf_str(&first), buf_str(&second)), "%s\n%s", first.p, second.p);
		buf_done(&first);
		buf_done(&second);
		language_done(&language);
		language_done(&again);
	}
}

/* ---- exceptions ------------------------------------------------------------------------------ */

static struct exception_value scalar(struct language *language, const char *text)
{
	struct text *item = arena_new(&language->diags.arena, struct text);

	*item = language_text(language, text);
	return (struct exception_value){ .items = item, .item_cnt = 1 };
}

static void expect_condition(struct language *language, const char *want)
{
	struct buf out;

	buf_init(&out, 1u << 16);
	cr_assert_eq(language_compile(language), 0, "%s", want);
	ast_format(language->rules[0].condition, false, &out);
	cr_expect_str_eq(out.p, want);
	buf_done(&out);
}

Test(match_language, exceptions)
{
	struct language language;
	struct rule_def *rule;
	struct text fields[2], comps[2], single_field, single_comp;
	struct exception_value cells[4], singles[2];
	struct exception_row rows[2], single_rows[2];
	struct exception_def exceptions[2];

	language_init(&language, 1u << 26);
	language_list(&language, "tmp", "/tmp|/var/tmp");
	rule = language_rule(&language, "evt.type = openat or proc.name = a");
	fields[0] = language_text(&language, "proc.name");
	fields[1] = language_text(&language, "tolower(proc.exepath)");
	comps[0] = language_text(&language, "=");
	comps[1] = language_text(&language, "startswith anyof");
	cells[0] = scalar(&language, "my tool");
	cells[1] = scalar(&language, "(/opt, /srv)");
	cells[2] = scalar(&language, "val(proc.pname)");
	cells[3] = scalar(&language, "tmp");
	rows[0] = (struct exception_row){ &cells[0], 2, SPAN_NONE };
	rows[1] = (struct exception_row){ &cells[2], 2, SPAN_NONE };
	single_field = language_text(&language, "proc.pname");
	single_comp = language_text(&language, "in");
	singles[0] = scalar(&language, "x y");
	singles[1] = scalar(&language, "'q'");
	single_rows[0] = (struct exception_row){ &singles[0], 1, SPAN_NONE };
	single_rows[1] = (struct exception_row){ &singles[1], 1, SPAN_NONE };
	exceptions[0] = (struct exception_def){
		language_text(&language, "e"), false, fields, comps, 2, rows, 2
	};
	exceptions[1] = (struct exception_def){
		language_text(&language, "s"), true, &single_field, &single_comp, 1, single_rows, 2
	};
	rule->exceptions = exceptions;
	rule->exception_cnt = 2;
	expect_condition(
		&language,
		"(evt.type = openat or proc.name = a) and not (proc.name = \"my tool\" and "
		"tolower(proc.exepath) startswith anyof (/opt, /srv) or proc.name = "
		"val(proc.pname) and tolower(proc.exepath) startswith anyof (/tmp, "
		"/var/tmp)) and not proc.pname in (\"x y\", q)");
	language_done(&language);
}

/* ---- index ----------------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void random_condition(uint32_t *state, unsigned depth, char *out, size_t size)
{
	static const char *const checks[] = {
		"proc.name = %s",
		"proc.name != %s",
		"proc.name in (%s, a, bb)",
		"proc.name startswith %s",
		"proc.name endswith %s",
		"proc.cmdline contains %s",
		"fd.name pmatch (/%s)",
		"fd.name = /%s",
		"fd.name startswith /%s",
		"proc.aname = %s",
		"proc.name contains %sb",
		"proc.cmdline contains ab%s",
		"proc.pname exists",
		"tolower(proc.name) = %s",
		"fd.name pmatch (/a/%s, b)",
		"shared",
		"evt.type in (openat, mkdirat)",
		"proc.name = val(proc.pname)",
		"proc.cmdline icontains AB%s",
		"proc.cmdline icontains %sab",
		"proc.name glob \"*%sab*\"",
		"fd.name glob \"/[ax]*/ab%s*\"",
		"fd.name glob \"*/a\\\\%saab\"",
		"proc.cmdline iglob \"*bA%s?*\"",
		"fd.snet in (10.1.2.0/24, 10.1.0.0/16)",
		"fd.snet = 10.0.0.0/8",
		"fd.snet in (::1/128, fe80::/10, 10.1.2.128/25)",
		"fd.snet in (0.0.0.0/0)",
		"fd.sport in (22, 80)",
		"fd.sport = 443",
		"fd.sip in (10.1.2.3, ::1)",
	};
	static const char *const words[] = { "a", "b", "ab", "ba", "aab", "bab", "abba", "x" };
	char left[400], right[400], check[64];

	if (depth == 0 || next_random(state) % 4 == 0) {
		snprintf(check, sizeof(check), "%s",
			 checks[next_random(state) % ARRAY_LEN(checks)]);
		if (strchr(check, '%')) {
			char *hole = strchr(check, '%');
			const char *word = words[next_random(state) % ARRAY_LEN(words)];

			snprintf(out, size, "%s%.*s%s%s", next_random(state) % 4 ? "" : "not ",
				 (int)(hole - check), check, word, hole + 2);
		} else {
			snprintf(out, size, "%s", check);
		}
		return;
	}
	random_condition(state, depth - 1, left, sizeof(left));
	random_condition(state, depth - 1, right, sizeof(right));
	snprintf(out, size, "%s(%s %s %s)", next_random(state) % 6 ? "" : "not ", left,
		 next_random(state) % 3 ? "and" : "or", right);
}

static const char *random_word(uint32_t *state)
{
	static const char *const words[] = { "a",	 "b",	     "ab",     "ba",	"aab",
					     "bab",	 "abba",     "aabba",  "/a/ab", "/b",
					     "/a",	 "//a//ab/", "/x/y",   "bb",	"",
					     "/",	 "b/aab",    "xxabxx", "XaBa",	"aBABb",
					     "/x/ababa", "/[a/aaab" };

	return words[next_random(state) % ARRAY_LEN(words)];
}

static const char *random_address(uint32_t *state)
{
	static const char *const addresses[] = { "10.1.2.3",   "10.1.2.200",  "10.1.9.9",
						 "10.200.0.1", "192.168.0.1", "::1",
						 "fe80::5",    "2001:db8::1" };

	return addresses[next_random(state) % ARRAY_LEN(addresses)];
}

#define INDEX_RULES  40
#define INDEX_EVENTS 10

struct index_event {
	const char *name;
	struct given given[11];
};

static struct index_event random_event(uint32_t *state)
{
	const char *address = random_address(state);
	struct index_event event = {
		next_random(state) % 2 ? "openat" : "execve",
		{ { "proc.name", random_word(state) },
		  { "fd.snet", address },
		  { "fd.sip", address },
		  { "fd.sport", next_random(state) % 2 ? "22" : "443" },
		  { "proc.cmdline", random_word(state) },
		  { "proc.aname", random_word(state) },
		  { "proc.aname", random_word(state) },
		  { "fd.name", random_word(state) },
		  { "fd.name", random_word(state) },
		  { "proc.pname", random_word(state) } },
	};

	/* Sometimes there is no parent, sometimes no path. */
	if (next_random(state) % 3 == 0)
		event.given[9].name = NULL;
	if (next_random(state) % 3 == 0)
		event.given[7].name = NULL;
	return event;
}

static void index_program(struct language *language, char (*conditions)[4096], unsigned cnt)
{
	language_init(language, 1u << 26);
	language->is_match_all = true;
	language_macro(language, "shared", "proc.pname = a or proc.cmdline contains abb");
	for (unsigned i = 0; i < cnt; i++)
		language_rule(language, conditions[i]);
	cr_assert_eq(language_compile(language), 0);
}

/* Forty rules in one program, where the index chooses candidates, and each alone, where none is. */
Test(match_language, index_changes_no_answer)
{
	static char conditions[INDEX_RULES][4096];
	struct index_event events[INDEX_EVENTS];
	uint64_t hits[INDEX_EVENTS];
	uint32_t state = 11;
	unsigned hit_cnt = 0;

	for (unsigned round = 0; round < 200; round++) {
		struct language language;

		for (unsigned i = 0; i < INDEX_RULES; i++)
			random_condition(&state, 3, conditions[i], sizeof(conditions[i]));
		index_program(&language, conditions, INDEX_RULES);
		for (unsigned i = 0; i < INDEX_EVENTS; i++) {
			events[i] = random_event(&state);
			hit_cnt +=
				language_run(&language, events[i].name, events[i].given, &hits[i]);
		}
		language_done(&language);
		for (unsigned rule = 0; rule < INDEX_RULES; rule++) {
			index_program(&language, &conditions[rule], 1);
			for (unsigned i = 0; i < INDEX_EVENTS; i++)
				cr_assert_eq(language_run(&language, events[i].name,
							  events[i].given, NULL),
					     (unsigned)(hits[i] >> rule & 1), "%s",
					     conditions[rule]);
			language_done(&language);
		}
	}
	cr_assert_gt(hit_cnt, 10000u, "%u", hit_cnt);
}

Test(match_language, first_mode_takes_the_first)
{
	struct language language;
	uint64_t hits;

	language_init(&language, 1u << 26);
	for (unsigned i = 0; i < 30; i++) {
		char condition[64];

		snprintf(condition, sizeof(condition),
			 "evt.type = openat and proc.name startswith %s", i % 3 == 2 ? "b" : "x");
		language_rule(&language, condition);
	}
	cr_assert_eq(language_compile(&language), 0);
	cr_expect_eq(language_run(&language, "openat",
				  (struct given[]){ { "proc.name", "bash" }, { 0 } }, &hits),
		     1u);
	cr_expect_eq(hits, 1ULL << 2);
	language_done(&language);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static int compile_within(size_t max_bytes)
{
	struct language language;
	int r;

	language_init(&language, max_bytes);
	language_list(&language, "shells", "bash|sh|zsh|ksh|csh|fish");
	language_macro(&language, "m", "proc.name in (shells) or fd.name pmatch (/a, /b/*)");
	for (unsigned i = 0; i < 12; i++)
		language_rule(&language,
			      "evt.type in (openat, execve) and m and proc.cmdline contains "
			      "abc and not fd.name = /x and fd.snet in (10.0.0.0/8, "
			      "1.0.0.0/8, 2.0.0.0/8, 3.0.0.0/8, 4.0.0.0/8, ::/0)");
	language_rule(&language,
		      "proc.name regex \"a.*b\" or tolower(proc.name) = val(proc.pname)");
	language_rule(&language, "evt.type = openat and concat(fd.name, \"x\") = y and m");
	r = language_compile(&language);
	if (r == 0)
		language_run(&language, "openat", NULL, NULL);
	language_done(&language);
	return r;
}

/* Every allocation of the arena fails once; ASan sees what leaks. */
Test(match_language, out_of_memory)
{
	size_t max_bytes = 0;
	unsigned failures = 0;
	int r;

	while ((r = compile_within(max_bytes)) != 0) {
		cr_assert_lt(r, 0, "%d within %zu bytes", r, max_bytes);
		failures++;
		max_bytes += 64 + max_bytes / 50;
		cr_assert_lt(max_bytes, (size_t)1 << 26);
	}
	cr_assert_gt(failures, 100u);
}
