/*
 * An HTTP/1.1 server for tests, which does whatever a healthy one would not: a handler gets each
 * request and writes raw bytes. One thread a connection, on 127.0.0.1 or on a unix socket.
 */
#ifndef HAETAE_TEST_FAKE_HTTP_H
#define HAETAE_TEST_FAKE_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_HTTP_CONNECTIONS_MAX 1024 /* in all */

struct fake_request {
	char method[16], path[512];
	char head[16384]; /* request line and headers */
	char body[16384]; /* cut */
	size_t body_n;	  /* whole length */
};
/* True keeps the connection open for another request. */
typedef bool (*fake_handler)(int fd, const struct fake_request *request, void *data);

struct fake_http;

/* Listens when it returns; path NULL: a port of 127.0.0.1. NULL where it cannot. */
struct fake_http *fake_http_start(const char *unix_path, fake_handler handler, void *data);
uint16_t fake_http_port(const struct fake_http *server);
unsigned fake_http_requests(const struct fake_http *server);
unsigned fake_http_connections(const struct fake_http *server);
/* Cuts all connections, waits for the handlers, removes the socket. Fine with NULL. */
struct fake_http *fake_http_stop(struct fake_http *server);

/* For handlers. False when the peer has gone, or the server is being stopped. */
bool fake_write(int fd, const void *bytes, size_t n);
bool fake_puts(int fd, const char *text);
/* "HTTP/1.1 STATUS X", Content-Length, Content-Type (NULL: none), the body. */
bool fake_answer(int fd, int status, const char *type, const char *body);
/* A whole request's worth of waiting, cut short when the server is stopped. */
void fake_sleep_ms(int fd, unsigned ms);

#endif
