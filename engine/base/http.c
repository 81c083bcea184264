/*
 * The HTTP client of http.h over libcurl's multi interface. Owns the multi handle and the calls;
 * each call owns its easy handle, header list and copy of the body. One thread per client. libcurl
 * forbids most of its functions within its callbacks, so calls are begun in http_step() and a call
 * that is cancelled there is swept afterwards.
 */
#include "haetae/http.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "haetae/clock.h"
#include "http_answer.h"
#include "http_call.h"

#define CONNECTIONS_MAX 32 /* kept open for the next request */

struct http_client {
	CURLM *multi;		     /* owned */
	struct http_call *calls;     /* owned, doubly linked */
	struct http_call *finishing; /* its on_done is running */
	uint32_t call_cnt;
	bool is_performing; /* libcurl is on the stack */
};

static const char *const error_names[] = {
	[0] = "none",
	[HTTP_E_CONNECT] = "connect",
	[HTTP_E_TLS] = "tls",
	[HTTP_E_TIMEOUT] = "timeout",
	[HTTP_E_TOO_LONG] = "too long",
	[HTTP_E_PROTOCOL] = "protocol",
	[HTTP_E_REFUSED] = "refused",
	[HTTP_E_MEMORY] = "memory",
};
_Static_assert(ARRAY_LEN(error_names) == HTTP_E_MEMORY + 1, "a name for each error");

const char *http_error_name(enum http_error error)
{
	return (size_t)error < ARRAY_LEN(error_names) ? error_names[error] : "unknown";
}

/* ---- what libcurl calls --------------------------------------------------------------------- */

static size_t on_header(char *line, size_t size, size_t n, void *data)
{
	struct http_call *call = data;
	size_t bytes = size * n;

	call->last_byte_ns = clock_boot_ns();
	call->header_bytes += bytes;
	if (call->is_cancelled)
		return 0;
	if (call->header_bytes > HTTP_HEADER_BYTES_MAX) {
		call->stop = STOP_HEADERS;
		return 0;
	}
	http_answer_line(&call->result, (struct str){ line, (uint32_t)bytes }, time(NULL));
	return bytes;
}

static enum http_stop collect(struct http_call *call, struct str piece, size_t max)
{
	size_t room = max - call->collected.n;

	buf_put(&call->collected, piece.p, MIN(piece.n, room));
	if (call->collected.failed)
		return STOP_MEMORY;
	return piece.n > room ? STOP_BODY : STOP_NOT;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *data)
{
	struct http_call *call = data;
	struct str piece = { bytes, (uint32_t)(size * n) };
	long status = 0;

	call->last_byte_ns = clock_boot_ns();
	if (call->is_cancelled)
		return 0;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200 || status > 299) {
		call->stop = collect(call, piece, HTTP_REFUSAL_BODY_MAX);
		if (call->stop == STOP_BODY)
			call->stop = STOP_ENOUGH;
	} else if (!call->on_data) {
		call->stop = collect(call, piece, call->max_body);
	} else if (piece.n > call->max_body - call->body_bytes) {
		call->stop = STOP_BODY;
	} else {
		call->body_bytes += piece.n;
		if (!call->on_data(piece, call->data))
			call->stop = STOP_REFUSED;
	}
	return call->stop == STOP_NOT && !call->is_cancelled ? piece.n : 0;
}

static int on_progress(void *data, curl_off_t download_total, curl_off_t downloaded,
		       curl_off_t upload_total, curl_off_t uploaded)
{
	struct http_call *call = data;

	if (uploaded != call->uploaded)
		call->last_byte_ns = clock_boot_ns();
	call->uploaded = uploaded;
	return call->is_cancelled;
}

/* ---- a call's beginning and end ------------------------------------------------------------ */

/* libcurl's options of callbacks are set here, where the callbacks are. */
static int set_callbacks(struct http_call *call)
{
	const struct {
		CURLoption option;
		void *data;
	} data[] = {
		{ CURLOPT_HEADERDATA, call },
		{ CURLOPT_WRITEDATA, call },
		{ CURLOPT_XFERINFODATA, call },
		{ CURLOPT_PRIVATE, call },
		{ CURLOPT_ERRORBUFFER, call->curl_message },
	};

	for (size_t i = 0; i < ARRAY_LEN(data); i++)
		if (curl_easy_setopt(call->easy, data[i].option, data[i].data))
			return -ENOMEM;
	if (curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_header) ||
	    curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body) ||
	    curl_easy_setopt(call->easy, CURLOPT_XFERINFOFUNCTION, on_progress))
		return -ENOMEM;
	return 0;
}

int http_start(struct http_client *client, const struct http_request *request,
	       struct http_call **ret)
{
	struct http_call *call = NULL;
	int r = http_call_new(request, &call);

