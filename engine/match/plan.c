/*
 * From expressions to the flat plan: for each event code the rules that can match it, each reduced
 * to what the code leaves open, and one array of instructions for all of them. Owns its working
 * arrays; the plan lives in the ruleset's arena. Called by compile.c.
 */
#include <errno.h>

#include "compile.h"
#include "plan_index.h"

struct planner {
	struct compilation *c;
	struct program *program;
	struct instruction *code; /* owned */
	uint32_t code_cnt, code_cap;
	struct instruction *draft; /* owned: one unit, last instruction first */
	uint32_t draft_cnt, draft_cap;
	struct pointers units; /* of struct expr */
	uint32_t group_of[EVENT_CODE__COUNT];
	uint32_t group_cnt;
};

static void planner_done(struct planner *p)
{
	free(p->code);
	free(p->draft);
	free(p->units.items);
}

/* ---- classes of event codes ------------------------------------------------------------------ */

/* Codes that every test of evt.type answers alike have one plan. Class 0 has no rules: codes that
 * no rule can see. */
static void split_class(struct planner *p, const struct event_set *set)
{
	uint32_t with[EVENT_CODE__COUNT + 1], cnt = p->group_cnt;
	bool has_without[EVENT_CODE__COUNT + 1] = { false };

	for (uint32_t i = 0; i < cnt; i++)
		with[i] = PLAN_NONE;
	for (unsigned code = 0; code < EVENT_CODE__COUNT; code++)
		if (p->group_of[code] && !event_set_has(set, code))
			has_without[p->group_of[code]] = true;
	for (unsigned code = 0; code < EVENT_CODE__COUNT; code++) {
		uint32_t old = p->group_of[code];

		if (!old || !event_set_has(set, code) || !has_without[old])
			continue;
		if (with[old] == PLAN_NONE)
			with[old] = p->group_cnt++;
		p->group_of[code] = with[old];
	}
}

static void find_classes(struct planner *p)
{
	p->group_cnt = 2;
	for (unsigned code = 0; code < EVENT_CODE__COUNT; code++)
		p->group_of[code] = event_set_has(&p->c->all_events, code);
	for (uint32_t i = 0; i < p->program->predicate_cnt; i++)
		if (p->program->predicates[i]->is_type_test)
			split_class(p, &p->program->predicates[i]->type_set);
}

/* ---- rules of a group ------------------------------------------------------------------------ */

/* The expression with every test of evt.type decided. As deep as resolve.c lets trees be. NULL: out
 * of memory. */
static struct expr *simplify(struct planner *p, struct expr *expr, unsigned code)
{
	_cleanup_(freep) struct expr **children = NULL;

	if (!expr->has_type_test)
		return expr;
	if (expr->simplified_for == code)
		return expr->simplified;
	if (expr->kind == EXPR_LEAF) {
		bool holds = event_set_has(&expr->predicate->type_set, code) != expr->is_negated;

		return holds ? p->c->true_expr : p->c->false_expr;
	}
	children = malloc(expr->child_cnt * sizeof(*children));
	if (!children)
		return NULL;
	for (uint32_t i = 0; i < expr->child_cnt; i++) {
		children[i] = simplify(p, expr->children[i], code);
		if (!children[i])
			return NULL;
	}
	expr->simplified = expr_join(p->c, expr->kind, children, expr->child_cnt);
	expr->simplified_for = expr->simplified ? code : PLAN_NONE;
	return expr->simplified;
}

static void count_users(struct expr *expr)
{
	if (expr->user_cnt++)
		return;
	for (uint32_t i = 0; i < expr->child_cnt; i++)
		count_users(expr->children[i]);
}

