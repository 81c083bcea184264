/*
 * The container table: histories of a few processes and cgroups, step by step, each with the
 * container that its event must have; questions and answers; bounds.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>

#include "container_private.h"
#include "haetae/clock.h"
#include "openat2.h"
#include "records.h"

#define A64   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64   "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C64   "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define A     "aaaaaaaaaaaa"
#define B     "bbbbbbbbbbbb"
#define C     "cccccccccccc"
#define USERS "/user.slice/user-1000.slice/user@1000.service"
#define SPOOF USERS "/kubepods/pod" POD "/" A64
#define POD   "5c8f0b1a-93a3-4d0e-8a1b-0123456789ab"

enum cgroup_kind {
	CG_END,
	CG_EVENT,
	CG_EXEC,
	CG_FORK,
	CG_EXIT,
	CG_MKDIR,
	CG_RMDIR,
	CG_MOVED,   /* pid is in `cgroup` now, because `child`, or 2, moved it */
	CG_CONFIRM, /* the host's runtime knows `path` */
};

struct cgroup_step {
	enum cgroup_kind kind;
	uint32_t pid;
	uint64_t cgroup;  /* of pid, as its header has it */
	const char *want; /* "host", a short id, "?": not known */
	uint64_t id, parent;
	const char *path;
	uint32_t child;
	bool is_left;
	uint64_t at; /* 0: one later than the step before */
	unsigned hierarchy;
};

struct fixture {
	struct proc_table *procs;
	struct container_table *table;
	struct record record;
	uint64_t now;
};

static void fixture_init(struct fixture *fixture, const struct container_table_config *config)
{
	struct container_table_config with_procs;
	struct proc_table_config procs;

	proc_table_config_default(&procs);
	procs.proc_root = NULL;
	memset(fixture, 0, sizeof(*fixture));
	record_init(&fixture->record);
	fixture->now = NS_PER_SEC;
	cr_assert_eq(proc_table_new(&procs, &fixture->procs), 0);
	with_procs = *config;
	with_procs.procs = fixture->procs;
	cr_assert_eq(container_table_new(&with_procs, &fixture->table), 0);
}

static struct container_table_config replay_config(void)
{
	struct container_table_config config;

	container_table_config_default(&config);
	config.host_root = NULL;
	return config;
}

static void fixture_done(struct fixture *fixture)
{
	proc_table_free(fixture->procs);
	container_table_free(fixture->table);
	record_done(&fixture->record);
}

static void set_number(struct record *record, unsigned param, uint64_t value)
{
	record->numbers[param] = value;
	record->event.params[param] = (struct str){ (const char *)&record->numbers[param], 8 };
}

static void set_path(struct record *record, unsigned param, const char *path)
{
	record->event.params[param] = (struct str){ path, (uint32_t)strlen(path) + 1 };
}

/* The three records of cgroups begin alike. */
_Static_assert((int)PARAM_CGROUP_MKDIR_id == (int)PARAM_CGROUP_ATTACH_id &&
		       (int)PARAM_CGROUP_MKDIR_hierarchy == (int)PARAM_CGROUP_RMDIR_hierarchy &&
		       (int)PARAM_CGROUP_MKDIR_path == (int)PARAM_CGROUP_ATTACH_path,
	       "filled alike");

static void fill_cgroup(struct record *record, const struct cgroup_step *step)
{
	static const enum event_type types[] = {
		[CG_MKDIR] = EVENT_CGROUP_MKDIR,
		[CG_RMDIR] = EVENT_CGROUP_RMDIR,
		[CG_MOVED] = EVENT_CGROUP_ATTACH,
	};

	uint32_t by;

	memset(record->event.params, 0, sizeof(record->event.params));
	record->header.type = types[step->kind];
	record->event.schema = event_schema_get(types[step->kind]);
	set_number(record, PARAM_CGROUP_MKDIR_id, step->kind == CG_MOVED ? step->cgroup : step->id);
	set_number(record, PARAM_CGROUP_MKDIR_hierarchy, step->hierarchy);
	set_path(record, PARAM_CGROUP_MKDIR_path, step->path ? step->path : "/");
	if (step->kind == CG_MKDIR)
		set_number(record, PARAM_CGROUP_MKDIR_parent_id, step->parent ? step->parent : 1);
	if (step->kind == CG_MOVED) {
		by = step->child ? step->child : 2;
		set_number(record, PARAM_CGROUP_ATTACH_by_pid, by);
		set_number(record, PARAM_CGROUP_ATTACH_by_start, BOOT_OF(by));
	}
}

static void confirm(struct fixture *fixture, const char *id)
{
	struct metadata_answer answer = { .type = ANSWER_CONTAINER };

	answer.info = container_info_new();
	snprintf(answer.full_id, sizeof(answer.full_id), "%s", id);
	cr_assert(container_table_answer(fixture->table, &answer), "%s", id);
	container_info_unref(answer.info);
}

