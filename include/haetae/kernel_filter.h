/*
 * The kernel filter of a ruleset: made from the rules (match), installed by the probes, and
 * modelled in user space for tests and explanations. What the masks mean is said in filter.h.
 */
#ifndef HAETAE_KERNEL_FILTER_H
#define HAETAE_KERNEL_FILTER_H

#include "haetae/filter.h"
#include "haetae/arena.h"

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

struct filter_address {
	struct filter_address_key key;
	uint64_t mask;
};

struct kernel_filter {
	struct filter_type types[EVENT__COUNT];
	/* Rules see events whose ends are told by who connected or accepted before: of a connect
	 * that no rule wants the kernel must still keep that. */
	bool is_contact_wanted;
	/* Of the event types that rules see: no clause decides, every event passes; and there were
	 * more clauses than an event type can have, so some were joined to wider ones. */
	bool passes[EVENT__COUNT], is_coarse[EVENT__COUNT];
	/* In the arena; each key once. */
	const struct filter_number *numbers;
	const struct filter_comm *comms;
	const struct filter_name *names;
	const struct filter_address *addresses;
	uint32_t number_cnt, comm_cnt, name_cnt, address_cnt;
	struct arena arena;
};

/* What became of it, for people. */
struct kernel_filter_state {
	enum filter_mode mode; /* FILTER_OFF also where it could not be made: */
	int error;	       /* 0 or a negative errno */
	uint32_t decided_cnt, passing_cnt, coarse_cnt; /* event types */
	bool passes[EVENT__COUNT], is_coarse[EVENT__COUNT];
};

#endif
