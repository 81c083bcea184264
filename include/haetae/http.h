/*
 * An HTTP client for one thread's event loop, over libcurl's multi interface: metadata and sinks.
 * Everything that a peer sends is bounded; no redirects, no cookies, no proxy that nobody asked
 * for, only http and https, plain HTTP/2 for gRPC on a unix socket.
 */
#ifndef HAETAE_HTTP_H
#define HAETAE_HTTP_H

#include <poll.h>

#include "haetae/buf.h"

struct http_client; /* opaque: one per thread */
struct http_call;   /* opaque: one request under way */

/* Why there is no usable answer; 0 with a status otherwise. */
enum http_error {
	HTTP_E_CONNECT = 1, /* resolve, connect, socket missing */
	HTTP_E_TLS,	    /* handshake, certificate, or one of our files */
	HTTP_E_TIMEOUT,
	HTTP_E_TOO_LONG, /* headers or body beyond the limits given */
	HTTP_E_PROTOCOL, /* broken off, not HTTP */
	HTTP_E_REFUSED,	 /* on_data said no */
	HTTP_E_MEMORY
};
const char *http_error_name(enum http_error error);

struct http_result {
	enum http_error error;
	int status;		 /* 0 where there was none */
	uint64_t retry_after_ns; /* of Retry-After, seconds or a date; 0: none */
	char content_type[64];	 /* lower case, without parameters */
	int grpc_status;	 /* of the trailers; -1: none */
	char grpc_message[128];	 /* decoded, cut */
	struct str body;	 /* where there is no on_data; valid during the call of on_done */
	char message[160];	 /* for the log: what went wrong, without secrets */
	uint64_t duration_ns;
};

struct http_request {
	const char *method;	    /* "GET" */
	const char *url;	    /* http: or https: */
	const char *unix_socket;    /* NULL: by the URL's host; a new connection each time */
	const char *peer_name;	    /* for messages; NULL: the socket, or scheme and host */
	const char *const *headers; /* "Name: value", or NULL entries are skipped */
	uint32_t header_cnt;
	struct str body;			    /* copied; p NULL: none */
	const char *ca_file, *cert_file, *key_file; /* NULL: the system's, none, none */
	const char *proxy;			    /* NULL: none, whatever the environment says */
	bool is_plain_http2;			    /* gRPC: HTTP/2 without TLS, trailers kept */
	uint64_t connect_timeout_ns, timeout_ns;    /* 0: connect 5 s; no limit in all (a watch) */
	uint64_t idle_timeout_ns; /* no byte for so long: HTTP_E_TIMEOUT; 0: none */
	size_t max_body;	  /* collected or streamed; 0: 1 MiB */
	/* A piece of the body, in order. False ends the call with HTTP_E_REFUSED. NULL: the body is
	 * collected for on_done. Called only for statuses 200 to 299; other bodies are collected,
	 * up to 4 KiB. */
	bool (*on_data)(struct str piece, void *data);
	/* Once, last, unless the call is cancelled. The call is freed after it returns. */
	void (*on_done)(const struct http_result *result, void *data);
	void *data;
};

int http_client_new(struct http_client **ret);
/* Cancels all calls. */
struct http_client *http_client_free(struct http_client *client);
/* Copies what the request points to. 0 (on_done will be called, never from within), or -ENOMEM, or
 * -EINVAL for a URL or header that is none (a line break in it, another scheme). */
int http_start(struct http_client *client, const struct http_request *request,
	       struct http_call **ret);
/* The status once it has come; 0 before. */
int http_call_status(const struct http_call *call);
/* on_done is not called. Fine within any callback; within the call's own on_done it does nothing.
 */
void http_cancel(struct http_client *client, struct http_call *call);
/* Waits for the calls and for `extra` (their revents are set; at most HTTP_EXTRA_MAX) at most until
 * deadline_ns (boot time), and runs callbacks. */
#define HTTP_EXTRA_MAX 64
void http_step(struct http_client *client, struct pollfd *extra, uint32_t extra_cnt,
	       uint64_t deadline_ns);
uint32_t http_calls(const struct http_client *client);

#endif
