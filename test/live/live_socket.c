/*
 * Calls on sockets: every parameter, on success and on failure, over IPv4, IPv6, unix, netlink and
 * packet sockets. Only the loopback interface, of a network namespace of the test's own.
 */
#include "rows.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define ADDRESS(x) ((uint64_t)(uintptr_t)(x))
#define BAD_MEMORY 8

enum fixed_descriptor {
	FD_FRESH = 60, /* TCP, bound to nothing */
	FD_LISTENER,
	FD_CLIENT, /* connected to the listener */
	FD_SERVED, /* its other end */
	FD_UDP,	   /* bound */
	FD_UDP6,   /* bound */
	FD_SENDER, /* UDP, not bound; the first row that sends binds it */
	FD_UNIX,
	FD_UNIX_PEER,
	FD_NETLINK,
	FD_PACKET,
	FD_UNIX_FRESH,
	FD_FRESH6,
	FD_UNIX_LISTENER,
	FD_NETLINK_FRESH,
	FD_NONE = 999,
};

/* Ports and inodes that rows name. */
enum note {
	NOTE_LISTENER,
	NOTE_CLIENT,
	NOTE_UDP,
	NOTE_UDP6,
	NOTE_UNIX,
	NOTE_UNIX_PEER,
	NOTE_WAITING, /* a client that nobody has accepted yet */
	NOTE_SENDER,
};

#define CLIENT_TEXT "127.0.0.1:%1->127.0.0.1:%0"
#define SERVED_TEXT "127.0.0.1:%0->127.0.0.1:%1"
#define UNIX_TEXT   "%4->%5"

static struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_addr = { 0x0100007f } };
static struct sockaddr_in udp4, source4;
static struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
static struct sockaddr_in6 udp6;
static struct sockaddr_un bound_name = { AF_UNIX, "bound" };
static struct sockaddr_nl groups = { .nl_family = AF_NETLINK, .nl_groups = 1 };
static struct sockaddr_in short_address = { .sin_family = AF_INET };
static socklen_t source_length = sizeof(source4), option_length = sizeof(int);
static int pair[2], one = 1, option_value;
static char text[100], room[100];
static struct iovec vectors[3] = { { text, 3 }, { NULL, 0 }, { text + 3, 2 } };
static struct iovec rooms[2] = { { room, 2 }, { room + 50, 40 } };
static struct msghdr to_udp6 = {
	.msg_name = &udp6, .msg_namelen = sizeof(udp6), .msg_iov = vectors, .msg_iovlen = 3
};
static struct msghdr plain = { .msg_iov = vectors, .msg_iovlen = 3 };
static struct msghdr from_udp = {
	.msg_name = &source4, .msg_namelen = sizeof(source4), .msg_iov = rooms, .msg_iovlen = 2
};
static struct mmsghdr many[2] = {
	{ .msg_hdr = { .msg_name = &udp4,
		       .msg_namelen = sizeof(udp4),
		       .msg_iov = vectors,
		       .msg_iovlen = 1 } },
	{ .msg_hdr = { .msg_name = &udp4,
		       .msg_namelen = sizeof(udp4),
		       .msg_iov = vectors,
		       .msg_iovlen = 3 } },
};
static struct mmsghdr many_rooms[2] = {
	{ .msg_hdr = { .msg_iov = rooms, .msg_iovlen = 2 } },
	{ .msg_hdr = { .msg_iov = rooms, .msg_iovlen = 2 } },
};
static struct msghdr bad_message = { .msg_iov = (struct iovec *)BAD_MEMORY, .msg_iovlen = 1 };

