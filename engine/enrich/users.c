/*
 * Names of users and groups from passwd(5) and group(5): the host's, or a container's own. Owns
 * both files' text and an index sorted by id; field getters borrow names until the next look.
 * Engine thread.
 *
 * Reads the files itself, because getpwuid() would ask NSS modules and the network, and allocates.
 * What does not fit the format is passed over; what exceeds a limit is as if it were not there.
 */
#include "haetae/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#define USERS_FILE_MAX	  (4U << 20) /* of one file; a larger one keeps its first part */
#define USERS_ENTRIES_MAX 65536U     /* of one file; later ones are passed over */
#define USERS_LINE_MAX	  8192U	     /* a longer one is passed over */
#define USERS_PATH_MAX	  4096U
#define USERS_FIELDS	  7 /* passwd: name, password, uid, gid, gecos, home, shell */

struct entry {
	uint32_t id, line; /* the first of two with the same id counts, as getpwuid() has it */
	const char *name, *home, *shell; /* into the file's text; home and shell: passwd only */
};

struct file {
	char path[USERS_PATH_MAX]; /* "": texts in memory */
	struct stat seen;	   /* as it was when it was read; zero: not read yet */
	char *text;		   /* owned; fields end in NUL */
	struct entry *entries;	   /* owned; sorted by id */
	uint32_t entry_cnt;
};

struct users {
	_Atomic uint32_t refs; /* less one */
	struct file passwd, group;
};

