/*
 * Throttle and dedupe with a clock of the test's own: who passes, that hits = alerts + suppressed,
 * that every suppressed one is told of, and that keys are bounded.
 */
#include <criterion/criterion.h>
#include <json.h>
#include <stdio.h>

#include "alert_private.h"
#include "fields_fixture.h"
#include "haetae/clock.h"
#include "haetae/container.h"

#define MS NS_PER_MS
#define S  NS_PER_SEC

static struct fields_fixture fixture;
static const struct fixture_program cat = {
	.pid = 50,
	.comm = "cat",
	.exe = "cat",
	.exepath = "/usr/bin/cat",
};
static const struct str tags[] = { { "one", 3 } };
static struct rule rules[2];
static struct alert_context context;
static struct gate *gate;
static struct proc_image image;
static struct container container;
static uint64_t start_ns;

/* What was raised at the end of a window. */
static struct {
	unsigned cnt;
	uint64_t suppressed;
	char json[65536], text[16384], uuid[37];
} closed;

static void on_close(const struct rule *rule, struct alert *alert, void *data)
{
	struct json_object *json, *own, *summary, *value;

	cr_assert(alert && data == &closed);
	cr_expect(str_eq(alert->rule, rule->name));
	snprintf(closed.json, sizeof(closed.json), "%.*s", STR_ARG(alert->json));
	snprintf(closed.text, sizeof(closed.text), "%.*s", STR_ARG(alert->text));
	snprintf(closed.uuid, sizeof(closed.uuid), "%s", alert->uuid);
	json = json_tokener_parse(closed.json);
	cr_assert(json, "%s", closed.json);
	cr_assert(json_object_object_get_ex(json, "haetae", &own));
	cr_assert(json_object_object_get_ex(own, "summary", &summary));
	cr_assert(json_object_object_get_ex(summary, "suppressed", &value));
	closed.suppressed += (uint64_t)json_object_get_int64(value);
	closed.cnt++;
	json_object_put(json);
	alert_free(alert);
}

static void open_file(const char *path)
{
	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	record_put_number(&fixture.record, "fd", 3);
	fixture.record.header->result = 3;
	record_put_text(&fixture.record, "name", path);
	record_put_path(&fixture.record, "path", path);
	record_put_number(&fixture.record, "flags", 0);
	fixture_event(&fixture);
}

static void setup(void)
{
	struct diags diags;

	setenv("TZ", "UTC", 1);
	fixture_init(&fixture);
	fixture_run(&fixture, &cat);
	open_file("/etc/shadow");
	start_ns = fixture.record.header->time_ns;
	diags_init(&diags);
	for (unsigned i = 0; i < 2; i++) {
		rules[i] = (struct rule){ .name = i ? STR("Two") : STR("One"),
					  .priority = i ? PRIORITY_CRITICAL : PRIORITY_NOTICE,
					  .tags = tags,
					  .tag_cnt = 1,
					  .index = i };
		rules[i].template = template_compile(&fixture.compiled, STR("read %fd.name"),
						     &SPAN_NONE, &diags);
		cr_assert(rules[i].template);
	}
	diags_done(&diags);
	context = (struct alert_context){ .fields = &fixture.context,
					  .version = "0.1.0",
					  .boot_id = "b" };
	snprintf(container.full_id, sizeof(container.full_id), "c0ffee");
	memset(&closed, 0, sizeof(closed));
}

static void teardown(void)
{
	gate = gate_free(gate);
	fixture_done(&fixture);
}

TestSuite(gate, .init = setup, .fini = teardown);

static void begin(struct gate_config config)
{
	if (!config.max_keys)
		config.max_keys = 1000;
	if (!config.max_keys_per_container)
		config.max_keys_per_container = 100;
	if (!config.by[GATE_RULE])
		config.by[GATE_RULE] = config.by[GATE_CONTAINER] = config.by[GATE_EXEPATH] = true;
	cr_assert_eq(gate_new(&config, on_close, &closed, &gate), 0);
}

static bool hit_of(const struct rule *rule, uint64_t at_ns, const char *exepath,
		   const struct container *where)
{
	fixture.record.header->time_ns = start_ns + at_ns;
	image.exepath = str_from(exepath);
	fixture.event.image = &image;
	fixture.event.container = where;
	return gate_check(gate, rule, &context);
}

static bool hit(uint64_t at_ns)
{
	return hit_of(&rules[0], at_ns, "/bin/x", &container_host);
}

static void tick(uint64_t at_ns)
{
	gate_tick(gate, &context, start_ns + at_ns);
}

