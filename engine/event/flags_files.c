/*
 * Vocabularies of flags that calls on files and descriptors take. Numbers of the uapi headers, some
 * newer than the build host's; the open flags among them with libs' portable numbers. Owns constant
 * data only; any thread.
 */
#include <linux/fcntl.h>
#include <linux/inotify.h>
#include <linux/stat.h>

#include "event_private.h"

#define SAME(value, name)          \
	{                          \
		value, value, name \
	}
#define END                \
	{                  \
		0, 0, NULL \
	}

/* clang-format off */
/* include/uapi/linux/fcntl.h */
static const struct flag_name at_names[] = {
	SAME(AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"), SAME(AT_SYMLINK_FOLLOW, "AT_SYMLINK_FOLLOW"),
	SAME(AT_NO_AUTOMOUNT, "AT_NO_AUTOMOUNT"), SAME(AT_EMPTY_PATH, "AT_EMPTY_PATH"),
	SAME(0x2000, "AT_STATX_FORCE_SYNC"), SAME(0x4000, "AT_STATX_DONT_SYNC"),
	END
};

/* AT_EACCESS is the number that means AT_REMOVEDIR elsewhere. */
static const struct flag_name faccessat2_names[] = {
	SAME(AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"), SAME(0x200, "AT_EACCESS"),
	SAME(AT_EMPTY_PATH, "AT_EMPTY_PATH"),
	END
};

/* include/uapi/linux/xattr.h */
static const struct flag_name xattr_names[] = {
	SAME(1, "XATTR_CREATE"), SAME(2, "XATTR_REPLACE"),
	END
};

static const struct flag_name inotify_names[] = {
	SAME(IN_ACCESS, "IN_ACCESS"), SAME(IN_MODIFY, "IN_MODIFY"), SAME(IN_ATTRIB, "IN_ATTRIB"),
	SAME(IN_CLOSE_WRITE, "IN_CLOSE_WRITE"), SAME(IN_CLOSE_NOWRITE, "IN_CLOSE_NOWRITE"),
	SAME(IN_OPEN, "IN_OPEN"), SAME(IN_MOVED_FROM, "IN_MOVED_FROM"),
	SAME(IN_MOVED_TO, "IN_MOVED_TO"), SAME(IN_CREATE, "IN_CREATE"), SAME(IN_DELETE, "IN_DELETE"),
	SAME(IN_DELETE_SELF, "IN_DELETE_SELF"), SAME(IN_MOVE_SELF, "IN_MOVE_SELF"),
	SAME(IN_ONLYDIR, "IN_ONLYDIR"), SAME(IN_DONT_FOLLOW, "IN_DONT_FOLLOW"),
	SAME(IN_EXCL_UNLINK, "IN_EXCL_UNLINK"), SAME(IN_MASK_CREATE, "IN_MASK_CREATE"),
	SAME(IN_MASK_ADD, "IN_MASK_ADD"), SAME(IN_ONESHOT, "IN_ONESHOT"),
	END
};

/* include/uapi/linux/fanotify.h */
static const struct flag_name fanotify_mark_names[] = {
	SAME(0x1, "FAN_MARK_ADD"), SAME(0x2, "FAN_MARK_REMOVE"), SAME(0x4, "FAN_MARK_DONT_FOLLOW"),
	SAME(0x8, "FAN_MARK_ONLYDIR"), SAME(0x10, "FAN_MARK_MOUNT"),
	SAME(0x20, "FAN_MARK_IGNORED_MASK"), SAME(0x40, "FAN_MARK_IGNORED_SURV_MODIFY"),
	SAME(0x80, "FAN_MARK_FLUSH"), SAME(0x100, "FAN_MARK_FILESYSTEM"),
	SAME(0x200, "FAN_MARK_EVICTABLE"), SAME(0x400, "FAN_MARK_IGNORE"),
	END
};

static const struct flag_name dup3_names[] = {
	{ O_CLOEXEC, 1 << 12, "O_CLOEXEC" },
	END
};

static const struct flag_name pipe2_names[] = {
	{ O_DIRECT, 1 << 9, "O_DIRECT" }, { O_NONBLOCK, 1 << 6, "O_NONBLOCK" },
	{ O_CLOEXEC, 1 << 12, "O_CLOEXEC" },
	END
};

/* EFD_, TFD_, SFD_ and IN_ NONBLOCK and CLOEXEC are the open flags; EFD_SEMAPHORE is 1. */
static const struct flag_name eventfd_names[] = {
	SAME(1, "EFD_SEMAPHORE"), { O_NONBLOCK, 1 << 6, "O_NONBLOCK" },
	{ O_CLOEXEC, 1 << 12, "O_CLOEXEC" },
	END
};

/* include/uapi/linux/close_range.h */
static const struct flag_name close_range_names[] = {
	SAME(2, "CLOSE_RANGE_UNSHARE"), SAME(4, "CLOSE_RANGE_CLOEXEC"),
	END
};

/* include/linux/splice.h */
static const struct flag_name splice_names[] = {
	SAME(1, "SPLICE_F_MOVE"), SAME(2, "SPLICE_F_NONBLOCK"), SAME(4, "SPLICE_F_MORE"),
	SAME(8, "SPLICE_F_GIFT"),
	END
};

const struct vocabulary vocabulary_at_flags = { "at_flags", at_names, false };
const struct vocabulary vocabulary_faccessat2_flags = { "faccessat2_flags", faccessat2_names, false };
const struct vocabulary vocabulary_xattr_flags = { "xattr_flags", xattr_names, false };
const struct vocabulary vocabulary_inotify_mask = { "inotify_mask", inotify_names, false };
const struct vocabulary vocabulary_fanotify_mark_flags = { "fanotify_mark_flags", fanotify_mark_names, false };
const struct vocabulary vocabulary_dup3_flags = { "dup3_flags", dup3_names, false };
const struct vocabulary vocabulary_pipe2_flags = { "pipe2_flags", pipe2_names, false };
const struct vocabulary vocabulary_eventfd_flags = { "eventfd_flags", eventfd_names, false };
const struct vocabulary vocabulary_close_range_flags = { "close_range_flags", close_range_names, false };
const struct vocabulary vocabulary_splice_flags = { "splice_flags", splice_names, false };
/* clang-format on */
