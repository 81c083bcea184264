/*
 * Printing what the tables hold, for people and for tools: aligned text, JSON, Markdown, mdoc.
 */
#ifndef CLI_LIST_TABLE_H
#define CLI_LIST_TABLE_H

#include <stdio.h>

#include "haetae/buf.h"

enum list_format {
	LIST_TEXT,
	LIST_JSON,
	LIST_MARKDOWN,
	LIST_MDOC
};

#define LIST_CELL_MAX 8
#define LIST_PART_MAX 64

/* One thing that stands in a list, built anew for each; all strings are borrowed. */
struct list_item {
	struct str name;
	struct list_cell {
		const char *key; /* "since" */
		struct str text; /* n 0: left out */
		bool is_raw;	 /* already JSON: a number, a boolean, an array */
	} cells[LIST_CELL_MAX];
	unsigned cell_cnt;
	/* What it consists of (an event's parameters). */
	const char *part_key;
	struct list_part {
		struct str name, type, doc;
	} parts[LIST_PART_MAX];
	unsigned part_cnt;
};

/* The list as a whole, for the mdoc page. */
struct list_title {
	const char *page;    /* "haetae-fields" */
	const char *summary; /* one line without a full stop */
	const char *intro;   /* paragraphs in mdoc, between blank .Pp lines */
	const char *kind;    /* "options"; NULL: what stands behind the page's '-' */
	char section;	     /* of the manual; 0: 7 */
};

struct list_writer {
	enum list_format format;
	const struct list_title *title;
	FILE *out;
	unsigned item_cnt;
};

void list_begin(struct list_writer *writer);
/* The first cell is the one that text output shows beside the name, the second its sentence. */
void list_put(struct list_writer *writer, const struct list_item *item);
void list_end(struct list_writer *writer);

/* Adds a cell; a cell beyond the maximum is our bug. */
void list_item_cell(struct list_item *item, const char *key, struct str text);
void list_item_raw(struct list_item *item, const char *key, struct str json);

#endif
