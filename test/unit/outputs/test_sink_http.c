/*
 * The HTTP sink against a receiver that does everything wrong: what becomes of each alert, what
 * stands in the requests, and which mistakes of the configuration are found at the start.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <zlib.h>

#include "fake_http.h"
#include "haetae/clock.h"
#include "haetae/sink.h"

#define MS	     NS_PER_MS
#define REQUESTS_MAX 128

/* ---- the receiver --------------------------------------------------------------------------- */

enum act {
	OK = 200, /* any status: answered so */
	RESET = 1000,
	HANG,
	BROKEN_OFF,
	ENDLESS,   /* 10 MiB of body behind a 200 */
	SLOW_DOWN, /* 429 with Retry-After: 1 */
	MOVED,
	BAD_IS_400,   /* where the body has "bad" */
	LONG_IS_413,  /* beyond 600 bytes */
	BULK,	      /* each item by its alert: "bad" 400, "busy" 429 once, "there" 409 */
	OTLP_SOME,    /* a partial success of one record */
	INDEX_IS_400, /* Splunk: the index is not there */
	ECHO_400,     /* says back what it got */
	BULK_ECHO     /* in an item's reason */
};

struct record {
	struct fake_request request;
	uint64_t at_ns;
};

struct receiver {
	struct fake_http *server;
	enum act acts[8]; /* the last one goes on; 0: the one before does */
	pthread_mutex_t lock;
	unsigned cnt, busy_cnt;
	struct record records[REQUESTS_MAX];
};

static void answer_bulk(int fd, struct receiver *receiver, const char *body)
{
	char text[8192], *to = text;

	to += sprintf(to, "{\"errors\":true,\"items\":[");
	for (const char *p = strstr(body, "{\"create\""); p; p = strstr(p + 1, "{\"create\"")) {
		const char *end = strstr(p + 1, "{\"create\"");
		size_t n = end ? (size_t)(end - p) : strlen(p);
		int status = 201;

		if (memmem(p, n, "bad", 3))
			status = 400;
		else if (memmem(p, n, "busy", 4) && receiver->busy_cnt++ == 0)
			status = 429;
		else if (memmem(p, n, "there", 5))
			status = 409;
		to += sprintf(to, "%s{\"create\":{\"status\":%d}}", to[-1] == '[' ? "" : ",",
			      status);
	}
	sprintf(to, "]}");
	fake_answer(fd, 200, "application/json", text);
}

static bool answer_endless(int fd)
{
	static char piece[65536];

	fake_puts(fd, "HTTP/1.1 200 X\r\nContent-Length: 10485760\r\n\r\n");
	for (unsigned i = 0; i < 160; i++)
		if (!fake_write(fd, piece, sizeof(piece)))
			break;
	return false;
}

static bool reset(int fd)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return false;
}

/* flat switch */
static bool perform(int fd, struct receiver *receiver, const struct fake_request *request,
		    enum act act)
{
	switch ((int)act) {
	case RESET:
		return reset(fd);
	case HANG:
		fake_sleep_ms(fd, 20000);
		return false;
	case BROKEN_OFF:
		fake_puts(fd, "HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nhalf");
		return false;
	case ENDLESS:
		return answer_endless(fd);
	case SLOW_DOWN:
		return fake_puts(fd, "HTTP/1.1 429 X\r\nRetry-After: 1\r\n"
				     "Content-Length: 0\r\n\r\n");
	case MOVED:
		return fake_puts(fd, "HTTP/1.1 301 X\r\nLocation: /elsewhere\r\n"
				     "Content-Length: 0\r\n\r\n");
	case BAD_IS_400:
		return fake_answer(fd, strstr(request->body, "bad") ? 400 : 200, NULL, "why");
	case LONG_IS_413:
		return fake_answer(fd, request->body_n > 600 ? 413 : 200, NULL, "");
	case BULK:
		answer_bulk(fd, receiver, request->body);
		return true;
	case OTLP_SOME:
		return fake_answer(fd, 200, "application/json",
				   "{\"partialSuccess\":{\"rejectedLogRecords\":\"1\"}}");
	case INDEX_IS_400:
		return fake_answer(fd, 400, "application/json", "{\"code\":7}");
	case ECHO_400:
		return fake_answer(fd, 400, NULL, request->head);
	case BULK_ECHO:
		return fake_answer(fd, 200, "application/json",
				   "{\"items\":[{\"create\":{\"status\":400,\"error\":{\"reason\":"
				   "\"key s3cr3t-token is old\"}}}]}");
	default:
		return fake_answer(fd, (int)act, NULL, "{}");
	}
}

