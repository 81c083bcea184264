/*
 * exec that fails: the record has the old program's state, and the name and strings as passed.
 */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "program.h"

#define STRINGS_MAX 300

enum passed {
	PASS_PLAIN,	 /* "zero", "one", "" */
	PASS_NULL,	 /* no vector */
	PASS_EMPTY,	 /* a vector of no string */
	PASS_BAD,	 /* no vector's address */
	PASS_BAD_STRING, /* the second string's address is none */
	PASS_MANY,	 /* STRINGS_MAX strings */
	PASS_LONG,	 /* a string of 200,000 bytes, more than the kernel takes */
	PASS_MEDIUM,	 /* one of 5,000 */
};

/* clang-format off */
static const struct {
	const char *name;
	bool is_at;
	int base; /* of execveat: 0 the working directory, 1 "dir", 2 none, 3 a file */
	int flags;
	const char *path; /* NULL: no address */
	enum passed passed;
	int error;
} cases[] = {
	{ "none", .path = "none", .error = ENOENT },
	{ "none, absolute", .path = "/haetae/none", .error = ENOENT },
	{ "the empty name", .path = "", .error = ENOENT },
	{ "no memory", .path = NULL, .error = EFAULT },
	{ "a directory", .path = "dir", .error = EACCES },
	{ "not executable", .path = "plain", .error = EACCES },
	{ "no program", .path = "garbage", .error = ENOEXEC },
	{ "below a file", .path = "plain/x", .error = ENOTDIR },
	{ "a loop", .path = "loop", .error = ELOOP },
	{ "a script without its interpreter", .path = "script", .error = ENOENT },
	{ "no vector", .path = "none", .passed = PASS_NULL, .error = ENOENT },
	{ "an empty vector", .path = "none", .passed = PASS_EMPTY, .error = ENOENT },
	{ "a bad vector", .path = "program", .passed = PASS_BAD, .error = EFAULT },
	{ "a bad string", .path = "program", .passed = PASS_BAD_STRING, .error = EFAULT },
	{ "many strings", .path = "none", .passed = PASS_MANY, .error = ENOENT },
	{ "a string that is too long", .path = "program", .passed = PASS_LONG, .error = E2BIG },
	{ "a long string", .path = "none", .passed = PASS_MEDIUM, .error = ENOENT },
	{ "at: the working directory", true, 0, 0, "none", .error = ENOENT },
	{ "at: a directory", true, 1, 0, "none", .error = ENOENT },
	{ "at: no descriptor", true, 2, 0, "none", .error = EBADF },
	{ "at: absolute beside no descriptor", true, 2, 0, "/haetae/none", .error = ENOENT },
	{ "at: a file's descriptor", true, 3, AT_EMPTY_PATH, "", .error = EACCES },
	{ "at: a symlink", true, 1, AT_SYMLINK_NOFOLLOW, "../loop", .error = ELOOP },
	{ "at: wrong flags", true, 1, 0x4000000, "none", .error = EINVAL },
};
/* clang-format on */

struct fail_notes {
	struct facts facts;
	char cwd[256], directory[300], file[300], exe[300];
	struct stat exe_info;
	int64_t results[ARRAY_LEN(cases)];
	/* All that the calls read: written before, so that no page of it is missing. */
	char path[ARRAY_LEN(cases)][64];
	char zero[8], one[8], empty[8], medium[5001], many[STRINGS_MAX][8], variable[8];
	char huge[200001];
};

