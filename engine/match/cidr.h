/*
 * Networks: parsing and containment.
 */
#ifndef HAETAE_MATCH_CIDR_H
#define HAETAE_MATCH_CIDR_H

#include "haetae/field.h"

struct cidr {
	struct ip_address address; /* host bits zero */
	uint8_t prefix;		   /* bits */
};

/* Dotted quad where there is a dot, else IPv6 text. */
bool ip_parse(struct str text, struct ip_address *ret);
/* An address, "/", decimal bits. */
bool cidr_parse(struct str text, struct cidr *ret);
/* The network of that many bits that the address is in. */
struct cidr cidr_around(const struct ip_address *address, uint32_t prefix);
/* False for another address family. */
bool cidr_has(const struct cidr *cidr, const struct ip_address *address);
bool ip_equal(const struct ip_address *a, const struct ip_address *b);
/* 4 or 16. */
uint32_t ip_length(const struct ip_address *address);

/* Any of many networks: one hash lookup a distinct prefix length. */
struct cidr_set {
	struct cidr *slots; /* family 0: free */
	uint32_t mask;
	uint64_t lengths_v4;	/* bit per prefix length */
	uint64_t lengths_v6[3]; /* 0 … 128 */
};
bool cidr_set_build(struct cidr_set *set, struct arena *arena, const struct cidr *items,
		    uint32_t cnt);
bool cidr_set_has(const struct cidr_set *set, const struct ip_address *address);

#endif
