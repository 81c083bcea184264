/*
 * Answers of the metadata thread as payloads: containers with their users, pods, states of sources.
 * What get_answer() makes is owned by the reader. Pure but for memory; every count is bounded as
 * the sources bound it.
 */
#include <stdio.h>

#include "capture_private.h"

#define IPS_MAX 64 /* of one pod; the API gives two at most (status.podIPs) */

/* ---- writing ---- */

static void put_labels(struct buf *out, const struct label *labels, uint32_t cnt)
{
	put_u32(out, cnt);
	for (uint32_t i = 0; i < cnt; i++) {
		put_str(out, labels[i].key);
		put_str(out, labels[i].value);
	}
}

static void put_mounts(struct buf *out, const struct container_info *info)
{
	put_u32(out, info->mount_cnt);
	for (uint32_t i = 0; i < info->mount_cnt; i++) {
		const struct container_mount *mount = &info->mounts[i];

		put_str(out, mount->source);
		put_str(out, mount->dest);
		put_str(out, mount->mode);
		put_str(out, mount->propagation);
		put_u8(out, mount->is_writable);
	}
}

static void put_users(struct buf *out, const struct users *users)
{
	_cleanup_(buf_done) struct buf passwd = { 0 };
	_cleanup_(buf_done) struct buf group = { 0 };

	put_u8(out, users != NULL);
	if (!users)
		return;
	buf_init(&passwd, CAPTURE_PAYLOAD_MAX / 2);
	buf_init(&group, CAPTURE_PAYLOAD_MAX / 2);
	users_put(users, &passwd, &group);
	put_str(out, buf_str(&passwd));
	put_str(out, buf_str(&group));
}

/* The strings of an info in the order of the payload: append only. */
#define INFO_STRINGS(info)                                                                    \
	{                                                                                     \
		&(info)->full_id, &(info)->name, &(info)->image, &(info)->image_id,           \
			&(info)->image_repository, &(info)->image_tag, &(info)->image_digest, \
			&(info)->ip, &(info)->cni_json, &(info)->runtime_handler,             \
			&(info)->sandbox_id, &(info)->root_path, &(info)->pod_uid,            \
			&(info)->pod_name, &(info)->pod_namespace, &(info)->pod_ip            \
	}
#define POD_STRINGS(pod)                                                                    \
	{                                                                                   \
		&(pod)->uid, &(pod)->name, &(pod)->namespace, &(pod)->node,                 \
			&(pod)->service_account, &(pod)->runtime_class, &(pod)->owner_kind, \
			&(pod)->owner_name, &(pod)->rs_name, &(pod)->deployment_name        \
	}

static void put_info(struct buf *out, const struct container_info *info)
{
	const struct str *const strings[] = INFO_STRINGS(info);

	put_u8(out, (uint8_t)(info->is_cut | info->is_sandbox << 1 | info->is_partial << 2));
	put_u8(out, (uint8_t)info->privileged);
	put_u8(out, (uint8_t)info->host_pid);
	put_u8(out, (uint8_t)info->host_network);
	put_u8(out, (uint8_t)info->host_ipc);
	put_u8(out, (uint8_t)info->type);
	put_u64(out, info->started_ns);
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		put_str(out, *strings[i]);
	put_labels(out, info->labels, info->label_cnt);
	put_labels(out, info->pod_labels, info->pod_label_cnt);
	put_mounts(out, info);
	put_users(out, info->users);
}

static void put_pod(struct buf *out, const struct pod_info *pod)
{
	const struct str *const strings[] = POD_STRINGS(pod);

	put_u8(out, (uint8_t)(pod->is_cut | pod->is_host_network << 1));
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		put_str(out, *strings[i]);
	put_u32(out, pod->ip_cnt);
	for (uint32_t i = 0; i < pod->ip_cnt; i++)
		put_str(out, pod->ips[i]);
	put_labels(out, pod->labels, pod->label_cnt);
	put_labels(out, pod->annotations, pod->annotation_cnt);
}

void put_answer(struct buf *out, const struct metadata_answer *answer)
{
	put_u8(out, (uint8_t)answer->type);
	put_u8(out, (uint8_t)answer->source);
	put_u8(out, answer->is_healthy);
	put_u8(out, (uint8_t)((answer->info != NULL) | (answer->pod != NULL) << 1));
	put_str(out, str_from(answer->full_id));
	if (answer->info)
		put_info(out, answer->info);
	if (answer->pod)
		put_pod(out, answer->pod);
}

/* ---- reading ---- */

static struct str copy_str(struct cursor *in, struct arena *arena)
{
	struct str s = get_str(in), copy;

	if (!s.p)
		return STR_NONE;
	copy = arena_str(arena, s);
	in->failed |= !copy.p;
	return copy;
}

static uint32_t get_cnt(struct cursor *in, uint32_t max)
{
	uint32_t cnt = get_u32(in);

	in->failed |= cnt > max;
	return in->failed ? 0 : cnt;
}

