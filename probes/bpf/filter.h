/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is decided before an event costs anything: not finished, our own, out of scope.
 */
#ifndef HAETAE_BPF_FILTER_H
#define HAETAE_BPF_FILTER_H

#include "file.h"

/* include/linux/errno.h: ERESTARTSYS 512, ERESTARTNOINTR 513, ERESTARTNOHAND 514, ENOIOCTLCMD 515,
 * ERESTART_RESTARTBLOCK 516: the call goes on after a signal (decision 9). */
static __always_inline bool is_restart(__s64 result)
{
	return result <= -512 && result >= -516;
}

static __always_inline void count_filtered(__u32 type, __u32 reason)
{
	struct wire_counters *own = counters_of(type);

	if (own && reason < WIRE_FILTER__COUNT)
		own->filtered[reason]++;
}

/* No rule can match the record that is being made. True: it ends here. */
static __always_inline bool frame_is_unwanted(struct frame *frame)
{
	frame->undecided = 0;
	if (filter_mode == FILTER_CHECK) {
		frame->flags |= WIRE_UNWANTED;
		return false;
	}
	count_filtered(frame->type, WIRE_FILTER_RULES);
	frame_release(frame);
	return true;
}

/* Neither the daemon's nor out of the scope; but what its first thread does as a test of itself,
 * whatever the scope. */
static __always_inline bool is_observed(struct task_struct *task, __u32 tgid)
{
	if (tgid == own_tgid)
		return is_self_test && (__u32)READ(task, pid) == tgid;
	return scope_has(task, tgid);
}

#endif
