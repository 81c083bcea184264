/*
 * Processes as fields see them: the event's own, an ancestor, the leader of a session; and the
 * getters of proc.* that stand in files of their own.
 */
#ifndef HAETAE_MATCH_FIELDS_PROC_H
#define HAETAE_MATCH_FIELDS_PROC_H

#include "fields.h"

/* A process and the image that counts. */
struct who {
	struct str name;		/* comm */
	const struct proc_image *image; /* NULL: not known */
	uint32_t pid;
};

enum who_part {
	WHO_NAME,
	WHO_EXE,
	WHO_EXEPATH,
	WHO_ARGS,
	WHO_CMDLINE, /* comm and arguments */
	WHO_EXELINE, /* argv[0] and arguments */
	WHO_ENV,
};

/* The event's process as it was at the event. */
struct who who_self(const struct field_context *context);
/* Level 0 is the event's process, 1 its present parent. False beyond the oldest known. */
bool who_ancestor(const struct field_context *context, uint64_t level, struct who *ret);
/* One of the table, with its newest image. */
struct who who_proc(const struct proc *proc);
/* Text in scratch or in the image; STR_NONE where it is not known. */
struct str who_text(const struct field_context *context, const struct who *who, enum who_part part);
void give_who(const struct field_context *context, const struct who *who, enum who_part part,
	      struct value_set *ret);
/* The value of NAME in the environment: "" where it is not set, STR_NONE where that is not known.
 */
struct str who_env(const struct who *who, struct str name);

#define PROC_GETTER(name)                                                                     \
	void name(const struct field_context *context, const struct field_argument *argument, \
		  struct value_set *ret)

/* fields_ancestor.c */
PROC_GETTER(proc_get_aname);
PROC_GETTER(proc_get_aexe);
PROC_GETTER(proc_get_aexepath);
PROC_GETTER(proc_get_acmdline);
PROC_GETTER(proc_get_aargs);
PROC_GETTER(proc_get_aenv);
PROC_GETTER(proc_get_apid);
PROC_GETTER(proc_get_pname);
PROC_GETTER(proc_get_pexe);
PROC_GETTER(proc_get_pexepath);
PROC_GETTER(proc_get_pcmdline);
PROC_GETTER(proc_get_loginshellid);
PROC_GETTER(proc_get_sname);
PROC_GETTER(proc_get_sexe);
PROC_GETTER(proc_get_sexepath);
PROC_GETTER(proc_get_gname);
PROC_GETTER(proc_get_gexe);
PROC_GETTER(proc_get_gexepath);

#endif
