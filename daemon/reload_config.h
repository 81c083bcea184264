/*
 * The configuration read anew while the daemon runs: which of it takes effect, and what waits for a
 * restart. Thread of the reloads.
 */
#ifndef HAETAE_DAEMON_RELOAD_CONFIG_H
#define HAETAE_DAEMON_RELOAD_CONFIG_H

#include "haetae/daemon.h"

/* One that was read, or the one of the start. */
struct reload_config {
	const struct daemon_config *config;
	void *handle; /* daemon_reread's; NULL: nothing is to be given back */
};

/* Reads it. False: it is not valid, and *out says why, without anything of the file's text, where
 * secrets may stand. */
bool reload_config_read(const struct daemon_config *start, struct reload_config *ret,
			struct buf *out);
void reload_config_free(const struct daemon_config *start, struct reload_config *read);
/* Keys whose values differ, "log.level, self_test.period": those that take effect with a reload, or
 * the others. */
void reload_config_compare(const struct daemon_config *before, const struct daemon_config *now,
			   bool is_live, struct buf *out);

#endif
