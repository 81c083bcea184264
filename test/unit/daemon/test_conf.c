/*
 * The configuration: every mistake with its place, values exactly, secrets nowhere, and what is
 * printed can be read again.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "haetae/clock.h"
#include "haetae/conf.h"

struct fixture {
	struct conf *conf;
	struct diags diags;
	struct buf text;
};

static void fixture_init(struct fixture *f)
{
	f->conf = conf_new();
	cr_assert(f->conf);
	diags_init(&f->diags);
	buf_init(&f->text, 1u << 22);
}

static void fixture_done(struct fixture *f)
{
	conf_free(f->conf);
	diags_done(&f->diags);
	buf_done(&f->text);
}

static int load(struct fixture *f, const char *yaml)
{
	int r = conf_load_text(f->conf, STR("t.yaml"), str_from(yaml), &f->diags);

	return r == 0 ? conf_finish(f->conf, &f->diags) : r;
}

/* "4:2 E0704, …" */
static const char *codes(struct fixture *f)
{
	diags_sort(&f->diags);
	buf_clear(&f->text);
	buf_puts(&f->text, "");
	for (uint32_t i = 0; i < f->diags.item_cnt; i++) {
		const struct diag *diag = &f->diags.items[i];
		struct diag_position position = diags_position(&f->diags, diag->at);

		if (diag->is_related)
			continue;
		buf_printf(&f->text, "%s%u:%u %s", f->text.n ? ", " : "", position.line,
			   position.column, diag->code);
		cr_expect(diag->hint.n > 0, "%s has no hint", diag->code);
	}
	return f->text.p ?: "";
}

