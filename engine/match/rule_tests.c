/*
 * `tests:` blocks to tests, strictly: a key that is not known would be an expectation that nobody
 * checks. Owns nothing: all is in the caller's arena. Called by `haetae test`.
 */
#include "haetae/rule_tests.h"

#include <errno.h>

#include "fixture.h"
#include "regex.h"

struct tests_reader {
	struct arena *arena;
	struct diags *diags;
	struct rule_test *items;
	uint32_t cnt, cap;
};

static void bad(struct tests_reader *reader, struct span at, const char *hint, const char *what)
{
	diags_error(reader->diags, at, "E0810", hint, "%s", what);
}

/* ---- values --------------------------------------------------------------------------------- */

static bool take_text(struct tests_reader *reader, const struct yaml_node *node, const char *key,
		      struct str *ret)
{
	if (node->kind != YAML_SCALAR || node->is_null) {
		diags_error(reader->diags, node->at, "E0810", NULL, "%s is a text", key);
		return false;
	}
	*ret = node->text.s;
	return true;
}

static bool take_bool(struct tests_reader *reader, const struct yaml_node *node, const char *key,
		      bool *ret)
{
	struct value value;

	if (node->kind != YAML_SCALAR ||
	    !fixture_convert(reader->arena, VALUE_BOOL, node->text.s, &value)) {
		diags_error(reader->diags, node->at, "E0810", "write true or false",
			    "%s is true or false", key);
		return false;
	}
	*ret = value.is_true;
	return true;
}

static bool read_name(struct tests_reader *reader, const struct yaml_node *node,
		      struct rule_test *test)
{
	return take_text(reader, node, "name", &test->name);
}

static bool read_event(struct tests_reader *reader, const struct yaml_node *node,
		       struct rule_test *test)
{
	const struct fixture **list = arena_new_array(reader->arena, const struct fixture *, 1);

	if (!list)
		return false;
	list[0] = fixture_from_yaml(reader->arena, node, reader->diags);
	test->events = (struct fixtures){ list, list[0] != NULL };
	return list[0];
}

static bool read_events(struct tests_reader *reader, const struct yaml_node *node,
			struct rule_test *test)
{
	const struct fixture **list;
	bool is_good = true;

	if (node->kind == YAML_SCALAR) {
		test->events_at = node->at;
		return take_text(reader, node, "events", &test->events_path);
	}
	if (node->kind != YAML_LIST || node->entry_cnt == 0) {
		bad(reader, node->at, "write a list of events, or the name of a file",
		    "events is a list or a file");
		return false;
	}
	list = arena_new_array(reader->arena, const struct fixture *, node->entry_cnt);
	test->events.items = list;
	for (const struct yaml_entry *e = list ? node->entries : NULL; e; e = e->next) {
		const struct fixture *one =
			fixture_from_yaml(reader->arena, e->value, reader->diags);

		is_good &= one != NULL;
		if (one)
			list[test->events.cnt++] = one;
	}
	return is_good && list;
}

static bool read_match(struct tests_reader *reader, const struct yaml_node *node,
		       struct rule_test *test)
{
	test->has_match = true;
	return take_bool(reader, node, "match", &test->is_match);
}

static bool read_alone(struct tests_reader *reader, const struct yaml_node *node,
		       struct rule_test *test)
{
	return take_bool(reader, node, "alone", &test->is_alone);
}

