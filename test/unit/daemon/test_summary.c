/* The final accounts: they add up only where each sum does, and say so where one does not. */
#include <criterion/criterion.h>

#include "loss.h"
#include "summary.h"

/* One consistent run: 10 opens generated, 2 filtered, 3 lost, 5 delivered; one alert. */
static void make(struct summary *summary, struct probes_counters *kernel, struct engine *engine)
{
	struct wire_counters *open = &kernel->types[EVENT_OPENAT];

	*kernel = (struct probes_counters){ 0 };
	*engine = (struct engine){ 0 };
	open->generated = 10;
	open->filtered[WIRE_FILTER_RESTARTED] = 2;
	open->lost[WIRE_LOST_RING_FULL] = 3;
	open->submitted = 5;
	engine->counters.delivered[EVENT_OPENAT] = 4;
	engine->counters.undecodable = 1;
	engine->counters.alerts[PRIORITY_WARNING] = 2;
	*summary = (struct summary){ .kernel = kernel, .engine = engine };
	summary->outputs.sink_cnt = 1;
	summary->outputs.accepted = 1;
	summary->outputs.delivered = 1;
	summary->outputs.refused[PRIORITY_WARNING] = 1;
}

Test(summary, adds_up_only_where_each_sum_does)
{
	static struct probes_counters kernel;
	static struct engine engine;
	struct summary summary;

	make(&summary, &kernel, &engine);
	cr_expect(summary_adds_up(&summary));

	make(&summary, &kernel, &engine);
	kernel.types[EVENT_OPENAT].generated++;
	cr_expect_not(summary_adds_up(&summary), "an event went nowhere");

	make(&summary, &kernel, &engine);
	kernel.types[EVENT_CREAT].lost[WIRE_LOST_SCRATCH]++;
	cr_expect_not(summary_adds_up(&summary), "another type's account is its own");

	make(&summary, &kernel, &engine);
	engine.counters.delivered[EVENT_OPENAT]--;
	cr_expect_not(summary_adds_up(&summary), "a record was not seen");

	make(&summary, &kernel, &engine);
	engine.counters.alerts[PRIORITY_WARNING]++;
	cr_expect_not(summary_adds_up(&summary), "an alert went nowhere");

	make(&summary, &kernel, &engine);
	summary.outputs.delivered--;
	cr_expect_not(summary_adds_up(&summary), "the sink forgot an alert");
}

Test(loss, window_is_ten_ticks)
{
	static struct loss_window window;
	static struct probes_counters counters;

	counters.types[EVENT_OPENAT].lost[WIRE_LOST_RING_FULL] = 7;
	counters.malformed = 1;
	cr_expect_eq(loss_total(&counters), 8);
	window.samples[0].total = 5;
	window.newest = 0;
	cr_expect_eq(loss_window_total(&window), 5, "all of it is newer than the window");
	for (unsigned i = 0; i < ARRAY_LEN(window.samples); i++)
		window.samples[i].total = 5;
	cr_expect_eq(loss_window_total(&window), 0, "all of it is older");
	window.samples[0].cgroups[0] = (struct probes_cgroup_loss){ 42, 9, WIRE_HIERARCHY_PIDS };
	window.samples[0].cgroup_cnt = 1;
	cr_expect_eq(loss_window_cgroup(&window, 42, WIRE_HIERARCHY_PIDS), 9);
	cr_expect_eq(loss_window_cgroup(&window, 43, WIRE_HIERARCHY_PIDS), 0);
	cr_expect_eq(loss_window_cgroup(&window, 42, WIRE_HIERARCHY_V2), 0,
		     "the same number in another hierarchy is another cgroup");
}
