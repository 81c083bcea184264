/*
 * What the file system says of cgroups: those there are when the daemon starts, the one that a
 * process is in whose record was missed, and whether containerd has a bundle of a name. Keeps the
 * mount points and a descriptor of the host's root. Engine thread; at start, and for cgroups that
 * are new and in doubt, never for an ordinary event.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "container_private.h"
#include "haetae/clock.h"

#define WALK_DEPTH_MAX 64 /* folders below are learned when a process is in them */
/* Of walks after the first: seldom, and a small share of the time. */
#define WALK_INTERVAL_NS (5 * NS_PER_SEC)
#define WALK_SHARE	 100
#define READS_MAX	 200 /* processes asked for their cgroup in a second */
#define KERNFS_ROOT_ID	 1   /* fs/kernfs/dir.c: the first number that is given */

/* Where containerd keeps bundles: itself, in k3s, in k0s, in MicroK8s, and Docker's own. */
static const char *const bundle_roots[] = {
	"/run/containerd/io.containerd.runtime.v2.task",
	"/run/k3s/containerd/io.containerd.runtime.v2.task",
	"/run/k0s/containerd/io.containerd.runtime.v2.task",
	"/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task",
	"/run/docker/containerd/daemon/io.containerd.runtime.v2.task",
};

/* ---- the host's root ---- */

/* A path of the host, whatever links are on the way (decision 40). */
static int open_in_root(const struct container_table *table, const char *path, uint64_t flags)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };

	return table->root_fd < 0
		       ? -1
		       : (int)syscall(SYS_openat2, table->root_fd, path, &how, sizeof(how));
}

/* The folder is there before the shim is started, and so before the cgroup is (decision 26). */
static bool has_bundle(const struct container_table *table, const struct cgroup_identity *identity)
{
	const struct container_inputs *inputs = &table->config.inputs;
	const char *const *roots = table->config.bundle_roots;
	uint32_t cnt = table->config.bundle_root_cnt;
	char path[CGROUP_PATH_MAX];

	if (inputs->recall_bundle)
		return inputs->recall_bundle(identity->runtime_namespace, identity->id,
					     inputs->data);
	if (!cnt) {
		roots = bundle_roots;
		cnt = ARRAY_LEN(bundle_roots);
	}
	for (uint32_t i = 0; i < cnt; i++) {
		_cleanup_(close_fdp) int fd = -1;

		if (snprintf(path, sizeof(path), "%s/%s/%s/config.json", roots[i],
			     identity->runtime_namespace, identity->id) >= (int)sizeof(path))
			continue;
		fd = open_in_root(table, path, O_PATH | O_NOFOLLOW);
		if (fd < 0)
			continue;
		if (inputs->on_bundle)
			inputs->on_bundle(identity->runtime_namespace, identity->id, inputs->data);
		return true;
	}
	return false;
}

bool container_name(const struct container_table *table, struct str path,
		    struct cgroup_identity *ret)
{
	if (!cgroup_identify(path, ret) &&
	    (!cgroup_candidate(path, ret) || !has_bundle(table, ret)))
		return false;
	/* What every rule takes for the host is none of the names that somebody may choose. */
	if (strcmp(ret->id, container_host.id) == 0)
		snprintf(ret->id, sizeof(ret->id), "%.32s:host", container_type_name(ret->type));
	return true;
}

/* Whose a cgroup is of which no record tells who made it. What is below a container is its own,
 * however it is called. NULL: no room. */
static const struct container *classify(struct container_table *table, struct str path,
					const struct cgroup_node *above)
{
	struct cgroup_identity identity;
	struct container_entry *entry;

	if (above && container_entry(above->container))
		return above->container;
	if (!container_name(table, path, &identity))
		return &container_host;
	entry = container_entry_put(table, &identity, table->now_ns);
	return entry ? &entry->container : NULL;
}

/* ---- mounts ---- */

/* Undoes the octal escapes of mountinfo (proc(5)): \040 is a space. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		unsigned value;

		if (*text == '\\' && sscanf(text + 1, "%3o", &value) == 1) {
			*to++ = (char)value;
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* A hierarchy is only of use as a whole: below a bind mount, or in a cgroup namespace of our own,
 * paths would begin somewhere in it. */
static bool is_whole(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && info.st_ino == KERNFS_ROOT_ID;
}

