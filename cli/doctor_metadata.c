/*
 * Tries the sources of metadata and tells what they answer, for haetae doctor. Owns nothing.
 */
#include "doctor_metadata.h"

#include <stdio.h>

#include "haetae/clock.h"

#define CHECK_NS (3 * NS_PER_SEC)

struct rows {
	struct probes_feature *features;
	unsigned cnt;
};

static struct probes_feature *add(struct rows *rows, const char *name,
				  enum probes_feature_state state)
{
	rows->features[rows->cnt] = (struct probes_feature){ .name = name, .state = state };
	return &rows->features[rows->cnt++];
}

static void set_detail(struct probes_feature *feature, const char *kind, const char *path,
		       const char *why)
{
	int n = snprintf(feature->detail, sizeof(feature->detail), "%s%s%s%s%s", kind,
			 *path ? " at " : "", path, *why ? ": " : "", why);

	if (n >= (int)sizeof(feature->detail))
		memcpy(feature->detail + sizeof(feature->detail) - 4, "...", 4);
}

static bool is_bundle(const struct metadata_check *check)
{
	return strcmp(check->kind, "bundle") == 0;
}

/* Usual sockets that are not there are no news; configured ones are. */
static void add_sockets(struct rows *rows, const struct metadata_check *checks, unsigned cnt)
{
	struct probes_feature *feature;
	unsigned begin = rows->cnt;

	for (unsigned i = 0; i < cnt; i++) {
		const struct metadata_check *check = &checks[i];

		if (check->source != METADATA_RUNTIME || is_bundle(check) ||
		    (!check->is_there && !check->is_expected))
			continue;
		feature = add(rows, "runtime socket",
			      check->is_healthy ? FEATURE_PRESENT : FEATURE_OPTIONAL_MISSING);
		set_detail(feature, check->kind, check->path, check->why);
		feature->fix = check->is_there
				       ? "run as root, who owns such sockets, and look whether the "
					 "runtime answers"
				       : "start the runtime, or correct metadata.runtime_sockets";
	}
	if (rows->cnt > begin)
		return;
	feature = add(rows, "runtime socket", FEATURE_OPTIONAL_MISSING);
	snprintf(feature->detail, sizeof(feature->detail),
		 "none of containerd, CRI-O, Docker or Podman");
	feature->fix = "where there are containers, name it in metadata.runtime_sockets, and in a "
		       "container mount it";
}

static void add_bundles(struct rows *rows, const struct metadata_check *checks, unsigned cnt)
{
	struct probes_feature *feature;
	unsigned begin = rows->cnt;

	for (unsigned i = 0; i < cnt; i++) {
		if (!is_bundle(&checks[i]) || (!checks[i].is_there && !checks[i].is_expected))
			continue;
		feature = add(rows, "OCI bundles",
			      checks[i].is_there ? FEATURE_PRESENT : FEATURE_OPTIONAL_MISSING);
		set_detail(feature, checks[i].path, "", checks[i].is_there ? "" : "not there");
		feature->fix = "correct metadata.bundle_roots, or metadata.host_root";
	}
	if (rows->cnt > begin)
		return;
	feature = add(rows, "OCI bundles", FEATURE_OPTIONAL_MISSING);
	snprintf(feature->detail, sizeof(feature->detail), "none of the runtimes' usual folders");
	feature->fix = "where there are containers, name them in metadata.bundle_roots, and in a "
		       "container mount them";
}

static void add_kubernetes(struct rows *rows, const struct metadata_config *config,
			   const struct metadata_check *checks, unsigned cnt)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *url = config->kubernetes == KUBERNETES_KUBELET ? config->kubelet_url
			  : config->api_url			   ? config->api_url
			  : host				   ? host
								   : "";
	struct probes_feature *feature;

	for (unsigned i = 0; i < cnt; i++) {
		if (checks[i].source != METADATA_KUBERNETES)
			continue;
		feature = add(rows, "Kubernetes",
			      checks[i].is_healthy ? FEATURE_PRESENT : FEATURE_OPTIONAL_MISSING);
		set_detail(feature, checks[i].kind, url, checks[i].why);
		feature->fix = "k8s.* fields then have what the runtime tells; check URL, token "
			       "and permission";
		return;
	}
	feature = add(rows, "Kubernetes", FEATURE_OPTIONAL_MISSING);
	snprintf(feature->detail, sizeof(feature->detail), "%s",
		 config->kubernetes == KUBERNETES_OFF ? "off: metadata.kubernetes"
		 : host ? "a cluster, but no token of a service account is mounted"
			: "no cluster: KUBERNETES_SERVICE_HOST is not set");
	feature->fix = "k8s.* fields then have what the runtime tells";
}

/* The name under which the API knows this node's pods. */
static void add_node(struct rows *rows, const struct metadata_config *config)
{
	const char *name = config->node_name ? config->node_name : getenv("NODE_NAME");
	struct probes_feature *feature = add(rows, "node name", FEATURE_PRESENT);
	char host[65] = "";

	if (name && *name) {
		snprintf(feature->detail, sizeof(feature->detail), "%.100s", name);
		return;
	}
	(void)gethostname(host, sizeof(host) - 1);
	snprintf(feature->detail, sizeof(feature->detail), "%s, the host's", host);
	if (getenv("KUBERNETES_SERVICE_HOST")) {
		feature->state = FEATURE_OPTIONAL_MISSING;
		snprintf(feature->detail, sizeof(feature->detail),
			 "%s is the pod's: NODE_NAME is not set", host);
		feature->fix = "give the pod NODE_NAME from spec.nodeName";
	}
}

unsigned doctor_check_metadata(const struct metadata_config *config,
			       struct probes_feature ret[DOCTOR_METADATA_MAX])
{
	struct metadata_check checks[METADATA_CHECKS_MAX];
	struct rows rows = { .features = ret };
	int cnt = metadata_check(config, clock_boot_ns() + CHECK_NS, checks);

	if (cnt < 0) {
		struct probes_feature *feature = add(&rows, "metadata", FEATURE_OPTIONAL_MISSING);

		set_detail(feature, "container runtimes cannot be asked", "", strerror(-cnt));
		feature->fix = "check metadata.host_root";
		return rows.cnt;
	}
	if (config->want_runtimes)
		add_sockets(&rows, checks, (unsigned)cnt);
	add_bundles(&rows, checks, (unsigned)cnt);
	add_kubernetes(&rows, config, checks, (unsigned)cnt);
	add_node(&rows, config);
	return rows.cnt;
}
