/*
 * Reloads: one at a time, in a thread of their own, from a request or a changed file to the ruleset
 * that the engine thread takes. Owns that thread, the ruleset under way and what is said of the
 * last reload. What is not valid leaves the rules in force as they are.
 */
#include "reload.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "haetae/clock.h"
#include "haetae/log.h"
#include "haetae/text.h"
#include "notify.h"
#include "reload_config.h"
#include "reload_private.h"

/* Editors and tools write a file in several steps; a folder that never rests is read all the same.
 */
#define QUIET_MS    250
#define UNREST_NS   (2 * NS_PER_SEC)
#define MESSAGE_MAX (16u << 10)
/* Of what is told to the rules. */
#define NEWS_TEXT_MAX 1024u

static const char *const cause_names[RELOAD_CAUSE__COUNT] = {
	[RELOAD_SIGNAL] = "SIGHUP",
	[RELOAD_CONTROL] = "haetae reload",
	[RELOAD_FILES] = "changed files",
};

struct reload_attempt {
	uint64_t request;
	enum reload_cause cause;
};

struct reload {
	const struct daemon_config *config; /* of the start */
	reload_check_fn check;
	void *data;
	struct reload_watch watch;
	int wake_fd, ready_fd; /* owned */
	pthread_t thread;
	struct reload_config in_use; /* thread of the reloads: whose live options count */
	bool is_running;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t taken;
	bool is_ending, is_wanted;
	enum reload_cause cause;
	uint64_t request_cnt;
	const struct ruleset *in_force;		    /* borrowed */
	struct ruleset *pending;		    /* owned */
	const struct daemon_config *pending_config; /* borrowed */
	bool is_pending;     /* until the engine has said what became of it */
	const char *refusal; /* the engine's */
	bool is_news;	     /* until the engine has taken them */
	struct reload_news news;
	struct reload_counters counters;
	struct buf waiting; /* options that have changed and need a restart */
	struct buf message; /* of the last reload: what changed, or what is wrong */
};

int reload_compile(const struct daemon_config *config, struct diags *diags, struct ruleset **ret)
{
	uint32_t path_cnt = config->record.is_alone ? 0 : config->rule_path_cnt;
	struct rules_options options = daemon_rules_options(config);

	if (config->own)
		return ruleset_load_own(config->rule_paths, path_cnt, config->own, &options, diags,
					ret);
	return ruleset_load(config->rule_paths, path_cnt, &options, diags, ret);
}

static void wake(int fd)
{
	(void)eventfd_write(fd, 1);
}

uint64_t reload_request(struct reload *reload, enum reload_cause cause)
{
	uint64_t number;

	pthread_mutex_lock(&reload->lock);
	number = ++reload->request_cnt;
	reload->cause = cause;
	reload->is_wanted = true;
	pthread_mutex_unlock(&reload->lock);
	wake(reload->wake_fd);
	return number;
}

/* ---- one reload, in the thread -------------------------------------------------------------- */

static void put_diags(struct diags *diags, struct buf *out)
{
	_cleanup_(freep) char *text = NULL;
	size_t n = 0;
	FILE *file = open_memstream(&text, &n);

	if (!file)
		return;
	diags_sort(diags);
	diags_print(diags, file, false);
	fclose(file);
	buf_put(out, text, MIN(n, (size_t)MESSAGE_MAX - 1));
}

/* NULL where there is none to take over; *out says why. */
static struct ruleset *compile(struct reload *reload, const struct daemon_config *config,
			       struct buf *out)
{
	_cleanup_(diags_done) struct diags diags;
	struct ruleset *ruleset = NULL;
	const char *why;
	int r;

	diags_init(&diags);
	r = reload_compile(config, &diags, &ruleset);
	if (r < 0)
		buf_printf(out, "loading the rules: %s", strerror(-r));
	else if (r > 0)
		put_diags(&diags, out);
	if (r != 0)
		return NULL;
	why = reload->check ? reload->check(ruleset, reload->data) : NULL;
	if (!why)
		return ruleset;
	buf_puts(out, why);
	ruleset_free(ruleset);
	return NULL;
}

