/*
 * Signals, pidfds, tracing, limits and the like: every parameter, on success and on failure. What
 * is done to another process is done to a child that only waits.
 */
#include "rows.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define NO_SOCKET  " tuple=NULL socket_type=<NA>"
#define ADDRESS(x) ((uint64_t)(uintptr_t)(x))
#define BAD_MEMORY 8
#define FD_CHILD   90 /* a pidfd */
#define FD_SELF	   91
#define FD_PROC	   92 /* /proc/PID of the child */
#define FD_FILE	   93
#define FD_NONE	   999
/* In the arguments of rows: the child and the actor. */
#define CHILD 0x7000000000000001u
#define SELF  0x7000000000000002u

#define NO_FILE	   "path=<NA> dev=<NA> ino=<NA> file_mode=<NA>"
#define PIDFD_TEXT "path=* dev=* ino=* file_mode=*"
#define FILE_TEXT  "path=%d/file dev=* ino=%3 file_mode=100600(S_IWUSR|S_IRUSR|S_IFREG)"

static char local[8] = "local", remote[100] = "remote";
static char name_taken[16];
static int subreaper;
static struct iovec local_vector = { local, 7 }, remote_vector = { remote, 7 };
static struct iovec long_vector = { remote, sizeof(remote) };
static struct rlimit one_core = { 1, RLIM_INFINITY }, none_core = { 2, 1 }, old_limit;

