/*
 * The command line parser: what it accepts, what it refuses, and values with units.
 */
#include <criterion/criterion.h>

#include "args.h"
#include "haetae/daemon.h"

enum {
	OPT_JSON,
	OPT_RULES,
	OPT_FORMAT
};

static const struct option_spec options[] = {
	{ 'j', "json", NULL, "Switch.", false },
	{ 'r', "rules", "PATH", "Repeatable.", true },
	{ 0, "format", "text|json", "Once.", false },
};

static const struct command command = {
	.name = "demo",
	.operands = "FILE",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 0,
	.operand_max = 2,
};

static int parse(char **words, struct args *ret)
{
	int argc = 0;

	while (words[argc])
		argc++;
	return args_parse(&command, argc, words, ret);
}

Test(args, accepts)
{
	char *words[] = { "demo", "-r", "a", "--rules=b", "x", "-rc", "--json", "--", "-r", NULL };
	struct args args;
	uint32_t cnt;
	const char **all;

	cr_assert_eq(parse(words, &args), 0);
	cr_expect(args_has(&args, OPT_JSON));
	cr_expect_not(args_has(&args, OPT_FORMAT));
	cr_expect_str_eq(args_get(&args, OPT_RULES), "c", "the last one");
	all = args_get_all(&args, OPT_RULES, &cnt);
	cr_assert_eq(cnt, 3);
	cr_expect_str_eq(all[0], "a");
	cr_expect_str_eq(all[1], "b");
	cr_assert_eq(args.operand_cnt, 2);
	cr_expect_str_eq(args.operands[0], "x");
	cr_expect_str_eq(args.operands[1], "-r", "behind -- nothing is an option");
	free(all);
	args_done(&args);
}

Test(args, refuses)
{
	static const struct {
		const char *name;
		char *words[6];
		int expected;
	} cases[] = {
		{ "unknown long", { "demo", "--fromat" }, ARGS_E_USAGE },
		{ "unknown letter", { "demo", "-x" }, ARGS_E_USAGE },
		{ "letters in a bundle", { "demo", "-jr" }, ARGS_E_USAGE },
		{ "a value on a switch", { "demo", "--json=1" }, ARGS_E_USAGE },
		{ "no value", { "demo", "--format" }, ARGS_E_USAGE },
		{ "no value for a letter", { "demo", "-r" }, ARGS_E_USAGE },
		{ "twice", { "demo", "--format", "text", "--format", "json" }, ARGS_E_USAGE },
		{ "too many operands", { "demo", "a", "b", "c" }, ARGS_E_USAGE },
		{ "a prefix is no name", { "demo", "--form", "text" }, ARGS_E_USAGE },
		{ "help", { "demo", "--help" }, ARGS_E_HELP },
		{ "help by letter", { "demo", "-h" }, ARGS_E_HELP },
		{ "help before a mistake", { "demo", "-h", "--fromat" }, ARGS_E_HELP },
		{ "an empty value is one", { "demo", "--format=" }, 0 },
		{ "a dash is an operand", { "demo", "-" }, 0 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct args args = { 0 };
		char *words[7] = { 0 };

		memcpy(words, cases[i].words, sizeof(cases[i].words));
		cr_expect_eq(parse(words, &args), cases[i].expected, "%s", cases[i].name);
		args_done(&args);
	}
}

Test(args, durations)
{
	static const struct {
		const char *text;
		bool is_good;
		uint64_t ns;
	} cases[] = {
		{ "20s", true, 20000000000ULL },
		{ "500ms", true, 500000000ULL },
		{ "5m", true, 300000000000ULL },
		{ "1h", true, 3600000000000ULL },
		{ "2d", true, 172800000000000ULL },
		{ "0s", true, 0 },
		{ "20", false, 0 },
		{ "s", false, 0 },
		{ "", false, 0 },
		{ "-1s", false, 0 },
		{ "1.5s", false, 0 },
		{ "1s ", false, 0 },
		{ "1 s", false, 0 },
		{ "18446744073709551615ms", false, 0 },
		{ "18446744073709551616s", false, 0 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t ns = 0;

		cr_expect_eq(args_parse_duration(cases[i].text, &ns), cases[i].is_good, "'%s'",
			     cases[i].text);
		if (cases[i].is_good)
			cr_expect_eq(ns, cases[i].ns, "'%s'", cases[i].text);
	}
}

Test(args, sizes_and_numbers)
{
	uint32_t value = 0;

	cr_expect(args_parse_bytes("4MiB", &value) && value == 4 << 20);
	cr_expect(args_parse_bytes("4096", &value) && value == 4096);
	cr_expect_not(args_parse_bytes("4GiB", &value), "does not fit");
	cr_expect_not(args_parse_bytes("4MB", &value), "1000 or 1024?");
	cr_expect(args_parse_u32("4294967295", &value) && value == UINT32_MAX);
	cr_expect_not(args_parse_u32("4294967296", &value));
	cr_expect_not(args_parse_u32("0x10", &value));
	cr_expect_not(args_parse_u32("+1", &value));
}
