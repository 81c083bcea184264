/*
 * Outputs: a thread that takes alerts from a bounded queue and gives them to sinks. Detection never
 * waits for it: a full queue refuses, and the refusal is counted by priority. No sink waits for
 * another: each has a queue of its own, in memory or in the spool.
 */
#ifndef HAETAE_SINK_H
#define HAETAE_SINK_H

#include "haetae/alert.h"

/* clang-format off */
enum sink_format {
	SINK_TEXT, SINK_JSON, /* lines */
	SINK_CLOUDEVENTS, SINK_ALERTMANAGER, SINK_SLACK, SINK_OTLP, SINK_ELASTICSEARCH, SINK_LOKI,
	SINK_SPLUNK_HEC, SINK_TEMPLATE, /* bodies of HTTP requests; SINK_JSON is Falco's there */
	SINK_FORMAT__COUNT
};
/* clang-format on */

#define SINKS_MAX	   16
#define SINK_FILTERS_MAX   32
#define SINK_HEADERS_MAX   32
#define SINK_ARGUMENTS_MAX 32

/* One sink of the configuration. NULL and 0 mean "not given" unless a default is named. */
struct sink_config {
	const char
		*name; /* [A-Za-z0-9_.-]+, its own in the configuration; names its spool cursor */
	const char *type; /* "stdout", "file", "syslog", "http", "program" */
	enum sink_format format;
	bool want_color;
	enum priority min_priority;
	/* An alert passes where it has one of the tags (none given: any) and its rule's name
	 * matches one of the patterns with * (none given: any). */
	const char *tags[SINK_FILTERS_MAX], *rules[SINK_FILTERS_MAX];
	uint32_t tag_cnt, rule_cnt;
	bool want_self_test;   /* alerts of SELF_TEST_RULE, which other sinks never get */
	bool is_durable;       /* through the spool */
	uint32_t queue_length; /* alerts waiting in memory, where not durable; default 8192 */
	struct {
		const char *path;
		uint64_t max_bytes, max_age_ns; /* a new file begins; 0: no such limit */
		uint32_t max_files;		/* older ones kept; default 5 */
	} file;
	struct {
		const char *address;  /* "unix:/dev/log" (default), "udp://HOST:PORT", "tcp://…",
					 "tls://…" */
		const char *facility; /* "daemon" (default), "local0", … */
	} syslog;
	struct {
		const char *url;
		const char *headers[SINK_HEADERS_MAX]; /* "Name: value" */
		uint32_t header_cnt;
		const char *bearer_file; /* read anew when it changes */
		const char *hmac_secret; /* X-Haetae-Signature (decision 33) */
		const char *proxy;
		const char *template_body; /* SINK_TEMPLATE */
		const char *content_type;  /* of the template; default application/json */
		bool want_gzip;
		uint32_t batch_max;	/* alerts a request; 0: the format's own, 1 to 100 */
		uint64_t batch_wait_ns; /* default 200 ms */
		uint64_t timeout_ns;	/* of a request; default 10 s */
	} http;
	struct {
		const char *ca_file, *cert_file, *key_file;
	} tls; /* http and syslog */
	struct {
		const char *arguments[SINK_ARGUMENTS_MAX + 1]; /* ended by NULL; no shell */
		uint32_t argument_cnt;
		const char *user; /* default nobody (decision 39) */
	} program;
	/* Back-off of a receiver that fails: full jitter between 0 and a bound that doubles. */
	uint64_t retry_min_ns, retry_max_ns; /* default 500 ms, 60 s */
};
void sink_config_default(struct sink_config *config);
/* Whether http.template_body is a template for bodies of this content type. False, with
 * "LINE:COLUMN: what is wrong" in reterr. */
bool sink_template_check(const char *template_body, const char *content_type, char *reterr,
			 size_t size);

enum spool_fsync {
	SPOOL_FSYNC_INTERVAL, /* each second */
	SPOOL_FSYNC_ALWAYS,   /* before an alert counts as raised; alone covers power loss */
	SPOOL_FSYNC_NEVER
};

#define SPOOL_DIR_DEFAULT "/var/lib/haetae/spool"

struct spool_config {
	const char *dir;	/* NULL: SPOOL_DIR_DEFAULT */
	uint64_t max_bytes;	/* default 1 GiB */
	uint64_t segment_bytes; /* default 8 MiB */
	enum spool_fsync fsync;
};
void spool_config_default(struct spool_config *config);

struct outputs; /* opaque */

enum sink_health {
	SINK_HEALTH_OK,
	SINK_HEALTH_RETRYING,	   /* its receiver fails; it is tried again */
	SINK_HEALTH_MISCONFIGURED, /* trying again will not help before somebody acts */
	SINK_HEALTH__COUNT
};
const char *sink_health_name(enum sink_health health);

