/*
 * The field registry: everything a rule or an output may name. One table row drives type check,
 * event-type inference, extraction, templates, `haetae list fields`, completion and the reference.
 */
#ifndef HAETAE_FIELD_H
#define HAETAE_FIELD_H

#include "haetae/container.h"
#include "haetae/event.h"
#include "haetae/host_names.h"
#include "haetae/proc.h"

/* clang-format off */
enum value_type {
	VALUE_S64, VALUE_U64, VALUE_BOOL, VALUE_STRING, VALUE_PATH, VALUE_BYTES, VALUE_IP, VALUE_NET,
	VALUE_PORT, VALUE_RELTIME, VALUE_ABSTIME, VALUE_FLAGS,
	VALUE_TYPE__COUNT
};
/* clang-format on */
const char *value_type_name(enum value_type type);

struct ip_address {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t bytes[16];
};

struct value {
	enum value_type type;
	union {
		int64_t s64;
		uint64_t u64; /* also PORT, RELTIME, ABSTIME, FLAGS */
		bool is_true;
		struct str str;	      /* STRING, PATH, BYTES */
		struct ip_address ip; /* IP, NET */
	};
};

/* What a field gave for an event. Absent is a value of its own (rule-language.md 2.4). */
enum field_state {
	FIELD_ABSENT,
	FIELD_VALUE,
	FIELD_PENDING
};

struct value_set {
	enum field_state state;
	uint32_t cnt;		    /* 1 for a plain field; 0 is possible only for FIELD_IS_LIST */
	const struct value *values; /* in the event's scratch or static */
};

struct field;
struct field_argument;

/* Values given by hand (a fixture) instead of read from the event. Returns false where it has no
 * say; then the getter is asked. */
typedef bool (*field_override_fn)(const struct field *field, const struct field_argument *argument,
				  struct value_set *ret, void *data);

/* What getters read. Set up once by the engine, the event changes. */
struct field_context {
	const struct event *event;
	const struct proc_table *procs;
	const struct pod_table *pods;	     /* or NULL */
	const struct host_names *host_names; /* of the ruleset; NULL: none is resolved */
	struct users *users;
	const char *hostname;
	const char *source;	    /* "syscall" */
	field_override_fn override; /* or NULL */
	void *override_data;
	bool is_final; /* nothing is waited for any more: what is pending is absent */
};

/* Whether the field can have a value on such an event. */
bool field_has_event(const struct field *field, const struct event_schema *schema);

/* Reads a field: the override first, then the getter. Every reader goes through here. */
void field_read(const struct field *field, const struct field_context *context,
		const struct field_argument *argument, struct value_set *ret);

/* The argument in brackets, or the NAME behind evt.arg. */
enum field_argument_kind {
	FIELD_ARG_NONE,
	FIELD_ARG_INDEX,
	FIELD_ARG_KEY
};
struct field_argument {
	enum field_argument_kind kind;
	uint64_t index;
	struct str key;
	/* evt.arg.NAME, evt.rawarg.NAME: for each event type the parameter's number, -1 for none.
	 * Resolved at compile time, in the ruleset's arena. */
	const int8_t *param_of_type; /* EVENT__COUNT entries, or NULL */
};

/* Why a text is no argument of a field. */
enum field_argument_error {
	FIELD_ARG_E_MISSING = 1, /* the field needs one */
	FIELD_ARG_E_FORBIDDEN,	 /* the field takes none, or not in this form */
	FIELD_ARG_E_INDEX,	 /* only a decimal number will do */
	FIELD_ARG_E_PARAM,	 /* evt.arg.NAME: no event has such a parameter */
};
struct field;
/* Makes the argument from the unquoted text in brackets, from NAME of evt.arg.NAME (is_dotted), or
 * from nothing (text NULL). Copies into the arena. 0, enum field_argument_error, or -ENOMEM. */
int field_argument_parse(struct arena *arena, const struct field *field, const struct str *text,
			 bool is_dotted, struct field_argument *ret);

/* Sets *ret. Called at most once per event and distinct (field, argument). Allocates only from
 * event->scratch; where that is exhausted the value is absent and the caller counts. */
typedef void (*field_get_fn)(const struct field_context *context,
			     const struct field_argument *argument, struct value_set *ret);

#define FIELD_ARG_ALLOWED_INDEX (1u << 0)
#define FIELD_ARG_ALLOWED_KEY	(1u << 1)
#define FIELD_ARG_REQUIRED	(1u << 2)
#define FIELD_ARG_DOTTED	(1u << 3) /* evt.arg.NAME: the argument follows a dot */
/* Several values. READINGS: the two readings of a path (decision 1): a comparison is true if
 * either satisfies it, under an odd number of `not`s only if both do. ANY: true if any value
 * satisfies it, in every polarity (proc.aname, fd.ip). LIST: a list value (fd.types). */
#define FIELD_IS_READINGS (1u << 4)
#define FIELD_IS_ANY	  (1u << 5)
#define FIELD_IS_LIST	  (1u << 6)
/* ANY field whose != means "all differ" (fd.ip, fd.port, fd.net: rule-language.md 2.6). */
#define FIELD_ALL_DIFFER    (1u << 7)
#define FIELD_FILTER_ONLY   (1u << 8) /* not in outputs */
#define FIELD_NO_RIGHT_SIDE (1u << 9) /* not in val(), not under a transformer */
#define FIELD_DEPRECATED    (1u << 10)
#define FIELD_RESERVED	    (1u << 11) /* its event or source does not exist yet: always absent */
#define FIELD_NEEDS_ENV	    (1u << 12) /* the kernel must read the environment (decision 29) */
#define FIELD_NEEDS_SWAP    (1u << 13) /* needs the enter program (decision 2) */
#define FIELD_IS_U32	    (1u << 14) /* of 32 bits, as ids: a negative constant wraps there */
#define FIELD_IS_HOST_NAME \
	(1u << 15) /* constants are resolved; only = != in (rule-language.md 2.6) */

struct field {
	const char *name;
	enum value_type type;
	uint32_t flags;
	/* Events for which it can have a value, as a predicate over the schema; NULL: every event.
	 */
	bool (*has_event)(const struct event_schema *schema);
	field_get_fn get;
	const char *since, *doc, *when_absent, *example;
};

/* All fields, sorted by name within their family; families in the order evt, proc, … */
const struct field *field_at(unsigned index); /* NULL behind the last */
/* The field whose name is exactly `name` (without argument), or NULL. */
const struct field *field_find(struct str name);
/* The longest field name that prefixes `text` and ends at a name boundary is not required
 * ("%proc.nameand"): for templates. NULL where none does. */
const struct field *field_find_prefix(struct str text);

/* Absent everywhere; for FIELD_RESERVED rows. */
void field_get_absent(const struct field_context *context, const struct field_argument *argument,
		      struct value_set *ret);

/* A value as outputs print it. */
void value_format(const struct field *field, const struct value *value, struct buf *out);
/* The same as JSON: numbers, booleans, strings. */
void value_format_json(const struct field *field, const struct value *value, struct buf *out);

#endif
