/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The task iterator (decision 17): a TASK_SEED record for each process there is, in wire format
 * through the iterator's file; the daemon's own tgid; the scope's tree. A process is in the scope
 * when an ancestor is. Forks that happen meanwhile may be missed by one pass, so user space repeats
 * silent passes until none adds a process; from then on tp_fork sees every new one.
 */
#include "credentials.h"
#include "prog.h"

#define ANCESTORS_A_PASS 64 /* deeper trees take another pass */

/* The number of `task`'s process in the pid namespace of who reads the iterator; 0: none. */
static __always_inline __u32 reader_number(struct task_struct *task)
{
	struct pid *own = READ(current_task(), thread_pid);
	struct signal_struct *signal = READ(task, signal);
	struct pid *pid = READ(signal, pids[PIDTYPE_TGID]);
	__u32 level;
	struct upid reader;

	if (!own || !pid)
		return 0;
	level = READ(own, level);
	read_upid(own, level, &reader);
	if (READ(pid, level) < level)
		return 0;
	return pid_in(pid, level, reader.ns);
}

static __always_inline bool has_scoped_ancestor(struct task_struct *task)
{
	struct task_struct *ancestor = task;

#pragma clang loop unroll(disable)
	for (int i = 0; i < ANCESTORS_A_PASS; i++) {
		__u32 tgid = (__u32)READ(ancestor, tgid);
		struct task_struct *parent;

		if (bpf_map_lookup_elem(&scope_tasks, &tgid))
			return true;
		parent = READ(ancestor, real_parent);
		if (!parent || parent == ancestor)
			break;
		ancestor = parent;
	}
	return false;
}

static __always_inline void scope_learn(struct task_struct *task)
{
	__u32 tgid = (__u32)READ(task, tgid);
	__u8 one = 1;
	long error;

	if (settings.scope != SCOPE_PID || bpf_map_lookup_elem(&scope_tasks, &tgid))
		return;
	if (reader_number(task) == settings.scope_pid)
		scope_root_tgid = tgid;
	else if (!has_scoped_ancestor(task))
		return;
	error = bpf_map_update_elem(&scope_tasks, &tgid, &one, BPF_NOEXIST);
	if (!error)
		scope_added++;
	if (!error || error == -EEXIST) /* tp_fork was first */
		return;
	count_generated(EVENT_UNKNOWN);
	count_lost(EVENT_UNKNOWN, WIRE_LOST_SCRATCH, 0);
}

static __always_inline void put_seed(struct frame *frame, struct task_struct *task)
{
	struct mm_struct *mm = READ(task, mm);
	struct file *file = mm ? READ(mm, exe_file) : NULL;
	struct inode *inode = file ? READ(file, f_inode) : NULL;

	if (inode) {
		put_u64(frame, PARAM_TASK_SEED_exe_ino, READ(inode, i_ino));
		put_u64(frame, PARAM_TASK_SEED_exe_ino_ctime, inode_ctime_ns(inode));
		put_u64(frame, PARAM_TASK_SEED_exe_ino_mtime, inode_mtime_ns(inode));
		put_u64(frame, PARAM_TASK_SEED_exe_bits, file_bits(file, inode, READ(task, cred)));
	}
	put_u64(frame, PARAM_TASK_SEED_reader_pid, reader_number(task));
	put_u64(frame, PARAM_TASK_SEED_pidns_init_start, pidns_init_start(READ(task, thread_pid)));
}

/* What tp_fork or the thread itself has written is newer. */
static __always_inline void learn_credentials(struct task_struct *task)
{
	if (is_observed(task, (__u32)READ(task, tgid)))
		credentials_learn(task, BPF_NOEXIST);
}

SEC("iter/task")
int seed(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	__u32 zero = 0;
	struct frame *frame;
	struct wire_header *header;

	own_tgid = bpf_get_current_pid_tgid() >> 32;
	if (!task)
		return 0;
	if (READ(task, pid) != READ(task, tgid)) {
		if (!seed_is_silent)
			learn_credentials(task);
		return 0;
	}
	scope_learn(task);
	if (seed_is_silent)
		return 0;
	learn_credentials(task);
	frame = bpf_map_lookup_elem(&seed_frame, &zero);
	if (!frame)
		return 0;
	frame->flags = WIRE_STATE | (task_is_threaded(task) ? WIRE_MULTITHREADED : 0);
	frame->result = 0;
	frame->call_nr = WIRE_NO_SYSCALL;
	frame_start(frame, EVENT_TASK_SEED, PARAM_TASK_SEED__COUNT);
	put_seed(frame, task);
	header = frame_header(frame);
	header_fill(header, task, false);
	header_finish(header, frame);
	header->time_ns = bpf_ktime_get_boot_ns();
	header->sequence = 0;
	header->cpu = 0;
	header->ring = 0;
	if (frame->position <= WIRE_RECORD_MAX)
		(void)bpf_seq_write(context->meta->seq, header, frame->position);
	return 0;
}
