/*
 * Hooks of functions of the kernel, where it has them: name_hooks.c.
 */
#ifndef HAETAE_PROBES_NAME_HOOKS_H
#define HAETAE_PROBES_NAME_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#define NAME_HOOK_CNT 10

struct host_types;
struct probes;

/* Whether this kernel takes the one that serves an event type. */
bool name_hooks_possible(const struct host_types *types, uint16_t type);
/* Before loading: leaves out those that it does not take. */
void name_hooks_select(struct probes *probes, const struct host_types *types);
/* Attaches those that are needed and are not attached. */
void name_hooks_attach(struct probes *probes);
void name_hooks_detach(struct probes *probes);

#endif
