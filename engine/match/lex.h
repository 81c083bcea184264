/*
 * Scanning of condition text. What a word is depends on where it stands (`not` is a keyword, a
 * macro or a string), so the parser asks for the kind of token that may come next. Every function
 * either consumes what it names and returns true, or leaves the position alone.
 */
#ifndef HAETAE_MATCH_LEX_H
#define HAETAE_MATCH_LEX_H

#include "defs.h"

struct lexer {
	const struct text *text; /* borrowed */
	uint32_t pos;
	struct arena *arena; /* decoded strings */
	struct diags *diags;
	bool is_out_of_memory;
};

void lexer_init(struct lexer *lexer, const struct text *text, struct arena *arena,
		struct diags *diags);

/* The next byte, or -1 at the end. */
int lex_peek(const struct lexer *lexer);
int lex_peek_at(const struct lexer *lexer, uint32_t ahead);
/* blank = space, tab, \b, CR, LF. */
bool lex_is_blank(int c);
bool lex_is_letter(int c);
void lex_skip_blanks(struct lexer *lexer);
bool lex_char(struct lexer *lexer, char c);
/* The text stands here literally; what follows does not matter. */
bool lex_literal(struct lexer *lexer, const char *literal);
/* The text stands here and is followed by a blank or by one of `others`; only the text is
 * consumed. */
bool lex_keyword(struct lexer *lexer, const char *keyword, const char *others);
/* [a-zA-Z]+[a-zA-Z0-9_]* */
bool lex_identifier(struct lexer *lexer, struct str *ret);
/* Identifiers joined by dots, at least two. */
bool lex_field_name(struct lexer *lexer, struct str *ret);
/* Letters only: how far an unknown operator reaches. */
bool lex_word(struct lexer *lexer, struct str *ret);
bool lex_bare(struct lexer *lexer, struct str *ret);
/* Inside brackets. */
bool lex_bare_argument(struct lexer *lexer, struct str *ret);
bool lex_number(struct lexer *lexer, struct str *ret);

enum lex_result {
	LEX_NONE, /* something else stands here */
	LEX_OK,
	LEX_ERROR, /* reported; the position is behind the string */
};
enum lex_result lex_quoted(struct lexer *lexer, struct str *ret);

/* From `begin` to the position, in the files. */
struct span lex_span(const struct lexer *lexer, uint32_t begin);
/* The next word or byte, for messages: empty at the end. */
struct str lex_next_text(const struct lexer *lexer);

#endif
