/*
 * The HTTP sink: one request after the other, so that a receiver gets alerts in their order; what
 * an answer means is retry.h's. Owns the batch under way, its body and its call. Outputs thread.
 *
 * What was given back comes first again, and a request that is tried again holds the same alerts,
 * so that its idempotency key is the same. Where a receiver refuses a batch, one of its alerts is
 * guilty: smaller and smaller requests find it.
 */
#include <errno.h>
#include <stdio.h>

#include "haetae/clock.h"
#include "haetae/http.h"
#include "haetae/log.h"
#include "haetae/text.h"

#include "answer.h"
#include "encode.h"
#include "gzip.h"
#include "http_headers.h"
#include "sink_private.h"
#include "template_body.h"
#include "tls_files.h"

/* Of the alerts in a request; the one that passes it is the last. nginx takes 1 MiB unless told
 * otherwise, and formats add to it. */
#define BATCH_BYTES (512u << 10)
#define BODY_MAX    (32u << 20) /* beyond it a batch is halved, an alert given up */
/* A buffer that a burst made larger than this is given back. */
#define BODY_KEPT (1u << 20)
/* Of an answer: where only its status counts, and where it tells of each alert. */
#define ANSWER_MAX	 (64u << 10)
#define ANSWER_ITEMS_MAX (16u << 20)
#define REASON_MAX	 160
#define CONNECT_MAX_NS	 (5 * NS_PER_SEC)

struct http_sink {
	struct encoder encoder;
	struct template_body *template_body; /* owned */
	struct http_headers headers;
	/* Owned, batch_max of each. */
	struct delivery **batch;
	struct encode_alert *alerts;
	struct answer_item *items; /* NULL where the format's answers have none */
	uint32_t batch_max, cnt;
	uint64_t bytes, since_ns; /* of the batch */
	uint32_t guilty_cnt;	  /* one of so many next alerts is what a receiver refuses */
	uint32_t again_cnt;	  /* so many are one request that is tried again */
	struct http_call *call;	  /* under way */
	uint64_t retry_ns;	  /* nothing is sent before */
	bool is_told_to_wait;	  /* by Retry-After */
	bool had_last_try;	  /* the sink is stopping */
	bool has_refused;	  /* and that was logged */
	struct buf body, packed;
};

/* ---- the batch ------------------------------------------------------------------------------ */

static uint32_t batch_limit(const struct http_sink *http)
{
	if (http->again_cnt)
		return http->again_cnt;
	return http->guilty_cnt ? (http->guilty_cnt + 1) / 2 : http->batch_max;
}

static void clear_batch(struct http_sink *http)
{
	for (uint32_t i = 0; i < http->cnt; i++)
		encode_alert_done(&http->alerts[i]);
	http->cnt = 0;
	http->bytes = 0;
}

static void collect(struct sink *sink, uint64_t now_ns)
{
	struct http_sink *http = sink->state;
	struct delivery *delivery;

	while (http->cnt < batch_limit(http) && http->bytes < BATCH_BYTES &&
	       (delivery = sink_take(sink))) {
		int r = encode_alert_read(delivery->alert, &http->alerts[http->cnt]);

		if (r < 0) {
			sink_give_back(sink, delivery);
			return;
		}
		if (r == ENCODE_E_INVALID) {
			sink_fail(sink, delivery, "the alert is no JSON object");
			http->guilty_cnt -= http->guilty_cnt > 0;
			continue;
		}
		if (http->cnt == 0)
			http->since_ns = now_ns;
		http->bytes += delivery->alert->json.n;
		http->batch[http->cnt++] = delivery;
	}
}

static bool is_ready(const struct sink *sink, uint64_t now_ns)
{
	const struct http_sink *http = sink->state;

	return http->cnt >= batch_limit(http) || http->bytes >= BATCH_BYTES || http->again_cnt ||
	       http->guilty_cnt || sink->is_stopping ||
	       now_ns - http->since_ns >= sink->config.http.batch_wait_ns;
}

