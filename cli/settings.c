/*
 * Settings by name. Owns only the table.
 */
#include "settings.h"

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
