/*
 * The spool: writes batches, keeps its bounds, moves the cursors. Owns
 * segments, readers, cursors and the lock. Outputs thread only.
 */
#include <errno.h>
#include <stdio.h>

#include "haetae/clock.h"
#include "haetae/log.h"

#include "spool_private.h"

#define SYNC_PERIOD    NS_PER_SEC
#define CURSORS_PERIOD (100 * NS_PER_MS)

static void set_failing(struct spool *spool, const char *doing, int error)
{
	bool was_failing = spool->stats.is_failing;

	spool->stats.is_failing = true;
	snprintf(spool->stats.failing_text, sizeof(spool->stats.failing_text), "%s: %s", doing,
		 strerror(error));
	if (!was_failing)
		log_warning("spool: %s: alerts are kept in memory until it works again",
			    spool->stats.failing_text);
}

static void set_working(struct spool *spool)
{
	if (!spool->stats.is_failing)
		return;
	spool->stats.is_failing = false;
	spool->stats.failing_text[0] = '\0';
	log_info("spool: works again");
}

/* ---- bounds --------------------------------------------------------------------------------- */

bool spool_is_half_full(const struct spool *spool)
{
	return spool->segments.bytes >= spool->config.max_bytes / 2;
}

/* The users that have not read it lose what is in it; each loss is counted. */
static void evict_first(struct spool *spool)
{
	struct spool_segments first = { .dir_fd = spool->segments.dir_fd,
					.list = spool->segments.list,
					.cnt = 1 };
	uint64_t number = first.list[0].number;
	struct spool_position start;
	struct spool_frame frame;

	if (spool->segments.cnt == 1)
		close_fdp(&spool->write_fd);
	for (uint32_t i = 0; i < spool->user_cnt; i++) {
		struct spool_reader *reader = &spool->users[i].reader;

		if (reader->at.segment > number)
			continue;
		while (spool_reader_next(reader, &first, &frame, &start) == 0) {
			spool->stats.evicted[frame.parts.priority]++;
			spool->events.on_evicted(spool->events.data, i, &frame);
		}
		reader->is_in_damage = false;
		reader->at = (struct spool_position){ number + 1, 0 };
	}
	spool_segments_drop_first(&spool->segments);
}

static void make_room(struct spool *spool, size_t n)
{
	while (spool->segments.cnt > 0 &&
	       (spool->segments.bytes + n + SPOOL_HEADER_BYTES > spool->config.max_bytes ||
		spool->segments.cnt >= SPOOL_SEGMENTS_MAX))
		evict_first(spool);
}

static bool is_before(struct spool_position a, struct spool_position b)
{
	return a.segment != b.segment ? a.segment < b.segment : a.offset < b.offset;
}

static bool all_have_passed(const struct spool *spool, const struct spool_segment *segment)
{
	const struct spool_position end = { segment->number, segment->bytes };

	for (uint32_t i = 0; i < spool->user_cnt; i++)
		if (is_before(spool->users[i].cursor.at, end))
			return false;
	return true;
}

void spool_remove_passed(struct spool *spool)
{
	while (spool->segments.cnt > (spool->write_fd >= 0 ? 1u : 0u) &&
	       all_have_passed(spool, &spool->segments.list[0]))
		spool_segments_drop_first(&spool->segments);
}

bool spool_admits(struct spool *spool, enum priority priority)
{
	uint64_t bytes = spool->segments.bytes + spool->batch.n;

	if (priority <= PRIORITY_WARNING || bytes < spool->config.max_bytes / 10 * 9)
		return true;
	spool->stats.refused[priority]++;
	return false;
}

/* ---- writing -------------------------------------------------------------------------------- */

bool spool_add(struct spool *spool, const struct alert *alert, struct str sink)
{
	if (!spool_frame_put(&spool->batch, alert, sink))
		return false;
	spool->batch_cnt++;
	return true;
}

static int begin_segment(struct spool *spool)
{
	int fd;

	close_fdp(&spool->write_fd);
	fd = spool_segments_create(&spool->segments, spool->next_number);
	if (fd < 0)
		return fd;
	spool->next_number++;
	spool->write_fd = fd;
	if (spool->config.fsync != SPOOL_FSYNC_NEVER)
		(void)fsync(spool->dir_fd); /* its name; that its bytes arrive is checked */
	return 0;
}

