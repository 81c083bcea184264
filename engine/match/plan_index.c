/*
 * Choosing, for each entry of a plan, the one condition that excludes it most cheaply: a literal
 * that a field is asked for (anchor), else a test or unit that others share (gate). Owns its
 * working arrays; the index lives in the ruleset's arena. Called by plan.c.
 */
#include "plan_key.h"

#include <errno.h>

/* Fewer entries are tried one by one. */
#define ENTRIES_MIN 8
/* A lookup or gate that fewer entries use does not pay. */
#define SHARE_MIN	 4
#define CONJUNCTS_MAX	 64
#define ALTERNATIVES_MAX 32

/* What must be true for an entry: one of these predicates. */
struct anchor {
	const struct predicate *alternatives[ALTERNATIVES_MAX];
	uint32_t cnt;
};

struct indexer {
	struct arena *arena;
	struct program *program;
	struct plan *plan;
	struct plan_index *index;
	uint32_t *predicate_users; /* owned, as all below: entries per predicate */
	uint32_t *operand_users;   /* per operand and kind */
	uint32_t *unit_users;
	uint32_t *trigram_users; /* by plan_filter_bit() */
	/* Pairs (key, entry): keys are predicates, then units behind them. */
	struct pair {
		uint32_t key, entry;
	} * pairs;
	uint32_t pair_cnt, pair_cap;
	struct posting_range *ranges; /* by key */
};

static void indexer_done(struct indexer *x)
{
	free(x->predicate_users);
	free(x->operand_users);
	free(x->unit_users);
	free(x->trigram_users);
	free(x->pairs);
	free(x->ranges);
}

/* ---- conditions of an entry ------------------------------------------------------------------ */

static bool find_alternatives(const struct expr *expr, struct anchor *anchor);

static uint32_t expected(const struct anchor *anchor, uint32_t from)
{
	enum lookup_kind kind;
	uint32_t sum = 0;

	for (uint32_t i = from; i < anchor->cnt; i++)
		if (plan_key_kind(anchor->alternatives[i], &kind))
			sum += plan_key_weight(anchor->alternatives[i], kind);
	return sum;
}

/* An "and" within an "or": the part of it that is the least expected. */
static bool find_rarest(const struct expr *expr, struct anchor *anchor)
{
	struct anchor best = *anchor, next;
	uint32_t least = UINT32_MAX;

	for (uint32_t i = 0; i < expr->child_cnt; i++) {
		uint32_t sum;

		next = *anchor;
		if (!find_alternatives(expr->children[i], &next))
			continue;
		sum = expected(&next, anchor->cnt);
		if (sum >= least)
			continue;
		least = sum;
		best = next;
	}
	*anchor = best;
	return least != UINT32_MAX;
}

/* Leaves of which one must be true, all such that lookups can find. As deep as trees are high. */
static bool find_alternatives(const struct expr *expr, struct anchor *anchor)
{
	enum lookup_kind kind;

	if (expr->kind == EXPR_LEAF) {
		if (expr->is_negated || anchor->cnt == ALTERNATIVES_MAX ||
		    !plan_key_kind(expr->predicate, &kind))
			return false;
		anchor->alternatives[anchor->cnt++] = expr->predicate;
		return true;
	}
	if (expr->kind == EXPR_AND)
		return find_rarest(expr, anchor);
	if (expr->kind != EXPR_OR)
		return false;
	for (uint32_t i = 0; i < expr->child_cnt; i++)
		if (!find_alternatives(expr->children[i], anchor))
			return false;
	return true;
}

/* The parts that must all be true, "and" within "and" included. */
static void find_conjuncts(const struct expr *expr, const struct expr **conjuncts, uint32_t *cnt)
{
	if (*cnt == CONJUNCTS_MAX)
		return;
	conjuncts[(*cnt)++] = expr;
	if (expr->kind != EXPR_AND)
		return;
	for (uint32_t i = 0; i < expr->child_cnt; i++)
		find_conjuncts(expr->children[i], conjuncts, cnt);
}

