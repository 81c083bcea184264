/*
 * A sink's feed: what waits for it, in memory or in the spool. Outputs thread only.
 */
#ifndef HAETAE_OUTPUTS_FEED_H
#define HAETAE_OUTPUTS_FEED_H

#include "sink_private.h"
#include "spool.h"

/* Of alerts in one sink's memory: nothing is taken for it beyond. What a batch brings nevertheless
 * has a margin; beyond that it is dropped as with a full queue. */
#define FEED_BYTES_MAX	  (64u << 20)
#define FEED_BYTES_MARGIN (16u << 20)

void feed_done(struct sink *sink);
/* How many more alerts there is room for in memory. */
uint32_t feed_room(const struct sink *sink);
/* Adds a reference to the alert, in memory only. False where it was dropped and counted. */
bool feed_add(struct sink *sink, struct alert *alert);
/* Whether a frame of the spool is for this sink. */
bool feed_wants(const struct sink *sink, const struct spool_frame *frame);
/* One more for this sink in the spool, of this wall time. */
void feed_add_spooled(struct sink *sink, uint64_t wall_ns);
/* Wall time of the oldest alert that has no end yet, or a time before it; 0: there is none. */
uint64_t feed_oldest_ns(const struct sink *sink);
/* Tells the spool how far this sink is. */
void feed_commit(struct sink *sink);
/* Alerts for this sink that stay in the spool; after feed_give_up(). */
uint64_t feed_spooled(const struct sink *sink);
/* The sink ends now: what is in memory only has failed; the rest stays in the spool. */
void feed_give_up(struct sink *sink);

#endif
