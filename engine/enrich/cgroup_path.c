/*
 * The path of a control group that the kernel gave by number: /proc tells it of a process that is
 * in it. Owns nothing; engine thread, seldom: it walks the table.
 */
#include "container_private.h"
#include "proc_private.h"

#include <fcntl.h>
#include <stdio.h>

/* Processes that are asked: one may just be ending, or moving on. */
#define PROCESSES_ASKED 4
/* Whether a list of controllers is the hierarchy's ("" is version 2). */
bool cgroup_controllers_have(const char *controllers, size_t n, enum wire_hierarchy hierarchy)
{
	static const char *const names[] = {
		[WIRE_HIERARCHY_V2] = "",
		[WIRE_HIERARCHY_MEMORY] = "memory",
		[WIRE_HIERARCHY_PIDS] = "pids",
		[WIRE_HIERARCHY_CPU] = "cpu",
	};
	const char *name = names[hierarchy], *at = controllers, *end = controllers + n;
	size_t length = strlen(name);

	if (!length)
		return n == 0;
	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t word = (size_t)((comma ? comma : end) - at);

		if (word == length && memcmp(at, name, length) == 0)
			return true;
		at += word + 1;
	}
	return false;
}

/* "4:memory:/a/b" (cgroups(7)). */
bool cgroup_file_find(char *text, enum wire_hierarchy hierarchy, char *ret, size_t size)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(++controllers, ':') : NULL;

		if (!path ||
		    !cgroup_controllers_have(controllers, (size_t)(path - controllers), hierarchy))
			continue;
		return snprintf(ret, size, "%s", path + 1) < (int)size;
	}
	return false;
}

static bool ask(const struct proc_table *table, const struct proc *proc,
		enum wire_hierarchy hierarchy, char *ret, size_t size)
{
	_cleanup_(close_fdp) int fd = -1;
	struct proc_strings strings;
	char text[CGROUP_FILE_MAX];
	ssize_t n;

	snprintf(text, sizeof(text), "%s/%u/cgroup", table->config.proc_root, proc->key.pid);
	fd = open(text, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* The same process still: its pid was not used again before we read. */
	return cgroup_file_find(text, hierarchy, ret, size) &&
	       procfs_read(table->procfs, proc->key.pid, proc->key.start_ns, NULL, &strings) !=
		       PROCFS_E_GONE;
}

bool proc_cgroup_path(const struct proc_table *table, uint64_t cgroup_id,
		      enum wire_hierarchy hierarchy, char *ret, size_t size)
{
	uint32_t cursor = 0, asked = 0;
	const struct proc *proc;

	if (!table->procfs || !table->is_pid_shared || table->is_pid_translated)
		return false;
	while (asked < PROCESSES_ASKED && (proc = table_next(&table->by_pid, &cursor))) {
		if (proc->cgroup_id != cgroup_id || proc->exit_ns)
			continue;
		asked++;
		if (ask(table, proc, hierarchy, ret, size))
			return true;
	}
	return false;
}
