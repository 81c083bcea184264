/*
 * Operations of io_uring on sockets and data are the calls that they stand for: each parameter, on
 * success and on failure, in the name of the process that submitted them: through io_uring_enter, a
 * submission thread, on a worker, on registered files, and without a completion.
 */
#include "ring.h"
#include "live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "haetae/text.h"

/* include/uapi/linux/io_uring.h of 6.9 and 6.11. */
#define OP_FTRUNCATE 55
#define OP_BIND	     56
#define OP_LISTEN    57

#define ADDRESS(x) ((uint64_t)(uintptr_t)(x))
#define LIMIT	   8192

enum fixed_descriptor {
	FD_LISTENER = 60,
	FD_CLIENT, /* connects to the listener */
	FD_SERVED, /* its other end, once it has been accepted */
	FD_REFUSED,
	FD_ASYNC,  /* connects on a worker */
	FD_SILENT, /* connects without a completion */
	FD_UDP,
	FD_FRESH,
	FD_FILE,
	FD_NONE = 999,
};

static const char *const calls[] = { "connect",	  "accept4", "sendto", "sendmsg", "recvfrom",
				     "recvmsg",	  "read",    "readv",  "write",	  "writev",
				     "close",	  "socket",  "bind",   "listen",  "shutdown",
				     "ftruncate", NULL };

static struct sockaddr_in listener, nobody, any = { .sin_family = AF_INET };
static struct sockaddr_in peer;
static socklen_t peer_bytes = sizeof(peer);
static char word[] = "hello, ring", room[64];
static struct iovec pieces[2] = { { word, 5 }, { word + 7, 4 } };
static struct iovec rooms[2] = { { room, 3 }, { room + 8, 40 } };
static struct msghdr plain = { .msg_iov = pieces, .msg_iovlen = 2 };
static struct msghdr named = {
	.msg_name = &listener, .msg_namelen = sizeof(listener), .msg_iov = pieces, .msg_iovlen = 1
};
static struct msghdr taken = { .msg_iov = rooms, .msg_iovlen = 2 };

