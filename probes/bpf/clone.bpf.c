/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * clone, clone3, fork, vfork: the image that makes a copy of itself, told by the creator and by the
 * child. The tree is kept elsewhere (lifetime.bpf.c); these are for rules that ask.
 */
#include "file.h"
#include "prog.h"

#define ARGS_MAX 480

#define C(name) PARAM_CLONE_##name
_Static_assert((int)C(_COUNT) == (int)PARAM_CLONE3__COUNT &&
		       (int)C(_COUNT) == (int)PARAM_FORK__COUNT &&
		       (int)C(_COUNT) == (int)PARAM_VFORK__COUNT,
	       "the four have one layout");

/* The argument area, which the program may have overwritten, as /proc/PID/cmdline shows it. */
static __always_inline void put_arguments(struct frame *frame, struct mm_struct *mm)
{
	__u64 start = READ(mm, arg_start), end = READ(mm, arg_end), left;
	long length = put_user_string(frame, C(exe), start);
	__u32 at, size;
	__u64 last;
	__u8 *to;

	if (length <= 0 || start + (__u64)length >= end)
		return;
	at = frame->position;
	to = put_space(frame, C(args));
	left = end - start - (__u64)length;
	size = left > ARGS_MAX ? ARGS_MAX : (__u32)left;
	barrier_var(size);
	if (!to || size == 0 || size > ARGS_MAX ||
	    bpf_probe_read_user(to, size, (void *)(start + (__u64)length)))
		return;
	last = size - 1;
	barrier_var(last); /* verifiers before 6.2 forget that it isn't below 0 */
	if (last < ARGS_MAX)
		to[last] = 0;
	put_done(frame, C(args), at, size, left > ARGS_MAX);
}

static __always_inline void put_copy(struct frame *frame, struct task_struct *task, __u64 flags)
{
	struct mm_struct *mm = READ(task, mm);
	struct fs_struct *fs = READ(task, fs);

	frame_prefer_lifecycle(frame);
	put_s64(frame, C(res), frame->result);
	put_u64(frame, C(flags), flags);
	put_u64(frame, C(fdlimit), READ(READ(task, signal), rlim[RLIMIT_NOFILE].rlim_cur));
	put_u64(frame, C(pgft_maj), READ(task, maj_flt));
	put_u64(frame, C(pgft_min), READ(task, min_flt));
	put_u64(frame, C(pidns_init_start_ts), pidns_init_start(READ(task, thread_pid)));
	if (fs)
		put_next_object(frame, C(cwd), READ(fs, pwd.dentry), READ(fs, pwd.mnt));
	if (!mm)
		return;
	put_u64(frame, C(vm_size), READ(mm, total_vm) * settings.page_kib);
	put_u64(frame, C(vm_rss),
		(MM_PAGES(mm, 0) + MM_PAGES(mm, 1) + MM_PAGES(mm, 3)) * settings.page_kib);
	put_u64(frame, C(vm_swap), MM_PAGES(mm, 2) * settings.page_kib);
	put_arguments(frame, mm);
}

CALL_PROGRAM(clone, CLONE)
{
	/* The low byte is the signal that the child's end sends. */
	put_copy(frame, task, frame->arguments[0] & ~0xffull);
}

CALL_PROGRAM(clone3, CLONE3)
{
	__u64 flags = 0; /* struct clone_args begins with them, include/uapi/linux/sched.h */

	if (bpf_probe_read_user(&flags, sizeof(flags), (void *)frame->arguments[0]))
		frame->flags |= WIRE_FAULT;
	put_copy(frame, task, flags);
}

CALL_PROGRAM(fork, FORK)
{
	put_copy(frame, task, 0);
}

CALL_PROGRAM(vfork, VFORK)
{
	put_copy(frame, task, 0);
}
