/*
 * The container table: which control group is which container's, which container each process is
 * in, and what has been learned of it. With the process table the only state between events. Engine
 * thread. Decision 25 says what counts as a container's identity.
 */
#ifndef HAETAE_CONTAINER_TABLE_H
#define HAETAE_CONTAINER_TABLE_H

#include "haetae/metadata.h"
#include "haetae/proc.h"

struct container_table; /* opaque */

#define CONTAINER_LEFT_PATH_MAX 1024 /* as much as the tracepoint's (TRACE_CGROUP_PATH_LEN) */

/* One step of a walk over a hierarchy: its begin, each folder behind the one above it, its end. */
enum cgroup_walk_type {
	CGROUP_WALK_BEGIN,
	CGROUP_WALK_FOLDER,
	CGROUP_WALK_END
};
struct cgroup_walk {
	enum cgroup_walk_type type;
	enum wire_hierarchy hierarchy;
	uint64_t now_ns;	/* BEGIN: boot time */
	uint64_t id, parent_id; /* FOLDER: kernfs numbers */
	struct str path;  /* FOLDER: within the hierarchy, ended by a NUL behind it; borrowed */
	bool is_complete; /* END: what was not seen is not there */
};

/* A cgroup whose record was missed, as this host tells it. */
struct cgroup_place {
	enum wire_hierarchy hierarchy;
	uint64_t id;
	struct str path;   /* within the hierarchy, ended by a NUL behind it; borrowed */
	uint64_t above_id; /* the nearest folder above that is in a container; 0: none is */
};

/* What the table takes from this host beside records, so that a run can be recorded and replayed.
 * NULL in `recall_…`: the host is asked; in `on_…`: nobody is told. Told before it counts, but for
 * the steps of walks. */
struct container_inputs {
	/* Replay: false where the host could not tell. Valid until the next call. */
	bool (*recall_place)(uint64_t id, enum wire_hierarchy hierarchy, struct cgroup_place *ret,
			     void *data);
	/* Replay: whether containerd has a bundle of this name. */
	bool (*recall_bundle)(const char *runtime_namespace, const char *id, void *data);
	void (*on_place)(const struct cgroup_place *place, void *data);
	void (*on_bundle)(const char *runtime_namespace, const char *id, void *data);
	void (*on_walk)(const struct cgroup_walk *walk, void *data);
	void *data;
};

struct container_table_config {
	/* Prefix of /sys/fs/cgroup and /proc: "" or "/host"; NULL: nothing is asked of this host.
	 */
	const char *host_root;
	/* Where containerd keeps the bundles of containers that run, as paths of the host; they
	 * tell a container of `ctr` from a cgroup of somebody else. Empty: those that are usual.
	 * Borrowed. */
	const char *const *bundle_roots;
	uint32_t bundle_root_cnt;
	/* Who moves whom: a process of a container pulls none of the host's into it. Borrowed; or
	 * NULL. */
	const struct proc_table *procs;
	/* Which pods are known: a container of one of them need not wait. Borrowed; or NULL. */
	const struct pod_table *pods;
	uint32_t max_cgroups;	 /* default 65536 */
	uint32_t max_containers; /* default 16384 */
	uint64_t grace_ns;	 /* how long one that has gone is kept; default 30 s */
	struct container_inputs inputs;
};
void container_table_config_default(struct container_table_config *config);

struct container_table_stats {
	uint64_t cgroups, containers; /* now */
	uint64_t refused; /* a cgroup or container that found no room: event->container is NULL */
	uint64_t learned; /* cgroups whose cgroup_mkdir was missed, read from /proc of a process */
	uint64_t unknown; /* events of a cgroup that could not be told */
	uint64_t left;	  /* container_left, so far */
	uint64_t inherited; /* cgroups made from inside a container */
	uint64_t confirmed; /* inner containers that the host's runtime knows */
};

/* 0 or -ENOMEM. */
int container_table_new(const struct container_table_config *config, struct container_table **ret);
struct container_table *container_table_free(struct container_table *table);
/* Reads the cgroups there are from the mounted hierarchies. Call it between probes_attach() and
 * probes_seed(). 0 or a negative errno (no hierarchy could be read: the daemon goes on). */
int container_table_walk(struct container_table *table);
/* Walks again where it has become necessary. Not in a replay, which has what on_walk was told: */
void container_table_look(struct container_table *table, uint64_t now_ns);
/* One step of a walk. False: no room for the folder, or nobody above it is known. */
bool container_table_take_walk(struct container_table *table, const struct cgroup_walk *walk);
/* A cgroup and its container as a recording that began later has them. type CONTAINER_HOST: of the
 * host. */
void container_table_take_cgroup(struct container_table *table, enum wire_hierarchy hierarchy,
				 uint64_t id, bool is_inherited,
				 const struct cgroup_identity *identity);
/* Applies records of cgroups and sets event->container. After proc_table_apply(). */
void container_table_apply(struct container_table *table, struct event *event);
/* A process that left the cgroup of its container, which it keeps all the same; or one of the host
 * (container_host) that a process of a container moved into a container's cgroup. */
struct container_left {
	struct wire_header header;	   /* of the process, as the event at hand had it */
	const struct container *container; /* that it keeps; borrowed */
	/* Where it was moved to, within the hierarchy; "" where the move was not seen. */
	char cgroup[CONTAINER_LEFT_PATH_MAX];
	uint32_t by_pid; /* who moved it; 0: not told */
	uint64_t by_start_ns;
};
/* Such a thing, where the event that was applied last showed one; else NULL. Told once for each
 * process and place; processes that are born there are no news. Valid until the next apply. */
const struct container_left *container_table_left(const struct container_table *table);
/* Drops what has gone. Cheap; once a batch. */
void container_table_collect(struct container_table *table, uint64_t now_ns);

/* The next question for the metadata thread, oldest first; false where none waits. `asked`: it was
 * taken by the queue, so the container is WAITING (where the source is healthy); otherwise the same
 * question comes again. */
bool container_table_question(struct container_table *table, struct metadata_question *ret);
void container_table_asked(struct container_table *table, const struct metadata_question *question);
/* Applies ANSWER_CONTAINER, ANSWER_CONTAINER_UNKNOWN, ANSWER_SOURCE and, for the states of
 * containers, the answers of pods (whose table the caller keeps). Takes the references it keeps;
 * the caller frees the answer. Whether a held event may be decided now. */
bool container_table_answer(struct container_table *table, struct metadata_answer *answer);

/* A held event keeps its container. Fine with NULL and container_host. */
struct container *container_ref(const struct container *container);
void container_unref(struct container_table *table, const struct container *container);
/* Adds to what it has done. Fine with NULL and container_host, which are not counted. */
void container_count(const struct container *container, bool is_alert);
const struct container *container_table_find(const struct container_table *table,
					     struct str full_id);
/* For a snapshot. The next cgroup that is a container's, from *cursor on (0 at first), as
 * container_table_take_cgroup() takes it; false behind the last. */
struct container_cgroup {
	enum wire_hierarchy hierarchy;
	uint64_t id;
	bool is_inherited;
	const struct container *container;
	bool is_users; /* a user's word (struct cgroup_identity) */
};
bool container_table_next_cgroup(const struct container_table *table, uint32_t *cursor,
				 struct container_cgroup *ret);
/* The next container of a runtime of the host, likewise; NULL behind the last. */
const struct container *container_table_next(const struct container_table *table, uint32_t *cursor);
bool container_table_is_healthy(const struct container_table *table, enum metadata_source source);
void container_table_stats(const struct container_table *table, struct container_table_stats *ret);

#endif
