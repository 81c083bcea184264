/*
 * Rules, macros and lists given as C strings, compiled and run over values given by name. For tests
 * of the language without YAML.
 */
#ifndef HAETAE_TEST_LANGUAGE_H
#define HAETAE_TEST_LANGUAGE_H

#include "eval.h"
#include "haetae/table.h"

#define LANGUAGE_MAX	   2048
#define LANGUAGE_ITEMS_MAX 64

struct language {
	struct arena arena;
	struct diags diags;
	struct defs defs;
	struct table list_table, macro_table, rule_table;
	bool is_active[LANGUAGE_MAX];
	bool is_match_all;
	struct compiled_rule *rules;
	struct program *program;
	int result; /* of program_compile() */
};

/* A value of a field, by its name; NULL ends. More rows of one name: more values. */
struct given {
	const char *name, *text;
};

void language_init(struct language *language, size_t max_bytes);
void language_done(struct language *language);
/* Each text is a source of its own, so that a span's offset is that in the text. */
struct text language_text(struct language *language, const char *text);
/* items: separated by '|'. */
void language_list(struct language *language, const char *name, const char *items);
void language_macro(struct language *language, const char *name, const char *condition);
struct rule_def *language_rule(struct language *language, const char *condition);
int language_compile(struct language *language);

/* The first diagnostic with the code, or NULL. */
const struct diag *language_diag(const struct language *language, const char *code);

/* Bit i of *ret_hits: rule i (of the first 64) matched. Returns the number of hits. */
unsigned language_run(struct language *language, const char *event, const struct given *given,
		      uint64_t *ret_hits);

#endif
