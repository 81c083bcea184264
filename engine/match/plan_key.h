/*
 * By which keys the literals of a predicate are found in an index, and how rarely.
 */
#ifndef HAETAE_MATCH_PLAN_KEY_H
#define HAETAE_MATCH_PLAN_KEY_H

#include "plan_index.h"

/* The lookup that finds all values for which the predicate can be true; false: there is none. */
bool plan_key_kind(const struct predicate *predicate, enum lookup_kind *ret);

/* How often the predicate's literals are expected in events: a guess, only to be compared. */
uint32_t plan_key_weight(const struct predicate *predicate, enum lookup_kind kind);

/* CONTAINS and ICONTAINS: the part of the literal that a matching text must hold; of a glob its
 * longest run of plain bytes. */
struct str plan_key_part(const struct predicate *predicate, const struct literal *literal);

/* What stands for a literal of all other kinds. p NULL: out of memory. */
struct str plan_key_of(struct arena *arena, const struct predicate *predicate,
		       enum lookup_kind kind, const struct literal *literal);

#endif
