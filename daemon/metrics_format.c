/*
 * The table of metrics, and their text:
 * https://prometheus.io/docs/instrumenting/exposition_formats/ and OpenMetrics 1.0. Owns nothing.
 * The thread that serves.
 */
#include <stdarg.h>

#include "haetae/clock.h"

#include "metrics.h"
#include "summary.h"

struct metrics_writer {
	const struct metrics_snapshot *snapshot;
	struct outputs *outputs;
	struct outputs_stats outputs_stats;
	struct spool_stats spool;
	const struct metric *metric;
	struct buf *out;
};

struct metric_row {
	struct metric metric;
	/* A number of the snapshot at this place, where put is NULL. */
	uint32_t offset;
	void (*put)(struct metrics_writer *writer);
};

/* Backslash, quote and newline are escaped. */
static void put_label_text(struct buf *out, struct str text)
{
	for (uint32_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\\' || text.p[i] == '"')
			buf_putc(out, '\\');
		if (text.p[i] == '\n')
			buf_puts(out, "\\n");
		else
			buf_putc(out, text.p[i]);
	}
}

struct metric_label {
	const char *name;
	struct str text;
};

static void put_labels(struct buf *out, const struct metric_label *labels, unsigned cnt)
{
	for (unsigned i = 0; i < cnt; i++) {
		buf_printf(out, "%s%s=\"", i ? "," : "{", labels[i].name);
		put_label_text(out, labels[i].text);
		buf_putc(out, '"');
	}
	buf_puts(out, cnt ? "} " : " ");
}

static void put_sample(struct metrics_writer *writer, const struct metric_label *labels,
		       unsigned cnt, uint64_t value)
{
	buf_puts(writer->out, writer->metric->name);
	put_labels(writer->out, labels, cnt);
	buf_put_u64(writer->out, value);
	buf_putc(writer->out, '\n');
}

static void put_seconds(struct metrics_writer *writer, const struct metric_label *labels,
			unsigned cnt, uint64_t value_ns)
{
	buf_puts(writer->out, writer->metric->name);
	put_labels(writer->out, labels, cnt);
	buf_printf(writer->out, "%llu.%09llu\n", (unsigned long long)(value_ns / NS_PER_SEC),
		   (unsigned long long)(value_ns % NS_PER_SEC));
}

/* ---- events --------------------------------------------------------------------------------- */

static uint64_t sum_of(const __u64 *values, unsigned cnt)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < cnt; i++)
		sum += values[i];
	return sum;
}

static void put_outcome(struct metrics_writer *writer, const struct event_schema *schema,
			const char *outcome, uint64_t value)
{
	const struct metric_label labels[] = {
		{ "type", str_from(schema->name) },
		{ "class", str_from(event_class_name(schema->class)) },
		{ "outcome", str_from(outcome) },
	};

	put_sample(writer, labels, ARRAY_LEN(labels), value);
}

/* Types that never occurred are left out: there are hundreds. */
static void put_events(struct metrics_writer *writer)
{
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		const struct wire_counters *one = &writer->snapshot->kernel.types[type];
		const struct event_schema *schema = event_schema_get((enum event_type)type);

		if (!one->generated)
			continue;
		put_outcome(writer, schema, "delivered", one->submitted);
		put_outcome(writer, schema, "filtered", sum_of(one->filtered, WIRE_FILTER__COUNT));
		put_outcome(writer, schema, "lost", sum_of(one->lost, WIRE_LOST__COUNT));
	}
}

static void put_lost(struct metrics_writer *writer)
{
	struct wire_counters classes[CLASS__COUNT] = { 0 };

	for (unsigned type = 0; type < EVENT__COUNT; type++)
		wire_counters_add(&classes[event_schema_get((enum event_type)type)->class],
				  &writer->snapshot->kernel.types[type]);
	for (unsigned i = 0; i < CLASS__COUNT; i++) {
		for (unsigned reason = 0; reason < WIRE_LOST__COUNT; reason++) {
			const char *name = summary_loss_name((enum wire_loss_reason)reason);
			const struct metric_label labels[] = {
				{ "class", str_from(event_class_name(i)) },
				{ "reason", str_from(name) },
			};

			put_sample(writer, labels, ARRAY_LEN(labels), classes[i].lost[reason]);
		}
	}
}

