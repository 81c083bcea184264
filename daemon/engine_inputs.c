/*
 * What the engine takes in beside records: metadata, host names, users, losses. Owns nothing;
 * called by the daemon's loop, or by a replay, in the engine thread.
 */
#include "engine.h"

#include <errno.h>

static struct engine_rule_counters *counters_for(const struct engine *engine,
						 const struct ruleset *ruleset)
{
	uint32_t cnt = ruleset_rule_cnt(ruleset);
	struct engine_rule_counters *counters = calloc(cnt + 1, sizeof(*counters));

	for (uint32_t i = 0; counters && i < cnt; i++) {
		const struct rule *old =
			ruleset_find(engine->ruleset, ruleset_rule(ruleset, i)->name);

		if (old)
			counters[i] = engine->rules[old->index];
	}
	return counters;
}

int engine_install(struct engine *engine, struct ruleset *ruleset, struct host_names *host_names)
{
	struct matcher *matcher;
	struct engine_rule_counters *counters;
	int r = matcher_new(ruleset, &matcher);

	if (r < 0)
		return r;
	tap_rules(&engine->tap, engine->install_cnt + 1);
	/* Both raise alerts of the old rules, and count them. */
	hold_flush(engine->hold, NULL);
	gate_clear(engine->gate, &engine->alert);
	counters = counters_for(engine, ruleset);
	if (!counters) {
		matcher_free(matcher);
		return -ENOMEM;
	}
	matcher_free(engine->matcher);
	free(engine->rules);
	engine->matcher = matcher;
	engine->rules = counters;
	engine->ruleset = ruleset;
	engine->host_names = host_names;
	engine->fields.host_names = host_names;
	engine->install_cnt++;
	return 0;
}

/* Pods are in the table before containers are said to have one. */
void engine_answer(struct engine *engine, struct metadata_answer *answer)
{
	tap_answer(&engine->tap, answer);
	switch (answer->type) {
	case ANSWER_POD:
		if (answer->pod)
			pod_table_put(engine->pods, pod_info_ref(answer->pod));
		break;
	case ANSWER_PODS_BEGIN:
		pod_table_sync_begin(engine->pods);
		break;
	case ANSWER_PODS_END:
		pod_table_sync_end(engine->pods);
		break;
	case ANSWER_CONTAINER:
	case ANSWER_CONTAINER_UNKNOWN:
	case ANSWER_POD_GONE:
	case ANSWER_SOURCE:
		break;
	}
	engine->has_news |= container_table_answer(engine->containers, answer);
	if (answer->type == ANSWER_POD_GONE)
		pod_table_remove(engine->pods, str_from(answer->full_id));
}

void engine_asked(struct engine *engine, uint32_t cnt)
{
	struct metadata_question question;

	tap_asked(&engine->tap, cnt);
	while (cnt-- && container_table_question(engine->containers, &question))
		container_table_asked(engine->containers, &question);
}

void engine_host_name(struct engine *engine, struct str name, const struct host_address *addresses,
		      uint32_t cnt)
{
	uint32_t name_cnt;
	const struct str *names = ruleset_host_names(engine->ruleset, &name_cnt);

	tap_host_name(&engine->tap, name, addresses, cnt);
	for (uint32_t i = 0; engine->host_names && i < name_cnt; i++) {
		if (!str_eq(names[i], name))
			continue;
		host_names_set(engine->host_names, i, addresses, cnt);
		engine->has_news = true;
	}
}

void engine_sources(struct engine *engine, const bool has_source[METADATA_SOURCE__COUNT])
{
	tap_sources(&engine->tap, has_source);
	memcpy(engine->alert.has_source, has_source, sizeof(engine->alert.has_source));
}

void engine_loss(struct engine *engine, const struct loss_numbers *loss)
{
	tap_loss(&engine->tap, loss);
	engine->loss = *loss;
}

void engine_users(struct engine *engine, struct str passwd, struct str group)
{
	(void)users_set(engine->users, passwd, group);
}

void engine_gone(struct engine *engine, struct proc_key key)
{
	proc_table_gone(engine->procs, key, engine->now_ns);
}

void engine_take_walk(struct engine *engine, const struct cgroup_walk *walk)
{
	(void)container_table_take_walk(engine->containers, walk);
}
