/*
 * The sides of a check: fields, transformers, constants, lists. All functions return 0,
 * PARSE_E_SYNTAX (reported) or -ENOMEM.
 */
#ifndef HAETAE_MATCH_PARSE_OPERAND_H
#define HAETAE_MATCH_PARSE_OPERAND_H

#include "ast.h"
#include "lex.h"

/* A transformer's name stands here, with its parenthesis. */
bool at_transformer(const struct lexer *lexer);
/* A field or a transformer. */
int parse_operand(struct lexer *lexer, struct ast_operand *ret);
/* What stands behind check->op and check->modifier. */
int parse_right_side(struct lexer *lexer, struct ast_check *check);

#endif
