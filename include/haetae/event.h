/*
 * A decoded event: views into a record, and the schema that gives them meaning. Valid until the
 * next record; nothing survives it. The decoder trusts nothing in the record.
 */
#ifndef HAETAE_EVENT_H
#define HAETAE_EVENT_H

#include "haetae/arena.h"
#include "haetae/buf.h"
#include "haetae/wire.h"

struct container;
struct proc;
struct proc_image;

/* ---- schema -------------------------------------------------------------------------------- */

/* clang-format off */
enum param_type {
	PARAM_FD, PARAM_PID, PARAM_NSPID, PARAM_ERROR, PARAM_S64, PARAM_U64, PARAM_OCTAL, PARAM_HEX,
	PARAM_MODE, PARAM_UID, PARAM_GID, PARAM_SIGNAL, PARAM_FLAGS, PARAM_ENUM, PARAM_TIME_NS, PARAM_RELTIME,
	PARAM_STRING, PARAM_PATH, PARAM_RELPATH, PARAM_VECTOR, PARAM_BUFFER, PARAM_KPATH,
	PARAM_TUPLE, PARAM_ADDRESS,
	PARAM_TYPE__COUNT
};
/* clang-format on */
enum param_source {
	PARAM_FROM_WIRE,
	PARAM_FROM_HEADER,
	PARAM_FROM_NONE
};

/* A value that has a name. A flag table prints in its own order; a name of several bits needs them
 * all and suppresses their parts (O_RDWR). */
struct flag_name {
	uint64_t kernel_value;	 /* what the kernel uses; what is on the wire */
	uint64_t portable_value; /* what evt.rawarg shows: the same on every architecture */
	const char *name;
};
struct vocabulary {
	const char *name;
	const struct flag_name *names; /* ended by a NULL name */
	bool is_enum;
};
/* By the name in events.def; NULL where there is none. */
const struct vocabulary *vocabulary_find(const char *name);
/* "O_CREAT|O_WRONLY", "AF_LOCAL|AF_UNIX", or the portable value where nothing resolves. */
void vocabulary_format(const struct vocabulary *vocabulary, uint64_t kernel_value, struct buf *out);
uint64_t vocabulary_portable(const struct vocabulary *vocabulary, uint64_t kernel_value);

struct param_schema {
	const char *name;
	enum param_type type;
	enum param_source source;
	const struct vocabulary *vocabulary; /* or NULL */
	const char *doc;
};

#define EVENT_SYSCALL	 (1u << 0)
#define EVENT_LIFECYCLE	 (1u << 1)
#define EVENT_STATE	 (1u << 2)
#define EVENT_CREATES_FD (1u << 3)
#define EVENT_OWN	 (1u << 4) /* made in user space: of no task */

struct event_schema {
	enum event_type type;
	const char *name;
	enum event_class class;
	uint32_t flags;
	const struct param_schema *params;
	uint32_t param_cnt;
	const char *doc;
};
const struct event_schema *event_schema_get(enum event_type type);
const char *event_class_name(enum event_class class);

/* A path that a call names: its text (PATH, RELPATH; a symlink's target is a STRING), the KPATH
 * that a relative text starts from, and the KPATH of what the kernel found. -1: the event has none.
 */
struct path_role {
	int8_t text, directory, object;
};
/* Which parameter of an event plays which part, by its name; -1: none does. */
struct event_roles {
	int8_t fd; /* the one descriptor that the call makes or uses */
	int8_t dirfd, flags, mode;
	/* Of the file behind `fd`; path is a KPATH. */
	int8_t path, dev, ino, file_mode, file_bits;
	/* Of the socket behind it. */
	int8_t tuple, address, socket_type;
	int8_t data, size;
	struct path_role name;		 /* of a call that names one path */
	struct path_role source, target; /* of one that names two (rule-language.md 4.4) */
	/* For a descriptor the KPATH of what is behind it, for a path's text that of the directory
	 * it starts from. */
	int8_t beside[WIRE_PARAM_MAX];
};
const struct event_roles *event_roles_of(const struct event_schema *schema);

/* ---- event codes: what evt.type can be ------------------------------------------------------ */

/* A code is an event type, or EVENT_CODE_SYSCALL + nr for a syscall that the generic program
 * serves. Codes index arrays and bit sets. */
#define EVENT_CODE_SYSCALL EVENT__COUNT
#define EVENT_CODE__COUNT  (EVENT__COUNT + WIRE_SYSCALL_MAX)
/* A name that some architecture or version knows and this host never raises. */
#define EVENT_CODE_NEVER EVENT_CODE__COUNT

/* The code of an evt.type, EVENT_CODE_NEVER for a known name that cannot occur here, or -1 for a
 * name that nobody knows. */
int event_code_find(struct str name);
/* NULL for a number without a name. */
const char *event_code_name(unsigned code);
/* Native number of a syscall by its name, -1 where this architecture has none. */
int syscall_number(struct str name);
const char *syscall_name(unsigned nr);
/* The native number of the call that means the same as an i386 one (setuid32 is setuid), -1 for
 * none: 32-bit programs on x86_64. */
int syscall_native_of_i386(unsigned nr);

struct event_set {
	uint64_t bits[(EVENT_CODE__COUNT + 63) / 64];
};
static inline void event_set_add(struct event_set *set, unsigned code)
{
	if (code < EVENT_CODE__COUNT)
		set->bits[code / 64] |= 1ULL << (code % 64);
}
static inline bool event_set_has(const struct event_set *set, unsigned code)
{
	return code < EVENT_CODE__COUNT && (set->bits[code / 64] >> (code % 64) & 1);
}
/* Every code that a rule can see: all events but state records, all named syscalls without a row.
 */
