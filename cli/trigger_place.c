/*
 * Trigger actions that put files where intruders put them, change them or take them away. Each
 * makes its own file first, under a name of its own. Runs in a child process of `haetae trigger`.
 */
#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>

static int make_file(struct trigger_step *step, const char *path)
{
	_cleanup_(close_fdp) int fd = -1;

	trigger_step_set(step, "create %s", path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : 0;
}

/* A folder of our own with an empty file in it. */
static int make_file_in_folder(struct trigger_step *step, const char *name,
			       char ret[2 * TRIGGER_PATH_MAX])
{
	char folder[TRIGGER_PATH_MAX];
	int r = trigger_folder(step, folder);

	if (r < 0)
		return r;
	snprintf(ret, 2 * TRIGGER_PATH_MAX, "%s/%s", folder, name);
	return make_file(step, ret);
}

/* ---- /etc and the folders of programs ------------------------------------------------------- */

static int rename_in(struct trigger_step *step, const char *folder)
{
	char from[TRIGGER_PATH_MAX], to[TRIGGER_PATH_MAX];
	int r;

	trigger_path(step, folder, "", from);
	trigger_path(step, folder, ".new", to);
	r = make_file(step, from);
	if (r < 0)
		return r;
	trigger_step_set(step, "rename %s", from);
	return rename(from, to) ? -errno : 0;
}

int trigger_rename_etc(struct trigger_step *step)
{
	return rename_in(step, "/etc");
}

int trigger_rename_bin_dir(struct trigger_step *step)
{
	return rename_in(step, "/usr/bin");
}

int trigger_hard_link_etc(struct trigger_step *step)
{
	char from[TRIGGER_PATH_MAX], to[TRIGGER_PATH_MAX];
	int r;

	trigger_path(step, "/etc", "", from);
	trigger_path(step, "/etc", ".new", to);
	r = make_file(step, from);
	if (r < 0)
		return r;
	trigger_step_set(step, "link %s", from);
	return link(from, to) ? -errno : 0;
}

int trigger_create_etc(struct trigger_step *step)
{
	char path[TRIGGER_PATH_MAX];
	_cleanup_(close_fdp) int fd = -1;

	trigger_path(step, "/etc", "", path);
	trigger_step_set(step, "create %s", path);
	/* creat(2) has no O_EXCL; nothing else has this name. */
	if (access(path, F_OK) == 0)
		return -EEXIST;
	fd = creat(path, 0600);
	return fd < 0 ? -errno : 0;
}

int trigger_shell_writes_etc(struct trigger_step *step)
{
	char path[TRIGGER_PATH_MAX];

	trigger_path(step, "/etc", "", path);
	trigger_step_set(step, "create %s with a shell", path);
	return trigger_spawn("/bin/sh",
			     (char *const[]){ "sh", "-c", "set -C; : > \"$1\"", "sh", path, NULL });
}

int trigger_write_local_bin(struct trigger_step *step)
{
	char path[TRIGGER_PATH_MAX];

	trigger_path(step, "/usr/local/bin", "", path);
	return make_file(step, path);
}

/* ---- privileges of files -------------------------------------------------------------------- */

/* An empty set, on an empty file that nobody may execute. */
int trigger_set_capabilities(struct trigger_step *step)
{
	const struct vfs_cap_data none = { .magic_etc = VFS_CAP_REVISION_2 };
	char path[2 * TRIGGER_PATH_MAX];
	int r = make_file_in_folder(step, "harmless", path);

	if (r < 0)
		return r;
	trigger_step_set(step, "give %s a set of no capabilities", path);
	return setxattr(path, "security.capability", &none, XATTR_CAPS_SZ_2, 0) ? -errno : 0;
}

int trigger_set_user_id_tool(struct trigger_step *step)
{
	char path[2 * TRIGGER_PATH_MAX];
	int r = make_file_in_folder(step, "harmless", path);

	if (r < 0)
		return r;
	trigger_step_set(step, "set the mode of %s with chmod", path);
	return trigger_spawn("/bin/chmod", (char *const[]){ "chmod", "u+s", "--", path, NULL });
}

/* ---- keys ----------------------------------------------------------------------------------- */

static int make_ssh_folder(struct trigger_step *step, char ret[TRIGGER_PATH_MAX])
{
	char folder[TRIGGER_PATH_MAX];
	int r = trigger_folder(step, folder);

	if (r < 0)
		return r;
	snprintf(ret, TRIGGER_PATH_MAX, "%.100s/.ssh", folder);
	return mkdir(ret, 0700) ? -errno : 0;
}

int trigger_rename_authorized_keys(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX], from[2 * TRIGGER_PATH_MAX], to[2 * TRIGGER_PATH_MAX];
	int r = make_ssh_folder(step, folder);

	if (r < 0)
		return r;
	snprintf(from, sizeof(from), "%s/new", folder);
	snprintf(to, sizeof(to), "%s/authorized_keys", folder);
	r = make_file(step, from);
	if (r < 0)
		return r;
	trigger_step_set(step, "rename %s to authorized_keys", from);
	return rename(from, to) ? -errno : 0;
}

int trigger_link_authorized_keys(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX], path[2 * TRIGGER_PATH_MAX];
	int r = make_ssh_folder(step, folder);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/authorized_keys2", folder);
	trigger_step_set(step, "make the link %s", path);
	return symlink("haetae-trigger/nowhere", path) ? -errno : 0;
}

/* ---- traces --------------------------------------------------------------------------------- */

int trigger_move_log(struct trigger_step *step)
{
	char from[TRIGGER_PATH_MAX], folder[TRIGGER_PATH_MAX], to[2 * TRIGGER_PATH_MAX];
	int r;

	trigger_path(step, "/var/log", ".log", from);
	r = make_file(step, from);
	if (r == 0)
		r = trigger_folder(step, folder);
	if (r < 0)
		return r;
	snprintf(to, sizeof(to), "%s/log", folder);
	trigger_step_set(step, "move %s away with mv", from);
	return trigger_spawn("/bin/mv", (char *const[]){ "mv", "--", from, to, NULL });
}

int trigger_link_log(struct trigger_step *step)
{
	char path[TRIGGER_PATH_MAX];

	trigger_path(step, "/var/log", ".log", path);
	trigger_step_set(step, "make the link %s with ln", path);
	return trigger_spawn("/bin/ln", (char *const[]){ "ln", "-s", "/dev/null", path, NULL });
}

int trigger_remove_history(struct trigger_step *step)
{
	char path[2 * TRIGGER_PATH_MAX];
	int r = make_file_in_folder(step, ".bash_history", path);

	if (r < 0)
		return r;
	trigger_step_set(step, "remove %s with rm", path);
	return trigger_spawn("/bin/rm", (char *const[]){ "rm", "--", path, NULL });
}

int trigger_empty_history(struct trigger_step *step)
{
	char path[2 * TRIGGER_PATH_MAX];
	int r = make_file_in_folder(step, ".zsh_history", path);

	if (r < 0)
		return r;
	trigger_step_set(step, "empty %s with a shell", path);
	return trigger_spawn("/bin/sh",
			     (char *const[]){ "sh", "-c", ": > \"$1\"", "sh", path, NULL });
}
