/*
 * A configuration as a YAML file: the effective one with origins, and the example of all options.
 * Owns nothing.
 */
#include "conf_private.h"

#define LINE_WIDTH 88

/* ---- what an option takes ------------------------------------------------------------------- */

static void put_range(const struct conf_option *option, struct buf *out)
{
	if (option->type == CONF_RATE)
		return;
	buf_puts(out, ", ");
	conf_number_put(option->type, option->min, out);
	buf_puts(out, " to ");
	conf_number_put(option->type, option->max, out);
}

static void put_choices(const struct conf_option *option, struct buf *out)
{
	const char *separator = "one of ";

	for (const struct conf_choice *choice = option->choices; choice->name; choice++) {
		buf_printf(out, "%s%s", separator, choice->name);
		separator = ", ";
	}
}

void conf_option_value(const struct conf_option *option, struct buf *out)
{
	static const char *const names[CONF_TYPE__COUNT] = {
		[CONF_BOOL] = "true or false",
		[CONF_NUMBER] = "number",
		[CONF_SIZE] = "size",
		[CONF_TIME] = "time",
		[CONF_RATE] = "rate",
		[CONF_TEXTS] = "list",
		[CONF_SOCKETS] = "auto, off or list",
		[CONF_SELECTORS] = "list of maps",
		[CONF_ADDITIONS] = "list of texts or maps",
		[CONF_FIELDS] = "map",
		[CONF_GATE_KEYS] = "list",
		[CONF_HEADERS] = "map",
		[CONF_SINKS] = "list of maps",
	};

	if (option->type == CONF_CHOICE)
		put_choices(option, out);
	else
		buf_puts(out, option->type == CONF_TEXT ? option->form : names[option->type]);
	if (option->type >= CONF_NUMBER && option->type <= CONF_RATE)
		put_range(option, out);
	if (option->is_nullable)
		buf_puts(out, ", or null");
	if (option->type >= CONF_TEXTS && option->type != CONF_GATE_KEYS)
		buf_printf(out, ", at most %llu", (unsigned long long)option->max);
}

void conf_option_default(const struct conf_option *option, bool is_sink, struct buf *out)
{
	struct sink_config sink;
	_cleanup_(freep) struct daemon_config *config = calloc(1, sizeof(*config));

	if (!config)
		return;
	sink_config_default(&sink);
	daemon_config_default(config);
	if (option->type == CONF_SINKS)
		buf_puts(out, "[{name: console, type: stdout}]");
	else if (is_sink && (option->offset == offsetof(struct sink_config, name) ||
			     option->offset == offsetof(struct sink_config, type) ||
			     option->offset == offsetof(struct sink_config, format)))
		return;
	else
		conf_put_value(NULL, option, is_sink ? (void *)&sink : (void *)config, out);
}

/* ---- sections ------------------------------------------------------------------------------- */

/* Bytes of both that are whole parts with their dot: "alerts.dedupe.by", "alerts.queue" -> 7. */
static size_t common_sections(const char *a, const char *b)
{
	size_t common = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == '.')
			common = i + 1;
	return common;
}

static void put_indent(struct buf *out, unsigned depth, const char *mark)
{
	for (unsigned i = 0; i < depth; i++)
		buf_puts(out, "  ");
	buf_puts(out, mark);
}

static unsigned depth_of(const char *key, size_t n)
{
	unsigned depth = 0;

	for (size_t i = 0; i < n && key[i]; i++)
		depth += key[i] == '.';
	return depth;
}

/* Opens the maps that the key stands in and the key before it does not; returns the depth of the
 * key's own line. `first` is put before the first line of all, in place of an indentation. */
static unsigned put_sections(const char *key, const char *before, unsigned base, const char **first,
			     const char *mark, struct buf *out)
{
	size_t at = common_sections(key, before);

	for (const char *dot; (dot = strchr(key + at, '.')) != NULL; at = (size_t)(dot + 1 - key)) {
		if (*first) {
			buf_puts(out, *first);
			*first = NULL;
		} else {
			put_indent(out, base + depth_of(key, at), mark);
		}
		buf_printf(out, "%.*s:\n", (int)(dot - key - (ptrdiff_t)at), key + at);
	}
	return base + depth_of(key, strlen(key));
}

static const char *last_part(const char *key)
{
	const char *dot = strrchr(key, '.');

	return dot ? dot + 1 : key;
}

/* ---- the effective configuration ------------------------------------------------------------ */

static void put_origin(const struct conf_origin *origin, struct buf *out)
{
	buf_puts(out, "  # ");
	switch (origin->kind) {
	case CONF_FROM_DEFAULT:
		buf_puts(out, "default");
		break;
	case CONF_FROM_FILE:
		buf_printf(out, "%s:%u", origin->file, origin->line);
		break;
	case CONF_FROM_OPTION:
		buf_puts(out, "-o");
		break;
	case CONF_FROM_COMMAND_LINE:
		buf_puts(out, "command line");
		break;
	}
	buf_putc(out, '\n');
}

static uint32_t type_bit(const char *type)
{
	static const char *const names[] = { "stdout", "file", "syslog", "http", "program" };

	for (unsigned i = 0; type && i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], type) == 0)
			return 1u << i;
	return CONF_SINK_ALL;
}

