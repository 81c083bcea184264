/*
 * From YAML nodes to values of options: types, ranges, units, the environment, near names. Owns
 * nothing; strings go to the configuration's arena.
 */
#include <ctype.h>

#include "conf_private.h"

void conf_out_of_memory(struct conf_reading *reading)
{
	reading->conf->private->is_out_of_memory = true;
}

bool conf_is_of_kind(struct conf_reading *reading, const struct conf_node *node,
		     enum conf_node_kind kind)
{
	const struct conf_node wanted = { .kind = kind };

	if (node->kind == kind && !conf_node_is_null(node))
		return true;
	if (conf_node_is_null(node))
		diags_error(reading->diags, node->at, "E0705",
			    "leave the key out where the default is meant", "%s is needed here",
			    conf_node_kind_name(&wanted));
	else
		diags_error(reading->diags, node->at, "E0705",
			    kind == CONF_NODE_LIST  ? "write [a, b], or lines that begin with '- '"
			    : kind == CONF_NODE_MAP ? "write KEY: VALUE, indented"
						    : "write one word, or a text in quotes",
			    "%s is needed here, not %s", conf_node_kind_name(&wanted),
			    conf_node_kind_name(node));
	return false;
}

/* ---- environment ---------------------------------------------------------------------------- */

/* Length of a variable's name at p; 0: none, or no brace behind it. */
static uint32_t variable_length(const char *p, const char *end)
{
	const char *begin = p;

	while (p < end && (isalnum((unsigned char)*p) || *p == '_'))
		p++;
	if (p == begin || p == end || *p != '}' || isdigit((unsigned char)*begin))
		return 0;
	return (uint32_t)(p - begin);
}

/* The text's place in the file holds it as it was written, but for quotes and escapes. */
static struct span place_of(const struct conf_reading *reading, struct span at, struct str part)
{
	struct str file = reading->diags->sources[at.source].text;
	const char *found;

	if (at.offset > file.n || at.length > file.n - at.offset)
		return at;
	found = memmem(file.p + at.offset, at.length, part.p, part.n);
	return found ? (struct span){ at.source, (uint32_t)(found - file.p), part.n } : at;
}

static bool put_variable(struct conf_reading *reading, const struct conf_node *node,
			 struct str written, struct buf *out)
{
	char name[256];
	const char *value;
	uint32_t length = written.n - 3;

	if (length >= sizeof(name)) {
		diags_error(reading->diags, node->at, "E0709", NULL, "the name is too long");
		return false;
	}
	memcpy(name, written.p + 2, length);
	name[length] = 0;
	value = getenv(name);
	if (!value) {
		diags_error(reading->diags, place_of(reading, node->at, written), "E0709",
			    "set it, or write $${ where the text ${ itself is meant",
			    "the environment has no variable '%s'", name);
		return false;
	}
	buf_puts(out, value);
	return true;
}

static bool expand(struct conf_reading *reading, const struct conf_node *node, struct buf *out,
		   bool *ret_is_expanded)
{
	const char *p = node->text.p, *end = p + node->text.n;

	while (p < end) {
		bool is_brace = p + 1 < end && p[0] == '$' && p[1] == '{';
		uint32_t length;

		if (p + 2 < end && p[0] == '$' && p[1] == '$' && p[2] == '{') {
			buf_puts(out, "${");
			p += 3;
			continue;
		}
		if (!is_brace) {
			buf_putc(out, *p++);
			continue;
		}
		length = variable_length(p + 2, end);
		if (length == 0) {
			diags_error(reading->diags, place_of(reading, node->at, STR("${")), "E0709",
				    "write ${NAME}, or $${ where the text ${ itself is meant",
				    "'${' without the name of a variable and '}'");
			return false;
		}
		if (!put_variable(reading, node, (struct str){ p, length + 3 }, out))
			return false;
		*ret_is_expanded = true;
		p += length + 3;
	}
	return true;
}

