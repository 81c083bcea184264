/*
 * Opens the spool: makes and locks its folder, repairs what a crash left, finds each sink's place.
 * Runs before the outputs thread, and in it at the end.
 *
 * Each start begins a new segment: nothing is ever appended to what a crash may have left, and a
 * cursor never points behind bytes that come later.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "haetae/clock.h"
#include "haetae/log.h"

#include "spool_private.h"

#define MAX_BYTES_MIN	  (1u << 20)
#define SEGMENT_BYTES_MIN (64u << 10)
#define SEGMENT_BYTES_MAX (256u << 20)
#define BATCH_MAX	  (2 * (SPOOL_PAYLOAD_MAX + SPOOL_FRAME_OVERHEAD))

/* ---- the folder ----------------------------------------------------------------------------- */

/* Missing parents too: a new installation has no /var/lib/haetae. */
static int make_folder(const char *path)
{
	_cleanup_(freep) char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *at = copy + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST && errno != EROFS)
			return -errno;
		*at = '/';
	}
	if (mkdir(copy, 0700) < 0 && errno != EEXIST)
		return errno == EROFS && access(copy, F_OK) == 0 ? 0 : -errno;
	return 0;
}

/* Alerts hold command lines: nobody else's folder, and nobody else reads it. */
static int open_folder(const char *path)
{
	struct stat status;
	int fd, r = make_folder(path);

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0)
		r = -errno;
	else if (status.st_uid != geteuid())
		r = -EPERM;
	else if ((status.st_mode & 077) && fchmod(fd, 0700) < 0 && errno != EROFS)
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static int lock_folder(struct spool *spool)
{
	const int flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

	spool->lock_fd = openat(spool->dir_fd, "lock", O_RDWR | O_CREAT | flags, 0600);
	if (spool->lock_fd < 0 && (errno == EROFS || errno == ENOSPC))
		spool->lock_fd = openat(spool->dir_fd, "lock", O_RDONLY | flags);
	if (spool->lock_fd < 0)
		return -errno;
	if (flock(spool->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? SPOOL_E_LOCKED : -errno;
	return 0;
}

/* ---- cursors -------------------------------------------------------------------------------- */

static bool is_user(const struct spool *spool, const char *name)
{
	for (uint32_t i = 0; i < spool->user_cnt; i++)
		if (strcmp(spool->users[i].name, name) == 0)
			return true;
	return false;
}

static void close_folder(DIR **folder)
{
	if (*folder)
		closedir(*folder);
}

/* A sink that is no longer configured must not keep the spool full for ever. */
static void remove_strangers(struct spool *spool)
{
	static const char prefix[] = "cursor-";
	int fd = openat(spool->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(close_folder) DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!folder) {
		close_fdp(&fd);
		return;
	}
	while ((entry = readdir(folder)) != NULL) {
		const char *name = entry->d_name + strlen(prefix);

		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 || is_user(spool, name))
			continue;
		if (unlinkat(spool->dir_fd, entry->d_name, 0) == 0)
			log_warning("spool: there is no durable sink %s any more: what waited for "
				    "it alone will be removed",
				    name);
	}
}

/* Whether there was none; then its place is at the end. */
static int open_cursor(struct spool *spool, struct spool_user *user, bool *ret_is_new)
{
	int r = spool_cursor_open(&user->cursor, spool->dir_fd, user->name);

	*ret_is_new = r == SPOOL_CURSOR_E_NEW;
	if (r == SPOOL_CURSOR_E_DAMAGED) {
		log_warning("spool: the place of sink %s can't be read: it begins with the oldest "
			    "alert",
			    user->name);
		spool->stats.damaged++;
	}
	if (r < 0)
		return r;
	spool->next_number = MAX(spool->next_number, user->cursor.at.segment + 1);
	return 0;
}

static int open_cursors(struct spool *spool)
{
	const struct spool_segments *segments = &spool->segments;
	bool is_new[SINKS_MAX] = { false };

	spool->next_number = segments->cnt ? segments->list[segments->cnt - 1].number + 1 : 1;
	for (uint32_t i = 0; i < spool->user_cnt; i++) {
		int r = open_cursor(spool, &spool->users[i], &is_new[i]);

		if (r < 0)
			return r;
	}
	spool->first_own = spool->next_number;
	for (uint32_t i = 0; i < spool->user_cnt; i++) {
		struct spool_user *user = &spool->users[i];

		if (is_new[i])
			user->cursor.at = (struct spool_position){ spool->next_number, 0 };
		user->reader.at = user->cursor.at;
		if (!user->cursor.is_written)
			(void)spool_cursor_write(&user->cursor);
	}
	return 0;
}

/* ---- repair --------------------------------------------------------------------------------- */

static void tell_found(struct spool *spool, const struct spool_frame *frame,
		       struct spool_position start)
{
	for (uint32_t i = 0; i < spool->user_cnt; i++) {
		struct spool_position at = spool->users[i].cursor.at;

		if (start.segment > at.segment ||
		    (start.segment == at.segment && start.offset >= at.offset))
			spool->events.on_found(spool->events.data, i, frame);
	}
}

/* What is behind the last whole frame was being written when the daemon ended. */
static void cut_tail(struct spool *spool, struct spool_segment *segment, uint64_t end)
{
	_cleanup_(close_fdp) int fd =
		spool_segments_open(&spool->segments, segment->number, O_RDWR);

	log_warning("spool: %016" PRIx64 ".spool ends with %" PRIu64
		    " bytes of an alert that was being written: cut off",
		    segment->number, segment->bytes - end);
	if (fd >= 0)
		(void)!ftruncate(fd, (off_t)end);
	spool->segments.bytes -= segment->bytes - end;
	segment->bytes = end;
	spool->stats.torn++;
}

static void check_segment(struct spool *spool, struct spool_segment *segment)
{
	const struct spool_segments one = { .dir_fd = spool->dir_fd, .list = segment, .cnt = 1 };
	struct spool_position start, end = { segment->number, SPOOL_HEADER_BYTES };
	struct spool_reader reader;
	struct spool_frame frame;

	spool_reader_init(&reader);
	reader.at.segment = segment->number;
	while (spool_reader_next(&reader, &one, &frame, &start) == 0) {
		end = reader.at;
		tell_found(spool, &frame, start);
	}
	if (end.offset < segment->bytes && !reader.has_failed) {
		reader.damaged--; /* the tail is none */
		cut_tail(spool, segment, end.offset);
	}
	if (reader.damaged)
		log_warning("spool: %016" PRIx64 ".spool is damaged in %" PRIu64 " places%s",
			    segment->number, reader.damaged,
			    reader.has_failed ? " and can't be read to its end" : "");
	spool->stats.damaged += reader.damaged;
	spool_reader_done(&reader);
}

/* ---- open and free -------------------------------------------------------------------------- */

static void set_config(struct spool *spool, const struct spool_config *config)
{
	struct spool_config defaults;

	spool_config_default(&defaults);
	spool->config = *config;
	if (!config->dir)
		spool->config.dir = defaults.dir;
	if (!config->max_bytes)
		spool->config.max_bytes = defaults.max_bytes;
	if (!config->segment_bytes)
		spool->config.segment_bytes = defaults.segment_bytes;
	spool->config.max_bytes = MAX(spool->config.max_bytes, (uint64_t)MAX_BYTES_MIN);
	spool->config.segment_bytes =
		MIN(MAX(spool->config.segment_bytes, (uint64_t)SEGMENT_BYTES_MIN),
		    MIN(spool->config.max_bytes / 4, (uint64_t)SEGMENT_BYTES_MAX));
}

static int load(struct spool *spool)
{
	int r = spool->dir_fd = open_folder(spool->config.dir);

	if (r < 0)
		return r;
	r = lock_folder(spool);
	if (r != 0)
		return r;
	spool->segments.dir_fd = spool->dir_fd;
	r = spool_segments_load(&spool->segments);
	if (r != 0)
		return r;
	remove_strangers(spool);
	r = open_cursors(spool);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < spool->segments.cnt; i++)
		check_segment(spool, &spool->segments.list[i]);
	return 0;
}

