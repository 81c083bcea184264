/*
 * The test of itself: a harmless call that the daemon makes has to come back from the kernel, match
 * its rule, and be acknowledged by the sinks that are to have it.
 */
#ifndef HAETAE_DAEMON_SELF_TEST_H
#define HAETAE_DAEMON_SELF_TEST_H

#include "haetae/alert.h"
#include "haetae/daemon.h"

enum self_test_stage {
	SELF_TEST_PROBES,
	SELF_TEST_RULES,
	SELF_TEST_SINKS,
	SELF_TEST_PASSED,
};

/* What is told of it. */
struct self_test_state {
	bool is_on;
	uint64_t passed, failed;
	uint64_t failures;	    /* since the last that passed */
	enum self_test_stage stage; /* where the last one failed */
	uint64_t success_wall_ns;   /* of the last that passed; 0: none has */
	uint64_t latency_ns;	    /* of the last that was noticed: from the call to the rule */
	char problem[256];	    /* of the last one; "": it passed */
};

struct self_test {
	uint64_t next_ns, start_ns; /* boot time */
	uint64_t alert_wall_ns;	    /* of its alert; 0: none was to be made, or could be */
	bool is_waiting, is_seen, is_matched;
	char path[64]; /* of the one at hand */
	struct self_test_state state;
};

struct daemon;

/* Engine thread, all of them. Whether a daemon of this configuration tests itself. */
bool self_test_is_on(const struct daemon_config *config);
/* Behind a drain, once a second: begins one, or ends it. */
void self_test_tick(struct daemon *daemon, uint64_t now_ns);
/* Any event that rules have looked at. */
void self_test_see(struct self_test *test, const struct event *event);
/* The rule has matched; alert NULL: none was made. */
void self_test_match(const struct alert_context *context, const struct alert *alert, void *data);
/* "off", "waiting", "passed" or "failed". */
const char *self_test_result(const struct self_test_state *state);

#endif