/* ---- what becomes of it --------------------------------------------------------------------- */

/* So many have left: acquitted, or found guilty. */
static void settle(struct http_sink *http, uint32_t cnt)
{
	http->guilty_cnt -= MIN(cnt, http->guilty_cnt);
	http->again_cnt = 0;
}

static void give_back_all(struct sink *sink)
{
	struct http_sink *http = sink->state;

	http->again_cnt = http->cnt;
	for (uint32_t i = http->cnt; i-- > 0;)
		sink_give_back(sink, http->batch[i]);
	clear_batch(http);
}

static void wait_for_retry(struct sink *sink, enum retry_verdict verdict, uint64_t retry_after_ns)
{
	struct http_sink *http = sink->state;
	uint64_t at_least_ns =
		retry_at_least_ns(verdict, retry_after_ns, sink->config.retry_max_ns);

	http->is_told_to_wait = retry_after_ns > 0;
	http->retry_ns = sink_back_off(sink, clock_boot_ns(), at_least_ns);
}

static void acknowledge_all(struct sink *sink)
{
	struct http_sink *http = sink->state;
	uint32_t cnt = http->cnt;

	for (uint32_t i = 0; i < cnt; i++)
		sink_acknowledge(sink, http->batch[i]);
	clear_batch(http);
	settle(http, cnt);
	http->has_refused = false;
	sink_ok(sink);
}

/* Each is a dead letter with its reason; that there are some is logged once. */
static void warn_refused(struct sink *sink, const char *reason)
{
	struct http_sink *http = sink->state;

	if (!http->has_refused)
		log_warning("sink %s: alerts are refused for good: %s", sink->config.name, reason);
	http->has_refused = true;
}

static void fail_all(struct sink *sink, const char *reason)
{
	struct http_sink *http = sink->state;
	uint32_t cnt = http->cnt;

	for (uint32_t i = 0; i < cnt; i++)
		sink_fail(sink, http->batch[i], reason);
	clear_batch(http);
	settle(http, cnt);
	warn_refused(sink, reason);
	sink_ok(sink);
}

static void split(struct sink *sink)
{
	struct http_sink *http = sink->state;
	uint32_t cnt = http->cnt;

	give_back_all(sink);
	http->again_cnt = 0;
	http->guilty_cnt = cnt;
}

static void deal(struct sink *sink, enum retry_verdict verdict, uint64_t retry_after_ns,
		 const char *reason)
{
	switch (verdict) {
	case RETRY_ACKNOWLEDGE:
		acknowledge_all(sink);
		break;
	case RETRY_SPLIT:
		split(sink);
		break;
	case RETRY_DEAD:
		fail_all(sink, reason);
		break;
	case RETRY_AGAIN:
	case RETRY_MISCONFIGURED:
		give_back_all(sink);
		sink_troubled(sink,
			      verdict == RETRY_AGAIN ? SINK_HEALTH_RETRYING
						     : SINK_HEALTH_MISCONFIGURED,
			      "%s", reason);
		wait_for_retry(sink, verdict, retry_after_ns);
	}
}

/* Some taken, some not. Backwards, because what is given back goes to the front. */
static void deal_items(struct sink *sink, uint64_t retry_after_ns)
{
	struct http_sink *http = sink->state;
	uint32_t left = 0, cnt = http->cnt;
	enum retry_verdict worst = RETRY_ACKNOWLEDGE;
	const char *reason = "";

	for (uint32_t i = cnt; i-- > 0;) {
		const struct answer_item *item = &http->items[i];

		if (item->verdict == RETRY_ACKNOWLEDGE) {
			sink_acknowledge(sink, http->batch[i]);
		} else if (item->verdict == RETRY_DEAD) {
			warn_refused(sink, item->reason);
			sink_fail(sink, http->batch[i], item->reason);
		} else {
			sink_give_back(sink, http->batch[i]);
			worst = MAX(worst, item->verdict);
			reason = item->reason;
			left++;
		}
	}
	clear_batch(http);
	settle(http, cnt - left);
	http->again_cnt = left;
	if (!left) {
		sink_ok(sink);
		return;
	}
	sink_troubled(sink,
		      worst == RETRY_MISCONFIGURED ? SINK_HEALTH_MISCONFIGURED
						   : SINK_HEALTH_RETRYING,
		      "%u of %u alerts: %s", (unsigned)left, (unsigned)cnt, reason);
	wait_for_retry(sink, worst, retry_after_ns);
}

