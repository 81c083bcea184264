/*
 * The HTTP server of metrics and health. It lives in the loop of the outputs thread (decision 37):
 * no thread of its own, and the sinks' numbers are at hand there.
 */
#ifndef HAETAE_DAEMON_SERVER_H
#define HAETAE_DAEMON_SERVER_H

#include "metrics.h"

struct server; /* opaque */

/* Binds and listens; before privileges are dropped. metrics outlives the server. 0 or a negative
 * errno. */
int server_new(const char *listen, struct metrics *metrics, struct server **ret);
struct server *server_free(struct server *server);
/* For outputs_config: what the outputs thread calls. */
struct outputs_guest server_guest(struct server *server);
/* Whose numbers are shown; before the outputs thread runs. */
void server_set_outputs(struct server *server, struct outputs *outputs);
/* "127.0.0.1:9479", with the port that port 0 became. */
const char *server_address(const struct server *server);

#endif
