/*
 * Held alerts under a clock of our own: complete when metadata come, marked where they do not, in
 * order, within bounds, and the same to the last byte as if nothing had been waited for.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "fields_fixture.h"
#include "haetae/clock.h"
#include "haetae/hold.h"

#define RAISED_MAX 8192
#define JSON_MAX   16384
#define POD_UID	   "11111111-2222-3333-4444-555555555555"

struct raised {
	char rule[32], metadata[16], what[64];
	uint64_t sequence;
};

static struct fields_fixture fixture;
static struct container containers[40];
static struct container_info *info;
static struct ruleset *ruleset;
static struct matcher *matcher;
static struct hold *hold;
static struct hold_config config;
static struct alert_context alert;
static uint64_t now_ns;
static struct raised raised[RAISED_MAX];
static unsigned raised_cnt, complete_cnt;
static char last_json[JSON_MAX], last_uuid[37];

static const struct fixture_program init = {
	.pid = 1, .comm = "systemd", .exe = "/sbin/init", .exepath = "/usr/lib/systemd/systemd"
};
static const struct fixture_program shell = { .pid = 40,
					      .parent_pid = 1,
					      .comm = "sh",
					      .exe = "/bin/sh",
					      .exepath = "/usr/bin/dash",
					      .args = { "-c", "cat" } };
static const struct fixture_program cat = { .pid = 50,
					    .parent_pid = 40,
					    .comm = "cat",
					    .exe = "cat",
					    .exepath = "/usr/bin/cat",
					    .args = { "/etc/shadow" } };

/* In place of the container table: nothing is dropped here, references are only counted. */
struct container *container_ref(const struct container *container)
{
	for (unsigned i = 0; i < ARRAY_LEN(containers); i++)
		containers[i].refs += container == &containers[i];
	return (struct container *)(uintptr_t)container;
}

void container_unref(struct container_table *table, const struct container *container)
{
	(void)table;
	for (unsigned i = 0; i < ARRAY_LEN(containers); i++)
		containers[i].refs -= container == &containers[i];
}

/* ---- set up --------------------------------------------------------------------------------- */

static void note(const struct rule *rule, const struct alert_context *context, void *data)
{
	static const char *const names[] = { "resolved", "partial", "timeout", "overflow" };
	struct raised *one = &raised[raised_cnt++];
	struct alert *made = NULL;
	const char *at;

	(void)data;
	cr_assert(raised_cnt < RAISED_MAX);
	cr_assert_eq(alert_new(rule, context, &made), 0);
	snprintf(one->rule, sizeof(one->rule), "%.*s", STR_ARG(rule->name));
	snprintf(one->metadata, sizeof(one->metadata), "%s", names[context->metadata]);
	at = strstr(made->json.p, "what=");
	snprintf(one->what, sizeof(one->what), "%.*s", at ? (int)strcspn(at, "\"") : 0, at);
	one->sequence = context->fields->event->header->sequence;
	snprintf(last_json, sizeof(last_json), "%.*s", STR_ARG(made->json));
	memcpy(last_uuid, made->uuid, sizeof(last_uuid));
	alert_free(made);
}

static void complete(struct alert_context *context, void *data)
{
	(void)data;
	context->lost_10s = 10 + context->fields->event->header->sequence;
	complete_cnt++;
}

static uint64_t read_clock(void *data)
{
	(void)data;
	return now_ns;
}

/* A rule a line: "name | condition | output". */
static void use_rules(const char *const *lines, bool is_match_all)
{
	_cleanup_(buf_done) struct buf text;
	struct rules_options options;
	struct diags diags;

	buf_init(&text, 1u << 20);
	for (; *lines; lines++) {
		const char *condition = strchr(*lines, '|'), *output = strchr(condition + 1, '|');

		buf_printf(&text, "- rule: %.*s\n  desc: d\n  priority: info\n",
			   (int)(condition - *lines), *lines);
		buf_printf(&text, "  condition: >\n    %.*s\n  output: what=%s\n",
			   (int)(output - condition - 1), condition + 1, output + 1);
	}
	diags_init(&diags);
	rules_options_default(&options);
	options.is_match_all = is_match_all;
	options.compile_output = template_compile;
	if (ruleset_load_text(STR("a.yaml"), buf_str(&text), &options, &diags, &ruleset) != 0) {
		diags_print(&diags, stderr, false);
		cr_assert_fail("the rules");
	}
	diags_done(&diags);
	cr_assert_eq(matcher_new(ruleset, &matcher), 0);
}

