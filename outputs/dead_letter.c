/*
 * Files of dead letters: dead-SINK.jsonl, one older as dead_old-SINK.jsonl, those to be retried as
 * retry-SINK.jsonl. Owns nothing between calls. The outputs thread and `haetae alerts`, each in its
 * process: whoever writes or renames a file holds its flock, for as long as that takes and no
 * longer, and looks whether the name still means the same file.
 */
#include "haetae/dead_letter.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "haetae/clock.h"
#include "haetae/text.h"

#include "spool_frame.h"

#define LINE_MAX_BYTES (48u << 20)
#define LOCK_TRIES     500 /* of 2 ms: the other side only renames or appends meanwhile */
#define OPEN_FLAGS     (O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

struct letter_name {
	char text[300];
};

static struct letter_name name_of(const char *prefix, const char *sink)
{
	struct letter_name name;

	snprintf(name.text, sizeof(name.text), "%s-%s.jsonl", prefix, sink);
	return name;
}

/* ---- locks ---------------------------------------------------------------------------------- */

static int lock(int fd)
{
	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		usleep(2000);
	}
	return -EBUSY;
}

/* A descriptor that is locked and that the name still means; close it to unlock. */
static int open_locked(int dir_fd, const char *name, int flags)
{
	for (;;) {
		int fd = openat(dir_fd, name, flags | OPEN_FLAGS, 0600), r;
		struct stat opened, named;

		if (fd < 0)
			return -errno;
		r = lock(fd);
		if (r == 0 && fstat(fd, &opened) < 0)
			r = -errno;
		if (r == 0 && !S_ISREG(opened.st_mode))
			r = -EINVAL;
		if (r == 0 && fstatat(dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
		    opened.st_ino == named.st_ino && opened.st_dev == named.st_dev)
			return fd;
		close(fd);
		if (r < 0)
			return r;
	}
}

/* Gives the file another name while nobody writes to it. 0, or -ENOENT. */
static int rename_locked(int dir_fd, const char *from, const char *to)
{
	_cleanup_(close_fdp) int fd = open_locked(dir_fd, from, O_RDWR);

	if (fd < 0)
		return fd;
	return renameat(dir_fd, from, dir_fd, to) < 0 ? -errno : 0;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* A whole line or none; half a line of a crash gets its end first. */
static int append_line(int fd, struct str line)
{
	off_t size = lseek(fd, 0, SEEK_END);
	_cleanup_(buf_done) struct buf whole;
	char last = '\n';
	ssize_t n;

	buf_init(&whole, LINE_MAX_BYTES);
	if (size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n')
		buf_putc(&whole, '\n');
	buf_put_str(&whole, line);
	buf_putc(&whole, '\n');
	if (whole.failed)
		return -ENOMEM;
	errno = 0;
	n = write(fd, whole.p, whole.n);
	if (n == (ssize_t)whole.n)
		return 0;
	n = errno ? -errno : -ENOSPC;
	(void)!ftruncate(fd, size);
	return (int)n;
}

static int append_to(int dir_fd, const char *name, struct str line)
{
	_cleanup_(close_fdp) int fd = open_locked(dir_fd, name, O_RDWR | O_CREAT | O_APPEND);

	return fd < 0 ? fd : append_line(fd, line);
}

static void put_tags(struct str tags, struct buf *out)
{
	const char *at = tags.p, *end = at + tags.n;

	while (at < end) {
		uint32_t n = (uint32_t)strnlen(at, (size_t)(end - at));

		if (at != tags.p)
			buf_putc(out, ',');
		text_put_json_string(out, (struct str){ at, n });
		at += n + 1;
	}
}

/* The alert comes last: as it is, so that a retry sends the same bytes. */
static void put_letter(const char *sink, const struct alert *alert, uint32_t attempts,
		       const char *reason, struct buf *out)
{
	buf_puts(out, "{\"time\":\"");
	clock_put_rfc3339(out, clock_boot_ns() + (uint64_t)clock_wall_offset_ns());
	buf_puts(out, "\",\"sink\":");
	text_put_json_string(out, str_from(sink));
	buf_puts(out, ",\"reason\":");
	text_put_json_string(out, str_from(reason));
	buf_printf(out, ",\"attempts\":%u,\"uuid\":\"%s\",\"rule\":", attempts, alert->uuid);
	text_put_json_string(out, alert->rule);
	buf_printf(out, ",\"priority\":\"%s\",\"wall_ns\":%llu,\"tags\":[",
		   priority_name(alert->priority), (unsigned long long)alert->wall_ns);
	put_tags(alert->tags, out);
	buf_puts(out, "],\"text\":");
	text_put_json_string(out, alert->text);
	buf_puts(out, ",\"alert\":");
	buf_put_str(out, alert->json);
	buf_putc(out, '}');
}

static uint64_t count_lines(int dir_fd, const char *name)
{
	_cleanup_(close_fdp) int fd = openat(dir_fd, name, O_RDONLY | OPEN_FLAGS);
	uint64_t cnt = 0;
	char bytes[16384];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < n; i++)
			cnt += bytes[i] == '\n';
	return cnt;
}

int dead_letters_append(int dir_fd, const char *sink, const struct alert *alert, uint32_t attempts,
			const char *reason, uint64_t *ret_lost)
{
	struct letter_name name = name_of("dead", sink), old = name_of("dead_old", sink);
	_cleanup_(buf_done) struct buf line;
	struct stat status;

	*ret_lost = 0;
	buf_init(&line, LINE_MAX_BYTES);
	put_letter(sink, alert, attempts, reason, &line);
	if (line.failed)
		return -ENOMEM;
	if (fstatat(dir_fd, name.text, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (uint64_t)status.st_size + line.n > DEAD_LETTERS_BYTES_MAX) {
		*ret_lost = count_lines(dir_fd, old.text);
		(void)rename_locked(dir_fd, name.text, old.text);
	}
	return append_to(dir_fd, name.text, buf_str(&line));
}

/* ---- reading -------------------------------------------------------------------------------- */

struct letter_values {
	struct json_object *object; /* owned */
	struct buf tags;
};

static void letter_values_done(struct letter_values *values)
{
	json_object_put(values->object);
	buf_done(&values->tags);
}

static struct str text_of(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value) ||
	    json_object_get_type(value) != json_type_string)
		return STR("");
	return (struct str){ json_object_get_string(value),
			     (uint32_t)json_object_get_string_len(value) };
}

static int64_t number_of(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_int64(value) : 0;
}

static bool read_priority(struct json_object *object, enum priority *ret)
{
	for (unsigned i = 0; i < PRIORITY__COUNT; i++) {
		if (!str_eq_text(text_of(object, "priority"), priority_name((enum priority)i)))
			continue;
		*ret = (enum priority)i;
		return true;
	}
	return false;
}

static void read_tags(struct json_object *object, struct buf *out)
{
	struct json_object *tags = NULL;

	if (!json_object_object_get_ex(object, "tags", &tags) ||
	    json_object_get_type(tags) != json_type_array)
		return;
	for (size_t i = 0; i < json_object_array_length(tags); i++) {
		struct json_object *tag = json_object_array_get_idx(tags, i);

		if (!json_object_is_type(tag, json_type_string))
			continue;
		buf_puts(out, json_object_get_string(tag));
		buf_putc(out, '\0');
	}
}

/* Everything before the alert is ours, with each quote inside a string escaped: the first match is
 * the key. */
static bool parse(struct str line, struct letter_values *values, struct dead_letter *ret)
{
	static const char key[] = ",\"alert\":";
	const char *alert = memmem(line.p, line.n, key, strlen(key));
	struct json_tokener *tokener;
	_cleanup_(buf_done) struct buf head = { 0 };
	uint32_t head_n;

	if (!alert || line.p[line.n - 1] != '}')
		return false;
	head_n = (uint32_t)(alert - line.p);
	buf_init(&head, LINE_MAX_BYTES);
	buf_put(&head, line.p, head_n);
	buf_putc(&head, '}');
	tokener = json_tokener_new();
	if (!tokener || head.failed || head.n > INT32_MAX) {
		if (tokener)
			json_tokener_free(tokener);
		return false;
	}
	values->object = json_tokener_parse_ex(tokener, head.p, (int)head.n);
	json_tokener_free(tokener);
	*ret = (struct dead_letter){ .line = line };
	if (json_object_get_type(values->object) != json_type_object ||
	    !read_priority(values->object, &ret->parts.priority))
		return false;
	buf_init(&values->tags, 1u << 20);
	read_tags(values->object, &values->tags);
	ret->time = text_of(values->object, "time").p;
	ret->reason = text_of(values->object, "reason").p;
	ret->attempts = (uint32_t)number_of(values->object, "attempts");
	ret->parts.wall_ns = (uint64_t)number_of(values->object, "wall_ns");
	ret->parts.uuid = text_of(values->object, "uuid");
	if (!spool_is_uuid(ret->parts.uuid))
		return false;
	ret->parts.rule = text_of(values->object, "rule");
	ret->parts.tags = buf_str(&values->tags);
	ret->parts.text = text_of(values->object, "text");
	ret->parts.json =
		(struct str){ alert + strlen(key), line.n - head_n - (uint32_t)strlen(key) - 1 };
	return true;
}

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* What is no letter: a line that a crash cut, or that somebody else wrote. */
typedef void bad_line_fn(struct str line, void *data);

/* Calls fn for the letters of one file; a file that is not there has none. Other lines go to on_bad
 * where there is one, and are counted. 1: fn returned false. */
static int each_of_file(int dir_fd, const char *name, dead_letter_fn *fn, bad_line_fn *on_bad,
			void *data, uint64_t *skipped)
{
	int fd = openat(dir_fd, name, O_RDONLY | OPEN_FLAGS);
	_cleanup_(close_file) FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	_cleanup_(freep) char *line = NULL;
	size_t capacity = 0;
	ssize_t n;

	if (!file) {
		int r = errno == ENOENT ? 0 : -errno;

		close_fdp(&fd);
		return r;
	}
	while ((n = getline(&line, &capacity, file)) > 0) {
		struct letter_values values = { 0 };
		struct dead_letter letter;
		bool want_more = true;

		n -= line[n - 1] == '\n';
		if (n == 0)
			continue;
		if ((size_t)n <= LINE_MAX_BYTES &&
		    parse((struct str){ line, (uint32_t)n }, &values, &letter))
			want_more = fn(&letter, data);
		else if (++*skipped && on_bad)
			on_bad((struct str){ line, (uint32_t)MIN(n, LINE_MAX_BYTES) }, data);
		letter_values_done(&values);
		if (!want_more)
			return 1;
	}
	return 0;
}

int dead_letters_each(int dir_fd, const char *sink, dead_letter_fn *fn, void *data,
		      uint64_t *ret_skipped)
{
	/* What a command that was killed had taken is still there. */
	static const char *const prefixes[] = { "dead_work", "dead_old", "dead" };
	int r = 0;

	*ret_skipped = 0;
	for (size_t i = 0; i < ARRAY_LEN(prefixes) && r == 0; i++)
		r = each_of_file(dir_fd, name_of(prefixes[i], sink).text, fn, NULL, data,
				 ret_skipped);
	return MIN(r, 0);
}

/* ---- moving --------------------------------------------------------------------------------- */

struct move {
	int dir_fd;
	const char *sink;
	dead_letter_fn *fn;
	void *data;
	bool is_retry;
	uint64_t cnt;
	int error;
};

static bool move_one(const struct dead_letter *letter, void *data)
{
	struct move *move = data;
	bool is_chosen = move->fn(letter, move->data);
	const char *prefix = is_chosen ? "retry" : "dead";

	if (!is_chosen || move->is_retry)
		move->error =
			append_to(move->dir_fd, name_of(prefix, move->sink).text, letter->line);
	move->cnt += is_chosen;
	return move->error == 0;
}

/* It stays where somebody may look at it, unless all are to go. */
static void keep_bad(struct str line, void *data)
{
	struct move *move = data;
	int r = 0;

	if (move->is_retry || !move->fn(NULL, move->data))
		r = append_to(move->dir_fd, name_of("dead", move->sink).text, line);
	move->error = move->error < 0 ? move->error : r;
}

/* A file is taken away by renaming it, so that the daemon appends to a new one meanwhile. Killed in
 * the middle, letters are repeated, not lost. */
static int move_file(struct move *move, const char *prefix)
{
	struct letter_name work = name_of("dead_work", move->sink);
	uint64_t skipped = 0;
	int r;

	if (prefix) {
		r = rename_locked(move->dir_fd, name_of(prefix, move->sink).text, work.text);
		if (r < 0)
			return r == -ENOENT ? 0 : r;
	}
	r = each_of_file(move->dir_fd, work.text, move_one, keep_bad, move, &skipped);
	if (r < 0 || move->error < 0)
		return move->error < 0 ? move->error : r;
	if (unlinkat(move->dir_fd, work.text, 0) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

static int move_letters(struct move *move, uint64_t *ret_cnt)
{
	/* One command at a time. */
	_cleanup_(close_fdp) int fd = open_locked(move->dir_fd, "alerts.lock", O_RDWR | O_CREAT);
	int r = fd < 0 ? fd : 0;

	if (r == 0)
		r = move_file(move, NULL);
	if (r == 0)
		r = move_file(move, "dead_old");
	if (r == 0)
		r = move_file(move, "dead");
	*ret_cnt = move->cnt;
	return r;
}

int dead_letters_retry(int dir_fd, const char *sink, dead_letter_fn *fn, void *data,
		       uint64_t *ret_cnt)
{
	struct move move = { dir_fd, sink, fn, data, .is_retry = true };

	return move_letters(&move, ret_cnt);
}

int dead_letters_drop(int dir_fd, const char *sink, dead_letter_fn *fn, void *data,
		      uint64_t *ret_cnt)
{
	struct move move = { dir_fd, sink, fn, data, .is_retry = false };

	return move_letters(&move, ret_cnt);
}

/* ---- which sinks ---------------------------------------------------------------------------- */

static void close_folder(DIR **folder)
{
	if (*folder)
		closedir(*folder);
}

/* The sink of a file's name; false where it is no file of dead letters. */
static bool sink_of(const char *name, char ret[256])
{
	static const char *const prefixes[] = { "dead-", "dead_old-", "dead_work-" };
	static const char suffix[] = ".jsonl";
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t prefix_n = strlen(prefixes[i]);

		if (n > prefix_n + strlen(suffix) && strncmp(name, prefixes[i], prefix_n) == 0 &&
		    strcmp(name + n - strlen(suffix), suffix) == 0) {
			snprintf(ret, 256, "%.*s", (int)(n - prefix_n - strlen(suffix)),
				 name + prefix_n);
			return true;
		}
	}
	return false;
}

static bool exists(int dir_fd, const char *name)
{
	struct stat status;

	return fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Of a sink's files the first in this order tells it. */
static bool is_first_file(int dir_fd, const char *name, const char *sink)
{
	if (strcmp(name, name_of("dead", sink).text) == 0)
		return true;
	if (exists(dir_fd, name_of("dead", sink).text))
		return false;
	return strcmp(name, name_of("dead_old", sink).text) == 0 ||
	       !exists(dir_fd, name_of("dead_old", sink).text);
}

int dead_letters_sinks(int dir_fd, bool (*fn)(const char *sink, void *data), void *data)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(close_folder) DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	char sink[256];

	if (!folder) {
		int r = -errno;

		close_fdp(&fd);
		return r;
	}
	while ((entry = readdir(folder)) != NULL)
		if (sink_of(entry->d_name, sink) && is_first_file(dir_fd, entry->d_name, sink) &&
		    !fn(sink, data))
			break;
	return 0;
}

/* ---- the daemon's side ---------------------------------------------------------------------- */

bool dead_letters_have_retries(int dir_fd, const char *sink)
{
	return exists(dir_fd, name_of("retry", sink).text) ||
	       exists(dir_fd, name_of("retry_taken", sink).text);
}

int dead_letters_take_retries(int dir_fd, const char *sink, dead_letter_fn *fn, void *data,
			      uint64_t *ret_skipped)
{
	struct letter_name taken = name_of("retry_taken", sink);
	int r;

	*ret_skipped = 0;
	if (!exists(dir_fd, taken.text)) {
		r = rename_locked(dir_fd, name_of("retry", sink).text, taken.text);
		if (r < 0)
			return r;
	}
	r = each_of_file(dir_fd, taken.text, fn, NULL, data, ret_skipped);
	return r > 0 ? -EAGAIN : r;
}

void dead_letters_end_retries(int dir_fd, const char *sink)
{
	(void)unlinkat(dir_fd, name_of("retry_taken", sink).text, 0);
}
