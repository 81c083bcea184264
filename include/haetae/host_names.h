/*
 * Host names that rules compare addresses with (fd.sip.name = example.org): a thread that resolves
 * them, since resolving may take seconds, and the engine's table of what came of it.
 */
#ifndef HAETAE_HOST_NAMES_H
#define HAETAE_HOST_NAMES_H

#include "haetae/base.h"

/* IPv4 as ::ffff:a.b.c.d, so that both families compare alike. */
struct host_address {
	uint8_t bytes[16];
};
/* From 4 or 16 bytes in network order; false for another length. */
bool host_address_from(const uint8_t *address, unsigned length, struct host_address *ret);

#define HOST_NAMES_MAX		1024 /* of one ruleset */
#define HOST_NAME_ADDRESSES_MAX 64   /* of one name; more are left out and counted */

/* ---- the engine's table --------------------------------------------------------------------- */

struct host_names; /* opaque; engine thread */

/* Copies the names. 0 or -ENOMEM. */
int host_names_new(const struct str *names, uint32_t cnt, struct host_names **ret);
struct host_names *host_names_free(struct host_names *table);
/* What is known of a name from now on; no addresses: it has none. */
void host_names_set(struct host_names *table, uint32_t name, const struct host_address *addresses,
		    uint32_t cnt);
/* Some name has never been answered for. */
bool host_names_are_waited_for(const struct host_names *table);
/* The names that have this address, by number, ascending; how many (at most max are filled in). */
uint32_t host_names_find(const struct host_names *table, const struct host_address *address,
			 uint32_t *ret, uint32_t max);
struct str host_names_at(const struct host_names *table, uint32_t name);

/* ---- the thread ----------------------------------------------------------------------------- */

struct resolver; /* opaque */

struct resolver_config {
	const struct str *names; /* copied */
	uint32_t name_cnt;
	uint64_t refresh_ns;		     /* default 30 s */
	uint64_t retry_min_ns, retry_max_ns; /* of one that fails; default 5 s, 60 s */
};
void resolver_config_default(struct resolver_config *config);

struct resolver_answer {
	uint32_t name;
	uint32_t address_cnt; /* 0: there is none, or it could not be asked */
	struct host_address addresses[];
};

struct resolver_stats {
	uint64_t lookups, failures;
	uint64_t left_out; /* addresses beyond HOST_NAME_ADDRESSES_MAX */
};

/* Starts the thread, signals blocked. The first answer for each name comes whatever it is, a later
 * one only where something changed; what was known stays where asking fails. 0 or a negative errno.
 */
int resolver_start(const struct resolver_config *config, struct resolver **ret);
/* Readable when answers wait; then take until NULL. The caller frees each with free(3). */
int resolver_poll_fd(const struct resolver *resolver);
struct resolver_answer *resolver_take(struct resolver *resolver);
void resolver_stats(const struct resolver *resolver, struct resolver_stats *ret);
/* Never waits: a lookup that hangs ends in its own time, unheard. Fine with NULL. */
struct resolver *resolver_free(struct resolver *resolver);

#endif
