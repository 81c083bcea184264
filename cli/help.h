/*
 * Help texts, printed from the command table.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "args.h"

/* `haetae --help`: what it is, the commands, exit codes. */
void help_print_program(FILE *out);
/* `haetae NAME --help`. */
void help_print_command(const struct command *command, FILE *out);

#endif
