/*
 * What stands above the body of a sink's request: content, credentials, signature, idempotency key,
 * and the user's own headers.
 */
#ifndef HAETAE_OUTPUTS_HTTP_HEADERS_H
#define HAETAE_OUTPUTS_HTTP_HEADERS_H

#include <sys/stat.h>

#include "haetae/sink.h"

struct delivery;

struct http_headers {
	const struct sink_config *config; /* borrowed */
	char *token;			  /* owned, secret */
	struct stat token_status;	  /* of the file that it was read from */
	bool has_warned;		  /* that the file cannot be read any more */
	struct buf text;		  /* the headers of this request, each ended by a NUL */
	const char *list[SINK_HEADERS_MAX + 6];
	uint32_t cnt;
};

struct http_headers_request {
	const char *content_type;
	struct str body; /* as it is sent */
	bool is_gzip;
	struct delivery *const *batch; /* whose uuids make the key */
	uint32_t cnt;
	uint64_t wall_s;
};

/* Reads the token. 0, or a negative errno with what is wrong in reterr. Refused: a header with a
 * line break or a placeholder, one that is ours to set, a second Authorization. */
int http_headers_init(struct http_headers *headers, const struct sink_config *config, char *reterr,
		      size_t size);
void http_headers_done(struct http_headers *headers);
/* Fills list and cnt; they are valid until the next call. False: no memory. */
bool http_headers_make(struct http_headers *headers, const struct http_headers_request *request);
/* Whether a text that a receiver sent holds one of our secrets. */
bool http_headers_is_told_in(const struct http_headers *headers, struct str text);

#endif
