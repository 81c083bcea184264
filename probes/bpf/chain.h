/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The links of a chain, for each hook that has one: chain.bpf.c and uring.bpf.c.
 */
#ifndef HAETAE_BPF_CHAIN_H
#define HAETAE_BPF_CHAIN_H

#include "prog.h"

/* Fills the header, whose members are also what a filter compares; returns what comes next. Of
 * calls, the frequent hook, it is read by typed loads. */
static __always_inline __u8 chain_fill(struct frame *frame, struct task_struct *task,
				       const bool is_call)
{
	header_fill(frame_header(frame), task, is_call);
	frame_header(frame)->time_ns = bpf_ktime_get_boot_ns();
	if (task_is_threaded(task))
		frame->flags |= WIRE_MULTITHREADED;
	if (frame->objects[0].dentry || frame->objects[1].dentry || frame->objects[2].dentry ||
	    frame->objects[3].dentry)
		return CHAIN_RESOLVE;
	return frame->after_paths;
}

static __always_inline int chain_submit(void)
{
	struct frame *frame = frame_get();

	if (frame)
		frame_submit(frame);
	return 0;
}

#endif
