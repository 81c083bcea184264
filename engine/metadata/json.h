/*
 * JSON that somebody else sent, over json-c: bounded before it is parsed, and read without trust in
 * types. Absent, null and a wrong type are the same to a reader: p NULL, NULL, or the default.
 */
#ifndef HAETAE_METADATA_JSON_H
#define HAETAE_METADATA_JSON_H

#include <json-c/json.h>

#include "haetae/base.h"

/* A value that the caller puts with json_object_put(); NULL where the text is no JSON, cut,
 * followed by something else, or beyond the limits. */
struct json_object *json_parse(struct str text);
void json_freep(struct json_object **value);

/* A member of an object, whatever it is; NULL too where `object` is none. */
struct json_object *json_get(struct json_object *object, const char *key);
/* The same along a path: json_path(pod, "metadata", "name", NULL). */
struct json_object *json_path(struct json_object *object, ...) __attribute__((sentinel));
/* A string's bytes, borrowed from the value; p NULL where it is none. */
struct str json_text(struct json_object *value);
struct str json_get_text(struct json_object *object, const char *key);
bool json_get_bool(struct json_object *object, const char *key, bool fallback);
/* The elements of an array; 0 where it is none. */
size_t json_length(struct json_object *array);
struct json_object *json_at(struct json_object *array, size_t index);

#endif