static int plan_class(struct planner *p, struct expr *const *expressions, const bool *is_active,
		      unsigned code, struct plan *plan)
{
	_cleanup_(freep) struct plan_entry *found = NULL;
	struct plan_entry *entries;
	uint32_t cnt = 0;

	found = malloc(((size_t)p->program->rule_cnt + 1) * sizeof(*found));
	if (!found)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->program->rule_cnt; i++) {
		struct expr *expr = expressions[i];

		if (!expr || !is_active[i] || !event_set_has(&p->program->rules[i].events, code))
			continue;
		expr = simplify(p, expr, code);
		if (!expr)
			return -ENOMEM;
		if (expr->kind == EXPR_FALSE)
			continue;
		found[cnt++] = (struct plan_entry){ .rule = i, .expr = expr };
		if (expr->root_of != i)
			count_users(expr);
		expr->root_of = i;
	}
	entries = arena_new_array(p->c->arena, struct plan_entry, cnt);
	if (!entries)
		return -ENOMEM;
	memcpy(entries, found, cnt * sizeof(*entries));
	*plan = (struct plan){ .entries = entries, .entry_cnt = cnt };
	return 0;
}

/* ---- instructions ---------------------------------------------------------------------------- */

static bool grow(struct instruction **items, uint32_t need, uint32_t *cap)
{
	uint32_t larger = *cap ? *cap : 256;
	struct instruction *copy;

	if (need <= *cap)
		return true;
	while (larger < need)
		larger *= 2;
	copy = realloc(*items, larger * sizeof(*copy));
	if (!copy)
		return false;
	*items = copy;
	*cap = larger;
	return true;
}

/* Drafts are written from the end, so that every jump target is known; returns the number of the
 * expression's first instruction, PLAN_NONE where memory is out. */
static uint32_t draft(struct planner *p, struct expr *expr, bool is_root, uint32_t on_true,
		      uint32_t on_false)
{
	struct instruction instruction = { .on_true = on_true, .on_false = on_false };

	if (expr->kind != EXPR_LEAF && (is_root || expr->unit == PLAN_NONE)) {
		bool is_and = expr->kind == EXPR_AND;
		uint32_t entry = is_and ? on_true : on_false;

		for (uint32_t i = expr->child_cnt; i > 0 && entry != PLAN_NONE; i--)
			entry = draft(p, expr->children[i - 1], false, is_and ? entry : on_true,
				      is_and ? on_false : entry);
		return entry;
	}
	instruction.op = expr->kind == EXPR_LEAF ? INSTRUCTION_TEST : INSTRUCTION_CALL;
	instruction.operand = expr->kind == EXPR_LEAF ? expr->predicate->slot : expr->unit;
	instruction.is_negated = expr->is_negated;
	if (!grow(&p->draft, p->draft_cnt + 1, &p->draft_cap))
		return PLAN_NONE;
	p->draft[p->draft_cnt] = instruction;
	return p->draft_cnt++;
}

static uint32_t moved(const struct planner *p, uint32_t target)
{
	return target >= PLAN_FALSE ? target : p->code_cnt + p->draft_cnt - 1 - target;
}

/* Appends the code of an expression; its entry is set. */
static int emit(struct planner *p, struct expr *expr)
{
	uint32_t entry;

	if (expr->entry != PLAN_NONE)
		return 0;
	if (expr->kind == EXPR_TRUE) {
		expr->entry = PLAN_TRUE;
		return 0;
	}
	p->draft_cnt = 0;
	entry = draft(p, expr, true, PLAN_TRUE, PLAN_FALSE);
	if (entry == PLAN_NONE || !grow(&p->code, p->code_cnt + p->draft_cnt, &p->code_cap))
		return -ENOMEM;
	for (uint32_t i = 0; i < p->draft_cnt; i++) {
		struct instruction *to = &p->code[moved(p, i)];

		*to = p->draft[i];
		to->on_true = moved(p, to->on_true);
		to->on_false = moved(p, to->on_false);
	}
	expr->entry = moved(p, entry);
	p->code_cnt += p->draft_cnt;
	return 0;
}

