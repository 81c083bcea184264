/*
 * The daemon's answers to "status" and "top", for people.
 */
#ifndef CLI_STATUS_VIEW_H
#define CLI_STATUS_VIEW_H

#include <json-c/json.h>

#include "haetae/buf.h"

#include "args.h"

/* Connects to the socket, asks once and hangs up. An exit_code; problems went to stderr. The
 * caller puts *ret. */
int status_ask(const char *socket, const char *command, struct json_object **ret);

/* Members along the way, such as "events", "lost"; 0, "" or false where there is none. */
uint64_t status_number(struct json_object *status, const char *group, const char *key);
/* Safe for a terminal, at most `width` columns are kept of it. */
void status_put_text(struct buf *out, struct json_object *object, const char *key, int width);
bool status_is_ready(struct json_object *status);

void status_put_head(struct json_object *status, struct buf *out);
void status_view(struct json_object *status, struct buf *out);

#endif
