/*
 * What a record does to the process table: a seed, a fork, an exec or an exit changes who there is,
 * any other event refreshes its own process. Owns nothing. Called for each event by the engine
 * thread: an ordinary event costs one lookup and allocates nothing.
 *
 * Records may come late, twice, or not at all: each is applied to what is known by then, and what
 * is known from an older moment never replaces what is known from a newer one.
 */
#include "haetae/proc.h"

#include "haetae/container_table.h"
#include "image.h"
#include "proc_private.h"

/* Takes over what the header says of its own process, unless an event that came later said it. */
static void refresh(struct proc_table *table, struct proc *proc, const struct wire_header *header)
{
	struct proc_key parent = { header->parent_start_ns, header->parent_pid };

	if (header->time_ns < proc->last_ns)
		return;
	proc->last_ns = header->time_ns;
	proc->ns_pid = header->ns_pid;
	proc->session_id = header->session_id;
	proc->group_id = header->group_id;
	proc->ns_session_id = header->ns_session_id;
	proc->ns_group_id = header->ns_group_id;
	proc->uid = header->euid;
	proc->loginuid = header->loginuid;
	proc->tty = header->tty;
	proc->pid_ns = header->pid_ns;
	proc->cgroup_id = header->cgroup_id;
	proc->cgroup_hierarchy = header->cgroup_hierarchy;
	if (header->tid == header->pid)
		memcpy(proc->comm, header->comm, WIRE_COMM_LEN);
	if (!proc_key_equal(proc->parent_key, parent))
		proc_set_parent(table, proc, parent);
}

/* No record told when the pid namespace's init started, but the parent may be in it too. */
static void inherit_pidns(const struct proc_table *table, struct proc *proc,
			  const struct wire_header *header)
{
	const struct proc *parent = proc_table_get(
		table, (struct proc_key){ header->parent_start_ns, header->parent_pid });

	if (parent && parent->pid_ns == header->pid_ns)
		proc->pidns_init_start_ns = parent->pidns_init_start_ns;
}

/* The process of the header, which was not known. */
static struct proc *add_partial(struct proc_table *table, const struct wire_header *header)
{
	struct proc_key key = { header->start_ns, header->pid };
	struct proc *proc;

	/* Asked first: where the table is full of the living, each event comes this way. */
	if (!proc_table_make_seat(table)) {
		table->stats.refused++;
		return NULL;
	}
	proc = proc_table_add(table, key, image_from_header(table, header, true));
	if (!proc)
		return NULL;
	table->stats.partial++;
	proc->is_partial = true;
	inherit_pidns(table, proc, header);
	return proc;
}

/* An image that this event alone has. */
static struct proc_image *stand_in(struct proc_table *table, const struct wire_header *header)
{
	table->stand_in->exec_id = header->exec_id;
	memcpy(table->stand_in->comm, header->comm, WIRE_COMM_LEN);
	return table->stand_in;
}

/* The event's image where it is not the process's newest: one from the history, or, where the
 * exec's record is missing, one made from the header. */
static struct proc_image *image_of(struct proc_table *table, struct proc *proc,
				   const struct wire_header *header, uint64_t previous_ns)
{
	bool is_newest = header->exec_id > proc->image->exec_id;
	struct proc_image *image = image_find(proc, header->exec_id);

	if (image)
		return image;
	if (proc->image->is_id_open && is_newest) {
		proc->image->exec_id = header->exec_id;
		proc->image->is_id_open = false;
		return proc->image;
	}
	if (!image_fits(table, proc, header->exec_id))
		return stand_in(table, header);
	image = image_from_header(table, header, is_newest);
	if (!image)
		return stand_in(table, header);
	table->stats.exec_missed++;
	/* The exec came at some time after the event before this one. */
	image_withdraw(table, proc, header->exec_id, previous_ns);
	image_put(table, proc, image);
	return image;
}

/* The header's process, known or made now, with what the header says of it; sets the event's proc
 * and image. NULL where there is no room. */
static struct proc *touch(struct proc_table *table, struct event *event)
{
	const struct wire_header *header = event->header;
	struct proc *proc =
		proc_table_get(table, (struct proc_key){ header->start_ns, header->pid });
	uint64_t previous_ns;

