/*
 * Which entries of a plan are worth trying for an event: what plan_index.c built, asked. A lookup
 * of a value that is pending keeps all of its entries. Owns nothing. Called by eval.c.
 */
#include "eval_private.h"

static void add_entries(struct evaluator *e, const struct plan_index *index,
			struct posting_range range)
{
	for (uint32_t i = range.begin; i < range.begin + range.cnt; i++)
		e->candidates[index->postings[i] / 64] |= 1ULL << (index->postings[i] % 64);
}

static void find_key(struct evaluator *e, const struct plan_index *index,
		     const struct plan_lookup *lookup, struct str key)
{
	uint32_t cursor = (uint32_t)str_hash(key);
	const struct lookup_row *row;

	while ((row = plan_lookup_next(lookup, key, &cursor)))
		add_entries(e, index, row->entries);
}

static void find_affixes(struct evaluator *e, const struct plan_index *index,
			 const struct plan_lookup *lookup, struct str text)
{
	for (unsigned word = 0; word < ARRAY_LEN(lookup->lengths); word++) {
		for (uint64_t left = lookup->lengths[word]; left; left &= left - 1) {
			uint32_t length = word * 64 + (uint32_t)__builtin_ctzll(left);
			uint32_t skip = lookup->kind == LOOKUP_SUFFIX ? text.n - length : 0;

			if (length <= text.n)
				find_key(e, index, lookup, (struct str){ text.p + skip, length });
		}
	}
}

static bool has_length(const struct plan_lookup *lookup, uint32_t length)
{
	return length < 256 && (lookup->lengths[length / 64] >> (length % 64) & 1);
}

static void add_all(struct evaluator *e, const struct plan_index *index,
		    const struct plan_lookup *lookup)
{
	for (uint32_t i = 0; i <= lookup->mask; i++)
		if (lookup->rows[i].key.p)
			add_entries(e, index, lookup->rows[i].entries);
}

/* Where a path is not in normal form, every entry of the lookup stays a candidate. */
static void find_path(struct evaluator *e, const struct plan_index *index,
		      const struct plan_lookup *lookup, struct str path)
{
	bool is_normal = path.n && *path.p == '/' && !memmem(path.p, path.n, "//", 2);

	if (!is_normal) {
		add_all(e, index, lookup);
		return;
	}
	for (uint32_t i = 1; i <= path.n && i < 256; i++)
		if ((i == path.n || path.p[i] == '/') && has_length(lookup, i))
			find_key(e, index, lookup, (struct str){ path.p, i });
}

/* Whether the row's string stands around its key, which begins at text.p + at. */
static bool is_whole(const struct plan_lookup *lookup, const struct lookup_row *row,
		     struct str text, uint32_t at)
{
	const char *begin = text.p + at - row->key_at;

	if (at < row->key_at || row->whole.n > text.n - (at - row->key_at))
		return false;
	if (lookup->kind == LOOKUP_CONTAINS)
		return memcmp(begin, row->whole.p, row->whole.n) == 0;
	for (uint32_t i = 0; i < row->whole.n; i++)
		if (plan_index_lower(begin[i]) != row->whole.p[i])
			return false;
	return true;
}

/* Each row once an event: a long text may repeat a part a thousand times. One that never is whole
 * is looked at each time, until too much has been looked at: then the key alone will do. */
static void find_part(struct evaluator *e, const struct plan_index *index,
		      const struct plan_lookup *lookup, struct str text, uint32_t at,
		      struct str key)
{
	uint32_t cursor = (uint32_t)str_hash(key);
	const struct lookup_row *row;

	while ((row = plan_lookup_next(lookup, key, &cursor))) {
		uint32_t *seen = &e->rows[lookup->first_row + (uint32_t)(row - lookup->rows)];

		if (*seen == e->generation)
			continue;
		if (e->parts_left) {
			e->parts_left--;
			if (!is_whole(lookup, row, text, at))
				continue;
		}
		*seen = e->generation;
		add_entries(e, index, row->entries);
	}
}

static void find_parts(struct evaluator *e, const struct plan_index *index,
		       const struct plan_lookup *lookup, struct str text)
{
	bool is_lower = lookup->kind == LOOKUP_ICONTAINS;
	char part[PLAN_TRIGRAM];

	for (uint32_t i = 0; i + PLAN_TRIGRAM <= text.n; i++) {
		uint32_t bit;

		for (uint32_t j = 0; j < PLAN_TRIGRAM; j++)
			part[j] = is_lower ? plan_index_lower(text.p[i + j]) : text.p[i + j];
		bit = plan_filter_bit(part);
		if (lookup->filter[bit / 64] >> (bit % 64) & 1)
			find_part(e, index, lookup, text, i, (struct str){ part, PLAN_TRIGRAM });
	}
}

/* The networks that the address can be in: one for each prefix length that there is. */
static void find_nets(struct evaluator *e, const struct plan_index *index,
		      const struct plan_lookup *lookup, const struct ip_address *address)
{
	uint32_t first = ip_length(address) == 4 ? 0 : PLAN_NET_V6;
	char bytes[PLAN_NET_BYTES];

	for (uint32_t prefix = 0; prefix <= ip_length(address) * 8; prefix++) {
		uint32_t bit = first + prefix;
		struct cidr net;

		if (!(lookup->lengths[bit / 64] >> (bit % 64) & 1))
			continue;
		net = cidr_around(address, prefix);
		find_key(e, index, lookup, plan_index_net(&net, bytes));
	}
}

static void find_value(struct evaluator *e, const struct plan_index *index,
		       const struct plan_lookup *lookup, const struct value *value)
{
	uint64_t number;

	switch (lookup->kind) {
	case LOOKUP_EQUAL:
		find_key(e, index, lookup, plan_index_key(lookup->class, value, &number));
		return;
	case LOOKUP_PREFIX:
	case LOOKUP_SUFFIX:
		find_affixes(e, index, lookup, value->str);
		return;
	case LOOKUP_PATH:
		find_path(e, index, lookup, value->str);
		return;
	case LOOKUP_NET:
		find_nets(e, index, lookup, &value->ip);
		return;
	case LOOKUP_CONTAINS:
	case LOOKUP_ICONTAINS:
		find_parts(e, index, lookup, value->str);
		return;
	case LOOKUP__COUNT:
		return;
	}
}

static void run_lookup(struct evaluator *e, const struct plan_index *index,
		       const struct plan_lookup *lookup)
{
	const struct value_set *set = eval_value(e, lookup->operand);

	if (set->state == FIELD_PENDING)
		add_all(e, index, lookup);
	for (uint32_t i = 0; set->state == FIELD_VALUE && i < set->cnt; i++)
		find_value(e, index, lookup, &set->values[i]);
}

void eval_find(struct evaluator *e, const struct plan *plan)
{
	const struct plan_index *index = plan->index;
	size_t words = plan->entry_cnt / 64 + 1;

	if (!index) {
		memset(e->candidates, 0xff, words * sizeof(*e->candidates));
		return;
	}
	memcpy(e->candidates, index->always, words * sizeof(*e->candidates));
	for (uint32_t i = 0; i < index->lookup_cnt; i++)
		run_lookup(e, index, &index->lookups[i]);
	for (uint32_t i = 0; i < index->gate_cnt; i++)
		if (eval_gate(e, &index->gates[i]))
			add_entries(e, index, index->gates[i].entries);
}
