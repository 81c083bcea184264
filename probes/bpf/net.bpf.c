/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The two ends of a socket (decision 3). By the end of a connect another thread may have put
 * another socket behind the descriptor, and a refused TCP socket has lost its address; so the ends
 * are taken when the kernel begins to connect, in the same thread, and used at the call's end. All
 * other calls are told by the socket behind the descriptor, and datagrams by the address as passed.
 */
#include "filter_socket.h"
#include "passed.h"
#include "prog.h"

/* ---- what the kernel connects -----------------------------------------------------------------
 */

static __always_inline bool can_connect(__u32 type)
{
	return type == EVENT_CONNECT || type == EVENT_SENDTO || type == EVENT_SENDMSG ||
	       type == EVENT_SENDMMSG;
}

/* The thread may be here for a call that nobody wants (sendto with MSG_FASTOPEN), whose entry the
 * next connect would take for its own. Before 5.15 that can't be seen here. */
static __always_inline bool is_wanted_here(struct task_struct *task)
{
	struct pt_regs *registers;
	struct wanted_call call;
	__u64 number;

	if (!bpf_core_enum_value_exists(enum bpf_func_id___ours, BPF_FUNC_task_pt_regs___ours))
		return true;
	registers = (struct pt_regs *)bpf_task_pt_regs(task);
	number = call_number(registers) & ~(__u64)X32_BIT;
	if (number >= WANTED_SLOTS)
		return false;
	call = wanted[number];
	if (!call_is_compat(task))
		return can_connect(call.type);
	/* Which of the bundled calls it is stands in the program's memory. */
	return can_connect(call.compat_type) ||
	       (number == IA32_SOCKETCALL && call.compat_type != EVENT_UNKNOWN);
}

SEC("tp_btf/inet_sock_set_state")
int tp_sock_state(__u64 *context)
{
	struct sock *sock = (struct sock *)context[0];
	struct connect_peer peer = {};
	struct task_struct *task;
	__u64 pid_tgid;

	if ((int)context[2] != TCP_SYN_SENT ||
	    !(is_wanted[EVENT_CONNECT] || is_wanted[EVENT_SENDTO] || is_wanted[EVENT_SENDMSG] ||
	      is_wanted[EVENT_SENDMMSG]))
		return 0;
	task = current_task();
	pid_tgid = bpf_get_current_pid_tgid();
	if (!is_observed(task, pid_tgid >> 32))
		return 0;
	if (!is_wanted_here(task)) {
		/* Perhaps a request of io_uring, which may complete in another thread: by its
		 * socket. An address in the kernel is no thread's key. */
		if (!settings.sees_completions)
			return 0;
		pid_tgid = (__u64)sock;
	}
	peer.sock = (__u64)sock;
	tuple_from_inet(&peer.tuple, sock);
	(void)bpf_map_update_elem(&connect_peers, &pid_tgid, &peer, BPF_ANY);
	return 0;
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
	if (is_zero(passed->remote_address))
		return false;
	return a[0] != b[0] || a[1] != b[1] || a[2] != b[2] || a[3] != b[3];
}

/* A request of io_uring that has not completed: what it does to the socket has not happened. */
static __always_inline bool is_early(const struct frame *frame)
{
	return frame->flags & WIRE_IO_URING && !frame->request.is_completed;
}

/* The call's own connection, where it made one. */
static __always_inline bool take_connected(struct frame *frame, struct wire_tuple *tuple)
{
	struct socket_request *ask = &frame->socket;
	struct wire_tuple passed = {};
	__u64 thread = frame->owner;
	struct connect_peer *peer;
	struct inet_sock *kept;

	if ((ask->use != USE_CONNECT && ask->use != USE_SEND) || is_early(frame))
		return false;
	if (frame->flags & WIRE_IO_URING)
		thread = ask->sock;
	peer = bpf_map_lookup_elem(&connect_peers, &thread);
	if (!peer)
		return false;
	kept = (struct inet_sock *)peer->sock;
	__builtin_memcpy(tuple, &peer->tuple, sizeof(*tuple));
	if (!tuple->local_port) /* chosen after the step to SYN_SENT */
		tuple->local_port = __builtin_bswap16(READ(kept, inet_sport));
	tuple->flags |= WIRE_TUPLE_LOCAL;
	(void)tuple_from_user(&passed, ask->address, ask->length, 0);
	if (peer->sock != ask->sock || is_other_peer(tuple, &passed))
		frame->flags |= WIRE_PEER_MISMATCH;
	(void)bpf_map_delete_elem(&connect_peers, &thread);
	return true;
}

