/*
 * What is no text for YAML: invalid UTF-8 and control characters. Each run of such bytes is
 * reported once and replaced by question marks, so that every other byte keeps its place and the
 * rest of the file is still read. Owns nothing. Called before parsing.
 */
#include "yaml_private.h"

#include "haetae/text.h"

/* A file with more than this is not a text with a mistake in it. */
#define RUNS_MAX 10

/* YAML 1.1 section 5.1, which is what libyaml's reader refuses. */
static bool is_allowed(const char *p, unsigned width)
{
	unsigned char c = (unsigned char)*p;

	if (width == 1)
		return (c >= 0x20 && c < 0x7f) || c == '\t' || c == '\n' || c == '\r';
	if (width == 2)
		return c != 0xc2 || (unsigned char)p[1] >= 0xa0 || (unsigned char)p[1] == 0x85;
	if (width == 3)
		return memcmp(p, YAML_BOM, 3) && memcmp(p, "\xef\xbf\xbe", 3) &&
		       memcmp(p, "\xef\xbf\xbf", 3);
	return width == 4;
}

/* Bytes at p that are fine: 0 where they are not. */
static unsigned good_width(const char *p, const char *end)
{
	unsigned width = utf8_sequence(p, end);

	return width && is_allowed(p, width) ? width : 0;
}

static void report_run(struct diags *diags, struct span at, const char *p)
{
	unsigned char c = (unsigned char)*p;

	if (c == 0)
		diags_error(diags, at, "E0103", "is this a text file in UTF-8?",
			    "a NUL byte in the file");
	else if (c < 0x20 || c == 0x7f)
		diags_error(diags, at, "E0103",
			    "write \\xHH in a string in double quotes where it is meant",
			    "control character 0x%02x", c);
	else
		diags_error(diags, at, "E0103", "save the file as UTF-8",
			    "byte 0x%02x is not valid in UTF-8 text", c);
}

static bool is_utf16(struct str text)
{
	return text.n >= 2 &&
	       (memcmp(text.p, "\xff\xfe", 2) == 0 || memcmp(text.p, "\xfe\xff", 2) == 0);
}

bool yaml_clean(struct arena *arena, uint32_t source, struct diags *diags, struct str *text)
{
	const char *end = text->p + text->n;
	const char *begin = text->p + (str_starts_with(*text, STR(YAML_BOM)) ? STR(YAML_BOM).n : 0);
	unsigned runs = 0;
	char *copy = NULL;

	if (is_utf16(*text)) {
		diags_error(diags, (struct span){ source, 0, 2 }, "E0103", "save the file as UTF-8",
			    "the file is in UTF-16");
		return false;
	}
	for (const char *p = begin; p < end;) {
		unsigned width = good_width(p, end);

		if (width) {
			p += width;
			continue;
		}
		begin = p;
		while (p < end && !good_width(p, end))
			p++;
		if (!copy)
			copy = (char *)(uintptr_t)arena_str(arena, *text).p;
		if (!copy)
			return false;
		memset(copy + (begin - text->p), '?', (size_t)(p - begin));
		report_run(
			diags,
			(struct span){ source, (uint32_t)(begin - text->p), (uint32_t)(p - begin) },
			begin);
		if (++runs > RUNS_MAX) {
			diags_error(diags, SPAN_NONE, "E0103", "give a rule file in UTF-8",
				    "%.*s is not a text file; it is not read further",
				    STR_ARG(diags->sources[source].name));
			return false;
		}
	}
	if (copy)
		text->p = copy;
	return true;
}
