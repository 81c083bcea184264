/*
 * unlink and unlinkat: every parameter against the caller's arguments and getcwd.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "live.h"

static const char *const unlink_calls[] = { "unlink", "unlinkat", NULL };

enum base {
	BASE_CWD,
	BASE_SUB,
	BASE_FILE,
	BASE_CLOSED
};

/* clang-format off */
static const struct {
	const char *name;
	bool is_at;
	enum base base;
	const char *path; /* NULL: no address */
	bool is_absolute; /* the working directory is put before it */
	int flags;
	int error;
} cases[] = {
	{ "at: a file", true, BASE_CWD, "f1" },
	{ "at: absolute", true, BASE_CWD, "f2", .is_absolute = true },
	{ "at: in a directory", true, BASE_SUB, "inner" },
	{ "at: above a directory", true, BASE_SUB, "../f3" },
	{ "at: absolute beside no directory", true, BASE_CLOSED, "f4", .is_absolute = true },
	{ "at: a directory", true, BASE_CWD, "empty", .flags = AT_REMOVEDIR },
	{ "at: a directory that is full", true, BASE_CWD, "sub", .flags = AT_REMOVEDIR, .error = ENOTEMPTY },
	{ "at: none", true, BASE_SUB, "none", .error = ENOENT },
	{ "at: no directory", true, BASE_CLOSED, "f5", .error = EBADF },
	{ "at: a file as directory", true, BASE_FILE, "f5", .error = ENOTDIR },
	{ "at: wrong flags", true, BASE_CWD, "f5", .flags = 0x100000, .error = EINVAL },
	{ "at: no memory", true, BASE_CWD, NULL, .error = EFAULT },
	{ "at: the empty name", true, BASE_CWD, "", .error = ENOENT },
	{ "at: a name with a new line", true, BASE_CWD, "new\nline" },
#ifdef SYS_unlink
	{ "a file", false, BASE_CWD, "f5" },
	{ "absolute", false, BASE_CWD, "f6", .is_absolute = true },
	{ "a directory", false, BASE_CWD, "sub", .error = EISDIR },
	{ "none", false, BASE_CWD, "sub/../none", .error = ENOENT },
	{ "a symlink", false, BASE_CWD, "link" },
	{ "a name that is no UTF-8", false, BASE_CWD, "bad\xff\xfe" },
	{ "no memory", false, BASE_CWD, NULL, .error = EFAULT },
#endif
};
/* clang-format on */

struct unlink_notes {
	struct facts facts;
	char cwd[256], sub[300], file[300];
	struct {
		int64_t result;
		int32_t dirfd;
		char passed[600];
	} rows[ARRAY_LEN(cases)];
};

static void make_file(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0600);

	ACTOR_CHECK(fd >= 0);
	close(fd);
}

static void unlink_prepare(void *data)
{
	static const char *const files[] = { "f1", "f2",   "f3",	"f4",	      "f5",
					     "f6", "file", "new\nline", "bad\xff\xfe" };
	struct unlink_notes *notes = data;

	facts_read(&notes->facts);
	ACTOR_CHECK(getcwd(notes->cwd, sizeof(notes->cwd)));
	snprintf(notes->sub, sizeof(notes->sub), "%s/sub", notes->cwd);
	snprintf(notes->file, sizeof(notes->file), "%s/file", notes->cwd);
	ACTOR_CHECK(mkdir("sub", 0755) == 0 && mkdir("empty", 0755) == 0);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		make_file(files[i]);
	make_file("sub/inner");
	make_file("sub/stays");
	ACTOR_CHECK(symlink("file", "link") == 0);
}

static void unlink_act(void *data)
{
	struct unlink_notes *notes = data;
	int sub = open("sub", O_PATH), file = open("file", O_RDONLY);
	const int bases[] = { AT_FDCWD, sub, file, 999 };

	ACTOR_CHECK(sub >= 0 && file >= 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *passed = notes->rows[i].passed;
		const char *address = cases[i].path ? passed : (char *)8;
		int64_t result;

		snprintf(passed, sizeof(notes->rows[i].passed), "%s%s%s",
			 cases[i].is_absolute ? notes->cwd : "", cases[i].is_absolute ? "/" : "",
			 cases[i].path ? cases[i].path : "");
		notes->rows[i].dirfd = bases[cases[i].base];
		live_mark(i);
#ifdef SYS_unlink
		if (!cases[i].is_at)
			result = syscall(SYS_unlink, address);
		else
#endif
			result = syscall(SYS_unlinkat, bases[cases[i].base], address,
					 cases[i].flags);
		notes->rows[i].result = result < 0 ? -errno : result;
		live_mark(LIVE_NO_MARK);
	}
}

struct unlink_params {
	unsigned res, path, dirpath;
};

static void check_one(struct live *live, size_t i)
{
	static const struct unlink_params plain = { PARAM_UNLINK_res, PARAM_UNLINK_path,
						    PARAM_UNLINK_dirpath },
					  at = { PARAM_UNLINKAT_res, PARAM_UNLINKAT_name,
						 PARAM_UNLINKAT_dirpath };
	const struct unlink_params *params = cases[i].is_at ? &at : &plain;
	const struct unlink_notes *notes = live->shared;
	const char *const directories[] = { notes->cwd, notes->sub, notes->file, NULL };
	const char *directory = directories[cases[i].base], *name = cases[i].name;
	const struct event *event =
		live_marked(live, i, cases[i].is_at ? EVENT_UNLINKAT : EVENT_UNLINK);

	cr_expect_eq(live_count_marked(live, i, EVENT_CODE_NEVER), 1, "%s", name);
	cr_assert_not_null(event, "%s", name);
	cr_expect_eq(notes->rows[i].result, -cases[i].error, "%s: the call", name);
	expect_header(event, &notes->facts, notes->rows[i].result, name);
	expect_number(event, params->res, notes->rows[i].result, name);
	if (cases[i].is_at) {
		expect_number(event, PARAM_UNLINKAT_dirfd, notes->rows[i].dirfd, name);
		expect_number(event, PARAM_UNLINKAT_flags, cases[i].flags, name);
	}
	if (!cases[i].path) {
		expect_absent(event, params->path, name);
		cr_expect(event->header->flags & WIRE_FAULT, "%s", name);
	} else {
		expect_string(event, params->path, notes->rows[i].passed, name);
		expect_whole(event, name);
	}
	if (cases[i].path && !cases[i].is_absolute && directory)
		expect_proc_path(event, params->dirpath, -1, directory, name);
	else
		expect_absent(event, params->dirpath, name);
}

Test(live_unlink, every_parameter_is_what_libc_says, .timeout = 300)
{
	struct live live;

	live_run(&live,
		 &(struct live_options){ .syscalls = unlink_calls,
					 .prepare = unlink_prepare,
					 .shared_bytes = sizeof(struct unlink_notes) },
		 unlink_act);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_one(&live, i);
	live_done(&live);
}
