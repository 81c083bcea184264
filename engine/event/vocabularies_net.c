/*
 * Vocabularies of the calls on sockets. Owns constant data only; any thread.
 */
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "event_private.h"

#define SAME(value)                  \
	{                            \
		value, value, #value \
	}
#define END                \
	{                  \
		0, 0, NULL \
	}

/* clang-format off */
static const struct flag_name socket_flag_names[] = {
	SAME(SOCK_CLOEXEC), SAME(SOCK_NONBLOCK),
	END
};

static const struct flag_name message_names[] = {
	SAME(MSG_OOB), SAME(MSG_PEEK), SAME(MSG_DONTROUTE), SAME(MSG_CTRUNC), SAME(MSG_PROXY),
	SAME(MSG_TRUNC), SAME(MSG_DONTWAIT), SAME(MSG_EOR), SAME(MSG_WAITALL), SAME(MSG_FIN),
	SAME(MSG_SYN), SAME(MSG_CONFIRM), SAME(MSG_RST), SAME(MSG_ERRQUEUE), SAME(MSG_NOSIGNAL),
	SAME(MSG_MORE), SAME(MSG_WAITFORONE), SAME(MSG_BATCH), SAME(MSG_ZEROCOPY),
	SAME(MSG_FASTOPEN), SAME(MSG_CMSG_CLOEXEC),
	END
};

/* include/linux/socket.h: levels are protocol numbers, or above those. libs has numbers for two. */
static const struct flag_name level_names[] = {
	{ 1, 1, "SOL_SOCKET" }, { 6, 2, "SOL_TCP" }, { 0, 0, "SOL_IP" }, { 17, 17, "SOL_UDP" },
	{ 41, 41, "SOL_IPV6" }, { 58, 58, "SOL_ICMPV6" }, { 132, 132, "SOL_SCTP" },
	{ 255, 255, "SOL_RAW" }, { 263, 263, "SOL_PACKET" }, { 270, 270, "SOL_NETLINK" },
	{ 279, 279, "SOL_ALG" }, { 282, 282, "SOL_TLS" }, { 283, 283, "SOL_XDP" },
	{ 284, 284, "SOL_MPTCP" }, { 287, 287, "SOL_VSOCK" },
	END
};

