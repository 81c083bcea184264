/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs and loader.c agree on beside the wire format. Included after the __u types.
 */
#ifndef HAETAE_BPF_SHARED_H
#define HAETAE_BPF_SHARED_H

#include "pressure.h"

/* A per-CPU map's value has at most 32 KiB (PCPU_MIN_UNIT_SIZE, include/linux/percpu.h). */
#define FRAME_BYTES 32768

/* x32 calls have bit 30 set and, above 512, numbers of their own
 * (arch/x86/entry/syscalls/syscall_64.tbl); those follow the native ones in `wanted`. */
#define X32_BIT	     0x40000000u
#define X32_SLOTS    64
#define WANTED_SLOTS (WIRE_SYSCALL_MAX + X32_SLOTS)

/* ia32's socketcall(2) bundles the calls on sockets: its first argument is one of these, the second
 * the address of that call's arguments (arch/x86/entry/syscalls/syscall_32.tbl, net/socket.c,
 * include/uapi/linux/net.h). send and recv are sendto and recvfrom without an address. */
#define IA32_SOCKETCALL 102
struct bundled_call {
	__u16 native_nr, argument_cnt;
};
static const struct bundled_call bundled_calls[] = {
	{ 0, 0 },  { 41, 3 }, { 49, 3 }, { 42, 3 }, { 50, 2 },	{ 43, 3 },  { 51, 3 },
	{ 52, 3 }, { 53, 4 }, { 44, 4 }, { 45, 4 }, { 44, 6 },	{ 45, 6 },  { 48, 2 },
	{ 54, 5 }, { 55, 5 }, { 46, 3 }, { 47, 3 }, { 288, 4 }, { 299, 5 }, { 307, 4 },
};
#define BUNDLED_CALL_CNT 21

/* Indexed by the number in the register; a 64-bit and a 32-bit call of one number differ. All zero:
 * nobody wants it, and the dispatcher stops after one load. */
struct wanted_call {
	__u16 type, compat_type;    /* enum event_type; EVENT_UNKNOWN: not wanted */
	__u16 native_nr, compat_nr; /* the native number of the call */
};

/* Of each of the kernel filter's maps; rules that name more of a kind are not pushed down. */
#define FILTER_ENTRIES 16384

enum chain_slot {
	CHAIN_FILTER,
	CHAIN_RESOLVE,
	CHAIN_ARGUMENTS, /* argv and env, after the paths: they take what space is left */
	CHAIN_SUBMIT,
	CHAIN_COMPARE, /* strings with those of the call's entry; then the rest */
	CHAIN_OBJECTS, /* the table's steps that read objects */
	CHAIN_IOVEC,   /* data in pieces, before the filter */
	CHAIN_MESSAGE, /* data of a struct msghdr; then its socket */
	CHAIN_SOCKET,  /* ends of a socket, before the filter */
	CHAIN_TABLE, /* io_uring's: the steps of events.def, where a call's are before the chain */
	CHAIN_AGAIN, /* behind a record: another of the same call */
	CHAIN_NAME,  /* before an open's record: the kernel filter's questions to its names */
	CHAIN__COUNT
};

/* A control group as a key: kernfs numbers are unique in one hierarchy only. They count up from 1
 * (fs/kernfs/dir.c), so the two upper bits are free for the hierarchy. */
#define CGROUP_KEY_SHIFT 62
#define CGROUP_KEY_ID	 ((1ull << CGROUP_KEY_SHIFT) - 1)
static inline __u64 cgroup_key(__u64 id, __u8 hierarchy)
{
	return id ? (id & CGROUP_KEY_ID) | (__u64)hierarchy << CGROUP_KEY_SHIFT : 0;
}

enum scope_kind {
	SCOPE_ALL,
	SCOPE_PID,
	SCOPE_CGROUP,
};

#define SCOPE_SUBSYSTEM_V2 0xff

struct settings {
	__u32 cpus_per_ring;
	__u32 bulk_ring_bytes, lifecycle_ring_bytes;
	__u32 page_kib;
	__u32 scope;	       /* enum scope_kind */
	__u32 scope_pid;       /* in the pid namespace of who reads the iterator */
	__u32 scope_subsystem; /* index of the kernel's cgroup subsystem or SCOPE_SUBSYSTEM_V2 */
	__u32 want_env, want_path_swapped;
	__u32 sees_completions; /* io_uring's: records wait for them */
	__u64 scope_cgroup;	/* kernfs id */
};

/* What a connecting thread's socket was at the step to SYN_SENT. */
struct connect_peer {
	__u64 sock; /* address of the struct sock: identity only */
	struct wire_tuple tuple;
};

/* A record whose io_uring request has not completed: see uring.bpf.c. Longer ones don't wait. */
#define PARKED_BYTES 8192
struct request_notes {
	__u64 arguments[6]; /* of the system call that does the same */
	__u8 is_fixed, is_direct;
	__u8 waits; /* for somebody else, as accept does: it may take forever */
};
struct parked {
	__u8 record[PARKED_BYTES] __attribute__((aligned(8)));
	struct request_notes notes;
};

/* A file, or a name in a directory, that a call was about: see named.bpf.c. */
struct named_object {
	__u64 dentry, vfsmount; /* of the file or the directory; dentry 0: none */
	__u8 name[256];		/* NAME_MAX and a NUL; "": the file itself */
};

struct named_call {
	__u32 type, reserved; /* enum event_type */
	struct named_object objects[2];
};

/* A step that makes a record: see steps.h. */
struct step {
	__u8 action;
	__u8 argument;
	__u8 other; /* a parameter, an offset, or an argument */
	__u8 parameter;
};

struct credentials {
	__u64 start_ns; /* of the thread: with its tid it is one */
	__u64 cap_inheritable, cap_permitted, cap_effective;
	__u32 uid, euid, gid, egid;
};

/* Whom a datagram socket has met, and which end of a connection a socket is: there the peer is left
 * zero. A socket is told by its address and inode number together. */
struct contact_key {
	__u64 sock, inode;
	__u8 address[16];
	__u16 port, family;
	__u32 reserved;
};

struct exit_key {
	__u64 start_ns;
	__u32 tgid, reserved;
};

#endif
