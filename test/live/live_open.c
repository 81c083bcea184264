/* open, openat, openat2, creat, unlink, unlinkat: every parameter, success and failure. */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define FOLDER "/tmp/haetae-live"

/* The kernel's dev_t: major << 20 | minor (include/linux/kdev_t.h). */
static uint64_t kernel_device(dev_t device)
{
	return (uint64_t)major(device) << 20 | minor(device);
}

struct opened {
	struct facts facts;
	int64_t result;
	struct stat stat;
	bool is_before; /* existed */
};

struct open_shared {
	struct facts facts;
	int dirfd, real_dirfd;
	struct opened open[24];
	int64_t results[24];
};

static void note(struct opened *opened, int64_t result)
{
	opened->result = result < 0 ? -errno : result;
	if (result >= 0)
		fstat((int)result, &opened->stat);
}

static void make_folder(void)
{
	mkdir(FOLDER, 0755);
	mkdir(FOLDER "/sub", 0755);
	unlink(FOLDER "/link");
	(void)!symlink("sub/file", FOLDER "/link");
	close(creat(FOLDER "/sub/file", 0640));
	unlink(FOLDER "/new");
}

static void clear_folder(void)
{
	unlink(FOLDER "/sub/file");
	unlink(FOLDER "/link");
	unlink(FOLDER "/new");
	rmdir(FOLDER "/sub");
	rmdir(FOLDER);
}

/* ---- open family ---------------------------------------------------------------------------- */

static const struct {
	const char *name; /* of the case, and as the message says it */
	const char *path; /* as passed */
	int flags;
	unsigned mode;
	bool is_relative_to_dirfd;
	const char *resolved; /* NULL: fails */
	const char *directory;
	uint32_t bits; /* WIRE_FILE_CREATED or 0 */
} openat_cases[] = {
	{ "absolute", FOLDER "/sub/file", O_RDONLY, 0, false, FOLDER "/sub/file", NULL, 0 },
	{ "dots", FOLDER "/sub/../sub//./file", O_RDWR, 0, false, FOLDER "/sub/file", NULL, 0 },
	{ "relative to the working directory", "sub/file", O_WRONLY | O_APPEND, 0, false,
	  FOLDER "/sub/file", FOLDER, 0 },
	{ "relative to a descriptor", "file", O_RDONLY | O_CLOEXEC, 0, true, FOLDER "/sub/file",
	  FOLDER "/sub", 0 },
	{ "up from a descriptor", "../sub/file", O_RDONLY, 0, true, FOLDER "/sub/file",
	  FOLDER "/sub", 0 },
	{ "symbolic link", FOLDER "/link", O_RDONLY | O_NONBLOCK, 0, false, FOLDER "/sub/file",
	  NULL, 0 },
	{ "created", FOLDER "/new", O_CREAT | O_EXCL | O_WRONLY, 0604, false, FOLDER "/new", NULL,
	  WIRE_FILE_CREATED },
	{ "not created again", FOLDER "/new", O_CREAT | O_WRONLY | O_TRUNC, 0777, false,
	  FOLDER "/new", NULL, 0 },
	{ "mode without O_CREAT is ignored", FOLDER "/new", O_RDONLY, 0777, false, FOLDER "/new",
	  NULL, 0 },
	{ "directory", FOLDER, O_RDONLY | O_DIRECTORY, 0, false, FOLDER, NULL, 0 },
	{ "absent file", FOLDER "/absent", O_RDONLY, 0, false, NULL, NULL, 0 },
	{ "absent relative", "absent", O_RDONLY, 0, true, NULL, FOLDER "/sub", 0 },
	{ "exclusive", FOLDER "/new", O_CREAT | O_EXCL, 0600, false, NULL, NULL, 0 },
	{ "not a directory", FOLDER "/new/x", O_RDONLY, 0, false, NULL, NULL, 0 },
	{ "device", "/dev/null", O_RDWR, 0, false, "/dev/null", NULL, 0 },
	{ "empty name", "", O_RDONLY, 0, false, NULL, FOLDER, 0 },
};

