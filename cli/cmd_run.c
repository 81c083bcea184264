/*
 * haetae run: turns the command line into a daemon_config and hands over. Owns the rule paths for
 * the daemon's lifetime.
 */
#include <errno.h>
#include <stdio.h>

#include "haetae/conf.h"

#include "commands.h"
#include "configuration.h"
#include "rule_paths.h"

enum run_option {
	RUN_CONFIG,
	RUN_RULES,
	RUN_SETTING,
	RUN_FORMAT,
	RUN_DURATION,
	RUN_MIN_PRIORITY,
	RUN_MATURITY,
	RUN_SCOPE_PID,
	RUN_SCOPE_CGROUP,
	RUN_RECORD,
	RUN_FORCE,
	RUN_PRINT_CONFIG,
	RUN__COUNT
};

static const struct option_spec options[] = {
	[RUN_CONFIG] = { 'c', "config", "FILE",
			 "The configuration; without it /etc/haetae/haetae.yaml where that exists.",
			 false },
	[RUN_RULES] = { 'r', "rules", "PATH",
			"A rule file, or a folder of them; instead of the installed rules.", true },
	[RUN_SETTING] = { 'o', "option", "KEY=VALUE",
			  "Set an option of the configuration; 'haetae list options' prints them.",
			  true },
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
	[RUN_MATURITY] = { 0, "maturity", RULE_MATURITY_VALUE,
			   "The least mature rules that are on (default: stable).", false },
	[RUN_SCOPE_PID] = { 0, "scope-pid", "PID",
			    "Look only at this process and those that descend from it.", false },
	[RUN_SCOPE_CGROUP] = { 0, "scope-cgroup", "PATH",
			       "Look only at the processes in this cgroup directory and below it.",
			       false },
	[RUN_RECORD] = { 0, "record", "FILE",
			 "Record all that the engine takes in: 'haetae replay FILE' with the same "
			 "rules prints the same alerts.",
			 false },
	[RUN_FORCE] = { 0, "force", NULL, "Write over a recording that exists.", false },
	[RUN_PRINT_CONFIG] = { 0, "print-config", NULL,
			       "Print the configuration that counts, secrets masked, with where "
			       "each "
			       "value came from, and exit.",
			       false },
};
_Static_assert(ARRAY_LEN(options) == RUN__COUNT, "one row an option");

static int apply_format(const struct args *args, struct conf *conf)
{
	const char *format = args_get(args, RUN_FORMAT);

	if (!format)
		return EXIT_OK;
	if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
		return args_usage_error(&command_run, "--format is text or json, not '%s'", format);
	conf_set_console_format(conf, strcmp(format, "text") == 0 ? SINK_TEXT : SINK_JSON);
	return EXIT_OK;
}

static int apply_limits(const struct args *args, struct conf *conf)
{
	const char *duration = args_get(args, RUN_DURATION);
	const char *priority = args_get(args, RUN_MIN_PRIORITY);
	struct daemon_config *config = &conf->daemon;

	if (duration &&
	    (!args_parse_duration(duration, &config->duration_ns) || config->duration_ns == 0))
		return args_usage_error(
			&command_run, "--duration is a time such as 20s or 5m, not '%s'", duration);
	if (priority && !priority_parse(str_from(priority), &config->rules.min_priority))
		return args_usage_error(&command_run,
					"--min-priority is emergency, alert, critical, error, "
					"warning, notice, informational or debug, not '%s'",
					priority);
	if (priority)
		conf_mark_command_line(conf, "rules.min_priority");
	if (args_has(args, RUN_MATURITY))
		conf_mark_command_line(conf, "rules.maturity");
	return rule_maturity_from_args(args, RUN_MATURITY, &config->rules.maturity);
}

static int apply_scope(const struct args *args, struct conf *conf)
{
	const char *pid = args_get(args, RUN_SCOPE_PID);
	const char *cgroup = args_get(args, RUN_SCOPE_CGROUP);
	struct probes_config *config = &conf->daemon.probes;

	if (pid && cgroup)
		return args_usage_error(&command_run,
					"--scope-pid and --scope-cgroup exclude each other");
	if (pid && (!args_parse_u32(pid, &config->scope_pid) || config->scope_pid == 0))
		return args_usage_error(&command_run, "--scope-pid is a process id, not '%s'", pid);
	if (!pid && !cgroup)
		return EXIT_OK;
	/* The one takes the place of the other, too, where a file has it. */
	config->scope_cgroup = cgroup;
	if (cgroup)
		config->scope_pid = 0;
	conf_mark_command_line(conf, pid ? "probes.scope.pid" : "probes.scope.cgroup");
	return EXIT_OK;
}

static int apply_record(const struct args *args, struct conf *conf)
{
	conf->daemon.record.path = args_get(args, RUN_RECORD);
	conf->daemon.record.may_overwrite = args_has(args, RUN_FORCE);
	if (args_has(args, RUN_FORCE) && !args_has(args, RUN_RECORD))
		return args_usage_error(&command_run, "--force is for --record");
	return EXIT_OK;
}