/* At the end everything that was suppressed has been told of. */
static void check_accounts(void)
{
	struct gate_stats stats;

	gate_flush(gate, &context);
	gate_stats(gate, &stats);
	cr_expect_eq(stats.hits, stats.passed + stats.throttled + stats.deduplicated);
	cr_expect_eq(stats.summarised, stats.throttled + stats.deduplicated);
	cr_expect_eq(stats.summarised, closed.suppressed);
	cr_expect_eq(stats.summaries, closed.cnt);
}

Test(gate, off_by_default)
{
	struct gate_config config;

	gate_config_default(&config);
	cr_assert_eq(gate_new(&config, on_close, NULL, &gate), 0);
	cr_expect_null(gate);
	for (unsigned i = 0; i < 1000; i++)
		cr_expect(hit(0));
	gate_tick(gate, &context, 0);
	gate_flush(gate, &context);
}

Test(gate, dedupe)
{
	struct gate_stats stats;

	begin((struct gate_config){ .window_ns = 10 * S });
	cr_expect(hit(0));
	cr_expect(!hit(1 * S));
	cr_expect(!hit(10 * S - 1));
	cr_expect(hit_of(&rules[1], 2 * S, "/bin/x", &container_host), "another rule");
	cr_expect(hit_of(&rules[0], 2 * S, "/bin/y", &container_host), "another program");
	cr_expect(hit_of(&rules[0], 2 * S, "/bin/x", &container), "another container");
	tick(9 * S);
	cr_expect_eq(closed.cnt, 0);
	tick(10 * S);
	cr_expect_eq(closed.cnt, 1);
	cr_expect_eq(closed.suppressed, 2);
	cr_expect(hit(10 * S), "the window is over");
	check_accounts();
	cr_expect_eq(closed.cnt, 1, "nothing else was suppressed");
	tick(60 * S);
	gate_stats(gate, &stats);
	cr_expect_eq(stats.keys, 0, "keys without a window go");
}

Test(gate, a_window_that_ends_between_ticks_is_told_of)
{
	begin((struct gate_config){ .window_ns = S });
	cr_expect(hit(0));
	cr_expect(!hit(S / 2));
	cr_expect(hit(S + 1));
	tick(S + 2);
	cr_expect_eq(closed.suppressed, 1);
	check_accounts();
}

Test(gate, throttle)
{
	unsigned passed = 0;

	begin((struct gate_config){ .rate_ns = S, .burst = 5 });
	for (unsigned i = 0; i < 100; i++)
		passed += hit(i * MS);
	cr_expect_eq(passed, 5, "the burst: %u", passed);
	for (unsigned i = 0; i < 1000; i++)
		passed += hit(100 * MS + i * 10 * MS);
	cr_expect_eq(passed, 15, "one a second in the ten seconds after: %u", passed);
	tick(11 * S);
	cr_expect_eq(closed.cnt, 0, "still throttled");
	tick(17 * S);
	cr_expect_eq(closed.cnt, 1, "quiet: the bucket is full");
	cr_expect_eq(closed.suppressed, 1085);
	check_accounts();
}

Test(gate, a_flood_without_end_is_told_of_each_minute)
{
	begin((struct gate_config){ .rate_ns = S });
	for (unsigned second = 0; second < 200; second++) {
		for (unsigned i = 0; i < 3; i++)
			(void)hit(second * S + i * MS);
		tick(second * S + 500 * MS);
	}
	cr_expect_eq(closed.cnt, 3);
	check_accounts();
}

/* A tick ends so many keys at most. Those that only wait for their bucket to fill are none of them:
 * whoever makes many must not keep others from being closed. */
Test(gate, keys_that_wait_hold_nobody_up)
{
	struct container other = { 0 };

	snprintf(other.full_id, sizeof(other.full_id), "other");
	begin((struct gate_config){ .rate_ns = 3600 * S,
				    .burst = 10,
				    .max_keys = 5000,
				    .max_keys_per_container = 2000 });
	for (unsigned i = 0; i < 2000; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/tmp/x%u", i);
		cr_assert(hit_of(&rules[0], 1, path, &container));
	}
	for (unsigned i = 0; i < 200; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/bin/y%u", i);
		for (unsigned k = 0; k < 11; k++)
			cr_assert_eq(hit_of(&rules[0], 2, path, &other), k < 10);
	}
	tick(62 * S);
	cr_expect_eq(closed.cnt, 200, "%u", closed.cnt);
	check_accounts();
}

Test(gate, out_of_order_and_equal_times)
{
	begin((struct gate_config){ .rate_ns = S, .burst = 2, .window_ns = 0 });
	cr_expect(hit(10 * S));
	cr_expect(hit(9 * S));
	cr_expect(!hit(9 * S + 1));
	cr_expect(!hit(10 * S));
	cr_expect(hit(11 * S));
	check_accounts();
}

