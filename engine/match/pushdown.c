/*
 * The kernel filter of a ruleset. For each event type the disjunction of its rules is weakened to
 * what the kernel can tell (boxes), and each box becomes a bit in the masks that filter.h
 * describes. What the kernel cannot tell counts as true, so an event that no bit is left for
 * satisfies no rule. Owns the filter's arena while it builds. Called when a ruleset is installed.
 */
#include "pushdown.h"

#include <errno.h>

#include "haetae/kernel_filter.h"
#include "ruleset.h"

/* Of one event type's working memory, and of the whole result. */
#define PUSH_BYTES   ((size_t)64 << 20)
#define FILTER_BYTES ((size_t)16 << 20)

/* ---- expressions -------------------------------------------------------------------------------
 */

uint64_t push_text(struct pusher *p, enum filter_part part, struct str text)
{
	uint64_t hash = str_hash(text) + part;

	for (uint32_t i = 0; i < p->text_cnt; i++)
		if (p->texts[i].hash == hash && p->texts[i].part == part &&
		    str_eq(p->texts[i].text, text))
			return i + 1;
	if (p->text_cnt == p->text_cap) {
		uint32_t cap = p->text_cap ? 2 * p->text_cap : 64;
		struct push_text *texts = reallocarray(p->texts, cap, sizeof(*texts));

		if (!texts)
			return 0;
		p->texts = texts;
		p->text_cap = cap;
	}
	p->texts[p->text_cnt++] = (struct push_text){ hash, part, text };
	return p->text_cnt;
}

void pusher_done(struct pusher *p)
{
	free(p->texts);
}

/* As deep as resolve.c lets trees be. */
int push_expr(struct pusher *p, const struct expr *expr, struct boxes *ret)
{
	_cleanup_(freep) struct boxes *part = NULL;

	if (expr->kind == EXPR_LEAF) {
		push_leaf(p, expr->predicate, expr->is_negated, ret);
		return p->arena->failed ? -ENOMEM : 0;
	}
	if (expr->kind == EXPR_AND || expr->kind == EXPR_TRUE)
		boxes_all(ret);
	else
		boxes_none(ret);
	part = expr->child_cnt ? malloc(sizeof(*part)) : NULL;
	if (expr->child_cnt && !part)
		return -ENOMEM;
	for (uint32_t i = 0; i < expr->child_cnt; i++) {
		int r = push_expr(p, expr->children[i], part);

		if (r < 0)
			return r;
		if (expr->kind == EXPR_AND)
			boxes_meet(p->arena, ret, part);
		else
			boxes_join(p->arena, ret, part);
	}
	return p->arena->failed ? -ENOMEM : 0;
}

/* ---- masks --------------------------------------------------------------------------------------
 */

/* Growing while the filter is built; copied into its arena at the end. */
struct builder {
	struct kernel_filter *filter;
	struct filter_number *numbers; /* owned, as the two below */
	struct filter_comm *comms;
	struct filter_name *names;
	struct filter_address *addresses;
	uint32_t number_cap, comm_cap, name_cap, address_cap;
	uint32_t number_cnt, comm_cnt, name_cnt, address_cnt;
};

static void builder_done(struct builder *b)
{
	free(b->numbers);
	free(b->comms);
	free(b->names);
	free(b->addresses);
}

#define APPEND(b, what, items, item)                                                        \
	({                                                                                  \
		bool is_room_ = (b)->what##_cnt < (b)->what##_cap;                          \
		if (!is_room_) {                                                            \
			uint32_t cap_ = (b)->what##_cap ? 2 * (b)->what##_cap : 64;         \
			void *grown_ = reallocarray((b)->items, cap_, sizeof(*(b)->items)); \
			if (grown_) {                                                       \
				(b)->items = grown_;                                        \
				(b)->what##_cap = cap_;                                     \
				is_room_ = true;                                            \
			}                                                                   \
		}                                                                           \
		if (is_room_)                                                               \
			(b)->items[(b)->what##_cnt++] = (item);                             \
		is_room_;                                                                   \
	})

/* The clauses that let the id pass, and those that let anything else pass. */
static uint64_t mask_of(const struct boxes *boxes, enum box_dimension dimension, uint64_t id)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; i < boxes->cnt; i++)
		if (id_set_has(&boxes->items[i].sets[dimension], id))
			mask |= 1ULL << i;
	return mask;
}

static uint64_t mask_of_else(const struct boxes *boxes, enum box_dimension dimension)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; i < boxes->cnt; i++)
		if (boxes->items[i].sets[dimension].is_all_but)
			mask |= 1ULL << i;
	return mask;
}

static uint64_t mask_of_askers(const struct boxes *boxes, enum box_dimension dimension)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; i < boxes->cnt; i++)
		if (!id_set_is_full(&boxes->items[i].sets[dimension]))
			mask |= 1ULL << i;
	return mask;
}

