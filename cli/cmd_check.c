/*
 * haetae check: loads rule files and shows every problem. Owns the diagnostics and the ruleset for
 * the duration of the command.
 */
#include <errno.h>
#include <stdio.h>

#include "haetae/alert.h"
#include "haetae/daemon.h"

#include "commands.h"
#include "rule_paths.h"

#define JSON_MAX (256u << 20)

enum check_option {
	CHECK_JSON,
	CHECK_STRICT,
	CHECK__COUNT
};

static const struct option_spec options[] = {
	[CHECK_JSON] = { 0, "json", NULL, "Print the problems as one JSON array on stdout.",
			 false },
	[CHECK_STRICT] = { 0, "strict", NULL, "Let a warning fail the check, too.", false },
};
_Static_assert(ARRAY_LEN(options) == CHECK__COUNT, "one row an option");

static void print_result(const struct diags *diags, const struct ruleset *ruleset)
{
	unsigned enabled_cnt = 0;

	diags_print(diags, stderr, isatty(STDERR_FILENO) && !getenv("NO_COLOR"));
	for (uint32_t i = 0; ruleset && i < ruleset_rule_cnt(ruleset); i++)
		enabled_cnt += ruleset_rule(ruleset, i)->is_enabled;
	if (ruleset)
		printf("%u rules, %u enabled: ", ruleset_rule_cnt(ruleset), enabled_cnt);
	printf("%u errors, %u warnings\n", diags->error_cnt, diags->warning_cnt);
}

static int print_json(const struct diags *diags)
{
	_cleanup_(buf_done) struct buf out;

	buf_init(&out, JSON_MAX);
	diags_format_json(diags, &out);
	if (out.failed) {
		fprintf(stderr, "haetae: %s\n", strerror(ENOMEM));
		return EXIT_HOST;
	}
	printf("%.*s\n", STR_ARG(buf_str(&out)));
	return EXIT_OK;
}

static int report(const struct args *args, const struct diags *diags, const struct ruleset *ruleset)
{
	int r = EXIT_OK;

	if (args_has(args, CHECK_JSON))
		r = print_json(diags);
	else
		print_result(diags, ruleset);
	if (r != EXIT_OK)
		return r;
	if (diags_has_errors(diags) || (args_has(args, CHECK_STRICT) && diags->warning_cnt > 0))
		return EXIT_NOT_GOOD;
	return EXIT_OK;
}

static int run(const struct args *args)
{
	_cleanup_(rule_paths_done) struct rule_paths paths = { 0 };
	_cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
	_cleanup_(diags_done) struct diags diags;
	struct rules_options rules;
	int r;

	diags_init(&diags);
	rules_options_default(&rules);
	rules.compile_output = template_compile;
	r = rule_paths_from_args(args, RULE_PATHS_OPERANDS, &paths);
	if (r != EXIT_OK)
		return r;
	r = ruleset_load(paths.paths, paths.path_cnt, &rules, &diags, &ruleset);
	if (r < 0) {
		fprintf(stderr, "haetae: %s\n", strerror(-r));
		return EXIT_HOST;
	}
	return report(args, &diags, ruleset);
}

const struct command command_check = {
	.name = "check",
	.operands = "[PATH...]",
	.summary = "validate rule files and show every mistake in them",
	.description =
		"Loads the files, and the *.yaml and *.yml files of folders, as one set in the\n"
		"order given (the installed rules where none is), and prints every problem with\n"
		"its place. Exits with 1 where there is an error.",
	.example = "haetae check --strict /etc/haetae/rules.d",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 0,
	.operand_max = UINT_MAX,
	.run = run,
};
