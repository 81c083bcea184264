/*
 * The evaluator: a loop over instructions, slots read once an event, no allocation but event
 * scratch. Owns slots, memo stamps and the call stack. Called by matcher.c, in the engine thread.
 */
#include "eval.h"

#include <errno.h>

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
	if (program->has_regex)
		e->op.regex = regex_scratch_new();
	if (!e->slots || !e->tests || !e->units || !e->stack ||
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

unsigned evaluator_run(struct evaluator *e, const struct field_context *context,
		       evaluator_hit_fn hit, void *data)
{
	const struct plan *plan;
	unsigned hit_cnt = 0;

	if (context->event->code >= EVENT_CODE__COUNT)
		return 0;
	plan = &e->program->plans[context->event->code];
	if (plan->entry_cnt == 0)
		return 0;
	e->context = context;
	e->op.scratch = context->event->scratch;
	e->stats.events++;
	next_generation(e);
	for (uint32_t i = 0; i < plan->entry_cnt; i++) {
		e->stats.rules_evaluated++;
		if (!run_entry(e, &plan->entries[i]))
			continue;
		hit_cnt++;
		hit(plan->entries[i].rule, data);
		if (!e->program->is_match_all)
			break;
	}
	e->stats.scratch_exhausted += context->event->scratch->failed;
	return hit_cnt;
}

void evaluator_stats(const struct evaluator *e, struct matcher_stats *ret)
{
	*ret = e->stats;
	ret->regex_limit = e->op.counters.limit;
	ret->regex_undecided = e->op.counters.undecided;
}
