/*
 * Vocabularies of calls on mounts, other processes and limits. Numbers of the uapi headers, some
 * newer than the build host's. Owns constant data only; any thread.
 */
#include <fcntl.h>

#include "event_private.h"

/* Portable numbers of what libs has no number for: above the 32 bits that it uses. */
#define OURS(n) (1ULL << (32 + (n)))
#define SAME(value, name)          \
	{                          \
		value, value, name \
	}
#define END                \
	{                  \
		0, 0, NULL \
	}

/* clang-format off */
/* include/uapi/linux/mount.h */
static const struct flag_name fsopen_names[] = {
	SAME(1, "FSOPEN_CLOEXEC"),
	END
};

static const struct flag_name fsmount_names[] = {
	SAME(1, "FSMOUNT_CLOEXEC"),
	END
};

/* The kind of access time is a number in three bits, of which 0 is RELATIME. */
static const struct flag_name mount_attribute_names[] = {
	SAME(0x1, "MOUNT_ATTR_RDONLY"), SAME(0x2, "MOUNT_ATTR_NOSUID"), SAME(0x4, "MOUNT_ATTR_NODEV"),
	SAME(0x8, "MOUNT_ATTR_NOEXEC"), SAME(0x70, "MOUNT_ATTR__ATIME"),
	SAME(0x10, "MOUNT_ATTR_NOATIME"), SAME(0x20, "MOUNT_ATTR_STRICTATIME"),
	SAME(0x80, "MOUNT_ATTR_NODIRATIME"), SAME(0x100000, "MOUNT_ATTR_IDMAP"),
	SAME(0x200000, "MOUNT_ATTR_NOSYMFOLLOW"),
	END
};

static const struct flag_name move_mount_names[] = {
	SAME(0x1, "MOVE_MOUNT_F_SYMLINKS"), SAME(0x2, "MOVE_MOUNT_F_AUTOMOUNTS"),
	SAME(0x4, "MOVE_MOUNT_F_EMPTY_PATH"), SAME(0x10, "MOVE_MOUNT_T_SYMLINKS"),
	SAME(0x20, "MOVE_MOUNT_T_AUTOMOUNTS"), SAME(0x40, "MOVE_MOUNT_T_EMPTY_PATH"),
	SAME(0x100, "MOVE_MOUNT_SET_GROUP"), SAME(0x200, "MOVE_MOUNT_BENEATH"),
	END
};

/* Those of mount_setattr, too. include/uapi/linux/fcntl.h */
static const struct flag_name open_tree_names[] = {
	SAME(0x1, "OPEN_TREE_CLONE"), SAME(O_CLOEXEC, "OPEN_TREE_CLOEXEC"),
	SAME(0x100, "AT_SYMLINK_NOFOLLOW"), SAME(0x800, "AT_NO_AUTOMOUNT"),
	SAME(0x1000, "AT_EMPTY_PATH"), SAME(0x8000, "AT_RECURSIVE"),
	END
};

/* enum fsconfig_command of include/uapi/linux/mount.h */
static const struct flag_name fsconfig_names[] = {
	SAME(0, "FSCONFIG_SET_FLAG"), SAME(1, "FSCONFIG_SET_STRING"), SAME(2, "FSCONFIG_SET_BINARY"),
	SAME(3, "FSCONFIG_SET_PATH"), SAME(4, "FSCONFIG_SET_PATH_EMPTY"), SAME(5, "FSCONFIG_SET_FD"),
	SAME(6, "FSCONFIG_CMD_CREATE"), SAME(7, "FSCONFIG_CMD_RECONFIGURE"),
	SAME(8, "FSCONFIG_CMD_CREATE_EXCL"),
	END
};

/* include/uapi/linux/pidfd.h: the values of open flags. */
static const struct flag_name pidfd_open_names[] = {
	{ O_NONBLOCK, 1 << 0, "PIDFD_NONBLOCK" },
	{ O_EXCL, OURS(0), "PIDFD_THREAD" },
	END
};

static const struct flag_name pidfd_signal_names[] = {
	SAME(1, "PIDFD_SIGNAL_THREAD"), SAME(2, "PIDFD_SIGNAL_THREAD_GROUP"),
	SAME(4, "PIDFD_SIGNAL_PROCESS_GROUP"),
	END
};

