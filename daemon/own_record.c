/*
 * Writes what haetae has to tell as a record (wire.h) of an event of its own. Owns nothing; engine
 * thread.
 */
#include "own_record.h"

#include "haetae/clock.h"

void own_record_begin(struct own_record *record, enum event_type type, uint64_t sequence)
{
	struct wire_header *header = (struct wire_header *)(void *)record->bytes;
	uint16_t param_cnt = (uint16_t)event_schema_get(type)->param_cnt;

	memset(record->bytes, 0, sizeof(record->bytes));
	*header = (struct wire_header){
		.type = (uint16_t)type,
		.param_cnt = param_cnt,
		.time_ns = clock_boot_ns(),
		.sequence = sequence,
		.loginuid = UINT32_MAX,
		.syscall_nr = WIRE_NO_SYSCALL,
		.flags = WIRE_NO_RESULT,
		.ring = WIRE_RING_OWN,
	};
	record->length =
		(uint32_t)(sizeof(*header) + param_cnt * sizeof(struct wire_param) + 7) & ~7u;
}

/* Room for n bytes and padding. */
static uint8_t *take_room(struct own_record *record, unsigned param, uint32_t n)
{
	struct wire_param *table =
		(struct wire_param *)(void *)(record->bytes + sizeof(struct wire_header));
	uint8_t *room = record->bytes + record->length;

	hae_assert(record->length + n + 8 <= sizeof(record->bytes));
	table[param] = (struct wire_param){ (uint16_t)record->length, (uint16_t)n };
	record->length = (record->length + n + 7) & ~7u;
	return room;
}

void own_record_number(struct own_record *record, unsigned param, uint64_t value)
{
	memcpy(take_room(record, param, sizeof(value)), &value, sizeof(value));
}

/* Strings end with a zero byte; those behind the last are there. */
void own_record_text(struct own_record *record, unsigned param, struct str text)
{
	memcpy(take_room(record, param, text.n + 1), text.p, text.n);
}

void own_record_end(struct own_record *record)
{
	((struct wire_header *)(void *)record->bytes)->length = record->length;
}
