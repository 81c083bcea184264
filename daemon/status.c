/*
 * The state of the daemon as JSON, from the engine's snapshot and the outputs. Owns nothing.
 * Outputs thread, for the control socket.
 */
#include "status.h"

#include <errno.h>

#include "haetae/clock.h"
#include "haetae/text.h"
#include "readiness.h"

/* Of all rules in one answer, so that it fits into a client's buffer. */
#define RULES_BYTES_MAX (384u << 10)

/* A number: its key and its value. */
static void put_number(struct buf *out, const char *key, uint64_t value)
{
	buf_printf(out, "%s\"%s\":%llu", out->p[out->n - 1] == '{' ? "" : ",", key,
		   (unsigned long long)value);
}

static void put_text(struct buf *out, const char *key, struct str text)
{
	buf_printf(out, "%s\"%s\":", out->p[out->n - 1] == '{' ? "" : ",", key);
	text_put_json_string(out, text);
}

static void put_bool(struct buf *out, const char *key, bool value)
{
	buf_printf(out, "%s\"%s\":%s", out->p[out->n - 1] == '{' ? "" : ",", key,
		   value ? "true" : "false");
}

static uint64_t sum_of(const uint64_t *values, unsigned cnt)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < cnt; i++)
		sum += values[i];
	return sum;
}

static void put_events(const struct metrics_snapshot *snapshot, struct buf *out)
{
	struct wire_counters all = { 0 };
	uint64_t filtered = 0, lost = 0;

	for (unsigned type = 0; type < EVENT__COUNT; type++)
		wire_counters_add(&all, &snapshot->kernel.types[type]);
	for (unsigned i = 0; i < WIRE_FILTER__COUNT; i++)
		filtered += all.filtered[i];
	for (unsigned i = 0; i < WIRE_LOST__COUNT; i++)
		lost += all.lost[i];
	buf_puts(out, ",\"events\":{");
	put_number(out, "generated", all.generated);
	put_number(out, "filtered", filtered);
	put_number(out, "lost", lost);
	put_number(out, "delivered", all.submitted);
	put_number(out, "evaluated", snapshot->engine.evaluated);
	put_number(out, "own", snapshot->engine.own);
	put_number(out, "undecodable", snapshot->engine.undecodable + snapshot->kernel.malformed);
	buf_puts(out, "}");
}

static void put_types(const char *key, const bool is_listed[EVENT__COUNT], struct buf *out)
{
	const char *separator = "";

	buf_printf(out, ",\"%s\":[", key);
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		if (!is_listed[type])
			continue;
		buf_printf(out, "%s\"%s\"", separator,
			   event_schema_get((enum event_type)type)->name);
		separator = ",";
	}
	buf_puts(out, "]");
}

static void put_filter(const struct metrics_snapshot *snapshot, struct buf *out)
{
	static const char *const modes[] = {
		[FILTER_OFF] = "off", [FILTER_ON] = "on", [FILTER_CHECK] = "check"
	};
	const struct kernel_filter_state *filter = &snapshot->filter;

	buf_puts(out, ",\"filter\":{");
	put_text(out, "mode", str_from(modes[filter->mode]));
	if (filter->error)
		put_text(out, "problem",
			 str_from(filter->error == -E2BIG ? "the rules name too many values"
							  : strerror(-filter->error)));
	put_number(out, "types_decided", filter->decided_cnt);
	put_number(out, "types_passing", filter->passing_cnt);
	put_number(out, "types_coarse", filter->coarse_cnt);
	put_types("passing", filter->passes, out);
	put_types("coarse", filter->is_coarse, out);
	buf_puts(out, "}");
}

static void put_alerts(const struct metrics_snapshot *snapshot, struct outputs *outputs,
		       struct buf *out)
{
	struct outputs_stats stats = { 0 };

	if (outputs)
		outputs_stats(outputs, &stats);
	buf_puts(out, ",\"alerts\":{");
	put_number(out, "raised", sum_of(snapshot->engine.alerts, PRIORITY__COUNT));
	put_number(out, "suppressed", snapshot->gate.throttled + snapshot->gate.deduplicated);
	put_number(out, "refused", sum_of(stats.refused, PRIORITY__COUNT));
	put_number(out, "unrendered", snapshot->engine.alerts_lost_memory);
	buf_puts(out, "}");
}

static void put_sink(const struct sink_stats *stats, struct buf *out)
{
	buf_puts(out, "{");
	put_text(out, "name", str_from(stats->name));
	put_text(out, "type", str_from(stats->type));
	put_text(out, "health", str_from(sink_health_name(stats->health)));
	if (*stats->health_text)
		put_text(out, "problem", str_from(stats->health_text));
	put_bool(out, "durable", stats->is_durable);
	put_number(out, "delivered", stats->delivered);
	put_number(out, "filtered", stats->filtered);
	put_number(out, "failed", stats->failed);
	put_number(out, "dead_letters", stats->dead_letters);
	put_number(out, "dropped", sum_of(stats->dropped, PRIORITY__COUNT));
	put_number(out, "retried", stats->retried);
	put_number(out, "queued", stats->queued);
	buf_puts(out, "}");
}

static void put_sinks(struct outputs *outputs, struct buf *out)
{
	struct sink_stats stats;

	buf_puts(out, ",\"sinks\":[");
	for (uint32_t i = 0; outputs && outputs_sink_stats(outputs, i, &stats); i++) {
		buf_puts(out, i ? "," : "");
		put_sink(&stats, out);
	}
	buf_puts(out, "]");
}

