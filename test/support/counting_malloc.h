/*
 * An allocator in place of malloc for a whole test program, libraries included: it counts, and
 * fails when it is told to. Not for sanitizers, which have their own. Compiled into the program
 * itself.
 */
#ifndef HAETAE_TEST_COUNTING_MALLOC_H
#define HAETAE_TEST_COUNTING_MALLOC_H

#include <stdbool.h>

struct counting_malloc {
	long live_cnt;		      /* allocations that were not freed */
	unsigned long allocation_cnt; /* asked for; settable */
	unsigned long fail_at;	      /* the one that fails; 0: none */
	bool want_all;		      /* and all behind it */
};
extern struct counting_malloc counting_malloc;

#endif
