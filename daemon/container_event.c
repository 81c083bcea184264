/*
 * Writes that a process left its container's cgroup as a record of the type CONTAINER_LEFT. Owns
 * nothing; engine thread, when the container table saw it.
 */
#include "container_event.h"

static void put(struct container_record *record, unsigned param, const void *data, size_t n)
{
	struct wire_param *table =
		(struct wire_param *)(void *)(record->bytes + sizeof(struct wire_header));

	hae_assert(record->length + n + 8 <= sizeof(record->bytes));
	memcpy(record->bytes + record->length, data, n);
	table[param] = (struct wire_param){ (uint16_t)record->length, (uint16_t)n };
	record->length = (record->length + (uint32_t)n + 7) & ~7u;
}

void container_record_make(struct container_record *record, const struct container_left *left,
			   uint64_t sequence)
{
	struct wire_header *header = (struct wire_header *)(void *)record->bytes;
	uint64_t by_pid = left->by_pid;

	memset(record->bytes, 0, sizeof(record->bytes));
	*header = left->header;
	header->type = EVENT_CONTAINER_LEFT;
	header->param_cnt = PARAM_CONTAINER_LEFT__COUNT;
	header->sequence = sequence;
	header->result = 0;
	header->syscall_nr = WIRE_NO_SYSCALL;
	header->flags = (header->flags & WIRE_MULTITHREADED) | WIRE_NO_RESULT;
	header->ring = WIRE_RING_OWN;
	header->cpu = 0; /* the numbers are one sequence */
	record->length =
		(sizeof(*header) + PARAM_CONTAINER_LEFT__COUNT * sizeof(struct wire_param) + 7) &
		~7u;
	put(record, PARAM_CONTAINER_LEFT_container, left->container->full_id,
	    strlen(left->container->full_id) + 1);
	if (left->cgroup[0])
		put(record, PARAM_CONTAINER_LEFT_cgroup, left->cgroup, strlen(left->cgroup) + 1);
	if (by_pid)
		put(record, PARAM_CONTAINER_LEFT_by_pid, &by_pid, sizeof(by_pid));
	header->length = record->length;
}
