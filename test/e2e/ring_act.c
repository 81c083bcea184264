/*
 * What a shell cannot do: opens a file, connects to a port of 127.0.0.1 and sends a word, by system
 * calls (plain) or with io_uring and no system call but the ring's own. Never reads what it opens.
 *
 *	ring_act WAY FILE PORT
 *
 * WAY: plain; ring; worker: on the kernel's workers; poll: by a submission thread, with files that
 * have no descriptor. Prints its pid first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ring.h"

#define ADDRESS(x) ((uint64_t)(uintptr_t)(x))
#define SLOTS	   2

static const char word[] = "hello";

static int act_plain(const char *file, const struct sockaddr_in *peer)
{
	int fd = openat(AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
	int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || socket_fd < 0 ||
	    connect(socket_fd, (const struct sockaddr *)peer, sizeof(*peer)) ||
	    sendto(socket_fd, word, sizeof(word), 0, NULL, 0) < 0)
		return -errno;
	close(socket_fd);
	close(fd);
	return 0;
}

/* `slots`: files get a slot of the ring's own table. */
static int act_ring(struct ring *ring, uint8_t flags, bool slots, const char *file,
		    const struct sockaddr_in *peer)
{
	uint8_t file_flags = flags | (slots ? IOSQE_FIXED_FILE : 0);
	struct io_uring_sqe open_entry = {
		.opcode = IORING_OP_OPENAT,
		.flags = flags,
		.fd = AT_FDCWD,
		.addr = ADDRESS(file),
		.open_flags = O_RDONLY | (slots ? 0 : O_CLOEXEC),
		.file_index = slots ? 1 : 0,
	};
	struct io_uring_sqe socket_entry = {
		.opcode = IORING_OP_SOCKET,
		.flags = flags,
		.fd = AF_INET,
		.off = SOCK_STREAM | (slots ? 0 : SOCK_CLOEXEC),
		.file_index = slots ? 2 : 0,
	};
	int r = ring_run(ring, &open_entry), socket_fd;

	if (r < 0)
		return r;
	socket_fd = ring_run(ring, &socket_entry);
	if (socket_fd < 0)
		return socket_fd;
	if (slots)
		socket_fd = 1;
	r = ring_run(ring, &(struct io_uring_sqe){ .opcode = IORING_OP_CONNECT,
						   .flags = file_flags,
						   .fd = socket_fd,
						   .addr = ADDRESS(peer),
						   .off = sizeof(*peer) });
	if (r < 0)
		return r;
	return ring_run(ring, &(struct io_uring_sqe){ .opcode = IORING_OP_SEND,
						      .flags = file_flags,
						      .fd = socket_fd,
						      .addr = ADDRESS(word),
						      .len = sizeof(word) });
}

static int act_by(const char *way, const char *file, const struct sockaddr_in *peer)
{
	bool is_poll = strcmp(way, "poll") == 0;
	const int slots[SLOTS] = { -1, -1 };
	struct ring ring;
	int r;

	if (strcmp(way, "plain") == 0)
		return act_plain(file, peer);
	if (!ring_make(&ring, is_poll ? IORING_SETUP_SQPOLL : 0))
		return -ENOSYS;
	if (is_poll && syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, slots, SLOTS))
		return -errno;
	r = act_ring(&ring, strcmp(way, "worker") == 0 ? IOSQE_ASYNC : 0, is_poll, file, peer);
	ring_end(&ring);
	return r;
}

int main(int argc, char **argv)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int r;

	if (argc != 4)
		return 2;
	printf("%d\n", (int)getpid());
	fflush(stdout);
	peer.sin_port = htons((uint16_t)atoi(argv[3]));
	r = act_by(argv[1], argv[2], &peer);
	if (r < 0)
		fprintf(stderr, "ring_act: %s\n", strerror(-r));
	return r < 0;
}
