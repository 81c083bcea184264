/*
 * Options that are lists or maps. Each has a reader of one entry; entries of one list given by
 * several -o add up. Owns nothing.
 */
#include "conf_private.h"

const char *const conf_gate_key_names[GATE_KEY__COUNT] = {
	[GATE_RULE] = "rule",
	[GATE_CONTAINER] = "container.id",
	[GATE_EXEPATH] = "proc.exepath",
};

/* The next free place of a list, or NULL (reported). */
static uint32_t *count_of(struct conf_reading *reading, const struct conf_option *option)
{
	return conf_member(reading->base, option->cnt_offset);
}

static bool has_room(struct conf_reading *reading, const struct conf_option *option,
		     const struct conf_node *node)
{
	if (*count_of(reading, option) < option->max)
		return true;
	diags_error(reading->diags, node->at, "E0713", NULL, "%s has too many entries",
		    option->key);
	diags_hint(reading->diags, "there is room for %llu", (unsigned long long)option->max);
	return false;
}

static bool report_form(struct conf_reading *reading, const struct conf_node *node,
			const char *form)
{
	diags_error(reading->diags, node->at, "E0706", NULL, "this is not %s", form);
	diags_hint(reading->diags, "write %s", form);
	return false;
}

/* ---- texts ---------------------------------------------------------------------------------- */

static bool add_text(struct conf_reading *reading, const struct conf_option *option,
		     const struct conf_node *key, const struct conf_node *node)
{
	const char **texts = conf_member(reading->base, option->offset);
	const char *text;

	(void)key;
	if (!has_room(reading, option, node))
		return false;
	text = conf_text_read(reading, node);
	if (!text)
		return false;
	if (!*text || (option->is_valid && !option->is_valid(str_from(text))))
		return report_form(reading, node, option->form);
	texts[(*count_of(reading, option))++] = text;
	return true;
}

static bool add_socket(struct conf_reading *reading, const struct conf_option *option,
		       const struct conf_node *key, const struct conf_node *node)
{
	static const char form[] = "auto, off, or absolute paths of sockets";
	struct conf_option path = *option;

	path.form = form;
	path.is_valid = conf_is_path;
	return add_text(reading, &path, key, node);
}

/* ---- rules.select --------------------------------------------------------------------------- */

#define SELECTOR_FORM "{disable: {tag: NAME}}, {enable: {rule: PATTERN}} or the like"

static bool put_selector(struct conf_reading *reading, const struct conf_node *node, bool is_enable,
			 bool is_tag, const char *text)
{
	struct daemon_config *config = reading->base;
	struct rule_selector *selector = &config->selectors[config->rules.selector_cnt];

	if (!*text)
		return report_form(reading, node, SELECTOR_FORM);
	*selector = (struct rule_selector){ .is_enable = is_enable };
	*(is_tag ? &selector->tag : &selector->rule_pattern) = str_from(text);
	config->rules.selector_cnt++;
	return true;
}

/* "disable:tag=NAME" */
static bool add_selector_text(struct conf_reading *reading, const struct conf_node *node)
{
	static const struct {
		const char *begin;
		bool is_enable, is_tag;
	} forms[] = {
		{ "enable:tag=", true, true },
		{ "enable:rule=", true, false },
		{ "disable:tag=", false, true },
		{ "disable:rule=", false, false },
	};
	const char *text = conf_text_read(reading, node);

	for (unsigned i = 0; text && i < ARRAY_LEN(forms); i++) {
		size_t n = strlen(forms[i].begin);

		if (strncmp(text, forms[i].begin, n) == 0)
			return put_selector(reading, node, forms[i].is_enable, forms[i].is_tag,
					    text + n);
	}
	return text && report_form(reading, node,
				   "enable:tag=NAME, disable:tag=NAME, enable:rule=PATTERN or "
				   "disable:rule=PATTERN");
}

/* The one entry of a map; NULL where it has another number of them (reported). */
static const struct conf_entry *only_entry(struct conf_reading *reading,
					   const struct conf_node *node)
{
	if (node->kind == CONF_NODE_MAP && node->entry_cnt == 1)
		return node->entries;
	report_form(reading, node, SELECTOR_FORM);
	return NULL;
}

static bool add_selector(struct conf_reading *reading, const struct conf_option *option,
			 const struct conf_node *key, const struct conf_node *node)
{
	const struct conf_entry *action, *what;
	const char *text;

	(void)key;
	if (!has_room(reading, option, node))
		return false;
	if (node->kind == CONF_NODE_TEXT)
		return add_selector_text(reading, node);
	action = only_entry(reading, node);
	what = action ? only_entry(reading, action->value) : NULL;
	if (!what)
		return false;
	if ((!str_eq_text(action->key->text, "enable") &&
	     !str_eq_text(action->key->text, "disable")) ||
	    (!str_eq_text(what->key->text, "tag") && !str_eq_text(what->key->text, "rule")))
		return report_form(reading, node, SELECTOR_FORM);
	text = conf_text_read(reading, what->value);
	return text && put_selector(reading, what->value, str_eq_text(action->key->text, "enable"),
				    str_eq_text(what->key->text, "tag"), text);
}