/* clang-format off */
static struct row rows[] = {
	{ "kill: only ask", SYS_kill, { CHILD, 0 }, false, "res=0 pid=%0 sig=0" },
	{ "kill", SYS_kill, { CHILD, SIGWINCH }, false, "res=0 pid=%0 sig=28(SIGWINCH)" },
	{ "kill: no such group", SYS_kill, { (uint64_t)-2000000000, SIGTERM }, true, "res=%r pid=-2000000000 sig=15(SIGTERM)" },
	{ "tkill", SYS_tkill, { CHILD, 0 }, false, "res=0 tid=%0 sig=0" },
	{ "tkill: nobody", SYS_tkill, { 0, SIGTERM }, true, "res=%r tid=0 sig=15(SIGTERM)" },
	{ "tgkill", SYS_tgkill, { CHILD, CHILD, 0 }, false, "res=0 pid=%0 tid=%0 sig=0" },
	{ "tgkill: not of that process", SYS_tgkill, { SELF, CHILD, SIGKILL }, true, "res=%r pid=%1 tid=%0 sig=9(SIGKILL)" },
	{ "pidfd_send_signal", SYS_pidfd_send_signal, { FD_CHILD, SIGWINCH, 0, 0 }, false,
	  "res=0 fd=90(<P>*) sig=28(SIGWINCH) flags=0 pid=%0 " PIDFD_TEXT },
	{ "pidfd_send_signal: /proc", SYS_pidfd_send_signal, { FD_PROC, 0, 0, 0 }, false,
	  "res=0 fd=92(<d>/proc/%0) sig=0 flags=0 pid=%0 path=/proc/%0 dev=* ino=* file_mode=*" },
	{ "pidfd_send_signal: a file", SYS_pidfd_send_signal, { FD_FILE, SIGKILL, 0, 1u << 31 }, true,
	  "res=%r fd=93(<f>%d/file) sig=9(SIGKILL) flags=2147483648 pid=<NA> " FILE_TEXT },
	{ "pidfd_open", SYS_pidfd_open, { CHILD, O_NONBLOCK }, false,
	  "fd=*(<P>*) pid=%0 flags=1(PIDFD_NONBLOCK) " PIDFD_TEXT },
	{ "pidfd_open: nobody", SYS_pidfd_open, { (uint64_t)-7, 0 }, true, "fd=%r pid=-7 flags=0 " NO_FILE },
	{ "pidfd_getfd", SYS_pidfd_getfd, { FD_SELF, FD_FILE, 0 }, false,
	  "fd=*(<f>%d/file) pid_fd=91* target_fd=93 flags=0 " FILE_TEXT " pid=%1" NO_SOCKET },
	{ "pidfd_getfd: nothing there", SYS_pidfd_getfd, { FD_CHILD, FD_NONE, 0 }, true,
	  "fd=%r pid_fd=90* target_fd=999 flags=0 " NO_FILE " pid=%0" NO_SOCKET },
	{ "pidfd_getfd: no pidfd", SYS_pidfd_getfd, { FD_FILE, 3, 1 }, true,
	  "fd=%r pid_fd=93* target_fd=3 flags=1 " NO_FILE " pid=<NA>" NO_SOCKET },
	{ "prctl: a number", SYS_prctl, { PR_SET_KEEPCAPS, 1, 2, 3, 4 }, false,
	  "res=0 option=8(PR_SET_KEEPCAPS) arg2_str=<NA> arg2_int=1 arg3=2 arg4=3 arg5=4" },
	{ "prctl: the name", SYS_prctl, { PR_GET_NAME, ADDRESS(name_taken), 0, 0, 0 }, false,
	  "res=0 option=16(PR_GET_NAME) arg2_str=%2 arg2_int=<NA> arg3=0 arg4=0 arg5=0" },
	{ "prctl: what is written", SYS_prctl, { PR_GET_CHILD_SUBREAPER, ADDRESS(&subreaper), 0, 0, 0 }, false,
	  "res=0 option=37(PR_GET_CHILD_SUBREAPER) arg2_str=<NA> arg2_int=0 arg3=0 arg4=0 arg5=0" },
	{ "prctl: no name", SYS_prctl, { PR_SET_NAME, BAD_MEMORY, 0, 0, 0 }, true,
	  "res=%r option=15(PR_SET_NAME) arg2_str=<NA> arg2_int=<NA> arg3=0 arg4=0 arg5=0" },
	{ "prctl: no option", SYS_prctl, { 9999, (uint64_t)-1, 0, 0, 0 }, true,
	  "res=%r option=9999 arg2_str=<NA> arg2_int=-1 arg3=0 arg4=0 arg5=0" },
	{ "ptrace: seize", SYS_ptrace, { PTRACE_SEIZE, CHILD, 0, PTRACE_O_EXITKILL }, false,
	  "res=0 addr=0 data=100000 request=20(PTRACE_SEIZE) pid=%0" },
	{ "ptrace: not stopped", SYS_ptrace, { PTRACE_POKETEXT, CHILD, 0x1234, 0xabcd }, true,
	  "res=%r addr=1234 data=ABCD request=5(PTRACE_POKETEXT) pid=%0" },
	{ "process_vm_readv", SYS_process_vm_readv, { SELF, ADDRESS(&local_vector), 1, ADDRESS(&remote_vector), 1, 0 }, false,
	  "res=7 pid=%1 data=remote. addr=%4" },
	{ "process_vm_readv: no memory", SYS_process_vm_readv, { CHILD, ADDRESS(&local_vector), 1, BAD_MEMORY, 1, 0 }, true,
	  "res=%r pid=%0 data=NULL addr=<NA>" },
	{ "process_vm_writev", SYS_process_vm_writev, { SELF, ADDRESS(&long_vector), 1, ADDRESS(&remote_vector), 1, 0 }, false,
	  "res=7 pid=%1 data=%5 addr=%4" },
	{ "process_vm_writev: nobody", SYS_process_vm_writev, { (uint64_t)-5, ADDRESS(&long_vector), 1, ADDRESS(&remote_vector), 1, 0 }, true,
	  "res=%r pid=-5 data=%5 addr=%4" },
	{ "process_madvise", SYS_process_madvise, { FD_SELF, ADDRESS(&remote_vector), 0, 20, 0 }, false,
	  "res=0 fd=91(<P>*) advice=20(MADV_COLD) flags=0 pid=%1 " PIDFD_TEXT },
	{ "process_madvise: no pidfd", SYS_process_madvise, { FD_NONE, ADDRESS(&remote_vector), 1, 4000, 2 }, true,
	  "res=%r fd=999 advice=4000 flags=2 pid=<NA> " NO_FILE },
	{ "setsid: leads already", SYS_setsid, { 0 }, true, "res=%6" },
	{ "setpgid: leads a session", SYS_setpgid, { 0, 0 }, true, "res=%r pid=0 pgid=0" },
	{ "setrlimit", SYS_setrlimit, { RLIMIT_CORE, ADDRESS(&one_core) }, false,
	  "res=0 cur=1 max=-1 resource=4(RLIMIT_CORE)" },
	{ "setrlimit: more than the most", SYS_setrlimit, { RLIMIT_CORE, ADDRESS(&none_core) }, true,
	  "res=%r cur=2 max=1 resource=4(RLIMIT_CORE)" },
	{ "prlimit64", SYS_prlimit64, { CHILD, RLIMIT_CORE, ADDRESS(&one_core), ADDRESS(&old_limit) }, false,
	  "res=0 newcur=1 newmax=-1 oldcur=0 oldmax=-1 pid=%0 resource=4(RLIMIT_CORE)" },
	{ "prlimit64: no resource", SYS_prlimit64, { SELF, 99, 0, ADDRESS(&old_limit) }, true,
	  "res=%r newcur=<NA> newmax=<NA> oldcur=<NA> oldmax=<NA> pid=%1 resource=99" },
	{ "personality: ask", SYS_personality, { 0xffffffff }, false, "res=%r persona=4294967295(PER_QUERY)" },
	{ "personality", SYS_personality, { 0x0440000 }, false,
	  "res=%r persona=4456448(ADDR_NO_RANDOMIZE|READ_IMPLIES_EXEC)" },
	{ "seccomp", SYS_seccomp, { SECCOMP_GET_ACTION_AVAIL, 0, ADDRESS(&(uint32_t){ SECCOMP_RET_ERRNO }) }, false,
	  "res=0 op=2 flags=0" },
	{ "seccomp: no operation", SYS_seccomp, { 77, 0xab, 0 }, true, "res=%r op=77 flags=AB" },
};
/* clang-format on */

