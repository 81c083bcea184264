/*
 * exec that succeeds, in every form: each parameter against what /proc says of the process, which
 * runs a program that only waits.
 */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "program.h"

#define AREA_BYTES 200000

/* What /proc says of a process that waits. */
struct image {
	pid_t pid;
	unsigned ids[4];	  /* uid, euid, gid, egid */
	uint64_t capabilities[3]; /* inheritable, permitted, effective */
	uint64_t vm_size, start_ticks;
	uint64_t limit;
	char exe[300], cwd[300], comm[64];
	struct stat file;
	uint32_t argv_bytes, env_bytes;
	char argv[AREA_BYTES], env[AREA_BYTES];
};

/* ---- the ways to exec -------------------------------------------------------------------------
 */

static char *plain_argv[] = { "zero", "one", "", "two words", NULL };
static char *plain_env[] = { "A=1", "EMPTY=", "B=x y", NULL };

static void exec_absolute(void)
{
	char path[300];

	ACTOR_CHECK(getcwd(path, 256));
	strcat(path, "/program");
	execve(path, plain_argv, plain_env);
}

static void exec_relative(void)
{
	execve("./dir/../program", plain_argv, plain_env);
}

static void exec_link(void)
{
	execve("link", plain_argv, plain_env);
}

static void exec_at_cwd(void)
{
	syscall(SYS_execveat, AT_FDCWD, "program", plain_argv, plain_env, 0);
}

static void exec_at_directory(void)
{
	int fd = open("dir", O_PATH | O_CLOEXEC);

	syscall(SYS_execveat, fd, "inner", plain_argv, plain_env, 0);
}

static void exec_descriptor(void)
{
	int fd = open("program", O_PATH | O_CLOEXEC);

	syscall(SYS_execveat, fd, "", plain_argv, plain_env, AT_EMPTY_PATH);
}

static void exec_memfd(void)
{
	int fd = memfd_create("the payload", MFD_CLOEXEC);

	ACTOR_CHECK(fd >= 0);
	program_write(fd);
	syscall(SYS_execveat, fd, "", plain_argv, plain_env, AT_EMPTY_PATH);
}

static void exec_deleted(void)
{
	int fd;

	program_make("deleted", 0755);
	fd = open("deleted", O_RDONLY | O_CLOEXEC);
	ACTOR_CHECK(fd >= 0 && unlink("deleted") == 0);
	syscall(SYS_execveat, fd, "", plain_argv, plain_env, AT_EMPTY_PATH);
}

static void exec_script(void)
{
	execve("./script", plain_argv, plain_env);
}

/* A script whose interpreter is a script. */
static void exec_outer_script(void)
{
	execve("./outer", plain_argv, plain_env);
}

static void exec_script_descriptor(void)
{
	int fd = open("script", O_RDONLY); /* stays open: the interpreter is given /dev/fd/N */

	syscall(SYS_execveat, fd, "", plain_argv, plain_env, AT_EMPTY_PATH);
}

static void become_user(void)
{
	ACTOR_CHECK(setgroups(0, NULL) == 0);
	ACTOR_CHECK(setresgid(3000, 3000, 3000) == 0 && setresuid(1000, 1000, 1000) == 0);
}

static void exec_as_user(void)
{
	become_user();
	execve("./program", plain_argv, plain_env);
}

static void exec_setuid(void)
{
	become_user();
	execve("./setuid", plain_argv, plain_env);
}

static void exec_setgid(void)
{
	become_user();
	execve("./setgid", plain_argv, plain_env);
}

static void exec_hostile_strings(void)
{
	char *argv[] = { "\x1b[2J\n\xff\xfe", "\n", "a\tb", "$(x)`y`", "", "", NULL };
	char *env[] = { "LD_PRELOAD=/tmp/\xff\n.so", "=", "\x01", NULL };

	execve("./new\nline\xff", argv, env);
}

/* Since 5.18 the kernel adds an empty argv[0] (fs/exec.c). */
static void exec_without_arguments(void)
{
	char *none[] = { NULL };

	execve("./program", none, none);
}

static char long_text[100001];

