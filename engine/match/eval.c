/*
 * The evaluator: a loop over instructions, slots read once an event, no allocation but event
 * scratch. Where a pending value was touched a rule runs twice: leaves over such values all false,
 * then all true (decision 23). Leaves carry their negation, so no other values can give less than
 * the first or more than the second. Owns slots, memo stamps and the call stack. Called by
 * matcher.c, in the engine thread.
 */
#include "eval_private.h"

#include <errno.h>

struct evaluator *evaluator_free(struct evaluator *evaluator)
{
	if (!evaluator)
		return NULL;
	free(evaluator->slots);
	free(evaluator->tests);
	free(evaluator->low_units);
	free(evaluator->high_units);
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
	e->low_units = calloc((size_t)program->unit_cnt + 1, sizeof(*e->low_units));
	e->high_units = calloc((size_t)program->unit_cnt + 1, sizeof(*e->high_units));
	e->units = e->low_units;
	e->stack = calloc((size_t)program->call_depth + 1, sizeof(*e->stack));
	e->candidates = calloc((size_t)program->entries_max / 64 + 1, sizeof(*e->candidates));
	e->rows = calloc((size_t)program->row_cnt + 1, sizeof(*e->rows));
	if (program->has_regex)
		e->op.regex = regex_scratch_new();
	if (!e->slots || !e->tests || !e->low_units || !e->high_units || !e->stack ||
	    !e->candidates || !e->rows || (program->has_regex && !e->op.regex)) {
		evaluator_free(e);
		return -ENOMEM;
	}
	*ret = e;
	return 0;
}

