/*
 * Gives the engine the inputs that a capture has, in their order. Owns an engine for each file and
 * the ruleset of all. Called by `haetae replay` and `haetae dump`; one thread, no clock but to
 * measure.
 */
#include "haetae/replay.h"

#include <errno.h>

#include "haetae/clock.h"
#include "replay_events.h"
#include "replay_inputs.h"

struct replay {
	const struct replay_config *config;
	struct ruleset *ruleset;   /* owned */
	struct replay_rule *rules; /* owned; by rule->index */
	struct replay_stats stats;
	char message[CAPTURE_MESSAGE_MAX];

	/* Of the file at hand. */
	struct engine engine;
	struct replay_inputs *inputs;  /* owned */
	struct host_names *host_names; /* owned; NULL: no rule has any */
	struct matcher *cost_matcher;  /* owned; want_costs */
	uint64_t first_ns, last_ns;    /* of records and ticks */
	uint64_t cost_ns;	       /* spent on measuring */
	uint64_t clock_ns;	       /* a look at the clock */
	bool is_enough;
};

int replay_new(const struct replay_config *config, struct ruleset *ruleset, struct replay **ret)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (replay)
		replay->rules = calloc(ruleset_rule_cnt(ruleset) + 1, sizeof(*replay->rules));
	if (!replay || !replay->rules) {
		free(replay);
		ruleset_free(ruleset);
		return -ENOMEM;
	}
	replay->config = config;
	replay->ruleset = ruleset;
	*ret = replay;
	return 0;
}

struct replay *replay_free(struct replay *replay)
{
	if (!replay)
		return NULL;
	ruleset_free(replay->ruleset);
	free(replay->rules);
	free(replay);
	return NULL;
}

const char *replay_message(const struct replay *replay)
{
	return replay->message;
}

void replay_stats(const struct replay *replay, struct replay_stats *ret)
{
	*ret = replay->stats;
}

const struct ruleset *replay_ruleset(const struct replay *replay)
{
	return replay->ruleset;
}

const struct replay_rule *replay_rule(const struct replay *replay, const struct rule *rule)
{
	return &replay->rules[rule->index];
}

/* ---- what comes out ---- */

static bool take_alert(struct alert *alert, void *data)
{
	struct replay *replay = data;

	if (replay->is_enough) {
		alert_free(alert);
		return false;
	}
	replay->is_enough = !replay->config->on_alert(alert, replay->config->data);
	return true;
}

static void take_hit(const struct rule *rule, const struct alert_context *context, void *data)
{
	struct replay *replay = data;

	if (!replay->is_enough)
		replay->is_enough = !replay->config->on_hit(rule, context, replay->config->data);
}

/* What lies between two looks at the clock at the least. */
static uint64_t clock_cost_ns(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 1000; i++) {
		uint64_t before_ns = clock_boot_ns();

		least = MIN(least, clock_boot_ns() - before_ns);
	}
	return least;
}

static uint64_t since(uint64_t before_ns, uint64_t clock_ns)
{
	uint64_t took = clock_boot_ns() - before_ns;

	return took > clock_ns ? took - clock_ns : 0;
}

/* Each rule that looks at such events by itself, as if it were the only one. */
static void measure(const struct field_context *fields, void *data)
{
	struct replay *replay = data;
	uint64_t begin_ns = clock_boot_ns();

	for (uint32_t i = 0; i < ruleset_rule_cnt(replay->ruleset); i++) {
		const struct rule *rule = ruleset_rule(replay->ruleset, i);
		struct replay_rule *cost = &replay->rules[i];
		uint64_t before_ns;

		if (!rule->is_enabled || !event_set_has(&rule->events, fields->event->code))
			continue;
		before_ns = clock_boot_ns();
		(void)matcher_decide(replay->cost_matcher, fields, rule);
		cost->time_ns += since(before_ns, replay->clock_ns);
		before_ns = clock_boot_ns();
		(void)matcher_decide_again(replay->cost_matcher, fields, rule);
		cost->condition_ns += since(before_ns, replay->clock_ns);
		cost->evaluations++;
	}
	replay->cost_ns += clock_boot_ns() - begin_ns;
}

/* ---- one file ---- */

static int start(struct replay *replay, const struct capture_head *head)
{
	const struct daemon_config *config = replay->config->daemon;
	struct engine_host host = { .name = head->hostname,
				    .boot_id = head->boot_id,
				    .wall_offset_ns = head->wall_offset_ns };
	struct engine *engine = &replay->engine;
	uint32_t name_cnt;
	const struct str *names = ruleset_host_names(replay->ruleset, &name_cnt);
	int r = replay_inputs_new(&replay->inputs);

	if (r < 0)
		return r;
	replay_inputs_fill(replay->inputs, &host);
	r = engine_init(engine, config, &config->procs, &host, replay->ruleset);
	if (r == 0 && name_cnt)
		r = host_names_new(names, name_cnt, &replay->host_names);
	if (r == 0 && replay->config->want_costs)
		r = matcher_new(replay->ruleset, &replay->cost_matcher);
	replay->clock_ns = clock_cost_ns();
	if (r < 0)
		return r;
	engine->host_names = replay->host_names;
	engine->fields.host_names = replay->host_names;
	engine->on_alert = take_alert;
	engine->on_hit = replay->config->on_hit ? take_hit : NULL;
	engine->on_event = replay->config->want_costs ? measure : NULL;
	engine->data = replay;
	return 0;
}

