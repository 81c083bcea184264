/*
 * Fields of containers, container.*: the id from the control group at once, the rest as the runtime
 * tells it. Absent where neither says so: an event whose container is not known is not the host's.
 * Engine thread.
 */
#include "fields_meta.h"

#include "glob.h"

#define GETTER(name)                                          \
	static void name(const struct field_context *context, \
			 const struct field_argument *argument, struct value_set *ret)
#define MOUNTS_TEXT_MAX 65536

/* ---- identity ------------------------------------------------------------------------------- */

GETTER(get_id)
{
	const struct container *container = context->event->container;

	if (container)
		give_text(context, container->id, ret);
}

GETTER(get_full_id)
{
	const struct container *container = context->event->container;

	if (container)
		give_text(context, container->full_id, ret);
}

/* Until the runtime speaks, the path's word; it may still turn out to be WebAssembly. */
GETTER(get_type)
{
	const struct container *container = context->event->container;

	if (container)
		give_text(context, container_type_name(container->type), ret);
}

/* ---- what the runtime says ------------------------------------------------------------------ */

/* What it has said; NULL and pending while it may still say something. */
static const struct container_info *get_info(const struct field_context *context,
					     struct value_set *ret)
{
	const struct container *container = meta_container(context);

	if (!container)
		return NULL;
	if (!container->info)
		meta_wait_runtime(container, ret);
	return container->info;
}

static void give_info(const struct field_context *context, struct str text, struct value_set *ret)
{
	if (text.p)
		give_str(context, text, ret);
	else
		meta_wait_runtime(meta_container(context), ret);
}

GETTER(get_name)
{
	const struct container_info *info = get_info(context, ret);

	if (meta_is_host(context))
		give_text(context, "host", ret);
	else if (info)
		give_info(context, info->name, ret);
}

/* A part of the image; on the host the empty text (rule-language.md 4.5). */
#define IMAGE_GETTER(name, member)                                          \
	GETTER(name)                                                        \
	{                                                                   \
		const struct container_info *info = get_info(context, ret); \
                                                                            \
		if (meta_is_host(context))                                  \
			give_text(context, "", ret);                        \
		else if (info)                                              \
			give_info(context, info->member, ret);              \
	}
IMAGE_GETTER(get_image, image)
IMAGE_GETTER(get_image_id, image_id)
IMAGE_GETTER(get_image_repository, image_repository)
IMAGE_GETTER(get_image_tag, image_tag)
IMAGE_GETTER(get_image_digest, image_digest)

GETTER(get_cni_json)
{
	const struct container_info *info = get_info(context, ret);

	if (info)
		give_info(context, info->cni_json, ret);
}

GETTER(get_ip)
{
	const struct container_info *info = get_info(context, ret);

	if (info)
		give_info(context, info->ip.p ? info->ip : info->pod_ip, ret);
}

#define TRISTATE_GETTER(name, member)                                       \
	GETTER(name)                                                        \
	{                                                                   \
		const struct container_info *info = get_info(context, ret); \
                                                                            \
		if (info && info->member != TRI_UNKNOWN)                    \
			give_bool(context, info->member == TRI_TRUE, ret);  \
		else if (info)                                              \
			meta_wait_runtime(meta_container(context), ret);    \
	}
TRISTATE_GETTER(get_privileged, privileged)
TRISTATE_GETTER(get_host_pid, host_pid)
TRISTATE_GETTER(get_host_network, host_network)
TRISTATE_GETTER(get_host_ipc, host_ipc)

GETTER(get_label)
{
	const struct container_info *info = get_info(context, ret);

	if (info)
		give_info(context, meta_label(info->labels, info->label_cnt, argument->key), ret);
}

GETTER(get_labels)
{
	const struct container_info *info = get_info(context, ret);

	if (info && info->label_cnt)
		meta_give_labels(context, info->labels, info->label_cnt, ret);
	else if (info)
		meta_wait_runtime(meta_container(context), ret);
}

/* ---- mounts --------------------------------------------------------------------------------- */

static void put_mount(const struct container_mount *mount, struct buf *out)
{
	buf_put_str(out, mount->source);
	buf_putc(out, ':');
	buf_put_str(out, mount->dest);
	buf_putc(out, ':');
	buf_put_str(out, mount->mode);
	buf_puts(out, mount->is_writable ? ":true:" : ":false:");
	buf_put_str(out, mount->propagation);
}

static size_t mount_size(const struct container_mount *mount)
{
	return (size_t)mount->source.n + mount->dest.n + mount->mode.n + mount->propagation.n +
	       sizeof(":::false:,");
}

GETTER(get_mounts)
{
	const struct container_info *info = get_info(context, ret);
	size_t size = 0;
	struct buf text;

	if (!info)
		return;
	if (!info->mount_cnt) {
		meta_wait_runtime(meta_container(context), ret);
		return;
	}
	for (uint32_t i = 0; i < info->mount_cnt; i++)
		size += mount_size(&info->mounts[i]);
	text = scratch_buf(context, MIN(size, (size_t)MOUNTS_TEXT_MAX));
	for (uint32_t i = 0; i < info->mount_cnt; i++) {
		if (text.n + mount_size(&info->mounts[i]) > text.max)
			break;
		if (i)
			buf_putc(&text, ',');
		put_mount(&info->mounts[i], &text);
	}
	give_buf(context, &text, ret);
}

