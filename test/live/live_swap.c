/*
 * A thread that overwrites the path while the call runs: the event has the file that was really
 * opened, and evt.path_swapped where the probes were asked for it (decision 2). The call is held in
 * the middle by a FIFO, which opens only when its other end does.
 */
#include "live.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static const char *const swap_calls[] = { "openat", "unlinkat", "mkdirat", NULL };

/* clang-format off */
static const struct {
	const char *name, *later; /* what stands in memory when the call ends */
	bool is_swapped;
} cases[] = {
	{ "another of the same length", "file", true },
	{ "a longer one", "fifo and more", true },
	{ "a shorter one", "fi", true },
	{ "the same bytes", "fifo", false },
};
/* clang-format on */
#define MARK_CALM 100

struct swap_notes {
	char cwd[256];
	char path[64];
};

struct swap {
	pid_t opener;
	char *path;
	const char *later;
};

/* By a call that is not looked at. */
static int open_unseen(const char *path, uint64_t flags)
{
	struct open_how how = { .flags = flags };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	ACTOR_CHECK(fd >= 0);
	return fd;
}

static char state_of(pid_t thread)
{
	char path[64], text[512] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)thread);
	fd = open_unseen(path, O_RDONLY);
	ACTOR_CHECK(read(fd, text, sizeof(text) - 1) > 0 && strrchr(text, ')'));
	close(fd);
	return strrchr(text, ')')[2];
}

/* Opens the FIFO's other end, when the first thread waits in its call, after overwriting the path.
 */
static void *overwrite(void *data)
{
	const struct swap *swap = data;

	while (state_of(swap->opener) != 'S')
		usleep(1000);
	strcpy(swap->path, swap->later);
	close(open_unseen("fifo", O_WRONLY));
	return NULL;
}

static void swap_prepare(void *data)
{
	struct swap_notes *notes = data;

	ACTOR_CHECK(getcwd(notes->cwd, sizeof(notes->cwd)));
	ACTOR_CHECK(mkfifo("fifo", 0600) == 0);
	close(open("file", O_CREAT | O_WRONLY, 0600));
}

static void swap_act(void *data)
{
	struct swap_notes *notes = data;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct swap swap = { gettid(), notes->path, cases[i].later };
		pthread_t thread;
		int fd;

		strcpy(notes->path, "fifo");
		ACTOR_CHECK(pthread_create(&thread, NULL, overwrite, &swap) == 0);
		live_mark(i);
		fd = (int)syscall(SYS_openat, AT_FDCWD, notes->path, O_RDONLY);
		live_mark(LIVE_NO_MARK);
		ACTOR_CHECK(fd >= 0);
		pthread_join(thread, NULL);
		close(fd);
	}
	live_mark(MARK_CALM);
	ACTOR_CHECK(syscall(SYS_openat, AT_FDCWD, "nowhere/none", O_RDONLY) < 0);
	ACTOR_CHECK(syscall(SYS_unlinkat, AT_FDCWD, "file", 0) == 0);
	ACTOR_CHECK(syscall(SYS_mkdirat, AT_FDCWD, (char *)8, 0700) < 0);
	live_mark(LIVE_NO_MARK);
}

static void check_case(struct live *live, size_t i, bool is_asked)
{
	const struct swap_notes *notes = live->shared;
	const struct event *event = live_marked(live, i, EVENT_OPENAT);
	char opened[300];

	cr_assert_not_null(event, "%s", cases[i].name);
	snprintf(opened, sizeof(opened), "%s/fifo", notes->cwd);
	expect_proc_path(event, PARAM_OPENAT_path, PARAM_OPENAT_ino, opened, cases[i].name);
	expect_string(event, PARAM_OPENAT_name, cases[i].later, cases[i].name);
	cr_expect_eq(!!(event->header->flags & WIRE_PATH_SWAPPED), is_asked && cases[i].is_swapped,
		     "%s: flags %x", cases[i].name, event->header->flags);
}

static void run(bool is_asked)
{
	struct live live;

	live_run(&live,
		 &(struct live_options){ .syscalls = swap_calls,
					 .prepare = swap_prepare,
					 .want_path_swapped = is_asked },
		 swap_act);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_case(&live, i, is_asked);
	cr_expect_eq(live_count_marked(&live, MARK_CALM, EVENT_CODE_NEVER), 3);
	for (uint32_t i = 0; i < live.event_cnt; i++) {
		if (live.events[i]->code != EVENT_OPENAT)
			cr_expect(!(live.events[i]->header->flags & WIRE_PATH_SWAPPED));
	}
	live_done(&live);
}

Test(live_swap, the_file_that_was_opened, .timeout = 300)
{
	run(false);
}

Test(live_swap, and_that_the_path_changed, .timeout = 300)
{
	run(true);
}
