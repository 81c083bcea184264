/*
 * The registry as a whole: order, documentation, lookups, and that no field does harm on any event.
 */
#include <criterion/criterion.h>

#include "fields_fixture.h"

/* The dot and the digits of a name sort as str_cmp() has them: find_in() relies on it. */
Test(fields, sorted_and_documented)
{
	const struct field *field, *before = NULL;
	unsigned cnt = 0;

	for (; (field = field_at(cnt)); before = field, cnt++) {
		size_t family = strcspn(field->name, ".");

		cr_expect(field->get, "%s: getter", field->name);
		cr_expect(field->type < VALUE_TYPE__COUNT, "%s: type", field->name);
		cr_expect(field->since && *field->since, "%s: since", field->name);
		cr_expect(field->doc && strlen(field->doc) > 3, "%s: doc", field->name);
		cr_expect(field->when_absent && *field->when_absent, "%s: absent", field->name);
		cr_expect(field->example &&
				  strncmp(field->example, field->name, strlen(field->name)) == 0,
			  "%s: example", field->name);
		cr_expect_eq(field->doc[strlen(field->doc) - 1], '.', "%s: doc", field->name);
		if (before && strncmp(before->name, field->name, family + 1) == 0)
			cr_expect(strcmp(before->name, field->name) < 0, "%s before %s",
				  before->name, field->name);
		cr_expect_eq(field_find(str_from(field->name)), field, "%s: find", field->name);
		cr_expect_eq(field_find_prefix(str_from(field->name)), field, "%s: prefix",
			     field->name);
		if (field->flags & FIELD_RESERVED)
			cr_expect_eq(field->get, field_get_absent, "%s", field->name);
		else
			cr_expect_neq(field->get, field_get_absent, "%s", field->name);
	}
	cr_expect(cnt > 250, "%u fields", cnt);
}

