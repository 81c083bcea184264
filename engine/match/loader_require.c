/*
 * required_engine_version and required_plugin_versions (rule-language.md 1.2, 1.3). Owns nothing.
 * Checked where they stand: which plugins there are does not depend on other files.
 */
#include <stdio.h>

#include "loader.h"

static const char *const engine_keys[] = { "required_engine_version", NULL };
static const char *const plugins_keys[] = { "required_plugin_versions", NULL };
static const char *const plugin_keys[] = { "name", "version", "alternatives", NULL };
static const char *const alternative_keys[] = { "name", "version", NULL };

struct version {
	unsigned parts[3];
};

/* x.y.z, with a pre-release or build behind it that does not count; or one number N for 0.N.0. */
static bool parse_version(struct str s, bool is_number_allowed, struct version *ret)
{
	unsigned part = 0;
	uint32_t i = 0;

	*ret = (struct version){ 0 };
	for (; i < s.n && part < 3; i++) {
		bool is_digit = s.p[i] >= '0' && s.p[i] <= '9';

		if (is_digit && ret->parts[part] < 100000000)
			ret->parts[part] = ret->parts[part] * 10 + (unsigned)(s.p[i] - '0');
		else if (s.p[i] != '.' || part == 2 || i == 0 || s.p[i - 1] == '.')
			break;
		else
			part++;
	}
	if (i == 0 || s.p[i - 1] == '.')
		return false;
	if (part == 0 && i == s.n && is_number_allowed) {
		ret->parts[1] = ret->parts[0];
		ret->parts[0] = 0;
		return true;
	}
	return part == 2 && (i == s.n || s.p[i] == '-' || s.p[i] == '+');
}

/* The same major number, and not older. */
static bool satisfies(const struct version *have, const struct version *wanted)
{
	if (have->parts[0] != wanted->parts[0])
		return false;
	return have->parts[1] != wanted->parts[1] ? have->parts[1] > wanted->parts[1]
						  : have->parts[2] >= wanted->parts[2];
}

void loader_engine_version(struct loader *loader, const struct yaml_node *map)
{
	struct version have, wanted;
	struct text text;

	loader_check_keys(loader, map, engine_keys);
	if (loader_text(loader, map, "required_engine_version", &text) != KEY_GOOD)
		return;
	(void)parse_version(STR(LOADER_ENGINE_VERSION), false, &have);
	if (!parse_version(text.s, true, &wanted))
		diags_error(loader->diags, text_whole(&text), "E0506",
			    "write x.y.z, or one number N for 0.N.0", "'%.*s' is no engine version",
			    STR_ARG(text.s));
	else if (!satisfies(&have, &wanted))
		diags_error(loader->diags, text_whole(&text), "E0507",
			    "update haetae, or load an older version of these rules",
			    "rules require engine version %u.%u.%u, but engine version is %s",
			    wanted.parts[0], wanted.parts[1], wanted.parts[2],
			    LOADER_ENGINE_VERSION);
}

/* ---- plugins --------------------------------------------------------------------------------- */

struct requirement {
	struct text name, version_text;
	struct version version;
};

static bool read_requirement(struct loader *loader, const struct yaml_node *map,
			     const char *const *keys, struct requirement *ret)
{
	enum key_state name, version;

	if (map->kind != YAML_MAP) {
		diags_error(loader->diags, map->at, "E0508", "write - {name: ..., version: ...}",
			    "a required plugin is a map with name and version");
		return false;
	}
	loader_check_keys(loader, map, keys);
	name = loader_text(loader, map, "name", &ret->name);
	version = loader_text(loader, map, "version", &ret->version_text);
	if (name == KEY_ABSENT || version == KEY_ABSENT)
		diags_error(loader->diags, (struct span){ map->at.source, map->at.offset, 1 },
			    "E0508", "write - {name: ..., version: ...}",
			    "the required plugin has no %s",
			    name == KEY_ABSENT ? "name" : "version");
	if (name != KEY_GOOD || version != KEY_GOOD)
		return false;
	if (parse_version(ret->version_text.s, false, &ret->version))
		return true;
	diags_error(loader->diags, text_whole(&ret->version_text), "E0506", "write x.y.z",
		    "'%.*s' is no version", STR_ARG(ret->version_text.s));
	return false;
}

enum plugin_answer {
	PLUGIN_FOREIGN,
	PLUGIN_TOO_OLD,
	PLUGIN_GOOD
};

/* Fields of containers are built in; the files that need the plugin find it. */
static enum plugin_answer ask(const struct requirement *requirement)
{
	struct version have;

	if (!str_eq_text(requirement->name.s, "container"))
		return PLUGIN_FOREIGN;
	(void)parse_version(STR(LOADER_CONTAINER_VERSION), false, &have);
	return satisfies(&have, &requirement->version) ? PLUGIN_GOOD : PLUGIN_TOO_OLD;
}

static bool is_named_before(const struct yaml_node *main, const struct yaml_entry *alternatives,
			    const struct yaml_entry *end, struct str name)
{
	const struct yaml_node *other = yaml_get(main, "name");

	if (other && str_eq(other->text.s, name))
		return true;
	for (; alternatives != end; alternatives = alternatives->next) {
		other = alternatives->value->kind == YAML_MAP
				? yaml_get(alternatives->value, "name")
				: NULL;
		if (other && str_eq(other->text.s, name))
			return true;
	}
	return false;
}

static bool ask_alternatives(struct loader *loader, const struct yaml_node *main,
			     enum plugin_answer *answer)
{
	enum key_state state;
	const struct yaml_node *list = loader_node(loader, main, "alternatives", YAML_LIST, &state);
	const struct yaml_entry *first = list ? list->entries : NULL;
	bool is_good = state != KEY_BAD;

	for (const struct yaml_entry *e = first; e; e = e->next) {
		struct requirement requirement;

		if (!read_requirement(loader, e->value, alternative_keys, &requirement)) {
			is_good = false;
			continue;
		}
		*answer = MAX(*answer, ask(&requirement));
		if (!is_named_before(main, first, e, requirement.name.s))
			continue;
		diags_error(loader->diags, text_whole(&requirement.name), "E0508", "remove one",
			    "plugin '%.*s' is named twice in one requirement",
			    STR_ARG(requirement.name.s));
		is_good = false;
	}
	return is_good;
}

static void check_plugin(struct loader *loader, const struct yaml_node *map)
{
	struct requirement requirement;
	enum plugin_answer answer;

	if (!read_requirement(loader, map, plugin_keys, &requirement))
		return;
	answer = ask(&requirement);
	if (!ask_alternatives(loader, map, &answer))
		return;
	if (answer == PLUGIN_TOO_OLD)
		diags_error(loader->diags, text_whole(&requirement.version_text), "E0508",
			    "update haetae, or load an older version of these rules",
			    "plugin 'container' is built in with version %s, which does not meet "
			    "%.*s",
			    LOADER_CONTAINER_VERSION, STR_ARG(requirement.version_text.s));
	else if (answer == PLUGIN_FOREIGN)
		diags_note(loader->diags, text_whole(&requirement.name), "N0502",
			   "rules of its source are skipped; its fields are not known",
			   "plugin '%.*s' does not exist here", STR_ARG(requirement.name.s));
}

void loader_plugin_versions(struct loader *loader, const struct yaml_node *map)
{
	enum key_state state;
	const struct yaml_node *list;

	loader_check_keys(loader, map, plugins_keys);
	list = loader_node(loader, map, "required_plugin_versions", YAML_LIST, &state);
	for (const struct yaml_entry *e = list ? list->entries : NULL; e; e = e->next)
		check_plugin(loader, e->value);
}
