/*
 * What the header lines of an HTTP answer say, as far as http_result keeps it. Pure: for http.c and
 * its tests.
 */
#ifndef HAETAE_BASE_HTTP_ANSWER_H
#define HAETAE_BASE_HTTP_ANSWER_H

#include "haetae/http.h"

/* Status line, headers, trailers: HTTP/2 has some kilobytes, a hostile server no end. */
#define HTTP_HEADER_BYTES_MAX (64u << 10)

/* One line as it came, with or without its line break; status lines of interim answers (1xx) start
 * anew. wall_s: the wall clock, for a Retry-After that is a date. */
void http_answer_line(struct http_result *result, struct str line, int64_t wall_s);
/* Undoes "%20" and cuts; what is no printable ASCII or UTF-8 byte becomes '?'. */
void http_percent_decode(struct str text, char *ret, size_t size);

#endif
