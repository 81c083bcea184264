/*
 * A configuration file as a tree: YAML with the place of every key and value. Private to the
 * configuration.
 */
#ifndef HAETAE_DAEMON_CONF_YAML_H
#define HAETAE_DAEMON_CONF_YAML_H

#include "haetae/diag.h"

#define CONF_FILE_MAX  (1u << 20)
#define CONF_DEPTH_MAX 16
#define CONF_NODES_MAX 16384

enum conf_node_kind {
	CONF_NODE_TEXT,
	CONF_NODE_LIST,
	CONF_NODE_MAP
};

struct conf_entry {
	struct conf_node *key; /* a text; NULL in a list */
	struct conf_node *value;
	struct conf_entry *next;
};

struct conf_node {
	enum conf_node_kind kind;
	bool is_plain; /* a text without quotes: it may be a number, a boolean or null */
	struct span at;
	struct str text;
	struct conf_entry *entries, *last;
	uint32_t entry_cnt;
};

/* Reads source number `source` of diags; nodes and texts live in the arena. *ret is NULL where the
 * file is empty. Every problem is reported: syntax, a key given twice, anchors, tags, a second
 * document. 0 or -ENOMEM. */
int conf_yaml_read(struct arena *arena, uint32_t source, struct diags *diags,
		   struct conf_node **ret);

/* Diagnostics show the line that they point to. These make stars of what is secret in their copy of
 * the text, which is ours; every other byte keeps its place. Of a node and all in it; or of values
 * whose keys are called like a secret. */
void conf_hide(struct diags *diags, const struct conf_node *node);
void conf_hide_secrets(struct diags *diags, const struct conf_node *node);

/* A plain text that is empty, ~ or null. */
bool conf_node_is_null(const struct conf_node *node);
/* "a text", "a list", "a map". */
const char *conf_node_kind_name(const struct conf_node *node);

#endif
