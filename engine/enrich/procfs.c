/*
 * Reads /proc/PID/{stat,cmdline,environ,exe,cwd}. Owns the root's descriptor and one set of
 * buffers. Called by proc.c on the engine thread for seeds and partial processes, never for an
 * ordinary event.
 *
 * Nothing here touches a file of the process: exe and cwd are only read as links, for a stat() of
 * what they name could hang on a file system that the process itself serves.
 */
#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "haetae/clock.h"

#define PROCFS_STAT_MAX 1024 /* 52 numbers and a name of at most 64 bytes; only 22 are used */
#define STARTTIME_FIELD 22   /* proc(5); fs/proc/array.c do_task_stat() */

struct procfs {
	int root_fd;
	uint64_t tick_ns; /* unit of starttime */
	bool want_env;
	char args[PROCFS_ARGS_MAX + 1], env[PROCFS_ENV_MAX + 1];
	char exepath[PROCFS_PATH_MAX], cwd[PROCFS_PATH_MAX];
};

int procfs_new(const char *root, bool want_env, struct procfs **ret)
{
	struct procfs *procfs = calloc(1, sizeof(*procfs));
	long ticks = sysconf(_SC_CLK_TCK);

	if (!procfs)
		return -ENOMEM;
	procfs->root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	procfs->tick_ns = NS_PER_SEC / (ticks > 0 ? (uint64_t)ticks : 100);
	procfs->want_env = want_env;
	*ret = procfs;
	return 0;
}

struct procfs *procfs_free(struct procfs *procfs)
{
	if (procfs)
		close_fdp(&procfs->root_fd);
	free(procfs);
	return NULL;
}

/* The first bytes of a file, at most max. Their number, or -1. */
static ssize_t read_file(int dir_fd, const char *name, char *data, size_t max)
{
	_cleanup_(close_fdp) int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t n = 0;

	if (fd < 0)
		return -1;
	while (n < max) {
		ssize_t r = read(fd, data + n, max - n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	return (ssize_t)n;
}

/* "PID (comm) S ppid …": the name may hold blanks and parentheses, so it ends at the last one. */
static bool parse_stat(char *line, const char **ret_comm, struct proc_strings *ret,
		       uint64_t *ret_start_ticks)
{
	char *comm = strchr(line, '('), *end = strrchr(line, ')'), *field;

	if (!comm || !end || end < comm)
		return false;
	*end = '\0';
	field = end + 1;
	for (int i = 3; i <= STARTTIME_FIELD; i++) {
		field = strchr(field, ' ');
		if (!field)
			return false;
		field++;
	}
	if (sscanf(end + 1, " %*c %u %u %u %u", &ret->parent_pid, &ret->group_id, &ret->session_id,
		   &ret->tty) != 4)
		return false;
	*ret_comm = comm + 1;
	strncpy(ret->comm, comm + 1, WIRE_COMM_LEN - 1);
	*ret_start_ticks = strtoull(field, NULL, 10);
	return true;
}

/* Compares in ticks of 10 ms, which is all that /proc knows; the pid would have to come round
 * within one. The name is a prefix, because a worker thread of the kernel shows more. */
static int check_identity(struct procfs *procfs, int dir_fd, uint64_t start_ns, const char *comm,
			  struct proc_strings *ret)
{
	char line[PROCFS_STAT_MAX + 1];
	const char *stat_comm;
	uint64_t ticks;
	ssize_t n = read_file(dir_fd, "stat", line, PROCFS_STAT_MAX);

	if (n <= 0)
		return PROCFS_E_GONE;
	line[n] = '\0';
	if (!parse_stat(line, &stat_comm, ret, &ticks) || ticks != start_ns / procfs->tick_ns)
		return PROCFS_E_GONE;
	if (comm && strncmp(stat_comm, comm, strlen(comm)) != 0)
		return PROCFS_E_OTHER;
	return 0;
}

/* The link's text. " (deleted)" is d_path()'s addition, and a memfd appears as a file in "/". */
static struct str read_link(int dir_fd, const char *name, char *data)
{
	static const struct str deleted = { " (deleted)", 10 }, memfd = { "/memfd:", 7 };
	ssize_t n = readlinkat(dir_fd, name, data, PROCFS_PATH_MAX);
	struct str link = { data, n > 0 ? (uint32_t)n : 0 };

	if (n <= 0 || n == PROCFS_PATH_MAX)
		return STR_NONE;
	if (str_ends_with(link, deleted)) {
		link.n -= deleted.n;
		if (str_starts_with(link, memfd))
			link = (struct str){ link.p + 1, link.n - 1 };
	}
	return link;
}

/* NUL-terminated strings one behind the other, of at most max bytes with the last NUL; data has
 * max + 1. An area that does not end in a NUL (setproctitle) gets one. */
static struct str read_vector(int dir_fd, const char *name, char *data, size_t max, bool *ret_cut)
{
	ssize_t n = read_file(dir_fd, name, data, max + 1);

	*ret_cut = n > (ssize_t)max;
	if (n < 0)
		return STR_NONE;
	if (*ret_cut)
		data[max - 1] = '\0', n = (ssize_t)max;
	else if (n > 0 && data[n - 1] != '\0')
		data[n++] = '\0';
	return (struct str){ data, (uint32_t)n };
}

int procfs_read(struct procfs *procfs, uint32_t pid, uint64_t start_ns, const char *comm,
		struct proc_strings *ret)
{
	struct proc_strings strings = { 0 };
	_cleanup_(close_fdp) int dir_fd = -1;
	struct stat info;
	char name[16];
	int r;

	snprintf(name, sizeof(name), "%u", pid);
	/* A descriptor of /proc/PID stays with this process: what is opened below it can never be
	 * of a later one with the same pid. */
	if (procfs->root_fd >= 0)
		dir_fd = openat(procfs->root_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return PROCFS_E_GONE;
	r = check_identity(procfs, dir_fd, start_ns, comm, &strings);
	if (r)
		return r;
	if (fstat(dir_fd, &info) == 0)
		strings.uid = info.st_uid;

	strings.args =
		read_vector(dir_fd, "cmdline", procfs->args, PROCFS_ARGS_MAX, &strings.is_args_cut);
	if (procfs->want_env)
		strings.env = read_vector(dir_fd, "environ", procfs->env, PROCFS_ENV_MAX,
					  &strings.is_env_cut);
	strings.exepath = read_link(dir_fd, "exe", procfs->exepath);
	strings.cwd = read_link(dir_fd, "cwd", procfs->cwd);
	if (!strings.args.p && !strings.exepath.p)
		return PROCFS_E_UNREADABLE;
	if (strings.args.p) {
		uint32_t n = (uint32_t)strnlen(strings.args.p, strings.args.n);
		uint32_t skip = MIN(n + 1, strings.args.n);

		strings.exe = (struct str){ strings.args.p, n };
		strings.args = (struct str){ strings.args.p + skip, strings.args.n - skip };
	}
	strings.read_ns = clock_boot_ns();
	*ret = strings;
	return 0;
}
