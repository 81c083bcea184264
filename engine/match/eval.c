/*
 * The evaluator: a loop over instructions, slots read once an event, no allocation but event
 * scratch. Owns slots, memo stamps and the call stack. Called by matcher.c, in the engine thread.
 */
#include "eval.h"

#include <errno.h>

#include "plan_index.h"

/* More comparisons of parts cost more than trying the entries. */
#define PARTS_MAX 4096

/* Everything remembered carries the generation of its event; a new event only counts up. */
struct value_slot {
	uint32_t generation;
	struct value_set set;
};

struct evaluator {
	const struct program *program; /* borrowed */
	const struct field_context *context;
	uint32_t generation;	  /* even; never 0 */
	struct value_slot *slots; /* owned, as all below */
	uint32_t *tests, *units;  /* generation | value */
	uint32_t *stack;	  /* instructions to return to */
	uint64_t *candidates;	  /* bit per entry of the plan at hand */
	uint32_t *rows;		  /* generation in which a row was found */
	uint32_t parts_left;	  /* comparisons of strings around keys, this event */
	struct op_context op;
	struct matcher_stats stats;
};

struct evaluator *evaluator_free(struct evaluator *evaluator)
{
	if (!evaluator)
		return NULL;
	free(evaluator->slots);
	free(evaluator->tests);
	free(evaluator->units);
	free(evaluator->stack);
	free(evaluator->candidates);
	free(evaluator->rows);
	evaluator->op.regex = regex_scratch_free(evaluator->op.regex);
	free(evaluator);
	return NULL;
}

int evaluator_new(const struct program *program, struct evaluator **ret)
{
	struct evaluator *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->program = program;
	e->slots = calloc((size_t)program->operand_cnt + 1, sizeof(*e->slots));
	e->tests = calloc((size_t)program->predicate_cnt + 1, sizeof(*e->tests));
	e->units = calloc((size_t)program->unit_cnt + 1, sizeof(*e->units));
	e->stack = calloc((size_t)program->call_depth + 1, sizeof(*e->stack));
	e->candidates = calloc((size_t)program->entries_max / 64 + 1, sizeof(*e->candidates));
	e->rows = calloc((size_t)program->row_cnt + 1, sizeof(*e->rows));
	if (program->has_regex)
		e->op.regex = regex_scratch_new();
	if (!e->slots || !e->tests || !e->units || !e->stack || !e->candidates || !e->rows ||
	    (program->has_regex && !e->op.regex)) {
		evaluator_free(e);
		return -ENOMEM;
	}
	*ret = e;
	return 0;
}

