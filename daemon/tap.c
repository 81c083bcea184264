/*
 * The engine's inputs as frames of a capture. Owns nothing but the time of a decision that is not
 * written yet. Engine thread; where nothing is recorded each call is one test.
 */
#include "tap.h"

/* Of both files, each cut at 4 MiB (engine/enrich/users.c). */
#define USERS_TEXT_MAX (4u << 20)

static struct capture_writer *writer_for(struct tap *tap)
{
	if (tap->writer && tap->is_decision_due) {
		tap->is_decision_due = false;
		capture_put_decide(tap->writer, tap->decided_ns);
	}
	return tap->writer;
}

void tap_strings(struct proc_key key, const struct proc_strings *strings, void *data)
{
	if (tap_is_on(data))
		capture_put_strings(writer_for(data), key, strings);
}

void tap_gone(struct proc_key key, void *data)
{
	if (tap_is_on(data))
		capture_put_gone(writer_for(data), key);
}

void tap_place(const struct cgroup_place *place, void *data)
{
	if (tap_is_on(data))
		capture_put_place(writer_for(data), place);
}

void tap_bundle(const char *runtime_namespace, const char *id, void *data)
{
	if (tap_is_on(data))
		capture_put_bundle(writer_for(data), runtime_namespace, id);
}

void tap_walk(const struct cgroup_walk *walk, void *data)
{
	if (tap_is_on(data))
		capture_put_walk(writer_for(data), walk);
}

void tap_record(struct tap *tap, enum capture_kind kind, const void *record, uint32_t length)
{
	if (tap_is_on(tap))
		capture_put_record(writer_for(tap), kind, record, length);
}

void tap_answer(struct tap *tap, const struct metadata_answer *answer)
{
	if (tap_is_on(tap))
		capture_put_answer(writer_for(tap), answer);
}

void tap_asked(struct tap *tap, uint32_t cnt)
{
	if (tap_is_on(tap))
		capture_put_asked(writer_for(tap), cnt);
}

void tap_host_name(struct tap *tap, struct str name, const struct host_address *addresses,
		   uint32_t cnt)
{
	if (tap_is_on(tap))
		capture_put_host_name(writer_for(tap), name, addresses, cnt);
}

void tap_sources(struct tap *tap, const bool has_source[METADATA_SOURCE__COUNT])
{
	if (tap_is_on(tap))
		capture_put_sources(writer_for(tap), has_source);
}

void tap_loss(struct tap *tap, const struct loss_numbers *loss)
{
	struct capture_loss all = { .total = loss->total, .cgroup_cnt = loss->cgroup_cnt };
	_Static_assert(LOSS_CGROUPS_MAX <= CAPTURE_LOSS_CGROUPS_MAX, "all have room");

	if (!tap_is_on(tap))
		return;
	for (uint32_t i = 0; i < loss->cgroup_cnt; i++)
		all.cgroups[i] =
			(struct capture_cgroup_loss){ .cgroup_id = loss->cgroups[i].cgroup_id,
						      .lost = loss->cgroups[i].lost,
						      .hierarchy = loss->cgroups[i].hierarchy };
	capture_put_loss(writer_for(tap), &all);
}

void tap_users(struct tap *tap, const struct users *users)
{
	_cleanup_(buf_done) struct buf passwd = { 0 }, group = { 0 };

	if (!tap_is_on(tap))
		return;
	buf_init(&passwd, USERS_TEXT_MAX);
	buf_init(&group, USERS_TEXT_MAX);
	users_put(users, &passwd, &group);
	capture_put_users(writer_for(tap), buf_str(&passwd), buf_str(&group));
}

void tap_decide(struct tap *tap, uint64_t now_ns, bool is_felt)
{
	tap->decided_ns = now_ns;
	tap->is_decision_due = true;
	if (is_felt)
		(void)writer_for(tap);
}

void tap_rules(struct tap *tap, uint32_t number)
{
	if (tap_is_on(tap))
		capture_put_rules(writer_for(tap), number);
}

void tap_tick(struct tap *tap, uint64_t now_ns, int64_t wall_offset_ns)
{
	if (tap_is_on(tap))
		capture_put_tick(writer_for(tap), now_ns, wall_offset_ns);
}
