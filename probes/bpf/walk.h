/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The steps of the path walk (path.h): from a dentry to the one above, across mounts, each name put
 * into the record.
 */
#ifndef HAETAE_BPF_WALK_H
#define HAETAE_BPF_WALK_H

#include "file.h"
#include "submit.h"

#define STEPS_A_RUN 64
/* Space that is kept for the last components, the second path's head and the values behind it. */
#define PATH_RESERVE (PATH_LAST * NAME_BYTES + 512)

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

#endif
