/*
 * The sink of a syslog server: RFC 5424 over a local socket, UDP (RFC 5426), TCP (RFC 6587, octet
 * counting) or TLS (RFC 5425). Owns its socket and session. Outputs thread.
 *
 * Syslog has no acknowledgement. A datagram is delivered when the kernel has taken it; a message
 * over TCP when the peer's kernel has (SIOCOUTQ), so that what a broken connection held is sent
 * again.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "connector.h"
#include "stream.h"
#include "syslog_format.h"
#include "tls_stream.h"

/* UDP over IPv4 (RFC 5426 3.2), with room for headers. */
#define DATAGRAM_MAX	   65000
#define DATAGRAM_SHORT	   2048 /* where that is too much on this path; each receiver takes it */
#define MESSAGE_MAX	   (1u << 20)
#define DATAGRAMS_A_STEP   512
#define HANDSHAKE_LIMIT_NS (10 * NS_PER_SEC)

enum transport {
	TRANSPORT_UNIX,
	TRANSPORT_UDP,
	TRANSPORT_TCP,
	TRANSPORT_TLS
};

enum phase {
	PHASE_APART,
	PHASE_CONNECTING,
	PHASE_HANDSHAKE,
	PHASE_CONNECTED
};

struct syslog_state {
	enum transport transport;
	enum phase phase;
	struct syslog_head head;
	const char *path; /* of a local socket */
	struct connector connector;
	struct tls_stream *tls;
	struct stream stream; /* not used for datagrams */
	struct buf datagram;
	bool is_datagram;
	int fd;
	uint64_t retry_ns, until_ns;
};

/* ---- messages ------------------------------------------------------------------------------- */

/* RFC 6587 3.4.1; a local stream socket separates by newlines instead, as syslog(3) has it. */
static void put_framed(const struct sink *sink, const struct alert *alert, struct buf *out)
{
	const struct syslog_state *state = sink->state;
	_cleanup_(buf_done) struct buf message;

	buf_init(&message, 2 * MESSAGE_MAX);
	syslog_format(&state->head, alert, sink->config.format == SINK_JSON, MESSAGE_MAX, &message);
	if (state->transport != TRANSPORT_UNIX)
		buf_printf(out, "%zu ", message.n);
	buf_put_str(out, buf_str(&message));
	if (state->transport == TRANSPORT_UNIX)
		buf_putc(out, '\n');
	out->failed |= message.failed;
}

static ssize_t write_tls(struct sink *sink, const void *data, size_t n)
{
	struct syslog_state *state = sink->state;

	return tls_stream_write(state->tls, data, n);
}

/* What the peer's kernel has not acknowledged. Records of TLS are longer than what is in them, so
 * there it is all or nothing. */
static uint64_t unacknowledged(const struct sink *sink)
{
	const struct syslog_state *state = sink->state;
	int n = 0;

	if (ioctl(state->fd, SIOCOUTQ, &n) < 0 || n <= 0)
		return 0;
	return state->tls ? UINT64_MAX : (uint64_t)n;
}

/* ---- connecting ----------------------------------------------------------------------------- */

static void disconnect(struct sink *sink)
{
	struct syslog_state *state = sink->state;

	stream_reset(sink, &state->stream);
	connector_reset(&state->connector);
	state->tls = tls_stream_free(state->tls);
	close_fdp(&state->fd);
	state->stream.fd = -1;
	state->phase = PHASE_APART;
}

static void fail(struct sink *sink, enum sink_health health, const char *why, uint64_t now_ns)
{
	struct syslog_state *state = sink->state;

	sink_troubled(sink, health, "%s: %s", sink->config.syslog.address, why);
	disconnect(sink);
	state->retry_ns = sink_back_off(sink, now_ns, 0);
}

static int connect_local(struct syslog_state *state, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	/* Its length was checked. */
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", state->path);
	r = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : fd;
	if (r < 0)
		close(fd);
	return r;
}

static void connected(struct sink *sink)
{
	struct syslog_state *state = sink->state;

	state->stream.fd = state->fd;
	state->phase = PHASE_CONNECTED;
}

static void open_local(struct sink *sink, uint64_t now_ns)
{
	struct syslog_state *state = sink->state;

	state->is_datagram = true;
	state->fd = connect_local(state, SOCK_DGRAM);
	if (state->fd == -EPROTOTYPE) {
		state->is_datagram = false;
		state->fd = connect_local(state, SOCK_STREAM);
	}
	if (state->fd < 0)
		fail(sink, SINK_HEALTH_RETRYING, strerror(-state->fd), now_ns);
	else
		connected(sink);
}

