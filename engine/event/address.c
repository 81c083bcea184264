/*
 * Socket addresses as text. No state.
 */
#include <arpa/inet.h>
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

static void put_end(const struct wire_tuple *tuple, const uint8_t address[16], unsigned port,
		    struct buf *out)
{
	address_format(tuple->family, address, out);
	buf_printf(out, ":%u", port);
}

void tuple_format(const struct wire_tuple *tuple, struct str path, struct buf *out)
{
	if (tuple->family == AF_UNIX) {
		buf_put_str(out, path);
		return;
	}
	if (tuple->family != AF_INET && tuple->family != AF_INET6) {
		vocabulary_format(&vocabulary_socket_domain, tuple->family, out);
		return;
	}
	if (tuple->flags & WIRE_TUPLE_LOCAL)
		put_end(tuple, tuple->local_address, tuple->local_port, out);
	if (!(tuple->flags & WIRE_TUPLE_REMOTE))
		return;
	if (tuple->flags & WIRE_TUPLE_LOCAL)
		buf_puts(out, "->");
	put_end(tuple, tuple->remote_address, tuple->remote_port, out);
}
