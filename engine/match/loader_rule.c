/*
 * Rules (rule-language.md 1.6): definition, append, override, switch. Owns nothing: definitions go
 * to the loader's set. A rule with a mistake is still kept as far as it could be read, so that its
 * condition is checked too and later items find it; the load fails anyway.
 */
#include "loader.h"

enum rule_key {
	RULE_CONDITION,
	RULE_OUTPUT,
	RULE_DESC,
	RULE_TAGS,
	RULE_EXCEPTIONS,
	RULE_PRIORITY,
	RULE_ENABLED,
	RULE_WARN_EVTTYPES,
	RULE_SKIP_UNKNOWN,
	RULE_CAPTURE,
	RULE_CAPTURE_DURATION,
	RULE_KEY__COUNT
};

static const struct override_key override_keys[] = {
	[RULE_CONDITION] = { "condition", true },
	[RULE_OUTPUT] = { "output", true },
	[RULE_DESC] = { "desc", true },
	[RULE_TAGS] = { "tags", true },
	[RULE_EXCEPTIONS] = { "exceptions", true },
	[RULE_PRIORITY] = { "priority", false },
	[RULE_ENABLED] = { "enabled", false },
	[RULE_WARN_EVTTYPES] = { "warn_evttypes", false },
	[RULE_SKIP_UNKNOWN] = { "skip-if-unknown-filter", false },
	[RULE_CAPTURE] = { "capture", false },
	[RULE_CAPTURE_DURATION] = { "capture_duration", false },
};
_Static_assert(ARRAY_LEN(override_keys) == RULE_KEY__COUNT, "one row a key");

static const char *const known_keys[] = {
	"rule",
	"desc",
	"condition",
	"output",
	"priority",
	"source",
	"enabled",
	"tags",
	"exceptions",
	"warn_evttypes",
	"skip-if-unknown-filter",
	"capture",
	"capture_duration",
	"append",
	"override",
	"tests",
	NULL,
};

/* What a full definition must have. */
static const char *const required_keys[] = { "condition", "output", "desc", "priority" };

/* ---- values --------------------------------------------------------------------------------- */

static void read_priority(struct loader *loader, const struct yaml_node *map, struct rule_def *rule)
{
	struct text text;
	struct near_name near;

	if (loader_text(loader, map, "priority", &text) != KEY_GOOD)
		return;
	rule->priority_at = text_whole(&text);
	if (priority_parse(text.s, &rule->priority))
		return;
	diags_error(
		loader->diags, rule->priority_at, "E0505",
		"use Emergency, Alert, Critical, Error, Warning, Notice, Informational or Debug",
		"invalid priority '%.*s'", STR_ARG(text.s));
	near_name_init(&near, text.s);
	for (unsigned i = 0; i < PRIORITY__COUNT; i++)
		near_name_offer(&near, priority_name((enum priority)i));
	if (near.best)
		diags_hint(loader->diags, "did you mean '%s'?", near.best);
}

