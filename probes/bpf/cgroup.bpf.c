/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A control group is made or removed, or a task is moved to one (include/trace/events/cgroup.h).
 * User space keeps from these which control group is which container's. That is no process's
 * affair, so makers and removers are told whatever the scope; who is moved must be in it.
 */
#include "prog.h"

struct cgroup_root {
	unsigned int subsys_mask;
	int hierarchy_id;
} __attribute__((preserve_access_index));

/* enum wire_hierarchy, or -1: of the other controllers nobody asks. A hierarchy of version 1 has
 * one or several; the header's order decides (header_cgroup()). */
static __always_inline int hierarchy_of(struct cgroup *cgroup)
{
	struct cgroup_root *root = READ(cgroup, root);
	__u32 mask = READ(root, subsys_mask);

	/* cgroup_init() of kernel/cgroup/cgroup.c sets up the default hierarchy first. */
	if (READ(root, hierarchy_id) == 0)
		return WIRE_HIERARCHY_V2;
	if (SUBSYSTEM_EXISTS(memory) && mask >> (SUBSYSTEM_INDEX(memory) & 31) & 1)
		return WIRE_HIERARCHY_MEMORY;
	if (SUBSYSTEM_EXISTS(pids) && mask >> (SUBSYSTEM_INDEX(pids) & 31) & 1)
		return WIRE_HIERARCHY_PIDS;
	if (SUBSYSTEM_EXISTS(cpu) && mask >> (SUBSYSTEM_INDEX(cpu) & 31) & 1)
		return WIRE_HIERARCHY_CPU;
	return -1;
}

static __always_inline __u64 id_of(struct cgroup *cgroup)
{
	return READ(READ(cgroup, kn), id);
}

static __always_inline struct frame *record_begin(__u32 type, __u32 param_cnt)
{
	struct frame *frame;

	count_generated(type);
	frame = frame_acquire(type, bpf_get_current_pid_tgid());
	if (!frame)
		return NULL;
	frame_start(frame, type, param_cnt);
	frame->is_lifecycle = 1;
	return frame;
}

static __always_inline void record_end(struct frame *frame, struct task_struct *task)
{
	header_fill(frame_header(frame), task, false);
	frame_header(frame)->time_ns = bpf_ktime_get_boot_ns();
	if (task_is_threaded(task))
		frame->flags |= WIRE_MULTITHREADED;
	frame_submit(frame);
}

SEC("tp_btf/cgroup_mkdir")
int tp_cgroup_mkdir(__u64 *context)
{
	struct cgroup *cgroup = (struct cgroup *)context[0];
	struct cgroup_subsys_state *up = READ(cgroup, self.parent);
	int hierarchy = hierarchy_of(cgroup);
	struct frame *frame;

	if (hierarchy < 0)
		return 0;
	frame = record_begin(EVENT_CGROUP_MKDIR, PARAM_CGROUP_MKDIR__COUNT);
	if (!frame)
		return 0;
	put_u64(frame, PARAM_CGROUP_MKDIR_id, id_of(cgroup));
	put_u64(frame, PARAM_CGROUP_MKDIR_hierarchy, (__u32)hierarchy);
	put_kernel_string(frame, PARAM_CGROUP_MKDIR_path, (const void *)context[1]);
	if (up)
		put_u64(frame, PARAM_CGROUP_MKDIR_parent_id, id_of(READ(up, cgroup)));
	record_end(frame, current_task());
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int tp_cgroup_rmdir(__u64 *context)
{
	struct cgroup *cgroup = (struct cgroup *)context[0];
	int hierarchy = hierarchy_of(cgroup);
	struct frame *frame;

	if (hierarchy < 0)
		return 0;
	frame = record_begin(EVENT_CGROUP_RMDIR, PARAM_CGROUP_RMDIR__COUNT);
	if (!frame)
		return 0;
	put_u64(frame, PARAM_CGROUP_RMDIR_id, id_of(cgroup));
	put_u64(frame, PARAM_CGROUP_RMDIR_hierarchy, (__u32)hierarchy);
	put_kernel_string(frame, PARAM_CGROUP_RMDIR_path, (const void *)context[1]);
	record_end(frame, current_task());
	return 0;
}

/* After the move (cgroup_attach_task(), kernel/cgroup/cgroup.c). */
SEC("tp_btf/cgroup_attach_task")
int tp_cgroup_move(__u64 *context)
{
	struct cgroup *cgroup = (struct cgroup *)context[0];
	struct task_struct *task = (struct task_struct *)context[2], *by;
	int hierarchy = hierarchy_of(cgroup);
	struct frame *frame;

	if (hierarchy < 0 || !is_observed(task, (__u32)READ(task, tgid)))
		return 0;
	frame = record_begin(EVENT_CGROUP_ATTACH, PARAM_CGROUP_ATTACH__COUNT);
	if (!frame)
		return 0;
	by = current_task();
	put_u64(frame, PARAM_CGROUP_ATTACH_id, id_of(cgroup));
	put_u64(frame, PARAM_CGROUP_ATTACH_hierarchy, (__u32)hierarchy);
	put_kernel_string(frame, PARAM_CGROUP_ATTACH_path, (const void *)context[1]);
	put_u64(frame, PARAM_CGROUP_ATTACH_by_pid, (__u32)READ(by, tgid));
	put_u64(frame, PARAM_CGROUP_ATTACH_by_start, READ(READ(by, group_leader), start_boottime));
	record_end(frame, task);
	return 0;
}