/* False where the engine did not take it. */
static bool hand_over(struct reload *reload, struct ruleset *ruleset,
		      const struct daemon_config *config, struct buf *out)
{
	const char *refusal;

	pthread_mutex_lock(&reload->lock);
	reload->pending = ruleset;
	reload->pending_config = config;
	reload->is_pending = true;
	wake(reload->ready_fd);
	while (reload->is_pending && !reload->is_ending)
		pthread_cond_wait(&reload->taken, &reload->lock);
	refusal = reload->is_pending ? "haetae is ending" : reload->refusal;
	pthread_mutex_unlock(&reload->lock);
	if (!refusal)
		return true;
	buf_clear(out);
	buf_puts(out, refusal);
	return false;
}

/* Its place in the message: warnings may stand before the first mistake, and its source behind. */
static struct str first_mistake(struct str message)
{
	struct str rest = message, line;

	while (rest.n) {
		const char *newline = memchr(rest.p, '\n', rest.n);

		line = (struct str){ rest.p, newline ? (uint32_t)(newline - rest.p) : rest.n };
		if (memmem(line.p, line.n, ": error[", 8))
			return line;
		rest = (struct str){ line.p + line.n + !!newline, rest.n - line.n - !!newline };
	}
	line = message;
	while (line.n && line.p[line.n - 1] == '\n')
		line.n--;
	return line;
}

/* Under the lock. Waits until the engine has them: each reload is told of. */
static void tell(struct reload *reload, enum reload_cause cause, bool is_good, struct buf *message)
{
	struct reload_news *news = &reload->news;
	struct str text = is_good ? buf_str(message) : first_mistake(buf_str(message));

	news->cause = cause;
	news->is_failed = !is_good;
	news->failures = reload->counters.failures;
	buf_clear(&news->message);
	buf_put(&news->message, text.p, MIN(text.n, NEWS_TEXT_MAX));
	reload->is_news = true;
	wake(reload->ready_fd);
	while (reload->is_news && !reload->is_ending)
		pthread_cond_wait(&reload->taken, &reload->lock);
}

static void finish(struct reload *reload, const struct reload_attempt *attempt, bool is_good,
		   struct buf *message)
{
	uint64_t wall_ns = clock_boot_ns() + (uint64_t)clock_wall_offset_ns();

	pthread_mutex_lock(&reload->lock);
	reload->counters.done = attempt->request;
	reload->counters.is_failed = !is_good;
	reload->counters.succeeded += is_good;
	reload->counters.failed += !is_good;
	if (is_good)
		reload->counters.success_wall_ns = wall_ns;
	buf_clear(&reload->message);
	buf_put_str(&reload->message, buf_str(message));
	reload->counters.failures += !is_good;
	tell(reload, attempt->cause, is_good, message);
	if (is_good)
		reload->counters.failures = 0;
	pthread_mutex_unlock(&reload->lock);
}

/* A line of the log each. */
static void log_lines(struct str text)
{
	const char *at = text.p, *end = text.p + text.n;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at)) ?: end;

		log_error("%.*s", (int)(newline - at), at);
		at = newline + (newline < end);
	}
}

/* What is in force from now on, and what would be after a restart. */
static void adopt(struct reload *reload, struct reload_config *read, struct buf *message)
{
	_cleanup_(buf_done) struct buf live, waiting;

	buf_init(&live, MESSAGE_MAX);
	buf_init(&waiting, MESSAGE_MAX);
	reload_config_compare(reload->in_use.config, read->config, true, &live);
	reload_config_compare(reload->config, read->config, false, &waiting);
	if (live.n)
		buf_printf(message, "; options changed: %.*s", STR_ARG(buf_str(&live)));
	if (waiting.n)
		buf_printf(message, "; options that need a restart: %.*s",
			   STR_ARG(buf_str(&waiting)));
	pthread_mutex_lock(&reload->lock);
	buf_clear(&reload->waiting);
	buf_put_str(&reload->waiting, buf_str(&waiting));
	pthread_mutex_unlock(&reload->lock);
	if (read->config == reload->in_use.config)
		return;
	reload_config_free(reload->config, &reload->in_use);
	reload->in_use = *read;
}

