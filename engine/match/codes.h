/*
 * The table of diagnostic codes, at run time.
 */
#ifndef HAETAE_MATCH_CODES_H
#define HAETAE_MATCH_CODES_H

#include "haetae/diag.h"

/* What a code means and what to do; NULL for one that is not in codes.def. */
const char *code_meaning(const char *code);
/* Gives each diagnostic from number `begin` on that has no hint of its own its code's meaning. */
void codes_add_hints(struct diags *diags, uint32_t begin);

#endif
