/*
 * open, openat, openat2, creat, each way to succeed and to fail, hostile paths among them: every
 * parameter against what fstat, readlink on /proc/self/fd and the caller's own arguments say.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "live.h"

#define PATH_BYTES 5000

/* Parameter numbers by event; -1: the event has none. */
struct open_params {
	enum event_type type;
	int nr;
	int fd, dirfd, name, flags, mode, resolve, dev, ino, bits, file_mode, path, dirpath;
};

#define PARAMS(ID, call, dirfd, flags, resolve, bits)                                         \
	{                                                                                     \
		EVENT_##ID, call, PARAM_##ID##_fd, dirfd, PARAM_##ID##_name, flags,           \
			PARAM_##ID##_mode, resolve, PARAM_##ID##_dev, PARAM_##ID##_ino, bits, \
			PARAM_##ID##_file_mode, PARAM_##ID##_path, PARAM_##ID##_dirpath       \
	}
static const struct open_params calls_params[] = {
#ifdef SYS_open
	PARAMS(OPEN, SYS_open, -1, PARAM_OPEN_flags, -1, PARAM_OPEN_file_bits),
	PARAMS(CREAT, SYS_creat, -1, -1, -1, PARAM_CREAT_creat_flags),
#endif
	PARAMS(OPENAT, SYS_openat, PARAM_OPENAT_dirfd, PARAM_OPENAT_flags, -1,
	       PARAM_OPENAT_file_bits),
	PARAMS(OPENAT2, SYS_openat2, PARAM_OPENAT2_dirfd, PARAM_OPENAT2_flags,
	       PARAM_OPENAT2_resolve, PARAM_OPENAT2_file_bits),
};

static const char *const open_calls[] = { "open", "creat", "openat", "openat2", NULL };

enum base {
	BASE_CWD,    /* AT_FDCWD, or a call without a directory */
	BASE_SUB,    /* a descriptor of the directory "sub" */
	BASE_FILE,   /* a descriptor of a file */
	BASE_CLOSED, /* none */
};

enum text {
	TEXT_AS_IS,
	TEXT_ABSOLUTE, /* the working directory before it */
	TEXT_OWN_FD,   /* /proc/self/fd/N of the descriptor in `other` */
	TEXT_LONGEST,  /* 4095 bytes: "./././…/file" */
	TEXT_TOO_LONG, /* 4096 bytes */
	TEXT_BAD,      /* no address at all */
};

enum other {
	OTHER_NONE,
	OTHER_PIPE,
	OTHER_SOCKET,
	OTHER_MEMFD,
	OTHER_DELETED,
};

struct open_case {
	const char *name;
	long nr;
	enum base base;
	enum text text;
	const char *path;
	uint64_t flags;
	uint32_t mode;
	uint64_t resolve;
	enum other other;
	int error;	  /* expected errno; 0: success */
	uint32_t bits;	  /* of WIRE_FILE_CREATED and WIRE_FILE_MEMFD */
	size_t how_bytes; /* openat2's size argument, where it isn't the struct's */
};

