/*
 * A held event: its record, the fields that its open rules and their alerts read, its ancestors as
 * rendered. Owns one arena each. Only what was pending is read again, since the process table has
 * moved on by then (decision 24). Called by hold.c.
 */
#include "hold_private.h"

#define ANCESTORS_TEXT_MAX (1u << 20)

/* What is being copied. */
struct freezing {
	struct held_event *held;
	const struct field_context *context; /* of the event at hand */
	bool is_incomplete;
};

/* ---- frozen values -------------------------------------------------------------------------- */

static bool is_same(const struct field_argument *a, const struct field_argument *b)
{
	return a == b || (a->kind == b->kind && a->index == b->index && str_eq(a->key, b->key) &&
			  a->param_of_type == b->param_of_type);
}

static unsigned bucket_of(const struct field *field, const struct field_argument *argument)
{
	uintptr_t address = (uintptr_t)field / sizeof(*field);

	return (unsigned)(address + argument->index + argument->key.n) % HELD_BUCKETS;
}

static struct frozen_value *find(const struct held_event *held, const struct field *field,
				 const struct field_argument *argument)
{
	struct frozen_value *value = held->buckets[bucket_of(field, argument)];

	while (value && (value->field != field || !is_same(value->argument, argument)))
		value = value->next;
	return value;
}

static bool has_text(enum value_type type)
{
	return type == VALUE_STRING || type == VALUE_PATH || type == VALUE_BYTES;
}

/* Values of getters live as long as the event at hand. */
static bool copy_set(struct arena *arena, struct value_set *set)
{
	struct value *values;

	if (set->state != FIELD_VALUE)
		return true;
	values = arena_new_array(arena, struct value, set->cnt);
	for (uint32_t i = 0; values && i < set->cnt; i++) {
		values[i] = set->values[i];
		if (has_text(values[i].type) && values[i].str.p)
			values[i].str = arena_str(arena, values[i].str);
	}
	set->values = values;
	return !arena->failed;
}

static void freeze(struct freezing *freezing, const struct field *field,
		   const struct field_argument *argument, bool want_absent)
{
	struct held_event *held = freezing->held;
	unsigned bucket = bucket_of(field, argument);
	struct frozen_value *value;
	struct value_set set;

	if (freezing->is_incomplete || find(held, field, argument))
		return;
	field_read(field, freezing->context, argument, &set);
	if (set.state == FIELD_ABSENT && !want_absent)
		return;
	value = arena_new(&held->arena, struct frozen_value);
	if (!value || !copy_set(&held->arena, &set)) {
		freezing->is_incomplete = true;
		return;
	}
	*value = (struct frozen_value){ held->buckets[bucket], NULL, field, argument, set };
	held->buckets[bucket] = value;
	if (set.state == FIELD_PENDING) {
		value->next_pending = held->pending;
		held->pending = value;
	}
}

static void freeze_read(const struct field *field, const struct field_argument *argument,
			void *data)
{
	freeze(data, field, argument, true);
}

/* What an alert says where it knows it: the more is known by then, the better. */
static void freeze_told(const struct field *field, const struct field_argument *argument,
			void *data)
{
	freeze(data, field, argument, false);
}

/* A field_override_fn. */
static bool give_frozen(const struct field *field, const struct field_argument *argument,
			struct value_set *ret, void *data)
{
	const struct held_event *held = data;
	const struct frozen_value *value = find(held, field, argument);

	if (value && value->set.state != FIELD_PENDING) {
		*ret = value->set;
		return true;
	}
	return held->override && held->override(field, argument, ret, held->override_data);
}

/* ---- the event ------------------------------------------------------------------------------ */

static bool copy_event(struct held_event *held, const struct event *event)
{
	uint32_t length = event->header->length;
	void *record = arena_alloc(&held->arena, length);

	if (!record)
		return false;
	memcpy(record, event->header, length);
	held->event.scratch = &held->arena;
	if (event_decode(&held->event, record, length) != 0)
		return false;
	held->event.number = event->number;
	held->event.wall_offset_ns = event->wall_offset_ns;
	held->event.names = event->names;
	held->event.container = event->container;
	return !held->arena.failed;
}

