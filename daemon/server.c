/*
 * /metrics, /healthz, /readyz and /version with libmicrohttpd. Owns the listening socket and the
 * text of the answer at hand. Reads the engine's snapshot, never the engine. Outputs thread.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>

#include "haetae/clock.h"
#include "haetae/text.h"
#include "readiness.h"

#define CONNECTIONS_MAX	       32
#define CONNECTIONS_OF_ONE_MAX 16
#define CONNECTION_BYTES       32768 /* request line, headers and what waits to be sent of them */
#define TIMEOUT_S	       10
#define ANSWER_MAX	       (8u << 20)
#define PERIOD_NS	       NS_PER_SEC
#define STEPS_MAX	       16

struct server {
	struct MHD_Daemon *http; /* owned; it owns the socket */
	struct metrics *metrics;
	struct outputs *outputs; /* borrowed */
	struct buf answer;
	char address[64];
};

#define TYPE_TEXT	 "text/plain; charset=utf-8"
#define TYPE_JSON	 "application/json"
#define TYPE_PROMETHEUS	 "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* ---- what is served ------------------------------------------------------------------------- */

struct exchange {
	struct server *server;
	struct MHD_Connection *connection;
	const struct metrics_snapshot *snapshot;
	const char *type;
};

static unsigned serve_metrics(struct exchange *exchange)
{
	const char *accept = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_ACCEPT);
	bool is_openmetrics = accept && strstr(accept, "application/openmetrics-text");

	exchange->type = is_openmetrics ? TYPE_OPENMETRICS : TYPE_PROMETHEUS;
	metrics_format(exchange->snapshot, exchange->server->outputs, is_openmetrics,
		       &exchange->server->answer);
	return MHD_HTTP_OK;
}

static unsigned serve_healthz(struct exchange *exchange)
{
	bool is_good = readiness_of(exchange->snapshot).is_alive;

	buf_puts(&exchange->server->answer, is_good ? "ok\n" : "the engine thread is stuck\n");
	return is_good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static unsigned serve_readyz(struct exchange *exchange)
{
	bool is_ready = readiness_of(exchange->snapshot).is_ready;
	struct buf *out = &exchange->server->answer;

	exchange->type = TYPE_JSON;
	buf_putc(out, '{');
	readiness_put(exchange->snapshot, out);
	buf_puts(out, "}\n");
	return is_ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static unsigned serve_version(struct exchange *exchange)
{
	exchange->type = TYPE_JSON;
	buf_puts(&exchange->server->answer, "{\"version\":");
	text_put_json_string(&exchange->server->answer, STR(HAETAE_VERSION));
	buf_puts(&exchange->server->answer, "}\n");
	return MHD_HTTP_OK;
}

static const struct page {
	const char *path;
	unsigned (*serve)(struct exchange *exchange);
} pages[] = {
	{ "/metrics", serve_metrics },
	{ "/healthz", serve_healthz },
	{ "/readyz", serve_readyz },
	{ "/version", serve_version },
};

static unsigned serve(struct exchange *exchange, const char *path)
{
	for (unsigned i = 0; i < ARRAY_LEN(pages); i++)
		if (strcmp(pages[i].path, path) == 0)
			return pages[i].serve(exchange);
	buf_puts(&exchange->server->answer, "/metrics /healthz /readyz /version\n");
	return MHD_HTTP_NOT_FOUND;
}

/* ---- libmicrohttpd -------------------------------------------------------------------------- */

static enum MHD_Result answer(struct exchange *exchange, unsigned status)
{
	struct buf *text = &exchange->server->answer;
	struct MHD_Response *response;
	enum MHD_Result result;

	if (text->failed) {
		buf_clear(text);
		status = MHD_HTTP_INTERNAL_SERVER_ERROR;
	}
	response = MHD_create_response_from_buffer(text->n, text->p ?: (void *)(uintptr_t) "",
						   MHD_RESPMEM_MUST_COPY);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, exchange->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(exchange->connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* Called once when the headers are there, and again while a body arrives: that is refused at the
 * first call, so no body is ever read. */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *body,
				  size_t *body_size, void **state)
{
	struct server *server = data;
	struct exchange exchange = {
		.server = server,
		.connection = connection,
		.snapshot = metrics_take(server->metrics),
		.type = TYPE_TEXT,
	};

	(void)version;
	(void)body;
	(void)body_size;
	(void)state;
	buf_clear(&server->answer);
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer(&exchange, MHD_HTTP_METHOD_NOT_ALLOWED);
	return answer(&exchange, serve(&exchange, path));
}

/* ---- the listening socket ------------------------------------------------------------------- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* "ADDRESS:PORT", numeric; the configuration has checked it. */
static bool parse_address(const char *text, union address *ret, socklen_t *ret_length)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN];
	size_t n = colon ? (size_t)(colon - text) : 0;
	bool is_v6 = text[0] == '[';
	uint16_t port;

	if (n < 2 || n >= sizeof(host))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(is_v6 ? n - 2 : n), is_v6 ? text + 1 : text);
	port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	*ret = (union address){ 0 };
	if (is_v6) {
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = port;
		*ret_length = sizeof(ret->v6);
		return inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1;
	}
	ret->v4.sin_family = AF_INET;
	ret->v4.sin_port = port;
	*ret_length = sizeof(ret->v4);
	return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1;
}

