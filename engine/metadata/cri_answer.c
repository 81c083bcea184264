/*
 * Messages of runtime.v1 and of containerd's containers.v1 into container_info. Owns nothing;
 * called by cri.c and containerd.c, metadata thread. A message may be any bytes: what does not
 * unpack, or is another container's, is refused whole.
 */
#include "cri_answer.h"

#include "containerd.pb-c.h"
#include "cri.pb-c.h"
#include "grpc.h"
#include "info.h"
#include "oci.h"

static void free_messagep(void *pointer_to_message)
{
	grpc_free_message(*(ProtobufCMessage **)pointer_to_message);
}

/* protobuf-c gives an absent text as "". */
static struct str text_of(const char *text)
{
	return str_from(text ? text : "");
}

/* ---- images --------------------------------------------------------------------------------- */

/* image_ref is the image's id (containerd without a registry: "sha256:…", of its configuration) or
 * a reference with the digest of its manifest ("quay.io/x/y@sha256:…"). `image` may be an id, too:
 * then the bundle, which says what the user asked for, knows better. */
static void set_image(struct container_info *info, struct str image, struct str image_ref)
{
	const char *at = image_ref.n ? memchr(image_ref.p, '@', image_ref.n) : NULL;
	struct str digest;

	if (str_starts_with(image, STR("sha256:"))) {
		info_set(info, &info->image_id, image);
	} else {
		info_set(info, &info->image, image);
		if (info->image.p)
			container_info_set_image(info, info->image);
	}
	if (!at) {
		info_set(info, &info->image_id, image_ref);
		return;
	}
	digest = (struct str){ at + 1, (uint32_t)(image_ref.p + image_ref.n - at - 1) };
	if (!info->image_digest.p)
		info_set(info, &info->image_digest, digest);
}

/* ---- ContainerStatus ------------------------------------------------------------------------ */

static void take_mounts(struct container_info *info, const Runtime__V1__ContainerStatus *status)
{
	/* enum MountPropagation */
	static const char *const names[] = { "private", "rslave", "rshared" };
	struct info_mounts mounts = { 0 };

	for (size_t i = 0; i < status->n_mounts; i++) {
		const Runtime__V1__Mount *from = status->mounts[i];
		struct container_mount mount = {
			.source = text_of(from->host_path),
			.dest = text_of(from->container_path),
			.mode = from->readonly ? STR("ro") : STR("rw"),
			.is_writable = !from->readonly,
		};

		if ((size_t)from->propagation < ARRAY_LEN(names))
			mount.propagation = str_from(names[from->propagation]);
		info_mounts_put(info, &mounts, &mount);
	}
	info->mounts = mounts.items;
	info->mount_cnt = mounts.cnt;
}

static void take_labels(struct container_info *info, const Runtime__V1__ContainerStatus *status)
{
	struct info_labels labels = { 0 };

	for (size_t i = 0; i < status->n_labels; i++)
		info_labels_put(info, &labels, text_of(status->labels[i]->key),
				text_of(status->labels[i]->value));
	info_take_kubelet_labels(info, &labels);
	info->labels = labels.items;
	info->label_cnt = labels.cnt;
}

static enum tristate tristate_of(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_boolean))
		return TRI_UNKNOWN;
	return json_object_get_boolean(value) ? TRI_TRUE : TRI_FALSE;
}

/* containerd leaves out what is false. */
static enum tristate is_privileged(struct json_object *config)
{
	struct json_object *security =
		info_json_member(info_json_member(config, "linux"), "security_context");

	if (!config)
		return TRI_UNKNOWN;
	return tristate_of(info_json_member(security, "privileged")) == TRI_TRUE ? TRI_TRUE
										 : TRI_FALSE;
}

/* What "verbose" adds under the key "info": JSON that no standard describes. containerd:
 * pkg/cri/sbserver/container_status.go (sandboxID, runtimeType, config, runtimeSpec); CRI-O:
 * server/container_status.go (sandboxID, runtimeSpec, privileged). */
