/*
 * The source "bundle": what a runtime left on disk of a container, found by its id below the
 * folders that runtimes keep. It needs no socket and is complete before the container's first
 * program (decision 26). Owns the list of folders; metadata thread.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "info.h"
#include "oci.h"
#include "haetae/proc.h"
#include "source.h"

#define ROOTS_MAX METADATA_SOCKETS_MAX
/* Namespaces of one containerd that are looked into where the question names none. */
#define NAMESPACES_MAX 64
#define PATH_BYTES_MAX 1024
/* Of an image's passwd and group. Images have a few KiB there; each container keeps its own, and
 * whoever builds an image decides what they hold. */
#define USERS_FILE_MAX (32u << 10)

/* Where runtimes keep bundles: containerd's state folder (also that of k3s, k0s, microk8s, and the
 * one that Docker starts), and containers/storage of CRI-O and Podman, whose folder ends in
 * "-containers" (overlay-containers, vfs-containers). */
static const char *const usual_roots[] = {
	"/run/containerd/io.containerd.runtime.v2.task",
	"/run/k3s/containerd/io.containerd.runtime.v2.task",
	"/run/k0s/containerd/io.containerd.runtime.v2.task",
	"/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task",
	"/var/run/docker/containerd/daemon/io.containerd.runtime.v2.task",
	"/run/containers/storage/overlay-containers",
	"/var/lib/containers/storage/overlay-containers",
};
_Static_assert(ARRAY_LEN(usual_roots) <= ROOTS_MAX, "all usual folders fit");

struct bundle {
	const char *roots[ROOTS_MAX]; /* borrowed from the configuration, or usual_roots */
	uint32_t root_cnt;
	struct buf file; /* what is read at the time */
};

static bool is_storage(const char *root)
{
	struct str path = str_from(root);

	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	return str_ends_with(path, STR("-containers"));
}

/* A name that stays below its folder. Runtimes allow letters, digits and "._-" (containerd's
 * identifiers.Validate). */
static bool is_plain_name(const char *name)
{
	for (const char *p = name; *p; p++) {
		char lower = (char)(*p | 0x20);

		if (!(*p >= '0' && *p <= '9') && !(lower >= 'a' && lower <= 'z') &&
		    (p == name || !strchr("._-", *p)))
			return false;
	}
	return name[0] != '\0';
}

/* ---- one bundle ----------------------------------------------------------------------------- */

static int read_file(struct source *source, const char *path)
{
	struct bundle *bundle = source->state;

	buf_clear(&bundle->file);
	return host_read(source_root_fd(source), path, &bundle->file);
}

/* 0 with a parsed info, OCI_E_INVALID (counted as refused), or a negative errno: not there. */
static int read_config(struct source *source, const char *path, enum oci_writer writer,
		       struct container_info *info)
{
	struct bundle *bundle = source->state;
	int r = read_file(source, path);

	if (r == -EFBIG)
		return OCI_E_INVALID;
	return r < 0 ? r : oci_config_parse(buf_str(&bundle->file), writer, info);
}

/* containerd's shim is named in the bundle: one for WebAssembly runs the module in its own
 * process, so what the module does is done by the shim's program in the container's cgroup. */
static void read_shim(struct source *source, const char *folder, struct container_info *info)
{
	struct bundle *bundle = source->state;
	char path[PATH_BYTES_MAX];
	struct str name;

	snprintf(path, sizeof(path), "%s/shim-binary-path", folder);
	if (read_file(source, path) != 0)
		return;
	name = buf_str(&bundle->file);
	while (name.n && (unsigned char)name.p[name.n - 1] <= ' ')
		name.n--;
	if (info_is_wasm(name))
		info->type = CONTAINER_WASM;
}

/* Names of users and groups as the container has them when it starts: what its programs write into
 * these files later is not believed. Paths are resolved below its root, so that no link in it leads
 * to the host's files (decision 40). */