static const char *run(struct fixture *fixture, const struct cgroup_step *step)
{
	static const enum step_kind kinds[] = {
		[CG_EVENT] = STEP_EVENT, [CG_EXEC] = STEP_EXEC,	  [CG_FORK] = STEP_FORK,
		[CG_EXIT] = STEP_EXIT,	 [CG_MKDIR] = STEP_EVENT, [CG_RMDIR] = STEP_EVENT,
		[CG_MOVED] = STEP_EVENT,
	};
	struct record *record = &fixture->record;
	const struct container *container;

	if (step->kind == CG_CONFIRM) {
		confirm(fixture, step->path);
		return NULL;
	}
	fixture->now = step->at ? step->at : fixture->now + 1;
	record_fill(record, &(struct step){ .kind = kinds[step->kind],
					    .at = fixture->now,
					    .pid = step->pid,
					    .parent = 1,
					    .comm = "x",
					    .exec_id = 1,
					    .child = step->child });
	record->header.cgroup_id = step->cgroup;
	record->header.cgroup_hierarchy = (uint8_t)step->hierarchy;
	if (step->kind == CG_MKDIR || step->kind == CG_RMDIR || step->kind == CG_MOVED)
		fill_cgroup(record, step);
	proc_table_apply(fixture->procs, &record->event);
	container_table_apply(fixture->table, &record->event);
	container = record->event.container;
	return container ? container->id : "?";
}

struct history {
	const char *name;
	struct cgroup_step steps[24];
};

/* Cgroups: 1 the root, 4 /docker, 5 that of container A. */
#define START_A                                                   \
	{ CG_MKDIR, 2, 1, "host", 4, 1, "/docker" },              \
		{ CG_MKDIR, 2, 1, "host", 5, 4, "/docker/" A64 }, \
		{ CG_MOVED, 20, 5, A, .path = "/docker/" A64 },   \
	{                                                         \
		CG_EXEC, 20, 5, A                                 \
	}