/* ---- both ends --------------------------------------------------------------------------------
 */

static __always_inline bool is_inet(__u16 family)
{
	return family == AF_INET || family == AF_INET6;
}

static __always_inline bool is_stream(const struct socket_request *ask)
{
	return ask->type == SOCK_STREAM || ask->type == SOCK_SEQPACKET;
}

/* The remote end as passed, the local one from the socket. Returns a name's bytes. */
static __always_inline __u32 put_raw_ends(struct wire_tuple *tuple, struct socket_request *ask,
					  __u16 family)
{
	__u16 unspecified = ask->use == USE_SEND && family == AF_INET ? AF_INET : 0;
	struct sock *sock = (struct sock *)ask->sock;

	if (is_inet(family) || !sock) {
		(void)tuple_from_user(tuple, ask->address, ask->length, unspecified);
		put_local_end(tuple, sock);
		if (ask->type == SOCK_RAW)
			tuple->local_port = 0;
	} else {
		(void)tuple_from_sock(tuple, sock, ask->type);
		tuple->flags &= (__u8)~WIRE_TUPLE_REMOTE;
		(void)tuple_from_user(tuple, ask->address, ask->length, 0);
	}
	if (tuple->family == AF_UNIX) {
		*(__u64 *)tuple->remote_address = 0;
		return put_unix_name(tuple, ask->address, ask->length);
	}
	return 0;
}

/* Whether the address as passed says where the datagram went or came from, or where a connect that
 * left no trace in the socket was to go. */
static __always_inline bool is_told_by_address(struct frame *frame, struct socket_request *ask,
					       __u16 family)
{
	struct sock *sock = (struct sock *)ask->sock;

	if (!ask->address || ask->length < 2)
		return false;
	switch (ask->use) {
	case USE_CONNECT:
		if (!sock)
			return true;
		if (is_inet(family)) /* a stream's: it goes on with or asks for an earlier call */
			return !is_stream(ask) || !READ(sock, __sk_common.skc_dport);
		return frame->result < 0;
	case USE_SEND:
		return !is_stream(ask) || !sock;
	case USE_RECEIVE:
		return !is_stream(ask) && frame->result >= 0;
	}
	return false;
}

/* A connected datagram socket has its peer; one that differs from the address as passed has been
 * exchanged, or the memory has. */
static __always_inline void compare_datagram(struct frame *frame, struct wire_tuple *tuple)
{
	struct sock *sock = (struct sock *)frame->socket.sock;
	struct wire_tuple real = {};

	if (frame->socket.use != USE_CONNECT || frame->result != 0 || !sock ||
	    !is_inet(tuple->family))
		return;
	tuple_from_inet(&real, sock);
	if (is_other_peer(&real, tuple))
		frame->flags |= WIRE_PEER_MISMATCH;
}

/* An accepted socket has its listener's port or name, and the peer that the kernel wrote into
 * memory; another has been put in its place, or in its listener's. */
static __always_inline void compare_accepted(struct frame *frame, struct wire_tuple *tuple)
{
	struct socket_request *ask = &frame->socket;
	struct sock *sock = (struct sock *)ask->sock, *listener = (struct sock *)ask->listener;
	struct wire_tuple passed = {};
	bool is_other = false;

	if (!sock || !listener)
		return;
	if (is_inet(tuple->family))
		is_other = READ(listener, __sk_common.skc_num) != tuple->local_port;
	else if (tuple->family == AF_UNIX &&
		 bpf_core_field_exists(((struct unix_sock *)sock)->addr))
		is_other = READ((struct unix_sock *)sock, addr) !=
			   READ((struct unix_sock *)listener, addr);
	if (is_inet(tuple->family) && ask->address)
		(void)tuple_from_user(&passed, ask->address, ask->length, 0);
	if (is_other || is_other_peer(tuple, &passed))
		frame->flags |= WIRE_PEER_MISMATCH;
}

