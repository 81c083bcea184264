/*
 * socketcall(2): the calls that a 32-bit program bundles are reported as those they stand for, with
 * structs of 32-bit addresses and sizes; through int 0x80, as in live_compat.c.
 */
#include "live.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#if defined(__x86_64__)

#define GATE_SOCKETCALL 102 /* arch/x86/entry/syscalls/syscall_32.tbl */
#define GATE_SENDMSG	370
#define FD_UDP		60
#define FD_LISTENER	61
#define FD_PAIR		62 /* and 63 */
#define FD_TAKER	64 /* UDP, where the first sends to */

/* include/net/compat.h */
struct compat_iovec {
	uint32_t base, length;
};
struct compat_msghdr {
	uint32_t name, name_length, vectors, vector_cnt, control, control_length, flags;
};

/* Pointers must lie below 4 GiB: all that the calls read is in here. */
struct low {
	uint32_t arguments[6];
	char data[64], room[64];
	struct sockaddr_in any, taker;
	uint32_t length;
	int pair[2];
	struct compat_iovec vectors[2], rooms[2];
	struct compat_msghdr message, answer;
	struct {
		struct compat_msghdr head;
		uint32_t bytes;
	} many[2];
	int option;
};

static struct low *low;

/* Addresses as offsets into `low`, so that the table is constant: LOW(x) is told from a number by
 * its bit. */
#define LOW_BIT (1ull << 40)
#define LOW(m)	(LOW_BIT | offsetof(struct low, m))

/* clang-format off */
static const struct call {
	const char *name;
	uint32_t number; /* include/uapi/linux/net.h */
	uint64_t arguments[6];
	bool fails;
	unsigned code, nr;
	const char *args; /* of evt.args, up to a star */
} calls[] = {
	{ "socket", 1, { AF_INET, SOCK_DGRAM, 0 }, false, EVENT_SOCKET, SYS_socket, "fd=*" },
	{ "bind", 2, { FD_UDP, LOW(any), 16 }, false, EVENT_BIND, SYS_bind, "res=0 addr=127.0.0.1:0 fd=60*" },
	{ "listen", 4, { FD_LISTENER, 3 }, false, EVENT_LISTEN, SYS_listen, "res=0 fd=61*" },
	{ "accept", 5, { FD_LISTENER, LOW(any), LOW(length) }, true, EVENT_ACCEPT, SYS_accept,
	  "fd=-11(EAGAIN) tuple=NULL queuepct=0 queuelen=0 queuemax=3 listener=61 socket_type=<NA>*" },
	{ "getsockname", 6, { FD_UDP, LOW(any), LOW(length) }, false, EVENT_CODE_SYSCALL + SYS_getsockname, SYS_getsockname, "*" },
	{ "socketpair", 8, { AF_UNIX, SOCK_STREAM, 0, LOW(pair) }, false, EVENT_SOCKETPAIR, SYS_socketpair, "res=0 fd1=*" },
	{ "send", 9, { FD_PAIR, LOW(data), 5, MSG_DONTWAIT }, false, EVENT_SENDTO, SYS_sendto, "res=5 data=hello fd=62(<u>*" },
	{ "recv", 10, { FD_PAIR + 1, LOW(room), 50, 0 }, false, EVENT_RECVFROM, SYS_recvfrom, "res=5 data=hello tuple=*" },
	{ "sendto", 11, { FD_UDP, LOW(data), 3, 0, LOW(taker), 16 }, false, EVENT_SENDTO, SYS_sendto, "res=3 data=hel fd=60(<4u>*" },
	{ "recvfrom", 12, { FD_TAKER, LOW(room), 9, 0, LOW(any), LOW(length) }, false, EVENT_RECVFROM, SYS_recvfrom,
	  "res=3 data=hel tuple=127.0.0.1:*" },
	{ "setsockopt", 14, { FD_UDP, SOL_SOCKET, SO_BROADCAST, LOW(option), 4 }, false, EVENT_SETSOCKOPT, SYS_setsockopt,
	  "res=0 fd=60(<4u>*" },
	{ "getsockopt", 15, { FD_UDP, SOL_SOCKET, SO_TYPE, LOW(option), LOW(length) }, false, EVENT_GETSOCKOPT, SYS_getsockopt,
	  "res=0 fd=60(<4u>*" },
	{ "sendmsg", 16, { FD_PAIR, LOW(message), 0 }, false, EVENT_SENDMSG, SYS_sendmsg, "res=5 data=hello fd=62(<u>*" },
	{ "recvmsg", 17, { FD_PAIR + 1, LOW(answer), 0 }, false, EVENT_RECVMSG, SYS_recvmsg, "res=5 size=42 data=hello tuple=*" },
	{ "accept4", 18, { FD_LISTENER, 0, 0, SOCK_CLOEXEC }, true, EVENT_ACCEPT4, SYS_accept4, "fd=-11(EAGAIN) tuple=NULL*" },
	{ "sendmmsg", 20, { FD_PAIR, LOW(many), 2, 0 }, false, EVENT_SENDMMSG, SYS_sendmmsg, "res=2 fd=62(<u>*" },
	{ "shutdown", 13, { FD_PAIR, SHUT_WR }, false, EVENT_SHUTDOWN, SYS_shutdown, "res=0 fd=62(<u>*" },
	{ "connect", 3, { FD_UDP, LOW(taker), 16 }, false, EVENT_CONNECT, SYS_connect, "res=0 tuple=*" },
	{ "arguments that are not readable", 3, { 0 }, true, EVENT_CONNECT, SYS_connect, "res=-14(EFAULT) tuple=NULL fd=-1(EPERM) addr=NULL*" },
};
/* clang-format on */