/* By number, or the first whose source (or destination) the pattern fits. */
static const struct container_mount *find_mount(const struct field_context *context,
						const struct field_argument *argument, bool by_dest,
						struct value_set *ret)
{
	const struct container_info *info = get_info(context, ret);

	if (!info)
		return NULL;
	for (uint32_t i = 0; i < info->mount_cnt; i++) {
		const struct container_mount *mount = &info->mounts[i];

		if (argument->kind == FIELD_ARG_INDEX
			    ? argument->index == i
			    : glob_match(argument->key, by_dest ? mount->dest : mount->source,
					 false))
			return mount;
	}
	meta_wait_runtime(meta_container(context), ret);
	return NULL;
}

GETTER(get_mount)
{
	const struct container_mount *mount = find_mount(context, argument, false, ret);
	struct buf text;

	if (!mount)
		return;
	text = scratch_buf(context, mount_size(mount));
	put_mount(mount, &text);
	give_buf(context, &text, ret);
}

#define MOUNT_GETTER(name, by_dest, value)                                                         \
	GETTER(name)                                                                               \
	{                                                                                          \
		const struct container_mount *mount = find_mount(context, argument, by_dest, ret); \
                                                                                                   \
		if (mount)                                                                         \
			give_str(context, value, ret);                                             \
	}
MOUNT_GETTER(get_mount_source, true, mount->source)
MOUNT_GETTER(get_mount_dest, false, mount->dest)
MOUNT_GETTER(get_mount_mode, false, mount->mode)
MOUNT_GETTER(get_mount_propagation, false, mount->propagation)
MOUNT_GETTER(get_mount_rdwr, false, mount->is_writable ? STR("true") : STR("false"))

/* ---- age ------------------------------------------------------------------------------------ */

/* Wall clock. The first process of its pid namespace began with it; in the host's pid namespace
 * there is no such process. */
static uint64_t start_wall_ns(const struct field_context *context,
			      const struct container *container)
{
	const struct event *event = context->event;
	const struct wire_header *header = event->header;
	bool is_own_pid_ns = header->pid != header->ns_pid;
	uint64_t boot_ns = container->init_start_ns;

	if (is_own_pid_ns && event->proc && event->proc->pidns_init_start_ns)
		boot_ns = event->proc->pidns_init_start_ns;
	else if (container->info && container->info->started_ns)
		return container->info->started_ns;
	return boot_ns ? boot_ns + (uint64_t)event->wall_offset_ns : 0;
}

GETTER(get_start)
{
	const struct container *container = meta_container(context);
	uint64_t start_ns = container ? start_wall_ns(context, container) : 0;

	if (start_ns)
		give_u64(context, VALUE_ABSTIME, start_ns, ret);
}

GETTER(get_duration)
{
	const struct container *container = meta_container(context);
	uint64_t start_ns = container ? start_wall_ns(context, container) : 0;
	uint64_t now_ns =
		context->event->header->time_ns + (uint64_t)context->event->wall_offset_ns;

	if (start_ns)
		give_u64(context, VALUE_RELTIME, now_ns > start_ns ? now_ns - start_ns : 0, ret);
}

#define NOT_TOLD  "Where the event's container is not known."
#define HOST_TOO  "On the host, and where no runtime has told it."
#define NO_ANSWER "Where no runtime has told it; on the host it is empty."
#define NO_MOUNT  "On the host, where there is no such mount, and where no runtime has told it."
#define NO_MORE	  "Always: kept so that old rules load."
#define PICKED	  (FIELD_ARG_ALLOWED_INDEX | FIELD_ARG_ALLOWED_KEY | FIELD_ARG_REQUIRED)
#define KEYED	  (FIELD_ARG_ALLOWED_KEY | FIELD_ARG_REQUIRED)

