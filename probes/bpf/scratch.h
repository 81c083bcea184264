/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The frame: a record being made, and what the programs of one chain tell each other. There is one
 * a cpu. It belongs to one thread from frame_acquire() to frame_release(); who finds it taken, or
 * finds at the end that somebody else had it, loses the event and counts it.
 */
#ifndef HAETAE_BPF_SCRATCH_H
#define HAETAE_BPF_SCRATCH_H

#include "maps.h"

#define FRAME_OBJECTS 4
#define PATH_DIRECT                                                                  \
	56 /* components written in order; behind them only the last PATH_LAST count \
	    */
#define PATH_LAST    8
#define NAME_BYTES   256  /* NAME_MAX and a NUL */
#define STRING_BYTES 4097 /* PATH_MAX and one: so that a longer string is told from a whole one */
/* Writes begin below WIRE_RECORD_MAX and may run over by one string. */
#define RECORD_BYTES  (WIRE_RECORD_MAX + 4104)
#define POSITION_MASK (WIRE_RECORD_MAX - 1)

/* A path that the kernel holds, to be walked by the resolve program. */
struct kernel_object {
	__u64 dentry, vfsmount; /* addresses; dentry 0: none */
	__u32 parameter;
	__u32 name; /* 1 and on: below the dentry comes frame.names[name - 1] */
};

/* A walk in progress: one program run makes 64 steps. */
struct walk {
	__u64 dentry, mount;	       /* where it is */
	__u64 root_dentry, root_mount; /* the process's root */
	__u64 mount_root;	       /* mount->mnt.mnt_root */
	__u32 object;		       /* index in frame.objects; FRAME_OBJECTS: all done */
	__u32 is_running, is_done;
	__u32 runs;			 /* program runs so far; the kernel allows 33 tail calls */
	__u32 head_at;			 /* position of the struct wire_path */
	__u32 component_cnt, direct_cnt; /* all there are; those written in order */
	__u32 is_tail;			 /* now only the last components are kept */
	__u32 root_at;
	__u32 flags;
	__u16 tail_length[PATH_LAST];
	__u8 tail[PATH_LAST][NAME_BYTES];
	__u8 dentry_bytes[256]; /* a struct dentry's head */
};

/* What the chain's program for struct iovec[] is asked to put. */
struct iovec_request {
	__u64 vector, cnt; /* in the program's memory */
	__u8 is_asked, is_read;
	__u8 size, data; /* parameters */
};

/* What a call does with a socket. */
enum socket_use {
	USE_ANY,
	USE_CONNECT,
	USE_ACCEPT,
	USE_SERVE, /* bind, listen */
	USE_SEND,
	USE_RECEIVE,
};

#define PARAMETER_NONE 0xff

/* What the chain's program for sockets is asked to put. */
struct socket_request {
	__u64 sock, listener; /* addresses of a struct sock; 0: none */
	__u64 address;	      /* in the program's memory; 0: none */
	__u64 message;	      /* struct msghdr there; 0: none */
	__u32 length;	      /* of the address */
	__u32 type;	      /* SOCK_ of `sock` */
	__u64 total;	      /* bytes of the message's vectors */
	__u32 copied;	      /* of those that are in the record */
	__u8 is_asked, use;
	__u8 has_many; /* the message is the first of a struct mmsghdr[] */
	/* Parameters, or PARAMETER_NONE. */
	__u8 tuple, passed, data, size, control, moved;
};

/* A request of io_uring that the record is of. */
struct uring_request {
	__u64 address, file;	  /* of its struct io_kiocb; of its struct file, 0: not known yet */
	__u8 is_fixed, is_direct; /* its file, its result: no descriptor */
	__u8 is_silent;		  /* it completes unseen where it succeeds */
	__u8 is_completed;
};

#define PASSED_BYTES 256 /* of a name that the kernel filter looks at; longer ones pass */

/* The name as passed to an open, read once: the record gets this one. */
struct passed_name {
	__u8 text[PASSED_BYTES + 8];
	__u32 length;
	__u32 slash_cnt, slashes[4]; /* the first ones */
	__u32 last, before;	     /* where the last name begins, and the one before it */
	__u8 is_whole;
	__u8 is_base_odd; /* it ends in "/", "." or "..", or is empty */
	__u8 is_odd;	  /* "//", "/./" or "/../" is in it */
};

/* What a climb has met: the two names next to the root, how many there are, and how many, plus one,
 * below the process's own root. */
struct climb {
	__u64 first, second;
	__u64 root_dentry, root_mount; /* the process's */
	__u32 cnt, root_at;
};

struct filter_key {
	struct filter_name_key name;
	__u8 spare[FILTER_NAME_BYTES]; /* a second name may run over */
};