static bool handle(int fd, const struct fake_request *request, void *data)
{
	struct receiver *receiver = data;
	enum act act = OK;

	pthread_mutex_lock(&receiver->lock);
	for (unsigned i = 0; i < ARRAY_LEN(receiver->acts) && i <= receiver->cnt; i++)
		act = receiver->acts[i] ? receiver->acts[i] : act;
	if (receiver->cnt < REQUESTS_MAX)
		receiver->records[receiver->cnt] = (struct record){ *request, clock_boot_ns() };
	receiver->cnt++;
	pthread_mutex_unlock(&receiver->lock);
	return perform(fd, receiver, request, act);
}

static struct receiver *start_receiver(const enum act *acts, size_t act_cnt)
{
	struct receiver *receiver = calloc(1, sizeof(*receiver));

	signal(SIGPIPE, SIG_IGN);
	pthread_mutex_init(&receiver->lock, NULL);
	memcpy(receiver->acts, acts, act_cnt * sizeof(*acts));
	receiver->server = fake_http_start(NULL, handle, receiver);
	cr_assert(receiver->server != NULL);
	return receiver;
}

static void stop_receiver(struct receiver *receiver)
{
	fake_http_stop(receiver->server);
	free(receiver);
}

/* ---- alerts and sinks ----------------------------------------------------------------------- */

static struct alert *make_alert(unsigned number, const char *word)
{
	char uuid[37], json[256];
	struct alert_parts parts = { .priority = PRIORITY_WARNING,
				     .wall_ns = 1700000000000000000,
				     .rule = STR("r"),
				     .tags = STR_NONE,
				     .text = STR("t") };

	snprintf(uuid, sizeof(uuid), "00000000-0000-8000-8000-%012u", number);
	snprintf(json, sizeof(json), "{\"uuid\":\"%s\",\"output\":\"%s\",\"hostname\":\"h\"}", uuid,
		 word);
	parts.tags = STR("");
	parts.uuid = str_from(uuid);
	parts.json = str_from(json);
	return alert_restore(&parts);
}

static const char *url_of(const struct receiver *receiver)
{
	static char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/services/hook-secret",
		 fake_http_port(receiver->server));
	return url;
}

static struct sink_config config_of(const struct receiver *receiver, enum sink_format format,
				    uint32_t batch_max)
{
	struct sink_config config;

	sink_config_default(&config);
	config.name = "hook";
	config.type = "http";
	config.format = format;
	config.http.url = url_of(receiver);
	config.http.batch_max = batch_max;
	config.http.batch_wait_ns = 20 * MS;
	config.http.timeout_ns = 5 * NS_PER_SEC; /* no answer on a loaded machine takes so long */
	config.retry_min_ns = 5 * MS;
	config.retry_max_ns = 40 * MS;
	return config;
}

static struct outputs *start(const struct sink_config *config)
{
	struct outputs *outputs = NULL;

	cr_assert_eq(outputs_start(&(struct outputs_config){ config, 1, 256 }, &outputs), 0);
	return outputs;
}

static struct sink_stats stats_of(struct outputs *outputs)
{
	struct sink_stats stats;

	cr_assert(outputs_sink_stats(outputs, 0, &stats));
	return stats;
}

static struct sink_stats wait_for_end(struct outputs *outputs, uint64_t cnt)
{
	uint64_t end_ns = clock_boot_ns() + 20 * NS_PER_SEC;
	struct sink_stats stats = stats_of(outputs);

	while (stats.delivered + stats.failed < cnt && clock_boot_ns() < end_ns) {
		usleep(2000);
		stats = stats_of(outputs);
	}
	return stats;
}

static void put(struct outputs *outputs, unsigned cnt, const char *const *words, size_t word_cnt)
{
	for (unsigned i = 0; i < cnt; i++)
		cr_assert(outputs_put(outputs, make_alert(i, i < word_cnt ? words[i] : "x")));
}

static void end(struct outputs *outputs)
{
	outputs_stop(outputs, clock_boot_ns());
	outputs_free(outputs);
}

/* ---- what becomes of alerts ----------------------------------------------------------------- */

struct outcome_case {
	const char *name;
	enum act acts[8];
	enum sink_format format;
	uint32_t batch_max;
	unsigned alert_cnt;
	const char *words[16];
	uint64_t delivered, failed;
	unsigned requests_min, requests_max;
};

