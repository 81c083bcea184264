/*
 * Vocabularies of flags, and how they print: in the table's order, a name of several bits before
 * its parts. The numbers of rules (evt.rawarg) are libs' portable ones, which Falco rules hold; the
 * kernel's differ between architectures. Owns constant data only; any thread.
 */
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/memfd.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sys/mman.h>

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
/* The access mode is two bits and not flags: its rows are chosen by open_access(), never by value. */
static const struct flag_name open_names[] = {
	{ O_LARGEFILE, 1 << 11, "O_LARGEFILE" },
	{ O_DIRECTORY, 1 << 10, "O_DIRECTORY" },
	{ O_DIRECT, 1 << 9, "O_DIRECT" },
	{ O_TRUNC, 1 << 8, "O_TRUNC" },
	{ O_SYNC, 1 << 7, "O_SYNC" },
	{ O_NONBLOCK, 1 << 6, "O_NONBLOCK" },
	{ O_EXCL, 1 << 5, "O_EXCL" },
	{ O_DSYNC, 1 << 4, "O_DSYNC" },
	{ O_APPEND, 1 << 3, "O_APPEND" },
	{ O_CREAT, 1 << 2, "O_CREAT" },
	{ O_RDWR, 3, "O_RDWR" },
	{ O_WRONLY, 1 << 1, "O_WRONLY" },
	{ O_RDONLY, 1 << 0, "O_RDONLY" },
	{ O_CLOEXEC, 1 << 12, "O_CLOEXEC" },
	{ 0, 0, "O_NONE" },
	{ O_TMPFILE, 1 << 13, "O_TMPFILE" },
	{ OPEN_FLAG_CREATED, 1 << 14, "O_F_CREATED" },
	{ OPEN_FLAG_UPPER_LAYER, 1 << 15, "FD_UPPER_LAYER" },
	{ OPEN_FLAG_LOWER_LAYER, 1 << 16, "FD_LOWER_LAYER" },
	END
};

/* include/uapi/linux/openat2.h */
static const struct flag_name openat2_resolve_names[] = {
	{ 0x08, 1 << 0, "RESOLVE_BENEATH" },
	{ 0x10, 1 << 1, "RESOLVE_IN_ROOT" },
	{ 0x02, 1 << 2, "RESOLVE_NO_MAGICLINKS" },
	{ 0x04, 1 << 3, "RESOLVE_NO_SYMLINKS" },
	{ 0x01, 1 << 4, "RESOLVE_NO_XDEV" },
	{ 0x20, 1 << 5, "RESOLVE_CACHED" },
	END
};

static const struct flag_name exec_names[] = {
	{ WIRE_FILE_WRITABLE, 1 << 0, "EXE_WRITABLE" },
	{ WIRE_FILE_UPPER_LAYER, 1 << 1, "EXE_UPPER_LAYER" },
	{ WIRE_FILE_MEMFD, 1 << 2, "EXE_FROM_MEMFD" },
	{ WIRE_FILE_LOWER_LAYER, 1 << 3, "EXE_LOWER_LAYER" },
	END
};

/* With the numbers that the same names have among the open flags. */
static const struct flag_name creat_names[] = {
	{ WIRE_FILE_CREATED, 1 << 14, "O_F_CREATED" },
	{ WIRE_FILE_UPPER_LAYER, 1 << 15, "FD_UPPER_LAYER_CREAT" },
	{ WIRE_FILE_LOWER_LAYER, 1 << 16, "FD_LOWER_LAYER_CREAT" },
	END
};

static const struct flag_name unlinkat_names[] = {
	SAME(AT_REMOVEDIR, "AT_REMOVEDIR"),
	END
};

static const struct flag_name linkat_names[] = {
	SAME(AT_SYMLINK_FOLLOW, "AT_SYMLINK_FOLLOW"),
	SAME(AT_EMPTY_PATH, "AT_EMPTY_PATH"),
	END
};

