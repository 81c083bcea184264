/*
 * The spool's bytes: a segment's header and its frames. All numbers are little-endian.
 *
 *	segment:  "HAESPOOL" version:4 header_bytes:4 number:8 crc32c:4 zero:4   (32 bytes)
 *	          frame…
 *	frame:    sync:4 length:4 crc32c:4 payload:length
 *	payload:  wall_ns:8 priority:1 sink_length:1 zero:2 uuid:36
 *	          rule_length:4 tags_length:4 text_length:4 json_length:4
 *	          sink rule tags text json
 *
 * A frame's checksum covers its length and its payload. Its sync is no UTF-8, so that it stands in
 * no text of an alert: after damage a search for it finds frames, and none that an alert's text
 * forges.
 */
#ifndef HAETAE_OUTPUTS_SPOOL_FRAME_H
#define HAETAE_OUTPUTS_SPOOL_FRAME_H

#include "haetae/alert.h"

#define SPOOL_VERSION	     1
#define SPOOL_HEADER_BYTES   32
#define SPOOL_FRAME_OVERHEAD 12
#define SPOOL_PAYLOAD_MIN    64
#define SPOOL_PAYLOAD_MAX    (16u << 20)

/* Views into the bytes that were decoded. */
struct spool_frame {
	struct alert_parts parts;
	struct str sink; /* only for this one; empty: for all */
	size_t size;	 /* with its overhead */
};

#define SPOOL_FRAME_E_SHORT   1 /* begins well; more bytes are needed: *ret->size of them */
#define SPOOL_FRAME_E_DAMAGED 2

/* Letters, digits and '-', as every uuid of ours: it goes into a header of each request. */
bool spool_is_uuid(struct str uuid);

/* Appends a frame. False where the alert is too large or memory is exhausted: nothing was added. */
bool spool_frame_put(struct buf *out, const struct alert *alert, struct str sink);
/* The frame at the beginning of the bytes. 0 or SPOOL_FRAME_E_…; for SHORT ret->size is how many
 * bytes it needs in all. */
int spool_frame_decode(const uint8_t *data, size_t n, struct spool_frame *ret);
/* Where after data[0] a frame may begin; n - 3 (at least 1) where none does. */
size_t spool_frame_search(const uint8_t *data, size_t n);

void spool_header_make(uint64_t number, uint8_t ret[SPOOL_HEADER_BYTES]);
#define SPOOL_HEADER_E_DAMAGED 1
#define SPOOL_HEADER_E_VERSION 2 /* of another haetae */
int spool_header_check(const uint8_t *data, size_t n, uint64_t number);

/* Numbers in files. */
void spool_put_u32(uint8_t *at, uint32_t value);
void spool_put_u64(uint8_t *at, uint64_t value);
uint32_t spool_get_u32(const uint8_t *at);
uint64_t spool_get_u64(const uint8_t *at);

#endif