/* clang-format off */
static const struct {
	const char *name;
	unsigned code;
	struct io_uring_sqe entry;
	int error;
	int moves_to; /* the new descriptor */
	const char *args; /* as evt.args; %d the directory, %r the result, %l the listener, %n nobody's
			   * address, * anything up to what follows */
} cases[] = {
	{ "connect", EVENT_CONNECT,
	  { .opcode = IORING_OP_CONNECT, .fd = FD_CLIENT, .addr = ADDRESS(&listener), .off = sizeof(listener) }, 0, 0, "res=0 tuple=127.0.0.1:*->%l fd=61(<4t>127.0.0.1:*->%l) addr=%l socket_type=1" },
	{ "accept", EVENT_ACCEPT4,
	  { .opcode = IORING_OP_ACCEPT, .fd = FD_LISTENER, .addr = ADDRESS(&peer), .off = ADDRESS(&peer_bytes), .accept_flags = SOCK_CLOEXEC }, 0, FD_SERVED, "fd=%r(<4t>%l->127.0.0.1:*) tuple=%l->127.0.0.1:* queuepct=0 queuelen=0 queuemax=8 flags=*(SOCK_CLOEXEC) listener=60 socket_type=1" },
	{ "accept: not listening", EVENT_ACCEPT4,
	  { .opcode = IORING_OP_ACCEPT, .fd = FD_CLIENT }, EINVAL, 0, "fd=%r tuple=NULL queuepct=0 queuelen=0 queuemax=0 flags=0 listener=61 socket_type=<NA>" },
	{ "send", EVENT_SENDTO,
	  { .opcode = IORING_OP_SEND, .fd = FD_CLIENT, .addr = ADDRESS(word), .len = 5, .msg_flags = MSG_NOSIGNAL }, 0, 0, "res=5 data=hello fd=61(<4t>127.0.0.1:*->%l) size=5 tuple=127.0.0.1:*->%l flags=*(MSG_NOSIGNAL) socket_type=1" },
	{ "recv", EVENT_RECVFROM,
	  { .opcode = IORING_OP_RECV, .fd = FD_SERVED, .addr = ADDRESS(room), .len = 40 }, 0, 0, "res=5 data=hello tuple=%l->127.0.0.1:* fd=62(<4t>%l->127.0.0.1:*) size=40 flags=0 socket_type=1" },
	{ "sendmsg", EVENT_SENDMSG,
	  { .opcode = IORING_OP_SENDMSG, .fd = FD_CLIENT, .addr = ADDRESS(&plain), .len = 1 }, 0, 0, "res=9 data=helloring fd=61(<4t>127.0.0.1:*->%l) size=9 tuple=127.0.0.1:*->%l flags=*(MSG_NOSIGNAL) socket_type=1 msgcontrol=NULL" },
	{ "recvmsg", EVENT_RECVMSG,
	  { .opcode = IORING_OP_RECVMSG, .fd = FD_SERVED, .addr = ADDRESS(&taken), .len = 1 }, 0, 0, "res=9 size=43 data=helloring tuple=%l->127.0.0.1:* msgcontrol=NULL fd=62(<4t>%l->127.0.0.1:*) flags=0 socket_type=1" },
	{ "sendmsg: to an address", EVENT_SENDMSG,
	  { .opcode = IORING_OP_SENDMSG, .fd = FD_UDP, .addr = ADDRESS(&named), .len = 1 }, 0, 0, "res=5 data=hello fd=66(<4u>0.0.0.0:*->%l) size=5 tuple=0.0.0.0:*->%l flags=*(MSG_NOSIGNAL) socket_type=2 msgcontrol=NULL" },
	{ "send: no socket", EVENT_SENDTO,
	  { .opcode = IORING_OP_SEND, .fd = FD_FILE, .addr = ADDRESS(word), .len = 2 }, ENOTSOCK, 0, "res=%r data=he fd=68 size=2 tuple=NULL flags=*(MSG_NOSIGNAL) socket_type=<NA>" },
	{ "recv: no data", EVENT_RECVFROM,
	  { .opcode = IORING_OP_RECV, .fd = FD_SERVED, .addr = ADDRESS(room), .len = 9, .msg_flags = MSG_DONTWAIT }, EAGAIN, 0, "res=%r data=NULL tuple=%l->127.0.0.1:* fd=62(<4t>%l->127.0.0.1:*) size=9 flags=*(MSG_DONTWAIT) socket_type=1" },
	{ "send: a registered file", EVENT_SENDTO,
	  { .opcode = IORING_OP_SEND, .flags = IOSQE_FIXED_FILE, .fd = 0, .addr = ADDRESS(word), .len = 3 }, 0, 0, "res=3 data=hel fd=<NA> size=3 tuple=127.0.0.1:*->%l flags=*(MSG_NOSIGNAL) socket_type=1" },
	{ "connect: refused", EVENT_CONNECT,
	  { .opcode = IORING_OP_CONNECT, .fd = FD_REFUSED, .addr = ADDRESS(&nobody), .off = sizeof(nobody) }, ECONNREFUSED, 0, "res=%r tuple=127.0.0.1:*->%n fd=63(<4t>127.0.0.1:*->%n) addr=%n socket_type=1" },
	{ "connect: on a worker", EVENT_CONNECT,
	  { .opcode = IORING_OP_CONNECT, .flags = IOSQE_ASYNC, .fd = FD_ASYNC, .addr = ADDRESS(&listener), .off = sizeof(listener) }, 0, 0, "res=0 tuple=127.0.0.1:*->%l fd=64(<4t>127.0.0.1:*->%l) addr=%l socket_type=1" },
	{ "connect: no completion", EVENT_CONNECT,
	  { .opcode = IORING_OP_CONNECT, .flags = IOSQE_CQE_SKIP_SUCCESS, .fd = FD_SILENT, .addr = ADDRESS(&listener), .off = sizeof(listener) }, 0, 0, "res=* tuple=*:*->%l fd=65(<4t>*:*->%l) addr=%l socket_type=1" },
	{ "send: no completion", EVENT_SENDTO,
	  { .opcode = IORING_OP_SEND, .flags = IOSQE_CQE_SKIP_SUCCESS, .fd = FD_SILENT, .addr = ADDRESS(word), .len = 7 }, 0, 0, "res=0 data=hello,  fd=65(<4t>127.0.0.1:*->%l) size=7 tuple=127.0.0.1:*->%l flags=*(MSG_NOSIGNAL) socket_type=1" },
	{ "shutdown", EVENT_SHUTDOWN,
	  { .opcode = IORING_OP_SHUTDOWN, .fd = FD_CLIENT, .len = SHUT_WR }, 0, 0, "res=0 fd=61(<4t>127.0.0.1:*->%l) how=1(SHUT_WR) tuple=127.0.0.1:*->%l socket_type=1" },
	{ "shutdown: no socket", EVENT_SHUTDOWN,
	  { .opcode = IORING_OP_SHUTDOWN, .fd = FD_FILE, .len = SHUT_RD }, ENOTSOCK, 0, "res=%r fd=68 how=0(SHUT_RD) tuple=NULL socket_type=<NA>" },
	{ "socket", EVENT_SOCKET,
	  { .opcode = IORING_OP_SOCKET, .fd = AF_INET, .off = SOCK_STREAM | SOCK_CLOEXEC, .len = IPPROTO_TCP }, 0, FD_FRESH, "fd=%r(<4t>) domain=2(AF_INET) type=1 proto=6 flags=*(SOCK_CLOEXEC) tuple= socket_type=1" },
	{ "socket: no such family", EVENT_SOCKET,
	  { .opcode = IORING_OP_SOCKET, .fd = 77, .off = SOCK_DGRAM }, EAFNOSUPPORT, 0, "fd=%r domain=77 type=2 proto=0 flags=0 tuple=NULL socket_type=<NA>" },
	{ "bind", EVENT_BIND,
	  { .opcode = OP_BIND, .fd = FD_FRESH, .addr = ADDRESS(&any), .off = sizeof(any) }, 0, 0, "res=0 addr=NULL fd=67(<4t>127.0.0.1:*) tuple=127.0.0.1:* socket_type=1" },
	{ "bind: twice", EVENT_BIND,
	  { .opcode = OP_BIND, .fd = FD_FRESH, .addr = ADDRESS(&any), .off = sizeof(any) }, EINVAL, 0, "res=%r addr=NULL fd=67(<4t>127.0.0.1:*) tuple=127.0.0.1:* socket_type=1" },
	{ "listen", EVENT_LISTEN,
	  { .opcode = OP_LISTEN, .fd = FD_FRESH, .len = 7 }, 0, 0, "res=0 fd=67(<4t>127.0.0.1:*) backlog=7 tuple=127.0.0.1:* socket_type=1" },
	{ "listen: no socket", EVENT_LISTEN,
	  { .opcode = OP_LISTEN, .fd = FD_FILE, .len = 1 }, ENOTSOCK, 0, "res=%r fd=68 backlog=1 tuple=NULL socket_type=<NA>" },
	{ "write", EVENT_WRITE,
	  { .opcode = IORING_OP_WRITE, .fd = FD_FILE, .addr = ADDRESS(word), .len = 8 }, 0, 0, "res=8 data=hello, r fd=68(<f>%d/file) size=8 path=%d/file dev=* ino=* file_mode=*(S_IWUSR|S_IRUSR|S_IFREG) tuple=NULL socket_type=<NA>" },
	{ "write: on a worker", EVENT_WRITE,
	  { .opcode = IORING_OP_WRITE, .flags = IOSQE_ASYNC, .fd = FD_FILE, .addr = ADDRESS(word), .len = 9 }, 0, 0, "res=9 data=hello, ri fd=68(<f>%d/file) size=9 path=%d/file dev=* ino=* file_mode=*(S_IWUSR|S_IRUSR|S_IFREG) tuple=NULL socket_type=<NA>" },
	{ "write: no file", EVENT_WRITE,
	  { .opcode = IORING_OP_WRITE, .fd = FD_NONE, .addr = ADDRESS(word), .len = 8 }, EBADF, 0, "res=%r data=hello, r fd=999 size=8 path=<NA> dev=<NA> ino=<NA> file_mode=<NA> tuple=NULL socket_type=<NA>" },
	{ "writev", EVENT_WRITEV,
	  { .opcode = IORING_OP_WRITEV, .fd = FD_FILE, .addr = ADDRESS(pieces), .len = 2 }, 0, 0, "res=9 size=9 data=helloring fd=68(<f>%d/file) path=%d/file dev=* ino=* file_mode=*(S_IWUSR|S_IRUSR|S_IFREG) tuple=NULL socket_type=<NA>" },
	{ "read", EVENT_READ,
	  { .opcode = IORING_OP_READ, .fd = FD_FILE, .addr = ADDRESS(room), .len = 4 }, 0, 0, "res=4 data=hell fd=68(<f>%d/file) size=4 path=%d/file dev=* ino=* file_mode=*(S_IWUSR|S_IRUSR|S_IFREG) tuple=NULL socket_type=<NA>" },
	{ "read: a registered file", EVENT_READ,
	  { .opcode = IORING_OP_READ, .flags = IOSQE_FIXED_FILE, .fd = 1, .addr = ADDRESS(room), .len = 6 }, 0, 0, "res=6 data=hellor fd=<NA> size=6 path=%d/file dev=* ino=* file_mode=*(S_IWUSR|S_IRUSR|S_IFREG) tuple=NULL socket_type=<NA>" },
	{ "read: no file", EVENT_READ,
	  { .opcode = IORING_OP_READ, .fd = FD_NONE, .addr = ADDRESS(room), .len = 4 }, EBADF, 0, "res=%r data=NULL fd=999 size=4 path=<NA> dev=<NA> ino=<NA> file_mode=<NA> tuple=NULL socket_type=<NA>" },
	{ "readv", EVENT_READV,
	  { .opcode = IORING_OP_READV, .fd = FD_FILE, .addr = ADDRESS(rooms), .len = 2 }, 0, 0, "res=9 size=43 data=helloring fd=68(<f>%d/file) path=%d/file dev=* ino=* file_mode=*(S_IWUSR|S_IRUSR|S_IFREG) tuple=NULL socket_type=<NA>" },
	{ "readv: no file", EVENT_READV,
	  { .opcode = IORING_OP_READV, .fd = FD_NONE, .addr = ADDRESS(rooms), .len = 1 }, EBADF, 0, "res=%r size=3 data=NULL fd=999 path=<NA> dev=<NA> ino=<NA> file_mode=<NA> tuple=NULL socket_type=<NA>" },
	{ "ftruncate", EVENT_FTRUNCATE,
	  { .opcode = OP_FTRUNCATE, .fd = FD_FILE, .off = 5 }, 0, 0, "res=0 fd=68(<f>%d/file) length=5 path=%d/file dev=* ino=* file_mode=*(S_IWUSR|S_IRUSR|S_IFREG) file_bits=11" },
	{ "ftruncate: a socket", EVENT_FTRUNCATE,
	  { .opcode = OP_FTRUNCATE, .fd = FD_UDP, .off = 5 }, EINVAL, 0, "res=%r fd=66(<o>socket:[*]) length=5 path=socket:[*] dev=* ino=* file_mode=* file_bits=10" },
	{ "close", EVENT_CLOSE,
	  { .opcode = IORING_OP_CLOSE, .fd = FD_FILE }, 0, 0, "res=0 fd=68" },
	{ "close: none", EVENT_CLOSE,
	  { .opcode = IORING_OP_CLOSE, .fd = FD_FILE }, EBADF, 0, "res=%r fd=68" },
};
/* clang-format on */

