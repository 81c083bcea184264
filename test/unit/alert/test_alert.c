/*
 * Alerts: keys and their order, the golden line, the uuid, ancestors, and that hostile bytes and
 * sizes leave one line of valid JSON.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <json.h>
#include <stdio.h>

#include "alert_private.h"
#include "fields_fixture.h"
#include "haetae/text.h"

static struct fields_fixture fixture;
static const struct fixture_program init = {
	.pid = 1,
	.comm = "systemd",
	.exe = "/sbin/init",
	.exepath = "/usr/lib/systemd/systemd",
};
static const struct fixture_program sh = {
	.pid = 40,
	.parent_pid = 1,
	.comm = "sh",
	.exe = "/bin/sh",
	.exepath = "/usr/bin/dash",
	.args = { "-c", "cat /etc/shadow" },
};
static const struct fixture_program cat = {
	.pid = 50,
	.parent_pid = 40,
	.comm = "cat",
	.exe = "cat",
	.exepath = "/usr/bin/cat",
	.args = { "/etc/shadow" },
};

static const struct str tags[] = { { "filesystem", 10 }, { "T1003", 5 } };
static struct rule rule;
static struct alert_context context;

static void set_output(const char *text)
{
	struct diags diags;

	diags_init(&diags);
	rule.template = template_compile(&fixture.compiled, str_from(text), &SPAN_NONE, &diags);
	cr_assert(rule.template, "%s", text);
	diags_done(&diags);
}

static void open_file(const char *passed, const char *resolved)
{
	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	record_put_number(&fixture.record, "fd", 3);
	fixture.record.header->result = 3;
	record_put_text(&fixture.record, "name", passed);
	record_put_path(&fixture.record, "path", resolved);
	record_put_number(&fixture.record, "flags", 0);
	fixture_event(&fixture);
}

static void setup(void)
{
	setenv("TZ", "UTC", 1);
	fixture_init(&fixture);
	fixture_run(&fixture, &init);
	fixture_run(&fixture, &sh);
	fixture_run(&fixture, &cat);
	open_file("/etc/shadow", "/etc/shadow");
	rule = (struct rule){
		.name = STR("Read sensitive file"),
		.source = STR("syscall"),
		.file = STR("rules/credential_access.yaml"),
		.priority = PRIORITY_WARNING,
		.tags = tags,
		.tag_cnt = ARRAY_LEN(tags),
	};
	context = (struct alert_context){
		.fields = &fixture.context,
		.version = "0.1.0",
		.boot_id = "01234567-89ab-cdef-0123-456789abcdef",
		.lost_10s = 4,
		.lost_cgroup_10s = 1,
	};
	set_output("Sensitive file read (file=%fd.name user=%user.name container=%container.id)");
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(alert, .init = setup, .fini = teardown);

static struct alert *raise_alert(void)
{
	struct alert *alert = NULL;

	cr_assert_eq(alert_new(&rule, &context, &alert), 0);
	return alert;
}

/* ---- form ----------------------------------------------------------------------------------- */

static void compare_golden(const char *path, struct str text)
{
	char want[16384];
	FILE *file;
	size_t n;

	if (getenv("HAETAE_UPDATE_GOLDEN")) {
		file = fopen(path, "we");
		cr_assert(file, "%s", path);
		fprintf(file, "%.*s\n", STR_ARG(text));
		fclose(file);
	}
	file = fopen(path, "re");
	cr_assert(file, "%s", path);
	n = fread(want, 1, sizeof(want), file);
	fclose(file);
	cr_assert(n > 0);
	cr_expect(str_eq(text, (struct str){ want, (uint32_t)n - 1 }), "%s is stale; now:\n%.*s",
		  path, STR_ARG(text));
}

Test(alert, golden)
{
	struct alert *alert = raise_alert();

	compare_golden(GOLDEN_DIR "/alert.json", alert->json);
	compare_golden(GOLDEN_DIR "/alert.txt", alert->text);
	cr_expect_eq(alert->priority, PRIORITY_WARNING);
	cr_expect_eq(alert->wall_ns, 1700000100000000000ULL);
	cr_expect(str_eq(alert->rule, rule.name));
	alert_free(alert);
}

