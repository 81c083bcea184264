/*
 * The process table from the inside: shared by proc.c, proc_apply.c, image.c and ancestry.c.
 * Engine thread.
 */
#ifndef ENRICH_PROC_PRIVATE_H
#define ENRICH_PROC_PRIVATE_H

#include "haetae/proc.h"
#include "haetae/table.h"
#include "procfs.h"

struct proc_list {
	struct proc *first, *last;
};

struct proc_table {
	struct proc_table_config config;
	struct table by_key; /* every process */
	struct table by_pid; /* the living, the newest of each pid */
	/* Every exited process is in one of these, oldest first: those that nothing needs, and the
	 * parents and creators of processes that are still in the table. */
	struct proc_list exited, held;
	/* What apply is working on: eviction leaves them alone. */
	const struct proc *pinned[2];
	/* Stands in for an image that found no room, or is older than the process's history. Owned;
	 * refilled for each event that needs it. */
	struct proc_image *stand_in;
	uint64_t last_serial;
	struct proc_table_stats stats;

	struct procfs *procfs; /* owned; NULL: this host is not asked */
	/* Our pids are the initial namespace's: a seed had the same pid in both, and none differed.
	 */
	bool is_pid_shared, is_pid_translated;
	uint64_t reads_since_ns; /* the second in which read_cnt reads were made */
	uint32_t read_cnt;

	uint32_t unlinked_cnt; /* parents and creators that are named but not in the table */
	bool is_grown;	       /* a process came since they were last looked for */
	uint64_t next_link_ns, next_look_ns;
	uint32_t look_cursor; /* into by_pid */
};

static inline bool proc_key_equal(struct proc_key a, struct proc_key b)
{
	return a.pid == b.pid && a.start_ns == b.start_ns;
}

/* Room for that many more bytes, evicting exited processes if need be. */
bool proc_table_make_room(struct proc_table *table, uint64_t bytes);
/* Room for one more process, likewise. */
bool proc_table_make_seat(struct proc_table *table);
/* Who is there, exited ones included, or NULL. */
struct proc *proc_table_get(const struct proc_table *table, struct proc_key key);
/* The living with this pid, or NULL. */
struct proc *proc_table_get_pid(const struct proc_table *table, uint32_t pid);
/* A new process without relations. Takes over the image's reference, also on failure; an image that
 * is NULL found no room. NULL where there is no room (counted). */
struct proc *proc_table_add(struct proc_table *table, struct proc_key key,
			    struct proc_image *image);
void proc_set_parent(struct proc_table *table, struct proc *proc, struct proc_key key);
void proc_set_creator(struct proc_table *table, struct proc *proc, struct proc_key key);
/* Of a living process. */
void proc_mark_exited(struct proc_table *table, struct proc *proc, uint64_t exit_ns);
/* An exit that was inferred from silence, and then an event that is newer. */
void proc_revive(struct proc_table *table, struct proc *proc, uint64_t time_ns);

#endif
