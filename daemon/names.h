/*
 * The host names of the rules at hand: what resolves them, and what the engine knows of them.
 */
#ifndef HAETAE_DAEMON_NAMES_H
#define HAETAE_DAEMON_NAMES_H

#include "engine.h"

struct names {
	struct host_names *table;  /* owned; NULL where no rule has a host name */
	struct resolver *resolver; /* owned; NULL likewise */
};

/* Starts to resolve. 0 or a negative errno; then nothing is resolved. */
int names_start(struct names *names, const struct ruleset *ruleset);
/* Readable when names_update() has something to do; -1: never. */
int names_poll_fd(const struct names *names);
/* Gives the engine what is new. */
void names_update(struct names *names, struct engine *engine);
/* Fine on a zeroed one. */
void names_done(struct names *names);

#endif
