/*
 * The tables as frames of a capture: what a replay must know before the first record.
 */
#ifndef HAETAE_DAEMON_SNAPSHOT_H
#define HAETAE_DAEMON_SNAPSHOT_H

#include "engine.h"

/* Puts users, sources, pods, containers, cgroups and processes, as far as they are known now; what
 * the records from first_ns on tell by themselves is left out. */
void snapshot_put(struct capture_writer *writer, const struct engine *engine, uint64_t first_ns);

#endif
