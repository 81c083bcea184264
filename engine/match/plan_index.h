/*
 * Which entries of a plan are worth trying for an event. Most rules ask one field for one of many
 * values, or share their first conditions: one lookup or one test excludes hundreds of them. The
 * answer holds every rule that matches, and mostly few others.
 */
#ifndef HAETAE_MATCH_PLAN_INDEX_H
#define HAETAE_MATCH_PLAN_INDEX_H

#include "program.h"

enum lookup_kind {
	LOOKUP_EQUAL,
	LOOKUP_PREFIX,
	LOOKUP_SUFFIX,
	LOOKUP_PATH,	  /* pmatch: prefixes that end where a component does */
	LOOKUP_NET,	  /* fd.net: one row a network */
	LOOKUP_CONTAINS,  /* three bytes of each literal, or of a glob, stand for it */
	LOOKUP_ICONTAINS, /* the same in lower case */
	LOOKUP__COUNT
};

/* Entries postings[begin .. begin+cnt). */
struct posting_range {
	uint32_t begin, cnt;
};

/* A literal of one of the lookup's predicates. One literal may have several rows, in a run. */
struct lookup_row {
	struct str key;	  /* p NULL: free */
	struct str whole; /* CONTAINS, ICONTAINS: what the key is taken from, */
	uint32_t key_at;  /* and where the key begins in it */
	struct posting_range entries;
};
struct plan_lookup {
	const struct operand *operand;
	enum lookup_kind kind;
	enum value_class class;
	const struct lookup_row *rows; /* open addressing by key */
	uint32_t mask;
	/* Bit per key length: prefixes and suffixes to try. NET: bit per prefix, IPv6's from
	 * PLAN_NET_V6 on. */
	uint64_t lengths[4];
	/* CONTAINS, ICONTAINS: bit per hash of the keys, PLAN_FILTER_BITS of them. */
	const uint64_t *filter;
	uint32_t first_row; /* number of rows[0] over all such lookups */
};
#define PLAN_NET_V6	 64
#define PLAN_NET_BYTES	 17 /* prefix, address */
#define PLAN_TRIGRAM	 3
#define PLAN_FILTER_BITS 32768
static inline uint32_t plan_filter_bit(const char *p)
{
	uint32_t trigram = (uint32_t)(unsigned char)p[0] | (uint32_t)(unsigned char)p[1] << 8 |
			   (uint32_t)(unsigned char)p[2] << 16;

	return (trigram * 2654435761u) >> 17;
}
/* A condition that several entries share. */
struct plan_gate {
	bool is_unit;
	uint32_t number; /* unit, or test */
	struct posting_range entries;
};
struct plan_index {
	const uint64_t *always; /* bit per entry: nothing to go by */
	const struct plan_lookup *lookups;
	const struct plan_gate *gates;
	uint32_t lookup_cnt, gate_cnt;
	const uint32_t *postings;
};

/* Sets plan->index, to NULL where trying every entry is as good. 0 or -ENOMEM. */
int plan_index_build(struct arena *arena, struct program *program, struct plan *plan);

/* The bytes by which a value is looked up; `number` is room for those of an integer. */
struct str plan_index_key(enum value_class class, const struct value *value, uint64_t *number);
/* The same of a network whose host bits are zero. */
struct str plan_index_net(const struct cidr *net, char bytes[PLAN_NET_BYTES]);
static inline char plan_index_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
/* The next row with the key from *cursor on (start with its hash), or NULL. */
const struct lookup_row *plan_lookup_next(const struct plan_lookup *lookup, struct str key,
					  uint32_t *cursor);

#endif
