/*
 * One gzip member (RFC 1952) of a whole body.
 */
#ifndef HAETAE_OUTPUTS_GZIP_H
#define HAETAE_OUTPUTS_GZIP_H

#include "haetae/buf.h"

/* Appends to out. 0, or -ENOMEM where memory or out's limit is exhausted. */
int gzip_put(struct str body, struct buf *out);

#endif
