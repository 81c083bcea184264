/*
 * Values of keys, typed; what is wrong with them is reported here, once. Owns nothing. Called by
 * the readers of items.
 */
#include "loader.h"

/* Beyond this many, names are not compared with all others: the work would be quadratic. */
#define NEAR_MAX 20

static enum key_state bad_form(struct loader *loader, const struct yaml_node *node, const char *key,
			       enum yaml_kind wanted)
{
	static const char *const names[] = {
		[YAML_SCALAR] = "a text", [YAML_LIST] = "a list", [YAML_MAP] = "a map"
	};
	static const char *const hints[] = { [YAML_SCALAR] = "write key: value",
					     [YAML_LIST] = "write key: [a, b], or - lines below it",
					     [YAML_MAP] = "write key: {name: value}" };
	struct span at = node->at;

	if (node->kind != YAML_SCALAR)
		at.length = MIN(at.length, 1u);
	diags_error(loader->diags, at, "E0503", hints[wanted], "'%s' needs %s, not %s", key,
		    names[wanted], names[node->kind]);
	return KEY_BAD;
}

const struct yaml_node *loader_node(struct loader *loader, const struct yaml_node *map,
				    const char *key, enum yaml_kind kind, enum key_state *ret)
{
	const struct yaml_node *node = yaml_get(map, key);

	*ret = KEY_ABSENT;
	if (!node)
		return NULL;
	*ret = KEY_BAD;
	if (node->is_broken)
		return NULL;
	if (node->is_null) {
		diags_error(loader->diags, yaml_get_key(map, key)->at, "E0502",
			    "give it a value, or remove it", "key '%s' has no value", key);
		return NULL;
	}
	if (node->kind != kind) {
		bad_form(loader, node, key, kind);
		return NULL;
	}
	*ret = KEY_GOOD;
	return node;
}

enum key_state loader_text(struct loader *loader, const struct yaml_node *map, const char *key,
			   struct text *ret)
{
	enum key_state state;
	const struct yaml_node *node = loader_node(loader, map, key, YAML_SCALAR, &state);

	if (!node)
		return state;
	if (node->text.s.n == 0) {
		diags_error(loader->diags, node->at, "E0502", "give it a value, or remove it",
			    "the value of '%s' is empty", key);
		return KEY_BAD;
	}
	*ret = node->text;
	return KEY_GOOD;
}

/* The booleans of YAML 1.1 (its type repository, tag bool), each in lower case, in capitals, or
 * with one capital. */
static bool parse_bool(struct str s, bool *ret)
{
	static const struct {
		const char *lower, *upper;
		bool value;
	} words[] = {
		{ "y", "Y", true },	     { "yes", "YES", true },  { "true", "TRUE", true },
		{ "on", "ON", true },	     { "n", "N", false },     { "no", "NO", false },
		{ "false", "FALSE", false }, { "off", "OFF", false },
	};

	for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
		const char *lower = words[i].lower, *upper = words[i].upper;
		bool is_capitalised = s.n == strlen(lower) && s.p[0] == upper[0] &&
				      memcmp(s.p + 1, lower + 1, s.n - 1) == 0;

		if (!is_capitalised && !str_eq_text(s, lower) && !str_eq_text(s, upper))
			continue;
		*ret = words[i].value;
		return true;
	}
	return false;
}

enum key_state loader_bool(struct loader *loader, const struct yaml_node *map, const char *key,
			   bool *ret)
{
	struct text text;
	enum key_state state = loader_text(loader, map, key, &text);

	if (state != KEY_GOOD || parse_bool(text.s, ret))
		return state;
	diags_error(loader->diags, text_whole(&text), "E0504", "write true or false",
		    "'%s' is true or false, not '%.*s'", key, STR_ARG(text.s));
	return KEY_BAD;
}

enum key_state loader_u32(struct loader *loader, const struct yaml_node *map, const char *key,
			  uint32_t *ret)
{
	struct text text;
	enum key_state state = loader_text(loader, map, key, &text);
	uint64_t number = 0;

	if (state != KEY_GOOD)
		return state;
	for (uint32_t i = 0; i < text.s.n; i++) {
		bool is_digit = text.s.p[i] >= '0' && text.s.p[i] <= '9';

		number = is_digit ? number * 10 + (uint64_t)(text.s.p[i] - '0') : UINT64_MAX;
		if (number <= UINT32_MAX)
			continue;
		diags_error(loader->diags, text_whole(&text), "E0504",
			    "write a decimal number below 4294967296",
			    "'%s' is a number, not '%.*s'", key, STR_ARG(text.s));
		return KEY_BAD;
	}
	*ret = (uint32_t)number;
	return KEY_GOOD;
}

bool loader_texts_of(struct loader *loader, const struct yaml_node *list, const struct text **ret,
		     uint32_t *ret_cnt)
{
	struct text *texts = arena_new_array(loader->arena, struct text, list->entry_cnt);
	bool is_good = true;
	uint32_t cnt = 0;

	if (!texts) {
		loader->is_out_of_memory = true;
		return false;
	}
	for (const struct yaml_entry *e = list->entries; e; e = e->next) {
		if (e->value->kind == YAML_SCALAR && !e->value->is_null) {
			texts[cnt++] = e->value->text;
			continue;
		}
		diags_error(loader->diags, e->value->at, "E0503",
			    "write a word or a quoted text; an empty text is \"\"",
			    e->value->is_null ? "an item of this list has no value"
					      : "an item of this list is not a text");
		is_good = false;
	}
	*ret = texts;
	*ret_cnt = cnt;
	return is_good;
}

enum key_state loader_texts(struct loader *loader, const struct yaml_node *map, const char *key,
			    const struct text **ret, uint32_t *ret_cnt)
{
	enum key_state state;
	const struct yaml_node *list = loader_node(loader, map, key, YAML_LIST, &state);

	if (!list)
		return state;
	return loader_texts_of(loader, list, ret, ret_cnt) ? KEY_GOOD : KEY_BAD;
}

void loader_check_keys(struct loader *loader, const struct yaml_node *map, const char *const *known)
{
	for (const struct yaml_entry *e = map->entries; e; e = e->next) {
		struct near_name near;
		unsigned i = 0;

		if (e->key->kind != YAML_SCALAR)
			continue;
		while (known[i] && !str_eq_text(e->key->text.s, known[i]))
			i++;
		if (known[i])
			continue;
		near_name_init(&near, e->key->text.s);
		for (i = 0; known[i]; i++)
			near_name_offer(&near, known[i]);
		diags_warning(loader->diags, e->key->at, "W0502", "remove it",
			      "unknown key '%.*s'; it is ignored", STR_ARG(e->key->text.s));
		if (near.best)
			diags_hint(loader->diags, "did you mean '%s'?", near.best);
	}
}

void loader_hint_near(struct loader *loader, const struct def_set *set, struct str name)
{
	struct near_name near;

	if (loader->near_cnt++ >= NEAR_MAX)
		return;
	near_name_init(&near, name);
	for (uint32_t i = 0; i < set->cnt; i++)
		near_name_offer(&near, ((const struct text *)set->items[i])->s.p);
	if (near.best)
		diags_hint(loader->diags, "did you mean '%s'?", near.best);
}
