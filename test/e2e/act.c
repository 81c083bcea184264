/*
 * What the end-to-end tests do that a shell cannot: opens relative to a directory's descriptor, and
 * a storm of opens on all cpus with a program started now and then. Prints its pid first, so that
 * the test knows who will stand in the alert.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_at(const char *directory, const char *name)
{
	int directory_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (directory_fd < 0)
		return -errno;
	fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
	close(directory_fd);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* Ended by the parent, or by an alarm where that is gone. */
static void open_all_the_time(unsigned seconds)
{
	alarm(seconds + 2);
	for (;;) {
		int fd = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			close(fd);
	}
}

static int start_program(const char *path)
{
	char *argv[] = { (char *)"act", (char *)"nothing", NULL };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execv(path, argv);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -ECHILD;
}

/* For that long; a program every 50 ms. Prints how many there were. */
static int storm(const char *path, unsigned seconds)
{
	long cpu_cnt = sysconf(_SC_NPROCESSORS_ONLN);
	pid_t pids[64];
	int cnt = 0, programs = 0, r = 0;

	for (; cnt < cpu_cnt && cnt < 64; cnt++) {
		pids[cnt] = fork();
		if (pids[cnt] == 0)
			open_all_the_time(seconds);
	}
	for (; programs < (int)seconds * 20 && r == 0; programs++) {
		usleep(50000);
		r = start_program(path);
	}
	for (int i = 0; i < cnt; i++) {
		if (pids[i] > 0 && kill(pids[i], SIGKILL) == 0)
			waitpid(pids[i], NULL, 0);
	}
	printf("programs %d\n", programs);
	return r;
}

int main(int argc, char **argv)
{
	int r = -EINVAL;

	if (argc == 2 && strcmp(argv[1], "nothing") == 0)
		return 0;
	printf("%d\n", (int)getpid());
	if (argc == 4 && strcmp(argv[1], "open-at") == 0)
		r = open_at(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "storm") == 0)
		r = storm("/proc/self/exe", (unsigned)atoi(argv[2]));
	if (r < 0)
		fprintf(stderr, "act: %s\n", strerror(-r));
	return r < 0;
}
