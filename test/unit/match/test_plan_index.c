/*
 * The index may only leave out rules that cannot match: random rules over random events must get
 * the same answer with it and without, pending values included. What is decided while some are
 * pending must stand when they have come. All numbers come from a seed (HAETAE_TEST_SEED), so that
 * a failure can be repeated. The words are few and of few letters: most rules have near misses.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>

#include "language.h"
#include "plan_key.h"

#define SETS	   400
#define RULES	   120
#define EVENTS	   30
#define TEXT_MAX   8192
#define VALUES_MAX 4
#define DEPTH_MAX                                                                       \
	3 /* of half of the sets; the others are flat: most of their leaves are indexed \
	   */
#define SCRATCH_MAX (4u << 20)

static uint64_t state;
static uint32_t depth_max;

/* Any well-mixed sequence will do: xorshift64* (Marsaglia: Xorshift RNGs). */
static uint32_t roll(uint32_t end)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 0x2545f4914f6cdd1dULL) >> 33) % end;
}
#define PICK(table) ((table)[roll(ARRAY_LEN(table))])

/* ---- conditions ------------------------------------------------------------------------------ */

enum kind {
	TEXT,
	NUMBER,
	PORT,
	ADDRESS,
	NET,
	TRUTH,
	TYPES,
	BYTES
};
static const struct test_field {
	const char *name;
	enum kind kind;
	uint32_t value_cnt; /* at most */
} fields[] = {
	{ "proc.name", TEXT, 1 },    { "proc.pname", TEXT, 1 },	  { "proc.cmdline", TEXT, 1 },
	{ "fd.name", TEXT, 2 },	     { "fd.directory", TEXT, 2 }, { "proc.aname", TEXT, 3 },
	{ "proc.pid", NUMBER, 1 },   { "user.uid", NUMBER, 1 },	  { "evt.rawres", NUMBER, 1 },
	{ "fd.port", PORT, 2 },	     { "fd.sport", PORT, 1 },	  { "fd.ip", ADDRESS, 2 },
	{ "fd.sip", ADDRESS, 1 },    { "fd.net", NET, 2 },	  { "fd.snet", NET, 1 },
	{ "fd.types", TYPES, 3 },    { "evt.buffer", BYTES, 1 },  { "proc.exepath", TEXT, 2 },
	{ "fd.connected", TRUTH, 1 }
};
static const char *const text_terms[] = { "proc.name",
					  "proc.pname",
					  "proc.cmdline",
					  "fd.name",
					  "fd.name",
					  "fd.directory",
					  "proc.aname",
					  "proc.exepath",
					  "tolower(proc.name)",
					  "toupper(fd.name)",
					  "basename(fd.name)",
					  "b64(proc.cmdline)",
					  "concat(proc.name, \"/\", proc.pname)" };
/* What texts, constants and patterns are made of. */
static const char *const pieces[] = { "/etc",  "/",   "//",    "sh",  "Sh",    "aab", "aba", "ab",
				      "b",     "abc", "/abab", "ABA", "YWFi",  "x-y", ".",   "a",
				      "/etc/", "bab", "baba",  "-",   "/aab/", "_",   "SH",  "aB" };
static const char *const globs[] = { "*",  "?",	 "[ab]", "[!a]", "\\\\a",    "*ab*", "[[:alpha:]b]",
				     "*a", "[a", "b]",	 "[]b]", "*[ab]*bab" };
static const char *const expressions[] = { ".*",	  "a*",	     "b+",	  "[ab]",
					   "(ab|sh)",	  "(ab)?",   "a{0,2}",	  "(a|b)*",
					   "[[:alpha:]]", "^",	     "$",	  ".*aba.*",
					   "/?",	  "(/etc)+", "b|.*abc.*", "[^]/]" };
static const char *const addresses[] = { "10.0.0.1",  "10.0.0.2", "10.0.1.2", "192.168.1.1",
					 "127.0.0.1", "::1",	  "fd00::1",  "fd00::2:1" };
static const char *const nets[] = { "10.0.0.0/8",  "10.0.0.0/24", "10.0.0.2/32",
				    "0.0.0.0/0",   "10.0.1.7/24", "fd00::/8",
				    "fd00::1/128", "::/0",	  "192.168.0.0/16" };
static const char *const numbers[] = { "0", "1", "2", "7", "22", "80", "443", "65535" };
static const char *const types[] = { "file", "ipv4", "pipe", "unix" };
static const char *const hex[] = { "6162", "616162", "2f", "736862", "622f6574" };