static void put_lost_cgroups(struct metrics_writer *writer)
{
	const struct metrics_snapshot *snapshot = writer->snapshot;
	const struct metric_label other[] = { { "cgroup_id", STR("other") } };

	for (uint32_t i = 0; i < snapshot->cgroup_cnt; i++) {
		_cleanup_(buf_done) struct buf id;

		buf_init(&id, 64);
		/* Ids of different hierarchies may be equal. */
		buf_printf(&id, "%llu:%u", (unsigned long long)snapshot->cgroups[i].cgroup_id,
			   (unsigned)snapshot->cgroups[i].hierarchy);
		put_sample(writer, (struct metric_label[]){ { "cgroup_id", buf_str(&id) } }, 1,
			   snapshot->cgroups[i].lost);
	}
	put_sample(writer, other, 1, snapshot->cgroups_other);
}

static void put_undecodable(struct metrics_writer *writer)
{
	put_sample(writer, NULL, 0,
		   writer->snapshot->engine.undecodable + writer->snapshot->kernel.malformed);
}

/* ---- rules and alerts ----------------------------------------------------------------------- */

static void put_rule_counters(struct metrics_writer *writer, size_t offset)
{
	const struct metrics_snapshot *snapshot = writer->snapshot;

	for (uint32_t i = 0; i < snapshot->rule_cnt; i++) {
		const struct rule *rule = ruleset_rule(snapshot->ruleset, i);
		const struct metric_label labels[] = {
			{ "rule", rule->name },
			{ "priority", str_from(priority_name(rule->priority)) },
		};

		/* From 0 on, so that the first match is an increase. */
		if (rule->is_enabled && !rule->is_self_test)
			put_sample(writer, labels, ARRAY_LEN(labels),
				   *(const uint64_t *)((const char *)&snapshot->rules[i] + offset));
	}
}

static void put_matches(struct metrics_writer *writer)
{
	put_rule_counters(writer, offsetof(struct engine_rule_counters, matches));
}

static void put_alerts(struct metrics_writer *writer)
{
	put_rule_counters(writer, offsetof(struct engine_rule_counters, alerts));
}

static void put_priorities(struct metrics_writer *writer, const uint64_t values[PRIORITY__COUNT],
			   const char *sink)
{
	for (unsigned i = 0; i < PRIORITY__COUNT; i++) {
		const struct metric_label labels[] = {
			{ "priority", str_from(priority_name((enum priority)i)) },
			{ "sink", str_from(sink ?: "") },
		};

		put_sample(writer, labels, sink ? 2 : 1, values[i]);
	}
}

static void put_reloads(struct metrics_writer *writer)
{
	put_sample(writer, (struct metric_label[]){ { "outcome", STR("succeeded") } }, 1,
		   writer->snapshot->reload.succeeded);
	put_sample(writer, (struct metric_label[]){ { "outcome", STR("failed") } }, 1,
		   writer->snapshot->reload.failed);
}

static void put_reload_failed(struct metrics_writer *writer)
{
	put_sample(writer, NULL, 0, writer->snapshot->reload.is_failed);
}

static void put_filter(struct metrics_writer *writer)
{
	const struct kernel_filter_state *filter = &writer->snapshot->filter;

	put_sample(writer, (struct metric_label[]){ { "state", STR("decided") } }, 1,
		   filter->decided_cnt);
	put_sample(writer, (struct metric_label[]){ { "state", STR("passing") } }, 1,
		   filter->passing_cnt);
	put_sample(writer, (struct metric_label[]){ { "state", STR("coarse") } }, 1,
		   filter->coarse_cnt);
}

static void put_self_tests(struct metrics_writer *writer)
{
	put_sample(writer, (struct metric_label[]){ { "result", STR("passed") } }, 1,
		   writer->snapshot->self_test.passed);
	put_sample(writer, (struct metric_label[]){ { "result", STR("failed") } }, 1,
		   writer->snapshot->self_test.failed);
}

static void put_self_test_failing(struct metrics_writer *writer)
{
	put_sample(writer, NULL, 0, writer->snapshot->self_test.failures > 0);
}

static void put_self_test_time(struct metrics_writer *writer)
{
	put_seconds(writer, NULL, 0, writer->snapshot->self_test.success_wall_ns);
}