static void file_done(struct file *file)
{
	free(file->text);
	free(file->entries);
	file->text = NULL;
	file->entries = NULL;
	file->entry_cnt = 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* A decimal below 2^32 - 1, which is no id but "unchanged" (setreuid(2)). */
static bool parse_id(const char *text, uint32_t *ret)
{
	uint64_t id = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9' && id < UINT32_MAX; p++)
		id = id * 10 + (uint64_t)(*p - '0');
	if (p == text || *p || id >= UINT32_MAX)
		return false;
	*ret = (uint32_t)id;
	return true;
}

/* Cuts the line at its colons; what is missing is empty. */
static void split(char *line, char *end, const char *fields[USERS_FIELDS])
{
	for (unsigned i = 0; i < USERS_FIELDS; i++) {
		char *colon = memchr(line, ':', (size_t)(end - line));

		fields[i] = line;
		if (i == USERS_FIELDS - 1 || !colon)
			colon = end;
		*colon = '\0';
		line = colon < end ? colon + 1 : end;
	}
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

static uint32_t count_lines(const char *text, size_t n)
{
	uint32_t cnt = 1;

	for (size_t i = 0; i < n; i++)
		cnt += text[i] == '\n';
	return cnt;
}

/* text has n bytes and room for a NUL. Lines of NIS ("+", "-") name nobody of this host. */
static void file_parse(struct file *file, char *text, size_t n, struct entry *entries,
		       uint32_t max_cnt)
{
	char *end = text + n, *line_end;
	const char *fields[USERS_FIELDS];
	uint32_t cnt = 0, line_cnt = 0, id;

	for (char *line = text; line < end && cnt < max_cnt; line = line_end + 1, line_cnt++) {
		line_end = memchr(line, '\n', (size_t)(end - line));
		if (!line_end)
			line_end = end;
		split(line, line_end, fields);
		if (line_end - line > USERS_LINE_MAX || !*fields[0] || *fields[0] == '+' ||
		    *fields[0] == '-' || !parse_id(fields[2], &id))
			continue;
		entries[cnt++] = (struct entry){ .id = id,
						 .line = line_cnt,
						 .name = fields[0],
						 .home = fields[5],
						 .shell = fields[6] };
	}
	qsort(entries, cnt, sizeof(*entries), compare_entries);
	file_done(file);
	file->text = text;
	file->entries = entries;
	file->entry_cnt = cnt;
}

static size_t read_text(int fd, char *text, size_t max)
{
	size_t n = 0;

	while (n < max) {
		ssize_t r = read(fd, text + n, max - n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		n += (size_t)r;
	}
	return n;
}

/* The length up to and with the last newline: half a line could name the wrong user. */
static size_t whole_lines(const char *text, size_t n)
{
	const char *newline = memrchr(text, '\n', n);

	return newline ? (size_t)(newline - text) + 1 : 0;
}

/* Reads the file where it differs from the one that was read; where it is gone for the moment, or
 * not a regular file, the old content stays. Whether it was read. */
static bool file_look(struct file *file)
{
	_cleanup_(close_fdp) int fd = -1;
	_cleanup_(freep) char *text = NULL;
	_cleanup_(freep) struct entry *entries = NULL;
	uint32_t max_cnt;
	struct stat now;
	size_t n;

	if (!*file->path || stat(file->path, &now) < 0 || is_same(&now, &file->seen))
		return false;
	fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &now) < 0 || !S_ISREG(now.st_mode))
		return false;
	text = malloc(USERS_FILE_MAX + 1);
	if (!text)
		return false;
	n = read_text(fd, text, USERS_FILE_MAX);
	if (n == USERS_FILE_MAX)
		n = whole_lines(text, n);
	max_cnt = MIN(count_lines(text, n), USERS_ENTRIES_MAX);
	entries = calloc(max_cnt, sizeof(*entries));
	if (!entries)
		return false;
	file->seen = now;
	file_parse(file, TAKE_PTR(text), n, TAKE_PTR(entries), max_cnt);
	return true;
}

static int file_from(struct file *file, struct str given)
{
	/* "a::0" and a newline: empty lines are none. */
	uint32_t max_cnt = MIN(count_lines(given.p, given.n), given.n / 5 + 1);
	_cleanup_(freep) char *text = malloc((size_t)given.n + 1);
	_cleanup_(freep) struct entry *entries = calloc(max_cnt, sizeof(*entries));

	if (!text || !entries)
		return -ENOMEM;
	if (given.n)
		memcpy(text, given.p, given.n);
	file_parse(file, TAKE_PTR(text), given.n, TAKE_PTR(entries),
		   MIN(max_cnt, USERS_ENTRIES_MAX));
	return 0;
}

bool users_look(struct users *users)
{
	bool is_news = file_look(&users->passwd);

	return file_look(&users->group) || is_news;
}

int users_new(const char *etc_root, struct users **ret)
{
	struct users *users = calloc(1, sizeof(*users));

	if (!users)
		return -ENOMEM;
	snprintf(users->passwd.path, sizeof(users->passwd.path), "%s/passwd", etc_root);
	snprintf(users->group.path, sizeof(users->group.path), "%s/group", etc_root);
	(void)users_look(users);
	*ret = users;
	return 0;
}

int users_new_from(struct str passwd, struct str group, struct users **ret)
{
	_cleanup_(users_freep) struct users *users = calloc(1, sizeof(*users));

	if (!users)
		return -ENOMEM;
	if (file_from(&users->passwd, passwd) < 0 || file_from(&users->group, group) < 0)
		return -ENOMEM;
	*ret = TAKE_PTR(users);
	return 0;
}

static void swap_content(struct file *a, struct file *b)
{
	struct file old = { .text = a->text, .entries = a->entries, .entry_cnt = a->entry_cnt };

	a->text = b->text;
	a->entries = b->entries;
	a->entry_cnt = b->entry_cnt;
	b->text = old.text;
	b->entries = old.entries;
	b->entry_cnt = old.entry_cnt;
}

int users_set(struct users *users, struct str passwd, struct str group)
{
	struct users *given;
	int r = users_new_from(passwd, group, &given);

	if (r < 0)
		return r;
	swap_content(&users->passwd, &given->passwd);
	swap_content(&users->group, &given->group);
	users_free(given);
	return 0;
}

/* By id: the first of two with the same is the one that find() has, too. */
static void put_file(const struct file *file, bool is_passwd, struct buf *out)
{
	for (uint32_t i = 0; i < file->entry_cnt; i++) {
		const struct entry *entry = &file->entries[i];

		if (i > 0 && entry->id == file->entries[i - 1].id)
			continue;
		/* Never longer than the line it came from, which was not too long. */
		buf_printf(out, "%s::%u", entry->name, entry->id);
		if (is_passwd && (*entry->home || *entry->shell))
			buf_printf(out, ":::%s:%s", entry->home, entry->shell);
		buf_putc(out, '\n');
	}
}

void users_put(const struct users *users, struct buf *passwd, struct buf *group)
{
	put_file(&users->passwd, true, passwd);
	put_file(&users->group, false, group);
}

struct users *users_ref(struct users *users)
{
	atomic_fetch_add_explicit(&users->refs, 1, memory_order_relaxed);
	return users;
}

struct users *users_free(struct users *users)
{
	if (!users || atomic_fetch_sub_explicit(&users->refs, 1, memory_order_acq_rel) > 0)
		return NULL;
	file_done(&users->passwd);
	file_done(&users->group);
	free(users);
	return NULL;
}

static const struct entry *find(const struct file *file, uint32_t id)
{
	uint32_t low = 0, high = file->entry_cnt;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (file->entries[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < file->entry_cnt && file->entries[low].id == id ? &file->entries[low] : NULL;
}

const char *users_name(struct users *users, uint32_t uid)
{
	const struct entry *entry;

	entry = find(&users->passwd, uid);
	return entry ? entry->name : NULL;
}

const char *users_group_name(struct users *users, uint32_t gid)
{
	const struct entry *entry;

	entry = find(&users->group, gid);
	return entry ? entry->name : NULL;
}

const char *users_home(struct users *users, uint32_t uid)
{
	const struct entry *entry;

	entry = find(&users->passwd, uid);
	return entry ? entry->home : NULL;
}

const char *users_shell(struct users *users, uint32_t uid)
{
	const struct entry *entry;

	entry = find(&users->passwd, uid);
	return entry ? entry->shell : NULL;
}
