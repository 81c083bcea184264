/*
 * Writes a sink's alerts into a descriptor that must not block: a batch in one piece, so that a
 * lone alert is not kept waiting and a burst costs few system calls. Owns the bytes on their way.
 * Outputs thread.
 */
#include "stream.h"

#include <errno.h>

/* Far above a batch and the largest alert. */
#define PENDING_MAX (32u << 20)
/* A buffer that a burst made larger than this is given back. */
#define PENDING_KEPT (1u << 20)
#define BATCH_BYTES  (256u << 10) /* a batch ends with the alert that passes it */
/* Alerts that wait for an acknowledgement: their memory is bounded. */
#define UNACKNOWLEDGED_MAX 4096
#define BATCHES_A_STEP	   8 /* then the other sinks have their turn */

void stream_init(struct stream *stream)
{
	*stream = (struct stream){
		.fd = -1, .chunk = SIZE_MAX, .room = UINT64_MAX, .format = stream_put_line
	};
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
	stream->written = 0;
	if (stream->pending.cap > PENDING_KEPT)
		buf_done(&stream->pending);
	else
		buf_clear(&stream->pending);
}

static void put_alert(struct sink *sink, struct stream *stream, struct delivery *delivery)
{
	size_t before = stream->pending.n;

	if (stream->is_torn && !stream->is_framed && before == 0)
		buf_putc(&stream->pending, '\n');
	stream->format(sink, delivery->alert, &stream->pending);
	if (stream->pending.failed) {
		/* Take back the half line; a later one may fit. */
		stream->pending.failed = false;
		stream->pending.n = before;
		sink_fail(sink, delivery, "no memory for it");
		return;
	}
	delivery->end = stream->total + stream->pending.n; /* nothing of pending is out */
	delivery->link = NULL;
	*(stream->last ? &stream->last->link : &stream->first) = delivery;
	stream->last = delivery;
	stream->unacknowledged++;
}

static void fill(struct sink *sink, struct stream *stream)
{
	while (stream->pending.n < MIN((uint64_t)BATCH_BYTES, stream->room) &&
	       stream->unacknowledged < UNACKNOWLEDGED_MAX) {
		struct delivery *delivery = sink_take(sink);

		if (!delivery)
			return;
		put_alert(sink, stream, delivery);
	}
}

static void count_written(struct stream *stream, size_t n)
{
	stream->written += n;
	stream->total += n;
	stream->room -= MIN((uint64_t)n, stream->room);
	stream->is_torn = stream->pending.p[stream->written - 1] != '\n';
}

void stream_acknowledge(struct sink *sink, struct stream *stream)
{
	uint64_t outstanding = stream->outstanding && stream->first ? stream->outstanding(sink) : 0;
	uint64_t there = stream->total - MIN(outstanding, stream->total);
	struct delivery *delivery;

	while ((delivery = stream->first) && delivery->end <= there) {
		stream->first = delivery->link;
		if (!stream->first)
			stream->last = NULL;
		stream->unacknowledged--;
		sink_acknowledge(sink, delivery);
	}
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

/* 0: it may go on; 1: not now; or a negative errno. */
static int write_batch(struct sink *sink, struct stream *stream)
{
	ssize_t n = write_some(sink, stream);

	if (n > 0) {
		count_written(stream, (size_t)n);
		return 0;
	}
	if (n < 0 && errno == EAGAIN) {
		sink->poll.events |= POLLOUT;
		return 1;
	}
	if (n < 0 && errno == EINTR) { /* perhaps to stop */
		sink->wake_ns = 0;
		return 1;
	}
	return n == 0 ? -EIO : -errno;
}

int stream_step(struct sink *sink, struct stream *stream, uint64_t now_ns)
{
	unsigned batch = 0;
	bool was_full;
	int r = 0;

	sink->poll = (struct pollfd){ .fd = stream->fd, .events = stream->events };
	sink->wake_ns = UINT64_MAX;
	while (r == 0) {
		if (stream_is_idle(stream)) {
			forget_pending(stream);
			if (batch++ < BATCHES_A_STEP)
				fill(sink, stream);
			else
				sink->wake_ns = 0;
		}
		if (stream->pending.n == 0)
			break;
		r = write_batch(sink, stream);
	}
	was_full = stream->unacknowledged >= UNACKNOWLEDGED_MAX;
	stream_acknowledge(sink, stream);
	if (was_full && stream->unacknowledged < UNACKNOWLEDGED_MAX)
		sink->wake_ns = 0;
	if (stream->first && stream_is_idle(stream))
		sink->wake_ns = MIN(sink->wake_ns, now_ns + STREAM_ACK_PERIOD);
	if (!sink->poll.events)
		sink->poll.fd = -1;
	return MIN(r, 0);
}

void stream_reset(struct sink *sink, struct stream *stream)
{
	struct delivery *next;

	for (struct delivery *delivery = stream->first; delivery; delivery = next) {
		next = delivery->link;
		sink_give_back(sink, delivery);
	}
	stream->first = stream->last = NULL;
	stream->unacknowledged = 0;
	stream->total = 0;
	forget_pending(stream);
}

void stream_fail(struct sink *sink, struct stream *stream, const char *reason)
{
	struct delivery *next;

	for (struct delivery *delivery = stream->first; delivery; delivery = next) {
		next = delivery->link;
		sink_fail(sink, delivery, reason);
	}
	stream->first = stream->last = NULL;
	stream->unacknowledged = 0;
	forget_pending(stream);
}
