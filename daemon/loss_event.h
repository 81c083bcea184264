/*
 * The event `loss` as a record, so that it goes the way of every event.
 */
#ifndef HAETAE_DAEMON_LOSS_EVENT_H
#define HAETAE_DAEMON_LOSS_EVENT_H

#include "haetae/proc.h"
#include "loss_watch.h"

#define LOSS_RECORD_MAX 8192

struct loss_record {
	_Alignas(8) uint8_t bytes[LOSS_RECORD_MAX];
	uint32_t length;
};

/* sequence: of haetae's own events, from 1. procs: where cgroups' paths are asked for, or NULL. */
void loss_record_make(struct loss_record *record, const struct loss_report *report,
		      uint64_t sequence, const struct proc_table *procs);
/* "process 3, file 20 (ring full 23), most of them in /user.slice". */
void loss_report_format(const struct loss_report *report, const struct proc_table *procs,
			struct buf *out);

#endif
