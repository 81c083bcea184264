/*
 * What `haetae status` and `haetae top` are told: the state of the whole as an object of JSON.
 */
#ifndef HAETAE_DAEMON_STATUS_H
#define HAETAE_DAEMON_STATUS_H

#include "metrics.h"

/* Members, each followed by none or by another one: no braces around them. outputs may be NULL. */
void status_put(const struct metrics_snapshot *snapshot, struct outputs *outputs, struct buf *out);
/* The rules that are on, in order, with what they matched, and the containers that have most
 * events; the same form. Where not all rules have room, "rules_left_out" says how many. */
void status_put_top(const struct metrics_snapshot *snapshot, struct buf *out);

#endif