static void shake_hands(struct sink *sink, uint64_t now_ns)
{
	struct syslog_state *state = sink->state;
	short events = 0;
	char error[128] = "";
	int r = tls_stream_handshake(state->tls, &events, error, sizeof(error));

	if (r == 0) {
		connected(sink);
	} else if (r != -EAGAIN) {
		fail(sink, SINK_HEALTH_MISCONFIGURED, error, now_ns);
	} else if (now_ns >= state->until_ns) {
		fail(sink, SINK_HEALTH_RETRYING, "TLS handshake: no answer", now_ns);
	} else {
		sink->poll = (struct pollfd){ .fd = state->fd, .events = events };
		sink->wake_ns = state->until_ns;
	}
}

static void begin_tls(struct sink *sink, uint64_t now_ns)
{
	struct syslog_state *state = sink->state;
	char error[128] = "out of memory";

	if (tls_stream_new(&sink->config, state->connector.host, state->fd, error, sizeof(error),
			   &state->tls) < 0) {
		fail(sink, SINK_HEALTH_MISCONFIGURED, error, now_ns);
		return;
	}
	state->phase = PHASE_HANDSHAKE;
	state->until_ns = now_ns + HANDSHAKE_LIMIT_NS;
}

static void open_remote(struct sink *sink, uint64_t now_ns)
{
	struct syslog_state *state = sink->state;
	uint64_t wake_ns = UINT64_MAX;
	int fd, r = connector_step(&state->connector, now_ns, &fd, &wake_ns);

	state->phase = PHASE_CONNECTING;
	if (r == CONNECTOR_E_WAIT) {
		sink->poll = (struct pollfd){ .fd = fd, .events = POLLOUT };
		sink->wake_ns = wake_ns;
	} else if (r == CONNECTOR_E_FAILED) {
		fail(sink, SINK_HEALTH_RETRYING, state->connector.error, now_ns);
	} else {
		state->fd = fd;
		if (state->transport == TRANSPORT_TLS)
			begin_tls(sink, now_ns);
		else
			connected(sink);
	}
}

/* ---- sending -------------------------------------------------------------------------------- */

/* 0, or a negative errno. A message that is too long for this path is sent shorter. */
static int send_datagram(struct sink *sink, const struct alert *alert)
{
	static const size_t limits[] = { DATAGRAM_MAX, DATAGRAM_SHORT };
	struct syslog_state *state = sink->state;

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		buf_clear(&state->datagram);
		syslog_format(&state->head, alert, sink->config.format == SINK_JSON, limits[i],
			      &state->datagram);
		if (state->datagram.failed)
			return -ENOMEM;
		if (send(state->fd, state->datagram.p, state->datagram.n,
			 MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EMSGSIZE)
			return -errno;
	}
	return -EMSGSIZE;
}

static void send_datagrams(struct sink *sink, uint64_t now_ns)
{
	struct syslog_state *state = sink->state;
	struct delivery *delivery = NULL;
	int r = 0;

	for (unsigned i = 0; i < DATAGRAMS_A_STEP && r == 0; i++) {
		delivery = sink_take(sink);
		if (!delivery)
			return;
		r = send_datagram(sink, delivery->alert);
		if (r == 0) {
			sink_ok(sink);
			sink_acknowledge(sink, delivery);
		}
	}
	if (r == 0) {
		sink->wake_ns = 0;
	} else if (r == -EMSGSIZE) {
		sink_fail(sink, delivery, "too long for this path");
		sink->wake_ns = 0;
	} else if (r == -EAGAIN || r == -ENOBUFS) {
		sink_give_back(sink, delivery);
		/* A local socket is full of what its reader has not read; poll(2) says when not,
		 * and the timer where it does not (unix_dgram_poll, connected both ways only). */
		sink->poll = (struct pollfd){ .fd = state->fd, .events = POLLOUT };
		sink->wake_ns = now_ns + 10 * NS_PER_MS;
	} else {
		sink_give_back(sink, delivery);
		fail(sink, SINK_HEALTH_RETRYING, strerror(-r), now_ns);
	}
}

/* A server that was restarted has closed the connection: better known before something is written
 * to it than after. */
