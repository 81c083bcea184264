/*
 * libyaml's events to a tree of nodes with places. Stricter than the reader of rule files: what a
 * configuration does not need (anchors, tags, several documents) is an error, and so is a key given
 * twice. Owns nothing: nodes go to the caller's arena.
 */
#include "conf_yaml.h"

#include <errno.h>
#include <strings.h>
#include <yaml.h>

struct conf_reader {
	struct arena *arena;
	struct diags *diags;
	uint32_t source;
	struct str file;
	yaml_parser_t parser;
	size_t cursor_index;	/* libyaml counts characters; this many are */
	uint32_t cursor_offset; /* this many bytes of the file */
	struct conf_node *stack[CONF_DEPTH_MAX];
	struct conf_node *keys[CONF_DEPTH_MAX]; /* read, their values are not */
	unsigned depth;
	uint32_t node_cnt, document_cnt;
	struct conf_node *root;
	bool is_stopped, is_out_of_memory;
};

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Marks come nearly in order: a cursor that moves with them finds each in little time. */
static uint32_t offset_of(struct conf_reader *reader, size_t index)
{
	while (reader->cursor_index < index && reader->cursor_offset < reader->file.n) {
		do
			reader->cursor_offset++;
		while (reader->cursor_offset < reader->file.n &&
		       is_continuation(reader->file.p[reader->cursor_offset]));
		reader->cursor_index++;
	}
	while (reader->cursor_index > index && reader->cursor_offset > 0) {
		do
			reader->cursor_offset--;
		while (reader->cursor_offset > 0 &&
		       is_continuation(reader->file.p[reader->cursor_offset]));
		reader->cursor_index--;
	}
	return reader->cursor_offset;
}

static struct span span_of(struct conf_reader *reader, const yaml_event_t *event)
{
	uint32_t begin = offset_of(reader, event->start_mark.index);
	uint32_t end = offset_of(reader, event->end_mark.index);

	return (struct span){ reader->source, begin, MAX(end - begin, 1u) };
}

static void stop(struct conf_reader *reader, struct span at, const char *hint, const char *what)
{
	diags_error(reader->diags, at, "E0702", hint, "%s", what);
	reader->is_stopped = true;
}

static struct conf_node *new_node(struct conf_reader *reader, enum conf_node_kind kind,
				  const yaml_event_t *event)
{
	struct conf_node *node = arena_new(reader->arena, struct conf_node);

	if (!node) {
		reader->is_out_of_memory = true;
		return NULL;
	}
	*node = (struct conf_node){ .kind = kind, .at = span_of(reader, event) };
	if (++reader->node_cnt > CONF_NODES_MAX) {
		stop(reader, node->at, "a configuration has at most 16384 keys and values",
		     "the file is too large");
		return NULL;
	}
	return node;
}

/* ---- secrets -------------------------------------------------------------------------------- */

/* What keys that hold one are called; in headers anything may be. */
static const char *const secret_words[] = { "secret", "url",	  "authorization", "token", "key",
					    "proxy",  "password", "cookie",	   "header" };

void conf_hide(struct diags *diags, const struct conf_node *node)
{
	struct diag_source *source = &diags->sources[node->at.source];
	char *text = (char *)(uintptr_t)source->text.p;

	for (const struct conf_entry *e = node->entries; e; e = e->next)
		conf_hide(diags, e->value);
	if (node->kind != CONF_NODE_TEXT || node->at.source == 0 || conf_node_is_null(node))
		return;
	for (uint32_t i = node->at.offset;
	     i < source->text.n && i - node->at.offset < node->at.length; i++)
		if (text[i] != '\n')
			text[i] = '*';
}

static bool is_secret_word(struct str text)
{
	for (unsigned i = 0; i < ARRAY_LEN(secret_words); i++)
		for (uint32_t at = 0; at + strlen(secret_words[i]) <= text.n; at++)
			if (strncasecmp(text.p + at, secret_words[i], strlen(secret_words[i])) == 0)
				return true;
	return false;
}

void conf_hide_secrets(struct diags *diags, const struct conf_node *node)
{
	for (const struct conf_entry *e = node->entries; e; e = e->next) {
		if (e->key && is_secret_word(e->key->text))
			conf_hide(diags, e->value);
		else
			conf_hide_secrets(diags, e->value);
	}
}

/* ---- tree ----------------------------------------------------------------------------------- */

