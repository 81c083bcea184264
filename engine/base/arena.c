/*
 * Arenas: blocks of doubling size, newest first; an allocation comes from the newest block or makes
 * a new one. Owns all blocks. Used by every stage, each arena by one thread.
 */
#include "haetae/arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define ARENA_ALIGN	    8
#define ARENA_FIRST_BLOCK   4096
#define ARENA_LARGEST_BLOCK (1u << 20)

struct arena_block {
	struct arena_block *next;
	size_t size, used; /* of data[] */
	_Alignas(16) char data[];
};

struct arena_cleanup {
	struct arena_cleanup *next;
	void (*fn)(void *data);
	void *data;
};

void arena_init(struct arena *arena, size_t max_bytes)
{
	*arena = (struct arena){ .max_bytes = max_bytes };
}

static void run_cleanups(struct arena *arena)
{
	struct arena_cleanup *cleanup = arena->cleanups;

	arena->cleanups = NULL;
	for (; cleanup; cleanup = cleanup->next)
		cleanup->fn(cleanup->data);
}

static void free_blocks(struct arena *arena, struct arena_block *block)
{
	while (block) {
		struct arena_block *next = block->next;

		arena->used_bytes -= sizeof(*block) + block->size;
		free(block);
		block = next;
	}
}

void arena_done(struct arena *arena)
{
	run_cleanups(arena);
	free_blocks(arena, arena->blocks);
	arena->blocks = NULL;
	arena->failed = false;
}

void arena_reset(struct arena *arena)
{
	run_cleanups(arena);
	arena->failed = false;
	if (!arena->blocks)
		return;
	if (arena->blocks->next) {
		free_blocks(arena, arena->blocks->next);
		arena->blocks->next = NULL;
	}
	arena->blocks->used = 0;
}

static struct arena_block *add_block(struct arena *arena, size_t need)
{
	size_t size = arena->blocks ? arena->blocks->size * 2 : ARENA_FIRST_BLOCK;
	size_t room = arena->max_bytes - arena->used_bytes;
	struct arena_block *block;

	size = MIN(size, (size_t)ARENA_LARGEST_BLOCK);
	size = MAX(size, need);
	if (sizeof(*block) + size > room)
		size = need;
	if (need > room || sizeof(*block) + need > room)
		return NULL;
	block = malloc(sizeof(*block) + size);
	if (!block)
		return NULL;
	*block = (struct arena_block){ .next = arena->blocks, .size = size };
	arena->blocks = block;
	arena->used_bytes += sizeof(*block) + size;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;
	size_t need = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	void *p;

	if (need < size || need > SIZE_MAX / 2) {
		arena->failed = true;
		return NULL;
	}
	if (!block || block->size - block->used < need)
		block = add_block(arena, need);
	if (!block) {
		arena->failed = true;
		return NULL;
	}
	p = block->data + block->used;
	block->used += need;
	return p;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
	void *p = arena_alloc(arena, size);

	return p ? memset(p, 0, size) : NULL;
}

void *arena_zalloc_array(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		arena->failed = true;
		return NULL;
	}
	return arena_zalloc(arena, bytes);
}

struct str arena_str(struct arena *arena, struct str s)
{
	char *p = arena_alloc(arena, (size_t)s.n + 1);

	if (!p)
		return STR_NONE;
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (struct str){ p, s.n };
}

struct str arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	char *p = NULL;
	int n;

	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n >= 0)
		p = arena_alloc(arena, (size_t)n + 1);
	if (p)
		vsnprintf(p, (size_t)n + 1, format, again);
	va_end(again);
	return p ? (struct str){ p, (uint32_t)n } : STR_NONE;
}

int arena_on_done(struct arena *arena, void (*fn)(void *data), void *data)
{
	struct arena_cleanup *cleanup = arena_new(arena, struct arena_cleanup);

	if (!cleanup)
		return -ENOMEM;
	*cleanup = (struct arena_cleanup){ .next = arena->cleanups, .fn = fn, .data = data };
	arena->cleanups = cleanup;
	return 0;
}
