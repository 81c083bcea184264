/*
 * haetae run: turns the command line into a daemon_config and hands over. Owns the rule paths for
 * the daemon's lifetime.
 */
#include <errno.h>
#include <stdio.h>

#include "haetae/daemon.h"

#include "commands.h"
#include "rule_paths.h"
#include "settings.h"

enum run_option {
	RUN_RULES,
	RUN_SETTING,
	RUN_FORMAT,
	RUN_DURATION,
	RUN_MIN_PRIORITY,
	RUN_SCOPE_PID,
	RUN_SCOPE_CGROUP,
	RUN__COUNT
};

static const struct option_spec options[] = {
	[RUN_RULES] = { 'r', "rules", "PATH",
			"A rule file, or a folder of them; instead of the installed rules.", true },
	[RUN_SETTING] = { 'o', "option", "KEY=VALUE",
			  "Change a setting; 'haetae list options' prints them.", true },
	[RUN_FORMAT] = { 0, "format", "text|json",
			 "How alerts are printed: text on a terminal and JSON lines otherwise, "
			 "where "
			 "this is not given.",
			 false },
	[RUN_DURATION] = { 0, "duration", "TIME", "Stop after this time, such as 20s, 5m or 1h.",
			   false },
	[RUN_MIN_PRIORITY] = { 0, "min-priority", "PRIORITY",
			       "Leave out rules that are less urgent than this, such as warning.",
			       false },
	[RUN_SCOPE_PID] = { 0, "scope-pid", "PID",
			    "Look only at this process and those that descend from it.", false },
	[RUN_SCOPE_CGROUP] = { 0, "scope-cgroup", "PATH",
			       "Look only at the processes in this cgroup directory and below it.",
			       false },
};
_Static_assert(ARRAY_LEN(options) == RUN__COUNT, "one row an option");

static int apply_format(const struct args *args, struct sink_config *sink)
{
	const char *format = args_get(args, RUN_FORMAT);
	bool is_terminal = isatty(STDOUT_FILENO);

	sink->format = is_terminal ? SINK_TEXT : SINK_JSON;
	if (format && strcmp(format, "text") == 0)
		sink->format = SINK_TEXT;
	else if (format && strcmp(format, "json") == 0)
		sink->format = SINK_JSON;
	else if (format)
		return args_usage_error(&command_run, "--format is text or json, not '%s'", format);
	sink->want_color = is_terminal && !getenv("NO_COLOR");
	return EXIT_OK;
}

static int apply_limits(const struct args *args, struct daemon_config *config)
{
	const char *duration = args_get(args, RUN_DURATION);
	const char *priority = args_get(args, RUN_MIN_PRIORITY);

	if (duration &&
	    (!args_parse_duration(duration, &config->duration_ns) || config->duration_ns == 0))
		return args_usage_error(
			&command_run, "--duration is a time such as 20s or 5m, not '%s'", duration);
	if (priority && !priority_parse(str_from(priority), &config->rules.min_priority))
		return args_usage_error(&command_run,
					"--min-priority is emergency, alert, critical, error, "
					"warning, notice, informational or debug, not '%s'",
					priority);
	return EXIT_OK;
}

static int apply_scope(const struct args *args, struct daemon_config *config)
{
	const char *pid = args_get(args, RUN_SCOPE_PID);

	config->probes.scope_cgroup = args_get(args, RUN_SCOPE_CGROUP);
	if (pid && config->probes.scope_cgroup)
		return args_usage_error(&command_run,
					"--scope-pid and --scope-cgroup exclude each other");
	if (pid &&
	    (!args_parse_u32(pid, &config->probes.scope_pid) || config->probes.scope_pid == 0))
		return args_usage_error(&command_run, "--scope-pid is a process id, not '%s'", pid);
	return EXIT_OK;
}

static int apply_settings(const struct args *args, struct daemon_config *config)
{
	uint32_t cnt;
	_cleanup_(freep) const char **assignments = args_get_all(args, RUN_SETTING, &cnt);

	if (!assignments) {
		fprintf(stderr, "haetae: %s\n", strerror(ENOMEM));
		return EXIT_HOST;
	}
	for (uint32_t i = 0; i < cnt; i++)
		if (settings_apply(config, assignments[i]))
			return EXIT_USAGE;
	return EXIT_OK;
}

static int configure(const struct args *args, struct daemon_config *config)
{
	int r = apply_format(args, &config->sinks[0]);

	if (r == EXIT_OK)
		r = apply_limits(args, config);
	if (r == EXIT_OK)
		r = apply_scope(args, config);
	if (r == EXIT_OK)
		r = apply_settings(args, config);
	return r;
}

static int run(const struct args *args)
{
	_cleanup_(rule_paths_done) struct rule_paths paths = { 0 };
	struct daemon_config config;
	int r;

	daemon_config_default(&config);
	r = configure(args, &config);
	if (r != EXIT_OK)
		return r;
	r = rule_paths_from_args(args, RUN_RULES, &paths);
	if (r != EXIT_OK)
		return r;
	config.rule_paths = paths.paths;
	config.rule_path_cnt = paths.path_cnt;
	return daemon_run(&config);
}

const struct command command_run = {
	.name = "run",
	.operands = "",
	.summary = "detect on this host until a signal, and print alerts",
	.description =
		"Loads the rules, attaches the probes and prints an alert for each event that\n"
		"a rule matches, until SIGINT, SIGTERM or the end of --duration. Messages and\n"
		"the closing accounts go to stderr, alerts to stdout. Needs root, or CAP_BPF,\n"
		"CAP_PERFMON, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.",
	.example = "sudo haetae run --format json --min-priority warning",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 0,
	.operand_max = 0,
	.run = run,
};
