/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads a socket's address as the program passed it, or has it after the call, into a struct
 * wire_tuple.
 */
#ifndef HAETAE_BPF_PASSED_H
#define HAETAE_BPF_PASSED_H

#include "sock.h"

/* The first bytes of a sockaddr as words: include/uapi/linux/in.h, in6.h, netlink.h, if_packet.h,
 * vm_sockets.h. */
struct raw_address {
	__u16 family;
	__be16 port;	    /* AF_INET, AF_INET6; AF_PACKET's protocol */
	__u32 word1, word2; /* AF_INET: address; AF_NETLINK: port id, groups; AF_PACKET: interface;
			     * AF_VSOCK: port, cid; AF_INET6: flow, and the address begins */
	__u32 rest[3];
};

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

/* By constant sizes, as far as any family looks: verifiers before 6.2 lose a bound that was tested
 * in a copy of the register. */
static __always_inline bool read_raw(struct raw_address *raw, __u64 address, __u32 length)
{
	if (length >= sizeof(*raw))
		return !bpf_probe_read_user(raw, sizeof(*raw), (void *)address);
	if (length >= 16)
		return !bpf_probe_read_user(raw, 16, (void *)address);
	return length >= 12 && !bpf_probe_read_user(raw, 12, (void *)address);
}

/* The remote end as the program passed it. False: its family could not be read. What is shorter
 * than its family asks stays without an end. `unspecified` is the family that AF_UNSPEC stands
 * for. */
static __always_inline bool tuple_from_user(struct wire_tuple *tuple, __u64 address, __u32 length,
					    __u16 unspecified)
{
	struct raw_address raw = {};
	__u32 *remote = (__u32 *)tuple->remote_address;

	if (length < 2 || bpf_probe_read_user(&raw.family, 2, (void *)address))
		return false;
	if (!raw.family)
		raw.family = unspecified;
	tuple->family = raw.family;
	tuple->flags |= WIRE_TUPLE_RAW;
	if (!read_raw(&raw, address, length))
		return true;
	if (tuple->family == AF_INET && length >= 16) {
		remote[0] = raw.word1;
		tuple->remote_port = __builtin_bswap16(raw.port);
	} else if (tuple->family == AF_INET6 && length >= 24) {
		remote[0] = raw.word2;
		remote[1] = raw.rest[0];
		remote[2] = raw.rest[1];
		remote[3] = raw.rest[2];
		tuple->remote_port = __builtin_bswap16(raw.port);
		if (is_mapped(tuple->remote_address)) {
			tuple->family = AF_INET;
			unmap(tuple->remote_address);
		}
	} else if (tuple->family == AF_NETLINK && length >= 12) {
		remote[0] = raw.word1;
		remote[1] = raw.word2;
	} else if (tuple->family == AF_PACKET && length >= 12) {
		remote[0] = raw.word1;
		tuple->remote_port = __builtin_bswap16(raw.port);
	} else if (tuple->family == AF_VSOCK && length >= 16) {
		remote[0] = raw.word2;
		remote[1] = raw.word1;
	} else {
		return true;
	}
	tuple->flags |= WIRE_TUPLE_REMOTE;
	return true;
}

#endif