struct uring_notes {
	struct facts facts;
	char directory[256];
	struct sockaddr_in listener, nobody;
	int results[ARRAY_LEN(cases)];
	bool is_known[ARRAY_LEN(cases)]; /* the kernel has the operation */
	bool has_ring;
};

static unsigned current_flags;

static void place(int fd, int at)
{
	ACTOR_CHECK(fd >= 0 && dup2(fd, at) == at);
	close(fd);
}

static void make_address(int fd, struct sockaddr_in *ret)
{
	socklen_t bytes = sizeof(*ret);
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };

	ACTOR_CHECK(bind(fd, (struct sockaddr *)&own, sizeof(own)) == 0);
	ACTOR_CHECK(getsockname(fd, (struct sockaddr *)ret, &bytes) == 0);
}

static void uring_prepare(void *data)
{
	static const int streams[] = { FD_CLIENT, FD_REFUSED, FD_ASYNC, FD_SILENT };
	struct uring_notes *notes = data;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	facts_read(&notes->facts);
	ACTOR_CHECK(getcwd(notes->directory, sizeof(notes->directory)));
	make_address(fd, &listener);
	ACTOR_CHECK(listen(fd, 8) == 0);
	place(fd, FD_LISTENER);
	/* Bound and not listening: nobody else gets the port, and nobody is there. */
	make_address(socket(AF_INET, SOCK_STREAM, 0), &nobody);
	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t i = 0; i < ARRAY_LEN(streams); i++)
		place(socket(AF_INET, SOCK_STREAM, 0), streams[i]);
	place(socket(AF_INET, SOCK_DGRAM, 0), FD_UDP);
	place(open("file", O_CREAT | O_RDWR, 0600), FD_FILE);
	notes->listener = listener;
	notes->nobody = nobody;
}

