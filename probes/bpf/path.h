/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The path walk: from a dentry and its mount up to the root of the mount namespace, the leaf first
 * (decision 4). Positions are kept in the frame, not in registers, and a program run makes 64
 * steps; otherwise the verifier would follow every combination. Longer walks go on in another run.
 */
#ifndef HAETAE_BPF_PATH_H
#define HAETAE_BPF_PATH_H

#include "file.h"
#include "submit.h"

#define STEPS_A_RUN 64
/* Runs that one record may use for all its paths together; the rest of the kernel's 33 tail calls
 * (MAX_TAIL_CALL_CNT) is for the chain. 21 runs are 1,344 steps; what is left is cut and flagged.
 */
#define RUNS_MAX 21
/* Space that is kept for the last components, the second path's head and the values behind it. */
#define PATH_RESERVE (PATH_LAST * NAME_BYTES + 512)

void *bpf_rdonly_cast(const void *object, __u32 btf_id) __ksym __weak; /* kfunc, since 6.2 */

/* The two ways to read a dentry: through a typed pointer, or by one copy of its head. */
static __always_inline struct dentry *dentry_enter(struct walk *walk, struct dentry *dentry,
						   const bool is_typed)
{
	if (!is_typed)
		(void)bpf_probe_read_kernel(walk->dentry_bytes,
					    bpf_core_field_offset(struct dentry, d_name) + 16,
					    dentry);
	return dentry;
}

static __always_inline struct dentry *dentry_parent(struct walk *walk, struct dentry *dentry,
						    const bool is_typed)
{
	if (is_typed)
		return dentry->d_parent;
	return *(struct dentry **)(walk->dentry_bytes +
				   bpf_core_field_offset(struct dentry, d_parent));
}

static __always_inline const unsigned char *dentry_name(struct walk *walk, struct dentry *dentry,
							const bool is_typed)
{
	if (is_typed)
		return dentry->d_name.name;
	return *(const unsigned char **)(walk->dentry_bytes +
					 bpf_core_field_offset(struct dentry, d_name.name));
}

/* One component: in order while there is space, else into the ring of the last ones. Comparisons
 * are made arithmetically: each branch in the walk's loop multiplies what the verifier follows. */
static __always_inline void walk_emit(struct frame *frame, const unsigned char *name)
{
	struct walk *walk = &frame->walk;
	__u32 at = frame->position & POSITION_MASK, index = walk->component_cnt, slot;
	__s64 length;

	length = bpf_probe_read_kernel_str(frame->record + at, NAME_BYTES, name);
	walk->flags |= (__u32)(length >> 63) & WIRE_PATH_TRUNCATED;
	length &= ~(length >> 63);
	walk->component_cnt = index + 1;
	/* Set, and for good, when the subtraction goes below zero. */
	walk->is_tail |= (PATH_DIRECT - 1 - index) >> 31;
	walk->is_tail |= (WIRE_RECORD_MAX - PATH_RESERVE - 1 - at) >> 31;
	if (!walk->is_tail) {
		frame->position = at + (__u32)length;
		walk->direct_cnt = index + 1;
		return;
	}
	slot = index & (PATH_LAST - 1);
	walk->tail_length[slot] = (__u16)length;
	(void)bpf_probe_read_kernel(walk->tail[slot], NAME_BYTES, frame->record + at);
}

struct place_of_walk {
	struct frame *frame;
	struct dentry *dentry;
	struct mount *mount;
};

static __always_inline long walk_step(struct place_of_walk *at, const bool is_typed)
{
	struct walk *walk = &at->frame->walk;
	struct dentry *dentry = dentry_enter(walk, at->dentry, is_typed), *mount_root, *parent;
	struct mount *mount = at->mount;

	if ((__u64)dentry == walk->root_dentry && (__u64)mount == walk->root_mount)
		walk->root_at = walk->component_cnt;
	mount_root = is_typed ? mount->mnt.mnt_root : (struct dentry *)walk->mount_root;
	if (dentry == mount_root) {
		struct mount *up = is_typed ? mount->mnt_parent : READ(mount, mnt_parent);

		if (up == mount) {
			walk->is_done = 1;
			return 1;
		}
		at->dentry = is_typed ? mount->mnt_mountpoint : READ(mount, mnt_mountpoint);
		at->mount = up;
		if (!is_typed)
			walk->mount_root = (__u64)READ(up, mnt.mnt_root);
		return 0;
	}
	parent = dentry_parent(walk, dentry, is_typed);
	if (dentry == parent) {
		walk->flags |= WIRE_PATH_DETACHED;
		walk->is_done = 1;
		return 1;
	}
	walk_emit(at->frame, dentry_name(walk, dentry, is_typed));
	at->dentry = parent;
	return 0;
}

LOOP_TURN long walk_typed(__u32 index, void *data)
{
	return walk_step(data, true);
}

LOOP_TURN long walk_copied(__u32 index, void *data)
{
	return walk_step(data, false);
}

/* Up to 64 steps. Afterwards walk->is_done, or the place to go on from is kept. A pointer that
 * could not be read is NULL; NULL's parent is NULL, which ends the walk. */
static __always_inline void walk_steps(struct frame *frame, struct dentry *dentry,
				       struct mount *mount, const bool is_typed)
{
	struct walk *walk = &frame->walk;
	struct place_of_walk at = { .frame = frame, .dentry = dentry, .mount = mount };

	if (is_typed)
		REPEAT(STEPS_A_RUN, walk_typed, &at);
	else
		REPEAT(STEPS_A_RUN, walk_copied, &at);
	walk->dentry = (__u64)at.dentry;
	walk->mount = (__u64)at.mount;
}

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

		if (is_typed) {
			dentry = bpf_rdonly_cast(dentry, bpf_core_type_id_kernel(struct dentry));
			mount = bpf_rdonly_cast(mount, bpf_core_type_id_kernel(struct mount));
		}
		walk_steps(frame, dentry, mount, is_typed);
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