/* The level stands above the option's 32 bits, so that numbers of different levels differ. */
#define OPTION(level, number, name) { (uint64_t)(level) << 32 | (number), number, name }
#define SO(name)     OPTION(SOL_SOCKET, name, #name)
#define TCP(name)    OPTION(SOL_TCP, name, #name)
#define IP(name)     OPTION(SOL_IP, name, #name)
#define IPV6(name)   OPTION(SOL_IPV6, name, #name)
#define PACKET(name) OPTION(SOL_PACKET, name, #name)
static const struct flag_name option_names[] = {
	SO(SO_DEBUG), SO(SO_REUSEADDR), SO(SO_TYPE), SO(SO_ERROR), SO(SO_DONTROUTE),
	SO(SO_BROADCAST), SO(SO_SNDBUF), SO(SO_RCVBUF), SO(SO_SNDBUFFORCE), SO(SO_RCVBUFFORCE),
	SO(SO_KEEPALIVE), SO(SO_OOBINLINE), SO(SO_NO_CHECK), SO(SO_PRIORITY), SO(SO_LINGER),
	SO(SO_BSDCOMPAT), SO(SO_REUSEPORT), SO(SO_PASSCRED), SO(SO_PEERCRED), SO(SO_RCVLOWAT),
	SO(SO_SNDLOWAT), SO(SO_RCVTIMEO), SO(SO_SNDTIMEO), SO(SO_BINDTODEVICE),
	SO(SO_ATTACH_FILTER), SO(SO_DETACH_FILTER), SO(SO_PEERNAME), SO(SO_TIMESTAMP),
	SO(SO_ACCEPTCONN), SO(SO_PEERSEC), SO(SO_PASSSEC), SO(SO_TIMESTAMPNS), SO(SO_MARK),
	SO(SO_TIMESTAMPING), SO(SO_PROTOCOL), SO(SO_DOMAIN), SO(SO_RXQ_OVFL), SO(SO_WIFI_STATUS),
	SO(SO_PEEK_OFF), SO(SO_NOFCS), SO(SO_LOCK_FILTER), SO(SO_SELECT_ERR_QUEUE),
	SO(SO_BUSY_POLL), SO(SO_MAX_PACING_RATE), SO(SO_BPF_EXTENSIONS), SO(SO_INCOMING_CPU),
	SO(SO_ATTACH_BPF), SO(SO_ATTACH_REUSEPORT_CBPF), SO(SO_ATTACH_REUSEPORT_EBPF),
	SO(SO_CNX_ADVICE), SO(SO_MEMINFO), SO(SO_INCOMING_NAPI_ID), SO(SO_COOKIE),
	SO(SO_PEERGROUPS), SO(SO_ZEROCOPY), SO(SO_TXTIME), SO(SO_BINDTOIFINDEX),
	SO(SO_DETACH_REUSEPORT_BPF), SO(SO_PREFER_BUSY_POLL),
	SO(SO_BUSY_POLL_BUDGET), SO(SO_NETNS_COOKIE), SO(SO_BUF_LOCK), SO(SO_RESERVE_MEM),
	TCP(TCP_NODELAY), TCP(TCP_MAXSEG), TCP(TCP_CORK), TCP(TCP_KEEPIDLE), TCP(TCP_KEEPINTVL),
	TCP(TCP_KEEPCNT), TCP(TCP_SYNCNT), TCP(TCP_LINGER2), TCP(TCP_DEFER_ACCEPT),
	TCP(TCP_WINDOW_CLAMP), TCP(TCP_INFO), TCP(TCP_QUICKACK), TCP(TCP_CONGESTION),
	TCP(TCP_MD5SIG), TCP(TCP_USER_TIMEOUT), TCP(TCP_REPAIR), TCP(TCP_FASTOPEN), TCP(TCP_ULP),
	TCP(TCP_FASTOPEN_KEY), TCP(TCP_FASTOPEN_CONNECT),
	IP(IP_TOS), IP(IP_TTL), IP(IP_HDRINCL), IP(IP_OPTIONS), IP(IP_PKTINFO), IP(IP_RECVERR),
	IP(IP_TRANSPARENT), IP(IP_FREEBIND), IP(IP_BIND_ADDRESS_NO_PORT), IP(IP_MULTICAST_IF),
	IP(IP_MULTICAST_TTL), IP(IP_MULTICAST_LOOP), IP(IP_ADD_MEMBERSHIP), IP(IP_DROP_MEMBERSHIP),
	IPV6(IPV6_V6ONLY), IPV6(IPV6_RECVERR), IPV6(IPV6_RECVPKTINFO), IPV6(IPV6_UNICAST_HOPS),
	IPV6(IPV6_JOIN_GROUP), IPV6(IPV6_LEAVE_GROUP), IPV6(IPV6_TRANSPARENT),
	PACKET(PACKET_ADD_MEMBERSHIP), PACKET(PACKET_DROP_MEMBERSHIP), PACKET(PACKET_RX_RING),
	PACKET(PACKET_TX_RING), PACKET(PACKET_STATISTICS), PACKET(PACKET_VERSION),
	PACKET(PACKET_AUXDATA), PACKET(PACKET_FANOUT), PACKET(PACKET_IGNORE_OUTGOING),
	END
};

const struct vocabulary vocabulary_socket_flags = { "socket_flags", socket_flag_names, false };
const struct vocabulary vocabulary_message_flags = { "message_flags", message_names, false };
const struct vocabulary vocabulary_socket_level = { "socket_level", level_names, true };
const struct vocabulary vocabulary_socket_option = { "socket_option", option_names, true };
/* clang-format on */
