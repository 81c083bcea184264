/*
 * Runs in a process of its own, with one thread: forked by program_helper_start() before privileges
 * are dropped and seccomp comes (decision 39). Owns its socket and at most one program. It has no
 * descriptor of the daemon, none of its environment, and no way to become another user.
 */
#include "program_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "haetae/base.h"

#define SOCKET_FD 3
#define EXIT_EXEC 127 /* as a shell says it */
/* After its input has ended, until it is asked and then made to end. */
#define PATIENCE_MS 3000

static char *const environment[] = {
	(char[]){ "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
	(char[]){ "LANG=C.UTF-8" },
	(char[]){ "HOME=/" },
	NULL,
};

struct helper {
	const char *const *arguments;
	int signal_fd;
	pid_t program; /* 0: none */
};

static void tell(char kind, int32_t value, int passed_fd)
{
	struct helper_message message = { .kind = kind, .value = value };
	struct iovec vector = { &message, sizeof(message) };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };

	if (passed_fd >= 0) {
		struct cmsghdr *item;

		header.msg_control = control.bytes;
		header.msg_controllen = sizeof(control.bytes);
		item = CMSG_FIRSTHDR(&header);
		item->cmsg_level = SOL_SOCKET;
		item->cmsg_type = SCM_RIGHTS;
		item->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(item), &passed_fd, sizeof(int));
	}
	(void)!sendmsg(SOCKET_FD, &header, MSG_NOSIGNAL);
}

_Noreturn static void run_program(const char *const *arguments, int input_fd)
{
	union {
		const char *const *constant;
		char *const *plain; /* execvpe(3) does not write to them */
	} list = { .constant = arguments };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0);
	if (dup2(input_fd, STDIN_FILENO) < 0)
		_exit(EXIT_EXEC);
	execvpe(list.plain[0], list.plain, environment);
	_exit(EXIT_EXEC);
}

static void start_program(struct helper *helper)
{
	int fds[2];

	if (helper->program)
		return;
	if (pipe2(fds, O_CLOEXEC) < 0) {
		tell(HELPER_FAILED, errno, -1);
		return;
	}
	helper->program = fork();
	if (helper->program == 0)
		run_program(helper->arguments, fds[0]);
	if (helper->program < 0) {
		helper->program = 0;
		tell(HELPER_FAILED, errno, -1);
	} else {
		tell(HELPER_PIPE, (int32_t)helper->program, fds[1]);
	}
	close(fds[0]);
	close(fds[1]);
}

static void reap(struct helper *helper)
{
	struct signalfd_siginfo info;
	int status;

	(void)!read(helper->signal_fd, &info, sizeof(info));
	if (helper->program && waitpid(helper->program, &status, WNOHANG) == helper->program) {
		helper->program = 0;
		tell(HELPER_ENDED, status, -1);
	}
}

/* Its input has ended, so most programs end by themselves. */
_Noreturn static void end(struct helper *helper)
{
	static const int signals[] = { 0, SIGTERM, SIGKILL };

	for (size_t i = 0; i < ARRAY_LEN(signals) && helper->program; i++) {
		if (signals[i])
			kill(-helper->program, signals[i]);
		(void)poll(&(struct pollfd){ .fd = helper->signal_fd, .events = POLLIN }, 1,
			   PATIENCE_MS);
		reap(helper);
	}
	_exit(0);
}

_Noreturn static void serve(struct helper *helper)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = SOCKET_FD, .events = POLLIN },
			{ .fd = helper->signal_fd, .events = POLLIN },
		};
		struct helper_message message;

		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			end(helper);
		if (fds[1].revents)
			reap(helper);
		if (!fds[0].revents)
			continue;
		if (recv(SOCKET_FD, &message, sizeof(message), 0) <= 0)
			end(helper);
		if (message.kind == HELPER_START)
			start_program(helper);
	}
}

/* Only the socket and the standard descriptors stay; what the program prints goes to our standard
 * error, because standard output may be for alerts. */
static bool confine(int socket_fd, const struct passwd *user)
{
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) < 0 || dup3(socket_fd, SOCKET_FD, O_CLOEXEC) < 0)
		return false;
	if (close_range(SOCKET_FD + 1, ~0U, 0) < 0)
		for (int fd = SOCKET_FD + 1; fd < 65536; fd++) /* below Linux 5.9 */
			close(fd);
	if (user &&
	    (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0))
		return false;
	setsid();
	umask(077);
	return chdir("/") == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

_Noreturn static void run_helper(const char *const *arguments, int socket_fd,
				 const struct passwd *user)
{
	struct helper helper = { .arguments = arguments };
	sigset_t set;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	/* Those are the daemon's to handle; it ends this process by closing the socket. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (socket_fd == SOCKET_FD) { /* dup3() would refuse */
		socket_fd = dup(socket_fd);
		close(SOCKET_FD);
	}
	if (!confine(socket_fd, user))
		_exit(1);
	helper.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (helper.signal_fd < 0)
		_exit(1);
	serve(&helper);
}

int program_helper_start(const char *const *arguments, const char *user, int *ret_fd,
			 pid_t *ret_pid)
{
	const struct passwd *entry = NULL;
	int fds[2];
	pid_t pid;

	if (geteuid() == 0) {
		errno = 0;
		entry = getpwnam(user);
		if (!entry)
			return errno ? -errno : -ENOENT;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		run_helper(arguments, fds[1], entry);
	close(fds[1]);
	if (pid < 0) {
		int r = -errno;

		close(fds[0]);
		return r;
	}
	*ret_fd = fds[0];
	*ret_pid = pid;
	return 0;
}
