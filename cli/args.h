/*
 * The command line: every subcommand is a row of data (struct command), from which parsing, --help,
 * `haetae list options` and the manual's test are made.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <limits.h>

#include "haetae/buf.h"

struct args;

struct option_spec {
	char letter;	   /* 0: none */
	const char *name;  /* without dashes */
	const char *value; /* what the value is, for help ("SECONDS"); NULL: a switch */
	const char *doc;   /* one sentence */
	bool is_repeatable;
};

struct command {
	const char *name;
	const char *operands; /* for the usage line; "" for none */
	const char *summary;  /* one line without a full stop */
	const char *description;
	const char *example;
	const struct option_spec *options;
	unsigned option_cnt;
	unsigned operand_min, operand_max; /* UINT_MAX: no limit */
	/* Returns an exit_code. */
	int (*run)(const struct args *args);
};

struct args_value {
	unsigned option;  /* index into command->options */
	const char *text; /* borrowed from argv; "" for a switch */
};

struct args {
	const struct command *command;
	const char **operands; /* owned array of borrowed strings */
	unsigned operand_cnt;
	struct args_value *values; /* owned, in the order given */
	unsigned value_cnt;
};

#define ARGS_E_HELP  1 /* --help: nothing else was looked at */
#define ARGS_E_USAGE 2 /* one line went to stderr */

/* argv[0] is the subcommand's name. 0, ARGS_E_…, or -ENOMEM. */
int args_parse(const struct command *command, int argc, char **argv, struct args *ret);
void args_done(struct args *args);

/* The last value given for an option; NULL where it was not given. */
const char *args_get(const struct args *args, unsigned option);
static inline bool args_has(const struct args *args, unsigned option)
{
	return args_get(args, option) != NULL;
}
/* All values in order: an owned array of borrowed strings (free it); *ret_cnt of them. NULL only
 * where memory is exhausted. */
const char **args_get_all(const struct args *args, unsigned option, uint32_t *ret_cnt);

/* "haetae NAME: MESSAGE (try 'haetae NAME --help')" on stderr; control characters are escaped.
 * Returns EXIT_USAGE, so that a command can end with it. command may be NULL. */
int args_usage_error(const struct command *command, const char *format, ...) _printf_(2, 3);

/* Values. False where the text is none. */
bool args_parse_u32(const char *text, uint32_t *ret);
/* "500ms", "20s", "5m", "1h", "2d"; the unit is mandatory, a fraction is not allowed. */
bool args_parse_duration(const char *text, uint64_t *ret_ns);
/* "4096", "64KiB", "4MiB"; below 4 GiB. */
bool args_parse_bytes(const char *text, uint32_t *ret);
/* The same without that limit. */
bool args_parse_size(const char *text, uint64_t *ret);

#endif
