/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads a task: the record's header, and who is in the scope.
 */
#ifndef HAETAE_BPF_TASK_H
#define HAETAE_BPF_TASK_H

#include "put.h"

/* A pid as the initial namespace and as the task's own namespace number it. */
struct pid_numbers {
	__u32 global, own;
};

/* The entry of `level` of a struct pid's flexible array. */
static __always_inline void read_upid(struct pid *pid, __u32 level, struct upid *ret)
{
	const char *numbers = (const char *)pid + bpf_core_field_offset(struct pid, numbers);

	ret->nr = 0;
	ret->ns = NULL;
	(void)bpf_probe_read_kernel(ret, sizeof(*ret),
				    numbers + (__u64)(level & 31) * sizeof(struct upid));
}

/* `pid` as number in the namespace `ns` of `level`; 0 where it has none there. */
static __always_inline __u32 pid_in(struct pid *pid, __u32 level, struct pid_namespace *ns)
{
	struct upid upid;

	if (!pid || READ(pid, level) < level)
		return 0;
	read_upid(pid, level, &upid);
	return upid.ns == ns ? (__u32)upid.nr : 0;
}

static __always_inline __u32 pid_global(struct pid *pid)
{
	struct upid upid;

	if (!pid)
		return 0;
	read_upid(pid, 0, &upid);
	return (__u32)upid.nr;
}

static __always_inline void header_ids(struct wire_header *header, struct task_struct *task,
				       struct task_struct *parent, const bool is_typed)
{
	struct pid *pid = GET(task, thread_pid);
	struct signal_struct *signal = GET(task, signal);
	struct pid *session = GET(signal, pids[PIDTYPE_SID]);
	struct pid *group = GET(signal, pids[PIDTYPE_PGID]);
	__u32 level = pid ? GET(pid, level) : 0;
	struct upid own;

	header->pid = (__u32)GET(task, tgid);
	header->tid = (__u32)GET(task, pid);
	header->parent_pid = (__u32)GET(parent, tgid);
	header->session_id = pid_global(session);
	header->group_id = pid_global(group);
	if (!pid)
		return;
	read_upid(pid, level, &own);
	header->pid_ns = own.ns ? READ(own.ns, ns.inum) : 0;
	if (level == 0) {
		header->ns_pid = header->pid;
		header->ns_tid = header->tid;
		header->ns_parent_pid = header->parent_pid;
		header->ns_session_id = header->session_id;
		header->ns_group_id = header->group_id;
		return;
	}
	header->ns_tid = (__u32)own.nr;
	header->ns_pid = pid_in(GET(signal, pids[PIDTYPE_TGID]), level, own.ns);
	header->ns_parent_pid = pid_in(GET(GET(parent, signal), pids[PIDTYPE_TGID]), level, own.ns);
	header->ns_session_id = pid_in(session, level, own.ns);
	header->ns_group_id = pid_in(group, level, own.ns);
}

static __always_inline void header_credentials(struct wire_header *header, struct task_struct *task,
					       const bool is_typed)
{
	struct cred *cred = GET(task, cred);
	struct user_namespace *user_ns = GET(cred, user_ns);

	header->uid = GET(cred, uid.val);
	header->euid = GET(cred, euid.val);
	header->gid = GET(cred, gid.val);
	header->egid = GET(cred, egid.val);
	/* Whole 8 bytes, whatever kernel_cap_t is made of. */
	(void)bpf_core_read(&header->cap_effective, 8, &cred->cap_effective);
	(void)bpf_core_read(&header->cap_permitted, 8, &cred->cap_permitted);
	(void)bpf_core_read(&header->cap_inheritable, 8, &cred->cap_inheritable);
	header->user_ns = user_ns ? GET(user_ns, ns.inum) : 0;
	if (bpf_core_field_exists(task->loginuid)) /* CONFIG_AUDIT */
		header->loginuid = GET(task, loginuid.val);
	else
		header->loginuid = 0xffffffff;
}

