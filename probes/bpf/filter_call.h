/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel filter's first part: what a call's result, registers and task say, before a record is
 * begun.
 */
#ifndef HAETAE_BPF_FILTER_CALL_H
#define HAETAE_BPF_FILTER_CALL_H

#include "file.h"
#include "filter.h"

struct filter_verdict {
	/* Clauses that the path or the socket decides; 0: it passes, or is unwanted. */
	__u64 undecided;
	bool is_by_path, is_unwanted, is_refused; /* refused: unwanted, and the filter is on */
};

static __always_inline __u64 filter_argument(const __u64 arguments[6], __u32 number)
{
	switch (number) { /* on the stack, that kernels before 5.12 index by constants only */
	case 0:
		return arguments[0];
	case 1:
		return arguments[1];
	case 2:
		return arguments[2];
	case 3:
		return arguments[3];
	case 4:
		return arguments[4];
	default:
		return arguments[5];
	}
}

static __always_inline __u32 access_of(__u64 flags)
{
	__u32 mode = flags & 3;

	return mode == 0 ? FILTER_READS : mode == 1 ? FILTER_WRITES : mode == 2 ? 3 : 0;
}

static __always_inline __u64 filter_number(__u32 type, __u32 dimension, __u64 value,
					   __u64 otherwise)
{
	struct filter_number_key key = { .type = (__u16)type,
					 .dimension = (__u16)dimension,
					 .value = value };
	__u64 *mask = bpf_map_lookup_elem(&filter_numbers, &key);

	return mask ? *mask : otherwise;
}

static __always_inline __u64 comm_mask(const struct filter_comm_key *key, __u64 otherwise)
{
	__u64 *mask = bpf_map_lookup_elem(&filter_comms, key);

	return mask ? *mask : otherwise;
}

static __always_inline __u64 filter_comm(const struct filter_type *filter, __u32 type,
					 __u64 possible)
{
	struct filter_comm_key key = { .type = type };

	if (bpf_get_current_comm(key.comm, sizeof(key.comm)))
		return possible;
	if (possible & filter->by_comm)
		possible &= comm_mask(&key, filter->comm_else);
	if (!(possible & filter->by_comm_head))
		return possible;
	key.type |= FILTER_COMM_HEAD;
	_Static_assert(FILTER_END_BYTES == 3, "what is kept of the name");
	*(__u32 *)key.comm &=
		0x00ffffff; /* the first three: both architectures are little-endian */
	*(__u32 *)(key.comm + 4) = 0;
	*(__u32 *)(key.comm + 8) = 0;
	*(__u32 *)(key.comm + 12) = 0;
	return possible & comm_mask(&key, filter->comm_head_else);
}

static __always_inline __u64 filter_bits(const struct filter_type *filter, __u64 value)
{
	__u64 mask = ~filter->by_bits;

#pragma unroll
	for (__u32 i = 0; i < FILTER_BITS; i++) {
		if (value & filter->bits[i])
			mask |= filter->bits_mask[i];
	}
	return mask;
}

static __always_inline __u64 widen_argument(__u64 value, __u32 width)
{
	return width == FILTER_U32   ? (__u32)value
	       : width == FILTER_S32 ? (__u64)(__s32)value
				     : value;
}

/* Clauses that are still possible. Cheap questions first; the next only where it can matter. */
static __always_inline __u64 filter_possible(const struct filter_type *filter, __u32 type,
					     __s64 result, const __u64 arguments[6],
					     struct task_struct *task)
{
	__u64 possible = filter->result[result >= 0];

	if (filter->access_argument != FILTER_NONE)
		possible &= filter->access[access_of(
			filter_argument(arguments, filter->access_argument))];
#pragma unroll
	for (__u32 i = 0; i < FILTER_ARGUMENTS; i++) {
		if (possible & filter->by_argument[i])
			possible &= filter_number(
				type, FILTER_ARGUMENT + i,
				widen_argument(filter_argument(arguments, filter->argument[i]),
					       filter->width[i]),
				filter->argument_else[i]);
	}
	if (possible & filter->by_bits)
		possible &= filter_bits(filter, filter_argument(arguments, filter->bits_argument));
	if (possible & filter->by_uid)
		possible &= filter_number(type, FILTER_UID, READ(LOAD(task, cred), euid.val),
					  filter->uid_else);
	if (possible & (filter->by_comm | filter->by_comm_head))
		possible = filter_comm(filter, type, possible);
	return possible;
}

/* Where a count of names is, on its way up. */
struct depth {
	struct dentry *dentry, *mount_root;
	struct mount *mount;
	bool is_at_root;
};

static __always_inline long depth_step(struct depth *at, const bool is_typed)
{
	struct dentry *dentry = at->dentry, *parent;

	if (dentry == at->mount_root) {
		struct mount *up = GET(at->mount, mnt_parent);

		at->is_at_root = up == at->mount;
		at->dentry = GET(at->mount, mnt_mountpoint);
		at->mount = up;
		at->mount_root = GET(up, mnt.mnt_root);
		return at->is_at_root;
	}
	parent = GET(dentry, d_parent);
	at->is_at_root = parent == dentry;
	at->dentry = parent;
	return at->is_at_root;
}

LOOP_TURN long depth_typed(__u32 index, void *data)
{
	return depth_step(data, true);
}

LOOP_TURN long depth_copied(__u32 index, void *data)
{
	return depth_step(data, false);
}

/* Whether the opened file's path is surely recorded whole: counts the names up to the root. */
static __always_inline bool is_shallow(struct task_struct *task, __s64 fd, const bool is_typed)
{
	struct file *file = find_file(task, fd, is_typed);
	struct vfsmount *vfsmount;
	struct depth at = {};

	if (!file)
		return false;
	file = TYPED(file, struct file);
	vfsmount = GET(file, f_path.mnt);
	at.dentry = GET(file, f_path.dentry);
	at.mount = TYPED((void *)vfsmount - bpf_core_field_offset(struct mount, mnt), struct mount);
	at.mount_root = GET(vfsmount, mnt_root);
	if (is_typed)
		REPEAT(FILTER_SHALLOW, depth_typed, &at);
	else
		REPEAT(FILTER_SHALLOW, depth_copied, &at);
	return at.is_at_root;
}

/* What of a counted call the rules want. A failed call has no file, so no path decides it. */
static __always_inline struct filter_verdict filter_call(__u32 type, __s64 result,
							 const __u64 arguments[6],
							 struct task_struct *task,
							 const bool is_typed)
{
	struct filter_verdict verdict = {};
	const struct filter_type *filter;
	__u64 possible;

	if (filter_mode == FILTER_OFF)
		return verdict;
	filter = bpf_map_lookup_elem(&filter_types, &type);
	if (!filter || !filter->is_active)
		return verdict;
	possible = filter_possible(filter, type, result, arguments, task);
	if (result >= 0 && possible & filter->by_depth && is_shallow(task, result, is_typed))
		possible &= ~filter->by_depth;
	if (!possible) {
		verdict.is_unwanted = true;
		verdict.is_refused = filter_mode == FILTER_ON;
	} else if (!(possible & ~filter->by_socket)) {
		verdict.undecided = possible;
	} else if (result >= 0 && !(possible & ~filter->by_path)) {
		verdict.undecided = possible;
		verdict.is_by_path = true;
	}
	return verdict;
}

#endif
