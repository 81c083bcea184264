/*
 * What the files of this stage share and nobody else sees.
 */
#ifndef HAETAE_EVENT_PRIVATE_H
#define HAETAE_EVENT_PRIVATE_H

#include "haetae/event.h"

/* Which member of the header a parameter with source HEADER shows. */
enum header_field {
	HEADER_FIELD_NONE,
	HEADER_FIELD_tid,
	HEADER_FIELD_pid,
	HEADER_FIELD_ptid,
	HEADER_FIELD_comm,
	HEADER_FIELD_tty,
	HEADER_FIELD_vpgid,
	HEADER_FIELD_vtid,
	HEADER_FIELD_vpid,
	HEADER_FIELD_pgid,
	HEADER_FIELD_loginuid,
	HEADER_FIELD_uid,
	HEADER_FIELD_gid,
	HEADER_FIELD_cap_inheritable,
	HEADER_FIELD_cap_permitted,
	HEADER_FIELD_cap_effective,
};
/* One byte a parameter: enum header_field. NULL for an event without parameters. */
const uint8_t *schema_header_fields(enum event_type type);

/* Words of event->derived at its end that hold the command name and its NUL. */
#define DERIVED_COMM_AT (WIRE_PARAM_MAX - 3)

/* The parameter of that name, or -1. */
int schema_param_find(const struct event_schema *schema, const char *name);

/* The parameter with the inode number of the object that a KPATH is about, or -1. */
int kpath_ino_param(const struct event_schema *schema, unsigned param);

/* Types whose value is 8 bytes on the wire. */
static inline bool param_is_number(enum param_type type)
{
	return type <= PARAM_RELTIME;
}

/* Bits above the kernel's 32 of O_ flags: what the call did, from WIRE_FILE_ bits. */
#define OPEN_FLAG_CREATED     (1ULL << 40)
#define OPEN_FLAG_UPPER_LAYER (1ULL << 41)
#define OPEN_FLAG_LOWER_LAYER (1ULL << 42)
/* Both as one value of vocabulary_open_flags. */
uint64_t open_flags_with(uint64_t kernel_flags, uint64_t file_bits);

#define VOCABULARY(name) extern const struct vocabulary vocabulary_##name;
#include "vocabularies.def"

/* The object behind a descriptor, as "<f>/etc/passwd". False where the event does not know it. */
bool descriptor_format(const struct event *event, unsigned param, struct buf *out);

#endif
