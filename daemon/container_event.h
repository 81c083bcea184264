/*
 * The event `container_left` as a record, so that it takes the way of all others through decoder
 * and rules.
 */
#ifndef HAETAE_DAEMON_CONTAINER_EVENT_H
#define HAETAE_DAEMON_CONTAINER_EVENT_H

#include "haetae/container_table.h"

/* The header, three parameters of at most these lengths, and what alignment takes. */
#define CONTAINER_RECORD_MAX \
	(sizeof(struct wire_header) + CONTAINER_ID_MAX + CONTAINER_LEFT_PATH_MAX + 128)

struct container_record {
	uint32_t length;
	_Alignas(8) uint8_t bytes[CONTAINER_RECORD_MAX];
};

/* Its header is the process's, as the event that showed it had it, with a number of our own. */
void container_record_make(struct container_record *record, const struct container_left *left,
			   uint64_t sequence);

#endif