typedef bool (*put_id_fn)(struct builder *b, const struct pusher *p, enum box_dimension dimension,
			  uint64_t id, uint64_t mask);

static bool put_number(struct builder *b, const struct pusher *p, enum box_dimension dimension,
		       uint64_t id, uint64_t mask)
{
	struct filter_number number = {
		.key = { .type = (uint16_t)p->schema->type, .value = id },
		.mask = mask,
	};

	number.key.dimension = dimension == BOX_UID	 ? FILTER_UID
			       : dimension == BOX_FAMILY ? FILTER_FAMILY
			       : dimension == BOX_PORT
				       ? FILTER_PORT
				       : (uint16_t)(FILTER_ARGUMENT + (dimension - BOX_ARGUMENT));
	return APPEND(b, number, numbers, number);
}

static bool put_comm(struct builder *b, const struct pusher *p, enum box_dimension dimension,
		     uint64_t id, uint64_t mask)
{
	struct filter_comm comm = { .key.type = p->schema->type, .mask = mask };
	struct str text = p->texts[id - 1].text;

	if (dimension == BOX_COMM_HEAD)
		comm.key.type |= FILTER_COMM_HEAD;
	if (text.n)
		memcpy(comm.key.comm, text.p, text.n);
	return APPEND(b, comm, comms, comm);
}

static bool put_name(struct builder *b, const struct pusher *p, enum box_dimension dimension,
		     uint64_t id, uint64_t mask)
{
	const struct push_text *part = &p->texts[id - 1];
	struct filter_name name = {
		.key = { .type = (uint16_t)p->schema->type, .part = (uint16_t)part->part },
		.mask = mask,
	};

	memcpy(name.key.text, part->text.p, part->text.n);
	return APPEND(b, name, names, name);
}

static bool put_address(struct builder *b, const struct pusher *p, enum box_dimension dimension,
			uint64_t id, uint64_t mask)
{
	struct filter_address address = { .key.type = (uint16_t)p->schema->type, .mask = mask };
	struct cidr net;

	(void)dimension;
	memcpy(&net, p->texts[id - 1].text.p, sizeof(net));
	address.key.prefix_bits = FILTER_NET_BITS + net.prefix;
	address.key.family = net.address.family;
	memcpy(address.key.address, net.address.bytes, sizeof(address.key.address));
	return APPEND(b, address, addresses, address);
}

static bool is_around(const struct filter_address_key *outer,
		      const struct filter_address_key *inner)
{
	struct cidr net = { .address.family = (uint8_t)outer->family,
			    .prefix = (uint8_t)(outer->prefix_bits - FILTER_NET_BITS) };
	struct ip_address address = { .family = (uint8_t)inner->family };

	memcpy(net.address.bytes, outer->address, sizeof(outer->address));
	memcpy(address.bytes, inner->address, sizeof(inner->address));
	return outer->prefix_bits < inner->prefix_bits && cidr_has(&net, &address);
}

/* The kernel finds the narrowest network alone: it gets the clauses of those around it. */
static void widen_networks(struct builder *b, uint32_t first)
{
	for (uint32_t i = first; i < b->address_cnt; i++)
		for (uint32_t k = first; k < b->address_cnt; k++)
			if (is_around(&b->addresses[k].key, &b->addresses[i].key))
				b->addresses[i].mask |= b->addresses[k].mask;
}

/* Each id that a set of the dimension names, once. */
static bool put_ids(struct builder *b, const struct pusher *p, const struct boxes *boxes,
		    enum box_dimension dimension, put_id_fn put)
{
	for (uint32_t i = 0; i < boxes->cnt; i++) {
		const struct id_set *set = &boxes->items[i].sets[dimension];

		for (uint32_t j = 0; j < set->cnt; j++) {
			bool is_first = true;

			for (uint32_t k = 0; k < i && is_first; k++) {
				const struct id_set *other = &boxes->items[k].sets[dimension];

				is_first = id_set_has(other, set->ids[j]) == other->is_all_but;
			}
			if (is_first && !put(b, p, dimension, set->ids[j],
					     mask_of(boxes, dimension, set->ids[j])))
				return false;
		}
	}
	return true;
}

/* Clauses that ask for such parts of a path. */
static uint64_t mask_of_part(const struct pusher *p, const struct boxes *boxes,
			     enum filter_part part)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; i < boxes->cnt; i++) {
		const struct id_set *set = &boxes->items[i].sets[BOX_PATH];

		for (uint32_t j = 0; j < set->cnt; j++)
			if (p->texts[set->ids[j] - 1].part == part)
				mask |= 1ULL << i;
	}
	return mask;
}

