/*
 * The sink of a terminal or a pipe: a line an alert, written in one piece a batch, so that the
 * first alert of a quiet minute is not kept waiting and a burst costs few system calls. Never
 * blocks for longer than its deadline: standard output may be a pipe that nobody reads.
 */
#include "sink_private.h"

#include <errno.h>
#include <poll.h>

#include "haetae/clock.h"

#define PENDING_MAX (1u << 20)
#define RESET	    "\033[0m"

static const char *const priority_colors[] = {
	[PRIORITY_EMERGENCY] = "\033[1;37;41m", [PRIORITY_ALERT] = "\033[1;37;41m",
	[PRIORITY_CRITICAL] = "\033[1;31m",	[PRIORITY_ERROR] = "\033[31m",
	[PRIORITY_WARNING] = "\033[33m",	[PRIORITY_NOTICE] = "\033[36m",
	[PRIORITY_INFORMATIONAL] = "\033[32m",	[PRIORITY_DEBUG] = "\033[2m",
};
_Static_assert(ARRAY_LEN(priority_colors) == PRIORITY__COUNT, "a colour for each priority");

static int stdout_open(struct sink *sink)
{
	sink->fd = STDOUT_FILENO;
	buf_init(&sink->pending, PENDING_MAX);
	return 0;
}

static void put_line(struct sink *sink, const struct alert *alert)
{
	bool is_text = sink->config.format == SINK_TEXT;

	if (is_text && sink->config.want_color)
		buf_puts(&sink->pending, priority_colors[alert->priority]);
	buf_put_str(&sink->pending, is_text ? alert->text : alert->json);
	if (is_text && sink->config.want_color)
		buf_puts(&sink->pending, RESET);
	buf_putc(&sink->pending, '\n');
}

static bool stdout_write(struct sink *sink, const struct alert *alert)
{
	size_t before = sink->pending.n;

	put_line(sink, alert);
	if (!sink->pending.failed) {
		sink->pending_cnt++;
		return true;
	}
	/* Take back the half line; a later one may fit. */
	sink->pending.failed = false;
	sink->pending.n = before;
	if (sink->pending.p)
		sink->pending.p[before] = '\0';
	return false;
}

static bool wait_writable(int fd, uint64_t deadline_ns)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	uint64_t now_ns = clock_boot_ns();

	if (now_ns >= deadline_ns)
		return false;
	return poll(&poll_fd, 1, (int)((deadline_ns - now_ns) / NS_PER_MS + 1)) > 0;
}

/* Lines that were not written whole. */
static uint32_t count_lines(const char *p, size_t n)
{
	uint32_t cnt = 0;

	for (size_t i = 0; i < n; i++)
		cnt += p[i] == '\n';
	return cnt;
}

/* The descriptor is the user's and may be shared with a shell, so O_NONBLOCK is not set on it:
 * poll() first, and never more than a pipe takes at once without blocking (pipe(7): PIPE_BUF). */
#define CHUNK 4096

static uint32_t stdout_flush(struct sink *sink, uint64_t deadline_ns)
{
	const char *p = sink->pending.p;
	size_t left = sink->pending.n;
	uint32_t failed;

	while (left > 0) {
		ssize_t n;

		if (!wait_writable(sink->fd, deadline_ns))
			break;
		n = write(sink->fd, p, MIN(left, (size_t)CHUNK));
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			break;
		if (n > 0) {
			p += n;
			left -= (size_t)n;
		}
	}
	failed = count_lines(p, left);
	buf_clear(&sink->pending);
	sink->pending_cnt = 0;
	return failed;
}

static void stdout_close(struct sink *sink)
{
	buf_done(&sink->pending);
}

const struct sink_kind sink_stdout = {
	.type = "stdout",
	.open = stdout_open,
	.write = stdout_write,
	.flush = stdout_flush,
	.close = stdout_close,
};