static int apply_rules(const struct args *args, struct conf *conf, struct rule_paths *paths)
{
	bool is_given = args_has(args, RUN_RULES);
	int r;

	if (!is_given && conf->daemon.rule_path_cnt > 0)
		return EXIT_OK;
	r = rule_paths_from_args(args, RUN_RULES, paths);
	if (r != EXIT_OK)
		return r;
	if (!conf_set_rule_paths(conf, paths->paths, paths->path_cnt))
		return args_usage_error(&command_run, "at most %d times -r", DAEMON_PATHS_MAX);
	if (is_given)
		conf_mark_command_line(conf, "rules.paths");
	return EXIT_OK;
}

/* What stands on the command line stands above the file. */
static int apply_all(const struct args *args, struct conf *conf, struct rule_paths *paths)
{
	int r = apply_format(args, conf);

	if (r == EXIT_OK)
		r = apply_limits(args, conf);
	if (r == EXIT_OK)
		r = apply_scope(args, conf);
	if (r == EXIT_OK)
		r = apply_record(args, conf);
	if (r == EXIT_OK)
		r = apply_rules(args, conf, paths);
	return r;
}

static int configure(const struct args *args, struct conf *conf, struct rule_paths *paths)
{
	_cleanup_(diags_done) struct diags diags;
	int r;

	diags_init(&diags);
	r = configuration_load(args, RUN_CONFIG, conf, &diags);
	if (r == EXIT_OK)
		r = configuration_assign(args, RUN_SETTING, conf, &diags);
	if (r == EXIT_OK)
		r = apply_all(args, conf, paths);
	if (r == EXIT_OK)
		r = configuration_finish(conf, &diags);
	return r;
}

/* ---- read anew ------------------------------------------------------------------------------ */

struct again {
	struct conf *conf;	 /* owned */
	struct rule_paths paths; /* owned */
};

static void again_free(void *handle)
{
	struct again *again = handle;

	if (!again)
		return;
	conf_free(again->conf);
	rule_paths_done(&again->paths);
	free(again);
}

static void again_freep(struct again **again)
{
	again_free(*again);
}

static int load_again(const struct args *args, struct conf *conf, struct diags *diags)
{
	const char *path = args_get(args, RUN_CONFIG);
	uint32_t cnt;
	_cleanup_(freep) const char **assignments = args_get_all(args, RUN_SETTING, &cnt);
	int r = assignments ? conf_load(conf, path ?: CONF_PATH_DEFAULT, diags) : -ENOMEM;

	if (r == CONF_E_ABSENT)
		r = path ? -ENOENT : 0;
	for (uint32_t i = 0; r == 0 && i < cnt; i++)
		r = conf_assign(conf, assignments[i], diags);
	return r;
}

/* The same command line, and the file as it is now. In another thread than the first time. */
static int read_again(void *data, struct diags *diags, const struct daemon_config **ret,
		      void **ret_handle)
{
	_cleanup_(again_freep) struct again *again = calloc(1, sizeof(*again));
	const struct args *args = data;
	int r;

	if (again)
		again->conf = conf_new();
	if (!again || !again->conf)
		return -ENOMEM;
	r = load_again(args, again->conf, diags);
	/* The command line was good before. */
	if (r == 0 && apply_all(args, again->conf, &again->paths) != EXIT_OK)
		r = -EINVAL;
	if (r == 0)
		r = conf_finish(again->conf, diags);
	if (r != 0)
		return r;
	again->conf->daemon.reread.path = args_get(args, RUN_CONFIG) ?: CONF_PATH_DEFAULT;
	*ret = &again->conf->daemon;
	*ret_handle = TAKE_PTR(again);
	return 0;
}

static int print_config(const struct conf *conf)
{
	_cleanup_(buf_done) struct buf out;

	buf_init(&out, 16u << 20);
	conf_print(conf, &out);
	if (out.failed || fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout))
		return EXIT_HOST;
	return EXIT_OK;
}

static int run(const struct args *args)
{
	_cleanup_(rule_paths_done) struct rule_paths paths = { 0 };
	_cleanup_(conf_freep) struct conf *conf = conf_new();
	int r;

	if (!conf) {
		fprintf(stderr, "haetae: %s\n", strerror(ENOMEM));
		return EXIT_HOST;
	}
	r = configure(args, conf, &paths);
	if (r != EXIT_OK)
		return r;
	/* A terminal that goes ends what runs in it. */
	conf->daemon.can_reload = !isatty(STDIN_FILENO);
	conf->daemon.reread =
		(struct daemon_reread){ .read = read_again,
					.free = again_free,
					.path = args_get(args, RUN_CONFIG) ?: CONF_PATH_DEFAULT,
					.data = (void *)(uintptr_t)args };
	return args_has(args, RUN_PRINT_CONFIG) ? print_config(conf) : daemon_run(&conf->daemon);
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
