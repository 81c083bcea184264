/*
 * Rule files as trees: YAML with the place of every key and value, and with recovery. After a
 * syntax error reading resumes at the next line that starts with "- " (decision 30), so that one
 * mistake hides no other. Bounded: size, depth, number of nodes, what aliases expand to.
 */
#ifndef HAETAE_MATCH_YAML_TREE_H
#define HAETAE_MATCH_YAML_TREE_H

#include "defs.h"

#define YAML_FILE_MAX  (16u << 20)
#define YAML_DEPTH_MAX 64
/* Nodes of one file, a node behind an alias counted each time. */
#define YAML_NODES_MAX 1000000

enum yaml_kind {
	YAML_SCALAR,
	YAML_LIST,
	YAML_MAP
};

/* Of a list (without key) or a map. */
struct yaml_entry {
	struct yaml_node *key, *value;
	struct yaml_entry *next;
};

/* Shared where an alias refers to it. */
struct yaml_node {
	enum yaml_kind kind;
	bool is_null; /* a plain scalar that is empty, ~ or null */
	bool is_open; /* still being read */
	/* An item in which a syntax error stands: what was read before it is there, the value right
	 * before it is not. Or a value in place of a bad alias, reported. */
	bool is_broken;
	struct span at;
	struct text text; /* of a scalar */
	struct yaml_entry *entries, *last;
	uint32_t entry_cnt;
	uint32_t weight; /* nodes in it, itself included, aliases expanded */
};

/* Reads source number `source` of diags. *ret are the items of all its documents, as a list without
 * keys; nodes live in `nodes`, texts in `texts`. Problems go to diags. 0 or -ENOMEM. */
int yaml_read(struct arena *nodes, struct arena *texts, uint32_t source, struct diags *diags,
	      struct yaml_entry **ret);

/* The value of a map's key, the first one where there are two; NULL where there is none. */
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* The key itself, for its place. */
struct yaml_node *yaml_get_key(const struct yaml_node *map, const char *key);

#endif
