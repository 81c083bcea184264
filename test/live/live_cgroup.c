/*
 * Control groups: records of those made, removed and joined, in each hierarchy there is, and what
 * the container table finds of them in the file system.
 */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "container_private.h"
#include "haetae/clock.h"

#define NOT_TOLD 99 /* a hierarchy of which no record speaks */

static const struct {
	const char *mount;
	unsigned hierarchy;
} hierarchies[] = {
	{ "/sys/fs/cgroup/unified", WIRE_HIERARCHY_V2 },
	{ "/sys/fs/cgroup", WIRE_HIERARCHY_V2 },
	{ "/sys/fs/cgroup/memory", WIRE_HIERARCHY_MEMORY },
	{ "/sys/fs/cgroup/pids", WIRE_HIERARCHY_PIDS },
	{ "/sys/fs/cgroup/cpu", WIRE_HIERARCHY_CPU },
	{ "/sys/fs/cgroup/freezer", NOT_TOLD },
};

struct notes {
	struct facts facts;
	struct {
		char path[64]; /* within the hierarchy, of the outer one; "": not mounted */
		uint64_t root_id, outer_id, inner_id;
		pid_t child;
	} in[ARRAY_LEN(hierarchies)];
};

static bool is_mounted(size_t i)
{
	struct statfs info;

	return statfs(hierarchies[i].mount, &info) == 0 &&
	       info.f_type == (hierarchies[i].hierarchy == WIRE_HIERARCHY_V2 ? CGROUP2_SUPER_MAGIC
									     : CGROUP_SUPER_MAGIC);
}

static uint64_t id_of(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 ? info.st_ino : 0;
}

static void remove_cgroup(const char *path)
{
	/* Who was in it may not quite have gone. */
	for (unsigned i = 0; i < 200 && rmdir(path) < 0 && errno == EBUSY; i++)
		usleep(5000);
}

static bool move_to(const char *cgroup, pid_t pid)
{
	char path[256], text[16];
	int fd, n = snprintf(text, sizeof(text), "%d", pid);
	bool is_done;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	is_done = fd >= 0 && write(fd, text, (size_t)n) == n;
	close_fdp(&fd);
	return is_done;
}

static pid_t start_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void act_in(struct notes *notes, size_t i)
{
	char outer[128], inner[160];

	if (!is_mounted(i))
		return;
	snprintf(notes->in[i].path, sizeof(notes->in[i].path), "/haetae-live-%d-%zu", getpid(), i);
	snprintf(outer, sizeof(outer), "%s%s", hierarchies[i].mount, notes->in[i].path);
	snprintf(inner, sizeof(inner), "%s/in", outer);
	ACTOR_CHECK(mkdir(outer, 0755) == 0 && mkdir(inner, 0755) == 0);
	notes->in[i].root_id = id_of(hierarchies[i].mount);
	notes->in[i].outer_id = id_of(outer);
	notes->in[i].inner_id = id_of(inner);
	notes->in[i].child = start_child();
	ACTOR_CHECK(move_to(inner, notes->in[i].child));
	end_child(notes->in[i].child);
	remove_cgroup(inner);
	remove_cgroup(outer);
	ACTOR_CHECK(id_of(outer) == 0);
}

static void act(void *data)
{
	struct notes *notes = data;

	facts_read(&notes->facts);
	for (size_t i = 0; i < ARRAY_LEN(hierarchies); i++)
		act_in(notes, i);
}

/* The three records begin alike; others on this machine may make cgroups, too. */
static const struct event *find(const struct live *live, enum event_type type, const char *path)
{
	const struct event *event;

	for (unsigned n = 0; (event = live_find(live, type, n)); n++)
		if (str_eq_text(event_string(event, PARAM_CGROUP_MKDIR_path), path))
			return event;
	return NULL;
}

