/*
 * Literal sets of `in`. Owns nothing; slots live in the ruleset's arena. Built by the compiler,
 * asked by the evaluator.
 */
#include "strset.h"

static uint64_t length_bit(uint32_t length)
{
	return 1ULL << MIN(length, 63u);
}

static struct str *find_slot(const struct strset *set, struct str s)
{
	uint32_t i = (uint32_t)str_hash(s) & set->mask;

	while (set->slots[i].p && !str_eq(set->slots[i], s))
		i = (i + 1) & set->mask;
	return &set->slots[i];
}

bool strset_build(struct strset *set, struct arena *arena, const struct str *items, uint32_t cnt)
{
	uint32_t capacity = 4;

	while (capacity / 2 < cnt)
		capacity *= 2;
	*set = (struct strset){ .mask = capacity - 1 };
	set->slots = arena_new_array(arena, struct str, capacity);
	if (!set->slots)
		return false;
	for (uint32_t i = 0; i < cnt; i++) {
		struct str *slot = find_slot(set, items[i]);

		if (slot->p)
			continue;
		*slot = items[i].p ? items[i] : STR("");
		set->cnt++;
		set->lengths |= length_bit(items[i].n);
	}
	return true;
}

bool strset_has(const struct strset *set, struct str s)
{
	return (set->lengths & length_bit(s.n)) && find_slot(set, s)->p;
}
