/*
 * Outputs: what compiles to what text, every mistake with its code and place, widths, hostile
 * values.
 */
#include <criterion/criterion.h>
#include <json.h>

#include "fields_fixture.h"
#include "haetae/alert.h"
#include "template.h"

static struct fields_fixture fixture;
static const struct fixture_program sh = {
	.pid = 40,
	.parent_pid = 1,
	.comm = "sh",
	.exe = "/bin/sh",
	.exepath = "/usr/bin/dash",
};
static const struct fixture_program cat = {
	.pid = 50,
	.parent_pid = 40,
	.comm = "cat",
	.exe = "cat",
	.exepath = "/usr/bin/cat",
	.args = { "/etc/shadow" },
	.env = { "HOME=/root", NULL },
};

static void setup(void)
{
	setenv("TZ", "UTC", 1);
	fixture_init(&fixture);
	fixture_run(&fixture, &sh);
	fixture_run(&fixture, &cat);
	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	record_put_number(&fixture.record, "fd", 3);
	record_put_text(&fixture.record, "name", "/var/run/x");
	record_put_path(&fixture.record, "path", "/run/x");
	record_put_number(&fixture.record, "flags", 0);
	fixture_event(&fixture);
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(template, .init = setup, .fini = teardown);

/* ---- what compiles -------------------------------------------------------------------------- */

static const struct template *compile(const char *text, struct diags *diags)
{
	struct span at = { diags_add_source(diags, STR("rules.yaml"), str_from(text)), 0,
			   (uint32_t)strlen(text) };

	return template_compile(&fixture.compiled, str_from(text), &at, diags);
}

Test(template, text)
{
	static const struct {
		const char *template, *want;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "%proc.name", "cat" },
		{ "a %proc.name b", "a cat b" },
		{ "%proc.name%proc.pid", "cat50" },
		{ "%proc.nameand", "catand" },
		{ "%proc.name.", "cat." },
		{ "(%proc.name)", "(cat)" },
		{ "*%proc.name", "cat" },
		{ "* %proc.name", " cat" },
		{ "a*%proc.name", "a*cat" },
		{ "%evt.arg.flags", "O_RDONLY" },
		{ "%evt.arg.flags.", "O_RDONLY." },
		{ "%evt.arg.flagsx", "O_RDONLYx" },
		{ "%evt.arg[3]", "O_RDONLY" },
		{ "%evt.args", NULL },
		{ "%proc.aname[1]x", "shx" },
		{ "%proc.aname[0]", "cat" },
		{ "%proc.aname[9]", "<NA>" },
		{ "%proc.aname", "sh" },
		{ "%proc.env[HOME]", "/root" },
		{ "%proc.env[\"HOME\"]", "/root" },
		{ "%proc.env['HOME']]", "/root]" },
		{ "%proc.env[NOPE]|", "|" },
		{ "%container.id", "<NA>" },
		{ "%fd.sip", "<NA>" },
		/* The resolved reading is printed. */
		{ "%fd.name", "/run/x" },
		{ "%evt.arg.name", "/var/run/x" },
		{ "%10proc.name|", "cat       |" },
		{ "%2proc.name|", "ca|" },
		{ "%0proc.name|", "cat|" },
		{ "%6fd.sip|", "<NA>  |" },
		{ "100 %container.info.", "100 ." },
		{ "line\nline", "line\nline" },
		{ "%toupper(proc.name)!", "CAT!" },
		{ "%5toupper(proc.name)!", "CAT  !" },
		{ "%basename(fd.name) %len(proc.name)", "x 3" },
		{ "%concat(proc.name, \"-\", proc.pname)", "cat-sh" },
		{ "%join(\",\", (proc.name, proc.pname))", "cat,sh" },
		{ "%toupper(tolower(proc.pname))", "SH" },
		{ "%getopt((\"-a\", \"-b\"), \"ab\")", "(a,b)" },
		{ "%toupper(container.id)", "<NA>" },
		{ "%join(\",\", ())", NULL },
	};
	struct buf out;

	buf_init(&out, 1u << 20);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct template *compiled;
		struct diags diags;

		diags_init(&diags);
		compiled = compile(cases[i].template, &diags);
		cr_assert(compiled && diags.error_cnt == 0, "%s", cases[i].template);
		buf_clear(&out);
		buf_puts(&out, "");
		template_format(compiled, &fixture.context, &out);
		if (cases[i].want)
			cr_expect_str_eq(out.p, cases[i].want, "%s is '%s'", cases[i].template,
					 out.p);
		diags_done(&diags);
	}
	buf_done(&out);
}