/* clang-format off: a table */
static const struct {
	const char *yaml, *codes;
} mistakes[] = {
	{ "", "" },
	{ "# nothing\n", "" },
	{ "rules:\nmetadata:\n", "" }, /* all keys of a section commented out */
	{ "[]", "1:1 E0705" },
	{ "text", "1:1 E0705" },
	{ "rules: {match: all}\nrules: {}\n", "2:1 E0704" },
	{ "ruels: {}\n", "1:1 E0703" },
	{ "rules: {mach: all}\n", "1:9 E0703" },
	{ "rules.match: all\n", "1:1 E0703" },
	{ "controls: {socket: /run/x}\n", "1:1 E0703" }, /* not there yet: no pretence */
	{ "selftest: {interval: 10m}\n", "1:1 E0703" },
	{ "probes: {kernel_filtr: true}\n", "1:10 E0703" },
	{ "rules: all\n", "1:8 E0705" },
	{ "rules: {match: [all]}\n", "1:16 E0705" },
	{ "rules: {match: }\n", "1:16 E0705" },
	{ "rules: {match: All}\n", "1:16 E0706" },
	{ "rules: {min_priority: Warning}\n", "" },
	{ "rules: {min_priority: warn}\n", "1:23 E0706" },
	{ "rules: {paths: /etc/x}\n", "1:16 E0705" },
	{ "rules: {paths: [a, \"\"]}\n", "1:20 E0706" },
	{ "rules: {select: [{disable: {tag: x}}, {enable: {rule: \"*\"}}]}\n", "" },
	{ "rules: {select: [{disabel: {tag: x}}]}\n", "1:18 E0706" },
	{ "rules: {select: [{disable: x}]}\n", "1:28 E0706" },
	{ "metadata: {deadline: 2s}\n", "" },
	{ "metadata: {deadline: 0}\n", "" },
	{ "metadata: {deadline: 2}\n", "1:22 E0707" },
	{ "metadata: {deadline: 2 s}\n", "1:22 E0707" },
	{ "metadata: {deadline: 2S}\n", "1:22 E0707" },
	{ "metadata: {deadline: -2s}\n", "1:22 E0707" },
	{ "metadata: {deadline: 1.5s}\n", "1:22 E0707" },
	{ "metadata: {deadline: 2h}\n", "1:22 E0708" },
	{ "metadata: {deadline: 99999999999999999999d}\n", "1:22 E0708" },
	{ "metadata: {max_held: 0x10}\n", "1:22 E0707" },
	{ "metadata: {max_held: 1e3}\n", "1:22 E0707" },
	{ "metadata: {max_held: \"10\"}\n", "1:22 E0705" },
	{ "metadata: {max_held: 10MiB}\n", "1:22 E0707" },
	{ "metadata: {max_held: null}\n", "1:22 E0705" },
	{ "metadata: {all_pods: yes}\n", "1:22 E0706" },
	{ "metadata: {all_pods: \"true\"}\n", "1:22 E0706" },
	{ "metadata: {kubernetes: kubelet}\n", "1:24 W0702" },
	{ "metadata: {node_name: null, api_url: ~}\n", "" },
	{ "metadata: {api_url: ftp://x/}\n", "1:21 E0706" },
	{ "metadata: {ca_file: relative}\n", "1:21 E0706" },
	{ "metadata: {node_name: \"${HAETAE_TEST_NONE}\"}\n", "1:24 E0709" },
	{ "metadata: {node_name: \"a${1}\"}\n", "1:25 E0709" },
	{ "metadata: {node_name: \"a${NODE\"}\n", "1:25 E0709" },
	{ "metadata: {max_held: \"${HAETAE_TEST_ONE}\"}\n", "1:22 E0705" },
	{ "probes: {ring_size: 4MB}\n", "1:21 E0707" },
	{ "probes: {ring_size: 1KiB}\n", "1:21 E0708" },
	{ "probes: {scope: {pid: 1, cgroup: /sys/fs/cgroup/a}}\n", "1:34 E0712" },
	{ "alerts: {throttle: {rate: 10}}\n", "1:27 E0707" },
	{ "alerts: {throttle: {rate: 10/d}}\n", "1:27 E0707" },
	{ "alerts: {dedupe: {by: [rule, fd.name]}}\n", "1:30 E0706" },
	{ "alerts: {append_output: [\"a\", {match: {tags: [x]}, extra_output: b}]}\n", "" },
	{ "alerts: {append_output: [{extra: b}]}\n", "1:27 E0706" },
	{ "alerts: {fields: [a]}\n", "1:18 E0705" },
	{ "sinks: []\n", "0:0 E0705" },
	{ "sinks: [{type: stdout}]\n", "1:9 E0710" },
	{ "sinks: [{name: a}]\n", "1:16 E0710" },
	{ "sinks: [{name: a/b, type: stdout}]\n", "1:16 E0706" },
	{ "sinks: [{name: a, type: stdout}, {name: a, type: stdout}]\n", "1:41 E0711" },
	{ "sinks: [{name: a, type: files}]\n", "1:25 E0706" },
	{ "sinks: [{name: a, type: file}]\n", "1:25 E0710" },
	{ "sinks: [{name: a, type: file, path: /x, url: \"http://x/\"}]\n", "1:46 E0710" },
	{ "sinks: [{name: a, type: file, path: /x, format: slack}]\n", "1:49 E0710" },
	{ "sinks: [{name: a, type: http, url: \"http://x/\", format: text}]\n", "1:57 E0710" },
	{ "sinks: [{name: a, type: http, url: \"http://x/\", format: template}]\n", "1:16 E0710" },
	{ "sinks: [{name: a, type: http, url: \"http://x/\", format: template,\n"
	  "  template: \"{{no_such}}\"}]\n",
	  "2:13 E0706" },
	{ "sinks: [{name: a, type: http, url: \"http://x/\", tls: {cert: /c}}]\n", "1:61 E0710" },
	{ "sinks: [{name: a, type: http, url: \"http://x/\", headers: {X: \"a\\r\\nY: b\"}}]\n",
	  "1:62 E0706" },
	{ "sinks: [{name: a, type: syslog, address: \"udp://h\"}]\n", "1:42 E0706" },
	{ "sinks: [{name: a, type: stdout, durable: true}]\n", "1:42 E0710" },
	{ "http: {listen: \"localhost:80\"}\n", "1:16 E0706" },
	{ "http: {listen: \"127.0.0.1:70000\"}\n", "1:16 E0706" },
	{ "http: {listen: \"[::1]:9479\"}\n", "" },
	{ "a: &x 1\n", "1:4 E0702" },
	{ "a: *x\n", "1:4 E0702" },
	{ "a: !b c\n", "1:4 E0702" },
	{ "rules: {}\n---\nrules: {}\n", "2:1 E0702" },
	{ "rules: {match: \"all}\n", "1:16 E0702" },
	{ "rules:\n\tmatch: all\n", "2:1 E0702" },
	{ "? [a]\n: b\n", "1:3 E0702" },
	/* every mistake is told */
	{ "a: 1\nrules: {match: x, b: 2}\nlog: {level: loud}\n",
	  "1:1 E0703, 2:16 E0706, 2:19 E0703, 3:14 E0706" },
};
/* clang-format on */