static bool is_given_twice(struct conf_reader *reader, const struct conf_node *map,
			   const struct conf_node *key)
{
	for (const struct conf_entry *e = map->entries; e; e = e->next) {
		if (!str_eq(e->key->text, key->text))
			continue;
		diags_error(reader->diags, key->at, "E0704", "remove one of the two",
			    "key '%.*s' is given twice", STR_ARG(key->text));
		diags_related(reader->diags, e->key->at, "first given here");
		return true;
	}
	return false;
}

static void append(struct conf_reader *reader, struct conf_node *parent, struct conf_node *key,
		   struct conf_node *value)
{
	struct conf_entry *entry;

	if (key && is_given_twice(reader, parent, key)) {
		conf_hide(reader->diags, value);
		return;
	}
	entry = arena_new(reader->arena, struct conf_entry);
	if (!entry) {
		reader->is_out_of_memory = true;
		return;
	}
	*entry = (struct conf_entry){ .key = key, .value = value };
	if (parent->last)
		parent->last->next = entry;
	else
		parent->entries = entry;
	parent->last = entry;
	parent->entry_cnt++;
}

/* A node is complete: into its parent. */
static void add_node(struct conf_reader *reader, struct conf_node *node)
{
	struct conf_node *parent = reader->depth ? reader->stack[reader->depth - 1] : NULL;
	struct conf_node **key = reader->depth ? &reader->keys[reader->depth - 1] : NULL;

	if (!parent) {
		reader->root = node;
		return;
	}
	if (parent->kind == CONF_NODE_LIST) {
		append(reader, parent, NULL, node);
		return;
	}
	if (!*key) {
		*key = node;
		if (node->kind != CONF_NODE_TEXT)
			stop(reader, node->at, "quote a text that begins with [ or {",
			     "a list or a map cannot be a key");
		return;
	}
	append(reader, parent, *key, node);
	*key = NULL;
}

static void on_text(struct conf_reader *reader, const yaml_event_t *event)
{
	struct conf_node *node = new_node(reader, CONF_NODE_TEXT, event);
	struct str value = { (const char *)event->data.scalar.value,
			     (uint32_t)event->data.scalar.length };

	if (!node)
		return;
	if (event->data.scalar.anchor || event->data.scalar.tag) {
		stop(reader, node->at, "put quotes around a value that begins with & or !",
		     "anchors and tags of YAML have no place in a configuration");
		return;
	}
	if (value.n && memchr(value.p, 0, value.n)) {
		stop(reader, node->at, "remove it", "a NUL character in a value");
		return;
	}
	node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->text = arena_str(reader->arena, value);
	if (!node->text.p) {
		reader->is_out_of_memory = true;
		return;
	}
	add_node(reader, node);
}

static void on_collection(struct conf_reader *reader, const yaml_event_t *event,
			  enum conf_node_kind kind, const yaml_char_t *anchor,
			  const yaml_char_t *tag)
{
	struct conf_node *node = new_node(reader, kind, event);

	if (!node)
		return;
	if (anchor || tag)
		stop(reader, node->at, "write the value out",
		     "anchors and tags of YAML have no place in a configuration");
	else if (reader->depth == CONF_DEPTH_MAX)
		stop(reader, node->at, "a configuration needs no more than five levels",
		     "lists and maps are nested more than 16 deep");
	if (reader->is_stopped)
		return;
	node->at.length = 1; /* the end of a block is only seen at what follows it */
	reader->stack[reader->depth] = node;
	reader->keys[reader->depth++] = NULL;
}

static void on_event(struct conf_reader *reader, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (reader->document_cnt++ > 0)
			stop(reader, span_of(reader, event), "put everything into one document",
			     "a second document begins here");
		return;
	case YAML_SCALAR_EVENT:
		on_text(reader, event);
		return;
	case YAML_ALIAS_EVENT:
		stop(reader, span_of(reader, event), "quote a value that begins with '*'",
		     "aliases of YAML have no place in a configuration");
		return;
	case YAML_SEQUENCE_START_EVENT:
		on_collection(reader, event, CONF_NODE_LIST, event->data.sequence_start.anchor,
			      event->data.sequence_start.tag);
		return;
	case YAML_MAPPING_START_EVENT:
		on_collection(reader, event, CONF_NODE_MAP, event->data.mapping_start.anchor,
			      event->data.mapping_start.tag);
		return;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		add_node(reader, reader->stack[--reader->depth]);
		return;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return;
	}
}

