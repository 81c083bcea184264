/* The process table at its limits: bombs, full tables, histories, retention, accounting. */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>

#include "haetae/clock.h"
#include "records.h"

#define BOMB_CNT 20000

static struct proc_table_config plain_config(void)
{
	struct proc_table_config config;

	proc_table_config_default(&config);
	config.proc_root = NULL;
	return config;
}

static struct proc_table *new_table(const struct proc_table_config *config)
{
	struct proc_table *table = NULL;

	cr_assert_eq(proc_table_new(config, &table), 0);
	return table;
}

static struct proc_table_stats stats_of(const struct proc_table *table)
{
	struct proc_table_stats stats;

	proc_table_stats(table, &stats);
	return stats;
}

static const struct step init_step = { STEP_SEED, .at = 1, .pid = 1, .exec_id = 1, .comm = "init" };

static const struct proc *find(const struct proc_table *table, uint32_t pid)
{
	return proc_table_find(table, (struct proc_key){ BOOT_OF(pid), pid });
}

/* Every process forks two and stays: nothing may be dropped, every lineage is a path of the tree.
 */
Test(bounds, bomb_of_the_living)
{
	struct proc_table_config config = plain_config();
	struct proc_table *table = new_table(&config);
	const struct proc *ancestors[PROC_ANCESTRY_MAX];
	struct proc_table_stats stats;
	struct record record;

	record_init(&record);
	record_apply(&record, table, &init_step);
	for (uint32_t pid = 2; pid <= BOMB_CNT; pid++)
		record_apply(&record, table,
			     &(struct step){ STEP_FORK, .at = BOOT_OF(pid) + 1, .pid = pid / 2,
					     .parent = pid / 4, .exec_id = 1, .comm = "bomb",
					     .child = pid });
	stats = stats_of(table);
	cr_expect_eq(stats.processes, BOMB_CNT);
	cr_expect_eq(stats.forked, BOMB_CNT - 1);
	cr_expect_eq(stats.images, 1, "a fork shares its creator's image: %zu",
		     (size_t)stats.images);
	cr_expect_eq(stats.evicted + stats.refused + stats.partial, 0);
	for (uint32_t pid = 2; pid <= BOMB_CNT; pid += 7) {
		unsigned cnt = proc_ancestry(table, find(table, pid), ancestors, PROC_ANCESTRY_MAX);
		unsigned i = 0;

		for (uint32_t above = pid / 2; above; above /= 2, i++)
			cr_assert(i < cnt && ancestors[i]->key.pid == above, "%u", pid);
		cr_assert_eq(cnt, i, "%u: %u ancestors", pid, cnt);
	}
	record_done(&record);
	proc_table_free(table);
}

/* The table is full of the living: who comes later is refused, and all of it is counted. */
Test(bounds, full_of_the_living)
{
	struct proc_table_config config = plain_config();
	struct proc_table_stats stats;
	struct proc_table *table;
	struct record record;

	config.max_processes = 1000;
	table = new_table(&config);
	record_init(&record);
	record_apply(&record, table, &init_step);
	for (uint32_t pid = 2; pid <= BOMB_CNT; pid++)
		record_apply(&record, table,
			     &(struct step){ STEP_FORK, .at = BOOT_OF(pid) + 1, .pid = 1,
					     .exec_id = 1, .comm = "init", .child = pid });
	stats = stats_of(table);
	cr_expect_eq(stats.processes, 1000);
	cr_expect_eq(stats.refused, BOMB_CNT - 1000);
	record_apply(&record, table,
		     &(struct step){ STEP_EVENT, .at = 1ULL << 40, .pid = 5000, .parent = 1,
				     .exec_id = 1, .comm = "late" });
	cr_expect_null(record.event.proc);
	cr_expect_null(record.event.image);
	cr_expect_eq(stats_of(table).refused, BOMB_CNT - 1000 + 1);
	/* One exits: there is room again. */
	record_apply(&record, table,
		     &(struct step){ STEP_EXIT, .at = 2ULL << 40, .pid = 7, .parent = 1,
				     .exec_id = 1, .comm = "init" });
	record_apply(&record, table,
		     &(struct step){ STEP_EVENT, .at = 3ULL << 40, .pid = 5000, .parent = 1,
				     .exec_id = 1, .comm = "late" });
	cr_expect_not_null(record.event.proc);
	cr_expect_null(find(table, 7));
	cr_expect_eq(stats_of(table).evicted, 1);
	record_done(&record);
	proc_table_free(table);
}

