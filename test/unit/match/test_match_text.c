/*
 * Matching of text without a program around it: globs against fnmatch(3), path prefixes, string
 * sets, networks.
 */
#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <fnmatch.h>
#include <stdio.h>
#include <time.h>

#include "cidr.h"
#include "glob.h"
#include "pmatch.h"
#include "strset.h"

/* A fixed sequence: a failure can be repeated. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void random_text(uint32_t *state, const char *alphabet, unsigned max, char *out)
{
	unsigned n = next_random(state) % (max + 1);

	for (unsigned i = 0; i < n; i++)
		out[i] = alphabet[next_random(state) % strlen(alphabet)];
	out[n] = '\0';
}

/* Whether a pattern has a class of characters that libc reads in more ways than we do. */
static bool is_comparable(const char *pattern)
{
	return !strstr(pattern, "[.") && !strstr(pattern, "[=") && !strstr(pattern, "[:");
}

Test(match_text, glob_is_fnmatch)
{
	uint32_t state = 1;
	unsigned matched = 0;

	for (unsigned i = 0; i < 300000; i++) {
		char pattern[12], text[10];
		bool want, got;

		random_text(&state, "ab*?[]!-\\/.^", 9, pattern);
		random_text(&state, "ab/.]-\\", 7, text);
		if (!is_comparable(pattern))
			continue;
		want = fnmatch(pattern, text, 0) == 0;
		got = glob_match(str_from(pattern), str_from(text), false);
		matched += want;
		cr_assert_eq(got, want, "glob '%s' on '%s': want %d", pattern, text, want);
	}
	cr_assert_gt(matched, 3000u, "%u: the texts must match often enough to tell", matched);
}

Test(match_text, glob_cases)
{
	static const struct {
		const char *pattern, *text;
		bool ignore_case, want;
	} cases[] = {
		{ "/home/*/.ssh/*", "/home/a/b/.ssh/x/y", false, true },
		{ "*.SO", "libc.so", true, true },
		{ "*.SO", "libc.so", false, false },
		{ "[[:alpha:]]", "x", false, true },
		{ "[[:alpha:]]", "1", false, false },
		{ "[![:alpha:]]", "1", false, true },
		{ "[[:upper:]]", "x", true, true },
		{ "", "", false, true },
		{ "", "a", false, false },
		{ "*", "", false, true },
		{ "a\\", "a\\", false, false },
		{ "[A-C]", "b", true, true },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(glob_match(str_from(cases[i].pattern), str_from(cases[i].text),
					cases[i].ignore_case),
			     cases[i].want, "'%s' on '%s'", cases[i].pattern, cases[i].text);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* A backtracking matcher takes years here. */
Test(match_text, glob_is_bounded)
{
	char pattern[256], text[4097];
	uint64_t begin;

	for (unsigned i = 0; i < 255; i++)
		pattern[i] = i % 2 ? 'a' : '*';
	pattern[254] = 'b';
	pattern[255] = '\0';
	memset(text, 'a', 4096);
	text[4096] = '\0';
	begin = now_ns();
	cr_expect_not(glob_match(str_from(pattern), str_from(text), false));
	cr_expect_lt(now_ns() - begin, 100000000ULL, "took %llu ns",
		     (unsigned long long)(now_ns() - begin));
}

/* ---- pmatch ---------------------------------------------------------------------------------- */

static unsigned split(const char *path, const char *parts[], unsigned lengths[])
{
	unsigned cnt = 0;

	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");

		if (n) {
			parts[cnt] = p;
			lengths[cnt++] = (unsigned)n;
		}
		p += n + (p[n] == '/');
	}
	return cnt;
}

/* The definition: components of the element, one by one. */
static bool is_prefix(const char *element, const char *path)
{
	const char *a[32], *b[32];
	unsigned a_lengths[32], b_lengths[32];
	unsigned a_cnt = split(element, a, a_lengths), b_cnt = split(path, b, b_lengths);

	if (a_cnt > b_cnt)
		return false;
	for (unsigned i = 0; i < a_cnt; i++) {
		char pattern[32], component[32];

		snprintf(pattern, sizeof(pattern), "%.*s", (int)a_lengths[i], a[i]);
		snprintf(component, sizeof(component), "%.*s", (int)b_lengths[i], b[i]);
		if (strpbrk(pattern, "*?[") ? fnmatch(pattern, component, 0) != 0
					    : strcmp(pattern, component) != 0)
			return false;
	}
	return true;
}

Test(match_text, pmatch_is_any_element)
{
	uint32_t state = 7;
	unsigned matched = 0;

	for (unsigned i = 0; i < 50000; i++) {
		char elements[4][12], path[16];
		unsigned cnt = next_random(&state) % 5;
		struct str items[4];
		struct pmatch_set set;
		struct arena arena;
		bool want = false;

		arena_init(&arena, 1u << 20);
		random_text(&state, "ab//", 15, path);
		for (unsigned j = 0; j < cnt; j++) {
			random_text(&state, i % 2 ? "ab//*" : "ab//", 11, elements[j]);
			items[j] = str_from(elements[j]);
			want |= is_prefix(elements[j], path);
		}
		cr_assert(pmatch_build(&set, &arena, items, cnt));
		cr_assert_eq(pmatch_has(&set, str_from(path)), want, "'%s' in (%s, %s, …), want %d",
			     path, cnt > 0 ? elements[0] : "", cnt > 1 ? elements[1] : "", want);
		matched += want;
		arena_done(&arena);
	}
	cr_assert_gt(matched, 5000u);
}

/* More components than the bits that remember depths. */
Test(match_text, pmatch_deep)
{
	char element[256], path[400];
	struct pmatch_set set;
	struct arena arena;
	struct str item;

	arena_init(&arena, 1u << 20);
	for (unsigned i = 0; i < 100; i++)
		memcpy(element + i * 2, "/a", 3);
	snprintf(path, sizeof(path), "%s/b", element);
	item = str_from(element);
	cr_assert(pmatch_build(&set, &arena, &item, 1));
	cr_expect(pmatch_has(&set, str_from(path)));
	cr_expect(pmatch_has(&set, str_from(element)));
	element[198] = '\0';
	cr_expect_not(pmatch_has(&set, str_from(element)));
	arena_done(&arena);
}

/* ---- sets and networks ----------------------------------------------------------------------- */

Test(match_text, strset)
{
	struct str items[200];
	char names[200][8];
	struct strset set;
	struct arena arena;

	arena_init(&arena, 1u << 20);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(names[i], sizeof(names[i]), "n%u", i / 2);
		items[i] = str_from(names[i]);
	}
	items[0] = STR("");
	cr_assert(strset_build(&set, &arena, items, 200));
	cr_expect_eq(set.cnt, 101u, "duplicates are dropped: %u", set.cnt);
	cr_expect(strset_has(&set, STR("n99")));
	cr_expect(strset_has(&set, STR("n0")));
	cr_expect(strset_has(&set, STR("")));
	cr_expect_not(strset_has(&set, STR("n100")));
	cr_expect_not(strset_has(&set, STR("n")));
	cr_assert(strset_build(&set, &arena, NULL, 0));
	cr_expect_not(strset_has(&set, STR("")));
	arena_done(&arena);
}

