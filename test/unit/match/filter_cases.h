/*
 * Rules and events drawn from a source of numbers, for the proof that the kernel filter keeps back
 * no event that a rule matches: by seeds in a unit test, by a fuzzer's bytes in a fuzz target.
 */
#ifndef HAETAE_TEST_FILTER_CASES_H
#define HAETAE_TEST_FILTER_CASES_H

#include "haetae/kernel_filter.h"
#include "haetae/rules.h"
#include "record_builder.h"

/* Numbers: from the data while there are any, then from the seed. */
struct draw {
	const uint8_t *data;
	size_t size;
	uint64_t seed;
	bool is_dry; /* the data are used up: what is drawn next is simple */
};

/* A condition as a tree, so that it can be made smaller. */
#define CASE_NODES 64
struct case_node {
	enum {
		CASE_LEAF,
		CASE_AND,
		CASE_OR,
		CASE_NOT
	} kind;
	uint8_t children[2];
	char text[160]; /* CASE_LEAF */
};
struct case_rules {
	struct case_node nodes[CASE_NODES];
	unsigned node_cnt;
	uint8_t roots[3];
	unsigned rule_cnt;
};

struct case_outcome {
	unsigned events, filtered, matched;
	bool is_broken; /* an event that a rule matches was kept back */
};

void case_draw_rules(struct draw *draw, struct case_rules *rules);
void case_put_rules(const struct case_rules *rules, struct buf *out);
/* Loads the rules and runs so many events against them and their filter. `spoil`, where given,
 * changes the filter before. False: the rules don't load. */
bool case_run(const struct case_rules *rules, struct draw *draw, unsigned event_cnt,
	      void (*spoil)(struct kernel_filter *filter), struct case_outcome *ret,
	      struct buf *broken);
/* Makes broken rules smaller while they stay broken under the same events. */
void case_shrink(struct case_rules *rules, const struct draw *events, unsigned event_cnt,
		 void (*spoil)(struct kernel_filter *filter));

#endif