static void put_self_test_latency(struct metrics_writer *writer)
{
	put_seconds(writer, NULL, 0, writer->snapshot->self_test.latency_ns);
}

static void put_reload_time(struct metrics_writer *writer)
{
	put_seconds(writer, NULL, 0, writer->snapshot->reload.success_wall_ns);
}

static void put_suppressed(struct metrics_writer *writer)
{
	put_sample(writer, (struct metric_label[]){ { "reason", STR("throttle") } }, 1,
		   writer->snapshot->gate.throttled);
	put_sample(writer, (struct metric_label[]){ { "reason", STR("dedupe") } }, 1,
		   writer->snapshot->gate.deduplicated);
}

static void put_refused(struct metrics_writer *writer)
{
	put_priorities(writer, writer->outputs_stats.refused, NULL);
}

/* ---- sinks and spool ------------------------------------------------------------------------ */

static void put_sinks(struct metrics_writer *writer, size_t offset)
{
	struct sink_stats stats;

	for (uint32_t i = 0; writer->outputs && outputs_sink_stats(writer->outputs, i, &stats);
	     i++) {
		const struct metric_label labels[] = {
			{ "sink", str_from(stats.name) },
			{ "type", str_from(stats.type) },
		};

		put_sample(writer, labels, ARRAY_LEN(labels),
			   *(const uint64_t *)((const char *)&stats + offset));
	}
}

#define SINK_METRIC(member)                                             \
	static void put_sink_##member(struct metrics_writer *writer)    \
	{                                                               \
		put_sinks(writer, offsetof(struct sink_stats, member)); \
	}
SINK_METRIC(restored)
SINK_METRIC(delivered)
SINK_METRIC(failed)
SINK_METRIC(dead_letters)
SINK_METRIC(dead_letters_lost)
SINK_METRIC(filtered)
SINK_METRIC(queued)
SINK_METRIC(retried)

static void put_sink_oldest(struct metrics_writer *writer)
{
	struct sink_stats stats;

	for (uint32_t i = 0; writer->outputs && outputs_sink_stats(writer->outputs, i, &stats);
	     i++) {
		const struct metric_label labels[] = {
			{ "sink", str_from(stats.name) },
			{ "type", str_from(stats.type) },
		};

		put_seconds(writer, labels, ARRAY_LEN(labels), stats.oldest_ns);
	}
}

static void put_sink_dropped(struct metrics_writer *writer)
{
	struct sink_stats stats;

	for (uint32_t i = 0; writer->outputs && outputs_sink_stats(writer->outputs, i, &stats); i++)
		put_priorities(writer, stats.dropped, stats.name);
}

static void put_sink_health(struct metrics_writer *writer)
{
	struct sink_stats stats;

	for (uint32_t i = 0; writer->outputs && outputs_sink_stats(writer->outputs, i, &stats);
	     i++) {
		for (unsigned state = 0; state < SINK_HEALTH__COUNT; state++) {
			const char *name = sink_health_name((enum sink_health)state);
			const struct metric_label labels[] = {
				{ "sink", str_from(stats.name) },
				{ "state", str_from(name) },
			};

			put_sample(writer, labels, ARRAY_LEN(labels), stats.health == state);
		}
	}
}

static void put_spool_bytes(struct metrics_writer *writer)
{
	put_sample(writer, NULL, 0, writer->spool.bytes);
}

static void put_spool_max(struct metrics_writer *writer)
{
	put_sample(writer, NULL, 0, writer->spool.max_bytes);
}

static void put_spool_segments(struct metrics_writer *writer)
{
	put_sample(writer, NULL, 0, writer->spool.segments);
}

static void put_spool_failing(struct metrics_writer *writer)
{
	put_sample(writer, NULL, 0, writer->spool.is_failing);
}

static void put_spool_written(struct metrics_writer *writer)
{
	put_sample(writer, NULL, 0, writer->spool.written);
}

static void put_spool_damaged(struct metrics_writer *writer)
{
	put_sample(writer, NULL, 0, writer->spool.torn + writer->spool.damaged);
}

static void put_spool_unspooled(struct metrics_writer *writer)
{
	put_priorities(writer, writer->spool.unspooled, NULL);
}

static void put_spool_refused(struct metrics_writer *writer)
{
	put_priorities(writer, writer->spool.refused, NULL);
}

