/*
 * The process table: who there is, by (pid, start time) and by pid. Owns the processes and, through
 * image.c, their images; everything else borrows them until the next event. Engine thread.
 *
 * A process stays while it lives, while a process that it begot or created is in the table, and
 * for a grace period after that. What is dropped earlier, for space, is counted.
 */
#include "haetae/proc.h"

#include <errno.h>
#include <signal.h>

#include "haetae/clock.h"
#include "haetae/container_table.h"
#include "image.h"
#include "proc_private.h"

#define MISSING_PARENTS	  64		   /* looked for in a second; the others a second later */
#define LIVENESS_CHECKS	  256		   /* processes asked for in a second */
#define LIVENESS_QUIET_NS (5 * NS_PER_SEC) /* not asked for so soon after an event of theirs */

void proc_table_config_default(struct proc_table_config *config)
{
	*config = (struct proc_table_config){
		.max_processes = 65536,
		.max_bytes = 128ULL << 20,
		.grace_ns = 10 * NS_PER_SEC,
		.max_images = 4,
		.proc_root = "/proc",
		.max_reads = 200,
	};
}

/* ---- keys ---- */

/* The finaliser of MurmurHash3 (public domain): start times differ in few bits, the table masks
 * the low ones. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 33) * 0xff51afd7ed558ccdULL;
	x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

static uint64_t hash_key(struct proc_key key)
{
	return mix(key.start_ns + ((uint64_t)key.pid << 40) + key.pid);
}

static bool node_has_key(const void *node, const void *key)
{
	return proc_key_equal(((const struct proc *)node)->key, *(const struct proc_key *)key);
}

static bool node_has_pid(const void *node, const void *pid)
{
	return ((const struct proc *)node)->key.pid == *(const uint32_t *)pid;
}

struct proc *proc_table_get(const struct proc_table *table, struct proc_key key)
{
	return table_find(&table->by_key, hash_key(key), &key);
}

struct proc *proc_table_get_pid(const struct proc_table *table, uint32_t pid)
{
	return table_find(&table->by_pid, mix(pid), &pid);
}

/* ---- the lists of the exited ---- */

static struct proc_list *list_of(struct proc_table *table, const struct proc *proc)
{
	return proc->child_cnt ? &table->held : &table->exited;
}

static void list_append(struct proc_list *list, struct proc *proc)
{
	proc->gc_previous = list->last;
	proc->gc_next = NULL;
	*(list->last ? &list->last->gc_next : &list->first) = proc;
	list->last = proc;
}

static void list_remove(struct proc_list *list, struct proc *proc)
{
	*(proc->gc_previous ? &proc->gc_previous->gc_next : &list->first) = proc->gc_next;
	*(proc->gc_next ? &proc->gc_next->gc_previous : &list->last) = proc->gc_previous;
	proc->gc_next = proc->gc_previous = NULL;
}

static void add_child(struct proc_table *table, struct proc *proc, int by)
{
	if (proc->exit_ns)
		list_remove(list_of(table, proc), proc);
	proc->child_cnt = (uint32_t)((int64_t)proc->child_cnt + by);
	if (proc->exit_ns)
		list_append(list_of(table, proc), proc);
}

/* Moves the process's place in a parent's or creator's child_cnt to the process that has the key
 * now. *serial names the one that counts it: a process that was dropped and came again under the
 * same key does not. Who started later is no parent: records that say so contradict others, and
 * would hold each other in a circle. */
static void relink(struct proc_table *table, struct proc *proc, struct proc_key old,
		   struct proc_key key, uint64_t *serial)
{
	struct proc *from = *serial ? proc_table_get(table, old) : NULL;
	struct proc *to = key.start_ns && key.start_ns <= proc->key.start_ns
				  ? proc_table_get(table, key)
				  : NULL;