static bool is_known(int ring_fd, unsigned opcode)
{
	_Alignas(struct io_uring_probe) unsigned char
		answer[sizeof(struct io_uring_probe) + 256 * sizeof(struct io_uring_probe_op)] = {
			0
		};
	const struct io_uring_probe *probe = (const void *)answer;

	ACTOR_CHECK(syscall(SYS_io_uring_register, ring_fd, IORING_REGISTER_PROBE, answer, 256) ==
		    0);
	return opcode < probe->ops_len && probe->ops[opcode].flags & IO_URING_OP_SUPPORTED;
}

static void uring_act(void *data)
{
	const int registered[] = { FD_CLIENT, FD_FILE };
	struct uring_notes *notes = data;
	struct ring ring;

	notes->has_ring = ring_make(&ring, current_flags);
	if (!notes->has_ring)
		return;
	ACTOR_CHECK(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, registered, 2) ==
		    0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		notes->is_known[i] = is_known(ring.fd, cases[i].entry.opcode);
		if (!notes->is_known[i])
			continue;
		live_mark(i);
		notes->results[i] = ring_run(&ring, &cases[i].entry);
		live_mark(LIVE_NO_MARK);
		if (cases[i].moves_to && notes->results[i] >= 0)
			place(notes->results[i], cases[i].moves_to);
	}
	ring_end(&ring);
}

