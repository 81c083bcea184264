/*
 * haetae trigger: performs harmless suspicious actions. Each runs in a forked child, so that a
 * changed process name or a failure ends with it. Owns only the table of actions.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "haetae/daemon.h"
#include "haetae/diag.h"

#include "commands.h"
#include "trigger.h"

/* clang-format off: a table */
static const struct trigger_action actions[] = {
	{ "read-shadow", "Read sensitive file", "opens /etc/shadow and closes it unread",
	  trigger_read_shadow },
	{ "link-shadow", "Sensitive file linked or renamed",
	  "gives /etc/shadow a second name in /etc and takes it away", trigger_link_shadow },
	{ "chmod-shadow", "Permissions of sensitive file changed",
	  "sets the mode of /etc/shadow to what it is", trigger_chmod_shadow },
	{ "link-bin-dir", "File moved or linked into binary directory",
	  "makes and removes a symbolic link in /usr/bin that leads nowhere",
	  trigger_link_bin_dir },
	{ "link-etc", "File moved or linked below etc",
	  "makes and removes a symbolic link in /etc that leads nowhere", trigger_link_etc },
	{ "set-user-id", "Program file given privileges",
	  "sets the set-user-ID bit of an empty file of its own in /tmp", trigger_set_user_id },
	{ "write-etc", "Write below etc", "creates and removes a file in /etc", trigger_write_etc },
	{ "write-bin-dir", "Write below binary directory", "creates and removes a file in /usr/bin",
	  trigger_write_bin_dir },
	{ "shell-from-server", "Shell spawned by network service",
	  "starts an empty shell under a process that calls itself nginx",
	  trigger_shell_from_server },
	{ "exec-shm", "Execution from temporary directory",
	  "runs a copy of this program from /dev/shm", trigger_exec_shm },
	{ "exec-memfd", "Fileless execution", "runs a copy of this program from memory",
	  trigger_exec_memfd },
	{ "connect-shell", "Outbound connection by shell or inline script",
	  "connects bash to a listener of its own on 127.0.0.1", trigger_connect_shell },
	{ "write-authorized-keys", "SSH authorized keys written",
	  "creates and removes an authorized_keys file in a folder of its own in /tmp",
	  trigger_write_authorized_keys },
	{ "truncate-log", "Log file truncated or removed by shell tool",
	  "makes a file in /var/log and truncates it with sh", trigger_truncate_log },
	{ "remove-log", "Log file truncated or removed by shell tool",
	  "makes a file in /var/log and removes it with rm", trigger_remove_log },
	{ "compiler-from-server", "Build or package tool started by network service",
	  "starts this program as 'cc' under a process that calls itself nginx",
	  trigger_compiler_from_server },
	{ "deep-path", "Path too deep to record",
	  "creates a file 80 folders deep in /tmp and removes all of it", trigger_deep_path },
};
/* clang-format on */

enum trigger_option {
	TRIGGER_LIST,
	TRIGGER_ALL,
	TRIGGER__COUNT
};

static const struct option_spec options[] = {
	[TRIGGER_LIST] = { 'l', "list", NULL, "Print the actions and the rule that each raises.",
			   false },
	[TRIGGER_ALL] = { 'a', "all", NULL, "Perform all actions, one after the other.", false },
};
_Static_assert(ARRAY_LEN(options) == TRIGGER__COUNT, "one row an option");

const struct trigger_action *trigger_action_at(unsigned index)
{
	return index < ARRAY_LEN(actions) ? &actions[index] : NULL;
}

static const struct trigger_action *find_action(const char *name)
{
	for (unsigned i = 0; i < ARRAY_LEN(actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

static int unknown_action(const char *word)
{
	struct near_name near;

	near_name_init(&near, str_from(word));
	for (unsigned i = 0; i < ARRAY_LEN(actions); i++)
		near_name_offer(&near, actions[i].name);
	if (near.best)
		return args_usage_error(&command_trigger, "unknown action '%s'; did you mean '%s'?",
					word, near.best);
	return args_usage_error(&command_trigger, "unknown action '%s'; --list prints them", word);
}

static int print_actions(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(actions); i++)
		printf("%-22s %s; raises '%s'\n", actions[i].name, actions[i].doc, actions[i].rule);
	return EXIT_OK;
}

static const char *advice(int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM:
		return getuid() ? "; run it as root" : "; the host forbids it here";
	case -EROFS:
		return "; the file system is read-only";
	default:
		return "";
	}
}

/* The child reports through a shared page: an exit status has no room for the step. */
struct report {
	int error;
	struct trigger_step step;
};

static int perform_in_child(const struct trigger_action *action, struct report *report)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		report->error = action->perform(&report->step);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? report->error : -EINTR;
}

static int perform(const struct trigger_action *action)
{
	struct report *report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (report == MAP_FAILED) {
		fprintf(stderr, "haetae trigger: %s\n", strerror(errno));
		return EXIT_HOST;
	}
	r = perform_in_child(action, report);
	if (r < 0)
		fprintf(stderr, "haetae trigger: %s: cannot %s: %s%s\n", action->name,
			report->step.text, strerror(-r), advice(r));
	else
		printf("%s: done; raises '%s'\n", action->name, action->rule);
	munmap(report, sizeof(*report));
	return r < 0 ? EXIT_HOST : EXIT_OK;
}

static int run(const struct args *args)
{
	int exit_code = EXIT_OK;

	if (args_has(args, TRIGGER_LIST))
		return print_actions();
	if (args_has(args, TRIGGER_ALL) == (args->operand_cnt > 0))
		return args_usage_error(&command_trigger,
					"name actions, or use --all; --list prints them");
	for (unsigned i = 0; i < args->operand_cnt; i++)
		if (!find_action(args->operands[i]))
			return unknown_action(args->operands[i]);
	for (unsigned i = 0; i < args->operand_cnt; i++)
		if (perform(find_action(args->operands[i])) != EXIT_OK)
			exit_code = EXIT_HOST;
	for (unsigned i = 0; args_has(args, TRIGGER_ALL) && i < ARRAY_LEN(actions); i++)
		if (perform(&actions[i]) != EXIT_OK)
			exit_code = EXIT_HOST;
	return exit_code;
}

const struct command command_trigger = {
	.name = "trigger",
	.operands = "[ACTION...]",
	.summary = "perform a harmless suspicious action, to see the whole chain work",
	.description =
		"Does what an intruder would do, on files, sockets and processes that it makes\n"
		"itself (named haetae-trigger-...) and removes again. Start 'haetae run' in "
		"another\n"
		"shell first.",
	.example = "sudo haetae trigger read-shadow",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 0,
	.operand_max = UINT_MAX,
	.run = run,
};