	if (!proc)
		proc = add_partial(table, header);
	if (!proc)
		return NULL;
	table->pinned[0] = proc;
	if (proc->is_exit_inferred)
		proc_revive(table, proc, header->time_ns);
	previous_ns = proc->last_ns;
	refresh(table, proc, header);
	event->proc = proc;
	event->image = proc->image->exec_id == header->exec_id
			       ? proc->image
			       : image_of(table, proc, header, previous_ns);
	return proc;
}

/* ---- the records that change more than the header's process ---- */

static uint64_t number(const struct event *event, unsigned param)
{
	uint64_t value = 0;

	(void)event_number(event, param, &value);
	return value;
}

/* An image that is better than what is there: by a record instead of /proc, by /proc instead of
 * nothing. NULL (found no room) is fine. Takes over the reference. */
static void improve_image(struct proc_table *table, struct proc *proc, struct proc_image *image)
{
	struct proc_image *known = image ? image_find(proc, image->exec_id) : NULL;

	if (!image)
		return;
	if (known ? image->is_partial ||
			    (!known->is_partial && (!known->procfs_ns || image->procfs_ns))
		  : !image_fits(table, proc, image->exec_id)) {
		image_unref(table, image);
		return;
	}
	if (image->exec_time_ns && !image->procfs_ns)
		image_withdraw(table, proc, image->exec_id, image->exec_time_ns);
	image_put(table, proc, image);
}

static void apply_seed(struct proc_table *table, struct event *event)
{
	const struct wire_header *header = event->header;
	struct proc_key key = { header->start_ns, header->pid };
	struct proc *proc = proc_table_get(table, key);
	const struct proc_image *known = proc ? image_find(proc, header->exec_id) : NULL;
	uint64_t reader_pid = number(event, PARAM_TASK_SEED_reader_pid);

	if (table->config.is_host_proc || reader_pid == header->pid)
		table->is_pid_shared = true;
	else
		table->is_pid_translated = true;
	table->pinned[0] = proc;
	if (!proc)
		proc = proc_table_add(table, key, image_from_seed(table, event));
	else if (!known || known->is_partial)
		improve_image(table, proc, image_from_seed(table, event));
	if (!proc)
		return;
	table->stats.seeded++;
	proc->is_partial = false;
	proc->pidns_init_start_ns = number(event, PARAM_TASK_SEED_pidns_init_start);
	(void)touch(table, event);
}

/* A child is in its creator's container, wherever both are: who left its container's cgroup cannot
 * shed it by a fork. A child that told of itself first was taken to be where its cgroup is. */
static void inherit_container(struct proc *child, const struct proc *creator,
			      const struct wire_header *header)
{
	bool is_shed = child->container == &container_host && child->cgroup_id == header->cgroup_id;

	if (!creator->container || (child->container && !is_shed))
		return;
	container_unref(NULL, child->container);
	child->container = container_ref(creator->container);
	child->container_ns = header->time_ns;
	child->container_place = creator->container_place;
}

/* A child that no other record told of yet. It begins as its creator's copy. Takes over the image's
 * reference. */
static struct proc *add_child_of(struct proc_table *table, const struct event *event,
				 struct proc_key key, struct proc_image *image)
{
	const struct wire_header *header = event->header;
	struct proc *child = proc_table_add(table, key, image);

	if (!child)
		return NULL;
	child->last_ns = header->time_ns;
	memcpy(child->comm, header->comm, WIRE_COMM_LEN);
	child->ns_pid = (uint32_t)number(event, PARAM_TASK_NEW_child_ns_pid);
	child->pid_ns = (uint32_t)number(event, PARAM_TASK_NEW_child_pid_ns);
	child->session_id = header->session_id;
	child->group_id = header->group_id;
	/* In a new pid namespace both leaders are outside: 0, as getsid(2) gives there. */
	child->ns_session_id = child->pid_ns == header->pid_ns ? header->ns_session_id : 0;
	child->ns_group_id = child->pid_ns == header->pid_ns ? header->ns_group_id : 0;
	child->uid = header->euid;
	child->loginuid = header->loginuid;
	child->tty = header->tty;
	child->cgroup_id = header->cgroup_id;
	proc_set_parent(table, child,
			(struct proc_key){ number(event, PARAM_TASK_NEW_parent_start),
					   (uint32_t)number(event, PARAM_TASK_NEW_parent_pid) });
	return child;
}

/* What the child runs: its creator's image, or one that only has the name where that is not known.
 * A new reference, or NULL. */