Test(alert, keys)
{
	static const char *const keys[] = {
		"uuid",	    "time", "rule",   "priority",      "source",
		"hostname", "tags", "output", "output_fields", "haetae"
	};
	static const char *const own[] = { "version",	   "rule_file", "exec_id",
					   "ancestors",	   "container", "k8s",
					   "completeness", "metadata",	"why" };
	struct alert *alert = raise_alert();
	struct json_object *object = json_tokener_parse(alert->json.p), *haetae;
	size_t i = 0;

	cr_assert(object);
	json_object_object_foreach(object, key, value)
	{
		(void)value;
		cr_assert(i < ARRAY_LEN(keys));
		cr_expect_str_eq(key, keys[i]);
		i++;
	}
	cr_expect_eq(i, ARRAY_LEN(keys));
	haetae = json_object_object_get(object, "haetae");
	i = 0;
	json_object_object_foreach(haetae, own_key, own_value)
	{
		(void)own_value;
		cr_assert(i < ARRAY_LEN(own), "%s", own_key);
		cr_expect_str_eq(own_key, own[i]);
		i++;
	}
	cr_expect_eq(i, ARRAY_LEN(own));
	json_object_put(object);
	alert_free(alert);
}

/* ---- uuid ----------------------------------------------------------------------------------- */

static void expect_other(const char *base, const char *what)
{
	char uuid[37];

	alert_uuid(&rule, &context, uuid);
	cr_expect_str_neq(uuid, base, "%s makes no difference", what);
}

/* The same record gives the same uuid; anything that identifies it another one. */
Test(alert, uuid)
{
	struct wire_header *header;
	char base[37], again[37];

	alert_uuid(&rule, &context, base);
	alert_uuid(&rule, &context, again);
	cr_expect_str_eq(base, again);
	cr_expect_eq(strlen(base), 36);
	cr_expect_eq(base[14], '8', "version: %s", base);
	cr_expect(strchr("89ab", base[19]), "variant: %s", base);
	header = fixture.record.header;
	header->sequence++;
	fixture_event(&fixture);
	expect_other(base, "sequence");
	header->sequence--;
	header->cpu = 1;
	fixture_event(&fixture);
	expect_other(base, "cpu");
	header->cpu = 0;
	header->ring = 1;
	fixture_event(&fixture);
	expect_other(base, "ring");
	header->ring = 0;
	fixture_event(&fixture);
	rule.name = STR("Another");
	expect_other(base, "rule");
	rule.name = STR("Read sensitive file");
	context.boot_id = "";
	expect_other(base, "boot id");
	context.boot_id = "01234567-89ab-cdef-0123-456789abcdef";
	fixture.context.hostname = "host-2";
	expect_other(base, "host");
	fixture.context.hostname = "host-1";
	/* The next daemon's record of this number: a receiver must not take it for the same alert.
	 */
	header->time_ns++;
	fixture_event(&fixture);
	expect_other(base, "time");
	header->time_ns--;
	/* What has no part in it. */
	header->pid++;
	fixture_event(&fixture);
	alert_uuid(&rule, &context, again);
	cr_expect_str_eq(base, again);
}

Test(alert, uuids_differ)
{
	enum {
		CNT = 2000
	};
	static char uuids[CNT][37];

	for (int i = 0; i < CNT; i++) {
		fixture.record.header->sequence = (uint64_t)i;
		fixture_event(&fixture);
		alert_uuid(&rule, &context, uuids[i]);
	}
	qsort(uuids, CNT, sizeof(uuids[0]), (int (*)(const void *, const void *))strcmp);
	for (int i = 1; i < CNT; i++)
		cr_expect_str_neq(uuids[i - 1], uuids[i]);
}

/* ---- ancestors ------------------------------------------------------------------------------ */

