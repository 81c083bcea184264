/*
 * Throttle and dedupe: a table of keys (rule, container, executable), each with a token bucket and
 * a window. Owns the keys, bounded in all and for each container. Engine thread, once a hit.
 */
#include "gate_private.h"

#include <errno.h>
#include <stdio.h>

#include "haetae/clock.h"
#include "haetae/table.h"

/* A throttled key that never becomes quiet is told of at least so often. */
#define OPEN_MAX_NS (60 * NS_PER_SEC)
/* Keys that a tick ends: bounds the time it takes; what is left is the next tick's. */
#define TICK_MAX 512

/* How many keys a container has; the host is one, too. */
struct gate_owner {
	char id[CONTAINER_ID_MAX + 1];
	uint32_t key_cnt;
};

struct gate {
	struct gate_config config;
	gate_raise_fn raise;
	void *data;
	struct table entries, owners; /* nodes owned */
	struct gate_stats stats;
};

/* What a hit's key is made of. */
struct gate_key_parts {
	const struct rule *rule;
	const struct container *container;
	struct str exepath;
	bool is_rest;
	uint64_t hash;
	const struct gate *gate;
};

void gate_config_default(struct gate_config *config)
{
	*config = (struct gate_config){
		.by = { [GATE_RULE] = true, [GATE_CONTAINER] = true, [GATE_EXEPATH] = true },
		.max_keys = 16384,
		.max_keys_per_container = 1024,
	};
}

/* ---- keys ----------------------------------------------------------------------------------- */

static bool entry_equal(const void *node, const void *key)
{
	const struct gate_entry *entry = node;
	const struct gate_key_parts *parts = key;
	const struct gate_config *config = &parts->gate->config;

	/* The hash is of the whole path, and the entry keeps its begin. */
	if (entry->hash != parts->hash || entry->is_rest != parts->is_rest)
		return false;
	if (config->by[GATE_RULE] && entry->rule != parts->rule)
		return false;
	if (config->by[GATE_CONTAINER] &&
	    strcmp(entry->container_id, parts->container->full_id) != 0)
		return false;
	return !entry->exepath.p ||
	       str_eq(entry->exepath,
		      (struct str){ parts->exepath.p, MIN(parts->exepath.n, GATE_PATH_MAX) });
}

static bool owner_equal(const void *node, const void *key)
{
	return strcmp(((const struct gate_owner *)node)->id, key) == 0;
}

static uint64_t hash_of(const struct gate *gate, const struct gate_key_parts *parts)
{
	uint64_t hash = parts->is_rest;

	if (gate->config.by[GATE_RULE])
		hash = hash_bytes(&parts->rule, sizeof(parts->rule), hash);
	if (gate->config.by[GATE_CONTAINER])
		hash = hash_bytes(parts->container->full_id, strlen(parts->container->full_id),
				  hash);
	if (gate->config.by[GATE_EXEPATH] && !parts->is_rest)
		hash = hash_bytes(parts->exepath.p ?: "", parts->exepath.n, hash);
	return hash;
}

/* Of a held event it was kept. "" where it is not known. */
static struct str exepath_of(const struct alert_context *context)
{
	const struct proc_image *image = context->fields->event->image;
	struct str path = STR_NONE;

	if (image)
		path = image->exepath;
	else if (context->kept)
		path = context->kept->exepath;
	return path.p ? path : STR("");
}

static struct gate_key_parts key_of(const struct gate *gate, const struct rule *rule,
				    const struct alert_context *context, bool is_rest)
{
	const struct container *container = context->fields->event->container;
	struct gate_key_parts parts = {
		.rule = rule,
		.container = container ? container : &container_host,
		.exepath = exepath_of(context),
		.is_rest = is_rest,
		.gate = gate,
	};

	parts.hash = hash_of(gate, &parts);
	return parts;
}

static struct gate_owner *owner_of(struct gate *gate, const char *id)
{
	uint64_t hash = hash_bytes(id, strlen(id), 0);
	struct gate_owner *owner = table_find(&gate->owners, hash, id);

	if (owner)
		return owner;
	owner = calloc(1, sizeof(*owner));
	if (!owner)
		return NULL;
	snprintf(owner->id, sizeof(owner->id), "%s", id);
	if (table_insert(&gate->owners, hash, owner->id, owner) != 0) {
		free(owner);
		return NULL;
	}
	return owner;
}

static void leave_owner(struct gate *gate, const char *id)
{
	uint64_t hash = hash_bytes(id, strlen(id), 0);
	struct gate_owner *owner = table_find(&gate->owners, hash, id);

	if (!owner || --owner->key_cnt > 0)
		return;
	table_remove(&gate->owners, hash, id);
	free(owner);
}

