/*
 * libyaml's events to a tree of nodes with places, and recovery from syntax errors. Owns nothing
 * beyond a call: nodes and texts go to the caller's arenas. Called by the loader, once a file.
 */
#include "yaml_private.h"

#include <errno.h>

#include "haetae/table.h"

/* A file with more mistakes in its syntax is given up; the work that recovery does is bounded, too:
 * an unclosed quote makes libyaml read to the end of the file each time. */
#define SYNTAX_ERRORS_MAX 100
#define READ_AGAIN_MAX	  8
#define ANCHORS_MAX	  10000
/* So many bytes of a text count as one value more, each time that an alias repeats it. */
#define SCALAR_WEIGHT_BYTES 32
#define UNIQUE_KEYS_MAX	    64 /* of a map; later ones are not compared */

struct frame {
	struct yaml_node *node;
	struct yaml_node *key; /* read, its value is not */
	bool is_root;	       /* the list of items */
};

struct anchor {
	struct str name;
	struct yaml_node *node;
	struct anchor *next;
};

struct reader {
	struct arena *nodes, *texts;
	struct diags *diags;
	uint32_t source;
	struct str file; /* cleaned */

	yaml_parser_t parser; /* reads file from `base` on */
	uint32_t base;
	size_t cursor_index;	/* libyaml counts characters; this many are */
	uint32_t cursor_offset; /* this many bytes of the file */

	struct frame stack[YAML_DEPTH_MAX];
	unsigned depth;
	struct anchor *anchors;
	unsigned anchor_cnt;
	uint32_t node_cnt;
	struct yaml_entry *items, *last_item;

	uint32_t open_offset;	     /* begin of the line of the open item or document */
	struct yaml_node *last_node; /* item that was completed last by this parser */
	struct yaml_problem problem; /* scalar_… are kept up to date */
	unsigned error_cnt;
	uint64_t read_bytes;
	bool is_stopped; /* what follows in this file is not read */
	bool is_out_of_memory;
};

/* ---- places --------------------------------------------------------------------------------- */

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Marks come nearly in order, so a cursor that moves with them finds each in little time. */
static uint32_t offset_of(struct reader *reader, const yaml_mark_t *mark)
{
	while (reader->cursor_index < mark->index && reader->cursor_offset < reader->file.n) {
		do
			reader->cursor_offset++;
		while (reader->cursor_offset < reader->file.n &&
		       is_continuation(reader->file.p[reader->cursor_offset]));
		reader->cursor_index++;
	}
	while (reader->cursor_index > mark->index && reader->cursor_offset > reader->base) {
		do
			reader->cursor_offset--;
		while (reader->cursor_offset > reader->base &&
		       is_continuation(reader->file.p[reader->cursor_offset]));
		reader->cursor_index--;
	}
	return reader->cursor_offset;
}

static struct span span_of(struct reader *reader, const yaml_event_t *event)
{
	uint32_t begin = offset_of(reader, &event->start_mark);

	return (struct span){ reader->source, begin, offset_of(reader, &event->end_mark) - begin };
}

static uint32_t line_begin(const struct reader *reader, uint32_t offset)
{
	while (offset > reader->base && reader->file.p[offset - 1] != '\n')
		offset--;
	return offset;
}

/* ---- tree ----------------------------------------------------------------------------------- */

static struct yaml_node *new_node(struct reader *reader, enum yaml_kind kind, struct span at)
{
	struct yaml_node *node = arena_new(reader->nodes, struct yaml_node);

	if (!node) {
		reader->is_out_of_memory = true;
		return NULL;
	}
	*node = (struct yaml_node){ .kind = kind, .at = at, .weight = 1 };
	return node;
}

static struct yaml_node *null_node(struct reader *reader, struct span at)
{
	struct yaml_node *node = new_node(reader, YAML_SCALAR, at);

	if (node) {
		node->is_null = true;
		node->text.s = STR("");
	}
	return node;
}