static struct json_object *own_of(const struct alert *alert, struct json_object **ret)
{
	*ret = json_tokener_parse(alert->json.p);
	cr_assert(*ret, "%.*s", STR_ARG(alert->json));
	return json_object_object_get(*ret, "haetae");
}

static int64_t pid_at(struct json_object *ancestors, size_t i)
{
	return json_object_get_int64(
		json_object_object_get(json_object_array_get_idx(ancestors, i), "pid"));
}

/* 60 is 50's child but init's by adoption: pid 1 is still the last. */
Test(alert, adopted)
{
	struct fixture_program orphan = cat;
	struct alert *alert;
	struct json_object *object, *ancestors;

	fixture_begin(&fixture, EVENT_TASK_NEW, &cat);
	record_put_number(&fixture.record, "child_pid", 60);
	record_put_number(&fixture.record, "child_start", 60000000000LL);
	record_put_number(&fixture.record, "child_ns_pid", 60);
	record_put_number(&fixture.record, "parent_pid", 1);
	record_put_number(&fixture.record, "parent_start", 1000000000);
	record_put_number(&fixture.record, "child_exec_id", 2);
	fixture_event(&fixture);
	orphan.pid = 60;
	orphan.parent_pid = 1;
	fixture_begin(&fixture, EVENT_OPENAT, &orphan);
	fixture_event(&fixture);
	alert = raise_alert();
	ancestors = json_object_object_get(own_of(alert, &object), "ancestors");
	cr_assert_eq(json_object_array_length(ancestors), 3, "%.*s", STR_ARG(alert->json));
	cr_expect_eq(pid_at(ancestors, 0), 50);
	cr_expect_eq(pid_at(ancestors, 1), 40);
	cr_expect_eq(pid_at(ancestors, 2), 1);
	json_object_put(object);
	alert_free(alert);
}

/* A chain of 100: the youngest 31 and the oldest, the others counted. */
Test(alert, many_ancestors)
{
	struct fixture_program program = sh;
	struct alert *alert;
	struct json_object *object, *own, *ancestors;

	for (uint32_t pid = 101; pid <= 200; pid++) {
		program.pid = pid;
		program.parent_pid = pid == 101 ? 1 : pid - 1;
		fixture_run(&fixture, &program);
	}
	alert = raise_alert();
	own = own_of(alert, &object);
	ancestors = json_object_object_get(own, "ancestors");
	cr_assert_eq(json_object_array_length(ancestors), 32);
	cr_expect_eq(pid_at(ancestors, 0), 199);
	cr_expect_eq(pid_at(ancestors, 30), 169);
	cr_expect_eq(pid_at(ancestors, 31), 1);
	cr_expect_eq(json_object_get_int(json_object_object_get(own, "ancestors_left_out")), 68);
	json_object_put(object);
	alert_free(alert);
}

/* ---- who and where -------------------------------------------------------------------------- */

static void expect_own(const char *key, const char *want)
{
	struct alert *alert = raise_alert();
	struct json_object *object, *own = own_of(alert, &object);
	const char *got = json_object_to_json_string_ext(json_object_object_get(own, key),
							 JSON_C_TO_STRING_PLAIN |
								 JSON_C_TO_STRING_NOSLASHESCAPE);

	cr_expect_str_eq(got, want, "%s: %s", key, got);
	json_object_put(object);
	alert_free(alert);
}

