/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a path leads to in calls that give nothing back: unlink, rename, mkdir, chmod and their
 * like. Such a call has let go of its objects when it ends; so the directory and the last name, or
 * the file, are kept where the kernel asks its security modules (security/security.c), in the
 * calling thread, and put into the record at the call's end (OBJECT in events.def). Attached where
 * the kernel allows hooks on functions, and only to those that a rule needs.
 */
#include "prog.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct named_call);
} no_names SEC(".maps");

/* The registers of the call that the thread is in. Before 5.15 they are found at the end of its
 * stack (arch/x86/include/asm/processor.h: task_pt_regs; THREAD_SIZE is 16 KiB); arm64 has no hooks
 * on functions in those kernels. */
static __always_inline struct pt_regs *call_registers(struct task_struct *task)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id___ours, BPF_FUNC_task_pt_regs___ours))
		return (struct pt_regs *)bpf_task_pt_regs(task);
	return (struct pt_regs *)((char *)READ(task, stack) + 16384 -
				  bpf_core_type_size(struct pt_regs));
}

/* The event type of that call where somebody wants it, or EVENT_UNKNOWN. open and others pass the
 * same hooks. */
static __always_inline __u32 wanted_type(struct task_struct *task)
{
	struct pt_regs *registers = call_registers(task);
	struct wanted_call call;
	__u64 slot = 0;

#ifdef __TARGET_ARCH_x86
	(void)bpf_core_read(&slot, sizeof(slot), &registers->orig_ax);
#else
	__s32 number = -1;

	(void)bpf_core_read(&number, sizeof(number), &registers->syscallno);
	slot = (__u64)number;
#endif
	slot &= ~(__u64)X32_BIT;
	barrier_var(slot);
	if (slot >= WANTED_SLOTS)
		return EVENT_UNKNOWN;
	call = wanted[slot];
	return call_is_compat(task) ? call.compat_type : call.type;
}

/* An empty entry of the thread for a call of one of these types; NULL: it is none. */
static __always_inline struct named_call *begin(__u32 first, __u32 second, __u32 third)
{
	struct task_struct *task = current_task();
	__u64 thread = bpf_get_current_pid_tgid();
	__u32 type = wanted_type(task), zero = 0;
	struct named_call *call, *none;

	if (type == EVENT_UNKNOWN || (type != first && type != second && type != third) ||
	    !is_observed(task, thread >> 32))
		return NULL;
	none = bpf_map_lookup_elem(&no_names, &zero);
	if (!none || bpf_map_update_elem(&named_calls, &thread, none, BPF_ANY))
		return NULL;
	call = bpf_map_lookup_elem(&named_calls, &thread);
	if (call)
		call->type = type;
	return call;
}

/* A name in a directory. */
static __always_inline void keep_name(struct named_object *object, struct path *directory,
				      struct dentry *dentry)
{
	(void)bpf_probe_read_kernel_str(object->name, sizeof(object->name),
					READ(dentry, d_name.name));
	object->vfsmount = (__u64)READ(directory, mnt);
	object->dentry = (__u64)READ(directory, dentry);
}

static __always_inline int keep_one(__u64 *context, __u32 first, __u32 second)
{
	struct named_call *call = begin(first, second, first);

	if (call)
		keep_name(&call->objects[0], (struct path *)context[0],
			  (struct dentry *)context[1]);
	return 0;
}

/* A file that is there. */
static __always_inline int keep_file(__u64 *context, __u32 first, __u32 second, __u32 third)
{
	struct named_call *call = begin(first, second, third);
	struct path *path = (struct path *)context[0];

	if (!call)
		return 0;
	call->objects[0].vfsmount = (__u64)READ(path, mnt);
	call->objects[0].dentry = (__u64)READ(path, dentry);
	return 0;
}

/* (const struct path *dir, struct dentry *dentry, …) */
SEC("fentry/security_path_unlink")
int nm_unlink(__u64 *context)
{
	return keep_one(context, EVENT_UNLINK, EVENT_UNLINKAT);
}

SEC("fentry/security_path_rmdir")
int nm_rmdir(__u64 *context)
{
	return keep_one(context, EVENT_RMDIR, EVENT_UNLINKAT);
}

SEC("fentry/security_path_mkdir")
int nm_mkdir(__u64 *context)
{
	return keep_one(context, EVENT_MKDIR, EVENT_MKDIRAT);
}

SEC("fentry/security_path_mknod")
int nm_mknod(__u64 *context)
{
	return keep_one(context, EVENT_MKNOD, EVENT_MKNODAT);
}

SEC("fentry/security_path_symlink")
int nm_symlink(__u64 *context)
{
	return keep_one(context, EVENT_SYMLINK, EVENT_SYMLINKAT);
}

/* (struct dentry *old_dentry, const struct path *new_dir, struct dentry *new_dentry): both are on
 * one mount (fs/namei.c: do_linkat). */
SEC("fentry/security_path_link")
int nm_link(__u64 *context)
{
	struct named_call *call = begin(EVENT_LINK, EVENT_LINKAT, EVENT_LINK);
	struct path *directory = (struct path *)context[1];

	if (!call)
		return 0;
	keep_name(&call->objects[1], directory, (struct dentry *)context[2]);
	call->objects[0].vfsmount = call->objects[1].vfsmount;
	call->objects[0].dentry = context[0];
	return 0;
}

/* (const struct path *old_dir, struct dentry *old_dentry, const struct path *new_dir,
 * struct dentry *new_dentry, unsigned int flags) */
SEC("fentry/security_path_rename")
int nm_rename(__u64 *context)
{
	struct named_call *call = begin(EVENT_RENAME, EVENT_RENAMEAT, EVENT_RENAMEAT2);

	if (!call)
		return 0;
	keep_name(&call->objects[0], (struct path *)context[0], (struct dentry *)context[1]);
	keep_name(&call->objects[1], (struct path *)context[2], (struct dentry *)context[3]);
	return 0;
}

/* (const struct path *path, …) */
SEC("fentry/security_path_chmod")
int nm_chmod(__u64 *context)
{
	return keep_file(context, EVENT_CHMOD, EVENT_FCHMODAT, EVENT_FCHMODAT2);
}

SEC("fentry/security_path_chown")
int nm_chown(__u64 *context)
{
	return keep_file(context, EVENT_CHOWN, EVENT_LCHOWN, EVENT_FCHOWNAT);
}

SEC("fentry/security_path_truncate")
int nm_truncate(__u64 *context)
{
	return keep_file(context, EVENT_TRUNCATE, EVENT_TRUNCATE, EVENT_TRUNCATE);
}