/* Configuration and rules, both or neither. */
static bool try_reload(struct reload *reload, const struct ruleset *before, struct buf *message)
{
	struct reload_config read = { .config = reload->in_use.config };
	bool is_read = reload->config->reread.read != NULL;
	struct ruleset *ruleset = NULL;
	bool is_good = !is_read || reload_config_read(reload->config, &read, message);

	if (is_good)
		ruleset = compile(reload, read.config, message);
	is_good = ruleset != NULL;
	if (is_good) {
		reload_compare(before, ruleset, message);
		is_good = hand_over(reload, ruleset, read.config, message);
	}
	if (is_good)
		adopt(reload, &read, message);
	else
		reload_config_free(reload->config, &read);
	return is_good;
}

static void run_reload(struct reload *reload)
{
	_cleanup_(buf_done) struct buf message;
	const struct ruleset *before;
	struct reload_attempt attempt;
	bool is_good;

	buf_init(&message, MESSAGE_MAX);
	notify_reloading();
	pthread_mutex_lock(&reload->lock);
	reload->is_wanted = false;
	attempt = (struct reload_attempt){ reload->request_cnt, reload->cause };
	before = reload->in_force;
	pthread_mutex_unlock(&reload->lock);
	is_good = try_reload(reload, before, &message);
	if (is_good) {
		log_info("rules loaded anew (%s): %.*s", cause_names[attempt.cause],
			 STR_ARG(buf_str(&message)));
	} else {
		log_error("the rules could not be loaded anew (%s), those before stay in force:",
			  cause_names[attempt.cause]);
		log_lines(buf_str(&message));
	}
	finish(reload, &attempt, is_good, &message);
	notify_ready(is_good ? "detecting"
			     : "detecting; the rules could not be loaded anew, those before are in "
			       "force");
	reload_watch_set(&reload->watch, reload->in_use.config);
}

/* ---- the thread ----------------------------------------------------------------------------- */

/* Whether files have changed and rest since. */
static bool have_changed(struct reload *reload, uint64_t *first_ns, bool is_quiet)
{
	uint64_t now_ns = clock_boot_ns();
	bool is_due;

	if (reload->watch.fd >= 0 && reload_watch_read(&reload->watch)) {
		*first_ns = *first_ns ?: now_ns;
		is_quiet = false;
	}
	is_due = *first_ns && (is_quiet || now_ns >= *first_ns + UNREST_NS);
	if (is_due)
		*first_ns = 0;
	return is_due;
}

static void *run(void *data)
{
	struct reload *reload = data;
	uint64_t first_ns = 0;
	eventfd_t value;

	(void)pthread_setname_np(pthread_self(), "haetae-reload");
	for (;;) {
		struct pollfd fds[] = { { .fd = reload->wake_fd, .events = POLLIN },
					{ .fd = reload->watch.fd, .events = POLLIN } };
		bool is_wanted, is_ending;
		int n = poll(fds, ARRAY_LEN(fds), first_ns ? QUIET_MS : -1);

		(void)eventfd_read(reload->wake_fd, &value);
		if (have_changed(reload, &first_ns, n == 0))
			(void)reload_request(reload, RELOAD_FILES);
		pthread_mutex_lock(&reload->lock);
		is_wanted = reload->is_wanted;
		is_ending = reload->is_ending;
		pthread_mutex_unlock(&reload->lock);
		if (is_ending)
			return NULL;
		if (is_wanted)
			run_reload(reload);
	}
}

/* ---- the engine's side ---------------------------------------------------------------------- */

int reload_poll_fd(const struct reload *reload)
{
	return reload->ready_fd;
}

struct ruleset *reload_take(struct reload *reload, const struct daemon_config **ret_config)
{
	struct ruleset *ruleset;
	eventfd_t value;

	if (eventfd_read(reload->ready_fd, &value) < 0)
		return NULL;
	pthread_mutex_lock(&reload->lock);
	ruleset = reload->pending;
	*ret_config = reload->pending_config;
	reload->pending = NULL;
	pthread_mutex_unlock(&reload->lock);
	return ruleset;
}