struct notes {
	struct facts facts;
	int64_t results[ARRAY_LEN(calls) + 1];
	bool has_gate;
};

static long gate(long number, long a, long b, long c, long d)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(0L)
			 : "r8", "r9", "r10", "r11", "memory");
	return result;
}

/* Child: without the gate the instruction is a fault. */
static bool has_gate(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)gate(GATE_SOCKETCALL, 99, 0, 0, 0);
		_exit(0);
	}
	return live_wait(pid) == 0;
}

static void put(int fd, int number)
{
	ACTOR_CHECK(fd >= 0 && dup2(fd, number) == number);
	close(fd);
}

static uint32_t address_of(const void *p)
{
	return (uint32_t)(uintptr_t)p;
}

static void prepare(void *data)
{
	struct notes *notes = data;
	socklen_t length = sizeof(low->taker);
	int pair[2];

	facts_read(&notes->facts);
	notes->has_gate = has_gate();
	low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ACTOR_CHECK(low != MAP_FAILED);
	*low = (struct low){ .data = "hello", .length = 16, .option = 1 };
	low->any = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	put(socket(AF_INET, SOCK_DGRAM, 0), FD_UDP);
	put(socket(AF_INET, SOCK_DGRAM, 0), FD_TAKER);
	put(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), FD_LISTENER);
	ACTOR_CHECK(bind(FD_TAKER, (struct sockaddr *)&low->any, 16) == 0);
	ACTOR_CHECK(bind(FD_LISTENER, (struct sockaddr *)&low->any, 16) == 0);
	ACTOR_CHECK(getsockname(FD_TAKER, (struct sockaddr *)&low->taker, &length) == 0);
	ACTOR_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	put(pair[0], FD_PAIR);
	put(pair[1], FD_PAIR + 1);
	low->vectors[0] = (struct compat_iovec){ address_of(low->data), 2 };
	low->vectors[1] = (struct compat_iovec){ address_of(low->data + 2), 3 };
	low->rooms[0] = (struct compat_iovec){ address_of(low->room), 2 };
	low->rooms[1] = (struct compat_iovec){ address_of(low->room + 9), 40 };
	low->message =
		(struct compat_msghdr){ .vectors = address_of(low->vectors), .vector_cnt = 2 };
	low->answer = (struct compat_msghdr){ .vectors = address_of(low->rooms), .vector_cnt = 2 };
	low->many[0].head = low->many[1].head = low->message;
}

static void act(void *data)
{
	struct notes *notes = data;

	for (size_t i = 0; i < ARRAY_LEN(calls) && notes->has_gate; i++) {
		bool is_readable = i + 1 < ARRAY_LEN(calls);

		for (size_t a = 0; a < 6; a++) {
			uint64_t value = calls[i].arguments[a];

			low->arguments[a] = value & LOW_BIT
						    ? address_of((char *)low + (value & ~LOW_BIT))
						    : (uint32_t)value;
		}
		live_mark(i);
		notes->results[i] = gate(GATE_SOCKETCALL, calls[i].number,
					 is_readable ? (long)address_of(low->arguments) : 8, 0, 0);
		live_mark(LIVE_NO_MARK);
	}
	if (!notes->has_gate)
		return;
	live_mark(ARRAY_LEN(calls));
	notes->results[ARRAY_LEN(calls)] =
		gate(GATE_SENDMSG, FD_PAIR + 1, (long)address_of(&low->message), 0, 0);
	live_mark(LIVE_NO_MARK);
}

static void check(const struct live *live, size_t i, const struct call *call)
{
	const struct notes *notes = live->shared;
	const struct event *event = live_marked(live, i, call->code);
	_cleanup_(buf_done) struct buf text;
	size_t length = strlen(call->args) - 1;

	buf_init(&text, 4096);
	cr_expect_eq(live_count_marked(live, i, EVENT_CODE_NEVER), 1, "%s", call->name);
	cr_assert_not_null(event, "%s: the call gave %lld", call->name,
			   (long long)notes->results[i]);
	cr_expect_eq(notes->results[i] < 0, call->fails, "%s: the call gave %lld", call->name,
		     (long long)notes->results[i]);
	expect_header(event, &notes->facts, notes->results[i], call->name);
	cr_expect(event->header->flags & WIRE_COMPAT32, "%s", call->name);
	cr_expect_eq(event->header->syscall_nr, call->nr, "%s: %u", call->name,
		     event->header->syscall_nr);
	event_args_format(event, &text);
	cr_expect(strncmp(text.p, call->args, length) == 0, "%s:\n got  %s\n want %s", call->name,
		  text.p, call->args);
}

Test(live_socketcall, each_bundled_call_is_told, .timeout = 300)
{
	static const struct call direct = {
		"sendmsg by its own number", 0, { 0 }, false, EVENT_SENDMSG, SYS_sendmsg,
		"res=5 data=hello fd=63*"
	};
	const char *names[ARRAY_LEN(calls) + 1] = { 0 };
	struct live live;

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		names[i] = syscall_name(calls[i].nr);
	live_run(&live, &(struct live_options){ .syscalls = names, .prepare = prepare }, act);
	if (((const struct notes *)live.shared)->has_gate) {
		for (size_t i = 0; i < ARRAY_LEN(calls); i++)
			check(&live, i, &calls[i]);
		check(&live, ARRAY_LEN(calls), &direct);
	}
	live_done(&live);
}

#endif