/* clang-format off */
static const struct outcome_case outcomes[] = {
	{ "taken", { OK }, SINK_JSON, 1, 3, { 0 }, 3, 0, 3, 3 },
	{ "204", { 204 }, SINK_JSON, 1, 1, { 0 }, 1, 0, 1, 1 },
	{ "several in one", { OK }, SINK_JSON, 100, 5, { 0 }, 5, 0, 1, 2 },
	{ "500, then well", { 500, 503, OK }, SINK_JSON, 1, 2, { 0 }, 2, 0, 4, 4 },
	{ "reset", { RESET, RESET, OK }, SINK_JSON, 1, 1, { 0 }, 1, 0, 3, 3 },
	{ "broken off", { BROKEN_OFF, OK }, SINK_JSON, 1, 1, { 0 }, 1, 0, 2, 2 },
	{ "hangs", { HANG, OK }, SINK_JSON, 1, 1, { 0 }, 1, 0, 2, 2 },
	{ "10 MiB of answer", { ENDLESS, OK }, SINK_JSON, 1, 2, { 0 }, 2, 0, 2, 2 },
	{ "408 and 425", { 408, 425, OK }, SINK_JSON, 1, 1, { 0 }, 1, 0, 3, 3 },
	{ "400 for one", { BAD_IS_400 }, SINK_JSON, 1, 3, { "x", "bad", "x" }, 2, 1, 3, 3 },
	{ "410", { 410 }, SINK_JSON, 1, 2, { 0 }, 0, 2, 2, 2 },
	{ "a guilty one of 16", { BAD_IS_400 }, SINK_JSON, 16, 16,
		{ "x", "x", "x", "x", "x", "x", "x", "x", "x", "x", "x", "bad" }, 15, 1, 6, 14 },
	{ "the first and the last", { BAD_IS_400 }, SINK_JSON, 8, 8,
		{ "bad", "x", "x", "x", "x", "x", "x", "bad" }, 6, 2, 6, 20 },
	{ "all guilty", { BAD_IS_400 }, SINK_JSON, 4, 4, { "bad", "bad", "bad", "bad" }, 0, 4, 4, 14 },
	{ "422 for all", { 422 }, SINK_JSON, 4, 4, { 0 }, 0, 4, 4, 14 },
	{ "a batch that is too long", { LONG_IS_413 }, SINK_JSON, 16, 16, { 0 }, 16, 0, 4, 40 },
	{ "500 amid halving", { BAD_IS_400, 500, BAD_IS_400 }, SINK_JSON, 8, 8,
		{ "x", "x", "x", "x", "x", "bad" }, 7, 1, 5, 16 },
	{ "401, then well", { 401, 403, 404, OK }, SINK_JSON, 1, 2, { 0 }, 2, 0, 5, 5 },
	{ "407 for a batch", { 407, OK }, SINK_JSON, 4, 4, { 0 }, 4, 0, 2, 3 },
	{ "moved, then well", { MOVED, OK }, SINK_JSON, 1, 1, { 0 }, 1, 0, 2, 2 },
	{ "items of a bulk", { BULK }, SINK_ELASTICSEARCH, 8, 8,
		{ "x", "bad", "x", "busy", "there", "x", "x", "x" }, 7, 1, 2, 4 },
	{ "200 of no Elasticsearch", { OK, OK, BULK }, SINK_ELASTICSEARCH, 4, 4, { 0 }, 4, 0, 3, 4 },
	{ "Splunk", { OK }, SINK_SPLUNK_HEC, 4, 4, { 0 }, 4, 0, 1, 2 },
	{ "Splunk without its index", { INDEX_IS_400, OK }, SINK_SPLUNK_HEC, 4, 4, { 0 }, 4, 0, 2, 3 },
	{ "OTLP", { OK }, SINK_OTLP, 4, 4, { 0 }, 4, 0, 1, 2 },
	{ "OTLP, some refused", { OTLP_SOME }, SINK_OTLP, 2, 2, { 0 }, 0, 2, 1, 2 },
};
/* clang-format on */

