/*
 * Metadata: a thread that asks container runtimes and the Kubernetes API, and what it says to the
 * engine thread. Both talk through two bounded queues; neither ever waits for the other. The thread
 * has one event loop over http_client (http.h): a slow or hostile source delays no other.
 */
#ifndef HAETAE_METADATA_H
#define HAETAE_METADATA_H

#include "haetae/container.h"

enum metadata_kubernetes {
	KUBERNETES_OFF,
	KUBERNETES_AUTO,   /* in-cluster where the service account's token is mounted, else off */
	KUBERNETES_API,	   /* api_url, or in-cluster */
	KUBERNETES_KUBELET /* kubelet_url/pods: needs nodes/proxy, which is as good as exec */
};

#define METADATA_SOCKETS_MAX 16

struct metadata_config {
	const char *host_root; /* prefix of /proc, /run and sockets of the host; "" or "/host" */
	bool want_runtimes;    /* false: no socket is asked; bundles on disk are read */
	/* Unix sockets to ask, as paths of the host; empty: those that are usual are looked for. */
	const char *sockets[METADATA_SOCKETS_MAX];
	uint32_t socket_cnt;
	/* State folders of OCI bundles, such as /run/containerd/io.containerd.runtime.v2.task;
	 * empty: those that are usual. */
	const char *bundle_roots[METADATA_SOCKETS_MAX];
	uint32_t bundle_root_cnt;
	enum metadata_kubernetes kubernetes;
	const char *api_url; /* NULL: https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT */
	const char *kubelet_url;	  /* "https://127.0.0.1:10250" */
	const char *token_file, *ca_file; /* NULL: those of the service account */
	const char *node_name;		  /* whose pods; NULL: NODE_NAME, else the host's name */
	bool want_all_pods;		  /* the whole cluster's, for k8s.peer.* (decision 27) */
	bool want_host_names;		  /* resolve those in rules; default true */
	uint32_t max_pods;		  /* default 16384 */
	uint64_t watch_idle_ns; /* a watch that says nothing for so long is dead; default 150 s */
	uint64_t request_timeout_ns;		 /* of one request but a watch; default 5 s */
	uint64_t backoff_min_ns, backoff_max_ns; /* of a failing source; default 200 ms, 30 s */
};
void metadata_config_default(struct metadata_config *config);

/* ---- engine to metadata --------------------------------------------------------------------- */

enum metadata_question_type {
	QUESTION_CONTAINER, /* one that has just been seen: what are you? */
	QUESTION_FORGET	    /* it has gone: stop trying */
};
struct metadata_question {
	enum metadata_question_type type;
	enum container_type container_type; /* as the path says: whom to ask first */
	char full_id[CONTAINER_ID_MAX + 1];
	char pod_uid[POD_UID_MAX + 1];
	/* containerd's namespace of it, where the cgroup's path told: <bundle root>/NS/ID is its
	 * bundle. "": not known, any may have it. */
	char runtime_namespace[CONTAINERD_NAMESPACE_MAX + 1];
	uint32_t pid;  /* of a process in it, host's pid namespace; 0: none yet */
	bool is_inner; /* below another container: answer only what the host's runtime confirms */
};

/* ---- metadata to engine --------------------------------------------------------------------- */

enum metadata_answer_type {
	ANSWER_CONTAINER, /* info: owned reference. May come more than once, richer each time */
	ANSWER_CONTAINER_UNKNOWN, /* all runtimes that are healthy know none such */
	ANSWER_POD,		  /* pod: owned reference; new or changed */
	ANSWER_POD_GONE,	  /* full_id: its UID */
	ANSWER_PODS_BEGIN,	  /* a whole list follows … */
	ANSWER_PODS_END,	  /* … and is complete: pods that it did not name are gone */
	ANSWER_SOURCE		  /* a source became healthy or failed */
};
struct metadata_answer {
	enum metadata_answer_type type;
	char full_id[CONTAINER_ID_MAX + 1];
	struct container_info *info;
	struct pod_info *pod;
	enum metadata_source source;
	bool is_healthy;
};
struct metadata_answer *metadata_answer_free(struct metadata_answer *answer);

struct metadata; /* opaque */

struct metadata_stats {
	uint64_t questions;
	uint64_t questions_refused;	  /* the queue or the thread's table was full */
	uint64_t answers, answers_waited; /* the queue to the engine was full for a while */
	uint64_t requests, failures, refused_answers; /* too long, not understood, wrong type */
	uint64_t relists, watch_restarts, token_reads;
	uint64_t lag_max_ns; /* question to answer */
};

/* Starts the thread (signals blocked in it). Sources that are not there are no error: each is tried
 * again with back-off, and its health is told by ANSWER_SOURCE. 0 or a negative errno. */
int metadata_start(const struct metadata_config *config, struct metadata **ret);
/* Copies. False where the queue is full; the caller asks again at its next tick. */
bool metadata_ask(struct metadata *metadata, const struct metadata_question *question);
/* Readable when answers wait; then take until NULL. The caller frees each. */
int metadata_poll_fd(const struct metadata *metadata);
struct metadata_answer *metadata_take(struct metadata *metadata);
/* Whether such a source is configured at all; before its first ANSWER_SOURCE it is not healthy. */
bool metadata_has_source(const struct metadata *metadata, enum metadata_source source);
void metadata_stats(const struct metadata *metadata, struct metadata_stats *ret);
/* Ends the thread, whatever it waits for, and frees. Fine with NULL. */
struct metadata *metadata_free(struct metadata *metadata);

/* ---- for `haetae doctor` -------------------------------------------------------------------- */

struct metadata_check {
	const char *kind; /* "docker", "CRI", "bundle", "Kubernetes API"; static */
	enum metadata_source source;
	char path[256];	  /* of a socket or folder; "" for others */
	bool is_there;	  /* the socket or folder exists; true for others */
	bool is_expected; /* it stands in the configuration */
	bool is_healthy;  /* it answered as it should */
	char why[160];	  /* it did not */
};
#define METADATA_CHECKS_MAX 96
/* Tries every source once, without a thread, at most until deadline_ns (boot time). How many there
 * are, or a negative errno. */
int metadata_check(const struct metadata_config *config, uint64_t deadline_ns,
		   struct metadata_check ret[METADATA_CHECKS_MAX]);

#endif
