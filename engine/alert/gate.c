/*
 * Throttle and dedupe. Owns nothing yet but its defaults.
 */
#include "haetae/alert.h"

void gate_config_default(struct gate_config *config)
{
	*config = (struct gate_config){
		.by = { [GATE_RULE] = true, [GATE_CONTAINER] = true, [GATE_EXEPATH] = true },
		.max_keys = 16384,
		.max_keys_per_container = 1024,
	};
}