static void read_users(struct source *source, const char *folder, struct container_info *info)
{
	_cleanup_(buf_done) struct buf passwd, group;
	_cleanup_(close_fdp) int root_fd = -1;
	struct str root = info->root_path;
	char path[PATH_BYTES_MAX];
	bool is_absolute = root.n && *root.p == '/';
	int r;

	buf_init(&passwd, USERS_FILE_MAX);
	buf_init(&group, USERS_FILE_MAX);
	if (!root.n || (size_t)snprintf(path, sizeof(path), "%s%s%.*s", is_absolute ? "" : folder,
					is_absolute ? "" : "/", STR_ARG(root)) >= sizeof(path))
		return;
	root_fd = host_open(source_root_fd(source), path, O_PATH | O_DIRECTORY);
	/* Without a passwd the container has no names; that is not the same as not knowing. */
	r = root_fd < 0 ? root_fd : host_read(root_fd, "/etc/passwd", &passwd);
	if (r < 0 && (root_fd < 0 || r != -ENOENT))
		return;
	/* Half a file would end with half a line. */
	if (host_read(root_fd, "/etc/group", &group) < 0)
		buf_clear(&group);
	(void)users_new_from(buf_str(&passwd), buf_str(&group), &info->users);
}

static bool is_hex_id(const char *id)
{
	return strlen(id) == 64 && strspn(id, "0123456789abcdef") == 64;
}

static int read_containerd(struct source *source, const char *root, const char *namespace,
			   const char *id, struct container_info *info)
{
	bool is_cri = strcmp(namespace, "k8s.io") == 0, is_docker = strcmp(namespace, "moby") == 0;
	char folder[PATH_BYTES_MAX - 32], path[PATH_BYTES_MAX];
	int r;

	if ((size_t)snprintf(folder, sizeof(folder), "%s/%s/%s", root, namespace, id) >=
	    sizeof(folder))
		return -ENAMETOOLONG;
	snprintf(path, sizeof(path), "%s/config.json", folder);
	r = read_config(source, path, is_cri ? OCI_WRITER_CRI : OCI_WRITER_OTHER, info);
	if (r != 0)
		return r;
	if (info->type == CONTAINER_HOST)
		info->type = is_docker ? CONTAINER_DOCKER : CONTAINER_CONTAINERD;
	read_shim(source, folder, info);
	read_users(source, folder, info);
	/* The id of ctr's containers is the name that their user chose. */
	if (!is_cri && !is_hex_id(id))
		info_set(info, &info->name, str_from(id));
	return 0;
}

/* ---- the folders of namespaces -------------------------------------------------------------- */

static int search_namespaces(struct source *source, const char *root, const char *id,
			     struct container_info *info)
{
	int fd = host_open(source_root_fd(source), root, O_RDONLY | O_DIRECTORY);
	int r = -ENOENT;
	struct dirent *entry;
	DIR *folder;

	if (fd < 0)
		return fd;
	folder = fdopendir(fd);
	if (!folder) {
		close(fd);
		return -errno;
	}
	for (unsigned i = 0; r < 0 && i < NAMESPACES_MAX && (entry = readdir(folder)); i++)
		if (is_plain_name(entry->d_name))
			r = read_containerd(source, root, entry->d_name, id, info);
	closedir(folder);
	return r;
}

static int search_root(struct source *source, const char *root,
		       const struct metadata_question *asked, struct container_info *info)
{
	char path[PATH_BYTES_MAX];
	int r;

	if (is_storage(root)) {
		snprintf(path, sizeof(path), "%s/%s/userdata/config.json", root, asked->full_id);
		r = read_config(source, path, OCI_WRITER_STORAGE, info);
		if (r == 0)
			read_users(source, root, info);
		return r;
	}
	if (!asked->runtime_namespace[0])
		return search_namespaces(source, root, asked->full_id, info);
	if (!is_plain_name(asked->runtime_namespace))
		return -ENOENT;
	return read_containerd(source, root, asked->runtime_namespace, asked->full_id, info);
}

