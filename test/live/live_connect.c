/*
 * connect: both ends against getsockname and getpeername, for TCP and UDP over IPv4 and IPv6,
 * unix sockets, and what fails. Only addresses of the loopback interface.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

#include "live.h"

static const char *const connect_only[] = { "connect", NULL };

enum to {
	TO_LISTENER, /* a TCP socket that takes connections */
	TO_CLOSED,   /* a port that nobody listens on */
	TO_UDP,
	TO_PATH, /* a unix listener in the file system */
	TO_ABSTRACT,
	TO_NO_PATH,
	TO_NOTHING, /* AF_UNSPEC */
	TO_BAD,	    /* no memory */
	TO_SHORT,   /* one byte */
};

enum where {
	ON_SOCKET,
	ON_CLOSED,
	ON_FILE
};

/* clang-format off */
static const struct connect_case {
	const char *name;
	int family, type; /* of the socket */
	const char *address;
	enum to to;
	enum where where;
	int error;
	bool is_nonblocking;
} cases[] = {
	{ "TCP", AF_INET, SOCK_STREAM, "127.0.0.1", TO_LISTENER },
	{ "TCP to another loopback address", AF_INET, SOCK_STREAM, "127.8.9.10", TO_LISTENER },
	{ "TCP refused", AF_INET, SOCK_STREAM, "127.0.0.1", TO_CLOSED, .error = ECONNREFUSED },
	{ "TCP without waiting", AF_INET, SOCK_STREAM, "127.0.0.1", TO_LISTENER, .is_nonblocking = true, .error = EINPROGRESS },
	{ "TCP refused without waiting", AF_INET, SOCK_STREAM, "127.0.0.1", TO_CLOSED, .is_nonblocking = true, .error = EINPROGRESS },
	{ "TCP6", AF_INET6, SOCK_STREAM, "::1", TO_LISTENER },
	{ "TCP6 refused", AF_INET6, SOCK_STREAM, "::1", TO_CLOSED, .error = ECONNREFUSED },
	{ "TCP6 to a mapped address", AF_INET6, SOCK_STREAM, "::ffff:127.0.0.1", TO_LISTENER },
	{ "TCP6 to a mapped address, refused", AF_INET6, SOCK_STREAM, "::ffff:127.0.0.1", TO_CLOSED, .error = ECONNREFUSED },
	{ "TCP to any address", AF_INET, SOCK_STREAM, "0.0.0.0", TO_LISTENER },
	{ "UDP", AF_INET, SOCK_DGRAM, "127.0.0.1", TO_UDP },
	{ "UDP to nobody", AF_INET, SOCK_DGRAM, "127.0.0.1", TO_CLOSED },
	{ "UDP6", AF_INET6, SOCK_DGRAM, "::1", TO_UDP },
	{ "unix", AF_UNIX, SOCK_STREAM, NULL, TO_PATH },
	{ "unix, abstract", AF_UNIX, SOCK_STREAM, NULL, TO_ABSTRACT },
	{ "unix, no such path", AF_UNIX, SOCK_STREAM, NULL, TO_NO_PATH, .error = ENOENT },
	{ "nothing", AF_INET, SOCK_DGRAM, NULL, TO_NOTHING },
	{ "no memory", AF_INET, SOCK_STREAM, NULL, TO_BAD, .error = EFAULT },
	{ "one byte", AF_INET, SOCK_STREAM, NULL, TO_SHORT, .error = EINVAL },
	{ "a closed descriptor", AF_INET, SOCK_STREAM, "127.0.0.1", TO_CLOSED, ON_CLOSED, .error = EBADF },
	{ "a file", AF_INET, SOCK_STREAM, "127.0.0.1", TO_CLOSED, ON_FILE, .error = ENOTSOCK },
};
/* clang-format on */

/* One end as inet_ntop and ntohs give it. */
struct end {
	int family;
	char address[64];
	uint16_t port;
};

