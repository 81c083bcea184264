/*
 * JSON Lines to fixtures: a map a line, or an alert, whose output_fields count. What others wrote
 * is bounded before it is parsed. Owns nothing.
 */
#include <errno.h>
#include <json-c/json.h>

#include "haetae/json_bound.h"

#include "fixture.h"

#define TOKENER_DEPTH (JSON_BOUND_DEPTH + 2)

static void put_objectp(struct json_object **object)
{
	json_object_put(*object);
}

static struct str text_of(struct json_object *value)
{
	return (struct str){ json_object_get_string(value),
			     (uint32_t)json_object_get_string_len(value) };
}

/* A scalar as text; numbers as json-c writes them. False: a list or a map. */
static bool take_scalar(struct arena *arena, struct json_object *value, struct str *ret)
{
	const char *text;

	*ret = STR_NONE;
	if (!value)
		return true;
	if (json_object_is_type(value, json_type_array) ||
	    json_object_is_type(value, json_type_object))
		return false;
	if (json_object_is_type(value, json_type_string)) {
		*ret = arena_str(arena, text_of(value));
		return true;
	}
	text = json_object_get_string(value);
	if (text)
		*ret = arena_str(arena, str_from(text));
	return true;
}

/* The place of "key" in the line; the line where it cannot be found (escapes). */
static struct span place_of(const struct diags *diags, struct span line, struct str key)
{
	const char *begin = diags->sources[line.source].text.p + line.offset, *at = begin;
	const char *end = begin + line.length;

	while (key.n && (at = memmem(at, (size_t)(end - at), key.p, key.n))) {
		if (at > begin && at[-1] == '"' && at + key.n < end && at[key.n] == '"')
			return (struct span){ line.source, line.offset + (uint32_t)(at - begin),
					      key.n };
		at++;
	}
	return line;
}

static bool take_value(struct arena *arena, struct json_object *value, struct fixture_entry *entry,
		       struct diags *diags)
{
	bool is_list = json_object_is_type(value, json_type_array);
	uint32_t cnt = is_list ? (uint32_t)json_object_array_length(value) : 1;
	struct fixture_text *texts = arena_new_array(arena, struct fixture_text, cnt + 1);

	entry->texts = texts;
	entry->is_list = is_list;
	for (uint32_t i = 0; texts && i < cnt; i++) {
		texts[i].at = entry->name_at;
		if (!take_scalar(arena, is_list ? json_object_array_get_idx(value, i) : value,
				 &texts[i].text)) {
			diags_error(diags, entry->name_at, "E0802",
				    "an event is a flat map of fields to values",
				    "a value is a text, a number or a list of those");
			return false;
		}
		entry->text_cnt++;
	}
	return texts;
}

static const struct fixture *make(struct arena *arena, struct json_object *map, struct str rule,
				  struct span line, struct diags *diags)
{
	struct fixture_input input = { .at = line, .rule = rule };
	uint32_t cnt = (uint32_t)json_object_object_length(map);
	struct fixture_entry *entries = arena_new_array(arena, struct fixture_entry, cnt + 1);
	bool is_good = true;

	input.entries = entries;
	if (!entries)
		return NULL;
	json_object_object_foreach(map, key, value)
	{
		struct fixture_entry *entry = &entries[input.entry_cnt++];

		entry->name = arena_str(arena, str_from(key));
		if (!entry->name.p)
			return NULL;
		entry->name_at = place_of(diags, line, entry->name);
		is_good &= take_value(arena, value, entry, diags);
	}
	return is_good ? fixture_make(arena, &input, diags) : NULL;
}

/* An alert has output_fields and its rule. */
static const struct fixture *from_object(struct arena *arena, struct json_object *object,
					 struct span line, struct diags *diags)
{
	struct json_object *fields = NULL, *rule = NULL;
	struct str name = STR("");

	if (!json_object_object_get_ex(object, "output_fields", &fields) ||
	    !json_object_is_type(fields, json_type_object))
		return make(arena, object, STR_NONE, line, diags);
	if (json_object_object_get_ex(object, "rule", &rule) &&
	    json_object_is_type(rule, json_type_string))
		name = arena_str(arena, text_of(rule));
	return name.p ? make(arena, fields, name, line, diags) : NULL;
}

static const struct fixture *read_line(struct arena *arena, struct span line, struct diags *diags)
{
	struct str text = { diags->sources[line.source].text.p + line.offset, line.length };
	_cleanup_(put_objectp) struct json_object *object = NULL;
	struct json_tokener *tokener;
	const char *problem = "too many or too deep";

	if (json_is_bounded(text) && text.n <= FIXTURE_LINE_MAX) {
		tokener = json_tokener_new_ex(TOKENER_DEPTH);
		if (!tokener) {
			arena->failed = true;
			return NULL;
		}
		object = json_tokener_parse_ex(tokener, text.p, (int)text.n);
		problem = json_tokener_error_desc(json_tokener_get_error(tokener));
		if (object && json_tokener_get_parse_end(tokener) < text.n)
			problem = "something stands behind it";
		else if (object)
			problem = NULL;
		json_tokener_free(tokener);
	}
	if (problem || !json_object_is_type(object, json_type_object)) {
		diags_error(diags, line, "E0806", "write one map a line",
			    "this line is no JSON object%s%s", problem ? ": " : "",
			    problem ? problem : "");
		return NULL;
	}
	return from_object(arena, object, line, diags);
}

static bool is_blank(struct str text)
{
	for (uint32_t i = 0; i < text.n; i++)
		if (!memchr(" \t\r", text.p[i], 3))
			return false;
	return true;
}

int fixtures_read_json(struct arena *arena, uint32_t source, struct diags *diags,
		       struct fixtures *ret)
{
	struct str text = diags->sources[source].text;
	const struct fixture **list;
	uint32_t lines = 1, end;

	for (uint32_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	list = arena_new_array(arena, const struct fixture *, MIN(lines, FIXTURES_MAX));
	if (!list)
		return -ENOMEM;
	ret->items = list;
	for (uint32_t begin = 0; begin < text.n && !arena->failed; begin = end + 1) {
		const struct fixture *fixture;

		for (end = begin; end < text.n && text.p[end] != '\n'; end++)
			continue;
		if (is_blank((struct str){ text.p + begin, end - begin }))
			continue;
		if (ret->cnt == FIXTURES_MAX) {
			diags_error(diags, (struct span){ source, begin, 1 }, "E0806", "split it",
				    "a file has at most %u events", FIXTURES_MAX);
			break;
		}
		fixture = read_line(arena, (struct span){ source, begin, end - begin }, diags);
		if (fixture)
			list[ret->cnt++] = fixture;
	}
	return arena->failed ? -ENOMEM : 0;
}
