/*
 * Parses the options of a subcommand by its table. Owns nothing but the two arrays in struct args;
 * all strings stay argv's. Called once, from main().
 */
#include "args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "haetae/clock.h"
#include "haetae/daemon.h"
#include "haetae/diag.h"
#include "haetae/text.h"

#define MESSAGE_MAX 4096

int args_usage_error(const struct command *command, const char *format, ...)
{
	_cleanup_(buf_done) struct buf message, line;
	va_list args;

	buf_init(&message, MESSAGE_MAX);
	buf_init(&line, 8 * MESSAGE_MAX);
	va_start(args, format);
	buf_vprintf(&message, format, args);
	va_end(args);
	text_put_line(&line, buf_str(&message));
	if (command)
		fprintf(stderr, "haetae %s: %.*s (try 'haetae %s --help')\n", command->name,
			STR_ARG(buf_str(&line)), command->name);
	else
		fprintf(stderr, "haetae: %.*s (try 'haetae --help')\n", STR_ARG(buf_str(&line)));
	return EXIT_USAGE;
}

static int unknown_option(const struct command *command, const char *word, int length)
{
	const char *dashes = word[0] == '-' && word[1] == '-' ? "--" : "";
	size_t dash_cnt = strlen(dashes);
	struct near_name near;

	near_name_init(&near,
		       (struct str){ word + dash_cnt, (uint32_t)length - (uint32_t)dash_cnt });
	for (unsigned i = 0; i < command->option_cnt; i++)
		near_name_offer(&near, command->options[i].name);
	near_name_offer(&near, "help");
	if (near.best)
		args_usage_error(command, "unknown option '%.*s'; did you mean '--%s'?", length,
				 word, near.best);
	else
		args_usage_error(command, "unknown option '%.*s'", length, word);
	return ARGS_E_USAGE;
}

static int find_long(const struct command *command, struct str name)
{
	for (unsigned i = 0; i < command->option_cnt; i++)
		if (str_eq_text(name, command->options[i].name))
			return (int)i;
	return -1;
}

static int find_letter(const struct command *command, char letter)
{
	for (unsigned i = 0; i < command->option_cnt; i++)
		if (command->options[i].letter == letter)
			return (int)i;
	return -1;
}

static int store(struct args *args, unsigned option, const char *text)
{
	const struct option_spec *spec = &args->command->options[option];

	if (!spec->is_repeatable && args_has(args, option)) {
		args_usage_error(args->command, "option '--%s' is given twice", spec->name);
		return ARGS_E_USAGE;
	}
	args->values[args->value_cnt++] = (struct args_value){ option, text };
	return 0;
}

/* The value of an option that needs one: behind it in the same word, or the next word. */
static int store_with_value(struct args *args, unsigned option, const char *same_word,
			    const char *next_word, int *index)
{
	const struct option_spec *spec = &args->command->options[option];

	if (!same_word && !next_word) {
		args_usage_error(args->command, "option '--%s' needs a value: %s", spec->name,
				 spec->value);
		return ARGS_E_USAGE;
	}
	if (!same_word)
		*index += 1;
	return store(args, option, same_word ? same_word : next_word);
}

static int parse_long(struct args *args, char **argv, int *index)
{
	const char *word = argv[*index];
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	struct str name = { word + 2, (uint32_t)length - 2 };
	int option = find_long(args->command, name);

	if (str_eq_text(name, "help"))
		return ARGS_E_HELP;
	if (option < 0)
		return unknown_option(args->command, word, (int)length);
	if (args->command->options[option].value)
		return store_with_value(args, (unsigned)option, equals ? equals + 1 : NULL,
					argv[*index + 1], index);
	if (equals) {
		args_usage_error(args->command, "option '%.*s' takes no value", (int)length, word);
		return ARGS_E_USAGE;
	}
	return store(args, (unsigned)option, "");
}

/* One word holds one letter, with or without its value: no bundles, so that '-r' takes any path. */
static int parse_letter(struct args *args, char **argv, int *index)
{
	const char *word = argv[*index];
	int option = find_letter(args->command, word[1]);

	if (word[1] == 'h' && word[2] == 0)
		return ARGS_E_HELP;
	if (option < 0 || (!args->command->options[option].value && word[2]))
		return unknown_option(args->command, word, (int)strlen(word));
	if (args->command->options[option].value)
		return store_with_value(args, (unsigned)option, word[2] ? word + 2 : NULL,
					argv[*index + 1], index);
	return store(args, (unsigned)option, "");
}