static int compare_strings(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static bool read_alerts(struct tests_reader *reader, const struct yaml_node *node,
			struct rule_test *test)
{
	struct str *list;

	if (node->kind != YAML_LIST) {
		bad(reader, node->at, "write [] for none", "alerts is a list of rules' names");
		return false;
	}
	list = arena_new_array(reader->arena, struct str, node->entry_cnt + 1);
	for (const struct yaml_entry *e = list ? node->entries : NULL; e; e = e->next) {
		if (!take_text(reader, e->value, "the name of a rule", &list[test->alert_cnt]))
			return false;
		test->alert_cnt++;
	}
	if (list)
		qsort(list, test->alert_cnt, sizeof(*list), compare_strings);
	test->alerts = list;
	test->has_alerts = true;
	return list;
}

static bool read_count(struct tests_reader *reader, const struct yaml_node *node,
		       struct rule_test *test)
{
	struct value value;

	if (node->kind != YAML_SCALAR ||
	    !fixture_convert(reader->arena, VALUE_U64, node->text.s, &value) ||
	    node->text.s.p[0] == '-') {
		bad(reader, node->at, NULL, "count is a number");
		return false;
	}
	test->has_count = true;
	test->count = value.u64;
	return true;
}

static bool compile_pattern(struct tests_reader *reader, const struct yaml_node *node,
			    struct rule_test *test)
{
	struct regex_syntax_error error = { 0 };
	struct regex *regex = NULL;
	int r = regex_compile(reader->arena, test->matches, &regex, &error);

	if (r > 0)
		diags_error(reader->diags, node->at, "E0313", error.hint,
			    "bad regular expression: %s at '%.*s'", error.reason, (int)error.length,
			    test->matches.p + error.offset);
	test->regex = regex;
	return r == 0;
}

static bool read_output(struct tests_reader *reader, const struct yaml_node *node,
			struct rule_test *test)
{
	bool is_good = node->kind == YAML_MAP && node->entry_cnt > 0;

	if (!is_good)
		bad(reader, node->at, "write {contains: text}",
		    "output is a map of equals, contains or matches");
	for (const struct yaml_entry *e = is_good ? node->entries : NULL; e; e = e->next) {
		struct str key = e->key->text.s;
		struct str *ret = str_eq_text(key, "equals")	 ? &test->equals
				  : str_eq_text(key, "contains") ? &test->contains
				  : str_eq_text(key, "matches")	 ? &test->matches
								 : NULL;

		if (!ret) {
			diags_error(reader->diags, e->key->at, "E0811",
				    "output has equals, contains and matches", "unknown key '%.*s'",
				    STR_ARG(key));
			is_good = false;
			continue;
		}
		is_good &= take_text(reader, e->value, "the expected text", ret) &&
			   (ret != &test->matches || compile_pattern(reader, e->value, test));
	}
	return is_good;
}

static bool read_fields(struct tests_reader *reader, const struct yaml_node *node,
			struct rule_test *test)
{
	struct expected_field *fields;

	if (node->kind != YAML_MAP || node->entry_cnt == 0) {
		bad(reader, node->at, "write {fd.name: /etc/shadow}",
		    "fields is a map of the alert's fields to values");
		return false;
	}
	fields = arena_new_array(reader->arena, struct expected_field, node->entry_cnt);
	test->fields = fields;
	for (const struct yaml_entry *e = fields ? node->entries : NULL; e; e = e->next) {
		struct expected_field *field = &fields[test->field_cnt++];

		field->name = e->key->text.s;
		if (e->value->kind == YAML_SCALAR && e->value->is_null)
			continue;
		if (!take_text(reader, e->value, "the expected value", &field->text))
			return false;
	}
	return fields;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static const struct {
	const char *key;
	bool (*read)(struct tests_reader *reader, const struct yaml_node *node,
		     struct rule_test *test);
} keys[] = {
	{ "name", read_name },	 { "event", read_event },   { "events", read_events },
	{ "match", read_match }, { "alone", read_alone },   { "alerts", read_alerts },
	{ "count", read_count }, { "output", read_output }, { "fields", read_fields },
};

static bool unknown_key(struct tests_reader *reader, const struct yaml_node *key)
{
	struct near_name near;

	diags_error(reader->diags, key->at, "E0811",
		    "a test has name, event or events, match, alone, alerts, count, output, fields",
		    "unknown key '%.*s'", STR_ARG(key->text.s));
	near_name_init(&near, key->text.s);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		near_name_offer(&near, keys[i].key);
	if (near.best)
		diags_hint(reader->diags, "did you mean '%s'?", near.best);
	return false;
}

static bool read_key(struct tests_reader *reader, const struct yaml_entry *entry,
		     struct rule_test *test)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (entry->key->kind == YAML_SCALAR && str_eq_text(entry->key->text.s, keys[i].key))
			return keys[i].read(reader, entry->value, test);
	return entry->key->kind == YAML_SCALAR && unknown_key(reader, entry->key);
}

/* What a test must have, and what makes no sense together. */
static bool check_test(struct tests_reader *reader, const struct yaml_node *map,
		       const struct rule_test *test)
{
	bool has_text = test->equals.p || test->contains.p || test->matches.p || test->field_cnt;
	const char *what = NULL, *hint = NULL;

	if (!test->name.p) {
		what = "a test needs a name";
		hint = "add name: what it shows";
	} else if (!yaml_get(map, "event") == !yaml_get(map, "events")) {
		what = "a test needs either event or events";
		hint = "add event: {evt.type: ...}";
	} else if (!test->has_match && !test->has_alerts && !test->has_count && !has_text) {
		what = "a test expects something";
		hint = "add match: true or match: false";
	} else if (test->has_match && !test->rule.p) {
		what = "match asks for the rule whose test it is, and this is no rule's";
		hint = "write alerts: [the rule's name], or alerts: []";
	} else if (test->is_alone && !test->rule.p) {
		what = "alone is for a rule's own tests";
	} else if (has_text && ((test->has_match && !test->is_match) ||
				(test->has_count && test->count == 0))) {
		what = "there is no alert whose text or fields could be looked at";
		hint = "remove output and fields, or expect an alert";
	}
	if (what)
		bad(reader, map->at, hint, what);
	return !what;
}

static struct rule_test *new_test(struct tests_reader *reader)
{
	if (reader->cnt == reader->cap) {
		uint32_t cap = MAX(reader->cap * 2, 64u);
		struct rule_test *items = arena_new_array(reader->arena, struct rule_test, cap);

		if (!items)
			return NULL;
		if (reader->cnt)
			memcpy(items, reader->items, reader->cnt * sizeof(*items));
		reader->items = items;
		reader->cap = cap;
	}
	return &reader->items[reader->cnt];
}

static void read_test(struct tests_reader *reader, const struct yaml_node *map, struct str rule)
{
	struct rule_test *test = new_test(reader);
	bool is_good = true;

	if (!test)
		return;
	*test = (struct rule_test){ .rule = rule, .at = map->at };
	if (map->kind != YAML_MAP) {
		bad(reader, map->at, "begin it with - name: ...", "a test is a map");
		return;
	}
	for (const struct yaml_entry *e = map->entries; e; e = e->next)
		is_good &= read_key(reader, e, test);
	if (is_good && check_test(reader, map, test) && !map->is_broken)
		reader->cnt++;
}

static void read_item(struct tests_reader *reader, const struct yaml_node *item)
{
	const struct yaml_node *tests, *rule;

	if (item->kind != YAML_MAP || !(tests = yaml_get(item, "tests")))
		return;
	rule = yaml_get(item, "rule");
	if (tests->kind != YAML_LIST) {
		if (!tests->is_null)
			bad(reader, tests->at, "begin each with - name: ...", "tests is a list");
		return;
	}
	for (const struct yaml_entry *e = tests->entries; e; e = e->next) {
		if (reader->cnt == RULE_TESTS_MAX) {
			bad(reader, e->value->at, "split the files", "more than 100000 tests");
			return;
		}
		read_test(reader, e->value,
			  rule && rule->kind == YAML_SCALAR ? rule->text.s : STR_NONE);
	}
}

int rule_tests_read(struct arena *arena, struct diags *diags, struct rule_tests *ret)
{
	struct tests_reader reader = { .arena = arena, .diags = diags };
	uint32_t source_cnt = diags->source_cnt;

	for (uint32_t source = 1; source < source_cnt; source++) {
		struct yaml_entry *items = NULL;
		int r = yaml_read(arena, arena, source, diags, &items);

		if (r < 0)
			return r;
		for (const struct yaml_entry *e = items; e; e = e->next)
			read_item(&reader, e->value);
	}
	*ret = (struct rule_tests){ reader.items, reader.cnt };
	return arena->failed ? -ENOMEM : 0;
}

bool rule_test_matches(const struct rule_test *test, struct str text, struct arena *scratch)
{
	struct regex_counters counters = { 0 };
	struct regex_scratch *regex_scratch = regex_scratch_new();
	bool is_match;

	if (!regex_scratch)
		return false;
	is_match = regex_match(test->regex, regex_scratch, text, scratch, &counters) == REGEX_YES;
	regex_scratch_free(regex_scratch);
	return is_match;
}
