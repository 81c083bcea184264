/* Unit tests of events written by hand, of the tests of rules, and of traces. */
#include <criterion/criterion.h>

#include "haetae/clock.h"
#include "haetae/rule_tests.h"
#include "haetae/trace.h"

static struct diags diags;
static struct arena arena;

static void begin(void)
{
	diags_init(&diags);
	arena_init(&arena, 64u << 20);
}

static void end(void)
{
	diags_done(&diags);
	arena_done(&arena);
}

static struct fixtures read_text(const char *text)
{
	struct fixtures events = { 0 };
	uint32_t source = diags_add_source(&diags, STR("events"), str_from(text));

	cr_assert(source);
	cr_assert_eq(fixtures_read(&arena, source, &diags, &events), 0);
	return events;
}

/* A field's value as outputs print it; NULL: absent. */
static const char *value_of(const struct fixture *fixture, const char *name, struct buf *text)
{
	struct field_argument argument = { 0 };
	struct field_context context;
	struct fixture_event event;
	struct value_set set;
	const struct field *field;
	const char *bracket = strchr(name, '[');
	struct str part = { name, (uint32_t)(bracket ? bracket - name : (ptrdiff_t)strlen(name)) };

	field = field_find(part);
	if (!field && str_starts_with(part, STR("evt.arg."))) {
		struct str key = { name + 8, part.n - 8 };

		field = field_find(STR("evt.arg"));
		cr_assert_eq(field_argument_parse(&arena, field, &key, true, &argument), 0);
	} else if (bracket) {
		struct str key = { bracket + 1, (uint32_t)strlen(bracket) - 2 };

		cr_assert_eq(field_argument_parse(&arena, field, &key, false, &argument), 0);
	}
	cr_assert(field, "%s", name);
	fixture_begin(&event, fixture, fixture_code(fixture), &arena, &context);
	field_read(field, &context, &argument, &set);
	buf_clear(text);
	for (uint32_t i = 0; set.state == FIELD_VALUE && i < set.cnt; i++) {
		buf_puts(text, i ? "," : "");
		value_format(field, &set.values[i], text);
	}
	return set.state == FIELD_VALUE ? buf_str(text).p : NULL;
}

