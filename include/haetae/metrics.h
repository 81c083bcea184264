/*
 * Metrics: one table, from which come what /metrics serves, `haetae list metrics` and
 * docs/metrics.md. The engine thread publishes a snapshot of its counters each second; whoever
 * serves them reads that snapshot, so that a scrape never waits for detection nor detection for a
 * scrape.
 */
#ifndef HAETAE_METRICS_H
#define HAETAE_METRICS_H

#include "haetae/daemon.h"

enum metric_type {
	METRIC_COUNTER,
	METRIC_GAUGE
};

struct metric {
	const char *name; /* of a counter with _total */
	enum metric_type type;
	const char *unit;   /* "bytes", "seconds"; NULL: a number of things */
	const char *labels; /* "type, class"; NULL: none */
	const char *help;   /* a sentence without a full stop */
};

/* NULL behind the last. */
const struct metric *metric_at(unsigned index);

#endif
