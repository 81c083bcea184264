/*
 * The process table: what the engine remembers between events (the only such state beside the
 * container table). Keyed by (pid, start time), so pid reuse never mixes two processes; each
 * process keeps its recent program images, so an event that is applied after a later exec still
 * gets its own. Owned and used by the engine thread.
 */
#ifndef HAETAE_PROC_H
#define HAETAE_PROC_H

#include "haetae/buf.h"
#include "haetae/event.h"

struct proc_key {
	uint64_t start_ns; /* boot time */
	uint32_t pid;	   /* initial pid namespace */
};

/* A program image: what exec made. Immutable, but for strings taken back (procfs_ns). Shared by a
 * process and the children it forked before they exec. All strings stand in storage[]. */
struct proc_image {
	uint64_t exec_id;
	uint64_t exec_time_ns; /* boot time; 0: older than the daemon, or its record was lost */
	/* When its strings were read from /proc, and of whom; 0: they were not. Where an exec of
	 * that process turns out to have come before, they are taken back. */
	uint64_t procfs_ns;
	struct proc_key procfs_key;
	uint32_t refs;
	uint32_t bytes;		      /* of this allocation */
	char comm[WIRE_COMM_LEN + 1]; /* right after the exec */
	struct str exe;		      /* argv[0]; p NULL here and below: not known */
	struct str args;	      /* argv[1] and on: NUL-terminated one behind the other */
	struct str env;		      /* the same; p NULL: not read */
	struct str exepath;
	struct str cwd;	     /* at the time of exec; without a trailing slash unless "/" */
	struct str filename; /* as passed to exec */
	struct str interp;
	uint64_t exe_ino, exe_ctime_ns, exe_mtime_ns; /* wall clock; 0 unknown */
	uint32_t exe_bits;			      /* WIRE_FILE_… */
	uint32_t argc;
	bool is_args_cut, is_env_cut;
	bool is_partial; /* no exec record made it and /proc gave nothing: comm is all there is */
	bool is_id_open; /* read from /proc alone: exec_id is 0 until an event of it tells */
	char storage[];
};

#define PROC_IMAGES_MAX 8 /* of one process: bounds proc_table_config.max_images */

struct proc {
	struct proc_key key;
	uint64_t serial;	     /* order of first sight */
	struct proc_key parent_key;  /* the present parent, as the newest event saw it */
	struct proc_key creator_key; /* who forked it; start_ns 0: not known */
	struct proc_key
		reaper_key;	  /* who inherited its children when it exited; start_ns 0: n.k. */
	struct proc_image *image; /* newest; owned reference; never NULL */
	struct proc_image *older[PROC_IMAGES_MAX - 1]; /* newest first; owned references, or NULL */
	uint32_t ns_pid, session_id, group_id, ns_session_id, ns_group_id;
	uint32_t uid; /* effective */
	uint32_t loginuid, tty, pid_ns;
	uint64_t pidns_init_start_ns;
	uint64_t cgroup_id;
	uint8_t cgroup_hierarchy; /* enum wire_hierarchy: whose cgroup_id it is */
	/* The container it is in, owned reference; NULL: not known. It keeps it, wherever it moves,
	 * and so do its children (decision 25). container_table.c keeps these. */
	const struct container *container;
	uint64_t container_ns;	      /* time of the event that gave it this container */
	uint64_t container_place;     /* cgroup outside of it that has been told; 0: none */
	char comm[WIRE_COMM_LEN + 1]; /* of the newest event of the main thread, or the image's */
	uint64_t last_ns;	      /* time of the newest event; an older one refreshes nothing */
	uint32_t child_cnt;	      /* present and created children: keep it past its grace */
	uint64_t exit_ns;	      /* 0: alive */
	bool is_partial; /* made from an event's header alone: no fork, exec or seed record yet */
	bool is_exit_inferred; /* no exit record: the pid has gone, or has a newer owner */
	/* Of the parent and the creator in whose child_cnt this process stands; 0: of none. */
	uint64_t parent_serial, creator_serial;
	struct proc *gc_next, *gc_previous; /* a list of the exited, oldest first */
};

struct proc_table; /* opaque */

/* What /proc said of one process that no record told of. Borrowed. p NULL: could not be read. */
struct proc_strings {
	struct str exe, args, env, exepath, cwd;
	bool is_args_cut, is_env_cut;
	char comm[WIRE_COMM_LEN + 1];
	uint32_t parent_pid, group_id, session_id, tty; /* in the reader's pid namespace */
	uint32_t uid;	  /* effective; 0 also where the process is not dumpable */
	uint64_t read_ns; /* boot time: an exec after it is found out by this */
};

/* What the table takes from this host beside records, so that a run can be recorded and replayed.
 */
struct proc_inputs {
	/* Replay: instead of asking /proc; false where it had no answer. Valid until the next call.
	 * NULL: /proc is asked. */
	bool (*recall)(struct proc_key key, struct proc_strings *ret, void *data);
	/* Told of each answer of /proc, before it counts; and of each process that has gone without
	 * a record. NULL: nobody is. */
	void (*on_strings)(struct proc_key key, const struct proc_strings *strings, void *data);
	void (*on_gone)(struct proc_key key, void *data);
	void *data;
};

struct proc_table_config {
	uint32_t max_processes; /* default 65536 */
	uint64_t max_bytes;	/* of images and nodes; default 128 MiB */
	uint64_t grace_ns;	/* how long an exited process is kept; default 10 s */
	uint32_t max_images;	/* recent images a process keeps; default 4 */
	const char *proc_root;	/* "/proc"; NULL: nothing is asked of this host */
	bool is_host_proc;	/* proc_root numbers processes as the host does, whatever the
				   daemon's own pid namespace */
	bool want_env;		/* read environ beside cmdline; default false (decision 29) */
	uint32_t max_reads;	/* processes whose strings are read from /proc in a second, seeds
				   apart; default 200 */
	struct proc_inputs inputs;
};
void proc_table_config_default(struct proc_table_config *config);

