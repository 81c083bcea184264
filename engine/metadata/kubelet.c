/*
 * The kubelet's /pods as a source of pods, for who has no API server to ask: polled, since it has
 * no watch. It takes the right nodes/proxy, with which one can also exec into every pod of the
 * node, so it is off unless it is asked for. Owns the request at hand and the token. Metadata
 * thread.
 */
#include <errno.h>
#include <stdio.h>

#include "haetae/clock.h"
#include "haetae/log.h"
#include "kubernetes.h"

#define POLL_NS (5 * NS_PER_SEC)

struct kubelet {
	struct http_call *call;
	struct json_stream stream;
	struct token token;
	struct buf url;
	char problem[192];
};

static void kubelet_close(struct source *source)
{
	struct kubelet *k = source->state;

	if (k->call)
		http_cancel(source_http(source), k->call);
	json_stream_done(&k->stream);
	token_done(&k->token);
	buf_done(&k->url);
	free(k);
	source->state = NULL;
}

static int kubelet_open(struct source *source)
{
	const struct metadata_config *config = source_config(source);
	struct kubelet *k;

	if (!config->kubelet_url)
		return -ENOENT;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	source->state = k;
	buf_init(&k->url, 4096);
	buf_printf(&k->url, "%s/pods", config->kubelet_url);
	token_init(&k->token, kubernetes_token_file(config));
	kubernetes_warn_plain(config->kubelet_url);
	log_warning("pods are asked of the kubelet, which takes the right nodes/proxy: with it one "
		    "can run commands in every pod of the node; metadata.kubernetes: api needs no "
		    "more than to list and watch pods");
	return 0;
}

static bool take_piece(enum json_piece piece, struct str text, void *data)
{
	struct source *source = data;

	if (piece == JSON_PIECE_TOO_LONG)
		source_count(source, SOURCE_REFUSED);
	else if (piece == JSON_PIECE_ITEM)
		kubernetes_take_pod(source, text);
	return true;
}

static bool on_data(struct str piece, void *data)
{
	struct source *source = data;
	struct kubelet *k = source->state;

	return json_stream_feed(&k->stream, piece);
}

static void on_done(const struct http_result *result, void *data)
{
	struct source *source = data;
	struct kubelet *k = source->state;
	uint64_t now_ns = clock_boot_ns();

	k->call = NULL;
	if (result->error || result->status < 200 || result->status > 299) {
		/* The next try is with the token as it is then. */
		k->token.checked_ns = 0;
		kubernetes_failed(source, result, "asking the kubelet for its pods");
		return;
	}
	if (!json_stream_is_whole(&k->stream)) {
		source_count(source, SOURCE_REFUSED);
		source_failed(source, 0, "asking the kubelet for its pods: the answer is no list");
		return;
	}
	source_pods_end(source);
	source_healthy(source);
	/* Not all daemons at the same moment. */
	source_wake_at(source, now_ns + POLL_NS * 3 / 4 + now_ns / 1000 % (POLL_NS / 2));
}

static void kubelet_step(struct source *source, uint64_t now_ns)
{
	const struct metadata_config *config = source_config(source);
	struct kubelet *k = source->state;
	struct http_request request = {
		.method = "GET",
		.url = k->url.p,
		.header_cnt = 2,
		.ca_file = kubernetes_ca_file(config),
		.max_body = LIST_BYTES_MAX,
		.on_data = on_data,
		.on_done = on_done,
		.data = source,
	};
	int r;

	if (k->call)
		return;
	r = token_refresh(&k->token, now_ns, false);
	if (r >= 0) {
		const char *headers[] = { k->token.header.p, "Accept: application/json" };

		if (r > 0)
			source_count(source, SOURCE_TOKEN_READS);
		request.headers = headers;
		json_stream_done(&k->stream);
		json_stream_init(&k->stream, JSON_STREAM_LIST, POD_JSON_MAX, take_piece, source);
		source_pods_begin(source);
		r = source_request(source, &request, &k->call);
	}
	if (r < 0) {
		snprintf(k->problem, sizeof(k->problem), "asking the kubelet: %s", strerror(-r));
		source_failed(source, 0, k->problem);
	}
}

const struct source_kind source_kubelet = {
	.name = "kubelet",
	.group = METADATA_KUBERNETES,
	.open = kubelet_open,
	.step = kubelet_step,
	.close = kubelet_close,
};