static void use_hold(void)
{
	const struct hold_calls calls = { complete, note, read_clock, NULL };

	cr_assert_eq(hold_new(&config, NULL, &calls, &hold), 0);
}

static void learn_as(unsigned number, const char *image, enum metadata_state state)
{
	container_info_unref(containers[number].info);
	containers[number].info = NULL;
	containers[number].state[METADATA_RUNTIME] = state;
	if (!image)
		return;
	info = container_info_new();
	cr_assert(info);
	info->name = STR("web");
	info->image = arena_str(&info->arena, str_from(image));
	container_info_set_image(info, info->image);
	info->privileged = TRI_FALSE;
	containers[number].info = info;
}

static void learn(unsigned number, const char *image)
{
	learn_as(number, image, METADATA_KNOWN);
}

static void setup(void)
{
	setenv("TZ", "UTC", 1);
	fixture_init(&fixture);
	fixture_run(&fixture, &init);
	fixture_run(&fixture, &shell);
	fixture_run(&fixture, &cat);
	for (unsigned i = 0; i < ARRAY_LEN(containers); i++) {
		containers[i] = (struct container){ .type = CONTAINER_CONTAINERD };
		snprintf(containers[i].full_id, sizeof(containers[i].full_id), "%064u", i);
		snprintf(containers[i].id, sizeof(containers[i].id), "%012u", i);
		containers[i].state[METADATA_RUNTIME] = METADATA_WAITING;
	}
	alert = (struct alert_context){
		.fields = &fixture.context,
		.version = "0.1.0",
		.boot_id = "01234567-89ab-cdef-0123-456789abcdef",
		.has_source = { [METADATA_RUNTIME] = true },
	};
	hold_config_default(&config);
	now_ns = 100 * NS_PER_SEC;
	raised_cnt = complete_cnt = 0;
}

static void teardown(void)
{
	hold = hold_free(hold);
	matcher = matcher_free(matcher);
	ruleset = ruleset_free(ruleset);
	for (unsigned i = 0; i < ARRAY_LEN(containers); i++) {
		cr_expect_eq(containers[i].refs, 0, "container %u", i);
		cr_expect_eq(containers[i].held, 0);
		cr_expect_eq(containers[i].held_bytes, 0);
		containers[i].info = container_info_unref(containers[i].info);
	}
	fixture_done(&fixture);
}

TestSuite(hold, .init = setup, .fini = teardown);

/* An open of /etc/shadow, in a container or (NULL) nowhere. */
static void begin_event(uint64_t sequence, const struct container *container)
{
	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	record_put_number(&fixture.record, "fd", 3);
	fixture.record.header->result = 3;
	fixture.record.header->sequence = sequence;
	record_put_text(&fixture.record, "name", "/etc/shadow");
	record_put_path(&fixture.record, "path", "/etc/shadow");
	record_put_number(&fixture.record, "flags", 0);
	fixture_event(&fixture);
	fixture.event.container = container;
}

static void run_event(uint64_t sequence, const struct container *container)
{
	begin_event(sequence, container);
	hold_run(hold, matcher, &alert);
}

/* All numbers add up, now and then. */
static struct hold_stats check_stats(void)
{
	struct hold_stats stats;

	hold_stats(hold, &stats);
	cr_expect_eq(stats.held, stats.released + stats.timed_out + stats.stopped + stats.now);
	cr_expect(stats.now <= config.max_held);
	cr_expect(stats.bytes <= config.max_bytes);
	cr_expect((stats.bytes == 0) == (stats.now == 0));
	return stats;
}

