/*
 * The table of metrics keeps the rules of Prometheus and OpenMetrics, and its text is well formed
 * whatever a rule is called.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>

#include "metrics.h"

static bool ends_with(const char *text, const char *end)
{
	return str_ends_with(str_from(text), str_from(end));
}

static void family(const struct metric *metric, char ret[128])
{
	snprintf(ret, 128, "%s", metric->name);
	if (ends_with(ret, "_total"))
		ret[strlen(ret) - 6] = 0;
}

Test(metrics, names)
{
	for (unsigned i = 0; metric_at(i); i++) {
		const struct metric *metric = metric_at(i);
		bool is_counter = metric->type == METRIC_COUNTER;
		char name[128], other[128];

		family(metric, name);
		cr_expect(str_starts_with(str_from(name), STR("haetae_")), "%s", name);
		cr_expect_eq(ends_with(metric->name, "_total"), is_counter, "%s", metric->name);
		cr_expect(!metric->unit || ends_with(name, metric->unit), "%s", metric->name);
		cr_expect(!islower(metric->help[0]) && !ends_with(metric->help, "."), "%s",
			  metric->name);
		cr_expect(!strchr(metric->help, '\\') && !strchr(metric->help, '\n'));
		/* OpenMetrics names both by the family. */
		for (unsigned k = 0; k < i; k++) {
			family(metric_at(k), other);
			cr_expect_str_neq(name, other, "%s", metric->name);
		}
	}
}

static struct ruleset *load(const char *text)
{
	struct ruleset *ruleset = NULL;
	struct rules_options options;
	struct diags diags;

	diags_init(&diags);
	rules_options_default(&options);
	cr_assert_eq(ruleset_load_text(STR("t"), str_from(text), &options, &diags, &ruleset), 0);
	diags_done(&diags);
	return ruleset;
}

static const char rules[] = "- rule: \"a\\\"b\\\\c\\nd\"\n"
			    "  desc: d\n"
			    "  condition: evt.type = open\n"
			    "  output: x\n"
			    "  priority: ERROR\n";

/* "name{label="…",…} number" and nothing else. */
static bool is_sample(const char *line)
{
	while (isalnum((unsigned char)*line) || *line == '_')
		line++;
	if (*line == '{') {
		bool is_quoted = false;

		for (line++; *line && (is_quoted || *line != '}'); line++) {
			if (*line == '"')
				is_quoted = !is_quoted;
			else if (*line == '\\' && is_quoted)
				line++;
		}
		if (*line++ != '}')
			return false;
	}
	return *line == ' ' && isdigit((unsigned char)line[1]) &&
	       line[1 + strspn(line + 1, "0123456789.")] == 0;
}

static void check_text(struct metrics_snapshot *snapshot, bool is_openmetrics)
{
	struct buf out;
	char *line, *rest;
	unsigned types = 0, table = 0;

	buf_init(&out, 1u << 22);
	metrics_format(snapshot, NULL, is_openmetrics, &out);
	cr_assert(!out.failed);
	cr_expect(strstr(out.p, "haetae_rule_matches_total{rule=\"a\\\"b\\\\c\\nd\","
				"priority=\"Error\"} 7\n"),
		  "%s", out.p);
	cr_expect_eq(ends_with(out.p, "# EOF\n"), is_openmetrics);
	for (line = strtok_r(out.p, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		types += strncmp(line, "# TYPE ", 7) == 0;
		cr_expect(line[0] == '#' || is_sample(line), "%s", line);
	}
	while (metric_at(table))
		table++;
	cr_expect_eq(types, table);
	buf_done(&out);
}

Test(metrics, text)
{
	struct metrics_snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct engine_rule_counters counters = { .matches = 7, .alerts = 5 };
	struct ruleset *ruleset = load(rules);

	cr_assert(snapshot);
	snapshot->ruleset = ruleset;
	snapshot->rule_cnt = 1;
	snapshot->rules = &counters;
	snapshot->cgroup_cnt = 1;
	snapshot->cgroups[0].cgroup_id = UINT64_MAX;
	check_text(snapshot, false);
	check_text(snapshot, true);
	ruleset_free(ruleset);
	free(snapshot);
}
