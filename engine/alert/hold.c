/*
 * Alerts that wait for metadata. Owns nothing yet but its defaults.
 */
#include "haetae/alert.h"
#include "haetae/clock.h"

void hold_config_default(struct hold_config *config)
{
	*config = (struct hold_config){
		.deadline_ns = 2 * NS_PER_SEC,
		.max_held = 4096,
		.max_per_container = 256,
		.max_bytes = 64u << 20,
	};
}
