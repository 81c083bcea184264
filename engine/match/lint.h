/*
 * Warnings about rules that are legal.
 */
#ifndef HAETAE_MATCH_LINT_H
#define HAETAE_MATCH_LINT_H

#include "compile.h"

/* No event type, always true or false, comparisons that cannot hold. */
void lint_rule(struct compilation *c, const struct compiled_rule *rule, const struct expr *expr);
/* In first-match mode: active rules that an earlier active rule always precedes. */
void lint_shadowed(struct compilation *c, const struct compiled_rule *rules,
		   struct expr *const *expressions, const bool *is_active);
/* Macros and lists that nobody mentions. */
void lint_unused(struct compilation *c);

#endif
