/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads a file: from a descriptor to its struct file, its inode and what WIRE_FILE_ says of it.
 */
#ifndef HAETAE_BPF_FILE_H
#define HAETAE_BPF_FILE_H

#include "task.h"

/* The file behind a descriptor of the current task; NULL: none. The table's slots have no type. */
static __always_inline struct file *find_file(struct task_struct *task, __s64 fd,
					      const bool is_typed)
{
	struct files_struct *files = GET(task, files);
	struct fdtable *table;
	struct file **slots, *file = NULL;

	if (!files || fd < 0)
		return NULL;
	table = GET(files, fdt);
	if (!table || (__u64)fd >= GET(table, max_fds))
		return NULL;
	slots = GET(table, fd);
	(void)bpf_probe_read_kernel(&file, sizeof(file), &slots[fd]);
	return file;
}

static __always_inline struct file *file_of(struct task_struct *task, __s64 fd)
{
	return find_file(task, fd, false);
}

/* The inode in an overlayfs's upper layer is known by the dentry that struct ovl_inode keeps behind
 * its struct inode (fs/overlayfs/ovl_entry.h, 4.13 … 6.18); overlayfs may be a module, whose types
 * CO-RE doesn't look into. */
static __always_inline __u32 overlay_bits(struct inode *inode, unsigned long magic)
{
	void *upper = NULL;

	if (magic != OVERLAYFS_MAGIC)
		return 0;
	(void)bpf_probe_read_kernel(&upper, sizeof(upper),
				    (const char *)inode + bpf_core_type_size(struct inode));
	return upper ? WIRE_FILE_UPPER_LAYER : WIRE_FILE_LOWER_LAYER;
}

/* Whether the mode bits and capabilities let the task write the file; supplementary groups and
 * access control lists are not looked at. */
static __always_inline bool may_write(struct inode *inode, struct cred *cred, __u32 mode)
{
	__u64 effective = 0;

	(void)bpf_core_read(&effective, sizeof(effective), &cred->cap_effective);
	if (effective & (1ull << CAP_DAC_OVERRIDE))
		return true;
	if (READ(inode, i_uid.val) == READ(cred, fsuid.val))
		return mode & 0200;
	if (READ(inode, i_gid.val) == READ(cred, fsgid.val))
		return mode & 0020;
	return mode & 0002;
}

/* memfds lie on a mount of tmpfs that no namespace has, and are called "memfd:…" (mm/memfd.c). */
static __always_inline bool is_memfd(struct dentry *dentry, unsigned long magic)
{
	char name[6] = {};
	const unsigned char *text;

	if (magic != TMPFS_MAGIC)
		return false;
	text = READ(dentry, d_name.name);
	(void)bpf_probe_read_kernel(name, sizeof(name), text);
	return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' &&
	       name[4] == 'd' && name[5] == ':';
}

static __always_inline __u32 file_bits(struct file *file, struct inode *inode, struct cred *cred)
{
	struct super_block *super = READ(inode, i_sb);
	struct vfsmount *vfsmount = READ(file, f_path.mnt);
	unsigned long magic = READ(super, s_magic);
	__u32 mode = READ(inode, i_mode), bits = overlay_bits(inode, magic);
	bool is_read_only =
		READ(super, s_flags) & SB_RDONLY || READ(vfsmount, mnt_flags) & MNT_READONLY;

	if (is_memfd(READ(file, f_path.dentry), magic))
		bits |= WIRE_FILE_MEMFD;
	if (READ(file, f_mode) & FMODE_CREATED)
		bits |= WIRE_FILE_CREATED;
	if (!is_read_only && may_write(inode, cred, mode))
		bits |= WIRE_FILE_WRITABLE;
	if (mode & S_ISUID)
		bits |= WIRE_FILE_SETUID;
	if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		bits |= WIRE_FILE_SETGID;
	if (READ(inode, i_nlink) == 0)
		bits |= WIRE_FILE_UNLINKED;
	return bits;
}

/* d_unlinked() of include/linux/dcache.h. */
static __always_inline bool is_unlinked(struct dentry *dentry)
{
	return !READ(dentry, d_hash.pprev) && READ(dentry, d_parent) != dentry;
}

static __always_inline void put_file_path(struct frame *frame, __u32 slot, __u32 parameter,
					  struct file *file)
{
	put_object(frame, slot, parameter, READ(file, f_path.dentry), READ(file, f_path.mnt));
}

/* Whether the string parameter that was put last is a relative path. */
static __always_inline bool is_relative(struct frame *frame, __u32 parameter)
{
	struct wire_param *entry = &frame_params(frame)[parameter];

	return entry->length > 0 && frame->record[entry->offset & POSITION_MASK] != '/';
}

/* The directory that a relative name starts from: of the descriptor, or the working directory. */
static __always_inline void put_directory(struct frame *frame, struct task_struct *task, __u32 slot,
					  __u32 parameter, __s32 dirfd)
{
	struct fs_struct *fs = READ(task, fs);
	struct file *file;

	if (dirfd == AT_FDCWD) {
		if (fs)
			put_object(frame, slot, parameter, READ(fs, pwd.dentry), READ(fs, pwd.mnt));
		return;
	}
	file = file_of(task, dirfd);
	if (file)
		put_file_path(frame, slot, parameter, file);
}

#endif
