/*
 * Whether the daemon does what it is there for: one answer for /readyz, /healthz and the control
 * socket.
 */
#ifndef HAETAE_DAEMON_READINESS_H
#define HAETAE_DAEMON_READINESS_H

#include "metrics.h"

struct readiness {
	bool is_alive;	  /* the engine thread is not stuck */
	bool is_draining; /* and keeps up */
	bool has_probes, is_ready;
	bool is_detecting; /* no self-test has said otherwise */
};

struct readiness readiness_of(const struct metrics_snapshot *snapshot);
/* {"ready":…,"probes":…,"rules":N,"draining":…,"self_test":…} without the braces. */
void readiness_put(const struct metrics_snapshot *snapshot, struct buf *out);

#endif
