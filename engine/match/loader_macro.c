/*
 * Lists and macros (rule-language.md 1.4, 1.5). Owns nothing: definitions go to the loader's sets.
 */
#include "loader.h"

static const char *const list_keys[] = { "list", "items", "append", "override", NULL };
static const char *const macro_keys[] = { "macro", "condition", "append", "override", NULL };

static bool is_list_name(struct str s)
{
	for (uint32_t i = 0; i < s.n; i++)
		if (memchr("()\"'=, \t\n\v\f\r\b", s.p[i], 13))
			return false;
	return true;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_macro_name(struct str s)
{
	for (uint32_t i = 0; i < s.n; i++)
		if (!is_letter(s.p[i]) &&
		    (i == 0 || (s.p[i] != '_' && (s.p[i] < '0' || s.p[i] > '9'))))
			return false;
	return true;
}

static void warn_twice(struct loader *loader, const struct text *now, const struct text *before,
		       const struct def_order *order)
{
	if (order->last_file != loader->file_number)
		return;
	diags_warning(loader->diags, text_whole(now), "W0509",
		      "remove one of the two, or use override",
		      "'%.*s' is defined twice in this file", STR_ARG(now->s));
	diags_related(loader->diags, text_whole(before), "the definition that is replaced");
}

static void report_unknown(struct loader *loader, const struct def_set *set, const char *kind,
			   const struct text *name)
{
	diags_error(loader->diags, text_whole(name), "E0509",
		    "load the file that defines it before this one",
		    "%s '%.*s' is appended to, but no %s by that name exists", kind,
		    STR_ARG(name->s), kind);
	loader_hint_near(loader, set, name->s);
}

/* ---- lists ---------------------------------------------------------------------------------- */

static void append_items(struct loader *loader, struct list_def *list, const struct text *items,
			 uint32_t item_cnt)
{
	struct text *all = loader_grow(loader, list->items, list->item_cnt, item_cnt, sizeof(*all),
				       &list->item_cap);

	if (!all)
		return;
	if (item_cnt)
		memcpy(all + list->item_cnt, items, item_cnt * sizeof(*all));
	list->items = all;
	list->item_cnt += item_cnt;
}

void loader_list(struct loader *loader, const struct yaml_node *map)
{
	static const struct override_key keys[] = { { "items", true } };
	struct list_def def = { .place = loader->place }, *known;
	struct change change;
	enum key_state state;

	loader_check_keys(loader, map, list_keys);
	if (loader_text(loader, map, "list", &def.name) != KEY_GOOD)
		return;
	if (!is_list_name(def.name.s))
		diags_warning(loader->diags, text_whole(&def.name), "W0505",
			      "use letters, digits, _ - and .", "no condition can name this list");
	if (!loader_change(loader, map, keys, ARRAY_LEN(keys), &change))
		return;
	known = def_set_find(&loader->lists, def.name.s);
	state = loader_texts(loader, map, "items", &def.items, &def.item_cnt);
	if (state == KEY_ABSENT && !map->is_broken)
		diags_error(loader->diags, text_whole(&def.name), "E0501",
			    "add items: [...]; an empty list is []", "list '%.*s' has no items",
			    STR_ARG(def.name.s));
	if (change.is_append || change.append) {
		if (!known) {
			report_unknown(loader, &loader->lists, "list", &def.name);
			return;
		}
		append_items(loader, known, def.items, def.item_cnt);
		def_order_touch(loader, &known->order);
		return;
	}
	if (!known) {
		def_order_new(loader, &def.order);
		def_set_add(loader, &loader->lists, &def, sizeof(def));
		return;
	}
	if (!change.replace)
		warn_twice(loader, &def.name, &known->name, &known->order);
	def.order = known->order;
	def_order_touch(loader, &def.order);
	*known = def;
}

/* ---- macros --------------------------------------------------------------------------------- */

static void append_condition(struct loader *loader, struct macro_def *macro,
			     const struct text *condition)
{
	if (macro->is_broken || !condition->s.p)
		return;
	macro->condition = text_join(loader->arena, &macro->condition, condition);
	loader->is_out_of_memory |= !macro->condition.s.p;
}

void loader_macro(struct loader *loader, const struct yaml_node *map)
{
	static const struct override_key keys[] = { { "condition", true } };
	struct macro_def def = { .place = loader->place }, *known;
	struct change change;
	enum key_state state;

	loader_check_keys(loader, map, macro_keys);
	if (loader_text(loader, map, "macro", &def.name) != KEY_GOOD)
		return;
	if (!is_macro_name(def.name.s))
		diags_warning(loader->diags, text_whole(&def.name), "W0504",
			      "use letters, digits and _, with a letter in front",
			      "no condition can name this macro");
	if (!loader_change(loader, map, keys, ARRAY_LEN(keys), &change))
		return;
	known = def_set_find(&loader->macros, def.name.s);
	state = loader_text(loader, map, "condition", &def.condition);
	def.is_broken = state != KEY_GOOD;
	if (state == KEY_ABSENT && !map->is_broken)
		diags_error(loader->diags, text_whole(&def.name), "E0501", "add condition: ...",
			    "macro '%.*s' has no condition", STR_ARG(def.name.s));
	if (change.is_append || change.append) {
		if (!known) {
			report_unknown(loader, &loader->macros, "macro", &def.name);
			return;
		}
		append_condition(loader, known, &def.condition);
		def_order_touch(loader, &known->order);
		return;
	}
	if (!known) {
		def_order_new(loader, &def.order);
		def_set_add(loader, &loader->macros, &def, sizeof(def));
		return;
	}
	if (!change.replace)
		warn_twice(loader, &def.name, &known->name, &known->order);
	def.order = known->order;
	def_order_touch(loader, &def.order);
	*known = def;
}
