/*
 * How complete the record around an alert is: losses of the last ten seconds, in all and by cgroup.
 */
#ifndef HAETAE_DAEMON_LOSS_H
#define HAETAE_DAEMON_LOSS_H

#include "haetae/probes.h"

#define LOSS_WINDOW_TICKS 10
#define LOSS_CGROUPS_MAX  64

struct loss_sample {
	uint64_t total;
	struct probes_cgroup_loss cgroups[LOSS_CGROUPS_MAX]; /* largest first */
	uint32_t cgroup_cnt;
};

/* Totals at the last LOSS_WINDOW_TICKS + 1 ticks; a tick is a second. */
struct loss_window {
	struct loss_sample samples[LOSS_WINDOW_TICKS + 1];
	uint32_t newest;
};

/* What was lost within the window, as alerts tell it. */
struct loss_numbers {
	uint64_t total;
	struct probes_cgroup_loss cgroups[LOSS_CGROUPS_MAX];
	uint32_t cgroup_cnt;
};

/* Call it once a second with the counters of the moment. */
void loss_window_tick(struct loss_window *window, const struct probes_counters *counters,
		      struct probes *probes);
/* Lost within the window, up to the newest tick. */
uint64_t loss_window_total(const struct loss_window *window);
uint64_t loss_window_cgroup(const struct loss_window *window, uint64_t cgroup_id,
			    enum wire_hierarchy hierarchy);
/* All of it; those cgroups that lost any. */
void loss_window_numbers(const struct loss_window *window, struct loss_numbers *ret);
bool loss_numbers_equal(const struct loss_numbers *a, const struct loss_numbers *b);
/* Of one cgroup. */
uint64_t loss_numbers_of(const struct loss_numbers *numbers, uint64_t cgroup_id,
			 enum wire_hierarchy hierarchy);

/* Sum over types and reasons. */
uint64_t loss_total(const struct probes_counters *counters);

#endif
