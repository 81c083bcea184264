/*
 * A plain load: one thing that programs do, over and over for a while. Prints nanoseconds a round,
 * the median of many short batches, so that one interruption does not show; and the number of
 * rounds.
 *
 *	syscall_loop open PATH MILLISECONDS	open(2) to read, and close(2)
 *	syscall_loop write PATH MILLISECONDS	the same to write
 *	syscall_loop missing PATH MILLISECONDS	open(2) that fails
 *	syscall_loop getppid - MILLISECONDS	a syscall that no rule asks for
 *	syscall_loop connect - MILLISECONDS	TCP connection on the loopback, and its end
 *	syscall_loop exec PATH MILLISECONDS	posix_spawn(3): vfork, execve, wait
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "haetae/base.h"
#include "haetae/clock.h"

#define BATCH_MAX 200000

static int compare_times(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static bool open_and_close(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool do_open(const char *path)
{
	return open_and_close(path, O_RDONLY);
}

static bool do_write(const char *path)
{
	return open_and_close(path, O_WRONLY);
}

static bool do_missing(const char *path)
{
	return !open_and_close(path, O_RDONLY);
}

static bool do_getppid(const char *path)
{
	(void)path;
	return syscall(SYS_getppid) >= 0;
}

static struct sockaddr_in address = { .sin_family = AF_INET };
static int listener = -1;

static bool listen_here(void)
{
	socklen_t length = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0 &&
	       listen(listener, 16) == 0 &&
	       getsockname(listener, (struct sockaddr *)&address, &length) == 0;
}

static bool do_connect(const char *path)
{
	/* Reset at its end, so that no port stays taken. */
	const struct linger now = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), other;
	bool is_done;

	(void)path;
	if (fd < 0)
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	is_done = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(fd);
	close(other);
	return is_done && other >= 0;
}

/* As a shell does it: vfork underneath. */
static bool do_exec(const char *path)
{
	char *const arguments[] = { (char *)(uintptr_t)path, NULL };
	int status;
	pid_t pid;

	return posix_spawn(&pid, path, NULL, NULL, arguments, NULL) == 0 &&
	       waitpid(pid, &status, 0) == pid && status == 0;
}

static const struct load {
	const char *name;
	bool (*run)(const char *path);
	int rounds; /* of a batch */
} loads[] = {
	{ "open", do_open, 500 },	{ "write", do_write, 500 },
	{ "missing", do_missing, 500 }, { "getppid", do_getppid, 2000 },
	{ "connect", do_connect, 20 },	{ "exec", do_exec, 5 },
};

static const struct load *find_load(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(loads); i++)
		if (strcmp(loads[i].name, name) == 0)
			return &loads[i];
	return NULL;
}

int main(int argc, char **argv)
{
	static uint64_t times[BATCH_MAX];
	const struct load *load = argc == 4 ? find_load(argv[1]) : NULL;
	uint64_t begin_ns, end_ns, median_ns;
	size_t cnt = 0;

	if (!load || !listen_here()) {
		fprintf(stderr, "usage: syscall_loop open|write|missing|getppid|connect|exec PATH "
				"MILLISECONDS\n");
		return 2;
	}
	end_ns = clock_boot_ns() + strtoull(argv[3], NULL, 10) * NS_PER_MS;
	while (cnt < BATCH_MAX && (begin_ns = clock_boot_ns()) < end_ns) {
		for (int i = 0; i < load->rounds; i++)
			if (!load->run(argv[2])) {
				perror(argv[2]);
				return 1;
			}
		times[cnt++] = clock_boot_ns() - begin_ns;
	}
	if (cnt == 0)
		return 1;
	qsort(times, cnt, sizeof(*times), compare_times);
	median_ns = times[cnt / 2];
	printf("%.1f %llu\n", (double)median_ns / load->rounds,
	       (unsigned long long)cnt * (unsigned)load->rounds);
	return 0;
}
