/*
 * The outputs thread: takes alerts from the engine's queue, gives each to the feeds of the sinks
 * that want it, and lets every sink do what it can without waiting. Owns the queue, the sinks, and
 * each alert from outputs_put() on. The engine thread only puts and reads counters.
 *
 * A sink whose reader has stopped fills its own feed, and what comes then is dropped for it alone.
 * Where no sink has room, the queue is not drained: it takes what it can and then refuses.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "haetae/clock.h"
#include "haetae/http.h"
#include "haetae/log.h"

#include "outputs_private.h"

#define QUEUE_DEFAULT 8192
/* Interrupts a write that blocks although poll(2) said it would not, such as one to a terminal that
 * is stopped. Ignored by default, so that one from elsewhere does no harm. */
#define INTERRUPT_SIGNAL SIGURG
#define INTERRUPT_PERIOD (50 * NS_PER_MS)

static const struct sink_kind *const kinds[] = { &sink_stdout, &sink_file, &sink_http,
						 &sink_program, &sink_syslog };

/* ---- the thread ----------------------------------------------------------------------------- */

static void step_guest(struct outputs *outputs, unsigned index, uint64_t now_ns, bool is_ready)
{
	const struct outputs_guest *guest = &outputs->guests[index];

	if (!guest->step || (!is_ready && now_ns < outputs->guest_ns[index]))
		return;
	outputs->guest_ns[index] = guest->period_ns ? now_ns + guest->period_ns : UINT64_MAX;
	guest->step(guest->data);
}

static void finish_guests(struct outputs *outputs)
{
	for (unsigned i = 0; i < OUTPUTS_GUESTS_MAX; i++)
		if (outputs->guests[i].finish)
			outputs->guests[i].finish(outputs->guests[i].data);
}

static void step_sinks(struct outputs *outputs)
{
	bool is_reopening = atomic_exchange(&outputs->is_reopening, false);

	for (uint32_t i = 0; i < outputs->sink_cnt; i++) {
		struct sink *sink = &outputs->sinks[i];

		if (is_reopening && sink->kind->reopen)
			sink->kind->reopen(sink);
		sink->is_stopping = outputs->is_stopping;
		sink->kind->step(sink, clock_boot_ns());
	}
}

static uint64_t next_wake_ns(struct outputs *outputs)
{
	uint64_t wake_ns = intake_tick(outputs, clock_boot_ns());

	for (unsigned i = 0; i < OUTPUTS_GUESTS_MAX; i++)
		if (outputs->guests[i].step)
			wake_ns = MIN(wake_ns, outputs->guest_ns[i]);
	for (uint32_t i = 0; i < outputs->sink_cnt; i++)
		wake_ns = MIN(wake_ns,
			      outputs->sinks[i].feed.is_skipping ? 0 : outputs->sinks[i].wake_ns);
	return outputs->is_stopping ? MIN(wake_ns, outputs->deadline_ns) : wake_ns;
}

static int milliseconds_until(uint64_t then_ns)
{
	uint64_t now_ns = clock_boot_ns();

	if (then_ns == UINT64_MAX)
		return -1;
	return then_ns <= now_ns
		       ? 0
		       : (int)MIN((then_ns - now_ns) / NS_PER_MS + 1, (uint64_t)INT32_MAX);
}

static void wait_for_work(struct outputs *outputs, bool has_more)
{
	struct pollfd fds[2 + OUTPUTS_GUESTS_MAX + SINKS_MAX] = {
		{ .fd = outputs->queue.event_fd, .events = POLLIN },
		{ .fd = outputs->wake_fd, .events = POLLIN },
	};
	struct pollfd *guests = fds + 2, *sinks = guests + OUTPUTS_GUESTS_MAX;
	unsigned cnt = 2 + OUTPUTS_GUESTS_MAX + outputs->sink_cnt;
	/* Under full load, too: cursors and the disk have their time in it. */
	uint64_t wake_ns = next_wake_ns(outputs);
	uint64_t count;

	for (unsigned i = 0; i < OUTPUTS_GUESTS_MAX; i++)
		guests[i] = (struct pollfd){
			.fd = outputs->guests[i].step ? outputs->guests[i].fd : -1,
			.events = POLLIN,
		};
	if (has_more)
		wake_ns = 0;
	for (uint32_t i = 0; i < outputs->sink_cnt; i++)
		sinks[i] = outputs->sinks[i].poll;
	if (outputs->http && http_calls(outputs->http) > 0)
		http_step(outputs->http, fds, cnt, wake_ns);
	else
		(void)poll(fds, cnt, milliseconds_until(wake_ns));
	if (fds[1].revents)
		(void)!read(outputs->wake_fd, &count, sizeof(count));
	for (uint32_t i = 0; i < outputs->sink_cnt; i++)
		outputs->sinks[i].poll.revents = sinks[i].revents;
	for (unsigned i = 0; i < OUTPUTS_GUESTS_MAX; i++)
		step_guest(outputs, i, clock_boot_ns(), guests[i].revents != 0);
}

