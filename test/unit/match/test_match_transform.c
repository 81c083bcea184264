/*
 * Transformers on single values; how they meet conditions is in test/lang.
 */
#include <criterion/criterion.h>

#include "transform.h"

static struct value text_value(const char *text)
{
	return (struct value){ .type = VALUE_STRING, .str = str_from(text) };
}

static void expect_text(enum transform transform, const char *input, const char *want)
{
	struct value value = text_value(input);
	struct value_set item = { FIELD_VALUE, 1, &value }, result;
	struct arena scratch;
	struct transform_arguments arguments = { &item, 1, 1, NULL, &scratch };

	arena_init(&scratch, 1u << 20);
	transform_run(transform, &arguments, &result);
	if (want) {
		cr_expect_eq(result.state, FIELD_VALUE, "%s('%s')", transform_name(transform),
			     input);
		if (result.state == FIELD_VALUE)
			cr_expect(str_eq_text(result.values[0].str, want), "%s('%s') = '%.*s'",
				  transform_name(transform), input, STR_ARG(result.values[0].str));
	} else {
		cr_expect_eq(result.state, FIELD_ABSENT, "%s('%s') has a value",
			     transform_name(transform), input);
	}
	arena_done(&scratch);
}

Test(match_transform, strings)
{
	expect_text(TRANSFORM_TOLOWER, "AbC\xc3\x89", "abc\xc3\x89");
	expect_text(TRANSFORM_TOUPPER, "AbC{", "ABC{");
	expect_text(TRANSFORM_BASENAME, "/usr/bin/cat", "cat");
	expect_text(TRANSFORM_BASENAME, "/a/", "");
	expect_text(TRANSFORM_BASENAME, "cat", "cat");
	expect_text(TRANSFORM_BASENAME, "", "");
}

Test(match_transform, base64)
{
	expect_text(TRANSFORM_B64, "aGVsbG8=", "hello");
	expect_text(TRANSFORM_B64, "aGVsbG8", "hello");
	expect_text(TRANSFORM_B64, "aGVsbG9v", "helloo");
	expect_text(TRANSFORM_B64, "", "");
	expect_text(TRANSFORM_B64, "a", NULL);
	expect_text(TRANSFORM_B64, "aGVsbG8==", NULL);
	expect_text(TRANSFORM_B64, "aGV sbG8=", NULL);
	expect_text(TRANSFORM_B64, "aG=sbG8=", NULL);
	expect_text(TRANSFORM_B64, "!!!!", NULL);
}

/* words and wants end with NULL; want of one element behind an option is its scalar. */
static void expect_getopt(const char *const *words, const char *options, const char *option,
			  const char *const *want)
{
	struct value word_values[8], options_value = text_value(options);
	struct value_set items[2] = { { FIELD_VALUE, 0, word_values },
				      { FIELD_VALUE, 1, &options_value } };
	struct str letter = option ? str_from(option) : STR_NONE;
	struct arena scratch;
	struct transform_arguments arguments = { items, 2, 0, option ? &letter : NULL, &scratch };
	struct value_set result;
	uint32_t want_cnt = 0;

	arena_init(&scratch, 1u << 20);
	for (; words[items[0].cnt]; items[0].cnt++)
		word_values[items[0].cnt] = text_value(words[items[0].cnt]);
	while (want && want[want_cnt])
		want_cnt++;
	transform_run(TRANSFORM_GETOPT, &arguments, &result);
	cr_expect_eq(result.state, want ? FIELD_VALUE : FIELD_ABSENT, "%s '%s'", words[0], options);
	cr_expect_eq(result.cnt, want_cnt, "%s '%s': %u values", words[0], options, result.cnt);
	for (uint32_t i = 0; i < want_cnt && i < result.cnt; i++)
		cr_expect(str_eq_text(result.values[i].str, want[i]), "%s '%s': value %u is '%.*s'",
			  words[0], options, i, STR_ARG(result.values[i].str));
	arena_done(&scratch);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NOTHING	   ((const char *const[]){ NULL })

Test(match_transform, getopt)
{
	expect_getopt(WORDS("-a", "-b", "x"), "ab:", NULL, WORDS("a", "b", "x"));
	expect_getopt(WORDS("-abx"), "ab:", NULL, WORDS("a", "b", "x"));
	expect_getopt(WORDS("-c"), "ab:", NULL, WORDS("?"));
	expect_getopt(WORDS("-b"), "ab:", NULL, WORDS(""));
	expect_getopt(WORDS("--", "-a"), "a", NULL, NOTHING);
	expect_getopt(WORDS("-", "-a"), "a", NULL, NOTHING);
	expect_getopt(WORDS("", "-a"), "a", NULL, NOTHING);
	expect_getopt(WORDS("file", "-a"), "a", NULL, NOTHING);
	expect_getopt(WORDS("--long", "-a"), "a", NULL, WORDS("a"));
	expect_getopt(WORDS("-:"), "a:", NULL, WORDS("?"));
	expect_getopt(WORDS("-b", "x", "-b", "y"), "b:", "b", WORDS("y"));
	expect_getopt(WORDS("-a"), "a", "a", WORDS("a"));
	expect_getopt(WORDS("-b"), "b:", "b", WORDS(""));
	expect_getopt(WORDS("-a"), "ab:", "b", NULL);
}

Test(match_transform, scratch_exhausted)
{
	struct value value = text_value("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	struct value_set item = { FIELD_VALUE, 1, &value }, result;
	struct arena scratch;
	struct transform_arguments arguments = { &item, 1, 1, NULL, &scratch };

	arena_init(&scratch, 16);
	for (unsigned i = 0; i < 3; i++) {
		transform_run(i == 0   ? TRANSFORM_TOLOWER
			      : i == 1 ? TRANSFORM_B64
				       : TRANSFORM_CONCAT,
			      &arguments, &result);
		cr_expect_eq(result.state, FIELD_ABSENT);
	}
	cr_expect(scratch.failed, "the arena says why");
	arena_done(&scratch);
}
