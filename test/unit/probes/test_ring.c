/*
 * The ring consumer over memory that the test writes as the kernel would: a memfd in place of the
 * map, with the data's second half a copy of the first instead of a second mapping of it.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/mman.h>

#include "probes_private.h"

#define BYTES	   4096u
#define RINGS	   3
#define BUSY	   (1u << 31)
#define DISCARD	   (1u << 30)
#define GIVEN_MAX  1024
#define HEAD_BYTES 8

/* The producer's side of one ring. */
struct fake {
	unsigned char *memory; /* consumer page, producer page, data, data again */
	size_t page;
	unsigned long position;
};

/* What the drain gave, in its order. */
struct given {
	uint64_t times[GIVEN_MAX];
	uint32_t lengths[GIVEN_MAX];
	unsigned char last_bytes[GIVEN_MAX];
	uint32_t cnt;
};

static unsigned long *consumer_of(const struct fake *fake)
{
	return (unsigned long *)(void *)fake->memory;
}

static void fake_open(struct fake *fake, struct ring *ring)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);
	size_t page = (size_t)sysconf(_SC_PAGESIZE), all = 2 * page + 2 * BYTES;

	cr_assert(fd >= 0);
	cr_assert_eq(ftruncate(fd, (off_t)all), 0);
	fake->page = page;
	fake->position = 0;
	fake->memory = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert(fake->memory != MAP_FAILED);
	cr_assert_eq(ring_open(ring, fd, BYTES), 0);
	close(fd);
}

static void fake_byte(struct fake *fake, unsigned long at, unsigned char byte)
{
	unsigned char *data = fake->memory + 2 * fake->page;

	data[at % BYTES] = byte;
	data[at % BYTES + BYTES] = byte;
}

static void fake_bytes(struct fake *fake, unsigned long at, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fake_byte(fake, at + i, ((const unsigned char *)bytes)[i]);
}

static void fake_publish(struct fake *fake)
{
	__atomic_store_n((unsigned long *)(void *)(fake->memory + fake->page), fake->position,
			 __ATOMIC_RELEASE);
}

/* An entry of `length` bytes whose record has this time; the bytes behind the header are `fill`.
 * Returns where it is, so that a test can change its first word. */
static unsigned long fake_put(struct fake *fake, uint32_t length, uint32_t flags, uint64_t time_ns,
			      unsigned char fill)
{
	unsigned long at = fake->position;
	uint32_t word = length | flags;
	struct wire_header header = { .length = length, .time_ns = time_ns };

	fake_bytes(fake, at, &word, sizeof(word));
	for (uint32_t i = 0; i < length; i++)
		fake_byte(fake, at + HEAD_BYTES + i, fill);
	fake_bytes(fake, at + HEAD_BYTES, &header, MIN(length, sizeof(header)));
	fake->position = at + HEAD_BYTES + ((length + 7) & ~7u);
	fake_publish(fake);
	return at;
}

static void fake_word(struct fake *fake, unsigned long at, uint32_t word)
{
	fake_bytes(fake, at, &word, sizeof(word));
}

static void give(const void *record, uint32_t length, void *data)
{
	struct given *given = data;
	struct wire_header header = { 0 };

	cr_assert(given->cnt < GIVEN_MAX);
	memcpy(&header, record, MIN(length, sizeof(header)));
	given->times[given->cnt] = length >= sizeof(header) ? header.time_ns : 0;
	given->lengths[given->cnt] = length;
	given->last_bytes[given->cnt] = length ? ((const unsigned char *)record)[length - 1] : 0;
	given->cnt++;
}

struct stand {
	struct ring_set set;
	struct fake fakes[RINGS];
	struct given given;
};

static void stand_open(struct stand *stand)
{
	*stand = (struct stand){ 0 };
	cr_assert_eq(ring_set_init(&stand->set, RINGS), 0);
	for (uint32_t i = 0; i < RINGS; i++)
		fake_open(&stand->fakes[i], &stand->set.rings[i]);
	stand->set.ring_cnt = RINGS;
}

static void stand_done(struct stand *stand)
{
	for (uint32_t i = 0; i < RINGS; i++)
		munmap(stand->fakes[i].memory, 2 * stand->fakes[i].page + 2 * BYTES);
	ring_set_done(&stand->set);
}

static uint64_t drain(struct stand *stand, uint64_t max)
{
	return ring_set_drain(&stand->set, give, &stand->given, max);
}