static void check_outcome(const struct outcome_case *one)
{
	struct receiver *receiver = start_receiver(one->acts, ARRAY_LEN(one->acts));
	struct sink_config config = config_of(receiver, one->format, one->batch_max);
	struct outputs *outputs;
	struct sink_stats stats;

	if (one->acts[0] == HANG)
		config.http.timeout_ns = 500 * MS;
	outputs = start(&config);
	put(outputs, one->alert_cnt, one->words, ARRAY_LEN(one->words));
	stats = wait_for_end(outputs, one->alert_cnt);
	cr_expect_eq(stats.delivered, one->delivered, "%s: %llu delivered", one->name,
		     (unsigned long long)stats.delivered);
	cr_expect_eq(stats.failed, one->failed, "%s: %llu failed", one->name,
		     (unsigned long long)stats.failed);
	cr_expect(receiver->cnt >= one->requests_min && receiver->cnt <= one->requests_max,
		  "%s: %u requests", one->name, receiver->cnt);
	/* Said a moment after the last alert was counted. */
	for (unsigned i = 0; i < 500 && stats.health != SINK_HEALTH_OK; i++) {
		usleep(2000);
		stats = stats_of(outputs);
	}
	cr_expect_eq(stats.health, SINK_HEALTH_OK, "%s: %s", one->name, stats.health_text);
	for (unsigned k = 0; k < MIN(receiver->cnt, REQUESTS_MAX); k++)
		cr_expect_str_eq(receiver->records[k].request.path, "/services/hook-secret",
				 "%s: no redirect is followed", one->name);
	end(outputs);
	stop_receiver(receiver);
}

/* A third each: they wait, and wait at the same time. */
#define OUTCOMES(third)                                                   \
	Test(sink_http, outcomes_##third)                                 \
	{                                                                 \
		for (size_t i = (third); i < ARRAY_LEN(outcomes); i += 3) \
			check_outcome(&outcomes[i]);                      \
	}
OUTCOMES(0)
OUTCOMES(1)
OUTCOMES(2)

static void header_of(const struct record *record, const char *name, char *ret, size_t size)
{
	const char *at = strcasestr(record->request.head, name);

	*ret = '\0';
	if (at)
		snprintf(ret, size, "%.*s", (int)strcspn(at, "\r\n"), at);
}

/* A request that is tried again has its key and its alerts, whatever came meanwhile. */
Test(sink_http, same_again)
{
	struct receiver *receiver = start_receiver((enum act[]){ 500, 500, OK }, 3);
	struct sink_config config = config_of(receiver, SINK_JSON, 4);
	struct outputs *outputs = start(&config);
	char keys[3][128];

	put(outputs, 3, NULL, 0);
	for (unsigned i = 0; i < 4000 && receiver->cnt < 1; i++)
		usleep(5000);
	cr_assert(outputs_put(outputs, make_alert(77, "late")));
	cr_expect_eq(wait_for_end(outputs, 4).delivered, 4);
	for (unsigned i = 0; i < 3; i++)
		header_of(&receiver->records[i], "Idempotency-Key:", keys[i], sizeof(keys[i]));
	cr_expect_eq(strlen(keys[0]), strlen("Idempotency-Key: ") + 32, "%s", keys[0]);
	cr_expect_str_eq(keys[0], keys[1]);
	cr_expect_str_eq(keys[0], keys[2]);
	cr_expect_str_eq(receiver->records[0].request.body, receiver->records[2].request.body);
	cr_expect(!strstr(receiver->records[2].request.body, "late"));
	end(outputs);
	stop_receiver(receiver);
}

/* In their order, each once, whatever fails in between. */
Test(sink_http, order)
{
	static const enum act acts[] = { 500, OK, RESET, OK, SLOW_DOWN, 503, OK, OK };
	struct receiver *receiver = start_receiver(acts, ARRAY_LEN(acts));
	struct sink_config config = config_of(receiver, SINK_JSON, 3);
	struct outputs *outputs = start(&config);
	unsigned next = 0;

	put(outputs, 40, NULL, 0);
	cr_expect_eq(wait_for_end(outputs, 40).delivered, 40);
	for (unsigned i = 0; i < receiver->cnt; i++) {
		const char *p = receiver->records[i].request.body;

		if (i < ARRAY_LEN(acts) && acts[i] != OK)
			continue;
		while ((p = strstr(p, "-8000-8000-"))) {
			p += strlen("-8000-8000-");
			cr_expect_eq(strtoul(p, NULL, 10), next++);
		}
	}
	cr_expect_eq(next, 40);
	end(outputs);
	stop_receiver(receiver);
}

Test(sink_http, retry_after)
{
	struct receiver *receiver = start_receiver((enum act[]){ SLOW_DOWN, OK }, 2);
	struct sink_config config = config_of(receiver, SINK_JSON, 1);
	struct outputs *outputs = start(&config);

	put(outputs, 1, NULL, 0);
	cr_expect_eq(wait_for_end(outputs, 1).delivered, 1);
	cr_expect(receiver->records[1].at_ns - receiver->records[0].at_ns >= NS_PER_SEC);
	cr_expect(receiver->records[1].at_ns - receiver->records[0].at_ns < 5 * NS_PER_SEC);
	end(outputs);
	stop_receiver(receiver);
}

static struct sink_stats wait_for_health(struct outputs *outputs, enum sink_health health)
{
	struct sink_stats stats = stats_of(outputs);

	for (unsigned i = 0; i < 5000 && stats.health != health; i++) {
		usleep(2000);
		stats = stats_of(outputs);
	}
	return stats;
}

/* 401 is nobody's alert's fault: nothing is lost, and it says what is wrong. */
Test(sink_http, misconfigured)
{
	static const enum act acts[] = { 401, 403, 404, 407, MOVED };

	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		struct receiver *receiver = start_receiver(&acts[i], 1);
		struct sink_config config = config_of(receiver, SINK_JSON, 1);
		struct outputs *outputs = start(&config);
		struct sink_stats stats;

		put(outputs, 2, NULL, 0);
		stats = wait_for_health(outputs, SINK_HEALTH_MISCONFIGURED);
		cr_expect_eq(stats.health, SINK_HEALTH_MISCONFIGURED, "%d", (int)acts[i]);
		usleep(150000);
		stats = stats_of(outputs);
		cr_expect_eq(stats.failed, 0, "%d", (int)acts[i]);
		cr_expect_eq(stats.queued, 2, "%d", (int)acts[i]);
		cr_expect(strncmp(stats.health_text, "HTTP ", 5) == 0, "%s", stats.health_text);
		end(outputs);
		stop_receiver(receiver);
	}
}