/* clang-format off */
static const struct field fields[] = {
	FIELD_ROW("container.cni.json", STRING, 0, NULL, get_cni_json, "Result of the network plugin, as JSON.", HOST_TOO, "container.cni.json exists"),
	FIELD_ROW("container.duration", RELTIME, 0, NULL, get_duration, "Age of the container in nanoseconds.", "On the host, and where its start is not known.", "container.duration < 60000000000"),
	FIELD_ROW("container.full_id", STRING, 0, NULL, get_full_id, "Whole id of the container: 64 hexadecimal digits; host outside of containers.", NOT_TOLD, "container.full_id startswith 0123456789ab"),
	FIELD_ROW_RESERVED("container.healthcheck", STRING, FIELD_DEPRECATED, "Command of the health check.", NO_MORE, "container.healthcheck exists"),
	FIELD_ROW("container.host_ipc", BOOL, 0, NULL, get_host_ipc, "Whether it shares the host's IPC namespace.", HOST_TOO, "container.host_ipc = true"),
	FIELD_ROW("container.host_network", BOOL, 0, NULL, get_host_network, "Whether it shares the host's network.", HOST_TOO, "container.host_network = true"),
	FIELD_ROW("container.host_pid", BOOL, 0, NULL, get_host_pid, "Whether it shares the host's pid namespace.", HOST_TOO, "container.host_pid = true"),
	FIELD_ROW("container.id", STRING, 0, NULL, get_id, "First 12 digits of the container's id, or its name where it has no such id; host outside of containers. Known from the control group at once.", NOT_TOLD, "container.id != host"),
	FIELD_ROW("container.image", STRING, 0, NULL, get_image, "Image as it was given.", NO_ANSWER, "container.image startswith nginx"),
	FIELD_ROW("container.image.digest", STRING, 0, NULL, get_image_digest, "Digest of the image.", NO_ANSWER, "container.image.digest startswith sha256:"),
	FIELD_ROW("container.image.id", STRING, 0, NULL, get_image_id, "Id of the image.", NO_ANSWER, "container.image.id exists"),
	FIELD_ROW("container.image.repository", STRING, 0, NULL, get_image_repository, "Repository of the image, without a tag.", NO_ANSWER, "container.image.repository = docker.io/library/nginx"),
	FIELD_ROW("container.image.tag", STRING, 0, NULL, get_image_tag, "Tag of the image.", NO_ANSWER, "container.image.tag = latest"),
	FIELD_ROW("container.ip", STRING, 0, NULL, get_ip, "Address of the container, or of its pod.", HOST_TOO, "container.ip = 10.0.0.1"),
	FIELD_ROW("container.label", STRING, KEYED, NULL, get_label, "Value of a label.", "On the host, without such a label, and where no runtime has told it.", "container.label[app] = web"),
	FIELD_ROW("container.labels", STRING, 0, NULL, get_labels, "All labels as name:value.", "On the host, without labels, and where no runtime has told them.", "container.labels contains app:web"),
	FIELD_ROW_RESERVED("container.liveness_probe", STRING, FIELD_DEPRECATED, "Command of the liveness probe.", NO_MORE, "container.liveness_probe exists"),
	FIELD_ROW("container.mount", STRING, PICKED, NULL, get_mount, "A mount as source:dest:mode:rdwr:propagation, by number or by a pattern of its source.", NO_MOUNT, "container.mount[/var/run*] exists"),
	FIELD_ROW("container.mount.dest", STRING, PICKED, NULL, get_mount_dest, "Where the mount stands, by number or by a pattern of its source.", NO_MOUNT, "container.mount.dest[/proc*] exists"),
	FIELD_ROW("container.mount.mode", STRING, PICKED, NULL, get_mount_mode, "Mode of the mount, by number or by a pattern of its source.", NO_MOUNT, "container.mount.mode[/etc] = ro"),
	FIELD_ROW("container.mount.propagation", STRING, PICKED, NULL, get_mount_propagation, "Propagation of the mount, by number or by a pattern of its source.", NO_MOUNT, "container.mount.propagation[/etc] = rprivate"),
	FIELD_ROW("container.mount.rdwr", STRING, PICKED, NULL, get_mount_rdwr, "Whether the mount is writable, true or false, by number or by a pattern of its source.", NO_MOUNT, "container.mount.rdwr[/etc] = true"),
	FIELD_ROW("container.mount.source", STRING, PICKED, NULL, get_mount_source, "What is mounted, by number or by a pattern of where.", NO_MOUNT, "container.mount.source[/host] = /"),
	FIELD_ROW("container.mounts", STRING, 0, NULL, get_mounts, "All mounts as source:dest:mode:rdwr:propagation with commas between.", "On the host, without mounts, and where no runtime has told them.", "container.mounts contains docker.sock"),
	FIELD_ROW("container.name", STRING, 0, NULL, get_name, "Name of the container; host outside of containers.", "Where no runtime has told it.", "container.name = web"),
	FIELD_ROW("container.privileged", BOOL, 0, NULL, get_privileged, "Whether it is privileged.", HOST_TOO, "container.privileged = true"),
	FIELD_ROW_RESERVED("container.readiness_probe", STRING, FIELD_DEPRECATED, "Command of the readiness probe.", NO_MORE, "container.readiness_probe exists"),
	FIELD_ROW("container.start_ts", ABSTIME, 0, NULL, get_start, "When the container started.", "On the host, and where its start is not known.", "container.start_ts > 1700000000000000000"),
	FIELD_ROW("container.type", STRING, 0, NULL, get_type, "Runtime: docker, containerd, cri-o, podman, lxc, nspawn and so on, or wasm; host outside of containers.", NOT_TOLD, "container.type = docker"),
};
/* clang-format on */

const struct field_family fields_container = { fields, ARRAY_LEN(fields) };
