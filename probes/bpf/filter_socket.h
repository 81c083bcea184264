/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel filter's last part: the two ends of a socket, when the record has them.
 */
#ifndef HAETAE_BPF_FILTER_SOCKET_H
#define HAETAE_BPF_FILTER_SOCKET_H

#include "filter_call.h"
#include "kernel_net.h"

static __always_inline __u64 filter_address(__u32 type, __u16 family, const __u8 address[16])
{
	struct filter_address_key key = { .prefix_bits = FILTER_NET_BITS,
					  .type = (__u16)type,
					  .family = family };
	__u64 *mask;

	key.prefix_bits += family == AF_INET ? 32 : 128;
	__builtin_memcpy(key.address, address, sizeof(key.address));
	mask = bpf_map_lookup_elem(&filter_addresses, &key);
	return mask ? *mask : 0;
}

/* The clauses that the ends leave possible. */
static __always_inline __u64 filter_socket(const struct frame *frame,
					   const struct wire_tuple *tuple)
{
	__u32 type = frame->type;
	const struct filter_type *filter = bpf_map_lookup_elem(&filter_types, &type);
	__u64 possible = frame->undecided, found;

	if (!filter)
		return possible;
	if (possible & filter->by_family)
		possible &= filter_number(type, FILTER_FAMILY, tuple->family, filter->family_else);
	if (possible & filter->by_port) {
		found = filter_number(type, FILTER_PORT, tuple->local_port, 0) |
			filter_number(type, FILTER_PORT, tuple->remote_port, 0);
		possible &= found | ~filter->by_port;
	}
	if (possible & filter->by_address) {
		found = filter_address(type, tuple->family, tuple->local_address) |
			filter_address(type, tuple->family, tuple->remote_address);
		possible &= found | ~filter->by_address;
	}
	return possible;
}

#endif
