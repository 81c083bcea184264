/*
 * Pods by UID and by address. Owns a reference of each pod. Engine thread; filled from what the
 * metadata thread answers.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "haetae/container.h"
#include "haetae/table.h"

/* Addresses that one pod is found by: one of each family, and what additional networks give. */
#define ADDRESSES_MAX 4
/* Pods that are deleted and still found by UID: who deletes one by force does not end what runs in
 * it, and a container's last events come when the API has forgotten the pod. Beyond it the first
 * to go is forgotten. */
#define GONE_MAX 256

struct pod_address {
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
	struct pod_node *node;
};

struct pod_node {
	struct pod_info *pod; /* owned reference */
	uint32_t generation;  /* of the list that named it last */
	struct pod_address addresses[ADDRESSES_MAX];
	uint32_t address_cnt;  /* in the table of addresses */
	struct pod_node *next; /* while they are collected for removal, and among those gone */
	bool is_gone;
};

struct pod_table {
	struct table by_uid, by_address;
	struct pod_node *gone, **gone_end; /* oldest first */
	uint32_t gone_cnt, max_pods;
	uint32_t generation;
	uint64_t refused;
};

static bool has_uid(const void *node, const void *key)
{
	const struct pod_node *pod = node;
	const struct str *uid = key;

	return str_eq(pod->pod->uid, *uid);
}

static bool has_address(const void *node, const void *key)
{
	const struct pod_address *address = node;

	return memcmp(address->bytes, key, sizeof(address->bytes)) == 0;
}

static uint64_t hash_address(const uint8_t bytes[16])
{
	return hash_bytes(bytes, 16, 0);
}

int pod_table_new(uint32_t max_pods, struct pod_table **ret)
{
	struct pod_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->max_pods = max_pods;
	table->gone_end = &table->gone;
	table_init(&table->by_uid, max_pods + GONE_MAX, has_uid);
	table_init(&table->by_address, max_pods * ADDRESSES_MAX, has_address);
	*ret = table;
	return 0;
}

/* ---- addresses ------------------------------------------------------------------------------ */

static bool map_address(const uint8_t *address, unsigned length, uint8_t ret[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (length != 4 && length != 16)
		return false;
	if (length == 4)
		memcpy(ret, mapped, sizeof(mapped));
	memcpy(ret + 16 - length, address, length);
	return true;
}

static bool parse_address(struct str text, uint8_t ret[16])
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	if (text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(AF_INET, copy, bytes) == 1)
		return map_address(bytes, 4, ret);
	return inet_pton(AF_INET6, copy, bytes) == 1 && map_address(bytes, 16, ret);
}

static void forget_addresses(struct pod_table *table, struct pod_node *node)
{
	for (uint32_t i = 0; i < node->address_cnt; i++) {
		const struct pod_address *address = &node->addresses[i];
		uint64_t hash = hash_address(address->bytes);

		/* Another pod may have the address by now. */
		if (table_find(&table->by_address, hash, address->bytes) == address)
			table_remove(&table->by_address, hash, address->bytes);
	}
	node->address_cnt = 0;
}

/* The newest word counts where two pods claim an address. */
static void learn_addresses(struct pod_table *table, struct pod_node *node)
{
	for (uint32_t i = 0; i < node->pod->ip_cnt && node->address_cnt < ADDRESSES_MAX; i++) {
		struct pod_address *address = &node->addresses[node->address_cnt];
		uint64_t hash;

		if (!parse_address(node->pod->ips[i], address->bytes))
			continue;
		address->node = node;
		hash = hash_address(address->bytes);
		table_remove(&table->by_address, hash, address->bytes);
		if (table_insert(&table->by_address, hash, address->bytes, address) == 0)
			node->address_cnt++;
	}
}

/* ---- pods ----------------------------------------------------------------------------------- */

static void free_node(struct pod_table *table, struct pod_node *node)
{
	forget_addresses(table, node);
	table_remove(&table->by_uid, str_hash(node->pod->uid), &node->pod->uid);
	pod_info_unref(node->pod);
	free(node);
}

