/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names for the kernel filter: the one that was passed to an open, taken apart once, and the
 * questions to the map of names that clauses ask for.
 */
#ifndef HAETAE_BPF_FILTER_NAME_H
#define HAETAE_BPF_FILTER_NAME_H

#include "file.h"
#include "filter.h"

/* ---- the name as passed ------------------------------------------------------------------------
 */

static __always_inline __u8 passed_byte(struct frame *frame, __u32 at)
{
	return at < PASSED_BYTES ? frame->passed.text[at] : 0;
}

/* Whether the name of so many bytes that ends before `end` is none, "." or "..". */
static __always_inline bool is_odd_name(struct frame *frame, __u32 length, __u32 end)
{
	return length == 0 || (length <= 2 && passed_byte(frame, end - 1) == '.' &&
			       (length == 1 || passed_byte(frame, end - 2) == '.'));
}

/* A slash at `i`. State stays in the frame (volatile): in registers the verifier would follow every
 * combination. */
static __always_inline void scan_slash(struct frame *frame, __u32 i)
{
	volatile struct passed_name *passed = &frame->passed;
	__u32 cnt = passed->slash_cnt, last = passed->last;

	if ((cnt || i) && is_odd_name(frame, i - last, i))
		passed->is_odd = 1;
	if (cnt < 4)
		passed->slashes[cnt & 3] = i;
	passed->slash_cnt = cnt + 1;
	passed->before = last;
	passed->last = i + 1;
}

static __always_inline void scan_name(struct frame *frame, __u64 address)
{
	volatile struct passed_name *passed = &frame->passed;
	long bytes;

	passed->slash_cnt = passed->last = passed->before = 0;
	passed->is_whole = passed->is_base_odd = passed->is_odd = 0;
	bytes = read_user_string(frame->passed.text, PASSED_BYTES, address);
	if (bytes <= 0 || bytes >= PASSED_BYTES)
		return;
	passed->length = (__u32)bytes - 1;
	passed->is_whole = 1;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < PASSED_BYTES; i++) {
		__u8 byte = frame->passed.text[i];

		if (!byte)
			break;
		if (byte == '/')
			scan_slash(frame, i);
	}
	if (is_odd_name(frame, passed->length - passed->last, passed->length))
		passed->is_base_odd = 1;
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

/* The bytes [from, to) of the name as passed. */
static __always_inline __u64 ask_passed(struct frame *frame, __u32 part, __u32 from, __u32 to)
{
	__u32 length = to - from;

	if (length >= FILTER_NAME_BYTES)
		return 0; /* longer than all that are asked for */
	key_begin(frame, part);
	barrier_var(length);
	if (length < FILTER_NAME_BYTES)
		(void)bpf_probe_read_kernel(frame->key.name.text, length,
					    frame->passed.text + (from & (PASSED_BYTES - 1)));
	return key_ask(frame);
}

#endif
