/*
 * Records of haetae's own events (EVENT_OWN), so that they go the way of every event.
 */
#ifndef HAETAE_DAEMON_OWN_RECORD_H
#define HAETAE_DAEMON_OWN_RECORD_H

#include "haetae/event.h"
#include "haetae/text.h"

#define OWN_RECORD_MAX 8192

struct own_record {
	_Alignas(8) uint8_t bytes[OWN_RECORD_MAX];
	uint32_t length;
};

/* sequence: of haetae's own events, from 1. Parameters that are not put are absent. */
void own_record_begin(struct own_record *record, enum event_type type, uint64_t sequence);
/* The caller sees to it that all it puts has room: more is a mistake in the program. */
void own_record_number(struct own_record *record, unsigned param, uint64_t value);
void own_record_text(struct own_record *record, unsigned param, struct str text);
void own_record_end(struct own_record *record);

#endif
