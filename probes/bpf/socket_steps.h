/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table's steps for sockets. Numbers are put; what is more is left to the chain's programs for
 * sockets, which are asked for it in the frame.
 */
#ifndef HAETAE_BPF_SOCKET_STEPS_H
#define HAETAE_BPF_SOCKET_STEPS_H

#include "sock.h"
#include "steps.h"

static __always_inline void put_of_socket(struct frame *frame, struct task_struct *task,
					  const struct step *step)
{
	struct socket *socket = socket_of(operand_file(frame, task, step->argument));
	struct sock *sock = socket ? READ(socket, sk) : NULL;
	__u64 length, max;

	if (!sock)
		return;
	if (step->action == ACTION_SOCKET_TYPE) {
		put_u64(frame, step->parameter, (__u64)READ(socket, type));
		return;
	}
	length = READ(sock, sk_ack_backlog);
	if (READ(sock, __sk_common.skc_family) == AF_UNIX) /* net/unix/af_unix.c */
		length = READ(sock, sk_receive_queue.qlen);
	max = READ(sock, sk_max_ack_backlog);
	if (step->action == ACTION_QUEUE_LENGTH)
		put_u64(frame, step->parameter, length);
	else if (step->action == ACTION_QUEUE_MAX)
		put_u64(frame, step->parameter, max);
	else
		put_u64(frame, step->parameter, max ? length * 100 / max : 0);
}

static __always_inline enum socket_use use_of(__u32 action)
{
	switch (action) {
	case ACTION_SOCKET_SENDMSG:
	case ACTION_SOCKET_SENDMMSG:
		return USE_SEND;
	case ACTION_SOCKET_RECVMSG:
	case ACTION_SOCKET_RECVMMSG:
		return USE_RECEIVE;
	default:
		return action - ACTION_SOCKET;
	}
}

/* Where the call has the address: two arguments, or a struct msghdr. That of a call that receives
 * has the address of its length. */
static __always_inline void ask_address(struct frame *frame, const struct step *step)
{
	struct socket_request *ask = &frame->socket;
	__u64 length;

	if (step->action >= ACTION_SOCKET_SENDMSG) {
		ask->message = operand(frame, step->other);
		ask->has_many = step->action >= ACTION_SOCKET_SENDMMSG;
		if (frame->message_index) /* struct mmsghdr in either width */
			ask->message += frame->message_index *
					(frame->flags & WIRE_COMPAT32 ? 32ull : 64ull);
		return;
	}
	if (!step->other)
		return;
	ask->address = operand(frame, step->other);
	length = operand(frame, step->other + 1);
	if (ask->use == USE_ACCEPT || ask->use == USE_RECEIVE) {
		__u32 filled = 0;

		(void)bpf_probe_read_user(&filled, sizeof(filled), (void *)length);
		length = frame->result < 0 ? 0 : filled;
	}
	ask->length = (__u32)length;
}

static __always_inline void ask_socket(struct frame *frame, struct task_struct *task,
				       const struct step *step)
{
	struct socket_request *ask = &frame->socket;
	struct socket *socket = socket_of(operand_file(frame, task, step->argument));

	ask->use = use_of(step->action);
	ask->tuple = step->parameter;
	if (socket) {
		ask->sock = (__u64)READ(socket, sk);
		ask->type = (__u32)READ(socket, type);
	}
	ask_address(frame, step);
	if (ask->use == USE_ACCEPT) {
		socket = socket_of(operand_file(frame, task, 0));
		ask->listener = socket ? (__u64)READ(socket, sk) : 0;
	}
	ask->is_asked |= ask->sock || ask->address || ask->message;
}

static __always_inline void ask_for(struct frame *frame, struct task_struct *task,
				    const struct step *step)
{
	struct socket_request *ask = &frame->socket;

	switch (step->action) {
	case ACTION_PASSED:
		ask->passed = step->parameter;
		ask->address = operand(frame, step->argument);
		ask->length = (__u32)operand(frame, step->argument + 1);
		ask->is_asked = true;
		return;
	case ACTION_MESSAGE_DATA:
		ask->data = step->parameter;
		return;
	case ACTION_MESSAGE_SIZE:
		ask->size = step->parameter;
		return;
	case ACTION_MESSAGE_MOVED:
		ask->moved = step->parameter;
		return;
	case ACTION_MESSAGE_CONTROL:
		ask->control = step->parameter;
		return;
	default:
		ask_socket(frame, task, step);
		return;
	}
}

#endif
