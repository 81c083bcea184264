/*
 * A set of byte strings that is built once and asked often.
 */
#ifndef HAETAE_MATCH_STRSET_H
#define HAETAE_MATCH_STRSET_H

#include "haetae/arena.h"

struct strset {
	struct str *slots; /* open addressing; p NULL: free */
	uint32_t mask, cnt;
	uint64_t lengths; /* bit min(length, 63): no member of another length */
};

/* The strings are borrowed, duplicates are dropped. False: out of memory. */
bool strset_build(struct strset *set, struct arena *arena, const struct str *items, uint32_t cnt);
bool strset_has(const struct strset *set, struct str s);

#endif
