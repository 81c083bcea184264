/*
 * The container table from the inside: shared by container_table.c, container_apply.c,
 * container_walk.c and container_answers.c. Engine thread.
 */
#ifndef ENRICH_CONTAINER_PRIVATE_H
#define ENRICH_CONTAINER_PRIVATE_H

#include "haetae/container_table.h"
#include "haetae/table.h"

#define HIERARCHY_CNT (WIRE_HIERARCHY_CPU + 1)
/* A line for each hierarchy; version 1 has about a dozen, paths end at PATH_MAX. */
#define CGROUP_FILE_MAX 16384
#define CGROUP_PATH_MAX 4096

/* A circular list with a head of its own. */
struct link {
	struct link *next, *previous;
};

struct container_entry {
	struct container container; /* first: container_entry() goes back */
	struct link gone_link;	    /* among table->gone, by gone_ns; next NULL: not there */
	struct link due_link;	    /* among table->due; likewise */
	enum metadata_question_type due;
	uint32_t cgroup_cnt; /* cgroups that exist */
	uint64_t gone_ns;
	uint32_t pid; /* of a process that was moved into it; 0: none yet */
	bool was_asked;
	/* Named by a cgroup that was made from inside another container: nobody's, until the host's
	 * runtime confirms it. Afterwards `outer` is where its processes may come from. */
	bool is_unconfirmed;
	/* Named below /user.slice: apart from those of the host's runtimes, whatever id it claims.
	 */
	bool is_users;
	struct container_entry *outer; /* owned reference, or NULL */
};

struct cgroup_node {
	uint64_t key;			   /* cgroup_node_key() */
	const struct container *container; /* owned reference; NULL: could not be told */
	struct container_entry *inner;	   /* owned reference: what its name says; or NULL */
	struct cgroup_node *gone_next;
	uint64_t gone_ns;  /* 0: it exists */
	uint64_t retry_ns; /* of one that could not be told: asked again then */
	uint32_t walk;	   /* number of the walk that saw it last */
	bool is_inherited; /* made from inside a container, or below such a one */
};

struct container_table {
	struct container_table_config config;
	struct table nodes, entries; /* both own what is in them */
	struct cgroup_node *gone_first, *gone_last;
	struct link gone, due;
	uint32_t inherited_cnt, unconfirmed_cnt; /* now: both have bounds of their own */
	bool is_healthy[METADATA_SOURCE__COUNT];
	uint64_t pods_since_ns; /* since then the source of pods is known to answer; 0: it does not
				 */
	uint64_t now_ns; /* boot time of the newest event, tick or walk: the table has no clock */
	struct container_table_stats stats;

	int root_fd;		     /* of host_root, O_PATH; -1: nothing is asked of the host */
	char *mounts[HIERARCHY_CNT]; /* where they are; owned; NULL: not mounted */
	uint32_t walk_cnt;
	bool is_walk_due;	 /* there is no room, or /proc could not tell one */
	uint64_t next_walk_ns;	 /* not again before */
	uint64_t reads_since_ns; /* the second in which read_cnt cgroups were asked for */
	uint32_t read_cnt;

	struct container_left left;
	bool has_left;
};

/* A control group's key: kernfs numbers count up from 1 in each hierarchy (fs/kernfs/dir.c), so the
 * upper bits are free. */
static inline uint64_t cgroup_node_key(uint64_t id, unsigned hierarchy)
{
	return (id & ~(3ULL << 62)) | (uint64_t)(hierarchy & 3) << 62;
}

/* NULL of NULL and of the host. */
static inline struct container_entry *container_entry(const struct container *container)
{
	if (!container || container == &container_host)
		return NULL;
	return (struct container_entry *)(uintptr_t)container;
}

/* ---- container_table.c ---- */

struct cgroup_node *cgroup_node_find(const struct container_table *table, uint64_t key);
/* A new node, or the one that is there, with another container. Takes a reference of its own. NULL:
 * there is no room (counted). */
struct cgroup_node *cgroup_node_put(struct container_table *table, uint64_t key,
				    const struct container *container, bool is_inherited);
void cgroup_node_set(struct container_table *table, struct cgroup_node *node,
		     const struct container *container);
/* Its directory was removed; the records of its last processes may still be to come. */
void cgroup_node_mark_gone(struct container_table *table, struct cgroup_node *node,
			   uint64_t now_ns);
void cgroup_node_drop_inner(struct container_table *table, struct cgroup_node *node);

/* The container that the host gave this name; made where it is not known. NULL: no room (counted).
 */
struct container_entry *container_entry_put(struct container_table *table,
					    const struct cgroup_identity *identity,
					    uint64_t now_ns);
/* One of the host's runtimes, not a user's. */
struct container_entry *container_entry_find(const struct container_table *table, struct str id);
/* The same of a name that was given inside of `outer`: NULL where such a one is known, or too many
 * wait. */
struct container_entry *container_entry_put_inner(struct container_table *table,
						  const struct cgroup_identity *identity,
						  const struct container *outer, uint64_t now_ns);
/* Not unconfirmed any more; with it those cgroups bear its name, or none. */
void container_entry_confirm(struct container_table *table, struct container_entry *entry,
			     bool is_by_runtime);
void container_entry_ask(struct container_table *table, struct container_entry *entry,
			 enum metadata_question_type question);
void container_entry_free(struct container_table *table, struct container_entry *entry);

void link_append(struct link *head, struct link *link);
void link_remove(struct link *link);

/* ---- container_walk.c ---- */

/* What the path names, where it is a container's; a name that anybody may choose only where
 * containerd has a bundle of it. */
bool container_name(const struct container_table *table, struct str path,
		    struct cgroup_identity *ret);
/* A cgroup whose record was missed, by its path, if the path leads to it now. NULL: it does not. */
struct cgroup_node *container_learn_path(struct container_table *table, uint64_t id,
					 unsigned hierarchy, const char *path);
/* Asks /proc for the cgroup of the header's process. NULL: it could not be told now. */
struct cgroup_node *container_learn(struct container_table *table,
				    const struct wire_header *header);
int container_walk_new(struct container_table *table);
void container_walk_free(struct container_table *table);

/* ---- container_answers.c ---- */

/* What the sources know of it so far. */
void container_states_begin(struct container_table *table, struct container_entry *entry);
/* Pods that nobody has told of for long are waited for no more. Once a second. */
void container_states_expire(struct container_table *table, uint64_t now_ns);

/* ---- cgroup_path.c ---- */

/* The hierarchy's path in the text of /proc/PID/cgroup, which is taken apart. */
bool cgroup_file_find(char *text, enum wire_hierarchy hierarchy, char *ret, size_t size);
/* Whether a comma-separated list of controllers has the hierarchy's; "" is version 2's. */
bool cgroup_controllers_have(const char *controllers, size_t n, enum wire_hierarchy hierarchy);

#endif