static void remember(struct conf_reading *reading, const char *value, struct str written)
{
	struct conf_private *private = reading->conf->private;
	struct conf_expansion *expansion = arena_new(&private->arena, struct conf_expansion);

	if (!expansion) {
		conf_out_of_memory(reading);
		return;
	}
	*expansion = (struct conf_expansion){ .value = value,
					      .written = arena_str(&private->arena, written),
					      .next = private->expansions };
	if (!expansion->written.p)
		conf_out_of_memory(reading);
	private->expansions = expansion;
}

const char *conf_text_read(struct conf_reading *reading, const struct conf_node *node)
{
	_cleanup_(buf_done) struct buf out;
	bool is_expanded = false;
	struct str text;

	buf_init(&out, 1u << 20);
	if (!conf_is_of_kind(reading, node, CONF_NODE_TEXT) ||
	    !expand(reading, node, &out, &is_expanded))
		return NULL;
	text = arena_str(&reading->conf->private->arena, buf_str(&out));
	if (!text.p || out.failed) {
		conf_out_of_memory(reading);
		return NULL;
	}
	if (is_expanded)
		remember(reading, text.p, node->text);
	return text.p;
}

bool conf_is_expanded(const struct conf *conf, const char *value, struct str *ret)
{
	const struct conf_expansion *expansion = conf->private->expansions;

	while (expansion && expansion->value != value)
		expansion = expansion->next;
	if (expansion)
		*ret = expansion->written;
	return expansion != NULL;
}

/* ---- scalars -------------------------------------------------------------------------------- */

static void write_number(const struct conf_option *option, void *base, uint64_t value)
{
	void *member = conf_member(base, option->offset);

	switch (option->size) {
	case 1:
		*(bool *)member = value != 0;
		return;
	case 4:
		*(uint32_t *)member = (uint32_t)value;
		return;
	default:
		*(uint64_t *)member = value;
		return;
	}
}

/* By type: what a value is called, and how it is written. */
static const struct {
	const char *name, *hint;
} number_words[CONF_TYPE__COUNT] = {
	[CONF_NUMBER] = { "number", "write decimal digits" },
	[CONF_SIZE] = { "size",
			"write digits and KiB, MiB, GiB or TiB without a blank, such as 4MiB" },
	[CONF_TIME] = { "time",
			"write digits and ms, s, m, h or d without a blank, such as 500ms" },
	[CONF_RATE] = { "rate", "write digits and /s, /m or /h, such as 10/m" },
};

static void report_range(struct conf_reading *reading, const struct conf_option *option,
			 const struct conf_node *node)
{
	_cleanup_(buf_done) struct buf range;

	buf_init(&range, 128);
	conf_number_put(option->type, option->min, &range);
	buf_puts(&range, " to ");
	conf_number_put(option->type, option->max, &range);
	diags_error(reading->diags, node->at, "E0708", NULL, "'%.*s' is out of range",
		    STR_ARG(node->text));
	if (option->type == CONF_RATE)
		diags_hint(reading->diags, "at least one a day");
	else
		diags_hint(reading->diags, "%s takes %.*s", option->key, STR_ARG(buf_str(&range)));
}

static bool read_number(struct conf_reading *reading, const struct conf_option *option,
			const struct conf_node *node)
{
	uint64_t value = 0;
	int r;

	if (option->is_nullable && conf_node_is_null(node)) {
		write_number(option, reading->base, 0);
		return true;
	}
	if (!conf_is_of_kind(reading, node, CONF_NODE_TEXT))
		return false;
	if (option->type == CONF_NUMBER && !node->is_plain) {
		diags_error(reading->diags, node->at, "E0705", "leave the quotes out",
			    "a number is needed here, not a text in quotes");
		return false;
	}
	r = conf_number_parse(option->type, node->text, &value);
	if (r == CONF_NUMBER_BAD) {
		diags_error(reading->diags, node->at, "E0707", number_words[option->type].hint,
			    "'%.*s' is no %s", STR_ARG(node->text),
			    number_words[option->type].name);
		return false;
	}
	if (r == CONF_NUMBER_OVERFLOW || value < option->min || value > option->max) {
		report_range(reading, option, node);
		return false;
	}
	write_number(option, reading->base, value);
	return true;
}

