/*
 * Records of io_uring requests whose completion was not seen: fetches them from where they wait
 * (bpf/uring.bpf.c) when a second has passed, and all of them when the probes are detached. What
 * waits for somebody else (accept, recv) may take longer and stays. Owns a buffer and the counts of
 * what was fetched. Engine thread.
 */
#include "probes_private.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "bpf/shared.h"
#include "haetae/clock.h"

#define PARKED_AGE_NS NS_PER_SEC
/* More than the kernel's table holds; bounds the walk against one that grows. */
#define WALK_MAX (4 * PARKED_MAX)

int parked_init(struct parked_set *set, int map_fd)
{
	set->map_fd = map_fd;
	set->parked = calloc(1, sizeof(*set->parked));
	return set->parked ? 0 : -ENOMEM;
}

void parked_done(struct parked_set *set)
{
	free(set->parked);
	set->parked = NULL;
}

/* Who deletes a record has it: its completion, on another cpu, finds it gone. */
static bool fetch(struct parked_set *set, uint64_t key, uint64_t before_ns)
{
	const struct wire_header *header = (const void *)set->parked->record;

	if (bpf_map_lookup_elem(set->map_fd, &key, set->parked) < 0)
		return false;
	if (before_ns < UINT64_MAX && (set->parked->notes.waits || header->time_ns > before_ns))
		return false;
	return bpf_map_delete_elem(set->map_fd, &key) == 0;
}

static void give(struct parked_set *set, probes_record_fn fn, void *data)
{
	const struct wire_header *header = (const void *)set->parked->record;

	if (header->type < EVENT__COUNT)
		set->fetched[header->type]++;
	fn(set->parked->record, header->length <= PARKED_BYTES ? header->length : PARKED_BYTES,
	   data);
}

uint64_t parked_fetch(struct parked_set *set, bool is_last, probes_record_fn fn, void *data)
{
	uint64_t now_ns = clock_boot_ns(), cnt = 0;
	uint64_t before_ns = is_last ? UINT64_MAX : now_ns - PARKED_AGE_NS;
	uint64_t key, next;

	if (!set->parked || (!is_last && now_ns < set->next_ns))
		return 0;
	set->next_ns = now_ns + PARKED_AGE_NS / 2;
	if (bpf_map_get_next_key(set->map_fd, NULL, &next) < 0)
		return 0;
	for (uint32_t i = 0; i < WALK_MAX; i++) {
		bool has_more;

		key = next;
		has_more = bpf_map_get_next_key(set->map_fd, &key, &next) == 0;
		if (fetch(set, key, before_ns)) {
			give(set, fn, data);
			cnt++;
		}
		if (!has_more)
			break;
	}
	return cnt;
}

void parked_count(const struct parked_set *set, struct wire_counters counters[EVENT__COUNT])
{
	for (uint32_t type = 0; type < EVENT__COUNT; type++)
		counters[type].submitted += set->fetched[type];
}
