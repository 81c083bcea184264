/*
 * Whether json-c may be given a text that somebody else sent: it takes up to 1 KiB for an empty
 * object, so that a megabyte of "[{},{},…" would take several hundred.
 */
#ifndef HAETAE_JSON_BOUND_H
#define HAETAE_JSON_BOUND_H

#include "haetae/base.h"

/* Brackets that are open at once. */
#define JSON_BOUND_DEPTH 40
/* Objects; an array costs as much as half of one, a member or an element a twentieth. */
#define JSON_BOUND_OBJECTS 65536

/* Counts outside of strings, before anything is allocated. That the text is JSON is json-c's to
 * say, but for what json-c takes beside it and what would hide brackets from the count: strings and
 * keys in single quotes (keys also where JSON_TOKENER_STRICT is set), and comments. */
bool json_is_bounded(struct str text);

#endif