/* Exclusions are mostly true: no good gate. */
static bool is_positive(const struct expr *expr)
{
	if (expr->kind == EXPR_LEAF)
		return !expr->is_negated;
	for (uint32_t i = 0; i < expr->child_cnt; i++)
		if (is_positive(expr->children[i]) == (expr->kind == EXPR_AND))
			return expr->kind == EXPR_AND;
	return expr->kind == EXPR_OR;
}

static uint32_t *operand_users(const struct indexer *x, const struct predicate *predicate)
{
	enum lookup_kind kind = LOOKUP_EQUAL;

	(void)plan_key_kind(predicate, &kind);
	return &x->operand_users[predicate->left->slot * LOOKUP__COUNT + kind];
}

static void count_entry(struct indexer *x, const struct plan_entry *entry)
{
	const struct expr *conjuncts[CONJUNCTS_MAX];
	uint32_t cnt = 0;

	find_conjuncts(entry->expr, conjuncts, &cnt);
	for (uint32_t i = 0; i < cnt; i++) {
		struct anchor anchor = { .cnt = 0 };

		if (conjuncts[i]->unit != PLAN_NONE)
			x->unit_users[conjuncts[i]->unit]++;
		if (conjuncts[i]->kind == EXPR_AND || !find_alternatives(conjuncts[i], &anchor)) {
			if (conjuncts[i]->kind == EXPR_LEAF)
				x->predicate_users[conjuncts[i]->predicate->slot]++;
			continue;
		}
		for (uint32_t j = 0; j < anchor.cnt; j++) {
			x->predicate_users[anchor.alternatives[j]->slot]++;
			++*operand_users(x, anchor.alternatives[j]);
		}
	}
}

/* ---- choice ---------------------------------------------------------------------------------- */

static bool add_pair(struct indexer *x, uint32_t key, uint32_t entry)
{
	if (x->pair_cnt == x->pair_cap) {
		uint32_t cap = x->pair_cap ? x->pair_cap * 2 : 256;
		struct pair *pairs = realloc(x->pairs, cap * sizeof(*pairs));

		if (!pairs)
			return false;
		x->pairs = pairs;
		x->pair_cap = cap;
	}
	x->pairs[x->pair_cnt++] = (struct pair){ key, entry };
	return true;
}

static bool is_shared(const struct indexer *x, const struct anchor *anchor)
{
	for (uint32_t i = 0; i < anchor->cnt; i++)
		if (*operand_users(x, anchor->alternatives[i]) < SHARE_MIN)
			return false;
	return true;
}

/* How often the literals are expected, times the entries that each brings along. */
static uint64_t anchor_weight(const struct indexer *x, const struct anchor *anchor)
{
	uint64_t weight = 0;
	enum lookup_kind kind;

	for (uint32_t i = 0; i < anchor->cnt; i++) {
		const struct predicate *predicate = anchor->alternatives[i];

		(void)plan_key_kind(predicate, &kind);
		weight += (uint64_t)plan_key_weight(predicate, kind) *
			  x->predicate_users[predicate->slot];
	}
	return weight;
}

/* The anchor of the least weight. */
static bool choose_anchor(struct indexer *x, const struct expr *const *conjuncts, uint32_t cnt,
			  struct anchor *ret)
{
	uint64_t best = UINT64_MAX;

	for (uint32_t i = 0; i < cnt; i++) {
		struct anchor anchor = { .cnt = 0 };
		uint64_t weight;

		if (conjuncts[i]->kind == EXPR_AND || !find_alternatives(conjuncts[i], &anchor) ||
		    !is_shared(x, &anchor))
			continue;
		weight = anchor_weight(x, &anchor);
		if (weight >= best)
			continue;
		best = weight;
		*ret = anchor;
	}
	return best != UINT64_MAX;
}