Test(gate, what_a_closing_alert_says)
{
	static const char *const paths[] = { "/a", "/b", "/a", "/c\n\x1b[31m", "/d", "/e", "/f" };
	char first[37];

	begin((struct gate_config){ .window_ns = 10 * S });
	open_file("/first");
	cr_expect(hit(0));
	for (unsigned i = 0; i < ARRAY_LEN(paths); i++) {
		open_file(paths[i]);
		cr_expect(!hit((1 + i) * S));
	}
	tick(20 * S);
	cr_expect_eq(closed.suppressed, 7);
	cr_expect(strstr(closed.json, "\"rule\":\"One\""));
	cr_expect(strstr(closed.json, "\"priority\":\"Notice\""));
	cr_expect(strstr(closed.json, "\"tags\":[\"one\"]"));
	cr_expect(strstr(closed.json, "\"proc.exepath\":\"/bin/x\""));
	cr_expect(strstr(closed.json, "\"deduplicated\":7"));
	cr_expect(strstr(closed.json, "[\"read /a\",\"read /b\",\"read /c"), "%s", closed.json);
	cr_expect(strstr(closed.json, "\"read /d\",\"read /e\"]"), "five samples: %s", closed.json);
	cr_expect(!strchr(closed.text, '\n') && !strchr(closed.text, '\x1b'), "%s", closed.text);
	cr_expect(strstr(closed.text, ": Notice 7 more alerts of this rule suppressed"), "%s",
		  closed.text);
	/* The same hits give the same uuid; the alert of the hit itself has another. */
	snprintf(first, sizeof(first), "%s", closed.uuid);
	gate = gate_free(gate);
	begin((struct gate_config){ .window_ns = 10 * S });
	open_file("/first");
	cr_expect(hit(0));
	open_file("/a");
	cr_expect(!hit(S));
	tick(20 * S);
	cr_expect_str_eq(closed.uuid, first);
	alert_uuid(&rules[0], &context, first);
	cr_expect_str_neq(closed.uuid, first);
}

Test(gate, keys_of_a_container_are_bounded)
{
	struct gate_stats stats;
	char path[32];
	unsigned passed = 0;

	begin((struct gate_config){ .rate_ns = S, .max_keys_per_container = 10 });
	for (unsigned i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "/bin/%u", i);
		passed += hit_of(&rules[0], 0, path, &container);
	}
	/* Ten keys of their own, and one for all the rest. */
	cr_expect_eq(passed, 11, "%u", passed);
	cr_expect(hit(0), "the host has room");
	gate_stats(gate, &stats);
	cr_expect_eq(stats.keys, 12);
	check_accounts();
	tick(100 * S);
	gate_stats(gate, &stats);
	cr_expect_eq(stats.keys, 0);
}

Test(gate, beyond_all_keys_alerts_are_raised)
{
	struct gate_stats stats;
	char path[32];
	unsigned passed = 0;

	begin((struct gate_config){ .window_ns = S, .max_keys = 16 });
	for (unsigned i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "/bin/%u", i);
		passed += hit_of(&rules[0], 0, path, &container_host);
	}
	cr_expect_eq(passed, 100);
	gate_stats(gate, &stats);
	cr_expect_eq(stats.keys, 16);
	cr_expect_eq(stats.no_room, 84);
	check_accounts();
}

Test(gate, long_paths_differ_behind_what_is_kept)
{
	char path[4000];

	begin((struct gate_config){ .window_ns = S });
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	cr_expect(hit_of(&rules[0], 0, path, &container_host));
	cr_expect(!hit_of(&rules[0], 1, path, &container_host));
	path[sizeof(path) - 2] = 'b';
	cr_expect(hit_of(&rules[0], 2, path, &container_host));
	check_accounts();
	tick(10 * S);
}

Test(gate, keys_of_choice)
{
	begin((struct gate_config){ .window_ns = S, .by = { [GATE_RULE] = true } });
	cr_expect(hit_of(&rules[0], 0, "/bin/x", &container_host));
	cr_expect(!hit_of(&rules[0], 0, "/bin/y", &container));
	cr_expect(hit_of(&rules[1], 0, "/bin/y", &container));
	tick(2 * S);
	cr_expect(!strstr(closed.json, "proc.exepath") && !strstr(closed.json, "container.id"));
	check_accounts();
}

Test(gate, events_without_program_or_container)
{
	begin((struct gate_config){ .window_ns = S });
	fixture.event.image = NULL;
	fixture.event.container = NULL;
	fixture.record.header->time_ns = start_ns;
	cr_expect(gate_check(gate, &rules[0], &context));
	cr_expect(!gate_check(gate, &rules[0], &context));
	check_accounts();
}