/* clang-format off */
static const struct history histories[] = {
	{ "a container from its first program on", { START_A,
		{ CG_FORK, 20, 5, A, .child = 21 }, { CG_EVENT, 21, 5, A }, { CG_EXEC, 21, 5, A }, { CG_EXIT, 21, 5, A },
		{ CG_EVENT, 2, 1, "host" } } },
	{ "what is entered from the host is no news", { START_A,
		{ CG_EVENT, 11, 1, "host" }, { CG_MOVED, 11, 5, A, .path = "/docker/" A64 }, { CG_EXEC, 11, 5, A } } },
	{ "deeper in the same container", { START_A,
		{ CG_MKDIR, 20, 5, A, 6, 5, "/docker/" A64 "/init" }, { CG_MOVED, 20, 6, A, .path = "/docker/" A64 "/init" },
		{ CG_MKDIR, 2, 1, "host", 7, 6, "/docker/" A64 "/init/" B64 }, { CG_EVENT, 22, 7, A },
		{ CG_MOVED, 20, 5, A, .path = "/docker/" A64 } } },
	{ "a pod's name that was made inside", { START_A,
		{ CG_MKDIR, 20, 5, A, 10, 1, "/kubepods" }, { CG_MKDIR, 20, 5, A, 11, 10, "/kubepods/pod" POD },
		{ CG_MKDIR, 20, 5, A, 12, 11, "/kubepods/pod" POD "/" B64 },
		{ CG_MOVED, 20, 12, A, .path = "/kubepods/pod" POD "/" B64 }, { CG_EXEC, 20, 12, A },
		/* somebody of whom nothing is known, in it and below it */
		{ CG_EVENT, 40, 12, A }, { CG_MKDIR, 2, 1, "host", 13, 12, "/kubepods/pod" POD "/" B64 "/x" }, { CG_EVENT, 41, 13, A } } },
	{ "the same, and the host's runtime knows it", { START_A,
		{ CG_MKDIR, 20, 5, A, 10, 1, "/kubepods/pod" POD "/" B64 },
		{ CG_EVENT, 40, 10, A }, { CG_CONFIRM, .path = B64 }, { CG_EVENT, 41, 10, B }, { CG_EVENT, 40, 10, B },
		/* but not the other way */
		{ CG_MOVED, 40, 5, B, .path = "/docker/" A64, .is_left = true } } },
	{ "another container's name that was made inside", { START_A,
		{ CG_MKDIR, 2, 1, "host", 8, 1, "/kubepods/pod" POD "/" C64 }, { CG_EVENT, 50, 8, C },
		{ CG_MKDIR, 20, 5, A, 9, 1, "/docker/" C64 }, { CG_CONFIRM, .path = C64 }, { CG_EVENT, 51, 9, A } } },
	{ "a folder made inside, a container made in it by the host", { START_A,
		{ CG_MKDIR, 20, 5, A, 10, 1, "/kubepods" }, { CG_MKDIR, 2, 1, "host", 11, 10, "/kubepods/pod" POD },
		{ CG_MKDIR, 2, 1, "host", 12, 11, "/kubepods/pod" POD "/" C64 }, { CG_EVENT, 30, 12, C }, { CG_EVENT, 31, 10, A } } },
	{ "an inner name becomes the host's own", { START_A,
		{ CG_MKDIR, 20, 5, A, 10, 1, "/docker/" B64 }, { CG_MKDIR, 2, 1, "host", 11, 1, "/system.slice/docker-" B64 ".scope" },
		{ CG_EVENT, 30, 11, B }, { CG_EVENT, 31, 10, A }, { CG_CONFIRM, .path = B64 }, { CG_EVENT, 32, 10, A } } },
	{ "out of the container, once told", { START_A,
		{ CG_MOVED, 20, 1, A, .is_left = true }, { CG_EVENT, 20, 1, A }, { CG_EXEC, 20, 1, A },
		{ CG_FORK, 20, 1, A, .child = 21 }, { CG_EVENT, 21, 1, A }, { CG_EXEC, 21, 1, A },
		{ CG_FORK, 21, 1, A, .child = 22 }, { CG_EXIT, 21, 1, A }, { CG_EVENT, 22, 1, A },
		/* and once more elsewhere */
		{ CG_MKDIR, 2, 1, "host", 9, 1, "/user.slice" }, { CG_MOVED, 22, 9, A, .path = "/user.slice", .is_left = true },
		{ CG_EVENT, 22, 9, A },
		/* back, and out again */
		{ CG_MOVED, 22, 5, A, .path = "/docker/" A64 }, { CG_EVENT, 22, 1, A, .is_left = true } } },
	{ "a process of the host is pulled in", { START_A,
		{ CG_EVENT, 11, 1, "host" }, { CG_MOVED, 11, 5, "host", .path = "/docker/" A64, .child = 20, .is_left = true },
		{ CG_EVENT, 11, 5, "host" }, { CG_FORK, 11, 5, "host", .child = 12 }, { CG_EVENT, 12, 5, "host" },
		/* one that moves itself, as shims do, and one that a runtime moves */
		{ CG_EVENT, 13, 1, "host" }, { CG_MOVED, 13, 5, A, .path = "/docker/" A64, .child = 13 },
		{ CG_EVENT, 14, 1, "host" }, { CG_MOVED, 14, 5, A, .path = "/docker/" A64, .child = 11 } } },
	{ "into another container", { START_A,
		{ CG_MKDIR, 2, 1, "host", 8, 1, "/kubepods/pod" POD "/" C64 }, { CG_EVENT, 50, 8, C },
		{ CG_MOVED, 20, 8, A, .path = "/kubepods/pod" POD "/" C64, .is_left = true }, { CG_EVENT, 20, 8, A } } },
	{ "born outside of its container", { START_A,
		{ CG_FORK, 20, 5, A, .child = 21 }, { CG_EVENT, 21, 1, A, .is_left = true }, { CG_EXEC, 21, 1, A } } },
	{ "a child's first event comes before its birth", { START_A,
		{ CG_MOVED, 20, 1, A, .is_left = true }, { CG_EVENT, 21, 1, "host" }, { CG_FORK, 20, 1, A, .child = 21 }, { CG_EVENT, 21, 1, A } } },
	{ "an event from before the move comes after it", { START_A,
		{ CG_EVENT, 11, 1, "host" }, { CG_MOVED, 11, 5, A, .at = 2 * NS_PER_SEC },
		{ CG_EVENT, 11, 1, "host", .at = 2 * NS_PER_SEC - 1 }, { CG_EVENT, 11, 5, A, .at = 2 * NS_PER_SEC + 1 } } },
	{ "version 1 beside version 2", { START_A,
		{ CG_MKDIR, 2, 1, "host", 5, 1, "/docker/" A64, .hierarchy = WIRE_HIERARCHY_MEMORY },
		{ CG_EVENT, 20, 5, A, .hierarchy = WIRE_HIERARCHY_MEMORY },
		{ CG_MKDIR, 2, 1, "host", 5, 1, "/x", .hierarchy = WIRE_HIERARCHY_PIDS }, { CG_EVENT, 60, 5, "host", .hierarchy = WIRE_HIERARCHY_PIDS },
		{ CG_EVENT, 20, 5, A, .hierarchy = WIRE_HIERARCHY_PIDS, .is_left = true } } },
	{ "a cgroup that nobody told of", { START_A,
		{ CG_EVENT, 30, 77, "?" }, { CG_EVENT, 20, 77, A }, { CG_EVENT, 30, 1, "host" }, { CG_EVENT, 20, 5, A } } },
	{ "last words after the cgroup has gone", { START_A,
		{ CG_RMDIR, 2, 1, "host", 5, .path = "/docker/" A64 }, { CG_EXIT, 20, 5, A } } },
	{ "who is not known makes a cgroup", {
		{ CG_MKDIR, 90, 1, "host", 5, 1, "/docker/" A64 }, { CG_EVENT, 20, 5, A },
		{ CG_MKDIR, 91, 5, A, 6, 1, "/docker/" B64 }, { CG_EVENT, 21, 6, A } } },
	{ "a user names a folder like another's container", { START_A,
		{ CG_MKDIR, 2, 1, "host", 9, 1, SPOOF }, { CG_EVENT, 30, 9, A }, { CG_FORK, 30, 9, A, .child = 31 }, { CG_EVENT, 31, 9, A } } },
	{ "a container called host", {
		{ CG_MKDIR, 2, 1, "host", 5, 1, "/lxc/host" }, { CG_EVENT, 20, 5, "lxc:host" },
		{ CG_MKDIR, 2, 1, "host", 6, 5, "/lxc/host/init.scope" }, { CG_EVENT, 21, 6, "lxc:host" },
		{ CG_MKDIR, 2, 1, "host", 7, 1, "/machine.slice/machine-host.scope" }, { CG_EVENT, 22, 7, "nspawn:host" } } },
	{ "what only looks like a container's", {
		{ CG_MKDIR, 2, 1, "host", 5, 1, "/x/docker/" A64 }, { CG_EVENT, 20, 5, "host" },
		{ CG_MKDIR, 2, 1, "host", 6, 1, "/default/t1" }, { CG_EVENT, 21, 6, "host" } } },
};
/* clang-format on */