	if (to == proc)
		to = NULL;
	table->unlinked_cnt -= !*serial && old.start_ns;
	table->unlinked_cnt += !to && key.start_ns;
	if (from && from->serial == *serial && from != to)
		add_child(table, from, -1);
	if (to && to->serial != *serial)
		add_child(table, to, 1);
	*serial = to ? to->serial : 0;
}

void proc_set_parent(struct proc_table *table, struct proc *proc, struct proc_key key)
{
	relink(table, proc, proc->parent_key, key, &proc->parent_serial);
	proc->parent_key = key;
}

void proc_set_creator(struct proc_table *table, struct proc *proc, struct proc_key key)
{
	relink(table, proc, proc->creator_key, key, &proc->creator_serial);
	proc->creator_key = key;
}

/* ---- leaving ---- */

static void drop(struct proc_table *table, struct proc *proc)
{
	struct proc_key none = { 0 };

	proc_set_parent(table, proc, none);
	proc_set_creator(table, proc, none);
	list_remove(list_of(table, proc), proc);
	table_remove(&table->by_key, hash_key(proc->key), &proc->key);
	image_unref(table, proc->image);
	for (unsigned i = 0; i < ARRAY_LEN(proc->older); i++)
		image_unref(table, proc->older[i]);
	container_unref(NULL, proc->container);
	table->stats.processes--;
	table->stats.bytes -= sizeof(*proc);
	free(proc);
}

static struct proc *oldest_loose(const struct proc_table *table, const struct proc_list *list)
{
	struct proc *proc = list->first;

	while (proc && (proc == table->pinned[0] || proc == table->pinned[1]))
		proc = proc->gc_next;
	return proc;
}

/* Drops the exited process that is missed least: none of its children is left, else the oldest,
 * whose descendants then lose the ancestry beyond it. False where all are alive. */
static bool evict(struct proc_table *table)
{
	struct proc *proc = oldest_loose(table, &table->exited);

	if (!proc)
		proc = oldest_loose(table, &table->held);
	if (!proc)
		return false;
	table->stats.evicted++;
	drop(table, proc);
	return true;
}

bool proc_table_make_room(struct proc_table *table, uint64_t bytes)
{
	while (table->stats.bytes + bytes > table->config.max_bytes)
		if (!evict(table))
			return false;
	return true;
}

bool proc_table_make_seat(struct proc_table *table)
{
	return table->by_key.count < table->by_key.max_count || evict(table);
}

void proc_mark_exited(struct proc_table *table, struct proc *proc, uint64_t exit_ns)
{
	if (proc_table_get_pid(table, proc->key.pid) == proc)
		table_remove(&table->by_pid, mix(proc->key.pid), &proc->key.pid);
	proc->exit_ns = exit_ns ? exit_ns : 1;
	list_append(list_of(table, proc), proc);
}

static void infer_exit(struct proc_table *table, struct proc *proc, uint64_t exit_ns)
{
	proc->is_exit_inferred = true;
	table->stats.exit_missed++;
	proc_mark_exited(table, proc, exit_ns);
}

/* ---- arriving ---- */

void proc_revive(struct proc_table *table, struct proc *proc, uint64_t time_ns)
{
	if (time_ns <= proc->exit_ns || proc_table_get_pid(table, proc->key.pid) ||
	    table_insert(&table->by_pid, mix(proc->key.pid), &proc->key.pid, proc) != 0)
		return;
	list_remove(list_of(table, proc), proc);
	proc->exit_ns = 0;
	proc->is_exit_inferred = false;
	table->stats.exit_missed--;
}

/* Enters the process under its pid. Of two with the same pid the older must have exited: its
 * record was lost, or is still to come. */
static int enter_pid(struct proc_table *table, struct proc *proc)
{
	struct proc *other = proc_table_get_pid(table, proc->key.pid);

	if (other && other->key.start_ns > proc->key.start_ns) {
		infer_exit(table, proc, other->key.start_ns);
		return 0;
	}
	if (other)
		infer_exit(table, other, proc->key.start_ns);
	return table_insert(&table->by_pid, mix(proc->key.pid), &proc->key.pid, proc);
}

