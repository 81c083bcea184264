/*
 * Who is at the other end, and who began: first datagrams, connected ones, servers and clients,
 * sockets that another thread exchanges, several messages in one call. Only the loopback interface.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "live.h"

#define KNOWN	  (WIRE_TUPLE_LOCAL | WIRE_TUPLE_REMOTE)
#define CLIENT	  WIRE_TUPLE_CLIENT
#define SERVER	  WIRE_TUPLE_SERVER
#define NEW	  WIRE_TUPLE_NEW
#define RAW	  WIRE_TUPLE_RAW
#define CONNECTED WIRE_TUPLE_CONNECTED

enum step {
	STEP_SEND, /* to a server */
	STEP_SEND_AGAIN,
	STEP_SEND_OTHER,
	STEP_SERVE, /* what came there first */
	STEP_SERVE_AGAIN,
	STEP_ANSWER,
	STEP_TAKE_ANSWER,
	STEP_UNSPECIFIED, /* AF_UNSPEC means AF_INET to the kernel */
	STEP_CONNECT,	  /* a datagram socket */
	STEP_SEND_CONNECTED,
	STEP_SEND_BESIDE, /* to somebody else than it is connected to */
	STEP_DISCONNECT,
	STEP_SEND_DISCONNECTED,
	STEP_MANY, /* sendmmsg to four, of whom two are new */
	STEP_MANY_AGAIN,
	STEP_FAST_OPEN,
	STEP_STREAM_SEND,
	STEP_ACCEPT,
	STEP_STREAM_READ,
	STEP_NO_WAIT, /* a connect that goes on */
	STEP_NO_WAIT_ENDS,
	STEP_UNIX,
	STEP_UNIX_ACCEPT,
	STEP_UNIX_SEND,
	STEP__COUNT
};

static const char *const names[] = { "connect", "accept4",  "sendto", "recvfrom",
				     "read",	"sendmmsg", "accept", NULL };

struct notes {
	int64_t results[STEP__COUNT];
	struct {
		uint64_t local, remote; /* ports, or inodes */
	} rows[STEP__COUNT];
	uint16_t many[4]; /* ports that sendmmsg sent to */
};

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);

	ACTOR_CHECK(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
	return ntohs(address.sin_port);
}

/* A socket with a port that the kernel chose at bind. */
static int bound(int type)
{
	struct sockaddr_in address = loopback(0);
	int fd = socket(AF_INET, type, 0);

	ACTOR_CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	ACTOR_CHECK((type & SOCK_DGRAM) || listen(fd, 4) == 0);
	return fd;
}

static void note(struct notes *notes, enum step step, int64_t result, uint64_t local,
		 uint64_t remote)
{
	live_mark(LIVE_NO_MARK);
	notes->results[step] = result < 0 ? -errno : result;
	notes->rows[step].local = local;
	notes->rows[step].remote = remote;
}

static int64_t send_to(int fd, uint16_t port, int flags)
{
	struct sockaddr_in address = loopback(port);

	return sendto(fd, "x", 1, flags, (struct sockaddr *)&address, sizeof(address));
}

static int64_t receive(int fd)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	char byte;

	return recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&address, &length);
}

static void act_datagrams(struct notes *notes)
{
	int server = bound(SOCK_DGRAM), other = bound(SOCK_DGRAM), fd;
	uint16_t port = port_of(server), port_other = port_of(other), own;

	/* Bound to nothing, so that the first send chooses its port: a client. */
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	live_mark(STEP_SEND);
	notes->results[STEP_SEND] = send_to(fd, port, 0);
	own = port_of(fd);
	note(notes, STEP_SEND, 1, own, port);
	live_mark(STEP_SEND_AGAIN);
	note(notes, STEP_SEND_AGAIN, send_to(fd, port, 0), own, port);
	live_mark(STEP_SEND_OTHER);
	note(notes, STEP_SEND_OTHER, send_to(fd, port_other, 0), own, port_other);
	live_mark(STEP_SERVE);
	note(notes, STEP_SERVE, receive(server), port, own);
	live_mark(STEP_SERVE_AGAIN);
	note(notes, STEP_SERVE_AGAIN, receive(server), port, own);
	live_mark(STEP_ANSWER);
	note(notes, STEP_ANSWER, send_to(server, own, 0), port, own);
	live_mark(STEP_TAKE_ANSWER);
	note(notes, STEP_TAKE_ANSWER, receive(fd), own, port);
}