/* A receiver that is down does not hold the end up: what is in the spool is safe there. */
static bool sink_is_drained(const struct sink *sink)
{
	const struct feed *feed = &sink->feed;

	if (feed->memory_cnt > 0)
		return false;
	return sink->health != SINK_HEALTH_OK || feed->spool_cnt + feed->taken.cnt == 0;
}

static bool is_drained(const struct outputs *outputs)
{
	for (uint32_t i = 0; i < outputs->sink_cnt; i++)
		if (!sink_is_drained(&outputs->sinks[i]))
			return false;
	return queue_count(&outputs->queue) == 0;
}

/* The deadline is over, or all is done. */
static void give_up(struct outputs *outputs)
{
	while (queue_count(&outputs->queue) > 0)
		(void)intake_batch(outputs, true);
	for (uint32_t i = 0; i < outputs->sink_cnt; i++)
		feed_give_up(&outputs->sinks[i]);
}

static void *run(void *data)
{
	struct outputs *outputs = data;

	(void)intake_tick(outputs, clock_boot_ns()); /* letters to retry, even if it ends at once */
	for (;;) {
		bool is_stopping = outputs->is_stopping, has_more;

		queue_acknowledge(&outputs->queue);
		has_more = intake_batch(outputs, false);
		step_sinks(outputs);
		if (is_stopping &&
		    (is_drained(outputs) || clock_boot_ns() >= outputs->deadline_ns)) {
			give_up(outputs);
			finish_guests(outputs);
			return NULL;
		}
		wait_for_work(outputs, has_more);
	}
}

/* ---- start and stop ------------------------------------------------------------------------- */

static int open_sink(struct outputs *outputs, struct sink *sink, const struct sink_config *config)
{
	int r = 0;
	struct sink_config defaults;

	sink_config_default(&defaults);
	*sink = (struct sink){
		.config = *config,
		.poll.fd = -1,
		.wake_ns = UINT64_MAX,
		.health_lock = PTHREAD_MUTEX_INITIALIZER,
	};
	if (!config->queue_length)
		sink->config.queue_length = defaults.queue_length;
	if (!config->retry_min_ns)
		sink->config.retry_min_ns = defaults.retry_min_ns;
	if (!config->retry_max_ns)
		sink->config.retry_max_ns = defaults.retry_max_ns;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		if (strcmp(kinds[k]->type, config->type) == 0)
			sink->kind = kinds[k];
	if (!sink->kind)
		return -EINVAL;
	if (sink->kind->wants_http && !outputs->http)
		r = http_client_new(&outputs->http);
	sink->http = outputs->http;
	return r < 0 ? r : sink->kind->open(sink);
}

static int open_sinks(struct outputs *outputs, const struct outputs_config *config)
{
	for (uint32_t i = 0; i < config->sink_cnt; i++) {
		int r;

		outputs->sink_cnt++;
		r = open_sink(outputs, &outputs->sinks[i], &config->sinks[i]);
		if (r < 0) {
			log_error("sink %s: opening it: %s", config->sinks[i].name, strerror(-r));
			return r;
		}
	}
	return 0;
}

static void on_interrupt(int number)
{
	(void)number;
}

/* Signals are for the engine thread; a write to a pipe without a reader is EPIPE here. Only what
 * ends a write that blocks gets through: without SA_RESTART, so that it does. */