/* What was in the way at the end is tried once more, though its back-off is not over. */
Test(sink_http, last_try)
{
	struct receiver *receiver = start_receiver((enum act[]){ 500, OK }, 2);
	struct sink_config config = config_of(receiver, SINK_JSON, 1);
	struct outputs *outputs;
	struct sink_stats stats;

	config.retry_min_ns = config.retry_max_ns = 3600 * NS_PER_SEC;
	outputs = start(&config);
	put(outputs, 1, NULL, 0);
	wait_for_health(outputs, SINK_HEALTH_RETRYING);
	outputs_stop(outputs, clock_boot_ns() + 5 * NS_PER_SEC);
	stats = stats_of(outputs);
	cr_expect_eq(stats.delivered, 1);
	outputs_free(outputs);
	stop_receiver(receiver);
}

/* The end does not wait for a receiver that hangs, and what it had has failed. */
Test(sink_http, end_while_hanging)
{
	struct receiver *receiver = start_receiver((enum act[]){ HANG }, 1);
	struct sink_config config = config_of(receiver, SINK_JSON, 2);
	uint64_t before_ns;
	struct outputs *outputs;
	struct sink_stats stats;

	config.http.timeout_ns = 60 * NS_PER_SEC;
	outputs = start(&config);
	put(outputs, 5, NULL, 0);
	for (unsigned i = 0; i < 4000 && receiver->cnt < 1; i++)
		usleep(5000);
	before_ns = clock_boot_ns();
	outputs_stop(outputs, before_ns + 100 * MS);
	cr_expect(clock_boot_ns() - before_ns < 10 * NS_PER_SEC);
	stats = stats_of(outputs);
	cr_expect_eq(stats.failed, 5);
	cr_expect_eq(stats.queued, 0);
	outputs_free(outputs);
	stop_receiver(receiver);
}

