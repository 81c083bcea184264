/*
 * --scope-cgroup: from a directory to the control group as the kernel knows it. Owns no data.
 * Called by loader.c before loading.
 */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "probes_private.h"
#include "bpf/shared.h"

#define SUBSYSTEM_NAME_BYTES 64

static int refuse(const char *path, const char *why, struct probes_error *reterr)
{
	snprintf(reterr->what, sizeof(reterr->what), "%.120s: %s", path, why);
	snprintf(reterr->fix, sizeof(reterr->fix),
		 "give a directory below a mounted cgroup hierarchy to --scope-cgroup, such as one "
		 "in /sys/fs/cgroup");
	return PROBES_E_USAGE;
}

/* The index that the kernel gives the controller `option`, a mount option of version 1. */
static bool find_subsystem(const struct host_types *types, const char *option, uint32_t *ret)
{
	char name[SUBSYSTEM_NAME_BYTES + 16];
	int64_t value;

	/* Version 1 calls the io controller blkio (block/blk-cgroup.c: legacy_name). */
	snprintf(name, sizeof(name), "%.*s_cgrp_id", SUBSYSTEM_NAME_BYTES,
		 strcmp(option, "blkio") == 0 ? "io" : option);
	if (!host_types_enumerator(types, "cgroup_subsys_id", name, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* `line` of /proc/self/mountinfo (proc(5)): whether it is the cgroup mount of `device`, and then
 * the first controller among its super block's options. */
static bool match_mount(const struct host_types *types, char *line, dev_t device, uint32_t *ret)
{
	unsigned first, second;
	char *options = strstr(line, " - cgroup "), *save = NULL;

	if (!options || sscanf(line, "%*u %*u %u:%u", &first, &second) != 2 ||
	    makedev(first, second) != device)
		return false;
	options = strrchr(line, ' ');
	for (char *option = strtok_r(options, " ,\n", &save); option;
	     option = strtok_r(NULL, " ,\n", &save)) {
		if (find_subsystem(types, option, ret))
			return true;
	}
	return false;
}

static bool find_hierarchy(const struct host_types *types, dev_t device, uint32_t *ret)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	bool is_found = false;

	while (file && !is_found && getline(&line, &size, file) > 0)
		is_found = match_mount(types, line, device, ret);
	free(line);
	if (file)
		fclose(file);
	return is_found;
}

int scope_find_cgroup(const struct host_types *types, const char *path, uint64_t *ret_id,
		      uint32_t *ret_subsystem, struct probes_error *reterr)
{
	struct statfs file_system;
	struct stat info;

	if (stat(path, &info) || statfs(path, &file_system))
		return refuse(path, strerror(errno), reterr);
	if (!S_ISDIR(info.st_mode))
		return refuse(path, "is no directory", reterr);
	if (file_system.f_type == CGROUP2_SUPER_MAGIC)
		*ret_subsystem = SCOPE_SUBSYSTEM_V2;
	else if (file_system.f_type != CGROUP_SUPER_MAGIC)
		return refuse(path, "is in no cgroup hierarchy", reterr);
	else if (!find_hierarchy(types, info.st_dev, ret_subsystem))
		return refuse(path, "is in a hierarchy without a controller", reterr);
	/* kernfs gives its id as the inode number where ino_t has 64 bits (include/linux/kernfs.h).
	 */
	*ret_id = info.st_ino;
	return 0;
}
