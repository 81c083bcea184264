/*
 * Event codes, sets of them, and the table of system calls against the headers of the build host.
 */
#include <criterion/criterion.h>
#include <sys/syscall.h>

#include "haetae/event.h"

static const struct {
	const char *name;
	int x86_64, arm64, i386;
} rows[] = {
#define SYSCALL(name, x86_64, arm64, i386) { #name, x86_64, arm64, i386 },
#include "haetae/syscalls.def"
};

static int native(size_t i)
{
#ifdef __x86_64__
	return rows[i].x86_64;
#else
	return rows[i].arm64;
#endif
}

Test(codes, table_is_sorted_and_unique)
{
	bool is_x86_64[WIRE_SYSCALL_MAX] = { 0 }, is_arm64[WIRE_SYSCALL_MAX] = { 0 },
	     is_i386[WIRE_SYSCALL_MAX] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const int numbers[] = { rows[i].x86_64, rows[i].arm64, rows[i].i386 };
		bool *seen[] = { is_x86_64, is_arm64, is_i386 };

		/* The lookup is a binary search. */
		cr_expect(i == 0 || strcmp(rows[i - 1].name, rows[i].name) < 0, "%s", rows[i].name);
		for (size_t k = 0; k < ARRAY_LEN(numbers); k++) {
			cr_assert(numbers[k] < WIRE_SYSCALL_MAX, "%s", rows[i].name);
			if (numbers[k] < 0)
				continue;
			cr_expect(!seen[k][numbers[k]], "%s: number %d again", rows[i].name,
				  numbers[k]);
			seen[k][numbers[k]] = true;
		}
	}
}

