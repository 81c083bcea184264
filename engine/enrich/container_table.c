/*
 * The container table: cgroups by (hierarchy, number) and containers by id. Owns both; processes,
 * cgroups and held events refer to containers, which are dropped a while after the last cgroup and
 * the last reference have gone. Engine thread.
 */
#include "container_private.h"

#include <errno.h>

#include "haetae/clock.h"

/* Of all cgroups, those that containers made for themselves: whoever makes more of them leaves room
 * for other containers' own. */
#define INHERITED_SHARE 2
/* Names given inside of containers that wait for the host's runtime. */
#define UNCONFIRMED_MAX 64

void container_table_config_default(struct container_table_config *config)
{
	*config = (struct container_table_config){
		.host_root = "",
		.max_cgroups = 65536,
		.max_containers = 16384,
		.grace_ns = 30 * NS_PER_SEC,
	};
}

/* ---- lists ---- */

void link_append(struct link *head, struct link *link)
{
	link->previous = head->previous;
	link->next = head;
	head->previous->next = link;
	head->previous = link;
}

void link_remove(struct link *link)
{
	if (!link->next)
		return;
	link->previous->next = link->next;
	link->next->previous = link->previous;
	link->next = link->previous = NULL;
}

static struct container_entry *entry_of_gone(struct link *link)
{
	return (struct container_entry *)(void *)((char *)link -
						  offsetof(struct container_entry, gone_link));
}

/* ---- keys ---- */

/* The finaliser of MurmurHash3 (public domain): numbers of cgroups count up. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 33) * 0xff51afd7ed558ccdULL;
	x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

static bool node_has_key(const void *node, const void *key)
{
	return ((const struct cgroup_node *)node)->key == *(const uint64_t *)key;
}

struct entry_key {
	struct str id;
	bool is_users;
};

static bool entry_has_key(const void *node, const void *key)
{
	const struct container_entry *entry = node;
	const struct entry_key *wanted = key;

	return entry->is_users == wanted->is_users &&
	       str_eq_text(wanted->id, entry->container.full_id);
}

static uint64_t hash_of(const struct entry_key *key)
{
	return str_hash(key->id) ^ key->is_users;
}

struct cgroup_node *cgroup_node_find(const struct container_table *table, uint64_t key)
{
	return table_find(&table->nodes, mix(key), &key);
}

static struct container_entry *find_entry(const struct container_table *table,
					  const struct cgroup_identity *identity)
{
	const struct entry_key key = { str_from(identity->id), identity->is_users };

	return table_find(&table->entries, hash_of(&key), &key);
}

struct container_entry *container_entry_find(const struct container_table *table, struct str id)
{
	const struct entry_key key = { id, false };

	return table_find(&table->entries, hash_of(&key), &key);
}

/* ---- references ---- */

struct container *container_ref(const struct container *container)
{
	struct container_entry *entry = container_entry(container);

	if (entry)
		entry->container.refs++;
	return (struct container *)(uintptr_t)container;
}

void container_count(const struct container *container, bool is_alert)
{
	struct container_entry *entry = container_entry(container);

	if (!entry)
		return;
	entry->container.activity.events += !is_alert;
	entry->container.activity.alerts += is_alert;
}

void container_unref(struct container_table *table, const struct container *container)
{
	struct container_entry *entry = container_entry(container);

	if (!entry)
		return;
	hae_assert(entry->container.refs > 0);
	entry->container.refs--;
}

/* ---- containers ---- */

void container_entry_ask(struct container_table *table, struct container_entry *entry,
			 enum metadata_question_type question)
{
	entry->due = question;
	if (!entry->due_link.next)
		link_append(&table->due, &entry->due_link);
}

void container_entry_free(struct container_table *table, struct container_entry *entry)
{
	const struct entry_key key = { str_from(entry->container.full_id), entry->is_users };

	hae_assert(entry->container.refs == 0);
	link_remove(&entry->gone_link);
	link_remove(&entry->due_link);
	table_remove(&table->entries, hash_of(&key), &key);
	table->stats.containers--;
	table->unconfirmed_cnt -= entry->is_unconfirmed;
	if (entry->outer)
		container_unref(table, &entry->outer->container);
	entry->container.info = container_info_unref(entry->container.info);
	free(entry);
}

static void set_short_id(struct container *container)
{
	bool is_hash = strlen(container->full_id) == 64 &&
		       strspn(container->full_id, "0123456789abcdef") == 64;

	memcpy(container->id, container->full_id, sizeof(container->id));
	if (is_hash)
		container->id[12] = '\0';
}

