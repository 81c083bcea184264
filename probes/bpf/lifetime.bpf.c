/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A process was made (sched_process_fork), a process has ended (sched_process_exit of its last
 * thread). They also keep the scope's tree. And a signal is taken by who receives it.
 */
#include "credentials.h"
#include "kernel_signal.h"
#include "prog.h"

static __always_inline void put_child(struct frame *frame, struct task_struct *child)
{
	struct task_struct *parent = READ(child, real_parent);
	struct pid *pid = READ(child, thread_pid);
	struct upid own = {};

	if (pid)
		read_upid(pid, READ(pid, level), &own);
	put_u64(frame, PARAM_TASK_NEW_child_pid, (__u32)READ(child, tgid));
	put_u64(frame, PARAM_TASK_NEW_child_start, READ(child, start_boottime));
	put_u64(frame, PARAM_TASK_NEW_child_ns_pid, (__u32)own.nr);
	put_u64(frame, PARAM_TASK_NEW_parent_pid, (__u32)READ(parent, tgid));
	put_u64(frame, PARAM_TASK_NEW_parent_start,
		READ(READ(parent, group_leader), start_boottime));
	put_u64(frame, PARAM_TASK_NEW_child_exec_id, READ(child, self_exec_id));
	put_u64(frame, PARAM_TASK_NEW_child_pid_ns, own.ns ? READ(own.ns, ns.inum) : 0);
	put_u64(frame, PARAM_TASK_NEW_pidns_init_start, pidns_init_start(pid));
}

/* The child belongs to the scope. False: there is no room to remember it. */
static __always_inline bool scope_add(__u32 tgid)
{
	__u8 one = 1;

	return settings.scope != SCOPE_PID ||
	       bpf_map_update_elem(&scope_tasks, &tgid, &one, BPF_ANY) == 0;
}

static __always_inline void lifetime_submit(struct frame *frame, struct task_struct *task)
{
	header_fill(frame_header(frame), task, false);
	frame_header(frame)->time_ns = bpf_ktime_get_boot_ns();
	if (task_is_threaded(task))
		frame->flags |= WIRE_MULTITHREADED;
	frame_submit(frame);
}

SEC("tp_btf/sched_process_fork")
int tp_fork(__u64 *context)
{
	struct task_struct *creator = (struct task_struct *)context[0];
	struct task_struct *child = (struct task_struct *)context[1];
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 child_tgid = (__u32)READ(child, tgid);
	struct frame *frame;

	if (!is_observed(creator, pid_tgid >> 32))
		return 0;
	credentials_learn(child, BPF_ANY);
	if ((__u32)READ(child, pid) != child_tgid)
		return 0;
	count_generated(EVENT_TASK_NEW);
	if (!scope_add(child_tgid)) {
		/* What the child does will not be seen: say so. */
		count_generated(EVENT_UNKNOWN);
		count_lost(EVENT_UNKNOWN, WIRE_LOST_SCRATCH, 0);
	}
	frame = frame_acquire(EVENT_TASK_NEW, pid_tgid);
	if (!frame)
		return 0;
	frame_start(frame, EVENT_TASK_NEW, PARAM_TASK_NEW__COUNT);
	frame->is_lifecycle = 1;
	put_child(frame, child);
	lifetime_submit(frame, creator);
	return 0;
}

/* Who gets the children, as find_new_reaper() of kernel/exit.c has it: the nearest ancestor that is
 * a subreaper, else the init of the pid namespace. 0: there are no children. */
static __always_inline __u32 find_reaper(struct task_struct *task)
{
	struct list_head *children = READ(task, children.next);
	struct task_struct *ancestor = READ(task, real_parent), *init;
	struct signal_struct *signal = READ(task, signal);
	struct upid own = {};
	struct pid *pid = READ(task, thread_pid);

	if (children == &task->children || !pid)
		return 0;
	read_upid(pid, READ(pid, level), &own);
	init = own.ns ? READ(own.ns, child_reaper) : NULL;
	if (!init)
		return 0;
	if (BPF_CORE_READ_BITFIELD_PROBED(signal, has_child_subreaper)) {
		/* Deeper trees name the init. */
#pragma clang loop unroll(disable)
		for (int i = 0; i < 64; i++) {
			struct signal_struct *its = READ(ancestor, signal);

			if (ancestor == init)
				break;
			if (BPF_CORE_READ_BITFIELD_PROBED(its, is_child_subreaper))
				return (__u32)READ(ancestor, tgid);
			ancestor = READ(ancestor, real_parent);
		}
	}
	return (__u32)READ(init, tgid);
}

