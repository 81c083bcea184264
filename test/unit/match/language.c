/*
 * See language.h. Owns everything in struct language. Used by the tests of the match stage and by
 * its fuzz targets.
 */
#include "language.h"

#include <arpa/inet.h>

#define VALUES_MAX 8

static bool name_equal(const void *node, const void *key)
{
	/* The name is the first member of all three kinds. */
	return str_eq(((const struct text *)node)->s, *(const struct str *)key);
}

void language_init(struct language *language, size_t max_bytes)
{
	*language = (struct language){ 0 };
	arena_init(&language->arena, max_bytes);
	diags_init(&language->diags);
	table_init(&language->list_table, LANGUAGE_MAX, name_equal);
	table_init(&language->macro_table, LANGUAGE_MAX, name_equal);
	table_init(&language->rule_table, LANGUAGE_MAX, name_equal);
	language->defs.lists = calloc(LANGUAGE_MAX, sizeof(*language->defs.lists));
	language->defs.macros = calloc(LANGUAGE_MAX, sizeof(*language->defs.macros));
	language->defs.rules = calloc(LANGUAGE_MAX, sizeof(*language->defs.rules));
	language->defs.list_table = &language->list_table;
	language->defs.macro_table = &language->macro_table;
	language->defs.rule_table = &language->rule_table;
}

void language_done(struct language *language)
{
	table_done(&language->list_table);
	table_done(&language->macro_table);
	table_done(&language->rule_table);
	free(language->defs.lists);
	free(language->defs.macros);
	free(language->defs.rules);
	diags_done(&language->diags);
	arena_done(&language->arena);
}

/* Texts live with the diagnostics, so that the arena under test holds only what is compiled. */
struct text language_text(struct language *language, const char *text)
{
	struct arena *arena = &language->diags.arena;
	struct text_segment *segment = arena_new(arena, struct text_segment);
	struct text ret = { .s = arena_str(arena, str_from(text)), .segments = segment };

	hae_assert(segment && ret.s.p);
	segment->source = diags_add_source(&language->diags, STR("test"), ret.s);
	segment->length = ret.s.n;
	ret.segment_cnt = 1;
	return ret;
}

void language_list(struct language *language, const char *name, const char *items)
{
	struct list_def *list = &language->defs.lists[language->defs.list_cnt];
	struct text *texts =
		arena_new_array(&language->diags.arena, struct text, LANGUAGE_ITEMS_MAX);

	hae_assert(texts);
	list->name = language_text(language, name);
	list->order.index = list->order.visibility = language->defs.list_cnt++;
	list->items = texts;
	for (const char *p = items; *p && list->item_cnt < LANGUAGE_ITEMS_MAX;) {
		char item[300] = { 0 };
		size_t n = strcspn(p, "|");

		memcpy(item, p, MIN(n, sizeof(item) - 1));
		texts[list->item_cnt++] = language_text(language, item);
		p += n + (p[n] == '|');
	}
	(void)table_insert(&language->list_table, str_hash(list->name.s), &list->name.s, list);
}

void language_macro(struct language *language, const char *name, const char *condition)
{
	struct macro_def *macro = &language->defs.macros[language->defs.macro_cnt];

	macro->name = language_text(language, name);
	macro->condition = language_text(language, condition);
	macro->order.index = macro->order.visibility = language->defs.macro_cnt++;
	(void)table_insert(&language->macro_table, str_hash(macro->name.s), &macro->name.s, macro);
}

struct rule_def *language_rule(struct language *language, const char *condition)
{
	uint32_t number = language->defs.rule_cnt++;
	struct rule_def *rule = &language->defs.rules[number];

	hae_assert(number < LANGUAGE_MAX);
	rule->name = language_text(language, "a rule");
	rule->condition = language_text(language, condition);
	rule->order.index = rule->order.visibility = number;
	rule->is_enabled = true;
	language->is_active[number] = true;
	return rule;
}