struct connect_notes {
	struct facts facts;
	struct {
		int64_t result;
		int fd;
		struct end local, remote, passed;
		char path[110];
	} rows[ARRAY_LEN(cases)];
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

static socklen_t put_address(union address *ret, const char *text, uint16_t port)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(port);
		return sizeof(ret->v4);
	}
	ACTOR_CHECK(inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1);
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(port);
	return sizeof(ret->v6);
}

/* An IPv4-mapped end is told as IPv4 (wire.h). */
static void get_end(const union address *address, struct end *ret)
{
	const void *bytes = &address->v4.sin_addr;

	*ret = (struct end){ .family = address->any.sa_family };
	if (ret->family != AF_INET && ret->family != AF_INET6)
		return;
	ret->port = ntohs(address->v4.sin_port);
	if (ret->family == AF_INET6) {
		bytes = &address->v6.sin6_addr;
		if (IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr)) {
			bytes = &address->v6.sin6_addr.s6_addr[12];
			ret->family = AF_INET;
		}
	}
	ACTOR_CHECK(inet_ntop(ret->family, bytes, ret->address, sizeof(ret->address)));
}

/* A socket of `type` bound to a port that the kernel chose, on all loopback addresses. */
static uint16_t serve(int family, int type, int *ret_fd)
{
	union address address;
	socklen_t length = put_address(&address, family == AF_INET ? "0.0.0.0" : "::1", 0);

	*ret_fd = socket(family, type, 0);
	ACTOR_CHECK(*ret_fd >= 0);
	ACTOR_CHECK(bind(*ret_fd, &address.any, length) == 0);
	ACTOR_CHECK(type != SOCK_STREAM || listen(*ret_fd, 8) == 0);
	ACTOR_CHECK(getsockname(*ret_fd, &address.any, &length) == 0);
	return ntohs(address.v4.sin_port);
}

/* Where a case connects to. Returns the server's descriptor, to be closed afterwards, or -1. */
static int put_target(const struct connect_case *row, union address *ret, socklen_t *ret_length)
{
	int family = row->address && strchr(row->address, ':') && !strchr(row->address, '.')
			     ? AF_INET6
			     : AF_INET;
	int fd = -1;
	uint16_t port = 1;

	memset(ret, 0, sizeof(*ret));
	switch (row->to) {
	case TO_LISTENER:
	case TO_CLOSED:
	case TO_UDP:
		port = serve(family, row->to == TO_UDP ? SOCK_DGRAM : SOCK_STREAM, &fd);
		*ret_length = put_address(ret, row->address, port);
		if (row->to == TO_CLOSED)
			close_fdp(&fd);
		return fd;
	case TO_PATH:
	case TO_ABSTRACT:
	case TO_NO_PATH:
		ret->local.sun_family = AF_UNIX;
		strcpy(ret->local.sun_path + (row->to == TO_ABSTRACT),
		       row->to == TO_NO_PATH ? "none" : "haetae-live");
		*ret_length = (socklen_t)(sizeof(sa_family_t) + (row->to == TO_ABSTRACT) +
					  strlen(row->to == TO_NO_PATH ? "none" : "haetae-live"));
		if (row->to == TO_NO_PATH)
			return -1;
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		ACTOR_CHECK(bind(fd, &ret->any, *ret_length) == 0 && listen(fd, 8) == 0);
		return fd;
	case TO_NOTHING:
		*ret_length = sizeof(ret->v4);
		return -1;
	case TO_BAD:
		*ret_length = sizeof(ret->v4);
		return -1;
	case TO_SHORT:
		*ret_length = 1;
		return -1;
	}
	return -1;
}

static int make_socket(const struct connect_case *row)
{
	int fd;

	if (row->where == ON_CLOSED)
		return 999;
	if (row->where == ON_FILE)
		return open("/dev/null", O_RDONLY);
	fd = socket(row->family, row->type | (row->is_nonblocking ? SOCK_NONBLOCK : 0), 0);
	ACTOR_CHECK(fd >= 0);
	return fd;
}

