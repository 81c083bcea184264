/*
 * Our consumer of BPF ring buffers: maps them, reads entries in place, merges several rings by
 * time. libbpf's own hands out entries ring by ring, and then an exec could come behind what the
 * new image did. Owns the mappings; engine thread only.
 */
#include "probes_private.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/mman.h>

/* An entry begins with a word of length and flags and a word for the kernel's use
 * (struct bpf_ringbuf_hdr, kernel/bpf/ringbuf.c; the bits are in include/uapi/linux/bpf.h). */
#define ENTRY_HEAD    8
#define ENTRY_BUSY    (1u << 31)
#define ENTRY_DISCARD (1u << 30)
#define ENTRY_FLAGS   (ENTRY_BUSY | ENTRY_DISCARD)

/* The kernel sees space as free only when the position is written: give it back in steps, not at
 * the end of a long pass. */
#define RELEASE_BYTES 65536
/* Looks at a record that is being written: some ten microseconds. */
#define SPINS_A_PASS 4096

int ring_open(struct ring *ring, int map_fd, uint32_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), mapped = page + 2 * (size_t)bytes;
	void *consumer, *producer;

	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	producer = mmap(NULL, mapped, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (producer == MAP_FAILED) {
		int error = errno;

		munmap(consumer, page);
		return -error;
	}
	*ring = (struct ring){
		.consumer_position = consumer,
		.producer_position = producer,
		.data = (const unsigned char *)producer + page,
		.bytes = bytes,
		.position = *(unsigned long *)consumer,
	};
	ring->released = ring->position;
	return 0;
}

void ring_done(struct ring *ring)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (ring->consumer_position)
		munmap(ring->consumer_position, page);
	if (ring->producer_position)
		munmap((void *)(uintptr_t)ring->producer_position, page + 2 * (size_t)ring->bytes);
	*ring = (struct ring){ 0 };
}

static void release(struct ring *ring)
{
	__atomic_store_n(ring->consumer_position, ring->position, __ATOMIC_RELEASE);
	ring->released = ring->position;
}

static uint64_t entry_bytes(uint32_t length)
{
	return ENTRY_HEAD + (((uint64_t)length + 7) & ~7ULL);
}

static const uint32_t *entry_at(const struct ring *ring)
{
	return (const uint32_t *)(const void *)(ring->data + (ring->position & (ring->bytes - 1)));
}

/* Acquire: the kernel writes the length, without its busy bit, after the record. */
static uint32_t entry_word(const struct ring *ring)
{
	return __atomic_load_n(entry_at(ring), __ATOMIC_ACQUIRE);
}

const void *ring_peek(struct ring *ring, uint32_t *ret_length)
{
	while (ring->position < ring->limit) {
		uint32_t word = entry_word(ring), length = word & ~ENTRY_FLAGS;

		if (word & ENTRY_BUSY)
			return NULL;
		if (entry_bytes(length) > MIN(ring->limit - ring->position, ring->bytes)) {
			/* Not what the kernel writes. Nothing behind it can be trusted either: the
			 * pass ends at its limit. */
			ring->malformed++;
			ring->position = ring->limit;
			release(ring);
			return NULL;
		}
		if (!(word & ENTRY_DISCARD)) {
			*ret_length = length;
			return (const unsigned char *)entry_at(ring) + ENTRY_HEAD;
		}
		ring->position += entry_bytes(length);
	}
	return NULL;
}

void ring_consume(struct ring *ring)
{
	ring->position += entry_bytes(entry_word(ring) & ~ENTRY_FLAGS);
	if (ring->position - ring->released >= RELEASE_BYTES)
		release(ring);
}

/* ---- several ----------------------------------------------------------------------------------
 */

int ring_set_init(struct ring_set *set, uint32_t ring_cap)
{
	*set = (struct ring_set){ .epoll_fd = -1 };
	set->rings = calloc(ring_cap, sizeof(*set->rings));
	set->heads = calloc(ring_cap, sizeof(*set->heads));
	set->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!set->rings || !set->heads || set->epoll_fd < 0) {
		int error = set->epoll_fd < 0 ? errno : ENOMEM;

		ring_set_done(set);
		return -error;
	}
	set->ring_cap = ring_cap;
	return 0;
}