static void next_generation(struct evaluator *e)
{
	const struct program *program = e->program;

	e->generation += GENERATION_STEP;
	e->values = e->generation;
	if (e->generation)
		return;
	/* Wrapped, after a thousand million events: stamps of old could look new. */
	memset(e->slots, 0, program->operand_cnt * sizeof(*e->slots));
	memset(e->tests, 0, program->predicate_cnt * sizeof(*e->tests));
	memset(e->low_units, 0, program->unit_cnt * sizeof(*e->low_units));
	memset(e->high_units, 0, program->unit_cnt * sizeof(*e->high_units));
	memset(e->rows, 0, program->row_cnt * sizeof(*e->rows));
	e->generation = e->values = GENERATION_STEP;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* A path's readings go through a transformer one by one: reading i of every argument. What an
 * absent argument makes absent waits for no other. */
static enum field_state take_reading(const struct evaluator *e, const struct operand *operand,
				     uint32_t reading, struct value_set *arguments,
				     uint32_t *reading_cnt)
{
	enum field_state state = FIELD_VALUE;

	for (uint32_t i = 0; i < operand->item_cnt; i++) {
		const struct operand *item = operand->items[i];
		struct value_set set = e->slots[item->slot].set;

		if (set.state == FIELD_PENDING) {
			state = FIELD_PENDING;
			continue;
		}
		if (set.state != FIELD_VALUE || (!item->is_list && set.cnt == 0))
			return FIELD_ABSENT;
		if (!item->is_list) {
			*reading_cnt = MAX(*reading_cnt, set.cnt);
			set.values += MIN(reading, set.cnt - 1);
			set.cnt = 1;
		}
		arguments[i] = set;
	}
	return state;
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

	*ret = (struct value_set){ .state = take_reading(e, operand, 0, arguments, &reading_cnt) };
	if (ret->state != FIELD_VALUE)
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
	enum field_state state = FIELD_VALUE;

	*ret = (struct value_set){ .state = FIELD_ABSENT };
	for (uint32_t i = 0; values && i < operand->item_cnt; i++) {
		const struct value_set *item = &e->slots[operand->items[i]->slot].set;

		if (item->state == FIELD_PENDING)
			state = FIELD_PENDING;
		else if (item->state != FIELD_VALUE || item->cnt == 0)
			return;
		else
			values[i] = item->values[0];
	}
	if (values && state == FIELD_PENDING)
		ret->state = FIELD_PENDING;
	else if (values)
		*ret = (struct value_set){ FIELD_VALUE, operand->item_cnt, values };
}

/* All that it needs has been read. */
static void read_operand(struct evaluator *e, const struct operand *operand)
{
	struct value_slot *slot = &e->slots[operand->slot];

	if (slot->generation == e->values)
		return;
	slot->generation = e->values;
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

const struct value_set *eval_value(struct evaluator *e, const struct operand *operand)
{
	const struct value_slot *slot = &e->slots[operand->slot];

	if (slot->generation == e->values)
		return &slot->set;
	for (uint32_t i = 0; i < operand->order_cnt; i++)
		read_operand(e, operand->order[i]);
	read_operand(e, operand);
	return &slot->set;
}

/* ---- tests and units ------------------------------------------------------------------------- */

/* Where the other side is absent the comparison is false, whatever comes. */
static bool is_pending(const struct value_set *left, const struct value_set *right)
{
	if (left->state == FIELD_PENDING)
		return !right || right->state != FIELD_ABSENT;
	return right && right->state == FIELD_PENDING && left->state != FIELD_ABSENT;
}

static uint32_t run_test(struct evaluator *e, uint32_t number)
{
	const struct predicate *predicate = e->program->predicates[number];
	const struct value_set *right = predicate->right ? eval_value(e, predicate->right) : NULL;
	const struct value_set *left = eval_value(e, predicate->left);

	e->stats.predicates_evaluated++;
	if (is_pending(left, right))
		return MEMO_PENDING;
	return predicate_match(predicate, left, right, &e->op) ? MEMO_TRUE : 0;
}

/* The leaf's value, negation applied, in the pass at hand. */
static bool get_leaf(struct evaluator *e, uint32_t number, bool is_negated)
{
	uint32_t *memo = &e->tests[number];

	if ((*memo & ~MEMO_BITS) != e->generation)
		*memo = e->generation | run_test(e, number);
	if (*memo & MEMO_PENDING) {
		e->touched = MEMO_PENDING;
		return e->is_high;
	}
	return (*memo & MEMO_TRUE) != is_negated;
}

/* Runs from an instruction to the end of its unit. Units within it are entered by the explicit
 * stack, at most call_depth deep. What was touched before a unit counts as touched in it: at worst
 * a second pass says the same as the first. */
static bool run_code(struct evaluator *e, uint32_t entry)
{
	const struct program *program = e->program;
	const struct instruction *instruction;
	uint32_t pc = entry, depth = 0;
	bool value = pc == PLAN_TRUE;

	while (pc < PLAN_FALSE) {
		instruction = &program->code[pc];
		if (instruction->op == INSTRUCTION_TEST) {
			value = get_leaf(e, instruction->operand, instruction->is_negated);
		} else if ((e->units[instruction->operand] & ~MEMO_BITS) == e->generation) {
			value = e->units[instruction->operand] & MEMO_TRUE;
			e->touched |= e->units[instruction->operand] & MEMO_PENDING;
		} else {
			e->stack[depth++] = pc;
			pc = program->units[instruction->operand].entry;
			continue;
		}
		pc = value ? instruction->on_true : instruction->on_false;
		while (pc >= PLAN_FALSE && depth > 0) {
			value = pc == PLAN_TRUE;
			instruction = &program->code[e->stack[--depth]];
			e->units[instruction->operand] = e->generation | e->touched | value;
			pc = value ? instruction->on_true : instruction->on_false;
		}
	}
	return pc == PLAN_TRUE;
}

static bool run_unit(struct evaluator *e, uint32_t number, uint32_t entry)
{
	uint32_t *memo = &e->units[number];

	if ((*memo & ~MEMO_BITS) != e->generation) {
		bool value = run_code(e, entry);

		*memo = e->generation | e->touched | value;
	}
	e->touched |= *memo & MEMO_PENDING;
	return *memo & MEMO_TRUE;
}

static bool run_pass(struct evaluator *e, const struct plan_entry *entry)
{
	return entry->unit == PLAN_NONE ? run_code(e, entry->entry)
					: run_unit(e, entry->unit, entry->entry);
}

static void set_pass(struct evaluator *e, bool is_high)
{
	e->is_high = is_high;
	e->units = is_high ? e->high_units : e->low_units;
}

static enum verdict run_entry(struct evaluator *e, const struct plan_entry *entry)
{
	bool value;

	e->touched = 0;
	if (run_pass(e, entry))
		return VERDICT_TRUE;
	if (!e->touched)
		return VERDICT_FALSE;
	set_pass(e, true);
	value = run_pass(e, entry);
	set_pass(e, false);
	return value ? VERDICT_PENDING : VERDICT_FALSE;
}

static bool run_gate_pass(struct evaluator *e, const struct plan_gate *gate)
{
	return gate->is_unit ? run_unit(e, gate->number, e->program->units[gate->number].entry)
			     : get_leaf(e, gate->number, false);
}

bool eval_gate(struct evaluator *e, const struct plan_gate *gate)
{
	bool value;

	e->touched = 0;
	value = run_gate_pass(e, gate);
	if (value || !e->touched)
		return value;
	set_pass(e, true);
	value = run_gate_pass(e, gate);
	set_pass(e, false);
	return value;
}

/* ---- rules ----------------------------------------------------------------------------------- */

static unsigned run_candidates(struct evaluator *e, const struct plan *plan,
			       const struct evaluator_calls *calls)
{
	bool is_blocked = false; /* by an earlier rule that may yet be the first true one */
	unsigned hit_cnt = 0;

	for (uint32_t word = 0; word <= plan->entry_cnt / 64; word++) {
		for (uint64_t left = e->candidates[word]; left; left &= left - 1) {
			uint32_t i = word * 64 + (uint32_t)__builtin_ctzll(left);
			enum verdict verdict;

			if (i >= plan->entry_cnt)
				return hit_cnt;
			e->stats.rules_evaluated++;
			verdict = run_entry(e, &plan->entries[i]);
			if (verdict == VERDICT_FALSE)
				continue;
			if (verdict == VERDICT_PENDING || is_blocked) {
				calls->open(plan->entries[i].rule, verdict, calls->data);
				is_blocked = !e->program->is_match_all;
			} else {
				hit_cnt++;
				calls->hit(plan->entries[i].rule, calls->data);
			}
			if (verdict == VERDICT_TRUE && !e->program->is_match_all)
				return hit_cnt;
		}
	}
	return hit_cnt;
}

/* False where no rule looks at such an event. */
static bool begin(struct evaluator *e, const struct field_context *context,
		  const struct plan **ret_plan)
{
	if (context->event->code >= EVENT_CODE__COUNT)
		return false;
	*ret_plan = &e->program->plans[context->event->code];
	if ((*ret_plan)->entry_cnt == 0)
		return false;
	e->context = context;
	e->op.scratch = context->event->scratch;
	next_generation(e);
	return true;
}

unsigned evaluator_run(struct evaluator *e, const struct field_context *context,
		       const struct evaluator_calls *calls)
{
	const struct plan *plan;
	unsigned hit_cnt;

	if (!begin(e, context, &plan))
		return 0;
	e->stats.events++;
	e->parts_left = PARTS_MAX;
	eval_find(e, plan);
	hit_cnt = run_candidates(e, plan, calls);
	e->stats.scratch_exhausted += context->event->scratch->failed;
	return hit_cnt;
}

const struct plan_entry *plan_find(const struct plan *plan, uint32_t rule)
{
	uint32_t begin = 0, end = plan->entry_cnt;

	while (begin < end) {
		uint32_t middle = begin + (end - begin) / 2;

		if (plan->entries[middle].rule < rule)
			begin = middle + 1;
		else
			end = middle;
	}
	return begin < plan->entry_cnt && plan->entries[begin].rule == rule ? &plan->entries[begin]
									    : NULL;
}

enum verdict evaluator_decide(struct evaluator *e, const struct field_context *context,
			      uint32_t rule)
{
	const struct plan_entry *entry;
	const struct plan *plan;

	if (!begin(e, context, &plan))
		return VERDICT_FALSE;
	entry = plan_find(plan, rule);
	e->stats.rules_evaluated += entry != NULL;
	return entry ? run_entry(e, entry) : VERDICT_FALSE;
}

enum verdict evaluator_decide_again(struct evaluator *e, const struct field_context *context,
				    uint32_t rule)
{
	uint32_t values = e->values;
	const struct plan_entry *entry;
	const struct plan *plan;

	if (!begin(e, context, &plan))
		return VERDICT_FALSE;
	if (e->generation > values) /* it has not wrapped */
		e->values = values;
	entry = plan_find(plan, rule);
	return entry ? run_entry(e, entry) : VERDICT_FALSE;
}

void evaluator_begin(struct evaluator *e, const struct field_context *context)
{
	e->context = context;
	e->op.scratch = context->event->scratch;
	next_generation(e);
}

enum verdict evaluator_test(struct evaluator *e, const struct predicate *predicate)
{
	uint32_t memo = run_test(e, predicate->slot);

	return memo & MEMO_PENDING ? VERDICT_PENDING
	       : memo & MEMO_TRUE  ? VERDICT_TRUE
				   : VERDICT_FALSE;
}

const struct value_set *evaluator_value(struct evaluator *e, const struct operand *operand)
{
	return eval_value(e, operand);
}

void evaluator_stats(const struct evaluator *e, struct matcher_stats *ret)
{
	*ret = e->stats;
	ret->regex_limit = e->op.counters.limit;
	ret->regex_undecided = e->op.counters.undecided;
}