static void stop(struct reader *reader, struct span at, const char *hint, const char *what)
{
	if (!reader->is_stopped)
		diags_error(reader->diags, at, "E0110", hint,
			    "%s; the rest of the file is not read", what);
	reader->is_stopped = true;
}

static bool count_nodes(struct reader *reader, uint32_t weight, struct span at)
{
	if (weight > YAML_NODES_MAX - reader->node_cnt) {
		stop(reader, at, "split the file; aliases count as often as they are used",
		     "more than 1000000 keys and values");
		return false;
	}
	reader->node_cnt += weight;
	return true;
}

static void append(struct reader *reader, struct yaml_entry **first, struct yaml_entry **last,
		   struct yaml_node *key, struct yaml_node *value)
{
	struct yaml_entry *entry = arena_new(reader->nodes, struct yaml_entry);

	if (!entry) {
		reader->is_out_of_memory = true;
		return;
	}
	*entry = (struct yaml_entry){ .key = key, .value = value };
	if (*last)
		(*last)->next = entry;
	else
		*first = entry;
	*last = entry;
}

static void check_key(struct reader *reader, const struct yaml_node *map,
		      const struct yaml_node *key)
{
	unsigned left = UNIQUE_KEYS_MAX;

	if (key->kind != YAML_SCALAR) {
		diags_error(reader->diags, key->at, "E0113", "quote a key that begins with [ or {",
			    "a list or a map cannot be a key");
		return;
	}
	for (const struct yaml_entry *e = map->entries; e && left > 0; e = e->next, left--) {
		if (e->key->kind != YAML_SCALAR || !str_eq(e->key->text.s, key->text.s))
			continue;
		diags_warning(reader->diags, key->at, "W0101", "remove one of the two",
			      "key '%.*s' is given twice; the first one counts",
			      STR_ARG(key->text.s));
		diags_related(reader->diags, e->key->at, "first given here");
		return;
	}
}

static void end_root(struct reader *reader, const struct yaml_node *node)
{
	if (node->kind == YAML_SCALAR && !node->is_null)
		diags_error(reader->diags, node->at, "E0111",
			    "a rule file is a list: begin each item with '- '",
			    "the file is a text, not a list of items");
}

/* A node is complete: into its parent. */
static void add_node(struct reader *reader, struct yaml_node *node)
{
	struct frame *frame = reader->depth ? &reader->stack[reader->depth - 1] : NULL;

	node->is_open = false;
	if (!frame) {
		end_root(reader, node);
		return;
	}
	if (frame->is_root) {
		append(reader, &reader->items, &reader->last_item, NULL, node);
		reader->last_node = node;
		return;
	}
	if (frame->node->kind == YAML_MAP && !frame->key) {
		check_key(reader, frame->node, node);
		frame->key = node;
		return;
	}
	append(reader, &frame->node->entries, &frame->node->last, frame->key, node);
	frame->node->weight += node->weight + (frame->key ? frame->key->weight : 0);
	frame->node->entry_cnt++;
	frame->key = NULL;
}

/* ---- events --------------------------------------------------------------------------------- */

static void add_anchor(struct reader *reader, const yaml_char_t *name, struct yaml_node *node)
{
	struct anchor *anchor;

	if (!name || !node)
		return;
	if (reader->anchor_cnt++ == ANCHORS_MAX) {
		stop(reader, node->at, "write the values out", "more than 10000 anchors");
		return;
	}
	anchor = arena_new(reader->nodes, struct anchor);
	if (anchor)
		anchor->name = arena_str(reader->nodes, str_from((const char *)name));
	if (!anchor || !anchor->name.p) {
		reader->is_out_of_memory = true;
		return;
	}
	anchor->node = node;
	anchor->next = reader->anchors;
	reader->anchors = anchor;
}