struct frame {
	__u64 owner; /* bpf_get_current_pid_tgid() of who makes the record; 0: free */
	__s64 result;
	__u64 arguments[6];
	__u64 user_argv, user_argv_end, user_env, user_env_end;
	__u32 position; /* next free byte of the record */
	__u16 type, parameter_cnt;
	__u16 call_nr;
	__u8 is_lifecycle;
	__u8 after_paths, after_compare; /* enum chain_slot */
	__u8 compared;			 /* steps that call_compare is done with */
	__u8 first_step;		 /* of the next run of x_table or call_objects */
	__u8 has_objects;		 /* call_objects has something to do */
	__u32 vector_start, vector_stop; /* put_vector()'s own */
	__u8 is_vector_cut;
	__u8 is_execveat; /* a failed exec's arguments are execveat's */
	__u32 flags;	  /* WIRE_ */
	__u64 undecided;  /* clauses of the kernel filter that the path or the socket decides; 0: it
			   * passes */
	__u8 is_refused;  /* the filter ends it, once the socket's contact is kept */
	struct passed_name passed;
	struct filter_key key;
	struct climb climb;
	struct kernel_object objects[FRAME_OBJECTS];
	__u32 object_cnt; /* of those that put_next_object() placed */
	__u8 names[2][NAME_BYTES];
	struct iovec_request iovec;
	struct socket_request socket;
	struct uring_request request; /* only with WIRE_IO_URING */
	__u64 again_owner; /* who is to look for another message of the call; 0: nobody */
	__u32 message_index;
	struct contact_key message_key;
	struct walk walk;
	__u8 record[RECORD_BYTES] __attribute__((aligned(8)));
	__u8 spare[4104]; /* strings that are only measured */
};
_Static_assert(sizeof(struct frame) <= FRAME_BYTES, "a frame fits into a per-CPU value");

static __always_inline struct wire_counters *counters_of(__u32 type)
{
	return bpf_map_lookup_elem(&counters, &type);
}

/* Adds to one cpu's counters; programs of one cpu don't interleave. */
static __always_inline void count_generated(__u32 type)
{
	struct wire_counters *own = counters_of(type);

	if (own)
		own->generated++;
}

static __always_inline void count_cgroup_loss(__u64 key)
{
	__u64 *lost = bpf_map_lookup_elem(&cgroup_loss, &key), one = 1;
	__u32 zero = 0;

	/* Key 0: the event was lost before its cgroup was known. */
	if (!lost && key && bpf_map_update_elem(&cgroup_loss, &key, &one, BPF_NOEXIST) == 0)
		return;
	if (!lost)
		lost = bpf_map_lookup_elem(&cgroup_loss, &key);
	if (!lost)
		lost = bpf_map_lookup_elem(&cgroup_other, &zero);
	if (lost)
		__sync_fetch_and_add(lost, 1);
}

/* cgroup: its cgroup_key(), 0 where it is not known. */
static __always_inline void count_lost(__u32 type, __u32 reason, __u64 cgroup)
{
	struct wire_counters *own = counters_of(type);

	if (own && reason < WIRE_LOST__COUNT)
		own->lost[reason]++;
	count_cgroup_loss(cgroup);
}

static __always_inline struct frame *frame_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&frames, &zero);
}

static __always_inline struct wire_param *frame_params(struct frame *frame)
{
	return (struct wire_param *)(frame->record + sizeof(struct wire_header));
}

static __always_inline struct wire_header *frame_header(struct frame *frame)
{
	return (struct wire_header *)frame->record;
}

/* Starts a record of `type` with parameter_cnt parameters, all absent. */
static __always_inline void frame_start(struct frame *frame, __u32 type, __u32 parameter_cnt)
{
	frame->type = type;
	frame->parameter_cnt = parameter_cnt;
	frame->position =
		(sizeof(struct wire_header) + parameter_cnt * sizeof(struct wire_param) + 7) & ~7u;
	/* All that an event can have: the compiler wants to know how many bytes. */
	__builtin_memset(frame_params(frame), 0, WIRE_PARAM_MAX * sizeof(struct wire_param));
	for (int i = 0; i < FRAME_OBJECTS; i++)
		frame->objects[i].dentry = 0;
	frame->object_cnt = 0;
	frame->has_objects = 0;
	frame->iovec.is_asked = 0;
	frame->socket = (struct socket_request){ .tuple = PARAMETER_NONE,
						 .passed = PARAMETER_NONE,
						 .data = PARAMETER_NONE,
						 .size = PARAMETER_NONE,
						 .control = PARAMETER_NONE,
						 .moved = PARAMETER_NONE };
	frame->walk.object = 0;
	frame->walk.is_running = 0;
	frame->walk.runs = 0;
	frame->after_paths = CHAIN_SUBMIT;
	frame->compared = 0;
}

/* Takes this cpu's frame for an event that has been counted as generated. NULL: it is taken, and
 * the event is counted as lost. */
static __always_inline struct frame *frame_acquire(__u32 type, __u64 pid_tgid)
{
	struct frame *frame = frame_get();

	if (frame && !frame->owner) {
		frame->owner = pid_tgid;
		frame->flags = 0;
		frame->result = 0;
		frame->call_nr = WIRE_NO_SYSCALL;
		frame->is_lifecycle = 0;
		frame->again_owner = 0;
		frame->message_index = 0;
		frame->first_step = 0;
		frame->undecided = 0;
		frame->is_refused = 0;
		frame->passed.is_whole = 0;
		frame_header(frame)->cgroup_id = 0;
		return frame;
	}
	count_lost(type, WIRE_LOST_SCRATCH, 0);
	return NULL;
}

static __always_inline void frame_release(struct frame *frame)
{
	frame->owner = 0;
}

/* The next program of the chain did not start: the event ends here. */
static __always_inline void frame_abandon(struct frame *frame)
{
	const struct wire_header *header = frame_header(frame);

	count_lost(frame->type, WIRE_LOST_TAIL_CALL,
		   cgroup_key(header->cgroup_id, header->cgroup_hierarchy));
	frame_release(frame);
}

#endif