/* ---- mistakes ------------------------------------------------------------------------------- */

Test(template, mistakes)
{
	static const struct {
		const char *template, *code;
		uint32_t offset, length;
		const char *hint; /* a part of it, or NULL */
	} cases[] = {
		{ "a %proc.nmae b", "E0601", 2, 10, "%proc.name" },
		{ "%nosuch", "E0601", 0, 7, NULL },
		{ "%proc.name %evt.tpye", "E0601", 11, 9, NULL },
		{ "100%", "E0602", 3, 1, NULL },
		{ "100% sure", "E0602", 3, 2, NULL },
		{ "%%proc.name", "E0602", 0, 2, NULL },
		{ "%5", "E0602", 0, 2, NULL },
		{ "%evt.arg", "E0603", 0, 8, "evt.arg" },
		{ "%evt.arg.", "E0603", 0, 8, NULL },
		{ "%container.mount.dest", "E0603", 0, 21, NULL },
		{ "%proc.name[1]", "E0604", 0, 13, NULL },
		{ "%proc.aname[x]", "E0604", 0, 14, NULL },
		{ "%proc.aname[1", "E0607", 0, 13, NULL },
		{ "%proc.env[\"a]", "E0607", 0, 13, NULL },
		{ "%evt.arg.nosuchparam", "E0605", 0, 20, NULL },
		{ "%fd.ip", "E0606", 0, 6, "%fd.sip" },
		{ "%fd.net", "E0606", 0, 7, NULL },
		{ "%fd.snet", "E0606", 0, 8, NULL },
		{ "a %tolower(proc.nmae)", "E0301", 11, 9, "proc.name" },
		{ "%tolower(proc.pid)", "E0316", 1, 17, NULL },
		{ "%tolower(proc.name", "E0201", 18, 0, NULL },
		{ "%tolower(proc.aname[1])", "E0315", 9, 13, NULL },
		{ "%tolower(fd.ip)", "E0315", 9, 5, NULL },
		{ "%lower(proc.name)", "E0601", 0, 6, NULL },
		{ "%1001proc.name", "E0608", 0, 5, NULL },
		{ "%99999999999999999999proc.name", "E0608", 0, 21, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diags diags;

		diags_init(&diags);
		cr_expect_null(compile(cases[i].template, &diags), "%s", cases[i].template);
		cr_assert(diags.error_cnt > 0, "%s", cases[i].template);
		cr_expect_str_eq(diags.items[0].code, cases[i].code, "%s: %s", cases[i].template,
				 diags.items[0].code);
		cr_expect_eq(diags.items[0].at.offset, cases[i].offset, "%s: offset %u",
			     cases[i].template, diags.items[0].at.offset);
		cr_expect_eq(diags.items[0].at.length, cases[i].length, "%s: length %u",
			     cases[i].template, diags.items[0].at.length);
		if (cases[i].hint)
			cr_expect(diags.items[0].hint.p && str_contains(diags.items[0].hint,
									str_from(cases[i].hint)),
				  "%s", cases[i].template);
		diags_done(&diags);
	}
}

/* All of them at once, and warnings that do not stop it. */
Test(template, several)
{
	struct diags diags;

	diags_init(&diags);
	cr_expect_null(compile("%a.b %proc.name %fd.ip %proc.nmae", &diags));
	cr_expect_eq(diags.error_cnt, 3);
	diags_done(&diags);
	diags_init(&diags);
	cr_expect_not_null(compile("%container.info %evt.dir", &diags));
	cr_expect_eq(diags.error_cnt, 0);
	cr_assert_eq(diags.warning_cnt, 2);
	cr_expect_str_eq(diags.items[0].code, "W0601");
	cr_expect_str_eq(diags.items[1].code, "W0405");
	diags_done(&diags);
}

/* A folded scalar is shorter than its place in the file: then the whole of it is marked. */
Test(template, folded)
{
	struct diags diags;
	struct span at = { 0, 100, 50 };

	diags_init(&diags);
	cr_expect_null(template_compile(&fixture.compiled, STR("a %x.y"), &at, &diags));
	cr_expect_eq(diags.items[0].at.offset, 100);
	cr_expect_eq(diags.items[0].at.length, 50);
	diags_done(&diags);
}

/* From a rule file each mistake has its own line, folded or not; what is only unknown is forgiven
 * where the rule says so. */
Test(template, places_in_files)
{
	static const struct {
		const char *code;
		uint32_t line, column;
	} wants[] = { { "E0606", 6, 7 }, { "E0301", 6, 23 }, { "E0601", 10, 14 } };
	const struct str text = STR("- rule: A\n"
				    "  desc: d\n"
				    "  condition: evt.type = openat\n"
				    "  output: >\n"
				    "    Folded (x=%proc.name\n"
				    "    y=%fd.ip %toupper(proc.nmae))\n"
				    "  priority: INFO\n"
				    "- rule: B\n"
				    "  desc: d\n"
				    "  output: \"a %proc.nmae\"\n"
				    "  condition: evt.type = open\n"
				    "  priority: INFO\n"
				    "- rule: C\n"
				    "  desc: d\n"
				    "  output: \"a %proc.nmae %toupper(proc.nmae)\"\n"
				    "  condition: evt.type = creat\n"
				    "  priority: INFO\n"
				    "  skip-if-unknown-filter: true\n");
	struct rules_options options;
	struct ruleset *ruleset = NULL;
	struct diags diags;

	diags_init(&diags);
	rules_options_default(&options);
	options.compile_output = template_compile;
	cr_expect_eq(ruleset_load_text(STR("r.yaml"), text, &options, &diags, &ruleset),
		     RULES_E_INVALID);
	cr_assert_eq(diags.error_cnt, ARRAY_LEN(wants));
	for (uint32_t i = 0; i < ARRAY_LEN(wants); i++) {
		struct diag_position at = diags_position(&diags, diags.items[i].at);

		cr_expect_str_eq(diags.items[i].code, wants[i].code);
		cr_expect_eq(at.line, wants[i].line, "%u: line %u", i, at.line);
		cr_expect_eq(at.column, wants[i].column, "%u: column %u", i, at.column);
	}
	diags_done(&diags);
	ruleset_free(ruleset);
}

Test(template, limits)
{
	struct diags diags;
	struct buf text;
	struct arena small;

	buf_init(&text, 1u << 20);
	for (unsigned i = 0; i < TEMPLATE_TOKENS_MAX; i++)
		buf_puts(&text, "%evt.num ");
	diags_init(&diags);
	cr_expect_not_null(compile(text.p, &diags));
	buf_puts(&text, "%evt.num");
	cr_expect_null(compile(text.p, &diags));
	cr_expect_str_eq(diags.items[0].code, "E0609");
	diags_done(&diags);

	buf_clear(&text);
	for (unsigned i = 0; i <= TEMPLATE_TEXT_MAX; i++)
		buf_putc(&text, 'a');
	diags_init(&diags);
	cr_expect_null(compile(text.p, &diags));
	cr_expect_str_eq(diags.items[0].code, "E0610");
	diags_done(&diags);
	buf_done(&text);

	/* Out of memory at every size is an error, never a template that is not whole. */
	for (size_t size = 0; size < 1024; size += 8) {
		const struct template *compiled;

		diags_init(&diags);
		arena_init(&small, size);
		compiled = template_compile(&small, STR("a %evt.arg.flags %proc.aname[1] b"),
					    &SPAN_NONE, &diags);
		cr_expect(compiled || diags.error_cnt > 0, "%zu", size);
		arena_done(&small);
		diags_done(&diags);
	}
}

Test(template, needs)
{
	static const struct {
		const char *template;
		uint32_t needs;
	} cases[] = {
		{ "%proc.name", 0 },
		{ "%proc.env[HOME]", FIELD_NEEDS_ENV },
		{ "%tolower(proc.env[HOME])", FIELD_NEEDS_ENV },
		{ "%evt.path_swapped", FIELD_NEEDS_SWAP },
		{ "%proc.aenv %evt.path_swapped", FIELD_NEEDS_ENV | FIELD_NEEDS_SWAP },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diags diags;

		diags_init(&diags);
		cr_expect_eq(template_needs(compile(cases[i].template, &diags)), cases[i].needs);
		diags_done(&diags);
	}
}

/* ---- output_fields -------------------------------------------------------------------------- */

static struct json_object *fields_of(const char *template)
{
	const struct template *compiled;
	struct json_object *object;
	struct diags diags;
	struct buf out;

	diags_init(&diags);
	buf_init(&out, 1u << 20);
	compiled = compile(template, &diags);
	cr_assert(compiled, "%s", template);
	template_format_fields(compiled, &fixture.context, &out);
	object = json_tokener_parse(out.p);
	cr_assert(object, "%s: %s", template, out.p);
	buf_done(&out);
	diags_done(&diags);
	return object;
}

Test(template, output_fields)
{
	static const struct {
		const char *template, *key, *want;
	} cases[] = {
		{ "%proc.name", "proc.name", "\"cat\"" },
		{ "%10proc.name", "proc.name", "\"cat\"" },
		{ "%proc.pid", "proc.pid", "50" },
		{ "%evt.failed", "evt.failed", "false" },
		{ "%container.id", "container.id", "null" },
		{ "%proc.aname[1]", "proc.aname[1]", "\"sh\"" },
		{ "%proc.aname[9]", "proc.aname[9]", "null" },
		{ "%proc.aname", "proc.aname", "\"sh\"" },
		{ "%proc.apid", "proc.apid", "\"40\"" },
		{ "%proc.apid[1]", "proc.apid[1]", "40" },
		{ "%evt.arg.flags", "evt.arg.flags", "\"O_RDONLY\"" },
		{ "%proc.env[\"HOME\"]", "proc.env[\"HOME\"]", "\"\\/root\"" },
		{ "%fd.name", "fd.name", "\"\\/run\\/x\"" },
		{ "%toupper(proc.name)", "toupper(proc.name)", "\"CAT\"" },
		{ "%toupper(proc.name)", "proc.name", "\"cat\"" },
		{ "%concat(proc.args[0], evt.arg.flags)", "evt.arg.flags", "\"O_RDONLY\"" },
		{ "%concat(proc.args[0], proc.env[HOME])", "proc.env[HOME]", "\"\\/root\"" },
		{ "%len(proc.name)", "len(proc.name)", "3" },
		{ "%toupper(container.id)", "toupper(container.id)", "null" },
		{ "%getopt((\"-a\", \"-b\"), \"ab\")", "getopt((\"-a\", \"-b\"), \"ab\")",
		  "[ \"a\", \"b\" ]" },
		{ "plain", "evt.time", "1700000100000000000" },
		{ "%evt.time", "evt.time", "1700000100000000000" },
		{ "%evt.rawtime", "evt.rawtime", "1700000100000000000" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json_object *object = fields_of(cases[i].template), *value;

		cr_assert(json_object_object_get_ex(object, cases[i].key, &value), "%s",
			  cases[i].template);
		cr_expect_str_eq(json_object_to_json_string(value), cases[i].want, "%s is %s",
				 cases[i].template, json_object_to_json_string(value));
		json_object_put(object);
	}
}

/* Each key once, however often it is printed; evt.time always. */
Test(template, keys_are_unique)
{
	struct json_object *object = fields_of("%proc.name %proc.name %evt.time %evt.time");
	struct diags diags;
	struct buf out;

	cr_expect_eq(json_object_object_length(object), 2);
	json_object_put(object);
	diags_init(&diags);
	buf_init(&out, 4096);
	template_format_fields(compile("%proc.name %5proc.name %evt.time", &diags),
			       &fixture.context, &out);
	cr_expect_str_eq(out.p, "{\"proc.name\":\"cat\",\"evt.time\":1700000100000000000}");
	buf_done(&out);
	diags_done(&diags);
}

/* ---- cutting -------------------------------------------------------------------------------- */

Test(template, cut)
{
	static const struct {
		const char *text;
		uint32_t max, want;
	} cases[] = {
		{ "abc", 3, 3 },
		{ "abc", 2, 2 },
		{ "abc", 0, 0 },
		{ "a\xc3\xa9", 3, 3 },
		{ "a\xc3\xa9", 2, 1 },
		{ "a\xe2\x82\xac", 3, 1 },
		{ "a\xe2\x82\xac", 2, 1 },
		{ "a\xf0\x9f\x98\x80", 4, 1 },
		/* No character at all: cut where it falls. */
		{ "\x80\x80\x80\x80\x80\x80\x80\x80", 6, 6 },
		{ "\x80\x80\x80", 2, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(template_cut(str_from(cases[i].text), cases[i].max).n, cases[i].want,
			     "%zu: %u", i, template_cut(str_from(cases[i].text), cases[i].max).n);
}