static void take_verbose(struct container_info *info, struct json_object *root)
{
	struct json_object *config = info_json_member(root, "config");
	struct json_object *privileged = info_json_member(root, "privileged");
	struct str image = info_json_text(info_json_member(config, "image"), "image");

	info_set(info, &info->sandbox_id, info_json_text(root, "sandboxID"));
	if (!info->image_id.p && str_starts_with(image, STR("sha256:")))
		info_set(info, &info->image_id, image);
	if (info_is_wasm(info_json_text(root, "runtimeType")))
		info->type = CONTAINER_WASM;
	oci_take_namespaces(info_json_member(root, "runtimeSpec"), info);
	if (is_privileged(config) != TRI_UNKNOWN)
		info->privileged = is_privileged(config);
	if (tristate_of(privileged) != TRI_UNKNOWN)
		info->privileged = tristate_of(privileged);
}

int cri_container_parse(struct str message, struct str id, struct container_info *info)
{
	_cleanup_(free_messagep) ProtobufCMessage *unpacked =
		grpc_unpack(&runtime__v1__container_status_response__descriptor, message);
	const Runtime__V1__ContainerStatusResponse *response =
		(const Runtime__V1__ContainerStatusResponse *)unpacked;
	const Runtime__V1__ContainerStatus *status = response ? response->status : NULL;

	if (!status || !str_eq(text_of(status->id), id))
		return CRI_E_INVALID;
	info_set(info, &info->full_id, id);
	if (status->metadata)
		info_set(info, &info->name, text_of(status->metadata->name));
	if (status->started_at > 0)
		info->started_ns = (uint64_t)status->started_at;
	set_image(info, text_of(status->image ? status->image->image : ""),
		  text_of(status->image_ref));
	take_labels(info, status);
	take_mounts(info, status);
	for (size_t i = 0; i < response->n_info; i++) {
		_cleanup_(info_json_putp) struct json_object *root = NULL;

		if (!str_eq_text(text_of(response->info[i]->key), "info"))
			continue;
		root = info_json_parse(text_of(response->info[i]->value));
		take_verbose(info, root);
	}
	return 0;
}

/* ---- PodSandboxStatus ----------------------------------------------------------------------- */

/* enum NamespaceMode: POD, CONTAINER, NODE, TARGET. */
#define NAMESPACE_NODE 2

static enum tristate is_node(int32_t mode)
{
	return mode == NAMESPACE_NODE ? TRI_TRUE : TRI_FALSE;
}

static void take_namespaces(struct container_info *info,
			    const Runtime__V1__PodSandboxStatus *status)
{
	const Runtime__V1__NamespaceOption *options;

	if (!status->linux_status || !status->linux_status->namespaces ||
	    !status->linux_status->namespaces->options)
		return;
	options = status->linux_status->namespaces->options;
	info->host_network = is_node(options->network);
	info->host_ipc = is_node(options->ipc);
	/* A container may have its own although the pod shares: then its own word counts. */
	if (info->host_pid == TRI_UNKNOWN)
		info->host_pid = is_node(options->pid);
}

static void take_pod_labels(struct container_info *info,
			    const Runtime__V1__PodSandboxStatus *status)
{
	struct info_labels labels = { 0 };

	for (size_t i = 0; i < status->n_labels; i++)
		info_labels_put(info, &labels, text_of(status->labels[i]->key),
				text_of(status->labels[i]->value));
	info->pod_labels = labels.items;
	info->pod_label_cnt = labels.cnt;
}

/* containerd's pkg/cri/sbserver/sandbox_status.go. */
static void take_sandbox_verbose(struct container_info *info, struct json_object *root)
{
	struct json_object *result = info_json_member(root, "cniResult");

	if (info_is_wasm(info_json_text(root, "runtimeType")))
		info->type = CONTAINER_WASM;
	if (json_object_is_type(result, json_type_object))
		info_set(info, &info->cni_json,
			 str_from(json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN)));
}

static void take_sandbox(struct container_info *info, const Runtime__V1__PodSandboxStatus *status)
{
	const Runtime__V1__PodSandboxMetadata *metadata = status->metadata;

	info_set(info, &info->sandbox_id, text_of(status->id));
	if (metadata) {
		info_set(info, &info->pod_name, text_of(metadata->name));
		info_set(info, &info->pod_uid, text_of(metadata->uid));
		info_set(info, &info->pod_namespace, text_of(metadata->namespace_));
	}
	if (status->network)
		info_set(info, &info->pod_ip, text_of(status->network->ip));
	info_set(info, &info->runtime_handler, text_of(status->runtime_handler));
	if (info_is_wasm(info->runtime_handler))
		info->type = CONTAINER_WASM;
	take_pod_labels(info, status);
	take_namespaces(info, status);
}