static void act_unspecified(struct notes *notes)
{
	int server = bound(SOCK_DGRAM), fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in address = loopback(port_of(server));
	int64_t result;

	address.sin_family = AF_UNSPEC;
	live_mark(STEP_UNSPECIFIED);
	result = sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof(address));
	note(notes, STEP_UNSPECIFIED, result, port_of(fd), port_of(server));
}

static void act_connected(struct notes *notes)
{
	int server = bound(SOCK_DGRAM), other = bound(SOCK_DGRAM);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint16_t port = port_of(server), own;
	struct sockaddr_in address = loopback(port);
	int64_t result;

	live_mark(STEP_CONNECT);
	result = connect(fd, (struct sockaddr *)&address, sizeof(address));
	own = port_of(fd);
	note(notes, STEP_CONNECT, result, own, port);
	live_mark(STEP_SEND_CONNECTED);
	note(notes, STEP_SEND_CONNECTED, send(fd, "x", 1, 0), own, port);
	live_mark(STEP_SEND_BESIDE);
	note(notes, STEP_SEND_BESIDE, send_to(fd, port_of(other), 0), own, port_of(other));
	address.sin_family = AF_UNSPEC;
	live_mark(STEP_DISCONNECT);
	note(notes, STEP_DISCONNECT, connect(fd, (struct sockaddr *)&address, sizeof(address)), 0,
	     0);
	live_mark(STEP_SEND_DISCONNECTED);
	result = send_to(fd, port, 0);
	note(notes, STEP_SEND_DISCONNECTED, result, port_of(fd), port);
}

/* To one that is known, to a new one, to that again, and to another new one. */
static void act_many(struct notes *notes)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct iovec vector = { (char[]){ "abcd" }, 4 };
	struct sockaddr_in addresses[4];
	struct mmsghdr messages[4];
	int64_t result;

	for (int i = 0; i < 4; i++) {
		notes->many[i] = i == 2 ? notes->many[1] : port_of(bound(SOCK_DGRAM));
		addresses[i] = loopback(notes->many[i]);
		messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &addresses[i],
							     .msg_namelen = sizeof(addresses[i]),
							     .msg_iov = &vector,
							     .msg_iovlen = 1 } };
	}
	ACTOR_CHECK(send_to(fd, notes->many[0], 0) == 1);
	live_mark(STEP_MANY);
	result = sendmmsg(fd, messages, 4, 0);
	note(notes, STEP_MANY, result, port_of(fd), notes->many[0]);
	live_mark(STEP_MANY_AGAIN);
	note(notes, STEP_MANY_AGAIN, sendmmsg(fd, messages, 4, 0), port_of(fd), notes->many[0]);
}

static void act_streams(struct notes *notes)
{
	int listener = bound(SOCK_STREAM), fd = socket(AF_INET, SOCK_STREAM, 0), served;
	struct sockaddr_in address = loopback(port_of(listener));
	struct pollfd poll_fd;
	int64_t result;
	char byte;

	live_mark(STEP_FAST_OPEN);
	result = send_to(fd, port_of(listener), MSG_FASTOPEN);
	note(notes, STEP_FAST_OPEN, result, port_of(fd), port_of(listener));
	live_mark(STEP_STREAM_SEND);
	result = send(fd, "y", 1, 0);
	note(notes, STEP_STREAM_SEND, result, port_of(fd), port_of(listener));
	live_mark(STEP_ACCEPT);
	served = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	note(notes, STEP_ACCEPT, served, port_of(listener), port_of(fd));
	live_mark(STEP_STREAM_READ);
	note(notes, STEP_STREAM_READ, read(served, &byte, 1), port_of(listener), port_of(fd));

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	live_mark(STEP_NO_WAIT);
	result = connect(fd, (struct sockaddr *)&address, sizeof(address));
	note(notes, STEP_NO_WAIT, result, port_of(fd), port_of(listener));
	poll_fd = (struct pollfd){ .fd = fd, .events = POLLOUT };
	ACTOR_CHECK(poll(&poll_fd, 1, 5000) == 1);
	live_mark(STEP_NO_WAIT_ENDS);
	result = connect(fd, (struct sockaddr *)&address, sizeof(address));
	note(notes, STEP_NO_WAIT_ENDS, result, port_of(fd), port_of(listener));
}

