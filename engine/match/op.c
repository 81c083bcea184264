/*
 * The operator table. Owns nothing. Called by the parser, the checker and the printers.
 */
#include "op.h"

#include "haetae/diag.h"

#define BIT(type) (1u << VALUE_##type)
#define NUMBERS	  (BIT(S64) | BIT(U64) | BIT(PORT) | BIT(RELTIME) | BIT(ABSTIME) | BIT(FLAGS))
#define STRINGS	  (BIT(STRING) | BIT(PATH))
#define ADDRESSES (BIT(IP) | BIT(NET))
#define ALL	  (NUMBERS | BIT(BOOL) | STRINGS | BIT(BYTES) | ADDRESSES)

/* clang-format off */
static const struct op_info ops[] = {
	[OP_EXISTS]	 = { "exists",	    OP_FORM_NONE,   ALL,		     true,  false, 0 },
	[OP_EQ]		 = { "=",	    OP_FORM_SYMBOL, ALL,		     false, true,  1 },
	[OP_NE]		 = { "!=",	    OP_FORM_SYMBOL, ALL,		     false, true,  1 },
	[OP_LT]		 = { "<",	    OP_FORM_NUMBER, NUMBERS | STRINGS,	     false, true,  1 },
	[OP_LE]		 = { "<=",	    OP_FORM_NUMBER, NUMBERS | STRINGS,	     false, true,  1 },
	[OP_GT]		 = { ">",	    OP_FORM_NUMBER, NUMBERS | STRINGS,	     false, true,  1 },
	[OP_GE]		 = { ">=",	    OP_FORM_NUMBER, NUMBERS | STRINGS,	     false, true,  1 },
	[OP_IN]		 = { "in",	    OP_FORM_LIST,   ALL,		     true,  true,  2 },
	[OP_INTERSECTS]	 = { "intersects",  OP_FORM_LIST,   ALL,		     true,  true,  2 },
	[OP_PMATCH]	 = { "pmatch",	    OP_FORM_LIST,   STRINGS,		     false, false, 16 },
	[OP_CONTAINS]	 = { "contains",    OP_FORM_WORD,   STRINGS | BIT(BYTES),    false, true,  4 },
	[OP_ICONTAINS]	 = { "icontains",   OP_FORM_WORD,   STRINGS,		     false, true,  10 },
	[OP_BCONTAINS]	 = { "bcontains",   OP_FORM_WORD,   BIT(BYTES),		     false, true,  4 },
	[OP_STARTSWITH]	 = { "startswith",  OP_FORM_WORD,   STRINGS | BIT(BYTES),    false, true,  2 },
	[OP_BSTARTSWITH] = { "bstartswith", OP_FORM_WORD,   BIT(BYTES),		     false, true,  2 },
	[OP_ENDSWITH]	 = { "endswith",    OP_FORM_WORD,   STRINGS | BIT(BYTES),    false, true,  2 },
	[OP_GLOB]	 = { "glob",	    OP_FORM_WORD,   STRINGS,		     false, true,  6 },
	[OP_IGLOB]	 = { "iglob",	    OP_FORM_WORD,   STRINGS,		     false, true,  7 },
	[OP_REGEX]	 = { "regex",	    OP_FORM_WORD,   STRINGS,		     false, false, 60 },
};
/* clang-format on */
_Static_assert(ARRAY_LEN(ops) == OP__COUNT, "a row an operator");

static const char *const modifiers[] = {
	[MODIFIER_NONE] = "",
	[MODIFIER_ONEOF] = "oneof",
	[MODIFIER_ANYOF] = "anyof",
	[MODIFIER_ALLOF] = "allof",
};
_Static_assert(ARRAY_LEN(modifiers) == MODIFIER__COUNT, "a name a modifier");

const struct op_info *op_info(enum op op)
{
	return &ops[op];
}

const char *op_modifier_name(enum op_modifier modifier)
{
	return modifiers[modifier];
}

bool op_find(struct str name, enum op *ret)
{
	if (str_eq_text(name, "==")) {
		*ret = OP_EQ;
		return true;
	}
	for (unsigned op = 0; op < OP__COUNT; op++) {
		if (!str_eq_text(name, ops[op].name))
			continue;
		*ret = (enum op)op;
		return true;
	}
	return false;
}

const char *op_near(struct str name)
{
	struct near_name near;

	near_name_init(&near, name);
	for (unsigned op = 0; op < OP__COUNT; op++)
		near_name_offer(&near, ops[op].name);
	return near.best;
}

bool op_modifier_find(struct str name, enum op_modifier *ret)
{
	for (unsigned i = MODIFIER_ONEOF; i < MODIFIER__COUNT; i++) {
		if (!str_eq_text(name, modifiers[i]))
			continue;
		*ret = (enum op_modifier)i;
		return true;
	}
	return false;
}

bool op_fits(enum op op, enum op_modifier modifier, enum value_type type, bool is_list)
{
	const struct op_info *info = op_info(op);

	if (is_list && (!info->takes_list || modifier != MODIFIER_NONE))
		return false;
	return info->types & (1u << type);
}
