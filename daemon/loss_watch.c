/*
 * The watch over losses: two states, and differences of counters that only grow. Owned by the
 * daemon, engine thread.
 */
#include "loss_watch.h"

#include "haetae/clock.h"

void loss_totals_of(const struct probes_counters *counters, uint64_t now_ns,
		    struct loss_totals *ret)
{
	*ret = (struct loss_totals){ .time_ns = now_ns, .malformed = counters->malformed };
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		const struct wire_counters *one = &counters->types[type];

		ret->generated += one->generated;
		for (unsigned reason = 0; reason < WIRE_LOST__COUNT; reason++) {
			ret->reasons[reason] += one->lost[reason];
			ret->classes[event_schema_get(type)->class] += one->lost[reason];
			ret->lost += one->lost[reason];
		}
	}
	ret->lost += counters->malformed;
	ret->classes[CLASS_UNKNOWN] += counters->malformed;
}

void loss_watch_init(struct loss_watch *watch, uint64_t now_ns)
{
	*watch = (struct loss_watch){ .base.time_ns = now_ns };
}

enum loss_change loss_watch_step(struct loss_watch *watch, const struct loss_totals *now,
				 bool is_last)
{
	const struct loss_totals *known = watch->is_losing ? &watch->grown : &watch->base;
	bool is_growing = now->lost != known->lost;

	if (is_growing && (watch->is_losing || now->time_ns >= watch->next_begin_ns || is_last)) {
		bool is_new = !watch->is_losing;

		watch->is_losing = true;
		watch->grown = *now;
		if (is_new || !is_last)
			return is_new ? LOSS_BEGIN : LOSS_SAME;
	}
	if (watch->is_losing && (is_last || now->time_ns >= watch->grown.time_ns + LOSS_QUIET_NS)) {
		watch->is_losing = false;
		watch->next_begin_ns = now->time_ns + LOSS_QUIET_NS;
		return LOSS_END;
	}
	if (!watch->is_losing && !is_growing)
		watch->base = *now;
	return LOSS_SAME;
}

static struct loss_totals difference(const struct loss_totals *now, const struct loss_totals *base)
{
	struct loss_totals result = {
		.time_ns = now->time_ns - base->time_ns,
		.generated = now->generated - base->generated,
		.lost = now->lost - base->lost,
		.malformed = now->malformed - base->malformed,
	};

	for (unsigned i = 0; i < CLASS__COUNT; i++)
		result.classes[i] = now->classes[i] - base->classes[i];
	for (unsigned i = 0; i < WIRE_LOST__COUNT; i++)
		result.reasons[i] = now->reasons[i] - base->reasons[i];
	return result;
}

static uint64_t lost_before(const struct loss_watch *watch, const struct probes_cgroup_loss *cgroup)
{
	for (uint32_t i = 0; i < watch->before_cnt; i++)
		if (watch->before[i].cgroup_id == cgroup->cgroup_id &&
		    watch->before[i].hierarchy == cgroup->hierarchy)
			return watch->before[i].lost;
	return 0;
}

/* Keeps the largest, sorted. */
static void insert(struct loss_report *report, struct probes_cgroup_loss entry)
{
	uint32_t at = report->cgroup_cnt;

	if (at == LOSS_CGROUPS_SHOWN && report->cgroups[--at].lost >= entry.lost)
		return;
	for (; at > 0 && report->cgroups[at - 1].lost < entry.lost; at--)
		report->cgroups[at] = report->cgroups[at - 1];
	report->cgroups[at] = entry;
	report->cgroup_cnt = MIN(report->cgroup_cnt + 1, (uint32_t)LOSS_CGROUPS_SHOWN);
}

void loss_watch_report(struct loss_watch *watch, enum loss_change change,
		       const struct probes_cgroup_loss *cgroups, uint32_t cgroup_cnt,
		       struct loss_report *ret)
{
	uint64_t shown = 0;

	*ret = (struct loss_report){ .change = change,
				     .since = difference(&watch->grown, &watch->base) };
	for (uint32_t i = 0; i < cgroup_cnt; i++) {
		struct probes_cgroup_loss entry = cgroups[i];

		entry.lost -= MIN(entry.lost, lost_before(watch, &entry));
		if (entry.lost)
			insert(ret, entry);
	}
	/* The table is read a moment after the totals. */
	for (uint32_t i = 0; i < ret->cgroup_cnt; i++) {
		ret->cgroups[i].lost = MIN(ret->cgroups[i].lost, ret->since.lost - shown);
		shown += ret->cgroups[i].lost;
	}
	ret->cgroups_rest = ret->since.lost - shown;
	if (change != LOSS_END)
		return;
	watch->base = watch->grown;
	watch->before_cnt = MIN(cgroup_cnt, (uint32_t)LOSS_CGROUPS_KNOWN);
	if (watch->before_cnt)
		memcpy(watch->before, cgroups, watch->before_cnt * sizeof(*cgroups));
}
