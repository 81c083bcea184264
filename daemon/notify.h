/*
 * Telling the service manager how the daemon is: the protocol of sd_notify(3), a datagram of
 * NAME=VALUE lines to the socket of $NOTIFY_SOCKET. Without one nothing is told.
 */
#ifndef HAETAE_DAEMON_NOTIFY_H
#define HAETAE_DAEMON_NOTIFY_H

#include "haetae/base.h"

/* Before other threads start, and before privileges are dropped: reads the environment and takes
 * out of it what children must not have. 0 or a negative errno: nothing is told. */
int notify_open(void);
void notify_close(void);

/* From any thread; each returns at once, whether anybody listens or not. `status`: one line. */
void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);
/* The engine lives. Sent as often as the manager asks for, however often it is called. */
void notify_alive(uint64_t now_ns);

#endif
