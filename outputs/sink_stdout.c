/*
 * The sink of a terminal, a pipe or whatever standard output is: a line an alert. Owns the
 * descriptor where it opened one. Outputs thread.
 *
 * Never blocks for longer than it may: standard output can be a pipe that nobody reads. Nobody can
 * open it anew, so what fails to be written has failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "haetae/log.h"

#include "stream.h"

/* A pipe of which poll(2) says that it is writable takes a page at least (fs/pipe.c). */
#define CHUNK_BLOCKING 4096
#define RESET	       "\033[0m"

struct stdout_state {
	struct stream stream;
	int own_fd;
	bool has_warned; /* that writing fails */
};

static const char *const priority_colors[] = {
	[PRIORITY_EMERGENCY] = "\033[1;37;41m", [PRIORITY_ALERT] = "\033[1;37;41m",
	[PRIORITY_CRITICAL] = "\033[1;31m",	[PRIORITY_ERROR] = "\033[31m",
	[PRIORITY_WARNING] = "\033[33m",	[PRIORITY_NOTICE] = "\033[36m",
	[PRIORITY_INFORMATIONAL] = "\033[32m",	[PRIORITY_DEBUG] = "\033[2m",
};
_Static_assert(ARRAY_LEN(priority_colors) == PRIORITY__COUNT, "a colour for each priority");

static void put_colored(const struct sink *sink, const struct alert *alert, struct buf *out)
{
	buf_puts(out, priority_colors[alert->priority]);
	buf_put_str(out, alert->text);
	buf_puts(out, RESET "\n");
}

/* The descriptor may be shared with a shell, so O_NONBLOCK must not be set on it. A pipe or a
 * terminal can be opened anew, with a state of our own. Where that does not work, writes are small
 * and follow a poll(2). */
static int stdout_open(struct sink *sink)
{
	struct stdout_state *state = calloc(1, sizeof(*state));
	struct stat status;

	if (!state)
		return -ENOMEM;
	sink->state = state;
	stream_init(&state->stream);
	state->own_fd = -1;
	state->stream.fd = STDOUT_FILENO;
	if (sink->config.want_color && sink->config.format == SINK_TEXT)
		state->stream.format = put_colored;
	if (fstat(STDOUT_FILENO, &status) < 0)
		return -errno;
	if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))
		state->own_fd =
			open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (state->own_fd >= 0) {
		state->stream.fd = state->own_fd;
	} else if (!S_ISREG(status.st_mode)) {
		state->stream.is_blocking = true;
		state->stream.chunk = CHUNK_BLOCKING;
	}
	return 0;
}

static void stdout_step(struct sink *sink, uint64_t now_ns)
{
	struct stdout_state *state = sink->state;
	int r = stream_step(sink, &state->stream, now_ns);

	if (r == 0)
		return;
	/* Nobody reads any more, or the disk is full. Each lost alert is counted; that they are
	 * being lost is said once. */
	if (!state->has_warned)
		log_warning("standard output takes no more alerts (%s): they are counted as failed",
			    strerror(-r));
	state->has_warned = true;
	stream_fail(sink, &state->stream, strerror(-r));
	sink->poll.fd = -1;
	sink->wake_ns = sink_has_waiting(sink) ? 0 : UINT64_MAX;
}

static void stdout_close(struct sink *sink)
{
	struct stdout_state *state = sink->state;

	if (!state)
		return;
	stream_done(&state->stream);
	close_fdp(&state->own_fd);
	free(state);
	sink->state = NULL;
}

const struct sink_kind sink_stdout = {
	.type = "stdout",
	.open = stdout_open,
	.step = stdout_step,
	.close = stdout_close,
};
