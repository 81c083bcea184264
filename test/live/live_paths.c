/* Paths that an attacker would choose: strange bytes, great length and depth, links, deleted files,
 * objects without a path, other roots; and 32-bit calls. */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define FOLDER "/tmp/haetae-live-paths"
#define DEPTH  100 /* more than the 64 components that a walk keeps whole */

struct shared {
	struct facts facts;
	int64_t results[16];
	char longest[4096]; /* of 4,095 bytes: PATH_MAX with its NUL */
	int fds[8];
	struct stat stats[8];
};

static const struct event *find_name(const struct live *live, const char *name)
{
	const struct event *event;

	for (unsigned n = 0; (event = live_find(live, EVENT_OPENAT, n)); n++)
		if (str_eq_text(event_string(event, PARAM_OPENAT_name), name))
			return event;
	return NULL;
}

static int64_t open_path(const char *path, int flags)
{
	int64_t fd = syscall(SYS_openat, AT_FDCWD, path, flags, 0600);

	return fd < 0 ? -errno : fd;
}

/* ---- strange and long
 * ---------------------------------------------------------------------------- */

static void act_strange(void *data)
{
	struct shared *shared = data;

	mkdir(FOLDER, 0755);
	shared->results[0] = open_path(FOLDER "/new\nline", O_CREAT | O_WRONLY);
	shared->results[1] = open_path(FOLDER "/\xff\xfe\xc0\xaf", O_CREAT | O_WRONLY);
	shared->results[2] = open_path(FOLDER "/\x1b[2J\x01", O_CREAT | O_WRONLY);
	/* The longest that the kernel takes, and one byte more. */
	memset(shared->longest, '/', 4095);
	memcpy(shared->longest + 4095 - 12, "etc/hostname", 12);
	shared->longest[4095] = '\0';
	shared->results[3] = open_path(shared->longest, O_RDONLY);
	unlink(FOLDER "/new\nline");
	unlink(FOLDER "/\xff\xfe\xc0\xaf");
	unlink(FOLDER "/\x1b[2J\x01");
	rmdir(FOLDER);
}

Test(live_paths, strange_bytes, .timeout = 60)
{
	static const char *const names[] = { "openat", NULL };
	static const char *const paths[] = { FOLDER "/new\nline", FOLDER "/\xff\xfe\xc0\xaf",
					     FOLDER "/\x1b[2J\x01" };
	const struct event *event;
	struct live live;
	struct shared *shared;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_strange);
	shared = live.shared;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		event = find_name(&live, paths[i]);
		cr_assert(event != NULL, "%s", paths[i]);
		cr_assert(shared->results[i] >= 0);
		expect_kpath(event, PARAM_OPENAT_path, paths[i], "strange bytes");
	}
	event = find_name(&live, shared->longest);
	cr_assert(event != NULL, "4,095 bytes");
	cr_assert(shared->results[3] >= 0);
	expect_kpath(event, PARAM_OPENAT_path, "/etc/hostname", "4,095 bytes");
	cr_expect(event->cut_mask == 0, "4,095 bytes fit");
	live_done(&live);
}

static void act_deep(void *data)
{
	struct shared *shared = data;
	char name[16];

	mkdir(FOLDER, 0755);
	(void)!chdir(FOLDER);
	for (int i = 0; i < DEPTH; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		mkdir(name, 0755);
		(void)!chdir(name);
	}
	shared->results[0] = open_path("leaf", O_CREAT | O_WRONLY);
	unlink("leaf");
	for (int i = DEPTH - 1; i >= 0; i--) {
		snprintf(name, sizeof(name), "d%d", i);
		(void)!chdir("..");
		rmdir(name);
	}
	(void)!chdir("/");
	rmdir(FOLDER);
}

