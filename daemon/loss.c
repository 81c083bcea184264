/*
 * The loss window behind an alert's `completeness`. Sampled once a second;
 * the cgroup table is read only where the total has grown. Owned by the daemon, engine thread.
 */
#include "loss.h"

uint64_t loss_total(const struct probes_counters *counters)
{
	uint64_t sum = counters->malformed;

	for (unsigned type = 0; type < EVENT__COUNT; type++)
		for (unsigned reason = 0; reason < WIRE_LOST__COUNT; reason++)
			sum += counters->types[type].lost[reason];
	return sum;
}

void loss_window_tick(struct loss_window *window, const struct probes_counters *counters,
		      struct probes *probes)
{
	const struct loss_sample *last = &window->samples[window->newest];
	struct loss_sample *next;
	uint64_t other;

	window->newest = (window->newest + 1) % ARRAY_LEN(window->samples);
	next = &window->samples[window->newest];
	*next = *last;
	next->total = loss_total(counters);
	if (next->total != last->total)
		next->cgroup_cnt =
			probes_read_cgroup_loss(probes, next->cgroups, LOSS_CGROUPS_MAX, &other);
}

static const struct loss_sample *oldest(const struct loss_window *window)
{
	return &window->samples[(window->newest + 1) % ARRAY_LEN(window->samples)];
}

uint64_t loss_window_total(const struct loss_window *window)
{
	return window->samples[window->newest].total - oldest(window)->total;
}

static uint64_t cgroup_lost(const struct loss_sample *sample, uint64_t cgroup_id,
			    enum wire_hierarchy hierarchy)
{
	for (uint32_t i = 0; i < sample->cgroup_cnt; i++)
		if (sample->cgroups[i].cgroup_id == cgroup_id &&
		    sample->cgroups[i].hierarchy == hierarchy)
			return sample->cgroups[i].lost;
	return 0;
}

uint64_t loss_window_cgroup(const struct loss_window *window, uint64_t cgroup_id,
			    enum wire_hierarchy hierarchy)
{
	uint64_t now = cgroup_lost(&window->samples[window->newest], cgroup_id, hierarchy);
	uint64_t before = cgroup_lost(oldest(window), cgroup_id, hierarchy);

	return now > before ? now - before : 0;
}

void loss_window_numbers(const struct loss_window *window, struct loss_numbers *ret)
{
	const struct loss_sample *newest = &window->samples[window->newest];

	*ret = (struct loss_numbers){ .total = loss_window_total(window) };
	for (uint32_t i = 0; i < newest->cgroup_cnt; i++) {
		struct probes_cgroup_loss one = newest->cgroups[i];

		one.lost = loss_window_cgroup(window, one.cgroup_id, one.hierarchy);
		if (one.lost)
			ret->cgroups[ret->cgroup_cnt++] = one;
	}
}

bool loss_numbers_equal(const struct loss_numbers *a, const struct loss_numbers *b)
{
	if (a->total != b->total || a->cgroup_cnt != b->cgroup_cnt)
		return false;
	for (uint32_t i = 0; i < a->cgroup_cnt; i++)
		if (a->cgroups[i].cgroup_id != b->cgroups[i].cgroup_id ||
		    a->cgroups[i].hierarchy != b->cgroups[i].hierarchy ||
		    a->cgroups[i].lost != b->cgroups[i].lost)
			return false;
	return true;
}

uint64_t loss_numbers_of(const struct loss_numbers *numbers, uint64_t cgroup_id,
			 enum wire_hierarchy hierarchy)
{
	for (uint32_t i = 0; i < numbers->cgroup_cnt; i++)
		if (numbers->cgroups[i].cgroup_id == cgroup_id &&
		    numbers->cgroups[i].hierarchy == hierarchy)
			return numbers->cgroups[i].lost;
	return 0;
}
