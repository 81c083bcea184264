/*
 * What the files of probes/ share: the loaded object, the ring consumer, the counter readers and
 * the questions put to the host. On no other stage's include path.
 */
#ifndef HAETAE_PROBES_PRIVATE_H
#define HAETAE_PROBES_PRIVATE_H

#include "haetae/probes.h"
#include "host.h"
#include "name_hooks.h"

struct haetae_bpf; /* the skeleton, haetae_bpf.skel.h; who includes skeleton.h sees in */
struct bpf_link;

/* ---- ring.c: the consumer's side of the BPF ring buffers ------------------------------------ */

/* One ring: kernel/bpf/ringbuf.c lays it out as a consumer page (ours to write), a producer page
 * and the data mapped twice in a row, so that a record never wraps. Positions only grow. */
struct ring {
	unsigned long *consumer_position;	/* mapped, read and write */
	const unsigned long *producer_position; /* mapped, read only */
	const unsigned char *data;		/* mapped, read only, 2 * bytes */
	uint32_t bytes;				/* a power of two */
	uint64_t position;  /* next to read; the kernel learns of it when it is released */
	uint64_t released;  /* what the kernel was last told */
	uint64_t limit;	    /* where this pass ends: the producer's position when it began */
	uint64_t malformed; /* entries with an impossible length */
};

/* Maps the ring buffer of map_fd (max_entries == bytes). 0 or a negative errno. */
int ring_open(struct ring *ring, int map_fd, uint32_t bytes);
void ring_done(struct ring *ring);
/* The oldest unread record before ring->limit: *ret_length its bytes. NULL: none, or the next one
 * is still being written. Skips what the kernel discarded. */
const void *ring_peek(struct ring *ring, uint32_t *ret_length);
/* Steps over the record that ring_peek() returned; the kernel gets the space in larger pieces. */
void ring_consume(struct ring *ring);

/* Ring 0 is the lifecycle ring, 1… are the bulk rings; header.ring is the index here. */
struct ring_head {
	const void *record; /* NULL: nothing more in this pass */
	uint32_t length;
	uint64_t time_ns;
};
struct ring_set {
	struct ring *rings;	 /* owned */
	struct ring_head *heads; /* owned; the next record of each ring in the pass at hand */
	uint32_t ring_cnt, ring_cap;
	int epoll_fd; /* readable when any ring was signalled */
};

/* Room for ring_cap rings. 0 or a negative errno. */
int ring_set_init(struct ring_set *set, uint32_t ring_cap);
/* Appends a ring. The map's descriptor stays the caller's and must outlive the set. */
int ring_set_add(struct ring_set *set, int map_fd, uint32_t bytes);
/* probes_drain(): one pass, decision 16. */
uint64_t ring_set_drain(struct ring_set *set, probes_record_fn fn, void *data,
			uint64_t max_records);
uint64_t ring_set_malformed(const struct ring_set *set);
/* Fine on a zeroed or an initialised set. */
void ring_set_done(struct ring_set *set);

/* ---- counters.c ----------------------------------------------------------------------------- */

/* What it takes to read the counters; every descriptor is borrowed from struct probes. */
struct counter_sources {
	int counters_fd;	  /* per-CPU array of struct wire_counters, index enum event_type */
	int cgroup_loss_fd;	  /* hash, key __u64 cgroup id, value __u64 lost */
	int cgroup_loss_other_fd; /* array of one __u64: cgroups beyond the hash */
	const int *program_fds;	  /* every loaded program, for recursion_misses */
	uint32_t program_cnt;
};

/* Sums over the cpus; adds the programs' recursion misses to EVENT_UNKNOWN (generated and
 * lost[WIRE_LOST_RECURSION]). A kernel without that field counts none. */
int counters_read(const struct counter_sources *sources, struct wire_counters ret[EVENT__COUNT]);
/* As probes_read_runs(). */
void counters_read_runs(const struct counter_sources *sources, uint64_t *runs, uint64_t *run_ns);
/* As probes_read_cgroup_loss(). */
uint32_t counters_read_cgroup_loss(const struct counter_sources *sources,
				   struct probes_cgroup_loss *ret, uint32_t max,
				   uint64_t *ret_other);