/* clang-format off */
static const struct open_case cases[] = {
	{ "openat: a file", SYS_openat, .path = "file" },
	{ "openat: absolute", SYS_openat, .text = TEXT_ABSOLUTE, .path = "file" },
	{ "openat: through a directory", SYS_openat, BASE_SUB, .path = "inner", .flags = O_RDWR },
	{ "openat: above a directory", SYS_openat, BASE_SUB, .path = ".././sub//../file" },
	{ "openat: absolute beside a directory", SYS_openat, BASE_SUB, TEXT_ABSOLUTE, "file" },
	{ "openat: absolute beside no directory", SYS_openat, BASE_CLOSED, TEXT_ABSOLUTE, "file" },
	{ "openat: no directory", SYS_openat, BASE_CLOSED, .path = "file", .error = EBADF },
	{ "openat: a file as directory", SYS_openat, BASE_FILE, .path = "file", .error = ENOTDIR },
	{ "openat: a symlink in the path", SYS_openat, .path = "link/inner" },
	{ "openat: a symlink not followed", SYS_openat, .path = "loop", .flags = O_NOFOLLOW, .error = ELOOP },
	{ "openat: a symlink itself", SYS_openat, .path = "loop", .flags = O_NOFOLLOW | O_PATH },
	{ "openat: none", SYS_openat, .path = "none", .mode = 0777, .error = ENOENT },
	{ "openat: the empty name", SYS_openat, .path = "", .error = ENOENT },
	{ "openat: a directory", SYS_openat, .path = "sub", .flags = O_DIRECTORY | O_CLOEXEC },
	{ "openat: a directory for writing", SYS_openat, .path = "sub", .flags = O_WRONLY, .error = EISDIR },
	{ "openat: made", SYS_openat, .path = "made", .flags = O_CREAT | O_EXCL | O_WRONLY, .mode = 0640, .bits = WIRE_FILE_CREATED },
	{ "openat: there already", SYS_openat, .path = "made", .flags = O_CREAT | O_EXCL, .mode = 0640, .error = EEXIST },
	{ "openat: not made", SYS_openat, .path = "made", .flags = O_CREAT | O_RDWR | O_TRUNC, .mode = 04711 },
	{ "openat: without a name", SYS_openat, .path = "sub", .flags = O_TMPFILE | O_RDWR, .mode = 0600 },
	{ "openat: setuid", SYS_openat, .path = "setuid", .flags = O_PATH },
	{ "openat: setgid", SYS_openat, .path = "setgid" },
	{ "openat: setgid without x", SYS_openat, .path = "setgid-no-x" },
	{ "openat: read-only flags", SYS_openat, .path = "file", .flags = O_APPEND | O_WRONLY | O_NONBLOCK | O_SYNC },
	{ "openat: a name with a new line", SYS_openat, .path = "new\nline" },
	{ "openat: a name that is no UTF-8", SYS_openat, .path = "bad\xff\xfe\x80" },
	{ "openat: a name of control characters", SYS_openat, .path = "\x01\x1b[31m\x7f" },
	{ "openat: the longest path", SYS_openat, .text = TEXT_LONGEST, .path = "file" },
	{ "openat: a longer path", SYS_openat, .text = TEXT_TOO_LONG, .path = "file", .error = ENAMETOOLONG },
	{ "openat: no memory", SYS_openat, .text = TEXT_BAD, .path = "", .error = EFAULT },
	{ "openat: a pipe", SYS_openat, .text = TEXT_OWN_FD, .path = "", .other = OTHER_PIPE, .flags = O_NONBLOCK },
	{ "openat: a socket", SYS_openat, .text = TEXT_OWN_FD, .path = "", .other = OTHER_SOCKET, .error = ENXIO },
	{ "openat: a memfd", SYS_openat, .text = TEXT_OWN_FD, .path = "", .other = OTHER_MEMFD, .bits = WIRE_FILE_MEMFD },
	{ "openat: a deleted file", SYS_openat, .text = TEXT_OWN_FD, .path = "", .other = OTHER_DELETED },
	{ "openat: a namespace", SYS_openat, .path = "/proc/self/ns/mnt" },
	{ "openat: a device", SYS_openat, .path = "/dev/null", .flags = O_RDWR },
	{ "openat: the root", SYS_openat, .path = "/", .flags = O_DIRECTORY },
	{ "openat2: a file", SYS_openat2, .path = "file" },
	{ "openat2: made", SYS_openat2, .path = "made2", .flags = O_CREAT | O_WRONLY, .mode = 0606, .bits = WIRE_FILE_CREATED },
	{ "openat2: no symlinks", SYS_openat2, .path = "link/inner", .resolve = RESOLVE_NO_SYMLINKS, .error = ELOOP },
	{ "openat2: beneath", SYS_openat2, BASE_SUB, .path = "../file", .resolve = RESOLVE_BENEATH, .error = EXDEV },
	{ "openat2: in root", SYS_openat2, BASE_SUB, .path = "/inner", .resolve = RESOLVE_IN_ROOT },
	{ "openat2: a mode without O_CREAT", SYS_openat2, .path = "file", .mode = 0600, .error = EINVAL },
	{ "openat2: unknown flags", SYS_openat2, .path = "file", .flags = 1ULL << 62, .error = EINVAL },
	{ "openat2: too small a struct", SYS_openat2, .path = "file", .how_bytes = 8, .error = EINVAL },
#ifdef SYS_open
	{ "open: a file", SYS_open, .path = "file", .flags = O_RDWR },
	{ "open: absolute", SYS_open, .text = TEXT_ABSOLUTE, .path = "./sub/../file" },
	{ "open: made", SYS_open, .path = "made3", .flags = O_CREAT | O_RDONLY, .mode = 0777, .bits = WIRE_FILE_CREATED },
	{ "open: a mode that does not count", SYS_open, .path = "file", .mode = 0777 },
	{ "open: none", SYS_open, .path = "sub/none", .error = ENOENT },
	{ "open: no memory", SYS_open, .text = TEXT_BAD, .path = "", .error = EFAULT },
	{ "creat: made", SYS_creat, .path = "made4", .mode = 0604, .bits = WIRE_FILE_CREATED },
	{ "creat: emptied", SYS_creat, .text = TEXT_ABSOLUTE, .path = "made4", .mode = 0777 },
	{ "creat: no directory", SYS_creat, .path = "none/file", .mode = 0600, .error = ENOENT },
	{ "creat: a directory", SYS_creat, .path = "sub", .mode = 0600, .error = EISDIR },
#endif
};
/* clang-format on */

