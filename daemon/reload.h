/*
 * Loading rules anew while the daemon runs: a thread of its own watches their files, compiles, and
 * hands a ruleset to the engine thread, which takes it between two events.
 */
#ifndef HAETAE_DAEMON_RELOAD_H
#define HAETAE_DAEMON_RELOAD_H

#include "haetae/daemon.h"

enum reload_cause {
	RELOAD_SIGNAL,
	RELOAD_CONTROL,
	RELOAD_FILES, /* one of them has changed */
	RELOAD_CAUSE__COUNT
};

/* Loads the files of this configuration: 0, or RULES_E_INVALID with what is wrong in *diags, or a
 * negative errno. Any thread. */
int reload_compile(const struct daemon_config *config, struct diags *diags, struct ruleset **ret);

struct reload; /* opaque */

/* What of the host depends on the rules and cannot change any more: why a ruleset cannot be taken
 * over, one line; NULL where it can. Called in the thread of the reloads. */
typedef const char *(*reload_check_fn)(const struct ruleset *ruleset, void *data);

/* Before privileges are dropped. ruleset: the one in force, borrowed. 0 or a negative errno. */
int reload_new(const struct daemon_config *config, const struct ruleset *ruleset,
	       reload_check_fn check, void *data, struct reload **ret);
/* Starts the thread. 0 or a negative errno. */
int reload_start(struct reload *reload);
struct reload *reload_free(struct reload *reload);

/* Any thread; requests that come while one is under way are served by the next one. Returns the
 * request's number. */
uint64_t reload_request(struct reload *reload, enum reload_cause cause);

/* Engine thread. Readable where reload_take() or reload_take_news() has something. */
int reload_poll_fd(const struct reload *reload);
/* The new ruleset, which the caller owns, and the configuration whose live options (conf.h) count
 * with it, which lives until the next one is taken; NULL where there is none. Each is followed by
 * reload_taken(), whose error says why it was not taken over (NULL: it was). */
struct ruleset *reload_take(struct reload *reload, const struct daemon_config **ret_config);
void reload_taken(struct reload *reload, const struct ruleset *in_force, const char *error);

/* How one ended, to be told to the rules. */
struct reload_news {
	enum reload_cause cause;
	bool is_failed;
	uint64_t failures; /* in a row: this one, or those that are over */
	struct buf message;
};
const char *reload_cause_name(enum reload_cause cause);
/* Engine thread, where reload_poll_fd() is readable: calls take with the news, if there are any. */
void reload_take_news(struct reload *reload,
		      void (*take)(const struct reload_news *news, void *data), void *data);

struct reload_counters {
	uint64_t done;		    /* requests that are over */
	uint64_t succeeded, failed; /* reloads */
	bool is_failed;		    /* the last one */
	uint64_t failures;	    /* since the last that succeeded */
	uint64_t success_wall_ns;   /* of the last one that succeeded, or of the start */
};
void reload_counters(struct reload *reload, struct reload_counters *ret);
/* ,"reload":{…} for "status". Any thread. */
void reload_put(struct reload *reload, struct buf *out);

#endif
