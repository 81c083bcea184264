/*
 * Regular expressions: which are accepted, what they match, and how long a hostile value can keep
 * the engine busy.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <time.h>

#include "regex.h"
#include "regex_nfa.h"

/* Sanitizers slow everything down; the times are those of the program as it is used. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

struct fixture {
	struct arena arena;
	struct regex_scratch *scratch;
	struct regex_counters counters;
};

static void setup(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	arena_init(&f->arena, 64u << 20);
	f->scratch = regex_scratch_new();
	cr_assert_not_null(f->scratch);
}

static void teardown(struct fixture *f)
{
	regex_scratch_free(f->scratch);
	arena_done(&f->arena);
}

static int compile(struct fixture *f, const char *pattern, struct regex **ret)
{
	struct regex_syntax_error error = { 0 };
	int r = regex_compile(&f->arena, str_from(pattern), ret, &error);

	cr_assert(r == 0 || error.reason, "'%s' fails without a reason", pattern);
	return r;
}

Test(match_regex, matches)
{
	static const struct {
		const char *pattern;
		struct str text;
		enum regex_result want;
	} cases[] = {
		{ "bash", STR("bash"), REGEX_YES },
		{ "bash", STR("bash-static"), REGEX_NO },
		{ "bas", STR("bash"), REGEX_NO },
		{ "a|ab", STR("ab"), REGEX_YES },
		{ "(a|ab)(c|bcd)", STR("abcd"), REGEX_YES },
		{ "[[:digit:]]+", STR("123"), REGEX_YES },
		{ "[[:^digit:]]+", STR("abc"), REGEX_YES },
		{ "a{2,3}", STR("aaaa"), REGEX_NO },
		{ "a{2,}", STR("aaaa"), REGEX_YES },
		{ "a{2}{2}", STR("aaaa"), REGEX_YES },
		{ "a**", STR("aaa"), REGEX_YES },
		{ "(ab)*+", STR("abab"), REGEX_YES },
		{ "a{,3}", STR("a{,3}"), REGEX_YES },
		{ "a{", STR("a{"), REGEX_YES },
		{ "x.y", STR("x\ny"), REGEX_NO },
		{ "x[^a]y", STR("x\ny"), REGEX_YES },
		{ "^a$", STR("a"), REGEX_YES },
		{ "a\n^b$", STR("a\nb"), REGEX_YES },
		{ "a\n^", STR("a\n"), REGEX_YES },
		{ "\\x41\\101\\t\\.", STR("AA\t."), REGEX_YES },
		{ "\\12", STR("\n"), REGEX_YES },
		{ "[\\x41-C]", STR("B"), REGEX_YES },
		{ "[]a]", STR("]"), REGEX_YES },
		{ "[^]a]", STR("b"), REGEX_YES },
		{ "[a-]", STR("-"), REGEX_YES },
		{ "[[.a]", STR("["), REGEX_YES },
		{ "[a\\]]", STR("]"), REGEX_YES },
		{ "", STR(""), REGEX_YES },
		{ "()", STR(""), REGEX_YES },
		{ "(|a)b", STR("b"), REGEX_YES },
		{ "a#b c", STR("a#b c"), REGEX_YES },
		{ "A", STR("a"), REGEX_NO },
		/* one character is one code point */
		{ ".", STR("\xc3\xa9"), REGEX_YES },
		{ "..", STR("\xc3\xa9"), REGEX_NO },
		{ "\xc3\xa9+", STR("\xc3\xa9\xc3\xa9"), REGEX_YES },
		/* what is no UTF-8 is U+FFFD, byte by byte */
		{ "a.b",
		  STR("a\xff"
		      "b"),
		  REGEX_YES },
		{ "a..b",
		  STR("a\xe2\x82"
		      "b"),
		  REGEX_YES },
		{ "\\x{fffd}", STR("\xc0"), REGEX_YES },
		{ "\xef\xbf\xbd", STR("\xff"), REGEX_YES },
		{ "a.c", STR("a\0c"), REGEX_YES },
	};
	struct fixture f;

	setup(&f);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct regex *regex;

		cr_assert_eq(compile(&f, cases[i].pattern, &regex), 0, "'%s'", cases[i].pattern);
		cr_expect_eq(regex_match(regex, f.scratch, cases[i].text, &f.arena, &f.counters),
			     cases[i].want, "'%s' on '%.*s'", cases[i].pattern,
			     STR_ARG(cases[i].text));
	}
	teardown(&f);
}