static void act_openat(void *data)
{
	struct open_shared *shared = data;

	umask(0);
	make_folder();
	(void)!chdir(FOLDER);
	facts_read(&shared->facts);
	shared->dirfd = (int)syscall(SYS_open, FOLDER "/sub", O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < ARRAY_LEN(openat_cases); i++) {
		int dirfd = openat_cases[i].is_relative_to_dirfd ? shared->dirfd : AT_FDCWD;

		note(&shared->open[i], syscall(SYS_openat, dirfd, openat_cases[i].path,
					       openat_cases[i].flags, openat_cases[i].mode));
	}
	(void)!chdir("/");
	clear_folder();
}

/* The kernel adds O_LARGEFILE to what 64-bit programs pass; user memory has what was passed. */
static void expect_opened(const struct event *event, unsigned first, const struct opened *opened,
			  const char *resolved, uint32_t bits, const char *what)
{
	uint64_t value = 0;

	if (!resolved) {
		for (unsigned i = 0; i < 5; i++)
			expect_absent(event, first + i, what);
		return;
	}
	expect_number(event, first, (int64_t)kernel_device(opened->stat.st_dev), what);
	expect_number(event, first + 1, (int64_t)opened->stat.st_ino, what);
	event_number(event, first + 2, &value);
	cr_expect((value & WIRE_FILE_CREATED) == bits, "%s: created bit, bits %llx", what,
		  (unsigned long long)value);
	cr_expect(!(value & (WIRE_FILE_UPPER_LAYER | WIRE_FILE_MEMFD)), "%s: bits %llx", what,
		  (unsigned long long)value);
	expect_number(event, first + 3, opened->stat.st_mode, what);
	expect_kpath(event, first + 4, resolved, what);
}

Test(live_open, openat, .timeout = 60)
{
	static const char *const names[] = { "openat", NULL };
	struct live live;
	struct open_shared *shared;
	unsigned n = 0;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_openat);
	shared = live.shared;
	/* facts_read() opens files too: start behind them. */
	while (live_find(&live, EVENT_OPENAT, n) &&
	       !str_eq_text(event_string(live_find(&live, EVENT_OPENAT, n), PARAM_OPENAT_name),
			    openat_cases[0].path))
		n++;
	for (size_t i = 0; i < ARRAY_LEN(openat_cases); i++) {
		const struct event *event = live_find(&live, EVENT_OPENAT, n + (unsigned)i);
		const struct opened *opened = &shared->open[i];
		const char *what = openat_cases[i].name;
		int flags = openat_cases[i].flags;

		cr_assert(event != NULL, "%s: no event", what);
		cr_assert((opened->result >= 0) == (openat_cases[i].resolved != NULL),
			  "%s: the case itself, result %lld", what, (long long)opened->result);
		expect_header(event, &shared->facts, opened->result, what);
		cr_expect(event->header->syscall_nr == SYS_openat, "%s: number", what);
		expect_number(event, PARAM_OPENAT_fd, opened->result, what);
		expect_number(event, PARAM_OPENAT_dirfd,
			      openat_cases[i].is_relative_to_dirfd ? shared->dirfd : AT_FDCWD,
			      what);
		expect_string(event, PARAM_OPENAT_name, openat_cases[i].path, what);
		expect_number(event, PARAM_OPENAT_flags, flags, what);
		expect_number(event, PARAM_OPENAT_mode,
			      flags & O_CREAT ? (int64_t)openat_cases[i].mode : 0, what);
		expect_opened(event, PARAM_OPENAT_dev, opened, openat_cases[i].resolved,
			      openat_cases[i].bits, what);
		if (openat_cases[i].directory)
			expect_kpath(event, PARAM_OPENAT_dirpath, openat_cases[i].directory, what);
		else
			expect_absent(event, PARAM_OPENAT_dirpath, what);
	}
	live_done(&live);
}

static void act_others(void *data)
{
	struct open_shared *shared = data;
	struct open_how how = { .flags = O_RDWR | O_CLOEXEC, .resolve = RESOLVE_BENEATH };
	struct open_how create = { .flags = O_CREAT | O_RDWR, .mode = 0640 };

	umask(0);
	make_folder();
	(void)!chdir(FOLDER);
	facts_read(&shared->facts);
	shared->dirfd = (int)syscall(SYS_openat, AT_FDCWD, FOLDER "/sub", O_RDONLY);
	note(&shared->open[0], syscall(SYS_open, "sub/file", O_RDWR | O_TRUNC, 0777));
	note(&shared->open[1], syscall(SYS_open, FOLDER "/absent", O_RDONLY));
	note(&shared->open[2], syscall(SYS_creat, FOLDER "/new", 0751));
	note(&shared->open[3], syscall(SYS_creat, FOLDER "/absent/x", 0700));
	note(&shared->open[4], syscall(SYS_openat2, shared->dirfd, "file", &how, sizeof(how)));
	note(&shared->open[5], syscall(SYS_openat2, shared->dirfd, "../new", &how, sizeof(how)));
	note(&shared->open[6],
	     syscall(SYS_openat2, AT_FDCWD, FOLDER "/sub/two", &create, sizeof(create)));
	unlink(FOLDER "/sub/two");
	(void)!chdir("/");
	clear_folder();
}