Test(container_table, histories)
{
	const struct container_table_config config = replay_config();

	for (size_t i = 0; i < ARRAY_LEN(histories); i++) {
		struct fixture fixture;
		const struct cgroup_step *step = histories[i].steps;

		fixture_init(&fixture, &config);
		for (unsigned n = 1; step->kind; n++, step++) {
			const char *got = run(&fixture, step);
			const struct container_left *left = container_table_left(fixture.table);

			if (!got)
				continue;
			cr_expect_str_eq(got, step->want, "%s, step %u: %s, not %s",
					 histories[i].name, n, got, step->want);
			cr_expect((left != NULL) == step->is_left, "%s, step %u: left",
				  histories[i].name, n);
			if (left && step->kind == CG_MOVED) {
				cr_expect_str_eq(left->cgroup, step->path ? step->path : "/");
				cr_expect(left->by_pid == (step->child ? step->child : 2) &&
					  left->header.pid == step->pid);
			}
		}
		fixture_done(&fixture);
	}
}

static void start(struct fixture *fixture, uint64_t id, const char *path)
{
	const struct cgroup_step step = { CG_MKDIR, 2, 1, "host", id, 1, path };

	run(fixture, &step);
}

static const struct container *event_in(struct fixture *fixture, uint32_t pid, uint64_t cgroup)
{
	const struct cgroup_step step = { CG_EVENT, pid, cgroup };

	run(fixture, &step);
	return fixture->record.event.container;
}

/* Makers are told whatever the scope: they don't enter the process table. */
Test(container_table, makers_are_no_processes)
{
	const struct container_table_config config = replay_config();
	struct fixture fixture;

	fixture_init(&fixture, &config);
	start(&fixture, 5, "/docker/" A64);
	cr_expect(!proc_table_find_pid(fixture.procs, 2));
	cr_expect(!fixture.record.event.proc && !fixture.record.event.image);
	fixture_done(&fixture);
}

static struct metadata_question take_question(struct fixture *fixture)
{
	struct metadata_question question;

	cr_assert(container_table_question(fixture->table, &question));
	container_table_asked(fixture->table, &question);
	return question;
}

static void source(struct fixture *fixture, enum metadata_source which, bool is_healthy)
{
	struct metadata_answer answer = { .type = ANSWER_SOURCE,
					  .source = which,
					  .is_healthy = is_healthy };

	container_table_answer(fixture->table, &answer);
}

/* A user can name a folder of theirs as the host's runtime names a container, and learns the id and
 * the pod from /sys/fs/cgroup. It has the id, which is no secret, and nothing that is said of it.
 */