struct proc_table_stats {
	uint64_t processes, images, bytes;		  /* now */
	uint64_t seeded, forked, execed, exited, partial; /* so far */
	uint64_t evicted;     /* an exited process dropped before its grace was over, for space */
	uint64_t refused;     /* a process that found no room: its events carry only their header */
	uint64_t expired;     /* dropped after its grace: the normal end */
	uint64_t exec_missed; /* images whose exec record was not there when first needed */
	uint64_t exit_missed; /* exits noticed without a record */
	uint64_t image_refused;	   /* images that found no room; counted each time one is needed */
	uint64_t procfs_read;	   /* processes whose strings came from /proc */
	uint64_t procfs_skipped;   /* not read: over max_reads, or no pid to read them by */
	uint64_t procfs_failed;	   /* not taken: gone, another process or image, not readable */
	uint64_t procfs_withdrawn; /* taken back: a later image may have been read */
};

/* 0 or -ENOMEM. */
int proc_table_new(const struct proc_table_config *config, struct proc_table **ret);
struct proc_table *proc_table_free(struct proc_table *table);
static inline void proc_table_freep(struct proc_table **table)
{
	*table = proc_table_free(*table);
}

/* Applies the event's effect (seed, fork, exec, exit; others refresh parent, comm, ids), then sets
 * event->proc and event->image, both or neither. An unknown process is made from the header, marked
 * partial, and its strings are read from /proc only where it is still the same process. Never
 * fails: what finds no room is counted and leaves both NULL; an image that finds none is stood in
 * for by one that has only exec_id and comm. */
void proc_table_apply(struct proc_table *table, struct event *event);
/* Drops exited processes whose grace is over, and once a second links who came before its parent.
 * Cheap; call it once a batch and when idle. */
void proc_table_collect(struct proc_table *table, uint64_t now_ns);
/* Once a second: looks on this host for processes whose exit record was lost. Not in a replay,
 * which has what on_gone was told: */
void proc_table_look(struct proc_table *table, uint64_t now_ns);
/* The process has gone, and no record tells when. Fine where it is not known. */
void proc_table_gone(struct proc_table *table, struct proc_key key, uint64_t now_ns);

const struct proc *proc_table_find(const struct proc_table *table, struct proc_key key);
/* The next process from *cursor on (0 at first), exited ones too, in no order; NULL behind the
 * last.
 */
const struct proc *proc_table_next(const struct proc_table *table, uint32_t *cursor);
/* The image that was running when exec_id was; the nearest older one where it is gone; NULL where
 * all that are known are newer. */
const struct proc_image *proc_image_at(const struct proc *proc, uint64_t exec_id);
void proc_table_stats(const struct proc_table *table, struct proc_table_stats *ret);
/* The living process with this pid (its newest), or NULL: for ids inside parameters. */
const struct proc *proc_table_find_pid(const struct proc_table *table, uint32_t pid);

/* Ancestry. Present parents only: level 0 is the process itself, 1 its parent. The children of one
 * that exited are its reaper's. NULL beyond the oldest known. */
const struct proc *proc_ancestor(const struct proc_table *table, const struct proc *proc,
				 unsigned level);
/* All ancestors, nearest first, each once: parents and creators, and theirs (decision 13), so that
 * a double fork hides nothing. Fills up to max; returns how many there are in the table (bounded by
 * PROC_ANCESTRY_MAX). */
#define PROC_ANCESTRY_MAX 256
unsigned proc_ancestry(const struct proc_table *table, const struct proc *proc,
		       const struct proc **ret, unsigned max);

/* The path of a control group within its hierarchy, as /proc tells it of a process of the table
 * that is in it. False where none is there to ask, or the path does not fit. Walks the whole table.
 */
bool proc_cgroup_path(const struct proc_table *table, uint64_t cgroup_id,
		      enum wire_hierarchy hierarchy, char *ret, size_t size);

/* User and group names of the host's /etc/passwd and /etc/group. NULL where the id has none. A name
 * is valid until users_look() or users_set(). Not being able to read them is no error: nobody has a
 * name then. */
struct users; /* opaque */
/* etc_root: the folder of both files, "/etc"; it reads them. 0 or -ENOMEM. */
int users_new(const char *etc_root, struct users **ret);
/* Of texts in memory, which it copies: those of a container. Does not look again. 0 or -ENOMEM. */
int users_new_from(struct str passwd, struct str group, struct users **ret);
/* Reads again what has changed on this host; true where something has. Once a second is enough. */
bool users_look(struct users *users);
/* Takes these texts instead of what it has. 0 or -ENOMEM: it keeps that then. */
int users_set(struct users *users, struct str passwd, struct str group);
/* What it knows, as such texts: without passwords and comments, of each id the entry that counts.
 */
void users_put(const struct users *users, struct buf *passwd, struct buf *group);
/* One more owner; each calls users_free(). Any thread. */
struct users *users_ref(struct users *users);
struct users *users_free(struct users *users);
static inline void users_freep(struct users **users)
{
	*users = users_free(*users);
}
const char *users_name(struct users *users, uint32_t uid);
const char *users_group_name(struct users *users, uint32_t gid);
const char *users_home(struct users *users, uint32_t uid);
const char *users_shell(struct users *users, uint32_t uid);

#endif