static void check_hierarchy(const struct live *live, const struct notes *notes, size_t i)
{
	const char *outer = notes->in[i].path;
	unsigned hierarchy = hierarchies[i].hierarchy;
	const struct event *event = find(live, EVENT_CGROUP_MKDIR, outer);
	char inner[80];

	snprintf(inner, sizeof(inner), "%s/in", outer);
	if (hierarchy == NOT_TOLD) {
		cr_expect(!event && !find(live, EVENT_CGROUP_ATTACH, inner), "%s", outer);
		return;
	}
	cr_assert(event, "%s", outer);
	expect_header(event, &notes->facts, 0, outer);
	expect_number(event, PARAM_CGROUP_MKDIR_id, (int64_t)notes->in[i].outer_id, outer);
	expect_number(event, PARAM_CGROUP_MKDIR_hierarchy, hierarchy, outer);
	expect_number(event, PARAM_CGROUP_MKDIR_parent_id, (int64_t)notes->in[i].root_id, outer);
	cr_expect_eq(notes->in[i].root_id, 1, "the number of every hierarchy's root");
	event = find(live, EVENT_CGROUP_MKDIR, inner);
	cr_assert(event, "%s", inner);
	expect_number(event, PARAM_CGROUP_MKDIR_id, (int64_t)notes->in[i].inner_id, inner);
	expect_number(event, PARAM_CGROUP_MKDIR_parent_id, (int64_t)notes->in[i].outer_id, inner);
	event = find(live, EVENT_CGROUP_ATTACH, inner);
	cr_assert(event, "moved to %s", inner);
	cr_expect_eq(event->header->pid, (uint32_t)notes->in[i].child, "%s: who is moved", inner);
	expect_number(event, PARAM_CGROUP_ATTACH_id, (int64_t)notes->in[i].inner_id, inner);
	expect_number(event, PARAM_CGROUP_ATTACH_hierarchy, hierarchy, inner);
	expect_number(event, PARAM_CGROUP_ATTACH_by_pid, notes->facts.pid, inner);
	if (hierarchy <= WIRE_HIERARCHY_MEMORY) {
		cr_expect_eq(event->header->cgroup_id, notes->in[i].inner_id, "is there already");
		cr_expect_eq(event->header->cgroup_hierarchy, hierarchy);
	}
	event = find(live, EVENT_CGROUP_RMDIR, outer);
	cr_assert(event, "%s removed", outer);
	expect_number(event, PARAM_CGROUP_RMDIR_id, (int64_t)notes->in[i].outer_id, outer);
	expect_number(event, PARAM_CGROUP_RMDIR_hierarchy, hierarchy, outer);
}

static const char *const no_calls[] = { NULL };

Test(live_cgroup, made_joined_removed, .timeout = 300)
{
	const struct notes *notes;
	struct live live;
	unsigned cnt = 0;

	live_run(&live, &(struct live_options){ .syscalls = no_calls }, act);
	notes = live.shared;
	for (size_t i = 0; i < ARRAY_LEN(hierarchies); i++) {
		if (!notes->in[i].path[0])
			continue;
		check_hierarchy(&live, notes, i);
		cnt++;
	}
	cr_expect(cnt > 0, "a hierarchy is mounted");
	live_done(&live);
}

/* ---- beside the scope, and at once ---- */

static char outside[64], outside_mount[64];

static void make_outside(struct live *live, struct probes *probes)
{
	struct pollfd fd = { .fd = probes_poll_fd(probes), .events = POLLIN };
	char path[160];
	pid_t child = start_child();

	for (size_t i = 0; i < ARRAY_LEN(hierarchies) && !outside_mount[0]; i++)
		if (is_mounted(i))
			snprintf(outside_mount, sizeof(outside_mount), "%s", hierarchies[i].mount);
	snprintf(outside, sizeof(outside), "/haetae-live-%d", getpid());
	snprintf(path, sizeof(path), "%s%s", outside_mount, outside);
	while (live_drain(live, probes, 0))
		;
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_expect_eq(poll(&fd, 1, 1000), 1, "it wakes the reader");
	cr_expect(move_to(path, child));
	end_child(child);
	remove_cgroup(path);
}

static void act_nothing(void *shared)
{
}

Test(live_cgroup, whatever_the_scope, .timeout = 300)
{
	struct live live;

	live_run(&live, &(struct live_options){ .syscalls = no_calls, .ready = make_outside },
		 act_nothing);
	cr_expect(find(&live, EVENT_CGROUP_MKDIR, outside));
	cr_expect(find(&live, EVENT_CGROUP_RMDIR, outside));
	cr_expect(!find(&live, EVENT_CGROUP_ATTACH, outside), "a process that is not ours");
	live_done(&live);
}

/* ---- the table and the file system ---- */

#define A64 "a0a1a2a3a4a5a6a7a8a9b0b1b2b3b4b5b6b7b8b9c0c1c2c3c4c5c6c7c8c9d0d1"
#define B64 "b0a1a2a3a4a5a6a7a8a9b0b1b2b3b4b5b6b7b8b9c0c1c2c3c4c5c6c7c8c9d0d1"

static const struct container *container_of(struct container_table *table, pid_t pid,
					    uint64_t cgroup_id, unsigned hierarchy)
{
	const struct wire_header header = { .pid = (uint32_t)pid,
					    .time_ns = clock_boot_ns(),
					    .cgroup_id = cgroup_id,
					    .cgroup_hierarchy = (uint8_t)hierarchy };
	struct event event = { .header = &header, .schema = event_schema_get(EVENT_PROCEXIT) };

	container_table_apply(table, &event);
	return event.container;
}

