/* exec, fork, exit: every parameter, success and failure; the identity of processes and images. */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define FOLDER "/tmp/haetae-live-exec"

struct exec_shared {
	struct facts actor;  /* the parent of all */
	struct facts before; /* the child before its exec */
	struct stat stat;    /* of the executable */
	struct rlimit descriptors;
	pid_t child;
	int result;
};

static struct exec_shared *exec_shared;

static void copy_file(const char *from, const char *to, mode_t mode)
{
	char block[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	ssize_t n;

	while ((n = read(in, block, sizeof(block))) > 0)
		(void)!write(out, block, (size_t)n);
	close(in);
	close(out);
}

/* Forks, reads facts in the child, runs fn there, waits. */
static void in_child(struct exec_shared *shared, void (*fn)(void))
{
	pid_t pid;

	exec_shared = shared;
	facts_read(&shared->actor);
	getrlimit(RLIMIT_NOFILE, &shared->descriptors);
	pid = fork();
	if (pid == 0) {
		facts_read(&shared->before);
		fn();
		shared->result = errno;
		_exit(99);
	}
	shared->child = pid;
	waitpid(pid, NULL, 0);
}

static const struct event *find_of(const struct live *live, unsigned code, pid_t pid)
{
	const struct event *event;

	for (unsigned n = 0; (event = live_find(live, code, n)); n++)
		if (event->header->pid == (uint32_t)pid)
			return event;
	return NULL;
}

static void expect_vector(const struct event *event, unsigned param, const char *bytes, size_t n,
			  const char *what)
{
	struct str value = event->params[param];

	cr_expect(value.n == n && memcmp(value.p, bytes, n) == 0, "%s: %s has %u bytes, want %zu",
		  what, event->schema->params[param].name, value.n, n);
}

/* ---- execve ------------------------------------------------------------------------------------
 */

static void exec_true(void)
{
	char *const argv[] = { "argv zero", "one", "", "two words", NULL };
	char *const envp[] = { "A=1", "EMPTY=", NULL };

	execve("./true", argv, envp);
}

static void act_execve(void *data)
{
	struct exec_shared *shared = data;

	mkdir(FOLDER, 0755);
	copy_file("/bin/true", FOLDER "/true", 0755);
	stat(FOLDER "/true", &shared->stat);
	(void)!chdir(FOLDER);
	in_child(shared, exec_true);
	(void)!chdir("/");
	unlink(FOLDER "/true");
	rmdir(FOLDER);
}

static uint64_t timespec_ns(struct timespec ts)
{
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void expect_derived(const struct event *event, const char *what)
{
	const struct wire_header *header = event->header;

	expect_number(event, PARAM_EXECVE_tid, header->tid, what);
	expect_number(event, PARAM_EXECVE_pid, header->pid, what);
	expect_number(event, PARAM_EXECVE_ptid, header->parent_pid, what);
	expect_number(event, PARAM_EXECVE_tty, header->tty, what);
	expect_number(event, PARAM_EXECVE_vpgid, header->ns_group_id, what);
	expect_number(event, PARAM_EXECVE_pgid, header->group_id, what);
	expect_number(event, PARAM_EXECVE_loginuid, header->loginuid, what);
	expect_number(event, PARAM_EXECVE_uid, header->euid, what);
	expect_number(event, PARAM_EXECVE_gid, header->egid, what);
	expect_number(event, PARAM_EXECVE_cap_effective, (int64_t)header->cap_effective, what);
	expect_number(event, PARAM_EXECVE_cap_permitted, (int64_t)header->cap_permitted, what);
	expect_number(event, PARAM_EXECVE_cap_inheritable, (int64_t)header->cap_inheritable, what);
	cr_expect(strncmp(event_string(event, PARAM_EXECVE_comm).p, header->comm,
			  event_string(event, PARAM_EXECVE_comm).n) == 0,
		  "%s: comm", what);
	expect_absent(event, PARAM_EXECVE_cgroups, what);
}

Test(live_process, execve, .timeout = 300)
{
	static const char *const names[] = { "execve", NULL };
	const struct event *event, *born;
	struct live live;
	struct exec_shared *shared;
	uint64_t value = 0, rss = 0;

	live_run(&live, &(struct live_options){ .syscalls = names, .want_env = true }, act_execve);
	shared = live.shared;
	event = find_of(&live, EVENT_EXECVE, shared->child);
	born = find_of(&live, EVENT_TASK_NEW, (pid_t)shared->actor.pid);
	cr_assert(event && born);
	strcpy(shared->before.comm, "true");
	expect_header(event, &shared->before, 0, "execve");
	expect_derived(event, "execve");
	expect_number(event, PARAM_EXECVE_res, 0, "execve");
	expect_string(event, PARAM_EXECVE_exe, "argv zero", "execve");
	expect_vector(event, PARAM_EXECVE_args, "one\0\0two words", 15, "execve");
	expect_vector(event, PARAM_EXECVE_env, "A=1\0EMPTY=", 11, "execve");
	expect_kpath(event, PARAM_EXECVE_cwd, FOLDER, "execve");
	expect_number(event, PARAM_EXECVE_fdlimit, (int64_t)shared->descriptors.rlim_cur, "execve");
	expect_string(event, PARAM_EXECVE_filename, "./true", "execve");
	expect_absent(event, PARAM_EXECVE_interp, "execve");
	expect_kpath(event, PARAM_EXECVE_trusted_exepath, FOLDER "/true", "execve");
	expect_number(event, PARAM_EXECVE_exe_ino, (int64_t)shared->stat.st_ino, "execve");
	expect_number(event, PARAM_EXECVE_exe_ino_ctime, (int64_t)timespec_ns(shared->stat.st_ctim),
		      "execve");
	expect_number(event, PARAM_EXECVE_exe_ino_mtime, (int64_t)timespec_ns(shared->stat.st_mtim),
		      "execve");
	expect_number(event, PARAM_EXECVE_flags, WIRE_FILE_WRITABLE, "execve");
	expect_number(event, PARAM_EXECVE_argv_bytes, 10 + 15, "execve");
	cr_expect(event_number(event, PARAM_EXECVE_vm_size, &value) && value > 100, "vm_size");
	cr_expect(event_number(event, PARAM_EXECVE_vm_rss, &rss) && rss <= value, "vm_rss");
	expect_number(event, PARAM_EXECVE_vm_swap, 0, "execve");
	cr_expect(event_number(event, PARAM_EXECVE_pgft_min, &value) && value > 0, "pgft_min");
	cr_expect(event_number(event, PARAM_EXECVE_pgft_maj, &value), "pgft_maj");
	cr_expect(event->header->exec_id == born->header->exec_id + 1, "an exec is a new image");
	live_done(&live);
}

/* The kernel gives up before it looks at the strings, and a probe cannot fault a page in: on the
 * stack they are there. */
static void exec_absent(void)
{
	char zero[] = "zero", one[] = "one", variable[] = "B=2", name[] = "absent/program";
	char *const argv[] = { zero, one, NULL };
	char *const envp[] = { variable, NULL };

	execve(name, argv, envp);
}

static void act_execve_fails(void *data)
{
	(void)!chdir("/tmp");
	in_child(data, exec_absent);
}

Test(live_process, execve_fails, .timeout = 300)
{
	static const char *const names[] = { "execve", NULL };
	const struct event *event;
	struct live live;
	struct exec_shared *shared;

	live_run(&live, &(struct live_options){ .syscalls = names, .want_env = true },
		 act_execve_fails);
	shared = live.shared;
	event = find_of(&live, EVENT_EXECVE, shared->child);
	cr_assert(event != NULL);
	cr_assert(shared->result == ENOENT);
	expect_header(event, &shared->before, -ENOENT, "execve fails");
	expect_derived(event, "execve fails");
	expect_number(event, PARAM_EXECVE_res, -ENOENT, "execve fails");
	expect_string(event, PARAM_EXECVE_exe, "zero", "execve fails");
	expect_vector(event, PARAM_EXECVE_args, "one", 4, "execve fails");
	expect_vector(event, PARAM_EXECVE_env, "B=2", 4, "execve fails");
	expect_string(event, PARAM_EXECVE_filename, "absent/program", "execve fails");
	expect_kpath(event, PARAM_EXECVE_dirpath, "/tmp", "execve fails");
	expect_kpath(event, PARAM_EXECVE_cwd, "/tmp", "execve fails");
	live_done(&live);
}

/* ---- execveat, memfd, script
 * ---------------------------------------------------------------------- */

static void exec_memfd(void)
{
	char *const argv[] = { "ghost", "x", NULL };
	char *const envp[] = { NULL };
	int fd = memfd_create("payload", MFD_CLOEXEC);
	char block[65536];
	int in = open("/bin/true", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while ((n = read(in, block, sizeof(block))) > 0)
		(void)!write(fd, block, (size_t)n);
	syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
}

static void act_memfd(void *data)
{
	in_child(data, exec_memfd);
}

Test(live_process, execveat_of_a_memfd, .timeout = 300)
{
	static const char *const names[] = { "execve", "execveat", NULL };
	const struct event *event;
	struct live live;
	struct exec_shared *shared;
	uint64_t bits = 0;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_memfd);
	shared = live.shared;
	event = find_of(&live, EVENT_EXECVEAT, shared->child);
	cr_assert(event != NULL);
	cr_expect(find_of(&live, EVENT_EXECVE, shared->child) == NULL, "one call, one event");
	expect_number(event, PARAM_EXECVEAT_res, 0, "memfd");
	expect_string(event, PARAM_EXECVEAT_exe, "ghost", "memfd");
	cr_expect(event_number(event, PARAM_EXECVEAT_flags, &bits) && bits & WIRE_FILE_MEMFD,
		  "bits %llx", (unsigned long long)bits);
	expect_kpath(event, PARAM_EXECVEAT_trusted_exepath, "memfd:payload", "memfd");
	expect_absent(event, PARAM_EXECVEAT_env, "memfd: nobody asked for it");
	live_done(&live);
}

static void exec_at_directory(void)
{
	char *const argv[] = { "sh", "-c", "exit 3", NULL };
	char *const envp[] = { NULL };
	int fd = open("/bin", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	syscall(SYS_execveat, fd, "sh", argv, envp, 0);
}

static void exec_at_fails(void)
{
	char x[] = "x", name[] = "absent";
	char *const argv[] = { x, NULL };
	int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	syscall(SYS_execveat, fd, name, argv, argv, 0);
}

static void act_execveat(void *data)
{
	struct exec_shared *shared = data;

	in_child(&shared[0], exec_at_directory);
	in_child(&shared[1], exec_at_fails);
}

Test(live_process, execveat, .timeout = 300)
{
	static const char *const names[] = { "execveat", "procexit", NULL };
	const struct event *event;
	struct live live;
	struct exec_shared *shared;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_execveat);
	shared = live.shared;
	event = find_of(&live, EVENT_EXECVEAT, shared[0].child);
	cr_assert(event != NULL);
	expect_number(event, PARAM_EXECVEAT_res, 0, "execveat");
	cr_expect(str_starts_with(event_string(event, PARAM_EXECVEAT_filename), STR("/dev/fd/")));
	event = find_of(&live, EVENT_PROCEXIT, shared[0].child);
	cr_assert(event != NULL);
	expect_number(event, PARAM_PROCEXIT_ret, 3, "exit code");
	event = find_of(&live, EVENT_EXECVEAT, shared[1].child);
	cr_assert(event != NULL);
	expect_header(event, &shared[1].before, -ENOENT, "execveat fails");
	expect_number(event, PARAM_EXECVEAT_res, -ENOENT, "execveat fails");
	expect_string(event, PARAM_EXECVEAT_filename, "absent", "execveat fails");
	expect_kpath(event, PARAM_EXECVEAT_dirpath, "/tmp", "execveat fails");
	live_done(&live);
}

static void exec_script(void)
{
	char *const argv[] = { "script", "arg", NULL };

	execve(FOLDER "/script", argv, environ);
}

static void act_script(void *data)
{
	int fd;

	mkdir(FOLDER, 0755);
	fd = open(FOLDER "/script", O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0755);
	(void)!write(fd, "#!/bin/sh\nexit 0\n", 17);
	close(fd);
	in_child(data, exec_script);
	unlink(FOLDER "/script");
	rmdir(FOLDER);
}

Test(live_process, script, .timeout = 300)
{
	static const char *const names[] = { "execve", NULL };
	const struct event *event;
	struct live live;
	struct exec_shared *shared;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_script);
	shared = live.shared;
	event = find_of(&live, EVENT_EXECVE, shared->child);
	cr_assert(event != NULL);
	cr_expect(strncmp(event->header->comm, "script", 7) == 0, "comm is the script's");
	expect_string(event, PARAM_EXECVE_filename, FOLDER "/script", "script");
	expect_string(event, PARAM_EXECVE_interp, "/bin/sh", "script");
	live_done(&live);
}

/* ---- large and hostile --------------------------------------------------------------------------
 */

#define LARGE_COUNT 16
#define LARGE_BYTES (127 * 1024)

static void exec_large(void)
{
	static char strings[LARGE_COUNT][LARGE_BYTES];
	char *argv[LARGE_COUNT + 2] = { "large" };
	char *const envp[] = { "C=3", NULL };

	for (int i = 0; i < LARGE_COUNT; i++) {
		memset(strings[i], 'a' + i, LARGE_BYTES - 1);
		argv[i + 1] = strings[i];
	}
	execve("/bin/true", argv, envp);
}

static void act_large(void *data)
{
	in_child(data, exec_large);
}

Test(live_process, arguments_of_two_mebibytes, .timeout = 300)
{
	static const char *const names[] = { "execve", NULL };
	const struct event *event;
	struct live live;
	struct exec_shared *shared;
	struct str args;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_large);
	shared = live.shared;
	event = find_of(&live, EVENT_EXECVE, shared->child);
	cr_assert(event != NULL);
	expect_number(event, PARAM_EXECVE_res, 0, "large");
	expect_number(event, PARAM_EXECVE_argv_bytes, 6 + LARGE_COUNT * LARGE_BYTES, "large");
	args = event->params[PARAM_EXECVE_args];
	cr_expect(args.n > 8192 && args.p[0] == 'a' && args.p[args.n - 1] == '\0', "%u bytes",
		  args.n);
	cr_expect(event->cut_mask >> PARAM_EXECVE_args & 1, "the cut is marked");
	cr_expect(event->header->flags & WIRE_CUT, "and in the header");
	expect_kpath(event, PARAM_EXECVE_trusted_exepath, "/usr/bin/true", "large");
	live_done(&live);
}

