/*
 * haetae trigger: performs harmless suspicious actions, and with --verify watches what a daemon
 * says of them. Owns nothing.
 */
#include <stdio.h>

#include "haetae/clock.h"
#include "haetae/daemon.h"
#include "haetae/diag.h"

#include "commands.h"
#include "trigger.h"

#define TIMEOUT_NS (5 * NS_PER_SEC)

enum trigger_option {
	TRIGGER_LIST,
	TRIGGER_ALL,
	TRIGGER_VERIFY,
	TRIGGER_JSON,
	TRIGGER_SOCKET,
	TRIGGER_TIMEOUT,
	TRIGGER__COUNT
};

static const struct option_spec options[] = {
	[TRIGGER_LIST] = { 'l', "list", NULL,
			   "Print the actions, the rule that each raises and its technique in "
			   "MITRE ATT&CK.",
			   false },
	[TRIGGER_ALL] = { 'a', "all", NULL, "Perform all actions, one after the other.", false },
	[TRIGGER_VERIFY] = { 0, "verify", NULL,
			     "Ask the running daemon whether each action raised its rule, and "
			     "print a table.",
			     false },
	[TRIGGER_JSON] = { 0, "json", NULL, "Print --list or --verify as one JSON array.", false },
	[TRIGGER_SOCKET] = { 0, "socket", "PATH",
			     "The daemon's control socket (default: " CONTROL_SOCKET_DEFAULT ").",
			     false },
	[TRIGGER_TIMEOUT] = { 0, "timeout", "TIME",
			      "How long --verify waits for each alert (default: 5s).", false },
};
_Static_assert(ARRAY_LEN(options) == TRIGGER__COUNT, "one row an option");

static int unknown_action(const char *word)
{
	struct near_name near;

	near_name_init(&near, str_from(word));
	for (unsigned i = 0; trigger_action_at(i); i++)
		near_name_offer(&near, trigger_action_at(i)->name);
	if (near.best)
		return args_usage_error(&command_trigger, "unknown action '%s'; did you mean '%s'?",
					word, near.best);
	return args_usage_error(&command_trigger, "unknown action '%s'; --list prints them", word);
}

static void print_json_action(const struct trigger_action *action)
{
	printf("{\"name\":\"%s\",\"doc\":\"%s\",\"container\":%s", action->name, action->doc,
	       action->wants_container ? "true" : "false");
	if (action->rule)
		printf(",\"rule\":\"%s\",\"technique\":\"%s\"}", action->rule, action->mitre);
	else
		printf(",\"rule\":null,\"technique\":null}");
}

static int print_actions(const struct args *args)
{
	const struct trigger_action *action;
	bool is_json = args_has(args, TRIGGER_JSON);

	for (unsigned i = 0; (action = trigger_action_at(i)); i++) {
		if (is_json) {
			fputs(i ? ",\n" : "[\n", stdout);
			print_json_action(action);
			continue;
		}
		printf("%-26s %-10s %s%s; ", action->name, action->mitre ?: "", action->doc,
		       action->wants_container ? " (in a container)" : "");
		if (action->rule)
			printf("raises '%s'\n", action->rule);
		else
			puts("for rules of your own");
	}
	if (is_json)
		puts("\n]");
	return EXIT_OK;
}

static int perform(const struct trigger_action *action)
{
	const char *obstacle = trigger_obstacle(action), *step = "";
	struct trigger_run *run = NULL;
	int r;

	if (obstacle) {
		printf("%s: skipped: %s\n", action->name, obstacle);
		return EXIT_OK;
	}
	r = trigger_run_start(action, &run);
	if (r == 0)
		r = trigger_run_wait(run, &step);
	if (r < 0)
		fprintf(stderr, "haetae trigger: %s: cannot %s: %s%s\n", action->name, step,
			strerror(-r), trigger_advice(r));
	else if (action->rule)
		printf("%s: done; raises '%s'\n", action->name, action->rule);
	else
		printf("%s: done\n", action->name);
	trigger_run_free(run);
	return r < 0 ? EXIT_HOST : EXIT_OK;
}

static int verify(const struct args *args, const struct trigger_action *const *actions,
		  unsigned cnt)
{
	struct trigger_verification verification = {
		.socket = args_get(args, TRIGGER_SOCKET) ?: CONTROL_SOCKET_DEFAULT,
		.timeout_ns = TIMEOUT_NS,
		.want_json = args_has(args, TRIGGER_JSON),
		.is_all = args_has(args, TRIGGER_ALL),
	};
	const char *timeout = args_get(args, TRIGGER_TIMEOUT);

	if (timeout && !args_parse_duration(timeout, &verification.timeout_ns))
		return args_usage_error(&command_trigger,
					"--timeout is a time such as 500ms or 5s, not '%s'",
					timeout);
	return trigger_verify(actions, cnt, &verification);
}

static int run_actions(const struct args *args, const struct trigger_action *const *actions,
		       unsigned cnt)
{
	int exit_code = EXIT_OK;

	if (args_has(args, TRIGGER_VERIFY))
		return verify(args, actions, cnt);
	for (unsigned i = 0; i < cnt; i++)
		if (perform(actions[i]) != EXIT_OK)
			exit_code = EXIT_HOST;
	return exit_code;
}

static int run(const struct args *args)
{
	const struct trigger_action *actions[TRIGGER_ACTIONS_MAX];
	unsigned cnt = 0;

	if (args_has(args, TRIGGER_LIST))
		return print_actions(args);
	if (args_has(args, TRIGGER_ALL) == (args->operand_cnt > 0))
		return args_usage_error(&command_trigger,
					"name actions, or use --all; --list prints them");
	if (args->operand_cnt > TRIGGER_ACTIONS_MAX)
		return args_usage_error(&command_trigger, "at most %d actions at a time",
					TRIGGER_ACTIONS_MAX);
	for (unsigned i = 0; i < args->operand_cnt; i++) {
		actions[cnt] = trigger_action_find(args->operands[i]);
		if (!actions[cnt++])
			return unknown_action(args->operands[i]);
	}
	for (unsigned i = 0; args_has(args, TRIGGER_ALL) && trigger_action_at(i); i++)
		actions[cnt++] = trigger_action_at(i);
	return run_actions(args, actions, cnt);
}

const struct command command_trigger = {
	.name = "trigger",
	.operands = "[ACTION...]",
	.summary = "perform a harmless suspicious action, to see the whole chain work",
	.description =
		"Does what an intruder would do, on files, sockets and processes that it makes\n"
		"itself (named haetae-trigger-...) and removes again. Start 'haetae run' in "
		"another\n"
		"shell first. With --verify it asks that daemon whether each rule was raised:\n"
		"exit code 0 where all were, 1 where one was not, 3 where no daemon listens.",
	.example = "sudo haetae trigger --verify --all",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 0,
	.operand_max = UINT_MAX,
	.run = run,
};
