/*
 * What the daemon's own filter of system calls refuses, and what it must let pass. Each in a child.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "haetae/base.h"
#include "syscall_filter.h"

#define PASSED	1
#define REFUSED 2
#define BROKEN	3

static long try_exec(void)
{
	return execl("/bin/true", "true", NULL);
}
static long try_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}
static long try_mount(void)
{
	return mount("none", "/", "tmpfs", 0, NULL);
}
static long try_keyctl(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1);
}
static long try_setuid(void)
{
	return setuid(getuid());
}
static long try_open(void)
{
	return open("/proc/self/status", O_RDONLY | O_CLOEXEC);
}
static long try_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}
static void *nothing(void *data)
{
	return data;
}
static long try_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, nothing, NULL) == 0 ? pthread_join(thread, NULL) : -1;
}

static const struct {
	const char *name;
	long (*call)(void);
	int expected;
} cases[] = {
	{ "execve", try_exec, REFUSED },   { "unshare", try_unshare, REFUSED },
	{ "mount", try_mount, REFUSED },   { "keyctl", try_keyctl, REFUSED },
	{ "setuid", try_setuid, REFUSED }, { "openat", try_open, PASSED },
	{ "socket", try_socket, PASSED },  { "a thread", try_thread, PASSED },
};

/* Without the filter none of them is refused: it was not something else that did it. */
static int outcome_of(long (*call)(void), bool is_filtered)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (is_filtered &&
		    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall_filter_install() < 0))
			_exit(BROKEN);
		errno = 0;
		_exit(call() >= 0 ? PASSED : errno == EPERM ? REFUSED : BROKEN);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(syscall_filter, refuses_and_lets_pass)
{
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0 && errno == EINVAL)
		cr_skip_test("no seccomp here (qemu-user)");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(outcome_of(cases[i].call, true), cases[i].expected, "%s",
			     cases[i].name);
	cr_expect_eq(outcome_of(try_setuid, false), PASSED);
	cr_expect_neq(outcome_of(try_exec, false), REFUSED);
}

Test(syscall_filter, names_each_once)
{
	const char *one, *other;

	for (unsigned i = 0; (one = syscall_filter_name(i)); i++)
		for (unsigned j = i + 1; (other = syscall_filter_name(j)); j++)
			cr_expect_str_neq(one, other);
}
