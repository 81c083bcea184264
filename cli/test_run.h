/*
 * Running the tests of rules: events through the matcher, what was raised against what was
 * expected.
 */
#ifndef CLI_TEST_RUN_H
#define CLI_TEST_RUN_H

#include "haetae/conf.h"
#include "haetae/replay.h"
#include "haetae/rule_tests.h"

#include "test_coverage.h"

struct test_result {
	const struct rule_test *test;
	bool is_passed, is_skipped; /* skipped: an event that this architecture never raises */
	struct str why; /* one line or several, what was expected and what came; in the arena */
};

struct raised;

struct test_run {
	const struct ruleset *ruleset;
	struct diags *diags;		/* of the files; events of other files are added */
	struct arena *arena;		/* results live here */
	const char *filter;		/* part of "RULE: NAME"; NULL: all */
	struct test_coverage *coverage; /* borrowed; NULL: nobody asks */
	struct matcher *matcher;
	const char *const *paths; /* of the rules, for captures; borrowed */
	uint32_t path_cnt;
	struct conf *conf;     /* for captures: owned, made where one is asked for */
	struct replay *replay; /* the same */
	struct replay_config replay_config;
	struct raised *at_hand;	     /* of the test that runs */
	struct arena scratch;	     /* of one event */
	struct test_result *results; /* owned */
	uint32_t result_cnt, failed_cnt, skipped_cnt;
	/* By rule index: tests in which it matched, and in which it did not and was not to. */
	uint32_t *hits, *misses; /* owned */
	uint64_t event_cnt;
};

/* The ruleset was loaded with is_match_all, so that it shows which earlier rule stands before one.
 * 0 or -ENOMEM. */
int test_run_init(struct test_run *run, const struct ruleset *ruleset, struct diags *diags,
		  struct arena *arena);
void test_run_done(struct test_run *run);
/* Runs all of them; mistakes in files of events are in diags. 0 or -ENOMEM. */
int test_run_all(struct test_run *run, const struct rule_tests *tests);

/* ---- reports (test_report.c) ---------------------------------------------------------------- */

/* For people: what failed, then a line with the sums. */
void test_report_text(const struct test_run *run, FILE *out, bool want_color);
/* TAP version 13. */
void test_report_tap(const struct test_run *run, FILE *out);
/* One JSON object: tests, and sums. */
void test_report_json(const struct test_run *run, FILE *out);
/* JUnit's XML: a test suite a file. */
void test_report_junit(const struct test_run *run, FILE *out);

#endif