static void put_address(struct buf *out, const struct sockaddr_in *address)
{
	buf_printf(out, "127.0.0.1:%u", ntohs(address->sin_port));
}

static void expand(const struct uring_notes *notes, size_t i, struct buf *out)
{
	for (const char *p = cases[i].args; *p; p++) {
		int result = notes->results[i];

		if (*p != '%')
			buf_putc(out, *p);
		else if (*++p == 'd')
			buf_puts(out, notes->directory);
		else if (*p == 'l')
			put_address(out, &notes->listener);
		else if (*p == 'n')
			put_address(out, &notes->nobody);
		else if (result < 0)
			buf_printf(out, "%d(%s)", result, strerrorname_np(-result));
		else
			buf_put_s64(out, result);
	}
}

/* By all that it says: a record whose completion was never seen comes late. */
static const struct event *find(struct live *live, size_t i)
{
	const struct uring_notes *notes = live->shared;
	_cleanup_(buf_done) struct buf want;

	buf_init(&want, LIMIT);
	expand(notes, i, &want);
	for (uint32_t n = 0; n < live->event_cnt; n++) {
		_cleanup_(buf_done) struct buf got;

		buf_init(&got, LIMIT);
		event_args_format(live->events[n], &got);
		if (live->events[n]->code == cases[i].code &&
		    live->events[n]->header->flags & WIRE_IO_URING && text_is_like(got.p, want.p))
			return live->events[n];
	}
	cr_expect_fail("%s: nothing is\n %s", cases[i].name, want.p);
	return NULL;
}

static void run(unsigned setup_flags)
{
	const struct uring_notes *notes;
	unsigned cnt = 0, known_cnt = 0;
	struct live live;

	live_require_uring();
	current_flags = setup_flags;
	live_run(&live,
		 &(struct live_options){ .syscalls = calls,
					 .prepare = uring_prepare,
					 .shared_bytes = sizeof(struct uring_notes) },
		 uring_act);
	notes = live.shared;
	cr_assert(notes->has_ring, "no ring");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct event *event;
		int result = notes->results[i];

		if (!notes->is_known[i])
			continue;
		known_cnt++;
		event = find(&live, i);
		cr_expect_eq(result < 0 ? -result : 0, cases[i].error, "%s: %d", cases[i].name,
			     result);
		if (!event)
			continue;
		if (cases[i].entry.flags & IOSQE_CQE_SKIP_SUCCESS)
			result = (int)event->header->result;
		expect_header(event, &notes->facts, result, cases[i].name);
	}
	for (uint32_t i = 0; i < live.event_cnt; i++)
		cnt += !!(live.events[i]->header->flags & WIRE_IO_URING);
	cr_expect_eq(cnt, known_cnt);
	live_done(&live);
}

Test(live_uring_calls, by_the_call, .timeout = 300)
{
	run(0);
}

Test(live_uring_calls, by_a_submission_thread, .timeout = 300)
{
	run(IORING_SETUP_SQPOLL);
}
