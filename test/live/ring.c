/*
 * io_uring by its system calls and shared memory (io_uring_setup(2)); see ring.h. liburing would
 * hide what the tests want to see.
 */
#include "ring.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES	 8
#define NOP_DATA 77

static unsigned *at(const struct ring *ring, unsigned offset)
{
	return (unsigned *)(void *)(ring->queues + offset);
}

static size_t queues_bytes(const struct ring *ring)
{
	const struct io_uring_params *p = &ring->parameters;

	return p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe) + p->sq_off.array +
	       p->sq_entries * sizeof(unsigned);
}

bool ring_make(struct ring *ring, unsigned setup_flags)
{
	memset(ring, 0, sizeof(*ring));
	ring->parameters.flags = setup_flags;
	ring->parameters.sq_thread_idle = 100;
	ring->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &ring->parameters);
	if (ring->fd < 0)
		return false;
	ring->queues = mmap(NULL, queues_bytes(ring), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
	ring->entries = mmap(NULL, ENTRIES * sizeof(*ring->entries), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
	return ring->queues != MAP_FAILED && ring->entries != MAP_FAILED;
}

void ring_end(struct ring *ring)
{
	munmap(ring->queues, queues_bytes(ring));
	munmap(ring->entries, ENTRIES * sizeof(*ring->entries));
	close(ring->fd);
}

static void push(struct ring *ring, const struct io_uring_sqe *entry)
{
	unsigned *tail = at(ring, ring->parameters.sq_off.tail);
	unsigned index = *tail & (ring->parameters.sq_entries - 1);

	ring->entries[index] = *entry;
	at(ring, ring->parameters.sq_off.array)[index] = index;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
}

static bool pop(struct ring *ring, struct io_uring_cqe *ret)
{
	unsigned *head = at(ring, ring->parameters.cq_off.head);
	const struct io_uring_cqe *completions =
		(const void *)(ring->queues + ring->parameters.cq_off.cqes);

	if (*head == __atomic_load_n(at(ring, ring->parameters.cq_off.tail), __ATOMIC_ACQUIRE))
		return false;
	memcpy(ret, &completions[*head & (ring->parameters.cq_entries - 1)], sizeof(*ret));
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return true;
}

static void enter(struct ring *ring, unsigned cnt)
{
	unsigned flags = IORING_ENTER_GETEVENTS;

	if (ring->parameters.flags & IORING_SETUP_SQPOLL) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (*at(ring, ring->parameters.sq_off.flags) & IORING_SQ_NEED_WAKEUP)
			flags |= IORING_ENTER_SQ_WAKEUP;
	}
	syscall(SYS_io_uring_enter, ring->fd, cnt, 1, flags, NULL, 0);
}

int ring_run(struct ring *ring, const struct io_uring_sqe *entry)
{
	struct io_uring_sqe nop = { .opcode = IORING_OP_NOP, .user_data = NOP_DATA };
	struct io_uring_cqe completion = { 0 };
	struct io_uring_sqe first = *entry;
	bool is_silent = entry->flags & IOSQE_CQE_SKIP_SUCCESS;

	if (is_silent) /* the no-op begins when it has ended */
		first.flags |= IOSQE_IO_LINK;
	push(ring, &first);
	if (is_silent)
		push(ring, &nop);
	enter(ring, is_silent ? 2 : 1);
	while (!pop(ring, &completion))
		enter(ring, 0);
	return completion.res;
}
