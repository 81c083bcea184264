/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel types that the programs read, and of each only the members they read. CO-RE finds the
 * members of the running kernel by name. A member whose name or type has changed over 5.8 … 6.18
 * has a flavor (`___suffix`) with the version of the change; compat.h chooses.
 */
#ifndef HAETAE_BPF_KERNEL_H
#define HAETAE_BPF_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

/* include/uapi/linux/bpf.h */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_LPM_TRIE = 11,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
};
enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
};
enum {
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};
enum {
	BPF_RB_AVAIL_DATA = 0,
	BPF_RB_CONS_POS = 2,
};

/* Asked for existence only: which helpers the kernel has. */
enum bpf_func_id___ours {
	BPF_FUNC_get_current_task_btf___ours = 158, /* 5.11 */
	BPF_FUNC_task_pt_regs___ours = 175,	    /* 5.15 */
};

/* include/linux/cgroup_subsys.h: numbers depend on the kernel's configuration. */
enum cgroup_subsys_id___ours {
	cpu_cgrp_id___ours = 1,
	memory_cgrp_id___ours = 4,
	pids_cgrp_id___ours = 11,
};

enum pid_type { /* include/linux/pid_types.h */
	PIDTYPE_PID,
	PIDTYPE_TGID,
	PIDTYPE_PGID,
	PIDTYPE_SID,
	PIDTYPE_MAX,
};

/* Numbers of the kernel's ABI or of its own headers. */
#define AT_FDCWD	  (-100)    /* include/uapi/linux/fcntl.h */
#define O_CREAT		  0100	    /* include/uapi/asm-generic/fcntl.h */
#define O_TMPFILE_BIT	  020000000 /* __O_TMPFILE */
#define FMODE_CREATED	  0x100000  /* include/linux/fs.h, bit 20 in 4.19 … 6.18 */
#define S_IFMT		  0170000   /* include/uapi/linux/stat.h */
#define S_IFSOCK	  0140000
#define S_ISUID		  04000
#define S_ISGID		  02000
#define S_IXGRP		  00010
#define SB_RDONLY	  1    /* include/linux/fs.h */
#define MNT_READONLY	  0x40 /* include/linux/mount.h */
#define CAP_DAC_OVERRIDE  1    /* include/uapi/linux/capability.h */
#define SIGNAL_GROUP_EXIT 4    /* include/linux/sched/signal.h */
#define RLIMIT_NOFILE	  7    /* include/uapi/asm-generic/resource.h */
#define EEXIST		  17   /* include/uapi/asm-generic/errno-base.h */
#define EINTR		  4
#define EINVAL		  22
#define EINPROGRESS	  115	     /* include/uapi/asm-generic/errno.h */
#define PIPEFS_MAGIC	  0x50495045 /* include/uapi/linux/magic.h */
#define SOCKFS_MAGIC	  0x534f434b
#define ANON_INODE_MAGIC  0x09041934
#define NSFS_MAGIC	  0x6e736673
#define PID_FS_MAGIC	  0x50494446
#define PROC_SUPER_MAGIC  0x9fa0
#define TMPFS_MAGIC	  0x01021994
#define OVERLAYFS_MAGIC	  0x794c7630

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long bx, cx, dx, si, di, bp;
	unsigned long r8, r9, r10;
	unsigned long orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31];
	__u64 orig_x0;
	__s32 syscallno;
};
#endif

struct thread_info {
	unsigned long flags;
	__u32 status; /* x86 only */
};

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_bl_node {
	struct hlist_bl_node *next, **pprev;
};

struct qstr {
	const unsigned char *name;
};

struct timespec64 {
	__s64 tv_sec;
	long tv_nsec;
};

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct ns_common {
	struct proc_ns_operations *ops;
	unsigned int inum;
};

struct proc_ns_operations {
	const char *name;
};

struct super_block {
	unsigned int s_dev;
	unsigned long s_flags;
	unsigned long s_magic;
};

struct inode {
	unsigned short i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	void *i_private;
};

struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
};

struct inode___v6_5 { /* until 6.5; i_mtime until 6.6 */
	struct timespec64 i_ctime, i_mtime;
};

struct inode___v6_10 { /* 6.6 … 6.10; i_mtime 6.7 … 6.10 */
	struct timespec64 __i_ctime, __i_mtime;
};