/* Of open and openat the flags are an argument; openat2's are in memory, creat has none. */
static uint8_t access_argument(enum event_type type)
{
	return type == EVENT_OPEN ? 1 : type == EVENT_OPENAT ? 2 : FILTER_NONE;
}

/* Where the name is, and the descriptor of its directory. */
static uint8_t name_argument(enum event_type type)
{
	return type == EVENT_OPENAT || type == EVENT_OPENAT2 ? 1 : 0;
}

static uint8_t role_param(int role)
{
	return role < 0 ? FILTER_NONE : (uint8_t)role;
}

/* Bits that let the same clauses pass are one kind. Too many kinds: the argument is not asked. */
static void fill_bits(const struct pusher *p, const struct boxes *boxes, struct filter_type *type)
{
	uint64_t askers = mask_of_askers(boxes, BOX_BITS);
	uint32_t cnt = 0;

	if (!p->bits || !askers)
		return;
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t mask = mask_of(boxes, BOX_BITS, bit) & askers;
		uint32_t kind = 0;

		while (kind < cnt && type->bits_mask[kind] != mask)
			kind++;
		if (!mask)
			continue;
		if (kind >= FILTER_BITS)
			return;
		type->bits_mask[kind] = mask;
		type->bits[kind] |= 1ULL << bit;
		cnt = MAX(cnt, kind + 1);
	}
	type->by_bits = askers;
	type->bits_argument = p->bits->argument;
	type->bits_parameter = p->bits->param;
}

static void fill_type(const struct pusher *p, const struct boxes *boxes, struct filter_type *type)
{
	const struct event_roles *roles = event_roles_of(p->schema);

	*type = (struct filter_type){
		.uid_else = mask_of_else(boxes, BOX_UID),
		.comm_else = mask_of_else(boxes, BOX_COMM),
		.comm_head_else = mask_of_else(boxes, BOX_COMM_HEAD),
		.by_uid = mask_of_askers(boxes, BOX_UID),
		.by_comm = mask_of_askers(boxes, BOX_COMM),
		.by_comm_head = mask_of_askers(boxes, BOX_COMM_HEAD),
		.by_path = mask_of_askers(boxes, BOX_PATH),
		.by_depth = mask_of_askers(boxes, BOX_DEPTH),
		.family_else = mask_of_else(boxes, BOX_FAMILY),
		.by_family = mask_of_askers(boxes, BOX_FAMILY),
		.by_port = mask_of_askers(boxes, BOX_PORT),
		.by_address = mask_of_askers(boxes, BOX_ADDRESS),
		.is_active = 1,
		.access_argument = access_argument(p->schema->type),
		.name_argument = name_argument(p->schema->type),
		.directory_argument = name_argument(p->schema->type) ? 0 : FILTER_NONE,
		.name = role_param(roles->name.text),
		.directory = role_param(roles->name.directory),
		.path = role_param(roles->path),
		.tuple = role_param(roles->tuple),
	};
	type->by_socket = type->by_family | type->by_port | type->by_address;
	fill_bits(p, boxes, type);
	for (unsigned i = 0; i < FILTER_PART__COUNT; i++)
		type->by_part[i] = mask_of_part(p, boxes, (enum filter_part)i);
	for (unsigned i = 0; i < ARRAY_LEN(type->result); i++)
		type->result[i] = mask_of(boxes, BOX_RESULT, i);
	for (unsigned i = 0; i < FILTER_ACCESSES; i++)
		type->access[i] = mask_of(boxes, BOX_ACCESS, i);
	for (unsigned i = 0; i < p->argument_cnt && i < FILTER_ARGUMENTS; i++) {
		enum box_dimension dimension = BOX_ARGUMENT + i;

		type->argument_else[i] = mask_of_else(boxes, dimension);
		type->by_argument[i] = mask_of_askers(boxes, dimension);
		type->argument[i] = p->arguments[i]->argument;
		type->width[i] = (uint8_t)p->arguments[i]->width;
		type->parameter[i] = p->arguments[i]->param;
	}
}

static int put_type(struct builder *b, const struct pusher *p, const struct boxes *boxes)
{
	uint32_t first_network = b->address_cnt;
	bool is_put = put_ids(b, p, boxes, BOX_UID, put_number) &&
		      put_ids(b, p, boxes, BOX_FAMILY, put_number) &&
		      put_ids(b, p, boxes, BOX_PORT, put_number) &&
		      put_ids(b, p, boxes, BOX_ADDRESS, put_address) &&
		      put_ids(b, p, boxes, BOX_COMM, put_comm) &&
		      put_ids(b, p, boxes, BOX_COMM_HEAD, put_comm) &&
		      put_ids(b, p, boxes, BOX_PATH, put_name);

	for (unsigned i = 0; i < p->argument_cnt && is_put; i++)
		is_put = put_ids(b, p, boxes, (enum box_dimension)(BOX_ARGUMENT + i), put_number);
	if (!is_put)
		return -ENOMEM;
	widen_networks(b, first_network);
	fill_type(p, boxes, &b->filter->types[p->schema->type]);
	return 0;
}

