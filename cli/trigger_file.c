/*
 * Trigger actions that touch files. Each creates what it needs with O_EXCL, so that nothing of the
 * host's can be hit, and removes it. Runs in a child process of `haetae trigger`.
 */
#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#define FILE_NAME   "haetae-trigger"
#define SHADOW_FILE "/etc/shadow"
/* More components than the kernel side records whole (64, decision in wire.h's wire_path). */
#define DEEP_DIR_CNT 80

void trigger_step_set(struct trigger_step *step, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(step->text, sizeof(step->text), format, args);
	va_end(args);
}

/* Opens and closes: the content is never read. */
int trigger_read_shadow(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = -1;

	trigger_step_set(step, "open %s", SHADOW_FILE);
	fd = open(SHADOW_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : 0;
}

/* Who may read the second name is who may read the first. */
int trigger_link_shadow(struct trigger_step *step)
{
	char path[64];

	snprintf(path, sizeof(path), "/etc/" FILE_NAME "-%d", (int)getpid());
	trigger_step_set(step, "link %s to %s", SHADOW_FILE, path);
	trigger_step_owns(step, path);
	if (link(SHADOW_FILE, path))
		return -errno;
	trigger_step_set(step, "remove %s", path);
	return unlink(path) ? -errno : 0;
}

int trigger_chmod_shadow(struct trigger_step *step)
{
	struct stat status;

	trigger_step_set(step, "set the mode of %s", SHADOW_FILE);
	if (lstat(SHADOW_FILE, &status))
		return -errno;
	if (!S_ISREG(status.st_mode)) /* chmod would follow it */
		return -EINVAL;
	return chmod(SHADOW_FILE, status.st_mode & 07777) ? -errno : 0;
}

static int link_and_remove(struct trigger_step *step, const char *path)
{
	trigger_step_set(step, "make the link %s", path);
	trigger_step_owns(step, path);
	if (symlink(FILE_NAME "/nowhere", path))
		return -errno;
	trigger_step_set(step, "remove %s", path);
	return unlink(path) ? -errno : 0;
}

int trigger_link_bin_dir(struct trigger_step *step)
{
	char path[64];

	snprintf(path, sizeof(path), "/usr/bin/" FILE_NAME "-%d", (int)getpid());
	return link_and_remove(step, path);
}

int trigger_link_etc(struct trigger_step *step)
{
	char path[64];

	snprintf(path, sizeof(path), "/etc/" FILE_NAME "-%d", (int)getpid());
	return link_and_remove(step, path);
}

/* Empty, and nobody may execute it. */
int trigger_set_user_id(struct trigger_step *step)
{
	char path[] = "/tmp/" FILE_NAME "-XXXXXX";
	_cleanup_(close_fdp) int fd = -1;
	int r;

	trigger_step_set(step, "create a file in /tmp");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	trigger_step_owns(step, path);
	trigger_step_set(step, "set the mode of %s", path);
	r = fchmod(fd, S_ISUID | S_IRUSR | S_IWUSR) ? -errno : 0;
	(void)unlink(path);
	return r;
}

static int create_file(struct trigger_step *step, const char *path)
{
	_cleanup_(close_fdp) int fd = -1;

	trigger_step_set(step, "create %s", path);
	trigger_step_owns(step, path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : 0;
}

static int create_and_remove(struct trigger_step *step, const char *path)
{
	int r = create_file(step, path);

	if (r < 0)
		return r;
	trigger_step_set(step, "remove %s", path);
	return unlink(path) ? -errno : 0;
}

int trigger_write_etc(struct trigger_step *step)
{
	char path[64];

	snprintf(path, sizeof(path), "/etc/" FILE_NAME "-%d", (int)getpid());
	return create_and_remove(step, path);
}

int trigger_write_bin_dir(struct trigger_step *step)
{
	char path[64];

	snprintf(path, sizeof(path), "/usr/bin/" FILE_NAME "-%d", (int)getpid());
	return create_and_remove(step, path);
}

int trigger_write_authorized_keys(struct trigger_step *step)
{
	char home[] = "/tmp/" FILE_NAME "-XXXXXX";
	char dir[64], path[96];
	int r;

	trigger_step_set(step, "make a folder in /tmp");
	if (!mkdtemp(home))
		return -errno;
	trigger_step_owns(step, home);
	snprintf(dir, sizeof(dir), "%s/.ssh", home);
	snprintf(path, sizeof(path), "%s/authorized_keys", dir);
	r = mkdir(dir, 0700) ? -errno : create_and_remove(step, path);
	(void)rmdir(dir);
	(void)rmdir(home);
	return r;
}

/* The rule asks for a shell tool, so a real shell does it, on a log file of our own. */
int trigger_truncate_log(struct trigger_step *step)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/var/log/" FILE_NAME "-%d.log", (int)getpid());
	r = create_file(step, path);
	if (r < 0)
		return r;
	trigger_step_set(step, "truncate %s", path);
	r = trigger_spawn("/bin/sh", (char *const[]){ "sh", "-c", ": > \"$1\"", "sh", path, NULL });
	(void)unlink(path);
	return r;
}

int trigger_remove_log(struct trigger_step *step)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/var/log/" FILE_NAME "-%d.log", (int)getpid());
	r = create_file(step, path);
	if (r < 0)
		return r;
	trigger_step_set(step, "remove %s with rm", path);
	r = trigger_spawn("/bin/rm", (char *const[]){ "rm", "--", path, NULL });
	(void)unlink(path);
	return r;
}

/* Each folder is entered and none opened, so that one event has a path too deep. */
static int enter_deep(const char *top)
{
	if (chdir(top))
		return -errno;
	for (int i = 0; i < DEEP_DIR_CNT; i++)
		if (mkdir("d", 0700) || chdir("d"))
			return -errno;
	return 0;
}

static void remove_deep(const char *top)
{
	char path[64 + 2 * DEEP_DIR_CNT];
	size_t n = (size_t)snprintf(path, sizeof(path), "%s", top);

	for (int i = 0; i < DEEP_DIR_CNT; i++)
		n += (size_t)snprintf(path + n, sizeof(path) - n, "/d");
	for (int i = 0; i <= DEEP_DIR_CNT; i++, n -= 2) {
		path[n] = 0;
		(void)rmdir(path);
	}
}

int trigger_deep_path(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = -1;
	char top[] = "/tmp/" FILE_NAME "-XXXXXX";
	int r;

	trigger_step_set(step, "make folders in /tmp");
	if (!mkdtemp(top))
		return -errno;
	trigger_step_owns(step, top);
	r = enter_deep(top);
	if (r == 0) {
		trigger_step_set(step, "create a file %d folders below %s", DEEP_DIR_CNT, top);
		fd = open("file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		r = fd < 0 || unlink("file") ? -errno : 0;
	}
	remove_deep(top);
	return r;
}
