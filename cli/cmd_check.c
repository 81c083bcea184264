/*
 * haetae check: loads rule files and shows every problem. Owns the diagnostics and the ruleset for
 * the duration of the command.
 */
#include <errno.h>
#include <stdio.h>

#include "haetae/alert.h"
#include "haetae/conf.h"

#include "commands.h"
#include "rule_paths.h"

#define JSON_MAX (256u << 20)

enum check_option {
	CHECK_CONFIG,
	CHECK_JSON,
	CHECK_STRICT,
	CHECK_MATURITY,
	CHECK__COUNT
};

static const struct option_spec options[] = {
	[CHECK_CONFIG] = { 'c', "config", "FILE",
			   "Validate this configuration, and the rules as it selects them.",
			   false },
	[CHECK_JSON] = { 0, "json", NULL, "Print the problems as one JSON array on stdout.",
			 false },
	[CHECK_STRICT] = { 0, "strict", NULL, "Let a warning fail the check, too.", false },
	[CHECK_MATURITY] = { 0, "maturity", RULE_MATURITY_VALUE,
			     "The least mature rules that count as enabled (default: stable).",
			     false },
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

/* The file's own mistakes; then the rules are not looked at. EXIT_NOT_GOOD where there are any. */
static int check_config(const struct args *args, struct conf *conf, struct diags *diags)
{
	const char *path = args_get(args, CHECK_CONFIG);
	int r = conf_load(conf, path, diags);

	if (r == CONF_E_ABSENT)
		return args_usage_error(args->command, "%s: %s", path, strerror(ENOENT));
	if (r == 0)
		r = conf_finish(conf, diags);
	diags_sort(diags);
	if (r < 0) {
		fprintf(stderr, "haetae: %s\n", strerror(-r));
		return EXIT_HOST;
	}
	return r == 0 ? EXIT_OK : EXIT_NOT_GOOD;
}

/* The operands, else what the configuration names, else the installed rules. */
static int check_rules(const struct args *args, const struct conf *conf, struct diags *diags,
		       struct ruleset **ret)
{
	_cleanup_(rule_paths_done) struct rule_paths paths = { 0 };
	const struct daemon_config *config = &conf->daemon;
	bool is_configured = config->rule_path_cnt > 0 && args->operand_cnt == 0;
	int r;

	if (!is_configured) {
		r = rule_paths_from_args(args, RULE_PATHS_OPERANDS, &paths);
		if (r != EXIT_OK)
			return r;
	}
	r = ruleset_load(is_configured ? config->rule_paths : paths.paths,
			 is_configured ? config->rule_path_cnt : paths.path_cnt, &config->rules,
			 diags, ret);
	if (r < 0) {
		fprintf(stderr, "haetae: %s\n", strerror(-r));
		return EXIT_HOST;
	}
	return EXIT_OK;
}

static int run(const struct args *args)
{
	_cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
	_cleanup_(diags_done) struct diags diags;
	_cleanup_(conf_freep) struct conf *conf = conf_new();
	int r = EXIT_OK;

	diags_init(&diags);
	if (!conf) {
		fprintf(stderr, "haetae: %s\n", strerror(ENOMEM));
		return EXIT_HOST;
	}
	if (args_has(args, CHECK_CONFIG))
		r = check_config(args, conf, &diags);
	if (r == EXIT_OK)
		r = rule_maturity_from_args(args, CHECK_MATURITY, &conf->daemon.rules.maturity);
	if (r == EXIT_OK)
		r = check_rules(args, conf, &diags, &ruleset);
	return r == EXIT_OK || r == EXIT_NOT_GOOD ? report(args, &diags, ruleset) : r;
}

const struct command command_check = {
	.name = "check",
	.operands = "[PATH...]",
	.summary = "validate rule files or a configuration and show every mistake",
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
