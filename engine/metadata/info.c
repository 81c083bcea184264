/*
 * How sources fill a container_info: strings, labels and mounts copied into its arena within its
 * bounds, JSON members of the right type or nothing, and which runtimes are for WebAssembly. Owns
 * nothing; metadata thread.
 */
#include "info.h"
#include "haetae/json_bound.h"
#include "json.h"

void info_set(struct container_info *info, struct str *field, struct str text)
{
	struct str copy;

	if (!text.n)
		return;
	copy = arena_str(&info->arena, text);
	if (copy.p)
		*field = copy;
	else
		info->is_cut = true;
}

/* Room for one more in an array of an arena: doubled, the old one stays behind in the arena. */
static void *grow(struct container_info *info, void *items, uint32_t cnt, uint32_t *capacity,
		  size_t size)
{
	uint32_t larger = *capacity ? *capacity * 2 : 8;
	void *copy;

	if (cnt < *capacity)
		return items;
	copy = arena_zalloc_array(&info->arena, larger, size);
	if (!copy)
		return NULL;
	if (cnt)
		memcpy(copy, items, cnt * size);
	*capacity = larger;
	return copy;
}

/* p is set also for an empty text: a label's value may be empty. False: no room. */
static bool copy_text(struct container_info *info, struct str text, struct str *ret)
{
	struct str copy = arena_str(&info->arena, text.p ? text : STR(""));

	if (!copy.p)
		return false;
	*ret = copy;
	return true;
}

static struct label *find_label(const struct info_labels *labels, struct str key)
{
	for (uint32_t i = 0; i < labels->cnt; i++)
		if (str_eq(labels->items[i].key, key))
			return &labels->items[i];
	return NULL;
}

const struct label *info_labels_find(const struct info_labels *labels, struct str key)
{
	return find_label(labels, key);
}

void info_labels_put(struct container_info *info, struct info_labels *labels, struct str key,
		     struct str value)
{
	struct label *old = find_label(labels, key), *items;
	struct label label;

	if (!key.n)
		return;
	if (old) {
		if (!copy_text(info, value, &old->value))
			info->is_cut = true;
		return;
	}
	if (labels->cnt == METADATA_LABELS_MAX || !copy_text(info, key, &label.key) ||
	    !copy_text(info, value, &label.value)) {
		info->is_cut = true;
		return;
	}
	items = grow(info, labels->items, labels->cnt, &labels->capacity, sizeof(*items));
	if (!items) {
		info->is_cut = true;
		return;
	}
	labels->items = items;
	items[labels->cnt++] = label;
}

void info_mounts_put(struct container_info *info, struct info_mounts *mounts,
		     const struct container_mount *mount)
{
	struct container_mount copy = { .is_writable = mount->is_writable }, *items;

	if (!mount->dest.n)
		return;
	if (mounts->cnt == METADATA_MOUNTS_MAX) {
		info->is_cut = true;
		return;
	}
	info_set(info, &copy.source, mount->source);
	info_set(info, &copy.dest, mount->dest);
	info_set(info, &copy.mode, mount->mode);
	info_set(info, &copy.propagation, mount->propagation);
	items = grow(info, mounts->items, mounts->cnt, &mounts->capacity, sizeof(*items));
	if (!items || !copy.dest.p) {
		info->is_cut = true;
		return;
	}
	mounts->items = items;
	items[mounts->cnt++] = copy;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void tokener_freep(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

struct json_object *info_json_parse(struct str text)
{
	_cleanup_(tokener_freep) struct json_tokener *tokener =
		json_tokener_new_ex(INFO_JSON_DEPTH);
	struct json_object *object;

	if (!tokener || !text.n || text.n > INT32_MAX || !json_is_bounded(text))
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text.p, (int)text.n);
	/* Also where more would have to come: it is cut. */
	if (json_tokener_get_error(tokener) != json_tokener_success) {
		json_object_put(object);
		return NULL;
	}
	return object;
}

struct json_object *info_json_member(struct json_object *object, const char *name)
{
	struct json_object *member = NULL;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, name, &member))
		return NULL;
	return member;
}

static struct str text_of(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_string))
		return STR_NONE;
	return (struct str){ json_object_get_string(value),
			     (uint32_t)json_object_get_string_len(value) };
}

struct str info_json_text(struct json_object *object, const char *name)
{
	return text_of(info_json_member(object, name));
}

void info_labels_put_json(struct container_info *info, struct info_labels *labels,
			  struct json_object *object)
{
	if (!json_object_is_type(object, json_type_object))
		return;
	json_object_object_foreach(object, key, value)
	{
		struct str text = text_of(value);

		if (text.p)
			info_labels_put(info, labels, str_from(key), text);
	}
}

/* ---- what names mean ------------------------------------------------------------------------ */

/* Shims of containerd that run WebAssembly: those of github.com/containerd/runwasi (wasmtime,
 * wasmedge, wasmer, wamr), github.com/spinframework/containerd-shim-spin, and of deislabs'
 * containerd-wasm-shims (slight, wws, lunatic). A runtime "io.containerd.NAME.vN" is the shim
 * containerd-shim-NAME-vN (containerd, runtime/v2/README.md). */
bool info_is_wasm(struct str name)
{
	static const char *const words[] = { "wasmtime", "wasmedge", "wasmer",	"wamr", "wasm",
					     "spin",	 "slight",   "lunatic", "wws",	"runwasi" };
	const char *slash = name.p ? memrchr(name.p, '/', name.n) : NULL;
	const char *at = slash ? slash + 1 : name.p, *end = name.p + name.n;

	while (at && at < end) {
		size_t n = 0;

		while (at + n < end && !memchr(".-_", at[n], 3))
			n++;
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (str_eq_text((struct str){ at, (uint32_t)n }, words[i]))
				return true;
		at += n + 1;
	}
	return false;
}

/* pkg/kubelet/types/labels.go of Kubernetes. */
void info_take_kubelet_labels(struct container_info *info, const struct info_labels *labels)
{
	const struct {
		const char *key;
		struct str *field;
	} rows[] = {
		{ "io.kubernetes.pod.name", &info->pod_name },
		{ "io.kubernetes.pod.namespace", &info->pod_namespace },
		{ "io.kubernetes.pod.uid", &info->pod_uid },
		{ "io.kubernetes.container.name", &info->name },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct label *label = info_labels_find(labels, str_from(rows[i].key));

		/* It stands in the same arena. */
		if (label && label->value.n && !rows[i].field->p)
			*rows[i].field = label->value;
	}
}