static void exec_long_zero(void)
{
	char *argv[] = { long_text, "one", "two", NULL };

	memset(long_text, 'z', 9000);
	execve("./program", argv, plain_env);
}

static void exec_long_arguments(void)
{
	char *argv[] = { "zero", long_text, "last", NULL };

	memset(long_text, 'a', 100000);
	execve("./program", argv, plain_env);
}

static void exec_long_environment(void)
{
	char *env[] = { "FIRST=1", long_text, "LAST=1", NULL };

	memset(long_text, 'E', 100000);
	execve("./program", plain_argv, env);
}

static void exec_limited(void)
{
	struct rlimit limit = { 77, 99 };

	ACTOR_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	execve("./program", plain_argv, plain_env);
}

static void exec_below_root(void)
{
	ACTOR_CHECK(chroot("dir") == 0 && chdir("/") == 0);
	execve("/inner", plain_argv, plain_env);
}

/* clang-format off */
static const struct exec_case {
	const char *name;
	void (*exec)(void);
	enum event_type type;
	const char *filename; /* NULL: begins with /dev/fd/ */
	const char *interp;   /* NULL: absent; "": begins with /dev/fd/ */
	const char *path; /* where /proc's words are not ours */
	uint64_t bits;
} cases[] = {
	{ "absolute", exec_absolute, EVENT_EXECVE, "" },
	{ "relative", exec_relative, EVENT_EXECVE, "./dir/../program" },
	{ "a symlink", exec_link, EVENT_EXECVE, "link" },
	{ "at the working directory", exec_at_cwd, EVENT_EXECVE, "program" },
	{ "at a directory", exec_at_directory, EVENT_EXECVEAT, NULL },
	{ "a descriptor", exec_descriptor, EVENT_EXECVEAT, NULL },
	{ "a memfd", exec_memfd, EVENT_EXECVEAT, NULL, .path = "memfd:the payload", .bits = WIRE_FILE_MEMFD | WIRE_FILE_UNLINKED },
	{ "a deleted file", exec_deleted, EVENT_EXECVEAT, NULL, .bits = WIRE_FILE_UNLINKED },
	{ "a script", exec_script, EVENT_EXECVE, "./script", "./program" },
	{ "a script by a script", exec_outer_script, EVENT_EXECVE, "./outer", "./program" },
	{ "a script's descriptor", exec_script_descriptor, EVENT_EXECVEAT, NULL, "./program" },
	{ "as a user", exec_as_user, EVENT_EXECVE, "./program" },
	{ "setuid", exec_setuid, EVENT_EXECVE, "./setuid", .bits = WIRE_FILE_SETUID },
	{ "setgid", exec_setgid, EVENT_EXECVE, "./setgid", .bits = WIRE_FILE_SETGID },
	{ "hostile strings", exec_hostile_strings, EVENT_EXECVE, "./new\nline\xff" },
	{ "no arguments", exec_without_arguments, EVENT_EXECVE, "./program" },
	{ "a long argv[0]", exec_long_zero, EVENT_EXECVE, "./program" },
	{ "long arguments", exec_long_arguments, EVENT_EXECVE, "./program" },
	{ "a long environment", exec_long_environment, EVENT_EXECVE, "./program" },
	{ "a limit of descriptors", exec_limited, EVENT_EXECVE, "./program" },
	{ "below another root", exec_below_root, EVENT_EXECVE, "/inner", .path = "/inner" },
};
/* clang-format on */

struct exec_notes {
	char cwd[256];
	struct image images[ARRAY_LEN(cases)];
};

/* ---- the actor --------------------------------------------------------------------------------
 */

static uint32_t read_proc(pid_t pid, const char *name, char *ret, size_t size)
{
	char path[64];
	size_t n = 0;
	ssize_t part;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ACTOR_CHECK(fd >= 0);
	while (n < size - 1 && (part = read(fd, ret + n, size - 1 - n)) > 0)
		n += (size_t)part;
	close(fd);
	ret[n] = '\0';
	return (uint32_t)n;
}

static void read_link(pid_t pid, const char *name, char *ret, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	n = readlink(path, ret, size - 1);
	ACTOR_CHECK(n > 0);
	ret[n] = '\0';
}