static void take_mount(struct container_table *table, const char *path, const char *options)
{
	for (unsigned i = 0; i < HIERARCHY_CNT; i++) {
		bool is_it = options ? i != WIRE_HIERARCHY_V2 &&
					       cgroup_controllers_have(options, strlen(options), i)
				     : i == WIRE_HIERARCHY_V2;

		if (!is_it)
			continue;
		if (!table->mounts[i] && is_whole(path))
			table->mounts[i] = strdup(path);
		return; /* controllers that share a hierarchy: records name it by the first */
	}
}

/* "36 35 98:0 /root /point rw shared:1 - cgroup2 source rw,nsdelegate" (proc(5)). */
static void match_mount(struct container_table *table, char *line, const char *prefix)
{
	char *rest = strstr(line, " - cgroup"), *path = line, *end, *options;
	bool is_v2;

	if (!rest)
		return;
	for (unsigned i = 0; i < 4 && path; i++) {
		path = strchr(path, ' ');
		path = path ? path + 1 : NULL;
	}
	end = path ? strchr(path, ' ') : NULL;
	options = strrchr(rest, ' ');
	if (!end || !options || end > rest)
		return;
	is_v2 = strncmp(rest, " - cgroup2 ", 11) == 0;
	if (!is_v2 && strncmp(rest, " - cgroup ", 10) != 0)
		return;
	*end = '\0';
	options[strcspn(options, "\n")] = '\0';
	unescape(path);
	if (strncmp(path, prefix, strlen(prefix)) == 0)
		take_mount(table, path, is_v2 ? NULL : options + 1);
}

static void find_mounts(struct container_table *table, const char *prefix)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0)
		match_mount(table, line, prefix);
	free(line);
	if (file)
		fclose(file);
}

int container_walk_new(struct container_table *table)
{
	const char *root = table->config.host_root;

	table->root_fd = -1;
	if (!root || table->config.inputs.recall_place)
		return 0;
	table->root_fd = open(*root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	find_mounts(table, root);
	/* What is not below the host's root may be whole all the same. */
	find_mounts(table, "");
	return 0;
}

void container_walk_free(struct container_table *table)
{
	close_fdp(&table->root_fd);
	for (unsigned i = 0; i < HIERARCHY_CNT; i++)
		free(table->mounts[i]);
}

/* ---- the walk ---- */

/* Those whose cgroup_rmdir was missed. */
static void sweep(struct container_table *table, unsigned hierarchy)
{
	struct cgroup_node *node;
	uint32_t cursor = 0;

	while ((node = table_next(&table->nodes, &cursor)))
		if (node->key >> 62 == hierarchy && node->walk != table->walk_cnt)
			cgroup_node_mark_gone(table, node, table->now_ns);
}

static bool take_folder(struct container_table *table, const struct cgroup_walk *walk)
{
	uint64_t key = cgroup_node_key(walk->id, walk->hierarchy);
	const struct cgroup_node *above =
		cgroup_node_find(table, cgroup_node_key(walk->parent_id, walk->hierarchy));
	struct cgroup_node *node = cgroup_node_find(table, key);

	if (!above)
		return false;
	if (!node || !node->container)
		node = cgroup_node_put(table, key, classify(table, walk->path, above),
				       above->is_inherited);
	if (node)
		node->walk = table->walk_cnt;
	return node != NULL;
}

bool container_table_take_walk(struct container_table *table, const struct cgroup_walk *walk)
{
	struct cgroup_node *root;

	switch (walk->type) {
	case CGROUP_WALK_BEGIN:
		table->now_ns = MAX(table->now_ns, walk->now_ns);
		table->walk_cnt++;
		root = cgroup_node_put(table, cgroup_node_key(KERNFS_ROOT_ID, walk->hierarchy),
				       &container_host, false);
		if (root)
			root->walk = table->walk_cnt;
		return root != NULL;
	case CGROUP_WALK_FOLDER:
		return take_folder(table, walk);
	case CGROUP_WALK_END:
		if (walk->is_complete)
			sweep(table, walk->hierarchy);
		return true;
	}
	return false;
}

struct walk_level {
	DIR *directory;
	uint32_t path_length; /* of this folder's path */
	uint64_t id;
};

struct walk {
	struct container_table *table;
	unsigned hierarchy;
	struct walk_level levels[WALK_DEPTH_MAX];
	unsigned depth;	 /* levels that are open */
	bool is_partial; /* a folder could not be read */
	char path[CGROUP_PATH_MAX];
};

static bool take_step(struct walk *walk, struct cgroup_walk *step)
{
	const struct container_inputs *inputs = &walk->table->config.inputs;
	bool is_taken;

	step->hierarchy = walk->hierarchy;
	is_taken = container_table_take_walk(walk->table, step);
	if (inputs->on_walk)
		inputs->on_walk(step, inputs->data);
	return is_taken;
}

/* False: it has gone, or is_partial is set. */
static bool enter_folder(struct walk *walk, int parent_fd, const char *name, uint64_t id)
{
	struct walk_level *level = &walk->levels[walk->depth];
	int fd;

	if (walk->depth == WALK_DEPTH_MAX) {
		walk->is_partial = true;
		return false;
	}
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	walk->is_partial |= fd < 0 && errno != ENOENT;
	level->directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (!level->directory) {
		close_fdp(&fd);
		return false;
	}
	level->path_length = (uint32_t)strlen(walk->path);
	level->id = id;
	walk->depth++;
	return true;
}

/* One entry of the deepest folder. */
static void step(struct walk *walk)
{
	struct walk_level *level = &walk->levels[walk->depth - 1];
	const struct dirent *entry = readdir(level->directory);
	struct cgroup_walk found = { .type = CGROUP_WALK_FOLDER, .parent_id = level->id };
	size_t n;

	if (!entry) {
		closedir(level->directory);
		walk->depth--;
		return;
	}
	n = strlen(entry->d_name);
	if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
	    strcmp(entry->d_name, "..") == 0)
		return;
	if (level->path_length + n + 2 > sizeof(walk->path)) {
		walk->is_partial = true;
		return;
	}
	walk->path[level->path_length] = '/';
	memcpy(walk->path + level->path_length + 1, entry->d_name, n + 1);
	/* kernfs gives its number here, too (kernfs_fop_readdir(), fs/kernfs/dir.c). */
	found.id = entry->d_ino;
	found.path = (struct str){ walk->path, level->path_length + 1 + (uint32_t)n };
	if (take_step(walk, &found))
		(void)enter_folder(walk, dirfd(level->directory), entry->d_name, found.id);
	else
		walk->is_partial = true;
}

