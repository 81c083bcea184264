/*
 * One call of the HTTP client: what http_call.c makes of a request and http.c runs.
 */
#ifndef HAETAE_BASE_HTTP_CALL_H
#define HAETAE_BASE_HTTP_CALL_H

#include <curl/curl.h>

#include "haetae/http.h"

#define HTTP_REFUSAL_BODY_MAX 4096 /* of an answer other than 2xx: enough for a reason */

/* Why our own callback ended the transfer. */
enum http_stop {
	STOP_NOT,
	STOP_HEADERS,
	STOP_BODY,
	STOP_REFUSED,
	STOP_ENOUGH, /* of a refusal's body: no error */
	STOP_MEMORY
};

struct http_call {
	struct http_client *client;
	struct http_call *next, *previous;
	CURL *easy;		    /* owned */
	struct curl_slist *headers; /* owned */
	char *body;		    /* owned; libcurl reads it */
	struct buf collected;
	struct http_result result;
	bool (*on_data)(struct str piece, void *data);
	void (*on_done)(const struct http_result *result, void *data);
	void *data;
	size_t max_body, body_bytes, header_bytes;
	uint64_t start_ns, last_byte_ns, idle_timeout_ns;
	curl_off_t uploaded;
	enum http_stop stop;
	bool is_added;	   /* to the multi handle */
	bool is_cancelled; /* within a callback: swept when libcurl has returned */
	char where[120];   /* whom we talk to, for messages: no path, no query */
	char curl_message[CURL_ERROR_SIZE];
};

/* A call with all options of the request, without callbacks, in no client. 0, -ENOMEM or -EINVAL.
 */
int http_call_new(const struct http_request *request, struct http_call **ret);
/* Fine with NULL. It is in no multi handle any more. */
struct http_call *http_call_free(struct http_call *call);

#endif
