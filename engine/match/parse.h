/*
 * Condition text to trees. Errors are reported and leave AST_INVALID nodes, so that one run shows
 * several; only memory makes a parse fail.
 */
#ifndef HAETAE_MATCH_PARSE_H
#define HAETAE_MATCH_PARSE_H

#include "ast.h"

struct parse_result {
	struct ast_node *node;
	bool has_errors;
};

/* A whole condition. 0 or -ENOMEM. */
int parse_condition(struct arena *arena, const struct text *text, struct diags *diags,
		    struct parse_result *ret);

/* The parts of exceptions and lists, each a text of its own. 0, PARSE_E_SYNTAX (reported), or
 * -ENOMEM. */
#define PARSE_E_SYNTAX 1
/* A field or transformer. */
int parse_left(struct arena *arena, const struct text *text, struct diags *diags,
	       struct ast_operand *ret);
/* What stands behind check->op and its modifier. */
int parse_right(struct arena *arena, const struct text *text, struct diags *diags,
		struct ast_check *check);
/* A list's item: the inside of parentheses, often one word. Appends. */
int parse_list_item(struct arena *arena, const struct text *text, struct diags *diags,
		    struct ast_values *values);
/* "in", "contains anyof". False where it is no operator. */
bool parse_operator_text(struct str text, enum op *ret_op, enum op_modifier *ret_modifier);

#endif
