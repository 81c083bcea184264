/*
 * Addresses and networks as constants (rule-language.md 2.2, 2.6). Owns nothing. Parsed by the
 * checker, asked by the evaluator.
 */
#include "cidr.h"

#include <arpa/inet.h>

uint32_t ip_length(const struct ip_address *address)
{
	return address->family == AF_INET ? 4 : 16;
}

bool ip_equal(const struct ip_address *a, const struct ip_address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, ip_length(a)) == 0;
}

bool ip_parse(struct str text, struct ip_address *ret)
{
	char buffer[INET6_ADDRSTRLEN + 1];
	struct ip_address address = { .family = AF_INET6 };

	if (text.n == 0 || text.n >= sizeof(buffer) || memchr(text.p, '\0', text.n))
		return false;
	memcpy(buffer, text.p, text.n);
	buffer[text.n] = '\0';
	/* A dot without a colon; ::ffff:1.2.3.4 is IPv6 text. */
	if (strchr(buffer, '.') && !strchr(buffer, ':'))
		address.family = AF_INET;
	if (inet_pton(address.family, buffer, address.bytes) != 1)
		return false;
	*ret = address;
	return true;
}

/* Zeroes everything behind the first `prefix` bits. */
static void mask_address(struct ip_address *address, unsigned prefix)
{
	for (unsigned i = 0; i < sizeof(address->bytes); i++) {
		unsigned bits = prefix > i * 8 ? MIN(prefix - i * 8, 8u) : 0;

		address->bytes[i] &= (uint8_t)(0xff00u >> bits);
	}
}

bool cidr_parse(struct str text, struct cidr *ret)
{
	const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
	struct cidr cidr;
	struct str bits;
	unsigned prefix = 0;

	if (!slash || !ip_parse((struct str){ text.p, (uint32_t)(slash - text.p) }, &cidr.address))
		return false;
	bits = (struct str){ slash + 1, text.n - (uint32_t)(slash + 1 - text.p) };
	if (bits.n == 0 || bits.n > 3)
		return false;
	for (uint32_t i = 0; i < bits.n; i++) {
		if (bits.p[i] < '0' || bits.p[i] > '9')
			return false;
		prefix = prefix * 10 + (unsigned)(bits.p[i] - '0');
	}
	if (prefix > ip_length(&cidr.address) * 8)
		return false;
	cidr.prefix = (uint8_t)prefix;
	mask_address(&cidr.address, prefix);
	*ret = cidr;
	return true;
}

struct cidr cidr_around(const struct ip_address *address, uint32_t prefix)
{
	struct cidr net = { .address = *address, .prefix = (uint8_t)prefix };

	mask_address(&net.address, prefix);
	return net;
}

bool cidr_has(const struct cidr *cidr, const struct ip_address *address)
{
	unsigned whole = cidr->prefix / 8, rest = cidr->prefix % 8;

	if (cidr->address.family != address->family ||
	    memcmp(cidr->address.bytes, address->bytes, whole) != 0)
		return false;
	return rest == 0 || ((cidr->address.bytes[whole] ^ address->bytes[whole]) &
			     (uint8_t)(0xff00u >> rest)) == 0;
}

/* ---- sets ----------------------------------------------------------------------------------- */

static struct cidr *find_slot(const struct cidr_set *set, const struct ip_address *masked,
			      uint8_t prefix)
{
	uint64_t hash = hash_bytes(masked->bytes, ip_length(masked),
				   (uint64_t)prefix << 8 | masked->family);
	uint32_t i = (uint32_t)hash & set->mask;

	while (set->slots[i].address.family &&
	       (set->slots[i].prefix != prefix || !ip_equal(&set->slots[i].address, masked)))
		i = (i + 1) & set->mask;
	return &set->slots[i];
}

bool cidr_set_build(struct cidr_set *set, struct arena *arena, const struct cidr *items,
		    uint32_t cnt)
{
	uint32_t capacity = 4;

	while (capacity / 2 < cnt)
		capacity *= 2;
	*set = (struct cidr_set){ .mask = capacity - 1 };
	set->slots = arena_new_array(arena, struct cidr, capacity);
	if (!set->slots)
		return false;
	for (uint32_t i = 0; i < cnt; i++) {
		*find_slot(set, &items[i].address, items[i].prefix) = items[i];
		if (items[i].address.family == AF_INET)
			set->lengths_v4 |= 1ULL << items[i].prefix;
		else
			set->lengths_v6[items[i].prefix / 64] |= 1ULL << (items[i].prefix % 64);
	}
	return true;
}

bool cidr_set_has(const struct cidr_set *set, const struct ip_address *address)
{
	const uint64_t *lengths = address->family == AF_INET ? &set->lengths_v4 : set->lengths_v6;
	unsigned words = address->family == AF_INET ? 1 : ARRAY_LEN(set->lengths_v6);

	for (unsigned word = 0; word < words; word++) {
		for (uint64_t left = lengths[word]; left; left &= left - 1) {
			unsigned prefix = word * 64 + (unsigned)__builtin_ctzll(left);
			struct ip_address masked = *address;

			mask_address(&masked, prefix);
			if (find_slot(set, &masked, (uint8_t)prefix)->address.family)
				return true;
		}
	}
	return false;
}