struct proc *proc_table_add(struct proc_table *table, struct proc_key key, struct proc_image *image)
{
	struct proc *proc = NULL;

	if (image && proc_table_make_room(table, sizeof(*proc)) && proc_table_make_seat(table))
		proc = calloc(1, sizeof(*proc));
	if (proc) {
		proc->key = key;
		proc->image = image;
		memcpy(proc->comm, image->comm, sizeof(proc->comm));
		if (table_insert(&table->by_key, hash_key(key), &proc->key, proc) != 0) {
			free(proc);
			proc = NULL;
		} else if (enter_pid(table, proc) != 0) {
			table_remove(&table->by_key, hash_key(key), &proc->key);
			free(proc);
			proc = NULL;
		}
	}
	if (!proc) {
		image_unref(table, image);
		table->stats.refused++;
		return NULL;
	}
	proc->serial = ++table->last_serial;
	table->stats.processes++;
	table->stats.bytes += sizeof(*proc);
	table->is_grown = true;
	return proc;
}

/* ---- the public functions ---- */

int proc_table_new(const struct proc_table_config *config, struct proc_table **ret)
{
	_cleanup_(proc_table_freep) struct proc_table *table = calloc(1, sizeof(*table));
	int r;

	if (!table)
		return -ENOMEM;
	table->config = *config;
	table->config.max_images = MIN(MAX(config->max_images, 1), PROC_IMAGES_MAX);
	table_init(&table->by_key, config->max_processes, node_has_key);
	table_init(&table->by_pid, config->max_processes, node_has_pid);
	table->stand_in = calloc(1, sizeof(*table->stand_in));
	if (!table->stand_in)
		return -ENOMEM;
	table->stand_in->refs = 1;
	table->stand_in->is_partial = true;
	if (config->proc_root && !config->inputs.recall) {
		r = procfs_new(config->proc_root, config->want_env, &table->procfs);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(table);
	return 0;
}

struct proc_table *proc_table_free(struct proc_table *table)
{
	uint32_t cursor = 0;
	struct proc *proc;

	if (!table)
		return NULL;
	while ((proc = table_next(&table->by_key, &cursor)))
		if (!proc->exit_ns)
			proc_mark_exited(table, proc, 1);
	while (table->exited.first || table->held.first)
		drop(table, table->exited.first ? table->exited.first : table->held.first);
	hae_assert(table->stats.bytes == 0 && table->stats.images == 0 && !table->unlinked_cnt);
	table_done(&table->by_key);
	table_done(&table->by_pid);
	procfs_free(table->procfs);
	free(table->stand_in);
	free(table);
	return NULL;
}

/* A parent that no record told of: the task iterator may hide it (some hosts hide pid 1), or its
 * records were lost. Its own first event completes it. */
static void add_from_procfs(struct proc_table *table, struct proc_key key)
{
	struct proc_strings strings = { 0 };
	const struct proc *parent;
	struct proc *proc;
	struct proc_image *image;

	if (!proc_table_make_seat(table))
		return;
	image = image_from_procfs(table, key, &strings);
	proc = image ? proc_table_add(table, key, image) : NULL;
	if (!proc)
		return;
	table->stats.partial++;
	proc->is_partial = true;
	proc->group_id = strings.group_id;
	proc->session_id = strings.session_id;
	proc->tty = strings.tty;
	proc->uid = strings.uid;
	proc->loginuid = UINT32_MAX;
	parent = proc_table_get_pid(table, strings.parent_pid);
	if (parent)
		proc_set_parent(table, proc, parent->key);
}

/* Links who has a parent or creator that came later. Gives parents that are still missing, each
 * once; returns how many. */
static unsigned link_all(struct proc_table *table, struct proc_key missing[MISSING_PARENTS])
{
	unsigned cnt = 0, i;
	uint32_t cursor = 0;
	struct proc *proc;

	while ((proc = table_next(&table->by_key, &cursor))) {
		if (!proc->parent_serial)
			proc_set_parent(table, proc, proc->parent_key);
		if (!proc->creator_serial)
			proc_set_creator(table, proc, proc->creator_key);
		if (proc->parent_serial || !proc->parent_key.start_ns || proc->exit_ns ||
		    proc_table_get(table, proc->parent_key))
			continue;
		for (i = 0; i < cnt && !proc_key_equal(missing[i], proc->parent_key);)
			i++;
		if (i == cnt && cnt < MISSING_PARENTS)
			missing[cnt++] = proc->parent_key;
	}
	return cnt;
}

/* Finds parents and creators that came after their children (seeds arrive in the order of pids, not
 * of descent) or not at all. Without this a parent could be dropped while a silent child lives. */
static void link_late(struct proc_table *table)
{
	struct proc_key missing[MISSING_PARENTS];
	unsigned missing_cnt;

	if (!table->unlinked_cnt || !table->is_grown)
		return;
	table->is_grown = false;
	missing_cnt = link_all(table, missing);
	for (unsigned i = 0; i < missing_cnt; i++)
		add_from_procfs(table, missing[i]);
	if (table->is_grown)
		(void)link_all(table, missing);
}

void proc_table_gone(struct proc_table *table, struct proc_key key, uint64_t now_ns)
{
	struct proc *proc = proc_table_get(table, key);

	if (proc && !proc->exit_ns)
		infer_exit(table, proc, now_ns);
}

/* Where a procexit record was lost its process would stay for ever. Asks the kernel with kill(2),
 * which hidepid cannot deceive, for some of the processes that have been silent. */
void proc_table_look(struct proc_table *table, uint64_t now_ns)
{
	const struct proc_inputs *inputs = &table->config.inputs;
	struct proc_key gone[LIVENESS_CHECKS];
	const struct proc *proc;
	unsigned gone_cnt = 0;

	if (now_ns < table->next_look_ns || !table->procfs || !table->is_pid_shared ||
	    table->is_pid_translated)
		return;
	table->next_look_ns = now_ns + NS_PER_SEC;
	for (unsigned i = 0; i < LIVENESS_CHECKS; i++) {
		proc = table_next(&table->by_pid, &table->look_cursor);
		if (!proc) {
			table->look_cursor = 0;
			break;
		}
		if (proc->last_ns + LIVENESS_QUIET_NS < now_ns &&
		    kill((pid_t)proc->key.pid, 0) < 0 && errno == ESRCH)
			gone[gone_cnt++] = proc->key;
	}
	while (gone_cnt) {
		proc_table_gone(table, gone[--gone_cnt], now_ns);
		if (inputs->on_gone)
			inputs->on_gone(gone[gone_cnt], inputs->data);
	}
}

void proc_table_collect(struct proc_table *table, uint64_t now_ns)
{
	struct proc *proc;

	table->pinned[0] = table->pinned[1] = NULL;
	while ((proc = table->exited.first) && proc->exit_ns + table->config.grace_ns <= now_ns) {
		table->stats.expired++;
		drop(table, proc);
	}
	if (now_ns < table->next_link_ns)
		return;
	table->next_link_ns = now_ns + NS_PER_SEC;
	link_late(table);
}

const struct proc *proc_table_next(const struct proc_table *table, uint32_t *cursor)
{
	return table_next(&table->by_key, cursor);
}

const struct proc *proc_table_find(const struct proc_table *table, struct proc_key key)
{
	return proc_table_get(table, key);
}

const struct proc *proc_table_find_pid(const struct proc_table *table, uint32_t pid)
{
	return proc_table_get_pid(table, pid);
}

void proc_table_stats(const struct proc_table *table, struct proc_table_stats *ret)
{
	*ret = table->stats;
}
