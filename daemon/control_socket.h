/*
 * The control socket's place in the file system: made with care, taken away again.
 */
#ifndef HAETAE_DAEMON_CONTROL_SOCKET_H
#define HAETAE_DAEMON_CONTROL_SOCKET_H

#include <sys/types.h>

#include "haetae/base.h"

/* With "/proc/self/fd/N/" in front it fits into sun_path. */
#define CONTROL_NAME_MAX 70

struct control_socket {
	int fd;	    /* owned; listens, does not block */
	int dir_fd; /* owned: of the folder, so that what is removed is what was made */
	char name[CONTROL_NAME_MAX + 1];
	dev_t device; /* of the socket's file */
	ino_t inode;
};

/* Makes the last folder of an absolute path where it is missing (0755), takes a stale socket of our
 * own away, binds (0600) and listens. 0 or a negative errno: -EADDRINUSE where another process
 * listens there, -EEXIST where what is there is no socket of ours, -EPERM where others may change
 * the folder. */
int control_socket_open(const char *path, struct control_socket *ret);
/* Removes the file where it is still the one that was made. */
void control_socket_close(struct control_socket *socket);

#endif