static uint64_t inode_of(int fd)
{
	struct stat status;

	ACTOR_CHECK(fstat(fd, &status) == 0);
	return status.st_ino;
}

static void act_unix(struct notes *notes)
{
	struct sockaddr_un address = { AF_UNIX, "peers" };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int64_t served;

	ACTOR_CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	ACTOR_CHECK(listen(listener, 4) == 0);
	live_mark(STEP_UNIX);
	served = connect(fd, (struct sockaddr *)&address, sizeof(address));
	note(notes, STEP_UNIX, served, inode_of(fd), 0);
	live_mark(STEP_UNIX_ACCEPT);
	served = accept(listener, NULL, NULL);
	note(notes, STEP_UNIX_ACCEPT, served, inode_of((int)served), inode_of(fd));
	live_mark(STEP_UNIX_SEND);
	note(notes, STEP_UNIX_SEND, send(fd, "z", 1, 0), inode_of(fd), inode_of((int)served));
}

static void act(void *data)
{
	struct notes *notes = data;

	act_datagrams(notes);
	act_unspecified(notes);
	act_connected(notes);
	act_many(notes);
	act_streams(notes);
	act_unix(notes);
}

/* clang-format off */
static const struct {
	const char *name;
	enum event_type type;
	unsigned flags;
} steps[] = {
	[STEP_SEND] = { "the first datagram", EVENT_SENDTO, KNOWN | RAW | CLIENT | NEW },
	[STEP_SEND_AGAIN] = { "another one", EVENT_SENDTO, KNOWN | RAW | CLIENT },
	[STEP_SEND_OTHER] = { "to somebody else", EVENT_SENDTO, KNOWN | RAW | CLIENT | NEW },
	[STEP_SERVE] = { "the first that comes", EVENT_RECVFROM, KNOWN | RAW | SERVER | NEW },
	[STEP_SERVE_AGAIN] = { "the second", EVENT_RECVFROM, KNOWN | RAW | SERVER },
	[STEP_ANSWER] = { "an answer", EVENT_SENDTO, KNOWN | RAW | SERVER },
	[STEP_TAKE_ANSWER] = { "an answer that comes", EVENT_RECVFROM, KNOWN | RAW | CLIENT },
	[STEP_UNSPECIFIED] = { "AF_UNSPEC", EVENT_SENDTO, KNOWN | RAW | CLIENT | NEW },
	[STEP_CONNECT] = { "a datagram socket is connected", EVENT_CONNECT, KNOWN | RAW | CLIENT | NEW | CONNECTED },
	[STEP_SEND_CONNECTED] = { "it sends", EVENT_SENDTO, KNOWN | CLIENT | CONNECTED },
	[STEP_SEND_BESIDE] = { "it sends to somebody else", EVENT_SENDTO, KNOWN | RAW | CLIENT | NEW | CONNECTED },
	[STEP_DISCONNECT] = { "it is disconnected", EVENT_CONNECT, RAW | CLIENT },
	[STEP_SEND_DISCONNECTED] = { "and sends", EVENT_SENDTO, KNOWN | RAW | CLIENT | NEW },
	[STEP_MANY] = { "several messages", EVENT_SENDMMSG, KNOWN | RAW | CLIENT },
	[STEP_MANY_AGAIN] = { "the same again", EVENT_SENDMMSG, KNOWN | RAW | CLIENT },
	[STEP_FAST_OPEN] = { "fast open", EVENT_SENDTO, KNOWN | CLIENT | NEW | CONNECTED },
	[STEP_STREAM_SEND] = { "a stream", EVENT_SENDTO, KNOWN | CLIENT | CONNECTED },
	[STEP_ACCEPT] = { "accept4", EVENT_ACCEPT4, KNOWN | SERVER | NEW | CONNECTED },
	[STEP_STREAM_READ] = { "read", EVENT_READ, KNOWN | SERVER | CONNECTED },
	[STEP_NO_WAIT] = { "without waiting", EVENT_CONNECT, KNOWN | CLIENT | NEW },
	[STEP_NO_WAIT_ENDS] = { "without waiting, the end", EVENT_CONNECT, KNOWN | CLIENT | NEW | CONNECTED },
	[STEP_UNIX] = { "unix", EVENT_CONNECT, KNOWN | CLIENT | NEW | CONNECTED },
	[STEP_UNIX_ACCEPT] = { "unix, accept", EVENT_ACCEPT, KNOWN | SERVER | NEW | CONNECTED },
	[STEP_UNIX_SEND] = { "unix, send", EVENT_SENDTO, KNOWN | CLIENT | CONNECTED },
};
/* clang-format on */

