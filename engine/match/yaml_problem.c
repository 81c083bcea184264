/*
 * Syntax errors in our own words. libyaml says what it expected; the user wants to know which line
 * to change and how. Owns nothing. Called by the reader when libyaml gives up.
 */
#include <stdio.h>

#include "yaml_private.h"

static uint32_t line_begin(struct str file, uint32_t offset)
{
	while (offset > 0 && file.p[offset - 1] != '\n')
		offset--;
	return offset;
}

static uint32_t line_end(struct str file, uint32_t offset)
{
	while (offset < file.n && file.p[offset] != '\n' && file.p[offset] != '\r')
		offset++;
	return offset;
}

uint32_t yaml_next_item(struct str text, uint32_t offset)
{
	while (offset < text.n) {
		const char *newline = memchr(text.p + offset, '\n', text.n - offset);

		if (!newline)
			return text.n;
		offset = (uint32_t)(newline + 1 - text.p);
		if (offset >= text.n || text.p[offset] != '-')
			continue;
		if (offset + 1 == text.n || memchr(" \t\r\n", text.p[offset + 1], 4))
			return offset;
	}
	return text.n;
}

/* From the offset, or from the first letter behind it, to the end of the line or of the word. */
static struct span span_at(const struct yaml_problem *problem, uint32_t offset, bool is_word)
{
	struct str file = problem->file;
	uint32_t begin = MIN(offset, file.n), end;

	while (begin < file.n && file.p[begin] == ' ')
		begin++;
	end = line_end(file, begin);
	for (uint32_t i = begin; is_word && i < end; i++)
		if (file.p[i] == ' ')
			end = i;
	return (struct span){ problem->source, begin, MAX(end - begin, end < file.n ? 1u : 0u) };
}

static bool says(const struct yaml_problem *problem, const char *words)
{
	return strstr(problem->problem, words) != NULL;
}

static bool is_in(const struct yaml_problem *problem, const char *words)
{
	return problem->context && strstr(problem->context, words) != NULL;
}

static char char_at(const struct yaml_problem *problem, uint32_t offset)
{
	return offset < problem->file.n ? problem->file.p[offset] : '\n';
}

static uint32_t column_of(struct str file, uint32_t offset)
{
	return offset - line_begin(file, offset) + 1;
}

static bool is_key_line(struct str file, uint32_t offset)
{
	struct str line = { file.p + offset, line_end(file, offset) - offset };

	return str_contains(line, STR(": ")) || str_ends_with(line, STR(":"));
}

/* Where the line should stand: the list in which the parser is tells the column of its '-', and by
 * habit that of the keys. */
static void hint_indentation(struct diags *diags, const struct yaml_problem *problem)
{
	uint32_t list_column = column_of(problem->file, problem->context_offset);

	if (is_in(problem, "block collection") && list_column > 1)
		diags_hint(
			diags,
			"the list above has its '- ' in column %u; indent the keys of its entries "
			"by %u",
			list_column, list_column + 1);
	else if (problem->key_column > 1)
		diags_hint(diags,
			   "the item's first key stands in column %u; indent this line by %u",
			   problem->key_column, problem->key_column - 1);
}

/* A plain value ends at " #", and goes on in the next line as far as the user is concerned. */
static bool is_behind_comment(const struct yaml_problem *problem, uint32_t begin)
{
	struct str file = problem->file;
	uint32_t i = problem->scalar_end;

	if (!problem->has_scalar || problem->is_scalar_quoted || problem->is_scalar_block)
		return false;
	while (i < file.n && file.p[i] == ' ')
		i++;
	return i < file.n && file.p[i] == '#' && line_end(file, i) + 2 >= begin;
}

static void report_indentation(struct diags *diags, const struct yaml_problem *problem)
{
	uint32_t begin = line_begin(problem->file, problem->offset);
	struct span at = span_at(problem, begin, true);
	uint32_t blanks = at.offset - begin;

	if (problem->has_scalar && problem->is_scalar_block && problem->scalar_end + 1 >= begin &&
	    !is_key_line(problem->file, begin)) {
		diags_error(diags, at, "E0105", "indent it like the first line of the text",
			    "this line is indented less than the text block above it");
	} else if (is_behind_comment(problem, begin) && !is_key_line(problem->file, begin)) {
		diags_error(diags, at, "E0104", "put quotes around the whole value",
			    "the value above ended at its ' #', which begins a comment");
	} else if (blanks == 0) {
		diags_error(diags, at, "E0105",
			    "begin an item with '- ' and indent its other keys by two blanks",
			    "this line stands at the left margin, outside of any item");
	} else {
		diags_error(diags, at, "E0105", "indent all keys of an item alike",
			    "bad indentation: %u blank%s", blanks, blanks == 1 ? "" : "s");
		hint_indentation(diags, problem);
	}
}

/* "key: value" where a value was going on. */
static void report_colon(struct diags *diags, const struct yaml_problem *problem)
{
	uint32_t begin = line_begin(problem->file, problem->offset);

	if (problem->has_scalar && problem->scalar_begin < begin) {
		diags_error(diags, span_at(problem, begin, true), "E0105",
			    "indent all keys of an item alike",
			    "this line is indented deeper than the key above it, and continues its "
			    "value");
		if (problem->key_column > 1)
			diags_hint(
				diags,
				"the item's first key stands in column %u; indent this line by %u",
				problem->key_column, problem->key_column - 1);
		return;
	}
	diags_error(diags, (struct span){ problem->source, problem->offset, 1 }, "E0104",
		    "a value that holds ': ' needs quotes around it",
		    "a second ':' in a line of the form key: value");
}

