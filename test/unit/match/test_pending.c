/*
 * Conditions over values that are not there yet (decision 23): each kind of leaf against the rules
 * of absent values, random conditions against a brute-force answer. Numbers come from a seed.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>

#include "language.h"

#define SCRATCH_MAX (1u << 20)

/* ---- fields by hand ------------------------------------------------------------------------- */

#define VARIANTS 3
/* The first is what the table of leaves is about. */
static const struct test_field {
	const char *name, *texts[VARIANTS];
} fields[] = {
	{ "proc.name", { "aab", "b", "Aab" } },
	{ "proc.pname", { "Aab", "aab", "" } },
	{ "proc.cmdline", { "-yv", "x", "-y" } },
	{ "proc.pid", { "7", "8", "1" } },
	{ "fd.name", { "/etc/a", "/usr/x", "a" } },
	{ "fd.connected", { "true", "false", "true" } },
	{ "fd.ip", { "10.0.0.1", "10.0.0.2", "192.168.0.1" } },
	{ "fd.net", { "10.0.0.1", "11.0.0.2", "192.168.0.1" } },
	{ "fd.port", { "22", "80", "443" } },
	{ "fd.types", { "file", "pipe", "unix" } },
	{ "evt.buffer", { "abc", "bc", "" } },
	{ "proc.aname", { "sh", "init", "bash" } },
	{ "container.image", { "i", "j", "" } },
	{ "container.privileged", { "true", "false", "true" } },
};

static unsigned variants[ARRAY_LEN(fields)];
static enum field_state states[ARRAY_LEN(fields)];

static void convert(enum value_type type, const char *text, struct value *ret)
{
	*ret = (struct value){ .type = type };
	if (type == VALUE_STRING || type == VALUE_PATH || type == VALUE_BYTES)
		ret->str = str_from(text);
	else if (type == VALUE_BOOL)
		ret->is_true = strcmp(text, "true") == 0;
	else if (type == VALUE_IP || type == VALUE_NET)
		cr_assert_eq(inet_pton(ret->ip.family = AF_INET, text, ret->ip.bytes), 1);
	else
		ret->u64 = (uint64_t)atoi(text);
}

static bool give(const struct field *field, const struct field_argument *argument,
		 struct value_set *ret, void *data)
{
	static struct value values[ARRAY_LEN(fields)];

	(void)argument;
	(void)data;
	for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
		if (strcmp(field->name, fields[i].name) != 0)
			continue;
		convert(field->type, fields[i].texts[variants[i]], &values[i]);
		*ret = (struct value_set){ states[i], states[i] == FIELD_VALUE, &values[i] };
		return true;
	}
	return false;
}

struct world {
	struct language language;
	struct evaluator *evaluator;
	struct wire_header header;
	struct arena scratch;
	struct event event;
	struct field_context context;
};

static void world_begin(struct world *world)
{
	*world = (struct world){ 0 };
	language_init(&world->language, 1u << 28);
}

static void world_compile(struct world *world)
{
	if (language_compile(&world->language) != 0) {
		diags_print(&world->language.diags, stderr, false);
		cr_assert_fail("does not compile");
	}
	cr_assert_eq(evaluator_new(world->language.program, &world->evaluator), 0);
	arena_init(&world->scratch, SCRATCH_MAX);
	world->header.type = EVENT_OPENAT;
	world->event = (struct event){ .header = &world->header,
				       .number = 1,
				       .scratch = &world->scratch,
				       .code = EVENT_OPENAT,
				       .schema = event_schema_get(EVENT_OPENAT) };
	world->context = (struct field_context){ .event = &world->event,
						 .source = "syscall",
						 .override = give };
}

static void world_done(struct world *world)
{
	evaluator_free(world->evaluator);
	arena_done(&world->scratch);
	language_done(&world->language);
}

static enum verdict decide(struct world *world, uint32_t rule)
{
	arena_reset(&world->scratch);
	return evaluator_decide(world->evaluator, &world->context, rule);
}

