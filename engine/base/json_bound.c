/*
 * Bounds what json-c allocates for hostile JSON; see json_bound.h. Owns nothing, any thread.
 */
#include "haetae/json_bound.h"

/* In twentieths of an empty object, by json-c 0.16's sizes: its table has 16 places, an array 32,
 * a number 64 bytes. */
#define OBJECT_COST  20
#define ARRAY_COST   10
#define ELEMENT_COST 1

static unsigned cost_of(char c)
{
	switch (c) {
	case '{':
		return OBJECT_COST;
	case '[':
		return ARRAY_COST;
	case ',':
		return ELEMENT_COST;
	default:
		return 0;
	}
}

bool json_is_bounded(struct str text)
{
	uint32_t depth = 0, cost = 0;
	bool is_string = false;

	for (uint32_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (is_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				is_string = false;
			continue;
		}
		if (c == '\'' || c == '/')
			return false;
		is_string = c == '"';
		cost += cost_of(c);
		depth += c == '{' || c == '[';
		depth -= depth && (c == '}' || c == ']');
		if (depth > JSON_BOUND_DEPTH || cost > JSON_BOUND_OBJECTS * OBJECT_COST)
			return false;
	}
	return true;
}
