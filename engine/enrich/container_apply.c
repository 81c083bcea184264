/*
 * What an event does to the container table: a cgroup comes or goes, a process enters a container
 * or leaves its cgroup; and in which container the event is. Owns nothing. Called for each event by
 * the engine thread: an ordinary event costs one lookup and allocates nothing.
 *
 * Decision 25: a cgroup made from inside a container is that container's, whatever its name says; a
 * process keeps the container it was in, wherever it moves.
 */
#include "container_private.h"

#include <string.h>

#include "haetae/clock.h"

#define RETRY_NS NS_PER_SEC /* a cgroup that could not be told is asked for again after that */

static uint64_t number(const struct event *event, unsigned param)
{
	uint64_t value = 0;

	(void)event_number(event, param, &value);
	return value;
}

/* Its node, learned where the record was missed. NULL: nobody could tell. */
static struct cgroup_node *node_of(struct container_table *table, const struct wire_header *header)
{
	uint64_t key = cgroup_node_key(header->cgroup_id, header->cgroup_hierarchy);
	struct cgroup_node *node = cgroup_node_find(table, key);

	if (node && (node->container || header->time_ns < node->retry_ns))
		return node;
	if (header->cgroup_id && (table->config.host_root || table->config.inputs.recall_place))
		node = container_learn(table, header);
	else if (header->cgroup_id == 1) /* the root of a hierarchy */
		return cgroup_node_put(table, key, &container_host, false);
	else
		return node;
	if (node && node->container)
		return node;
	/* Remembered, so that the next event does not ask again. */
	node = cgroup_node_put(table, key, NULL, false);
	if (node)
		node->retry_ns = header->time_ns + RETRY_NS;
	return node;
}

static const struct container *container_of_cgroup(struct container_table *table,
						   const struct wire_header *header)
{
	const struct cgroup_node *node = node_of(table, header);

	return node ? node->container : NULL;
}

/* ---- processes ---- */

static struct proc *own_proc(const struct event *event)
{
	return (struct proc *)(uintptr_t)event->proc; /* the table's, which is enrich's, too */
}

static void move(struct container_table *table, struct proc *proc,
		 const struct container *container, uint64_t time_ns)
{
	container_unref(table, proc->container);
	proc->container = container_ref(container);
	proc->container_ns = time_ns;
	proc->container_place = 0;
}

/* Whether who is in `from` may come to be in `to`: from the host into a container, as runtimes do
 * for each process that they start, or from a container into one that the host's runtime made of a
 * cgroup inside. */
static bool may_enter(const struct container *from, const struct container *to)
{
	struct container_entry *entry = container_entry(to);

	if (!entry)
		return false;
	return from == &container_host || (entry->outer && &entry->outer->container == from);
}

/* Whether somebody inside of a container did the move. A runtime is outside of the containers that
 * it starts, or moves what it has made, which is in its own container. */
static bool is_pulled(const struct container_table *table, const struct event *event)
{
	const struct proc *by;

	if (event->header->type != EVENT_CGROUP_ATTACH || !table->config.procs)
		return false;
	by = proc_table_find(
		table->config.procs,
		(struct proc_key){ number(event, PARAM_CGROUP_ATTACH_by_start),
				   (uint32_t)number(event, PARAM_CGROUP_ATTACH_by_pid) });
	return by && by != event->proc && container_entry(by->container);
}

static void tell_left(struct container_table *table, const struct event *event, struct proc *proc)
{
	struct container_left *left = &table->left;

	proc->container_place =
		cgroup_node_key(event->header->cgroup_id, event->header->cgroup_hierarchy);
	table->stats.left++;
	table->has_left = true;
	left->header = *event->header;
	left->container = proc->container;
	left->cgroup[0] = '\0';
	left->by_pid = 0;
	left->by_start_ns = 0;
}

/* The container that the process counts to after this event. */
static const struct container *settle(struct container_table *table, const struct event *event,
				      const struct container *here)
{
	const struct wire_header *header = event->header;
	uint64_t place = cgroup_node_key(header->cgroup_id, header->cgroup_hierarchy);
	struct proc *proc = own_proc(event);

	if (!proc)
		return here;
	if (!proc->container) {
		if (here)
			move(table, proc, here, header->time_ns);
		return here;
	}
	if (proc->container == here) {
		proc->container_place = 0;
		return here;
	}
	/* An event from before it came where it is. */
	if (header->time_ns < proc->container_ns)
		return here ? here : proc->container;
	if (!here)
		return proc->container;
	if (proc->container_place == place)
		return proc->container;
	if (may_enter(proc->container, here) && !is_pulled(table, event))
		move(table, proc, here, header->time_ns);
	else
		tell_left(table, event, proc);
	return proc->container;
}

/* The first process of a pid namespace, as containers have one of their own; where one shares
 * another's, the first program that was started in it. Of those that were there before us the
 * oldest.
 */
static void note_init(const struct event *event)
{
	struct container_entry *entry = container_entry(event->container);
	const struct wire_header *header = event->header;
	uint64_t *start_ns = entry ? &entry->container.init_start_ns : NULL;

	if (!entry)
		return;
	if (header->type == EVENT_TASK_SEED && (!*start_ns || header->start_ns < *start_ns))
		*start_ns = header->start_ns;
	else if (!*start_ns && ((header->ns_pid == 1 && header->pid != 1) ||
				header->type == EVENT_EXECVE || header->type == EVENT_EXECVEAT))
		*start_ns = header->start_ns;
}