Test(container_table, a_user_is_no_other_container)
{
	static const char *const orders[][2] = {
		{ "/kubepods/pod" POD "/" A64, SPOOF },
		{ SPOOF, "/kubepods/pod" POD "/" A64 },
	};
	const struct container_table_config config = replay_config();

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct metadata_answer answer = { .type = ANSWER_CONTAINER, .full_id = A64 };
		const struct container *genuine, *spoof;
		struct metadata_question question;
		struct fixture fixture;

		fixture_init(&fixture, &config);
		source(&fixture, METADATA_RUNTIME, true);
		source(&fixture, METADATA_KUBERNETES, true);
		start(&fixture, 5, orders[i][0]);
		start(&fixture, 6, orders[i][1]);
		genuine = event_in(&fixture, 20, i == 0 ? 5 : 6);
		spoof = event_in(&fixture, 30, i == 0 ? 6 : 5);
		cr_assert(genuine && spoof && genuine != spoof, "%zu", i);
		cr_expect(genuine == container_table_find(fixture.table, STR(A64)), "%zu", i);
		cr_expect_str_eq(spoof->full_id, A64);
		cr_expect_str_eq(spoof->pod_uid, "");
		cr_expect_str_eq(take_question(&fixture).pod_uid, POD);
		cr_expect(!container_table_question(fixture.table, &question), "%zu: once", i);
		answer.info = container_info_new();
		cr_expect(container_table_answer(fixture.table, &answer));
		cr_expect(genuine->info && !spoof->info, "%zu", i);
		source(&fixture, METADATA_RUNTIME, false);
		source(&fixture, METADATA_RUNTIME, true);
		cr_expect_eq(spoof->state[METADATA_RUNTIME], METADATA_NONE);
		cr_expect_eq(spoof->state[METADATA_KUBERNETES], METADATA_NONE);
		/* Nor does a container that names one there have it confirmed. */
		while (container_table_question(fixture.table, &question))
			container_table_asked(fixture.table, &question);
		run(&fixture, &(struct cgroup_step){ CG_MKDIR, 20, i == 0 ? 5 : 6, A, 9, 1,
						     USERS "/docker-" B64 ".scope" });
		cr_expect(!container_table_question(fixture.table, &question), "%zu", i);
		fixture_done(&fixture);
	}
}

static bool unknown(struct fixture *fixture, const char *id)
{
	struct metadata_answer answer = { .type = ANSWER_CONTAINER_UNKNOWN };

	snprintf(answer.full_id, sizeof(answer.full_id), "%s", id);
	return container_table_answer(fixture->table, &answer);
}

Test(container_table, questions_oldest_first)
{
	const struct container_table_config config = replay_config();
	struct metadata_question question;
	struct fixture fixture;

	fixture_init(&fixture, &config);
	cr_expect(!container_table_question(fixture.table, &question));
	start(&fixture, 5, "/kubepods/pod" POD "/" A64);
	start(&fixture, 6, "/default/" B64);
	cr_assert(container_table_question(fixture.table, &question));
	cr_expect_str_eq(question.full_id, A64, "not taken: it comes again");
	question = take_question(&fixture);
	cr_expect(question.type == QUESTION_CONTAINER && !question.is_inner);
	cr_expect(question.container_type == CONTAINER_CRI);
	cr_expect_str_eq(question.full_id, A64);
	cr_expect_str_eq(question.pod_uid, POD);
	question = take_question(&fixture);
	cr_expect_str_eq(question.full_id, B64);
	cr_expect_str_eq(question.runtime_namespace, "default");
	cr_expect(!container_table_question(fixture.table, &question));
	event_in(&fixture, 30, 5);
	run(&fixture, &(struct cgroup_step){ CG_MKDIR, 30, 5, A, 9, 1, "/docker/" C64 });
	question = take_question(&fixture);
	cr_expect(question.is_inner);
	cr_expect_str_eq(question.full_id, C64);
	cr_expect(!container_table_find(fixture.table, STR(C64)), "not before it is confirmed");
	cr_expect(!unknown(&fixture, C64));
	confirm(&fixture, A64);
	cr_expect(event_in(&fixture, 31, 9) == container_table_find(fixture.table, STR(A64)));
	fixture_done(&fixture);
}

