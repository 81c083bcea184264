/*
 * Regular expressions over one value, whole (decision 28): PCRE2's JIT first, and where that hits
 * a limit, a matcher that does not backtrack.
 */
#ifndef HAETAE_MATCH_REGEX_H
#define HAETAE_MATCH_REGEX_H

#include "haetae/arena.h"
#include "regex_syntax.h"

struct regex;

#define REGEX_E_SYNTAX 1
/* 0, -ENOMEM, or REGEX_E_SYNTAX with *reterr_error set. Freed with the arena. */
int regex_compile(struct arena *arena, struct str pattern, struct regex **ret,
		  struct regex_syntax_error *reterr_error);

/* Bytes that stand in every text that matches; "" where there are none to name. */
struct str regex_needed(const struct regex *regex);

/* What matching needs beside the pattern, for one thread. */
struct regex_scratch;
struct regex_scratch *regex_scratch_new(void); /* NULL: out of memory */
struct regex_scratch *regex_scratch_free(struct regex_scratch *scratch);

enum regex_result {
	REGEX_NO,
	REGEX_YES,
	REGEX_UNDECIDED, /* no memory for a copy; taken as no match and counted */
};
struct regex_counters {
	uint64_t limit, undecided;
};
/* `arena` takes a copy of a subject that is not valid UTF-8. */
enum regex_result regex_match(const struct regex *regex, struct regex_scratch *scratch,
			      struct str subject, struct arena *arena,
			      struct regex_counters *counters);

#endif