Test(live_paths, deeper_than_64, .timeout = 60)
{
	static const char *const names[] = { "openat", NULL };
	const struct wire_path *head;
	const struct event *event;
	struct live live;
	struct str path;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_deep);
	event = find_name(&live, "leaf");
	cr_assert(event != NULL);
	head = event_kpath_head(event, PARAM_OPENAT_path);
	cr_assert(head != NULL);
	path = event_kpath(event, PARAM_OPENAT_path, -1, false);
	cr_expect(head->flags & WIRE_PATH_TRUNCATED);
	/* /tmp, the folder, DEPTH directories, the leaf. */
	cr_expect(head->component_cnt + head->skipped_cnt == DEPTH + 3, "%u + %u",
		  head->component_cnt, head->skipped_cnt);
	cr_expect(str_starts_with(path, STR(FOLDER "/d0/d1/")), "%.*s", STR_ARG(path));
	cr_expect(str_ends_with(path, STR("/d98/d99/leaf")), "%.*s", STR_ARG(path));
	cr_expect(str_contains(path, STR("/.../")), "the gap shows: %.*s", STR_ARG(path));
	live_done(&live);
}

/* ---- links, deleted files, objects without a path
 * ---------------------------------------------------- */

static void act_objects(void *data)
{
	struct shared *shared = data;
	char path[64];
	int pair[2], ends[2];

	mkdir(FOLDER, 0755);
	(void)!symlink("/etc", FOLDER "/link");
	open_path(FOLDER "/link/hostname", O_RDONLY);
	shared->fds[0] = (int)open_path(FOLDER "/gone", O_CREAT | O_RDWR);
	unlink(FOLDER "/gone");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", shared->fds[0]);
	open_path(path, O_RDONLY);
	(void)!pipe(pair);
	fstat(pair[0], &shared->stats[1]);
	shared->fds[1] = pair[0];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pair[0]);
	open_path(path, O_RDONLY);
	shared->fds[2] = memfd_create("ghost", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", shared->fds[2]);
	open_path(path, O_RDONLY);
	(void)!socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	shared->fds[3] = ends[0];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	shared->results[3] = open_path(path, O_RDONLY);
	stat("/proc/self/ns/net", &shared->stats[4]);
	open_path("/proc/self/ns/net", O_RDONLY);
	unlink(FOLDER "/link");
	rmdir(FOLDER);
}

Test(live_paths, links_and_objects, .timeout = 60)
{
	static const char *const names[] = { "openat", NULL };
	const struct event *event;
	struct live live;
	struct shared *shared;
	char name[64], want[64];
	struct str path;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_objects);
	shared = live.shared;

	event = find_name(&live, FOLDER "/link/hostname");
	cr_assert(event != NULL);
	expect_kpath(event, PARAM_OPENAT_path, "/etc/hostname", "link");
	path = event_passed_path(event, PARAM_OPENAT_name, PARAM_OPENAT_dirpath);
	cr_expect(str_eq_text(path, FOLDER "/link/hostname"), "as passed: %.*s", STR_ARG(path));

	snprintf(name, sizeof(name), "/proc/self/fd/%d", shared->fds[0]);
	event = find_name(&live, name);
	cr_assert(event != NULL);
	expect_kpath(event, PARAM_OPENAT_path, FOLDER "/gone", "deleted");
	cr_expect(event_kpath_head(event, PARAM_OPENAT_path)->flags & WIRE_PATH_DELETED);

	snprintf(name, sizeof(name), "/proc/self/fd/%d", shared->fds[1]);
	event = find_name(&live, name);
	cr_assert(event != NULL);
	snprintf(want, sizeof(want), "pipe:[%llu]", (unsigned long long)shared->stats[1].st_ino);
	path = event_kpath(event, PARAM_OPENAT_path, PARAM_OPENAT_ino, false);
	cr_expect(str_eq_text(path, want), "pipe: %.*s", STR_ARG(path));

	snprintf(name, sizeof(name), "/proc/self/fd/%d", shared->fds[2]);
	event = find_name(&live, name);
	cr_assert(event != NULL);
	expect_kpath(event, PARAM_OPENAT_path, "memfd:ghost", "memfd");

	snprintf(name, sizeof(name), "/proc/self/fd/%d", shared->fds[3]);
	event = find_name(&live, name);
	cr_assert(event != NULL);
	cr_expect(event->header->result == -ENXIO, "a socket cannot be opened");

	event = find_name(&live, "/proc/self/ns/net");
	cr_assert(event != NULL);
	snprintf(want, sizeof(want), "net:[%llu]", (unsigned long long)shared->stats[4].st_ino);
	path = event_kpath(event, PARAM_OPENAT_path, PARAM_OPENAT_ino, false);
	cr_expect(str_eq_text(path, want), "namespace: %.*s", STR_ARG(path));
	live_done(&live);
}