int ring_set_add(struct ring_set *set, int map_fd, uint32_t bytes)
{
	struct epoll_event event = { .events = EPOLLIN };
	int r;

	if (set->ring_cnt == set->ring_cap)
		return -ENOSPC;
	r = ring_open(&set->rings[set->ring_cnt], map_fd, bytes);
	if (r < 0)
		return r;
	if (epoll_ctl(set->epoll_fd, EPOLL_CTL_ADD, map_fd, &event) < 0) {
		r = -errno;
		ring_done(&set->rings[set->ring_cnt]);
		return r;
	}
	set->ring_cnt++;
	return 0;
}

void ring_set_done(struct ring_set *set)
{
	for (uint32_t i = 0; i < set->ring_cnt; i++)
		ring_done(&set->rings[i]);
	free(set->rings);
	free(set->heads);
	set->rings = NULL;
	set->heads = NULL;
	set->ring_cnt = set->ring_cap = 0;
	/* A zeroed set has descriptor 0, which is not ours. */
	if (set->epoll_fd > 0)
		close_fdp(&set->epoll_fd);
}

uint64_t ring_set_malformed(const struct ring_set *set)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < set->ring_cnt; i++)
		sum += set->rings[i].malformed;
	return sum;
}

static uint64_t record_time(const void *record, uint32_t length)
{
	uint64_t time_ns = 0;

	if (length >= sizeof(struct wire_header))
		memcpy(&time_ns, (const char *)record + offsetof(struct wire_header, time_ns),
		       sizeof(time_ns));
	return time_ns;
}

static void look(struct ring_set *set, uint32_t i)
{
	struct ring_head *head = &set->heads[i];

	head->record = ring_peek(&set->rings[i], &head->length);
	if (head->record)
		head->time_ns = record_time(head->record, head->length);
}

/* Decision 16: the bulk rings' ends are read first and the lifecycle ring's (0) last, so that
 * whatever a bulk record of this pass depends on is in this pass too. */
static void begin_pass(struct ring_set *set)
{
	for (uint32_t i = set->ring_cnt; i-- > 0;) {
		struct ring *ring = &set->rings[i];

		ring->limit = __atomic_load_n(ring->producer_position, __ATOMIC_ACQUIRE);
	}
	for (uint32_t i = 0; i < set->ring_cnt; i++)
		look(set, i);
}

/* A lifecycle record that is still being written may be what the next bulk record depends on. It is
 * ready in a microsecond, unless its cpu was taken away (a virtual one); so this looks again, with
 * an end: `spin_cnt` is one pass's budget, then only one look a record. */
static void look_again(struct ring_set *set, uint32_t *spin_cnt)
{
	do {
		if (set->heads[0].record || set->rings[0].position >= set->rings[0].limit)
			return;
		look(set, 0);
	} while (*spin_cnt && (*spin_cnt)--);
}

/* The ring whose next record is the oldest; of two of one time the lifecycle ring's comes first. */
static uint32_t oldest(const struct ring_set *set)
{
	uint32_t best = set->ring_cnt;

	for (uint32_t i = 0; i < set->ring_cnt; i++)
		if (set->heads[i].record &&
		    (best == set->ring_cnt || set->heads[i].time_ns < set->heads[best].time_ns))
			best = i;
	return best;
}

uint64_t ring_set_drain(struct ring_set *set, probes_record_fn fn, void *data, uint64_t max_records)
{
	uint32_t spin_cnt = SPINS_A_PASS;
	uint64_t cnt = 0;

	begin_pass(set);
	while (max_records == 0 || cnt < max_records) {
		uint32_t i;

		if (set->ring_cnt)
			look_again(set, &spin_cnt);
		i = oldest(set);
		if (i == set->ring_cnt)
			break;
		fn(set->heads[i].record, set->heads[i].length, data);
		ring_consume(&set->rings[i]);
		look(set, i);
		cnt++;
	}
	for (uint32_t i = 0; i < set->ring_cnt; i++)
		release(&set->rings[i]);
	return cnt;
}