void event_set_all(struct event_set *set);
/* False for calls that programs make all the time and for haetae's own events: a rule sees these
 * only where it names them. */
bool event_code_is_usual(unsigned code);
/* For probes_want: the event type for each native syscall number that the set needs. */
void event_set_syscalls(const struct event_set *set, uint16_t type_of_syscall[WIRE_SYSCALL_MAX],
			bool is_evaluated[EVENT__COUNT]);

/* ---- event ---------------------------------------------------------------------------------- */

/* Names that only later stages know: of a process, a user, a group (PARAM_PID, PARAM_UID,
 * PARAM_GID). STR_NONE where it knows none. */
struct event_names {
	struct str (*find)(enum param_type type, uint32_t id, const void *data);
	const void *data;
};

struct event {
	const struct wire_header *header; /* a checked, aligned copy or view of the record's */
	const struct event_schema *schema;
	unsigned code;
	uint64_t number;		   /* evt.num, from 1 */
	int64_t wall_offset_ns;		   /* add to header->time_ns for wall time */
	struct str params[WIRE_PARAM_MAX]; /* raw bytes; p NULL: absent. Never longer than the
					      record. HEADER parameters point into `derived` */
	uint64_t cut_mask;		   /* bit i: params[i] was cut */
	uint64_t derived[WIRE_PARAM_MAX];  /* storage of HEADER parameters */
	/* Filled by engine/enrich; NULL where the process is not known. Borrowed until the next
	 * event is applied. */
	const struct proc *proc;
	const struct proc_image *image; /* the image that this event belongs to */
	/* container_host outside of containers; NULL where it is not known. Borrowed likewise. */
	const struct container *container;
	struct arena *scratch;		 /* reset after each event; field getters allocate here */
	const struct event_names *names; /* or NULL: ids are shown as numbers. Set up once */
};

enum event_error {
	EVENT_E_SHORT = 1, /* shorter than its header, or than it says */
	EVENT_E_TYPE,	   /* a type that the schema does not have */
	EVENT_E_PARAM,	   /* a parameter outside the record, or of the wrong size for its type */
};

/* Decodes. `record` is 8-byte aligned and outlives the event. Clears proc, image and container;
 * leaves number, wall_offset_ns, scratch (NULL or an arena) and names alone. Afterwards each
 * parameter that is present has the form that its type promises: 8 bytes, a string or a vector that
 * ends in NUL, a path with all its components. 0 or enum event_error. */
int event_decode(struct event *event, const void *record, uint32_t length);

/* The raw string of a STRING, PATH or RELPATH parameter without its NUL; STR_NONE where absent. */
struct str event_string(const struct event *event, unsigned param);
/* An 8-byte parameter. False where absent. */
bool event_number(const struct event *event, unsigned param, uint64_t *ret);
/* The same as evt.rawarg shows it: flags with the portable values of their table. */
bool event_portable_number(const struct event *event, unsigned param, uint64_t *ret);
/* A KPATH as text, in event->scratch: "/etc/shadow", "/tmp/x (deleted)" without the suffix,
 * "pipe:[123]" (ino_param gives the number, -1: none), "memfd:name". What the kernel left out shows
 * as one component "...". to_namespace_root: past the process's root (decision 7). STR_NONE where
 * absent or out of memory. */
struct str event_kpath(const struct event *event, unsigned param, int ino_param,
		       bool to_namespace_root);
const struct wire_path *event_kpath_head(const struct event *event, unsigned param);
/* A path as passed, joined with its directory and normalised as text (`.`, `..`, `//`): the passed
 * reading of decision 1. dirpath_param: the KPATH that a relative name starts from, -1 for none;
 * where that is absent the result is relative. An empty name means the directory itself. */
struct str event_passed_path(const struct event *event, unsigned param, int dirpath_param);
/* Text normalisation alone. Absolute input stays absolute; relative input keeps leading `..`. */
struct str path_normalise(struct arena *scratch, struct str path);
/* Copy of a TUPLE or ADDRESS; *ret_path is its unix path or STR_NONE. False where absent. */
bool event_tuple(const struct event *event, unsigned param, struct wire_tuple *ret,
		 struct str *ret_path);

/* What is behind a descriptor, in Falco's words: 'f' "file", 'l' "eventpoll", …; the type is NULL
 * where nothing is known of it. */
struct descriptor_kind {
	char character;
	const char *type;
};
/* Of the file whose KPATH that is. */
struct descriptor_kind event_file_kind(const struct event *event, unsigned path_param);

/* A parameter as evt.arg shows it: "O_RDONLY|O_CLOEXEC", "<f>/etc/passwd", "ENOENT"; an absent one
 * is "<NA>", or "NULL" for bytes and addresses. False: the event has no such parameter. */
bool event_param_format(const struct event *event, unsigned param, struct buf *out);
/* evt.args: name=value of all parameters, name=raw(resolved) where both differ; nothing for a
 * system call without a schema. */
void event_args_format(const struct event *event, struct buf *out);
/* "SUCCESS" or the errno's name; -EXXX as "EXXX". NULL for a number without a name. */
const char *errno_name(int number);
const char *signal_name(int number);
/* Two lines for people and golden files: the header, the parameters. Nothing in it can drive a
 * terminal. */
void event_dump(const struct event *event, struct buf *out);

/* One address as text: 1.2.3.4, ::1 (RFC 5952). */
void address_format(unsigned family, const uint8_t address[16], struct buf *out);
/* 1.2.3.4:5->6.7.8.9:80, [::1]:5 is written ::1:5 as Falco does; unix: the path; another family:
 * its name. An end that is not known is left out, and with it the arrow. */
void tuple_format(const struct wire_tuple *tuple, struct str path, struct buf *out);

#endif