static bool read_bool(struct conf_reading *reading, const struct conf_option *option,
		      const struct conf_node *node)
{
	if (!conf_is_of_kind(reading, node, CONF_NODE_TEXT))
		return false;
	if (!node->is_plain ||
	    (!str_eq_text(node->text, "true") && !str_eq_text(node->text, "false"))) {
		diags_error(reading->diags, node->at, "E0706", "write true or false",
			    "'%.*s' is neither true nor false", STR_ARG(node->text));
		return false;
	}
	write_number(option, reading->base, str_eq_text(node->text, "true"));
	return true;
}

static bool is_choice(const struct conf_option *option, struct str text, const char *name)
{
	if (text.n != strlen(name))
		return false;
	return option->is_any_case ? strncasecmp(text.p, name, text.n) == 0
				   : memcmp(text.p, name, text.n) == 0;
}

static void report_choice(struct conf_reading *reading, const struct conf_option *option,
			  const struct conf_node *node)
{
	_cleanup_(buf_done) struct buf value;
	struct near_name near;

	buf_init(&value, 1024);
	conf_option_value(option, &value);
	near_name_init(&near, node->text);
	for (const struct conf_choice *choice = option->choices; choice->name; choice++)
		near_name_offer(&near, choice->name);
	diags_error(reading->diags, node->at, "E0706", NULL, "'%.*s' is not %.*s",
		    STR_ARG(node->text), STR_ARG(buf_str(&value)));
	if (near.best)
		diags_hint(reading->diags, "did you mean '%s'?", near.best);
	else
		diags_hint(reading->diags, "write one of these words");
}

static bool read_choice(struct conf_reading *reading, const struct conf_option *option,
			const struct conf_node *node)
{
	if (!conf_is_of_kind(reading, node, CONF_NODE_TEXT))
		return false;
	for (const struct conf_choice *choice = option->choices; choice->name; choice++) {
		if (!is_choice(option, node->text, choice->name))
			continue;
		write_number(option, reading->base, (uint64_t)choice->value);
		return true;
	}
	report_choice(reading, option, node);
	return false;
}

static bool read_text(struct conf_reading *reading, const struct conf_option *option,
		      const struct conf_node *node)
{
	const char *text = NULL;

	if (!option->is_nullable || !conf_node_is_null(node)) {
		text = conf_text_read(reading, node);
		if (!text)
			return false;
		if (!*text || (option->is_valid && !option->is_valid(str_from(text)))) {
			/* What came out of the environment may be a secret. */
			if (option->is_secret)
				diags_error(reading->diags, node->at, "E0706", NULL,
					    "this is not %s", option->form);
			else
				diags_error(reading->diags, node->at, "E0706", NULL,
					    "'%.*s' is not %s", STR_ARG(node->text), option->form);
			diags_hint(reading->diags, "%s takes %s", option->key, option->form);
			return false;
		}
	}
	*(const char **)conf_member(reading->base, option->offset) = text;
	return true;
}

/* A flat switch. */
static bool read_value(struct conf_reading *reading, unsigned index, const struct conf_node *node)
{
	const struct conf_option *option = &reading->options[index];

	switch (option->type) {
	case CONF_BOOL:
		return read_bool(reading, option, node);
	case CONF_NUMBER:
	case CONF_SIZE:
	case CONF_TIME:
	case CONF_RATE:
		return read_number(reading, option, node);
	case CONF_TEXT:
		return read_text(reading, option, node);
	case CONF_CHOICE:
		return read_choice(reading, option, node);
	case CONF_TEXTS:
	case CONF_SOCKETS:
	case CONF_SELECTORS:
	case CONF_ADDITIONS:
	case CONF_FIELDS:
	case CONF_GATE_KEYS:
	case CONF_HEADERS:
		return conf_list_read(reading, index, node);
	case CONF_SINKS:
		return conf_sinks_read(reading, node);
	case CONF_TYPE__COUNT:
		break;
	}
	return false;
}

