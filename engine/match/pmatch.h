/*
 * Path prefixes by whole components (rule-language.md 2.5, pmatch).
 */
#ifndef HAETAE_MATCH_PMATCH_H
#define HAETAE_MATCH_PMATCH_H

#include "haetae/arena.h"

struct pmatch_glob {
	const struct str *components;
	uint32_t component_cnt;
};
struct pmatch_set {
	bool has_root;	   /* "" or "/": every path */
	struct str *slots; /* prefixes without wildcards, as "/a/b"; p NULL: free */
	uint32_t mask;
	uint64_t depths; /* bit min(component count, 63): no prefix of another depth */
	const struct pmatch_glob *globs; /* prefixes with wildcards, in the order given */
	uint32_t glob_cnt;
};

/* False: out of memory. */
bool pmatch_build(struct pmatch_set *set, struct arena *arena, const struct str *items,
		  uint32_t cnt);
/* True where an element equals the path or is an ancestor of it. */
bool pmatch_has(const struct pmatch_set *set, struct str path);

#endif
