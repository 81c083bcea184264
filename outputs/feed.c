/*
 * The feeds: each sink's alerts on their way, what becomes of them, and the sink's health. Owns the
 * deliveries and a reference to each one's alert. Called by the outputs thread and, in it, by the
 * kinds of sinks.
 */
#include "feed.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>

#include "haetae/clock.h"
#include "haetae/dead_letter.h"
#include "haetae/log.h"

#include "filter.h"

static void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* ---- lists ---------------------------------------------------------------------------------- */

static void list_remove(struct delivery_list *list, struct delivery *delivery)
{
	struct delivery *next = delivery->next, *previous = delivery->previous;

	*(previous ? &previous->next : &list->first) = next;
	*(next ? &next->previous : &list->last) = previous;
	delivery->next = delivery->previous = NULL;
	list->cnt--;
}

static void list_insert_before(struct delivery_list *list, struct delivery *delivery,
			       struct delivery *next)
{
	struct delivery *previous = next ? next->previous : list->last;

	delivery->next = next;
	delivery->previous = previous;
	*(previous ? &previous->next : &list->first) = delivery;
	*(next ? &next->previous : &list->last) = delivery;
	list->cnt++;
}

static void delivery_free(struct delivery *delivery)
{
	alert_free(delivery->owned);
	free(delivery);
}

static void list_free(struct delivery_list *list)
{
	struct delivery *next;

	for (struct delivery *delivery = list->first; delivery; delivery = next) {
		next = delivery->next;
		delivery_free(delivery);
	}
	*list = (struct delivery_list){ 0 };
}

/* ---- in ------------------------------------------------------------------------------------- */

void feed_done(struct sink *sink)
{
	list_free(&sink->feed.waiting);
	list_free(&sink->feed.taken);
}

static uint64_t bytes_of(const struct alert *alert)
{
	return sizeof(*alert) + alert->json.n + alert->text.n;
}

uint32_t feed_room(const struct sink *sink)
{
	const struct feed *feed = &sink->feed;

	if (feed->waiting.cnt >= sink->config.queue_length || feed->waiting_bytes >= FEED_BYTES_MAX)
		return 0;
	return sink->config.queue_length - feed->waiting.cnt;
}

/* The reference is the delivery's from here on. */
static struct delivery *new_delivery(struct sink *sink, struct alert *alert)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));

	if (!delivery)
		return NULL;
	delivery->alert = delivery->owned = alert;
	delivery->number = sink->feed.next_number++;
	return delivery;
}

bool feed_add(struct sink *sink, struct alert *alert)
{
	bool is_full = sink->feed.waiting.cnt >= sink->config.queue_length ||
		       sink->feed.waiting_bytes >= FEED_BYTES_MAX + FEED_BYTES_MARGIN;
	struct delivery *delivery = is_full ? NULL : new_delivery(sink, alert);

	if (!delivery) {
		count(&sink->counters.dropped[alert->priority]);
		return false;
	}
	alert_ref(alert);
	sink->feed.waiting_bytes += bytes_of(alert);
	sink->feed.memory_cnt++;
	list_insert_before(&sink->feed.waiting, delivery, NULL);
	return true;
}

void feed_add_spooled(struct sink *sink, uint64_t wall_ns)
{
	if (sink->feed.spool_cnt++ == 0)
		sink->feed.spool_wall_ns = wall_ns;
}

uint64_t feed_oldest_ns(const struct sink *sink)
{
	const struct feed *feed = &sink->feed;
	const struct delivery *firsts[] = { feed->taken.first, feed->waiting.first };
	uint64_t oldest_ns = feed->spool_cnt ? feed->spool_wall_ns : UINT64_MAX;

	for (size_t i = 0; i < ARRAY_LEN(firsts); i++)
		if (firsts[i])
			oldest_ns = MIN(oldest_ns, firsts[i]->alert->wall_ns);
	return oldest_ns == UINT64_MAX ? 0 : oldest_ns;
}

bool feed_wants(const struct sink *sink, const struct spool_frame *frame)
{
	if (frame->sink.n)
		return str_eq_text(frame->sink, sink->config.name);
	return filter_passes(&sink->config, frame->parts.priority, frame->parts.rule,
			     frame->parts.tags);
}

/* ---- out ------------------------------------------------------------------------------------ */

