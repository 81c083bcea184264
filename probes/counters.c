/*
 * Reads the kernel's accounts: per-CPU counters by event type, what the kernel skipped (recursion
 * misses), losses by cgroup. Called once a second and at the end, in the engine thread; allocates,
 * so never on the event path.
 */
#include "probes_private.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "bpf/shared.h"

/* More than the kernel's table holds (maps.h: 1,024); bounds the walk against one that grows. */
#define CGROUPS_MAX 8192

/* A kernel that does not know the member leaves it 0. */
static uint64_t recursion_misses(int program_fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 length = sizeof(info);

	return bpf_obj_get_info_by_fd(program_fd, &info, &length) < 0 ? 0 : info.recursion_misses;
}

/* Both are 0 unless the kernel counts them. */
void counters_read_runs(const struct counter_sources *sources, uint64_t *runs, uint64_t *run_ns)
{
	*runs = *run_ns = 0;
	for (uint32_t i = 0; i < sources->program_cnt; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 length = sizeof(info);

		if (bpf_obj_get_info_by_fd(sources->program_fds[i], &info, &length) < 0)
			continue;
		*runs += info.run_cnt;
		*run_ns += info.run_time_ns;
	}
}

int counters_read(const struct counter_sources *sources, struct wire_counters ret[EVENT__COUNT])
{
	int cpu_cnt = libbpf_num_possible_cpus();
	_cleanup_(freep) struct wire_counters *cpus = NULL;

	if (cpu_cnt < 0)
		return cpu_cnt;
	cpus = calloc((size_t)cpu_cnt, sizeof(*cpus));
	if (!cpus)
		return -ENOMEM;
	memset(ret, 0, EVENT__COUNT * sizeof(*ret));
	for (__u32 type = 0; type < EVENT__COUNT; type++) {
		if (bpf_map_lookup_elem(sources->counters_fd, &type, cpus) < 0)
			return -errno;
		for (int cpu = 0; cpu < cpu_cnt; cpu++)
			wire_counters_add(&ret[type], &cpus[cpu]);
	}
	for (uint32_t i = 0; i < sources->program_cnt; i++) {
		uint64_t missed = recursion_misses(sources->program_fds[i]);

		ret[EVENT_UNKNOWN].generated += missed;
		ret[EVENT_UNKNOWN].lost[WIRE_LOST_RECURSION] += missed;
	}
	return 0;
}

/* Keeps ret[] sorted by loss, largest first; what falls out goes to *other. */
static void insert(struct probes_cgroup_loss *ret, uint32_t *cnt, uint32_t max,
		   struct probes_cgroup_loss entry, uint64_t *other)
{
	uint32_t at = *cnt;

	if (at == max) {
		if (max == 0 || ret[max - 1].lost >= entry.lost) {
			*other += entry.lost;
			return;
		}
		*other += ret[--at].lost;
	} else {
		++*cnt;
	}
	for (; at > 0 && ret[at - 1].lost < entry.lost; at--)
		ret[at] = ret[at - 1];
	ret[at] = entry;
}

uint32_t counters_read_cgroup_loss(const struct counter_sources *sources,
				   struct probes_cgroup_loss *ret, uint32_t max,
				   uint64_t *ret_other)
{
	__u64 key = 0, *previous = NULL;
	__u64 other = 0;
	uint32_t cnt = 0, zero = 0;

	if (bpf_map_lookup_elem(sources->cgroup_loss_other_fd, &zero, &other) < 0)
		other = 0;
	*ret_other = other;
	for (uint32_t i = 0; i < CGROUPS_MAX; i++) {
		struct probes_cgroup_loss entry = { 0 };
		__u64 next, lost;

		if (bpf_map_get_next_key(sources->cgroup_loss_fd, previous, &next) < 0)
			break;
		key = next;
		previous = &key;
		if (bpf_map_lookup_elem(sources->cgroup_loss_fd, &key, &lost) < 0)
			continue;
		entry.cgroup_id = key & CGROUP_KEY_ID;
		entry.hierarchy = (enum wire_hierarchy)(key >> CGROUP_KEY_SHIFT);
		entry.lost = lost;
		insert(ret, &cnt, max, entry, ret_other);
	}
	return cnt;
}
