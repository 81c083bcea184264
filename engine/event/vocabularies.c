/*
 * Names of flags, in the order in which they are printed. Kernel values come from the uapi headers
 * of the architecture we are built for; portable values are Falco's, the same everywhere, so that a
 * rule that compares evt.rawarg means the same on each.
 */
#include "vocabularies.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

const struct vocabulary vocabulary_none = { .name = "NONE" };

/* The kernel's O_LARGEFILE; libc defines it as 0 on 64-bit systems. arch/arm64 has its own. */
#if defined(__aarch64__)
#define KERNEL_O_LARGEFILE 0400000
#else
#define KERNEL_O_LARGEFILE 0100000
#endif

/* O_SYNC and O_TMPFILE hold the bits of O_DSYNC and O_DIRECTORY; here each stands for its own bit.
 * OPEN_VALUE_: see open_flags_value(). */
static const struct flag_name open_names[] = {
	{ KERNEL_O_LARGEFILE, 1 << 11, "O_LARGEFILE" },
	{ O_DIRECTORY, 1 << 10, "O_DIRECTORY" },
	{ O_DIRECT, 1 << 9, "O_DIRECT" },
	{ O_TRUNC, 1 << 8, "O_TRUNC" },
	{ O_SYNC & ~O_DSYNC, 1 << 7, "O_SYNC" },
	{ O_NONBLOCK, 1 << 6, "O_NONBLOCK" },
	{ O_EXCL, 1 << 5, "O_EXCL" },
	{ O_DSYNC, 1 << 4, "O_DSYNC" },
	{ O_APPEND, 1 << 3, "O_APPEND" },
	{ O_CREAT, 1 << 2, "O_CREAT" },
	{ OPEN_VALUE_RDWR, 3, "O_RDWR" },
	{ OPEN_VALUE_WRONLY, 2, "O_WRONLY" },
	{ OPEN_VALUE_RDONLY, 1, "O_RDONLY" },
	{ O_CLOEXEC, 1 << 12, "O_CLOEXEC" },
	{ O_TMPFILE & ~O_DIRECTORY, 1 << 13, "O_TMPFILE" },
	{ OPEN_VALUE_CREATED, 1 << 14, "O_F_CREATED" },
	{ OPEN_VALUE_UPPER, 1 << 15, "FD_UPPER_LAYER" },
	{ OPEN_VALUE_LOWER, 1 << 16, "FD_LOWER_LAYER" },
	{ 0 },
};
const struct vocabulary open_flags = { "open_flags", open_names, false };

uint64_t open_flags_value(uint64_t kernel_flags, uint64_t file_bits)
{
	static const uint64_t access[4] = { OPEN_VALUE_RDONLY, OPEN_VALUE_WRONLY, OPEN_VALUE_RDWR,
					    0 };
	uint64_t value = (kernel_flags & ~(uint64_t)O_ACCMODE) | access[kernel_flags & O_ACCMODE];

	/* O_PATH opens no access at all (open(2)). */
	if (kernel_flags & O_PATH)
		value &= ~OPEN_VALUE_RDWR;
	if (file_bits & WIRE_FILE_CREATED)
		value |= OPEN_VALUE_CREATED;
	if (file_bits & WIRE_FILE_UPPER_LAYER)
		value |= OPEN_VALUE_UPPER;
	if (file_bits & WIRE_FILE_LOWER_LAYER)
		value |= OPEN_VALUE_LOWER;
	return value;
}

static const struct flag_name exec_names[] = {
	{ WIRE_FILE_WRITABLE, 1 << 0, "EXE_WRITABLE" },
	{ WIRE_FILE_UPPER_LAYER, 1 << 1, "EXE_UPPER_LAYER" },
	{ WIRE_FILE_MEMFD, 1 << 2, "EXE_FROM_MEMFD" },
	{ WIRE_FILE_LOWER_LAYER, 1 << 3, "EXE_LOWER_LAYER" },
	{ 0 },
};
const struct vocabulary exec_flags = { "exec_flags", exec_names, false };

