/*
 * A seccomp(2) filter made by libseccomp. It names what is refused and lets the rest pass: a list
 * of what is allowed would have to know each call that the libraries of the next distribution make,
 * and a daemon that such a list ends sees nothing. Refused is what an intruder would go on with: to
 * run programs, to look into or become others, to change mounts, namespaces, the kernel and the
 * clock. Owns nothing. Engine thread, once.
 */
#include "syscall_filter.h"

#include <errno.h>
#include <seccomp.h>

#include "haetae/base.h"

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

/* The first is the leak checker's of the sanitizers, which traces us at the end. */
/* clang-format off */
static const char *const refused[] = {
	"ptrace",
	/* programs: those of the program sink are run by a helper that was forked before */
	"execve", "execveat",
	/* others' memory and descriptors */
	"process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
	/* mounts, roots, namespaces */
	"mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen",
	"fsconfig", "fsmount", "fspick", "mount_setattr", "unshare", "setns", "open_by_handle_at",
	/* the kernel */
	"init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot",
	"swapon", "swapoff", "syslog", "perf_event_open", "userfaultfd", "io_uring_setup",
	"io_uring_enter", "io_uring_register", "acct", "quotactl", "quotactl_fd", "nfsservctl",
	"iopl", "ioperm", "vm86", "vm86old", "modify_ldt", "vhangup", "lookup_dcookie",
	/* clock and names of the host */
	"settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime", "sethostname",
	"setdomainname",
	/* who it is */
	"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid",
	"setgroups", "personality",
	/* keys, devices, and what files may do */
	"add_key", "request_key", "keyctl", "mknod", "mknodat", "fanotify_init",
};
/* clang-format on */

const char *syscall_filter_name(unsigned index)
{
	index += IS_SANITIZED;
	return index < ARRAY_LEN(refused) ? refused[index] : NULL;
}

static int add(scmp_filter_ctx filter, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);
	int r;

	/* Neither this architecture nor this libseccomp has every one. */
	if (number == __NR_SCMP_ERROR)
		return 0;
	r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
	return r == -EDOM ? 0 : r;
}

int syscall_filter_install(void)
{
	/* The calls of another architecture's ABI (i386 on amd64) end the process: libseccomp's
	 * default for what it was told nothing of. */
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	const char *name;
	int r = filter ? 0 : -ENOMEM;

	for (unsigned i = 0; r == 0 && (name = syscall_filter_name(i)); i++)
		r = add(filter, name);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}
