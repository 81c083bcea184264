/*
 * Containers and pods: what the control group says at once, what a runtime and the Kubernetes API
 * say later, and which container an event belongs to. Tables are the engine thread's; what runtimes
 * and the API said (container_info, pod_info) is made by the metadata thread, immutable, and
 * shared.
 */
#ifndef HAETAE_CONTAINER_H
#define HAETAE_CONTAINER_H

#include "haetae/arena.h"
#include "haetae/event.h"

/* ---- what a control group's path says (engine/enrich/cgroup.c) ------------------------------ */

/* clang-format off */
enum container_type {
	CONTAINER_HOST, CONTAINER_DOCKER, CONTAINER_CONTAINERD, CONTAINER_CRIO, CONTAINER_PODMAN,
	CONTAINER_LXC, CONTAINER_LIBVIRT_LXC, CONTAINER_NSPAWN, CONTAINER_BPM, CONTAINER_GARDEN,
	CONTAINER_CRI, /* a pod's container of a runtime that the path does not name */
	CONTAINER_WASM,
	CONTAINER_TYPE__COUNT
};
/* clang-format on */
/* As container.type prints it: "host", "docker", "cri-o", … */
const char *container_type_name(enum container_type type);

#define CONTAINER_ID_MAX 128 /* of a name that is no id: LXC, nspawn */
#define POD_UID_MAX	 64  /* a UUID, or a static pod's hash */
/* Of containerd's names (pkg/identifiers of containerd). */
#define CONTAINERD_NAMESPACE_MAX 76

struct cgroup_identity {
	enum container_type type;
	char id[CONTAINER_ID_MAX + 1]; /* whole: 64 hex digits, or a machine's name */
	char pod_uid[POD_UID_MAX + 1]; /* with dashes, as the API writes it; "" outside of pods */
	/* containerd's, where the path tells it: "default"; else "". */
	char runtime_namespace[CONTAINERD_NAMESPACE_MAX + 1];
	uint32_t depth; /* bytes of the path up to and with the container's own part */
	/* Below /user.slice, where each user makes folders by any name
	 * (systemd.resource-control(5), Delegate=): the id is a user's word, and it is of no pod.
	 */
	bool is_users;
};
/* The outermost container that the path of a control group (within its hierarchy, "/kubepods/…")
 * names; false where it is the host's. Patterns are anchored at the roots that runtimes use, so
 * that a directory that somebody named like a container is none (decision 25). A pod's own
 * directory gives false with pod_uid filled. Any bytes are fine. */
bool cgroup_identify(struct str path, struct cgroup_identity *ret);
/* Whether the path could be that of a container which containerd's `ctr` made, "/NAMESPACE/ID" with
 * names that anybody may choose: it is one only where the host's containerd has a bundle of that
 * name (container_table.c asks the file system before the first process is in). */
bool cgroup_candidate(struct str path, struct cgroup_identity *ret);

/* ---- what a runtime says of a container, and the API of a pod ------------------------------- */

struct users;

struct label {
	struct str key, value;
};

struct container_mount {
	struct str source, dest, mode, propagation;
	bool is_writable;
};

/* Known or not, where "no" would be a claim. */
enum tristate {
	TRI_UNKNOWN,
	TRI_FALSE,
	TRI_TRUE
};

/* All strings stand in `arena`; p NULL: not known. Immutable once published: the maker fills it,
 * the last reference frees it (any thread). At most CONTAINER_INFO_BYTES_MAX; what does not fit is
 * left out and is_cut set. */
struct container_info {
	_Atomic uint32_t refs;
	bool is_cut;
	bool is_sandbox; /* a pod's pause container */
	/* Some source may say more later: the OCI bundle has no image of a container made by ctr.
	 */
	bool is_partial;
	enum tristate privileged, host_pid, host_network, host_ipc;
	enum container_type type; /* as the runtime names itself; CONTAINER_HOST: it did not */
	uint64_t started_ns;	  /* wall clock; 0 unknown */
	struct str full_id, name, image; /* image: as given */
	struct str image_id, image_repository, image_tag, image_digest;
	struct str ip, cni_json;
	struct str runtime_handler; /* CRI's: runc, kata, spin, … */
	struct str sandbox_id;	    /* whole */
	struct str root_path; /* of its root on the host; relative to the bundle, or absolute */
	struct str pod_uid, pod_name, pod_namespace, pod_ip;
	const struct label *labels; /* of the container */
	uint32_t label_cnt;
	const struct label *pod_labels; /* of its sandbox */
	uint32_t pod_label_cnt;
	const struct container_mount *mounts;
	uint32_t mount_cnt;
	struct users *users; /* owned; of its own passwd and group; NULL: not read */
	struct arena arena;
};
#define CONTAINER_INFO_BYTES_MAX (256u << 10)
#define METADATA_LABELS_MAX	 256 /* of one object, as everywhere below */
#define METADATA_MOUNTS_MAX	 256