/* ---- leaf by leaf --------------------------------------------------------------------------- */

/* The second field: -1 where the leaf has one only. Both as they stand in the table. */
static const struct leaf {
	const char *text;
	int first, second;
} leaves[] = {
	{ "proc.name exists", 0, -1 },
	{ "proc.name = aab", 0, -1 },
	{ "proc.name == b", 0, -1 },
	{ "proc.name != aab", 0, -1 },
	{ "proc.name != b", 0, -1 },
	{ "proc.name < val(proc.pname)", 0, 1 },
	{ "proc.name >= tolower(proc.pname)", 0, 1 },
	{ "proc.name in (a, aab)", 0, -1 },
	{ "proc.name in (a, b, c, d, e, f, g, h, i, j, k, l, m)", 0, -1 },
	{ "proc.name intersects (b, aab)", 0, -1 },
	{ "proc.name contains ab", 0, -1 },
	{ "proc.name icontains AB", 0, -1 },
	{ "proc.name startswith ab", 0, -1 },
	{ "proc.name endswith ab", 0, -1 },
	{ "proc.name glob *b", 0, -1 },
	{ "proc.name iglob *B", 0, -1 },
	{ "proc.name regex a+b", 0, -1 },
	{ "proc.name = anyof (a, aab)", 0, -1 },
	{ "proc.name contains oneof (a, b)", 0, -1 },
	{ "proc.name startswith allof (a, aa)", 0, -1 },
	{ "fd.name pmatch (/etc, /usr)", 4, -1 },
	{ "fd.name = /etc/a", 4, -1 },
	{ "fd.name startswith /usr", 4, -1 },
	{ "basename(fd.name) = a", 4, -1 },
	{ "proc.pid = 7", 3, -1 },
	{ "proc.pid != 8", 3, -1 },
	{ "proc.pid < 7", 3, -1 },
	{ "proc.pid <= 7", 3, -1 },
	{ "proc.pid > 6", 3, -1 },
	{ "proc.pid >= 8", 3, -1 },
	{ "proc.pid in (1, 7)", 3, -1 },
	{ "fd.connected = true", 5, -1 },
	{ "fd.ip = 10.0.0.1", 6, -1 },
	{ "fd.ip != 10.0.0.1", 6, -1 },
	{ "fd.net = 10.0.0.0/8", 7, -1 },
	{ "fd.net in (10.0.0.0/24, 192.168.0.0/16)", 7, -1 },
	{ "fd.port in (22, 80)", 8, -1 },
	{ "fd.types intersects (file, pipe)", 9, -1 },
	{ "fd.types in (file)", 9, -1 },
	{ "evt.buffer bcontains 6162", 10, -1 },
	{ "evt.buffer bstartswith 62", 10, -1 },
	{ "proc.aname in (sh, bash)", 11, -1 },
	{ "container.image = i", 12, -1 },
	{ "container.privileged = true", 13, -1 },
	{ "tolower(proc.pname) = aab", 1, -1 },
	{ "len(proc.name) > 2", 0, -1 },
	{ "toupper(tolower(proc.name)) = AAB", 0, -1 },
	{ "getopt((proc.cmdline, proc.name), \"y:\")[y] = v", 2, 0 },
	{ "proc.name = val(proc.pname)", 0, 1 },
	{ "proc.name != val(proc.pname)", 0, 1 },
	{ "proc.name startswith val(proc.pname)", 0, 1 },
	{ "proc.name = tolower(proc.pname)", 0, 1 },
	{ "concat(proc.name, proc.pname) = aabAab", 0, 1 },
	{ "join(\"-\", (proc.name, proc.pname)) = aab-Aab", 0, 1 },
	{ "tolower(concat(proc.name, \"x\", proc.pname)) contains bxa", 0, 1 },
};