Test(match_regex, rejected)
{
	static const char *const cases[] = {
		"\\d",	   "\\w+",	"\\s",	       "\\b",	 "\\B",
		"\\A",	   "\\z",	"\\Q",	       "\\pN",	 "\\C",
		"(?i)a",   "(?:a)",	"(?P<n>a)",    "a*?",	 "a+?",
		"a??",	   "a{2}?",	"(a)\\1",      "(a)\\9", "*",
		"+a",	   "a|*b",	"(",	       ")",	 "(a",
		"a)",	   "[",		"[a",	       "[]",	 "[z-a]",
		"[a-c-e]", "[[:foo:]]", "a{1001}",     "a{2,1}", "a\\",
		"\\x4",	   "\\xgg",	"\\x{110000}", "\\_",	 "\xff",
		"[\xff]",  "\\x{d800}", "(*UTF)a",     "(?#c)",	 "[[:alpha:]-z-]",
	};
	struct fixture f;

	setup(&f);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct regex *regex;

		cr_expect_eq(compile(&f, cases[i], &regex), REGEX_E_SYNTAX, "'%s'", cases[i]);
	}
	teardown(&f);
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Pieces of patterns, put together at random; many results are no patterns. */
static void random_pattern(uint32_t *state, char *out)
{
	static const char *const pieces[] = { "a",
					      "b",
					      "\n",
					      "(",
					      ")",
					      "(",
					      ")",
					      "|",
					      "*",
					      "+",
					      "?",
					      "{2}",
					      "{0,2}",
					      "{1,}",
					      ".",
					      "[ab]",
					      "[^a]",
					      "^",
					      "$",
					      "Ã©",
					      "[[:alpha:]]",
					      "[a-Ã©]",
					      "[^[:alpha:]Ã©]",
					      "[[:^alpha:]]" };
	unsigned n = 1 + next_random(state) % 8;

	*out = '\0';
	while (n--)
		strcat(out, pieces[next_random(state) % ARRAY_LEN(pieces)]);
}

static void random_subject(uint32_t *state, char *out)
{
	static const char *const pieces[] = { "a", "b", "\n", "Ã©", "1" };
	unsigned n = next_random(state) % 6;

	*out = '\0';
	while (n--)
		strcat(out, pieces[next_random(state) % ARRAY_LEN(pieces)]);
}

/* The two matchers are written by different people: what they agree on is likely right. */
Test(match_regex, second_matcher_agrees)
{
	static struct nfa_scratch scratch;
	uint32_t state = 3;
	unsigned compiled = 0, matched = 0;

	for (unsigned i = 0; i < 20000; i++) {
		char pattern[128], subject[32];
		struct regex *regex;
		struct buf translated;
		struct nfa *nfa;
		struct fixture f;
		struct regex_syntax_error error;

		random_pattern(&state, pattern);
		setup(&f);
		buf_init(&translated, 4096);
		if (compile(&f, pattern, &regex) == 0) {
			compiled++;
			cr_assert(regex_translate(str_from(pattern), &translated, &error));
			cr_assert_eq(nfa_compile(&f.arena, buf_str(&translated), &nfa), 0);
			for (unsigned j = 0; j < 20; j++) {
				bool want;

				random_subject(&state, subject);
				want = regex_match(regex, f.scratch, str_from(subject), &f.arena,
						   &f.counters) == REGEX_YES;
				matched += want;
				cr_assert_eq(nfa_match(nfa, &scratch, str_from(subject)), want,
					     "'%s' on '%s': PCRE2 says %d", pattern, subject, want);
			}
		}
		buf_done(&translated);
		teardown(&f);
	}
	cr_assert_gt(compiled, 3000u, "%u", compiled);
	cr_assert_gt(matched, 5000u, "%u", matched);
}

/* Repetitions of repetitions end at a limit, quickly. */
Test(match_regex, too_large)
{
	static const char *const cases[] = { "(a{1000}){1000}", "((a{100}){100}){100}",
					     "(((a{0,1000}){0,1000}){0,1000}){0,1000}",
					     "((((((a+)+)+)+)+){1000}){1000}" };
	struct fixture f;

	setup(&f);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct regex *regex;

		cr_expect_eq(compile(&f, cases[i], &regex), REGEX_E_SYNTAX, "'%s'", cases[i]);
	}
	teardown(&f);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* Patterns that backtrack without end, and values made for them. What decides must be right, and
 * quick: padding must not buy a miss, nor time. The limit is wide because the machine is shared;
 * the best of several runs counts. */
