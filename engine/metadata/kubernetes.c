/*
 * The Kubernetes API as a source of pods: lists those of this node, then watches, and goes on where
 * it was after whatever cuts the watch (the protocol of client-go's reflector: resourceVersion,
 * bookmarks, 410). Owns the request at hand, the place in the list, and the token. Metadata thread.
 */
#include "kubernetes.h"

#include <errno.h>
#include <stdio.h>

#include "haetae/clock.h"
#include "pod_json.h"

#define PAGE_PODS 500
/* 200,000 pods; a cluster has 150,000 at most (Kubernetes, "Considerations for large clusters"): a
 * list that still goes on is none. */
#define PAGES_MAX 400
/* A watch that the server ends sooner was none: no reason to hurry. */
#define SHORT_WATCH_NS NS_PER_SEC
/* How long the server is asked to keep a watch; each daemon another time, so that they do not all
 * come back at once. */
#define WATCH_SECONDS_MIN 300
#define WATCH_SECONDS_MAX 600

enum phase {
	PHASE_LIST,
	PHASE_WATCH
};

struct kubernetes {
	enum phase phase;
	struct http_call *call; /* borrowed from the client; NULL: none under way */
	struct json_stream stream;
	struct token token;
	struct buf url;
	char *base;			  /* owned: "https://host:port" */
	char *node;			  /* owned: ""; all nodes */
	char version[64];		  /* resourceVersion to go on from */
	struct list_metadata list;	  /* of the page at hand */
	bool has_metadata, is_consistent; /* is_consistent: a list from etcd, not from a cache */
	bool is_expired, is_listed;
	bool has_retried_token;
	uint32_t page_cnt; /* of the list at hand */
	uint64_t begin_ns; /* of the request at hand */
	char problem[192]; /* what a watch said last */
};

/* ---- configuration -------------------------------------------------------------------------- */

/* "https://host:port"; an IPv6 address in brackets. NULL where there is none. */
static char *find_base(const struct metadata_config *config)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	char *text = NULL;
	size_t n;

	if (config->api_url) {
		text = strdup(config->api_url);
		n = text ? strlen(text) : 0;
		while (n && text[n - 1] == '/')
			text[--n] = '\0';
		return text;
	}
	if (!host || !*host)
		return NULL;
	if (asprintf(&text, strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host,
		     port && *port ? port : "443") < 0)
		return NULL;
	return text;
}