static void check_leaf(struct world *world, uint32_t rule, const struct leaf *leaf)
{
	for (unsigned i = 0; i < 9; i++) {
		enum field_state first = (enum field_state)(i % 3);
		enum field_state second = (enum field_state)(i / 3);
		bool is_absent = first == FIELD_ABSENT;
		bool is_pending = first == FIELD_PENDING;
		enum verdict plain, negated, absent;

		if (leaf->second >= 0) {
			is_absent |= second == FIELD_ABSENT;
			is_pending |= second == FIELD_PENDING;
			states[leaf->second] = second;
		}
		states[leaf->first] = first;
		plain = decide(world, rule);
		negated = decide(world, rule + 1);
		if (is_absent) {
			cr_expect_eq(plain, VERDICT_FALSE, "%s (%u)", leaf->text, i);
			cr_expect_eq(negated, VERDICT_TRUE, "not %s (%u)", leaf->text, i);
		} else if (is_pending) {
			cr_expect_eq(plain, VERDICT_PENDING, "%s (%u)", leaf->text, i);
			cr_expect_eq(negated, VERDICT_PENDING, "not %s (%u)", leaf->text, i);
		} else {
			cr_expect_neq(plain, VERDICT_PENDING, "%s (%u)", leaf->text, i);
			cr_expect_eq(plain + negated, VERDICT_TRUE, "%s (%u)", leaf->text, i);
		}
		/* Nothing is waited for any more: as absent, for every operator. */
		world->context.is_final = true;
		plain = decide(world, rule);
		negated = decide(world, rule + 1);
		absent = is_absent || is_pending ? VERDICT_FALSE : plain;
		cr_expect_eq(plain, absent, "at last, %s (%u)", leaf->text, i);
		cr_expect_eq(plain + negated, VERDICT_TRUE, "at last, %s (%u)", leaf->text, i);
		world->context.is_final = false;
	}
}

/* Every leaf, and behind it the same negated. */
static void add_leaves(struct world *world)
{
	char text[256];

	for (unsigned i = 0; i < ARRAY_LEN(leaves); i++) {
		language_rule(&world->language, leaves[i].text);
		snprintf(text, sizeof(text), "not %s", leaves[i].text);
		language_rule(&world->language, text);
	}
}

static void set_states(enum field_state state)
{
	for (unsigned i = 0; i < ARRAY_LEN(states); i++)
		states[i] = state;
}

Test(pending, leaf_by_leaf)
{
	struct world world;
	unsigned true_cnt = 0;

	world_begin(&world);
	add_leaves(&world);
	world_compile(&world);
	for (unsigned i = 0; i < ARRAY_LEN(leaves); i++) {
		set_states(FIELD_VALUE);
		true_cnt += decide(&world, 2 * i) == VERDICT_TRUE;
		check_leaf(&world, 2 * i, &leaves[i]);
	}
	cr_expect(true_cnt > ARRAY_LEN(leaves) / 2 && true_cnt < ARRAY_LEN(leaves));
	world_done(&world);
}

/* ---- and, or, not --------------------------------------------------------------------------- */

#define COMPLETIONS 10
#define CONDITIONS  60
#define NODES_MAX   64
#define PENDING_MAX 12 /* leaves of one condition: 4096 assignments */

static uint64_t seed_state;

static uint32_t roll(uint32_t end)
{
	seed_state ^= seed_state >> 12;
	seed_state ^= seed_state << 25;
	seed_state ^= seed_state >> 27;
	return (uint32_t)((seed_state * 0x2545f4914f6cdd1dULL) >> 33) % end;
}

struct node {
	enum {
		NODE_LEAF,
		NODE_AND,
		NODE_OR,
		NODE_NOT
	} kind;
	unsigned leaf; /* index in leaves */
	unsigned children[3], child_cnt;
	unsigned place; /* of a leaf: its number in the condition */
};

struct condition {
	struct node nodes[NODES_MAX];
	unsigned node_cnt, leaf_cnt;
};

