/*
 * Which alerts a sink wants. Pure.
 */
#ifndef HAETAE_OUTPUTS_FILTER_H
#define HAETAE_OUTPUTS_FILTER_H

#include "haetae/sink.h"

bool filter_passes(const struct sink_config *config, enum priority priority, struct str rule,
		   struct str tags);
/* The whole text; * stands for any number of bytes. */
bool filter_matches(struct str pattern, struct str text);

#endif
