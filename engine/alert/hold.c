/*
 * Alerts that wait for metadata: runs the rules over each event, keeps what cannot be decided yet,
 * and decides it in time. Owns the held events. Called by the daemon, in the engine thread.
 */
#include <errno.h>

#include "haetae/clock.h"
#include "hold_private.h"

#define SCRATCH_MAX (4u << 20) /* as for an event at hand */

/* What events of one container, or of none, have in the hold. */
struct share {
	uint32_t *events;
	uint64_t *bytes;
};

struct hold {
	struct hold_config config;
	struct hold_calls calls;
	struct container_table *containers; /* borrowed */
	struct held_event *first, *last;    /* in the order of events; owned */
	uint64_t bytes_per_container;
	uint32_t host_events; /* of no container */
	uint64_t host_bytes;
	struct arena scratch; /* of the held event at hand */
	struct hold_stats stats;
	/* The event at hand. */
	struct alert_context *alert;
	struct open_rule open[HOLD_RULES_MAX];
	uint32_t open_cnt;
	bool is_complete; /* calls.complete() was called for it */
	bool is_too_many; /* first_left is the first rule that found no room in open */
	uint32_t first_left;
};

/* What is decided now, and why. */
struct decision {
	struct hold *hold;
	struct matcher *matcher;
	struct alert_context *alert;
	enum alert_metadata mark;
	bool is_marked; /* else the mark is what the container's state says */
};

static const char *const overflow_names[] = {
	[HOLD_OVERFLOW_EVENTS] = "events",
	[HOLD_OVERFLOW_CONTAINER] = "container",
	[HOLD_OVERFLOW_BYTES] = "bytes",
	[HOLD_OVERFLOW_RULES] = "rules",
};
_Static_assert(ARRAY_LEN(overflow_names) == HOLD_OVERFLOW__COUNT, "a name for each reason");

const char *hold_overflow_name(enum hold_overflow reason)
{
	return overflow_names[reason];
}

void hold_config_default(struct hold_config *config)
{
	*config = (struct hold_config){
		.deadline_ns = 2 * NS_PER_SEC,
		.max_held = 4096,
		.max_per_container = 256,
		.max_bytes = 64u << 20,
	};
}

int hold_new(const struct hold_config *config, struct container_table *containers,
	     const struct hold_calls *calls, struct hold **ret)
{
	struct hold *hold = calloc(1, sizeof(*hold));

	if (!hold)
		return -ENOMEM;
	hold->config = *config;
	hold->containers = containers;
	hold->calls = *calls;
	/* As many bytes of all as events of all: no container can take the room of the others. */
	hold->bytes_per_container = config->max_bytes;
	if (config->max_held)
		hold->bytes_per_container =
			config->max_bytes / config->max_held * config->max_per_container;
	hold->bytes_per_container = MIN(hold->bytes_per_container, config->max_bytes);
	arena_init(&hold->scratch, SCRATCH_MAX);
	*ret = hold;
	return 0;
}

void hold_stats(const struct hold *hold, struct hold_stats *ret)
{
	*ret = hold->stats;
}

/* ---- raising -------------------------------------------------------------------------------- */

static void raise_alert(const struct decision *decision, const struct rule *rule)
{
	struct alert_context *alert = decision->alert;
	struct hold *hold = decision->hold;

	alert->metadata = decision->is_marked ? decision->mark : alert_metadata_of(alert);
	hold->calls.raise(rule, alert, hold->calls.data);
}

/* What a held event says of its surroundings is what was true when it happened. */
static void complete(struct hold *hold, struct alert_context *alert)
{
	if (!hold->is_complete && hold->calls.complete)
		hold->calls.complete(alert, hold->calls.data);
	hold->is_complete = true;
}

/* ---- the list ------------------------------------------------------------------------------- */

static struct share share_of(struct hold *hold, struct container *container)
{
	if (container && container != &container_host)
		return (struct share){ &container->held, &container->held_bytes };
	return (struct share){ &hold->host_events, &hold->host_bytes };
}