bool sink_has_waiting(const struct sink *sink)
{
	return sink->feed.waiting.first || sink->feed.spool_cnt > 0;
}

/* Then the other sinks have their turn. */
#define SKIPPED_AT_ONCE 1000

/* From the spool, over what is not for this sink. NULL: nothing more there. */
static struct delivery *read_spool(struct sink *sink)
{
	struct feed *feed = &sink->feed;
	struct spool_position start;
	struct spool_frame frame;
	unsigned skipped = 0;

	feed->is_skipping = false;
	while (feed->spool_cnt > 0 && spool_read(feed->spool, feed->user, &frame, &start) == 0) {
		struct delivery *delivery;
		struct alert *alert;

		if (!feed_wants(sink, &frame)) {
			feed->is_skipping = ++skipped >= SKIPPED_AT_ONCE;
			if (feed->is_skipping)
				return NULL;
			continue;
		}
		feed->spool_cnt--;
		feed->spool_wall_ns = frame.parts.wall_ns;
		alert = alert_restore(&frame.parts);
		delivery = alert ? new_delivery(sink, alert) : NULL;
		if (delivery) {
			delivery->segment = start.segment;
			delivery->offset = start.offset;
			return delivery;
		}
		alert_free(alert);
		count(&sink->counters.failed); /* no memory for it */
	}
	/* At the end, and fewer were found than were written: they were damaged since. */
	atomic_fetch_add_explicit(&sink->counters.failed, feed->spool_cnt, memory_order_relaxed);
	feed->spool_cnt = 0;
	return NULL;
}

static void put_into_taken(struct feed *feed, struct delivery *delivery)
{
	struct delivery *before = feed->taken.last;

	/* Almost always the last; what was given back may be older. */
	while (before && before->number > delivery->number)
		before = before->previous;
	list_insert_before(&feed->taken, delivery, before ? before->next : feed->taken.first);
}

struct delivery *sink_take(struct sink *sink)
{
	struct feed *feed = &sink->feed;
	struct delivery *delivery = feed->waiting.first;

	if (delivery) {
		list_remove(&feed->waiting, delivery);
		feed->waiting_bytes -= bytes_of(delivery->alert);
	} else if (feed->spool) {
		delivery = read_spool(sink);
	}
	if (!delivery)
		return NULL;
	if (delivery->attempts > 0)
		count(&sink->counters.retried);
	put_into_taken(feed, delivery);
	return delivery;
}

static void end_delivery(struct sink *sink, struct delivery *delivery)
{
	list_remove(&sink->feed.taken, delivery);
	sink->feed.memory_cnt -= delivery->segment == 0;
	delivery_free(delivery);
}

void sink_acknowledge(struct sink *sink, struct delivery *delivery)
{
	const struct alert *alert = delivery->alert;

	count(&sink->counters.delivered);
	if (str_eq(alert->rule, STR(SELF_TEST_RULE)) &&
	    alert->wall_ns > sink->counters.self_test_ns)
		sink->counters.self_test_ns = alert->wall_ns;
	end_delivery(sink, delivery);
}

static void keep_dead_letter(struct sink *sink, const struct delivery *delivery, const char *reason)
{
	uint64_t lost = 0;
	int r = dead_letters_append(spool_dir_fd(sink->feed.spool), sink->config.name,
				    delivery->alert, delivery->attempts + 1, reason, &lost);
	uint64_t before = atomic_fetch_add_explicit(&sink->counters.dead_letters_lost,
						    lost + (r < 0), memory_order_relaxed);

	if (r == 0)
		count(&sink->counters.dead_letters);
	else if (before == 0) /* said once, each is counted */
		log_warning("sink %s: alert %s was refused for good (%s) and can't be kept: %s",
			    sink->config.name, delivery->alert->uuid, reason, strerror(-r));
}

void sink_fail(struct sink *sink, struct delivery *delivery, const char *reason)
{
	if (sink->feed.spool)
		keep_dead_letter(sink, delivery, reason);
	count(&sink->counters.failed);
	end_delivery(sink, delivery);
}

void sink_give_back(struct sink *sink, struct delivery *delivery)
{
	struct feed *feed = &sink->feed;
	struct delivery *after = feed->waiting.first;

	list_remove(&feed->taken, delivery);
	while (after && after->number < delivery->number)
		after = after->next;
	list_insert_before(&feed->waiting, delivery, after);
	feed->waiting_bytes += bytes_of(delivery->alert);
	delivery->attempts++;
	delivery->link = NULL;
}

