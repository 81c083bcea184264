/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * connect (decision 3). By the end of the call another thread may have put another socket behind
 * the descriptor, and a refused TCP socket has lost its address; so the two ends are taken when the
 * kernel begins to connect, in the same thread, and used at the call's end.
 */
#include "sock.h"
#include "prog.h"

#define SOCK_STREAM   1	  /* include/linux/net.h */
#define UNIX_PATH_MAX 108 /* include/uapi/linux/un.h */

/* The thread may be here for another call than connect (sendto with MSG_FASTOPEN), whose entry the
 * next connect would take for its own. Before 5.15 that can't be seen here. */
static __always_inline bool is_in_connect(struct task_struct *task)
{
	struct pt_regs *registers;
	__u64 number;

	if (!bpf_core_enum_value_exists(enum bpf_func_id___ours, BPF_FUNC_task_pt_regs___ours))
		return true;
	registers = (struct pt_regs *)bpf_task_pt_regs(task);
	number = call_number(registers) & ~(__u64)X32_BIT;
	if (number >= WANTED_SLOTS)
		return false;
	if (call_is_compat(task))
		return wanted[number].compat_type == EVENT_CONNECT;
	return wanted[number].type == EVENT_CONNECT;
}

SEC("tp_btf/inet_sock_set_state")
int tp_sock_state(__u64 *context)
{
	struct sock *sock = (struct sock *)context[0];
	struct connect_peer peer = {};
	struct task_struct *task;
	__u64 pid_tgid;

	if ((int)context[2] != TCP_SYN_SENT || !is_wanted[EVENT_CONNECT])
		return 0;
	task = current_task();
	pid_tgid = bpf_get_current_pid_tgid();
	if (!is_observed(task, pid_tgid >> 32) || !is_in_connect(task))
		return 0;
	peer.sock = (__u64)sock;
	tuple_from_sock(&peer.tuple, sock);
	(void)bpf_map_update_elem(&connect_peers, &pid_tgid, &peer, BPF_ANY);
	return 0;
}

static __always_inline bool is_any(const struct wire_tuple *tuple)
{
	const __u32 *words = (const __u32 *)tuple->remote_address;

	return !words[0] && !words[1] && !words[2] && !words[3];
}

/* Whether the address that the program's memory holds now is another than the connected one. The
 * unspecified address means the loopback one (net/ipv4/route.c: ip_route_connect). */
static __always_inline bool is_other_peer(const struct wire_tuple *real,
					  const struct wire_tuple *passed)
{
	const __u32 *a = (const __u32 *)real->remote_address;
	const __u32 *b = (const __u32 *)passed->remote_address;

	if (!(passed->flags & WIRE_TUPLE_REMOTE))
		return false;
	if (real->family != passed->family || real->remote_port != passed->remote_port)
		return true;
	if (is_any(passed))
		return false;
	return a[0] != b[0] || a[1] != b[1] || a[2] != b[2] || a[3] != b[3];
}

/* The local end, in the family of the remote one. */
static __always_inline void put_local_end(struct wire_tuple *tuple, struct sock *sock)
{
	__u16 family = sock ? READ(sock, __sk_common.skc_family) : 0;

	/* Without a remote end there is nothing that the local one would be the other end of. */
	if ((family != AF_INET && family != AF_INET6) || !(tuple->flags & WIRE_TUPLE_REMOTE))
		return;
	tuple->l4_protocol = (__u8)READ(sock, sk_protocol);
	tuple->local_port = READ(sock, __sk_common.skc_num);
	tuple->flags |= WIRE_TUPLE_LOCAL;
	if (tuple->family == AF_INET)
		*(__u32 *)tuple->local_address = READ(sock, __sk_common.skc_rcv_saddr);
	else
		(void)bpf_core_read(tuple->local_address, 16, &sock->__sk_common.skc_v6_rcv_saddr);
}

