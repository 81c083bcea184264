/*
 * What the files of the configuration share.
 */
#ifndef HAETAE_DAEMON_CONF_PRIVATE_H
#define HAETAE_DAEMON_CONF_PRIVATE_H

#include "haetae/conf.h"

#include "conf_yaml.h"

#define CONF_OPTIONS_MAX      96
#define CONF_SINK_OPTIONS_MAX 48
#define CONF_NAME_MAX	      64 /* of a sink */

enum conf_origin_kind {
	CONF_FROM_DEFAULT,
	CONF_FROM_FILE,
	CONF_FROM_OPTION,      /* -o */
	CONF_FROM_COMMAND_LINE /* an option of its own, such as --format */
};

struct conf_origin {
	enum conf_origin_kind kind;
	const char *file; /* of CONF_FROM_FILE */
	uint32_t line;
	struct span at; /* valid with the diags that were there */
};

/* A text that held ${NAME}: what was written, found by the address of what it became. */
struct conf_expansion {
	const char *value;
	struct str written;
	struct conf_expansion *next;
};

struct conf_private {
	struct arena arena; /* all strings of the configuration */
	struct conf_origin origins[CONF_OPTIONS_MAX];
	struct conf_origin sink_origins[SINKS_MAX][CONF_SINK_OPTIONS_MAX];
	struct conf_expansion *expansions;
	bool is_out_of_memory;
	/* The file that was read last, for the warning about secrets. */
	bool is_world_readable;
};

/* What is being read: into `base`, a daemon_config or a sink_config. */
struct conf_reading {
	struct conf *conf;
	struct diags *diags;
	const struct conf_option *options;
	void *base;
	struct conf_origin *origins;
	enum conf_origin_kind kind;
	const char *file;
};

/* Sets one option from a node. Problems go to diags; then false. */
bool conf_option_read(struct conf_reading *reading, unsigned index, const struct conf_node *node);
/* Reads a map's keys, each behind `prefix` ("" or "metadata."). */
void conf_map_read(struct conf_reading *reading, const char *prefix, const struct conf_node *map);

/* A text as the configuration keeps it: environment put in, NUL-terminated, in the arena. NULL
 * where the node is no text or a variable is not set (reported), or memory is exhausted. */
const char *conf_text_read(struct conf_reading *reading, const struct conf_node *node);
bool conf_is_of_kind(struct conf_reading *reading, const struct conf_node *node,
		     enum conf_node_kind kind);
/* Lists and maps of every sort. */
bool conf_list_read(struct conf_reading *reading, unsigned index, const struct conf_node *node);
bool conf_sinks_read(struct conf_reading *reading, const struct conf_node *node);
/* The sink of this name, made where there is none; NULL where there is no room (reported). */
struct sink_config *conf_sink_of(struct conf_reading *reading, struct str name, struct span at);
struct conf_reading conf_sink_reading(const struct conf_reading *reading,
				      const struct sink_config *sink);
void conf_out_of_memory(struct conf_reading *reading);

/* Whether it was written with ${NAME}; *ret: what was written. */
bool conf_is_expanded(const struct conf *conf, const char *value, struct str *ret);

/* Values as YAML. conf may be NULL: nothing is masked then. */
void conf_put_value(const struct conf *conf, const struct conf_option *option, const void *base,
		    struct buf *out);
void conf_put_text(struct buf *out, struct str text);

/* Checks of forms. */
bool conf_is_path(struct str text);
bool conf_is_http_url(struct str text);
bool conf_is_proxy_url(struct str text);
bool conf_is_syslog_address(struct str text);
bool conf_is_listen_address(struct str text);
bool conf_is_sink_name(struct str text);
bool conf_is_word(struct str text);

extern const struct conf_choice conf_priority_choices[];
extern const char *const conf_gate_key_names[GATE_KEY__COUNT];

/* Numbers with units. CONF_NUMBER_… or 0. */
#define CONF_NUMBER_BAD	     1
#define CONF_NUMBER_OVERFLOW 2
int conf_number_parse(enum conf_type type, struct str text, uint64_t *ret);
void conf_number_put(enum conf_type type, uint64_t value, struct buf *out);

static inline void *conf_member(void *base, uint32_t offset)
{
	return (char *)base + offset;
}

static inline const void *conf_member_const(const void *base, uint32_t offset)
{
	return (const char *)base + offset;
}

uint64_t conf_number_get(const struct conf_option *option, const void *base);

#endif
