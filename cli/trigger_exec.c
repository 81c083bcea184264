/*
 * Trigger actions that start programs or connect. What is started is this program's own --version
 * under another name or place, or a shell with an empty command. Runs in a child process of
 * `haetae trigger`; nothing outlives it.
 */
#include "trigger.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SELF	    "/proc/self/exe"
#define SERVER_NAME "nginx" /* a name that the rules take for a network service */

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status))
		return -EINTR;
	/* 1 is what programs say that ran and failed. */
	return WEXITSTATUS(status) == 1 ? -EIO : -WEXITSTATUS(status);
}

/* Whatever waits in the action itself must reach what it starts. */
static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void discard_output(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int target = 0; fd >= 0 && target <= 2; target++)
		(void)dup2(fd, target);
}

/* The exit status carries the errno of a failed exec (all below 256). */
static int spawn_fd(int fd, const char *path, char *const argv[])
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		discard_output();
		unblock_signals();
		if (fd >= 0)
			fexecve(fd, argv, environ);
		else
			execv(path, argv);
		_exit(errno);
	}
	return wait_for(pid);
}

int trigger_spawn(const char *path, char *const argv[])
{
	return spawn_fd(-1, path, argv);
}

static int copy_self(int target_fd)
{
	_cleanup_(close_fdp) int fd = open(SELF, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	while (n > 0)
		n = sendfile(target_fd, fd, NULL, 1 << 20);
	return n < 0 ? -errno : 0;
}

int trigger_exec_shm(struct trigger_step *step)
{
	char dir[] = "/dev/shm/haetae-trigger-XXXXXX";
	char path[64];
	int fd, r;

	trigger_step_set(step, "copy this program to /dev/shm");
	if (!mkdtemp(dir))
		return -errno;
	trigger_step_owns(step, dir);
	snprintf(path, sizeof(path), "%s/harmless", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	r = fd < 0 ? -errno : copy_self(fd);
	/* Before the exec, else ETXTBSY. */
	close_fdp(&fd);
	if (r == 0) {
		trigger_step_set(step, "execute %s", path);
		r = trigger_spawn(path, (char *const[]){ path, "--version", NULL });
	}
	(void)unlink(path);
	(void)rmdir(dir);
	return r;
}

int trigger_exec_memfd(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = -1;
	int r;

	trigger_step_set(step, "copy this program to memory");
	fd = memfd_create("haetae-trigger", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = copy_self(fd);
	if (r < 0)
		return r;
	trigger_step_set(step, "execute a file that exists only in memory");
	return spawn_fd(fd, NULL, (char *const[]){ "haetae-trigger", "--version", NULL });
}

/* A process is taken for a service by its name (comm), which it may choose. */
int trigger_shell_from_server(struct trigger_step *step)
{
	trigger_step_set(step, "start /bin/sh under a process named " SERVER_NAME);
	if (prctl(PR_SET_NAME, SERVER_NAME))
		return -errno;
	return trigger_spawn("/bin/sh", (char *const[]){ "sh", "-c", ":", NULL });
}

int trigger_compiler_from_server(struct trigger_step *step)
{
	char dir[] = "/tmp/haetae-trigger-XXXXXX";
	char self[4096], path[64];
	ssize_t n = readlink(SELF, self, sizeof(self) - 1);
	int r;

	trigger_step_set(step, "start 'cc --version' under a process named " SERVER_NAME);
	if (n < 0)
		return -errno;
	self[n] = 0;
	if (!mkdtemp(dir))
		return -errno;
	trigger_step_owns(step, dir);
	snprintf(path, sizeof(path), "%s/cc", dir);
	r = symlink(self, path) || prctl(PR_SET_NAME, SERVER_NAME) ? -errno : 0;
	if (r == 0)
		r = trigger_spawn(path, (char *const[]){ "cc", "--version", NULL });
	(void)unlink(path);
	(void)rmdir(dir);
	return r;
}

/* A listener of our own, so that the connection meets no service of the host. */
static int listen_on_loopback(struct sockaddr_in *ret_address)
{
	_cleanup_(close_fdp) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)&address, &length))
		return -errno;
	*ret_address = address;
	return TAKE_FD(fd);
}

/* For hosts without bash, whose /dev/tcp no other shell has. */
static int connect_named_shell(const struct sockaddr_in *address)
{
	_cleanup_(close_fdp) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || prctl(PR_SET_NAME, "sh") ||
	    connect(fd, (const struct sockaddr *)address, sizeof(*address)))
		return -errno;
	return 0;
}

int trigger_connect_shell(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = -1;
	struct sockaddr_in address = { 0 };
	char script[64];

	trigger_step_set(step, "listen on 127.0.0.1");
	fd = listen_on_loopback(&address);
	if (fd < 0)
		return fd;
	trigger_step_set(step, "connect a shell to 127.0.0.1:%u", ntohs(address.sin_port));
	if (access("/bin/bash", X_OK))
		return connect_named_shell(&address);
	snprintf(script, sizeof(script), ": < /dev/tcp/127.0.0.1/%u", ntohs(address.sin_port));
	return trigger_spawn("/bin/bash", (char *const[]){ "bash", "-c", script, NULL });
}
