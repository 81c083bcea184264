/*
 * The other end of the control socket: connects, asks, reads lines. Owns the connection and one
 * bounded buffer.
 */
#include "control_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "haetae/clock.h"
#include "haetae/json_bound.h"

#define LINE_MAX_BYTES (2u << 20) /* the daemon's whole output buffer, and more */
#define READ_BYTES     65536
#define ANSWER_NS      (10 * NS_PER_SEC)

/* Whoever may make files where the socket is expected could pose as the daemon. */
static int check_peer(int fd)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return -errno;
	return peer.uid == 0 || peer.uid == geteuid() ? 0 : -EPERM;
}

int control_client_open(const char *path, struct control_client *ret)
{
	_cleanup_(close_fdp) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r;

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	r = check_peer(fd);
	if (r < 0)
		return r;
	*ret = (struct control_client){ .fd = TAKE_FD(fd) };
	buf_init(&ret->in, LINE_MAX_BYTES);
	return 0;
}

void control_client_close(struct control_client *client)
{
	close_fdp(&client->fd);
	buf_done(&client->in);
}

static int parse(struct str line, struct json_object **ret)
{
	struct json_tokener *tokener = json_is_bounded(line) ? json_tokener_new() : NULL;
	struct json_object *object = NULL;

	if (tokener) {
		object = json_tokener_parse_ex(tokener, line.p, (int)line.n);
		json_tokener_free(tokener);
	}
	if (!json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		return -EPROTO;
	}
	*ret = object;
	return 0;
}

static int fill(struct control_client *client, uint64_t until_ns)
{
	uint64_t now_ns = clock_boot_ns();
	int wait_ms = until_ns > now_ns ? (int)((until_ns - now_ns) / NS_PER_MS + 1) : 0;
	struct pollfd fd = { .fd = client->fd, .events = POLLIN };
	char chunk[READ_BYTES];
	ssize_t n;

	if (poll(&fd, 1, wait_ms) == 0)
		return CONTROL_E_TIME;
	n = recv(client->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return -errno;
	if (n <= 0)
		return CONTROL_E_CLOSED;
	if (client->used > 0) {
		memmove(client->in.p, client->in.p + client->used, client->in.n - client->used);
		client->in.n -= client->used;
		client->used = 0;
	}
	buf_put(&client->in, chunk, (size_t)n);
	return client->in.failed ? -EMSGSIZE : 0;
}

int control_client_read(struct control_client *client, uint64_t until_ns, struct json_object **ret)
{
	for (;;) {
		const char *at = client->in.n ? client->in.p + client->used : NULL;
		const char *newline = at ? memchr(at, '\n', client->in.n - client->used) : NULL;
		int r;

		if (newline) {
			client->used += (size_t)(newline - at) + 1;
			return parse((struct str){ at, (uint32_t)(newline - at) }, ret);
		}
		r = fill(client, until_ns);
		if (r != 0)
			return r;
	}
}

int control_client_ask(struct control_client *client, const char *command, struct json_object **ret)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "{\"command\":\"%s\"}\n", command);

	if (send(client->fd, line, (size_t)n, MSG_NOSIGNAL) != n)
		return errno == EPIPE ? CONTROL_E_CLOSED : -errno;
	return control_client_read(client, clock_boot_ns() + ANSWER_NS, ret);
}
