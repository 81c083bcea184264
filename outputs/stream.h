/*
 * Alerts as lines into a descriptor: what standard output, files, programs and syslog over TCP have
 * in common. Outputs thread only.
 */
#ifndef HAETAE_OUTPUTS_STREAM_H
#define HAETAE_OUTPUTS_STREAM_H

#include "haetae/clock.h"

#include "sink_private.h"

struct stream {
	int fd;		    /* borrowed; -1: none */
	size_t chunk;	    /* how much one write(2) may take */
	bool is_blocking;   /* poll(2) before each write */
	bool is_torn;	    /* the last thing that was written is half a line */
	bool is_framed;	    /* no lines: nothing is ever torn for the next connection */
	short events;	    /* also waited for; POLLIN of a socket, say */
	uint64_t room;	    /* bytes until the caller wants to act, such as to rotate */
	struct buf pending; /* the first `written` bytes are out */
	size_t written;
	uint64_t total; /* bytes written since the last reset */
	/* In pending or not acknowledged, by their ends in `total`; linked by `link`. */
	struct delivery *first, *last;
	uint32_t unacknowledged; /* how many those are */
	/* One alert with its end of line or frame. */
	void (*format)(const struct sink *sink, const struct alert *alert, struct buf *out);
	/* Instead of write(2); like it. NULL: write(2). */
	ssize_t (*write)(struct sink *sink, const void *data, size_t n);
	/* How many of the bytes written have not reached the other side: what the kernel still
	 * holds. They are looked at again each STREAM_ACK_PERIOD. NULL: none, written is there. */
	uint64_t (*outstanding)(const struct sink *sink);
};

#define STREAM_ACK_PERIOD (20 * NS_PER_MS)

void stream_init(struct stream *stream);
void stream_done(struct stream *stream);
/* Writes what waits until it would block, or a fair share is done, or `room` is used up; sets poll
 * and wake_ns. 0, or a negative errno: nothing more can be written to this descriptor. */
int stream_step(struct sink *sink, struct stream *stream, uint64_t now_ns);
/* Those that have reached the other side by now; a step does it, too. */
void stream_acknowledge(struct sink *sink, struct stream *stream);
/* Gives back what is not acknowledged; the descriptor is not used any more. */
void stream_reset(struct sink *sink, struct stream *stream);
/* Fails it instead. */
void stream_fail(struct sink *sink, struct stream *stream, const char *reason);
/* Everything that was begun is written. */
static inline bool stream_is_idle(const struct stream *stream)
{
	return stream->written == stream->pending.n;
}

/* The line of the sink's format, with its newline. */
void stream_put_line(const struct sink *sink, const struct alert *alert, struct buf *out);

#endif
