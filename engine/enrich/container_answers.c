/*
 * What the container table asks the metadata thread, and what the answers change. Owns nothing;
 * engine thread.
 */
#include <string.h>

#include "container_private.h"
#include "haetae/clock.h"

/* ---- questions ---- */

static struct container_entry *entry_of_due(struct link *link)
{
	return (struct container_entry *)(void *)((char *)link -
						  offsetof(struct container_entry, due_link));
}

static enum metadata_state pod_state(const struct container_table *table,
				     const struct container *container)
{
	if (!container->pod_uid[0])
		return METADATA_NONE;
	if (table->config.pods && pod_table_find(table->config.pods, str_from(container->pod_uid)))
		return METADATA_KNOWN;
	return table->is_healthy[METADATA_KUBERNETES] ? METADATA_WAITING : METADATA_NONE;
}

/* Waiting from the first moment: a rule may look at it before the question has left. */
void container_states_begin(struct container_table *table, struct container_entry *entry)
{
	entry->container.state[METADATA_RUNTIME] =
		table->is_healthy[METADATA_RUNTIME] ? METADATA_WAITING : METADATA_NONE;
	entry->container.state[METADATA_KUBERNETES] = pod_state(table, &entry->container);
}

bool container_table_question(struct container_table *table, struct metadata_question *ret)
{
	const struct container_entry *entry;

	if (table->due.next == &table->due)
		return false;
	entry = entry_of_due(table->due.next);
	*ret = (struct metadata_question){
		.type = entry->due,
		.container_type = entry->container.type,
		.is_inner = entry->is_unconfirmed,
		.pid = entry->pid,
	};
	memcpy(ret->full_id, entry->container.full_id, sizeof(ret->full_id));
	memcpy(ret->pod_uid, entry->container.pod_uid, sizeof(ret->pod_uid));
	memcpy(ret->runtime_namespace, entry->container.runtime_namespace,
	       sizeof(ret->runtime_namespace));
	return true;
}

void container_table_asked(struct container_table *table, const struct metadata_question *question)
{
	struct container_entry *entry = container_entry_find(table, str_from(question->full_id));

	if (!entry || !entry->due_link.next || entry->due != question->type)
		return;
	link_remove(&entry->due_link);
	entry->was_asked = question->type == QUESTION_CONTAINER;
	if (question->type == QUESTION_FORGET && entry->container.is_gone &&
	    entry->container.refs == 0)
		container_entry_free(table, entry);
}

/* ---- answers ---- */

static bool set_state(struct container *container, enum metadata_source source,
		      enum metadata_state state)
{
	bool is_news = container->state[source] != state;

	container->state[source] = state;
	return is_news;
}

/* A source of pods tells of all that are the node's within a second. One that it has not told by
 * then is none of them: gone long since, of a node with another name, or a path that somebody made.
 * Its alerts need not wait for their deadline. */
#define POD_PATIENCE_NS (10 * NS_PER_SEC)

void container_states_expire(struct container_table *table, uint64_t now_ns)
{
	struct container_entry *entry;
	uint32_t cursor = 0;

	if (!table->is_healthy[METADATA_KUBERNETES]) {
		table->pods_since_ns = 0;
		return;
	}
	if (!table->pods_since_ns)
		table->pods_since_ns = now_ns;
	if (now_ns < table->pods_since_ns + POD_PATIENCE_NS)
		return;
	while ((entry = table_next(&table->entries, &cursor))) {
		enum metadata_state *state = &entry->container.state[METADATA_KUBERNETES];

		if (*state == METADATA_WAITING &&
		    now_ns >= entry->container.first_ns + POD_PATIENCE_NS)
			*state = METADATA_NOT_FOUND;
	}
}

/* The runtime's word on what the path could not say. */
static void take_info(struct container_table *table, struct container *container,
		      const struct container_info *info)
{
	if (info->type != CONTAINER_HOST)
		container->type = info->type;
	if (!container->pod_uid[0] && info->pod_uid.n && info->pod_uid.n <= POD_UID_MAX) {
		memcpy(container->pod_uid, info->pod_uid.p, info->pod_uid.n);
		container->pod_uid[info->pod_uid.n] = '\0';
		container->state[METADATA_KUBERNETES] = pod_state(table, container);
	}
}

static bool apply_container(struct container_table *table, struct metadata_answer *answer)
{
	struct container_entry *entry = container_entry_find(table, str_from(answer->full_id));

	if (!entry || !answer->info)
		return false;
	if (entry->is_unconfirmed) {
		container_entry_confirm(table, entry, true);
		container_states_begin(table, entry);
	}
	container_info_unref(entry->container.info);
	entry->container.info = TAKE_PTR(answer->info);
	take_info(table, &entry->container, entry->container.info);
	(void)set_state(&entry->container, METADATA_RUNTIME,
			entry->container.info->is_partial && table->is_healthy[METADATA_RUNTIME]
				? METADATA_WAITING
				: METADATA_KNOWN);
	return true;
}

