/*
 * The event `loss` as a record, so that it goes the way of every event.
 */
#ifndef HAETAE_DAEMON_LOSS_EVENT_H
#define HAETAE_DAEMON_LOSS_EVENT_H

#include "haetae/proc.h"
#include "loss_watch.h"
#include "own_record.h"

/* sequence: of haetae's own events, from 1. procs: where cgroups' paths are asked for, or NULL. */
void loss_record_make(struct own_record *record, const struct loss_report *report,
		      uint64_t sequence, const struct proc_table *procs);
/* "process 3, file 20 (ring full 23), most of them in /user.slice". */
void loss_report_format(const struct loss_report *report, const struct proc_table *procs,
			struct buf *out);

#endif
