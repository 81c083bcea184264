/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The process behind a descriptor: a pidfd, or a directory /proc/PID, which some calls take for
 * one.
 */
#ifndef HAETAE_BPF_PIDFD_H
#define HAETAE_BPF_PIDFD_H

#include "file.h"

/* include/uapi/linux/fcntl.h; the last is what 6.14 had for the group. */
#define PIDFD_SELF_THREAD	    (-10000)
#define PIDFD_SELF_THREAD_GROUP	    (-10001)
#define PIDFD_SELF_THREAD_GROUP_OLD (-20000)

/* A pidfd is of the anonymous inode until 6.8 and of pidfs since (kernel/fork.c, fs/pidfs.c). */
static __always_inline bool is_anonymous_pidfd(struct file *file)
{
	struct dentry *dentry = READ(file, f_path.dentry);
	char name[8] = {};

	(void)bpf_probe_read_kernel(name, sizeof(name), READ(dentry, d_name.name));
	return *(__u64 *)name == *(__u64 *)"[pidfd]";
}

static __always_inline struct pid *pid_of_file(struct file *file)
{
	struct inode *inode = READ(file, f_inode);
	struct proc_inode *of_proc;

	switch (READ(READ(inode, i_sb), s_magic)) {
	case PID_FS_MAGIC:
		return READ(inode, i_private);
	case ANON_INODE_MAGIC:
		return is_anonymous_pidfd(file) ? READ(file, private_data) : NULL;
	case PROC_SUPER_MAGIC:
		of_proc = (void *)((char *)inode -
				   bpf_core_field_offset(struct proc_inode, vfs_inode));
		return READ(of_proc, pid);
	}
	return NULL;
}

/* Its number in the initial pid namespace; 0: the descriptor is of no process, or that has gone. */
static __always_inline __u32 pidfd_number(struct task_struct *task, __s32 fd)
{
	struct file *file;

	if (fd == PIDFD_SELF_THREAD)
		return (__u32)READ(task, pid);
	if (fd == PIDFD_SELF_THREAD_GROUP || fd == PIDFD_SELF_THREAD_GROUP_OLD)
		return (__u32)READ(task, tgid);
	file = file_of(task, fd);
	return file ? pid_global(pid_of_file(file)) : 0;
}

#endif