/* A unix address: its name behind the struct. Returns the bytes that it takes, its NUL included. */
static __always_inline __u32 put_unix_name(struct wire_tuple *tuple, __u64 address, __u32 length)
{
	__u8 *name = (__u8 *)(tuple + 1);
	__u32 size = length - 2;

	if (length <= 2)
		return 0;
	if (size > UNIX_PATH_MAX)
		size = UNIX_PATH_MAX;
	if (bpf_probe_read_user(name, 1, (void *)(address + 2)))
		return 0;
	if (name[0]) { /* a path: ends at its NUL, or where the caller said */
		long bytes = bpf_probe_read_user_str(name, size + 1, (void *)(address + 2));

		tuple->flags |= WIRE_TUPLE_REMOTE;
		return bytes > 0 ? (__u32)bytes : 0;
	}
	if (bpf_probe_read_user(name, size, (void *)(address + 2)))
		return 0;
	name[size] = 0;
	name[0] = '@';
	tuple->flags |= WIRE_TUPLE_REMOTE;
	return size + 1;
}

/* The address as passed, into a new parameter; NULL: no space. */
static __always_inline struct wire_tuple *put_passed(struct frame *frame, __u32 parameter,
						     __u64 address, __u32 length)
{
	__u32 at = frame->position, size = sizeof(struct wire_tuple);
	struct wire_tuple *tuple = put_space(frame, parameter);

	if (!tuple)
		return NULL;
	__builtin_memset(tuple, 0, sizeof(*tuple));
	if (!tuple_from_user(tuple, address, length) && tuple->family == AF_UNIX)
		size += put_unix_name(tuple, address, length);
	/* RAW: its family could be read. AF_UNSPEC, which is 0, ends a connection. */
	if (tuple->flags & WIRE_TUPLE_RAW)
		put_done(frame, parameter, at, size, false);
	else if (length >= sizeof(tuple->family))
		frame->flags |= WIRE_FAULT;
	return tuple;
}

CALL_PROGRAM(connect, CONNECT)
{
	__u64 *arguments = frame->arguments, thread = frame->owner;
	struct socket *socket = socket_of(task, (__s32)arguments[0]);
	struct sock *sock = socket ? READ(socket, sk) : NULL;
	struct connect_peer *peer = bpf_map_lookup_elem(&connect_peers, &thread);
	struct wire_tuple *passed, *tuple;
	__u32 at;

	put_s64(frame, PARAM_CONNECT_res, frame->result);
	put_s64(frame, PARAM_CONNECT_fd, (__s32)arguments[0]);
	if (socket)
		put_u64(frame, PARAM_CONNECT_socket_type, (__u64)READ(socket, type));
	passed = put_passed(frame, PARAM_CONNECT_addr, arguments[1], (__u32)arguments[2]);
	at = frame->position;
	tuple = put_space(frame, PARAM_CONNECT_tuple);
	if (!passed || !tuple)
		return;
	__builtin_memset(tuple, 0, sizeof(*tuple));
	if (peer) {
		struct sock *kept = (struct sock *)peer->sock;

		__builtin_memcpy(tuple, &peer->tuple, sizeof(*tuple));
		if (!tuple->local_port) /* chosen after the step to SYN_SENT */
			tuple->local_port =
				__builtin_bswap16(READ((struct inet_sock *)kept, inet_sport));
		if (peer->sock != (__u64)sock || is_other_peer(tuple, passed))
			frame->flags |= WIRE_PEER_MISMATCH;
		(void)bpf_map_delete_elem(&connect_peers, &thread);
	} else if (sock && READ(socket, type) == SOCK_STREAM && READ(sock, __sk_common.skc_dport)) {
		/* A call that goes on with or asks for an earlier one. */
		tuple_from_sock(tuple, sock);
	} else if (passed->family == AF_UNIX) {
		__u32 size = put_unix_name(tuple, arguments[1], (__u32)arguments[2]);

		tuple->family = AF_UNIX;
		tuple->flags |= WIRE_TUPLE_RAW;
		put_done(frame, PARAM_CONNECT_tuple, at, sizeof(*tuple) + size, false);
		return;
	} else {
		(void)tuple_from_user(tuple, arguments[1], (__u32)arguments[2]);
		put_local_end(tuple, sock);
	}
	if (tuple->flags & (WIRE_TUPLE_LOCAL | WIRE_TUPLE_REMOTE))
		put_done(frame, PARAM_CONNECT_tuple, at, sizeof(*tuple), false);
}
