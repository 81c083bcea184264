/*
 * Joins what several sources said of one container. Owns nothing; metadata thread.
 */
#include "haetae/proc.h"
#include "info.h"

static void fill_str(struct container_info *info, struct str *member, struct str from)
{
	if (member->p || !from.p)
		return;
	*member = arena_str(&info->arena, from);
	info->is_cut |= !member->p;
}

static void fill_tristate(enum tristate *member, enum tristate from)
{
	if (*member == TRI_UNKNOWN)
		*member = from;
}

static void fill_labels(struct container_info *info, const struct label **labels, uint32_t *cnt,
			const struct label *from, uint32_t from_cnt)
{
	struct label *copy;

	if (*cnt || !from_cnt)
		return;
	copy = arena_new_array(&info->arena, struct label, from_cnt);
	for (uint32_t i = 0; copy && i < from_cnt; i++) {
		copy[i].key = arena_str(&info->arena, from[i].key);
		copy[i].value = arena_str(&info->arena, from[i].value);
		if (!copy[i].key.p || !copy[i].value.p)
			break;
		*cnt = i + 1;
	}
	*labels = copy;
	info->is_cut |= *cnt < from_cnt;
}

static void fill_mounts(struct container_info *info, const struct container_info *from)
{
	struct container_mount *copy;

	if (info->mount_cnt || !from->mount_cnt)
		return;
	copy = arena_new_array(&info->arena, struct container_mount, from->mount_cnt);
	for (uint32_t i = 0; copy && i < from->mount_cnt; i++) {
		const struct container_mount *mount = &from->mounts[i];

		copy[i].is_writable = mount->is_writable;
		fill_str(info, &copy[i].source, mount->source);
		fill_str(info, &copy[i].dest, mount->dest);
		fill_str(info, &copy[i].mode, mount->mode);
		fill_str(info, &copy[i].propagation, mount->propagation);
	}
	info->is_cut |= !copy;
	info->mounts = copy;
	info->mount_cnt = copy ? from->mount_cnt : 0;
}

static void fill_strings(struct container_info *info, const struct container_info *from)
{
	struct {
		struct str *member;
		struct str from;
	} strings[] = {
		{ &info->full_id, from->full_id },
		{ &info->name, from->name },
		{ &info->image, from->image },
		{ &info->image_id, from->image_id },
		{ &info->image_repository, from->image_repository },
		{ &info->image_tag, from->image_tag },
		{ &info->image_digest, from->image_digest },
		{ &info->ip, from->ip },
		{ &info->cni_json, from->cni_json },
		{ &info->runtime_handler, from->runtime_handler },
		{ &info->sandbox_id, from->sandbox_id },
		{ &info->pod_uid, from->pod_uid },
		{ &info->pod_name, from->pod_name },
		{ &info->pod_namespace, from->pod_namespace },
		{ &info->pod_ip, from->pod_ip },
	};

	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		fill_str(info, strings[i].member, strings[i].from);
}

void info_fill(struct container_info *info, const struct container_info *from)
{
	if (!info->users && from->users)
		info->users = users_ref(from->users);
	fill_strings(info, from);
	fill_tristate(&info->privileged, from->privileged);
	fill_tristate(&info->host_pid, from->host_pid);
	fill_tristate(&info->host_network, from->host_network);
	fill_tristate(&info->host_ipc, from->host_ipc);
	info->is_cut |= from->is_cut;
	info->is_sandbox |= from->is_sandbox;
	/* Which shim runs it is said by one source only. */
	if (info->type == CONTAINER_HOST || from->type == CONTAINER_WASM)
		info->type = from->type;
	if (!info->started_ns)
		info->started_ns = from->started_ns;
	fill_labels(info, &info->labels, &info->label_cnt, from->labels, from->label_cnt);
	fill_labels(info, &info->pod_labels, &info->pod_label_cnt, from->pod_labels,
		    from->pod_label_cnt);
	fill_mounts(info, from);
}