static void read_tuple(const struct event *event, const char *name, struct wire_tuple *ret)
{
	int param = event_roles_of(event->schema)->tuple;
	struct str path;

	cr_assert(param >= 0 && event_tuple(event, (unsigned)param, ret, &path), "%s: no tuple",
		  name);
}

static void check_step(const struct live *live, enum step step)
{
	const struct notes *notes = live->shared;
	const char *name = steps[step].name;
	const struct event *event = live_marked(live, step, steps[step].type);
	uint64_t local, remote;
	struct wire_tuple tuple;

	cr_assert_not_null(event, "%s: the call gave %lld", name, (long long)notes->results[step]);
	cr_expect_eq(event->header->result, notes->results[step], "%s", name);
	cr_expect_eq(event->header->flags & WIRE_PEER_MISMATCH, 0, "%s", name);
	/* The address as passed holds what ends a connection: no ends. */
	if (step == STEP_DISCONNECT) {
		expect_absent(event, PARAM_CONNECT_tuple, name);
		return;
	}
	read_tuple(event, name, &tuple);
	if (step == STEP_NO_WAIT) /* over the loopback interface it may be done by now */
		tuple.flags &= (uint8_t)~CONNECTED;
	cr_expect_eq(tuple.flags, steps[step].flags, "%s: flags 0x%x, not 0x%x", name, tuple.flags,
		     steps[step].flags);
	local = tuple.local_port;
	remote = tuple.remote_port;
	if (tuple.family == AF_UNIX) {
		memcpy(&local, tuple.local_address, sizeof(local));
		memcpy(&remote, tuple.remote_address, sizeof(remote));
	} else {
		cr_expect_eq(tuple.family, AF_INET, "%s: %u", name, tuple.family);
		cr_expect(memcmp(tuple.remote_address, "\x7f\0\0\1", 4) == 0, "%s", name);
	}
	cr_expect(local == notes->rows[step].local && remote == notes->rows[step].remote,
		  "%s: %llu to %llu, not %llu to %llu", name, (unsigned long long)local,
		  (unsigned long long)remote, (unsigned long long)notes->rows[step].local,
		  (unsigned long long)notes->rows[step].remote);
}

/* The n-th event between the step's marks. */
static const struct event *nth_marked(const struct live *live, enum step step, unsigned n)
{
	bool is_inside = false;

	for (uint32_t i = 0; i < live->event_cnt; i++) {
		const struct event *event = live->events[i];
		const struct event *first = live_marked(live, step, steps[step].type);

		is_inside |= event == first;
		if (is_inside && event->code == (unsigned)steps[step].type && n-- == 0)
			return event;
	}
	return NULL;
}

static void check_many(const struct live *live)
{
	const struct notes *notes = live->shared;
	static const unsigned sent_to[] = { 0, 1, 3 };

	cr_expect_eq(live_count_marked(live, STEP_MANY, EVENT_SENDMMSG), 3, "%u events",
		     live_count_marked(live, STEP_MANY, EVENT_SENDMMSG));
	cr_expect_eq(live_count_marked(live, STEP_MANY_AGAIN, EVENT_SENDMMSG), 1);
	for (unsigned i = 0; i < ARRAY_LEN(sent_to); i++) {
		const struct event *event = nth_marked(live, STEP_MANY, i);
		struct wire_tuple tuple;

		cr_assert_not_null(event, "message %u", i);
		read_tuple(event, "several", &tuple);
		cr_expect_eq(tuple.remote_port, notes->many[sent_to[i]], "message %u", i);
		cr_expect_eq(tuple.flags, KNOWN | RAW | CLIENT | (i ? NEW : 0), "message %u: 0x%x",
			     i, tuple.flags);
		expect_number(event, PARAM_SENDMMSG_res, 4, "several");
		expect_number(event, PARAM_SENDMMSG_size, 4, "several");
	}
}

Test(live_peers, who_began, .timeout = 300)
{
	struct live live;

	live_run(&live,
		 &(struct live_options){ .syscalls = names, .shared_bytes = sizeof(struct notes) },
		 act);
	for (enum step step = 0; step < STEP__COUNT; step++)
		check_step(&live, step);
	check_many(&live);
	live_done(&live);
}