static struct gate_entry *entry_new(const struct gate *gate, const struct gate_key_parts *parts)
{
	bool has_path = gate->config.by[GATE_EXEPATH] && !parts->is_rest;
	uint32_t n = has_path ? MIN(parts->exepath.n, GATE_PATH_MAX) : 0;
	struct gate_entry *entry = calloc(1, sizeof(*entry) + n + 1);

	if (!entry)
		return NULL;
	entry->hash = parts->hash;
	entry->rule = parts->rule;
	entry->is_rest = parts->is_rest;
	if (gate->config.by[GATE_CONTAINER]) {
		const struct container_info *info = parts->container->info;

		snprintf(entry->container_id, sizeof(entry->container_id), "%s",
			 parts->container->full_id);
		if (info && info->name.p)
			snprintf(entry->container_name, sizeof(entry->container_name), "%.*s",
				 STR_ARG(info->name));
	}
	if (has_path) {
		memcpy(entry->storage, parts->exepath.p, n);
		entry->exepath = (struct str){ entry->storage, n };
	}
	return entry;
}

static void entry_free(struct gate_entry *entry)
{
	gate_samples_done(entry);
	free(entry);
}

static uint64_t full_credit(const struct gate *gate)
{
	return gate->config.rate_ns * MAX(gate->config.burst, 1u);
}

/* NULL where there is no room, or no memory. */
static struct gate_entry *add_entry(struct gate *gate, const struct gate_key_parts *parts,
				    uint64_t now_ns)
{
	const char *id = gate->config.by[GATE_CONTAINER] ? parts->container->full_id : "";
	struct gate_owner *owner = owner_of(gate, id);
	struct gate_entry *entry;

	if (!owner)
		return NULL;
	owner->key_cnt++;
	/* Rest keys are as few as rules; they may stand above the container's limit. */
	if (owner->key_cnt > gate->config.max_keys_per_container && !parts->is_rest) {
		leave_owner(gate, id);
		return NULL;
	}
	entry = entry_new(gate, parts);
	if (entry && table_insert(&gate->entries, parts->hash, parts, entry) != 0) {
		entry_free(entry);
		entry = NULL;
	}
	if (!entry) {
		leave_owner(gate, id);
		return NULL;
	}
	entry->credit_ns = full_credit(gate);
	entry->credited_ns = now_ns;
	return entry;
}

static struct gate_entry *find_or_add(struct gate *gate, const struct gate_key_parts *parts,
				      uint64_t now_ns)
{
	struct gate_entry *entry = table_find(&gate->entries, parts->hash, parts);

	return entry ?: add_entry(gate, parts, now_ns);
}

/* ---- decisions ------------------------------------------------------------------------------ */

static void refill(const struct gate *gate, struct gate_entry *entry, uint64_t now_ns)
{
	/* Events of several cpus may come a little out of order. */
	if (now_ns <= entry->credited_ns)
		return;
	entry->credit_ns = MIN(full_credit(gate), entry->credit_ns + (now_ns - entry->credited_ns));
	entry->credited_ns = now_ns;
}

static uint64_t suppressed(const struct gate_entry *entry)
{
	return entry->throttled + entry->deduplicated;
}

static void suppress(struct gate_entry *entry, const struct rule *rule,
		     const struct alert_context *context, uint64_t now_ns)
{
	uint64_t wall_ns = now_ns + (uint64_t)context->fields->event->wall_offset_ns;

	if (suppressed(entry) == 1) { /* just counted */
		entry->first_ns = now_ns;
		entry->first_wall_ns = entry->last_wall_ns = wall_ns;
		alert_uuid_summary(rule, context, entry->uuid);
	}
	if (rule->priority < entry->rule->priority)
		entry->rule = rule;
	entry->last_wall_ns = MAX(entry->last_wall_ns, wall_ns);
	gate_sample(entry, rule, context);
}

/* A bucket holds its credit in time: a token costs rate_ns. */
static bool take_token(const struct gate *gate, struct gate_entry *entry, uint64_t now_ns)
{
	if (gate->config.rate_ns == 0)
		return true;
	refill(gate, entry, now_ns);
	if (entry->credit_ns < gate->config.rate_ns)
		return false;
	entry->credit_ns -= gate->config.rate_ns;
	return true;
}

bool gate_check(struct gate *gate, const struct rule *rule, const struct alert_context *context)
{
	uint64_t now_ns = context->fields->event->header->time_ns;
	struct gate_key_parts parts;
	struct gate_entry *entry;

	if (!gate)
		return true;
	gate->stats.hits++;
	parts = key_of(gate, rule, context, false);
	entry = find_or_add(gate, &parts, now_ns);
	if (!entry && gate->config.rate_ns) {
		parts = key_of(gate, rule, context, true);
		entry = find_or_add(gate, &parts, now_ns);
	}
	if (!entry) {
		gate->stats.no_room++;
		gate->stats.passed++;
		return true;
	}
	if (now_ns < entry->window_end_ns) {
		entry->deduplicated++;
		gate->stats.deduplicated++;
	} else if (!take_token(gate, entry, now_ns)) {
		entry->throttled++;
		gate->stats.throttled++;
	} else {
		entry->is_due |= entry->deduplicated > 0;
		if (gate->config.window_ns && !entry->is_rest)
			entry->window_end_ns = now_ns + gate->config.window_ns;
		gate->stats.passed++;
		return true;
	}
	suppress(entry, rule, context, now_ns);
	return false;
}

