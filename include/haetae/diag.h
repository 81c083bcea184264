/*
 * The user's mistakes are data: loader, parser, checker, configuration and command line append
 * diagnostics here and go on, so that one run shows everything. A diagnostic carries a stable
 * code, a span in a source text, and a hint; line and column are computed when it is printed.
 *
 *	rules/demo.yaml:7:14: error[E0301]: unknown field 'proc.nmae'
 *	    7 |   condition: proc.nmae = cat
 *	      |              ^^^^^^^^^
 *	      = hint: did you mean 'proc.name'?
 */
#ifndef HAETAE_DIAG_H
#define HAETAE_DIAG_H

#include <stdio.h>

#include "haetae/arena.h"
#include "haetae/buf.h"

enum diag_level {
	DIAG_NOTE,
	DIAG_WARNING,
	DIAG_ERROR
};

/* Bytes offset .. offset+length of source number `source`; source 0 is "no place". */
struct span {
	uint32_t source, offset, length;
};

#define SPAN_NONE ((struct span){ 0, 0, 0 })

struct diag {
	enum diag_level level;
	const char *code; /* "E0301": static, documented in docs/diagnostics.md */
	struct span at;
	struct str text; /* in the diags' arena */
	struct str hint; /* the same, or STR_NONE */
	bool is_related; /* belongs to the diagnostic before it ("in macro 'x'", "first defined
			    here") */
};

struct diag_source {
	struct str name; /* as the user wrote the path; "<command line>" and the like otherwise */
	struct str text; /* whole content */
	const uint32_t *lines; /* offset of each line's first byte */
	uint32_t line_cnt;
};

struct diags {
	struct arena arena;
	struct diag_source *sources; /* owned; index 0 is unused */
	struct diag *items;	     /* owned, in the order they were raised */
	uint32_t source_cnt, item_cnt, item_cap;
	uint32_t error_cnt, warning_cnt;
	uint32_t suppressed_cnt; /* beyond DIAGS_MAX: counted, not kept; the printer says so */
	bool failed;		 /* out of memory: something was not recorded; counts as an error */
};

#define DIAGS_MAX 10000

void diags_init(struct diags *diags);
void diags_done(struct diags *diags);

/* Registers a text; name and text are copied. Returns its number, 0 where memory is exhausted. */
uint32_t diags_add_source(struct diags *diags, struct str name, struct str text);

/* hint may be NULL. */
void diags_error(struct diags *diags, struct span at, const char *code, const char *hint,
		 const char *format, ...) _printf_(5, 6);
void diags_warning(struct diags *diags, struct span at, const char *code, const char *hint,
		   const char *format, ...) _printf_(5, 6);
void diags_note(struct diags *diags, struct span at, const char *code, const char *hint,
		const char *format, ...) _printf_(5, 6);
/* Adds to the diagnostic raised last. */
void diags_related(struct diags *diags, struct span at, const char *format, ...) _printf_(3, 4);
/* Replaces the hint of the diagnostic raised last. */
void diags_hint(struct diags *diags, const char *format, ...) _printf_(2, 3);

/* By source and place, what has no place first; relatives stay with theirs. Leaves the order alone
 * where memory is exhausted. */
void diags_sort(struct diags *diags);

static inline bool diags_has_errors(const struct diags *diags)
{
	return diags->error_cnt > 0 || diags->failed;
}

struct diag_position {
	uint32_t line, column;	       /* from 1; column counts bytes */
	uint32_t end_line, end_column; /* behind the last byte */
};

struct diag_position diags_position(const struct diags *diags, struct span at);

/* For people, in the form above. want_color adds ANSI colours. */
void diags_print(const struct diags *diags, FILE *out, bool want_color);
/* One JSON array: [{level, code, message, hint, file, line, column, end_line, end_column,
 * related: [{message, file, line, column}]}]. */
void diags_format_json(const struct diags *diags, struct buf *out);

/* The nearest of the candidates by edit distance, for "did you mean"; NULL where none is near
 * (distance at most a third of the word's length, at least 1). Candidates are given one by one:
 * start with best = {0}. */
struct near_name {
	struct str word;
	const char *best;
	unsigned distance;
};
void near_name_init(struct near_name *near, struct str word);
void near_name_offer(struct near_name *near, const char *candidate);

#endif
