/*
 * What comes in: alerts of the engine's queue, frames found in the spool, dead letters to retry.
 * Each alert goes once through the filters and once into the spool, whatever the number of sinks.
 * Outputs thread; opening the spool comes before it. Owns nothing of its own.
 */
#include <errno.h>

#include "haetae/clock.h"
#include "haetae/dead_letter.h"
#include "haetae/log.h"

#include "filter.h"
#include "outputs_private.h"

#define BATCH_MAX      256
#define BATCH_BYTES    (256u << 10)
#define RETRIES_PERIOD NS_PER_SEC

_Static_assert(SINKS_MAX <= 32, "a bit for each sink");

enum place {
	PLACE_MEMORY,
	PLACE_SPOOL,
	PLACE_REFUSED
};

struct intake_item {
	struct alert *alert;
	uint32_t wanted; /* a bit for each sink */
	enum place place;
};

/* ---- the spool's tidings -------------------------------------------------------------------- */

static void on_found(void *data, uint32_t user, const struct spool_frame *frame)
{
	struct outputs *outputs = data;
	struct sink *sink = &outputs->sinks[outputs->durable[user]];

	if (!feed_wants(sink, frame))
		return;
	outputs_add(&sink->counters.restored, 1);
	feed_add_spooled(sink, frame->parts.wall_ns);
}

static void on_evicted(void *data, uint32_t user, const struct spool_frame *frame)
{
	struct outputs *outputs = data;
	struct sink *sink = &outputs->sinks[outputs->durable[user]];

	if (!feed_wants(sink, frame))
		return;
	outputs_add(&sink->counters.dropped[frame->parts.priority], 1);
	sink->feed.spool_cnt -= sink->feed.spool_cnt > 0;
}

int intake_open_spool(struct outputs *outputs, const struct spool_config *config)
{
	const struct spool_events events = { on_found, on_evicted, outputs };
	const char *dir = config->dir ? config->dir : SPOOL_DIR_DEFAULT;
	const char *names[SINKS_MAX];
	uint32_t cnt = 0;
	int r;

	for (uint32_t i = 0; i < outputs->sink_cnt; i++) {
		if (!outputs->sinks[i].config.is_durable)
			continue;
		outputs->durable[cnt] = i;
		names[cnt++] = outputs->sinks[i].config.name;
	}
	if (cnt == 0)
		return 0;
	r = spool_open(config, names, cnt, &events, &outputs->spool);
	if (r == SPOOL_E_LOCKED || r == SPOOL_E_VERSION) {
		log_error("spool %s: %s", dir,
			  r == SPOOL_E_LOCKED
				  ? "another haetae uses it"
				  : "of another version: move it away, or use that one");
		return r == SPOOL_E_LOCKED ? -EBUSY : -EPROTO;
	}
	if (r < 0) {
		log_warning("spool %s: %s: continuing without it; alerts of durable sinks are kept "
			    "in memory only",
			    dir, strerror(-r));
		outputs->no_spool = (struct spool_stats){ .is_used = true, .is_failing = true };
		(void)snprintf(outputs->no_spool.failing_text,
			       sizeof(outputs->no_spool.failing_text), "opening: %s", strerror(-r));
		return 0;
	}
	for (uint32_t i = 0; i < cnt; i++) {
		outputs->sinks[outputs->durable[i]].feed.spool = outputs->spool;
		outputs->sinks[outputs->durable[i]].feed.user = i;
	}
	return 0;
}

/* ---- a batch -------------------------------------------------------------------------------- */

static uint32_t wanted_by(const struct outputs *outputs, const struct alert *alert)
{
	uint32_t wanted = 0;

	for (uint32_t i = 0; i < outputs->sink_cnt; i++)
		if (filter_passes(&outputs->sinks[i].config, alert->priority, alert->rule,
				  alert->tags))
			wanted |= 1u << i;
	return wanted;
}

static uint32_t durable_mask(const struct outputs *outputs)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < outputs->sink_cnt; i++)
		if (outputs->sinks[i].config.is_durable)
			mask |= 1u << i;
	return mask;
}

static enum place add_to_spool(struct outputs *outputs, const struct intake_item *item)
{
	if (!outputs->spool || !(item->wanted & durable_mask(outputs)))
		return PLACE_MEMORY;
	if (!spool_admits(outputs->spool, item->alert->priority))
		return PLACE_REFUSED;
	return spool_add(outputs->spool, item->alert, STR_NONE) ? PLACE_SPOOL : PLACE_MEMORY;
}

static void give_to_sink(struct outputs *outputs, struct sink *sink, const struct intake_item *item)
{
	enum priority priority = item->alert->priority;

	if (!sink->config.is_durable) {
		(void)feed_add(sink, item->alert); /* it counts what it drops */
	} else if (item->place == PLACE_SPOOL) {
		feed_add_spooled(sink, item->alert->wall_ns);
	} else if (item->place == PLACE_REFUSED) {
		outputs_add(&sink->counters.dropped[priority], 1);
	} else {
		outputs->unspooled[priority]++;
		(void)feed_add(sink, item->alert);
	}
}

static void give_to_guests(struct outputs *outputs, const struct alert *alert)
{
	for (unsigned i = 0; i < OUTPUTS_GUESTS_MAX; i++)
		if (outputs->guests[i].on_alert)
			outputs->guests[i].on_alert(outputs->guests[i].data, alert);
}

static void give_to_sinks(struct outputs *outputs, const struct intake_item *item)
{
	give_to_guests(outputs, item->alert);
	for (uint32_t i = 0; i < outputs->sink_cnt; i++) {
		struct sink *sink = &outputs->sinks[i];

		if (item->wanted & 1u << i)
			give_to_sink(outputs, sink, item);
		else
			outputs_add(&sink->counters.filtered, 1);
	}
	alert_free(item->alert);
}

