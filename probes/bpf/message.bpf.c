/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Messages: calls whose data and address stand in a struct msghdr, and those that take several. Of
 * these each one that goes to, or comes from, somebody new to the socket is an event of its own.
 */
#include "passed.h"
#include "prog.h"

/* include/linux/socket.h: struct user_msghdr; include/net/compat.h: struct compat_msghdr. Behind it
 * in a struct mmsghdr: the bytes of this message. */
struct message_head {
	__u64 name;
	__u32 name_length, padding;
	__u64 vectors, vector_cnt;
	__u64 control, control_length;
	__u32 flags, padding_behind;
	__u32 bytes, padding_last;
};
struct message_head_compat {
	__u32 name, name_length, vectors, vector_cnt, control, control_length, flags, bytes;
};
_Static_assert(sizeof(struct message_head) == 64 && sizeof(struct message_head_compat) == 32,
	       "as user space lays them out");

#define MESSAGE_BYTES 80 /* of the data, and of control data */
#define VECTORS_READ  16

static __always_inline bool read_message(struct frame *frame, struct message_head *ret)
{
	bool has_many = frame->socket.has_many;
	void *from = (void *)frame->socket.message;
	struct message_head_compat compat = {};

	if (!(frame->flags & WIRE_COMPAT32))
		return !bpf_probe_read_user(
			ret,
			has_many ? sizeof(*ret) : __builtin_offsetof(struct message_head, bytes),
			from);
	if (bpf_probe_read_user(&compat,
				has_many ? sizeof(compat)
					 : __builtin_offsetof(struct message_head_compat, bytes),
				from))
		return false;
	ret->name = compat.name;
	ret->name_length = compat.name_length;
	ret->vectors = compat.vectors;
	ret->vector_cnt = compat.vector_cnt;
	ret->control = compat.control;
	ret->control_length = compat.control_length;
	ret->bytes = compat.bytes;
	return true;
}

/* struct iovec, struct compat_iovec. */
static __always_inline bool read_vector(struct frame *frame, const struct message_head *message,
					__u32 i, __u64 ret[2])
{
	__u32 compat[2] = {};

	if (!(frame->flags & WIRE_COMPAT32))
		return !bpf_probe_read_user(ret, 16, (void *)(message->vectors + i * 16ull));
	if (bpf_probe_read_user(compat, 8, (void *)(message->vectors + i * 8ull)))
		return false;
	ret[0] = compat[0];
	ret[1] = compat[1];
	return true;
}

/* How much of the message's memory is data: what was sent, was to be sent, or came. */
static __always_inline __u64 data_limit(struct frame *frame, const struct message_head *message)
{
	struct socket_request *ask = &frame->socket;

	if (frame->result < 0 || (ask->has_many && frame->result == 0))
		return ask->use == USE_RECEIVE ? 0 : ~0ull;
	return ask->has_many ? message->bytes : (__u64)frame->result;
}

/* One vector more; false: it is not readable. What has been read is counted in the frame, where the
 * verifier does not follow it through the loop. */
static __always_inline bool add_vector(struct frame *frame, const struct message_head *message,
				       __u32 i, __u64 limit, __u8 *to)
{
	struct socket_request *ask = &frame->socket;
	__u64 vector[2] = {}, copied = ask->copied, size;

	if (!read_vector(frame, message, i, vector))
		return false;
	size = limit > ask->total ? limit - ask->total : 0;
	ask->total += vector[1];
	if (size > vector[1])
		size = vector[1];
	if (copied >= MESSAGE_BYTES)
		return true;
	if (size > MESSAGE_BYTES - copied)
		size = MESSAGE_BYTES - copied;
	barrier_var(size);
	if (!size || size > MESSAGE_BYTES)
		return true;
	if (bpf_probe_read_user(to + copied, (__u32)size, (void *)vector[0]))
		return false;
	ask->copied = (__u32)(copied + size);
	return true;
}

struct vectors {
	struct frame *frame;
	const struct message_head *message;
	__u64 limit;
	__u8 *to;
};

LOOP_TURN long vector_turn(__u32 index, void *data)
{
	struct vectors *vectors = data;

	if (index >= vectors->message->vector_cnt)
		return 1;
	if (!add_vector(vectors->frame, vectors->message, index, vectors->limit, vectors->to)) {
		vectors->frame->flags |= WIRE_FAULT;
		return 1;
	}
	return 0;
}

static __always_inline void put_message_data(struct frame *frame,
					     const struct message_head *message)
{
	struct socket_request *ask = &frame->socket;
	__u64 limit = data_limit(frame, message);
	__u32 at = frame->position, copied;
	struct vectors vectors = { .frame = frame, .message = message, .limit = limit };

	vectors.to = put_space(frame, ask->data);
	if (!vectors.to)
		return;
	REPEAT(VECTORS_READ, vector_turn, &vectors);
	copied = ask->copied;
	if (limit > ask->total)
		limit = ask->total;
	if (copied && copied <= MESSAGE_BYTES)
		put_done(frame, ask->data, at, copied, limit > copied);
	at = frame->position;
	if (message->vector_cnt <= VECTORS_READ) {
		put_u64(frame, ask->size, ask->total);
	} else {
		put_done(frame, ask->size, 0, 0, true);
		frame->position = at;
	}
}