static void exec_strange_name(void)
{
	prctl(PR_SET_NAME, "\x01\x1b[2J\xff\n");
	facts_read(&exec_shared->before);
	memcpy(exec_shared->before.comm, "\x01\x1b[2J\xff\n", 8);
	syscall(SYS_execve, FOLDER "/a\nb\xff\x80", NULL, NULL);
}

static void act_strange(void *data)
{
	in_child(data, exec_strange_name);
}

Test(live_process, strange_names, .timeout = 300)
{
	static const char *const names[] = { "execve", NULL };
	const struct event *event;
	struct live live;
	struct exec_shared *shared;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_strange);
	shared = live.shared;
	event = find_of(&live, EVENT_EXECVE, shared->child);
	cr_assert(event != NULL);
	expect_header(event, &shared->before, -shared->result, "strange");
	expect_string(event, PARAM_EXECVE_filename, FOLDER "/a\nb\xff\x80", "strange");
	expect_absent(event, PARAM_EXECVE_exe, "no argv at all");
	live_done(&live);
}

/* ---- fork, threads, exit
 * ---------------------------------------------------------------------------- */

struct family {
	struct facts parent, child;
	pid_t children[4];
	uint64_t unused;
};

static int clone_child(void *data)
{
	struct family *family = data;

	facts_read(&family->child);
	return 0;
}

