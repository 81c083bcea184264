/*
 * Rules and events from the fuzzer's bytes: what their kernel filter keeps back no rule matches.
 */
#include "filter_cases.h"
#include "target.h"

#include <stdio.h>

#define EVENTS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct draw draw = { .data = data, .size = size, .seed = size };
	struct case_outcome outcome;
	struct case_rules rules;
	struct buf broken;

	case_draw_rules(&draw, &rules);
	buf_init(&broken, 1u << 16);
	if (case_run(&rules, &draw, EVENTS, NULL, &outcome, &broken) && outcome.is_broken) {
		struct buf text;

		buf_init(&text, 1u << 16);
		case_put_rules(&rules, &text);
		fprintf(stderr, "%s\nkeep back\n%s\n", text.p, broken.p);
		abort();
	}
	buf_done(&broken);
	return 0;
}
