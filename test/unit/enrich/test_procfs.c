/* The strings of processes that were there before: from a /proc made of files, and from the real
 * one. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "haetae/clock.h"
#include "procfs.h"
#include "records.h"

#define TICK_NS 10000000ULL /* USER_HZ is 100 on x86 and arm64 */

static char root[] = "/tmp/haetae-procfs-XXXXXX";

static void put_file(const char *name, const void *data, size_t n)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, data, n), (ssize_t)n);
	close(fd);
}

/* stat as do_task_stat() prints it, started at that tick. */
static void put_process(uint32_t pid, const char *comm, uint64_t ticks)
{
	char path[128], line[256];

	snprintf(path, sizeof(path), "%s/%u", root, pid);
	mkdir(path, 0700);
	snprintf(line, sizeof(line),
		 "%u (%s) S 1 2 3 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 %llu 99 98\n", pid, comm,
		 (unsigned long long)ticks);
	snprintf(path, sizeof(path), "%u/stat", pid);
	put_file(path, line, strlen(line));
	snprintf(path, sizeof(path), "%u/cmdline", pid);
	put_file(path, "prog\0-a\0b c\0", 12);
	snprintf(path, sizeof(path), "%u/environ", pid);
	put_file(path, "A=1\0B=2\0", 8);
	snprintf(path, sizeof(path), "%s/%u/exe", root, pid);
	cr_assert_eq(symlink("/usr/bin/prog (deleted)", path), 0);
	snprintf(path, sizeof(path), "%s/%u/cwd", root, pid);
	cr_assert_eq(symlink("/var/tmp", path), 0);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	return remove(path);
}

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(root));
	put_process(50, "prog", 1234);
}

