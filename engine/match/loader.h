/*
 * The loader: rule files to definitions (rule-language.md 1). Private to the loader_*.c and
 * ruleset.c files. Every function reports to loader->diags; memory that runs out is remembered in
 * is_out_of_memory and tested once, at the end.
 */
#ifndef HAETAE_MATCH_LOADER_H
#define HAETAE_MATCH_LOADER_H

#include "haetae/table.h"

#include "defs.h"
#include "yaml_tree.h"

/* What we say that we are (rule-language.md 1.2, 1.3). */
#define LOADER_ENGINE_VERSION	 "0.63.0"
#define LOADER_CONTAINER_VERSION "0.99.0"
#define LOADER_SOURCE		 "syscall"
#define LOADER_DEFS_MAX		 1000000

/* Definitions of one kind while files are read; the nodes are in the ruleset's arena and begin with
 * their name. */
struct def_set {
	void **items; /* owned; in the order of creation */
	uint32_t cnt, cap;
	struct table by_name;
};

struct loader {
	struct arena *arena; /* borrowed: the ruleset's */
	struct diags *diags; /* borrowed */
	struct arena nodes;  /* of the file being read */
	struct def_set lists, macros, rules;
	struct def_place place; /* file name; of the item being read */
	uint32_t source;	/* of the file being read */
	uint32_t file_number;	/* from 1 */
	uint32_t next_index;
	uint32_t near_cnt; /* names searched for "did you mean" */
	bool is_out_of_memory;
};

void loader_init(struct loader *loader, struct arena *arena, struct diags *diags);
void loader_done(struct loader *loader);
/* Reads one file: source number `source` of diags. */
void loader_add(struct loader *loader, uint32_t source);
/* A rule of this name, which no file has; both texts are whole sources. */
void loader_add_own(struct loader *loader, const struct rules_own *own, uint32_t condition,
		    uint32_t output);
/* The definitions of all files; tables are freed with the arena. 0 or -ENOMEM. */
int loader_finish(struct loader *loader, struct defs *ret);

void *def_set_find(const struct def_set *set, struct str name);
/* Adds a copy of size bytes, which begins with its name. NULL: out of memory, or too many. */
void *def_set_add(struct loader *loader, struct def_set *set, const void *def, size_t size);
/* The array with room for `more`, moved where *cap is too small; what was appended one by one is
 * copied a bounded number of times. *cap is 0 for an array that is not to be written to. NULL: out
 * of memory. */
void *loader_grow(struct loader *loader, const void *items, uint32_t cnt, uint32_t more,
		  size_t size, uint32_t *cap);
/* Name, place and order of a definition: a new one, or one that exists and is touched. */
void def_order_new(struct loader *loader, struct def_order *order);
void def_order_touch(struct loader *loader, struct def_order *order);

/* ---- values (loader_value.c) ---------------------------------------------------------------- */

enum key_state {
	KEY_ABSENT,
	KEY_GOOD, /* *ret is set */
	KEY_BAD	  /* reported */
};
/* A text that is not empty. */
enum key_state loader_text(struct loader *loader, const struct yaml_node *map, const char *key,
			   struct text *ret);
enum key_state loader_bool(struct loader *loader, const struct yaml_node *map, const char *key,
			   bool *ret);
enum key_state loader_u32(struct loader *loader, const struct yaml_node *map, const char *key,
			  uint32_t *ret);
/* A list of texts, which may be empty; may hold empty texts. */
enum key_state loader_texts(struct loader *loader, const struct yaml_node *map, const char *key,
			    const struct text **ret, uint32_t *ret_cnt);
/* The texts of a list's node. False: reported. */
bool loader_texts_of(struct loader *loader, const struct yaml_node *list, const struct text **ret,
		     uint32_t *ret_cnt);
/* The key's value if it is of the kind and not null; else NULL, reported where it is there. */
const struct yaml_node *loader_node(struct loader *loader, const struct yaml_node *map,
				    const char *key, enum yaml_kind kind, enum key_state *ret);
/* Warns of keys that are not in the list, which a NULL ends. */
void loader_check_keys(struct loader *loader, const struct yaml_node *map,
		       const char *const *known);
/* Adds "did you mean" to the last diagnostic where a definition of the set has a near name. */
void loader_hint_near(struct loader *loader, const struct def_set *set, struct str name);

/* ---- how an item changes what is there (loader_override.c) ----------------------------------- */

struct override_key {
	const char *name;
	bool can_append;
};
struct change {
	bool is_append; /* append: true */
	bool has_override;
	uint32_t append, replace; /* bit i: key i of the table */
};
/* False: reported, the item is not to be applied. Missing and unlisted keys are not asked for in an
 * item that a syntax error broke. */
bool loader_change(struct loader *loader, const struct yaml_node *map,
		   const struct override_key *keys, unsigned key_cnt, struct change *ret);

/* ---- items ----------------------------------------------------------------------------------- */

void loader_list(struct loader *loader, const struct yaml_node *map);
void loader_macro(struct loader *loader, const struct yaml_node *map);
void loader_rule(struct loader *loader, const struct yaml_node *map);
void loader_engine_version(struct loader *loader, const struct yaml_node *map);
void loader_plugin_versions(struct loader *loader, const struct yaml_node *map);

/* Exceptions of a definition: replaces rule->exceptions. */
void loader_exceptions(struct loader *loader, const struct yaml_node *map, struct rule_def *rule);
/* The same, appended. */
void loader_exceptions_append(struct loader *loader, const struct yaml_node *map,
			      struct rule_def *rule);
/* Checks what the compiler doesn't see: exceptions without values. */
void loader_exceptions_check(struct loader *loader, const struct rule_def *rule);

#endif