static uint64_t status_value(const char *status, const char *name, int base)
{
	const char *at = strstr(status, name);

	ACTOR_CHECK(at != NULL);
	return strtoull(at + strlen(name), NULL, base);
}

static void read_image(pid_t pid, struct image *ret)
{
	char text[8192], path[64];

	ret->pid = pid;
	read_proc(pid, "status", text, sizeof(text));
	ACTOR_CHECK(sscanf(strstr(text, "\nUid:"), " Uid: %u %u", &ret->ids[0], &ret->ids[1]) == 2);
	ACTOR_CHECK(sscanf(strstr(text, "\nGid:"), " Gid: %u %u", &ret->ids[2], &ret->ids[3]) == 2);
	ret->capabilities[0] = status_value(text, "\nCapInh:", 16);
	ret->capabilities[1] = status_value(text, "\nCapPrm:", 16);
	ret->capabilities[2] = status_value(text, "\nCapEff:", 16);
	ret->vm_size = status_value(text, "\nVmSize:", 10);
	read_proc(pid, "comm", ret->comm, sizeof(ret->comm));
	ret->argv_bytes = read_proc(pid, "cmdline", ret->argv, AREA_BYTES);
	ret->env_bytes = read_proc(pid, "environ", ret->env, AREA_BYTES);
	read_link(pid, "exe", ret->exe, sizeof(ret->exe));
	read_link(pid, "cwd", ret->cwd, sizeof(ret->cwd));
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	ACTOR_CHECK(stat(path, &ret->file) == 0);
	read_proc(pid, "limits", text, sizeof(text));
	ret->limit = status_value(text, "\nMax open files", 10);
}

/* The program waits when its one thread sleeps in pause; before that it is still the actor's copy,
 * or on its way. */
static void await_program(pid_t pid)
{
	char text[128];

	for (int i = 0; i < 5000; i++) {
		int status;

		ACTOR_CHECK(waitpid(pid, &status, WNOHANG) == 0);
		read_proc(pid, "syscall", text, sizeof(text));
#if defined(__x86_64__)
		if (atoi(text) == SYS_pause && text[0] != 'r')
			return;
#else
		if (atoi(text) == SYS_ppoll && text[0] != 'r')
			return;
#endif
		usleep(1000);
	}
	ACTOR_CHECK(!"the program does not run");
}

static void put_script(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);

	ACTOR_CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void exec_prepare(void *data)
{
	struct exec_notes *notes = data;

	umask(0);
	ACTOR_CHECK(getcwd(notes->cwd, sizeof(notes->cwd)));
	ACTOR_CHECK(mkdir("dir", 0755) == 0);
	program_make("program", 0755);
	program_make("dir/inner", 0755);
	program_make("setuid", 04755);
	program_make("setgid", 02755);
	program_make("new\nline\xff", 0755);
	ACTOR_CHECK(symlink("dir/../program", "link") == 0);
	put_script("script", "#!./program -x\n");
	put_script("outer", "#!./script\n");
}

static void exec_act(void *data)
{
	struct exec_notes *notes = data;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		pid_t pid = fork();

		if (pid == 0) {
			/* Kept by exec: nobody stays behind where the actor fails. */
			alarm(30);
			cases[i].exec();
			live_actor_fail(__FILE__, __LINE__, cases[i].name);
		}
		await_program(pid);
		read_image(pid, &notes->images[i]);
		ACTOR_CHECK(kill(pid, SIGKILL) == 0);
		waitpid(pid, NULL, 0);
	}
}

/* ---- the comparison ---------------------------------------------------------------------------
 */

static uint64_t stamp_ns(struct timespec stamp)
{
	return (uint64_t)stamp.tv_sec * 1000000000ULL + (uint64_t)stamp.tv_nsec;
}

static const struct event *exec_of(const struct live *live, unsigned code, pid_t pid)
{
	const struct event *event;

	for (unsigned n = 0; (event = live_find(live, code, n)); n++)
		if (event->header->ns_pid == (uint32_t)pid)
			return event;
	return NULL;
}

