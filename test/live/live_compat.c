/*
 * Calls by another convention than the program's own (decision 9): 32-bit calls of a 64-bit program
 * through int 0x80, which only a flag of the thread tells apart, and x32's numbers. Each is
 * reported with the native number and the parameters that the native call would have.
 */
#include "live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#if defined(__x86_64__)

/* arch/x86/entry/syscalls/syscall_32.tbl */
enum gate_call {
	GATE_OPEN = 5,
	GATE_CREAT = 8,
	GATE_UNLINK = 10,
	GATE_EXECVE = 11,
	GATE_CHMOD = 15,
	GATE_SOCKETCALL = 102,
	GATE_OPENAT = 295,
	GATE_UNLINKAT = 301,
	GATE_EXECVEAT = 358,
	GATE_CONNECT = 362,
	GATE_OPENAT2 = 437,
};

#define X32_BIT		   0x40000000L
#define X32_EXECVE	   520
#define SOCKETCALL_CONNECT 3 /* include/uapi/linux/net.h */

/* Pointers must lie below 4 GiB: all that the calls read is in here. */
struct low {
	char path[64], name[16];
	char argument[16];
	uint32_t argv[3], socketcall[3];
	struct open_how how;
	struct sockaddr_in address;
};

struct shared {
	struct facts facts;
	char cwd[256];
	int64_t results[16];
	int socket, dirfd;
	pid_t child;
	bool has_gate;
	uint16_t port;
};

enum {
	CASE_OPEN,
	CASE_OPEN_FAILS,
	CASE_CREAT,
	CASE_OPENAT,
	CASE_OPENAT2,
	CASE_UNLINK,
	CASE_UNLINKAT,
	CASE_CONNECT,
	CASE_SOCKETCALL,
	CASE_EXECVE,
	CASE_EXECVEAT,
	CASE_CHMOD,
	CASE_UNWANTED,
	CASE_X32_OPEN,
	CASE_X32_EXECVE,
};

static long gate(enum gate_call number, long a, long b, long c, long d)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"((long)number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(0L)
			 : "r8", "r9", "r10", "r11", "memory");
	return result;
}

static uint32_t low_address(const void *p)
{
	ACTOR_CHECK((uintptr_t)p <= UINT32_MAX);
	return (uint32_t)(uintptr_t)p;
}

static int64_t with_errno(long result)
{
	return result < 0 ? -errno : result;
}

/* Child: without the gate the instruction is a fault (CONFIG_IA32_EMULATION, ia32_emulation=). */
static bool has_gate(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(gate(GATE_OPEN, 0, 0, 0, 0) == -EFAULT ? 0 : 1);
	return live_wait(pid) == 0;
}

static void act_files(struct shared *shared, struct low *low)
{
	int64_t *results = shared->results;
	long path = low_address(low->path), name = low_address(low->name);

	live_mark(CASE_OPEN);
	results[CASE_OPEN] = gate(GATE_OPEN, path, O_RDONLY | O_CLOEXEC, 0777, 0);
	strcpy(low->path, "/haetae/absent");
	live_mark(CASE_OPEN_FAILS);
	results[CASE_OPEN_FAILS] = gate(GATE_OPEN, path, O_WRONLY, 0, 0);
	live_mark(CASE_CREAT);
	results[CASE_CREAT] = gate(GATE_CREAT, name, 0640, 0, 0);
	live_mark(CASE_OPENAT);
	results[CASE_OPENAT] = gate(GATE_OPENAT, AT_FDCWD, name, O_RDWR, 0);
	low->how = (struct open_how){ .flags = O_RDONLY, .resolve = RESOLVE_NO_SYMLINKS };
	live_mark(CASE_OPENAT2);
	results[CASE_OPENAT2] =
		gate(GATE_OPENAT2, shared->dirfd, name, low_address(&low->how), sizeof(low->how));
	live_mark(CASE_UNLINK);
	results[CASE_UNLINK] = gate(GATE_UNLINK, name, 0, 0, 0);
	live_mark(CASE_UNLINKAT);
	results[CASE_UNLINKAT] = gate(GATE_UNLINKAT, shared->dirfd, name, AT_REMOVEDIR, 0);
	live_mark(CASE_CHMOD);
	results[CASE_CHMOD] = gate(GATE_CHMOD, name, 0123, 0, 0);
	/* 21 is mount here and access in the native table; nobody asked for mount. */
	live_mark(CASE_UNWANTED);
	gate(21, 0, 0, 0, 0);
	live_mark(LIVE_NO_MARK);
}

