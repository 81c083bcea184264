/*
 * When events begin to be lost and when that is over: what the event `loss` says. Pure: totals in,
 * a report out.
 */
#ifndef HAETAE_DAEMON_LOSS_WATCH_H
#define HAETAE_DAEMON_LOSS_WATCH_H

#include "haetae/probes.h"
#include "haetae/event.h"

/* Nothing lost for that long: it is over. As long passes before the next begin is told, so that
 * there is at most one pair of events in twice this time; what is lost meanwhile is in the next. */
#define LOSS_QUIET_NS	   (5 * NS_PER_SEC)
#define LOSS_CGROUPS_SHOWN 8
/* The kernel's table (maps.h) has as many. */
#define LOSS_CGROUPS_KNOWN 1024

struct loss_totals {
	uint64_t time_ns, generated, lost;
	uint64_t classes[CLASS__COUNT], reasons[WIRE_LOST__COUNT];
	uint64_t malformed; /* lost in user space; also in lost and in the class unknown */
};

enum loss_change {
	LOSS_SAME,
	LOSS_BEGIN,
	LOSS_END,
};

struct loss_report {
	enum loss_change change;
	struct loss_totals since; /* differences; time_ns is the duration */
	struct probes_cgroup_loss cgroups[LOSS_CGROUPS_SHOWN]; /* largest first */
	uint32_t cgroup_cnt;
	uint64_t cgroups_rest; /* so that the sum is since.lost */
};

struct loss_watch {
	bool is_losing;
	struct loss_totals base;  /* when nothing was being lost, or at the last report's end */
	struct loss_totals grown; /* when loss was last seen to grow */
	uint64_t next_begin_ns;
	struct probes_cgroup_loss before[LOSS_CGROUPS_KNOWN]; /* of cgroups, at `base` */
	uint32_t before_cnt;
};

void loss_totals_of(const struct probes_counters *counters, uint64_t now_ns,
		    struct loss_totals *ret);
void loss_watch_init(struct loss_watch *watch, uint64_t now_ns);
/* Call it once a second. Where it is not LOSS_SAME, loss_watch_report() must follow. is_last: there
 * will be no other step, so an end is now; where it returns LOSS_BEGIN, step once more. */
enum loss_change loss_watch_step(struct loss_watch *watch, const struct loss_totals *now,
				 bool is_last);
/* What the step saw. `cgroups` is the kernel's table at this moment, in any order. */
void loss_watch_report(struct loss_watch *watch, enum loss_change change,
		       const struct probes_cgroup_loss *cgroups, uint32_t cgroup_cnt,
		       struct loss_report *ret);

#endif
