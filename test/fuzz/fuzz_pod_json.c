/*
 * What a Kubernetes API server, or who speaks in its place, may send: the stream cut into objects,
 * each of them as a pod, a watch event and a list's metadata. The first byte says where it is cut.
 */
#include "json_stream.h"
#include "pod_json.h"
#include "target.h"

static bool take(enum json_piece piece, struct str text, void *data)
{
	struct watch_event event;
	struct list_metadata list;

	(void)data;
	if (piece == JSON_PIECE_TOO_LONG)
		return true;
	pod_info_unref(pod_json_parse(text));
	watch_event_parse(text, &event);
	pod_info_unref(event.pod);
	(void)list_metadata_parse(text, &list);
	return true;
}

static void feed(enum json_stream_form form, const uint8_t *data, size_t size, size_t step)
{
	struct json_stream stream;

	json_stream_init(&stream, form, 1u << 16, take, NULL);
	for (size_t at = 0; at < size; at += step) {
		struct str piece = { (const char *)data + at, (uint32_t)MIN(step, size - at) };

		if (!json_stream_feed(&stream, piece))
			break;
	}
	json_stream_done(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	feed(JSON_STREAM_VALUES, data + 1, size - 1, data[0] + 1u);
	feed(JSON_STREAM_LIST, data + 1, size - 1, data[0] + 1u);
	return 0;
}