/* Numbers the shared expressions; returns how deep units call units below this one. */
static int find_units(struct planner *p, struct expr *expr, uint32_t *ret_depth)
{
	uint32_t deepest = 0;

	if (expr->call_depth) {
		*ret_depth = expr->call_depth;
		return 0;
	}
	for (uint32_t i = 0; i < expr->child_cnt; i++) {
		uint32_t depth;
		int r = find_units(p, expr->children[i], &depth);

		if (r < 0)
			return r;
		deepest = MAX(deepest, depth);
	}
	if (expr->child_cnt && expr->user_cnt > 1) {
		expr->unit = p->units.cnt;
		if (!pointers_add(&p->units, expr))
			return -ENOMEM;
		deepest++;
	}
	*ret_depth = expr->call_depth = MAX(deepest, 1u);
	p->program->call_depth = MAX(p->program->call_depth, expr->call_depth);
	return 0;
}

static int emit_units(struct planner *p)
{
	struct unit *units = arena_new_array(p->c->arena, struct unit, p->units.cnt);

	if (!units)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->units.cnt; i++) {
		struct expr *expr = p->units.items[i];
		int r = emit(p, expr);

		if (r < 0)
			return r;
		units[i] = (struct unit){ .entry = expr->entry, .expr = expr };
	}
	p->program->units = units;
	p->program->unit_cnt = p->units.cnt;
	return 0;
}

static int emit_plan(struct planner *p, struct plan *plan)
{
	struct plan_entry *entries = (struct plan_entry *)(uintptr_t)plan->entries;

	for (uint32_t i = 0; i < plan->entry_cnt; i++) {
		struct expr *expr = (struct expr *)(uintptr_t)entries[i].expr;
		int r = emit(p, expr);

		if (r < 0)
			return r;
		entries[i].entry = expr->entry;
		entries[i].unit = expr->unit;
	}
	return 0;
}

static int keep_code(struct planner *p)
{
	struct instruction *code = arena_new_array(p->c->arena, struct instruction, p->code_cnt);

	if (!code)
		return -ENOMEM;
	if (p->code_cnt)
		memcpy(code, p->code, p->code_cnt * sizeof(*code));
	p->program->code = code;
	p->program->instruction_cnt = p->code_cnt;
	return 0;
}

static int build_plans(struct planner *p, struct expr *const *expressions, const bool *is_active,
		       struct plan *plans)
{
	int r = 0;

	for (uint32_t group = 1; group < p->group_cnt && r == 0; group++) {
		unsigned code = 0;

		while (code < EVENT_CODE__COUNT && p->group_of[code] != group)
			code++;
		if (code < EVENT_CODE__COUNT)
			r = plan_class(p, expressions, is_active, code, &plans[group]);
	}
	for (uint32_t group = 1; group < p->group_cnt && r == 0; group++)
		for (uint32_t i = 0; i < plans[group].entry_cnt && r == 0; i++) {
			uint32_t depth;

			r = find_units(p, (struct expr *)(uintptr_t)plans[group].entries[i].expr,
				       &depth);
		}
	if (r == 0)
		r = emit_units(p);
	for (uint32_t group = 1; group < p->group_cnt && r == 0; group++) {
		r = emit_plan(p, &plans[group]);
		if (r == 0)
			r = plan_index_build(p->c->arena, p->program, &plans[group]);
		p->program->entries_max = MAX(p->program->entries_max, plans[group].entry_cnt);
	}
	return r;
}

int plan_build(struct compilation *c, struct expr *const *expressions, const bool *is_active,
	       struct program *program)
{
	_cleanup_(planner_done) struct planner p = { .c = c, .program = program };
	_cleanup_(freep) struct plan *plans = NULL;
	int r;

	find_classes(&p);
	plans = calloc(p.group_cnt, sizeof(*plans));
	if (!plans)
		return -ENOMEM;
	r = build_plans(&p, expressions, is_active, plans);
	if (r == 0)
		r = keep_code(&p);
	for (unsigned code = 0; code < EVENT_CODE__COUNT && r == 0; code++)
		program->plans[code] = plans[p.group_of[code]];
	return r;
}
