/*
 * The daemon's own state, between what composes it (daemon.c), what changes its rules while it runs
 * (install.c) and what it tells of itself (tell.c). Engine thread.
 */
#ifndef HAETAE_DAEMON_PRIVATE_H
#define HAETAE_DAEMON_PRIVATE_H

#include "control.h"
#include "loss.h"
#include "loss_watch.h"
#include "names.h"
#include "pretrigger.h"
#include "recording.h"
#include "reload.h"
#include "rule_cost.h"
#include "self_test.h"
#include "server.h"

/* The thread that serves looks at one, and one more may have come meanwhile. */
#define RETIRED_MAX 3

struct daemon {
	const struct daemon_config *config;
	const struct daemon_config *in_force; /* borrowed; its live options (conf.h) count */
	struct outputs *outputs;	      /* owned; NULL: no sinks */
	struct probes *probes;		      /* owned */
	struct ruleset *ruleset;	      /* owned */
	struct engine engine;
	struct names names;
	struct rule_cost rule_cost;
	struct kernel_filter_state filter;
	struct recording recording;
	struct pretrigger pretrigger;
	struct metadata *metadata; /* owned; NULL: it could not be started */
	struct loss_window loss;
	struct loss_watch loss_watch;
	struct self_test self_test;
	struct metrics metrics;
	struct server *server;	 /* owned; NULL: not wanted */
	struct control *control; /* owned; NULL: not wanted, or it could not be made: */
	struct reload *reload;	 /* owned; NULL: the rules stay as they are */
	struct ruleset *retired[RETIRED_MAX]; /* owned; the thread that serves may look at them */
	uint32_t start_needs;		      /* FIELD_NEEDS_… that the probes were loaded for */
	int control_result;
	uint64_t caught_up_ns; /* when the rings were last found empty */
	int signal_fd, epoll_fd;
	uint64_t start_ns, next_tick_ns, end_ns;
	bool is_stopping;
	bool has_told_ready; /* the service manager */
};

/* 0 or a negative errno. */
int daemon_watch(int epoll_fd, int fd);
/* Here, and nowhere else, rules change while the daemon runs: between two events, with what
 * matches them, what is counted of them, and what the kernel sends for them. Takes ownership with
 * 0; -ENOMEM: nothing has changed. */
int daemon_install(struct daemon *daemon, struct ruleset *ruleset);
/* A reload_check_fn: what the probes were not loaded for, they cannot give later. */
const char *daemon_check_needs(const struct ruleset *ruleset, void *data);

/* tell.c: what has happened to the daemon itself, as events. Once a second; is_last: at the end. */
void tell_losses(struct daemon *daemon, const struct probes_counters *counters, bool is_last);
/* Between two events. */
void tell_reloads(struct daemon *daemon);

#endif
