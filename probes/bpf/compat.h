/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How to read kernel memory, and the members that kernels have differently. Every question here is
 * answered at load time, so the branch that is not taken costs nothing and is not verified.
 */
#ifndef HAETAE_BPF_COMPAT_H
#define HAETAE_BPF_COMPAT_H

#include "kernel.h" /* brings the types that the next ones need */
#include <bpf/bpf_helpers.h>
#include "loop.h"
#include <bpf/bpf_core_read.h>

/* With bpf_get_current_task_btf (5.11) the kernel's verifier knows the type of the task and of what
 * hangs on it; a member is then one load instead of a helper call. */
#define CAN_LOAD \
	bpf_core_enum_value_exists(enum bpf_func_id___ours, BPF_FUNC_get_current_task_btf___ours)

/* Reads a member through a pointer of any origin, for example one that was kept in a map. */
#define READ(source, member)                                                    \
	({                                                                      \
		typeof(source) source_ = (source);                              \
		typeof(source_->member) value_ = 0;                             \
		(void)bpf_core_read(&value_, sizeof(value_), &source_->member); \
		value_;                                                         \
	})

/* Reads a member through a pointer that the verifier can trace to a task or to the context. */
#define LOAD(source, member)                                                            \
	({                                                                              \
		typeof(source) source_ = (source);                                      \
		typeof(source_->member) value_ = 0;                                     \
		if (CAN_LOAD)                                                           \
			value_ = source_->member;                                       \
		else                                                                    \
			(void)bpf_core_read(&value_, sizeof(value_), &source_->member); \
		value_;                                                                 \
	})

/* READ or LOAD, by a constant of the function around it. From 6.2 on the verifier looks for
 * exceptions by name, in all of the kernel's types, at every typed load that gives a pointer; so
 * programs of rare events are not typed, to start sooner. */
#define GET(source, member) (is_typed ? LOAD(source, member) : READ(source, member))

void *bpf_rdonly_cast(const void *object, __u32 btf_id) __ksym __weak; /* kfunc, since 6.2 */

/* A pointer of any origin, so that GET() loads through it where is_typed is true. */
#define TYPED(pointer, type) \
	((type *)(is_typed ? bpf_rdonly_cast((pointer), bpf_core_type_id_kernel(type)) : (pointer)))

static __always_inline struct task_struct *current_task(void)
{
	if (CAN_LOAD)
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

/* A system call as the registers have it at its exit. */
#if defined(__TARGET_ARCH_x86)
static __always_inline __u64 call_number(const struct pt_regs *registers)
{
	return registers->orig_ax;
}

#define TS_COMPAT 2 /* arch/x86/include/asm/thread_info.h */

static __always_inline bool call_is_compat(struct task_struct *task)
{
	return LOAD(task, thread_info.status) & TS_COMPAT;
}

/* Of an ia32 call as arch/x86/entry/syscall_32.c takes them. */

static __always_inline void read_arguments(const struct pt_regs *registers, bool is_compat,
					   __u64 arguments[6])
{
	if (is_compat) {
		arguments[0] = (__u32)registers->bx;
		arguments[1] = (__u32)registers->cx;
		arguments[2] = (__u32)registers->dx;
		arguments[3] = (__u32)registers->si;
		arguments[4] = (__u32)registers->di;
		arguments[5] = (__u32)registers->bp;
	} else {
		arguments[0] = registers->di;
		arguments[1] = registers->si;
		arguments[2] = registers->dx;
		arguments[3] = registers->r10;
		arguments[4] = registers->r8;
		arguments[5] = registers->r9;
	}
}
#elif defined(__TARGET_ARCH_arm64)
static __always_inline __u64 call_number(const struct pt_regs *registers)
{
	return (__u64)(__s64)registers->syscallno;
}

#define TIF_32BIT 22 /* arch/arm64/include/asm/thread_info.h */

static __always_inline bool call_is_compat(struct task_struct *task)
{
	return LOAD(task, thread_info.flags) & (1ul << TIF_32BIT);
}

static __always_inline void read_arguments(const struct pt_regs *registers, bool is_compat,
					   __u64 arguments[6])
{
	__u64 mask = is_compat ? 0xffffffffull : ~0ull;

	arguments[0] = registers->orig_x0 & mask;
	arguments[1] = registers->regs[1] & mask;
	arguments[2] = registers->regs[2] & mask;
	arguments[3] = registers->regs[3] & mask;
	arguments[4] = registers->regs[4] & mask;
	arguments[5] = registers->regs[5] & mask;
}
#else
#error "no such architecture: x86_64 and arm64 are supported"
#endif

static __always_inline __u64 time_to_ns(__s64 seconds, __u64 nanoseconds)
{
	return (__u64)seconds * 1000000000ull + nanoseconds;
}

/* From 6.13 on the top bit of i_ctime_nsec says that somebody has asked for the time
 * (I_CTIME_QUERIED, include/linux/fs.h). */
#define CTIME_NSEC_MASK 0x7fffffffu

static __always_inline __u64 inode_ctime_ns(struct inode *inode)
{
	struct inode___v6_11 *new = (void *)inode;
	struct inode___v6_10 *middle = (void *)inode;
	struct inode___v6_5 *old = (void *)inode;

	if (bpf_core_field_exists(new->i_ctime_sec))
		return time_to_ns(READ(new, i_ctime_sec),
				  READ(new, i_ctime_nsec) & CTIME_NSEC_MASK);
	if (bpf_core_field_exists(middle->__i_ctime))
		return time_to_ns(READ(middle, __i_ctime.tv_sec),
				  (__u64)READ(middle, __i_ctime.tv_nsec));
	return time_to_ns(READ(old, i_ctime.tv_sec), (__u64)READ(old, i_ctime.tv_nsec));
}

static __always_inline __u64 inode_mtime_ns(struct inode *inode)
{
	struct inode___v6_11 *new = (void *)inode;
	struct inode___v6_10 *middle = (void *)inode;
	struct inode___v6_5 *old = (void *)inode;

	if (bpf_core_field_exists(new->i_mtime_sec))
		return time_to_ns(READ(new, i_mtime_sec), READ(new, i_mtime_nsec));
	if (bpf_core_field_exists(middle->__i_mtime))
		return time_to_ns(READ(middle, __i_mtime.tv_sec),
				  (__u64)READ(middle, __i_mtime.tv_nsec));
	return time_to_ns(READ(old, i_mtime.tv_sec), (__u64)READ(old, i_mtime.tv_nsec));
}

/* Pages of one kind (include/linux/mm_types_task.h: 0 file, 1 anonymous, 2 swap, 3 shared).
 * From 6.2 on this is the counter without the cpus' latest changes, as /proc/pid/statm showed it
 * then. A macro, because CO-RE takes only a constant index across kernels. */
#define MM_PAGES(mm, kind)                                                 \
	({                                                                 \
		struct mm_struct___v6_2 *new_ = (void *)(mm);              \
		struct mm_struct___v6_1 *old_ = (void *)(mm);              \
		__s64 pages_;                                              \
                                                                           \
		if (bpf_core_field_exists(new_->rss_stat[0].count))        \
			pages_ = READ(new_, rss_stat[kind].count);         \
		else                                                       \
			pages_ = READ(old_, rss_stat.count[kind].counter); \
		pages_ > 0 ? (__u64)pages_ : 0;                            \
	})

#endif
