/*
 * A rule file of arbitrary bytes: read, loaded, compiled; its diagnostics printed, its rules
 * explained. A file loads if and only if there is no error, and every place lies within the file.
 */
#include <stdlib.h>

#include "haetae/rules.h"
#include "target.h"

#define INPUT_MAX (1u << 16)
#define RULES_MAX 4 /* explained */

static void check_places(const struct diags *diags)
{
	for (uint32_t i = 0; i < diags->item_cnt; i++) {
		struct span at = diags->items[i].at;

		hae_assert(at.source < MAX(diags->source_cnt, 1u));
		hae_assert(at.source == 0 ||
			   (uint64_t)at.offset + at.length <= diags->sources[at.source].text.n);
		(void)diags_position(diags, at);
	}
}

static void explain(const struct ruleset *ruleset, struct buf *out)
{
	struct event_set events;

	for (uint32_t i = 0; i < MIN(ruleset_rule_cnt(ruleset), (uint32_t)RULES_MAX); i++) {
		const struct rule *rule = ruleset_rule(ruleset, i);

		hae_assert(ruleset_find(ruleset, rule->name) == rule);
		buf_clear(out);
		ruleset_explain(ruleset, rule, out);
	}
	ruleset_events(ruleset, &events);
	(void)ruleset_needs(ruleset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
	_cleanup_(diags_done) struct diags diags;
	_cleanup_(buf_done) struct buf out;
	struct rules_options options;
	int r;

	diags_init(&diags);
	buf_init(&out, 1u << 22);
	rules_options_default(&options);
	if (size > INPUT_MAX)
		return 0;
	r = ruleset_load_text(STR("fuzz.yaml"), (struct str){ (const char *)data, (uint32_t)size },
			      &options, &diags, &ruleset);
	hae_assert(r == 0 || r == RULES_E_INVALID);
	hae_assert((r == 0) == !diags_has_errors(&diags));
	check_places(&diags);
	diags_format_json(&diags, &out);
	if (r == 0)
		explain(ruleset, &out);
	return 0;
}
