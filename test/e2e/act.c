/*
 * What the end-to-end tests do that a shell cannot: opens relative to a directory's descriptor.
 * Prints its pid first, so that the test knows who will stand in the alert.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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

int main(int argc, char **argv)
{
	int r = -EINVAL;

	printf("%d\n", (int)getpid());
	if (argc == 4 && strcmp(argv[1], "open-at") == 0)
		r = open_at(argv[2], argv[3]);
	if (r < 0)
		fprintf(stderr, "act: %s\n", strerror(-r));
	return r < 0;
}
