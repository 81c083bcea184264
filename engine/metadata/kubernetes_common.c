/*
 * What the Kubernetes API's source and the kubelet's share. Owns nothing; metadata thread.
 */
#include <stdio.h>

#include "haetae/log.h"

#include "kubernetes.h"
#include "pod_json.h"

const char *kubernetes_token_file(const struct metadata_config *config)
{
	return config->token_file ? config->token_file : SERVICE_ACCOUNT "token";
}

const char *kubernetes_ca_file(const struct metadata_config *config)
{
	if (config->ca_file)
		return config->ca_file;
	return access(SERVICE_ACCOUNT "ca.crt", R_OK) == 0 ? SERVICE_ACCOUNT "ca.crt" : NULL;
}

void kubernetes_warn_plain(const char *url)
{
	if (url && strncasecmp(url, "http://", 7) == 0 && strncmp(url + 7, "127.", 4) != 0 &&
	    strncmp(url + 7, "localhost", 9) != 0 && strncmp(url + 7, "[::1]", 5) != 0)
		log_warning("metadata: the token for Kubernetes is sent without TLS");
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void kubernetes_put_escaped(struct buf *out, struct str text)
{
	for (uint32_t i = 0; i < text.n; i++) {
		if (is_unreserved(text.p[i]))
			buf_putc(out, text.p[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)text.p[i]);
	}
}

void kubernetes_take_pod(struct source *source, struct str text)
{
	struct pod_info *pod = pod_json_parse(text);

	if (pod)
		source_pod(source, pod);
	else
		source_count(source, SOURCE_REFUSED);
}

static const char *advice(int status)
{
	switch (status) {
	case 401:
		return ": it does not accept the token; see metadata.token_file";
	case 403:
		return ": the service account may not; see docs/kubernetes.md";
	case 404:
		return ": no such thing there; is the URL that of the API server?";
	default:
		return "";
	}
}

void kubernetes_describe(const struct http_result *result, const char *doing, char *ret,
			 size_t size)
{
	if (result->error)
		snprintf(ret, size, "%s: %s", doing, result->message);
	else
		snprintf(ret, size, "%s: status %d%s", doing, result->status,
			 advice(result->status));
}

void kubernetes_failed(struct source *source, const struct http_result *result, const char *doing)
{
	bool is_refused = !result->error &&
			  (result->status == 401 || result->status == 403 || result->status == 404);
	uint64_t wait_ns = is_refused ? source_config(source)->backoff_max_ns : 0;
	char why[320];

	kubernetes_describe(result, doing, why, sizeof(why));
	source_failed(source, MAX(wait_ns, result->retry_after_ns), why);
}
