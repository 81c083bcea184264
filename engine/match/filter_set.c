/*
 * The algebra of boxes. Owns nothing; all sets lie in the caller's arena. Called by pushdown.c and
 * filter_leaf.c, at load time.
 */
#include "filter_set.h"

#include <string.h>

/* A larger set becomes everything. */
#define IDS_MAX 1024

static const struct id_set full_set = { .is_all_but = true };

/* ---- sets ------------------------------------------------------------------------------------ */

bool id_set_is_full(const struct id_set *set)
{
	return set->is_all_but && set->cnt == 0;
}

static bool is_empty(const struct id_set *set)
{
	return !set->is_all_but && set->cnt == 0;
}

static bool is_listed(const struct id_set *set, uint64_t id)
{
	uint32_t low = 0, high = set->cnt;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (set->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < set->cnt && set->ids[low] == id;
}

bool id_set_has(const struct id_set *set, uint64_t id)
{
	return is_listed(set, id) != set->is_all_but;
}

/* The ids of `a` that are in `b`'s list, or that are not. */
static struct id_set filter_ids(struct arena *arena, const struct id_set *a, const struct id_set *b,
				bool is_listed_in_b)
{
	uint64_t *ids = arena_new_array(arena, uint64_t, a->cnt);
	struct id_set result = { .ids = ids };

	for (uint32_t i = 0; ids && i < a->cnt; i++)
		if (is_listed(b, a->ids[i]) == is_listed_in_b)
			ids[result.cnt++] = a->ids[i];
	return ids ? result : full_set;
}

static struct id_set merge_ids(struct arena *arena, const struct id_set *a, const struct id_set *b)
{
	uint64_t *ids = arena_new_array(arena, uint64_t, a->cnt + b->cnt);
	struct id_set result = { .ids = ids };
	uint32_t i = 0, j = 0;

	while (ids && (i < a->cnt || j < b->cnt)) {
		if (j == b->cnt || (i < a->cnt && a->ids[i] <= b->ids[j])) {
			j += j < b->cnt && a->ids[i] == b->ids[j];
			ids[result.cnt++] = a->ids[i++];
		} else {
			ids[result.cnt++] = b->ids[j++];
		}
	}
	return ids && result.cnt <= IDS_MAX ? result : full_set;
}

static struct id_set all_but(struct id_set set)
{
	set.is_all_but = true;
	return set;
}

static struct id_set set_union(struct arena *arena, const struct id_set *a, const struct id_set *b)
{
	if (!a->is_all_but && !b->is_all_but)
		return merge_ids(arena, a, b);
	if (a->is_all_but && b->is_all_but)
		return all_but(filter_ids(arena, a, b, true));
	return all_but(a->is_all_but ? filter_ids(arena, a, b, false)
				     : filter_ids(arena, b, a, false));
}

/* merge_ids() gives everything where a list gets too long: of two exclusions one is dropped. */
static struct id_set set_intersection(struct arena *arena, const struct id_set *a,
				      const struct id_set *b)
{
	struct id_set merged;

	if (!a->is_all_but)
		return filter_ids(arena, a, b, !b->is_all_but);
	if (!b->is_all_but)
		return filter_ids(arena, b, a, false);
	merged = merge_ids(arena, a, b);
	return merged.is_all_but ? *a : all_but(merged);
}

static bool is_subset(const struct id_set *a, const struct id_set *b)
{
	if (id_set_is_full(b))
		return true;
	if (a->is_all_but) {
		if (!b->is_all_but)
			return false;
		for (uint32_t i = 0; i < b->cnt; i++)
			if (!is_listed(a, b->ids[i]))
				return false;
		return true;
	}
	for (uint32_t i = 0; i < a->cnt; i++)
		if (!id_set_has(b, a->ids[i]))
			return false;
	return true;
}

static bool set_equals(const struct id_set *a, const struct id_set *b)
{
	return a->is_all_but == b->is_all_but && a->cnt == b->cnt &&
	       (a->cnt == 0 || memcmp(a->ids, b->ids, a->cnt * sizeof(*a->ids)) == 0);
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* ---- boxes ----------------------------------------------------------------------------------- */

static bool box_is_full(const struct box *box)
{
	for (unsigned i = 0; i < BOX__COUNT; i++)
		if (!id_set_is_full(&box->sets[i]))
			return false;
	return true;
}

static bool box_is_empty(const struct box *box)
{
	for (unsigned i = 0; i < BOX__COUNT; i++)
		if (is_empty(&box->sets[i]))
			return true;
	return false;
}

static bool box_is_within(const struct box *a, const struct box *b)
{
	for (unsigned i = 0; i < BOX__COUNT; i++)
		if (!is_subset(&a->sets[i], &b->sets[i]))
			return false;
	return true;
}

static bool has_many_values(unsigned dimension)
{
	return dimension >= BOX_PATH;
}

/* Of two demands one is kept: that which names less. */
static struct id_set meet_one_of_many(const struct id_set *a, const struct id_set *b)
{
	if (id_set_is_full(a) || id_set_is_full(b))
		return id_set_is_full(a) ? *b : *a;
	return a->cnt <= b->cnt ? *a : *b;
}

static struct box box_meet(struct arena *arena, const struct box *a, const struct box *b)
{
	struct box result;

	for (unsigned i = 0; i < BOX__COUNT; i++)
		result.sets[i] = has_many_values(i)
					 ? meet_one_of_many(&a->sets[i], &b->sets[i])
					 : set_intersection(arena, &a->sets[i], &b->sets[i]);
	return result;
}

static struct box box_hull(struct arena *arena, const struct box *a, const struct box *b)
{
	struct box result;

	for (unsigned i = 0; i < BOX__COUNT; i++)
		result.sets[i] = set_union(arena, &a->sets[i], &b->sets[i]);
	return result;
}

static unsigned difference_cnt(const struct box *a, const struct box *b)
{
	unsigned cnt = 0;

	for (unsigned i = 0; i < BOX__COUNT; i++)
		cnt += !set_equals(&a->sets[i], &b->sets[i]);
	return cnt;
}

static void take_out(struct boxes *boxes, uint32_t index)
{
	boxes->items[index] = boxes->items[--boxes->cnt];
}

void boxes_all(struct boxes *boxes)
{
	boxes->cnt = 1;
	boxes->is_coarse = false;
	for (unsigned i = 0; i < BOX__COUNT; i++)
		boxes->items[0].sets[i] = full_set;
}

void boxes_none(struct boxes *boxes)
{
	boxes->cnt = 0;
	boxes->is_coarse = false;
}

bool boxes_are_all(const struct boxes *boxes)
{
	return boxes->cnt == 1 && box_is_full(&boxes->items[0]);
}

void boxes_one(struct arena *arena, enum box_dimension dimension, const uint64_t *ids, uint32_t cnt,
	       bool is_all_but, struct boxes *ret)
{
	uint64_t *copy = arena_new_array(arena, uint64_t, cnt);
	uint32_t kept = 0;

	boxes_all(ret);
	if (!copy)
		return;
	if (cnt)
		memcpy(copy, ids, cnt * sizeof(*copy));
	qsort(copy, cnt, sizeof(*copy), compare_ids);
	for (uint32_t i = 0; i < cnt; i++)
		if (i == 0 || copy[i] != copy[i - 1])
			copy[kept++] = copy[i];
	if (kept > IDS_MAX)
		return;
	ret->items[0].sets[dimension] = (struct id_set){ copy, kept, is_all_but };
	if (box_is_empty(&ret->items[0]))
		boxes_none(ret);
}

/* Two that differ in one fact are one, exactly. What lies within another is not needed. */
static void add_box(struct arena *arena, struct boxes *boxes, struct box box)
{
	if (box_is_empty(&box))
		return;
	for (uint32_t i = 0; i < boxes->cnt;) {
		const struct box *other = &boxes->items[i];

		if (box_is_within(&box, other))
			return;
		if (box_is_within(other, &box)) {
			take_out(boxes, i);
			continue;
		}
		if (difference_cnt(other, &box) == 1) {
			box = box_hull(arena, other, &box);
			take_out(boxes, i);
			i = 0;
			continue;
		}
		i++;
	}
	if (boxes->cnt == BOXES_MAX)
		boxes_reduce(arena, boxes, BOXES_MAX - 1);
	boxes->items[boxes->cnt++] = box;
}

void boxes_join(struct arena *arena, struct boxes *to, const struct boxes *other)
{
	to->is_coarse |= other->is_coarse;
	for (uint32_t i = 0; i < other->cnt; i++)
		add_box(arena, to, other->items[i]);
}

/* Where the products would be too many, the part that says more is kept. */
void boxes_meet(struct arena *arena, struct boxes *to, const struct boxes *other)
{
	struct boxes *result;

	if (boxes_are_all(other) || to->cnt == 0)
		return;
	if (boxes_are_all(to) || other->cnt == 0) {
		*to = *other;
		return;
	}
	if ((uint64_t)to->cnt * other->cnt > BOXES_MAX) {
		if (other->cnt < to->cnt)
			*to = *other;
		to->is_coarse = true;
		return;
	}
	result = arena_new(arena, struct boxes);
	if (result)
		result->is_coarse = to->is_coarse || other->is_coarse;
	for (uint32_t i = 0; result && i < to->cnt; i++)
		for (uint32_t j = 0; j < other->cnt; j++)
			add_box(arena, result, box_meet(arena, &to->items[i], &other->items[j]));
	if (result)
		*to = *result;
}

/* The two that are most alike become one. */
static void join_nearest(struct arena *arena, struct boxes *boxes)
{
	uint32_t first = 0, second = 1, least = UINT32_MAX;
	struct box hull;

	for (uint32_t i = 0; i < boxes->cnt; i++)
		for (uint32_t j = i + 1; j < boxes->cnt; j++) {
			unsigned cnt = difference_cnt(&boxes->items[i], &boxes->items[j]);

			if (cnt >= least)
				continue;
			least = cnt;
			first = i;
			second = j;
		}
	hull = box_hull(arena, &boxes->items[first], &boxes->items[second]);
	take_out(boxes, second);
	take_out(boxes, first);
	add_box(arena, boxes, hull);
}

void boxes_reduce(struct arena *arena, struct boxes *boxes, uint32_t max)
{
	boxes->is_coarse |= boxes->cnt > MAX(max, 1u);
	while (boxes->cnt > MAX(max, 1u) && !arena->failed)
		join_nearest(arena, boxes);
}
