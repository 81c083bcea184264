/*
 * What a recording said between two inputs of the engine, kept until the tables ask for it.
 */
#ifndef HAETAE_DAEMON_REPLAY_INPUTS_H
#define HAETAE_DAEMON_REPLAY_INPUTS_H

#include "engine.h"

struct replay_inputs; /* opaque; engine thread */

/* 0 or -ENOMEM. */
int replay_inputs_new(struct replay_inputs **ret);
struct replay_inputs *replay_inputs_free(struct replay_inputs *inputs);
/* For engine_host: where the tables ask. */
void replay_inputs_fill(struct replay_inputs *inputs, struct engine_host *host);

/* Each copies. False where there is no room for more, which no recording of ours needs. */
bool replay_inputs_strings(struct replay_inputs *inputs, const struct capture_strings *strings);
bool replay_inputs_place(struct replay_inputs *inputs, const struct cgroup_place *place);
bool replay_inputs_bundle(struct replay_inputs *inputs, const struct capture_bundle *bundle);
/* What nobody asked for by now was of the input that has been applied. */
void replay_inputs_clear(struct replay_inputs *inputs);

#endif