/* ---- another socket behind the descriptor -------------------------------------------------------
 */

struct swap {
	int fd, decoy;
	uint16_t port;
};

/* Exchanges the listener that somebody waits at, then connects to the one that was there. */
static void *swap_run(void *data)
{
	const struct swap *swap = data;
	struct sockaddr_in address = loopback(swap->port);

	usleep(300000);
	ACTOR_CHECK(dup2(swap->decoy, swap->fd) == swap->fd);
	ACTOR_CHECK(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address,
			    sizeof(address)) == 0);
	return NULL;
}

static void swap_act(void *data)
{
	struct swap swap = { bound(SOCK_STREAM), bound(SOCK_STREAM), 0 };
	uint64_t *port = data;
	pthread_t thread;

	*port = swap.port = port_of(swap.fd);
	ACTOR_CHECK(pthread_create(&thread, NULL, swap_run, &swap) == 0);
	live_mark(1);
	ACTOR_CHECK(accept4(swap.fd, NULL, NULL, 0) >= 0);
	live_mark(2);
	ACTOR_CHECK(pthread_join(thread, NULL) == 0);
}

Test(live_peers, an_exchanged_listener_is_told, .timeout = 300)
{
	struct live live;
	const struct event *event;
	struct wire_tuple tuple;

	live_run(&live, &(struct live_options){ .syscalls = names }, swap_act);
	event = live_find(&live, EVENT_ACCEPT4, 0);
	cr_assert_not_null(event);
	read_tuple(event, "swapped", &tuple);
	cr_expect_eq(tuple.local_port, *(const uint64_t *)live.shared);
	cr_expect(event->header->flags & WIRE_PEER_MISMATCH);
	live_done(&live);
}

/* ---- threads that connect at the same time ------------------------------------------------------
 */

#define THREADS 8
#define ROUNDS	50

struct many_notes {
	struct thread_note {
		uint32_t tid;
		uint16_t port;
	} threads[THREADS];
};

static struct many_notes *many_notes;

static void *connect_run(void *data)
{
	size_t number = (size_t)data;
	int listener = bound(SOCK_STREAM);
	struct sockaddr_in address = loopback(port_of(listener));

	many_notes->threads[number] =
		(struct thread_note){ (uint32_t)syscall(SYS_gettid), port_of(listener) };
	for (int i = 0; i < ROUNDS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0), served;

		ACTOR_CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
		served = accept(listener, NULL, NULL);
		ACTOR_CHECK(served >= 0);
		close(served);
		close(fd);
	}
	return NULL;
}

static void threads_act(void *data)
{
	pthread_t threads[THREADS];

	many_notes = data;
	for (size_t i = 0; i < THREADS; i++)
		ACTOR_CHECK(pthread_create(&threads[i], NULL, connect_run, (void *)i) == 0);
	for (size_t i = 0; i < THREADS; i++)
		ACTOR_CHECK(pthread_join(threads[i], NULL) == 0);
}

static uint16_t port_of_thread(const struct many_notes *notes, uint32_t tid)
{
	for (size_t i = 0; i < THREADS; i++) {
		if (notes->threads[i].tid == tid)
			return notes->threads[i].port;
	}
	return 0;
}

Test(live_peers, threads_do_not_mix, .timeout = 300)
{
	struct live live;
	unsigned connects = 0, accepts = 0;

	live_run(&live, &(struct live_options){ .syscalls = names }, threads_act);
	for (uint32_t i = 0; i < live.event_cnt; i++) {
		const struct event *event = live.events[i];
		uint16_t port = port_of_thread(live.shared, event->header->tid);
		struct wire_tuple tuple;

		if (event->code != EVENT_CONNECT && event->code != EVENT_ACCEPT)
			continue;
		read_tuple(event, "of a thread", &tuple);
		cr_assert_eq(event->header->flags & WIRE_PEER_MISMATCH, 0);
		cr_assert_eq(event->code == EVENT_CONNECT ? tuple.remote_port : tuple.local_port,
			     port);
		connects += event->code == EVENT_CONNECT;
		accepts += event->code == EVENT_ACCEPT;
	}
	cr_expect_eq(connects, THREADS * ROUNDS, "%u", connects);
	cr_expect_eq(accepts, THREADS * ROUNDS, "%u", accepts);
	live_done(&live);
}
