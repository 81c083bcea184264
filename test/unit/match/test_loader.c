/*
 * The loader: the text of its diagnostics, and sets of many rules. What files mean is in
 * test/lang/loader.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "haetae/rules.h"

/* ---- five mistakes --------------------------------------------------------------------------- */

/* clang-format off */
static const char five_mistakes[] =
	"- rule: Bad indentation\n"
	"  desc: The key output stands too far to the left.\n"
	"  condition: evt.type = openat\n"
	" output: x\n"
	"  priority: NOTICE\n"
	"\n"
	"- rule: Unknown field\n"
	"  desc: A field that is nearly one.\n"
	"  condition: evt.type = openat and proc.nmae = cat\n"
	"  output: x\n"
	"  priority: NOTICE\n"
	"\n"
	"- rule: Undefined macro\n"
	"  desc: Nobody defined it.\n"
	"  condition: evt.type = openat and is_suspicious\n"
	"  output: x\n"
	"  priority: NOTICE\n"
	"\n"
	"- rule: Type error\n"
	"  desc: A pid is a number.\n"
	"  condition: >\n"
	"    evt.type = openat\n"
	"    and proc.pid contains 1\n"
	"  output: x\n"
	"  priority: NOTICE\n"
	"\n"
	"- rule: Unbalanced\n"
	"  desc: One parenthesis is missing.\n"
	"  condition: (evt.type = openat and (proc.name = cat)\n"
	"  output: x\n"
	"  priority: NOTICE\n";

static const char five_diagnostics[] =
	"demo.yaml:4:2: error[E0105]: bad indentation: 1 blank\n"
	"    4 |  output: x\n"
	"      |  ^^^^^^^\n"
	"      = hint: the item's first key stands in column 3; indent this line by 2\n"
	"demo.yaml:9:36: error[E0301]: unknown field 'proc.nmae'\n"
	"    9 |   condition: evt.type = openat and proc.nmae = cat\n"
	"      |                                    ^^^^^^^^^\n"
	"      = hint: did you mean 'proc.name'?\n"
	"demo.yaml:7:9: note: in rule 'Unknown field'\n"
	"    7 | - rule: Unknown field\n"
	"      |         ^^^^^^^^^^^^^\n"
	"demo.yaml:15:36: error[E0302]: undefined macro 'is_suspicious'\n"
	"   15 |   condition: evt.type = openat and is_suspicious\n"
	"      |                                    ^^^^^^^^^^^^^\n"
	"      = hint: a bare word is a macro: define it with '- macro: is_suspicious'\n"
	"demo.yaml:23:18: error[E0309]: operator 'contains' does not take type integer\n"
	"   23 |     and proc.pid contains 1\n"
	"      |                  ^^^^^^^^\n"
	"      = hint: it takes exists = != < <= > >= in intersects\n"
	"demo.yaml:19:9: note: in rule 'Type error'\n"
	"   19 | - rule: Type error\n"
	"      |         ^^^^^^^^^^\n"
	"demo.yaml:29:14: error[E0202]: '(' is never closed\n"
	"   29 |   condition: (evt.type = openat and (proc.name = cat)\n"
	"      |              ^\n"
	"      = hint: add the ')' that belongs to it\n";
/* clang-format on */

static void print(const struct diags *diags, char **ret)
{
	size_t size;
	FILE *out = open_memstream(ret, &size);

	cr_assert(out);
	diags_print(diags, out, false);
	fclose(out);
}

Test(loader, five_mistakes)
{
	_cleanup_(freep) char *text = NULL;
	struct rules_options options;
	struct ruleset *ruleset = NULL;
	struct diags diags;

	diags_init(&diags);
	rules_options_default(&options);
	cr_expect_eq(ruleset_load_text(STR("demo.yaml"), str_from(five_mistakes), &options, &diags,
				       &ruleset),
		     RULES_E_INVALID);
	cr_expect_null(ruleset);
	cr_expect_eq(diags.error_cnt, 5);
	print(&diags, &text);
	cr_expect_str_eq(text, five_diagnostics, "%s", text);
	diags_done(&diags);
}

/* ---- many ------------------------------------------------------------------------------------ */

#define MANY_RULES  10000
#define MANY_MACROS 200

static void put_many(struct buf *out)
{
	for (unsigned i = 0; i < MANY_MACROS; i++)
		buf_printf(out,
			   "- list: l%u\n  items: [a%u, b%u, c%u, d]\n"
			   "- macro: m%u\n  condition: >\n    evt.type in (open, openat, execve)\n"
			   "    and proc.name in (l%u)\n",
			   i, i, i, i, i, i);
	for (unsigned i = 0; i < MANY_RULES; i++)
		buf_printf(out,
			   "- rule: Rule number %u\n  desc: Generated.\n  condition: >\n"
			   "    m%u and (proc.pname = p%u or fd.name startswith /x/%u)\n"
			   "    and not user.name in (u%u, l%u)\n"
			   "  output: Rule %u (user=%%user.name file=%%fd.name)\n"
			   "  priority: notice\n  tags: [t%u, host]\n",
			   i, i % MANY_MACROS, i, i, i, i % MANY_MACROS, i, i % 100);
}

/* How long it takes is bench/'s to say; quadratic work would not end within the time-out. */
Test(loader, many_rules, .timeout = 120)
{
	_cleanup_(buf_done) struct buf text;
	struct rules_options options;
	struct ruleset *ruleset = NULL;
	struct diags diags;

	buf_init(&text, 1u << 24);
	put_many(&text);
	cr_assert(!text.failed);
	diags_init(&diags);
	rules_options_default(&options);
	cr_assert_eq(
		ruleset_load_text(STR("many.yaml"), buf_str(&text), &options, &diags, &ruleset), 0);
	cr_expect_eq(ruleset_rule_cnt(ruleset), MANY_RULES);
	cr_expect(ruleset_find(ruleset, STR("Rule number 9999")));
	ruleset_free(ruleset);
	diags_done(&diags);
}

/* As many mistakes as rules: none of the work may be quadratic. */
Test(loader, many_mistakes, .timeout = 120)
{
	_cleanup_(buf_done) struct buf text;
	struct rules_options options;
	struct ruleset *ruleset = NULL;
	struct diags diags;

	buf_init(&text, 1u << 24);
	for (unsigned i = 0; i < MANY_RULES; i++)
		buf_printf(&text,
			   "- {rule: A rule with the number %u, enabled: false}\n"
			   "- {macro: macro_%u, condition: mcaro_%u and}\n",
			   i, i, i);
	diags_init(&diags);
	rules_options_default(&options);
	cr_assert_eq(
		ruleset_load_text(STR("many.yaml"), buf_str(&text), &options, &diags, &ruleset),
		RULES_E_INVALID);
	cr_expect_geq(diags.error_cnt, 2 * MANY_RULES);
	cr_expect_gt(diags.suppressed_cnt, 0);
	diags_done(&diags);
}
