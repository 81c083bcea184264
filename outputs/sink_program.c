/*
 * The sink of a program: alerts as lines on its standard input. It is started by a helper, again
 * with back-off when it ends. Owns the helper's socket and the program's pipe. Outputs thread.
 *
 * An alert counts as delivered when the program has taken its line out of the pipe; what was still
 * in there when it ended goes to the next one.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "haetae/log.h"

#include "program_helper.h"
#include "stream.h"

/* A program that lives so long works: the next start does not wait. */
#define SETTLED_NS (10 * NS_PER_SEC)

struct program_state {
	struct stream stream;
	int helper_fd, pipe_fd;
	pid_t helper;
	bool is_starting;
	uint64_t started_ns, retry_ns;
};

/* What the program has not read yet (pipe(7); of the writing end too, fs/pipe.c). */
static uint64_t in_pipe(const struct sink *sink)
{
	const struct program_state *state = sink->state;
	int n = 0;

	return ioctl(state->pipe_fd, FIONREAD, &n) == 0 && n > 0 ? (uint64_t)n : 0;
}

static int program_open(struct sink *sink)
{
	struct program_state *state;
	int r;

	if (!sink->config.program.arguments[0])
		return -EINVAL;
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	sink->state = state;
	stream_init(&state->stream);
	state->stream.outstanding = in_pipe;
	state->helper_fd = state->pipe_fd = -1;
	r = program_helper_start(sink->config.program.arguments,
				 sink->config.program.user ? sink->config.program.user : "nobody",
				 &state->helper_fd, &state->helper);
	if (r == -ENOENT)
		log_error("sink %s: there is no user %s", sink->config.name,
			  sink->config.program.user);
	return r;
}

/* The pipe still tells what was taken out of it. Without asking once more a program that works fast
 * and ends would be given the same lines for ever. */
static void forget_pipe(struct sink *sink)
{
	struct program_state *state = sink->state;

	if (state->pipe_fd >= 0)
		stream_acknowledge(sink, &state->stream);
	stream_reset(sink, &state->stream);
	close_fdp(&state->pipe_fd);
	state->stream.fd = -1;
}

static void forget_program(struct sink *sink, uint64_t now_ns)
{
	struct program_state *state = sink->state;

	forget_pipe(sink);
	state->stream.is_torn = false; /* the next one begins with a whole line */
	state->is_starting = false;
	state->retry_ns = sink_back_off(sink, now_ns, 0);
}

static void program_ended(struct sink *sink, int status, uint64_t now_ns)
{
	const char *program = sink->config.program.arguments[0];
	struct program_state *state = sink->state;

	if (now_ns - state->started_ns >= SETTLED_NS)
		sink_ok(sink);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		sink_troubled(sink, SINK_HEALTH_MISCONFIGURED, "%s can't be run", program);
	else if (WIFEXITED(status))
		sink_troubled(sink, SINK_HEALTH_RETRYING, "%s ended with status %d", program,
			      WEXITSTATUS(status));
	else
		sink_troubled(sink, SINK_HEALTH_RETRYING, "%s was ended by signal %d", program,
			      WTERMSIG(status));
	forget_program(sink, now_ns);
}

static void helper_is_gone(struct sink *sink)
{
	struct program_state *state = sink->state;

	close_fdp(&state->helper_fd);
	if (state->pipe_fd < 0)
		state->retry_ns = UINT64_MAX;
	sink_troubled(sink, SINK_HEALTH_MISCONFIGURED,
		      "the helper that starts %s has ended: haetae must be started anew",
		      sink->config.program.arguments[0]);
}

/* 1: nothing more; a negative errno: the helper is gone. */
static int receive(int fd, struct helper_message *ret, int *ret_fd)
{
	struct iovec vector = { ret, sizeof(*ret) };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr header = { .msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *item;

	*ret_fd = -1;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -errno;
	if (n != (ssize_t)sizeof(*ret))
		return -EPIPE;
	item = CMSG_FIRSTHDR(&header);
	if (item && item->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(item), sizeof(int));
	return 0;
}

static void use_pipe(struct sink *sink, int fd, uint64_t now_ns)
{
	struct program_state *state = sink->state;

	close_fdp(&state->pipe_fd);
	(void)fcntl(fd, F_SETFL, O_WRONLY | O_NONBLOCK); /* nobody shares this end */
	state->pipe_fd = state->stream.fd = fd;
	state->is_starting = false;
	state->started_ns = now_ns;
}

static void hear_helper(struct sink *sink, uint64_t now_ns)
{
	struct program_state *state = sink->state;
	struct helper_message message = { 0 };
	int fd, r;

	while (state->helper_fd >= 0 && (r = receive(state->helper_fd, &message, &fd)) <= 0) {
		if (r < 0) {
			helper_is_gone(sink);
		} else if (message.kind == HELPER_PIPE && fd >= 0) {
			use_pipe(sink, TAKE_FD(fd), now_ns);
		} else if (message.kind == HELPER_ENDED) {
			program_ended(sink, message.value, now_ns);
		} else if (message.kind == HELPER_FAILED) {
			sink_troubled(sink, SINK_HEALTH_RETRYING, "starting %s: %s",
				      sink->config.program.arguments[0], strerror(message.value));
			forget_program(sink, now_ns);
		}
		close_fdp(&fd);
	}
}

static void ask_for_program(struct sink *sink, uint64_t now_ns)
{
	struct program_state *state = sink->state;
	const struct helper_message message = { .kind = HELPER_START };

	if (state->helper_fd < 0 || state->pipe_fd >= 0 || state->is_starting ||
	    now_ns < state->retry_ns)
		return;
	state->is_starting = send(state->helper_fd, &message, sizeof(message),
				  MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(message);
}

static void program_step(struct sink *sink, uint64_t now_ns)
{
	struct program_state *state = sink->state;
	int r = 0;

	sink->poll = (struct pollfd){ .fd = -1 };
	sink->wake_ns = UINT64_MAX;
	hear_helper(sink, now_ns);
	ask_for_program(sink, now_ns);
	if (state->pipe_fd >= 0) {
		r = stream_step(sink, &state->stream, now_ns);
		if (now_ns - state->started_ns >= SETTLED_NS)
			sink_ok(sink);
	}
	if (r < 0) { /* it has closed its input; why, the helper says when it ends */
		forget_pipe(sink);
		state->is_starting = true;
		sink->poll.fd = -1;
		sink_troubled(sink, SINK_HEALTH_RETRYING, "%s has closed its input",
			      sink->config.program.arguments[0]);
	}
	if (sink->poll.fd < 0)
		sink->poll = (struct pollfd){ .fd = state->helper_fd, .events = POLLIN };
	else /* one descriptor is waited for: the other is looked at now and then */
		sink->wake_ns = MIN(sink->wake_ns, now_ns + NS_PER_SEC / 4);
	if (state->pipe_fd < 0 && !state->is_starting && state->helper_fd >= 0)
		sink->wake_ns = state->retry_ns;
}

/* The program sees the end of its input, the helper that of its socket; both are given time
 * elsewhere, and nobody waits for them here. */
static void program_close(struct sink *sink)
{
	struct program_state *state = sink->state;

	if (!state)
		return;
	stream_done(&state->stream);
	close_fdp(&state->pipe_fd);
	close_fdp(&state->helper_fd);
	if (state->helper > 0)
		(void)waitpid(state->helper, NULL, WNOHANG);
	free(state);
	sink->state = NULL;
}

const struct sink_kind sink_program = {
	.type = "program",
	.open = program_open,
	.step = program_step,
	.close = program_close,
};
