/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The chain that every record with paths goes through: filter, resolve (the only place that holds
 * the path walk: it is what takes time to verify), submit. Once for each hook, because the kernel
 * keeps tail calls inside one hook; the resolve program in two forms, of which loader.c loads one.
 */
#include "chain.h"
#include "path.h"

static __always_inline int chain_filter(__u64 *context, void *chain, const bool is_call)
{
	struct frame *frame = frame_get();
	__u8 next;

	if (!frame)
		return 0;
	next = chain_fill(frame, current_task(), is_call);
	frame->after_compare = next;
	if (is_call && settings.want_path_swapped)
		next = CHAIN_COMPARE;
	bpf_tail_call(context, chain, next);
	frame_abandon(frame);
	return 0;
}

static __always_inline int chain_resolve(__u64 *context, void *chain, const bool is_typed)
{
	struct frame *frame = frame_get();

	if (!frame)
		return 0;
	if (walk_run(frame, is_typed))
		bpf_tail_call(context, chain, CHAIN_RESOLVE);
	else
		bpf_tail_call(context, chain, frame->after_paths);
	frame_abandon(frame);
	return 0;
}

SEC("tp_btf/sys_exit")
int call_filter(__u64 *context)
{
	return chain_filter(context, &call_chain, true);
}

SEC("tp_btf/sys_exit")
int call_resolve(__u64 *context)
{
	return chain_resolve(context, &call_chain, false);
}

SEC("tp_btf/sys_exit")
int call_resolve_t(__u64 *context)
{
	return chain_resolve(context, &call_chain, true);
}

SEC("tp_btf/sys_exit")
int call_submit(__u64 *context)
{
	struct frame *frame = frame_get();

	if (!frame)
		return 0;
	frame_submit(frame);
	if (frame->again_owner)
		bpf_tail_call(context, &call_chain, CHAIN_AGAIN);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int exec_filter(__u64 *context)
{
	return chain_filter(context, &exec_chain, false);
}

SEC("tp_btf/sched_process_exec")
int exec_resolve(__u64 *context)
{
	return chain_resolve(context, &exec_chain, false);
}

SEC("tp_btf/sched_process_exec")
int exec_resolve_t(__u64 *context)
{
	return chain_resolve(context, &exec_chain, true);
}

SEC("tp_btf/sched_process_exec")
int exec_submit(__u64 *context)
{
	return chain_submit();
}

/* io_uring's two chains (uring.bpf.c): here because the walk is. */
SEC("tp_btf/io_uring_submit_req")
int submit_resolve(__u64 *context)
{
	return chain_resolve(context, &submit_chain, false);
}

SEC("tp_btf/io_uring_submit_req")
int submit_resolve_t(__u64 *context)
{
	return chain_resolve(context, &submit_chain, true);
}

SEC("tp_btf/io_uring_complete")
int complete_resolve(__u64 *context)
{
	return chain_resolve(context, &complete_chain, false);
}

SEC("tp_btf/io_uring_complete")
int complete_resolve_t(__u64 *context)
{
	return chain_resolve(context, &complete_chain, true);
}
