/*
 * Where rules come from when the command line does not say, and loading them for a command.
 */
#ifndef CLI_RULE_PATHS_H
#define CLI_RULE_PATHS_H

#include <limits.h>

#include "haetae/rules.h"

#include "args.h"

struct rule_paths {
	const char **paths; /* owned array */
	uint32_t path_cnt;
	char source_tree[PATH_MAX]; /* a path of `paths` may point here */
};

/* The paths given with an option (of index `option`) or as operands (option ==
 * RULE_PATHS_OPERANDS), in their order; else the installed ones (HAETAE_RULES_DIR,
 * /etc/haetae/rules.d) that exist; else, for a program in its build folder, the rules of the source
 * tree beside it. Returns an exit_code; what is wrong went to stderr. */
#define RULE_PATHS_OPERANDS UINT_MAX
int rule_paths_from_args(const struct args *args, unsigned option, struct rule_paths *ret);
/* The installed rules or the source tree's, as above; path_cnt may be 0. 0 or -ENOMEM. */
int rule_paths_find(struct rule_paths *ret);
void rule_paths_done(struct rule_paths *paths);

/* The value of --maturity (of index `option`), where it was given. Returns an exit_code; what is
 * wrong went to stderr. */
#define RULE_MATURITY_VALUE "stable|incubating|sandbox"
int rule_maturity_from_args(const struct args *args, unsigned option, enum maturity *ret);

/* Chooses as above and loads them for a command that only reads rules. Diagnostics go to stderr
 * where there are errors. Returns an exit_code; *ret is set with EXIT_OK. */
int rule_paths_load(const struct args *args, unsigned option, enum maturity maturity,
		    struct ruleset **ret);

#endif
