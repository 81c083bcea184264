/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A thread's credentials before a call that changes them. They are no longer anywhere when the call
 * ends, so the map `credentials` has a copy, made when the thread begins, executes, is seeded, and
 * at the end of each such call. Nothing else changes users, groups and capabilities
 * (callers of commit_creds(), 5.8 ... 6.18). Only the thread itself writes its entry while it runs.
 */
#ifndef HAETAE_BPF_CREDENTIALS_H
#define HAETAE_BPF_CREDENTIALS_H

#include "put.h"

static __always_inline void credentials_read(struct task_struct *task, struct credentials *ret)
{
	struct cred *cred = READ(task, cred);

	ret->start_ns = READ(task, start_boottime);
	ret->uid = READ(cred, uid.val);
	ret->euid = READ(cred, euid.val);
	ret->gid = READ(cred, gid.val);
	ret->egid = READ(cred, egid.val);
	/* Whole 8 bytes, whatever kernel_cap_t is made of. */
	(void)bpf_core_read(&ret->cap_inheritable, 8, &cred->cap_inheritable);
	(void)bpf_core_read(&ret->cap_permitted, 8, &cred->cap_permitted);
	(void)bpf_core_read(&ret->cap_effective, 8, &cred->cap_effective);
}

/* `flags`: BPF_ANY, or BPF_NOEXIST for who may come late. */
static __always_inline void credentials_learn(struct task_struct *task, __u64 flags)
{
	__u32 tid = (__u32)READ(task, pid);
	struct credentials now = {};

	credentials_read(task, &now);
	(void)bpf_map_update_elem(&credentials, &tid, &now, flags);
}

static __always_inline void credentials_forget(__u32 tid)
{
	(void)bpf_map_delete_elem(&credentials, &tid);
}

/* The new image's, and in ret_before the old one's; start_ns is 0 where they are not known. A
 * thread that is not the leader has by now taken the leader's number and start (de_thread(),
 * fs/exec.c). */
static __always_inline void credentials_of_exec(struct task_struct *task, __u32 old_tid,
						struct credentials *ret_before)
{
	struct credentials *known = bpf_map_lookup_elem(&credentials, &old_tid);
	bool was_leader = old_tid == (__u32)READ(task, pid);

	if (known && (!was_leader || known->start_ns == READ(task, start_boottime)))
		*ret_before = *known;
	credentials_learn(task, BPF_ANY);
	if (!was_leader)
		credentials_forget(old_tid);
}

/* The parameters of BEFORE_PARAMS, events.def, from `parameter` on. */
static __always_inline void put_credentials(struct frame *frame, __u32 parameter,
					    const struct credentials *before)
{
	put_u64(frame, parameter, before->uid);
	put_u64(frame, parameter + 1, before->euid);
	put_u64(frame, parameter + 2, before->gid);
	put_u64(frame, parameter + 3, before->egid);
	put_u64(frame, parameter + 4, before->cap_inheritable);
	put_u64(frame, parameter + 5, before->cap_permitted);
	put_u64(frame, parameter + 6, before->cap_effective);
}

/* What is not known stays absent; but a call that failed has changed nothing. */
static __always_inline void put_credentials_before(struct frame *frame, struct task_struct *task,
						   __u32 parameter)
{
	__u32 tid = (__u32)READ(task, pid);
	struct credentials *known = bpf_map_lookup_elem(&credentials, &tid), now = {};

	credentials_read(task, &now);
	if (known && known->start_ns == now.start_ns)
		put_credentials(frame, parameter, known);
	else if (frame->result < 0)
		put_credentials(frame, parameter, &now);
	(void)bpf_map_update_elem(&credentials, &tid, &now, BPF_ANY);
}

#endif