static void put_spool_evicted(struct metrics_writer *writer)
{
	put_priorities(writer, writer->spool.evicted, NULL);
}

/* ---- the daemon ----------------------------------------------------------------------------- */

static void put_build(struct metrics_writer *writer)
{
	const struct metric_label labels[] = { { "version", STR(HAETAE_VERSION) } };

	put_sample(writer, labels, 1, 1);
}

static void put_start(struct metrics_writer *writer)
{
	put_seconds(writer, NULL, 0, writer->snapshot->start_wall_ns);
}

static void put_cpu(struct metrics_writer *writer)
{
	put_seconds(writer, NULL, 0, writer->snapshot->cpu_ns);
}

static void put_behind(struct metrics_writer *writer)
{
	put_seconds(writer, NULL, 0,
		    writer->snapshot->boot_ns -
			    MIN(writer->snapshot->boot_ns, writer->snapshot->caught_up_ns));
}

static void put_held(struct metrics_writer *writer)
{
	const struct hold_stats *hold = &writer->snapshot->hold;
	const struct {
		const char *outcome;
		uint64_t value;
	} rows[] = {
		{ "released", hold->released },
		{ "timeout", hold->timed_out },
		{ "stopped", hold->stopped },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		const struct metric_label labels[] = { { "outcome", str_from(rows[i].outcome) } };

		put_sample(writer, labels, 1, rows[i].value);
	}
}

static void put_hold_overflow(struct metrics_writer *writer)
{
	for (unsigned i = 0; i < HOLD_OVERFLOW__COUNT; i++) {
		const char *name = hold_overflow_name((enum hold_overflow)i);
		const struct metric_label labels[] = { { "reason", str_from(name) } };

		put_sample(writer, labels, 1, writer->snapshot->hold.overflowed[i]);
	}
}

static void put_run_seconds(struct metrics_writer *writer)
{
	put_seconds(writer, NULL, 0, writer->snapshot->program_run_ns);
}

static void put_metadata_lag(struct metrics_writer *writer)
{
	put_seconds(writer, NULL, 0, writer->snapshot->metadata.lag_max_ns);
}

/* ---- the table ------------------------------------------------------------------------------ */

#define AT(member) .offset = offsetof(struct metrics_snapshot, member)
#define COUNTER	   METRIC_COUNTER
#define GAUGE	   METRIC_GAUGE

