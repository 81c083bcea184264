/*
 * Trigger actions for the rules on escapes of containers: what would lead out is asked for, opened
 * or made in a form that leads nowhere. Owns the table of them. Runs in a child process of
 * `haetae trigger`.
 */
#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

/* Without a file there is no module: that it was tried is what is seen. */
static int load_module(struct trigger_step *step)
{
	trigger_step_set(step, "try to load no module");
	return syscall(SYS_finit_module, -1, "", 0) == 0 ? -EIO : 0;
}

static int open_to_write(struct trigger_step *step, const char *path)
{
	_cleanup_(close_fdp) int fd = -1;

	trigger_step_set(step, "open %s for writing", path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

static int open_core_pattern(struct trigger_step *step)
{
	return open_to_write(step, "/proc/sys/kernel/core_pattern");
}

static int open_domain_name(struct trigger_step *step)
{
	return open_to_write(step, "/proc/sys/kernel/domainname");
}

/* The kernel refuses it: the file runs. */
static int open_own_program(struct trigger_step *step)
{
	int r = open_to_write(step, "/proc/self/exe");

	return r == -ETXTBSY ? 0 : r;
}

/* There is no such device. */
static int mount_device(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX];
	int r = trigger_folder(step, folder);

	if (r < 0)
		return r;
	trigger_step_set(step, "try to mount a device that is none");
	r = mount("/dev/haetae-trigger", folder, "ext4", MS_RDONLY, NULL) ? -errno : -EIO;
	return r == -ENOENT ? 0 : r;
}

static int enter_own_namespace(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);

	trigger_step_set(step, "enter the namespace of host names that it is in");
	return fd < 0 || setns(fd, CLONE_NEWUTS) ? -errno : 0;
}

static int make_namespace(struct trigger_step *step)
{
	trigger_step_set(step, "make a mount namespace");
	return unshare(CLONE_NEWNS) ? -errno : 0;
}

/* To read, and nothing is read. Whether there is one does not matter. */
static int open_memory_device(struct trigger_step *step)
{
	int fd;

	trigger_step_set(step, "open /dev/mem");
	fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return 0;
}

/* Number 0 is no device. */
static int make_device(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX], path[TRIGGER_PATH_MAX + 16];
	int r = trigger_folder(step, folder);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/harmless", folder);
	trigger_step_set(step, "make a device node that is none");
	return mknod(path, S_IFBLK | 0600, makedev(0, 0)) ? -errno : 0;
}

/* A handle of no bytes is none. */
static int open_by_handle(struct trigger_step *step)
{
	struct file_handle handle = { 0 };

	trigger_step_set(step, "open a file by a handle that is none");
	if (open_by_handle_at(AT_FDCWD, &handle, O_RDONLY) >= 0)
		return -EIO;
	return errno == EPERM ? -EPERM : 0;
}

static int connect_runtime(struct trigger_step *step)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_(close_fdp) int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_(close_fdp) int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char folder[TRIGGER_PATH_MAX];
	int r = trigger_folder(step, folder);

	if (r < 0)
		return r;
	snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/docker.sock", folder);
	trigger_step_set(step, "connect to a docker.sock of its own");
	if (bind(server, (struct sockaddr *)&address, sizeof(address)) || listen(server, 1))
		return -errno;
	return connect(client, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

/* "r0 = 0; exit", for a socket that it is never given to. */
static int load_program(struct trigger_step *step)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attributes = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
				      .insn_cnt = ARRAY_LEN(program),
				      .insns = (uintptr_t)program,
				      .license = (uintptr_t) "GPL" };
	_cleanup_(close_fdp) int fd = -1;

	trigger_step_set(step, "load a BPF program that does nothing");
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));
	return fd < 0 ? -errno : 0;
}

static int enter_descriptor(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[32];

	trigger_step_set(step, "change to /tmp by a descriptor");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fd < 0 || chdir(path) ? -errno : 0;
}

