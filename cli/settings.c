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

static const struct setting settings[] = {
	{ "rules.match", "first|all",
	  "Whether the first rule that matches an event raises the alert, or each one.", set_match,
	  get_match },
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
