/*
 * The sink of a file: a line an alert, rotated by size and age, opened anew on SIGUSR1. Owns the
 * descriptor. Outputs thread.
 *
 * A path may also name a FIFO or a device: opened without waiting for a reader, never rotated. The
 * disk is local: a write to a regular file may take as long as the disk does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "haetae/log.h"

#include "stream.h"

#define MAX_FILES_DEFAULT 5

struct file_state {
	struct stream stream;
	int fd;
	bool is_regular, wants_reopen;
	uint64_t size;	   /* bytes, where it is a regular file */
	uint64_t begun_ns; /* wall time of its first alert */
	uint64_t retry_ns; /* boot time, while there is no descriptor */
};

static uint64_t wall_ns(void)
{
	return clock_boot_ns() + (uint64_t)clock_wall_offset_ns();
}

/* Half a line of a daemon that was killed gets its end. */
static bool ends_torn(const char *path, off_t size)
{
	_cleanup_(close_fdp) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char last = '\n';

	return size > 0 && fd >= 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

static uint64_t birth_ns(int fd)
{
	struct statx status;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) < 0 ||
	    !(status.stx_mask & STATX_BTIME))
		return wall_ns();
	return (uint64_t)status.stx_btime.tv_sec * NS_PER_SEC + status.stx_btime.tv_nsec;
}

static int use_file(struct sink *sink, int fd)
{
	struct file_state *state = sink->state;
	struct stat status;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
		return -EINVAL;
	state->is_regular = S_ISREG(status.st_mode);
	state->size = state->is_regular ? (uint64_t)status.st_size : 0;
	state->begun_ns = state->size ? birth_ns(fd) : wall_ns();
	if (state->is_regular)
		state->stream.is_torn = ends_torn(sink->config.file.path, status.st_size);
	state->fd = state->stream.fd = fd;
	return 0;
}

/* What somebody must repair, and what may come by itself: a reader, space, a mount. */
static enum sink_health health_of(int error)
{
	return error == ENXIO || error == ENOSPC || error == EIO || error == EDQUOT ||
			       error == EPIPE || error == EROFS
		       ? SINK_HEALTH_RETRYING
		       : SINK_HEALTH_MISCONFIGURED;
}

static void give_up_file(struct sink *sink, int error, uint64_t now_ns)
{
	struct file_state *state = sink->state;

	stream_reset(sink, &state->stream);
	close_fdp(&state->fd);
	state->stream.fd = -1;
	state->retry_ns = sink_back_off(sink, now_ns, 0);
	sink_troubled(sink, health_of(error), "%s: %s", sink->config.file.path,
		      error == ENXIO ? "nobody reads it" : strerror(error));
}

static void open_file(struct sink *sink, uint64_t now_ns)
{
	const int flags =
		O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = open(sink->config.file.path, flags, 0600);
	int r = fd < 0 ? -errno : use_file(sink, fd);

	if (r == 0)
		return;
	close_fdp(&fd);
	give_up_file(sink, -r, now_ns);
}

/* path.1 is the youngest of the old ones. What can't be renamed is written on: an alert in a file
 * that is too long is better than none. */
static void rotate(struct sink *sink, uint64_t now_ns)
{
	struct file_state *state = sink->state;
	const char *path = sink->config.file.path;
	uint32_t files =
		sink->config.file.max_files ? sink->config.file.max_files : MAX_FILES_DEFAULT;
	char from[4096], to[4096];

	for (uint32_t i = files; i > 0; i--) {
		snprintf(to, sizeof(to), "%s.%u", path, i);
		snprintf(from, sizeof(from), "%s.%u", path, i - 1);
		if (rename(i == 1 ? path : from, to) < 0 && errno != ENOENT)
			log_warning("sink %s: renaming %s: %s", sink->config.name,
				    i == 1 ? path : from, strerror(errno));
	}
	close_fdp(&state->fd);
	open_file(sink, now_ns);
}

static bool is_too_old(const struct sink *sink, const struct file_state *state)
{
	uint64_t max_age_ns = sink->config.file.max_age_ns;

	return max_age_ns && state->size > 0 && wall_ns() >= state->begun_ns + max_age_ns;
}

/* Between two lines only. */
static void change_file(struct sink *sink, uint64_t now_ns)
{
	struct file_state *state = sink->state;
	uint64_t max_bytes = sink->config.file.max_bytes;

	if (!stream_is_idle(&state->stream))
		return;
	if (state->wants_reopen) {
		state->wants_reopen = false;
		close_fdp(&state->fd);
		open_file(sink, now_ns);
	} else if (state->is_regular &&
		   ((max_bytes && state->size >= max_bytes) || is_too_old(sink, state))) {
		rotate(sink, now_ns);
	}
}

static void write_file(struct sink *sink, uint64_t now_ns)
{
	struct file_state *state = sink->state;
	uint64_t before = state->stream.total, max_bytes = sink->config.file.max_bytes;
	int r;

	if (max_bytes && state->is_regular)
		state->stream.room = max_bytes - MIN(state->size, max_bytes - 1);
	if (state->size == 0)
		state->begun_ns = wall_ns();
	r = stream_step(sink, &state->stream, now_ns);
	state->size += state->stream.total - before;
	if (state->stream.room == 0)
		sink->wake_ns = 0;
	if (r < 0)
		give_up_file(sink, -r, now_ns);
	else if (state->stream.total > before)
		sink_ok(sink);
}

static int file_open(struct sink *sink)
{
	struct file_state *state;

	if (!sink->config.file.path || strlen(sink->config.file.path) > 4000)
		return -EINVAL;
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	sink->state = state;
	state->fd = -1;
	stream_init(&state->stream);
	open_file(sink, clock_boot_ns());
	return 0;
}

static void file_step(struct sink *sink, uint64_t now_ns)
{
	struct file_state *state = sink->state;

	sink->poll.fd = -1;
	sink->wake_ns = UINT64_MAX;
	if (state->fd < 0) {
		if (state->wants_reopen || now_ns >= state->retry_ns)
			open_file(sink, now_ns);
		state->wants_reopen = false;
	}
	if (state->fd >= 0)
		change_file(sink, now_ns);
	if (state->fd >= 0)
		write_file(sink, now_ns);
	if (state->fd < 0)
		sink->wake_ns = state->retry_ns;
	else if (sink->config.file.max_age_ns && state->size > 0)
		sink->wake_ns = MIN(sink->wake_ns, now_ns + NS_PER_SEC);
}

static void file_reopen(struct sink *sink)
{
	struct file_state *state = sink->state;

	state->wants_reopen = true;
}

static void file_close(struct sink *sink)
{
	struct file_state *state = sink->state;

	if (!state)
		return;
	stream_done(&state->stream);
	close_fdp(&state->fd);
	free(state);
	sink->state = NULL;
}

const struct sink_kind sink_file = {
	.type = "file",
	.open = file_open,
	.step = file_step,
	.reopen = file_reopen,
	.close = file_close,
};
