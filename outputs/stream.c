/*
 * Writes a sink's alerts into a descriptor that must not block: a batch in one piece, so that a
 * lone alert is not kept waiting and a burst costs few system calls. Owns the bytes on their way.
 * Outputs thread.
 */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>

/* Far above a batch and the largest alert. */
#define PENDING_MAX (32u << 20)
/* A buffer that a burst made larger than this is given back. */
#define PENDING_KEPT   (1u << 20)
#define BATCH_BYTES    (256u << 10) /* a batch ends with the alert that passes it */
#define BATCHES_A_STEP 8	    /* then the other sinks have their turn */

void stream_init(struct stream *stream)
{
	*stream = (struct stream){ .fd = -1, .chunk = SIZE_MAX, .format = stream_put_line };
	buf_init(&stream->pending, PENDING_MAX);
}

void stream_done(struct stream *stream)
{
	buf_done(&stream->pending);
}

void stream_put_line(const struct sink *sink, const struct alert *alert, struct buf *out)
{
	buf_put_str(out, sink->config.format == SINK_TEXT ? alert->text : alert->json);
	buf_putc(out, '\n');
}

static void forget_pending(struct stream *stream)
{
	stream->first = stream->last = NULL;
	stream->written = 0;
	if (stream->pending.cap > PENDING_KEPT)
		buf_done(&stream->pending);
	else
		buf_clear(&stream->pending);
}

static void put_alert(struct sink *sink, struct stream *stream, struct delivery *delivery)
{
	size_t before = stream->pending.n;

	if (stream->is_torn && before == 0)
		buf_putc(&stream->pending, '\n');
	stream->format(sink, delivery->alert, &stream->pending);
	if (stream->pending.failed) {
		/* Take back the half line; a later one may fit. */
		stream->pending.failed = false;
		stream->pending.n = before;
		sink_fail(sink, delivery, "no memory for it");
		return;
	}
	delivery->end = stream->pending.n;
	delivery->link = NULL;
	*(stream->last ? &stream->last->link : &stream->first) = delivery;
	stream->last = delivery;
}

static void fill(struct sink *sink, struct stream *stream)
{
	while (stream->pending.n < BATCH_BYTES) {
		struct delivery *delivery = sink_take(sink);

		if (!delivery)
			return;
		put_alert(sink, stream, delivery);
	}
}

static void count_written(struct sink *sink, struct stream *stream, size_t n)
{
	struct delivery *delivery;

	stream->written += n;
	stream->written_bytes += n;
	stream->is_torn = false;
	while ((delivery = stream->first) && delivery->end <= stream->written) {
		stream->first = delivery->link;
		if (!stream->first)
			stream->last = NULL;
		stream->is_torn = stream->written > delivery->end;
		sink_acknowledge(sink, delivery);
	}
	if (stream->first && !stream->is_torn)
		stream->is_torn = stream->pending.p[stream->written - 1] != '\n';
}

/* Like write(2). */
static ssize_t write_some(struct sink *sink, struct stream *stream)
{
	const char *at = stream->pending.p + stream->written;
	size_t n = MIN(stream->pending.n - stream->written, stream->chunk);
	struct pollfd poll_fd = { .fd = stream->fd, .events = POLLOUT };

	if (stream->write)
		return stream->write(sink, at, n);
	if (stream->is_blocking && poll(&poll_fd, 1, 0) <= 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(stream->fd, at, n);
}

int stream_step(struct sink *sink, struct stream *stream)
{
	sink->poll = (struct pollfd){ .fd = -1 };
	sink->wake_ns = UINT64_MAX;
	for (unsigned batch = 0; batch < BATCHES_A_STEP;) {
		ssize_t n;

		if (stream->written == stream->pending.n) {
			forget_pending(stream);
			fill(sink, stream);
			batch++;
		}
		if (stream->pending.n == 0)
			return 0;
		n = write_some(sink, stream);
		if (n > 0) {
			count_written(sink, stream, (size_t)n);
		} else if (n < 0 && errno == EAGAIN) {
			sink->poll = (struct pollfd){ .fd = stream->fd, .events = POLLOUT };
			return 0;
		} else if (n == 0 || errno != EINTR) {
			return n == 0 ? -EIO : -errno;
		} else {
			break; /* perhaps to stop */
		}
	}
	sink->wake_ns = 0;
	return 0;
}

void stream_reset(struct sink *sink, struct stream *stream)
{
	struct delivery *next;

	for (struct delivery *delivery = stream->first; delivery; delivery = next) {
		next = delivery->link;
		sink_give_back(sink, delivery);
	}
	forget_pending(stream);
}

void stream_fail(struct sink *sink, struct stream *stream, const char *reason)
{
	struct delivery *next;

	for (struct delivery *delivery = stream->first; delivery; delivery = next) {
		next = delivery->link;
		sink_fail(sink, delivery, reason);
	}
	forget_pending(stream);
}
