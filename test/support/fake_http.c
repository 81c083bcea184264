/*
 * The server of fake_http.h. Owns its threads and descriptors; a stop shuts every connection down,
 * which ends whatever a handler waits for.
 */
#include "fake_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct connection {
	struct fake_http *server;
	int fd;
	pthread_t thread;
};

struct fake_http {
	int listen_fd;
	uint16_t port;
	char path[108];
	fake_handler handler;
	void *data;
	pthread_t thread;
	pthread_mutex_t lock;
	struct connection connections[FAKE_HTTP_CONNECTIONS_MAX];
	unsigned connection_cnt;
	bool is_stopping;
	_Atomic unsigned requests;
};

bool fake_write(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

bool fake_puts(int fd, const char *text)
{
	return fake_write(fd, text, strlen(text));
}

bool fake_answer(int fd, int status, const char *type, const char *body)
{
	char head[512];

	snprintf(head, sizeof(head), "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s%s%s\r\n", status,
		 strlen(body), type ? "Content-Type: " : "", type ? type : "", type ? "\r\n" : "");
	return fake_puts(fd, head) && fake_puts(fd, body);
}

void fake_sleep_ms(int fd, unsigned ms)
{
	(void)poll(&(struct pollfd){ .fd = fd, .events = POLLRDHUP }, 1, (int)ms);
}

/* Up to the empty line; what follows it is the body's begin, whose length is returned. */
static ssize_t read_head(int fd, struct fake_request *request)
{
	size_t n = 0;
	char *end;

	request->head[0] = '\0';
	for (;;) {
		ssize_t got = recv(fd, request->head + n, sizeof(request->head) - 1 - n, 0);

		if (got <= 0)
			return -1;
		n += (size_t)got;
		request->head[n] = '\0';
		end = strstr(request->head, "\r\n\r\n");
		if (end)
			break;
	}
	end += 4;
	request->body_n = n - (size_t)(end - request->head);
	memcpy(request->body, end, request->body_n);
	*end = '\0';
	return sscanf(request->head, "%15s %511s", request->method, request->path) == 2 ? 0 : -1;
}

static bool read_body(int fd, struct fake_request *request)
{
	const char *length = strcasestr(request->head, "\r\ncontent-length:");
	size_t want = length ? strtoul(length + 17, NULL, 10) : 0;
	char scrap[8192];

	while (request->body_n < want) {
		ssize_t got = recv(fd, scrap, sizeof(scrap), 0);

		if (got <= 0)
			return false;
		if (request->body_n + (size_t)got < sizeof(request->body))
			memcpy(request->body + request->body_n, scrap, (size_t)got);
		request->body_n += (size_t)got;
	}
	request->body[request->body_n < sizeof(request->body) ? request->body_n
							      : sizeof(request->body) - 1] = '\0';
	return true;
}

static void *serve(void *data)
{
	struct connection *connection = data;
	struct fake_http *server = connection->server;
	struct fake_request *request = malloc(sizeof(*request));

	while (request && read_head(connection->fd, request) == 0 &&
	       read_body(connection->fd, request)) {
		atomic_fetch_add(&server->requests, 1);
		if (!server->handler(connection->fd, request, server->data))
			break;
	}
	free(request);
	shutdown(connection->fd, SHUT_RDWR);
	return NULL;
}

static void *accept_all(void *data)
{
	struct fake_http *server = data;

	for (;;) {
		int fd = accept(server->listen_fd, NULL, NULL);
		struct connection *connection;

		if (fd < 0)
			return NULL;
		pthread_mutex_lock(&server->lock);
		if (server->is_stopping || server->connection_cnt == FAKE_HTTP_CONNECTIONS_MAX) {
			pthread_mutex_unlock(&server->lock);
			close(fd);
			continue;
		}
		connection = &server->connections[server->connection_cnt];
		*connection = (struct connection){ .server = server, .fd = fd };
		if (pthread_create(&connection->thread, NULL, serve, connection) == 0)
			server->connection_cnt++;
		else
			close(fd);
		pthread_mutex_unlock(&server->lock);
	}
}

static int listen_unix(struct fake_http *server, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	server->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(server->path, sizeof(server->path), "%s", path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	return bind(server->listen_fd, (struct sockaddr *)&address, sizeof(address));
}

static int listen_inet(struct fake_http *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(address);

	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(server->listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	if (getsockname(server->listen_fd, (struct sockaddr *)&address, &n) < 0)
		return -1;
	server->port = ntohs(address.sin_port);
	return 0;
}

struct fake_http *fake_http_start(const char *unix_path, fake_handler handler, void *data)
{
	struct fake_http *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return NULL;
	server->handler = handler;
	server->data = data;
	pthread_mutex_init(&server->lock, NULL);
	r = unix_path ? listen_unix(server, unix_path) : listen_inet(server);
	if (r < 0 || listen(server->listen_fd, 256) < 0 ||
	    pthread_create(&server->thread, NULL, accept_all, server) != 0) {
		close(server->listen_fd);
		free(server);
		return NULL;
	}
	return server;
}

uint16_t fake_http_port(const struct fake_http *server)
{
	return server->port;
}

unsigned fake_http_requests(const struct fake_http *server)
{
	return atomic_load(&server->requests);
}

unsigned fake_http_connections(const struct fake_http *server)
{
	return server->connection_cnt;
}

struct fake_http *fake_http_stop(struct fake_http *server)
{
	if (!server)
		return NULL;
	pthread_mutex_lock(&server->lock);
	server->is_stopping = true;
	pthread_mutex_unlock(&server->lock);
	shutdown(server->listen_fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	for (unsigned i = 0; i < server->connection_cnt; i++)
		shutdown(server->connections[i].fd, SHUT_RDWR);
	for (unsigned i = 0; i < server->connection_cnt; i++) {
		pthread_join(server->connections[i].thread, NULL);
		close(server->connections[i].fd);
	}
	close(server->listen_fd);
	if (server->path[0])
		unlink(server->path);
	pthread_mutex_destroy(&server->lock);
	free(server);
	return NULL;
}
