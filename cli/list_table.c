/*
 * Four renderings of a list. Owns nothing; every string goes through an escape of its format.
 */
#include "list_table.h"

#include <ctype.h>

#include "haetae/text.h"

#define JSON_STRING_MAX (1u << 20)
#define NAME_WIDTH	30
#define MDOC_FOLD	62
#define TYPE_WIDTH	9

void list_item_cell(struct list_item *item, const char *key, struct str text)
{
	hae_assert(item->cell_cnt < LIST_CELL_MAX);
	item->cells[item->cell_cnt++] = (struct list_cell){ key, text, false };
}

void list_item_raw(struct list_item *item, const char *key, struct str json)
{
	hae_assert(item->cell_cnt < LIST_CELL_MAX);
	item->cells[item->cell_cnt++] = (struct list_cell){ key, json, true };
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void put_json_string(FILE *out, struct str s)
{
	_cleanup_(buf_done) struct buf buf;

	buf_init(&buf, JSON_STRING_MAX);
	text_put_json_string(&buf, s);
	fwrite(buf_str(&buf).p, 1, buf_str(&buf).n, out);
}

static void put_json_member(FILE *out, const char *key, struct str text)
{
	fprintf(out, "\"%s\":", key);
	put_json_string(out, text);
}

static void put_json(const struct list_writer *writer, const struct list_item *item)
{
	FILE *out = writer->out;

	fputs(writer->item_cnt ? ",\n{" : "{", out);
	put_json_member(out, "name", item->name);
	for (unsigned i = 0; i < item->cell_cnt; i++) {
		const struct list_cell *cell = &item->cells[i];

		fputc(',', out);
		if (cell->is_raw)
			fprintf(out, "\"%s\":%.*s", cell->key, STR_ARG(cell->text));
		else
			put_json_member(out, cell->key, cell->text);
	}
	if (item->part_key)
		fprintf(out, ",\"%s\":[", item->part_key);
	for (unsigned i = 0; i < item->part_cnt; i++) {
		fputs(i ? ",{" : "{", out);
		put_json_member(out, "name", item->parts[i].name);
		fputc(',', out);
		put_json_member(out, "type", item->parts[i].type);
		fputc(',', out);
		put_json_member(out, "doc", item->parts[i].doc);
		fputc('}', out);
	}
	fputs(item->part_key ? "]}" : "}", out);
}

/* ---- Markdown ------------------------------------------------------------------------------- */

static void put_markdown_text(FILE *out, struct str s)
{
	for (uint32_t i = 0; i < s.n; i++) {
		if (strchr("|*_<>`\\", s.p[i]) && s.p[i])
			fputc('\\', out);
		fputc(s.p[i] == '\n' ? ' ' : s.p[i], out);
	}
}

static void put_markdown(const struct list_writer *writer, const struct list_item *item)
{
	FILE *out = writer->out;

	if (writer->item_cnt == 0) {
		fputs("| name |", out);
		for (unsigned i = 0; i < item->cell_cnt; i++)
			fprintf(out, " %s |", item->cells[i].key);
		if (item->part_key)
			fprintf(out, " %s |", item->part_key);
		fputs("\n|---|", out);
		for (unsigned i = 0; i < item->cell_cnt + (item->part_key != NULL); i++)
			fputs("---|", out);
		fputc('\n', out);
	}
	fprintf(out, "| `%.*s` |", STR_ARG(item->name));
	for (unsigned i = 0; i < item->cell_cnt; i++) {
		fputc(' ', out);
		put_markdown_text(out, item->cells[i].text);
		fputs(" |", out);
	}
	for (unsigned i = 0; i < item->part_cnt; i++)
		fprintf(out, "%s `%.*s`", i ? "," : "", STR_ARG(item->parts[i].name));
	fputs(item->part_key ? " |\n" : "\n", out);
}

/* ---- mdoc ----------------------------------------------------------------------------------- */

/* Running text: a control character at the start of a line would be a request, a backslash an
 * escape. A sentence begins a line, and lines
 * are folded: mandoc's lint asks for it. */
static void put_mdoc_line(FILE *out, struct str s)
{
	unsigned column = 0;

	for (uint32_t i = 0; i < s.n; i++) {
		bool is_end = i > 0 && s.p[i - 1] == '.' && i + 1 < s.n && isupper(s.p[i + 1]);

		if (s.p[i] == ' ' && (column >= MDOC_FOLD || is_end)) {
			fputc('\n', out);
			column = 0;
			continue;
		}
		if (column == 0 && (s.p[i] == '.' || s.p[i] == '\''))
			fputs("\\&", out);
		if (s.p[i] == '\\')
			fputs("\\e", out);
		else
			fputc(s.p[i] == '\n' ? ' ' : s.p[i], out);
		column++;
	}
	fputc('\n', out);
}

static void put_mdoc_head(FILE *out, const char *macro, struct str name, struct str type)
{
	fprintf(out, ".It %s \"%.*s\"", macro, STR_ARG(name));
	if (type.n)
		fprintf(out, " Pq \"%.*s\"", STR_ARG(type));
	fputc('\n', out);
}

static void put_mdoc(const struct list_writer *writer, const struct list_item *item)
{
	FILE *out = writer->out;

	put_mdoc_head(out, "Sy", item->name, item->cell_cnt ? item->cells[0].text : STR_NONE);
	for (unsigned i = 1; i < item->cell_cnt; i++) {
		const struct list_cell *cell = &item->cells[i];

		if (cell->text.n == 0)
			continue;
		if (i > 1)
			fprintf(out, ".br\n%c%s:\n", toupper(cell->key[0]), cell->key + 1);
		put_mdoc_line(out, cell->text);
	}
	if (item->part_cnt == 0)
		return;
	fputs(".Bl -tag -width Ds -compact\n", out);
	for (unsigned i = 0; i < item->part_cnt; i++) {
		put_mdoc_head(out, "Cm", item->parts[i].name, item->parts[i].type);
		put_mdoc_line(out, item->parts[i].doc);
	}
	fputs(".El\n", out);
}

static void begin_mdoc(const struct list_writer *writer)
{
	char upper[64] = "";

	for (unsigned i = 0; i < sizeof(upper) - 1 && writer->title->page[i]; i++)
		upper[i] = (char)toupper((unsigned char)writer->title->page[i]);
	fprintf(writer->out,
		".\\\" Made by 'haetae list %s --mdoc'; do not edit.\n"
		".Dd November 23, 2026\n.Dt %s %c\n.Os\n"
		".Sh NAME\n.Nm %s\n.Nd %s\n.Sh DESCRIPTION\n%s\n.Bl -tag -width Ds\n",
		writer->title->kind ? writer->title->kind : strchr(writer->title->page, '-') + 1,
		upper, writer->title->section ? writer->title->section : '7', writer->title->page,
		writer->title->summary, writer->title->intro);
}

/* ---- text ----------------------------------------------------------------------------------- */

static void put_text(const struct list_writer *writer, const struct list_item *item)
{
	_cleanup_(buf_done) struct buf line;

	buf_init(&line, JSON_STRING_MAX);
	for (unsigned i = 0; i < 2 && i < item->cell_cnt; i++) {
		buf_puts(&line, i ? "  " : "");
		text_put_line(&line, item->cells[i].text);
		while (i == 0 && line.n < TYPE_WIDTH && !line.failed)
			buf_putc(&line, ' ');
	}
	fprintf(writer->out, "%-*.*s  %.*s\n", NAME_WIDTH, STR_ARG(item->name),
		STR_ARG(buf_str(&line)));
	for (unsigned i = 0; i < item->part_cnt; i++)
		fprintf(writer->out, "    %-18.*s %-9.*s %.*s\n", STR_ARG(item->parts[i].name),
			STR_ARG(item->parts[i].type), STR_ARG(item->parts[i].doc));
}

void list_begin(struct list_writer *writer)
{
	writer->item_cnt = 0;
	if (writer->format == LIST_JSON)
		fputs("[", writer->out);
	else if (writer->format == LIST_MDOC)
		begin_mdoc(writer);
}

void list_put(struct list_writer *writer, const struct list_item *item)
{
	switch (writer->format) {
	case LIST_TEXT:
		put_text(writer, item);
		break;
	case LIST_JSON:
		put_json(writer, item);
		break;
	case LIST_MARKDOWN:
		put_markdown(writer, item);
		break;
	case LIST_MDOC:
		put_mdoc(writer, item);
		break;
	}
	writer->item_cnt++;
}

void list_end(struct list_writer *writer)
{
	if (writer->format == LIST_JSON)
		fputs("]\n", writer->out);
	else if (writer->format == LIST_MDOC)
		fputs(".El\n.Sh SEE ALSO\n.Xr haetae-rules 5 ,\n.Xr haetae 8\n", writer->out);
}
