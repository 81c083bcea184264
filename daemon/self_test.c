/*
 * The test of itself. Each time the path has another number, so that only this test's event counts.
 * What fails is told once for each stage, and again when all is well. Owns nothing: its state is
 * the daemon's. Engine thread.
 */
#include "self_test.h"

#include <sys/random.h>

#include "daemon_private.h"
#include "haetae/clock.h"
#include "haetae/log.h"
#include "own_record.h"

#define FOLDER "/haetae-self-test/"
/* A failed one is repeated that soon. */
#define AGAIN_NS (10 * NS_PER_SEC)

/* Only what fails: the kernel filter ends what rules want of the call otherwise. */
static const struct rules_own rule = {
	.name = STR(SELF_TEST_RULE),
	.condition = STR("evt.type = fanotify_mark and evt.failed = true and "
			 "evt.arg.name startswith " FOLDER),
	.output_name = STR("output"),
	.output = STR("haetae has seen its own test (path=%evt.arg.name)"),
	.is_self_test = true,
};

static const char *const stage_names[] = {
	[SELF_TEST_PROBES] = "probes",
	[SELF_TEST_RULES] = "rules",
	[SELF_TEST_SINKS] = "sinks",
	[SELF_TEST_PASSED] = "none",
};

/* Where hits do not become alerts there is nothing to test. */
bool self_test_is_on(const struct daemon_config *config)
{
	return config->self_test.period_ns && !config->record.is_alone && !config->own &&
	       !config->on_hit;
}

struct rules_options daemon_rules_options(const struct daemon_config *config)
{
	struct rules_options options = config->rules;

	if (self_test_is_on(config))
		options.self_test = &rule;
	return options;
}

const char *self_test_result(const struct self_test_state *state)
{
	if (!state->is_on)
		return "off";
	if (state->failures)
		return "failed";
	return state->passed ? "passed" : "waiting";
}

/* ---- what comes of it ----------------------------------------------------------------------- */

static bool is_its_event(const struct self_test *test, const struct event *event)
{
	return test->is_waiting && event->schema->type == EVENT_FANOTIFY_MARK &&
	       str_eq_text(event_string(event, PARAM_FANOTIFY_MARK_name), test->path);
}

void self_test_see(struct self_test *test, const struct event *event)
{
	if (is_its_event(test, event))
		test->is_seen = true;
}

void self_test_match(const struct alert_context *context, const struct alert *alert, void *data)
{
	struct self_test *test = data;

	if (!is_its_event(test, context->fields->event) || test->is_matched)
		return;
	test->is_seen = test->is_matched = true;
	test->alert_wall_ns = alert ? alert->wall_ns : 0;
	test->state.latency_ns = clock_boot_ns() - test->start_ns;
}

/* Where it is, and in *out what is missing. */
static enum self_test_stage find_stage(const struct daemon *daemon, struct buf *out)
{
	const struct self_test *test = &daemon->self_test;
	const struct daemon_config *config = daemon->config;
	const char *separator = "not acknowledged by the sink ";

	if (!test->is_matched) {
		buf_puts(out, test->is_seen ? "its event came, but its rule did not match it"
					    : "its event did not come from the kernel");
		return test->is_seen ? SELF_TEST_RULES : SELF_TEST_PROBES;
	}
	for (uint32_t i = 0; daemon->outputs && i < config->sink_cnt; i++) {
		if (!config->sinks[i].want_self_test ||
		    (test->alert_wall_ns &&
		     outputs_self_test_ns(daemon->outputs, i) >= test->alert_wall_ns))
			continue;
		buf_printf(out, "%s%s", separator, config->sinks[i].name);
		separator = ", ";
	}
	return out->n ? SELF_TEST_SINKS : SELF_TEST_PASSED;
}

/* ---- telling -------------------------------------------------------------------------------- */

static void tell(struct daemon *daemon, const char *state, enum self_test_stage stage,
		 struct str message)
{
	struct own_record record;

	own_record_begin(&record, EVENT_SELF_TEST, ++daemon->engine.own_sequence);
	own_record_text(&record, PARAM_SELF_TEST_state, str_from(state));
	own_record_text(&record, PARAM_SELF_TEST_stage, str_from(stage_names[stage]));
	own_record_text(&record, PARAM_SELF_TEST_message, message);
	own_record_number(&record, PARAM_SELF_TEST_failures, daemon->self_test.state.failures);
	own_record_end(&record);
	engine_own(&daemon->engine, record.bytes, record.length);
}

static void pass(struct daemon *daemon)
{
	struct self_test_state *state = &daemon->self_test.state;

	state->passed++;
	state->success_wall_ns = clock_boot_ns() + (uint64_t)clock_wall_offset_ns();
	*state->problem = '\0';
	if (!state->failures)
		return;
	log_warning("the self-test passes again, after %llu that failed",
		    (unsigned long long)state->failures);
	tell(daemon, "recovered", state->stage, STR(""));
	state->failures = 0;
}

static void fail(struct daemon *daemon, enum self_test_stage stage, struct str problem)
{
	struct self_test_state *state = &daemon->self_test.state;
	bool is_news = !state->failures || state->stage != stage;

	state->failed++;
	state->failures++;
	state->stage = stage;
	snprintf(state->problem, sizeof(state->problem), "%.*s", STR_ARG(problem));
	if (!is_news)
		return;
	log_error("the self-test failed: %.*s", STR_ARG(problem));
	tell(daemon, "failed", stage, problem);
}

/* ---- one after the other -------------------------------------------------------------------- */

static void begin(struct daemon *daemon, uint64_t now_ns)
{
	struct self_test *test = &daemon->self_test;
	uint64_t number = 0;

	test->is_seen = test->is_matched = false;
	test->is_waiting = true;
	test->alert_wall_ns = 0;
	test->start_ns = now_ns;
	(void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
	snprintf(test->path, sizeof(test->path), FOLDER "%016llx-%llu", (unsigned long long)number,
		 (unsigned long long)(test->state.passed + test->state.failed + 1));
	probes_self_test(daemon->probes, test->path);
}

static void look(struct daemon *daemon, uint64_t now_ns)
{
	struct self_test *test = &daemon->self_test;
	const struct self_test_config *config = &daemon->in_force->self_test;
	_cleanup_(buf_done) struct buf problem;
	enum self_test_stage stage;

	buf_init(&problem, 4096);
	stage = find_stage(daemon, &problem);
	if (stage != SELF_TEST_PASSED && now_ns < test->start_ns + config->timeout_ns)
		return;
	test->is_waiting = false;
	if (stage == SELF_TEST_PASSED)
		pass(daemon);
	else
		fail(daemon, stage, buf_str(&problem));
	test->next_ns = test->start_ns + config->period_ns;
	if (stage != SELF_TEST_PASSED)
		test->next_ns = MIN(test->next_ns, now_ns + AGAIN_NS);
}

void self_test_tick(struct daemon *daemon, uint64_t now_ns)
{
	struct self_test *test = &daemon->self_test;

	/* A shorter period counts from now on. */
	test->next_ns = MIN(test->next_ns, test->start_ns + daemon->in_force->self_test.period_ns);
	test->state.is_on = self_test_is_on(daemon->in_force);
	if (test->is_waiting)
		look(daemon, now_ns);
	if (test->state.is_on && !test->is_waiting && now_ns >= test->next_ns)
		begin(daemon, now_ns);
}
