/*
 * One screen of `haetae top`.
 */
#ifndef CLI_TOP_VIEW_H
#define CLI_TOP_VIEW_H

#include <json-c/json.h>

#include "haetae/buf.h"

enum top_order {
	TOP_BY_MATCHES,
	TOP_BY_ALERTS,
	TOP_BY_COST,
	TOP_BY_NAME,
	TOP__COUNT
};

struct top_view {
	enum top_order order;
	bool is_for_containers; /* these first, and the most of them */
	bool is_paused;
	int rows; /* 0: no limit */
	int columns;
	uint64_t period_ns; /* between the answers; 0: there is one only */
};

/* before: the answer before this one, for the rates; or NULL. */
void top_view_put(const struct top_view *view, struct json_object *now, struct json_object *before,
		  struct buf *out);

#endif
