/*
 * v1.Pod to pod_info: what fields ask of it, bounded; never its environment or volumes. Values are
 * taken where they have the type that the API gives them and passed over otherwise. Owns nothing;
 * metadata thread.
 */
#include "pod_json.h"

#include <stdio.h>

#include "json.h"

#define POD_IPS_MAX 8

static void pod_info_unrefp(struct pod_info **pod)
{
	pod_info_unref(*pod);
}

static struct str copy(struct pod_info *pod, struct str text)
{
	struct str kept = text.p ? arena_str(&pod->arena, text) : STR_NONE;

	pod->is_cut |= text.p && !kept.p;
	return kept;
}

/* An empty text says that there is none. */
static struct str copy_some(struct pod_info *pod, struct str text)
{
	return text.n ? copy(pod, text) : STR_NONE;
}

static const struct label *copy_labels(struct pod_info *pod, struct json_object *object,
				       uint32_t *ret_cnt)
{
	bool is_object = json_object_is_type(object, json_type_object);
	uint32_t cnt = is_object ? (uint32_t)json_object_object_length(object) : 0, kept = 0;
	struct label *labels;

	pod->is_cut |= cnt > METADATA_LABELS_MAX;
	cnt = MIN(cnt, (uint32_t)METADATA_LABELS_MAX);
	labels = cnt ? arena_new_array(&pod->arena, struct label, cnt) : NULL;
	if (!labels)
		return NULL;
	json_object_object_foreach(object, key, value)
	{
		struct label label;

		if (kept == cnt)
			break;
		if (!json_object_is_type(value, json_type_string))
			continue;
		label.key = copy(pod, str_from(key));
		label.value = copy(pod, json_text(value));
		if (label.key.p && label.value.p)
			labels[kept++] = label;
	}
	*ret_cnt = kept;
	return labels;
}

/* ---- owners --------------------------------------------------------------------------------- */

static struct json_object *find_controller(struct json_object *metadata)
{
	struct json_object *owners = json_get(metadata, "ownerReferences");

	for (size_t i = 0; i < json_length(owners); i++) {
		struct json_object *owner = json_at(owners, i);

		if (json_get_bool(owner, "controller", false))
			return owner;
	}
	return NULL;
}

/* A deployment names its replica sets NAME-HASH, and gives their pods the hash as a label: no
 * request more is needed (decision 27). */
static void take_owner(struct pod_info *pod, struct json_object *metadata)
{
	struct json_object *controller = find_controller(metadata);
	struct str hash = json_get_text(json_get(metadata, "labels"), "pod-template-hash");
	struct str name;

	pod->owner_kind = copy_some(pod, json_get_text(controller, "kind"));
	pod->owner_name = name = copy_some(pod, json_get_text(controller, "name"));
	if (!str_eq_text(pod->owner_kind, "ReplicaSet"))
		return;
	pod->rs_name = name;
	if (hash.n && name.n > hash.n + 1 && str_ends_with(name, hash) &&
	    name.p[name.n - hash.n - 1] == '-')
		pod->deployment_name = copy(pod, (struct str){ name.p, name.n - hash.n - 1 });
}

/* ---- addresses ------------------------------------------------------------------------------ */

static void add_ip(struct pod_info *pod, struct str *ips, struct str ip)
{
	if (!ip.n || pod->ip_cnt == POD_IPS_MAX)
		return;
	for (uint32_t i = 0; i < pod->ip_cnt; i++)
		if (str_eq(ips[i], ip))
			return;
	ips[pod->ip_cnt] = copy(pod, ip);
	pod->ip_cnt += ips[pod->ip_cnt].p != NULL;
}

static bool has_ended(struct json_object *status)
{
	struct str phase = json_get_text(status, "phase");

	return str_eq_text(phase, "Succeeded") || str_eq_text(phase, "Failed");
}

/* None of a pod in the host's network, where they are the node's, and none of one that has ended,
 * where they may be another's by now. */
static void take_ips(struct pod_info *pod, struct json_object *status)
{
	struct json_object *list = json_get(status, "podIPs");
	struct str *ips;

	if (pod->is_host_network || has_ended(status))
		return;
	ips = arena_new_array(&pod->arena, struct str, POD_IPS_MAX);
	if (!ips)
		return;
	pod->ips = ips;
	add_ip(pod, ips, json_get_text(status, "podIP"));
	for (size_t i = 0; i < json_length(list); i++)
		add_ip(pod, ips, json_get_text(json_at(list, i), "ip"));
}

/* ---- the pod -------------------------------------------------------------------------------- */

/* A static pod's UID: the hash of its manifest. */
static bool is_hash(struct str uid)
{
	for (uint32_t i = 0; i < uid.n; i++)
		if (!memchr("0123456789abcdef", uid.p[i], 16))
			return false;
	return uid.n == 32;
}

