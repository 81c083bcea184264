/*
 * What the end-to-end tests do that a shell cannot: opens relative to a directory's descriptor, a
 * storm of opens on all cpus with a program started now and then, and a fork bomb. Prints its pid
 * first, so that the test knows who will stand in the alert.
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

/* Lives through the bomb and then opens the path, so that an alert says who it is. */
static void survive(int fd, const char *path)
{
	char byte;

	alarm(60);
	(void)!read(fd, &byte, 1); /* until the other end is closed */
	close(open(path, O_RDONLY | O_CLOEXEC));
	_exit(0);
}

/* So many processes that end at once, every tenth with a child of its own; four survive. */
static int bomb(unsigned cnt, const char *path)
{
	int ends[2];

	signal(SIGCHLD, SIG_IGN);
	if (pipe(ends) < 0)
		return -errno;
	for (unsigned i = 0; i < cnt; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return -errno;
		if (pid == 0 && i % (cnt / 4) == 0) {
			close(ends[1]);
			survive(ends[0], path);
		}
		if (pid == 0) {
			if (i % 10 == 0 && fork() == 0)
				_exit(0);
			_exit(0);
		}
		/* Not more at a time than the host likes. */
		if (i % 100 == 99)
			usleep(2000);
	}
	close(ends[1]);
	while (wait(NULL) > 0)
		;
	return 0;
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
	if (argc == 4 && strcmp(argv[1], "bomb") == 0)
		r = bomb((unsigned)atoi(argv[2]), argv[3]);
	if (r < 0)
		fprintf(stderr, "act: %s\n", strerror(-r));
	return r < 0;
}
