/*
 * Renders and checks the final accounts. Pure: reads counters, owns nothing.
 */
#include "summary.h"

#include "haetae/clock.h"
#include "loss.h"

static const char *const filter_names[] = {
	[WIRE_FILTER_RESTARTED] = "restarted calls",
	[WIRE_FILTER_RULES] = "no rule can match",
};
static const char *const loss_names[] = {
	[WIRE_LOST_RING_FULL] = "ring full",
	[WIRE_LOST_RECORD_SIZE] = "record too large",
	[WIRE_LOST_SCRATCH] = "no scratch memory",
	[WIRE_LOST_TAIL_CALL] = "tail call failed",
	[WIRE_LOST_SHARE] = "beyond its cgroup's share",
	[WIRE_LOST_RECURSION] = "program skipped by the kernel",
};
_Static_assert(ARRAY_LEN(filter_names) == WIRE_FILTER__COUNT, "a name for each reason");
_Static_assert(ARRAY_LEN(loss_names) == WIRE_LOST__COUNT, "a name for each reason");

const char *summary_loss_name(enum wire_loss_reason reason)
{
	return loss_names[reason];
}

static uint64_t sum_of(const __u64 *values, unsigned cnt)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < cnt; i++)
		sum += values[i];
	return sum;
}

static struct wire_counters total(const struct summary *summary)
{
	struct wire_counters sum = { 0 };

	for (unsigned type = 0; type < EVENT__COUNT; type++)
		wire_counters_add(&sum, &summary->kernel->types[type]);
	return sum;
}

static uint64_t sum_of_priorities(const uint64_t counts[PRIORITY__COUNT])
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < PRIORITY__COUNT; i++)
		sum += counts[i];
	return sum;
}

/* After the stop only the spool still holds something. */
static bool outputs_add_up(const struct outputs_stats *outputs)
{
	return outputs->queued == outputs->spooled &&
	       outputs->accepted * outputs->sink_cnt + outputs->restored ==
		       outputs->delivered + outputs->failed + outputs->filtered +
			       sum_of_priorities(outputs->dropped) + outputs->queued;
}

/* All that was held was decided, and nothing is left. */
static bool hold_adds_up(const struct hold *hold)
{
	struct hold_stats stats = { 0 };

	if (hold)
		hold_stats(hold, &stats);
	return stats.now == 0 && stats.bytes == 0 &&
	       stats.held == stats.released + stats.timed_out + stats.stopped;
}

/* Every suppressed hit is in a closing alert. */
static bool gate_adds_up(const struct gate *gate)
{
	struct gate_stats stats;

	gate_stats(gate, &stats);
	return stats.hits == stats.passed + stats.throttled + stats.deduplicated &&
	       stats.summarised == stats.throttled + stats.deduplicated;
}

static bool is_recorded(const struct summary *summary)
{
	return summary->record && summary->record->path;
}

/* Unless it had to end before, all records stand in it. */
static bool recording_adds_up(const struct summary *summary)
{
	const struct engine_counters *engine = &summary->engine->counters;

	return !is_recorded(summary) || summary->capture.reason != CAPTURE_ENDED ||
	       summary->capture.records == engine->seeds + engine->undecodable_seeds +
						   engine_delivered(summary->engine) +
						   engine->undecodable + engine->own_records;
}

bool summary_adds_up(const struct summary *summary)
{
	const struct engine_counters *engine = &summary->engine->counters;
	const struct outputs_stats *outputs = &summary->outputs;
	struct wire_counters sum = total(summary);

	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		const struct wire_counters *one = &summary->kernel->types[type];

		if (one->generated != one->submitted + sum_of(one->filtered, WIRE_FILTER__COUNT) +
					      sum_of(one->lost, WIRE_LOST__COUNT))
			return false;
	}
	if (sum.submitted !=
	    engine_delivered(summary->engine) + engine->undecodable + summary->kernel->malformed)
		return false;
	if (!recording_adds_up(summary) || !outputs_add_up(outputs) ||
	    !hold_adds_up(summary->engine->hold) || !gate_adds_up(summary->engine->gate))
		return false;
	return engine_alerts(summary->engine) ==
	       outputs->accepted + sum_of_priorities(outputs->refused) + engine->alerts_lost_memory;
}

/* Only what is not zero: "ring full 3, record too large 1". */
static void put_reasons(struct buf *out, const char *const *names, const __u64 *values,
			unsigned cnt)
{
	const char *separator = " (";

	for (unsigned i = 0; i < cnt; i++) {
		if (!values[i])
			continue;
		buf_printf(out, "%s%s %llu", separator, names[i], values[i]);
		separator = ", ";
	}
	if (separator[0] == ',')
		buf_putc(out, ')');
}

