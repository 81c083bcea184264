/*
 * Warnings about rules that are legal (rule-language.md 1.10). Owns nothing. Called by compile.c,
 * rule by rule, with the tree for places and the expression for meaning.
 */
#include "lint.h"

/* rule-language.md 1.10, LOAD_NO_EVTTYPE. */
#define EVENT_TYPES_MAX 100

static bool has_value_on(const struct operand *operand, const struct event_schema *schema)
{
	if (!schema)
		return true;
	if (operand->argument.param_of_type && operand->argument.param_of_type[schema->type] < 0)
		return false;
	return field_has_event(operand->field, schema);
}

/* Whether the operand can have a value on any event of the set. */
static bool can_exist(const struct operand *operand, const struct event_set *events)
{
	bool generic_seen = false;

	if (operand->kind != OPERAND_FIELD)
		return true;
	for (unsigned code = 0; code < EVENT_CODE__COUNT; code++) {
		unsigned type = code < EVENT_CODE_SYSCALL ? code : EVENT_GENERIC;

		if (!event_set_has(events, code) || (type == EVENT_GENERIC && generic_seen))
			continue;
		generic_seen |= type == EVENT_GENERIC;
		if (has_value_on(operand, event_schema_get((enum event_type)type)))
			return true;
	}
	return false;
}

struct walk {
	struct compilation *c;
	const struct compiled_rule *rule;
	unsigned visited_cnt;
};
/* Nodes looked at for one rule: macros that double each other have more paths than nodes. */
#define VISITS_MAX 20000

static void warn_cannot_hold(struct walk *walk, const struct ast_node *node,
			     const struct event_set *events)
{
	struct ast_check *check = node->check;
	const struct operand *left = check->result->predicates[QUANTIFIER_ANY]->left;

	if (event_set_is_empty(events) || can_exist(left, events) || check->is_warned)
		return;
	check->is_warned = true;
	diags_warning(walk->c->diags, check->left.at, "W0404", NULL,
		      "'%.*s' has no value on the event types that this part of the rule allows",
		      STR_ARG(check->left.name));
	diags_related(walk->c->diags, text_whole(&walk->rule->def->name), "in rule '%.*s'",
		      STR_ARG(walk->rule->def->name.s));
}

/* Down the tree with the event types that are left; only checks in positive polarity, since an
 * exclusion that excludes nothing does no harm. */
static void visit(struct walk *walk, const struct ast_node *node, bool is_negated,
		  const struct event_set *events)
{
	const struct expr *expr = node->compiled[is_negated];
	struct event_set narrowed = *events;

	if (!expr || walk->visited_cnt++ > VISITS_MAX)
		return;
	for (unsigned i = 0; i < ARRAY_LEN(narrowed.bits); i++)
		narrowed.bits[i] &= expr->events.bits[i];
	if (node->kind == AST_CHECK && !is_negated)
		warn_cannot_hold(walk, node, &narrowed);
	for (uint32_t i = 0; i < node->child_cnt; i++)
		visit(walk, node->children[i], is_negated != (node->kind == AST_NOT), &narrowed);
}

static void warn(struct compilation *c, const struct rule_def *rule, const char *code,
		 const char *text, const char *hint)
{
	diags_warning(c->diags, text_whole(&rule->condition), code, hint, "rule '%.*s' %s",
		      STR_ARG(rule->name.s), text);
}

void lint_rule(struct compilation *c, const struct compiled_rule *rule, const struct expr *expr)
{
	struct walk walk = { c, rule, 0 };

	if (expr->kind == EXPR_FALSE || event_set_is_empty(&expr->events)) {
		warn(c, rule->def, "W0403", "can never match", NULL);
		return;
	}
	if (expr->kind == EXPR_TRUE)
		warn(c, rule->def, "W0402", "matches every event", NULL);
	else
		visit(&walk, rule->condition, false, &c->all_events);
	if (!rule->def->want_evttypes_warning)
		return;
	if (event_set_count(&expr->events) != event_set_count(&rule->events))
		warn(c, rule->def, "W0415",
		     "does not look at calls that are made all the time, such as read, write, "
		     "close and mmap",
		     "name those that it needs: evt.type in (…)");
	if (event_set_count(&expr->events) > EVENT_TYPES_MAX)
		warn(c, rule->def, "W0401",
		     "matches too many evt.type values, which costs time on every event",
		     "begin the condition with evt.type = … or evt.type in (…)");
}

/* The first rule whose whole condition the expression, or a part that it needs, is. */
static uint32_t find_shadow(const struct expr *expr)
{
	uint32_t first = expr->root_of;

	for (uint32_t i = 0; expr->kind == EXPR_AND && i < expr->child_cnt; i++)
		first = MIN(first, find_shadow(expr->children[i]));
	return first;
}

static bool is_subset(const struct event_set *small, const struct event_set *large)
{
	for (unsigned i = 0; i < ARRAY_LEN(small->bits); i++)
		if (small->bits[i] & ~large->bits[i])
			return false;
	return true;
}

/* Uses root_of before plan.c does: the first rule with the expression as its condition. */
void lint_shadowed(struct compilation *c, const struct compiled_rule *rules,
		   struct expr *const *expressions, const bool *is_active)
{
	for (uint32_t i = 0; i < c->defs->rule_cnt; i++) {
		const struct rule_def *rule = &c->defs->rules[i];
		uint32_t shadow;

		if (!expressions[i] || !is_active[i] || expressions[i]->kind == EXPR_FALSE)
			continue;
		shadow = find_shadow(expressions[i]);
		if (shadow == PLAN_NONE) {
			expressions[i]->root_of = i;
			continue;
		}
		/* It may name a call that the other one leaves out. */
		if (!is_subset(&rules[i].events, &rules[shadow].events))
			continue;
		diags_warning(c->diags, text_whole(&rule->name), "W0414",
			      "move the more special rule to the front",
			      "rule '%.*s' never raises an alert: an earlier rule matches whenever "
			      "it does",
			      STR_ARG(rule->name.s));
		diags_related(c->diags, text_whole(&c->defs->rules[shadow].name), "this one");
	}
	for (uint32_t i = 0; i < c->defs->rule_cnt; i++)
		if (expressions[i])
			expressions[i]->root_of = PLAN_NONE;
}

void lint_unused(struct compilation *c)
{
	for (uint32_t i = 0; i < c->defs->macro_cnt; i++) {
		const struct macro_def *macro = &c->defs->macros[i];

		if (!macro->is_used && !macro->is_broken)
			diags_warning(c->diags, text_whole(&macro->name), "W0409", NULL,
				      "macro '%.*s' is not referred to by any rule or macro",
				      STR_ARG(macro->name.s));
	}
	for (uint32_t i = 0; i < c->defs->list_cnt; i++) {
		const struct list_def *list = &c->defs->lists[i];

		if (!list->is_used)
			diags_warning(c->diags, text_whole(&list->name), "W0410", NULL,
				      "list '%.*s' is not referred to by any rule, macro or list",
				      STR_ARG(list->name.s));
	}
}
