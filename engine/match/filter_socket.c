/*
 * Conditions on a socket's two ends, as the kernel can ask them of the record's tuple: the address
 * family, a port of either end, a network that either end is in. Which end a field means depends on
 * who began the connection, so both are asked. Owns nothing. Called by filter_leaf.c.
 */
#include "pushdown.h"

#include <sys/socket.h>

#include "fields.h"

/* AF_MAX of Linux 6.18 is 46; what is beyond has no name either. */
#define FAMILIES     46
#define FAMILY_OTHER 0xffff

bool push_is_socket(const struct event_schema *schema)
{
	const struct event_roles *roles = event_roles_of(schema);

	/* Of these two each message is a record of its own, and the first must not end the call. */
	if (schema->type == EVENT_SENDMMSG || schema->type == EVENT_RECVMMSG)
		return false;
	return push_has_filter(schema) && roles->fd >= 0 && roles->tuple >= 0 && roles->path < 0;
}

/* The getter is asked, with an event that has a socket of the family and nothing else. */
static bool family_holds(struct pusher *p, const struct predicate *predicate, bool is_negated,
			 uint16_t family, int64_t result)
{
	const struct wire_tuple tuple = { .family = family };
	struct wire_header header = { .length = sizeof(header),
				      .type = (uint16_t)p->schema->type,
				      .result = result };
	struct event event = { .header = &header, .schema = p->schema, .scratch = p->arena };
	const struct field_context context = { .event = &event, .is_final = true };
	struct value_set set;

	event.code = p->schema->type;
	event.params[event_roles_of(p->schema)->tuple] =
		(struct str){ (const char *)&tuple, sizeof(tuple) };
	field_read(predicate->left->field, &context, &predicate->left->argument, &set);
	return predicate_match(predicate, &set, NULL, &p->op) != is_negated;
}

/* A call that made no descriptor has a kind of its own, whatever the family. */
static bool may_be_family(struct pusher *p, const struct predicate *predicate, bool is_negated,
			  uint16_t family)
{
	return family_holds(p, predicate, is_negated, family, 0) ||
	       family_holds(p, predicate, is_negated, family, -1);
}

static void push_family(struct pusher *p, const struct predicate *predicate, bool is_negated,
			struct boxes *ret)
{
	bool is_other_true = may_be_family(p, predicate, is_negated, FAMILY_OTHER);
	uint64_t ids[FAMILIES];
	uint32_t cnt = 0;

	for (uint16_t family = 0; family < FAMILIES; family++)
		if (may_be_family(p, predicate, is_negated, family) != is_other_true)
			ids[cnt++] = family;
	boxes_one(p->arena, BOX_FAMILY, ids, cnt, is_other_true, ret);
}

static uint64_t network_of(struct pusher *p, const struct predicate *predicate,
			   const struct literal *literal)
{
	const struct ip_address *address = &literal->value.ip;
	struct cidr net = literal->net;
	struct str kept;

	_Static_assert(sizeof(net) == 18, "compared byte by byte");
	if (predicate->class == CLASS_IP)
		net = cidr_around(address, ip_length(address) * 8);
	kept = arena_str(p->arena, (struct str){ (const char *)&net, sizeof(net) });
	return kept.p ? push_text(p, FILTER_BASE, kept) : 0;
}

static bool is_end(const char *name, const char *const *suffixes)
{
	if (strncmp(name, "fd.", 3) != 0)
		return false;
	for (name += 3; *suffixes; suffixes++)
		if (strcmp(name, *suffixes) == 0 ||
		    (name[0] && strchr("lrcs", name[0]) && strcmp(name + 1, *suffixes) == 0))
			return true;
	return false;
}

bool push_socket(struct pusher *p, const struct predicate *predicate, bool is_negated,
		 struct boxes *ret, const char **ret_why)
{
	static const char *const ports[] = { "port", NULL }, *const addresses[] = { "ip", "net",
										    NULL };
	const char *name = predicate->left->field->name;
	uint64_t *ids = arena_new_array(p->arena, uint64_t, predicate->literal_cnt);
	bool is_port = is_end(name, ports);

	if (strcmp(name, "fd.type") == 0 || strcmp(name, "fd.typechar") == 0 ||
	    strcmp(name, "fd.sockfamily") == 0) {
		push_family(p, predicate, is_negated, ret);
		return true;
	}
	*ret_why = "the kernel does not know it";
	if (!is_port && !is_end(name, addresses))
		return false;
	*ret_why = "what an end must not be is not asked in the kernel";
	if (is_negated || !ids || (predicate->op != OP_EQ && predicate->op != OP_IN))
		return false;
	for (uint32_t i = 0; i < predicate->literal_cnt; i++) {
		ids[i] = is_port ? predicate->literals[i].value.u64
				 : network_of(p, predicate, &predicate->literals[i]);
		if (!is_port && !ids[i])
			return false;
	}
	boxes_one(p->arena, is_port ? BOX_PORT : BOX_ADDRESS, ids, predicate->literal_cnt, false,
		  ret);
	return true;
}
