/*
 * Headers of a sink's requests. Owns the bearer token, which is read anew when its file changes, as
 * Kubernetes' projected tokens do each hour. Outputs thread.
 */
#include "http_headers.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "haetae/log.h"

#include "sink_private.h"

#define TOKEN_MAX   16384
#define HEADERS_MAX (256u << 10)
#define DIGEST_SIZE 32 /* SHA-256 */
/* Shorter texts are everywhere; they are no secrets. */
#define SECRET_MIN 6
/* Of a part of the path: "services" is in many an answer. */
#define PATH_SECRET_MIN 16

/* ---- the token ------------------------------------------------------------------------------ */

static int read_file(const char *path, char *text, size_t *ret_n, struct stat *ret_status)
{
	_cleanup_(close_fdp) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	size_t n = 0;
	ssize_t r;

	if (fd < 0 || fstat(fd, ret_status) < 0)
		return -errno;
	if (!S_ISREG(ret_status->st_mode))
		return -EINVAL;
	while (n <= TOKEN_MAX && (r = read(fd, text + n, TOKEN_MAX + 1 - n)) != 0) {
		if (r < 0)
			return -errno;
		n += (size_t)r;
	}
	*ret_n = n;
	return n > TOKEN_MAX ? -EFBIG : 0;
}

/* Visible ASCII, after spaces and newlines at the end: RFC 6750 section 2.1 allows less. */
static int read_token(struct http_headers *headers)
{
	char text[TOKEN_MAX + 1], *copy = NULL;
	struct stat status;
	size_t n = 0;
	int r = read_file(headers->config->http.bearer_file, text, &n, &status);

	while (r == 0 && n && strchr(" \t\r\n", text[n - 1]) && text[n - 1])
		n--;
	for (size_t i = 0; r == 0 && i < n; i++)
		if (text[i] <= 0x20 || text[i] >= 0x7f)
			r = -EINVAL;
	if (r == 0 && n == 0)
		r = -ENODATA;
	if (r == 0)
		copy = strndup(text, n);
	explicit_bzero(text, sizeof(text));
	if (!copy)
		return r < 0 ? r : -ENOMEM;
	if (headers->token)
		explicit_bzero(headers->token, strlen(headers->token));
	free(headers->token);
	headers->token = copy;
	headers->token_status = status;
	return 0;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* What cannot be read now leaves the old token: it may still do. */
static void refresh_token(struct http_headers *headers)
{
	const char *path = headers->config->http.bearer_file;
	struct stat status;
	int r;

	if (!path)
		return;
	r = stat(path, &status) < 0 ? -errno : 0;
	if (r == 0 && is_same_file(&status, &headers->token_status))
		return;
	if (r == 0)
		r = read_token(headers);
	if (r < 0 && !headers->has_warned)
		log_warning("sink %s: auth.bearer_file %s: %s; the token read before is used",
			    headers->config->name, path, strerror(-r));
	headers->has_warned = r < 0;
}

/* ---- checks --------------------------------------------------------------------------------- */

static bool is_header(const char *header, const char *name)
{
	size_t n = strlen(name);

	return strncasecmp(header, name, n) == 0 && header[n] == ':';
}

static int check_header(const struct sink_config *config, const char *header, char *reterr,
			size_t size)
{
	static const char *const ours[] = {
		"Connection",	   "Content-Encoding",	"Content-Length",     "Content-Type",
		"Idempotency-Key", "Transfer-Encoding", "X-Haetae-Signature",
	};
	size_t name_n = strcspn(header, ":");

	/* A value may be a secret: only the name is shown. */
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		if (is_header(header, ours[i])) {
			snprintf(reterr, size, "headers: %s is set by haetae", ours[i]);
			return -EINVAL;
		}
	}
	if (config->http.bearer_file && is_header(header, "Authorization")) {
		snprintf(reterr, size, "headers: Authorization, and auth.bearer_file as well");
		return -EINVAL;
	}
	if (strpbrk(header, "\r\n")) {
		snprintf(reterr, size, "headers: a line break in a header");
		return -EINVAL;
	}
	if (strstr(header, "{{")) {
		snprintf(reterr, size, "headers: %.*s: placeholders stand in bodies only",
			 (int)MIN(name_n, 64u), header);
		return -EINVAL;
	}
	return 0;
}

int http_headers_init(struct http_headers *headers, const struct sink_config *config, char *reterr,
		      size_t size)
{
	int r = 0;

	*headers = (struct http_headers){ .config = config };
	buf_init(&headers->text, HEADERS_MAX);
	for (uint32_t i = 0; r == 0 && i < config->http.header_cnt; i++)
		r = check_header(config, config->http.headers[i], reterr, size);
	if (r == 0 && config->http.bearer_file) {
		r = read_token(headers);
		if (r < 0)
			snprintf(reterr, size, "auth.bearer_file: %s: %s", config->http.bearer_file,
				 r == -ENODATA	? "it is empty"
				 : r == -EINVAL ? "it is no file that holds one token"
						: strerror(-r));
	}
	return r;
}

void http_headers_done(struct http_headers *headers)
{
	if (headers->token)
		explicit_bzero(headers->token, strlen(headers->token));
	free(headers->token);
	if (headers->text.p)
		explicit_bzero(headers->text.p, headers->text.n);
	buf_done(&headers->text);
	*headers = (struct http_headers){ 0 };
}

/* ---- a request ------------------------------------------------------------------------------ */

static void put_hex(const unsigned char *bytes, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%02x", (unsigned)bytes[i]);
}

