/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writes parameters into the frame's record. A parameter that is not put stays absent. What does
 * not fit is cut and marked; nothing here fails. Positions stay multiples of 8.
 */
#ifndef HAETAE_BPF_PUT_H
#define HAETAE_BPF_PUT_H

#include "scratch.h"

/* Nothing begins behind this: a value of 8 bytes always fits. */
#define POSITION_LAST (WIRE_RECORD_MAX - 16)

static __always_inline void put_done(struct frame *frame, __u32 parameter, __u32 at, __u32 length,
				     bool is_cut)
{
	struct wire_param *entry = &frame_params(frame)[parameter];

	entry->offset = (__u16)at;
	entry->length = (__u16)(length | (is_cut ? WIRE_PARAM_CUT : 0));
	if (is_cut)
		frame->flags |= WIRE_CUT;
	frame->position = (at + length + 7) & ~7u;
}

static __always_inline void put_u64(struct frame *frame, __u32 parameter, __u64 value)
{
	__u32 at = frame->position;

	if (at > POSITION_LAST) {
		put_done(frame, parameter, 0, 0, true);
		frame->position = at;
		return;
	}
	*(__u64 *)(frame->record + (at & POSITION_MASK)) = value;
	put_done(frame, parameter, at, 8, false);
}

static __always_inline void put_s64(struct frame *frame, __u32 parameter, __s64 value)
{
	put_u64(frame, parameter, (__u64)value);
}

/* `length` bytes, the NUL included, lie at `at`; cuts what is behind the record or longer than
 * STRING_BYTES - 1. */
static __always_inline void put_string_done(struct frame *frame, __u32 parameter, __u32 at,
					    __u32 length)
{
	bool is_cut = false;

	if (length >= STRING_BYTES) {
		length = STRING_BYTES - 1;
		is_cut = true;
	}
	if (at + length > WIRE_RECORD_MAX) {
		length = WIRE_RECORD_MAX - at;
		is_cut = true;
	}
	if (is_cut) {
		__u32 last = at + length - 1;

		if (last < RECORD_BYTES)
			frame->record[last] = 0;
	}
	put_done(frame, parameter, at, length, is_cut);
}

/* A string of user memory. Returns its bytes with the NUL, or < 0. Before 6.2 the helper says 0 of
 * an empty string (strncpy_from_user_nofault, mm/maccess.c). */
static __always_inline long read_user_string(__u8 *to, __u32 size, __u64 address)
{
	long length = bpf_probe_read_user_str(to, size, (void *)address);

	if (length == 0) {
		*to = 0;
		return 1;
	}
	return length;
}

/* A string of the program's memory. Returns its bytes with the NUL, or < 0. */
static __always_inline long put_user_string(struct frame *frame, __u32 parameter, __u64 address)
{
	__u32 at = frame->position;
	long length;

	if (at > POSITION_LAST) {
		put_done(frame, parameter, 0, 0, true);
		frame->position = at;
		return -1;
	}
	length = read_user_string(frame->record + (at & POSITION_MASK), STRING_BYTES, address);
	if (length < 0) {
		frame->flags |= WIRE_FAULT;
		return -1;
	}
	put_string_done(frame, parameter, at, (__u32)length);
	return length;
}

static __always_inline void put_kernel_string(struct frame *frame, __u32 parameter,
					      const void *address)
{
	__u32 at = frame->position;
	long length;

	if (at > POSITION_LAST) {
		put_done(frame, parameter, 0, 0, true);
		frame->position = at;
		return;
	}
	length = bpf_probe_read_kernel_str(frame->record + (at & POSITION_MASK), STRING_BYTES,
					   address);
	if (length > 0)
		put_string_done(frame, parameter, at, (__u32)length);
}

/* Where a struct of up to 512 bytes can be built in place; NULL: no space. put_done() follows. */
static __always_inline void *put_space(struct frame *frame, __u32 parameter)
{
	__u32 at = frame->position;

	if (at > WIRE_RECORD_MAX - 512) {
		put_done(frame, parameter, 0, 0, true);
		frame->position = at;
		return NULL;
	}
	return frame->record + (at & POSITION_MASK);
}

/* A path for the resolve program; `slot` orders the walks. */
static __always_inline void put_object(struct frame *frame, __u32 slot, __u32 parameter,
				       const void *dentry, const void *vfsmount)
{
	frame->objects[slot].dentry = (__u64)dentry;
	frame->objects[slot].vfsmount = (__u64)vfsmount;
	frame->objects[slot].parameter = parameter;
	frame->objects[slot].name = 0;
}

/* The same in the next slot; without one the parameter stays absent and the record is cut. */
static __always_inline void put_next_object(struct frame *frame, __u32 parameter,
					    const void *dentry, const void *vfsmount)
{
	__u32 slot = frame->object_cnt;

	if (slot >= FRAME_OBJECTS) {
		frame->flags |= WIRE_CUT;
		return;
	}
	frame->object_cnt = slot + 1;
	put_object(frame, slot, parameter, dentry, vfsmount);
}

#endif
