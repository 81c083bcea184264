/*
 * Compiled outputs, as the alert stage sees them.
 */
#ifndef HAETAE_ALERT_TEMPLATE_H
#define HAETAE_ALERT_TEMPLATE_H

#include "haetae/alert.h"

/* Either literal text or a field token. */
struct template_piece {
	struct str literal;
	const struct field *field; /* NULL: literal */
	struct field_argument argument;
	struct str token; /* as written, without the % and the width: the key in output_fields */
	uint32_t width;	  /* pad or cut to exactly this many bytes; 0: as it is */
	bool is_repeated; /* an earlier piece has the same token */
};

struct template
{
	struct template_piece *pieces;
	uint32_t piece_cnt;
	uint32_t needs; /* FIELD_NEEDS_… */
};

#endif
