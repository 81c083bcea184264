/*
 * What is reported, where, and with which hint: errors, warnings, what is unused or skipped.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "language.h"

static void add_names(struct language *language)
{
	language_list(language, "shells", "bash|sh");
	language_list(language, "self", "self|x");
	language_list(language, "loop_a", "loop_b");
	language_list(language, "loop_b", "loop_a");
	language_list(language, "broken", "it's");
	language_macro(language, "is_shell", "proc.name in (shells)");
	language_macro(language, "recursive", "not recursive");
	language_macro(language, "never", "(evt.num=0)");
}

Test(match_diagnostics, errors)
{
	static const struct {
		const char *condition, *code, *at; /* at: the text under the caret */
		const char *hint;		   /* a part of it */
	} cases[] = {
		{ "proc.name = cat and", "E0201", "and", NULL },
		{ "proc.name = a proc.pid = 1", "E0201", "proc.pid", NULL },
		{ "proc.name = a AND proc.pid = 1", "E0201", "AND", "lower case" },
		{ "proc.name = a && proc.pid = 1", "E0201", "&&", "write and" },
		{ "(proc.name = a", "E0202", "(", NULL },
		{ "proc.name = a)", "E0202", ")", NULL },
		{ "proc.name = \"a", "E0203", "\"", NULL },
		{ "proc.name = \"a\\d\"", "E0204", "\\d", NULL },
		{ "proc.name not in (a)", "E0206", "not", "before the field" },
		{ "proc.name contain a", "E0206", "contain", "contains" },
		{ "proc.name", "E0206", "", "exists" },
		{ "proc.name = (a)", "E0207", "(a", "in (a, b)" },
		{ "proc.name in \"a\"", "E0207", "\"a", "(a, b)" },
		{ "proc.name pmatch /etc", "E0207", "/etc", "parentheses" },
		{ "proc.pid > x", "E0207", "x", NULL },
		{ "   ", "E0208", "   ", NULL },
		{ "proc.name in (broken)", "E0209", "'s", "quotes" },
		{ "proc.name = shells", "E0210", "shells", "in (shells)" },
		{ "proc.nmae = cat", "E0301", "proc.nmae", "proc.name" },
		{ "is_shel", "E0302", "is_shel", "is_shell" },
		{ "shells", "E0302", "shells", "list" },
		{ "proc.name in (loop_a)", "E0304", "loop_a", NULL },
		{ "container.label = x", "E0305", "container.label", NULL },
		{ "proc.pid[1] = 1", "E0306", "[1]", NULL },
		{ "proc.aname[x] = a", "E0307", "[x]", NULL },
		{ "evt.arg.bogus = a", "E0308", "evt.arg.bogus", NULL },
		{ "proc.pid contains 1", "E0309", "contains", NULL },
		{ "proc.pid = 1s", "E0310", "1s", "nanoseconds" },
		{ "fd.sip = 10.0.0.0/8", "E0310", "10.0.0.0/8", "fd.net" },
		{ "evt.type = opena", "E0312", "opena", "open" },
		{ "proc.name regex \\d", "E0313", "\\d", "[[:digit:]]" },
		{ "proc.name = val(proc.pid)", "E0314", "proc.pid", NULL },
		{ "proc.name = val(proc.aname)", "E0315", "proc.aname", NULL },
		{ "proc.name regex val(proc.exe)", "E0315", "proc.exe", NULL },
		{ "tolower(proc.pid) = 1", "E0316", "tolower(proc.pid)", NULL },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct language language;
		const struct diag *diag;
		struct str source, at;

		language_init(&language, 1u << 26);
		add_names(&language);
		language.defs.macro_cnt = 1; /* not the recursive one */
		language_rule(&language, cases[i].condition);
		cr_expect_eq(language_compile(&language), RULES_E_INVALID, "%s",
			     cases[i].condition);
		diag = language_diag(&language, cases[i].code);
		cr_expect_not_null(diag, "%s: no %s", cases[i].condition, cases[i].code);
		if (!diag) {
			diags_print(&language.diags, stderr, false);
			language_done(&language);
			continue;
		}
		source = language.diags.sources[diag->at.source].text;
		at = (struct str){ source.p + diag->at.offset, diag->at.length };
		cr_expect(str_eq_text(at, cases[i].at), "%s: caret under '%.*s'",
			  cases[i].condition, STR_ARG(at));
		if (cases[i].hint)
			cr_expect(diag->hint.p && str_contains(diag->hint, str_from(cases[i].hint)),
				  "%s: hint '%.*s'", cases[i].condition,
				  diag->hint.p ? (int)diag->hint.n : 0, diag->hint.p ?: "");
		language_done(&language);
	}
}

