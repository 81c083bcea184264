/*
 * The smallest program: waits for a signal. It is made here, not taken from the host, so that a
 * test can put it anywhere, with any mode, and find its process unchanged in /proc.
 */
#ifndef HAETAE_TEST_PROGRAM_H
#define HAETAE_TEST_PROGRAM_H

/* Writes it to an open file. Fails the actor where it can't. */
void program_write(int fd);
/* Makes a file of it with this mode. */
void program_make(const char *path, unsigned mode);

#endif
