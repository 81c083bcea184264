/*
 * fnmatch(3) without flags, in bounded time: * ? [a-z] [!a-z] [[:alpha:]] and the backslash.
 */
#ifndef HAETAE_MATCH_GLOB_H
#define HAETAE_MATCH_GLOB_H

#include "haetae/base.h"

/* Time at most pattern length times text length. Bytes, not characters. */
bool glob_match(struct str pattern, struct str text, bool ignore_case);
/* Holds one of * ? [ . */
bool glob_has_wildcard(struct str pattern);

#endif