/* Waiting only while the source is healthy, has been or will be asked, and has not answered. */
Test(container_table, states)
{
	const struct container_table_config config = replay_config();
	struct metadata_answer answer = { .type = ANSWER_CONTAINER, .full_id = A64 };
	const struct container *container;
	struct metadata_question question;
	struct fixture fixture;

	fixture_init(&fixture, &config);
	start(&fixture, 5, "/docker/" A64);
	container = container_table_find(fixture.table, STR(A64));
	cr_assert(container);
	cr_expect(container->state[METADATA_RUNTIME] == METADATA_NONE);
	take_question(&fixture);
	cr_expect(container->state[METADATA_RUNTIME] == METADATA_NONE);
	source(&fixture, METADATA_RUNTIME, true);
	cr_expect(container->state[METADATA_RUNTIME] == METADATA_WAITING);
	cr_expect(container->state[METADATA_KUBERNETES] == METADATA_NONE);
	source(&fixture, METADATA_KUBERNETES, true);
	cr_expect(container->state[METADATA_KUBERNETES] == METADATA_NONE, "in no pod");
	source(&fixture, METADATA_RUNTIME, false);
	cr_expect(container->state[METADATA_RUNTIME] == METADATA_NONE);
	source(&fixture, METADATA_RUNTIME, true);
	cr_expect(unknown(&fixture, A64));
	cr_expect(container->state[METADATA_RUNTIME] == METADATA_NOT_FOUND);
	source(&fixture, METADATA_RUNTIME, false);
	source(&fixture, METADATA_RUNTIME, true);
	cr_expect(container->state[METADATA_RUNTIME] == METADATA_WAITING, "another may know it");
	question = take_question(&fixture);
	cr_expect_str_eq(question.full_id, A64);
	answer.info = container_info_new();
	answer.info->is_partial = true;
	answer.info->pod_uid = STR(POD);
	cr_expect(container_table_answer(fixture.table, &answer) && !answer.info);
	cr_expect(container->info && container->state[METADATA_RUNTIME] == METADATA_WAITING);
	cr_expect_str_eq(container->pod_uid, POD);
	cr_expect(container->state[METADATA_KUBERNETES] == METADATA_WAITING);
	cr_expect(unknown(&fixture, A64), "there is no more");
	cr_expect(container->state[METADATA_RUNTIME] == METADATA_KNOWN);
	answer = (struct metadata_answer){ .type = ANSWER_POD, .pod = pod_info_new() };
	answer.pod->uid = STR(POD);
	cr_expect(container_table_answer(fixture.table, &answer));
	cr_expect(container->state[METADATA_KUBERNETES] == METADATA_KNOWN);
	pod_info_unref(answer.pod);
	fixture_done(&fixture);
}

/* A pod that its source does not know is waited for for ten seconds, of its start or of that of the
 * source, whichever is later. */
Test(container_table, pods_that_nobody_tells_of)
{
	const struct container_table_config config = replay_config();
	struct metadata_answer answer = { .type = ANSWER_POD };
	const struct container *container;
	struct fixture fixture;
	uint64_t start_ns;

	fixture_init(&fixture, &config);
	start(&fixture, 5, "/kubepods/pod" POD "/" A64);
	container = container_table_find(fixture.table, STR(A64));
	cr_assert(container);
	start_ns = container->first_ns + 60 * NS_PER_SEC;
	container_table_collect(fixture.table, start_ns);
	source(&fixture, METADATA_KUBERNETES, true);
	container_table_collect(fixture.table, start_ns);
	container_table_collect(fixture.table, start_ns + 9 * NS_PER_SEC);
	cr_expect(container->state[METADATA_KUBERNETES] == METADATA_WAITING, "of the source");
	container_table_collect(fixture.table, start_ns + 10 * NS_PER_SEC);
	cr_expect(container->state[METADATA_KUBERNETES] == METADATA_NOT_FOUND);
	source(&fixture, METADATA_KUBERNETES, false);
	cr_expect(container->state[METADATA_KUBERNETES] == METADATA_NONE);
	container_table_collect(fixture.table, start_ns + 11 * NS_PER_SEC);
	source(&fixture, METADATA_KUBERNETES, true);
	container_table_collect(fixture.table, start_ns + 20 * NS_PER_SEC);
	cr_expect(container->state[METADATA_KUBERNETES] == METADATA_WAITING, "a new source");
	container_table_collect(fixture.table, start_ns + 30 * NS_PER_SEC);
	cr_expect(container->state[METADATA_KUBERNETES] == METADATA_NOT_FOUND);
	answer.pod = pod_info_new();
	answer.pod->uid = STR(POD);
	(void)container_table_answer(fixture.table, &answer);
	cr_expect(container->state[METADATA_KUBERNETES] == METADATA_KNOWN, "told after all");
	pod_info_unref(answer.pod);
	fixture_done(&fixture);
}