static void add(struct hold *hold, struct held_event *held)
{
	struct share share = share_of(hold, held->container);

	held->previous = hold->last;
	*(hold->last ? &hold->last->next : &hold->first) = held;
	hold->last = held;
	++*share.events;
	*share.bytes += held->bytes;
	hold->stats.held++;
	hold->stats.now++;
	hold->stats.bytes += held->bytes;
}

static void drop(struct hold *hold, struct held_event *held)
{
	struct share share = share_of(hold, held->container);

	*(held->previous ? &held->previous->next : &hold->first) = held->next;
	*(held->next ? &held->next->previous : &hold->last) = held->previous;
	--*share.events;
	*share.bytes -= held->bytes;
	hold->stats.now--;
	hold->stats.bytes -= held->bytes;
	container_unref(hold->containers, held->container);
	held_event_free(held);
}

struct hold *hold_free(struct hold *hold)
{
	if (!hold)
		return NULL;
	while (hold->first)
		drop(hold, hold->first);
	arena_done(&hold->scratch);
	free(hold);
	return NULL;
}

uint64_t hold_deadline_ns(const struct hold *hold)
{
	return hold->first ? hold->first->deadline_ns : UINT64_MAX;
}

/* ---- deciding ------------------------------------------------------------------------------- */

/* Goes through the open rules as far as they can be decided; those that cannot stay. Whether none
 * is left. */
static bool decide(const struct decision *decision, struct open_rule *rules, uint32_t *cnt)
{
	const struct field_context *fields = decision->alert->fields;
	bool is_match_all = matcher_is_match_all(decision->matcher);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < *cnt; i++) {
		struct open_rule rule = rules[i];
		enum verdict verdict =
			rule.is_true ? VERDICT_TRUE
				     : matcher_decide(decision->matcher, fields, rule.rule);

		if (verdict == VERDICT_FALSE)
			continue;
		rule.is_true = verdict == VERDICT_TRUE;
		if (rule.is_true && !alert_is_pending(rule.rule, fields))
			raise_alert(decision, rule.rule);
		else
			rules[kept++] = rule;
		if (is_match_all)
			continue;
		/* The first true one is the only one; behind one that is open none is decided. */
		for (i++; i < *cnt && kept && !rules[kept - 1].is_true; i++)
			rules[kept++] = rules[i];
		break;
	}
	*cnt = kept;
	return kept == 0;
}

/* Whether the event is done with. */
static bool decide_held(struct hold *hold, struct held_event *held, bool is_final)
{
	const struct decision decision = {
		.hold = hold,
		.matcher = held->matcher,
		.alert = &held->alert,
		.mark = ALERT_METADATA_TIMEOUT,
		.is_marked = is_final,
	};
	bool is_done;

	held->fields.is_final = is_final;
	is_done = decide(&decision, held->rules, &held->rule_cnt);
	arena_reset(&hold->scratch);
	return is_done;
}

/* What can be decided without giving up is not marked. */
static void end(struct hold *hold, struct held_event *held)
{
	if (!decide_held(hold, held, false))
		(void)decide_held(hold, held, true);
	drop(hold, held);
}

void hold_update(struct hold *hold, const struct container *container)
{
	struct held_event *held, *next;
	bool is_waiting;

	for (held = hold->first; held; held = next) {
		next = held->next;
		if (container && held->event.container != container)
			continue;
		is_waiting = held_event_is_waiting(held);
		arena_reset(&hold->scratch);
		if (is_waiting || !decide_held(hold, held, false))
			continue;
		hold->stats.released++;
		drop(hold, held);
	}
}

void hold_tick(struct hold *hold)
{
	uint64_t now_ns = hold->first ? hold->calls.now_ns(hold->calls.data) : 0;

	while (hold->first && hold->first->deadline_ns <= now_ns) {
		hold->stats.timed_out++;
		end(hold, hold->first);
	}
}

void hold_flush(struct hold *hold, const struct matcher *matcher)
{
	struct held_event *held, *next;

	for (held = hold->first; held; held = next) {
		next = held->next;
		if (matcher && held->matcher != matcher)
			continue;
		hold->stats.stopped++;
		end(hold, held);
	}
}