/* `value` must be `want`, or its beginning where it is marked as cut; then a NUL ends it. */
static void expect_area(const struct event *event, unsigned param, struct str want,
			const char *what)
{
	const char *name = event->schema->params[param].name;
	struct str value = event->params[param];
	bool is_cut = event->cut_mask >> param & 1;

	if (want.n == 0) {
		cr_expect(value.n == 0, "%s: %s has %u bytes, want none", what, name, value.n);
		return;
	}
	cr_expect(value.n > 0 && value.n <= want.n, "%s: %s has %u bytes, want %u", what, name,
		  value.n, want.n);
	cr_expect(is_cut == (value.n < want.n), "%s: %s: %u of %u bytes, cut: %d", what, name,
		  value.n, want.n, is_cut);
	cr_expect(value.n == 0 || value.n > want.n ||
			  (memcmp(value.p, want.p, value.n - 1) == 0 && !value.p[value.n - 1]),
		  "%s: %s has other bytes", what, name);
}

static void check_vectors(const struct event *event, const struct image *image, const char *what)
{
	struct str argv = { image->argv, image->argv_bytes };
	struct str zero = { argv.p, argv.n ? (uint32_t)strlen(argv.p) + 1 : 0 };
	struct str env = { image->env, image->env_bytes };

	expect_area(event, PARAM_EXECVE_exe, zero, what);
	expect_area(event, PARAM_EXECVE_args, (struct str){ argv.p + zero.n, argv.n - zero.n },
		    what);
	expect_area(event, PARAM_EXECVE_env, env, what);
	expect_number(event, PARAM_EXECVE_argv_bytes, argv.n, what);
	cr_expect(!!(event->header->flags & WIRE_CUT) == (event->cut_mask != 0), "%s: flags 0x%x",
		  what, event->header->flags);
	cr_expect(!(event->header->flags & (WIRE_FAULT | WIRE_ARGV_SHORT | WIRE_ENV_DROPPED)),
		  "%s: flags 0x%x", what, event->header->flags);
}

static void check_file(const struct event *event, size_t i, const struct image *image)
{
	const char *what = cases[i].name;
	uint64_t bits = 0;

	expect_proc_path(event, PARAM_EXECVE_trusted_exepath, PARAM_EXECVE_exe_ino,
			 cases[i].path ? cases[i].path : image->exe, what);
	expect_number(event, PARAM_EXECVE_exe_ino, (int64_t)image->file.st_ino, what);
	expect_number(event, PARAM_EXECVE_exe_ino_ctime, (int64_t)stamp_ns(image->file.st_ctim),
		      what);
	expect_number(event, PARAM_EXECVE_exe_ino_mtime, (int64_t)stamp_ns(image->file.st_mtim),
		      what);
	cr_expect(event_number(event, PARAM_EXECVE_flags, &bits), "%s", what);
	cr_expect((bits & ~(uint64_t)(WIRE_FILE_WRITABLE | WIRE_FILE_UPPER_LAYER |
				      WIRE_FILE_LOWER_LAYER)) == cases[i].bits,
		  "%s: bits 0x%llx", what, (unsigned long long)bits);
	/* By the rights after the exec: a setuid program's own. */
	cr_expect(!!(bits & WIRE_FILE_WRITABLE) == (image->ids[1] == 0), "%s: bits 0x%llx", what,
		  (unsigned long long)bits);
}

static void check_names(const struct event *event, size_t i, const struct exec_notes *notes)
{
	struct str filename = event_string(event, PARAM_EXECVE_filename);
	struct str interp = event_string(event, PARAM_EXECVE_interp);
	char absolute[300];

	if (!cases[i].filename) {
		cr_expect(str_starts_with(filename, STR("/dev/fd/")), "%s: filename %.*s",
			  cases[i].name, STR_ARG(filename));
	} else {
		snprintf(absolute, sizeof(absolute), "%s/program", notes->cwd);
		expect_string(event, PARAM_EXECVE_filename,
			      *cases[i].filename ? cases[i].filename : absolute, cases[i].name);
	}
	if (!cases[i].interp)
		cr_expect(!interp.p, "%s: interp %.*s", cases[i].name, STR_ARG(interp));
	else
		expect_string(event, PARAM_EXECVE_interp, cases[i].interp, cases[i].name);
	expect_absent(event, PARAM_EXECVE_dirpath, cases[i].name);
}

