/*
 * Diagnostics for people (source line, caret, hint) and for programs (JSON), and "did you mean".
 * Reads struct diags, owns nothing.
 */
#include "haetae/diag.h"

#include "haetae/text.h"

#define LINE_SHOWN_MAX 160 /* bytes of a source line; longer ones are shown around the span */

static struct str source_line(const struct diag_source *source, uint32_t offset)
{
	const char *text = source->text.p;
	uint32_t begin = MIN(offset, source->text.n), end = begin;

	while (begin > 0 && text[begin - 1] != '\n')
		begin--;
	while (end < source->text.n && text[end] != '\n')
		end++;
	if (end > begin && text[end - 1] == '\r')
		end--;
	return (struct str){ text + begin, end - begin };
}

/* Columns on the terminal: tabs count one because the line is printed with them as blanks. */
static void put_columns(struct buf *out, struct str s)
{
	for (uint32_t i = 0; i < s.n; i++) {
		unsigned n = utf8_sequence(s.p + i, s.p + s.n);

		if (s.p[i] == '\t')
			buf_putc(out, ' ');
		else if (n)
			text_put_line(out, (struct str){ s.p + i, n });
		else
			buf_putc(out, '?');
		i += n > 1 ? n - 1 : 0;
	}
}

static uint32_t column_count(struct str s)
{
	_cleanup_(buf_done) struct buf shown;
	uint32_t count = 0;

	buf_init(&shown, 8 * LINE_SHOWN_MAX);
	put_columns(&shown, s);
	for (size_t i = 0; i < shown.n; i++)
		count += (shown.p[i] & 0xc0) != 0x80;
	return count;
}

static void put_repeated(struct buf *out, char c, uint32_t count)
{
	while (count-- > 0)
		buf_putc(out, c);
}

static void put_source_line(const struct diags *diags, const struct diag *diag, bool want_color,
			    struct buf *out)
{
	const struct diag_source *source = &diags->sources[diag->at.source];
	struct diag_position position = diags_position(diags, diag->at);
	struct str line = source_line(source, diag->at.offset);
	uint32_t before = position.column - 1, width;
	uint32_t skip = before > LINE_SHOWN_MAX / 2 ? before - LINE_SHOWN_MAX / 2 : 0;

	before = MIN(before, line.n);
	skip = MIN(skip, before);
	line = (struct str){ line.p + skip, MIN(line.n - skip, LINE_SHOWN_MAX) };
	before -= skip;
	width = MIN(MAX(diag->at.length, 1u), MAX(line.n - MIN(before, line.n), 1u));
	buf_printf(out, "%5u | ", position.line);
	put_columns(out, line);
	buf_puts(out, "\n      | ");
	put_repeated(out, ' ', column_count((struct str){ line.p, MIN(before, line.n) }));
	buf_puts(out, want_color ? "\033[1;32m" : "");
	put_repeated(out, '^',
		     before < line.n ? MAX(column_count((struct str){
						   line.p + before, MIN(width, line.n - before) }),
					   1u)
				     : 1);
	buf_puts(out, want_color ? "\033[0m\n" : "\n");
}

static void put_place(const struct diags *diags, struct span at, struct buf *out)
{
	struct diag_position position = diags_position(diags, at);

	if (position.line == 0)
		return;
	text_put_line(out, diags->sources[at.source].name);
	buf_printf(out, ":%u:%u: ", position.line, position.column);
}

static void put_diag(const struct diags *diags, const struct diag *diag, bool want_color,
		     struct buf *out)
{
	static const char *const names[] = { "note", "warning", "error" };
	static const char *const colors[] = { "\033[1;36m", "\033[1;35m", "\033[1;31m" };

	put_place(diags, diag->at, out);
	buf_puts(out, want_color ? colors[diag->level] : "");
	buf_puts(out, names[diag->level]);
	if (diag->code[0])
		buf_printf(out, "[%s]", diag->code);
	buf_puts(out, want_color ? "\033[0m: " : ": ");
	text_put_line(out, diag->text);
	buf_putc(out, '\n');
	if (diag->at.source > 0 && diag->at.source < diags->source_cnt)
		put_source_line(diags, diag, want_color, out);
	if (diag->hint.p) {
		buf_puts(out, "      = hint: ");
		text_put_line(out, diag->hint);
		buf_putc(out, '\n');
	}
}

