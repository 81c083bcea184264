/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The chain that every record with paths goes through: filter, resolve (the only place that holds
 * the path walk: it is what takes time to verify), submit. Once for each hook, because the kernel
 * keeps tail calls inside one hook; the resolve program in two forms, of which loader.c loads one.
 */
#include "path.h"
#include "prog.h"

/* Fills the header, whose members are also what a filter compares. Of calls, the frequent hook, it
 * is read by typed loads. */
static __always_inline int chain_filter(__u64 *context, void *chain, const bool is_call)
{
	struct frame *frame = frame_get();
	struct task_struct *task = current_task();
	__u8 next;

	if (!frame)
		return 0;
	header_fill(frame_header(frame), task, is_call);
	frame_header(frame)->time_ns = bpf_ktime_get_boot_ns();
	if (task_is_threaded(task))
		frame->flags |= WIRE_MULTITHREADED;
	next = frame->after_paths;
	if (frame->objects[0].dentry || frame->objects[1].dentry || frame->objects[2].dentry)
		next = CHAIN_RESOLVE;
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

static __always_inline int chain_submit(void)
{
	struct frame *frame = frame_get();

	if (frame)
		frame_submit(frame);
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
	return chain_submit();
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
