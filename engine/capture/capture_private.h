/*
 * What writer and reader share: frames' heads, payloads' primitives, schemas. Every getter is
 * bounded; after the first that finds too little the rest give zeroes and `failed` is set.
 */
#ifndef CAPTURE_PRIVATE_H
#define CAPTURE_PRIVATE_H

#include "haetae/buf.h"
#include "haetae/capture.h"

/* ---- frames (frame.c) ---- */

#define FRAME_HEAD_BYTES 16
#define FRAME_BYTES_MAX	 (FRAME_HEAD_BYTES + CAPTURE_PAYLOAD_MAX + 8)

extern const uint8_t frame_sync[4];

struct frame_head {
	uint16_t kind, flags;
	uint32_t length, crc;
};
static inline uint32_t frame_padded(uint32_t length)
{
	return (length + 7) & ~7u;
}
/* Fills the head of a frame whose padded payload stands behind it. */
void frame_seal(uint8_t *frame, enum capture_kind kind, uint32_t length);
/* False where the sync is not there. */
bool frame_head_get(const uint8_t *frame, struct frame_head *ret);
/* Whether the payload that stands behind the head is the one that was written. */
bool frame_check(const uint8_t *frame, const struct frame_head *head);

/* Of records, decisions and ticks; 0 of others. The frame is whole. */
uint64_t frame_time_ns(unsigned kind, const uint8_t *frame, uint32_t length);

/* ---- payloads (frame.c) ---- */

void put_u8(struct buf *out, uint8_t value);
void put_u16(struct buf *out, uint16_t value);
void put_u32(struct buf *out, uint32_t value);
void put_u64(struct buf *out, uint64_t value);
/* Length + 1, or 0 for "no string"; the bytes; a NUL. */
void put_str(struct buf *out, struct str s);

struct cursor {
	const uint8_t *p, *end;
	bool failed;
};
uint8_t get_u8(struct cursor *in);
uint16_t get_u16(struct cursor *in);
uint32_t get_u32(struct cursor *in);
uint64_t get_u64(struct cursor *in);
/* A view; a NUL stands behind it. */
struct str get_str(struct cursor *in);
/* The same without NULs within: for what is used as a C string. Fails over max bytes. */
const char *get_text(struct cursor *in, uint32_t max);
/* A value below the limit. */
unsigned get_enum(struct cursor *in, unsigned limit);

/* ---- metadata (answer.c) ---- */

void put_answer(struct buf *out, const struct metadata_answer *answer);
/* NULL where it is none, or without memory: then in->failed. */
struct metadata_answer *get_answer(struct cursor *in);
struct metadata_answer *answer_free(struct metadata_answer *answer);

/* ---- schema (schema.c) ---- */

void put_schema(struct buf *out);
/* Whether records of the schema in the payload mean the same here; else says what does not. */
bool schema_compare(struct str payload, char *reterr, size_t size);

/* ---- the other payloads (payload.c) ---- */

#define CAPTURE_MAGIC	    "HAETAECP"
#define CAPTURE_MAGIC_BYTES 8
#define HEAD_SNAPSHOT	    (1u << 0)
#if defined(__x86_64__)
#define CAPTURE_ARCHITECTURE "x86_64"
#elif defined(__aarch64__)
#define CAPTURE_ARCHITECTURE "aarch64"
#else
#define CAPTURE_ARCHITECTURE "unknown"
#endif

void put_head(struct buf *out, const struct capture_head *head);
void put_key(struct buf *out, struct proc_key key);
void put_strings(struct buf *out, struct proc_key key, const struct proc_strings *strings);
void put_walk(struct buf *out, const struct cgroup_walk *walk);
void put_place(struct buf *out, const struct cgroup_place *place);
void put_bundle(struct buf *out, const char *runtime_namespace, const char *id);
void put_host_name(struct buf *out, struct str name, const struct host_address *addresses,
		   uint32_t cnt);
void put_sources(struct buf *out, const bool has_source[METADATA_SOURCE__COUNT]);
void put_loss(struct buf *out, const struct capture_loss *loss);
void put_user_files(struct buf *out, struct str passwd, struct str group);
void put_cgroup(struct buf *out, const struct capture_cgroup *cgroup);
void put_end(struct buf *out, const struct capture_end *end);

/* False where it is none at all. The strings are views. */
bool get_head(struct cursor *in, struct capture_head *ret);
void get_end(struct cursor *in, struct capture_end *ret);
/* Fills the frame's members from its payload. False: it is not what its kind promises. */
bool frame_decode(struct capture_frame *frame, struct str payload);

/* ---- the index ---- */

struct index_entry {
	uint64_t time_ns, offset, number;
};
/* So many entries at most: where more come every second one goes. */
#define INDEX_MAX	  4096
#define INDEX_EVERY	  1024 /* frames, at first */
#define INDEX_ENTRY_BYTES 24
#define TRAILER_BYTES	  16 /* offsets of END and INDEX */
#define END_BYTES_MAX	  256
/* What END, INDEX and TRAILER take at most. */
#define CAPTURE_TAIL_BYTES (INDEX_MAX * INDEX_ENTRY_BYTES + END_BYTES_MAX + 256)

#endif