static int open_socket(const char *listen_text, int *ret)
{
	_cleanup_(close_fdp) int fd = -1;
	union address address;
	socklen_t length;
	const int one = 1;

	if (!parse_address(listen_text, &address, &length))
		return -EINVAL;
	fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &address.any, length) < 0 || listen(fd, CONNECTIONS_MAX) < 0)
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

static void name_address(struct server *server, int fd)
{
	union address address = { 0 };
	socklen_t length = sizeof(address);
	char host[INET6_ADDRSTRLEN] = "?";

	if (getsockname(fd, &address.any, &length) < 0)
		return;
	if (address.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof(host));
		snprintf(server->address, sizeof(server->address), "[%s]:%u", host,
			 ntohs(address.v6.sin6_port));
		return;
	}
	inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof(host));
	snprintf(server->address, sizeof(server->address), "%s:%u", host,
		 ntohs(address.v4.sin_port));
}

/* ---- the object ----------------------------------------------------------------------------- */

int server_new(const char *listen_text, struct metrics *metrics, struct server **ret)
{
	_cleanup_(close_fdp) int fd = -1;
	struct server *server;
	int r = open_socket(listen_text, &fd);

	if (r < 0)
		return r;
	server = calloc(1, sizeof(*server));
	if (!server)
		return -ENOMEM;
	server->metrics = metrics;
	buf_init(&server->answer, ANSWER_MAX);
	name_address(server, fd);
	server->http = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_OF_ONE_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
	if (!server->http) {
		server_free(server);
		return -ENOMEM;
	}
	(void)TAKE_FD(fd);
	*ret = server;
	return 0;
}

struct server *server_free(struct server *server)
{
	if (!server)
		return NULL;
	if (server->http)
		MHD_stop_daemon(server->http);
	buf_done(&server->answer);
	free(server);
	return NULL;
}

/* Never blocks: epoll is asked with no wait. Work that is left, such as a second request in what
 * was read, is done at once. */
static void step(void *data)
{
	struct server *server = data;
	MHD_UNSIGNED_LONG_LONG wait_ms;

	for (unsigned i = 0; i < STEPS_MAX; i++) {
		if (MHD_run(server->http) != MHD_YES)
			return;
		if (MHD_get_timeout(server->http, &wait_ms) != MHD_YES || wait_ms > 0)
			return;
	}
}

struct outputs_guest server_guest(struct server *server)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(server->http, MHD_DAEMON_INFO_EPOLL_FD);

	return (struct outputs_guest){
		.fd = info ? info->epoll_fd : -1,
		.step = step,
		.data = server,
		.period_ns = PERIOD_NS,
	};
}

void server_set_outputs(struct server *server, struct outputs *outputs)
{
	server->outputs = outputs;
}

const char *server_address(const struct server *server)
{
	return server->address;
}
