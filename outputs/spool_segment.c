/*
 * Segment files of the spool: their names, their list, their headers. Owns the list; descriptors
 * are the callers'. Outputs thread.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "haetae/log.h"

#include "spool_private.h"

#define NAME_BYTES 32

static void put_name(uint64_t number, char ret[NAME_BYTES])
{
	snprintf(ret, NAME_BYTES, "%016" PRIx64 ".spool", number);
}

static bool parse_name(const char *name, uint64_t *ret)
{
	char again[NAME_BYTES];

	if (sscanf(name, "%16" SCNx64, ret) != 1 || *ret == 0 || *ret > SPOOL_NUMBER_MAX)
		return false;
	put_name(*ret, again);
	return strcmp(name, again) == 0;
}

int spool_segments_open(const struct spool_segments *segments, uint64_t number, int flags)
{
	char name[NAME_BYTES];
	int fd;

	put_name(number, name);
	fd = openat(segments->dir_fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static int append(struct spool_segments *segments, uint64_t number, uint64_t bytes)
{
	if (segments->cnt == segments->capacity) {
		uint32_t capacity = MAX(segments->capacity * 2, 64u);
		struct spool_segment *list = reallocarray(segments->list, capacity, sizeof(*list));

		if (!list)
			return -ENOMEM;
		segments->list = list;
		segments->capacity = capacity;
	}
	segments->list[segments->cnt++] = (struct spool_segment){ number, bytes };
	segments->bytes += bytes;
	return 0;
}

static void remove_file(const struct spool_segments *segments, uint64_t number)
{
	char name[NAME_BYTES];

	put_name(number, name);
	if (unlinkat(segments->dir_fd, name, 0) < 0)
		log_warning("spool: removing %s: %s", name, strerror(errno));
}

/* A file without a whole header was being made when its daemon ended. */
static int load_one(struct spool_segments *segments, uint64_t number)
{
	_cleanup_(close_fdp) int fd = spool_segments_open(segments, number, O_RDONLY);
	uint8_t header[SPOOL_HEADER_BYTES];
	struct stat status;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return 0;
	if (status.st_size < SPOOL_HEADER_BYTES) {
		remove_file(segments, number);
		return 0;
	}
	if (pread(fd, header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return -EIO;
	if (spool_header_check(header, sizeof(header), number) == SPOOL_HEADER_E_VERSION) {
		log_error("spool: %016" PRIx64 ".spool was written by another version of haetae",
			  number);
		return SPOOL_E_VERSION;
	}
	/* With a header that is damaged otherwise, its frames are looked for as in other damage. */
	return append(segments, number, (uint64_t)status.st_size);
}

static int compare(const void *a, const void *b)
{
	const struct spool_segment *one = a, *other = b;

	return (one->number > other->number) - (one->number < other->number);
}

static void close_folder(DIR **folder)
{
	if (*folder)
		closedir(*folder);
}

int spool_segments_load(struct spool_segments *segments)
{
	int fd = openat(segments->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(close_folder) DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!folder) {
		r = -errno;
		close_fdp(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(folder)) != NULL) {
		uint64_t number;

		if (parse_name(entry->d_name, &number))
			r = load_one(segments, number);
	}
	if (segments->cnt)
		qsort(segments->list, segments->cnt, sizeof(*segments->list), compare);
	return r;
}

void spool_segments_done(struct spool_segments *segments)
{
	free(segments->list);
	segments->list = NULL;
	segments->cnt = segments->capacity = 0;
}

int spool_segments_create(struct spool_segments *segments, uint64_t number)
{
	int fd = spool_segments_open(segments, number, O_RDWR | O_CREAT | O_EXCL);
	uint8_t header[SPOOL_HEADER_BYTES];
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return fd;
	spool_header_make(number, header);
	n = pwrite(fd, header, sizeof(header), 0);
	if (n != (ssize_t)sizeof(header))
		r = n < 0 ? -errno : -ENOSPC;
	if (r == 0)
		r = append(segments, number, sizeof(header));
	if (r == 0)
		return fd;
	close(fd);
	remove_file(segments, number);
	return r;
}

void spool_segments_drop_first(struct spool_segments *segments)
{
	remove_file(segments, segments->list[0].number);
	segments->bytes -= segments->list[0].bytes;
	segments->cnt--;
	memmove(segments->list, segments->list + 1, segments->cnt * sizeof(*segments->list));
}

struct spool_segment *spool_segments_find(const struct spool_segments *segments, uint64_t number)
{
	uint32_t low = 0, high = segments->cnt;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (segments->list[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < segments->cnt ? &segments->list[low] : NULL;
}
