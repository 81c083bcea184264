/*
 * Answers of the host as a recording has them: they stand before the input that needed them. Owns
 * their copies, in an arena that is reset with each input. Called by replay.c and, through
 * proc_inputs and container_inputs, by the engine's tables.
 */
#include "replay_inputs.h"

#include <errno.h>

/* Of one tick, which may read 64 processes (engine/enrich/proc.c) of 32 KiB each. */
#define BYTES_MAX   (16u << 20)
#define ENTRIES_MAX 1024

/* One list for each kind, in the order in which the answers came: the first that fits is taken. */
struct strings_entry {
	struct strings_entry *next;
	struct capture_strings strings;
	bool is_taken;
};
struct place_entry {
	struct place_entry *next;
	struct cgroup_place place;
	bool is_taken;
};
struct bundle_entry {
	struct bundle_entry *next;
	struct str runtime_namespace, id;
};

struct replay_inputs {
	struct arena arena;
	struct strings_entry *strings, **strings_end;
	struct place_entry *places, **places_end;
	struct bundle_entry *bundles;
	uint32_t cnt;
};

void replay_inputs_clear(struct replay_inputs *inputs)
{
	if (inputs->cnt)
		arena_reset(&inputs->arena);
	inputs->cnt = 0;
	inputs->strings = NULL;
	inputs->strings_end = &inputs->strings;
	inputs->places = NULL;
	inputs->places_end = &inputs->places;
	inputs->bundles = NULL;
}

int replay_inputs_new(struct replay_inputs **ret)
{
	struct replay_inputs *inputs = calloc(1, sizeof(*inputs));

	if (!inputs)
		return -ENOMEM;
	arena_init(&inputs->arena, BYTES_MAX);
	replay_inputs_clear(inputs);
	*ret = inputs;
	return 0;
}

struct replay_inputs *replay_inputs_free(struct replay_inputs *inputs)
{
	if (inputs)
		arena_done(&inputs->arena);
	free(inputs);
	return NULL;
}

/* ---- coming ---- */

static bool keep(struct replay_inputs *inputs, struct str *s)
{
	if (!s->p)
		return true;
	*s = arena_str(&inputs->arena, *s);
	return s->p != NULL;
}

bool replay_inputs_strings(struct replay_inputs *inputs, const struct capture_strings *strings)
{
	struct strings_entry *entry = NULL;

	if (inputs->cnt < ENTRIES_MAX)
		entry = arena_new(&inputs->arena, struct strings_entry);
	if (!entry)
		return false;
	inputs->cnt++;
	*entry = (struct strings_entry){ .strings = *strings };
	if (!keep(inputs, &entry->strings.strings.exe) ||
	    !keep(inputs, &entry->strings.strings.args) ||
	    !keep(inputs, &entry->strings.strings.env) ||
	    !keep(inputs, &entry->strings.strings.exepath) ||
	    !keep(inputs, &entry->strings.strings.cwd))
		return false;
	*inputs->strings_end = entry;
	inputs->strings_end = &entry->next;
	return true;
}

bool replay_inputs_place(struct replay_inputs *inputs, const struct cgroup_place *place)
{
	struct place_entry *entry = NULL;

	if (inputs->cnt < ENTRIES_MAX)
		entry = arena_new(&inputs->arena, struct place_entry);
	if (!entry)
		return false;
	inputs->cnt++;
	*entry = (struct place_entry){ .place = *place };
	if (!keep(inputs, &entry->place.path))
		return false;
	*inputs->places_end = entry;
	inputs->places_end = &entry->next;
	return true;
}

bool replay_inputs_bundle(struct replay_inputs *inputs, const struct capture_bundle *bundle)
{
	struct bundle_entry *entry = NULL;

	if (inputs->cnt < ENTRIES_MAX)
		entry = arena_new(&inputs->arena, struct bundle_entry);
	if (!entry)
		return false;
	inputs->cnt++;
	*entry = (struct bundle_entry){ .next = inputs->bundles,
					.runtime_namespace = str_from(bundle->runtime_namespace),
					.id = str_from(bundle->id) };
	if (!keep(inputs, &entry->runtime_namespace) || !keep(inputs, &entry->id))
		return false;
	inputs->bundles = entry;
	return true;
}

/* ---- asked for ---- */

static bool recall_strings(struct proc_key key, struct proc_strings *ret, void *data)
{
	const struct replay_inputs *inputs = data;

	for (struct strings_entry *entry = inputs->strings; entry; entry = entry->next) {
		if (entry->is_taken || entry->strings.key.pid != key.pid ||
		    entry->strings.key.start_ns != key.start_ns)
			continue;
		entry->is_taken = true;
		*ret = entry->strings.strings;
		return true;
	}
	return false;
}

static bool recall_place(uint64_t id, enum wire_hierarchy hierarchy, struct cgroup_place *ret,
			 void *data)
{
	const struct replay_inputs *inputs = data;

	for (struct place_entry *entry = inputs->places; entry; entry = entry->next) {
		if (entry->is_taken || entry->place.id != id || entry->place.hierarchy != hierarchy)
			continue;
		entry->is_taken = true;
		*ret = entry->place;
		return true;
	}
	return false;
}

static bool recall_bundle(const char *runtime_namespace, const char *id, void *data)
{
	const struct replay_inputs *inputs = data;

	for (const struct bundle_entry *entry = inputs->bundles; entry; entry = entry->next)
		if (str_eq_text(entry->runtime_namespace, runtime_namespace) &&
		    str_eq_text(entry->id, id))
			return true;
	return false;
}

void replay_inputs_fill(struct replay_inputs *inputs, struct engine_host *host)
{
	host->procs = (struct proc_inputs){ .recall = recall_strings, .data = inputs };
	host->containers = (struct container_inputs){ .recall_place = recall_place,
						      .recall_bundle = recall_bundle,
						      .data = inputs };
	host->is_replayed = true;
}
