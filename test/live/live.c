/*
 * The live tests' stage: actor, probes, accounts, comparisons. See live.h.
 */
#include "live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "haetae/clock.h"

#define EVENTS_MAX    100000
#define ACTOR_SECONDS 20

/* ---- facts ---------------------------------------------------------------------------------- */

static uint32_t read_namespace(const char *name)
{
	char path[64], text[64] = "";
	uint32_t number = 0;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	if (readlink(path, text, sizeof(text) - 1) > 0 && strchr(text, '['))
		sscanf(strchr(text, '['), "[%u]", &number);
	return number;
}

static void read_stat(struct facts *facts)
{
	char text[2048] = "";
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	unsigned long long start = 0;
	int tty = 0;

	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0 && strrchr(text, ')'))
		sscanf(strrchr(text, ')') + 2,
		       "%*c %*d %*d %*d %d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		       "%llu",
		       &tty, &start);
	close(fd);
	facts->tty = (uint32_t)tty;
	facts->start_ticks = start;
}

static void read_capabilities(struct facts *facts)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { 0 };

	syscall(SYS_capget, &header, sets);
	facts->cap_effective = sets[0].effective | (uint64_t)sets[1].effective << 32;
	facts->cap_permitted = sets[0].permitted | (uint64_t)sets[1].permitted << 32;
	facts->cap_inheritable = sets[0].inheritable | (uint64_t)sets[1].inheritable << 32;
}

void facts_read(struct facts *ret)
{
	char login[16] = "";
	int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);

	*ret = (struct facts){
		.pid = (uint32_t)getpid(),
		.tid = (uint32_t)syscall(SYS_gettid),
		.parent_pid = (uint32_t)getppid(),
		.session_id = (uint32_t)getsid(0),
		.group_id = (uint32_t)getpgid(0),
		.uid = getuid(),
		.euid = geteuid(),
		.gid = getgid(),
		.egid = getegid(),
		.loginuid = UINT32_MAX,
		.pid_ns = read_namespace("pid"),
		.mnt_ns = read_namespace("mnt"),
		.user_ns = read_namespace("user"),
	};
	if (fd >= 0 && read(fd, login, sizeof(login) - 1) > 0)
		ret->loginuid = (uint32_t)strtoul(login, NULL, 10);
	if (fd >= 0)
		close(fd);
	read_stat(ret);
	read_capabilities(ret);
	fd = open("/proc/thread-self/comm", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t n = read(fd, ret->comm, sizeof(ret->comm));

		ret->comm[n > 0 ? n - 1 : 0] = '\0';
		close(fd);
	}
}

/* ---- actor ------------------------------------------------------------------------------------
 */

void live_require(void)
{
	if (geteuid() == 0 && access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		return;
	fprintf(stderr, "skipped: needs root and /sys/kernel/btf/vmlinux\n");
	cr_skip_test("needs root and /sys/kernel/btf/vmlinux");
}

/* The actor waits for a byte, acts, and ends; a stuck one is ended by its own alarm. */
static pid_t start_actor(live_actor_fn fn, void *shared, int gate[2])
{
	pid_t pid;

	cr_assert(pipe2(gate, O_CLOEXEC) == 0);
	pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0) {
		char byte;

		alarm(ACTOR_SECONDS);
		close(gate[1]);
		if (read(gate[0], &byte, 1) == 1)
			fn(shared);
		_exit(0);
	}
	close(gate[0]);
	return pid;
}

static unsigned count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned cnt = 0;

	while (dir && readdir(dir))
		cnt++;
	if (dir)
		closedir(dir);
	return cnt;
}

/* ---- records ------------------------------------------------------------------------------------
 */

static void note_sequence(struct live *live, const struct wire_header *header)
{
	unsigned is_bulk = header->ring != 0;

	if (header->cpu >= 64)
		return;
	if (header->sequence > live->max_sequence[is_bulk][header->cpu])
		live->max_sequence[is_bulk][header->cpu] = header->sequence;
	live->seen[is_bulk][header->cpu]++;
}

static void keep(const void *record, uint32_t length, void *data)
{
	struct live *live = data;
	void *copy = arena_alloc(&live->arena, length);
	struct event *event = arena_new(&live->arena, struct event);

	if (!copy || !event || live->event_cnt == EVENTS_MAX)
		return;
	memcpy(copy, record, length);
	event->scratch = &live->arena;
	if (event_decode(event, copy, length) != 0) {
		live->undecodable++;
		return;
	}
	live->delivered[event->schema->type]++;
	note_sequence(live, event->header);
	if (live->event_cnt == live->event_cap) {
		live->event_cap = live->event_cap ? live->event_cap * 2 : 256;
		live->events = realloc(live->events, live->event_cap * sizeof(*live->events));
		cr_assert(live->events != NULL);
	}
	live->events[live->event_cnt++] = event;
}

