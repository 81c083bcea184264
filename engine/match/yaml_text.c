/*
 * Maps the value of a YAML scalar back to the file. libyaml gives the value with folding, chomping
 * and escapes applied, and only the place of the whole; here value and source are walked side by
 * side. Blanks and line breaks are what folding changes, everything else stands in both, in the
 * same order. Should the two ever disagree, the rest stays without a place. Owns nothing.
 */
#include "yaml_private.h"

/* YAML 1.1 section 5.4: line breaks are LF, CR, NEL, LS and PS. */
static unsigned break_width(const char *p, const char *end)
{
	if (p == end)
		return 0;
	if (*p == '\n' || *p == '\r')
		return 1;
	if (end - p >= 2 && memcmp(p, "\xc2\x85", 2) == 0)
		return 2;
	if (end - p >= 3 &&
	    (memcmp(p, "\xe2\x80\xa8", 3) == 0 || memcmp(p, "\xe2\x80\xa9", 3) == 0))
		return 3;
	return 0;
}

static unsigned space_width(const char *p, const char *end)
{
	if (p < end && (*p == ' ' || *p == '\t'))
		return 1;
	return break_width(p, end);
}

struct walk {
	const struct yaml_scalar_place *place;
	const char *value, *value_end; /* what is left of the value */
	const char *file, *file_end;   /* and of its source */
	const char *value_begin;
	struct text_segment *segments;
	uint32_t cnt;
	struct arena *arena;
	uint32_t cap;
	bool failed;
};

static bool grow(struct walk *walk)
{
	uint32_t cap = walk->cap * 4;
	struct text_segment *segments = arena_new_array(walk->arena, struct text_segment, cap);

	if (!segments) {
		walk->failed = true;
		return false;
	}
	for (uint32_t i = 0; i < walk->cnt; i++)
		segments[i] = walk->segments[i];
	walk->segments = segments;
	walk->cap = cap;
	return true;
}

/* The next n bytes of the value are the next n of the file. */
static void map(struct walk *walk, uint32_t n)
{
	uint32_t text_offset = (uint32_t)(walk->value - walk->value_begin);
	uint32_t file_offset = (uint32_t)(walk->file - walk->place->file.p);
	struct text_segment *last = walk->cnt ? &walk->segments[walk->cnt - 1] : NULL;

	if (last && last->text_offset + last->length == text_offset &&
	    last->file_offset + last->length == file_offset) {
		last->length += n;
		return;
	}
	if (walk->cnt == walk->cap && !grow(walk))
		return;
	walk->segments[walk->cnt++] =
		(struct text_segment){ text_offset, walk->place->source, file_offset, n };
}

static void advance(struct walk *walk, size_t value, size_t file)
{
	walk->value += MIN(value, (size_t)(walk->value_end - walk->value));
	walk->file += MIN(file, (size_t)(walk->file_end - walk->file));
}

/* A run of blanks and breaks on both sides. Within a line it is the same; around a break folding
 * leaves what it likes. */
static void walk_spaces(struct walk *walk)
{
	const char *file = walk->file, *value = walk->value;
	size_t file_n, value_n;
	bool has_break = false;
	unsigned n;

	while ((n = space_width(file, walk->file_end)) > 0) {
		has_break |= break_width(file, walk->file_end) > 0;
		file += n;
	}
	while ((n = space_width(value, walk->value_end)) > 0)
		value += n;
	file_n = (size_t)(file - walk->file);
	value_n = (size_t)(value - walk->value);
	if (!has_break && file_n <= value_n) {
		/* An escaped blank may follow: take no more than stands here. */
		map(walk, (uint32_t)file_n);
		value_n = file_n;
	} else if (walk->place->style == YAML_DOUBLE_QUOTED_SCALAR_STYLE) {
		/* The same: one break folds to a blank, n+1 to n breaks (YAML 1.1 section 4.2.3).
		 */
		size_t breaks = 0;

		for (file = walk->file; file < walk->file + file_n; file++)
			breaks += *file == '\n' || (*file == '\r' && file[1] != '\n');
		value_n = MIN(value_n, breaks > 1 ? breaks - 1 : (size_t)1);
	}
	advance(walk, value_n, file_n);
}

