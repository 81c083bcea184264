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

/* Its node, learned where the record was missed. NULL: nobody could tell. */
static struct cgroup_node *node_of(struct container_table *table, const struct wire_header *header)
{
	uint64_t key = cgroup_node_key(header->cgroup_id, header->cgroup_hierarchy);
	struct cgroup_node *node = cgroup_node_find(table, key);

	if (node && (node->container || header->time_ns < node->retry_ns))
		return node;
	if (table->config.host_root && header->cgroup_id)
		node = container_learn(table, header);
	else if (header->cgroup_id == 1) /* the root of a hierarchy, replayed */
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
	if (may_enter(proc->container, here))
		move(table, proc, here, header->time_ns);
	else if (proc->container_place !=
		 cgroup_node_key(header->cgroup_id, header->cgroup_hierarchy))
		tell_left(table, event, proc);
	return proc->container;
}

/* The first process of a pid namespace, as containers have one of their own; where it shares
 * another's, the first program that was started in it. */
static void note_init(const struct event *event)
{
	struct container_entry *entry = container_entry(event->container);
	const struct wire_header *header = event->header;

	if (!entry || header->ns_pid == header->pid)
		return;
	if (header->ns_pid == 1 && entry->container.init_start_ns == 0)
		entry->container.init_start_ns = header->start_ns;
}

void container_table_apply(struct container_table *table, struct event *event)
{
	table->has_left = false;
	event->container = NULL;
	if (event->schema->flags & EVENT_OWN)
		return;
	event->container = settle(table, event, container_of_cgroup(table, event->header));
	if (!event->container)
		table->stats.unknown++;
	else
		note_init(event);
}

const struct container_left *container_table_left(const struct container_table *table)
{
	return table->has_left ? &table->left : NULL;
}