static const char *const *const patterns_of[] = { NULL, globs, expressions };
static const uint32_t pattern_cnt_of[] = { 0, ARRAY_LEN(globs), ARRAY_LEN(expressions) };

/* flavour: 0 text, 1 glob, 2 regular expression. */
static void put_text(struct buf *out, uint32_t flavour)
{
	uint32_t cnt = flavour ? 1 + roll(4) : roll(4);

	buf_putc(out, '"');
	for (uint32_t i = 0; i < cnt; i++)
		buf_puts(out, flavour && roll(2)
				      ? patterns_of[flavour][roll(pattern_cnt_of[flavour])]
				      : PICK(pieces));
	buf_putc(out, '"');
}

static void put_constant(struct buf *out, enum kind kind, uint32_t flavour)
{
	switch (kind) {
	case TEXT:
	case BYTES:
		put_text(out, flavour);
		return;
	case NUMBER:
	case PORT:
		buf_puts(out, PICK(numbers));
		return;
	case ADDRESS:
		buf_printf(out, "\"%s\"", PICK(addresses));
		return;
	case NET:
		buf_printf(out, "\"%s\"", PICK(nets));
		return;
	case TRUTH:
		buf_puts(out, roll(2) ? "true" : "false");
		return;
	case TYPES:
		buf_puts(out, PICK(types));
		return;
	}
}

static void put_list(struct buf *out, enum kind kind, uint32_t flavour)
{
	uint32_t cnt = 1 + roll(roll(4) ? 4 : 20);

	buf_puts(out, " (");
	for (uint32_t i = 0; i < cnt; i++) {
		buf_puts(out, i ? ", " : "");
		put_constant(out, kind, flavour);
	}
	buf_putc(out, ')');
}

static void put_text_leaf(struct buf *out)
{
	static const char *const ops[] = { "=",		"!=",	      "contains",
					   "icontains", "startswith", "endswith",
					   "glob",	"iglob",      "regex" };
	static const char *const modifiers[] = { " oneof", " anyof", " allof" };
	const char *op = PICK(ops);
	uint32_t flavour = strcmp(op, "regex") == 0 ? 2 : strstr(op, "glob") ? 1 : 0;

	buf_puts(out, PICK(text_terms));
	if (roll(6) == 0) {
		buf_puts(out, roll(3) ? " in" : " intersects");
		put_list(out, TEXT, 0);
	} else if (roll(6) == 0) {
		buf_puts(out, " pmatch");
		put_list(out, TEXT, roll(3) == 0);
	} else if (roll(6) == 0) {
		buf_printf(out, " %s%s", op, PICK(modifiers));
		put_list(out, TEXT, flavour);
	} else if (roll(20) == 0) {
		buf_puts(out, " exists");
	} else {
		buf_printf(out, " %s ", op);
		put_constant(out, TEXT, flavour);
	}
}

static void put_bytes_leaf(struct buf *out)
{
	static const char *const ops[] = { "contains anyof", "startswith anyof", "endswith anyof",
					   "in", "intersects" };

	if (roll(2)) {
		buf_printf(out, "evt.buffer %s %s", roll(2) ? "bcontains" : "bstartswith",
			   PICK(hex));
		return;
	}
	buf_printf(out, "evt.buffer %s", PICK(ops));
	put_list(out, BYTES, 0);
}

static void put_other_leaf(struct buf *out, const struct test_field *field)
{
	static const char *const orders[] = { "=", "!=", "<", "<=", ">", ">=" };
	bool is_number = field->kind == NUMBER || field->kind == PORT;

	buf_puts(out, field->name);
	if (field->kind == TYPES || roll(3) == 0) {
		buf_puts(out, roll(2) ? " in" : " intersects");
		put_list(out, field->kind, 0);
		return;
	}
	if (roll(8) == 0) {
		buf_puts(out, roll(2) ? " = anyof" : " != allof");
		put_list(out, field->kind, 0);
		return;
	}
	buf_printf(out, " %s ", is_number ? PICK(orders) : orders[roll(2)]);
	put_constant(out, field->kind, 0);
}

static void put_leaf(struct buf *out)
{
	const struct test_field *field = &PICK(fields);

	if (roll(16) == 0)
		buf_puts(out, roll(2) ? "proc.name = val(proc.pname)" : "len(proc.name) > 4");
	else if (roll(12) == 0)
		buf_printf(out, "evt.type in (%s)", roll(2) ? "open, openat" : "execve");
	else if (field->kind == TEXT || roll(2))
		put_text_leaf(out);
	else if (field->kind == BYTES)
		put_bytes_leaf(out);
	else
		put_other_leaf(out, field);
}