/* The condition that most entries share: its key, or PLAN_NONE. */
static uint32_t choose_gate(const struct indexer *x, const struct expr *const *conjuncts,
			    uint32_t cnt)
{
	uint32_t most = SHARE_MIN - 1, key = PLAN_NONE;

	for (uint32_t i = 0; i < cnt; i++) {
		const struct expr *expr = conjuncts[i];
		uint32_t users = 0, candidate = 0;

		if (expr->unit != PLAN_NONE) {
			users = x->unit_users[expr->unit];
			candidate = x->program->predicate_cnt + expr->unit;
		} else if (expr->kind == EXPR_LEAF) {
			users = x->predicate_users[expr->predicate->slot];
			candidate = expr->predicate->slot;
		}
		if (users <= most || !is_positive(expr))
			continue;
		most = users;
		key = candidate;
	}
	return key;
}

static bool choose(struct indexer *x, uint32_t number, uint64_t *always)
{
	const struct expr *conjuncts[CONJUNCTS_MAX];
	struct anchor anchor;
	uint32_t cnt = 0, key;

	find_conjuncts(x->plan->entries[number].expr, conjuncts, &cnt);
	if (choose_anchor(x, conjuncts, cnt, &anchor)) {
		for (uint32_t i = 0; i < anchor.cnt; i++)
			if (!add_pair(x, anchor.alternatives[i]->slot, number))
				return false;
		return true;
	}
	key = choose_gate(x, conjuncts, cnt);
	if (key != PLAN_NONE)
		return add_pair(x, key | 1u << 31, number);
	always[number / 64] |= 1ULL << (number % 64);
	return true;
}

/* ---- building -------------------------------------------------------------------------------- */

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;

	if (left->key != right->key)
		return left->key < right->key ? -1 : 1;
	return (left->entry > right->entry) - (left->entry < right->entry);
}

const struct lookup_row *plan_lookup_next(const struct plan_lookup *lookup, struct str key,
					  uint32_t *cursor)
{
	for (;;) {
		const struct lookup_row *row = &lookup->rows[*cursor & lookup->mask];

		if (!row->key.p)
			return NULL;
		++*cursor;
		if (str_eq(row->key, key))
			return row;
	}
}

static void insert_row(const struct plan_lookup *lookup, struct lookup_row *rows,
		       const struct lookup_row *row)
{
	uint32_t i = (uint32_t)str_hash(row->key);

	while (rows[i & lookup->mask].key.p)
		i++;
	rows[i & lookup->mask] = *row;
}

static bool is_in_lookup(const struct indexer *x, uint32_t slot, const struct plan_lookup *lookup)
{
	const struct predicate *predicate = x->program->predicates[slot];
	enum lookup_kind kind;

	return x->ranges[slot].cnt && predicate->left == lookup->operand &&
	       plan_key_kind(predicate, &kind) && kind == lookup->kind;
}

static bool add_filter(struct indexer *x, struct plan_lookup *lookup, uint32_t capacity)
{
	uint64_t *filter = arena_new_array(x->arena, uint64_t, PLAN_FILTER_BITS / 64);

	if (!filter)
		return false;
	for (uint32_t i = 0; i < capacity; i++) {
		uint32_t bit = lookup->rows[i].key.p ? plan_filter_bit(lookup->rows[i].key.p) : 0;

		if (lookup->rows[i].key.p)
			filter[bit / 64] |= 1ULL << (bit % 64);
	}
	lookup->filter = filter;
	lookup->first_row = x->program->row_cnt;
	x->program->row_cnt += capacity;
	return true;
}

static bool is_of_parts(const struct plan_lookup *lookup)
{
	return lookup->kind == LOOKUP_CONTAINS || lookup->kind == LOOKUP_ICONTAINS;
}

/* How many literals have the three bytes, or others of the same hash. */
static void count_trigrams(struct indexer *x, const struct predicate *predicate)
{
	for (uint32_t i = 0; i < predicate->literal_cnt; i++) {
		struct str part = plan_key_part(predicate, &predicate->literals[i]);

		for (uint32_t at = 0; at + PLAN_TRIGRAM <= part.n; at++)
			x->trigram_users[plan_filter_bit(part.p + at)]++;
	}
}

