/*
 * Reads header lines and trailers into an http_result. Owns nothing; called by http.c for each line
 * that libcurl hands over, in the thread of the client.
 */
#include "http_answer.h"

#include <ctype.h>
#include <curl/curl.h>

#include "haetae/clock.h"

/* Longer than any maintenance: a peer cannot switch us off for good. */
#define RETRY_AFTER_MAX_S 86400

static struct str trim(struct str s)
{
	while (s.n && isspace((unsigned char)s.p[0]))
		s = (struct str){ s.p + 1, s.n - 1 };
	while (s.n && isspace((unsigned char)s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool is_name(struct str name, const char *lower)
{
	return name.n == strlen(lower) && strncasecmp(name.p, lower, name.n) == 0;
}

/* Digits only; -1 where it is something else or beyond `max`. */
static int64_t parse_number(struct str text, int64_t max)
{
	int64_t value = 0;

	if (!text.n)
		return -1;
	for (uint32_t i = 0; i < text.n; i++) {
		if (!isdigit((unsigned char)text.p[i]))
			return -1;
		value = value * 10 + (text.p[i] - '0');
		if (value > max)
			return -1;
	}
	return value;
}

static bool is_digits(struct str text)
{
	for (uint32_t i = 0; i < text.n; i++)
		if (!isdigit((unsigned char)text.p[i]))
			return false;
	return text.n > 0;
}

/* RFC 9110 section 10.2.3: seconds, or a date. */
static uint64_t parse_retry_after(struct str value, int64_t wall_s)
{
	char date[64];
	int64_t seconds = 0;

	if (is_digits(value)) {
		seconds = parse_number(value, RETRY_AFTER_MAX_S);
		if (seconds < 0)
			seconds = RETRY_AFTER_MAX_S;
	} else if (value.n && value.n < sizeof(date)) {
		memcpy(date, value.p, value.n);
		date[value.n] = '\0';
		seconds = (int64_t)curl_getdate(date, NULL);
		seconds = seconds > wall_s ? seconds - wall_s : 0;
	}
	return (uint64_t)MIN(seconds, RETRY_AFTER_MAX_S) * NS_PER_SEC;
}

static void set_content_type(struct http_result *result, struct str value)
{
	uint32_t n = 0;

	while (n < value.n && n < sizeof(result->content_type) - 1 && value.p[n] != ';' &&
	       !isspace((unsigned char)value.p[n])) {
		result->content_type[n] = (char)tolower((unsigned char)value.p[n]);
		n++;
	}
	result->content_type[n] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void http_percent_decode(struct str text, char *ret, size_t size)
{
	size_t n = 0;

	for (uint32_t i = 0; i < text.n && n + 1 < size; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '%' && i + 2 < text.n && hex_digit(text.p[i + 1]) >= 0 &&
		    hex_digit(text.p[i + 2]) >= 0) {
			c = (unsigned char)(hex_digit(text.p[i + 1]) << 4 |
					    hex_digit(text.p[i + 2]));
			i += 2;
		}
		ret[n++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	ret[n] = '\0';
}

/* "HTTP/1.1 200 OK": what an interim answer said is forgotten. */
static void start_answer(struct http_result *result)
{
	result->retry_after_ns = 0;
	result->content_type[0] = '\0';
	result->grpc_status = -1;
	result->grpc_message[0] = '\0';
}

void http_answer_line(struct http_result *result, struct str line, int64_t wall_s)
{
	const char *colon;
	struct str name, value;

	if (str_starts_with(line, STR("HTTP/"))) {
		start_answer(result);
		return;
	}
	colon = line.n ? memchr(line.p, ':', line.n) : NULL;
	if (!colon)
		return;
	name = (struct str){ line.p, (uint32_t)(colon - line.p) };
	value = trim((struct str){ colon + 1, line.n - name.n - 1 });
	if (is_name(name, "retry-after"))
		result->retry_after_ns = parse_retry_after(value, wall_s);
	else if (is_name(name, "content-type"))
		set_content_type(result, value);
	else if (is_name(name, "grpc-status"))
		result->grpc_status = (int)parse_number(value, 1 << 20);
	else if (is_name(name, "grpc-message"))
		http_percent_decode(value, result->grpc_message, sizeof(result->grpc_message));
}
