/*
 * Ancestry: walks over the process table by keys. Owns nothing; called by field getters and alert
 * rendering on the engine thread.
 *
 * Every walk is bounded by PROC_ANCESTRY_MAX. Nobody descends from a process that started later, so
 * records that contradict each other make a shorter line, not a circle.
 */
#include "proc_private.h"

static const struct proc *older(const struct proc *proc, const struct proc *ancestor)
{
	return ancestor && ancestor != proc && ancestor->key.start_ns <= proc->key.start_ns
		       ? ancestor
		       : NULL;
}

/* The kernel gives all children of a dying process to one reaper (kernel/exit.c,
 * forget_original_parent()), at once; a child that has been silent since then does not know yet. */
static const struct proc *present_parent(const struct proc_table *table, const struct proc *proc)
{
	const struct proc *parent = older(proc, proc_table_get(table, proc->parent_key)), *reaper;

	for (unsigned i = 0; i < PROC_ANCESTRY_MAX && parent; i++) {
		if (!parent->exit_ns || !parent->reaper_key.start_ns)
			return parent;
		reaper = older(proc, proc_table_get(table, parent->reaper_key));
		if (!reaper)
			return parent;
		parent = reaper;
	}
	return parent;
}

const struct proc *proc_ancestor(const struct proc_table *table, const struct proc *proc,
				 unsigned level)
{
	if (level > PROC_ANCESTRY_MAX)
		return NULL;
	while (proc && level--)
		proc = present_parent(table, proc);
	return proc;
}

static bool has(const struct proc *const *list, unsigned cnt, const struct proc *proc)
{
	for (unsigned i = 0; i < cnt; i++)
		if (list[i] == proc)
			return true;
	return false;
}

unsigned proc_ancestry(const struct proc_table *table, const struct proc *proc,
		       const struct proc **ret, unsigned max)
{
	const struct proc *found[PROC_ANCESTRY_MAX], *at = proc, *next[2];
	unsigned cnt = 0, done = 0;

	/* Breadth first: found[] is both the answer and the queue. */
	while (at) {
		next[0] = present_parent(table, at);
		next[1] = older(at, proc_table_get(table, at->creator_key));
		for (unsigned i = 0; i < ARRAY_LEN(next) && cnt < PROC_ANCESTRY_MAX; i++)
			if (next[i] && next[i] != proc && !has(found, cnt, next[i]))
				found[cnt++] = next[i];
		at = done < cnt ? found[done++] : NULL;
	}
	for (unsigned i = 0; i < cnt && i < max; i++)
		ret[i] = found[i];
	return cnt;
}
