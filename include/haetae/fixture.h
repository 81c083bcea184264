/*
 * Events written by hand: a flat map of field names and values, as an alert's output_fields has
 * them. Values that follow from others are derived (fd.filename from fd.name, evt.is_open_read from
 * the flags, …: fixture_derive.c has the table); every other field is absent. For `haetae test`,
 * `explain` and `replay`; never for a daemon that detects.
 */
#ifndef HAETAE_FIXTURE_H
#define HAETAE_FIXTURE_H

#include "haetae/diag.h"
#include "haetae/field.h"

struct fixture; /* opaque, immutable; in the arena that it was made in */

struct fixtures {
	const struct fixture *const *items;
	uint32_t cnt;
};

/* Events of one file or text, and values of one event. */
#define FIXTURES_MAX	   100000
#define FIXTURE_VALUES_MAX 1024
/* One line of JSON Lines. */
#define FIXTURE_LINE_MAX (4u << 20)

/* Reads all events of source number `source` of diags: JSON Lines (a file that begins with '{', a
 * map a line), or YAML (a map, or a list of maps). A line of JSON may be an alert: then its
 * output_fields count, and `rule` is its rule. Mistakes go to diags (E08…), and what has one is
 * left out. 0 or -ENOMEM. */
int fixtures_read(struct arena *arena, uint32_t source, struct diags *diags, struct fixtures *ret);

/* EVENT_CODE__COUNT where the map has no evt.type (only an alert may lack it), or one that this
 * architecture never raises. */
unsigned fixture_code(const struct fixture *fixture);
/* The latter: arm64 has no creat. Such an event cannot be begun. */
bool fixture_is_never(const struct fixture *fixture);
/* Of an alert; else STR_NONE. */
struct str fixture_rule(const struct fixture *fixture);
/* Of the whole map. */
struct span fixture_at(const struct fixture *fixture);

/* Room for one event at a time. */
struct fixture_event {
	struct event event;
	struct wire_header header;
	const struct fixture *fixture;
};
/* Makes the event of `code` (the fixture's own, or what the caller chose for one without), and a
 * context that reads it, final: nothing is pending. scratch: for getters, reset by the caller after
 * each event. Everything given outlives the use of the context. */
void fixture_begin(struct fixture_event *event, const struct fixture *fixture, unsigned code,
		   struct arena *scratch, struct field_context *ret);

#endif