/* Returns the node's number. */
static unsigned grow(struct condition *condition, unsigned depth)
{
	unsigned number = condition->node_cnt++;
	struct node *node = &condition->nodes[number];

	cr_assert(condition->node_cnt < NODES_MAX);
	*node = (struct node){ .kind = NODE_LEAF };
	if (depth > 0)
		node->kind = roll(4);
	if (node->kind == NODE_LEAF) {
		node->leaf = roll(ARRAY_LEN(leaves));
		node->place = condition->leaf_cnt++;
		return number;
	}
	node->child_cnt = node->kind == NODE_NOT ? 1 : 2 + roll(2);
	for (unsigned i = 0; i < node->child_cnt; i++) {
		unsigned child = grow(condition, depth - 1);

		condition->nodes[number].children[i] = child;
	}
	return number;
}

static void put(const struct condition *condition, unsigned number, struct buf *out)
{
	const struct node *node = &condition->nodes[number];

	if (node->kind == NODE_LEAF) {
		buf_printf(out, "%s", leaves[node->leaf].text);
		return;
	}
	buf_puts(out, node->kind == NODE_NOT ? "not (" : "(");
	for (unsigned i = 0; i < node->child_cnt; i++) {
		if (i)
			buf_puts(out, node->kind == NODE_AND ? " and " : " or ");
		put(condition, node->children[i], out);
	}
	buf_putc(out, ')');
}

/* What leaves say on their own; bit `place` of the assignment stands for one that is pending, after
 * its negation. */
struct assignment {
	const enum verdict (*verdicts)[2]; /* by leaf and negation */
	uint32_t bits;
};

static bool is_true(const struct condition *condition, unsigned number, bool is_negated,
		    const struct assignment *assignment)
{
	const struct node *node = &condition->nodes[number];
	bool wants_all = (node->kind == NODE_AND) != is_negated;
	enum verdict verdict;

	if (node->kind == NODE_NOT)
		return is_true(condition, node->children[0], !is_negated, assignment);
	if (node->kind == NODE_LEAF) {
		verdict = assignment->verdicts[node->leaf][is_negated];
		if (verdict != VERDICT_PENDING)
			return verdict == VERDICT_TRUE;
		return assignment->bits >> node->place & 1;
	}
	for (unsigned i = 0; i < node->child_cnt; i++)
		if (is_true(condition, node->children[i], is_negated, assignment) != wants_all)
			return !wants_all;
	return wants_all;
}

/* All assignments agree, or it is pending. */
static enum verdict brute_force(const struct condition *condition,
				const enum verdict (*verdicts)[2])
{
	struct assignment assignment = { verdicts, 0 };
	bool first = is_true(condition, 0, false, &assignment);

	cr_assert(condition->leaf_cnt <= 31);
	if (condition->leaf_cnt > PENDING_MAX) {
		assignment.bits = UINT32_MAX;
		return is_true(condition, 0, false, &assignment) == first ? (enum verdict)first
									  : VERDICT_PENDING;
	}
	for (uint32_t bits = 1; bits < 1u << condition->leaf_cnt; bits++) {
		assignment.bits = bits;
		if (is_true(condition, 0, false, &assignment) != first)
			return VERDICT_PENDING;
	}
	return (enum verdict)first;
}

struct calls {
	uint32_t first_rule; /* those before are single leaves */
	enum verdict verdicts[CONDITIONS];
	bool is_told[CONDITIONS], is_hit[CONDITIONS];
};

static void on_hit(uint32_t rule, void *data)
{
	struct calls *calls = data;

	if (rule < calls->first_rule)
		return;
	calls->is_told[rule - calls->first_rule] = calls->is_hit[rule - calls->first_rule] = true;
	calls->verdicts[rule - calls->first_rule] = VERDICT_TRUE;
}

static void on_open(uint32_t rule, enum verdict verdict, void *data)
{
	struct calls *calls = data;

	if (rule < calls->first_rule)
		return;
	calls->is_told[rule - calls->first_rule] = true;
	calls->verdicts[rule - calls->first_rule] = verdict;
}

static enum verdict verdicts[ARRAY_LEN(leaves)][2];

