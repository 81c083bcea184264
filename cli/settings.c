/*
 * Settings by name. Owns only the table.
 */
#include "settings.h"

#include "haetae/clock.h"

#include "commands.h"

static bool set_ring_size(struct daemon_config *config, const char *text)
{
	return args_parse_bytes(text, &config->probes.ring_bytes) && config->probes.ring_bytes > 0;
}

static void get_ring_size(const struct daemon_config *config, struct buf *out)
{
	buf_put_u64(out, config->probes.ring_bytes);
}

static bool set_lifecycle_ring_size(struct daemon_config *config, const char *text)
{
	return args_parse_bytes(text, &config->probes.lifecycle_ring_bytes) &&
	       config->probes.lifecycle_ring_bytes > 0;
}

static void get_lifecycle_ring_size(const struct daemon_config *config, struct buf *out)
{
	buf_put_u64(out, config->probes.lifecycle_ring_bytes);
}

static bool set_cpus_per_ring(struct daemon_config *config, const char *text)
{
	return args_parse_u32(text, &config->probes.cpus_per_ring) &&
	       config->probes.cpus_per_ring > 0;
}

static void get_cpus_per_ring(const struct daemon_config *config, struct buf *out)
{
	buf_put_u64(out, config->probes.cpus_per_ring);
}

static bool set_match(struct daemon_config *config, const char *text)
{
	config->rules.is_match_all = strcmp(text, "all") == 0;
	return config->rules.is_match_all || strcmp(text, "first") == 0;
}

static void get_match(const struct daemon_config *config, struct buf *out)
{
	buf_puts(out, config->rules.is_match_all ? "all" : "first");
}

/* "enable:tag=NAME", "disable:rule=PATTERN". */
static bool set_select(struct daemon_config *config, const char *text)
{
	struct rule_selector *selector = &config->selectors[config->rules.selector_cnt];
	bool is_enable = strncmp(text, "enable:", 7) == 0;

	if (!is_enable && strncmp(text, "disable:", 8) != 0)
		return false;
	if (config->rules.selector_cnt == DAEMON_SELECTORS_MAX)
		return false;
	text += is_enable ? 7 : 8;
	*selector = (struct rule_selector){ .is_enable = is_enable };
	if (strncmp(text, "rule=", 5) == 0 && text[5])
		selector->rule_pattern = str_from(text + 5);
	else if (strncmp(text, "tag=", 4) == 0 && text[4])
		selector->tag = str_from(text + 4);
	else
		return false;
	config->rules.selector_cnt++;
	return true;
}

static void get_select(const struct daemon_config *config, struct buf *out)
{
	for (uint32_t i = 0; i < config->rules.selector_cnt; i++) {
		const struct rule_selector *selector = &config->selectors[i];

		buf_puts(out, i ? ", " : "");
		buf_puts(out, selector->is_enable ? "enable:" : "disable:");
		buf_puts(out, selector->tag.p ? "tag=" : "rule=");
		buf_put_str(out, selector->tag.p ? selector->tag : selector->rule_pattern);
	}
}

static bool set_append_output(struct daemon_config *config, const char *text)
{
	if (!*text || config->rules.addition_cnt == DAEMON_ADDITIONS_MAX)
		return false;
	config->additions[config->rules.addition_cnt++] =
		(struct output_addition){ .text = str_from(text) };
	return true;
}

static void get_append_output(const struct daemon_config *config, struct buf *out)
{
	for (uint32_t i = 0; i < config->rules.addition_cnt; i++) {
		buf_puts(out, i ? " " : "");
		buf_put_str(out, config->additions[i].text);
	}
}

static bool set_fields(struct daemon_config *config, const char *text)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text || config->constant_cnt == DAEMON_CONSTANTS_MAX)
		return false;
	config->constants[config->constant_cnt++] = (struct constant_field){
		.key = { text, (uint32_t)(equals - text) },
		.value = str_from(equals + 1),
	};
	return true;
}

static void get_fields(const struct daemon_config *config, struct buf *out)
{
	for (uint32_t i = 0; i < config->constant_cnt; i++) {
		buf_puts(out, i ? ", " : "");
		buf_put_str(out, config->constants[i].key);
		buf_putc(out, '=');
		buf_put_str(out, config->constants[i].value);
	}
}

/* ---- metadata ------------------------------------------------------------------------------- */

