/*
 * Outputs: a thread that takes alerts from a bounded queue and gives them to sinks. Detection never
 * waits for it: a full queue refuses, and the refusal is counted by priority.
 */
#ifndef HAETAE_SINK_H
#define HAETAE_SINK_H

#include "haetae/alert.h"

enum sink_format {
	SINK_TEXT,
	SINK_JSON
};

struct sink_config {
	const char *name;
	const char *type; /* "stdout" */
	enum sink_format format;
	bool want_color;
	enum priority min_priority;
};

struct outputs; /* opaque */

struct outputs_stats {
	uint64_t accepted;		   /* put into the queue */
	uint64_t refused[PRIORITY__COUNT]; /* queue full */
	/* Each accepted alert once for each sink: accepted × sinks = delivered + failed +
	 * below_priority + queued. After outputs_stop() nothing is queued: what the deadline left
	 * has failed. */
	uint64_t delivered, failed, below_priority;
	uint64_t queued; /* in the queue, or in a sink whose reader does not read */
};

/* Starts the thread. 0 or a negative errno. */
int outputs_start(const struct sink_config *sinks, uint32_t sink_cnt, uint32_t queue_length,
		  struct outputs **ret);
/* Takes ownership of the alert in every case. False where the queue is full. */
bool outputs_put(struct outputs *outputs, struct alert *alert);
/* Delivers what is queued, at most until the deadline, and ends the thread. Fine with NULL. */
void outputs_stop(struct outputs *outputs, uint64_t deadline_ns);
struct outputs *outputs_free(struct outputs *outputs);
void outputs_stats(const struct outputs *outputs, struct outputs_stats *ret);

#endif
