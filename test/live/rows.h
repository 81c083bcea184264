/*
 * System calls as rows of a table: the actor makes each call, and the event's parameters, as
 * evt.args prints them, must be what the row says.
 */
#ifndef HAETAE_TEST_LIVE_ROWS_H
#define HAETAE_TEST_LIVE_ROWS_H

#include "live.h"

struct row {
	const char *name;
	long nr;
	uint64_t arguments[6];
	bool fails;
	/* What evt.args shows. In it, %r is the result as libc gave it, as parameters of type ERROR
	 * or FD print one; %d the actor's working directory; %0 to %7 what rows_note() noted; and *
	 * anything up to the next blank or
	 * what follows the star. */
	const char *args;
	/* Not 0: the call is made by int 0x80 with this number, and `nr` is what it must be told
	 * as. What an argument points to is copied to where 32 bits can point to. Left out where
	 * the machine has no such calls. */
	unsigned ia32;
};

/* In the actor: a text that rows name by %0 to %7; at most 127 bytes. */
void rows_note(unsigned number, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Runs the rows in order. `prepare` is run by the actor before it is watched; or NULL. Rows whose
 * call the kernel does not have (ENOSYS) still are events. */
void rows_run(const struct row *rows, size_t cnt, void (*prepare)(void));

#endif
