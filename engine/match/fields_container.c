/*
 * Fields of containers, container.*. All reserved: containers are not told from the host yet, and
 * container.id must not say `host` of a process in one. So it is absent: neither `container.id =
 * host` nor `container.id != host` holds. Constant table.
 */
#include "fields.h"

#define NO_VALUE "Always, until containers are told from the host."
#define PICKED	 (FIELD_ARG_ALLOWED_INDEX | FIELD_ARG_ALLOWED_KEY | FIELD_ARG_REQUIRED)
#define KEYED	 (FIELD_ARG_ALLOWED_KEY | FIELD_ARG_REQUIRED)

/* clang-format off */
static const struct field fields[] = {
	FIELD_ROW_RESERVED("container.cni.json", STRING, 0, "Result of the network plugin, as JSON.", NO_VALUE, "container.cni.json exists"),
	FIELD_ROW_RESERVED("container.duration", RELTIME, 0, "Age of the container in nanoseconds.", NO_VALUE, "container.duration < 60000000000"),
	FIELD_ROW_RESERVED("container.full_id", STRING, 0, "Whole id of the container: 64 hexadecimal digits.", NO_VALUE, "container.full_id startswith 0123456789ab"),
	FIELD_ROW_RESERVED("container.healthcheck", STRING, FIELD_DEPRECATED, "Command of the health check.", NO_VALUE, "container.healthcheck exists"),
	FIELD_ROW_RESERVED("container.host_ipc", BOOL, 0, "Whether it shares the host's IPC namespace.", NO_VALUE, "container.host_ipc = true"),
	FIELD_ROW_RESERVED("container.host_network", BOOL, 0, "Whether it shares the host's network.", NO_VALUE, "container.host_network = true"),
	FIELD_ROW_RESERVED("container.host_pid", BOOL, 0, "Whether it shares the host's pid namespace.", NO_VALUE, "container.host_pid = true"),
	FIELD_ROW_RESERVED("container.id", STRING, 0, "First 12 digits of the container's id, host outside of containers.", NO_VALUE, "container.id != host"),
	FIELD_ROW_RESERVED("container.image", STRING, 0, "Image as it was given.", NO_VALUE, "container.image startswith nginx"),
	FIELD_ROW_RESERVED("container.image.digest", STRING, 0, "Digest of the image.", NO_VALUE, "container.image.digest startswith sha256:"),
	FIELD_ROW_RESERVED("container.image.id", STRING, 0, "Id of the image.", NO_VALUE, "container.image.id exists"),
	FIELD_ROW_RESERVED("container.image.repository", STRING, 0, "Repository of the image, without a tag.", NO_VALUE, "container.image.repository = docker.io/library/nginx"),
	FIELD_ROW_RESERVED("container.image.tag", STRING, 0, "Tag of the image.", NO_VALUE, "container.image.tag = latest"),
	FIELD_ROW_RESERVED("container.ip", STRING, 0, "Address of the container.", NO_VALUE, "container.ip = 10.0.0.1"),
	FIELD_ROW_RESERVED("container.label", STRING, KEYED, "Value of a label.", NO_VALUE, "container.label[app] = web"),
	FIELD_ROW_RESERVED("container.labels", STRING, 0, "All labels as name:value.", NO_VALUE, "container.labels contains app:web"),
	FIELD_ROW_RESERVED("container.liveness_probe", STRING, FIELD_DEPRECATED, "Command of the liveness probe.", NO_VALUE, "container.liveness_probe exists"),
	FIELD_ROW_RESERVED("container.mount", STRING, PICKED, "A mount, by number or by a pattern of its source.", NO_VALUE, "container.mount[/var/run*] exists"),
	FIELD_ROW_RESERVED("container.mount.dest", STRING, PICKED, "Where the mount stands.", NO_VALUE, "container.mount.dest[/proc*] exists"),
	FIELD_ROW_RESERVED("container.mount.mode", STRING, PICKED, "Mode of the mount.", NO_VALUE, "container.mount.mode[/etc] = ro"),
	FIELD_ROW_RESERVED("container.mount.propagation", STRING, PICKED, "Propagation of the mount.", NO_VALUE, "container.mount.propagation[/etc] = rprivate"),
	FIELD_ROW_RESERVED("container.mount.rdwr", STRING, PICKED, "Whether the mount is writable.", NO_VALUE, "container.mount.rdwr[/etc] = true"),
	FIELD_ROW_RESERVED("container.mount.source", STRING, PICKED, "What is mounted, by number or by a pattern of where.", NO_VALUE, "container.mount.source[/host] = /"),
	FIELD_ROW_RESERVED("container.mounts", STRING, 0, "All mounts.", NO_VALUE, "container.mounts contains docker.sock"),
	FIELD_ROW_RESERVED("container.name", STRING, 0, "Name of the container, host outside of containers.", NO_VALUE, "container.name = web"),
	FIELD_ROW_RESERVED("container.privileged", BOOL, 0, "Whether it is privileged.", NO_VALUE, "container.privileged = true"),
	FIELD_ROW_RESERVED("container.readiness_probe", STRING, FIELD_DEPRECATED, "Command of the readiness probe.", NO_VALUE, "container.readiness_probe exists"),
	FIELD_ROW_RESERVED("container.start_ts", ABSTIME, 0, "When the container started.", NO_VALUE, "container.start_ts > 1700000000000000000"),
	FIELD_ROW_RESERVED("container.type", STRING, 0, "Runtime: docker, containerd, cri-o, podman and so on, or host.", NO_VALUE, "container.type = docker"),
};
/* clang-format on */

const struct field_family fields_container = { fields, ARRAY_LEN(fields) };