static void note_time(struct replay *replay, uint64_t now_ns)
{
	if (!replay->first_ns)
		replay->first_ns = now_ns;
	replay->last_ns = MAX(replay->last_ns, now_ns);
}

static void take_loss(struct engine *engine, const struct capture_frame *frame)
{
	const struct capture_loss *loss = &frame->loss;
	struct loss_numbers numbers = { .total = loss->total };

	for (uint32_t i = 0; i < MIN(loss->cgroup_cnt, (uint32_t)LOSS_CGROUPS_MAX); i++)
		numbers.cgroups[numbers.cgroup_cnt++] = (struct probes_cgroup_loss){
			.cgroup_id = loss->cgroups[i].cgroup_id,
			.lost = loss->cgroups[i].lost,
			.hierarchy = loss->cgroups[i].hierarchy,
		};
	engine_loss(engine, &numbers);
}

/* Answers of the host are kept for the input that needs them, which comes next. */
static bool is_kept(struct replay *replay, const struct capture_frame *frame)
{
	bool has_room = true;

	if (frame->kind == CAPTURE_STRINGS)
		has_room = replay_inputs_strings(replay->inputs, &frame->strings);
	else if (frame->kind == CAPTURE_PLACE)
		has_room = replay_inputs_place(replay->inputs, &frame->place);
	else if (frame->kind == CAPTURE_BUNDLE)
		has_room = replay_inputs_bundle(replay->inputs, &frame->bundle);
	else
		return false;
	replay->stats.left_out += !has_room;
	return true;
}

static void take_time(struct replay *replay, const struct capture_frame *frame)
{
	note_time(replay, frame->time.now_ns);
	if (frame->kind == CAPTURE_TICK)
		engine_tick(&replay->engine, frame->time.now_ns, frame->time.wall_offset_ns);
	else
		engine_decide(&replay->engine, frame->time.now_ns);
}

/* Which rules it had then is not in the recording: those given are taken for all of it. */
static void take_rules(struct replay *replay)
{
	if (replay->stats.reloads++ == 0)
		replay->stats.reload_frame = replay->stats.frames;
	(void)engine_install(&replay->engine, replay->ruleset, replay->host_names);
}

static void take_record(struct replay *replay, const struct capture_frame *frame)
{
	const struct capture_record *record = &frame->record;

	replay->stats.records++;
	if (frame->kind == CAPTURE_SEED)
		engine_seed(record->bytes, record->length, &replay->engine);
	else if (frame->kind == CAPTURE_RECORD)
		engine_handle(record->bytes, record->length, &replay->engine);
	else
		engine_own(&replay->engine, record->bytes, record->length);
}

static void take_gone(struct engine *engine, const struct capture_frame *frame)
{
	engine_gone(engine, frame->gone);
}

static void take_walk(struct engine *engine, const struct capture_frame *frame)
{
	engine_take_walk(engine, &frame->walk);
}

static void take_cgroup(struct engine *engine, const struct capture_frame *frame)
{
	const struct capture_cgroup *cgroup = &frame->cgroup;

	container_table_take_cgroup(engine->containers, cgroup->hierarchy, cgroup->id,
				    cgroup->is_inherited, &cgroup->identity);
}

static void take_answer(struct engine *engine, const struct capture_frame *frame)
{
	engine_answer(engine, frame->answer);
}

static void take_asked(struct engine *engine, const struct capture_frame *frame)
{
	engine_asked(engine, frame->asked_cnt);
}

static void take_host_name(struct engine *engine, const struct capture_frame *frame)
{
	engine_host_name(engine, frame->host_name.name, frame->host_name.addresses,
			 frame->host_name.address_cnt);
}

static void take_sources(struct engine *engine, const struct capture_frame *frame)
{
	engine_sources(engine, frame->has_source);
}

static void take_users(struct engine *engine, const struct capture_frame *frame)
{
	engine_users(engine, frame->users.passwd, frame->users.group);
}

/* NULL: nothing is done. */
static void (*const takers[CAPTURE__COUNT])(struct engine *engine,
					    const struct capture_frame *frame) = {
	[CAPTURE_GONE] = take_gone,	  [CAPTURE_WALK] = take_walk,
	[CAPTURE_CGROUP] = take_cgroup,	  [CAPTURE_ANSWER] = take_answer,
	[CAPTURE_ASKED] = take_asked,	  [CAPTURE_HOST_NAME] = take_host_name,
	[CAPTURE_SOURCES] = take_sources, [CAPTURE_LOSS] = take_loss,
	[CAPTURE_USERS] = take_users,
};

