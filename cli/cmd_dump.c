/*
 * haetae dump: the events of a capture, or of this host while they happen, as lines. Owns the
 * configuration and the texts of the rule that stands for the filter.
 */
#include <errno.h>
#include <stdio.h>

#include "haetae/conf.h"
#include "haetae/replay.h"

#include "commands.h"
#include "configuration.h"
#include "replay_stats.h"

#define LINE_MAX_BYTES (1u << 20)

enum dump_option {
	DUMP_LIVE,
	DUMP_FILTER,
	DUMP_FIELDS,
	DUMP_FORMAT,
	DUMP_RULES,
	DUMP_SCOPE_PID,
	DUMP_SCOPE_CGROUP,
	DUMP_DURATION,
	DUMP__COUNT
};

static const struct option_spec options[] = {
	[DUMP_LIVE] = { 0, "live", NULL, "Of this host, while they happen, instead of a file.",
			false },
	[DUMP_FILTER] = { 0, "filter", "CONDITION", "Only events that this condition is true of.",
			  false },
	[DUMP_FIELDS] = { 0, "fields", "LIST",
			  "These fields of each event, such as proc.name,fd.name; 'haetae list "
			  "fields' prints all.",
			  true },
	[DUMP_FORMAT] = { 0, "format", "text|json", "A line of text, or of JSON; default text.",
			  false },
	[DUMP_RULES] = { 'r', "rules", "PATH",
			 "A rule file, or a folder of them, whose macros and lists the condition "
			 "uses.",
			 true },
	[DUMP_SCOPE_PID] = { 0, "scope-pid", "PID",
			     "With --live: only this process and those that descend from it.",
			     false },
	[DUMP_SCOPE_CGROUP] = { 0, "scope-cgroup", "PATH",
				"With --live: only the processes in this cgroup directory and "
				"below it.",
				false },
	[DUMP_DURATION] = { 0, "duration", "TIME",
			    "With --live: stop after this time, such as 20s.", false },
};
_Static_assert(ARRAY_LEN(options) == DUMP__COUNT, "one row an option");

/* What a line shows where --fields is not given. */
static const char *const default_fields[] = {
	"evt.num",    "evt.time.iso8601", "evt.cpu",  "container.id", "user.name", "proc.pid",
	"thread.tid", "proc.name",	  "evt.type", "evt.res",      "evt.args",  "fd.name",
};

struct dump {
	struct rules_own own;
	struct buf output; /* owned */
	bool is_json;
	struct buf line; /* owned */
};

static void dump_done(struct dump *dump)
{
	buf_done(&dump->output);
	buf_done(&dump->line);
}

static bool print_hit(const struct rule *rule, const struct alert_context *context, void *data)
{
	struct dump *dump = data;

	buf_clear(&dump->line);
	if (dump->is_json)
		template_format_fields(rule->template, context->fields, &dump->line);
	else
		template_format(rule->template, context->fields, &dump->line);
	buf_putc(&dump->line, '\n');
	return fwrite(buf_str(&dump->line).p, 1, buf_str(&dump->line).n, stdout) ==
	       buf_str(&dump->line).n;
}

/* "%evt.num %evt.type …": in text the default has names for what says little by itself. */
static void put_field(struct dump *dump, struct str field, bool is_named)
{
	if (dump->output.n)
		buf_putc(&dump->output, ' ');
	if (is_named)
		buf_printf(&dump->output, "%.*s=", STR_ARG(field));
	buf_printf(&dump->output, "%%%.*s", STR_ARG(field));
}

static void put_fields(struct dump *dump, const char *list)
{
	for (; list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL)
		put_field(dump, (struct str){ list, (uint32_t)strcspn(list, ",") }, true);
}

