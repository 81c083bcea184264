/*
 * Whether the parts of a configuration fit together, and defaults that depend on other values.
 * Owns nothing.
 */
#include <strings.h>

#include "conf_private.h"

struct sink_type {
	const char *name;
	enum conf_sink_type bit;
	const char *required; /* key */
};

static const struct sink_type types[] = {
	{ "stdout", CONF_SINK_STDOUT, NULL },	     { "file", CONF_SINK_FILE, "path" },
	{ "syslog", CONF_SINK_SYSLOG, NULL },	     { "http", CONF_SINK_HTTP, "url" },
	{ "program", CONF_SINK_PROGRAM, "command" },
};

static const struct conf_origin *origin_of(const struct conf *conf, uint32_t sink, const char *key)
{
	for (unsigned i = 0; conf_sink_option_at(i); i++)
		if (strcmp(conf_sink_option_at(i)->key, key) == 0)
			return &conf->private->sink_origins[sink][i];
	hae_assert(false);
	return NULL;
}

/* Where the key was given, else where the sink was named. */
static struct span place_of(const struct conf *conf, uint32_t sink, const char *key)
{
	const struct conf_origin *origin = origin_of(conf, sink, key);

	if (origin->kind == CONF_FROM_DEFAULT)
		origin = origin_of(conf, sink, "name");
	return origin->at;
}

static const struct sink_type *type_of(const struct conf *conf, uint32_t sink, struct diags *diags)
{
	const struct sink_config *config = &conf->daemon.sinks[sink];
	struct near_name near;

	if (!config->type) {
		diags_error(diags, place_of(conf, sink, "type"), "E0710",
			    "add type: stdout, file, syslog, http or program",
			    "sink '%s' has no type", config->name);
		return NULL;
	}
	near_name_init(&near, str_from(config->type));
	for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i].name, config->type) == 0)
			return &types[i];
		near_name_offer(&near, types[i].name);
	}
	diags_error(diags, place_of(conf, sink, "type"), "E0706",
		    "types are stdout, file, syslog, http and program",
		    "sink '%s': there is no type '%s'", config->name, config->type);
	if (near.best)
		diags_hint(diags, "did you mean '%s'?", near.best);
	return NULL;
}

static void check_keys(const struct conf *conf, uint32_t sink, const struct sink_type *type,
		       struct diags *diags)
{
	const struct sink_config *config = &conf->daemon.sinks[sink];

	for (unsigned i = 0; conf_sink_option_at(i); i++) {
		const struct conf_option *option = conf_sink_option_at(i);
		const struct conf_origin *origin = &conf->private->sink_origins[sink][i];
		bool is_needed = type->required && strcmp(type->required, option->key) == 0;

		if (origin->kind != CONF_FROM_DEFAULT && !(option->sinks & type->bit))
			diags_error(diags, origin->at, "E0710", "leave it out",
				    "sink '%s': a sink of type %s has no '%s'", config->name,
				    type->name, option->key);
		if (is_needed && origin->kind == CONF_FROM_DEFAULT)
			diags_error(diags, place_of(conf, sink, "type"), "E0710", "add it",
				    "sink '%s': a sink of type %s needs '%s'", config->name,
				    type->name, option->key);
	}
}

static void check_template(struct conf *conf, uint32_t sink, struct diags *diags)
{
	const struct sink_config *config = &conf->daemon.sinks[sink];
	char error[192];

	if (!sink_template_check(config->http.template_body, config->http.content_type, error,
				 sizeof(error)))
		diags_error(diags, place_of(conf, sink, "template"), "E0706",
			    "docs/webhooks.md lists placeholders and filters",
			    "sink '%s': template:%s", config->name, error);
}

static void check_format(struct conf *conf, uint32_t sink, const struct sink_type *type,
			 struct diags *diags)
{
	struct sink_config *config = &conf->daemon.sinks[sink];
	bool is_http = type->bit == CONF_SINK_HTTP, is_terminal = isatty(STDOUT_FILENO);

	if (type->bit == CONF_SINK_STDOUT)
		config->want_color = is_terminal && !getenv("NO_COLOR");
	if (origin_of(conf, sink, "format")->kind == CONF_FROM_DEFAULT) {
		config->format = SINK_JSON;
		if (type->bit == CONF_SINK_SYSLOG || (type->bit == CONF_SINK_STDOUT && is_terminal))
			config->format = SINK_TEXT;
	}
	if (is_http ? config->format == SINK_TEXT : config->format > SINK_JSON)
		diags_error(diags, place_of(conf, sink, "format"), "E0710",
			    is_http ? "use json, or one of the formats of receivers"
				    : "use text or json",
			    "sink '%s': a sink of type %s has no such format", config->name,
			    type->name);
	if ((config->format == SINK_TEMPLATE) != (config->http.template_body != NULL))
		diags_error(diags, place_of(conf, sink, "template"), "E0710",
			    "format: template and template: TEXT go together",
			    "sink '%s': one of format and template is missing", config->name);
	else if (config->http.template_body)
		check_template(conf, sink, diags);
}