int cri_sandbox_parse(struct str message, struct str id, struct container_info *info)
{
	_cleanup_(free_messagep) ProtobufCMessage *unpacked =
		grpc_unpack(&runtime__v1__pod_sandbox_status_response__descriptor, message);
	const Runtime__V1__PodSandboxStatusResponse *response =
		(const Runtime__V1__PodSandboxStatusResponse *)unpacked;
	const Runtime__V1__PodSandboxStatus *status = response ? response->status : NULL;

	if (!status || !str_eq(text_of(status->id), id))
		return CRI_E_INVALID;
	take_sandbox(info, status);
	if (info->is_sandbox) {
		info_set(info, &info->full_id, id);
		if (status->created_at > 0)
			info->started_ns = (uint64_t)status->created_at;
		if (status->metadata)
			info_set(info, &info->name, text_of(status->metadata->name));
	}
	for (size_t i = 0; i < response->n_info; i++) {
		_cleanup_(info_json_putp) struct json_object *root = NULL;

		if (!str_eq_text(text_of(response->info[i]->key), "info"))
			continue;
		root = info_json_parse(text_of(response->info[i]->value));
		take_sandbox_verbose(info, root);
	}
	return 0;
}

/* ---- the others ----------------------------------------------------------------------------- */

enum container_type cri_version_parse(struct str message)
{
	_cleanup_(free_messagep) ProtobufCMessage *unpacked =
		grpc_unpack(&runtime__v1__version_response__descriptor, message);
	const Runtime__V1__VersionResponse *response =
		(const Runtime__V1__VersionResponse *)unpacked;
	struct str name;

	if (!response)
		return CONTAINER_HOST;
	name = text_of(response->runtime_name);
	if (str_eq_text(name, "containerd"))
		return CONTAINER_CONTAINERD;
	if (str_eq_text(name, "cri-o"))
		return CONTAINER_CRIO;
	return name.n ? CONTAINER_CRI : CONTAINER_HOST;
}

static bool is_hex_id(struct str id)
{
	for (uint32_t i = 0; i < id.n; i++)
		if (!memchr("0123456789abcdef", id.p[i], 16))
			return false;
	return id.n == 64;
}

int cri_containerd_parse(struct str message, struct str id, struct container_info *info)
{
	_cleanup_(free_messagep) ProtobufCMessage *unpacked = grpc_unpack(
		&containerd__services__containers__v1__get_container_response__descriptor, message);
	const Containerd__Services__Containers__V1__GetContainerResponse *response =
		(const Containerd__Services__Containers__V1__GetContainerResponse *)unpacked;
	const Containerd__Services__Containers__V1__Container *container =
		response ? response->container : NULL;
	struct info_labels labels = { 0 };
	const struct label *name;

	if (!container || !str_eq(text_of(container->id), id))
		return CRI_E_INVALID;
	info->type = CONTAINER_CONTAINERD;
	if (container->runtime && info_is_wasm(text_of(container->runtime->name)))
		info->type = CONTAINER_WASM;
	info_set(info, &info->full_id, id);
	set_image(info, text_of(container->image), STR_NONE);
	for (size_t i = 0; i < container->n_labels; i++)
		info_labels_put(info, &labels, text_of(container->labels[i]->key),
				text_of(container->labels[i]->value));
	info->labels = labels.items;
	info->label_cnt = labels.cnt;
	/* nerdctl's containers have an id of 64 digits; ctr's id is the name its user chose, and
	 * its labels are those of the image, whose author may have put any there. */
	name = is_hex_id(id) ? info_labels_find(&labels, STR("nerdctl/name")) : NULL;
	info_set(info, &info->name, name ? name->value : id);
	return 0;
}

int cri_image_parse(struct str message, struct container_info *info)
{
	_cleanup_(free_messagep) ProtobufCMessage *unpacked = grpc_unpack(
		&containerd__services__containers__v1__get_image_response__descriptor, message);
	const Containerd__Services__Containers__V1__GetImageResponse *response =
		(const Containerd__Services__Containers__V1__GetImageResponse *)unpacked;
	const Containerd__Services__Containers__V1__Image *image =
		response ? response->image : NULL;

	if (!image || !image->target || !str_eq(text_of(image->name), info->image))
		return CRI_E_INVALID;
	if (!info->image_digest.p)
		info_set(info, &info->image_digest, text_of(image->target->digest));
	return 0;
}
