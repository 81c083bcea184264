/*
 * What a clause of the kernel filter says: a set of values for each fact that the kernel knows of
 * an event (struct box), and the algebra of those. Every operation may give too large a set, never
 * too small a one. In an arena that belongs to one run of pushdown.c.
 */
#ifndef HAETAE_MATCH_FILTER_SET_H
#define HAETAE_MATCH_FILTER_SET_H

#include "haetae/arena.h"
#include "haetae/filter.h"

/* Numbers, sorted, each once; with is_all_but all others. */
struct id_set {
	const uint64_t *ids;
	uint32_t cnt;
	bool is_all_but;
};

enum box_dimension {
	BOX_RESULT, /* 0: failed, 1: succeeded */
	BOX_ACCESS, /* FILTER_READS | FILTER_WRITES */
	BOX_DEPTH,  /* 1: its path may be too deep to be recorded */
	BOX_UID,
	BOX_FAMILY, /* of a socket's ends */
	BOX_ARGUMENT,
	BOX_COMM = BOX_ARGUMENT + FILTER_ARGUMENTS, /* numbers of texts, as below */
	BOX_COMM_HEAD,				    /* its first bytes */
	/* Of these an event has several values: one of them must be in the set, which is why two of
	 * these sets are never intersected. */
	BOX_PATH,    /* numbers of texts, of parts of paths */
	BOX_PORT,    /* of a socket's ends */
	BOX_BITS,    /* of an argument */
	BOX_ADDRESS, /* numbers of texts, of networks that an end may be in */
	BOX__COUNT
};

/* All of its sets must have the event's value. */
struct box {
	struct id_set sets[BOX__COUNT];
};

/* Boxes of which one must hold the event. */
#define BOXES_MAX FILTER_CLAUSES
struct boxes {
	struct box items[BOXES_MAX];
	uint32_t cnt;
	bool is_coarse; /* there were more */
};

bool id_set_is_full(const struct id_set *set);
bool id_set_has(const struct id_set *set, uint64_t id);

/* Everything; nothing. */
void boxes_all(struct boxes *boxes);
void boxes_none(struct boxes *boxes);
bool boxes_are_all(const struct boxes *boxes);
/* One box that asks for one thing. `ids` are copied, in any order. */
void boxes_one(struct arena *arena, enum box_dimension dimension, const uint64_t *ids, uint32_t cnt,
	       bool is_all_but, struct boxes *ret);

/* to = to or other; to = to and other. Out of memory (arena->failed) they are of no use. */
void boxes_join(struct arena *arena, struct boxes *to, const struct boxes *other);
void boxes_meet(struct arena *arena, struct boxes *to, const struct boxes *other);
/* At most `max` boxes; larger ones where there were more. */
void boxes_reduce(struct arena *arena, struct boxes *boxes, uint32_t max);

#endif
