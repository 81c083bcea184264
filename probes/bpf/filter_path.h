/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel filter's second part: the path of an opened file, by its last name and the one before,
 * and by the directories next to the root, in both readings (decision 1): of the file itself and as
 * passed. All is asked before a record is begun. Where a reading is not plain to see, the event
 * passes.
 */
#ifndef HAETAE_BPF_FILTER_PATH_H
#define HAETAE_BPF_FILTER_PATH_H

#include "filter_name.h"

/* ---- the file ---------------------------------------------------------------------------------
 */

/* Where a name is looked for. */
struct place {
	struct dentry *dentry, *mount_root;
	struct mount *mount;
};

static __always_inline struct place place_of(struct path *path, const bool is_typed)
{
	struct path *typed = TYPED(path, struct path);
	struct vfsmount *vfsmount = GET(typed, mnt);
	void *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);

	return (struct place){
		.dentry = GET(typed, dentry),
		.mount_root = GET(vfsmount, mnt_root),
		.mount = TYPED(mount, struct mount),
	};
}

/* The root of a mount is called what it is mounted on. False: nobody knows what it is called. */
static __always_inline bool place_leave_mounts(struct place *place, const bool is_typed)
{
#pragma unroll
	for (int i = 0; i < 2; i++) {
		struct mount *up;

		if (place->dentry != place->mount_root)
			return true;
		up = GET(place->mount, mnt_parent);
		if (up == place->mount)
			return false;
		place->dentry = GET(place->mount, mnt_mountpoint);
		place->mount = up;
		place->mount_root = GET(up, mnt.mnt_root);
	}
	return place->dentry != place->mount_root;
}

static __always_inline __u64 ask_parent(struct frame *frame, const unsigned char *name)
{
	key_begin(frame, FILTER_PARENT);
	(void)bpf_probe_read_kernel_str(frame->key.name.text, FILTER_NAME_BYTES, name);
	return key_ask(frame);
}

/* The file's own names. Where one is not known all clauses pass. */
static __always_inline __u64 ask_place(struct frame *frame, const struct filter_type *filter,
				       __u64 asked, struct path *path, const bool is_typed)
{
	struct place place = place_of(path, is_typed);
	struct dentry *parent;
	__u64 found;

	if (!place_leave_mounts(&place, is_typed))
		return FILTER_ALL;
	found = ask_name(frame, filter, asked, GET(place.dentry, d_name.name));
	if (!frame->spare[0] || frame->spare[0] == '/')
		return FILTER_ALL;
	if (found & asked || !(asked & filter->by_part[FILTER_PARENT]))
		return found;
	parent = GET(place.dentry, d_parent);
	if (parent == place.dentry)
		return FILTER_ALL;
	place.dentry = parent;
	if (place.dentry == place.mount_root && GET(place.mount, mnt_parent) == place.mount)
		return found; /* it lies in the root */
	if (!place_leave_mounts(&place, is_typed))
		return FILTER_ALL;
	return found | ask_parent(frame, GET(place.dentry, d_name.name));
}

/* The two names next to the root, "etc" and "etc/ssh". */
static __always_inline __u64 ask_tops(struct frame *frame)
{
	volatile struct climb *climb = &frame->climb;
	struct dentry *first = (struct dentry *)climb->first;
	struct dentry *second = (struct dentry *)climb->second;
	__u64 found;
	long length;
	__u32 end;

	key_begin(frame, FILTER_TOP);
	length = bpf_probe_read_kernel_str(frame->key.name.text, FILTER_NAME_BYTES,
					   READ(first, d_name.name));
	found = key_ask(frame);
	if (!second || length <= 1 || length >= FILTER_NAME_BYTES)
		return found;
	end = (__u32)length & (FILTER_NAME_BYTES - 1);
	barrier_var(end);
	frame->key.name.text[(end - 1) & (FILTER_NAME_BYTES - 1)] = '/';
	(void)bpf_probe_read_kernel_str(frame->key.name.text + (end & (FILTER_NAME_BYTES - 1)),
					FILTER_NAME_BYTES, READ(second, d_name.name));
	return found | key_ask(frame);
}

struct climber {
	struct frame *frame;
	struct place place;
};

/* One step towards the root. 1: this is it, or there is none. */
static __always_inline long climb_step(struct climber *climber, const bool is_typed)
{
	volatile struct climb *climb = &climber->frame->climb;
	struct place *place = &climber->place;
	struct dentry *parent;

	if ((__u64)place->dentry == climb->root_dentry && (__u64)place->mount == climb->root_mount)
		climb->root_at = climb->cnt + 1;
	if (place->dentry == place->mount_root) {
		struct mount *up = GET(place->mount, mnt_parent);

		if (up == place->mount)
			return 1;
		place->dentry = GET(place->mount, mnt_mountpoint);
		place->mount = up;
		place->mount_root = GET(up, mnt.mnt_root);
		return 0;
	}
	parent = GET(place->dentry, d_parent);
	if (parent == place->dentry)
		return 1;
	climb->second = climb->first;
	climb->first = (__u64)place->dentry;
	climb->cnt++;
	place->dentry = parent;
	return 0;
}