Test(conf, mistakes_have_their_place)
{
	setenv("HAETAE_TEST_ONE", "1", 1);
	for (unsigned i = 0; i < ARRAY_LEN(mistakes); i++) {
		struct fixture f;
		bool is_error = strchr(mistakes[i].codes, 'E');
		int r;

		fixture_init(&f);
		r = load(&f, mistakes[i].yaml);
		cr_expect_eq(r, is_error ? CONF_E_INVALID : 0, "%s: %d", mistakes[i].yaml, r);
		cr_expect_str_eq(codes(&f), mistakes[i].codes, "%s: %s", mistakes[i].yaml,
				 codes(&f));
		fixture_done(&f);
	}
}

Test(conf, values_are_exact)
{
	struct fixture f;
	const struct daemon_config *config;

	setenv("HAETAE_TEST_NODE", "node-7", 1);
	fixture_init(&f);
	cr_assert_eq(load(&f, "rules: {match: all, min_priority: NOTICE, paths: [/a, b]}\n"
			      "probes: {ring_size: 256KiB, scope: {pid: 7}}\n"
			      "metadata: {deadline: 1500ms, runtime_sockets: [/run/a, /run/b],\n"
			      "  node_name: \"x-${HAETAE_TEST_NODE}-$${y}-$z\", kubernetes: off}\n"
			      "alerts: {throttle: {rate: 90/m, burst: 5}, dedupe: {by: [rule]},\n"
			      "  fields: {cluster: west}}\n"
			      "sinks:\n"
			      "  - {name: f, type: file, path: /x, max_age: 7d, tags: [a, b]}\n"
			      "  - {name: h, type: http, url: \"https://h/\", headers: {A: b}}\n"),
		     0, "%s", codes(&f));
	config = &f.conf->daemon;
	cr_expect(config->rules.is_match_all);
	cr_expect_eq(config->rules.min_priority, PRIORITY_NOTICE);
	cr_expect_eq(config->rule_path_cnt, 2);
	cr_expect_str_eq(config->rule_paths[1], "b");
	cr_expect_eq(config->probes.ring_bytes, 256u << 10);
	cr_expect_eq(config->probes.scope_pid, 7);
	cr_expect_eq(config->hold.deadline_ns, 1500 * NS_PER_MS);
	cr_expect_eq(config->metadata.socket_cnt, 2);
	cr_expect(config->metadata.want_runtimes);
	cr_expect_str_eq(config->metadata.node_name, "x-node-7-${y}-$z");
	cr_expect_eq(config->metadata.kubernetes, KUBERNETES_OFF);
	cr_expect_eq(config->gate.rate_ns, 60 * NS_PER_SEC / 90);
	cr_expect(config->gate.by[GATE_RULE] && !config->gate.by[GATE_CONTAINER]);
	cr_expect_eq(config->sink_cnt, 2);
	cr_expect_eq(config->sinks[0].file.max_age_ns, 7 * 86400 * NS_PER_SEC);
	cr_expect_eq(config->sinks[0].tag_cnt, 2);
	cr_expect_eq(config->sinks[0].format, SINK_JSON);
	cr_expect_str_eq(config->sinks[1].http.headers[0], "A: b");
	cr_expect_eq(config->sinks[1].http.batch_max, 0); /* the format's own */
	fixture_done(&f);
}

