/*
 * The kernel filter of a ruleset: made from the rules (match), installed by the probes, and
 * modelled in user space for tests and explanations. What the masks mean is said in filter.h.
 */
#ifndef HAETAE_KERNEL_FILTER_H
#define HAETAE_KERNEL_FILTER_H

#include "haetae/filter.h"
#include "haetae/rules.h"

struct filter_number {
	struct filter_number_key key;
	uint64_t mask;
};
struct filter_comm {
	struct filter_comm_key key;
	uint64_t mask;
};
struct filter_name {
	struct filter_name_key key;
	uint64_t mask;
};

struct kernel_filter {
	struct filter_type types[EVENT__COUNT];
	/* In the arena; each key once. */
	const struct filter_number *numbers;
	const struct filter_comm *comms;
	const struct filter_name *names;
	uint32_t number_cnt, comm_cnt, name_cnt;
	struct arena arena;
};

/* What the kernel may keep back without a rule missing it. Of each event type that has no filter
 * all events pass. 0 or -ENOMEM; kernel_filter_done() in both cases. */
int ruleset_kernel_filter(const struct ruleset *ruleset, struct kernel_filter *ret);
/* Fine on a zeroed one. */
void kernel_filter_done(struct kernel_filter *filter);

/* Whether the kernel would let the event pass: the same decision from the record that it would have
 * made from the call. The event has a scratch arena. */
bool kernel_filter_passes(const struct kernel_filter *filter, const struct event *event);

/* What of the rule is asked in the kernel, event type by event type, and which parts of its
 * condition are not, and why; for people. */
void ruleset_explain_filter(const struct ruleset *ruleset, const struct rule *rule,
			    struct buf *out);

#endif