/* ---- closing alerts ------------------------------------------------------------------------- */

static void close_entry(struct gate *gate, struct gate_entry *entry,
			const struct alert_context *context)
{
	struct alert *alert = gate_summary(entry, context);

	gate->stats.summaries++;
	gate->stats.summarised += suppressed(entry);
	entry->throttled = entry->deduplicated = 0;
	entry->is_due = false;
	gate_samples_done(entry);
	gate->raise(entry->rule, alert, gate->data);
}

/* Whether a tick has anything to do for it: one that waits for its bucket to fill, which may take
 * days, must not take the place of those that are to be closed. */
static bool is_over(const struct gate *gate, const struct gate_entry *entry, uint64_t now_ns)
{
	bool is_full = entry->credit_ns >= full_credit(gate);

	if (entry->is_due)
		return true;
	if (now_ns < entry->window_end_ns)
		return false;
	if (is_full)
		return true;
	return suppressed(entry) &&
	       (entry->throttled == 0 || now_ns >= entry->first_ns + OPEN_MAX_NS);
}

static void remove_entry(struct gate *gate, struct gate_entry *entry)
{
	struct gate_key_parts parts = {
		.rule = entry->rule,
		.container = &container_host,
		.exepath = entry->exepath,
		.is_rest = entry->is_rest,
		.hash = entry->hash,
		.gate = gate,
	};
	struct container container = { 0 };

	snprintf(container.full_id, sizeof(container.full_id), "%s", entry->container_id);
	parts.container = &container;
	hae_assert(table_remove(&gate->entries, entry->hash, &parts) == entry);
	leave_owner(gate, entry->container_id);
	entry_free(entry);
}

void gate_tick(struct gate *gate, const struct alert_context *context, uint64_t now_ns)
{
	struct gate_entry *ended[TICK_MAX], *entry;
	uint32_t cnt = 0, cursor = 0;

	if (!gate)
		return;
	while (cnt < TICK_MAX && (entry = table_next(&gate->entries, &cursor)) != NULL) {
		refill(gate, entry, now_ns);
		if (is_over(gate, entry, now_ns))
			ended[cnt++] = entry;
	}
	for (uint32_t i = 0; i < cnt; i++) {
		entry = ended[i];
		if (suppressed(entry))
			close_entry(gate, entry, context);
		if (now_ns >= entry->window_end_ns && entry->credit_ns >= full_credit(gate))
			remove_entry(gate, entry);
	}
}

void gate_flush(struct gate *gate, const struct alert_context *context)
{
	struct gate_entry *entry;
	uint32_t cursor = 0;

	if (!gate)
		return;
	while ((entry = table_next(&gate->entries, &cursor)) != NULL)
		if (suppressed(entry))
			close_entry(gate, entry, context);
}

/* Keys hold on to rules, which go. */
void gate_clear(struct gate *gate, const struct alert_context *context)
{
	struct gate_entry *entry;
	uint32_t cursor = 0;

	gate_flush(gate, context);
	while (gate && (entry = table_next(&gate->entries, &cursor)) != NULL) {
		remove_entry(gate, entry);
		cursor = 0;
	}
}

/* ---- the object ----------------------------------------------------------------------------- */

int gate_new(const struct gate_config *config, gate_raise_fn fn, void *data, struct gate **ret)
{
	struct gate *gate;

	*ret = NULL;
	if (config->rate_ns == 0 && config->window_ns == 0)
		return 0;
	gate = calloc(1, sizeof(*gate));
	if (!gate)
		return -ENOMEM;
	gate->config = *config;
	gate->raise = fn;
	gate->data = data;
	table_init(&gate->entries, config->max_keys, entry_equal);
	table_init(&gate->owners, config->max_keys, owner_equal);
	*ret = gate;
	return 0;
}

struct gate *gate_free(struct gate *gate)
{
	uint32_t cursor = 0;
	void *node;

	if (!gate)
		return NULL;
	while ((node = table_next(&gate->entries, &cursor)) != NULL)
		entry_free(node);
	cursor = 0;
	while ((node = table_next(&gate->owners, &cursor)) != NULL)
		free(node);
	table_done(&gate->entries);
	table_done(&gate->owners);
	free(gate);
	return NULL;
}

void gate_stats(const struct gate *gate, struct gate_stats *ret)
{
	*ret = gate ? gate->stats : (struct gate_stats){ 0 };
	if (gate)
		ret->keys = gate->entries.count;
}
