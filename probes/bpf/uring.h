/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which event an operation of io_uring is, and, of those that the table's steps make, the arguments
 * that the system call of that event would have.
 */
#ifndef HAETAE_BPF_URING_H
#define HAETAE_BPF_URING_H

#include "scratch.h"

#define OPERATIONS 64

/* include/uapi/linux/io_uring.h */
#define IORING_OP_READV		 1
#define IORING_OP_WRITEV	 2
#define IORING_OP_READ_FIXED	 4
#define IORING_OP_WRITE_FIXED	 5
#define IORING_OP_SENDMSG	 9
#define IORING_OP_RECVMSG	 10
#define IORING_OP_ACCEPT	 13
#define IORING_OP_CONNECT	 16
#define IORING_OP_OPENAT	 18
#define IORING_OP_CLOSE		 19
#define IORING_OP_READ		 22
#define IORING_OP_WRITE		 23
#define IORING_OP_SEND		 26
#define IORING_OP_RECV		 27
#define IORING_OP_OPENAT2	 28
#define IORING_OP_SHUTDOWN	 34
#define IORING_OP_RENAMEAT	 35
#define IORING_OP_UNLINKAT	 36
#define IORING_OP_MKDIRAT	 37
#define IORING_OP_SYMLINKAT	 38
#define IORING_OP_LINKAT	 39
#define IORING_OP_SOCKET	 45
#define IORING_OP_SEND_ZC	 47
#define IORING_OP_SENDMSG_ZC	 48
#define IORING_OP_READ_MULTISHOT 49
#define IORING_OP_FTRUNCATE	 55
#define IORING_OP_BIND		 56
#define IORING_OP_LISTEN	 57
#define IORING_OP_READV_FIXED	 60
#define IORING_OP_WRITEV_FIXED	 61

#define IORING_CQE_F_MORE 2 /* the request goes on */

/* include/linux/io_uring_types.h: the low bits of a request's flags are those of its entry in the
 * queue (IOSQE_). */
#define REQ_F_FIXED_FILE (1u << 0)
#define REQ_F_CQE_SKIP	 (1u << 6)

static const __u16 event_of_operation[OPERATIONS] = {
	[IORING_OP_READV] = EVENT_READV,	 [IORING_OP_WRITEV] = EVENT_WRITEV,
	[IORING_OP_READ_FIXED] = EVENT_READ,	 [IORING_OP_WRITE_FIXED] = EVENT_WRITE,
	[IORING_OP_SENDMSG] = EVENT_SENDMSG,	 [IORING_OP_RECVMSG] = EVENT_RECVMSG,
	[IORING_OP_ACCEPT] = EVENT_ACCEPT4,	 [IORING_OP_CONNECT] = EVENT_CONNECT,
	[IORING_OP_OPENAT] = EVENT_OPENAT,	 [IORING_OP_CLOSE] = EVENT_CLOSE,
	[IORING_OP_READ] = EVENT_READ,		 [IORING_OP_WRITE] = EVENT_WRITE,
	[IORING_OP_SEND] = EVENT_SENDTO,	 [IORING_OP_RECV] = EVENT_RECVFROM,
	[IORING_OP_OPENAT2] = EVENT_OPENAT2,	 [IORING_OP_SHUTDOWN] = EVENT_SHUTDOWN,
	[IORING_OP_RENAMEAT] = EVENT_RENAMEAT2,	 [IORING_OP_UNLINKAT] = EVENT_UNLINKAT,
	[IORING_OP_MKDIRAT] = EVENT_MKDIRAT,	 [IORING_OP_SYMLINKAT] = EVENT_SYMLINKAT,
	[IORING_OP_LINKAT] = EVENT_LINKAT,	 [IORING_OP_SOCKET] = EVENT_SOCKET,
	[IORING_OP_SEND_ZC] = EVENT_SENDTO,	 [IORING_OP_SENDMSG_ZC] = EVENT_SENDMSG,
	[IORING_OP_READ_MULTISHOT] = EVENT_READ, [IORING_OP_FTRUNCATE] = EVENT_FTRUNCATE,
	[IORING_OP_BIND] = EVENT_BIND,		 [IORING_OP_LISTEN] = EVENT_LISTEN,
	[IORING_OP_READV_FIXED] = EVENT_READV,	 [IORING_OP_WRITEV_FIXED] = EVENT_WRITEV,
};