static struct container_entry *entry_new(struct container_table *table,
					 const struct cgroup_identity *identity, uint64_t now_ns)
{
	struct container_entry *entry = calloc(1, sizeof(*entry));
	const struct entry_key key = { str_from(identity->id), identity->is_users };

	if (!entry)
		return NULL;
	entry->is_users = identity->is_users;
	memcpy(entry->container.full_id, identity->id, sizeof(identity->id));
	memcpy(entry->container.pod_uid, identity->pod_uid, sizeof(identity->pod_uid));
	memcpy(entry->container.runtime_namespace, identity->runtime_namespace,
	       sizeof(identity->runtime_namespace));
	entry->container.type = identity->type;
	entry->container.first_ns = now_ns;
	set_short_id(&entry->container);
	if (table_insert(&table->entries, hash_of(&key), &key, entry) != 0) {
		free(entry);
		return NULL;
	}
	table->stats.containers++;
	/* Until a cgroup comes. */
	entry->gone_ns = now_ns;
	link_append(&table->gone, &entry->gone_link);
	return entry;
}

/* A user's container has its id, and no more: whoever asked the host's runtimes for it could be
 * told of another. */
static void begin(struct container_table *table, struct container_entry *entry)
{
	if (entry->is_users)
		return;
	container_states_begin(table, entry);
	container_entry_ask(table, entry, QUESTION_CONTAINER);
}

struct container_entry *container_entry_put(struct container_table *table,
					    const struct cgroup_identity *identity, uint64_t now_ns)
{
	struct container_entry *entry = find_entry(table, identity);

	if (!entry) {
		entry = entry_new(table, identity, now_ns);
		if (!entry) {
			table->stats.refused++;
			return NULL;
		}
		begin(table, entry);
		return entry;
	}
	if (entry->is_unconfirmed) {
		container_entry_confirm(table, entry, false);
		begin(table, entry);
	}
	if (!entry->container.pod_uid[0])
		memcpy(entry->container.pod_uid, identity->pod_uid, sizeof(identity->pod_uid));
	return entry;
}

struct container_entry *container_entry_put_inner(struct container_table *table,
						  const struct cgroup_identity *identity,
						  const struct container *outer, uint64_t now_ns)
{
	struct container_entry *entry = find_entry(table, identity);

	/* No runtime of the host's would confirm it. */
	if (identity->is_users)
		return NULL;
	if (entry)
		return entry->is_unconfirmed && entry->outer == container_entry(outer) ? entry
										       : NULL;
	if (table->unconfirmed_cnt >= UNCONFIRMED_MAX) {
		table->stats.refused++;
		return NULL;
	}
	entry = entry_new(table, identity, now_ns);
	if (!entry) {
		table->stats.refused++;
		return NULL;
	}
	entry->is_unconfirmed = true;
	table->unconfirmed_cnt++;
	entry->outer = container_entry(container_ref(outer));
	container_entry_ask(table, entry, QUESTION_CONTAINER);
	return entry;
}

static void count_cgroup(struct container_table *table, const struct container *container, int by,
			 uint64_t now_ns)
{
	struct container_entry *entry = container_entry(container);

	if (!entry)
		return;
	if (entry->cgroup_cnt == 0 && by > 0) {
		/* A container that is started again has its id and new metadata. */
		if (entry->container.is_gone) {
			entry->container.is_gone = false;
			entry->container.init_start_ns = 0;
			entry->container.first_ns = now_ns;
			begin(table, entry);
		}
		link_remove(&entry->gone_link);
	}
	entry->cgroup_cnt = (uint32_t)((int64_t)entry->cgroup_cnt + by);
	if (entry->cgroup_cnt == 0 && by < 0) {
		entry->container.is_gone = true;
		entry->gone_ns = now_ns;
		link_append(&table->gone, &entry->gone_link);
	}
}

void container_entry_confirm(struct container_table *table, struct container_entry *entry,
			     bool is_by_runtime)
{
	struct cgroup_node *node;
	uint32_t cursor = 0;

	hae_assert(entry->is_unconfirmed);
	entry->is_unconfirmed = false;
	table->unconfirmed_cnt--;
	table->stats.confirmed += is_by_runtime;
	if (!is_by_runtime && entry->outer) {
		container_unref(table, &entry->outer->container);
		entry->outer = NULL;
	}
	while ((node = table_next(&table->nodes, &cursor))) {
		if (node->inner != entry)
			continue;
		cgroup_node_drop_inner(table, node);
		if (is_by_runtime)
			cgroup_node_set(table, node, &entry->container);
	}
}

/* ---- cgroups ---- */

void cgroup_node_drop_inner(struct container_table *table, struct cgroup_node *node)
{
	struct container_entry *inner = node->inner;

	if (!inner)
		return;
	node->inner = NULL;
	container_unref(table, &inner->container);
}

void cgroup_node_set(struct container_table *table, struct cgroup_node *node,
		     const struct container *container)
{
	const struct container *before = node->container;

	if (before == container)
		return;
	node->container = container_ref(container);
	if (!node->gone_ns) {
		count_cgroup(table, container, 1, table->now_ns);
		count_cgroup(table, before, -1, table->now_ns);
	}
	container_unref(table, before);
}

