/*
 * What passes between the metadata thread and the engine's tables. Engine thread.
 */
#ifndef HAETAE_DAEMON_METADATA_PUMP_H
#define HAETAE_DAEMON_METADATA_PUMP_H

#include "engine.h"

/* Hands the container table's questions over; without a thread they are dropped. */
void metadata_pump_ask(struct metadata *metadata, struct engine *engine);
/* Applies the answers there are, a bounded number: the rest keeps the descriptor readable. */
void metadata_pump_take(struct metadata *metadata, struct engine *engine);

#endif
