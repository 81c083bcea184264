/*
 * What the families of the field registry share: the families, and how a getter gives its values.
 * Inside the match stage's registry only.
 */
#ifndef HAETAE_MATCH_FIELDS_H
#define HAETAE_MATCH_FIELDS_H

#include "haetae/field.h"

struct field_family {
	const struct field *fields; /* sorted by name */
	uint32_t cnt;
};
extern const struct field_family fields_evt, fields_proc, fields_thread, fields_user, fields_group,
	fields_fd, fields_fs, fields_container, fields_k8s;

/* A row of a family's table. */
#define FIELD_ROW(name, type, flags, has_event, get, doc, when_absent, example)             \
	{                                                                                   \
		name, VALUE_##type, flags, has_event, get, "0.1", doc, when_absent, example \
	}
/* One whose event or source does not exist yet. */
#define FIELD_ROW_RESERVED(name, type, flags, doc, when_absent, example)                          \
	{                                                                                         \
		name, VALUE_##type, (flags) | FIELD_RESERVED, NULL, field_get_absent, "0.1", doc, \
			when_absent, example                                                      \
	}

/* ---- predicates over the schema (field.has_event) ------------------------------------------- */

bool schema_has_result(const struct event_schema *schema);
bool schema_is_open(const struct event_schema *schema);
bool schema_is_exec(const struct event_schema *schema);
/* fd.*: of a file, of a socket, of either. */
bool schema_has_file(const struct event_schema *schema);
bool schema_is_socket(const struct event_schema *schema);
bool schema_has_fd(const struct event_schema *schema);
/* fs.path.*: one path, two. */
bool schema_has_path(const struct event_schema *schema);
bool schema_has_two_paths(const struct event_schema *schema);
/* A path of the kernel: of a descriptor, or of what was executed. */
bool schema_has_file_path(const struct event_schema *schema);

/* ---- giving values -------------------------------------------------------------------------- */

/* Each copies the value into the event's scratch and sets *ret; absent where that is exhausted. */
void give_value(const struct field_context *context, struct value value, struct value_set *ret);
void give_s64(const struct field_context *context, int64_t number, struct value_set *ret);
/* type: one whose value is u64. */
void give_u64(const struct field_context *context, enum value_type type, uint64_t number,
	      struct value_set *ret);
void give_bool(const struct field_context *context, bool is_true, struct value_set *ret);
/* STR_NONE gives absent. The bytes are borrowed: scratch, static, the record or the process table.
 */
void give_str(const struct field_context *context, struct str text, struct value_set *ret);
void give_text(const struct field_context *context, const char *text, struct value_set *ret);
void give_values(const struct field_context *context, const struct value *values, uint32_t cnt,
		 struct value_set *ret);
/* A buffer in scratch that never grows: beyond max_bytes it fails, and give_buf gives absent. Not
 * to be passed to buf_done(). */
struct buf scratch_buf(const struct field_context *context, size_t max_bytes);
void give_buf(const struct field_context *context, const struct buf *buf, struct value_set *ret);

/* The readings of a path (decision 1), the printed one first; equal ones collapse. */
#define READINGS_MAX 4
struct readings {
	struct value values[READINGS_MAX];
	uint32_t cnt;
};
void readings_add(struct readings *readings, enum value_type type, struct str path);

/* NUL-terminated strings one behind the other: how many, the one at index (STR_NONE behind the
 * last), and all of them with blanks between, behind `first` where that is a string. */
uint32_t vector_cnt(struct str vector);
struct str vector_at(struct str vector, uint64_t index);
struct str vector_join(struct arena *scratch, struct str first, struct str vector);

/* ---- the event at hand ---------------------------------------------------------------------- */

const struct event_roles *roles_of(const struct event *event);
/* The call has ended, and header.result is what it returned. */
bool event_has_result(const struct event *event);
/* Of the open family. */
bool event_is_open(const struct event *event);
/* The comm of the event's thread. */
struct str event_comm(const struct event *event);

/* Readings of a path that the call names: of the kernel's object, as passed, and past the process's
 * root; none where the event has no such path. */
void path_readings(const struct event *event, const struct path_role *role, enum value_type type,
		   struct readings *ret);
/* The same of the file behind the descriptor that the call makes or uses. */
void descriptor_readings(const struct event *event, enum value_type type, struct readings *ret);
/* The role of a path's text, or NULL. */
const struct path_role *path_role_of(const struct event *event, unsigned param);

#endif
