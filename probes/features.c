/*
 * What the running host offers, for `haetae doctor`: a table of questions, each with what was found
 * and what to do. Loads no program but one that does nothing, and changes nothing. Any thread.
 */
#include "probes_private.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#define TRACEFS_MAGIC 0x74726163 /* include/uapi/linux/magic.h */

static enum probes_feature_state say(struct probes_feature *ret, enum probes_feature_state state,
				     const char *detail)
{
	snprintf(ret->detail, sizeof(ret->detail), "%s", detail);
	return state;
}

static enum probes_feature_state check_kernel(const struct host_types *types,
					      struct probes_feature *ret)
{
	struct utsname name;

	if (uname(&name) < 0)
		return say(ret, FEATURE_MISSING, strerror(errno));
	snprintf(ret->detail, sizeof(ret->detail), "%.64s %.32s", name.release, name.machine);
	return FEATURE_PRESENT;
}

static enum probes_feature_state check_types(const struct host_types *types,
					     struct probes_feature *ret)
{
	return types ? say(ret, FEATURE_PRESENT, "/sys/kernel/btf/vmlinux")
		     : say(ret, FEATURE_MISSING, "no readable /sys/kernel/btf/vmlinux");
}

static enum probes_feature_state check_tracepoint(const struct host_types *types,
						  struct probes_feature *ret)
{
	static const char *const names[] = { "sys_exit", "sched_process_exec", "sched_process_fork",
					     "sched_process_exit", "inet_sock_set_state" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (host_tracepoint_arguments(types, names[i]) >= 0)
			continue;
		snprintf(ret->detail, sizeof(ret->detail), "no tracepoint %s", names[i]);
		return FEATURE_MISSING;
	}
	return say(ret, FEATURE_PRESENT, "sys_exit, sched_process_*, inet_sock_set_state");
}

static enum probes_feature_state check_ring(const struct host_types *types,
					    struct probes_feature *ret)
{
	int64_t value;

	if (host_types_enumerator(types, "bpf_map_type", "BPF_MAP_TYPE_RINGBUF", &value))
		return say(ret, FEATURE_PRESENT, "BPF_MAP_TYPE_RINGBUF");
	return say(ret, FEATURE_MISSING, "no BPF_MAP_TYPE_RINGBUF");
}

static enum probes_feature_state check_iterator(const struct host_types *types,
						struct probes_feature *ret)
{
	return host_types_have(types, "bpf_iter__task")
		       ? say(ret, FEATURE_PRESENT, "bpf_iter/task")
		       : say(ret, FEATURE_MISSING, "no bpf_iter/task");
}

static enum probes_feature_state check_typed_loads(const struct host_types *types,
						   struct probes_feature *ret)
{
	return host_types_have(types, "bpf_rdonly_cast")
		       ? say(ret, FEATURE_PRESENT, "bpf_rdonly_cast: paths are read by typed loads")
		       : say(ret, FEATURE_OPTIONAL_MISSING,
			     "no bpf_rdonly_cast (6.2): paths are read by copies, which costs "
			     "more");
}

static enum probes_feature_state check_uring(const struct host_types *types,
					     struct probes_feature *ret)
{
	if (host_uring(types) != HOST_URING_NONE)
		return say(ret, FEATURE_PRESENT, "its operations are events");
	return say(ret, FEATURE_OPTIONAL_MISSING,
		   "its tracepoints don't give the request (6.0): operations are not seen");
}

static enum probes_feature_state check_name_hooks(const struct host_types *types,
						  struct probes_feature *ret)
{
	if (name_hooks_possible(types, EVENT_UNLINK))
		return say(ret, FEATURE_PRESENT, "fentry: what rename, unlink, chmod … found");
	return say(ret, FEATURE_OPTIONAL_MISSING,
		   "no fentry on security_path_*: rename, unlink, chmod … have the path as passed");
}

static enum probes_feature_state check_capabilities(const struct host_types *types,
						    struct probes_feature *ret)
{
	const char *missing = host_missing_capabilities();

	if (!missing)
		return say(ret, FEATURE_PRESENT, "CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN");
	snprintf(ret->detail, sizeof(ret->detail), "this process lacks %s", missing);
	return FEATURE_MISSING;
}

static enum probes_feature_state check_lockdown(const struct host_types *types,
						struct probes_feature *ret)
{
	switch (host_lockdown()) {
	case HOST_LOCKDOWN_CONFIDENTIALITY:
		return say(ret, FEATURE_MISSING,
			   "\"confidentiality\": BPF may not read the kernel");
	case HOST_LOCKDOWN_INTEGRITY:
		return say(ret, FEATURE_PRESENT, "\"integrity\", which allows what we do");
	case HOST_LOCKDOWN_NONE:
		return say(ret, FEATURE_PRESENT, "none");
	case HOST_LOCKDOWN_UNKNOWN:
		break;
	}
	return say(ret, FEATURE_PRESENT,
		   "unknown: securityfs is not mounted or has no lockdown file");
}

static enum probes_feature_state check_memlock(const struct host_types *types,
					       struct probes_feature *ret)
{
	int64_t value;

