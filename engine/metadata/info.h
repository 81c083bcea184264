/*
 * Filling a container_info from what a runtime said: copies into its arena, bounded. Used by every
 * source of runtimes; metadata thread.
 */
#ifndef METADATA_INFO_H
#define METADATA_INFO_H

#include <json-c/json.h>

#include "haetae/container.h"

/* Where a runtime's JSON is nested deeper, it is none of a runtime. */
#define INFO_JSON_DEPTH 32

/* Copies text that is not empty over what was there; what does not fit sets is_cut. */
void info_set(struct container_info *info, struct str *field, struct str text);

/* What `info` lacks is copied from `from`, except is_partial. */
void info_fill(struct container_info *info, const struct container_info *from);

/* Key and value pairs that grow within an info's arena, METADATA_LABELS_MAX at most. Zeroed, it is
 * empty. A key that comes again replaces the value. */
struct info_labels {
	struct label *items;
	uint32_t cnt, capacity;
};
void info_labels_put(struct container_info *info, struct info_labels *labels, struct str key,
		     struct str value);
const struct label *info_labels_find(const struct info_labels *labels, struct str key);

struct info_mounts {
	struct container_mount *items;
	uint32_t cnt, capacity;
};
/* Copies the strings. */
void info_mounts_put(struct container_info *info, struct info_mounts *mounts,
		     const struct container_mount *mount);

/* The whole of `text` as JSON, at most INFO_JSON_DEPTH deep; NULL where it is none. The caller
 * puts it. */
struct json_object *info_json_parse(struct str text);
/* A member of an object; NULL where `object` is none, or has no such. */
struct json_object *info_json_member(struct json_object *object, const char *name);
/* A string member; p NULL for anything else. Borrowed. */
struct str info_json_text(struct json_object *object, const char *name);
/* An object's string members. */
void info_labels_put_json(struct container_info *info, struct info_labels *labels,
			  struct json_object *object);

/* Whether a runtime, a handler or a shim is one for WebAssembly: "io.containerd.spin.v2",
 * "wasmtime", "/usr/local/bin/containerd-shim-wasmedge-v1". */
bool info_is_wasm(struct str name);
/* Fills pod fields that are still unknown from the labels that the kubelet gives containers. */
void info_take_kubelet_labels(struct container_info *info, const struct info_labels *labels);

static inline void info_json_putp(struct json_object **object)
{
	json_object_put(*object);
}

static inline void info_unrefp(struct container_info **info)
{
	container_info_unref(*info);
}

#endif