static int assign_all(struct fixture *f, const char *const *assignments)
{
	int r = 0;

	for (; r == 0 && *assignments; assignments++)
		r = conf_assign(f->conf, *assignments, &f->diags);
	return r;
}

Test(conf, assignments_stand_above_the_file)
{
	static const char *const assignments[] = {
		"metadata.deadline=5s",
		"metadata.runtime_sockets=/run/c",
		"metadata.runtime_sockets=/run/d",
		"rules.select=disable:tag=x",
		"rules.select=[{enable: {rule: y}}]",
		"alerts.fields=a=b=c",
		"alerts.append_output=pod: %k8s.pod.name",
		"sinks.console.format=text",
		"sinks.my.hook.type=http",
		"sinks.my.hook.url=https://h/a",
		"sinks.my.hook.tls.ca=/ca",
		NULL,
	};
	struct fixture f;
	const struct daemon_config *config;

	fixture_init(&f);
	cr_assert_eq(conf_load_text(f.conf, STR("t.yaml"),
				    STR("metadata: {deadline: 1s, runtime_sockets: [/run/a]}\n"),
				    &f.diags),
		     0);
	cr_assert_eq(assign_all(&f, assignments), 0, "%s", codes(&f));
	cr_assert_eq(conf_finish(f.conf, &f.diags), 0, "%s", codes(&f));
	config = &f.conf->daemon;
	cr_expect_eq(config->hold.deadline_ns, 5 * NS_PER_SEC);
	cr_expect_eq(config->metadata.socket_cnt, 2);
	cr_expect_str_eq(config->metadata.sockets[0], "/run/c");
	cr_expect_eq(config->rules.selector_cnt, 2);
	cr_expect(str_eq_text(config->constants[0].value, "b=c"));
	cr_expect(str_eq_text(config->additions[0].text, "pod: %k8s.pod.name"));
	cr_expect_eq(config->sinks[0].format, SINK_TEXT);
	cr_assert_eq(config->sink_cnt, 2);
	cr_expect_str_eq(config->sinks[1].name, "my.hook");
	cr_expect_str_eq(config->sinks[1].tls.ca_file, "/ca");
	fixture_done(&f);
}