Test(live_open, open_creat_openat2, .timeout = 60)
{
	static const char *const names[] = { "open", "creat", "openat2", NULL };
	const struct event *event;
	struct live live;
	struct open_shared *shared;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_others);
	shared = live.shared;

	event = live_find(&live, EVENT_OPEN, 0);
	cr_assert(event != NULL);
	expect_header(event, &shared->facts, shared->open[0].result, "open");
	expect_number(event, PARAM_OPEN_fd, shared->open[0].result, "open");
	expect_string(event, PARAM_OPEN_name, "sub/file", "open");
	expect_number(event, PARAM_OPEN_flags, O_RDWR | O_TRUNC, "open");
	expect_number(event, PARAM_OPEN_mode, 0, "open");
	expect_opened(event, PARAM_OPEN_dev, &shared->open[0], FOLDER "/sub/file", 0, "open");
	expect_kpath(event, PARAM_OPEN_dirpath, FOLDER, "open");
	event = live_find(&live, EVENT_OPEN, 1);
	cr_assert(event != NULL);
	expect_header(event, &shared->facts, -ENOENT, "open fails");
	expect_number(event, PARAM_OPEN_fd, -ENOENT, "open fails");
	expect_string(event, PARAM_OPEN_name, FOLDER "/absent", "open fails");
	expect_opened(event, PARAM_OPEN_dev, NULL, NULL, 0, "open fails");

	event = live_find(&live, EVENT_CREAT, 0);
	/* make_folder() calls creat(3), which is openat or creat by libc's choice. */
	while (event && !str_eq_text(event_string(event, PARAM_CREAT_name), FOLDER "/new"))
		event = live_find(&live, EVENT_CREAT, 1);
	cr_assert(event != NULL);
	expect_header(event, &shared->facts, shared->open[2].result, "creat");
	expect_number(event, PARAM_CREAT_fd, shared->open[2].result, "creat");
	expect_number(event, PARAM_CREAT_mode, 0751, "creat");
	expect_number(event, PARAM_CREAT_dev, (int64_t)kernel_device(shared->open[2].stat.st_dev),
		      "creat");
	expect_number(event, PARAM_CREAT_ino, (int64_t)shared->open[2].stat.st_ino, "creat");
	expect_number(event, PARAM_CREAT_file_mode, shared->open[2].stat.st_mode, "creat");
	expect_kpath(event, PARAM_CREAT_path, FOLDER "/new", "creat");
	expect_absent(event, PARAM_CREAT_dirpath, "creat");
	event = live_find(&live, EVENT_CREAT, live_count(&live, EVENT_CREAT) - 1);
	expect_header(event, &shared->facts, -ENOENT, "creat fails");
	expect_number(event, PARAM_CREAT_fd, -ENOENT, "creat fails");
	expect_string(event, PARAM_CREAT_name, FOLDER "/absent/x", "creat fails");
	expect_absent(event, PARAM_CREAT_path, "creat fails");
	expect_absent(event, PARAM_CREAT_ino, "creat fails");

	event = live_find(&live, EVENT_OPENAT2, 0);
	cr_assert(event != NULL);
	expect_header(event, &shared->facts, shared->open[4].result, "openat2");
	expect_number(event, PARAM_OPENAT2_dirfd, shared->dirfd, "openat2");
	expect_string(event, PARAM_OPENAT2_name, "file", "openat2");
	expect_number(event, PARAM_OPENAT2_flags, O_RDWR | O_CLOEXEC, "openat2");
	expect_number(event, PARAM_OPENAT2_mode, 0, "openat2");
	expect_number(event, PARAM_OPENAT2_resolve, RESOLVE_BENEATH, "openat2");
	expect_opened(event, PARAM_OPENAT2_dev, &shared->open[4], FOLDER "/sub/file", 0, "openat2");
	expect_kpath(event, PARAM_OPENAT2_dirpath, FOLDER "/sub", "openat2");
	event = live_find(&live, EVENT_OPENAT2, 1);
	cr_assert(event != NULL);
	expect_header(event, &shared->facts, -EXDEV, "openat2 fails");
	expect_number(event, PARAM_OPENAT2_fd, -EXDEV, "openat2 fails");
	expect_opened(event, PARAM_OPENAT2_dev, NULL, NULL, 0, "openat2 fails");
	event = live_find(&live, EVENT_OPENAT2, 2);
	cr_assert(event != NULL);
	expect_number(event, PARAM_OPENAT2_mode, 0640, "openat2 creates");
	expect_number(event, PARAM_OPENAT2_resolve, 0, "openat2 creates");
	expect_opened(event, PARAM_OPENAT2_dev, &shared->open[6], FOLDER "/sub/two",
		      WIRE_FILE_CREATED, "openat2 creates");
	live_done(&live);
}

