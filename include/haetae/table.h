/*
 * A bounded hash table of borrowed nodes: open addressing over node pointers, keys compared by a
 * callback. The caller owns the nodes. Grows by doubling up to its maximum; beyond that insertion
 * is refused and the caller counts it. Not thread-safe.
 */
#ifndef HAETAE_TABLE_H
#define HAETAE_TABLE_H

#include "haetae/base.h"

/* True where `node` has the key that `key` points to. */
typedef bool (*table_equal_fn)(const void *node, const void *key);

struct table_slot {
	uint64_t hash;
	void *node; /* NULL: free */
};

struct table {
	struct table_slot *slots; /* owned */
	uint32_t capacity;	  /* power of two, or 0 */
	uint32_t count, max_count;
	table_equal_fn equal;
};

#define TABLE_E_FULL   1
#define TABLE_E_EXISTS 2

void table_init(struct table *table, uint32_t max_count, table_equal_fn equal);
/* Frees the slots, not the nodes. */
void table_done(struct table *table);
void *table_find(const struct table *table, uint64_t hash, const void *key);
/* 0, -ENOMEM, TABLE_E_FULL, or TABLE_E_EXISTS (an equal key is there; nothing changed). */
int table_insert(struct table *table, uint64_t hash, const void *key, void *node);
/* Removes and returns the node, or NULL. */
void *table_remove(struct table *table, uint64_t hash, const void *key);
/* The next node from *cursor on (start with 0), or NULL at the end. The node just returned may be
 * removed only when the walk is over. */
void *table_next(const struct table *table, uint32_t *cursor);

#endif
