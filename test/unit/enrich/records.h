/*
 * Events made by hand, one step each, for the tests of the process table. A step says only what the
 * case is about; everything else gets a plain value.
 */
#ifndef TEST_ENRICH_RECORDS_H
#define TEST_ENRICH_RECORDS_H

#include "haetae/proc.h"

#define BOOT_OF(pid) ((pid)*10ULL) /* when a process starts where a case does not say */

enum step_kind {
	STEP_END,
	STEP_SEED,
	STEP_FORK,
	STEP_EXEC,
	STEP_EXEC_FAILED,
	STEP_EVENT,
	STEP_EXIT,
};

struct step {
	enum step_kind kind;
	uint64_t at; /* header.time_ns */
	uint32_t pid;
	uint64_t start; /* 0: BOOT_OF(pid) */
	uint32_t tid;	/* 0: pid */
	uint32_t parent;
	uint64_t parent_start; /* 0: BOOT_OF(parent) */
	uint64_t exec_id;
	const char *comm;
	/* FORK */
	uint32_t child;
	uint64_t child_start;  /* 0: BOOT_OF(child) */
	uint32_t child_parent; /* 0: pid */
	uint64_t child_parent_start;
	uint64_t child_exec_id; /* 0: exec_id */
	/* EXEC: argv[0] is "/bin/" and the comm; two arguments */
	uint32_t reaper;     /* EXIT */
	uint32_t reader_pid; /* SEED; 0: not visible */
	uint32_t session_id, pid_ns;
	const char *image; /* what event->image must be afterwards, as record_image_text() has it;
			      NULL: not looked at */
};

struct record {
	struct wire_header header;
	struct event event;
	struct arena scratch;
	uint64_t numbers[WIRE_PARAM_MAX];
	char text[4][256];
	char path[2][256];
};

void record_init(struct record *record);
void record_done(struct record *record);
/* Fills record->event from the step. */
void record_fill(struct record *record, const struct step *step);
void record_apply(struct record *record, struct proc_table *table, const struct step *step);

/* "exec_id exe", with "?" where the image has no strings, or "none". */
const char *record_image_text(const struct proc_image *image);

#endif
