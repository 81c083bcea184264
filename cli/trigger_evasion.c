/*
 * Trigger actions for the rules on hiding and on switching off what watches: names, files and
 * processes of our own, and tools that are this program under their name. Owns the table of them.
 * Runs in a child process of `haetae trigger`.
 */
#include "trigger.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

/* A place that is owned: a link to this program, which is run by it. */
static int run_link(struct trigger_step *step, const char *path)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return -errno;
	self[n] = 0;
	trigger_step_set(step, "make the link %s", path);
	if (symlink(self, path))
		return -errno;
	trigger_step_set(step, "execute %s", path);
	return trigger_spawn(path, (char *const[]){ "haetae-trigger", "--version", NULL });
}

static int run_from_logs(struct trigger_step *step)
{
	char path[TRIGGER_PATH_MAX];

	trigger_path(step, "/var/log", "", path);
	return run_link(step, path);
}

static int run_hidden(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX], path[TRIGGER_PATH_MAX + 16];
	int r = trigger_folder(step, folder);

	snprintf(path, sizeof(path), "%s/.harmless", folder);
	return r < 0 ? r : run_link(step, path);
}

/* rm that is told to remove the copy of rm that it is. */
static int remove_self(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX], path[TRIGGER_PATH_MAX + 16];
	int r = trigger_folder(step, folder);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/rm", folder);
	trigger_step_set(step, "copy rm to %s", path);
	r = trigger_spawn("/bin/cp", (char *const[]){ "cp", "--", "/bin/rm", path, NULL });
	if (r < 0)
		return r;
	trigger_step_set(step, "let %s remove itself", path);
	return trigger_spawn(path, (char *const[]){ "rm", "--", path, NULL });
}

/* In a mount namespace of its own, which goes with it. */
static int mount_over_self(struct trigger_step *step)
{
	char path[32];

	trigger_step_set(step, "make a mount namespace");
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	snprintf(path, sizeof(path), "/proc/%d", (int)getpid());
	trigger_step_set(step, "mount a tmpfs on %s", path);
	if (mount("haetae-trigger", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k"))
		return -errno;
	return umount2(path, MNT_DETACH) ? -errno : 0;
}

/* Without a buffer the kernel refuses it (kernel/printk/printk.c, do_syslog). */
static int clear_kernel_log(struct trigger_step *step)
{
	enum {
		read_clear = 4
	};

	trigger_step_set(step, "ask for the kernel's log to be cleared, in vain");
	return klogctl(read_clear, NULL, 0) < 0 ? 0 : -EIO;
}

/* Without attributes there is nothing to load. */
static int load_nothing(struct trigger_step *step)
{
	union bpf_attr attributes = { .prog_type = BPF_PROG_TYPE_UNSPEC };

	trigger_step_set(step, "ask for a BPF program to be loaded, in vain");
	return syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes)) < 0 ? 0 : -EIO;
}

/* By the action, which does not look; it ends with its child. */
static int be_traced(struct trigger_step *step)
{
	pid_t pid = fork();

	trigger_step_set(step, "let a child ask to be traced");
	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? errno : 0);
	return pid < 0 ? -errno : trigger_wait(pid);
}

