/*
 * See trace.h: walks a condition's tree and asks the evaluator for each leaf. Recursion ends where
 * the parser's does. Owns nothing beyond a call. Called by the command line.
 */
#include "haetae/trace.h"

#include <errno.h>

#include "ast.h"
#include "compile.h"
#include "eval.h"
#include "ruleset.h"

#define TEXT_MAX (64u << 10)

struct tracer {
	struct arena *arena;
	struct evaluator *evaluator;
	const struct ruleset *ruleset;
	const struct field_context *context;
	uint32_t node_cnt;
	bool is_large, is_out_of_memory;
};

static struct trace_node *trace(struct tracer *tracer, const struct ast_node *node,
				bool is_negated);

static struct trace_node *new_node(struct tracer *tracer, enum trace_kind kind, struct span at)
{
	struct trace_node *node;

	if (tracer->node_cnt++ >= TRACE_NODES_MAX) {
		tracer->is_large = true;
		return NULL;
	}
	node = arena_new(tracer->arena, struct trace_node);
	tracer->is_out_of_memory |= !node;
	if (node)
		*node = (struct trace_node){ .kind = kind, .at = at };
	return node;
}

/* ---- leaves --------------------------------------------------------------------------------- */

static struct str keep(struct tracer *tracer, struct buf *text)
{
	struct str kept = arena_str(tracer->arena, buf_str(text));

	tracer->is_out_of_memory |= !kept.p;
	buf_done(text);
	return kept;
}

static struct str values_text(struct tracer *tracer, const struct operand *operand)
{
	const struct value_set *set = evaluator_value(tracer->evaluator, operand);
	static const struct field plain = { .name = "" };
	struct buf text;

	if (set->state == FIELD_ABSENT)
		return STR_NONE;
	if (set->state == FIELD_PENDING)
		return STR("not known yet");
	buf_init(&text, TEXT_MAX);
	if (operand->is_list)
		buf_putc(&text, '(');
	for (uint32_t i = 0; i < set->cnt; i++) {
		buf_puts(&text, i ? ", " : "");
		value_format(operand->kind == OPERAND_FIELD ? operand->field : &plain,
			     &set->values[i], &text);
	}
	if (operand->is_list)
		buf_putc(&text, ')');
	return keep(tracer, &text);
}

static struct trace_node *trace_check(struct tracer *tracer, const struct ast_node *node,
				      bool is_negated)
{
	struct trace_node *ret = new_node(tracer, TRACE_CHECK, node->at);
	const struct check_result *result = node->check->result;
	const struct predicate *predicate;
	struct buf text;

	if (!ret || !result)
		return ret;
	predicate = result->predicates[QUANTIFIER_ANY];
	/* Both readings of a path below an odd number of `not` (decision 1). */
	if (is_negated && predicate && predicate->sibling)
		predicate = predicate->sibling;
	buf_init(&text, TEXT_MAX);
	ast_format_check(node->check, false, &text);
	ret->text = keep(tracer, &text);
	if (!predicate)
		return ret;
	ret->verdict = evaluator_test(tracer->evaluator, predicate);
	ret->actual = values_text(tracer, predicate->left);
	ret->has_right = predicate->right;
	if (predicate->right)
		ret->right = values_text(tracer, predicate->right);
	return ret;
}

/* ---- what joins them ------------------------------------------------------------------------ */

static enum verdict flip(enum verdict verdict)
{
	return verdict == VERDICT_PENDING ? verdict
	       : verdict == VERDICT_TRUE  ? VERDICT_FALSE
					  : VERDICT_TRUE;
}

/* One that decides by itself, else pending, else the other. */
static enum verdict join(const struct trace_node *node)
{
	enum verdict strong = node->kind == TRACE_OR ? VERDICT_TRUE : VERDICT_FALSE;
	bool has_pending = false;

	for (uint32_t i = 0; i < node->child_cnt; i++) {
		if (node->children[i]->verdict == strong)
			return strong;
		has_pending |= node->children[i]->verdict == VERDICT_PENDING;
	}
	return has_pending ? VERDICT_PENDING : flip(strong);
}

static struct trace_node *trace_children(struct tracer *tracer, const struct ast_node *node,
					 struct trace_node *ret, bool is_negated)
{
	const struct trace_node **children =
		arena_new_array(tracer->arena, const struct trace_node *, node->child_cnt + 1);

