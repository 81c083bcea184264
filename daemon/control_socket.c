/*
 * The control socket's place in the file system. Everything goes through a descriptor of the folder
 * that was checked, so that nobody can put another folder there in between. Owns two descriptors.
 * Called before privileges are dropped, and at the end.
 */
#include "control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 16

/* In a sticky folder such as /tmp nobody replaces what is ours; what was there before is checked.
 */
static int check_folder(int dir_fd)
{
	struct stat status;

	if (fstat(dir_fd, &status) < 0)
		return -errno;
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return -EPERM;
	return status.st_mode & (S_IWGRP | S_IWOTH) && !(status.st_mode & S_ISVTX) ? -EPERM : 0;
}

static int open_folder(const char *path, struct control_socket *socket)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	int n, r;

	if (!slash || path[0] != '/' || !slash[1])
		return -EINVAL;
	n = snprintf(folder, sizeof(folder), "%.*s", (int)MAX(slash - path, 1), path);
	if (n >= (int)sizeof(folder) || strlen(slash + 1) >= sizeof(socket->name))
		return -ENAMETOOLONG;
	memcpy(socket->name, slash + 1, strlen(slash + 1) + 1);
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return -errno;
	socket->dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = socket->dir_fd < 0 ? -errno : check_folder(socket->dir_fd);
	return r;
}

/* Below /proc/self/fd a name is resolved from the descriptor, and sun_path is long enough for
 * every folder. */
static socklen_t put_address(const struct control_socket *socket, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", socket->dir_fd,
		       socket->name);
	return sizeof(*ret);
}

/* Only a refused connection says that nobody listens any more. */
static int remove_stale(const struct control_socket *control)
{
	_cleanup_(close_fdp) int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	struct stat status;
	socklen_t length = put_address(control, &address);

	if (fd < 0)
		return -errno;
	if (fstatat(control->dir_fd, control->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode) || status.st_uid != geteuid())
		return -EEXIST;
	if (connect(fd, (struct sockaddr *)&address, length) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	if (errno != ECONNREFUSED)
		return -errno;
	return unlinkat(control->dir_fd, control->name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* The mode of the descriptor becomes that of the file (unix_bind() in net/unix/af_unix.c), so there
 * is no moment at which others may connect. */
static int bind_socket(struct control_socket *control)
{
	struct sockaddr_un address;
	socklen_t length = put_address(control, &address);
	struct stat status;

	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (control->fd < 0 || fchmod(control->fd, 0600) < 0 ||
	    bind(control->fd, (struct sockaddr *)&address, length) < 0 ||
	    listen(control->fd, BACKLOG) < 0 ||
	    fstatat(control->dir_fd, control->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	control->device = status.st_dev;
	control->inode = status.st_ino;
	return 0;
}

int control_socket_open(const char *path, struct control_socket *ret)
{
	struct control_socket control = { .fd = -1, .dir_fd = -1 };
	int r = open_folder(path, &control);

	if (r == 0)
		r = remove_stale(&control);
	if (r == 0)
		r = bind_socket(&control);
	if (r < 0) {
		control_socket_close(&control);
		return r;
	}
	*ret = control;
	return 0;
}

void control_socket_close(struct control_socket *control)
{
	struct stat status;

	if (control->inode &&
	    fstatat(control->dir_fd, control->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	    status.st_dev == control->device && status.st_ino == control->inode)
		(void)unlinkat(control->dir_fd, control->name, 0);
	close_fdp(&control->fd);
	close_fdp(&control->dir_fd);
	control->inode = 0;
}