/* One sink: accepted + restored = delivered + failed + filtered + dropped + queued, always. */
struct sink_stats {
	const char *name, *type; /* borrowed from the configuration */
	bool is_durable;
	uint64_t restored;  /* found in the spool at the start, or dead letters given back */
	uint64_t delivered; /* acknowledged by the receiver */
	uint64_t failed;    /* for good: dead letters; not durable: also what a stop left over */
	uint64_t dead_letters, dead_letters_lost; /* of those: kept, and not or no longer kept */
	uint64_t filtered;			  /* not for this sink */
	uint64_t dropped[PRIORITY__COUNT];	  /* memory or spool full */
	uint64_t queued;    /* not yet at its end; where durable, also after a stop */
	uint64_t retried;   /* attempts beyond the first */
	uint64_t oldest_ns; /* wall time of the oldest that is queued, or before it; 0: none is */
	enum sink_health health;
	uint64_t health_since_ns; /* wall time */
	char health_text[160];	  /* what is wrong, without secrets; "" where all is well */
};

struct spool_stats {
	bool is_used;			     /* a sink is durable */
	bool is_failing;		     /* the last write failed: alerts are kept in memory */
	char failing_text[160];		     /* why */
	uint64_t bytes, max_bytes, segments; /* on disk */
	uint64_t written;		     /* alerts */
	uint64_t unspooled[PRIORITY__COUNT]; /* could not be written; kept in memory */
	uint64_t refused[PRIORITY__COUNT];   /* above 90 % only warning and above is written */
	uint64_t evicted[PRIORITY__COUNT];   /* went with the oldest segment, undelivered */
	uint64_t torn, damaged;		     /* tails cut off, places skipped */
};

/* The whole: accepted × sinks + restored = delivered + failed + filtered + dropped + queued. */
struct outputs_stats {
	uint32_t sink_cnt;
	uint64_t accepted;		   /* put into the queue */
	uint64_t refused[PRIORITY__COUNT]; /* queue full */
	uint64_t restored, delivered, failed, filtered, queued;
	uint64_t dropped[PRIORITY__COUNT];
	uint64_t spooled; /* of queued: in the spool, for the next start */
};

/* Something else that lives in the loop of the outputs thread, such as a server. */
struct outputs_guest {
	int fd; /* readable: step is called; -1: none */
	/* Called at most once each `period_ns` besides (0: only for the descriptor). Must not
	 * block. */
	void (*step)(void *data);
	/* Each alert that was raised, whatever sinks want of it; NULL: not wanted. Must not block,
	 * and keeps nothing of it. */
	void (*on_alert)(void *data, const struct alert *alert);
	/* When all is done; may wait for a moment. NULL: not wanted. */
	void (*finish)(void *data);
	void *data;
	uint64_t period_ns;
};
#define OUTPUTS_GUESTS_MAX 2

struct outputs_config {
	const struct sink_config *sinks;
	uint32_t sink_cnt;
	uint32_t queue_length;				 /* between engine and outputs */
	struct spool_config spool;			 /* used where a sink is durable */
	struct outputs_guest guests[OUTPUTS_GUESTS_MAX]; /* step NULL: none */
};

/* Opens sinks and spool, starts helpers: before privileges are dropped and before other threads
 * start. config is copied, its strings live as long as the outputs. 0 or a negative errno, which
 * has been logged: -EBUSY where another daemon uses the spool. */
int outputs_prepare(const struct outputs_config *config, struct outputs **ret);
/* Starts the thread. 0 or a negative errno. */
int outputs_run(struct outputs *outputs);
/* Both. */
int outputs_start(const struct outputs_config *config, struct outputs **ret);
/* Takes ownership of the alert in every case. False where the queue is full. */
bool outputs_put(struct outputs *outputs, struct alert *alert);
/* Files are opened anew by their names (SIGUSR1). Any thread; returns at once. */
void outputs_reopen(struct outputs *outputs);
/* Delivers what is queued, at most until the deadline, and ends the thread. What is in the spool by
 * then stays there. Fine with NULL. */
void outputs_stop(struct outputs *outputs, uint64_t deadline_ns);
struct outputs *outputs_free(struct outputs *outputs);
/* Any thread. */
void outputs_stats(const struct outputs *outputs, struct outputs_stats *ret);
/* Wall time of the newest alert of SELF_TEST_RULE that the sink's receiver has acknowledged; 0:
 * none. Any thread. */
uint64_t outputs_self_test_ns(const struct outputs *outputs, uint32_t sink_index);
/* False beyond the last sink. In a guest's step, or after outputs_stop(). */
bool outputs_sink_stats(struct outputs *outputs, uint32_t index, struct sink_stats *ret);
/* In a guest's step, or after outputs_stop(). */
void outputs_spool_stats(struct outputs *outputs, struct spool_stats *ret);

#endif