/* Fields whose several values mean something, and those that mean one end or the other. */
Test(fields, flags)
{
	static const struct {
		const char *name;
		uint32_t has, lacks;
	} cases[] = {
		{ "fd.name", FIELD_IS_READINGS, FIELD_IS_ANY },
		{ "fd.directory", FIELD_IS_READINGS, 0 },
		{ "fd.filename", FIELD_IS_READINGS, 0 },
		{ "fs.path.name", FIELD_IS_READINGS, 0 },
		{ "proc.exepath", FIELD_IS_READINGS, 0 },
		{ "fd.nameraw", 0, FIELD_IS_READINGS },
		{ "fd.ip", FIELD_IS_ANY | FIELD_ALL_DIFFER | FIELD_FILTER_ONLY, 0 },
		{ "fd.port", FIELD_IS_ANY | FIELD_ALL_DIFFER | FIELD_FILTER_ONLY, 0 },
		{ "fd.net", FIELD_IS_ANY | FIELD_ALL_DIFFER | FIELD_FILTER_ONLY, 0 },
		{ "fd.snet", FIELD_FILTER_ONLY, FIELD_IS_ANY },
		{ "fd.sip", 0, FIELD_FILTER_ONLY | FIELD_IS_ANY },
		{ "fd.types", FIELD_IS_LIST, FIELD_IS_ANY },
		{ "proc.aname", FIELD_IS_ANY | FIELD_ARG_ALLOWED_INDEX | FIELD_NO_RIGHT_SIDE,
		  FIELD_ALL_DIFFER | FIELD_ARG_REQUIRED },
		{ "proc.args", FIELD_ARG_ALLOWED_INDEX, FIELD_ARG_REQUIRED },
		{ "proc.env", FIELD_ARG_ALLOWED_KEY | FIELD_NEEDS_ENV, FIELD_ARG_REQUIRED },
		{ "proc.aenv", FIELD_NEEDS_ENV, 0 },
		{ "evt.arg", FIELD_ARG_DOTTED | FIELD_ARG_REQUIRED, 0 },
		{ "evt.path_swapped", FIELD_NEEDS_SWAP, 0 },
		{ "evt.dir", FIELD_DEPRECATED, FIELD_RESERVED },
		{ "container.id", 0, FIELD_RESERVED | FIELD_DEPRECATED },
		{ "container.mount.dest", FIELD_ARG_REQUIRED | FIELD_ARG_ALLOWED_KEY, 0 },
		{ "k8s.pod.label", FIELD_ARG_REQUIRED | FIELD_ARG_ALLOWED_KEY, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct field *field = field_find(str_from(cases[i].name));

		cr_assert(field, "%s", cases[i].name);
		cr_expect_eq(field->flags & cases[i].has, cases[i].has, "%s", field->name);
		cr_expect_eq(field->flags & cases[i].lacks, 0, "%s", field->name);
	}
}

Test(fields, lookups)
{
	static const struct {
		const char *text, *want;
	} prefixes[] = {
		{ "proc.nameand", "proc.name" },
		{ "proc.name.", "proc.name" },
		{ "proc.pid.tsx", "proc.pid.ts" },
		{ "evt.arg.flags", "evt.arg" },
		{ "evt.argsx", "evt.args" },
		{ "evt.time.s8601", "evt.time.s" },
		{ "evt.time.iso86012", "evt.time.iso8601" },
		{ "fd.name_changed", "fd.name_changed" },
		{ "fd.name_chang", "fd.name" },
		{ "thread.cgroup.memory", "thread.cgroup" },
		{ "proc.nam", NULL },
		{ "Proc.name", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		const struct field *field = field_find_prefix(str_from(prefixes[i].text));

		cr_expect_str_eq(field ? field->name : "(none)",
				 prefixes[i].want ? prefixes[i].want : "(none)", "%s",
				 prefixes[i].text);
	}
	cr_expect_null(field_find(STR("proc.namex")));
	cr_expect_null(field_find(STR("proc.nam")));
	cr_expect_null(field_find(STR("")));
	cr_expect_null(field_at(100000));
}

/* Every field on every event, with nothing known and with scratch of every size: a getter finds
 * absent parameters, no table, no memory, and gives absent or a value of its type. */
static void read_all(struct fields_fixture *fixture)
{
	const struct field *field;
	struct value_set set;

	for (unsigned i = 0; (field = field_at(i)); i++) {
		struct field_argument argument = { 0 };

		field_read(field, &fixture->context, &argument, &set);
		cr_expect(set.state == FIELD_ABSENT || set.cnt > 0, "%s", field->name);
		if (set.state == FIELD_VALUE)
			cr_expect_eq(set.values[0].type, field->type, "%s", field->name);
		argument = (struct field_argument){ .kind = FIELD_ARG_INDEX, .index = 3 };
		field_read(field, &fixture->context, &argument, &set);
		argument = (struct field_argument){ .kind = FIELD_ARG_KEY, .key = STR("HOME") };
		field_read(field, &fixture->context, &argument, &set);
	}
}

Test(fields, nothing_is_known)
{
	static struct fields_fixture fixture;
	const struct fixture_program nobody = { .pid = 9, .parent_pid = 8, .comm = "" };
	static const size_t sizes[] = { 0, 8, 64, 512, 4096, 65536, 1u << 20 };

	fixture_init(&fixture);
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		if (event_schema_get(type)->flags & EVENT_STATE)
			continue;
		fixture_begin(&fixture, type, &nobody);
		if (type == EVENT_GENERIC)
			fixture.record.header->syscall_nr = 1;
		cr_assert_eq(record_decode(&fixture.record, &fixture.event), 0);
		fixture.event.proc = NULL;
		fixture.event.image = NULL;
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			fixture.context.procs = i % 2 ? NULL : fixture.procs;
			fixture.context.users = i % 2 ? NULL : fixture.users;
			arena_done(&fixture.scratch);
			arena_init(&fixture.scratch, sizes[i]);
			read_all(&fixture);
		}
	}
	fixture_done(&fixture);
}

