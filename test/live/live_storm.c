/*
 * A fork bomb and a storm of opens in one cgroup, and nobody reads: no exec of another cgroup is
 * lost or cut (decision 20), and what is lost is counted to the cgroup that did it.
 */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "program.h"

#define RING_BYTES 524288
#define EXECS	   20
/* Enough to fill seven eighths with fork and exit, twice. */
#define BOMB_PROCESSES 2000

struct storm_notes {
	volatile bool is_over;
	volatile uint32_t forked;
	uint64_t bomb_id, quiet_id;
};

/* Made before the run, so that both sides have them. */
static char groups[2][300];

static void enter(const char *path)
{
	char procs[320], pid[16];
	int fd;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	snprintf(pid, sizeof(pid), "%d", getpid());
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	ACTOR_CHECK(fd >= 0 && write(fd, pid, strlen(pid)) > 0);
	close(fd);
}

static pid_t start(const char *group, void (*fn)(struct storm_notes *), struct storm_notes *notes)
{
	pid_t pid = fork();

	ACTOR_CHECK(pid >= 0);
	if (pid == 0) {
		enter(group);
		fn(notes);
		_exit(0);
	}
	return pid;
}

static void bomb(struct storm_notes *notes)
{
	while (!notes->is_over) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
		notes->forked++;
	}
}

static void open_all_the_time(struct storm_notes *notes)
{
	while (!notes->is_over)
		syscall(SYS_openat, -1, "none", O_RDONLY);
}

/* Ends the program when it runs: its end of the pipe is closed by exec. */
static void exec_one(int number)
{
	char name[16], byte;
	char *argv[] = { name, (char *)"argument", NULL }, *env[] = { (char *)"V=1", NULL };
	int pipe_fds[2];
	pid_t pid;

	snprintf(name, sizeof(name), "quiet-%d", number);
	ACTOR_CHECK(pipe2(pipe_fds, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		alarm(30);
		execve("./program", argv, env);
		_exit(1);
	}
	close(pipe_fds[1]);
	ACTOR_CHECK(read(pipe_fds[0], &byte, 1) == 0);
	close(pipe_fds[0]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void exec_some(struct storm_notes *notes)
{
	for (int i = 0; i < EXECS; i++)
		exec_one(i);
}

static void prepare(void *data)
{
	program_make("program", 0755);
}

static void act(void *data)
{
	struct storm_notes *notes = data;
	pid_t bombs, opens;
	int status;

	bombs = start(groups[0], bomb, notes);
	opens = start(groups[0], open_all_the_time, notes);
	while (notes->forked < BOMB_PROCESSES)
		usleep(1000);
	ACTOR_CHECK(waitpid(start(groups[1], exec_some, notes), &status, 0) > 0 && status == 0);
	notes->is_over = true;
	ACTOR_CHECK(waitpid(bombs, NULL, 0) == bombs && waitpid(opens, NULL, 0) == opens);
}

/* Every lost event has its cgroup, or is one of the few that had none yet. */
static void check_losses(struct live *live, struct probes *probes)
{
	struct storm_notes *notes = live->shared;
	struct probes_cgroup_loss top[64];
	uint64_t other, by_group = 0, lost = 0;
	uint32_t cnt = probes_read_cgroup_loss(probes, top, ARRAY_LEN(top), &other);

	for (unsigned type = 0; type < EVENT__COUNT; type++)
		for (unsigned reason = 0; reason < WIRE_LOST__COUNT; reason++)
			lost += live->counters.types[type].lost[reason];
	cr_assert(cnt >= 1);
	cr_expect(top[0].cgroup_id == notes->bomb_id, "the bomb lost most");
	for (uint32_t i = 0; i < cnt; i++) {
		by_group += top[i].lost;
		cr_expect(top[i].cgroup_id != notes->quiet_id, "the quiet group lost %llu",
			  (unsigned long long)top[i].lost);
	}
	cr_expect(by_group + other == lost, "%llu by group, %llu others, %llu lost",
		  (unsigned long long)by_group, (unsigned long long)other,
		  (unsigned long long)lost);
}

static void make_groups(const char *root)
{
	for (int i = 0; i < 2; i++) {
		snprintf(groups[i], sizeof(groups[i]), "%s/haetae-storm-%d-%d", root, getpid(), i);
		cr_assert(mkdir(groups[i], 0755) == 0, "%s: %s", groups[i], strerror(errno));
	}
}

static void note_groups(struct live *live, struct probes *probes)
{
	struct storm_notes *notes = live->shared;
	struct stat info[2];

	(void)probes;
	cr_assert(stat(groups[0], &info[0]) == 0 && stat(groups[1], &info[1]) == 0);
	notes->bomb_id = info[0].st_ino;
	notes->quiet_id = info[1].st_ino;
}

static void check_execs(const struct live *live)
{
	for (int i = 0; i < EXECS; i++) {
		const struct event *event, *found = NULL;
		char name[16];

		snprintf(name, sizeof(name), "quiet-%d", i);
		for (unsigned n = 0; !found && (event = live_find(live, EVENT_EXECVE, n)); n++)
			if (str_eq_text(event_string(event, PARAM_EXECVE_exe), name))
				found = event;
		cr_expect(found, "%s is lost", name);
		if (!found)
			continue;
		cr_expect(!(found->header->flags & WIRE_ARGV_SHORT), "%s is cut", name);
		cr_expect(str_eq_text(event_string(found, PARAM_EXECVE_args), "argument"));
	}
}

/* Any hierarchy that events' cgroup ids come from. */
static const char *find_root(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup/memory",
					     "/sys/fs/cgroup" };
	static char procs[64];

	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		snprintf(procs, sizeof(procs), "%s/cgroup.procs", roots[i]);
		if (access(procs, W_OK) == 0)
			return roots[i];
	}
	return NULL;
}

Test(live_storm, a_bomb_costs_nobody_else_an_exec, .timeout = 300)
{
	static const char *const names[] = { "execve", "procexit", "openat", NULL };
	const struct wire_counters *opens, *forks;
	struct live live;

	live_require();
	if (!find_root())
		cr_skip_test("no cgroup hierarchy is mounted");
	make_groups(find_root());
	live_run(&live,
		 &(struct live_options){ .syscalls = names,
					 .prepare = prepare,
					 .ready = note_groups,
					 .finished = check_losses,
					 .ring_bytes = 65536,
					 .lifecycle_ring_bytes = RING_BYTES,
					 .is_unread = true },
		 act);
	rmdir(groups[0]);
	rmdir(groups[1]);
	opens = &live.counters.types[EVENT_OPENAT];
	forks = &live.counters.types[EVENT_TASK_NEW];
	cr_expect(opens->lost[WIRE_LOST_RING_FULL] > 0, "no storm of opens");
	cr_expect(forks->lost[WIRE_LOST_SHARE] > 0 && forks->lost[WIRE_LOST_RING_FULL] == 0,
		  "the bomb lost %llu beyond its share, %llu in a full ring",
		  forks->lost[WIRE_LOST_SHARE], forks->lost[WIRE_LOST_RING_FULL]);
	check_execs(&live);
	live_done(&live);
}