Test(match_diagnostics, macro_loops_and_order)
{
	struct language language;

	language_init(&language, 1u << 26);
	language_macro(&language, "early", "late");
	language_macro(&language, "late", "evt.num > 0");
	language_macro(&language, "one", "two");
	language_macro(&language, "two", "one");
	language.defs.macros[2].order.visibility = 9; /* defined again, behind two */
	language_macro(&language, "own", "own");
	language_rule(&language, "early or one or own");
	cr_expect_eq(language_compile(&language), RULES_E_INVALID);
	cr_expect_not_null(language_diag(&language, "E0317"), "early mentions what comes later");
	cr_expect_not_null(language_diag(&language, "E0303"), "one and two");
	cr_expect_not_null(language_diag(&language, "E0302"),
			   "own is not yet defined inside itself");
	language_done(&language);
}

/* A rule may use what its own file or an earlier one defines. */
Test(match_diagnostics, macro_of_later_file)
{
	for (unsigned is_late = 0; is_late < 2; is_late++) {
		struct language language;

		language_init(&language, 1u << 26);
		language_macro(&language, "m", "evt.num > 0");
		language.defs.macros[0].order.first_file = is_late;
		language_rule(&language, "m and evt.type = open");
		cr_expect_eq(language_compile(&language), is_late ? RULES_E_INVALID : 0);
		cr_expect_eq(language_diag(&language, "E0317") != NULL, is_late == 1);
		language_done(&language);
	}
}

/* One run shows all: syntax, names and types in several rules. */
Test(match_diagnostics, several_errors)
{
	struct language language;

	language_init(&language, 1u << 26);
	language_rule(&language,
		      "proc.nmae = cat and (proc.pid contains 3 or undefined) and fd.x > 1");
	language_rule(&language, "proc.name = = a and proc.name foo b or evt.type = nosuch");
	language_compile(&language);
	cr_expect_eq(language.diags.error_cnt, 7u, "%u errors", language.diags.error_cnt);
	if (language.diags.error_cnt != 7)
		diags_print(&language.diags, stderr, false);
	language_done(&language);
}

Test(match_diagnostics, warnings)
{
	static const struct {
		const char *condition, *code; /* NULL: none at all */
	} cases[] = {
		{ "evt.type = openat and proc.name = a", NULL },
		{ "proc.name = a", "W0401" },
		{ "not evt.type = open", "W0401" },
		{ "proc.name = a", "W0415" },
		{ "evt.type = open or proc.name = a", "W0415" },
		{ "evt.num > 0", "W0402" },
		{ "evt.type = openat and evt.num = 0", "W0403" },
		{ "evt.type = openat and evt.type = openat2", "W0403" },
		{ "evt.type = openat and proc.name = a and proc.name = b", "W0403" },
		{ "evt.type = openat and proc.name in (a, b) and proc.name = b", NULL },
		{ "evt.type = openat and proc.name = a and not proc.name = a", "W0403" },
		{ "evt.type = openat and proc.name in ()", "W0403" },
		{ "evt.type = openat and evt.dir = >", "W0403" },
		{ "evt.type = openat and fd.name = /x and not fd.name = /x", NULL },
		{ "evt.type = openat and proc.aname = a and proc.aname = b", NULL },
		{ "evt.type = execve and fd.name = /x", "W0404" },
		{ "evt.type = loss and proc.name = x", "W0404" },
		{ "evt.type = loss and evt.arg.state = begin", NULL },
		{ "evt.type = execve and not fd.name = /x", NULL },
		{ "evt.type = execve and evt.arg.name = x", "W0404" },
		{ "(evt.type = execve and proc.name = a) or (evt.type = openat and fd.name = x)",
		  NULL },
		{ "evt.type = openat and evt.dir = <", "W0405" },
		{ "evt.type = openat and proc.name regex bash", "W0406" },
		{ "evt.type = openat and proc.name regex ba.h", NULL },
		{ "evt.type = openat and proc.name = proc.pname", "W0407" },
		{ "evt.type = openat and proc.name = \"tolower(x)\"", "W0408" },
		{ "evt.type = openat and proc.cmdline contains \"run shells now\"", "W0412" },
		{ "evt.type = openat and proc.cmdline contains \"shells\"", NULL },
		{ "evt.type = openat and syscall.type = opem", "W0413" },
		{ "evt.type = openat and syscall.type in (openat, openat2)", NULL },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct language language;

		language_init(&language, 1u << 26);
		language_list(&language, "shells", "bash");
		language.defs.lists[0].is_used = true;
		language_rule(&language, cases[i].condition)->want_evttypes_warning = true;
		cr_expect_eq(language_compile(&language), 0, "%s", cases[i].condition);
		if (cases[i].code)
			cr_expect_not_null(language_diag(&language, cases[i].code), "%s: no %s",
					   cases[i].condition, cases[i].code);
		else
			cr_expect_eq(language.diags.item_cnt, 0u, "%s: %s", cases[i].condition,
				     language.diags.item_cnt ? language.diags.items[0].code : "");
		language_done(&language);
	}
}

