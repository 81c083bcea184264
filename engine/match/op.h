/*
 * Operators of conditions: how they are written and which types they take (rule-language.md 2.1,
 * 2.3).
 */
#ifndef HAETAE_MATCH_OP_H
#define HAETAE_MATCH_OP_H

#include "haetae/field.h"

enum op {
	OP_EXISTS,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_IN,
	OP_INTERSECTS,
	OP_PMATCH,
	OP_CONTAINS,
	OP_ICONTAINS,
	OP_BCONTAINS,
	OP_STARTSWITH,
	OP_BSTARTSWITH,
	OP_ENDSWITH,
	OP_GLOB,
	OP_IGLOB,
	OP_REGEX,
	OP__COUNT
};

/* What stands behind the operator. */
enum op_form {
	OP_FORM_NONE,	/* exists */
	OP_FORM_NUMBER, /* < : a number or a right side */
	OP_FORM_SYMBOL, /* = : a string, a right side, or a modifier and a list */
	OP_FORM_WORD,	/* the same, and a blank must follow the operator */
	OP_FORM_LIST,	/* in: a list, one word, or a right side */
};

enum op_modifier {
	MODIFIER_NONE,
	MODIFIER_ONEOF,
	MODIFIER_ANYOF,
	MODIFIER_ALLOF,
	MODIFIER__COUNT
};

struct op_info {
	const char *name;
	enum op_form form;
	uint32_t types;	       /* bit per enum value_type */
	bool takes_list;       /* list-valued fields */
	bool takes_right_side; /* val() and transformers */
	uint8_t cost;	       /* rough, for the order of tests */
};

const struct op_info *op_info(enum op op);
const char *op_modifier_name(enum op_modifier modifier);
/* The operator whose name is exactly `name`; false where it is none. "==" is OP_EQ. */
bool op_find(struct str name, enum op *ret);
/* The nearest operator for "did you mean", or NULL. */
const char *op_near(struct str name);
bool op_modifier_find(struct str name, enum op_modifier *ret);
/* True where the type may be combined with the operator under the modifier. */
bool op_fits(enum op op, enum op_modifier modifier, enum value_type type, bool is_list);

static inline bool op_takes_list(enum op op, enum op_modifier modifier)
{
	return op_info(op)->form == OP_FORM_LIST || modifier != MODIFIER_NONE;
}

#endif
