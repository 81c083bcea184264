/*
 * Whether openat2(2) works here. Every kernel that haetae runs on has it (5.6), qemu-user before
 * 9.1 does not: there, tests of paths below a root folder skip and say so.
 */
#ifndef TEST_SUPPORT_OPENAT2_H
#define TEST_SUPPORT_OPENAT2_H

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline void skip_without_openat2(void)
{
	/* The size is wrong: nothing is opened. */
	if (syscall(SYS_openat2, -1, "", NULL, 0) < 0 && errno == ENOSYS)
		cr_skip_test("no openat2 here (qemu-user)");
}

#endif
