/*
 * Reaches a host without waiting: resolves its name, connects to one address after another.
 * Outputs thread only.
 */
#ifndef HAETAE_OUTPUTS_CONNECTOR_H
#define HAETAE_OUTPUTS_CONNECTOR_H

#include "haetae/base.h"

struct gaicb;
struct addrinfo;

struct connector {
	char host[256], port[8];
	int socket_type;	     /* SOCK_STREAM, SOCK_DGRAM */
	struct gaicb *request;	     /* owned: a name being resolved */
	struct addrinfo *addresses;  /* owned */
	const struct addrinfo *next; /* to try when the present one fails */
	int fd;			     /* being connected; -1: none */
	uint64_t until_ns;	     /* for this step */
	char error[128];	     /* of the last failure */
};

/* host and port of "HOST:PORT", "[V6]:PORT" or "HOST" with this port. False where it is none. */
bool connector_init(struct connector *connector, const char *address, const char *port,
		    int socket_type);
/* Gives up what is under way. */
void connector_reset(struct connector *connector);

#define CONNECTOR_E_WAIT   1 /* wait until *ret_fd (-1: none) is writable or *ret_wake_ns */
#define CONNECTOR_E_FAILED 2 /* `error` says why; the next call begins anew */
/* 0: *ret_fd is a connected, non-blocking socket, the caller's. */
int connector_step(struct connector *connector, uint64_t now_ns, int *ret_fd,
		   uint64_t *ret_wake_ns);

#endif
