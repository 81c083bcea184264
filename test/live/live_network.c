/* connect: every kind of peer, success and failure. Only 127.0.0.0/8, ::1 and unix sockets. */
#include "live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

struct call {
	int64_t result;
	int fd;
	union address local, remote; /* getsockname(2) afterwards; what was passed */
	socklen_t remote_length;
};

enum {
	TCP4,
	TCP6,
	MAPPED,
	REFUSED,
	NONBLOCKING,
	UDP,
	UNIX,
	ABSTRACT,
	UNIX_ABSENT,
	BAD_FD,
	BAD_POINTER,
	CASES
};

struct shared {
	struct facts facts;
	struct call calls[CASES];
};

static union address make_v4(uint16_t port)
{
	return (union address){ .v4 = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
}

static union address make_v6(const char *text, uint16_t port)
{
	union address address = { .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };

	inet_pton(AF_INET6, text, &address.v6.sin6_addr);
	return address;
}

static int listen_on(union address *address, socklen_t length)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, &address->any, length) < 0 || listen(fd, 8) < 0)
		return -1;
	length = sizeof(*address);
	getsockname(fd, &address->any, &length);
	return fd;
}

static void call(struct call *call, int fd, union address remote, socklen_t length)
{
	socklen_t local = sizeof(call->local);

	call->fd = fd;
	call->remote = remote;
	call->remote_length = length;
	call->result = syscall(SYS_connect, fd, &remote, length);
	if (call->result < 0)
		call->result = -errno;
	getsockname(fd, &call->local.any, &local);
}

static void act(void *data)
{
	struct shared *shared = data;
	union address v4 = make_v4(0), v6 = make_v6("::1", 0), refused = make_v4(0);
	union address path = { .local = { AF_UNIX, "/tmp/haetae-live-socket" } };
	union address hidden = { .local = { AF_UNIX, "\0haetae-live-abstract" } };
	union address absent = { .local = { AF_UNIX, "/tmp/haetae-live-absent" } };
	socklen_t hidden_length = offsetof(struct sockaddr_un, sun_path) + 21;
	int closed;

	unlink(path.local.sun_path);
	listen_on(&v4, sizeof(v4.v4));
	listen_on(&v6, sizeof(v6.v6));
	listen_on(&path, sizeof(path.local));
	path = (union address){ .local = { AF_UNIX, "/tmp/haetae-live-socket" } };
	listen_on(&hidden, hidden_length);
	closed = listen_on(&refused, sizeof(refused.v4));
	close(closed);
	facts_read(&shared->facts);
	call(&shared->calls[TCP4], socket(AF_INET, SOCK_STREAM, 0), v4, sizeof(v4.v4));
	call(&shared->calls[TCP6], socket(AF_INET6, SOCK_STREAM, 0), v6, sizeof(v6.v6));
	call(&shared->calls[MAPPED], socket(AF_INET6, SOCK_STREAM, 0),
	     make_v6("::ffff:127.0.0.1", ntohs(v4.v4.sin_port)), sizeof(v6.v6));
	call(&shared->calls[REFUSED], socket(AF_INET, SOCK_STREAM, 0), refused, sizeof(v4.v4));
	call(&shared->calls[NONBLOCKING], socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), v4,
	     sizeof(v4.v4));
	call(&shared->calls[UDP], socket(AF_INET, SOCK_DGRAM, 0), make_v4(9), sizeof(v4.v4));
	call(&shared->calls[UNIX], socket(AF_UNIX, SOCK_STREAM, 0), path, sizeof(path.local));
	call(&shared->calls[ABSTRACT], socket(AF_UNIX, SOCK_STREAM, 0), hidden, hidden_length);
	call(&shared->calls[UNIX_ABSENT], socket(AF_UNIX, SOCK_STREAM, 0), absent,
	     sizeof(absent.local));
	call(&shared->calls[BAD_FD], 777, v4, sizeof(v4.v4));
	shared->calls[BAD_POINTER].fd = socket(AF_INET, SOCK_STREAM, 0);
	shared->calls[BAD_POINTER].result =
		syscall(SYS_connect, shared->calls[BAD_POINTER].fd, (void *)8, 16) < 0 ? -errno : 0;
	unlink("/tmp/haetae-live-socket");
}