/* Whether events.def's steps make the record; of the others every path is the kernel's copy. */
static __always_inline bool has_steps(__u32 type)
{
	switch (type) {
	case EVENT_OPENAT:
	case EVENT_OPENAT2:
	case EVENT_RENAMEAT2:
	case EVENT_UNLINKAT:
	case EVENT_MKDIRAT:
	case EVENT_SYMLINKAT:
	case EVENT_LINKAT:
		return false;
	}
	return true;
}

/* Whether the operation waits for what somebody else does. */
static __always_inline bool has_to_wait(__u32 type)
{
	return type == EVENT_ACCEPT4 || type == EVENT_RECVFROM || type == EVENT_RECVMSG ||
	       type == EVENT_READ || type == EVENT_READV;
}

static __always_inline void arguments_of_socket(struct frame *frame, struct io_kiocb *request)
{
	struct io_accept *accept = (void *)request;
	struct io_socket *socket = (void *)request;
	struct io_sr_msg *message = (void *)request;
	struct io_connect *connect = (void *)request;
	__u64 *arguments = frame->arguments;

	switch (frame->type) {
	case EVENT_CONNECT:
		arguments[1] = (__u64)READ(connect, addr);
		arguments[2] = (__u32)READ(connect, addr_len);
		return;
	case EVENT_ACCEPT4:
		arguments[1] = (__u64)READ(accept, addr);
		arguments[2] = (__u64)READ(accept, addr_len);
		arguments[3] = (__u32)READ(accept, flags);
		frame->request.is_direct = READ(accept, file_slot) != 0;
		return;
	case EVENT_SOCKET:
		arguments[0] = (__u32)READ(socket, domain);
		arguments[1] = (__u32)READ(socket, type);
		arguments[2] = (__u32)READ(socket, protocol);
		frame->request.is_direct = READ(socket, file_slot) != 0;
		return;
	case EVENT_SENDMSG:
	case EVENT_RECVMSG:
		arguments[1] = (__u64)READ(message, buf);
		arguments[2] = READ(message, msg_flags);
		return;
	case EVENT_SENDTO:
	case EVENT_RECVFROM:
		arguments[1] = (__u64)READ(message, buf);
		arguments[2] = (__u32)READ(message, len);
		arguments[3] = READ(message, msg_flags);
		return;
	case EVENT_LISTEN:
		if (bpf_core_field_exists(struct io_listen, backlog)) /* from 6.11 on */
			arguments[1] = (__u32)READ((struct io_listen *)request, backlog);
		return;
	case EVENT_SHUTDOWN:
		arguments[1] = (__u32)READ((struct io_shutdown *)request, how);
		return;
	}
}

static __always_inline void arguments_of_file(struct frame *frame, struct io_kiocb *request)
{
	struct io_close *close = (void *)request;
	struct io_rw *data = (void *)request;

	switch (frame->type) {
	case EVENT_READ:
	case EVENT_WRITE:
	case EVENT_READV:
	case EVENT_WRITEV:
		frame->arguments[1] = READ(data, addr);
		frame->arguments[2] = READ(data, len);
		return;
	case EVENT_CLOSE:
		frame->arguments[0] = (__u32)READ(close, fd);
		frame->request.is_fixed = READ(close, file_slot) != 0;
		return;
	case EVENT_FTRUNCATE:
		if (bpf_core_field_exists(struct io_ftrunc, len)) /* from 6.9 on */
			frame->arguments[1] = (__u64)READ((struct io_ftrunc *)request, len);
		return;
	}
}

/* From what the kernel has taken out of the queue's entry, which the program may write again. */
static __always_inline void request_arguments(struct frame *frame, struct io_kiocb *request)
{
	__u32 flags = READ(request, flags);
	struct io_ring_ctx *ring = READ(request, ctx);

	frame->request.address = (__u64)request;
	frame->request.file = 0;
	frame->request.is_fixed = flags & REQ_F_FIXED_FILE ? 1 : 0;
	frame->request.is_direct = 0;
	frame->request.is_silent = flags & REQ_F_CQE_SKIP ? 1 : 0;
	frame->request.is_completed = 0;
	if (BPF_CORE_READ_BITFIELD_PROBED(ring, compat))
		frame->flags |= WIRE_COMPAT32;
	__builtin_memset(frame->arguments, 0, sizeof(frame->arguments));
	frame->arguments[0] = (__u32)READ(request, cqe.fd);
	arguments_of_socket(frame, request);
	arguments_of_file(frame, request);
}

#endif