/* The three bytes that the fewest literals have are the key. */
static bool set_part(struct indexer *x, const struct plan_lookup *lookup, struct str part,
		     struct lookup_row *row)
{
	char *bytes = arena_alloc(x->arena, part.n);
	uint32_t least = UINT32_MAX;

	if (!bytes)
		return false;
	for (uint32_t i = 0; i < part.n; i++)
		bytes[i] =
			lookup->kind == LOOKUP_ICONTAINS ? plan_index_lower(part.p[i]) : part.p[i];
	row->whole = (struct str){ bytes, part.n };
	for (uint32_t at = 0; at + PLAN_TRIGRAM <= part.n; at++) {
		uint32_t users = x->trigram_users[plan_filter_bit(part.p + at)];

		if (users < least) {
			least = users;
			row->key_at = at;
		}
	}
	row->key = (struct str){ bytes + row->key_at, PLAN_TRIGRAM };
	return true;
}

static void note_length(struct plan_lookup *lookup, const struct literal *literal, uint32_t length)
{
	if (lookup->kind == LOOKUP_NET)
		length = literal->net.prefix +
			 (ip_length(&literal->net.address) == 4 ? 0 : PLAN_NET_V6);
	lookup->lengths[length / 64 % 4] |= 1ULL << (length % 64);
}

static bool fill_rows(struct indexer *x, struct plan_lookup *lookup, uint32_t slot,
		      struct lookup_row *rows)
{
	const struct predicate *predicate = x->program->predicates[slot];

	lookup->class = predicate->class;
	for (uint32_t i = 0; i < predicate->literal_cnt; i++) {
		const struct literal *literal = &predicate->literals[i];
		struct lookup_row row = { .entries = x->ranges[slot] };

		if (!is_of_parts(lookup))
			row.key = plan_key_of(x->arena, predicate, lookup->kind, literal);
		else if (!set_part(x, lookup, plan_key_part(predicate, literal), &row))
			return false;
		if (!row.key.p)
			return false;
		note_length(lookup, literal, row.key.n);
		insert_row(lookup, rows, &row);
	}
	return true;
}

/* All literals of all chosen predicates over one operand. `slots` are those predicates. */
static bool fill_lookup(struct indexer *x, struct plan_lookup *lookup, const uint32_t *slots,
			uint32_t slot_cnt)
{
	struct lookup_row *rows;
	uint32_t cnt = 0, capacity = 4;

	if (is_of_parts(lookup))
		memset(x->trigram_users, 0, PLAN_FILTER_BITS * sizeof(*x->trigram_users));
	for (uint32_t i = 0; i < slot_cnt; i++) {
		cnt += x->program->predicates[slots[i]]->literal_cnt;
		if (is_of_parts(lookup))
			count_trigrams(x, x->program->predicates[slots[i]]);
	}
	while (capacity / 2 < cnt)
		capacity *= 2;
	rows = arena_new_array(x->arena, struct lookup_row, capacity);
	if (!rows)
		return false;
	lookup->mask = capacity - 1;
	lookup->rows = rows;
	for (uint32_t i = 0; i < slot_cnt; i++)
		if (!fill_rows(x, lookup, slots[i], rows))
			return false;
	return !is_of_parts(lookup) || add_filter(x, lookup, capacity);
}

/* Predicates that were chosen, sorted by operand and kind, make one lookup a run. */
struct chosen {
	uint32_t slot, operand;
	enum lookup_kind kind;
};

static int compare_chosen(const void *a, const void *b)
{
	const struct chosen *left = a, *right = b;

	if (left->operand != right->operand)
		return left->operand < right->operand ? -1 : 1;
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return (left->slot > right->slot) - (left->slot < right->slot);
}

