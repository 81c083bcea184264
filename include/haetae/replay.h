/*
 * A capture through the engine again: the same engine as that of `haetae run`, without probes,
 * threads or a clock of its own, so that the same rules raise the same alerts, byte by byte.
 */
#ifndef HAETAE_REPLAY_H
#define HAETAE_REPLAY_H

#include "haetae/capture.h"
#include "haetae/daemon.h"

/* Of one rule, by rule->index. */
struct replay_rule {
	uint64_t matches, alerts;
	/* want_costs: as if it were the only rule; of that the condition, without reading fields,
	 * which all rules share. Without the clock's own time. */
	uint64_t evaluations, time_ns, condition_ns;
};

/* Sums over all files of one `struct replay`. */
struct replay_stats {
	uint64_t files, damaged; /* read; of them, not whole */
	uint64_t frames, records, events, alerts;
	uint64_t undecodable;  /* records that the decoder refused */
	uint64_t left_out;     /* answers of the host for which there was no room */
	uint64_t reloads;      /* the rules changed while it was recorded: */
	uint64_t reload_frame; /* at first before this frame */
	uint64_t unknown;      /* frames that only a newer haetae knows */
	uint64_t covered_ns;   /* time that the files tell of */
	uint64_t time_ns;      /* that it took, without measuring rules */
};

struct replay_config {
	/* Of it count what rules and alerts depend on, and nothing that asks this host. */
	const struct daemon_config *daemon;
	/* Takes ownership. False: nobody wants more, the replay ends. */
	bool (*on_alert)(struct alert *alert, void *data);
	/* Instead of alerts, if set: each hit, borrowed. False as above. */
	bool (*on_hit)(const struct rule *rule, const struct alert_context *context, void *data);
	void *data;
	bool want_costs;
};

struct replay; /* opaque; one thread */

#define REPLAY_E_DAMAGED 1 /* read as far as it goes */
#define REPLAY_E_FOREIGN 2 /* no capture, or one that cannot be read */
#define REPLAY_E_ENOUGH	 3 /* on_alert or on_hit said so */

/* Takes ownership of the ruleset in every case; config outlives it. 0 or a negative errno. */
int replay_new(const struct replay_config *config, struct ruleset *ruleset, struct replay **ret);
struct replay *replay_free(struct replay *replay);
/* One file, from nothing: the tables of the one before are forgotten. A capture, or JSON Lines of
 * events (fixture.h), which begin with a brace. "-": standard input. 0,
 * REPLAY_E_… or a negative errno; but for 0 and REPLAY_E_ENOUGH replay_message() says what is
 * wrong. */
int replay_file(struct replay *replay, const char *path);
const char *replay_message(const struct replay *replay);
void replay_stats(const struct replay *replay, struct replay_stats *ret);
const struct ruleset *replay_ruleset(const struct replay *replay);
const struct replay_rule *replay_rule(const struct replay *replay, const struct rule *rule);

#endif
