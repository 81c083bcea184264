/*
 * The spool: alerts on disk until every durable sink is done with them. docs/outputs.md says what
 * it promises. One process at a time; outputs thread only.
 */
#ifndef HAETAE_OUTPUTS_SPOOL_H
#define HAETAE_OUTPUTS_SPOOL_H

#include "haetae/sink.h"
#include "spool_frame.h"

struct spool; /* opaque */

/* Between two frames. Segments count from 1. */
struct spool_position {
	uint64_t segment, offset;
};

#define SPOOL_E_END	1
#define SPOOL_E_VERSION 2 /* written by another version of haetae: nothing was touched */
#define SPOOL_E_LOCKED	3 /* another daemon has it */

struct spool_events {
	/* At the start: this frame is not yet delivered by this user. */
	void (*on_found)(void *data, uint32_t user, const struct spool_frame *frame);
	/* It went with the oldest segment before this user has read it. */
	void (*on_evicted)(void *data, uint32_t user, const struct spool_frame *frame);
	void *data;
};

/* Makes the folder where it is missing, locks it, repairs what a crash left. names: of the durable
 * sinks, whose indices are the users. Cursors of others are removed, with a warning. 0, SPOOL_E_…,
 * or a negative errno. */
int spool_open(const struct spool_config *config, const char *const *names, uint32_t name_cnt,
	       const struct spool_events *events, struct spool **ret);
/* Writes the cursors. Fine with NULL. */
struct spool *spool_free(struct spool *spool);

bool spool_is_half_full(const struct spool *spool);
/* Segments that all users have passed. */
void spool_remove_passed(struct spool *spool);
/* Whether an alert of this priority would be written: above 90 % only warning and above. */
bool spool_admits(struct spool *spool, enum priority priority);
/* Collects an alert for the next spool_write(); sink empty: for all. False where memory or the size
 * of a frame does not allow it. */
bool spool_add(struct spool *spool, const struct alert *alert, struct str sink);
/* The last write did. */
bool spool_works(const struct spool *spool);
/* Writes what was collected, all or nothing. After it returned 0, a crash of the daemon loses none
 * of it. 0 or a negative errno. */
int spool_write(struct spool *spool);

/* The user's next frame, valid until the next call. 0 or SPOOL_E_END. */
int spool_read(struct spool *spool, uint32_t user, struct spool_frame *ret,
	       struct spool_position *ret_start);
/* Over everything that is there. */
void spool_skip(struct spool *spool, uint32_t user);
struct spool_position spool_at(const struct spool *spool, uint32_t user);
/* Everything before has its end. */
void spool_commit(struct spool *spool, uint32_t user, struct spool_position position);

/* Writes cursors and flushes to the disk where that is due, removes segments that all have passed.
 * When it wants to be called again (boot time; UINT64_MAX: after the next write or commit). */
uint64_t spool_tick(struct spool *spool, uint64_t now_ns);
void spool_read_stats(struct spool *spool, struct spool_stats *ret);
/* For dead letters. */
int spool_dir_fd(const struct spool *spool);

#endif
