/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel filter's second part: the path of an opened file, by its last name and by the
 * directories next to the root, in both readings (decision 1): of the file itself and as passed.
 * Where a reading is not plain to see, the event passes.
 */
#ifndef HAETAE_BPF_FILTER_PATH_H
#define HAETAE_BPF_FILTER_PATH_H

#include "file.h"
#include "filter.h"

#define SCAN_BYTES 256 /* of a name as passed; longer ones pass */

enum open_object { /* as in file_open.bpf.c */
	OPEN_FILE,
	OPEN_DIRECTORY,
};

static __always_inline __u8 record_byte(struct frame *frame, __u32 at)
{
	return at < RECORD_BYTES ? frame->record[at] : 0;
}

/* A slash at `i`: what stands between it and the one before. State stays in the frame (volatile):
 * in registers the verifier would follow every combination. */
static __always_inline void scan_slash(struct frame *frame, __u32 at, __u32 i)
{
	volatile struct name_scan *scan = &frame->scan;
	__u32 cnt = scan->slash_cnt, length = i - scan->last;

	if (cnt && (length == 0 || (length <= 2 && record_byte(frame, at + i - 1) == '.' &&
				    (length == 1 || record_byte(frame, at + i - 2) == '.'))))
		scan->is_top_odd = 1;
	if (!cnt && i > 0 && i <= 2 && record_byte(frame, at + i - 1) == '.')
		scan->is_top_odd = 1; /* "./", "../", and what else begins or ends like them */
	if (cnt < 4)
		scan->slashes[cnt & 3] = i;
	scan->slash_cnt = cnt + 1;
	scan->last = i + 1;
}

static __always_inline void scan_name(struct frame *frame, __u32 parameter)
{
	struct wire_param *entry = &frame_params(frame)[parameter & 63];
	volatile struct name_scan *scan = &frame->scan;
	__u32 at = entry->offset & POSITION_MASK, length;

	frame->scan = (struct name_scan){};
	if (!entry->length || entry->length & WIRE_PARAM_CUT)
		return;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < SCAN_BYTES; i++) {
		__u8 byte = record_byte(frame, at + i);

		if (!byte) {
			scan->length = i;
			scan->is_whole = 1;
			break;
		}
		if (byte == '/')
			scan_slash(frame, at, i);
	}
	length = scan->length - scan->last;
	if (length == 0 || (length <= 2 && record_byte(frame, at + scan->length - 1) == '.' &&
			    (length == 1 || record_byte(frame, at + scan->length - 2) == '.')))
		scan->is_base_odd = 1;
}

/* ---- questions ------------------------------------------------------------------------------- */

static __always_inline void key_begin(struct frame *frame, __u32 part)
{
	__builtin_memset(&frame->key, 0, sizeof(frame->key));
	frame->key.name.type = frame->type;
	frame->key.name.part = (__u16)part;
}

/* A name that does not fit is cut, and is then longer than all that are asked for. */
static __always_inline __u64 key_ask(struct frame *frame)
{
	__u64 *mask = bpf_map_lookup_elem(&filter_names, &frame->key.name);

	return mask ? *mask : 0;
}

/* A path's last name, NUL-terminated: the parts of it that `asked` clauses ask for. Its length is
 * kept for who wants to know whether there is any. */
static __always_inline __u64 ask_name(struct frame *frame, const struct filter_type *filter,
				      __u64 asked, const void *name)
{
	long length = bpf_probe_read_kernel_str(frame->spare, NAME_BYTES, name);
	__u32 end = (__u32)length & (NAME_BYTES - 1);
	__u64 found = 0;

	if (length > NAME_BYTES - 1)
		end = NAME_BYTES - 1;
	if (asked & filter->by_part[FILTER_BASE]) {
		key_begin(frame, FILTER_BASE);
		(void)bpf_probe_read_kernel_str(frame->key.name.text, FILTER_NAME_BYTES,
						frame->spare);
		found |= key_ask(frame);
	}
	if (length <= FILTER_END_BYTES)
		return found;
	if (asked & filter->by_part[FILTER_HEAD]) {
		key_begin(frame, FILTER_HEAD);
		__builtin_memcpy(frame->key.name.text, frame->spare, FILTER_END_BYTES);
		found |= key_ask(frame);
	}
	if (asked & filter->by_part[FILTER_TAIL]) {
		key_begin(frame, FILTER_TAIL);
		(void)bpf_probe_read_kernel(
			frame->key.name.text, FILTER_END_BYTES,
			frame->spare + ((end - 1 - FILTER_END_BYTES) & (NAME_BYTES - 1)));
		found |= key_ask(frame);
	}
	return found;
}

/* The last name of the text as passed. */
static __always_inline __u64 ask_passed_name(struct frame *frame, const struct filter_type *filter,
					     __u64 asked)
{
	const struct wire_param *name = &frame_params(frame)[filter->name & 63];

	return ask_name(frame, filter, asked,
			frame->record + ((name->offset + frame->scan.last) & POSITION_MASK));
}

/* The first names of an absolute text: from behind its slash to `end`. */
static __always_inline __u64 ask_text_top(struct frame *frame, __u32 at, __u32 end)
{
	__u32 length = end - 1;

	if (length >= FILTER_NAME_BYTES)
		length = FILTER_NAME_BYTES; /* no NUL: longer than all that are asked for */
	key_begin(frame, FILTER_TOP);
	barrier_var(length);
	if (length <= FILTER_NAME_BYTES)
		(void)bpf_probe_read_kernel(frame->key.name.text, length,
					    frame->record + ((at + 1) & POSITION_MASK));
	return key_ask(frame);
}