/* clang-format off: a table */
static const struct trigger_action actions[] = {
	{ .name = "load-module",
	  .rule = "Kernel module loaded in container",
	  .mitre = "T1547.006",
	  .doc = "tries to load a kernel module that is none",
	  .perform = load_module,
	  .wants_container = true },
	{ .name = "open-core-pattern",
	  .rule = "Kernel helper program set in container",
	  .mitre = "T1611",
	  .doc = "opens core_pattern for writing and writes nothing",
	  .perform = open_core_pattern,
	  .wants_container = true },
	{ .name = "container-kernel-setting",
	  .rule = "Kernel setting written in container",
	  .mitre = "T1611",
	  .doc = "opens a setting of the kernel for writing and writes nothing",
	  .perform = open_domain_name,
	  .wants_container = true },
	{ .name = "container-own-program",
	  .rule = "Container runtime overwritten in container",
	  .mitre = "T1611",
	  .doc = "tries to open its own program for writing",
	  .perform = open_own_program,
	  .wants_container = true },
	{ .name = "container-mount-device",
	  .rule = "Device mounted in container",
	  .mitre = "T1611",
	  .doc = "tries to mount a device that is none",
	  .perform = mount_device,
	  .wants_container = true },
	{ .name = "container-setns",
	  .rule = "Namespace entered in container",
	  .mitre = "T1611",
	  .doc = "enters a namespace that it is in",
	  .perform = enter_own_namespace,
	  .wants_container = true },
	{ .name = "container-unshare",
	  .rule = "Namespace made in container",
	  .mitre = "T1611",
	  .doc = "makes a mount namespace",
	  .perform = make_namespace,
	  .wants_container = true },
	{ .name = "container-memory-device",
	  .rule = "Raw device opened in container",
	  .mitre = "T1611",
	  .doc = "opens /dev/mem and reads nothing",
	  .perform = open_memory_device,
	  .wants_container = true },
	{ .name = "container-device-node",
	  .rule = "Device node made in container",
	  .mitre = "T1611",
	  .doc = "makes a node of a device that is none",
	  .perform = make_device,
	  .wants_container = true },
	{ .name = "container-open-handle",
	  .rule = "File opened by handle in container",
	  .mitre = "T1611",
	  .doc = "opens a file by a handle that is none",
	  .perform = open_by_handle,
	  .wants_container = true },
	{ .name = "container-runtime-socket",
	  .rule = "Container runtime's socket used in container",
	  .mitre = "T1611",
	  .doc = "connects to a docker.sock of its own",
	  .perform = connect_runtime,
	  .wants_container = true },
	{ .name = "container-bpf-program",
	  .rule = "BPF program loaded in container",
	  .mitre = "T1611",
	  .doc = "loads a BPF program that does nothing",
	  .perform = load_program,
	  .wants_container = true },
	{ .name = "container-descriptor-folder",
	  .rule = "Leaked folder entered in container",
	  .mitre = "T1611",
	  .doc = "changes to /tmp by a descriptor",
	  .perform = enter_descriptor,
	  .wants_container = true },
	{ .name = "container-device-access",
	  .rule = "Device access widened in container",
	  .mitre = "T1611",
	  .doc = "creates a devices.allow in a folder of its own",
	  .place = "@/devices.allow",
	  .wants_container = true },
	{ .name = "container-host-folder",
	  .rule = "Host's folder written in container",
	  .mitre = "T1611",
	  .doc = "creates and removes a file in /host",
	  .place = "/host/%",
	  .wants_container = true },
	{ .name = "container-escape-tool",
	  .rule = "Escape tool started in container",
	  .mitre = "T1611",
	  .doc = "starts this program as debugfs",
	  .wants_container = true,
	  .tool = { "debugfs", "-w", "/dev/haetae-trigger" } },
};
/* clang-format on */
const struct trigger_table trigger_escapes = TRIGGER_TABLE(actions);