/* The kubelet runs a static pod under a UID of its own, which is the control group's; what the API
 * has is a mirror with another UID that says so in an annotation. Anybody who may create a pod can
 * write that, so it counts only on a node's own pods, and never for the UID of a usual pod. */
static struct str uid_of(struct json_object *metadata)
{
	struct str mirrored =
		json_get_text(json_get(metadata, "annotations"), "kubernetes.io/config.mirror");

	if (is_hash(mirrored) &&
	    str_eq_text(json_get_text(find_controller(metadata), "kind"), "Node"))
		return mirrored;
	return json_get_text(metadata, "uid");
}

static struct pod_info *make(struct json_object *object)
{
	struct json_object *metadata = json_get(object, "metadata");
	struct json_object *spec = json_get(object, "spec");
	struct str uid = uid_of(metadata);
	_cleanup_(pod_info_unrefp) struct pod_info *pod =
		uid.n && uid.n <= POD_UID_MAX ? pod_info_new() : NULL;

	if (!pod)
		return NULL;
	pod->uid = copy(pod, uid);
	pod->name = copy_some(pod, json_get_text(metadata, "name"));
	pod->namespace = copy_some(pod, json_get_text(metadata, "namespace"));
	pod->node = copy_some(pod, json_get_text(spec, "nodeName"));
	pod->service_account = copy_some(pod, json_get_text(spec, "serviceAccountName"));
	pod->runtime_class = copy_some(pod, json_get_text(spec, "runtimeClassName"));
	pod->is_host_network = json_get_bool(spec, "hostNetwork", false);
	take_owner(pod, metadata);
	take_ips(pod, json_get(object, "status"));
	pod->labels = copy_labels(pod, json_get(metadata, "labels"), &pod->label_cnt);
	/* Last: they are the longest, and what finds no room is left out. */
	pod->annotations =
		copy_labels(pod, json_get(metadata, "annotations"), &pod->annotation_cnt);
	return pod->uid.p ? TAKE_PTR(pod) : NULL;
}

struct pod_info *pod_json_parse(struct str text)
{
	_cleanup_(json_freep) struct json_object *object = json_parse(text);

	return make(object);
}

/* ---- lists and watches ---------------------------------------------------------------------- */

static bool take_text(struct str text, char *ret, size_t size)
{
	if (text.n >= size || (text.n && memchr(text.p, '\0', text.n)))
		return false;
	if (text.n)
		memcpy(ret, text.p, text.n);
	ret[text.n] = '\0';
	return true;
}

bool list_metadata_parse(struct str text, struct list_metadata *ret)
{
	_cleanup_(json_freep) struct json_object *object = json_parse(text);
	struct list_metadata list = { 0 };

	if (!json_object_is_type(object, json_type_object) ||
	    !take_text(json_get_text(object, "resourceVersion"), list.resource_version,
		       sizeof(list.resource_version)) ||
	    !take_text(json_get_text(object, "continue"), list.continue_token,
		       sizeof(list.continue_token)))
		return false;
	*ret = list;
	return true;
}

static const struct {
	const char *name;
	enum watch_event_type type;
} watch_types[] = {
	{ "ADDED", WATCH_PUT },		{ "MODIFIED", WATCH_PUT }, { "DELETED", WATCH_GONE },
	{ "BOOKMARK", WATCH_BOOKMARK }, { "ERROR", WATCH_ERROR },
};

static enum watch_event_type type_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(watch_types); i++)
		if (str_eq_text(name, watch_types[i].name))
			return watch_types[i].type;
	return WATCH_REFUSED;
}

/* meta/v1.Status */
static void take_status(struct json_object *status, struct watch_event *ret)
{
	struct str message = json_get_text(status, "message");

	ret->code = json_object_get_int(json_get(status, "code"));
	if (ret->code == 410)
		ret->type = WATCH_EXPIRED;
	snprintf(ret->message, sizeof(ret->message), "%.*s", (int)MIN(message.n, 100u),
		 message.p ? message.p : "");
}

void watch_event_parse(struct str text, struct watch_event *ret)
{
	_cleanup_(json_freep) struct json_object *event = json_parse(text);
	struct json_object *object = json_get(event, "object");
	struct str version = json_get_text(json_get(object, "metadata"), "resourceVersion");

	*ret = (struct watch_event){ .type = type_of(json_get_text(event, "type")) };
	if (!object)
		ret->type = WATCH_REFUSED;
	if (ret->type == WATCH_ERROR)
		take_status(object, ret);
	if (ret->type == WATCH_PUT || ret->type == WATCH_GONE)
		ret->pod = make(object);
	if (!take_text(version, ret->resource_version, sizeof(ret->resource_version)) ||
	    ((ret->type == WATCH_PUT || ret->type == WATCH_GONE) && !ret->pod) ||
	    (ret->type == WATCH_BOOKMARK && !version.n)) {
		pod_info_unref(ret->pod);
		*ret = (struct watch_event){ .type = WATCH_REFUSED };
	}
}
