/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The path walk: from a dentry and its mount up to the root of the mount namespace, the leaf first
 * (decision 4). Positions are kept in the frame, not in registers, and a program run makes 64
 * steps; otherwise the verifier would follow every combination. Longer walks go on in another run.
 */
#ifndef HAETAE_BPF_PATH_H
#define HAETAE_BPF_PATH_H

#include "walk.h"

/* Runs that one record may use for all its paths together; the rest of the kernel's 33 tail calls
 * (MAX_TAIL_CALL_CNT) is for the chain. 21 runs are 1,344 steps; what is left is cut and flagged.
 */
#define RUNS_MAX 21

static __always_inline __u32 kind_of_magic(struct dentry *dentry, unsigned long magic)
{
	switch (magic) {
	case PIPEFS_MAGIC:
		return WIRE_KIND_PIPE;
	case SOCKFS_MAGIC:
		return WIRE_KIND_SOCKET;
	case ANON_INODE_MAGIC:
	case PID_FS_MAGIC:
		return WIRE_KIND_ANON;
	case NSFS_MAGIC:
		return WIRE_KIND_NSFS;
	default:
		return is_memfd(dentry, magic) ? WIRE_KIND_MEMFD : WIRE_KIND_OTHER;
	}
}

/* An object on a mount that is in no namespace's tree: its name is all the path that it has. */
static __always_inline void walk_lone(struct frame *frame, struct dentry *dentry,
				      struct mount *mount)
{
	struct walk *walk = &frame->walk;
	struct super_block *super = READ(mount, mnt.mnt_sb);
	__u32 kind = kind_of_magic(dentry, READ(super, s_magic));
	const unsigned char *name = READ(dentry, d_name.name);

	if (kind == WIRE_KIND_NSFS) { /* fs/nsfs.c: the inode's private data is the namespace */
		struct inode *inode = READ(dentry, d_inode);
		struct ns_common *ns = READ(inode, i_private);
		struct proc_ns_operations *operations = READ(ns, ops);

		name = (const unsigned char *)READ(operations, name);
	}
	if (READ(super, s_magic) == PID_FS_MAGIC) /* pidfs_dname(), fs/pidfs.c */
		name = (const unsigned char *)"[pidfd]";
	walk->flags |= kind << WIRE_PATH_KIND_SHIFT;
	walk_emit(frame, name);
	walk->is_done = 1;
}

/* The parameter begins here; false: there is no space for it. */
static __always_inline bool walk_begin(struct frame *frame, struct kernel_object *object)
{
	struct walk *walk = &frame->walk;
	struct dentry *dentry = (struct dentry *)object->dentry;
	struct mount *mount =
		(struct mount *)(object->vfsmount - bpf_core_field_offset(struct mount, mnt));
	__s64 ns;

	walk->dentry = (__u64)dentry;
	walk->mount = (__u64)mount;
	walk->mount_root = (__u64)READ(mount, mnt.mnt_root);
	walk->component_cnt = walk->direct_cnt = 0;
	walk->is_tail = walk->is_done = 0;
	walk->root_at = 0xffff;
	walk->flags = is_unlinked(dentry) ? WIRE_PATH_DELETED : 0;
	walk->head_at = frame->position;
	if (frame->position > WIRE_RECORD_MAX - PATH_RESERVE)
		return false;
	frame->position += sizeof(struct wire_path);
	walk->is_running = 1;
	/* MNT_NS_INTERNAL of fs/mount.h; NULL: unmounted lazily. */
	ns = (__s64)READ(mount, mnt_ns);
	if (ns == -EINVAL)
		walk_lone(frame, dentry, mount);
	else if (!ns)
		walk->flags |= WIRE_PATH_DETACHED;
	if (object->name)
		walk_emit(frame, frame->names[(object->name - 1) & 1]);
	return true;
}

