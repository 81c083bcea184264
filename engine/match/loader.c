/*
 * Rule files to definitions: items in the order of the files, each to the reader of its kind,
 * merged over all files. Owns the sets of definitions while files are read; the definitions
 * themselves live in the ruleset's arena. Called by ruleset.c, thread of the caller.
 */
#include "loader.h"

#include <errno.h>

/* A file has at most YAML_NODES_MAX nodes of some hundred bytes. */
#define NODES_BYTES_MAX (512u << 20)

/* Definitions begin with their name, so that one function compares all kinds. */
_Static_assert(offsetof(struct list_def, name) == 0, "def_set");
_Static_assert(offsetof(struct macro_def, name) == 0, "def_set");
_Static_assert(offsetof(struct rule_def, name) == 0, "def_set");

static bool has_name(const void *node, const void *key)
{
	return str_eq(((const struct text *)node)->s, *(const struct str *)key);
}

/* ---- sets ------------------------------------------------------------------------------------ */

void *def_set_find(const struct def_set *set, struct str name)
{
	return table_find(&set->by_name, str_hash(name), &name);
}

static bool make_room(struct def_set *set)
{
	uint32_t cap = set->cap ? set->cap * 2 : 64;
	void **items;

	if (set->cnt < set->cap)
		return true;
	items = reallocarray(set->items, cap, sizeof(*items));
	if (!items)
		return false;
	set->items = items;
	set->cap = cap;
	return true;
}

void *def_set_add(struct loader *loader, struct def_set *set, const void *def, size_t size)
{
	void *copy = arena_alloc(loader->arena, size);
	struct str name = ((const struct text *)def)->s;

	if (!copy || !make_room(set) ||
	    table_insert(&set->by_name, str_hash(name), &name, copy) != 0) {
		loader->is_out_of_memory = true;
		return NULL;
	}
	memcpy(copy, def, size);
	set->items[set->cnt++] = copy;
	return copy;
}

void *loader_grow(struct loader *loader, const void *items, uint32_t cnt, uint32_t more,
		  size_t size, uint32_t *cap)
{
	uint32_t wanted = MAX(cnt + more, cnt * 2);
	void *grown;

	if (*cap >= cnt + more)
		return (void *)(uintptr_t)items;
	grown = arena_zalloc_array(loader->arena, wanted, size);
	if (!grown) {
		loader->is_out_of_memory = true;
		return NULL;
	}
	if (cnt)
		memcpy(grown, items, cnt * size);
	*cap = wanted;
	return grown;
}

void def_order_new(struct loader *loader, struct def_order *order)
{
	order->index = order->visibility = loader->next_index++;
	order->first_file = order->last_file = loader->file_number;
}

void def_order_touch(struct loader *loader, struct def_order *order)
{
	order->visibility = loader->next_index++;
	order->last_file = loader->file_number;
}

static void set_init(struct def_set *set)
{
	*set = (struct def_set){ 0 };
	table_init(&set->by_name, LOADER_DEFS_MAX, has_name);
}

static void set_done(struct def_set *set)
{
	free(set->items);
	table_done(&set->by_name);
}

void loader_init(struct loader *loader, struct arena *arena, struct diags *diags)
{
	*loader = (struct loader){ .arena = arena, .diags = diags };
	arena_init(&loader->nodes, NODES_BYTES_MAX);
	set_init(&loader->lists);
	set_init(&loader->macros);
	set_init(&loader->rules);
}

void loader_done(struct loader *loader)
{
	arena_done(&loader->nodes);
	set_done(&loader->lists);
	set_done(&loader->macros);
	set_done(&loader->rules);
}

/* ---- items ----------------------------------------------------------------------------------- */

/* Tests of many rules together; they are the tester's. */
static void read_tests(struct loader *loader, const struct yaml_node *map)
{
	enum key_state state;

	(void)loader_node(loader, map, "tests", YAML_LIST, &state);
}

/* The first of these that an item has says what it is. */
static const struct item_kind {
	const char *key;
	void (*read)(struct loader *loader, const struct yaml_node *map);
} item_kinds[] = {
	{ "required_engine_version", loader_engine_version },
	{ "required_plugin_versions", loader_plugin_versions },
	{ "list", loader_list },
	{ "macro", loader_macro },
	{ "rule", loader_rule },
	{ "tests", read_tests },
};

static void report_unknown(struct loader *loader, const struct yaml_node *map)
{
	const struct yaml_node *key = map->entries ? map->entries->key : map;
	struct near_name near = { 0 };

	/* A syntax error may have taken the key that says what it is. */
	if (map->is_broken)
		return;
	if (key->kind == YAML_SCALAR)
		near_name_init(&near, key->text.s);
	for (unsigned i = 0; key->kind == YAML_SCALAR && i < ARRAY_LEN(item_kinds); i++)
		near_name_offer(&near, item_kinds[i].key);
	diags_warning(loader->diags, key->at, "W0501",
		      "an item has one of the keys rule, macro, list, required_engine_version, "
		      "required_plugin_versions, tests",
		      "unknown item; it is ignored");
	if (near.best)
		diags_hint(loader->diags, "did you mean '%s'?", near.best);
}