/* No longer among those gone. */
static void bring_back(struct pod_table *table, struct pod_node *node)
{
	struct pod_node **link = &table->gone;

	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	if (!*link)
		table->gone_end = link;
	table->gone_cnt--;
	node->is_gone = false;
}

static void let_go(struct pod_table *table, struct pod_node *node)
{
	struct pod_node *oldest = table->gone;

	forget_addresses(table, node);
	node->is_gone = true;
	node->next = NULL;
	*table->gone_end = node;
	table->gone_end = &node->next;
	if (++table->gone_cnt <= GONE_MAX)
		return;
	bring_back(table, oldest);
	free_node(table, oldest);
}

/* Lets go of all that no list of this generation named. */
static void let_others_go(struct pod_table *table, uint32_t generation)
{
	struct pod_node *node, *list = NULL;
	uint32_t cursor = 0;

	while ((node = table_next(&table->by_uid, &cursor))) {
		if (node->is_gone || node->generation == generation)
			continue;
		node->next = list;
		list = node;
	}
	while ((node = list)) {
		list = node->next;
		let_go(table, node);
	}
}

static void free_nodes(struct pod_table *table)
{
	struct pod_node *node;
	uint32_t cursor = 0;

	while ((node = table_next(&table->by_uid, &cursor))) {
		pod_info_unref(node->pod);
		free(node);
	}
}

struct pod_table *pod_table_free(struct pod_table *table)
{
	if (!table)
		return NULL;
	free_nodes(table);
	table_done(&table->by_uid);
	table_done(&table->by_address);
	free(table);
	return NULL;
}

static bool insert(struct pod_table *table, struct pod_info *pod)
{
	struct pod_node *node = calloc(1, sizeof(*node));

	if (!node)
		return false;
	node->pod = pod;
	node->generation = table->generation;
	if (table_insert(&table->by_uid, str_hash(pod->uid), &pod->uid, node) != 0) {
		free(node);
		return false;
	}
	learn_addresses(table, node);
	return true;
}

static bool refuse(struct pod_table *table, struct pod_info *pod)
{
	table->refused++;
	pod_info_unref(pod);
	return false;
}

bool pod_table_put(struct pod_table *table, struct pod_info *pod)
{
	struct pod_node *node = table_find(&table->by_uid, str_hash(pod->uid), &pod->uid);
	bool has_room = pod_table_count(table) < table->max_pods;

	if (!node)
		return (has_room && insert(table, pod)) || refuse(table, pod);
	if (node->is_gone && !has_room)
		return refuse(table, pod);
	if (node->is_gone)
		bring_back(table, node);
	forget_addresses(table, node);
	pod_info_unref(node->pod);
	node->pod = pod;
	node->generation = table->generation;
	learn_addresses(table, node);
	return true;
}

void pod_table_remove(struct pod_table *table, struct str uid)
{
	struct pod_node *node = table_find(&table->by_uid, str_hash(uid), &uid);

	if (node && !node->is_gone)
		let_go(table, node);
}

void pod_table_sync_begin(struct pod_table *table)
{
	if (++table->generation == 0)
		table->generation = 1;
}

void pod_table_sync_end(struct pod_table *table)
{
	let_others_go(table, table->generation);
}

const struct pod_info *pod_table_find(const struct pod_table *table, struct str uid)
{
	const struct pod_node *node = table_find(&table->by_uid, str_hash(uid), &uid);

	return node ? node->pod : NULL;
}

const struct pod_info *pod_table_find_ip(const struct pod_table *table, const uint8_t *address,
					 unsigned length)
{
	const struct pod_address *found;
	uint8_t bytes[16];

	if (!map_address(address, length, bytes))
		return NULL;
	found = table_find(&table->by_address, hash_address(bytes), bytes);
	return found ? found->node->pod : NULL;
}

const struct pod_info *pod_table_next(const struct pod_table *table, uint32_t *cursor)
{
	const struct pod_node *node;

	do
		node = table_next(&table->by_uid, cursor);
	while (node && node->is_gone);
	return node ? node->pod : NULL;
}

uint32_t pod_table_count(const struct pod_table *table)
{
	return table->by_uid.count - table->gone_cnt;
}

uint64_t pod_table_refused(const struct pod_table *table)
{
	return table->refused;
}
