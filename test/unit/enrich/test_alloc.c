/* Every allocation of the process table fails once, and all from each one on: it must go on, count,
 * and leave nothing behind (the sanitizer's build sees that). Linked with --wrap=malloc,calloc. */
#include <criterion/criterion.h>

#include "records.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static unsigned allocation_cnt, fail_at; /* fail_at 0: never */
static bool want_all;			 /* all from fail_at on */

static bool is_refused(void)
{
	allocation_cnt++;
	return fail_at && (want_all ? allocation_cnt >= fail_at : allocation_cnt == fail_at);
}

void *__wrap_malloc(size_t size)
{
	return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return is_refused() ? NULL : __real_calloc(count, size);
}

/* clang-format off */
static const struct step steps[] = {
	{ STEP_SEED, .at = 100, .pid = 1, .exec_id = 1, .comm = "init" },
	{ STEP_SEED, .at = 100, .pid = 20, .parent = 1, .exec_id = 2, .comm = "bash" },
	{ STEP_FORK, .at = 310, .pid = 20, .parent = 1, .exec_id = 2, .comm = "bash", .child = 30 },
	{ STEP_EXEC, .at = 320, .pid = 30, .parent = 20, .exec_id = 3, .comm = "cat" },
	{ STEP_EVENT, .at = 330, .pid = 30, .parent = 20, .exec_id = 3, .comm = "cat" },
	{ STEP_EVENT, .at = 340, .pid = 30, .parent = 20, .exec_id = 4, .comm = "lost" },
	{ STEP_EXEC, .at = 335, .pid = 30, .parent = 20, .exec_id = 4, .comm = "late" },
	{ STEP_FORK, .at = 410, .pid = 25, .parent = 1, .exec_id = 2, .comm = "anew", .child = 40 },
	{ STEP_FORK, .at = 411, .pid = 25, .parent = 1, .exec_id = 2, .comm = "anew", .child = 41, .child_exec_id = 9 },
	{ STEP_EXEC, .at = 500, .pid = 45, .parent = 1, .exec_id = 2, .comm = "alone" },
	{ STEP_EXIT, .at = 510, .pid = 30, .parent = 20, .exec_id = 4, .comm = "late", .reaper = 1 },
	{ STEP_EXEC, .at = 520, .pid = 30, .start = 515, .parent = 20, .exec_id = 3, .comm = "again" },
};
/* clang-format on */

static void run(void)
{
	struct proc_table_config config;
	struct proc_table *table = NULL;
	struct proc_table_stats stats;
	struct record record;

	proc_table_config_default(&config);
	config.proc_root = NULL;
	if (proc_table_new(&config, &table) != 0) {
		cr_expect_null(table);
		return;
	}
	record_init(&record);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		record_apply(&record, table, &steps[i]);
		cr_assert((record.event.proc != NULL) == (record.event.image != NULL),
			  "allocation %u, step %zu", fail_at, i);
	}
	fail_at = 0;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		record_apply(&record, table, &steps[i]);
	proc_table_stats(table, &stats);
	cr_expect_eq(stats.processes, 8, "when memory is there again, all are known");
	proc_table_collect(table, 1ULL << 50);
	record_done(&record);
	proc_table_free(table);
}

Test(alloc, each_fails)
{
	unsigned total;

	allocation_cnt = 0;
	run();
	total = allocation_cnt;
	cr_assert_gt(total, 20);
	for (unsigned all = 0; all < 2; all++) {
		want_all = all;
		for (unsigned n = 1; n <= total; n++) {
			allocation_cnt = 0;
			fail_at = n;
			run();
		}
	}
}

Test(alloc, ordinary_events_allocate_nothing)
{
	struct proc_table_config config;
	struct proc_table *table = NULL;
	struct record record;
	struct step step = { STEP_EVENT, .pid = 30, .parent = 20, .exec_id = 4, .comm = "busy" };
	struct step failed = { STEP_EXEC_FAILED, .pid = 20, .parent = 1, .exec_id = 2,
			       .comm = "bash" };

	proc_table_config_default(&config);
	config.proc_root = NULL;
	cr_assert_eq(proc_table_new(&config, &table), 0);
	record_init(&record);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		record_apply(&record, table, &steps[i]);
	allocation_cnt = 0;
	for (unsigned i = 0; i < 10000; i++) {
		step.at = failed.at = 1000 + i;
		step.parent = i % 2 ? 20 : 1;
		record_apply(&record, table, &step);
		record_apply(&record, table, &failed);
		proc_table_collect(table, step.at);
	}
	cr_expect_eq(allocation_cnt, 0);
	record_done(&record);
	proc_table_free(table);
}