static void read_item(struct loader *loader, const struct yaml_node *item)
{
	if (item->kind == YAML_SCALAR && item->is_null)
		return;
	if (item->kind != YAML_MAP) {
		diags_error(loader->diags, item->at, "E0112",
			    "begin it with '- rule: ...', '- macro: ...' or '- list: ...'",
			    "an item is a map of keys and values, not a %s",
			    item->kind == YAML_LIST ? "list" : "text");
		return;
	}
	loader->place.line = diags_position(loader->diags, item->at).line;
	for (unsigned i = 0; i < ARRAY_LEN(item_kinds); i++) {
		if (!yaml_get(item, item_kinds[i].key))
			continue;
		item_kinds[i].read(loader, item);
		return;
	}
	report_unknown(loader, item);
}

static struct text whole_source(struct loader *loader, uint32_t number)
{
	struct text text = { .s = arena_str(loader->arena, loader->diags->sources[number].text) };
	struct text_segment *segment = arena_new(loader->arena, struct text_segment);

	if (!text.s.p || !segment) {
		loader->is_out_of_memory = true;
		return text;
	}
	*segment = (struct text_segment){ .source = number, .length = text.s.n };
	text.segments = segment;
	text.segment_cnt = 1;
	return text;
}

void loader_add_own(struct loader *loader, const struct rules_own *own, uint32_t condition,
		    uint32_t output)
{
	struct rule_def rule = { .place = { arena_str(loader->arena, own->name), 1 },
				 .is_enabled = true,
				 .sees_all = own->sees_all,
				 .is_self_test = own->is_self_test,
				 .priority = PRIORITY_DEBUG };

	loader->file_number++;
	rule.condition = whole_source(loader, condition);
	rule.output = whole_source(loader, output);
	rule.name = rule.desc = rule.condition;
	rule.name.s = rule.desc.s = rule.place.file;
	rule.source.s = STR(LOADER_SOURCE);
	def_order_new(loader, &rule.order);
	if (!rule.name.s.p || def_set_find(&loader->rules, own->name))
		loader->is_out_of_memory = true;
	else
		def_set_add(loader, &loader->rules, &rule, sizeof(rule));
}

void loader_add(struct loader *loader, uint32_t source)
{
	struct yaml_entry *items;

	loader->source = source;
	loader->file_number++;
	loader->place.file = arena_str(loader->arena, loader->diags->sources[source].name);
	if (!loader->place.file.p ||
	    yaml_read(&loader->nodes, loader->arena, source, loader->diags, &items) < 0) {
		loader->is_out_of_memory = true;
		return;
	}
	for (; items && !loader->is_out_of_memory; items = items->next)
		read_item(loader, items->value);
	arena_reset(&loader->nodes);
}

/* ---- result ---------------------------------------------------------------------------------- */

static void free_table(void *data)
{
	table_done(data);
}

/* All definitions of a set in one array, and a table over it. Rules without a condition have an
 * error, and nothing to compile. */
static void *pack(struct loader *loader, const struct def_set *set, size_t size, bool is_rules,
		  uint32_t *ret_cnt, struct table **ret_table)
{
	char *array = arena_zalloc_array(loader->arena, set->cnt, size);
	struct table *table = arena_new(loader->arena, struct table);
	uint32_t cnt = 0;

	if (!array || !table || arena_on_done(loader->arena, free_table, table) < 0)
		return NULL;
	table_init(table, LOADER_DEFS_MAX, has_name);
	for (uint32_t i = 0; i < set->cnt; i++) {
		struct str name = ((const struct text *)set->items[i])->s;

		if (is_rules && !((const struct rule_def *)set->items[i])->condition.s.p)
			continue;
		memcpy(array + cnt * size, set->items[i], size);
		if (table_insert(table, str_hash(name), &name, array + cnt * size) != 0)
			return NULL;
		cnt++;
	}
	*ret_cnt = cnt;
	*ret_table = table;
	return array;
}

int loader_finish(struct loader *loader, struct defs *ret)
{
	struct defs defs = { 0 };

	if (loader->is_out_of_memory)
		return -ENOMEM;
	defs.lists = pack(loader, &loader->lists, sizeof(*defs.lists), false, &defs.list_cnt,
			  &defs.list_table);
	defs.macros = pack(loader, &loader->macros, sizeof(*defs.macros), false, &defs.macro_cnt,
			   &defs.macro_table);
	defs.rules = pack(loader, &loader->rules, sizeof(*defs.rules), true, &defs.rule_cnt,
			  &defs.rule_table);
	if (!defs.lists || !defs.macros || !defs.rules)
		return -ENOMEM;
	for (uint32_t i = 0; i < defs.rule_cnt; i++)
		if (!defs.rules[i].is_foreign)
			loader_exceptions_check(loader, &defs.rules[i]);
	if (loader->is_out_of_memory)
		return -ENOMEM;
	*ret = defs;
	return 0;
}
