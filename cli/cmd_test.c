/*
 * haetae test: runs the tests that stand in rule files. Owns the ruleset and the tests for the
 * duration of the command.
 */
#include <errno.h>
#include <stdio.h>

#include "haetae/alert.h"
#include "haetae/daemon.h"

#include "commands.h"
#include "rule_paths.h"
#include "test_run.h"

#define TESTS_BYTES_MAX (512u << 20)

enum test_option {
	TEST_TAP,
	TEST_JUNIT,
	TEST_JSON,
	TEST_FILTER,
	TEST_COVERAGE,
	TEST__COUNT
};

static const struct option_spec options[] = {
	[TEST_TAP] = { 0, "tap", NULL, "Print TAP, version 13.", false },
	[TEST_JUNIT] = { 0, "junit", "FILE", "Write a report for JUnit's readers, too.", false },
	[TEST_JSON] = { 0, "json", NULL, "Print one JSON object with all tests.", false },
	[TEST_FILTER] = { 'f', "filter", "TEXT",
			  "Run only tests whose 'RULE: NAME' has this text in it.", false },
	[TEST_COVERAGE] = { 0, "coverage", NULL,
			    "Fail, too, where a rule has no test that it matches, or none that it "
			    "must not match, where a part of a condition is true or false in no "
			    "test, or where no test uses an exception.",
			    false },
};
_Static_assert(ARRAY_LEN(options) == TEST__COUNT, "one row an option");

/* Switched off, or of a maturity that is off by default: tests are for all rules. */
static const struct rule_selector everything = { .is_enable = true, .rule_pattern = STR("*") };

static int load(const struct args *args, struct rule_paths *paths, struct diags *diags,
		struct ruleset **ret)
{
	struct rules_options rules;
	int r = rule_paths_from_args(args, RULE_PATHS_OPERANDS, paths);

	if (r != EXIT_OK)
		return r;
	rules_options_default(&rules);
	rules.compile_output = template_compile;
	rules.is_match_all = true;
	rules.selectors = &everything;
	rules.selector_cnt = 1;
	r = ruleset_load(paths->paths, paths->path_cnt, &rules, diags, ret);
	if (r < 0)
		fprintf(stderr, "haetae test: %s\n", strerror(-r));
	return r < 0 ? EXIT_HOST : r == 0 ? EXIT_OK : EXIT_NOT_GOOD;
}

/* Errors alone: the loader's warnings are for `haetae check`. */
static void print_errors(struct diags *diags)
{
	if (!diags_has_errors(diags))
		return;
	diags_sort(diags);
	diags_print(diags, stderr, isatty(STDERR_FILENO) && !getenv("NO_COLOR"));
}

static int write_junit(const struct test_run *run, const char *path)
{
	FILE *file = fopen(path, "we");
	bool is_good = file;

	if (file) {
		test_report_junit(run, file);
		is_good = !ferror(file);
		is_good &= fclose(file) == 0;
	}
	if (!is_good)
		fprintf(stderr, "haetae test: cannot write %s: %s\n", path, strerror(errno));
	return is_good ? EXIT_OK : EXIT_NOT_GOOD;
}

static int report(const struct args *args, const struct test_run *run)
{
	const char *junit = args_get(args, TEST_JUNIT);

	if (args_has(args, TEST_JSON))
		test_report_json(run, stdout);
	else if (args_has(args, TEST_TAP))
		test_report_tap(run, stdout);
	else
		test_report_text(run, stdout, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
	return junit ? write_junit(run, junit) : EXIT_OK;
}

/* Rules without a hit or without a near miss, and what the tests have not shown of conditions. */
static int report_coverage(const struct test_run *run)
{
	uint32_t bad_cnt = 0, part_cnt;

	for (uint32_t i = 0; i < ruleset_rule_cnt(run->ruleset); i++) {
		const struct rule *rule = ruleset_rule(run->ruleset, i);

		if (!rule->is_enabled || (run->hits[i] && run->misses[i]))
			continue;
		bad_cnt++;
		fprintf(stderr, "%.*s:%u: '%.*s' has no test that it %s\n", STR_ARG(rule->file),
			rule->line, STR_ARG(rule->name),
			run->hits[i] ? "must not match" : "matches");
	}
	part_cnt = test_coverage_report(run->coverage, run->diags, stderr);
	if (bad_cnt)
		fprintf(stderr, "coverage: %u of %u rules lack a test\n", bad_cnt,
			ruleset_rule_cnt(run->ruleset));
	if (part_cnt)
		fprintf(stderr, "coverage: %u parts of conditions are not shown by tests\n",
			part_cnt);
	return bad_cnt || part_cnt ? EXIT_NOT_GOOD : EXIT_OK;
}

static void coverage_freep(struct test_coverage **coverage)
{
	*coverage = test_coverage_free(*coverage);
}

static int run_tests(const struct args *args, const struct rule_paths *paths,
		     const struct ruleset *ruleset, struct diags *diags, struct arena *arena)
{
	_cleanup_(coverage_freep) struct test_coverage *coverage =
		args_has(args, TEST_COVERAGE) ? test_coverage_new() : NULL;
	_cleanup_(test_run_done) struct test_run run = { 0 };
	struct rule_tests tests;
	int exit_code = EXIT_OK;
	int r = rule_tests_read(arena, diags, &tests);

	if (r == 0)
		r = test_run_init(&run, ruleset, diags, arena);
	run.filter = args_get(args, TEST_FILTER);
	run.coverage = coverage;
	run.paths = paths->paths;
	run.path_cnt = paths->path_cnt;
	if (r == 0 && args_has(args, TEST_COVERAGE) && !coverage)
		r = -ENOMEM;
	if (r == 0)
		r = test_run_all(&run, &tests);
	if (r < 0) {
		fprintf(stderr, "haetae test: %s\n", strerror(-r));
		return EXIT_HOST;
	}
	print_errors(diags);
	exit_code = report(args, &run);
	if (run.failed_cnt || diags_has_errors(diags))
		exit_code = EXIT_NOT_GOOD;
	if (run.result_cnt == 0) {
		fprintf(stderr, "haetae test: there is no test%s\n",
			run.filter ? " of that name" : " in these files");
		exit_code = EXIT_NOT_GOOD;
	}
	if (args_has(args, TEST_COVERAGE))
		exit_code = MAX(exit_code, report_coverage(&run));
	return exit_code;
}

static int run(const struct args *args)
{
	_cleanup_(rule_paths_done) struct rule_paths paths = { 0 };
	_cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
	_cleanup_(arena_done) struct arena arena = { 0 };
	_cleanup_(diags_done) struct diags diags = { 0 };
	int exit_code;

	if (args_has(args, TEST_JSON) && args_has(args, TEST_TAP))
		return args_usage_error(&command_test, "--json and --tap exclude each other");
	arena_init(&arena, TESTS_BYTES_MAX);
	diags_init(&diags);
	exit_code = load(args, &paths, &diags, &ruleset);
	if (exit_code == EXIT_NOT_GOOD)
		print_errors(&diags);
	return exit_code == EXIT_OK ? run_tests(args, &paths, ruleset, &diags, &arena) : exit_code;
}

const struct command command_test = {
	.name = "test",
	.operands = "[PATH...]",
	.summary = "run the tests that stand in rule files",
	.description =
		"Runs the tests of rules: events written by hand, and what is to come of them.\n"
		"Needs no root and no daemon. Exits with 1 where a test fails.",
	.example = "haetae test rules",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_max = UINT_MAX,
	.run = run,
};
