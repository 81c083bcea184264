/*
 * The live tests' stage: actor, probes, accounts, comparisons. See live.h.
 */
#include "live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "haetae/clock.h"

#define EVENTS_MAX    100000
#define ACTOR_SECONDS 120 /* an emulated kernel on a busy machine is slow */
#define ACTOR_FAILED  98
/* The first argument of a marking getppid. */
#define MARK 0x6861657461650000ULL

struct live_failure {
	char text[256];
};

/* Of the actor and its children. */
static struct live_failure *actor_failure;

/* ---- actor ------------------------------------------------------------------------------------
 */

void live_require(void)
{
	if (geteuid() == 0 && access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		return;
	fprintf(stderr, "skipped: needs root and /sys/kernel/btf/vmlinux\n");
	cr_skip_test("needs root and /sys/kernel/btf/vmlinux");
}

void live_require_uring(void)
{
	struct probes_feature features[PROBES_FEATURE_MAX];
	unsigned cnt = probes_check_host(features);

	for (unsigned i = 0; i < cnt; i++) {
		if (strcmp(features[i].name, "io_uring") != 0 ||
		    features[i].state == FEATURE_PRESENT)
			continue;
		fprintf(stderr, "skipped: %s\n", features[i].detail);
		cr_skip_test("%s", features[i].detail);
	}
}

_Noreturn void live_actor_fail(const char *file, int line, const char *what)
{
	const char *name = strrchr(file, '/');

	snprintf(actor_failure->text, sizeof(actor_failure->text), "%s:%d: %s (errno: %s)",
		 name ? name + 1 : file, line, what, strerror(errno));
	_exit(ACTOR_FAILED);
}

int live_wait(pid_t pid)
{
	int status;

	ACTOR_CHECK(pid > 0);
	ACTOR_CHECK(waitpid(pid, &status, 0) == pid);
	if (*actor_failure->text)
		_exit(ACTOR_FAILED);
	return status;
}

void live_mark(uint64_t number)
{
	syscall(SYS_getppid, MARK, number);
}

/* Prepares, waits for a byte, acts, and ends; a stuck actor is ended by its own alarm. */
static _Noreturn void run_actor(const struct live *live, const struct live_options *options,
				live_actor_fn fn, int ready_fd, int go_fd)
{
	char byte = 0;

	alarm(ACTOR_SECONDS);
	actor_failure = live->failure;
	ACTOR_CHECK(chdir(live->directory) == 0);
	if (options->prepare)
		options->prepare(live->shared);
	ACTOR_CHECK(write(ready_fd, &byte, 1) == 1);
	close(ready_fd);
	if (read(go_fd, &byte, 1) == 1) {
		close(go_fd);
		fn(live->shared);
	}
	_exit(0);
}

/* *ret_go: writing to it lets the actor act. */
static void start_actor(struct live *live, const struct live_options *options, live_actor_fn fn,
			int *ret_go)
{
	int ready[2], go[2];
	char byte;

	cr_assert(pipe2(ready, O_CLOEXEC) == 0);
	cr_assert(pipe2(go, O_CLOEXEC) == 0);
	live->actor = fork();
	cr_assert(live->actor >= 0);
	if (live->actor == 0) {
		close(ready[0]);
		close(go[1]);
		run_actor(live, options, fn, ready[1], go[0]);
	}
	close(ready[1]);
	close(go[0]);
	cr_assert(read(ready[0], &byte, 1) == 1, "the actor: %s", live->failure->text);
	close(ready[0]);
	*ret_go = go[1];
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

/* A decoded copy in the arena; NULL: it can't be decoded. */
static struct event *copy_record(struct live *live, const void *record, uint32_t length)
{
	void *copy = arena_alloc(&live->arena, length);
	struct event *event = arena_new(&live->arena, struct event);

	cr_assert(copy && event, "no memory for records");
	memcpy(copy, record, length);
	event->scratch = &live->arena;
	if (event_decode(event, copy, length) != 0) {
		live->undecodable++;
		return NULL;
	}
	return event;
}

static void append(struct event ***events, uint32_t *cnt, uint32_t *cap, struct event *event)
{
	if (*cnt == *cap) {
		*cap = *cap ? *cap * 2 : 256;
		*events = realloc(*events, *cap * sizeof(**events));
		cr_assert(*events != NULL);
	}
	(*events)[(*cnt)++] = event;
}

static void note_sequence(struct live *live, const struct wire_header *header)
{
	unsigned is_bulk = header->ring != 0;

	if (header->cpu >= 64)
		return;
	if (header->ring == WIRE_RING_NONE)
		return;
	if (header->sequence > live->max_sequence[is_bulk][header->cpu])
		live->max_sequence[is_bulk][header->cpu] = header->sequence;
	live->seen[is_bulk][header->cpu]++;
}

static void keep(const void *record, uint32_t length, void *data)
{
	struct live *live = data;
	struct event *event;

	cr_assert(live->event_cnt < EVENTS_MAX, "more events than a test may make");
	event = copy_record(live, record, length);
	if (!event)
		return;
	live->delivered[event->schema->type]++;
	note_sequence(live, event->header);
	append(&live->events, &live->event_cnt, &live->event_cap, event);
}

static void keep_seed(const void *record, uint32_t length, void *data)
{
	struct live *live = data;
	struct event *event = copy_record(live, record, length);

	if (event)
		append(&live->seeds, &live->seed_cnt, &live->seed_cap, event);
}

void live_want(const char *const *names, struct probes_want *ret)
{
	struct event_set set = { 0 };

	event_set_add(&set, EVENT_CODE_SYSCALL + SYS_getppid);
	for (; names && *names; names++) {
		int code = event_code_find(str_from(*names));

		cr_assert(code >= 0, "no event %s", *names);
		event_set_add(&set, (unsigned)code);
	}
	memset(ret, 0, sizeof(*ret));
	event_set_syscalls(&set, ret->type_of_syscall, ret->is_evaluated);
}

uint64_t live_drain(struct live *live, struct probes *probes, uint64_t max_records)
{
	return probes_drain(probes, keep, live, max_records);
}

static void wait_for_actor(struct live *live, struct probes *probes, bool is_unread)
{
	uint64_t end_ns = clock_boot_ns() + 2 * ACTOR_SECONDS * NS_PER_SEC;

	while (clock_boot_ns() < end_ns) {
		struct pollfd fd = { .fd = probes_poll_fd(probes), .events = POLLIN };
		int status;

		if (waitpid(live->actor, &status, WNOHANG) == live->actor) {
			cr_expect(status == 0, "the actor ended with 0x%x: %s", status,
				  live->failure->text);
			return;
		}
		if (is_unread) {
			usleep(5000);
			continue;
		}
		poll(&fd, 1, 5);
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

/* Above half of the lifecycle ring privilege events go into the other one. */
static bool is_in_its_ring(const struct wire_header *header)
{
	const struct event_schema *schema = event_schema_get(header->type);

	if (header->ring == 0)
		return schema->flags & EVENT_LIFECYCLE;
	return !(schema->flags & EVENT_LIFECYCLE) || schema->class == CLASS_PRIVILEGE;
}

/* Sequence numbers count from 1 for each CPU, for the lifecycle ring and for the bulk rings apart:
 * what is missing among them was lost for a reason that has a counter. */
static void check_sequences(const struct live *live)
{
	uint64_t lost = 0, missing = 0;

	for (unsigned type = 0; type < EVENT__COUNT; type++)
		lost += live->counters.types[type].lost[WIRE_LOST_RING_FULL] +
			live->counters.types[type].lost[WIRE_LOST_RECORD_SIZE] +
			live->counters.types[type].lost[WIRE_LOST_SHARE];
	for (unsigned bulk = 0; bulk < 2; bulk++)
		for (unsigned cpu = 0; cpu < ARRAY_LEN(live->seen[bulk]); cpu++)
			missing += live->max_sequence[bulk][cpu] - live->seen[bulk][cpu];
	/* What was lost behind the last that arrived leaves no gap. */
	cr_expect(missing <= lost, "%llu numbers are missing, %llu records were lost",
		  (unsigned long long)missing, (unsigned long long)lost);
	for (uint32_t i = 0; i < live->event_cnt; i++) {
		const struct wire_header *header = live->events[i]->header;

		cr_expect(header->length % 8 == 0 && header->reserved == 0, "event %u: head", i);
		cr_expect(is_in_its_ring(header), "event %u: ring %u", i, header->ring);
	}
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

static void *share(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert(memory != MAP_FAILED);
	return memory;
}

static void live_init(struct live *live, const struct live_options *options)
{
	*live = (struct live){ 0 };
	arena_init(&live->arena, 1u << 30);
	live->shared_bytes = options->shared_bytes ? options->shared_bytes : LIVE_SHARED_BYTES;
	live->shared = share(live->shared_bytes);
	live->failure = share(sizeof(*live->failure));
	strcpy(live->directory, "/tmp/haetae-live-XXXXXX");
	cr_assert(mkdtemp(live->directory) != NULL);
	cr_assert(chmod(live->directory, 0755) == 0); /* for actors that change their user */
}

static void make_config(const struct live *live, const struct live_options *options,
			struct probes_config *config)
{
	probes_config_default(config);
	if (options->ring_bytes)
		config->ring_bytes = options->ring_bytes;
	if (options->lifecycle_ring_bytes)
		config->lifecycle_ring_bytes = options->lifecycle_ring_bytes;
	config->want_env = options->want_env;
	config->want_path_swapped = options->want_path_swapped;
	config->scope_cgroup = options->scope_cgroup;
	if (!options->scope_cgroup)
		config->scope_pid =
			(uint32_t)(options->is_not_self_scoped ? getpid() : live->actor);
}

static struct probes *load(struct live *live, const struct live_options *options)
{
	struct probes_config config;
	struct probes_want want = { 0 };
	struct probes_error error = { 0 };
	struct probes *probes = NULL;
	int r;

	make_config(live, options, &config);
	live_want(options->syscalls, &want);
	r = probes_open(&config, &want, &probes, &error);
	cr_assert(r == 0, "open: %d %s; %s", r, error.what, error.fix);
	r = probes_attach(probes, &error);
	cr_assert(r == 0, "attach: %d %s; %s", r, error.what, error.fix);
	r = probes_seed(probes, keep_seed, live, &error);
	cr_assert(r == 0, "seed: %d %s; %s", r, error.what, error.fix);
	return probes;
}

void live_run(struct live *live, const struct live_options *options, live_actor_fn actor)
{
	unsigned descriptors = count_descriptors();
	struct probes *probes;
	int go_fd;

	live_require();
	live_init(live, options);
	start_actor(live, options, actor, &go_fd);
	probes = load(live, options);
	if (options->ready)
		options->ready(live, probes);
	cr_assert(write(go_fd, "x", 1) == 1);
	close(go_fd);
	wait_for_actor(live, probes, options->is_unread);
	probes_detach(probes);
	while (probes_drain(probes, keep, live, 0) > 0)
		;
	cr_assert(probes_read_counters(probes, &live->counters) == 0);
	if (options->finished)
		options->finished(live, probes);
	probes_free(probes);
	check_accounts(live);
	check_sequences(live);
	cr_expect(count_descriptors() == descriptors, "descriptors: %u before, %u after",
		  descriptors, count_descriptors());
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
	(void)info;
	(void)kind;
	(void)at;
	return remove(path);
}

void live_done(struct live *live)
{
	munmap(live->shared, live->shared_bytes);
	munmap(live->failure, sizeof(*live->failure));
	free(live->events);
	free(live->seeds);
	arena_done(&live->arena);
	(void)nftw(live->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* ---- finding events ---------------------------------------------------------------------------
 */

static bool is_mark(const struct event *event, uint64_t *ret)
{
	uint64_t mark;

	return event->code == EVENT_CODE_SYSCALL + SYS_getppid &&
	       event_number(event, PARAM_GENERIC_a0, &mark) && mark == MARK &&
	       event_number(event, PARAM_GENERIC_a1, ret);
}

/* Walks what belongs to a mark: the first of `code`, and their number. */
static const struct event *find_marked(const struct live *live, uint64_t number, unsigned code,
				       unsigned *ret_cnt)
{
	const struct event *first = NULL;
	bool is_inside = false;

	*ret_cnt = 0;
	for (uint32_t i = 0; i < live->event_cnt; i++) {
		const struct event *event = live->events[i];
		uint64_t mark;

		if (is_mark(event, &mark)) {
			is_inside = mark == number;
		} else if (is_inside && (code == EVENT_CODE_NEVER || event->code == code)) {
			if (!first)
				first = event;
			++*ret_cnt;
		}
	}
	return first;
}

const struct event *live_marked(const struct live *live, uint64_t number, unsigned code)
{
	unsigned cnt;

	return find_marked(live, number, code, &cnt);
}

unsigned live_count_marked(const struct live *live, uint64_t number, unsigned code)
{
	unsigned cnt;

	(void)find_marked(live, number, code, &cnt);
	return cnt;
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