static const struct flag_name fchownat_names[] = {
	SAME(AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"),
	SAME(AT_EMPTY_PATH, "AT_EMPTY_PATH"),
	END
};

static const struct flag_name renameat2_names[] = {
	SAME(RENAME_NOREPLACE, "RENAME_NOREPLACE"),
	SAME(RENAME_EXCHANGE, "RENAME_EXCHANGE"),
	SAME(RENAME_WHITEOUT, "RENAME_WHITEOUT"),
	END
};

/* MFD_NOEXEC_SEAL and MFD_EXEC: since 6.3. */
static const struct flag_name memfd_names[] = {
	SAME(MFD_CLOEXEC, "MFD_CLOEXEC"),
	SAME(MFD_ALLOW_SEALING, "MFD_ALLOW_SEALING"),
	SAME(MFD_HUGETLB, "MFD_HUGETLB"),
	SAME(0x0008, "MFD_NOEXEC_SEAL"),
	SAME(0x0010, "MFD_EXEC"),
	END
};

static const struct flag_name access_names[] = {
	SAME(0, "F_OK"), SAME(R_OK, "R_OK"), SAME(W_OK, "W_OK"), SAME(X_OK, "X_OK"),
	END
};

/* MODULE_INIT_COMPRESSED_FILE: since 5.17. */
static const struct flag_name finit_module_names[] = {
	SAME(MODULE_INIT_IGNORE_MODVERSIONS, "MODULE_INIT_IGNORE_MODVERSIONS"),
	SAME(MODULE_INIT_IGNORE_VERMAGIC, "MODULE_INIT_IGNORE_VERMAGIC"),
	SAME(4, "MODULE_INIT_COMPRESSED_FILE"),
	END
};

static const struct flag_name delete_module_names[] = {
	{ O_NONBLOCK, 1 << 0, "O_NONBLOCK" },
	{ O_TRUNC, 1 << 1, "O_TRUNC" },
	END
};

/* CLONE_CLEAR_SIGHAND and CLONE_INTO_CGROUP are clone3's; the low byte is a signal, but NEWTIME's bit
 * is in no signal's number. */
static const struct flag_name clone_names[] = {
	{ CLONE_FILES, 1 << 0, "CLONE_FILES" },
	{ CLONE_FS, 1 << 1, "CLONE_FS" },
	{ CLONE_IO, 1 << 2, "CLONE_IO" },
	{ CLONE_NEWIPC, 1 << 3, "CLONE_NEWIPC" },
	{ CLONE_NEWNET, 1 << 4, "CLONE_NEWNET" },
	{ CLONE_NEWNS, 1 << 5, "CLONE_NEWNS" },
	{ CLONE_NEWPID, 1 << 6, "CLONE_NEWPID" },
	{ CLONE_NEWUTS, 1 << 7, "CLONE_NEWUTS" },
	{ CLONE_PARENT, 1 << 8, "CLONE_PARENT" },
	{ CLONE_PARENT_SETTID, 1 << 9, "CLONE_PARENT_SETTID" },
	{ CLONE_PTRACE, 1 << 10, "CLONE_PTRACE" },
	{ CLONE_SIGHAND, 1 << 11, "CLONE_SIGHAND" },
	{ CLONE_SYSVSEM, 1 << 12, "CLONE_SYSVSEM" },
	{ CLONE_THREAD, 1 << 13, "CLONE_THREAD" },
	{ CLONE_UNTRACED, 1 << 14, "CLONE_UNTRACED" },
	{ CLONE_VM, 1 << 15, "CLONE_VM" },
	{ CLONE_NEWUSER, 1 << 20, "CLONE_NEWUSER" },
	{ CLONE_CHILD_CLEARTID, 1 << 23, "CLONE_CHILD_CLEARTID" },
	{ CLONE_CHILD_SETTID, 1 << 24, "CLONE_CHILD_SETTID" },
	{ CLONE_SETTLS, 1 << 25, "CLONE_SETTLS" },
	{ CLONE_VFORK, 1 << 27, "CLONE_VFORK" },
	{ CLONE_NEWCGROUP, 1 << 28, "CLONE_NEWCGROUP" },
	{ CLONE_NEWTIME, OURS(0), "CLONE_NEWTIME" },
	{ CLONE_PIDFD, OURS(1), "CLONE_PIDFD" },
	{ CLONE_CLEAR_SIGHAND, OURS(2), "CLONE_CLEAR_SIGHAND" },
	{ CLONE_INTO_CGROUP, OURS(3), "CLONE_INTO_CGROUP" },
	END
};

/* MS_ flags, without the prefix as Falco has them. */
static const struct flag_name mount_names[] = {
	SAME(MS_RDONLY, "RDONLY"), SAME(MS_NOSUID, "NOSUID"), SAME(MS_NODEV, "NODEV"),
	SAME(MS_NOEXEC, "NOEXEC"), SAME(MS_SYNCHRONOUS, "SYNCHRONOUS"),
	SAME(MS_REMOUNT, "REMOUNT"), SAME(MS_MANDLOCK, "MANDLOCK"), SAME(MS_DIRSYNC, "DIRSYNC"),
	SAME(MS_NOSYMFOLLOW, "NOSYMFOLLOW"), SAME(MS_NOATIME, "NOATIME"),
	SAME(MS_NODIRATIME, "NODIRATIME"), SAME(MS_BIND, "BIND"), SAME(MS_MOVE, "MOVE"),
	SAME(MS_REC, "REC"), SAME(MS_SILENT, "SILENT"), SAME(MS_POSIXACL, "POSIXACL"),
	SAME(MS_UNBINDABLE, "UNBINDABLE"), SAME(MS_PRIVATE, "PRIVATE"), SAME(MS_SLAVE, "SLAVE"),
	SAME(MS_SHARED, "SHARED"), SAME(MS_RELATIME, "RELATIME"),
	SAME(MS_KERNMOUNT, "KERNMOUNT"), SAME(MS_I_VERSION, "I_VERSION"),
	SAME(MS_STRICTATIME, "STRICTATIME"), SAME(MS_LAZYTIME, "LAZYTIME"),
	SAME(1U << 28, "NOSEC"), SAME(1U << 29, "BORN"), SAME(1U << 30, "ACTIVE"),
	SAME(1U << 31, "NOUSER"),
	END
};

/* include/linux/fs.h (not uapi) */
static const struct flag_name umount_names[] = {
	SAME(1, "FORCE"), SAME(2, "DETACH"), SAME(4, "EXPIRE"), SAME(8, "NOFOLLOW"),
	END
};

/* PROT_SAO is PowerPC's alone; its bit means something else on arm64. */
static const struct flag_name mmap_prot_names[] = {
	{ PROT_READ, 1 << 0, "PROT_READ" },
	{ PROT_WRITE, 1 << 1, "PROT_WRITE" },
	{ PROT_EXEC, 1 << 2, "PROT_EXEC" },
	{ 0x8, 1 << 3, "PROT_SEM" },
	{ PROT_GROWSDOWN, 1 << 4, "PROT_GROWSDOWN" },
	{ PROT_GROWSUP, 1 << 5, "PROT_GROWSUP" },
	{ 0, 0, "PROT_NONE" },
	END
};

static const struct flag_name mmap_names[] = {
	{ MAP_SHARED, 1 << 0, "MAP_SHARED" },
	{ MAP_PRIVATE, 1 << 1, "MAP_PRIVATE" },
	{ MAP_FIXED, 1 << 2, "MAP_FIXED" },
	{ MAP_ANONYMOUS, 1 << 3, "MAP_ANONYMOUS" },
#ifdef __x86_64__
	{ MAP_32BIT, 1 << 4, "MAP_32BIT" },
#endif
	{ MAP_NORESERVE, 1 << 6, "MAP_NORESERVE" },
	{ MAP_POPULATE, 1 << 7, "MAP_POPULATE" },
	{ MAP_NONBLOCK, 1 << 8, "MAP_NONBLOCK" },
	{ MAP_GROWSDOWN, 1 << 9, "MAP_GROWSDOWN" },
	{ MAP_DENYWRITE, 1 << 10, "MAP_DENYWRITE" },
	{ MAP_EXECUTABLE, 1 << 11, "MAP_EXECUTABLE" },
	{ MAP_LOCKED, 1 << 14, "MAP_LOCKED" },
	{ MAP_STACK, OURS(0), "MAP_STACK" },
	{ MAP_HUGETLB, OURS(1), "MAP_HUGETLB" },
	{ MAP_SYNC, OURS(2), "MAP_SYNC" },
	{ MAP_FIXED_NOREPLACE, OURS(3), "MAP_FIXED_NOREPLACE" },
	END
};

static const struct flag_name mode_names[] = {
	SAME(00001, "S_IXOTH"), SAME(00002, "S_IWOTH"), SAME(00004, "S_IROTH"),
	SAME(00010, "S_IXGRP"), SAME(00020, "S_IWGRP"), SAME(00040, "S_IRGRP"),
	SAME(00100, "S_IXUSR"), SAME(00200, "S_IWUSR"), SAME(00400, "S_IRUSR"),
	SAME(01000, "S_ISVTX"), SAME(02000, "S_ISGID"), SAME(04000, "S_ISUID"),
	END
};
/* clang-format on */

/* clang-format off */
const struct vocabulary vocabulary_open_flags = { "open_flags", open_names, false };
const struct vocabulary vocabulary_openat2_resolve = { "openat2_resolve", openat2_resolve_names, false };
const struct vocabulary vocabulary_exec_flags = { "exec_flags", exec_names, false };
const struct vocabulary vocabulary_creat_flags = { "creat_flags", creat_names, false };
const struct vocabulary vocabulary_unlinkat_flags = { "unlinkat_flags", unlinkat_names, false };
const struct vocabulary vocabulary_mode_bits = { "mode_bits", mode_names, false };
const struct vocabulary vocabulary_linkat_flags = { "linkat_flags", linkat_names, false };
const struct vocabulary vocabulary_fchownat_flags = { "fchownat_flags", fchownat_names, false };
const struct vocabulary vocabulary_renameat2_flags = { "renameat2_flags", renameat2_names, false };
const struct vocabulary vocabulary_memfd_flags = { "memfd_flags", memfd_names, false };
const struct vocabulary vocabulary_access_mode = { "access_mode", access_names, false };
const struct vocabulary vocabulary_finit_module_flags = { "finit_module_flags", finit_module_names, false };
const struct vocabulary vocabulary_delete_module_flags = { "delete_module_flags", delete_module_names, false };
const struct vocabulary vocabulary_clone_flags = { "clone_flags", clone_names, false };
const struct vocabulary vocabulary_mount_flags = { "mount_flags", mount_names, false };
const struct vocabulary vocabulary_umount_flags = { "umount_flags", umount_names, false };
const struct vocabulary vocabulary_mmap_prot = { "mmap_prot", mmap_prot_names, false };
const struct vocabulary vocabulary_mmap_flags = { "mmap_flags", mmap_names, false };
/* clang-format on */

static const struct vocabulary *const vocabularies[] = {
#define VOCABULARY(name) &vocabulary_##name,
#include "vocabularies.def"
};

const struct vocabulary *vocabulary_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(vocabularies); i++) {
		if (strcmp(vocabularies[i]->name, name) == 0)
			return vocabularies[i];
	}
	return NULL;
}

