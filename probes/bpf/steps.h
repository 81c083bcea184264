/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The steps that make a record, from the SOURCE column of events.def: table.bpf.c and
 * objects.bpf.c take them, enter.bpf.c looks which arguments are strings.
 */
#ifndef HAETAE_BPF_STEPS_H
#define HAETAE_BPF_STEPS_H

#include "prog.h"

#define STEPS_MAX   24
#define STEPS_A_RUN 8

/* Beside the six arguments. */
#define ARGUMENT_RESULT	 6
#define ARGUMENT_CWD	 7
#define ARGUMENT_OLD_CWD 8

enum action {
	ACTION_END,
	/* What stands in the call: table.bpf.c. */
	ACTION_S32,
	ACTION_U32,
	ACTION_U64,
	ACTION_TEXT,
	ACTION_MEMORY_U32,
	ACTION_MEMORY_S32,
	ACTION_MEMORY_U64,
	ACTION_FILLED_U32,
	ACTION_FILLED_S32,
	ACTION_FILLED_U64,
	ACTION_MEMORY_LONG,
	ACTION_BYTES,
	ACTION_SENT,
	ACTION_RECEIVED,
	ACTION_FILLED_BYTES,
	ACTION_LOW_BITS,
	ACTION_HIGH_BITS,
	ACTION_SOCKET_OPTION,
	ACTION_IOVEC_SIZE,
	ACTION_IOVEC_READ,
	ACTION_IOVEC_WRITTEN,
	/* From here on what the kernel's objects say: objects.bpf.c. */
	ACTION_DIRECTORY,
	ACTION_FILE_PATH,
	ACTION_FILE_PATH_WITHOUT,
	ACTION_FILE_DEV,
	ACTION_FILE_INO,
	ACTION_FILE_MODE,
	ACTION_FILE_BITS,
	ACTION_NEW_CWD,
	ACTION_ROOT_PATH,
	ACTION_CWD_PATH,
	ACTION_OBJECT,
	ACTION_PIDFD_PID,
	ACTION_CREDENTIALS_BEFORE,
	ACTION_VM_SIZE,
	ACTION_VM_RSS,
	ACTION_VM_SWAP,
	ACTION_FILLED_INO,
	ACTION_QUEUE_LENGTH,
	ACTION_QUEUE_MAX,
	ACTION_QUEUE_PERCENT,
	ACTION_SOCKET_TYPE,
	/* From here on questions to the chain's program for sockets; the first in enum socket_use's
	 * order. */
	ACTION_SOCKET,
	ACTION_SOCKET_CONNECT,
	ACTION_SOCKET_ACCEPT,
	ACTION_SOCKET_SERVE,
	ACTION_SOCKET_SEND,
	ACTION_SOCKET_RECEIVE,
	ACTION_SOCKET_SENDMSG,
	ACTION_SOCKET_RECVMSG,
	ACTION_SOCKET_SENDMMSG,
	ACTION_SOCKET_RECVMMSG,
	ACTION_PASSED,
	ACTION_MESSAGE_DATA,
	ACTION_MESSAGE_SIZE,
	ACTION_MESSAGE_CONTROL,
	ACTION_MESSAGE_MOVED,
};
#define ACTION_OF_OBJECTS ACTION_DIRECTORY /* the first of them */

/* By event type; ends with ACTION_END. */
extern const struct step steps[EVENT__COUNT][STEPS_MAX];
extern const __u8 parameter_counts[EVENT__COUNT];

/* An element of a table of bytes; 0 beyond its end. Verifiers before 6.2 lose a bound that was
 * tested in a copy of the register, so it is tested where it is used. */
#define LOOK_UP(table, index)                     \
	({                                        \
		__u64 index_ = (index);           \
		__u8 found_ = 0;                  \
		barrier_var(index_);              \
		if (index_ < sizeof(table)) {     \
			barrier_var(index_);      \
			found_ = (table)[index_]; \
		}                                 \
		found_;                           \
	})

/* The same for a step, its place being one number; NULL: there is none. */
static __always_inline const struct step *step_at(__u32 type, __u32 index)
{
	__u64 place = ((__u64)type * STEPS_MAX + index) * sizeof(struct step);

	barrier_var(place);
	if (place > sizeof(steps) - sizeof(struct step))
		return NULL;
	barrier_var(place);
	return (const void *)steps + place;
}

static __always_inline __u64 operand(struct frame *frame, __u32 argument)
{
	if (argument == ARGUMENT_CWD || argument == ARGUMENT_OLD_CWD)
		return (__u64)AT_FDCWD;
	barrier_var(argument);
	return argument < 6 ? frame->arguments[argument] : (__u64)frame->result;
}

/* Whether the steps are taken for requests of io_uring; a constant of the object. */
#ifndef STEPS_OF_REQUESTS
#define STEPS_OF_REQUESTS false
#endif

/* A request of io_uring may name its file, or get a new one, by a slot of the ring's own table. */
static __always_inline bool has_no_descriptor(struct frame *frame)
{
	return STEPS_OF_REQUESTS && frame->request.is_fixed;
}

/* The file behind the descriptor in an argument; of a request that of the request. */
static __always_inline struct file *operand_file(struct frame *frame, struct task_struct *task,
						 __u32 argument)
{
	if (STEPS_OF_REQUESTS) {
		if (argument == ARGUMENT_RESULT && frame->request.is_direct)
			return NULL;
		if (argument == 0 && (frame->request.file || frame->request.is_fixed))
			return (struct file *)frame->request.file;
	}
	return file_of(task, (__s32)operand(frame, argument));
}

#endif