/* Each forks one and exits, so that every exited process is somebody's creator: the lineage may not
 * fill the table, and the newest keeps as much of it as an ancestry can show. */
Test(bounds, bomb_that_walks)
{
	struct proc_table_config config = plain_config();
	const struct proc *ancestors[PROC_ANCESTRY_MAX];
	struct proc_table_stats stats;
	struct proc_table *table;
	struct record record;
	unsigned cnt;

	config.max_processes = 1000;
	table = new_table(&config);
	record_init(&record);
	record_apply(&record, table, &init_step);
	for (uint32_t pid = 2; pid <= BOMB_CNT; pid++) {
		uint32_t parent = pid == 2 ? 0 : 1;
		struct step fork = { STEP_FORK,	       .at = BOOT_OF(pid) + 1, .pid = pid - 1,
				     .parent = parent, .exec_id = 1,	       .comm = "walk",
				     .child = pid };
		struct step exit = { STEP_EXIT,	       .at = BOOT_OF(pid) + 2, .pid = pid - 1,
				     .parent = parent, .exec_id = 1,	       .comm = "walk",
				     .reaper = 1 };

		record_apply(&record, table, &fork);
		if (pid > 2)
			record_apply(&record, table, &exit);
		cr_assert(stats_of(table).processes <= 1000);
	}
	stats = stats_of(table);
	cr_expect_eq(stats.refused, 0);
	cr_expect_eq(stats.evicted, BOMB_CNT - 1000);
	cr_expect_eq(stats.forked + stats.seeded, stats.processes + stats.evicted + stats.expired);
	cnt = proc_ancestry(table, find(table, BOMB_CNT), ancestors, PROC_ANCESTRY_MAX);
	cr_expect_eq(cnt, PROC_ANCESTRY_MAX);
	cr_expect_eq(ancestors[0]->key.pid, 1, "the present parent: %u", ancestors[0]->key.pid);
	for (unsigned i = 1; i < cnt; i++)
		cr_assert_eq(ancestors[i]->key.pid, BOMB_CNT - i, "%u: %u", i,
			     ancestors[i]->key.pid);
	cr_expect_eq(proc_ancestry(table, find(table, BOMB_CNT), ancestors, 3), cnt,
		     "the number does not depend on the space");
	record_done(&record);
	proc_table_free(table);
}

/* Subreapers in each other that die from the inside out: the walk is long but ends, and finds all.
 */
Test(bounds, dead_reapers)
{
	struct proc_table_config config = plain_config();
	const struct proc *ancestors[PROC_ANCESTRY_MAX];
	struct proc_table *table = new_table(&config);
	struct record record;
	struct step step;
	unsigned cnt;

	record_init(&record);
	record_apply(&record, table, &init_step);
	for (uint32_t pid = 2; pid <= 300; pid++) {
		step = (struct step){ STEP_FORK,	 .at = BOOT_OF(pid) + 1, .pid = pid - 1,
				      .parent = pid - 2, .exec_id = 1,		 .comm = "nested",
				      .child = pid };
		record_apply(&record, table, &step);
	}
	for (uint32_t pid = 299; pid >= 2; pid--) {
		step = (struct step){ STEP_EXIT,	 .at = 10000 - pid, .pid = pid,
				      .parent = pid - 1, .exec_id = 1,	    .comm = "nested",
				      .reaper = pid - 1 };
		record_apply(&record, table, &step);
	}
	cr_expect_eq(proc_ancestor(table, find(table, 300), 1)->key.pid, 1);
	cnt = proc_ancestry(table, find(table, 300), ancestors, PROC_ANCESTRY_MAX);
	cr_expect_eq(cnt, PROC_ANCESTRY_MAX);
	cr_expect_eq(ancestors[0]->key.pid, 1);
	for (unsigned i = 1; i < 50; i++)
		cr_assert_eq(ancestors[i]->key.pid, 300 - i, "%u: %u", i, ancestors[i]->key.pid);
	record_done(&record);
	proc_table_free(table);
}

