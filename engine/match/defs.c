/*
 * Text made of pieces of files, and the tables of definitions. Owns nothing: texts and segments
 * live in the ruleset's arena. Called by the loader, which fills definitions, and by the compiler.
 */
#include "defs.h"

#include "haetae/table.h"

/* The last segment that begins at or before the offset; the first one where none does. */
static const struct text_segment *segment_of(const struct text *text, uint32_t offset)
{
	uint32_t low = 0, high = text->segment_cnt;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (text->segments[middle].text_offset <= offset)
			low = middle;
		else
			high = middle;
	}
	return &text->segments[low];
}

static uint32_t place_in(const struct text_segment *segment, uint32_t offset)
{
	uint32_t ahead = offset > segment->text_offset ? offset - segment->text_offset : 0;

	return segment->file_offset + MIN(ahead, segment->length);
}

struct span text_span(const struct text *text, uint32_t offset, uint32_t length)
{
	const struct text_segment *first, *last;
	struct span span;
	uint32_t end;

	if (text->segment_cnt == 0)
		return SPAN_NONE;
	first = segment_of(text, offset);
	span = (struct span){ first->source, place_in(first, offset), 0 };
	if (length == 0)
		return span;
	last = segment_of(text, offset + length - 1);
	end = place_in(last, offset + length - 1) + 1;
	/* What was appended may stand before, or in another file: then as far as the piece goes. */
	if (last->source != first->source || end <= span.offset)
		end = first->file_offset + first->length;
	span.length = end > span.offset ? end - span.offset : 0;
	return span;
}

static uint32_t copy_segments(struct text_segment *to, const struct text *from, uint32_t shift)
{
	for (uint32_t i = 0; i < from->segment_cnt; i++) {
		to[i] = from->segments[i];
		to[i].text_offset += shift;
	}
	return from->segment_cnt;
}

struct text text_join(struct arena *arena, const struct text *a, const struct text *b)
{
	struct text_segment *segments =
		arena_new_array(arena, struct text_segment, a->segment_cnt + b->segment_cnt);
	uint32_t n = a->s.n + 1 + b->s.n;
	char *p = arena_alloc(arena, (size_t)n + 1);
	struct text joined = { .s = { p, n }, .segments = segments };

	if (!segments || !p)
		return (struct text){ 0 };
	memcpy(p, a->s.p, a->s.n);
	p[a->s.n] = ' ';
	memcpy(p + a->s.n + 1, b->s.p, b->s.n);
	p[n] = '\0';
	joined.segment_cnt = copy_segments(segments, a, 0);
	joined.segment_cnt += copy_segments(segments + joined.segment_cnt, b, a->s.n + 1);
	return joined;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool text_trim(struct arena *arena, struct text *text)
{
	struct text_segment *segments;
	uint32_t skip = 0, kept = 0;

	while (text->s.n > 0 && is_blank(text->s.p[text->s.n - 1]))
		text->s.n--;
	while (skip < text->s.n && is_blank(text->s.p[skip]))
		skip++;
	if (skip == 0)
		return true;
	segments = arena_new_array(arena, struct text_segment, text->segment_cnt);
	if (!segments)
		return false;
	for (uint32_t i = 0; i < text->segment_cnt; i++) {
		struct text_segment segment = text->segments[i];
		uint32_t cut = skip > segment.text_offset ? skip - segment.text_offset : 0;

		if (cut > segment.length || (cut == segment.length && cut > 0))
			continue;
		segment.text_offset = segment.text_offset + cut - skip;
		segment.file_offset += cut;
		segment.length -= cut;
		segments[kept++] = segment;
	}
	text->s = (struct str){ text->s.p + skip, text->s.n - skip };
	text->segments = segments;
	text->segment_cnt = kept;
	return true;
}

struct list_def *defs_find_list(const struct defs *defs, struct str name)
{
	return defs->list_table ? table_find(defs->list_table, str_hash(name), &name) : NULL;
}

struct macro_def *defs_find_macro(const struct defs *defs, struct str name)
{
	return defs->macro_table ? table_find(defs->macro_table, str_hash(name), &name) : NULL;
}

struct rule_def *defs_find_rule(const struct defs *defs, struct str name)
{
	return defs->rule_table ? table_find(defs->rule_table, str_hash(name), &name) : NULL;
}