/* clang-format off: a table */
static const struct {
	const char *map, *field, *value;
} value_cases[] = {
	{ "evt.type: openat, fd.name: /etc/shadow", "fd.name", "/etc/shadow" },
	{ "evt.type: openat, fd.name: /etc/shadow", "fd.filename", "shadow" },
	{ "evt.type: openat, fd.name: /etc/shadow", "fd.directory", "/etc" },
	{ "evt.type: openat, fd.name: /shadow", "fd.directory", "/" },
	{ "evt.type: openat, fd.name: '/etc/'", "fd.filename", "" },
	{ "evt.type: openat, fd.name: pipe", "fd.directory", NULL },
	{ "evt.type: openat, fd.name: /a, fd.filename: b", "fd.filename", "b" },
	{ "evt.type: openat, fd.name: /a", "fd.nameraw", "/a" },
	{ "evt.type: openat, fd.name: /a", "fd.typechar", NULL },
	{ "evt.type: openat, fd.typechar: f", "fd.type", "file" },
	{ "evt.type: connect, fd.type: ipv4", "fd.typechar", "4" },
	{ "evt.type: openat, evt.arg.flags: O_RDONLY|O_CLOEXEC", "evt.is_open_read", "true" },
	{ "evt.type: openat, evt.arg.flags: O_RDONLY|O_CLOEXEC", "evt.is_open_write", "false" },
	{ "evt.type: openat, evt.arg.flags: O_RDWR|O_CREAT", "evt.is_open_write", "true" },
	{ "evt.type: openat, evt.arg.flags: O_RDWR|O_CREAT", "evt.is_open_create", "true" },
	{ "evt.type: openat, evt.arg.flags: X_O_RDWR", "evt.is_open_write", "false" },
	{ "evt.type: openat", "evt.is_open_read", NULL },
	{ "evt.type: creat", "evt.is_open_write", "true" },
	{ "evt.type: execve", "evt.is_open_write", "false" },
	{ "evt.type: openat, evt.arg.flags: O_RDWR", "evt.arg.flags", "O_RDWR" },
	{ "evt.type: openat, evt.arg.flags: O_RDWR", "evt.arg.name", NULL },
	{ "evt.type: openat, evt.res: EACCES", "evt.rawres", "-13" },
	{ "evt.type: openat, evt.res: EACCES", "evt.failed", "true" },
	{ "evt.type: openat, evt.res: SUCCESS, fd.num: 7", "evt.rawres", "7" },
	{ "evt.type: openat, evt.rawres: 3", "evt.res", "SUCCESS" },
	{ "evt.type: openat, evt.rawres: -2", "evt.res", "ENOENT" },
	{ "evt.type: openat, evt.rawres: 3", "evt.failed", "false" },
	{ "evt.type: openat", "evt.failed", NULL },
	{ "evt.type: execve, proc.exe: ls, proc.args: -l /", "proc.cmdline", "ls -l /" },
	{ "evt.type: execve, proc.name: ls, proc.args: ''", "proc.cmdline", "ls" },
	{ "evt.type: execve, proc.name: ls", "proc.cmdline", NULL },
	{ "evt.type: execve, proc.aname: [bash, sshd]", "proc.aname", "bash,sshd" },
	{ "evt.type: execve, proc.aname: [bash, sshd]", "proc.aname[2]", "sshd" },
	{ "evt.type: execve, proc.aname: [bash, sshd]", "proc.aname[3]", NULL },
	{ "evt.type: execve, proc.aname: [bash, sshd]", "proc.pname", "bash" },
	{ "evt.type: execve, proc.pname: bash", "proc.aname", "bash" },
	{ "evt.type: execve, 'proc.env[HOME]': /root", "proc.env[HOME]", "/root" },
	{ "evt.type: execve, 'proc.env[HOME]': /root", "proc.env[PATH]", NULL },
	{ "evt.type: connect, fd.sip: 1.2.3.4, fd.cip: '::1'", "fd.ip", "::1,1.2.3.4" },
	{ "evt.type: connect, fd.sport: 80", "fd.port", "80" },
	{ "evt.type: openat", "container.id", "host" },
	{ "evt.type: openat", "container.name", "host" },
	{ "evt.type: openat", "container.full_id", "host" },
	{ "evt.type: openat", "container.image.repository", "" },
	{ "evt.type: openat, container.id: abc", "container.image.repository", NULL },
	{ "evt.type: openat, container.name: web", "container.id", NULL },
	{ "evt.type: openat, k8s.ns.name: kube-system", "container.id", NULL },
	{ "evt.type: openat", "user.uid", NULL },
	{ "evt.type: openat", "proc.pid", NULL },
	{ "evt.type: openat", "evt.type", "openat" },
	{ "evt.type: openat", "syscall.type", "openat" },
	{ "evt.type: openat, proc.name: null", "proc.name", NULL },
	{ "evt.type: openat, proc.name: 'null'", "proc.name", "null" },
	{ "evt.type: openat, user.uid: 0", "user.uid", "0" },
};
/* clang-format on */

Test(fixture, values, .init = begin, .fini = end)
{
	struct buf text;
	char line[300];

	buf_init(&text, 1 << 16);
	for (size_t i = 0; i < ARRAY_LEN(value_cases); i++) {
		struct fixtures events;
		const char *value;

		snprintf(line, sizeof(line), "- {%s}\n", value_cases[i].map);
		events = read_text(line);
		cr_assert_eq(events.cnt, 1, "%s", value_cases[i].map);
		if (fixture_is_never(events.items[0]))
			continue;
		value = value_of(events.items[0], value_cases[i].field, &text);
		cr_expect((!value && !value_cases[i].value) ||
				  (value && value_cases[i].value &&
				   strcmp(value, value_cases[i].value) == 0),
			  "{%s}: %s is %s, not %s", value_cases[i].map, value_cases[i].field,
			  value ?: "absent", value_cases[i].value ?: "absent");
	}
	cr_expect_eq(diags.error_cnt, 0);
	buf_done(&text);
}

