/*
 * What the loader hands to the compiler: lists, macros and rules as written, merged over all files,
 * every piece of text with its place in the files. In the ruleset's arena; immutable once compiled.
 * Inside the match stage only.
 */
#ifndef HAETAE_MATCH_DEFS_H
#define HAETAE_MATCH_DEFS_H

#include "haetae/diag.h"
#include "haetae/rules.h"

/* Text made of pieces of files: a YAML scalar whose folding dropped indentation and line breaks, or
 * two such joined by `append`. Each segment maps `length` bytes of the text to a file; bytes in no
 * segment (a joining blank) map to the end of the segment before. */
struct text_segment {
	uint32_t text_offset;
	uint32_t source, file_offset;
	uint32_t length;
};
struct text {
	struct str s;
	const struct text_segment *segments; /* by text_offset */
	uint32_t segment_cnt;
};
/* The place of text[offset .. offset+length) in the files: one span from the first byte's place to
 * the last byte's. */
struct span text_span(const struct text *text, uint32_t offset, uint32_t length);
static inline struct span text_whole(const struct text *text)
{
	return text_span(text, 0, text->s.n);
}
/* a + " " + b. The result's s.p is NULL where memory is exhausted. */
struct text text_join(struct arena *arena, const struct text *a, const struct text *b);
/* Takes blanks and line breaks off both ends. False where memory is exhausted. */
bool text_trim(struct arena *arena, struct text *text);

/* Where an item that defines stands; for people, when the diagnostics are gone. In the arena. */
struct def_place {
	struct str file;
	uint32_t line;
};

/* Creation order over all files (`index`), index of the last item that defined or appended
 * (`visibility`), number of the file that created it and of the file that touched it last
 * (rule-language.md 1.7). */
struct def_order {
	uint32_t index, visibility;
	uint32_t first_file, last_file;
};

struct list_def {
	struct text name;
	const struct text *items;
	uint32_t item_cnt;
	uint32_t item_cap; /* the loader's, while it appends */
	struct def_order order;
	struct def_place place;
	bool is_used; /* set by the compiler */
};

struct macro_def {
	struct text name;
	struct text condition;
	struct def_order order;
	struct def_place place;
	bool is_broken; /* has no condition, which was reported: what refers to it is silent */
	bool is_used;	/* set by the compiler */
};

/* One value of an exception: a scalar (one text) or a list of them. */
struct exception_value {
	bool is_list;
	const struct text *items;
	uint32_t item_cnt;
};
/* One row of values: as many as fields; one in the single form. */
struct exception_row {
	const struct exception_value *values;
	uint32_t value_cnt;
	struct span at;
};
struct exception_def {
	struct text name;
	bool is_single; /* `fields` was a scalar */
	const struct text *fields;
	const struct text *comps; /* filled with the defaults */
	uint32_t field_cnt;
	const struct exception_row *rows;
	uint32_t row_cnt;
	uint32_t row_cap; /* the loader's, while it appends */
};

struct rule_def {
	struct text name, desc, condition, output, source;
	struct span priority_at;
	enum priority priority;
	bool is_enabled, want_evttypes_warning, skip_if_unknown_filter, want_capture;
	uint32_t capture_ms;	/* 0: not said */
	bool sees_all;		/* unusual events, too, unnamed (rules_own) */
	bool is_self_test;	/* rules_options.self_test */
	bool is_foreign;	/* a source that is not ours: kept, never compiled */
	const struct str *tags; /* sorted, unique */
	uint32_t tag_cnt;
	const struct exception_def *exceptions;
	uint32_t exception_cnt;
	uint32_t exception_cap; /* the loader's, while it appends */
	struct def_order order;
	struct def_place place;
};

struct defs {
	struct list_def *lists;
	struct macro_def *macros;
	struct rule_def *rules; /* in evaluation order */
	uint32_t list_cnt, macro_cnt, rule_cnt;
	/* Lookups by name, hashed; NULL where there is none. */
	struct table *list_table, *macro_table, *rule_table;
};
struct list_def *defs_find_list(const struct defs *defs, struct str name);
struct macro_def *defs_find_macro(const struct defs *defs, struct str name);
struct rule_def *defs_find_rule(const struct defs *defs, struct str name);

/* ---- the compiler, as the loader and the matcher see it -------------------------------------- */

struct program; /* compiled conditions of all rules: DAG, plans, slots; immutable */

/* A rule as the compiler left it. */
struct compiled_rule {
	const struct rule_def *def;
	struct event_set events;
	uint32_t needs;			  /* FIELD_NEEDS_… of its condition */
	bool is_skipped;		  /* skip-if-unknown-filter applied */
	bool is_invalid;		  /* diagnostics were raised */
	const struct ast_node *condition; /* resolved and checked, for explain */
};

/* Resolves, checks and compiles every rule of defs, disabled ones too; all problems go to diags.
 * is_active[i] says which rules take part in evaluation (enabled, selected, priority).
 * Returns 0, RULES_E_INVALID or -ENOMEM; rules[] (defs->rule_cnt entries, in the arena) is set in
 * the first two cases, *ret only on 0. */
int program_compile(struct arena *arena, struct defs *defs, const bool *is_active,
		    bool is_match_all, struct diags *diags, struct compiled_rule **ret_rules,
		    struct program **ret);

/* Of ruleset.c, for the matcher; rule i of the ruleset is rule i of defs. */
const struct program *ruleset_program(const struct ruleset *ruleset);

/* The expanded condition as one expression; `with_origin` adds a comment to each part that came
 * from a macro or list: where from. */
void ast_format(const struct ast_node *node, bool with_origin, struct buf *out);
/* The instructions of one rule, with slots and how many rules share each. */
void program_dump_rule(const struct program *program, const struct compiled_rule *rule,
		       struct buf *out);
/* The shared units that its instructions call. */
void program_dump_units(const struct program *program, const struct compiled_rule *rule,
			struct buf *out);
void program_dump(const struct program *program, struct buf *out);

#endif