/* clang-format off */
static const struct metric_row rows[] = {
	{ { "haetae_build_info", GAUGE, NULL, "version", "The version that runs; always 1" }, .put = put_build },
	{ { "haetae_start_time_seconds", GAUGE, "seconds", NULL, "When the daemon started, as Unix time" }, .put = put_start },
	{ { "haetae_cpu_seconds_total", COUNTER, "seconds", NULL, "Processor time of the daemon, without that of its BPF programs" }, .put = put_cpu },
	{ { "haetae_resident_bytes", GAUGE, "bytes", NULL, "Resident memory of the daemon, with what it has mapped of its rings" }, AT(resident_bytes) },
	{ { "haetae_ring_behind_seconds", GAUGE, "seconds", NULL, "Since when the ring buffers have not been found empty" }, .put = put_behind },

	{ { "haetae_bpf_runs_total", COUNTER, NULL, NULL, "Runs of the BPF programs, where the kernel counts them (sysctl kernel.bpf_stats_enabled)" }, AT(program_runs) },
	{ { "haetae_bpf_run_seconds_total", COUNTER, "seconds", NULL, "Time that they took, likewise" }, .put = put_run_seconds },

	{ { "haetae_events_total", COUNTER, NULL, "type, class, outcome", "Events by what became of them: delivered, filtered in the kernel, or lost; the three add up to what there was" }, .put = put_events },
	{ { "haetae_events_lost_total", COUNTER, NULL, "class, reason", "Lost events by reason" }, .put = put_lost },
	{ { "haetae_cgroup_events_lost_total", COUNTER, NULL, "cgroup_id", "Lost events of the control groups that lost most, and of all others" }, .put = put_lost_cgroups },
	{ { "haetae_events_undecodable_total", COUNTER, NULL, NULL, "Records that were not understood" }, .put = put_undecodable },
	{ { "haetae_events_own_total", COUNTER, NULL, NULL, "Events that haetae made itself, such as loss" }, AT(engine.own) },
	{ { "haetae_events_evaluated_total", COUNTER, NULL, NULL, "Events that were given to the rules" }, AT(engine.evaluated) },

	{ { "haetae_rules", GAUGE, NULL, NULL, "Rules that are loaded" }, AT(rules_loaded) },
	{ { "haetae_rules_enabled", GAUGE, NULL, NULL, "Rules that are evaluated" }, AT(rules_enabled) },
	{ { "haetae_reloads_total", COUNTER, NULL, "outcome", "Rules loaded anew, and attempts that failed and left those before in force" }, .put = put_reloads },
	{ { "haetae_reload_failed", GAUGE, NULL, NULL, "1 where the last attempt to load the rules anew failed" }, .put = put_reload_failed },
	{ { "haetae_selftest_total", COUNTER, NULL, "result", "Tests of itself, those that passed and those that failed" }, .put = put_self_tests },
	{ { "haetae_selftest_failing", GAUGE, NULL, NULL, "1 where the last test of itself failed" }, .put = put_self_test_failing },
	{ { "haetae_selftest_last_success_timestamp_seconds", GAUGE, "seconds", NULL, "When a test of itself last passed, as Unix time; 0 where none has" }, .put = put_self_test_time },
	{ { "haetae_selftest_latency_seconds", GAUGE, "seconds", NULL, "From the call of the last test to the match of its rule" }, .put = put_self_test_latency },
	{ { "haetae_rules_timestamp_seconds", GAUGE, "seconds", NULL, "When the rules in force were loaded, as Unix time" }, .put = put_reload_time },
	{ { "haetae_kernel_filter_event_types", GAUGE, NULL, "state", "Event types of which the kernel decides what the rules want (decided), of which all pass because a rule asks for nothing that it knows (passing), and whose clauses were joined to wider ones because they were too many (coarse)" }, .put = put_filter },
	{ { "haetae_rule_evaluations_total", COUNTER, NULL, NULL, "Rules evaluated, summed over events" }, AT(matcher.rules_evaluated) },
	{ { "haetae_predicate_evaluations_total", COUNTER, NULL, NULL, "Comparisons made" }, AT(matcher.predicates_evaluated) },
	{ { "haetae_field_reads_total", COUNTER, NULL, NULL, "Fields read" }, AT(matcher.fields_read) },
	{ { "haetae_regex_limits_total", COUNTER, NULL, NULL, "Regular expressions that reached a limit and were decided by the second matcher" }, AT(matcher.regex_limit) },
	{ { "haetae_regex_undecided_total", COUNTER, NULL, NULL, "Regular expressions that neither matcher could decide" }, AT(matcher.regex_undecided) },
	{ { "haetae_scratch_exhausted_total", COUNTER, NULL, NULL, "Events whose values did not fit into the scratch memory" }, AT(matcher.scratch_exhausted) },
	{ { "haetae_rule_matches_total", COUNTER, NULL, "rule, priority", "Events that a rule matched" }, .put = put_matches },
	{ { "haetae_alerts_total", COUNTER, NULL, "rule, priority", "Alerts raised, closing summaries among them" }, .put = put_alerts },
	{ { "haetae_alerts_suppressed_total", COUNTER, NULL, "reason", "Matches that throttle or dedupe suppressed; closing alerts tell of them" }, .put = put_suppressed },
	{ { "haetae_alerts_closing_total", COUNTER, NULL, NULL, "Closing alerts raised" }, AT(gate.summaries) },
	{ { "haetae_gate_keys", GAUGE, NULL, NULL, "Keys that throttle and dedupe remember" }, AT(gate.keys) },
	{ { "haetae_gate_overflows_total", COUNTER, NULL, NULL, "Matches that passed because there were too many keys" }, AT(gate.no_room) },
	{ { "haetae_alerts_refused_total", COUNTER, NULL, "priority", "Alerts that found the queue to the sinks full" }, .put = put_refused },
	{ { "haetae_alerts_unrendered_total", COUNTER, NULL, NULL, "Alerts that found no memory" }, AT(engine.alerts_lost_memory) },

	{ { "haetae_sink_restored_total", COUNTER, NULL, "sink, type", "Alerts found in the spool at the start, and dead letters given back" }, .put = put_sink_restored },
	{ { "haetae_sink_delivered_total", COUNTER, NULL, "sink, type", "Alerts that the receiver has acknowledged" }, .put = put_sink_delivered },
	{ { "haetae_sink_filtered_total", COUNTER, NULL, "sink, type", "Alerts that were not for this sink" }, .put = put_sink_filtered },
	{ { "haetae_sink_failed_total", COUNTER, NULL, "sink, type", "Alerts that failed for good" }, .put = put_sink_failed },
	{ { "haetae_sink_dead_letters_total", COUNTER, NULL, "sink, type", "Failed alerts that are kept as dead letters" }, .put = put_sink_dead_letters },
	{ { "haetae_sink_dead_letters_lost_total", COUNTER, NULL, "sink, type", "Failed alerts that are not, or no longer, kept" }, .put = put_sink_dead_letters_lost },
	{ { "haetae_sink_dropped_total", COUNTER, NULL, "priority, sink", "Alerts that found the memory or the spool full" }, .put = put_sink_dropped },
	{ { "haetae_sink_retries_total", COUNTER, NULL, "sink, type", "Attempts beyond the first" }, .put = put_sink_retried },
	{ { "haetae_sink_queued", GAUGE, NULL, "sink, type", "Alerts that wait" }, .put = put_sink_queued },
	{ { "haetae_sink_oldest_timestamp_seconds", GAUGE, "seconds", "sink, type", "When the oldest alert that waits was raised, as Unix time; 0 where none waits" }, .put = put_sink_oldest },
	{ { "haetae_sink_health", GAUGE, NULL, "sink, state", "1 for the state in which the sink is: ok, retrying or misconfigured" }, .put = put_sink_health },

	{ { "haetae_spool_bytes", GAUGE, "bytes", NULL, "Size of the spool on disk" }, .put = put_spool_bytes },
	{ { "haetae_spool_max_bytes", GAUGE, "bytes", NULL, "Size that it may have" }, .put = put_spool_max },
	{ { "haetae_spool_segments", GAUGE, NULL, NULL, "Files of the spool" }, .put = put_spool_segments },
	{ { "haetae_spool_failing", GAUGE, NULL, NULL, "1 where the last write failed" }, .put = put_spool_failing },
	{ { "haetae_spool_written_total", COUNTER, NULL, NULL, "Alerts written" }, .put = put_spool_written },
	{ { "haetae_spool_unspooled_total", COUNTER, NULL, "priority", "Alerts that could not be written and were kept in memory" }, .put = put_spool_unspooled },
	{ { "haetae_spool_refused_total", COUNTER, NULL, "priority", "Alerts below warning that an almost full spool did not take" }, .put = put_spool_refused },
	{ { "haetae_spool_evicted_total", COUNTER, NULL, "priority", "Undelivered alerts that went with the oldest segment" }, .put = put_spool_evicted },
	{ { "haetae_spool_damaged_total", COUNTER, NULL, NULL, "Torn tails cut off and damaged places skipped" }, .put = put_spool_damaged },

	{ { "haetae_processes", GAUGE, NULL, NULL, "Processes that are known" }, AT(procs.processes) },
	{ { "haetae_process_images", GAUGE, NULL, NULL, "Program images that are known" }, AT(procs.images) },
	{ { "haetae_process_table_bytes", GAUGE, "bytes", NULL, "Memory of both" }, AT(procs.bytes) },
	{ { "haetae_process_evictions_total", COUNTER, NULL, NULL, "Exited processes that were forgotten early, for space" }, AT(procs.evicted) },
	{ { "haetae_process_refusals_total", COUNTER, NULL, NULL, "Processes that found no room" }, AT(procs.refused) },
	{ { "haetae_process_execs_missed_total", COUNTER, NULL, NULL, "Program images whose exec record was not there" }, AT(procs.exec_missed) },
	{ { "haetae_process_exits_missed_total", COUNTER, NULL, NULL, "Exits noticed without a record" }, AT(procs.exit_missed) },

	{ { "haetae_containers", GAUGE, NULL, NULL, "Containers that are known" }, AT(containers.containers) },
	{ { "haetae_cgroups", GAUGE, NULL, NULL, "Control groups that are known" }, AT(containers.cgroups) },
	{ { "haetae_container_refusals_total", COUNTER, NULL, NULL, "Control groups and containers that found no room" }, AT(containers.refused) },
	{ { "haetae_container_unknown_total", COUNTER, NULL, NULL, "Events whose control group could not be told" }, AT(containers.unknown) },
	{ { "haetae_container_left_total", COUNTER, NULL, NULL, "Processes that left the control group of their container" }, AT(containers.left) },
	{ { "haetae_pods", GAUGE, NULL, NULL, "Pods that are known" }, AT(pods) },

	{ { "haetae_metadata_questions_total", COUNTER, NULL, NULL, "Containers asked for" }, AT(metadata.questions) },
	{ { "haetae_metadata_questions_refused_total", COUNTER, NULL, NULL, "Questions that found the queue full, and are asked again" }, AT(metadata.questions_refused) },
	{ { "haetae_metadata_answers_total", COUNTER, NULL, NULL, "Answers of all sources" }, AT(metadata.answers) },
	{ { "haetae_metadata_requests_total", COUNTER, NULL, NULL, "Requests to runtimes and Kubernetes" }, AT(metadata.requests) },
	{ { "haetae_metadata_failures_total", COUNTER, NULL, NULL, "Requests that failed" }, AT(metadata.failures) },
	{ { "haetae_metadata_answers_refused_total", COUNTER, NULL, NULL, "Answers that were too long or not understood" }, AT(metadata.refused_answers) },
	{ { "haetae_metadata_relists_total", COUNTER, NULL, NULL, "Whole lists of pods asked for" }, AT(metadata.relists) },
	{ { "haetae_metadata_watch_restarts_total", COUNTER, NULL, NULL, "Watches begun anew" }, AT(metadata.watch_restarts) },
	{ { "haetae_metadata_lag_max_seconds", GAUGE, "seconds", NULL, "The longest way from a question to its answer so far" }, .put = put_metadata_lag },

	{ { "haetae_held_events", GAUGE, NULL, NULL, "Events that wait for metadata now" }, AT(hold.now) },
	{ { "haetae_held_bytes", GAUGE, "bytes", NULL, "What they take" }, AT(hold.bytes) },
	{ { "haetae_held_events_decided_total", COUNTER, NULL, "outcome", "Events that waited for metadata: released by an answer, decided at the deadline, or as haetae stopped; with those that wait now they are all that were held" }, .put = put_held },
	{ { "haetae_hold_overflow_total", COUNTER, NULL, "reason", "Events that found no room to wait, and were decided at once" }, .put = put_hold_overflow },
};
/* clang-format on */