static struct ip_address address(const char *text)
{
	struct ip_address ip = { 0 };

	cr_assert(ip_parse(str_from(text), &ip), "%s", text);
	return ip;
}

Test(match_text, cidr)
{
	static const struct {
		const char *net, *ip;
		bool want;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.0.1", true },
		{ "10.0.0.0/8", "11.0.0.1", false },
		{ "10.1.2.3/8", "10.9.9.9", true },
		{ "0.0.0.0/0", "1.2.3.4", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "::1", true },
		{ "::/0", "1.2.3.4", false },
		{ "1.2.3.4/32", "1.2.3.4", true },
		{ "1.2.3.4/32", "1.2.3.5", false },
		{ "1.2.3.4/31", "1.2.3.5", true },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "::1/128", "::1", true },
		{ "fe80::/10", "febf::1", true },
	};
	struct arena arena;

	arena_init(&arena, 1u << 20);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct ip_address ip = address(cases[i].ip);
		struct cidr_set set;
		struct cidr cidr;

		cr_assert(cidr_parse(str_from(cases[i].net), &cidr), "%s", cases[i].net);
		cr_expect_eq(cidr_has(&cidr, &ip), cases[i].want, "%s in %s", cases[i].ip,
			     cases[i].net);
		cr_assert(cidr_set_build(&set, &arena, &cidr, 1));
		cr_expect_eq(cidr_set_has(&set, &ip), cases[i].want, "%s in set of %s", cases[i].ip,
			     cases[i].net);
	}
	arena_done(&arena);
}

Test(match_text, cidr_rejected)
{
	static const char *const cases[] = {
		"",   "10.0.0.0",    "10.0.0.0/",   "10.0.0.0/33",   "10.0.0/8",  "::/129",
		"/8", "10.0.0.0/8 ", "10.0.0.0/+8", "10.0.0.0/008x", "a.b.c.d/8", "::g/8"
	};
	struct cidr cidr;

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_not(cidr_parse(str_from(cases[i]), &cidr), "'%s'", cases[i]);
}