/* HMAC-SHA256 (RFC 2104) over "t.body": a receiver can refuse what is old. */
static bool put_signature(const struct http_headers *headers,
			  const struct http_headers_request *request, struct buf *out)
{
	const char *secret = headers->config->http.hmac_secret;
	unsigned char digest[DIGEST_SIZE];
	struct buf text;
	bool is_made;

	buf_init(&text, request->body.n + 64);
	buf_printf(&text, "%llu.", (unsigned long long)request->wall_s);
	buf_put_str(&text, request->body);
	is_made = !text.failed && HMAC(EVP_sha256(), secret, (int)strlen(secret),
				       (const unsigned char *)text.p, text.n, digest, NULL);
	buf_done(&text);
	buf_printf(out, "X-Haetae-Signature: t=%llu,v1=", (unsigned long long)request->wall_s);
	put_hex(digest, is_made ? sizeof(digest) : 0, out);
	return is_made;
}

/* The alert's uuid, or 32 digits of SHA-256 over the uuids, each with a newline: the same alerts
 * have the same key. */
static bool put_key(const struct http_headers_request *request, struct buf *out)
{
	unsigned char digest[DIGEST_SIZE];
	struct buf text;
	bool is_made;

	buf_puts(out, "Idempotency-Key: ");
	if (request->cnt == 1) {
		buf_puts(out, request->batch[0]->alert->uuid);
		return true;
	}
	buf_init(&text, request->cnt * sizeof(request->batch[0]->alert->uuid) + 1);
	for (uint32_t i = 0; i < request->cnt; i++) {
		buf_puts(&text, request->batch[i]->alert->uuid);
		buf_putc(&text, '\n');
	}
	is_made = !text.failed && EVP_Digest(text.p, text.n, digest, NULL, EVP_sha256(), NULL) == 1;
	buf_done(&text);
	put_hex(digest, is_made ? 16 : 0, out);
	return is_made;
}

/* Starts of the headers, by offset: the buffer moves while it grows. */
static void begin(struct http_headers *headers, size_t *starts)
{
	if (headers->cnt)
		buf_putc(&headers->text, '\0');
	starts[headers->cnt++] = headers->text.n;
}

bool http_headers_make(struct http_headers *headers, const struct http_headers_request *request)
{
	const struct sink_config *config = headers->config;
	size_t starts[ARRAY_LEN(headers->list)] = { 0 };
	struct buf *text = &headers->text;
	bool is_made = true;

	refresh_token(headers);
	buf_clear(text);
	headers->cnt = 0;
	begin(headers, starts);
	buf_printf(text, "Content-Type: %s", request->content_type);
	if (request->is_gzip) {
		begin(headers, starts);
		buf_puts(text, "Content-Encoding: gzip");
	}
	if (headers->token) {
		begin(headers, starts);
		/* "Format events for HTTP Event Collector": its own scheme. */
		buf_printf(text, "Authorization: %s %s",
			   config->format == SINK_SPLUNK_HEC ? "Splunk" : "Bearer", headers->token);
	}
	if (config->http.hmac_secret) {
		begin(headers, starts);
		is_made &= put_signature(headers, request, text);
	}
	begin(headers, starts);
	is_made &= put_key(request, text);
	for (uint32_t i = 0; i < config->http.header_cnt; i++) {
		begin(headers, starts);
		buf_puts(text, config->http.headers[i]);
	}
	for (uint32_t i = 0; i < headers->cnt && text->p; i++)
		headers->list[i] = text->p + starts[i];
	return is_made && !text->failed;
}

static bool is_in(struct str secret, struct str text)
{
	return secret.n >= SECRET_MIN && str_contains(text, secret);
}

static bool is_text_in(const char *secret, struct str text)
{
	return secret && is_in(str_from(secret), text);
}

/* The whole, since most webhooks have nothing else that is secret, and what may be in parts of it:
 * a long part of the path, a value of the query. */
static bool is_url_in(const char *url, struct str text)
{
	const char *host = url ? strstr(url, "://") : NULL, *at;
	bool is_told, is_query = false;

	if (!host)
		return false;
	at = host + 3 + strcspn(host + 3, "/?");
	is_told = is_text_in(at, text);
	while (*at) {
		size_t n;

		is_query |= *at == '?';
		at++;
		n = strcspn(at, "/?&=");
		if (is_query || n >= PATH_SECRET_MIN)
			is_told |= is_in((struct str){ at, (uint32_t)n }, text);
		at += n;
	}
	return is_told;
}

/* "user:password" of "http://user:password@host". */
static bool is_user_in(const char *url, struct str text)
{
	const char *user = url ? strstr(url, "://") : NULL, *at;
	const char *colon;

	if (!user)
		return false;
	user += 3;
	at = memrchr(user, '@', strcspn(user, "/?#"));
	if (!at)
		return false;
	colon = memchr(user, ':', (size_t)(at - user));
	if (colon)
		user = colon + 1;
	return is_in((struct str){ user, (uint32_t)(at - user) }, text);
}

/* The value, and what stands behind its scheme: "Basic dXNlcjpwYXNz". */
static bool is_value_in(const char *header, struct str text)
{
	const char *value = strchr(header, ':'), *last;

	if (!value)
		return false;
	value += 1 + strspn(value + 1, " \t");
	last = strrchr(value, ' ');
	return is_text_in(value, text) || (last && is_text_in(last + 1, text));
}

bool http_headers_is_told_in(const struct http_headers *headers, struct str text)
{
	const struct sink_config *config = headers->config;
	bool is_told = is_url_in(config->http.url, text) || is_user_in(config->http.proxy, text) ||
		       is_text_in(headers->token, text) ||
		       is_text_in(config->http.hmac_secret, text);

	for (uint32_t i = 0; i < config->http.header_cnt; i++)
		is_told |= is_value_in(config->http.headers[i], text);
	return is_told;
}
