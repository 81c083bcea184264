/*
 * What each answer means for the alerts of a request.
 */
#include <criterion/criterion.h>

#include "answer.h"
#include "haetae/json_bound.h"
#include "http_headers.h"

Test(retry, verdicts)
{
	static const struct {
		int status;
		enum http_error error;
		uint32_t alert_cnt;
		enum retry_verdict verdict;
	} cases[] = {
		{ 200, 0, 1, RETRY_ACKNOWLEDGE },
		{ 202, 0, 100, RETRY_ACKNOWLEDGE },
		{ 204, 0, 1, RETRY_ACKNOWLEDGE },
		{ 200, HTTP_E_TOO_LONG, 1, RETRY_ACKNOWLEDGE }, /* whatever it goes on to say */
		{ 500, HTTP_E_TOO_LONG, 1, RETRY_AGAIN },
		{ 0, HTTP_E_TOO_LONG, 1, RETRY_AGAIN },
		{ 200, HTTP_E_PROTOCOL, 1, RETRY_AGAIN }, /* broken off: it may not have it */
		{ 200, HTTP_E_TIMEOUT, 1, RETRY_AGAIN },
		{ 408, 0, 1, RETRY_AGAIN },
		{ 425, 0, 1, RETRY_AGAIN },
		{ 429, 0, 100, RETRY_AGAIN },
		{ 500, 0, 1, RETRY_AGAIN },
		{ 503, 0, 100, RETRY_AGAIN },
		{ 599, 0, 1, RETRY_AGAIN },
		{ 400, 0, 1, RETRY_DEAD },
		{ 400, 0, 2, RETRY_SPLIT },
		{ 413, 0, 1, RETRY_DEAD },
		{ 413, 0, 100, RETRY_SPLIT },
		{ 422, 0, 1, RETRY_DEAD },
		{ 422, 0, 2, RETRY_SPLIT },
		{ 401, 0, 100, RETRY_MISCONFIGURED },
		{ 403, 0, 1, RETRY_MISCONFIGURED },
		{ 404, 0, 1, RETRY_MISCONFIGURED },
		{ 407, 0, 1, RETRY_MISCONFIGURED },
		{ 405, 0, 1, RETRY_DEAD },
		{ 410, 0, 100, RETRY_DEAD },
		{ 301, 0, 1, RETRY_MISCONFIGURED },
		{ 307, 0, 100, RETRY_MISCONFIGURED },
		{ 304, 0, 1, RETRY_MISCONFIGURED },
		{ 0, HTTP_E_CONNECT, 1, RETRY_AGAIN },
		{ 0, HTTP_E_TIMEOUT, 1, RETRY_AGAIN },
		{ 0, HTTP_E_PROTOCOL, 1, RETRY_AGAIN },
		{ 0, HTTP_E_MEMORY, 1, RETRY_AGAIN },
		{ 0, HTTP_E_TLS, 1, RETRY_MISCONFIGURED },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct http_result result = { .status = cases[i].status,
						    .error = cases[i].error };

		cr_expect_eq(retry_judge(&result, cases[i].alert_cnt), cases[i].verdict,
			     "status %d, error %d, %u alerts", cases[i].status, (int)cases[i].error,
			     (unsigned)cases[i].alert_cnt);
	}
}

Test(retry, waits)
{
	const uint64_t second = 1000000000ULL;

	cr_expect_eq(retry_at_least_ns(RETRY_AGAIN, 0, 60 * second), 0);
	cr_expect_eq(retry_at_least_ns(RETRY_AGAIN, 90 * second, 60 * second), 90 * second);
	/* Nobody switches a sink off for longer than an hour. */
	cr_expect_eq(retry_at_least_ns(RETRY_AGAIN, 86400 * second, 60 * second), 3600 * second);
	cr_expect_eq(retry_at_least_ns(RETRY_MISCONFIGURED, 0, 60 * second), 30 * second);
	cr_expect_eq(retry_at_least_ns(RETRY_MISCONFIGURED, 90 * second, 60 * second), 90 * second);
}