/* clang-format off */
static const struct row rows[] = {
	{ "socket: TCP", SYS_socket, { AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0 }, false,
	  "fd=*(<4t>) domain=2(AF_INET) type=1 proto=0 flags=524288(SOCK_CLOEXEC) tuple= socket_type=1" },
	{ "socket: UDP6", SYS_socket, { AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP }, false,
	  "fd=*(<6u>) domain=10(AF_INET6) type=2 proto=17 flags=2048(SOCK_NONBLOCK) tuple= socket_type=2" },
	{ "socket: raw", SYS_socket, { AF_INET, SOCK_RAW, IPPROTO_ICMP }, false,
	  "fd=*(<4r>) domain=2(AF_INET) type=3 proto=1 flags=0 tuple= socket_type=3" },
	{ "socket: unix", SYS_socket, { AF_UNIX, SOCK_SEQPACKET, 0 }, false,
	  "fd=*(<u>*->0) domain=1(AF_LOCAL|AF_UNIX) type=5 proto=0 flags=0 tuple=*->0 socket_type=5" },
	{ "socket: netlink", SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE }, false,
	  "fd=*(<n>AF_ROUTE|AF_NETLINK) domain=16(AF_ROUTE|AF_NETLINK) type=3 proto=0 flags=0 tuple=AF_ROUTE|AF_NETLINK socket_type=3" },
	{ "socket: packet", SYS_socket, { AF_PACKET, SOCK_RAW, 0x0300 }, false,
	  "fd=*(<o>if0:0003) domain=17(AF_PACKET) type=3 proto=768 flags=0 tuple=if0:0003 socket_type=3" },
	{ "socket: no family", SYS_socket, { 77, 1, 2 }, true,
	  "fd=%r domain=77 type=1 proto=2 flags=0 tuple=NULL socket_type=<NA>" },
	{ "socketpair", SYS_socketpair, { AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ADDRESS(pair) }, false,
	  "res=0 fd1=* fd2=* source=* peer=* domain=1(AF_LOCAL|AF_UNIX) type=1 proto=0 flags=524288(SOCK_CLOEXEC)" },
	{ "socketpair: of no family that can", SYS_socketpair, { AF_INET, SOCK_STREAM, 0, ADDRESS(pair) }, true,
	  "res=%r fd1=<NA> fd2=<NA> source=<NA> peer=<NA> domain=2(AF_INET) type=1 proto=0 flags=0" },
	{ "bind", SYS_bind, { FD_FRESH, ADDRESS(&any4), sizeof(any4) }, false,
	  "res=0 addr=127.0.0.1:0 fd=60(<4t>127.0.0.1:*) tuple=127.0.0.1:* socket_type=1" },
	{ "bind: again", SYS_bind, { FD_FRESH, ADDRESS(&any4), sizeof(any4) }, true,
	  "res=%r addr=127.0.0.1:0 fd=60(<4t>127.0.0.1:*) tuple=127.0.0.1:* socket_type=1" },
	{ "bind: IPv6", SYS_bind, { FD_FRESH6, ADDRESS(&any6), sizeof(any6) }, false,
	  "res=0 addr=::1:0 fd=72(<6t>::1:*) tuple=::1:* socket_type=1" },
	{ "bind: unix", SYS_bind, { FD_UNIX_FRESH, ADDRESS(&bound_name), sizeof(bound_name) }, false,
	  "res=0 addr=bound fd=71(<u>*->0 bound) tuple=*->0 bound socket_type=1" },
	{ "bind: netlink", SYS_bind, { FD_NETLINK_FRESH, ADDRESS(&groups), sizeof(groups) }, false,
	  "res=0 addr=0/1 fd=74(<n>*/1) tuple=*/1 socket_type=3" },
	{ "bind: no socket", SYS_bind, { FD_NONE, ADDRESS(&any4), sizeof(any4) }, true,
	  "res=%r addr=127.0.0.1:0 fd=999 tuple=NULL socket_type=<NA>" },
	{ "bind: no memory", SYS_bind, { FD_FRESH, BAD_MEMORY, 16 }, true,
	  "res=%r addr=NULL fd=60(<4t>127.0.0.1:*) tuple=127.0.0.1:* socket_type=1" },
	{ "bind: too short", SYS_bind, { FD_UDP, ADDRESS(&short_address), 8 }, true,
	  "res=%r addr= fd=64(<4u>127.0.0.1:%2) tuple=127.0.0.1:%2 socket_type=2" },
	{ "listen", SYS_listen, { FD_FRESH, 7 }, false,
	  "res=0 fd=60(<4t>127.0.0.1:*) backlog=7 tuple=127.0.0.1:* socket_type=1" },
	{ "listen: not TCP", SYS_listen, { FD_UDP, (uint64_t)-1 }, true,
	  "res=%r fd=64(<4u>127.0.0.1:%2) backlog=-1 tuple=127.0.0.1:%2 socket_type=2" },
	{ "accept", SYS_accept, { FD_LISTENER, ADDRESS(&source4), ADDRESS(&source_length) }, false,
	  "fd=*(<4t>127.0.0.1:%0->127.0.0.1:%6) tuple=127.0.0.1:%0->127.0.0.1:%6 queuepct=0 queuelen=0 queuemax=8 listener=61 socket_type=1" },
	{ "accept: nobody there", SYS_accept, { FD_LISTENER, 0, 0 }, true,
	  "fd=%r tuple=NULL queuepct=0 queuelen=0 queuemax=8 listener=61 socket_type=<NA>" },
	{ "accept: no socket", SYS_accept, { FD_NONE, 0, 0 }, true,
	  "fd=%r tuple=NULL queuepct=<NA> queuelen=<NA> queuemax=<NA> listener=999 socket_type=<NA>" },
	{ "accept4", SYS_accept4, { FD_UNIX_LISTENER, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK }, false,
	  "fd=*(<u>*->* @haetae-live-socket) tuple=*->* @haetae-live-socket queuepct=20 queuelen=1 queuemax=5 flags=526336(SOCK_CLOEXEC|SOCK_NONBLOCK) listener=73 socket_type=1" },
	{ "accept4: wrong flags", SYS_accept4, { FD_UNIX_LISTENER, 0, 0, 1 }, true,
	  "fd=%r tuple=NULL queuepct=20 queuelen=1 queuemax=5 flags=1 listener=73 socket_type=<NA>" },
	{ "sendto: TCP", SYS_sendto, { FD_CLIENT, ADDRESS(text), 5, MSG_NOSIGNAL, 0, 0 }, false,
	  "res=5 data=abcde fd=62(<4t>" CLIENT_TEXT ") size=5 tuple=" CLIENT_TEXT " flags=16384(MSG_NOSIGNAL) socket_type=1" },
	{ "sendto: UDP", SYS_sendto, { FD_SENDER, ADDRESS(text), 100, 0, ADDRESS(&udp4), sizeof(udp4) }, false,
	  "res=100 data=%7 fd=66(<4u>0.0.0.0:*->127.0.0.1:%2) size=100 tuple=0.0.0.0:*->127.0.0.1:%2 flags=0 socket_type=2" },
	{ "sendto: nowhere", SYS_sendto, { FD_FRESH6, ADDRESS(text), 4, MSG_NOSIGNAL, 0, 0 }, true,
	  "res=%r data=abcd fd=72(<6t>::1:*) size=4 tuple=::1:* flags=16384(MSG_NOSIGNAL) socket_type=1" },
	{ "sendto: no socket", SYS_sendto, { FD_NONE, ADDRESS(text), 1, 0, ADDRESS(&udp4), sizeof(udp4) }, true,
	  "res=%r data=a fd=999(<4r>127.0.0.1:%2) size=1 tuple=127.0.0.1:%2 flags=0 socket_type=<NA>" },
	{ "sendto: no memory", SYS_sendto, { FD_UNIX, BAD_MEMORY, 9, 0, 0, 0 }, true,
	  "res=%r data=NULL fd=67(<u>" UNIX_TEXT ") size=9 tuple=" UNIX_TEXT " flags=0 socket_type=1" },
	{ "recvfrom: TCP", SYS_recvfrom, { FD_SERVED, ADDRESS(room), 3, 0, 0, 0 }, false,
	  "res=3 data=abc tuple=" SERVED_TEXT " fd=63(<4t>" SERVED_TEXT ") size=3 flags=0 socket_type=1" },
	{ "recvfrom: UDP, cut", SYS_recvfrom, { FD_UDP, ADDRESS(room), 4, MSG_TRUNC, ADDRESS(&source4), ADDRESS(&source_length) }, false,
	  "res=100 data=abcd tuple=127.0.0.1:%2->127.0.0.1:* fd=64(<4u>127.0.0.1:%2->127.0.0.1:*) size=4 flags=32(MSG_TRUNC) socket_type=2" },
	{ "recvfrom: nothing", SYS_recvfrom, { FD_UDP, ADDRESS(room), 4, MSG_DONTWAIT, 0, 0 }, true,
	  "res=%r data=NULL tuple=127.0.0.1:%2 fd=64(<4u>127.0.0.1:%2) size=4 flags=64(MSG_DONTWAIT) socket_type=2" },
	{ "sendmsg: UDP6", SYS_sendmsg, { FD_UDP6, ADDRESS(&to_udp6), 0 }, false,
	  "res=5 data=abcde fd=65(<6u>::1:%3->::1:%3) size=5 tuple=::1:%3->::1:%3 flags=0 socket_type=2 msgcontrol=NULL" },
	{ "sendmsg: unix", SYS_sendmsg, { FD_UNIX, ADDRESS(&plain), 0 }, false,
	  "res=5 data=abcde fd=67(<u>" UNIX_TEXT ") size=5 tuple=" UNIX_TEXT " flags=0 socket_type=1 msgcontrol=NULL" },
	{ "sendmsg: no vectors", SYS_sendmsg, { FD_UDP, ADDRESS(&bad_message), 0 }, true,
	  "res=%r data=NULL fd=64(<4u>127.0.0.1:%2) size=0 tuple=127.0.0.1:%2 flags=0 socket_type=2 msgcontrol=NULL" },
	{ "sendmsg: no memory", SYS_sendmsg, { FD_UDP, BAD_MEMORY, 0 }, true,
	  "res=%r data=NULL fd=64(<4u>127.0.0.1:%2) size=<NA> tuple=127.0.0.1:%2 flags=0 socket_type=2 msgcontrol=NULL" },
	{ "recvmsg: unix, in two places", SYS_recvmsg, { FD_UNIX_PEER, ADDRESS(&from_udp), 0 }, false,
	  "res=5 size=42 data=abcde tuple=%5->%4 msgcontrol=NULL fd=68(<u>%5->%4) flags=0 socket_type=1" },
	{ "recvmsg: nothing", SYS_recvmsg, { FD_UNIX_PEER, ADDRESS(&from_udp), MSG_DONTWAIT }, true,
	  "res=%r size=42 data=NULL tuple=%5->%4 msgcontrol=NULL fd=68(<u>%5->%4) flags=64(MSG_DONTWAIT) socket_type=1" },
	{ "sendmmsg", SYS_sendmmsg, { FD_SENDER, ADDRESS(many), 2, 0 }, false,
	  "res=2 fd=66(<4u>0.0.0.0:*->127.0.0.1:%2) size=3 data=abc tuple=0.0.0.0:*->127.0.0.1:%2 flags=0 socket_type=2 messages=2 bytes=3" },
	{ "sendmmsg: no socket", SYS_sendmmsg, { FD_NONE, ADDRESS(many), 2, 0 }, true,
	  "res=%r fd=999(<4r>127.0.0.1:%2) size=3 data=abc tuple=127.0.0.1:%2 flags=0 socket_type=<NA> messages=2 bytes=<NA>" },
	{ "recvmmsg", SYS_recvmmsg, { FD_UDP, ADDRESS(many_rooms), 2, MSG_DONTWAIT, 0 }, false,
	  "res=2 fd=64(<4u>127.0.0.1:%2) size=42 data=abc tuple=127.0.0.1:%2 msgcontrol=NULL flags=64(MSG_DONTWAIT) socket_type=2 messages=2 bytes=3" },
	{ "recvmmsg: nothing", SYS_recvmmsg, { FD_UDP, ADDRESS(many_rooms), 2, MSG_DONTWAIT, 0 }, true,
	  "res=%r fd=64(<4u>127.0.0.1:%2) size=42 data=NULL tuple=127.0.0.1:%2 msgcontrol=NULL flags=64(MSG_DONTWAIT) socket_type=2 messages=2 bytes=<NA>" },
	{ "setsockopt", SYS_setsockopt, { FD_UDP, SOL_SOCKET, SO_BROADCAST, ADDRESS(&one), sizeof(one) }, false,
	  "res=0 fd=64(<4u>127.0.0.1:%2) level=1(SOL_SOCKET) optname=6(SO_BROADCAST) val=.... optlen=4 tuple=127.0.0.1:%2 socket_type=2 number=1" },
	{ "setsockopt: of a level", SYS_setsockopt, { FD_CLIENT, SOL_TCP, TCP_NODELAY, ADDRESS(&one), sizeof(one) }, false,
	  "res=0 fd=62(<4t>" CLIENT_TEXT ") level=2(SOL_TCP) optname=1(TCP_NODELAY) val=.... optlen=4 tuple=" CLIENT_TEXT " socket_type=1 number=1" },
	{ "setsockopt: none", SYS_setsockopt, { FD_UDP, SOL_SOCKET, 9999, BAD_MEMORY, 4 }, true,
	  "res=%r fd=64(<4u>127.0.0.1:%2) level=1(SOL_SOCKET) optname=9999 val=NULL optlen=4 tuple=127.0.0.1:%2 socket_type=2 number=<NA>" },
	{ "getsockopt", SYS_getsockopt, { FD_PACKET, SOL_SOCKET, SO_TYPE, ADDRESS(&option_value), ADDRESS(&option_length) }, false,
	  "res=0 fd=70(<o>if1:0003) level=1(SOL_SOCKET) optname=3(SO_TYPE) val=.... optlen=4 tuple=if1:0003 socket_type=3 number=3" },
	{ "getsockopt: no level", SYS_getsockopt, { FD_NETLINK, 12345, 1, ADDRESS(&option_value), ADDRESS(&option_length) }, true,
	  "res=%r fd=69(<n>*) level=0(12345) optname=1 val=NULL optlen=<NA> tuple=* socket_type=3 number=<NA>" },
	{ "dup2: a socket", SYS_dup2, { FD_SERVED, 0 }, false,
	  "res=0(<4t>" SERVED_TEXT ") oldfd=63 newfd=0 path=socket:* dev=* ino=* file_mode=* tuple=" SERVED_TEXT " socket_type=1" },
	{ "write: a socket", SYS_write, { FD_UNIX, ADDRESS(text), 2 }, false,
	  "res=2 data=ab fd=67(<u>" UNIX_TEXT ") size=2 path=socket:* dev=* ino=%4 file_mode=* tuple=" UNIX_TEXT " socket_type=1" },
	{ "writev: a socket", SYS_writev, { FD_CLIENT, ADDRESS(vectors), 3 }, false,
	  "res=5 size=5 data=abcde fd=62(<4t>" CLIENT_TEXT ") path=socket:* dev=* ino=* file_mode=* tuple=" CLIENT_TEXT " socket_type=1" },
	{ "read: a socket", SYS_read, { FD_UNIX_PEER, ADDRESS(room), 9 }, false,
	  "res=2 data=ab fd=68(<u>%5->%4) size=9 path=socket:* dev=* ino=%5 file_mode=* tuple=%5->%4 socket_type=1" },
	{ "shutdown", SYS_shutdown, { FD_CLIENT, SHUT_WR }, false,
	  "res=0 fd=62(<4t>" CLIENT_TEXT ") how=1(SHUT_WR) tuple=" CLIENT_TEXT " socket_type=1" },
	{ "shutdown: not connected", SYS_shutdown, { FD_UDP6, SHUT_RDWR }, true,
	  "res=%r fd=65(<6u>::1:%3) how=2(SHUT_RDWR) tuple=::1:%3 socket_type=2" },
};
/* clang-format on */

