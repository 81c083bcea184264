/*
 * The kernel filter in user space: from a decoded record the decision that probes/bpf/filter_call.h
 * and filter_path.h made from the call and its objects. For tests, explanations and the daemon's
 * check. Owns nothing.
 */
#include "haetae/kernel_filter.h"
#include "haetae/rules.h"

#include <fcntl.h>

#include "cidr.h"

/* probes/bpf/scratch.h: PASSED_BYTES, the NUL included. */
#define TEXT_MAX 254

static uint64_t number_mask(const struct kernel_filter *filter, uint32_t type, uint32_t dimension,
			    uint64_t value, uint64_t otherwise)
{
	for (uint32_t i = 0; i < filter->number_cnt; i++) {
		const struct filter_number_key *key = &filter->numbers[i].key;

		if (key->type == type && key->dimension == dimension && key->value == value)
			return filter->numbers[i].mask;
	}
	return otherwise;
}

static uint64_t comm_mask(const struct kernel_filter *filter, uint32_t type, const char *comm,
			  uint64_t otherwise)
{
	for (uint32_t i = 0; i < filter->comm_cnt; i++)
		if (filter->comms[i].key.type == type &&
		    strncmp(filter->comms[i].key.comm, comm, WIRE_COMM_LEN) == 0)
			return filter->comms[i].mask;
	return otherwise;
}

static uint64_t name_mask(const struct kernel_filter *filter, uint32_t type, enum filter_part part,
			  struct str text)
{
	for (uint32_t i = 0; i < filter->name_cnt; i++) {
		const struct filter_name_key *key = &filter->names[i].key;

		if (key->type == type && key->part == part && str_eq(str_from(key->text), text))
			return filter->names[i].mask;
	}
	return 0;
}

/* ---- the call -----------------------------------------------------------------------------------
 */

static unsigned access_of(uint64_t flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return FILTER_READS;
	case O_WRONLY:
		return FILTER_WRITES;
	case O_RDWR:
		return FILTER_READS | FILTER_WRITES;
	default:
		return 0;
	}
}

static uint64_t bits_mask(const struct filter_type *type, uint64_t value)
{
	uint64_t mask = ~type->by_bits;

	for (unsigned i = 0; i < FILTER_BITS; i++)
		if (value & type->bits[i])
			mask |= type->bits_mask[i];
	return mask;
}

static uint64_t call_mask(const struct kernel_filter *filter, const struct filter_type *type,
			  const struct event *event)
{
	const struct wire_header *header = event->header;
	int flags_param = event_roles_of(event->schema)->flags;
	uint64_t mask = type->result[header->result >= 0], value;
	char head[WIRE_COMM_LEN] = "";

	if (type->access_argument != FILTER_NONE && flags_param >= 0 &&
	    event_number(event, (unsigned)flags_param, &value))
		mask &= type->access[access_of(value)];
	for (unsigned i = 0; i < FILTER_ARGUMENTS; i++)
		if (mask & type->by_argument[i] && event_number(event, type->parameter[i], &value))
			mask &= number_mask(filter, header->type, FILTER_ARGUMENT + i, value,
					    type->argument_else[i]);
	if (mask & type->by_bits && event_number(event, type->bits_parameter, &value))
		mask &= bits_mask(type, value);
	if (mask & type->by_uid)
		mask &= number_mask(filter, header->type, FILTER_UID, header->euid, type->uid_else);
	if (mask & type->by_comm)
		mask &= comm_mask(filter, header->type, header->comm, type->comm_else);
	memcpy(head, header->comm, FILTER_END_BYTES);
	if (mask & type->by_comm_head)
		mask &= comm_mask(filter, header->type | FILTER_COMM_HEAD, head,
				  type->comm_head_else);
	return mask;
}

/* ---- the socket ---------------------------------------------------------------------------------
 */

