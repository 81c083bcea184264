/*
 * What a runtime said of a container, and the API of a pod: one allocation with an arena, counted
 * references. Made by the metadata thread, read by the engine thread, freed by whoever is last.
 */
#include <stdatomic.h>

#include "haetae/container.h"
#include "haetae/proc.h"

/* An info and its arena's bookkeeping; what it says is bounded on its own. */
#define INFO_BYTES_MAX (CONTAINER_INFO_BYTES_MAX + 4096)

const struct container container_host = {
	.full_id = "host",
	.id = "host",
	.type = CONTAINER_HOST,
};

/* As Falco names them. */
const char *container_type_name(enum container_type type)
{
	static const char *const names[CONTAINER_TYPE__COUNT] = {
		[CONTAINER_HOST] = "host",
		[CONTAINER_DOCKER] = "docker",
		[CONTAINER_CONTAINERD] = "containerd",
		[CONTAINER_CRIO] = "cri-o",
		[CONTAINER_PODMAN] = "podman",
		[CONTAINER_LXC] = "lxc",
		[CONTAINER_LIBVIRT_LXC] = "libvirt-lxc",
		[CONTAINER_NSPAWN] = "nspawn",
		[CONTAINER_BPM] = "bpm",
		[CONTAINER_GARDEN] = "garden",
		[CONTAINER_CRI] = "cri",
		[CONTAINER_WASM] = "wasm",
	};

	return names[type];
}

struct container_info *container_info_new(void)
{
	struct container_info *info = calloc(1, sizeof(*info));

	if (!info)
		return NULL;
	arena_init(&info->arena, INFO_BYTES_MAX);
	atomic_init(&info->refs, 1);
	return info;
}

struct container_info *container_info_ref(struct container_info *info)
{
	atomic_fetch_add_explicit(&info->refs, 1, memory_order_relaxed);
	return info;
}

/* The last one must see all that the others did. */
static bool is_last(_Atomic uint32_t *refs)
{
	return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

struct container_info *container_info_unref(struct container_info *info)
{
	if (info && is_last(&info->refs)) {
		users_free(info->users);
		arena_done(&info->arena);
		free(info);
	}
	return NULL;
}

struct pod_info *pod_info_new(void)
{
	struct pod_info *info = calloc(1, sizeof(*info));

	if (!info)
		return NULL;
	arena_init(&info->arena, INFO_BYTES_MAX);
	atomic_init(&info->refs, 1);
	return info;
}

struct pod_info *pod_info_ref(struct pod_info *info)
{
	atomic_fetch_add_explicit(&info->refs, 1, memory_order_relaxed);
	return info;
}

struct pod_info *pod_info_unref(struct pod_info *info)
{
	if (info && is_last(&info->refs)) {
		arena_done(&info->arena);
		free(info);
	}
	return NULL;
}

/* ---- images --------------------------------------------------------------------------------- */

static void set_part(struct container_info *info, struct str *part, const char *begin,
		     const char *end)
{
	struct str copy;

	if (end == begin)
		return;
	copy = arena_str(&info->arena, (struct str){ begin, (uint32_t)(end - begin) });
	if (copy.p)
		*part = copy;
	else
		info->is_cut = true;
}

static bool is_hex(const char *p, const char *end)
{
	for (; p < end; p++)
		if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f')))
			return false;
	return true;
}

/* name[:tag][@algorithm:digest]; the tag stands behind the last slash, since a registry may have a
 * port (distribution's grammar of references). */
void container_info_set_image(struct container_info *info, struct str reference)
{
	const char *begin = reference.p, *end = begin + reference.n;
	const char *at, *slash, *colon;

	if (!reference.n)
		return;
	/* An id alone: docker run 3f2a…, or "sha256:3f2a…". It names no repository. */
	if (str_starts_with(reference, STR("sha256:")) ||
	    (reference.n == 64 && is_hex(begin, end))) {
		set_part(info, &info->image_id, begin, end);
		return;
	}
	at = memchr(begin, '@', reference.n);
	if (at) {
		set_part(info, &info->image_digest, at + 1, end);
		end = at;
	}
	slash = memrchr(begin, '/', (size_t)(end - begin));
	if (!slash)
		slash = begin;
	colon = memchr(slash, ':', (size_t)(end - slash));
	if (colon)
		set_part(info, &info->image_tag, colon + 1, end);
	set_part(info, &info->image_repository, begin, colon ? colon : end);
}