/* At most depth_max deep. Conditions of one set share macros: that makes units and gates. */
static void put_condition(struct buf *out, uint32_t depth, uint32_t macro_cnt)
{
	uint32_t cnt = depth < depth_max ? 1 + roll(3) : 1 + roll(2);
	const char *join = roll(3) ? " and " : " or ";

	buf_puts(out, roll(5) == 0 ? "not (" : "(");
	for (uint32_t i = 0; i < cnt; i++) {
		buf_puts(out, i ? join : "");
		if (macro_cnt && roll(4) == 0)
			buf_printf(out, "m%u", roll(macro_cnt));
		else if (depth < depth_max && roll(2))
			put_condition(out, depth + 1, macro_cnt);
		else
			put_leaf(out);
	}
	buf_putc(out, ')');
}

static const char *new_condition(struct buf *text, uint32_t macro_cnt)
{
	text->n = 0;
	put_condition(text, 0, macro_cnt);
	buf_putc(text, '\0');
	cr_assert(!text->failed);
	return text->p;
}

/* ---- events ---------------------------------------------------------------------------------- */

struct values {
	struct value values[ARRAY_LEN(fields)][VALUES_MAX];
	uint32_t cnt[ARRAY_LEN(fields)];    /* 0: absent */
	bool is_pending[ARRAY_LEN(fields)]; /* they are not there yet */
	char bytes[TEXT_MAX];
	uint32_t byte_cnt;
};

/* Some bytes are not UTF-8, some texts are long. */
static struct str new_text(struct values *values)
{
	uint32_t begin = values->byte_cnt, cnt = roll(30) ? roll(6) : 100;

	for (uint32_t i = 0; i < cnt && values->byte_cnt + 16 < TEXT_MAX; i++) {
		const char *piece = roll(20) ? PICK(pieces) : "\xff\xc3";

		memcpy(values->bytes + values->byte_cnt, piece, strlen(piece));
		values->byte_cnt += (uint32_t)strlen(piece);
	}
	return (struct str){ values->bytes + begin, values->byte_cnt - begin };
}

static void new_value(struct values *values, enum kind kind, struct value *ret)
{
	const char *address = PICK(addresses);

	switch (kind) {
	case TEXT:
	case BYTES:
		ret->str = new_text(values);
		return;
	case NUMBER:
	case PORT:
		ret->u64 = (uint64_t)atoi(PICK(numbers));
		return;
	case ADDRESS:
	case NET:
		ret->ip.family = strchr(address, ':') ? AF_INET6 : AF_INET;
		cr_assert_eq(inet_pton(ret->ip.family, address, ret->ip.bytes), 1);
		return;
	case TRUTH:
		ret->is_true = roll(2);
		return;
	case TYPES:
		ret->str = str_from(PICK(types));
		return;
	}
}

static void new_values(struct values *values)
{
	bool has_pending = roll(2);

	memset(values, 0, sizeof(*values));
	for (uint32_t i = 0; i < ARRAY_LEN(fields); i++) {
		values->is_pending[i] = has_pending && roll(5) == 0;
		values->cnt[i] = roll(8) ? 1 + roll(fields[i].value_cnt) : 0;
		for (uint32_t v = 0; v < values->cnt[i]; v++) {
			values->values[i][v].type = field_find(str_from(fields[i].name))->type;
			new_value(values, fields[i].kind, &values->values[i][v]);
		}
	}
}

static bool give(const struct field *field, const struct field_argument *argument,
		 struct value_set *ret, void *data)
{
	const struct values *values = data;

	(void)argument;
	for (uint32_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (strcmp(fields[i].name, field->name) != 0)
			continue;
		*ret = (struct value_set){ .state = FIELD_ABSENT };
		if (values->is_pending[i])
			ret->state = FIELD_PENDING;
		else if (values->cnt[i])
			*ret = (struct value_set){ FIELD_VALUE, values->cnt[i], values->values[i] };
		return true;
	}
	return false;
}

/* ---- comparison ------------------------------------------------------------------------------ */

struct answer {
	bool has_hit[RULES], is_open[RULES];
	enum verdict open[RULES];
	uint32_t last; /* rule that was told of, plus one: they come in order */
};

static void note_rule(struct answer *answer, uint32_t rule)
{
	cr_assert(rule >= answer->last);
	answer->last = rule + 1;
}

static void note_hit(uint32_t rule, void *data)
{
	note_rule(data, rule);
	((struct answer *)data)->has_hit[rule] = true;
}

static void note_open(uint32_t rule, enum verdict verdict, void *data)
{
	struct answer *answer = data;

	note_rule(data, rule);
	answer->is_open[rule] = true;
	answer->open[rule] = verdict;
}

