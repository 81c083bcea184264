/*
 * A small io_uring for tests, with nothing but the kernel's interface: one request at a time.
 */
#ifndef HAETAE_TEST_LIVE_RING_H
#define HAETAE_TEST_LIVE_RING_H

#include <linux/io_uring.h>
#include <stdbool.h>

struct ring {
	int fd;
	struct io_uring_params parameters;
	unsigned char *queues;
	struct io_uring_sqe *entries;
};

/* setup_flags: IORING_SETUP_. False: the kernel has no io_uring, or not these flags. */
bool ring_make(struct ring *ring, unsigned setup_flags);
void ring_end(struct ring *ring);
/* Submits one request and waits for its completion; its result. With IOSQE_CQE_SKIP_SUCCESS it
 * waits for the request behind it, a no-op, and returns 0 where nothing else completed. */
int ring_run(struct ring *ring, const struct io_uring_sqe *entry);

#endif