/* ---- event types --------------------------------------------------------------------------------
 */

static int push_rules(struct pusher *p, const struct plan *plan, struct boxes *boxes)
{
	_cleanup_(freep) struct boxes *one = malloc(sizeof(*one));
	int r = one ? 0 : -ENOMEM;

	boxes_none(boxes);
	for (uint32_t i = 0; i < plan->entry_cnt && r == 0 && !boxes_are_all(boxes); i++) {
		r = push_expr(p, plan->entries[i].expr, one);
		if (r == 0)
			boxes_join(p->arena, boxes, one);
	}
	boxes_reduce(p->arena, boxes, FILTER_CLAUSES);
	return r < 0 || p->arena->failed ? -ENOMEM : 0;
}

static int build_type(struct builder *b, const struct program *program, struct arena *arena,
		      const struct event_schema *schema)
{
	_cleanup_(pusher_done) struct pusher p = { .arena = arena, .schema = schema };
	_cleanup_(freep) struct boxes *boxes = malloc(sizeof(*boxes));
	int r = boxes ? 0 : -ENOMEM;

	p.op.scratch = arena;
	if (r == 0)
		r = push_rules(&p, &program->plans[schema->type], boxes);
	if (r < 0)
		return r;
	b->filter->passes[schema->type] = boxes_are_all(boxes);
	b->filter->is_coarse[schema->type] = boxes->is_coarse;
	return boxes_are_all(boxes) ? 0 : put_type(b, &p, boxes);
}

static int keep(struct builder *b)
{
	struct kernel_filter *filter = b->filter;
	struct filter_number *numbers =
		arena_new_array(&filter->arena, struct filter_number, b->number_cnt);
	struct filter_comm *comms =
		arena_new_array(&filter->arena, struct filter_comm, b->comm_cnt);
	struct filter_name *names =
		arena_new_array(&filter->arena, struct filter_name, b->name_cnt);
	struct filter_address *addresses =
		arena_new_array(&filter->arena, struct filter_address, b->address_cnt);

	if (!numbers || !comms || !names || !addresses)
		return -ENOMEM;
	if (b->number_cnt)
		memcpy(numbers, b->numbers, b->number_cnt * sizeof(*numbers));
	if (b->comm_cnt)
		memcpy(comms, b->comms, b->comm_cnt * sizeof(*comms));
	if (b->name_cnt)
		memcpy(names, b->names, b->name_cnt * sizeof(*names));
	if (b->address_cnt)
		memcpy(addresses, b->addresses, b->address_cnt * sizeof(*addresses));
	filter->numbers = numbers;
	filter->comms = comms;
	filter->names = names;
	filter->addresses = addresses;
	filter->number_cnt = b->number_cnt;
	filter->comm_cnt = b->comm_cnt;
	filter->name_cnt = b->name_cnt;
	filter->address_cnt = b->address_cnt;
	return 0;
}

/* Of these the call itself tells. */
static bool tells_contact(const struct event_schema *schema)
{
	switch ((int)schema->type) {
	case EVENT_SOCKET:
	case EVENT_CONNECT:
	case EVENT_BIND:
	case EVENT_LISTEN:
	case EVENT_ACCEPT:
	case EVENT_ACCEPT4:
		return true;
	default:
		return false;
	}
}

int ruleset_kernel_filter(const struct ruleset *ruleset, struct kernel_filter *ret)
{
	_cleanup_(builder_done) struct builder b = { .filter = ret };
	_cleanup_(arena_done) struct arena arena;
	int r = 0;

	*ret = (struct kernel_filter){ 0 };
	arena_init(&ret->arena, FILTER_BYTES);
	arena_init(&arena, PUSH_BYTES);
	for (unsigned type = 0; type < EVENT__COUNT && r == 0; type++) {
		const struct event_schema *schema = event_schema_get((enum event_type)type);

		if (event_set_has(&ruleset->events, type) && event_roles_of(schema)->tuple >= 0)
			ret->is_contact_wanted |= !tells_contact(schema);
		arena_reset(&arena);
		/* Of what no rule sees, nothing is asked for. */
		if (push_has_filter(schema) && event_set_has(&ruleset->events, type))
			r = build_type(&b, ruleset_program(ruleset), &arena, schema);
	}
	return r == 0 ? keep(&b) : r;
}

void kernel_filter_done(struct kernel_filter *filter)
{
	arena_done(&filter->arena);
	*filter = (struct kernel_filter){ 0 };
}
