/*
 * The compiler's working state, shared by check.c, compile.c, infer.c and plan.c.
 */
#ifndef HAETAE_MATCH_COMPILE_H
#define HAETAE_MATCH_COMPILE_H

#include "haetae/table.h"
#include "program.h"

/* Growing arrays of pointers, freed with the compilation; the final copy goes to the arena. */
struct pointers {
	void **items; /* owned */
	uint32_t cnt, cap;
};
bool pointers_add(struct pointers *pointers, void *item);
void *const *pointers_keep(const struct pointers *pointers, struct arena *arena);

/* A mistake in one check. Reported once, with the first rule that is not allowed to skip it. */
struct problem {
	bool is_warning;
	bool is_unknown; /* skip-if-unknown-filter forgives it */
	bool is_reported;
	const char *code;
	struct span at;
	struct str text, hint;
	struct problem *next;
};

/* What check.c found out about an ast_check; shared by all rules that see it through a macro. */
struct check_result {
	struct problem *problems; /* in the order found */
	bool is_invalid;	  /* at least one is an error */
	/* By quantifier; the second is made where a negation asks for it. */
	const struct predicate *predicates[2];
};

struct compilation {
	struct arena *arena;
	struct defs *defs;
	struct diags *diags;
	struct table keys; /* canonical text of operands, predicates, expressions → node */
	struct buf key;	   /* of the node being looked up */
	struct pointers operands, predicates;
	struct expr *false_expr, *true_expr;
	uint32_t expr_cnt;
	struct event_set all_events;
	unsigned near_name_cnt;
};

int compilation_init(struct compilation *c, struct arena *arena, struct defs *defs,
		     struct diags *diags);
void compilation_done(struct compilation *c);

/* The node under c->key, or NULL; then compilation_remember() files a new one under it. */
void *compilation_find(struct compilation *c);
int compilation_remember(struct compilation *c, void *node);

/* Binds and type-checks; sets check->result. 0 or -ENOMEM. */
int check_check(struct compilation *c, struct ast_check *check);
/* The predicate of a valid check for a quantifier. NULL: out of memory. */
const struct predicate *check_predicate(struct compilation *c, struct ast_check *check,
					enum quantifier quantifier);

/* In operand.c. 0, OPERAND_E_INVALID (problems were added), or -ENOMEM. */
#define OPERAND_E_INVALID 1
int operand_bind(struct compilation *c, const struct ast_operand *source, bool is_right,
		 struct check_result *result, const struct operand **ret);

/* In literal.c: one constant for the operator. False: a problem was added, or memory is out (the
 * arena says so). */
bool literal_convert(struct compilation *c, const struct operand *left, enum op op,
		     const struct ast_value *value, struct check_result *result,
		     struct literal *ret);

struct problem *problem_add(struct compilation *c, struct check_result *result, struct span at,
			    const char *code, const char *hint, const char *format, ...)
	_printf_(6, 7);

/* infer.c: events that can satisfy a leaf. */
void infer_leaf(const struct compilation *c, const struct predicate *predicate, bool is_negated,
		struct event_set *ret);
/* Names of event codes that satisfy a test of evt.type. */
void infer_type_set(const struct compilation *c, const struct predicate *predicate,
		    struct event_set *ret);
/* Which of a leaf's events it asks for by name: evt.type = x, evt.type in (x, y), not evt.type !=
 * x.
 */
void infer_named(const struct predicate *predicate, bool is_negated, const struct event_set *events,
		 struct event_set *ret);
/* What the rule looks at: events that can satisfy it and that are usual or named in it. */
void infer_rule(const struct expr *expr, struct event_set *ret);
void event_set_join(struct event_set *set, const struct event_set *other);
uint32_t event_set_count(const struct event_set *set);
bool event_set_is_empty(const struct event_set *set);

/* expr.c */
struct expr *expr_leaf(struct compilation *c, const struct predicate *predicate, bool is_negated);
struct expr *expr_join(struct compilation *c, enum expr_kind kind, struct expr *const *children,
		       uint32_t child_cnt);

/* plan.c */
int plan_build(struct compilation *c, struct expr *const *expressions, const bool *is_active,
	       struct program *program);

#endif
