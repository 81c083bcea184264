/*
 * The daemon's own system calls: what it has no use for after its start is refused.
 */
#ifndef HAETAE_DAEMON_SYSCALL_FILTER_H
#define HAETAE_DAEMON_SYSCALL_FILTER_H

/* For this thread and all that it starts from here on; needs no_new_privs or CAP_SYS_ADMIN. Cannot
 * be undone. 0 or a negative errno: nothing is refused then. */
int syscall_filter_install(void);

/* The names that are refused, for tests and documentation; NULL behind the last. */
const char *syscall_filter_name(unsigned index);

#endif
