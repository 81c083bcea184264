/*
 * What the hold allocates: nothing where nothing is pending, or where nothing pending matters; and
 * each allocation of an event that is held fails once: it is then decided at once, nothing is lost
 * and nothing is left behind. Prints TAP.
 */
#include <stdio.h>

#include "counting_malloc.h"
#include "haetae/hold.h"
#include "record_builder.h"

static const char rules[] =
	"- rule: Image\n  desc: d\n  priority: info\n  output: '%container.name %proc.cmdline'\n"
	"  condition: fd.name = /etc/shadow and not container.image = x\n"
	"- rule: Other\n  desc: d\n  priority: info\n  output: o\n"
	"  condition: container.image = x and fd.name = /nowhere\n";

static struct container container = { .type = CONTAINER_CONTAINERD, .id = "a", .full_id = "a" };
static struct record_builder record;
static struct event event;
static struct arena scratch;
static struct field_context fields = { .event = &event, .source = "syscall" };
static struct alert_context alert = { .fields = &fields, .version = "0", .boot_id = "b" };
static unsigned raised_cnt;
static enum alert_metadata last;
static unsigned test_cnt, failed_cnt;

/* In place of the container table. */
struct container *container_ref(const struct container *one)
{
	container.refs++;
	return (struct container *)(uintptr_t)one;
}

void container_unref(struct container_table *table, const struct container *one)
{
	(void)table;
	(void)one;
	container.refs--;
}

static void note(const struct rule *rule, const struct alert_context *context, void *data)
{
	(void)rule;
	(void)data;
	raised_cnt++;
	last = context->metadata;
}

static uint64_t read_clock(void *data)
{
	(void)data;
	return 1;
}

static void check(bool is_good, const char *what)
{
	failed_cnt += !is_good;
	printf("%sok %u - %s\n", is_good ? "" : "not ", ++test_cnt, what);
}

static void decode(const char *path, enum metadata_state state)
{
	arena_reset(&scratch);
	record_begin(&record, EVENT_OPENAT);
	record_put_number(&record, "fd", 3);
	record_put_text(&record, "name", path);
	record_put_path(&record, "path", path);
	event.scratch = &scratch;
	hae_assert(record_decode(&record, &event) == 0);
	event.container = &container;
	container.state[METADATA_RUNTIME] = state;
}

static unsigned long count_of(struct hold *hold, struct matcher *matcher)
{
	counting_malloc.allocation_cnt = 0;
	hold_run(hold, matcher, &alert);
	return counting_malloc.allocation_cnt;
}

/* Whether each failure left the event decided or held, and nothing else. */
static unsigned long fail_each(struct hold *hold, struct matcher *matcher)
{
	struct hold_stats stats;

	for (unsigned long n = 1; n < 1000; n++) {
		long before;

		decode("/etc/shadow", METADATA_WAITING);
		(void)arena_alloc(&scratch, 1);
		before = counting_malloc.live_cnt;
		raised_cnt = 0;
		counting_malloc.allocation_cnt = 0;
		counting_malloc.fail_at = n;
		hold_run(hold, matcher, &alert);
		counting_malloc.fail_at = 0;
		hold_stats(hold, &stats);
		if (counting_malloc.allocation_cnt < n)
			return stats.now == 1 && raised_cnt == 0 ? n - 1 : 0;
		if (stats.now != 0 || raised_cnt != 1 || last != ALERT_METADATA_OVERFLOW ||
		    counting_malloc.live_cnt != before || container.refs != 0) {
			printf("# allocation %lu: %u alerts, %ld left behind\n", n, raised_cnt,
			       counting_malloc.live_cnt - before);
			return 0;
		}
	}
	return 0;
}

int main(void)
{
	const struct hold_calls calls = { .raise = note, .now_ns = read_clock };
	struct rules_options options;
	struct ruleset *ruleset = NULL;
	struct matcher *matcher = NULL;
	struct hold_config config;
	struct hold *hold = NULL;
	struct hold_stats stats;
	struct diags diags;
	unsigned long needed;

	setvbuf(stdout, NULL, _IOLBF, 1024);
	diags_init(&diags);
	arena_init(&scratch, 4u << 20);
	rules_options_default(&options);
	options.compile_output = template_compile;
	hold_config_default(&config);
	if (ruleset_load_text(STR("a.yaml"), str_from(rules), &options, &diags, &ruleset) != 0 ||
	    matcher_new(ruleset, &matcher) < 0 || hold_new(&config, NULL, &calls, &hold) < 0)
		return 1;
	decode("/etc/shadow", METADATA_NOT_FOUND);
	hold_run(hold, matcher, &alert);
	check(raised_cnt == 1, "an event that waits for nothing is decided");
	decode("/etc/shadow", METADATA_NOT_FOUND);
	check(count_of(hold, matcher) == 0, "it allocates nothing");
	decode("/etc/hosts", METADATA_WAITING);
	check(count_of(hold, matcher) == 0, "nor does one that pending values cannot make true");
	needed = fail_each(hold, matcher);
	printf("# %lu allocations\n", needed);
	check(needed >= 2, "where one cannot be kept it is decided at once");
	hold_stats(hold, &stats);
	check(stats.overflowed[HOLD_OVERFLOW_CONTAINER] == needed, "and is counted");
	hold_flush(hold, NULL);
	check(raised_cnt == 1 && last == ALERT_METADATA_TIMEOUT && container.refs == 0,
	      "the one that was kept is decided at the end");
	printf("1..%u\n", test_cnt);
	hold_free(hold);
	matcher_free(matcher);
	ruleset_free(ruleset);
	arena_done(&scratch);
	diags_done(&diags);
	return failed_cnt != 0;
}