/* Where all portable numbers are the kernel's, bits without a name are kept. */
static bool is_translating(const struct vocabulary *vocabulary)
{
	for (const struct flag_name *row = vocabulary->names; row->name; row++) {
		if (row->kernel_value != row->portable_value)
			return true;
	}
	return false;
}

/* O_RDONLY is 0 in the kernel and a flag in the portable numbers. 3 grants neither reading nor
 * writing (fs/open.c: build_open_flags), nor does O_PATH, whatever stands beside it (open(2)). */
static uint64_t open_access(uint64_t kernel_value)
{
	if (kernel_value & O_PATH)
		return 0;
	switch (kernel_value & O_ACCMODE) {
	case O_RDONLY:
		return 1 << 0;
	case O_WRONLY:
		return 1 << 1;
	case O_RDWR:
		return 3;
	default:
		return 0;
	}
}

/* An option's level is no part of its number. */
static uint64_t enum_number(const struct vocabulary *vocabulary, uint64_t kernel_value)
{
	return vocabulary == &vocabulary_socket_option ? (uint32_t)kernel_value : kernel_value;
}

static uint64_t enum_portable(const struct vocabulary *vocabulary, uint64_t kernel_value)
{
	for (const struct flag_name *row = vocabulary->names; row->name; row++) {
		if (row->kernel_value == kernel_value)
			return row->portable_value;
	}
	if (vocabulary == &vocabulary_socket_option)
		return enum_number(vocabulary, kernel_value);
	return is_translating(vocabulary) ? 0 : kernel_value;
}

