/*
 * The other end of the control socket (daemon/control.h).
 */
#ifndef CLI_CONTROL_CLIENT_H
#define CLI_CONTROL_CLIENT_H

#include <json-c/json.h>

#include "haetae/buf.h"

struct control_client {
	int fd; /* owned */
	struct buf in;
	size_t used; /* of in */
};

#define CONTROL_E_CLOSED 1 /* the daemon has ended, or hung up */
#define CONTROL_E_TIME	 2

/* 0 or a negative errno; -EPERM where what listens is neither root's nor this user's. */
int control_client_open(const char *path, struct control_client *ret);
void control_client_close(struct control_client *client);
/* Sends {"command":NAME} and waits for the answer, which the caller puts; whether it says "ok" is
 * left to the caller. 0, CONTROL_E_… or a negative errno. */
int control_client_ask(struct control_client *client, const char *command,
		       struct json_object **ret);
/* The next line, at the latest at `until_ns` (boot time). What is no JSON is -EPROTO. */
int control_client_read(struct control_client *client, uint64_t until_ns, struct json_object **ret);

#endif
