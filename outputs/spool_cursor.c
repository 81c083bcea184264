/*
 * Cursor files: how far a sink is. Owns their descriptors. Outputs thread.
 *
 * A cursor that lags behind repeats alerts with their uuid; one that runs ahead would lose them. So
 * it moves only over what has its end, and one that can't be read begins with the oldest.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "haetae/crc32c.h"
#include "spool_private.h"

/* generation:8 segment:8 offset:8 version:4 crc32c:4, in a sector of its own */
#define SLOT_BYTES  32
#define SLOT_STRIDE 512
/* What a crash may repeat beside what a step of the sink has delivered. */
#define BEHIND_MAX (64u << 10)

static bool read_slot(int fd, unsigned slot, struct spool_cursor *ret)
{
	uint8_t bytes[SLOT_BYTES];

	if (pread(fd, bytes, sizeof(bytes), slot * SLOT_STRIDE) != (ssize_t)sizeof(bytes) ||
	    spool_get_u32(bytes + 24) != SPOOL_VERSION ||
	    spool_get_u32(bytes + 28) != crc32c(0, bytes, 28))
		return false;
	ret->generation = spool_get_u64(bytes);
	ret->at.segment = spool_get_u64(bytes + 8);
	ret->at.offset = spool_get_u64(bytes + 16);
	return ret->at.segment <= SPOOL_NUMBER_MAX;
}

static int open_file(int dir_fd, const char *sink)
{
	const int flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	char name[300];
	int fd;

	snprintf(name, sizeof(name), "cursor-%s", sink);
	fd = openat(dir_fd, name, O_RDWR | O_CREAT | flags, 0600);
	if (fd < 0 && errno == EROFS) /* where it stood counts all the same */
		fd = openat(dir_fd, name, O_RDONLY | flags);
	return fd < 0 ? -errno : fd;
}

int spool_cursor_open(struct spool_cursor *cursor, int dir_fd, const char *sink)
{
	struct spool_cursor slots[2] = { 0 };
	bool is_whole[2];
	const struct spool_cursor *newest = &slots[0];

	*cursor = (struct spool_cursor){ .fd = open_file(dir_fd, sink) };
	if (cursor->fd < 0)
		return cursor->fd == -ENOENT || cursor->fd == -EROFS || cursor->fd == -ENOSPC
			       ? SPOOL_CURSOR_E_NEW
			       : cursor->fd;
	for (unsigned i = 0; i < 2; i++)
		is_whole[i] = read_slot(cursor->fd, i, &slots[i]);
	if (!is_whole[0] && !is_whole[1])
		return lseek(cursor->fd, 0, SEEK_END) == 0 ? SPOOL_CURSOR_E_NEW
							   : SPOOL_CURSOR_E_DAMAGED;
	if (!is_whole[0] || (is_whole[1] && slots[1].generation > slots[0].generation))
		newest = &slots[1];
	cursor->generation = newest->generation;
	cursor->at = cursor->tried = newest->at;
	cursor->is_written = true;
	return 0;
}

bool spool_cursor_is_behind(const struct spool_cursor *cursor)
{
	return cursor->at.segment != cursor->tried.segment ||
	       cursor->at.offset - cursor->tried.offset >= BEHIND_MAX;
}

int spool_cursor_write(struct spool_cursor *cursor)
{
	uint64_t generation = cursor->generation + 1;
	uint8_t bytes[SLOT_BYTES] = { 0 };
	ssize_t n;

	cursor->tried = cursor->at;
	if (cursor->fd < 0)
		return -EBADF;
	spool_put_u64(bytes, generation);
	spool_put_u64(bytes + 8, cursor->at.segment);
	spool_put_u64(bytes + 16, cursor->at.offset);
	spool_put_u32(bytes + 24, SPOOL_VERSION);
	spool_put_u32(bytes + 28, crc32c(0, bytes, 28));
	n = pwrite(cursor->fd, bytes, sizeof(bytes), (off_t)(generation & 1) * SLOT_STRIDE);
	if (n != (ssize_t)sizeof(bytes))
		return n < 0 ? -errno : -ENOSPC;
	cursor->generation = generation;
	cursor->is_written = true;
	return 0;
}

void spool_cursor_done(struct spool_cursor *cursor)
{
	close_fdp(&cursor->fd);
}
