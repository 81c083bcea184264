/* The hand-made events of records.h. */
#include "records.h"

#include <stdio.h>

static void put_number(struct record *record, unsigned param, uint64_t value)
{
	record->numbers[param] = value;
	record->event.params[param] = (struct str){ (const char *)&record->numbers[param], 8 };
}

/* With its NUL, as on the wire. */
static void put_text(struct record *record, unsigned param, unsigned slot, const char *text)
{
	snprintf(record->text[slot], sizeof(record->text[slot]), "%s", text);
	record->event.params[param] =
		(struct str){ record->text[slot], (uint32_t)strlen(record->text[slot]) + 1 };
}

/* "/directory/leaf" as the kernel sends it: the leaf first. */
static void put_path(struct record *record, unsigned param, unsigned slot, const char *directory,
		     const char *leaf)
{
	struct wire_path head = { .component_cnt = 2, .root_at = 2 };
	char *p = record->path[slot];
	int n;

	memcpy(p, &head, sizeof(head));
	n = snprintf(p + sizeof(head), sizeof(record->path[slot]) - sizeof(head), "%s%c%s", leaf, 0,
		     directory);
	record->event.params[param] = (struct str){ p, (uint32_t)sizeof(head) + (uint32_t)n + 1 };
}

void record_init(struct record *record)
{
	memset(record, 0, sizeof(*record));
	arena_init(&record->scratch, 1 << 20);
}

void record_done(struct record *record)
{
	arena_done(&record->scratch);
}

static void fill_header(struct record *record, const struct step *step)
{
	record->header = (struct wire_header){
		.time_ns = step->at,
		.pid = step->pid,
		.tid = step->tid ? step->tid : step->pid,
		.start_ns = step->start ? step->start : BOOT_OF(step->pid),
		.parent_pid = step->parent,
		.parent_start_ns = step->parent_start ? step->parent_start : BOOT_OF(step->parent),
		.exec_id = step->exec_id,
		.ns_pid = step->pid,
		.session_id = step->session_id,
		.ns_session_id = step->session_id,
		.pid_ns = step->pid_ns,
		.loginuid = UINT32_MAX,
	};
	strncpy(record->header.comm, step->comm ? step->comm : "", WIRE_COMM_LEN);
}

static void fill_fork(struct record *record, const struct step *step)
{
	uint32_t parent = step->child_parent ? step->child_parent : step->pid;

	record->header.type = EVENT_TASK_NEW;
	put_number(record, PARAM_TASK_NEW_child_pid, step->child);
	put_number(record, PARAM_TASK_NEW_child_start,
		   step->child_start ? step->child_start : BOOT_OF(step->child));
	put_number(record, PARAM_TASK_NEW_child_ns_pid, step->child);
	put_number(record, PARAM_TASK_NEW_parent_pid, parent);
	put_number(record, PARAM_TASK_NEW_parent_start,
		   step->child_parent_start ? step->child_parent_start
		   : step->child_parent	    ? BOOT_OF(parent)
					    : record->header.start_ns);
	put_number(record, PARAM_TASK_NEW_child_exec_id,
		   step->child_exec_id ? step->child_exec_id : step->exec_id);
	put_number(record, PARAM_TASK_NEW_child_pid_ns, step->pid_ns);
}

static void fill_exec(struct record *record, const struct step *step)
{
	static const char args[] = "-x\0value";
	char exe[64];

	record->header.type = EVENT_EXECVE;
	record->header.result = step->kind == STEP_EXEC_FAILED ? -2 : 0;
	put_number(record, PARAM_EXECVE_res, (uint64_t)record->header.result);
	snprintf(exe, sizeof(exe), "/bin/%s", step->comm);
	put_text(record, PARAM_EXECVE_exe, 0, exe);
	put_text(record, PARAM_EXECVE_filename, 1, exe);
	record->event.params[PARAM_EXECVE_args] = (struct str){ args, sizeof(args) };
	put_path(record, PARAM_EXECVE_trusted_exepath, 0, "bin", step->comm);
	put_path(record, PARAM_EXECVE_cwd, 1, "home", "user");
	put_number(record, PARAM_EXECVE_exe_ino, 77);
	put_number(record, PARAM_EXECVE_flags, WIRE_FILE_WRITABLE);
}

void record_fill(struct record *record, const struct step *step)
{
	arena_reset(&record->scratch);
	memset(&record->event, 0, sizeof(record->event));
	fill_header(record, step);
	record->event.header = &record->header;
	record->event.scratch = &record->scratch;
	if (step->kind == STEP_FORK) {
		fill_fork(record, step);
	} else if (step->kind == STEP_EXEC || step->kind == STEP_EXEC_FAILED) {
		fill_exec(record, step);
	} else if (step->kind == STEP_SEED) {
		record->header.type = EVENT_TASK_SEED;
		put_number(record, PARAM_TASK_SEED_reader_pid, step->reader_pid);
	} else if (step->kind == STEP_EXIT) {
		record->header.type = EVENT_PROCEXIT;
		put_number(record, PARAM_PROCEXIT_reaper_tid, step->reaper);
	} else {
		record->header.type = EVENT_UNLINK;
	}
	record->event.schema = event_schema_get(record->header.type);
}

void record_apply(struct record *record, struct proc_table *table, const struct step *step)
{
	record_fill(record, step);
	proc_table_apply(table, &record->event);
}

const char *record_image_text(const struct proc_image *image)
{
	static char text[300];

	if (!image)
		return "none";
	snprintf(text, sizeof(text), "%llu %.*s", (unsigned long long)image->exec_id,
		 image->exe.p ? (int)image->exe.n : 1, image->exe.p ? image->exe.p : "?");
	return text;
}
