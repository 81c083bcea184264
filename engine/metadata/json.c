/*
 * Hostile JSON through json-c. Owns nothing. Metadata thread.
 */
#include "json.h"

#include <stdarg.h>

#include "haetae/json_bound.h"

static bool is_blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p == end;
}

struct json_object *json_parse(struct str text)
{
	struct json_tokener *tokener;
	struct json_object *value;
	size_t end;

	if (!text.n || text.n > INT32_MAX || !json_is_bounded(text))
		return NULL;
	tokener = json_tokener_new_ex(JSON_BOUND_DEPTH + 2);
	if (!tokener)
		return NULL;
	value = json_tokener_parse_ex(tokener, text.p, (int)text.n);
	end = json_tokener_get_parse_end(tokener);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    !is_blank(text.p + end, text.p + text.n)) {
		json_object_put(value);
		value = NULL;
	}
	json_tokener_free(tokener);
	return value;
}

void json_freep(struct json_object **value)
{
	json_object_put(*value);
}

struct json_object *json_get(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &value);
	return value;
}

struct json_object *json_path(struct json_object *object, ...)
{
	const char *key;
	va_list keys;

	va_start(keys, object);
	while (object && (key = va_arg(keys, const char *)))
		object = json_get(object, key);
	va_end(keys);
	return object;
}

struct str json_text(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_string))
		return STR_NONE;
	return (struct str){ json_object_get_string(value),
			     (uint32_t)json_object_get_string_len(value) };
}

struct str json_get_text(struct json_object *object, const char *key)
{
	return json_text(json_get(object, key));
}

bool json_get_bool(struct json_object *object, const char *key, bool fallback)
{
	struct json_object *value = json_get(object, key);

	return json_object_is_type(value, json_type_boolean) ? json_object_get_boolean(value)
							     : fallback;
}

size_t json_length(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

struct json_object *json_at(struct json_object *array, size_t index)
{
	return index < json_length(array) ? json_object_array_get_idx(array, index) : NULL;
}
