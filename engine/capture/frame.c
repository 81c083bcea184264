/*
 * Frames' heads and payloads' primitives. Owns nothing; pure.
 */
#include "capture_private.h"
#include "haetae/crc32c.h"

/* None of these bytes occurs in UTF-8 beside the others; not the spool's. */
const uint8_t frame_sync[4] = { 0xff, 0xc1, 0xfa, 0xf7 };

static void store(uint8_t *at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t load(const uint8_t *at, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)at[i] << 8 * i;
	return value;
}

static uint32_t checksum(const uint8_t *frame, uint32_t length)
{
	return crc32c(crc32c(0, frame + 4, 8), frame + FRAME_HEAD_BYTES, frame_padded(length));
}

void frame_seal(uint8_t *frame, enum capture_kind kind, uint32_t length)
{
	memcpy(frame, frame_sync, sizeof(frame_sync));
	store(frame + 4, kind, 2);
	store(frame + 6, 0, 2);
	store(frame + 8, length, 4);
	store(frame + 12, checksum(frame, length), 4);
}

bool frame_head_get(const uint8_t *frame, struct frame_head *ret)
{
	if (memcmp(frame, frame_sync, sizeof(frame_sync)) != 0)
		return false;
	ret->kind = (uint16_t)load(frame + 4, 2);
	ret->flags = (uint16_t)load(frame + 6, 2);
	ret->length = (uint32_t)load(frame + 8, 4);
	ret->crc = (uint32_t)load(frame + 12, 4);
	return true;
}

bool frame_check(const uint8_t *frame, const struct frame_head *head)
{
	return checksum(frame, head->length) == head->crc;
}

static void put_number(struct buf *out, uint64_t value, unsigned bytes)
{
	uint8_t data[8];

	store(data, value, bytes);
	buf_put(out, data, bytes);
}

void put_u8(struct buf *out, uint8_t value)
{
	put_number(out, value, 1);
}

void put_u16(struct buf *out, uint16_t value)
{
	put_number(out, value, 2);
}

void put_u32(struct buf *out, uint32_t value)
{
	put_number(out, value, 4);
}

void put_u64(struct buf *out, uint64_t value)
{
	put_number(out, value, 8);
}

void put_str(struct buf *out, struct str s)
{
	if (!s.p) {
		put_u32(out, 0);
		return;
	}
	put_u32(out, s.n + 1);
	buf_put_str(out, s);
	buf_putc(out, '\0');
}

static const uint8_t *take(struct cursor *in, size_t n)
{
	const uint8_t *p = in->p;

	if (in->failed || n > (size_t)(in->end - in->p)) {
		in->failed = true;
		return NULL;
	}
	in->p += n;
	return p;
}

static uint64_t get_number(struct cursor *in, unsigned bytes)
{
	const uint8_t *p = take(in, bytes);

	return p ? load(p, bytes) : 0;
}

uint8_t get_u8(struct cursor *in)
{
	return (uint8_t)get_number(in, 1);
}

uint16_t get_u16(struct cursor *in)
{
	return (uint16_t)get_number(in, 2);
}

uint32_t get_u32(struct cursor *in)
{
	return (uint32_t)get_number(in, 4);
}

uint64_t get_u64(struct cursor *in)
{
	return get_number(in, 8);
}

struct str get_str(struct cursor *in)
{
	uint32_t n = get_u32(in);
	const uint8_t *p;

	if (!n)
		return STR_NONE;
	p = take(in, n);
	if (!p || p[n - 1] != '\0') {
		in->failed = true;
		return STR_NONE;
	}
	return (struct str){ (const char *)p, n - 1 };
}

const char *get_text(struct cursor *in, uint32_t max)
{
	struct str s = get_str(in);

	if (in->failed || !s.p)
		return "";
	if (s.n > max || memchr(s.p, '\0', s.n)) {
		in->failed = true;
		return "";
	}
	return s.p;
}

unsigned get_enum(struct cursor *in, unsigned limit)
{
	unsigned value = get_u8(in);

	if (value >= limit)
		in->failed = true;
	return in->failed ? 0 : value;
}

uint64_t frame_time_ns(unsigned kind, const uint8_t *frame, uint32_t length)
{
	const uint8_t *payload = frame + FRAME_HEAD_BYTES;
	struct cursor in = { payload, frame + length, false };
	struct wire_header header;

	if (kind == CAPTURE_DECIDE || kind == CAPTURE_TICK)
		return get_u64(&in);
	if (kind != CAPTURE_RECORD || length < FRAME_HEAD_BYTES + sizeof(header))
		return 0;
	memcpy(&header, payload, sizeof(header));
	return header.time_ns;
}