static int parse_words(struct args *args, int argc, char **argv)
{
	bool is_options_done = false;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		int r = 0;

		if (is_options_done || word[0] != '-' || word[1] == 0)
			args->operands[args->operand_cnt++] = word;
		else if (word[1] == '-' && word[2] == 0)
			is_options_done = true;
		else if (word[1] == '-')
			r = parse_long(args, argv, &i);
		else
			r = parse_letter(args, argv, &i);
		if (r)
			return r;
	}
	return 0;
}

static int check_operands(const struct args *args)
{
	const struct command *command = args->command;

	if (args->operand_cnt < command->operand_min) {
		args_usage_error(command, "too few arguments: expected %s", command->operands);
		return ARGS_E_USAGE;
	}
	if (args->operand_cnt > command->operand_max) {
		args_usage_error(command, "unexpected argument '%s'",
				 args->operands[command->operand_max]);
		return ARGS_E_USAGE;
	}
	return 0;
}

int args_parse(const struct command *command, int argc, char **argv, struct args *ret)
{
	size_t max = argc > 0 ? (size_t)argc : 1;
	struct args args = { .command = command };
	int r;

	args.operands = calloc(max, sizeof(*args.operands));
	args.values = calloc(max, sizeof(*args.values));
	r = args.operands && args.values ? parse_words(&args, argc, argv) : -ENOMEM;
	if (r == 0)
		r = check_operands(&args);
	if (r) {
		args_done(&args);
		return r;
	}
	*ret = args;
	return 0;
}

void args_done(struct args *args)
{
	free(args->operands);
	free(args->values);
	*args = (struct args){ 0 };
}

const char *args_get(const struct args *args, unsigned option)
{
	for (unsigned i = args->value_cnt; i > 0; i--)
		if (args->values[i - 1].option == option)
			return args->values[i - 1].text;
	return NULL;
}

const char **args_get_all(const struct args *args, unsigned option, uint32_t *ret_cnt)
{
	const char **all = calloc(args->value_cnt + 1, sizeof(*all));

	*ret_cnt = 0;
	if (!all)
		return NULL;
	for (unsigned i = 0; i < args->value_cnt; i++)
		if (args->values[i].option == option)
			all[(*ret_cnt)++] = args->values[i].text;
	return all;
}

/* Decimal digits only: no sign, no blank, no 0x. Returns the first byte behind them, or NULL. */
static const char *parse_digits(const char *text, uint64_t *ret)
{
	uint64_t value = 0;

	if (*text < '0' || *text > '9')
		return NULL;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return NULL;
	*ret = value;
	return text;
}

bool args_parse_u32(const char *text, uint32_t *ret)
{
	uint64_t value;
	const char *end = parse_digits(text, &value);

	if (!end || *end || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static bool parse_with_unit(const char *text, const struct unit *units, uint64_t *ret)
{
	uint64_t value;
	const char *end = parse_digits(text, &value);

	for (; end && units->name; units++)
		if (strcmp(end, units->name) == 0)
			return !__builtin_mul_overflow(value, units->factor, ret);
	return false;
}

bool args_parse_duration(const char *text, uint64_t *ret_ns)
{
	static const struct unit units[] = {
		{ "ms", NS_PER_MS },	    { "s", NS_PER_SEC },	 { "m", 60 * NS_PER_SEC },
		{ "h", 3600 * NS_PER_SEC }, { "d", 86400 * NS_PER_SEC }, { NULL, 0 },
	};

	return parse_with_unit(text, units, ret_ns);
}

bool args_parse_size(const char *text, uint64_t *ret)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "KiB", 1ull << 10 },
		{ "MiB", 1ull << 20 },
		{ "GiB", 1ull << 30 },
		{ "TiB", 1ull << 40 },
		{ NULL, 0 },
	};

	return parse_with_unit(text, units, ret);
}

bool args_parse_bytes(const char *text, uint32_t *ret)
{
	uint64_t value;

	if (!args_parse_size(text, &value) || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}