static void act_family(void *data)
{
	struct family *family = data;
	static char stack[262144];
	int status;

	pid_t pid; /* not in shared memory, where the child would write too */

	facts_read(&family->parent);
	pid = fork();
	if (pid == 0)
		_exit(42);
	family->children[0] = pid;
	waitpid(pid, &status, 0);
	pid = fork();
	if (pid == 0) {
		raise(SIGKILL);
		_exit(0);
	}
	family->children[1] = pid;
	waitpid(pid, &status, 0);
	/* A sibling instead of a child: the creator is not the parent. */
	family->children[2] =
		clone(clone_child, stack + sizeof(stack), CLONE_PARENT | SIGCHLD, family);
	pid = vfork();
	if (pid == 0)
		_exit(7);
	family->children[3] = pid;
	waitpid(pid, &status, 0);
	usleep(200000);
}

static const struct event *find_child(const struct live *live, pid_t child)
{
	const struct event *event;
	uint64_t pid;

	for (unsigned n = 0; (event = live_find(live, EVENT_TASK_NEW, n)); n++)
		if (event_number(event, PARAM_TASK_NEW_child_pid, &pid) && pid == (uint64_t)child)
			return event;
	return NULL;
}

Test(live_process, fork_and_exit, .timeout = 300)
{
	static const char *const names[] = { "procexit", NULL };
	const struct event *event;
	struct live live;
	struct family *family;
	uint64_t start = 0;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_family);
	family = live.shared;
	for (unsigned i = 0; i < 4; i++) {
		const struct event *end;

		event = find_child(&live, family->children[i]);
		cr_assert(event != NULL, "child %u was not seen", i);
		if (i != 3) /* vfork's parent waits in the kernel; its header is the same */
			expect_header(event, &family->parent, event->header->result, "fork");
		expect_number(event, PARAM_TASK_NEW_child_ns_pid, family->children[i], "fork");
		expect_number(event, PARAM_TASK_NEW_child_pid_ns, family->parent.pid_ns, "fork");
		expect_number(event, PARAM_TASK_NEW_child_exec_id, (int64_t)event->header->exec_id,
			      "a fork has its creator's image");
		expect_number(event, PARAM_TASK_NEW_parent_pid,
			      i == 2 ? family->parent.parent_pid : family->parent.pid, "parent");
		event_number(event, PARAM_TASK_NEW_child_start, &start);
		end = find_of(&live, EVENT_PROCEXIT, family->children[i]);
		cr_assert(end != NULL, "child %u: no exit", i);
		cr_expect(end->header->start_ns == start, "child %u: one identity", i);
		cr_expect(end->header->exec_id == event->header->exec_id, "child %u: one image", i);
	}
	event = find_of(&live, EVENT_PROCEXIT, family->children[0]);
	expect_number(event, PARAM_PROCEXIT_status, 42 << 8, "exit 42");
	expect_number(event, PARAM_PROCEXIT_ret, 42, "exit 42");
	expect_absent(event, PARAM_PROCEXIT_sig, "exit 42");
	expect_number(event, PARAM_PROCEXIT_core, 0, "exit 42");
	expect_number(event, PARAM_PROCEXIT_reaper_tid, 0, "no children");
	event = find_of(&live, EVENT_PROCEXIT, family->children[1]);
	expect_number(event, PARAM_PROCEXIT_status, SIGKILL, "killed");
	expect_number(event, PARAM_PROCEXIT_sig, SIGKILL, "killed");
	expect_absent(event, PARAM_PROCEXIT_ret, "killed");
	live_done(&live);
}

