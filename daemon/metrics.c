/*
 * The snapshot between the engine thread and the thread that serves: two copies and a lock that is
 * held for one memcpy. Owns the copies.
 */
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "haetae/clock.h"

int metrics_init(struct metrics *metrics, uint32_t rule_cnt)
{
	size_t cnt = rule_cnt ? rule_cnt : 1;

	*metrics = (struct metrics){ 0 };
	metrics->published.rules = calloc(cnt, sizeof(*metrics->published.rules));
	metrics->served.rules = calloc(cnt, sizeof(*metrics->served.rules));
	if (!metrics->published.rules || !metrics->served.rules) {
		free(metrics->published.rules);
		free(metrics->served.rules);
		return -ENOMEM;
	}
	metrics->published.rule_cnt = metrics->served.rule_cnt = rule_cnt;
	metrics->collected.rule_cnt = rule_cnt;
	metrics->collected.start_wall_ns = clock_boot_ns() + (uint64_t)clock_wall_offset_ns();
	pthread_mutex_init(&metrics->lock, NULL);
	metrics->is_initialised = true;
	return 0;
}

void metrics_done(struct metrics *metrics)
{
	if (!metrics->is_initialised)
		return;
	free(metrics->published.rules);
	free(metrics->served.rules);
	pthread_mutex_destroy(&metrics->lock);
	*metrics = (struct metrics){ 0 };
}

static void copy(struct metrics_snapshot *to, const struct metrics_snapshot *from)
{
	struct engine_rule_counters *rules = to->rules;

	hae_assert(from->rule_cnt == to->rule_cnt);
	*to = *from;
	to->rules = rules;
	if (from->rule_cnt)
		memcpy(rules, from->rules, from->rule_cnt * sizeof(*rules));
}

int metrics_install(struct metrics *metrics, const struct ruleset *ruleset)
{
	uint32_t cnt = ruleset_rule_cnt(ruleset);
	struct engine_rule_counters *rules = calloc(cnt + 1, sizeof(*rules)), *old;

	if (!rules)
		return -ENOMEM;
	pthread_mutex_lock(&metrics->lock);
	old = metrics->published.rules;
	metrics->published.rules = rules;
	metrics->published.rule_cnt = metrics->collected.rule_cnt = cnt;
	metrics->published.ruleset = ruleset;
	pthread_mutex_unlock(&metrics->lock);
	free(old);
	return 0;
}

bool metrics_uses(struct metrics *metrics, const struct ruleset *ruleset)
{
	bool is_used;

	pthread_mutex_lock(&metrics->lock);
	is_used = metrics->published.ruleset == ruleset || metrics->served.ruleset == ruleset;
	pthread_mutex_unlock(&metrics->lock);
	return is_used;
}

static void collect_rules(struct metrics_snapshot *snapshot, const struct engine *engine)
{
	snapshot->ruleset = engine->ruleset;
	snapshot->rules = engine->rules;
	snapshot->rules_loaded = snapshot->rules_enabled = 0;
	for (uint32_t i = 0; i < snapshot->rule_cnt; i++) {
		const struct rule *rule = ruleset_rule(engine->ruleset, i);

		snapshot->rules_loaded += !rule->is_self_test;
		snapshot->rules_enabled += rule->is_enabled && !rule->is_self_test;
	}
}

static void copy_text(char *ret, size_t size, struct str text)
{
	size_t n = MIN((size_t)text.n, size - 1);

	if (n)
		memcpy(ret, text.p, n);
	ret[n] = '\0';
}

/* Keeps the busiest, most events first. */
static void offer_container(const struct container *busiest[], uint32_t *cnt,
			    const struct container *one)
{
	uint32_t at = *cnt;

	while (at > 0 && busiest[at - 1]->activity.events < one->activity.events)
		at--;
	if (at == METRICS_CONTAINERS_SHOWN)
		return;
	*cnt += *cnt < METRICS_CONTAINERS_SHOWN;
	memmove(&busiest[at + 1], &busiest[at], (*cnt - at - 1) * sizeof(*busiest));
	busiest[at] = one;
}

