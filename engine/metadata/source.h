/*
 * A source of metadata: a container runtime's socket, the bundles on disk, or the Kubernetes API.
 * What each kind implements (struct source_kind), and what the thread offers it. Everything runs in
 * the metadata thread, nothing blocks.
 */
#ifndef HAETAE_METADATA_SOURCE_H
#define HAETAE_METADATA_SOURCE_H

#include "haetae/host_file.h"
#include "haetae/http.h"
#include "haetae/metadata.h"

struct source;
struct question; /* an open question; see question_asked() */

struct source_kind {
	const char *name; /* "docker": for logs, with the path of the source */
	enum metadata_source group;
	/* Questions handed over and not yet ended; more wait. */
	uint32_t max_in_flight;
	/* Makes source->state, starts nothing. 0 or a negative errno: the source is left out. */
	int (*open)(struct source *source);
	/* In which round to ask it about this container: 1 first, 0 never. Sources of one round are
	 * asked at once; the next round is asked where none of the one before has given a complete
	 * answer. NULL: it is never asked. */
	unsigned (*rank)(const struct source *source, const struct metadata_question *question);
	/* Ask. Ends now or later by exactly one of source_answer, source_unknown, source_refuse,
	 * source_unanswered. */
	void (*question)(struct source *source, struct question *question);
	/* Due at source->next_ns (0 at first: at once): connect, look whether the file is there,
	 * list, watch. Sets what is next by source_wake_at(), source_healthy() or source_failed().
	 */
	void (*step)(struct source *source, uint64_t now_ns);
	/* Frees source->state and cancels its calls. Its questions are not ended any more. */
	void (*close)(struct source *source);
};

struct source {
	const struct source_kind *kind;
	struct metadata_loop *loop; /* borrowed */
	void *state;		    /* the kind's own */
	const char *path;	    /* socket or folder as the host names it; NULL: none */
	bool is_expected;	    /* configured: its absence is worth a warning */
	bool is_healthy, was_healthy, has_spoken;
	bool is_reported; /* its failure has been logged */
	uint32_t index;	  /* among the sources */
	uint32_t in_flight;
	unsigned failures;   /* in a row */
	uint64_t next_ns;    /* boot time; UINT64_MAX: only questions */
	uint64_t stepped_ns; /* when step() was last called */
	int socket_fd;	     /* of source_request(); -1 */
	char why[160];	     /* it failed last */
};

/* ---- what the thread gives ------------------------------------------------------------------ */

struct http_client *source_http(const struct source *source);
const struct metadata_config *source_config(const struct source *source);
/* For host_open() and host_read(). */
int source_root_fd(const struct source *source);
const struct metadata_question *question_asked(const struct question *question);

/* ---- ends of a question --------------------------------------------------------------------- */

/* Takes the reference, which must be the only one: what an earlier source said is filled in before
 * it is published. info->is_partial: ask the next round too. */
void source_answer(struct source *source, struct question *question, struct container_info *info);
/* It knows none such. Asked again a few times shortly after: some runtimes list a container only
 * when it has started. */
void source_unknown(struct source *source, struct question *question);
/* The answer was not understood, too long, of a wrong type: counted; as source_unknown(). */
void source_refuse(struct source *source, struct question *question);
/* No answer could be had. Asked again when the source is healthy. Call source_failed() too where
 * it is the source's fault. */
void source_unanswered(struct source *source, struct question *question);

/* ---- health and time ------------------------------------------------------------------------ */

/* It answers. Ends the back-off; next_ns is left alone. */
void source_healthy(struct source *source);
/* It does not: `why` is for the log (once, until it is healthy again), without secrets; NULL: not
 * worth a line. step() is called again after a back-off with full jitter, or `retry_after_ns` where
 * that is longer. */
void source_failed(struct source *source, uint64_t retry_after_ns, const char *why);
/* step() is called at this boot time. */
void source_wake_at(struct source *source, uint64_t then_ns);

/* ---- requests ------------------------------------------------------------------------------- */

/* http_start() with the thread's client, counted. Where source->path is set and the request names
 * no socket, it goes to that socket below the host's root. timeout_ns 0 becomes the configured one,
 * UINT64_MAX none. What http_start() or host_socket_open() returned. */
int source_request(struct source *source, struct http_request *request, struct http_call **ret);

enum source_count {
	SOURCE_REQUESTS,
	SOURCE_FAILURES,
	SOURCE_REFUSED, /* answers */
	SOURCE_RELISTS,
	SOURCE_WATCH_RESTARTS,
	SOURCE_TOKEN_READS,
	SOURCE_COUNT__CNT
};
void source_count(struct source *source, enum source_count what);

/* ---- pods ----------------------------------------------------------------------------------- */

void source_pods_begin(struct source *source);
void source_pods_end(struct source *source);
/* Takes the reference. */
void source_pod(struct source *source, struct pod_info *pod);
void source_pod_gone(struct source *source, struct str uid);

/* ---- the folders of bundles, for checks ----------------------------------------------------- */

/* Those of the configuration, or the usual ones; borrowed. */
const char *const *bundle_roots(const struct metadata_config *config, uint32_t *ret_cnt);

/* ---- kinds ---------------------------------------------------------------------------------- */

extern const struct source_kind source_bundle, source_cri, source_containerd, source_docker;
extern const struct source_kind source_kubernetes, source_kubelet; /* of pods */

#endif
