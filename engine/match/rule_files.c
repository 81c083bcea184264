/*
 * Files and folders of rules: order, limits, what cannot be read. Owns nothing: a file's content is
 * kept by the diagnostics. Called by ruleset.c.
 */
#include "rule_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define FOLDER_FILES_MAX 10000

static void report(struct loader *loader, const char *path, int error)
{
	diags_error(loader->diags, SPAN_NONE, "E0101",
		    error == ENOENT ? "check the path"
				    : "check the permissions and the kind of file",
		    "cannot read %s: %s", path, strerror(error));
}

/* A negative errno of read(2), or 0. */
static int read_all(int fd, struct buf *content)
{
	char chunk[65536];

	while (!content->failed) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		buf_put(content, chunk, (size_t)n);
	}
	return 0;
}

static void add_file(struct loader *loader, const char *path)
{
	_cleanup_(close_fdp) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_(buf_done) struct buf content;
	uint32_t source;
	int r = fd < 0 ? -errno : 0;

	buf_init(&content, YAML_FILE_MAX);
	if (r == 0)
		r = read_all(fd, &content);
	if (r < 0) {
		report(loader, path, -r);
		return;
	}
	if (content.failed) {
		diags_error(loader->diags, SPAN_NONE, "E0102", "split it",
			    "%s is larger than 16 MiB", path);
		return;
	}
	source = diags_add_source(loader->diags, str_from(path), buf_str(&content));
	if (source == 0)
		loader->is_out_of_memory = true;
	else
		loader_add(loader, source);
}

/* ---- folders --------------------------------------------------------------------------------- */

struct names {
	char **items; /* owned */
	uint32_t cnt, cap;
};

static void names_done(struct names *names)
{
	for (uint32_t i = 0; i < names->cnt; i++)
		free(names->items[i]);
	free(names->items);
}

static bool is_rule_file(const char *name)
{
	struct str s = str_from(name);

	return name[0] != '.' && (str_ends_with(s, STR(".yaml")) || str_ends_with(s, STR(".yml")));
}

static bool names_add(struct names *names, const char *folder, const char *name)
{
	char *path = NULL;

	if (names->cnt == names->cap) {
		uint32_t cap = names->cap ? names->cap * 2 : 16;
		char **items = reallocarray(names->items, cap, sizeof(*items));

		if (!items)
			return false;
		names->items = items;
		names->cap = cap;
	}
	if (asprintf(&path, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name) <
	    0)
		return false;
	names->items[names->cnt++] = path;
	return true;
}

/* What the other files of a folder share: a macro must stand before its use. */
static bool is_common(const char *path)
{
	const char *slash = strrchr(path, '/');

	return str_eq_text(str_from(slash ? slash + 1 : path), "common.yaml");
}

static int compare_names(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	return is_common(x) != is_common(y) ? (is_common(x) ? -1 : 1) : strcmp(x, y);
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* Regular files, also behind links: Kubernetes mounts a ConfigMap as links. */
static void collect(struct loader *loader, const char *folder, struct names *names)
{
	_cleanup_(closedirp) DIR *dir = opendir(folder);
	const struct dirent *entry;
	struct stat st;

	if (!dir) {
		report(loader, folder, errno);
		return;
	}
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
		if (!is_rule_file(entry->d_name) ||
		    fstatat(dirfd(dir), entry->d_name, &st, 0) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (names->cnt == FOLDER_FILES_MAX) {
			diags_error(loader->diags, SPAN_NONE, "E0102", "join them",
				    "more than 10000 rule files in %s", folder);
			return;
		}
		if (!names_add(names, folder, entry->d_name)) {
			loader->is_out_of_memory = true;
			return;
		}
	}
	if (errno)
		report(loader, folder, errno);
}

static void add_folder(struct loader *loader, const char *folder)
{
	_cleanup_(names_done) struct names names = { 0 };
	uint32_t errors_before = loader->diags->error_cnt;

	collect(loader, folder, &names);
	if (names.cnt == 0 && loader->diags->error_cnt == errors_before)
		diags_warning(loader->diags, SPAN_NONE, "W0102",
			      "rule files end in .yaml or .yml; folders below are not read",
			      "no rule files in %s", folder);
	if (names.cnt)
		qsort(names.items, names.cnt, sizeof(*names.items), compare_names);
	for (uint32_t i = 0; i < names.cnt && !loader->is_out_of_memory; i++)
		add_file(loader, names.items[i]);
}

void rule_files_add(struct loader *loader, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		report(loader, path, errno);
	else if (S_ISDIR(st.st_mode))
		add_folder(loader, path);
	else
		add_file(loader, path);
}