/* ---- an event at hand ----------------------------------------------------------------------- */

static void open_rule(struct hold *hold, const struct rule *rule, bool is_true)
{
	if (hold->is_too_many)
		return;
	if (hold->open_cnt < HOLD_RULES_MAX) {
		hold->open[hold->open_cnt++] = (struct open_rule){ rule, is_true };
		return;
	}
	hold->is_too_many = true;
	hold->first_left = rule->index;
}

static void on_open(const struct rule *rule, enum verdict verdict, void *data)
{
	open_rule(data, rule, verdict == VERDICT_TRUE);
}

static void on_hit(const struct rule *rule, void *data)
{
	struct hold *hold = data;
	struct decision decision = { .hold = hold, .alert = hold->alert };

	if (hold->is_too_many)
		return; /* left to run_left() */
	if (alert_is_pending(rule, hold->alert->fields)) {
		open_rule(hold, rule, true);
		return;
	}
	complete(hold, hold->alert);
	raise_alert(&decision, rule);
}

/* Of rules that found no room: those before were decided. */
static void on_hit_left(const struct rule *rule, void *data)
{
	const struct decision *decision = data;

	if (rule->index >= decision->hold->first_left)
		raise_alert(decision, rule);
}

static void decide_at_once(struct hold *hold, struct matcher *matcher, enum hold_overflow reason)
{
	struct field_context fields = *hold->alert->fields;
	struct alert_context alert = *hold->alert;
	struct decision decision = { hold, matcher, &alert, ALERT_METADATA_OVERFLOW, true };

	hold->stats.overflowed[reason]++;
	fields.is_final = true;
	alert.fields = &fields;
	if (!hold->is_too_many) {
		(void)decide(&decision, hold->open, &hold->open_cnt);
		return;
	}
	/* All that is open is among the rules of a second run, in which nothing is. */
	if (matcher_is_match_all(matcher))
		(void)decide(&decision, hold->open, &hold->open_cnt);
	else
		hold->first_left = 0;
	matcher_run(matcher, &fields, on_hit_left, NULL, &decision);
}

/* Whether it was kept; else why not. */
static bool keep(struct hold *hold, struct matcher *matcher, enum hold_overflow *ret_reason)
{
	const struct container *container = hold->alert->fields->event->container;
	struct share share = share_of(hold, (struct container *)(uintptr_t)container);
	const struct hold_config *config = &hold->config;
	uint64_t room = config->max_bytes - hold->stats.bytes;
	uint64_t room_of_one = hold->bytes_per_container - *share.bytes;
	struct held_event *held;

	*ret_reason = HOLD_OVERFLOW_RULES;
	if (hold->is_too_many)
		return false;
	*ret_reason = HOLD_OVERFLOW_EVENTS;
	if (hold->stats.now >= config->max_held)
		return false;
	*ret_reason = HOLD_OVERFLOW_CONTAINER;
	if (*share.events >= config->max_per_container)
		return false;
	*ret_reason = room_of_one < room ? HOLD_OVERFLOW_CONTAINER : HOLD_OVERFLOW_BYTES;
	held = held_event_new(matcher, hold->alert, hold->open, hold->open_cnt,
			      MIN(room, room_of_one), &hold->scratch);
	if (!held)
		return false;
	held->deadline_ns = hold->calls.now_ns(hold->calls.data) + config->deadline_ns;
	held->container = container_ref(container);
	add(hold, held);
	return true;
}

void hold_run(struct hold *hold, struct matcher *matcher, struct alert_context *alert)
{
	enum hold_overflow reason;

	hold->alert = alert;
	hold->open_cnt = 0;
	hold->is_complete = hold->is_too_many = false;
	matcher_run(matcher, alert->fields, on_hit, on_open, hold);
	if (hold->open_cnt == 0)
		return;
	complete(hold, alert);
	if (!keep(hold, matcher, &reason))
		decide_at_once(hold, matcher, reason);
}
