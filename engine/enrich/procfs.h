/*
 * What /proc says of one process: the strings of a program that was started before the probes saw
 * it. Used by proc.c alone; engine thread. Every read is bounded.
 */
#ifndef ENRICH_PROCFS_H
#define ENRICH_PROCFS_H

#include "haetae/proc.h"

#define PROCFS_ARGS_MAX 8192 /* as much of an argument area as an exec record may carry of it */
#define PROCFS_ENV_MAX	16384
#define PROCFS_PATH_MAX 4096 /* PATH_MAX: what d_path can give through a link of /proc */

struct procfs; /* opaque */

#define PROCFS_E_GONE	    1 /* no such process, or another one with this pid */
#define PROCFS_E_OTHER	    2 /* it goes by another name now: another image, as far as we can tell */
#define PROCFS_E_UNREADABLE 3 /* it is there, but nothing of it may be read */

/* root: "/proc". 0, -ENOMEM; a root that cannot be opened is no error: then all reads fail. */
int procfs_new(const char *root, bool want_env, struct procfs **ret);
struct procfs *procfs_free(struct procfs *procfs);
/* Reads the process that has this pid in the mount's pid namespace, if it started at start_ns and
 * its main thread's name begins with comm (NULL: any). 0 or PROCFS_E_…; *ret is set on 0 only, and
 * valid until the next call. */
int procfs_read(struct procfs *procfs, uint32_t pid, uint64_t start_ns, const char *comm,
		struct proc_strings *ret);

#endif