static const char *hint_for(const char *problem)
{
	if (strstr(problem, "tab"))
		return "indent with blanks";
	if (strstr(problem, "mapping values are not allowed"))
		return "a value that holds ': ' needs quotes around it, and keys of a map stand in "
		       "one column";
	if (strstr(problem, "cannot start any token"))
		return "put quotes around the value; indent with blanks, not with tabs";
	if (strstr(problem, "expected ',' or"))
		return "close the list with ] or the map with }, and quote what holds such "
		       "characters";
	if (strstr(problem, "UTF-8") || strstr(problem, "control characters"))
		return "save the file as UTF-8 without control characters";
	return "check the indentation, and put quotes around values that are no plain words";
}

/* Nothing of the file was understood, and the line that is shown may hold a secret: values behind
 * keys that name one are made stars in the diagnostics' copy. */
static void hide_secrets(struct conf_reader *reader)
{
	char *text = (char *)(uintptr_t)reader->file.p;

	for (uint32_t i = 0; i < reader->file.n; i++) {
		uint32_t at = 0;

		for (unsigned w = 0; w < ARRAY_LEN(secret_words) && !at; w++)
			if (reader->file.n - i > strlen(secret_words[w]) &&
			    strncasecmp(text + i, secret_words[w], strlen(secret_words[w])) == 0)
				at = i + (uint32_t)strlen(secret_words[w]);
		if (!at)
			continue;
		while (at < reader->file.n && text[at] != ':' && text[at] != '\n')
			at++;
		for (i = at; i + 1 < reader->file.n && text[i + 1] != '\n'; i++)
			if (text[i + 1] != ' ' && text[i + 1] != '\r')
				text[i + 1] = '*';
	}
}

static void on_syntax_error(struct conf_reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *problem = parser->problem ?: "this is no YAML";
	/* The end of the file says nothing of where a quote was opened. */
	bool is_quote = parser->context && strstr(parser->context, "quoted scalar");
	size_t index = (is_quote ? parser->context_mark : parser->problem_mark).index;
	uint32_t offset = parser->error == YAML_READER_ERROR ? (uint32_t)parser->problem_offset
							     : offset_of(reader, index);
	struct span at = { reader->source, MIN(offset, reader->file.n), 1 };

	diags_error(reader->diags, at, "E0702",
		    is_quote ? "close it with the same quote" : hint_for(problem), "%s",
		    is_quote ? "a quoted text without an end" : problem);
	if (parser->context && !is_quote &&
	    parser->context_mark.index != parser->problem_mark.index)
		diags_related(reader->diags,
			      (struct span){ reader->source,
					     offset_of(reader, parser->context_mark.index), 1 },
			      "%s that begins here", parser->context);
	hide_secrets(reader);
	reader->is_stopped = true;
}

static void read_events(struct conf_reader *reader)
{
	yaml_event_type_t type = YAML_NO_EVENT;

	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->file.p,
				     reader->file.n);
	while (type != YAML_STREAM_END_EVENT && !reader->is_stopped && !reader->is_out_of_memory) {
		yaml_event_t event;

		if (!yaml_parser_parse(&reader->parser, &event)) {
			if (reader->parser.error == YAML_MEMORY_ERROR)
				reader->is_out_of_memory = true;
			else
				on_syntax_error(reader);
			return;
		}
		type = event.type;
		on_event(reader, &event);
		yaml_event_delete(&event);
	}
}

int conf_yaml_read(struct arena *arena, uint32_t source, struct diags *diags,
		   struct conf_node **ret)
{
	struct conf_reader reader = { .arena = arena, .diags = diags, .source = source };

	reader.file = diags->sources[source].text;
	*ret = NULL;
	if (!yaml_parser_initialize(&reader.parser))
		return -ENOMEM;
	read_events(&reader);
	yaml_parser_delete(&reader.parser);
	if (reader.is_out_of_memory)
		return -ENOMEM;
	if (!reader.is_stopped)
		*ret = reader.root;
	return 0;
}

bool conf_node_is_null(const struct conf_node *node)
{
	return node->kind == CONF_NODE_TEXT && node->is_plain &&
	       (node->text.n == 0 || str_eq_text(node->text, "~") ||
		str_eq_text(node->text, "null"));
}

const char *conf_node_kind_name(const struct conf_node *node)
{
	static const char *const names[] = {
		[CONF_NODE_TEXT] = "a text",
		[CONF_NODE_LIST] = "a list",
		[CONF_NODE_MAP] = "a map",
	};

	return names[node->kind];
}