Test(fixture, mistakes, .init = begin, .fini = end)
{
	static const struct {
		const char *text, *code;
	} cases[] = {
		{ "- {evt.type: openat, fd.nam: /a}\n", "E0801" },
		{ "- {evt.type: openat, evt.arg.nonsense: 1}\n", "E0801" },
		{ "- {evt.type: openat, 'proc.name[1]': a}\n", "E0801" },
		{ "- {evt.type: openat, evt.arg: a}\n", "E0801" },
		{ "- {evt.type: openat, '': a}\n", "E0801" },
		{ "- {evt.type: openat, '[': a}\n", "E0801" },
		{ "- {evt.type: openat, fd.num: three}\n", "E0802" },
		{ "- {evt.type: openat, fd.num: ''}\n", "E0802" },
		{ "- {evt.type: openat, fd.num: 99999999999999999999}\n", "E0802" },
		{ "- {evt.type: openat, evt.is_open_read: maybe}\n", "E0802" },
		{ "- {evt.type: connect, fd.sip: 1.2.3}\n", "E0802" },
		{ "- {evt.type: connect, fd.sport: 65536}\n", "E0802" },
		{ "- {evt.type: openat, proc.name: [a, b]}\n", "E0802" },
		{ "- {evt.type: openat, proc.name: {a: b}}\n", "E0802" },
		{ "- {fd.name: /a}\n", "E0803" },
		{ "- {evt.type: opendat}\n", "E0803" },
		{ "- [evt.type]\n", "E0804" },
		{ "- text\n", "E0804" },
		{ "- {evt.type: openat, evt.arg.res: a, evt.arg.res: b}\n", "E0804" },
		{ "- {evt.type: execve, fd.name: /a}\n", NULL },
		{ "- {evt.type: setuid, fs.path.name: /a}\n", "E0805" },
		{ "{\"evt.type\":\"openat\"} x\n", "E0806" },
		{ "{\"evt.type\":\n", "E0806" },
		{ "{\"evt.type\":\"openat\",\"fd.num\":\"x\"}\n", "E0802" },
		{ "{\"evt.type\":\"openat\",\"fd.name\":{}}\n", "E0802" },
		{ "{\"fd.name\":\"/a\"}\n", "E0803" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t before = diags.item_cnt;
		bool is_found = !cases[i].code;

		(void)read_text(cases[i].text);
		for (uint32_t k = before; k < diags.item_cnt; k++)
			is_found |=
				cases[i].code && strcmp(diags.items[k].code, cases[i].code) == 0;
		cr_expect(is_found, "%s: %s", cases[i].text, cases[i].code);
		cr_expect(cases[i].code || diags.item_cnt - before <= 1, "%s", cases[i].text);
	}
}

Test(fixture, json_lines, .init = begin, .fini = end)
{
	struct fixtures events = read_text(
		"\n{\"evt.type\":\"openat\",\"fd.name\":\"/caf\\u00e9\",\"user.uid\":0}\n\n"
		"{\"rule\":\"A rule\",\"output_fields\":{\"evt.time\":5,\"proc.name\":\"x\","
		"\"my cluster\":\"y\",\"toupper(proc.name)\":\"X\",\"user.uid\":null}}\r\n"
		"{\"evt.type\":\"execve\",\"proc.aname\":[\"a\",\"b\"]}");
	struct buf text;

	buf_init(&text, 4096);
	cr_assert_eq(events.cnt, 3);
	cr_expect_eq(diags.error_cnt, 0);
	cr_expect_str_eq(value_of(events.items[0], "fd.name", &text), "/caf\xc3\xa9");
	cr_expect_str_eq(value_of(events.items[0], "user.uid", &text), "0");
	cr_expect_null(fixture_rule(events.items[0]).p);
	cr_expect(str_eq_text(fixture_rule(events.items[1]), "A rule"));
	cr_expect_eq(fixture_code(events.items[1]), EVENT_CODE__COUNT);
	cr_expect_str_eq(value_of(events.items[2], "proc.aname", &text), "a,b");
	buf_done(&text);
}

/* ---- tests of rules -------------------------------------------------------------------------- */

Test(fixture, bad_tests, .init = begin, .fini = end)
{
	static const struct {
		const char *test, *code;
	} cases[] = {
		{ "{name: a, event: {evt.type: open}, match: true}", NULL },
		{ "{name: a, event: {evt.type: open}, matches: true}", "E0811" },
		{ "{name: a, event: {evt.type: open}, match: yes please}", "E0810" },
		{ "{event: {evt.type: open}, match: true}", "E0810" },
		{ "{name: a, match: true}", "E0810" },
		{ "{name: a, event: {evt.type: open}, events: x, match: true}", "E0810" },
		{ "{name: a, event: {evt.type: open}}", "E0810" },
		{ "{name: a, event: {evt.type: open}, match: false, output: {equals: x}}",
		  "E0810" },
		{ "{name: a, event: {evt.type: open}, match: true, output: {is: x}}", "E0811" },
		{ "{name: a, event: {evt.type: open}, match: true, output: x}", "E0810" },
		{ "{name: a, event: {evt.type: open}, match: true, output: {matches: '('}}",
		  "E0313" },
		{ "{name: a, event: {evt.type: open}, count: -1}", "E0810" },
		{ "{name: a, event: {evt.type: open}, alerts: x}", "E0810" },
		{ "{name: a, events: [], alerts: []}", "E0810" },
		{ "{name: a, event: {evt.type: open}, fields: {}, match: true}", "E0810" },
		{ "text", "E0810" },
	};
	struct rule_tests tests;
	char text[400];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool is_found = !cases[i].code;

		end();
		begin();
		snprintf(text, sizeof(text), "- rule: R\n  tests:\n  - %s\n", cases[i].test);
		cr_assert(diags_add_source(&diags, STR("rules.yaml"), str_from(text)));
		cr_assert_eq(rule_tests_read(&arena, &diags, &tests), 0);
		cr_expect_eq(tests.cnt, cases[i].code == NULL, "%s", cases[i].test);
		for (uint32_t k = 0; k < diags.item_cnt; k++)
			is_found |=
				cases[i].code && strcmp(diags.items[k].code, cases[i].code) == 0;
		cr_expect(is_found, "%s: %s", cases[i].test, cases[i].code);
	}
}