/* ---- which end is whose -----------------------------------------------------------------------
 */

#define STATES_CONNECTED                                                     \
	(1u << TCP_ESTABLISHED | 1u << TCP_FIN_WAIT1 | 1u << TCP_FIN_WAIT2 | \
	 1u << TCP_CLOSE_WAIT | 1u << TCP_LAST_ACK | 1u << TCP_CLOSING)

/* Other families use the numbers of TCP's states, too. */
static __always_inline bool is_connected(struct sock *sock)
{
	__u32 state = READ(sock, __sk_common.skc_state);

	return state < 32 && STATES_CONNECTED & (1u << state);
}

/* A port that was asked for and lies below the peer's is a service's. */
static __always_inline __u8 guess_sender(struct sock *sock, const struct wire_tuple *tuple)
{
	bool is_bound = BPF_CORE_READ_BITFIELD_PROBED(sock, sk_userlocks) & SOCK_BINDPORT_LOCK;

	return is_bound && tuple->local_port < tuple->remote_port ? WIRE_TUPLE_SERVER
								  : WIRE_TUPLE_CLIENT;
}

/* Who has not bound its socket is not written to but in answer. (A bind to port 0 locks the address
 * alone.) */
static __always_inline __u8 guess_receiver(struct sock *sock)
{
	bool is_bound = BPF_CORE_READ_BITFIELD_PROBED(sock, sk_userlocks) &
			(SOCK_BINDPORT_LOCK | SOCK_BINDADDR_LOCK);

	return is_bound ? WIRE_TUPLE_SERVER : WIRE_TUPLE_CLIENT;
}

/* A datagram to or from somebody: whether it is the first, and who began. */
static __always_inline __u8 meet(struct frame *frame, struct contact_key *key,
				 const struct wire_tuple *tuple)
{
	struct socket_request *ask = &frame->socket;
	struct sock *sock = (struct sock *)ask->sock;
	__u8 *known, role;

	__builtin_memcpy(key->address, tuple->remote_address, sizeof(key->address));
	key->port = tuple->remote_port;
	key->family = tuple->family;
	known = bpf_map_lookup_elem(&contacts, key);
	if (known)
		return *known;
	role = ask->use == USE_SEND ? guess_sender(sock, tuple) : guess_receiver(sock);
	if (frame->result < 0)
		return role;
	(void)bpf_map_update_elem(&contacts, key, &role, BPF_ANY);
	return role | WIRE_TUPLE_NEW;
}

/* A connect or accept: what the socket is from now on. */
static __always_inline __u8 begin(struct frame *frame, struct contact_key *key, __u8 role)
{
	__s64 result = frame->result;

	if (result < 0 && result != -EINPROGRESS && result != -EINTR)
		return role;
	(void)bpf_map_update_elem(&contacts, key, &role, BPF_ANY);
	return role | WIRE_TUPLE_NEW;
}

static __always_inline __u8 role_of(struct frame *frame, const struct wire_tuple *tuple)
{
	struct socket_request *ask = &frame->socket;
	struct sock *sock = (struct sock *)ask->sock;
	struct contact_key key = {};
	__u8 *known;

	if (!sock || (is_early(frame) && !frame->request.is_silent))
		return ask->use == USE_CONNECT ? WIRE_TUPLE_CLIENT : 0;
	contact_of(&key, sock);
	switch (ask->use) {
	case USE_CONNECT:
		if (tuple->flags & WIRE_TUPLE_REMOTE)
			return begin(frame, &key, WIRE_TUPLE_CLIENT);
		(void)bpf_map_delete_elem(&contacts, &key); /* AF_UNSPEC: no peer any more */
		return WIRE_TUPLE_CLIENT;
	case USE_ACCEPT:
		return begin(frame, &key, WIRE_TUPLE_SERVER);
	case USE_SERVE:
		return frame->result < 0 ? WIRE_TUPLE_SERVER : WIRE_TUPLE_SERVER | WIRE_TUPLE_NEW;
	case USE_SEND:
	case USE_RECEIVE:
		if (tuple->flags & WIRE_TUPLE_RAW && tuple->flags & WIRE_TUPLE_REMOTE &&
		    is_inet(tuple->family))
			return meet(frame, &key, tuple);
		break;
	}
	known = bpf_map_lookup_elem(&contacts, &key);
	return known ? *known : 0;
}

