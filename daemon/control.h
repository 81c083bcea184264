/*
 * The control socket: what a running daemon answers to its own user and to root, a line of JSON a
 * request. It lives in the loop of the outputs thread, as the HTTP server does.
 *
 *	{"command":"version"}	{"ok":true,"version":"…","protocol":1,"pid":N}
 *	{"command":"ping"}	{"ok":true,"ready":…} as /readyz, and the socket's own numbers
 *	{"command":"rules"}	{"ok":true,"rules":["…"]}: those that are enabled
 *	{"command":"alerts"}	{"ok":true}, then each alert that is raised from then on, as JSON;
 *				{"lost":N} where a reader was so slow that N were left out
 *	{"command":"status"}	{"ok":true, …}: the state of the whole (status.h)
 *	{"command":"top"}	the same with the rules' counters and the busiest containers
 *	{"command":"reload"}	{"ok":true,"request":N}: "status" tells in reload.done whether it is
 *				over
 *
 * What cannot be done is answered {"ok":false,"error":"…"}.
 */
#ifndef HAETAE_DAEMON_CONTROL_H
#define HAETAE_DAEMON_CONTROL_H

#include "metrics.h"

#define CONTROL_PROTOCOL    1
#define CONTROL_CLIENTS_MAX 16

struct control; /* opaque */
struct reload;

struct control_stats {
	uint32_t clients, subscribers; /* now */
	uint64_t accepted;
	uint64_t refused;    /* neither root nor our own user */
	uint64_t crowded;    /* hung up on: no room, or a request that was too long or not read */
	uint64_t sent, lost; /* alerts, each once a subscriber */
};

/* Binds and listens; before privileges are dropped. What is borrowed outlives the object. 0 or a
 * negative errno, see control_socket_open(). */
int control_new(const char *path, struct metrics *metrics, const struct ruleset *ruleset,
		struct control **ret);
struct control *control_free(struct control *control);
/* Before they run; reload outlives them. */
void control_set_reload(struct control *control, struct reload *reload);
/* What "status" tells of the sinks; before they run. */
void control_set_outputs(struct control *control, struct outputs *outputs);
/* For outputs_config: what the outputs thread calls. */
struct outputs_guest control_guest(struct control *control);
/* In the guest's step, or when the outputs thread has ended. */
void control_stats(const struct control *control, struct control_stats *ret);

#endif