/* ---- alerts.append_output ------------------------------------------------------------------- */

#define ADDITION_FORM \
	"a text, or {match: {rule: NAME, source: NAME, tags: [TAG]}, extra_output: TEXT}"

static bool read_tags(struct conf_reading *reading, const struct conf_node *node,
		      struct output_addition *addition)
{
	struct str *tags;

	if (!conf_is_of_kind(reading, node, CONF_NODE_LIST))
		return false;
	tags = arena_new_array(&reading->conf->private->arena, struct str, node->entry_cnt);
	if (!tags) {
		conf_out_of_memory(reading);
		return false;
	}
	for (const struct conf_entry *e = node->entries; e; e = e->next) {
		const char *tag = conf_text_read(reading, e->value);

		if (!tag)
			return false;
		tags[addition->tag_cnt++] = str_from(tag);
	}
	addition->tags = tags;
	return true;
}

static bool read_match(struct conf_reading *reading, const struct conf_node *node,
		       struct output_addition *addition)
{
	if (!conf_is_of_kind(reading, node, CONF_NODE_MAP))
		return false;
	for (const struct conf_entry *e = node->entries; e; e = e->next) {
		bool is_rule = str_eq_text(e->key->text, "rule");
		const char *text;

		if (str_eq_text(e->key->text, "tags")) {
			if (!read_tags(reading, e->value, addition))
				return false;
			continue;
		}
		if (!is_rule && !str_eq_text(e->key->text, "source"))
			return report_form(reading, e->key, ADDITION_FORM);
		text = conf_text_read(reading, e->value);
		if (!text)
			return false;
		*(is_rule ? &addition->rule : &addition->source) = str_from(text);
	}
	return true;
}

static bool read_addition(struct conf_reading *reading, const struct conf_node *node,
			  struct output_addition *addition)
{
	for (const struct conf_entry *e = node->entries; e; e = e->next) {
		const char *text;

		if (str_eq_text(e->key->text, "match")) {
			if (!read_match(reading, e->value, addition))
				return false;
			continue;
		}
		if (!str_eq_text(e->key->text, "extra_output"))
			return report_form(reading, e->key, ADDITION_FORM);
		text = conf_text_read(reading, e->value);
		if (!text)
			return false;
		addition->text = str_from(text);
	}
	return addition->text.n || report_form(reading, node, ADDITION_FORM);
}

static bool add_addition(struct conf_reading *reading, const struct conf_option *option,
			 const struct conf_node *key, const struct conf_node *node)
{
	struct daemon_config *config = reading->base;
	struct output_addition addition = { 0 };

	(void)key;
	if (!has_room(reading, option, node))
		return false;
	if (node->kind == CONF_NODE_MAP) {
		if (!read_addition(reading, node, &addition))
			return false;
	} else {
		const char *text = conf_text_read(reading, node);

		if (!text || (!*text && !report_form(reading, node, ADDITION_FORM)))
			return false;
		addition.text = str_from(text);
	}
	config->additions[config->rules.addition_cnt++] = addition;
	return true;
}

/* ---- alerts.fields and headers -------------------------------------------------------------- */

/* "NAME=TEXT", for -o. */
static bool split(struct conf_reading *reading, const struct conf_node *node, char separator,
		  const char *form, struct str *ret_key, const char **ret_text)
{
	const char *text = conf_text_read(reading, node);
	const char *at = text ? strchr(text, separator) : NULL;

	if (!text)
		return false;
	if (!at || at == text)
		return report_form(reading, node, form);
	*ret_key = (struct str){ text, (uint32_t)(at - text) };
	*ret_text = at + 1;
	return true;
}

static bool add_field(struct conf_reading *reading, const struct conf_option *option,
		      const struct conf_node *key, const struct conf_node *node)
{
	struct daemon_config *config = reading->base;
	struct str name = key ? key->text : STR_NONE;
	const char *text;

	if (!has_room(reading, option, node))
		return false;
	if (!key && !split(reading, node, '=', "NAME=TEXT", &name, &text))
		return false;
	if (key) {
		text = conf_text_read(reading, node);
		if (!text)
			return false;
	}
	if (name.n == 0)
		return report_form(reading, key, "a field's name");
	config->constants[config->constant_cnt++] =
		(struct constant_field){ .key = name, .value = str_from(text) };
	return true;
}

