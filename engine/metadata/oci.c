/*
 * What a runtime tells of a container in the OCI bundle (runtime-spec, config.md and
 * config-linux.md) and in its annotations. The bundle is complete before the container's first
 * program starts, and needs no socket (decision 26). Owns nothing; called by bundle.c, metadata
 * thread. The bytes are the runtime's, but parts of them are chosen by whoever runs a container.
 */
#include "oci.h"

#include "info.h"

/* ---- annotations ---------------------------------------------------------------------------- */

/* Where runtimes say what a container is: containerd's pkg/cri/annotations/annotations.go, and
 * pkg/annotations of CRI-O (Podman knows some of the same names). A row counts only where that
 * runtime always writes the key itself: CRI-O copies a pod's own annotations into the bundles of
 * its containers (SpecAddAnnotations() of internal/factory/container) and writes its keys over
 * them, so that any other key is what the pod's author wants to be believed. */
enum origin {
	FROM_CONTAINERD = 1,
	FROM_CRIO = 2,
	FROM_CRIO_SANDBOX = 4,
	FROM_PODMAN = 8,
};
struct annotation {
	const char *key;
	size_t offset;
	unsigned origins;
};
#define FIELD(name) offsetof(struct container_info, name)
/* clang-format off */
static const struct annotation annotations[] = {
	{ "io.kubernetes.cri.container-name", FIELD(name), FROM_CONTAINERD },
	{ "io.kubernetes.cri.image-name", FIELD(image), FROM_CONTAINERD },
	{ "io.kubernetes.cri.sandbox-id", FIELD(sandbox_id), FROM_CONTAINERD },
	{ "io.kubernetes.cri.sandbox-name", FIELD(pod_name), FROM_CONTAINERD },
	{ "io.kubernetes.cri.sandbox-namespace", FIELD(pod_namespace), FROM_CONTAINERD },
	{ "io.kubernetes.cri.sandbox-uid", FIELD(pod_uid), FROM_CONTAINERD },
	{ "io.containerd.cri.runtime-handler", FIELD(runtime_handler), FROM_CONTAINERD },
	{ "io.kubernetes.cri-o.ImageName", FIELD(image), FROM_CRIO | FROM_CRIO_SANDBOX },
	{ "io.kubernetes.cri-o.SandboxID", FIELD(sandbox_id),
	  FROM_CRIO | FROM_CRIO_SANDBOX | FROM_PODMAN },
	{ "io.kubernetes.cri-o.Namespace", FIELD(pod_namespace), FROM_CRIO_SANDBOX },
	{ "io.kubernetes.cri-o.RuntimeHandler", FIELD(runtime_handler), FROM_CRIO_SANDBOX },
	{ "io.kubernetes.cri-o.CNIResult", FIELD(cni_json), FROM_CRIO_SANDBOX },
	{ "io.kubernetes.cri-o.IP.0", FIELD(pod_ip), FROM_CRIO | FROM_CRIO_SANDBOX },
};
/* clang-format on */
#undef FIELD

static enum origin origin_of(const struct container_info *info)
{
	if (info->type == CONTAINER_CRIO)
		return info->is_sandbox ? FROM_CRIO_SANDBOX : FROM_CRIO;
	return info->type == CONTAINER_PODMAN ? FROM_PODMAN : FROM_CONTAINERD;
}

static void take_annotations(struct container_info *info, struct json_object *object)
{
	for (size_t i = 0; i < ARRAY_LEN(annotations); i++)
		if (annotations[i].origins & origin_of(info))
			info_set(info, (struct str *)(void *)((char *)info + annotations[i].offset),
				 info_json_text(object, annotations[i].key));
}

static void take_type(struct container_info *info, struct json_object *object,
		      enum oci_writer writer)
{
	struct str manager = info_json_text(object, "io.container.manager");
	struct str kind = info_json_text(object, writer == OCI_WRITER_CRI
							 ? "io.kubernetes.cri.container-type"
							 : "io.kubernetes.cri-o.ContainerType");