/* "HTTP 400: {"error":…", with what the receiver says unless it repeats a secret. */
static void make_reason(const struct http_sink *http, const struct http_result *result,
			char ret[REASON_MAX])
{
	struct str body = { result->body.p, MIN(result->body.n, 1024u) };
	struct buf line;

	if (!result->status || (result->error && result->error != HTTP_E_TOO_LONG)) {
		snprintf(ret, REASON_MAX, "%s", result->message);
		return;
	}
	buf_init(&line, 16384);
	if (body.n && !http_headers_is_told_in(&http->headers, result->body))
		text_put_line(&line, body);
	snprintf(ret, REASON_MAX, "HTTP %d%s%.*s", result->status, line.n ? ": " : "",
		 (int)MIN(line.n, 128u), line.n ? line.p : "");
	buf_done(&line);
}

static bool read_items(struct http_sink *http, enum sink_format format, struct str body)
{
	bool is_read = format == SINK_ELASTICSEARCH
			       ? answer_read_bulk(body, http->cnt, http->items)
			       : answer_read_otlp(body, http->cnt, http->items);

	if (is_read)
		for (uint32_t i = 0; i < http->cnt; i++)
			if (http_headers_is_told_in(&http->headers,
						    str_from(http->items[i].reason)))
				snprintf(http->items[i].reason, sizeof(http->items[i].reason),
					 "refused; why is not shown, a secret of ours is in it");
	return is_read;
}

static void on_done(const struct http_result *result, void *data)
{
	struct sink *sink = data;
	struct http_sink *http = sink->state;
	enum retry_verdict verdict = retry_judge(result, http->cnt);
	char reason[REASON_MAX];

	http->call = NULL;
	make_reason(http, result, reason);
	if (sink->config.format == SINK_SPLUNK_HEC && result->status == 400 &&
	    answer_is_hec_setting(result->body))
		verdict = RETRY_MISCONFIGURED;
	if (verdict != RETRY_ACKNOWLEDGE || !http->items)
		deal(sink, verdict, result->retry_after_ns, reason);
	else if (read_items(http, sink->config.format, result->body))
		deal_items(sink, result->retry_after_ns);
	else
		deal(sink, RETRY_MISCONFIGURED, result->retry_after_ns,
		     "the answer is not what such a receiver says: is the address right?");
}

/* ---- sending -------------------------------------------------------------------------------- */

static void reset(struct buf *buf)
{
	if (buf->cap > BODY_KEPT)
		buf_done(buf);
	buf_clear(buf);
}

static int start(struct sink *sink, struct str body)
{
	const struct sink_config *config = &sink->config;
	struct http_sink *http = sink->state;
	const struct http_headers_request above = {
		.content_type = config->format == SINK_TEMPLATE
					? config->http.content_type
					: encode_content_type(&http->encoder),
		.body = body,
		.is_gzip = config->http.want_gzip,
		.batch = http->batch,
		.cnt = http->cnt,
		.wall_s = (clock_boot_ns() + (uint64_t)clock_wall_offset_ns()) / NS_PER_SEC,
	};
	struct http_request request = {
		.method = "POST",
		.url = config->http.url,
		.body = body,
		.ca_file = config->tls.ca_file,
		.cert_file = config->tls.cert_file,
		.key_file = config->tls.key_file,
		.proxy = config->http.proxy,
		.connect_timeout_ns = MIN(config->http.timeout_ns, CONNECT_MAX_NS),
		.timeout_ns = config->http.timeout_ns,
		.max_body = http->items ? ANSWER_ITEMS_MAX : ANSWER_MAX,
		.on_done = on_done,
		.data = sink,
	};

	if (!http_headers_make(&http->headers, &above))
		return -ENOMEM;
	request.headers = http->headers.list;
	request.header_cnt = http->headers.cnt;
	return http_start(sink->http, &request, &http->call);
}

