/*
 * What the two sources of pods share: where the service account's files are, which node is ours.
 */
#ifndef METADATA_KUBERNETES_H
#define METADATA_KUBERNETES_H

#include "json_stream.h"
#include "source.h"
#include "token.h"

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"
/* What one pod may take as JSON; the API server's own limit is that of etcd, 1.5 MiB, and pods are
 * far below. */
#define POD_JSON_MAX (2u << 20)
/* Of a whole page: a bound for a server that never ends. */
#define LIST_BYTES_MAX (512u << 20)

const char *kubernetes_token_file(const struct metadata_config *config);
/* NULL where there is none: the system's then. */
const char *kubernetes_ca_file(const struct metadata_config *config);
/* Says so where the token would be read by whoever listens. */
void kubernetes_warn_plain(const char *url);
/* Writes a text as a part of a URL's query (RFC 3986). */
void kubernetes_put_escaped(struct buf *out, struct str text);
/* One item of a list of pods, for json_stream: publishes it, or counts it as refused. */
void kubernetes_take_pod(struct source *source, struct str text);
/* Status and error of a request as one line for the log; what to do about it where that is known.
 */
void kubernetes_describe(const struct http_result *result, const char *doing, char *ret,
			 size_t size);
/* Why not, and for how long: refused (401, 403, 404) is not worth asking soon. */
void kubernetes_failed(struct source *source, const struct http_result *result, const char *doing);

#endif
