/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * readv, writev and their like: data in pieces, by a struct iovec[] in the program's memory. A
 * program of the chain, because a loop inside table.bpf.c's loop is too much for the verifier.
 */
#include "prog.h"

#define BYTES_MAX    80 /* of a buffer; what Falco's users know */
#define IOVEC_PIECES 8	/* of up to 1024 (UIO_MAXIOV) that are looked at */

struct piece {
	__u64 address, length;
};

/* include/uapi/linux/uio.h; a 32-bit program's has members of 32 bits (include/linux/compat.h). */
static __always_inline struct piece read_piece(struct frame *frame, __u64 vector, __u32 index)
{
	struct piece piece = {};
	__u32 narrow[2] = {};

	if (!(frame->flags & WIRE_COMPAT32)) {
		if (bpf_probe_read_user(&piece, sizeof(piece),
					(void *)(vector + index * sizeof(piece))))
			frame->flags |= WIRE_FAULT;
		return piece;
	}
	if (bpf_probe_read_user(narrow, sizeof(narrow), (void *)(vector + index * sizeof(narrow))))
		frame->flags |= WIRE_FAULT;
	piece.address = narrow[0];
	piece.length = narrow[1];
	return piece;
}

/* Where the gathering is. In memory and not in registers: the verifier would follow each length. */
struct gathering {
	struct frame *frame;
	__u8 *to;     /* NULL: there is no space */
	__u64 size;   /* of all pieces */
	__u64 wanted; /* bytes that are still to come */
	__u32 filled;
	__u8 is_cut;
};

/* Appends a piece to what lies at gathering->to. */
static __always_inline void gather(struct gathering *gathering, const struct piece *piece)
{
	__u64 length = piece->length < gathering->wanted ? piece->length : gathering->wanted;
	__u32 filled = gathering->filled, size;

	gathering->wanted -= length;
	barrier_var(filled);
	if (filled >= BYTES_MAX) {
		gathering->is_cut |= length > 0;
		return;
	}
	size = BYTES_MAX - filled;
	if (length > size)
		gathering->is_cut = 1;
	else
		size = (__u32)length;
	barrier_var(size);
	if (size == 0 || size > BYTES_MAX)
		return;
	if (bpf_probe_read_user(gathering->to + filled, size, (void *)piece->address))
		gathering->frame->flags |= WIRE_FAULT;
	else
		gathering->filled = filled + size;
}

LOOP_TURN long gather_turn(__u32 index, void *data)
{
	struct gathering *gathering = data;
	struct frame *frame = gathering->frame;
	struct piece piece;

	if (index >= frame->iovec.cnt)
		return 1;
	piece = read_piece(frame, frame->iovec.vector, index);
	gathering->size += piece.length;
	if (gathering->to)
		gather(gathering, &piece);
	return 0;
}

static __always_inline int chain_iovec(__u64 *context, void *chain)
{
	struct frame *frame = frame_get();
	struct gathering gathering = { .frame = frame, .wanted = ~0ull };
	__u32 at;

	if (!frame)
		return 0;
	at = frame->position;
	gathering.to = put_space(frame, frame->iovec.data & 63);
	if (frame->iovec.is_read)
		gathering.wanted = frame->result < 0 ? 0 : (__u64)frame->result;
	REPEAT(IOVEC_PIECES, gather_turn, &gathering);
	if (gathering.to && gathering.filled)
		put_done(frame, frame->iovec.data & 63, at, gathering.filled, gathering.is_cut);
	put_u64(frame, frame->iovec.size & 63, gathering.size);
	bpf_tail_call(context, chain, frame->socket.is_asked ? CHAIN_SOCKET : CHAIN_FILTER);
	frame_abandon(frame);
	return 0;
}

SEC("tp_btf/sys_exit")
int call_iovec(__u64 *context)
{
	return chain_iovec(context, &call_chain);
}

SEC("tp_btf/io_uring_submit_req")
int submit_iovec(__u64 *context)
{
	return chain_iovec(context, &submit_chain);
}

SEC("tp_btf/io_uring_complete")
int complete_iovec(__u64 *context)
{
	return chain_iovec(context, &complete_chain);
}
