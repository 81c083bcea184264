/*
 * The event `loss`: told when it begins and when it ends, once each, with sums that are exact; and
 * a record that the decoder takes.
 */
#include <criterion/criterion.h>

#include "haetae/clock.h"
#include "haetae/field.h"
#include "loss_event.h"

static struct loss_totals totals(uint64_t seconds, uint64_t generated, uint64_t lost)
{
	struct loss_totals result = {
		.time_ns = seconds * NS_PER_SEC,
		.generated = generated,
		.lost = lost,
	};

	result.classes[CLASS_FILE] = lost;
	result.reasons[WIRE_LOST_RING_FULL] = lost;
	return result;
}

Test(loss, begins_once_and_ends_once)
{
	/* Each second of a run: what was lost by then, and what must be told. */
	static const struct {
		uint64_t lost;
		enum loss_change change;
	} seconds[] = {
		{ 0, LOSS_SAME },
		{ 0, LOSS_SAME },
		{ 7, LOSS_BEGIN },
		{ 7, LOSS_SAME },
		{ 9, LOSS_SAME },
		{ 9, LOSS_SAME },
		{ 9, LOSS_SAME },
		{ 9, LOSS_SAME },
		{ 9, LOSS_SAME },
		{ 9, LOSS_END },
		{ 9, LOSS_SAME },
		/* Too soon for the next: it is told later, and nothing is forgotten. */
		{ 20, LOSS_SAME },
		{ 20, LOSS_SAME },
		{ 20, LOSS_SAME },
		{ 20, LOSS_BEGIN },
	};
	static struct loss_watch watch;
	struct loss_report report;

	for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
		struct loss_totals now = totals(100 + i, 1000 * i, seconds[i].lost);
		enum loss_change change = loss_watch_step(&watch, &now, false);

		cr_expect(change == seconds[i].change, "second %zu: %d", i, change);
		if (change == LOSS_SAME)
			continue;
		loss_watch_report(&watch, change, NULL, 0, &report);
		if (i == 2)
			cr_expect(report.since.lost == 7 && report.since.generated == 1000 &&
				  report.since.time_ns == NS_PER_SEC);
		if (i == 9)
			cr_expect(report.since.lost == 9 && report.since.generated == 3000 &&
				  report.since.time_ns == 3 * NS_PER_SEC);
		if (i == 14)
			cr_expect(report.since.lost == 11 && report.cgroups_rest == 11);
	}
}

/* What was lost up to the end is in the end's numbers. */
Test(loss, the_last_step_takes_what_has_grown)
{
	static struct loss_watch watch;
	struct loss_totals now = totals(8, 10, 3);
	struct loss_report report;

	loss_watch_init(&watch, 6 * NS_PER_SEC);
	cr_expect(loss_watch_step(&watch, &now, false) == LOSS_BEGIN);
	loss_watch_report(&watch, LOSS_BEGIN, NULL, 0, &report);
	cr_expect(report.since.time_ns == 2 * NS_PER_SEC);
	now = totals(9, 20, 5);
	cr_expect(loss_watch_step(&watch, &now, true) == LOSS_END);
	loss_watch_report(&watch, LOSS_END, NULL, 0, &report);
	cr_expect(report.since.lost == 5 && report.since.generated == 20);
}

Test(loss, the_last_step_tells_both)
{
	static struct loss_watch watch;
	struct loss_totals now = totals(1, 10, 3);
	struct loss_report report;

	cr_expect(loss_watch_step(&watch, &now, true) == LOSS_BEGIN);
	cr_expect(loss_watch_step(&watch, &now, true) == LOSS_END);
	loss_watch_report(&watch, LOSS_END, NULL, 0, &report);
	cr_expect(report.since.lost == 3);
	cr_expect(loss_watch_step(&watch, &now, true) == LOSS_SAME);
}

Test(loss, cgroups_are_differences_that_sum)
{
	static struct loss_watch watch;
	struct probes_cgroup_loss cgroups[20];
	struct loss_report report;
	struct loss_totals now = totals(1, 5000, 1000);
	uint64_t sum;

	for (uint32_t i = 0; i < ARRAY_LEN(cgroups); i++)
		cgroups[i] = (struct probes_cgroup_loss){ 100 + i, i, WIRE_HIERARCHY_MEMORY };
	cr_assert(loss_watch_step(&watch, &now, true) == LOSS_BEGIN);
	cr_assert(loss_watch_step(&watch, &now, true) == LOSS_END);
	loss_watch_report(&watch, LOSS_END, cgroups, ARRAY_LEN(cgroups), &report);
	/* Another group of the same number, and ten more in the one that was third. */
	cgroups[0] = (struct probes_cgroup_loss){ 105, 4, WIRE_HIERARCHY_PIDS };
	cgroups[17].lost += 10;
	now = totals(20, 6000, 1030);
	cr_assert(loss_watch_step(&watch, &now, false) == LOSS_BEGIN);
	loss_watch_report(&watch, LOSS_BEGIN, cgroups, ARRAY_LEN(cgroups), &report);
	cr_assert(report.cgroup_cnt == 2, "%u", report.cgroup_cnt);
	cr_expect(report.cgroups[0].cgroup_id == 117 && report.cgroups[0].lost == 10);
	cr_expect(report.cgroups[1].cgroup_id == 105 && report.cgroups[1].lost == 4 &&
		  report.cgroups[1].hierarchy == WIRE_HIERARCHY_PIDS);
	sum = report.cgroups_rest;
	for (uint32_t i = 0; i < report.cgroup_cnt; i++)
		sum += report.cgroups[i].lost;
	cr_expect(sum == 30 && report.since.lost == 30, "%llu", (unsigned long long)sum);
}

