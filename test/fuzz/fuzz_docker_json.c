/*
 * What Docker's API answers, and the header lines of any HTTP answer: the first byte says which.
 * Whatever comes out must lie within its bounds, and no pod comes from a label (decision 25).
 */
#include "docker_parse.h"
#include "http_answer.h"
#include "target.h"

#define ID "0123456789ab"

static void check_container(struct str body)
{
	struct container_info *info = docker_parse_container(body, CONTAINER_DOCKER, STR(ID));

	if (!info)
		return;
	hae_assert(str_eq_text(info->full_id, ID));
	hae_assert(info->label_cnt <= METADATA_LABELS_MAX);
	hae_assert(info->mount_cnt <= METADATA_MOUNTS_MAX);
	hae_assert(!info->pod_name.p && !info->pod_uid.p && !info->pod_namespace.p);
	for (uint32_t i = 0; i < info->label_cnt; i++)
		hae_assert(info->labels[i].key.p && info->labels[i].value.p);
	hae_assert(info->arena.used_bytes <= 2 * CONTAINER_INFO_BYTES_MAX);
	container_info_unref(info);
}

static void check_headers(struct str text)
{
	struct http_result result = { .grpc_status = -1 };

	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		uint32_t n = end ? (uint32_t)(end - text.p) + 1 : text.n;

		http_answer_line(&result, (struct str){ text.p, n }, 1700000000);
		text = (struct str){ text.p + n, text.n - n };
	}
	hae_assert(result.grpc_status >= -1);
	hae_assert(memchr(result.grpc_message, 0, sizeof(result.grpc_message)));
	hae_assert(memchr(result.content_type, 0, sizeof(result.content_type)));
	hae_assert(result.retry_after_ns <= 86400ull * 1000000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data + 1, size ? (uint32_t)size - 1 : 0 };
	char digest[80];

	if (!size)
		return 0;
	switch (data[0]) {
	case 'v':
		(void)docker_parse_version(rest);
		break;
	case 'i':
		docker_parse_image(rest, STR("nginx"), digest, sizeof(digest));
		hae_assert(memchr(digest, 0, sizeof(digest)));
		break;
	case 'h':
		check_headers(rest);
		break;
	default:
		check_container(rest);
		break;
	}
	return 0;
}
