/* Unit tests of the HTTP client: what a peer can do wrong, and that none of it lasts or leaks. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>

#include "fake_http.h"
#include "haetae/clock.h"
#include "haetae/http.h"
#include "http_answer.h"

/* What on_done said, kept. */
struct outcome {
	bool is_done;
	struct http_result result;
	char body[4200];
	size_t body_n, streamed;
	unsigned pieces;
	size_t refuse_at; /* bytes streamed after which on_data says no; 0: never */
};

static void keep(const struct http_result *result, void *data)
{
	struct outcome *outcome = data;

	cr_expect_not(outcome->is_done, "on_done comes once");
	outcome->is_done = true;
	outcome->result = *result;
	outcome->body_n = result->body.n;
	memcpy(outcome->body, result->body.p, MIN(result->body.n, sizeof(outcome->body) - 1));
}

static bool stream(struct str piece, void *data)
{
	struct outcome *outcome = data;

	outcome->streamed += piece.n;
	outcome->pieces++;
	return !outcome->refuse_at || outcome->streamed < outcome->refuse_at;
}

static void run(struct http_client *client, const bool *is_done, uint64_t limit_ns)
{
	uint64_t end_ns = clock_boot_ns() + limit_ns;

	while (!*is_done && clock_boot_ns() < end_ns)
		http_step(client, NULL, 0, end_ns);
}

/* One request with a client of its own. */
static void fetch(struct http_request *request, struct outcome *outcome)
{
	struct http_client *client;

	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(http_client_new(&client), 0);
	request->method = request->method ? request->method : "GET";
	request->on_done = keep;
	request->data = outcome;
	cr_assert_eq(http_start(client, request, NULL), 0);
	cr_expect_not(outcome->is_done, "never from within http_start");
	run(client, &outcome->is_done, 5 * NS_PER_SEC);
	cr_expect(outcome->is_done);
	cr_expect_eq(http_calls(client), 0);
	http_client_free(client);
}

static const char *url_of(const struct fake_http *server, const char *path)
{
	static char url[600];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", fake_http_port(server), path);
	return url;
}

/* ---- a server with every fault -------------------------------------------------------------- */

static bool endless_headers(int fd)
{
	char line[1024] = "X-Filler: ";

	memset(line + 10, 'a', sizeof(line) - 12);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	fake_puts(fd, "HTTP/1.1 200 OK\r\n");
	while (fake_write(fd, line, sizeof(line)))
		;
	return false;
}

static bool endless_line(int fd)
{
	char block[4096];

	memset(block, 'a', sizeof(block));
	fake_puts(fd, "HTTP/1.1 200 OK\r\nX-Filler: ");
	while (fake_write(fd, block, sizeof(block)))
		;
	return false;
}

static bool large_body(int fd, const char *status, size_t n)
{
	char block[65536];

	memset(block, 'b', sizeof(block));
	fake_puts(fd, status);
	fake_puts(fd, "\r\n");
	for (size_t sent = 0; sent < n; sent += sizeof(block))
		if (!fake_write(fd, block, sizeof(block)))
			break;
	return false;
}

static bool drip(int fd, const char *start, unsigned ms)
{
	fake_puts(fd, start);
	for (int i = 0; i < 100; i++) {
		fake_sleep_ms(fd, ms);
		if (!fake_puts(fd, "x"))
			break;
	}
	return false;
}