static void decide_leaves(struct world *world)
{
	for (unsigned i = 0; i < ARRAY_LEN(leaves); i++) {
		verdicts[i][0] = decide(world, 2 * i);
		verdicts[i][1] = decide(world, 2 * i + 1);
	}
}

/* Pending values come, or turn out to be absent: what was decided before must stand. */
static void check_completion(struct world *world, const struct condition *conditions,
			     const enum verdict *before, uint64_t seed)
{
	uint32_t first_rule = world->language.defs.rule_cnt - CONDITIONS;
	enum field_state saved[ARRAY_LEN(states)];

	memcpy(saved, states, sizeof(saved));
	for (unsigned i = 0; i < ARRAY_LEN(states); i++) {
		if (states[i] != FIELD_PENDING)
			continue;
		states[i] = roll(4) ? FIELD_VALUE : FIELD_ABSENT;
		variants[i] = roll(VARIANTS);
	}
	decide_leaves(world);
	for (unsigned i = 0; i < CONDITIONS; i++) {
		const char *text = world->language.defs.rules[first_rule + i].condition.s.p;
		enum verdict after = decide(world, first_rule + i);
		struct assignment assignment = { verdicts, 0 };

		cr_assert_eq(after, (enum verdict)is_true(&conditions[i], 0, false, &assignment),
			     "seed %llu: %s", (unsigned long long)seed, text);
		cr_assert(before[i] == VERDICT_PENDING || before[i] == after,
			  "seed %llu: %s was %d, is %d", (unsigned long long)seed, text, before[i],
			  after);
	}
	memcpy(states, saved, sizeof(saved));
}

/* The compiler knows that "a and not a" and "f = a and f = b" are false: it can decide where the
 * two passes do not. Completions show whether it is right. */
static void check_event(struct world *world, const struct condition *conditions, uint64_t seed,
			unsigned counts[4])
{
	uint32_t first_rule = world->language.defs.rule_cnt - CONDITIONS;
	struct calls calls = { .first_rule = first_rule };
	const struct evaluator_calls told = { on_hit, on_open, &calls };

	decide_leaves(world);
	arena_reset(&world->scratch);
	evaluator_run(world->evaluator, &world->context, &told);
	for (unsigned i = 0; i < CONDITIONS; i++) {
		enum verdict want = brute_force(&conditions[i], verdicts);
		enum verdict is = decide(world, first_rule + i);
		const char *text = world->language.defs.rules[first_rule + i].condition.s.p;

		counts[is]++;
		counts[3] += is != want && want == VERDICT_PENDING;
		cr_assert(is == want || want == VERDICT_PENDING, "seed %llu: %s is %d, not %d",
			  (unsigned long long)seed, text, is, want);
		cr_assert_eq(calls.verdicts[i], is, "seed %llu: %s is %d among others",
			     (unsigned long long)seed, text, calls.verdicts[i]);
		cr_assert_eq(calls.is_hit[i], is == VERDICT_TRUE);
	}
	for (unsigned i = 0; i < COMPLETIONS; i++)
		check_completion(world, conditions, calls.verdicts, seed);
}

static void check_conditions(uint64_t seed, unsigned counts[4])
{
	static struct condition conditions[CONDITIONS];
	_cleanup_(buf_done) struct buf text;
	struct world world;

	seed_state = seed * 0x9e3779b97f4a7c15ULL | 1;
	buf_init(&text, 1u << 16);
	world_begin(&world);
	world.language.is_match_all = true;
	add_leaves(&world);
	for (unsigned i = 0; i < CONDITIONS; i++) {
		conditions[i].node_cnt = conditions[i].leaf_cnt = 0;
		grow(&conditions[i], 1 + roll(3));
		buf_clear(&text);
		put(&conditions[i], 0, &text);
		buf_putc(&text, '\0');
		language_rule(&world.language, text.p);
	}
	world_compile(&world);
	for (unsigned i = 0; i < 12; i++) {
		memset(variants, 0, sizeof(variants));
		for (unsigned j = 0; j < ARRAY_LEN(states); j++)
			states[j] = (enum field_state)(roll(5) < 2   ? FIELD_PENDING
						       : roll(5) > 0 ? FIELD_VALUE
								     : FIELD_ABSENT);
		check_event(&world, conditions, seed, counts);
	}
	world_done(&world);
}