static void on_alias(struct reader *reader, const yaml_event_t *event)
{
	struct str name = str_from((const char *)event->data.alias.anchor);
	struct span at = span_of(reader, event);
	struct anchor *anchor = reader->anchors;
	struct yaml_node *node = NULL;

	while (anchor && !str_eq(anchor->name, name))
		anchor = anchor->next;
	if (!anchor)
		diags_error(reader->diags, at, "E0109", "quote a value that begins with '*'",
			    "no value is marked with '&%.*s'", STR_ARG(name));
	else if (anchor->node->is_open)
		diags_error(reader->diags, at, "E0109", "a value cannot hold itself",
			    "'*%.*s' stands inside of what it refers to", STR_ARG(name));
	else if (count_nodes(reader, anchor->node->weight, at))
		node = anchor->node;
	if (!node) {
		node = null_node(reader, at);
		if (node)
			node->is_broken = true;
	}
	if (node)
		add_node(reader, node);
}

static bool is_null_text(struct str s)
{
	return s.n == 0 || str_eq_text(s, "~") || str_eq_text(s, "null") ||
	       str_eq_text(s, "Null") || str_eq_text(s, "NULL");
}

/* What stands behind a '!' is no part of the value. The tags of YAML itself say what we know. */
static void warn_tag(struct reader *reader, const yaml_char_t *tag, const struct yaml_node *node)
{
	if (!tag || str_starts_with(str_from((const char *)tag), STR("tag:yaml.org,2002:")))
		return;
	diags_warning(reader->diags, (struct span){ reader->source, node->at.offset, 1 }, "W0103",
		      "put quotes around the value", "'%s' is a YAML tag and no part of the value",
		      (const char *)tag);
}

/* libyaml's scalar begins at its anchor or tag. */
static uint32_t skip_properties(struct str file, uint32_t offset, uint32_t end)
{
	while (offset < end && (file.p[offset] == '&' || file.p[offset] == '!')) {
		while (offset < end && !memchr(" \t\r\n", file.p[offset], 4))
			offset++;
		while (offset < end && memchr(" \t\r\n", file.p[offset], 4))
			offset++;
	}
	return offset;
}

static void on_scalar(struct reader *reader, const yaml_event_t *event)
{
	struct str value = { (const char *)event->data.scalar.value,
			     (uint32_t)event->data.scalar.length };
	struct yaml_scalar_place place = { reader->file, reader->source, 0, 0,
					   event->data.scalar.style };
	struct yaml_node *node = new_node(reader, YAML_SCALAR, span_of(reader, event));

	if (!node || !count_nodes(reader, 1, node->at))
		return;
	node->weight += value.n / SCALAR_WEIGHT_BYTES;
	place.end = node->at.offset + node->at.length;
	place.begin = skip_properties(reader->file, node->at.offset, place.end);
	node->text = yaml_text(reader->texts, &place, value);
	if (!node->text.s.p) {
		reader->is_out_of_memory = true;
		return;
	}
	warn_tag(reader, event->data.scalar.tag, node);
	reader->problem.is_scalar_block =
		place.style == YAML_LITERAL_SCALAR_STYLE || place.style == YAML_FOLDED_SCALAR_STYLE;
	if (reader->problem.is_scalar_block)
		node->at = text_whole(&node->text);
	node->is_null = place.style == YAML_PLAIN_SCALAR_STYLE && is_null_text(value);
	add_anchor(reader, event->data.scalar.anchor, node);
	reader->problem.has_scalar = true;
	reader->problem.scalar_begin = place.begin;
	reader->problem.scalar_end = place.end;
	reader->problem.is_scalar_quoted = place.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
					   place.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	add_node(reader, node);
}

static void begin_item(struct reader *reader, const struct yaml_node *node)
{
	reader->open_offset = line_begin(reader, node->at.offset);
	reader->problem.key_column =
		node->kind == YAML_MAP ? node->at.offset - reader->open_offset + 1 : 0;
	reader->problem.has_scalar = false;
}

