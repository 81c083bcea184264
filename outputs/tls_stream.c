/*
 * A TLS client by OpenSSL: TLS 1.2 or newer, the peer's certificate always checked, against a CA
 * file or the system's, and the host's name in it. Owns the session and its context. Outputs
 * thread.
 */
#include "tls_stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <poll.h>
#include <stdio.h>

struct tls_stream {
	SSL_CTX *context;
	SSL *session;
};

static int fail(const char *doing, const char *what, char *error, size_t error_size)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	snprintf(error, error_size, "%s%s%s: %s", doing, what ? " " : "", what ? what : "",
		 reason ? reason : "failed");
	ERR_clear_error();
	return -EPROTO;
}

static int load_files(SSL_CTX *context, const struct sink_config *config, char *error,
		      size_t error_size)
{
	const char *ca = config->tls.ca_file, *cert = config->tls.cert_file;
	const char *key = config->tls.key_file ? config->tls.key_file : cert;

	if ((ca ? SSL_CTX_load_verify_file(context, ca)
		: SSL_CTX_set_default_verify_paths(context)) != 1)
		return fail("reading the CA file", ca, error, error_size);
	if (!cert)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(context, cert) != 1)
		return fail("reading the certificate", cert, error, error_size);
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		return fail("reading the key", key, error, error_size);
	return 0;
}

static bool set_peer(SSL *session, const char *host)
{
	char name[256]; /* OpenSSL's macro casts const away */
	unsigned char address[16];

	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1;
	if (strlen(host) >= sizeof(name))
		return false; /* longer than any name (RFC 1035 section 2.3.4) */
	memcpy(name, host, strlen(host) + 1);
	return SSL_set1_host(session, host) == 1 && SSL_set_tlsext_host_name(session, name) == 1;
}

int tls_stream_new(const struct sink_config *config, const char *host, int fd, char *error,
		   size_t error_size, struct tls_stream **ret)
{
	struct tls_stream *stream = calloc(1, sizeof(*stream));
	int r = -ENOMEM;

	ERR_clear_error();
	if (stream)
		stream->context = SSL_CTX_new(TLS_client_method());
	if (stream && stream->context) {
		SSL_CTX_set_min_proto_version(stream->context, TLS1_2_VERSION);
		SSL_CTX_set_verify(stream->context, SSL_VERIFY_PEER, NULL);
		SSL_CTX_set_mode(stream->context, SSL_MODE_ENABLE_PARTIAL_WRITE |
							  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
		r = load_files(stream->context, config, error, error_size);
	}
	if (r == 0) {
		stream->session = SSL_new(stream->context);
		if (!stream->session || !set_peer(stream->session, host) ||
		    SSL_set_fd(stream->session, fd) != 1)
			r = fail("preparing TLS", NULL, error, error_size);
	}
	if (r < 0) {
		tls_stream_free(stream);
		return r;
	}
	*ret = stream;
	return 0;
}

struct tls_stream *tls_stream_free(struct tls_stream *stream)
{
	if (!stream)
		return NULL;
	SSL_free(stream->session);
	SSL_CTX_free(stream->context);
	free(stream);
	return NULL;
}

int tls_stream_handshake(struct tls_stream *stream, short *ret_events, char *error,
			 size_t error_size)
{
	long verified;
	int r;

	ERR_clear_error();
	r = SSL_connect(stream->session);
	if (r == 1)
		return 0;
	r = SSL_get_error(stream->session, r);
	if (r == SSL_ERROR_WANT_READ || r == SSL_ERROR_WANT_WRITE) {
		*ret_events = r == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		return -EAGAIN;
	}
	verified = SSL_get_verify_result(stream->session);
	if (verified == X509_V_OK)
		return fail("TLS handshake", NULL, error, error_size);
	snprintf(error, error_size, "TLS: the certificate was refused: %s",
		 X509_verify_cert_error_string(verified));
	ERR_clear_error();
	return -EPROTO;
}

/* A renegotiation that waits to read is waited for like a full buffer; the caller polls both. */
ssize_t tls_stream_write(struct tls_stream *stream, const void *data, size_t n)
{
	int r;

	ERR_clear_error();
	r = SSL_write(stream->session, data, (int)MIN(n, (size_t)INT32_MAX));
	if (r > 0)
		return r;
	r = SSL_get_error(stream->session, r);
	errno = r == SSL_ERROR_WANT_READ || r == SSL_ERROR_WANT_WRITE ? EAGAIN : EPIPE;
	return -1;
}

bool tls_stream_look(struct tls_stream *stream)
{
	char bytes[256];
	int r;

	ERR_clear_error();
	r = SSL_read(stream->session, bytes, sizeof(bytes)); /* a syslog server says nothing */
	if (r > 0)
		return true;
	r = SSL_get_error(stream->session, r);
	return r == SSL_ERROR_WANT_READ || r == SSL_ERROR_WANT_WRITE;
}
