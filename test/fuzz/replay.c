/*
 * Runs a fuzz target without libFuzzer: each file of the named folders (or each named file), its
 * prefixes, and it with one byte changed at a time. Input lies in memory of its exact size, so that
 * a sanitizer sees a read behind it. HAETAE_REPLAY_STEP changes only every so many bytes. Fails
 * where there is nothing to replay.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "haetae/base.h"
#include "target.h"

/* Larger seeds are replayed as they are and changed at this many places. */
#define PLACES_MAX 2048

static unsigned file_cnt;
static size_t step_min = 1;

static void run_copy(const uint8_t *data, size_t size, size_t at, uint8_t value)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		exit(1);
	if (size)
		memcpy(copy, data, size);
	if (at < size)
		copy[at] = value;
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_variants(const uint8_t *data, size_t size)
{
	static const uint8_t values[] = { 0, 0x7f, 0xff };
	size_t step = MAX(size / PLACES_MAX + 1, step_min);

	run_copy(data, size, size, 0);
	for (size_t at = 0; at < size; at += step) {
		run_copy(data, at, at, 0);
		for (size_t i = 0; i < sizeof(values); i++)
			run_copy(data, size, at, values[i]);
	}
}

static void run_file(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *file = fopen(path, "rbe");
	size_t n;

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	n = fread(data, 1, sizeof(data), file);
	fclose(file);
	run_variants(data, n);
	file_cnt++;
}

static void run_folder(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	if (!folder) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	while ((entry = readdir(folder)) != NULL) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) <
		    sizeof(name))
			run_file(name);
	}
	closedir(folder);
}

int main(int argc, char **argv)
{
	const char *step = getenv("HAETAE_REPLAY_STEP");

	if (step && atoi(step) > 0)
		step_min = (size_t)atoi(step);
	for (int i = 1; i < argc; i++) {
		struct stat status;

		if (stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode))
			run_folder(argv[i]);
		else
			run_file(argv[i]);
	}
	printf("%u files\n", file_cnt);
	return file_cnt ? 0 : 1;
}
