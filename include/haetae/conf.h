/*
 * The configuration: one table of options. From it come the parser of /etc/haetae/haetae.yaml and
 * of `-o KEY=VALUE`, `haetae list options`, the manual page, the annotated example and
 * `haetae run --print-config`.
 */
#ifndef HAETAE_CONF_H
#define HAETAE_CONF_H

#include "haetae/daemon.h"
#include "haetae/diag.h"

#define CONF_PATH_DEFAULT "/etc/haetae/haetae.yaml"

/* ---- the table of options ------------------------------------------------------------------- */

enum conf_type {
	CONF_BOOL,
	CONF_NUMBER,
	CONF_SIZE, /* bytes */
	CONF_TIME, /* nanoseconds */
	CONF_RATE, /* nanoseconds for one */
	CONF_TEXT,
	CONF_CHOICE,
	CONF_TEXTS,   /* a list */
	CONF_SOCKETS, /* auto, off, or a list */
	CONF_SELECTORS,
	CONF_ADDITIONS,
	CONF_FIELDS,
	CONF_GATE_KEYS,
	CONF_HEADERS,
	CONF_SINKS,
	CONF_TYPE__COUNT
};

struct conf_choice {
	const char *name;
	int value;
};

/* Bits of the types of sinks that know an option. */
enum conf_sink_type {
	CONF_SINK_STDOUT = 1,
	CONF_SINK_FILE = 2,
	CONF_SINK_SYSLOG = 4,
	CONF_SINK_HTTP = 8,
	CONF_SINK_PROGRAM = 16,
	CONF_SINK_ALL = 31
};

struct conf_option {
	const char *key; /* "metadata.deadline"; of a sink's options the part behind its name */
	enum conf_type type;
	const char *doc;		   /* sentences */
	const char *example;		   /* YAML, for what says little by its default; or NULL */
	uint32_t offset, size;		   /* of the member, in daemon_config or in sink_config */
	uint32_t cnt_offset;		   /* of a list's count, uint32_t */
	uint64_t min, max;		   /* of numbers and the like; max of a list: its entries */
	const struct conf_choice *choices; /* ended by a NULL name */
	const char *form;		   /* of a text: what is_valid asks for */
	bool (*is_valid)(struct str text);
	bool is_any_case; /* of choices */
	bool is_nullable; /* null: not given */
	bool is_live;	  /* a reload of the daemon takes it over; others need a restart */
	bool is_secret;	  /* masked where it is printed */
	uint32_t sinks;	  /* enum conf_sink_type */
};

/* NULL behind the last. */
const struct conf_option *conf_option_at(unsigned index);
const struct conf_option *conf_sink_option_at(unsigned index);
/* "duration, 0s to 1h", "one of auto, off". */
void conf_option_value(const struct conf_option *option, struct buf *out);
/* Its built-in value as YAML. */
void conf_option_default(const struct conf_option *option, bool is_sink, struct buf *out);
/* A configuration file of all options with their documentation, defaults commented out. */
void conf_example(struct buf *out);

/* ---- one configuration ---------------------------------------------------------------------- */

struct conf {
	struct daemon_config daemon;
	struct conf_private *private; /* where values came from; owns all strings */
};

/* Built-in defaults. NULL where memory is exhausted. */
struct conf *conf_new(void);
struct conf *conf_free(struct conf *conf);
static inline void conf_freep(struct conf **conf)
{
	*conf = conf_free(*conf);
}

#define CONF_E_INVALID 1 /* diags has the errors */
#define CONF_E_ABSENT  2 /* no such file */

/* Reads a file over what is there. 0, CONF_E_…, or -ENOMEM. What makes no sense as a whole is only
 * seen by conf_finish(). */
int conf_load(struct conf *conf, const char *path, struct diags *diags);
/* The same from memory. */
int conf_load_text(struct conf *conf, struct str name, struct str text, struct diags *diags);
/* "KEY=VALUE". The values that one list is given this way add up, in place of the file's. 0,
 * CONF_E_INVALID, or -ENOMEM. */
int conf_assign(struct conf *conf, const char *assignment, struct diags *diags);
/* Says that another option of the command line set `key`. */
void conf_mark_command_line(struct conf *conf, const char *key);
/* Rules to load, from the command line. paths are borrowed. False where they are too many. */
bool conf_set_rule_paths(struct conf *conf, const char *const *paths, uint32_t path_cnt);
/* --format: of all sinks to stdout. */
void conf_set_console_format(struct conf *conf, enum sink_format format);
/* The last step: defaults that depend on other values, and whether all fits together. 0 or
 * CONF_E_INVALID. */
int conf_finish(struct conf *conf, struct diags *diags);
/* The effective configuration as YAML that can be read again but for masked secrets, each value
 * with its origin as a comment. */
void conf_print(const struct conf *conf, struct buf *out);

#endif
