/*
 * A plain load: one syscall, or a pair of them, over and over for a while. Prints nanoseconds a
 * round, the median of many short batches, so that one interruption does not show.
 *
 *	syscall_loop open PATH MILLISECONDS	open(2) and close(2)
 *	syscall_loop getppid - MILLISECONDS	a syscall that no rule asks for
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "haetae/base.h"
#include "haetae/clock.h"

#define BATCH_ROUNDS 500
#define BATCH_MAX    200000

static int compare_times(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static bool open_and_close(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool run_batch(const char *what, const char *path)
{
	bool want_open = strcmp(what, "open") == 0;

	for (int i = 0; i < BATCH_ROUNDS; i++) {
		if (!want_open)
			(void)syscall(SYS_getppid);
		else if (!open_and_close(path))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static uint64_t times[BATCH_MAX];
	uint64_t begin_ns, end_ns, median_ns;
	size_t cnt = 0;

	if (argc != 4 || (strcmp(argv[1], "open") != 0 && strcmp(argv[1], "getppid") != 0)) {
		fprintf(stderr, "usage: syscall_loop open|getppid PATH MILLISECONDS\n");
		return 2;
	}
	end_ns = clock_boot_ns() + strtoull(argv[3], NULL, 10) * NS_PER_MS;
	while (cnt < BATCH_MAX && (begin_ns = clock_boot_ns()) < end_ns) {
		if (!run_batch(argv[1], argv[2])) {
			perror(argv[2]);
			return 1;
		}
		times[cnt++] = clock_boot_ns() - begin_ns;
	}
	if (cnt == 0)
		return 1;
	qsort(times, cnt, sizeof(*times), compare_times);
	median_ns = times[cnt / 2];
	printf("%.1f\n", (double)median_ns / BATCH_ROUNDS);
	return 0;
}
