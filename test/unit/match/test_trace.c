/*
 * The tree of a rule over an event (trace.h) against the plan that detects: generated rules with
 * macros, lists and exceptions over generated events whose values are there, absent or pending.
 * Numbers come from a seed.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "haetae/arena.h"
#include "haetae/rules.h"
#include "haetae/trace.h"

#define SCRATCH_MAX (1u << 20)
#define TREE_MAX    (8u << 20)
#define RULES	    200
#define EVENTS	    40
#define DEPTH	    4
#define VALUES_MAX  2

static uint64_t seed = 20261123;

static unsigned pick(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

/* ---- fields by hand ------------------------------------------------------------------------- */

/* Several values where the field may have them: readings of a path, ancestors. */
static struct test_field {
	const char *name, *texts[3];
	unsigned values_max;
	/* of the event at hand */
	enum field_state state;
	uint32_t cnt;
	struct value values[VALUES_MAX];
} fields[] = {
	{ .name = "proc.name", .texts = { "sh", "cat", "aab" }, .values_max = 1 },
	{ .name = "proc.pid", .texts = { "7", "8", "1" }, .values_max = 1 },
	{ .name = "fd.name", .texts = { "/etc/a", "/usr/x", "/etc/b" }, .values_max = 2 },
	{ .name = "proc.aname", .texts = { "sh", "init", "cat" }, .values_max = 2 },
	{ .name = "container.image", .texts = { "i", "j", "" }, .values_max = 1 },
};

static void draw_event(void)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		struct test_field *field = &fields[i];
		const struct field *known = field_find(str_from(field->name));

		field->state = (enum field_state)(pick(5) < 3 ? FIELD_VALUE : pick(3));
		field->cnt = 1 + pick(field->values_max);
		for (uint32_t k = 0; k < field->cnt; k++) {
			const char *text = field->texts[pick(3)];

			field->values[k] = (struct value){ .type = known->type };
			if (known->type == VALUE_STRING || known->type == VALUE_PATH)
				field->values[k].str = str_from(text);
			else
				field->values[k].u64 = (uint64_t)atoi(text);
		}
	}
}

static bool give(const struct field *field, const struct field_argument *argument,
		 struct value_set *ret, void *data)
{
	const struct event *event = data;

	(void)argument;
	/* The plan leaves out what cannot be; nobody may give it (E0805 of a fixture). */
	if (!field_has_event(field, event->schema))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (strcmp(field->name, fields[i].name) != 0)
			continue;
		*ret = (struct value_set){ fields[i].state,
					   fields[i].state == FIELD_VALUE ? fields[i].cnt : 0,
					   fields[i].values };
		return true;
	}
	return false;
}

/* ---- rules by chance ------------------------------------------------------------------------- */

static const char *const leaves[] = {
	"proc.name = sh",
	"proc.name != cat",
	"proc.name in (words)",
	"proc.name exists",
	"proc.pid > 6",
	"proc.pid != 8",
	"fd.name startswith /etc",
	"fd.name = /usr/x",
	"fd.name != /etc/a",
	"fd.name pmatch (/etc)",
	"proc.aname = init",
	"proc.aname in (words)",
	"container.image = i",
	"container.image != i",
	"container.image exists",
	"evt.type = openat",
	"evt.type in (execve, openat)",
	"one",
	"two",
	"basename(fd.name) = a",
};

static void put_condition(struct buf *out, unsigned depth)
{
	unsigned kind = depth ? pick(5) : 4;

	if (kind == 4) {
		buf_puts(out, leaves[pick(ARRAY_LEN(leaves))]);
		return;
	}
	if (kind == 3) {
		buf_puts(out, "not (");
		put_condition(out, depth - 1);
		buf_putc(out, ')');
		return;
	}
	buf_putc(out, '(');
	for (unsigned i = 0, cnt = 2 + pick(2); i < cnt; i++) {
		buf_puts(out, i == 0 ? "" : kind == 0 ? " or " : " and ");
		put_condition(out, depth - 1);
	}
	buf_putc(out, ')');
}