static unsigned utf8_width(uint32_t code_point)
{
	return code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
}

/* An escape in double quotes (YAML 1.1 section 5.7). */
static void walk_escape(struct walk *walk)
{
	static const char hex_kinds[] = "xuU", narrow[] = "0abt\tnvfre \"/\\";
	static const unsigned hex_digits[] = { 2, 4, 8 };
	size_t left = (size_t)(walk->file_end - walk->file);
	char kind = left > 1 ? walk->file[1] : 0;
	const char *hex = kind ? strchr(hex_kinds, kind) : NULL;
	size_t source_n = 2, value_n = 1;

	if (break_width(walk->file + 1, walk->file_end)) {
		/* The break and the indentation behind it are no part of the value. */
		walk->file++;
		walk->file += break_width(walk->file, walk->file_end);
		while (space_width(walk->file, walk->file_end))
			walk->file += space_width(walk->file, walk->file_end);
		return;
	}
	if (hex) {
		char digits[9] = "";

		source_n += hex_digits[hex - hex_kinds];
		if (left >= source_n)
			memcpy(digits, walk->file + 2, source_n - 2);
		value_n = utf8_width((uint32_t)strtoul(digits, NULL, 16));
	} else if (kind && !strchr(narrow, kind)) {
		value_n = kind == 'N' || kind == '_' ? 2 : 3; /* NEL, NBSP; LS, PS */
	}
	value_n = MIN(value_n, (size_t)(walk->value_end - walk->value));
	map(walk, (uint32_t)MIN(value_n, source_n));
	advance(walk, value_n, source_n);
}

static bool walk_step(struct walk *walk)
{
	bool is_space = space_width(walk->file, walk->file_end) > 0;

	if (walk->file == walk->file_end)
		return false;
	if (*walk->file == '\\' && walk->place->style == YAML_DOUBLE_QUOTED_SCALAR_STYLE) {
		walk_escape(walk);
		return true;
	}
	if (is_space) {
		walk_spaces(walk);
		return true;
	}
	if (*walk->file != *walk->value)
		return false;
	map(walk, 1);
	if (*walk->file == '\'' && walk->place->style == YAML_SINGLE_QUOTED_SCALAR_STYLE)
		advance(walk, 0, 1);
	advance(walk, 1, 1);
	return true;
}

/* Where the content begins and ends in the file. */
static void find_content(struct walk *walk, const struct yaml_scalar_place *place)
{
	walk->file = place->file.p + place->begin;
	walk->file_end = place->file.p + MAX(place->end, place->begin);
	switch (place->style) {
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
		if (walk->file_end - walk->file >= 2) {
			walk->file++;
			walk->file_end--;
		}
		return;
	case YAML_LITERAL_SCALAR_STYLE:
	case YAML_FOLDED_SCALAR_STYLE:
		/* The indicator, a comment and the break. */
		while (walk->file < walk->file_end && !break_width(walk->file, walk->file_end))
			walk->file++;
		return;
	case YAML_ANY_SCALAR_STYLE:
	case YAML_PLAIN_SCALAR_STYLE:
		return;
	}
}

struct text yaml_text(struct arena *texts, const struct yaml_scalar_place *place, struct str value)
{
	struct text text = { .s = arena_str(texts, value) };
	struct walk walk = { .place = place, .arena = texts, .cap = 1 };

	walk.segments = arena_new(texts, struct text_segment);
	if (!text.s.p || !walk.segments)
		return (struct text){ 0 };
	walk.value = walk.value_begin = text.s.p;
	walk.value_end = text.s.p + text.s.n;
	find_content(&walk, place);
	if (text.s.n > 0 && (size_t)(walk.file_end - walk.file) == text.s.n &&
	    memcmp(walk.file, text.s.p, text.s.n) == 0) {
		map(&walk, text.s.n);
		walk.value = walk.value_end;
	}
	while (walk.value < walk.value_end && !walk.failed && walk_step(&walk))
		continue;
	if (walk.failed)
		return (struct text){ 0 };
	/* Even an empty text has a place. */
	if (walk.cnt == 0)
		map(&walk, 0);
	text.segments = walk.segments;
	text.segment_cnt = walk.cnt;
	return text;
}