/* Name and image stand in the storage's own list, which may be in another root than the bundle. */
static void read_storage(struct source *source, struct str id, struct container_info *info)
{
	static const char *const names[] = { "containers.json", "volatile-containers.json" };
	struct bundle *bundle = source->state;
	char path[PATH_BYTES_MAX];

	for (uint32_t i = 0; i < bundle->root_cnt; i++) {
		if (!is_storage(bundle->roots[i]))
			continue;
		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			snprintf(path, sizeof(path), "%s/%s", bundle->roots[i], names[k]);
			if (read_file(source, path) == 0 &&
			    oci_storage_parse(buf_str(&bundle->file), id, info) == 0)
				return;
		}
	}
}

/* ---- the source ----------------------------------------------------------------------------- */

static void bundle_question(struct source *source, struct question *question)
{
	_cleanup_(info_unrefp) struct container_info *info = container_info_new();
	const struct metadata_question *asked = question_asked(question);
	struct bundle *bundle = source->state;
	bool has_root = false, is_fine = info && is_plain_name(asked->full_id);
	int r = -ENOENT;

	for (uint32_t i = 0; is_fine && r < 0 && i < bundle->root_cnt; i++) {
		r = search_root(source, bundle->roots[i], asked, info);
		has_root = r >= 0 && is_storage(bundle->roots[i]);
	}
	if (r < 0) {
		source_unknown(source, question);
		return;
	}
	/* Also one that is half written: it is read again. */
	if (r > 0) {
		source_refuse(source, question);
		return;
	}
	if (has_root)
		read_storage(source, str_from(asked->full_id), info);
	info_set(info, &info->full_id, str_from(asked->full_id));
	source_answer(source, question, TAKE_PTR(info));
}

const char *const *bundle_roots(const struct metadata_config *config, uint32_t *ret_cnt)
{
	*ret_cnt = config->bundle_root_cnt ? config->bundle_root_cnt
					   : (uint32_t)ARRAY_LEN(usual_roots);
	return config->bundle_root_cnt ? config->bundle_roots : usual_roots;
}

static int bundle_open(struct source *source)
{
	const struct metadata_config *config = source_config(source);
	struct bundle *bundle = calloc(1, sizeof(*bundle));
	const char *const *roots;

	if (!bundle)
		return -ENOMEM;
	roots = bundle_roots(config, &bundle->root_cnt);
	memcpy(bundle->roots, roots, bundle->root_cnt * sizeof(roots[0]));
	buf_init(&bundle->file, HOST_FILE_BYTES_MAX);
	source->state = bundle;
	return 0;
}

/* A file system does not fail: a folder that is not there yet is one without bundles. */
static void bundle_step(struct source *source, uint64_t now_ns)
{
	source_healthy(source);
	source_wake_at(source, UINT64_MAX);
}

static unsigned bundle_rank(const struct source *source, const struct metadata_question *question)
{
	switch (question->container_type) {
	case CONTAINER_DOCKER:
	case CONTAINER_CONTAINERD:
	case CONTAINER_CRIO:
	case CONTAINER_PODMAN:
	case CONTAINER_CRI:
	case CONTAINER_WASM:
		return 1;
	case CONTAINER_HOST:
	case CONTAINER_LXC:
	case CONTAINER_LIBVIRT_LXC:
	case CONTAINER_NSPAWN:
	case CONTAINER_BPM:
	case CONTAINER_GARDEN:
	case CONTAINER_TYPE__COUNT:
		break;
	}
	return 0;
}

static void bundle_close(struct source *source)
{
	struct bundle *bundle = source->state;

	buf_done(&bundle->file);
	free(bundle);
	source->state = NULL;
}

const struct source_kind source_bundle = {
	.name = "bundle",
	.group = METADATA_RUNTIME,
	.max_in_flight = 1,
	.open = bundle_open,
	.rank = bundle_rank,
	.question = bundle_question,
	.step = bundle_step,
	.close = bundle_close,
};
