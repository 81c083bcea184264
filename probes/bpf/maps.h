/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every map, and every variable that user space sets or reads. Sizes that depend on the host are
 * set by loader.c before loading. Weak, because each object has the maps and the linker keeps one.
 */
#ifndef HAETAE_BPF_MAPS_H
#define HAETAE_BPF_MAPS_H

#include "compat.h"
#include "haetae/filter.h"
#include "shared.h"

#define PAGE_BYTES 4096

/* The lifecycle ring: exec, fork, exit. A storm of file opens can't fill it. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PAGE_BYTES);
} lifecycle_ring SEC(".maps") __weak;

struct bulk_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PAGE_BYTES);
};

/* One ring per settings.cpus_per_ring cpus. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct bulk_ring);
} bulk_rings SEC(".maps") __weak;

/* Where a record is made. Programs of one cpu don't interleave; frame_acquire() checks it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, FRAME_BYTES);
} frames SEC(".maps") __weak;

/* The task iterator's: it can be preempted, so it doesn't share. One iterator at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, FRAME_BYTES);
} seed_frame SEC(".maps") __weak;

/* By event type. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EVENT__COUNT);
	__type(key, __u32);
	__type(value, struct wire_counters);
} counters SEC(".maps") __weak;

/* Attempts to write a record: [0] into the lifecycle ring, [1] into this cpu's bulk ring. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} sequences SEC(".maps") __weak;

/* By cgroup_key(). Not an LRU: evicted entries would make the sum wrong (decision 18). What doesn't
 * fit is counted in cgroup_other. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u64);
} cgroup_loss SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} cgroup_other SEC(".maps") __weak;

/* The lifecycle ring under pressure, by cgroup_key(). Which groups are forgotten for want of space
 * bends a share, no account, so that an LRU does. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PRESSURE_CGROUPS);
	__type(key, __u64);
	__type(value, struct pressure_use);
} cgroup_use SEC(".maps") __weak;

/* Tail calls: the kernel wants all members of an array to have the same hook. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, EVENT__COUNT);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} call_programs SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, CHAIN__COUNT);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} call_chain SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, CHAIN__COUNT);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} exec_chain SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, CHAIN__COUNT);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} submit_chain SEC(".maps") __weak, complete_chain SEC(".maps") __weak;

/* Processes of the scope, by tgid: kept by fork and exit, seeded by the iterator. Sized up by
 * loader.c only where a scope is asked for. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8);
} scope_tasks SEC(".maps") __weak;

/* connect(2): what the kernel connected, by thread (decision 3). Entries of calls whose end was not
 * seen are pushed out. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct connect_peer);
} connect_peers SEC(".maps") __weak;

/* Value: WIRE_TUPLE_SERVER or WIRE_TUPLE_CLIENT (decision 3). */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct contact_key);
	__type(value, __u8);
} contacts SEC(".maps") __weak;

/* By thread: see named.bpf.c. Calls whose end was not seen are pushed out. Sized up by loader.c
 * where the kernel allows the hooks. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct named_call);
} named_calls SEC(".maps") __weak;

/* Ended processes, by (tgid, start): before 6.16 two last threads may both look like the last. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct exit_key);
	__type(value, __u8);
} exits_seen SEC(".maps") __weak;

/* What each thread's credentials were when they were last looked at, by tid: from its begin (or the
 * seed) to its end, kept by the calls that change them. When full, who has been silent longest is
 * pushed out, and its next call tells no credentials of before. Sized by loader.c. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct credentials);
} credentials SEC(".maps") __weak;

/* The kernel filter (haetae/filter.h): by event type, and the values that clauses name. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EVENT__COUNT);
	__type(key, __u32);
	__type(value, struct filter_type);
} filter_types SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, 1); /* BPF_F_NO_PREALLOC */
	__uint(max_entries, FILTER_ENTRIES);
	__type(key, struct filter_number_key);
	__type(value, __u64);
} filter_numbers SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, 1); /* BPF_F_NO_PREALLOC */
	__uint(max_entries, FILTER_ENTRIES);
	__type(key, struct filter_comm_key);
	__type(value, __u64);
} filter_comms SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, 1); /* BPF_F_NO_PREALLOC */
	__uint(max_entries, FILTER_ENTRIES);
	__type(key, struct filter_name_key);
	__type(value, __u64);
} filter_names SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, 1); /* BPF_F_NO_PREALLOC */
	__uint(max_entries, FILTER_ENTRIES);
	__type(key, struct filter_address_key);
	__type(value, __u64);
} filter_addresses SEC(".maps") __weak;

/* Set before loading. */
extern const volatile struct settings settings;
/* Set by user space at any time. */
extern struct wanted_call wanted[WANTED_SLOTS];
extern __u8 is_wanted[EVENT__COUNT], is_evaluated[EVENT__COUNT];
/* 1: the bulk rings carry records that wake nobody, so adaptive wake-ups don't work there. */
extern __u8 bulk_is_mixed;
extern __u8 filter_mode; /* enum filter_mode */
/* 1: events are wanted whose ends are told by who connected or accepted before. */
extern __u8 is_contact_wanted;
/* 1: what the daemon's first thread does now is recorded. */
extern __u8 is_self_test;
/* The seed writes these, user space reads them. */
extern struct pressure_total lifecycle_total;
extern __u32 own_tgid;
extern __u32 scope_added, scope_root_tgid;
extern __u8 seed_is_silent;

#endif