Test(conf, bad_assignments)
{
	static const struct {
		const char *assignment, *code;
	} cases[] = {
		{ "metadata.deadline", "1:1 E0706" },	   { "metadata.dedline=2s", "1:1 E0703" },
		{ "metadata.deadline=", "1:19 E0705" },	   { "metadata.deadline=2", "1:19 E0707" },
		{ "sinks.console.colour=1", "1:1 E0703" }, { "sinks.=1", "1:1 E0703" },
		{ "sinks..type=file", "1:1 E0703" },	   { "sinks.a b.type=file", "1:1 E0711" },
		{ "rules.select=[", "1:1 E0702" },	   { "=x", "1:1 E0703" },
		{ "alerts.fields=x", "1:15 E0706" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture f;

		fixture_init(&f);
		cr_expect_eq(conf_assign(f.conf, cases[i].assignment, &f.diags), CONF_E_INVALID,
			     "%s", cases[i].assignment);
		cr_expect(strstr(codes(&f), cases[i].code + 4), "%s: %s", cases[i].assignment,
			  codes(&f));
		fixture_done(&f);
	}
}

/* Without the origins. */
static void strip(const struct buf *from, struct buf *to)
{
	const char *p = from->p, *end;

	for (; p && *p; p = end + 1) {
		const char *mark;

		end = strchr(p, '\n');
		mark = memmem(p, (size_t)(end - p), "  # ", 4);
		buf_put(to, p, (size_t)((mark ?: end) - p));
		buf_putc(to, '\n');
	}
}

static const char full[] =
	"rules: {match: all, select: [{disable: {tag: \"a: b\"}}], paths: [/a]}\n"
	"alerts:\n"
	"  append_output: [\"x %proc.name # y\", {match: {rule: r, tags: [t]}, extra_output: z}]\n"
	"  fields: {\"a b\": \"null\", c: \"line\\nbreak\"}\n"
	"  throttle: {rate: 7/s}\n"
	"sinks:\n"
	"  - {name: c, type: stdout, format: text}\n"
	"  - {name: h, type: http, url: \"http://h/p\", tls: {ca: /ca}, batch: {max: 5}}\n"
	"  - {name: p, type: program, command: [/bin/x, \"true\", \"1\"]}\n"
	"log: {format: json}\n";

Test(conf, what_is_printed_can_be_read_again)
{
	struct fixture a, b;
	struct buf first, second;

	fixture_init(&a);
	fixture_init(&b);
	buf_init(&first, 1u << 20);
	buf_init(&second, 1u << 20);
	cr_assert_eq(load(&a, full), 0, "%s", codes(&a));
	buf_clear(&a.text);
	conf_print(a.conf, &a.text);
	strip(&a.text, &first);
	cr_assert_eq(load(&b, first.p), 0, "%s\n%s", codes(&b), first.p);
	buf_clear(&b.text);
	conf_print(b.conf, &b.text);
	strip(&b.text, &second);
	cr_expect_str_eq(first.p, second.p);
	cr_expect(strstr(a.text.p, "  match: all  # t.yaml:1\n"), "%s", a.text.p);
	cr_expect(strstr(a.text.p, "  level: info  # default\n"), "%s", a.text.p);
	fixture_done(&a);
	fixture_done(&b);
	buf_done(&first);
	buf_done(&second);
}

/* Uncomments "#key: value" and "#  - name", but not "# a sentence". */
static void uncomment(const struct buf *from, struct buf *to)
{
	for (const char *p = from->p; *p; p++) {
		bool is_begin = p == from->p || p[-1] == '\n' || p[-1] == ' ';

		if (*p == '#' && is_begin &&
		    ((p[1] != ' ' && p[1] != '\n') || (p[1] == ' ' && p[2] == ' ')))
			continue;
		buf_putc(to, *p);
	}
}

Test(conf, the_example_loads)
{
	struct fixture f;
	struct buf example, whole;

	setenv("HOOK_SECRET", "x", 1);
	setenv("NODE_NAME", "x", 1);
	buf_init(&example, 1u << 20);
	buf_init(&whole, 1u << 20);
	conf_example(&example);
	fixture_init(&f);
	cr_expect_eq(load(&f, example.p), 0, "%s", codes(&f));
	cr_expect_str_eq(f.conf->daemon.http_listen, "127.0.0.1:9479");
	fixture_done(&f);
	uncomment(&example, &whole);
	fixture_init(&f);
	cr_expect_eq(load(&f, whole.p), 0, "%s\n%s", codes(&f), whole.p);
	cr_expect_eq(f.conf->daemon.sink_cnt, 5);
	fixture_done(&f);
	buf_done(&example);
	buf_done(&whole);
}

/* The examples in the table itself, too, are what their options take. */
Test(conf, examples_of_options_are_valid)
{
	for (unsigned i = 0; conf_option_at(i); i++) {
		const struct conf_option *option = conf_option_at(i);
		struct fixture f;
		char assignment[256];
		int r;

		if (!option->example)
			continue;
		fixture_init(&f);
		/* What stands in quotes in a file has none with -o. */
		snprintf(assignment, sizeof(assignment), "%s=%s", option->key,
			 option->example[0] == '"' ? "x" : option->example);
		r = conf_assign(f.conf, assignment, &f.diags);
		cr_expect_eq(r, 0, "%s: %s", assignment, codes(&f));
		fixture_done(&f);
	}
}

static const char secrets[] =
	"sinks:\n"
	"  - {name: a, type: http, url: \"https://user:hunter2@h/a/hunter2?hunter2\",\n"
	"     proxy: \"http://u:hunter2@p/\", headers: {Authorization: Bearer hunter2},\n"
	"     auth: {hmac_secret: hunter2, hmac_secrt: hunter2}, batch: {max: 99999}}\n"
	"  - {name: b, type: http, url: \"hunter2\"}\n";

Test(conf, secrets_are_nowhere)
{
	static const struct {
		const char *yaml;
		bool is_good;
	} cases[] = {
		{ secrets, false },
		{ "sinks: [{name: a, type: http, auth: {hmac_secret: hunter2}, url: \"x]\n",
		  false },
		{ "sinks: [{name: a, type: http, url: \"https://u:hunter2@h/a/hunter2\",\n"
		  "  proxy: \"http://u:hunter2@p/\", headers: {Authorization: Bearer hunter2},\n"
		  "  auth: {hmac_secret: hunter2}}]\n",
		  true },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture f;
		char shown[65536] = "";
		FILE *out = fmemopen(shown, sizeof(shown) - 1, "w");

		fixture_init(&f);
		cr_expect_eq(load(&f, cases[i].yaml) == 0, cases[i].is_good, "%u", i);
		diags_print(&f.diags, out, false);
		fclose(out);
		cr_expect(!strstr(shown, "hunter2"), "%u: %s", i, shown);
		buf_clear(&f.text);
		diags_format_json(&f.diags, &f.text);
		conf_print(f.conf, &f.text);
		cr_expect(!strstr(f.text.p, "hunter2"), "%u: %s", i, f.text.p);
		fixture_done(&f);
	}
}

Test(conf, a_secret_from_the_environment_is_shown_as_its_variable)
{
	struct fixture f;

	setenv("HAETAE_TEST_SECRET", "hunter2", 1);
	fixture_init(&f);
	cr_assert_eq(load(&f, "sinks: [{name: a, type: http, url: \"http://h/\",\n"
			      "  headers: {X-Token: \"${HAETAE_TEST_SECRET}\"},\n"
			      "  auth: {hmac_secret: \"${HAETAE_TEST_SECRET}\"}}]\n"),
		     0);
	cr_expect_str_eq(f.conf->daemon.sinks[0].http.hmac_secret, "hunter2");
	buf_clear(&f.text);
	conf_print(f.conf, &f.text);
	cr_expect(strstr(f.text.p, "hmac_secret: \"${HAETAE_TEST_SECRET}\""), "%s", f.text.p);
	cr_expect(strstr(f.text.p, "headers: {X-Token: \"${HAETAE_TEST_SECRET}\"}"), "%s",
		  f.text.p);
	cr_expect(!strstr(f.text.p, "hunter2"));
	fixture_done(&f);
}

Test(conf, files)
{
	static const char text[] =
		"sinks: [{name: a, type: http, url: \"http://h/\", auth: {hmac_secret: abc}}]\n";
	char path[] = "/tmp/haetae-conf-XXXXXX";
	int fd = mkstemp(path);
	struct fixture f;

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	fixture_init(&f);
	cr_expect_eq(conf_load(f.conf, path, &f.diags), 0);
	cr_expect_eq(conf_finish(f.conf, &f.diags), 0);
	cr_expect_str_eq(codes(&f), "", "0600 is fine");
	fixture_done(&f);
	cr_assert_eq(fchmod(fd, 0644), 0);
	fixture_init(&f);
	cr_expect_eq(conf_load(f.conf, path, &f.diags), 0);
	cr_expect_eq(conf_finish(f.conf, &f.diags), 0);
	cr_expect_str_eq(codes(&f), "1:69 W0701");
	fixture_done(&f);
	fixture_init(&f);
	cr_expect_eq(conf_load(f.conf, "/tmp/haetae-no-such-file", &f.diags), CONF_E_ABSENT);
	cr_expect_eq(conf_load(f.conf, "/tmp", &f.diags), CONF_E_INVALID);
	cr_expect_eq(conf_load(f.conf, "/dev/zero", &f.diags), CONF_E_INVALID);
	cr_assert_eq(ftruncate(fd, 2 << 20), 0);
	cr_expect_eq(conf_load(f.conf, path, &f.diags), CONF_E_INVALID);
	fixture_done(&f);
	close(fd);
	unlink(path);
}
