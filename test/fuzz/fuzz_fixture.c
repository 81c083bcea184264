/* Events written by hand and tests of rules: whatever the text is, it is read or reported, and what
 * was read can be evaluated and traced. */
#include "target.h"

#include "haetae/rule_tests.h"
#include "haetae/trace.h"

static const char rules[] =
	"- macro: m\n  condition: (evt.type in (open, openat, execve) and proc.aname in (a, b))\n"
	"- rule: R\n  desc: d\n  output: o\n  priority: DEBUG\n"
	"  condition: (m or fd.net = 10.0.0.0/8 or evt.rawarg.flags > 3) and not fd.name endswith "
	"x and not evt.arg[1] = 3\n"
	"  exceptions: [{name: e, fields: [proc.name, fd.directory], values: [[a, /b]]}]\n";

static struct ruleset *ruleset;
static struct matcher *matcher;

static void load(void)
{
	struct rules_options options;
	struct diags diags;

	diags_init(&diags);
	rules_options_default(&options);
	hae_assert(ruleset_load_text(STR("rules"), str_from(rules), &options, &diags, &ruleset) ==
		   0);
	hae_assert(matcher_new(ruleset, &matcher) == 0);
	diags_done(&diags);
}

static void evaluate(const struct fixture *fixture)
{
	const struct rule *rule = ruleset_rule(ruleset, 0);
	unsigned code = fixture_code(fixture);
	const struct trace_node *root;
	struct arena scratch, trees;
	struct field_context context;
	struct fixture_event event;
	enum verdict verdict;

	code = code < EVENT_CODE__COUNT ? code : EVENT_OPENAT;
	arena_init(&scratch, 1u << 20);
	arena_init(&trees, 8u << 20);
	fixture_begin(&event, fixture, code, &scratch, &context);
	verdict = matcher_decide(matcher, &context, rule);
	if (rule_trace(ruleset, rule, &context, &trees, &root) == 0 &&
	    event_set_has(&rule->events, code))
		hae_assert(root->verdict == verdict);
	arena_done(&trees);
	arena_done(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rule_tests tests = { 0 };
	struct fixtures events = { 0 };
	struct diags diags;
	struct arena arena;
	uint32_t source;

	if (!ruleset)
		load();
	diags_init(&diags);
	arena_init(&arena, 64u << 20);
	source = diags_add_source(&diags, STR("events"),
				  (struct str){ (const char *)data, (uint32_t)size });
	if (source && fixtures_read(&arena, source, &diags, &events) == 0)
		for (uint32_t i = 0; i < events.cnt && i < 100; i++)
			evaluate(events.items[i]);
	if (source && rule_tests_read(&arena, &diags, &tests) == 0)
		for (uint32_t i = 0; i < tests.cnt && i < 100; i++)
			if (tests.items[i].events.cnt)
				evaluate(tests.items[i].events.items[0]);
	arena_done(&arena);
	diags_done(&diags);
	return 0;
}