Test(container_table, leaves_after_its_grace)
{
	const struct container_table_config config = replay_config();
	const struct cgroup_step removed = { CG_RMDIR, 2, 1, "host", 5, .path = "/docker/" A64 };
	struct container *held;
	struct metadata_question question;
	struct fixture fixture;
	uint64_t gone;

	fixture_init(&fixture, &config);
	start(&fixture, 5, "/docker/" A64);
	take_question(&fixture);
	held = container_ref(event_in(&fixture, 20, 5));
	run(&fixture, &(struct cgroup_step){ CG_EXIT, 20, 5 });
	run(&fixture, &removed);
	gone = fixture.now;
	cr_expect(held->is_gone);
	proc_table_collect(fixture.procs, gone + 60 * NS_PER_SEC);
	container_table_collect(fixture.table, gone + config.grace_ns - 1);
	cr_expect(event_in(&fixture, 21, 5) == held, "late events");
	run(&fixture, &(struct cgroup_step){ CG_EXIT, 21, 5 });
	proc_table_collect(fixture.procs, gone + 120 * NS_PER_SEC);
	container_table_collect(fixture.table, gone + config.grace_ns);
	cr_expect(container_table_find(fixture.table, STR(A64)) == held, "held");
	container_unref(fixture.table, held);
	container_table_collect(fixture.table, gone + config.grace_ns + 1);
	question = take_question(&fixture);
	cr_expect(question.type == QUESTION_FORGET);
	cr_expect_str_eq(question.full_id, A64);
	cr_expect(!container_table_find(fixture.table, STR(A64)));
	/* The same name again is another container. */
	start(&fixture, 6, "/docker/" A64);
	cr_expect(take_question(&fixture).type == QUESTION_CONTAINER);
	fixture_done(&fixture);
}

Test(container_table, started_again_is_asked_again)
{
	const struct container_table_config config = replay_config();
	const struct cgroup_step removed = { CG_RMDIR, 2, 1, "host", 5, .path = "/docker/" A64 };
	const struct container *container;
	struct fixture fixture;

	fixture_init(&fixture, &config);
	start(&fixture, 5, "/docker/" A64);
	take_question(&fixture);
	container = container_table_find(fixture.table, STR(A64));
	run(&fixture, &removed);
	cr_expect(container->is_gone);
	start(&fixture, 6, "/docker/" A64);
	cr_expect(!container->is_gone);
	cr_expect(take_question(&fixture).type == QUESTION_CONTAINER);
	container_table_collect(fixture.table, fixture.now + 10 * config.grace_ns);
	cr_expect(event_in(&fixture, 20, 6) == container);
	fixture_done(&fixture);
}

/* Nobody can make the table forget others: what finds no room is counted and unknown. */
Test(container_table, bounds)
{
	struct container_table_config config = replay_config();
	struct container_table_stats stats;
	struct metadata_question question;
	struct fixture fixture;
	unsigned questions = 0;
	char path[128];

	config.max_cgroups = 400;
	config.max_containers = 100;
	fixture_init(&fixture, &config);
	start(&fixture, 5, "/docker/" A64);
	event_in(&fixture, 20, 5);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/docker/%064x", i);
		run(&fixture, &(struct cgroup_step){ CG_MKDIR, 20, 5, A, 1000 + i, 1, path });
	}
	container_table_stats(fixture.table, &stats);
	cr_expect(stats.cgroups <= 2 + config.max_cgroups / 2, "%llu",
		  (unsigned long long)stats.cgroups);
	cr_expect(stats.inherited == 1000 && stats.refused >= 800);
	cr_expect(stats.containers < 80, "names given inside have a bound of their own");
	while (container_table_question(fixture.table, &question)) {
		container_table_asked(fixture.table, &question);
		questions += question.is_inner;
	}
	cr_expect(questions == stats.containers - 1);
	/* In a cgroup that found no room it stays what it is. */
	cr_expect_str_eq(event_in(&fixture, 20, 1999)->id, A);
	start(&fixture, 6, "/docker/" B64);
	cr_expect_str_eq(event_in(&fixture, 21, 6)->id, B);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "/docker/f%063x", i);
		start(&fixture, 5000 + i, path);
	}
	container_table_stats(fixture.table, &stats);
	cr_expect(stats.containers == 100 && stats.cgroups <= 400);
	cr_expect(!event_in(&fixture, 22, 5199));
	fixture_done(&fixture);
}

/* ---- anything in any order ---- */

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL; /* Knuth's MMIX */
	return (uint32_t)(*state >> 33);
}

static void random_answer(struct fixture *fixture, uint64_t *state)
{
	struct metadata_answer answer = { .type = next_random(state) % 7,
					  .source = next_random(state) % METADATA_SOURCE__COUNT,
					  .is_healthy = next_random(state) % 3 > 0 };

	snprintf(answer.full_id, sizeof(answer.full_id), "%064x", next_random(state) % 8);
	if (answer.type == ANSWER_CONTAINER)
		answer.info = container_info_new();
	container_table_answer(fixture->table, &answer);
	container_info_unref(answer.info);
}

