/*
 * TLS over a connected, non-blocking socket. Outputs thread only.
 */
#ifndef HAETAE_OUTPUTS_TLS_STREAM_H
#define HAETAE_OUTPUTS_TLS_STREAM_H

#include "haetae/sink.h"

struct tls_stream; /* opaque: one connection */

/* Begins on this socket, which stays the caller's. host: whom the certificate must name. 0, or a
 * negative errno with a text: one of our files can't be used. */
int tls_stream_new(const struct sink_config *config, const char *host, int fd, char *error,
		   size_t error_size, struct tls_stream **ret);
struct tls_stream *tls_stream_free(struct tls_stream *stream);
/* 0: done; -EAGAIN: `events` to wait for; other negative errnos: failed, with a text. */
int tls_stream_handshake(struct tls_stream *stream, short *ret_events, char *error,
			 size_t error_size);
/* Like write(2). */
ssize_t tls_stream_write(struct tls_stream *stream, const void *data, size_t n);
/* Takes in what the peer says beside data. False: it has ended the connection. */
bool tls_stream_look(struct tls_stream *stream);

#endif