static void check_task(const struct event *event, const struct image *image, const char *what)
{
	const struct wire_header *header = event->header;
	size_t n = strlen(image->comm);
	uint64_t rss = 0;

	cr_expect(header->uid == image->ids[0] && header->euid == image->ids[1], "%s: uid %u %u",
		  what, header->uid, header->euid);
	cr_expect(header->gid == image->ids[2] && header->egid == image->ids[3], "%s: gid %u %u",
		  what, header->gid, header->egid);
	cr_expect(header->cap_inheritable == image->capabilities[0], "%s", what);
	cr_expect(header->cap_permitted == image->capabilities[1], "%s", what);
	cr_expect(header->cap_effective == image->capabilities[2], "%s", what);
	/* The file ends in a new line that is not the name's. */
	cr_expect(n > 0 && strncmp(header->comm, image->comm, n - 1) == 0 && !header->comm[n - 1],
		  "%s: comm %.16s, want %s", what, header->comm, image->comm);
	expect_number(event, PARAM_EXECVE_fdlimit, (int64_t)image->limit, what);
	expect_number(event, PARAM_EXECVE_vm_size, (int64_t)image->vm_size, what);
	cr_expect(event_number(event, PARAM_EXECVE_vm_rss, &rss) && rss <= image->vm_size, "%s",
		  what);
	expect_number(event, PARAM_EXECVE_vm_swap, 0, what);
}

/* The fork of the process and its exec tell the same identity and two images. */
static void check_identity(const struct live *live, const struct event *event, const char *what)
{
	const struct event *born;
	uint64_t pid = 0, start = 0, exec_id = 0;

	for (unsigned n = 0; (born = live_find(live, EVENT_TASK_NEW, n)); n++)
		if (event_number(born, PARAM_TASK_NEW_child_pid, &pid) && pid == event->header->pid)
			break;
	cr_assert(born != NULL, "%s", what);
	cr_expect(event_number(born, PARAM_TASK_NEW_child_start, &start) &&
			  start == event->header->start_ns,
		  "%s", what);
	cr_expect(event_number(born, PARAM_TASK_NEW_child_exec_id, &exec_id) &&
			  exec_id + 1 == event->header->exec_id,
		  "%s: image %llu after %llu", what, event->header->exec_id,
		  (unsigned long long)exec_id);
}

Test(live_exec, every_parameter_is_what_proc_says, .timeout = 300)
{
	static const char *const names[] = { "execve", "execveat", "procexit", NULL };
	struct live live;
	const struct exec_notes *notes;

	live_run(&live,
		 &(struct live_options){ .syscalls = names,
					 .prepare = exec_prepare,
					 .shared_bytes = sizeof(struct exec_notes),
					 .want_env = true },
		 exec_act);
	notes = live.shared;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct image *image = &notes->images[i];
		const char *what = cases[i].name;
		const struct event *event = exec_of(&live, cases[i].type, image->pid);
		const struct event *end = exec_of(&live, EVENT_PROCEXIT, image->pid);

		cr_assert(event != NULL, "%s: no event", what);
		cr_expect(exec_of(&live,
				  cases[i].type == EVENT_EXECVE ? EVENT_EXECVEAT : EVENT_EXECVE,
				  image->pid) == NULL,
			  "%s: two events", what);
		expect_number(event, PARAM_EXECVE_res, 0, what);
		cr_expect(event->header->syscall_nr == WIRE_NO_SYSCALL, "%s", what);
		expect_proc_path(event, PARAM_EXECVE_cwd, -1,
				 cases[i].exec == exec_below_root ? "/" : image->cwd, what);
		check_names(event, i, notes);
		check_file(event, i, image);
		check_task(event, image, what);
		check_vectors(event, image, what);
		check_identity(&live, event, what);
		cr_assert(end != NULL, "%s", what);
		cr_expect(end->header->exec_id == event->header->exec_id, "%s", what);
		expect_number(end, PARAM_PROCEXIT_sig, SIGKILL, what);
	}
	live_done(&live);
}
