/*
 * haetae replay: captures through the rules again. Owns the configuration and the accounts.
 */
#include <errno.h>
#include <stdio.h>

#include "haetae/clock.h"
#include "haetae/conf.h"
#include "haetae/replay.h"

#include "commands.h"
#include "configuration.h"
#include "replay_stats.h"
#include "rule_paths.h"

enum replay_option {
	REPLAY_RULES,
	REPLAY_FORMAT,
	REPLAY_STATS,
	REPLAY_MIN_PRIORITY,
	REPLAY_MATURITY,
	REPLAY_CONFIG,
	REPLAY_SETTING,
	REPLAY__COUNT
};

static const struct option_spec options[] = {
	[REPLAY_RULES] = { 'r', "rules", "PATH",
			   "A rule file, or a folder of them; instead of the installed rules.",
			   true },
	[REPLAY_FORMAT] = { 0, "format", "text|json",
			    "How alerts are printed: text on a terminal and JSON lines otherwise, "
			    "where this is not given.",
			    false },
	[REPLAY_STATS] = { 0, "stats", NULL,
			   "Also print, on stderr, events a second and what each rule cost.",
			   false },
	[REPLAY_MIN_PRIORITY] = { 0, "min-priority", "PRIORITY",
				  "Leave out rules that are less urgent than this, such as "
				  "warning.",
				  false },
	[REPLAY_MATURITY] = { 0, "maturity", RULE_MATURITY_VALUE,
			      "The least mature rules that are on (default: stable).", false },
	[REPLAY_CONFIG] = { 'c', "config", "FILE",
			    "The configuration; without it /etc/haetae/haetae.yaml where that "
			    "exists. Sinks are not used.",
			    false },
	[REPLAY_SETTING] = { 'o', "option", "KEY=VALUE",
			     "Set an option of the configuration; 'haetae list options' prints "
			     "them.",
			     true },
};
_Static_assert(ARRAY_LEN(options) == REPLAY__COUNT, "one row an option");

static int apply_limits(const struct args *args, struct conf *conf)
{
	const char *priority = args_get(args, REPLAY_MIN_PRIORITY);

	if (priority && !priority_parse(str_from(priority), &conf->daemon.rules.min_priority))
		return args_usage_error(&command_replay,
					"--min-priority is emergency, alert, critical, error, "
					"warning, notice, informational or debug, not '%s'",
					priority);
	return rule_maturity_from_args(args, REPLAY_MATURITY, &conf->daemon.rules.maturity);
}

static int apply_rules(const struct args *args, struct conf *conf, struct rule_paths *paths)
{
	int r;

	if (!args_has(args, REPLAY_RULES) && conf->daemon.rule_path_cnt > 0)
		return EXIT_OK;
	r = rule_paths_from_args(args, REPLAY_RULES, paths);
	if (r != EXIT_OK)
		return r;
	if (!conf_set_rule_paths(conf, paths->paths, paths->path_cnt))
		return args_usage_error(&command_replay, "at most %d times -r", DAEMON_PATHS_MAX);
	return EXIT_OK;
}

static int configure(const struct args *args, struct conf *conf, struct rule_paths *paths)
{
	_cleanup_(diags_done) struct diags diags;
	int r;

	diags_init(&diags);
	r = configuration_load(args, REPLAY_CONFIG, conf, &diags);
	if (r == EXIT_OK)
		r = configuration_assign(args, REPLAY_SETTING, conf, &diags);
	if (r == EXIT_OK)
		r = apply_limits(args, conf);
	if (r == EXIT_OK)
		r = apply_rules(args, conf, paths);
	if (r == EXIT_OK)
		r = configuration_finish(conf, &diags);
	return r;
}

static int load_rules(const struct daemon_config *config, struct ruleset **ret)
{
	_cleanup_(diags_done) struct diags diags;
	struct rules_options rules = daemon_rules_options(config);
	int r;

	diags_init(&diags);
	r = ruleset_load(config->rule_paths, config->rule_path_cnt, &rules, &diags, ret);
	diags_print(&diags, stderr, isatty(STDERR_FILENO) && !getenv("NO_COLOR"));
	if (r < 0)
		fprintf(stderr, "haetae: loading the rules: %s\n", strerror(-r));
	return r == 0 ? EXIT_OK : EXIT_NOT_GOOD;
}

static bool print_alert(struct alert *alert, void *data)
{
	const enum sink_format *format = data;
	struct str line = *format == SINK_TEXT ? alert->text : alert->json;
	bool is_written = fwrite(line.p, 1, line.n, stdout) == line.n && putchar('\n') != EOF;

	alert_free(alert);
	return is_written;
}

/* As far as it goes, file by file. */
static int replay_all(struct replay *replay, const struct args *args)
{
	int exit_code = EXIT_OK;

	for (unsigned i = 0; i < args->operand_cnt; i++) {
		int r = replay_file(replay, args->operands[i]);

		if (r == REPLAY_E_ENOUGH)
			return EXIT_NOT_GOOD;
		if (r == 0)
			continue;
		fflush(stdout);
		fprintf(stderr, "haetae: %s\n",
			*replay_message(replay) ? replay_message(replay) : strerror(-r));
		exit_code = EXIT_NOT_GOOD;
	}
	return exit_code;
}

static int replay(const struct args *args, const struct conf *conf, enum sink_format format)
{
	const struct replay_config config = {
		.daemon = &conf->daemon,
		.on_alert = print_alert,
		.data = &format,
		.want_costs = args_has(args, REPLAY_STATS),
	};
	struct ruleset *ruleset;
	struct replay *state;
	int r = load_rules(&conf->daemon, &ruleset);

	if (r != EXIT_OK)
		return r;
	r = replay_new(&config, ruleset, &state);
	if (r < 0) {
		fprintf(stderr, "haetae: %s\n", strerror(-r));
		return EXIT_HOST;
	}
	r = replay_all(state, args);
	fflush(stdout);
	replay_stats_warn(state, stderr);
	if (config.want_costs)
		replay_stats_print(state, stderr);
	replay_free(state);
	return r;
}

static int run(const struct args *args)
{
	_cleanup_(rule_paths_done) struct rule_paths paths = { 0 };
	_cleanup_(conf_freep) struct conf *conf = conf_new();
	const char *word = args_get(args, REPLAY_FORMAT);
	enum sink_format format = isatty(STDOUT_FILENO) ? SINK_TEXT : SINK_JSON;
	int r;

	if (word && strcmp(word, "text") != 0 && strcmp(word, "json") != 0)
		return args_usage_error(&command_replay, "--format is text or json, not '%s'",
					word);
	if (word)
		format = strcmp(word, "text") == 0 ? SINK_TEXT : SINK_JSON;
	if (!conf) {
		fprintf(stderr, "haetae: %s\n", strerror(ENOMEM));
		return EXIT_HOST;
	}
	r = configure(args, conf, &paths);
	return r == EXIT_OK ? replay(args, conf, format) : r;
}

const struct command command_replay = {
	.name = "replay",
	.operands = "FILE...",
	.summary = "run rules over recorded events and print alerts",
	.description =
		"Gives the engine what 'haetae record' or 'haetae run --record' wrote to the "
		"files,\n"
		"and prints the alerts. With the rules and options of the recorded run they are "
		"the\n"
		"same, byte by byte. '-' reads standard input. A damaged file is read as far as "
		"it\n"
		"goes, and the exit code is 1. Needs no privileges, and asks nothing of this host.",
	.example = "haetae replay day.hcap -r rules --format json --stats",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 1,
	.operand_max = UINT_MAX,
	.run = run,
};
