/*
 * Event codes: what evt.type can be. Names of events, of system calls of every architecture that we
 * know, and of Falco's events that have no counterpart. Owns constant data only; any thread.
 */
#include "event_private.h"

struct syscall_row {
	const char *name;
	int16_t number, compat_number; /* native and i386 */
};

/* Sorted by name (strcmp), as syscalls.def is. */
static const struct syscall_row rows[] = {
#if defined(__x86_64__)
#define SYSCALL(name, x86_64, arm64, i386) { #name, x86_64, i386 },
#elif defined(__aarch64__)
/* A 32-bit program there makes arm's calls, which the table has not. */
#define SYSCALL(name, x86_64, arm64, i386) { #name, arm64, -1 },
#else
#error "syscalls.def has no column for this architecture"
#endif
#include "haetae/syscalls.def"
};

/* By number. The last entry takes the names that this architecture has not. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const char *const names_by_number[WIRE_SYSCALL_MAX + 1] = {
#if defined(__x86_64__)
#define SYSCALL(name, x86_64, arm64, i386) [x86_64 < 0 ? WIRE_SYSCALL_MAX : x86_64] = #name,
#else
#define SYSCALL(name, x86_64, arm64, i386) [arm64 < 0 ? WIRE_SYSCALL_MAX : arm64] = #name,
#endif
#include "haetae/syscalls.def"
};
#pragma GCC diagnostic pop

/* Another name for the same call: Falco's, or a 32-bit call that differs from the native one only
 * in the width of a type (arch/x86/entry/syscalls/syscall_32.tbl). Sorted by the first. */
static const struct {
	const char *alias, *name;
} aliases[] = {
	{ "_llseek", "lseek" },
	{ "_newselect", "select" },
	{ "chown32", "chown" },
	{ "clock_adjtime64", "clock_adjtime" },
	{ "clock_getres_time64", "clock_getres" },
	{ "clock_gettime64", "clock_gettime" },
	{ "clock_nanosleep_time64", "clock_nanosleep" },
	{ "clock_settime64", "clock_settime" },
	{ "fadvise64_64", "fadvise64" },
	{ "fchown32", "fchown" },
	{ "fcntl64", "fcntl" },
	{ "fstat64", "fstat" },
	{ "fstatat", "newfstatat" },
	{ "fstatat64", "newfstatat" },
	{ "fstatfs64", "fstatfs" },
	{ "ftruncate64", "ftruncate" },
	{ "futex_time64", "futex" },
	{ "getegid32", "getegid" },
	{ "geteuid32", "geteuid" },
	{ "getgid32", "getgid" },
	{ "getgroups32", "getgroups" },
	{ "getresgid32", "getresgid" },
	{ "getresuid32", "getresuid" },
	{ "getuid32", "getuid" },
	{ "io_pgetevents_time64", "io_pgetevents" },
	{ "lchown32", "lchown" },
	{ "llseek", "lseek" },
	{ "lstat64", "lstat" },
	{ "mmap2", "mmap" },
	{ "mq_timedreceive_time64", "mq_timedreceive" },
	{ "mq_timedsend_time64", "mq_timedsend" },
	{ "oldfstat", "fstat" },
	{ "oldlstat", "lstat" },
	{ "oldolduname", "uname" },
	{ "oldstat", "stat" },
	{ "olduname", "uname" },
	{ "ppoll_time64", "ppoll" },
	{ "pread", "pread64" },
	{ "prlimit", "prlimit64" },
	{ "pselect6_time64", "pselect6" },
	{ "pwrite", "pwrite64" },
	{ "recvmmsg_time64", "recvmmsg" },
	{ "rt_sigtimedwait_time64", "rt_sigtimedwait" },
	{ "sched_rr_get_interval_time64", "sched_rr_get_interval" },
	{ "semtimedop_time64", "semtimedop" },
	{ "sendfile64", "sendfile" },
	{ "setfsgid32", "setfsgid" },
	{ "setfsuid32", "setfsuid" },
	{ "setgid32", "setgid" },
	{ "setgroups32", "setgroups" },
	{ "setregid32", "setregid" },
	{ "setresgid32", "setresgid" },
	{ "setresuid32", "setresuid" },
	{ "setreuid32", "setreuid" },
	{ "setuid32", "setuid" },
	{ "sigaction", "rt_sigaction" },
	{ "sigpending", "rt_sigpending" },
	{ "sigprocmask", "rt_sigprocmask" },
	{ "sigreturn", "rt_sigreturn" },
	{ "sigsuspend", "rt_sigsuspend" },
	{ "stat64", "stat" },
	{ "statfs64", "statfs" },
	{ "timer_gettime64", "timer_gettime" },
	{ "timer_settime64", "timer_settime" },
	{ "timerfd_gettime64", "timerfd_gettime" },
	{ "timerfd_settime64", "timerfd_settime" },
	{ "truncate64", "truncate" },
	{ "ugetrlimit", "getrlimit" },
	{ "umount", "umount2" },
	{ "utimensat_time64", "utimensat" },
	{ "waitpid", "wait4" },
};