static void prepare(void *data)
{
	struct fail_notes *notes = data;
	ssize_t n;
	int fd;

	facts_read(&notes->facts);
	ACTOR_CHECK(getcwd(notes->cwd, sizeof(notes->cwd)));
	snprintf(notes->directory, sizeof(notes->directory), "%s/dir", notes->cwd);
	snprintf(notes->file, sizeof(notes->file), "%s/plain", notes->cwd);
	n = readlink("/proc/self/exe", notes->exe, sizeof(notes->exe) - 1);
	ACTOR_CHECK(n > 0 && stat("/proc/self/exe", &notes->exe_info) == 0);
	ACTOR_CHECK(mkdir("dir", 0755) == 0 && symlink("loop", "loop") == 0);
	program_make("program", 0755);
	program_make("plain", 0644);
	fd = open("garbage", O_CREAT | O_WRONLY, 0755);
	ACTOR_CHECK(write(fd, "garbage!", 8) == 8);
	close(fd);
	fd = open("script", O_CREAT | O_WRONLY, 0755);
	ACTOR_CHECK(write(fd, "#!/haetae/no-interpreter\n", 25) == 25);
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		strcpy(notes->path[i], cases[i].path ? cases[i].path : "");
	strcpy(notes->zero, "zero");
	strcpy(notes->one, "one");
	notes->empty[0] = '\0';
	strcpy(notes->variable, "A=1");
	memset(notes->medium, 'm', 5000);
	memset(notes->huge, 'h', 200000);
	for (int i = 0; i < STRINGS_MAX; i++)
		snprintf(notes->many[i], sizeof(notes->many[i]), "s%d", i);
}

static char **make_vector(struct fail_notes *notes, enum passed passed, char **vector)
{
	memset(vector, 0, (STRINGS_MAX + 1) * sizeof(*vector));
	vector[0] = notes->zero;
	vector[1] = notes->one;
	vector[2] = notes->empty;
	switch (passed) {
	case PASS_PLAIN:
		break;
	case PASS_NULL:
		return NULL;
	case PASS_EMPTY:
		vector[0] = vector[1] = vector[2] = NULL;
		break;
	case PASS_BAD:
		return (char **)8;
	case PASS_BAD_STRING:
		vector[1] = (char *)8;
		break;
	case PASS_MANY:
		for (int i = 0; i < STRINGS_MAX; i++)
			vector[i] = notes->many[i];
		break;
	case PASS_LONG:
		vector[1] = notes->huge;
		break;
	case PASS_MEDIUM:
		vector[1] = notes->medium;
		break;
	}
	return vector;
}

static void act(void *data)
{
	struct fail_notes *notes = data;
	char *vector[STRINGS_MAX + 1], *env[] = { notes->variable, NULL };
	int bases[] = { AT_FDCWD, open("dir", O_PATH), 999, open("plain", O_RDONLY) };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char **argv = make_vector(notes, cases[i].passed, vector);
		const char *path = cases[i].path ? notes->path[i] : (char *)8;
		long result;

		live_mark(i);
		if (cases[i].is_at)
			result = syscall(SYS_execveat, bases[cases[i].base], path, argv, env,
					 cases[i].flags);
		else
			result = syscall(SYS_execve, path, argv, env);
		live_mark(LIVE_NO_MARK);
		notes->results[i] = result < 0 ? -errno : result;
	}
}

static void check_arguments(const struct event *event, size_t i)
{
	struct str args = event->params[PARAM_EXECVE_args];
	bool is_cut = event->cut_mask >> PARAM_EXECVE_args & 1;
	const char *what = cases[i].name;

	switch (cases[i].passed) {
	case PASS_PLAIN:
		expect_string(event, PARAM_EXECVE_exe, "zero", what);
		cr_expect(str_eq(args, (struct str){ "one\0", 5 }), "%s: %u bytes", what, args.n);
		break;
	case PASS_NULL:
	case PASS_EMPTY:
	case PASS_BAD:
		expect_absent(event, PARAM_EXECVE_exe, what);
		expect_absent(event, PARAM_EXECVE_args, what);
		break;
	case PASS_BAD_STRING:
		expect_string(event, PARAM_EXECVE_exe, "zero", what);
		cr_expect(args.n == 0 && event->header->flags & WIRE_FAULT, "%s: %u bytes", what,
			  args.n);
		break;
	case PASS_MANY:
		expect_string(event, PARAM_EXECVE_exe, "s0", what);
		cr_expect(args.n > 400 && memcmp(args.p, "s1\0s2\0s3", 9) == 0 && is_cut,
			  "%s: %u bytes, cut: %d", what, args.n, is_cut);
		break;
	case PASS_LONG:
	case PASS_MEDIUM:
		cr_expect(args.n >= 4096 && is_cut && args.p[0] == args.p[4095] &&
				  args.p[args.n - 1] == '\0',
			  "%s: %u bytes, cut: %d", what, args.n, is_cut);
		break;
	}
	cr_expect(!!(event->header->flags & WIRE_CUT) == (event->cut_mask != 0), "%s", what);
}