static void random_step(struct fixture *fixture, uint64_t *state)
{
	static const char *const folders[] = { "docker", ("kubepods/pod" POD), "x" };
	enum cgroup_kind kind = CG_EVENT + next_random(state) % (CG_MOVED - CG_EVENT + 1);
	struct metadata_question question;
	char path[128];

	snprintf(path, sizeof(path), "/%s/%064x%s", folders[next_random(state) % 3],
		 next_random(state) % 8, next_random(state) % 4 ? "" : "/sub");
	run(fixture,
	    &(struct cgroup_step){ kind, 2 + next_random(state) % 12, 1 + next_random(state) % 24,
				   NULL, 2 + next_random(state) % 24, 1 + next_random(state) % 24,
				   path, 2 + next_random(state) % 12 });
	if (next_random(state) % 4 == 0)
		random_answer(fixture, state);
	if (next_random(state) % 4 == 0 && container_table_question(fixture->table, &question))
		container_table_asked(fixture->table, &question);
	if (next_random(state) % 64 == 0)
		fixture->now += 20 * NS_PER_SEC;
	proc_table_collect(fixture->procs, fixture->now);
	container_table_collect(fixture->table, fixture->now);
}

/* Whatever came: when all processes and cgroups have gone, nothing is left. */
Test(container_table, nothing_leaks)
{
	struct container_table_config config = replay_config();
	struct container_table_stats stats;
	struct fixture fixture;
	uint64_t state = 1;

	config.max_cgroups = 20;
	config.max_containers = 6;
	for (unsigned i = 0; i < 60; i++) {
		fixture_init(&fixture, &config);
		fixture.now = clock_boot_ns();
		for (unsigned n = 0; n < 500; n++)
			random_step(&fixture, &state);
		for (uint32_t pid = 2; pid < 16; pid++)
			run(&fixture, &(struct cgroup_step){ CG_EXIT, pid, 1 });
		for (uint64_t id = 1; id < 30; id++)
			run(&fixture, &(struct cgroup_step){ CG_RMDIR, 99, 1, .id = id });
		/* Parents go after their children, containers after those inside. */
		for (unsigned n = 1; n <= 12; n++) {
			proc_table_collect(fixture.procs, fixture.now + n * 100 * NS_PER_SEC);
			container_table_collect(fixture.table, fixture.now + n * 100 * NS_PER_SEC);
		}
		container_table_stats(fixture.table, &stats);
		cr_expect(stats.cgroups == 0 && stats.containers == 0, "%u: %llu, %llu", i,
			  (unsigned long long)stats.cgroups, (unsigned long long)stats.containers);
		cr_expect(fixture.table->inherited_cnt == 0 && fixture.table->unconfirmed_cnt == 0);
		fixture_done(&fixture);
	}
}

Test(container_table, names_of_ctr_where_a_bundle_is)
{
	struct container_table_config config;
	static const char *const roots[] = { "/state/task" };
	char folder[] = "/tmp/haetae-bundles-XXXXXX", path[256];
	struct fixture fixture;
	FILE *file;

	skip_without_openat2();
	cr_assert(mkdtemp(folder));
	static const char *const parts[] = { "state", "state/task", "state/task/ns1",
					     "state/task/ns1/web" };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, parts[i]);
		cr_assert_eq(mkdir(path, 0700), 0);
	}
	snprintf(path, sizeof(path), "%s/state/task/ns1/web/config.json", folder);
	file = fopen(path, "w");
	cr_assert(file);
	fclose(file);
	container_table_config_default(&config);
	config.host_root = folder;
	config.bundle_roots = roots;
	config.bundle_root_cnt = 1;
	fixture_init(&fixture, &config);
	/* There is no hierarchy below that root to be walked. */
	cr_assert(cgroup_node_put(fixture.table, cgroup_node_key(1, 0), &container_host, false));
	start(&fixture, 4, "/ns1");
	run(&fixture, &(struct cgroup_step){ CG_MKDIR, 2, 1, "host", 5, 4, "/ns1/web" });
	run(&fixture, &(struct cgroup_step){ CG_MKDIR, 2, 1, "host", 6, 5, "/ns1/web/sub" });
	start(&fixture, 7, "/ns2/web");
	cr_expect_str_eq(event_in(&fixture, 20, 5)->id, "web");
	cr_expect_str_eq(event_in(&fixture, 21, 6)->runtime_namespace, "ns1");
	cr_expect_eq(event_in(&fixture, 22, 7), &container_host);
	cr_expect_str_eq(take_question(&fixture).runtime_namespace, "ns1");
	fixture_done(&fixture);
	cr_assert_eq(unlink(path), 0);
	for (size_t i = ARRAY_LEN(parts); i--;) {
		snprintf(path, sizeof(path), "%s/%s", folder, parts[i]);
		cr_assert_eq(rmdir(path), 0);
	}
	cr_assert_eq(rmdir(folder), 0);
}
