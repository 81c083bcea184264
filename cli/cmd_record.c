/*
 * haetae record: a capture of what this host does, without any rules. Owns nothing but the
 * configuration.
 */
#include <errno.h>
#include <stdio.h>

#include "haetae/conf.h"

#include "commands.h"
#include "configuration.h"

enum record_option {
	RECORD_OUTPUT,
	RECORD_FORCE,
	RECORD_EVENTS,
	RECORD_SCOPE_PID,
	RECORD_SCOPE_CGROUP,
	RECORD_DURATION,
	RECORD_MAX_SIZE,
	RECORD_CONFIG,
	RECORD_SETTING,
	RECORD__COUNT
};

static const struct option_spec options[] = {
	[RECORD_OUTPUT] = { 'o', "output", "FILE", "The capture to make, such as day.hcap.",
			    false },
	[RECORD_FORCE] = { 0, "force", NULL, "Write over a file that exists.", false },
	[RECORD_EVENTS] = { 'e', "events", "LIST",
			    "Only these events, such as execve,openat,connect; 'usual' stands for "
			    "all but the calls that programs make all the time.",
			    true },
	[RECORD_SCOPE_PID] = { 0, "scope-pid", "PID",
			       "Look only at this process and those that descend from it.", false },
	[RECORD_SCOPE_CGROUP] = { 0, "scope-cgroup", "PATH",
				  "Look only at the processes in this cgroup directory and below "
				  "it.",
				  false },
	[RECORD_DURATION] = { 0, "duration", "TIME", "Stop after this time, such as 20s, 5m or 1h.",
			      false },
	[RECORD_MAX_SIZE] = { 0, "max-size", "SIZE",
			      "Stop before the file is larger, such as 100MiB.", false },
	[RECORD_CONFIG] = { 'c', "config", "FILE",
			    "The configuration; without it /etc/haetae/haetae.yaml where that "
			    "exists.",
			    false },
	[RECORD_SETTING] = { 0, "option", "KEY=VALUE",
			     "Set an option of the configuration; 'haetae list options' prints "
			     "them.",
			     true },
};
_Static_assert(ARRAY_LEN(options) == RECORD__COUNT, "one row an option");

static int add_event(struct str name, struct event_set *set)
{
	int code = event_code_find(name);

	if (str_eq_text(name, "all")) {
		event_set_all(set);
		return EXIT_OK;
	}
	if (str_eq_text(name, "usual")) {
		struct event_set all;

		event_set_all(&all);
		for (unsigned i = 0; i < EVENT_CODE__COUNT; i++)
			if (event_set_has(&all, i) && event_code_is_usual(i))
				event_set_add(set, i);
		return EXIT_OK;
	}
	if (code < 0)
		return args_usage_error(&command_record,
					"--events: no event is called '%.*s'; 'haetae list events' "
					"prints their names",
					STR_ARG(name));
	event_set_add(set, (unsigned)code);
	return EXIT_OK;
}

static int apply_events(const struct args *args, struct record_config *config)
{
	uint32_t cnt;
	_cleanup_(freep) const char **lists = args_get_all(args, RECORD_EVENTS, &cnt);
	int r = EXIT_OK;

	config->events = (struct event_set){ 0 };
	if (!lists)
		return EXIT_HOST;
	if (cnt == 0)
		event_set_all(&config->events);
	for (uint32_t i = 0; i < cnt; i++) {
		const char *name = lists[i];

		for (; r == EXIT_OK && name;
		     name = strchr(name, ',') ? strchr(name, ',') + 1 : NULL)
			r = add_event((struct str){ name, (uint32_t)strcspn(name, ",") },
				      &config->events);
	}
	return r;
}

static int apply_scope(const struct args *args, struct probes_config *config)
{
	const char *pid = args_get(args, RECORD_SCOPE_PID);
	const char *cgroup = args_get(args, RECORD_SCOPE_CGROUP);

	if (pid && cgroup)
		return args_usage_error(&command_record,
					"--scope-pid and --scope-cgroup exclude each other");
	if (pid && (!args_parse_u32(pid, &config->scope_pid) || config->scope_pid == 0))
		return args_usage_error(&command_record, "--scope-pid is a process id, not '%s'",
					pid);
	if (cgroup)
		config->scope_pid = 0;
	if (pid || cgroup)
		config->scope_cgroup = cgroup;
	return EXIT_OK;
}

static int apply_limits(const struct args *args, struct daemon_config *config)
{
	const char *duration = args_get(args, RECORD_DURATION);
	const char *size = args_get(args, RECORD_MAX_SIZE);

	if (duration &&
	    (!args_parse_duration(duration, &config->duration_ns) || config->duration_ns == 0))
		return args_usage_error(&command_record,
					"--duration is a time such as 20s or 5m, not '%s'",
					duration);
	if (size &&
	    (!args_parse_size(size, &config->record.max_bytes) || config->record.max_bytes == 0))
		return args_usage_error(&command_record,
					"--max-size is a size such as 100MiB or 2GiB, not '%s'",
					size);
	return EXIT_OK;
}

static int configure(const struct args *args, struct conf *conf)
{
	_cleanup_(diags_done) struct diags diags;
	struct daemon_config *config = &conf->daemon;
	int r;

	diags_init(&diags);
	config->record.path = args_get(args, RECORD_OUTPUT);
	if (!config->record.path)
		return args_usage_error(&command_record, "--output FILE says where to record to");
	config->record.may_overwrite = args_has(args, RECORD_FORCE);
	config->record.is_alone = true;
	r = configuration_load(args, RECORD_CONFIG, conf, &diags);
	if (r == EXIT_OK)
		r = configuration_assign(args, RECORD_SETTING, conf, &diags);
	if (r == EXIT_OK)
		r = apply_events(args, &config->record);
	if (r == EXIT_OK)
		r = apply_scope(args, &config->probes);
	if (r == EXIT_OK)
		r = apply_limits(args, config);
	if (r == EXIT_OK)
		r = configuration_finish(conf, &diags);
	config->sink_cnt = 0;
	config->http_listen = NULL;
	config->control_socket = NULL;
	config->want_banner = false;
	return r;
}

static int run(const struct args *args)
{
	_cleanup_(conf_freep) struct conf *conf = conf_new();
	int r;

	if (!conf) {
		fprintf(stderr, "haetae: %s\n", strerror(ENOMEM));
		return EXIT_HOST;
	}
	r = configure(args, conf);
	return r == EXIT_OK ? daemon_run(&conf->daemon) : r;
}

const struct command command_record = {
	.name = "record",
	.operands = "",
	.summary = "record what this host does, for replay and dump",
	.description =
		"Writes every event, with the processes, containers, users and metadata that "
		"rules\n"
		"may ask of it, to a file that 'haetae replay' and 'haetae dump' read, until a\n"
		"signal or a limit. The file is made 0600: it tells what this host does. Messages\n"
		"and the closing accounts go to stderr. Needs what 'haetae run' needs.",
	.example = "sudo haetae record --output day.hcap --events usual --max-size 1GiB",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 0,
	.operand_max = 0,
	.run = run,
};