Test(pending, every_completion_agrees_or_it_is_pending, .timeout = 100)
{
	const char *given = getenv("HAETAE_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : 1;
	unsigned counts[4] = { 0 };

	for (unsigned i = 0; i < 40; i++)
		check_conditions(seed + i, counts);
	cr_log_info("%u false, %u true, %u pending", counts[0], counts[1], counts[2]);
	cr_expect(counts[3] < counts[2] / 10, "%u folded", counts[3]);
	for (unsigned i = 0; i < 3; i++)
		cr_expect(counts[i] > 1000, "verdict %u came %u times", i, counts[i]);
}

/* ---- order ---------------------------------------------------------------------------------- */

static void note(char *out, size_t size, const char *what, uint32_t rule)
{
	size_t n = strlen(out);

	snprintf(out + n, size - n, "%s%u ", what, rule);
}

static void note_hit(uint32_t rule, void *data)
{
	note(data, 64, "hit", rule);
}

static void note_open(uint32_t rule, enum verdict verdict, void *data)
{
	note(data, 64, verdict == VERDICT_TRUE ? "true" : "open", rule);
}

Test(pending, order_of_rules)
{
	static const struct {
		const char *conditions[5];
		const char *first, *all;
	} cases[] = {
		{ { "proc.name = x", "fd.port = 22" }, "hit1 ", "hit1 " },
		{ { "container.image = x", "fd.port = 22", "fd.port = 22" },
		  "open0 true1 ",
		  "open0 hit1 hit2 " },
		{ { "fd.port = 22", "container.image = x" }, "hit0 ", "hit0 open1 " },
		{ { "container.image = x", "proc.name = x", "not container.image = x" },
		  "open0 open2 ",
		  "open0 open2 " },
		{ { "container.image = x and proc.name = x", "fd.port = 22" }, "hit1 ", "hit1 " },
		{ { "container.image = x or proc.name = aab", "fd.port = 22" },
		  "hit0 ",
		  "hit0 hit1 " },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases) * 2; i++) {
		char told[64] = "";
		const struct evaluator_calls calls = { note_hit, note_open, told };
		struct world world;
		unsigned number = i / 2;

		world_begin(&world);
		world.language.is_match_all = i % 2;
		for (unsigned j = 0; cases[number].conditions[j]; j++)
			language_rule(&world.language, cases[number].conditions[j]);
		world_compile(&world);
		set_states(FIELD_VALUE);
		states[12] = FIELD_PENDING;
		evaluator_run(world.evaluator, &world.context, &calls);
		cr_expect_str_eq(told, i % 2 ? cases[number].all : cases[number].first, "case %u",
				 number);
		world_done(&world);
	}
}

/* What one event left in memos is nothing to the next, in either pass. */
Test(pending, events_do_not_mix)
{
	struct world world;

	world_begin(&world);
	language_macro(&world.language, "m", "(container.image = i or proc.name = b)");
	for (unsigned i = 0; i < 20; i++)
		language_rule(&world.language, i % 2 ? "m and proc.pid = 7" : "not m");
	world_compile(&world);
	for (unsigned i = 0; i < 300; i++) {
		enum field_state state = (enum field_state)(i % 3);
		enum verdict want = state == FIELD_PENDING ? VERDICT_PENDING
				    : state == FIELD_VALUE ? VERDICT_TRUE
							   : VERDICT_FALSE;

		set_states(FIELD_VALUE);
		states[12] = state;
		cr_assert_eq(decide(&world, 1), want, "%u", i);
		cr_assert_eq(decide(&world, 0),
			     want == VERDICT_PENDING ? want : VERDICT_TRUE - want, "%u", i);
	}
	world_done(&world);
}
