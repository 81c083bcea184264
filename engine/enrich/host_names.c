/*
 * The addresses of the host names in rules. Owns copies of the names and a sorted array of pairs
 * (address, name), made anew when a name's addresses change. Engine thread.
 */
#include "haetae/host_names.h"

#include <errno.h>

struct pair {
	struct host_address address;
	uint32_t name;
};

struct host_names {
	struct str *names; /* owned, and each text */
	bool *is_known;
	uint32_t cnt, unknown_cnt;
	struct pair *pairs; /* owned; room for all that there can be */
	uint32_t pair_cnt;
};

bool host_address_from(const uint8_t *address, unsigned length, struct host_address *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (length != 4 && length != 16)
		return false;
	if (length == 4)
		memcpy(ret->bytes, mapped, sizeof(mapped));
	memcpy(ret->bytes + 16 - length, address, length);
	return true;
}

static void host_names_freep(struct host_names **table)
{
	*table = host_names_free(*table);
}

int host_names_new(const struct str *names, uint32_t cnt, struct host_names **ret)
{
	_cleanup_(host_names_freep) struct host_names *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->names = calloc((size_t)cnt + 1, sizeof(*table->names));
	table->is_known = calloc((size_t)cnt + 1, sizeof(*table->is_known));
	if (!table->names || !table->is_known)
		return -ENOMEM;
	for (; table->cnt < cnt; table->cnt++) {
		char *copy = strndup(names[table->cnt].p, names[table->cnt].n);

		if (!copy)
			return -ENOMEM;
		table->names[table->cnt] = str_from(copy);
	}
	table->unknown_cnt = cnt;
	*ret = TAKE_PTR(table);
	return 0;
}

struct host_names *host_names_free(struct host_names *table)
{
	if (!table)
		return NULL;
	for (uint32_t i = 0; i < table->cnt; i++)
		free((char *)(uintptr_t)table->names[i].p);
	free(table->names);
	free(table->is_known);
	free(table->pairs);
	free(table);
	return NULL;
}

static int compare(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;
	int order = memcmp(&a->address, &b->address, sizeof(a->address));

	return order ? order : (a->name > b->name) - (a->name < b->name);
}

static void forget(struct host_names *table, uint32_t name)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < table->pair_cnt; i++)
		if (table->pairs[i].name != name)
			table->pairs[kept++] = table->pairs[i];
	table->pair_cnt = kept;
}

void host_names_set(struct host_names *table, uint32_t name, const struct host_address *addresses,
		    uint32_t cnt)
{
	struct pair *pairs;

	cnt = MIN(cnt, (uint32_t)HOST_NAME_ADDRESSES_MAX);
	if (name >= table->cnt)
		return;
	/* Without memory the old addresses stay. */
	pairs = realloc(table->pairs, ((size_t)table->pair_cnt + cnt + 1) * sizeof(*pairs));
	if (!pairs)
		return;
	table->pairs = pairs;
	forget(table, name);
	for (uint32_t i = 0; i < cnt; i++)
		pairs[table->pair_cnt++] = (struct pair){ addresses[i], name };
	qsort(pairs, table->pair_cnt, sizeof(*pairs), compare);
	table->unknown_cnt -= !table->is_known[name];
	table->is_known[name] = true;
}

bool host_names_are_waited_for(const struct host_names *table)
{
	return table->unknown_cnt > 0;
}

uint32_t host_names_find(const struct host_names *table, const struct host_address *address,
			 uint32_t *ret, uint32_t max)
{
	uint32_t low = 0, high = table->pair_cnt, cnt = 0;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (memcmp(&table->pairs[middle].address, address, sizeof(*address)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < table->pair_cnt && cnt < max; low++) {
		if (memcmp(&table->pairs[low].address, address, sizeof(*address)) != 0)
			break;
		/* A resolver may give the same address twice. */
		if (cnt == 0 || ret[cnt - 1] != table->pairs[low].name)
			ret[cnt++] = table->pairs[low].name;
	}
	return cnt;
}

struct str host_names_at(const struct host_names *table, uint32_t name)
{
	return table->names[name];
}
