/*
 * Trigger actions that start programs. What is started is this program's own --version
 * under another name or place, or a shell with an empty command. Runs in a child process of
 * `haetae trigger`; nothing outlives it.
 */
#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "haetae/daemon.h"

#define SELF	    "/proc/self/exe"
#define NOBODY	    65534
#define SERVER_NAME "nginx" /* a name that the rules take for a network service */

int trigger_wait(pid_t pid)
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
	return trigger_wait(pid);
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

/* Not in /tmp where that can be helped: a program that starts there is another rule's. */
static int make_program_folder(struct trigger_step *step, char ret[TRIGGER_PATH_MAX])
{
	(void)snprintf(ret, TRIGGER_PATH_MAX, "/run/haetae-trigger-XXXXXX");
	if (!mkdtemp(ret))
		return trigger_folder(step, ret);
	trigger_step_owns(step, ret);
	return 0;
}

int trigger_spawn_as(struct trigger_step *step, const char *const *argv)
{
	char folder[TRIGGER_PATH_MAX], path[TRIGGER_PATH_MAX], self[4096];
	ssize_t n = readlink(SELF, self, sizeof(self) - 1);
	int r;

	if (n < 0)
		return -errno;
	self[n] = 0;
	r = make_program_folder(step, folder);
	if (r < 0)
		return r;
	trigger_step_set(step, "start this program as '%s'", argv[0]);
	if (snprintf(path, sizeof(path), "%s/%s", folder, argv[0]) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (symlink(self, path))
		return -errno;
	r = trigger_spawn(path, (char *const *)(uintptr_t)argv);
	/* It has answered that these are no words of its own. */
	return r == -EXIT_USAGE ? 0 : r;
}

static int become(struct trigger_step *step, const char *name)
{
	trigger_step_set(step, "take the name %s", name);
	return prctl(PR_SET_NAME, name) ? -errno : 0;
}

int trigger_compiler_from_server(struct trigger_step *step)
{
	int r = become(step, SERVER_NAME);

	return r ?: trigger_spawn_as(step, (const char *const[]){ "cc", "--version", NULL });
}

int trigger_package_tool_from_server(struct trigger_step *step)
{
	int r = become(step, "gunicorn");

	return r ?: trigger_spawn_as(step, (const char *const[]){ "pip3", "--version", NULL });
}

/* A step between the two hides nothing. */
int trigger_shell_below_server(struct trigger_step *step)
{
	int r = become(step, "php-fpm8.2");

	trigger_step_set(step, "start a shell two steps below php-fpm");
	return r
		       ?: trigger_spawn("/usr/bin/env",
					(char *const[]){ "env", "env", "sh", "-c", ":", NULL });
}

int trigger_bash_from_server(struct trigger_step *step)
{
	int r = become(step, "redis-server");

	trigger_step_set(step, "start /bin/bash under a process named redis-server");
	return r ?: trigger_spawn("/bin/bash", (char *const[]){ "bash", "-c", ":", NULL });
}

static int copy_to(const char *path)
{
	_cleanup_(close_fdp) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

	return fd < 0 ? -errno : copy_self(fd);
}

int trigger_exec_tmp(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX], path[TRIGGER_PATH_MAX + 16];
	int r = trigger_folder(step, folder);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/harmless", folder);
	trigger_step_set(step, "copy this program to %s", path);
	r = copy_to(path);
	if (r < 0)
		return r;
	trigger_step_set(step, "execute %s", path);
	return trigger_spawn(path, (char *const[]){ path, "--version", NULL });
}

int trigger_exec_memfd_path(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = memfd_create("haetae-trigger", 0);
	char path[32];
	int r;

	trigger_step_set(step, "copy this program to memory");
	if (fd < 0)
		return -errno;
	r = copy_self(fd);
	if (r < 0)
		return r;
	trigger_step_set(step, "execute a file in memory by its path");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return trigger_spawn(path, (char *const[]){ "haetae-trigger", "--version", NULL });
}

/* Decodes to ":", which does nothing. */
int trigger_decoded_script(struct trigger_step *step)
{
	trigger_step_set(step, "decode a script and run it");
	return trigger_spawn("/bin/sh",
			     (char *const[]){ "sh", "-c", "echo Ogo= | base64 -d | sh", NULL });
}

/* There is no such library: the loader says so and goes on. */
int trigger_preload(struct trigger_step *step)
{
	trigger_step_set(step, "start a shell with LD_PRELOAD");
	if (setenv("LD_PRELOAD", "/tmp/haetae-trigger/nowhere.so", 1))
		return -errno;
	return trigger_spawn("/bin/sh", (char *const[]){ "sh", "-c", ":", NULL });
}

/* In a folder of its own, where there are none. */
int trigger_search_keys(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX];
	int r = trigger_folder(step, folder);

	trigger_step_set(step, "search for keys in %s", folder);
	return r
		       ?: trigger_spawn("/usr/bin/find",
					(char *const[]){ "find", folder, "-name", "id_rsa", NULL });
}

/* Only root comes into the folder: nobody gets the copy by its descriptor. */
int trigger_exec_set_user_id(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX], path[TRIGGER_PATH_MAX + 16];
	char *const argv[] = { path, "--version", NULL };
	_cleanup_(close_fdp) int fd = -1;
	pid_t pid;
	int r = make_program_folder(step, folder);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/harmless", folder);
	trigger_step_set(step, "copy this program to %s", path);
	r = copy_to(path);
	if (r < 0)
		return r;
	trigger_step_set(step, "execute %s as nobody", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 04755))
		return -errno;
	pid = fork();
	if (pid == 0) {
		discard_output();
		unblock_signals();
		if (setresuid(NOBODY, NOBODY, NOBODY) == 0)
			fexecve(fd, argv, environ);
		_exit(errno);
	}
	return pid < 0 ? -errno : trigger_wait(pid);
}
