/*
 * Filters of a sink: priority, tags, rule patterns. Pure: owns nothing.
 */
#include "filter.h"

bool filter_matches(struct str pattern, struct str text)
{
	uint32_t p = 0, t = 0, star = UINT32_MAX, mark = 0;

	/* The last star takes one byte more whenever what follows it does not fit: no recursion. */
	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			mark = t;
		} else if (p < pattern.n && pattern.p[p] == text.p[t]) {
			p++;
			t++;
		} else if (star != UINT32_MAX) {
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

/* Tags are each ended by a NUL. */
static bool has_tag(struct str tags, struct str tag)
{
	const char *at = tags.p, *end = at + tags.n;

	while (at < end) {
		uint32_t n = (uint32_t)strnlen(at, (size_t)(end - at));

		if (str_eq((struct str){ at, n }, tag))
			return true;
		at += n + 1;
	}
	return false;
}

bool filter_passes(const struct sink_config *config, enum priority priority, struct str rule,
		   struct str tags)
{
	bool passes = config->tag_cnt == 0;

	if (str_eq(rule, STR(SELF_TEST_RULE)))
		return config->want_self_test;
	if (priority > config->min_priority)
		return false;
	for (uint32_t i = 0; i < config->tag_cnt && !passes; i++)
		passes = has_tag(tags, str_from(config->tags[i]));
	if (!passes || config->rule_cnt == 0)
		return passes;
	for (uint32_t i = 0; i < config->rule_cnt; i++)
		if (filter_matches(str_from(config->rules[i]), rule))
			return true;
	return false;
}