static bool walk_hierarchy(struct container_table *table, unsigned hierarchy, uint64_t now_ns)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	struct cgroup_walk begin = { .type = CGROUP_WALK_BEGIN, .now_ns = now_ns };
	struct cgroup_walk end = { .type = CGROUP_WALK_END };
	bool is_read;

	if (!walk)
		return false;
	walk->table = table;
	walk->hierarchy = hierarchy;
	is_read = take_step(walk, &begin) &&
		  enter_folder(walk, AT_FDCWD, table->mounts[hierarchy], KERNFS_ROOT_ID);
	if (is_read)
		walk->levels[0].path_length = 0;
	while (walk->depth)
		step(walk);
	end.is_complete = is_read && !walk->is_partial;
	(void)take_step(walk, &end);
	free(walk);
	return is_read;
}

int container_table_walk(struct container_table *table)
{
	uint64_t now_ns = clock_boot_ns();
	bool is_read = false;

	table->is_walk_due = false;
	for (unsigned i = 0; i < HIERARCHY_CNT; i++)
		is_read |= table->mounts[i] && walk_hierarchy(table, i, now_ns);
	table->next_walk_ns =
		clock_boot_ns() + WALK_INTERVAL_NS + WALK_SHARE * (clock_boot_ns() - now_ns);
	return is_read ? 0 : -ENOENT;
}

void container_table_look(struct container_table *table, uint64_t now_ns)
{
	if (table->is_walk_due && table->config.host_root && now_ns >= table->next_walk_ns)
		(void)container_table_walk(table);
}

/* ---- one that was missed ---- */

static bool may_read(struct container_table *table, uint64_t now_ns)
{
	if (now_ns - table->reads_since_ns >= NS_PER_SEC) {
		table->reads_since_ns = now_ns;
		table->read_cnt = 0;
	}
	return table->read_cnt++ < READS_MAX;
}