/* Short programs one after the other: memory is the limit. */
Test(bounds, bytes)
{
	struct proc_table_config config = plain_config();
	struct proc_table_stats stats;
	struct proc_table *table;
	struct record record;

	config.max_bytes = 256 << 10;
	table = new_table(&config);
	record_init(&record);
	record_apply(&record, table, &init_step);
	for (uint32_t pid = 2; pid <= BOMB_CNT; pid++) {
		struct step step = { STEP_EXEC,	  .at = BOOT_OF(pid) + 1, .pid = pid,
				     .parent = 1, .exec_id = 2,		  .comm = "short" };

		record_apply(&record, table, &step);
		cr_assert_not_null(record.event.proc);
		step.kind = STEP_EXIT;
		step.at++;
		record_apply(&record, table, &step);
		cr_assert(stats_of(table).bytes <= config.max_bytes);
	}
	stats = stats_of(table);
	cr_expect_eq(stats.execed, BOMB_CNT - 1);
	cr_expect_eq(stats.exited, BOMB_CNT - 1);
	cr_expect_eq(stats.processes + stats.evicted, BOMB_CNT);
	cr_expect_eq(stats.refused + stats.image_refused, 0);
	cr_expect_gt(stats.processes, 100);
	proc_table_collect(table, 1ULL << 50);
	stats = stats_of(table);
	cr_expect_eq(stats.processes, 1);
	cr_expect_eq(stats.images, 1);
	cr_expect_eq(stats.expired + stats.evicted, BOMB_CNT - 1);
	cr_expect_eq(stats.bytes, sizeof(struct proc) + sizeof(struct proc_image));
	record_done(&record);
	proc_table_free(table);
}

/* A living process execs without end where there is no room: it keeps its place, its newest events
 * have a name and no strings, and each image that found no room is counted. */
Test(bounds, no_room_for_an_image)
{
	struct proc_table_config config = plain_config();
	struct proc_table *table;
	struct record record;
	struct step step = { STEP_EXEC,	  .at = 300,	.pid = 20,
			     .parent = 1, .exec_id = 2, .comm = "one" };

	config.max_bytes = sizeof(struct proc) + sizeof(struct proc_image) + 200;
	table = new_table(&config);
	record_init(&record);
	record_apply(&record, table, &step);
	cr_expect_str_eq(record_image_text(record.event.image), "2 /bin/one");
	step.exec_id = 3;
	step.comm = "two";
	record_apply(&record, table, &step);
	cr_expect_not_null(record.event.proc);
	cr_expect_str_eq(record_image_text(record.event.image), "3 ?");
	cr_expect_str_eq(record.event.image->comm, "two");
	cr_expect(record.event.image->is_partial);
	cr_expect_gt(stats_of(table).image_refused, 0);
	cr_expect_str_eq(record_image_text(record.event.proc->image), "2 /bin/one");
	record_done(&record);
	proc_table_free(table);
}

