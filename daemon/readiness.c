/*
 * Readiness, from the engine's snapshot. Owns nothing. Outputs thread.
 */
#include "readiness.h"

#include "haetae/clock.h"

/* The engine publishes each second; after so long without it is stuck. */
#define ALIVE_NS (10 * NS_PER_SEC)
/* The rings have not been found empty for so long: it does not keep up. */
#define BEHIND_NS (30 * NS_PER_SEC)

struct readiness readiness_of(const struct metrics_snapshot *snapshot)
{
	uint64_t now_ns = clock_boot_ns();
	struct readiness readiness = {
		.is_alive = snapshot->boot_ns && now_ns < snapshot->boot_ns + ALIVE_NS,
		.has_probes = snapshot->has_probes,
	};

	readiness.is_draining =
		readiness.is_alive && snapshot->boot_ns < snapshot->caught_up_ns + BEHIND_NS;
	/* A receiver that is down is none of the daemon's. */
	readiness.is_detecting =
		!snapshot->self_test.failures || snapshot->self_test.stage == SELF_TEST_SINKS;
	readiness.is_ready = readiness.has_probes && snapshot->rules_enabled > 0 &&
			     readiness.is_draining && readiness.is_detecting;
	return readiness;
}

void readiness_put(const struct metrics_snapshot *snapshot, struct buf *out)
{
	struct readiness readiness = readiness_of(snapshot);

	buf_printf(out,
		   "\"ready\":%s,\"probes\":%s,\"rules\":%llu,\"draining\":%s,\"self_test\":\"%s\"",
		   readiness.is_ready ? "true" : "false", readiness.has_probes ? "true" : "false",
		   (unsigned long long)snapshot->rules_enabled,
		   readiness.is_draining ? "true" : "false",
		   self_test_result(&snapshot->self_test));
}