static void connect_act(void *data)
{
	struct connect_notes *notes = data;

	facts_read(&notes->facts);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct connect_case *row = &cases[i];
		union address target, own;
		socklen_t length = 0, own_length = sizeof(own);
		int server = put_target(row, &target, &length), fd = make_socket(row);
		int64_t result;

		memset(&own, 0, sizeof(own));
		notes->rows[i].fd = fd;
		get_end(&target, &notes->rows[i].passed);
		live_mark(i);
		result = syscall(SYS_connect, fd, row->to == TO_BAD ? (void *)8 : (void *)&target,
				 length);
		notes->rows[i].result = result < 0 ? -errno : result;
		live_mark(LIVE_NO_MARK);
		if (getsockname(fd, &own.any, &own_length) == 0)
			get_end(&own, &notes->rows[i].local);
		own_length = sizeof(own);
		if (result == 0 && getpeername(fd, &own.any, &own_length) == 0)
			get_end(&own, &notes->rows[i].remote);
		close(fd);
		close_fdp(&server);
	}
}

static bool get_tuple(const struct event *event, unsigned param, struct wire_tuple *ret,
		      struct end *ret_local, struct end *ret_remote, struct str *ret_path)
{
	if (!event_tuple(event, param, ret, ret_path))
		return false;
	*ret_local = (struct end){ ret->family, "", ret->local_port };
	*ret_remote = (struct end){ ret->family, "", ret->remote_port };
	if (ret->family == AF_INET || ret->family == AF_INET6) {
		inet_ntop(ret->family, ret->local_address, ret_local->address, 64);
		inet_ntop(ret->family, ret->remote_address, ret_remote->address, 64);
	}
	return true;
}

static void expect_end(const struct end *is, const struct end *want, const char *end,
		       const char *name)
{
	cr_expect(is->family == want->family && is->port == want->port &&
			  strcmp(is->address, want->address) == 0,
		  "%s: the %s end is %d %s:%u, not %d %s:%u", name, end, is->family, is->address,
		  is->port, want->family, want->address, want->port);
}

static void check_inet(const struct connect_notes *notes, const struct event *event, size_t i)
{
	const struct connect_case *row = &cases[i];
	const struct end *passed = &notes->rows[i].passed;
	bool is_done = notes->rows[i].result == 0 || notes->rows[i].result == -EINPROGRESS;
	bool is_tcp = row->type == SOCK_STREAM;
	struct wire_tuple tuple;
	struct end local, remote;
	struct str path;

	cr_assert(get_tuple(event, PARAM_CONNECT_addr, &tuple, &local, &remote, &path), "%s",
		  row->name);
	cr_expect(tuple.flags & WIRE_TUPLE_RAW, "%s", row->name);
	expect_end(&remote, passed, "passed", row->name);
	cr_assert(get_tuple(event, PARAM_CONNECT_tuple, &tuple, &local, &remote, &path), "%s",
		  row->name);
	if (row->where != ON_SOCKET) { /* only what the caller says is known */
		expect_end(&remote, passed, "remote", row->name);
		cr_expect_eq(tuple.flags, WIRE_TUPLE_RAW | WIRE_TUPLE_REMOTE | WIRE_TUPLE_CLIENT,
			     "%s", row->name);
		return;
	}
	cr_expect_eq(tuple.l4_protocol, is_tcp ? IPPROTO_TCP : IPPROTO_UDP, "%s", row->name);
	cr_expect(tuple.flags & WIRE_TUPLE_LOCAL && tuple.flags & WIRE_TUPLE_REMOTE, "%s",
		  row->name);
	cr_expect_eq(!!(tuple.flags & WIRE_TUPLE_RAW), !is_tcp, "%s: flags 0x%x", row->name,
		     tuple.flags);
	/* 0.0.0.0 is connected to the loopback address; getpeername knows, the caller didn't say.
	 */
	expect_end(&remote, notes->rows[i].remote.family ? &notes->rows[i].remote : passed,
		   "remote", row->name);
	if (is_done)
		expect_end(&local, &notes->rows[i].local, "local", row->name);
	else /* the refused socket has lost its port, the record has it (decision 3) */
		cr_expect_neq(local.port, 0, "%s", row->name);
}