static void expect_raised(unsigned i, const char *rule, const char *metadata, const char *what)
{
	cr_assert(i < raised_cnt, "alert %u (%s) was not raised", i, rule);
	cr_expect_str_eq(raised[i].rule, rule, "alert %u", i);
	cr_expect_str_eq(raised[i].metadata, metadata, "alert %u", i);
	if (what)
		cr_expect_str_eq(raised[i].what, what, "alert %u", i);
}

static const char *const image_rules[] = {
	"image|evt.type = openat and container.image.repository = nginx|%container.image.tag", NULL
};
static const char *const plain_rules[] = { "plain|evt.type = openat|%fd.name", NULL };

/* ---- what waits, and what does not ---------------------------------------------------------- */

Test(hold, what_touches_nothing_pending_is_never_held)
{
	static const char *const rules[] = {
		"other|evt.type = openat and fd.name = /x and container.image = a|%fd.name",
		"plain|evt.type = openat|%fd.name %container.id %user.name", NULL
	};

	use_rules(rules, false);
	use_hold();
	run_event(1, &container_host);
	run_event(2, NULL);
	learn(1, "nginx:1");
	run_event(3, &containers[1]);
	/* No runtime answers, and none is healthy: nothing is on its way. */
	learn_as(2, NULL, METADATA_NONE);
	run_event(4, &containers[2]);
	learn_as(3, NULL, METADATA_NOT_FOUND);
	run_event(5, &containers[3]);
	/* No source is configured: this is all that there is. */
	alert.has_source[METADATA_RUNTIME] = false;
	run_event(6, &containers[3]);
	run_event(7, NULL);
	cr_expect_eq(check_stats().held, 0);
	cr_expect_eq(raised_cnt, 7);
	expect_raised(0, "plain", "resolved", "what=/etc/shadow host root");
	expect_raised(1, "plain", "partial", "what=/etc/shadow <NA> root");
	expect_raised(2, "plain", "resolved", "what=/etc/shadow 000000000001 root");
	expect_raised(3, "plain", "partial", "what=/etc/shadow 000000000002 root");
	expect_raised(4, "plain", "partial", "what=/etc/shadow 000000000003 root");
	expect_raised(5, "plain", "resolved", "what=/etc/shadow 000000000003 root");
	expect_raised(6, "plain", "resolved", "what=/etc/shadow <NA> root");
	cr_expect_eq(hold_deadline_ns(hold), UINT64_MAX);
}

/* A rule that looks at the container, on an event that it cannot match whatever comes. */
Test(hold, a_verdict_that_no_answer_changes_is_not_held)
{
	static const char *const rules[] = {
		"a|evt.type = openat and container.image = x and fd.name = /other|x", NULL
	};

	use_rules(rules, false);
	use_hold();
	run_event(1, &containers[0]);
	cr_expect_eq(check_stats().held, 0);
	cr_expect_eq(raised_cnt, 0);
}

Test(hold, an_answer_in_time_makes_the_alert_complete)
{
	use_rules(image_rules, false);
	use_hold();
	run_event(1, &containers[0]);
	cr_expect_eq(check_stats().now, 1);
	cr_expect_eq(containers[0].held, 1);
	cr_expect_eq(hold_deadline_ns(hold), 102 * NS_PER_SEC);
	now_ns += NS_PER_SEC;
	hold_tick(hold);
	hold_update(hold, NULL); /* of another: still nothing is known */
	cr_expect_eq(raised_cnt, 0);
	learn(0, "nginx:1.25");
	hold_update(hold, &containers[1]);
	cr_expect_eq(raised_cnt, 0, "the answer was not for this container");
	hold_update(hold, &containers[0]);
	expect_raised(0, "image", "resolved", "what=1.25");
	cr_expect(strstr(last_json, "\"metadata\":\"resolved\""), "%s", last_json);
	cr_expect_eq(check_stats().released, 1);
	cr_expect_eq(check_stats().now, 0);
}

Test(hold, an_answer_that_makes_it_false_raises_nothing)
{
	use_rules(image_rules, false);
	use_hold();
	run_event(1, &containers[0]);
	learn(0, "redis:7");
	hold_update(hold, NULL);
	cr_expect_eq(raised_cnt, 0);
	cr_expect_eq(check_stats().released, 1);
}

