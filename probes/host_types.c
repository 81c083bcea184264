/*
 * The running kernel's types, as /sys/kernel/btf/vmlinux has them, with an index of their names:
 * libbpf looks for a name by going through all 150,000 types. Answers what the tracepoints and
 * functions of this kernel look like. Owned by who reads them. Any thread.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>

#include "probes_private.h"

struct host_types {
	struct btf *btf;
	uint32_t *ids;	/* by hash_of() their names, open addressing; 0: none (it is `void`) */
	uint32_t slots; /* a power of two, at least twice the types */
};

/* FNV-1a. */
static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash;
}

static bool build_index(struct host_types *types)
{
	uint32_t cnt = btf__type_cnt(types->btf);

	types->slots = 1024;
	while (types->slots < 2 * cnt)
		types->slots *= 2;
	types->ids = calloc(types->slots, sizeof(*types->ids));
	if (!types->ids)
		return false;
	for (uint32_t id = 1; id < cnt; id++) {
		const struct btf_type *type = btf__type_by_id(types->btf, id);
		const char *name = btf__name_by_offset(types->btf, type->name_off);
		uint32_t slot;

		if (!name || !name[0])
			continue;
		slot = hash_of(name) & (types->slots - 1);
		while (types->ids[slot])
			slot = (slot + 1) & (types->slots - 1);
		types->ids[slot] = id;
	}
	return true;
}

struct host_types *host_types_read(void)
{
	struct host_types *types = host_has_btf() ? calloc(1, sizeof(*types)) : NULL;

	if (!types)
		return NULL;
	types->btf = btf__parse(BTF_PATH, NULL);
	if (!types->btf || !build_index(types)) {
		int error = errno;

		host_types_free(types);
		errno = error;
		return NULL;
	}
	return types;
}

void host_types_free(struct host_types *types)
{
	if (!types)
		return;
	btf__free(types->btf);
	free(types->ids);
	free(types);
}

/* The first type of that name and kind, or of any where kind is 0 (BTF_KIND_UNKN); 0: none. */
uint32_t host_types_find(const struct host_types *types, const char *name, uint32_t kind)
{
	uint32_t mask = types ? types->slots - 1 : 0;

	if (!types)
		return 0;
	for (uint32_t slot = hash_of(name) & mask; types->ids[slot]; slot = (slot + 1) & mask) {
		const struct btf_type *type = btf__type_by_id(types->btf, types->ids[slot]);

		if ((!kind || btf_kind(type) == kind) &&
		    strcmp(btf__name_by_offset(types->btf, type->name_off), name) == 0)
			return types->ids[slot];
	}
	return 0;
}

bool host_types_have(const struct host_types *types, const char *name)
{
	return host_types_find(types, name, BTF_KIND_UNKN) != 0;
}

bool host_types_enumerator(const struct host_types *types, const char *type_name, const char *name,
			   int64_t *ret_value)
{
	uint32_t id = host_types_find(types, type_name, BTF_KIND_ENUM);
	const struct btf_type *type = id ? btf__type_by_id(types->btf, id) : NULL;

	for (uint32_t i = 0; type && i < btf_vlen(type); i++) {
		const struct btf_enum *entry = &btf_enum(type)[i];

		if (strcmp(btf__name_by_offset(types->btf, entry->name_off), name) == 0) {
			*ret_value = entry->val;
			return true;
		}
	}
	return false;
}

int host_tracepoint_arguments(const struct host_types *types, const char *tracepoint)
{
	const struct btf_type *type;
	char name[96];
	uint32_t id;

	/* A typedef of a pointer to the prototype, whose first argument is the tracepoint's own. */
	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	id = host_types_find(types, name, BTF_KIND_TYPEDEF);
	type = id ? btf__type_by_id(types->btf, id) : NULL;
	if (type)
		type = btf__type_by_id(types->btf, type->type);
	if (type && btf_is_ptr(type))
		type = btf__type_by_id(types->btf, type->type);
	return type && btf_is_func_proto(type) ? (int)btf_vlen(type) - 1 : -1;
}

/* The name of the struct that the tracepoint's argument (from 0) points to, or NULL. */
static const char *tracepoint_struct(const struct host_types *types, const char *tracepoint,
				     unsigned argument)
{
	const struct btf_type *type;
	char name[96];
	uint32_t id;

	if (host_tracepoint_arguments(types, tracepoint) <= (int)argument)
		return NULL;
	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	id = host_types_find(types, name, BTF_KIND_TYPEDEF);
	type = btf__type_by_id(types->btf, btf__type_by_id(types->btf, id)->type);
	type = btf__type_by_id(types->btf, type->type);
	type = btf__type_by_id(types->btf, btf_params(type)[argument + 1].type);
	if (!type || !btf_is_ptr(type))
		return NULL;
	type = btf__type_by_id(types->btf, type->type);
	return type && btf_is_struct(type) ? btf__name_by_offset(types->btf, type->name_off) : NULL;
}

static bool takes(const struct host_types *types, const char *tracepoint, unsigned argument,
		  const char *name)
{
	const char *found = tracepoint_struct(types, tracepoint, argument);

	return found && strcmp(found, name) == 0;
}

const char *host_uring_submit(const struct host_types *types)
{
	return takes(types, "io_uring_submit_req", 0, "io_kiocb") ? "io_uring_submit_req"
								  : "io_uring_submit_sqe";
}

enum host_uring host_uring(const struct host_types *types)
{
	if (!takes(types, host_uring_submit(types), 0, "io_kiocb"))
		return HOST_URING_NONE;
	if (takes(types, "io_uring_complete", 2, "io_uring_cqe"))
		return HOST_URING_REQUEST_CQE;
	/* ctx, req, user_data, res, cflags, extra1, extra2 */
	return host_tracepoint_arguments(types, "io_uring_complete") == 7 ? HOST_URING_REQUEST
									  : HOST_URING_NONE;
}