static const struct flag_name creat_names[] = {
	{ WIRE_FILE_UPPER_LAYER, 1 << 15, "FD_UPPER_LAYER_CREAT" },
	{ WIRE_FILE_LOWER_LAYER, 1 << 16, "FD_LOWER_LAYER_CREAT" },
	{ 0 },
};
const struct vocabulary creat_flags = { "creat_flags", creat_names, false };

static const struct flag_name resolve_names[] = {
	{ RESOLVE_BENEATH, 1 << 0, "RESOLVE_BENEATH" },
	{ RESOLVE_IN_ROOT, 1 << 1, "RESOLVE_IN_ROOT" },
	{ RESOLVE_NO_MAGICLINKS, 1 << 2, "RESOLVE_NO_MAGICLINKS" },
	{ RESOLVE_NO_SYMLINKS, 1 << 3, "RESOLVE_NO_SYMLINKS" },
	{ RESOLVE_NO_XDEV, 1 << 4, "RESOLVE_NO_XDEV" },
	{ RESOLVE_CACHED, 1 << 5, "RESOLVE_CACHED" },
	{ 0 },
};
const struct vocabulary openat2_resolve = { "openat2_resolve", resolve_names, false };

static const struct flag_name unlinkat_names[] = {
	{ AT_REMOVEDIR, 1 << 0, "AT_REMOVEDIR" },
	{ 0 },
};
const struct vocabulary unlinkat_flags = { "unlinkat_flags", unlinkat_names, false };

static const struct flag_name mode_names[] = {
	{ S_IXOTH, S_IXOTH, "S_IXOTH" },
	{ S_IWOTH, S_IWOTH, "S_IWOTH" },
	{ S_IROTH, S_IROTH, "S_IROTH" },
	{ S_IXGRP, S_IXGRP, "S_IXGRP" },
	{ S_IWGRP, S_IWGRP, "S_IWGRP" },
	{ S_IRGRP, S_IRGRP, "S_IRGRP" },
	{ S_IXUSR, S_IXUSR, "S_IXUSR" },
	{ S_IWUSR, S_IWUSR, "S_IWUSR" },
	{ S_IRUSR, S_IRUSR, "S_IRUSR" },
	{ S_ISVTX, S_ISVTX, "S_ISVTX" },
	{ S_ISGID, S_ISGID, "S_ISGID" },
	{ S_ISUID, S_ISUID, "S_ISUID" },
	{ 0 },
};
const struct vocabulary mode_bits = { "mode_bits", mode_names, false };

static const struct vocabulary *const all[] = {
	&open_flags, &exec_flags, &creat_flags, &openat2_resolve, &unlinkat_flags, &mode_bits,
};

const struct vocabulary *vocabulary_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}

static void put_name(struct buf *out, size_t start, const char *name)
{
	if (out->n > start)
		buf_putc(out, '|');
	buf_puts(out, name);
}

/* A name of several bits hides the names of its parts (O_RDWR). */
void vocabulary_format(const struct vocabulary *vocabulary, uint64_t kernel_value, struct buf *out)
{
	const struct flag_name *name = vocabulary->names;
	uint64_t left = kernel_value;
	size_t start = out->n;

	for (; name && name->name; name++) {
		if (vocabulary->is_enum ? name->kernel_value == kernel_value
					: name->kernel_value && (left & name->kernel_value) ==
									name->kernel_value) {
			put_name(out, start, name->name);
			if (!vocabulary->is_enum)
				left &= ~name->kernel_value;
		}
	}
	if (out->n == start)
		buf_put_s64(out, (int64_t)kernel_value);
}

uint64_t vocabulary_portable(const struct vocabulary *vocabulary, uint64_t kernel_value)
{
	const struct flag_name *name = vocabulary->names;
	uint64_t left = kernel_value, portable = 0;

	if (vocabulary->is_enum)
		return kernel_value;
	for (; name && name->name; name++) {
		if (name->kernel_value && (left & name->kernel_value) == name->kernel_value) {
			portable |= name->portable_value;
			left &= ~name->kernel_value;
		}
	}
	return portable;
}