Test(hold, the_deadline_decides_with_absent_values)
{
	static const char *const rules[] = {
		"equal|evt.type = openat and container.image.repository = nginx|x",
		"differs|evt.type = openat and container.image.repository != nginx|x",
		"exists|evt.type = openat and container.image.repository exists|x",
		"not|evt.type = openat and not container.image.repository = nginx|%container.image",
		NULL
	};

	use_rules(rules, false);
	use_hold();
	run_event(1, &containers[0]);
	now_ns += 2 * NS_PER_SEC - 1;
	hold_tick(hold);
	cr_expect_eq(raised_cnt, 0);
	now_ns++;
	hold_tick(hold);
	cr_expect_eq(raised_cnt, 1);
	expect_raised(0, "not", "timeout", "what=<NA>");
	cr_expect(strstr(last_json, "\"metadata\":\"timeout\""), "%s", last_json);
	cr_expect(strstr(last_json, "\"image\":null"), "%s", last_json);
	cr_expect(strstr(last_json, "\"id\":\"000000000000\""), "%s", last_json);
	now_ns += 8 * NS_PER_SEC;
	learn(0, "nginx:1");
	hold_update(hold, NULL);
	hold_tick(hold);
	cr_expect_eq(raised_cnt, 1, "only once");
	cr_expect_eq(check_stats().timed_out, 1);
}

Test(hold, every_alert_of_a_container_waits_for_its_name)
{
	use_rules(plain_rules, false);
	use_hold();
	run_event(1, &containers[0]);
	cr_expect_eq(raised_cnt, 0);
	cr_expect_eq(check_stats().now, 1);
	learn(0, "nginx:1");
	hold_update(hold, NULL);
	expect_raised(0, "plain", "resolved", "what=/etc/shadow");
	cr_expect(strstr(last_json, "\"image\":\"nginx:1\""), "%s", last_json);
}

/* An outage ends the waiting: what stays unknown is marked. */
Test(hold, a_source_that_fails_ends_the_wait)
{
	use_rules(plain_rules, false);
	use_hold();
	run_event(1, &containers[0]);
	learn_as(0, NULL, METADATA_NONE);
	hold_update(hold, NULL);
	expect_raised(0, "plain", "partial", NULL);
	cr_expect_eq(check_stats().released, 1);
}

Test(hold, a_source_that_says_less_is_told)
{
	use_rules(plain_rules, false);
	use_hold();
	learn(0, "nginx:1");
	containers[0].info->is_partial = true;
	run_event(1, &containers[0]);
	expect_raised(0, "plain", "partial", NULL);
	learn(1, "nginx:1");
	memcpy(containers[1].pod_uid, POD_UID, sizeof(POD_UID));
	run_event(2, &containers[1]);
	expect_raised(1, "plain", "resolved", NULL);
	alert.has_source[METADATA_KUBERNETES] = true;
	run_event(3, &containers[1]);
	expect_raised(2, "plain", "partial", NULL);
	containers[1].state[METADATA_KUBERNETES] = METADATA_NOT_FOUND;
	run_event(4, &containers[1]);
	expect_raised(3, "plain", "partial", NULL);
	containers[1].state[METADATA_KUBERNETES] = METADATA_WAITING;
	run_event(5, &containers[1]);
	cr_expect_eq(raised_cnt, 4, "its pod is on its way");
	hold_flush(hold, NULL);
	expect_raised(4, "plain", "timeout", NULL);
}

/* ---- as if it had not been held ------------------------------------------------------------- */