static void send_batch(struct sink *sink)
{
	struct http_sink *http = sink->state;
	int r = 0;

	reset(&http->body);
	reset(&http->packed);
	encode_body(&http->encoder, http->alerts, http->cnt, &http->body);
	if (http->body.failed) {
		deal(sink, http->cnt > 1 ? RETRY_SPLIT : RETRY_DEAD, 0,
		     "too long in this format, or no memory for it");
		return;
	}
	if (sink->config.http.want_gzip)
		r = gzip_put(buf_str(&http->body), &http->packed);
	if (r == 0)
		r = start(sink, buf_str(sink->config.http.want_gzip ? &http->packed : &http->body));
	if (r < 0)
		deal(sink, r == -EINVAL ? RETRY_MISCONFIGURED : RETRY_AGAIN, 0,
		     r == -EINVAL ? "its URL or a header is invalid" : strerror(-r));
}

static void http_sink_step(struct sink *sink, uint64_t now_ns)
{
	struct http_sink *http = sink->state;

	sink->wake_ns = UINT64_MAX;
	if (http->call)
		return;
	/* At the end once more, without the rest of a back-off. */
	if (sink->is_stopping && !http->had_last_try) {
		http->had_last_try = true;
		if (!http->is_told_to_wait)
			http->retry_ns = 0;
	}
	if (now_ns < http->retry_ns) {
		sink->wake_ns = http->retry_ns;
		return;
	}
	collect(sink, now_ns);
	if (http->cnt == 0)
		return;
	if (is_ready(sink, now_ns))
		send_batch(sink);
	else
		sink->wake_ns = http->since_ns + sink->config.http.batch_wait_ns;
	/* What was split or could not start goes on at once, or when its wait is over. */
	if (!http->call && http->cnt == 0)
		sink->wake_ns = MAX(http->retry_ns, now_ns);
}

/* ---- start and end -------------------------------------------------------------------------- */

static int compile_template(struct sink *sink, struct http_sink *http)
{
	const struct sink_config *config = &sink->config;
	struct template_error error;
	int r;

	if (!config->http.template_body) {
		log_error("sink %s: format template without a template", config->name);
		return -EINVAL;
	}
	r = template_body_compile(str_from(config->http.template_body),
				  template_body_is_json(config->http.content_type),
				  &http->template_body, &error);
	if (r == TEMPLATE_BODY_E_INVALID) {
		log_error("sink %s: template:%u:%u: %s", config->name, (unsigned)error.line,
			  (unsigned)error.column, error.message);
		return -EINVAL;
	}
	http->encoder.template_body = http->template_body;
	return r;
}

static int allocate(struct http_sink *http, bool has_items)
{
	http->batch = calloc(http->batch_max, sizeof(*http->batch));
	http->alerts = calloc(http->batch_max, sizeof(*http->alerts));
	if (has_items)
		http->items = calloc(http->batch_max, sizeof(*http->items));
	buf_init(&http->body, BODY_MAX);
	buf_init(&http->packed, BODY_MAX);
	return http->batch && http->alerts && (http->items || !has_items) ? 0 : -ENOMEM;
}

/* What libcurl takes (CURLOPT_PROXY); without a scheme it would guess. */
static bool is_proxy(const char *url)
{
	static const char *const schemes[] = { "http://",    "https://",  "socks4://",
					       "socks4a://", "socks5://", "socks5h://" };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
			return url[strlen(schemes[i])] && !strpbrk(url, " \t\r\n");
	return false;
}

