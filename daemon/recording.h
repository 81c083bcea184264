/*
 * The recording of a run: `haetae run --record` and `haetae record`.
 */
#ifndef HAETAE_DAEMON_RECORDING_H
#define HAETAE_DAEMON_RECORDING_H

#include "engine.h"

struct recording {
	const struct record_config *config;
	struct capture_writer *writer; /* owned; NULL: nothing is recorded */
	bool has_told;		       /* that it ended before the run did */
};

/* Makes the file where one is wanted, and taps the engine: before it has taken anything. 0 or a
 * negative errno. */
int recording_start(struct recording *recording, const struct daemon_config *config,
		    const struct engine_host *host, struct engine *engine);
/* Once a second. False: the run was for the recording alone, and that has ended. */
bool recording_tick(struct recording *recording);
/* The engine has taken all. */
void recording_finish(struct recording *recording, const struct engine *engine);
/* What an exit code should say of it: whether it failed. */
bool recording_has_failed(const struct recording *recording);
/* Fine on a zeroed one. */
void recording_done(struct recording *recording);

#endif
