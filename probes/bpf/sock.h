/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads a socket: from a descriptor to its struct sock, and both ends of any family into a struct
 * wire_tuple.
 */
#ifndef HAETAE_BPF_SOCK_H
#define HAETAE_BPF_SOCK_H

#include "file.h"
#include "kernel_net.h"

#define UNIX_PATH_MAX 108 /* include/uapi/linux/un.h */

/* The socket that a file is; NULL: none, or something else. */
static __always_inline struct socket *socket_of(struct file *file)
{
	struct inode *inode = file ? READ(file, f_inode) : NULL;

	/* Only sockfs's inodes have their socket in private_data; a socket's node in a file system
	 * can't be opened (but with O_PATH, where private_data is NULL). */
	if (!inode || (READ(inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	return READ(file, private_data);
}

/* Its inode number, as /proc/net/unix has it; 0: nobody has accepted the connection yet. */
static __always_inline __u64 socket_inode(struct sock *sock)
{
	struct socket *socket = READ(sock, sk_socket);
	struct file *file = socket ? READ(socket, file) : NULL;
	struct inode *inode = file ? READ(file, f_inode) : NULL;

	return inode ? READ(inode, i_ino) : 0;
}

/* The socket's part of a contact. */
static __always_inline void contact_of(struct contact_key *key, struct sock *sock)
{
	key->sock = (__u64)sock;
	key->inode = socket_inode(sock);
	key->reserved = 0;
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

static __always_inline bool is_zero(const __u8 address[16])
{
	const __u32 *words = (const __u32 *)address;

	return !words[0] && !words[1] && !words[2] && !words[3];
}

/* Both ends of an inet socket. The local port is the socket's number while it is bound, and its
 * last source port (inet_sport) when a refused connect has unbound it. */
static __always_inline void tuple_from_inet(struct wire_tuple *tuple, struct sock *sock)
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
	if (family == AF_INET) {
		*(__u32 *)tuple->remote_address = READ(sock, __sk_common.skc_daddr);
		*(__u32 *)tuple->local_address = READ(sock, __sk_common.skc_rcv_saddr);
	} else {
		(void)bpf_core_read(tuple->remote_address, 16, &sock->__sk_common.skc_v6_daddr);
		(void)bpf_core_read(tuple->local_address, 16, &sock->__sk_common.skc_v6_rcv_saddr);
	}
	if (tuple->local_port || !is_zero(tuple->local_address))
		tuple->flags |= WIRE_TUPLE_LOCAL;
	if (tuple->remote_port || !is_zero(tuple->remote_address))
		tuple->flags |= WIRE_TUPLE_REMOTE;
	if (is_mapped(tuple->remote_address) ||
	    (!(tuple->flags & WIRE_TUPLE_REMOTE) && is_mapped(tuple->local_address))) {
		tuple->family = AF_INET;
		unmap(tuple->remote_address);
		unmap(tuple->local_address);
	}
}

/* The local end of an inet socket, in the family of the remote one. */
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

/* The name that a unix socket is bound to, behind the struct; its bytes with the NUL, 0: none. */
static __always_inline __u32 put_bound_name(struct wire_tuple *tuple, struct unix_sock *sock)
{
	struct unix_address *address = READ(sock, addr);
	__u8 *name = (__u8 *)(tuple + 1);
	const char *from;
	__u32 size;

	if (!address)
		return 0;
	size = (__u32)READ(address, len) - 2; /* sun_family */
	if (!size || size > UNIX_PATH_MAX)
		return 0;
	from = address->name[0].sun_path;
	barrier_var(size);
	if (size > UNIX_PATH_MAX || bpf_probe_read_kernel(name, size, from))
		return 0;
	name[size] = 0;
	if (!name[0]) {
		name[0] = '@';
		return size + 1;
	}
	return (__u32)bpf_probe_read_kernel_str(name, UNIX_PATH_MAX + 1, from);
}

/* Both ends of a unix socket by their inodes. Returns what a name takes behind the struct. */
static __always_inline __u32 tuple_from_unix(struct wire_tuple *tuple, struct sock *sock)
{
	struct unix_sock *own = (struct unix_sock *)sock;
	struct unix_sock *peer;
	__u32 size = 0;

	*(__u64 *)tuple->local_address = socket_inode(sock);
	tuple->flags |= WIRE_TUPLE_LOCAL;
	if (!bpf_core_field_exists(own->peer)) /* a module, whose types CO-RE doesn't look into */
		return 0;
	peer = (struct unix_sock *)READ(own, peer);
	if (peer) {
		*(__u64 *)tuple->remote_address = socket_inode((struct sock *)peer);
		tuple->flags |= WIRE_TUPLE_REMOTE;
		size = put_bound_name(tuple, peer);
	}
	return size ? size : put_bound_name(tuple, own);
}

static __always_inline void tuple_from_netlink(struct wire_tuple *tuple, struct sock *sock)
{
	struct netlink_sock *netlink = (struct netlink_sock *)sock;
	__u32 *local = (__u32 *)tuple->local_address, *remote = (__u32 *)tuple->remote_address;
	unsigned long *groups;

	tuple->l4_protocol = (__u8)READ(sock, sk_protocol);
	if (!bpf_core_field_exists(netlink->portid))
		return;
	local[0] = READ(netlink, portid);
	groups = READ(netlink, groups);
	if (groups)
		(void)bpf_probe_read_kernel(&local[1], sizeof(local[1]), groups);
	remote[0] = READ(netlink, dst_portid);
	remote[1] = READ(netlink, dst_group);
	if (local[0] || local[1])
		tuple->flags |= WIRE_TUPLE_LOCAL;
	if (remote[0] || remote[1])
		tuple->flags |= WIRE_TUPLE_REMOTE;
}

static __always_inline void tuple_from_packet(struct wire_tuple *tuple, struct sock *sock)
{
	struct packet_sock *packet = (struct packet_sock *)sock;

	if (!bpf_core_field_exists(packet->ifindex))
		return;
	*(__s32 *)tuple->local_address = READ(packet, ifindex);
	tuple->local_port = __builtin_bswap16(READ(packet, num));
	tuple->flags |= WIRE_TUPLE_LOCAL;
}

/* include/uapi/linux/vm_sockets.h */
struct vsock_address {
	__u16 family, reserved;
	__u32 port, cid;
	__u32 rest;
};
#define VSOCK_ANY 0xffffffffu

/* Vsock is a module on many hosts. struct vsock_sock has a pointer to the transport behind its
 * struct sock, then both addresses (include/net/af_vsock.h, 5.5 … 6.18). */
static __always_inline void tuple_from_vsock(struct wire_tuple *tuple, struct sock *sock)
{
	__u32 *local = (__u32 *)tuple->local_address, *remote = (__u32 *)tuple->remote_address;
	struct vsock_address ends[2] = {};

	(void)bpf_probe_read_kernel(ends, sizeof(ends),
				    (const char *)sock + bpf_core_type_size(struct sock) +
					    sizeof(void *));
	if (ends[0].family == AF_VSOCK && ends[0].port != VSOCK_ANY) {
		local[0] = ends[0].cid;
		local[1] = ends[0].port;
		tuple->flags |= WIRE_TUPLE_LOCAL;
	}
	if (ends[1].family == AF_VSOCK && ends[1].port != VSOCK_ANY) {
		remote[0] = ends[1].cid;
		remote[1] = ends[1].port;
		tuple->flags |= WIRE_TUPLE_REMOTE;
	}
}

/* Both ends of any socket, as far as the kernel has them. Returns the bytes of a name behind the
 * struct. */
static __always_inline __u32 tuple_from_sock(struct wire_tuple *tuple, struct sock *sock,
					     __u32 type)
{
	tuple->family = READ(sock, __sk_common.skc_family);
	switch (tuple->family) {
	case AF_INET:
	case AF_INET6:
		tuple_from_inet(tuple, sock);
		if (type == SOCK_RAW) { /* its number is the protocol (net/ipv4/af_inet.c) */
			tuple->local_port = 0;
			if (is_zero(tuple->local_address))
				tuple->flags &= (__u8)~WIRE_TUPLE_LOCAL;
		}
		break;
	case AF_UNIX:
		return tuple_from_unix(tuple, sock);
	case AF_NETLINK:
		tuple_from_netlink(tuple, sock);
		break;
	case AF_PACKET:
		tuple_from_packet(tuple, sock);
		break;
	case AF_VSOCK:
		tuple_from_vsock(tuple, sock);
		break;
	}
	return 0;
}

#endif