static int prepare(const struct args *args, struct dump *dump)
{
	const char *format = args_get(args, DUMP_FORMAT);
	uint32_t cnt;
	_cleanup_(freep) const char **lists = args_get_all(args, DUMP_FIELDS, &cnt);

	if (format && strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
		return args_usage_error(&command_dump, "--format is text or json, not '%s'",
					format);
	dump->is_json = format && strcmp(format, "json") == 0;
	if (!lists)
		return EXIT_HOST;
	for (uint32_t i = 0; i < cnt; i++)
		put_fields(dump, lists[i]);
	for (unsigned i = 0; !cnt && i < ARRAY_LEN(default_fields); i++)
		put_field(dump, str_from(default_fields[i]), i >= 3);
	dump->own = (struct rules_own){
		.name = STR("--filter"),
		.condition = str_from(args_get(args, DUMP_FILTER) ?: "evt.num > 0"),
		.output_name = STR("--fields"),
		.output = buf_str(&dump->output),
		.sees_all = !args_has(args, DUMP_LIVE),
	};
	return EXIT_OK;
}

static int apply_scope(const struct args *args, struct daemon_config *config)
{
	const char *pid = args_get(args, DUMP_SCOPE_PID);
	const char *cgroup = args_get(args, DUMP_SCOPE_CGROUP);
	const char *duration = args_get(args, DUMP_DURATION);

	if (!args_has(args, DUMP_LIVE) && (pid || cgroup || duration))
		return args_usage_error(
			&command_dump, "--scope-pid, --scope-cgroup and --duration are for --live");
	if (pid && cgroup)
		return args_usage_error(&command_dump,
					"--scope-pid and --scope-cgroup exclude each other");
	if (pid &&
	    (!args_parse_u32(pid, &config->probes.scope_pid) || config->probes.scope_pid == 0))
		return args_usage_error(&command_dump, "--scope-pid is a process id, not '%s'",
					pid);
	config->probes.scope_cgroup = cgroup;
	if (duration &&
	    (!args_parse_duration(duration, &config->duration_ns) || config->duration_ns == 0))
		return args_usage_error(&command_dump,
					"--duration is a time such as 20s or 5m, not '%s'",
					duration);
	return EXIT_OK;
}

static int dump_live(struct conf *conf, struct dump *dump)
{
	struct daemon_config *config = &conf->daemon;

	setvbuf(stdout, NULL, _IOLBF, 0);
	config->own = &dump->own;
	config->on_hit = print_hit;
	config->data = dump;
	config->sink_cnt = 0;
	config->http_listen = NULL;
	config->control_socket = NULL;
	config->want_banner = false;
	return daemon_run(config);
}

static int load(const struct daemon_config *config, const struct dump *dump, struct ruleset **ret)
{
	_cleanup_(diags_done) struct diags diags;
	int r;

	diags_init(&diags);
	r = ruleset_load_own(config->rule_paths, config->rule_path_cnt, &dump->own, &config->rules,
			     &diags, ret);
	if (r != 0)
		diags_print(&diags, stderr, isatty(STDERR_FILENO) && !getenv("NO_COLOR"));
	if (r < 0)
		fprintf(stderr, "haetae: %s\n", strerror(-r));
	return r == 0 ? EXIT_OK : EXIT_USAGE;
}

static int dump_file(const struct conf *conf, struct dump *dump, const char *path)
{
	const struct replay_config config = { .daemon = &conf->daemon,
					      .on_hit = print_hit,
					      .data = dump };
	struct ruleset *ruleset;
	struct replay *replay;
	int r = load(&conf->daemon, dump, &ruleset);

	if (r != EXIT_OK)
		return r;
	r = replay_new(&config, ruleset, &replay);
	if (r < 0) {
		fprintf(stderr, "haetae: %s\n", strerror(-r));
		return EXIT_HOST;
	}
	r = replay_file(replay, path);
	fflush(stdout);
	replay_stats_warn(replay, stderr);
	if (r != 0 && r != REPLAY_E_ENOUGH)
		fprintf(stderr, "haetae: %s\n",
			*replay_message(replay) ? replay_message(replay) : strerror(-r));
	replay_free(replay);
	return r == 0 ? EXIT_OK : EXIT_NOT_GOOD;
}

static int run(const struct args *args)
{
	_cleanup_(conf_freep) struct conf *conf = conf_new();
	_cleanup_(dump_done) struct dump dump = { 0 };
	_cleanup_(diags_done) struct diags diags;
	uint32_t path_cnt;
	_cleanup_(freep) const char **paths = args_get_all(args, DUMP_RULES, &path_cnt);
	bool is_live = args_has(args, DUMP_LIVE);
	int r;

	diags_init(&diags);
	buf_init(&dump.output, LINE_MAX_BYTES);
	buf_init(&dump.line, LINE_MAX_BYTES);
	if (is_live == (args->operand_cnt == 1))
		return args_usage_error(&command_dump, "name a capture, or give --live");
	if (!conf || !paths) {
		fprintf(stderr, "haetae: %s\n", strerror(ENOMEM));
		return EXIT_HOST;
	}
	if (!conf_set_rule_paths(conf, paths, path_cnt))
		return args_usage_error(&command_dump, "at most %d times -r", DAEMON_PATHS_MAX);
	r = prepare(args, &dump);
	if (r == EXIT_OK)
		r = apply_scope(args, &conf->daemon);
	if (r == EXIT_OK)
		r = configuration_finish(conf, &diags);
	if (r != EXIT_OK)
		return r;
	return is_live ? dump_live(conf, &dump) : dump_file(conf, &dump, args->operands[0]);
}

const struct command command_dump = {
	.name = "dump",
	.operands = "[FILE]",
	.summary = "print the events of a capture, or of this host, as lines",
	.description =
		"Prints a line for each event of a capture, or with --live of this host: all of\n"
		"them, or those that --filter, a condition as in a rule, is true of. '-' reads\n"
		"standard input. --live needs what 'haetae run' needs, and leaves out the calls\n"
		"that programs make all the time unless the condition names them.",
	.example = "haetae dump day.hcap --filter 'evt.type = openat and proc.name = cat'",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 0,
	.operand_max = 1,
	.run = run,
};
