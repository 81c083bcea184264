/*
 * Files and sockets of the host, from inside a container: every path is resolved below a root
 * folder ("/host"), whatever symbolic links say, and nothing that blocks or never ends is read
 * (decision 40). Not for the event path.
 */
#ifndef HAETAE_HOST_FILE_H
#define HAETAE_HOST_FILE_H

#include "haetae/buf.h"

#define HOST_FILE_BYTES_MAX (1u << 20)

/* The root folder as a descriptor for the others ("" is "/"), or a negative errno. */
int host_root_open(const char *root);
/* As openat2(RESOLVE_IN_ROOT): an absolute path, or link, starts at the root. flags: O_PATH,
 * O_DIRECTORY, …; O_CLOEXEC, O_NOCTTY and O_NONBLOCK are added. A descriptor or a negative errno
 * (-ENOSYS before Linux 5.6: then only the root "/" works). */
int host_open(int root_fd, const char *path, int flags);
/* A regular file of at most HOST_FILE_BYTES_MAX into `buf` (whose own maximum counts too). 0,
 * -EFBIG, -EINVAL for what is no regular file, or what open and read said. */
int host_read(int root_fd, const char *path, struct buf *buf);
/* An O_PATH descriptor of a unix socket; -ENOTSOCK for anything else. connect() reaches it as
 * "/proc/self/fd/N". */
int host_socket_open(int root_fd, const char *path);

#endif