static bool copy_ancestors(struct held_event *held, const struct alert_context *alert)
{
	const struct proc_image *image = alert->fields->event->image;
	_cleanup_(buf_done) struct buf text;

	buf_init(&text, ANCESTORS_TEXT_MAX);
	alert_put_ancestors(alert->fields, ALERT_ANCESTOR_TEXT_MAX, &text);
	held->kept = (struct alert_kept){
		.ancestors = arena_str(&held->arena, buf_str(&text)),
		.is_args_cut = image && image->is_args_cut,
		.is_env_cut = image && image->is_env_cut,
	};
	if (image && image->exepath.p)
		held->kept.exepath = arena_str(&held->arena, image->exepath);
	return !text.failed && held->kept.ancestors.p;
}

static bool copy_values(struct held_event *held, const struct alert_context *alert)
{
	struct freezing freezing = { .held = held, .context = alert->fields };
	unsigned code = alert->fields->event->code;

	for (uint32_t i = 0; i < held->rule_cnt; i++) {
		matcher_fields(held->matcher, code, held->rules[i].rule, freeze_read, &freezing);
		alert_visit_template(held->rules[i].rule, freeze_read, &freezing);
	}
	alert_visit_where(alert->fields, freeze_told, &freezing);
	return !freezing.is_incomplete;
}

static bool copy_rules(struct held_event *held, const struct open_rule *rules, uint32_t cnt)
{
	held->rules = arena_new_array(&held->arena, struct open_rule, cnt);
	if (!held->rules)
		return false;
	memcpy(held->rules, rules, cnt * sizeof(*rules));
	held->rule_cnt = cnt;
	return true;
}

/* ---- what it waits for ---------------------------------------------------------------------- */

static void look_at_container(struct held_event *held)
{
	const struct container *container = held->event.container;

	container_info_unref(held->seen_info);
	held->seen_info = container->info ? container_info_ref(container->info) : NULL;
	memcpy(held->seen_state, container->state, sizeof(held->seen_state));
}

/* All that is pending is the container's to tell. */
static bool is_by_container(const struct held_event *held)
{
	const struct container *container = held->event.container;

	if (!container || container == &container_host || held->override)
		return false;
	for (const struct frozen_value *value = held->pending; value; value = value->next_pending)
		if (value->field->flags & FIELD_IS_HOST_NAME)
			return false;
	return true;
}

/* ---- the whole ------------------------------------------------------------------------------- */

struct held_event *held_event_new(struct matcher *matcher, const struct alert_context *alert,
				  const struct open_rule *rules, uint32_t rule_cnt,
				  size_t max_bytes, struct arena *scratch)
{
	struct held_event *held = max_bytes > sizeof(*held) ? calloc(1, sizeof(*held)) : NULL;

	if (!held)
		return NULL;
	held->matcher = matcher;
	arena_init(&held->arena, max_bytes - sizeof(*held));
	if (!copy_event(held, alert->fields->event) || !copy_rules(held, rules, rule_cnt) ||
	    !copy_values(held, alert) || !copy_ancestors(held, alert))
		return held_event_free(held);
	held->bytes = sizeof(*held) + held->arena.used_bytes;
	held->event.scratch = scratch;
	held->override = alert->fields->override;
	held->override_data = alert->fields->override_data;
	held->fields = *alert->fields;
	held->fields.event = &held->event;
	held->fields.override = give_frozen;
	held->fields.override_data = held;
	held->alert = *alert;
	held->alert.fields = &held->fields;
	held->alert.kept = &held->kept;
	held->is_by_container = is_by_container(held);
	if (held->is_by_container)
		look_at_container(held);
	return held;
}

struct held_event *held_event_free(struct held_event *held)
{
	if (!held)
		return NULL;
	container_info_unref(held->seen_info);
	arena_done(&held->arena);
	free(held);
	return NULL;
}

bool held_event_is_waiting(struct held_event *held)
{
	const struct container *container = held->event.container;

	if (held->is_by_container) {
		if (container->info == held->seen_info &&
		    memcmp(container->state, held->seen_state, sizeof(held->seen_state)) == 0)
			return true;
		look_at_container(held);
	}
	for (const struct frozen_value *value = held->pending; value; value = value->next_pending) {
		struct value_set set;

		field_read(value->field, &held->fields, value->argument, &set);
		if (set.state != FIELD_PENDING)
			return false;
	}
	return true;
}