struct inode___v6_11 {
	__s64 i_ctime_sec, i_mtime_sec;
	__u32 i_ctime_nsec, i_mtime_nsec;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
	int mnt_flags;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
};

struct mnt_namespace {
	struct ns_common ns;
	struct mount *root;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_mode;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	struct path root, pwd;
};

struct pid_namespace {
	struct task_struct *child_reaper;
	unsigned int level;
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct user_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

typedef struct {
	__u64 val; /* two u32 before 6.3: the same bytes on little-endian machines */
} kernel_cap_t;

struct cred {
	kuid_t uid, euid, fsuid;
	kgid_t gid, egid, fsgid;
	kernel_cap_t cap_inheritable, cap_permitted, cap_effective;
	struct user_namespace *user_ns;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct css_set {
	struct cgroup_subsys_state *subsys[1];
	struct cgroup *dfl_cgrp;
};

struct tty_driver {
	int major, minor_start;
};

struct tty_struct {
	int index;
	struct tty_driver *driver;
};

struct rlimit {
	unsigned long rlim_cur;
};

struct signal_struct {
	atomic_t live;
	int nr_threads;
	int group_exit_code;
	unsigned int flags;
	unsigned int is_child_subreaper : 1;
	unsigned int has_child_subreaper : 1;
	struct pid *pids[PIDTYPE_MAX];
	struct tty_struct *tty;
	struct rlimit rlim[16];
};

struct mm_struct {
	unsigned long total_vm;
	unsigned long arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
};

struct mm_rss_stat___v6_1 { /* until 6.1 */
	atomic64_t count[4];
};

struct mm_struct___v6_1 {
	struct mm_rss_stat___v6_1 rss_stat;
};

struct percpu_counter {
	__s64 count;
};

struct mm_struct___v6_2 {
	struct percpu_counter rss_stat[4];
};

struct task_struct {
	struct thread_info thread_info;
	void *stack;
	unsigned int flags;
	int pid, tgid;
	int exit_code;
	char comm[16];
	__u64 start_boottime;
	__u64 self_exec_id;
	unsigned long maj_flt, min_flt;
	kuid_t loginuid;
	struct task_struct *real_parent, *group_leader;
	struct list_head children;
	struct pid *thread_pid;
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct nsproxy *nsproxy;
	struct cred *cred;
	struct css_set *cgroups;
};

struct linux_binprm {
	const char *filename, *interp;
	const char *fdpath; /* since 5.9 */
};

struct filename {
	char *name;
};

struct open_how {
	__u64 flags, mode, resolve;
};

/* io_uring: a request begins with what its operation was given (io_uring/…). */
struct io_uring_cqe {
	__s32 res;
	__u32 flags;
};

struct io_cqe {
	int fd; /* the request's descriptor, until it completes */
};

struct io_ring_ctx {
	unsigned int compat : 1;
};

struct io_kiocb {
	struct file *file;
	__u8 opcode;
	__u32 flags; /* 64 bits since 6.8; these are the low ones */
	struct io_cqe cqe;
	struct io_ring_ctx *ctx;
};

struct io_open {
	int dfd;
	__u32 file_slot; /* since 5.15: 0, or one more than the direct descriptor */
	struct filename *filename;
	struct open_how how;
};

struct io_unlink {
	int dfd, flags;
	struct filename *filename;
};

struct io_mkdir {
	int dfd;
	__u16 mode;
	struct filename *filename;
};

struct io_rename {
	int old_dfd, new_dfd;
	struct filename *oldpath, *newpath;
	int flags;
};

struct io_link {
	int old_dfd, new_dfd;
	struct filename *oldpath, *newpath;
	int flags;
};

struct io_connect {
	void *addr;
	int addr_len;
};

struct io_accept {
	void *addr;
	int *addr_len;
	int flags;
	__u32 file_slot;
};

struct io_sr_msg { /* of a message buf is the struct msghdr */
	void *buf;
	int len;
	unsigned int msg_flags;
};

struct io_rw {
	__u64 addr;
	__u32 len;
};

struct io_close {
	int fd;
	__u32 file_slot;
};

struct io_socket {
	int domain, type, protocol;
	__u32 file_slot;
};

struct io_listen {
	int backlog;
};

struct io_shutdown {
	int how;
};

struct io_ftrunc {
	__s64 len;
};

struct seq_file {
	void *private;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#endif
