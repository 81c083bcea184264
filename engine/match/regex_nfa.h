/*
 * The second regex matcher: all states at once, no backtracking, time bounded by text length times
 * states. pcre2_dfa_match() is no substitute: it counts repetitions in its states, so that (a+)+
 * takes it half a second on 4 KiB.
 */
#ifndef HAETAE_MATCH_REGEX_NFA_H
#define HAETAE_MATCH_REGEX_NFA_H

#include "haetae/arena.h"

/* A pattern that needs more is too large: a{1000}{1000}. */
#define NFA_STATES_MAX 4096

struct nfa;
/* From regex_translate()'s result. 0, -ENOMEM, or NFA_E_LARGE. */
#define NFA_E_LARGE 1
int nfa_compile(struct arena *arena, struct str translated, struct nfa **ret);

struct nfa_scratch {
	uint32_t marks[NFA_STATES_MAX]; /* step in which a state was added */
	uint16_t lists[2][NFA_STATES_MAX];
	uint16_t stack[NFA_STATES_MAX];
	uint32_t step;
};
/* Whether the whole text matches. The text is valid UTF-8. */
bool nfa_match(const struct nfa *nfa, struct nfa_scratch *scratch, struct str text);

#endif