/* Whatever the rule prints, its alert says where it was; what nobody has told is null. */
Test(alert, container_and_pod)
{
	struct container container = { .id = "0123456789ab", .full_id = "0123456789abcdef" };
	struct container_info *info = container_info_new();

	fixture.event.container = &container_host;
	expect_own("container", "null");
	expect_own("k8s", "null");
	container.type = CONTAINER_CRI;
	fixture.event.container = &container;
	expect_own("container",
		   "{\"id\":\"0123456789ab\",\"full_id\":\"0123456789abcdef\",\"name\":null,"
		   "\"type\":\"cri\",\"image\":null,\"image_digest\":null,\"privileged\":null}");
	expect_own("k8s", "null");
	info->name = STR("a\"\n");
	info->image = STR("nginx:1");
	info->privileged = TRI_TRUE;
	info->pod_uid = STR("uid-1");
	info->pod_name = STR("web-1");
	info->pod_namespace = STR("shop");
	container.info = info;
	expect_own("container", "{\"id\":\"0123456789ab\",\"full_id\":\"0123456789abcdef\","
				"\"name\":\"a\\\"\\n\",\"type\":\"cri\",\"image\":\"nginx:1\","
				"\"image_digest\":null,\"privileged\":true}");
	expect_own("k8s",
		   "{\"pod\":\"web-1\",\"namespace\":\"shop\",\"uid\":\"uid-1\",\"node\":null,"
		   "\"owner_kind\":null,\"owner\":null,\"deployment\":null,"
		   "\"service_account\":null}");
	container_info_unref(info);
}

/* ---- hostile bytes and sizes ---------------------------------------------------------------- */

static void expect_valid(const struct alert *alert, const char *what)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;

	/* Neither strict nor with its UTF-8 check: json-c 0.18 then takes bytes above 0x7f for
	 * control characters. test/e2e asks jq and iconv. */
	object = json_tokener_parse_ex(tokener, alert->json.p, (int)alert->json.n);
	cr_expect_eq(json_tokener_get_parse_end(tokener), alert->json.n, "%s", what);
	cr_expect(object, "%s: %s: %.300s", what,
		  json_tokener_error_desc(json_tokener_get_error(tokener)), alert->json.p);
	json_object_put(object);
	json_tokener_free(tokener);
	cr_expect_eq(memchr(alert->json.p, '\n', alert->json.n), NULL, "%s", what);
	cr_expect_eq(strlen(alert->json.p), alert->json.n, "%s", what);
	for (const char *p = alert->json.p, *end = p + alert->json.n; p < end;) {
		unsigned n = utf8_sequence(p, end);

		cr_assert(n > 0, "%s: invalid UTF-8 in the JSON", what);
		p += n;
	}
	for (const char *p = alert->text.p, *end = p + alert->text.n; p < end;) {
		unsigned n = utf8_sequence(p, end);

		cr_assert(n > 0, "%s: invalid UTF-8 in the text", what);
		cr_assert((unsigned char)*p >= 0x20 && *p != 0x7f, "%s: control character", what);
		p += n;
	}
}

Test(alert, hostile_bytes)
{
	static const char *const names[] = {
		"/tmp/new\nline",
		"/tmp/\033[31mred\033[0m",
		"/tmp/\xff\xfe\x80",
		"/tmp/quote\"back\\slash",
		"/tmp/\xc0\xaf",
		"/tmp/\xed\xa0\x80",
		("/tmp/\xe2\x80\xae"
		 "gpj.exe"),
		"/tmp/\x01\x02\x1f\x7f\xc2\x85",
		"/tmp/\xf4\x90\x80\x80",
		"/tmp/cut\xe2\x82",
		"/tmp/%fd.name %s %n",
	};

	set_output("%fd.name %evt.arg.name %proc.name %proc.aname %proc.cmdline");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct fixture_program program = cat;
		struct alert *alert;

		program.comm = names[i] + 5;
		program.exe = program.args[0] = names[i];
		program.exepath = names[i];
		program.pid = 300 + (uint32_t)i;
		program.parent_pid = 299 + (uint32_t)i;
		fixture_run(&fixture, &program);
		open_file(names[i], names[i]);
		fixture.record.header->pid = program.pid;
		fixture.record.header->start_ns = program.pid * 1000000000ULL;
		fixture_event(&fixture);
		alert = raise_alert();
		expect_valid(alert, names[i]);
		alert_free(alert);
	}
}

