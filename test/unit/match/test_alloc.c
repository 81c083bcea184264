/*
 * Every allocation of a load fails once, and all from each one on: the load says that memory is
 * exhausted, leaves nothing behind, and the rules loaded before stay. Prints TAP.
 */
#include <errno.h>
#include <stdio.h>

#include "counting_malloc.h"
#include "haetae/rules.h"

/* clang-format off */
static const char good_rules[] =
	"- required_engine_version: 0.57.0\n"
	"- list: shells\n  items: [bash, sh, \"a b\"]\n"
	"- list: more\n  items: [shells, zsh]\n"
	"- macro: opened\n  condition: >\n    evt.type in (open, openat)\n    and fd.num >= 0\n"
	"- rule: One\n  desc: \"d\\te\"\n  output: '  o %proc.name  '\n  priority: info\n  tags: [b, a]\n"
	"  condition: opened and proc.name in (more) and fd.name pmatch (/a, /b/*)\n"
	"  exceptions:\n    - name: e\n      fields: [proc.name, fd.directory]\n      values: [[a, /b]]\n"
	"- rule: One\n  condition: and proc.cmdline regex \"a+b.*\" and fd.net = 10.0.0.0/8\n"
	"  exceptions: [{name: e, values: [[c, /d]]}]\n  override: {condition: append, exceptions: append}\n"
	"- rule: Two\n  desc: d\n  output: o\n  priority: info\n  skip-if-unknown-filter: true\n"
	"  condition: evt.type = open and foo.bar = x\n";

static const char bad_rules[] =
	"- rule: One\n  desc: d\n output: o\n"
	"- rule: Two\n  desc: d\n  output: o\n  condition: evt.type = open and proc.nmae = x\n  priority: nfo\n"
	"- macro: m\n  condition: n or (a\n"
	"- {list: l, itms: *a}\n"
	"- &x [*x]\n";
/* clang-format on */

/* What a load left: its result, or -1 where it neither failed cleanly nor succeeded. */
static int load(const char *text)
{
	struct rules_options options;
	struct ruleset *ruleset = NULL;
	struct diags diags;
	bool is_right;
	int r;

	diags_init(&diags);
	rules_options_default(&options);
	r = ruleset_load_text(STR("a.yaml"), str_from(text), &options, &diags, &ruleset);
	is_right =
		(r == 0) == (ruleset != NULL) && (r == 0 || r == -ENOMEM || r == RULES_E_INVALID);
	/* Mistakes may be lost with the memory, but not taken for none. */
	is_right &= r != 0 || !diags_has_errors(&diags);
	ruleset_free(ruleset);
	diags_done(&diags);
	return is_right ? r : -1;
}

/* Fails the n-th allocation for each n, until a load needs fewer. Returns the number of loads that
 * ran out of memory, or 0 at the first that went wrong. */
static unsigned long fail_each(const char *text, int want, bool is_all)
{
	unsigned long failed_cnt = 0;
	int r = -ENOMEM;

	counting_malloc.want_all = is_all;
	for (unsigned long n = 1;; n++) {
		long before = counting_malloc.live_cnt;
		bool was_reached;

		counting_malloc.allocation_cnt = 0;
		counting_malloc.fail_at = n;
		r = load(text);
		was_reached = counting_malloc.allocation_cnt >= n;
		counting_malloc.fail_at = 0;
		if (counting_malloc.live_cnt != before || r == -1) {
			printf("# allocation %lu: result %d, %ld left behind\n", n, r,
			       counting_malloc.live_cnt - before);
			return 0;
		}
		failed_cnt += r == -ENOMEM;
		if (!was_reached)
			break;
	}
	return r == want ? failed_cnt : 0;
}

int main(void)
{
	static const struct {
		const char *name, *text;
		int want;
		bool is_all;
	} cases[] = {
		{ "good rules, one allocation fails", good_rules, 0, false },
		{ "good rules, all from one on fail", good_rules, 0, true },
		{ "bad rules, one allocation fails", bad_rules, RULES_E_INVALID, false },
		{ "bad rules, all from one on fail", bad_rules, RULES_E_INVALID, true },
	};
	struct rules_options options;
	struct ruleset *old = NULL;
	struct diags diags;
	bool is_good;

	setvbuf(stdout, NULL, _IOLBF, 1024);
	diags_init(&diags);
	rules_options_default(&options);
	is_good = ruleset_load_text(STR("old.yaml"), str_from(good_rules), &options, &diags,
				    &old) == 0;
	printf("%sok 1 - loads\n", is_good ? "" : "not ");
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned long failed_cnt = fail_each(cases[i].text, cases[i].want, cases[i].is_all);

		is_good &= failed_cnt > 10;
		printf("%sok %u - %s # %lu loads without memory\n", failed_cnt > 10 ? "" : "not ",
		       i + 2, cases[i].name, failed_cnt);
	}
	is_good &= old && ruleset_find(old, STR("One")) && ruleset_rule_cnt(old) == 2;
	printf("%sok %zu - the old rules stay\n1..%zu\n", is_good ? "" : "not ",
	       ARRAY_LEN(cases) + 2, ARRAY_LEN(cases) + 2);
	ruleset_free(old);
	diags_done(&diags);
	return !is_good;
}