uint64_t vocabulary_portable(const struct vocabulary *vocabulary, uint64_t kernel_value)
{
	uint64_t portable = 0;

	if (vocabulary->is_enum)
		return enum_portable(vocabulary, kernel_value);
	/* Once required, still passed by some, ignored since (path_mount(), fs/namespace.c). */
	if (vocabulary->names == mount_names && (kernel_value & MS_MGC_MSK) == MS_MGC_VAL)
		return kernel_value & ~(uint64_t)MS_MGC_MSK;
	if (!is_translating(vocabulary))
		return kernel_value;
	if (vocabulary->names == open_names) {
		portable = open_access(kernel_value);
		kernel_value &= ~(uint64_t)O_ACCMODE;
	}
	for (const struct flag_name *row = vocabulary->names; row->name; row++) {
		if (row->kernel_value && (kernel_value & row->kernel_value) == row->kernel_value)
			portable |= row->portable_value;
	}
	return portable;
}

static bool put_name(const char *name, bool is_first, struct buf *out)
{
	if (!is_first)
		buf_putc(out, '|');
	buf_puts(out, name);
	return false;
}

static bool enum_format(const struct vocabulary *vocabulary, uint64_t kernel_value, struct buf *out)
{
	bool is_first = true;

	for (const struct flag_name *row = vocabulary->names; row->name; row++) {
		if (row->kernel_value == kernel_value)
			is_first = put_name(row->name, is_first, out);
	}
	return !is_first;
}

