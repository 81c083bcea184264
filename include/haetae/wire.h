/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The record that leaves the kernel: the contract between probes/bpf and engine/event. Included by
 * BPF programs (after kernel.h, which brings the __u types) and by user space.
 *
 * A record is
 *	struct wire_header
 *	struct wire_param[header.param_cnt]	offset and length of each parameter, schema order
 *	bytes					anywhere behind the table, any order
 * in native byte order. The schema is events.def. Rows of it are append-only; a reader accepts a
 * record with more or fewer parameters than it knows. A reader trusts no offset and no length.
 */
#ifndef HAETAE_WIRE_H
#define HAETAE_WIRE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define WIRE_COMM_LEN	 16    /* TASK_COMM_LEN, include/linux/sched.h */
#define WIRE_RECORD_MAX	 16384 /* bytes of a whole record; longer argv and env are cut */
#define WIRE_PARAM_MAX	 48    /* parameters of one event, schema growth included */
#define WIRE_SYSCALL_MAX 512   /* native syscall numbers are below; x86_64 ends at 469 in 6.18 */
#define WIRE_NO_SYSCALL	 0xffff

/* wire_param.length == 0: the value could not be read, or does not exist for this call. The empty
 * string has length 1 (its NUL). */
struct wire_param {
	__u16 offset; /* from the start of the record */
	__u16 length; /* bytes; WIRE_PARAM_CUT is set where the value was longer than what is here
		       */
};
#define WIRE_PARAM_CUT 0x8000

struct wire_header {
	__u32 length; /* of the whole record, a multiple of 8 */
	__u16 type;   /* enum event_type, see events.def */
	__u16 param_cnt;
	__u64 time_ns;	/* CLOCK_BOOTTIME */
	__u64 sequence; /* per (ring, cpu), from 1; counts attempts, so that a gap is a lost record
			 */
	__u64 start_ns; /* task->group_leader->start_boottime; (pid, start_ns) identifies a process
			 */
	__u64 parent_start_ns; /* of the present parent (real_parent's leader) */
	__u64 exec_id; /* task->self_exec_id; (pid, start_ns, exec_id) identifies a program image */
	__u64 cgroup_id; /* kernfs id in cgroup_hierarchy */
	__u64 cap_effective, cap_permitted, cap_inheritable;
	__s64 result;			     /* the syscall's return value; 0 where there is none */
	__u32 pid, tid, parent_pid;	     /* initial pid namespace; pid is the tgid */
	__u32 ns_pid, ns_tid, ns_parent_pid; /* the task's own pid namespace */
	__u32 session_id, group_id;	     /* sid and pgid, initial pid namespace */
	__u32 ns_session_id, ns_group_id;    /* the task's own pid namespace */
	__u32 uid, euid, gid, egid;	     /* init_user_ns */
	__u32 loginuid;			     /* 0xffffffff: unset */
	__u32 tty;		       /* kernel dev_t of the controlling tty as new_encode_dev
					  prints it to /proc/pid/stat; 0: none */
	__u32 pid_ns, mnt_ns, user_ns; /* inode numbers, as in /proc/pid/ns */
	__u16 syscall_nr;	       /* native number, WIRE_NO_SYSCALL for tracepoints */
	__u16 cpu;
	__u32 flags; /* WIRE_… below */
	__u8 ring;   /* 0: lifecycle, 1…: bulk; WIRE_RING_NONE: fetched from where it waited */
	__u8 cgroup_hierarchy; /* enum wire_hierarchy */
	__u16 reserved;
	char comm[WIRE_COMM_LEN]; /* of the thread; NUL-padded, any bytes */
};

#define WIRE_RING_NONE 255
/* Of haetae's own events: made by the daemon, of no task. */
#define WIRE_RING_OWN 254

/* header.flags */
#define WIRE_COMPAT32	   (1u << 0)  /* a 32-bit call (int 0x80 or a 32-bit program) */
#define WIRE_CUT	   (1u << 1)  /* at least one parameter carries WIRE_PARAM_CUT */
#define WIRE_STATE	   (1u << 2)  /* only keeps the process table; no rule sees it */
#define WIRE_ARGV_SHORT	   (1u << 3)  /* argv cut to 256 bytes: lifecycle ring nearly full */
#define WIRE_ENV_DROPPED   (1u << 4)  /* env left out: lifecycle ring getting full */
#define WIRE_PATH_SWAPPED  (1u << 5)  /* evt.path_swapped (decision 2) */
#define WIRE_PEER_MISMATCH (1u << 6)  /* evt.peer_mismatch (decision 3) */
#define WIRE_IO_URING	   (1u << 7)  /* evt.via = io_uring */
#define WIRE_MULTITHREADED (1u << 8)  /* the process had more than one thread */
#define WIRE_FAULT	   (1u << 9)  /* a string of user memory could not be read */
#define WIRE_NO_RESULT	   (1u << 10) /* told before the call ended: header.result means nothing */
#define WIRE_UNWANTED	   (1u << 11) /* FILTER_CHECK: the kernel filter would have kept it back */

/* Which hierarchy cgroup_id belongs to: v2 where the task is not in its root, else the first v1
 * controller of this order in which it is not in the root (decision 25); v2's root otherwise. */
enum wire_hierarchy {
	WIRE_HIERARCHY_V2,
	WIRE_HIERARCHY_MEMORY,
	WIRE_HIERARCHY_PIDS,
	WIRE_HIERARCHY_CPU,
};

/* A path that the kernel resolved (parameter type KPATH): this head, then `component_cnt`
 * NUL-terminated names, the leaf first. User space reverses and joins them. */
