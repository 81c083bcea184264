/*
 * The outputs thread: takes alerts from the queue, gives each to every sink whose minimum priority
 * it reaches, pushes them out when the queue is empty or a batch is full. Owns the queue, the
 * sinks, and each alert from outputs_put() on. The engine thread only puts and reads counters.
 *
 * A sink whose reader has stopped makes the thread wait, not lose: the queue takes what it can and
 * then refuses, and both are counted.
 */
#include "sink_private.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "haetae/clock.h"
#include "haetae/queue.h"

#define BATCH_MAX   256
#define BATCH_BYTES (256u << 10) /* a batch ends with the alert that passes it */
/* How long one flush waits for its reader before it looks whether the thread shall stop. */
#define FLUSH_WINDOW_NS (100 * NS_PER_MS)
/* Interrupts a write that blocks although poll(2) said it would not, such as one to a terminal that
 * is stopped. Ignored by default, so that one from elsewhere does no harm. */
#define INTERRUPT_SIGNAL SIGURG
#define INTERRUPT_PERIOD (50 * NS_PER_MS)

struct outputs {
	struct queue queue;
	struct sink sinks[SINKS_MAX];
	uint32_t sink_cnt;
	pthread_t thread;
	bool is_running; /* the engine's view: the thread was started and not yet joined */
	int stop_fd;
	_Atomic bool is_stopping;
	_Atomic uint64_t deadline_ns; /* set before is_stopping: no flush waits beyond */
	_Atomic uint64_t accepted, delivered, failed, below_priority;
	_Atomic uint64_t refused[PRIORITY__COUNT];
};

static const struct sink_kind *const kinds[] = { &sink_stdout };

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* ---- the thread ----------------------------------------------------------------------------- */

static void give_to_sinks(struct outputs *outputs, struct alert *alert)
{
	for (uint32_t i = 0; i < outputs->sink_cnt; i++) {
		struct sink *sink = &outputs->sinks[i];

		if (alert->priority > sink->config.min_priority)
			add(&outputs->below_priority, 1);
		else if (!sink->kind->write(sink, alert))
			add(&outputs->failed, 1);
	}
	alert_free(alert);
}

static size_t pending_bytes(const struct outputs *outputs)
{
	size_t sum = 0;

	for (uint32_t i = 0; i < outputs->sink_cnt; i++)
		sum += outputs->sinks[i].pending.n;
	return sum;
}

/* False where the queue was found empty. */
static bool take_batch(struct outputs *outputs)
{
	struct alert *alert;

	for (unsigned i = 0; i < BATCH_MAX && pending_bytes(outputs) < BATCH_BYTES; i++) {
		alert = queue_take(&outputs->queue);
		if (!alert)
			return false;
		give_to_sinks(outputs, alert);
	}
	return true;
}

static void count_sink(struct outputs *outputs, struct sink *sink)
{
	add(&outputs->delivered, sink->delivered);
	add(&outputs->failed, sink->failed);
	sink->delivered = sink->failed = 0;
}

static void flush(struct outputs *outputs)
{
	for (uint32_t i = 0; i < outputs->sink_cnt; i++) {
		struct sink *sink = &outputs->sinks[i];
		uint64_t deadline_ns = outputs->is_stopping ? outputs->deadline_ns
							    : clock_boot_ns() + FLUSH_WINDOW_NS;

		sink->kind->flush(sink, deadline_ns);
		count_sink(outputs, sink);
	}
}

/* The deadline is over: what is not out has failed. */
static void give_up(struct outputs *outputs)
{
	struct alert *alert;

	for (uint32_t i = 0; i < outputs->sink_cnt; i++)
		add(&outputs->failed, outputs->sinks[i].pending_cnt);
	while ((alert = queue_take(&outputs->queue))) {
		for (uint32_t i = 0; i < outputs->sink_cnt; i++) {
			bool is_wanted = alert->priority <= outputs->sinks[i].config.min_priority;

			add(is_wanted ? &outputs->failed : &outputs->below_priority, 1);
		}
		alert_free(alert);
	}
}

static void wait_for_work(const struct outputs *outputs)
{
	struct pollfd fds[] = {
		{ .fd = outputs->queue.event_fd, .events = POLLIN },
		{ .fd = outputs->stop_fd, .events = POLLIN },
	};

	(void)poll(fds, ARRAY_LEN(fds), -1); /* interrupted: there is just no work */
}

static void *run(void *data)
{
	struct outputs *outputs = data;

	for (;;) {
		bool is_stopping = outputs->is_stopping, has_more;

		queue_acknowledge(&outputs->queue);
		has_more = take_batch(outputs);
		flush(outputs);
		has_more |= pending_bytes(outputs) > 0;
		if (is_stopping && has_more && clock_boot_ns() >= outputs->deadline_ns) {
			give_up(outputs);
			return NULL;
		}
		if (is_stopping && !has_more)
			return NULL;
		if (!has_more)
			wait_for_work(outputs);
	}
}

/* ---- start and stop ------------------------------------------------------------------------- */

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

int outputs_start(const struct outputs_config *config, struct outputs **ret)
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
	outputs->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = outputs->stop_fd < 0 ? -errno : queue_init(&outputs->queue, config->queue_length);
	if (r == 0)
		r = open_sinks(outputs, config->sinks, config->sink_cnt);
	if (r == 0)
		r = start_thread(outputs);
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

void outputs_stop(struct outputs *outputs, uint64_t deadline_ns)
{
	if (!outputs || !outputs->is_running)
		return;
	outputs->deadline_ns = deadline_ns;
	outputs->is_stopping = true;
	(void)!write(outputs->stop_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	join_thread(outputs, deadline_ns);
	outputs->is_running = false;
}

struct outputs *outputs_free(struct outputs *outputs)
{
	if (!outputs)
		return NULL;
	outputs_stop(outputs, clock_boot_ns());
	for (uint32_t i = 0; i < outputs->sink_cnt; i++)
		outputs->sinks[i].kind->close(&outputs->sinks[i]);
	queue_done(&outputs->queue);
	close_fdp(&outputs->stop_fd);
	free(outputs);
	return NULL;
}

void outputs_stats(const struct outputs *outputs, struct outputs_stats *ret)
{
	uint64_t sum;

	*ret = (struct outputs_stats){
		.delivered = outputs->delivered,
		.failed = outputs->failed,
		.below_priority = outputs->below_priority,
		.accepted = outputs->accepted, /* read last of these: the others follow it */
	};
	for (unsigned i = 0; i < PRIORITY__COUNT; i++)
		ret->refused[i] = outputs->refused[i];
	sum = ret->delivered + ret->failed + ret->below_priority;
	ret->queued =
		ret->accepted * outputs->sink_cnt - MIN(sum, ret->accepted * outputs->sink_cnt);
}