/* Values of every byte from 1 to 255, long ones: cut, and said so. */
Test(alert, long_values)
{
	static char name[12001];
	struct json_object *object, *cut;
	struct alert *alert;

	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = (char)(i % 255 + 1);
	name[0] = '/';
	open_file("/x", "/x");
	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	record_put_text(&fixture.record, "name", name);
	fixture_event(&fixture);
	set_output("%fd.nameraw %fd.num");
	alert = raise_alert();
	expect_valid(alert, "long");
	cut = json_object_object_get(own_of(alert, &object), "cut");
	cr_assert(cut);
	cr_expect_str_eq(json_object_to_json_string(cut), "[ \"fd.nameraw\" ]", "%s",
			 json_object_to_json_string(cut));
	json_object_put(object);
	alert_free(alert);
}

/* 256 fields of 12,000 bytes that take six characters each would be 18 MB: the second try holds. */
Test(alert, monster)
{
	static char name[12001];
	struct json_object *object, *cut;
	struct alert *alert;
	struct buf text;

	memset(name, 1, sizeof(name) - 1);
	name[0] = '/';
	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	record_put_text(&fixture.record, "name", name);
	fixture_event(&fixture);
	buf_init(&text, 1u << 20);
	for (unsigned i = 0; i < 127; i++)
		buf_puts(&text, "%fd.nameraw %evt.arg[2] ");
	set_output(text.p);
	alert = raise_alert();
	expect_valid(alert, "monster");
	cr_expect(alert->json.n < 4u << 20);
	cut = json_object_object_get(own_of(alert, &object), "cut");
	cr_expect(strstr(json_object_to_json_string(cut), "output"));
	json_object_put(object);
	alert_free(alert);
	buf_done(&text);
}

/* What the kernel cut is named too. */
Test(alert, cut_in_the_kernel)
{
	struct json_object *object;
	struct alert *alert;

	open_file("/x", "/x");
	record_cut(&fixture.record, "name");
	fixture_event(&fixture);
	alert = raise_alert();
	cr_expect_str_eq(
		json_object_to_json_string(json_object_object_get(own_of(alert, &object), "cut")),
		"[ \"evt.arg.name\" ]");
	json_object_put(object);
	alert_free(alert);
}

/* ---- the rest ------------------------------------------------------------------------------- */

static const char *why(const struct alert *alert, struct json_object **object)
{
	return json_object_get_string(json_object_object_get(own_of(alert, object), "why"));
}

Test(alert, why)
{
	static const struct {
		int64_t result;
		const char *want;
	} cases[] = {
		{ 3, "the condition is true of openat, which returned 3" },
		{ -EACCES, "the condition is true of openat, which failed with EACCES" },
		{ -4000, "the condition is true of openat, which returned -4000" },
	};
	struct json_object *object;
	struct alert *alert;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fixture.record.header->result = cases[i].result;
		fixture_event(&fixture);
		alert = raise_alert();
		cr_expect_str_eq(why(alert, &object), cases[i].want);
		json_object_put(object);
		alert_free(alert);
	}
	fixture_begin(&fixture, EVENT_PROCEXIT, &cat);
	fixture_event(&fixture);
	alert = raise_alert();
	cr_expect_str_eq(why(alert, &object), "the condition is true of procexit");
	json_object_put(object);
	alert_free(alert);
}

/* Nothing known but the header; no output, no tags; and no memory for values. */
Test(alert, bare)
{
	struct alert *alert;

	fixture.event.proc = NULL;
	fixture.event.image = NULL;
	fixture.context.procs = NULL;
	fixture.context.users = NULL;
	rule.template = NULL;
	rule.tag_cnt = 0;
	alert = raise_alert();
	expect_valid(alert, "bare");
	cr_expect_str_eq(alert->text.p, "22:15:00.000000000: Warning ");
	alert_free(alert);

	set_output("%proc.name %fd.name %proc.cmdline");
	arena_done(&fixture.scratch);
	arena_init(&fixture.scratch, 0);
	cr_expect_eq(alert_new(&rule, &context, &alert), -ENOMEM);
	cr_expect_null(alert_free(NULL));
}