static void set_inherited(struct container_table *table, struct cgroup_node *node, bool value)
{
	table->inherited_cnt -= node->is_inherited;
	table->inherited_cnt += value;
	node->is_inherited = value;
}

struct cgroup_node *cgroup_node_put(struct container_table *table, uint64_t key,
				    const struct container *container, bool is_inherited)
{
	struct cgroup_node *node = cgroup_node_find(table, key);

	if (node) {
		set_inherited(table, node, is_inherited);
		cgroup_node_set(table, node, container);
		return node;
	}
	if (!is_inherited || table->inherited_cnt < table->config.max_cgroups / INHERITED_SHARE)
		node = calloc(1, sizeof(*node));
	if (!node) {
		table->stats.refused++;
		return NULL;
	}
	node->key = key;
	if (table_insert(&table->nodes, mix(key), &key, node) != 0) {
		/* Perhaps of cgroups whose removal was missed. */
		table->is_walk_due = true;
		table->stats.refused++;
		free(node);
		return NULL;
	}
	table->stats.cgroups++;
	set_inherited(table, node, is_inherited);
	cgroup_node_set(table, node, container);
	return node;
}

void cgroup_node_mark_gone(struct container_table *table, struct cgroup_node *node, uint64_t now_ns)
{
	if (node->gone_ns)
		return;
	node->gone_ns = now_ns ? now_ns : 1;
	count_cgroup(table, node->container, -1, now_ns);
	node->gone_next = NULL;
	*(table->gone_last ? &table->gone_last->gone_next : &table->gone_first) = node;
	table->gone_last = node;
}

static void node_free(struct container_table *table, struct cgroup_node *node)
{
	table_remove(&table->nodes, mix(node->key), &node->key);
	table->stats.cgroups--;
	table->inherited_cnt -= node->is_inherited;
	cgroup_node_drop_inner(table, node);
	container_unref(table, node->container);
	free(node);
}

/* ---- the public functions ---- */

int container_table_new(const struct container_table_config *config, struct container_table **ret)
{
	struct container_table *table = calloc(1, sizeof(*table));
	int r;

	if (!table)
		return -ENOMEM;
	table->config = *config;
	table->gone.next = table->gone.previous = &table->gone;
	table->due.next = table->due.previous = &table->due;
	table_init(&table->nodes, config->max_cgroups, node_has_key);
	table_init(&table->entries, config->max_containers, entry_has_key);
	r = container_walk_new(table);
	if (r < 0) {
		container_table_free(table);
		return r;
	}
	*ret = table;
	return 0;
}

struct container_table *container_table_free(struct container_table *table)
{
	struct cgroup_node *node;
	struct container_entry *entry;
	uint32_t cursor = 0;

	if (!table)
		return NULL;
	while ((node = table_next(&table->nodes, &cursor))) {
		container_unref(table, node->container);
		cgroup_node_drop_inner(table, node);
		free(node);
	}
	cursor = 0;
	while ((entry = table_next(&table->entries, &cursor))) {
		container_info_unref(entry->container.info);
		free(entry);
	}
	table_done(&table->nodes);
	table_done(&table->entries);
	container_walk_free(table);
	free(table);
	return NULL;
}

/* Its metadata thread is told before it goes; where nobody takes the message, it goes all the same.
 */
static bool is_to_go(struct container_table *table, struct container_entry *entry, uint64_t now_ns)
{
	if (entry->container.refs > 0)
		return false;
	if (!entry->was_asked || now_ns >= entry->gone_ns + 2 * table->config.grace_ns)
		return true;
	container_entry_ask(table, entry, QUESTION_FORGET);
	return false;
}

static void collect_containers(struct container_table *table, uint64_t now_ns)
{
	struct link *link = table->gone.next, *next;

	for (; link != &table->gone; link = next) {
		struct container_entry *entry = entry_of_gone(link);

		next = link->next;
		if (entry->gone_ns + table->config.grace_ns > now_ns)
			break;
		if (is_to_go(table, entry, now_ns))
			container_entry_free(table, entry);
	}
}

void container_table_collect(struct container_table *table, uint64_t now_ns)
{
	struct cgroup_node *node;

	table->now_ns = MAX(table->now_ns, now_ns);
	while ((node = table->gone_first) && node->gone_ns + table->config.grace_ns <= now_ns) {
		table->gone_first = node->gone_next;
		if (!table->gone_first)
			table->gone_last = NULL;
		node_free(table, node);
	}
	collect_containers(table, now_ns);
	container_states_expire(table, now_ns);
}

const struct container *container_table_find(const struct container_table *table,
					     struct str full_id)
{
	const struct container_entry *entry = container_entry_find(table, full_id);

	return entry && !entry->is_unconfirmed ? &entry->container : NULL;
}

void container_table_stats(const struct container_table *table, struct container_table_stats *ret)
{
	*ret = table->stats;
}
