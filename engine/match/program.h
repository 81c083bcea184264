/*
 * What the compiler makes: operands (value slots), predicates (test slots), expressions (a DAG of
 * equal parts made once) and the flat plan that the evaluator runs. Immutable after compile, in the
 * ruleset's arena.
 */
#ifndef HAETAE_MATCH_PROGRAM_H
#define HAETAE_MATCH_PROGRAM_H

#include "ast.h"
#include "cidr.h"
#include "pmatch.h"
#include "regex.h"
#include "strset.h"
#include "transform.h"

/* ---- operands: each distinct one is read at most once an event ------------------------------- */

enum operand_kind {
	OPERAND_FIELD,
	OPERAND_TRANSFORM,
	OPERAND_CONSTANT,
	OPERAND_LIST, /* under join() and getopt(): the values of its items */
};
struct operand {
	enum operand_kind kind;
	enum value_type type;
	bool is_list;
	bool is_param;	   /* evt.rawarg: the type is that of the event's parameter */
	bool is_type_name; /* evt.type without more */
	uint32_t flags;	   /* FIELD_IS_READINGS, FIELD_IS_ANY, FIELD_ALL_DIFFER */
	uint32_t needs;	   /* FIELD_NEEDS_… */
	uint32_t slot;	   /* index in program->operands */
	uint32_t user_cnt; /* predicates and transformers over it */
	const struct field *field;
	struct field_argument argument;
	enum transform transform;
	const struct operand *const *items;
	uint32_t item_cnt;
	/* All operands below, each behind those that it needs: evaluation is a loop over them. */
	const struct operand *const *order;
	uint32_t order_cnt;
	bool has_option;
	struct str option;
	struct value_set constant;
};
/* Items of one transformer or list. */
#define OPERAND_ITEMS_MAX 32

/* ---- predicates ------------------------------------------------------------------------------ */

/* How values of a type are laid out and compared. */
enum value_class {
	CLASS_SIGNED,
	CLASS_UNSIGNED,
	CLASS_BOOL,
	CLASS_BYTES,
	CLASS_IP,
	CLASS_NET,
};
enum value_class value_class_of(enum value_type type);

struct literal {
	struct value value;
	struct cidr net;	   /* CLASS_NET */
	const struct regex *regex; /* OP_REGEX */
};

/* The readings of a path: a comparison outside `not` asks for any, inside for all (decision 1). */
enum quantifier {
	QUANTIFIER_ANY,
	QUANTIFIER_ALL
};

struct predicate {
	uint32_t slot; /* index in program->predicates */
	enum op op;
	enum op_modifier modifier;
	enum quantifier quantifier;
	enum value_class class;
	uint8_t cost;
	bool is_type_test; /* evt.type against constants: decided at compile time */
	const struct operand *left, *right; /* right: NULL where there are literals */
	const struct literal *literals;
	uint32_t literal_cnt;
	/* OP_IN over many literals, OP_PMATCH */
	const struct strset *strings;
	const struct cidr_set *nets;
	const struct pmatch_set *paths;
	struct event_set type_set; /* is_type_test: codes whose name satisfies it */
	struct predicate *sibling; /* the same under the other quantifier, or NULL */
	uint32_t expr_cnt;	   /* leaves over it */
};

/* ---- expressions ------------------------------------------------------------------------------
 */

enum expr_kind {
	EXPR_FALSE,
	EXPR_TRUE,
	EXPR_LEAF,
	EXPR_AND,
	EXPR_OR,
};
/* Negation-normal form: only leaves are negated, so that the absent-value rule stays visible at the
 * leaf (decision 23). Equal expressions are one node. */
struct expr {
	enum expr_kind kind;
	bool is_negated;
	bool has_type_test; /* somewhere below */
	const struct predicate *predicate;
	struct expr **children; /* cheap ones first */
	uint32_t child_cnt, id, cost, needs;
	struct event_set events; /* that can satisfy it (rule-language.md 6.4) */
	struct event_set named;	 /* that a test of evt.type somewhere below asks for by name */
	/* plan.c */
	uint32_t user_cnt;
	uint32_t unit; /* memo slot, or PLAN_NONE: code is inlined in its only user */
	uint32_t entry;
	uint32_t simplified_for; /* event code */
	uint32_t root_of;	 /* last rule that was counted as a user */
	uint32_t call_depth;	 /* units within units, from here; 0: not yet known */
	struct expr *simplified;
};

/* ---- plan ------------------------------------------------------------------------------------ */

#define PLAN_NONE  UINT32_MAX
#define PLAN_TRUE  (UINT32_MAX - 1) /* jump targets: the unit ends with this value */
#define PLAN_FALSE (UINT32_MAX - 2)

enum instruction_op {
	INSTRUCTION_TEST, /* predicate `operand` */
	INSTRUCTION_CALL, /* unit `operand` */
};
struct instruction {
	uint8_t op;
	bool is_negated;
	uint16_t reserved;
	uint32_t operand;
	uint32_t on_true, on_false;
};

/* A shared expression: evaluated at most once an event, whoever asks. */
struct unit {
	uint32_t entry;
	const struct expr *expr;
};

/* A rule as one event code sees it. */
struct plan_entry {
	uint32_t rule;
	uint32_t entry;		 /* first instruction, or PLAN_TRUE */
	uint32_t unit;		 /* where other rules have the same condition, or PLAN_NONE */
	const struct expr *expr; /* simplified for the code */
};
struct plan {
	const struct plan_entry *entries; /* in rule order */
	uint32_t entry_cnt;
	const struct plan_index *index; /* plan_index.h; NULL: try every entry */
};

struct program {
	const struct operand *const *operands;
	const struct predicate *const *predicates;
	uint32_t operand_cnt, predicate_cnt;
	const struct instruction *code;
	uint32_t instruction_cnt;
	const struct unit *units;
	uint32_t unit_cnt;
	uint32_t call_depth;  /* units within units */
	uint32_t row_cnt;     /* of lookups that look for parts of a string */
	uint32_t entries_max; /* of one plan */
	uint32_t expr_cnt;    /* ids of expressions are below */
	struct plan plans[EVENT_CODE__COUNT];
	bool is_match_all;
	bool has_regex;
	const struct compiled_rule *rules;
	uint32_t rule_cnt;
	const struct str *host_names; /* constants that are resolved, each once */
	uint32_t host_name_cnt;
	struct expr *const *expressions; /* by rule, NULL: not compiled */
};

/* dump.c */
void program_format_predicate(const struct predicate *predicate, struct buf *out);

#endif