/* ---- unlink
 * -------------------------------------------------------------------------------------- */

static void act_unlink(void *data)
{
	struct open_shared *shared = data;

	make_folder();
	(void)!chdir(FOLDER);
	facts_read(&shared->facts);
	shared->dirfd = open(FOLDER, O_RDONLY | O_DIRECTORY);
	syscall(SYS_unlink, FOLDER "/sub/file");
	syscall(SYS_unlink, "absent");
	syscall(SYS_unlinkat, shared->dirfd, "link", 0);
	syscall(SYS_unlinkat, shared->dirfd, "sub", AT_REMOVEDIR);
	syscall(SYS_unlinkat, AT_FDCWD, FOLDER "/absent/x", 0);
	(void)!chdir("/");
	rmdir(FOLDER);
}

Test(live_open, unlink_unlinkat, .timeout = 60)
{
	static const char *const names[] = { "unlink", "unlinkat", NULL };
	const struct event *event;
	struct live live;
	struct open_shared *shared;
	unsigned n;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_unlink);
	shared = live.shared;
	n = live_count(&live, EVENT_UNLINK);
	cr_assert(n >= 2);
	event = live_find(&live, EVENT_UNLINK, n - 2);
	expect_header(event, &shared->facts, 0, "unlink");
	expect_number(event, PARAM_UNLINK_res, 0, "unlink");
	expect_string(event, PARAM_UNLINK_path, FOLDER "/sub/file", "unlink");
	expect_absent(event, PARAM_UNLINK_dirpath, "unlink");
	event = live_find(&live, EVENT_UNLINK, n - 1);
	expect_header(event, &shared->facts, -ENOENT, "unlink fails");
	expect_number(event, PARAM_UNLINK_res, -ENOENT, "unlink fails");
	expect_string(event, PARAM_UNLINK_path, "absent", "unlink fails");
	expect_kpath(event, PARAM_UNLINK_dirpath, FOLDER, "unlink fails");

	event = live_find(&live, EVENT_UNLINKAT, 0);
	cr_assert(event != NULL);
	expect_header(event, &shared->facts, 0, "unlinkat");
	expect_number(event, PARAM_UNLINKAT_res, 0, "unlinkat");
	expect_number(event, PARAM_UNLINKAT_dirfd, shared->dirfd, "unlinkat");
	expect_string(event, PARAM_UNLINKAT_name, "link", "unlinkat");
	expect_number(event, PARAM_UNLINKAT_flags, 0, "unlinkat");
	expect_kpath(event, PARAM_UNLINKAT_dirpath, FOLDER, "unlinkat");
	event = live_find(&live, EVENT_UNLINKAT, 1);
	cr_assert(event != NULL);
	expect_number(event, PARAM_UNLINKAT_flags, AT_REMOVEDIR, "unlinkat folder");
	event = live_find(&live, EVENT_UNLINKAT, 2);
	cr_assert(event != NULL);
	expect_header(event, &shared->facts, -ENOENT, "unlinkat fails");
	expect_number(event, PARAM_UNLINKAT_dirfd, AT_FDCWD, "unlinkat fails");
	expect_absent(event, PARAM_UNLINKAT_dirpath, "unlinkat fails");
	live_done(&live);
}
