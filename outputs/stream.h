/*
 * Alerts as lines into a descriptor: what standard output, files, programs and syslog over TCP have
 * in common. Outputs thread only.
 */
#ifndef HAETAE_OUTPUTS_STREAM_H
#define HAETAE_OUTPUTS_STREAM_H

#include "sink_private.h"

struct stream {
	int fd;		    /* borrowed; -1: none */
	size_t chunk;	    /* how much one write(2) may take */
	bool is_blocking;   /* poll(2) before each write */
	bool is_torn;	    /* the last thing that was written is half a line */
	struct buf pending; /* the first `written` bytes are out */
	size_t written;
	struct delivery *first, *last; /* in `pending`, by their ends; linked by `link` */
	/* One alert with its end of line or frame. */
	void (*format)(const struct sink *sink, const struct alert *alert, struct buf *out);
	/* Instead of write(2); like it. NULL: write(2). */
	ssize_t (*write)(struct sink *sink, const void *data, size_t n);
	uint64_t written_bytes; /* in all */
};

void stream_init(struct stream *stream);
void stream_done(struct stream *stream);
/* Writes what waits until it would block, or a fair share is done; sets poll and wake_ns. 0, or a
 * negative errno: nothing more can be written to this descriptor. */
int stream_step(struct sink *sink, struct stream *stream);
/* Gives back what is not wholly out; the descriptor is not used any more. */
void stream_reset(struct sink *sink, struct stream *stream);
/* Fails it instead. */
void stream_fail(struct sink *sink, struct stream *stream, const char *reason);
/* Nothing is half out. */
static inline bool stream_is_idle(const struct stream *stream)
{
	return stream->first == NULL;
}

/* The line of the sink's format, with its newline. */
void stream_put_line(const struct sink *sink, const struct alert *alert, struct buf *out);

#endif
