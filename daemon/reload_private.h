/*
 * The parts of reload.c: watching and comparing.
 */
#ifndef HAETAE_DAEMON_RELOAD_PRIVATE_H
#define HAETAE_DAEMON_RELOAD_PRIVATE_H

#include "reload.h"

struct reload_watch {
	int fd; /* inotify; owned; -1: none */
	struct reload_watched {
		int wd;
		const char *name;      /* only this one in the folder, or NULL; borrowed */
	} paths[DAEMON_PATHS_MAX + 1]; /* rules, and the configuration */
	uint32_t cnt;
};

/* Watches what there is of its paths; again after each reload, since folders come and go. */
void reload_watch_set(struct reload_watch *watch, const struct daemon_config *config);
/* Reads what has happened. Whether it is about a rule file. */
bool reload_watch_read(struct reload_watch *watch);
void reload_watch_done(struct reload_watch *watch);

/* "2 rules added (A, B), 1 removed (C), 3 changed (…)"; "no rule has changed". */
void reload_compare(const struct ruleset *before, const struct ruleset *now, struct buf *out);

#endif
