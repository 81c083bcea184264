/*
 * The settings of `haetae run -o KEY=VALUE`: one table row each.
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "haetae/daemon.h"

struct setting {
	const char *key;
	const char *value; /* what the value is: "BYTES" */
	const char *doc;
	/* False where the text is no such value. */
	bool (*set)(struct daemon_config *config, const char *text);
	/* The value that a configuration has now, as text. */
	void (*get)(const struct daemon_config *config, struct buf *out);
};

/* NULL behind the last. */
const struct setting *setting_at(unsigned index);

#define SETTINGS_E_INVALID 1 /* one line went to stderr */

/* Applies "KEY=VALUE". 0 or SETTINGS_E_INVALID. */
int settings_apply(struct daemon_config *config, const char *assignment);

#endif