static void check_directory(const struct event *event, const struct fail_notes *notes, size_t i)
{
	const char *const bases[] = { notes->cwd, notes->directory, NULL, notes->file };
	const char *base = cases[i].is_at ? bases[cases[i].base] : notes->cwd;

	if (cases[i].path && cases[i].path[0] != '/' && base)
		expect_kpath(event, PARAM_EXECVE_dirpath, base, cases[i].name);
	else
		expect_absent(event, PARAM_EXECVE_dirpath, cases[i].name);
}

/* The program that called is the one that stays. */
static void check_program(const struct event *event, const struct fail_notes *notes,
			  const char *what)
{
	expect_kpath(event, PARAM_EXECVE_trusted_exepath, notes->exe, what);
	expect_number(event, PARAM_EXECVE_exe_ino, (int64_t)notes->exe_info.st_ino, what);
	expect_kpath(event, PARAM_EXECVE_cwd, notes->cwd, what);
	expect_absent(event, PARAM_EXECVE_interp, what);
	expect_absent(event, PARAM_EXECVE_argv_bytes, what);
}

Test(live_exec_fails, every_parameter_is_what_libc_says, .timeout = 300)
{
	static const char *const names[] = { "execve", "execveat", NULL };
	struct live live;
	const struct fail_notes *notes;
	uint64_t exec_id = 0;

	live_run(&live,
		 &(struct live_options){ .syscalls = names,
					 .prepare = prepare,
					 .shared_bytes = sizeof(struct fail_notes),
					 .want_env = true },
		 act);
	notes = live.shared;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		/* execveat without a descriptor is execve (decision 10). */
		bool is_at = cases[i].is_at && cases[i].base != 0;
		const struct event *event =
			live_marked(&live, i, is_at ? EVENT_EXECVEAT : EVENT_EXECVE);
		const char *what = cases[i].name;

		cr_expect(live_count_marked(&live, i, EVENT_CODE_NEVER) == 1, "%s", what);
		cr_assert(event != NULL, "%s: no event", what);
		cr_expect(notes->results[i] == -cases[i].error, "%s: the case itself: %lld", what,
			  (long long)notes->results[i]);
		expect_header(event, &notes->facts, notes->results[i], what);
		cr_expect(event->header->syscall_nr == (cases[i].is_at ? SYS_execveat : SYS_execve),
			  "%s: number %u", what, event->header->syscall_nr);
		cr_expect(exec_id == 0 || event->header->exec_id == exec_id,
			  "%s: a failure is no new image", what);
		exec_id = event->header->exec_id;
		expect_number(event, PARAM_EXECVE_res, notes->results[i], what);
		if (cases[i].path)
			expect_string(event, PARAM_EXECVE_filename, cases[i].path, what);
		else
			expect_absent(event, PARAM_EXECVE_filename, what);
		check_arguments(event, i);
		cr_expect(str_eq(event->params[PARAM_EXECVE_env], (struct str){ "A=1", 4 }),
			  "%s: env", what);
		check_directory(event, notes, i);
		check_program(event, notes, what);
	}
	live_done(&live);
}
