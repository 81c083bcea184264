/*
 * Running a program over events. One evaluator a thread.
 */
#ifndef HAETAE_MATCH_EVAL_H
#define HAETAE_MATCH_EVAL_H

#include "haetae/rules.h"
#include "ops.h"

struct evaluator;

/* 0 or -ENOMEM. The program must outlive it. */
int evaluator_new(const struct program *program, struct evaluator **ret);
struct evaluator *evaluator_free(struct evaluator *evaluator);

/* See matcher_run() and matcher_decide() of rules.h. */
struct evaluator_calls {
	void (*hit)(uint32_t rule, void *data);
	void (*open)(uint32_t rule, enum verdict verdict, void *data);
	void *data;
};
unsigned evaluator_run(struct evaluator *evaluator, const struct field_context *context,
		       const struct evaluator_calls *calls);
enum verdict evaluator_decide(struct evaluator *evaluator, const struct field_context *context,
			      uint32_t rule);
/* Behind evaluator_decide() with the same arguments: once more, with the values that were read. */
enum verdict evaluator_decide_again(struct evaluator *evaluator,
				    const struct field_context *context, uint32_t rule);
/* Leaves one by one, for traces: begin, then any number of tests and values of that event. */
void evaluator_begin(struct evaluator *evaluator, const struct field_context *context);
enum verdict evaluator_test(struct evaluator *evaluator, const struct predicate *predicate);
const struct value_set *evaluator_value(struct evaluator *evaluator, const struct operand *operand);
/* The rule's entry, or NULL. */
const struct plan_entry *plan_find(const struct plan *plan, uint32_t rule);
void evaluator_stats(const struct evaluator *evaluator, struct matcher_stats *ret);

#endif
