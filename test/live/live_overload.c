/*
 * Every kind of loss, made on purpose, and the accounts that add up to the last event (live_run()
 * compares them by type): rings of a page, a frame that somebody holds, a chain with a program
 * missing.
 */
#include "live.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "probes_private.h"
#include "bpf/shared.h"

#define CALLS	 400
#define CHILDREN 20

static void act(void *data)
{
	(void)data;
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid;

		for (int call = 0; call < CALLS / CHILDREN; call++)
			syscall(SYS_unlinkat, -1, "none", 0);
		pid = fork();
		if (pid == 0)
			_exit(0);
		live_wait(pid);
	}
}

static const char *const names[] = { "unlinkat", "procexit", NULL };

static uint64_t lost_of(const struct live *live, enum wire_loss_reason reason)
{
	uint64_t sum = 0;

	for (unsigned type = 0; type < EVENT__COUNT; type++)
		sum += live->counters.types[type].lost[reason];
	return sum;
}

static void check_generated(const struct live *live)
{
	cr_expect(live->counters.types[EVENT_UNLINKAT].generated == CALLS, "%llu",
		  live->counters.types[EVENT_UNLINKAT].generated);
	cr_expect(live->counters.types[EVENT_TASK_NEW].generated == CHILDREN, "%llu",
		  live->counters.types[EVENT_TASK_NEW].generated);
	cr_expect(live->counters.types[EVENT_PROCEXIT].generated == CHILDREN + 1, "%llu",
		  live->counters.types[EVENT_PROCEXIT].generated);
}

/* ---- rings of a page --------------------------------------------------------------------------
 */

Test(live_overload, rings_of_a_page, .timeout = 300)
{
	struct live live;

	live_run(&live,
		 &(struct live_options){ .syscalls = names,
					 .ring_bytes = 4096,
					 .lifecycle_ring_bytes = 4096,
					 .is_unread = true },
		 act);
	check_generated(&live);
	cr_expect(live.counters.types[EVENT_UNLINKAT].lost[WIRE_LOST_RING_FULL] > CALLS / 2);
	cr_expect(lost_of(&live, WIRE_LOST_SHARE) > 0, "of the lifecycle ring");
	cr_expect(live.delivered[EVENT_UNLINKAT] > 0 && live.delivered[EVENT_PROCEXIT] > 0);
	live_done(&live);
}

Test(live_overload, rings_of_a_page_that_are_read, .timeout = 300)
{
	struct live live;

	live_run(&live,
		 &(struct live_options){
			 .syscalls = names, .ring_bytes = 4096, .lifecycle_ring_bytes = 4096 },
		 act);
	check_generated(&live);
	cr_expect(live.delivered[EVENT_UNLINKAT] > 0);
	live_done(&live);
}

/* ---- a broken chain ----------------------------------------------------------------------------
 */

/* The map of that name among our own descriptors; other daemons' maps are none of them. */
static int find_map(const char *name)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = -1;

	cr_assert(dir != NULL);
	while (found < 0 && (entry = readdir(dir))) {
		struct bpf_map_info info = { 0 };
		__u32 length = sizeof(info);
		int fd = atoi(entry->d_name);

		if (bpf_obj_get_info_by_fd(fd, &info, &length) == 0 && length >= 56 &&
		    strcmp(info.name, name) == 0)
			found = fd;
	}
	closedir(dir);
	return found;
}

/* Its first member is the owner: somebody, on every cpu, for all of the run. */
static void take_frames(struct live *live, struct probes *probes)
{
	int cpu_cnt = libbpf_num_possible_cpus(), fd = find_map("frames");
	uint8_t *frames = calloc((size_t)cpu_cnt, FRAME_BYTES);
	__u32 zero = 0;

	(void)live;
	(void)probes;
	cr_assert(fd >= 0 && frames && cpu_cnt > 0);
	cr_assert(bpf_map_lookup_elem(fd, &zero, frames) == 0);
	for (int cpu = 0; cpu < cpu_cnt; cpu++)
		memset(frames + (size_t)cpu * FRAME_BYTES, 0xff, 8);
	cr_assert(bpf_map_update_elem(fd, &zero, frames, BPF_ANY) == 0);
	free(frames);
}

Test(live_overload, frames_that_are_taken, .timeout = 300)
{
	struct live live;

	live_run(&live, &(struct live_options){ .syscalls = names, .ready = take_frames }, act);
	check_generated(&live);
	cr_expect(live.event_cnt == 0, "%u events", live.event_cnt);
	cr_expect(lost_of(&live, WIRE_LOST_SCRATCH) >= CALLS + 2 * CHILDREN + 1, "%llu",
		  (unsigned long long)lost_of(&live, WIRE_LOST_SCRATCH));
	live_done(&live);
}

static void remove_first(struct live *live, struct probes *probes)
{
	__u32 slot = EVENT_UNLINKAT;

	(void)live;
	(void)probes;
	cr_assert(bpf_map_delete_elem(find_map("call_programs"), &slot) == 0);
}

static void remove_last(struct live *live, struct probes *probes)
{
	__u32 slot = CHAIN_SUBMIT;

	(void)live;
	(void)probes;
	cr_assert(bpf_map_delete_elem(find_map("call_chain"), &slot) == 0);
}

Test(live_overload, programs_that_are_missing, .timeout = 300)
{
	static void (*const remove[])(struct live *, struct probes *) = { remove_first,
									  remove_last };

	for (size_t i = 0; i < ARRAY_LEN(remove); i++) {
		struct live live;

		live_run(&live, &(struct live_options){ .syscalls = names, .ready = remove[i] },
			 act);
		check_generated(&live);
		cr_expect(live.counters.types[EVENT_UNLINKAT].lost[WIRE_LOST_TAIL_CALL] == CALLS,
			  "%zu: %llu", i,
			  live.counters.types[EVENT_UNLINKAT].lost[WIRE_LOST_TAIL_CALL]);
		/* The next events find a frame that is free again. */
		cr_expect(live_count(&live, EVENT_PROCEXIT) == CHILDREN + 1, "%zu", i);
		live_done(&live);
	}
}
