/*
 * The accounts of a replay, for people. Owns nothing.
 */
#include "replay_stats.h"

#include <errno.h>

#include "haetae/clock.h"

void replay_stats_warn(const struct replay *replay, FILE *out)
{
	struct replay_stats stats;

	replay_stats(replay, &stats);
	if (stats.undecodable)
		fprintf(out, "haetae: %llu records are not what they should be; left out\n",
			(unsigned long long)stats.undecodable);
	if (stats.left_out)
		fprintf(out, "haetae: %llu answers of the host are too many; left out\n",
			(unsigned long long)stats.left_out);
	if (stats.reloads)
		fprintf(out,
			"haetae: the rules were loaded anew %llu times while this was recorded, "
			"first before frame %llu; the rules given now were taken for all of it\n",
			(unsigned long long)stats.reloads, (unsigned long long)stats.reload_frame);
	if (stats.unknown)
		fprintf(out,
			"haetae: %llu frames are of kinds that only a newer haetae knows; "
			"passed over\n",
			(unsigned long long)stats.unknown);
}

struct row {
	const struct rule *rule;
	struct replay_rule cost;
};

static int compare(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	if (a->cost.time_ns != b->cost.time_ns)
		return a->cost.time_ns > b->cost.time_ns ? -1 : 1;
	return a->rule->index < b->rule->index ? -1 : 1;
}

static void print_rows(const struct row *rows, uint32_t cnt, FILE *out)
{
	fprintf(out, "  %10s %12s %8s %9s %9s %9s  %s\n", "time ms", "evaluations", "ns each",
		"condition", "matches", "alerts", "rule");
	for (uint32_t i = 0; i < cnt; i++) {
		const struct replay_rule *cost = &rows[i].cost;
		uint64_t times = MAX(cost->evaluations, 1);

		fprintf(out, "  %10.2f %12llu %8llu %9llu %9llu %9llu  %.*s\n",
			(double)cost->time_ns / (double)NS_PER_MS,
			(unsigned long long)cost->evaluations,
			(unsigned long long)(cost->time_ns / times),
			(unsigned long long)(cost->condition_ns / times),
			(unsigned long long)cost->matches, (unsigned long long)cost->alerts,
			STR_ARG(rows[i].rule->name));
	}
}

static void print_rules(const struct replay *replay, FILE *out)
{
	const struct ruleset *ruleset = replay_ruleset(replay);
	_cleanup_(freep) struct row *rows = calloc(ruleset_rule_cnt(ruleset) + 1, sizeof(*rows));
	uint32_t cnt = 0;

	if (!rows) {
		fprintf(out, "haetae: %s\n", strerror(ENOMEM));
		return;
	}
	for (uint32_t i = 0; i < ruleset_rule_cnt(ruleset); i++) {
		const struct rule *rule = ruleset_rule(ruleset, i);

		if (rule->is_enabled && !rule->is_self_test)
			rows[cnt++] = (struct row){ rule, *replay_rule(replay, rule) };
	}
	qsort(rows, cnt, sizeof(*rows), compare);
	fputs("  each rule by itself, as if it were the only one; of that its condition, without "
	      "reading\n  the fields, which rules share (all together take less):\n",
	      out);
	print_rows(rows, cnt, out);
}

void replay_stats_print(const struct replay *replay, FILE *out)
{
	struct replay_stats stats;
	double seconds;

	replay_stats(replay, &stats);
	seconds = (double)MAX(stats.time_ns, 1) / (double)NS_PER_SEC;
	fprintf(out,
		"haetae: replay of %llu file%s, %llu damaged: %llu frames, %llu records, %llu "
		"events, %llu alerts\n"
		"  %.0f events a second: %.3f s for %.1f s of recording\n",
		(unsigned long long)stats.files, stats.files == 1 ? "" : "s",
		(unsigned long long)stats.damaged, (unsigned long long)stats.frames,
		(unsigned long long)stats.records, (unsigned long long)stats.events,
		(unsigned long long)stats.alerts, (double)stats.events / seconds, seconds,
		(double)stats.covered_ns / (double)NS_PER_SEC);
	print_rules(replay, out);
}
