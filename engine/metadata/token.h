/*
 * A bearer token in a file that is written anew from time to time (a service account's).
 */
#ifndef METADATA_TOKEN_H
#define METADATA_TOKEN_H

#include <sys/stat.h>

#include "haetae/buf.h"

struct token {
	const char *path;  /* borrowed */
	struct buf header; /* owned: "Authorization: Bearer …"; never to be logged */
	struct stat seen;
	uint64_t checked_ns; /* boot time; 0: not yet */
};

void token_init(struct token *token, const char *path);
/* Wipes it. */
void token_done(struct token *token);
/* Reads the file where it has changed; looks at most each 10 s unless `now_at_once` (a server has
 * just refused the token). 1: read anew, 0: as before, negative errno: there is none to be had
 * (-EINVAL: what is there cannot be a token). */
int token_refresh(struct token *token, uint64_t now_ns, bool now_at_once);

#endif
