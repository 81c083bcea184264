/*
 * The path of a control group, any bytes: what it names lies within the path, and is the same
 * whatever stands below the container's own part.
 */
#include <stdlib.h>

#include "haetae/container.h"
#include "target.h"

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

static bool is_same(const struct cgroup_identity *a, const struct cgroup_identity *b)
{
	return a->type == b->type && a->is_users == b->is_users && a->depth == b->depth &&
	       strcmp(a->id, b->id) == 0 && strcmp(a->pod_uid, b->pod_uid) == 0 &&
	       strcmp(a->runtime_namespace, b->runtime_namespace) == 0;
}

static void check_identity(struct str path, const struct cgroup_identity *identity)
{
	check(identity->depth > 1 && identity->depth <= path.n && path.p[0] == '/');
	check(identity->depth == path.n || path.p[identity->depth] == '/');
	check(identity->type != CONTAINER_HOST && identity->type < CONTAINER_TYPE__COUNT);
	check(identity->id[0] && memchr(identity->id, '\0', sizeof(identity->id)));
	check(memchr(identity->pod_uid, '\0', sizeof(identity->pod_uid)));
	for (const char *p = identity->id; *p; p++)
		check((unsigned char)*p > ' ' && *p != '/' && *p != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cgroup_identity identity, again;
	char *copy = malloc(size ? size : 1); /* of the exact size */
	struct str path = { copy, (uint32_t)size };

	if (size > 1u << 16 || !copy) {
		free(copy);
		return 0;
	}
	if (size)
		memcpy(copy, data, size);
	if (cgroup_identify(path, &identity)) {
		check_identity(path, &identity);
		check(cgroup_identify((struct str){ copy, identity.depth }, &again));
		check(is_same(&identity, &again));
	} else {
		check(!identity.id[0]);
	}
	if (cgroup_candidate(path, &identity)) {
		check_identity(path, &identity);
		check(identity.runtime_namespace[0]);
	}
	free(copy);
	return 0;
}
