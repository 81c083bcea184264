/*
 * The configuration of a command: file and -o, with messages for people. The same diags goes
 * through all steps, so that a problem of the whole can point to its place.
 */
#ifndef CLI_CONFIGURATION_H
#define CLI_CONFIGURATION_H

#include "haetae/conf.h"

#include "args.h"

/* Reads the file that option number `option` gives, or /etc/haetae/haetae.yaml where that exists,
 * over the defaults. Returns an exit_code; problems went to stderr. */
int configuration_load(const struct args *args, unsigned option, struct conf *conf,
		       struct diags *diags);
/* Applies each KEY=VALUE of option number `option`. The same. */
int configuration_assign(const struct args *args, unsigned option, struct conf *conf,
			 struct diags *diags);
/* Checks the whole, when all was set. The same; warnings went to stderr, too. */
int configuration_finish(struct conf *conf, struct diags *diags);

#endif
