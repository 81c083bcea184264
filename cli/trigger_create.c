/*
 * The trigger action that many rules have in common: an empty file at a place where intruders put
 * theirs. Owns nothing; called by trigger_perform.c in the child process of an action, which
 * removes the file and the folders that were made for it.
 */
#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* "@/x/%" -> "/tmp/haetae-trigger-AbCdEf/x/haetae-trigger-12". */
static int expand(struct trigger_step *step, const char *place, char ret[TRIGGER_PATH_MAX])
{
	char folder[TRIGGER_PATH_MAX] = "", name[32] = "";
	const char *rest = place, *mark;
	int r = 0, n;

	if (place[0] == '@') {
		r = trigger_folder(step, folder);
		rest = place + 1;
	}
	if (r < 0)
		return r;
	mark = strchr(rest, '%');
	if (mark)
		snprintf(name, sizeof(name), "haetae-trigger-%d", (int)getpid());
	n = snprintf(ret, TRIGGER_PATH_MAX, "%s%.*s%s%s", folder,
		     mark ? (int)(mark - rest) : (int)strlen(rest), rest, name,
		     mark ? mark + 1 : "");
	return n < TRIGGER_PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int make_folders(struct trigger_step *step, char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int r = 0;

		*slash = 0;
		trigger_step_set(step, "make the folder %s", path);
		if (mkdir(path, 0755) == 0)
			trigger_step_owns_empty(step, path);
		else if (errno != EEXIST)
			r = -errno;
		*slash = '/';
		if (r < 0)
			return r;
	}
	return 0;
}

static int create(struct trigger_step *step, const char *place, char path[TRIGGER_PATH_MAX])
{
	_cleanup_(close_fdp) int fd = -1;
	int r = expand(step, place, path);

	if (r == 0)
		r = make_folders(step, path);
	if (r < 0)
		return r;
	trigger_step_set(step, "create %s", path);
	if (strchr(place, '%'))
		trigger_step_owns(step, path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && !strchr(place, '%'))
		trigger_step_owns(step, path);
	/* The host's own, where the name is not ours: opened to write, and closed. */
	if (fd < 0 && errno == EEXIST && !strchr(place, '%'))
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : 0;
}

int trigger_create(struct trigger_step *step, const char *place)
{
	char path[TRIGGER_PATH_MAX];

	return create(step, place, path);
}

int trigger_show(struct trigger_step *step, const char *place)
{
	char path[TRIGGER_PATH_MAX];
	int r = create(step, place, path);

	if (r < 0)
		return r;
	trigger_step_set(step, "show %s", path);
	return trigger_spawn("/bin/cat", (char *const[]){ "cat", "--", path, NULL });
}