static bool add_text(const char **list, uint32_t *cnt, const char *text)
{
	if (!*text || *cnt == METADATA_SOCKETS_MAX)
		return false;
	list[(*cnt)++] = text;
	return true;
}

static void put_texts(const char *const *list, uint32_t cnt, struct buf *out)
{
	for (uint32_t i = 0; i < cnt; i++) {
		buf_puts(out, i ? ", " : "");
		buf_puts(out, list[i]);
	}
}

static bool set_runtime_sockets(struct daemon_config *config, const char *text)
{
	config->metadata.want_runtimes = strcmp(text, "off") != 0;
	if (strcmp(text, "off") == 0 || strcmp(text, "auto") == 0) {
		config->metadata.socket_cnt = 0;
		return true;
	}
	return add_text(config->metadata.sockets, &config->metadata.socket_cnt, text);
}

static void get_runtime_sockets(const struct daemon_config *config, struct buf *out)
{
	put_texts(config->metadata.sockets, config->metadata.socket_cnt, out);
	if (config->metadata.socket_cnt == 0)
		buf_puts(out, config->metadata.want_runtimes ? "auto" : "off");
}

static bool set_bundle_roots(struct daemon_config *config, const char *text)
{
	return add_text(config->metadata.bundle_roots, &config->metadata.bundle_root_cnt, text);
}

static void get_bundle_roots(const struct daemon_config *config, struct buf *out)
{
	put_texts(config->metadata.bundle_roots, config->metadata.bundle_root_cnt, out);
}

static const char *const kubernetes_names[] = {
	[KUBERNETES_OFF] = "off",
	[KUBERNETES_AUTO] = "auto",
	[KUBERNETES_API] = "api",
	[KUBERNETES_KUBELET] = "kubelet",
};

static bool set_kubernetes(struct daemon_config *config, const char *text)
{
	for (unsigned i = 0; i < ARRAY_LEN(kubernetes_names); i++) {
		if (strcmp(text, kubernetes_names[i]) != 0)
			continue;
		config->metadata.kubernetes = (enum metadata_kubernetes)i;
		return true;
	}
	return false;
}

static void get_kubernetes(const struct daemon_config *config, struct buf *out)
{
	buf_puts(out, kubernetes_names[config->metadata.kubernetes]);
}

static bool set_deadline(struct daemon_config *config, const char *text)
{
	return args_parse_duration(text, &config->hold.deadline_ns);
}

static void get_deadline(const struct daemon_config *config, struct buf *out)
{
	buf_put_u64(out, config->hold.deadline_ns / NS_PER_MS);
	buf_puts(out, "ms");
}

static bool set_max_held(struct daemon_config *config, const char *text)
{
	return args_parse_u32(text, &config->hold.max_held);
}

static void get_max_held(const struct daemon_config *config, struct buf *out)
{
	buf_put_u64(out, config->hold.max_held);
}

static bool set_all_pods(struct daemon_config *config, const char *text)
{
	config->metadata.want_all_pods = strcmp(text, "true") == 0;
	return config->metadata.want_all_pods || strcmp(text, "false") == 0;
}

static void get_all_pods(const struct daemon_config *config, struct buf *out)
{
	buf_puts(out, config->metadata.want_all_pods ? "true" : "false");
}

#define TEXT_SETTING(name)                                                          \
	static bool set_##name(struct daemon_config *config, const char *text)      \
	{                                                                           \
		config->metadata.name = text;                                       \
		return *text != 0;                                                  \
	}                                                                           \
	static void get_##name(const struct daemon_config *config, struct buf *out) \
	{                                                                           \
		buf_puts(out, config->metadata.name ?: "");                         \
	}

TEXT_SETTING(api_url)
TEXT_SETTING(kubelet_url)
TEXT_SETTING(token_file)
TEXT_SETTING(ca_file)
TEXT_SETTING(node_name)
TEXT_SETTING(host_root)

