/*
 * What a replay tells of itself, on stderr.
 */
#ifndef CLI_REPLAY_STATS_H
#define CLI_REPLAY_STATS_H

#include <stdio.h>

#include "haetae/replay.h"

/* What could not be used, if anything. */
void replay_stats_warn(const struct replay *replay, FILE *out);
/* Events a second, and what each rule cost: the dearest first. */
void replay_stats_print(const struct replay *replay, FILE *out);

#endif