/* Behind a whole value stands something else. */
static void report_behind_value(struct diags *diags, const struct yaml_problem *problem)
{
	uint32_t begin = line_begin(problem->file, problem->offset);

	if (span_at(problem, begin, true).offset >= problem->offset)
		report_indentation(diags, problem);
	else if (problem->has_scalar && problem->is_scalar_quoted && problem->scalar_end > begin)
		diags_error(
			diags, span_at(problem, problem->offset, false), "E0107",
			"a quote at the begin of a value quotes all of it: put the other kind of "
			"quotes around the whole",
			"text behind a closing quote");
	else
		diags_error(diags, span_at(problem, problem->offset, false), "E0108",
			    "remove it, or put quotes around the whole value",
			    "text behind the end of a list or map");
}

static void report_unclosed_quote(struct diags *diags, const struct yaml_problem *problem,
				  uint32_t offset)
{
	char quote = char_at(problem, offset);

	diags_error(diags, span_at(problem, offset, false), "E0107", NULL,
		    "a quoted text without an end");
	diags_hint(diags,
		   quote == '\'' ? "close it with '; inside, ' is written twice"
				 : "close it with %c; inside, it is written \\%c",
		   quote, quote);
}

static void report_start(struct diags *diags, const struct yaml_problem *problem)
{
	char c = char_at(problem, problem->offset);

	if (c == '\t')
		diags_error(diags, (struct span){ problem->source, problem->offset, 1 }, "E0106",
			    "indent with blanks", "a tab where YAML wants blanks");
	else
		diags_error(diags, span_at(problem, problem->offset, false), "E0104",
			    "put quotes around the value", "a value cannot begin with '%c'", c);
}

static void report_missing_colon(struct diags *diags, const struct yaml_problem *problem)
{
	diags_error(
		diags, span_at(problem, problem->context_offset, false), "E0104",
		"write key: value; a text that goes on in the next line is indented deeper than "
		"its key",
		"a line without a ':' where a key is expected");
}

static void report_bracket(struct diags *diags, const struct yaml_problem *problem)
{
	char open = char_at(problem, problem->context_offset);

	diags_error(diags, span_at(problem, problem->context_offset, false), "E0108", NULL,
		    open == '{' ? "a map in { } without an end" : "a list in [ ] without an end");
	diags_hint(diags, "close it with '%c'; quote values that hold brackets, commas or quotes",
		   open == '{' ? '}' : ']');
	if (problem->offset < problem->resume_offset)
		diags_related(diags, (struct span){ problem->source, problem->offset, 1 },
			      "this is not expected in it");
}

static void report_other(struct diags *diags, const struct yaml_problem *problem)
{
	static const struct {
		const char *words, *code, *text, *hint;
	} rows[] = {
		{ "tab character", "E0106", "a tab where YAML wants blanks", "indent with blanks" },
		{ "unknown escape", "E0104", "unknown escape in double quotes",
		  "in single quotes a backslash is a backslash" },
		{ "hexdecimal number", "E0104", "an escape without its hexadecimal digits",
		  "\\xHH, \\uHHHH or \\UHHHHHHHH; in single quotes a backslash is a backslash" },
		{ "Unicode character", "E0104", "an escape that is no character",
		  "use a code point up to 10FFFF" },
		{ "comment or line break", "E0104", "text behind the '>' or '|' of a text block",
		  "the text begins on the next line; > or | at the begin of a value needs quotes" },
		{ "block sequence entries", "E0105", "a '- ' cannot stand here",
		  "a list begins on the line below its key; quote a value that begins with '- '" },
		{ "mapping keys", "E0105", "a key cannot stand here",
		  "a map begins on the line below its key" },
		{ "alphabetic or numeric", "E0104",
		  "'*' and '&' at the begin of a value are YAML's own",
		  "put quotes around the value" },
		{ "node content", "E0104", "a value is expected here",
		  "quote a value that begins with a character such as , ] or }" },
		{ "tag", "E0104", "'!' at the begin of a value is YAML's own",
		  "put quotes around the value" },
		{ "<document start>", "E0105", "this is outside of the list of items",
		  "begin an item with '- ' at the left margin" },
		{ "incompatible YAML", "E0104", "this version of YAML is not known",
		  "leave out the line %YAML" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		if (!says(problem, rows[i].words) && !is_in(problem, rows[i].words))
			continue;
		diags_error(diags, span_at(problem, problem->offset, false), rows[i].code,
			    rows[i].hint, "%s", rows[i].text);
		return;
	}
	diags_error(diags, span_at(problem, problem->offset, false), "E0104",
		    "put quotes around the value, or check the indentation", "%s",
		    problem->problem);
}

void yaml_report(struct diags *diags, const struct yaml_problem *problem)
{
	bool is_far = problem->offset >= problem->resume_offset;

	if (is_in(problem, "quoted scalar") &&
	    (says(problem, "end of stream") || says(problem, "document indicator")))
		report_unclosed_quote(diags, problem, problem->context_offset);
	else if (is_far && problem->has_scalar && problem->is_scalar_quoted &&
		 problem->scalar_end > problem->resume_offset)
		/* It closed at the first quote of a later item. */
		report_unclosed_quote(diags, problem, problem->scalar_begin);
	else if (says(problem, "expected ',' or"))
		report_bracket(diags, problem);
	else if (says(problem, "cannot start any token"))
		report_start(diags, problem);
	else if (says(problem, "mapping values are not allowed"))
		report_colon(diags, problem);
	else if (says(problem, "expected '-' indicator"))
		report_indentation(diags, problem);
	else if (says(problem, "did not find expected key"))
		report_behind_value(diags, problem);
	else if (says(problem, "could not find expected ':'"))
		report_missing_colon(diags, problem);
	else
		report_other(diags, problem);
}