	if (types &&
	    !host_types_enumerator(types, "bpf_func_id", "BPF_FUNC_ktime_get_coarse_ns", &value))
		return say(ret, FEATURE_OPTIONAL_MISSING,
			   "before 5.11 BPF memory is charged to RLIMIT_MEMLOCK");
	return say(ret, FEATURE_PRESENT, "BPF memory is charged to the control group");
}

static enum probes_feature_state check_sysctl(const struct host_types *types,
					      struct probes_feature *ret)
{
	_cleanup_(close_fdp) int fd =
		open("/proc/sys/kernel/unprivileged_bpf_disabled", O_RDONLY | O_CLOEXEC);
	char value[8] = { 0 };

	if (fd < 0 || read(fd, value, sizeof(value) - 1) <= 0)
		return say(ret, FEATURE_PRESENT, "unknown");
	snprintf(ret->detail, sizeof(ret->detail),
		 "unprivileged_bpf_disabled = %c; haetae does not need it at 0", value[0]);
	return FEATURE_PRESENT;
}

/* Whether `options`, as "rw,cpu,cpuacct", has the word `option`. */
static bool has_option(char *options, const char *option)
{
	char *save = NULL;

	for (char *word = strtok_r(options, " ,\n", &save); word;
	     word = strtok_r(NULL, " ,\n", &save)) {
		if (strcmp(word, option) == 0)
			return true;
	}
	return false;
}

/* Whether /proc/self/mountinfo (proc(5)) has a mount of this type; for version 1, with this option
 * of its super block, whose options are the line's last word. */
static bool has_mount(const char *type, const char *option)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	bool is_found = false;

	while (file && !is_found && getline(&line, &size, file) > 0) {
		char *options = strrchr(line, ' ');

		is_found =
			strstr(line, type) && options && (!option || has_option(options, option));
	}
	free(line);
	if (file)
		fclose(file);
	return is_found;
}

/* What a container is told by (decision 25). */
static enum probes_feature_state check_cgroups(const struct host_types *types,
					       struct probes_feature *ret)
{
	static const char *const controllers[] = { "memory", "pids", "cpu" };
	bool has_v2 = has_mount(" - cgroup2 ", NULL);
	size_t at = 0;

	if (has_v2)
		at = (size_t)snprintf(ret->detail, sizeof(ret->detail), "version 2");
	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		if (has_mount(" - cgroup ", controllers[i]))
			at += (size_t)snprintf(ret->detail + at, sizeof(ret->detail) - at,
					       "%s%s of version 1", at ? ", " : "", controllers[i]);
	}
	return at ? FEATURE_PRESENT
		  : say(ret, FEATURE_OPTIONAL_MISSING,
			"none is mounted: --scope-cgroup has no directories to name");
}

static enum probes_feature_state check_tracefs(const struct host_types *types,
					       struct probes_feature *ret)
{
	struct statfs fs;

	if (statfs("/sys/kernel/tracing", &fs) == 0 && fs.f_type == TRACEFS_MAGIC)
		return say(ret, FEATURE_PRESENT, "mounted on /sys/kernel/tracing; not needed");
	return say(ret, FEATURE_PRESENT, "not mounted; not needed");
}

static const struct {
	const char *name;
	enum probes_feature_state (*check)(const struct host_types *types,
					   struct probes_feature *ret);
	const char *fix;
} checks[] = {
	{ "kernel", check_kernel, "use Linux 5.8 or newer" },
	{ "BTF", check_types,
	  "use a kernel built with CONFIG_DEBUG_INFO_BTF=y and mount sysfs on /sys" },
	{ "tp_btf tracepoints", check_tracepoint,
	  "use a kernel of 5.8 or newer with CONFIG_FTRACE_SYSCALLS=y" },
	{ "ring buffer", check_ring, "use a kernel of 5.8 or newer" },
	{ "task iterator", check_iterator, "use a kernel of 5.8 or newer" },
	{ "typed loads", check_typed_loads, "nothing: haetae works without, a little slower" },
	{ "io_uring", check_uring,
	  "watch io_uring_setup, or disable io_uring (sysctl kernel.io_uring_disabled)" },
	{ "function hooks", check_name_hooks,
	  "use a kernel with CONFIG_SECURITY_PATH=y and "
	  "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS=y" },
	{ "capabilities", check_capabilities,
	  "run as root (sudo), or grant CAP_BPF and CAP_PERFMON" },
	{ "kernel lockdown", check_lockdown, "boot with lockdown=integrity or lockdown=none" },
	{ "locked memory", check_memlock,
	  "where loading fails: ulimit -l unlimited, or LimitMEMLOCK=infinity" },
	{ "control groups", check_cgroups,
	  "mount -t cgroup2 none /sys/fs/cgroup, or give the container the host's" },
	{ "bpf sysctl", check_sysctl, NULL },
	{ "tracefs", check_tracefs, NULL },
};
_Static_assert(ARRAY_LEN(checks) <= PROBES_FEATURE_MAX, "the caller's array holds them all");

unsigned probes_check_host(struct probes_feature ret[PROBES_FEATURE_MAX])
{
	struct host_types *types = host_types_read();

	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		ret[i] = (struct probes_feature){ .name = checks[i].name };
		ret[i].state = checks[i].check(types, &ret[i]);
		if (ret[i].state != FEATURE_PRESENT)
			ret[i].fix = checks[i].fix;
	}
	host_types_free(types);
	return ARRAY_LEN(checks);
}
