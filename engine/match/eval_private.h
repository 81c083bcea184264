/*
 * The evaluator's state, shared by eval.c (values, tests, rules) and eval_find.c (candidates).
 */
#ifndef HAETAE_MATCH_EVAL_PRIVATE_H
#define HAETAE_MATCH_EVAL_PRIVATE_H

#include "eval.h"
#include "plan_index.h"

/* More comparisons of parts cost more than trying the entries. */
#define PARTS_MAX 4096

/* Everything remembered carries the generation of its event; a new event only counts up. Memos of
 * tests and units have two bits beside it. */
#define GENERATION_STEP 4u
#define MEMO_TRUE	1u
#define MEMO_PENDING	2u /* a test: its value; a unit: a test below, so it has another value too */
#define MEMO_BITS	3u

struct value_slot {
	uint32_t generation;
	struct value_set set;
};

struct evaluator {
	const struct program *program; /* borrowed */
	const struct field_context *context;
	uint32_t generation;	  /* a multiple of GENERATION_STEP; never 0 */
	uint32_t values;	  /* the generation that values carry: the event's first */
	bool is_high;		  /* the second pass: leaves over pending values are true */
	uint32_t touched;	  /* MEMO_PENDING where this pass met a pending value, or 0 */
	uint32_t *units;	  /* of the pass at hand */
	struct value_slot *slots; /* owned, as all below */
	uint32_t *tests;	  /* generation | bits; the same in both passes */
	uint32_t *low_units, *high_units; /* generation | bits */
	uint32_t *stack;		  /* instructions to return to */
	uint64_t *candidates;		  /* bit per entry of the plan at hand */
	uint32_t *rows;			  /* generation in which a row was found */
	uint32_t parts_left;		  /* comparisons of strings around keys, this event */
	struct op_context op;
	struct matcher_stats stats;
};

/* The operand's value, read at most once an event. */
const struct value_set *eval_value(struct evaluator *e, const struct operand *operand);
/* Whether the gate's condition is true, or may yet be. */
bool eval_gate(struct evaluator *e, const struct plan_gate *gate);
/* Sets e->candidates: every entry that can be true is among them. */
void eval_find(struct evaluator *e, const struct plan *plan);

#endif
