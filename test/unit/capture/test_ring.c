/*
 * The last seconds in memory: what is kept and what is forgotten, across the end of the memory.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "capture_sample.h"

#define SECOND 1000000000ULL

struct seen {
	uint64_t first_ns, last_ns;
	unsigned cnt;
};

/* A record whose bytes all depend on its time: one that was overwritten shows. */
static void put_record(struct capture_writer *writer, uint64_t time_ns, uint32_t length)
{
	_Alignas(8) uint8_t bytes[16384];
	struct wire_header header = { .length = length, .type = EVENT_OPENAT, .time_ns = time_ns };

	memset(bytes, (int)(time_ns % 251), sizeof(bytes));
	memcpy(bytes, &header, sizeof(header));
	capture_put_record(writer, CAPTURE_RECORD, bytes, length);
}

static void check_record(const struct capture_frame *frame, struct seen *seen)
{
	const struct wire_header *header = frame->record.bytes;
	const uint8_t *bytes = frame->record.bytes;

	cr_assert_eq(frame->kind, CAPTURE_RECORD);
	cr_expect_gt(header->time_ns, seen->last_ns, "in order");
	for (uint32_t i = sizeof(*header); i < frame->record.length; i++)
		cr_assert_eq(bytes[i], header->time_ns % 251, "byte %u", i);
	if (!seen->cnt++)
		seen->first_ns = header->time_ns;
	seen->last_ns = header->time_ns;
}

/* Through a file, which says whether each frame is whole. */
static struct seen read_ring(struct capture_ring *ring)
{
	char path[64] = "/tmp/haetae-ring-XXXXXX", message[CAPTURE_MESSAGE_MAX];
	const struct capture_writer_config config = { .path = path, .may_overwrite = true };
	struct capture_head head = sample_head();
	const struct capture_end end = { 0 };
	const struct capture_frame *frame;
	struct capture_writer *writer;
	struct capture_reader *reader;
	struct seen seen = { 0 };

	close(mkstemp(path));
	cr_assert_eq(capture_writer_new(&config, &head, &writer), 0);
	capture_ring_write(ring, writer);
	cr_assert_eq(capture_writer_finish(writer, &end), 0);
	capture_writer_free(writer);
	cr_assert_eq(capture_reader_new(path, &reader, message), 0, "%s", message);
	while (capture_reader_next(reader, &frame) == 0)
		if (frame->kind != CAPTURE_END)
			check_record(frame, &seen);
	cr_expect_str_eq(capture_reader_message(reader), "");
	capture_reader_free(reader);
	unlink(path);
	return seen;
}

Test(ring, old_frames_go)
{
	struct capture_ring *ring;
	struct capture_writer *writer;
	struct capture_ring_stats stats;
	struct seen seen;

	cr_assert_eq(capture_ring_new(0, 5 * SECOND, &ring), 0);
	cr_assert_eq(capture_writer_new_to(capture_ring_put, ring, &writer), 0);
	for (uint64_t i = 1; i <= 20; i++)
		put_record(writer, i * SECOND, 512);
	capture_ring_stats(ring, &stats);
	cr_expect_eq(stats.frames, 6);
	cr_expect_eq(stats.forgotten, 0);
	cr_expect_eq(capture_ring_first_ns(ring), 15 * SECOND);
	seen = read_ring(ring);
	cr_expect_eq(seen.cnt, 6);
	cr_expect_eq(seen.first_ns, 15 * SECOND);
	cr_expect_eq(seen.last_ns, 20 * SECOND);
	capture_put_tick(writer, 100 * SECOND, 0);
	capture_ring_stats(ring, &stats);
	cr_expect_eq(stats.frames, 1, "only the tick is new enough");
	capture_writer_free(writer);
	capture_ring_free(ring);
}

/* Lengths that leave rests of every size at the end of the memory. */
Test(ring, memory_is_bounded)
{
	struct capture_ring *ring;
	struct capture_writer *writer;
	struct capture_ring_stats stats;
	uint64_t time_ns = 0, put = 0;

	srandom(9);
	cr_assert_eq(capture_ring_new(CAPTURE_RING_MIN_BYTES, UINT64_MAX / 2, &ring), 0);
	cr_assert_eq(capture_writer_new_to(capture_ring_put, ring, &writer), 0);
	for (int round = 0; round < 40; round++) {
		struct seen seen;

		for (int i = 0; i < 700; i++, put++)
			put_record(writer, ++time_ns,
				   (uint32_t)(sizeof(struct wire_header) +
					      8 * ((size_t)random() % (i % 7 ? 60 : 1900))));
		capture_ring_stats(ring, &stats);
		cr_assert_leq(stats.bytes, CAPTURE_RING_MIN_BYTES);
		cr_assert_eq(stats.frames + stats.forgotten, put);
		seen = read_ring(ring);
		cr_assert_eq(seen.cnt, stats.frames);
		cr_assert_eq(seen.last_ns, time_ns);
		cr_assert_eq(seen.last_ns - seen.first_ns + 1, seen.cnt, "the newest, all of them");
	}
	cr_expect_gt(stats.bytes, CAPTURE_RING_MIN_BYTES / 2);
	capture_writer_free(writer);
	capture_ring_free(ring);
}
