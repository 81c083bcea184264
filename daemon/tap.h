/*
 * The tap: writes what the engine takes in to a capture, in the order in which it took it.
 */
#ifndef HAETAE_DAEMON_TAP_H
#define HAETAE_DAEMON_TAP_H

#include "haetae/capture.h"
#include "loss.h"

struct tap {
	struct capture_writer *writer; /* borrowed; NULL: off */
	/* A decision that changed nothing by itself is written before the next frame: what comes
	 * then goes by its time. Passes in which nothing comes leave no trace. */
	uint64_t decided_ns;
	bool is_decision_due;
};

static inline bool tap_is_on(const struct tap *tap)
{
	return tap->writer != NULL;
}

/* What the tables take beside records: for their configurations, with the tap as data. */
void tap_strings(struct proc_key key, const struct proc_strings *strings, void *data);
void tap_gone(struct proc_key key, void *data);
void tap_place(const struct cgroup_place *place, void *data);
void tap_bundle(const char *runtime_namespace, const char *id, void *data);
void tap_walk(const struct cgroup_walk *walk, void *data);

void tap_record(struct tap *tap, enum capture_kind kind, const void *record, uint32_t length);
/* Before it is applied. */
void tap_answer(struct tap *tap, const struct metadata_answer *answer);
void tap_asked(struct tap *tap, uint32_t cnt);
void tap_host_name(struct tap *tap, struct str name, const struct host_address *addresses,
		   uint32_t cnt);
void tap_sources(struct tap *tap, const bool has_source[METADATA_SOURCE__COUNT]);
void tap_loss(struct tap *tap, const struct loss_numbers *loss);
void tap_users(struct tap *tap, const struct users *users);
/* is_felt: it decides something, or may. */
void tap_decide(struct tap *tap, uint64_t now_ns, bool is_felt);
void tap_rules(struct tap *tap, uint32_t number);
void tap_tick(struct tap *tap, uint64_t now_ns, int64_t wall_offset_ns);

#endif
