/*
 * Binding of names: macros to their trees, list names to values, exceptions to the condition that
 * they stand for (rule-language.md 1.7 to 1.9).
 */
#ifndef HAETAE_MATCH_RESOLVE_H
#define HAETAE_MATCH_RESOLVE_H

#include "ast.h"

/* Paths through all macros are at most this long: three nodes a level of parentheses. */
#define AST_HEIGHT_MAX (4 * AST_DEPTH_MAX)

struct resolved {
	struct ast_node *node; /* the condition with its exceptions; NULL: foreign */
	/* Something was reported; parts of the tree may be invalid, the others can be checked. */
	bool is_broken;
};

/* Parses and binds every macro and rule: an entry a rule. Sets is_used of lists and macros. 0 or
 * -ENOMEM. */
int resolve_all(struct arena *arena, struct defs *defs, struct diags *diags, struct resolved **ret);

/* The condition of a rule's exceptions, joined with `condition` by "and not". *ret NULL: an error
 * was reported. In exception.c. */
int exception_apply(struct arena *arena, const struct rule_def *rule, struct ast_node *condition,
		    struct diags *diags, struct ast_node **ret);

/* In double quotes where it has a blank and does not begin with a quote: how a list's item or an
 * exception's value becomes condition text. False: out of memory. */
bool text_quote_blanks(struct arena *arena, const struct text *text, struct text *ret);

#endif