static bool flags_format(const struct vocabulary *vocabulary, uint64_t portable, struct buf *out)
{
	uint64_t left = portable;
	bool is_first = true;

	for (const struct flag_name *row = vocabulary->names; row->name; row++) {
		uint64_t bits = row->portable_value;

		if (bits ? (left & bits) == bits : portable == 0) {
			is_first = put_name(row->name, is_first, out);
			left &= ~bits;
		}
	}
	return !is_first;
}

uint64_t open_flags_with(uint64_t kernel_flags, uint64_t file_bits)
{
	uint64_t value = (uint32_t)kernel_flags;

	if (file_bits & WIRE_FILE_CREATED)
		value |= OPEN_FLAG_CREATED;
	if (file_bits & WIRE_FILE_UPPER_LAYER)
		value |= OPEN_FLAG_UPPER_LAYER;
	if (file_bits & WIRE_FILE_LOWER_LAYER)
		value |= OPEN_FLAG_LOWER_LAYER;
	return value;
}

void vocabulary_format(const struct vocabulary *vocabulary, uint64_t kernel_value, struct buf *out)
{
	uint64_t portable = vocabulary_portable(vocabulary, kernel_value);
	bool is_known = vocabulary->is_enum ? enum_format(vocabulary, kernel_value, out)
					    : flags_format(vocabulary, portable, out);

	if (!is_known)
		buf_put_u64(out,
			    vocabulary->is_enum ? enum_number(vocabulary, kernel_value) : portable);
}
