/*
 * A sink's feed: what waits for it, in memory or in the spool. Outputs thread only.
 */
#ifndef HAETAE_OUTPUTS_FEED_H
#define HAETAE_OUTPUTS_FEED_H

#include "sink_private.h"

/* Of alerts in one sink's memory; beyond it they are dropped as with a full queue. */
#define FEED_BYTES_MAX (64u << 20)

void feed_done(struct sink *sink);
/* No room for another alert in memory. */
bool feed_is_full(const struct sink *sink);
/* Adds a reference to the alert, in memory only. False where it was dropped and counted. */
bool feed_add(struct sink *sink, struct alert *alert);
/* What would be lost if the sink ended now: failed, and counted so. */
void feed_give_up(struct sink *sink);

#endif