/* Appends the kept last components, oldest first. Returns how many there was space for. */
static __always_inline __u32 walk_append_last(struct frame *frame, __u32 left_cnt)
{
	struct walk *walk = &frame->walk;
	__u32 kept = left_cnt < PATH_LAST ? left_cnt : PATH_LAST, written = 0;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < PATH_LAST; i++) {
		__u32 slot = (walk->component_cnt - kept + i) & (PATH_LAST - 1);
		__u32 length = walk->tail_length[slot], at = frame->position;

		if (i >= kept || length > NAME_BYTES || at > WIRE_RECORD_MAX - NAME_BYTES - 8)
			break;
		(void)bpf_probe_read_kernel(frame->record + (at & POSITION_MASK), length,
					    walk->tail[slot]);
		frame->position = at + length;
		written++;
	}
	return written;
}

static __always_inline void walk_finish(struct frame *frame, __u32 parameter)
{
	struct walk *walk = &frame->walk;
	__u32 left = walk->component_cnt - walk->direct_cnt, at = walk->head_at & POSITION_MASK;
	__u32 written = walk->is_tail ? walk_append_last(frame, left) : 0;
	__u32 skipped = left - written, root_at = walk->root_at;
	struct wire_path *head;

	if (!walk->is_done || skipped || written < left)
		walk->flags |= WIRE_PATH_TRUNCATED;
	if (root_at > walk->component_cnt)
		root_at = walk->component_cnt;
	/* Counted among the components that are here. */
	if (root_at > walk->direct_cnt)
		root_at =
			root_at - walk->direct_cnt > skipped ? root_at - skipped : walk->direct_cnt;
	head = (struct wire_path *)(frame->record + at);
	head->flags = (__u16)walk->flags;
	head->component_cnt = (__u16)(walk->direct_cnt + written);
	head->root_at = (__u16)root_at;
	head->skipped_cnt = (__u16)skipped;
	put_done(frame, parameter, at, frame->position - at, walk->flags & WIRE_PATH_TRUNCATED);
}

static __always_inline void walk_prepare_root(struct frame *frame)
{
	struct fs_struct *fs = LOAD(current_task(), fs);
	struct vfsmount *vfsmount = fs ? READ(fs, root.mnt) : NULL;

	frame->walk.root_dentry = fs ? (__u64)READ(fs, root.dentry) : 0;
	frame->walk.root_mount = (__u64)vfsmount - bpf_core_field_offset(struct mount, mnt);
}

/* The object that is due at or behind `index`; FRAME_OBJECTS: none. */
static __always_inline __u32 walk_next(struct frame *frame, __u32 index)
{
	for (__u32 i = 0; i < FRAME_OBJECTS; i++) {
		if (i >= index && frame->objects[i].dentry)
			return i;
	}
	return FRAME_OBJECTS;
}

/* One run: begins or continues the path that is due. True: there is more to do. */
static __always_inline bool walk_run(struct frame *frame, const bool is_typed)
{
	struct walk *walk = &frame->walk;
	struct kernel_object *object;
	__u32 index;

	/* Through memory: the verifier would walk for each index by itself. */
	*(volatile __u32 *)&walk->object = walk_next(frame, walk->object);
	index = *(volatile __u32 *)&walk->object;
	if (index >= FRAME_OBJECTS)
		return false;
	object = &frame->objects[index];
	if (!walk->is_running) {
		walk_prepare_root(frame);
		if (!walk_begin(frame, object)) {
			put_done(frame, object->parameter & 63, 0, 0, true);
			frame->position = walk->head_at;
			walk->object = index + 1;
			return walk_next(frame, index + 1) < FRAME_OBJECTS;
		}
	}
	if (!walk->is_done) {
		struct dentry *dentry = (struct dentry *)walk->dentry;
		struct mount *mount = (struct mount *)walk->mount;

		walk_steps(frame, TYPED(dentry, struct dentry), TYPED(mount, struct mount),
			   is_typed);
	}
	walk->runs++;
	if (!walk->is_done && walk->runs < RUNS_MAX)
		return true;
	walk_finish(frame, object->parameter & 63);
	walk->is_running = 0;
	walk->object = index + 1;
	return walk_next(frame, index + 1) < FRAME_OBJECTS;
}

#endif
