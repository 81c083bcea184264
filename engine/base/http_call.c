/*
 * From an http_request to a libcurl handle: checks what a caller gives (URL, method, headers) and
 * sets every option that bounds the transfer. Owns what struct http_call says. Called by http.c.
 */
#include "http_call.h"

#include <errno.h>
#include <stdio.h>

#include "haetae/clock.h"

#define CONNECT_TIMEOUT_NS (5 * NS_PER_SEC)
#define BODY_MAX	   (1u << 20)

/* RFC 9110 section 5.6.2. */
static bool is_token(const char *text, size_t n)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < n; i++) {
		char c = text[i], lower = (char)(c | 0x20);

		if (!(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'z') &&
		    !(c && strchr(others, c)))
			return false;
	}
	return n > 0;
}

/* "Name: value": no second header can hide in it, and none of libcurl's own notations ("Name;"). */
static bool is_header(const char *header)
{
	const char *colon = strchr(header, ':');

	if (!colon || !is_token(header, (size_t)(colon - header)))
		return false;
	for (const unsigned char *p = (const unsigned char *)colon; *p; p++)
		if ((*p < 0x20 && *p != '\t') || *p == 0x7f)
			return false;
	return true;
}

/* Fills call->where with scheme and host; false for what is no URL of ours. */
static bool check_url(struct http_call *call, const struct http_request *request)
{
	char *scheme = NULL, *host = NULL, *port = NULL;
	CURLU *url = curl_url();
	bool is_fine = url != NULL;

	for (const unsigned char *p = (const unsigned char *)request->url; is_fine && *p; p++)
		is_fine = *p > 0x20 && *p != 0x7f;
	is_fine = is_fine &&
		  curl_url_set(url, CURLUPART_URL, request->url, CURLU_DISALLOW_USER) == CURLUE_OK;
	is_fine = is_fine && curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		  curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		  curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
	is_fine = is_fine && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
	if (is_fine && (request->peer_name || request->unix_socket))
		snprintf(call->where, sizeof(call->where), "%s",
			 request->peer_name ? request->peer_name : request->unix_socket);
	else if (is_fine)
		snprintf(call->where, sizeof(call->where), "%s://%s:%s", scheme, host, port);
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(url);
	return is_fine;
}

static int add_header(struct http_call *call, const char *header)
{
	struct curl_slist *list = curl_slist_append(call->headers, header);

	if (!list)
		return -ENOMEM;
	call->headers = list;
	return 0;
}

static int set_headers(struct http_call *call, const struct http_request *request)
{
	bool has_type = false;
	/* No waiting for "100 Continue": a gRPC server never says it. */
	int r = add_header(call, "Expect:");

	for (uint32_t i = 0; r == 0 && i < request->header_cnt; i++) {
		const char *header = request->headers[i];

		if (!header)
			continue;
		if (!is_header(header))
			return -EINVAL;
		has_type |= strncasecmp(header, "content-type:", 13) == 0;
		r = add_header(call, header);
	}
	/* libcurl would call any body a form. */
	if (r == 0 && !has_type)
		r = add_header(call, "Content-Type:");
	return r == 0 && curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers) ? -ENOMEM
											 : r;
}

/* libcurl copies strings. The first failure stays in *code. */
static void set_long(CURL *easy, CURLcode *code, CURLoption option, long value)
{
	if (!*code)
		*code = curl_easy_setopt(easy, option, value);
}

static void set_text(CURL *easy, CURLcode *code, CURLoption option, const char *value)
{
	if (!*code)
		*code = curl_easy_setopt(easy, option, value);
}

static void set_time(CURL *easy, CURLcode *code, CURLoption option, uint64_t ns)
{
	set_long(easy, code, option,
		 (long)MIN((ns + NS_PER_MS - 1) / NS_PER_MS, (uint64_t)INT32_MAX));
}

static void set_bounds(CURL *easy, CURLcode *code, const struct http_request *request)
{
	set_long(easy, code, CURLOPT_NOSIGNAL, 1);
	set_text(easy, code, CURLOPT_PROTOCOLS_STR, "http,https");
	set_long(easy, code, CURLOPT_FOLLOWLOCATION, 0);
	/* "": none, not even those that the environment names. */
	set_text(easy, code, CURLOPT_PROXY, request->proxy ? request->proxy : "");
	set_text(easy, code, CURLOPT_NOPROXY, "");
	set_time(easy, code, CURLOPT_CONNECTTIMEOUT_MS,
		 request->connect_timeout_ns ? request->connect_timeout_ns : CONNECT_TIMEOUT_NS);
	set_time(easy, code, CURLOPT_TIMEOUT_MS, request->timeout_ns);
	set_long(easy, code, CURLOPT_TCP_KEEPALIVE, 1);
	/* A name server that hangs keeps a thread of libcurl's; no call's end waits for it. */
	set_long(easy, code, CURLOPT_QUICK_EXIT, 1);
}

