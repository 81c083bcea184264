/*
 * A region of memory that is freed, or reset, as a whole. Two of the project's four lifetimes are
 * arenas: a ruleset generation (filled once, freed whole) and an event (reset after each event).
 * Not thread-safe; one thread owns an arena.
 */
#ifndef HAETAE_ARENA_H
#define HAETAE_ARENA_H

#include "haetae/base.h"

struct arena_block;

struct arena {
	struct arena_block *blocks;	/* owned, newest first */
	struct arena_cleanup *cleanups; /* in the arena itself, run newest first by arena_done() */
	size_t used_bytes, max_bytes;
	bool failed; /* an allocation was refused since the last reset */
};

/* max_bytes bounds the sum of all blocks; beyond it allocations return NULL. Allocates nothing. */
void arena_init(struct arena *arena, size_t max_bytes);
/* Runs the cleanups and frees all blocks. Fine on a zeroed arena and when called twice. */
void arena_done(struct arena *arena);
/* Forgets all allocations but keeps the newest block, so that steady use allocates nothing.
 * Cleanups are run. */
void arena_reset(struct arena *arena);

/* Memory aligned to 8 bytes that lives as long as the arena; NULL where memory or the limit is
 * exhausted (then arena->failed is set). size 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);
/* calloc-like: checks the product. */
void *arena_zalloc_array(struct arena *arena, size_t count, size_t size);
/* Copies; adds a NUL behind the bytes. The result's p is NULL where memory is exhausted. */
struct str arena_str(struct arena *arena, struct str s);
struct str arena_printf(struct arena *arena, const char *format, ...) _printf_(2, 3);
/* Runs fn(data) in arena_done() and arena_reset(). 0 or -ENOMEM. */
int arena_on_done(struct arena *arena, void (*fn)(void *data), void *data);

#define arena_new(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))
#define arena_new_array(arena, type, count) \
	((type *)arena_zalloc_array((arena), (count), sizeof(type)))

#endif