Test(bounds, history)
{
	struct proc_table_config config = plain_config();
	struct proc_table *table;
	struct record record;
	const struct proc *proc;
	struct step step = { STEP_EXEC, .pid = 20, .parent = 1, .comm = "x" };

	config.max_images = 3;
	table = new_table(&config);
	record_init(&record);
	for (step.exec_id = 10; step.exec_id <= 50; step.exec_id += 10) {
		step.at = step.exec_id;
		record_apply(&record, table, &step);
	}
	proc = find(table, 20);
	cr_expect_eq(stats_of(table).images, 3);
	cr_expect_eq(proc_image_at(proc, 50)->exec_id, 50);
	cr_expect_eq(proc_image_at(proc, 99)->exec_id, 50);
	cr_expect_eq(proc_image_at(proc, 49)->exec_id, 40);
	cr_expect_eq(proc_image_at(proc, 30)->exec_id, 30);
	cr_expect_null(proc_image_at(proc, 29), "a newer image is not this one's");

	/* Older than the history: by name only, and it pushes nobody out. */
	step = (struct step){ STEP_EVENT,  .at = 11,	  .pid = 20,
			      .parent = 1, .exec_id = 10, .comm = "ancient" };
	record_apply(&record, table, &step);
	cr_expect_str_eq(record_image_text(record.event.image), "10 ?");
	cr_expect_str_eq(record.event.image->comm, "ancient");
	cr_expect_eq(proc_image_at(proc, 30)->exec_id, 30);
	cr_expect_eq(stats_of(table).images, 3);
	record_done(&record);
	proc_table_free(table);
}

/* What an exec record says arrives in the image. */
Test(bounds, image_of_an_exec)
{
	struct proc_table_config config = plain_config();
	struct proc_table *table = new_table(&config);
	const struct proc_image *image;
	struct record record;
	struct step step = { STEP_EXEC,	  .at = 300,	.pid = 20,
			     .parent = 1, .exec_id = 2, .comm = "sh" };

	record_init(&record);
	record_apply(&record, table, &step);
	image = record.event.image;
	cr_expect(str_eq_text(image->exe, "/bin/sh"));
	cr_expect(str_eq(image->args, STR("-x\0value\0")));
	cr_expect(str_eq_text(image->exepath, "/bin/sh"));
	cr_expect(str_eq_text(image->cwd, "/home/user"));
	cr_expect(str_eq_text(image->filename, "/bin/sh"));
	cr_expect_null(image->interp.p);
	cr_expect_null(image->env.p, "not read is not empty");
	cr_expect_eq(image->argc, 3);
	cr_expect_eq(image->exe_ino, 77);
	cr_expect_eq(image->exe_bits, WIRE_FILE_WRITABLE);
	cr_expect_eq(image->exec_time_ns, 300);
	cr_expect_not(image->is_partial || image->is_args_cut || image->is_env_cut);

	/* A cut vector without its last NUL, and none at all. */
	step.exec_id = 3;
	record_fill(&record, &step);
	record.event.params[PARAM_EXECVE_args] = (struct str){ "-a\0cut", 6 };
	record.event.cut_mask = 1ULL << PARAM_EXECVE_args;
	proc_table_apply(table, &record.event);
	cr_expect(str_eq(record.event.image->args, STR("-a\0cut\0")));
	cr_expect(record.event.image->is_args_cut);
	step.exec_id = 4;
	record_fill(&record, &step);
	record.event.params[PARAM_EXECVE_args] = STR_NONE;
	proc_table_apply(table, &record.event);
	cr_expect(record.event.image->args.p && record.event.image->args.n == 0,
		  "a program without arguments has empty arguments");
	cr_expect_eq(record.event.image->argc, 1);
	record_done(&record);
	proc_table_free(table);
}

/* A child that is seeded before its parent holds it too, once they have been linked. */
Test(bounds, late_links)
{
	static const struct step steps[] = {
		{ STEP_SEED, .at = 100, .pid = 5, .start = 900, .parent = 20, .exec_id = 2,
		  .comm = "child" },
		{ STEP_SEED, .at = 100, .pid = 20, .parent = 1, .exec_id = 2, .comm = "parent" },
		{ STEP_SEED, .at = 100, .pid = 21, .parent = 1, .exec_id = 2, .comm = "alone" },
	};
	struct proc_table_config config = plain_config();
	struct proc_table *table = new_table(&config);
	struct record record;
	struct step exit = { STEP_EXIT, .at = 200, .parent = 1, .exec_id = 2, .comm = "x" };

	record_init(&record);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		record_apply(&record, table, &steps[i]);
	proc_table_collect(table, 300);
	exit.pid = 20;
	record_apply(&record, table, &exit);
	exit.pid = 21;
	record_apply(&record, table, &exit);
	proc_table_collect(table, 100 * NS_PER_SEC);
	cr_expect_not_null(find(table, 20));
	cr_expect_null(find(table, 21));
	/* The child exits, and nothing holds the parent any more. */
	exit = (struct step){ STEP_EXIT,    .at = 101 * NS_PER_SEC, .pid = 5,	    .start = 900,
			      .parent = 20, .exec_id = 2,	    .comm = "child" };
	record_apply(&record, table, &exit);
	proc_table_collect(table, 200 * NS_PER_SEC);
	cr_expect_eq(stats_of(table).processes, 0);
	record_done(&record);
	proc_table_free(table);
}

