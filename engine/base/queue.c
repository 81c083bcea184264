/*
 * The bounded queue of queue.h: a ring of pointers with two indices. head and tail run freely and
 * wrap at 2^32; the capacity is a power of two, so their difference is always the count.
 */
#include "haetae/queue.h"

#include <errno.h>
#include <sys/eventfd.h>

#define QUEUE_CAPACITY_MAX (1u << 24)

int queue_init(struct queue *queue, uint32_t capacity)
{
	uint32_t rounded = 2;

	*queue = (struct queue){ .event_fd = -1 };
	if (capacity > QUEUE_CAPACITY_MAX)
		return -EINVAL;
	while (rounded < capacity)
		rounded *= 2;
	queue->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (queue->event_fd < 0)
		return -errno;
	queue->items = calloc(rounded, sizeof(*queue->items));
	if (!queue->items) {
		close_fdp(&queue->event_fd);
		return -ENOMEM;
	}
	queue->capacity = rounded;
	return 0;
}

void queue_done(struct queue *queue)
{
	free(queue->items);
	queue->items = NULL;
	close_fdp(&queue->event_fd);
}

bool queue_put(struct queue *queue, void *item)
{
	uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
	uint32_t head = atomic_load_explicit(&queue->head, memory_order_acquire);

	if (tail - head == queue->capacity)
		return false;
	queue->items[tail & (queue->capacity - 1)] = item;
	atomic_store_explicit(&queue->tail, tail + 1, memory_order_release);
	/* Sequential consistency on both sides makes one of the two see the other: either the
	 * consumer's last queue_take() saw this item, or we see that it had emptied the queue. */
	atomic_thread_fence(memory_order_seq_cst);
	head = atomic_load_explicit(&queue->head, memory_order_acquire);
	if (head == tail)
		(void)!write(queue->event_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	return true;
}

void *queue_take(struct queue *queue)
{
	uint32_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);
	uint32_t tail;
	void *item;

	atomic_thread_fence(memory_order_seq_cst);
	tail = atomic_load_explicit(&queue->tail, memory_order_acquire);
	if (head == tail)
		return NULL;
	item = queue->items[head & (queue->capacity - 1)];
	atomic_store_explicit(&queue->head, head + 1, memory_order_release);
	return item;
}

uint32_t queue_count(const struct queue *queue)
{
	return atomic_load_explicit(&queue->tail, memory_order_acquire) -
	       atomic_load_explicit(&queue->head, memory_order_acquire);
}

void queue_acknowledge(struct queue *queue)
{
	uint64_t count;

	(void)!read(queue->event_fd, &count, sizeof(count));
}