static void check_unix(const struct event *event, size_t i)
{
	static const char *const paths[] = {
		[TO_PATH] = "haetae-live", [TO_ABSTRACT] = "@haetae-live", [TO_NO_PATH] = "none"
	};
	static const unsigned params[] = { PARAM_CONNECT_addr, PARAM_CONNECT_tuple };

	for (size_t at = 0; at < ARRAY_LEN(params); at++) {
		struct wire_tuple tuple;
		struct end local, remote;
		struct str path;

		cr_assert(get_tuple(event, params[at], &tuple, &local, &remote, &path), "%s",
			  cases[i].name);
		cr_expect_eq(tuple.family, AF_UNIX, "%s", cases[i].name);
		cr_expect(str_eq_text(path, paths[cases[i].to]), "%s: %.*s", cases[i].name,
			  STR_ARG(path));
	}
}

/* connect(AF_UNSPEC) ends an association: there is an address, and it has no family. */
static void check_unspecified(const struct event *event, const char *name)
{
	struct wire_tuple tuple;
	struct str path;

	cr_assert(event_tuple(event, PARAM_CONNECT_addr, &tuple, &path), "%s", name);
	cr_expect_eq(tuple.family, AF_UNSPEC, "%s: %u", name, tuple.family);
	expect_absent(event, PARAM_CONNECT_tuple, name);
}

static void check_one(struct live *live, size_t i)
{
	const struct connect_case *row = &cases[i];
	const struct connect_notes *notes = live->shared;
	const struct event *event = live_marked(live, i, EVENT_CONNECT);

	cr_expect_eq(live_count_marked(live, i, EVENT_CODE_NEVER), 1, "%s", row->name);
	cr_assert_not_null(event, "%s", row->name);
	cr_expect_eq(notes->rows[i].result, -row->error, "%s: the call gave %lld", row->name,
		     (long long)notes->rows[i].result);
	expect_header(event, &notes->facts, notes->rows[i].result, row->name);
	cr_expect_eq(event->header->flags & WIRE_PEER_MISMATCH, 0, "%s", row->name);
	expect_number(event, PARAM_CONNECT_res, notes->rows[i].result, row->name);
	expect_number(event, PARAM_CONNECT_fd, notes->rows[i].fd, row->name);
	if (row->where == ON_SOCKET)
		expect_number(event, PARAM_CONNECT_socket_type, row->type, row->name);
	else
		expect_absent(event, PARAM_CONNECT_socket_type, row->name);
	if (row->address)
		check_inet(notes, event, i);
	else if (row->family == AF_UNIX)
		check_unix(event, i);
	else if (row->to == TO_NOTHING)
		check_unspecified(event, row->name);
	else if (row->to == TO_BAD || row->to == TO_SHORT)
		expect_absent(event, PARAM_CONNECT_addr, row->name);
	cr_expect_eq(!!(event->header->flags & WIRE_FAULT), row->to == TO_BAD, "%s: flags 0x%x",
		     row->name, event->header->flags);
}

Test(live_connect, every_parameter_is_what_libc_says, .timeout = 300)
{
	struct live live;

	live_run(&live,
		 &(struct live_options){ .syscalls = connect_only,
					 .shared_bytes = sizeof(struct connect_notes) },
		 connect_act);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_one(&live, i);
	live_done(&live);
}

/* ---- another socket behind the descriptor (decision 3) ----------------------------------------
 */

struct swap_notes {
	struct end real;
};

struct swap {
	int fd, decoy;
};

/* Puts the decoy behind the descriptor while the connection waits for its answer. */
static void *swap_run(void *data)
{
	const struct swap *swap = data;

	usleep(300000);
	ACTOR_CHECK(dup2(swap->decoy, swap->fd) == swap->fd);
	return NULL;
}