/* Of the whole line: fields, ancestors, losses, uuid, times, although all has moved on. */
Test(hold, the_alert_is_the_same_as_at_the_event)
{
	static const char *const rules[] = {
		"all|evt.type = openat and proc.aname = sh and container.image contains ngi"
		"|%proc.cmdline %proc.aname[2] %proc.pexepath %user.name %evt.num %evt.time "
		"%fd.name %proc.cwd %evt.args %toupper(proc.pname) %container.name %join(\"-\", "
		"(proc.name, container.image.tag))",
		NULL
	};
	static const struct fixture_program other = { .pid = 40,
						      .parent_pid = 1,
						      .comm = "other",
						      .exe = "/other",
						      .exepath = "/usr/bin/other" };
	static const struct fixture_program later = { .pid = 50,
						      .parent_pid = 40,
						      .comm = "later",
						      .exe = "/later",
						      .exepath = "/usr/bin/later" };
	char want[JSON_MAX], want_uuid[37];

	use_rules(rules, false);
	use_hold();
	learn(0, "nginx:1.25");
	run_event(77, &containers[0]);
	cr_assert_eq(raised_cnt, 1, "this one was not held");
	memcpy(want, last_json, sizeof(want));
	memcpy(want_uuid, last_uuid, sizeof(want_uuid));

	learn_as(0, NULL, METADATA_WAITING);
	run_event(77, &containers[0]);
	cr_assert_eq(raised_cnt, 1);
	/* The record's memory, the process, its parent, the clock, the losses: all are others. */
	fixture_run(&fixture, &other);
	fixture_run(&fixture, &later);
	fixture.event.wall_offset_ns += 5;
	fixture.event.number = 99;
	memset(fixture.record.bytes, 0xff, sizeof(fixture.record.bytes));
	alert.lost_10s = 12345;
	learn(0, "nginx:1.25");
	hold_update(hold, NULL);
	cr_assert_eq(raised_cnt, 2);
	cr_expect_str_eq(last_json, want);
	cr_expect_str_eq(last_uuid, want_uuid);
	cr_expect(strstr(want, "\"name\":\"systemd\"") && strstr(want, "cat-1.25"), "%s", want);
	cr_expect_eq(complete_cnt, 2);
	fixture.event.wall_offset_ns -= 5;
}

/* ---- order ---------------------------------------------------------------------------------- */

Test(hold, in_first_mode_an_undecided_rule_blocks_later_ones)
{
	static const char *const rules[] = {
		"one|evt.type = openat and container.image.repository = nginx|1",
		"two|evt.type = openat and container.image.tag = 9|2", "three|evt.type = openat|3",
		"four|evt.type = openat|4", NULL
	};

	use_rules(rules, false);
	use_hold();
	for (unsigned i = 0; i < 4; i++)
		run_event(i, &containers[i]);
	cr_expect_eq(raised_cnt, 0);
	learn(0, "nginx:9");
	learn(1, "redis:9");
	learn(2, "redis:1");
	hold_update(hold, NULL);
	cr_expect_eq(raised_cnt, 3, "one for each event");
	expect_raised(0, "one", "resolved", NULL);
	expect_raised(1, "two", "resolved", NULL);
	expect_raised(2, "three", "resolved", NULL);
	now_ns += 2 * NS_PER_SEC;
	hold_tick(hold);
	expect_raised(3, "three", "timeout", NULL);
	cr_expect_eq(raised_cnt, 4);
	(void)check_stats();
}

Test(hold, in_all_mode_rules_are_decided_one_by_one)
{
	static const char *const rules[] = {
		"one|evt.type = openat and container.image.repository = nginx|1",
		"two|evt.type = openat and k8s.pod.label[a] = b|2", "three|evt.type = openat|3",
		"four|evt.type = openat and not container.image.repository = nginx|4", NULL
	};

	use_rules(rules, true);
	use_hold();
	run_event(1, &container_host);
	cr_expect_eq(raised_cnt, 2);
	expect_raised(0, "three", "resolved", NULL);
	expect_raised(1, "four", "resolved", NULL);

	memcpy(containers[0].pod_uid, POD_UID, sizeof(POD_UID));
	containers[0].state[METADATA_KUBERNETES] = METADATA_WAITING;
	run_event(2, &containers[0]);
	cr_expect_eq(raised_cnt, 2);
	/* The runtime alone: each alert still says where the pod is, so all wait for that. */
	learn(0, "nginx:1");
	hold_update(hold, NULL);
	cr_expect_eq(raised_cnt, 2);
	cr_expect_eq(check_stats().now, 1);
	containers[0].state[METADATA_KUBERNETES] = METADATA_NOT_FOUND;
	hold_update(hold, NULL);
	cr_expect_eq(raised_cnt, 4);
	expect_raised(2, "one", "resolved", NULL);
	expect_raised(3, "three", "resolved", NULL);
	(void)check_stats();
}