static void put_rules(struct buf *out)
{
	buf_puts(out, "- list: words\n  items: [sh, init]\n"
		      "- macro: one\n  condition: (proc.name = aab or not fd.name = /etc/b)\n"
		      "- macro: two\n  condition: (not one and container.image = j)\n");
	for (unsigned i = 0; i < RULES; i++) {
		buf_printf(out,
			   "- rule: rule %u\n  desc: d\n  output: o\n  priority: DEBUG\n"
			   "  condition: ",
			   i);
		put_condition(out, DEPTH);
		buf_putc(out, '\n');
		if (pick(2))
			buf_puts(out,
				 "  exceptions:\n"
				 "    - {name: empty, fields: [proc.pid]}\n"
				 "    - {name: rows, fields: [proc.name, fd.name],"
				 " comps: [=, startswith], values: [[sh, /usr], [cat, /etc]]}\n"
				 "    - {name: single, fields: proc.name, comps: in,"
				 " values: [aab]}\n");
	}
}

/* ---- the property ---------------------------------------------------------------------------- */

struct world {
	struct diags diags;
	struct ruleset *ruleset;
	struct matcher *matcher;
	struct arena scratch;
	unsigned seen[3], cnt; /* by verdict */
	/* "x and not x" is false for the plan before x is known; for the tree it is open. */
	unsigned folded;
};

static void compare(struct world *world, const struct field_context *context)
{
	for (uint32_t i = 0; i < ruleset_rule_cnt(world->ruleset); i++) {
		const struct rule *rule = ruleset_rule(world->ruleset, i);
		const struct trace_node *root = NULL;
		enum verdict planned;
		struct arena tree;

		arena_reset(&world->scratch);
		planned = matcher_decide(world->matcher, context, rule);
		arena_init(&tree, TREE_MAX);
		cr_assert_eq(rule_trace(world->ruleset, rule, context, &tree, &root), 0);
		if (!event_set_has(&rule->events, context->event->code))
			cr_assert_eq(planned, VERDICT_FALSE);
		else if (root->verdict == VERDICT_PENDING && planned != VERDICT_PENDING &&
			 !context->is_final)
			world->folded++;
		else
			cr_assert_eq(root->verdict, planned, "%.*s on %s: tree %d, plan %d: %.*s",
				     STR_ARG(rule->name), event_code_name(context->event->code),
				     root->verdict, planned, STR_ARG(rule->condition));
		world->seen[planned]++;
		world->cnt++;
		arena_done(&tree);
	}
}

Test(trace, agrees_with_the_plan_on_generated_rules)
{
	static const unsigned codes[] = { EVENT_OPENAT, EVENT_EXECVE, EVENT_CONNECT };
	struct world world = { 0 };
	struct rules_options options;
	struct buf text;

	diags_init(&world.diags);
	arena_init(&world.scratch, SCRATCH_MAX);
	buf_init(&text, 1u << 22);
	put_rules(&text);
	rules_options_default(&options);
	options.is_match_all = true;
	if (ruleset_load_text(STR("rules"), buf_str(&text), &options, &world.diags,
			      &world.ruleset) != 0)
		diags_print(&world.diags, stderr, false);
	cr_assert(world.ruleset);
	cr_assert_eq(matcher_new(world.ruleset, &world.matcher), 0);
	for (unsigned i = 0; i < EVENTS; i++) {
		struct wire_header header = { .type = (uint16_t)codes[i % ARRAY_LEN(codes)] };
		struct event event = { .header = &header,
				       .number = i + 1,
				       .scratch = &world.scratch,
				       .code = header.type,
				       .schema = event_schema_get(header.type) };
		struct field_context context = { .event = &event,
						 .source = "syscall",
						 .override = give,
						 .override_data = &event,
						 .is_final = pick(4) == 0 };

		draw_event();
		compare(&world, &context);
	}
	/* A generator that reaches one answer only would prove nothing. */
	for (unsigned i = 0; i < ARRAY_LEN(world.seen); i++)
		cr_expect_gt(world.seen[i], world.cnt / 50, "verdict %u: %u of %u", i,
			     world.seen[i], world.cnt);
	cr_expect_lt(world.folded, world.cnt / 100, "%u of %u", world.folded, world.cnt);
	matcher_free(world.matcher);
	ruleset_free(world.ruleset);
	buf_done(&text);
	arena_done(&world.scratch);
	diags_done(&world.diags);
}