/* ---- requests ------------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void expect_header(const struct record *record, const char *line)
{
	char found[256], name[64];

	snprintf(name, sizeof(name), "%.*s:", (int)strcspn(line, ":"), line);
	header_of(record, name, found, sizeof(found));
	cr_expect_str_eq(found, line, "%s, not %s", found, line);
}

Test(sink_http, headers)
{
	struct receiver *receiver = start_receiver((enum act[]){ OK }, 1);
	struct sink_config config = config_of(receiver, SINK_JSON, 1);
	char path[] = "/tmp/haetae-token-XXXXXX";
	struct outputs *outputs;

	close(mkstemp(path));
	write_file(path, "first-token\n");
	config.http.bearer_file = path;
	config.http.headers[config.http.header_cnt++] = "X-Scope-OrgID: tenant 1";
	outputs = start(&config);
	put(outputs, 1, NULL, 0);
	wait_for_end(outputs, 1);
	/* Rotated; then gone, and the last one goes on. */
	write_file(path, "second-token-is-longer");
	cr_assert(outputs_put(outputs, make_alert(1, "x")));
	wait_for_end(outputs, 2);
	unlink(path);
	cr_assert(outputs_put(outputs, make_alert(2, "x")));
	wait_for_end(outputs, 3);
	expect_header(&receiver->records[0], "Content-Type: application/json");
	expect_header(&receiver->records[0], "Authorization: Bearer first-token");
	expect_header(&receiver->records[0], "X-Scope-OrgID: tenant 1");
	expect_header(&receiver->records[0],
		      "Idempotency-Key: 00000000-0000-8000-8000-000000000000");
	expect_header(&receiver->records[1], "Authorization: Bearer second-token-is-longer");
	expect_header(&receiver->records[2], "Authorization: Bearer second-token-is-longer");
	cr_expect_str_eq(receiver->records[0].request.method, "POST");
	end(outputs);
	stop_receiver(receiver);
}

/* As a receiver would check it: over the bytes that came. */
Test(sink_http, signature_and_gzip)
{
	static const char secret[] = "shared secret";
	struct receiver *receiver = start_receiver((enum act[]){ OK }, 1);
	struct sink_config config = config_of(receiver, SINK_JSON, 4);
	struct outputs *outputs;
	unsigned char digest[32];
	char header[256], text[20000], plain[4096], hex[65] = "";
	unsigned long long seconds = 0;
	const struct fake_request *request = &receiver->records[0].request;
	z_stream stream = { 0 };
	int n;

	config.http.hmac_secret = secret;
	config.http.want_gzip = true;
	outputs = start(&config);
	put(outputs, 4, NULL, 0);
	cr_assert_eq(wait_for_end(outputs, 4).delivered, 4);
	header_of(&receiver->records[0], "X-Haetae-Signature:", header, sizeof(header));
	cr_assert_eq(sscanf(header, "X-Haetae-Signature: t=%llu,v1=%64[0-9a-f]", &seconds, hex), 2,
		     "%s", header);
	cr_expect(seconds + 5 >= (unsigned long long)time(NULL) &&
		  seconds <= (unsigned long long)time(NULL) + 5);
	n = snprintf(text, sizeof(text), "%llu.", seconds);
	memcpy(text + n, request->body, request->body_n);
	HMAC(EVP_sha256(), secret, (int)strlen(secret), (unsigned char *)text,
	     (size_t)n + request->body_n, digest, NULL);
	for (unsigned i = 0; i < 32; i++)
		cr_expect_eq((unsigned)strtoul((char[]){ hex[2 * i], hex[2 * i + 1], 0 }, NULL, 16),
			     digest[i]);
	expect_header(&receiver->records[0], "Content-Encoding: gzip");
	memcpy(text, request->body, request->body_n);
	stream.next_in = (unsigned char *)text;
	stream.avail_in = (unsigned)request->body_n;
	stream.next_out = (unsigned char *)plain;
	stream.avail_out = sizeof(plain) - 1;
	cr_assert_eq(inflateInit2(&stream, 15 + 16), Z_OK);
	cr_assert_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
	plain[stream.total_out] = '\0';
	inflateEnd(&stream);
	cr_expect(strncmp(plain, "[{\"uuid\":", 9) == 0 && strstr(plain, "000003\""), "%s", plain);
	end(outputs);
	stop_receiver(receiver);
}

Test(sink_http, template)
{
	struct receiver *receiver = start_receiver((enum act[]){ OK }, 1);
	struct sink_config config = config_of(receiver, SINK_TEMPLATE, 50);
	struct outputs *outputs;

	config.http.template_body = "{\"content\":\"{{output}}\",\"id\":{{uuid}}}";
	config.http.content_type = "application/json; charset=utf-8";
	outputs = start(&config);
	put(outputs, 2, (const char *const[]){ "say \\\"hi\\\"" }, 1);
	cr_expect_eq(wait_for_end(outputs, 2).delivered, 2);
	expect_header(&receiver->records[0], "Content-Type: application/json; charset=utf-8");
	cr_expect_str_eq(receiver->records[0].request.body,
			 "{\"content\":\"say \\\"hi\\\"\","
			 "\"id\":\"00000000-0000-8000-8000-000000000000\"}");
	cr_expect_eq(receiver->cnt, 2);
	end(outputs);
	stop_receiver(receiver);
}

