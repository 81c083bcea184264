/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table's steps that a system call and a request of io_uring have in common: numbers, data,
 * the file and the socket behind a descriptor.
 */
#ifndef HAETAE_BPF_DATA_STEPS_H
#define HAETAE_BPF_DATA_STEPS_H

#include "socket_steps.h"

#define BYTES_MAX 80 /* of a buffer; what Falco's users know */

/* Of what a call was to send all that it sent, or tried to; of what it was to receive what came. */
static __always_inline __s64 data_length(struct frame *frame, const struct step *step)
{
	__u64 length = operand(frame, step->other), result = (__u64)frame->result;

	if (step->action == ACTION_BYTES)
		return (__s64)length;
	if (step->action == ACTION_FILLED_BYTES) {
		__u32 filled = 0;

		if (frame->result >= 0)
			(void)bpf_probe_read_user(&filled, sizeof(filled), (void *)length);
		return filled;
	}
	if (frame->result < 0)
		result = step->action == ACTION_SENT ? length : 0;
	return (__s64)(result < length ? result : length);
}

static __always_inline void put_bytes(struct frame *frame, const struct step *step)
{
	__u64 address = operand(frame, step->argument);
	__s64 length = data_length(frame, step);
	__u32 at = frame->position;
	__u8 *to = put_space(frame, step->parameter);
	__u32 size = length < 0 ? 0 : length > BYTES_MAX ? BYTES_MAX : (__u32)length;

	if (!to || !size)
		return;
	barrier_var(size);
	if (size > BYTES_MAX)
		return;
	if (bpf_probe_read_user(to, size, (void *)address))
		frame->flags |= WIRE_FAULT;
	else
		put_done(frame, step->parameter, at, size, length > BYTES_MAX);
}

static __always_inline void put_of_file(struct frame *frame, struct task_struct *task,
					const struct step *step)
{
	struct file *file = operand_file(frame, task, step->argument);
	struct inode *inode = file ? READ(file, f_inode) : NULL;

	if (!inode)
		return;
	switch (step->action) {
	case ACTION_FILE_PATH:
	case ACTION_FILE_PATH_WITHOUT:
		put_next_object(frame, step->parameter, READ(file, f_path.dentry),
				READ(file, f_path.mnt));
		return;
	case ACTION_FILE_DEV:
		put_u64(frame, step->parameter, READ(READ(inode, i_sb), s_dev));
		return;
	case ACTION_FILE_INO:
		put_u64(frame, step->parameter, READ(inode, i_ino));
		return;
	case ACTION_FILE_MODE:
		put_u64(frame, step->parameter, READ(inode, i_mode));
		return;
	case ACTION_FILE_BITS:
		put_u64(frame, step->parameter, file_bits(file, inode, READ(task, cred)));
		return;
	}
}

/* Loops are for a program of their own. */
static __always_inline void ask_iovec(struct frame *frame, const struct step *step)
{
	struct iovec_request *ask = &frame->iovec;

	ask->vector = operand(frame, step->argument);
	ask->cnt = operand(frame, step->other);
	if (step->action == ACTION_IOVEC_SIZE) {
		ask->size = step->parameter;
		return;
	}
	ask->data = step->parameter;
	ask->is_read = step->action == ACTION_IOVEC_READ;
	ask->is_asked = 1;
}

/* A flat switch: a case an action. */
static __always_inline void take_data_step(struct frame *frame, const struct step *step)
{
	switch (step->action) {
	case ACTION_S32:
		if (step->argument == 0 && has_no_descriptor(frame))
			return;
		put_s64(frame, step->parameter, (__s32)operand(frame, step->argument));
		return;
	case ACTION_U32:
		put_u64(frame, step->parameter, (__u32)operand(frame, step->argument));
		return;
	case ACTION_U64:
		put_u64(frame, step->parameter, operand(frame, step->argument));
		return;
	case ACTION_IOVEC_SIZE:
	case ACTION_IOVEC_READ:
	case ACTION_IOVEC_WRITTEN:
		ask_iovec(frame, step);
		return;
	case ACTION_LOW_BITS:
		put_u64(frame, step->parameter,
			(__u32)operand(frame, step->argument) & ((1u << (step->other & 31)) - 1));
		return;
	case ACTION_HIGH_BITS:
		put_u64(frame, step->parameter,
			(__u32)operand(frame, step->argument) & ~((1u << (step->other & 31)) - 1));
		return;
	case ACTION_BYTES:
	case ACTION_SENT:
	case ACTION_RECEIVED:
	case ACTION_FILLED_BYTES:
		put_bytes(frame, step);
		return;
	}
}

/* The same of what the kernel's objects say. */
static __always_inline void take_object_step(struct frame *frame, struct task_struct *task,
					     const struct step *step)
{
	switch (step->action) {
	case ACTION_QUEUE_LENGTH:
	case ACTION_QUEUE_MAX:
	case ACTION_QUEUE_PERCENT:
	case ACTION_SOCKET_TYPE:
		put_of_socket(frame, task, step);
		return;
	case ACTION_FILE_PATH:
	case ACTION_FILE_DEV:
	case ACTION_FILE_INO:
	case ACTION_FILE_MODE:
	case ACTION_FILE_BITS:
		put_of_file(frame, task, step);
		return;
	default:
		ask_for(frame, task, step);
		return;
	}
}

static __always_inline __u32 chain_start(struct frame *frame)
{
	if (frame->iovec.is_asked)
		return CHAIN_IOVEC;
	if (!frame->socket.is_asked)
		return CHAIN_FILTER;
	return frame->socket.message ? CHAIN_MESSAGE : CHAIN_SOCKET;
}

#endif