struct threads {
	struct facts main, thread;
	pid_t child;
	int fd;
};

static void *open_in_thread(void *data)
{
	struct threads *threads = data;

	prctl(PR_SET_NAME, "second");
	facts_read(&threads->thread);
	threads->fd = (int)syscall(SYS_open, "/etc/hostname", O_RDONLY);
	return NULL;
}

static void *exec_in_thread(void *data)
{
	char *const argv[] = { "by-thread", NULL };

	(void)data;
	execve("/bin/true", argv, environ);
	return NULL;
}

static void act_threads(void *data)
{
	struct threads *threads = data;
	pthread_t thread;
	pid_t pid;

	facts_read(&threads->main);
	pthread_create(&thread, NULL, open_in_thread, threads);
	pthread_join(thread, NULL);
	pid = fork();
	if (pid == 0) {
		pthread_create(&thread, NULL, exec_in_thread, NULL);
		pause();
	}
	threads->child = pid;
	waitpid(pid, NULL, 0);
}

Test(live_process, threads, .timeout = 300)
{
	static const char *const names[] = { "open", "execve", "procexit", NULL };
	const struct event *event;
	struct live live;
	struct threads *threads;
	unsigned n;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_threads);
	threads = live.shared;
	n = live_count(&live, EVENT_OPEN);
	cr_assert(n > 0);
	event = live_find(&live, EVENT_OPEN, n - 1);
	expect_header(event, &threads->thread, threads->fd, "a thread's call");
	cr_expect(event->header->pid != event->header->tid);
	cr_expect(event->header->flags & WIRE_MULTITHREADED);
	cr_expect(find_child(&live, (pid_t)threads->thread.tid) == NULL, "a thread is no process");
	event = find_of(&live, EVENT_EXECVE, threads->child);
	cr_assert(event != NULL, "exec by a thread is the process's");
	cr_expect(event->header->tid == event->header->pid, "which takes over its number");
	expect_string(event, PARAM_EXECVE_exe, "by-thread", "exec by a thread");
	event = find_of(&live, EVENT_PROCEXIT, threads->child);
	cr_assert(event != NULL);
	cr_expect(live_count(&live, EVENT_PROCEXIT) == 2, "one exit a process, not a thread: %u",
		  live_count(&live, EVENT_PROCEXIT));
	live_done(&live);
}