static void put(int fd, enum fixed_descriptor number)
{
	ACTOR_CHECK(fd >= 0 && dup2(fd, (int)number) == (int)number);
	close(fd);
}

/* Notes the port that the socket is bound to. */
static void note_port(int fd, enum note note, void *ret, socklen_t length)
{
	struct sockaddr_in6 address; /* the port stands where IPv4 has it, too */
	socklen_t size = sizeof(address);

	ACTOR_CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
	rows_note(note, "%u", (unsigned)ntohs(address.sin6_port));
	if (ret)
		memcpy(ret, &address, length);
}

static void note_inode(int fd, enum note note)
{
	struct stat status;

	ACTOR_CHECK(fstat(fd, &status) == 0);
	rows_note(note, "%llu", (unsigned long long)status.st_ino);
}

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ACTOR_CHECK(unshare(CLONE_NEWNET) == 0);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ACTOR_CHECK(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
	close(fd);
}

static void prepare_tcp(void)
{
	struct sockaddr_in listener = any4;
	int fd;

	put(socket(AF_INET, SOCK_STREAM, 0), FD_FRESH);
	put(socket(AF_INET6, SOCK_STREAM, 0), FD_FRESH6);
	put(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), FD_LISTENER);
	ACTOR_CHECK(bind(FD_LISTENER, (struct sockaddr *)&any4, sizeof(any4)) == 0);
	ACTOR_CHECK(listen(FD_LISTENER, 8) == 0);
	note_port(FD_LISTENER, NOTE_LISTENER, &listener, sizeof(listener));
	put(socket(AF_INET, SOCK_STREAM, 0), FD_CLIENT);
	ACTOR_CHECK(connect(FD_CLIENT, (struct sockaddr *)&listener, sizeof(listener)) == 0);
	note_port(FD_CLIENT, NOTE_CLIENT, NULL, 0);
	put(accept(FD_LISTENER, NULL, NULL), FD_SERVED);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ACTOR_CHECK(connect(fd, (struct sockaddr *)&listener, sizeof(listener)) == 0);
	note_port(fd, NOTE_WAITING, NULL, 0);
	poll(&(struct pollfd){ .fd = FD_LISTENER, .events = POLLIN }, 1, 1000);
}