/* The wait status as wait_task_zombie() of kernel/exit.c takes it. */
static __always_inline void put_status(struct frame *frame, struct task_struct *task)
{
	struct signal_struct *signal = READ(task, signal);
	struct task_struct *leader = READ(task, group_leader);
	__u32 status = READ(signal, flags) & SIGNAL_GROUP_EXIT
			       ? (__u32)READ(signal, group_exit_code)
			       : (__u32)READ(leader, exit_code);
	__u32 end_signal = status & 0x7f;

	put_s64(frame, PARAM_PROCEXIT_status, (__s32)status);
	if (!end_signal)
		put_s64(frame, PARAM_PROCEXIT_ret, (status >> 8) & 0xff);
	else
		put_u64(frame, PARAM_PROCEXIT_sig, end_signal);
	put_u64(frame, PARAM_PROCEXIT_core, status & 0x80 ? 1 : 0);
	put_u64(frame, PARAM_PROCEXIT_reaper_tid, find_reaper(task));
}

static __always_inline int process_exit(struct task_struct *task)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 tgid = pid_tgid >> 32;
	struct frame *frame;

	if (!is_observed(task, tgid))
		return 0;
	if (settings.scope == SCOPE_PID)
		(void)bpf_map_delete_elem(&scope_tasks, &tgid);
	count_generated(EVENT_PROCEXIT);
	frame = frame_acquire(EVENT_PROCEXIT, pid_tgid);
	if (!frame)
		return 0;
	frame_start(frame, EVENT_PROCEXIT, PARAM_PROCEXIT__COUNT);
	frame->is_lifecycle = 1;
	put_status(frame, task);
	lifetime_submit(frame, task);
	return 0;
}

/* Since 6.16 the kernel says that this is the last thread. */
SEC("tp_btf/sched_process_exit")
int tp_exit_dead(__u64 *context)
{
	struct task_struct *task = (struct task_struct *)context[0];

	credentials_forget((__u32)READ(task, pid));
	return context[1] & 1 ? process_exit(task) : 0;
}

/* Before: nobody is alive; two threads that end at once may both see that. */
SEC("tp_btf/sched_process_exit")
int tp_exit_live(__u64 *context)
{
	struct task_struct *task = (struct task_struct *)context[0];
	struct exit_key key = {};
	__u8 one = 1;

	credentials_forget((__u32)READ(task, pid));
	if (READ(READ(task, signal), live.counter) != 0)
		return 0;
	key.tgid = (__u32)READ(task, tgid);
	key.start_ns = READ(READ(task, group_leader), start_boottime);
	if (bpf_map_update_elem(&exits_seen, &key, &one, BPF_NOEXIST))
		return 0;
	return process_exit(task);
}

/* Who sent it, as the receiver's pid namespace numbers it; 0: the kernel, or not said. Only of
 * these codes the union begins with a pid: kill, sigqueue, tkill, and a child's (siginfo_layout(),
 * kernel/signal.c). Below 2 the address is no address (SEND_SIG_PRIV,
 * include/linux/sched/signal.h).
 */
static __always_inline __u32 signal_sender(struct kernel_siginfo *info, __u32 signal)
{
	__s32 code;

	if ((__u64)info < 2)
		return 0;
	code = READ(info, si_code);
	if (code != SI_USER && code != SI_QUEUE && code != SI_TKILL &&
	    !(signal == SIGCHLD && code > 0 && code < SI_KERNEL))
		return 0;
	return (__u32)READ(info, _sifields._kill._pid);
}

SEC("tp_btf/signal_deliver")
int tp_signal(__u64 *context)
{
	__u32 signal = (__u32)context[0], sender;
	__u64 pid_tgid;
	struct task_struct *task;
	struct frame *frame;

	if (!is_evaluated[EVENT_SIGNALDELIVER])
		return 0;
	task = current_task();
	pid_tgid = bpf_get_current_pid_tgid();
	if (!is_observed(task, pid_tgid >> 32))
		return 0;
	count_generated(EVENT_SIGNALDELIVER);
	frame = frame_acquire(EVENT_SIGNALDELIVER, pid_tgid);
	if (!frame)
		return 0;
	frame_start(frame, EVENT_SIGNALDELIVER, PARAM_SIGNALDELIVER__COUNT);
	sender = signal_sender((struct kernel_siginfo *)context[1], signal);
	if (sender)
		put_u64(frame, PARAM_SIGNALDELIVER_spid, sender);
	put_u64(frame, PARAM_SIGNALDELIVER_dpid, pid_tgid >> 32);
	put_u64(frame, PARAM_SIGNALDELIVER_sig, signal);
	lifetime_submit(frame, task);
	return 0;
}