static int write_batch(struct spool *spool)
{
	const struct buf *batch = &spool->batch;
	struct spool_segment *segment;
	size_t done = 0;
	int r;

	if (batch->n + SPOOL_HEADER_BYTES > spool->config.max_bytes)
		return -EFBIG; /* it would evict everything and still not fit */
	make_room(spool, batch->n);
	if (spool->write_fd >= 0) {
		segment = &spool->segments.list[spool->segments.cnt - 1];
		if (segment->bytes > SPOOL_HEADER_BYTES &&
		    segment->bytes + batch->n > spool->config.segment_bytes)
			close_fdp(&spool->write_fd);
	}
	r = spool->write_fd >= 0 ? 0 : begin_segment(spool);
	if (r < 0)
		return r;
	segment = &spool->segments.list[spool->segments.cnt - 1];
	while (done < batch->n) {
		ssize_t n = pwrite(spool->write_fd, batch->p + done, batch->n - done,
				   (off_t)(segment->bytes + done));

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	if (done < batch->n) {
		r = errno ? -errno : -ENOSPC;
		/* Else it is overwritten, or repaired by the next start. */
		(void)!ftruncate(spool->write_fd, (off_t)segment->bytes);
		return r;
	}
	segment->bytes += batch->n;
	spool->segments.bytes += batch->n;
	return 0;
}

/* Pages that could not be written are clean afterwards (fsync(2)), so a later success would say
 * nothing about them: the segment ends here. */
static void flush_to_disk(struct spool *spool)
{
	if (spool->write_fd >= 0 && fdatasync(spool->write_fd) < 0) {
		set_failing(spool, "flushing to the disk", errno);
		close_fdp(&spool->write_fd);
	}
	spool->is_unsynced = false;
}

int spool_write(struct spool *spool)
{
	int r;

	if (spool->batch_cnt == 0)
		return 0;
	errno = 0;
	r = write_batch(spool);
	if (r < 0) {
		set_failing(spool, "writing", -r);
	} else {
		spool->stats.written += spool->batch_cnt;
		set_working(spool);
		if (spool->config.fsync == SPOOL_FSYNC_ALWAYS)
			flush_to_disk(spool);
		else if (spool->config.fsync == SPOOL_FSYNC_INTERVAL && !spool->is_unsynced) {
			spool->is_unsynced = true;
			spool->sync_ns = clock_boot_ns() + SYNC_PERIOD;
		}
	}
	buf_clear(&spool->batch);
	spool->batch_cnt = 0;
	return r;
}

bool spool_works(const struct spool *spool)
{
	return !spool->stats.is_failing;
}

/* ---- reading -------------------------------------------------------------------------------- */

int spool_read(struct spool *spool, uint32_t user, struct spool_frame *ret,
	       struct spool_position *ret_start)
{
	struct spool_reader *reader = &spool->users[user].reader;
	uint64_t before = reader->damaged;
	int r = spool_reader_next(reader, &spool->segments, ret, ret_start);

	/* Damage that was there at the start has been counted then. */
	if (reader->damaged != before && reader->at.segment >= spool->first_own)
		spool->stats.damaged += reader->damaged - before;
	return r;
}

void spool_skip(struct spool *spool, uint32_t user)
{
	const struct spool_segments *segments = &spool->segments;
	struct spool_reader *reader = &spool->users[user].reader;
	const struct spool_segment *last;

	if (segments->cnt == 0)
		return;
	last = &segments->list[segments->cnt - 1];
	if (reader->at.segment > last->number)
		return;
	reader->at = (struct spool_position){ last->number, last->bytes };
	reader->is_in_damage = false;
}

struct spool_position spool_at(const struct spool *spool, uint32_t user)
{
	return spool->users[user].reader.at;
}

void spool_commit(struct spool *spool, uint32_t user, struct spool_position position)
{
	struct spool_cursor *cursor = &spool->users[user].cursor;

	if (!is_before(cursor->at, position))
		return;
	cursor->at = position;
	cursor->is_written = false;
}

/* Whether there was something to write. One that can't be written is tried again; meanwhile a crash
 * would repeat. */
static bool write_cursors(struct spool *spool)
{
	bool has_tried = false;

	for (uint32_t i = 0; i < spool->user_cnt; i++) {
		struct spool_cursor *cursor = &spool->users[i].cursor;

		if (cursor->is_written)
			continue;
		(void)spool_cursor_write(cursor);
		has_tried = true;
	}
	return has_tried;
}

static bool is_cursor_behind(const struct spool *spool)
{
	for (uint32_t i = 0; i < spool->user_cnt; i++)
		if (spool_cursor_is_behind(&spool->users[i].cursor))
			return true;
	return false;
}

static bool has_dirty_cursor(const struct spool *spool)
{
	for (uint32_t i = 0; i < spool->user_cnt; i++)
		if (!spool->users[i].cursor.is_written && spool->users[i].cursor.fd >= 0)
			return true;
	return false;
}

uint64_t spool_tick(struct spool *spool, uint64_t now_ns)
{
	uint64_t wake_ns = UINT64_MAX;

	/* The first progress after a quiet period is written at once: a daemon that lives for less
	 * than a period, again and again, would otherwise deliver the same alerts each time. */
	if (now_ns >= spool->cursors_ns || is_cursor_behind(spool)) {
		if (write_cursors(spool))
			spool->cursors_ns = now_ns + CURSORS_PERIOD;
		spool_remove_passed(spool);
	}
	if (spool->is_unsynced && now_ns >= spool->sync_ns)
		flush_to_disk(spool);
	if (has_dirty_cursor(spool))
		wake_ns = spool->cursors_ns;
	return spool->is_unsynced ? MIN(wake_ns, spool->sync_ns) : wake_ns;
}

void spool_read_stats(struct spool *spool, struct spool_stats *ret)
{
	*ret = spool->stats;
	ret->is_used = true;
	ret->bytes = spool->segments.bytes;
	ret->segments = spool->segments.cnt;
	ret->max_bytes = spool->config.max_bytes;
}

int spool_dir_fd(const struct spool *spool)
{
	return spool->dir_fd;
}