int spool_open(const struct spool_config *config, const char *const *names, uint32_t name_cnt,
	       const struct spool_events *events, struct spool **ret)
{
	struct spool *spool = calloc(1, sizeof(*spool));
	int r;

	if (!spool)
		return -ENOMEM;
	spool->dir_fd = spool->lock_fd = spool->write_fd = -1;
	spool->events = *events;
	buf_init(&spool->batch, BATCH_MAX);
	set_config(spool, config);
	for (uint32_t i = 0; i < name_cnt; i++) {
		spool->users[i] = (struct spool_user){ .name = names[i], .cursor.fd = -1 };
		spool_reader_init(&spool->users[i].reader);
	}
	spool->user_cnt = name_cnt;
	r = load(spool);
	if (r != 0) {
		spool_free(spool);
		return r;
	}
	spool->is_loaded = true;
	*ret = spool;
	return 0;
}

struct spool *spool_free(struct spool *spool)
{
	if (!spool)
		return NULL;
	if (spool->is_loaded)
		spool_tick(spool, UINT64_MAX - NS_PER_SEC);
	for (uint32_t i = 0; i < spool->user_cnt; i++) {
		spool_reader_done(&spool->users[i].reader);
		spool_cursor_done(&spool->users[i].cursor);
	}
	spool_segments_done(&spool->segments);
	buf_done(&spool->batch);
	close_fdp(&spool->write_fd);
	close_fdp(&spool->lock_fd);
	close_fdp(&spool->dir_fd);
	free(spool);
	return NULL;
}
