/*
 * Watching rule files and the configuration with inotify(7). A ConfigMap's files are links through
 * a folder that the kubelet swaps by renaming "..data" (kubernetes
 * pkg/volume/util/atomic_writer.go), so a folder's own entries tell of that, too. Owns the
 * descriptor. Thread of the reloads.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "haetae/log.h"

#include "reload_private.h"

#define EVENTS                                                                       \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | \
	 IN_MOVE_SELF | IN_ONLYDIR)
#define SWAPPED_LINK "..data"

static void watch_path(struct reload_watch *watch, const char *path)
{
	struct reload_watched *watched = &watch->paths[watch->cnt];
	char folder[PATH_MAX];
	struct stat status;
	const char *slash;

	if (stat(path, &status) < 0 ||
	    (size_t)snprintf(folder, sizeof(folder), "%s", path) >= sizeof(folder))
		return;
	watched->name = NULL;
	if (!S_ISDIR(status.st_mode)) {
		slash = strrchr(path, '/');
		watched->name = slash ? slash + 1 : path;
		snprintf(folder, sizeof(folder), "%s", slash ? path : ".");
		if (slash)
			folder[MAX(slash - path, 1)] = '\0';
	}
	watched->wd = inotify_add_watch(watch->fd, folder, EVENTS);
	if (watched->wd < 0)
		log_warning("watching %s: %s; changes there are not noticed", folder,
			    strerror(errno));
	else
		watch->cnt++;
}

void reload_watch_set(struct reload_watch *watch, const struct daemon_config *config)
{
	uint32_t cnt = MIN(config->rule_path_cnt, (uint32_t)DAEMON_PATHS_MAX);

	/* A folder that is watched already keeps its number: inotify_add_watch(2). */
	watch->cnt = 0;
	for (uint32_t i = 0; watch->fd >= 0 && i < cnt; i++)
		watch_path(watch, config->rule_paths[i]);
	if (watch->fd >= 0 && config->reread.path)
		watch_path(watch, config->reread.path);
}

static bool is_rule_file(const char *name)
{
	size_t n = strlen(name);

	return (n > 5 && strcmp(name + n - 5, ".yaml") == 0) ||
	       (n > 4 && strcmp(name + n - 4, ".yml") == 0) || strcmp(name, SWAPPED_LINK) == 0;
}

static bool is_ours(const struct reload_watch *watch, const struct inotify_event *event)
{
	if (event->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF))
		return true;
	for (uint32_t i = 0; event->len && i < watch->cnt; i++) {
		const struct reload_watched *watched = &watch->paths[i];

		if (watched->wd != event->wd)
			continue;
		if (watched->name ? strcmp(watched->name, event->name) == 0 ||
					    strcmp(event->name, SWAPPED_LINK) == 0
				  : is_rule_file(event->name))
			return true;
	}
	return false;
}

bool reload_watch_read(struct reload_watch *watch)
{
	_Alignas(struct inotify_event) char bytes[16384];
	bool is_changed = false;
	ssize_t n;

	while ((n = read(watch->fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event =
				(const struct inotify_event *)(const void *)(bytes + at);

			is_changed |= is_ours(watch, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	return is_changed;
}

void reload_watch_done(struct reload_watch *watch)
{
	close_fdp(&watch->fd);
}
