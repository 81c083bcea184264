/*
 * Diagnostics are collected here; diag_print.c renders them. Owns the copies of all sources and
 * texts, in one arena, freed with the list.
 */
#include "haetae/diag.h"

#include <stdarg.h>

/* Sources are whole rule files; a limit beyond any real set, so that a runaway loader ends. */
#define DIAGS_ARENA_MAX (1u << 30)

void diags_init(struct diags *diags)
{
	*diags = (struct diags){ 0 };
	arena_init(&diags->arena, DIAGS_ARENA_MAX);
}

void diags_done(struct diags *diags)
{
	free(diags->sources);
	free(diags->items);
	arena_done(&diags->arena);
	*diags = (struct diags){ 0 };
}

static bool index_lines(struct diags *diags, struct diag_source *source)
{
	uint32_t *lines, cnt = 1;

	for (uint32_t i = 0; i < source->text.n; i++)
		cnt += source->text.p[i] == '\n';
	lines = arena_new_array(&diags->arena, uint32_t, cnt);
	if (!lines)
		return false;
	source->lines = lines;
	source->line_cnt = 1;
	for (uint32_t i = 0; i < source->text.n; i++)
		if (source->text.p[i] == '\n')
			lines[source->line_cnt++] = i + 1;
	return true;
}

uint32_t diags_add_source(struct diags *diags, struct str name, struct str text)
{
	uint32_t number = diags->source_cnt ? diags->source_cnt : 1;
	struct diag_source *sources, source = { 0 };

	sources = realloc(diags->sources, (number + 1) * sizeof(*sources));
	if (sources)
		diags->sources = sources;
	source.name = arena_str(&diags->arena, name);
	source.text = arena_str(&diags->arena, text);
	if (!sources || !source.name.p || !source.text.p || !index_lines(diags, &source)) {
		diags->failed = true;
		return 0;
	}
	sources[0] = (struct diag_source){ .name = STR(""), .text = STR("") };
	sources[number] = source;
	diags->source_cnt = number + 1;
	return number;
}

static _printf_(2, 0) struct str format_text(struct diags *diags, const char *format, va_list args)
{
	_cleanup_(buf_done) struct buf text;

	buf_init(&text, 16384);
	buf_vprintf(&text, format, args);
	return arena_str(&diags->arena, buf_str(&text));
}

static struct diag *append(struct diags *diags)
{
	if (diags->item_cnt >= DIAGS_MAX) {
		diags->suppressed_cnt++;
		return NULL;
	}
	if (diags->item_cnt == diags->item_cap) {
		uint32_t cap = diags->item_cap ? diags->item_cap * 2 : 16;
		struct diag *items = realloc(diags->items, cap * sizeof(*items));

		if (!items) {
			diags->failed = true;
			return NULL;
		}
		diags->items = items;
		diags->item_cap = cap;
	}
	return &diags->items[diags->item_cnt++];
}

static _printf_(6, 0) void add(struct diags *diags, enum diag_level level, struct span at,
			       const char *code, const char *hint, const char *format, va_list args)
{
	struct diag *diag = append(diags);

	diags->error_cnt += level == DIAG_ERROR;
	diags->warning_cnt += level == DIAG_WARNING;
	if (!diag)
		return;
	*diag = (struct diag){ .level = level, .code = code, .at = at };
	diag->text = format_text(diags, format, args);
	if (hint)
		diag->hint = arena_str(&diags->arena, str_from(hint));
	if (!diag->text.p)
		diags->failed = true;
}

void diags_error(struct diags *diags, struct span at, const char *code, const char *hint,
		 const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(diags, DIAG_ERROR, at, code, hint, format, args);
	va_end(args);
}

void diags_warning(struct diags *diags, struct span at, const char *code, const char *hint,
		   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(diags, DIAG_WARNING, at, code, hint, format, args);
	va_end(args);
}

void diags_note(struct diags *diags, struct span at, const char *code, const char *hint,
		const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(diags, DIAG_NOTE, at, code, hint, format, args);
	va_end(args);
}

void diags_related(struct diags *diags, struct span at, const char *format, ...)
{
	struct diag *diag;
	va_list args;

	/* What was suppressed takes its relatives along. */
	if (diags->suppressed_cnt || diags->item_cnt == 0)
		return;
	diag = append(diags);
	if (!diag)
		return;
	*diag = (struct diag){ .level = DIAG_NOTE, .code = "", .at = at, .is_related = true };
	va_start(args, format);
	diag->text = format_text(diags, format, args);
	va_end(args);
}

void diags_hint(struct diags *diags, const char *format, ...)
{
	uint32_t i = diags->item_cnt;
	va_list args;

	if (diags->suppressed_cnt)
		return;
	while (i > 0 && diags->items[i - 1].is_related)
		i--;
	if (i == 0)
		return;
	va_start(args, format);
	diags->items[i - 1].hint = format_text(diags, format, args);
	va_end(args);
}

/* A diagnostic with its relatives. */
struct group {
	struct span at;
	uint32_t begin, cnt;
};

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->at.source != y->at.source)
		return x->at.source < y->at.source ? -1 : 1;
	if (x->at.offset != y->at.offset)
		return x->at.offset < y->at.offset ? -1 : 1;
	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

void diags_sort(struct diags *diags)
{
	_cleanup_(freep) struct group *groups = calloc(diags->item_cnt + 1u, sizeof(*groups));
	_cleanup_(freep) struct diag *sorted = calloc(diags->item_cap + 1u, sizeof(*sorted));
	uint32_t group_cnt = 0, cnt = 0;

	if (!groups || !sorted)
		return;
	for (uint32_t i = 0; i < diags->item_cnt; i++) {
		if (group_cnt == 0 || !diags->items[i].is_related)
			groups[group_cnt++] = (struct group){ diags->items[i].at, i, 0 };
		groups[group_cnt - 1].cnt++;
	}
	qsort(groups, group_cnt, sizeof(*groups), compare_groups);
	for (uint32_t i = 0; i < group_cnt; i++) {
		memcpy(sorted + cnt, diags->items + groups[i].begin,
		       groups[i].cnt * sizeof(*sorted));
		cnt += groups[i].cnt;
	}
	free(diags->items);
	diags->items = TAKE_PTR(sorted);
}

/* The last line that begins at or before the offset. */
static uint32_t line_of(const struct diag_source *source, uint32_t offset)
{
	uint32_t low = 0, high = source->line_cnt;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (source->lines[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct diag_position diags_position(const struct diags *diags, struct span at)
{
	const struct diag_source *source;
	uint32_t begin, end, first, last;

	if (at.source == 0 || at.source >= diags->source_cnt)
		return (struct diag_position){ 0 };
	source = &diags->sources[at.source];
	begin = MIN(at.offset, source->text.n);
	end = MIN(begin + at.length, source->text.n);
	first = line_of(source, begin);
	last = line_of(source, end);
	return (struct diag_position){ first + 1, begin - source->lines[first] + 1, last + 1,
				       end - source->lines[last] + 1 };
}