static uint64_t address_mask(const struct kernel_filter *filter, uint32_t type,
			     const struct wire_tuple *tuple, const uint8_t bytes[16])
{
	struct ip_address address = { .family = (uint8_t)tuple->family };
	uint32_t longest = 0;
	uint64_t mask = 0;

	memcpy(address.bytes, bytes, sizeof(address.bytes));
	for (uint32_t i = 0; i < filter->address_cnt; i++) {
		const struct filter_address_key *key = &filter->addresses[i].key;
		struct cidr net = { .address.family = (uint8_t)key->family,
				    .prefix = (uint8_t)(key->prefix_bits - FILTER_NET_BITS) };

		memcpy(net.address.bytes, key->address, sizeof(net.address.bytes));
		if (key->type != type || key->family != tuple->family ||
		    key->prefix_bits < longest || !cidr_has(&net, &address))
			continue;
		longest = key->prefix_bits;
		mask = filter->addresses[i].mask;
	}
	return mask;
}

/* The clauses of `asked` that the socket's ends leave possible. */
static uint64_t socket_mask(const struct kernel_filter *filter, const struct filter_type *type,
			    const struct event *event, uint64_t asked)
{
	uint32_t code = event->header->type;
	struct wire_tuple tuple;
	uint64_t found;
	struct str path;

	if (!event_tuple(event, type->tuple, &tuple, &path))
		return asked;
	if (asked & type->by_family)
		asked &= number_mask(filter, code, FILTER_FAMILY, tuple.family, type->family_else);
	if (asked & type->by_port) {
		found = number_mask(filter, code, FILTER_PORT, tuple.local_port, 0) |
			number_mask(filter, code, FILTER_PORT, tuple.remote_port, 0);
		asked &= found | ~type->by_port;
	}
	if (asked & type->by_address) {
		found = address_mask(filter, code, &tuple, tuple.local_address) |
			address_mask(filter, code, &tuple, tuple.remote_address);
		asked &= found | ~type->by_address;
	}
	return asked;
}

/* ---- the path -----------------------------------------------------------------------------------
 */

static struct str base_of(struct str path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
	uint32_t begin = slash ? (uint32_t)(slash - path.p) + 1 : 0;

	return (struct str){ path.p + begin, path.n - begin };
}

static uint64_t base_mask(const struct kernel_filter *filter, uint32_t type, struct str name)
{
	uint64_t mask = name_mask(filter, type, FILTER_BASE, name);
	const uint32_t n = FILTER_END_BYTES;

	if (name.n < n)
		return mask;
	return mask | name_mask(filter, type, FILTER_HEAD, (struct str){ name.p, n }) |
	       name_mask(filter, type, FILTER_TAIL, (struct str){ name.p + name.n - n, n });
}

static bool is_odd(struct str name)
{
	return name.n == 0 || (name.n == 1 && name.p[0] == '.') ||
	       (name.n == 2 && name.p[0] == '.' && name.p[1] == '.');
}

/* One name or two below the root of an absolute path, which is there for `cnt` of them. */
static struct str top_of(struct str path, unsigned cnt)
{
	uint32_t end = 1;

	for (; end < path.n; end++)
		if (path.p[end] == '/' && --cnt == 0)
			break;
	return path.n ? (struct str){ path.p + 1, end - 1 } : STR_NONE;
}

static uint64_t top_mask(const struct kernel_filter *filter, uint32_t type, struct str path)
{
	return name_mask(filter, type, FILTER_TOP, top_of(path, 1)) |
	       name_mask(filter, type, FILTER_TOP, top_of(path, 2));
}

/* Whether every part of a path of the kernel is known. */
static bool is_plain(const struct event *event, unsigned param)
{
	const struct wire_path *head = event_kpath_head(event, param);

	return head && !(head->flags & ~WIRE_PATH_DELETED) && head->root_at == head->component_cnt;
}

/* What the file's last name is as the kernel keeps it; STR_NONE: it keeps none. */
static struct str leaf_of(const struct event *event, unsigned param)
{
	const struct wire_path *head = event_kpath_head(event, param);
	struct str leaf = STR_NONE;

	if (head && head->component_cnt)
		leaf = str_from((const char *)(head + 1));
	if (leaf.n == 0 || leaf.p[0] == '/')
		return STR_NONE;
	switch (head->flags >> WIRE_PATH_KIND_SHIFT) {
	case WIRE_KIND_FILE:
	case WIRE_KIND_MEMFD:
	case WIRE_KIND_OTHER:
		return leaf;
	default:
		return STR_NONE;
	}
}