static void put_spool(struct outputs *outputs, struct buf *out)
{
	struct spool_stats stats = { 0 };

	if (outputs)
		outputs_spool_stats(outputs, &stats);
	if (!stats.is_used) {
		buf_puts(out, ",\"spool\":null");
		return;
	}
	buf_puts(out, ",\"spool\":{");
	put_number(out, "bytes", stats.bytes);
	put_number(out, "max_bytes", stats.max_bytes);
	put_number(out, "segments", stats.segments);
	put_number(out, "written", stats.written);
	put_number(out, "refused", sum_of(stats.refused, PRIORITY__COUNT));
	put_number(out, "evicted", sum_of(stats.evicted, PRIORITY__COUNT));
	put_bool(out, "failing", stats.is_failing);
	if (stats.is_failing)
		put_text(out, "problem", str_from(stats.failing_text));
	buf_puts(out, "}");
}

static void put_tables(const struct metrics_snapshot *snapshot, struct buf *out)
{
	buf_puts(out, ",\"tables\":{");
	put_number(out, "processes", snapshot->procs.processes);
	put_number(out, "process_images", snapshot->procs.images);
	put_number(out, "process_bytes", snapshot->procs.bytes);
	put_number(out, "process_evictions", snapshot->procs.evicted);
	put_number(out, "process_refusals", snapshot->procs.refused);
	put_number(out, "containers", snapshot->containers.containers);
	put_number(out, "cgroups", snapshot->containers.cgroups);
	put_number(out, "container_refusals", snapshot->containers.refused);
	put_number(out, "pods", snapshot->pods);
	put_number(out, "gate_keys", snapshot->gate.keys);
	put_number(out, "held_events", snapshot->hold.now);
	put_number(out, "held_bytes", snapshot->hold.bytes);
	put_number(out, "metadata_failures", snapshot->metadata.failures);
	buf_puts(out, "}");
}

static void put_self_test(const struct self_test_state *state, struct buf *out)
{
	buf_puts(out, ",\"self_test\":{");
	put_text(out, "result", str_from(self_test_result(state)));
	put_number(out, "passed", state->passed);
	put_number(out, "failed", state->failed);
	put_number(out, "last_success", state->success_wall_ns / NS_PER_SEC);
	put_number(out, "latency_ns", state->latency_ns);
	if (*state->problem)
		put_text(out, "problem", str_from(state->problem));
	buf_puts(out, "}");
}

void status_put(const struct metrics_snapshot *snapshot, struct outputs *outputs, struct buf *out)
{
	uint64_t wall_ns = clock_boot_ns() + (uint64_t)clock_wall_offset_ns();
	uint64_t start_ns = snapshot->boot_ns ? snapshot->start_wall_ns : wall_ns;

	buf_puts(out, "\"version\":");
	text_put_json_string(out, STR(HAETAE_VERSION));
	put_number(out, "pid", (uint64_t)getpid());
	put_number(out, "uptime_seconds", (wall_ns - MIN(wall_ns, start_ns)) / NS_PER_SEC);
	buf_puts(out, ",\"readiness\":{");
	readiness_put(snapshot, out);
	buf_puts(out, "},\"rules\":{");
	put_number(out, "loaded", snapshot->rules_loaded);
	put_number(out, "enabled", snapshot->rules_enabled);
	buf_puts(out, "}");
	put_self_test(&snapshot->self_test, out);
	put_events(snapshot, out);
	put_filter(snapshot, out);
	put_alerts(snapshot, outputs, out);
	put_sinks(outputs, out);
	put_spool(outputs, out);
	put_tables(snapshot, out);
}

static void put_rule(const struct rule *rule, const struct engine_rule_counters *counters,
		     struct buf *out)
{
	buf_puts(out, "{");
	put_text(out, "rule", rule->name);
	put_text(out, "priority", str_from(priority_name(rule->priority)));
	put_number(out, "matches", counters->matches);
	put_number(out, "alerts", counters->alerts);
	put_number(out, "cost_ns", counters->cost_ns);
	buf_puts(out, "}");
}

static void put_rules(const struct metrics_snapshot *snapshot, struct buf *out)
{
	size_t begin = out->n;
	uint64_t left_out = 0;
	const char *separator = "";

	buf_puts(out, "\"rule_counters\":[");
	for (uint32_t i = 0; i < snapshot->rule_cnt && snapshot->boot_ns; i++) {
		const struct rule *rule = ruleset_rule(snapshot->ruleset, i);

		if (!rule->is_enabled || rule->is_self_test)
			continue;
		if (out->n - begin + rule->name.n > RULES_BYTES_MAX) {
			left_out++;
			continue;
		}
		buf_puts(out, separator);
		put_rule(rule, &snapshot->rules[i], out);
		separator = ",";
	}
	buf_puts(out, "]");
	put_number(out, "rules_left_out", left_out);
}

static void put_container(const struct metrics_container *container, struct buf *out)
{
	buf_puts(out, "{");
	put_text(out, "id", str_from(container->id));
	put_text(out, "name", str_from(container->name));
	put_text(out, "pod", str_from(container->pod));
	put_text(out, "namespace", str_from(container->pod_namespace));
	put_number(out, "events", container->activity.events);
	put_number(out, "alerts", container->activity.alerts);
	buf_puts(out, "}");
}

void status_put_top(const struct metrics_snapshot *snapshot, struct buf *out)
{
	put_rules(snapshot, out);
	buf_puts(out, ",\"containers\":[");
	for (uint32_t i = 0; i < snapshot->active_cnt; i++) {
		buf_puts(out, i ? "," : "");
		put_container(&snapshot->active[i], out);
	}
	buf_puts(out, "]");
}