static void collect_containers(struct metrics_snapshot *snapshot, const struct engine *engine)
{
	const struct container *busiest[METRICS_CONTAINERS_SHOWN], *one;
	uint32_t cursor = 0, cnt = 0;

	while ((one = container_table_next(engine->containers, &cursor)))
		offer_container(busiest, &cnt, one);
	for (uint32_t i = 0; i < cnt; i++) {
		const struct container_info *info = busiest[i]->info;
		struct metrics_container *to = &snapshot->active[i];

		*to = (struct metrics_container){ .activity = busiest[i]->activity };
		copy_text(to->id, sizeof(to->id), str_from(busiest[i]->id));
		if (!info)
			continue;
		copy_text(to->name, sizeof(to->name), info->name);
		copy_text(to->pod, sizeof(to->pod), info->pod_name);
		copy_text(to->pod_namespace, sizeof(to->pod_namespace), info->pod_namespace);
	}
	snapshot->active_cnt = cnt;
}

static uint64_t time_ns(struct timeval time)
{
	return (uint64_t)time.tv_sec * NS_PER_SEC + (uint64_t)time.tv_usec * 1000;
}

/* The second number of statm, in pages: proc(5). 0 where it cannot be read. */
static uint64_t resident_bytes(void)
{
	_cleanup_(close_fdp) int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[128];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *second;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	second = strchr(text, ' ');
	return second ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* Of all threads; what the probes take counts for the processes that they interrupt. */
static void collect_usage(struct metrics_snapshot *snapshot)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) == 0)
		snapshot->cpu_ns = time_ns(usage.ru_utime) + time_ns(usage.ru_stime);
	snapshot->resident_bytes = resident_bytes();
}

static void collect(struct metrics_snapshot *snapshot, const struct metrics_sources *sources)
{
	const struct engine *engine = sources->engine;

	snapshot->boot_ns = clock_boot_ns();
	snapshot->caught_up_ns = sources->caught_up_ns;
	snapshot->has_probes = true;
	snapshot->kernel = *sources->counters;
	probes_read_runs(sources->probes, &snapshot->program_runs, &snapshot->program_run_ns);
	snapshot->cgroup_cnt =
		probes_read_cgroup_loss(sources->probes, snapshot->cgroups, METRICS_CGROUPS_SHOWN,
					&snapshot->cgroups_other);
	snapshot->engine = engine->counters;
	matcher_stats(engine->matcher, &snapshot->matcher);
	gate_stats(engine->gate, &snapshot->gate);
	proc_table_stats(engine->procs, &snapshot->procs);
	container_table_stats(engine->containers, &snapshot->containers);
	snapshot->pods = pod_table_count(engine->pods);
	hold_stats(engine->hold, &snapshot->hold);
	if (sources->metadata)
		metadata_stats(sources->metadata, &snapshot->metadata);
	if (sources->self_test)
		snapshot->self_test = *sources->self_test;
	if (sources->reload)
		reload_counters(sources->reload, &snapshot->reload);
	snapshot->filter = *sources->filter;
	collect_usage(snapshot);
	collect_rules(snapshot, engine);
	collect_containers(snapshot, engine);
}

void metrics_publish(struct metrics *metrics, const struct metrics_sources *sources)
{
	collect(&metrics->collected, sources);
	pthread_mutex_lock(&metrics->lock);
	copy(&metrics->published, &metrics->collected);
	pthread_mutex_unlock(&metrics->lock);
}

/* As many as the ruleset that was installed has. False without memory: the older one is served. */
static bool fit_served(struct metrics *metrics)
{
	uint32_t cnt = metrics->published.rule_cnt;
	struct engine_rule_counters *rules;

	if (metrics->served.rule_cnt == cnt)
		return true;
	rules = calloc(cnt + 1, sizeof(*rules));
	if (!rules)
		return false;
	free(metrics->served.rules);
	metrics->served.rules = rules;
	metrics->served.rule_cnt = cnt;
	return true;
}

const struct metrics_snapshot *metrics_take(struct metrics *metrics)
{
	pthread_mutex_lock(&metrics->lock);
	if (fit_served(metrics))
		copy(&metrics->served, &metrics->published);
	pthread_mutex_unlock(&metrics->lock);
	return &metrics->served;
}