struct wire_path {
	__u16 flags; /* WIRE_PATH_… */
	__u16 component_cnt;
	__u16 root_at;	   /* components below the process's root: equal to component_cnt unless the
			      process is chrooted (decision 7) */
	__u16 skipped_cnt; /* components between the first 56 and the last 8, left out */
};
#define WIRE_PATH_DELETED   (1u << 0) /* the name is unlinked */
#define WIRE_PATH_TRUNCATED (1u << 1) /* more than 64 components, or no space */
#define WIRE_PATH_DETACHED  (1u << 2) /* the walk ended at a root that is not the namespace's */
/* Objects without a path; component 0 is the dentry's name or empty, object_ino in user space's
 * rendering comes from the event's `ino` parameter. */
#define WIRE_PATH_KIND_SHIFT 8
enum wire_path_kind {
	WIRE_KIND_FILE,	  /* a path in a mounted file system */
	WIRE_KIND_PIPE,	  /* pipefs: pipe:[ino] */
	WIRE_KIND_SOCKET, /* sockfs: socket:[ino] */
	WIRE_KIND_ANON,	  /* anon_inodefs: anon_inode:name */
	WIRE_KIND_MEMFD,  /* memfd:name */
	WIRE_KIND_NSFS,	  /* nsfs: mnt:[ino] */
	WIRE_KIND_OTHER,  /* another file system without a root in the tree */
};

/* A socket's two ends (parameter type TUPLE). Ports in host byte order, addresses as on the
 * network; IPv4 in the first four bytes. AF_UNIX: an end's address is its inode number, 64 bits,
 * and `path` follows the struct as a NUL-terminated string: the name of the remote end, or of the
 * local one where that has none (abstract names begin with '@' for the NUL). Others hold 32-bit
 * words: AF_NETLINK port id, groups (l4_protocol is its protocol); AF_VSOCK cid, port; AF_PACKET
 * interface (the port is its protocol, ETH_P_). */
struct wire_tuple {
	__u16 family;	  /* AF_… of the address; an IPv4-mapped IPv6 end is given as AF_INET */
	__u8 l4_protocol; /* IPPROTO_…, 0 unknown */
	__u8 flags;	  /* WIRE_TUPLE_… */
	__u16 local_port, remote_port;
	__u8 local_address[16], remote_address[16];
};
#define WIRE_TUPLE_RAW	  (1u << 0) /* the remote end is what the caller passed, not the socket's */
#define WIRE_TUPLE_LOCAL  (1u << 1) /* the local end is known */
#define WIRE_TUPLE_REMOTE (1u << 2) /* the remote end is known */
/* The process owns the server's end, or the client's; neither bit: the probes don't know. */
#define WIRE_TUPLE_SERVER    (1u << 3)
#define WIRE_TUPLE_CLIENT    (1u << 4)
#define WIRE_TUPLE_CONNECTED (1u << 5) /* the socket has a peer after the call */
#define WIRE_TUPLE_NEW	     (1u << 6) /* the call gave it this peer, or the first datagram */

/* Parameter `file_bits` of events that have a file object. */
#define WIRE_FILE_CREATED     (1u << 0) /* this call created it (FMODE_CREATED) */
#define WIRE_FILE_UPPER_LAYER (1u << 1) /* overlayfs upper */
#define WIRE_FILE_LOWER_LAYER (1u << 2)
#define WIRE_FILE_MEMFD	      (1u << 3)
#define WIRE_FILE_WRITABLE    (1u << 4) /* the caller may write it */
#define WIRE_FILE_SETUID      (1u << 5)
#define WIRE_FILE_SETGID      (1u << 6)
#define WIRE_FILE_UNLINKED    (1u << 7) /* link count 0 */

enum event_type {
#define EVENT(id, name, class, flags, doc) EVENT_##id,
#include "haetae/events.def"
	EVENT__COUNT
};

enum event_class {
	CLASS_UNKNOWN,
	CLASS_PROCESS,
	CLASS_FILE,
	CLASS_NETWORK,
	CLASS_PRIVILEGE,
	CLASS_KERNEL,
	CLASS_OTHER,
	CLASS__COUNT
};

/* Parameter numbers: PARAM_OPENAT_name, …, PARAM_OPENAT__COUNT. */
#define EVENT(id, name, class, flags, doc)	       enum {
#define PARAM(id, name, type, vocabulary, source, doc) PARAM_##id##_##name,
#define EVENT_END(id)       \
	PARAM_##id##__COUNT \
	}                   \
	;
#include "haetae/events.def"

/* Why a generated event left no record. Each generated event ends in exactly one of
 * submitted, filtered[reason], lost[reason] (decision 18). */
enum wire_filter_reason {
	WIRE_FILTER_RESTARTED, /* returned -512 … -516: not finished, not an event (decision 9);
				* connect is: it goes on without another call */
	WIRE_FILTER_RULES,     /* no rule can match */
	WIRE_FILTER__COUNT
};

enum wire_loss_reason {
	WIRE_LOST_RING_FULL,
	WIRE_LOST_RECORD_SIZE, /* did not fit into WIRE_RECORD_MAX */
	WIRE_LOST_SCRATCH,     /* no scratch memory for this cpu */
	WIRE_LOST_TAIL_CALL,   /* a tail call failed */
	WIRE_LOST_SHARE,       /* the rest of a nearly full lifecycle ring is for other cgroups */
	WIRE_LOST_RECURSION,   /* the kernel skipped a program (recursion_misses); class unknown */
	WIRE_LOST__COUNT
};

/* Counters of one event type; the kernel keeps one a CPU, readers sum. */
struct wire_counters {
	__u64 generated; /* after wanted, own pid and scope */
	__u64 submitted;
	__u64 filtered[WIRE_FILTER__COUNT];
	__u64 lost[WIRE_LOST__COUNT];
};

#endif
