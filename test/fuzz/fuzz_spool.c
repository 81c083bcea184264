/*
 * Recovery of a spool from arbitrary bytes: the first byte says how many of the others belong to
 * the cursor; the rest is a segment. Whatever they are, the spool opens, every frame that it finds
 * was whole, the users end, and what is written then is read back.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "haetae/log.h"
#include "spool.h"
#include "target.h"

static char dir[64];

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

static void put_file(const char *name, const uint8_t *data, size_t n)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	close(fd);
}

static void remove_all(void)
{
	DIR *folder = opendir(dir);
	struct dirent *entry;
	char path[512];

	check(folder != NULL);
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		(void)unlink(path);
	}
	closedir(folder);
	check(rmdir(dir) == 0);
}

static void on_frame(void *data, uint32_t user, const struct spool_frame *frame)
{
	uint64_t *found = data;

	found[user]++;
	check(frame->parts.priority < PRIORITY__COUNT && frame->parts.uuid.n <= 36);
}

/* What was found is read, and then the one that is written now. */
static void run(struct spool *spool, const uint64_t found[2])
{
	struct alert *alert = alert_restore(&(struct alert_parts){ .uuid = STR("new"),
								   .rule = STR("rule"),
								   .tags = STR(""),
								   .text = STR("text"),
								   .json = STR("{}") });
	struct spool_position start;
	struct spool_frame frame = { 0 };

	check(alert && spool_add(spool, alert, STR_NONE) && spool_write(spool) == 0);
	alert_free(alert);
	for (uint32_t user = 0; user < 2; user++) {
		uint64_t cnt = 0;

		while (spool_read(spool, user, &frame, &start) == 0)
			cnt++;
		check(cnt == found[user] + 1);
		check(str_eq_text(frame.parts.uuid, "new"));
		spool_commit(spool, user, spool_at(spool, user));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "one", "two" };
	static const uint8_t nothing[1];
	uint64_t found[2] = { 0 };
	const struct spool_events events = { on_frame, on_frame, found };
	struct spool_config config = { .fsync = SPOOL_FSYNC_NEVER };
	struct spool *spool = NULL;
	size_t cursor_n;
	int r;

	if (size == 0)
		data = nothing;
	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	cursor_n = size ? MIN((size_t)data[0] * 4, size - 1) : 0;
	strcpy(dir, "/dev/shm/haetae-fuzz-XXXXXX"); /* in memory, where there is that */
	if (!mkdtemp(dir)) {
		strcpy(dir, "/tmp/haetae-fuzz-XXXXXX");
		check(mkdtemp(dir) != NULL);
	}
	config.dir = dir;
	put_file("cursor-one", data + MIN(size, (size_t)1), cursor_n);
	put_file("0000000000000001.spool", data + MIN(size, 1 + cursor_n),
		 size - MIN(size, 1 + cursor_n));
	/* The second has read nothing. */
	put_file("cursor-two", (const uint8_t *)"\xff", 1);
	r = spool_open(&config, names, 2, &events, &spool);
	check(r == 0 || r == SPOOL_E_VERSION);
	if (r == 0)
		run(spool, found);
	spool_free(spool);
	remove_all();
	return 0;
}