	if (!children || !ret) {
		tracer->is_out_of_memory |= !children;
		return ret;
	}
	ret->children = children;
	for (uint32_t i = 0; i < node->child_cnt; i++) {
		const struct trace_node *child = trace(tracer, node->children[i], is_negated);

		if (child)
			children[ret->child_cnt++] = child;
	}
	if (ret->kind == TRACE_AND || ret->kind == TRACE_OR)
		ret->verdict = join(ret);
	else if (ret->child_cnt)
		ret->verdict =
			ret->kind == TRACE_NOT ? flip(children[0]->verdict) : children[0]->verdict;
	return ret;
}

static struct trace_node *trace(struct tracer *tracer, const struct ast_node *node, bool is_negated)
{
	struct trace_node *ret;

	switch (node->kind) {
	case AST_CHECK:
		return trace_check(tracer, node, is_negated);
	case AST_AND:
	case AST_OR:
		ret = new_node(tracer, node->kind == AST_AND ? TRACE_AND : TRACE_OR, node->at);
		return trace_children(tracer, node, ret, is_negated);
	case AST_NOT:
		ret = new_node(tracer, TRACE_NOT, node->at);
		return trace_children(tracer, node, ret, !is_negated);
	case AST_MACRO:
		ret = new_node(tracer, TRACE_MACRO, node->at);
		if (ret)
			ret->text = node->name;
		return trace_children(tracer, node, ret, is_negated);
	case AST_INVALID:
		break;
	}
	return NULL;
}

/* exception.c makes "(C) and not (rows of the first) and not (rows of the second)…" of a rule whose
 * exceptions have rows. */
static void name_exceptions(struct tracer *tracer, const struct rule_def *def,
			    struct trace_node *root)
{
	uint32_t at = 1;

	for (uint32_t i = 0; i < def->exception_cnt && at < root->child_cnt; i++) {
		const struct trace_node *not_node = root->children[at];
		struct trace_node *named;
		const struct trace_node **children;

		if (!def->exceptions[i].row_cnt)
			continue;
		named = new_node(tracer, TRACE_EXCEPTION, not_node->at);
		children = arena_new_array(tracer->arena, const struct trace_node *, 2);
		if (!named || !children || not_node->child_cnt != 1)
			return;
		children[0] = not_node->children[0];
		*named = (struct trace_node){ .kind = TRACE_EXCEPTION,
					      .verdict = children[0]->verdict,
					      .text = def->exceptions[i].name.s,
					      .at = not_node->at,
					      .children = children,
					      .child_cnt = 1 };
		/* Below the "not", where it says what is excepted. */
		children = (const struct trace_node **)(uintptr_t)not_node->children;
		children[0] = named;
		at++;
	}
}

/* What would have to be otherwise: of a row that holds all its parts, of one that fails those that
 * fail. */
static void mark_decisive(const struct trace_node *node)
{
	struct trace_node *writable = (struct trace_node *)(uintptr_t)node;
	enum verdict weak = node->kind == TRACE_OR ? VERDICT_FALSE : VERDICT_TRUE;
	bool is_row = node->kind == TRACE_AND || node->kind == TRACE_OR;

	if (node->kind == TRACE_CHECK)
		writable->is_decisive = true;
	for (uint32_t i = 0; i < node->child_cnt; i++)
		if (!is_row || node->verdict == weak || node->children[i]->verdict == node->verdict)
			mark_decisive(node->children[i]);
}

int rule_trace(const struct ruleset *ruleset, const struct rule *rule,
	       const struct field_context *context, struct arena *arena,
	       const struct trace_node **ret)
{
	const struct ast_node *condition = ruleset->compiled[rule->index].condition;
	struct tracer tracer = { .arena = arena, .ruleset = ruleset, .context = context };
	struct trace_node *root;
	int r;

	if (!condition)
		return TRACE_E_NONE;
	r = evaluator_new(ruleset->program, &tracer.evaluator);
	if (r < 0)
		return r;
	evaluator_begin(tracer.evaluator, context);
	root = trace(&tracer, condition, false);
	if (root && root->kind == TRACE_AND)
		name_exceptions(&tracer, &ruleset->defs.rules[rule->index], root);
	evaluator_free(tracer.evaluator);
	if (tracer.is_out_of_memory || !root)
		return tracer.is_large ? TRACE_E_LARGE : -ENOMEM;
	if (tracer.is_large)
		return TRACE_E_LARGE;
	mark_decisive(root);
	*ret = root;
	return 0;
}