struct totals {
	uint64_t hits, opens, tried, tried_plain;
	uint32_t indexed; /* sets whose plans have an index */
};

static struct answer run(struct evaluator *evaluator, const char *event_name, struct values *values)
{
	unsigned code = (unsigned)event_code_find(str_from(event_name));
	struct wire_header header = { .type = (uint16_t)code };
	struct arena scratch;
	struct event event = { .header = &header, .number = 1, .scratch = &scratch, .code = code };
	struct field_context context = {
		.event = &event, .source = "syscall", .override = give, .override_data = values
	};
	struct answer answer = { 0 };

	event.schema = event_schema_get((enum event_type)code);
	arena_init(&scratch, SCRATCH_MAX);
	evaluator_run(evaluator, &context,
		      &(struct evaluator_calls){ note_hit, note_open, &answer });
	arena_done(&scratch);
	return answer;
}

static void check_same(const struct language *language, const struct answer *answer,
		       const struct answer *want, uint64_t seed)
{
	for (uint32_t rule = 0; rule < RULES; rule++)
		cr_assert(answer->has_hit[rule] == want->has_hit[rule] &&
				  answer->is_open[rule] == want->is_open[rule] &&
				  answer->open[rule] == want->open[rule],
			  "seed %llu: %s should be %d, or open %d", (unsigned long long)seed,
			  language->defs.rules[rule].condition.s.p, want->has_hit[rule],
			  want->is_open[rule]);
}

static void count(const struct answer *answer, struct totals *totals)
{
	for (uint32_t rule = 0; rule < RULES; rule++) {
		totals->hits += answer->has_hit[rule];
		totals->opens += answer->is_open[rule];
	}
}

/* What was decided stands, and only what was left open can be decided otherwise. */
static void check_resolved(const struct language *language, const struct answer *before,
			   const struct answer *after, uint64_t seed)
{
	for (uint32_t rule = 0; rule < RULES; rule++) {
		cr_assert_not(after->is_open[rule]);
		cr_assert(!before->has_hit[rule] || after->has_hit[rule],
			  "seed %llu: %s is true no longer", (unsigned long long)seed,
			  language->defs.rules[rule].condition.s.p);
		cr_assert(!after->has_hit[rule] || before->has_hit[rule] || before->is_open[rule],
			  "seed %llu: %s was false", (unsigned long long)seed,
			  language->defs.rules[rule].condition.s.p);
	}
}

static void compare(struct language *language, uint64_t seed, struct totals *totals)
{
	static struct program plain;
	static struct values values;
	static const char *const events[] = { "openat", "execve", "connect" };
	struct evaluator *with = NULL, *without = NULL;
	struct matcher_stats stats;

	plain = *language->program;
	for (unsigned code = 0; code < EVENT_CODE__COUNT; code++)
		plain.plans[code].index = NULL;
	cr_assert(evaluator_new(language->program, &with) == 0);
	cr_assert(evaluator_new(&plain, &without) == 0);
	for (uint32_t i = 0; i < EVENTS; i++) {
		const char *event = PICK(events);
		struct answer answer, want, resolved, after;

		new_values(&values);
		answer = run(with, event, &values);
		want = run(without, event, &values);
		check_same(language, &answer, &want, seed);
		count(&want, totals);
		memset(values.is_pending, 0, sizeof(values.is_pending));
		resolved = run(with, event, &values);
		after = run(without, event, &values);
		check_same(language, &resolved, &after, seed);
		check_resolved(language, &want, &after, seed);
	}
	evaluator_stats(with, &stats);
	totals->tried += stats.rules_evaluated;
	evaluator_stats(without, &stats);
	totals->tried_plain += stats.rules_evaluated;
	evaluator_free(with);
	evaluator_free(without);
}

static void compare_set(uint64_t seed, struct totals *totals)
{
	_cleanup_(buf_done) struct buf text;
	struct language language;
	char name[16];

	state = seed * 0x9e3779b97f4a7c15ULL | 1;
	depth_max = seed % 2 ? DEPTH_MAX : 0;
	buf_init(&text, 1u << 20);
	language_init(&language, 1u << 28);
	language.is_match_all = seed % 4 != 0;
	for (uint32_t i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "m%u", i);
		language_macro(&language, name, new_condition(&text, i));
	}
	for (uint32_t i = 0; i < RULES; i++)
		language_rule(&language, new_condition(&text, 10));
	if (language_compile(&language) != 0) {
		diags_print(&language.diags, stderr, false);
		cr_assert_fail("seed %llu does not compile", (unsigned long long)seed);
	}
	totals->indexed += language.program->plans[EVENT_OPENAT].index != NULL;
	compare(&language, seed, totals);
	language_done(&language);
}