static const struct setting settings[] = {
	{ "rules.match", "first|all",
	  "Whether the first rule that matches an event raises the alert, or each one.", set_match,
	  get_match },
	{ "rules.select",
	  "enable:tag=NAME, disable:tag=NAME, enable:rule=PATTERN or disable:rule=PATTERN",
	  "Switch rules on or off by tag, or by name with * wildcards; may be given up to 64 "
	  "times, the last that fits a rule wins.",
	  set_select, get_select },
	{ "alerts.append_output", "TEXT",
	  "Text with %fields that is joined to every rule's output; up to 16 times.",
	  set_append_output, get_append_output },
	{ "alerts.fields", "NAME=TEXT",
	  "A field with the same text in every alert's output_fields, such as cluster=west; up to "
	  "16 times.",
	  set_fields, get_fields },
	{ "probes.ring_size", "BYTES",
	  "Size of one ring buffer for events; KiB, MiB and GiB are understood.", set_ring_size,
	  get_ring_size },
	{ "probes.lifecycle_ring_size", "BYTES",
	  "Size of the ring buffer for the start and end of processes.", set_lifecycle_ring_size,
	  get_lifecycle_ring_size },
	{ "probes.cpus_per_ring", "NUMBER", "How many CPUs share one ring buffer.",
	  set_cpus_per_ring, get_cpus_per_ring },
	{ "metadata.runtime_sockets", "auto, off or PATH",
	  "Unix sockets of container runtimes, up to 16; auto looks at the usual places.",
	  set_runtime_sockets, get_runtime_sockets },
	{ "metadata.bundle_roots", "PATH",
	  "State folders that hold containers' OCI bundles, up to 16; instead of the usual ones.",
	  set_bundle_roots, get_bundle_roots },
	{ "metadata.kubernetes", "auto|off|api|kubelet",
	  "Where pods are asked for; auto is the API server where a service account's token is "
	  "mounted.",
	  set_kubernetes, get_kubernetes },
	{ "metadata.api_url", "URL", "The Kubernetes API server; without it that of the cluster.",
	  set_api_url, get_api_url },
	{ "metadata.kubelet_url", "URL", "The kubelet, for metadata.kubernetes=kubelet.",
	  set_kubelet_url, get_kubelet_url },
	{ "metadata.token_file", "PATH",
	  "Bearer token for Kubernetes; without it the service account's.", set_token_file,
	  get_token_file },
	{ "metadata.ca_file", "PATH",
	  "Certificates that the API server is checked against; without it the service account's.",
	  set_ca_file, get_ca_file },
	{ "metadata.node_name", "NAME",
	  "Whose pods are asked for; without it NODE_NAME of the environment, or the host's name.",
	  set_node_name, get_node_name },
	{ "metadata.all_pods", "true|false",
	  "Watch the pods of all nodes, so that peers of connections have names.", set_all_pods,
	  get_all_pods },
	{ "metadata.host_root", "PATH", "Where the host's file system is mounted, such as /host.",
	  set_host_root, get_host_root },
	{ "metadata.deadline", "TIME",
	  "How long an event waits for what runtimes and Kubernetes have to say of it.",
	  set_deadline, get_deadline },
	{ "metadata.max_held", "NUMBER", "How many events may wait at once.", set_max_held,
	  get_max_held },
};

const struct setting *setting_at(unsigned index)
{
	return index < ARRAY_LEN(settings) ? &settings[index] : NULL;
}

static void unknown_setting(struct str key)
{
	struct near_name near;

	near_name_init(&near, key);
	for (unsigned i = 0; i < ARRAY_LEN(settings); i++)
		near_name_offer(&near, settings[i].key);
	if (near.best)
		args_usage_error(&command_run, "unknown setting '%.*s'; did you mean '%s'?",
				 STR_ARG(key), near.best);
	else
		args_usage_error(&command_run,
				 "unknown setting '%.*s'; 'haetae list options' prints them",
				 STR_ARG(key));
}

int settings_apply(struct daemon_config *config, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	struct str key = { assignment, (uint32_t)(equals ? equals - assignment : 0) };

	if (!equals) {
		args_usage_error(&command_run, "'-o %s' is not KEY=VALUE", assignment);
		return SETTINGS_E_INVALID;
	}
	for (unsigned i = 0; i < ARRAY_LEN(settings); i++) {
		if (!str_eq_text(key, settings[i].key))
			continue;
		if (settings[i].set(config, equals + 1))
			return 0;
		args_usage_error(&command_run, "setting '%s': '%s' is not %s", settings[i].key,
				 equals + 1, settings[i].value);
		return SETTINGS_E_INVALID;
	}
	unknown_setting(key);
	return SETTINGS_E_INVALID;
}