Test(fields, reserved_is_absent)
{
	static struct fields_fixture fixture;
	const struct fixture_program one = { .pid = 9, .parent_pid = 8, .comm = "x" };
	static const struct fixture_case cases[] = {
		{ "container.id", "<absent>" },
		{ "container.image.repository", "<absent>" },
		{ "container.mount.dest[/proc*]", "<absent>" },
		{ "k8s.ns.name", "<absent>" },
		{ "fd.types", "<absent>" },
		{ "evt.buffer", "<absent>" },
		{ "fd.sip.name", "<absent>" },
		{ NULL, NULL },
	};

	fixture_init(&fixture);
	fixture_begin(&fixture, EVENT_CONNECT, &one);
	fixture_event(&fixture);
	fixture_expect(&fixture, "reserved", cases);
	fixture_done(&fixture);
}

static bool give_name(const struct field *field, const struct field_argument *argument,
		      struct value_set *ret, void *data)
{
	*ret = (struct value_set){ FIELD_VALUE, 1, data };
	return strcmp(field->name, "proc.name") == 0;
}

/* A fixture's values come first, and what it does not say is asked of the event. */
Test(fields, override)
{
	static struct fields_fixture fixture;
	const struct fixture_program one = { .pid = 9, .parent_pid = 8, .comm = "real" };
	struct value value = { .type = VALUE_STRING, .str = STR("given") };

	fixture_init(&fixture);
	fixture_begin(&fixture, EVENT_CONNECT, &one);
	fixture_event(&fixture);
	fixture.context.override = give_name;
	fixture.context.override_data = &value;
	cr_expect_str_eq(fixture_read(&fixture, "proc.name"), "given");
	cr_expect_str_eq(fixture_read(&fixture, "proc.pid"), "9");
	cr_expect_str_eq(fixture_read(&fixture, "container.id"), "<absent>");
	fixture_done(&fixture);
}

Test(fields, values_as_text)
{
	const struct field *field = field_at(0);
	const struct {
		struct value value;
		const char *text, *json;
	} cases[] = {
		{ { .type = VALUE_S64, .s64 = -5 }, "-5", "-5" },
		{ { .type = VALUE_U64, .u64 = UINT64_MAX },
		  "18446744073709551615",
		  "18446744073709551615" },
		{ { .type = VALUE_BOOL, .is_true = true }, "true", "true" },
		{ { .type = VALUE_BOOL, .is_true = false }, "false", "false" },
		{ { .type = VALUE_PORT, .u64 = 53 }, "53", "53" },
		{ { .type = VALUE_RELTIME, .u64 = 9 }, "9", "9" },
		{ { .type = VALUE_STRING, .str = STR("a\"b\n\xff") },
		  "a\"b\n\xff",
		  "\"a\\\"b\\n\\\\xff\"" },
		{ { .type = VALUE_PATH, .str = STR("") }, "", "\"\"" },
		{ { .type = VALUE_IP, .ip = { 2, { 127, 0, 0, 1 } } },
		  "127.0.0.1",
		  "\"127.0.0.1\"" },
		{ { .type = VALUE_NET, .ip = { 10, { [15] = 1 } } }, "::1", "\"::1\"" },
	};
	struct buf out;

	buf_init(&out, 1024);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&out);
		buf_puts(&out, "");
		value_format(field, &cases[i].value, &out);
		cr_expect_str_eq(out.p, cases[i].text, "%zu", i);
		buf_clear(&out);
		value_format_json(field, &cases[i].value, &out);
		cr_expect_str_eq(out.p, cases[i].json, "%zu", i);
	}
	buf_done(&out);
	for (unsigned type = 0; type < VALUE_TYPE__COUNT; type++)
		cr_expect_str_neq(value_type_name(type), "unknown");
	cr_expect_str_eq(value_type_name(VALUE_TYPE__COUNT), "unknown");
}