static void check_walk(const char *mount, unsigned hierarchy)
{
	static const char *const parts[] = { "docker", "docker/" A64, "docker/" A64 "/docker",
					     "docker/" A64 "/docker/" B64 };
	struct container_table_config config;
	struct container_table_stats stats;
	struct container_table *table;
	const struct container *container;
	char path[ARRAY_LEN(parts)][300];
	pid_t child = start_child();

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		snprintf(path[i], sizeof(path[i]), "%s/%s", mount, parts[i]);
	container_table_config_default(&config);
	cr_assert_eq(container_table_new(&config, &table), 0);
	for (size_t i = 0; i < 2; i++)
		cr_assert(mkdir(path[i], 0755) == 0 || errno == EEXIST, "%s", path[i]);
	cr_expect_eq(container_table_walk(table), 0);
	container_table_stats(table, &stats);
	container = container_table_find(table, STR(A64));
	cr_expect(container && container->refs > 0, "%s: found by the walk", mount);
	cr_expect(container_of(table, 1, id_of(path[1]), hierarchy) == container, "%s", mount);
	cr_expect(container_of(table, 1, 1, hierarchy) == &container_host, "%s", mount);
	/* Made since, and no record came: only the process in it can tell. */
	cr_assert(mkdir(path[2], 0755) == 0 && mkdir(path[3], 0755) == 0);
	cr_expect(!container_of(table, child, id_of(path[3]), hierarchy), "nobody is in it");
	cr_assert(move_to(path[3], child));
	cgroup_node_find(table, cgroup_node_key(id_of(path[3]), hierarchy))->retry_ns = 0;
	cr_expect(container_of(table, child, id_of(path[3]), hierarchy) == container, "%s", mount);
	container_table_stats(table, &stats);
	cr_expect_eq(stats.learned, 1);
	end_child(child);
	for (size_t i = ARRAY_LEN(parts); i--;)
		remove_cgroup(path[i]);
	/* What is there no more goes with the next walk. */
	cr_expect_eq(container_table_walk(table), 0);
	cr_expect(container && container->is_gone, "%s", mount);
	container_table_free(table);
}

Test(live_cgroup, walk_and_learn, .timeout = 60)
{
	live_require();
	for (size_t i = 0; i < ARRAY_LEN(hierarchies); i++)
		if (is_mounted(i) && hierarchies[i].hierarchy != NOT_TOLD)
			check_walk(hierarchies[i].mount, hierarchies[i].hierarchy);
}

/* Where /proc shows paths from our own cgroup on, the next walk finds what it cannot tell. */
static void check_namespace(const char *mount)
{
	struct container_table_config config;
	struct container_table *table;
	const struct container *container;
	char own[128], docker[128], path[300];
	pid_t child = start_child();

	snprintf(own, sizeof(own), "%s/haetae-live-%d", mount, getpid());
	snprintf(docker, sizeof(docker), "%s/docker", mount);
	snprintf(path, sizeof(path), "%s/" B64, docker);
	cr_assert(mkdir(own, 0755) == 0 && move_to(own, getpid()));
	cr_assert_eq(unshare(CLONE_NEWCGROUP), 0);
	container_table_config_default(&config);
	cr_assert_eq(container_table_new(&config, &table), 0);
	cr_expect_eq(container_table_walk(table), 0, "the mount is still whole");
	(void)mkdir(docker, 0755);
	cr_assert(mkdir(path, 0755) == 0 && move_to(path, child));
	cr_expect(!container_of(table, child, id_of(path), WIRE_HIERARCHY_V2));
	container_table_look(table, clock_boot_ns());
	cr_expect(!container_table_find(table, STR(B64)), "not so soon after the last");
	container_table_look(table, clock_boot_ns() + 3600 * NS_PER_SEC);
	container = container_table_find(table, STR(B64));
	cr_expect(container != NULL);
	cr_expect(container_of(table, child, id_of(path), WIRE_HIERARCHY_V2) == container);
	end_child(child);
	remove_cgroup(path);
	remove_cgroup(docker);
	cr_expect(move_to(mount, getpid()));
	remove_cgroup(own);
	container_table_free(table);
}

Test(live_cgroup, in_a_cgroup_namespace, .timeout = 60)
{
	live_require();
	for (size_t i = 0; i < 2; i++)
		if (is_mounted(i)) {
			check_namespace(hierarchies[i].mount);
			break;
		}
}