static void put_classes(const struct summary *summary, struct buf *out)
{
	struct wire_counters classes[CLASS__COUNT] = { 0 };

	for (unsigned type = 0; type < EVENT__COUNT; type++)
		wire_counters_add(&classes[event_schema_get(type)->class],
				  &summary->kernel->types[type]);
	for (unsigned i = 0; i < CLASS__COUNT; i++) {
		if (!classes[i].generated)
			continue;
		buf_printf(out,
			   "    %-10s generated %llu, delivered %llu, filtered %llu, lost %llu\n",
			   event_class_name(i), classes[i].generated, classes[i].submitted,
			   (unsigned long long)sum_of(classes[i].filtered, WIRE_FILTER__COUNT),
			   (unsigned long long)sum_of(classes[i].lost, WIRE_LOST__COUNT));
	}
}

static void put_alerts(const struct summary *summary, struct buf *out)
{
	const struct engine_counters *engine = &summary->engine->counters;
	const struct outputs_stats *outputs = &summary->outputs;

	buf_printf(out,
		   "  alerts    raised %llu: delivered %llu, failed %llu, refused %llu, "
		   "out of memory %llu\n",
		   (unsigned long long)engine_alerts(summary->engine),
		   (unsigned long long)outputs->delivered, (unsigned long long)outputs->failed,
		   (unsigned long long)sum_of_priorities(outputs->refused),
		   (unsigned long long)engine->alerts_lost_memory);
	if (outputs->sink_cnt > 1 || outputs->restored || outputs->spooled ||
	    sum_of_priorities(outputs->dropped))
		buf_printf(out,
			   "  sinks     %u: filtered %llu, dropped %llu, from the spool %llu, "
			   "left in it %llu\n",
			   outputs->sink_cnt, (unsigned long long)outputs->filtered,
			   (unsigned long long)sum_of_priorities(outputs->dropped),
			   (unsigned long long)outputs->restored,
			   (unsigned long long)outputs->spooled);
}

/* Of hits that throttle and dedupe looked at. */
static void put_gate(const struct summary *summary, struct buf *out)
{
	struct gate_stats gate;

	gate_stats(summary->engine->gate, &gate);
	if (gate.hits == 0)
		return;
	buf_printf(out,
		   "  hits      %llu = passed %llu + throttled %llu + deduplicated %llu; "
		   "closing alerts %llu\n",
		   (unsigned long long)gate.hits, (unsigned long long)gate.passed,
		   (unsigned long long)gate.throttled, (unsigned long long)gate.deduplicated,
		   (unsigned long long)gate.summaries);
}

/* Records are the seeds, the delivered and undecodable ones, and events of loss. */
static void put_recording(const struct summary *summary, struct buf *out)
{
	static const char *const reasons[] = {
		[CAPTURE_ENDED] = "",
		[CAPTURE_MAX_SIZE] = "; ended at its largest size",
		[CAPTURE_MAX_TIME] = "; ended at its longest time",
		[CAPTURE_FAILED] = "; ended by an error",
	};
	const struct capture_stats *capture = &summary->capture;

	if (!is_recorded(summary))
		return;
	buf_printf(out, "  recorded  %llu records of %llu frames, %llu KiB%s",
		   (unsigned long long)capture->records, (unsigned long long)capture->frames,
		   (unsigned long long)(capture->bytes + 1023) / 1024, reasons[capture->reason]);
	if (capture->lost)
		buf_printf(out, "; frames left out %llu", (unsigned long long)capture->lost);
	buf_putc(out, '\n');
}

static void put_processes(const struct summary *summary, struct buf *out)
{
	struct proc_table_stats stats;

	proc_table_stats(summary->engine->procs, &stats);
	buf_printf(out,
		   "  processes %llu known, %llu images, %llu KiB; evicted %llu, refused %llu\n",
		   (unsigned long long)stats.processes, (unsigned long long)stats.images,
		   (unsigned long long)stats.bytes / 1024, (unsigned long long)stats.evicted,
		   (unsigned long long)stats.refused);
	buf_printf(out,
		   "  without their record: %llu processes, %llu execs, %llu exits, %llu images "
		   "refused; /proc read %llu, failed %llu, skipped %llu, taken back %llu\n",
		   (unsigned long long)stats.partial, (unsigned long long)stats.exec_missed,
		   (unsigned long long)stats.exit_missed, (unsigned long long)stats.image_refused,
		   (unsigned long long)stats.procfs_read, (unsigned long long)stats.procfs_failed,
		   (unsigned long long)stats.procfs_skipped,
		   (unsigned long long)stats.procfs_withdrawn);
}

