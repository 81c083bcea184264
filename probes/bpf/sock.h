/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads a socket: from a descriptor to its struct sock, and addresses into a struct wire_tuple.
 */
#ifndef HAETAE_BPF_SOCK_H
#define HAETAE_BPF_SOCK_H

#include "file.h"

/* The socket behind a descriptor of the current task; NULL: none, or something else. */
static __always_inline struct socket *socket_of(struct task_struct *task, __s32 fd)
{
	struct file *file = file_of(task, fd);
	struct inode *inode = file ? READ(file, f_inode) : NULL;

	/* Only sockfs's inodes have their socket in private_data; a socket's node in a file system
	 * can't be opened (but with O_PATH, where private_data is NULL). */
	if (!inode || (READ(inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	return READ(file, private_data);
}

/* ::ffff:0:0/96 */
static __always_inline bool is_mapped(const __u8 address[16])
{
	const __u32 *words = (const __u32 *)address;

	return words[0] == 0 && words[1] == 0 && words[2] == __builtin_bswap32(0xffff);
}

/* Makes an IPv4 end of an IPv4-mapped one. */
static __always_inline void unmap(__u8 address[16])
{
	__u32 *words = (__u32 *)address;

	words[0] = words[3];
	words[1] = words[2] = words[3] = 0;
}

/* Both ends of an inet socket. The local port is the socket's number while it is bound, and its
 * last source port (inet_sport) when a refused connect has unbound it. */
static __always_inline void tuple_from_sock(struct wire_tuple *tuple, struct sock *sock)
{
	struct inet_sock *inet = (struct inet_sock *)sock;
	__u16 family = READ(sock, __sk_common.skc_family), port;

	if (family != AF_INET && family != AF_INET6)
		return;
	tuple->family = family;
	tuple->l4_protocol = (__u8)READ(sock, sk_protocol);
	port = READ(sock, __sk_common.skc_num);
	tuple->local_port = port ? port : __builtin_bswap16(READ(inet, inet_sport));
	tuple->remote_port = __builtin_bswap16(READ(sock, __sk_common.skc_dport));
	tuple->flags = WIRE_TUPLE_LOCAL | WIRE_TUPLE_REMOTE;
	if (family == AF_INET) {
		*(__u32 *)tuple->remote_address = READ(sock, __sk_common.skc_daddr);
		*(__u32 *)tuple->local_address = READ(sock, __sk_common.skc_rcv_saddr);
		return;
	}
	(void)bpf_core_read(tuple->remote_address, 16, &sock->__sk_common.skc_v6_daddr);
	(void)bpf_core_read(tuple->local_address, 16, &sock->__sk_common.skc_v6_rcv_saddr);
	if (is_mapped(tuple->remote_address)) {
		tuple->family = AF_INET;
		unmap(tuple->remote_address);
		unmap(tuple->local_address);
	}
}

/* The first bytes of any sockaddr that has a port; include/uapi/linux/in.h, in6.h. */
struct raw_address {
	__u16 family;
	__be16 port;
	__u32 v4_or_flow;
	__u8 v6[16];
};

/* The remote end as the program passed it. False: not an internet address, or not readable. */
static __always_inline bool tuple_from_user(struct wire_tuple *tuple, __u64 address, __u32 length)
{
	struct raw_address raw = {};

	if (length < 2 || bpf_probe_read_user(&raw.family, 2, (void *)address))
		return false;
	tuple->family = raw.family;
	tuple->flags |= WIRE_TUPLE_RAW;
	if (raw.family == AF_INET && length >= 16 &&
	    !bpf_probe_read_user(&raw, 8, (void *)address)) {
		*(__u32 *)tuple->remote_address = raw.v4_or_flow;
	} else if (raw.family == AF_INET6 && length >= 24 &&
		   !bpf_probe_read_user(&raw, 24, (void *)address)) {
		__builtin_memcpy(tuple->remote_address, raw.v6, 16);
		if (is_mapped(tuple->remote_address)) {
			tuple->family = AF_INET;
			unmap(tuple->remote_address);
		}
	} else {
		return false;
	}
	tuple->remote_port = __builtin_bswap16(raw.port);
	tuple->flags |= WIRE_TUPLE_REMOTE;
	return true;
}

#endif