Test(match_regex, hostile_values)
{
	static const struct {
		const char *pattern, *fill, *end;
		enum regex_result want;
	} cases[] = {
		{ "(a+)+", "a", "b", REGEX_NO },
		{ "(a|aa)+", "a", "b", REGEX_NO },
		{ "(a*)*b", "a", "", REGEX_NO },
		{ "(a*)*b", "a", "b", REGEX_YES },
		{ "(.*)*x(.*)*y(.*)*z", "x", "", REGEX_NO },
		{ ".*a.*b.*c.*d.*e", "abcd", "", REGEX_NO },
		{ ".*a.*b.*c.*d.*e", "abcd", "e", REGEX_YES },
		{ "(.*,){11}P.*", "1,", "Q", REGEX_NO },
		{ "([a-zA-Z0-9])(([._-]?[a-zA-Z0-9]+)*)@x", "a", "!", REGEX_NO },
		{ "(x+x+)+y", "x", "", REGEX_NO },
		/* the same with the last byte present, or a prefilter decides */
		{ "(x+x+)+y", "x", "yz", REGEX_NO },
		{ "(a*)*b", "a", "bc", REGEX_NO },
		{ "((a*)*)*b", "a", "bc", REGEX_NO },
		{ "(.*)*x(.*)*y(.*)*z", "xy", "zw\n", REGEX_NO },
		{ ".*a.*b.*c.*d.*e", "abcd", "e\nx", REGEX_NO },
		{ "(.*,){11}P.*", "1,", "Q,P\n", REGEX_NO },
		{ "([a-zA-Z0-9])(([._-]?[a-zA-Z0-9]+)*)@x", "a", "@xy", REGEX_NO },
		{ "(a?){30}a{30}", "a", "", REGEX_NO },
		{ "(a|b|ab)*c", "ab", "cd", REGEX_NO },
		{ "(([a-c]+)*[a-c]+)*d", "abc", "de", REGEX_NO },
		{ "(.*.*.*.*)*=", "x=", "\n", REGEX_NO },
		{ "(.+)+(.+)+(.+)+1", "x1", "\n", REGEX_NO },
		{ "(a|a|a|a|a|a|a|a)*", "a", "b", REGEX_NO },
		{ "((a*)*)*b", "a", "c", REGEX_NO },
		{ ".*(curl|wget).*\\|.*(ba|z|da)?sh.*", "curl | ", "", REGEX_NO },
		{ ".*(curl|wget).*\\|.*(ba|z|da)?sh.*", "curl | ", "sh", REGEX_YES },
	};
	struct fixture f;

	setup(&f);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		char text[4200];
		size_t n = 0, step = strlen(cases[i].fill);
		uint64_t best = UINT64_MAX;
		struct regex *regex;

		for (; n + step <= 4096; n += step)
			memcpy(text + n, cases[i].fill, step);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", cases[i].end);
		cr_assert_eq(compile(&f, cases[i].pattern, &regex), 0, "'%s'", cases[i].pattern);
		for (unsigned run = 0; run < 5; run++) {
			uint64_t begin = now_ns(), took;

			cr_expect_eq(regex_match(regex, f.scratch,
						 (struct str){ text, (uint32_t)n }, &f.arena,
						 &f.counters),
				     cases[i].want, "'%s' on '%s…%s'", cases[i].pattern,
				     cases[i].fill, cases[i].end);
			took = now_ns() - begin;
			best = took < best ? took : best;
		}
		if (getenv("HAETAE_TEST_TIMES"))
			fprintf(stderr, "%8llu ns  %s\n", (unsigned long long)best,
				cases[i].pattern);
#ifndef IS_SANITIZED
		/* HAETAE_EMULATOR: emulated, as test/arm64/run does, which is no measure. */
		cr_expect(getenv("HAETAE_EMULATOR") || best < 2000000ULL, "'%s' takes %llu ns",
			  cases[i].pattern, (unsigned long long)best);
#endif
	}
	cr_expect_gt(f.counters.limit, 0ULL, "no case reached the limit: they prove nothing");
	cr_expect_eq(f.counters.undecided, 0ULL);
	teardown(&f);
}