/* The path of the process's cgroup, as /proc shows it. */
static bool read_path(const struct container_table *table, uint32_t pid, unsigned hierarchy,
		      char path[CGROUP_PATH_MAX])
{
	_cleanup_(close_fdp) int fd = -1;
	char text[CGROUP_FILE_MAX];
	ssize_t n;

	snprintf(text, sizeof(text), "proc/%u/cgroup", pid);
	fd = open_in_root(table, text, O_RDONLY | O_NOCTTY);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (n <= 0)
		return false;
	text[n] = '\0';
	return cgroup_file_find(text, hierarchy, path, CGROUP_PATH_MAX) && path[0] == '/';
}

/* Whether the path leads to the cgroup; completes what is above. */
static bool look_up(const struct container_table *table, struct cgroup_place *place)
{
	const char *mount = table->mounts[place->hierarchy];
	char text[2 * CGROUP_PATH_MAX];
	struct stat info;
	size_t n = strlen(mount);

	if (snprintf(text, sizeof(text), "%s%s", mount, place->path.p) >= (int)sizeof(text) ||
	    lstat(text, &info) < 0 || info.st_ino != place->id)
		return false;
	for (char *slash; (slash = strrchr(text, '/')) && slash > text + n;) {
		const struct cgroup_node *node;

		*slash = '\0';
		if (lstat(text, &info) < 0)
			return false;
		node = cgroup_node_find(table, cgroup_node_key(info.st_ino, place->hierarchy));
		if (node && container_entry(node->container)) {
			place->above_id = info.st_ino;
			break;
		}
	}
	return true;
}

/* ---- what is learned ---- */

static struct cgroup_node *take_place(struct container_table *table,
				      const struct cgroup_place *place)
{
	const struct cgroup_node *above = NULL;
	struct cgroup_node *node;

	if (place->above_id)
		above = cgroup_node_find(table, cgroup_node_key(place->above_id, place->hierarchy));
	node = cgroup_node_put(table, cgroup_node_key(place->id, place->hierarchy),
			       classify(table, place->path, above), above && above->is_inherited);
	if (node) {
		node->walk = table->walk_cnt;
		table->stats.learned++;
	}
	return node;
}

/* A replay asks its recording, whatever it is that was asked of the host. */
static struct cgroup_node *recall(struct container_table *table, uint64_t id,
				  enum wire_hierarchy hierarchy)
{
	const struct container_inputs *inputs = &table->config.inputs;
	struct cgroup_place place = { 0 };

	if (!inputs->recall_place(id, hierarchy, &place, inputs->data))
		return NULL;
	place.id = id;
	place.hierarchy = hierarchy;
	return take_place(table, &place);
}

struct cgroup_node *container_learn_path(struct container_table *table, uint64_t id,
					 unsigned hierarchy, const char *path)
{
	const struct container_inputs *inputs = &table->config.inputs;
	struct cgroup_place place = { hierarchy, id, str_from(path), 0 };

	if (hierarchy >= HIERARCHY_CNT)
		return NULL;
	if (inputs->recall_place)
		return recall(table, id, hierarchy);
	if (!table->mounts[hierarchy] || !look_up(table, &place))
		return NULL;
	if (inputs->on_place)
		inputs->on_place(&place, inputs->data);
	return take_place(table, &place);
}

struct cgroup_node *container_learn(struct container_table *table, const struct wire_header *header)
{
	unsigned hierarchy = header->cgroup_hierarchy;
	struct cgroup_node *node = NULL;
	char path[CGROUP_PATH_MAX];

	if (hierarchy >= HIERARCHY_CNT)
		return NULL;
	if (table->config.inputs.recall_place)
		return recall(table, header->cgroup_id, hierarchy);
	if (!table->mounts[hierarchy] || !may_read(table, clock_boot_ns()))
		return NULL;
	if (read_path(table, header->pid, hierarchy, path))
		node = container_learn_path(table, header->cgroup_id, hierarchy, path);
	/* It has gone, or is hidden (hidepid), or we are in a cgroup namespace of our own, from
	 * where paths begin elsewhere (cgroup_namespaces(7)). */
	table->is_walk_due |= !node;
	return node;
}

void container_table_take_cgroup(struct container_table *table, enum wire_hierarchy hierarchy,
				 uint64_t id, bool is_inherited,
				 const struct cgroup_identity *identity)
{
	const struct container_entry *entry = NULL;

	if (identity->type != CONTAINER_HOST)
		entry = container_entry_put(table, identity, table->now_ns);
	if (entry || identity->type == CONTAINER_HOST)
		(void)cgroup_node_put(table, cgroup_node_key(id, hierarchy),
				      entry ? &entry->container : &container_host, is_inherited);
}
