/*
 * The table of options. Owns nothing else; the reader, the printer, the manual page and the
 * example are driven by it. The options of a sink stand in conf_sink_options.c.
 */
#include "conf_private.h"

#include "haetae/clock.h"

#define DAEMON(member)                                    \
	.offset = offsetof(struct daemon_config, member), \
	.size = sizeof(((struct daemon_config *)0)->member)
#define DAEMON_LIST(member, cnt) DAEMON(member), .cnt_offset = offsetof(struct daemon_config, cnt)
#define SECOND			 NS_PER_SEC
#define HOUR			 (3600 * NS_PER_SEC)
#define DAY			 (24 * HOUR)
#define KIB			 (1ULL << 10)
#define MIB			 (1ULL << 20)
#define GIB			 (1ULL << 30)

static const struct conf_choice match_choices[] = { { "first", 0 }, { "all", 1 }, { 0 } };
const struct conf_choice conf_priority_choices[] = {
	{ "emergency", PRIORITY_EMERGENCY },
	{ "alert", PRIORITY_ALERT },
	{ "critical", PRIORITY_CRITICAL },
	{ "error", PRIORITY_ERROR },
	{ "warning", PRIORITY_WARNING },
	{ "notice", PRIORITY_NOTICE },
	{ "informational", PRIORITY_INFORMATIONAL },
	{ "debug", PRIORITY_DEBUG },
	{ "info", PRIORITY_INFORMATIONAL },
	{ 0 },
};
static const struct conf_choice kubernetes_choices[] = {
	{ "auto", KUBERNETES_AUTO },
	{ "off", KUBERNETES_OFF },
	{ "api", KUBERNETES_API },
	{ "kubelet", KUBERNETES_KUBELET },
	{ 0 },
};
static const struct conf_choice fsync_choices[] = {
	{ "interval", SPOOL_FSYNC_INTERVAL },
	{ "always", SPOOL_FSYNC_ALWAYS },
	{ "never", SPOOL_FSYNC_NEVER },
	{ 0 },
};
static const struct conf_choice level_choices[] = {
	{ "error", LOG_LEVEL_ERROR },
	{ "warning", LOG_LEVEL_WARNING },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
	{ 0 },
};
static const struct conf_choice log_format_choices[] = {
	{ "text", LOG_FORMAT_TEXT },
	{ "json", LOG_FORMAT_JSON },
	{ 0 },
};