static void prepare_unix(void)
{
	struct sockaddr_un name = { AF_UNIX, "\0haetae-live-socket" };
	socklen_t length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name.sun_path + 1);
	int ends[2];

	ACTOR_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	note_inode(ends[0], NOTE_UNIX);
	note_inode(ends[1], NOTE_UNIX_PEER);
	put(ends[0], FD_UNIX);
	put(ends[1], FD_UNIX_PEER);
	put(socket(AF_UNIX, SOCK_STREAM, 0), FD_UNIX_FRESH);
	put(socket(AF_UNIX, SOCK_STREAM, 0), FD_UNIX_LISTENER);
	ACTOR_CHECK(bind(FD_UNIX_LISTENER, (struct sockaddr *)&name, length) == 0);
	ACTOR_CHECK(listen(FD_UNIX_LISTENER, 5) == 0);
	for (int i = 0; i < 2; i++)
		ACTOR_CHECK(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name,
				    length) == 0);
}

static void prepare(void)
{
	struct sockaddr_ll loopback = { .sll_family = AF_PACKET,
					.sll_protocol = htons(ETH_P_ALL),
					.sll_ifindex = 1 };

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 26);
	rows_note(NOTE_SENDER, "%.80s", text);
	raise_loopback();
	prepare_tcp();
	prepare_unix();
	put(socket(AF_INET, SOCK_DGRAM, 0), FD_UDP);
	ACTOR_CHECK(bind(FD_UDP, (struct sockaddr *)&any4, sizeof(any4)) == 0);
	note_port(FD_UDP, NOTE_UDP, &udp4, sizeof(udp4));
	put(socket(AF_INET6, SOCK_DGRAM, 0), FD_UDP6);
	ACTOR_CHECK(bind(FD_UDP6, (struct sockaddr *)&any6, sizeof(any6)) == 0);
	note_port(FD_UDP6, NOTE_UDP6, &udp6, sizeof(udp6));
	put(socket(AF_INET, SOCK_DGRAM, 0), FD_SENDER);
	put(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), FD_NETLINK);
	put(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), FD_NETLINK_FRESH);
	put(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), FD_PACKET);
	ACTOR_CHECK(bind(FD_PACKET, (struct sockaddr *)&loopback, sizeof(loopback)) == 0);
}

Test(live_socket, every_parameter_is_what_libc_says, .timeout = 300)
{
	rows_run(rows, ARRAY_LEN(rows), prepare);
}
