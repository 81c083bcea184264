/*
 * Rule selection: one ordered list, the last entry that matches wins, over the key `enabled` and
 * the maturity in both directions. Owns nothing. Called once per load.
 */
#include "select.h"

static const char *const maturity_names[] = {
	[MATURITY_STABLE] = "stable",
	[MATURITY_INCUBATING] = "incubating",
	[MATURITY_SANDBOX] = "sandbox",
	[MATURITY_DEPRECATED] = "deprecated",
};
_Static_assert(ARRAY_LEN(maturity_names) == MATURITY__COUNT, "a name for each");

const char *maturity_name(enum maturity maturity)
{
	return maturity_names[maturity];
}

bool maturity_parse(struct str name, enum maturity *ret)
{
	for (unsigned i = 0; i <= MATURITY_SANDBOX; i++) {
		if (!str_eq_text(name, maturity_names[i]))
			continue;
		*ret = (enum maturity)i;
		return true;
	}
	return false;
}

enum maturity select_maturity(const struct rule_def *rule)
{
	static const struct str prefix = STR("maturity_");
	enum maturity found = MATURITY_STABLE;

	for (uint32_t i = 0; i < rule->tag_cnt; i++) {
		struct str tag = rule->tags[i];

		if (tag.n <= prefix.n || memcmp(tag.p, prefix.p, prefix.n) != 0)
			continue;
		for (unsigned m = found + 1; m < MATURITY__COUNT; m++)
			if (str_eq_text((struct str){ tag.p + prefix.n, tag.n - prefix.n },
					maturity_names[m]))
				found = (enum maturity)m;
	}
	return found;
}

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

enum selection select_rule(const struct rules_options *options, const struct rule_def *rule,
			   bool *is_used)
{
	bool is_enabled = rule->is_enabled;
	bool is_immature = is_enabled && select_maturity(rule) > options->maturity;

	if (rule->is_self_test)
		return SELECTION_ON;
	for (uint32_t i = 0; i < options->selector_cnt; i++) {
		if (!applies(&options->selectors[i], rule))
			continue;
		is_used[i] = true;
		is_enabled = options->selectors[i].is_enable;
		is_immature = false;
	}
	if (!is_enabled || rule->is_foreign || rule->priority > options->min_priority)
		return SELECTION_OFF;
	return is_immature ? SELECTION_IMMATURE : SELECTION_ON;
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
