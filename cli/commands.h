/*
 * The subcommands. Each cmd_*.c defines one; main.c lists them.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "args.h"

extern const struct command command_run, command_check, command_test, command_explain, command_list,
	command_doctor, command_trigger, command_alerts, command_completion, command_record,
	command_replay, command_dump, command_status, command_top, command_reload;

/* In the order of help; NULL behind the last. */
const struct command *command_at(unsigned index);

#endif
