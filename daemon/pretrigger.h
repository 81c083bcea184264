/*
 * Captures around alerts: the last seconds are kept in memory, and when a rule that wants it raises
 * an alert, they go to a file of their own, behind a snapshot of the tables, and so do the seconds
 * after it. One per daemon, engine thread.
 */
#ifndef HAETAE_DAEMON_PRETRIGGER_H
#define HAETAE_DAEMON_PRETRIGGER_H

#include "engine.h"

struct pretrigger_stats {
	uint64_t files;		  /* made */
	uint64_t refused_by_rate; /* alerts for which none was made: too soon after another */
	uint64_t refused_by_room; /* likewise: max_files */
	uint64_t failed;	  /* not made, or ended by an error */
};

struct pretrigger {
	const struct pretrigger_config *config;
	struct engine *engine;	     /* borrowed */
	struct capture_ring *ring;   /* owned; NULL: off */
	struct capture_writer *to;   /* owned; what the engine's inputs go to */
	struct capture_writer *file; /* owned; NULL: none is being made */
	/* Borrowed: of the whole run, which the engine's tap went to before; or NULL. */
	struct capture_writer *recording;
	char path[4352]; /* of the file */
	char name[128];	 /* of it, once it is due */
	bool is_due;
	uint64_t until_ns;   /* of the file, or of the one that is due */
	uint64_t not_before; /* boot time of the next */
	struct pretrigger_stats stats;
};

/* Taps the engine, where a folder is configured: before it has taken anything. 0 or a negative
 * errno. */
int pretrigger_start(struct pretrigger *pretrigger, const struct pretrigger_config *config,
		     struct engine *engine);
/* After each pass: makes the file that is due, ends the one whose time is over. */
void pretrigger_tick(struct pretrigger *pretrigger, uint64_t now_ns);
/* Ends the file. Fine on a zeroed one. */
void pretrigger_done(struct pretrigger *pretrigger);

#endif