/* ---- another root
 * ------------------------------------------------------------------------------------- */

static void act_chroot(void *data)
{
	pid_t pid;

	(void)data;
	mkdir(FOLDER, 0755);
	mkdir(FOLDER "/etc", 0755);
	pid = fork();
	if (pid == 0) {
		(void)!chroot(FOLDER);
		(void)!chdir("/");
		open_path("/etc/inside", O_CREAT | O_WRONLY);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	unlink(FOLDER "/etc/inside");
	rmdir(FOLDER "/etc");
	rmdir(FOLDER);
}

Test(live_paths, chroot, .timeout = 60)
{
	static const char *const names[] = { "openat", NULL };
	const struct event *event;
	struct live live;
	struct str path;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_chroot);
	event = find_name(&live, "/etc/inside");
	cr_assert(event != NULL);
	expect_kpath(event, PARAM_OPENAT_path, "/etc/inside", "in the process's root");
	path = event_kpath(event, PARAM_OPENAT_path, -1, true);
	cr_expect(str_eq_text(path, FOLDER "/etc/inside"), "in the namespace's: %.*s",
		  STR_ARG(path));
	live_done(&live);
}

/* ---- 32-bit calls
 * -------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
/* open(2) of i386 by its gate, from this 64-bit program: number 5, arguments in ebx, ecx, edx
 * (arch/x86/entry/syscalls/syscall_32.tbl). Pointers must lie below 4 GiB. */
static long int80_open(const char *path, int flags)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(5L), "b"(path), "c"((long)flags), "d"(0L)
			 : "r8", "r9", "r10", "r11", "memory");
	return result;
}

static void act_int80(void *data)
{
	struct shared *shared = data;
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	strcpy(low, "/etc/hostname");
	facts_read(&shared->facts);
	shared->results[0] = int80_open(low, O_RDONLY | O_CLOEXEC);
	strcpy(low, "/etc/absent");
	shared->results[1] = int80_open(low, O_RDONLY);
}

Test(live_paths, calls_by_int_0x80, .timeout = 60)
{
	static const char *const names[] = { "open", NULL };
	const struct event *event;
	struct live live;
	struct shared *shared;

	live_run(&live, &(struct live_options){ .syscalls = names }, act_int80);
	shared = live.shared;
	if (shared->results[0] == -ENOSYS)
		cr_skip_test("this kernel has no 32-bit calls (CONFIG_IA32_EMULATION)");
	event = live_find(&live, EVENT_OPEN, 0);
	cr_assert(event != NULL, "result %lld", (long long)shared->results[0]);
	expect_header(event, &shared->facts, shared->results[0], "int 0x80");
	cr_expect(event->header->flags & WIRE_COMPAT32);
	cr_expect(event->header->syscall_nr == SYS_open, "the native number");
	expect_string(event, PARAM_OPEN_name, "/etc/hostname", "int 0x80");
	expect_number(event, PARAM_OPEN_flags, O_RDONLY | O_CLOEXEC, "int 0x80");
	expect_kpath(event, PARAM_OPEN_path, "/etc/hostname", "int 0x80");
	event = live_find(&live, EVENT_OPEN, 1);
	cr_assert(event != NULL);
	expect_number(event, PARAM_OPEN_fd, -ENOENT, "int 0x80 fails");
	/* Number 5 of the native table is fstat: nobody asked for it. */
	cr_expect(live_count(&live, EVENT_OPEN) == 2);
	live_done(&live);
}
#endif