static void on_collection(struct reader *reader, const yaml_event_t *event, enum yaml_kind kind,
			  const yaml_char_t *anchor)
{
	struct yaml_node *node = new_node(reader, kind, span_of(reader, event));
	struct frame *parent = reader->depth ? &reader->stack[reader->depth - 1] : NULL;

	if (!node || !count_nodes(reader, 1, node->at))
		return;
	if (reader->depth == YAML_DEPTH_MAX) {
		stop(reader, node->at, "rule files need no more than six levels",
		     "lists and maps are nested more than 64 deep");
		return;
	}
	if (!parent && kind == YAML_MAP)
		diags_error(reader->diags, (struct span){ reader->source, node->at.offset, 1 },
			    "E0111",
			    reader->file.p[node->at.offset] == '-'
				    ? "write a blank behind the '-'"
				    : "a rule file is a list: begin each item with '- '",
			    "the file is a map, not a list of items");
	if (!parent || parent->is_root)
		begin_item(reader, node);
	node->is_open = true;
	add_anchor(reader, anchor, node);
	reader->stack[reader->depth++] =
		(struct frame){ .node = node, .is_root = !parent && kind == YAML_LIST };
}

static void on_collection_end(struct reader *reader, const yaml_event_t *event)
{
	struct frame *frame = &reader->stack[--reader->depth];
	uint32_t end = offset_of(reader, &event->end_mark);

	/* The end of a block is only seen at what follows it. */
	frame->node->at.length = MAX(frame->node->at.length, end - frame->node->at.offset);
	frame->node->is_open = false;
	if (!frame->is_root)
		add_node(reader, frame->node);
}

static void on_event(struct reader *reader, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		reader->depth = 0;
		reader->last_node = NULL;
		/* Where reading resumed libyaml sees a document that nobody began. */
		if (!event->data.document_start.implicit)
			reader->anchors = NULL;
		return;
	case YAML_SCALAR_EVENT:
		on_scalar(reader, event);
		return;
	case YAML_ALIAS_EVENT:
		on_alias(reader, event);
		return;
	case YAML_SEQUENCE_START_EVENT:
		on_collection(reader, event, YAML_LIST, event->data.sequence_start.anchor);
		return;
	case YAML_MAPPING_START_EVENT:
		on_collection(reader, event, YAML_MAP, event->data.mapping_start.anchor);
		return;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_collection_end(reader, event);
		return;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return;
	}
}

/* ---- recovery ------------------------------------------------------------------------------- */

/* The value that stands right before a syntax error is as likely as not half of what was meant. */
static void drop_last_value(struct yaml_node *item)
{
	struct yaml_entry *entry = item->entries;

	item->is_broken = true;
	if (item->kind != YAML_MAP || !entry || !entry->next)
		return;
	while (entry->next != item->last)
		entry = entry->next;
	entry->next = NULL;
	item->last = entry;
	item->entry_cnt--;
}

/* Begin of the last line up to the offset that starts an item; base where there is none. */
static uint32_t item_before(const struct reader *reader, uint32_t offset)
{
	uint32_t found = reader->base, next;

	while ((next = yaml_next_item(reader->file, found)) <= offset && next < reader->file.n)
		found = next;
	return found;
}

/* Keeps what was read of the item in which the error stands; sets where that item begins. */
static void save_broken_item(struct reader *reader)
{
	struct yaml_problem *problem = &reader->problem;
	uint32_t before;

	if (reader->depth > 0 && !reader->stack[0].is_root) {
		problem->item_offset = reader->open_offset;
		return;
	}
	if (reader->depth > 1) {
		struct yaml_node *item = reader->stack[1].node;

		problem->item_offset = reader->open_offset;
		/* What is open inside the item is incomplete, too, and was not added to it. */
		if (reader->depth == 2 && !reader->stack[1].key)
			drop_last_value(item);
		item->is_broken = true;
		append(reader, &reader->items, &reader->last_item, NULL, item);
		return;
	}
	before = item_before(reader, problem->offset);
	problem->item_offset = before;
	if (reader->last_node && reader->open_offset >= before) {
		problem->item_offset = reader->open_offset;
		drop_last_value(reader->last_node);
	} else {
		problem->has_scalar = false;
		problem->key_column = 0;
	}
}