/* include/uapi/linux/personality.h; the low byte is the system that is played, 8 of 32 bits. */
static const struct flag_name personality_names[] = {
	SAME(0xffffffff, "PER_QUERY"),
	SAME(0x0020000, "UNAME26"), SAME(0x0040000, "ADDR_NO_RANDOMIZE"),
	SAME(0x0080000, "FDPIC_FUNCPTRS"), SAME(0x0100000, "MMAP_PAGE_ZERO"),
	SAME(0x0200000, "ADDR_COMPAT_LAYOUT"), SAME(0x0400000, "READ_IMPLIES_EXEC"),
	SAME(0x0800000, "ADDR_LIMIT_32BIT"), SAME(0x1000000, "SHORT_INODE"),
	SAME(0x2000000, "WHOLE_SECONDS"), SAME(0x4000000, "STICKY_TIMEOUTS"),
	SAME(0x8000000, "ADDR_LIMIT_3GB"), SAME(0x8, "PER_LINUX32"), SAME(0, "PER_LINUX"),
	END
};

/* include/uapi/asm-generic/resource.h */
static const struct flag_name rlimit_names[] = {
	SAME(0, "RLIMIT_CPU"), SAME(1, "RLIMIT_FSIZE"), SAME(2, "RLIMIT_DATA"),
	SAME(3, "RLIMIT_STACK"), SAME(4, "RLIMIT_CORE"), SAME(5, "RLIMIT_RSS"),
	SAME(6, "RLIMIT_NPROC"), SAME(7, "RLIMIT_NOFILE"), SAME(8, "RLIMIT_MEMLOCK"),
	SAME(9, "RLIMIT_AS"), SAME(10, "RLIMIT_LOCKS"), SAME(11, "RLIMIT_SIGPENDING"),
	SAME(12, "RLIMIT_MSGQUEUE"), SAME(13, "RLIMIT_NICE"), SAME(14, "RLIMIT_RTPRIO"),
	SAME(15, "RLIMIT_RTTIME"),
	END
};

/* include/uapi/asm-generic/mman-common.h */
static const struct flag_name madvise_names[] = {
	SAME(0, "MADV_NORMAL"), SAME(1, "MADV_RANDOM"), SAME(2, "MADV_SEQUENTIAL"),
	SAME(3, "MADV_WILLNEED"), SAME(4, "MADV_DONTNEED"), SAME(8, "MADV_FREE"),
	SAME(9, "MADV_REMOVE"), SAME(10, "MADV_DONTFORK"), SAME(11, "MADV_DOFORK"),
	SAME(12, "MADV_MERGEABLE"), SAME(13, "MADV_UNMERGEABLE"), SAME(14, "MADV_HUGEPAGE"),
	SAME(15, "MADV_NOHUGEPAGE"), SAME(16, "MADV_DONTDUMP"), SAME(17, "MADV_DODUMP"),
	SAME(18, "MADV_WIPEONFORK"), SAME(19, "MADV_KEEPONFORK"), SAME(20, "MADV_COLD"),
	SAME(21, "MADV_PAGEOUT"), SAME(22, "MADV_POPULATE_READ"), SAME(23, "MADV_POPULATE_WRITE"),
	SAME(24, "MADV_DONTNEED_LOCKED"), SAME(25, "MADV_COLLAPSE"),
	END
};

const struct vocabulary vocabulary_fsopen_flags = { "fsopen_flags", fsopen_names, false };
const struct vocabulary vocabulary_fsmount_flags = { "fsmount_flags", fsmount_names, false };
const struct vocabulary vocabulary_mount_attributes = { "mount_attributes", mount_attribute_names, false };
const struct vocabulary vocabulary_move_mount_flags = { "move_mount_flags", move_mount_names, false };
const struct vocabulary vocabulary_open_tree_flags = { "open_tree_flags", open_tree_names, false };
const struct vocabulary vocabulary_pidfd_open_flags = { "pidfd_open_flags", pidfd_open_names, false };
const struct vocabulary vocabulary_pidfd_signal_flags = { "pidfd_signal_flags", pidfd_signal_names, false };
const struct vocabulary vocabulary_personality_flags = { "personality_flags", personality_names, false };
const struct vocabulary vocabulary_fsconfig_command = { "fsconfig_command", fsconfig_names, true };
const struct vocabulary vocabulary_rlimit_resource = { "rlimit_resource", rlimit_names, true };
const struct vocabulary vocabulary_madvise_advice = { "madvise_advice", madvise_names, true };
/* clang-format on */
