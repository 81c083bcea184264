/*
 * `append: true` and `override` (rule-language.md 1.6): what an item changes of the definition that
 * is there. Owns nothing. Called by the readers of lists, macros and rules.
 */
#include "loader.h"

static bool add_key(struct loader *loader, const struct yaml_entry *entry,
		    const struct override_key *keys, unsigned key_cnt, struct change *change)
{
	struct str name = entry->key->text.s, operation = entry->value->text.s;
	bool is_append = str_eq_text(operation, "append");
	struct near_name near;

	if (!is_append && !str_eq_text(operation, "replace")) {
		diags_error(loader->diags, entry->value->at, "E0510", "write append or replace",
			    "'%.*s' is no way to override '%.*s'", STR_ARG(operation),
			    STR_ARG(name));
		return false;
	}
	near_name_init(&near, name);
	for (unsigned i = 0; i < key_cnt; i++) {
		near_name_offer(&near, keys[i].name);
		if (!str_eq_text(name, keys[i].name))
			continue;
		if (is_append && !keys[i].can_append) {
			diags_error(loader->diags, entry->value->at, "E0510", "use replace",
				    "key '%s' cannot be appended to", keys[i].name);
			return false;
		}
		*(is_append ? &change->append : &change->replace) |= 1u << i;
		return true;
	}
	diags_error(loader->diags, entry->key->at, "E0510", "remove it from override",
		    "key '%.*s' cannot be %s", STR_ARG(name),
		    is_append ? "appended to" : "replaced");
	if (near.best)
		diags_hint(loader->diags, "did you mean '%s'?", near.best);
	return false;
}

static bool read_override(struct loader *loader, const struct yaml_node *override,
			  const struct override_key *keys, unsigned key_cnt, struct change *change)
{
	bool is_good = true;

	for (const struct yaml_entry *e = override->entries; e; e = e->next) {
		if (e->key->kind != YAML_SCALAR || e->value->kind != YAML_SCALAR) {
			diags_error(loader->diags, e->value->at, "E0510",
				    "write append or replace behind each key",
				    "'override' is a map from keys to append or replace");
			is_good = false;
			continue;
		}
		is_good &= add_key(loader, e, keys, key_cnt, change);
	}
	return is_good;
}

static bool compare_keys(struct loader *loader, const struct yaml_node *map,
			 const struct override_key *keys, unsigned key_cnt,
			 const struct change *change)
{
	struct span override_at = yaml_get_key(map, "override")->at;
	bool is_good = true;

	for (unsigned i = 0; i < key_cnt; i++) {
		const struct yaml_node *key = yaml_get_key(map, keys[i].name);
		bool is_listed = (change->append | change->replace) >> i & 1;

		if (is_listed == (key != NULL))
			continue;
		is_good = false;
		if (is_listed)
			diags_error(loader->diags, override_at, "E0511",
				    "add the key, or remove it from override",
				    "override says '%s: %s', but the item has no '%s'",
				    keys[i].name, change->append >> i & 1 ? "append" : "replace",
				    keys[i].name);
		else
			diags_error(loader->diags, key->at, "E0511",
				    keys[i].can_append
					    ? "add it to override, with append or replace"
					    : "add it to override, with replace",
				    "unexpected key '%s': no corresponding entry under 'override'",
				    keys[i].name);
	}
	return is_good;
}

bool loader_change(struct loader *loader, const struct yaml_node *map,
		   const struct override_key *keys, unsigned key_cnt, struct change *ret)
{
	enum key_state append_state, override_state;
	const struct yaml_node *override;
	bool is_good = true;

	*ret = (struct change){ 0 };
	append_state = loader_bool(loader, map, "append", &ret->is_append);
	override = loader_node(loader, map, "override", YAML_MAP, &override_state);
	if (append_state == KEY_GOOD && ret->is_append)
		diags_warning(loader->diags, yaml_get_key(map, "append")->at, "W0503",
			      "write override: {KEY: append} for each key that is appended",
			      "'append: true' is deprecated");
	if (override)
		is_good = read_override(loader, override, keys, key_cnt, ret);
	ret->has_override = ret->append || ret->replace;
	if (append_state == KEY_BAD || override_state == KEY_BAD || !is_good)
		return false;
	if (ret->is_append && ret->has_override) {
		diags_error(loader->diags, yaml_get_key(map, "append")->at, "E0512",
			    "remove append: true",
			    "'append' and 'override' cannot be used together");
		return false;
	}
	if (ret->has_override && !map->is_broken)
		return compare_keys(loader, map, keys, key_cnt, ret);
	return true;
}