const struct metric *metric_at(unsigned index)
{
	return index < ARRAY_LEN(rows) ? &rows[index].metric : NULL;
}

/* OpenMetrics names the family of a counter without _total. */
static struct str family_of(const struct metric *metric, bool is_openmetrics)
{
	struct str name = str_from(metric->name);

	if (is_openmetrics && str_ends_with(name, STR("_total")))
		name.n -= STR("_total").n;
	return name;
}

static void put_head(const struct metric *metric, bool is_openmetrics, struct buf *out)
{
	struct str family = family_of(metric, is_openmetrics);

	buf_printf(out, "# HELP %.*s %s.\n# TYPE %.*s %s\n", STR_ARG(family), metric->help,
		   STR_ARG(family), metric->type == METRIC_COUNTER ? "counter" : "gauge");
	if (is_openmetrics && metric->unit)
		buf_printf(out, "# UNIT %.*s %s\n", STR_ARG(family), metric->unit);
}

void metrics_format(const struct metrics_snapshot *snapshot, struct outputs *outputs,
		    bool is_openmetrics, struct buf *out)
{
	struct metrics_writer writer = { .snapshot = snapshot, .outputs = outputs, .out = out };

	if (outputs) {
		outputs_stats(outputs, &writer.outputs_stats);
		outputs_spool_stats(outputs, &writer.spool);
	}
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		writer.metric = &rows[i].metric;
		put_head(writer.metric, is_openmetrics, out);
		if (rows[i].put)
			rows[i].put(&writer);
		else
			put_sample(&writer, NULL, 0,
				   *(const uint64_t *)((const char *)snapshot + rows[i].offset));
	}
	if (is_openmetrics)
		buf_puts(out, "# EOF\n");
}