static void set_tls(CURL *easy, CURLcode *code, const struct http_request *request)
{
	set_long(easy, code, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	set_long(easy, code, CURLOPT_SSL_VERIFYPEER, 1);
	set_long(easy, code, CURLOPT_SSL_VERIFYHOST, 2);
	if (request->ca_file) {
		set_text(easy, code, CURLOPT_CAINFO, request->ca_file);
		/* Only this file: the distribution's folder of authorities is a default beside it.
		 */
		set_text(easy, code, CURLOPT_CAPATH, NULL);
		/* libcurl keeps what it read for a day; a rotated file is to count at once. */
		set_long(easy, code, CURLOPT_CA_CACHE_TIMEOUT, 0);
	}
	if (request->cert_file)
		set_text(easy, code, CURLOPT_SSLCERT, request->cert_file);
	if (request->key_file)
		set_text(easy, code, CURLOPT_SSLKEY, request->key_file);
}

static void set_target(CURL *easy, CURLcode *code, const struct http_request *request)
{
	set_text(easy, code, CURLOPT_URL, request->url);
	set_text(easy, code, CURLOPT_USERAGENT, "haetae/" HAETAE_VERSION);
	set_text(easy, code, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->unix_socket)
		set_text(easy, code, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
	set_long(easy, code, CURLOPT_HTTP_VERSION,
		 request->is_plain_http2 ? (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
					 : (long)CURL_HTTP_VERSION_1_1);
	/* libcurl before 8.0 fails on the second request of a plain HTTP/2 connection
	 * (https://github.com/curl/curl/issues/10634). And "/proc/self/fd/N" names another socket
	 * when N is used anew. A new connection to a unix socket costs less than 0.4 ms. */
	if (request->is_plain_http2 || request->unix_socket) {
		set_long(easy, code, CURLOPT_FORBID_REUSE, 1);
		set_long(easy, code, CURLOPT_FRESH_CONNECT, 1);
	}
}

static void set_body(struct http_call *call, CURLcode *code, const struct http_request *request)
{
	if (request->body.p) {
		set_long(call->easy, code, CURLOPT_POSTFIELDSIZE, (long)request->body.n);
		if (!*code)
			*code = curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->body);
	} else if (strcmp(request->method, "HEAD") == 0) {
		set_long(call->easy, code, CURLOPT_NOBODY, 1);
	}
}

struct http_call *http_call_free(struct http_call *call)
{
	if (!call)
		return NULL;
	if (call->easy)
		curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	buf_done(&call->collected);
	free(call->body);
	free(call);
	return NULL;
}

static void call_freep(struct http_call **call)
{
	http_call_free(*call);
}

int http_call_new(const struct http_request *request, struct http_call **ret)
{
	_cleanup_(call_freep) struct http_call *call = calloc(1, sizeof(*call));
	CURLcode code = CURLE_OK;
	int r;

	if (!call)
		return -ENOMEM;
	call->max_body = request->max_body ? request->max_body : BODY_MAX;
	if (!request->on_data)
		call->max_body = MIN(call->max_body, (size_t)UINT32_MAX); /* struct str's */
	buf_init(&call->collected, request->on_data
					   ? HTTP_REFUSAL_BODY_MAX
					   : MAX(call->max_body, (size_t)HTTP_REFUSAL_BODY_MAX));
	call->on_data = request->on_data;
	call->on_done = request->on_done;
	call->data = request->data;
	call->idle_timeout_ns = request->idle_timeout_ns;
	call->result.grpc_status = -1;
	if (!is_token(request->method, strlen(request->method)) || !check_url(call, request))
		return -EINVAL;
	call->easy = curl_easy_init();
	if (!call->easy)
		return -ENOMEM;
	if (request->body.p) {
		call->body = malloc(request->body.n + 1u);
		if (!call->body)
			return -ENOMEM;
		memcpy(call->body, request->body.p, request->body.n);
	}
	r = set_headers(call, request);
	if (r < 0)
		return r;
	set_bounds(call->easy, &code, request);
	set_tls(call->easy, &code, request);
	set_body(call, &code, request);
	set_target(call->easy, &code, request);
	set_long(call->easy, &code, CURLOPT_NOPROGRESS, 0);
	if (code)
		return code == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
	*ret = TAKE_PTR(call);
	return 0;
}