static int compare_texts(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The union of the rule's tags and the item's, as a sorted set. */
static void add_tags(struct loader *loader, const struct yaml_node *map, struct rule_def *rule)
{
	const struct text *texts;
	struct str *tags;
	uint32_t cnt, unique = 0;

	if (loader_texts(loader, map, "tags", &texts, &cnt) != KEY_GOOD)
		return;
	tags = arena_new_array(loader->arena, struct str, rule->tag_cnt + cnt);
	if (!tags) {
		loader->is_out_of_memory = true;
		return;
	}
	if (rule->tag_cnt)
		memcpy(tags, rule->tags, rule->tag_cnt * sizeof(*tags));
	for (uint32_t i = 0; i < cnt; i++)
		tags[rule->tag_cnt + i] = texts[i].s;
	cnt += rule->tag_cnt;
	qsort(tags, cnt, sizeof(*tags), compare_texts);
	for (uint32_t i = 0; i < cnt; i++)
		if (unique == 0 || !str_eq(tags[unique - 1], tags[i]))
			tags[unique++] = tags[i];
	rule->tags = tags;
	rule->tag_cnt = unique;
}

static void read_output(struct loader *loader, const struct yaml_node *map, struct text *ret)
{
	struct text text;

	if (loader_text(loader, map, "output", &text) != KEY_GOOD)
		return;
	loader->is_out_of_memory |= !text_trim(loader->arena, &text);
	*ret = text;
}

/* `tests` belongs to the tester; here only its form is looked at. */
static void read_tests(struct loader *loader, const struct yaml_node *map)
{
	enum key_state state;
	const struct yaml_node *tests = loader_node(loader, map, "tests", YAML_LIST, &state);

	for (const struct yaml_entry *e = tests ? tests->entries : NULL; e; e = e->next)
		if (e->value->kind != YAML_MAP)
			diags_error(loader->diags, e->value->at, "E0503",
				    "write - {name: ..., event: {...}, match: true}",
				    "a test is a map");
}

static void read_switches(struct loader *loader, const struct yaml_node *map, struct rule_def *rule)
{
	(void)loader_bool(loader, map, "enabled", &rule->is_enabled);
	(void)loader_bool(loader, map, "warn_evttypes", &rule->want_evttypes_warning);
	(void)loader_bool(loader, map, "skip-if-unknown-filter", &rule->skip_if_unknown_filter);
	(void)loader_bool(loader, map, "capture", &rule->want_capture);
	(void)loader_u32(loader, map, "capture_duration", &rule->capture_ms);
}

/* ---- definition ------------------------------------------------------------------------------ */

static void report_missing(struct loader *loader, const struct yaml_node *map,
			   const struct text *name)
{
	_cleanup_(buf_done) struct buf missing;
	unsigned cnt = 0;

	buf_init(&missing, 256);
	for (unsigned i = 0; i < ARRAY_LEN(required_keys); i++)
		if (!yaml_get(map, required_keys[i]))
			buf_printf(&missing, "%s%s", cnt++ ? ", " : "", required_keys[i]);
	if (cnt == 0)
		return;
	diags_error(loader->diags, text_whole(name), "E0501",
		    cnt == ARRAY_LEN(required_keys)
			    ? "a rule needs all four; to switch one that exists: enabled: false"
			    : "a rule needs condition, output, desc and priority",
		    "rule '%.*s' has no %s", STR_ARG(name->s), buf_str(&missing).p);
}

static void set_source(struct loader *loader, const struct yaml_node *map, struct rule_def *rule)
{
	rule->source = (struct text){ .s = STR(LOADER_SOURCE) };
	(void)loader_text(loader, map, "source", &rule->source);
	rule->is_foreign = !str_eq_text(rule->source.s, LOADER_SOURCE);
	if (rule->is_foreign)
		diags_note(loader->diags, text_whole(&rule->source), "N0501",
			   "only rules with source syscall run here",
			   "unknown source '%.*s': the rule is skipped", STR_ARG(rule->source.s));
}

/* An item without a source changes a rule of any source; a full definition has one by default. */
static bool is_same_source(struct loader *loader, const struct rule_def *known,
			   const struct text *source, const struct text *name)
{
	if (!known->condition.s.p || !source->s.p || str_eq(known->source.s, source->s))
		return true;
	diags_error(loader->diags, text_whole(source->segment_cnt ? source : name), "E0513",
		    "give it another name, or the same source",
		    "rule '%.*s' has been re-defined with a different source: '%.*s', not '%.*s'",
		    STR_ARG(name->s), STR_ARG(source->s), STR_ARG(known->source.s));
	diags_related(loader->diags, text_whole(&known->name), "first defined here");
	return false;
}

static void warn_twice(struct loader *loader, const struct rule_def *rule,
		       const struct rule_def *known)
{
	if (known->order.last_file != loader->file_number || !known->condition.s.p)
		return;
	diags_warning(loader->diags, text_whole(&rule->name), "W0509",
		      "remove one of the two, or use override",
		      "rule '%.*s' is defined twice in this file", STR_ARG(rule->name.s));
	diags_related(loader->diags, text_whole(&known->name), "the definition that is replaced");
}

static void define(struct loader *loader, const struct yaml_node *map, const struct text *name,
		   struct rule_def *known)
{
	struct rule_def rule = { .name = *name,
				 .place = loader->place,
				 .is_enabled = true,
				 .want_evttypes_warning = true,
				 .priority = PRIORITY_DEBUG };

	if (!map->is_broken)
		report_missing(loader, map, name);
	(void)loader_text(loader, map, "condition", &rule.condition);
	read_output(loader, map, &rule.output);
	(void)loader_text(loader, map, "desc", &rule.desc);
	read_priority(loader, map, &rule);
	set_source(loader, map, &rule);
	read_switches(loader, map, &rule);
	add_tags(loader, map, &rule);
	loader_exceptions(loader, map, &rule);
	if (!known) {
		def_order_new(loader, &rule.order);
		def_set_add(loader, &loader->rules, &rule, sizeof(rule));
		return;
	}
	if (!map->is_broken && !is_same_source(loader, known, &rule.source, name))
		return;
	warn_twice(loader, &rule, known);
	rule.order = known->order;
	def_order_touch(loader, &rule.order);
	*known = rule;
}

/* ---- changes --------------------------------------------------------------------------------- */

static void append_text(struct loader *loader, struct text *to, const struct text *more)
{
	/* What the first definition lacks was reported there. */
	if (!to->s.p || !more->s.p)
		return;
	*to = text_join(loader->arena, to, more);
	loader->is_out_of_memory |= !to->s.p;
}

static bool check_source(struct loader *loader, const struct yaml_node *map,
			 const struct rule_def *known, const struct text *name)
{
	struct text source = { 0 };

	return loader_text(loader, map, "source", &source) != KEY_BAD &&
	       is_same_source(loader, known, &source, name);
}

static void report_unknown(struct loader *loader, const struct text *name, const char *what)
{
	diags_error(loader->diags, text_whole(name), "E0509",
		    "load the file that defines it before this one",
		    "%s, but no rule by the name '%.*s' exists", what, STR_ARG(name->s));
	loader_hint_near(loader, &loader->rules, name->s);
}

/* append: true honours two keys. */
static void append(struct loader *loader, const struct yaml_node *map, const struct text *name,
		   struct rule_def *known)
{
	bool has_condition = yaml_get(map, "condition"),
	     has_exceptions = yaml_get(map, "exceptions");
	struct text condition = { 0 };

	for (unsigned i = 0; i < RULE_KEY__COUNT; i++) {
		const struct yaml_node *key = yaml_get_key(map, override_keys[i].name);

		if (key && i != RULE_CONDITION && i != RULE_EXCEPTIONS)
			diags_warning(loader->diags, key->at, "W0508",
				      "use override instead of append: true",
				      "'%s' is ignored with append: true", override_keys[i].name);
	}
	if (!has_condition && !has_exceptions && !map->is_broken)
		diags_error(loader->diags, text_whole(name), "E0514",
			    "add one of them, or use override for other keys",
			    "appended rule must have exceptions or condition property");
	if (!known) {
		report_unknown(loader, name, "the rule uses 'append'");
		return;
	}
	if (!check_source(loader, map, known, name))
		return;
	if (loader_text(loader, map, "condition", &condition) == KEY_GOOD)
		append_text(loader, &known->condition, &condition);
	loader_exceptions_append(loader, map, known);
	def_order_touch(loader, &known->order);
}

static void override_texts(struct loader *loader, const struct yaml_node *map,
			   const struct change *change, struct rule_def *rule)
{
	struct text *const texts[] = { [RULE_CONDITION] = &rule->condition,
				       [RULE_OUTPUT] = &rule->output,
				       [RULE_DESC] = &rule->desc };

	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		struct text text = { 0 };

		if (!((change->append | change->replace) >> i & 1) ||
		    !yaml_get(map, override_keys[i].name))
			continue;
		if (i == RULE_OUTPUT)
			read_output(loader, map, &text);
		else
			(void)loader_text(loader, map, override_keys[i].name, &text);
		if (change->append >> i & 1)
			append_text(loader, texts[i], &text);
		else if (text.s.p)
			*texts[i] = text;
	}
}

