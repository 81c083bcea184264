/*
 * Time. Inside the program all times are CLOCK_BOOTTIME nanoseconds, the clock of the records
 * (bpf_ktime_get_boot_ns); wall time appears only in rendered output.
 */
#ifndef HAETAE_CLOCK_H
#define HAETAE_CLOCK_H

#include "haetae/buf.h"

#define NS_PER_SEC 1000000000ULL
#define NS_PER_MS  1000000ULL

uint64_t clock_boot_ns(void);
/* CLOCK_REALTIME minus CLOCK_BOOTTIME now: add it to a record's time to get wall time. It moves
 * when the wall clock is set, so the engine refreshes it (once a second is enough). */
int64_t clock_wall_offset_ns(void);
/* 2025-01-02T03:04:05.000000006Z (RFC 3339, UTC, nine digits). */
void clock_put_rfc3339(struct buf *buf, uint64_t wall_ns);
/* Local HH:MM:SS.nnnnnnnnn. */
void clock_put_local(struct buf *buf, uint64_t wall_ns);
/* "500ms", "20s", "5m", "2h", "1d", or a plain number of seconds; false where it is none. */
bool clock_parse_duration(struct str text, uint64_t *ret_ns);

#endif
