/*
 * Processes made in every way that confuses a process tree. Each opens FOLDER/mark-CASE; what the
 * alert must say of it is printed as "CASE pid ppid vpid", numbers of the initial pid namespace but
 * the last; 0 stands for any.
 *
 *	tree_act FOLDER		all cases
 *	tree_act mark FILE	opens it: what the cases that exec start
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *folder;

static void mark(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/mark-%s", folder, name);
	close(open(path, O_RDONLY | O_CLOEXEC));
}

static void say(const char *name, int pid, int ppid, int vpid)
{
	printf("%s %d %d %d\n", name, pid, ppid, vpid);
	fflush(stdout);
}

static void exec_mark(const char *name)
{
	char path[256];
	char *argv[] = { (char *)"tree_act", (char *)"mark", path, NULL };

	snprintf(path, sizeof(path), "%s/mark-%s", folder, name);
	execv("/proc/self/exe", argv);
	_exit(127);
}

static void *thread_marks(void *data)
{
	mark("thread");
	return data;
}

static void *thread_execs(void *data)
{
	exec_mark("thread-exec");
	return data;
}

static void in_threads(void)
{
	pthread_t thread;
	pid_t pid;

	pthread_create(&thread, NULL, thread_marks, NULL);
	pthread_join(thread, NULL);
	say("thread", getpid(), getppid(), getpid());
	pid = fork();
	if (pid == 0) {
		pthread_create(&thread, NULL, thread_execs, NULL);
		pause();
	}
	waitpid(pid, NULL, 0);
	say("thread-exec", pid, getpid(), pid);
}

static __attribute__((noinline)) pid_t make_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		exec_mark("vfork");
	return pid;
}

/* The middle one ends; who is then the parent is asked of the kernel. */
static void orphan(const char *name)
{
	pid_t middle = fork();

	if (middle == 0) {
		pid_t parent = getpid();

		if (fork() == 0) {
			for (int i = 0; i < 3000 && getppid() == parent; i++)
				usleep(1000);
			mark(name);
			say(name, getpid(), getppid(), getpid());
			_exit(0);
		}
		usleep(20000);
		_exit(0);
	}
	waitpid(middle, NULL, 0);
	usleep(200000);
}

static int clone_marks(void *data)
{
	mark("clone-parent");
	return 0;
}

static void siblings(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t pid = clone(clone_marks, stack + sizeof(stack), CLONE_PARENT | SIGCHLD, NULL);

	usleep(200000);
	say("clone-parent", pid, getppid(), pid);
}

/* A child that makes a pid namespace, its init, and somebody who enters it from outside. */
static void namespaces(void)
{
	char path[64];
	pid_t helper = fork(), init, guest;
	int fd;

	if (helper) {
		waitpid(helper, NULL, 0);
		return;
	}
	if (unshare(CLONE_NEWPID))
		_exit(1);
	init = fork();
	if (init == 0) {
		mark("unshare");
		usleep(600000);
		_exit(0);
	}
	say("unshare", init, getpid(), 1);
	usleep(100000);
	if (fork() == 0) { /* not the init: the second in the new namespace, number 2 */
		mark("second");
		_exit(0);
	}
	guest = getpid();
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", init);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && setns(fd, CLONE_NEWPID) == 0) {
		pid_t pid = fork();

		if (pid == 0) {
			mark("setns");
			_exit(0);
		}
		say("setns", pid, guest, 3);
	}
	while (wait(NULL) > 0)
		;
	_exit(0);
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc == 3 && strcmp(argv[1], "mark") == 0) {
		close(open(argv[2], O_RDONLY | O_CLOEXEC));
		return 0;
	}
	if (argc != 2)
		return 2;
	folder = argv[1];
	in_threads();
	pid = make_vfork();
	waitpid(pid, NULL, 0);
	say("vfork", pid, getpid(), pid);
	orphan("double-fork");
	siblings();
	namespaces();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	orphan("subreaper");
	return 0;
}