/* A token of RFC 9110 section 5.6.2. */
static bool is_header_name(struct str text)
{
	for (uint32_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] >= 0x7f ||
		    memchr("\"(),/:;<=>?@[\\]{}", text.p[i], 17))
			return false;
	return text.n > 0;
}

static bool is_header_value(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
			return false;
	return true;
}

static bool add_header(struct conf_reading *reading, const struct conf_option *option,
		       const struct conf_node *key, const struct conf_node *node)
{
	struct conf_private *private = reading->conf->private;
	struct sink_config *sink = reading->base;
	struct str name = key ? key->text : STR_NONE, header, written;
	const char *text = NULL;

	if (!has_room(reading, option, node))
		return false;
	if (!key && !split(reading, node, ':', "Name: value", &name, &text))
		return false;
	if (key)
		text = conf_text_read(reading, node);
	if (!text)
		return false;
	if (!is_header_name(name))
		return report_form(reading, key ?: node, "a header's name");
	if (!is_header_value(text))
		return report_form(reading, node, "a header's value in one line");
	header = arena_printf(&private->arena, "%.*s: %s", STR_ARG(name), text + strspn(text, " "));
	if (!header.p) {
		conf_out_of_memory(reading);
		return false;
	}
	if (key && conf_is_expanded(reading->conf, text, &written)) {
		struct conf_expansion *expansion =
			arena_new(&private->arena, struct conf_expansion);

		if (!expansion) {
			conf_out_of_memory(reading);
			return false;
		}
		*expansion = (struct conf_expansion){ header.p, written, private->expansions };
		private->expansions = expansion;
	}
	sink->http.headers[sink->http.header_cnt++] = header.p;
	return true;
}

/* ---- alerts.dedupe.by ----------------------------------------------------------------------- */

static bool add_gate_key(struct conf_reading *reading, const struct conf_option *option,
			 const struct conf_node *key, const struct conf_node *node)
{
	struct daemon_config *config = reading->base;

	(void)key;
	(void)option;
	if (!conf_is_of_kind(reading, node, CONF_NODE_TEXT))
		return false;
	for (unsigned i = 0; i < GATE_KEY__COUNT; i++) {
		if (!str_eq_text(node->text, conf_gate_key_names[i]))
			continue;
		config->gate.by[i] = true;
		return true;
	}
	return report_form(reading, node, "rule, container.id or proc.exepath");
}

/* ---- all of them ---------------------------------------------------------------------------- */

typedef bool (*add_fn)(struct conf_reading *reading, const struct conf_option *option,
		       const struct conf_node *key, const struct conf_node *node);

static const struct {
	add_fn add;
	bool is_map; /* in a file; with -o a text that add() splits */
} lists[CONF_TYPE__COUNT] = {
	[CONF_TEXTS] = { add_text, false },	    [CONF_SOCKETS] = { add_socket, false },
	[CONF_SELECTORS] = { add_selector, false }, [CONF_ADDITIONS] = { add_addition, false },
	[CONF_FIELDS] = { add_field, true },	    [CONF_HEADERS] = { add_header, true },
	[CONF_GATE_KEYS] = { add_gate_key, false },
};

static void clear(struct conf_reading *reading, const struct conf_option *option)
{
	if (option->type == CONF_GATE_KEYS)
		memset(conf_member(reading->base, option->offset), 0, option->size);
	else
		*count_of(reading, option) = 0;
}

/* auto and off are no lists. */
static bool is_socket_word(struct conf_reading *reading, const struct conf_node *node)
{
	struct daemon_config *config = reading->base;
	bool is_auto = node->kind == CONF_NODE_TEXT && str_eq_text(node->text, "auto");
	bool is_off = node->kind == CONF_NODE_TEXT && str_eq_text(node->text, "off");

	config->metadata.want_runtimes = !is_off;
	if (is_auto || is_off)
		config->metadata.socket_cnt = 0;
	return is_auto || is_off;
}

bool conf_list_read(struct conf_reading *reading, unsigned index, const struct conf_node *node)
{
	const struct conf_option *option = &reading->options[index];
	enum conf_node_kind kind = lists[option->type].is_map ? CONF_NODE_MAP : CONF_NODE_LIST;
	bool is_option = reading->kind == CONF_FROM_OPTION, is_good = true;

	if (!is_option || reading->origins[index].kind != CONF_FROM_OPTION)
		clear(reading, option);
	if (option->type == CONF_SOCKETS && is_socket_word(reading, node))
		return true;
	if (is_option && node->kind == CONF_NODE_TEXT)
		return lists[option->type].add(reading, option, NULL, node);
	if (!conf_is_of_kind(reading, node, kind))
		return false;
	for (const struct conf_entry *e = node->entries; e; e = e->next)
		is_good &= lists[option->type].add(reading, option, e->key, e->value);
	return is_good;
}
