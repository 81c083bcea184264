/*
 * The tests of rules: `tests:` of a rule, and items of their own. Read from the files that
 * ruleset_load() has read; who runs them is `haetae test`.
 */
#ifndef HAETAE_RULE_TESTS_H
#define HAETAE_RULE_TESTS_H

#include "haetae/fixture.h"
#include "haetae/rules.h"

struct regex;

struct expected_field {
	struct str name;
	struct str text; /* p NULL: null */
};

struct rule_test {
	struct str rule; /* whose test it is; STR_NONE: nobody's */
	struct str name;
	struct span at;
	struct fixtures events; /* written in the test */
	struct str events_path; /* or a file, as written: relative to that of the test; or p NULL */
	struct span events_at;	/* of the path */
	bool has_match, is_match; /* whether the rule raises an alert */
	bool is_alone;		  /* earlier rules are not asked */
	const struct str *alerts; /* the rules that raise one, sorted, each once */
	uint32_t alert_cnt;
	bool has_alerts;
	bool has_count;
	uint64_t count; /* of alerts */
	/* Of the text of the first alert, p NULL: not asked. */
	struct str equals, contains, matches;
	const struct regex *regex; /* of matches */
	const struct expected_field *fields;
	uint32_t field_cnt;
};

struct rule_tests {
	const struct rule_test *items;
	uint32_t cnt;
};

#define RULE_TESTS_MAX 100000

/* All tests of the sources that diags has now, in their order. Mistakes are reported (E08…); a test
 * with one is left out. Everything lives in the arena and in diags. 0 or -ENOMEM. */
int rule_tests_read(struct arena *arena, struct diags *diags, struct rule_tests *ret);
/* Whether the text matches `matches`, as a condition's regex would. */
bool rule_test_matches(const struct rule_test *test, struct str text, struct arena *scratch);

#endif
