/*
 * Glob matching (rule-language.md 2.5): what fnmatch(3) answers in the C locale with no flags.
 * Owns nothing; called by the evaluator.
 */
#include "glob.h"

#include <ctype.h>

static unsigned char fold(unsigned char c, bool ignore_case)
{
	return ignore_case && c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

/* [:alpha:] at p; its length, 0 where none stands here. */
static uint32_t class_length(const char *p, uint32_t n)
{
	uint32_t i = 2;

	if (n < 4 || p[0] != '[' || p[1] != ':')
		return 0;
	while (i < n && p[i] >= 'a' && p[i] <= 'z')
		i++;
	return i + 1 < n && p[i] == ':' && p[i + 1] == ']' ? i + 2 : 0;
}

static bool class_has(struct str name, unsigned char c, bool ignore_case)
{
	static const struct {
		const char *name;
		int (*has)(int c);
	} classes[] = {
		{ "alnum", isalnum }, { "alpha", isalpha }, { "blank", isblank },
		{ "cntrl", iscntrl }, { "digit", isdigit }, { "graph", isgraph },
		{ "lower", islower }, { "print", isprint }, { "punct", ispunct },
		{ "space", isspace }, { "upper", isupper }, { "xdigit", isxdigit },
	};

	for (unsigned i = 0; i < ARRAY_LEN(classes); i++) {
		if (!str_eq_text(name, classes[i].name))
			continue;
		if (ignore_case && (classes[i].has == isupper || classes[i].has == islower))
			return c < 0x80 && isalpha(c);
		return c < 0x80 && classes[i].has(c);
	}
	return false;
}

/* The bracket expression at p ('[' is p[0]); its length, 0 where it has no end: then '[' is a
 * plain byte. */
static uint32_t match_bracket(const char *p, uint32_t n, unsigned char c, bool ignore_case,
			      bool *ret_matched)
{
	uint32_t i = 1, first;
	bool is_negated = false, matched = false;

	if (i < n && (p[i] == '!' || p[i] == '^')) {
		is_negated = true;
		i++;
	}
	c = fold(c, ignore_case);
	for (first = i; i < n && (p[i] != ']' || i == first);) {
		uint32_t length = class_length(p + i, n - i);
		unsigned char low, high;

		if (length) {
			matched |= class_has((struct str){ p + i + 2, length - 4 }, c, ignore_case);
			i += length;
			continue;
		}
		if (p[i] == '\\' && i + 1 < n)
			i++;
		low = high = fold((unsigned char)p[i++], ignore_case);
		if (i + 1 < n && p[i] == '-' && p[i + 1] != ']') {
			i++;
			if (p[i] == '\\' && i + 1 < n)
				i++;
			high = fold((unsigned char)p[i++], ignore_case);
		}
		matched |= low <= c && c <= high;
	}
	if (i >= n)
		return 0;
	*ret_matched = matched != is_negated;
	return i + 1;
}

/* One element other than '*' against one byte; returns the element's length, 0 for no match. */
static uint32_t match_one(const char *p, uint32_t n, unsigned char c, bool ignore_case)
{
	bool matched = false;
	uint32_t length;

	switch (p[0]) {
	case '?':
		return 1;
	case '[':
		length = match_bracket(p, n, c, ignore_case, &matched);
		if (length)
			return matched ? length : 0;
		return c == '[';
	case '\\':
		/* A backslash at the end matches nothing. */
		return n > 1 && fold((unsigned char)p[1], ignore_case) == fold(c, ignore_case) ? 2
											       : 0;
	default:
		return fold((unsigned char)p[0], ignore_case) == fold(c, ignore_case);
	}
}

bool glob_match(struct str pattern, struct str text, bool ignore_case)
{
	uint32_t p = 0, t = 0, star = UINT32_MAX, star_text = 0;

	/* Only the last star needs to be tried again: what an earlier one took stays valid. */
	while (t < text.n || p < pattern.n) {
		uint32_t length = 0;

		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			star_text = t;
			continue;
		}
		if (t >= text.n)
			return false;
		if (p < pattern.n)
			length = match_one(pattern.p + p, pattern.n - p, (unsigned char)text.p[t],
					   ignore_case);
		if (length) {
			p += length;
			t++;
			continue;
		}
		if (star == UINT32_MAX || star_text >= text.n)
			return false;
		p = star + 1;
		t = ++star_text;
	}
	return true;
}

bool glob_has_wildcard(struct str pattern)
{
	for (uint32_t i = 0; i < pattern.n; i++)
		if (pattern.p[i] == '*' || pattern.p[i] == '?' || pattern.p[i] == '[')
			return true;
	return false;
}