/* The proxy gets the request for another host; one that wants credentials is no alert's fault. */
Test(sink_http, proxy)
{
	static const char *const urls[] = { "http://192.0.2.1/hook", "https://192.0.2.1/hook" };

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct receiver *receiver = start_receiver((enum act[]){ 407, OK }, 2);
		struct sink_config config = config_of(receiver, SINK_JSON, 1);
		char proxy[64];
		struct outputs *outputs;
		struct sink_stats stats;

		snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u",
			 fake_http_port(receiver->server));
		config.http.proxy = proxy;
		config.http.url = urls[i];
		config.retry_max_ns = NS_PER_SEC;
		outputs = start(&config);
		put(outputs, 1, NULL, 0);
		stats = wait_for_health(outputs, SINK_HEALTH_MISCONFIGURED);
		cr_expect_eq(stats.health, SINK_HEALTH_MISCONFIGURED, "%s: %s", urls[i],
			     stats.health_text);
		cr_expect_str_eq(receiver->records[0].request.path,
				 i == 0 ? urls[i] : "192.0.2.1:443");
		if (i == 0)
			cr_expect_eq(wait_for_end(outputs, 1).delivered, 1);
		end(outputs);
		stop_receiver(receiver);
	}
}

/* ---- secrets -------------------------------------------------------------------------------- */

/* A receiver that says back what it got must not bring secrets into our log or state. */
Test(sink_http, secrets_stay)
{
	static const char *const secrets[] = { "hook-secret", "s3cr3t-token", "api-key-value" };
	struct receiver *receiver = start_receiver((enum act[]){ ECHO_400, 401 }, 2);
	struct sink_config config = config_of(receiver, SINK_JSON, 1);
	char path[] = "/tmp/haetae-token-XXXXXX", log_path[] = "/tmp/haetae-log-XXXXXX";
	char text[8192] = "";
	struct outputs *outputs;
	struct sink_stats stats;
	int fd = mkstemp(log_path);

	close(mkstemp(path));
	write_file(path, "s3cr3t-token\n");
	cr_assert(dup2(fd, STDERR_FILENO) >= 0);
	config.http.bearer_file = path;
	config.http.headers[config.http.header_cnt++] = "X-Api-Key: api-key-value";
	outputs = start(&config);
	put(outputs, 2, NULL, 0);
	stats = wait_for_health(outputs, SINK_HEALTH_MISCONFIGURED);
	end(outputs);
	cr_expect_eq(stats.failed, 1);
	cr_assert(pread(fd, text, sizeof(text) - 1, 0) > 0);
	cr_expect(strstr(text, "HTTP 400"), "%s", text);
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		cr_expect(!strstr(text, secrets[i]) && !strstr(stats.health_text, secrets[i]),
			  "%s: %s", secrets[i], text);
	unlink(path);
	unlink(log_path);
	close(fd);
	stop_receiver(receiver);
}

/* In the reason of one of several alerts, too. */
Test(sink_http, secrets_stay_in_items)
{
	struct receiver *receiver = start_receiver((enum act[]){ BULK_ECHO }, 1);
	struct sink_config config = config_of(receiver, SINK_ELASTICSEARCH, 1);
	char log_path[] = "/tmp/haetae-log-XXXXXX", text[8192] = "";
	int fd = mkstemp(log_path);
	struct outputs *outputs;

	cr_assert(dup2(fd, STDERR_FILENO) >= 0);
	config.http.headers[config.http.header_cnt++] = "Authorization: ApiKey s3cr3t-token";
	outputs = start(&config);
	put(outputs, 1, NULL, 0);
	cr_expect_eq(wait_for_end(outputs, 1).failed, 1);
	end(outputs);
	cr_assert(pread(fd, text, sizeof(text) - 1, 0) > 0);
	cr_expect(strstr(text, "refused for good"), "%s", text);
	cr_expect(!strstr(text, "s3cr3t-token"), "%s", text);
	unlink(log_path);
	close(fd);
	stop_receiver(receiver);
}

/* ---- mistakes of the configuration ---------------------------------------------------------- */

struct mistake {
	const char *name;
	struct sink_config config; /* beside the usual */
};

#define HTTP(...)                                            \
	{                                                    \
		.format = SINK_JSON, .http = { __VA_ARGS__ } \
	}
