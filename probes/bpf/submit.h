/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The end of a record: last header members, ring, sequence number, wake-up, outcome.
 */
#ifndef HAETAE_BPF_SUBMIT_H
#define HAETAE_BPF_SUBMIT_H

#include "filter.h"

/* No rule evaluates them, but what runtimes say of a container is asked for when its cgroup comes:
 * its first program may start within a millisecond. */
static __always_inline bool is_urgent(__u32 type)
{
	return type == EVENT_CGROUP_MKDIR || type == EVENT_CGROUP_ATTACH;
}

/* Decision 19: what no rule evaluates wakes nobody, until a quarter of the ring is full. In a ring
 * that also holds records that wake nobody the kernel's adaptive wake-up is of no use: it fires
 * only when all that is before the record has been read (kernel/bpf/ringbuf.c), so there the rest
 * is woken for always. */
static __always_inline __u64 wake_flags(__u32 type, bool is_mixed, __u64 pending, __u32 length,
					__u32 bytes)
{
	if (is_urgent(type) || pressure_wakes(pending, length, bytes))
		return BPF_RB_FORCE_WAKEUP;
	if (pending > bytes / 4 || type >= EVENT__COUNT || !is_evaluated[type])
		return BPF_RB_NO_WAKEUP;
	return is_mixed ? BPF_RB_FORCE_WAKEUP : 0;
}

static __always_inline __u64 next_sequence(__u32 is_bulk)
{
	__u64 *sequence = bpf_map_lookup_elem(&sequences, &is_bulk);

	return sequence ? ++*sequence : 0;
}

/* Above half of it the lifecycle ring is for the process tree alone: who changes credentials or
 * mounts in a loop must not cost anybody's exec. The others then go into the bulk ring. */
static __always_inline void frame_prefer_lifecycle(struct frame *frame)
{
	frame->is_lifecycle = bpf_ringbuf_query(&lifecycle_ring, BPF_RB_AVAIL_DATA) <
			      settings.lifecycle_ring_bytes / 2;
}

static __always_inline __u64 header_cgroup_key(const struct wire_header *header)
{
	return cgroup_key(header->cgroup_id, header->cgroup_hierarchy);
}

/* The control group's use of the lifecycle ring in this window; NULL: no memory for it. */
static __always_inline struct pressure_use *lifecycle_use(const struct wire_header *header)
{
	__u64 key = header_cgroup_key(header);
	struct pressure_use *use = bpf_map_lookup_elem(&cgroup_use, &key), first = {};

	if (!use && bpf_map_update_elem(&cgroup_use, &key, &first, BPF_NOEXIST) == 0)
		use = bpf_map_lookup_elem(&cgroup_use, &key);
	if (use)
		pressure_turn(use, &lifecycle_total,
			      1 + bpf_ringbuf_query(&lifecycle_ring, BPF_RB_CONS_POS) /
					      settings.lifecycle_ring_bytes);
	return use;
}

/* How the group that the header names must hold back (decision 20). `length`: of a record that is
 * about to be written, 0 where it only asks. */
static __always_inline enum pressure_level lifecycle_level(const struct wire_header *header,
							   __u32 length)
{
	__u64 pending = bpf_ringbuf_query(&lifecycle_ring, BPF_RB_AVAIL_DATA);
	__u32 bytes = settings.lifecycle_ring_bytes;
	struct pressure_use *use;

	if (pending <= bytes / 4)
		return PRESSURE_NONE;
	use = lifecycle_use(header);
	if (!use)
		return pressure_level(pending, bytes, 1);
	if (length) {
		__sync_fetch_and_add(&use->bytes, length);
		__sync_fetch_and_add(&lifecycle_total.bytes, length);
		if (pressure_is_over_share(use->bytes, &lifecycle_total, bytes))
			use->is_heavy = 1;
	}
	return pressure_level(pending, bytes, use->is_heavy | use->was_heavy);
}

/* The length's bound is tested where it is used: verifiers before 6.2 forget it on the way. */
static __always_inline long output(void *ring, struct wire_header *header, __u64 length,
				   __u64 flags)
{
	barrier_var(length);
	if (length > WIRE_RECORD_MAX)
		return -1;
	return bpf_ringbuf_output(ring, header, length, flags);
}

static __always_inline long output_lifecycle(struct wire_header *header, __u32 length)
{
	__u64 pending = bpf_ringbuf_query(&lifecycle_ring, BPF_RB_AVAIL_DATA);

	return output(
		&lifecycle_ring, header, length,
		wake_flags(header->type, true, pending, length, settings.lifecycle_ring_bytes));
}

static __always_inline long output_bulk(struct wire_header *header, __u32 length, __u32 index)
{
	void *ring = bpf_map_lookup_elem(&bulk_rings, &index);
	__u64 pending;

	if (!ring)
		return -1;
	pending = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	return output(
		ring, header, length,
		wake_flags(header->type, bulk_is_mixed, pending, length, settings.bulk_ring_bytes));
}

static __always_inline void header_finish(struct wire_header *header, struct frame *frame)
{
	__u32 type = frame->type;

	header->length = frame->position;
	header->type = frame->type;
	header->param_cnt = frame->parameter_cnt;
	header->result = frame->result;
	header->syscall_nr = frame->call_nr;
	header->flags = frame->flags;
	if (type < EVENT__COUNT && !is_evaluated[type])
		header->flags |= WIRE_STATE;
	header->reserved = 0;
}

/* Writes the record and gives the frame back. */
static __always_inline void frame_submit(struct frame *frame)
{
	struct wire_header *header = frame_header(frame);
	struct wire_counters *own = counters_of(frame->type);
	__u32 cpu = bpf_get_smp_processor_id(), length = frame->position;
	__u32 bulk = cpu / settings.cpus_per_ring;
	long error;

	header_finish(header, frame);
	header->cpu = (__u16)cpu;
	header->ring = frame->is_lifecycle ? 0 : (__u8)(bulk + 1);
	header->sequence = next_sequence(!frame->is_lifecycle);
	if (frame->owner != bpf_get_current_pid_tgid()) {
		/* Somebody else wrote here in between. */
		count_lost(frame->type, WIRE_LOST_SCRATCH, 0);
		return;
	}
	if (length > WIRE_RECORD_MAX) {
		count_lost(frame->type, WIRE_LOST_RECORD_SIZE, header_cgroup_key(header));
		frame_release(frame);
		return;
	}
	if (frame->is_lifecycle && lifecycle_level(header, length) == PRESSURE_REFUSED) {
		count_lost(frame->type, WIRE_LOST_SHARE, header_cgroup_key(header));
		frame_release(frame);
		return;
	}
	if (frame->is_lifecycle)
		error = output_lifecycle(header, length);
	else
		error = output_bulk(header, length, bulk);
	if (error)
		count_lost(frame->type, WIRE_LOST_RING_FULL, header_cgroup_key(header));
	else if (own)
		own->submitted++;
	frame_release(frame);
}

#endif