static void ignore(const void *record, uint32_t length, void *data)
{
	(void)record;
	(void)length;
	(void)data;
}

static void make_want(const char *const *names, struct probes_want *want)
{
	struct event_set set = { 0 };

	for (; names && *names; names++) {
		int code = event_code_find(str_from(*names));

		cr_assert(code >= 0, "no event %s", *names);
		event_set_add(&set, (unsigned)code);
	}
	event_set_syscalls(&set, want->type_of_syscall, want->is_evaluated);
}

static void wait_for_actor(struct live *live, struct probes *probes, bool is_unread)
{
	uint64_t end_ns = clock_boot_ns() + ACTOR_SECONDS * NS_PER_SEC;

	while (clock_boot_ns() < end_ns) {
		struct pollfd fd = { .fd = probes_poll_fd(probes), .events = POLLIN };

		if (waitpid(live->actor, NULL, WNOHANG) == live->actor)
			return;
		poll(&fd, 1, 5);
		if (!is_unread)
			probes_drain(probes, keep, live, 0);
	}
	cr_assert_fail("the actor did not end");
}

static uint64_t sum(const __u64 *values, unsigned cnt)
{
	uint64_t total = 0;

	while (cnt-- > 0)
		total += values[cnt];
	return total;
}

/* generated = submitted + filtered + lost, submitted = delivered, for every type. */
static void check_accounts(const struct live *live)
{
	cr_expect(live->undecodable == 0, "%u records could not be decoded", live->undecodable);
	cr_expect(live->counters.malformed == 0, "malformed entries");
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		const struct wire_counters *one = &live->counters.types[type];
		const char *name = event_schema_get(type)->name;

		cr_expect(
			one->generated == one->submitted + sum(one->filtered, WIRE_FILTER__COUNT) +
						  sum(one->lost, WIRE_LOST__COUNT),
			"%s: generated %llu, submitted %llu", name, one->generated, one->submitted);
		cr_expect(one->submitted == live->delivered[type],
			  "%s: submitted %llu, delivered %llu", name, one->submitted,
			  (unsigned long long)live->delivered[type]);
	}
}

