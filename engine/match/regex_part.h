/*
 * A piece of plain text that every match of a pattern contains: what an index can look for before
 * the pattern is run.
 */
#ifndef HAETAE_MATCH_REGEX_PART_H
#define HAETAE_MATCH_REGEX_PART_H

#include "haetae/arena.h"

/* From regex_translate()'s result: the longest such run of ASCII, "" where there is none. In the
 * arena; p NULL: out of memory. */
struct str regex_part(struct arena *arena, struct str translated);

#endif
