/* What the process table makes of records that come late, twice, in another order, or not at all.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "records.h"

#define STEPS_MAX  12
#define EXPECT_MAX 6

struct expectation {
	uint32_t pid;
	uint64_t start; /* 0: BOOT_OF(pid) */
	/* "ppid exec_id comm exe state parent < ancestors", see proc_text(); NULL: not in the table
	 */
	const char *text;
};

struct scenario {
	const char *name;
	uint64_t collect_ns; /* 0: not called */
	struct step steps[STEPS_MAX];
	struct expectation expect[EXPECT_MAX];
};

static struct proc_key key_of(uint32_t pid, uint64_t start)
{
	return (struct proc_key){ start ? start : BOOT_OF(pid), pid };
}

static const char *proc_text(const struct proc_table *table, const struct proc *proc)
{
	static char text[1024];
	const struct proc *ancestors[PROC_ANCESTRY_MAX];
	const struct proc *parent = proc_ancestor(table, proc, 1);
	unsigned cnt = proc_ancestry(table, proc, ancestors, PROC_ANCESTRY_MAX);
	size_t n;

	n = (size_t)snprintf(text, sizeof(text), "%u %llu %s %.*s %s%s %s <", proc->parent_key.pid,
			     (unsigned long long)proc->image->exec_id, proc->comm,
			     proc->image->exe.p ? (int)proc->image->exe.n : 1,
			     proc->image->exe.p ? proc->image->exe.p : "?",
			     proc->exit_ns ? "exited" : "alive", proc->is_partial ? ",partial" : "",
			     parent ? parent->comm : "-");
	for (unsigned i = 0; i < cnt && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", ancestors[i]->comm);
	return text;
}

/* clang-format off */
#define INIT { STEP_SEED, .at = 100, .pid = 1, .exec_id = 1, .comm = "init" }
#define SHELL { STEP_SEED, .at = 100, .pid = 20, .parent = 1, .exec_id = 3, .comm = "bash" }

static const struct scenario scenarios[] = {
	{ "fork after the seed, then exec",
	  .steps = { INIT, SHELL,
		{ STEP_FORK, .at = 300, .pid = 20, .parent = 1, .exec_id = 3, .comm = "bash", .child = 30 },
		{ STEP_EVENT, .at = 310, .pid = 30, .parent = 20, .exec_id = 3, .comm = "bash", .image = "3 ?" },
		{ STEP_EXEC, .at = 320, .pid = 30, .parent = 20, .exec_id = 4, .comm = "cat", .image = "4 /bin/cat" } },
	  .expect = { { 30, 0, "20 4 cat /bin/cat alive bash < bash init" },
		      { 20, 0, "1 3 bash ? alive init < init" } } },
	{ "fork before the seed: the seed knew the child, the record brings its creator",
	  .steps = { INIT, SHELL,
		{ STEP_SEED, .at = 101, .pid = 30, .parent = 1, .exec_id = 4, .comm = "cat" },
		{ STEP_FORK, .at = 90, .pid = 20, .parent = 1, .exec_id = 3, .comm = "bash", .child = 30 } },
	  .expect = { { 30, 0, "1 4 cat ? alive init < init bash" } } },
	{ "children are seeded before their parents",
	  .steps = { { STEP_SEED, .at = 100, .pid = 5, .start = 500, .parent = 20, .exec_id = 2, .comm = "child" },
		SHELL, INIT },
	  .expect = { { 5, 500, "20 2 child ? alive bash < bash init" } } },
	{ "exec record older than the seed's image",
	  .steps = { INIT,
		{ STEP_SEED, .at = 100, .pid = 20, .parent = 1, .exec_id = 5, .comm = "vi" },
		{ STEP_EXEC, .at = 80, .pid = 20, .parent = 1, .exec_id = 4, .comm = "env", .image = "4 /bin/env" },
		{ STEP_EVENT, .at = 85, .pid = 20, .parent = 1, .exec_id = 4, .comm = "env", .image = "4 /bin/env" },
		{ STEP_EXEC, .at = 90, .pid = 20, .parent = 1, .exec_id = 5, .comm = "vi", .image = "5 /bin/vi" } },
	  .expect = { { 20, 0, "1 5 vi /bin/vi alive init < init" } } },
	{ "an event that is applied after a later exec gets its own image",
	  .steps = { INIT,
		{ STEP_EXEC, .at = 200, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh", .image = "2 /bin/sh" },
		{ STEP_EXEC, .at = 220, .pid = 20, .parent = 1, .exec_id = 3, .comm = "dd", .image = "3 /bin/dd" },
		{ STEP_EVENT, .at = 210, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh", .image = "2 /bin/sh" },
		{ STEP_EVENT, .at = 230, .pid = 20, .parent = 1, .exec_id = 3, .comm = "dd", .image = "3 /bin/dd" } },
	  .expect = { { 20, 0, "1 3 dd /bin/dd alive init < init" } } },
	{ "an exec record that is applied late goes into its place of the history",
	  .steps = { INIT,
		{ STEP_EXEC, .at = 220, .pid = 20, .parent = 1, .exec_id = 3, .comm = "dd" },
		{ STEP_EVENT, .at = 205, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh", .image = "2 ?" },
		{ STEP_EXEC, .at = 200, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh", .image = "2 /bin/sh" },
		{ STEP_EVENT, .at = 206, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh", .image = "2 /bin/sh" } },
	  .expect = { { 20, 0, "1 3 dd /bin/dd alive init < init" } } },
	{ "an event between two known images whose exec record is missing gets neither",
	  .steps = { INIT,
		{ STEP_EXEC, .at = 200, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh" },
		{ STEP_EXEC, .at = 220, .pid = 20, .parent = 1, .exec_id = 4, .comm = "dd" },
		{ STEP_EVENT, .at = 210, .pid = 20, .parent = 1, .exec_id = 3, .comm = "mid", .image = "3 ?" } },
	  .expect = { { 20, 0, "1 4 dd /bin/dd alive init < init" } } },
	{ "a failed exec changes nothing and belongs to the old image",
	  .steps = { INIT,
		{ STEP_EXEC, .at = 200, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh" },
		{ STEP_EXEC_FAILED, .at = 210, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh", .image = "2 /bin/sh" } },
	  .expect = { { 20, 0, "1 2 sh /bin/sh alive init < init" } } },
	{ "missing exec record: the header has a newer image",
	  .steps = { INIT,
		{ STEP_EXEC, .at = 200, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh" },
		{ STEP_EVENT, .at = 210, .pid = 20, .parent = 1, .exec_id = 3, .comm = "lost", .image = "3 ?" },
		{ STEP_EVENT, .at = 205, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh", .image = "2 /bin/sh" } },
	  .expect = { { 20, 0, "1 3 lost ? alive init < init" } } },
	{ "the exec record that was only late replaces what stood in for it",
	  .steps = { INIT,
		{ STEP_EXEC, .at = 200, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh" },
		{ STEP_EVENT, .at = 210, .pid = 20, .parent = 1, .exec_id = 3, .comm = "late" },
		{ STEP_EXEC, .at = 205, .pid = 20, .parent = 1, .exec_id = 3, .comm = "late", .image = "3 /bin/late" } },
	  .expect = { { 20, 0, "1 3 late /bin/late alive init < init" } } },
	{ "first seen by an event of its middle life",
	  .steps = { INIT,
		{ STEP_EVENT, .at = 200, .pid = 20, .parent = 1, .exec_id = 2, .comm = "who", .image = "2 ?" } },
	  .expect = { { 20, 0, "1 2 who ? alive,partial init < init" } } },
	{ "a partial process is whole when its fork record comes",
	  .steps = { INIT,
		{ STEP_EXEC, .at = 150, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh" },
		{ STEP_EVENT, .at = 210, .pid = 30, .parent = 20, .exec_id = 2, .comm = "sh", .image = "2 ?" },
		{ STEP_FORK, .at = 200, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh", .child = 30 },
		{ STEP_EVENT, .at = 220, .pid = 30, .parent = 20, .exec_id = 2, .comm = "sh", .image = "2 /bin/sh" } },
	  .expect = { { 30, 0, "20 2 sh /bin/sh alive sh < sh init" } } },
	{ "a missing fork record: exec alone makes the process",
	  .steps = { INIT,
		{ STEP_EXEC, .at = 200, .pid = 20, .parent = 1, .exec_id = 9, .comm = "ls", .image = "9 /bin/ls" } },
	  .expect = { { 20, 0, "1 9 ls /bin/ls alive init < init" } } },
	{ "a fork of a process that was not known makes the creator too",
	  .steps = { INIT,
		{ STEP_FORK, .at = 200, .pid = 20, .parent = 1, .exec_id = 2, .comm = "new", .child = 30 } },
	  .expect = { { 20, 0, "1 2 new ? alive,partial init < init" },
		      { 30, 0, "20 2 new ? alive new < new init" } } },
	{ "exit before the child's first event: the reaper has it",
	  .steps = { INIT, SHELL,
		{ STEP_FORK, .at = 200, .pid = 20, .parent = 1, .exec_id = 3, .comm = "bash", .child = 30 },
		{ STEP_EXIT, .at = 210, .pid = 20, .parent = 1, .exec_id = 3, .comm = "bash", .reaper = 1 } },
	  .collect_ns = 1000 * 1000000000ULL,
	  /* The parent has to outlive its grace, or the lineage of the child ends. */
	  .expect = { { 30, 0, "20 3 bash ? alive init < init bash" },
		      { 20, 0, "1 3 bash ? exited init < init" } } },
	{ "an exit record that is applied before the fork by the same process",
	  .steps = { INIT, SHELL,
		{ STEP_EXIT, .at = 210, .pid = 20, .parent = 1, .exec_id = 3, .comm = "bash", .reaper = 1 },
		{ STEP_FORK, .at = 200, .pid = 20, .parent = 1, .exec_id = 3, .comm = "bash", .child = 30 },
		{ STEP_EVENT, .at = 220, .pid = 30, .parent = 1, .exec_id = 3, .comm = "bash" } },
	  .collect_ns = 1000 * 1000000000ULL,
	  .expect = { { 30, 0, "1 3 bash ? alive init < init bash" },
		      { 20, 0, "1 3 bash ? exited init < init" } } },
	{ "double fork: the present parent is init, the lineage remembers",
	  .steps = { INIT, SHELL,
		{ STEP_FORK, .at = 400, .pid = 20, .parent = 1, .exec_id = 3, .comm = "evil", .child = 30 },
		{ STEP_FORK, .at = 401, .pid = 30, .parent = 20, .exec_id = 3, .comm = "middle", .child = 40 },
		{ STEP_EXIT, .at = 410, .pid = 30, .parent = 20, .exec_id = 3, .comm = "middle", .reaper = 1 },
		{ STEP_EVENT, .at = 420, .pid = 40, .parent = 1, .exec_id = 3, .comm = "daemon" },
		{ STEP_EXIT, .at = 430, .pid = 20, .parent = 1, .exec_id = 3, .comm = "evil", .reaper = 1 } },
	  .collect_ns = 1000 * 1000000000ULL,
	  .expect = { { 40, 0, "1 3 daemon ? alive init < init middle evil" } } },
	{ "CLONE_PARENT: the child is its creator's sibling",
	  .steps = { INIT, SHELL,
		{ STEP_FORK, .at = 400, .pid = 20, .parent = 1, .exec_id = 3, .comm = "bash", .child = 30 },
		{ STEP_EXEC, .at = 401, .pid = 30, .parent = 20, .exec_id = 4, .comm = "evil" },
		{ STEP_FORK, .at = 402, .pid = 30, .parent = 20, .exec_id = 4, .comm = "evil", .child = 40, .child_parent = 20 } },
	  .expect = { { 40, 0, "20 4 evil /bin/evil alive bash < bash evil init" } } },
	{ "a subreaper takes the orphan",
	  .steps = { INIT,
		{ STEP_SEED, .at = 100, .pid = 15, .parent = 1, .exec_id = 2, .comm = "shim" },
		{ STEP_SEED, .at = 100, .pid = 20, .parent = 15, .exec_id = 3, .comm = "runc" },
		{ STEP_FORK, .at = 300, .pid = 20, .parent = 15, .exec_id = 3, .comm = "runc", .child = 30 },
		{ STEP_EXIT, .at = 310, .pid = 20, .parent = 15, .exec_id = 3, .comm = "runc", .reaper = 15 },
		{ STEP_EVENT, .at = 320, .pid = 30, .parent = 15, .exec_id = 3, .comm = "app" } },
	  .expect = { { 30, 0, "15 3 app ? alive shim < shim runc init" } } },
	{ "the same pid again: an older record is of the older process",
	  .steps = { INIT,
		{ STEP_EXEC, .at = 200, .pid = 20, .parent = 1, .exec_id = 2, .comm = "old" },
		{ STEP_EXIT, .at = 210, .pid = 20, .parent = 1, .exec_id = 2, .comm = "old", .reaper = 1 },
		{ STEP_FORK, .at = 220, .pid = 1, .exec_id = 1, .comm = "init", .child = 20, .child_start = 215 },
		{ STEP_EXEC, .at = 230, .pid = 20, .start = 215, .parent = 1, .exec_id = 2, .comm = "new", .image = "2 /bin/new" },
		{ STEP_EVENT, .at = 205, .pid = 20, .parent = 1, .exec_id = 2, .comm = "old", .image = "2 /bin/old" } },
	  .expect = { { 20, 0, "1 2 old /bin/old exited init < init" },
		      { 20, 215, "1 2 new /bin/new alive init < init" } } },
	{ "the same pid again without an exit record: the older has exited",
	  .steps = { INIT,
		{ STEP_EXEC, .at = 205, .pid = 20, .parent = 1, .exec_id = 2, .comm = "old" },
		{ STEP_FORK, .at = 220, .pid = 1, .exec_id = 1, .comm = "init", .child = 20, .child_start = 215 },
		{ STEP_EVENT, .at = 206, .pid = 20, .parent = 1, .exec_id = 2, .comm = "old", .image = "2 /bin/old" } },
	  .expect = { { 20, 0, "1 2 old /bin/old exited init < init" },
		      { 20, 215, "1 1 init ? alive init < init" } } },
	{ "an event of the older process comes when only the newer is known",
	  .steps = { INIT,
		{ STEP_EXEC, .at = 230, .pid = 20, .start = 215, .parent = 1, .exec_id = 2, .comm = "new" },
		{ STEP_EVENT, .at = 206, .pid = 20, .parent = 1, .exec_id = 2, .comm = "old" } },
	  .expect = { { 20, 0, "1 2 old ? exited,partial init < init" },
		      { 20, 215, "1 2 new /bin/new alive init < init" } } },
	{ "a thread's name is not the process's",
	  .steps = { INIT,
		{ STEP_EXEC, .at = 200, .pid = 20, .parent = 1, .exec_id = 2, .comm = "java" },
		{ STEP_EVENT, .at = 210, .pid = 20, .tid = 25, .parent = 1, .exec_id = 2, .comm = "gc-thread", .image = "2 /bin/java" } },
	  .expect = { { 20, 0, "1 2 java /bin/java alive init < init" } } },
	{ "first seen by a thread",
	  .steps = { INIT,
		{ STEP_EVENT, .at = 210, .pid = 20, .tid = 25, .parent = 1, .exec_id = 2, .comm = "worker", .image = "2 ?" } },
	  .expect = { { 20, 0, "1 2 worker ? alive,partial init < init" } } },
	{ "prctl(PR_SET_NAME) shows on the next event",
	  .steps = { INIT,
		{ STEP_EXEC, .at = 200, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh" },
		{ STEP_EVENT, .at = 210, .pid = 20, .parent = 1, .exec_id = 2, .comm = "renamed", .image = "2 /bin/sh" } },
	  .expect = { { 20, 0, "1 2 renamed /bin/sh alive init < init" } } },
	{ "time goes back between cpus: the older event refreshes nothing",
	  .steps = { INIT, SHELL,
		{ STEP_EVENT, .at = 300, .pid = 20, .parent = 1, .exec_id = 3, .comm = "newer", .session_id = 9 },
		{ STEP_EVENT, .at = 290, .pid = 20, .parent = 7, .exec_id = 3, .comm = "older", .session_id = 8 } },
	  .expect = { { 20, 0, "1 3 newer ? alive init < init" } } },
	{ "records that come twice",
	  .steps = { INIT, INIT, SHELL, SHELL,
		{ STEP_FORK, .at = 300, .pid = 20, .parent = 1, .exec_id = 3, .comm = "bash", .child = 30 },
		{ STEP_FORK, .at = 300, .pid = 20, .parent = 1, .exec_id = 3, .comm = "bash", .child = 30 },
		{ STEP_EXEC, .at = 320, .pid = 30, .parent = 20, .exec_id = 4, .comm = "cat" },
		{ STEP_EXEC, .at = 320, .pid = 30, .parent = 20, .exec_id = 4, .comm = "cat", .image = "4 /bin/cat" },
		{ STEP_EXIT, .at = 330, .pid = 30, .parent = 20, .exec_id = 4, .comm = "cat" },
		{ STEP_EXIT, .at = 330, .pid = 30, .parent = 20, .exec_id = 4, .comm = "cat" } },
	  .expect = { { 30, 0, "20 4 cat /bin/cat exited bash < bash init" } } },
	{ "an exec of the parent after the fork is not the child's",
	  .steps = { INIT,
		{ STEP_EXEC, .at = 200, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh" },
		{ STEP_FORK, .at = 300, .pid = 20, .parent = 1, .exec_id = 2, .comm = "sh", .child = 30 },
		{ STEP_EXEC, .at = 310, .pid = 20, .parent = 1, .exec_id = 3, .comm = "dd" },
		{ STEP_EVENT, .at = 320, .pid = 30, .parent = 20, .exec_id = 2, .comm = "sh", .image = "2 /bin/sh" } },
	  .expect = { { 30, 0, "20 2 sh /bin/sh alive dd < dd init" } } },
	{ "two processes that each claim to be the other's parent",
	  .steps = {
		{ STEP_EVENT, .at = 300, .pid = 20, .parent = 30, .exec_id = 2, .comm = "a" },
		{ STEP_EVENT, .at = 301, .pid = 30, .parent = 20, .exec_id = 2, .comm = "b" },
		{ STEP_EVENT, .at = 302, .pid = 40, .parent = 40, .exec_id = 2, .comm = "self" } },
	  .expect = { { 20, 0, "30 2 a ? alive,partial - <" }, { 30, 0, "20 2 b ? alive,partial a < a" },
		      { 40, 0, "40 2 self ? alive,partial - <" } } },
	{ "a circle of processes with one start",
	  .steps = {
		{ STEP_EVENT, .at = 300, .pid = 20, .start = 50, .parent = 30, .parent_start = 50, .exec_id = 2, .comm = "a" },
		{ STEP_EVENT, .at = 301, .pid = 30, .start = 50, .parent = 20, .parent_start = 50, .exec_id = 2, .comm = "b" } },
	  .expect = { { 20, 50, "30 2 a ? alive,partial b < b" }, { 30, 50, "20 2 b ? alive,partial a < a" } } },
	{ "pid 0 is nobody",
	  .steps = { { STEP_EVENT, .at = 300, .pid = 0, .exec_id = 1, .comm = "swapper/0", .image = "none" } },
	  .expect = { { 0, 0, NULL } } },
	{ "what exited long ago and left nobody is gone",
	  .steps = { INIT, SHELL,
		{ STEP_EXIT, .at = 210, .pid = 20, .parent = 1, .exec_id = 3, .comm = "bash", .reaper = 1 } },
	  .collect_ns = 210 + 10 * 1000000000ULL,
	  .expect = { { 20, 0, NULL }, { 1, 0, "0 1 init ? alive - <" } } },
	{ "and stays until its grace is over",
	  .steps = { INIT, SHELL,
		{ STEP_EXIT, .at = 210, .pid = 20, .parent = 1, .exec_id = 3, .comm = "bash", .reaper = 1 } },
	  .collect_ns = 209 + 10 * 1000000000ULL,
	  .expect = { { 20, 0, "1 3 bash ? exited init < init" } } },
};
/* clang-format on */

static struct proc_table *new_table(void)
{
	struct proc_table_config config;
	struct proc_table *table = NULL;

	proc_table_config_default(&config);
	config.proc_root = NULL;
	cr_assert_eq(proc_table_new(&config, &table), 0);
	return table;
}

static void run_scenario(const struct scenario *scenario)
{
	struct proc_table *table = new_table();
	struct record record;

	record_init(&record);
	for (unsigned i = 0; i < STEPS_MAX && scenario->steps[i].kind != STEP_END; i++) {
		const struct step *step = &scenario->steps[i];

		record_apply(&record, table, step);
		cr_expect((record.event.proc != NULL) == (record.event.image != NULL),
			  "%s, step %u: process and image go together", scenario->name, i);
		if (step->image)
			cr_expect_str_eq(record_image_text(record.event.image), step->image,
					 "%s, step %u: %s", scenario->name, i,
					 record_image_text(record.event.image));
	}
	if (scenario->collect_ns)
		proc_table_collect(table, scenario->collect_ns);
	for (unsigned i = 0; i < EXPECT_MAX; i++) {
		const struct expectation *e = &scenario->expect[i];
		const struct proc *proc = proc_table_find(table, key_of(e->pid, e->start));

		if (!e->text) {
			cr_expect_null(proc, "%s: %u", scenario->name, e->pid);
			continue;
		}
		cr_expect_not_null(proc, "%s: %u", scenario->name, e->pid);
		if (proc)
			cr_expect_str_eq(proc_text(table, proc), e->text, "%s: %u: %s",
					 scenario->name, e->pid, proc_text(table, proc));
	}
	record_done(&record);
	proc_table_free(table);
}

Test(proc, scenarios)
{
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
		run_scenario(&scenarios[i]);
}
