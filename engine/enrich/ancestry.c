/*
 * Ancestry: walks over the process table by keys. Owns nothing; called by field getters and alert
 * rendering on the engine thread.
 *
 * Every walk is bounded by PROC_ANCESTRY_MAX. Nobody descends from a process that started later, so
 * records that contradict each other make a shorter line, not a circle.
 */
#include "proc_private.h"

#define HOPS_MAX 1024 /* nested subreapers that died one after the other could make it 65536 */

static const struct proc *older(const struct proc *proc, const struct proc *ancestor)
{
	return ancestor && ancestor != proc && ancestor->key.start_ns <= proc->key.start_ns
		       ? ancestor
		       : NULL;
}

/* The kernel gives all children of a dying process to one reaper (kernel/exit.c,
 * forget_original_parent()), at once; a child that has been silent since then does not know yet.
 * *hops: how many dead reapers a whole walk may still pass; then the dead parent itself stands. */
static const struct proc *present_parent(const struct proc_table *table, const struct proc *proc,
					 unsigned *hops)
{
	const struct proc *parent = older(proc, proc_table_get(table, proc->parent_key));
	const struct proc *at = parent, *reaper;

	while (at && at->exit_ns && at->reaper_key.start_ns) {
		if (*hops == 0)
			return parent;
		--*hops;
		reaper = older(proc, proc_table_get(table, at->reaper_key));
		if (!reaper)
			break;
		at = reaper;
	}
	return at;
}

const struct proc *proc_ancestor(const struct proc_table *table, const struct proc *proc,
				 unsigned level)
{
	unsigned hops = HOPS_MAX;

	if (level > PROC_ANCESTRY_MAX)
		return NULL;
	while (proc && level--)
		proc = present_parent(table, proc, &hops);
	return proc;
}

/* What a walk has found, nearest first, and a hash set of it: a hostile line is as long as the
 * limit, and every event of its end may ask for it. */
#define WALK_SLOTS (2 * PROC_ANCESTRY_MAX)
struct walk {
	const struct proc *found[PROC_ANCESTRY_MAX];
	unsigned cnt;
	uint16_t slots[WALK_SLOTS]; /* index into found[] plus 1; 0: free */
};
_Static_assert((WALK_SLOTS & (WALK_SLOTS - 1)) == 0, "a mask is made of it");

/* Serials are consecutive, so that their low bits are as good as a hash. */
static void walk_add(struct walk *walk, const struct proc *proc)
{
	unsigned i = (unsigned)proc->serial & (WALK_SLOTS - 1);

	if (walk->cnt == PROC_ANCESTRY_MAX)
		return;
	for (; walk->slots[i]; i = (i + 1) & (WALK_SLOTS - 1))
		if (walk->found[walk->slots[i] - 1] == proc)
			return;
	walk->found[walk->cnt++] = proc;
	walk->slots[i] = (uint16_t)walk->cnt;
}

unsigned proc_ancestry(const struct proc_table *table, const struct proc *proc,
		       const struct proc **ret, unsigned max)
{
	const struct proc *at = proc, *next[2];
	struct walk walk;
	unsigned done = 0, hops = HOPS_MAX;

	walk.cnt = 0;
	memset(walk.slots, 0, sizeof(walk.slots));
	/* Breadth first: found[] is both the answer and the queue. */
	while (at) {
		next[0] = present_parent(table, at, &hops);
		next[1] = older(at, proc_table_get(table, at->creator_key));
		for (unsigned i = 0; i < ARRAY_LEN(next); i++)
			if (next[i] && next[i] != proc)
				walk_add(&walk, next[i]);
		at = done < walk.cnt ? walk.found[done++] : NULL;
	}
	for (unsigned i = 0; i < walk.cnt && i < max; i++)
		ret[i] = walk.found[i];
	return walk.cnt;
}