Test(plan_index, leaves_out_only_what_cannot_match, .timeout = 300)
{
	const char *given = getenv("HAETAE_TEST_SEED"), *sets = getenv("HAETAE_TEST_SETS");
	uint64_t seed = given ? strtoull(given, NULL, 10) : 1;
	uint32_t set_cnt = sets ? (uint32_t)atoi(sets) : SETS;
	struct totals totals = { 0 };

	for (uint32_t i = 0; i < set_cnt; i++)
		compare_set(seed + i, &totals);
	cr_log_info("%llu hits, %llu open; %llu rules tried of %llu",
		    (unsigned long long)totals.hits, (unsigned long long)totals.opens,
		    (unsigned long long)totals.tried, (unsigned long long)totals.tried_plain);
	cr_assert(totals.indexed == set_cnt, "every set has an index");
	cr_assert(totals.hits > set_cnt * 100, "rules match");
	cr_assert(totals.opens > set_cnt * 100, "rules wait");
	cr_assert(totals.tried < totals.tried_plain * 9 / 10, "rules are left out");
}

/* ---- parts ----------------------------------------------------------------------------------- */

struct part_case {
	const char *pattern, *part;
};

Test(plan_index, finds_what_a_regex_needs)
{
	static const struct part_case cases[] = {
		{ "", "" },
		{ ".*", "" },
		{ "abc", "abc" },
		{ ".*/tmp/x.*", "/tmp/x" },
		{ "abcd?", "abc" },
		{ "abcd*", "abc" },
		{ "abcd+ef", "abcd" },
		{ "abcd{0,3}e", "abc" },
		{ "ab{2}cdef", "cdef" },
		{ "abc|abd", "" },
		{ "(abc|abd)ef", "ef" },
		{ "(abcdef)?gh", "gh" },
		{ "x(a(b|c)[)]d)yz", "yz" },
		{ "a[bcd]efg", "efg" },
		{ "a[]x]efg[[:alpha:]x]h", "efg" },
		{ "a[^[:space:]|]bc", "bc" },
		{ "\\.conf\\.d/[0-9]+", ".conf.d/" },
		{ "a\\{bc", "a{bc" },
		{ "^/etc$", "/etc" },
		{ "ab\xc3\xa9"
		  "cde",
		  "cde" },
		{ "a.b\\x41cd", "bAcd" },
		{ "ab[.]cd[{]*e", "ab.cd" },
		{ "ab[.-]cde", "cde" },
		{ "ab[^.]cde", "cde" },
	};
	struct regex_syntax_error error;
	struct regex *regex;
	struct arena arena;

	arena_init(&arena, 1u << 24);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct str part;

		cr_assert(regex_compile(&arena, str_from(cases[i].pattern), &regex, &error) == 0,
			  "%s", cases[i].pattern);
		part = regex_needed(regex);
		cr_expect(str_eq_text(part, cases[i].part), "%s: '%.*s'", cases[i].pattern,
			  STR_ARG(part));
	}
	arena_done(&arena);
}

Test(plan_index, finds_what_a_glob_needs)
{
	static const struct {
		const char *pattern, *part;
		enum op op;
	} cases[] = {
		{ "", "", OP_GLOB },
		{ "*", "", OP_GLOB },
		{ "/a/*/bcd?e", "/bcd", OP_GLOB },
		{ "a\\*bc", "*bc", OP_GLOB },
		{ "\\\\", "\\", OP_GLOB },
		{ "ab[cd]efg", "efg", OP_GLOB },
		{ "abc[d]e", "abc", OP_GLOB },
		{ "[ab]*[cd]x*yz[ef]", "", OP_GLOB },
		{ "x\\[abc", "x", OP_GLOB },
		{ "[]a]bc", "bc", OP_GLOB },
		{ "a[b\\]cd", "cd", OP_GLOB },
		{ "ab[c", "ab", OP_GLOB },
		{ "/srv/*/words//x", "words", OP_PMATCH },
		{ "/a?c\\def/x", "def", OP_PMATCH },
		{ "/abc/a\\bc/", "a\\bc", OP_PMATCH },
		{ "//", "", OP_PMATCH },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct predicate predicate = { .op = cases[i].op };
		struct literal literal = { .value.str = str_from(cases[i].pattern) };
		struct str part = plan_key_part(&predicate, &literal);

		cr_expect(str_eq_text(part, cases[i].part), "%s: '%.*s'", cases[i].pattern,
			  STR_ARG(part));
	}
}
