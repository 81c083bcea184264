/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is decided by how full a ring is: when to wake the reader, and who may still write. Plain
 * arithmetic over what submit.h has read, so that unit tests compile it, too. Included after the
 * __u types.
 */
#ifndef HAETAE_BPF_PRESSURE_H
#define HAETAE_BPF_PRESSURE_H

/* In front of each record (BPF_RINGBUF_HDR_SZ, include/uapi/linux/bpf.h). */
#define RING_HEAD_BYTES 8

/* Decision 19: whether a record wakes the reader whatever it is: where it takes the ring over a
 * quarter, and from there on once every 64th of the ring (a wake-up is an interrupt to oneself; the
 * reader finds the rest while it reads). Of two cpus that write at once neither may see the line
 * crossed; then the next step is seen, or the reader's next second. */
static inline __u32 pressure_wakes(__u64 pending, __u32 length, __u32 bytes)
{
	__u64 behind = pending + RING_HEAD_BYTES + length, step = bytes / 64;

	if (behind <= bytes / 4)
		return 0;
	return pending <= bytes / 4 || ((pending ^ behind) & ~(step - 1));
}

/* Decision 20: a control group's use of the lifecycle ring. Counted only while the ring is more
 * than a quarter full; what is refused counts, too. A window lasts until the reader has read a
 * ring's worth, so that shares are of what is in the ring, however slow or fast all this goes. */
#define PRESSURE_CGROUPS 1024

struct pressure_use {
	__u64 window, bytes;
	__u32 is_heavy, was_heavy; /* in this window, in the one before */
};

/* All groups together. */
struct pressure_total {
	__u64 window, bytes, groups;
};

/* More than an even share would be if there were one group more: so a group that is alone counts
 * as heavy, and leaves room for one that comes. Below a 64th of the ring nobody is. */
static inline __u32 pressure_is_over_share(__u64 bytes, const struct pressure_total *total,
					   __u32 ring_bytes)
{
	return bytes > ring_bytes / 64 && bytes * (total->groups + 1) > total->bytes;
}

/* Begins a new window where it is time; the first is 1. Cpus that do so at once may lose each
 * other's first counts: that bends a share, and no account. */
static inline void pressure_turn(struct pressure_use *use, struct pressure_total *total,
				 __u64 window)
{
	if (total->window != window) {
		total->window = window;
		total->bytes = 0;
		total->groups = 0;
	}
	if (use->window == window)
		return;
	use->was_heavy = use->window + 1 == window && use->is_heavy;
	use->is_heavy = 0;
	use->window = window;
	use->bytes = 0;
	total->groups++;
}

enum pressure_level {
	PRESSURE_NONE,
	PRESSURE_NO_ENV,     /* exec leaves out the environment */
	PRESSURE_SHORT_ARGV, /* and all but the head of its arguments */
	PRESSURE_REFUSED,    /* the record is lost */
};

/* A heavy group gives way at a half, three quarters and seven eighths of the ring; what is above is
 * for the others. */
static inline enum pressure_level pressure_level(__u64 pending, __u32 ring_bytes, __u32 is_heavy)
{
	__u64 sixteenth = ring_bytes / 16;

	if (is_heavy && pending > 14 * sixteenth)
		return PRESSURE_REFUSED;
	if (pending > (is_heavy ? 12 : 15) * sixteenth)
		return PRESSURE_SHORT_ARGV;
	if (pending > (is_heavy ? 8 : 14) * sixteenth)
		return PRESSURE_NO_ENV;
	return PRESSURE_NONE;
}

#endif
