/*
 * Rule selection: one ordered list, the last entry that matches wins, over the key `enabled` in
 * both directions. Owns nothing. Called once per load.
 */
#include "select.h"

/* One star is open at a time: a later one can take over whatever the earlier would have matched. */
bool select_matches(struct str pattern, struct str text)
{
	uint32_t p = 0, t = 0, star = UINT32_MAX, star_text = 0;

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			star_text = t;
		} else if (p < pattern.n && pattern.p[p] == text.p[t]) {
			p++;
			t++;
		} else if (star != UINT32_MAX) {
			p = star + 1;
			t = ++star_text;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static bool applies(const struct rule_selector *selector, const struct rule_def *rule)
{
	if (selector->rule_pattern.p)
		return select_matches(selector->rule_pattern, rule->name.s);
	for (uint32_t i = 0; i < rule->tag_cnt; i++)
		if (str_eq(rule->tags[i], selector->tag))
			return true;
	return false;
}

bool select_rule(const struct rules_options *options, const struct rule_def *rule, bool *is_used)
{
	bool is_enabled = rule->is_enabled;

	for (uint32_t i = 0; i < options->selector_cnt; i++) {
		if (!applies(&options->selectors[i], rule))
			continue;
		is_used[i] = true;
		is_enabled = options->selectors[i].is_enable;
	}
	return is_enabled && !rule->is_foreign && rule->priority <= options->min_priority;
}

void select_warn_unused(const struct rules_options *options, const bool *is_used,
			struct diags *diags)
{
	for (uint32_t i = 0; i < options->selector_cnt; i++) {
		const struct rule_selector *selector = &options->selectors[i];
		bool is_pattern = selector->rule_pattern.p;
		struct str word = is_pattern ? selector->rule_pattern : selector->tag;

		if (!is_used[i])
			diags_warning(diags, SPAN_NONE, "W0510",
				      "'haetae list rules' prints names and tags",
				      "selection: no rule has the %s '%.*s'",
				      is_pattern ? "name" : "tag", STR_ARG(word));
	}
}