/* ---- places and ends ------------------------------------------------------------------------ */

static const struct delivery *first_of_spool(const struct delivery_list *list)
{
	const struct delivery *delivery = list->first;

	while (delivery && delivery->segment == 0)
		delivery = delivery->next;
	return delivery;
}

/* The oldest that has no end: waiting again, or taken; else all that was read has one. */
void feed_commit(struct sink *sink)
{
	struct feed *feed = &sink->feed;
	const struct delivery *waiting = first_of_spool(&feed->waiting);
	const struct delivery *oldest = first_of_spool(&feed->taken);

	/* What is not for this sink must not keep segments. */
	if (feed->spool_cnt == 0)
		spool_skip(feed->spool, feed->user);
	if (waiting && (!oldest || waiting->number < oldest->number))
		oldest = waiting;
	spool_commit(feed->spool, feed->user,
		     oldest ? (struct spool_position){ oldest->segment, oldest->offset }
			    : spool_at(feed->spool, feed->user));
}

uint64_t feed_spooled(const struct sink *sink)
{
	const struct feed *feed = &sink->feed;

	return feed->spool_cnt + feed->left_cnt;
}

static void give_up_list(struct sink *sink, struct delivery_list *list)
{
	for (struct delivery *delivery = list->first; delivery; delivery = delivery->next) {
		if (delivery->segment == 0)
			count(&sink->counters.failed);
		else
			sink->feed.left_cnt++;
	}
	list_free(list);
}

void feed_give_up(struct sink *sink)
{
	if (sink->feed.spool)
		feed_commit(sink);
	give_up_list(sink, &sink->feed.waiting);
	give_up_list(sink, &sink->feed.taken);
	sink->feed.waiting_bytes = 0;
	sink->feed.memory_cnt = 0;
}

/* ---- health --------------------------------------------------------------------------------- */

static const char *const health_names[] = {
	[SINK_HEALTH_OK] = "ok",
	[SINK_HEALTH_RETRYING] = "retrying",
	[SINK_HEALTH_MISCONFIGURED] = "misconfigured",
};
_Static_assert(ARRAY_LEN(health_names) == SINK_HEALTH__COUNT, "a name for each");

const char *sink_health_name(enum sink_health health)
{
	return health_names[health];
}

static void set_health(struct sink *sink, enum sink_health health, const char *text)
{
	pthread_mutex_lock(&sink->health_lock);
	if (sink->health != health)
		sink->health_since_ns = clock_boot_ns() + (uint64_t)clock_wall_offset_ns();
	sink->health = health;
	snprintf(sink->health_text, sizeof(sink->health_text), "%s", text);
	pthread_mutex_unlock(&sink->health_lock);
}

void sink_ok(struct sink *sink)
{
	sink->back_off_ns = 0;
	if (sink->health == SINK_HEALTH_OK)
		return;
	set_health(sink, SINK_HEALTH_OK, "");
	log_info("sink %s: works again", sink->config.name);
}

void sink_troubled(struct sink *sink, enum sink_health health, const char *format, ...)
{
	bool is_new = sink->health != health;
	char text[sizeof(sink->health_text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!is_new && strcmp(text, sink->health_text) == 0)
		return;
	set_health(sink, health, text);
	/* Only the change: a receiver that is down says something else each minute. */
	if (is_new)
		log_warning("sink %s: %s (%s)", sink->config.name, text, sink_health_name(health));
}

static uint64_t random_below(uint64_t bound)
{
	uint64_t value = 0;

	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) != (ssize_t)sizeof(value))
		value = clock_boot_ns() * 0x9e3779b97f4a7c15ULL; /* early in the boot */
	return bound ? value % bound : 0;
}

uint64_t sink_back_off(struct sink *sink, uint64_t now_ns, uint64_t at_least_ns)
{
	uint64_t bound = sink->back_off_ns ? sink->back_off_ns : sink->config.retry_min_ns;

	bound = MIN(bound, sink->config.retry_max_ns);
	sink->back_off_ns = MIN(bound * 2, sink->config.retry_max_ns);
	return now_ns + at_least_ns + random_below(bound);
}