/* A request that is never sent: URL, headers and options are looked at as later. */
static int try_request(struct sink *sink)
{
	struct http_sink *http = sink->state;
	const struct alert alert = { .uuid = "x" };
	struct delivery delivery = { .alert = &alert };
	int r;

	if (strstr(sink->config.http.url, "{{")) {
		log_error("sink %s: url: placeholders stand in bodies only", sink->config.name);
		return -EINVAL;
	}
	if (sink->config.http.proxy && !is_proxy(sink->config.http.proxy)) {
		log_error("sink %s: proxy is not http://HOST:PORT or the like", sink->config.name);
		return -EINVAL;
	}
	http->batch[0] = &delivery;
	http->cnt = 1;
	r = start(sink, STR("{}"));
	http->cnt = 0;
	http->batch[0] = NULL;
	if (r == 0)
		http_cancel(sink->http, http->call);
	http->call = NULL;
	/* Neither is shown: both may hold a secret. */
	if (r == -EINVAL)
		log_error("sink %s: url is not http: or https: and a host, or a header is not "
			  "'Name: value'",
			  sink->config.name);
	return r;
}

static void warn_plain(const struct sink_config *config)
{
	const char *url = config->http.url;

	if (strncasecmp(url, "http://", 7) == 0 && config->http.bearer_file &&
	    strncmp(url + 7, "127.", 4) != 0 && strncmp(url + 7, "localhost", 9) != 0 &&
	    strncmp(url + 7, "[::1]", 5) != 0)
		log_warning("sink %s: the bearer token is sent without TLS", config->name);
}

/* What a caller left at 0; without an end a receiver that hangs would hold its sink for ever. */
static void set_defaults(struct sink_config *config)
{
	struct sink_config defaults;

	sink_config_default(&defaults);
	if (!config->http.timeout_ns)
		config->http.timeout_ns = defaults.http.timeout_ns;
	if (!config->http.content_type)
		config->http.content_type = defaults.http.content_type;
}

static int http_sink_open(struct sink *sink)
{
	const struct sink_config *config = &sink->config;
	const struct encode_format *format = encode_format(config->format);
	uint32_t wanted = config->http.batch_max ? config->http.batch_max : format->batch_default;
	struct http_sink *http = calloc(1, sizeof(*http));
	char error[256] = "";
	int r;

	sink->state = http;
	if (!http)
		return -ENOMEM;
	set_defaults(&sink->config);
	if (!config->http.url) {
		log_error("sink %s: no url", config->name);
		return -EINVAL;
	}
	http->batch_max = MIN(wanted, format->batch_max);
	http->encoder = (struct encoder){ .format = format,
					  .is_array = format->has_array && http->batch_max > 1 };
	r = allocate(http, config->format == SINK_ELASTICSEARCH || config->format == SINK_OTLP);
	if (r == 0)
		r = tls_files_check(config, error, sizeof(error));
	if (r == 0)
		r = http_headers_init(&http->headers, config, error, sizeof(error));
	if (error[0])
		log_error("sink %s: %s", config->name, error);
	if (r == 0 && config->format == SINK_TEMPLATE)
		r = compile_template(sink, http);
	if (r == 0)
		r = try_request(sink);
	if (r == 0)
		warn_plain(config);
	return r;
}

static void http_sink_close(struct sink *sink)
{
	struct http_sink *http = sink->state;

	if (!http)
		return;
	if (http->call)
		http_cancel(sink->http, http->call);
	clear_batch(http);
	http_headers_done(&http->headers);
	template_body_free(http->template_body);
	buf_done(&http->body);
	buf_done(&http->packed);
	free(http->batch);
	free(http->alerts);
	free(http->items);
	free(http);
	sink->state = NULL;
}

const struct sink_kind sink_http = {
	.type = "http",
	.wants_http = true,
	.open = http_sink_open,
	.step = http_sink_step,
	.close = http_sink_close,
};
