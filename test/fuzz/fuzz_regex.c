/*
 * A pattern up to the first newline, then a value. Where PCRE2 decides within its limit, the second
 * matcher must agree.
 */
#include <stdlib.h>

#include "regex.h"
#include "regex_nfa.h"
#include "target.h"

static struct nfa_scratch nfa_scratch;

static void compare(struct arena *arena, struct str pattern, const struct regex *regex,
		    struct str subject)
{
	struct regex_scratch *scratch = regex_scratch_new();
	struct regex_counters counters = { 0 };
	struct regex_syntax_error error;
	enum regex_result result;
	struct buf translated;
	struct nfa *nfa;

	hae_assert(scratch);
	buf_init(&translated, 1u << 16);
	result = regex_match(regex, scratch, subject, arena, &counters);
	hae_assert(regex_translate(pattern, &translated, &error));
	hae_assert(nfa_compile(arena, buf_str(&translated), &nfa) == 0);
	/* The matchers see the text with U+FFFD in it; only plain text is compared here. */
	for (uint32_t i = 0; i < subject.n; i++)
		if ((unsigned char)subject.p[i] >= 0x80)
			subject.n = i, counters.limit = 1;
	if (counters.limit == 0)
		hae_assert(nfa_match(nfa, &nfa_scratch, subject) == (result == REGEX_YES));
	buf_done(&translated);
	regex_scratch_free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	size_t length = newline ? (size_t)(newline - data) : size;
	struct str pattern = { (const char *)data, (uint32_t)length };
	struct regex_syntax_error error = { 0 };
	struct regex *regex;
	struct arena arena;
	struct str subject;

	/* Constants have at most 255 bytes and no NUL. */
	if (length > 255 || size - length > 4097 || (length && memchr(data, '\0', length)))
		return 0;
	subject = newline ? (struct str){ (const char *)newline + 1, (uint32_t)(size - length - 1) }
			  : STR("");
	arena_init(&arena, 1u << 26);
	if (regex_compile(&arena, pattern, &regex, &error) == 0)
		compare(&arena, pattern, regex, subject);
	else
		hae_assert(error.reason && error.offset + error.length <= pattern.n);
	arena_done(&arena);
	return 0;
}