static void next_generation(struct evaluator *e)
{
	const struct program *program = e->program;

	e->generation += 2;
	if (e->generation)
		return;
	/* Wrapped, after two thousand million events: stamps of old could look new. */
	memset(e->slots, 0, program->operand_cnt * sizeof(*e->slots));
	memset(e->tests, 0, program->predicate_cnt * sizeof(*e->tests));
	memset(e->units, 0, program->unit_cnt * sizeof(*e->units));
	memset(e->rows, 0, program->row_cnt * sizeof(*e->rows));
	e->generation = 2;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* A path's readings go through a transformer one by one: reading i of every argument. */
static bool take_reading(const struct evaluator *e, const struct operand *operand, uint32_t reading,
			 struct value_set *arguments, uint32_t *reading_cnt)
{
	for (uint32_t i = 0; i < operand->item_cnt; i++) {
		const struct operand *item = operand->items[i];
		struct value_set set = e->slots[item->slot].set;

		if (set.state != FIELD_VALUE || (!item->is_list && set.cnt == 0))
			return false;
		if (!item->is_list) {
			*reading_cnt = MAX(*reading_cnt, set.cnt);
			set.values += MIN(reading, set.cnt - 1);
			set.cnt = 1;
		}
		arguments[i] = set;
	}
	return true;
}

static void run_transform(struct evaluator *e, const struct operand *operand, struct value_set *ret)
{
	struct value_set arguments[OPERAND_ITEMS_MAX], result;
	struct transform_arguments given = {
		.items = arguments,
		.item_cnt = operand->item_cnt,
		.type_mask = !operand->items[0]->is_list,
		.option = operand->has_option ? &operand->option : NULL,
		.scratch = e->context->event->scratch,
	};
	uint32_t reading_cnt = 1;
	struct value *values;

	*ret = (struct value_set){ .state = FIELD_ABSENT };
	if (!take_reading(e, operand, 0, arguments, &reading_cnt))
		return;
	transform_run(operand->transform, &given, ret);
	if (reading_cnt == 1 || operand->is_list || ret->state != FIELD_VALUE)
		return;
	values = arena_alloc(given.scratch, reading_cnt * sizeof(*values));
	if (!values)
		return;
	values[0] = ret->values[0];
	for (uint32_t i = 1; i < reading_cnt; i++) {
		(void)take_reading(e, operand, i, arguments, &reading_cnt);
		transform_run(operand->transform, &given, &result);
		values[i] = result.state == FIELD_VALUE ? result.values[0] : values[0];
	}
	*ret = (struct value_set){ FIELD_VALUE, reading_cnt, values };
}

static void collect_list(struct evaluator *e, const struct operand *operand, struct value_set *ret)
{
	struct value *values =
		arena_alloc(e->context->event->scratch, operand->item_cnt * sizeof(*values));

	*ret = (struct value_set){ .state = FIELD_ABSENT };
	for (uint32_t i = 0; values && i < operand->item_cnt; i++) {
		const struct value_set *item = &e->slots[operand->items[i]->slot].set;

		if (item->state != FIELD_VALUE || item->cnt == 0)
			return;
		values[i] = item->values[0];
	}
	if (values)
		*ret = (struct value_set){ FIELD_VALUE, operand->item_cnt, values };
}

/* All that it needs has been read. */
static void read_operand(struct evaluator *e, const struct operand *operand)
{
	struct value_slot *slot = &e->slots[operand->slot];

	if (slot->generation == e->generation)
		return;
	slot->generation = e->generation;
	switch (operand->kind) {
	case OPERAND_FIELD:
		e->stats.fields_read++;
		field_read(operand->field, e->context, &operand->argument, &slot->set);
		return;
	case OPERAND_CONSTANT:
		slot->set = operand->constant;
		return;
	case OPERAND_TRANSFORM:
		run_transform(e, operand, &slot->set);
		return;
	case OPERAND_LIST:
		collect_list(e, operand, &slot->set);
		return;
	}
}

static const struct value_set *get_value(struct evaluator *e, const struct operand *operand)
{
	const struct value_slot *slot = &e->slots[operand->slot];

	if (slot->generation == e->generation)
		return &slot->set;
	for (uint32_t i = 0; i < operand->order_cnt; i++)
		read_operand(e, operand->order[i]);
	read_operand(e, operand);
	return &slot->set;
}

/* ---- tests and units ------------------------------------------------------------------------- */

static bool get_test(struct evaluator *e, uint32_t number)
{
	const struct predicate *predicate;
	uint32_t *memo = &e->tests[number];
	const struct value_set *right;
	bool value;

	if ((*memo & ~1u) == e->generation)
		return *memo & 1;
	predicate = e->program->predicates[number];
	right = predicate->right ? get_value(e, predicate->right) : NULL;
	e->stats.predicates_evaluated++;
	value = predicate_match(predicate, get_value(e, predicate->left), right, &e->op);
	*memo = e->generation | value;
	return value;
}

/* Runs from an instruction to the end of its unit. Units within it are entered by the explicit
 * stack, at most call_depth deep. */
static bool run_code(struct evaluator *e, uint32_t entry)
{
	const struct program *program = e->program;
	const struct instruction *instruction;
	uint32_t pc = entry, depth = 0;
	bool value = pc == PLAN_TRUE;

	while (pc < PLAN_FALSE) {
		instruction = &program->code[pc];
		if (instruction->op == INSTRUCTION_TEST) {
			value = get_test(e, instruction->operand) != instruction->is_negated;
		} else if ((e->units[instruction->operand] & ~1u) == e->generation) {
			value = e->units[instruction->operand] & 1;
		} else {
			e->stack[depth++] = pc;
			pc = program->units[instruction->operand].entry;
			continue;
		}
		pc = value ? instruction->on_true : instruction->on_false;
		while (pc >= PLAN_FALSE && depth > 0) {
			value = pc == PLAN_TRUE;
			instruction = &program->code[e->stack[--depth]];
			e->units[instruction->operand] = e->generation | value;
			pc = value ? instruction->on_true : instruction->on_false;
		}
	}
	return pc == PLAN_TRUE;
}

static bool run_entry(struct evaluator *e, const struct plan_entry *entry)
{
	uint32_t *memo = entry->unit == PLAN_NONE ? NULL : &e->units[entry->unit];
	bool value;

	if (memo && (*memo & ~1u) == e->generation)
		return *memo & 1;
	value = run_code(e, entry->entry);
	if (memo)
		*memo = e->generation | value;
	return value;
}

/* ---- candidates ------------------------------------------------------------------------------ */

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

/* Where a path is not in normal form, every entry of the lookup stays a candidate. */
static void find_path(struct evaluator *e, const struct plan_index *index,
		      const struct plan_lookup *lookup, struct str path)
{
	bool is_normal = path.n && *path.p == '/' && !memmem(path.p, path.n, "//", 2);

	if (!is_normal) {
		for (uint32_t i = 0; i <= lookup->mask; i++)
			if (lookup->rows[i].key.p)
				add_entries(e, index, lookup->rows[i].entries);
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
	const struct value_set *set = get_value(e, lookup->operand);

	for (uint32_t i = 0; set->state == FIELD_VALUE && i < set->cnt; i++)
		find_value(e, index, lookup, &set->values[i]);
}

static bool run_gate(struct evaluator *e, const struct plan_gate *gate)
{
	uint32_t *memo = &e->units[gate->number];

	if (!gate->is_unit)
		return get_test(e, gate->number);
	if ((*memo & ~1u) != e->generation)
		*memo = e->generation | run_code(e, e->program->units[gate->number].entry);
	return *memo & 1;
}

static void find_candidates(struct evaluator *e, const struct plan *plan)
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
		if (run_gate(e, &index->gates[i]))
			add_entries(e, index, index->gates[i].entries);
}

static unsigned run_candidates(struct evaluator *e, const struct plan *plan, evaluator_hit_fn hit,
			       void *data)
{
	unsigned hit_cnt = 0;

	for (uint32_t word = 0; word <= plan->entry_cnt / 64; word++) {
		for (uint64_t left = e->candidates[word]; left; left &= left - 1) {
			uint32_t i = word * 64 + (uint32_t)__builtin_ctzll(left);

			if (i >= plan->entry_cnt)
				return hit_cnt;
			e->stats.rules_evaluated++;
			if (!run_entry(e, &plan->entries[i]))
				continue;
			hit_cnt++;
			hit(plan->entries[i].rule, data);
			if (!e->program->is_match_all)
				return hit_cnt;
		}
	}
	return hit_cnt;
}

unsigned evaluator_run(struct evaluator *e, const struct field_context *context,
		       evaluator_hit_fn hit, void *data)
{
	const struct plan *plan;
	unsigned hit_cnt;

	if (context->event->code >= EVENT_CODE__COUNT)
		return 0;
	plan = &e->program->plans[context->event->code];
	if (plan->entry_cnt == 0)
		return 0;
	e->context = context;
	e->op.scratch = context->event->scratch;
	e->stats.events++;
	e->parts_left = PARTS_MAX;
	next_generation(e);
	find_candidates(e, plan);
	hit_cnt = run_candidates(e, plan, hit, data);
	e->stats.scratch_exhausted += context->event->scratch->failed;
	return hit_cnt;
}

void evaluator_stats(const struct evaluator *e, struct matcher_stats *ret)
{
	*ret = e->stats;
	ret->regex_limit = e->op.counters.limit;
	ret->regex_undecided = e->op.counters.undecided;
}
