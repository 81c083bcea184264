/*
 * Bytes of the spool, made and checked. Pure: reads nothing but what it is given, trusts none of
 * it.
 */
#include "spool_frame.h"

#include "haetae/crc32c.h"

static const uint8_t sync_bytes[4] = { 0xff, 0xc0, 0xf5, 0xfe }; /* none occurs in UTF-8 */
static const char magic[8] = { 'H', 'A', 'E', 'S', 'P', 'O', 'O', 'L' };

void spool_put_u32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

void spool_put_u64(uint8_t *at, uint64_t value)
{
	spool_put_u32(at, (uint32_t)value);
	spool_put_u32(at + 4, (uint32_t)(value >> 32));
}

uint32_t spool_get_u32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

uint64_t spool_get_u64(const uint8_t *at)
{
	return spool_get_u32(at) | (uint64_t)spool_get_u32(at + 4) << 32;
}

bool spool_frame_put(struct buf *out, const struct alert *alert, struct str sink)
{
	const struct str parts[] = { sink, alert->rule, alert->tags, alert->text, alert->json };
	uint8_t head[SPOOL_FRAME_OVERHEAD + SPOOL_PAYLOAD_MIN] = { 0 };
	uint8_t *payload = head + SPOOL_FRAME_OVERHEAD;
	size_t before = out->n, length = SPOOL_PAYLOAD_MIN;
	uint32_t crc;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		length += parts[i].n;
	if (length > SPOOL_PAYLOAD_MAX || sink.n > UINT8_MAX || out->failed)
		return false;
	memcpy(head, sync_bytes, sizeof(sync_bytes));
	spool_put_u32(head + 4, (uint32_t)length);
	spool_put_u64(payload, alert->wall_ns);
	payload[8] = (uint8_t)alert->priority;
	payload[9] = (uint8_t)sink.n;
	memcpy(payload + 12, alert->uuid, sizeof(alert->uuid) - 1);
	for (size_t i = 1; i < ARRAY_LEN(parts); i++)
		spool_put_u32(payload + 44 + 4 * i, parts[i].n);
	crc = crc32c(crc32c(0, head + 4, 4), payload, SPOOL_PAYLOAD_MIN);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		crc = crc32c(crc, parts[i].p, parts[i].n);
	spool_put_u32(head + 8, crc);
	buf_put(out, head, sizeof(head));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_put_str(out, parts[i]);
	if (!out->failed)
		return true;
	out->n = before;
	out->failed = false;
	return false;
}

bool spool_is_uuid(struct str uuid)
{
	for (uint32_t i = 0; i < uuid.n; i++) {
		char c = uuid.p[i], lower = (char)(c | 0x20);

		if (!(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'z') && c != '-')
			return false;
	}
	return uuid.n > 0 && uuid.n <= 36;
}

static struct str take(const uint8_t **at, uint32_t n)
{
	struct str s = { (const char *)*at, n };

	*at += n;
	return s;
}

/* The checksum was right; a frame of a haetae that writes nonsense is no reason to believe it. */
static bool decode_payload(const uint8_t *payload, uint32_t length, struct spool_frame *ret)
{
	const uint8_t *at = payload + SPOOL_PAYLOAD_MIN;
	uint64_t sum = SPOOL_PAYLOAD_MIN + (uint64_t)payload[9];

	for (unsigned i = 0; i < 4; i++)
		sum += spool_get_u32(payload + 48 + 4 * i);
	if (sum != length || payload[8] >= PRIORITY__COUNT)
		return false;
	ret->parts.wall_ns = spool_get_u64(payload);
	ret->parts.priority = (enum priority)payload[8];
	ret->parts.uuid = (struct str){ (const char *)payload + 12, 0 };
	ret->parts.uuid.n = (uint32_t)strnlen(ret->parts.uuid.p, 36);
	if (!spool_is_uuid(ret->parts.uuid))
		return false;
	ret->sink = take(&at, payload[9]);
	ret->parts.rule = take(&at, spool_get_u32(payload + 48));
	ret->parts.tags = take(&at, spool_get_u32(payload + 52));
	ret->parts.text = take(&at, spool_get_u32(payload + 56));
	ret->parts.json = take(&at, spool_get_u32(payload + 60));
	return true;
}

int spool_frame_decode(const uint8_t *data, size_t n, struct spool_frame *ret)
{
	uint32_t length;

	ret->size = SPOOL_FRAME_OVERHEAD;
	if (n == 0 || memcmp(data, sync_bytes, MIN(n, sizeof(sync_bytes))) != 0)
		return n == 0 ? SPOOL_FRAME_E_SHORT : SPOOL_FRAME_E_DAMAGED;
	if (n < SPOOL_FRAME_OVERHEAD)
		return SPOOL_FRAME_E_SHORT;
	length = spool_get_u32(data + 4);
	if (length < SPOOL_PAYLOAD_MIN || length > SPOOL_PAYLOAD_MAX)
		return SPOOL_FRAME_E_DAMAGED;
	ret->size = SPOOL_FRAME_OVERHEAD + (size_t)length;
	if (n < ret->size)
		return SPOOL_FRAME_E_SHORT;
	if (crc32c(crc32c(0, data + 4, 4), data + SPOOL_FRAME_OVERHEAD, length) !=
	    spool_get_u32(data + 8))
		return SPOOL_FRAME_E_DAMAGED;
	return decode_payload(data + SPOOL_FRAME_OVERHEAD, length, ret) ? 0 : SPOOL_FRAME_E_DAMAGED;
}

size_t spool_frame_search(const uint8_t *data, size_t n)
{
	const uint8_t *found =
		n > 1 ? memmem(data + 1, n - 1, sync_bytes, sizeof(sync_bytes)) : NULL;

	if (found)
		return (size_t)(found - data);
	return n > sizeof(sync_bytes) ? n - (sizeof(sync_bytes) - 1) : 1;
}

void spool_header_make(uint64_t number, uint8_t ret[SPOOL_HEADER_BYTES])
{
	memset(ret, 0, SPOOL_HEADER_BYTES);
	memcpy(ret, magic, sizeof(magic));
	spool_put_u32(ret + 8, SPOOL_VERSION);
	spool_put_u32(ret + 12, SPOOL_HEADER_BYTES);
	spool_put_u64(ret + 16, number);
	spool_put_u32(ret + 24, crc32c(0, ret, 24));
}

/* A version is believed only where the checksum agrees; that part never changes its place. */
int spool_header_check(const uint8_t *data, size_t n, uint64_t number)
{
	if (n < SPOOL_HEADER_BYTES || memcmp(data, magic, sizeof(magic)) != 0 ||
	    spool_get_u32(data + 24) != crc32c(0, data, 24))
		return SPOOL_HEADER_E_DAMAGED;
	if (spool_get_u32(data + 8) != SPOOL_VERSION)
		return SPOOL_HEADER_E_VERSION;
	return spool_get_u64(data + 16) == number ? 0 : SPOOL_HEADER_E_DAMAGED;
}