struct open_note {
	int64_t result;
	int32_t dirfd;
	char passed[PATH_BYTES];
	char link[PATH_BYTES]; /* what /proc/self/fd says */
	struct stat info;
	bool is_overlay;
};

struct open_notes {
	struct facts facts;
	char cwd[256], sub[300], file[300];
	struct open_note rows[ARRAY_LEN(cases)];
};

static void make_file(const char *name, mode_t mode)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_EXCL, 0600);

	ACTOR_CHECK(fd >= 0);
	ACTOR_CHECK(fchmod(fd, mode) == 0);
	close(fd);
}

static void open_prepare(void *data)
{
	struct open_notes *notes = data;

	umask(0);
	facts_read(&notes->facts);
	ACTOR_CHECK(getcwd(notes->cwd, sizeof(notes->cwd)));
	snprintf(notes->sub, sizeof(notes->sub), "%s/sub", notes->cwd);
	snprintf(notes->file, sizeof(notes->file), "%s/file", notes->cwd);
	ACTOR_CHECK(mkdir("sub", 0755) == 0);
	ACTOR_CHECK(symlink("sub", "link") == 0 && symlink("loop", "loop") == 0);
	make_file("file", 0640);
	make_file("sub/inner", 0600);
	make_file("setuid", 04755);
	make_file("setgid", 02755);
	make_file("setgid-no-x", 02644);
	make_file("new\nline", 0644);
	make_file("bad\xff\xfe\x80", 0644);
	make_file("\x01\x1b[31m\x7f", 0644);
}

static int make_other(enum other other)
{
	int fds[2];

	switch (other) {
	case OTHER_NONE:
		return -1;
	case OTHER_PIPE:
		ACTOR_CHECK(pipe(fds) == 0);
		return fds[0];
	case OTHER_SOCKET:
		return (int)syscall(SYS_socket, 1, 1, 0);
	case OTHER_MEMFD:
		return memfd_create("haetae live", 0);
	case OTHER_DELETED:
		make_file("deleted", 0600);
		fds[0] = open("deleted", O_RDONLY);
		ACTOR_CHECK(unlink("deleted") == 0);
		return fds[0];
	}
	return -1;
}

static void put_text(const struct open_case *row, const char *cwd, int other, char *out)
{
	size_t target = row->text == TEXT_LONGEST ? 4095 : 4096, n = strlen(row->path), at = 0;

	switch (row->text) {
	case TEXT_AS_IS:
	case TEXT_BAD:
		snprintf(out, PATH_BYTES, "%s", row->path);
		return;
	case TEXT_ABSOLUTE:
		snprintf(out, PATH_BYTES, "%s/%s", cwd, row->path);
		return;
	case TEXT_OWN_FD:
		snprintf(out, PATH_BYTES, "/proc/self/fd/%d", other);
		return;
	case TEXT_LONGEST:
	case TEXT_TOO_LONG:
		if ((target - n) % 2)
			out[at++] = '.'; /* "../" would leave; ".//" is one more byte */
		if (at)
			out[at++] = '/', out[at++] = '/';
		while (at < target - n) {
			out[at++] = '.';
			out[at++] = '/';
		}
		strcpy(out + at, row->path);
	}
}

