/*
 * An OCI bundle's config.json, or the list of containers/storage. The first byte says which, and
 * whose bundle it is.
 */
#include "oci.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct container_info *info = container_info_new();
	struct str json;

	hae_assert(info);
	if (size > 1) {
		json = (struct str){ (const char *)data + 1, (uint32_t)size - 1 };
		if (data[0] % 4 == 3)
			(void)oci_storage_parse(json, STR("aa"), info);
		else
			(void)oci_config_parse(json, (enum oci_writer)(data[0] % 4), info);
	}
	hae_assert(info->label_cnt <= METADATA_LABELS_MAX);
	hae_assert(info->pod_label_cnt <= METADATA_LABELS_MAX);
	hae_assert(info->mount_cnt <= METADATA_MOUNTS_MAX);
	for (uint32_t i = 0; i < info->mount_cnt; i++)
		hae_assert(info->mounts[i].dest.n);
	container_info_unref(info);
	return 0;
}