static bool is_alive(const struct syslog_state *state)
{
	char byte;
	ssize_t n;

	if (state->tls)
		return tls_stream_look(state->tls);
	n = recv(state->fd, &byte, 1, MSG_DONTWAIT);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void send_stream(struct sink *sink, uint64_t now_ns)
{
	struct syslog_state *state = sink->state;
	uint64_t before = state->stream.total;
	int r;

	if (!is_alive(state)) {
		fail(sink, SINK_HEALTH_RETRYING, "closed by the server", now_ns);
		return;
	}
	r = stream_step(sink, &state->stream, now_ns);
	if (r < 0)
		fail(sink, SINK_HEALTH_RETRYING, strerror(-r), now_ns);
	else if (state->stream.total > before)
		sink_ok(sink);
}

/* ---- the kind ------------------------------------------------------------------------------- */

static const struct {
	const char *scheme;
	enum transport transport;
	const char *port;
	int socket_type;
} transports[] = {
	{ "udp://", TRANSPORT_UDP, "514", SOCK_DGRAM },
	{ "tcp://", TRANSPORT_TCP, "514", SOCK_STREAM }, /* customary; 514/tcp is shell's */
	{ "tls://", TRANSPORT_TLS, "6514", SOCK_STREAM },
};

static bool parse_address(struct syslog_state *state, const char *address)
{
	if (strncmp(address, "unix:", 5) == 0) {
		state->path = address + 5;
		state->transport = TRANSPORT_UNIX;
		return state->path[0] &&
		       strlen(state->path) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
	}
	for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
		size_t n = strlen(transports[i].scheme);

		if (strncmp(address, transports[i].scheme, n) != 0)
			continue;
		state->transport = transports[i].transport;
		state->is_datagram = state->transport == TRANSPORT_UDP;
		return connector_init(&state->connector, address + n, transports[i].port,
				      transports[i].socket_type);
	}
	return false;
}

static int syslog_open(struct sink *sink)
{
	struct syslog_state *state = calloc(1, sizeof(*state));
	unsigned facility;

	if (!state)
		return -ENOMEM;
	sink->state = state;
	state->fd = state->connector.fd = -1;
	stream_init(&state->stream);
	buf_init(&state->datagram, 2 * MESSAGE_MAX);
	if (!sink->config.syslog.address)
		sink->config.syslog.address = "unix:/dev/log";
	if (!parse_address(state, sink->config.syslog.address) ||
	    !syslog_facility_parse(sink->config.syslog.facility ? sink->config.syslog.facility
								: "daemon",
				   &facility))
		return -EINVAL;
	syslog_head_init(&state->head, facility);
	state->stream.format = put_framed;
	state->stream.is_framed = true;
	state->stream.events = POLLIN;
	state->stream.outstanding = unacknowledged;
	if (state->transport == TRANSPORT_TLS)
		state->stream.write = write_tls;
	return 0;
}

static void syslog_step(struct sink *sink, uint64_t now_ns)
{
	struct syslog_state *state = sink->state;

	sink->poll = (struct pollfd){ .fd = -1 };
	sink->wake_ns = UINT64_MAX;
	/* Connected when there is something to say, and then kept. */
	if (state->phase == PHASE_APART && sink_has_waiting(sink) && now_ns >= state->retry_ns) {
		if (state->transport == TRANSPORT_UNIX)
			open_local(sink, now_ns);
		else
			open_remote(sink, now_ns);
	} else if (state->phase == PHASE_CONNECTING) {
		open_remote(sink, now_ns);
	}
	if (state->phase == PHASE_HANDSHAKE)
		shake_hands(sink, now_ns);
	if (state->phase == PHASE_CONNECTED && state->is_datagram)
		send_datagrams(sink, now_ns);
	else if (state->phase == PHASE_CONNECTED)
		send_stream(sink, now_ns);
	if (state->phase == PHASE_APART) {
		sink->poll.fd = -1;
		sink->wake_ns = sink_has_waiting(sink) ? state->retry_ns : UINT64_MAX;
	}
}

static void syslog_close(struct sink *sink)
{
	struct syslog_state *state = sink->state;

	if (!state)
		return;
	connector_reset(&state->connector);
	tls_stream_free(state->tls);
	stream_done(&state->stream);
	buf_done(&state->datagram);
	close_fdp(&state->fd);
	free(state);
	sink->state = NULL;
}

const struct sink_kind sink_syslog = {
	.type = "syslog",
	.open = syslog_open,
	.step = syslog_step,
	.close = syslog_close,
};