static struct proc_image *image_of_child(struct proc_table *table, const struct event *event,
					 const struct proc *creator)
{
	uint64_t exec_id = number(event, PARAM_TASK_NEW_child_exec_id);
	struct proc_image *image = image_find(creator, exec_id);
	const struct image_source source = { .exec_id = exec_id,
					     .comm = event->header->comm,
					     .is_partial = true };

	return image ? image_ref(image) : image_new(table, &source);
}

/* The header is the creator's. The child may be known: from a seed, or from an event of its own
 * that was applied before. */
static void apply_fork(struct proc_table *table, struct event *event)
{
	struct proc_key key = { number(event, PARAM_TASK_NEW_child_start),
				(uint32_t)number(event, PARAM_TASK_NEW_child_pid) };
	struct proc *creator = touch(table, event), *child;

	if (!creator)
		return;
	if (key.pid == 0 || key.start_ns == 0 || proc_key_equal(key, creator->key)) {
		table->stats.refused++;
		return;
	}
	child = proc_table_get(table, key);
	table->pinned[1] = child;
	if (child)
		improve_image(table, child, image_of_child(table, event, creator));
	else
		child = add_child_of(table, event, key, image_of_child(table, event, creator));
	if (!child)
		return;
	inherit_container(child, creator, event->header);
	if (!child->creator_key.start_ns) {
		proc_set_creator(table, child, creator->key);
		table->stats.forked++;
	}
	child->is_partial = false;
	child->pidns_init_start_ns = number(event, PARAM_TASK_NEW_pidns_init_start);
}

static bool is_exec_done(const struct event *event)
{
	return event->header->result == 0 && number(event, PARAM_EXECVE_res) == 0;
}

static void apply_exec(struct proc_table *table, struct event *event)
{
	const struct wire_header *header = event->header;
	struct proc_key key = { header->start_ns, header->pid };
	struct proc *proc = proc_table_get(table, key);
	const struct proc_image *known = proc ? image_find(proc, header->exec_id) : NULL;
	struct proc_image *image;

	table->pinned[0] = proc;
	if (!known || !known->exec_time_ns) {
		table->stats.execed++;
		image = image_from_exec(table, event);
		if (proc) {
			improve_image(table, proc, image);
		} else if (image) {
			proc = proc_table_add(table, key, image);
			if (!proc)
				return;
			inherit_pidns(table, proc, header);
		}
		if (proc)
			proc->is_partial = false;
	}
	(void)touch(table, event);
}

static void apply_exit(struct proc_table *table, struct event *event)
{
	struct proc *proc = touch(table, event);
	const struct proc *reaper;

	if (!proc || (proc->exit_ns && !proc->is_exit_inferred))
		return;
	table->stats.exited++;
	if (proc->exit_ns) {
		table->stats.exit_missed--;
		proc->is_exit_inferred = false;
		proc->exit_ns = event->header->time_ns;
	} else {
		proc_mark_exited(table, proc, event->header->time_ns);
	}
	reaper = proc_table_get_pid(table, (uint32_t)number(event, PARAM_PROCEXIT_reaper_tid));
	if (reaper)
		proc->reaper_key = reaper->key;
}

/* Records of cgroups come from processes outside of the scope, too, which are nobody's concern. */
static void find_known(struct proc_table *table, struct event *event)
{
	const struct wire_header *header = event->header;
	const struct proc *proc =
		proc_table_get(table, (struct proc_key){ header->start_ns, header->pid });

	if (!proc)
		return;
	event->proc = proc;
	event->image = image_find(proc, header->exec_id);
	if (!event->image)
		event->image = proc->image;
}

void proc_table_apply(struct proc_table *table, struct event *event)
{
	event->proc = NULL;
	event->image = NULL;
	table->pinned[0] = table->pinned[1] = NULL;
	if (event->schema->flags & EVENT_OWN)
		return;
	if (event->header->pid == 0) {
		table->stats.refused++;
		return;
	}
	if (event->header->type == EVENT_TASK_SEED)
		apply_seed(table, event);
	else if (event->header->type == EVENT_TASK_NEW)
		apply_fork(table, event);
	else if (event->header->type == EVENT_PROCEXIT)
		apply_exit(table, event);
	else if ((event->header->type == EVENT_EXECVE || event->header->type == EVENT_EXECVEAT) &&
		 is_exec_done(event))
		apply_exec(table, event);
	else if (event->header->type == EVENT_CGROUP_MKDIR ||
		 event->header->type == EVENT_CGROUP_RMDIR)
		find_known(table, event);
	else
		(void)touch(table, event);
}
