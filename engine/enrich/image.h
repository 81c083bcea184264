/*
 * Program images: building, sharing, and the short history that each process keeps. Private to
 * engine/enrich; engine thread.
 */
#ifndef ENRICH_IMAGE_H
#define ENRICH_IMAGE_H

#include "proc_private.h"

/* What an image is made of. All borrowed. */
struct image_source {
	uint64_t exec_id, exec_time_ns, procfs_ns;
	struct proc_key procfs_key;
	const char *comm; /* WIRE_COMM_LEN bytes, NUL-padded */
	struct str exe, args, env, exepath, cwd, filename, interp;
	uint64_t exe_ino, exe_ctime_ns, exe_mtime_ns;
	uint32_t exe_bits;
	bool is_args_cut, is_env_cut, is_partial, is_id_open;
};

/* One reference, the caller's; NULL where there is no room (counted). */
struct proc_image *image_new(struct proc_table *table, const struct image_source *source);
struct proc_image *image_ref(struct proc_image *image);
/* NULL is fine; returns NULL. */
struct proc_image *image_unref(struct proc_table *table, struct proc_image *image);
/* From a successful exec's record, from TASK_SEED, from an event's header alone. */
struct proc_image *image_from_exec(struct proc_table *table, struct event *event);
struct proc_image *image_from_seed(struct proc_table *table, struct event *event);
/* is_readable: /proc may be asked, for no newer image of the process is known. */
struct proc_image *image_from_header(struct proc_table *table, const struct wire_header *header,
				     bool is_readable);

/* From /proc alone, for a process that no record told of: also gives what else /proc says. NULL
 * where it is gone, may not be read now, or has no room. */
struct proc_image *image_from_procfs(struct proc_table *table, struct proc_key key,
				     struct proc_strings *ret);

/* The image of this exec id, or NULL. */
struct proc_image *image_find(const struct proc *proc, uint64_t exec_id);
/* True where an image of this exec id would stay in the process's history. */
bool image_fits(const struct proc_table *table, const struct proc *proc, uint64_t exec_id);
/* Puts the image into the process's history, in the place of one with the same exec id where there
 * is one; drops the oldest beyond max_images. Takes over the reference. */
void image_put(struct proc_table *table, struct proc *proc, struct proc_image *image);
/* Takes back the strings of older images that were read from /proc when the image of exec_id was
 * running already, or may have been. */
void image_withdraw(struct proc_table *table, struct proc *proc, uint64_t exec_id,
		    uint64_t exec_time_ns);

#endif