/* The record's tuple, NULL where there is none. */
static __always_inline const struct wire_tuple *put_ends(struct frame *frame)
{
	struct socket_request *ask = &frame->socket;
	struct sock *sock = (struct sock *)ask->sock;
	__u16 family = sock ? READ(sock, __sk_common.skc_family) : 0;
	__u32 at = frame->position, name = 0;
	struct wire_tuple *tuple = put_space(frame, ask->tuple);

	if (!tuple)
		return NULL;
	__builtin_memset(tuple, 0, sizeof(*tuple));
	if (take_connected(frame, tuple)) {
		/* Begun by a call that sends: the socket is a client's all the same. */
		ask->use = USE_CONNECT;
	} else if (is_told_by_address(frame, ask, family)) {
		name = put_raw_ends(tuple, ask, family);
		compare_datagram(frame, tuple);
	} else if (sock) {
		name = tuple_from_sock(tuple, sock, ask->type);
		if (ask->use == USE_ACCEPT)
			compare_accepted(frame, tuple);
	}
	if (!tuple->family || name > UNIX_PATH_MAX + 1)
		return NULL;
	tuple->flags |= role_of(frame, tuple);
	if (sock && is_connected(sock))
		tuple->flags |= WIRE_TUPLE_CONNECTED;
	put_done(frame, ask->tuple, at, sizeof(*tuple) + name, false);
	return tuple;
}

/* Whether no rule can match, now that the ends are known. */
static __always_inline bool is_kept_back(const struct frame *frame, const struct wire_tuple *tuple)
{
	return frame->is_refused || (tuple && frame->undecided && !filter_socket(frame, tuple));
}

/* The address as passed, a parameter of its own. */
static __always_inline void put_passed(struct frame *frame)
{
	struct socket_request *ask = &frame->socket;
	__u32 at = frame->position, size = sizeof(struct wire_tuple), name = 0;
	struct wire_tuple *tuple = put_space(frame, ask->passed);

	if (!tuple)
		return;
	__builtin_memset(tuple, 0, sizeof(*tuple));
	/* RAW: its family could be read. AF_UNSPEC, which is 0, ends a connection. */
	if (!tuple_from_user(tuple, ask->address, ask->length, 0)) {
		if (ask->length >= sizeof(tuple->family))
			frame->flags |= WIRE_FAULT;
		return;
	}
	if (tuple->family == AF_UNIX)
		name = put_unix_name(tuple, ask->address, ask->length);
	if (name <= UNIX_PATH_MAX + 1)
		put_done(frame, ask->passed, at, size + name, false);
}

static __always_inline int chain_socket(__u64 *context, void *chain, const bool is_call)
{
	const struct wire_tuple *tuple = NULL;
	struct frame *frame = frame_get();

	if (!frame)
		return 0;
	if (frame->socket.passed != PARAMETER_NONE)
		put_passed(frame);
	if (frame->socket.tuple != PARAMETER_NONE)
		tuple = put_ends(frame);
	if (is_call && is_kept_back(frame, tuple) && frame_is_unwanted(frame))
		return 0;
	bpf_tail_call(context, chain, CHAIN_FILTER);
	frame_abandon(frame);
	return 0;
}

SEC("tp_btf/sys_exit")
int call_socket(__u64 *context)
{
	return chain_socket(context, &call_chain, true);
}

/* The same of requests of io_uring: when they are submitted, and when they have completed. */
SEC("tp_btf/io_uring_submit_req")
int submit_socket(__u64 *context)
{
	return chain_socket(context, &submit_chain, false);
}

SEC("tp_btf/io_uring_complete")
int complete_socket(__u64 *context)
{
	return chain_socket(context, &complete_chain, false);
}