/* new_encode_dev() of include/linux/kdev_t.h. */
static __always_inline __u32 encode_device(__u32 major, __u32 minor)
{
	return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

static __always_inline void header_terminal(struct wire_header *header, struct task_struct *task,
					    const bool is_typed)
{
	struct tty_struct *tty = GET(GET(task, signal), tty);
	struct tty_driver *driver;

	header->tty = 0;
	if (!tty)
		return;
	driver = GET(tty, driver);
	if (driver)
		header->tty = encode_device((__u32)GET(driver, major),
					    (__u32)(GET(driver, minor_start) + GET(tty, index)));
}

/* The cgroup of one version 1 controller; NULL where it is not built in. */
static __always_inline struct cgroup *cgroup_of_subsystem(struct css_set *set, __u32 index)
{
	struct cgroup_subsys_state *state = NULL;
	const char *states = (const char *)set + bpf_core_field_offset(struct css_set, subsys);

	(void)bpf_probe_read_kernel(&state, sizeof(state),
				    states + (__u64)(index & 31) * sizeof(void *));
	return state ? READ(state, cgroup) : NULL;
}

static __always_inline bool header_cgroup_v1(struct wire_header *header, struct css_set *set,
					     __u32 index, __u8 hierarchy)
{
	struct cgroup *cgroup = cgroup_of_subsystem(set, index);

	if (!cgroup || READ(cgroup, level) == 0)
		return false;
	header->cgroup_id = READ(READ(cgroup, kn), id);
	header->cgroup_hierarchy = hierarchy;
	return true;
}

#define SUBSYSTEM_EXISTS(name) \
	bpf_core_enum_value_exists(enum cgroup_subsys_id___ours, name##_cgrp_id___ours)
#define SUBSYSTEM_INDEX(name) \
	bpf_core_enum_value(enum cgroup_subsys_id___ours, name##_cgrp_id___ours)

/* In decision 25's order. A controller that version 2 has shows version 2's cgroup; that is the
 * root here, and passed over. */
static __always_inline void header_cgroup(struct wire_header *header, struct task_struct *task,
					  const bool is_typed)
{
	struct css_set *set = GET(task, cgroups);
	struct cgroup *cgroup = GET(set, dfl_cgrp);

	header->cgroup_hierarchy = WIRE_HIERARCHY_V2;
	header->cgroup_id = GET(GET(cgroup, kn), id);
	if (GET(cgroup, level) > 0)
		return;
	if (SUBSYSTEM_EXISTS(memory) &&
	    header_cgroup_v1(header, set, SUBSYSTEM_INDEX(memory), WIRE_HIERARCHY_MEMORY))
		return;
	if (SUBSYSTEM_EXISTS(pids) &&
	    header_cgroup_v1(header, set, SUBSYSTEM_INDEX(pids), WIRE_HIERARCHY_PIDS))
		return;
	if (SUBSYSTEM_EXISTS(cpu))
		(void)header_cgroup_v1(header, set, SUBSYSTEM_INDEX(cpu), WIRE_HIERARCHY_CPU);
}

/* Everything of the header that is the task's; the rest is written by submit. is_typed: `task`
 * comes from the context or current_task(), and the event is frequent. */
static __always_inline void header_fill(struct wire_header *header, struct task_struct *task,
					const bool is_typed)
{
	struct task_struct *leader = GET(task, group_leader);
	struct task_struct *parent = GET(task, real_parent);
	struct nsproxy *nsproxy = GET(task, nsproxy);

	header->ns_pid = header->ns_tid = header->ns_parent_pid = 0;
	header->ns_session_id = header->ns_group_id = header->pid_ns = 0;
	header_ids(header, task, parent, is_typed);
	header->start_ns = GET(leader, start_boottime);
	header->parent_start_ns = GET(GET(parent, group_leader), start_boottime);
	header->exec_id = GET(task, self_exec_id);
	header_credentials(header, task, is_typed);
	header_terminal(header, task, is_typed);
	header_cgroup(header, task, is_typed);
	header->mnt_ns = nsproxy ? GET(GET(nsproxy, mnt_ns), ns.inum) : 0;
	(void)bpf_core_read(header->comm, sizeof(header->comm), &task->comm);
}

static __always_inline bool task_is_threaded(struct task_struct *task)
{
	return READ(READ(task, signal), nr_threads) > 1;
}

/* When the init of a pid namespace started: with the inode number it identifies the namespace. */
static __always_inline __u64 pidns_init_start(struct pid *pid)
{
	struct upid own;
	struct task_struct *reaper;

	if (!pid)
		return 0;
	read_upid(pid, READ(pid, level), &own);
	reaper = own.ns ? READ(own.ns, child_reaper) : NULL;
	return reaper ? READ(READ(reaper, group_leader), start_boottime) : 0;
}

/* Whether the task is in the scope's cgroup or below it. */
static __always_inline bool cgroup_in_scope(struct task_struct *task)
{
	struct css_set *set = READ(task, cgroups);
	struct cgroup *cgroup;

	if (settings.scope_subsystem == SCOPE_SUBSYSTEM_V2)
		cgroup = READ(set, dfl_cgrp);
	else
		cgroup = cgroup_of_subsystem(set, settings.scope_subsystem);
	/* cgroup.max.depth has no limit by default; 32 levels is what systemd and Kubernetes come
	 * nowhere near. Deeper ones are outside of a scope above them. */
	for (int i = 0; i < 32 && cgroup; i++) {
		struct cgroup_subsys_state *up;

		if (READ(READ(cgroup, kn), id) == settings.scope_cgroup)
			return true;
		up = READ(cgroup, self.parent);
		cgroup = up ? READ(up, cgroup) : NULL;
	}
	return false;
}

static __always_inline bool scope_has(struct task_struct *task, __u32 tgid)
{
	if (settings.scope == SCOPE_PID)
		return bpf_map_lookup_elem(&scope_tasks, &tgid) != NULL;
	if (settings.scope == SCOPE_CGROUP)
		return cgroup_in_scope(task);
	return true;
}

#endif
