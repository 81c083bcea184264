/*
 * Defaults of the metadata thread's configuration. Owns nothing.
 */
#include "haetae/clock.h"
#include "haetae/metadata.h"

void metadata_config_default(struct metadata_config *config)
{
	*config = (struct metadata_config){
		.host_root = "",
		.want_runtimes = true,
		.want_host_names = true,
		.kubernetes = KUBERNETES_AUTO,
		.kubelet_url = "https://127.0.0.1:10250",
		.max_pods = 16384,
		.request_timeout_ns = 5 * NS_PER_SEC,
		/* The API server sends a bookmark about each minute. */
		.watch_idle_ns = 150 * NS_PER_SEC,
		.backoff_min_ns = 200 * NS_PER_MS,
		.backoff_max_ns = 30 * NS_PER_SEC,
	};
}