static bool answer(int fd, const struct fake_request *request, void *data)
{
	const char *path = request->path;

	if (strcmp(path, "/fine") == 0)
		return fake_answer(fd, 200, "Application/JSON; charset=utf-8", "{\"a\":1}");
	if (strcmp(path, "/echo") == 0)
		return fake_answer(fd, 200, request->method, request->head) && false;
	if (strcmp(path, "/body") == 0)
		return fake_answer(fd, 201, NULL, request->body);
	if (strcmp(path, "/truncated") == 0)
		fake_puts(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
	if (strcmp(path, "/chunk") == 0)
		fake_puts(fd,
			  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
	if (strcmp(path, "/noise") == 0)
		fake_puts(fd, "\x01\x02 this is no HTTP\r\n\r\n");
	if (strcmp(path, "/headers") == 0)
		return endless_headers(fd);
	if (strcmp(path, "/line") == 0)
		return endless_line(fd);
	if (strcmp(path, "/large") == 0)
		return large_body(fd, "HTTP/1.1 200 OK\r\n", 10u << 20);
	if (strcmp(path, "/large-error") == 0)
		return large_body(fd, "HTTP/1.1 500 Oops\r\n", 10u << 20);
	if (strcmp(path, "/loris") == 0)
		return drip(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", 30);
	if (strcmp(path, "/stall") == 0)
		return drip(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", 4000);
	if (strcmp(path, "/silent") == 0)
		fake_sleep_ms(fd, 4000);
	if (strcmp(path, "/redirect") == 0)
		fake_puts(fd, "HTTP/1.1 302 Found\r\nLocation: /fine\r\nContent-Length: 0\r\n\r\n");
	if (strcmp(path, "/interim") == 0)
		fake_puts(fd, "HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n"
			      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	if (strncmp(path, "/retry/", 7) == 0) {
		fake_puts(fd, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nRetry-After: ");
		fake_puts(fd, path + 7);
		fake_puts(fd, "\r\n\r\nwait");
	}
	return false;
}

/* ---- answers -------------------------------------------------------------------------------- */

Test(http, what_peers_answer)
{
	const struct {
		const char *path;
		enum http_error error;
		int status;
		const char *body;
		struct http_request request;
	} cases[] = {
		{ "/fine", 0, 200, "{\"a\":1}", { 0 } },
		{ "/truncated", HTTP_E_PROTOCOL, 200, NULL, { 0 } },
		{ "/chunk", HTTP_E_PROTOCOL, 200, NULL, { 0 } },
		{ "/noise", HTTP_E_PROTOCOL, 0, NULL, { 0 } },
		{ "/headers", HTTP_E_TOO_LONG, 200, NULL, { 0 } },
		{ "/line", HTTP_E_TOO_LONG, 200, NULL, { 0 } },
		{ "/large", HTTP_E_TOO_LONG, 200, NULL, { 0 } },
		{ "/large", 0, 200, NULL, { .max_body = 20u << 20 } },
		{ "/large-error", 0, 500, NULL, { 0 } },
		{ "/redirect", 0, 302, "", { 0 } },
		{ "/interim", 0, 200, "ok", { 0 } },
		{ "/nothing", HTTP_E_PROTOCOL, 0, NULL, { 0 } },
		{ "/silent", HTTP_E_TIMEOUT, 0, NULL, { .timeout_ns = 100 * NS_PER_MS } },
		{ "/silent", HTTP_E_TIMEOUT, 0, NULL, { .idle_timeout_ns = 100 * NS_PER_MS } },
		{ "/stall", HTTP_E_TIMEOUT, 200, NULL, { .idle_timeout_ns = 100 * NS_PER_MS } },
		/* A byte now and then keeps it alive, but not for ever. */
		{ "/loris",
		  HTTP_E_TIMEOUT,
		  200,
		  NULL,
		  { .idle_timeout_ns = 2 * NS_PER_SEC, .timeout_ns = 200 * NS_PER_MS } },
		{ "/body", 0, 201, "posted", { .method = "POST", .body = STR("posted") } },
		{ "/body", 0, 201, "put", { .method = "PUT", .body = STR("put") } },
	};
	struct fake_http *server = fake_http_start(NULL, answer, NULL);

	cr_assert_not_null(server);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_request request = cases[i].request;
		struct outcome outcome = { 0 };

		request.url = url_of(server, cases[i].path);
		fetch(&request, &outcome);
		cr_expect_eq(outcome.result.error, cases[i].error, "%s: %s, %s", cases[i].path,
			     http_error_name(outcome.result.error), outcome.result.message);
		cr_expect_eq(outcome.result.status, cases[i].status, "%s: %d", cases[i].path,
			     outcome.result.status);
		cr_expect_eq(outcome.result.message[0] != '\0', outcome.result.error != 0, "%s",
			     cases[i].path);
		if (cases[i].body)
			cr_expect_str_eq(outcome.body, cases[i].body, "%s", cases[i].path);
		cr_expect_lt(outcome.result.duration_ns, 3 * NS_PER_SEC, "%s", cases[i].path);
	}
	fake_http_stop(server);
}

Test(http, limits_are_exact)
{
	const struct {
		size_t max_body;
		enum http_error error;
	} cases[] = { { 7, 0 }, { 6, HTTP_E_TOO_LONG } };
	struct fake_http *server = fake_http_start(NULL, answer, NULL);

	for (size_t i = 0; i < 4; i++) {
		struct http_request request = { .url = url_of(server, "/fine"),
						.max_body = cases[i % 2].max_body,
						.on_data = i < 2 ? stream : NULL };
		struct outcome outcome = { 0 };

		fetch(&request, &outcome);
		cr_expect_eq(outcome.result.error, cases[i % 2].error, "%zu", i);
	}
	fake_http_stop(server);
}

Test(http, error_body_is_cut_and_told)
{
	struct fake_http *server = fake_http_start(NULL, answer, NULL);
	struct http_request request = { .url = url_of(server, "/large-error"), .on_data = stream };
	struct outcome outcome = { 0 };

	fetch(&request, &outcome);
	cr_expect_eq(outcome.result.status, 500);
	cr_expect_eq(outcome.body_n, 4096, "%zu", outcome.body_n);
	cr_expect_eq(outcome.pieces, 0, "on_data is for 2xx only");
	fake_http_stop(server);
}

Test(http, content_type_is_lower_case_without_parameters)
{
	struct fake_http *server = fake_http_start(NULL, answer, NULL);
	struct http_request request = { .url = url_of(server, "/fine") };
	struct outcome outcome = { 0 };

	fetch(&request, &outcome);
	cr_expect_str_eq(outcome.result.content_type, "application/json");
	fake_http_stop(server);
}

Test(http, retry_after)
{
	const char *const cases[] = {
		"7", "0", "99999999999999999999", "soon", "-5", "", "Sun%2C"
	};
	const uint64_t seconds[] = { 7, 0, 86400, 0, 0, 0, 0 };
	struct fake_http *server = fake_http_start(NULL, answer, NULL);
	struct http_result result = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char path[100];
		struct http_request request = { 0 };
		struct outcome outcome = { 0 };

		snprintf(path, sizeof(path), "/retry/%s", cases[i]);
		request.url = url_of(server, path);
		fetch(&request, &outcome);
		cr_expect_eq(outcome.result.status, 503);
		cr_expect_str_eq(outcome.body, "wait");
		cr_expect_eq(outcome.result.retry_after_ns, seconds[i] * NS_PER_SEC, "%s",
			     cases[i]);
	}
	/* The date of RFC 9110's example, 90 s before it and after it. */
	http_answer_line(&result, STR("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"),
			 946684799 - 90);
	cr_expect_eq(result.retry_after_ns, 90 * NS_PER_SEC);
	http_answer_line(&result, STR("retry-after: Fri, 31 Dec 1999 23:59:59 GMT"), 946684799 + 1);
	cr_expect_eq(result.retry_after_ns, 0);
	fake_http_stop(server);
}

Test(http, streamed)
{
	struct fake_http *server = fake_http_start(NULL, answer, NULL);
	struct http_request request = { .url = url_of(server, "/large"),
					.max_body = SIZE_MAX,
					.on_data = stream };
	struct outcome whole = { 0 }, refused = { .refuse_at = 100000 };

	fetch(&request, &whole);
	cr_expect_eq(whole.result.error, 0);
	cr_expect_eq(whole.streamed, 10u << 20);
	cr_expect_gt(whole.pieces, 1);
	fetch(&request, &refused);
	cr_expect_eq(refused.result.error, HTTP_E_REFUSED);
	cr_expect_lt(refused.streamed, 1u << 20);
	fake_http_stop(server);
}

/* ---- connections ---------------------------------------------------------------------------- */

Test(http, no_peer)
{
	struct http_request tcp = { .url = "http://127.0.0.1:1/" };
	struct http_request unix_socket = { .url = "http://localhost/",
					    .unix_socket = "/nonexistent/socket" };
	struct http_request named = { .url = "http://localhost/",
				      .unix_socket = "/nonexistent/socket",
				      .peer_name = "the runtime" };
	struct http_request *const requests[] = { &tcp, &unix_socket, &named };
	const char *const says[] = { "127.0.0.1:1: Connection refused",
				     "/nonexistent/socket: No such file", "the runtime: No such" };

	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		struct outcome outcome = { 0 };

		fetch(requests[i], &outcome);
		cr_expect_eq(outcome.result.error, HTTP_E_CONNECT);
		cr_expect_not_null(strstr(outcome.result.message, says[i]), "%s",
				   outcome.result.message);
	}
}

Test(http, unix_socket)
{
	char path[] = "/tmp/haetae_test_http_XXXXXX.sock";
	int fd = mkstemps(path, 5);
	struct fake_http *server;
	struct http_request request = { .url = "http://localhost/fine", .unix_socket = path };
	struct outcome outcome = { 0 };

	close(fd);
	server = fake_http_start(path, answer, NULL);
	cr_assert_not_null(server);
	fetch(&request, &outcome);
	cr_expect_eq(outcome.result.status, 200, "%s", outcome.result.message);
	fake_http_stop(server);
}

/* Neither a proxy that the environment names, nor one for everything but the target. */
Test(http, proxy_of_the_environment_is_ignored)
{
	struct fake_http *server = fake_http_start(NULL, answer, NULL);
	struct fake_http *proxy = fake_http_start(NULL, answer, NULL);
	struct http_request request = { .url = url_of(server, "/fine") };
	struct outcome direct = { 0 }, through = { 0 };
	char url[600], proxy_url[64];

	snprintf(url, sizeof(url), "%s", request.url);
	request.url = url;
	snprintf(proxy_url, sizeof(proxy_url), "http://127.0.0.1:%u", fake_http_port(proxy));
	setenv("http_proxy", proxy_url, 1);
	setenv("all_proxy", proxy_url, 1);
	setenv("no_proxy", "*", 1);
	fetch(&request, &direct);
	cr_expect_eq(direct.result.status, 200);
	cr_expect_eq(fake_http_requests(proxy), 0);
	request.proxy = proxy_url;
	fetch(&request, &through);
	cr_expect_eq(fake_http_requests(proxy), 1, "one that was asked for is used");
	fake_http_stop(server);
	fake_http_stop(proxy);
}

/* ---- what callers give ---------------------------------------------------------------------- */

Test(http, what_is_no_request)
{
	const char *const urls[] = {
		"ftp://localhost/",	     "file:///etc/passwd",    "gopher://x/",
		"http://a\r\nHost: b/",	     "http://127.0.0.1/ x",   "",
		"http://user:pw@localhost/", "http://127.0.0.1/\x7f", "localhost"
	};
	const char *const headers[] = { "A: b\r\nC: d", "A: b\nC: d", "no colon", ": b", "A b: c",
					"A;",		"A\t: b",     "A: \x01",  "" };
	struct http_client *client;

	cr_assert_eq(http_client_new(&client), 0);
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct http_request request = { .method = "GET", .url = urls[i], .on_done = keep };

		cr_expect_eq(http_start(client, &request, NULL), -EINVAL, "%s", urls[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		const char *const list[] = { "Fine: yes", NULL, headers[i] };
		struct http_request request = { .method = "GET",
						.url = "http://127.0.0.1:1/",
						.headers = list,
						.header_cnt = 3,
						.on_done = keep };

		cr_expect_eq(http_start(client, &request, NULL), -EINVAL, "%s", headers[i]);
	}
	cr_expect_eq(http_start(client,
				&(struct http_request){ .method = "GET /x HTTP/1.1\r\n",
							.url = "http://127.0.0.1:1/" },
				NULL),
		     -EINVAL);
	cr_expect_eq(http_calls(client), 0);
	http_client_free(client);
}

Test(http, request_is_sent_as_given)
{
	const char *const headers[] = { "Authorization: Bearer secret", NULL, "X-Empty:x" };
	struct fake_http *server = fake_http_start(NULL, answer, NULL);
	struct http_request request = { .method = "POST",
					.url = url_of(server, "/echo"),
					.headers = headers,
					.header_cnt = 3,
					.body = STR("{}") };
	struct outcome outcome = { 0 };

	fetch(&request, &outcome);
	cr_expect_not_null(strstr(outcome.body, "POST /echo HTTP/1.1\r\n"), "%s", outcome.body);
	cr_expect_not_null(strstr(outcome.body, "Authorization: Bearer secret\r\n"));
	cr_expect_not_null(strstr(outcome.body, "User-Agent: haetae/"));
	cr_expect_null(strstr(outcome.body, "Content-Type"), "the body is no form");
	cr_expect_null(strstr(outcome.body, "Expect"));
	cr_expect_null(strstr(outcome.body, "Accept-Encoding"));
	fake_http_stop(server);
}

/* ---- many, and cancelled -------------------------------------------------------------------- */

struct crowd {
	struct http_client *client;
	struct http_call *calls[64];
	unsigned done, fine, target;
	bool is_over, want_again;
	const char *url;
};

static void one_done(const struct http_result *result, void *data)
{
	struct crowd *crowd = data;

	crowd->done++;
	crowd->fine += result->error == 0 && result->status == 200;
	if (crowd->want_again && crowd->done < crowd->target) {
		struct http_request request = {
			.method = "GET", .url = crowd->url, .on_done = one_done, .data = crowd
		};

		cr_assert_eq(http_start(crowd->client, &request, NULL), 0);
	}
	crowd->is_over = crowd->done == crowd->target;
}

Test(http, many_at_once)
{
	struct fake_http *server = fake_http_start(NULL, answer, NULL);
	struct crowd crowd = { .target = 300, .want_again = true, .url = url_of(server, "/fine") };

	cr_assert_eq(http_client_new(&crowd.client), 0);
	for (int i = 0; i < 30; i++) {
		struct http_request request = {
			.method = "GET", .url = crowd.url, .on_done = one_done, .data = &crowd
		};

		cr_assert_eq(http_start(crowd.client, &request, NULL), 0);
	}
	cr_expect_eq(http_calls(crowd.client), 30);
	run(crowd.client, &crowd.is_over, 5 * NS_PER_SEC);
	cr_expect_geq(crowd.fine, 300, "%u", crowd.fine);
	cr_expect_lt(fake_http_connections(server), 100, "connections are used again: %u",
		     fake_http_connections(server));
	http_client_free(crowd.client);
	fake_http_stop(server);
}

struct canceller {
	struct http_client *client;
	struct http_call *self, *other;
	unsigned other_done, self_done;
	bool is_over;
};

static bool cancel_both(struct str piece, void *data)
{
	struct canceller *canceller = data;

	(void)piece;
	http_cancel(canceller->client, canceller->other);
	http_cancel(canceller->client, canceller->self);
	canceller->is_over = true;
	return true;
}

static void count_other(const struct http_result *result, void *data)
{
	(void)result;
	((struct canceller *)data)->other_done++;
}

static void cancel_on_done(const struct http_result *result, void *data)
{
	struct canceller *canceller = data;

	(void)result;
	canceller->self_done++;
	http_cancel(canceller->client, canceller->self);
	http_cancel(canceller->client, canceller->other);
	canceller->is_over = true;
}

Test(http, cancelled_in_callbacks)
{
	struct fake_http *server = fake_http_start(NULL, answer, NULL);
	char silent[600], large[600], fine[600];

	snprintf(silent, sizeof(silent), "%s", url_of(server, "/silent"));
	snprintf(large, sizeof(large), "%s", url_of(server, "/large"));
	snprintf(fine, sizeof(fine), "%s", url_of(server, "/fine"));
	for (int i = 0; i < 2; i++) {
		struct canceller canceller = { 0 };
		struct http_request other = {
			.method = "GET", .url = silent, .on_done = count_other, .data = &canceller
		};
		struct http_request self = { .method = "GET",
					     .url = i ? fine : large,
					     .max_body = SIZE_MAX,
					     .on_data = i ? NULL : cancel_both,
					     .on_done = cancel_on_done,
					     .data = &canceller };

		cr_assert_eq(http_client_new(&canceller.client), 0);
		cr_assert_eq(http_start(canceller.client, &other, &canceller.other), 0);
		cr_assert_eq(http_start(canceller.client, &self, &canceller.self), 0);
		run(canceller.client, &canceller.is_over, 3 * NS_PER_SEC);
		cr_expect(canceller.is_over);
		http_step(canceller.client, NULL, 0, clock_boot_ns() + 20 * NS_PER_MS);
		cr_expect_eq(http_calls(canceller.client), 0, "%d", i);
		cr_expect_eq(canceller.other_done, 0);
		cr_expect_eq(canceller.self_done, (unsigned)i);
		http_client_free(canceller.client);
	}
	fake_http_stop(server);
}

Test(http, freed_with_calls_under_way)
{
	struct fake_http *server = fake_http_start(NULL, answer, NULL);
	struct crowd crowd = { .url = url_of(server, "/silent") };
	uint64_t start_ns;

	cr_assert_eq(http_client_new(&crowd.client), 0);
	for (int i = 0; i < 20; i++) {
		struct http_request request = {
			.method = "GET", .url = crowd.url, .on_done = one_done, .data = &crowd
		};

		cr_assert_eq(http_start(crowd.client, &request, NULL), 0);
	}
	http_step(crowd.client, NULL, 0, clock_boot_ns() + 20 * NS_PER_MS);
	start_ns = clock_boot_ns();
	http_client_free(crowd.client);
	cr_expect_lt(clock_boot_ns() - start_ns, NS_PER_SEC / 2);
	cr_expect_eq(crowd.done, 0, "cancelled calls are not told");
	fake_http_stop(server);
}

Test(http, extra_descriptors_wake_the_loop)
{
	struct http_client *client;
	struct pollfd extra = { .fd = eventfd(1, EFD_CLOEXEC), .events = POLLIN };
	int ends[2];
	struct pollfd hung_up = { .events = POLLIN };
	uint64_t start_ns = clock_boot_ns();

	cr_assert_eq(http_client_new(&client), 0);
	http_step(client, &extra, 1, start_ns + 5 * NS_PER_SEC);
	cr_expect(extra.revents & POLLIN);
	cr_assert_eq(pipe(ends), 0);
	close(ends[1]);
	hung_up.fd = ends[0];
	http_step(client, &hung_up, 1, start_ns + 5 * NS_PER_SEC);
	cr_expect(hung_up.revents & POLLHUP);
	cr_expect_lt(clock_boot_ns() - start_ns, NS_PER_SEC);
	http_step(client, NULL, 0, clock_boot_ns() + 30 * NS_PER_MS);
	cr_expect_geq(clock_boot_ns() - start_ns, 30 * NS_PER_MS, "waits without calls too");
	http_client_free(client);
}