/* ---- traces ---------------------------------------------------------------------------------- */

/* Every shipped rule over every event of their tests: the tree says what the plan says. */
Test(fixture, traces_agree_with_the_plan, .init = begin, .fini = end)
{
	const struct rule_selector everything = { true, STR("*"), STR_NONE };
	static const char *const path = SHIPPED_RULES;
	struct rules_options options;
	struct ruleset *ruleset = NULL;
	struct matcher *matcher = NULL;
	struct rule_tests tests;
	unsigned true_cnt = 0, cnt = 0;
	struct arena scratch;

	arena_init(&scratch, 8u << 20);
	rules_options_default(&options);
	options.is_match_all = true;
	options.selectors = &everything;
	options.selector_cnt = 1;
	cr_assert_eq(ruleset_load(&path, 1, &options, &diags, &ruleset), 0);
	cr_assert_eq(rule_tests_read(&arena, &diags, &tests), 0);
	cr_assert_gt(tests.cnt, 50);
	cr_assert_eq(matcher_new(ruleset, &matcher), 0);
	for (uint32_t i = 0; i < tests.cnt; i++) {
		const struct fixture *fixture =
			tests.items[i].events.cnt ? tests.items[i].events.items[0] : NULL;
		struct field_context context;
		struct fixture_event event;

		if (!fixture || fixture_is_never(fixture))
			continue;
		for (uint32_t k = 0; k < ruleset_rule_cnt(ruleset); k++) {
			const struct rule *rule = ruleset_rule(ruleset, k);
			const struct trace_node *root = NULL;
			enum verdict planned;
			struct arena trees;

			fixture_begin(&event, fixture, fixture_code(fixture), &scratch, &context);
			planned = matcher_decide(matcher, &context, rule);
			arena_init(&trees, 8u << 20);
			cr_assert_eq(rule_trace(ruleset, rule, &context, &trees, &root), 0);
			if (event_set_has(&rule->events, fixture_code(fixture)))
				cr_expect_eq(root->verdict, planned, "%.*s on '%.*s'",
					     STR_ARG(rule->name), STR_ARG(tests.items[i].name));
			else
				cr_expect_eq(planned, VERDICT_FALSE);
			true_cnt += planned == VERDICT_TRUE;
			cnt++;
			arena_done(&trees);
			arena_reset(&scratch);
		}
	}
	cr_expect_gt(true_cnt, 20);
	cr_expect_gt(cnt, 1000);
	matcher_free(matcher);
	ruleset_free(ruleset);
	arena_done(&scratch);
}
