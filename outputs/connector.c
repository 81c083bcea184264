/*
 * Connects without waiting. A name is resolved by the C library in a thread of its own
 * (getaddrinfo_a(3)), because a resolver that does not answer must delay no other sink. Owns the
 * request and the socket until it is connected.
 */
#include "connector.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

#include "haetae/clock.h"

#define RESOLVE_LIMIT_NS (10 * NS_PER_SEC)
#define RESOLVE_LOOK_NS	 (20 * NS_PER_MS)
#define CONNECT_LIMIT_NS (5 * NS_PER_SEC)

bool connector_init(struct connector *connector, const char *address, const char *port,
		    int socket_type)
{
	const char *host = address, *colon = strrchr(address, ':');
	size_t host_n = strlen(address);

	*connector = (struct connector){ .socket_type = socket_type, .fd = -1 };
	if (address[0] == '[') {
		const char *bracket = strchr(address, ']');

		if (!bracket || (bracket[1] && bracket[1] != ':'))
			return false;
		host = address + 1;
		host_n = (size_t)(bracket - host);
		colon = bracket[1] ? bracket + 1 : NULL;
	} else if (colon) {
		host_n = (size_t)(colon - address);
	}
	if (colon)
		port = colon + 1;
	if (host_n == 0 || host_n >= sizeof(connector->host) || !port[0] ||
	    strlen(port) >= sizeof(connector->port) || port[strspn(port, "0123456789")])
		return false;
	memcpy(connector->host, host, host_n);
	memcpy(connector->port, port, strlen(port) + 1);
	return true;
}

/* The library may still write to the request: one that can't be cancelled is left to it. */
static void drop_request(struct connector *connector)
{
	struct gaicb *request = connector->request;

	connector->request = NULL;
	if (!request)
		return;
	if (gai_cancel(request) == EAI_NOTCANCELED)
		return;
	if (request->ar_result)
		freeaddrinfo(request->ar_result);
	free(request);
}

void connector_reset(struct connector *connector)
{
	drop_request(connector);
	close_fdp(&connector->fd);
	if (connector->addresses)
		freeaddrinfo(connector->addresses);
	connector->addresses = NULL;
	connector->next = NULL;
}

static int fail(struct connector *connector, const char *doing, const char *why)
{
	snprintf(connector->error, sizeof(connector->error), "%s: %s", doing, why);
	connector_reset(connector);
	return CONNECTOR_E_FAILED;
}

/* The names live as long as the request: behind it, with the hints. */
struct whole_request {
	struct gaicb request;
	struct addrinfo hints;
	char host[256], port[8];
};

static int begin(struct connector *connector, uint64_t now_ns)
{
	struct whole_request *whole = calloc(1, sizeof(*whole));
	struct gaicb *list[1];
	int r;

	if (!whole)
		return fail(connector, "resolving", strerror(ENOMEM));
	memcpy(whole->host, connector->host, sizeof(whole->host));
	memcpy(whole->port, connector->port, sizeof(whole->port));
	whole->hints.ai_socktype = connector->socket_type;
	whole->hints.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST;
	connector->until_ns = now_ns + RESOLVE_LIMIT_NS;
	/* A number needs no resolver. */
	if (getaddrinfo(whole->host, whole->port, &whole->hints, &connector->addresses) == 0) {
		connector->next = connector->addresses;
		free(whole);
		return 0;
	}
	whole->hints.ai_flags = AI_NUMERICSERV;
	whole->request = (struct gaicb){ .ar_name = whole->host,
					 .ar_service = whole->port,
					 .ar_request = &whole->hints };
	list[0] = connector->request = &whole->request;
	r = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
	if (r == 0)
		return 0;
	connector->request = NULL;
	free(whole);
	return fail(connector, "resolving", gai_strerror(r));
}

static int resolve(struct connector *connector, uint64_t now_ns, uint64_t *ret_wake_ns)
{
	int r = gai_error(connector->request);

	if (r == EAI_INPROGRESS) {
		if (now_ns >= connector->until_ns)
			return fail(connector, "resolving", "no answer");
		*ret_wake_ns = now_ns + RESOLVE_LOOK_NS;
		return CONNECTOR_E_WAIT;
	}
	if (r != 0)
		return fail(connector, "resolving", gai_strerror(r));
	connector->addresses = connector->request->ar_result;
	connector->request->ar_result = NULL;
	connector->next = connector->addresses;
	drop_request(connector);
	return 0;
}

/* The next address that does not fail at once. */
static int connect_next(struct connector *connector, uint64_t now_ns)
{
	int error = EADDRNOTAVAIL;

	for (; connector->next; connector->next = connector->next->ai_next) {
		const struct addrinfo *address = connector->next;
		int fd = socket(address->ai_family,
				address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		if (fd >= 0 && (connect(fd, address->ai_addr, address->ai_addrlen) == 0 ||
				errno == EINPROGRESS)) {
			connector->next = address->ai_next;
			connector->fd = fd;
			connector->until_ns = now_ns + CONNECT_LIMIT_NS;
			return 0;
		}
		error = errno;
		close_fdp(&fd);
	}
	return fail(connector, "connecting", strerror(error));
}

/* Whether the socket is there: 0, CONNECTOR_E_WAIT, or what went wrong. */
static int look(const struct connector *connector, uint64_t now_ns)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof(int), peer_length = sizeof(peer);
	int error = 0;

	if (getsockopt(connector->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return -errno;
	if (error)
		return -error;
	if (getpeername(connector->fd, (struct sockaddr *)&peer, &peer_length) == 0)
		return 0;
	return now_ns >= connector->until_ns ? -ETIMEDOUT : CONNECTOR_E_WAIT;
}

int connector_step(struct connector *connector, uint64_t now_ns, int *ret_fd, uint64_t *ret_wake_ns)
{
	int r = 0;

	*ret_fd = -1;
	if (!connector->addresses && !connector->request)
		r = begin(connector, now_ns);
	if (r == 0 && connector->request)
		r = resolve(connector, now_ns, ret_wake_ns);
	while (r == 0) {
		if (connector->fd < 0)
			r = connect_next(connector, now_ns);
		if (r != 0)
			return r;
		r = look(connector, now_ns);
		if (r == 0) {
			*ret_fd = TAKE_FD(connector->fd);
			connector_reset(connector);
			return 0;
		}
		if (r == CONNECTOR_E_WAIT) {
			*ret_fd = connector->fd;
			*ret_wake_ns = connector->until_ns;
			return r;
		}
		close_fdp(&connector->fd);
		if (!connector->next)
			return fail(connector, "connecting", strerror(-r));
		r = 0;
	}
	return r;
}