static void check_pairs(const struct conf *conf, uint32_t sink, struct diags *diags)
{
	const struct sink_config *config = &conf->daemon.sinks[sink];

	if (!config->tls.cert_file != !config->tls.key_file)
		diags_error(diags,
			    place_of(conf, sink, config->tls.key_file ? "tls.key" : "tls.cert"),
			    "E0710", "tls.cert and tls.key go together",
			    "sink '%s': one of tls.cert and tls.key is missing", config->name);
	if (config->retry_min_ns > config->retry_max_ns)
		diags_error(diags, place_of(conf, sink, "retry.max"), "E0708",
			    "retry.max is at least retry.min",
			    "sink '%s': retry.max is less than retry.min", config->name);
}

/* ---- secrets -------------------------------------------------------------------------------- */

static bool has_user_part(const char *url)
{
	const char *authority = strstr(url, "://");
	size_t n;

	if (!authority)
		return false;
	authority += 3;
	n = strcspn(authority, "/?#");
	return memchr(authority, '@', n) != NULL;
}

static bool is_secret_header(const char *header)
{
	static const char *const words[] = { "authorization", "token", "key", "secret", "cookie" };
	struct str name = { header, (uint32_t)strcspn(header, ":") };
	char lower[64] = "";

	for (uint32_t i = 0; i < name.n && i < sizeof(lower) - 1; i++)
		lower[i] = (char)(header[i] | 0x20);
	for (unsigned i = 0; i < ARRAY_LEN(words); i++)
		if (strstr(lower, words[i]))
			return true;
	return false;
}

static bool is_literal(const struct conf *conf, const char *text)
{
	struct str written;

	return text && !conf_is_expanded(conf, text, &written);
}

static void warn_secret(const struct conf *conf, uint32_t sink, const char *key,
			struct diags *diags)
{
	const struct conf_origin *origin = origin_of(conf, sink, key);

	if (origin->kind == CONF_FROM_FILE)
		diags_warning(diags, origin->at, "W0701",
			      "chmod o-r the file, or write ${NAME} and set the variable",
			      "every user can read the file in which this secret stands");
}

static void check_secrets(const struct conf *conf, uint32_t sink, struct diags *diags)
{
	const struct sink_config *config = &conf->daemon.sinks[sink];

	if (!conf->private->is_world_readable)
		return;
	if (is_literal(conf, config->http.hmac_secret))
		warn_secret(conf, sink, "auth.hmac_secret", diags);
	if (is_literal(conf, config->http.url) &&
	    (has_user_part(config->http.url) || strstr(config->http.url, "hooks.slack.com/")))
		warn_secret(conf, sink, "url", diags);
	if (is_literal(conf, config->http.proxy) && has_user_part(config->http.proxy))
		warn_secret(conf, sink, "proxy", diags);
	for (uint32_t i = 0; i < config->http.header_cnt; i++) {
		if (!is_secret_header(config->http.headers[i]) ||
		    !is_literal(conf, config->http.headers[i]))
			continue;
		warn_secret(conf, sink, "headers", diags);
		return;
	}
}

/* ---- all ------------------------------------------------------------------------------------ */

static void check_sinks(struct conf *conf, struct diags *diags)
{
	if (conf->daemon.sink_cnt == 0)
		diags_error(diags, SPAN_NONE, "E0705", "leave 'sinks' out, or name one",
			    "there is no sink: alerts would go nowhere");
	for (uint32_t i = 0; i < conf->daemon.sink_cnt; i++) {
		const struct sink_type *type;

		if (!conf->daemon.sinks[i].name)
			continue; /* reported */
		type = type_of(conf, i, diags);
		if (!type)
			continue;
		check_keys(conf, i, type, diags);
		check_format(conf, i, type, diags);
		check_pairs(conf, i, diags);
		check_secrets(conf, i, diags);
	}
}

static const struct conf_origin *origin_of_option(const struct conf *conf, const char *key)
{
	for (unsigned i = 0; conf_option_at(i); i++)
		if (strcmp(conf_option_at(i)->key, key) == 0)
			return &conf->private->origins[i];
	hae_assert(false);
	return NULL;
}

int conf_finish(struct conf *conf, struct diags *diags)
{
	struct daemon_config *config = &conf->daemon;
	uint32_t errors_before = diags->error_cnt;

	/* As other tools in a DaemonSet know it. */
	if (!config->metadata.host_root || !*config->metadata.host_root)
		config->metadata.host_root = getenv("HOST_ROOT");
	if (!config->metadata.host_root || strcmp(config->metadata.host_root, "/") == 0)
		config->metadata.host_root = "";
	if (config->probes.scope_pid && config->probes.scope_cgroup)
		diags_error(diags, origin_of_option(conf, "probes.scope.cgroup")->at, "E0712",
			    "leave one of them out",
			    "probes.scope.pid and probes.scope.cgroup exclude each other");
	if (config->metadata.kubernetes == KUBERNETES_KUBELET)
		diags_warning(diags, origin_of_option(conf, "metadata.kubernetes")->at, "W0702",
			      "metadata.kubernetes: api needs no more than to list and watch pods",
			      "the kubelet's list of pods needs nodes/proxy, which is as good as "
			      "exec in any pod");
	check_sinks(conf, diags);
	return diags->error_cnt > errors_before ? CONF_E_INVALID : 0;
}
