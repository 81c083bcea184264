/*
 * Captures (.hcap): the log of the engine's inputs, in the order in which it took them. A file is a
 * row of frames, each with a checksum of its own:
 *
 *	frame	sync:4 kind:2 flags:2 length:4 crc32c:4 payload:length, zeros up to a multiple of 8
 *	file	HEAD SCHEMA (any others)… END INDEX TRAILER
 *
 * Numbers are little-endian but within wire records, which are as the kernel wrote them. The
 * checksum is of kind to length and of the payload with its zeros. A file that ends anywhere is
 * readable up to there. A payload may grow at its end, and new kinds may come, with the minor
 * version: readers pass over both.
 */
#ifndef HAETAE_CAPTURE_H
#define HAETAE_CAPTURE_H

#include "haetae/container_table.h"
#include "haetae/host_names.h"

#define CAPTURE_MAJOR 1u
#define CAPTURE_MINOR 0u
/* Of one frame: a whole passwd and group file, each cut at 4 MiB (engine/enrich/users.c). */
#define CAPTURE_PAYLOAD_MAX (9u << 20)
/* Of a wire record; WIRE_RECORD_MAX, with room for what a newer one may have. */
#define CAPTURE_RECORD_MAX 65536u

/* Numbers stay: a new kind goes to the end. */
enum capture_kind {
	CAPTURE_NONE,
	CAPTURE_HEAD,
	CAPTURE_SCHEMA,	   /* the table of events, where a reader with another one looks */
	CAPTURE_SEED,	   /* engine_seed() */
	CAPTURE_RECORD,	   /* engine_handle() */
	CAPTURE_OWN,	   /* engine_own() */
	CAPTURE_STRINGS,   /* proc_inputs.on_strings */
	CAPTURE_GONE,	   /* engine_gone() */
	CAPTURE_WALK,	   /* engine_take_walk() */
	CAPTURE_PLACE,	   /* container_inputs.on_place */
	CAPTURE_BUNDLE,	   /* container_inputs.on_bundle */
	CAPTURE_ANSWER,	   /* engine_answer(): write it before, since that takes parts of it */
	CAPTURE_ASKED,	   /* engine_asked() */
	CAPTURE_HOST_NAME, /* engine_host_name() */
	CAPTURE_SOURCES,   /* engine_sources() */
	CAPTURE_LOSS,	   /* engine_loss() */
	CAPTURE_USERS,	   /* engine_users() */
	CAPTURE_DECIDE,	   /* engine_decide() */
	CAPTURE_TICK,	   /* engine_tick() */
	CAPTURE_END,	   /* the run ended in order: engine_flush() */
	CAPTURE_INDEX,
	CAPTURE_TRAILER,
	CAPTURE_CGROUP, /* of a snapshot: a cgroup and the container that it is of */
	CAPTURE_RULES,	/* engine_install(): the rules were loaded anew */
	CAPTURE__COUNT
};
/* "head", "record", …; "unknown" for what is none. */
const char *capture_kind_name(unsigned kind);

struct capture_head {
	uint16_t major, minor;	  /* of the file; the writer's own */
	uint64_t schema_digest;	  /* likewise */
	const char *version;	  /* of haetae; likewise */
	const char *architecture; /* "x86_64"; likewise */
	const char *hostname, *boot_id;
	const char *scope; /* "pid 17", "cgroup /x", "" for the whole host */
	int64_t wall_offset_ns;
	uint64_t start_ns; /* boot time */
	/* Made around an alert: the tables' content stands before the first record. */
	bool is_snapshot;
};

/* Borrowed, as everything in frames. 8-byte aligned. */
struct capture_record {
	const void *bytes;
	uint32_t length;
};
struct capture_strings {
	struct proc_key key;
	struct proc_strings strings;
};
struct capture_bundle {
	const char *runtime_namespace, *id;
};
struct capture_host_name {
	struct str name;
	uint32_t address_cnt;
	struct host_address addresses[HOST_NAME_ADDRESSES_MAX];
};
#define CAPTURE_LOSS_CGROUPS_MAX 64
struct capture_loss {
	uint64_t total;
	struct capture_cgroup_loss {
		uint64_t cgroup_id, lost;
		enum wire_hierarchy hierarchy;
	} cgroups[CAPTURE_LOSS_CGROUPS_MAX];
	uint32_t cgroup_cnt;
};
struct capture_users {
	struct str passwd, group;
};
struct capture_time {
	uint64_t now_ns;
	int64_t wall_offset_ns; /* TICK only */
};
struct capture_cgroup {
	enum wire_hierarchy hierarchy;
	uint64_t id;
	bool is_inherited;
	struct cgroup_identity identity; /* of the container; depth is 0 */
};
/* Why a capture was ended. */
enum capture_end_reason {
	CAPTURE_ENDED,	  /* the run did */
	CAPTURE_MAX_SIZE, /* so does the rest of the run not stand in it */
	CAPTURE_MAX_TIME,
	CAPTURE_FAILED /* the disk was full, or a write failed */
};
struct capture_end {
	enum capture_end_reason reason;
	uint64_t frames;  /* before this one */
	uint64_t records; /* SEED, RECORD and OWN of them */
	uint64_t lost;	  /* frames that could not be written */
	/* The run's counters: a replay that has others was none of it. */
	uint64_t delivered, evaluated, alerts;
};