static void swap_act(void *data)
{
	struct swap_notes *notes = data;
	union address target;
	int server, filler, fd = socket(AF_INET, SOCK_STREAM, 0);
	struct swap swap = { fd, socket(AF_INET, SOCK_STREAM, 0) };
	struct timeval patience = { .tv_sec = 2 };
	pthread_t thread;
	socklen_t length;
	uint16_t port = serve(AF_INET, SOCK_STREAM, &server);

	/* A full backlog: the next connection waits for an answer until its time is up. */
	ACTOR_CHECK(listen(server, 0) == 0);
	length = put_address(&target, "127.0.0.1", port);
	get_end(&target, &notes->real);
	filler = socket(AF_INET, SOCK_STREAM, 0);
	ACTOR_CHECK(connect(filler, &target.any, length) == 0);
	ACTOR_CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0);
	ACTOR_CHECK(pthread_create(&thread, NULL, swap_run, &swap) == 0);
	live_mark(1);
	(void)syscall(SYS_connect, fd, &target, length);
	live_mark(2);
	ACTOR_CHECK(pthread_join(thread, NULL) == 0);
}

Test(live_connect, a_swapped_descriptor_does_not_hide_the_peer, .timeout = 300)
{
	struct live live;
	const struct swap_notes *notes;
	const struct event *event;
	struct wire_tuple tuple;
	struct end local, remote;
	struct str path;

	live_run(&live,
		 &(struct live_options){ .syscalls = connect_only, .shared_bytes = sizeof(*notes) },
		 swap_act);
	notes = live.shared;
	event = live_marked(&live, 1, EVENT_CONNECT);
	cr_assert_not_null(event);
	cr_assert(get_tuple(event, PARAM_CONNECT_tuple, &tuple, &local, &remote, &path));
	expect_end(&remote, &notes->real, "remote", "swapped");
	cr_expect(event->header->flags & WIRE_PEER_MISMATCH);
	live_done(&live);
}

/* ---- an interrupted connection ------------------------------------------------------------------
 */

static void on_alarm(int signal_number)
{
	(void)signal_number;
}

/* The server's backlog is full, so the call waits until the alarm ends it; the connection then goes
 * on without another call. */
static void interrupted_act(void *data)
{
	struct swap_notes *notes = data;
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval soon = { .it_value.tv_usec = 200000 };
	int server, fillers[2], fd = socket(AF_INET, SOCK_STREAM, 0);
	union address target;
	socklen_t length;
	uint16_t port = serve(AF_INET, SOCK_STREAM, &server);

	ACTOR_CHECK(listen(server, 0) == 0);
	length = put_address(&target, "127.0.0.1", port);
	get_end(&target, &notes->real);
	for (size_t i = 0; i < ARRAY_LEN(fillers); i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ACTOR_CHECK(connect(fillers[i], &target.any, length) < 0 && errno == EINPROGRESS);
	}
	ACTOR_CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	ACTOR_CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	live_mark(1);
	ACTOR_CHECK(syscall(SYS_connect, fd, &target, length) < 0 && errno == EINTR);
	live_mark(2);
}

/* Without it a program that lets an alarm interrupt each of its connections is not seen. */
Test(live_connect, an_interrupted_connection_is_seen, .timeout = 300)
{
	struct live live;
	const struct swap_notes *notes;
	const struct event *event;
	struct wire_tuple tuple;
	struct end local, remote;
	struct str path;

	live_run(&live,
		 &(struct live_options){ .syscalls = connect_only, .shared_bytes = sizeof(*notes) },
		 interrupted_act);
	notes = live.shared;
	event = live_marked(&live, 1, EVENT_CONNECT);
	cr_assert_not_null(event);
	expect_number(event, PARAM_CONNECT_res, -EINTR, "interrupted");
	cr_assert(get_tuple(event, PARAM_CONNECT_tuple, &tuple, &local, &remote, &path));
	expect_end(&remote, &notes->real, "remote", "interrupted");
	live_done(&live);
}
