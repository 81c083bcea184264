/*
 * Sets of path prefixes: literal ones hashed by their components, so that one walk over a path
 * tests all of them; those with wildcards one by one. Owns nothing; lives in the ruleset's arena.
 */
#include "pmatch.h"

#include "glob.h"

/* Splits off the next component; empty ones do not count. */
static bool next_component(struct str *path, struct str *ret)
{
	uint32_t n = 0;

	while (path->n && *path->p == '/') {
		path->p++;
		path->n--;
	}
	while (n < path->n && path->p[n] != '/')
		n++;
	*ret = (struct str){ path->p, n };
	path->p += n;
	path->n -= n;
	return n > 0;
}

static uint64_t hash_component(uint64_t hash, struct str component)
{
	return hash_bytes(component.p, component.n, hash * 31 + 1);
}

/* Whether the first components of `path`, up to `end`, are those of the normal form. */
static bool prefix_equal(struct str normal, struct str path, const char *end)
{
	struct str a = { path.p, (uint32_t)(end - path.p) }, left, right;

	while (next_component(&a, &left))
		if (!next_component(&normal, &right) || !str_eq(left, right))
			return false;
	return !next_component(&normal, &right);
}

static void insert(struct pmatch_set *set, struct str item)
{
	struct str rest = item, component;
	uint64_t hash = 0;
	uint32_t depth = 0, i;

	for (; next_component(&rest, &component); depth++)
		hash = hash_component(hash, component);
	for (i = (uint32_t)hash & set->mask; set->slots[i].p; i = (i + 1) & set->mask)
		if (prefix_equal(set->slots[i], item, item.p + item.n))
			return;
	set->slots[i] = item;
	set->depths |= 1ULL << MIN(depth, 63u);
}

static bool add_glob(struct arena *arena, struct pmatch_glob *glob, struct str item)
{
	struct str *components = arena_new_array(arena, struct str, (size_t)item.n + 1);
	struct str rest = item;

	if (!components)
		return false;
	*glob = (struct pmatch_glob){ .components = components };
	while (next_component(&rest, &components[glob->component_cnt]))
		glob->component_cnt++;
	return true;
}

bool pmatch_build(struct pmatch_set *set, struct arena *arena, const struct str *items,
		  uint32_t cnt)
{
	struct pmatch_glob *globs;
	uint32_t capacity = 4;

	while (capacity / 2 < cnt)
		capacity *= 2;
	*set = (struct pmatch_set){ .mask = capacity - 1 };
	set->slots = arena_new_array(arena, struct str, capacity);
	globs = arena_new_array(arena, struct pmatch_glob, cnt);
	if (!set->slots || !globs)
		return false;
	set->globs = globs;
	for (uint32_t i = 0; i < cnt; i++) {
		struct str rest = items[i], component;

		if (!next_component(&rest, &component))
			set->has_root = true;
		else if (!glob_has_wildcard(items[i]))
			insert(set, items[i]);
		else if (!add_glob(arena, &globs[set->glob_cnt++], items[i]))
			return false;
	}
	return true;
}

static bool glob_is_prefix(const struct pmatch_glob *glob, struct str path)
{
	struct str component;

	for (uint32_t i = 0; i < glob->component_cnt; i++) {
		struct str pattern = glob->components[i];

		if (!next_component(&path, &component))
			return false;
		if (glob_has_wildcard(pattern) ? !glob_match(pattern, component, false)
					       : !str_eq(pattern, component))
			return false;
	}
	return true;
}

static bool has_deeper(const struct pmatch_set *set, uint32_t depth)
{
	return depth < 63 ? (set->depths >> depth) > 1 : set->depths >> 63;
}

bool pmatch_has(const struct pmatch_set *set, struct str path)
{
	struct str rest = path, component;
	uint64_t hash = 0;
	uint32_t depth = 0;

	if (set->has_root)
		return true;
	while (has_deeper(set, depth) && next_component(&rest, &component)) {
		hash = hash_component(hash, component);
		depth++;
		if (!(set->depths >> MIN(depth, 63u) & 1))
			continue;
		for (uint32_t i = (uint32_t)hash & set->mask; set->slots[i].p;
		     i = (i + 1) & set->mask)
			if (prefix_equal(set->slots[i], path, rest.p))
				return true;
	}
	for (uint32_t i = 0; i < set->glob_cnt; i++)
		if (glob_is_prefix(&set->globs[i], path))
			return true;
	return false;
}
