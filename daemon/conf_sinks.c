/*
 * The list of sinks. Owns nothing; called while a configuration is read.
 */
#include "conf_private.h"

static struct sink_config *find_sink(struct conf *conf, struct str name)
{
	for (uint32_t i = 0; i < conf->daemon.sink_cnt; i++)
		if (conf->daemon.sinks[i].name && str_eq_text(name, conf->daemon.sinks[i].name))
			return &conf->daemon.sinks[i];
	return NULL;
}

static struct sink_config *new_sink(struct conf_reading *reading, struct span at)
{
	struct daemon_config *config = &reading->conf->daemon;
	uint32_t index = config->sink_cnt;

	if (index == SINKS_MAX) {
		diags_error(reading->diags, at, "E0713", "there is room for 16", "too many sinks");
		return NULL;
	}
	sink_config_default(&config->sinks[index]);
	memset(reading->conf->private->sink_origins[index], 0,
	       sizeof(reading->conf->private->sink_origins[index]));
	config->sink_cnt++;
	return &config->sinks[index];
}

struct conf_reading conf_sink_reading(const struct conf_reading *reading,
				      const struct sink_config *sink)
{
	struct conf_reading result = *reading;
	size_t index = (size_t)(sink - reading->conf->daemon.sinks);

	result.options = conf_sink_option_at(0);
	result.base = &reading->conf->daemon.sinks[index];
	result.origins = reading->conf->private->sink_origins[index];
	return result;
}

struct sink_config *conf_sink_of(struct conf_reading *reading, struct str name, struct span at)
{
	struct sink_config *sink = find_sink(reading->conf, name);
	struct str copy;

	if (sink)
		return sink;
	if (!conf_is_sink_name(name)) {
		diags_error(reading->diags, at, "E0711",
			    "use letters, digits, '_', '.' and '-', at most 64",
			    "'%.*s' cannot be the name of a sink", STR_ARG(name));
		return NULL;
	}
	copy = arena_str(&reading->conf->private->arena, name);
	if (!copy.p) {
		conf_out_of_memory(reading);
		return NULL;
	}
	sink = new_sink(reading, at);
	if (sink)
		sink->name = copy.p;
	return sink;
}

static const struct conf_node *name_of(const struct conf_node *map)
{
	for (const struct conf_entry *e = map->entries; e; e = e->next)
		if (str_eq_text(e->key->text, "name"))
			return e->value;
	return NULL;
}

static void read_sink(struct conf_reading *reading, const struct conf_node *node)
{
	const struct conf_node *name;
	struct sink_config *sink;
	struct conf_reading own;

	if (!conf_is_of_kind(reading, node, CONF_NODE_MAP))
		return;
	name = name_of(node);
	if (!name) {
		diags_error(reading->diags, node->at, "E0710", "add name: NAME",
			    "this sink has no name");
		return;
	}
	if (name->kind == CONF_NODE_TEXT && find_sink(reading->conf, name->text)) {
		diags_error(reading->diags, name->at, "E0711", "give each sink a name of its own",
			    "two sinks have the name '%.*s'", STR_ARG(name->text));
		return;
	}
	sink = new_sink(reading, node->at);
	if (!sink)
		return;
	own = conf_sink_reading(reading, sink);
	conf_map_read(&own, "", node);
}

bool conf_sinks_read(struct conf_reading *reading, const struct conf_node *node)
{
	bool is_list = conf_is_of_kind(reading, node, CONF_NODE_LIST);

	if (is_list)
		reading->conf->daemon.sink_cnt = 0;
	for (const struct conf_entry *e = node->entries; is_list && e; e = e->next)
		read_sink(reading, e->value);
	/* Also what was not read, because something above it is wrong. */
	conf_hide_secrets(reading->diags, node);
	return is_list;
}