static const struct label *get_labels(struct cursor *in, struct arena *arena, uint32_t *ret_cnt)
{
	uint32_t cnt = get_cnt(in, METADATA_LABELS_MAX);
	struct label *labels = arena_new_array(arena, struct label, cnt);

	in->failed |= !labels;
	for (uint32_t i = 0; i < cnt && !in->failed; i++) {
		labels[i].key = copy_str(in, arena);
		labels[i].value = copy_str(in, arena);
		in->failed |= !labels[i].key.p || !labels[i].value.p;
	}
	*ret_cnt = in->failed ? 0 : cnt;
	return labels;
}

static void get_mounts(struct cursor *in, struct container_info *info)
{
	uint32_t cnt = get_cnt(in, METADATA_MOUNTS_MAX);
	struct container_mount *mounts = arena_new_array(&info->arena, struct container_mount, cnt);

	in->failed |= !mounts;
	for (uint32_t i = 0; i < cnt && !in->failed; i++) {
		mounts[i].source = copy_str(in, &info->arena);
		mounts[i].dest = copy_str(in, &info->arena);
		mounts[i].mode = copy_str(in, &info->arena);
		mounts[i].propagation = copy_str(in, &info->arena);
		mounts[i].is_writable = get_u8(in) & 1;
	}
	info->mounts = mounts;
	info->mount_cnt = in->failed ? 0 : cnt;
}

static struct users *get_users(struct cursor *in)
{
	struct users *users = NULL;
	struct str passwd, group;

	if (!(get_u8(in) & 1))
		return NULL;
	passwd = get_str(in);
	group = get_str(in);
	if (in->failed || !passwd.p || !group.p || users_new_from(passwd, group, &users) < 0)
		in->failed = true;
	return users;
}

static void get_info(struct cursor *in, struct container_info *info)
{
	struct str *const strings[] = INFO_STRINGS(info);
	uint8_t bits = get_u8(in);

	info->is_cut = bits & 1;
	info->is_sandbox = bits >> 1 & 1;
	info->is_partial = bits >> 2 & 1;
	info->privileged = (enum tristate)get_enum(in, TRI_TRUE + 1);
	info->host_pid = (enum tristate)get_enum(in, TRI_TRUE + 1);
	info->host_network = (enum tristate)get_enum(in, TRI_TRUE + 1);
	info->host_ipc = (enum tristate)get_enum(in, TRI_TRUE + 1);
	info->type = (enum container_type)get_enum(in, CONTAINER_TYPE__COUNT);
	info->started_ns = get_u64(in);
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		*strings[i] = copy_str(in, &info->arena);
	info->labels = get_labels(in, &info->arena, &info->label_cnt);
	info->pod_labels = get_labels(in, &info->arena, &info->pod_label_cnt);
	get_mounts(in, info);
	info->users = get_users(in);
}

static void get_pod(struct cursor *in, struct pod_info *pod)
{
	struct str *const strings[] = POD_STRINGS(pod);
	uint8_t bits = get_u8(in);
	struct str *ips;
	uint32_t cnt;

	pod->is_cut = bits & 1;
	pod->is_host_network = bits >> 1 & 1;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		*strings[i] = copy_str(in, &pod->arena);
	cnt = get_cnt(in, IPS_MAX);
	ips = arena_new_array(&pod->arena, struct str, cnt);
	in->failed |= !ips || !pod->uid.p;
	for (uint32_t i = 0; i < cnt && !in->failed; i++) {
		ips[i] = copy_str(in, &pod->arena);
		in->failed |= !ips[i].p;
	}
	pod->ips = ips;
	pod->ip_cnt = in->failed ? 0 : cnt;
	pod->labels = get_labels(in, &pod->arena, &pod->label_cnt);
	pod->annotations = get_labels(in, &pod->arena, &pod->annotation_cnt);
}

struct metadata_answer *answer_free(struct metadata_answer *answer)
{
	if (answer) {
		container_info_unref(answer->info);
		pod_info_unref(answer->pod);
	}
	free(answer);
	return NULL;
}

struct metadata_answer *get_answer(struct cursor *in)
{
	struct metadata_answer *answer = calloc(1, sizeof(*answer));
	uint8_t parts;

	in->failed |= !answer;
	if (!answer)
		return NULL;
	answer->type = (enum metadata_answer_type)get_enum(in, ANSWER_SOURCE + 1);
	answer->source = (enum metadata_source)get_enum(in, METADATA_SOURCE__COUNT);
	answer->is_healthy = get_u8(in) & 1;
	parts = get_u8(in);
	strncpy(answer->full_id, get_text(in, CONTAINER_ID_MAX), CONTAINER_ID_MAX);
	in->failed |= answer->type == ANSWER_POD && !(parts & 2);
	if (parts & 1 && !in->failed) {
		answer->info = container_info_new();
		in->failed |= !answer->info;
		if (answer->info)
			get_info(in, answer->info);
	}
	if (parts & 2 && !in->failed) {
		answer->pod = pod_info_new();
		in->failed |= !answer->pod;
		if (answer->pod)
			get_pod(in, answer->pod);
	}
	return in->failed ? answer_free(answer) : answer;
}