/* ---- writing -------------------------------------------------------------------------------- */

struct capture_writer; /* opaque; engine thread */

struct capture_writer_config {
	const char *path;   /* a regular file, made 0600; no link is followed */
	bool may_overwrite; /* else a path that exists is refused with -EEXIST */
	uint64_t max_bytes; /* 0: no limit. Nothing is written beyond it, end and index included */
	uint64_t max_ns;    /* 0: no limit. Of boot time, from head.start_ns */
};
#define CAPTURE_MIN_BYTES (1u << 20) /* a lower max_bytes is raised to it */

/* A place for frames in memory instead of a file: is given each frame, whole. */
typedef void (*capture_frame_fn)(enum capture_kind kind, const void *frame, uint32_t length,
				 void *data);

/* Makes the file and puts HEAD and SCHEMA. Of `head` only what does not come from the writer
 * counts. 0 or a negative errno. */
int capture_writer_new(const struct capture_writer_config *config, const struct capture_head *head,
		       struct capture_writer **ret);
/* Without HEAD, SCHEMA, END and INDEX. 0 or -ENOMEM. */
int capture_writer_new_to(capture_frame_fn fn, void *data, struct capture_writer **ret);

/* Each puts a frame. NULL for the writer: nothing is done. Cannot fail: a write that fails, or a
 * limit that is reached, ends the capture; what comes later is counted as lost. */
void capture_put_record(struct capture_writer *writer, enum capture_kind kind, const void *record,
			uint32_t length); /* SEED, RECORD, OWN */
void capture_put_strings(struct capture_writer *writer, struct proc_key key,
			 const struct proc_strings *strings);
void capture_put_gone(struct capture_writer *writer, struct proc_key key);
void capture_put_walk(struct capture_writer *writer, const struct cgroup_walk *walk);
void capture_put_place(struct capture_writer *writer, const struct cgroup_place *place);
void capture_put_bundle(struct capture_writer *writer, const char *runtime_namespace,
			const char *id);
void capture_put_answer(struct capture_writer *writer, const struct metadata_answer *answer);
void capture_put_asked(struct capture_writer *writer, uint32_t cnt);
void capture_put_host_name(struct capture_writer *writer, struct str name,
			   const struct host_address *addresses, uint32_t cnt);
void capture_put_sources(struct capture_writer *writer,
			 const bool has_source[METADATA_SOURCE__COUNT]);
void capture_put_loss(struct capture_writer *writer, const struct capture_loss *loss);
void capture_put_users(struct capture_writer *writer, struct str passwd, struct str group);
void capture_put_decide(struct capture_writer *writer, uint64_t now_ns);
/* The rules were loaded anew, for the number-th time. */
void capture_put_rules(struct capture_writer *writer, uint32_t number);
void capture_put_tick(struct capture_writer *writer, uint64_t now_ns, int64_t wall_offset_ns);
void capture_put_cgroup(struct capture_writer *writer, const struct capture_cgroup *cgroup);
/* A frame as a capture_frame_fn got it. */
void capture_put_frame(struct capture_writer *writer, const void *frame, uint32_t length);

struct capture_stats {
	uint64_t frames, records, bytes;
	uint64_t lost;			/* frames refused after the capture ended */
	enum capture_end_reason reason; /* CAPTURE_ENDED: it goes on */
	int error;			/* of CAPTURE_FAILED: a positive errno */
};
/* Zeroes for NULL. */
void capture_writer_stats(const struct capture_writer *writer, struct capture_stats *ret);
/* Whether more may be put. */
bool capture_writer_is_open(const struct capture_writer *writer);
/* Writes out what is buffered: once a second, so that a crash costs little. */
void capture_writer_flush(struct capture_writer *writer);
/* Puts END, with the run's counters (delivered, evaluated, alerts) of `end`, and the index. Later
 * frames are lost. 0 or a negative errno: the file lacks its end then. */
int capture_writer_finish(struct capture_writer *writer, const struct capture_end *end);
/* Frees it; what was not finished ends as it is. Fine with NULL. */
struct capture_writer *capture_writer_free(struct capture_writer *writer);