LOOP_TURN long climb_typed(__u32 index, void *data)
{
	return climb_step(data, true);
}

LOOP_TURN long climb_copied(__u32 index, void *data)
{
	return climb_step(data, false);
}

/* Climbs to the root, without a look at the names on the way. Of what is not below the process's
 * own root, or too deep, all clauses pass; of a directory that lies less deep than `least`, too. */
static __always_inline __u64 ask_climbed(struct frame *frame, struct task_struct *task,
					 struct path *path, __u32 least, const bool is_typed)
{
	volatile struct climb *climb = &frame->climb;
	struct fs_struct *fs = GET(task, fs);
	struct climber climber = { .frame = frame, .place = place_of(path, is_typed) };

	if (!fs)
		return FILTER_ALL;
	climb->first = climb->second = 0;
	climb->cnt = climb->root_at = 0;
	climb->root_dentry = (__u64)GET(fs, root.dentry);
	climb->root_mount = (__u64)GET(fs, root.mnt) - bpf_core_field_offset(struct mount, mnt);
	if (is_typed)
		REPEAT(FILTER_SHALLOW, climb_typed, &climber);
	else
		REPEAT(FILTER_SHALLOW, climb_copied, &climber);
	if (climb->cnt < least || climb->root_at != climb->cnt + 1)
		return FILTER_ALL;
	return ask_tops(frame);
}

/* ---- the name as passed: its folders
 * ------------------------------------------------------------- */

/* Where a relative name starts from. NULL: nobody knows. */
static __always_inline struct path *start_of(struct frame *frame, struct task_struct *task,
					     const struct filter_type *filter)
{
	struct fs_struct *fs = READ(task, fs);
	__s32 dirfd = filter->directory_argument == 0 ? (__s32)frame->arguments[0] : AT_FDCWD;
	struct file *file;

	if (dirfd == AT_FDCWD)
		return fs ? &fs->pwd : NULL;
	file = file_of(task, dirfd);
	return file ? &file->f_path : NULL;
}

static __always_inline __u64 ask_passed_parent(struct frame *frame, struct task_struct *task,
					       const struct filter_type *filter,
					       const bool is_typed)
{
	const struct passed_name *passed = &frame->passed;
	struct place place;
	struct path *start;

	if (passed->is_odd)
		return FILTER_ALL;
	if (passed->slash_cnt)
		return passed->last == 1
			       ? 0 /* in the root */
			       : ask_passed(frame, FILTER_PARENT, passed->before, passed->last - 1);
	start = start_of(frame, task, filter);
	if (!start)
		return FILTER_ALL;
	place = place_of(start, is_typed);
	if (!place_leave_mounts(&place, is_typed))
		return FILTER_ALL;
	return ask_parent(frame, GET(place.dentry, d_name.name));
}

static __always_inline __u64 ask_passed_top(struct frame *frame, struct task_struct *task,
					    const struct filter_type *filter, const bool is_typed)
{
	const struct passed_name *passed = &frame->passed;
	struct path *start;
	__u64 found;

	if (passed->is_odd)
		return FILTER_ALL;
	if (frame->passed.text[0] != '/') {
		start = start_of(frame, task, filter);
		return start ? ask_climbed(frame, task, start, 2, is_typed) : FILTER_ALL;
	}
	found = ask_passed(frame, FILTER_TOP, 1,
			   passed->slash_cnt > 1 ? passed->slashes[1] : passed->length);
	if (passed->slash_cnt > 1)
		found |= ask_passed(frame, FILTER_TOP, 1,
				    passed->slash_cnt > 2 ? passed->slashes[2] : passed->length);
	return found;
}

/* True: no clause is left. */
static __always_inline bool filter_path(struct frame *frame, struct task_struct *task,
					const struct filter_type *filter, const bool is_typed)
{
	struct file *file = find_file(task, frame->result, is_typed);
	const struct passed_name *passed = &frame->passed;
	__u64 asked = frame->undecided, found = FILTER_ALL;

	scan_name(frame, filter->name_argument ? frame->arguments[1] : frame->arguments[0]);
	if (file && passed->is_whole && !passed->is_base_odd)
		found = ask_place(frame, filter, asked, &file->f_path, is_typed);
	if (!(found & asked))
		found |= ask_name(frame, filter, asked,
				  frame->passed.text + (passed->last & (PASSED_BYTES - 1)));
	if (!(found & asked) && asked & filter->by_part[FILTER_PARENT])
		found |= ask_passed_parent(frame, task, filter, is_typed);
	if (!(found & asked) && asked & filter->by_part[FILTER_TOP])
		found |= ask_climbed(frame, task, &file->f_path, 1, is_typed);
	if (!(found & asked) && asked & filter->by_part[FILTER_TOP])
		found |= ask_passed_top(frame, task, filter, is_typed);
	return !(found & asked);
}

#endif
