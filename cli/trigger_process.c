/*
 * Trigger actions on processes and namespaces: what intruders do to other processes is done to a
 * child of our own, which waits in pause(2) meanwhile. Runs in a child process of `haetae trigger`.
 */
#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

static char harmless[16]; /* of the child, where it is written to */

/* Ends with us, also where we are killed. */
static pid_t start_victim(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid < 0 ? -errno : pid;
}

static void end_victim(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int attach(pid_t pid)
{
	return ptrace(PTRACE_SEIZE, pid, NULL, NULL) ? -errno : 0;
}

static int write_memory(pid_t pid)
{
	static const char text[sizeof(harmless)] = "haetae-trigger";
	const struct iovec local = { (void *)(uintptr_t)text, sizeof(text) };
	const struct iovec remote = { harmless, sizeof(harmless) };

	return process_vm_writev(pid, &local, 1, &remote, 1, 0) < 0 ? -errno : 0;
}

static int read_memory(pid_t pid)
{
	char text[sizeof(harmless)];
	const struct iovec local = { text, sizeof(text) };
	const struct iovec remote = { harmless, sizeof(harmless) };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) < 0 ? -errno : 0;
}

static int open_memory(pid_t pid)
{
	_cleanup_(close_fdp) int fd = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

static int with_victim(struct trigger_step *step, const char *doing, int (*act)(pid_t pid))
{
	pid_t pid = start_victim();
	int r;

	trigger_step_set(step, "%s", doing);
	if (pid < 0)
		return pid;
	r = act(pid);
	end_victim(pid);
	return r;
}

int trigger_trace_child(struct trigger_step *step)
{
	return with_victim(step, "trace a child", attach);
}

int trigger_write_child(struct trigger_step *step)
{
	return with_victim(step, "write into a child's memory", write_memory);
}

int trigger_read_child(struct trigger_step *step)
{
	return with_victim(step, "read a child's memory", read_memory);
}

int trigger_open_child_memory(struct trigger_step *step)
{
	return with_victim(step, "open a child's memory", open_memory);
}

/* Down to nobody and up again: what a set-user-ID program does that was tricked. */
int trigger_regain_root(struct trigger_step *step)
{
	trigger_step_set(step, "become nobody");
	if (seteuid(65534))
		return -errno;
	trigger_step_set(step, "become root again");
	return setuid(0) ? -errno : 0;
}

int trigger_kernel_name(struct trigger_step *step)
{
	trigger_step_set(step, "take the name of a kernel thread");
	if (prctl(PR_SET_NAME, "ksoftirqd/0"))
		return -errno;
	return trigger_spawn("/bin/sh", (char *const[]){ "[ksoftirqd/0]", "-c", ":", NULL });
}

/* ---- namespaces, of this process alone ------------------------------------------------------ */

int trigger_user_namespace(struct trigger_step *step)
{
	trigger_step_set(step, "make a user namespace");
	return unshare(CLONE_NEWUSER) ? -errno : 0;
}

int trigger_enter_namespace(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = -1;

	trigger_step_set(step, "enter the network namespace it is in");
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return fd < 0 || setns(fd, CLONE_NEWNET) ? -errno : 0;
}

/* Private first, so that nothing of it is seen outside of the namespace, which goes with us. */
int trigger_mount(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX];
	int r = trigger_folder(step, folder);

	if (r < 0)
		return r;
	trigger_step_set(step, "make a mount namespace");
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	trigger_step_set(step, "mount a tmpfs on %s", folder);
	if (mount("haetae-trigger", folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k"))
		return -errno;
	return umount2(folder, MNT_DETACH) ? -errno : 0;
}

/* The folder cannot be removed by a process whose root it is: who waits for us does. */
int trigger_chroot(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX];
	int r = trigger_folder(step, folder);
	pid_t pid;

	if (r < 0)
		return r;
	trigger_step_set(step, "change the root to %s", folder);
	pid = fork();
	if (pid == 0)
		_exit(chroot(folder) ? errno : 0);
	return pid < 0 ? -errno : trigger_wait(pid);
}