static void put_containers(const struct summary *summary, struct buf *out)
{
	struct container_table_stats stats;

	container_table_stats(summary->engine->containers, &stats);
	buf_printf(out,
		   "  containers %llu known, %llu cgroups; refused %llu, learned %llu, events of "
		   "unknown cgroups %llu\n",
		   (unsigned long long)stats.containers, (unsigned long long)stats.cgroups,
		   (unsigned long long)stats.refused, (unsigned long long)stats.learned,
		   (unsigned long long)stats.unknown);
	buf_printf(out,
		   "  cgroups made inside of containers %llu, confirmed by the runtime %llu; "
		   "processes that left their container's cgroup %llu\n",
		   (unsigned long long)stats.inherited, (unsigned long long)stats.confirmed,
		   (unsigned long long)stats.left);
}

static void put_metadata(const struct summary *summary, struct buf *out)
{
	const struct metadata_stats *stats = &summary->metadata;

	if (!stats->questions && !stats->requests)
		return;
	buf_printf(out,
		   "  metadata  questions %llu, refused %llu; answers %llu, waited %llu; requests "
		   "%llu, failed %llu, refused %llu; slowest answer %llu ms\n",
		   (unsigned long long)stats->questions,
		   (unsigned long long)stats->questions_refused, (unsigned long long)stats->answers,
		   (unsigned long long)stats->answers_waited, (unsigned long long)stats->requests,
		   (unsigned long long)stats->failures, (unsigned long long)stats->refused_answers,
		   (unsigned long long)(stats->lag_max_ns / NS_PER_MS));
}

static void put_overflows(const struct hold_stats *stats, struct buf *out)
{
	const char *separator = " (";

	for (unsigned i = 0; i < HOLD_OVERFLOW__COUNT; i++) {
		if (!stats->overflowed[i])
			continue;
		buf_printf(out, "%s%s %llu", separator, hold_overflow_name(i),
			   (unsigned long long)stats->overflowed[i]);
		separator = ", ";
	}
	if (separator[0] == ',')
		buf_putc(out, ')');
}

static void put_held(const struct summary *summary, struct buf *out)
{
	struct hold_stats stats = { 0 };
	uint64_t overflowed = 0;

	if (summary->engine->hold)
		hold_stats(summary->engine->hold, &stats);
	for (unsigned i = 0; i < HOLD_OVERFLOW__COUNT; i++)
		overflowed += stats.overflowed[i];
	if (!stats.held && !overflowed)
		return;
	buf_printf(out,
		   "  held      %llu events: released %llu, at the deadline %llu, at the end %llu; "
		   "no room for %llu",
		   (unsigned long long)stats.held, (unsigned long long)stats.released,
		   (unsigned long long)stats.timed_out, (unsigned long long)stats.stopped,
		   (unsigned long long)overflowed);
	put_overflows(&stats, out);
	buf_putc(out, '\n');
}

/* probes.kernel_filter: check. */
static void put_unwanted(const struct engine_counters *counters, struct buf *out)
{
	if (counters->unwanted)
		buf_printf(out,
			   "  unwanted  %llu that the kernel filter would have kept back, of which "
			   "rules matched %llu\n",
			   (unsigned long long)counters->unwanted,
			   (unsigned long long)counters->unwanted_matches);
}

void summary_format(const struct summary *summary, struct buf *out)
{
	struct wire_counters sum = total(summary);
	uint64_t lost = sum_of(sum.lost, WIRE_LOST__COUNT);

	buf_printf(out, "haetae: summary of %.1f s\n",
		   (double)summary->duration_ns / (double)NS_PER_SEC);
	buf_printf(out, "  events    generated %llu = delivered %llu + filtered %llu + lost %llu",
		   sum.generated, (unsigned long long)engine_delivered(summary->engine),
		   (unsigned long long)sum_of(sum.filtered, WIRE_FILTER__COUNT),
		   (unsigned long long)lost);
	if (summary->engine->counters.undecodable || summary->kernel->malformed)
		buf_printf(out, " + undecodable %llu",
			   (unsigned long long)(summary->engine->counters.undecodable +
						summary->kernel->malformed));
	buf_putc(out, '\n');
	put_classes(summary, out);
	buf_printf(out, "  filtered  %llu",
		   (unsigned long long)sum_of(sum.filtered, WIRE_FILTER__COUNT));
	put_reasons(out, filter_names, sum.filtered, WIRE_FILTER__COUNT);
	buf_printf(out, "\n  lost      %llu", (unsigned long long)lost);
	put_reasons(out, loss_names, sum.lost, WIRE_LOST__COUNT);
	buf_putc(out, '\n');
	put_unwanted(&summary->engine->counters, out);
	put_recording(summary, out);
	put_gate(summary, out);
	if (!summary->record || !summary->record->is_alone)
		put_alerts(summary, out);
	put_processes(summary, out);
	put_containers(summary, out);
	put_metadata(summary, out);
	put_held(summary, out);
	if (!summary_adds_up(summary))
		buf_puts(out,
			 "  WARNING   these numbers do not add up: please report this as a bug\n");
}
