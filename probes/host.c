/*
 * Questions to the running host, and the words for what it can't do: every failure to load says
 * what is missing and what to do about it. Owns no data. Any thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "probes_private.h"

#define LOCKDOWN_PATH "/sys/kernel/security/lockdown"

bool host_has_btf(void)
{
	return access(BTF_PATH, R_OK) == 0;
}

enum host_lockdown host_lockdown(void)
{
	_cleanup_(close_fdp) int fd = open(LOCKDOWN_PATH, O_RDONLY | O_CLOEXEC);
	char text[128]; /* "none [integrity] confidentiality": the brackets mark the present one */
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return HOST_LOCKDOWN_UNKNOWN;
	text[n] = '\0';
	if (strstr(text, "[confidentiality]"))
		return HOST_LOCKDOWN_CONFIDENTIALITY;
	if (strstr(text, "[integrity]"))
		return HOST_LOCKDOWN_INTEGRITY;
	return HOST_LOCKDOWN_NONE;
}

/* Seccomp: 2 in /proc/self/status: a filter (proc_pid_status(5)). */
static bool has_seccomp_filter(void)
{
	_cleanup_(close_fdp) int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	char text[4096];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, "\nSeccomp:\t2") != NULL;
}

static bool has_capability(const struct __user_cap_data_struct sets[2], unsigned number)
{
	return sets[number / 32].effective & (1u << (number % 32));
}

const char *host_missing_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { 0 };
	bool has_bpf, has_perfmon;

	if (syscall(SYS_capget, &header, sets) || has_capability(sets, CAP_SYS_ADMIN))
		return NULL;
	has_bpf = has_capability(sets, CAP_BPF);
	has_perfmon = has_capability(sets, CAP_PERFMON);
	if (has_bpf)
		return has_perfmon ? NULL : "CAP_PERFMON";
	return has_perfmon ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";
}

bool host_has_btf_name(const char *name)
{
	struct host_types *types = host_types_read();
	bool has = host_types_have(types, name);

	host_types_free(types);
	return has;
}

void host_raise_memlock(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0 || getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_MEMLOCK, &limit);
}

/* From 5.11 on BPF memory is charged to the control group instead. */
static bool is_memlock_charged(const struct host_types *types)
{
	int64_t value;

	return types &&
	       !host_types_enumerator(types, "bpf_func_id", "BPF_FUNC_ktime_get_coarse_ns", &value);
}

/* What the kernel lacks altogether; NULL: nothing that we know of. */
static const char *missing_kernel_part(const struct host_types *types)
{
	int64_t value;

	if (host_tracepoint_arguments(types, "sys_exit") < 0)
		return "the sys_exit tracepoint (CONFIG_FTRACE_SYSCALLS)";
	if (!host_types_enumerator(types, "bpf_map_type", "BPF_MAP_TYPE_RINGBUF", &value))
		return "the BPF ring buffer (kernel 5.8)";
	if (!host_types_have(types, "bpf_iter__task"))
		return "the BPF task iterator (kernel 5.8)";
	return NULL;
}

static void explain(struct probes_error *reterr, const char *step, const char *what,
		    const char *fix)
{
	snprintf(reterr->what, sizeof(reterr->what), "%s failed: %s", step, what);
	snprintf(reterr->fix, sizeof(reterr->fix), "%s", fix);
}

static void explain_refusal(const char *step, const struct host_types *types,
			    struct probes_error *reterr)
{
	const char *missing = host_missing_capabilities();
	char what[128];

