/*
 * The process table: what the engine remembers between events (the only such state beside the
 * container table). Keyed by (pid, start time), so pid reuse never mixes two processes; each
 * process keeps its recent program images, so an event that is applied after a later exec still
 * gets its own. Owned and used by the engine thread.
 */
#ifndef HAETAE_PROC_H
#define HAETAE_PROC_H

#include "haetae/event.h"

struct proc_key {
	uint64_t start_ns; /* boot time */
	uint32_t pid;	   /* initial pid namespace */
};

/* A program image: what exec made. Immutable. Shared by a process and the children it forked before
 * they exec. All strings stand in storage[]. */
struct proc_image {
	uint64_t exec_id;
	uint64_t exec_time_ns; /* boot time; 0: older than the daemon */
	uint32_t refs;
	struct proc_image *older; /* the process's image before this one; owned reference or NULL.
				     Only images of one process are chained */
	char comm[WIRE_COMM_LEN + 1]; /* right after the exec */
	struct str exe;		      /* argv[0] */
	struct str args;	      /* argv[1] and on: NUL-terminated one behind the other */
	struct str env;		      /* the same; p NULL: not read */
	struct str exepath;	      /* "" where unknown */
	struct str cwd;		      /* at the time of exec; without a trailing slash unless "/" */
	struct str filename;	      /* as passed to exec */
	struct str interp;
	uint64_t exe_ino, exe_ctime_ns, exe_mtime_ns; /* wall clock; 0 unknown */
	uint32_t exe_bits;			      /* WIRE_FILE_… */
	uint32_t argc;
	bool is_args_cut, is_env_cut;
	char storage[];
};

struct proc {
	struct proc_key key;
	uint64_t serial;	     /* order of first sight */
	struct proc_key parent_key;  /* the present parent, as the newest event saw it */
	struct proc_key creator_key; /* who forked it; start_ns 0: not known */
	struct proc_image *image;    /* newest; owned reference; never NULL */
	uint32_t ns_pid, session_id, group_id, ns_session_id, ns_group_id;
	uint32_t uid, loginuid, tty, pid_ns;
	uint64_t pidns_init_start_ns;
	uint64_t cgroup_id;
	char comm[WIRE_COMM_LEN + 1]; /* of the newest event of the main thread, or the image's */
	uint32_t child_cnt;	      /* known children and created ones: keeps it from eviction */
	uint64_t exit_ns;	      /* 0: alive */
	bool is_partial; /* made from an event's header alone: its exec was never seen */
	struct proc *gc_next, *gc_previous; /* the list of the exited, oldest first */
};

struct proc_table; /* opaque */

struct proc_table_config {
	uint32_t max_processes; /* default 65536 */
	uint64_t max_bytes;	/* of images and nodes; default 128 MiB */
	uint64_t grace_ns;	/* how long an exited process is kept; default 10 s */
	uint32_t max_images;	/* recent images a process keeps; default 4 */
	const char *proc_root;	/* "/proc" */
};
void proc_table_config_default(struct proc_table_config *config);

struct proc_table_stats {
	uint64_t processes, images, bytes;		  /* now */
	uint64_t seeded, forked, execed, exited, partial; /* so far */
	uint64_t evicted; /* an exited process dropped before its grace was over, for space */
	uint64_t refused; /* a process that found no room: its events carry only their header */
	uint64_t expired; /* dropped after its grace: the normal end */
};

/* 0 or -ENOMEM. */
int proc_table_new(const struct proc_table_config *config, struct proc_table **ret);
struct proc_table *proc_table_free(struct proc_table *table);
static inline void proc_table_freep(struct proc_table **table)
{
	*table = proc_table_free(*table);
}

/* Applies the event's effect (seed, fork, exec, exit; others refresh parent, comm, ids), then sets
 * event->proc and event->image. An unknown process is made from the header, marked partial, and its
 * strings are read from /proc only where it is still the same process. Never fails: what finds no
 * room is counted and leaves proc NULL. */
void proc_table_apply(struct proc_table *table, struct event *event);
/* Drops exited processes whose grace is over. Cheap; call it once a batch. */
void proc_table_collect(struct proc_table *table, uint64_t now_ns);

const struct proc *proc_table_find(const struct proc_table *table, struct proc_key key);
/* The image that was running when exec_id was; the nearest older one where it is gone. */
const struct proc_image *proc_image_at(const struct proc *proc, uint64_t exec_id);
void proc_table_stats(const struct proc_table *table, struct proc_table_stats *ret);
/* The living process with this pid (its newest), or NULL: for ids inside parameters. */
const struct proc *proc_table_find_pid(const struct proc_table *table, uint32_t pid);

/* Ancestry. Present parents only: level 0 is the process itself, 1 its parent. NULL beyond the
 * oldest known. */
const struct proc *proc_ancestor(const struct proc_table *table, const struct proc *proc,
				 unsigned level);
/* All ancestors, nearest first, each once: the present chain and the creation lineage together
 * (decision 13), so that a double fork hides nothing. Fills up to max; returns how many there are
 * in the table (bounded by PROC_ANCESTRY_MAX). */
#define PROC_ANCESTRY_MAX 256
unsigned proc_ancestry(const struct proc_table *table, const struct proc *proc,
		       const struct proc **ret, unsigned max);

/* User and group names of the host's /etc/passwd and /etc/group, read at start and when the files
 * change (checked at most once a second). NULL where the id has none. */
struct users; /* opaque */
int users_new(const char *etc_root, struct users **ret);
struct users *users_free(struct users *users);
const char *users_name(struct users *users, uint32_t uid);
const char *users_group_name(struct users *users, uint32_t gid);
const char *users_home(struct users *users, uint32_t uid);
const char *users_shell(struct users *users, uint32_t uid);

#endif