/* ---- Elasticsearch -------------------------------------------------------------------------- */

#define ITEM(status) "{\"create\":{\"_id\":\"x\",\"status\":" #status "}}"
#define ERROR_ITEM(status)                               \
	"{\"create\":{\"_id\":\"x\",\"status\":" #status \
	",\"error\":{\"type\":\"mapper_parsing_exception\",\"reason\":\"failed \\u001b\"}}}"

Test(answer, bulk)
{
	static const char body[] =
		"{\"took\":3,\"errors\":true,\"items\":[" ITEM(201) "," ITEM(409) "," ERROR_ITEM(
			429) "," ERROR_ITEM(503) "," ERROR_ITEM(400) "," ERROR_ITEM(404) "]}";
	static const enum retry_verdict verdicts[] = {
		RETRY_ACKNOWLEDGE, RETRY_ACKNOWLEDGE, /* it is there already */
		RETRY_AGAIN,	   RETRY_AGAIN,	      RETRY_DEAD, RETRY_MISCONFIGURED,
	};
	struct answer_item items[ARRAY_LEN(verdicts)];

	cr_assert(answer_read_bulk(str_from(body), ARRAY_LEN(verdicts), items));
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		cr_expect_eq(items[i].verdict, verdicts[i], "item %zu: %d", i,
			     (int)items[i].verdict);
	cr_expect_str_eq(items[4].reason, "status 400 of the document: mapper_parsing_exception: "
					  "failed \\x1b");
}

/* A 200 of something else is no acknowledgement. */
Test(answer, bulk_of_others)
{
	static const char *const cases[] = {
		"",
		"OK",
		"<html>",
		"[]",
		"{}",
		"{\"items\":{}}",
		"{\"items\":[]}",
		"{\"items\":[" ITEM(201) "," ITEM(201) "]}",
		"{\"items\":[{}]}",
		"{\"items\":[null]}",
		"{\"items\":[{\"create\":{}}]}",
		"{\"items\":[{\"create\":{\"status\":\"201\"}}]}",
		"{\"items\":[{\"index\":{\"status\":201}}]}",
		"{\"items\":[" ITEM(201),
	};
	struct answer_item item;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect(!answer_read_bulk(str_from(cases[i]), 1, &item), "%s", cases[i]);
}

/* An answer of 16 MiB that is parsed would take four gigabytes. */
Test(answer, bomb)
{
	static const struct {
		const char *piece;
		uint32_t cnt;
		bool is_fine;
	} cases[] = {
		{ "{}", 1000, true },
		{ "{}", JSON_BOUND_OBJECTS, false },
		{ "[]", 2 * JSON_BOUND_OBJECTS, false },
		{ "1", 1000000, true },
		{ "1", 2000000, false },
		{ "'\"',{},'\"'", 1, false }, /* would hide what is between */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_done) struct buf body;
		struct answer_item item;

		buf_init(&body, 8u << 20);
		buf_puts(&body, "{\"items\":[{\"create\":{\"status\":201,\"x\":[");
		for (uint32_t k = 0; k < cases[i].cnt; k++)
			buf_printf(&body, "%s%s", k ? "," : "", cases[i].piece);
		buf_puts(&body, "]}}]}");
		cr_expect_eq(answer_read_bulk(buf_str(&body), 1, &item), cases[i].is_fine, "%s %u",
			     cases[i].piece, (unsigned)cases[i].cnt);
	}
}

/* ---- OTLP ----------------------------------------------------------------------------------- */