static void print_sink(const struct conf *conf, uint32_t index, struct buf *out)
{
	const struct sink_config *sink = &conf->daemon.sinks[index];
	const char *before = "", *first = "  - ";

	for (unsigned i = 0; conf_sink_option_at(i); i++) {
		const struct conf_option *option = conf_sink_option_at(i);
		unsigned depth;

		if (!(option->sinks & type_bit(sink->type)))
			continue;
		depth = put_sections(option->key, before, 2, &first, "", out);
		if (first)
			buf_puts(out, first);
		else
			put_indent(out, depth, "");
		first = NULL;
		buf_printf(out, "%s: ", last_part(option->key));
		conf_put_value(conf, option, sink, out);
		put_origin(&conf->private->sink_origins[index][i], out);
		before = option->key;
	}
}

void conf_print(const struct conf *conf, struct buf *out)
{
	const char *before = "", *first = NULL;

	for (unsigned i = 0; conf_option_at(i); i++) {
		const struct conf_option *option = conf_option_at(i);
		unsigned depth = put_sections(option->key, before, 0, &first, "", out);

		before = option->key;
		if (option->type == CONF_SINKS) {
			buf_puts(out, conf->daemon.sink_cnt ? "sinks:\n" : "sinks: []\n");
			for (uint32_t k = 0; k < conf->daemon.sink_cnt; k++)
				print_sink(conf, k, out);
			continue;
		}
		put_indent(out, depth, "");
		buf_printf(out, "%s: ", last_part(option->key));
		conf_put_value(conf, option, &conf->daemon, out);
		put_origin(&conf->private->origins[i], out);
	}
}

/* ---- the example ---------------------------------------------------------------------------- */

static void put_folded(struct buf *out, unsigned depth, const char *mark, const char *text)
{
	size_t room = LINE_WIDTH - 2 * depth - 2 - strlen(mark);

	while (*text) {
		size_t cut = strlen(text);

		if (cut > room) {
			cut = room;
			while (cut > 0 && text[cut] != ' ')
				cut--;
		}
		put_indent(out, depth, mark);
		buf_printf(out, "# %.*s\n", (int)cut, text);
		text += cut + (text[cut] == ' ');
	}
}

static void put_example_row(const struct conf_option *option, bool is_sink, unsigned depth,
			    const char *mark, struct buf *out)
{
	_cleanup_(buf_done) struct buf value;

	buf_init(&value, 4096);
	conf_option_value(option, &value);
	put_folded(out, depth, "", option->doc);
	if (!is_sink && option->is_live)
		put_folded(out, depth, "", "Takes effect with a reload.");
	put_folded(out, depth, "", buf_str(&value).p);
	buf_clear(&value);
	conf_option_default(option, is_sink, &value);
	put_indent(out, depth, mark);
	buf_printf(out, "%s: %.*s", last_part(option->key), STR_ARG(buf_str(&value)));
	if (option->example)
		buf_printf(out, "  # such as %s", option->example);
	buf_putc(out, '\n');
}

/* One example for each type of sink; all options are in haetae.yaml(5). */
static const char sinks_example[] = "# Where alerts go. haetae.yaml(5) names all keys of a sink.\n"
				    "#sinks:\n"
				    "#  - name: console\n"
				    "#    type: stdout\n"
				    "#  - name: alerts\n"
				    "#    type: file\n"
				    "#    path: /var/log/haetae/alerts.json\n"
				    "#    max_size: 64MiB\n"
				    "#  - name: journal\n"
				    "#    type: syslog\n"
				    "#    min_priority: warning\n"
				    "#  - name: hook\n"
				    "#    type: http\n"
				    "#    url: https://hooks.example/haetae\n"
				    "#    format: falco\n"
				    "#    min_priority: notice\n"
				    "#    durable: true\n"
				    "#    auth:\n"
				    "#      hmac_secret: \"${HOOK_SECRET}\"\n"
				    "#    batch:\n"
				    "#      max: 100\n"
				    "#      wait: 200ms\n"
				    "#  - name: responder\n"
				    "#    type: program\n"
				    "#    command: [/usr/local/bin/on-alert, --json]\n"
				    "#    tags: [network]\n";

void conf_example(struct buf *out)
{
	const char *before = "", *first = NULL;

	buf_puts(
		out,
		"# Configuration of haetae: every option with its default. Made from the table of\n"
		"# options ('haetae list options --yaml'); haetae.yaml(5) explains the form.\n"
		"# 'haetae check -c FILE' validates it, 'haetae run --print-config' shows what "
		"counts.\n");
	for (unsigned i = 0; conf_option_at(i); i++) {
		const struct conf_option *option = conf_option_at(i);
		bool is_http = strcmp(option->key, "http.listen") == 0;
		unsigned depth;

		if (common_sections(option->key, before) == 0)
			buf_putc(out, '\n');
		if (option->type == CONF_SINKS) {
			buf_puts(out, sinks_example);
			before = option->key;
			continue;
		}
		depth = put_sections(option->key, before, 0, &first, "", out);
		before = option->key;
		if (!is_http) {
			put_example_row(option, false, depth, "#", out);
			continue;
		}
		put_folded(out, depth, "", option->doc);
		/* On in the packaged configuration, off in the built-in defaults (decision 42). */
		put_indent(out, depth, "listen: 127.0.0.1:9479\n");
	}
}