static void act_sockets(struct shared *shared, struct low *low)
{
	int64_t *results = shared->results;

	low->address = (struct sockaddr_in){ .sin_family = AF_INET,
					     .sin_port = htons(shared->port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	low->socketcall[0] = (uint32_t)shared->socket;
	low->socketcall[1] = low_address(&low->address);
	low->socketcall[2] = sizeof(low->address);
	live_mark(CASE_CONNECT);
	results[CASE_CONNECT] = gate(GATE_CONNECT, shared->socket, low_address(&low->address),
				     sizeof(low->address), 0);
	live_mark(CASE_SOCKETCALL);
	results[CASE_SOCKETCALL] =
		gate(GATE_SOCKETCALL, SOCKETCALL_CONNECT, low_address(low->socketcall), 0, 0);
	live_mark(LIVE_NO_MARK);
}

static void act_execs(struct shared *shared, struct low *low)
{
	int64_t *results = shared->results;

	strcpy(low->path, "/haetae/no-program");
	strcpy(low->argument, "argument");
	low->argv[0] = low_address(low->name);
	low->argv[1] = low_address(low->argument);
	live_mark(CASE_EXECVE);
	results[CASE_EXECVE] = gate(GATE_EXECVE, low_address(low->path), low_address(low->argv),
				    low_address(&low->argv[2]), 0);
	live_mark(CASE_EXECVEAT);
	results[CASE_EXECVEAT] = gate(GATE_EXECVEAT, shared->dirfd, low_address(low->name),
				      low_address(low->argv), low_address(&low->argv[2]));
	live_mark(LIVE_NO_MARK);
}

/* Without CONFIG_X86_X32_ABI the kernel says ENOSYS, and the attempt is an event all the same. */
static void act_x32(struct shared *shared)
{
	char *argv[] = { NULL };

	live_mark(CASE_X32_OPEN);
	shared->results[CASE_X32_OPEN] =
		with_errno(syscall(SYS_open | X32_BIT, "/haetae/absent", O_RDONLY));
	live_mark(CASE_X32_EXECVE);
	shared->results[CASE_X32_EXECVE] =
		with_errno(syscall(X32_EXECVE | X32_BIT, "/haetae/absent", argv, argv));
	live_mark(LIVE_NO_MARK);
}

static void prepare(void *data)
{
	struct shared *shared = data;
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int closed = socket(AF_INET, SOCK_STREAM, 0);

	facts_read(&shared->facts);
	ACTOR_CHECK(getcwd(shared->cwd, sizeof(shared->cwd)));
	/* A port that was free a moment ago refuses. */
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ACTOR_CHECK(bind(closed, (struct sockaddr *)&address, sizeof(address)) == 0);
	ACTOR_CHECK(getsockname(closed, (struct sockaddr *)&address, &length) == 0);
	shared->port = ntohs(address.sin_port);
	close(closed);
	shared->has_gate = has_gate();
}

static void act(void *data)
{
	struct shared *shared = data;
	struct low *low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	ACTOR_CHECK(low != MAP_FAILED);
	shared->dirfd = open(".", O_PATH);
	shared->socket = socket(AF_INET, SOCK_STREAM, 0);
	strcpy(low->path, "/proc/self/stat");
	strcpy(low->name, "file");
	if (shared->has_gate) {
		act_files(shared, low);
		act_sockets(shared, low);
		act_execs(shared, low);
	}
	act_x32(shared);
}

static const char *const names[] = { "open",	 "creat",    "openat",	"openat2",
				     "unlink",	 "unlinkat", "connect", "execve",
				     "execveat", "access",   "chmod",	NULL };

/* The one event of a case: the right kind, the native number, the flag. */
static const struct event *expect_call(const struct live *live, unsigned i, unsigned code, long nr,
				       const char *what)
{
	const struct shared *shared = live->shared;
	const struct event *event = live_marked(live, i, code);

	cr_expect(live_count_marked(live, i, EVENT_CODE_NEVER) == 1, "%s: %u events", what,
		  live_count_marked(live, i, EVENT_CODE_NEVER));
	cr_assert(event != NULL, "%s: no event; the call gave %lld", what,
		  (long long)shared->results[i]);
	expect_header(event, &shared->facts, shared->results[i], what);
	cr_expect(event->header->flags & WIRE_COMPAT32, "%s: flags 0x%x", what,
		  event->header->flags);
	cr_expect(event->header->syscall_nr == nr, "%s: number %u, want %ld", what,
		  event->header->syscall_nr, nr);
	expect_whole(event, what);
	return event;
}

static void check_files(const struct live *live)
{
	const struct shared *shared = live->shared;
	const struct event *event;
	char path[300], stat_path[64];

	snprintf(path, sizeof(path), "%s/file", shared->cwd);
	snprintf(stat_path, sizeof(stat_path), "/proc/%d/stat", live->actor);
	event = expect_call(live, CASE_OPEN, EVENT_OPEN, SYS_open, "open");
	expect_string(event, PARAM_OPEN_name, "/proc/self/stat", "open");
	expect_number(event, PARAM_OPEN_fd, shared->results[CASE_OPEN], "open");
	expect_number(event, PARAM_OPEN_flags, O_RDONLY | O_CLOEXEC, "open");
	expect_number(event, PARAM_OPEN_mode, 0, "open");
	expect_kpath(event, PARAM_OPEN_path, stat_path, "open");
	event = expect_call(live, CASE_OPEN_FAILS, EVENT_OPEN, SYS_open, "open fails");
	expect_number(event, PARAM_OPEN_fd, -ENOENT, "open fails");
	expect_absent(event, PARAM_OPEN_path, "open fails");
	event = expect_call(live, CASE_CREAT, EVENT_CREAT, SYS_creat, "creat");
	expect_number(event, PARAM_CREAT_mode, 0640, "creat");
	expect_kpath(event, PARAM_CREAT_path, path, "creat");
	event = expect_call(live, CASE_OPENAT, EVENT_OPENAT, SYS_openat, "openat");
	expect_number(event, PARAM_OPENAT_dirfd, AT_FDCWD, "openat");
	expect_kpath(event, PARAM_OPENAT_path, path, "openat");
	expect_kpath(event, PARAM_OPENAT_dirpath, shared->cwd, "openat");
	event = expect_call(live, CASE_OPENAT2, EVENT_OPENAT2, SYS_openat2, "openat2");
	expect_number(event, PARAM_OPENAT2_dirfd, shared->dirfd, "openat2");
	expect_number(event, PARAM_OPENAT2_resolve, RESOLVE_NO_SYMLINKS, "openat2");
	expect_kpath(event, PARAM_OPENAT2_path, path, "openat2");
	event = expect_call(live, CASE_UNLINK, EVENT_UNLINK, SYS_unlink, "unlink");
	expect_string(event, PARAM_UNLINK_path, "file", "unlink");
	expect_number(event, PARAM_UNLINK_res, 0, "unlink");
	event = expect_call(live, CASE_UNLINKAT, EVENT_UNLINKAT, SYS_unlinkat, "unlinkat");
	expect_number(event, PARAM_UNLINKAT_res, -ENOENT, "unlinkat");
	expect_number(event, PARAM_UNLINKAT_flags, AT_REMOVEDIR, "unlinkat");
	event = expect_call(live, CASE_CHMOD, EVENT_CHMOD, SYS_chmod, "chmod");
	expect_number(event, PARAM_CHMOD_mode, 0123, "chmod");
	cr_expect(live_count_marked(live, CASE_UNWANTED, EVENT_CODE_NEVER) == 0,
		  "the number of another table is another call");
}

static void check_sockets(const struct live *live)
{
	static const struct {
		unsigned mark;
		const char *name;
	} cases[] = { { CASE_CONNECT, "connect" }, { CASE_SOCKETCALL, "socketcall" } };
	const struct shared *shared = live->shared;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct event *event =
			expect_call(live, cases[i].mark, EVENT_CONNECT, SYS_connect, cases[i].name);
		struct wire_tuple tuple;
		struct str path;

		expect_number(event, PARAM_CONNECT_res, -ECONNREFUSED, cases[i].name);
		expect_number(event, PARAM_CONNECT_fd, shared->socket, cases[i].name);
		cr_assert(event_tuple(event, PARAM_CONNECT_tuple, &tuple, &path), "%s",
			  cases[i].name);
		cr_expect(tuple.remote_port == shared->port, "%s: %u", cases[i].name,
			  tuple.remote_port);
		cr_expect(memcmp(tuple.remote_address, "\x7f\0\0\1", 4) == 0, "%s", cases[i].name);
	}
}

static void check_execs(const struct live *live)
{
	const struct shared *shared = live->shared;
	const struct event *event =
		expect_call(live, CASE_EXECVE, EVENT_EXECVE, SYS_execve, "execve");

	expect_number(event, PARAM_EXECVE_res, -ENOENT, "execve");
	expect_string(event, PARAM_EXECVE_filename, "/haetae/no-program", "execve");
	expect_string(event, PARAM_EXECVE_exe, "file", "execve");
	cr_expect(str_eq(event->params[PARAM_EXECVE_args], (struct str){ "argument", 9 }));
	event = expect_call(live, CASE_EXECVEAT, EVENT_EXECVEAT, SYS_execveat, "execveat");
	expect_number(event, PARAM_EXECVEAT_res, -ENOENT, "execveat");
	expect_string(event, PARAM_EXECVEAT_filename, "file", "execveat");
	expect_kpath(event, PARAM_EXECVEAT_dirpath, shared->cwd, "execveat");
	cr_expect(str_eq(event->params[PARAM_EXECVEAT_args], (struct str){ "argument", 9 }));
}

Test(live_compat, calls_by_other_numbers, .timeout = 300)
{
	struct live live;
	const struct shared *shared;
	const struct event *event;

	live_run(&live, &(struct live_options){ .syscalls = names, .prepare = prepare }, act);
	shared = live.shared;
	if (shared->has_gate) {
		check_files(&live);
		check_sockets(&live);
		check_execs(&live);
	} else {
		cr_log_warn("this kernel takes no 32-bit calls (CONFIG_IA32_EMULATION)");
	}
	event = live_marked(&live, CASE_X32_OPEN, EVENT_OPEN);
	cr_assert(event != NULL, "x32 open: no event");
	expect_header(event, &shared->facts, shared->results[CASE_X32_OPEN], "x32 open");
	cr_expect(event->header->syscall_nr == SYS_open, "x32 open: %u", event->header->syscall_nr);
	event = live_marked(&live, CASE_X32_EXECVE, EVENT_EXECVE);
	cr_assert(event != NULL, "x32 execve: no event");
	cr_expect(event->header->syscall_nr == SYS_execve, "x32 execve: %u",
		  event->header->syscall_nr);
	live_done(&live);
}

#endif