/* ---- compat_calls.c: calls of other conventions --------------------------------------------- */

#define COMPAT_NONE 0xffff
/* The native number of a 32-bit call, or COMPAT_NONE. */
uint16_t compat_native_number(uint32_t number);
/* The native number of an x32 call from 512 on, or COMPAT_NONE. */
uint16_t compat_x32_number(uint32_t number);

/* ---- scope.c -------------------------------------------------------------------------------- */

/* Finds the kernel's name for the control group of a directory: its kernfs id, and the index of
 * the subsystem whose hierarchy it is in (SCOPE_SUBSYSTEM_V2 for version 2). PROBES_E_USAGE where
 * it is none. */
int scope_find_cgroup(const struct host_types *types, const char *path, uint64_t *ret_id,
		      uint32_t *ret_subsystem, struct probes_error *reterr);

/* ---- loader.c, programs.c -------------------------------------------------------------------- */

/* Opens, sizes and loads the object into probes->bpf, makes the rings. Returns as probes_open(). */
int loader_load(struct probes *probes, struct probes_error *reterr);
/* libbpf's last lines of this thread, which are forgotten. */
#define LOADER_LOG_BYTES 4096
void loader_take_log(char ret[LOADER_LOG_BYTES]);
/* What is wanted, written into the running programs. */
void loader_set_wanted(struct probes *probes, const struct probes_want *want);

/* Before loading: leaves out what this kernel can't load or another program does. */
void programs_select(struct probes *probes, const struct host_types *types);
/* After loading: fills the arrays of tail calls; the second half's skeleton ends with that. */
int programs_link(struct probes *probes);
/* Attaches every program with a hook, the dispatcher last. */
int programs_attach(struct probes *probes, const char **ret_failed);
void programs_detach(struct probes *probes);
/* Returns when no program runs any more that ran when it was called. */
void programs_wait(void);

/* object.c: the object in the form that the kernel can run, not yet loaded; NULL, and errno. */
struct haetae_bpf *object_open(const struct host_types *types);
/* The objects are in the executable and are read once: gives their memory back. */
void object_forget(void);
/* halves.c: makes the maps and loads the programs of probes->bpf and probes->second. `log` is what
 * libbpf said. 0 or a negative errno. */
int halves_load(struct probes *probes, char log[LOADER_LOG_BYTES]);

/* ---- parked.c: records that wait for an io_uring completion ------------------------------------
 */

/* Requests of io_uring that may be under way and told whole; 8 KiB each. Of more the result is not
 * told. */
#define PARKED_PER_CPU 128
#define PARKED_MAX     2048

struct parked_set {
	int map_fd;	       /* borrowed */
	struct parked *parked; /* owned; NULL: nothing is ever parked */
	uint64_t next_ns;
	uint64_t fetched[EVENT__COUNT];
};

/* 0 or -ENOMEM. */
int parked_init(struct parked_set *set, int map_fd);
void parked_done(struct parked_set *set);
/* Gives what has waited for a second; with is_last everything. Looks twice a second, however often
 * it is called. Returns how many. */
uint64_t parked_fetch(struct parked_set *set, bool is_last, probes_record_fn fn, void *data);
/* Adds what was fetched, which the kernel has not counted as submitted. */
void parked_count(const struct parked_set *set, struct wire_counters counters[EVENT__COUNT]);

/* ---- the object ----------------------------------------------------------------------------- */

struct probes {
	struct probes_config config;
	struct haetae_bpf *bpf;	   /* owned; all that is attached is its */
	struct haetae_bpf *second; /* owned; while loading: programs that are called only */
	struct bpf_link **links;   /* owned, link_cnt */
	struct bpf_link *name_links[NAME_HOOK_CNT]; /* owned; NULL: not attached */
	uint32_t link_cnt;
	int *program_fds; /* owned, with the descriptors */
	uint32_t program_cnt;
	int *bulk_fds; /* owned, bulk_cnt */
	uint32_t bulk_cnt;
	struct ring_set rings;
	struct counter_sources counter_sources;
	struct parked_set parked;
};

#endif
