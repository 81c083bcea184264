/*
 * Numbers of other conventions: a wrong row would report one call under another's name.
 */
#include <criterion/criterion.h>
#include <sys/syscall.h>

#include "haetae/event.h"
#include "probes_private.h"

#ifdef __x86_64__
struct row {
	const char *name;
	uint32_t number;
	uint16_t native;
};

/* From arch/x86/entry/syscalls/syscall_32.tbl. */
static const struct row ia32_rows[] = {
	{ "exit", 1, SYS_exit },
	{ "open", 5, SYS_open },
	{ "creat", 8, SYS_creat },
	{ "unlink", 10, SYS_unlink },
	{ "execve", 11, SYS_execve },
	{ "mmap2", 192, SYS_mmap },
	{ "setuid32", 213, SYS_setuid },
	{ "fcntl64", 221, SYS_fcntl },
	{ "openat", 295, SYS_openat },
	{ "unlinkat", 301, SYS_unlinkat },
	{ "execveat", 358, SYS_execveat },
	{ "connect", 362, SYS_connect },
	{ "utimensat_time64", 412, SYS_utimensat },
	{ "openat2", 437, SYS_openat2 },
	/* One call that stands for many, and numbers that no call has. */
	{ "socketcall", 102, COMPAT_NONE },
	{ "ipc", 117, COMPAT_NONE },
	{ "hole", 223, COMPAT_NONE },
	{ "behind the table", WIRE_SYSCALL_MAX, COMPAT_NONE },
	{ "far behind", UINT32_MAX, COMPAT_NONE },
};

/* From syscall_64.tbl, rows "x32". */
static const struct row x32_rows[] = {
	{ "rt_sigaction", 512, SYS_rt_sigaction }, { "execve", 520, SYS_execve },
	{ "execveat", 545, SYS_execveat },	   { "pwritev2", 547, SYS_pwritev2 },
	{ "a shared number", 2, COMPAT_NONE },	   { "behind the table", 548, COMPAT_NONE },
	{ "far behind", UINT32_MAX, COMPAT_NONE },
};

Test(compat_calls, numbers)
{
	for (size_t i = 0; i < ARRAY_LEN(ia32_rows); i++)
		cr_expect(compat_native_number(ia32_rows[i].number) == ia32_rows[i].native,
			  "ia32 %s is %u", ia32_rows[i].name,
			  compat_native_number(ia32_rows[i].number));
	for (size_t i = 0; i < ARRAY_LEN(x32_rows); i++)
		cr_expect(compat_x32_number(x32_rows[i].number) == x32_rows[i].native,
			  "x32 %s is %u", x32_rows[i].name, compat_x32_number(x32_rows[i].number));
}
#else
Test(compat_calls, numbers)
{
	cr_expect(compat_native_number(5) == COMPAT_NONE, "no table, no call");
}
#endif

#ifdef __x86_64__
/* A call that is missing in one of the two tables could be made unseen by `int 0x80`. */
Test(compat_calls, agree_with_the_events_table)
{
	for (uint32_t i = 0; i < WIRE_SYSCALL_MAX; i++) {
		int expected = syscall_native_of_i386(i);
		uint16_t native = compat_native_number(i);

		cr_expect(expected < 0 ? native == COMPAT_NONE : native == expected,
			  "ia32 %u is %u, not %d", i, native, expected);
	}
}
#endif

/* Every native number that a table gives must be one that the `wanted` table has. */
Test(compat_calls, range)
{
	for (uint32_t i = 0; i < 2 * WIRE_SYSCALL_MAX; i++) {
		uint16_t native = compat_native_number(i), x32 = compat_x32_number(i);

		cr_expect(native == COMPAT_NONE || native < WIRE_SYSCALL_MAX, "ia32 %u: %u", i,
			  native);
		cr_expect(x32 == COMPAT_NONE || x32 < WIRE_SYSCALL_MAX, "x32 %u: %u", i, x32);
	}
}