	if (r == 0)
		r = set_callbacks(call);
	if (r < 0) {
		http_call_free(call);
		return r;
	}
	call->client = client;
	call->start_ns = call->last_byte_ns = clock_boot_ns();
	call->next = client->calls;
	if (call->next)
		call->next->previous = call;
	client->calls = call;
	client->call_cnt++;
	if (ret)
		*ret = call;
	return 0;
}

static void drop(struct http_client *client, struct http_call *call)
{
	if (call->is_added)
		curl_multi_remove_handle(client->multi, call->easy);
	if (call->next)
		call->next->previous = call->previous;
	if (call->previous)
		call->previous->next = call->next;
	else
		client->calls = call->next;
	client->call_cnt--;
	http_call_free(call);
}

int http_call_status(const struct http_call *call)
{
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

void http_cancel(struct http_client *client, struct http_call *call)
{
	if (call == client->finishing)
		return;
	if (client->is_performing)
		call->is_cancelled = true;
	else
		drop(client, call);
}

/* flat switch */
static enum http_error error_of(struct http_call *call, CURLcode code)
{
	curl_off_t sent_us = 0;

	switch ((int)code) {
	case CURLE_OK:
		return 0;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_INTERFACE_FAILED:
	case CURLE_PROXY:
		return HTTP_E_CONNECT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_CLIENTCERT:
	case CURLE_SSL_ENGINE_INITFAILED:
		return HTTP_E_TLS;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_E_TIMEOUT;
	case 100: /* CURLE_TOO_LARGE, which libcurl before 8.6 does not have */
		return HTTP_E_TOO_LONG;
	case CURLE_OUT_OF_MEMORY:
		/* Before 8.6 a header line beyond libcurl's own limit (100 KiB) is told so. */
		curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
		return sent_us ? HTTP_E_TOO_LONG : HTTP_E_MEMORY;
	default:
		return HTTP_E_PROTOCOL;
	}
}

static enum http_error error_of_stop(enum http_stop stop)
{
	static const enum http_error errors[] = {
		[STOP_HEADERS] = HTTP_E_TOO_LONG, [STOP_BODY] = HTTP_E_TOO_LONG,
		[STOP_REFUSED] = HTTP_E_REFUSED,  [STOP_ENOUGH] = 0,
		[STOP_MEMORY] = HTTP_E_MEMORY,
	};

	return errors[stop];
}

/* What to look at, by kind of error. */
static const char *advice(enum http_error error)
{
	static const char *const texts[] = {
		[HTTP_E_CONNECT] = "is it running, and the address right?",
		[HTTP_E_TLS] = "check the certificate authority and our certificate files",
		[HTTP_E_TIMEOUT] = "it is slow or does not answer",
		[HTTP_E_TOO_LONG] = "the answer is longer than allowed",
		[HTTP_E_PROTOCOL] = "the answer is broken off or no HTTP",
		[HTTP_E_REFUSED] = "the answer's content is not what was asked for",
		[HTTP_E_MEMORY] = "out of memory",
	};

	return texts[error];
}

static void set_message(struct http_call *call, enum http_error error, const char *detail)
{
	struct http_result *result = &call->result;

	if (!error)
		return;
	snprintf(result->message, sizeof(result->message), "%s: %s%s%s", call->where,
		 detail ? detail : "", detail ? "; " : "", advice(error));
	/* libcurl quotes what a server sent. */
	for (unsigned char *p = (unsigned char *)result->message; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
}

static void finish(struct http_client *client, struct http_call *call, enum http_error error,
		   const char *detail)
{
	struct http_result *result = &call->result;
	long status = 0, proxy_status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	/* A proxy that wants credentials before it lets TLS through: an answer like another. */
	curl_easy_getinfo(call->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (error && proxy_status == 407) {
		error = 0;
		status = 407;
	}
	result->error = error;
	result->status = (int)status;
	result->duration_ns = clock_boot_ns() - call->start_ns;
	if (call->collected.n)
		result->body = buf_str(&call->collected);
	else
		result->body = (struct str){ "", 0 };
	set_message(call, error, detail);
	client->finishing = call;
	if (call->on_done)
		call->on_done(result, call->data);
	client->finishing = NULL;
	drop(client, call);
}

static const char *detail_of(const struct http_call *call, CURLcode code, char *text, size_t size)
{
	long number = 0;

	if (call->stop != STOP_NOT)
		return NULL;
	curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number);
	if (code == CURLE_COULDNT_CONNECT && number) {
		/* "Couldn't connect to server" hides the reason. */
		snprintf(text, size, "%s", strerror((int)number));
		return text;
	}
	return call->curl_message[0] ? call->curl_message : curl_easy_strerror(code);
}

static bool reap(struct http_client *client)
{
	bool has_finished = false;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		CURLcode code = message->data.result;
		struct http_call *call = NULL;
		enum http_error error;
		char text[128];

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
		if (call->is_cancelled) {
			drop(client, call);
			continue;
		}
		error = call->stop ? error_of_stop(call->stop) : error_of(call, code);
		finish(client, call, error, detail_of(call, code, text, sizeof(text)));
		has_finished = true;
	}
	return has_finished;
}

static struct http_call *find_ended(struct http_client *client, uint64_t now_ns)
{
	for (struct http_call *call = client->calls; call; call = call->next)
		if (call->is_cancelled ||
		    (call->idle_timeout_ns && now_ns > call->last_byte_ns + call->idle_timeout_ns))
			return call;
	return NULL;
}

/* Cancelled ones, and those whose peer says nothing. */
static bool sweep(struct http_client *client)
{
	bool has_finished = false;
	struct http_call *call;

	while ((call = find_ended(client, clock_boot_ns()))) {
		if (call->is_cancelled) {
			drop(client, call);
			continue;
		}
		finish(client, call, HTTP_E_TIMEOUT, "no byte came");
		has_finished = true;
	}
	return has_finished;
}

/* ---- the loop ------------------------------------------------------------------------------- */

static struct http_call *find_new(const struct http_client *client)
{
	for (struct http_call *call = client->calls; call; call = call->next)
		if (!call->is_added)
			return call;
	return NULL;
}

/* Whether callbacks were run. */
static bool perform(struct http_client *client)
{
	struct http_call *call;
	bool has_finished = false;
	int running;

	while ((call = find_new(client))) {
		call->is_added = curl_multi_add_handle(client->multi, call->easy) == CURLM_OK;
		if (!call->is_added)
			finish(client, call, HTTP_E_MEMORY, NULL);
	}
	client->is_performing = true;
	curl_multi_perform(client->multi, &running);
	client->is_performing = false;
	has_finished |= reap(client);
	has_finished |= sweep(client);
	return has_finished;
}

static uint64_t next_idle_ns(const struct http_client *client, uint64_t deadline_ns)
{
	for (const struct http_call *call = client->calls; call; call = call->next)
		if (call->idle_timeout_ns)
			deadline_ns = MIN(deadline_ns, call->last_byte_ns + call->idle_timeout_ns);
	return deadline_ns;
}

static int wait_ms(const struct http_client *client, uint64_t deadline_ns)
{
	uint64_t now_ns = clock_boot_ns(), then_ns = next_idle_ns(client, deadline_ns);

	if (find_new(client) || then_ns <= now_ns)
		return 0;
	return (int)MIN((then_ns - now_ns) / NS_PER_MS + 1, 60000u);
}

void http_step(struct http_client *client, struct pollfd *extra, uint32_t extra_cnt,
	       uint64_t deadline_ns)
{
	struct curl_waitfd waits[HTTP_EXTRA_MAX];
	bool has_finished;

	hae_assert(extra_cnt <= HTTP_EXTRA_MAX);
	for (uint32_t i = 0; i < extra_cnt; i++) {
		waits[i] = (struct curl_waitfd){ .fd = extra[i].fd };
		waits[i].events |= extra[i].events & POLLIN ? CURL_WAIT_POLLIN : 0;
		waits[i].events |= extra[i].events & POLLPRI ? CURL_WAIT_POLLPRI : 0;
		waits[i].events |= extra[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0;
	}
	has_finished = perform(client);
	curl_multi_poll(client->multi, waits, extra_cnt,
			has_finished ? 0 : wait_ms(client, deadline_ns), NULL);
	perform(client);
	/* libcurl does not pass POLLHUP and POLLERR on. */
	if (extra_cnt)
		(void)poll(extra, extra_cnt, 0);
}

uint32_t http_calls(const struct http_client *client)
{
	return client->call_cnt;
}

/* ---- the client ----------------------------------------------------------------------------- */

static CURLcode global_code;

static void init_curl(void)
{
	global_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int http_client_new(struct http_client **ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http_client *client;

	pthread_once(&once, init_curl);
	client = global_code == CURLE_OK ? calloc(1, sizeof(*client)) : NULL;
	if (!client)
		return -ENOMEM;
	client->multi = curl_multi_init();
	if (!client->multi) {
		free(client);
		return -ENOMEM;
	}
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX);
	*ret = client;
	return 0;
}

struct http_client *http_client_free(struct http_client *client)
{
	if (!client)
		return NULL;
	while (client->calls)
		drop(client, client->calls);
	curl_multi_cleanup(client->multi);
	free(client);
	return NULL;
}