static bool has_odd_names(struct str text)
{
	for (uint32_t begin = 0, i = 0; i <= text.n; i++) {
		if (i < text.n && text.p[i] != '/')
			continue;
		if (!(i == 0 && i < text.n) && is_odd((struct str){ text.p + begin, i - begin }))
			return true;
		begin = i + 1;
	}
	return false;
}

/* The name before the last one. */
static struct str parent_of(struct str path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	return slash ? base_of((struct str){ path.p, (uint32_t)(slash - path.p) }) : STR_NONE;
}

static uint64_t parent_mask(const struct kernel_filter *filter, uint32_t type, struct str path)
{
	struct str name = parent_of(path);

	return name.n ? name_mask(filter, type, FILTER_PARENT, name) : 0;
}

/* Of the file, and as passed: the name of the folder that it is in. */
static uint64_t parents_mask(const struct kernel_filter *filter, const struct filter_type *type,
			     const struct event *event, struct str text)
{
	const struct wire_path *head = event_kpath_head(event, type->path);
	uint32_t code = event->header->type;
	uint64_t mask;

	if (!head || head->flags >> WIRE_PATH_KIND_SHIFT || has_odd_names(text) ||
	    (head->component_cnt < 2 && head->flags & ~WIRE_PATH_DELETED))
		return FILTER_ALL;
	mask = parent_mask(filter, code, event_kpath(event, type->path, -1, true));
	if (memchr(text.p, '/', text.n))
		return mask | parent_mask(filter, code, text);
	head = event_kpath_head(event, type->directory);
	if (!head || head->component_cnt == 0)
		return FILTER_ALL;
	return mask | name_mask(filter, code, FILTER_PARENT, str_from((const char *)(head + 1)));
}

static uint64_t passed_top_mask(const struct kernel_filter *filter, const struct filter_type *type,
				const struct event *event, struct str text)
{
	uint32_t code = event->header->type;

	if (has_odd_names(text))
		return FILTER_ALL;
	if (text.p[0] == '/')
		return top_mask(filter, code, text);
	if (!is_plain(event, type->directory) ||
	    event_kpath_head(event, type->directory)->component_cnt < 2)
		return FILTER_ALL;
	return top_mask(filter, code, event_kpath(event, type->directory, -1, true));
}

/* The clauses of `asked` that the path leaves possible. */
static uint64_t path_mask(const struct kernel_filter *filter, const struct filter_type *type,
			  const struct event *event, uint64_t asked)
{
	struct str text = event_string(event, type->name), leaf = leaf_of(event, type->path);
	uint32_t code = event->header->type;
	uint64_t mask;

	if (!text.p || text.n > TEXT_MAX || event->cut_mask >> type->name & 1 ||
	    is_odd(base_of(text)) || !leaf.p)
		return FILTER_ALL;
	mask = base_mask(filter, code, leaf) | base_mask(filter, code, base_of(text));
	if (asked & type->by_part[FILTER_PARENT])
		mask |= parents_mask(filter, type, event, text);
	if (mask & asked || !(asked & type->by_part[FILTER_TOP]))
		return mask;
	if (!is_plain(event, type->path))
		return FILTER_ALL;
	return mask | top_mask(filter, code, event_kpath(event, type->path, -1, true)) |
	       passed_top_mask(filter, type, event, text);
}

static bool is_shallow(const struct filter_type *type, const struct event *event)
{
	const struct wire_path *head = event_kpath_head(event, type->path);

	return head && !(head->flags & WIRE_PATH_TRUNCATED) && head->component_cnt < FILTER_SHALLOW;
}

bool kernel_filter_passes(const struct kernel_filter *filter, const struct event *event)
{
	const struct filter_type *type = &filter->types[event->header->type];
	uint64_t mask;

	if (!type->is_active || event->header->flags & WIRE_IO_URING)
		return true;
	mask = call_mask(filter, type, event);
	if (mask & type->by_depth && event->header->result >= 0 && is_shallow(type, event))
		mask &= ~type->by_depth;
	if (mask && !(mask & ~type->by_socket))
		return socket_mask(filter, type, event, mask) != 0;
	if (event->header->result < 0 || !mask || mask & ~type->by_path)
		return mask != 0;
	return (mask & path_mask(filter, type, event, mask)) != 0;
}
