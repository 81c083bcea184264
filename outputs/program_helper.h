/*
 * The helper of a program sink: a process that was forked before privileges were dropped, runs as
 * the sink's user, and starts the program as often as it is asked.
 */
#ifndef HAETAE_OUTPUTS_PROGRAM_HELPER_H
#define HAETAE_OUTPUTS_PROGRAM_HELPER_H

#include <stdint.h>
#include <sys/types.h>

/* Messages on its socket (SOCK_SEQPACKET). To it: */
#define HELPER_START 'S'
/* From it; PIPE carries the writing end of the program's standard input. */
#define HELPER_PIPE   'P'
#define HELPER_ENDED  'E' /* value: wait(2)'s status */
#define HELPER_FAILED 'F' /* value: an errno; nothing was started */

struct helper_message {
	char kind;
	int32_t value;
};

/* Forks. arguments: ended by NULL, no shell. user: by name; without root the user stays. 0, -ENOENT
 * where there is no such user, or another negative errno. The helper ends when *ret_fd is closed,
 * and the program some seconds later if it does not end by itself. */
int program_helper_start(const char *const *arguments, const char *user, int *ret_fd,
			 pid_t *ret_pid);

#endif