static int start_thread(struct outputs *outputs)
{
	const struct sigaction action = { .sa_handler = on_interrupt };
	sigset_t all, before;
	int r;

	if (sigaction(INTERRUPT_SIGNAL, &action, NULL) < 0)
		return -errno;
	sigfillset(&all);
	sigdelset(&all, INTERRUPT_SIGNAL);
	r = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (r != 0)
		return -r;
	r = pthread_create(&outputs->thread, NULL, run, outputs);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

int outputs_prepare(const struct outputs_config *config, struct outputs **ret)
{
	struct outputs *outputs;
	int r;

	if (config->sink_cnt == 0 || config->sink_cnt > SINKS_MAX)
		return -EINVAL;
	outputs = aligned_alloc(_Alignof(struct outputs), sizeof(*outputs));
	if (!outputs)
		return -ENOMEM;
	memset(outputs, 0, sizeof(*outputs));
	outputs->queue.event_fd = -1;
	memcpy(outputs->guests, config->guests, sizeof(outputs->guests));
	outputs->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = outputs->wake_fd < 0
		    ? -errno
		    : queue_init(&outputs->queue,
				 config->queue_length ? config->queue_length : QUEUE_DEFAULT);
	if (r == 0)
		r = open_sinks(outputs, config);
	if (r == 0)
		r = intake_open_spool(outputs, &config->spool);
	if (r < 0) {
		outputs_free(outputs);
		return r;
	}
	*ret = outputs;
	return 0;
}

int outputs_run(struct outputs *outputs)
{
	int r = start_thread(outputs);

	outputs->is_running = r == 0;
	return r;
}

int outputs_start(const struct outputs_config *config, struct outputs **ret)
{
	struct outputs *outputs = NULL;
	int r = outputs_prepare(config, &outputs);

	if (r == 0)
		r = outputs_run(outputs);
	if (r < 0) {
		outputs_free(outputs);
		return r;
	}
	*ret = outputs;
	return 0;
}

bool outputs_put(struct outputs *outputs, struct alert *alert)
{
	enum priority priority = alert->priority;

	if (queue_put(&outputs->queue, alert)) {
		outputs_add(&outputs->accepted, 1);
		return true;
	}
	outputs_add(&outputs->refused[priority], 1);
	alert_free(alert);
	return false;
}

/* Beyond the deadline a write that blocks is interrupted, again and again: the first may have come
 * just before the write. */
static void join_thread(struct outputs *outputs, uint64_t deadline_ns)
{
	uint64_t until_ns = MAX(deadline_ns, clock_boot_ns());

	for (;;) {
		uint64_t now_ns = clock_boot_ns();
		uint64_t wait_ns = until_ns > now_ns ? until_ns - now_ns : 0;
		struct timespec until;

		wait_ns = MIN(wait_ns + INTERRUPT_PERIOD, NS_PER_SEC);
		clock_gettime(CLOCK_MONOTONIC, &until);
		wait_ns += (uint64_t)until.tv_nsec;
		until.tv_sec += (time_t)(wait_ns / NS_PER_SEC);
		until.tv_nsec = (long)(wait_ns % NS_PER_SEC);
		if (pthread_clockjoin_np(outputs->thread, NULL, CLOCK_MONOTONIC, &until) !=
		    ETIMEDOUT)
			return;
		if (clock_boot_ns() >= until_ns)
			pthread_kill(outputs->thread, INTERRUPT_SIGNAL);
	}
}

static void wake(struct outputs *outputs)
{
	(void)!write(outputs->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

void outputs_reopen(struct outputs *outputs)
{
	outputs->is_reopening = true;
	wake(outputs);
}

void outputs_stop(struct outputs *outputs, uint64_t deadline_ns)
{
	if (!outputs || !outputs->is_running)
		return;
	outputs->deadline_ns = deadline_ns;
	outputs->is_stopping = true;
	wake(outputs);
	join_thread(outputs, deadline_ns);
	outputs->is_running = false;
}

struct outputs *outputs_free(struct outputs *outputs)
{
	struct alert *alert;

	if (!outputs)
		return NULL;
	outputs_stop(outputs, clock_boot_ns());
	for (uint32_t i = 0; i < outputs->sink_cnt; i++) {
		if (outputs->sinks[i].kind)
			outputs->sinks[i].kind->close(&outputs->sinks[i]);
		feed_done(&outputs->sinks[i]);
	}
	outputs->http = http_client_free(outputs->http);
	outputs->spool = spool_free(outputs->spool);
	while (outputs->queue.items && (alert = queue_take(&outputs->queue)))
		alert_free(alert); /* the thread was never started */
	queue_done(&outputs->queue);
	close_fdp(&outputs->wake_fd);
	free(outputs);
	return NULL;
}
