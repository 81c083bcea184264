/*
 * A rule as the engine understands it, for people: where it stands, what its condition expands to
 * and from what, which events it looks at, the plan that runs. Owns nothing. Called by the command
 * line.
 */
#include "ruleset.h"

#include "ast.h"
#include "haetae/text.h"

#define LINE_WIDTH     96
#define EVENTS_MAX     24 /* event types are named one by one up to here */
#define EXPANDED_BYTES (1u << 20)
#define PLAN_BYTES     (8u << 20)

/* ---- text ------------------------------------------------------------------------------------ */

/* Words, with line breaks where a line gets too long; each line behind `indent` blanks. */
static void put_words(struct buf *out, struct str s, unsigned indent)
{
	unsigned column = 0;

	for (uint32_t i = 0; i < s.n;) {
		uint32_t begin;

		while (i < s.n && strchr(" \t\r\n", s.p[i]) && s.p[i])
			i++;
		for (begin = i; i < s.n && !(strchr(" \t\r\n", s.p[i]) && s.p[i]); i++)
			continue;
		if (i == begin)
			break;
		if (column > 0 && column + 1 + (i - begin) > LINE_WIDTH - indent) {
			buf_printf(out, "\n%*s", (int)indent, "");
			column = 0;
		}
		buf_puts(out, column ? " " : "");
		text_put_line(out, (struct str){ s.p + begin, i - begin });
		column += (column ? 1 : 0) + (i - begin);
	}
	buf_putc(out, '\n');
}

static void put_label(struct buf *out, const char *label)
{
	buf_printf(out, "  %-10s ", label);
}

static void put_head(const struct ruleset *ruleset, const struct rule *rule, struct buf *out)
{
	const struct rule_def *def = &ruleset->defs.rules[rule->index];

	text_put_line(out, rule->name);
	buf_putc(out, '\n');
	put_label(out, "defined");
	text_put_line(out, rule->file);
	buf_printf(out, ":%u, number %u of %u\n", rule->line, rule->index + 1, ruleset->rule_cnt);
	put_label(out, "priority");
	buf_printf(out, "%s\n", priority_name(rule->priority));
	put_label(out, "tags");
	for (uint32_t i = 0; i < rule->tag_cnt; i++) {
		buf_puts(out, i ? ", " : "");
		text_put_line(out, rule->tags[i]);
	}
	buf_puts(out, rule->tag_cnt ? "\n" : "none\n");
	put_label(out, "enabled");
	if (rule->is_immature && !ruleset->compiled[rule->index].is_skipped)
		buf_printf(out,
			   "no: its maturity is %s (rules.maturity, --maturity, or a selection by "
			   "name or tag)\n",
			   maturity_name(rule->maturity));
	else
		buf_puts(out, rule->is_enabled	? "yes\n"
			      : def->is_foreign ? "no: its source is not watched\n"
			      : ruleset->compiled[rule->index].is_skipped
				      ? "no: skipped, see check\n"
			      : def->is_enabled
				      ? "no: by the selection of rules or the minimum priority\n"
				      : "no: by its key enabled\n");
	put_label(out, "desc");
	put_words(out, rule->desc, 13);
	put_label(out, "output");
	put_words(out, rule->output, 13);
}

/* ---- condition ------------------------------------------------------------------------------- */

/* A macro stands for its tree. */
static enum ast_kind kind_of(const struct ast_node *node)
{
	while (node->kind == AST_MACRO && node->child_cnt)
		node = node->children[0];
	return node->kind;
}

/* One part a line, where the condition is a row of parts. */
static void put_expanded(const struct ast_node *node, struct buf *out)
{
	bool is_row = node->kind == AST_AND || node->kind == AST_OR;
	uint32_t cnt = is_row ? node->child_cnt : 1;

	for (uint32_t i = 0; i < cnt; i++) {
		const struct ast_node *part = is_row ? node->children[i] : node;
		bool has_parens = is_row && (kind_of(part) == AST_AND || kind_of(part) == AST_OR);
		_cleanup_(buf_done) struct buf text;

		buf_init(&text, EXPANDED_BYTES);
		buf_puts(&text, i == 0 ? "" : node->kind == AST_AND ? "and " : "or ");
		buf_puts(&text, has_parens ? "(" : "");
		ast_format(part, true, &text);
		buf_puts(&text, has_parens ? ")" : "");
		buf_puts(out, i ? "      " : "    ");
		put_words(out, buf_str(&text), i ? 10 : 8);
		if (text.failed)
			buf_puts(out, "      … too long to show\n");
	}
}

struct origins {
	const struct defs *defs;
	struct buf *out;
	bool *has_list, *has_macro; /* shown */
};

static void put_origin(struct buf *out, const char *kind, struct str name,
		       const struct def_place *place)
{
	buf_printf(out, "    %-5s ", kind);
	text_put_line(out, name);
	buf_puts(out, "  ");
	text_put_line(out, place->file);
	buf_printf(out, ":%u\n", place->line);
}

