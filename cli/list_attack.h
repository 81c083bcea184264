/*
 * `haetae list rules --attack`: which rules look at which technique of MITRE ATT&CK.
 */
#ifndef CLI_LIST_ATTACK_H
#define CLI_LIST_ATTACK_H

#include "haetae/rules.h"

#include "list_table.h"

/* An item for each technique of each tactic, tactics in the order of an attack. 0 or -ENOMEM. */
int list_attack(const struct ruleset *ruleset, struct list_writer *writer);

#endif