static __always_inline void put_control(struct frame *frame, const struct message_head *message)
{
	struct socket_request *ask = &frame->socket;
	__u32 at = frame->position;
	__u64 size = message->control_length;
	__u8 *to = put_space(frame, ask->control);

	if (!to || frame->result < 0 || !size)
		return;
	if (size > MESSAGE_BYTES)
		size = MESSAGE_BYTES;
	barrier_var(size);
	if (size > MESSAGE_BYTES)
		return;
	if (bpf_probe_read_user(to, (__u32)size, (void *)message->control))
		frame->flags |= WIRE_FAULT;
	else
		put_done(frame, ask->control, at, (__u32)size,
			 message->control_length > MESSAGE_BYTES);
}

static __always_inline void put_message(struct frame *frame)
{
	struct socket_request *ask = &frame->socket;
	struct message_head message = {};

	if (!read_message(frame, &message)) {
		frame->flags |= WIRE_FAULT;
		return;
	}
	if (ask->has_many && ask->sock && ask->type != SOCK_STREAM) /* never of io_uring */
		frame->again_owner = frame->owner;
	ask->address = message.name;
	ask->length = message.name_length;
	put_message_data(frame, &message);
	if (ask->moved != PARAMETER_NONE && frame->result > 0)
		put_u64(frame, ask->moved, message.bytes);
	if (ask->control != PARAMETER_NONE)
		put_control(frame, &message);
}

static __always_inline int chain_message(__u64 *context, void *chain)
{
	struct frame *frame = frame_get();

	if (!frame)
		return 0;
	put_message(frame);
	bpf_tail_call(context, chain, CHAIN_SOCKET);
	frame_abandon(frame);
	return 0;
}

SEC("tp_btf/sys_exit")
int call_message(__u64 *context)
{
	return chain_message(context, &call_chain);
}

/* Of io_uring: at a request's submission and at its completion. */
SEC("tp_btf/io_uring_submit_req")
int submit_message(__u64 *context)
{
	return chain_message(context, &submit_chain);
}

SEC("tp_btf/io_uring_complete")
int complete_message(__u64 *context)
{
	return chain_message(context, &complete_chain);
}

/* ---- the next message to somebody else ----------------------------------------------------------
 */

#define MESSAGES_LOOKED 32

/* Who the message at `name` is to or from, as net.bpf.c keeps contacts. */
static __always_inline bool read_contact(struct contact_key *key, __u64 name, __u32 length,
					 __u16 family)
{
	struct raw_address raw = {};
	__u32 *words = (__u32 *)key->address;

	if (length < 16 || !read_raw(&raw, name, length))
		return false;
	__builtin_memset(key->address, 0, sizeof(key->address));
	key->port = __builtin_bswap16(raw.port);
	key->family = raw.family;
	if (raw.family == AF_INET || (!raw.family && family == AF_INET)) {
		key->family = AF_INET;
		words[0] = raw.word1;
		return true;
	}
	if (raw.family != AF_INET6 || length < sizeof(raw))
		return false;
	words[0] = raw.word2;
	words[1] = raw.rest[0];
	words[2] = raw.rest[1];
	words[3] = raw.rest[2];
	if (is_mapped(key->address)) {
		key->family = AF_INET;
		unmap(key->address);
	}
	return true;
}

struct search {
	struct frame *frame;
	__u32 found; /* 0: none yet */
	__u16 family;
};

LOOP_TURN long search_turn(__u32 turn, void *data)
{
	struct search *search = data;
	struct frame *frame = search->frame;
	struct contact_key *key = &frame->message_key;
	__u32 index = frame->message_index + 1 + turn, head[4] = {};
	bool is_compat = frame->flags & WIRE_COMPAT32;
	__u32 size = is_compat ? sizeof(struct message_head_compat) : sizeof(struct message_head);
	__u64 name;

	if ((__s64)index >= frame->result ||
	    bpf_probe_read_user(head, sizeof(head),
				(void *)(frame->arguments[1] + (__u64)index * size)))
		return 1;
	name = is_compat ? head[0] : (__u64)head[1] << 32 | head[0];
	if (!read_contact(key, name, is_compat ? head[1] : head[2], search->family) ||
	    bpf_map_lookup_elem(&contacts, key))
		return 0;
	search->found = index;
	return 1;
}

/* The number of the next message with a peer that the socket has not met; 0: there is none. */
static __always_inline __u32 find_next(struct frame *frame, struct sock *sock)
{
	struct search search = { .frame = frame, .family = READ(sock, __sk_common.skc_family) };

	contact_of(&frame->message_key, sock);
	REPEAT(MESSAGES_LOOKED, search_turn, &search);
	return search.found;
}

/* Behind the end of a record: begins the next one of the same call. Tail calls are limited, so that
 * a call with more than a few new peers loses some; they are counted. */
SEC("tp_btf/sys_exit")
int call_again(__u64 *context)
{
	struct frame *frame = frame_get();
	__u64 thread = bpf_get_current_pid_tgid();
	__u32 next, type;

	if (!frame || frame->owner || frame->again_owner != thread)
		return 0;
	next = find_next(frame, (struct sock *)frame->socket.sock);
	type = frame->type;
	if (!next || type >= EVENT__COUNT)
		return 0;
	count_generated(type);
	frame->owner = thread;
	frame->flags &= WIRE_COMPAT32;
	frame_header(frame)->cgroup_id = 0;
	frame->message_index = next;
	bpf_tail_call(context, &call_programs, type);
	frame_abandon(frame);
	return 0;
}
