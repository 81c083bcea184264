/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How a program of a system call looks:
 *
 *	CALL_PROGRAM(unlink, UNLINK)
 *	{
 *		put_s64(frame, PARAM_UNLINK_res, frame->result);
 *		…
 *	}
 *
 * It is tail-called by the dispatcher with the frame taken, puts what it knows, in any order, and
 * the macro hands the frame to the shared chain.
 */
#ifndef HAETAE_BPF_PROG_H
#define HAETAE_BPF_PROG_H

#include "submit.h"

char LICENSE[] SEC("license") __weak = "Dual BSD/GPL";

#define CALL_PROGRAM(name, ID)                                                                  \
	static __always_inline void name##_body(struct frame *frame, struct task_struct *task); \
	SEC("tp_btf/sys_exit")                                                                  \
	int x_##name(__u64 *context)                                                            \
	{                                                                                       \
		struct frame *frame = frame_get();                                              \
                                                                                                \
		if (!frame)                                                                     \
			return 0;                                                               \
		frame_start(frame, EVENT_##ID, PARAM_##ID##__COUNT);                            \
		name##_body(frame, current_task());                                             \
		bpf_tail_call(context, &call_chain, CHAIN_FILTER);                              \
		frame_abandon(frame);                                                           \
		return 0;                                                                       \
	}                                                                                       \
	static __always_inline void name##_body(struct frame *frame, struct task_struct *task)

#endif
