/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * As kernel.h: the kernel's sockets.
 */
#ifndef HAETAE_BPF_KERNEL_NET_H
#define HAETAE_BPF_KERNEL_NET_H

#define AF_UNIX		   1 /* include/linux/socket.h */
#define AF_INET		   2
#define AF_INET6	   10
#define AF_NETLINK	   16
#define AF_PACKET	   17
#define AF_VSOCK	   40
#define SOCK_STREAM	   1 /* include/linux/net.h */
#define SOCK_RAW	   3
#define SOCK_SEQPACKET	   5
#define SOCK_BINDADDR_LOCK 4 /* include/net/sock.h */
#define SOCK_BINDPORT_LOCK 8
#define TCP_ESTABLISHED	   1 /* include/net/tcp_states.h */
#define TCP_SYN_SENT	   2
#define TCP_FIN_WAIT1	   4
#define TCP_FIN_WAIT2	   5
#define TCP_CLOSE_WAIT	   8
#define TCP_LAST_ACK	   9
#define TCP_CLOSING	   11

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	union {
		__u8 u6_addr8[16];
		__be32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sk_buff_head {
	__u32 qlen;
};

struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	__u16 sk_protocol; /* 5.6 made it a whole u16 */
	__u8 sk_userlocks; /* four bits of a byte until 6.6 */
	__u32 sk_ack_backlog, sk_max_ack_backlog;
	struct socket *sk_socket;
};

struct inet_sock {
	__be16 inet_sport;
};

struct socket {
	short type;
	struct file *file;
	struct sock *sk;
};

struct sockaddr_un {
	__u16 sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[1];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct netlink_sock {
	__u32 portid, dst_portid, dst_group;
	__u32 ngroups;
	unsigned long *groups;
};

struct packet_sock {
	int ifindex;
	__be16 num;
};

#pragma clang attribute pop

#endif