Test(match_diagnostics, unused)
{
	struct language language;

	language_init(&language, 1u << 26);
	language_list(&language, "used", "a");
	language_list(&language, "by_foreign", "a");
	language_list(&language, "in_list", "a");
	language_list(&language, "unused", "in_list");
	language_macro(&language, "m", "proc.name in (used)");
	language_macro(&language, "n", "m");
	language_rule(&language, "evt.type = openat and m");
	language_rule(&language, "ka.verb = x or ka.name in (by_foreign)")->is_foreign = true;
	cr_expect_eq(language_compile(&language), 0);
	cr_expect_eq(language.diags.item_cnt, 2u, "%u", language.diags.item_cnt);
	cr_expect_not_null(language_diag(&language, "W0409"), "n");
	cr_expect_not_null(language_diag(&language, "W0410"), "unused");
	language_done(&language);
}

/* Only the first match counts: what an earlier rule implies never shows. */
Test(match_diagnostics, shadowed)
{
	static const struct {
		const char *first, *second;
		bool is_match_all, want;
	} cases[] = {
		{ "evt.type = openat and proc.name = a", "proc.name = a and evt.type = openat",
		  false, true },
		{ "evt.type = openat and proc.name = a", "proc.name = a and evt.type = openat",
		  true, false },
		{ "proc.name = a", "evt.type = openat and proc.name = a", false, true },
		{ "m", "evt.type = openat and (m and proc.pid = 1)", false, true },
		{ "evt.type = openat and proc.name = a", "proc.name = a", false, false },
		{ "proc.name = a or proc.pid = 1", "proc.name = a", false, false },
		{ "not proc.name = a", "proc.name = a and proc.pid = 2", false, false },
		{ "fd.name = /a", "not (not fd.name = /a or proc.pid = 1)", false, true },
		/* The first does not see what the second names. */
		{ "proc.name = a", "evt.type = read and proc.name = a", false, false },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct language language;

		language_init(&language, 1u << 26);
		language.is_match_all = cases[i].is_match_all;
		language_macro(&language, "m", "proc.pname = b");
		language_rule(&language, cases[i].first);
		language_rule(&language, cases[i].second);
		cr_expect_eq(language_compile(&language), 0, "%s", cases[i].second);
		cr_expect_eq(language_diag(&language, "W0414") != NULL, cases[i].want, "%s / %s",
			     cases[i].first, cases[i].second);
		language_done(&language);
	}
}

Test(match_diagnostics, skip_if_unknown)
{
	static const struct {
		const char *condition;
		int want;
	} cases[] = {
		{ "nosuch.field = a", 0 },
		{ "evt.type = nosuch", 0 },
		{ "evt.arg.bogus = a", RULES_E_INVALID },
		{ "proc.pid contains a", RULES_E_INVALID },
		{ "proc.name = ", RULES_E_INVALID },
		{ "nosuch.field = a or proc.pid contains a", RULES_E_INVALID },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct language language;

		language_init(&language, 1u << 26);
		language_rule(&language, cases[i].condition)->skip_if_unknown_filter = true;
		cr_expect_eq(language_compile(&language), cases[i].want, "%s", cases[i].condition);
		cr_expect_eq(language_diag(&language, "W0411") != NULL, cases[i].want == 0, "%s",
			     cases[i].condition);
		cr_expect_eq(language.rules[0].is_skipped, cases[i].want == 0, "%s",
			     cases[i].condition);
		language_done(&language);
	}
}
