/*
 * The parts of the spool: segment files, readers, cursors. Inside the spool only; outputs thread.
 */
#ifndef HAETAE_OUTPUTS_SPOOL_PRIVATE_H
#define HAETAE_OUTPUTS_SPOOL_PRIVATE_H

#include "spool.h"

#define SPOOL_SEGMENTS_MAX 4096 /* files; then the oldest goes as with too many bytes */
/* Nobody has written so many: the next one's number must not overflow. */
#define SPOOL_NUMBER_MAX (1ULL << 48)

struct spool_segment {
	uint64_t number;
	uint64_t bytes; /* of whole frames and the header: what readers may read */
};

struct spool_segments {
	int dir_fd;		    /* borrowed */
	struct spool_segment *list; /* owned; ascending numbers */
	uint32_t cnt, capacity;
	uint64_t bytes; /* of all */
};

/* Reads the folder; files that are no segments are left alone. 0, SPOOL_E_VERSION, or a negative
 * errno. */
int spool_segments_load(struct spool_segments *segments);
void spool_segments_done(struct spool_segments *segments);
/* A new file with its header, appended to the list. Its descriptor or a negative errno. */
int spool_segments_create(struct spool_segments *segments, uint64_t number);
int spool_segments_open(const struct spool_segments *segments, uint64_t number, int flags);
/* Removes the oldest, file and entry. */
void spool_segments_drop_first(struct spool_segments *segments);
/* The first whose number is at least this; NULL: none. */
struct spool_segment *spool_segments_find(const struct spool_segments *segments, uint64_t number);

struct spool_reader {
	struct spool_position at; /* what comes next */
	int fd;
	uint64_t fd_segment;
	uint8_t *window; /* owned: bytes of that segment from window_offset on */
	size_t window_n, window_capacity;
	uint64_t window_offset;
	bool is_in_damage; /* looking for the next whole frame */
	bool has_failed;   /* the rest of a segment could not be read at all */
	uint64_t damaged;  /* places skipped */
};

void spool_reader_init(struct spool_reader *reader);
void spool_reader_done(struct spool_reader *reader);
/* The next whole frame, valid until the next call; `at` is behind it then, *ret_start where it
 * began. SPOOL_E_END: there is none yet. Never another error: what can't be read is damage. */
int spool_reader_next(struct spool_reader *reader, const struct spool_segments *segments,
		      struct spool_frame *ret, struct spool_position *ret_start);

/* A cursor: a file of two slots, written in turn, each with a generation and a checksum, so that a
 * write that was torn leaves the one before. Nothing is allocated on a full disk. */
struct spool_cursor {
	int fd; /* -1: none, its place lives in memory only */
	uint64_t generation;
	struct spool_position at;
	struct spool_position tried; /* at the last attempt to write it */
	bool is_written;	     /* the file says the same */
};

#define SPOOL_CURSOR_E_NEW     1 /* there was none: at is not set */
#define SPOOL_CURSOR_E_DAMAGED 2 /* neither slot is whole: at is not set */
int spool_cursor_open(struct spool_cursor *cursor, int dir_fd, const char *sink);
/* Whether a crash would repeat more than a few alerts. */
bool spool_cursor_is_behind(const struct spool_cursor *cursor);
/* 0 or a negative errno. */
int spool_cursor_write(struct spool_cursor *cursor);
void spool_cursor_done(struct spool_cursor *cursor);

struct spool_user {
	const char *name; /* borrowed from the configuration */
	struct spool_reader reader;
	struct spool_cursor cursor;
};

struct spool {
	struct spool_config config;
	int dir_fd, lock_fd;
	struct spool_segments segments;
	int write_fd; /* of the last segment; -1: the next write begins one */
	uint64_t next_number;
	uint64_t first_own; /* segments from here on were written by this process */
	struct spool_user users[SINKS_MAX];
	uint32_t user_cnt;
	struct spool_events events;
	struct buf batch;
	uint32_t batch_cnt;
	bool is_loaded, is_unsynced;
	uint64_t sync_ns, cursors_ns; /* when due */
	struct spool_stats stats;
};

#endif