/* Reports, and sets where to go on. */
static void recover(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	struct yaml_problem *problem = &reader->problem;

	problem->context = parser->context;
	problem->problem = parser->problem ?: "this is no YAML";
	problem->file = reader->file;
	problem->source = reader->source;
	problem->offset = offset_of(reader, &parser->problem_mark);
	problem->context_offset =
		parser->context ? offset_of(reader, &parser->context_mark) : problem->offset;
	save_broken_item(reader);
	problem->resume_offset = yaml_next_item(reader->file, problem->item_offset);
	/* That it is no list was said; all else follows from it. */
	if (reader->depth == 0 || reader->stack[0].is_root)
		yaml_report(reader->diags, problem);
	reader->read_bytes += MAX(problem->offset, problem->resume_offset) - reader->base;
	reader->base = problem->resume_offset;
	if (++reader->error_cnt >= SYNTAX_ERRORS_MAX ||
	    reader->read_bytes > (uint64_t)reader->file.n * READ_AGAIN_MAX + YAML_FILE_MAX / 16) {
		struct span at = { reader->source, reader->base, 1 };

		if (reader->base < reader->file.n)
			diags_error(reader->diags, at, "E0110", "repair what is above first",
				    "too many mistakes; the rest of the file is not read");
		reader->is_stopped = true;
	}
}

/* From base to the end of the file, or to the first syntax error. */
static void read_stretch(struct reader *reader)
{
	yaml_event_type_t type = YAML_NO_EVENT;

	reader->cursor_index = 0;
	reader->cursor_offset = reader->open_offset = reader->base;
	reader->depth = 0;
	reader->last_node = NULL;
	reader->problem = (struct yaml_problem){ 0 };
	if (!yaml_parser_initialize(&reader->parser)) {
		reader->is_out_of_memory = true;
		return;
	}
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->parser,
				     (const unsigned char *)reader->file.p + reader->base,
				     reader->file.n - reader->base);
	while (type != YAML_STREAM_END_EVENT && !reader->is_stopped && !reader->is_out_of_memory) {
		yaml_event_t event;

		if (!yaml_parser_parse(&reader->parser, &event)) {
			if (reader->parser.error == YAML_MEMORY_ERROR)
				reader->is_out_of_memory = true;
			else
				recover(reader);
			yaml_parser_delete(&reader->parser);
			return;
		}
		type = event.type;
		on_event(reader, &event);
		yaml_event_delete(&event);
	}
	reader->base = reader->file.n;
	yaml_parser_delete(&reader->parser);
}

int yaml_read(struct arena *nodes, struct arena *texts, uint32_t source, struct diags *diags,
	      struct yaml_entry **ret)
{
	struct reader reader = { .nodes = nodes, .texts = texts, .diags = diags, .source = source };

	reader.file = diags->sources[source].text;
	/* A byte order mark is no part of the text (YAML 1.1 section 5.2). */
	if (str_starts_with(reader.file, STR(YAML_BOM)))
		reader.base = STR(YAML_BOM).n;
	*ret = NULL;
	if (!yaml_clean(nodes, source, diags, &reader.file))
		return nodes->failed ? -ENOMEM : 0;
	while (reader.base < reader.file.n && !reader.is_stopped && !reader.is_out_of_memory)
		read_stretch(&reader);
	if (reader.is_out_of_memory)
		return -ENOMEM;
	*ret = reader.items;
	return 0;
}

/* ---- lookups -------------------------------------------------------------------------------- */

static const struct yaml_entry *find_entry(const struct yaml_node *map, const char *key)
{
	const struct yaml_entry *entry = map->entries;

	while (entry && (entry->key->kind != YAML_SCALAR || !str_eq_text(entry->key->text.s, key)))
		entry = entry->next;
	return entry;
}

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	const struct yaml_entry *entry = find_entry(map, key);

	return entry ? entry->value : NULL;
}

struct yaml_node *yaml_get_key(const struct yaml_node *map, const char *key)
{
	const struct yaml_entry *entry = find_entry(map, key);

	return entry ? entry->key : NULL;
}