void diags_print(const struct diags *diags, FILE *out, bool want_color)
{
	for (uint32_t i = 0; i < diags->item_cnt; i++) {
		_cleanup_(buf_done) struct buf text;

		buf_init(&text, 1u << 20);
		put_diag(diags, &diags->items[i], want_color, &text);
		fwrite(buf_str(&text).p, 1, buf_str(&text).n, out);
	}
	if (diags->suppressed_cnt)
		fprintf(out, "… and %u more, not shown\n", diags->suppressed_cnt);
	if (diags->failed)
		fprintf(out, "error: out of memory while diagnostics were collected\n");
}

static void put_json_place(const struct diags *diags, const struct diag *diag, struct buf *out)
{
	struct diag_position position = diags_position(diags, diag->at);

	buf_puts(out, "\"message\":");
	text_put_json_string(out, diag->text);
	if (position.line == 0)
		return;
	buf_puts(out, ",\"file\":");
	text_put_json_string(out, diags->sources[diag->at.source].name);
	buf_printf(out, ",\"line\":%u,\"column\":%u,\"end_line\":%u,\"end_column\":%u",
		   position.line, position.column, position.end_line, position.end_column);
}

void diags_format_json(const struct diags *diags, struct buf *out)
{
	static const char *const names[] = { "note", "warning", "error" };

	buf_putc(out, '[');
	for (uint32_t i = 0; i < diags->item_cnt;) {
		const struct diag *diag = &diags->items[i];

		buf_printf(out, "%s{\"level\":\"%s\",\"code\":\"%s\",", i ? "," : "",
			   names[diag->level], diag->code);
		put_json_place(diags, diag, out);
		if (diag->hint.p) {
			buf_puts(out, ",\"hint\":");
			text_put_json_string(out, diag->hint);
		}
		buf_puts(out, ",\"related\":[");
		for (i++; i < diags->item_cnt && diags->items[i].is_related; i++) {
			buf_puts(out, &diags->items[i] == diag + 1 ? "{" : ",{");
			put_json_place(diags, &diags->items[i], out);
			buf_putc(out, '}');
		}
		buf_puts(out, "]}");
	}
	buf_putc(out, ']');
}

#define NEAR_WORD_MAX 64

/* Insertions, deletions, changes, and two neighbours exchanged (the most common slip) count one
 * each: optimal string alignment, with the three rows that it needs. */
static unsigned edit_distance(struct str a, struct str b)
{
	unsigned rows[3][NEAR_WORD_MAX + 1];

	for (uint32_t j = 0; j <= b.n; j++)
		rows[0][j] = j;
	for (uint32_t i = 1; i <= a.n; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3];

		row[0] = i;
		for (uint32_t j = 1; j <= b.n; j++) {
			unsigned change = above[j - 1] + (a.p[i - 1] != b.p[j - 1]);

			row[j] = MIN(MIN(row[j - 1] + 1, above[j] + 1), change);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				row[j] = MIN(row[j], rows[(i + 1) % 3][j - 2] + 1);
		}
	}
	return rows[a.n % 3][b.n];
}

void near_name_init(struct near_name *near, struct str word)
{
	*near = (struct near_name){ .word = word, .distance = UINT32_MAX };
}

void near_name_offer(struct near_name *near, const char *candidate)
{
	struct str other = str_from(candidate);
	unsigned limit = MAX(near->word.n / 3, 1u), distance;

	if (near->word.n > NEAR_WORD_MAX || other.n > NEAR_WORD_MAX)
		return;
	if (near->word.n > other.n + limit || other.n > near->word.n + limit)
		return;
	distance = edit_distance(near->word, other);
	if (distance <= limit && distance < near->distance) {
		near->distance = distance;
		near->best = candidate;
	}
}
