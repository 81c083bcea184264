/*
 * The ruleset: selection, files and folders, outputs, what stays when the sources are gone.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>

#include "select.h"

#define RULE(name, more)                                                    \
	"- rule: " name "\n  desc: d\n  output: o\n  priority: info\n" more \
	"  condition: evt.type = open\n"

struct loaded {
	struct rules_options options;
	struct diags diags;
	struct ruleset *ruleset;
	int result;
};

static void begin(struct loaded *loaded)
{
	*loaded = (struct loaded){ 0 };
	diags_init(&loaded->diags);
	rules_options_default(&loaded->options);
}

static void load(struct loaded *loaded, const char *text)
{
	loaded->result = ruleset_load_text(STR("a.yaml"), str_from(text), &loaded->options,
					   &loaded->diags, &loaded->ruleset);
}

static void end(struct loaded *loaded)
{
	loaded->ruleset = ruleset_free(loaded->ruleset);
	diags_done(&loaded->diags);
}

static bool has_code(const struct loaded *loaded, const char *code)
{
	for (uint32_t i = 0; i < loaded->diags.item_cnt; i++)
		if (strcmp(loaded->diags.items[i].code, code) == 0)
			return true;
	return false;
}

Test(ruleset, priorities)
{
	enum priority priority;

	cr_expect(priority_parse(STR("WARNING"), &priority) && priority == PRIORITY_WARNING);
	cr_expect(priority_parse(STR("info"), &priority) && priority == PRIORITY_INFORMATIONAL);
	cr_expect(!priority_parse(STR("warn"), &priority));
	cr_expect(!priority_parse(STR(""), &priority));
	for (unsigned i = 0; i < PRIORITY__COUNT; i++)
		cr_expect(priority_parse(str_from(priority_name((enum priority)i)), &priority) &&
			  priority == i);
}

Test(ruleset, patterns)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} cases[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "*", "anything", true },
		{ "a", "a", true },
		{ "a", "A", false },
		{ "a*", "abc", true },
		{ "a*", "ba", false },
		{ "*c", "abc", true },
		{ "*c", "abcd", false },
		{ "a*c", "ac", true },
		{ "a*c", "abcbc", true },
		/* A matcher that does not go back says no to these two. */
		{ "*world", "a world b world", true },
		{ "*ab*ab", "abxabxab", true },
		{ "a**b", "ab", true },
		{ "*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
		{ "?", "a", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(select_matches(str_from(cases[i].pattern), str_from(cases[i].text)),
			     cases[i].want, "%s on %s", cases[i].pattern, cases[i].text);
}

static const char five_rules[] = RULE("One", "  tags: [a, b]\n") RULE("Two", "  tags: [b]\n")
	RULE("Two more", "  enabled: false\n") RULE("Three", "  enabled: false\n  tags: [a]\n")
		RULE("Four", "");

Test(ruleset, selection)
{
	static const struct {
		const char *name;
		struct rule_selector selectors[3];
		uint32_t cnt;
		const char *enabled; /* one letter a rule */
	} cases[] = {
		{ "none", { { 0 } }, 0, "yynny" },
		{ "disable a tag", { { false, STR_NONE, STR("a") } }, 1, "nynny" },
		{ "enable a tag", { { true, STR_NONE, STR("a") } }, 1, "yynyy" },
		{ "a tag is exact", { { false, STR_NONE, STR("a*") } }, 1, "yynny" },
		{ "disable by pattern", { { false, STR("Two*"), STR_NONE } }, 1, "ynnny" },
		{ "disable all, enable one",
		  { { false, STR("*"), STR_NONE }, { true, STR("Three"), STR_NONE } },
		  2,
		  "nnnyn" },
		{ "the last one wins",
		  { { true, STR("Three"), STR_NONE }, { false, STR("*"), STR_NONE } },
		  2,
		  "nnnnn" },
		{ "three in a row",
		  { { false, STR("*"), STR_NONE },
		    { true, STR_NONE, STR("b") },
		    { false, STR("One"), STR_NONE } },
		  3,
		  "nynnn" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct loaded loaded;
		char got[8] = "";

		begin(&loaded);
		loaded.options.selectors = cases[i].selectors;
		loaded.options.selector_cnt = cases[i].cnt;
		load(&loaded, five_rules);
		cr_assert_eq(loaded.result, 0);
		for (uint32_t r = 0; r < ruleset_rule_cnt(loaded.ruleset); r++)
			got[r] = ruleset_rule(loaded.ruleset, r)->is_enabled ? 'y' : 'n';
		cr_expect_str_eq(got, cases[i].enabled, "%s: %s", cases[i].name, got);
		cr_expect_eq(has_code(&loaded, "W0510"),
			     strcmp(cases[i].name, "a tag is exact") == 0, "%s", cases[i].name);
		end(&loaded);
	}
}

static const char mature_rules[] = RULE("Own", "  tags: [mine]\n")
	RULE("Stable", "  tags: [maturity_stable]\n") RULE("Incubating",
							   "  tags: [maturity_incubating, a]\n")
		RULE("Sandbox", "  tags: [maturity_sandbox]\n")
			RULE("Deprecated", "  tags: [maturity_deprecated]\n")
				RULE("Both", "  tags: [maturity_sandbox, maturity_stable]\n")
					RULE("Off", "  tags: [maturity_sandbox]\n"
						    "  enabled: false\n");

Test(ruleset, maturity)
{
	static const struct {
		const char *name;
		enum maturity maturity;
		struct rule_selector selector;
		const char *enabled; /* one letter a rule; m: its maturity keeps it off */
	} cases[] = {
		{ "stable", MATURITY_STABLE, { 0 }, "yymmmmn" },
		{ "incubating", MATURITY_INCUBATING, { 0 }, "yyymmmn" },
		{ "sandbox", MATURITY_SANDBOX, { 0 }, "yyyymyn" },
		{ "a tag", MATURITY_STABLE, { true, STR_NONE, STR("a") }, "yyymmmn" },
		{ "the tag of a maturity",
		  MATURITY_STABLE,
		  { true, STR_NONE, STR("maturity_deprecated") },
		  "yymmymn" },
		{ "a name", MATURITY_STABLE, { true, STR("Sand*"), STR_NONE }, "yymymmn" },
		{ "all", MATURITY_STABLE, { true, STR("*"), STR_NONE }, "yyyyyyy" },
		{ "off by name", MATURITY_SANDBOX, { false, STR("Sand*"), STR_NONE }, "yyynmyn" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct loaded loaded;
		char got[8] = "";

		begin(&loaded);
		loaded.options.maturity = cases[i].maturity;
		loaded.options.selectors = &cases[i].selector;
		loaded.options.selector_cnt =
			cases[i].selector.tag.p || cases[i].selector.rule_pattern.p;
		load(&loaded, mature_rules);
		cr_assert_eq(loaded.result, 0);
		for (uint32_t r = 0; r < ruleset_rule_cnt(loaded.ruleset); r++) {
			const struct rule *rule = ruleset_rule(loaded.ruleset, r);

			got[r] = rule->is_enabled ? 'y' : rule->is_immature ? 'm' : 'n';
		}
		cr_expect_str_eq(got, cases[i].enabled, "%s: %s", cases[i].name, got);
		end(&loaded);
	}
}

Test(ruleset, minimum_priority)
{
	static const struct rule_selector all = { true, STR("*"), STR_NONE };
	struct loaded loaded;
	struct event_set events;

	begin(&loaded);
	loaded.options.min_priority = PRIORITY_NOTICE;
	loaded.options.selectors = &all;
	loaded.options.selector_cnt = 1;
	load(&loaded, RULE("Low", "") "- rule: High\n  desc: d\n  output: o\n  priority: notice\n"
				      "  condition: evt.type = close\n");
	cr_assert_eq(loaded.result, 0);
	cr_expect(!ruleset_find(loaded.ruleset, STR("Low"))->is_enabled);
	cr_expect(ruleset_find(loaded.ruleset, STR("High"))->is_enabled);
	cr_expect_null(ruleset_find(loaded.ruleset, STR("high")));
	/* What is not enabled needs no events. */
	ruleset_events(loaded.ruleset, &events);
	cr_expect(event_set_has(&events, (unsigned)event_code_find(STR("close"))));
	cr_expect(!event_set_has(&events, (unsigned)event_code_find(STR("open"))));
	end(&loaded);
}

/* ---- outputs --------------------------------------------------------------------------------- */

/* Refuses what holds "unknown" as an unknown field, what holds "bad" otherwise. */
static const struct template *compile_output(struct arena *arena, struct str text,
					     const struct span *at, struct diags *diags)
{
	(void)arena;
	if (str_contains(text, STR("unknown")))
		diags_error(diags, *at, "E0601", NULL, "unknown field");
	else if (str_contains(text, STR("bad")))
		diags_error(diags, *at, "E0602", NULL, "bad output");
	else
		return (const struct template *)text.p;
	return NULL;
}

Test(ruleset, outputs)
{
	static const struct {
		const char *output, *more, *code;
		bool loads;
	} cases[] = {
		{ "good", "", NULL, true },
		{ "unknown", "", "E0601", false },
		{ "bad", "", "E0602", false },
		/* Only names that nobody knows are forgiven. */
		{ "unknown", "  skip-if-unknown-filter: true\n", "W0411", true },
		{ "bad", "  skip-if-unknown-filter: true\n", "E0602", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct loaded loaded;
		char text[512];

		begin(&loaded);
		loaded.options.compile_output = compile_output;
		snprintf(text, sizeof(text),
			 "- rule: R\n  desc: d\n  output: %s\n  priority: info\n%s"
			 "  condition: evt.type = open\n",
			 cases[i].output, cases[i].more);
		load(&loaded, text);
		cr_expect_eq(loaded.result, cases[i].loads ? 0 : RULES_E_INVALID, "case %zu", i);
		cr_expect(!cases[i].code || has_code(&loaded, cases[i].code), "case %zu", i);
		if (loaded.ruleset)
			cr_expect_eq(ruleset_rule(loaded.ruleset, 0)->is_enabled,
				     cases[i].code == NULL, "case %zu", i);
		end(&loaded);
	}
}

Test(ruleset, additions)
{
	static const struct str tags[] = { STR("a"), STR("b") };
	static const struct output_addition additions[] = {
		{ .text = STR("all") },
		{ .rule = STR("Two"), .text = STR("two") },
		{ .tags = tags, .tag_cnt = 2, .text = STR("both") },
		{ .source = STR("k8s_audit"), .text = STR("never") },
		{ .rule = STR("Tw*"), .text = STR("no pattern") },
	};
	static const struct output_addition wrong = { .text = STR("unknown") };
	struct loaded loaded;

	begin(&loaded);
	loaded.options.compile_output = compile_output;
	loaded.options.additions = additions;
	loaded.options.addition_cnt = ARRAY_LEN(additions);
	load(&loaded, five_rules);
	cr_assert_eq(loaded.result, 0);
	cr_expect(str_eq_text(ruleset_rule(loaded.ruleset, 0)->output, "o all both"));
	cr_expect(str_eq_text(ruleset_rule(loaded.ruleset, 1)->output, "o all two"));
	cr_expect(str_eq_text(ruleset_rule(loaded.ruleset, 4)->output, "o all"));
	cr_expect_str_eq((const char *)ruleset_rule(loaded.ruleset, 1)->template, "o all two");
	end(&loaded);

	/* A mistake is reported once, not for each rule. */
	begin(&loaded);
	loaded.options.compile_output = compile_output;
	loaded.options.additions = &wrong;
	loaded.options.addition_cnt = 1;
	load(&loaded, five_rules);
	cr_expect_eq(loaded.result, RULES_E_INVALID);
	cr_expect_eq(loaded.diags.error_cnt, 1);
	end(&loaded);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void put_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	cr_assert(file, "%s", path);
	fputs(text, file);
	fclose(file);
}

static void load_path(struct loaded *loaded, const char *path)
{
	begin(loaded);
	loaded->result = ruleset_load(&path, 1, &loaded->options, &loaded->diags, &loaded->ruleset);
}

Test(ruleset, folders)
{
	static const char *const files[] = { "b.yaml",	     "a.yml", "common.yaml",
					     ".hidden.yaml", "d.txt", "below/e.yaml" };
	char folder[] = "/tmp/haetae-ruleset-XXXXXX";
	struct loaded loaded;
	char text[256];

	cr_assert(mkdtemp(folder) && chdir(folder) == 0 && mkdir("below", 0700) == 0);
	load_path(&loaded, folder);
	cr_expect_eq(loaded.result, 0);
	cr_expect(has_code(&loaded, "W0102"));
	end(&loaded);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(text, sizeof(text), RULE("%s", ""), files[i]);
		put_file(files[i], text);
	}
	/* Kubernetes mounts files as links; a link to nothing and a folder are no files. */
	cr_assert(symlink("d.txt", "f.yaml") == 0 && symlink("nothing", "g.yaml") == 0 &&
		  mkdir("h.yaml", 0700) == 0);
	load_path(&loaded, folder);
	cr_assert_eq(loaded.result, 0);
	cr_assert_eq(ruleset_rule_cnt(loaded.ruleset), 4);
	cr_expect(str_eq_text(ruleset_rule(loaded.ruleset, 0)->name, "common.yaml"));
	cr_expect(str_eq_text(ruleset_rule(loaded.ruleset, 1)->name, "a.yml"));
	cr_expect(str_eq_text(ruleset_rule(loaded.ruleset, 2)->name, "b.yaml"));
	cr_expect(str_eq_text(ruleset_rule(loaded.ruleset, 3)->name, "d.txt"));
	cr_expect(str_ends_with(ruleset_rule(loaded.ruleset, 2)->file, STR("/b.yaml")));
	end(&loaded);
	cr_expect_eq(system("rm -r /tmp/haetae-ruleset-??????"), 0);
}

Test(ruleset, unreadable_files)
{
	static const struct {
		const char *path, *code;
	} cases[] = {
		{ "/nonexistent/rules.yaml", "E0101" },
		{ "/dev/zero", "E0102" }, /* without an end */
		{ "/proc/self/mem", "E0101" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct loaded loaded;

		load_path(&loaded, cases[i].path);
		cr_expect_eq(loaded.result, RULES_E_INVALID, "%s", cases[i].path);
		cr_expect(has_code(&loaded, cases[i].code), "%s", cases[i].path);
		cr_expect_null(loaded.ruleset);
		end(&loaded);
	}
}

/* ---- explain --------------------------------------------------------------------------------- */

static const char explained[] =
	"- list: shells\n  items: [bash, sh]\n"
	"- macro: opened\n  condition: evt.type in (openat, openat2)\n"
	"- macro: inner\n  condition: proc.name in (shells)\n"
	"- macro: outer\n  condition: inner or proc.name = zsh\n"
	"- rule: Shell opens\n  desc: >\n    Two\n    lines.\n  output: o\n  priority: notice\n"
	"  condition: opened and outer and not fd.name = /a\n  tags: [b, a]\n";

static const char explanation[] = "Shell opens\n"
				  "  defined    a.yaml:9, number 1 of 1\n"
				  "  priority   Notice\n"
				  "  tags       a, b\n"
				  "  enabled    yes\n"
				  "  desc       Two lines.\n"
				  "  output     o\n"
				  "\n"
				  "condition, as written\n"
				  "    opened and outer and not fd.name = /a\n"
				  "\n"
				  "condition, with macros and lists filled in\n"
				  "    /* opened */ evt.type in (openat, openat2)\n"
				  "      and (/* outer */ /* inner */ proc.name in (/* shells */ "
				  "bash, sh) or proc.name = zsh)\n"
				  "      and not fd.name = /a\n"
				  "\n"
				  "where its parts come from\n"
				  "    macro opened  a.yaml:3\n"
				  "    macro outer  a.yaml:7\n"
				  "    macro inner  a.yaml:5\n"
				  "    list  shells  a.yaml:1\n"
				  "\n"
				  "event types: 2\n"
				  "    openat, openat2\n"
				  "\n"
				  "kernel filter, by event types: what none of this lets pass ends "
				  "in the kernel\n"
				  "    openat, openat2\n"
				  "      name of the thread zsh, bash, sh\n"
				  "    not asked in the kernel\n"
				  "      not fd.name = \"/a\" [all readings]\n"
				  "        what a path must not be is not asked in the kernel\n"
				  "\n"
				  "plan, ";

/* The diagnostics, and with them the texts of the files, are gone when this is asked. */
Test(ruleset, explain)
{
	_cleanup_(buf_done) struct buf out;
	struct loaded loaded;

	buf_init(&out, 1u << 20);
	begin(&loaded);
	load(&loaded, explained);
	cr_assert_eq(loaded.result, 0);
	diags_done(&loaded.diags);
	ruleset_explain(loaded.ruleset, ruleset_rule(loaded.ruleset, 0), &out);
	cr_expect(strncmp(buf_str(&out).p, explanation, strlen(explanation)) == 0, "%s",
		  buf_str(&out).p);
	ruleset_free(loaded.ruleset);
}