Test(hold, released_alerts_keep_the_order_of_events)
{
	use_rules(plain_rules, false);
	use_hold();
	for (unsigned i = 0; i < 200; i++) {
		now_ns += NS_PER_MS;
		run_event(i, &containers[i % 7]);
	}
	for (unsigned i = 0; i < 7; i += 2)
		learn(i, "nginx:1");
	hold_update(hold, NULL);
	for (unsigned i = 1; i < raised_cnt; i++)
		cr_expect(raised[i].sequence > raised[i - 1].sequence);
	cr_expect_eq(raised_cnt, 29 + 29 + 28 + 28);
	now_ns += 2 * NS_PER_SEC - 200 * NS_PER_MS + NS_PER_MS;
	hold_tick(hold);
	cr_expect_eq(raised_cnt, 29 * 2 + 28 * 2, "the first event had been released");
	now_ns += NS_PER_MS;
	hold_tick(hold);
	cr_expect_eq(raised_cnt, 29 * 2 + 28 * 2 + 1);
	cr_expect_eq(raised[raised_cnt - 1].sequence, 1);
	hold_flush(hold, NULL);
	cr_expect_eq(raised_cnt, 200);
	cr_expect_eq(check_stats().stopped, 200 - 115);
}

/* ---- bounds --------------------------------------------------------------------------------- */

Test(hold, as_many_events_as_allowed)
{
	use_rules(plain_rules, false);
	config.max_held = 10;
	config.max_per_container = 4;
	use_hold();
	for (unsigned i = 0; i < 6; i++)
		run_event(i, &containers[0]);
	cr_expect_eq(raised_cnt, 2);
	expect_raised(0, "plain", "overflow", NULL);
	cr_expect(strstr(last_json, "\"metadata\":\"overflow\""), "%s", last_json);
	cr_expect_eq(check_stats().overflowed[HOLD_OVERFLOW_CONTAINER], 2);
	cr_expect_eq(containers[0].held, 4);
	for (unsigned i = 0; i < 12; i++)
		run_event(10 + i, &containers[1 + i / 4]);
	cr_expect_eq(check_stats().overflowed[HOLD_OVERFLOW_EVENTS], 6);
	cr_expect_eq(check_stats().now, 10);
	cr_expect_eq(raised_cnt, 8);
	hold_flush(hold, NULL);
	cr_expect_eq(raised_cnt, 18, "nothing is lost");
	run_event(99, &containers[0]);
	cr_expect_eq(check_stats().now, 1, "there is room again");
}

Test(hold, as_many_bytes_as_allowed)
{
	struct hold_stats stats;

	use_rules(plain_rules, false);
	config.max_bytes = 256u << 10;
	config.max_held = 4096;
	config.max_per_container = 2048;
	use_hold();
	for (unsigned i = 0; i < 400; i++) {
		run_event(i, &containers[i % 40]);
		(void)check_stats();
	}
	stats = check_stats();
	cr_expect(stats.overflowed[HOLD_OVERFLOW_BYTES] > 0);
	cr_expect_eq(stats.overflowed[HOLD_OVERFLOW_EVENTS], 0);
	cr_expect(stats.now > 10, "%llu", (unsigned long long)stats.now);
	hold_flush(hold, NULL);
	cr_expect_eq(raised_cnt, 400);
}

/* One that floods the hold takes no room of others. */
Test(hold, a_container_has_its_share_of_bytes)
{
	use_rules(plain_rules, false);
	config.max_bytes = 1u << 20;
	config.max_held = 160;
	config.max_per_container = 10;
	use_hold();
	for (unsigned i = 0; i < 20; i++)
		run_event(i, &containers[0]);
	cr_expect(containers[0].held_bytes <= config.max_bytes / 16);
	cr_expect(check_stats().overflowed[HOLD_OVERFLOW_CONTAINER] >= 10);
	cr_expect_eq(check_stats().overflowed[HOLD_OVERFLOW_BYTES], 0);
	run_event(100, &containers[1]);
	cr_expect_eq(containers[1].held, 1);
	hold_flush(hold, NULL);
}