/* clang-format off: a table */
static const struct trigger_action actions[] = {
	{ .name = "trace-child",
	  .rule = "Process traced by unusual program",
	  .mitre = "T1055.008",
	  .doc = "traces a child of its own",
	  .perform = trigger_trace_child },
	{ .name = "write-child-memory",
	  .rule = "Memory of another process written",
	  .mitre = "T1055",
	  .doc = "writes into the memory of a child of its own",
	  .perform = trigger_write_child },
	{ .name = "stop-audit",
	  .rule = "Security tool stopped",
	  .mitre = "T1562.001",
	  .doc = "starts this program as a tool that stops the audit service",
	  .tool = { "systemctl", "stop", "auditd" } },
	{ .name = "kill-audit",
	  .rule = "Security tool killed by name",
	  .mitre = "T1562.001",
	  .doc = "starts this program as a tool that kills the audit service",
	  .tool = { "pkill", "auditd" } },
	{ .name = "remove-audit",
	  .rule = "Security tool removed",
	  .mitre = "T1562.001",
	  .doc = "starts this program as a package manager that removes the audit service",
	  .tool = { "apt-get", "purge", "auditd" } },
	{ .name = "permissive",
	  .rule = "Mandatory access control switched off",
	  .mitre = "T1562.001",
	  .doc = "starts this program as a tool that makes SELinux permissive",
	  .tool = { "setenforce", "0" } },
	{ .name = "drop-audit-rules",
	  .rule = "Audit rules removed",
	  .mitre = "T1562.012",
	  .doc = "starts this program as a tool that removes audit rules",
	  .tool = { "auditctl", "-D" } },
	{ .name = "flush-firewall",
	  .rule = "Firewall rules flushed",
	  .mitre = "T1562.004",
	  .doc = "starts this program as a tool that flushes the firewall",
	  .tool = { "iptables", "-F" } },
	{ .name = "preload-library",
	  .rule = "Program started with preloaded library of temporary folder",
	  .mitre = "T1574.006",
	  .doc = "starts an empty shell with LD_PRELOAD of a library that is not there",
	  .perform = trigger_preload },
	{ .name = "set-time",
	  .rule = "Timestamp of file set with touch",
	  .mitre = "T1070.006",
	  .doc = "starts this program as a tool that sets the time of a file",
	  .tool = { "touch", "-d", "2001-01-01", "/tmp/haetae-trigger/nowhere" } },
	{ .name = "immutable",
	  .rule = "File made immutable or mutable",
	  .mitre = "T1222.002",
	  .doc = "starts this program as a tool that makes a file immutable",
	  .tool = { "chattr", "+i", "/tmp/haetae-trigger/nowhere" } },
	{ .name = "run-hidden",
	  .rule = "Program with hidden name started",
	  .mitre = "T1564.001",
	  .doc = "runs this program by a link of its own with a hidden name",
	  .perform = run_hidden },
	{ .name = "hidden-device",
	  .rule = "Hidden file made in system folder",
	  .mitre = "T1564.001",
	  .doc = "creates and removes a hidden file in /dev",
	  .place = "/dev/.%" },
	{ .name = "kernel-thread-name",
	  .rule = "Program named as kernel thread",
	  .mitre = "T1036",
	  .doc = "starts an empty shell that calls itself a kernel thread",
	  .perform = trigger_kernel_name },
	{ .name = "run-from-logs",
	  .rule = "Program executed from folder of data",
	  .mitre = "T1036",
	  .doc = "runs this program by a link of its own in /var/log",
	  .perform = run_from_logs },
	{ .name = "remove-self",
	  .rule = "Program removed itself",
	  .mitre = "T1070.004",
	  .doc = "lets a copy of rm in a folder of its own remove itself",
	  .perform = remove_self },
	{ .name = "mount-over-process",
	  .rule = "Process hidden by mount",
	  .mitre = "T1564.013",
	  .doc = "mounts a tmpfs over itself in /proc, in a mount namespace of its own",
	  .perform = mount_over_self },
	{ .name = "clear-kernel-log",
	  .rule = "Kernel log cleared",
	  .mitre = "T1070.002",
	  .doc = "asks for the kernel's log to be cleared, in a way that is refused",
	  .perform = clear_kernel_log },
	{ .name = "vacuum-journal",
	  .rule = "Journal thrown away",
	  .mitre = "T1070.002",
	  .doc = "starts this program as a tool that throws the journal away",
	  .tool = { "journalctl", "--vacuum-time=1s" } },
	{ .name = "kernel-probe",
	  .rule = "Probe of the kernel written",
	  .mitre = "T1014",
	  .doc = "creates a file of that name in a folder of its own",
	  .place = "@/tracing/kprobe_events" },
	{ .name = "bpf-program",
	  .rule = "BPF program loaded by unusual program",
	  .mitre = "T1014",
	  .doc = "asks for a BPF program to be loaded that does not exist",
	  .perform = load_nothing },
	{ .name = "decoded-script",
	  .rule = "Data decoded by tool",
	  .mitre = "T1140",
	  .doc = "decodes a script of one colon and runs it",
	  .perform = trigger_decoded_script },
	{ .name = "be-traced",
	  .rule = "Program made itself untraceable",
	  .mitre = "T1622",
	  .doc = "lets a child ask to be traced",
	  .perform = be_traced },
};
/* clang-format on */

const struct trigger_table trigger_evasion = TRIGGER_TABLE(actions);
