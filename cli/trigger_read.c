/*
 * Trigger actions that open files of password hashes in ways that hide the name from simple rules,
 * and one that connects by such a way.
 * Nothing is read. Runs in a child process of `haetae trigger`.
 */
#include "trigger.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define SHADOW_FILE "/etc/shadow"

static int open_and_close(const char *path)
{
	_cleanup_(close_fdp) int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : 0;
}

int trigger_read_gshadow(struct trigger_step *step)
{
	trigger_step_set(step, "open /etc/gshadow");
	return open_and_close("/etc/gshadow");
}

int trigger_read_shadow_relative(struct trigger_step *step)
{
	trigger_step_set(step, "open ../../etc/shadow in /usr/bin");
	return chdir("/usr/bin") ? -errno : open_and_close("../../etc/shadow");
}

int trigger_read_shadow_link(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX], path[TRIGGER_PATH_MAX + 16];
	int r = trigger_folder(step, folder);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/harmless", folder);
	trigger_step_set(step, "open /etc/shadow through the link %s", path);
	return symlink(SHADOW_FILE, path) ? -errno : open_and_close(path);
}

int trigger_read_shadow_openat2(struct trigger_step *step)
{
	const struct open_how how = { .flags = O_RDONLY | O_CLOEXEC,
				      .resolve = RESOLVE_NO_SYMLINKS };
	_cleanup_(close_fdp) int fd = -1;

	trigger_step_set(step, "open /etc/shadow with openat2");
	fd = (int)syscall(SYS_openat2, AT_FDCWD, SHADOW_FILE, &how, sizeof(how));
	return fd < 0 ? -errno : 0;
}

int trigger_chown_shadow(struct trigger_step *step)
{
	struct stat status;

	trigger_step_set(step, "set the owner of %s", SHADOW_FILE);
	if (lstat(SHADOW_FILE, &status))
		return -errno;
	return lchown(SHADOW_FILE, status.st_uid, status.st_gid) ? -errno : 0;
}

/* ---- io_uring ------------------------------------------------------------------------------- */

/* The smallest ring there is (io_uring_setup(2)): one request, one completion. */
struct ring {
	struct io_uring_params parameters;
	int fd;
	char *queues;
	size_t queues_bytes;
	struct io_uring_sqe *request;
};

static void ring_done(struct ring *ring)
{
	if (ring->queues)
		munmap(ring->queues, ring->queues_bytes);
	if (ring->request)
		munmap(ring->request, sizeof(*ring->request));
	close_fdp(&ring->fd);
}

static void *map(const struct ring *ring, size_t bytes, off_t offset)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
		       offset);

	return p == MAP_FAILED ? NULL : p;
}

static int ring_init(struct ring *ring)
{
	const struct io_uring_params *parameters = &ring->parameters;
	size_t completions, submissions;

	*ring = (struct ring){ .fd = -1 };
	ring->fd = (int)syscall(SYS_io_uring_setup, 1, &ring->parameters);
	if (ring->fd < 0)
		return -errno;
	if (!(parameters->features & IORING_FEAT_SINGLE_MMAP))
		return -ENOSYS;
	completions =
		parameters->cq_off.cqes + parameters->cq_entries * sizeof(struct io_uring_cqe);
	submissions = parameters->sq_off.array + parameters->sq_entries * sizeof(uint32_t);
	ring->queues_bytes = MAX(completions, submissions);
	ring->queues = map(ring, ring->queues_bytes, IORING_OFF_SQ_RING);
	ring->request = map(ring, sizeof(*ring->request), (off_t)IORING_OFF_SQES);
	return ring->queues && ring->request ? 0 : -ENOMEM;
}

/* 0 or the negative errno of the request; a descriptor that it opened is closed. */
static int ring_do(struct ring *ring, const struct io_uring_sqe *request)
{
	const struct io_uring_params *parameters = &ring->parameters;
	uint32_t *tail = (void *)(ring->queues + parameters->sq_off.tail);
	const struct io_uring_cqe *completion = (void *)(ring->queues + parameters->cq_off.cqes);
	int fd;

	*ring->request = *request;
	*(uint32_t *)(void *)(ring->queues + parameters->sq_off.array) = 0;
	__atomic_store_n(tail, 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	fd = completion->res;
	if (fd > 0)
		close(fd);
	return MIN(fd, 0);
}

int trigger_read_shadow_ring(struct trigger_step *step)
{
	const struct io_uring_sqe request = { .opcode = IORING_OP_OPENAT,
					      .fd = AT_FDCWD,
					      .addr = (uintptr_t)SHADOW_FILE,
					      .open_flags = O_RDONLY };
	struct ring ring;
	int r = ring_init(&ring);

	trigger_step_set(step, r < 0 ? "set up io_uring" : "open /etc/shadow through io_uring");
	if (r == 0)
		r = ring_do(&ring, &request);
	ring_done(&ring);
	return r;
}

/* To the port of tcpmux (RFC 1078), where nobody listens any more. */
int trigger_connect_ring(struct trigger_step *step)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(1),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_cleanup_(close_fdp) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct io_uring_sqe request = { .opcode = IORING_OP_CONNECT,
					      .fd = fd,
					      .addr = (uintptr_t)&address,
					      .off = sizeof(address) };
	struct ring ring;
	int r = ring_init(&ring);

	trigger_step_set(step, r < 0 ? "set up io_uring" : "connect through io_uring");
	if (r == 0)
		r = ring_do(&ring, &request);
	ring_done(&ring);
	return r == -ECONNREFUSED ? 0 : r;
}