/* The kubelet takes the host's name in lower case where it was not told another. */
static char *find_node(const struct metadata_config *config)
{
	const char *name = config->node_name ? config->node_name : getenv("NODE_NAME");
	char host[256] = "";

	if (config->want_all_pods)
		return strdup("");
	if (name && *name)
		return strdup(name);
	if (gethostname(host, sizeof(host) - 1) < 0)
		return strdup("");
	for (char *p = host; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return strdup(host);
}

static bool take_piece(enum json_piece piece, struct str text, void *data);

static void kubernetes_close(struct source *source)
{
	struct kubernetes *k = source->state;

	if (k->call)
		http_cancel(source_http(source), k->call);
	json_stream_done(&k->stream);
	token_done(&k->token);
	buf_done(&k->url);
	free(k->base);
	free(k->node);
	free(k);
	source->state = NULL;
}

static int kubernetes_open(struct source *source)
{
	const struct metadata_config *config = source_config(source);
	struct kubernetes *k;

	if (config->kubernetes == KUBERNETES_AUTO &&
	    (!getenv("KUBERNETES_SERVICE_HOST") || access(kubernetes_token_file(config), R_OK) < 0))
		return -ENOENT;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	source->state = k;
	buf_init(&k->url, 16384);
	token_init(&k->token, kubernetes_token_file(config));
	k->base = find_base(config);
	kubernetes_warn_plain(k->base);
	k->node = find_node(config);
	if (k->base && k->node)
		return 0;
	kubernetes_close(source);
	return config->api_url ? -ENOMEM : -ENOENT;
}

/* ---- requests ------------------------------------------------------------------------------- */

static void put_selector(const struct kubernetes *k, struct buf *url)
{
	if (!*k->node)
		return;
	buf_puts(url, "&fieldSelector=spec.nodeName%3D");
	kubernetes_put_escaped(url, str_from(k->node));
}

static void make_list_url(struct kubernetes *k)
{
	buf_clear(&k->url);
	buf_printf(&k->url, "%s/api/v1/pods?limit=%d", k->base, PAGE_PODS);
	put_selector(k, &k->url);
	if (k->list.continue_token[0]) {
		buf_puts(&k->url, "&continue=");
		kubernetes_put_escaped(&k->url, str_from(k->list.continue_token));
	} else if (!k->is_consistent) {
		/* Any version that the server has at hand: no read of etcd for each node. */
		buf_puts(&k->url, "&resourceVersion=0");
	}
}

static void make_watch_url(struct kubernetes *k, uint64_t now_ns)
{
	unsigned seconds = WATCH_SECONDS_MIN +
			   (unsigned)(now_ns / 1000 % (WATCH_SECONDS_MAX - WATCH_SECONDS_MIN));

	buf_clear(&k->url);
	buf_printf(&k->url,
		   "%s/api/v1/pods?watch=1&allowWatchBookmarks=true&timeoutSeconds=%u"
		   "&resourceVersion=",
		   k->base, seconds);
	kubernetes_put_escaped(&k->url, str_from(k->version));
	put_selector(k, &k->url);
}

static bool on_data(struct str piece, void *data)
{
	struct source *source = data;
	struct kubernetes *k = source->state;

	return json_stream_feed(&k->stream, piece);
}

static void on_done(const struct http_result *result, void *data);

static void begin_request(struct source *source, uint64_t now_ns)
{
	const struct metadata_config *config = source_config(source);
	struct kubernetes *k = source->state;
	bool is_watch = k->phase == PHASE_WATCH;
	const char *headers[] = { k->token.header.p, "Accept: application/json",
				  "User-Agent: haetae/" HAETAE_VERSION };
	struct http_request request = {
		.method = "GET",
		.headers = headers,
		.header_cnt = ARRAY_LEN(headers),
		.ca_file = kubernetes_ca_file(config),
		.timeout_ns = is_watch ? UINT64_MAX : 0,
		.idle_timeout_ns = config->watch_idle_ns,
		.max_body = is_watch ? SIZE_MAX : LIST_BYTES_MAX,
		.on_data = on_data,
		.on_done = on_done,
		.data = source,
	};
	int r;

	if (is_watch)
		make_watch_url(k, now_ns);
	else
		make_list_url(k);
	request.url = k->url.p;
	json_stream_done(&k->stream);
	json_stream_init(&k->stream, is_watch ? JSON_STREAM_VALUES : JSON_STREAM_LIST, POD_JSON_MAX,
			 take_piece, source);
	k->has_metadata = k->is_expired = false;
	k->problem[0] = '\0';
	k->begin_ns = now_ns;
	r = k->url.failed ? -ENAMETOOLONG : source_request(source, &request, &k->call);
	if (r < 0) {
		snprintf(k->problem, sizeof(k->problem), "asking %s: %s", k->base, strerror(-r));
		source_failed(source, config->backoff_max_ns, k->problem);
	}
}

static void kubernetes_step(struct source *source, uint64_t now_ns)
{
	struct kubernetes *k = source->state;
	int r;

	if (k->call) {
		/* A watch in which nothing happens says nothing; that it has begun does. */
		if (k->phase == PHASE_WATCH && http_call_status(k->call) == 200)
			source_healthy(source);
		else if (k->phase == PHASE_WATCH)
			source_wake_at(source, now_ns + SHORT_WATCH_NS);
		return;
	}
	r = token_refresh(&k->token, now_ns, false);
	if (r < 0) {
		snprintf(k->problem, sizeof(k->problem), "reading the token in %s: %s",
			 k->token.path, strerror(-r));
		source_failed(source, 0, k->problem);
		return;
	}
	if (r > 0)
		source_count(source, SOURCE_TOKEN_READS);
	if (k->phase == PHASE_LIST && !k->list.continue_token[0]) {
		source_pods_begin(source);
		k->page_cnt = 0;
	}
	k->page_cnt++;
	begin_request(source, now_ns);
	if (k->call && k->phase == PHASE_WATCH)
		source_wake_at(source, now_ns + SHORT_WATCH_NS);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void keep_version(struct kubernetes *k, const char *version)
{
	if (*version)
		snprintf(k->version, sizeof(k->version), "%s", version);
}

/* False: the watch is over. */
static bool take_event(struct source *source, struct str text)
{
	struct kubernetes *k = source->state;
	struct watch_event event;

	watch_event_parse(text, &event);
	switch (event.type) {
	case WATCH_PUT:
		source_pod(source, event.pod);
		break;
	case WATCH_GONE:
		source_pod_gone(source, event.pod->uid);
		pod_info_unref(event.pod);
		break;
	case WATCH_BOOKMARK:
		break;
	case WATCH_EXPIRED:
		k->is_expired = true;
		return false;
	case WATCH_ERROR:
		snprintf(k->problem, sizeof(k->problem), "watching pods: error %d: %s", event.code,
			 event.message);
		return false;
	case WATCH_REFUSED:
		source_count(source, SOURCE_REFUSED);
		return true;
	}
	keep_version(k, event.resource_version);
	return true;
}

static bool take_piece(enum json_piece piece, struct str text, void *data)
{
	struct source *source = data;
	struct kubernetes *k = source->state;

	if (piece == JSON_PIECE_TOO_LONG)
		source_count(source, SOURCE_REFUSED);
	else if (k->phase == PHASE_WATCH)
		return take_event(source, text);
	else if (piece == JSON_PIECE_ITEM)
		kubernetes_take_pod(source, text);
	else
		k->has_metadata = list_metadata_parse(text, &k->list);
	return true;
}

/* From the first page on; the next at once, but not over and over. */
static void list_anew(struct source *source)
{
	struct kubernetes *k = source->state;
	uint64_t now_ns = clock_boot_ns();

	source_count(source, SOURCE_RELISTS);
	k->phase = PHASE_LIST;
	k->list.continue_token[0] = '\0';
	/* What the cache has may be what has just expired. */
	k->is_consistent = true;
	source_wake_at(source,
		       now_ns < k->begin_ns + SHORT_WATCH_NS ? now_ns + SHORT_WATCH_NS : now_ns);
}

static void end_page(struct source *source)
{
	struct kubernetes *k = source->state;

	if (!k->has_metadata || !json_stream_is_whole(&k->stream)) {
		source_count(source, SOURCE_REFUSED);
		k->list.continue_token[0] = '\0';
		source_failed(source, 0, "listing pods: the answer is no list, or not a whole one");
		return;
	}
	if (k->list.continue_token[0] && k->page_cnt >= PAGES_MAX) {
		source_count(source, SOURCE_REFUSED);
		k->list.continue_token[0] = '\0';
		source_failed(source, source_config(source)->backoff_max_ns,
			      "listing pods: the list has no end");
		return;
	}
	source_wake_at(source, clock_boot_ns());
	if (k->list.continue_token[0])
		return;
	keep_version(k, k->list.resource_version);
	source_pods_end(source);
	source_healthy(source);
	k->phase = PHASE_WATCH;
	k->is_consistent = false;
}

/* The server's end of a watch is as usual as its beginning. */
static void end_watch(struct source *source, const struct http_result *result)
{
	struct kubernetes *k = source->state;
	uint64_t now_ns = clock_boot_ns();
	bool was_long = now_ns >= k->begin_ns + SHORT_WATCH_NS;

	source_count(source, SOURCE_WATCH_RESTARTS);
	if (k->problem[0]) {
		source_failed(source, 0, k->problem);
	} else if (was_long) {
		source_wake_at(source, now_ns);
	} else if (result->error) {
		kubernetes_failed(source, result, "watching pods");
	} else {
		source_wake_at(source, now_ns + SHORT_WATCH_NS);
	}
}

/* The token may have been changed since it was read; one try with the new one. */
static bool has_new_token(struct source *source)
{
	struct kubernetes *k = source->state;

	if (k->has_retried_token || token_refresh(&k->token, clock_boot_ns(), true) <= 0)
		return false;
	source_count(source, SOURCE_TOKEN_READS);
	k->has_retried_token = true;
	return true;
}

static bool is_answer(const struct http_result *result)
{
	return result->status >= 200 && result->status <= 299;
}

static void on_done(const struct http_result *result, void *data)
{
	struct source *source = data;
	struct kubernetes *k = source->state;
	bool is_list = k->phase == PHASE_LIST;

	k->call = NULL;
	if (is_answer(result))
		k->has_retried_token = false;
	if (k->is_expired || result->status == 410) {
		list_anew(source);
	} else if (result->status == 401 && has_new_token(source)) {
		source_wake_at(source, clock_boot_ns());
	} else if (!is_answer(result) || (is_list && result->error)) {
		/* A list that broke off begins anew: its pages belong together. */
		if (is_list)
			k->list.continue_token[0] = '\0';
		kubernetes_failed(source, result, is_list ? "listing pods" : "watching pods");
	} else if (is_list) {
		end_page(source);
	} else {
		end_watch(source, result);
	}
}

const struct source_kind source_kubernetes = {
	.name = "kubernetes",
	.group = METADATA_KUBERNETES,
	.open = kubernetes_open,
	.step = kubernetes_step,
	.close = kubernetes_close,
};