static void use_many_rules(bool is_match_all)
{
	static char lines[HOLD_RULES_MAX + 40][128];
	static const char *table[HOLD_RULES_MAX + 41];

	for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
		bool is_plain = i % 8 == 7;

		snprintf(lines[i], sizeof(lines[i]),
			 "r%u|evt.type = openat and %s container.image.tag = %u and proc.pid != "
			 "%u|%%proc.name",
			 i,
			 is_plain ? "proc.name = cat or"
			 : i % 2  ? "not"
				  : "",
			 i, i + 1000);
		table[i] = lines[i];
	}
	use_rules(table, is_match_all);
}

static unsigned plain_cnt(unsigned from, unsigned to)
{
	unsigned cnt = 0;

	for (unsigned i = from; i < to; i++)
		cnt += i % 2;
	return cnt;
}

/* Every rule is raised once, in order, as the deadline would. */
Test(hold, as_many_rules_as_allowed)
{
	unsigned number, last = 0;

	use_many_rules(true);
	use_hold();
	run_event(1, &containers[0]);
	cr_expect_eq(check_stats().now, 0);
	cr_expect_eq(check_stats().overflowed[HOLD_OVERFLOW_RULES], 1);
	cr_expect_eq(raised_cnt, plain_cnt(0, HOLD_RULES_MAX + 40));
	for (unsigned i = 0; i < raised_cnt; i++) {
		cr_expect_eq(sscanf(raised[i].rule, "r%u", &number), 1);
		cr_expect(i == 0 || number > last, "%s", raised[i].rule);
		cr_expect_eq(number % 2, 1);
		expect_raised(i, raised[i].rule, "overflow", NULL);
		last = number;
	}
}

Test(hold, as_many_rules_as_allowed_in_first_mode)
{
	static char lines[HOLD_RULES_MAX + 40][80];
	static const char *table[HOLD_RULES_MAX + 41];

	for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
		snprintf(lines[i], sizeof(lines[i]),
			 "r%u|evt.type = openat and %s container.image.tag = %u|%u", i,
			 i == HOLD_RULES_MAX + 20 ? "not" : "", i, i);
		table[i] = lines[i];
	}
	use_rules(table, false);
	use_hold();
	run_event(1, &containers[0]);
	cr_expect_eq(raised_cnt, 1);
	expect_raised(0, "r276", "overflow", NULL);
}

/* Many events, containers and answers by chance: everything is decided exactly once. */
Test(hold, nothing_is_lost_or_told_twice)
{
	static bool is_told[2000];
	uint64_t state = 1;
	struct hold_stats stats;

	use_rules(plain_rules, false);
	config.max_held = 100;
	config.max_per_container = 12;
	config.max_bytes = 400u << 10;
	use_hold();
	for (unsigned i = 0; i < ARRAY_LEN(is_told); i++) {
		unsigned number;

		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		number = (unsigned)(state >> 33) % ARRAY_LEN(containers);
		now_ns += (state >> 40) % (20 * NS_PER_MS);
		run_event(i, &containers[number]);
		if (state >> 62 == 0)
			learn(number, "nginx:1");
		if (state >> 62 == 1)
			learn_as(number, NULL, METADATA_WAITING);
		if (state >> 61 == 1)
			hold_update(hold, number % 2 ? &containers[number] : NULL);
		hold_tick(hold);
		stats = check_stats();
		cr_assert(hold_deadline_ns(hold) > now_ns);
	}
	hold_flush(hold, NULL);
	stats = check_stats();
	cr_expect_eq(raised_cnt, ARRAY_LEN(is_told));
	for (unsigned i = 0; i < raised_cnt; i++) {
		cr_expect_not(is_told[raised[i].sequence]);
		is_told[raised[i].sequence] = true;
	}
	cr_expect(stats.released && stats.timed_out && stats.stopped &&
		  stats.overflowed[HOLD_OVERFLOW_EVENTS] +
			  stats.overflowed[HOLD_OVERFLOW_CONTAINER] +
			  stats.overflowed[HOLD_OVERFLOW_BYTES]);
}