/* Sections stand together: the printer opens and closes them in this order. */
static const struct conf_option options[] = {
	{ .key = "rules.paths",
	  .type = CONF_TEXTS,
	  DAEMON_LIST(rule_paths, rule_path_cnt),
	  .max = DAEMON_PATHS_MAX,
	  .form = "a path",
	  .example = "[/usr/share/haetae/rules, /etc/haetae/rules.d]",
	  .doc = "Rule files, and folders of them, in order. Without it the installed rules and "
		 "/etc/haetae/rules.d, where they exist." },
	{ .key = "rules.match",
	  .type = CONF_CHOICE,
	  DAEMON(rules.is_match_all),
	  .choices = match_choices,
	  .doc = "Whether the first rule that matches an event raises the alert, or each one." },
	{ .key = "rules.min_priority",
	  .type = CONF_CHOICE,
	  DAEMON(rules.min_priority),
	  .choices = conf_priority_choices,
	  .is_any_case = true,
	  .doc = "Rules that are less urgent than this are left out." },
	{ .key = "rules.select",
	  .type = CONF_SELECTORS,
	  DAEMON_LIST(selectors, rules.selector_cnt),
	  .max = DAEMON_SELECTORS_MAX,
	  .example = "[{disable: {tag: maturity_sandbox}}, {enable: {rule: \"*miner*\"}}]",
	  .doc = "Switches rules on or off by tag, or by name with * wildcards. The last entry "
		 "that "
		 "fits a rule wins. With -o an entry may be written enable:tag=NAME, "
		 "disable:rule=PATTERN and so on." },

	{ .key = "probes.ring_size",
	  .type = CONF_SIZE,
	  DAEMON(probes.ring_bytes),
	  .min = 4 * KIB,
	  .max = 64 * MIB,
	  .doc = "One ring buffer for events; rounded up to a power of two." },
	{ .key = "probes.cpus_per_ring",
	  .type = CONF_NUMBER,
	  DAEMON(probes.cpus_per_ring),
	  .min = 1,
	  .max = 1024,
	  .doc = "How many CPUs share one ring buffer." },
	{ .key = "probes.lifecycle_ring_size",
	  .type = CONF_SIZE,
	  DAEMON(probes.lifecycle_ring_bytes),
	  .min = 4 * KIB,
	  .max = 64 * MIB,
	  .doc = "The ring buffer for the start and end of processes." },
	{ .key = "probes.scope.pid",
	  .type = CONF_NUMBER,
	  DAEMON(probes.scope_pid),
	  .max = 4194304,
	  .is_nullable = true,
	  .doc = "Look only at this process and those that descend from it." },
	{ .key = "probes.scope.cgroup",
	  .type = CONF_TEXT,
	  DAEMON(probes.scope_cgroup),
	  .form = "an absolute path",
	  .is_valid = conf_is_path,
	  .is_nullable = true,
	  .doc = "Look only at the processes in this cgroup directory and below it." },

	{ .key = "processes.max",
	  .type = CONF_NUMBER,
	  DAEMON(procs.max_processes),
	  .min = 64,
	  .max = 16777216,
	  .doc = "Processes that are known at a time; exited ones make room first." },
	{ .key = "processes.max_memory",
	  .type = CONF_SIZE,
	  DAEMON(procs.max_bytes),
	  .min = MIB,
	  .max = 64 * GIB,
	  .doc = "Memory for what is known of processes." },
	{ .key = "processes.grace",
	  .type = CONF_TIME,
	  DAEMON(procs.grace_ns),
	  .max = HOUR,
	  .doc = "How long an exited process is remembered." },

	{ .key = "metadata.deadline",
	  .type = CONF_TIME,
	  DAEMON(hold.deadline_ns),
	  .max = HOUR,
	  .doc = "How long an event waits for what runtimes and Kubernetes have to say of it." },
	{ .key = "metadata.max_held",
	  .type = CONF_NUMBER,
	  DAEMON(hold.max_held),
	  .max = 1048576,
	  .doc = "How many events may wait at once." },
	{ .key = "metadata.max_held_per_container",
	  .type = CONF_NUMBER,
	  DAEMON(hold.max_per_container),
	  .max = 1048576,
	  .doc = "How many events of one container may wait at once." },
	{ .key = "metadata.max_held_memory",
	  .type = CONF_SIZE,
	  DAEMON(hold.max_bytes),
	  .max = 16 * GIB,
	  .doc = "Memory for events that wait." },
	{ .key = "metadata.runtime_sockets",
	  .type = CONF_SOCKETS,
	  DAEMON_LIST(metadata.sockets, metadata.socket_cnt),
	  .max = METADATA_SOCKETS_MAX,
	  .example = "[/run/containerd/containerd.sock]",
	  .doc = "Unix sockets of container runtimes, as paths of the host; auto looks at the "
		 "usual "
		 "places, off asks none." },
	{ .key = "metadata.bundle_roots",
	  .type = CONF_TEXTS,
	  DAEMON_LIST(metadata.bundle_roots, metadata.bundle_root_cnt),
	  .max = METADATA_SOCKETS_MAX,
	  .form = "an absolute path",
	  .is_valid = conf_is_path,
	  .example = "[/run/containerd/io.containerd.runtime.v2.task]",
	  .doc = "State folders that hold containers' OCI bundles; without it the usual ones." },
	{ .key = "metadata.kubernetes",
	  .type = CONF_CHOICE,
	  DAEMON(metadata.kubernetes),
	  .choices = kubernetes_choices,
	  .doc = "Where pods are asked for; auto is the API server where a service account's token "
		 "is mounted." },
	{ .key = "metadata.api_url",
	  .type = CONF_TEXT,
	  DAEMON(metadata.api_url),
	  .form = "an http or https URL",
	  .is_valid = conf_is_http_url,
	  .is_nullable = true,
	  .doc = "The Kubernetes API server; without it that of the cluster." },
	{ .key = "metadata.kubelet_url",
	  .type = CONF_TEXT,
	  DAEMON(metadata.kubelet_url),
	  .form = "an http or https URL",
	  .is_valid = conf_is_http_url,
	  .doc = "The kubelet, for metadata.kubernetes: kubelet." },
	{ .key = "metadata.token_file",
	  .type = CONF_TEXT,
	  DAEMON(metadata.token_file),
	  .form = "an absolute path",
	  .is_valid = conf_is_path,
	  .is_nullable = true,
	  .doc = "Bearer token for Kubernetes, read again when it changes; without it the service "
		 "account's." },
	{ .key = "metadata.ca_file",
	  .type = CONF_TEXT,
	  DAEMON(metadata.ca_file),
	  .form = "an absolute path",
	  .is_valid = conf_is_path,
	  .is_nullable = true,
	  .doc = "Certificates that Kubernetes is checked against; without it the service "
		 "account's." },
	{ .key = "metadata.node_name",
	  .type = CONF_TEXT,
	  DAEMON(metadata.node_name),
	  .form = "a name",
	  .is_valid = conf_is_word,
	  .is_nullable = true,
	  .example = "\"${NODE_NAME}\"",
	  .doc = "Whose pods are asked for; without it NODE_NAME of the environment, or the host's "
		 "name." },
	{ .key = "metadata.all_pods",
	  .type = CONF_BOOL,
	  DAEMON(metadata.want_all_pods),
	  .doc = "Watch the pods of all nodes, so that peers of connections have names. Needs "
		 "permission to list and watch pods of the cluster." },
	{ .key = "metadata.host_names",
	  .type = CONF_BOOL,
	  DAEMON(metadata.want_host_names),
	  .doc = "Resolve the host names that rules compare addresses with." },
	{ .key = "metadata.max_pods",
	  .type = CONF_NUMBER,
	  DAEMON(metadata.max_pods),
	  .min = 1,
	  .max = 1048576,
	  .doc = "Pods that are known at a time." },
	{ .key = "metadata.request_timeout",
	  .type = CONF_TIME,
	  DAEMON(metadata.request_timeout_ns),
	  .min = 100 * NS_PER_MS,
	  .max = HOUR,
	  .doc = "Of one request to a runtime or to Kubernetes." },
	{ .key = "metadata.watch_idle",
	  .type = CONF_TIME,
	  DAEMON(metadata.watch_idle_ns),
	  .min = SECOND,
	  .max = DAY,
	  .doc = "A watch of Kubernetes that says nothing for so long is begun anew." },
	{ .key = "metadata.host_root",
	  .type = CONF_TEXT,
	  DAEMON(metadata.host_root),
	  .form = "an absolute path",
	  .is_valid = conf_is_path,
	  .is_nullable = true,
	  .doc = "Where the host's file system is mounted, such as /host: its /proc, /sys, /etc, "
		 "/run and /var are read there. null: what HOST_ROOT of the environment says, or "
		 "that haetae runs on the host itself." },

	{ .key = "alerts.throttle.rate",
	  .type = CONF_RATE,
	  DAEMON(gate.rate_ns),
	  .max = DAY,
	  .example = "10/m",
	  .doc = "Alerts of one key (alerts.dedupe.by) that may be raised in the long run, such as "
		 "5/s, 10/m or 60/h; 0 is no throttle. What is suppressed is counted, and a "
		 "closing "
		 "alert tells of it." },
	{ .key = "alerts.throttle.burst",
	  .type = CONF_NUMBER,
	  DAEMON(gate.burst),
	  .max = 100000,
	  .doc = "Alerts of one key that may be raised at once before the rate counts; 0 is 1." },
	{ .key = "alerts.dedupe.window",
	  .type = CONF_TIME,
	  DAEMON(gate.window_ns),
	  .max = DAY,
	  .example = "60s",
	  .doc = "After an alert, further ones of its key are suppressed for this time, counted, "
		 "and told of in a closing alert; 0s is off." },
	{ .key = "alerts.dedupe.by",
	  .type = CONF_GATE_KEYS,
	  DAEMON(gate.by),
	  .max = GATE_KEY__COUNT,
	  .doc = "What makes two alerts of one kind: some of rule, container.id (or the host) and "
		 "proc.exepath." },
	{ .key = "alerts.dedupe.max_keys",
	  .type = CONF_NUMBER,
	  DAEMON(gate.max_keys),
	  .min = 16,
	  .max = 1048576,
	  .doc = "Keys that are remembered at a time; beyond it alerts are raised and counted." },
	{ .key = "alerts.dedupe.max_keys_per_container",
	  .type = CONF_NUMBER,
	  DAEMON(gate.max_keys_per_container),
	  .min = 1,
	  .max = 1048576,
	  .doc = "Keys of one container, or of the host, that are remembered at a time." },
	{ .key = "alerts.append_output",
	  .type = CONF_ADDITIONS,
	  DAEMON_LIST(additions, rules.addition_cnt),
	  .max = DAEMON_ADDITIONS_MAX,
	  .example = "[\"cluster=west pod=%k8s.pod.name\"]",
	  .doc = "Texts with %fields that are joined to every rule's output. An entry may also be "
		 "{match: {rule: NAME, tags: [TAG]}, extra_output: TEXT}: then only to those." },
	{ .key = "alerts.fields",
	  .type = CONF_FIELDS,
	  DAEMON_LIST(constants, constant_cnt),
	  .max = DAEMON_CONSTANTS_MAX,
	  .example = "{cluster: west}",
	  .doc = "Fields with the same text in every alert's output_fields; with -o NAME=TEXT." },
	{ .key = "alerts.queue",
	  .type = CONF_NUMBER,
	  DAEMON(queue_length),
	  .min = 1,
	  .max = 1048576,
	  .doc = "Alerts that may wait between detection and the sinks; beyond it they are refused "
		 "and counted." },

	{ .key = "sinks",
	  .type = CONF_SINKS,
	  .max = SINKS_MAX,
	  .doc = "Where alerts go: a list of maps, in place of the one sink 'console' to standard "
		 "output. With -o a sink is named: sinks.console.format=json." },

	{ .key = "spool.dir",
	  .type = CONF_TEXT,
	  DAEMON(spool.dir),
	  .form = "an absolute path",
	  .is_valid = conf_is_path,
	  .doc = "Where alerts of durable sinks are kept until they are delivered." },
	{ .key = "spool.max_size",
	  .type = CONF_SIZE,
	  DAEMON(spool.max_bytes),
	  .min = MIB,
	  .max = 1ULL << 44,
	  .doc = "Beyond nine tenths of it only warnings and above are kept, then the oldest "
		 "alerts "
		 "go; all are counted." },
	{ .key = "spool.segment_size",
	  .type = CONF_SIZE,
	  DAEMON(spool.segment_bytes),
	  .min = 64 * KIB,
	  .max = GIB,
	  .doc = "One file of the spool." },
	{ .key = "spool.fsync",
	  .type = CONF_CHOICE,
	  DAEMON(spool.fsync),
	  .choices = fsync_choices,
	  .doc = "When the spool is made safe against power loss: each second, before an alert "
		 "counts as raised, or never. kill -9 loses nothing with any of them." },

	{ .key = "http.listen",
	  .type = CONF_TEXT,
	  DAEMON(http_listen),
	  .form = "ADDRESS:PORT with a numeric address",
	  .is_valid = conf_is_listen_address,
	  .is_nullable = true,
	  .example = "127.0.0.1:9479",
	  .doc = "Where /metrics, /healthz, /readyz and /version are served; without it nowhere. "
		 "There is no authentication: keep it local, or inside the cluster." },

	{ .key = "control.socket",
	  .type = CONF_TEXT,
	  DAEMON(control_socket),
	  .form = "an absolute path",
	  .is_valid = conf_is_path,
	  .is_nullable = true,
	  .doc = "A unix socket where the daemon answers root and its own user, such as 'haetae "
		 "trigger --verify'; null is off. The default is left out where it cannot be "
		 "made." },

	{ .key = "log.level",
	  .type = CONF_CHOICE,
	  DAEMON(log_level),
	  .choices = level_choices,
	  .doc = "The least urgent of haetae's own messages on standard error." },
	{ .key = "log.format",
	  .type = CONF_CHOICE,
	  DAEMON(log_format),
	  .choices = log_format_choices,
	  .doc = "Their form." },
	{ 0 },
};

_Static_assert(ARRAY_LEN(options) <= CONF_OPTIONS_MAX, "an origin for each option");

const struct conf_option *conf_option_at(unsigned index)
{
	return index < ARRAY_LEN(options) - 1 ? &options[index] : NULL;
}