Test(ring, an_empty_set_gives_nothing)
{
	struct stand stand;

	stand_open(&stand);
	cr_expect_eq(drain(&stand, 0), 0);
	cr_expect_eq(ring_set_malformed(&stand.set), 0);
	stand_done(&stand);
	ring_set_done(&stand.set); /* twice is fine */
}

Test(ring, entries_of_several_rings_come_by_time)
{
	static const struct {
		uint32_t ring;
		uint64_t time_ns;
	} puts[] = { { 0, 50 }, { 0, 90 }, { 1, 10 }, { 1, 60 }, { 1, 95 }, { 2, 5 }, { 2, 99 } };
	static const uint64_t want[] = { 5, 10, 50, 60, 90, 95, 99 };
	struct stand stand;

	stand_open(&stand);
	for (size_t i = 0; i < ARRAY_LEN(puts); i++)
		fake_put(&stand.fakes[puts[i].ring], sizeof(struct wire_header), 0, puts[i].time_ns,
			 1);
	cr_expect_eq(drain(&stand, 0), ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		cr_expect_eq(stand.given.times[i], want[i], "place %zu", i);
	stand_done(&stand);
}

/* An exec and what the new image does at once can carry one time: the exec is applied first. */
Test(ring, of_one_time_the_lifecycle_ring_comes_first)
{
	struct stand stand;

	stand_open(&stand);
	fake_put(&stand.fakes[2], sizeof(struct wire_header), 0, 7, 1);
	fake_put(&stand.fakes[0], sizeof(struct wire_header) + 8, 0, 7, 1);
	cr_expect_eq(drain(&stand, 0), 2);
	cr_expect_eq(stand.given.lengths[0], sizeof(struct wire_header) + 8);
	stand_done(&stand);
}

/* Without the second mapping a record at the data's end would be read past it. */
Test(ring, records_that_wrap_are_whole)
{
	struct stand stand;
	uint32_t length = 360;
	unsigned cnt = 0;

	stand_open(&stand);
	for (unsigned i = 0; i < 100; i++) {
		fake_put(&stand.fakes[1], length + i % 7, 0, 1 + i, (unsigned char)i);
		cr_assert_eq(drain(&stand, 0), 1, "record %u", i);
		cr_expect_eq(stand.given.lengths[cnt], length + i % 7, "record %u", i);
		cr_expect_eq(stand.given.last_bytes[cnt], i, "record %u", i);
		cr_expect_eq(stand.given.times[cnt], 1 + i, "record %u", i);
		cnt++;
	}
	cr_expect(stand.fakes[1].position > 8 * BYTES, "it went round");
	cr_expect_eq(*consumer_of(&stand.fakes[1]), stand.fakes[1].position, "space is given back");
	stand_done(&stand);
}

Test(ring, a_busy_record_ends_its_ring_only)
{
	struct stand stand;
	unsigned long busy;

	stand_open(&stand);
	fake_put(&stand.fakes[1], 256, 0, 1, 1);
	busy = fake_put(&stand.fakes[1], 256, BUSY, 2, 1);
	fake_put(&stand.fakes[1], 256, 0, 3, 1);
	fake_put(&stand.fakes[2], 256, 0, 4, 1);
	cr_expect_eq(drain(&stand, 0), 2);
	cr_expect_eq(stand.given.times[1], 4);
	cr_expect_eq(*consumer_of(&stand.fakes[1]), busy, "nothing of the busy record is released");
	cr_expect_eq(drain(&stand, 0), 0, "and it is not given while it is busy");
	fake_word(&stand.fakes[1], busy, 256);
	cr_expect_eq(drain(&stand, 0), 2);
	cr_expect_eq(stand.given.times[2], 2);
	cr_expect_eq(stand.given.times[3], 3);
	cr_expect_eq(ring_set_malformed(&stand.set), 0);
	stand_done(&stand);
}

struct finisher {
	struct stand *stand;
	unsigned long busy;
	uint32_t length;
};

/* The kernel finishes the record while an older one is given. */
static void give_and_finish(const void *record, uint32_t length, void *data)
{
	struct finisher *finisher = data;

	give(record, length, &finisher->stand->given);
	fake_word(&finisher->stand->fakes[0], finisher->busy, finisher->length);
}

/* Without it what a process does can come before its exec, and be judged as the old program's. */
Test(ring, a_lifecycle_record_that_is_ready_late_keeps_its_place)
{
	struct stand stand;
	struct finisher finisher = { &stand, 0, sizeof(struct wire_header) };

	stand_open(&stand);
	finisher.busy = fake_put(&stand.fakes[0], finisher.length, BUSY, 10, 1);
	fake_put(&stand.fakes[1], finisher.length, 0, 5, 1);
	fake_put(&stand.fakes[1], finisher.length, 0, 20, 1);
	cr_expect_eq(ring_set_drain(&stand.set, give_and_finish, &finisher, 0), 3);
	cr_expect_eq(stand.given.times[1], 10);
	cr_expect_eq(stand.given.times[2], 20);
	stand_done(&stand);
}

/* A cpu that was stopped in the middle of a record must not stop the others' events. */
Test(ring, a_lifecycle_record_that_is_never_ready_ends_its_ring_only)
{
	struct stand stand;

	stand_open(&stand);
	fake_put(&stand.fakes[0], sizeof(struct wire_header), BUSY, 10, 1);
	fake_put(&stand.fakes[1], sizeof(struct wire_header), 0, 20, 1);
	fake_put(&stand.fakes[2], sizeof(struct wire_header), 0, 30, 1);
	cr_expect_eq(drain(&stand, 0), 2);
	cr_expect_eq(stand.given.times[1], 30);
	stand_done(&stand);
}

Test(ring, discarded_entries_are_skipped)
{
	struct stand stand;

	stand_open(&stand);
	fake_put(&stand.fakes[1], 256, DISCARD, 1, 1);
	fake_put(&stand.fakes[1], 256, 0, 2, 1);
	fake_put(&stand.fakes[1], 8, DISCARD, 3, 1);
	cr_expect_eq(drain(&stand, 0), 1);
	cr_expect_eq(stand.given.times[0], 2);
	cr_expect_eq(*consumer_of(&stand.fakes[1]), stand.fakes[1].position,
		     "the space of the discarded last one, too");
	stand_done(&stand);
}

Test(ring, the_limit_of_records_is_kept)
{
	struct stand stand;

	stand_open(&stand);
	for (uint64_t i = 0; i < 6; i++)
		fake_put(&stand.fakes[i % RINGS], 256, 0, 10 + i, 1);
	cr_expect_eq(drain(&stand, 4), 4);
	cr_expect_eq(drain(&stand, 1), 1);
	cr_expect_eq(drain(&stand, 4), 1);
	for (uint32_t i = 0; i < 6; i++)
		cr_expect_eq(stand.given.times[i], 10 + i, "place %u", i);
	stand_done(&stand);
}

/* The kernel never writes these; a reader that believes one would read outside of the mapping or
 * stand still. */
Test(ring, hostile_lengths_are_counted_and_passed)
{
	static const struct {
		const char *name;
		uint32_t word;
	} cases[] = {
		{ "all bits of the length", 0x3fffffff },
		{ "the whole ring", BYTES },
		{ "one more than is there", 520 - HEAD_BYTES + 1 },
		{ "discarded and too long", DISCARD | 0x10000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct stand stand;
		unsigned long at;

		stand_open(&stand);
		at = fake_put(&stand.fakes[1], 256, 0, 1, 1);
		fake_put(&stand.fakes[1], 248, 0, 2, 1);
		fake_word(&stand.fakes[1], at, cases[i].word);
		cr_expect_eq(drain(&stand, 0), 0, "%s", cases[i].name);
		cr_expect_eq(ring_set_malformed(&stand.set), 1, "%s", cases[i].name);
		fake_put(&stand.fakes[1], 256, 0, 3, 1);
		cr_expect_eq(drain(&stand, 0), 1, "%s: goes on behind it", cases[i].name);
		cr_expect_eq(stand.given.times[0], 3, "%s", cases[i].name);
		stand_done(&stand);
	}
}

/* More bytes between the positions than a ring has: lengths within them could lead outside. */
Test(ring, a_producer_ahead_by_more_than_the_ring_is_malformed)
{
	struct stand stand;
	unsigned long at;

	stand_open(&stand);
	at = fake_put(&stand.fakes[0], 256, 0, 1, 1);
	fake_word(&stand.fakes[0], at, 0x3ffffff0);
	stand.fakes[0].position = 1ul << 40;
	fake_publish(&stand.fakes[0]);
	cr_expect_eq(drain(&stand, 0), 0);
	cr_expect_eq(ring_set_malformed(&stand.set), 1);
	fake_put(&stand.fakes[0], 256, 0, 2, 1);
	cr_expect_eq(drain(&stand, 0), 1);
	stand_done(&stand);
}

/* Shorter than a header: the decoder counts them, so they must arrive, before all others. */
Test(ring, short_records_are_given)
{
	static const uint32_t lengths[] = { 0, 1, 8, sizeof(struct wire_header) - 1 };
	struct stand stand;

	stand_open(&stand);
	fake_put(&stand.fakes[2], 256, 0, 1, 1);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		fake_put(&stand.fakes[1], lengths[i], 0, 99, 1);
	cr_expect_eq(drain(&stand, 0), ARRAY_LEN(lengths) + 1);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		cr_expect_eq(stand.given.lengths[i], lengths[i], "place %zu", i);
	stand_done(&stand);
}

struct writer {
	struct given given;
	struct fake *late; /* written to while the pass goes on */
	struct fake *seen; /* whose consumer position is looked at */
	unsigned long seen_max;
	bool is_done;
};

static void write_more(const void *record, uint32_t length, void *data)
{
	struct writer *writer = data;

	give(record, length, &writer->given);
	if (writer->late && !writer->is_done)
		fake_put(writer->late, 256, 0, 1, 1);
	writer->is_done = true;
	if (writer->seen)
		writer->seen_max = MAX(writer->seen_max, *consumer_of(writer->seen));
}

/* The pass ends where the producers were when it began, or a busy host would keep it for ever. */
Test(ring, what_is_written_during_a_pass_waits_for_the_next)
{
	struct stand stand;
	struct writer writer = { 0 };

	stand_open(&stand);
	writer.late = &stand.fakes[1];
	fake_put(&stand.fakes[1], 256, 0, 5, 1);
	fake_put(&stand.fakes[1], 256, 0, 6, 1);
	cr_expect_eq(ring_set_drain(&stand.set, write_more, &writer, 0), 2);
	cr_expect_eq(ring_set_drain(&stand.set, write_more, &writer, 0), 1);
	stand_done(&stand);
}

/* The position of an entry must not be released before its record was given: the kernel would
 * write over it. */
Test(ring, a_record_is_not_released_while_it_is_given)
{
	struct stand stand;
	struct writer writer = { 0 };

	stand_open(&stand);
	writer.seen = &stand.fakes[0];
	fake_put(&stand.fakes[0], 512, 0, 5, 1);
	cr_expect_eq(ring_set_drain(&stand.set, write_more, &writer, 0), 1);
	cr_expect_eq(writer.seen_max, 0);
	cr_expect_eq(*consumer_of(&stand.fakes[0]), 520);
	stand_done(&stand);
}

/* A consumer that starts on a ring in use goes on where the last one ended. */
Test(ring, opening_goes_on_at_the_consumer_position)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), all = 2 * page + 2 * BYTES;
	int fd = memfd_create("ring", MFD_CLOEXEC);
	struct ring ring = { 0 };
	unsigned char *memory;

	cr_assert_eq(ftruncate(fd, (off_t)all), 0);
	memory = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert(memory != MAP_FAILED);
	*(unsigned long *)(void *)memory = 4242 * 8;
	cr_assert_eq(ring_open(&ring, fd, BYTES), 0);
	cr_expect_eq(ring.position, 4242 * 8);
	ring_done(&ring);
	cr_expect_null(ring.data);
	munmap(memory, all);
	close(fd);
}

Test(ring, what_cannot_be_mapped_is_an_error)
{
	struct ring ring;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_expect_lt(ring_open(&ring, fds[0], BYTES), 0);
	cr_expect_lt(ring_open(&ring, -1, BYTES), 0);
	close(fds[0]);
	close(fds[1]);
}

Test(ring, a_full_set_takes_no_more)
{
	struct ring_set set;

	cr_assert_eq(ring_set_init(&set, 1), 0);
	set.ring_cnt = 1;
	cr_expect_lt(ring_set_add(&set, -1, BYTES), 0);
	set.ring_cnt = 0;
	cr_expect_lt(ring_set_add(&set, -1, BYTES), 0, "and a bad descriptor is none");
	ring_set_done(&set);
}
