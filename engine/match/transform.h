/*
 * Transformers: functions over fields (rule-language.md 2.7).
 */
#ifndef HAETAE_MATCH_TRANSFORM_H
#define HAETAE_MATCH_TRANSFORM_H

#include "haetae/field.h"

enum transform {
	TRANSFORM_TOLOWER,
	TRANSFORM_TOUPPER,
	TRANSFORM_B64,
	TRANSFORM_BASENAME,
	TRANSFORM_LEN,
	TRANSFORM_JOIN,
	TRANSFORM_CONCAT,
	TRANSFORM_GETOPT,
	TRANSFORM__COUNT
};

const char *transform_name(enum transform transform);
bool transform_find(struct str name, enum transform *ret);

/* Evaluated arguments; a missing one makes the result missing before anything is called. Strings
 * are made in scratch. */
struct transform_arguments {
	const struct value_set *items;
	uint32_t item_cnt;
	uint32_t type_mask;	  /* bit i: argument i is text (for len) */
	const struct str *option; /* getopt(...)[option], or NULL */
	struct arena *scratch;
};
/* One result from single values and lists. FIELD_ABSENT also where scratch is exhausted; the arena
 * says so. */
void transform_run(enum transform transform, const struct transform_arguments *arguments,
		   struct value_set *ret);

#endif