/* Names that a rule for Falco may hold and that nothing here raises: its meta events, and calls of
 * architectures that we don't run on. Sorted. */
static const char *const never[] = {
	"NA1",
	"NA2",
	"NA3",
	"arm_fadvise64_64",
	"arm_sync_file_range",
	"asyncevent",
	"container",
	"cpu_hotplug",
	"drop",
	"group_added",
	"group_deleted",
	"groupadded",
	"groupdeleted",
	"infra",
	"k8s",
	"mesos",
	"multiplexer",
	"notification",
	"page_fault",
	"pciconfig_iobase",
	"pciconfig_read",
	"pciconfig_write",
	"pluginevent",
	"procinfo",
	"recv",
	"riscv_flush_icache",
	"riscv_hwprobe",
	"rtas",
	"s390_guarded_storage",
	"s390_pci_mmio_read",
	"s390_pci_mmio_write",
	"s390_runtime_instr",
	"s390_sthyi",
	"scapevent",
	"send",
	"spu_create",
	"spu_run",
	"subpage_prot",
	"switch",
	"switch_endian",
	"swapcontext",
	"sync_file_range2",
	"sys_debug_setcontext",
	"syscall",
	"sysdigevent",
	"timerfd",
	"tracer",
	"useradded",
	"userdeleted",
	"user_added",
	"user_deleted",
};

/* Calls that programs make all the time, so that looking at them costs the whole machine: only a
 * rule that names one gets it. Sorted. */
static const char *const frequent[] = {
	"brk",
	"clock_gettime",
	"clock_nanosleep",
	"close",
	"epoll_ctl",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_wait",
	"fstat",
	"getpid",
	"getppid",
	"getrandom",
	"gettid",
	"gettimeofday",
	"lseek",
	"madvise",
	"mmap",
	"munmap",
	"nanosleep",
	"poll",
	"ppoll",
	"pread64",
	"preadv",
	"preadv2",
	"pselect6",
	"pwrite64",
	"pwritev",
	"pwritev2",
	"read",
	"readv",
	"recvfrom",
	"recvmmsg",
	"recvmsg",
	"restart_syscall",
	"rseq",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sched_yield",
	"select",
	"sendmmsg",
	"sendmsg",
	"sendto",
	"time",
	"write",
	"writev",
};

/* More frequent still, and nothing but waiting for each other: not even for a rule. */
static bool is_unobserved(struct str name)
{
	return str_eq_text(name, "futex");
}

/* strcmp of a view with a C string. */
static int compare(struct str name, const char *text)
{
	return str_cmp(name, str_from(text));
}

static const struct syscall_row *row_find(struct str name)
{
	size_t low = 0, high = ARRAY_LEN(rows);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare(name, rows[middle].name);

		if (order == 0)
			return &rows[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* The native call that an alias means, or NULL. */
static const char *alias_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		if (str_eq_text(name, aliases[i].alias))
			return aliases[i].name;
	}
	return NULL;
}

static bool is_never(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(never); i++) {
		if (str_eq_text(name, never[i]))
			return true;
	}
	return false;
}

/* An event with a row of its own that rules can see. */
static bool is_visible(const struct event_schema *schema)
{
	return !(schema->flags & EVENT_STATE) && schema->type != EVENT_GENERIC;
}