static void move_fd(long fd, int to)
{
	ACTOR_CHECK(fd >= 0 && dup2((int)fd, to) == to);
	close((int)fd);
}

/* Ends with the actor. */
static pid_t start_child(void)
{
	pid_t child = fork();

	ACTOR_CHECK(child >= 0);
	if (child > 0)
		return child;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() != 1)
		for (;;)
			pause();
	_exit(0);
}

static void put_ids(pid_t child)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t a = 0; a < 6; a++) {
			if (rows[i].arguments[a] == CHILD)
				rows[i].arguments[a] = (uint64_t)child;
			else if (rows[i].arguments[a] == SELF)
				rows[i].arguments[a] = (uint64_t)getpid();
		}
	}
}

static void open_files(pid_t child)
{
	char path[64];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d", child);
	move_fd(syscall(SYS_pidfd_open, child, 0), FD_CHILD);
	move_fd(syscall(SYS_pidfd_open, getpid(), 0), FD_SELF);
	move_fd(open(path, O_RDONLY | O_DIRECTORY), FD_PROC);
	move_fd(open("file", O_CREAT | O_RDWR, 0600), FD_FILE);
	ACTOR_CHECK(fstat(FD_FILE, &status) == 0);
	rows_note(3, "%llu", (unsigned long long)status.st_ino);
}

static void prepare(void)
{
	struct rlimit none = { 0, RLIM_INFINITY };
	char name[16] = "";
	pid_t child;

	(void)setsid();
	ACTOR_CHECK(setrlimit(RLIMIT_CORE, &none) == 0);
	child = start_child();
	put_ids(child);
	open_files(child);
	ACTOR_CHECK(prctl(PR_GET_NAME, name) == 0);
	rows_note(0, "%d", child);
	rows_note(1, "%d", getpid());
	rows_note(2, "%s", name);
	rows_note(4, "%llX", (unsigned long long)ADDRESS(remote));
	memset(remote + 7, 'x', sizeof(remote) - 7);
	rows_note(5, "remote.%.73s", remote + 7);
	rows_note(6, "-1");
}

Test(live_process_control, every_parameter_is_what_libc_says, .timeout = 300)
{
	rows_run(rows, ARRAY_LEN(rows), prepare);
}

/* ---- signals that arrive -------------------------------------------------------------------- */

enum {
	SIGNAL_OWN,    /* from itself */
	SIGNAL_CHILD,  /* sent by a child */
	SIGNAL_KERNEL, /* a fault, in a child that it ends */
	SIGNAL_TIMER,  /* from a timer: nobody sent it */
	SIGNAL_CNT,
};

struct signal_notes {
	pid_t own, child, faulty;
};

static void handle(int number)
{
	(void)number;
}

static void signal_act(void *data)
{
	struct signal_notes *notes = data;
	pid_t child;

	notes->own = getpid();
	signal(SIGUSR1, handle);
	signal(SIGALRM, handle);
	live_mark(SIGNAL_OWN);
	ACTOR_CHECK(raise(SIGUSR1) == 0);
	live_mark(SIGNAL_CHILD);
	child = fork();
	ACTOR_CHECK(child >= 0);
	if (child == 0)
		_exit(kill(notes->own, SIGUSR1));
	notes->child = child;
	live_wait(child);
	live_mark(SIGNAL_KERNEL);
	child = fork();
	ACTOR_CHECK(child >= 0);
	if (child == 0) {
		void *page = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		*(volatile char *)page = 1;
	}
	notes->faulty = child;
	live_wait(child);
	live_mark(SIGNAL_TIMER);
	alarm(1);
	pause();
	live_mark(LIVE_NO_MARK);
}

Test(live_process_control, signals_that_arrive, .timeout = 300)
{
	static const char *const names[] = { "signaldeliver", NULL };
	static const int numbers[] = { SIGUSR1, SIGUSR1, SIGSEGV, SIGALRM };
	struct live live;
	struct signal_notes *notes;

	live_run(&live, &(struct live_options){ .syscalls = names, .shared_bytes = sizeof(*notes) },
		 signal_act);
	notes = live.shared;
	for (unsigned i = 0; i < SIGNAL_CNT; i++) {
		const struct event *event = live_marked(&live, i, EVENT_SIGNALDELIVER);
		const char *name = strsignal(numbers[i]);
		pid_t sender = i == SIGNAL_OWN ? notes->own : notes->child;
		pid_t receiver = i == SIGNAL_KERNEL ? notes->faulty : notes->own;

		cr_assert_not_null(event, "%u: %s", i, name);
		expect_number(event, PARAM_SIGNALDELIVER_sig, numbers[i], name);
		expect_number(event, PARAM_SIGNALDELIVER_dpid, receiver, name);
		cr_expect_eq(event->header->pid, (uint32_t)receiver);
		if (i < SIGNAL_KERNEL)
			expect_number(event, PARAM_SIGNALDELIVER_spid, sender, name);
		else
			expect_absent(event, PARAM_SIGNALDELIVER_spid, name);
	}
	live_done(&live);
}