static long make_call(const struct open_case *row, const char *path, int dirfd)
{
	struct open_how how = { row->flags, row->mode, row->resolve };
	size_t how_bytes = row->how_bytes ? row->how_bytes : sizeof(how);

	if (row->nr == SYS_openat2)
		return syscall(SYS_openat2, dirfd, path, &how, how_bytes);
	if (row->nr == SYS_openat)
		return syscall(SYS_openat, dirfd, path, row->flags, row->mode);
#ifdef SYS_open
	if (row->nr == SYS_creat)
		return syscall(SYS_creat, path, row->mode);
#endif
	return syscall(row->nr, path, row->flags, row->mode);
}

static void note_opened(struct open_note *note, int fd)
{
	char name[64];
	struct statfs info;
	ssize_t n;

	ACTOR_CHECK(fstat(fd, &note->info) == 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, note->link, sizeof(note->link) - 1);
	ACTOR_CHECK(n > 0);
	note->link[n] = '\0';
	note->is_overlay = fstatfs(fd, &info) == 0 && info.f_type == 0x794c7630;
	close(fd);
}

static void open_act(void *data)
{
	struct open_notes *notes = data;
	int sub = open("sub", O_PATH), file = open("file", O_RDONLY);

	ACTOR_CHECK(sub >= 0 && file >= 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct open_case *row = &cases[i];
		struct open_note *note = &notes->rows[i];
		int other = make_other(row->other);
		const int bases[] = { AT_FDCWD, sub, file, 999 };

		put_text(row, notes->cwd, other, note->passed);
		note->dirfd = bases[row->base];
		live_mark(i);
		note->result = make_call(row, row->text == TEXT_BAD ? (char *)8 : note->passed,
					 note->dirfd);
		if (note->result < 0)
			note->result = -errno;
		live_mark(LIVE_NO_MARK);
		if (note->result >= 0)
			note_opened(note, (int)note->result);
		if (other >= 0)
			close(other);
	}
}

static const struct open_params *params_of(long nr)
{
	for (size_t i = 0; i < ARRAY_LEN(calls_params); i++)
		if (calls_params[i].nr == nr)
			return &calls_params[i];
	return NULL;
}

