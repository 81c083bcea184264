/*
 * The accounts at the end of a run: events by outcome, alerts, losses; and whether they add up.
 */
#ifndef HAETAE_DAEMON_SUMMARY_H
#define HAETAE_DAEMON_SUMMARY_H

#include "engine.h"

struct summary {
	uint64_t duration_ns;
	const struct probes_counters *kernel;
	const struct engine *engine;
	struct outputs_stats outputs;
	struct metadata_stats metadata;
	const struct record_config *record; /* NULL: nothing was recorded */
	struct capture_stats capture;
};

/* generated = filtered + lost + submitted for each type, submitted = delivered + undecodable, and
 * raised alerts = delivered + failed + below priority + refused. True only after detach and drain,
 * when nothing is in flight. */
bool summary_adds_up(const struct summary *summary);
const char *summary_loss_name(enum wire_loss_reason reason);
/* For people; several lines. */
void summary_format(const struct summary *summary, struct buf *out);

#endif
