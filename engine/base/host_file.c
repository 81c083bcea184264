/*
 * Opens below a root folder with openat2(2). Owns nothing. Called by the metadata thread and at
 * start.
 */
#include "haetae/host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int host_root_open(const char *root)
{
	int fd = open(root && *root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A container's seccomp filter, or a kernel before 5.6, may know no openat2. The host's own root
 * needs no confinement. */
static bool is_own_root(int root_fd)
{
	struct stat root, given;

	return stat("/", &root) == 0 && fstat(root_fd, &given) == 0 &&
	       root.st_dev == given.st_dev && root.st_ino == given.st_ino;
}

int host_open(int root_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (__u64)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT,
	};
	long fd;

	/* openat2 refuses what O_PATH ignores. */
	if (!(flags & O_PATH))
		how.flags |= O_NOCTTY | O_NONBLOCK;
	fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM) && is_own_root(root_fd))
		fd = open(path, (int)how.flags);
	return fd < 0 ? -errno : (int)fd;
}

int host_read(int root_fd, const char *path, struct buf *buf)
{
	_cleanup_(close_fdp) int fd = host_open(root_fd, path, O_RDONLY);
	size_t total = 0;
	struct stat status;
	char block[8192];
	ssize_t n;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	/* A file may grow, and those of /proc have no size: what is read counts. */
	while ((n = read(fd, block, sizeof(block))) > 0) {
		total += (size_t)n;
		buf_put(buf, block, (size_t)n);
		if (total > HOST_FILE_BYTES_MAX || buf->failed)
			return -EFBIG;
	}
	return n < 0 ? -errno : 0;
}

int host_socket_open(int root_fd, const char *path)
{
	_cleanup_(close_fdp) int fd = host_open(root_fd, path, O_PATH);
	struct stat status;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISSOCK(status.st_mode))
		return -ENOTSOCK;
	return TAKE_FD(fd);
}
