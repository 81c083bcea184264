/*
 * Conditions as trees. The parser makes them from text, resolve.c binds macros and lists, check.c
 * binds fields and constants, compile.c reads the result, ast_format() prints it. All in the
 * ruleset's arena; a macro's tree is shared by all who mention it.
 */
#ifndef HAETAE_MATCH_AST_H
#define HAETAE_MATCH_AST_H

#include "defs.h"
#include "op.h"

enum ast_kind {
	AST_INVALID, /* a syntax error was reported here */
	AST_OR,
	AST_AND,
	AST_NOT,
	AST_MACRO,
	AST_CHECK,
};

/* One constant. BARE may be the name of a list until resolve.c has run. */
enum ast_value_kind {
	AST_VALUE_BARE,
	AST_VALUE_QUOTED,
	AST_VALUE_NUMBER,
};
struct ast_value {
	enum ast_value_kind kind;
	struct str text; /* without quotes, escapes decoded */
	struct span at;
	const struct list_def *list; /* that it came from, or NULL */
};

enum ast_operand_kind {
	AST_FIELD,
	AST_TRANSFORM,
	AST_CONSTANT, /* under a transformer */
	AST_LIST,     /* the same: its items are arguments */
};
struct ast_operand {
	enum ast_operand_kind kind;
	struct str name; /* of the field or transformer; the text of a constant */
	struct span at;
	bool is_number, has_argument;
	struct str argument; /* in brackets, unquoted */
	struct span argument_at;
	struct ast_operand *items; /* arguments of a transformer, items of a list */
	uint32_t item_cnt;
};

struct ast_check {
	struct ast_operand left;
	enum op op;
	enum op_modifier modifier;
	struct span op_at;
	struct ast_operand *right; /* val() or a transformer, or NULL: */
	bool is_val;
	bool is_list;	/* values were in parentheses */
	bool is_broken; /* reported by resolve.c: not to be checked */
	struct ast_value *values;
	uint32_t value_cnt;
	bool is_warned;		     /* lint.c */
	struct check_result *result; /* check.c */
};

struct ast_node {
	enum ast_kind kind;
	bool is_visited, is_on_path; /* resolve.c */
	bool is_clean;		     /* no problems below, compile.c */
	uint32_t height;	     /* over all macros, resolve.c */
	const void *checked_for;     /* last rule that walked here, compile.c */
	struct span at;
	struct ast_node **children; /* OR, AND: two or more; NOT: one; MACRO: its tree */
	uint32_t child_cnt;
	union {
		struct ast_check *check; /* CHECK */
		struct {		 /* MACRO */
			struct str name;
			struct macro_def *macro;
		};
	};
	struct expr *compiled[2]; /* compile.c: as it stands, and negated */
};

/* Parentheses, not( and macros in macros: deeper is E0205. */
#define AST_DEPTH_MAX 1000

struct ast_node *ast_new(struct arena *arena, enum ast_kind kind, struct span at);

/* A growing array in an arena; the growth leaves its old copies behind. False: out of memory. */
struct ast_list {
	struct ast_node **items;
	uint32_t cnt, cap;
};
bool ast_list_add(struct arena *arena, struct ast_list *list, struct ast_node *node);
struct ast_values {
	struct ast_value *items;
	uint32_t cnt, cap;
};
bool ast_values_add(struct arena *arena, struct ast_values *values, const struct ast_value *value);

/* One operand as source text. */
void ast_format_operand(const struct ast_operand *operand, struct buf *out);
void ast_format_check(const struct ast_check *check, bool with_origin, struct buf *out);

#endif
