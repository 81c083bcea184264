/*
 * What a new ruleset changes, for people. Owns nothing. Thread of the reloads.
 */
#include "reload_private.h"

#include "haetae/text.h"

#define NAMES_SHOWN 5
#define EXPLAIN_MAX (256u << 10)

/* The expanded condition tells of lists and macros that have changed. */
static bool is_equal(const struct ruleset *before, const struct rule *old,
		     const struct ruleset *now, const struct rule *new)
{
	_cleanup_(buf_done) struct buf one, other;

	buf_init(&one, EXPLAIN_MAX);
	buf_init(&other, EXPLAIN_MAX);
	if (old->is_enabled != new->is_enabled || old->priority != new->priority ||
	    !str_eq(old->output, new->output) || !str_eq(old->condition, new->condition) ||
	    old->tag_cnt != new->tag_cnt)
		return false;
	if (!new->is_enabled)
		return true;
	ruleset_explain(before, old, &one);
	ruleset_explain(now, new, &other);
	return str_eq(buf_str(&one), buf_str(&other));
}

struct changes {
	uint64_t cnt;
	struct buf names;
};

static void add(struct changes *changes, const struct rule *rule)
{
	if (changes->cnt++ >= NAMES_SHOWN)
		return;
	buf_puts(&changes->names, changes->cnt > 1 ? ", " : "");
	text_put_line(&changes->names, rule->name);
}

static void put(struct changes *changes, const char *what, struct buf *out)
{
	if (changes->cnt) {
		buf_printf(out, "%s%llu %s (", out->n ? ", " : "", (unsigned long long)changes->cnt,
			   what);
		buf_put_str(out, buf_str(&changes->names));
		buf_puts(out, changes->cnt > NAMES_SHOWN ? ", …)" : ")");
	}
	buf_done(&changes->names);
}

void reload_compare(const struct ruleset *before, const struct ruleset *now, struct buf *out)
{
	struct changes added = { 0 }, removed = { 0 }, changed = { 0 };

	buf_init(&added.names, 4096);
	buf_init(&removed.names, 4096);
	buf_init(&changed.names, 4096);
	for (uint32_t i = 0; i < ruleset_rule_cnt(now); i++) {
		const struct rule *rule = ruleset_rule(now, i);
		const struct rule *old = ruleset_find(before, rule->name);

		if (!old)
			add(&added, rule);
		else if (!is_equal(before, old, now, rule))
			add(&changed, rule);
	}
	for (uint32_t i = 0; i < ruleset_rule_cnt(before); i++)
		if (!ruleset_find(now, ruleset_rule(before, i)->name))
			add(&removed, ruleset_rule(before, i));
	put(&added, "added", out);
	put(&removed, "removed", out);
	put(&changed, "changed", out);
	if (out->n == 0)
		buf_puts(out, "no rule has changed");
}