/* Nobody knows it, or nobody knows more of it than the bundle said. */
static bool apply_unknown(struct container_table *table, const struct metadata_answer *answer)
{
	struct container_entry *entry = container_entry_find(table, str_from(answer->full_id));

	if (!entry)
		return false;
	if (entry->is_unconfirmed) {
		container_entry_confirm(table, entry, false);
		container_entry_free(table, entry);
		return false;
	}
	return set_state(&entry->container, METADATA_RUNTIME,
			 entry->container.info ? METADATA_KNOWN : METADATA_NOT_FOUND);
}

/* A runtime that was away may know what the others did not. */
static bool runtime_changed(struct container_table *table, struct container_entry *entry)
{
	enum metadata_state *state = &entry->container.state[METADATA_RUNTIME];

	if (entry->is_users)
		return false;
	if (!table->is_healthy[METADATA_RUNTIME]) {
		if (*state != METADATA_WAITING)
			return false;
		*state = entry->container.info ? METADATA_KNOWN : METADATA_NONE;
		return true;
	}
	if (*state == METADATA_KNOWN)
		return false;
	if (*state == METADATA_NOT_FOUND || !entry->was_asked)
		container_entry_ask(table, entry, QUESTION_CONTAINER);
	*state = METADATA_WAITING;
	return false;
}

static bool apply_source(struct container_table *table, const struct metadata_answer *answer)
{
	struct container_entry *entry;
	uint32_t cursor = 0;
	bool is_news = false;

	if (answer->source >= METADATA_SOURCE__COUNT ||
	    table->is_healthy[answer->source] == answer->is_healthy)
		return false;
	table->is_healthy[answer->source] = answer->is_healthy;
	while ((entry = table_next(&table->entries, &cursor))) {
		if (answer->source == METADATA_RUNTIME)
			is_news |= runtime_changed(table, entry);
		else
			is_news |= set_state(&entry->container, METADATA_KUBERNETES,
					     pod_state(table, &entry->container)) &&
				   !answer->is_healthy;
	}
	return is_news;
}

static bool apply_pod(struct container_table *table, const struct metadata_answer *answer)
{
	struct str uid = answer->pod ? answer->pod->uid : str_from(answer->full_id);
	struct container_entry *entry;
	uint32_t cursor = 0;
	bool is_news = false;

	while ((entry = table_next(&table->entries, &cursor)))
		if (str_eq_text(uid, entry->container.pod_uid))
			is_news |=
				set_state(&entry->container, METADATA_KUBERNETES, METADATA_KNOWN);
	return is_news;
}

bool container_table_answer(struct container_table *table, struct metadata_answer *answer)
{
	switch (answer->type) {
	case ANSWER_CONTAINER:
		return apply_container(table, answer);
	case ANSWER_CONTAINER_UNKNOWN:
		return apply_unknown(table, answer);
	case ANSWER_SOURCE:
		return apply_source(table, answer);
	case ANSWER_POD:
		return apply_pod(table, answer);
	case ANSWER_POD_GONE: /* its containers' last events still want it */
	case ANSWER_PODS_BEGIN:
	case ANSWER_PODS_END:
		break;
	}
	return false;
}

/* ---- for a snapshot ---- */

bool container_table_next_cgroup(const struct container_table *table, uint32_t *cursor,
				 struct container_cgroup *ret)
{
	const struct cgroup_node *node;

	while ((node = table_next(&table->nodes, cursor))) {
		const struct container_entry *entry = container_entry(node->container);

		if (!entry || entry->is_unconfirmed)
			continue;
		*ret = (struct container_cgroup){ .hierarchy =
							  (enum wire_hierarchy)(node->key >> 62),
						  .id = node->key & ~(3ULL << 62),
						  .is_inherited = node->is_inherited,
						  .container = node->container,
						  .is_users = entry->is_users };
		return true;
	}
	return false;
}

const struct container *container_table_next(const struct container_table *table, uint32_t *cursor)
{
	const struct container_entry *entry;

	while ((entry = table_next(&table->entries, cursor)))
		if (!entry->is_unconfirmed && !entry->is_users)
			return &entry->container;
	return NULL;
}

bool container_table_is_healthy(const struct container_table *table, enum metadata_source source)
{
	return table->is_healthy[source];
}
