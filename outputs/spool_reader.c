/*
 * Reads frames in order through all segments, over damage to the next whole frame. Owns a window of
 * the segment that it reads. Outputs thread.
 */
#include <errno.h>
#include <fcntl.h>

#include "spool_private.h"

#define WINDOW_BYTES (256u << 10)
/* A window that a monster made larger is given back when the segment ends. */
#define WINDOW_KEPT (1u << 20)

void spool_reader_init(struct spool_reader *reader)
{
	*reader = (struct spool_reader){ .fd = -1 };
}

void spool_reader_done(struct spool_reader *reader)
{
	close_fdp(&reader->fd);
	free(reader->window);
	reader->window = NULL;
	reader->window_n = reader->window_capacity = 0;
}

static bool open_segment(struct spool_reader *reader, const struct spool_segments *segments,
			 uint64_t number)
{
	if (reader->fd >= 0 && reader->fd_segment == number)
		return true;
	close_fdp(&reader->fd);
	if (reader->window_capacity > WINDOW_KEPT)
		spool_reader_done(reader);
	reader->window_n = 0;
	reader->window_offset = 0;
	reader->fd = spool_segments_open(segments, number, O_RDONLY);
	reader->fd_segment = number;
	return reader->fd >= 0;
}

/* Bytes from `at` on, `need` of them where the segment has so many. NULL: they can't be read. */
static const uint8_t *get_bytes(struct spool_reader *reader, const struct spool_segment *segment,
				size_t need, size_t *ret_n)
{
	uint64_t left = segment->bytes - reader->at.offset;
	uint64_t skip = reader->at.offset - reader->window_offset;
	size_t want = (size_t)MIN((uint64_t)MAX(need, (size_t)WINDOW_BYTES), left);
	ssize_t n;

	if (reader->at.offset >= reader->window_offset && skip <= reader->window_n &&
	    reader->window_n - skip >= MIN((uint64_t)need, left)) {
		*ret_n = (size_t)(reader->window_n - skip);
		return reader->window + skip;
	}
	if (want > reader->window_capacity) {
		uint8_t *window = realloc(reader->window, want);

		if (!window)
			return NULL;
		reader->window = window;
		reader->window_capacity = want;
	}
	reader->window_n = 0;
	n = pread(reader->fd, reader->window, want, (off_t)reader->at.offset);
	if (n <= 0)
		return NULL;
	reader->window_offset = reader->at.offset;
	reader->window_n = *ret_n = (size_t)n;
	return reader->window;
}

static void skip_damage(struct spool_reader *reader, size_t n)
{
	if (!reader->is_in_damage)
		reader->damaged++;
	reader->is_in_damage = true;
	reader->at.offset += n;
}

static int skip_unreadable(struct spool_reader *reader, const struct spool_segment *segment)
{
	reader->has_failed = true;
	skip_damage(reader, segment->bytes - reader->at.offset);
	return SPOOL_E_END;
}

/* One attempt at `at`, inside the segment. 0: a frame. SPOOL_E_END: `at` has moved on. */
static int try_frame(struct spool_reader *reader, const struct spool_segments *segments,
		     const struct spool_segment *segment, struct spool_frame *ret)
{
	size_t need = SPOOL_FRAME_OVERHEAD, n = 0;
	const uint8_t *bytes;
	int r;

	if (!open_segment(reader, segments, segment->number))
		return skip_unreadable(reader, segment);
	for (;;) {
		bytes = get_bytes(reader, segment, need, &n);
		if (!bytes)
			return skip_unreadable(reader, segment);
		r = spool_frame_decode(bytes, n, ret);
		/* Beyond the segment: its length is wrong, or it was cut off. */
		if (r != SPOOL_FRAME_E_SHORT || n >= segment->bytes - reader->at.offset)
			break;
		if (need >= ret->size) /* the file became shorter */
			return skip_unreadable(reader, segment);
		need = ret->size;
	}
	if (r == 0)
		return 0;
	skip_damage(reader, MIN((uint64_t)spool_frame_search(bytes, n),
				segment->bytes - reader->at.offset));
	return SPOOL_E_END;
}

int spool_reader_next(struct spool_reader *reader, const struct spool_segments *segments,
		      struct spool_frame *ret, struct spool_position *ret_start)
{
	struct spool_segment *segment;

	while ((segment = spool_segments_find(segments, reader->at.segment))) {
		if (segment->number != reader->at.segment)
			reader->at = (struct spool_position){ segment->number, 0 };
		reader->at.offset = MAX(reader->at.offset, (uint64_t)SPOOL_HEADER_BYTES);
		if (reader->at.offset >= segment->bytes) {
			if (segment == &segments->list[segments->cnt - 1])
				return SPOOL_E_END;
			reader->is_in_damage = false;
			reader->at = (struct spool_position){ segment->number + 1, 0 };
			continue;
		}
		if (try_frame(reader, segments, segment, ret) != 0)
			continue;
		reader->is_in_damage = false;
		*ret_start = reader->at;
		reader->at.offset += ret->size;
		return 0;
	}
	return SPOOL_E_END;
}
