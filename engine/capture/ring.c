/*
 * The frames of the last seconds, in a bounded piece of memory: what a capture begins with that is
 * made around an alert. Owns the memory. Engine thread; a frame costs one copy.
 *
 * Frames lie one behind the other, each behind its slot; where the next does not fit before the end
 * of the memory, the rest of it is left empty. The oldest go when they are too old, or in the way.
 */
#include <errno.h>

#include "capture_private.h"

struct slot {
	uint64_t time_ns; /* of the newest frame up to this one */
	uint32_t length;  /* of the frame behind it; 0: the rest of the memory is empty */
	uint32_t kind;
};

struct capture_ring {
	uint8_t *data; /* owned */
	uint64_t before_ns;
	size_t size, first, next; /* offsets of the oldest slot and behind the newest */
	uint64_t time_ns;
	struct capture_ring_stats stats;
};

int capture_ring_new(size_t max_bytes, uint64_t before_ns, struct capture_ring **ret)
{
	struct capture_ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return -ENOMEM;
	ring->size = MAX(max_bytes, (size_t)CAPTURE_RING_MIN_BYTES) & ~(size_t)7;
	ring->before_ns = before_ns;
	ring->data = malloc(ring->size);
	if (!ring->data) {
		free(ring);
		return -ENOMEM;
	}
	*ret = ring;
	return 0;
}

struct capture_ring *capture_ring_free(struct capture_ring *ring)
{
	if (ring)
		free(ring->data);
	free(ring);
	return NULL;
}

static struct slot *slot_at(const struct capture_ring *ring, size_t offset)
{
	return (struct slot *)(void *)(ring->data + offset);
}

static size_t slot_bytes(const struct slot *slot)
{
	return sizeof(*slot) + slot->length;
}

/* The oldest slot, past the empty rest of the memory. NULL: there is none. */
static struct slot *oldest(struct capture_ring *ring)
{
	if (!ring->stats.frames)
		return NULL;
	if (ring->size - ring->first < sizeof(struct slot) || !slot_at(ring, ring->first)->length)
		ring->first = 0;
	return slot_at(ring, ring->first);
}

static void forget_oldest(struct capture_ring *ring)
{
	const struct slot *slot = oldest(ring);

	ring->stats.frames--;
	ring->stats.bytes -= slot->length;
	ring->first += slot_bytes(slot);
	if (!ring->stats.frames)
		ring->first = ring->next = 0;
}

/* Whether n bytes from `next` on are free. */
static bool is_free(const struct capture_ring *ring, size_t n)
{
	if (!ring->stats.frames || ring->next > ring->first)
		return n <= ring->size - ring->next;
	return n <= ring->first - ring->next;
}

/* Where n bytes fit, forgetting what is in the way. */
static void make_room(struct capture_ring *ring, size_t n)
{
	while (!is_free(ring, n)) {
		if (ring->next > ring->first) {
			if (ring->size - ring->next >= sizeof(struct slot))
				slot_at(ring, ring->next)->length = 0;
			/* What stands at the beginning is the oldest, or the memory is. */
			if (ring->first == 0) {
				forget_oldest(ring);
				ring->stats.forgotten++;
				continue;
			}
			ring->next = 0;
			continue;
		}
		forget_oldest(ring);
		ring->stats.forgotten++;
	}
}

static void forget_old(struct capture_ring *ring)
{
	const struct slot *slot;

	while ((slot = oldest(ring)) && slot->time_ns + ring->before_ns < ring->time_ns)
		forget_oldest(ring);
}

void capture_ring_put(enum capture_kind kind, const void *frame, uint32_t length, void *data)
{
	struct capture_ring *ring = data;
	struct slot *slot;

	ring->time_ns = MAX(ring->time_ns, frame_time_ns(kind, frame, length));
	forget_old(ring);
	/* One frame must not throw out all others. */
	if (length > ring->size / 4) {
		ring->stats.forgotten++;
		return;
	}
	make_room(ring, sizeof(*slot) + length);
	slot = slot_at(ring, ring->next);
	*slot = (struct slot){ .time_ns = ring->time_ns, .length = length, .kind = kind };
	memcpy(slot + 1, frame, length);
	ring->next += slot_bytes(slot);
	ring->stats.frames++;
	ring->stats.bytes += length;
}

uint64_t capture_ring_first_ns(struct capture_ring *ring)
{
	const struct slot *slot = oldest(ring);

	return slot ? slot->time_ns : ring->time_ns;
}

void capture_ring_write(struct capture_ring *ring, struct capture_writer *writer)
{
	struct slot *slot;
	size_t offset = ring->first;

	for (uint64_t i = 0; i < ring->stats.frames; i++) {
		if (ring->size - offset < sizeof(*slot) || !slot_at(ring, offset)->length)
			offset = 0;
		slot = slot_at(ring, offset);
		capture_put_frame(writer, slot + 1, slot->length);
		offset += slot_bytes(slot);
	}
}

void capture_ring_stats(const struct capture_ring *ring, struct capture_ring_stats *ret)
{
	*ret = ring ? ring->stats : (struct capture_ring_stats){ 0 };
}
