/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * open, openat, openat2, creat: the name as passed, and the file that was opened, from the new
 * descriptor. Both readings of the path leave the kernel (decision 1).
 */
#include "filter_path.h"
#include "prog.h"

enum object_slot {
	SLOT_FILE,
	SLOT_DIRECTORY,
};

/* fs/open.c: without these flags the kernel ignores the mode, which then holds anything. */
static __always_inline __u64 effective_mode(__u64 flags, __u64 mode)
{
	return flags & (O_CREAT | O_TMPFILE_BIT) ? mode & 07777 : 0;
}

/* The parameters of the opened file, where there is one. */
#define PUT_OPENED(frame, file, inode, ID, bits)                                               \
	do {                                                                                   \
		put_u64(frame, PARAM_##ID##_dev, READ(READ(inode, i_sb), s_dev));              \
		put_u64(frame, PARAM_##ID##_ino, READ(inode, i_ino));                          \
		put_u64(frame, PARAM_##ID##_##bits, file_bits(file, inode, LOAD(task, cred))); \
		put_u64(frame, PARAM_##ID##_file_mode, READ(inode, i_mode));                   \
		put_file_path(frame, SLOT_FILE, PARAM_##ID##_path, file);                      \
	} while (0)

static __always_inline struct inode *opened_inode(struct frame *frame, struct task_struct *task,
						  struct file **ret_file)
{
	*ret_file = frame->result >= 0 ? file_of(task, frame->result) : NULL;
	return *ret_file ? READ(*ret_file, f_inode) : NULL;
}

/* The name that the kernel filter has looked at, where it has. */
static __always_inline void put_name(struct frame *frame, __u32 parameter, __u64 address)
{
	if (frame->passed.is_whole)
		put_kernel_string(frame, parameter, frame->passed.text);
	else
		put_user_string(frame, parameter, address);
}

static __always_inline int filter_by_name(__u64 *context, const bool is_typed)
{
	struct frame *frame = frame_get();
	const struct filter_type *filter;
	__u32 type;

	if (!frame)
		return 0;
	type = frame->type;
	filter = bpf_map_lookup_elem(&filter_types, &type);
	if (filter && filter_path(frame, current_task(), filter, is_typed) &&
	    frame_is_unwanted(frame))
		return 0;
	bpf_tail_call(context, &call_programs, type);
	frame_abandon(frame);
	return 0;
}

SEC("tp_btf/sys_exit")
int call_name(__u64 *context)
{
	return filter_by_name(context, false);
}

SEC("tp_btf/sys_exit")
int call_name_t(__u64 *context)
{
	return filter_by_name(context, true);
}

CALL_PROGRAM(open, OPEN)
{
	__u64 *arguments = frame->arguments;
	struct file *file;
	struct inode *inode = opened_inode(frame, task, &file);

	put_s64(frame, PARAM_OPEN_fd, frame->result);
	put_u64(frame, PARAM_OPEN_flags, (__u32)arguments[1]);
	put_u64(frame, PARAM_OPEN_mode, effective_mode(arguments[1], arguments[2]));
	if (inode)
		PUT_OPENED(frame, file, inode, OPEN, file_bits);
	put_name(frame, PARAM_OPEN_name, arguments[0]);
	if (is_relative(frame, PARAM_OPEN_name))
		put_directory(frame, task, SLOT_DIRECTORY, PARAM_OPEN_dirpath, AT_FDCWD);
}

CALL_PROGRAM(openat, OPENAT)
{
	__u64 *arguments = frame->arguments;
	struct file *file;
	struct inode *inode = opened_inode(frame, task, &file);

	put_s64(frame, PARAM_OPENAT_fd, frame->result);
	put_s64(frame, PARAM_OPENAT_dirfd, (__s32)arguments[0]);
	put_u64(frame, PARAM_OPENAT_flags, (__u32)arguments[2]);
	put_u64(frame, PARAM_OPENAT_mode, effective_mode(arguments[2], arguments[3]));
	if (inode)
		PUT_OPENED(frame, file, inode, OPENAT, file_bits);
	put_name(frame, PARAM_OPENAT_name, arguments[1]);
	if (is_relative(frame, PARAM_OPENAT_name))
		put_directory(frame, task, SLOT_DIRECTORY, PARAM_OPENAT_dirpath,
			      (__s32)arguments[0]);
}

CALL_PROGRAM(openat2, OPENAT2)
{
	__u64 *arguments = frame->arguments;
	struct { /* struct open_how, include/uapi/linux/openat2.h; the mode counts as it is */
		__u64 flags, mode, resolve;
	} how = {};
	struct file *file;
	struct inode *inode = opened_inode(frame, task, &file);

	put_s64(frame, PARAM_OPENAT2_fd, frame->result);
	put_s64(frame, PARAM_OPENAT2_dirfd, (__s32)arguments[0]);
	if (arguments[3] >= sizeof(how) &&
	    bpf_probe_read_user(&how, sizeof(how), (void *)arguments[2]) == 0) {
		put_u64(frame, PARAM_OPENAT2_flags, how.flags);
		put_u64(frame, PARAM_OPENAT2_mode, how.mode);
		put_u64(frame, PARAM_OPENAT2_resolve, how.resolve);
	}
	if (inode)
		PUT_OPENED(frame, file, inode, OPENAT2, file_bits);
	put_name(frame, PARAM_OPENAT2_name, arguments[1]);
	if (is_relative(frame, PARAM_OPENAT2_name))
		put_directory(frame, task, SLOT_DIRECTORY, PARAM_OPENAT2_dirpath,
			      (__s32)arguments[0]);
}

CALL_PROGRAM(creat, CREAT)
{
	__u64 *arguments = frame->arguments;
	struct file *file;
	struct inode *inode = opened_inode(frame, task, &file);

	put_s64(frame, PARAM_CREAT_fd, frame->result);
	put_u64(frame, PARAM_CREAT_mode, arguments[1] & 07777);
	if (inode)
		PUT_OPENED(frame, file, inode, CREAT, creat_flags);
	put_name(frame, PARAM_CREAT_name, arguments[0]);
	if (is_relative(frame, PARAM_CREAT_name))
		put_directory(frame, task, SLOT_DIRECTORY, PARAM_CREAT_dirpath, AT_FDCWD);
}