/* A macro's tree is walked once; within a tree nodes are as deep as the parser allows. */
static void put_origins(struct origins *origins, const struct ast_node *node)
{
	const struct defs *defs = origins->defs;

	if (node->kind == AST_MACRO && node->macro) {
		if (origins->has_macro[node->macro - defs->macros])
			return;
		origins->has_macro[node->macro - defs->macros] = true;
		put_origin(origins->out, "macro", node->macro->name.s, &node->macro->place);
	}
	for (uint32_t i = 0; node->kind == AST_CHECK && i < node->check->value_cnt; i++) {
		const struct list_def *list = node->check->values[i].list;

		if (!list || origins->has_list[list - defs->lists])
			continue;
		origins->has_list[list - defs->lists] = true;
		put_origin(origins->out, "list", list->name.s, &list->place);
	}
	for (uint32_t i = 0; node->kind != AST_CHECK && i < node->child_cnt; i++)
		put_origins(origins, node->children[i]);
}

static void put_condition(const struct ruleset *ruleset, const struct rule *rule, struct buf *out)
{
	const struct ast_node *node = ruleset->compiled[rule->index].condition;
	_cleanup_(freep) bool *has_list = calloc(ruleset->defs.list_cnt + 1, 1);
	_cleanup_(freep) bool *has_macro = calloc(ruleset->defs.macro_cnt + 1, 1);
	struct origins origins = { &ruleset->defs, out, has_list, has_macro };
	size_t before;

	buf_puts(out, "\ncondition, as written\n    ");
	put_words(out, rule->condition, 4);
	if (!node)
		return;
	buf_puts(out, "\ncondition, with macros and lists filled in\n");
	put_expanded(node, out);
	buf_puts(out, "\nwhere its parts come from\n");
	before = out->n;
	if (has_list && has_macro)
		put_origins(&origins, node);
	if (out->n == before)
		buf_puts(out, "    the rule alone\n");
}

/* ---- events and plan ------------------------------------------------------------------------- */

static void put_events(const struct rule *rule, struct buf *out)
{
	_cleanup_(buf_done) struct buf names;
	unsigned cnt = 0;

	buf_init(&names, 4096);
	for (unsigned code = 0; code < EVENT_CODE__COUNT; code++) {
		if (!event_set_has(&rule->events, code) || ++cnt > EVENTS_MAX)
			continue;
		buf_printf(&names, "%s%s", cnt > 1 ? ", " : "", event_code_name(code) ?: "?");
	}
	buf_printf(out, "\nevent types: %u\n    ", cnt);
	if (cnt > EVENTS_MAX)
		buf_printf(&names, " and %u more", cnt - EVENTS_MAX);
	put_words(out, cnt ? buf_str(&names) : STR("none: the rule cannot match"), 4);
}

/* A test against a long list is cut: the condition above has it whole. */
static void put_plan_line(struct str line, struct buf *out)
{
	uint32_t head = MIN(line.n, (uint32_t)LINE_WIDTH), tail = line.n;

	while (tail > 4 && memcmp(line.p + tail - 4, "  ? ", 4) != 0)
		tail--;
	if (tail <= 4 || tail - 4 < head + 8) {
		buf_put_str(out, line);
	} else {
		/* Between two values, or at least not within a character. */
		while (head > LINE_WIDTH / 2 && memcmp(line.p + head - 2, ", ", 2) != 0)
			head--;
		while (head > 0 && ((unsigned char)line.p[head] & 0xc0) == 0x80)
			head--;
		buf_put(out, line.p, head);
		buf_puts(out, "…");
		buf_put(out, line.p + tail - 4, line.n - tail + 4);
	}
	buf_putc(out, '\n');
}

static void put_plan(const struct ruleset *ruleset, const struct rule *rule, struct buf *out)
{
	_cleanup_(buf_done) struct buf text;
	const char *line, *end;

	buf_init(&text, PLAN_BYTES);
	program_dump_rule(ruleset->program, &ruleset->compiled[rule->index], &text);
	program_dump_units(ruleset->program, &ruleset->compiled[rule->index], &text);
	buf_puts(out,
		 "\nplan, by event types; tests and values with several users are evaluated once "
		 "an event\n");
	line = buf_str(&text).p;
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		put_plan_line((struct str){ line, (uint32_t)(end - line) }, out);
	if (text.failed)
		buf_puts(out, "    … too long to show\n");
}

void ruleset_explain(const struct ruleset *ruleset, const struct rule *rule, struct buf *out)
{
	put_head(ruleset, rule, out);
	put_condition(ruleset, rule, out);
	put_events(rule, out);
	if (rule->is_enabled) {
		ruleset_explain_filter(ruleset, rule, out);
		put_plan(ruleset, rule, out);
	}
}
