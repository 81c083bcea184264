/*
 * The hash table of table.h: linear probing, backward-shift deletion (no tombstones, so that a
 * table with steady churn never slows down), at most three quarters full.
 */
#include "haetae/table.h"

#include <errno.h>

#define TABLE_FIRST_CAPACITY 64

void table_init(struct table *table, uint32_t max_count, table_equal_fn equal)
{
	*table = (struct table){ .max_count = max_count, .equal = equal };
}

void table_done(struct table *table)
{
	free(table->slots);
	table->slots = NULL;
	table->capacity = table->count = 0;
}

/* The slot that holds the key, or the free slot where the search ended. */
static struct table_slot *lookup(const struct table *table, uint64_t hash, const void *key)
{
	uint32_t mask = table->capacity - 1;

	for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
		struct table_slot *slot = &table->slots[i];

		if (!slot->node || (slot->hash == hash && table->equal(slot->node, key)))
			return slot;
	}
}

void *table_find(const struct table *table, uint64_t hash, const void *key)
{
	return table->capacity ? lookup(table, hash, key)->node : NULL;
}

static void place(struct table *table, uint64_t hash, void *node)
{
	uint32_t mask = table->capacity - 1, i = (uint32_t)hash & mask;

	while (table->slots[i].node)
		i = (i + 1) & mask;
	table->slots[i] = (struct table_slot){ hash, node };
}

static int grow(struct table *table)
{
	uint32_t capacity = table->capacity ? table->capacity * 2 : TABLE_FIRST_CAPACITY;
	struct table old = *table;
	struct table_slot *slots = calloc(capacity, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	table->slots = slots;
	table->capacity = capacity;
	for (uint32_t i = 0; i < old.capacity; i++)
		if (old.slots[i].node)
			place(table, old.slots[i].hash, old.slots[i].node);
	free(old.slots);
	return 0;
}

int table_insert(struct table *table, uint64_t hash, const void *key, void *node)
{
	int r;

	if (table_find(table, hash, key))
		return TABLE_E_EXISTS;
	if (table->count >= table->max_count)
		return TABLE_E_FULL;
	if ((uint64_t)table->count * 4 >= (uint64_t)table->capacity * 3) {
		r = grow(table);
		if (r < 0)
			return r;
	}
	place(table, hash, node);
	table->count++;
	return 0;
}

void *table_remove(struct table *table, uint64_t hash, const void *key)
{
	uint32_t mask = table->capacity - 1, hole, i;
	struct table_slot *slot;
	void *node;

	if (!table->capacity)
		return NULL;
	slot = lookup(table, hash, key);
	node = slot->node;
	if (!node)
		return NULL;
	hole = (uint32_t)(slot - table->slots);
	/* Pull back each later entry of the run whose home is not between the hole and itself. */
	for (i = (hole + 1) & mask; table->slots[i].node; i = (i + 1) & mask) {
		uint32_t home = (uint32_t)table->slots[i].hash & mask;

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		table->slots[hole] = table->slots[i];
		hole = i;
	}
	table->slots[hole] = (struct table_slot){ 0 };
	table->count--;
	return node;
}

void *table_next(const struct table *table, uint32_t *cursor)
{
	while (*cursor < table->capacity) {
		void *node = table->slots[(*cursor)++].node;

		if (node)
			return node;
	}
	return NULL;
}