#define URL .url = "http://127.0.0.1:9/"

static const struct mistake mistakes[] = {
	{ "no URL", HTTP(.url = NULL) },
	{ "another scheme", HTTP(.url = "ftp://127.0.0.1/") },
	{ "a file", HTTP(.url = "file:///etc/passwd") },
	{ "no scheme", HTTP(.url = "127.0.0.1") },
	{ "no host", HTTP(.url = "http://") },
	{ "a space", HTTP(.url = "http://127.0.0.1/a b") },
	{ "a line break in the URL", HTTP(.url = "http://127.0.0.1/\r\nX: y") },
	{ "a password in the URL", HTTP(.url = "http://user:pass@127.0.0.1/") },
	{ "a placeholder in the URL", HTTP(.url = "http://127.0.0.1/{{rule}}") },
	{ "a line break in a header", HTTP(URL, .headers = { "X: a\r\nY: b" }, .header_cnt = 1) },
	{ "no header", HTTP(URL, .headers = { "nothing" }, .header_cnt = 1) },
	{ "an empty name", HTTP(URL, .headers = { ": x" }, .header_cnt = 1) },
	{ "a placeholder in a header", HTTP(URL, .headers = { "X: {{rule}}" }, .header_cnt = 1) },
	{ "our header", HTTP(URL, .headers = { "content-length: 3" }, .header_cnt = 1) },
	{ "two credentials", HTTP(URL, .headers = { "authorization: x" }, .header_cnt = 1,
				  .bearer_file = "/proc/self/comm") },
	{ "no token file", HTTP(URL, .bearer_file = "/nonexistent/token") },
	{ "an empty token", HTTP(URL, .bearer_file = "/dev/null") },
	{ "a token of several words", HTTP(URL, .bearer_file = "/proc/self/maps") },
	{ "no proxy", HTTP(URL, .proxy = "127.0.0.1:3128") },
	{ "no template", { .format = SINK_TEMPLATE, .http = { URL } } },
	{ "a bad template",
	  { .format = SINK_TEMPLATE, .http = { URL, .template_body = "{{no_such}}" } } },
	{ "no CA file", { .format = SINK_JSON, .http = { URL }, .tls = { "/nonexistent" } } },
	{ "a CA file of something else",
	  { .format = SINK_JSON, .http = { URL }, .tls = { "/proc/self/comm" } } },
	{ "a certificate without a key",
	  { .format = SINK_JSON, .http = { URL }, .tls = { NULL, "/proc/self/comm" } } },
};

Test(sink_http, mistakes)
{
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	cr_assert(dup2(null_fd, STDERR_FILENO) >= 0);
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		struct sink_config config = mistakes[i].config;
		struct outputs *outputs = NULL;

		config.name = "hook";
		config.type = "http";
		cr_expect(outputs_prepare(&(struct outputs_config){ &config, 1, 16 }, &outputs) < 0,
			  "%s is fine", mistakes[i].name);
		outputs_free(outputs);
	}
}

/* ---- others --------------------------------------------------------------------------------- */

/* A receiver that hangs delays no other sink. */
Test(sink_http, delays_nobody)
{
	struct receiver *receiver = start_receiver((enum act[]){ HANG }, 1);
	struct sink_config sinks[] = { config_of(receiver, SINK_JSON, 1),
				       { .name = "out",
					 .type = "stdout",
					 .format = SINK_JSON,
					 .min_priority = PRIORITY_DEBUG } };
	unsigned slow_cnt = 0;
	struct outputs *outputs = NULL;
	int pipe_fds[2];
	char text[4096];

	sinks[0].http.timeout_ns = 60 * NS_PER_SEC;
	cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	cr_assert(dup2(pipe_fds[1], STDOUT_FILENO) >= 0);
	cr_assert_eq(outputs_start(&(struct outputs_config){ sinks, 2, 256 }, &outputs), 0);
	for (unsigned i = 0; i < 50; i++) {
		uint64_t before_ns = clock_boot_ns();

		cr_assert(outputs_put(outputs, make_alert(i, "x")));
		cr_assert(read(pipe_fds[0], text, sizeof(text)) > 0);
		slow_cnt += clock_boot_ns() - before_ns >= 300 * MS;
	}
	cr_expect(slow_cnt < 5, "%u", slow_cnt); /* the machine may be slow, now and then */
	end(outputs);
	stop_receiver(receiver);
}
