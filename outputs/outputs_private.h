/*
 * The outputs' state, shared by the thread (outputs.c), its intake and its accounts.
 */
#ifndef HAETAE_OUTPUTS_PRIVATE_H
#define HAETAE_OUTPUTS_PRIVATE_H

#include "haetae/queue.h"

#include "feed.h"
#include "spool.h"

struct outputs {
	struct queue queue;
	struct sink sinks[SINKS_MAX];
	uint32_t sink_cnt;
	struct http_client *http;    /* owned; NULL: no sink wants it */
	struct spool *spool;	     /* owned; NULL: no sink is durable, or it can't be used */
	struct spool_stats no_spool; /* told while there is none */
	uint32_t durable[SINKS_MAX]; /* the spool's users: indices of sinks */
	uint64_t unspooled[PRIORITY__COUNT];
	uint64_t retries_ns; /* when dead letters to retry are looked for */
	struct outputs_guest guests[OUTPUTS_GUESTS_MAX];
	uint64_t guest_ns[OUTPUTS_GUESTS_MAX]; /* when its step is due */
	pthread_t thread;
	bool is_running; /* the engine's view: the thread was started and not yet joined */
	int wake_fd;	 /* from other threads: to stop, to open files anew */
	_Atomic bool is_stopping, is_reopening;
	_Atomic uint64_t deadline_ns; /* set before is_stopping */
	_Atomic uint64_t accepted;
	_Atomic uint64_t refused[PRIORITY__COUNT];
};

static inline void outputs_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* From the queue into spool and feeds: a batch of what there is room for. True where there is more
 * that could be taken. is_last: whether there is room or not. */
bool intake_batch(struct outputs *outputs, bool is_last);
/* Opens the spool for the durable sinks. Where it can't be used they live without: only what needs
 * somebody to act is an error, which has been logged. */
int intake_open_spool(struct outputs *outputs, const struct spool_config *config);
/* Cursors, flushes, dead letters to retry. When it is to be called again (boot time). */
uint64_t intake_tick(struct outputs *outputs, uint64_t now_ns);

#endif
