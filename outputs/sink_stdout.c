/*
 * The sink of a terminal, a pipe or a file: a line an alert, a batch in one piece, so that a lone
 * alert is not kept waiting and a burst costs few system calls. Owns what is pending. Outputs
 * thread.
 *
 * It never blocks for longer than it may: standard output can be a pipe that nobody reads.
 */
#include "sink_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "haetae/clock.h"
#include "haetae/log.h"

/* Far above one batch and the largest alert; beyond it the alert has failed. */
#define PENDING_MAX (16u << 20)
/* A buffer that a burst made larger than this is given back. */
#define PENDING_KEPT (1u << 20)
/* A pipe of which poll(2) says that it is writable takes a page at least (fs/pipe.c). */
#define CHUNK_BLOCKING 4096
#define RESET	       "\033[0m"

static const char *const priority_colors[] = {
	[PRIORITY_EMERGENCY] = "\033[1;37;41m", [PRIORITY_ALERT] = "\033[1;37;41m",
	[PRIORITY_CRITICAL] = "\033[1;31m",	[PRIORITY_ERROR] = "\033[31m",
	[PRIORITY_WARNING] = "\033[33m",	[PRIORITY_NOTICE] = "\033[36m",
	[PRIORITY_INFORMATIONAL] = "\033[32m",	[PRIORITY_DEBUG] = "\033[2m",
};
_Static_assert(ARRAY_LEN(priority_colors) == PRIORITY__COUNT, "a colour for each priority");

/* The descriptor may be shared with a shell, so O_NONBLOCK must not be set on it. A pipe or a
 * terminal can be opened anew, with a state of our own. Where that does not work, writes are small
 * and follow a poll(2). */
static int stdout_open(struct sink *sink)
{
	struct stat status;
	int fd = -1;

	sink->fd = STDOUT_FILENO;
	sink->chunk = CHUNK_BLOCKING;
	buf_init(&sink->pending, PENDING_MAX);
	if (fstat(STDOUT_FILENO, &status) < 0)
		return -errno;
	if (S_ISREG(status.st_mode))
		sink->chunk = SIZE_MAX;
	else if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))
		fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0) {
		sink->fd = fd;
		sink->owns_fd = true;
		sink->chunk = SIZE_MAX;
	}
	return 0;
}

static void put_line(struct sink *sink, const struct alert *alert)
{
	bool is_text = sink->config.format == SINK_TEXT;

	if (sink->is_torn && sink->pending.n == 0)
		buf_putc(&sink->pending, '\n');
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
	return false;
}

static bool wait_writable(int fd, uint64_t deadline_ns)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	uint64_t now_ns = clock_boot_ns();
	uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;

	return poll(&poll_fd, 1, (int)MIN(left_ns / NS_PER_MS, (uint64_t)INT32_MAX)) > 0;
}

/* An alert is delivered when its newline is; the newline that ends a torn line is none's. */
static void count_written(struct sink *sink, size_t n)
{
	const char *p = sink->pending.p + sink->written;
	uint64_t line_cnt = 0;

	for (size_t i = 0; i < n; i++)
		line_cnt += p[i] == '\n';
	if (sink->is_torn && sink->written == 0 && *p == '\n')
		line_cnt--;
	sink->written += n;
	sink->is_torn = p[n - 1] != '\n';
	sink->delivered += line_cnt;
	sink->pending_cnt -= line_cnt;
}

static void forget_pending(struct sink *sink)
{
	sink->failed += sink->pending_cnt;
	sink->pending_cnt = 0;
	sink->written = 0;
	if (sink->pending.cap > PENDING_KEPT)
		buf_done(&sink->pending);
	else
		buf_clear(&sink->pending);
}

/* Each lost alert is counted; that they are being lost is said once. */
static void warn_once(struct sink *sink, int error)
{
	if (!sink->has_warned)
		log_warning("standard output takes no more alerts (%s): they are counted as failed",
			    strerror(error));
	sink->has_warned = true;
}

static void stdout_flush(struct sink *sink, uint64_t deadline_ns)
{
	while (sink->written < sink->pending.n) {
		size_t left = sink->pending.n - sink->written;
		ssize_t n;

		if (!wait_writable(sink->fd, deadline_ns))
			return;
		n = write(sink->fd, sink->pending.p + sink->written, MIN(left, sink->chunk));
		if (n > 0) {
			count_written(sink, (size_t)n);
		} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
			warn_once(sink, n == 0 ? EIO : errno);
			break; /* nobody reads any more, or the disk is full */
		}
	}
	forget_pending(sink);
}

static void stdout_close(struct sink *sink)
{
	buf_done(&sink->pending);
	if (sink->owns_fd)
		close_fdp(&sink->fd);
}

const struct sink_kind sink_stdout = {
	.type = "stdout",
	.open = stdout_open,
	.write = stdout_write,
	.flush = stdout_flush,
	.close = stdout_close,
};
