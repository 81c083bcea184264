/*
 * An event with a process table behind it, and fields read by the text that a rule would name them
 * with. One a test program.
 */
#ifndef HAETAE_TEST_FIELDS_FIXTURE_H
#define HAETAE_TEST_FIELDS_FIXTURE_H

#include "haetae/field.h"
#include "record_builder.h"

#define FIXTURE_WALL_OFFSET_NS 1700000000000000000LL

struct fields_fixture {
	struct record_builder record;
	struct event event;
	struct arena scratch, compiled;
	struct proc_table *procs;
	struct users *users;
	struct field_context context;
	struct buf text;
	char etc[64]; /* a folder with passwd and group of its own */
};

/* Users: root (0), alice (1000, /home/alice, /bin/sh); groups: root (0), staff (50). */
void fixture_init(struct fields_fixture *fixture);
void fixture_done(struct fields_fixture *fixture);

/* A process that runs a program: start = pid seconds, exec id 2, cwd "/work". args: argv[1] and
 * on. */
struct fixture_program {
	uint32_t pid, parent_pid;
	const char *comm, *exe, *exepath;
	const char *args[8], *env[8];
	uint32_t session_id, group_id;
	uint64_t cut_args; /* not 0: the vector is marked as cut */
};
void fixture_run(struct fields_fixture *fixture, const struct fixture_program *program);

/* A record of that type, as the process with that pid raises it. */
void fixture_begin(struct fields_fixture *fixture, enum event_type type,
		   const struct fixture_program *by);
/* Decodes it and applies it to the table. */
void fixture_event(struct fields_fixture *fixture);

/* The field's values with " | " between; "<absent>". Valid until the next call. */
const char *fixture_read(struct fields_fixture *fixture, const char *name);
/* Compares a table of { name, text } that ends with a NULL name. */
struct fixture_case {
	const char *name, *want;
};
void fixture_expect(struct fields_fixture *fixture, const char *what,
		    const struct fixture_case *cases);

#endif
