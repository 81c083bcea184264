/*
 * Checks a pattern against RE2's POSIX syntax and rewrites it for PCRE2 (rule-language.md 2.5,
 * decision 28). What the two dialects read differently is rejected or spelled out.
 */
#ifndef HAETAE_MATCH_REGEX_SYNTAX_H
#define HAETAE_MATCH_REGEX_SYNTAX_H

#include "haetae/buf.h"

struct regex_syntax_error {
	uint32_t offset, length; /* in the pattern */
	const char *reason, *hint;
};

/* False: *reterr_error says why. The result has no captures and only PCRE2 syntax that means the
 * same everywhere. */
bool regex_translate(struct str pattern, struct buf *out, struct regex_syntax_error *reterr_error);
/* No metacharacter: a plain comparison would do. */
bool regex_is_literal(struct str pattern);

#endif