static void note_gone(struct proc_key key, void *data)
{
	*(struct proc_key *)data = key;
}

/* A process whose exit record was lost is noticed, and taken back where that was wrong. A table
 * that is told of it knows as much. */
Test(bounds, lost_exit)
{
	struct proc_table_config config = plain_config();
	struct proc_table *table;
	struct record record;
	struct step seed = { STEP_SEED,	  .at = 100,	.start = 5,
			     .parent = 1, .exec_id = 2, .comm = "gone" };
	uint64_t now_ns = 100 * NS_PER_SEC;
	struct proc_key gone = { 0 };
	struct proc_table *told;
	pid_t child = fork();

	cr_assert_geq(child, 0);
	if (child == 0)
		_exit(0);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	told = new_table(&config);
	config.proc_root = "/proc";
	config.inputs = (struct proc_inputs){ .on_gone = note_gone, .data = &gone };
	table = new_table(&config);
	record_init(&record);
	seed.pid = seed.reader_pid = (uint32_t)child;
	record_apply(&record, told, &seed);
	record_apply(&record, table, &seed);
	seed.pid = seed.reader_pid = (uint32_t)getpid();
	record_apply(&record, table, &seed);
	cr_expect_not_null(proc_table_find_pid(table, (uint32_t)child));
	proc_table_look(table, now_ns);
	cr_expect_null(proc_table_find_pid(table, (uint32_t)child));
	cr_expect_not_null(proc_table_find_pid(table, (uint32_t)getpid()));
	cr_expect_eq(gone.pid, (uint32_t)child);
	proc_table_gone(told, gone, now_ns);
	proc_table_gone(told, gone, now_ns + 1);
	proc_table_gone(told, (struct proc_key){ 1, 1 }, now_ns);
	cr_expect_null(proc_table_find_pid(told, (uint32_t)child));
	cr_expect_eq(stats_of(told).exit_missed, 1);
	proc_table_free(told);
	cr_expect_eq(stats_of(table).exit_missed, 1);
	seed.kind = STEP_EVENT;
	seed.pid = (uint32_t)child;
	seed.at = now_ns + 1;
	record_apply(&record, table, &seed);
	cr_expect_not_null(proc_table_find_pid(table, (uint32_t)child));
	cr_expect_eq(stats_of(table).exit_missed, 0);
	record_done(&record);
	proc_table_free(table);
}

Test(bounds, find_pid)
{
	struct proc_table_config config = plain_config();
	struct proc_table *table = new_table(&config);
	struct record record;
	struct step step = {
		STEP_EXEC, .at = 300, .pid = 20, .parent = 1, .exec_id = 2, .comm = "a"
	};

	record_init(&record);
	cr_expect_null(proc_table_find_pid(table, 20));
	record_apply(&record, table, &step);
	cr_expect_eq(proc_table_find_pid(table, 20), record.event.proc);
	step.start = 290;
	record_apply(&record, table, &step);
	cr_expect_eq(proc_table_find_pid(table, 20)->key.start_ns, 290, "the newest");
	step.kind = STEP_EXIT;
	record_apply(&record, table, &step);
	cr_expect_null(proc_table_find_pid(table, 20));
	record_done(&record);
	proc_table_free(table);
}

Test(bounds, free_of_nothing)
{
	_cleanup_(proc_table_freep) struct proc_table *table = NULL;

	cr_expect_null(proc_table_free(table));
}