	if (writer == OCI_WRITER_CRI)
		info->type = CONTAINER_CONTAINERD;
	else if (str_eq_text(manager, "cri-o"))
		info->type = CONTAINER_CRIO;
	else if (str_eq_text(manager, "libpod"))
		info->type = CONTAINER_PODMAN;
	info->is_sandbox = info->type != CONTAINER_HOST && str_eq_text(kind, "sandbox");
}

/* CRI-O keeps all in annotations: the kubelet's names in Labels, the container's own in Metadata.
 */
static void take_crio(struct container_info *info, struct json_object *object)
{
	struct str labels_text = info_json_text(object, "io.kubernetes.cri-o.Labels");
	struct str metadata_text = info_json_text(object, "io.kubernetes.cri-o.Metadata");
	_cleanup_(info_json_putp) struct json_object *texts = info_json_parse(labels_text);
	_cleanup_(info_json_putp) struct json_object *metadata = info_json_parse(metadata_text);
	struct info_labels labels = { 0 };

	/* Labels come last: they are the longest, and what finds no room is left out. */
	if (!info->is_sandbox)
		info_set(info, &info->name, info_json_text(metadata, "name"));
	info_labels_put_json(info, &labels, texts);
	info_take_kubelet_labels(info, &labels);
	if (info->is_sandbox) {
		info->pod_labels = labels.items;
		info->pod_label_cnt = labels.cnt;
		info_set(info, &info->pod_uid, info_json_text(metadata, "uid"));
		info_set(info, &info->pod_name, info_json_text(metadata, "name"));
	} else {
		info->labels = labels.items;
		info->label_cnt = labels.cnt;
	}
}

/* crun runs WebAssembly by annotation (crun.1, "run.oci.handler"); the others are those of images
 * that hold a module. */
static bool has_wasm_annotation(struct json_object *object)
{
	struct str handler = info_json_text(object, "run.oci.handler");
	struct str variant = info_json_text(object, "module.wasm.image/variant");

	return info_is_wasm(handler) || str_eq_text(handler, "wasm-smart") || variant.n > 0;
}

static void parse_annotations(struct container_info *info, struct json_object *object,
			      enum oci_writer writer)
{
	if (!json_object_is_type(object, json_type_object))
		return;
	if (writer != OCI_WRITER_OTHER) {
		take_type(info, object, writer);
		if (info->type != CONTAINER_HOST)
			take_annotations(info, object);
	}
	if (info->type == CONTAINER_CRIO)
		take_crio(info, object);
	if (info_is_wasm(info->runtime_handler) || has_wasm_annotation(object))
		info->type = CONTAINER_WASM;
}

/* ---- mounts --------------------------------------------------------------------------------- */

static bool is_propagation(struct str option)
{
	static const char *const names[] = { "shared",	"rshared",  "slave",	  "rslave",
					     "private", "rprivate", "unbindable", "runbindable" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_text(option, names[i]))
			return true;
	return false;
}

/* Options that say how, but neither that it is a bind nor its propagation, joined: "ro,nosuid". */
static bool parse_options(struct json_object *options, struct container_mount *mount,
			  struct buf *mode)
{
	size_t cnt = json_object_is_type(options, json_type_array)
			     ? json_object_array_length(options)
			     : 0;
	bool is_bind = false;

	for (size_t i = 0; i < cnt; i++) {
		struct json_object *value = json_object_array_get_idx(options, i);
		struct str option;

		if (!json_object_is_type(value, json_type_string))
			continue;
		option = str_from(json_object_get_string(value));
		if (str_eq_text(option, "bind") || str_eq_text(option, "rbind")) {
			is_bind = true;
			continue;
		}
		if (is_propagation(option)) {
			mount->propagation = option;
			continue;
		}
		/* The last one counts (config.md, "options"). */
		if (str_eq_text(option, "ro") || str_eq_text(option, "rw"))
			mount->is_writable = option.p[1] == 'w';
		if (mode->n)
			buf_putc(mode, ',');
		buf_put_str(mode, option);
	}
	return is_bind;
}