void live_run(struct live *live, const struct live_options *options, live_actor_fn actor)
{
	unsigned descriptors = count_descriptors();
	struct probes_config config;
	struct probes_want want = { 0 };
	struct probes_error error = { 0 };
	struct probes *probes = NULL;
	int gate[2], r;

	live_require();
	*live = (struct live){ 0 };
	arena_init(&live->arena, 512u << 20);
	live->shared = mmap(NULL, LIVE_SHARED_BYTES, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert(live->shared != MAP_FAILED);
	live->actor = start_actor(actor, live->shared, gate);

	probes_config_default(&config);
	if (options->ring_bytes)
		config.ring_bytes = options->ring_bytes;
	if (options->lifecycle_ring_bytes)
		config.lifecycle_ring_bytes = options->lifecycle_ring_bytes;
	config.want_env = options->want_env;
	config.scope_cgroup = options->scope_cgroup;
	if (!options->scope_cgroup)
		config.scope_pid = (uint32_t)(options->is_not_self_scoped ? getpid() : live->actor);
	make_want(options->syscalls, &want);
	r = probes_open(&config, &want, &probes, &error);
	cr_assert(r == 0, "open: %d %s; %s", r, error.what, error.fix);
	r = probes_attach(probes, &error);
	cr_assert(r == 0, "attach: %d %s; %s", r, error.what, error.fix);
	r = probes_seed(probes, ignore, NULL, &error);
	cr_assert(r == 0, "seed: %d %s; %s", r, error.what, error.fix);
	cr_assert(write(gate[1], "x", 1) == 1);
	close(gate[1]);
	wait_for_actor(live, probes, options->is_unread);
	probes_detach(probes);
	while (probes_drain(probes, keep, live, 0) > 0)
		;
	cr_assert(probes_read_counters(probes, &live->counters) == 0);
	probes_free(probes);
	check_accounts(live);
	cr_expect(count_descriptors() == descriptors, "descriptors: %u before, %u after",
		  descriptors, count_descriptors());
}

void live_done(struct live *live)
{
	munmap(live->shared, LIVE_SHARED_BYTES);
	free(live->events);
	arena_done(&live->arena);
}

unsigned live_count(const struct live *live, unsigned code)
{
	unsigned cnt = 0;

	for (uint32_t i = 0; i < live->event_cnt; i++)
		cnt += live->events[i]->code == code;
	return cnt;
}

const struct event *live_find(const struct live *live, unsigned code, unsigned n)
{
	for (uint32_t i = 0; i < live->event_cnt; i++)
		if (live->events[i]->code == code && n-- == 0)
			return live->events[i];
	return NULL;
}

/* ---- comparisons
 * ---------------------------------------------------------------------------------- */

static const char *param_name(const struct event *event, unsigned param)
{
	return event->schema->params[param].name;
}

void expect_number(const struct event *event, unsigned param, int64_t want, const char *what)
{
	uint64_t value = 0;
	bool is_there = event_number(event, param, &value);

	cr_expect(is_there && (int64_t)value == want, "%s: %s is %s%lld, want %lld", what,
		  param_name(event, param), is_there ? "" : "absent, ", (long long)value,
		  (long long)want);
}

void expect_string(const struct event *event, unsigned param, const char *want, const char *what)
{
	struct str value = event_string(event, param);

	cr_expect(value.p && str_eq_text(value, want), "%s: %s is '%.*s', want '%s'", what,
		  param_name(event, param), STR_ARG(value), want);
}

void expect_kpath(const struct event *event, unsigned param, const char *want, const char *what)
{
	struct str value = event_kpath(event, param, -1, false);

	cr_expect(value.p && str_eq_text(value, want), "%s: %s is '%.*s', want '%s'", what,
		  param_name(event, param), STR_ARG(value), want);
}

void expect_absent(const struct event *event, unsigned param, const char *what)
{
	cr_expect(event->params[param].p == NULL, "%s: %s should be absent", what,
		  param_name(event, param));
}

static void expect_member(const char *what, const char *member, uint64_t value, uint64_t want)
{
	cr_expect(value == want, "%s: header %s is %llu, want %llu", what, member,
		  (unsigned long long)value, (unsigned long long)want);
}

void expect_header(const struct event *event, const struct facts *facts, int64_t result,
		   const char *what)
{
	const struct wire_header *header = event->header;
	uint64_t now_ns = clock_boot_ns();
	const struct {
		const char *name;
		uint64_t value, want;
	} members[] = {
		{ "pid", header->pid, facts->pid },
		{ "tid", header->tid, facts->tid },
		{ "parent_pid", header->parent_pid, facts->parent_pid },
		{ "session_id", header->session_id, facts->session_id },
		{ "group_id", header->group_id, facts->group_id },
		{ "ns_pid", header->ns_pid, facts->pid },
		{ "ns_tid", header->ns_tid, facts->tid },
		{ "ns_parent_pid", header->ns_parent_pid, facts->parent_pid },
		{ "ns_session_id", header->ns_session_id, facts->session_id },
		{ "ns_group_id", header->ns_group_id, facts->group_id },
		{ "uid", header->uid, facts->uid },
		{ "euid", header->euid, facts->euid },
		{ "gid", header->gid, facts->gid },
		{ "egid", header->egid, facts->egid },
		{ "loginuid", header->loginuid, facts->loginuid },
		{ "tty", header->tty, facts->tty },
		{ "pid_ns", header->pid_ns, facts->pid_ns },
		{ "mnt_ns", header->mnt_ns, facts->mnt_ns },
		{ "user_ns", header->user_ns, facts->user_ns },
		{ "cap_effective", header->cap_effective, facts->cap_effective },
		{ "cap_permitted", header->cap_permitted, facts->cap_permitted },
		{ "cap_inheritable", header->cap_inheritable, facts->cap_inheritable },
		/* /proc counts ticks of 10 ms (USER_HZ 100). */
		{ "start", header->start_ns / (NS_PER_SEC / 100), facts->start_ticks },
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		expect_member(what, members[i].name, members[i].value, members[i].want);
	cr_expect(header->result == result, "%s: result %lld, want %lld", what, header->result,
		  (long long)result);
	cr_expect(strncmp(header->comm, facts->comm, WIRE_COMM_LEN) == 0,
		  "%s: comm '%.16s', want '%s'", what, header->comm, facts->comm);
	cr_expect(header->time_ns <= now_ns && header->time_ns + 60 * NS_PER_SEC > now_ns,
		  "%s: time %llu, now %llu", what, header->time_ns, (unsigned long long)now_ns);
	cr_expect(header->parent_start_ns > 0 && header->parent_start_ns <= header->start_ns,
		  "%s: parent_start", what);
	cr_expect(header->sequence > 0 && header->cgroup_id > 0, "%s: sequence and cgroup", what);
}
