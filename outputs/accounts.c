/*
 * What became of the alerts, read by other threads. Owns nothing.
 */
#include "outputs_private.h"

/* What has no end yet is queued. accepted is read last: the others follow it. */
static void read_sink(const struct outputs *outputs, const struct sink *sink,
		      struct sink_stats *ret)
{
	const struct sink_counters *counters = &sink->counters;
	uint64_t ended, begun;

	*ret = (struct sink_stats){
		.name = sink->config.name,
		.type = sink->config.type,
		.is_durable = sink->config.is_durable,
		.delivered = counters->delivered,
		.failed = counters->failed,
		.filtered = counters->filtered,
		.retried = counters->retried,
		.dead_letters = counters->dead_letters,
		.dead_letters_lost = counters->dead_letters_lost,
	};
	ended = ret->delivered + ret->failed + ret->filtered;
	for (unsigned i = 0; i < PRIORITY__COUNT; i++) {
		ret->dropped[i] = counters->dropped[i];
		ended += ret->dropped[i];
	}
	ret->restored = counters->restored;
	begun = outputs->accepted + ret->restored;
	ret->queued = begun - MIN(ended, begun);
}

void outputs_stats(const struct outputs *outputs, struct outputs_stats *ret)
{
	*ret = (struct outputs_stats){ .sink_cnt = outputs->sink_cnt };
	for (uint32_t i = 0; i < outputs->sink_cnt; i++) {
		struct sink_stats one;

		read_sink(outputs, &outputs->sinks[i], &one);
		ret->restored += one.restored;
		ret->delivered += one.delivered;
		ret->failed += one.failed;
		ret->filtered += one.filtered;
		ret->queued += one.queued;
		if (!outputs->is_running)
			ret->spooled += feed_spooled(&outputs->sinks[i]);
		for (unsigned k = 0; k < PRIORITY__COUNT; k++)
			ret->dropped[k] += one.dropped[k];
	}
	for (unsigned i = 0; i < PRIORITY__COUNT; i++)
		ret->refused[i] = outputs->refused[i];
	ret->accepted = outputs->accepted;
}

uint64_t outputs_self_test_ns(const struct outputs *outputs, uint32_t sink_index)
{
	return sink_index < outputs->sink_cnt ? outputs->sinks[sink_index].counters.self_test_ns
					      : 0;
}

bool outputs_sink_stats(struct outputs *outputs, uint32_t index, struct sink_stats *ret)
{
	struct sink *sink = &outputs->sinks[index];

	if (index >= outputs->sink_cnt)
		return false;
	read_sink(outputs, sink, ret);
	ret->oldest_ns = feed_oldest_ns(sink);
	pthread_mutex_lock(&sink->health_lock);
	ret->health = sink->health;
	ret->health_since_ns = sink->health_since_ns;
	memcpy(ret->health_text, sink->health_text, sizeof(ret->health_text));
	pthread_mutex_unlock(&sink->health_lock);
	return true;
}

void outputs_spool_stats(struct outputs *outputs, struct spool_stats *ret)
{
	*ret = outputs->no_spool;
	if (outputs->spool)
		spool_read_stats(outputs->spool, ret);
	memcpy(ret->unspooled, outputs->unspooled, sizeof(ret->unspooled));
}