static const struct {
	const char *name;
	int64_t result; /* 1: not checked here */
	int type;	/* SOCK_, 0: absent */
	int family;	/* of the tuple, 0: absent */
	int protocol;
	bool is_raw, has_local;
	const char *path;
} cases[CASES] = {
	[TCP4] = { "TCP over IPv4", 0, SOCK_STREAM, AF_INET, IPPROTO_TCP, false, true, NULL },
	[TCP6] = { "TCP over IPv6", 0, SOCK_STREAM, AF_INET6, IPPROTO_TCP, false, true, NULL },
	[MAPPED] = { "IPv4-mapped", 0, SOCK_STREAM, AF_INET, IPPROTO_TCP, false, true, NULL },
	[REFUSED] = { "refused", -ECONNREFUSED, SOCK_STREAM, AF_INET, IPPROTO_TCP, false, true,
		      NULL },
	[NONBLOCKING] = { "non-blocking", -EINPROGRESS, SOCK_STREAM, AF_INET, IPPROTO_TCP, false,
			  true, NULL },
	[UDP] = { "UDP", 0, SOCK_DGRAM, AF_INET, IPPROTO_UDP, true, true, NULL },
	[UNIX] = { "unix", 0, SOCK_STREAM, AF_UNIX, 0, true, false, "/tmp/haetae-live-socket" },
	[ABSTRACT] = { "abstract unix", 0, SOCK_STREAM, AF_UNIX, 0, true, false,
		       "@haetae-live-abstract" },
	[UNIX_ABSENT] = { "absent unix", -ENOENT, SOCK_STREAM, AF_UNIX, 0, true, false,
			  "/tmp/haetae-live-absent" },
	[BAD_FD] = { "bad descriptor", -EBADF, 0, AF_INET, 0, true, false, NULL },
	[BAD_POINTER] = { "bad pointer", -EFAULT, SOCK_STREAM, 0, 0, false, false, NULL },
};

static uint16_t port_of(const union address *address)
{
	return ntohs(address->any.sa_family == AF_INET ? address->v4.sin_port
						       : address->v6.sin6_port);
}

static void expect_tuple(const struct event *event, unsigned i, const struct call *call)
{
	const char *what = cases[i].name;
	struct wire_tuple tuple = { 0 }, passed = { 0 };
	struct str path, passed_path;

	if (!cases[i].family) {
		expect_absent(event, PARAM_CONNECT_tuple, what);
		expect_absent(event, PARAM_CONNECT_addr, what);
		return;
	}
	cr_assert(event_tuple(event, PARAM_CONNECT_tuple, &tuple, &path), "%s: no tuple", what);
	cr_assert(event_tuple(event, PARAM_CONNECT_addr, &passed, &passed_path), "%s: no addr",
		  what);
	cr_expect(tuple.family == cases[i].family, "%s: family %u", what, tuple.family);
	cr_expect(tuple.l4_protocol == cases[i].protocol, "%s: protocol %u", what,
		  tuple.l4_protocol);
	cr_expect(!!(tuple.flags & WIRE_TUPLE_RAW) == cases[i].is_raw, "%s: flags %x", what,
		  tuple.flags);
	cr_expect(!!(tuple.flags & WIRE_TUPLE_LOCAL) == cases[i].has_local, "%s: flags %x", what,
		  tuple.flags);
	if (cases[i].path) {
		cr_expect(str_eq_text(path, cases[i].path), "%s: path '%.*s'", what, STR_ARG(path));
		cr_expect(str_eq(path, passed_path), "%s: passed '%.*s'", what,
			  STR_ARG(passed_path));
		return;
	}
	cr_expect(tuple.remote_port == port_of(&call->remote), "%s: remote port %u", what,
		  tuple.remote_port);
	cr_expect(passed.remote_port == port_of(&call->remote), "%s: passed port", what);
	if (cases[i].family == AF_INET)
		cr_expect(memcmp(tuple.remote_address, "\x7f\0\0\1", 4) == 0, "%s: address", what);
	else
		cr_expect(memcmp(tuple.remote_address, &call->remote.v6.sin6_addr, 16) == 0,
			  "%s: address", what);
	/* A refused socket has lost its port afterwards; the tuple has it (decision 3). */
	if (cases[i].has_local && call->result != -ECONNREFUSED)
		cr_expect(tuple.local_port == port_of(&call->local), "%s: local port %u, want %u",
			  what, tuple.local_port, port_of(&call->local));
	else if (cases[i].has_local)
		cr_expect(tuple.local_port > 0, "%s: local port", what);
}

Test(live_network, connect, .timeout = 60)
{
	static const char *const names[] = { "connect", NULL };
	struct live live;
	struct shared *shared;

	live_run(&live, &(struct live_options){ .syscalls = names }, act);
	shared = live.shared;
	cr_assert(live_count(&live, EVENT_CONNECT) == CASES, "%u events",
		  live_count(&live, EVENT_CONNECT));
	for (unsigned i = 0; i < CASES; i++) {
		const struct event *event = live_find(&live, EVENT_CONNECT, i);
		const struct call *call = &shared->calls[i];
		const char *what = cases[i].name;

		cr_expect(call->result == cases[i].result, "%s: the case itself: %lld", what,
			  (long long)call->result);
		expect_header(event, &shared->facts, call->result, what);
		expect_number(event, PARAM_CONNECT_res, call->result, what);
		expect_number(event, PARAM_CONNECT_fd, call->fd, what);
		if (cases[i].type)
			expect_number(event, PARAM_CONNECT_socket_type, cases[i].type, what);
		else
			expect_absent(event, PARAM_CONNECT_socket_type, what);
		cr_expect(!(event->header->flags & WIRE_PEER_MISMATCH), "%s: no mismatch", what);
		expect_tuple(event, i, call);
	}
	live_done(&live);
}