static int event_type_find(struct str name)
{
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		const struct event_schema *schema = event_schema_get((enum event_type)type);

		if (is_visible(schema) && str_eq_text(name, schema->name))
			return (int)type;
	}
	return -1;
}

/* The code of an event or of a call that this architecture has; -1: neither. */
static int code_find_native(struct str name)
{
	int type = event_type_find(name), number;

	if (type >= 0) {
		/* open, creat and unlink do not exist on arm64. */
		if (event_schema_get((enum event_type)type)->flags & EVENT_SYSCALL &&
		    syscall_number(name) < 0)
			return EVENT_CODE_NEVER;
		return type;
	}
	number = syscall_number(name);
	if (number >= 0 && is_unobserved(name))
		return EVENT_CODE_NEVER;
	return number < 0 ? -1 : EVENT_CODE_SYSCALL + number;
}

int event_code_find(struct str name)
{
	const char *target;
	int code = code_find_native(name);

	if (code >= 0)
		return code;
	target = alias_find(name);
	if (target) {
		code = code_find_native(str_from(target));
		return code >= 0 ? code : EVENT_CODE_NEVER;
	}
	return row_find(name) || is_never(name) ? EVENT_CODE_NEVER : -1;
}

const char *event_code_name(unsigned code)
{
	if (code < (unsigned)EVENT_CODE_SYSCALL)
		return event_schema_get((enum event_type)code)->name;
	return syscall_name(code - EVENT_CODE_SYSCALL);
}

int syscall_number(struct str name)
{
	const struct syscall_row *row = row_find(name);

	return row ? row->number : -1;
}

const char *syscall_name(unsigned nr)
{
	return nr < WIRE_SYSCALL_MAX ? names_by_number[nr] : NULL;
}

int syscall_native_of_i386(unsigned nr)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *target;

		if (rows[i].compat_number < 0 || (unsigned)rows[i].compat_number != nr)
			continue;
		if (rows[i].number >= 0)
			return rows[i].number;
		target = alias_find(str_from(rows[i].name));
		return target ? syscall_number(str_from(target)) : -1;
	}
	return -1;
}

void event_set_all(struct event_set *set)
{
	*set = (struct event_set){ 0 };
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		const struct event_schema *schema = event_schema_get((enum event_type)type);

		if (is_visible(schema) && code_find_native(str_from(schema->name)) == (int)type)
			event_set_add(set, type);
	}
	for (unsigned nr = 0; nr < WIRE_SYSCALL_MAX; nr++) {
		const char *name = syscall_name(nr);

		if (name && event_type_find(str_from(name)) < 0 && !is_unobserved(str_from(name)))
			event_set_add(set, EVENT_CODE_SYSCALL + nr);
	}
}

bool event_code_is_usual(unsigned code)
{
	const char *name = event_code_name(code);

	if (code < (unsigned)EVENT_CODE_SYSCALL &&
	    event_schema_get((enum event_type)code)->flags & EVENT_OWN)
		return false;
	for (size_t i = 0; name && i < ARRAY_LEN(frequent); i++)
		if (strcmp(frequent[i], name) == 0)
			return false;
	return true;
}

void event_set_syscalls(const struct event_set *set, uint16_t type_of_syscall[WIRE_SYSCALL_MAX],
			bool is_evaluated[EVENT__COUNT])
{
	memset(is_evaluated, 0, EVENT__COUNT * sizeof(*is_evaluated));
	for (unsigned nr = 0; nr < WIRE_SYSCALL_MAX; nr++) {
		bool is_wanted = event_set_has(set, EVENT_CODE_SYSCALL + nr);

		type_of_syscall[nr] = is_wanted ? EVENT_GENERIC : EVENT_UNKNOWN;
		is_evaluated[EVENT_GENERIC] |= is_wanted;
	}
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		const struct event_schema *schema = event_schema_get((enum event_type)type);
		int nr;

		if (!event_set_has(set, type) || !is_visible(schema))
			continue;
		is_evaluated[type] = true;
		nr = schema->flags & EVENT_SYSCALL ? syscall_number(str_from(schema->name)) : -1;
		if (nr >= 0)
			type_of_syscall[nr] = (uint16_t)type;
	}
}
