/*
 * What the files of the YAML reader share.
 */
#ifndef HAETAE_MATCH_YAML_PRIVATE_H
#define HAETAE_MATCH_YAML_PRIVATE_H

#include <yaml.h>

#include "yaml_tree.h"

#define YAML_BOM "\xef\xbb\xbf"

/* Where a scalar stands in the file, quotes or block indicator included. */
struct yaml_scalar_place {
	struct str file; /* whole text */
	uint32_t source, begin, end;
	yaml_scalar_style_t style;
};

/* Copies a scalar's value and maps its bytes to the file. The result's s.p is NULL where memory is
 * exhausted. */
struct text yaml_text(struct arena *texts, const struct yaml_scalar_place *place, struct str value);

/* Reports bytes that YAML does not allow (invalid UTF-8, control characters) and replaces them with
 * '?', in *text, which is then a copy in the arena. False where it is no text at all. */
bool yaml_clean(struct arena *arena, uint32_t source, struct diags *diags, struct str *text);

/* What the reader knows when libyaml gives up. */
struct yaml_problem {
	const char *context, *problem; /* libyaml's words; context may be NULL */
	struct str file;
	uint32_t source;
	uint32_t offset, context_offset; /* of its two marks */
	uint32_t item_offset;		 /* begin of the line of the broken item */
	uint32_t resume_offset;		 /* where reading goes on; end of file if nowhere */
	uint32_t key_column;		 /* of the broken item's first key, from 1; 0 unknown */
	bool has_scalar;		 /* one was read before in the item: */
	uint32_t scalar_begin, scalar_end;
	bool is_scalar_quoted, is_scalar_block;
};
void yaml_report(struct diags *diags, const struct yaml_problem *problem);

/* The first line behind the one that holds `offset` that starts with "- "; the text's length where
 * there is none. */
uint32_t yaml_next_item(struct str text, uint32_t offset);

#endif