void reload_taken(struct reload *reload, const struct ruleset *in_force, const char *error)
{
	pthread_mutex_lock(&reload->lock);
	reload->in_force = in_force;
	reload->refusal = error;
	reload->is_pending = false;
	pthread_cond_broadcast(&reload->taken);
	pthread_mutex_unlock(&reload->lock);
}

const char *reload_cause_name(enum reload_cause cause)
{
	return cause_names[cause];
}

void reload_take_news(struct reload *reload,
		      void (*take)(const struct reload_news *news, void *data), void *data)
{
	eventfd_t value;

	pthread_mutex_lock(&reload->lock);
	if (reload->is_news) {
		(void)eventfd_read(reload->ready_fd, &value);
		take(&reload->news, data);
		reload->is_news = false;
		pthread_cond_broadcast(&reload->taken);
	}
	pthread_mutex_unlock(&reload->lock);
}

/* ---- the object ----------------------------------------------------------------------------- */

int reload_new(const struct daemon_config *config, const struct ruleset *ruleset,
	       reload_check_fn check, void *data, struct reload **ret)
{
	struct reload *reload = calloc(1, sizeof(*reload));

	if (!reload)
		return -ENOMEM;
	*reload = (struct reload){
		.config = config, .in_force = ruleset, .check = check, .data = data
	};
	pthread_mutex_init(&reload->lock, NULL);
	pthread_cond_init(&reload->taken, NULL);
	reload->in_use.config = config;
	buf_init(&reload->waiting, MESSAGE_MAX);
	buf_init(&reload->message, MESSAGE_MAX);
	buf_init(&reload->news.message, NEWS_TEXT_MAX + 1);
	reload->counters.success_wall_ns = clock_boot_ns() + (uint64_t)clock_wall_offset_ns();
	reload->watch.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	reload->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	reload->ready_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (reload->wake_fd < 0 || reload->ready_fd < 0) {
		reload_free(reload);
		return -EMFILE;
	}
	if (reload->watch.fd < 0)
		log_warning("watching rule files: %s; SIGHUP still loads them anew",
			    strerror(errno));
	reload_watch_set(&reload->watch, config);
	*ret = reload;
	return 0;
}

int reload_start(struct reload *reload)
{
	int r = pthread_create(&reload->thread, NULL, run, reload);

	reload->is_running = r == 0;
	return -r;
}

struct reload *reload_free(struct reload *reload)
{
	if (!reload)
		return NULL;
	pthread_mutex_lock(&reload->lock);
	reload->is_ending = true;
	pthread_cond_broadcast(&reload->taken);
	pthread_mutex_unlock(&reload->lock);
	wake(reload->wake_fd);
	if (reload->is_running)
		pthread_join(reload->thread, NULL);
	ruleset_free(reload->pending);
	reload_watch_done(&reload->watch);
	close_fdp(&reload->wake_fd);
	close_fdp(&reload->ready_fd);
	reload_config_free(reload->config, &reload->in_use);
	buf_done(&reload->waiting);
	buf_done(&reload->message);
	buf_done(&reload->news.message);
	pthread_cond_destroy(&reload->taken);
	pthread_mutex_destroy(&reload->lock);
	free(reload);
	return NULL;
}

void reload_counters(struct reload *reload, struct reload_counters *ret)
{
	pthread_mutex_lock(&reload->lock);
	*ret = reload->counters;
	pthread_mutex_unlock(&reload->lock);
}

void reload_put(struct reload *reload, struct buf *out)
{
	const struct reload_counters *counters = &reload->counters;

	pthread_mutex_lock(&reload->lock);
	buf_printf(out,
		   ",\"reload\":{\"done\":%llu,\"succeeded\":%llu,\"failed\":%llu,"
		   "\"failures\":%llu,\"last_failed\":%s,\"message\":",
		   (unsigned long long)counters->done, (unsigned long long)counters->succeeded,
		   (unsigned long long)counters->failed, (unsigned long long)counters->failures,
		   counters->is_failed ? "true" : "false");
	text_put_json_string(out, buf_str(&reload->message));
	buf_puts(out, ",\"needs_restart\":");
	text_put_json_string(out, buf_str(&reload->waiting));
	buf_puts(out, "}");
	pthread_mutex_unlock(&reload->lock);
}