Test(answer, otlp)
{
	static const struct {
		const char *body;
		bool is_fine;
		enum retry_verdict verdict;
		const char *reason;
	} cases[] = {
		{ "", true, RETRY_ACKNOWLEDGE, "" },
		{ "{}", true, RETRY_ACKNOWLEDGE, "" },
		{ "{\"partialSuccess\":{}}", true, RETRY_ACKNOWLEDGE, "" },
		{ "{\"partialSuccess\":null}", true, RETRY_ACKNOWLEDGE, "" },
		/* A warning. */
		{ "{\"partialSuccess\":{\"errorMessage\":\"hm\"}}", true, RETRY_ACKNOWLEDGE, "" },
		{ "{\"partialSuccess\":{\"rejectedLogRecords\":\"0\"}}", true, RETRY_ACKNOWLEDGE,
		  "" },
		{ "{\"partialSuccess\":{\"rejectedLogRecords\":\"3\",\"errorMessage\":\"no\"}}",
		  true, RETRY_DEAD, "refused by the receiver: no" },
		{ "{\"partialSuccess\":{\"rejectedLogRecords\":1,\"errorMessage\":\"a\\nb\"}}",
		  true, RETRY_DEAD,
		  "the receiver refused 1 of 3 records and does not say which: a\\nb" },
		{ "<html>", false, RETRY_ACKNOWLEDGE, "" },
		{ "[]", false, RETRY_ACKNOWLEDGE, "" },
	};
	struct answer_item items[3];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool is_fine = answer_read_otlp(str_from(cases[i].body), 3, items);

		cr_expect_eq(is_fine, cases[i].is_fine, "%s", cases[i].body);
		for (unsigned k = 0; is_fine && k < 3; k++) {
			cr_expect_eq(items[k].verdict, cases[i].verdict, "%s", cases[i].body);
			cr_expect_str_eq(items[k].reason, cases[i].reason, "%s", cases[i].body);
		}
	}
}

/* ---- Splunk --------------------------------------------------------------------------------- */

Test(answer, hec)
{
	static const struct {
		const char *body;
		bool is_setting;
	} cases[] = {
		{ "{\"text\":\"Incorrect index\",\"code\":7,\"invalid-event-number\":1}", true },
		{ "{\"text\":\"Data channel is missing\",\"code\":10}", true },
		{ "{\"text\":\"Invalid data format\",\"code\":6,\"invalid-event-number\":0}",
		  false },
		{ "{\"code\":\"7\"}", false },
		{ "7", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(answer_is_hec_setting(str_from(cases[i].body)), cases[i].is_setting,
			     "%s", cases[i].body);
}

/* ---- secrets that a receiver says back ------------------------------------------------------ */

Test(told, parts)
{
	static const struct {
		const char *url, *header, *proxy, *words;
		bool is_told;
	} cases[] = {
		{ "http://h/services/hook", NULL, NULL, "no /services/hook", true },
		{ "http://h/services/hook", NULL, NULL, "no services here", false },
		{ "http://h/v1/T0123456789abcdefg", NULL, NULL, "no T0123456789abcdefg", true },
		{ "http://h/x?a=b&token=key123", NULL, NULL, "token key123 is old", true },
		{ "http://h/x?a=b&token=key123", NULL, NULL, "token is old", false },
		{ "http://h?token=key123", NULL, NULL, "key123", true },
		{ "http://h", "X-Key: value-1", NULL, "value-1", true },
		{ "http://h", "Authorization: Basic dXNlcjpwYXNz", NULL, "dXNlcjpwYXNz?", true },
		{ "http://h", NULL, "http://user:pass-word@p:3128/", "pass-word", true },
		{ "http://h", NULL, "http://user:pass-word@p:3128/", "no such user", false },
		{ "http://h", NULL, "http://p:3128/@x", "http://p:3128", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sink_config config = { .http = { .url = cases[i].url,
							.proxy = cases[i].proxy } };
		struct http_headers headers = { .config = &config };

		if (cases[i].header)
			config.http.headers[config.http.header_cnt++] = cases[i].header;
		cr_expect_eq(http_headers_is_told_in(&headers, str_from(cases[i].words)),
			     cases[i].is_told, "%zu: %s", i, cases[i].words);
	}
}