/* Files that the runtime itself makes for every container (/etc/hosts, /dev/shm, …). No interface
 * tells of them, and answers must not differ by who was first. */
static bool is_runtimes_own(struct str source)
{
	return str_contains(source, STR("/io.containerd.grpc.v1.cri/sandboxes/")) ||
	       (str_contains(source, STR("-containers/")) &&
		str_contains(source, STR("/userdata/")));
}

/* Only what of the host is seen in the container; /proc, /sys and the like are in every one. */
static void parse_mounts(struct container_info *info, struct json_object *array)
{
	struct info_mounts mounts = { 0 };
	size_t cnt =
		json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;

	for (size_t i = 0; i < cnt; i++) {
		struct json_object *object = json_object_array_get_idx(array, i);
		struct container_mount mount = { .is_writable = true };
		struct buf mode;
		bool is_bind;

		mount.source = info_json_text(object, "source");
		mount.dest = info_json_text(object, "destination");
		buf_init(&mode, 1024);
		is_bind = parse_options(info_json_member(object, "options"), &mount, &mode) ||
			  str_eq_text(info_json_text(object, "type"), "bind");
		mount.mode = buf_str(&mode);
		if (is_bind && !is_runtimes_own(mount.source))
			info_mounts_put(info, &mounts, &mount);
		info->is_cut |= mode.failed;
		buf_done(&mode);
	}
	info->mounts = mounts.items;
	info->mount_cnt = mounts.cnt;
}

/* ---- namespaces and privileges -------------------------------------------------------------- */

static bool array_has(struct json_object *array, const char *member, const char *text)
{
	size_t cnt =
		json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;

	for (size_t i = 0; i < cnt; i++) {
		struct json_object *item = json_object_array_get_idx(array, i);

		if (member)
			item = info_json_member(item, member);
		if (json_object_is_type(item, json_type_string) &&
		    strcmp(json_object_get_string(item), text) == 0)
			return true;
	}
	return false;
}

static bool has_items(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) && json_object_array_length(array) > 0;
}

/* "If a namespace type is not specified in the namespaces array, the container MUST inherit the
 * runtime namespace of that type" (config-linux.md): the host's. One with a path is that of the
 * sandbox, or of whatever else; it cannot be told from here. */
static enum tristate is_host_namespace(struct json_object *array, const char *type)
{
	if (!json_object_is_type(array, json_type_array))
		return TRI_UNKNOWN;
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *item = json_object_array_get_idx(array, i);

		if (str_eq_text(info_json_text(item, "type"), type))
			return info_json_text(item, "path").n ? TRI_UNKNOWN : TRI_FALSE;
	}
	return TRI_TRUE;
}

/* A rule that allows all devices and every access. */
static bool has_all_devices(struct json_object *linux_object)
{
	struct json_object *devices =
		info_json_member(info_json_member(linux_object, "resources"), "devices");
	struct json_object *last, *allow;
	struct str type;

	if (!has_items(devices))
		return false;
	last = json_object_array_get_idx(devices, json_object_array_length(devices) - 1);
	allow = info_json_member(last, "allow");
	type = info_json_text(last, "type");
	return json_object_is_type(allow, json_type_boolean) && json_object_get_boolean(allow) &&
	       str_eq_text(info_json_text(last, "access"), "rwm") &&
	       (!type.n || str_eq_text(type, "a")) && !info_json_member(last, "major") &&
	       !info_json_member(last, "minor");
}

/* "Privileged" is a runtime's switch that a bundle has only the effects of. Yes: nothing is
 * masked, read-only or filtered, all devices are allowed, and the capabilities are more than any
 * default (SYS_ADMIN, SYS_MODULE, SYS_RAWIO). No: paths are masked and SYS_ADMIN is out of reach,
 * which the switch excludes in containerd, CRI-O, Docker and Podman. Else unknown. */