/* ---- reading -------------------------------------------------------------------------------- */

struct capture_reader; /* opaque; one thread */

/* Valid until the next frame is read. */
struct capture_frame {
	enum capture_kind kind;
	uint64_t number, offset; /* from 1; in the file */
	/* Of the union, the member that the kind names. */
	struct capture_record record; /* SEED, RECORD, OWN */
	union {
		struct capture_strings strings;
		struct proc_key gone;
		struct cgroup_walk walk;
		struct cgroup_place place;
		struct capture_bundle bundle;
		struct metadata_answer *answer; /* the reader frees it; its parts may be taken */
		uint32_t asked_cnt;
		uint32_t rules_number;
		struct capture_host_name host_name;
		bool has_source[METADATA_SOURCE__COUNT];
		struct capture_loss loss;
		struct capture_users users;
		struct capture_time time; /* DECIDE, TICK */
		struct capture_end end;
		struct capture_cgroup cgroup;
	};
};

#define CAPTURE_E_END	    1 /* no more frames: the file is whole */
#define CAPTURE_E_DAMAGED   2 /* no more frames: the file is damaged or cut from here on */
#define CAPTURE_E_FOREIGN   3 /* no capture, or one that this haetae does not understand */
#define CAPTURE_MESSAGE_MAX 1024

/* Reads HEAD, compares versions and schemas. 0, CAPTURE_E_FOREIGN, CAPTURE_E_DAMAGED or a negative
 * errno; on all but 0 `reterr` is one line that begins with the path. */
int capture_reader_new(const char *path, struct capture_reader **ret,
		       char reterr[CAPTURE_MESSAGE_MAX]);
struct capture_reader *capture_reader_free(struct capture_reader *reader);
static inline void capture_reader_freep(struct capture_reader **reader)
{
	*reader = capture_reader_free(*reader);
}
const struct capture_head *capture_reader_head(const struct capture_reader *reader);
/* The next frame but HEAD, SCHEMA, INDEX and TRAILER, and but those of kinds that only a newer
 * haetae knows. 0, CAPTURE_E_END, CAPTURE_E_DAMAGED or a negative errno; all but 0 come again. */
int capture_reader_next(struct capture_reader *reader, const struct capture_frame **ret);
/* After CAPTURE_E_DAMAGED or an error: what, where, and how many frames were read; else "". One
 * line that begins with the path. */
const char *capture_reader_message(const struct capture_reader *reader);
/* Frames of unknown kinds that were passed over. */
uint64_t capture_reader_unknown(const struct capture_reader *reader);

/* What the end of the file says of the whole, without reading it. */
struct capture_summary {
	struct capture_end end;
	uint64_t first_ns, last_ns; /* boot time */
	uint32_t index_cnt;	    /* places that capture_reader_seek() knows */
};
/* Before the first capture_reader_next(), which then begins at the first frame. False where the
 * file has no readable end, or is none that can be read in any order. */
bool capture_reader_summary(struct capture_reader *reader, struct capture_summary *ret);
/* Goes to the last indexed frame before which all are earlier than time_ns: for looking at events,
 * whose processes are then not known; a replay reads from the start. False where there is no index:
 * nothing has changed then. */
bool capture_reader_seek(struct capture_reader *reader, uint64_t time_ns);

/* ---- the last seconds, in memory ------------------------------------------------------------ */

struct capture_ring; /* opaque; engine thread */

#define CAPTURE_RING_MIN_BYTES (1u << 20)

/* Never uses more than max_bytes (raised to the least), however much happens in before_ns. 0 or
 * -ENOMEM. */
int capture_ring_new(size_t max_bytes, uint64_t before_ns, struct capture_ring **ret);
struct capture_ring *capture_ring_free(struct capture_ring *ring);
/* A capture_frame_fn: data is the ring. Forgets frames that are older than before_ns. */
void capture_ring_put(enum capture_kind kind, const void *frame, uint32_t length, void *data);
/* Time of the oldest frame. */
uint64_t capture_ring_first_ns(struct capture_ring *ring);
/* Puts all frames, oldest first; they stay. */
void capture_ring_write(struct capture_ring *ring, struct capture_writer *writer);

struct capture_ring_stats {
	uint64_t frames, bytes; /* now */
	uint64_t forgotten;	/* so far: before they were old, for want of room */
};
void capture_ring_stats(const struct capture_ring *ring, struct capture_ring_stats *ret);

/* ---- schemas -------------------------------------------------------------------------------- */

/* Of the names of events, their parameters' names and types, in their order. */
uint64_t capture_schema_digest(void);

#endif
