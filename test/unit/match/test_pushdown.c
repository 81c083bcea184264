/*
 * The kernel filter is sound: what it keeps back no rule matches. Rules and events are drawn from
 * seeds; a filter that is made wrong on purpose is caught. And it is worth its while: shipped rules
 * leave little of what programs do all day.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "filter_cases.h"

#define EVENTS 40

static unsigned seed_cnt(void)
{
	const char *text = getenv("HAETAE_FILTER_SEEDS");

	return text ? (unsigned)strtoul(text, NULL, 10) : 1500;
}

static void report(struct case_rules *rules, const struct draw *events, unsigned seed)
{
	struct draw again = *events;
	struct case_outcome outcome;
	struct buf text, event;

	buf_init(&text, 1u << 16);
	buf_init(&event, 1u << 16);
	case_shrink(rules, events, EVENTS, NULL);
	case_put_rules(rules, &text);
	(void)case_run(rules, &again, EVENTS, NULL, &outcome, &event);
	cr_expect_fail("seed %u:\n%s\nkeeps back\n%s", seed, text.p, event.p);
	buf_done(&text);
	buf_done(&event);
}

Test(pushdown, keeps_back_nothing_that_a_rule_matches, .timeout = 120)
{
	struct case_outcome sum = { 0 };
	unsigned broken = 0, loaded = 0;

	for (unsigned seed = 1; seed <= seed_cnt() && broken < 5; seed++) {
		struct draw draw = { .seed = seed }, events;
		struct case_outcome outcome;
		struct case_rules rules;

		case_draw_rules(&draw, &rules);
		events = draw;
		if (!case_run(&rules, &draw, EVENTS, NULL, &outcome, NULL))
			continue;
		loaded++;
		sum.events += outcome.events;
		sum.filtered += outcome.filtered;
		sum.matched += outcome.matched;
		if (outcome.is_broken) {
			report(&rules, &events, seed);
			broken++;
		}
	}
	/* Otherwise it says nothing. */
	cr_expect(loaded * 10 > seed_cnt() * 9, "only %u of %u sets of rules load", loaded,
		  seed_cnt());
	cr_expect(sum.filtered * 8 > sum.events, "%u of %u events are kept back", sum.filtered,
		  sum.events);
	cr_expect(sum.matched * 20 > sum.events, "%u of %u events match", sum.matched, sum.events);
}

/* ---- a wrong filter is noticed ------------------------------------------------------------------
 */

static void forget_success(struct kernel_filter *filter)
{
	for (unsigned type = 0; type < EVENT__COUNT; type++)
		filter->types[type].result[1] &= ~1ULL;
}

static void forget_names(struct kernel_filter *filter)
{
	filter->name_cnt /= 2;
}

static void forget_writers(struct kernel_filter *filter)
{
	for (unsigned type = 0; type < EVENT__COUNT; type++)
		filter->types[type].access[FILTER_WRITES] = 0;
}

static void forget_others(struct kernel_filter *filter)
{
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		filter->types[type].comm_else = 0;
		filter->types[type].uid_else = 0;
	}
}

static void forget_families(struct kernel_filter *filter)
{
	for (unsigned type = 0; type < EVENT__COUNT; type++)
		filter->types[type].family_else = 0;
	filter->number_cnt /= 2;
}

static void forget_networks(struct kernel_filter *filter)
{
	filter->address_cnt /= 2;
}

static void forget_depth(struct kernel_filter *filter)
{
	for (unsigned type = 0; type < EVENT__COUNT; type++)
		filter->types[type].by_depth = ~0ULL;
}

Test(pushdown, a_wrong_filter_is_caught, .timeout = 120)
{
	static const struct {
		const char *name;
		void (*spoil)(struct kernel_filter *filter);
	} cases[] = {
		{ "clauses that forget success", forget_success },
		{ "clauses without half of the names", forget_names },
		{ "clauses that forget who writes", forget_writers },
		{ "clauses that forget all other values", forget_others },
		{ "clauses that all ask for depth", forget_depth },
		{ "clauses that forget families and ports", forget_families },
		{ "clauses that forget networks", forget_networks },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool is_caught = false;

		for (unsigned seed = 1; seed <= 4000 && !is_caught; seed++) {
			struct draw draw = { .seed = seed };
			struct case_outcome outcome;
			struct case_rules rules;

			case_draw_rules(&draw, &rules);
			is_caught =
				case_run(&rules, &draw, EVENTS, cases[i].spoil, &outcome, NULL) &&
				outcome.is_broken;
		}
		cr_expect(is_caught, "%s", cases[i].name);
	}
}