static bool build_lookups(struct indexer *x, struct chosen *chosen, uint32_t chosen_cnt)
{
	_cleanup_(freep) uint32_t *slots = malloc((chosen_cnt + 1) * sizeof(*slots));
	struct plan_lookup *lookups = arena_new_array(x->arena, struct plan_lookup, chosen_cnt);
	uint32_t begin = 0;

	if (!slots || !lookups)
		return false;
	qsort(chosen, chosen_cnt, sizeof(*chosen), compare_chosen);
	while (begin < chosen_cnt) {
		struct plan_lookup *lookup = &lookups[x->index->lookup_cnt++];
		uint32_t end = begin;

		lookup->operand = x->program->operands[chosen[begin].operand];
		lookup->kind = chosen[begin].kind;
		for (; end < chosen_cnt && is_in_lookup(x, chosen[end].slot, lookup); end++)
			slots[end - begin] = chosen[end].slot;
		if (!fill_lookup(x, lookup, slots, end - begin))
			return false;
		begin = end;
	}
	x->index->lookups = lookups;
	return true;
}

/* Pairs sorted by key become postings; each key a range, each range a gate or part of a lookup. */
static bool build_ranges(struct indexer *x)
{
	uint32_t *postings = arena_new_array(x->arena, uint32_t, x->pair_cnt);
	struct plan_gate *gates = arena_new_array(x->arena, struct plan_gate, x->pair_cnt);
	_cleanup_(freep) struct chosen *chosen = malloc((x->pair_cnt + 1) * sizeof(*chosen));
	uint32_t chosen_cnt = 0;

	if (!postings || !gates || !chosen)
		return false;
	if (x->pair_cnt)
		qsort(x->pairs, x->pair_cnt, sizeof(*x->pairs), compare_pairs);
	for (uint32_t i = 0, end; i < x->pair_cnt; i = end) {
		uint32_t key = x->pairs[i].key & ~(1u << 31);
		struct posting_range range = { i, 0 };

		for (end = i; end < x->pair_cnt && x->pairs[end].key == x->pairs[i].key; end++)
			postings[end] = x->pairs[end].entry;
		range.cnt = end - i;
		if (x->pairs[i].key != key) {
			bool is_unit = key >= x->program->predicate_cnt;

			gates[x->index->gate_cnt++] = (struct plan_gate){
				is_unit, key - (is_unit ? x->program->predicate_cnt : 0), range
			};
			continue;
		}
		x->ranges[key] = range;
		chosen[chosen_cnt] =
			(struct chosen){ key, x->program->predicates[key]->left->slot, 0 };
		(void)plan_key_kind(x->program->predicates[key], &chosen[chosen_cnt++].kind);
	}
	x->index->postings = postings;
	x->index->gates = gates;
	return build_lookups(x, chosen, chosen_cnt);
}

int plan_index_build(struct arena *arena, struct program *program, struct plan *plan)
{
	_cleanup_(indexer_done) struct indexer x = { arena, program, plan };
	uint64_t *always;

	if (plan->entry_cnt < ENTRIES_MIN)
		return 0;
	x.index = arena_new(arena, struct plan_index);
	always = arena_new_array(arena, uint64_t, plan->entry_cnt / 64 + 1);
	x.predicate_users = calloc((size_t)program->predicate_cnt + 1, sizeof(uint32_t));
	x.operand_users =
		calloc((size_t)program->operand_cnt + 1, LOOKUP__COUNT * sizeof(uint32_t));
	x.unit_users = calloc((size_t)program->unit_cnt + 1, sizeof(uint32_t));
	x.trigram_users = calloc(PLAN_FILTER_BITS, sizeof(uint32_t));
	x.ranges = calloc((size_t)program->predicate_cnt + 1, sizeof(*x.ranges));
	if (!x.index || !always || !x.predicate_users || !x.operand_users || !x.unit_users ||
	    !x.trigram_users || !x.ranges)
		return -ENOMEM;
	for (uint32_t i = 0; i < plan->entry_cnt; i++)
		count_entry(&x, &plan->entries[i]);
	for (uint32_t i = 0; i < plan->entry_cnt; i++)
		if (!choose(&x, i, always))
			return -ENOMEM;
	x.index->always = always;
	if (!build_ranges(&x))
		return -ENOMEM;
	plan->index = x.index;
	return 0;
}
