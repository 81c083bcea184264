/*
 * Fixtures from the inside: fixture.c (names and values), fixture_json.c (JSON Lines),
 * fixture_derive.c (what follows from what is given), rule_tests.c.
 */
#ifndef HAETAE_MATCH_FIXTURE_H
#define HAETAE_MATCH_FIXTURE_H

#include "haetae/fixture.h"

#include "yaml_tree.h"

/* Values beside those that are given. */
#define FIXTURE_DERIVED_MAX 64

struct fixture_value {
	const struct field *field;
	struct field_argument argument;
	struct value_set set;
	struct span at;
	bool is_derived;
};

struct fixture {
	unsigned code;
	bool is_never; /* of a type that this architecture does not have */
	struct str rule;
	struct span at;
	struct fixture_value *values;
	uint32_t value_cnt;
};

/* One value as text; text.p NULL: null, which makes the field absent. */
struct fixture_text {
	struct str text;
	struct span at;
};
/* One key of a map as written. */
struct fixture_entry {
	struct str name;
	struct span name_at;
	const struct fixture_text *texts; /* one, or those of a list */
	uint32_t text_cnt;
	bool is_list;
};
struct fixture_input {
	struct span at;
	struct str
		rule; /* of an alert, or STR_NONE: then keys that are no fields are passed over */
	const struct fixture_entry *entries;
	uint32_t entry_cnt;
};

/* NULL: reported, or out of memory (arena->failed). */
const struct fixture *fixture_make(struct arena *arena, const struct fixture_input *input,
				   struct diags *diags);
/* The same of a map of YAML. */
const struct fixture *fixture_from_yaml(struct arena *arena, const struct yaml_node *map,
					struct diags *diags);
/* A map a line. 0 or -ENOMEM. */
int fixtures_read_json(struct arena *arena, uint32_t source, struct diags *diags,
		       struct fixtures *ret);

/* A value by the field's name, without argument; NULL where it is not given or null. */
const struct value *fixture_find(const struct fixture *fixture, const char *name);
/* Adds what follows from what is there. */
void fixture_derive(struct arena *arena, struct fixture *fixture);
/* A text as a value of this type. False: it is none. */
bool fixture_convert(struct arena *arena, enum value_type type, struct str text, struct value *ret);

#endif