/* The same of a path that the kernel walked: two strings of the record. */
static __always_inline __u64 ask_walked_top(struct frame *frame, const struct path_top *top)
{
	__u64 mask;
	long length;
	__u32 end;

	key_begin(frame, FILTER_TOP);
	length = bpf_probe_read_kernel_str(frame->key.name.text, FILTER_NAME_BYTES,
					   frame->record + (top->first & POSITION_MASK));
	mask = key_ask(frame);
	if (!top->second || length <= 1 || length >= FILTER_NAME_BYTES)
		return mask;
	end = (__u32)length & (FILTER_NAME_BYTES - 1);
	barrier_var(end);
	frame->key.name.text[(end - 1) & (FILTER_NAME_BYTES - 1)] = '/';
	(void)bpf_probe_read_kernel_str(frame->key.name.text + (end & (FILTER_NAME_BYTES - 1)),
					FILTER_NAME_BYTES,
					frame->record + (top->second & POSITION_MASK));
	return mask | key_ask(frame);
}

/* ---- before the walk --------------------------------------------------------------------------
 */

/* The leaf that the kernel holds has its name already, but for the root of a mount, which is called
 * what it is mounted on. True: no clause is left. Asked where frame->undecided is set; clears that
 * where the event passes. */
static __always_inline bool filter_leaf(struct frame *frame)
{
	__u32 type = frame->type;
	const struct filter_type *filter = bpf_map_lookup_elem(&filter_types, &type);
	const struct kernel_object *file = &frame->objects[OPEN_FILE];
	struct dentry *dentry = (struct dentry *)file->dentry;
	struct vfsmount *vfsmount = (struct vfsmount *)file->vfsmount;
	__u64 found, undecided = frame->undecided;

	if (filter)
		scan_name(frame, filter->name);
	if (!filter || !dentry || !frame->scan.is_whole || frame->scan.is_base_odd) {
		frame->undecided = 0;
		return false;
	}
	if (READ(vfsmount, mnt_root) == dentry)
		return false;
	found = ask_name(frame, filter, undecided, READ(dentry, d_name.name));
	if (!frame->spare[0] || frame->spare[0] == '/')
		return false; /* what it is called the walk finds out */
	if (!(found & undecided))
		found |= ask_passed_name(frame, filter, undecided);
	if (found & undecided) {
		frame->undecided = 0;
		return false;
	}
	frame->undecided = undecided & filter->by_part[FILTER_TOP];
	return !frame->undecided;
}

/* ---- behind the walk --------------------------------------------------------------------------
 */

static __always_inline const struct wire_path *walked_path(struct frame *frame, __u32 parameter)
{
	const struct wire_param *entry = &frame_params(frame)[parameter & 63];

	return entry->length
		       ? (const struct wire_path *)(frame->record + (entry->offset & POSITION_MASK))
		       : NULL;
}

/* Whether every part of it is known: a file's, seen from its namespace's root. */
static __always_inline bool is_plain(const struct wire_path *head)
{
	return !(head->flags & ~WIRE_PATH_DELETED) && head->root_at == head->component_cnt;
}

/* The directories of the name as passed. */
static __always_inline __u64 ask_passed_top(struct frame *frame, const struct filter_type *filter)
{
	const struct name_scan *scan = &frame->scan;
	const struct wire_param *name = &frame_params(frame)[filter->name & 63];
	const struct wire_path *directory;
	__u64 mask;

	if (scan->is_top_odd)
		return FILTER_ALL;
	if (record_byte(frame, name->offset & POSITION_MASK) != '/') {
		directory = walked_path(frame, filter->directory);
		if (!directory || !is_plain(directory) || directory->component_cnt < 2 ||
		    !frame->tops[OPEN_DIRECTORY].first)
			return FILTER_ALL;
		return ask_walked_top(frame, &frame->tops[OPEN_DIRECTORY]);
	}
	mask = ask_text_top(frame, name->offset,
			    scan->slash_cnt > 1 ? scan->slashes[1] : scan->length);
	if (scan->slash_cnt > 1)
		mask |= ask_text_top(frame, name->offset,
				     scan->slash_cnt > 2 ? scan->slashes[2] : scan->length);
	return mask;
}

static __always_inline __u64 filter_found(struct frame *frame, const struct filter_type *filter,
					  __u64 undecided)
{
	const struct wire_path *head = walked_path(frame, filter->path);
	const struct wire_param *entry = &frame_params(frame)[filter->path & 63];
	__u64 found;

	if (!head || head->flags >> WIRE_PATH_KIND_SHIFT || !head->component_cnt)
		return FILTER_ALL;
	found = ask_name(frame, filter, undecided,
			 frame->record + ((entry->offset + sizeof(*head)) & POSITION_MASK)) |
		ask_passed_name(frame, filter, undecided);
	if (found & undecided || !(undecided & filter->by_part[FILTER_TOP]))
		return found;
	if (!is_plain(head) || !frame->tops[OPEN_FILE].first)
		return FILTER_ALL;
	found |= ask_walked_top(frame, &frame->tops[OPEN_FILE]);
	return found & undecided ? found : found | ask_passed_top(frame, filter);
}

/* Whether no clause is left of those that the path had to decide. */
static __always_inline bool filter_walked(struct frame *frame)
{
	__u32 type = frame->type;
	const struct filter_type *filter = bpf_map_lookup_elem(&filter_types, &type);
	__u64 undecided = frame->undecided;

	frame->undecided = 0;
	return filter && !(filter_found(frame, filter, undecided) & undecided);
}

#endif