static void check_text(const struct event *event, unsigned param, const char *want)
{
	struct str text = event_string(event, param);

	cr_expect(str_eq_text(text, want), "%s: '%.*s'", event->schema->params[param].name,
		  STR_ARG(text));
}

Test(loss, is_an_event)
{
	static struct own_record record;
	static struct event event;
	struct loss_report report = {
		.change = LOSS_END,
		.since = totals(3, 5000, 30),
		.cgroups = { { 117, 20, WIRE_HIERARCHY_V2 }, { 5, 4, WIRE_HIERARCHY_PIDS } },
		.cgroup_cnt = 2,
		.cgroups_rest = 6,
	};
	uint64_t number;

	report.since.reasons[WIRE_LOST_SCRATCH] = 2;
	loss_record_make(&record, &report, 3, NULL);
	cr_assert(event_decode(&event, record.bytes, record.length) == 0);
	cr_expect(event.schema->type == EVENT_LOSS && event.schema->flags & EVENT_OWN);
	cr_expect(event.header->sequence == 3 && event.header->ring == WIRE_RING_OWN);
	check_text(&event, PARAM_LOSS_state, "end");
	check_text(&event, PARAM_LOSS_reasons, "ring full=30, no scratch memory=2");
	check_text(&event, PARAM_LOSS_cgroups, "117=20, 5=4");
	cr_expect(!event.params[PARAM_LOSS_cgroup].p, "nobody knows its path");
	cr_expect(event_number(&event, PARAM_LOSS_lost, &number) && number == 30);
	cr_expect(event_number(&event, PARAM_LOSS_lost_file, &number) && number == 30);
	cr_expect(event_number(&event, PARAM_LOSS_lost_process, &number) && number == 0);
	cr_expect(event_number(&event, PARAM_LOSS_cgroup_id, &number) && number == 117);
	cr_expect(event_number(&event, PARAM_LOSS_cgroups_rest, &number) && number == 6);
	cr_expect(event_number(&event, PARAM_LOSS_duration, &number) && number == 3 * NS_PER_SEC);
}

static enum field_state state_of(const struct field_context *context, const char *name)
{
	const struct field_argument none = { 0 };
	const struct field *field = field_find(str_from(name));
	struct value_set set;

	cr_assert(field, "%s", name);
	field_read(field, context, &none, &set);
	cr_expect(set.state == FIELD_ABSENT || field_has_event(field, context->event->schema),
		  "%s has a value where it can have none", name);
	return set.state;
}

/* The zeros of its header are nobody's: uid 0 would be root. */
Test(loss, is_of_no_task)
{
	static const char *const absent[] = { "proc.name",    "proc.pid",     "proc.ppid",
					      "proc.pname",   "thread.tid",   "user.uid",
					      "user.name",    "group.gid",    "user.loginuid",
					      "container.id", "k8s.pod.name", "fd.name",
					      "fd.num",	      "evt.res",      "evt.cpu",
					      "evt.failed" };
	static const char *const there[] = { "evt.type", "evt.num", "evt.time", "evt.args" };
	static struct own_record record;
	static struct event event;
	const struct loss_report report = { .change = LOSS_BEGIN, .since = totals(1, 2, 1) };
	struct field_context context = { .event = &event, .source = "syscall" };
	struct arena scratch;

	arena_init(&scratch, 1u << 20);
	event.scratch = &scratch;
	loss_record_make(&record, &report, 1, NULL);
	cr_assert(event_decode(&event, record.bytes, record.length) == 0);
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		cr_expect(state_of(&context, absent[i]) == FIELD_ABSENT, "%s", absent[i]);
	for (size_t i = 0; i < ARRAY_LEN(there); i++)
		cr_expect(state_of(&context, there[i]) == FIELD_VALUE, "%s", there[i]);
	arena_done(&scratch);
}
