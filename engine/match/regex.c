/*
 * PCRE2 behind RE2's POSIX syntax. A compiled pattern belongs to the ruleset's arena (freed by a
 * cleanup), contexts and workspace to a matcher. Both ends are anchored, so that the longest match
 * and any match are the same question.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "regex.h"

#include <errno.h>
#include <pcre2.h>

#include "haetae/text.h"
#include "regex_nfa.h"
#include "regex_part.h"

/* Steps of backtracking times bytes of the value before the second matcher decides: a step may read
 * the whole value again (.*.*x), and this many bytes take about 0.3 ms. */
#define MATCH_WORK	600000u
#define MATCH_LIMIT_MIN 50u
#define JIT_STACK_MIN	(32u << 10)
#define JIT_STACK_MAX	(256u << 10)
/* Translated characters are at most \x{10ffff} plus operators. */
#define TRANSLATED_MAX 16384

struct regex {
	pcre2_code *code; /* owned by the arena's cleanup */
	struct nfa *nfa;
	struct str needed;
};

struct regex_scratch {
	pcre2_match_context *context; /* owned */
	pcre2_match_data *data;	      /* owned */
	pcre2_jit_stack *stack;	      /* owned */
	struct nfa_scratch nfa;
};

static void free_code(void *data)
{
	pcre2_code_free(data);
}

static int compile_translated(struct arena *arena, struct str pattern, pcre2_code **ret,
			      int *reterr_number)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	PCRE2_SIZE offset;
	pcre2_code *code;
	int r;

	if (!context)
		return -ENOMEM;
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n,
			     PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED | PCRE2_ENDANCHORED |
				     PCRE2_MULTILINE | PCRE2_ALT_CIRCUMFLEX |
				     PCRE2_NO_AUTO_CAPTURE | PCRE2_NEVER_BACKSLASH_C,
			     reterr_number, &offset, context);
	pcre2_compile_context_free(context);
	if (!code)
		return *reterr_number == PCRE2_ERROR_HEAP_FAILED ? -ENOMEM : REGEX_E_SYNTAX;
	r = arena_on_done(arena, free_code, code);
	if (r < 0) {
		pcre2_code_free(code);
		return r;
	}
	/* Without JIT (no executable memory) pcre2_match() interprets: slower, the same answer. */
	(void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	*ret = code;
	return 0;
}

int regex_compile(struct arena *arena, struct str pattern, struct regex **ret,
		  struct regex_syntax_error *reterr_error)
{
	struct regex *regex = arena_new(arena, struct regex);
	_cleanup_(buf_done) struct buf translated;
	int number = 0, r;

	buf_init(&translated, TRANSLATED_MAX);
	if (!regex)
		return -ENOMEM;
	if (!regex_translate(pattern, &translated, reterr_error))
		return REGEX_E_SYNTAX;
	if (translated.failed)
		return -ENOMEM;
	regex->needed = regex_part(arena, buf_str(&translated));
	if (!regex->needed.p)
		return -ENOMEM;
	r = nfa_compile(arena, buf_str(&translated), &regex->nfa);
	if (r == 0)
		r = compile_translated(arena, buf_str(&translated), &regex->code, &number);
	if (r > 0)
		*reterr_error =
			(struct regex_syntax_error){ 0, pattern.n, "the expression is too large",
						     "shorten its repetitions" };
	if (r == 0)
		*ret = regex;
	return r > 0 ? REGEX_E_SYNTAX : r;
}

struct str regex_needed(const struct regex *regex)
{
	return regex->needed;
}

/* ---- matching ------------------------------------------------------------------------------- */

struct regex_scratch *regex_scratch_free(struct regex_scratch *scratch)
{
	if (!scratch)
		return NULL;
	pcre2_match_context_free(scratch->context);
	pcre2_match_data_free(scratch->data);
	pcre2_jit_stack_free(scratch->stack);
	free(scratch);
	return NULL;
}

struct regex_scratch *regex_scratch_new(void)
{
	struct regex_scratch *scratch = calloc(1, sizeof(*scratch));

	if (!scratch)
		return NULL;
	scratch->context = pcre2_match_context_create(NULL);
	scratch->data = pcre2_match_data_create(1, NULL);
	/* Absent where memory is not executable; then nothing asks for it. */
	scratch->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
	if (!scratch->context || !scratch->data)
		return regex_scratch_free(scratch);
	if (scratch->stack)
		pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
	return scratch;
}

static bool is_utf8(struct str s)
{
	const char *end = s.p + s.n;

	for (const char *p = s.p; p < end;) {
		unsigned length = (unsigned char)*p < 0x80 ? 1 : utf8_sequence(p, end);

		if (length == 0)
			return false;
		p += length;
	}
	return true;
}

/* Each byte that is not part of a valid sequence becomes U+FFFD. */
static struct str replace_invalid(struct str s, struct arena *arena)
{
	char *out = arena_alloc(arena, (size_t)s.n * 3 + 1);
	const char *end = s.p + s.n;
	uint32_t n = 0;

	if (!out)
		return STR_NONE;
	for (const char *p = s.p; p < end;) {
		unsigned length = utf8_sequence(p, end);

		memcpy(out + n, length ? p : "\xef\xbf\xbd", length ? length : 3);
		n += length ? length : 3;
		p += length ? length : 1;
	}
	return (struct str){ out, n };
}

enum regex_result regex_match(const struct regex *regex, struct regex_scratch *scratch,
			      struct str subject, struct arena *arena,
			      struct regex_counters *counters)
{
	int r;

	if (!subject.p)
		subject = STR("");
	if (!is_utf8(subject)) {
		subject = replace_invalid(subject, arena);
		if (!subject.p) {
			counters->undecided++;
			return REGEX_UNDECIDED;
		}
	}
	pcre2_set_match_limit(scratch->context,
			      MAX(MATCH_WORK / MAX(subject.n, 1u), MATCH_LIMIT_MIN));
	r = pcre2_match(regex->code, (PCRE2_SPTR)subject.p, subject.n, 0, PCRE2_NO_UTF_CHECK,
			scratch->data, scratch->context);
	if (r >= 0)
		return REGEX_YES;
	if (r == PCRE2_ERROR_NOMATCH)
		return REGEX_NO;
	/* A limit must not mean "no match": padding would buy it (decision 28). */
	counters->limit++;
	return nfa_match(regex->nfa, &scratch->nfa, subject) ? REGEX_YES : REGEX_NO;
}