static uint64_t expected_bits(const struct open_case *row, const struct open_note *note)
{
	uint32_t bits = row->bits | WIRE_FILE_WRITABLE; /* root may */

	if (note->info.st_mode & S_ISUID)
		bits |= WIRE_FILE_SETUID;
	if ((note->info.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		bits |= WIRE_FILE_SETGID;
	if (note->info.st_nlink == 0)
		bits |= WIRE_FILE_UNLINKED;
	return bits;
}

static void check_opened(const struct event *event, const struct open_params *params,
			 const struct open_case *row, const struct open_note *note)
{
	const struct stat *info = &note->info;

	/* /proc says "/memfd:… (deleted)"; event.h promises "memfd:…". */
	expect_proc_path(event, (unsigned)params->path, params->ino,
			 row->other == OTHER_MEMFD ? "memfd:haetae live" : note->link, row->name);
	expect_number(event, (unsigned)params->file_mode, info->st_mode, row->name);
	if (note->is_overlay) /* its inodes and devices are not what stat says */
		return;
	expect_number(event, (unsigned)params->dev,
		      (uint64_t)major(info->st_dev) << 20 | minor(info->st_dev), row->name);
	expect_number(event, (unsigned)params->ino, info->st_ino, row->name);
	expect_number(event, (unsigned)params->bits, expected_bits(row, note), row->name);
}

static void check_not_opened(const struct event *event, const struct open_params *params,
			     const struct open_case *row)
{
	const int absent[] = { params->dev, params->ino, params->bits, params->file_mode,
			       params->path };

	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		expect_absent(event, (unsigned)absent[i], row->name);
}

static void check_name(const struct event *event, const struct open_params *params,
		       const struct open_case *row, const struct open_note *note)
{
	unsigned name = (unsigned)params->name;

	if (row->text == TEXT_BAD) {
		expect_absent(event, name, row->name);
		cr_expect(event->header->flags & WIRE_FAULT, "%s", row->name);
		return;
	}
	if (row->text == TEXT_TOO_LONG) {
		cr_expect(str_eq(event_string(event, name), (struct str){ note->passed, 4095 }),
			  "%s", row->name);
		cr_expect(event->cut_mask & 1ULL << name, "%s: not marked as cut", row->name);
		cr_expect(event->header->flags & WIRE_CUT, "%s", row->name);
		return;
	}
	expect_string(event, name, note->passed, row->name);
	expect_whole(event, row->name);
}

/* The two readings of decision 1: where the path is told by both and no link is in it, they agree.
 */
static void check_passed(const struct event *event, const struct open_params *params,
			 const struct open_case *row, const struct open_note *note)
{
	struct str passed = event_passed_path(event, (unsigned)params->name, params->dirpath);

	if (note->result >= 0 && row->text != TEXT_OWN_FD && !strstr(note->passed, "link") &&
	    note->passed[0] != '/' && !(row->resolve & RESOLVE_IN_ROOT))
		cr_expect(str_eq_text(passed, note->link) || strstr(note->link, "(deleted)"),
			  "%s: as passed %.*s, resolved %s", row->name, STR_ARG(passed),
			  note->link);
	if (strcmp(row->path, "link/inner") == 0 && passed.p)
		cr_expect(str_ends_with(passed, STR("/link/inner")), "%s: %.*s", row->name,
			  STR_ARG(passed));
}

static void check_directory(const struct event *event, const struct open_params *params,
			    const struct open_case *row, const struct open_notes *notes,
			    const struct open_note *note)
{
	const char *const texts[] = { notes->cwd, notes->sub, notes->file, NULL };
	bool is_relative = note->passed[0] != '/' && row->text != TEXT_BAD && note->passed[0];

	/* The empty name starts from its directory, too. */
	if (row->text == TEXT_AS_IS && !row->path[0])
		is_relative = true;
	if (is_relative && texts[row->base])
		expect_proc_path(event, (unsigned)params->dirpath, -1, texts[row->base], row->name);
	else
		expect_absent(event, (unsigned)params->dirpath, row->name);
}

static void check_open(struct live *live, size_t i)
{
	const struct open_notes *notes = live->shared;
	const struct open_case *row = &cases[i];
	const struct open_note *note = &notes->rows[i];
	const struct open_params *params = params_of(row->nr);
	const struct event *event = live_marked(live, i, params->type);
	bool has_mode = row->nr == SYS_openat2 || row->flags & O_CREAT ||
			(row->flags & O_TMPFILE) == O_TMPFILE || params->flags < 0;
	bool has_how = row->nr != SYS_openat2 || !row->how_bytes;

	cr_expect_eq(live_count_marked(live, i, EVENT_CODE_NEVER), 1, "%s: not one event",
		     row->name);
	if (!event) {
		cr_expect_fail("%s: no event", row->name);
		return;
	}
	cr_expect_eq(note->result < 0 ? -note->result : 0, row->error, "%s: the call gave %lld",
		     row->name, (long long)note->result);
	expect_header(event, &notes->facts, note->result, row->name);
	cr_expect_eq(event->header->syscall_nr, row->nr, "%s", row->name);
	expect_number(event, (unsigned)params->fd, note->result, row->name);
	if (params->dirfd >= 0)
		expect_number(event, (unsigned)params->dirfd, note->dirfd, row->name);
	check_name(event, params, row, note);
	check_passed(event, params, row, note);
	if (params->flags >= 0 && has_how)
		expect_number(event, (unsigned)params->flags, row->flags, row->name);
	if (has_how)
		expect_number(event, (unsigned)params->mode, has_mode ? row->mode : 0, row->name);
	if (params->resolve >= 0 && has_how)
		expect_number(event, (unsigned)params->resolve, row->resolve, row->name);
	if (note->result >= 0)
		check_opened(event, params, row, note);
	else
		check_not_opened(event, params, row);
	check_directory(event, params, row, notes, note);
}

Test(live_open, every_parameter_is_what_libc_says, .timeout = 300)
{
	struct live live;

	live_run(&live,
		 &(struct live_options){ .syscalls = open_calls,
					 .prepare = open_prepare,
					 .shared_bytes = sizeof(struct open_notes) },
		 open_act);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_open(&live, i);
	live_done(&live);
}
