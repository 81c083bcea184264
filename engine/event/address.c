/*
 * Socket addresses as text. No state.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>

#include "event_private.h"

void address_format(unsigned family, const uint8_t address[16], struct buf *out)
{
	char text[INET6_ADDRSTRLEN];

	/* glibc prints IPv6 as RFC 5952 asks: lower case, the longest run of zeros shortened. */
	if ((family == AF_INET || family == AF_INET6) &&
	    inet_ntop((int)family, address, text, sizeof(text)))
		buf_puts(out, text);
}

static uint32_t word_of(const uint8_t address[16], size_t i)
{
	uint32_t word;

	memcpy(&word, address + i * sizeof(word), sizeof(word));
	return word;
}

/* One end as wire.h lays it out; a family that is not here has its ends in no known form. */
static void put_end(const struct wire_tuple *tuple, const uint8_t address[16], unsigned port,
		    struct buf *out)
{
	uint64_t inode;

	switch (tuple->family) {
	case AF_UNIX:
		memcpy(&inode, address, sizeof(inode));
		buf_printf(out, "%" PRIu64, inode);
		return;
	case AF_NETLINK:
		buf_printf(out, "%" PRIu32, word_of(address, 0));
		if (word_of(address, 1))
			buf_printf(out, "/%" PRIx32, word_of(address, 1));
		return;
	case AF_PACKET:
		buf_printf(out, "if%" PRIu32 ":%04x", word_of(address, 0), port);
		return;
	case AF_VSOCK: /* -1 is any */
		buf_printf(out, "%" PRId32 ":%" PRIu32, (int32_t)word_of(address, 0),
			   word_of(address, 1));
		return;
	default:
		address_format(tuple->family, address, out);
		buf_printf(out, ":%u", port);
	}
}

void tuple_format(const struct wire_tuple *tuple, struct str path, struct buf *out)
{
	bool is_both = tuple->flags & WIRE_TUPLE_LOCAL && tuple->flags & WIRE_TUPLE_REMOTE;

	switch (tuple->family) {
	case AF_INET:
	case AF_INET6:
		break;
	case AF_NETLINK:
	case AF_PACKET:
	case AF_VSOCK:
		if (tuple->flags & (WIRE_TUPLE_LOCAL | WIRE_TUPLE_REMOTE))
			break;
		vocabulary_format(&vocabulary_socket_domain, tuple->family, out);
		return;
	case AF_UNIX: /* an end that has no socket is 0 */
		if (!(tuple->flags & WIRE_TUPLE_LOCAL)) {
			buf_put_str(out, path);
			return;
		}
		is_both = true;
		break;
	default:
		vocabulary_format(&vocabulary_socket_domain, tuple->family, out);
		return;
	}
	if (tuple->flags & WIRE_TUPLE_LOCAL)
		put_end(tuple, tuple->local_address, tuple->local_port, out);
	if (is_both)
		buf_puts(out, "->");
	if (is_both || tuple->flags & WIRE_TUPLE_REMOTE)
		put_end(tuple, tuple->remote_address, tuple->remote_port, out);
	if (tuple->family == AF_UNIX && path.n) {
		buf_putc(out, ' ');
		buf_put_str(out, path);
	}
}