int language_compile(struct language *language)
{
	language->result = program_compile(&language->arena, &language->defs, language->is_active,
					   language->is_match_all, &language->diags,
					   &language->rules, &language->program);
	return language->result;
}

const struct diag *language_diag(const struct language *language, const char *code)
{
	for (uint32_t i = 0; i < language->diags.item_cnt; i++)
		if (strcmp(language->diags.items[i].code, code) == 0)
			return &language->diags.items[i];
	return NULL;
}

/* ---- values ---------------------------------------------------------------------------------- */

struct source {
	const struct given *given;
	struct arena *scratch;
};

static void convert(enum value_type type, const char *text, struct value *ret)
{
	bool is_v6 = strchr(text, ':');

	*ret = (struct value){ .type = type };
	switch (type) {
	case VALUE_BOOL:
		ret->is_true = strcmp(text, "true") == 0;
		return;
	case VALUE_STRING:
	case VALUE_PATH:
	case VALUE_BYTES:
		ret->str = str_from(text);
		return;
	case VALUE_IP:
	case VALUE_NET:
		ret->ip.family = is_v6 ? AF_INET6 : AF_INET;
		hae_assert(inet_pton(ret->ip.family, text, ret->ip.bytes) == 1);
		return;
	case VALUE_S64:
	case VALUE_U64:
	case VALUE_PORT:
	case VALUE_RELTIME:
	case VALUE_ABSTIME:
	case VALUE_FLAGS:
	case VALUE_TYPE__COUNT:
		ret->s64 = strtoll(text, NULL, 10);
		return;
	}
}

static bool give(const struct field *field, const struct field_argument *argument,
		 struct value_set *ret, void *data)
{
	const struct source *source = data;
	struct value *values = arena_new_array(source->scratch, struct value, VALUES_MAX);
	uint32_t cnt = 0;

	(void)argument;
	*ret = (struct value_set){ .state = FIELD_ABSENT };
	if (strcmp(field->name, "evt.type") == 0 || strcmp(field->name, "evt.num") == 0 ||
	    strcmp(field->name, "evt.dir") == 0)
		return false;
	for (const struct given *given = source->given; values && given && given->name; given++)
		if (strcmp(given->name, field->name) == 0 && cnt < VALUES_MAX)
			convert(field->type, given->text, &values[cnt++]);
	if (cnt)
		*ret = (struct value_set){ FIELD_VALUE, cnt, values };
	return true;
}

struct hits {
	uint64_t bits;
	unsigned cnt;
};

static void count(uint32_t rule, void *data)
{
	struct hits *hits = data;

	hits->cnt++;
	if (rule < 64)
		hits->bits |= 1ULL << rule;
}

unsigned language_run(struct language *language, const char *event_name, const struct given *given,
		      uint64_t *ret_hits)
{
	int code = event_code_find(str_from(event_name));
	struct wire_header header = { .type = EVENT_GENERIC };
	struct evaluator *evaluator = NULL;
	struct arena scratch;
	struct event event = { .header = &header, .number = 1, .scratch = &scratch };
	struct source source = { given, &scratch };
	struct field_context context = { .event = &event, .source = "syscall", .override = give };
	struct hits hits = { 0 };

	hae_assert(code >= 0 && code < EVENT_CODE_NEVER);
	event.code = (unsigned)code;
	if (event.code < EVENT_CODE_SYSCALL)
		header.type = (uint16_t)event.code;
	event.schema = event_schema_get((enum event_type)header.type);
	context.override_data = &source;
	arena_init(&scratch, 4u << 20);
	hae_assert(evaluator_new(language->program, &evaluator) == 0);
	evaluator_run(evaluator, &context, &(struct evaluator_calls){ count, NULL, &hits });
	evaluator_free(evaluator);
	arena_done(&scratch);
	if (ret_hits)
		*ret_hits = hits.bits;
	return hits.cnt;
}