static bool has(const struct change *change, enum rule_key key)
{
	return (change->append | change->replace) >> key & 1;
}

/* Each key of the item is named under override, so that the item can be read as a whole. */
static void override(struct loader *loader, const struct yaml_node *map, const struct text *name,
		     const struct change *change, struct rule_def *known)
{
	if (!known) {
		report_unknown(loader, name,
			       change->append ? "an 'override.<key>: append' was requested"
					      : "an 'override.<key>: replace' was requested");
		return;
	}
	if (has(change, RULE_CONDITION) && !check_source(loader, map, known, name))
		return;
	override_texts(loader, map, change, known);
	if (change->replace >> RULE_TAGS & 1)
		known->tag_cnt = 0;
	add_tags(loader, map, known);
	read_priority(loader, map, known);
	read_switches(loader, map, known);
	if (change->append >> RULE_EXCEPTIONS & 1)
		loader_exceptions_append(loader, map, known);
	else if (has(change, RULE_EXCEPTIONS))
		loader_exceptions(loader, map, known);
	if (has(change, RULE_CONDITION) || has(change, RULE_EXCEPTIONS))
		def_order_touch(loader, &known->order);
}

/* An item with `enabled` and none of the four keys. */
static void switch_rule(struct loader *loader, const struct yaml_node *map, const struct text *name,
			struct rule_def *known)
{
	diags_warning(loader->diags, yaml_get_key(map, "enabled")->at, "W0503",
		      "add override: {enabled: replace}",
		      "an item that only has 'enabled' is deprecated");
	for (unsigned i = 0; i < RULE_KEY__COUNT; i++) {
		const struct yaml_node *key = yaml_get_key(map, override_keys[i].name);

		if (key && i != RULE_ENABLED)
			diags_warning(loader->diags, key->at, "W0508", "use override",
				      "'%s' is ignored in an item that only switches a rule",
				      override_keys[i].name);
	}
	if (known)
		(void)loader_bool(loader, map, "enabled", &known->is_enabled);
	else
		report_unknown(loader, name, "the rule has the key 'enabled'");
}

static bool has_any_required(const struct yaml_node *map)
{
	for (unsigned i = 0; i < ARRAY_LEN(required_keys); i++)
		if (yaml_get(map, required_keys[i]))
			return true;
	return false;
}

void loader_rule(struct loader *loader, const struct yaml_node *map)
{
	struct rule_def *known;
	struct change change;
	struct text name;

	loader_check_keys(loader, map, known_keys);
	read_tests(loader, map);
	if (loader_text(loader, map, "rule", &name) != KEY_GOOD ||
	    !loader_change(loader, map, override_keys, RULE_KEY__COUNT, &change))
		return;
	known = def_set_find(&loader->rules, name.s);
	if (change.is_append)
		append(loader, map, &name, known);
	else if (change.has_override)
		override(loader, map, &name, &change, known);
	else if (!has_any_required(map) && yaml_get(map, "enabled") && !map->is_broken)
		switch_rule(loader, map, &name, known);
	else
		define(loader, map, &name, known);
}