/* ---- records of cgroups ---- */

/* A name that was given inside of a container: it counts if the host's runtime knows it, and until
 * then for nothing. */
static void note_inner(struct container_table *table, struct cgroup_node *node,
		       const struct event *event, const struct cgroup_identity *identity)
{
	struct container_entry *entry =
		container_entry_put_inner(table, identity, node->container, event->header->time_ns);

	if (!entry || node->inner == entry)
		return;
	cgroup_node_drop_inner(table, node);
	node->inner = container_entry(container_ref(&entry->container));
}

static void made_inside(struct container_table *table, const struct event *event, uint64_t key,
			struct str path)
{
	struct cgroup_node *node = cgroup_node_put(table, key, event->container, true);
	struct cgroup_identity identity;

	table->stats.inherited++;
	/* Names that anybody may choose are none here: no file is asked for them. */
	if (node && cgroup_identify(path, &identity) && identity.depth == path.n &&
	    !str_eq_text(str_from(identity.id), event->container->full_id))
		note_inner(table, node, event, &identity);
}

/* By the host, or by somebody who could not be told. A container's own cgroup is what it is called,
 * also in a folder that a container made for it; anything below a container's is the container's.
 */
static void made_outside(struct container_table *table, const struct event *event, uint64_t key,
			 const struct cgroup_node *above, struct str path)
{
	const struct container *container = above ? above->container : &container_host;
	struct cgroup_identity identity;
	bool is_inherited = above && above->is_inherited;
	struct container_entry *entry;

	if (container_name(table, path, &identity) &&
	    (identity.depth == path.n || !container_entry(container))) {
		entry = container_entry_put(table, &identity, event->header->time_ns);
		container = entry ? &entry->container : NULL;
		is_inherited = false;
	}
	(void)cgroup_node_put(table, key, container, is_inherited);
}

static void apply_mkdir(struct container_table *table, const struct event *event)
{
	uint64_t hierarchy = number(event, PARAM_CGROUP_MKDIR_hierarchy);
	uint64_t key = cgroup_node_key(number(event, PARAM_CGROUP_MKDIR_id), hierarchy & 3);
	uint64_t above =
		cgroup_node_key(number(event, PARAM_CGROUP_MKDIR_parent_id), hierarchy & 3);
	struct str path = event_string(event, PARAM_CGROUP_MKDIR_path);

	if (hierarchy >= HIERARCHY_CNT || !path.p)
		return;
	if (container_entry(event->container))
		made_inside(table, event, key, path);
	else
		made_outside(table, event, key, cgroup_node_find(table, above), path);
}

static void apply_rmdir(struct container_table *table, const struct event *event)
{
	struct cgroup_node *node = cgroup_node_find(
		table, cgroup_node_key(number(event, PARAM_CGROUP_RMDIR_id),
				       number(event, PARAM_CGROUP_RMDIR_hierarchy) & 3));

	if (node)
		cgroup_node_mark_gone(table, node, event->header->time_ns);
}

/* The record has the path, which is as good as asking /proc, and does not ask it of a process that
 * may have ended. */
static void learn_from_attach(struct container_table *table, const struct event *event)
{
	uint64_t id = number(event, PARAM_CGROUP_ATTACH_id);
	unsigned hierarchy = number(event, PARAM_CGROUP_ATTACH_hierarchy) & 3;
	const struct cgroup_node *node = cgroup_node_find(table, cgroup_node_key(id, hierarchy));
	struct str path = event_string(event, PARAM_CGROUP_ATTACH_path);

	if (path.p && (!node || !node->container))
		(void)container_learn_path(table, id, hierarchy, path.p);
}

static void complete_attach(struct container_table *table, const struct event *event)
{
	struct container_entry *entry = container_entry(event->container);
	struct str path = event_string(event, PARAM_CGROUP_ATTACH_path);
	struct container_left *left = &table->left;

	if (entry && !entry->pid)
		entry->pid = event->header->pid;
	if (!table->has_left)
		return;
	left->by_pid = (uint32_t)number(event, PARAM_CGROUP_ATTACH_by_pid);
	left->by_start_ns = number(event, PARAM_CGROUP_ATTACH_by_start);
	if (path.p && path.n < sizeof(left->cgroup))
		memcpy(left->cgroup, path.p, path.n + 1);
}

void container_table_apply(struct container_table *table, struct event *event)
{
	enum event_type type = event->schema->type;

	table->has_left = false;
	table->now_ns = MAX(table->now_ns, event->header->time_ns);
	event->container = NULL;
	if (event->schema->flags & EVENT_OWN)
		return;
	if (type == EVENT_CGROUP_ATTACH)
		learn_from_attach(table, event);
	event->container = settle(table, event, container_of_cgroup(table, event->header));
	if (!event->container)
		table->stats.unknown++;
	else
		note_init(event);
	if (type == EVENT_CGROUP_MKDIR)
		apply_mkdir(table, event);
	else if (type == EVENT_CGROUP_RMDIR)
		apply_rmdir(table, event);
	else if (type == EVENT_CGROUP_ATTACH)
		complete_attach(table, event);
}

const struct container_left *container_table_left(const struct container_table *table)
{
	return table->has_left ? &table->left : NULL;
}