static enum tristate is_privileged(struct json_object *root, struct json_object *linux_object)
{
	struct json_object *bounding = info_json_member(
		info_json_member(info_json_member(root, "process"), "capabilities"), "bounding");
	bool has_admin = array_has(bounding, NULL, "CAP_SYS_ADMIN");
	bool is_masked = has_items(info_json_member(linux_object, "maskedPaths"));

	if (!json_object_is_type(linux_object, json_type_object))
		return TRI_UNKNOWN;
	if (!has_admin)
		return is_masked ? TRI_FALSE : TRI_UNKNOWN;
	if (!is_masked && !has_items(info_json_member(linux_object, "readonlyPaths")) &&
	    !info_json_member(linux_object, "seccomp") && has_all_devices(linux_object) &&
	    array_has(bounding, NULL, "CAP_SYS_MODULE") &&
	    array_has(bounding, NULL, "CAP_SYS_RAWIO"))
		return TRI_TRUE;
	return TRI_UNKNOWN;
}

void oci_take_namespaces(struct json_object *root, struct container_info *info)
{
	struct json_object *linux_object = info_json_member(root, "linux");
	struct json_object *namespaces = info_json_member(linux_object, "namespaces");

	info->host_pid = is_host_namespace(namespaces, "pid");
	info->host_network = is_host_namespace(namespaces, "network");
	info->host_ipc = is_host_namespace(namespaces, "ipc");
	info->privileged = is_privileged(root, linux_object);
}

int oci_config_parse(struct str json, enum oci_writer writer, struct container_info *info)
{
	_cleanup_(info_json_putp) struct json_object *root = NULL;

	if (json.n <= OCI_CONFIG_BYTES_MAX)
		root = info_json_parse(json);
	if (!json_object_is_type(root, json_type_object) || !info_json_text(root, "ociVersion").n)
		return OCI_E_INVALID;
	parse_annotations(info, info_json_member(root, "annotations"), writer);
	parse_mounts(info, info_json_member(root, "mounts"));
	oci_take_namespaces(root, info);
	info_set(info, &info->root_path, info_json_text(info_json_member(root, "root"), "path"));
	if (info->image.p)
		container_info_set_image(info, info->image);
	/* As CRI names it. */
	if (info->is_sandbox && !info->name.p)
		info->name = info->pod_name;
	/* CRI-O alone puts labels there. */
	info->is_partial = !info->image.p || !info->labels;
	return 0;
}

/* ---- containers/storage --------------------------------------------------------------------- */

static struct json_object *find_record(struct json_object *records, struct str id)
{
	if (!json_object_is_type(records, json_type_array))
		return NULL;
	for (size_t i = 0; i < json_object_array_length(records); i++) {
		struct json_object *record = json_object_array_get_idx(records, i);

		if (str_eq(info_json_text(record, "id"), id))
			return record;
	}
	return NULL;
}

int oci_storage_parse(struct str json, struct str id, struct container_info *info)
{
	_cleanup_(info_json_putp) struct json_object *records = NULL;
	_cleanup_(info_json_putp) struct json_object *metadata = NULL;
	struct json_object *record;

	if (json.n <= OCI_STORAGE_BYTES_MAX)
		records = info_json_parse(json);
	if (!json_object_is_type(records, json_type_array))
		return OCI_E_INVALID;
	record = find_record(records, id);
	if (!record)
		return OCI_E_ABSENT;
	/* A text within the text, by whoever uses the storage: CRI-O and Podman write these. */
	metadata = info_json_parse(info_json_text(record, "metadata"));
	if (!info->name.p)
		info_set(info, &info->name, info_json_text(metadata, "name"));
	info_set(info, &info->image_id, info_json_text(metadata, "image-id"));
	if (!info->image_id.p)
		info_set(info, &info->image_id, info_json_text(record, "image"));
	if (!info->image.p) {
		info_set(info, &info->image, info_json_text(metadata, "image-name"));
		if (info->image.p)
			container_info_set_image(info, info->image);
	}
	return 0;
}
