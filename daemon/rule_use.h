/*
 * What a ruleset asks of the rest: of the probes, the tables and the kernel's filter.
 */
#ifndef HAETAE_DAEMON_RULE_USE_H
#define HAETAE_DAEMON_RULE_USE_H

#include "haetae/daemon.h"
#include "haetae/kernel_filter.h"

/* At the start: problems go to stderr. An exit_code. */
int rule_use_load(const struct daemon_config *config, struct ruleset **ret);
/* FIELD_NEEDS_… of conditions and outputs. */
uint32_t rule_use_needs(const struct ruleset *ruleset);
/* Rules, without the self-test's. */
uint32_t rule_use_enabled_cnt(const struct ruleset *ruleset);
uint32_t rule_use_cnt(const struct ruleset *ruleset);
void rule_use_want(const struct daemon_config *config, const struct ruleset *ruleset,
		   struct probes_want *ret);
/* What the kernel need not send. A recording without rules wants everything. */
void rule_use_filter(const struct daemon_config *config, const struct ruleset *ruleset,
		     struct probes *probes, struct kernel_filter_state *ret);

#endif