/* A pod as the API server or the kubelet tells it. As container_info. */
struct pod_info {
	_Atomic uint32_t refs;
	bool is_cut;
	struct str uid, name, namespace, node, service_account, runtime_class;
	struct str owner_kind, owner_name;   /* the controller: ReplicaSet, DaemonSet, Job, … */
	struct str rs_name, deployment_name; /* decision 27; p NULL where the owner is another */
	const struct str *ips;		     /* none in the host's network, or where it has ended */
	uint32_t ip_cnt;
	const struct label *labels, *annotations;
	uint32_t label_cnt, annotation_cnt;
	bool is_host_network;
	struct arena arena;
};

/* A new one, with one reference, empty; NULL without memory. */
struct container_info *container_info_new(void);
struct container_info *container_info_ref(struct container_info *info);
/* Fine with NULL; returns NULL. */
struct container_info *container_info_unref(struct container_info *info);
struct pod_info *pod_info_new(void);
struct pod_info *pod_info_ref(struct pod_info *info);
struct pod_info *pod_info_unref(struct pod_info *info);
/* Splits "docker.io/library/nginx:1.25@sha256:…" into repository, tag and digest, in the info's
 * arena (the registry's port is no tag). Leaves what the reference lacks alone. */
void container_info_set_image(struct container_info *info, struct str reference);

/* ---- the container table (engine thread) ---------------------------------------------------- */

/* Where metadata come from, as fields see it. */
enum metadata_source {
	METADATA_RUNTIME,    /* OCI bundle, containerd, CRI, Docker, Podman */
	METADATA_KUBERNETES, /* API server or kubelet */
	METADATA_SOURCE__COUNT
};
/* What is known from one source about one container. Only WAITING makes its fields pending
 * (decision 24): the source is configured, healthy, asked, and has not answered. */
enum metadata_state {
	METADATA_NONE,	  /* no such source, or it is not healthy */
	METADATA_WAITING, /* asked */
	METADATA_KNOWN,
	METADATA_NOT_FOUND /* the source answered that it knows none such */
};

/* What a container has done so far. */
struct container_activity {
	uint64_t events, alerts;
};

struct container {
	char full_id[CONTAINER_ID_MAX + 1], id[CONTAINER_ID_MAX + 1]; /* id: 12 digits, or a name */
	char pod_uid[POD_UID_MAX + 1];				      /* "" where not known */
	/* containerd's, "" where not known. */
	char runtime_namespace[CONTAINERD_NAMESPACE_MAX + 1];
	enum container_type type;    /* the runtime's word where there is one, else the path's */
	struct container_info *info; /* owned reference, or NULL */
	enum metadata_state state[METADATA_SOURCE__COUNT];
	uint64_t first_ns;	/* boot time of its first cgroup */
	uint64_t init_start_ns; /* of its first process, boot time; 0: not yet seen */
	uint32_t refs;		/* cgroups, processes, held events */
	bool is_gone;		/* its last cgroup was removed */
	uint32_t held;		/* held events of it (decision 24), */
	uint64_t held_bytes;	/* and what they take */
	struct container_activity activity;
};

/* What event->container points to outside of containers: type CONTAINER_HOST, id and name "host".
 */
extern const struct container container_host;

struct pod_table; /* pods by UID and by address; engine thread */

int pod_table_new(uint32_t max_pods, struct pod_table **ret);
struct pod_table *pod_table_free(struct pod_table *table);
/* Takes over the reference. A pod of this UID is replaced. False where it is full: counted. */
bool pod_table_put(struct pod_table *table, struct pod_info *pod);
/* It does not count any more and has no address, but is found by its UID for a while: its
 * containers' last events may be yet to come. So are those that a list lacks. */
void pod_table_remove(struct pod_table *table, struct str uid);
/* Pods that the last full list did not have: `begin` marks, `end` removes what was not put since.
 */
void pod_table_sync_begin(struct pod_table *table);
void pod_table_sync_end(struct pod_table *table);
const struct pod_info *pod_table_find(const struct pod_table *table, struct str uid);
/* By an address of it: 4 or 16 bytes; a v4-mapped one is the v4 one. */
const struct pod_info *pod_table_find_ip(const struct pod_table *table, const uint8_t *address,
					 unsigned length);
/* The next pod from *cursor on (0 at first), in no order; NULL behind the last. */
const struct pod_info *pod_table_next(const struct pod_table *table, uint32_t *cursor);
uint32_t pod_table_count(const struct pod_table *table);
uint64_t pod_table_refused(const struct pod_table *table);

#endif
