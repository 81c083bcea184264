/*
 * Additions to outputs: for each rule the texts of the configuration whose conditions it meets.
 * Owns nothing; texts go to the ruleset's arena. Called once per load, before outputs are compiled.
 */
#include "addition.h"

static bool has_tag(const struct rule_def *rule, struct str tag)
{
	for (uint32_t i = 0; i < rule->tag_cnt; i++)
		if (str_eq(rule->tags[i], tag))
			return true;
	return false;
}

static bool applies(const struct output_addition *addition, const struct rule_def *rule)
{
	if (addition->rule.p && !str_eq(addition->rule, rule->name.s))
		return false;
	if (addition->source.p && !str_eq(addition->source, rule->source.s))
		return false;
	for (uint32_t i = 0; i < addition->tag_cnt; i++)
		if (!has_tag(rule, addition->tags[i]))
			return false;
	return true;
}

void additions_check(const struct rules_options *options, struct arena *arena, struct diags *diags,
		     bool *is_good)
{
	for (uint32_t i = 0; i < options->addition_cnt; i++) {
		struct str text = options->additions[i].text;
		uint32_t errors_before = diags->error_cnt;
		struct span at = { 0, 0, text.n };

		if (options->compile_output)
			(void)options->compile_output(arena, text, &at, diags);
		is_good[i] = diags->error_cnt == errors_before;
		if (!is_good[i])
			diags_related(diags, SPAN_NONE,
				      "in the text that is appended to outputs: %.*s",
				      STR_ARG(text));
	}
}

bool additions_apply(const struct rules_options *options, const bool *is_good, struct arena *arena,
		     struct rule_def *rule)
{
	for (uint32_t i = 0; i < options->addition_cnt; i++) {
		struct text more = { .s = options->additions[i].text };

		if (!is_good[i] || !rule->output.s.p || !applies(&options->additions[i], rule))
			continue;
		rule->output = text_join(arena, &rule->output, &more);
		if (!rule->output.s.p)
			return false;
	}
	return true;
}