static void take_frame(struct replay *replay, const struct capture_frame *frame)
{
	replay->stats.frames++;
	if (is_kept(replay, frame))
		return;
	if (frame->kind == CAPTURE_SEED || frame->kind == CAPTURE_RECORD ||
	    frame->kind == CAPTURE_OWN)
		take_record(replay, frame);
	else if (frame->kind == CAPTURE_DECIDE || frame->kind == CAPTURE_TICK)
		take_time(replay, frame);
	else if (frame->kind == CAPTURE_RULES)
		take_rules(replay);
	else if (takers[frame->kind])
		takers[frame->kind](&replay->engine, frame);
	replay_inputs_clear(replay->inputs);
}

static int take_frames(struct replay *replay, struct capture_reader *reader)
{
	const struct capture_frame *frame;
	int r;

	while ((r = capture_reader_next(reader, &frame)) == 0) {
		take_frame(replay, frame);
		if (replay->is_enough)
			return REPLAY_E_ENOUGH;
	}
	engine_flush(&replay->engine);
	if (r == CAPTURE_E_END)
		return replay->is_enough ? REPLAY_E_ENOUGH : 0;
	snprintf(replay->message, sizeof(replay->message), "%s", capture_reader_message(reader));
	return r == CAPTURE_E_DAMAGED ? REPLAY_E_DAMAGED : r;
}

static void sum_up(struct replay *replay)
{
	const struct engine *engine = &replay->engine;

	replay->stats.events += engine->counters.evaluated;
	replay->stats.alerts += engine_alerts(engine);
	replay->stats.undecodable +=
		engine->counters.undecodable + engine->counters.undecodable_seeds;
	replay->stats.covered_ns += replay->last_ns - replay->first_ns;
	for (uint32_t i = 0; engine->rules && i < ruleset_rule_cnt(replay->ruleset); i++) {
		replay->rules[i].matches += engine->rules[i].matches;
		replay->rules[i].alerts += engine->rules[i].alerts;
	}
}

static void stop(struct replay *replay)
{
	replay->engine.ruleset = NULL; /* of all files */
	engine_done(&replay->engine);
	replay->engine = (struct engine){ 0 };
	replay->cost_matcher = matcher_free(replay->cost_matcher);
	replay->host_names = host_names_free(replay->host_names);
	replay->inputs = replay_inputs_free(replay->inputs);
	replay->first_ns = replay->last_ns = 0;
}

static int replay_capture(struct replay *replay, const char *path)
{
	_cleanup_(capture_reader_freep) struct capture_reader *reader = NULL;
	uint64_t begin_ns = clock_boot_ns();
	int r = capture_reader_new(strcmp(path, "-") == 0 ? "/dev/stdin" : path, &reader,
				   replay->message);

	replay->cost_ns = 0;
	if (r > 0)
		return r == CAPTURE_E_DAMAGED ? REPLAY_E_DAMAGED : REPLAY_E_FOREIGN;
	if (r < 0)
		return r;
	r = start(replay, capture_reader_head(reader));
	if (r < 0)
		snprintf(replay->message, sizeof(replay->message), "%s: %s", path, strerror(-r));
	else
		r = take_frames(replay, reader);
	sum_up(replay);
	stop(replay);
	replay->stats.files++;
	replay->stats.damaged += r == REPLAY_E_DAMAGED;
	replay->stats.unknown += capture_reader_unknown(reader);
	replay->stats.time_ns += clock_boot_ns() - begin_ns - replay->cost_ns;
	return r;
}

static bool take_event_hit(const struct rule *rule, const struct alert_context *context, void *data)
{
	struct replay *replay = data;
	struct alert *alert;

	replay->rules[rule->index].matches++;
	if (replay->config->on_hit)
		return replay->config->on_hit(rule, context, replay->config->data);
	if (alert_new(rule, context, &alert) < 0)
		return false;
	replay->rules[rule->index].alerts++;
	replay->stats.alerts++;
	return replay->config->on_alert(alert, replay->config->data);
}

static int replay_events(struct replay *replay, const char *path)
{
	uint64_t begin_ns = clock_boot_ns(), cnt;
	int r = replay_events_run(path, replay->ruleset, replay->config->daemon, take_event_hit,
				  replay, &cnt);

	replay->stats.files++;
	replay->stats.events += cnt;
	replay->stats.damaged += r == REPLAY_E_DAMAGED;
	replay->stats.time_ns += clock_boot_ns() - begin_ns;
	if (r != 0)
		snprintf(replay->message, sizeof(replay->message), "%s: %s", path,
			 r < 0 ? strerror(-r) : "events with mistakes were left out");
	return r;
}

int replay_file(struct replay *replay, const char *path)
{
	if (replay_events_begin(path))
		return replay_events(replay, path);
	return replay_capture(replay, path);
}
