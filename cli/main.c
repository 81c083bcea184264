/*
 * haetae: finds the subcommand, parses its options, runs it. Owns the parsed arguments.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "haetae/daemon.h"
#include "haetae/diag.h"

#include "commands.h"
#include "help.h"

static const struct command *const commands[] = {
	&command_run,	 &command_check,      &command_test,   &command_explain, &command_record,
	&command_replay, &command_dump,	      &command_list,   &command_doctor,	 &command_trigger,
	&command_alerts, &command_completion, &command_status, &command_top,	 &command_reload,
};

const struct command *command_at(unsigned index)
{
	return index < ARRAY_LEN(commands) ? commands[index] : NULL;
}

static const struct command *find_command(const char *name)
{
	for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int unknown_command(const char *word)
{
	struct near_name near;

	near_name_init(&near, str_from(word));
	for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
		near_name_offer(&near, commands[i]->name);
	if (near.best)
		return args_usage_error(NULL, "unknown command '%s'; did you mean '%s'?", word,
					near.best);
	return args_usage_error(NULL, "unknown command '%s'", word);
}

static int print_help(const char *name)
{
	const struct command *command = name ? find_command(name) : NULL;

	if (!name)
		help_print_program(stdout);
	else if (command)
		help_print_command(command, stdout);
	else
		return unknown_command(name);
	return EXIT_OK;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	_cleanup_(args_done) struct args args = { 0 };
	int r = args_parse(command, argc, argv, &args);

	if (r == ARGS_E_HELP)
		return print_help(command->name);
	if (r == ARGS_E_USAGE)
		return EXIT_USAGE;
	if (r < 0) {
		fprintf(stderr, "haetae: %s\n", strerror(-r));
		return EXIT_HOST;
	}
	return command->run(&args);
}

/* What a full disk or a closed pipe did to our output must not look like success. */
static int finish(int exit_code)
{
	if (fflush(stdout) != 0 && exit_code == EXIT_OK) {
		if (errno != EPIPE)
			fprintf(stderr, "haetae: cannot write the output: %s\n", strerror(errno));
		return EXIT_NOT_GOOD;
	}
	return exit_code;
}

/* A standard descriptor that is closed would become the next file that is opened: a ring, say, with
 * alerts written into it. A directory is always there, and what is written to it fails, as it
 * should. */
static bool fill_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/", O_RDONLY | O_DIRECTORY) != fd)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	const struct command *command = word ? find_command(word) : NULL;

	if (!fill_standard_descriptors())
		return EXIT_HOST;
	if (command)
		return finish(run_command(command, argc - 1, argv + 1));
	if (!word)
		return args_usage_error(NULL, "no command given");
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return finish(print_help(NULL));
	if (strcmp(word, "help") == 0)
		return finish(print_help(argc > 2 ? argv[2] : NULL));
	if (strcmp(word, "--version") == 0) {
		puts("haetae " HAETAE_VERSION);
		return finish(EXIT_OK);
	}
	if (word[0] == '-')
		return args_usage_error(NULL, "unknown option '%s'", word);
	return unknown_command(word);
}