	if (missing) {
		snprintf(what, sizeof(what), "this process lacks %s", missing);
		explain(reterr, step, what,
			"run as root (sudo), or grant CAP_BPF and CAP_PERFMON (setcap, or the "
			"container's securityContext.capabilities)");
	} else if (host_lockdown() == HOST_LOCKDOWN_CONFIDENTIALITY) {
		explain(reterr, step,
			"kernel lockdown is at \"confidentiality\", where BPF may not read the "
			"kernel",
			"boot with lockdown=integrity or lockdown=none");
	} else if (is_memlock_charged(types)) {
		explain(reterr, step,
			"the limit of locked memory (RLIMIT_MEMLOCK) is too low: kernels before "
			"5.11 "
			"charge BPF memory to it",
			"raise it: ulimit -l unlimited, LimitMEMLOCK=infinity, or grant "
			"CAP_SYS_RESOURCE");
	} else if (has_seccomp_filter()) {
		explain(reterr, step,
			"the kernel refused bpf(2) although the capabilities are there, and this "
			"process runs under a seccomp filter",
			"allow bpf(2) in the seccomp profile (Docker and podman have it only with "
			"CAP_SYS_ADMIN)");
	} else {
		explain(reterr, step,
			"the kernel refused bpf(2) although the capabilities are there",
			"allow bpf(2) in the seccomp profile and the security module; haetae "
			"doctor "
			"shows what the host offers");
	}
}

/* Errors that say by their number what is short. */
static bool explain_limit(const char *step, int error, struct probes_error *reterr)
{
	static const struct {
		int error;
		const char *what, *fix;
	} limits[] = {
		{ -EMFILE, "this process may not open that many files (RLIMIT_NOFILE)",
		  "raise the limit: ulimit -n 1024, or LimitNOFILE=1024" },
		{ -ENFILE, "no process may open another file (fs.file-max is reached)",
		  "raise the sysctl fs.file-max, or end what holds so many files" },
		{ -ENOMEM, "there is not enough memory for the BPF programs and ring buffers",
		  "give the daemon's cgroup more memory, or make the rings smaller "
		  "(probes.ring_size, probes.lifecycle_ring_size)" },
		{ -E2BIG, "the kernel finds the programs too large, or a map too large for it",
		  "make the rings smaller (probes.ring_size, probes.lifecycle_ring_size); if that "
		  "does not help, report it with the output of haetae doctor" },
		{ -ENOSYS, "the kernel has no bpf(2), or a seccomp profile hides it",
		  "allow bpf(2) in the seccomp profile, or use a kernel built with "
		  "CONFIG_BPF_SYSCALL=y" },
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		if (limits[i].error != error)
			continue;
		explain(reterr, step, limits[i].what, limits[i].fix);
		return true;
	}
	return false;
}

/* The last line of libbpf's output. */
static void put_last_line(const char *log, char *ret, size_t size)
{
	size_t end = strlen(log), start;

	while (end > 0 && log[end - 1] == '\n')
		end--;
	start = end;
	while (start > 0 && log[start - 1] != '\n')
		start--;
	snprintf(ret, size, "%.*s", (int)MIN(end - start, size - 1), log + start);
}

int host_explain(const char *step, int error, const char *log, struct probes_error *reterr)
{
	struct host_types *types;
	const char *missing;
	char last[160] = "", what[224];

	/* Who lacks the rights is told so first; descriptors run out before it comes to that. */
	if ((error == -EMFILE || !host_missing_capabilities()) &&
	    explain_limit(step, error, reterr))
		return PROBES_E_HOST;
	errno = 0;
	types = host_types_read();
	/* Reading them takes a descriptor and some MiB of its own. */
	if (!types && explain_limit("reading the kernel's types", -errno, reterr))
		return PROBES_E_HOST;
	if (!types) {
		explain(reterr, step, "the kernel gives no type information (" BTF_PATH ")",
			"use a kernel of 5.8 or newer built with CONFIG_DEBUG_INFO_BTF=y, and "
			"mount "
			"sysfs on /sys");
		return PROBES_E_HOST;
	}
	missing = missing_kernel_part(types);
	/* EACCES is the verifier's word, not a matter of rights. */
	if (error == -EPERM || host_missing_capabilities()) {
		explain_refusal(step, types, reterr);
	} else if (missing) {
		snprintf(what, sizeof(what), "the kernel has not got %s", missing);
		explain(reterr, step, what, "use a kernel of 5.8 or newer with it built in");
	} else {
		put_last_line(log ? log : "", last, sizeof(last));
		snprintf(what, sizeof(what), "%s%s%s", strerror(-error), *last ? "; " : "", last);
		explain(reterr, step, what, "haetae doctor shows what the host offers");
	}
	host_types_free(types);
	return PROBES_E_HOST;
}