/* Of the sink that has most: only where none has any, the queue waits. */
static uint32_t room_of(const struct outputs *outputs)
{
	uint32_t room = 0;

	for (uint32_t i = 0; i < outputs->sink_cnt; i++) {
		const struct sink *sink = &outputs->sinks[i];

		room = MAX(room, feed_room(sink));
		/* A spool makes its own room. */
		if (sink->feed.spool && spool_works(sink->feed.spool))
			room = BATCH_MAX;
	}
	return MIN(room, BATCH_MAX);
}

static void commit_feeds(struct outputs *outputs)
{
	for (uint32_t i = 0; i < outputs->sink_cnt; i++)
		if (outputs->sinks[i].feed.spool)
			feed_commit(&outputs->sinks[i]);
}

/* Before anything is refused or evicted: what is done with goes. */
static void reclaim(struct outputs *outputs)
{
	if (!outputs->spool || !spool_is_half_full(outputs->spool))
		return;
	commit_feeds(outputs);
	spool_remove_passed(outputs->spool);
}

/* Alerts are raised when the spool's write has returned; only then others print them. */
bool intake_batch(struct outputs *outputs, bool is_last)
{
	struct intake_item items[BATCH_MAX];
	uint32_t cnt = 0, room = is_last ? BATCH_MAX : room_of(outputs);
	struct alert *alert;
	size_t bytes = 0;
	int r = 0;

	reclaim(outputs);
	while (cnt < room && bytes < BATCH_BYTES && (alert = queue_take(&outputs->queue))) {
		struct intake_item *item = &items[cnt++];

		*item = (struct intake_item){ .alert = alert, .wanted = wanted_by(outputs, alert) };
		item->place = add_to_spool(outputs, item);
		bytes += alert->json.n + alert->text.n;
	}
	if (outputs->spool)
		r = spool_write(outputs->spool);
	for (uint32_t i = 0; i < cnt; i++) {
		if (r < 0 && items[i].place == PLACE_SPOOL)
			items[i].place = PLACE_MEMORY;
		give_to_sinks(outputs, &items[i]);
	}
	return (cnt > 0 && cnt == room) || bytes >= BATCH_BYTES;
}

/* ---- dead letters that come back ------------------------------------------------------------ */

struct retries {
	struct outputs *outputs;
	struct sink *sink;
	uint32_t skip; /* written by an earlier attempt at the same file */
	uint32_t cnt;  /* not yet written */
	uint64_t bytes;
};

static void lose_retry(struct retries *retries, const char *why)
{
	log_warning("sink %s: an alert can't be tried again: %s", retries->sink->config.name, why);
	outputs_add(&retries->sink->counters.dead_letters_lost, 1);
}

static bool write_retries(struct retries *retries)
{
	int r = spool_write(retries->outputs->spool);

	if (r == -EFBIG && retries->cnt == 1) {
		lose_retry(retries, "it is larger than the spool");
		retries->sink->feed.retried_cnt++;
		retries->cnt = 0;
		r = 0;
	}
	if (r == 0) {
		outputs_add(&retries->sink->counters.restored, retries->cnt);
		retries->sink->feed.spool_cnt += retries->cnt;
		retries->sink->feed.retried_cnt += retries->cnt;
	}
	retries->cnt = 0;
	retries->bytes = 0;
	return r == 0;
}

static bool take_retry(const struct dead_letter *letter, void *data)
{
	struct retries *retries = data;
	struct alert *alert;

	if (retries->skip > 0) {
		retries->skip--;
		return true;
	}
	if (retries->bytes + letter->line.n > BATCH_BYTES && retries->cnt > 0 &&
	    !write_retries(retries))
		return false;
	alert = alert_restore(&letter->parts);
	if (!alert)
		return false;
	if (spool_add(retries->outputs->spool, alert, str_from(retries->sink->config.name))) {
		retries->cnt++;
		retries->bytes += letter->line.n;
	} else {
		lose_retry(retries, "it is too large, or there is no memory");
	}
	alert_free(alert);
	return true;
}

/* What could not be written is taken again, a second later. */
static void take_retries_of(struct outputs *outputs, struct sink *sink)
{
	struct retries retries = { .outputs = outputs,
				   .sink = sink,
				   .skip = sink->feed.retried_cnt };
	int dir_fd = spool_dir_fd(outputs->spool);
	uint64_t skipped = 0;
	int r;

	if (!dead_letters_have_retries(dir_fd, sink->config.name))
		return;
	r = dead_letters_take_retries(dir_fd, sink->config.name, take_retry, &retries, &skipped);
	if (!write_retries(&retries) || r < 0)
		return;
	if (skipped)
		log_warning("sink %s: %llu lines to be tried again can't be read",
			    sink->config.name, (unsigned long long)skipped);
	outputs_add(&sink->counters.dead_letters_lost, skipped);
	dead_letters_end_retries(dir_fd, sink->config.name);
	sink->feed.retried_cnt = 0;
}

static void take_retries(struct outputs *outputs)
{
	for (uint32_t i = 0; i < outputs->sink_cnt; i++)
		if (outputs->sinks[i].feed.spool)
			take_retries_of(outputs, &outputs->sinks[i]);
}

uint64_t intake_tick(struct outputs *outputs, uint64_t now_ns)
{
	uint64_t wake_ns;

	if (!outputs->spool)
		return UINT64_MAX;
	if (now_ns >= outputs->retries_ns) {
		take_retries(outputs);
		outputs->retries_ns = now_ns + RETRIES_PERIOD;
	}
	commit_feeds(outputs);
	wake_ns = spool_tick(outputs->spool, now_ns);
	return MIN(wake_ns, outputs->retries_ns);
}