static void tear_down(void)
{
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(procfs, .init = set_up, .fini = tear_down);

static struct procfs *new_reader(bool want_env)
{
	struct procfs *procfs = NULL;

	cr_assert_eq(procfs_new(root, want_env, &procfs), 0);
	return procfs;
}

Test(procfs, strings)
{
	struct procfs *procfs = new_reader(true);
	struct proc_strings s;

	cr_assert_eq(procfs_read(procfs, 50, 1234 * TICK_NS + 5, "prog", &s), 0);
	cr_expect(str_eq_text(s.exe, "prog"));
	cr_expect(str_eq(s.args, STR("-a\0b c\0")));
	cr_expect(str_eq(s.env, STR("A=1\0B=2\0")));
	cr_expect(str_eq_text(s.exepath, "/usr/bin/prog"), "without (deleted)");
	cr_expect(str_eq_text(s.cwd, "/var/tmp"));
	cr_expect_not(s.is_args_cut || s.is_env_cut);
	procfs_free(procfs);
}

Test(procfs, identity)
{
	struct procfs *procfs = new_reader(false);
	struct proc_strings s;

	cr_expect_eq(procfs_read(procfs, 50, 1235 * TICK_NS, "prog", &s), PROCFS_E_GONE,
		     "the same pid, but another start");
	cr_expect_eq(procfs_read(procfs, 50, 1234 * TICK_NS - 1, "prog", &s), PROCFS_E_GONE);
	cr_expect_eq(procfs_read(procfs, 51, 1234 * TICK_NS, "prog", &s), PROCFS_E_GONE);
	cr_expect_eq(procfs_read(procfs, 50, 1234 * TICK_NS, "other", &s), PROCFS_E_OTHER);
	cr_expect_eq(procfs_read(procfs, 50, 1234 * TICK_NS, "pro", &s), 0,
		     "a worker's name is longer in /proc");
	cr_expect_null(s.env.p, "not asked for");
	procfs_free(procfs);
}

/* A name of 15 bytes that any program can give itself. */
Test(procfs, hostile_name)
{
	struct procfs *procfs = new_reader(false);
	struct proc_strings s;

	put_process(60, ") S 1 2 3 (\n)", 777);
	cr_expect_eq(procfs_read(procfs, 60, 777 * TICK_NS, ") S 1 2 3 (\n)", &s), 0);
	put_process(61, "x", 777);
	put_file("61/stat", "61 (x S 1 2", 11);
	cr_expect_eq(procfs_read(procfs, 61, 777 * TICK_NS, "x", &s), PROCFS_E_GONE);
	put_file("61/stat", "", 0);
	cr_expect_eq(procfs_read(procfs, 61, 777 * TICK_NS, "x", &s), PROCFS_E_GONE);
	procfs_free(procfs);
}

Test(procfs, command_lines)
{
	static char big[PROCFS_ARGS_MAX + 100];
	struct procfs *procfs = new_reader(false);
	struct proc_strings s;

	put_file("50/cmdline", "sshd: root@pts/0", 16);
	cr_assert_eq(procfs_read(procfs, 50, 1234 * TICK_NS, NULL, &s), 0);
	cr_expect(str_eq_text(s.exe, "sshd: root@pts/0"), "setproctitle() without a NUL");
	cr_expect(s.args.p && s.args.n == 0);

	put_file("50/cmdline", "", 0);
	cr_assert_eq(procfs_read(procfs, 50, 1234 * TICK_NS, NULL, &s), 0);
	cr_expect(s.exe.p && s.exe.n == 0, "a kernel thread has none");

	memset(big, 'x', sizeof(big));
	big[4] = '\0';
	put_file("50/cmdline", big, sizeof(big));
	cr_assert_eq(procfs_read(procfs, 50, 1234 * TICK_NS, NULL, &s), 0);
	cr_expect(s.is_args_cut);
	cr_expect_eq(s.exe.n + 1 + s.args.n, PROCFS_ARGS_MAX);
	cr_expect_eq(s.args.p[s.args.n - 1], '\0');

	put_file("50/cmdline", big, PROCFS_ARGS_MAX);
	big[PROCFS_ARGS_MAX - 1] = '\0';
	put_file("50/cmdline", big, PROCFS_ARGS_MAX);
	cr_assert_eq(procfs_read(procfs, 50, 1234 * TICK_NS, NULL, &s), 0);
	cr_expect_not(s.is_args_cut, "exactly as much as is read");
	procfs_free(procfs);
}

Test(procfs, links)
{
	struct procfs *procfs = new_reader(false);
	struct proc_strings s;
	char path[128];

	snprintf(path, sizeof(path), "%s/50/exe", root);
	unlink(path);
	cr_assert_eq(symlink("/memfd:payload (deleted)", path), 0);
	cr_assert_eq(procfs_read(procfs, 50, 1234 * TICK_NS, NULL, &s), 0);
	cr_expect(str_eq_text(s.exepath, "memfd:payload"));
	unlink(path);
	cr_assert_eq(procfs_read(procfs, 50, 1234 * TICK_NS, NULL, &s), 0);
	cr_expect_null(s.exepath.p);
	snprintf(path, sizeof(path), "%s/50/cmdline", root);
	unlink(path);
	cr_expect_eq(procfs_read(procfs, 50, 1234 * TICK_NS, NULL, &s), PROCFS_E_UNREADABLE);
	procfs_free(procfs);
}

Test(procfs, no_root)
{
	struct procfs *procfs = NULL;
	struct proc_strings s;

	cr_assert_eq(procfs_new("/nonexistent", false, &procfs), 0);
	cr_expect_eq(procfs_read(procfs, 50, 1234 * TICK_NS, NULL, &s), PROCFS_E_GONE);
	procfs_free(procfs);
	cr_expect_null(procfs_free(NULL));
}

/* ---- through the table ---- */

static struct proc_table *new_table(uint32_t max_reads)
{
	struct proc_table_config config;
	struct proc_table *table = NULL;

	proc_table_config_default(&config);
	config.proc_root = root;
	config.max_reads = max_reads;
	cr_assert_eq(proc_table_new(&config, &table), 0);
	return table;
}

static const struct step seed = { STEP_SEED,	  .at = 100,
				  .pid = 50,	  .start = 1234 * TICK_NS,
				  .parent = 1,	  .exec_id = 5,
				  .comm = "prog", .reader_pid = 50 };

Test(procfs, seed)
{
	struct proc_table *table = new_table(0);
	struct record record;
	struct step step = seed;
	struct proc_table_stats stats;

	record_init(&record);
	record_apply(&record, table, &step);
	cr_expect_str_eq(record_image_text(record.event.image), "5 prog");
	cr_expect_eq(record.event.image->argc, 3);
	cr_expect_eq(record.event.image->exec_time_ns, 0);
	cr_expect_not(record.event.image->is_partial);

	/* Seen by the daemon under another pid. */
	step.pid = 7;
	record_apply(&record, table, &step);
	cr_expect_str_eq(record_image_text(record.event.image), "5 prog");
	/* Not seen by it at all, and one that has gone. */
	step.pid = 8;
	step.reader_pid = 0;
	record_apply(&record, table, &step);
	cr_expect_str_eq(record_image_text(record.event.image), "5 ?");
	step.pid = step.reader_pid = 9;
	record_apply(&record, table, &step);
	cr_expect_str_eq(record_image_text(record.event.image), "5 ?");
	proc_table_stats(table, &stats);
	cr_expect_eq(stats.procfs_read, 2);
	cr_expect_eq(stats.procfs_skipped, 1);
	cr_expect_eq(stats.procfs_failed, 1);
	record_done(&record);
	proc_table_free(table);
}

/* The exec came before /proc was read: what was read is the new program's, not the seed's. */
Test(procfs, withdrawn)
{
	static const struct {
		const char *name;
		uint64_t at;
		enum step_kind kind;
		const char *old_image;
	} cases[] = {
		{ "exec before the read", 200, STEP_EXEC, "5 ?" },
		{ "exec after the read", UINT64_MAX / 2, STEP_EXEC, "5 prog" },
		{ "its record lost, nothing seen since", 200, STEP_EVENT, "5 ?" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct proc_table *table = new_table(0);
		struct record record;
		struct step step = seed;
		struct proc_table_stats stats;

		record_init(&record);
		record_apply(&record, table, &step);
		/* The child shares the image; its own exec says nothing of its parent's. */
		record_apply(&record, table,
			     &(struct step){ STEP_FORK, .at = 110, .pid = 50, .start = step.start,
					     .parent = 1, .exec_id = 5, .comm = "prog", .child = 60,
					     .child_start = step.start + 1, .child_parent = 50,
					     .child_parent_start = step.start });
		record_apply(&record, table,
			     &(struct step){ STEP_EXEC, .at = 120, .pid = 60,
					     .start = step.start + 1, .parent = 50,
					     .parent_start = step.start, .exec_id = 6,
					     .comm = "child" });
		step.kind = cases[i].kind;
		step.at = cases[i].at;
		step.exec_id = 6;
		step.comm = "next";
		record_apply(&record, table, &step);
		cr_expect_str_eq(record_image_text(proc_image_at(record.event.proc, 5)),
				 cases[i].old_image, "%s: %s", cases[i].name,
				 record_image_text(proc_image_at(record.event.proc, 5)));
		proc_table_stats(table, &stats);
		cr_expect_eq(stats.procfs_withdrawn, cases[i].old_image[2] == '?', "%s",
			     cases[i].name);
		record_done(&record);
		proc_table_free(table);
	}
}

Test(procfs, withdrawn_not_after_a_later_event)
{
	struct proc_table *table = new_table(0);
	struct record record;
	struct step step = seed;

	record_init(&record);
	record_apply(&record, table, &step);
	step.kind = STEP_EVENT;
	step.at = clock_boot_ns() + NS_PER_SEC; /* with the old image, after the read */
	record_apply(&record, table, &step);
	step.at++;
	step.exec_id = 6;
	record_apply(&record, table, &step);
	cr_expect_str_eq(record_image_text(proc_image_at(record.event.proc, 5)), "5 prog");
	record_done(&record);
	proc_table_free(table);
}

/* Partial processes are read only when pids are the same here, and no more than allowed. */
Test(procfs, partial)
{
	struct proc_table *table = new_table(10);
	struct proc_table_stats stats;
	struct record record;
	struct step step = { STEP_EVENT, .at = 200, .parent = 1, .exec_id = 5, .comm = "prog" };

	record_init(&record);
	for (uint32_t pid = 100; pid < 130; pid++)
		put_process(pid, "prog", pid);
	step.pid = 100;
	step.start = 100 * TICK_NS;
	record_apply(&record, table, &step);
	cr_expect_str_eq(record_image_text(record.event.image), "5 ?",
			 "no seed told yet that pids are shared");
	record_apply(&record, table, &seed);
	for (step.pid = 101; step.pid < 130; step.pid++) {
		step.start = step.pid * TICK_NS;
		record_apply(&record, table, &step);
	}
	proc_table_stats(table, &stats);
	/* The test may run into the next second once. */
	cr_expect_geq(stats.procfs_read, 1 + 10);
	cr_expect_leq(stats.procfs_read, 1 + 20);
	cr_expect_eq(stats.procfs_read + stats.procfs_skipped, 1 + 30);
	cr_expect_eq(stats.partial, 30);
	record_done(&record);
	proc_table_free(table);
}

/* A known process shows a newer image: /proc may name it, unless it goes by another name. */
Test(procfs, missing_exec)
{
	struct proc_table *table = new_table(100);
	struct record record;
	struct step step = { STEP_EXEC,	  .at = 200,	.pid = 50,	.start = 1234 * TICK_NS,
			     .parent = 1, .exec_id = 4, .comm = "first" };

	record_init(&record);
	record_apply(&record, table, &seed);
	record_apply(&record, table, &step);
	step.kind = STEP_EVENT;
	step.exec_id = 6;
	step.comm = "renamed";
	record_apply(&record, table, &step);
	cr_expect_str_eq(record_image_text(record.event.image), "6 ?");
	step.exec_id = 7;
	step.comm = "prog";
	record_apply(&record, table, &step);
	cr_expect_str_eq(record_image_text(record.event.image), "7 prog");
	step.exec_id = 3;
	record_apply(&record, table, &step);
	cr_expect_str_eq(record_image_text(record.event.image), "3 ?",
			 "older than what is known: /proc has the newer one's");
	record_done(&record);
	proc_table_free(table);
}

/* Nothing told of the parent, but /proc knows it; its first event tells which image that was. */
Test(procfs, missing_parent)
{
	struct proc_table *table = new_table(100);
	struct proc_key key = { 1000 * TICK_NS, 40 }, gone = { 1001 * TICK_NS, 41 };
	const struct proc *parent;
	struct record record;
	struct step step = seed;

	record_init(&record);
	put_process(40, "shell", 1000);
	put_process(41, "reused", 9999);
	step.parent = key.pid;
	step.parent_start = key.start_ns;
	record_apply(&record, table, &step);
	step.pid = 51;
	step.reader_pid = 51;
	step.parent = gone.pid;
	step.parent_start = gone.start_ns;
	record_apply(&record, table, &step);
	proc_table_collect(table, 10 * NS_PER_SEC);
	parent = proc_table_find(table, key);
	cr_assert_not_null(parent);
	cr_expect_str_eq(parent->comm, "shell");
	cr_expect(parent->is_partial);
	cr_expect_eq(parent->session_id, 3);
	cr_expect_eq(parent->child_cnt, 1, "linked at once");
	cr_expect_str_eq(record_image_text(parent->image), "0 prog");
	cr_expect_null(proc_table_find(table, gone), "another process has this pid now");

	step = (struct step){ STEP_EVENT,  .at = 200,	 .pid = 40,	 .start = key.start_ns,
			      .parent = 1, .exec_id = 4, .comm = "shell" };
	record_apply(&record, table, &step);
	cr_expect_str_eq(record_image_text(record.event.image), "4 prog");
	step.exec_id = 5;
	step.comm = "next";
	record_apply(&record, table, &step);
	cr_expect_str_eq(record_image_text(record.event.image), "5 ?", "a later one is not it");
	record_done(&record);
	proc_table_free(table);
}

/* The real /proc, and a child of our own. */
/* What a table was told of /proc gives another one the same processes, with no /proc at all. */
struct recording {
	struct proc_key keys[8];
	struct proc_strings strings[8];
	unsigned cnt;
};

static struct str kept(struct str s)
{
	char *copy = s.p ? malloc(s.n + 1) : NULL;

	if (!copy)
		return STR_NONE;
	memcpy(copy, s.p, s.n);
	return (struct str){ copy, s.n };
}

static void keep(struct proc_key key, const struct proc_strings *strings, void *data)
{
	struct recording *recording = data;
	struct proc_strings *one = &recording->strings[recording->cnt];

	*one = *strings;
	one->exe = kept(strings->exe);
	one->args = kept(strings->args);
	one->env = kept(strings->env);
	one->exepath = kept(strings->exepath);
	one->cwd = kept(strings->cwd);
	recording->keys[recording->cnt++] = key;
}

static bool recall(struct proc_key key, struct proc_strings *ret, void *data)
{
	const struct recording *recording = data;

	for (unsigned i = 0; i < recording->cnt; i++) {
		if (recording->keys[i].pid != key.pid)
			continue;
		*ret = recording->strings[i];
		return true;
	}
	return false;
}

static void forget(struct recording *recording)
{
	for (unsigned i = 0; i < recording->cnt; i++) {
		free((char *)(uintptr_t)recording->strings[i].exe.p);
		free((char *)(uintptr_t)recording->strings[i].args.p);
		free((char *)(uintptr_t)recording->strings[i].env.p);
		free((char *)(uintptr_t)recording->strings[i].exepath.p);
		free((char *)(uintptr_t)recording->strings[i].cwd.p);
	}
}

static void expect_same_image(struct proc_table *one, struct proc_table *other, struct proc_key key)
{
	const struct proc *a = proc_table_find(one, key), *b = proc_table_find(other, key);

	cr_assert(a && b, "pid %u", key.pid);
	cr_expect_str_eq(a->comm, b->comm);
	cr_expect_eq(a->session_id, b->session_id);
	cr_expect_eq(a->is_partial, b->is_partial);
	cr_expect_eq(a->image->procfs_ns, b->image->procfs_ns, "when it was read");
	cr_expect(str_eq(a->image->args, b->image->args), "pid %u", key.pid);
	cr_expect(str_eq(a->image->exepath, b->image->exepath), "pid %u", key.pid);
	cr_expect(str_eq(a->image->cwd, b->image->cwd), "pid %u", key.pid);
	cr_expect_eq(a->image->is_partial, b->image->is_partial, "pid %u", key.pid);
}

Test(procfs, recalled)
{
	struct recording recording = { 0 };
	struct proc_table_config config;
	struct proc_table *live, *replayed;
	struct proc_key parent = { 1000 * TICK_NS, 40 }, child = { seed.start, seed.pid };
	struct step step = seed;
	struct record record;

	record_init(&record);
	put_process(40, "shell", 1000);
	proc_table_config_default(&config);
	config.proc_root = root;
	config.inputs = (struct proc_inputs){ .on_strings = keep, .data = &recording };
	cr_assert_eq(proc_table_new(&config, &live), 0);
	config.inputs = (struct proc_inputs){ .recall = recall, .data = &recording };
	config.proc_root = "/nonexistent";
	cr_assert_eq(proc_table_new(&config, &replayed), 0);
	step.parent = parent.pid;
	step.parent_start = parent.start_ns;
	record_apply(&record, live, &step);
	cr_assert_eq(recording.cnt, 1);
	record_apply(&record, replayed, &step);
	proc_table_collect(live, 10 * NS_PER_SEC);
	cr_assert_eq(recording.cnt, 2, "its parent");
	proc_table_collect(replayed, 10 * NS_PER_SEC);
	expect_same_image(live, replayed, child);
	expect_same_image(live, replayed, parent);
	cr_expect(!proc_table_find(live, child)->image->is_partial);
	record_done(&record);
	proc_table_free(live);
	proc_table_free(replayed);
	forget(&recording);
}

Test(procfs, real)
{
	struct procfs *procfs = NULL;
	struct proc_strings s;
	char path[64], line[512], *p;
	uint64_t ticks;
	int pipe_fds[2];
	ssize_t n;
	pid_t child;
	int fd;

	cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		execl("/bin/sleep", "my sleep", "1000", (char *)NULL);
		_exit(127);
	}
	close(pipe_fds[1]);
	cr_assert_eq(read(pipe_fds[0], line, 1), 0); /* the exec closes the other end */
	/* And sets its arguments a moment later. */
	snprintf(path, sizeof(path), "/proc/%d/cmdline", child);
	do {
		fd = open(path, O_RDONLY);
		n = read(fd, line, sizeof(line));
		close(fd);
	} while (n == 0);
	snprintf(path, sizeof(path), "/proc/%d/stat", child);
	fd = open(path, O_RDONLY);
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	cr_assert_gt(n, 0);
	line[n] = '\0';
	p = strrchr(line, ')') + 2;
	for (int field = 3; field < 22; field++)
		p = strchr(p, ' ') + 1;
	ticks = strtoull(p, NULL, 10);

	cr_assert_eq(procfs_new("/proc", true, &procfs), 0);
	cr_assert_eq(procfs_read(procfs, (uint32_t)child, ticks * TICK_NS, "sleep", &s), 0);
	cr_expect(str_eq_text(s.exe, "my sleep"));
	cr_expect(str_eq(s.args, STR("1000\0")));
	cr_expect(s.exepath.p && s.exepath.p[0] == '/');
	cr_expect(s.cwd.p && s.cwd.p[0] == '/');
	cr_expect_not_null(s.env.p);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	cr_expect_eq(procfs_read(procfs, (uint32_t)child, ticks * TICK_NS, "sleep", &s),
		     PROCFS_E_GONE);
	procfs_free(procfs);
}
