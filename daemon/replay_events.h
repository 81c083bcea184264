/*
 * Events written by hand, a map a line, through the rules.
 */
#ifndef HAETAE_DAEMON_REPLAY_EVENTS_H
#define HAETAE_DAEMON_REPLAY_EVENTS_H

#include "haetae/replay.h"

/* Whether a file, or standard input ("-"), begins as JSON Lines do. Takes nothing from it. */
bool replay_events_begin(const char *path);
/* Gives each hit to fn, in order, until it returns false. Mistakes go to stderr. 0,
 * REPLAY_E_DAMAGED where there were some, REPLAY_E_ENOUGH, or a negative errno; *ret_cnt: events
 * that were run. */
int replay_events_run(const char *path, const struct ruleset *ruleset,
		      const struct daemon_config *config,
		      bool (*fn)(const struct rule *rule, const struct alert_context *context,
				 void *data),
		      void *data, uint64_t *ret_cnt);

#endif
