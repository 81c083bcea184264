/*
 * What a runtime's socket answers: a frame, and in it a message of any of the calls. The first byte
 * says which; whatever comes out must lie within its bounds.
 */
#include "cri_answer.h"
#include "grpc.h"
#include "target.h"

static void check_labels(const struct label *labels, uint32_t cnt)
{
	hae_assert(cnt <= METADATA_LABELS_MAX);
	for (uint32_t i = 0; i < cnt; i++)
		hae_assert(labels[i].key.n && labels[i].value.p);
}

static void check(const struct container_info *info)
{
	check_labels(info->labels, info->label_cnt);
	check_labels(info->pod_labels, info->pod_label_cnt);
	hae_assert(info->mount_cnt <= METADATA_MOUNTS_MAX);
	for (uint32_t i = 0; i < info->mount_cnt; i++)
		hae_assert(info->mounts[i].dest.n);
	hae_assert(info->arena.used_bytes <= 2 * CONTAINER_INFO_BYTES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct container_info *info;
	struct str message;

	if (size < 1 ||
	    !grpc_unframe((struct str){ (const char *)data + 1, (uint32_t)size - 1 }, &message))
		return 0;
	info = container_info_new();
	hae_assert(info);
	switch (data[0] % 6) {
	case 0:
		(void)cri_container_parse(message, STR("aa"), info);
		break;
	case 1:
		(void)cri_sandbox_parse(message, STR("aa"), info);
		break;
	case 2:
		info->is_sandbox = true;
		(void)cri_sandbox_parse(message, STR("aa"), info);
		break;
	case 3:
		(void)cri_containerd_parse(message, STR("aa"), info);
		break;
	case 4:
		(void)cri_version_parse(message);
		break;
	default:
		info->image = STR("busybox:1");
		(void)cri_image_parse(message, info);
	}
	check(info);
	container_info_unref(info);
	return 0;
}