Test(codes, numbers_are_the_kernels)
{
	static const struct {
		const char *name;
		int number;
	} cases[] = {
		{ "read", SYS_read },	      { "openat", SYS_openat },
		{ "openat2", SYS_openat2 },   { "execve", SYS_execve },
		{ "execveat", SYS_execveat }, { "connect", SYS_connect },
		{ "unlinkat", SYS_unlinkat }, { "ptrace", SYS_ptrace },
		{ "clone3", SYS_clone3 },     { "init_module", SYS_init_module },
		{ "bpf", SYS_bpf },	      { "memfd_create", SYS_memfd_create },
		{ "setns", SYS_setns },	      { "io_uring_setup", SYS_io_uring_setup },
		{ "file_setattr", 469 },      { "mseal", 462 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cr_expect_eq(syscall_number(str_from(cases[i].name)), cases[i].number, "%s",
			     cases[i].name);
		cr_expect_str_eq(syscall_name((unsigned)cases[i].number), cases[i].name);
	}
	cr_expect_eq(syscall_number(STR("no_such_call")), -1);
	cr_expect_eq(syscall_number(STR("")), -1);
	cr_expect_null(syscall_name(WIRE_SYSCALL_MAX));
	cr_expect_null(syscall_name(WIRE_SYSCALL_MAX - 1));
	cr_expect_null(syscall_name(WIRE_NO_SYSCALL));
}

#ifdef __x86_64__
Test(codes, compat_numbers)
{
	static const struct {
		unsigned i386;
		const char *native; /* NULL: none */
	} cases[] = {
		{ 5, "open" },	   { 11, "execve" },	  { 295, "openat" },	{ 437, "openat2" },
		{ 213, "setuid" }, { 23, "setuid" },	  { 212, "chown" },	{ 192, "mmap" },
		{ 22, "umount2" }, { 300, "newfstatat" }, { 452, "fchmodat2" }, { 462, "mseal" },
		{ 422, "futex" },  { 7, "wait4" },	  { 362, "connect" },	{ 102, NULL },
		{ 117, NULL },	   { 17, NULL },	  { 500, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int expected = cases[i].native ? syscall_number(str_from(cases[i].native)) : -1;

		cr_expect_eq(syscall_native_of_i386(cases[i].i386), expected, "i386 %u: %d",
			     cases[i].i386, syscall_native_of_i386(cases[i].i386));
	}
}
#endif

Test(codes, find)
{
	int lseek = EVENT_CODE_SYSCALL + syscall_number(STR("lseek"));
	const struct {
		const char *name;
		int code;
	} cases[] = {
		{ "openat", EVENT_OPENAT },
		{ "execve", EVENT_EXECVE },
		{ "procexit", EVENT_PROCEXIT },
		{ "futex", EVENT_CODE_NEVER }, /* too frequent for anything */
		{ "pread64", EVENT_PREAD64 },
		{ "pread", EVENT_PREAD64 }, /* Falco's name */
		{ "lseek", lseek },
		{ "_llseek", lseek },
		{ "setuid32", EVENT_SETUID },
		{ "umount", EVENT_UMOUNT2 },
		{ "signaldeliver", EVENT_SIGNALDELIVER },
		{ "switch", EVENT_CODE_NEVER },
		{ "container", EVENT_CODE_NEVER },
		{ "asyncevent", EVENT_CODE_NEVER },
		{ "socketcall", EVENT_CODE_NEVER }, /* i386 alone has it */
		{ "send", EVENT_CODE_NEVER },
		{ "s390_pci_mmio_read", EVENT_CODE_NEVER },
		{ "syscall", EVENT_CODE_NEVER },
		{ "task_new", -1 }, /* a state record: no rule may name it */
		{ "unknown", -1 },
		{ "opena", -1 },
		{ "openatt", -1 },
		{ "OPENAT", -1 },
		{ "", -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(event_code_find(str_from(cases[i].name)), cases[i].code, "%s: %d",
			     cases[i].name, event_code_find(str_from(cases[i].name)));
}

Test(codes, every_code_of_all_is_found_by_its_name)
{
	struct event_set all;
	unsigned cnt = 0;

	event_set_all(&all);
	for (unsigned code = 0; code < (unsigned)EVENT_CODE__COUNT; code++) {
		const char *name = event_code_name(code);

		if (!event_set_has(&all, code))
			continue;
		cnt++;
		cr_assert_not_null(name, "code %u", code);
		cr_expect_eq(event_code_find(str_from(name)), (int)code, "%s", name);
	}
	cr_expect_gt(cnt, 300);
	cr_expect_not(event_set_has(&all, EVENT_UNKNOWN));
	cr_expect_not(event_set_has(&all, EVENT_GENERIC));
	cr_expect_not(event_set_has(&all, EVENT_TASK_NEW));
	cr_expect_not(event_set_has(&all, EVENT_TASK_SEED));
	/* A call with a row of its own is there once: under its row. */
	cr_expect_not(event_set_has(&all, EVENT_CODE_SYSCALL + SYS_openat));
	cr_expect_null(event_code_name(EVENT_CODE_NEVER));
	cr_expect_null(event_code_name(UINT32_MAX));
}

Test(codes, every_syscall_is_an_event_or_known)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int code = event_code_find(str_from(rows[i].name));

		cr_expect_geq(code, 0, "%s", rows[i].name);
		if (native(i) >= 0 && strcmp(rows[i].name, "futex") != 0)
			cr_expect_neq(code, EVENT_CODE_NEVER, "%s", rows[i].name);
	}
}

Test(codes, wanted_syscalls)
{
	static uint16_t type_of[WIRE_SYSCALL_MAX];
	bool is_evaluated[EVENT__COUNT];
	struct event_set set = { 0 };
	unsigned cnt = 0;

	memset(type_of, 0xff, sizeof(type_of));
	memset(is_evaluated, 1, sizeof(is_evaluated));
	event_set_add(&set, EVENT_OPENAT);
	event_set_add(&set, EVENT_PROCEXIT);
	event_set_add(&set, EVENT_CODE_SYSCALL + SYS_ptrace);
	event_set_add(&set, EVENT_CODE_NEVER); /* changes nothing */
	event_set_syscalls(&set, type_of, is_evaluated);
	for (unsigned nr = 0; nr < WIRE_SYSCALL_MAX; nr++)
		cnt += type_of[nr] != EVENT_UNKNOWN;
	cr_expect_eq(cnt, 2);
	cr_expect_eq(type_of[SYS_openat], EVENT_OPENAT);
	cr_expect_eq(type_of[SYS_ptrace], EVENT_GENERIC);
	for (unsigned type = 0; type < EVENT__COUNT; type++)
		cr_expect_eq(is_evaluated[type], type == EVENT_OPENAT || type == EVENT_PROCEXIT ||
							 type == EVENT_GENERIC);
}
