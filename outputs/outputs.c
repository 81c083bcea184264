/*
 * The outputs thread: takes alerts from the queue, gives each to every sink whose minimum priority
 * it reaches, flushes when the queue is empty. Owns the queue, the sinks, and each alert from
 * outputs_put() on. The engine thread only puts and reads counters.
 */
#include "sink_private.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "haetae/clock.h"
#include "haetae/queue.h"

#define SINKS_MAX	8
#define BATCH_MAX	256
#define FLUSH_WINDOW_NS (5 * NS_PER_SEC) /* how long one batch may wait for its reader */

struct outputs {
	struct queue queue;
	struct sink sinks[SINKS_MAX];
	uint32_t sink_cnt;
	pthread_t thread;
	bool is_running; /* the engine's view: the thread was started and not yet joined */
	int stop_fd;
	_Atomic bool is_stopping;
	_Atomic uint64_t deadline_ns; /* no flush waits beyond, once stopping */
	_Atomic uint64_t accepted, delivered, failed, below_priority;
	_Atomic uint64_t refused[PRIORITY__COUNT];
};

static const struct sink_kind *const kinds[] = { &sink_stdout };

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* An alert counts once: delivered where every sink that wanted it took it. */
static void deliver(struct outputs *outputs, struct alert *alert, uint32_t *ret_pending)
{
	bool is_wanted = false, is_taken = true;

	for (uint32_t i = 0; i < outputs->sink_cnt; i++) {
		struct sink *sink = &outputs->sinks[i];

		if (alert->priority > sink->config.min_priority)
			continue;
		is_wanted = true;
		is_taken &= sink->kind->write(sink, alert);
	}
	if (!is_wanted)
		add(&outputs->below_priority, 1);
	else if (is_taken)
		++*ret_pending;
	else
		add(&outputs->failed, 1);
	alert_free(alert);
}

static uint64_t flush_deadline(const struct outputs *outputs)
{
	if (outputs->is_stopping)
		return outputs->deadline_ns;
	return clock_boot_ns() + FLUSH_WINDOW_NS;
}

static void flush(struct outputs *outputs, uint32_t pending)
{
	uint32_t failed = 0;

	for (uint32_t i = 0; i < outputs->sink_cnt; i++) {
		struct sink *sink = &outputs->sinks[i];
		uint32_t lost = sink->kind->flush(sink, flush_deadline(outputs));

		failed = MAX(failed, lost);
	}
	failed = MIN(failed, pending);
	add(&outputs->failed, failed);
	add(&outputs->delivered, pending - failed);
}

static void drain(struct outputs *outputs)
{
	for (;;) {
		uint32_t pending = 0, taken = 0;
		struct alert *alert;

		while (taken < BATCH_MAX && (alert = queue_take(&outputs->queue))) {
			deliver(outputs, alert, &pending);
			taken++;
		}
		if (pending)
			flush(outputs, pending);
		if (taken == 0)
			return;
	}
}

static void *run(void *data)
{
	struct outputs *outputs = data;

	while (!outputs->is_stopping) {
		struct pollfd fds[] = {
			{ .fd = outputs->queue.event_fd, .events = POLLIN },
			{ .fd = outputs->stop_fd, .events = POLLIN },
		};

		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			break;
		queue_acknowledge(&outputs->queue);
		drain(outputs);
	}
	drain(outputs);
	return NULL;
}

static int open_sinks(struct outputs *outputs, const struct sink_config *configs, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++) {
		struct sink *sink = &outputs->sinks[i];
		int r = -EINVAL;

		*sink = (struct sink){ .config = configs[i], .fd = -1 };
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
			if (strcmp(kinds[k]->type, configs[i].type) == 0)
				sink->kind = kinds[k];
		if (sink->kind)
			r = sink->kind->open(sink);
		if (r < 0)
			return r;
		outputs->sink_cnt++;
	}
	return 0;
}

int outputs_start(const struct sink_config *sinks, uint32_t sink_cnt, uint32_t queue_length,
		  struct outputs **ret)
{
	struct outputs *outputs;
	int r;

	if (sink_cnt > SINKS_MAX)
		return -EINVAL;
	outputs = aligned_alloc(_Alignof(struct outputs), sizeof(*outputs));
	if (!outputs)
		return -ENOMEM;
	memset(outputs, 0, sizeof(*outputs));
	outputs->queue.event_fd = -1;
	outputs->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = outputs->stop_fd < 0 ? -errno : queue_init(&outputs->queue, queue_length);
	if (r == 0)
		r = open_sinks(outputs, sinks, sink_cnt);
	if (r == 0)
		r = -pthread_create(&outputs->thread, NULL, run, outputs);
	if (r < 0) {
		outputs_free(outputs);
		return r;
	}
	outputs->is_running = true;
	*ret = outputs;
	return 0;
}

bool outputs_put(struct outputs *outputs, struct alert *alert)
{
	enum priority priority = alert->priority;

	if (queue_put(&outputs->queue, alert)) {
		add(&outputs->accepted, 1);
		return true;
	}
	add(&outputs->refused[priority], 1);
	alert_free(alert);
	return false;
}

void outputs_stop(struct outputs *outputs, uint64_t deadline_ns)
{
	if (!outputs || !outputs->is_running)
		return;
	outputs->deadline_ns = deadline_ns;
	outputs->is_stopping = true;
	(void)!write(outputs->stop_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	pthread_join(outputs->thread, NULL);
	outputs->is_running = false;
}

struct outputs *outputs_free(struct outputs *outputs)
{
	struct alert *alert;

	if (!outputs)
		return NULL;
	outputs_stop(outputs, clock_boot_ns());
	while (outputs->queue.items && (alert = queue_take(&outputs->queue)))
		alert_free(alert);
	for (uint32_t i = 0; i < outputs->sink_cnt; i++)
		outputs->sinks[i].kind->close(&outputs->sinks[i]);
	queue_done(&outputs->queue);
	close_fdp(&outputs->stop_fd);
	free(outputs);
	return NULL;
}

void outputs_stats(const struct outputs *outputs, struct outputs_stats *ret)
{
	*ret = (struct outputs_stats){
		.accepted = outputs->accepted,
		.delivered = outputs->delivered,
		.failed = outputs->failed,
		.below_priority = outputs->below_priority,
	};
	for (unsigned i = 0; i < PRIORITY__COUNT; i++)
		ret->refused[i] = outputs->refused[i];
}
