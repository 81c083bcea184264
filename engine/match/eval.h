/*
 * Running a program over events. One evaluator a thread.
 */
#ifndef HAETAE_MATCH_EVAL_H
#define HAETAE_MATCH_EVAL_H

#include "ops.h"

struct evaluator;

/* 0 or -ENOMEM. The program must outlive it. */
int evaluator_new(const struct program *program, struct evaluator **ret);
struct evaluator *evaluator_free(struct evaluator *evaluator);

typedef void (*evaluator_hit_fn)(uint32_t rule, void *data);
/* See matcher_run() of rules.h. */
unsigned evaluator_run(struct evaluator *evaluator, const struct field_context *context,
		       evaluator_hit_fn hit, void *data);
void evaluator_stats(const struct evaluator *evaluator, struct matcher_stats *ret);

#endif