bool conf_option_read(struct conf_reading *reading, unsigned index, const struct conf_node *node)
{
	bool is_good = read_value(reading, index, node);

	if (reading->options[index].is_secret)
		conf_hide(reading->diags, node);
	if (!is_good)
		return false;
	reading->origins[index] = (struct conf_origin){
		.kind = reading->kind,
		.file = reading->file,
		.line = diags_position(reading->diags, node->at).line,
		.at = node->at,
	};
	return true;
}

/* ---- keys ----------------------------------------------------------------------------------- */

static bool is_below(const struct conf_option *option, const char *prefix)
{
	return strncmp(option->key, prefix, strlen(prefix)) == 0;
}

static const char *last_part(const char *key)
{
	const char *dot = strrchr(key, '.');

	return dot ? dot + 1 : key;
}

static void report_unknown(struct conf_reading *reading, const char *prefix,
			   const struct conf_node *key)
{
	struct near_name near;
	const struct conf_option *option, *elsewhere = NULL;

	near_name_init(&near, key->text);
	for (option = reading->options; option->key; option++) {
		struct str part;
		const char *begin = option->key + strlen(prefix);

		if (str_eq_text(key->text, last_part(option->key)))
			elsewhere = option;
		if (!is_below(option, prefix))
			continue;
		part = arena_str(&reading->conf->private->arena,
				 (struct str){ begin, (uint32_t)strcspn(begin, ".") });
		if (part.p)
			near_name_offer(&near, part.p);
	}
	diags_error(reading->diags, key->at, "E0703",
		    "'haetae list options' prints the keys there are", "unknown key '%s%.*s'",
		    prefix, STR_ARG(key->text));
	if (near.best)
		diags_hint(reading->diags, "did you mean '%s'?", near.best);
	else if (elsewhere)
		diags_hint(reading->diags, "there is '%s'", elsewhere->key);
}

/* "metadata" where there is "metadata.deadline". */
static bool is_section(const struct conf_reading *reading, const char *name)
{
	size_t n = strlen(name);

	for (const struct conf_option *option = reading->options; option->key; option++)
		if (strncmp(option->key, name, n) == 0 && option->key[n] == '.')
			return true;
	return false;
}

static void read_entry(struct conf_reading *reading, const char *prefix,
		       const struct conf_entry *entry)
{
	struct str key = arena_printf(&reading->conf->private->arena, "%s%.*s", prefix,
				      STR_ARG(entry->key->text));
	struct str below;

	if (!key.p) {
		conf_out_of_memory(reading);
		return;
	}
	if (memchr(entry->key->text.p, '.', entry->key->text.n)) {
		report_unknown(reading, prefix, entry->key);
		conf_hide(reading->diags, entry->value);
		diags_hint(reading->diags, "in a file the parts of a key are maps in each other");
		return;
	}
	for (unsigned i = 0; reading->options[i].key; i++) {
		if (!str_eq_text(key, reading->options[i].key))
			continue;
		(void)conf_option_read(reading, i, entry->value);
		return;
	}
	if (!is_section(reading, key.p)) {
		report_unknown(reading, prefix, entry->key);
		/* It may be a secret whose key is misspelt. */
		conf_hide(reading->diags, entry->value);
		return;
	}
	below = arena_printf(&reading->conf->private->arena, "%s.", key.p);
	if (!below.p)
		conf_out_of_memory(reading);
	/* A section whose keys are all commented out. */
	else if (!conf_node_is_null(entry->value) &&
		 conf_is_of_kind(reading, entry->value, CONF_NODE_MAP))
		conf_map_read(reading, below.p, entry->value);
}

void conf_map_read(struct conf_reading *reading, const char *prefix, const struct conf_node *map)
{
	for (const struct conf_entry *entry = map->entries; entry; entry = entry->next)
		read_entry(reading, prefix, entry);
}
